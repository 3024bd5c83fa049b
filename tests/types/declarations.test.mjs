// The package's declarations: they compile as strictly as TypeScript can, fit the documented client, leak no `any`, and name the error
// codes of the gateway. Works on the sources; the packed package is looked at in ../package.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const TEMPLATE = here("../../pkg-template/");
const DECLARATIONS = join(TEMPLATE, "index.d.ts");

const COMPILER_OPTIONS = {
  strict: true, skipLibCheck: false, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, noPropertyAccessFromIndexSignature: true,
  target: "es2022", lib: ["es2022", "dom"], types: [], noEmit: true,
};
const RESOLUTIONS = {
  bundler: { module: "esnext", moduleResolution: "bundler" },
  node16: { module: "node16", moduleResolution: "node16" },
};

let project;

before(async () => {
  project = await mkdtemp(join(tmpdir(), "sportello-types-"));
  await mkdir(join(project, "node_modules/sportello"), { recursive: true });
  for (const file of ["package.json", "index.js", "index.d.ts"]) await cp(join(TEMPLATE, file), join(project, "node_modules/sportello", file));
  await cp(here("project"), join(project, "src"), { recursive: true });
  await cp(here("contract"), join(project, "contract"), { recursive: true });
  await writeFile(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await writeReadmeExamples(join(project, "readme"));
  await writeFixtures(join(project, "fixtures"));
});
after(() => rm(project, { recursive: true, force: true }));

async function writeReadmeExamples(folder) {
  const readme = await readFile(join(TEMPLATE, "README.md"), "utf8");
  const blocks = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
  assert.ok(blocks.length >= 5, "the README has TypeScript examples");
  await mkdir(folder);
  for (const [index, code] of blocks.entries()) await writeFile(join(folder, `example-${index + 1}.ts`), `${code}\nexport {};\n`);
}

/** The examples of frames and bodies that crates/wire reads, each assigned to its declared type. */
async function writeFixtures(folder) {
  const read = async (file) => JSON.parse(await readFile(here(`../fixtures/${file}`), "utf8"));
  const index = Object.entries(await read("index.json")).filter(([, entry]) => entry.declared);
  assert.ok(index.length > 15, "the examples were found");
  await mkdir(folder);
  for (const [file, { at, declared }] of index) {
    const value = at.split(".").reduce((part, name) => (name ? part[name] : part), await read(file));
    assert.notEqual(value, undefined, `${file} has nothing at ${at}`);
    // The SDK makes dates of the wire's milliseconds.
    const dated = JSON.stringify(value, null, 2).replace(/("\$timestamp": )(\d+)/g, "$1new Date($2)");
    // Some types are closed sets of words.
    const json = dated.replace(/("(?:type|recording_permission)": "[\w-]+")/g, "$1 as const");
    const types = (declared.match(/Sportello\w+|\w+(Response|Request|Member|Item|Answers?|Problem|Availability)/g) ?? []).join(", ");
    // By way of a variable: fields that the declarations do not name are allowed.
    const code = typeof value === "string" ? `export const value: ${declared} = ${json};` : `const json = ${json};\nexport const value: ${declared} = json;`;
    await writeFile(join(folder, file.replace(/\.json$/, ".ts")), `${types && `import type { ${types} } from "sportello";\n`}${code}\n`);
  }
}

/** The compiler's output, empty where there is nothing to say. */
async function compile(typescript, resolution, include, options = {}) {
  const config = join(project, `tsconfig.${typescript}.${resolution}.json`);
  await writeFile(config, JSON.stringify({ compilerOptions: { ...COMPILER_OPTIONS, ...RESOLUTIONS[resolution], ...options }, include }));
  return run(process.execPath, [require.resolve(`${typescript}/lib/tsc.js`), "-p", config]).then(
    ({ stdout }) => stdout,
    (error) => error.stdout,
  );
}

describe("the contract, the events, the mistakes, the README's examples and the examples of frames and bodies compile", { concurrency: 2 }, () => {
  for (const typescript of ["typescript", "typescript-5.6"]) {
    for (const resolution of Object.keys(RESOLUTIONS)) {
      test(`with TypeScript ${require(`${typescript}/package.json`).version} and ${resolution} resolution`, async () => {
        assert.equal(await compile(typescript, resolution, ["src", "readme", "fixtures"]), "");
      });
    }
  }
});

test("the compile check reports a mistake", async () => {
  await writeFile(join(project, "src/wrong.ts"), 'import { Client } from "sportello";\nnew Client(1);\n');
  const output = await compile("typescript", "bundler", ["src/wrong.ts"]);
  await rm(join(project, "src/wrong.ts"));
  assert.match(output, /wrong\.ts\(2,12\): error TS2345/);
});

test("an example that does not fit its declared type is found", async () => {
  await writeFile(join(project, "fixtures/wrong.ts"), (await readFile(join(project, "fixtures/chat.ts"), "utf8")).replace('"status": "assigned"', '"status": 4'));
  const output = await compile("typescript", "bundler", ["fixtures/wrong.ts"]);
  await rm(join(project, "fixtures/wrong.ts"));
  assert.match(output, /wrong\.ts.*error TS2322/);
});

test("`any` is written only where the contract says so", () => {
  const source = parse(DECLARATIONS);
  const places = [];
  walk(source, (node) => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) places.push(memberName(node));
  });
  assert.deepEqual(places, ["CustomData.unsigned", "Client.on", "Client.off"]);
});

test("every exported declaration and every member of the client is documented", () => {
  const source = parse(DECLARATIONS);
  const bare = [];
  for (const statement of source.statements) {
    const declared = ts.isVariableStatement(statement) ? statement.declarationList.declarations[0] : statement;
    if (!declared.name) continue;
    if (!documented(statement)) bare.push(declared.name.text);
    if (declared.name.text !== "Client") continue;
    const overloaded = new Set();
    for (const member of declared.members) {
      const name = member.name?.text ?? "constructor";
      if (!documented(member) && !overloaded.has(name)) bare.push(`Client.${name}`);
      overloaded.add(name);
    }
  }
  assert.deepEqual(bare, []);
});

test("the error codes are those of the gateway, retryable where the gateway says so", async () => {
  const rust = await readFile(here("../../crates/wire/src/error.rs"), "utf8");
  const listed = [...rust.matchAll(/= "([a-z_]+)", retryable: (true|false);/g)].map(([, code, retryable]) => `${code} ${retryable}`);
  assert.ok(listed.length > 20, "the list in Rust was found");

  const union = parse(DECLARATIONS).statements.find((statement) => statement.name?.text === "SportelloErrorCode").type;
  const text = union.getSourceFile().text;
  const declared = union.types.map((type) => `${type.literal.text} ${/Retryable\.\s*\*\/\s*\|?\s*$/.test(text.slice(0, type.getStart()))}`);
  assert.deepEqual(declared.sort(), listed.sort());
});

test("the runtime exports are the declared values", async () => {
  const declared = parse(DECLARATIONS).statements
    .filter((statement) => ts.isVariableStatement(statement) || ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement))
    .map((statement) => (ts.isVariableStatement(statement) ? statement.declarationList.declarations[0] : statement).name.text);
  assert.deepEqual(Object.keys(await import("../../pkg-template/index.js")).sort(), declared.sort());
});

test("the client has at runtime what is declared, and nothing else", async () => {
  const { Client } = await import("../../pkg-template/index.js");
  const declared = parse(DECLARATIONS).statements.find((statement) => statement.name?.text === "Client").members.map((member) => member.name?.text ?? "constructor");
  assert.deepEqual(Object.getOwnPropertyNames(Client.prototype).sort(), [...new Set(declared)].sort());
});

test("the committed contract is the original, where that is within reach", async (context) => {
  const original = process.env.SPORTELLO_CONTRACT;
  if (!original) return context.skip("SPORTELLO_CONTRACT is not set");
  assert.equal(await readFile(here("contract/headless-client.d.ts"), "utf8"), await readFile(original, "utf8"));
});

test("the project imports every type of the contract", async () => {
  const names = parse(here("contract/headless-client.d.ts")).statements.map((statement) => statement.name.text).filter((name) => name !== "PackageExports");
  const imported = (await Promise.all((await readdir(here("project"))).map((file) => readFile(here(`project/${file}`), "utf8"))))
    .flatMap((text) => [...text.matchAll(/import (?:type )?\{([^}]*)\} from "sportello"/g)])
    .flatMap(([, list]) => list.split(",").map((name) => name.trim()));
  assert.deepEqual(names.filter((name) => !imported.includes(name)), []);
});

function parse(file) {
  return ts.createSourceFile(file, ts.sys.readFile(file), ts.ScriptTarget.ES2022, true);
}

function walk(node, visit) {
  visit(node);
  node.forEachChild((child) => walk(child, visit));
}

function documented(node) {
  return ts.getJSDocCommentsAndTags(node).length > 0;
}

/** `Client.on` for a node within that member. */
function memberName(node) {
  const names = [];
  for (let at = node; at; at = at.parent) {
    if (ts.isTypeElement(at) || ts.isClassElement(at) || ts.isInterfaceDeclaration(at) || ts.isClassDeclaration(at)) names.unshift(at.name?.text);
  }
  return names.join(".");
}

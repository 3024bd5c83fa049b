// The tarball itself: what is in it, how tools judge it, and that Node can import it without anything happening.
import assert from "node:assert/strict";
import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { packPackage, run } from "./support/packed.mjs";

const tool = (name, path) => fileURLToPath(new URL(`../node_modules/${name}/${path}`, import.meta.url));

let packed;
let root;
before(async () => {
  packed = await packPackage();
  root = await packed.project();
});
after(() => packed?.remove());

const inPackage = (file) => join(root, "node_modules/sportello", file);
const node = (code, ...flags) => run(process.execPath, [...flags, "--input-type=module", "--eval", code], { cwd: root });

test("the tarball holds the facade, the declarations, the core and the licences, and nothing else", async () => {
  const manifest = JSON.parse(await readFile(inPackage("package.json"), "utf8"));
  const expected = [...manifest.files.filter((file) => !file.includes("*")), "package.json", ...packed.files.filter((file) => file.startsWith("LICENSE"))];
  assert.deepEqual(packed.files, expected.sort());
  assert.ok(packed.files.some((file) => file.startsWith("LICENSE")));
});

test("the fake core of the facade's tests exports what the real one does", async () => {
  const real = Object.keys(await import(pathToFileURL(inPackage("sportello_core.js"))));
  const fake = Object.keys(await import("./support/fake-core.js"));
  // Loading from bytes at once is for nobody here.
  assert.deepEqual(real.filter((name) => name !== "initSync" && !fake.includes(name)), []);
});

test("the manifest asks for no other package", async () => {
  const manifest = JSON.parse(await readFile(inPackage("package.json"), "utf8"));
  for (const field of ["dependencies", "peerDependencies", "optionalDependencies", "bundledDependencies", "scripts"]) assert.equal(manifest[field], undefined);
});

test("publint has nothing to say", async () => {
  const { stdout } = await run(process.execPath, [tool("publint", "src/cli.js"), "run", packed.tarball, "--strict"]);
  assert.match(stdout, /All good!/);
});

test("are-the-types-wrong has nothing to say", async () => {
  await run(process.execPath, [tool("@arethetypeswrong/cli", "dist/index.js"), packed.tarball, "--profile", "esm-only", "--no-color"]);
});

test("the installed package compiles", async () => {
  await writeFile(join(root, "use.ts"), 'import { Client } from "sportello";\nexport const client: Client = new Client({ companyId: "demo", authenticate: async () => ({ token: "" }) });\n');
  const options = { strict: true, skipLibCheck: false, noEmit: true, types: [], target: "es2022", lib: ["es2022", "dom"], module: "node16" };
  await writeFile(join(root, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["use.ts"] }));
  await run(process.execPath, [tool("typescript", "bin/tsc"), "-p", root]);
});

test("importing in Node touches no global", async () => {
  const { stdout } = await node(`
    const touched = [];
    const watch = (name) => Object.defineProperty(globalThis, name, { configurable: true, get() { touched.push(name); throw new Error(name); } });
    const names = ["fetch", "WebSocket", "localStorage", "sessionStorage", "indexedDB", "document", "window", "self", "navigator", "location", "crypto",
      "WebAssembly", "Response", "AbortController", "TextDecoder", "TextEncoder", "setTimeout", "setInterval", "addEventListener", "BroadcastChannel", "console"];
    const { log } = console;
    names.forEach(watch);
    const before = Reflect.ownKeys(globalThis);
    const exported = Object.keys(await import("sportello"));
    const added = Reflect.ownKeys(globalThis).filter((key) => !before.includes(key));
    log(JSON.stringify({ touched, added: added.map(String), exported }));
  `);
  assert.deepEqual(JSON.parse(stdout), {
    touched: [],
    added: [],
    exported: ["Client", "Logger", "PostSessionStatus", "consoleLoggerHandler", "initWasm", "isSportelloError"],
  });
});

test("importing in Node reads neither the glue nor the module", async () => {
  await rename(inPackage("sportello_core.js"), inPackage("moved.js"));
  await rename(inPackage("sportello_core_bg.wasm"), inPackage("moved.wasm"));
  try {
    await node('await import("sportello");');
  } finally {
    await rename(inPackage("moved.js"), inPackage("sportello_core.js"));
    await rename(inPackage("moved.wasm"), inPackage("sportello_core_bg.wasm"));
  }
});

test("Node can load the module from the installed package", async () => {
  const { stdout } = await node('import { initWasm } from "sportello"; await initWasm(); console.log("loaded");');
  assert.equal(stdout.trim(), "loaded");
});

test("Node can load the module from bytes, found through the package's exports", async () => {
  const { stdout } = await node(`
    import { readFile } from "node:fs/promises";
    import { initWasm } from "sportello";
    await initWasm(await readFile(new URL(import.meta.resolve("sportello/sportello_core_bg.wasm"))));
    console.log("loaded");
  `);
  assert.equal(stdout.trim(), "loaded");
});

test("what is needed before the first WebAssembly byte stays within 5 kB of brotli", async () => {
  const { brotliCompressSync, constants } = await import("node:zlib");
  const sizes = new Map();
  const add = async (file) => {
    if (sizes.has(file)) return;
    const text = await readFile(inPackage(file));
    sizes.set(file, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length);
    for (const [, next] of text.toString().matchAll(/^(?:import|export)[^;]*?from "\.\/([^"]+)";/gm)) await add(next);
  };
  await add("index.js");
  const total = [...sizes.values()].reduce((sum, size) => sum + size);
  assert.ok(sizes.size > 3 && total <= 5000, `${total} bytes in ${[...sizes.keys()]}`);
  assert.ok((await stat(inPackage("sportello_core_bg.wasm"))).size > 0);
});

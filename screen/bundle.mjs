/**
 * Bundles the screen share's lazy files into the package: `node bundle.mjs FOLDER`. Writes `screen-recorder.js`, `screen-replay.js` and
 * THIRD-PARTY-LICENSES.md, which has the licence of everything that is in them, and fails where there is no text of one.
 */

import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve as resolvePath } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] && resolvePath(process.argv[2]);
if (!out) throw new Error("usage: node bundle.mjs FOLDER");

const ENTRIES = { "screen-recorder": "recorder/index.js", "screen-replay": "replay/index.js" };

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: ENTRIES,
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "eof",
  define: { "process.env.NODE_ENV": '"production"' },
  metafile: true,
  logLevel: "warning",
});

const installed = JSON.parse(readFileSync(join(here, "node_modules/.package-lock.json"), "utf8")).packages;
writeFileSync(join(out, "THIRD-PARTY-LICENSES.md"), licences());

/** One section for each package, with the files that it is in. */
function licences() {
  const files = new Map();
  for (const [output, { inputs }] of Object.entries(metafile.outputs)) {
    const file = relative(out, join(here, output));
    for (const input of Object.keys(inputs)) {
      const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
      if (folder) for (const name of withDependencies(folder)) files.set(name, (files.get(name) ?? new Set()).add(file));
    }
  }
  const sections = [...files].sort().map(([folder, names]) => section(folder, [...names].sort()));
  return `# Licences of what is bundled\n\nParts of these packages are in the files that are named with each.\n\n${sections.join("\n")}`;
}

/** With all that a package depends on, because its files may have that bundled in themselves; declarations of types are no code. */
function withDependencies(folder, found = new Set()) {
  if (found.has(folder)) return found;
  const known = installed[folder];
  if (!known) throw new Error(`${folder} is not in the lock file`);
  found.add(folder);
  for (const name of Object.keys(known.dependencies ?? {})) {
    if (!name.startsWith("@types/")) withDependencies(resolve(folder, name), found);
  }
  return found;
}

/** Where Node.js finds a package from another one: in its own folder of packages, or in the one that it is in. */
function resolve(from, name) {
  const places = [join(from, "node_modules", name), join(from.slice(0, from.lastIndexOf("node_modules")), "node_modules", name), join("node_modules", name)];
  const found = places.find((place) => installed[place]);
  if (!found) throw new Error(`${name}, which ${from} needs, is not installed`);
  return found;
}

function section(folder, files) {
  const { name, version, license } = JSON.parse(readFileSync(join(here, folder, "package.json"), "utf8"));
  const listed = files.map((file) => `\`${file}\``).join(", ");
  return `## ${name} ${version}\n\n${license}, in ${listed}.\n\n\`\`\`text\n${text(folder, name).trim()}\n\`\`\`\n`;
}

/** The package's own text, or the one in `licences/`. */
function text(folder, name) {
  const file = readdirSync(join(here, folder)).find((entry) => /^licen[cs]e(?:\.|$)/i.test(entry));
  if (file) return readFileSync(join(here, folder, file), "utf8");
  const kept = join(here, "licences", `${name.replace("/", "__")}.txt`);
  if (existsSync(kept)) return readFileSync(kept, "utf8");
  throw new Error(`${name} has no licence text: put it in screen/licences/${name.replace("/", "__")}.txt`);
}

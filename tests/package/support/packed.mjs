// Packs the package as `npm publish` would, once for each test file, and installs it into throwaway projects.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { SITE_TOKEN } from "./fake-gateway.mjs";

export const run = promisify(execFile);

const PACKAGE = resolve(process.env.SPORTELLO_PKG ?? fileURLToPath(new URL("../../../pkg", import.meta.url)));

/** Makes the client, waits for `ready` and for the menus, and leaves what came of it where the test finds it. */
const PAGE_SCRIPT = `
import { Client } from "sportello";

const address = new URL(location.href).searchParams;
const errors = [];
async function tell() {
  const client = new Client({
    companyId: "demo",
    host: address.get("gateway"),
    authenticate: async () => ({ token: ${JSON.stringify(SITE_TOKEN)} }),
    ...globalThis.clientOptions,
  });
  globalThis.client = client;
  client.on("error", ({ code, cause }) => errors.push({ code, cause: String(cause) }));
  const ready = new Promise((resolve) => client.on("ready", () => resolve(true)));
  return { menus: await client.getMenus(), ready: await ready };
}
tell()
  .catch(({ name, code, retryable, cause }) => ({ name, code, retryable, cause: String(cause) }))
  .then((outcome) => (globalThis.outcome = { ...outcome, errors }));
`;

export async function packPackage() {
  assert.ok(existsSync(join(PACKAGE, "package.json")), `no package in ${PACKAGE}: run \`cargo xtask package\` first`);
  const folder = await realpath(await mkdtemp(join(tmpdir(), "sportello-packed-")));
  const { stdout } = await run("npm", ["pack", PACKAGE, "--json", "--ignore-scripts", "--pack-destination", folder]);
  const [{ filename, files }] = JSON.parse(stdout);
  let projects = 0;
  return {
    tarball: join(folder, filename),
    files: files.map(({ path }) => path).sort(),
    remove: () => rm(folder, { recursive: true, force: true }),
    /** A project with the package installed and nothing else: \`index.html\` and \`main.js\`, or other files. */
    async project(files = {}) {
      const root = join(folder, `project-${(projects += 1)}`);
      const all = {
        "package.json": JSON.stringify({ private: true, type: "module" }),
        "index.html": '<!doctype html><title>page</title><link rel="icon" href="data:,"><script type="module" src="./main.js"></script>',
        "main.js": PAGE_SCRIPT,
        ...files,
      };
      for (const [path, text] of Object.entries(all)) {
        await mkdir(dirname(join(root, path)), { recursive: true });
        await writeFile(join(root, path), text);
      }
      await run("npm", ["install", "--offline", "--no-audit", "--no-fund", "--no-package-lock", join(folder, filename)], { cwd: root });
      return root;
    },
  };
}

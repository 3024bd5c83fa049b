// The packed package in throwaway projects, in a real browser: each page makes a client against a gateway of another origin and must become ready and get
// the menus.
import assert from "node:assert/strict";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { build, createLogger, createServer, preview } from "vite";
import { launch, outcomeOf } from "./support/browser.mjs";
import { MENUS, startFakeGateway } from "./support/fake-gateway.mjs";
import { packPackage } from "./support/packed.mjs";
import { startStaticServer } from "./support/static-server.mjs";

let packed;
let gateway;
let browser;
before(async () => {
  [packed, gateway, browser] = await Promise.all([packPackage(), startFakeGateway(), launch()]);
});
after(async () => {
  await browser?.close();
  await gateway?.close();
  await packed?.remove();
});

const at = (origin, path = "/") => `${origin}${path}?gateway=${encodeURIComponent(gateway.origin)}`;
const assertReady = ({ outcome, console }) => assert.deepEqual({ outcome, console }, { outcome: { menus: MENUS, ready: true, errors: [] }, console: [] });
const wasmRequests = ({ requests }) => requests.filter((request) => request.includes(".wasm"));

/** Vite without a configuration file; whatever it warns of is kept. */
function vite(root, options = {}) {
  const warnings = [];
  const customLogger = createLogger("warn");
  customLogger.warn = customLogger.warnOnce = customLogger.error = (message) => warnings.push(message);
  return { warnings, config: { root, configFile: false, customLogger, server: { port: 0, host: "127.0.0.1" }, preview: { port: 0, host: "127.0.0.1" }, ...options } };
}

const originOf = (server) => `http://127.0.0.1:${server.httpServer.address().port}`;

async function inDevelopment(root, options, inspect) {
  const { warnings, config } = vite(root, options);
  const server = await createServer(config);
  try {
    await server.listen();
    const result = await outcomeOf(browser, at(originOf(server), options.base));
    assertReady(result);
    assert.deepEqual(warnings, []);
    await inspect(result);
  } finally {
    await server.close();
  }
}

describe("Vite 6 in development", () => {
  for (const base of ["/", "/app/"]) {
    test(`pre-bundles the package and finds the module, with base ${base}`, async () => {
      const root = await packed.project();
      await inDevelopment(root, { base }, async (result) => {
        assert.ok((await readdir(join(root, "node_modules/.vite/deps"))).includes("sportello.js"), "the optimiser took the package");
        assert.deepEqual(wasmRequests(result), [`200 ${base}node_modules/sportello/sportello_core_bg.wasm`]);
      });
    });
  }

  test("finds the module with a cache folder of its own", async () => {
    const root = await packed.project();
    await inDevelopment(root, { cacheDir: join(root, ".vite"), base: "/" }, async (result) => {
      assert.deepEqual(wasmRequests(result), ["200 /node_modules/sportello/sportello_core_bg.wasm"]);
    });
  });

  test("finds the module where the package is left out of the optimiser", async () => {
    const root = await packed.project();
    await inDevelopment(root, { optimizeDeps: { exclude: ["sportello"] }, base: "/" }, async (result) => {
      assert.equal(wasmRequests(result).length, 1);
    });
  });
});

describe("Vite 6 in development, with the package installed above the project", () => {
  test("finds the module where the package is left out of the optimiser", async () => {
    const workspace = JSON.stringify({ private: true, workspaces: ["app"] });
    const root = await packed.project({ "package.json": workspace, "app/package.json": JSON.stringify({ name: "app", private: true }) });
    for (const file of ["index.html", "main.js"]) await rename(join(root, file), join(root, "app", file));
    await inDevelopment(join(root, "app"), { optimizeDeps: { exclude: ["sportello"] }, base: "/" }, async (result) => {
      assert.match(wasmRequests(result).join(), /^200 \/@fs\/.*\/node_modules\/sportello\/sportello_core_bg\.wasm$/);
    });
  });
});

describe("Vite 6 for production", () => {
  for (const base of ["/", "/app/", "./"]) {
    test(`emits the module as a file and finds it, with base ${base}`, async () => {
      const root = await packed.project();
      const { warnings, config } = vite(root, { base });
      await build(config);
      const assets = await readdir(join(root, "dist/assets"));
      const modules = assets.filter((file) => file.endsWith(".wasm"));
      assert.equal(modules.length, 1, assets.join());
      assert.deepEqual(warnings, []);

      await rm(join(root, "node_modules"), { recursive: true });
      const server = await preview(config);
      try {
        const path = base === "./" ? "/" : base;
        const result = await outcomeOf(browser, at(originOf(server), path));
        assertReady(result);
        assert.deepEqual(wasmRequests(result), [`200 ${path}assets/${modules[0]}`]);
      } finally {
        await server.close();
      }
    });
  }
});

const MODULE_PATH = "/node_modules/sportello/sportello_core_bg.wasm";
const GLUE_PATH = "/node_modules/sportello/sportello_core.js";

/** A page without a bundler, on a server that changes some of its answers; `prepare` runs in the page before its script. */
async function onPlainPage({ intercept, prepare, script = (text) => text }, inspect) {
  const root = await packed.project();
  const main = join(root, "main.js");
  await writeFile(main, script(await readFile(main, "utf8")).replace('"sportello"', '"./node_modules/sportello/index.js"'));
  const site = await startStaticServer(root, intercept);
  try {
    await inspect(await outcomeOf(browser, at(site.origin), async (page) => prepare && page.addInitScript(prepare)), site);
  } finally {
    await site.close();
  }
}

const policy = (scripts) => ({ headers: { "content-security-policy": `default-src 'none'; img-src data:; script-src ${scripts}; connect-src 'self' ${gateway.origin} ${gateway.origin.replace("http", "ws")}` } });

describe("a plain module script", () => {
  test("becomes ready with one download of the module", async () => {
    await onPlainPage({}, (result) => {
      assertReady(result);
      assert.deepEqual(wasmRequests(result), [`200 ${MODULE_PATH}`]);
    });
  });

  test("asks for the glue and the module at the same time", async () => {
    // Each is answered only once the other was asked for.
    const expected = new Set([GLUE_PATH, MODULE_PATH]);
    let goOn;
    const bothAsked = new Promise((resolve) => (goOn = resolve));
    const intercept = (path) => {
      if (path !== GLUE_PATH && path !== MODULE_PATH) return undefined;
      expected.delete(path);
      if (expected.size === 0) goOn();
      return bothAsked;
    };
    await onPlainPage({ intercept }, assertReady);
  });

  test("becomes ready where the server sends the module as something else", async () => {
    await onPlainPage({ intercept: (path) => (path === MODULE_PATH ? { headers: { "content-type": "application/octet-stream" } } : undefined) }, assertReady);
  });

  test("reports a failed download, and the next call tries again", async () => {
    await onPlainPage({ intercept: (path, count) => (path === MODULE_PATH && count === 1 ? { status: 503 } : undefined) }, async ({ page, outcome }, site) => {
      const failed = { code: "wasm_load_failed", cause: "Error: HTTP status 503" };
      assert.deepEqual(outcome, { name: "SportelloError", retryable: true, ...failed, errors: [failed] });
      assert.deepEqual(await page.evaluate(() => globalThis.client.getMenus()), MENUS);
      assert.equal(site.counts.get(MODULE_PATH), 2);
    });
  });

  test("reports a failed download of the glue, and the next call tries again", async () => {
    await onPlainPage({ intercept: (path, count) => (path === GLUE_PATH && count === 1 ? { status: 503 } : undefined) }, async ({ page, outcome }) => {
      assert.deepEqual([outcome.code, outcome.retryable, outcome.errors.length], ["wasm_load_failed", true, 1]);
      assert.deepEqual(await page.evaluate(() => globalThis.client.getMenus()), MENUS);
    });
  });

  test("does not take a page for the module", async () => {
    await onPlainPage({ prepare: () => (globalThis.clientOptions = { wasm: "/index.html" }) }, ({ outcome }) => assert.equal(outcome.code, "wasm_load_failed"));
  });

  test("takes the module from an address of the site's choice", async () => {
    const prepare = () => (globalThis.clientOptions = { wasm: "/core.wasm" });
    const intercept = (path) => (path === "/core.wasm" ? { file: MODULE_PATH } : undefined);
    await onPlainPage({ prepare, intercept }, (result) => {
      assertReady(result);
      assert.deepEqual(wasmRequests(result), ["200 /core.wasm"]);
    });
  });

  test("takes the module as bytes", async () => {
    const prepare = () => (globalThis.clientOptions = { wasm: () => fetch("/node_modules/sportello/sportello_core_bg.wasm").then((response) => response.arrayBuffer()) });
    await onPlainPage({ prepare }, assertReady);
  });

  test("rejects what is under way when the core traps in a callback of the browser, and not when other WebAssembly does", async () => {
    await onPlainPage({}, async (result) => {
      assertReady(result);
      await result.page.route("**/api/v1/company", () => {});
      const told = await result.page.evaluate(async () => {
        const settled = [];
        const underWay = globalThis.client.getCompany().catch((error) => settled.push(error));
        // The shortest module with a function that traps: (module (func (export "f") unreachable)).
        const other = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(
          [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 5, 1, 3, 0, 0, 11])));
        const uncaught = (callback) => new Promise((resolve) => {
          addEventListener("error", (event) => setTimeout(resolve, 0, event.error instanceof WebAssembly.RuntimeError), { once: true });
          setTimeout(callback);
        });
        const otherTrapped = await uncaught(() => other.exports.f());
        const before = settled.length;
        // An object that lies about where it is in the core's memory.
        const core = await import("/node_modules/sportello/sportello_core.js");
        const lost = Object.assign(Object.create(core.Client.prototype), { __wbg_ptr: 0xfffffff0 });
        const trapped = await uncaught(() => lost.connection);
        await underWay;
        const later = await globalThis.client.getMenus().catch((error) => error);
        return { otherTrapped, before, trapped, codes: [settled[0].code, later.code], connection: globalThis.client.connection };
      });
      assert.deepEqual(told, { otherTrapped: true, before: 0, trapped: true, codes: ["internal", "internal"], connection: "idle" });
    });
  });

  test("works under a policy that allows WebAssembly and nothing else", async () => {
    await onPlainPage({ intercept: () => policy("'self' 'wasm-unsafe-eval'") }, assertReady);
  });

  test("reports a policy that forbids WebAssembly", async () => {
    await onPlainPage({ intercept: () => policy("'self'") }, ({ outcome }) => {
      assert.equal(outcome.code, "wasm_load_failed");
      assert.match(outcome.cause, /Content Security Policy|unsafe-eval/);
    });
  });
});

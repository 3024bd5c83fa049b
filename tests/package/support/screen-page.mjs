// A page of a site that shares: the package packed and installed, a gateway inside the page, a recorder that says what the test says, and the browser.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { launch } from "./browser.mjs";
import { packPackage } from "./packed.mjs";
import { startStaticServer } from "./static-server.mjs";

const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src https://gateway.test 'self'; style-src 'self'; img-src data:; object-src 'none'; base-uri 'none'";
const HTML = '<!doctype html><html lang="en"><title>page</title><link rel="icon" href="data:,"><main><h1>A page</h1><p>of a shop</p><button id="own">Own</button></main></html>';
/** Pages by the policy that they come with. */
const POLICIES = {
  "/strict": `${POLICY}; require-trusted-types-for 'script'`,
  "/no-policies": `${POLICY}; require-trusted-types-for 'script'; trusted-types 'none'`,
};

/** `{ open, bare, close }`; close it after the tests. */
export async function startScreenSite() {
  const [packed, browser] = await Promise.all([packPackage(), launch()]);
  const own = async (name, folder = "./") => readFile(fileURLToPath(new URL(`${folder}${name}`, import.meta.url)), "utf8");
  const root = await packed.project({
    "fake-gateway.js": await own("fake-gateway.js", "../../client/support/"),
    "screen-gateway.js": await own("screen-gateway.js"),
    "screen-scene.js": await own("screen-scene.js"),
    "fake-recorder.js": await own("fake-recorder.js"),
    "index.html": HTML,
  });
  const site = await startStaticServer(root, (path) => {
    if (path in POLICIES) return { file: "index.html", headers: { "content-security-policy": POLICIES[path] } };
    return path === "/node_modules/sportello/screen-recorder.js" ? { file: "fake-recorder.js" } : undefined;
  });

  /** A page in a profile of its own, with what it loaded, and its faults; everything of `screen-scene.js` is global in it. */
  async function open(context, { path = "/", setUp, ...options } = {}) {
    const profile = await browser.newContext({ reducedMotion: "reduce", ...options });
    context.after(() => profile.close());
    const page = await profile.newPage();
    page.setDefaultTimeout(15_000);
    page.faults = [];
    page.loaded = [];
    page.on("pageerror", (error) => page.faults.push(String(error.stack)));
    page.on("console", (message) => message.type() === "error" && page.faults.push(message.text()));
    page.on("request", (request) => page.loaded.push(new URL(request.url()).pathname.split("/").pop()));
    await page.exposeFunction("click", (selector) => page.locator(selector).click());
    await setUp?.(page);
    await page.goto(site.origin + path);
    await enter(page);
    return page;
  }

  async function close() {
    await browser.close();
    await site.close();
    await packed.remove();
  }

  return { open, close };
}

/** What a page needs, also after it was loaded anew. */
export const enter = (page) => page.evaluate(async () => void Object.assign(globalThis, await import("/screen-scene.js")));

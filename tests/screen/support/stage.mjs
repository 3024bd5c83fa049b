// A browser with pages for the recorder's tests: pages that are recorded, and pages that play.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const PKG = process.env.SPORTELLO_PKG ?? fileURLToPath(new URL("../../../pkg", import.meta.url));
const SUPPORT = fileURLToPath(new URL(".", import.meta.url));
const RRWEB = createRequire(import.meta.url).resolve("rrweb");
/** One that holds the whole of rrweb for a page; the package's own export is for bundlers. */
const PLAYER = join(RRWEB, "../rrweb.umd.min.cjs");
const KINDS = { ".js": "text/javascript", ".cjs": "text/javascript", ".css": "text/css", ".html": "text/html" };

/** What pages ask for that is not there is no problem of the recorder's. */
const MISSING = /^Failed to load resource/u;

export const ADDRESS = "http://customer.test/page";

/** `page(html, options)` is a page at `ADDRESS`; whatever else it asks for is in `files` (`{ "/path": { body, contentType, headers } }`) or not there. */
export async function stage({ args = [] } = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking", ...args],
  });

  async function page(html, { url = ADDRESS, files = {} } = {}) {
    const context = await browser.newContext({ viewport: { width: 1000, height: 700 } });
    const opened = await context.newPage();
    const problems = [];
    opened.on("pageerror", (error) => problems.push(String(error)));
    opened.on("console", (message) => message.type() === "error" && !MISSING.test(message.text()) && problems.push(message.text()));
    await opened.route("**/*", async (route) => {
      const { origin, pathname, href } = new URL(route.request().url());
      const known = files[href] ?? files[pathname];
      if (known) return route.fulfill(known);
      if (href === url.replace(/#.*/u, "")) return route.fulfill({ contentType: "text/html", body: html });
      const path = fileAt(pathname);
      if (!path || origin !== new URL(url).origin) return route.fulfill({ status: 404, body: "" });
      return route.fulfill({ contentType: KINDS[extname(path)], body: await readFile(path) });
    });
    await opened.goto(url);
    return Object.assign(opened, { problems });
  }

  /** A page that plays: `play(events)` gives the player's complaints, `tree()` what is shown. */
  async function player() {
    const opened = await page("<!DOCTYPE html><body></body>");
    await opened.addScriptTag({ url: "/rrweb.cjs" });
    await opened.evaluate(async () => (globalThis.player = await import("/support/player.js")));
    return {
      page: opened,
      start: () => opened.evaluate(() => globalThis.player.start()),
      play: (events) => opened.evaluate((list) => globalThis.player.play(list), events),
      tree: () => opened.evaluate(() => globalThis.player.tree()),
    };
  }

  /** A page with `share` in it, the recorder under the test's clock (`share.js`). */
  async function recorded(html, options) {
    const opened = await page(html, options);
    await opened.evaluate(async () => (globalThis.share = await import("/support/share.js")));
    return opened;
  }

  return { browser, page, player, recorded, close: () => browser.close() };
}

function fileAt(pathname) {
  if (pathname === "/rrweb.cjs") return PLAYER;
  const [, folder, name] = /^\/(pkg|support)\/([\w-]+\.js)$/u.exec(pathname) ?? [];
  return folder && join(folder === "pkg" ? PKG : SUPPORT, name);
}

// What every test of this folder begins with: a site, a gateway on another origin, a browser, and pages that are watched. A page that logs an
// error, violates its content security policy or leaves a rejection unhandled fails its test.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

import { Gateway } from "./gateway.mjs";
import { checkPaths, CHROMIUM } from "./paths.mjs";
import { startSite } from "./site.mjs";

const ARGS = ["--no-sandbox", "--disable-background-networking", "--disable-quic", "--no-first-run", "--disable-component-update", "--disable-sync"];
/** How long a page may take for anything it does; generous, because a test waits for events and never sleeps. */
const PATIENCE_MS = 20_000;
/** How long a whole test may take. */
const DEADLINE_MS = 150_000;

/** Runs `play(stage)` with everything started, and takes it all down again. `config` is TOML, on top of the demo's. */
export async function withStage(play, { startGateway = true, gatewayPort = 0, config = "" } = {}) {
  await checkPaths();
  const site = await startSite();
  const gateway = new Gateway({ allowOrigins: [site.origin], port: gatewayPort, config });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
  const stage = new Stage({ site, gateway, browser });
  const deadline = startDeadline();
  try {
    if (startGateway) await gateway.start();
    await Promise.race([play(stage), deadline.passed]);
    stage.checkFaults();
  } catch (error) {
    // The pages' own words are worth more than a timeout's.
    const faults = stage.faults.length > 0 ? `\nfaults of the pages:\n${stage.faults.join("\n")}` : "";
    if (faults && !String(error.message).includes(faults)) error.message += faults;
    throw error;
  } finally {
    deadline.stop();
    await browser.close();
    await gateway.dispose();
    await site.close();
  }
}

/** A test that waits for ever still ends, and takes its browser and gateway with it. */
function startDeadline() {
  let timer;
  const passed = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  return { passed, stop: () => clearTimeout(timer) };
}

class Stage {
  faults = [];
  #expected = [];

  constructor({ site, gateway, browser }) {
    Object.assign(this, { site, gateway, browser });
  }

  /** Faults that this test brings about on purpose, such as requests to a gateway that is down. */
  expectFaults(...patterns) {
    this.#expected.push(...patterns);
  }

  /** A new page in a browser profile of its own. `setUp(page)` runs before it goes anywhere. */
  async open(url, { setUp, ...contextOptions } = {}) {
    const context = await this.browser.newContext(contextOptions);
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    this.watch(page);
    await setUp?.(page);
    await page.goto(url);
    return page;
  }

  /** The customer page on the site's origin, talking to the gateway on its own. */
  customer(options = {}) {
    const query = new URLSearchParams({ gateway: this.gateway.origin, ...options.query });
    return this.open(`${this.site.origin}/?${query}`, options.page);
  }

  /** The agent desk on the gateway's own origin. */
  desk(options = {}) {
    // The desk asks who is signed in; the browser logs the answer "nobody" as an error.
    this.expectFaults(/401.*\/desk\/api\/v1\/me\)/u);
    return this.open(`${this.gateway.origin}/desk`, options.page);
  }

  watch(page) {
    const note = (kind, text) => this.faults.push(`${kind}: ${text}`);
    page.on("console", (message) => {
      if (message.type() === "error") note("console", `${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => note("uncaught", error.stack ?? String(error)));
    page.on("crash", () => note("crash", page.url()));
  }

  checkFaults() {
    const unexpected = this.faults.filter((fault) => !this.#expected.some((pattern) => pattern.test(fault)));
    assert.deepEqual(unexpected, [], "the pages reported faults");
  }
}

/** What a page logs by itself when its gateway does not answer: no fault of the page. */
export const CONNECTION_LOST = [/ERR_CONNECTION_REFUSED/u, /ERR_CONNECTION_RESET/u, /ERR_EMPTY_RESPONSE/u, /ERR_INCOMPLETE_CHUNKED/u, /ERR_SOCKET_NOT_CONNECTED/u, /WebSocket connection to/u];

// A headless Chromium and pages that report what they did.
import { chromium } from "playwright-core";

const PATH = process.env.CHROMIUM ?? "/usr/bin/chromium";
const ARGS = ["--no-sandbox", "--disable-background-networking", "--disable-quic", "--no-first-run", "--disable-component-update", "--disable-sync"];

export const launch = () => chromium.launch({ executablePath: PATH, args: ARGS });

/** Opens `url` and gives the outcome that the page's script left, with what was requested and what the console complained of. */
export async function outcomeOf(browser, url, prepare = async () => {}) {
  const page = await browser.newPage();
  const seen = { requests: [], console: [] };
  page.on("response", (response) => seen.requests.push(`${response.status()} ${new URL(response.url()).pathname}`));
  page.on("console", (message) => ["warning", "error"].includes(message.type()) && seen.console.push(message.text()));
  page.on("pageerror", (error) => seen.console.push(String(error)));
  await prepare(page);
  await page.goto(url);
  await page.waitForFunction(() => globalThis.outcome, undefined, { timeout: 20_000 }).catch((error) => {
    throw new Error(`no outcome at ${url}: ${JSON.stringify(seen)}`, { cause: error });
  });
  return { page, ...seen, outcome: await page.evaluate(() => globalThis.outcome) };
}

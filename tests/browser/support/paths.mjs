// Where the built things are. Each may be given by an environment variable; otherwise it is where the build puts it in this repository.

import { access } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../../", import.meta.url);
const inRepository = (path) => fileURLToPath(new URL(path, ROOT));

export const GATEWAY_BIN = process.env.SPORTELLO_GATEWAY_BIN ?? inRepository("target/debug/gateway");
export const PKG_DIR = process.env.SPORTELLO_PKG ?? inRepository("pkg");
export const WWW_DIR = process.env.SPORTELLO_WWW ?? inRepository("www-demo");
export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
/** Where screenshots go; none are taken without it. */
export const SCREENSHOT_DIR = process.env.SPORTELLO_SCREENSHOTS;

/** Says what is missing before a test fails somewhere far from the reason. */
export async function checkPaths() {
  const needed = [
    [GATEWAY_BIN, "cargo build -p gateway, or SPORTELLO_GATEWAY_BIN"],
    [`${PKG_DIR}/index.js`, "cargo xtask package, or SPORTELLO_PKG"],
    [`${WWW_DIR}/index.html`, "SPORTELLO_WWW"],
    [CHROMIUM, "a Chromium, or CHROMIUM"],
  ];
  for (const [path, remedy] of needed) {
    await access(path).catch(() => {
      throw new Error(`${path} is missing: ${remedy}`);
    });
  }
}

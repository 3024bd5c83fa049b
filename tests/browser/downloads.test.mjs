// What a page with a text chat downloads of the package: the facade, the glue and the module, once each, and no chunk of anything else. The log
// that is printed is the proof.

import assert from "node:assert/strict";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { brotliCompressSync, constants } from "node:zlib";

import { PKG_DIR } from "./support/paths.mjs";
import { openSdkPage } from "./support/sdk-page.mjs";
import { withStage } from "./support/stage.mjs";

const BUDGET_BYTES = 60_000;
const MENU_OF_PEOPLE = 4;

/** As servers send static files. */
async function brotliBytes(path) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: (await stat(path)).size };
  return brotliCompressSync(await readFile(path), { params }).length;
}

test("a text chat downloads the facade, the glue and the module, once each, within the budget", async () => {
  await withStage(async (stage) => {
    const asked = [];
    const setUp = (page) => page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    const page = await openSdkPage(stage, { setUp });
    await page.evaluate(async (menu) => {
      const client = globalThis.createClient({ identifier: "maria" });
      await client.getCompany();
      await client.getMenus();
      await client.getWaitTimes(menu);
      const connected = new Promise((resolve) => client.on("chat.connected", resolve));
      const chat = await client.createChat(menu);
      await connected;
      const echo = new Promise((resolve) => client.on("chat.message", ({ content }) => content === "Good morning" && resolve()));
      chat.startTyping();
      await client.sendTextMessage("Good morning");
      await echo;
      await client.fetchMessages();
      await client.finishChat();
    }, MENU_OF_PEOPLE);

    const files = asked.filter((path) => path.startsWith("/pkg/")).map((path) => path.slice("/pkg/".length));
    assert.deepEqual(files, [...new Set(files)], "each file once");
    const rows = await Promise.all(files.map(async (file) => ({ file, bytes: await brotliBytes(join(PKG_DIR, file)) })));
    const total = rows.reduce((sum, { bytes }) => sum + bytes, 0);
    console.log(rows.map(({ file, bytes }) => `${String(bytes).padStart(6)} ${file}`).join("\n"));
    console.log(`${String(total).padStart(6)} bytes of brotli in all`);
    assert.ok(total <= BUDGET_BYTES, `${total} bytes`);

    // Everything else in the package is for other things than a text chat.
    const code = (await readdir(PKG_DIR)).filter((file) => /\.(js|wasm)$/u.test(file));
    const left = code.filter((file) => !files.includes(file));
    console.log(`not downloaded: ${left.join(", ")}`);
    for (const chunk of ["events.js", "files.js", "forms.js", "more.js", "triggers.js"]) assert.ok(left.includes(chunk), `${chunk} must be lazy`);
  });
});

// Parts of the SDK that are loaded when they are needed, in a real browser: a file goes up with its progress, is cancelled, and comes back; a browser form in
// a real sandboxed frame is believed, and a frame beside it is not.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openSdkPage } from "./support/sdk-page.mjs";
import { withStage } from "./support/stage.mjs";

const MENU_OF_PEOPLE = 4;

/** In the page: a client in a connected chat, and a picture of about this many bytes that does not compress. */
async function enterChat(menu) {
  const client = globalThis.createClient({ identifier: "maria" });
  const connected = new Promise((resolve) => client.on("chat.connected", resolve));
  await client.createChat(menu);
  await connected;
  globalThis.client = client;
  globalThis.picture = async (side) => {
    const canvas = new OffscreenCanvas(side, side);
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(side, side);
    for (let at = 0; at < pixels.data.length; at += 65_536) crypto.getRandomValues(pixels.data.subarray(at, at + 65_536));
    context.putImageData(pixels, 0, 0);
    return new File([await canvas.convertToBlob({ type: "image/png" })], "noise.png", { type: "image/png" });
  };
}

test("a picture goes up with its progress and comes back as a file with its name", async () => {
  await withStage(async (stage) => {
    const page = await openSdkPage(stage);
    await page.evaluate(enterChat, MENU_OF_PEOPLE);
    const seen = await page.evaluate(async () => {
      const { client } = globalThis;
      const file = await globalThis.picture(600);
      const steps = [];
      const events = [];
      client.on("chat.uploadProgress", (progress) => events.push(progress));
      const arrived = new Promise((resolve) => client.on("chat.message", resolve));
      const index = await client.sendFileMessage(file, { onProgress: (progress) => steps.push(progress) });
      const message = await arrived;
      const back = await client.getMessageAttachment(message);
      const [sent, kept] = await Promise.all([file, back].map(async (blob) => new Uint8Array(await blob.arrayBuffer())));
      return {
        index, type: message.type, name: back.name, contentType: back.type, same: sent.length === kept.length && sent.every((byte, at) => byte === kept[at]),
        grows: steps.every(({ sentBytes }, at) => sentBytes <= file.size && (at === 0 || sentBytes >= steps[at - 1].sentBytes)),
        whole: steps.at(-1)?.sentBytes === file.size && steps.at(-1).totalBytes === file.size, events: JSON.stringify(events) === JSON.stringify(steps),
        none: await client.getMessageAttachment({ ...message, media_id: undefined }), errors: client.errors,
      };
    });
    assert.deepEqual(seen, {
      index: 1, type: "photo", name: "noise.png", contentType: "image/png", same: true, grows: true, whole: true, events: true, none: null, errors: [],
    });
  });
});

test("an upload that is cancelled on its way leaves no message, and the next one goes up", async () => {
  await withStage(async (stage) => {
    const page = await openSdkPage(stage);
    await page.evaluate(enterChat, MENU_OF_PEOPLE);
    // The form does not get through: the upload is on its way for as long as the test wants.
    let held;
    const isHeld = new Promise((resolve) => {
      void page.route("**/api/v1/uploads", (route) => {
        if (held || route.request().method() !== "POST") return route.continue();
        held = route;
        return resolve();
      });
    });
    await page.evaluate(async () => {
      globalThis.controller = new AbortController();
      globalThis.sending = globalThis.outcome(globalThis.client.sendFileMessage(await globalThis.picture(200), { signal: globalThis.controller.signal }));
    });
    await isHeld;
    const seen = await page.evaluate(async () => {
      const { client, controller, sending } = globalThis;
      controller.abort();
      const { code } = await sending;
      const outbox = client.outbox.length;
      const index = await client.sendFileMessage(await globalThis.picture(10));
      return { code, outbox, index, messages: (await client.fetchMessages()).length };
    });
    await held.abort().catch(() => {});
    assert.deepEqual(seen, { code: "aborted", outbox: 0, index: 1, messages: 1 });
  });
});

const FORM = "https://forms.example/pay";
const FRAME = (signature) => `<!doctype html><script>parent.postMessage({ type: "form_complete", signature: ${JSON.stringify(signature)}, data: { from: location.href } }, "*");</script>`;

test("a browser form is believed in its own sandboxed frame, and not in one beside it", async () => {
  await withStage(async (stage) => {
    const page = await openSdkPage(stage);
    await page.evaluate(enterChat, MENU_OF_PEOPLE);
    const sent = [];
    await page.route(`${FORM}*`, (route) => route.fulfill({ contentType: "text/html", body: FRAME("the signature") }));
    await page.route("**/messages", (route) => {
      sent.push(route.request().postDataJSON()?.message);
      return route.fulfill({ status: 201, headers: { "access-control-allow-origin": "*" }, json: { index: 9, sid: "m9", timestamp_ms: 1 } });
    });
    const seen = await page.evaluate(async (address) => {
      const message = {
        $index: 1, type: "form", signature: "the signature", form: { id: 1, form_type: "browser_form", name: "pay", smart_action_id: 1, preview_endpoint: address },
      };
      const heard = [];
      addEventListener("message", ({ origin, data }) => heard.push(`${origin} ${data.signature}`));
      const frame = document.body.appendChild(document.createElement("iframe"));
      const own = document.createElement("iframe");
      const attached = globalThis.client.attachBrowserForm(message, own);
      // The first frame, which is not attached, knows the signature and says it.
      frame.sandbox = "allow-scripts";
      frame.src = `${address}?beside`;
      while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      const early = await Promise.race([attached, new Promise((resolve) => setTimeout(() => resolve("waits"), 100))]);
      document.body.append(own);
      return { early, index: await attached, sandbox: own.getAttribute("sandbox"), heard };
    }, FORM);
    assert.deepEqual(seen, { early: "waits", index: 9, sandbox: "allow-forms allow-scripts", heard: ["null the signature", "null the signature"] });
    assert.deepEqual(sent, [
      { type: "noti", content: "", event: "formCompleted", form_name: "pay", smart_action_id: 1, signature: "the signature", form_data: { from: FORM } },
    ]);
  });
});

// An end user who waits in a queue, against the real gateway: asked whether they are still there, also because the page is hidden; who does not answer
// leaves the queue and may rejoin; where nobody comes, the chat fails.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openSdkPage } from "./support/sdk-page.mjs";
import { withStage } from "./support/stage.mjs";

const MENU_OF_PEOPLE = 4;

/** In the page: a client in the queue, and a promise for the next notice of each name. */
async function enterQueue(menu) {
  const client = globalThis.createClient({ identifier: "maria" });
  const heard = [];
  let wake = () => {};
  client.on("chat.message", ({ type, event }) => type === "noti" && (heard.push(event), wake()));
  const next = async (event) => {
    while (!heard.includes(event)) await new Promise((resolve) => (wake = resolve));
    heard.splice(0, heard.indexOf(event) + 1);
  };
  const chat = await client.createChat(menu);
  Object.assign(globalThis, { client, chat, next });
}

test("a check-in is confirmed, and one that is missed leaves the queue until the end user rejoins", async () => {
  await withStage(
    async (stage) => {
      const page = await openSdkPage(stage);
      await page.evaluate(enterQueue, MENU_OF_PEOPLE);
      const seen = await page.evaluate(async () => {
        const { client, chat, next } = globalThis;
        const seen = {};
        await next("checkInRequired");
        seen.required = typeof chat.state.check_in?.expires_at_ms;
        seen.notified = (await client.notifyCheckInState()).check_in.notified;
        seen.confirmed = (await client.checkIn()).check_in ?? null;
        seen.status = chat.state.status;
        await next("checkInRequired");
        await next("checkInTimedOut");
        seen.missed = chat.state.status;
        seen.tooLate = await globalThis.outcome(client.checkIn());
        seen.rejoined = (await client.rejoinChat()).status;
        seen.again = await globalThis.outcome(client.rejoinChat());
        return seen;
      });
      stage.expectFaults(/409/u);
      const conflict = { code: "conflict", status: 409, retryable: false, isTyped: true };
      assert.deepEqual(seen, {
        required: "number", notified: true, confirmed: null, status: "queued", missed: "checked_out", tooLate: conflict, rejoined: "queued", again: conflict,
      });
    },
    { config: "[chat.check_in]\nafter_ms = 1000\ntimeout_ms = 1000\nrejoin = \"back\"\n" },
  );
});

test("a page that is hidden while its end user waits is asked, whatever the wait", async () => {
  await withStage(
    async (stage) => {
      const page = await openSdkPage(stage);
      await page.evaluate(enterQueue, MENU_OF_PEOPLE);
      const status = await page.evaluate(async () => {
        const { client, chat, next } = globalThis;
        Object.defineProperty(document, "hidden", { configurable: true, value: true });
        document.dispatchEvent(new Event("visibilitychange"));
        await next("checkInRequired");
        await client.checkIn();
        return chat.state.status;
      });
      assert.equal(status, "queued");
    },
    { config: "[chat.check_in]\nhidden_after_ms = 300\ntimeout_ms = 60000\nrejoin = \"back\"\n" },
  );
});

test("a chat for which nobody comes fails, and is over for its end user", async () => {
  await withStage(
    async (stage) => {
      const page = await openSdkPage(stage);
      await page.evaluate(enterQueue, MENU_OF_PEOPLE);
      const end = await page.evaluate(async () => {
        const { client, chat } = globalThis;
        await new Promise((resolve) => client.on("chat.ended", resolve));
        const { status, fail_reason, ended_by } = chat.state;
        const { code } = await globalThis.outcome(client.sendTextMessage("too late"));
        return { status, fail_reason, ended_by, code };
      });
      assert.deepEqual(end, { status: "failed", fail_reason: "expired", ended_by: "system", code: "chat_ended" });
    },
    { config: "[chat]\nqueue_timeout_ms = 1500\n" },
  );
});

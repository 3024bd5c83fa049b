// The developer tools: every call and event of the client as it happens, and a client behind them that works as if nobody looked.

import assert from "node:assert/strict";
import { test } from "node:test";

import { say, sees, takeTicket } from "./support/conversation.mjs";
import { picture } from "./support/screenshots.mjs";
import { withStage } from "./support/stage.mjs";

test("calls and events are listed with arguments, results and durations, also those from before the panel was open", async () => {
  await withStage(async (stage) => {
    const page = await stage.customer();
    await takeTicket(page);
    await say(page, "Where is my order?");
    await sees(page, "Orders leave our workshop");
    assert.ok(await page.locator("#tools").isHidden());
    await page.getByRole("button", { name: "Developer tools" }).click();
    const tools = page.getByRole("complementary", { name: "Developer tools" });
    const entry = (name) => tools.locator(".tool", { has: page.locator(".tool-name", { hasText: new RegExp(`^${name.replace(".", "\\.")}$`, "u") }) });
    for (const name of ["getCompany", "getMenus", "getWaitTimes", "createChat", "fetchMessages", "sendTextMessage", "ready", "chat.message", "chat.delivery"]) {
      assert.ok((await entry(name).count()) > 0, name);
    }
    const send = entry("sendTextMessage").first();
    assert.match(await send.locator(".tool-duration").innerText(), /^\d+(\.\d)? ms$/u);
    await send.locator("summary").click();
    assert.match(await send.locator("pre").nth(1).innerText(), /"Where is my order\?"/u);
    await entry("createChat").locator("summary").click();
    assert.match(await entry("createChat").locator("pre").nth(2).innerText(), /"status": "va_assigned"/u);
    await picture(page, "tools");

    await tools.getByLabel("Events").uncheck();
    assert.equal(await entry("chat.message").count(), 0);
    await tools.getByRole("button", { name: "Clear" }).click();
    await tools.getByText("Nothing has happened yet.").waitFor();
    await page.getByRole("button", { name: "Ask for a person" }).click();
    await entry("escalateChat").first().waitFor();
    // Nothing that authenticates is among what is shown.
    assert.equal(await tools.getByText(/eyJ/u).count(), 0);
  });
});

test("the tools open by the address, and a failed call shows why", async () => {
  await withStage(async (stage) => {
    stage.expectFaults(/409|404/u);
    const page = await stage.customer({ query: { tools: "" } });
    await page.getByRole("heading", { name: "How can we help?" }).waitFor();
    await page.getByRole("complementary", { name: "Developer tools" }).locator(".tool").first().waitFor();
    const seen = await page.evaluate(async () => {
      const { Recorder } = await import("/tools/recorder.js");
      const chat = { state: { id: 1 }, sendMessage: async () => 7, startTyping() {} };
      class Fake {
        #secret = 42;
        chat = chat;
        on() {}
        async answer(value) {
          return value + this.#secret - 42;
        }
        async fail() {
          throw Object.assign(new Error("no"), { code: "conflict", status: 409 });
        }
      }
      const recorder = new Recorder();
      const target = new Fake();
      const client = recorder.watch(target);
      const same = client.chat === client.chat;
      const answer = await client.answer(5);
      const index = await client.chat.sendMessage({ type: "text" });
      const code = await client.fail().catch((error) => error.code);
      // What is assigned is the chat itself, not its proxy.
      client.chat = client.chat;
      const kept = target.chat === chat;
      const calls = recorder.entries.map(({ name, state, durationMs }) => [name, state, durationMs >= 0]);
      return { same, answer, index, code, kept, calls };
    });
    assert.deepEqual(seen, {
      same: true, answer: 5, index: 7, code: "conflict", kept: true,
      calls: [["answer", "done", true], ["chat.sendMessage", "done", true], ["fail", "failed", true]],
    });
  });
});

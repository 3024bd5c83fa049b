// Silence and return: a chat is dismissed, comes back, and times out; listeners come and go meanwhile.
import assert from "node:assert/strict";

import { aTime, aWholeNumber, REST } from "./support/ledger.mjs";
import { scene } from "./support/scene.mjs";

const WITH_A_PERSON = 4;

scene("a silent customer is dismissed and comes back to the queue", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "lucia" });
  const desk = await scene.desk();
  const { state: { id } } = await customer.call("createChat", WITH_A_PERSON);
  await customer.hears("chat.connected");
  scene.expectFaults(/409/u);
  const early = await customer.refusal("resumeChat", id);
  assert.deepEqual(early, { code: "conflict", status: 409 });

  await desk.accept(id);
  await customer.call("sendTextMessage", "Hello?");
  await desk.say(id, "What is your order number?");
  ledger.heard("chat.dismissed", await customer.hears("chat.dismissed"), []);
  assert.equal((await customer.state()).status, "dismissed");
  ledger.saw("ChatResponse", await customer.state(), { [REST]: true, id, status: "dismissed", status_text: /away/u });

  const resumed = await customer.call("resumeChat", String(id));
  ledger.gave("resumeChat", resumed, { state: { [REST]: true, id, status: "queued" } }, "Chat");
  ledger.effect("resumeChat(chatId)", (await desk.chat(id)).status, "queued");
  await customer.hears("chat.connected", { count: 2 });
  desk.close();
}, { config: "[chat]\ndismiss_after_ms = 700\n" });

scene("a chat whose customer never comes back times out", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "nobody" });
  const { state: { id } } = await customer.call("createChat", WITH_A_PERSON);
  ledger.heard("chat.timeout", await customer.hears("chat.timeout"), []);
  const ended = await customer.hears("chat.ended");
  ledger.heard("chat.ended", ended, [{ state: { [REST]: true, id, status: "finished", ends_at: aTime } }]);
  ledger.saw("ChatResponse", ended[0].state, { [REST]: true, id: aWholeNumber, ends_at: aTime, created_at: aTime });
}, { config: "[chat]\ndismiss_after_ms = 0\ntimeout_ms = 900\n" });

scene("a listener hears from when it is added until it is taken off", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "listener" });
  await customer.call("createChat", WITH_A_PERSON);
  const heard = await customer.run(async () => {
    const { client } = globalThis;
    const heard = [];
    const first = ({ content }) => heard.push(["first", content]);
    const second = ({ content }) => heard.push(["second", content]);
    const say = async (text) => {
      const shown = new Promise((resolve) => client.on("chat.message", ({ content }) => content === text && resolve()));
      await client.sendTextMessage(text);
      await shown;
    };
    client.on("chat.message", first);
    await say("one");
    client.on("chat.message", second);
    await say("two");
    client.off("chat.message", first);
    client.off("chat.ended", second);
    await say("three");
    return heard;
  });
  const expected = [["first", "one"], ["first", "two"], ["second", "two"], ["second", "three"]];
  ledger.effect(["on()", "on(event)", "on(listener)", "off()", "off(event)", "off(listener)"], heard, expected);
});

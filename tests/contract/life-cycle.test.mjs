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

scene("in the queue the customer is asked to check in: answered once, missed once, and back", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "waiting" });
  const { state: { id } } = await customer.call("createChat", WITH_A_PERSON);
  const required = '(message) => message.event === "checkInRequired"';
  await customer.hears("chat.message", { where: required });
  const noted = await customer.call("notifyCheckInState");
  ledger.gave("notifyCheckInState", noted, { [REST]: true, id, check_in: { [REST]: true, notified: true } });
  ledger.gave("checkIn", await customer.call("checkIn"), { [REST]: true, id, status: "queued" });
  scene.expectFaults(/409/u);
  assert.deepEqual(await customer.refusal("checkIn"), { code: "conflict", status: 409 });
  assert.deepEqual(await customer.refusal("rejoinChat"), { code: "conflict", status: 409 });

  await customer.run(() => Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "hidden" }));
  await customer.run(() => document.dispatchEvent(new Event("visibilitychange")));
  await customer.hears("chat.message", { where: required, count: 2 });
  const [missed] = await customer.hears("chat.message", { where: '(message) => message.event === "checkInTimedOut"' });
  ledger.saw("MessageResponse", missed, { [REST]: true, type: "noti", event: "checkInTimedOut", $userType: "system" });
  const [out] = await customer.hears("chat.updated", { where: '(chat) => chat.state.status === "checked_out"' });
  ledger.saw("ChatResponse", out.state, { [REST]: true, id, status: "checked_out" });
  const desk = await scene.desk();
  assert.equal(await desk.chat(id), undefined, "nobody waits");
  ledger.gave("rejoinChat", await customer.call("rejoinChat"), { [REST]: true, id, status: "queued" });
  assert.equal((await desk.chat(id)).status, "queued");
  desk.close();
}, { config: '[chat.check_in]\nafter_ms = 400\ntimeout_ms = 1500\nhidden_after_ms = 200\nrejoin = "front"\n' });

scene("transferred to another agent, then to another queue", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "moved", lang: "it" });
  const ada = await scene.desk();
  const grace = await scene.desk({ login: "grace", password: "sportello-demo" });
  const opened = await customer.call("createChat", WITH_A_PERSON);
  const id = opened.state.id;
  await customer.hears("chat.connected");
  await ada.accept(id);
  await customer.hears("chat.memberJoined");
  ledger.saw("ChatAgent", (await customer.state()).agent, { [REST]: true, id: ada.agent.id, name: "Ada", status: "online" });
  ledger.saw("ChatResponse", await customer.state(), { [REST]: true, lang: "it", timeout_at: aTime });
  await customer.call("sendTextMessage", "Buongiorno");
  ledger.saw("ChatResponse", await customer.state(), { [REST]: true, timeout_at: aTime });

  await ada.ask("POST", `/chats/${id}/transfer`, { agent_id: grace.agent.id });
  const [left] = await customer.hears("chat.memberLeft");
  assert.equal(left.id, ada.agent.id);
  const [joined] = await customer.hears("chat.memberJoined", { count: 2 });
  assert.equal(joined.id, grace.agent.id);
  const state = await customer.state();
  ledger.saw("ChatResponse", state, { [REST]: true, agent: { [REST]: true, id: grace.agent.id, name: "Grace" }, all_agents: [{ [REST]: true, id: ada.agent.id, name: "Ada" }, { [REST]: true, id: grace.agent.id, name: "Grace" }] });
  ledger.saw("ChatAgent", state.agent, { [REST]: true, id: grace.agent.id, name: "Grace", status: "online" });

  await grace.ask("POST", `/chats/${id}/transfer`, { menu_id: 2 });
  const [queued] = await customer.hears("chat.updated", { where: '(chat) => chat.state.status === "queued" && chat.state.menus.at(-1).id === 2' });
  ledger.saw("ChatResponse", queued.state, { [REST]: true, menus: [{ id: 2, name: "Fatturazione" }] });
  grace.close();
  await ada.accept(id);
  await customer.hears("chat.updated", { where: '(chat) => chat.state.agent?.name === "Ada" && chat.state.menus.at(-1).id === 2' });
  const later = await customer.call("loadChat", id);
  ledger.saw("ChatAgent", later.state.all_agents.find(({ name }) => name === "Grace"), { [REST]: true, name: "Grace", status: "offline" });
  ada.close();
});

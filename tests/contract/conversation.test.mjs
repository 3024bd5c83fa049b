// A conversation from its opening to its end, between the client and an agent: methods, events and the fields of chats and messages.
import assert from "node:assert/strict";

import { aDate, aText, aTime, aWholeNumber, holds, REST } from "./support/ledger.mjs";
import { scene } from "./support/scene.mjs";

/** Queues of the demo's configuration. */
const WITH_VIRTUAL_AGENT = 1;
const WITH_A_PERSON = 4;

scene("a chat with a person: opened, joined, talked in both directions, finished", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "maria" });
  ledger.heard("ready", await customer.hears("ready"), []);
  ledger.heard("authenticated", await customer.hears("authenticated"), []);

  const opened = await customer.call("createChat", WITH_A_PERSON, { lang: "en" });
  const id = opened.state.id;
  ledger.gave("createChat", opened, { state: { [REST]: true, id: aWholeNumber, status: "queued", created_at: aTime, lang: "en", end_user: { id: aWholeNumber, identifier: "maria" } } }, "Chat");
  ledger.saw("ChatResponse", opened.state, { [REST]: true, menus: [{ id: WITH_A_PERSON, name: aText }], status_text: aText, all_agents: [], all_virtual_agents: [] });
  ledger.effect("createChat(menuId)", opened.state.menus[0].id, WITH_A_PERSON);
  ledger.heard("chat.connected", await customer.hears("chat.connected"), [{ state: { [REST]: true, id } }]);

  const desk = await scene.desk();
  await desk.accept(id);
  const joined = { type: "agent", id: desk.agent.id, is_customer: false, display_name: "Ada", printed: `agent_${desk.agent.id}` };
  ledger.heard("chat.memberJoined", await customer.hears("chat.memberJoined"), [joined]);
  const updated = await customer.hears("chat.updated", { where: '(chat) => chat.state.status === "assigned"' });
  ledger.heard("chat.updated", updated, [{ state: { [REST]: true, id, status: "assigned" } }]);
  ledger.saw("ChatResponse", updated[0].state, { [REST]: true, status: "assigned", agent: { [REST]: true, id: desk.agent.id, name: "Ada" }, all_agents: [{ [REST]: true, id: desk.agent.id, name: "Ada" }], status_text: /Ada/u });

  const line = await desk.join(id);
  line.say({ type: "typing", typing: true });
  ledger.heard("chat.typingStarted", await customer.hears("chat.typingStarted"), [joined]);
  line.say({ type: "typing", typing: false });
  ledger.heard("chat.typingEnded", await customer.hears("chat.typingEnded"), [joined]);

  await customer.run(() => globalThis.client.chat.startTyping());
  const endUserTypes = ({ type, typing, member }) => type === "typing" && typing && member.type === "end_user";
  ledger.effect("Chat.startTyping()", await line.hears(endUserTypes), { [REST]: true, type: "typing" });
  await customer.run(() => globalThis.client.chat.stopTyping());
  const endUserStops = ({ type, typing, member }) => type === "typing" && !typing && member.type === "end_user";
  ledger.effect("Chat.stopTyping()", await line.hears(endUserStops), { [REST]: true, type: "typing" });
  line.close();

  ledger.gave("sendTextMessage", await customer.call("sendTextMessage", "Good morning"), undefined);
  const own = { [REST]: true, $index: aWholeNumber, $sid: aText, $timestamp: aDate, $userType: "end_user", $userId: aWholeNumber, type: "text", content: "Good morning", signature: aText };
  const heard = await customer.hears("chat.message", { where: '(message) => message.content === "Good morning"' });
  ledger.heard("chat.message", heard, [own]);
  ledger.saw("MessageResponse", heard[0], own);
  const atDesk = (await desk.messages(id)).find(({ $userType }) => $userType === "end_user");
  ledger.effect("sendTextMessage(rawContent)", atDesk.content, "Good morning");

  const index = await customer.run(() => globalThis.client.chat.sendMessage({ type: "shop.basket", items: [{ sku: "a-1", count: 2 }] }));
  assert.ok(index > heard[0].$index);
  ledger.effect("Chat.sendMessage()", (await desk.messages(id)).find(({ type }) => type === "shop.basket").items, [{ sku: "a-1", count: 2 }]);

  await desk.say(id, "Good morning, Maria");
  const theirs = { ...own, $userType: "agent", $userId: desk.agent.id, content: "Good morning, Maria" };
  const answer = await customer.hears("chat.message", { where: '(message) => message.$userType === "agent"' });
  ledger.saw("MessageResponse", answer[0], theirs);
  const all = await customer.call("fetchMessages");
  ledger.gave("fetchMessages", all.at(-1), theirs, "MessageResponse");
  assert.deepEqual(all.map(({ $index }) => $index), all.map((_, at) => at + 1));
  ledger.saw("MessageResponse", all.find(({ event }) => event === "escalationAccepted"), { [REST]: true, type: "noti", event: "escalationAccepted", $userType: "system" });

  ledger.gave("finishChat", await customer.call("finishChat"), undefined);
  const ended = await customer.hears("chat.ended");
  ledger.heard("chat.ended", ended, [{ state: { [REST]: true, id, status: "finished" } }]);
  ledger.saw("ChatResponse", ended[0].state, { [REST]: true, status: "finished", ends_at: aTime });
  ledger.heard("chat.disconnected", await customer.hears("chat.disconnected"), [{ state: { [REST]: true, id } }]);
  ledger.heard("chat.memberLeft", await customer.hears("chat.memberLeft"), [joined]);
  ledger.saw("MessageResponse", (await customer.call("fetchMessages")).at(-1), { [REST]: true, type: "noti", event: "chatEnded" });
  desk.close();
});

scene("a chat with a virtual agent: buttons, escalation, a reload, and its end for good", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "paolo" });
  const opened = await customer.call("createChat", String(WITH_VIRTUAL_AGENT), { greeting: "Where is my order?" });
  const id = opened.state.id;
  ledger.gave("createChat", opened, { state: { [REST]: true, id, status: "va_assigned", virtual_agent: { [REST]: true, id: aWholeNumber, name: "Pia" }, all_virtual_agents: [{ [REST]: true, id: aWholeNumber, name: "Pia" }] } }, "Chat");
  ledger.saw("ChatResponse", opened.state, { [REST]: true, features: holds("has escalation", (features) => features.includes("escalation")), end_user: { id: aWholeNumber, identifier: "paolo" } });
  const greeting = await customer.hears("chat.message", { where: '(message) => message.$userType === "end_user"' });
  ledger.effect("ChatRequest.greeting", greeting[0].content, "Where is my order?");
  const buttons = await customer.hears("chat.message", { where: "(message) => message.buttons && message.$index > 3" });
  ledger.saw("MessageResponse", buttons[0], { [REST]: true, type: "inline_button", $userType: "virtual_agent", buttons: [{ [REST]: true, title: "It's late" }, { [REST]: true, title: "Thanks, that helps" }] });

  ledger.gave("escalateChat", await customer.call("escalateChat", { reason: "by_end_user_ask" }), undefined);
  const queued = await customer.hears("chat.updated", { where: '(chat) => chat.state.status === "queued"' });
  ledger.saw("ChatResponse", queued[0].state, { [REST]: true, status: "queued", features: holds("has no escalation", (features) => !features.includes("escalation")) });

  // Another page of the same end user goes on with it.
  const later = await scene.customer({ identifier: "paolo" });
  ledger.gave("loadOngoingChat", await later.call("loadOngoingChat"), { state: { [REST]: true, id, status: "queued" } }, "Chat");
  ledger.heard("chat.ongoing", await later.hears("chat.ongoing"), [{ state: { [REST]: true, id } }]);
  ledger.gave("loadChat", await later.call("loadChat", id), { state: { [REST]: true, id } }, "Chat");
  ledger.effect("loadChat(chatId)", (await later.state()).id, id);
  ledger.effect("client.chat", (await later.state()).id, id);

  ledger.gave("destroyChat", await later.call("destroyChat"), undefined);
  ledger.heard("chat.destroyed", await later.hears("chat.destroyed"), []);
  assert.equal(await later.call("loadOngoingChat"), null);
  ledger.effect("client.chat", await later.state(), null);
});

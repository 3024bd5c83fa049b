// Asking for a person where nobody has time or the queue is closed: what is offered instead, and what comes of each choice.
import assert from "node:assert/strict";

import { aWholeNumber, holds, REST } from "./support/ledger.mjs";
import { scene } from "./support/scene.mjs";

const ALWAYS_OPEN = 1;
const CLOSED = 6;
const VERY_BUSY = 7;

/** The notice that says that an escalation was deflected. */
const DEFLECTED = '(message) => message.event === "escalationDeflected"';

scene("over capacity: the customer keeps waiting", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "maria" });
  const { state: { id } } = await customer.call("createChat", VERY_BUSY);
  ledger.gave("getChatDeflection", await customer.call("getChatDeflection"), {
    [REST]: true, enabled: true, threshold: 1, email: true, keep_waiting: true, external_deflection_links: { enabled: true, ids: [1] },
  }, "ChatDeflectionResponse");
  ledger.gave("escalateChat", await customer.call("escalateChat", { reason: "by_end_user_ask" }), undefined);
  const [notice] = await customer.hears("chat.message", { where: DEFLECTED });
  ledger.saw("MessageResponse", notice, { [REST]: true, type: "noti", event: "escalationDeflected", reason: "over_capacity", escalation_id: aWholeNumber });
  assert.deepEqual(notice.options.map(({ channel }) => channel).toSorted(), ["email", "external_link", "human_agent", "virtual_agent"]);
  assert.equal((await customer.state()).status, "va_assigned");

  scene.expectFaults(/40[0349]/u);
  assert.equal((await customer.refusal("trackChatEscalation", notice.escalation_id + 1000, "email")).code, "not_found");
  assert.equal((await customer.refusal("trackChatEscalation", notice.escalation_id, "carrier pigeon")).code, "invalid_argument");
  ledger.gave("trackChatEscalation", await customer.call("trackChatEscalation", notice.escalation_id, "human_agent"), undefined);
  const [queued] = await customer.hears("chat.updated", { where: '(chat) => chat.state.status === "queued"' });
  ledger.effect(["trackChatEscalation(escalationId)", "trackChatEscalation(channel)"], queued.state.id, id);
  assert.equal((await customer.refusal("trackChatEscalation", notice.escalation_id, "email")).code, "conflict");

  const desk = await scene.desk();
  const { escalations } = await desk.ask("GET", `/chats/${id}/events`);
  ledger.effect("EscalateRequest.reason", escalations[0], { [REST]: true, id: notice.escalation_id, reason: "by_end_user_ask", deflection_channel: "human_agent" });
  desk.close();
});

scene("over capacity: the customer goes elsewhere, which ends the chat", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "paolo" });
  await customer.call("createChat", VERY_BUSY);
  await customer.call("escalateChat");
  const [notice] = await customer.hears("chat.message", { where: DEFLECTED });
  assert.ok(notice.options.some(({ channel, url }) => channel === "external_link" && url.startsWith("https://")));
  await customer.call("trackChatEscalation", notice.escalation_id, "external_link");
  const ended = await customer.hears("chat.ended");
  ledger.effect("trackChatEscalation(channel)", ended[0].state.status, "finished");
});

scene("deflection of other queues, and of the company before there is a chat", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "lucia" });
  const nowhere = await customer.call("getChatDeflection");
  ledger.gave("getChatDeflection", nowhere, { [REST]: true, enabled: holds("a flag", (value) => typeof value === "boolean"), threshold: holds("seconds", Number.isSafeInteger) }, "ChatDeflectionResponse");
  await customer.call("createChat", ALWAYS_OPEN);
  ledger.gave("getChatDeflection", await customer.call("getChatDeflection"), {
    [REST]: true, enabled: false, threshold: holds("seconds", Number.isSafeInteger), email: false, keep_waiting: false, external_deflection_links: { enabled: false, ids: [] },
  }, "ChatDeflectionResponse");
});

scene("what the customer does is recorded and shown at the desk", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "events" });
  const { state: { id } } = await customer.call("createChat", 4);
  ledger.gave("trackChatEndUserEvent", await customer.call("trackChatEndUserEvent", { name: "form_clicked", end_user_name: "Maria R.", form: 7 }), undefined);
  const desk = await scene.desk();
  await desk.accept(id);
  const { events } = await desk.ask("GET", `/chats/${id}/events`);
  ledger.effect("trackChatEndUserEvent()", events, [{ [REST]: true, name: "form_clicked" }]);
  ledger.effect("ChatEndUserEventRequest.end_user_name", (await desk.chat(id)).end_user_name, "Maria R.");
  desk.close();
});

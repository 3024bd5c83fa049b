// What the site says when it opens a chat, and where it is seen: custom data that is signed or not, and every field of a request.
import assert from "node:assert/strict";

import { aText, aTime, aWholeNumber, holds, REST } from "./support/ledger.mjs";
import { scene } from "./support/scene.mjs";
import { SECRET, sign } from "./support/site-token.mjs";

const CONFIG = `
[[companies]]
id = "other"
name = "Altra Srl"
secret = "${SECRET}"
allowed_origins = ["*"]
languages = ["it", "en"]

[[companies.menus]]
id = 1
name = "Unica coda"
`;
const entry = (label, value, more = {}) => ({ label, value, type: "string", ...more });

scene("every field of a chat request is seen at the desk", async (scene, ledger) => {
  const customer = await scene.customer({ companyId: "other", token: sign({ identifier: "ugo" }) });
  const unsigned = { zeta: entry("Zeta", "last letter first"), alpha: entry("Alpha", "first letter last"), secret: entry("Secret", "not for agents", { invisible_to_agent: true }) };
  const signed = sign({ custom_data: { tier: entry("Tier", "gold"), reserved_verified_customer: entry("Verified", true, { type: "boolean" }) } });
  const request = { lang: "en", trigger_id: "t-7", ticket_id: "T-1000", email: "ugo@example.org", greeting: "Buongiorno", cobrowsable: true, message_preview: true, custom_data: { signed, unsigned } };
  const { state: { id, lang } } = await customer.call("createChat", 1, request);
  ledger.effect("ChatRequest.lang", lang, "en");

  const desk = await scene.desk();
  const chat = await desk.chat(id);
  ledger.effect(["ChatRequest.trigger_id", "ChatRequest.ticket_id", "ChatRequest.cobrowsable"], chat.request, { [REST]: true, trigger_id: "t-7", ticket_id: "T-1000", cobrowsable: true });
  ledger.effect("ChatRequest.email", chat.end_user_email, "ugo@example.org");
  ledger.effect(["ChatRequest.custom_data", "CustomData.unsigned"], Object.keys(chat.custom_data.unsigned), ["zeta", "alpha"]);
  ledger.effect("CustomData.signed", chat.custom_data.signed.tier, { [REST]: true, value: "gold" });
  assert.equal(chat.customer_flags.verified_customer, true);
  const messages = await (await desk.accept(id), desk.messages(id));
  ledger.effect("ChatRequest.greeting", messages.find(({ $userType }) => $userType === "end_user").content, "Buongiorno");
  desk.close();

  scene.expectFaults(/400/u);
  const forged = sign({ custom_data: {} }, "another secret, as long as it is wrong");
  const later = await scene.customer({ companyId: "other", token: sign({ identifier: "eva" }) });
  const { code } = await later.refusal("createChat", 1, { custom_data: { signed: forged } });
  assert.equal(code, "token_invalid");
}, { config: CONFIG });

scene("earlier chats come in pages, newest first; what was destroyed is named as missing", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "history" });
  const ids = [];
  for (let at = 0; at < 12; at += 1) {
    const { state: { id } } = await customer.call("createChat", 4, { greeting: `Number ${at}` });
    ids.unshift(id);
    if (at === 3) await customer.call("destroyChat");
    else await customer.call("finishChat");
  }
  const destroyed = ids.at(-4);
  const first = await customer.call("getChatHistory");
  const { pagination: { per_page } } = first;
  assert.ok(per_page < 12, "two pages are needed");
  ledger.gave("getChatHistory", first, {
    chats: holds("the newest chats", (chats) => chats.every(({ comm_id }) => ids.includes(comm_id)) && chats[0].comm_id === ids[0]),
    missing_chat_ids: holds("numbers", (list) => list.every((id) => id === destroyed)),
    pagination: { next_page: 2, per_page: aWholeNumber },
  }, "ChatHistoryResponse");
  ledger.saw("ChatHistoryItem", first.chats[0], { [REST]: true, comm_id: ids[0], assigned_at: aTime, comm_type: "chat", timezone: aText, entries: holds("messages with dates", (entries) => entries.length > 0 && entries.every(({ $timestamp }) => $timestamp instanceof Date)) });
  ledger.saw("ChatHistoryItem", first.chats[1], { [REST]: true, comm_id: ids[1], assigned_at: aTime, comm_type: "chat", timezone: aText, entries: holds("messages", (entries) => entries.some(({ content }) => content === "Number 10")) });
  const second = await customer.call("getChatHistory", 2);
  ledger.gave("getChatHistory", second, { chats: holds("the rest", (chats) => chats.length > 0), missing_chat_ids: holds("numbers", Array.isArray), pagination: { next_page: -1, per_page } }, "ChatHistoryResponse");
  ledger.effect("getChatHistory(page)", [...first.chats, ...second.chats].map(({ comm_id }) => comm_id), ids.filter((id) => id !== destroyed));
  assert.deepEqual([...first.missing_chat_ids, ...second.missing_chat_ids], [destroyed]);
});

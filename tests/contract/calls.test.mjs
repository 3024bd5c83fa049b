// Calls: asked for at once and in a slot of time, read, cancelled, moved; and the slots that there are.
import assert from "node:assert/strict";

import { aTime, aWholeNumber, holds } from "./support/ledger.mjs";
import { scene } from "./support/scene.mjs";
import { SECRET, sign } from "./support/site-token.mjs";

const CALL_US = 4;
const WORKSHOP = 5;

const COMPANY = `
[[companies]]
id = "other"
name = "Altra Srl"
secret = "${SECRET}"
allowed_origins = ["*"]
languages = ["it"]
calls = { slot_ms = 3600000, lead_ms = 3600000, horizon_ms = 86400000, per_slot = 2, survey_enabled = true }

[[companies.menus]]
id = 2
name = "Reparti"
children = [{ id = 21, name = "Vendite", channels = ["voice_call"] }]
`;

const shown = async (desk, id) => {
  const { open, over } = await desk.ask("GET", "/calls");
  return [...open, ...over].find((call) => call.id === id);
};
const move = (desk, id, status) => desk.ask("PATCH", `/calls/${id}`, { status });

scene("a call as soon as somebody is free, with all that a site can say, until it is over", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "maria" });
  const desk = await scene.desk();
  const call = await customer.call("createCall", CALL_US, {
    phone_number: "+39 02 3661 8300", lang: "pt", ticket_id: "T-7", email: "maria@example.com", recording_permission: "recording_permission_granted",
    custom_data: { unsigned: { tier: { label: "Tier", value: "gold" } } },
  });
  ledger.gave("createCall", call, {
    id: aWholeNumber, lang: "pt", menu_id: CALL_US, status: "queued", type: "Immediate", recording_permitted: true, survey_enabled: false, created_at: aTime,
    menus: [{ id: CALL_US, name: "Outro assunto (diretamente com uma pessoa)" }],
  }, "CallResponse");
  const seen = await shown(desk, call.id);
  ledger.effect("createCall(menuId)", seen.menu_id, CALL_US);
  ledger.effect("CallRequest.phone_number", seen.phone_number, "+390236618300");
  ledger.effect("CallRequest.lang", seen.lang, "pt");
  ledger.effect("CallRequest.ticket_id", seen.ticket_id, "T-7");
  ledger.effect("CallRequest.email", seen.email, "maria@example.com");
  ledger.effect("CallRequest.recording_permission", seen.recording_permission, "recording_permission_granted");
  ledger.effect(["CallRequest.custom_data", "CustomData.unsigned"], seen.custom_data.unsigned, { tier: { label: "Tier", value: "gold" } });
  await move(desk, call.id, "assigned");
  const assigned = { ...call, status: "assigned" };
  ledger.gave("loadCall", await customer.call("loadCall", call.id), assigned, "CallResponse");
  ledger.effect("loadCall(callId)", (await customer.call("loadCall", String(call.id))).id, call.id);
  for (const status of ["connecting", "connected", "finished"]) await move(desk, call.id, status);
  ledger.saw("CallResponse", await customer.call("loadCall", call.id), { ...call, status: "finished" });
  scene.expectFaults(/40[49]/u);
  assert.deepEqual(await customer.refusal("cancelCall", call.id), { code: "conflict", status: 409 });
  assert.deepEqual(await customer.refusal("loadCall", 999_999), { code: "not_found", status: 404 });
  desk.close();
});

scene("a call in a slot of time is moved and cancelled; slots follow what is taken", async (scene, ledger) => {
  const customer = await scene.customer({ companyId: "other", token: sign({ identifier: "ugo" }) });
  const desk = await scene.desk();
  const slots = await customer.call("getTimeSlots", 21);
  ledger.gave("getTimeSlots", slots, holds("some 22 to 24 times", (slots) => slots.length > 21 && slots.length < 25 && slots.every((slot) => !Number.isNaN(Date.parse(slot)))));
  const inOneMore = await customer.call("createCall", "21", { phone_number: "+12025550173", scheduled_at: slots[2] });
  ledger.gave("createCall", inOneMore, {
    id: aWholeNumber, lang: "it", menu_id: 21, status: "scheduled", type: "Scheduled", scheduled_at: slots[2], recording_permitted: false, survey_enabled: true,
    created_at: aTime, menus: [{ id: 2, name: "Reparti" }, { id: 21, name: "Vendite" }],
  }, "CallResponse");
  ledger.effect("CallRequest.scheduled_at", (await shown(desk, inOneMore.id)).scheduled_at, slots[2]);
  ledger.effect("getTimeSlots(menuId)", (await customer.call("fetchTimeSlotAvailability", 21)).slots[2], { at: slots[2], free: 1, capacity: 2 });
  const second = await customer.call("createCall", 21, { phone_number: "+12025550173", scheduled_at: slots[2] });
  // A language, or the options of newer releases.
  ledger.effect(["getTimeSlots(options)", "getTimeSlots(menuId)"], (await customer.call("getTimeSlots", "21", { useAdvancedCallScheduling: true, lang: "it" })).includes(slots[2]), false);
  const moved = await customer.call("rescheduleCall", second.id, slots[5]);
  ledger.saw("CallResponse", moved, { ...second, scheduled_at: slots[5] });
  assert.ok((await customer.call("getTimeSlots", 21, "it")).includes(slots[2]), "its former time is free again");
  const canceled = await customer.call("cancelCall", String(second.id));
  ledger.gave("cancelCall", canceled, { ...moved, status: "canceled" }, "CallResponse");
  ledger.effect("cancelCall(callId)", (await shown(desk, second.id)).status, "canceled");
  scene.expectFaults(/40[09]/u);
  assert.deepEqual(await customer.refusal("rescheduleCall", second.id, slots[7]), { code: "conflict", status: 409 });
  assert.deepEqual(await customer.refusal("createCall", 21, { phone_number: "12" }), { code: "invalid_argument", status: 400 });
  desk.close();
}, { config: COMPANY });

scene("what the site signs about a customer reaches the call verified", async (scene, ledger) => {
  const customer = await scene.customer({ companyId: "other", token: sign({ identifier: "ugo" }) });
  const desk = await scene.desk();
  const now_s = Math.floor(Date.now() / 1000);
  const signed = sign({ custom_data: { reserved_verified_customer: { value: true }, score: { value: 5 } }, iat: now_s, exp: now_s + 60 });
  const call = await customer.call("createCall", 21, { phone_number: "+12025550173", custom_data: { signed } });
  const seen = await shown(desk, call.id);
  ledger.effect(["CallRequest.custom_data", "CustomData.signed"], { data: seen.custom_data.signed, flags: seen.customer_flags_signed }, {
    data: { score: { value: 5 } }, flags: { verified_customer: true, bad_actor: false, repeat_customer: false },
  });
  desk.close();
}, { config: COMPANY });

scene("a queue has the slots of its own hours", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "maria" });
  const slots = await customer.call("getTimeSlots", WORKSHOP);
  const inRome = new Intl.DateTimeFormat("en", { timeZone: "Europe/Rome", hour: "numeric", hourCycle: "h23", weekday: "short" });
  const isWithin = (slot) => {
    const parts = Object.fromEntries(inRome.formatToParts(new Date(slot)).map(({ type, value }) => [type, value]));
    return parts.weekday !== "Sun" && Number(parts.hour) >= 9 && Number(parts.hour) < (parts.weekday === "Sat" ? 13 : 18);
  };
  ledger.gave("getTimeSlots", slots, holds("times in the hours of the workshop", (slots) => slots.length > 20 && slots.every(isWithin)));
  scene.expectFaults(/409/u);
  ledger.effect("getTimeSlots(menuId)", await customer.refusal("getTimeSlots", 1), { code: "conflict", status: 409 });
});

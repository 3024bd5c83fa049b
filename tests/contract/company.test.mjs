// The company and its queues: what the client is told of them, in which language, by which key, to whom, and how long one would wait.
import assert from "node:assert/strict";

import { holds, REST } from "./support/ledger.mjs";
import { scene } from "./support/scene.mjs";
import { SECRET, sign } from "./support/site-token.mjs";

const WITH_A_PERSON = 4;

const COMPANY = `
[[companies]]
id = "other"
name = "Altra Srl"
secret = "${SECRET}"
allowed_origins = ["*"]
support_email = "aiuto@example.org"
languages = ["it"]
action_tracking = true
email_enhancement = true

[[companies.menus]]
id = 1
name = "Unica coda"
`;

const ofOther = { companyId: "other", token: sign({ identifier: "ugo" }) };

scene("two companies: what they are called, which languages they speak, what they allow", async (scene, ledger) => {
  const demo = await scene.customer({ identifier: "maria" });
  const other = await scene.customer(ofOther);
  const speaks = (codes) => holds(`the languages ${codes}`, (languages) => languages.map(({ code }) => code).join() === codes && languages[0].default === true);
  ledger.gave("getCompany", await demo.call("getCompany"), {
    name: "Bottega Verde Bikes", subdomain: "demo", support_email: "help@example.com", languages: speaks("en,pt,it"),
    action_tracking: false, email_transcripts: true, message_preview: true, email_enhancement: false,
  }, "CompanyResponse");
  ledger.gave("getCompany", await other.call("getCompany"), {
    name: "Altra Srl", subdomain: "other", support_email: "aiuto@example.org", languages: speaks("it"),
    action_tracking: true, email_transcripts: false, message_preview: false, email_enhancement: true,
  }, "CompanyResponse");
}, { config: COMPANY });

scene("menus: by language, by key, for one end user, closed, redirected", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "maria", lang: "en" });
  const all = await customer.call("getMenus");
  const menu = (id, menus = all.menus) => menus.find((item) => item.id === id);
  ledger.gave("getMenus", all, { menus: holds("some menus", (menus) => menus.length > 5), direct: { key: false, user: false } }, "MenuResponse");
  const open = [{ name: "chat", enabled: true }];
  const alsoByPhone = [...open, { name: "voice_call", enabled: true }];
  ledger.saw("MenuItem", menu(WITH_A_PERSON), { id: WITH_A_PERSON, name: "Something else (straight to a person)", enabled: true, channels: alsoByPhone });
  ledger.saw("MenuItem", menu(3), { id: 3, name: "Technical help", enabled: true, channels: [], children: [{ id: 31, name: "City bikes", enabled: true, channels: open }, { [REST]: true, id: 32 }] });
  ledger.saw("MenuItem", menu(6), { [REST]: true, id: 6, channels: [{ name: "chat", enabled: false }, { name: "voice_call", enabled: false }], deflection: { enabled: true, type: "after_hours" } });
  ledger.saw("MenuItem", menu(7), { [REST]: true, id: 7, deflection: { enabled: true, type: "over_capacity" } });
  ledger.saw("MenuItem", menu(9), { [REST]: true, id: 9, redirection: { option: "queue", data: "2" } });
  ledger.saw("MenuItem", menu(10), { [REST]: true, id: 10, redirection: { option: "message", data: /spring/u } });
  assert.equal(menu(8), undefined, "a hidden menu is shown to nobody else");

  const inItalian = await customer.call("getMenus", undefined, "it");
  ledger.effect("getMenus(lang)", menu(1, inItalian.menus).name, "Ordini e consegne");
  const byKey = await customer.call("getMenus", "technical");
  ledger.gave("getMenus", byKey, { menus: [{ [REST]: true, id: 3 }], direct: { key: true, user: false } }, "MenuResponse");
  ledger.effect("getMenus(key)", byKey.menus.map(({ id }) => id), [3]);

  const known = await scene.customer({ identifier: "trade-1" });
  ledger.gave("getMenus", await known.call("getMenus"), { menus: [{ [REST]: true, id: 8 }], direct: { key: false, user: true } }, "MenuResponse");

  // The queue is not over capacity while an agent has time.
  const desk = await scene.desk();
  const calm = await customer.call("getMenus");
  ledger.saw("MenuItem", menu(7, calm.menus), { [REST]: true, deflection: { enabled: false, type: "over_capacity" } });
  desk.close();
});

scene("a queue that is switched off", async (scene, ledger) => {
  const customer = await scene.customer({ companyId: "other", token: sign({ identifier: "ugo" }) });
  const { menus } = await customer.call("getMenus");
  ledger.saw("MenuItem", menus[1], { id: 2, name: "Chiusa", enabled: false, channels: [{ name: "chat", enabled: false }] });
  scene.expectFaults(/409/u);
  assert.deepEqual(await customer.refusal("createChat", 2), { code: "conflict", status: 409 });
}, { config: `${COMPANY}\n[[companies.menus]]\nid = 2\nname = "Chiusa"\nenabled = false\n` });

scene("after hours there is a message in the asked language, and no chat", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "maria" });
  ledger.gave("getAfterHourMessage", await customer.call("getAfterHourMessage"), /workshop is closed/u);
  ledger.effect("getAfterHourMessage(lang)", await customer.call("getAfterHourMessage", "pt"), /oficina está fechada/u);
  scene.expectFaults(/409/u);
  assert.deepEqual(await customer.refusal("createChat", 6), { code: "after_hours", status: 409 });
});

scene("waiting times follow who waits and who is on duty", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "maria" });
  const alone = await customer.call("getWaitTimes", WITH_A_PERSON);
  ledger.gave("getWaitTimes", alone, { chat: 300, voice_call: 300 }, "WaitTimeResponse");
  const desk = await scene.desk();
  ledger.gave("getWaitTimes", await customer.call("getWaitTimes", String(WITH_A_PERSON)), { chat: 0, voice_call: 0 }, "WaitTimeResponse");
  scene.expectFaults(/404/u);
  ledger.effect("getWaitTimes(menuId)", await customer.refusal("getWaitTimes", 999), { code: "not_found", status: 404 });
  ledger.effect("getWaitTimes(lang)", await customer.call("getWaitTimes", WITH_A_PERSON, "pt"), { chat: 0, voice_call: 0 });
  desk.close();
});

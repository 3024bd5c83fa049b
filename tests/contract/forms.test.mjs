// Forms: handed out by an agent, read, answered, and read by the agent in clear.
import assert from "node:assert/strict";

import { aWholeNumber, REST } from "./support/ledger.mjs";
import { scene } from "./support/scene.mjs";
import { SECRET, sign } from "./support/site-token.mjs";

const CONFIG = `
[[companies]]
id = "other"
name = "Altra Srl"
secret = "${SECRET}"
allowed_origins = ["*"]
forms = [
    { id = 7, kind = "custom", name = "reso", title = "Reso", subtitle = "Entro trenta giorni", image = "https://a.example/r.png", external_form_id = "x-7", questions = [{ id = 1, type = "text_entry", question = "Ordine", is_mandatory = true }, { id = 2, type = "text_entry", question = "Conto", is_masked = true }] },
    { id = 8, kind = "browser", name = "pagina", title = "Pagina", url = "https://forms.example/a" },
]

[[companies.menus]]
id = 1
name = "Unica coda"
`;

scene("a form is handed out, answered once, and masked for everybody but the agent", async (scene, ledger) => {
  const customer = await scene.customer({ companyId: "other", token: sign({ identifier: "ugo" }) });
  const desk = await scene.desk();
  const { state: { id } } = await customer.call("createChat", 1);
  await customer.hears("chat.connected");
  await desk.accept(id);
  await desk.say(id, { type: "form", form_id: 7 });
  const [requested] = await customer.hears("chat.message", { where: '(message) => message.event === "formRequested"' });
  ledger.saw("MessageResponse", requested, { [REST]: true, type: "noti", event: "formRequested" });
  const [form] = await customer.hears("chat.message", { where: '(message) => message.type === "form"' });
  ledger.saw("MessageResponse", form, {
    [REST]: true, type: "form",
    form: { id: 7, form_type: "custom_form", name: "reso", title: "Reso", subtitle: "Entro trenta giorni", external_form_id: "x-7", smart_action_id: form.$index, image: "https://a.example/r.png" },
  });
  await desk.say(id, { type: "form", form_id: 8 });
  const [page] = await customer.hears("chat.message", { where: '(message) => message.type === "form" && message.form.id === 8' });
  ledger.saw("MessageResponse", page, {
    [REST]: true, type: "form",
    form: { id: 8, form_type: "browser_form", name: "pagina", title: "Pagina", subtitle: "", external_form_id: "8", smart_action_id: page.$index, image: "", preview_endpoint: "https://forms.example/a" },
  });

  const asked = await customer.call("getForm", form);
  assert.deepEqual(asked.questions.map(({ question }) => question), ["Ordine", "Conto"]);
  scene.expectFaults(/40[09]/u);
  const refused = await customer.run((form) => globalThis.client.submitForm(form, []).then(() => null, ({ code, fields }) => ({ code, fields })), form);
  assert.deepEqual(refused, { code: "invalid_argument", fields: [{ question_id: 1, problem: "required" }] });
  const index = await customer.call("submitForm", form, [{ question_id: 1, value: "A-1" }, { question_id: 2, value: "IT60" }]);
  const [done] = await customer.hears("chat.message", { where: '(message) => message.event === "formCompleted"' });
  ledger.saw("MessageResponse", done, { [REST]: true, $index: index, event: "formCompleted", type: "noti", $userType: "end_user", $userId: aWholeNumber });
  assert.deepEqual(done.form_data.map(({ value }) => value), ["A-1", "••••"]);
  const { form_data } = await desk.ask("GET", `/chats/${id}/forms/${form.$index}`);
  assert.deepEqual(form_data.map(({ value }) => value), ["A-1", "IT60"]);
  assert.equal((await customer.refusal("submitForm", form, [{ question_id: 1, value: "A-2" }])).code, "conflict");
  desk.close();
}, { config: CONFIG });

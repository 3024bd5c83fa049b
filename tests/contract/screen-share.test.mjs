// Screen share: a code that the end user reads out, a request of the agent's, the end user's own wish; what the page's listeners hear of it, what the agent sees, and
// that a page which is loaded anew goes on. What is recorded is another matter (tests/screen/, tests/browser/screen-share.test.mjs).
import assert from "node:assert/strict";

import { aTime, holds, REST } from "./support/ledger.mjs";
import { scene } from "./support/scene.mjs";
import { SECRET, sign } from "./support/site-token.mjs";

const company = (id, more) => `
[[companies]]
id = "${id}"
name = "${id}"
secret = "${SECRET}"
allowed_origins = ["*"]
menus = [{ id = 1, name = "Queue" }]
${more}
`;
const CONFIG = company("shop", 'cobrowse_domain = "see.shop.example"') + company("bank", 'cobrowse_domain = "see.bank.example"\nscreen_share = false');

const WITH_A_PERSON = 4;
const COBROWSE = { cobrowse: { enabled: true } };
const aNumber = holds("a whole number above 0", (value) => Number.isSafeInteger(value) && value > 0);
const session = (more) => ({ id: aNumber, capabilities: ["view", "pointer"], created: aTime, expires: aTime, activated: null, updated: null, ended: null, ...more });

/** A customer in a chat with an agent. */
async function inChat(scene, options) {
  const customer = await scene.customer({ ...COBROWSE, ...options });
  const desk = await scene.desk();
  const { state } = await customer.call("createChat", WITH_A_PERSON);
  await customer.hears("chat.connected");
  await desk.accept(state.id);
  await customer.hears("chat.updated", { where: '(chat) => chat.state.status === "assigned"' });
  return { customer, desk, id: state.id };
}

const answer = (customer, name) => customer.page.locator(`dialog .js-cobrowse-${name}`).click();
const noti = async (desk, id, event) => (await desk.messages(id)).find((message) => message.event === event);
const updatedTo = (state) => ({ where: `(session) => session.state === "${state}"` });

scene("a code that the end user reads to the agent: asked in its language, shown with its data, shared after a yes, ended by the agent", async (scene, ledger) => {
  const { customer, desk, id } = await inChat(scene, { identifier: "cora" });
  const code = await customer.call("createCobrowseCode", "it", { order: "A-7" });
  ledger.gave("createCobrowseCode", code, holds("six digits", (value) => /^\d{6}$/u.test(value)));
  ledger.heard("cobrowse.loaded", await customer.hears("cobrowse.loaded"), [session({ state: "pending" })]);
  const generated = await noti(desk, id, "cobrowseCodeGenerated");
  assert.ok(!JSON.stringify(generated).includes(code), "the agent is told the code by the end user");
  ledger.effect("createCobrowseCode(customData)", generated.custom_data, { order: "A-7" });

  await desk.ask("POST", `/chats/${id}/screen_share/join`, { code });
  ledger.effect("createCobrowseCode(lang)", await customer.page.locator("dialog h2").textContent(), "Condividere questa pagina?");
  await answer(customer, "allow");
  ledger.heard("cobrowse.updated", await customer.hears("cobrowse.updated", updatedTo("active")), [session({ state: "active", activated: aTime, updated: aTime })]);
  assert.deepEqual((await desk.chat(id)).screen_share.status, "active");

  // What is on its way just then is refused.
  scene.expectFaults(/409/u);
  await desk.ask("DELETE", `/chats/${id}/screen_share`);
  ledger.heard("cobrowse.ended", await customer.hears("cobrowse.ended"), [session({ state: "ended", ended_reason: "agent_ended", activated: aTime, updated: aTime, ended: aTime })]);
  await customer.page.locator(".js-cobrowse-end").waitFor({ state: "detached" });
  desk.close();
});

scene("an agent asks, the end user says no, and then shares by themselves", async (scene, ledger) => {
  const { customer, desk, id } = await inChat(scene, { identifier: "dora" });
  await desk.ask("POST", `/chats/${id}/screen_share_requests`, {});
  const [from] = await customer.hears("cobrowse.request");
  ledger.heard("cobrowse.request", [from], ["agent"]);
  ledger.gave("startCobrowse", await customer.call("startCobrowse", from), undefined);
  const asked = (await desk.chat(id)).screen_share;
  await answer(customer, "deny");
  const [denied] = await customer.hears("cobrowse.ended");
  assert.equal(denied.ended_reason, "denied");
  const [failed] = await customer.hears("chat.message", { where: '(message) => message.event === "cobrowseFailed"' });
  assert.equal(failed.reason, "denied");

  await customer.call("startCobrowse");
  const own = (await desk.chat(id)).screen_share;
  ledger.effect("startCobrowse(from)", [asked.from, own.from], ["agent", "end_user"]);
  await answer(customer, "allow");
  await customer.hears("cobrowse.updated", updatedTo("active"));
  scene.expectFaults(/409/u);
  await customer.page.locator(".js-cobrowse-end").click();
  const [ended] = await customer.hears("cobrowse.ended", { count: 2 });
  assert.equal(ended.ended_reason, "device_ended");
  await customer.hears("chat.message", { where: '(message) => message.event === "cobrowseEnded"' });
  desk.close();
});

scene("a page that is loaded anew goes on sharing, and ends with its chat", async (scene) => {
  const { customer, desk, id } = await inChat(scene, { identifier: "edda" });
  await customer.call("startCobrowse");
  await answer(customer, "allow");
  await customer.hears("cobrowse.updated", updatedTo("active"));
  await scene.reload(customer, { ...COBROWSE, identifier: "edda" });
  const [restored] = await customer.hears("cobrowse.loaded");
  assert.equal(restored.state, "active");
  const again = await customer.run(() => globalThis.client.restoreCobrowseSession().then((session) => session.isActive()));
  assert.equal(again, true);
  await customer.page.locator(".js-cobrowse-end").waitFor();
  assert.equal((await desk.chat(id)).screen_share.status, "active");
  await customer.call("loadOngoingChat");
  await customer.hears("chat.connected");
  scene.expectFaults(/409/u);
  await desk.finish(id);
  const [ended] = await customer.hears("cobrowse.ended");
  assert.equal(ended.ended_reason, "chat_ended");
  desk.close();
});

scene("where it is not offered a code is empty, and the rest rejects", async (scene, ledger) => {
  const shop = await scene.customer({ ...COBROWSE, companyId: "shop", token: sign({ identifier: "fay" }) });
  ledger.gave("getCompany", await shop.call("getCompany"), { [REST]: true, cobrowse_domain: "see.shop.example" }, "CompanyResponse");
  assert.equal((await shop.call("getFeatureFlags")).cobrowse, true);
  scene.expectFaults(/409/u, /403/u);
  ledger.gave("createCobrowseCode", await shop.call("createCobrowseCode"), "");
  assert.equal((await shop.hears("error"))[0].code, "no_chat");
  // Nobody is there to see it.
  await shop.call("createChat", 1);
  assert.deepEqual(await shop.refusal("startCobrowse"), { code: "conflict", status: 409 });

  const bank = await scene.customer({ ...COBROWSE, companyId: "bank", token: sign({ identifier: "gil" }) });
  ledger.gave("getCompany", await bank.call("getCompany"), { [REST]: true, cobrowse_domain: "see.bank.example" }, "CompanyResponse");
  assert.equal((await bank.call("getFeatureFlags")).cobrowse, false);
  await bank.call("createChat", 1);
  assert.deepEqual(await bank.refusal("startCobrowse"), { code: "unsupported", status: 403 });
  assert.equal(await bank.call("restoreCobrowseSession"), null);
}, { config: CONFIG });

// What follows the human part of a chat: offered, asked for, gone through with its virtual agent, and declined.
import assert from "node:assert/strict";

import { aTime, REST } from "./support/ledger.mjs";
import { scene } from "./support/scene.mjs";

const ASKS_FIRST = 41;
const BEGINS_AT_ONCE = 42;

/** A chat that an agent had and ended. */
async function ended(scene, customer, desk, menuId) {
  const { state } = await customer.call("createChat", menuId);
  await customer.hears("chat.connected");
  await desk.accept(state.id);
  await desk.finish(state.id);
  const [{ state: over }] = await customer.hears("chat.ended");
  return { id: state.id, before: state, over };
}

scene("after the agent a virtual agent goes on, once the customer said yes, and its results are on the desk", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "vera" });
  const desk = await scene.desk();
  const { id, before, over } = await ended(scene, customer, desk, ASKS_FIRST);
  ledger.saw("ChatResponse", before, { [REST]: true, post_session_required: false, post_session_opt_in_required: false });
  ledger.saw("ChatResponse", over, { [REST]: true, status: "finished", post_session_required: true, post_session_opt_in_required: true });
  assert.equal(over.post_session_transfer_status, undefined, "nobody has answered to it");

  scene.expectFaults(/409/u);
  assert.deepEqual(await customer.refusal("updatePostSession", "ready"), { code: "conflict", status: 409 });
  assert.equal((await customer.refusal("sendTextMessage", "early")).code, "chat_ended");
  ledger.gave("updatePostSession", await customer.call("updatePostSession", "ready", true), undefined);
  ledger.saw("ChatResponse", await customer.state(), { [REST]: true, post_session_transfer_status: "ready" });
  await customer.call("updatePostSession", "in_progress");
  const [begun] = await customer.hears("chat.updated", { where: '(chat) => chat.state.post_session_transfer_status === "in_progress"' });
  ledger.effect("updatePostSession(status)", begun.state.virtual_agent.name, "Vera");
  ledger.saw("ChatResponse", begun.state, { [REST]: true, id, status: "finished", ends_at: aTime, post_session_transfer_status: "in_progress" });

  await customer.hears("chat.message", { where: '(message) => message.$userType === "virtual_agent" && message.type === "text"' });
  await customer.call("sendTextMessage", "No, not yet");
  await customer.call("updatePostSession", "waiting");
  ledger.saw("ChatResponse", await customer.state(), { [REST]: true, post_session_transfer_status: "waiting" });
  await customer.call("sendTextMessage", "The bell is missing");
  await customer.call("updatePostSession", "finished");
  await customer.hears("chat.ended", { count: 2 });
  ledger.saw("ChatResponse", await customer.state(), { [REST]: true, status: "finished", post_session_required: true, post_session_transfer_status: "finished" });
  assert.equal((await customer.refusal("sendTextMessage", "late")).code, "chat_ended");

  const found = await desk.ask("GET", `/chats/${id}/post_session`);
  ledger.effect("updatePostSession(optInSelection)", [found.opted_in, found.status], [true, "finished"]);
  assert.deepEqual(found.results.map(({ key, value }) => [key, value]), [["Answered", "No, not yet"], ["In their words", "The bell is missing"], ["Call back", true]]);
  desk.close();
});

scene("a customer who says no, and one who is not asked", async (scene, ledger) => {
  const desk = await scene.desk();
  const declines = await scene.customer({ identifier: "nina" });
  const first = await ended(scene, declines, desk, ASKS_FIRST);
  await declines.call("updatePostSession", "ready", false);
  await declines.hears("chat.ended", { count: 2 });
  const refused = await desk.ask("GET", `/chats/${first.id}/post_session`);
  ledger.effect("updatePostSession(optInSelection)", [refused.opted_in, refused.started_at, refused.results], [false, null, []]);

  const follows = await scene.customer({ identifier: "otto" });
  const { over } = await ended(scene, follows, desk, BEGINS_AT_ONCE);
  ledger.saw("ChatResponse", over, { [REST]: true, post_session_required: true, post_session_opt_in_required: false });
  await follows.call("updatePostSession", "ready");
  await follows.call("updatePostSession", "in_progress");
  await follows.call("sendTextMessage", "bye");
  await follows.hears("chat.ended", { count: 2 });
  desk.close();
});

scene("a page that is opened anew goes on with the virtual agent", async (scene) => {
  const desk = await scene.desk();
  const before = await scene.customer({ identifier: "rita" });
  const { id } = await ended(scene, before, desk, BEGINS_AT_ONCE);
  await before.call("updatePostSession", "ready");
  await before.call("updatePostSession", "in_progress");
  await before.page.close();
  const after = await scene.customer({ identifier: "rita" });
  const found = await after.call("loadOngoingChat");
  assert.deepEqual([found.state.id, found.state.post_session_transfer_status], [id, "in_progress"]);
  await after.call("sendTextMessage", "Yes, it was");
  await after.hears("chat.message", { where: "(message) => /better/u.test(message.content)" });
  desk.close();
});

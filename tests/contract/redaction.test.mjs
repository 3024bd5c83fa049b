// Redaction: what an author reads of an own message, and what the others read.
import assert from "node:assert/strict";

import { REST } from "./support/ledger.mjs";
import { scene } from "./support/scene.mjs";

/** A queue of the demo's configuration without a virtual agent. */
const WITH_A_PERSON = 4;

scene("a card number is read by who wrote it, and hidden from everybody else", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "carla" });
  const desk = await scene.desk();
  const { state: { id } } = await customer.call("createChat", WITH_A_PERSON);
  await customer.hears("chat.connected");
  await desk.accept(id);

  const written = ["My card is 4111 1111 1111 1111", "or this one: 5555-5555-5555-4444."];
  for (const content of written) {
    await customer.call("sendTextMessage", content);
    const [own] = await customer.hears("chat.message", { where: `(message) => message.content === ${JSON.stringify(content)}` });
    ledger.saw("MessageResponse", own, { [REST]: true, type: "text", $userType: "end_user", content, unredacted: content });
  }
  const atDesk = (await desk.messages(id)).filter(({ $userType }) => $userType === "end_user");
  assert.deepEqual(atDesk.map(({ content }) => content), ["My card is •••• 1111", "or this one: •••• 4444."]);
  assert.ok(atDesk.every((message) => !("unredacted" in message)));

  await desk.say(id, "We had 4222222222222 before");
  const [theirs] = await customer.hears("chat.message", { where: '(message) => message.$userType === "agent"' });
  assert.deepEqual([theirs.content, theirs.unredacted], ["We had •••• 2222 before", undefined]);
  const own = (await desk.messages(id)).find(({ $userType }) => $userType === "agent");
  assert.equal(own.unredacted, "We had 4222222222222 before");

  const all = await customer.call("fetchMessages");
  assert.deepEqual(all.filter(({ unredacted }) => unredacted).map(({ unredacted }) => unredacted), written);
  await customer.call("finishChat");
  const { chats } = await customer.call("getChatHistory");
  assert.deepEqual(chats[0].entries.filter(({ unredacted }) => unredacted).map(({ unredacted }) => unredacted), written);
  desk.close();
});

// Pictures and what is typed: sent by the customer, read back, previewed by the agent.
import assert from "node:assert/strict";

import { aWholeNumber, holds, REST } from "./support/ledger.mjs";
import { scene } from "./support/scene.mjs";

const WITH_A_PERSON = 4;

const PICTURES = {
  png: { name: "bike.png", type: "image/png", base64: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==" },
  gif: { name: "wheel.gif", type: "image/gif", base64: "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7" },
};

/** Runs in the page. */
const sendFile = ({ name, type, base64 }) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return globalThis.client.sendFileMessage(new File([bytes], name, { type }));
};

/** Runs in the page: the file of a message, described. */
const readFile = async (index) => {
  const message = (await globalThis.client.fetchMessages()).find(({ $index }) => $index === index);
  const file = await globalThis.client.getMessageAttachment(message);
  return file && { isFile: file instanceof File && message.file === file, name: file.name, type: file.type, size: file.size };
};

scene("pictures are sent, shown at the desk and read back", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "maria" });
  const desk = await scene.desk();
  const { state: { id } } = await customer.call("createChat", WITH_A_PERSON);
  await customer.hears("chat.connected");
  await desk.accept(id);
  for (const picture of Object.values(PICTURES)) {
    const index = await customer.run(sendFile, picture);
    ledger.gave("sendFileMessage", index, aWholeNumber);
    const [photo] = await customer.hears("chat.message", { where: `(message) => message.$index === ${index}` });
    ledger.saw("MessageResponse", photo, { [REST]: true, $index: index, type: "photo", media_id: aWholeNumber });
    const atDesk = (await desk.messages(id)).find(({ $index }) => $index === index);
    ledger.effect("sendFileMessage(file)", atDesk.media, { name: picture.name, content_type: picture.type, size: aWholeNumber });
    const read = await customer.run(readFile, index);
    ledger.gave("getMessageAttachment", read, { isFile: true, name: picture.name, type: picture.type, size: aWholeNumber });
    ledger.saw("MessageResponse", { file: read.name }, { file: picture.name });
    ledger.effect("getMessageAttachment(message)", read.name, holds("this picture's name", (name) => name === picture.name));
  }
  const notice = (await desk.messages(id)).find(({ type }) => type === "noti");
  assert.equal(await customer.run(readFile, notice.$index), null);

  // A file that the gateway does not take: -1, and the reason in an error event.
  scene.expectFaults(/40[0-9]|413|415/u);
  const program = { name: "picture.png", type: "image/png", base64: Buffer.from("MZ\u0000\u0001\u0002binary\u0000").toString("base64") };
  assert.equal(await customer.run(sendFile, program), -1);
  assert.deepEqual(await customer.run(() => globalThis.client.errors), ["invalid_argument"]);
  desk.close();
});

scene("the agent sees what the customer types, where the company allows it", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "maria" });
  const desk = await scene.desk();
  const { state: { id } } = await customer.call("createChat", WITH_A_PERSON, { message_preview: true });
  await customer.hears("chat.connected");
  await desk.accept(id);
  await customer.hears("chat.memberJoined");
  const line = await desk.join(id);
  await line.hears(({ type }) => type === "joined");
  await customer.run(() => globalThis.client.chat.startTyping());
  ledger.gave("sendPreviewMessage", await customer.call("sendPreviewMessage", "Where is my"), undefined);
  const frame = await line.hears(({ type, content }) => type === "preview" && content !== "");
  ledger.effect("sendPreviewMessage(content)", frame, { [REST]: true, type: "preview", content: "Where is my" });
  line.close();
  desk.close();
});

// Files and what is typed: sent by the customer and by the agent, read back, previewed.
import assert from "node:assert/strict";

import { aWholeNumber, holds, REST } from "./support/ledger.mjs";
import { scene } from "./support/scene.mjs";

const WITH_A_PERSON = 4;

const FILES = {
  png: { name: "bike.png", type: "image/png", base64: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==" },
  pdf: { name: "invoice.pdf", type: "application/pdf", base64: Buffer.from("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n").toString("base64") },
};

/** Runs in the page. */
const sendFile = ({ name, type, base64 }) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return globalThis.client.sendFileMessage(new File([bytes], name, { type }));
};

scene("pictures and documents travel in both directions", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "maria" });
  const desk = await scene.desk();
  const { state: { id } } = await customer.call("createChat", WITH_A_PERSON);
  await customer.hears("chat.connected");
  await desk.accept(id);

  const send = (file) => customer.run(sendFile, file);
  const index = await send(FILES.png);
  ledger.gave("sendFileMessage", index, aWholeNumber);
  const [photo] = await customer.hears("chat.message", { where: '(message) => message.type === "photo"' });
  ledger.saw("MessageResponse", photo, { [REST]: true, $index: index, type: "photo", media_id: aWholeNumber });
  const pdfIndex = await send(FILES.pdf);
  const [document] = await customer.hears("chat.message", { where: '(message) => message.type === "document"' });
  ledger.saw("MessageResponse", document, { [REST]: true, $index: pdfIndex, type: "document", media_id: aWholeNumber, document: { url: /media/u } });
  ledger.effect("sendFileMessage(file)", (await desk.messages(id)).find(({ type }) => type === "document").media, { [REST]: true, name: "invoice.pdf", content_type: "application/pdf" });

  const read = (type) =>
    customer.run(async (type) => {
      const message = (await globalThis.client.fetchMessages()).find((candidate) => candidate.type === type);
      const file = await globalThis.client.getMessageAttachment(message);
      return file && { isFile: file instanceof File && message.file === file, name: file.name, type: file.type, size: file.size };
    }, type);
  const picture = await read("photo");
  ledger.gave("getMessageAttachment", picture, { isFile: true, name: holds("a picture's name", (name) => name.endsWith(".png")), type: "image/png", size: aWholeNumber });
  ledger.saw("MessageResponse", { file: picture.name }, { file: picture.name });
  const paper = await read("document");
  ledger.effect("getMessageAttachment(message)", paper, { isFile: true, name: "invoice.pdf", type: "application/pdf", size: aWholeNumber });
  ledger.saw("MessageResponse", { file: paper.name }, { file: paper.name });
  assert.equal(await read("noti"), null);

  // A file that the gateway does not take: -1, and the reason in an error event.
  scene.expectFaults(/40[0-9]|413|415/u);
  assert.equal(await send({ name: "tool.exe", type: "application/x-msdownload", base64: Buffer.from("MZ\u0000\u0001\u0002binary\u0000").toString("base64") }), -1);
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

// Films, sounds and documents: sent by the customer and by the agent, and read back.
import { aWholeNumber, REST } from "./support/ledger.mjs";
import { scene } from "./support/scene.mjs";

const WITH_A_PERSON = 4;
const PAPER = "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n".repeat(3);
const SOUND = `RIFF${String.fromCharCode(92, 1, 0, 0)}WAVEfmt ${"\u0001".repeat(400)}`;

/** Runs in the page. */
const sendFile = ({ name, type, text }) => globalThis.client.sendFileMessage(new File([Uint8Array.from(text, (letter) => letter.charCodeAt(0))], name, { type }));

/** Runs in the page: the file of a message, described. */
const readFile = async (index) => {
  const message = (await globalThis.client.fetchMessages()).find(({ $index }) => $index === index);
  const file = await globalThis.client.getMessageAttachment(message);
  return { name: file.name, type: file.type, size: file.size };
};

scene("documents and sounds travel in both directions", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "maria" });
  const desk = await scene.desk();
  const { state: { id } } = await customer.call("createChat", WITH_A_PERSON);
  await customer.hears("chat.connected");
  await desk.accept(id);
  for (const [kind, file] of [["document", { name: "invoice.pdf", type: "application/pdf", text: PAPER }], ["audio", { name: "noise.wav", type: "audio/wav", text: SOUND }]]) {
    const index = await customer.run(sendFile, file);
    ledger.gave("sendFileMessage", index, aWholeNumber);
    const [message] = await customer.hears("chat.message", { where: `(message) => message.$index === ${index}` });
    const shown = { [REST]: true, type: kind, media_id: aWholeNumber, media: { name: file.name, content_type: file.type, size: file.text.length } };
    ledger.saw("MessageResponse", message, kind === "document" ? { ...shown, document: { url: `/api/v1/chats/${id}/media/${message.media_id}` } } : shown);
    ledger.gave("getMessageAttachment", await customer.run(readFile, index), { name: file.name, type: file.type, size: file.text.length });
  }

  // The agent's file takes the same way.
  const place = await desk.ask("POST", `/chats/${id}/uploads`, { client_id: "agents-file", type: "document", name: "manual.txt", size: 6 });
  const form = new FormData();
  for (const [name, value] of Object.entries(place.upload.fields)) form.append(name, value);
  form.append("file", new Blob(["manual"]));
  await fetch(scene.gateway + place.upload.url, { method: "POST", body: form });
  const { index } = await desk.say(id, { type: "document", media_id: place.media_id });
  const [manual] = await customer.hears("chat.message", { where: `(message) => message.$index === ${index}` });
  ledger.saw("MessageResponse", manual, { [REST]: true, type: "document", $userType: "agent", media_id: place.media_id, media: { name: "manual.txt", content_type: "text/plain", size: 6 } });
  ledger.effect("getMessageAttachment(message)", await customer.run(readFile, index), { name: "manual.txt", type: "text/plain", size: 6 });
  desk.close();
});

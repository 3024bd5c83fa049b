// Mail: transcripts that customers have sent, and the channel e-mail with files, in both outcomes. The mails are read as a mail program reads them.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after } from "node:test";

import { Mailbox } from "../browser/support/mailbox.mjs";
import { aWholeNumber, holds } from "./support/ledger.mjs";
import { scene } from "./support/scene.mjs";

const BILLING = 2;
const WITH_A_PERSON = 4;
const NIGHT_SERVICE = 6;

const letters = await Mailbox.open();
const transcripts = await Mailbox.open();

// Stands in for reCAPTCHA's verifier: whoever says so is a person.
const verifier = createServer(async (request, response) => {
  const form = new URLSearchParams(Buffer.concat(await request.toArray()).toString());
  response.end(JSON.stringify({ success: form.get("secret") === "of the site" && form.get("response") === "a person" }));
}).listen(0, "127.0.0.1");
await once(verifier, "listening");
after(async () => {
  verifier.close();
  await Promise.all([letters.close(), transcripts.close()]);
});

const RECAPTCHA = `[recaptcha]\nverify_url = "http://127.0.0.1:${verifier.address().port}/"\nsecret = "of the site"\n`;

/** Runs in the page: writes an e-mail whose files are these. `asList` gives them as an input's `FileList`. */
const write = ({ menu, data, files = [], asList = false }) => {
  const made = files.map(({ name, type, bytes }) => new File([Uint8Array.from(bytes)], name, { type }));
  const transfer = new DataTransfer();
  for (const file of made) transfer.items.add(file);
  return globalThis.client.createEmail(menu, { ...data, ...(files.length > 0 && { files: asList ? transfer.files : made }) });
};

scene("an e-mail with files reaches the desk and the company, and a refused one says why", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "maria" });
  const desk = await scene.desk();
  const types = await customer.call("getProhibitedFileTypes");
  ledger.gave("getProhibitedFileTypes", types, holds("many types", (all) => all.length > 10));
  for (const item of [{ extension: "exe", description: "Windows program" }, { extension: "ps1", description: "PowerShell script" }]) {
    ledger.saw("FileTypeItem", types.find(({ extension }) => extension === item.extension), item);
  }

  const bytes = Array.from({ length: 70_000 }, (_, at) => (at * 7) % 256);
  const files = [{ name: "Rechnung für Üli.bin", type: "application/x-bill", bytes }, { name: "lines.txt", type: "text/plain", bytes: [...Buffer.from("a\nb\r\n.\r\n")] }];
  const data = { name: "Maria Rossi", email: "maria@mail.example", content: "Is this right?\nÀ bientôt, 你好", lang: "pt", recaptcha: "a person" };
  const sent = await customer.run(write, { menu: BILLING, data, files });
  ledger.gave("createEmail", sent, { id: aWholeNumber, type: "email", status: "open", fail_reason: "", attachment_count: 2 }, "EmailResponse");
  const [mail] = await letters.read(1);
  const { email } = await desk.ask("GET", `/emails/${sent.id}`);
  ledger.effect("createEmail(menuId)", email.menus.at(-1).name, "Billing");
  ledger.effect("EmailRequest.name", [email.name, mail.replyTo[0].name], ["Maria Rossi", "Maria Rossi"]);
  ledger.effect("EmailRequest.email", [email.email, mail.replyTo[0].address], ["maria@mail.example", "maria@mail.example"]);
  ledger.effect("EmailRequest.content", [email.content, mail.text.startsWith(data.content)], [data.content, true]);
  ledger.effect("EmailRequest.lang", email.lang, "pt");
  assert.equal(mail.to[0].address, "help@example.com");
  const attached = mail.attachments.map(({ filename, mimeType, content }) => ({ name: filename, type: mimeType, bytes: [...new Uint8Array(content)] }));
  ledger.effect("EmailRequest.files", attached, files);

  // A queue that is closed takes e-mails too; an input's files are as good as an array.
  const night = await customer.run(write, { menu: NIGHT_SERVICE, data, files: files.slice(1), asList: true });
  ledger.gave("createEmail", night, { id: aWholeNumber, type: "after_hours", status: "open", fail_reason: "", attachment_count: 1 }, "EmailResponse");
  const failed = (fail_reason) => ({ id: 0, type: "email", status: "failed", fail_reason, attachment_count: 0 });
  const program = await customer.run(write, { menu: BILLING, data, files: [{ name: "setup.exe", type: "text/plain", bytes: [77, 90] }] });
  ledger.gave("createEmail", program, failed("prohibited_file_type"), "EmailResponse");
  const robot = await customer.run(write, { menu: BILLING, data: { ...data, recaptcha: "a robot" } });
  ledger.effect("EmailRequest.recaptcha", robot, failed("recaptcha_failed"));
  desk.close();
}, { config: letters.config + RECAPTCHA });

scene("a transcript goes to the addresses as text and PDF", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "maria" });
  const desk = await scene.desk();
  const { state: { id } } = await customer.call("createChat", WITH_A_PERSON);
  await customer.hears("chat.connected");
  await desk.accept(id);
  await customer.call("sendTextMessage", "My card is 4111 1111 1111 1111");
  ledger.gave("sendChatTranscripts", await customer.call("sendChatTranscripts", ["maria@mail.example", "office@mail.example"]), undefined);
  const mails = await transcripts.read(2);
  ledger.effect("sendChatTranscripts(emails)", mails.map(({ to }) => to[0].address), ["maria@mail.example", "office@mail.example"]);
  for (const { subject, text, attachments } of mails) {
    assert.match(subject, new RegExp(`Bottega Verde Bikes \\(#${id}\\)$`, "u"));
    assert.match(text, /My card is •••• 1111/u);
    assert.equal(attachments.length, 1);
    assert.equal(Buffer.from(attachments[0].content).subarray(0, 5).toString(), "%PDF-");
  }
  // Also when it is over.
  await customer.call("finishChat");
  await customer.hears("chat.ended");
  await customer.call("sendChatTranscripts", ["late@mail.example"]);
  assert.equal((await transcripts.read(3)).at(-1).to[0].address, "late@mail.example");
  scene.expectFaults(/40[03]/u);
  assert.deepEqual(await customer.refusal("sendChatTranscripts", ["nobody"]), { code: "invalid_argument", status: 400 });
  desk.close();
}, { config: transcripts.config });

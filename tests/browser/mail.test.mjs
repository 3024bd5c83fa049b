// Mail with both pages open: an e-mail with files from the menu to the desk and back, from the panel of a deflected escalation, and a conversation that is
// sent to an address. The mails are parsed, and the files compared byte by byte.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { check } from "./support/axe.mjs";
import { say, sees, signIn, startConversation, takeTicket } from "./support/conversation.mjs";
import { Mailbox } from "./support/mailbox.mjs";
import { picture } from "./support/screenshots.mjs";
import { withStage } from "./support/stage.mjs";

const BYTES = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 31) % 256));
const LINES = Buffer.from("one\ntwo\r\n.\r\nGrüße\n");
const FILES = [
  { name: "photo of the bill.png", mimeType: "image/png", buffer: BYTES },
  { name: "Zeilen übermorgen.txt", mimeType: "text/plain", buffer: LINES },
];

async function withMailbox(play, config = "") {
  const mailbox = await Mailbox.open();
  try {
    await withStage((stage) => play(stage, mailbox), { config: mailbox.config + config });
  } finally {
    await mailbox.close();
  }
}

async function fillIn(dialog, content) {
  await dialog.getByLabel("Your name").fill("Uma Visitor");
  await dialog.getByLabel("Your e-mail address").fill("uma@mail.example");
  await dialog.getByLabel("Your message").fill(content);
}

test("an e-mail goes from the menu to the desk, whose answer goes back by mail", async () => {
  await withMailbox(async (stage, mailbox) => {
    const customer = await stage.customer();
    const desk = await stage.desk();
    await signIn(desk);
    await customer.getByRole("button", { name: "Write an e-mail to Billing" }).click();
    const dialog = customer.getByRole("dialog", { name: "E-mail to Billing" });
    await fillIn(dialog, "Is the bill right?\n<b>Uma</b>");

    // What may not be sent is said before it is sent, and again by the gateway.
    await dialog.getByLabel("Files").setInputFiles([{ name: "setup.exe", mimeType: "text/plain", buffer: Buffer.from("MZ") }]);
    await dialog.getByText("Files of this type cannot be sent. setup.exe").waitFor();
    await picture(customer, "mail-form-refused");
    await check(customer, "e-mail form with a file that cannot be sent");
    await dialog.getByRole("button", { name: "Send the e-mail" }).click();
    await dialog.getByText(/^Files of this type cannot be sent\. $/u).waitFor();

    await dialog.getByLabel("Files").setInputFiles(FILES);
    await dialog.getByText("photo of the bill.png · 100 kB").waitFor();
    await dialog.getByRole("button", { name: "Send the e-mail" }).click();
    await dialog.getByText(/We have your e-mail, number \d+, with 2 files\./u).waitFor();
    await picture(customer, "mail-sent");
    await check(customer, "e-mail sent");

    const [forwarded] = await mailbox.read(1);
    assert.equal(forwarded.to[0].address, "help@example.com");
    assert.equal(forwarded.replyTo[0].address, "uma@mail.example");
    assert.ok(forwarded.text.startsWith("Is the bill right?\n<b>Uma</b>\n"), forwarded.text);
    assert.deepEqual(forwarded.attachments.map(({ filename }) => filename), FILES.map(({ name }) => name));
    for (const [at, { buffer }] of FILES.entries()) assert.ok(buffer.equals(Buffer.from(forwarded.attachments[at].content)), FILES[at].name);

    // The desk hears of it, shows it as text, and saves the files as they were.
    const tab = desk.getByRole("tab", { name: /^E-mails/u });
    await desk.getByRole("tab", { name: "E-mails 1" }).waitFor();
    await tab.click();
    await desk.getByRole("button", { name: /^Uma Visitor/u }).click();
    await desk.getByRole("heading", { name: /^Uma Visitor · #\d+$/u }).waitFor();
    assert.equal(await desk.locator("#email-content").innerText(), "Is the bill right?\n<b>Uma</b>");
    await desk.getByText("Also sent to the company’s own address.").waitFor();
    for (const { name, buffer } of FILES) {
      const [download] = await Promise.all([desk.waitForEvent("download"), desk.getByRole("link", { name }).click()]);
      assert.equal(download.suggestedFilename(), name);
      assert.ok(buffer.equals(await readFile(await download.path())), name);
    }
    await picture(desk, "mail-desk");
    await check(desk, "e-mails at the desk");

    await desk.getByLabel("Your answer, by mail").fill("Yes, it is.");
    await desk.getByRole("button", { name: "Send the answer" }).click();
    await desk.locator(".email-answer", { hasText: "Yes, it is." }).getByText(/sent$/u).waitFor();
    const answer = (await mailbox.read(2))[1];
    assert.equal(answer.to[0].address, "uma@mail.example");
    assert.match(answer.text, /^Yes, it is\.\n[\s\S]*> Is the bill right\?\n> <b>Uma<\/b>/u);
    await desk.getByRole("button", { name: "Done" }).click();
    await desk.getByText("There are no e-mails.").waitFor();
    await desk.getByLabel("Show").selectOption("done");
    await desk.getByRole("button", { name: /^Uma Visitor/u }).waitFor();
    await desk.reload();
    await desk.getByText("There are no e-mails.").waitFor();
  });
});

test("a deflected escalation offers an e-mail, and the choice counts once it is sent", async () => {
  await withMailbox(async (stage, mailbox) => {
    const customer = await stage.customer();
    await takeTicket(customer, /Warranty/u);
    await customer.getByRole("button", { name: "Ask for a person" }).click();
    await customer.getByRole("button", { name: "By e-mail", exact: true }).click();
    const dialog = customer.getByRole("dialog", { name: /^E-mail to Warranty/u });
    await fillIn(dialog, "Please call me about my bike.");
    await dialog.getByRole("button", { name: "Send the e-mail" }).click();
    await dialog.getByText(/We have your e-mail/u).waitFor();
    await dialog.getByRole("button", { name: "Close the e-mail" }).click();
    await customer.getByRole("button", { name: "By e-mail", exact: true }).waitFor({ state: "hidden" });
    const [mail] = await mailbox.read(1);
    assert.match(mail.subject, /^\[Warranty \(very busy\)\] Uma Visitor/u);
  });
});

test("a conversation is sent to an address, while it goes on and after its end", async () => {
  await withMailbox(async (stage, mailbox) => {
    stage.expectFaults(/400.*\/transcript_mails/u);
    const { customer } = await startConversation(stage);
    await say(customer, "Where is my bike? 4111 1111 1111 1111");
    await sees(customer, "Where is my bike?");
    await customer.getByRole("button", { name: "Send by e-mail" }).click();
    const dialog = customer.getByRole("dialog", { name: "Send this conversation by e-mail" });
    await dialog.getByLabel(/^To whom/u).fill("nobody");
    await dialog.getByRole("button", { name: "Send", exact: true }).click();
    await dialog.getByText("Please write one to five e-mail addresses.").waitFor();
    await check(customer, "transcript to a wrong address");
    await dialog.getByLabel(/^To whom/u).fill("uma@mail.example, office@mail.example");
    await picture(customer, "mail-transcript");
    await dialog.getByRole("button", { name: "Send", exact: true }).click();
    await customer.getByText("The conversation is on its way to 2 addresses.").waitFor();
    const mails = await mailbox.read(2);
    assert.deepEqual(mails.map(({ to }) => to.map(({ address }) => address).join()), ["uma@mail.example", "office@mail.example"]);
    assert.match(mails[0].text, /Where is my bike\? •••• 1111/u);
    assert.equal(mails[0].attachments[0].mimeType, "application/pdf");
    await customer.getByRole("button", { name: "End chat" }).click();
    await customer.getByRole("dialog", { name: "End this chat?" }).getByRole("button", { name: "End chat" }).click();
    await customer.getByText("This chat has ended.").waitFor();
    await customer.getByRole("button", { name: "Send by e-mail" }).click();
    await dialog.getByLabel(/^To whom/u).fill("uma@mail.example");
    await dialog.getByRole("button", { name: "Send", exact: true }).click();
    await customer.getByText("The conversation is on its way to one address.").waitFor();
    await mailbox.read(3);
  });
});

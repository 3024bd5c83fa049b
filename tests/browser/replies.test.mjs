// What a virtual agent can send besides texts, from its configuration, on both pages; files of every kind both ways; redaction that hides nothing from
// the author.

import assert from "node:assert/strict";
import { test } from "node:test";

import { say, sees, startConversation, takeTicket } from "./support/conversation.mjs";
import { photo } from "./support/samples.mjs";
import { picture } from "./support/screenshots.mjs";
import { withStage } from "./support/stage.mjs";

const CONFIG = `
[[companies]]
id = "demo"
name = "Replies"
secret = "a secret of these tests, long enough to be one"
redaction = [{ pattern = "\\\\b\\\\d{4}-\\\\d{4}\\\\b", replacement = "••••" }]
menus = [{ id = 1, name = "Orders", virtual_agent = 1 }]

[[virtual_agents]]
id = 1
name = "Pia"
greeting = "Hello."
fallback = "I see."

[[virtual_agents.rules]]
keywords = ["bikes"]
answer = "Two of them:"
messages = [
  { type = "complex", components = [
    { type = "content_card", cards = [{ title = "City bike", images = ["/samples/city-bike.svg"], buttons = [{ title = "Take it", auto_reply = true }] }] },
    { type = "inline_button", title = "Or:", buttons = [{ title = "Something else", action = "quick_reply" }] },
  ] },
]

[[virtual_agents.rules]]
keywords = ["manual"]
answer = "Here:"
messages = [
  { type = "image", images = [{ url = "https://example.com/bike.png", text = "The bike" }] },
  { type = "document", documents = [{ url = "https://example.com/manual.pdf", text = "Manual" }] },
  { type = "sticky_button", buttons = [{ title = "Menu", action = "quick_reply" }] },
]

[[virtual_agents.rules]]
keywords = ["person"]
answer = "Right away."
action = "escalate"
`;

test("cards, buttons, pictures and documents of the virtual agent are drawn on both pages, grouped ones together", async () => {
  await withStage(
    async (stage) => {
      stage.expectFaults(/example\.com/u);
      const page = await stage.customer();
      await takeTicket(page);
      await say(page, "bikes");
      await page.getByRole("img", { name: "City bike" }).waitFor();
      assert.ok((await page.locator(".is-grouped").count()) > 0);
      await picture(page, "replies-cards");
      await page.getByRole("button", { name: "Take it" }).click();
      await sees(page, "Take it");
      await say(page, "manual");
      await page.getByRole("link", { name: /^Manual/u }).waitFor();
      await page.locator(".sticky").getByRole("button", { name: "Menu" }).waitFor();
      await picture(page, "replies-media");
    },
    { config: CONFIG },
  );
});

test("what is redacted for the agent is not hidden from its author", async () => {
  await withStage(
    async (stage) => {
      const { customer, desk } = await startConversation(stage);
      await say(customer, "My code is 1234-5678");
      await sees(desk, "My code is ••••");
      await sees(customer, "My code is 1234-5678");
      await customer.getByText("Only you can read all of this.").waitFor();
    },
    { config: CONFIG },
  );
});

test("the agent's files of every kind reach the customer, and the customer's the agent", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await startConversation(stage);
    const files = [
      { name: "view.png", mimeType: "image/png", buffer: await photo(customer) },
      { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("Some notes\n") },
      { name: "beep.wav", mimeType: "audio/wav", buffer: wav() },
    ];
    for (const [from, to] of [[desk, customer], [customer, desk]]) {
      await from.locator("#composer input[type=file]").setInputFiles(files);
      await to.getByRole("img", { name: "view.png" }).waitFor();
      await to.locator(".log .bubble", { hasText: "notes.txt" }).waitFor();
    }
    await desk.locator('audio[aria-label="beep.wav"]').first().waitFor();
    await customer.getByRole("button", { name: /^Listen to beep\.wav/u }).first().click();
    await customer.locator('audio[aria-label="beep.wav"]').first().waitFor();
    const [download] = await Promise.all([customer.waitForEvent("download"), customer.getByRole("button", { name: /notes\.txt/u }).first().click()]);
    assert.equal(download.suggestedFilename(), "notes.txt");
    await picture(customer, "replies-files");
    await picture(desk, "replies-files-desk");
  });
});

/** A tenth of a second of silence. */
function wav() {
  const samples = 800;
  const bytes = Buffer.alloc(44 + samples, 128);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(36 + samples, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(8000, 24);
  bytes.writeUInt32LE(8000, 28);
  bytes.writeUInt16LE(1, 32);
  bytes.writeUInt16LE(8, 34);
  bytes.write("data", 36);
  bytes.writeUInt32LE(samples, 40);
  return bytes;
}

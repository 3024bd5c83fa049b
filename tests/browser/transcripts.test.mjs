// Transcripts as PDF on both pages: downloaded during the chat and after it, by the customer and by the agent, read back and looked at: every script of a
// fixed sample, the picture, the choice that was taken, the cards, links that work without a session, what is masked and what is not told; and one that
// cannot be made.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { check } from "./support/axe.mjs";
import { accept, askForPerson, say, sees, signIn, takeTicket } from "./support/conversation.mjs";
import { drawPdf, readPdf } from "./support/pdf.mjs";
import { photo } from "./support/samples.mjs";
import { picture } from "./support/screenshots.mjs";
import { withStage } from "./support/stage.mjs";

const CONFIG = `
[[companies]]
id = "demo"
name = "Bottega Ünïcode"
secret = "a secret of these tests, long enough to be one"
timezone = "Europe/Rome"
redaction = [{ builtin = "card" }]
menus = [{ id = 1, name = "Orders", virtual_agent = 1 }]

[[virtual_agents]]
id = 1
name = "Pia"
greeting = "Hello."
fallback = "I see."

[[virtual_agents.rules]]
keywords = ["bikes"]
messages = [
  { type = "markdown", messages = ["**Two bikes**, see [the list](https://example.com/bikes):\\n- one\\n- snake_case_stays"] },
  { type = "content_card", title = "Bikes", cards = [{ title = "City bike", subtitle = "from 749", body = "Seven gears.", link = "https://example.com/city", images = ["https://example.com/city.png"], buttons = [{ title = "Take it", auto_reply = true }, { title = "Ask about it" }] }] },
  { type = "server_message", kind = "secret_kind", messages = ["for the page only"] },
]
`;

/** The fixed sample: each line stands on the page in the order in which it is read. */
const SAMPLE = {
  arabic: "مرحبا بالعالم، كيف حالك؟",
  hebrew: "שלום עולם, מה שלומך?",
  chinese: "你好，世界。我的订单在哪里？",
  japanese: "こんにちは、世界。カタカナ",
  korean: "안녕하세요 세계",
  devanagari: "नमस्ते दुनिया",
  thai: "สวัสดีชาวโลก",
  greek: "Γειά σου Κόσμε, Привет мир",
  mixed: "Order 42: العربية and עברית together",
  emoji: "Emoji 😀 👍🏽 👩‍👩‍👧‍👦 🇮🇹 1️⃣ ❤️ end",
};

/** Scripts whose marks stand before the letter that they follow, or above it: pdf.js reads glyphs where they are drawn, so only their letters are compared. */
const REORDERED = new Set(["devanagari", "thai"]);

/** Presses a button that downloads, and gives the file's name and bytes. */
async function downloaded(page, button) {
  const [download] = await Promise.all([page.waitForEvent("download", { timeout: 60_000 }), button.click()]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

/** Without what only joins, hides or is another form of the same letter; how readers of a PDF set spaces differs. */
const plain = (text) => text.normalize("NFKC").replace(/[\s\u200B-\u200F\u2066-\u2069\u202A-\u202E\u00AD\uFE0F]+/gu, "");

test("a transcript in every script of the sample has no missing glyph, and both sides can download it", async () => {
  await withStage(
    async (stage) => {
      stage.expectFaults(/example\.com/u);
      const customer = await stage.customer({ page: { timezoneId: "Europe/Rome" } });
      await takeTicket(customer);
      for (const text of Object.values(SAMPLE)) {
        await say(customer, text);
        await sees(customer, text.slice(0, 5));
      }
      await say(customer, "bikes");
      await customer.getByRole("button", { name: "Take it" }).click();
      await sees(customer, "Take it");
      await say(customer, "My card is 4111 1111 1111 1111");
      await sees(customer, "My card");
      await customer.locator("#composer input[type=file]").setInputFiles({ name: "parcel.png", mimeType: "image/png", buffer: await photo(customer) });
      await customer.locator(".log [data-index] img").last().waitFor();

      const button = customer.getByRole("button", { name: "Download transcript" });
      const during = await downloaded(customer, button);
      await customer.getByText("The transcript is saved.").waitFor();
      await check(customer, "a transcript was saved");
      await picture(customer, "transcript-customer");
      assert.match(during.name, /^chat-\d+\.pdf$/u);
      const read = await readPdf(during.bytes);
      const inked = await drawPdf(stage.browser, during.bytes, "transcript-pdf");
      assert.ok(inked > 5, `the first page is drawn: ${inked} ‰`);
      console.log(`${read.pages} pages, ${during.bytes.length} bytes, ${read.glyphs} glyphs, ${read.missing.length} missing, ${inked} ‰ of the first page inked`);
      assert.deepEqual(read.missing, [], "no glyph is missing");
      assert.ok(read.glyphs > 300);
      for (const [script, text] of Object.entries(SAMPLE)) {
        const found = REORDERED.has(script) ? [...plain(text)].every((letter) => read.text.includes(letter)) : plain(read.text).includes(plain(text));
        assert.ok(found, `${script}: ${text}\n${read.text}`);
      }
      assert.doesNotMatch(read.text, /\[U\+|\[\+/u, "every character was drawn");
      for (const said of ["Bottega Ünïcode", "Chat ", "Europe/Rome (UTC+0", "Two bikes, see the list (https://example.com/bikes)", "snake_case_stays", "City bike", "Seven gears.", "Take it (chosen)", "Ask about it", "parcel.png", "My card is •••• 1111"]) {
        assert.ok(plain(read.text).includes(plain(said)), `${said}\n${read.text}`);
      }
      for (const kept of ["4111 1111", "secret_kind", "for the page only", "Ask about it (chosen)"]) assert.ok(!plain(read.text).includes(plain(kept)), kept);
      assert.equal(read.pictures, 1, "the photo is in it, and nothing of elsewhere");
      assert.equal(read.title, `Chat ${/\d+/u.exec(during.name)[0]}`);

      // The photo by its link: without a session, and not with another signature.
      const link = read.links.find((url) => url.includes("/transcript_media/"));
      assert.ok(read.links.includes("https://example.com/city") && link.startsWith(stage.gateway.origin), read.links.join(" "));
      const answer = await fetch(link);
      assert.deepEqual([answer.status, answer.headers.get("content-type")], [200, "image/png"]);
      assert.equal((await fetch(link.replace(/signature=../u, "signature=xx"))).status, 404);

      await askForPerson(customer);
      const desk = await stage.desk();
      await signIn(desk);
      await accept(desk);
      await say(desk, "Ecco fatto");
      await sees(customer, "Ecco fatto");
      const ofAgent = await downloaded(desk, desk.getByRole("button", { name: "Download transcript" }));
      assert.ok((await readPdf(ofAgent.bytes)).text.includes("Ecco fatto"));
      await check(desk, "the desk with a transcript");
      await picture(desk, "transcript-desk");

      await customer.getByRole("button", { name: "End chat" }).click();
      await customer.getByRole("dialog").getByRole("button", { name: "End chat" }).click();
      await customer.getByText("This chat has ended.").waitFor();
      const after = await readPdf((await downloaded(customer, button)).bytes);
      assert.ok(after.text.includes("Ecco fatto") && /The chat ended/u.test(after.text));
      assert.deepEqual(after.missing, []);
    },
    { config: CONFIG },
  );
});

test("a transcript that cannot be made is said in words, and can be asked for again", async () => {
  await withStage(
    async (stage) => {
      const customer = await stage.customer();
      await takeTicket(customer);
      const button = customer.getByRole("button", { name: "Download transcript" });
      await button.click();
      await customer.getByText("This chat is too long for a transcript.").waitFor();
      assert.ok(await button.isEnabled());
      await picture(customer, "transcript-failed");
    },
    { config: "[transcripts]\nmax_pdf_bytes = 100\n" },
  );
});

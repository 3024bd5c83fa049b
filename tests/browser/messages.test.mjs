// Every type of message as the demo draws it, from sample messages: what can be read, pressed and opened, with a picture of each.

import assert from "node:assert/strict";
import { test } from "node:test";

import { sampleGroups } from "./support/samples.mjs";
import { picture } from "./support/screenshots.mjs";
import { withStage } from "./support/stage.mjs";

/** A page with an empty conversation of the demo, drawn like the real ones. */
async function openGallery(stage) {
  // A picture and a video that are not there are part of the samples.
  stage.expectFaults(/404/u);
  const page = await stage.open(`${stage.site.origin}/blank.html`, { viewport: { width: 1280, height: 800 } });
  await page.evaluate(async () => {
    for (const name of ["base", "conversation", "messages", "customer"]) {
      const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: `/styles/${name}.css` });
      document.head.append(link);
      await new Promise((resolve) => link.addEventListener("load", resolve));
    }
    const { ConversationView } = await import("/shared/conversation-view.js");
    const { el } = await import("/shared/dom.js");
    const root = el("div", { class: "conversation" }, el("div", { class: "log", tabindex: "0" }), el("button", { class: "jump", hidden: true }), el("p", { class: "typing" }), el("div", { class: "sticky", hidden: true }));
    document.body.append(root);
    globalThis.heard = [];
    const hear = (what) => (...args) => globalThis.heard.push([what, typeof args[0] === "string" ? args[0] : args[0].$index]);
    const dot = await new Promise((resolve) => Object.assign(document.createElement("canvas"), { width: 60, height: 40 }).toBlob((blob) => resolve(URL.createObjectURL(blob))));
    globalThis.view = new ConversationView(root, {
      own: "end_user",
      nameOf: ({ $userType }) => ($userType === "agent" ? "Ada" : "Pia"),
      onChoose: hear("choose"),
      onDraft: hear("draft"),
      onForm: hear("form"),
      media: { base: location.origin, streams: false, load: async ({ media }) => (media.name.endsWith(".webm") ? null : dot) },
    });
  });
  return page;
}

async function show(page, messages) {
  await page.evaluate((list) => {
    globalThis.view.clear();
    globalThis.view.addHistory(list);
  }, messages);
}

test("each type of message is drawn as what it is", async () => {
  await withStage(
    async (stage) => {
      const page = await openGallery(stage);
      const groups = sampleGroups();
      const log = page.locator(".log");

      await show(page, groups.text);
      assert.equal(await log.getByRole("link", { name: /example\.com\/hours/u }).count(), 1);
      assert.deepEqual(await log.locator("strong, em, code").allInnerTexts(), ["Returns", "30 days", "RET-1"]);
      assert.ok(await log.getByText("Only you can read all of this.").isVisible());
      assert.ok(await log.getByText("A message of a kind this page does not know (something new).").isVisible());
      await picture(page, "message-text");

      await show(page, groups.buttons);
      assert.ok(await page.locator(".sticky").getByRole("button", { name: "Menu" }).isVisible());
      assert.equal(await log.getByRole("link", { name: /^Opening hours/u }).getAttribute("href"), "https://example.com/hours");
      await picture(page, "message-buttons");

      await show(page, groups.cards);
      assert.equal(await log.getByRole("img", { name: "City bike" }).count(), 1);
      assert.ok(await log.getByText("A picture that cannot be shown.").isVisible(), "an address that is none is no picture");
      await log.getByRole("button", { name: "Ask about it" }).click();
      await log.getByRole("button", { name: "Take the city bike" }).click();
      assert.deepEqual(await page.evaluate(() => globalThis.heard.splice(0)), [["draft", "Ask about it"], ["choose", "Take the city bike"]]);
      assert.ok(await log.getByRole("button", { name: "Take the e-bike" }).isDisabled(), "the cards take one answer");
      await picture(page, "message-cards");

      await show(page, groups.media);
      await log.getByRole("img", { name: "parcel.png" }).waitFor();
      await log.getByText("A ride could not be loaded.").waitFor();
      await log.getByRole("button", { name: /Show unboxing\.webm \(3\.4 MB\)/u }).click();
      await log.getByText("unboxing.webm could not be loaded.").waitFor();
      assert.ok(await log.getByRole("button", { name: "Try again" }).isVisible());
      assert.ok(await log.getByRole("button", { name: "Listen to noise.wav (88 kB)" }).isVisible());
      assert.ok(await log.getByRole("link", { name: /^Manual/u }).isVisible());
      const [download] = await Promise.all([page.waitForEvent("download"), log.getByRole("button", { name: /invoice\.pdf/u }).click()]);
      assert.equal(download.suggestedFilename(), "invoice.pdf");
      await picture(page, "message-media");

      await show(page, groups.forms);
      assert.equal(await log.getByRole("button", { name: "Fill in" }).count(), 1, "a form that was filled in takes no second answer");
      await log.getByRole("button", { name: "Fill in" }).click();
      assert.deepEqual(await page.evaluate(() => globalThis.heard.splice(0).map(([what]) => what)), ["form"]);
      assert.deepEqual(await log.locator(".answers dd").allInnerTexts(), ["4711", "••••", "too small, damaged"]);
      await picture(page, "message-forms");

      await show(page, groups.notices);
      const notices = await log.locator(".note").allInnerTexts();
      assert.equal(notices.length, groups.notices.length);
      for (const words of ["Ada took over", "Nobody is here at this hour", "Handed on to Billing", "Ada left", "Update: something new"]) {
        assert.ok(notices.includes(words), `${words} in ${notices}`);
      }
      await picture(page, "message-notices");

      await show(page, groups.grouped);
      assert.deepEqual(await log.locator("li.message").evaluateAll((items) => items.map((item) => item.classList.contains("is-grouped"))), [false, true, true]);
      await picture(page, "message-grouped");

      await show(page, groups.hidden);
      assert.equal(await log.locator("li.message:visible").count(), 0, "what is meant for machines, or shown elsewhere, is not in the log");
    },
    { startGateway: false },
  );
});

test("a change of the language draws the conversation again, in place", async () => {
  await withStage(
    async (stage) => {
      const page = await openGallery(stage);
      await show(page, [...Object.values(sampleGroups())].flat());
      const texts = () => page.locator(".log .note").allInnerTexts();
      const english = await texts();
      await page.evaluate(async () => (await import("/shared/language.js")).setLanguage("it"));
      assert.ok((await texts()).includes("Ada è subentrato"));
      assert.equal(await page.evaluate(() => document.documentElement.lang), "it");
      await page.evaluate(async () => (await import("/shared/language.js")).setLanguage("en"));
      assert.deepEqual(await texts(), english);
    },
    { startGateway: false },
  );
});

test("the dictionaries have the same texts, with the same places for values", async () => {
  await withStage(
    async (stage) => {
      const page = await stage.open(`${stage.site.origin}/blank.html`);
      const shapes = await page.evaluate(async () => {
        const places = (entry) => Object.values(typeof entry === "string" ? { other: entry } : entry).map((text) => (text.match(/\{\w+\}/gu) ?? []).toSorted().join());
        const shape = async (code) => {
          const { default: dictionary } = await import(`/shared/languages/${code}.js`);
          return Object.fromEntries(Object.entries(dictionary).map(([key, entry]) => [key, [...new Set(places(entry))].join("|")]));
        };
        return { en: await shape("en"), it: await shape("it"), pt: await shape("pt") };
      });
      assert.ok(Object.keys(shapes.en).length > 200);
      assert.deepEqual(shapes.it, shapes.en);
      assert.deepEqual(shapes.pt, shapes.en);
    },
    { startGateway: false },
  );
});

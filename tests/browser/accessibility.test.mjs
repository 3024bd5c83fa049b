// What can be checked of accessibility by machine: the rules of axe-core on every state of both pages in light and dark, the customer's whole
// way by keyboard alone, and what moves when somebody asked for less motion. It does not replace trying a screen reader.

import assert from "node:assert/strict";
import { test } from "node:test";

import { check } from "./support/axe.mjs";
import { accept, askForPerson, say, sees, signIn, startConversation, takeTicket } from "./support/conversation.mjs";
import { withStage } from "./support/stage.mjs";

test("every state of both pages keeps the rules for labels, roles and contrast, in light and dark", async () => {
  await withStage(async (stage) => {
    const customer = await stage.customer();
    await customer.getByRole("heading", { name: "How can we help?" }).waitFor();
    await check(customer, "lobby");
    await takeTicket(customer);
    await customer.getByRole("log").getByRole("button").first().waitFor();
    await check(customer, "virtual agent with choices");
    await customer.getByRole("log").getByRole("button").first().click();
    await customer.locator('.log [data-index][data-author="end_user"]').waitFor();
    await check(customer, "choices taken");
    if (await customer.getByRole("button", { name: "Ask for a person" }).isVisible()) await askForPerson(customer);

    const desk = await stage.desk();
    await desk.getByLabel("Login").waitFor();
    await check(desk, "sign in");
    await signIn(desk);
    await desk.getByRole("button", { name: /^Accept/u }).first().waitFor();
    await check(desk, "queue");
    await accept(desk);
    await say(desk, "Hello, how can I help?");
    await sees(customer, "Hello, how can I help?");
    await check(desk, "conversation");
    await check(customer, "person");
    await customer.getByRole("button", { name: "End chat" }).click();
    await check(customer, "asked before ending");
    await customer.getByRole("dialog").getByRole("button", { name: "End chat" }).click();
    await customer.getByText("This chat has ended.").waitFor();
    await check(customer, "ended");
    await desk.getByText("This conversation has ended.").waitFor();
    await check(desk, "ended");
  });
});

test("dialogs, panels and the developer tools keep them too", async () => {
  await withStage(
    async (stage) => {
      // Whoever is accepted while the next question is asked answers one that is over.
      stage.expectFaults(/409.*check_in/u);
      const page = await stage.customer({ query: { tools: "" } });
      await page.getByRole("heading", { name: "How can we help?" }).waitFor();
      await page.locator("#tools-list summary").first().click();
      await check(page, "lobby with developer tools");
      await page.getByRole("button", { name: "Close the developer tools" }).click();
      for (const name of ["Earlier chats", "What the site sends"]) {
        await page.getByRole("button", { name }).click();
        await page.getByRole("dialog", { name }).waitFor();
        await check(page, name);
        await page.keyboard.press("Escape");
      }
      await takeTicket(page, /^Warranty/u);
      await page.getByRole("button", { name: "Ask for a person" }).click();
      await page.locator("#offer").getByRole("button", { name: "Keep waiting" }).waitFor();
      await check(page, "other ways");
      await page.locator("#offer").getByRole("button", { name: "Keep waiting" }).click();
      await page.getByRole("dialog", { name: "Are you still there?" }).waitFor();
      await check(page, "check-in");
      await page.getByRole("button", { name: "I am here" }).click();

      const desk = await stage.desk();
      await signIn(desk);
      await accept(desk);
      await desk.getByText("About this chat").click();
      await check(desk, "about the customer");
      await desk.getByRole("button", { name: "Transfer" }).click();
      await desk.getByRole("radio").first().waitFor();
      await check(desk, "transfer");
    },
    { config: "[chat.check_in]\nafter_ms = 1500\ntimeout_ms = 60000\n" },
  );
});

test("a customer needs only the keyboard, from the ticket to a new chat", async () => {
  await withStage(async (stage) => {
    const page = await stage.customer();
    await page.getByRole("heading", { name: "How can we help?" }).waitFor();
    await tabTo(page, /no wait|about/u);
    await assertVisibleFocus(page);
    await page.keyboard.press("Enter");
    await page.getByRole("log").waitFor();

    // The text field has the focus already.
    await page.waitForFunction(() => document.activeElement?.id === "text");
    await page.keyboard.type("First line");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("second line");
    await page.keyboard.press("Enter");
    await sees(page, "second line");

    await tabTo(page, /Ask for a person/u);
    await assertVisibleFocus(page);
    await page.keyboard.press("Enter");
    await page.getByText(/Waiting for a person/u).first().waitFor();

    await tabTo(page, /^End chat/u);
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    assert.match(await focusedName(page), /^End chat/u, "the focus returns to the button that asked");
    await page.keyboard.press("Enter");
    await tabTo(page, /^End chat/u);
    await page.keyboard.press("Enter");
    await page.getByText("This chat has ended.").waitFor();

    await tabTo(page, /Start a new chat/u);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "How can we help?" }).waitFor();
    await page.waitForFunction(() => document.activeElement?.id === "lobby-title");
  });
});

test("nothing lies beside the page, at any width and in any language", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await startConversation(stage);
    await customer.getByRole("button", { name: "Share this page" }).waitFor();
    await desk.getByRole("button", { name: "Ask to see the screen" }).waitFor();
    for (const page of [customer, desk]) {
      for (const language of ["en", "it", "pt"]) {
        await page.locator("#language").selectOption(language);
        for (const width of [360, 480, 768, 1000, 1023, 1024, 1280]) {
          await page.setViewportSize({ width, height: 740 });
          const beside = await page.evaluate(() => {
            const found = [...document.querySelectorAll("button, a, input, select, textarea, h1, h2")].filter((node) => {
              const { left, right, width } = node.getBoundingClientRect();
              return width > 1 && node.checkVisibility({ visibilityProperty: true }) && (right > innerWidth + 1 || left < -1);
            });
            const isWide = document.scrollingElement.scrollWidth > innerWidth;
            return [...found.map((node) => node.id || node.textContent), ...(isWide ? ["the page scrolls sideways"] : [])].filter((name) => !/skip/iu.test(name));
          });
          assert.deepEqual(beside, [], `${new URL(page.url()).pathname} in ${language}, ${width} px wide`);
        }
      }
    }
  });
});

test("nothing moves for somebody who asked for less motion", async () => {
  await withStage(async (stage) => {
    const page = await stage.customer({ page: { reducedMotion: "reduce" } });
    await takeTicket(page);
    await page.locator('[data-author="virtual_agent"]').first().waitFor();
    assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
  });
});

/** Presses Tab until something with this name has the focus. */
async function tabTo(page, name) {
  for (let presses = 0; presses < 40; presses += 1) {
    if (name.test(await focusedName(page))) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`no Tab leads to ${name}`);
}

function focusedName(page) {
  return page.evaluate(() => {
    const node = document.activeElement;
    return node === document.body ? "" : (node.getAttribute("aria-label") ?? node.innerText).trim();
  });
}

async function assertVisibleFocus(page) {
  const outline = await page.evaluate(() => {
    const style = getComputedStyle(document.activeElement);
    return { style: style.outlineStyle, width_px: Number.parseFloat(style.outlineWidth) };
  });
  assert.ok(outline.style !== "none" && outline.width_px >= 2, JSON.stringify(outline));
}

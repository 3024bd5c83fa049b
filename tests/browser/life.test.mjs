// The life of a chat with both pages open: asked while waiting, silent, paused and resumed, handed on, given up. Timers are short, by the gateway's
// configuration; nothing here waits for a time, only for what comes of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { check } from "./support/axe.mjs";
import { accept, askForPerson, say, sees, setHidden, signIn, startConversation, takeTicket } from "./support/conversation.mjs";
import { picture } from "./support/screenshots.mjs";
import { withStage } from "./support/stage.mjs";

const GRACE = { login: "grace", password: "sportello-demo" };
const STRAIGHT = /straight to a person/u;

test("whoever waits is asked, keeps the place by answering, loses it otherwise and can come back", async () => {
  await withStage(
    async (stage) => {
      const page = await stage.customer();
      await takeTicket(page, STRAIGHT);
      const prompt = page.getByRole("dialog", { name: "Are you still there?" });
      await prompt.waitFor();
      assert.match(await prompt.getByRole("timer").innerText(), /^0:0\d$/u);
      await prompt.getByRole("button", { name: "I am here" }).click();
      await prompt.waitFor({ state: "hidden" });

      // Asked again, and not answered: a reload asks, too, and then the place is gone.
      await prompt.waitFor();
      await page.reload();
      await prompt.waitFor();
      await page.keyboard.press("Escape");
      assert.ok(await prompt.isVisible(), "the question stays until it is answered");
      await picture(page, "life-check-in");
      const panel = page.locator("#checked-out");
      await panel.getByText("You are no longer in the queue.").waitFor();
      assert.ok(await prompt.isHidden());
      await picture(page, "life-checked-out");
      await panel.getByRole("button", { name: "Join the queue again" }).click();
      await page.getByText(/^Waiting for a person/u).first().waitFor();
      await panel.waitFor({ state: "hidden" });
    },
    { config: "[chat.check_in]\nafter_ms = 1500\ntimeout_ms = 5000\n" },
  );
});

test("a page that is hidden while waiting is asked whatever the wait", async () => {
  await withStage(
    async (stage) => {
      const page = await stage.customer();
      await takeTicket(page, STRAIGHT);
      await page.getByText(/^Waiting for a person/u).first().waitFor();
      await setHidden(page, true);
      await page.getByRole("dialog", { name: "Are you still there?" }).waitFor();
      await page.waitForFunction(() => document.title.startsWith("(!)"));
      await setHidden(page, false);
      await page.getByRole("button", { name: "I am here" }).click();
      await page.getByRole("dialog").waitFor({ state: "hidden" });
      await page.waitForFunction(() => !document.title.startsWith("("));
    },
    { config: "[chat.check_in]\nhidden_after_ms = 300\ntimeout_ms = 60000\n" },
  );
});

test("a silent customer is warned, then paused, and goes on with the same question", async () => {
  await withStage(
    async (stage) => {
      const { customer, desk } = await startConversation(stage);
      await say(customer, "One question");
      await sees(desk, "One question");
      await say(desk, "Yes?");
      const warning = customer.locator("#warning");
      await warning.getByText("Are you still there?").waitFor();
      assert.match(await warning.innerText(), /The chat pauses in 0:0\d if you write nothing\./u);
      await warning.getByRole("button", { name: "I am still here" }).click();
      await warning.waitFor({ state: "hidden" });
      await sees(desk, "I am still here.");

      await say(desk, "Good. What is it?");
      await warning.waitFor();
      await picture(customer, "life-warning");
      const paused = customer.locator("#paused");
      await paused.getByText("This chat is paused.").waitFor();
      await desk.getByText(/^This conversation is paused/u).waitFor();
      await picture(customer, "life-paused");
      await check(customer, "paused");
      await paused.getByRole("button", { name: "Same question" }).click();
      await customer.getByText(/^Waiting for a person/u).first().waitFor();
      await accept(desk);
      await customer.getByText("You are talking to Ada").waitFor();
      assert.equal(await desk.locator(".log .bubble", { hasText: "One question" }).count(), 1, "the agent has the whole conversation");
    },
    { config: "[chat]\ndismiss_after_ms = 7000\ndismiss_warning_ms = 5000\n" },
  );
});

test("a paused chat with the virtual agent goes on with the next message, or another question begins", async () => {
  await withStage(
    async (stage) => {
      const page = await stage.customer();
      await takeTicket(page);
      const paused = page.locator("#paused");
      await paused.waitFor();
      await say(page, "invoice");
      await sees(page, "Invoices are in the confirmation mail.");
      await paused.waitFor({ state: "hidden" });
      await paused.waitFor();
      await paused.getByRole("button", { name: "Another question" }).click();
      await page.getByRole("heading", { name: "How can we help?" }).waitFor();
    },
    { config: "[chat]\nva_dismiss_after_ms = 1500\n" },
  );
});

test("nobody comes in time: the chat ends and says so", async () => {
  await withStage(
    async (stage) => {
      const page = await stage.customer();
      await takeTicket(page, STRAIGHT);
      await page.getByText("Ended: nobody was free in time", { exact: true }).waitFor();
      await page.getByText("The chat has ended: nobody was free in time").waitFor();
      await picture(page, "life-failed");
      await page.getByRole("button", { name: "Start a new chat" }).click();
      await page.getByRole("heading", { name: "How can we help?" }).waitFor();
    },
    { config: "[chat]\nqueue_timeout_ms = 1500\n" },
  );
});

test("an agent hands a conversation to a colleague on duty and to another queue", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await startConversation(stage);
    await say(customer, "It is complicated");
    await sees(desk, "It is complicated");
    const dialog = desk.getByRole("dialog", { name: "Hand this conversation on" });
    await desk.getByRole("button", { name: "Transfer" }).click();
    await dialog.getByText("Nobody else is on duty.").waitFor();
    await dialog.getByRole("button", { name: "Hand on" }).click();
    await dialog.getByText("Please choose an agent or a queue.").waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();

    // To a colleague: theirs at once.
    const other = await stage.desk();
    await signIn(other, GRACE);
    await desk.getByRole("button", { name: "Transfer" }).click();
    await dialog.getByRole("radio", { name: /^Grace/u }).check();
    await picture(desk, "life-transfer");
    await dialog.getByRole("button", { name: "Hand on" }).click();
    await customer.getByText("You are talking to Grace").waitFor();
    await customer.locator(".note", { hasText: "Handed on to Grace" }).waitFor();
    await desk.getByText("You no longer have this conversation.").waitFor();
    await other.getByRole("button", { name: /^Visitor/u }).click();
    await sees(other, "It is complicated");
    await say(other, "Grace here");
    await sees(customer, "Grace here");

    // To a queue: it waits there, and anyone may take it.
    await other.getByRole("button", { name: "Transfer" }).click();
    const theirs = other.getByRole("dialog", { name: "Hand this conversation on" });
    await theirs.getByRole("radio", { name: /^Billing/u }).check();
    await theirs.getByRole("button", { name: "Hand on" }).click();
    await customer.getByText(/^Waiting for a person/u).first().waitFor();
    await customer.locator(".note", { hasText: "Handed on to Billing" }).waitFor();
    await customer.getByRole("heading", { name: "Billing" }).waitFor();
    await accept(desk);
    await customer.getByText("You are talking to Ada").waitFor();
  });
});

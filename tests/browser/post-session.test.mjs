// What follows the human part of a chat, with both pages open: the question whether it may, the conversation with the virtual agent, what it found out on the
// desk, a reload in the middle, and a customer who does not want it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { check } from "./support/axe.mjs";
import { accept, say, sees, signIn } from "./support/conversation.mjs";
import { picture } from "./support/screenshots.mjs";
import { withStage } from "./support/stage.mjs";

/** A customer of "After-sales service" whom an agent serves. */
async function served(stage, queue) {
  const customer = await stage.customer();
  await customer.getByRole("heading", { name: "How can we help?" }).waitFor();
  await customer.getByRole("main").getByRole("button", { name: queue }).click();
  await customer.getByRole("log").waitFor();
  const desk = await stage.desk();
  await signIn(desk);
  await accept(desk);
  await customer.getByText(/You are talking to/u).waitFor();
  return { customer, desk };
}

async function finishAt(desk) {
  await desk.getByRole("button", { name: "Finish" }).click();
  await desk.getByRole("dialog").getByRole("button", { name: /Finish/u }).click();
}

test("after the agent the customer is asked, the virtual agent goes on, and the agent reads what it found out", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await served(stage, /Repairs/u);
    await say(customer, "My bell is broken");
    await sees(desk, "My bell is broken");
    await finishAt(desk);

    const panel = customer.locator("#post-session");
    await panel.getByText("May we ask you two questions?").waitFor();
    assert.ok(await customer.getByText("This chat has ended.").isVisible());
    assert.equal(await customer.getByRole("textbox").count(), 0, "nothing can be written yet");
    await desk.getByText("The customer has not answered yet whether it may ask.").waitFor();
    await picture(customer, "post-session-asked");
    await check(customer, "asked whether it may");

    await panel.getByRole("button", { name: "Go ahead" }).click();
    await sees(customer, "Was your question answered?");
    await customer.getByText("Vera asks how it went").waitFor();
    assert.ok(!(await panel.isVisible()));
    await customer.getByRole("button", { name: "No, not yet" }).click();
    await sees(customer, "What is still missing?");
    await desk.getByText("It talks with the customer.").waitFor();
    await sees(desk, "What is still missing?");

    // Somewhere else, and back: the page goes on where it was, and so does the desk.
    await customer.reload();
    await sees(customer, "What is still missing?");
    await say(customer, "A bell that rings. My card is 4111 1111 1111 1111");
    await sees(customer, "Thank you, that is noted.");
    await picture(customer, "post-session-conversation");
    await check(customer, "conversation with the virtual agent afterwards");

    const results = desk.locator("#post-session");
    await results.getByText("A bell that rings. My card is •••• 1111").waitFor();
    const shown = await results.locator("dl").innerText();
    assert.match(shown, /Answered\s+No, not yet\s+In their words\s+A bell that rings[^]+Call back\s+yes/u);
    assert.equal(await desk.getByRole("textbox").count(), 0, "the agent's part is over");

    await customer.getByRole("button", { name: "That's all" }).click();
    await sees(customer, "have a good ride");
    await customer.getByText("This chat has ended.").waitFor();
    assert.equal(await customer.getByRole("textbox").count(), 0);
    await results.getByText("It is over.").waitFor();
    await picture(desk, "post-session-results");
    await check(desk, "results beside the conversation");
    // It is asked for once.
    await customer.reload();
    await customer.getByRole("heading", { name: "How can we help?" }).waitFor();
  });
});

test("a customer who does not want it is left alone, and where nobody is asked it begins at once", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await served(stage, /Repairs/u);
    await customer.getByRole("button", { name: "End chat" }).click();
    await customer.getByRole("dialog").getByRole("button", { name: "End chat" }).click();
    await customer.locator("#post-session").getByRole("button", { name: "No, thank you" }).click();
    await customer.locator("#post-session").waitFor({ state: "hidden" });
    assert.ok(await customer.getByText("This chat has ended.").isVisible());
    assert.equal(await customer.evaluate(() => document.activeElement.id), "restart", "the way on has the focus");
    await desk.getByText("The customer did not want it.").waitFor();

    await customer.getByRole("button", { name: "Start a new chat" }).click();
    await customer.getByRole("main").getByRole("button", { name: /Spare parts/u }).click();
    await accept(desk);
    await customer.getByText(/You are talking to/u).waitFor();
    await finishAt(desk);
    await sees(customer, "Was your question answered?");
    await customer.getByRole("button", { name: "End chat" }).click();
    await customer.getByRole("dialog").getByRole("button", { name: "End chat" }).click();
    await customer.getByText("This chat has ended.").waitFor();
    await desk.locator("#post-session").getByText("It is over.").waitFor();
  });
});

// The whole story on two pages of different origins: a customer, a virtual agent, a person at the desk, a reload in between, and the end.

import assert from "node:assert/strict";
import { test } from "node:test";

import { accept, askForPerson, readLog, readSaid, say, sees, signIn, takeTicket } from "./support/conversation.mjs";
import { picture } from "./support/screenshots.mjs";
import { withStage } from "./support/stage.mjs";

test("a chat goes from the menu to the virtual agent, to a person, through a reload, to its end", async () => {
  await withStage(async (stage) => {
    const customer = await stage.customer();
    assert.notEqual(new URL(customer.url()).origin, stage.gateway.origin, "page and gateway must be different origins");

    // The counters, each with its waiting time.
    await customer.getByRole("heading", { name: "How can we help?" }).waitFor();
    const ticket = customer.getByRole("main").getByRole("listitem").getByRole("button").first();
    assert.match(await ticket.innerText(), /no wait|about \d+ (minute|hour)s?/u);
    await picture(customer, "customer-1-lobby");

    // The virtual agent greets, answers and offers choices.
    await takeTicket(customer);
    await customer.locator('[data-author="virtual_agent"]').first().waitFor();
    await picture(customer, "customer-2-greeting");
    const choice = customer.getByRole("log").getByRole("button").first();
    const choiceText = await choice.innerText();
    await choice.click();
    const chosen = customer.locator('.log [data-index][data-author="end_user"]', { hasText: choiceText });
    await chosen.waitFor();
    await chosen.locator('xpath=following-sibling::li[@data-author="virtual_agent"]').first().waitFor();
    await picture(customer, "customer-3-virtual-agent");

    // A person is asked for; the desk sees who waits and accepts.
    await askForPerson(customer);
    await picture(customer, "customer-4-queue");
    const desk = await stage.desk();
    await picture(desk, "desk-1-sign-in");
    await signIn(desk);
    await desk.getByRole("button", { name: /^Accept/u }).first().waitFor();
    await desk.locator(".queue-preview", { hasText: choiceText }).waitFor();
    await picture(desk, "desk-2-queue");
    await accept(desk);
    await customer.getByText(/You are talking to/u).waitFor();

    // Typing and text, both ways.
    await desk.getByRole("textbox").pressSequentially("Good morn");
    await customer.locator(".typing", { hasText: "is typing" }).waitFor();
    await say(desk, "Good morning, this is Ada. How can I help?");
    await sees(customer, "this is Ada");
    await customer.locator(".typing", { hasText: "is typing" }).waitFor({ state: "hidden" });
    await customer.getByRole("textbox").pressSequentially("My par");
    await desk.locator(".typing", { hasText: "is typing" }).waitFor();
    await say(customer, "My parcel <b>4711</b> has not arrived.\nSee https://example.com/parcel.");
    await sees(desk, "My parcel <b>4711</b> has not arrived.");
    await say(desk, "I am looking it up.");
    await sees(customer, "I am looking it up.");
    await picture(customer, "customer-5-person");
    await picture(desk, "desk-3-conversation");

    // A reload shows the same messages, once and in the same order, and goes on.
    const atDesk = await readSaid(desk);
    const beforeReload = await readLog(customer);
    await customer.reload();
    await sees(customer, "I am looking it up.");
    await customer.getByText(/You are talking to/u).waitFor();
    assert.deepEqual(await readLog(customer), beforeReload);
    assert.deepEqual((await readSaid(customer)).slice(-3), atDesk.slice(-3));
    await say(customer, "Thank you!");
    await sees(desk, "Thank you!");

    // The agent finishes; the customer is told.
    await desk.getByRole("button", { name: "Finish" }).click();
    await desk.getByRole("dialog").getByRole("button", { name: "Finish" }).click();
    // The page says so from `chat.ended` and nothing else.
    await customer.getByText("This chat has ended.").waitFor();
    await picture(customer, "customer-6-ended");
    await picture(desk, "desk-4-finished");
    assertOnceAndInOrder(await readLog(customer));
    assertOnceAndInOrder(await readLog(desk));

    // And a new chat starts from an empty conversation.
    await customer.getByRole("button", { name: "Start a new chat" }).click();
    await takeTicket(customer);
    await customer.locator('[data-author="virtual_agent"]').first().waitFor();
    assert.deepEqual(await readSaid(customer), []);
  });
});

function assertOnceAndInOrder(log) {
  const indexes = log.map(({ index }) => index);
  assert.deepEqual(indexes, [...new Set(indexes)].toSorted((a, b) => a - b));
}

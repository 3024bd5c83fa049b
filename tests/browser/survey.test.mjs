// After the end of a chat, with both pages open: a rating by keyboard, the survey with every type of question, and the results at the desk.

import assert from "node:assert/strict";
import { test } from "node:test";

import { check } from "./support/axe.mjs";
import { signIn, startConversation } from "./support/conversation.mjs";
import { picture } from "./support/screenshots.mjs";
import { withStage } from "./support/stage.mjs";

/** The agent ends the conversation. */
async function finish(desk) {
  await desk.getByRole("button", { name: "Finish" }).click();
  await desk.getByRole("dialog").getByRole("button", { name: "Finish" }).click();
  await desk.getByText("This conversation has ended.").waitFor();
}

test("a chat is rated with stars by the keyboard, and the rating is beside the conversation at the desk", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await startConversation(stage);
    assert.equal(await customer.getByRole("radio").count(), 0, "a chat that goes on is not rated");
    await finish(desk);
    const stars = customer.getByRole("group", { name: "How was this chat?" });
    await stars.waitFor();
    assert.equal(await customer.getByLabel("Would you like to add something?").isVisible(), false);
    await stars.getByRole("radio", { name: "1 star", exact: true }).focus();
    for (let presses = 0; presses < 3; presses += 1) await customer.keyboard.press("ArrowRight");
    assert.ok(await stars.getByRole("radio", { name: "4 stars" }).isChecked());
    await customer.getByLabel("Would you like to add something?").fill("Quick and kind. My card 4111 1111 1111 1111 was charged.");
    await picture(customer, "rating");
    await check(customer, "a rating that is being given");
    await customer.getByRole("button", { name: "Send the rating" }).click();
    await customer.getByText("Thank you for your rating.").waitFor();
    assert.equal(await stars.count(), 0, "a chat is rated once");
    assert.equal(await customer.evaluate(() => document.activeElement.id), "survey-open", "the focus goes on to what is left");

    // Where the conversation still is, and without a reload.
    await desk.locator("#ended").getByText("rated 4 of 5").waitFor();
    await desk.locator("#mine").getByText("rated 4 of 5").waitFor();
    await picture(desk, "rating-desk-conversation");
    await desk.getByRole("tab", { name: "Results" }).click();
    const results = desk.getByRole("tabpanel", { name: "Results" });
    await results.getByText("Quick and kind. My card •••• 1111 was charged.").waitFor();
    await results.getByText("4.0", { exact: true }).waitFor();
  });
});

test("a survey with every type of question is answered once, and the desk has averages and distributions at once", async () => {
  await withStage(async (stage) => {
    stage.expectFaults(/400.*\/survey/u);
    const { customer, desk } = await startConversation(stage);
    await finish(desk);
    await desk.getByRole("tab", { name: "Results" }).click();
    const results = desk.getByRole("tabpanel", { name: "Results" });
    await results.getByRole("heading", { name: "How likely are you to recommend us?" }).waitFor();
    await check(desk, "results without an answer");

    await customer.getByRole("button", { name: "Answer a few questions" }).click();
    const dialog = customer.getByRole("dialog", { name: "A few questions" });
    await dialog.getByRole("group", { name: "How satisfied are you with this chat?" }).waitFor();
    const types = await dialog.locator(".form-field").evaluateAll((fields) => fields.map((field) => field.dataset.type));
    assert.deepEqual(types, ["csat", "star", "scale", "enumeration", "free-form"]);
    await dialog.getByRole("button", { name: "Send the answers" }).click();
    await dialog.getByText("Please answer at least one question.").waitFor();

    // The keyboard alone: each group is one stop, and the arrows choose.
    await dialog.getByRole("radio", { name: "not at all", exact: true }).focus();
    for (const key of ["ArrowDown", "ArrowDown", "ArrowDown", "Tab", "Space", "ArrowRight", "ArrowRight", "Tab", "Space", "ArrowRight", "Tab", "Space", "Tab"]) await customer.keyboard.press(key);
    await customer.keyboard.type("Open on Sundays");
    assert.ok(await dialog.getByRole("radio", { name: "satisfied", exact: true }).isChecked());
    assert.ok(await dialog.getByRole("group", { name: "How was the person you talked to?" }).getByRole("radio", { name: "3 stars" }).isChecked());
    assert.ok(await dialog.getByRole("radio", { name: "1", exact: true }).isChecked());
    assert.ok(await dialog.getByRole("radio", { name: "an order" }).isChecked());
    await picture(customer, "survey");
    await check(customer, "a survey that is being answered");

    // What the gateway does not take is marked at its question.
    const wrong = dialog.getByRole("radio", { name: "an order" });
    await wrong.evaluate((input) => (input.value = "a bicycle"));
    await dialog.getByRole("button", { name: "Send the answers" }).click();
    await dialog.getByText("Please choose again.").waitFor();
    await dialog.getByText("Please look at the marked answers again.").waitFor();
    await wrong.evaluate((input) => (input.value = "order"));
    await dialog.getByRole("button", { name: "Send the answers" }).click();
    await dialog.getByText("Thank you! We read every answer.").waitFor();
    await picture(customer, "survey-thanks");
    await dialog.getByRole("button", { name: "Close", exact: true }).click();
    await customer.getByText("Thank you for your answers.").waitFor();
    assert.equal(await customer.getByRole("button", { name: "Answer a few questions" }).count(), 0, "a survey is answered once");

    await results.getByText("Open on Sundays").waitFor();
    const cards = await results.locator("#results-questions .result").evaluateAll((nodes) => nodes.map((node) => [node.dataset.type, node.querySelector(".result-mean")?.textContent ?? null, node.querySelector(".result-count").textContent]));
    assert.deepEqual(cards.slice(0, 5), [
      ["csat", "4.0", "1 answer"],
      ["star", "3.0", "1 answer"],
      ["scale", "1.0", "1 answer"],
      ["enumeration", null, "1 answer"],
      ["free-form", null, "1 answer"],
    ]);
    const subject = results.locator(".result", { hasText: "What was it about?" });
    assert.deepEqual(await subject.locator(".share").allInnerTexts().then((rows) => rows.map((row) => row.replace(/\s+/gu, " "))), ["an order 1", "a repair 0", "something else 0"]);
    await customer.getByRole("radio", { name: "5 stars" }).check();
    await customer.getByRole("button", { name: "Send the rating" }).click();
    await results.getByText("5.0", { exact: true }).waitFor();
    await picture(desk, "results");
    await check(desk, "results");

    // One queue, and another language.
    await desk.getByLabel("Queue").selectOption({ label: "Billing" });
    await results.getByRole("heading", { name: "Is the bill clear now?" }).waitFor();
    await desk.getByLabel("Language").selectOption("it");
    await desk.getByRole("heading", { name: "Risposte al sondaggio" }).waitFor();
    await desk.getByText("0 risposte").first().waitFor();
  });
});

test("a queue with a survey of its own asks it in the customer's language, and a reload of the desk comes back to the results", async () => {
  await withStage(async (stage) => {
    const page = await stage.customer({ query: { lang: "pt" } });
    await page.locator('[data-menu="2"]').click();
    await page.locator('[data-author="virtual_agent"]').first().waitFor();
    await page.getByRole("button", { name: "Terminar o chat" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Terminar o chat" }).click();
    await page.getByRole("button", { name: "Responder a algumas perguntas" }).click();
    const dialog = page.getByRole("dialog", { name: "Algumas perguntas" });
    await dialog.getByRole("group", { name: "A fatura ficou clara?" }).getByText("sim").click();
    await dialog.getByRole("button", { name: "Enviar as respostas" }).click();
    await dialog.getByText("Obrigado pelo seu tempo.").waitFor();
    await page.keyboard.press("Escape");
    // The next chat is asked about anew.
    await page.getByRole("button", { name: "Começar um novo chat" }).click();
    await page.locator('[data-menu="2"]').click();
    await page.getByRole("textbox").waitFor();
    assert.equal(await page.locator("#feedback").isVisible(), false);

    const desk = await stage.desk();
    await signIn(desk);
    await desk.getByRole("tab", { name: "Results" }).click();
    await desk.getByRole("heading", { name: "Is the bill clear now?" }).waitFor();
    await desk.reload();
    await desk.getByRole("tab", { name: "Results", selected: true }).waitFor();
    await desk.locator(".result", { hasText: "Is the bill clear now?" }).getByText("1 answer").waitFor();
  });
});

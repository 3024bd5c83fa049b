// Forms on the customer page: a custom form drawn from its questions, with the gateway's word on wrong answers, and a browser form in a sandboxed frame.
// The gateway between the pages is the real one, except that a text "FORM <name>" of the agent reaches the customer as that form, and that the questions
// and the first answers are scripted here.

import assert from "node:assert/strict";
import { test } from "node:test";

import { check } from "./support/axe.mjs";
import { say, sees, startConversation } from "./support/conversation.mjs";
import { picture } from "./support/screenshots.mjs";
import { withStage } from "./support/stage.mjs";

const FORMS = {
  return: { id: 1, form_type: "custom_form", name: "return", title: "Return a purchase", subtitle: "Takes a minute", external_form_id: "return", image: "" },
  survey: { id: 2, form_type: "browser_form", name: "survey", title: "A page of ours", subtitle: "", external_form_id: "survey", image: "", preview_endpoint: "/forms/return.html" },
};
const QUESTIONS = {
  title: "Return a purchase",
  header: "We take everything back within 30 days.",
  footer: "You get an e-mail.",
  questions: [
    { id: 7, type: "toggle", question: "Is it unused?", position: 7, is_mandatory: false, is_masked: false, toggle_on_text: "Unused", toggle_off_text: "Used" },
    { id: 1, type: "text_entry", question: "Order number", position: 1, is_mandatory: true, is_masked: false, content_type: "number", character_limit: 8, help_text: "On the invoice, top right" },
    { id: 2, type: "text_entry", question: "Bank account", position: 2, is_mandatory: false, is_masked: true, content_type: "text" },
    { id: 3, type: "list_picker", question: "Reason", position: 3, is_mandatory: true, is_masked: false, is_multiselect: false, options: [{ id: 1, value: "Too small", list_position: 2 }, { id: 2, value: "Damaged", list_position: 1 }] },
    { id: 4, type: "list_picker", question: "Colours", position: 4, is_mandatory: false, is_masked: false, is_multiselect: true, options: [{ id: 1, value: "Red", list_position: 1, image: "/samples/city-bike.svg" }, { id: 2, value: "Green", list_position: 2, image: "/samples/e-bike.svg" }] },
    { id: 5, type: "date", question: "Bought on", position: 5, is_mandatory: false, is_masked: false },
    { id: 6, type: "time", question: "Call me at", position: 6, is_mandatory: false, is_masked: false },
  ],
};

/** What the agent's text becomes on its way. */
function asForm(message) {
  const name = /^FORM (\w+)$/u.exec(message.content ?? "")?.[1];
  if (!name) return message;
  const { content: _, ...rest } = message;
  return { ...rest, type: "form", form: { ...FORMS[name], smart_action_id: message.$index } };
}

/** Puts itself between the page and the gateway; `submitted` collects what was answered. */
async function script(page, submitted) {
  const transform = (text) => {
    const frame = JSON.parse(text);
    return JSON.stringify(frame.messages ? { ...frame, messages: frame.messages.map(asForm) } : frame);
  };
  await page.routeWebSocket(/\/api\/v1\/stream$/u, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((data) => socket.send(transform(data)));
  });
  await page.route(/\/api\/v1\/chats\/\d+\/messages\?/u, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: transform(await response.text()) });
  });
  await page.route(/\/api\/v1\/chats\/\d+\/forms\/\d+/u, async (route) => {
    const request = route.request();
    const headers = { "access-control-allow-origin": "*" };
    if (request.method() === "OPTIONS") return route.continue();
    if (request.method() === "GET") return route.fulfill({ headers, json: QUESTIONS });
    const { client_id, form_response } = request.postDataJSON();
    submitted.push(form_response);
    const isWrong = form_response.find(({ question_id }) => question_id === 1)?.value !== "4711";
    if (isWrong) {
      const fields = [{ question_id: 1, problem: "There is no such order." }, { question_id: 5, problem: "required" }];
      return route.fulfill({ status: 400, headers, json: { error: { code: "invalid_argument", message: "Some answers are wrong.", fields } } });
    }
    const [, chat, smart_action_id] = /chats\/(\d+)\/forms\/(\d+)/u.exec(request.url()).map(Number);
    const form_data = form_response.map(({ question_id, value }) => ({
      question_id, question: QUESTIONS.questions.find(({ id }) => id === question_id).question, value: question_id === 2 ? "••••" : value,
    }));
    const message = { type: "noti", content: "", event: "formCompleted", form_name: "Return a purchase", smart_action_id, form_data };
    const response = await route.fetch({
      url: `${new URL(request.url()).origin}/api/v1/chats/${chat}/messages`,
      postData: JSON.stringify({ client_id, message }),
    });
    await route.fulfill({ response });
  });
}

test("a custom form is drawn from its questions, wrong answers are marked, and the agent gets the right ones", async () => {
  await withStage(async (stage) => {
    stage.expectFaults(/400.*\/forms\//u);
    const submitted = [];
    const { customer, desk } = await startConversation(stage, { customer: { page: { setUp: (page) => script(page, submitted) } } });
    await say(desk, "FORM return");
    await customer.getByRole("button", { name: "Fill in" }).click();
    const dialog = customer.getByRole("dialog", { name: "Return a purchase" });
    await dialog.getByLabel(/^Order number/u).waitFor();
    assert.deepEqual(await dialog.locator(".form-field label:not(.option), .form-field legend").evaluateAll((labels) => labels.map((label) => label.textContent.trim())), [
      "Order number (required)", "Bank account", "Reason (required)", "Colours", "Bought on", "Call me at", "Is it unused?Used",
    ]);
    assert.equal(await dialog.getByLabel("Bank account").getAttribute("type"), "password");
    assert.equal(await dialog.getByLabel(/^Order number/u).getAttribute("maxlength"), "8");
    assert.ok(await dialog.getByText("On the invoice, top right").isVisible());
    assert.deepEqual(await dialog.getByRole("radio").evaluateAll((inputs) => inputs.map((input) => input.value)), ["Damaged", "Too small"]);

    // The browser's own hint: what is required is not left out.
    await dialog.getByRole("button", { name: "Send the answers" }).click();
    assert.equal(submitted.length, 0);
    await dialog.getByLabel(/^Order number/u).fill("1");
    await dialog.getByLabel("Bank account").fill("IT60 X054");
    await dialog.getByLabel("Damaged").check();
    await dialog.getByLabel("Red", { exact: true }).check();
    await dialog.getByLabel("Green", { exact: true }).check();
    await dialog.getByLabel("Call me at").fill("10:30");
    await dialog.getByRole("switch").check();
    await dialog.getByText("Unused", { exact: true }).waitFor();
    await dialog.getByRole("button", { name: "Send the answers" }).click();
    await dialog.getByText("There is no such order.").waitFor();
    await dialog.getByText("Please answer this.").waitFor();
    assert.ok(await dialog.getByText("Please look at the marked answers again.").isVisible());
    assert.match(await customer.evaluate(() => document.activeElement.labels[0].textContent), /Order number/u, "the first wrong answer has the focus");
    await picture(customer, "form-custom");
    await check(customer, "form with wrong answers");

    await dialog.getByLabel(/^Order number/u).fill("4711");
    await dialog.getByRole("button", { name: "Send the answers" }).click();
    await dialog.waitFor({ state: "hidden" });
    assert.deepEqual(submitted.at(-1), [
      { question_id: 1, value: "4711" },
      { question_id: 2, value: "IT60 X054" },
      { question_id: 3, value: "Damaged" },
      { question_id: 4, value: ["Red", "Green"] },
      { question_id: 6, value: "10:30" },
      { question_id: 7, value: true },
    ]);
    for (const page of [customer, desk]) await sees(page, "Filled in: Return a purchase");
    assert.deepEqual(await desk.locator(".answers dd").allInnerTexts(), ["4711", "••••", "Damaged", "Red, Green", "10:30", "Yes"]);
    assert.equal(await customer.getByRole("button", { name: "Fill in" }).count(), 0);
    await picture(desk, "form-custom-desk");
  });
});

test("a browser form is shown in a sandboxed frame, and what it says reaches the agent", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await startConversation(stage, { customer: { page: { setUp: (page) => script(page, []) } } });
    await say(desk, "FORM survey");
    await customer.getByRole("button", { name: "Fill in" }).click();
    const dialog = customer.getByRole("dialog", { name: "A page of ours" });
    const frame = customer.frameLocator("iframe");
    await frame.getByRole("heading", { name: "Return a purchase" }).waitFor();
    assert.equal(await dialog.locator("iframe").getAttribute("sandbox"), "allow-scripts allow-forms");
    await frame.getByLabel("Order number").fill("4711");
    await picture(customer, "form-browser");
    await check(customer, "browser form");
    await frame.getByRole("button", { name: "Send" }).click();
    await dialog.waitFor({ state: "hidden" });
    for (const page of [customer, desk]) await sees(page, "Filled in: survey");
    assert.deepEqual(await desk.locator(".answers dd").allInnerTexts(), ["4711", "too small"]);

    // The agent sees that it was opened.
    await desk.getByText("What the customer did").click();
    await desk.getByText("opened a form").waitFor();

    // Closing it without an answer changes nothing.
    await say(desk, "FORM return");
    await customer.getByRole("button", { name: "Fill in" }).click();
    await customer.getByRole("dialog", { name: "Return a purchase" }).getByRole("button", { name: "Close the form" }).click();
    await customer.waitForFunction(() => document.activeElement?.id === "text");
    assert.equal(await customer.getByRole("button", { name: "Fill in" }).count(), 1);
  });
});

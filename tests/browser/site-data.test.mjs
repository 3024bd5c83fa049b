// What the site says about its visitor, what the visitor does, and what was said before: sent from the customer page, read at the desk.

import assert from "node:assert/strict";
import { test } from "node:test";

import { accept, askForPerson, say, sees, signIn, takeTicket } from "./support/conversation.mjs";
import { picture } from "./support/screenshots.mjs";
import { withStage } from "./support/stage.mjs";

test("signed and unsigned data, the request and a conversation from elsewhere reach the desk, in order and marked", async () => {
  await withStage(async (stage) => {
    const customer = await stage.customer();
    await customer.getByRole("heading", { name: "How can we help?" }).waitFor();
    await customer.getByRole("button", { name: "What the site sends" }).click();
    const dialog = customer.getByRole("dialog", { name: "What the site sends" });
    await picture(customer, "site-data");

    // What is no JSON is said, and nothing is lost.
    const signed = dialog.getByLabel(/^Signed/u);
    const wanted = { zeta: { label: "Zeta", value: "first" }, alpha: { label: "Alpha", value: 2 }, reserved_verified_customer: { value: true }, "10": { label: "Ten", value: "x" } };
    await signed.fill("{ not json");
    await dialog.getByRole("button", { name: "Send with the next chat" }).click();
    await dialog.getByText("This is no JSON object.").waitFor();
    await signed.fill(JSON.stringify(wanted));
    await dialog.getByLabel(/^Unsigned/u).fill(
      JSON.stringify({ shop: { label: "Shop", value: "https://example.com/shop", type: "url" }, hidden: { value: "unseen", invisible_to_agent: true }, reserved_repeat_customer: { value: true } }),
    );
    await dialog.getByLabel("With a conversation from elsewhere").check();
    await dialog.getByLabel("Ticket number").fill("T-77");
    await dialog.getByLabel("E-mail address").fill("uma@example.com");
    await dialog.getByLabel("First message").fill("It is about my order");
    await dialog.getByRole("button", { name: "Send with the next chat" }).click();
    await takeTicket(customer);
    // The transcript's own words greet instead of the virtual agent's.
    await sees(customer, "I have read what you told our shop bot.");
    await sees(customer, "It is about my order");
    await askForPerson(customer);

    const desk = await stage.desk();
    await signIn(desk);
    await accept(desk);
    const about = desk.getByRole("complementary", { name: "About the customer" });
    assert.deepEqual(await about.locator(".flag").allInnerTexts(), ["Verified customer", "Returning customer (unsigned)"]);
    await about.getByText("Signed by the site").click();
    await about.getByText("Said by the page").click();
    await about.getByText("About this chat").click();
    await about.getByText("Earlier conversation elsewhere").click();
    const entries = (section) => about.locator(`[data-section="${section}"] dt`).allInnerTexts();
    assert.deepEqual((await entries("signed")).toSorted(), ["Alpha", "Ten", "Zeta"]);
    assert.ok((await entries("signed")).indexOf("Zeta") < (await entries("signed")).indexOf("Alpha"), "the site's order");
    assert.deepEqual(await entries("unsigned"), ["Shop"]);
    assert.equal(await about.getByText("unseen").count(), 0);
    assert.match(await about.locator('[data-section="request"]').innerText(), /T-77/u);
    assert.match(await about.locator('[data-section="request"]').innerText(), /uma@example\.com/u);
    assert.match(await about.locator('[data-section="transcript"]').innerText(), /Does the city bike have lights\?[\s\S]*Yes/u);
    await picture(desk, "site-data-desk");
    await about.getByText("Earlier conversation elsewhere").click();

    // What the customer does besides writing.
    await customer.getByRole("button", { name: "Your name" }).click();
    await customer.getByRole("dialog").getByLabel("Your name").fill("Uma");
    await customer.getByRole("dialog").getByRole("button", { name: "Tell the agent" }).click();
    await desk.getByRole("heading", { name: "Uma" }).waitFor();
    await about.getByText("What the customer did").click();
    await about.getByText("told a name").waitFor();
    await about.getByText("asked for a person").waitFor();

    // The desk in another language, in the middle of it.
    await say(desk, "Hello Uma");
    await desk.getByLabel("Language").selectOption("pt");
    await desk.locator("#about").getByText("Assinado pelo sítio").waitFor();
    await desk.getByRole("heading", { name: /^As minhas conversas/u }).waitFor();
    await picture(desk, "desk-portuguese");
  });
});

test("earlier chats are shown page by page, those that were dropped only by number", async () => {
  await withStage(async (stage) => {
    const customer = await stage.customer({ query: { user: "historian" } });
    await customer.getByRole("heading", { name: "How can we help?" }).waitFor();
    await customer.getByRole("button", { name: "Earlier chats" }).click();
    const dialog = customer.getByRole("dialog", { name: "Earlier chats" });
    await dialog.getByText("There are none yet.").waitFor();
    await dialog.getByRole("button", { name: "Close the earlier chats" }).click();

    await takeTicket(customer);
    await say(customer, "A question for later");
    await sees(customer, "A question for later");
    await customer.getByRole("button", { name: "End chat" }).click();
    await customer.getByRole("dialog").getByRole("button", { name: "End chat" }).click();
    await customer.getByText("This chat has ended.").waitFor();
    await customer.getByRole("button", { name: "Earlier chats" }).click();
    await dialog.locator("summary").first().click();
    await dialog.getByText("A question for later").waitFor();
    await picture(customer, "history");
    await dialog.getByRole("button", { name: "Close the earlier chats" }).click();

    // A new chat drops the former one.
    await customer.getByRole("button", { name: "Start a new chat" }).click();
    await customer.getByRole("heading", { name: "How can we help?" }).waitFor();
    await customer.getByRole("button", { name: "Earlier chats" }).click();
    await dialog.getByText(/^Not shown: No\. \d+\.$/u).waitFor();
  });
});

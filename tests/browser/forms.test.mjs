// Forms with both pages open: a custom form drawn from its questions, with the gateway's word on wrong answers and answers that only the agent reads; and a
// browser form in a sandboxed frame.

import assert from "node:assert/strict";
import { test } from "node:test";

import { check } from "./support/axe.mjs";
import { say, sees, startConversation } from "./support/conversation.mjs";
import { picture } from "./support/screenshots.mjs";
import { withStage } from "./support/stage.mjs";

/** The agent sends a form of this title. */
async function sendForm(desk, title) {
  await desk.getByRole("button", { name: "Send a form" }).click();
  await desk.getByRole("dialog", { name: "Send a form" }).getByRole("button", { name: title, exact: true }).click();
  await sees(desk, title);
}

test("a custom form is drawn from its questions, wrong answers are marked, and only the agent reads what is masked", async () => {
  await withStage(async (stage) => {
    stage.expectFaults(/400.*\/forms\//u);
    const { customer, desk } = await startConversation(stage);
    await sendForm(desk, "Return a purchase");
    await customer.getByRole("button", { name: "Fill in" }).click();
    const dialog = customer.getByRole("dialog", { name: "Return a purchase" });
    await dialog.getByLabel(/^Order number/u).waitFor();
    assert.equal(await dialog.getByLabel(/^Order number/u).getAttribute("maxlength"), "20");
    assert.equal(await dialog.getByLabel(/^E-mail address/u).getAttribute("type"), "email");
    assert.equal(await dialog.getByLabel("Bank account").getAttribute("type"), "password");
    assert.ok(await dialog.getByText("It is on the bill.").isVisible());
    assert.deepEqual([await dialog.getByRole("checkbox").count(), await dialog.getByRole("radio").count(), await dialog.getByRole("switch").count()], [3, 2, 1]);

    // The browser's own hint keeps what is required; behind it the gateway says the same.
    await dialog.getByRole("button", { name: "Send the answers" }).click();
    assert.ok(await dialog.isVisible());
    await dialog.locator("form").evaluate((form) => (form.noValidate = true));
    await dialog.getByLabel(/^E-mail address/u).fill("not an address");
    await dialog.getByRole("button", { name: "Send the answers" }).click();
    await dialog.getByText("Please answer this.").waitFor();
    await dialog.getByText("Please write an e-mail address.").waitFor();
    assert.ok(await dialog.getByText("Please look at the marked answers again.").isVisible());
    assert.match(await customer.evaluate(() => document.activeElement.labels[0].textContent), /Order number/u, "the first wrong answer has the focus");
    await picture(customer, "form-custom");
    await check(customer, "form with wrong answers");

    await dialog.getByLabel(/^Order number/u).fill("A-1000");
    await dialog.getByLabel(/^E-mail address/u).fill("uma@example.com");
    await dialog.getByLabel("too small").check();
    await dialog.getByLabel("damaged").check();
    await dialog.getByLabel("another one").check();
    await dialog.getByLabel("Bought on").fill("2026-11-20");
    await dialog.getByLabel("The courier may come from").fill("10:30");
    await dialog.getByLabel("Bank account").fill("IT60 X054");
    await dialog.getByRole("switch").check();
    await dialog.getByRole("button", { name: "Send the answers" }).click();
    await dialog.waitFor({ state: "hidden" });

    for (const page of [customer, desk]) {
      await sees(page, "Filled in: Return a purchase");
      const answers = (await page.locator(".answers dd").allInnerTexts()).join("|");
      assert.match(answers, /A-1000\|uma@example\.com\|.*too small.*damaged.*another one.*••••/u);
    }
    assert.equal(await customer.getByRole("button", { name: "Fill in" }).count(), 0, "a form is answered once");
    assert.equal(await customer.getByRole("button", { name: "Show what is hidden" }).count(), 0);
    await desk.getByRole("button", { name: "Show what is hidden" }).click();
    await desk.locator(".answers").getByText("IT60 X054").waitFor();
    await picture(desk, "form-custom-desk");
    await customer.reload();
    await sees(customer, "Filled in: Return a purchase");
    assert.equal(await customer.getByText("IT60 X054").count(), 0);
  });
});

test("a browser form is shown in a sandboxed frame, and what it says reaches the agent", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await startConversation(stage);
    await sendForm(desk, "Return a purchase, on our page");
    await customer.getByRole("button", { name: "Fill in" }).click();
    const dialog = customer.getByRole("dialog", { name: "Return a purchase, on our page" });
    const frame = customer.frameLocator("iframe");
    await frame.getByRole("heading", { name: "Return a purchase" }).waitFor();
    assert.equal(await dialog.locator("iframe").getAttribute("sandbox"), "allow-scripts allow-forms");
    await frame.getByLabel("Order number").fill("4711");
    await picture(customer, "form-browser");
    await check(customer, "browser form");
    await frame.getByRole("button", { name: "Send" }).click();
    await dialog.waitFor({ state: "hidden" });
    for (const page of [customer, desk]) await sees(page, "Filled in: Return page");
    assert.deepEqual(await desk.locator(".answers dd").allInnerTexts(), ["4711", "too small"]);

    // The agent sees that it was opened.
    await desk.getByText("What the customer did").click();
    await desk.getByText("opened a form").waitFor();
  });
});

test("a virtual agent hands out a form in the customer's language, and closing it changes nothing", async () => {
  await withStage(async (stage) => {
    const page = await stage.customer({ query: { lang: "it" } });
    await page.getByRole("heading", { name: "Come possiamo aiutarti?" }).waitFor();
    await page.locator("[data-menu]").first().click();
    await page.locator('[data-author="virtual_agent"]').first().waitFor();
    await say(page, "modulo");
    await page.getByRole("button", { name: "Compila" }).click();
    const dialog = page.getByRole("dialog", { name: "Restituire un acquisto" });
    await dialog.getByLabel("troppo piccola").waitFor();
    await dialog.getByRole("button", { name: "Chiudi il modulo" }).click();
    await page.waitForFunction(() => document.activeElement?.id === "text");
    assert.equal(await page.getByRole("button", { name: "Compila" }).count(), 1);
  });
});

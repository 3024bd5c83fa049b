// What happens to a page that is hidden, reloaded at a bad moment, or signed out.

import assert from "node:assert/strict";
import { test } from "node:test";

import { accept, askForPerson, readLog, readSaid, say, sees, setHidden, signIn, startConversation, takeTicket } from "./support/conversation.mjs";
import { photo } from "./support/samples.mjs";
import { CONNECTION_LOST, withStage } from "./support/stage.mjs";

test("the title of a hidden page counts what was not read, and forgets it when the page is looked at", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await startConversation(stage);
    await setHidden(customer, true);
    await say(desk, "Are you still there?");
    await customer.waitForFunction(() => document.title.startsWith("(1)"));
    await setHidden(customer, false);
    await customer.waitForFunction(() => !document.title.startsWith("("));

    // The same at the desk, where another conversation is not on the screen.
    await setHidden(desk, true);
    await say(customer, "Yes, here");
    await desk.waitForFunction(() => document.title.startsWith("(1)"));
    await setHidden(desk, false);
    await desk.waitForFunction(() => !document.title.startsWith("("));
  });
});

test("a message written while the gateway is down survives a reload of the page and arrives once", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await startConversation(stage);
    stage.expectFaults(...CONNECTION_LOST);
    await stage.gateway.kill();
    await customer.locator('#connection[data-state="offline"], #connection[data-state="connecting"]').waitFor();
    await say(customer, "Written in the dark");
    await customer.locator(".is-pending", { hasText: "Written in the dark" }).waitFor();
    await customer.reload();
    await customer.getByRole("alert").getByText("We keep trying.").waitFor();
    await stage.gateway.start();
    await sees(customer, "Written in the dark");
    await sees(desk, "Written in the dark");
    await customer.locator(".is-pending").waitFor({ state: "detached" });
    for (const page of [customer, desk]) {
      assert.equal((await readSaid(page)).filter((said) => said === "end_user: Written in the dark").length, 1);
    }
  });
});

test("the desk goes on after a reload without signing in again, and signing out closes it", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await startConversation(stage);
    await say(desk, "One moment please");
    await sees(customer, "One moment please");
    const before = await readLog(desk);
    await desk.reload();
    await desk.getByRole("button", { name: /^Visitor/u }).click();
    await sees(desk, "One moment please");
    assert.deepEqual(await readLog(desk), before);

    await desk.getByRole("button", { name: "Sign out" }).click();
    await desk.getByLabel("Login").waitFor();
    await desk.reload();
    await desk.getByLabel("Login").waitFor();
    assert.equal(await desk.getByRole("log").count(), 0);
  });
});

test("a wrong password is said in words and the right one still opens the desk", async () => {
  await withStage(async (stage) => {
    stage.expectFaults(/status of 401/u);
    const desk = await stage.desk();
    await desk.getByLabel("Login").fill("ada");
    await desk.getByLabel("Password").fill("not the password");
    await desk.getByRole("button", { name: "Sign in" }).click();
    await desk.getByText("Login or password is not right.").waitFor();
    await signIn(desk);
    await desk.getByText("Nobody is waiting.").waitFor();
  });
});

test("two desks see the same queue, and only one of them gets the chat", async () => {
  await withStage(async (stage) => {
    const customer = await stage.customer();
    await takeTicket(customer);
    await askForPerson(customer);
    const [ada, grace] = [await stage.desk(), await stage.desk()];
    await signIn(ada);
    await signIn(grace, { login: "grace", password: "sportello-demo" });
    for (const desk of [ada, grace]) await desk.getByRole("button", { name: /^Accept/u }).waitFor();
    await accept(ada);
    await grace.getByText("Nobody is waiting.").waitFor();
    await say(ada, "Hello, Ada here");
    await sees(customer, "Hello, Ada here");
    assert.deepEqual(await readSaid(customer), ["agent: Hello, Ada here"]);
  });
});

test("the page works from the gateway's own origin too, under the gateway's policy", async () => {
  await withStage(async (stage) => {
    const page = await stage.open(`${stage.gateway.origin}/?lang=pt&tools`);
    await page.getByRole("heading", { name: "Como podemos ajudar?" }).waitFor();
    await page.getByRole("complementary", { name: "Ferramentas de programador" }).waitFor();
    await page.getByRole("button", { name: /^Faturação/u }).click();
    await page.locator('[data-author="virtual_agent"]').first().waitFor();
    const image = await photo(page);
    await page.locator("#composer input[type=file]").setInputFiles({ name: "fatura.png", mimeType: "image/png", buffer: image });
    await page.getByRole("img", { name: "fatura.png" }).waitFor();
    await page.waitForFunction(() => document.querySelector(".log img").naturalWidth > 0);
  });
});

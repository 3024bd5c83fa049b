// Calls with both pages open: asked for at once and for a time, refused in words, moved, cancelled, found again after a reload; the desk hears of each, reads all that
// was said and moves it to its end. And the SDK's own calls with what is wrong.

import assert from "node:assert/strict";
import { test } from "node:test";

import { check } from "./support/axe.mjs";
import { signIn } from "./support/conversation.mjs";
import { picture } from "./support/screenshots.mjs";
import { openSdkPage } from "./support/sdk-page.mjs";
import { withStage } from "./support/stage.mjs";

const PERSON = 4;
const PHONE = "02 3661 8300";

/** Opens the dialog of the counter that leads straight to a person. */
async function openDialog(customer) {
  await customer.getByRole("heading", { name: "How can we help?" }).waitFor();
  await customer.getByRole("button", { name: /^Call me: Something else/u }).click();
  const dialog = customer.getByRole("dialog", { name: "We call you" });
  await dialog.waitFor();
  return dialog;
}

async function openCalls(stage) {
  const desk = await stage.desk();
  await signIn(desk);
  await desk.getByRole("tab", { name: /^Calls/u }).click();
  return desk;
}

const card = (desk) => desk.locator(".call-card").first();

test("a call as soon as somebody is free: the desk hears of it and moves it to its end, and the customer sees each step", async () => {
  await withStage(async (stage) => {
    stage.expectFaults(/400.*\/calls/u);
    const desk = await openCalls(stage);
    await desk.getByText("There are no calls.").waitFor();
    const customer = await stage.customer({ query: { user: "maria" } });
    const dialog = await openDialog(customer);
    await dialog.getByLabel("Your telephone number").fill("not a number");
    await dialog.getByRole("button", { name: "Ask for the call" }).click();
    await dialog.getByRole("alert").getByText("This is no telephone number.").waitFor();
    await picture(customer, "calls-dialog");
    await check(customer, "asking for a call");
    await dialog.getByLabel("Your telephone number").fill(PHONE);
    await dialog.getByLabel("Yes", { exact: true }).check();
    await dialog.getByRole("button", { name: "Ask for the call" }).click();
    const mine = customer.locator("#my-call");
    await mine.getByText("waiting for somebody to be free").waitFor();
    assert.match(await mine.innerText(), /may be recorded/u);
    assert.match(await customer.evaluate(() => document.activeElement.textContent), /At a time instead/u, "the focus is on the call");
    await picture(customer, "calls-waiting");
    await check(customer, "a call that waits");

    await desk.getByRole("tab", { name: "Calls 1" }).waitFor();
    await desk.getByRole("heading", { name: "Waiting for a call" }).waitFor();
    assert.equal(await card(desk).getByRole("link").getAttribute("href"), "tel:+390236618300");
    assert.equal(await card(desk).getByRole("link").innerText(), "+39 02 3661 8300");
    const words = await card(desk).innerText();
    for (const expected of [/maria/u, /waiting less than a minute/u, /allowed/u, /Something else/u]) assert.match(words, expected);
    await picture(desk, "calls-desk-waiting");
    await check(desk, "a call at the desk");

    await card(desk).getByRole("button", { name: /^Take/u }).click();
    await desk.getByRole("heading", { name: "My calls" }).waitFor();
    assert.match(await desk.evaluate(() => document.activeElement.getAttribute("aria-label")), /^Dialling: maria/u, "the focus goes on with the call");
    await mine.getByText("somebody is about to call").waitFor();
    await card(desk).getByRole("button", { name: /^Dialling/u }).click();
    await mine.getByText("we are calling you").waitFor();
    assert.equal(await mine.getByRole("button").count(), 0, "what rings is neither moved nor canceled");
    await card(desk).getByRole("button", { name: /^Talking/u }).click();
    await mine.getByText("you are talking").waitFor();
    await picture(desk, "calls-desk-talking");
    await card(desk).getByRole("button", { name: /^Finish/u }).click();
    await desk.getByRole("heading", { name: "Over", exact: true }).waitFor();
    assert.match(await card(desk).innerText(), /finished/u);
    await mine.getByRole("button", { name: "All right" }).click();
    await mine.waitFor({ state: "hidden" });
    await customer.reload();
    await customer.getByRole("heading", { name: "How can we help?" }).waitFor();
    assert.ok(await mine.isHidden(), "what is over is not found again");
  });
});

test("a call at a time is found again after a reload, moved to another time and cancelled; the desk follows", async () => {
  await withStage(async (stage) => {
    const desk = await openCalls(stage);
    const customer = await stage.customer({ query: { user: "maria" } });
    const dialog = await openDialog(customer);
    await dialog.getByLabel("Your telephone number").fill("+1 202 555 0173");
    await dialog.getByLabel("At a time").check();
    const slot = dialog.getByLabel("Time, on your clock");
    await slot.locator("option").nth(3).waitFor({ state: "attached" });
    const times = await slot.locator("option").evaluateAll((options) => options.map((option) => option.value).filter(Boolean));
    await slot.selectOption(times[4]);
    await dialog.getByLabel("No", { exact: true }).check();
    await picture(customer, "calls-dialog-time");
    await check(customer, "choosing a time");
    await dialog.getByRole("button", { name: "Ask for the call" }).click();
    const mine = customer.locator("#my-call");
    await mine.getByText("planned").waitFor();
    await desk.getByRole("heading", { name: "Planned" }).waitFor();
    assert.match(await card(desk).innerText(), /not allowed/u);
    const shown = (await mine.innerText()).replaceAll("\n", " ");

    await customer.reload();
    await mine.getByText("planned").waitFor();
    assert.equal((await mine.innerText()).replaceAll("\n", " "), shown);
    await mine.getByRole("button", { name: "Another time" }).click();
    const again = customer.getByRole("dialog", { name: "Another time" });
    await again.getByLabel("Time, on your clock").locator("option").nth(3).waitFor({ state: "attached" });
    const offered = await again.getByLabel("Time, on your clock").locator("option").evaluateAll((options) => options.map((option) => option.value));
    assert.ok(!offered.includes(times[4]), "its own time is taken by itself");
    assert.ok(await again.getByLabel("Your telephone number").isHidden());
    await again.getByLabel("Time, on your clock").selectOption(times[6]);
    await again.getByRole("button", { name: "Move the call" }).click();
    await again.waitFor({ state: "hidden" });
    await desk.waitForFunction((time) => document.querySelector(".call-card")?.innerText.includes(time), await desk.evaluate((iso) => new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso)), times[6]));
    await picture(desk, "calls-desk-planned");
    await customer.getByLabel("Language").selectOption("it");
    await mine.getByText("prenotata").waitFor();
    await picture(customer, "calls-planned-italian");
    await mine.getByRole("button", { name: "Annulla la chiamata" }).click();
    await mine.getByText("annullata").waitFor();
    await desk.getByRole("heading", { name: "Over", exact: true }).waitFor();
    assert.match(await card(desk).innerText(), /canceled/u);
  });
});

test("a time that somebody else took meanwhile is said in words, and another one can be chosen", async () => {
  await withStage(
    async (stage) => {
      stage.expectFaults(/409.*\/calls/u);
      const customer = await stage.customer({ query: { user: "maria" } });
      const dialog = await openDialog(customer);
      await dialog.getByLabel("Your telephone number").fill(PHONE);
      await dialog.getByLabel("At a time").check();
      const slot = dialog.getByLabel("Time, on your clock");
      await slot.locator("option").nth(2).waitFor({ state: "attached" });
      const times = await slot.locator("option").evaluateAll((options) => options.map((option) => option.value).filter(Boolean));
      await slot.selectOption(times[3]);
      const other = await openSdkPage(stage);
      const faster = await other.evaluate(([menu, at]) => outcome(createClient({ identifier: "eva" }).createCall(menu, { phone_number: "+390236618300", scheduled_at: at })), [PERSON, times[3]]);
      assert.equal(faster.value.status, "scheduled");
      await dialog.getByRole("button", { name: "Ask for the call" }).click();
      await dialog.getByRole("alert").getByText("This time is taken.").waitFor();
      await slot.locator(`option[value="${times[3]}"]`).waitFor({ state: "detached" });
      await slot.selectOption(times[5]);
      await dialog.getByRole("button", { name: "Ask for the call" }).click();
      await customer.locator("#my-call").getByText("planned").waitFor();
    },
  );
});

test("the SDK's own calls: wrong arguments, other people's calls and taken times are typed errors", async () => {
  await withStage(async (stage) => {
    stage.expectFaults(/(400|404|409)/u);
    const page = await openSdkPage(stage);
    const results = await page.evaluate(async (menu) => {
      const [mine, other] = [createClient({ identifier: "maria" }), createClient({ identifier: "eva" })];
      const slots = await mine.getTimeSlots(menu, { useAdvancedCallScheduling: true, lang: "it" });
      const call = await mine.createCall(menu, { phone_number: "+390236618300", scheduled_at: slots[2] });
      const wrong = {
        number: await outcome(mine.createCall(menu, { phone_number: "12" })),
        nothing: await outcome(mine.createCall(menu)),
        menu: await outcome(mine.createCall(999, { phone_number: "+390236618300" })),
        chatOnly: await outcome(mine.createCall(1, { phone_number: "+390236618300" })),
        closed: await outcome(mine.createCall(6, { phone_number: "+390236618300" })),
        taken: await outcome(other.createCall(menu, { phone_number: "+390236618300", scheduled_at: slots[2] })),
        stranger: await outcome(other.loadCall(call.id)),
        strangerCancels: await outcome(other.cancelCall(call.id)),
        noTime: await outcome(mine.rescheduleCall(call.id, "whenever")),
        past: await outcome(mine.rescheduleCall(call.id, "2020-01-01T00:00:00Z")),
        slots: await outcome(mine.getTimeSlots("x")),
        noSlots: await outcome(mine.fetchTimeSlotAvailability(1)),
      };
      mine.close();
      other.close();
      return { wrong, errors: [...mine.errors, ...other.errors] };
    }, PERSON);
    const codes = Object.fromEntries(Object.entries(results.wrong).map(([name, { code, isTyped }]) => [name, isTyped && code]));
    assert.deepEqual(codes, {
      number: "invalid_argument", nothing: "invalid_argument", menu: "not_found", chatOnly: "conflict", closed: "after_hours", taken: "conflict",
      stranger: "not_found", strangerCancels: "not_found", noTime: "invalid_argument", past: "conflict", slots: "invalid_argument", noSlots: "conflict",
    });
    assert.deepEqual(results.errors, []);
  });
});

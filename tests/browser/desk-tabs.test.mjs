// The desk's tab bar: by pointer and by keyboard, after a reload, narrow and wide, and what it says about an unread message while another tab is chosen.

import assert from "node:assert/strict";
import { test } from "node:test";

import { check } from "./support/axe.mjs";
import { say, signIn, startConversation } from "./support/conversation.mjs";
import { picture } from "./support/screenshots.mjs";
import { withStage } from "./support/stage.mjs";

const chosen = (desk) => desk.getByRole("tab", { selected: true }).getAttribute("id");
const visiblePanels = (desk) => desk.getByRole("tabpanel").evaluateAll((panels) => panels.map((panel) => panel.getAttribute("aria-labelledby")));

test("arrows, Home and End choose among the tabs, one panel shows, and a reload comes back to it", async () => {
  await withStage(async (stage) => {
    const desk = await stage.desk();
    await signIn(desk);
    assert.equal(await chosen(desk), "tab-conversations");
    const ids = await desk.getByRole("tab").evaluateAll((tabs) => tabs.map((tab) => tab.id));
    await desk.locator("#tab-conversations").focus();
    for (const [key, id] of [["ArrowRight", ids[1]], ["ArrowLeft", ids[0]], ["ArrowLeft", ids.at(-1)], ["ArrowRight", ids[0]], ["End", ids.at(-1)], ["Home", ids[0]]]) {
      await desk.keyboard.press(key);
      assert.equal(await chosen(desk), id, `after ${key}`);
      assert.equal(await desk.evaluate(() => document.activeElement.id), id, `the focus after ${key}`);
      assert.deepEqual(await visiblePanels(desk), [id], `the panels after ${key}`);
    }
    assert.equal(await desk.locator('[role=tab][tabindex="0"]').count(), 1, "one stop for the Tab key");
    await desk.getByRole("tab", { name: "Calls" }).click();
    await check(desk, "calls tab");
    await desk.reload();
    await desk.getByRole("tab", { name: "Calls", selected: true }).waitFor();
    assert.deepEqual(await visiblePanels(desk), ["tab-calls"]);
  });
});

test("a message that comes while another tab is chosen is unread, and the tab says so", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await startConversation(stage);
    await desk.setViewportSize({ width: 360, height: 740 });
    await desk.getByRole("tablist").waitFor({ state: "hidden" });
    await desk.getByRole("button", { name: "Back to the lists" }).click();
    await desk.setViewportSize({ width: 1280, height: 800 });
    await desk.locator("#mine button").click();
    await desk.getByRole("tab", { name: /^Conversations/u }).waitFor();
    assert.equal(await desk.locator("#tab-conversations .count").isVisible(), false);
    await desk.getByRole("tab", { name: "Calls" }).click();
    await say(customer, "Are you there?");
    await desk.getByRole("tab", { name: "Conversations 1" }).waitFor();
    await picture(desk, "desk-tabs");
    await desk.getByRole("tab", { name: "Conversations 1" }).click();
    await desk.getByRole("tab", { name: "Conversations", exact: true }).waitFor();
  });
});

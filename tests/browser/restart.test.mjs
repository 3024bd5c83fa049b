// The gateway is killed while both sides write, twice, and started again on the same port and data. Neither page is touched: both go on by
// themselves. What was acknowledged is still there, nothing appears twice, and both pages show the same order.

import assert from "node:assert/strict";
import { test } from "node:test";

import { readLog, say, sees, startConversation } from "./support/conversation.mjs";
import { picture } from "./support/screenshots.mjs";
import { CONNECTION_LOST, withStage } from "./support/stage.mjs";

const MESSAGES_EACH = 24;
const KILL_AFTER = [6, 14];

test("a killed and restarted gateway loses, repeats and reorders nothing, and both pages go on by themselves", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await startConversation(stage);
    stage.expectFaults(...CONNECTION_LOST);
    const acknowledged = collectAcknowledgements(customer, desk);
    await Promise.all([markPage(customer), markPage(desk)]);

    await Promise.all([
      writeMany(customer, "customer"),
      writeMany(desk, "agent"),
      (async () => {
        for (const count of KILL_AFTER) {
          await acknowledged.reach(2 * count);
          await stage.gateway.kill();
          await Promise.all([offline(customer), offline(desk)]);
          if (count === KILL_AFTER[0]) await Promise.all([picture(customer, "customer-7-offline"), picture(desk, "desk-5-offline")]);
          await stage.gateway.start();
        }
      })(),
    ]);

    // Everything that was written arrives, at both ends.
    for (const page of [customer, desk]) {
      for (const who of ["customer", "agent"]) await sees(page, line(who, MESSAGES_EACH));
      await page.locator(".is-pending").waitFor({ state: "detached" });
    }
    const atCustomer = await readLog(customer);
    const atDesk = await readLog(desk);
    assert.deepEqual(comparable(atCustomer), comparable(atDesk), "both pages show the same, in the same order");
    for (const log of [atCustomer, atDesk]) assertComplete(log);

    // No acknowledged message is gone or has moved.
    assert.ok(acknowledged.entries.length >= 2 * KILL_AFTER.at(-1));
    for (const { index, text } of acknowledged.entries) {
      assert.equal(atDesk.find((message) => message.index === index)?.text, text, `message ${index} was acknowledged`);
    }

    // Nobody reloaded, and the conversation goes on.
    for (const page of [customer, desk]) assert.equal(await page.evaluate(() => globalThis.neverReloaded), true);
    await say(customer, "Still there?");
    await sees(desk, "Still there?");
    await say(desk, "Still here.");
    await sees(customer, "Still here.");
  });
});

async function writeMany(page, who) {
  for (let number = 1; number <= MESSAGES_EACH; number += 1) {
    await say(page, line(who, number));
    // The next one is written when this one is on the screen, sent or not: as a person would.
    await page.locator(".log .bubble", { hasText: line(who, number) }).first().waitFor();
  }
}

const line = (who, number) => `${who} line ${String(number).padStart(2, "0")}`;

/** Messages that the gateway has answered for: index and text, of both pages. */
function collectAcknowledgements(...pages) {
  const entries = [];
  const waiting = [];
  const take = async (response) => {
    const request = response.request();
    if (request.method() !== "POST" || !request.url().endsWith("/messages") || !response.ok()) return;
    // A body cut off by the kill acknowledges nothing.
    const body = await response.json().catch(() => null);
    if (!body) return;
    entries.push({ index: body.index, text: request.postDataJSON().message.content });
    for (const check of waiting) check();
  };
  for (const page of pages) page.on("response", take);
  return {
    entries,
    reach: (count) =>
      new Promise((resolve) => {
        const check = () => entries.length >= count && resolve();
        waiting.push(check);
        check();
      }),
  };
}

/** A reload would lose this mark. */
function markPage(page) {
  return page.evaluate(() => {
    globalThis.neverReloaded = true;
  });
}

async function offline(page) {
  await page.locator('#connection[data-state="offline"], #connection[data-state="connecting"]').waitFor();
}

/** The lines of people by index: system lines may be worded for the one who looks. */
function comparable(log) {
  return log.map(({ index, author, text }) => ({ index, author, text: author === "system" ? "" : text }));
}

function assertComplete(log) {
  const indexes = log.map(({ index }) => index);
  assert.deepEqual(indexes, [...new Set(indexes)].toSorted((a, b) => a - b), "each index once, ascending");
  for (const who of ["customer", "agent"]) {
    const texts = log.map(({ text }) => text).filter((text) => text.startsWith(`${who} line`));
    const expected = Array.from({ length: MESSAGES_EACH }, (_, at) => line(who, at + 1));
    assert.deepEqual(texts, expected, `each line of the ${who} once, in the order it was written`);
  }
}

// Screen share by Cobrowse.io against the real gateway and desk, with a stand-in for its SDK (../package/support/cobrowse-io-stand-in.mjs): what the customer calls, what the
// SDK is told, and what the chat says of it. What the SDK itself does is what the test says; see docs/screen-share.md for what only an account shows.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { accept, signIn } from "./support/conversation.mjs";
import { openSdkPage } from "./support/sdk-page.mjs";
import { withStage } from "./support/stage.mjs";

/** A queue of people in the demo's configuration. */
const MENU_OF_PEOPLE = 4;

const STAND_IN = await readFile(new URL("../package/support/cobrowse-io-stand-in.mjs", import.meta.url), "utf8");
/** What Node's `events` gives the stand-in, as far as it is used. */
const EVENTS = `export class EventEmitter {
  #heard = new Map();
  on(event, listener) { this.#heard.set(event, [...(this.#heard.get(event) ?? []), listener]); return this; }
  removeListener(event, listener) { this.#heard.set(event, (this.#heard.get(event) ?? []).filter((other) => other !== listener)); return this; }
  listenerCount(event) { return (this.#heard.get(event) ?? []).length; }
  emit(event, ...args) { for (const listener of this.#heard.get(event) ?? []) listener(...args); return true; }
}`;

/** A customer in a chat with an agent, on a page with the stand-in: `{ page, desk }`. */
async function inChat(stage) {
  const script = { contentType: "text/javascript" };
  const page = await openSdkPage(stage, {
    setUp: async (opened) => {
      await opened.route("**/stand-in.js", (route) => route.fulfill({ ...script, body: STAND_IN.replace('from "events"', 'from "/events.js"') }));
      await opened.route("**/events.js", (route) => route.fulfill({ ...script, body: EVENTS }));
    },
  });
  await page.evaluate(async (menu) => {
    Object.assign(globalThis, await import("/stand-in.js"));
    const { sdk, target, log } = standIn({
      async createSessionCode() {
        session = new StandInSession({ code: "424242", agent: { name: "Ada" } });
        return "424242";
      },
      async createSession() {
        session = new StandInSession({ code: "535353", agent: { name: "Ada" } });
        return session;
      },
    });
    globalThis.session = undefined;
    Object.assign(globalThis, { CobrowseIO: sdk, target, log });
    // What a session comes to, as the SDK tells it.
    globalThis.becomes = (state, reason) => {
      change(session, { state, reason });
      target.currentSession = state === "ended" ? null : session;
      target.emit(state === "ended" ? "session.ended" : state === "pending" ? "session.loaded" : "session.updated", session);
    };
    globalThis.client = createClient({ identifier: "maria", cobrowse: { enabled: true, license: "key", redactedViews: [".private"] } });
    globalThis.heard = [];
    for (const event of ["cobrowse.loaded", "cobrowse.updated", "cobrowse.ended"]) client.on(event, (given) => heard.push([event, given === session]));
    globalThis.told = [];
    client.on("chat.message", (message) => message.type === "noti" && message.event.startsWith("cobrowse") && told.push(message));
    const connected = new Promise((resolve) => client.on("chat.connected", resolve));
    await client.createChat(menu);
    await connected;
  }, MENU_OF_PEOPLE);
  const desk = await stage.desk();
  await signIn(desk);
  await accept(desk);
  await page.waitForFunction(() => client.chat.state.status === "assigned");
  return { page, desk };
}

const status = (page, wanted) => page.waitForFunction((expected) => client.chat.state.screen_share?.status === expected, wanted);
const notices = (page) => page.evaluate(() => told.map(({ event, code, reason }) => [event, code ?? reason].filter((part) => part !== undefined)));

test("a code is created by the SDK and told to the agent, and its session is followed from the dialog to the end", async () => {
  await withStage(async (stage) => {
    const { page } = await inChat(stage);
    const code = await page.evaluate(() => client.createCobrowseCode("en", { order: "A-7" }));
    assert.equal(code, "424242");
    await status(page, "pending");
    assert.deepEqual(await notices(page), [["cobrowseCodeGenerated", "424242"]]);
    const asked = await page.evaluate(() => ({ order: log.map(([what]) => what).filter((what) => ["client", "license =", "start", "createSessionCode"].includes(what)), data: target.customData, views: target.redactedViews }));
    // The start of the client asked whether there is a session to go on with.
    assert.deepEqual(asked, { order: ["client", "client", "license =", "start", "createSessionCode"], data: { order: "A-7" }, views: [".private"] });

    await page.evaluate(() => becomes("pending"));
    await page.evaluate(() => becomes("authorizing"));
    await page.evaluate(() => void (globalThis.consent = target.confirmSession()));
    await page.locator(".js-cobrowse-allow").click();
    assert.equal(await page.evaluate(() => consent), true);
    await page.evaluate(() => becomes("active"));
    await status(page, "active");
    await page.evaluate(() => target.showSessionControls());
    await page.waitForFunction(() => told.length === 2);
    // It goes on, though nothing is recorded by the gateway's way.
    await page.waitForTimeout(1_500); // Longer than the gateway takes to refuse a question.
    assert.equal(await page.evaluate(() => client.chat.state.screen_share.status), "active");
    assert.equal(await page.evaluate(() => session.state()), "active");

    await page.locator(".js-cobrowse-end").click();
    await page.waitForFunction(() => session.isEnded());
    await page.evaluate(() => becomes("ended", "device_ended"));
    await status(page, "ended");
    await page.waitForFunction(() => told.length === 3);
    assert.deepEqual(await notices(page), [["cobrowseCodeGenerated", "424242"], ["cobrowseStarted"], ["cobrowseEnded", "device_ended"]]);
    assert.deepEqual(await page.evaluate(() => heard), [["cobrowse.loaded", true], ["cobrowse.updated", true], ["cobrowse.updated", true], ["cobrowse.ended", true]]);
    assert.deepEqual(await page.evaluate(() => client.errors), []);
  });
});

test("a session that the page asks for is told by its code; a no ends it", async () => {
  await withStage(async (stage) => {
    const { page } = await inChat(stage);
    await page.evaluate(() => client.startCobrowse());
    await status(page, "pending");
    await page.evaluate(() => becomes("authorizing"));
    await page.evaluate(() => void (globalThis.consent = target.confirmSession()));
    await page.locator(".js-cobrowse-deny").click();
    assert.equal(await page.evaluate(() => consent), false);
    await status(page, "ended");
    await page.waitForFunction(() => session.isEnded() && told.length === 2);
    assert.deepEqual(await notices(page), [["cobrowseCodeGenerated", "535353"], ["cobrowseFailed", "denied"]]);
  });
});

test("a second code takes the place of the first and leaves its own session alone", async () => {
  await withStage(async (stage) => {
    const { page } = await inChat(stage);
    await page.evaluate(() => client.startCobrowse());
    await page.evaluate(() => {
      target.currentSession = session;
      globalThis.first = session;
    });
    await page.evaluate(() => client.startCobrowse());
    await page.evaluate(() => becomes("authorizing"));
    await page.evaluate(() => becomes("active"));
    await status(page, "active");
    assert.deepEqual(await page.evaluate(() => session.isActive()), true);
    assert.equal(await page.evaluate(() => client.chat.state.screen_share.id), 2);
  });
});

test("the end of the chat ends the session, and a client that goes leaves the SDK as it was", async () => {
  await withStage(async (stage) => {
    const { page, desk } = await inChat(stage);
    const before = await page.evaluate(() => [target.confirmSession, target.showSessionControls].map(String));
    await page.evaluate(() => client.createCobrowseCode());
    await page.evaluate(() => becomes("active"));
    await status(page, "active");
    await desk.getByRole("button", { name: "Finish" }).click();
    await desk.getByRole("dialog").getByRole("button", { name: "Finish" }).click();
    await page.waitForFunction(() => session.isEnded());
    await page.evaluate(() => client.close());
    await page.waitForFunction(() => target.listenerCount("session.loaded") === 0);
    assert.deepEqual(await page.evaluate(() => [target.confirmSession, target.showSessionControls].map(String)), before);
    assert.ok(!(await page.evaluate(() => log.some(([what]) => what === "stop"))));
  });
});

test("without the SDK the call fails and says how to load it", async () => {
  await withStage(async (stage) => {
    const { page } = await inChat(stage);
    await page.evaluate(() => delete globalThis.CobrowseIO);
    const [started, code] = await page.evaluate(async () => [await client.startCobrowse().catch(({ code, message }) => ({ code, message })), await client.createCobrowseCode()]);
    assert.equal(started.code, "unavailable");
    assert.match(started.message, /docs\.cobrowse\.io/u);
    assert.equal(code, "");
    assert.deepEqual(await page.evaluate(() => client.errors), ["unavailable"]);
  });
});

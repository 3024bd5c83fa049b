// What goes wrong in a page: each time the SDK says it with a typed error, the pages say it in words, and both stay usable.

import assert from "node:assert/strict";
import { test } from "node:test";

import { readSaid, say, sees, takeTicket } from "./support/conversation.mjs";
import { freePort } from "./support/gateway.mjs";
import { demoToken, openSdkPage } from "./support/sdk-page.mjs";
import { startSite } from "./support/site.mjs";
import { picture } from "./support/screenshots.mjs";
import { CONNECTION_LOST, withStage } from "./support/stage.mjs";

const REFUSED = /Failed to load resource: the server responded with a status of 4\d\d/u;

test("an unknown company key is a typed error, said in words, and hurts no other client", async () => {
  await withStage(async (stage) => {
    stage.expectFaults(REFUSED);
    const page = await openSdkPage(stage);
    const { wrong, again, right } = await page.evaluate(async () => {
      const client = createClient({ companyId: "nobody" });
      const wrong = await outcome(client.getCompany());
      const again = await outcome(client.getMenus());
      const right = await outcome(createClient().getCompany());
      return { wrong, again, right };
    });
    for (const result of [wrong, again]) {
      assert.equal(result.code, "company_unknown");
      assert.ok(result.status >= 400 && result.status < 500, `status ${result.status}`);
      assert.ok(result.isTyped);
    }
    assert.equal(typeof right.value?.name, "string");

    const customer = await stage.customer({ query: { company: "nobody" } });
    await customer.getByRole("alert").getByText("This counter does not exist.").waitFor();
  });
});

test("a foreign origin gets no token, no session and no stream", async () => {
  await withStage(async (stage) => {
    stage.expectFaults(REFUSED, /WebSocket connection to/u);
    const foreign = await startSite();
    try {
      const token = await demoToken(stage);
      const page = await openSdkPage(stage, { site: foreign });
      const result = await page.evaluate((known) => outcome(createClient({ token: known, callTimeoutMs: 3_000 }).getCompany()), token);
      assert.equal(result.code, "origin_forbidden");
      assert.equal(result.status, 403);
      assert.ok(result.isTyped);

      const frames = await page.evaluate(
        ({ gateway, known }) =>
          new Promise((resolve) => {
            const heard = [];
            const socket = new WebSocket(`${gateway.replace("http", "ws")}/api/v1/stream`, "sportello.v1");
            socket.onopen = () => socket.send(JSON.stringify({ type: "join", token: known, chat_id: 1, cursor: 0 }));
            socket.onmessage = (event) => heard.push(JSON.parse(event.data).type);
            socket.onclose = () => resolve(heard);
          }),
        { gateway: stage.gateway.origin, known: token },
      );
      assert.ok(!frames.includes("joined"), `the stream answered ${frames}`);

      const usable = await openSdkPage(stage);
      assert.ok((await usable.evaluate(() => outcome(createClient().getCompany()))).value);
    } finally {
      await foreign.close();
    }
  });
});

test("a gateway that is down at first is a notice, and the page opens by itself when it is up", async () => {
  await withStage(
    async (stage) => {
      stage.expectFaults(...CONNECTION_LOST);
      const customer = await stage.customer();
      await customer.getByRole("alert").getByText("We keep trying.").waitFor();
      assert.ok(await customer.getByRole("button", { name: "Try now" }).isVisible());
      await picture(customer, "customer-8-gateway-down");
      const page = await openSdkPage(stage);
      const down = await page.evaluate(() => outcome(createClient({ token: "unused", callTimeoutMs: 1_000 }).getCompany()));
      assert.ok(["network", "timeout"].includes(down.code), down.code);
      assert.ok(down.isTyped && down.retryable);
      await page.close();

      await stage.gateway.start();
      await customer.getByRole("heading", { name: "How can we help?" }).waitFor();
      assert.equal(await customer.getByRole("alert").count(), 0, "the notice is gone");
      await takeTicket(customer);
      await say(customer, "Good that you are back");
      await sees(customer, "Good that you are back");
    },
    { startGateway: false, gatewayPort: await freePort() },
  );
});

test("another user's chat cannot be loaded, and the client that tried goes on", async () => {
  await withStage(async (stage) => {
    stage.expectFaults(REFUSED);
    const page = await openSdkPage(stage);
    const { stolen, unknown, own, chat } = await page.evaluate(async () => {
      const victim = createClient({ identifier: "victim", storage: null });
      const [menu] = (await victim.getMenus()).menus;
      const chat = await victim.createChat(menu.id);
      const thief = createClient({ identifier: "thief", storage: null });
      const stolen = await outcome(thief.loadChat(chat.state.id));
      const unknown = await outcome(thief.loadChat(987_654_321));
      const own = await outcome(thief.createChat(menu.id).then((created) => ({ id: created.state.id, same: thief.chat === created })));
      return { stolen, unknown, own, chat: { id: chat.state.id } };
    });
    // The answer does not even tell that there is such a chat.
    assert.deepEqual(stolen, { code: "not_found", status: 404, retryable: false, isTyped: true });
    assert.deepEqual(unknown, stolen);
    assert.notEqual(own.value?.id, chat.id);
    assert.ok(own.value?.same);
  });
});

test("a browser that refuses storage can still chat, and is told what that means", async () => {
  await withStage(async (stage) => {
    const refuse = (page) =>
      page.addInitScript(() => {
        for (const name of ["localStorage", "sessionStorage"]) {
          Object.defineProperty(window, name, {
            get() {
              throw new DOMException("Access is denied for this document.", "SecurityError");
            },
          });
        }
      });
    const customer = await stage.customer({ page: { setUp: refuse } });
    await takeTicket(customer);
    await say(customer, "I keep nothing");
    await sees(customer, "I keep nothing");
    await customer.getByRole("button", { name: /^Switch to dark/u }).click();
    await customer.getByRole("button", { name: /^Switch to light/u }).waitFor();

    const page = await openSdkPage(stage, { setUp: refuse });
    const result = await page.evaluate(async () => {
      const client = createClient();
      const { value, ...failure } = await outcome(client.getCompany());
      return { name: value?.name, failure, errors: client.errors };
    });
    assert.equal(typeof result.name, "string", JSON.stringify(result.failure));
    assert.ok(result.errors.includes("storage_unavailable"), `errors: ${result.errors}`);
  });
});

test("an oversized text is refused with a code, comes back to its author, and the next one goes through", async () => {
  await withStage(async (stage) => {
    stage.expectFaults(REFUSED);
    const page = await openSdkPage(stage);
    const { large, small } = await page.evaluate(async () => {
      const client = createClient({ identifier: "talker", storage: null });
      const [menu] = (await client.getMenus()).menus;
      await client.createChat(menu.id);
      const large = await outcome(client.sendTextMessage("x".repeat(300_000)));
      const small = await outcome(client.sendTextMessage("short"));
      return { large, small };
    });
    assert.equal(large.code, "too_large");
    assert.ok(large.isTyped);
    assert.equal(small.code, undefined, "the next message is stored");

    const customer = await stage.customer();
    await takeTicket(customer);
    await say(customer, "y".repeat(300_000));
    await customer.getByText("This message is too long.").first().waitFor();
    await customer.getByRole("textbox").fill("");
    await say(customer, "Then shorter");
    await sees(customer, "Then shorter");
    assert.deepEqual((await readSaid(customer)).filter((said) => said === "end_user: Then shorter").length, 1);
  });
});

test("a survey and a rating say with typed errors what is wrong, and the right ones still go through, once", async () => {
  await withStage(async (stage) => {
    stage.expectFaults(REFUSED);
    const page = await openSdkPage(stage);
    const { early, wrong, fields, given, again, other, foreign } = await page.evaluate(async () => {
      const client = createClient({ identifier: "critic", storage: null });
      const chat = await client.createChat(4);
      const codes = async (calls) => (await Promise.all(calls.map((call) => outcome(call)))).map(({ code, isTyped }) => [code, isTyped]);
      const early = await codes([client.sendChatSurvey({ 1: 5 }), client.sendChatRate({ rating: 5 })]);
      await client.finishChat();
      const cycle = {};
      cycle.self = cycle;
      const odd = [undefined, null, 7, "x", [], {}, { 1: null }, { 1: {} }, { 1: NaN }, { one: 1 }, cycle, { 99: 1 }, { 1: " " }, { 5: "x".repeat(50_000) }];
      const ratings = [undefined, null, 5, {}, { rating: 0 }, { rating: 6 }, { rating: 1.5 }, { rating: "5" }, { rating: NaN }, { rating: 5, feedback: {} }];
      const wrong = await codes([...odd.map((answers) => client.sendChatSurvey(answers)), ...ratings.map((data) => client.sendChatRate(data))]);
      const fields = await client.sendChatSurvey({ 1: 6, 2: "many" }).catch((error) => error.fields);
      const given = await codes([client.sendChatSurvey({ 1: 5 }), client.sendChatRate({ rating: 5 })]);
      const again = await codes([client.sendChatSurvey({ 1: "5" }), client.sendChatRate({ rating: 5 })]);
      const other = await codes([client.sendChatSurvey({ 1: 4 }), client.sendChatRate({ rating: 4 })]);
      const eve = createClient({ identifier: "eve", storage: null });
      const foreign = await codes([eve.loadChat(chat.state.id), eve.getChatSurvey(), eve.sendChatRate({ rating: 1 })]);
      return { early, wrong, fields, given, again, other, foreign };
    });
    assert.deepEqual(early, [["conflict", true], ["conflict", true]]);
    for (const [code, isTyped] of wrong) assert.deepEqual([code, isTyped], ["invalid_argument", true]);
    assert.deepEqual(fields, [{ question_id: 1, problem: "unknown_option" }, { question_id: 2, problem: "unknown_option" }]);
    for (const list of [given, again]) assert.deepEqual(list.map(([code]) => code), [undefined, undefined]);
    assert.deepEqual(other, [["conflict", true], ["conflict", true]]);
    assert.deepEqual(foreign, [["not_found", true], ["no_chat", true], ["no_chat", true]]);
  });
});

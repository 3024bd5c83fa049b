// Proactive triggers and feature flags, against the real gateway: which question a page asks its visitor, when, and how often; on pages that change their address
// without a load; and until when. Then the same on the demo's customer page.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";

import { check } from "./support/axe.mjs";
import { accept, signIn } from "./support/conversation.mjs";
import { picture } from "./support/screenshots.mjs";
import { openSdkPage } from "./support/sdk-page.mjs";
import { withStage } from "./support/stage.mjs";

const SECRET = "a secret of the shop, for tests";
const CONFIG = `
[[companies]]
id = "shop"
name = "Shop"
secret = "${SECRET}"
allowed_origins = ["*"]
menus = [{ id = 1, name = "Sales" }]
triggers = [
    { id = "keyword", menu_id = 1, message = "Help?", conditions = { url_contains = ["Basket", "checkout"], url_excludes = ["done"] } },
    { id = "patient", menu_id = 1, message = "Still there?", conditions = { url_contains = ["#wait"], time_on_page_ms = 900 } },
    { id = "newcomer", menu_id = 1, message = "New here?", conditions = { url_contains = ["#who"], visitor = "new" } },
    { id = "regular", menu_id = 1, message = "Back?", conditions = { url_contains = ["#who"], visitor = "returning", max_visits = 3 } },
    { id = "fan", menu_id = 1, message = "Again?", conditions = { url_contains = ["#who"], min_visits = 4 } },
    { id = "vip", menu_id = 1, message = "You!", conditions = { url_contains = ["#who"], min_visits = 4 } },
]
`;

function token(identifier) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ identifier, iat: now, exp: now + 600 })}`;
  return `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
}

/** A page of the shop; `shopper(token)` makes a client in it, and `visits` says or sets how often the browser was here. */
async function openShop(stage) {
  const page = await openSdkPage(stage);
  await preparePage(page, stage);
  return page;
}

async function preparePage(page, stage) {
  await page.evaluate((gateway) => {
    const key = `sportello|${gateway}|shop|visits`;
    globalThis.shopper = (token, options) => globalThis.createClient({ companyId: "shop", token, ...options });
    globalThis.stored = () => JSON.parse(localStorage.getItem(key));
    // An hour ago, so that the next look begins another visit.
    globalThis.wereHere = (visits) => localStorage.setItem(key, JSON.stringify({ visits, seenMs: Date.now() - 3_600_000, shown: {} }));
    globalThis.forget = () => localStorage.removeItem(key);
  }, stage.gateway.origin);
}

const withShop = (play) => withStage(async (stage) => play(stage, await openShop(stage)), { config: CONFIG });

test("a question is given where all its conditions hold", async () => {
  await withShop(async (stage, page) => {
    const cases = [
      { hash: "#home", expected: [null] },
      { hash: "#BASKET", expected: ["keyword"] },
      { hash: "#checkout/2", expected: ["keyword"] },
      { hash: "#checkout/done", expected: [null] },
      { hash: "#who", visits: 0, expected: ["newcomer"] },
      { hash: "#who", visits: 1, expected: ["regular"] },
      { hash: "#who", visits: 2, expected: ["regular"] },
      // The same page gets the same question again, not the next one.
      { hash: "#who", visits: 3, expected: ["fan", "fan"] },
      { hash: "#who", visits: 9, expected: ["fan", "fan"] },
    ];
    for (const [number, { hash, visits = 0, expected }] of cases.entries()) {
      const given = await page.evaluate(
        async ({ token, hash, visits, times }) => {
          if (visits > 0) globalThis.wereHere(visits);
          else globalThis.forget();
          location.hash = hash;
          const client = globalThis.shopper(token);
          const given = [];
          for (let time = 0; time < times; time += 1) given.push((await client.getTrigger())?.id ?? null);
          client.destroy();
          return { given, visits: globalThis.stored().visits };
        },
        { token: token(`case-${number}`), hash, visits, times: expected.length },
      );
      assert.deepEqual(given, { given: expected, visits: visits + 1 }, `${hash} after ${visits} visits`);
    }
  });
});

test("a question has the fields that a chat needs, and a time on the page is waited for", async () => {
  await withShop(async (stage, page) => {
    const seen = await page.evaluate(async (token) => {
      const client = globalThis.shopper(token);
      await client.getTrigger();
      location.hash = "#wait";
      const startedMs = performance.now();
      const tooEarly = await client.getTrigger();
      const trigger = await new Promise((resolve) => client.runTrigger(resolve));
      const waitedMs = performance.now() - startedMs;
      const chat = await client.createChat(trigger.menu_id, { trigger_id: trigger.id, lang: trigger.lang });
      return { tooEarly, trigger, waitedLong: waitedMs >= 900, status: chat.state.status };
    }, token("uma"));
    assert.deepEqual(seen, {
      tooEarly: null,
      trigger: {
        id: "patient", menu_id: 1, lang: "en", message: "Still there?",
        conditions: { url_contains: ["#wait"], url_excludes: [], time_on_page_ms: 900, min_visits: 0, max_visits: 0 },
      },
      waitedLong: true,
      status: "queued",
    });
  });
});

const NAVIGATIONS = {
  "history.pushState": () => history.pushState({ own: 1 }, "", "?page=basket"),
  "history.replaceState": () => history.replaceState({ own: 2 }, "", "?page=basket"),
  "a change of the hash": () => void (location.hash = "basket"),
  "going back": () => {
    history.replaceState(null, "", "?page=basket");
    history.pushState(null, "", "?page=home");
    history.back();
  },
};

for (const [name, navigate] of Object.entries(NAVIGATIONS)) {
  test(`a watching page notices ${name}, and its history stays its own`, async () => {
    await withShop(async (stage, page) => {
      await page.evaluate(async (token) => {
        globalThis.given = [];
        const client = globalThis.shopper(token);
        await client.runTrigger(({ id }) => globalThis.given.push(id));
      }, token(name));
      assert.deepEqual(await page.evaluate(() => globalThis.given), []);
      await page.evaluate(`(${navigate})()`);
      await page.waitForFunction(() => globalThis.given.length > 0);
      const kept = await page.evaluate(() => [/\[native code\]/u.test(history.pushState), /\[native code\]/u.test(history.replaceState), Object.keys(history)]);
      assert.deepEqual([await page.evaluate(() => globalThis.given), kept], [["keyword"], [true, true, []]]);
    });
  });
}

test("a visitor is asked once a day: not after a reload, not in another tab, not with another browser", async () => {
  await withShop(async (stage, page) => {
    const jwt = token("uma");
    await page.evaluate(() => (location.hash = "#basket"));
    const other = await page.context().newPage();
    stage.watch(other);
    await other.goto(page.url());
    const ask = async (page) => {
      await openTools(page, stage);
      await page.evaluate(async (token) => {
        globalThis.given = [];
        globalThis.client = globalThis.shopper(token);
        await globalThis.client.runTrigger(({ id }) => globalThis.given.push(id));
      }, jwt);
    };
    await Promise.all([ask(page), ask(other)]);
    const given = async () => (await Promise.all([page, other].map((page) => page.evaluate(() => globalThis.given)))).flat();
    const first = await Promise.race([page, other].map((page) => page.waitForFunction(() => globalThis.given?.length > 0).then(() => given())));
    assert.deepEqual(first, ["keyword"], "one of two tabs asks");
    const trigger = (page) => page.evaluate(async (token) => (await globalThis.shopper(token).getTrigger())?.id ?? null, jwt);
    for (const tab of [page, other]) {
      await tab.reload();
      await openTools(tab, stage);
      assert.equal(await trigger(tab), null, "after a reload");
    }
    const elsewhere = await openShop(stage);
    await elsewhere.evaluate(() => (location.hash = "#basket"));
    assert.equal(await trigger(elsewhere), null, "the gateway knows the end user");
    const someone = (page) => page.evaluate(async (token) => (await globalThis.shopper(token).getTrigger())?.id ?? null, token("ugo"));
    assert.equal(await someone(page), null, "the browser knows the visitor, whoever signs in");
    assert.equal(await someone(await openOn(stage, "#basket")), "keyword", "another visitor is asked");
  });
});

async function openOn(stage, hash) {
  const page = await openShop(stage);
  await page.evaluate((hash) => (location.hash = hash), hash);
  return page;
}

/** What a reload took away. */
async function openTools(page, stage) {
  await page.evaluate(async (gateway) => {
    const { Client } = await import("/pkg/index.js");
    globalThis.createClient = ({ token, ...options }) => new Client({ host: gateway, authenticate: async () => ({ token }), ...options });
  }, stage.gateway.origin);
  await preparePage(page, stage);
}

const ENDS = {
  "close()": ({ client }) => client.close(),
  "destroy()": ({ client }) => client.destroy(),
  "its signal": ({ controller }) => controller.abort(),
  "a later call": ({ client }) => client.runTrigger(({ id }) => globalThis.later.push(id)),
};

for (const [name, end] of Object.entries(ENDS)) {
  test(`a watch ends with ${name}`, async () => {
    await withShop(async (stage, page) => {
      await page.evaluate(async (token) => {
        Object.assign(globalThis, { given: [], later: [], controller: new AbortController() });
        globalThis.client = globalThis.shopper(token);
        await globalThis.client.runTrigger(({ id }) => globalThis.given.push(id), { signal: globalThis.controller.signal });
      }, token("uma"));
      await page.evaluate(`(${end})(globalThis)`);
      await page.evaluate(() => (location.hash = "#basket"));
      // Another client sees the same address, and is asked.
      await page.evaluate(async (token) => {
        globalThis.other = [];
        await globalThis.shopper(token, { storage: null }).runTrigger(({ id }) => globalThis.other.push(id));
      }, token("ugo"));
      await page.waitForFunction(() => globalThis.other.length > 0);
      if (name === "a later call") await page.waitForFunction(() => globalThis.later.length > 0);
      assert.deepEqual(await page.evaluate(() => globalThis.given), []);
    });
  });
}

test("a callback that throws ends nothing, and what is no function is refused", async () => {
  await withShop(async (stage, page) => {
    stage.expectFaults(/callback/u);
    const seen = await page.evaluate(async (token) => {
      const client = globalThis.shopper(token);
      const refused = [];
      for (const cb of [undefined, null, "cb", {}]) refused.push((await globalThis.outcome(client.runTrigger(cb))).code);
      const given = [];
      await client.runTrigger(({ id }) => {
        given.push(id);
        throw new Error("callback");
      });
      const until = async (count) => {
        while (given.length < count) await new Promise((resolve) => setTimeout(resolve, 20));
      };
      location.hash = "#basket";
      await until(1);
      location.hash = "#who";
      await until(2);
      return { refused, given };
    }, token("uma"));
    assert.deepEqual(seen, { refused: Array(4).fill("invalid_argument"), given: ["keyword", "newcomer"] });
  });
});

test("nothing is stored where the page wants no storage, its own storage is used where it has one, and what is stored may be anything", async () => {
  await withShop(async (stage, page) => {
    const seen = await page.evaluate(async ([first, second, third, fourth]) => {
      location.hash = "#who";
      const ids = [];
      ids.push((await globalThis.shopper(first, { storage: null }).getTrigger())?.id);
      const stored = globalThis.stored();
      const own = new Map();
      const storage = { getItem: (key) => own.get(key) ?? null, setItem: (key, value) => own.set(key, value), removeItem: (key) => own.delete(key), key: (index) => [...own.keys()][index] ?? null, get length() { return own.size; } };
      ids.push((await globalThis.shopper(second, { storage }).getTrigger())?.id);
      const key = [...own.keys()].find((key) => key.endsWith("|visits"));
      for (const text of ["{", "null", "7", "{\"visits\":-1}", "{\"visits\":1,\"seenMs\":\"x\",\"shown\":3}", "{\"visits\":1,\"seenMs\":1,\"shown\":null}"]) {
        localStorage.setItem(key, text);
        ids.push(typeof (await globalThis.shopper(third).getTrigger().then((trigger) => trigger?.id ?? "none")));
      }
      const refusing = { ...storage, getItem: () => { throw new Error("no"); }, setItem: () => { throw new Error("no"); } };
      ids.push((await globalThis.shopper(fourth, { storage: refusing }).getTrigger())?.id ?? "none");
      return { ids, stored, visits: JSON.parse(own.get(key)).visits };
    }, ["a", "b", "c", "d"].map(token));
    assert.deepEqual(seen, { ids: ["newcomer", "newcomer", ...Array(6).fill("string"), "newcomer"], stored: null, visits: 1 });
  });
});

test("feature flags tell what the gateway and the company offer", async () => {
  await withShop(async (stage, page) => {
    const flags = await page.evaluate(async (token) => {
      const clients = [globalThis.shopper(token), globalThis.createClient({ identifier: "uma" })];
      const [shop, demo] = await Promise.all(clients.map((client) => client.getFeatureFlags()));
      return { kinds: [...new Set(Object.values({ ...shop, ...demo }).map((flag) => typeof flag))], shop: [shop.triggers, shop.forms, shop.message_preview], demo: [demo.triggers, demo.forms, demo.message_preview], cobrowse: demo.cobrowse };
    }, token("uma"));
    assert.deepEqual(flags, { kinds: ["boolean"], shop: [true, false, false], demo: [true, true, true], cobrowse: true });
  });
});

test("the log shows neither tokens nor what people write", async () => {
  await withStage(async (stage) => {
    const page = await openSdkPage(stage);
    const { logs, secrets } = await page.evaluate(async () => {
      const secrets = ["a text of nobody's business"];
      const { Logger } = await import("/pkg/index.js");
      const heard = [];
      Logger.addHandler((entry) => heard.push(entry));
      const fetched = globalThis.fetch;
      globalThis.fetch = async (...args) => {
        const response = await fetched(...args);
        if (/sessions|token/u.test(args[0]?.url ?? args[0])) for (const value of Object.values(await response.clone().json())) if (typeof value === "string") secrets.push(value);
        return response;
      };
      const client = globalThis.createClient({ identifier: "uma" });
      await client.createChat(4);
      await client.sendTextMessage(secrets[0]);
      await globalThis.outcome(client.loadChat(999_999));
      await globalThis.outcome(client.sendTextMessage(""));
      client.close();
      const dead = globalThis.createClient({ token: "not.a.token" });
      await globalThis.outcome(dead.getCompany());
      dead.close();
      if (JSON.stringify(heard) !== JSON.stringify(client.getLogs().slice(-heard.length))) throw new Error("handlers and getLogs() tell the same");
      return { logs: client.getLogs(), secrets };
    });
    stage.expectFaults(/404/u, /401/u);
    assert.ok(secrets.length >= 3, "the tokens were seen");
    const messages = logs.map(({ message }) => message).join("\n");
    for (const expected of [/^ready$/mu, /^connection: online$/mu, /^not_found: /mu, /^token_invalid: /mu]) assert.match(messages, expected);
    for (const { level, message, atMs } of logs) {
      assert.ok(["debug", "info", "warn", "error"].includes(level) && Number.isInteger(atMs) && typeof message === "string");
      for (const secret of secrets) assert.ok(!message.includes(secret), message);
    }
  });
});

test("the demo's page asks at the checkout: a no closes the question, and a yes opens a chat that the desk sees with it", async () => {
  await withStage(async (stage) => {
    const desk = await stage.desk();
    await signIn(desk);
    const customers = await Promise.all(["uma", "ugo"].map((user) => stage.customer({ query: { user } })));
    for (const customer of customers) {
      await customer.getByRole("link", { name: "Go to the checkout" }).click();
      await customer.getByText("Shall somebody help you with the payment?").waitFor();
      assert.ok(await customer.getByRole("link", { name: "Ways to pay" }).isVisible());
      assert.equal(await customer.getByText("{{").count(), 0);
    }
    const [uma, ugo] = customers;
    await picture(uma, "trigger");
    await check(uma, "question of the page");
    await ugo.getByRole("button", { name: "No, thank you" }).click();
    assert.ok(await ugo.locator("#trigger").isHidden());
    await uma.getByRole("button", { name: "Yes, please" }).click();
    await uma.locator("#chat").waitFor();
    assert.equal((await uma.evaluate(() => location.hash)), "#checkout");
    await accept(desk);
    const about = desk.getByRole("complementary", { name: "About the customer" });
    await about.getByText("About this chat").click();
    await about.getByText("checkout-help").waitFor();
  });
});

test("the developer tools show the log and the feature flags", async () => {
  await withStage(async (stage) => {
    const page = await stage.customer({ query: { tools: "" } });
    await page.getByRole("heading", { name: "How can we help?" }).waitFor();
    const tools = page.getByRole("complementary", { name: "Developer tools" });
    const result = (name) => tools.locator(".tool", { has: page.locator(".tool-name", { hasText: name }) }).first().locator("pre").nth(2);
    await tools.getByRole("button", { name: "Log", exact: true }).click();
    assert.match(await result("getLogs").innerText(), /"message": "ready"/u);
    await tools.getByRole("button", { name: "Features", exact: true }).click();
    await result("getFeatureFlags").getByText('"triggers": true').waitFor();
    await picture(page, "tools-flags");
    await check(page, "developer tools with the feature flags");
  });
});

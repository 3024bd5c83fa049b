// The packed package in a browser, under random sequences of calls with odd arguments: whatever is called, when, and with what, ends with a value or a typed
// error. The same as tests/client/property.rs, through the facade and with the module as it is shipped, where a fault would trap without a word.
// `SPORTELLO_SEED` plays one seed again, `SPORTELLO_SEQUENCES` says how many are played.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { launch } from "./support/browser.mjs";
import { packPackage } from "./support/packed.mjs";
import { startStaticServer } from "./support/static-server.mjs";

const FIRST = Number(process.env.SPORTELLO_SEED ?? Date.now() % 1_000_000);
const SEQUENCES = Number(process.env.SPORTELLO_SEQUENCES ?? (process.env.SPORTELLO_SEED ? 1 : 40));

let packed;
let site;
let browser;
before(async () => {
  [packed, browser] = await Promise.all([packPackage(), launch()]);
  const gateway = await readFile(fileURLToPath(new URL("../client/support/fake-gateway.js", import.meta.url)), "utf8");
  const root = await packed.project({ "fake-gateway.js": gateway, "index.html": "<!doctype html><title>page</title><link rel=icon href=data:,>" });
  site = await startStaticServer(root);
});
after(async () => {
  await browser?.close();
  await site?.close();
  await packed?.remove();
});

/** Runs in the page: one sequence; gives what was wrong with it. */
async function play(seed) {
  const { Client, initWasm, isSportelloError } = await import("/node_modules/sportello/index.js");
  const { FakeGateway, countUnhandled, oddOptions, oddValues, outcomeWithin } = await import("/fake-gateway.js");
  let state = seed;
  const below = (limit) => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) % limit;
  };
  const pick = (array) => array[below(array.length)];
  const unhandled = countUnhandled();
  const origin = `https://gateway-${seed}.test`;
  const gateway = new FakeGateway(origin);
  if (below(2) === 0) await initWasm();
  const client = new Client({ companyId: "c", host: origin, authenticate: async () => ({ token: "jwt" }), reconnect: { initialMs: 1, maxMs: 5 } });
  const members = Object.getOwnPropertyNames(Client.prototype).filter((name) => typeof Object.getOwnPropertyDescriptor(Client.prototype, name).value === "function");
  const methods = members.filter((name) => !["constructor", "on", "off", "_triggerEvent", "markRead", "close", "destroy", "getLogs"].includes(name));
  const [values, options] = [oddValues(), oddOptions()];
  const calls = [];
  const wrong = [];
  const ask = (method, ...args) => {
    const promise = client[method](...args);
    promise.catch(() => {});
    calls.push([method, promise]);
  };
  client.on("error", (error) => isSportelloError(error) || wrong.push("an error event of another kind"));
  for (let step = 0; step < 60; step += 1) {
    switch (below(16)) {
      case 0:
        ask("createChat", 1);
        break;
      case 1:
        ask("sendTextMessage", "hello");
        break;
      case 2:
        if (gateway.chat) gateway.change(JSON.stringify({ status: pick(["queued", "assigned", "dismissed", "checked_out", "finished", "failed"]), features: ["preview"] }));
        break;
      case 3:
        pick([() => gateway.dropSockets(1006), () => gateway.goDown(), () => gateway.comeUp(), () => gateway.refuse("", 503, "unavailable"), () => gateway.frame("{")])();
        break;
      case 4:
        await new Promise((resolve) => setTimeout(resolve));
        break;
      case 5:
        client.chat = pick(values);
        break;
      case 6:
        for (const member of ["on", "off"]) {
          try {
            client[member](pick(values), pick(values));
          } catch (error) {
            if (!isSportelloError(error) || error.code !== "invalid_argument") wrong.push(`${member} throws ${error}`);
          }
        }
        client._triggerEvent(pick(["chat.custom", "ready"]), pick(values));
        break;
      default: {
        const args = Array.from({ length: below(4) }, () => pick(values));
        ask(pick(methods), ...args, ...(below(3) === 0 ? [pick(options)] : []));
      }
    }
    void [client.chat, client.messages, client.outbox, client.connection, client.unreadCount];
  }
  // Calls that the module is loaded for are not abandoned by chance.
  await initWasm();
  await new Promise((resolve) => setTimeout(resolve, 20));
  client.close();
  for (const [method, promise] of calls) {
    const outcome = await outcomeWithin(promise, 3_000);
    if (!("value" in outcome) && !("error" in outcome)) wrong.push(`${method} hangs`);
    else if ("error" in outcome && (!isSportelloError(outcome.error) || outcome.error.code === "internal")) {
      wrong.push(`${method} rejects with ${outcome.error}: ${outcome.error?.cause ?? ""}`);
    }
  }
  await new Promise((resolve) => setTimeout(resolve));
  unhandled.stop();
  return [...wrong, ...unhandled.reasons.map((reason) => `unhandled: ${reason}`)];
}

test("no sequence of calls traps, hangs, or rejects with anything but a typed error", async (context) => {
  context.diagnostic(`seeds ${FIRST} to ${FIRST + SEQUENCES - 1}`);
  let page;
  for (let seed = FIRST; seed < FIRST + SEQUENCES; seed += 1) {
    // Half of them begin before the module is there.
    if (!page || seed % 2 === 0) {
      await page?.close();
      page = await browser.newPage();
      await page.goto(site.origin);
    }
    assert.deepEqual(await page.evaluate(play, seed), [], `seed ${seed}`);
  }
});

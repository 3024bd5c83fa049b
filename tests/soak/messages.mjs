// A great many messages through one client in Chrome: every one once and in order, and memory that does not grow with them.

import { Gateway } from "../browser/support/gateway.mjs";
import { startSite } from "../browser/support/site.mjs";
import { Chrome } from "../faults/chrome.mjs";
import { Agent, signToken } from "../faults/people.mjs";
import { residentMb } from "./process.mjs";
import { Sender } from "./sender.mjs";

const MENU_OF_PEOPLE = 4;
/** The client's default `historyLimit`. */
const KEPT = 10_000;
const MB = 1_000_000;
export const BARS = { slopeMb: 2, keptMb: 4 };

const CONFIG = `
[limits]
requests_per_address = { per_minute = 0, burst = 0 }
requests_per_end_user = { per_minute = 0, burst = 0 }

[log]
level = "warn"
`;

/** Runs in the page: a client that counts. Only numbers are kept of what it hears. */
async function startCounting({ gateway, token, menu }) {
  const { instantiate } = WebAssembly;
  let memory;
  const remember = (result) => {
    memory = (result.instance ?? result).exports.memory;
    return result;
  };
  WebAssembly.instantiate = (...args) => instantiate(...args).then(remember);
  const { Client } = await import("/pkg/index.js");
  const client = new Client({ companyId: "demo", host: gateway, authenticate: async () => ({ token }) });
  const seen = { last: 0, count: 0, misordered: 0, hash: 0, errors: [], reconnects: 0 };
  client.on("chat.message", (message) => {
    if (message.$index !== seen.last + 1) seen.misordered += 1;
    seen.last = message.$index;
    if (message.$userType !== "agent") return;
    seen.count += 1;
    seen.hash = (Math.imul(seen.hash, 31) + Number.parseInt(message.content, 10)) | 0;
  });
  client.on("error", (error) => seen.errors.push(error.code));
  client.on("chat.reconnected", () => (seen.reconnects += 1));
  globalThis.soak = {
    seen,
    wasmBytes: () => memory.buffer.byteLength,
    kept: () => client.messages.length,
    /** Resolves when this many messages of the agent were heard. */
    reach: (count) =>
      new Promise((resolve) => {
        const look = () => (seen.count >= count ? resolve() : setTimeout(look, 20));
        look();
      }),
  };
  const chat = await client.createChat(menu);
  await new Promise((resolve) => (client.connection === "online" ? resolve() : client.on("chat.connected", resolve)));
  return chat.state.id;
}

/** `{ rows, slopeMb, keptMb, … }`; throws where a message is lost, repeated or out of order. */
export async function soakMessages(total) {
  const site = await startSite();
  const gateway = new Gateway({ allowOrigins: [site.origin], config: CONFIG });
  const chrome = await Chrome.launch({ flags: ["--js-flags=--expose-gc"] });
  let sender;
  try {
    await gateway.start();
    const profile = await chrome.newProfile();
    const tab = await profile.tabAt(`${site.origin}/blank.html`);
    const faults = [];
    tab.on("fault", (fault) => faults.push(fault));
    const agent = await Agent.signIn(gateway.origin);
    const token = await signToken(gateway.origin, "soak");
    const chatId = await tab.evaluate(startCounting, { gateway: gateway.origin, token, menu: MENU_OF_PEOPLE });
    await agent.accept(chatId);
    sender = await Sender.open({ gateway: gateway.origin, headers: agent.headers, chatId, most: total });

    const rows = [{ messages: 0, ...(await memoryOf(tab)) }];
    const stops = [KEPT, ...[1, 2, 3, 4, 5].map((part) => Math.round((total * part) / 5))];
    for (const stop of [...new Set(stops)].sort((a, b) => a - b)) {
      const startedAtMs = performance.now();
      const before = sender.acknowledged;
      await sender.sendUntil(stop);
      await reached(tab, stop);
      const perSecond = Math.round((stop - before) / ((performance.now() - startedAtMs) / 1000));
      rows.push({ messages: stop, perSecond, ...(await memoryOf(tab)), gatewayMb: await residentMb(gateway.pid) });
      console.log(rowText(rows.at(-1)));
    }

    const seen = await tab.evaluate(() => ({ ...globalThis.soak.seen, kept: globalThis.soak.kept() }));
    const wanted = hashOf(sender.places);
    const slopeMb = slope(rows.filter(({ messages }) => messages >= total / 5)) * (total * 0.8);
    const keptMb = rows.find(({ messages }) => messages === KEPT).totalMb - rows[0].totalMb;
    return {
      rows,
      slopeMb,
      keptMb,
      sent: sender.acknowledged,
      heard: seen.count,
      lost: Math.max(0, sender.acknowledged - seen.count),
      repeated: Math.max(0, seen.count - sender.acknowledged),
      misordered: seen.misordered + Number(seen.hash !== wanted),
      kept: seen.kept,
      reconnects: seen.reconnects,
      errors: seen.errors,
      faults,
    };
  } finally {
    sender?.close();
    await chrome.close();
    await gateway.dispose();
    await site.close();
  }
}

/** In slices: the protocol bounds how long one answer may take. */
async function reached(tab, count) {
  while (!(await tab.evaluate((count) => Promise.race([globalThis.soak.reach(count).then(() => true), new Promise((resolve) => setTimeout(resolve, 5_000))]), count)));
}

/** Heap after a collection, and the memory of the WebAssembly module, in MB. */
async function memoryOf(tab) {
  await tab.send("HeapProfiler.enable");
  // What the first collection finalises, the second one frees.
  for (let times = 0; times < 3; times += 1) await tab.send("HeapProfiler.collectGarbage");
  await tab.send("HeapProfiler.disable");
  const { usedSize, embedderHeapUsedSize = 0 } = await tab.send("Runtime.getHeapUsage");
  const wasmBytes = await tab.evaluate(() => globalThis.soak.wasmBytes());
  return { heapMb: usedSize / MB, embedderMb: embedderHeapUsedSize / MB, wasmMb: wasmBytes / MB, totalMb: (usedSize + embedderHeapUsedSize + wasmBytes) / MB };
}

/** The hash of the numbers in the order of their indexes, as the page computes it from what it hears. */
function hashOf(places) {
  let hash = 0;
  for (const number of places) if (number > 0) hash = (Math.imul(hash, 31) + number) | 0;
  return hash;
}

/** Least squares, in MB for each message. */
function slope(rows) {
  const mean = (of) => rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
  const [x, y] = [mean(({ messages }) => messages), mean(({ totalMb }) => totalMb)];
  const over = rows.reduce((sum, row) => sum + (row.messages - x) * (row.totalMb - y), 0);
  const under = rows.reduce((sum, row) => sum + (row.messages - x) ** 2, 0);
  return over / under;
}

const rowText = ({ messages, perSecond = 0, heapMb, embedderMb, wasmMb, totalMb, gatewayMb }) =>
  `${String(messages).padStart(9)} ${String(perSecond).padStart(8)}/s  heap ${heapMb.toFixed(2)}  embedder ${embedderMb.toFixed(2)}  wasm ${wasmMb.toFixed(2)}  total ${totalMb.toFixed(2)} MB  (gateway ${gatewayMb.toFixed(0)} MB)`;

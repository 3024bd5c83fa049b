// Clients that connect, join and vanish, in waves: some say goodbye, some are gone, some stay and never answer again. The gateway lets go of
// all of them, its memory does not grow from wave to wave, and a client that behaves hears everything in order meanwhile.

import { once } from "node:events";

import WebSocket from "ws";

import { Gateway } from "../browser/support/gateway.mjs";
import { Agent, EndUser, signToken } from "../faults/people.mjs";
import { residentMb, socketsOf } from "./process.mjs";

const WAVES = 12;
/** Signing in, connecting and joining, so many at a time. */
const ABREAST = 32;
const MENU_OF_PEOPLE = 4;
/** Long enough that this process, which answers for thousands, is never too late. */
const HEARTBEAT_MS = 3000;
/** How often what the gateway holds is looked at while waiting for it to let go. */
const LOOK_MS = 100;
/** How long it may take for that: far longer than its timers, and it only ends a soak that would fail. */
const PATIENCE_MS = 60_000;
/** Connections that are no streams: what `fetch` keeps open for the next request. */
const SPARE_SOCKETS = 8;
/** Between two messages of the agent who talks. The keys of a chat's messages are in memory while it is used: a chat is not what is measured. */
const TALK_PAUSE_MS = 20;
/** What the last wave may leave beyond the sixth, and beyond what there was before all. Not the first ones: an allocator keeps what was needed once. */
const STEADY_WAVE = 6;
export const BARS = { growthMb: 8, aboveStartMb: 64 };

const config = (clients) => `
[limits]
requests_per_address = { per_minute = 0, burst = 0 }
requests_per_end_user = { per_minute = 0, burst = 0 }
# Room for one wave and the one who behaves: whoever is not let go is missed by the next wave.
streams_per_address = ${clients + 1}

[stream]
heartbeat_ms = ${HEARTBEAT_MS}
write_timeout_ms = 2000

[log]
level = "warn"
`;

/** One stream. Answers the gateway's pings until it is told not to. */
class Client {
  /** Indexes that were heard, where someone wants to know. */
  heard = [];
  #socket;
  #answers = true;

  static async join(gateway, token, chatId) {
    const client = new Client();
    const socket = new WebSocket(`${gateway.replace("http", "ws")}/api/v1/stream`, "sportello.v1", { perMessageDeflate: false });
    client.#socket = socket;
    let joined;
    const isJoined = new Promise((resolve, reject) => {
      joined = resolve;
      socket.on("error", reject);
      socket.on("close", (code) => reject(new Error(`the gateway closed a stream with ${code}`)));
    });
    socket.on("message", (data) => {
      if (!client.#answers) return;
      const frame = JSON.parse(data);
      if (frame.type === "joined") joined();
      else if (frame.type === "ping") socket.send('{"type":"pong"}');
      else if (frame.type === "update") client.heard.push(...(frame.messages ?? []).map((message) => message.$index));
    });
    await Promise.race([once(socket, "open"), isJoined]);
    socket.send(JSON.stringify({ type: "join", token, chat_id: chatId, cursor: 0 }));
    await isJoined;
    return client;
  }

  get isCut() {
    return this.#socket.readyState !== WebSocket.OPEN;
  }

  /** Closes the stream as one should. */
  leave() {
    this.#socket.close(1000);
  }

  /** Is gone, without a word. */
  vanish() {
    this.#socket.terminate();
  }

  /** Stays connected, reads nothing and says nothing. */
  fallSilent() {
    this.#answers = false;
    this.#socket.pause();
  }
}

/** An end user with a chat of their own. */
async function newcomer(gateway, name) {
  const endUser = new EndUser(gateway, await signToken(gateway, name));
  const { id: chatId } = await endUser.createChat(MENU_OF_PEOPLE);
  return { endUser, chatId, token: await endUser.sessionToken() };
}

/** Does `work(item)` for each item, `ABREAST` at a time. */
async function each(items, work) {
  const left = items.entries();
  const results = [];
  const worker = async () => {
    for (const [at, item] of left) results[at] = await work(item);
  };
  await Promise.all(Array.from({ length: ABREAST }, worker));
  return results;
}

/** `{ rows, startMb, … }`; throws where a client is turned away or the gateway does not let go. */
export async function soakClients(count) {
  const gateway = new Gateway({ config: config(count) });
  try {
    await gateway.start();
    const ownSockets = await socketsOf(gateway.pid);
    const agent = await Agent.signIn(gateway.origin);
    const steady = await newcomer(gateway.origin, "steady");
    await agent.accept(steady.chatId);
    const listener = await Client.join(gateway.origin, steady.token, steady.chatId);
    const talk = new Talk(agent, steady.chatId);

    const startMb = await residentMb(gateway.pid);
    const rows = [];
    const silent = [];
    for (let wave = 1; wave <= WAVES; wave += 1) {
      // Each wave are other people: what the gateway kept for one of them would add up.
      const people = Array.from({ length: count }, (_, at) => `soak-${wave}-${at}`);
      const joined = await each(people, async (name) => {
        const { token, chatId } = await newcomer(gateway.origin, name);
        return Client.join(gateway.origin, token, chatId);
      });
      const fullMb = await residentMb(gateway.pid);
      const open = (await socketsOf(gateway.pid)) - ownSockets;
      const cut = joined.filter((client) => client.isCut).length;
      if (cut > 0) throw new Error(`the gateway cut ${cut} streams of wave ${wave} that had answered`);
      joined.forEach((client, at) => {
        if (at % 3 === 0) client.leave();
        else if (at % 3 === 1) client.vanish();
        else silent.push((client.fallSilent(), client));
      });
      const goneAtMs = performance.now();
      // All but the one who behaves.
      await until("the gateway to let go of its streams", async () => (await socketsOf(gateway.pid)) <= ownSockets + 1 + SPARE_SOCKETS);
      rows.push({ wave, joined: joined.length, open, fullMb, letGoMs: Math.round(performance.now() - goneAtMs), afterMb: await residentMb(gateway.pid) });
      console.log(rowText(rows.at(-1)));
    }
    for (const client of silent) client.vanish();
    const said = await talk.end();
    const last = await steady.endUser.lastIndex(steady.chatId);
    await until("the one who behaves to hear the last message", () => listener.heard.at(-1) >= last);
    listener.leave();
    const stored = (await steady.endUser.messages(steady.chatId)).map((message) => message.$index);
    const seen = new Set(listener.heard);
    return {
      rows,
      startMb,
      growthMb: rows.at(-1).afterMb - rows[STEADY_WAVE - 1].afterMb,
      aboveStartMb: rows.at(-1).afterMb - startMb,
      sent: said,
      heard: listener.heard.length,
      lost: stored.filter((index) => !seen.has(index)).length,
      repeated: listener.heard.length - seen.size,
      misordered: listener.heard.filter((index, at) => at > 0 && index !== listener.heard[at - 1] + 1).length,
    };
  } finally {
    await gateway.dispose();
  }
}

/** The agent talks to the one who behaves, until it is told to stop. */
class Talk {
  #isOver = false;
  #said = 0;
  #ended;

  constructor(agent, chatId) {
    this.#ended = (async () => {
      while (!this.#isOver) {
        await agent.say(chatId, `g-${(this.#said += 1)}`);
        await pause(TALK_PAUSE_MS);
      }
    })();
    // It is looked at in the end.
    this.#ended.catch(() => {});
  }

  async end() {
    this.#isOver = true;
    await this.#ended;
    return this.#said;
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, holds) {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${PATIENCE_MS} ms for ${what}`);
    await pause(LOOK_MS);
  }
}

const rowText = ({ wave, joined, open, fullMb, letGoMs, afterMb }) =>
  `wave ${wave}: ${joined} joined, ${open} connections, ${fullMb.toFixed(1)} MB; all let go after ${letGoMs} ms, ${afterMb.toFixed(1)} MB`;

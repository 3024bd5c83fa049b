// Carries out one plan: a customer with one to three tabs behind a fault proxy, an agent beside it, and at the end a network that works again,
// rest, and the account. Gives the account; throws where there is no rest.

import { account } from "./account.mjs";
import { EndUser, signToken } from "./people.mjs";
import { OFFERED } from "./plan.mjs";
import { FaultProxy } from "./proxy.mjs";
import { startApp } from "./tab.mjs";

/** How long the tabs may take to come to rest once everything works again. Far more than they need: it only ends a schedule that hangs. */
const REST_MS = 60_000;
/** How often what no tab reports is looked at while waiting for it. */
const LOOK_MS = 25;
/** How long a page may take to say its first word before it is frozen all the same. */
const BEGIN_MS = 5_000;

const MENUS = { virtualAgent: 1, person: 4 };

let runs = 0;

/** `{ problems, counts, faults, troubles, restMs, lives }` of a plan. The tabs are those of `profile`; they are given back. */
export async function carryOut(plan, { profile, site, gateway, agent }) {
  const schedule = new Schedule(plan, { profile, site, gateway, agent });
  try {
    await schedule.begin();
    for (const step of plan.steps) await schedule.take(step);
    return await schedule.end();
  } catch (error) {
    error.lives ??= schedule.lives;
    throw error;
  } finally {
    await schedule.dispose();
  }
}

class Schedule {
  lives = [];
  #plan;
  #stage;
  #proxy;
  #tabs = new Set();
  #endUser;
  #token;
  #chatId;
  #frozen = new Set();
  #said = [];
  #agentTalks = Promise.resolve();
  #sends = 0;
  #troubles = {};
  #faults = [];
  #waiting = new Set();

  constructor(plan, stage) {
    this.#plan = plan;
    this.#stage = stage;
  }

  // ---- beginning

  async begin() {
    const { gateway, agent } = this.#stage;
    runs += 1;
    this.#token = await signToken(gateway.origin, `customer-${this.#plan.seed}-${runs}`);
    this.#endUser = new EndUser(gateway.origin, this.#token);
    this.#proxy = await new FaultProxy(gateway.origin).start();
    const [first, ...others] = Array.from({ length: this.#plan.tabs }, (_, at) => "abcdefgh"[at]);
    await this.#open(first, { create: true });
    await this.#until("the chat", () => this.#life(first).loaded);
    this.#chatId = this.#life(first).loaded.chatId;
    if (this.#plan.menu === "person") await agent.accept(this.#chatId);
    for (const slot of others) await this.#open(slot);
    if (this.#plan.blockedForGood) {
      this.#count("blockedForGood");
      this.#proxy.blockStreams("refuse");
    }
  }

  async #open(slot, { create = false } = {}) {
    const tab = await this.#stage.profile.tabAt(`${this.#stage.site.origin}/blank.html`);
    this.#tabs.add(tab);
    tab.on("note", (note) => this.#take(note));
    tab.on("fault", (fault) => this.#faults.push(`${slot}: ${fault}`));
    await this.#start(slot, tab, create);
  }

  async #start(slot, tab, create = false) {
    const number = this.lives.filter((life) => life.slot === slot).length + 1;
    const life = { life: `${slot}${number}`, slot, tab, alive: true, notes: [], open: 0, shown: 0, loaded: null };
    this.lives.push(life);
    const { options, menu, resumes } = this.#plan;
    await tab.evaluate(startApp, { life: life.life, gateway: this.#proxy.origin, token: this.#token, chat: create ? MENUS[menu] : null, resumes, options });
  }

  /** What a tab says of itself; kept for the account, and followed to know when there is rest. */
  #take({ life: name, ...note }) {
    const life = this.lives.find((life) => life.life === name);
    life.notes.push(note);
    if (note.kind === "loaded") [life.loaded, life.shown] = [note, note.lastIndex ?? 0];
    else if (note.kind === "message") life.shown = Math.max(life.shown, note.index);
    else if (note.kind === "fetched") life.shown = Math.max(life.shown, note.list.at(-1)?.[0] ?? 0);
    else if (note.kind === "send") life.open += 1;
    else if (note.kind === "sent" || note.kind === "rejected") life.open -= 1;
    else if (note.kind === "event" && note.event === "chat.dismissed") this.#count("dismissed");
    else if (note.kind === "resumed") this.#count("resumed");
    else if (note.kind === "authFailed" || note.kind === "authHung") this.#count(note.kind);
    for (const check of this.#waiting) check();
  }

  #count(trouble) {
    this.#troubles[trouble] = (this.#troubles[trouble] ?? 0) + 1;
  }

  #life(slot) {
    return this.lives.findLast((life) => life.slot === slot);
  }

  #living() {
    return this.lives.filter(({ alive }) => alive);
  }

  // ---- steps

  async take({ do: what, pauseMs, ...step }) {
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    await this.#steps[what](step);
  }

  #steps = {
    send: ({ tab, count, by, abortAfterMs }) => {
      if (abortAfterMs !== undefined) this.#count("abort");
      return this.#send(tab, count, { by, abortAfterMs });
    },
    agent: ({ count }) => {
      // Beside the steps, as a person at another desk writes.
      this.#agentTalks = this.#agentTalks.then(async () => {
        for (let left = count; left > 0; left -= 1) await this.#agentSays();
      });
    },
    file: ({ tab, pixels }) => {
      this.#count("file");
      return this.#tell(tab, (id, pixels) => void globalThis.app.sendFile(id, pixels), `c-${tab}-${(this.#sends += 1)}`, pixels);
    },
    rest: ({ ms }) => new Promise((resolve) => setTimeout(resolve, ms)),
    fetch: ({ tab }) => this.#tell(tab, () => void globalThis.app.fetch()),
    listen: ({ tab }) => this.#tell(tab, () => void globalThis.app.listen()),
    heal: () => this.#heal(),
    reset: () => this.#proxy.reset(),
    halfOpen: () => this.#proxy.halfOpen(),
    silence: () => this.#proxy.silence(),
    refuse: () => this.#proxy.refuse(),
    latency: ({ ms }) => this.#proxy.setLatency(ms),
    answer: ({ count, ...fault }) => this.#proxy.answer(count, fault),
    loseAnswers: ({ count }) => this.#proxy.loseAnswers(count),
    cutAnswers: ({ count }) => this.#proxy.cutAnswers(count),
    cutFrames: ({ count }) => this.#proxy.cutFrames(count),
    blockStreams: ({ how }) => this.#proxy.blockStreams(how),
    reload: async ({ tab: slot, sending }) => {
      this.#count("reload");
      const life = this.#life(slot);
      await this.#send(slot, sending);
      life.alive = false;
      await life.tab.reload();
      await this.#start(slot, life.tab);
    },
    closeTab: async ({ tab: slot, sending }) => {
      this.#count("closeTab");
      const life = this.#life(slot);
      await this.#send(slot, sending);
      await this.#front(this.#living().find((other) => other !== life && !this.#frozen.has(other.slot)));
      life.alive = false;
      this.#tabs.delete(life.tab);
      await life.tab.close();
    },
    openTab: async ({ tab }) => {
      this.#count("openTab");
      await this.#open(tab);
    },
    offline: async () => {
      this.#count("offline");
      await this.#setOffline(true);
    },
    online: () => this.#setOffline(false),
    freeze: async ({ tab }) => {
      this.#count("freeze");
      this.#frozen.add(tab);
      await this.#begun(this.#life(tab));
      await this.#life(tab).tab.setLifecycle("frozen");
    },
    thaw: async ({ tab }) => {
      this.#frozen.delete(tab);
      await this.#life(tab).tab.setLifecycle("active");
    },
    front: async ({ tab }) => {
      this.#count("front");
      await this.#front(this.#life(tab));
    },
    authFails: ({ tab, count }) => this.#tell(tab, (count) => globalThis.app.failAuthentication(count), count),
    authHangs: ({ tab, count }) => this.#tell(tab, (count) => globalThis.app.hangAuthentication(count), count),
  };

  #tell(slot, fn, ...args) {
    return this.#life(slot).tab.evaluate(fn, ...args);
  }

  async #send(slot, count, options = {}) {
    const ids = Array.from({ length: count }, () => `c-${slot}-${(this.#sends += 1)}`);
    if (count > 0) await this.#tell(slot, (ids, options) => void globalThis.app.send(ids, options), ids, options);
  }

  #setOffline(offline) {
    return Promise.all([...this.#tabs].map((tab) => tab.setOffline(offline)));
  }

  #front(life) {
    return life.tab.send("Page.bringToFront");
  }

  async #agentSays() {
    const id = `g-${this.#said.length + 1}`;
    const { agent } = this.#stage;
    try {
      this.#said.push({ id, index: await agent.say(this.#chatId, id) });
    } catch (error) {
      // Dismissed while nobody wrote. Who waits again is taken again; otherwise there is nobody to talk to.
      if (error.status !== 409 && error.status !== 403) throw error;
      if (await agent.take(this.#chatId)) this.#said.push({ id, index: await agent.say(this.#chatId, id) });
    }
  }

  /**
   * The page has said something, or had its time for it. One that was frozen 14 ms after its beginning, while its modules were on their way, was
   * seen never to begin, although it was thawed.
   */
  async #begun({ notes }) {
    const deadlineMs = performance.now() + BEGIN_MS;
    while (notes.length === 0 && performance.now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }

  /** The end user says something past every tab and every fault. */
  async #sayLast() {
    const id = `g-${this.#said.length + 1}`;
    this.#said.push({ id, index: await this.#endUser.say(this.#chatId, id) });
  }

  /** The network works again; what is half open stays so. */
  async #heal({ release = false } = {}) {
    await this.#proxy.heal({ release });
    if (this.#plan.blockedForGood) this.#proxy.blockStreams("refuse");
  }

  // ---- end

  async end() {
    // What waits for the answer to an upgrade that never comes is let go where how long that may take is no option of the client.
    await this.#heal({ release: !OFFERED.connectTimeout });
    await this.#setOffline(false);
    for (const slot of this.#frozen) await this.#life(slot).tab.setLifecycle("active");
    const healedAtMs = performance.now();
    await this.#agentTalks;
    await this.#until("every tab to load and every send to end", () => this.#living().every(({ loaded, open }) => loaded && open === 0));
    await this.#flushOutbox();
    await this.#hearEverything();
    // What came late would come before this.
    await this.#sayLast();
    await this.#hearEverything();
    const restMs = performance.now() - healedAtMs;

    const summaries = await this.#summaries();
    this.#living().forEach((life, at) => (life.summary = summaries[at]));
    await this.#readLastWords();
    const store = await this.#readStore();
    const result = account({ lives: this.lives, agent: this.#said, store });
    for (const fault of this.#faults) result.problems.push({ kind: "other", text: fault });
    return { ...result, faults: this.#proxy.counts, troubles: this.#troubles, restMs, lives: this.lives };
  }

  /** What a closed tab left goes out with the next one that is looked at, or the next page that opens. */
  async #flushOutbox() {
    const left = async () => (await this.#summaries()).reduce((sum, { outbox, stored }) => sum + outbox + stored, 0);
    if ((await left()) === 0) return;
    if (OFFERED.sharedOutbox) {
      this.#count("takenOver");
      for (const life of this.#living()) await this.#front(life);
    } else {
      this.#count("laterPage");
      await this.#open("z");
    }
    await this.#until("the outbox to be empty", async () => (await left()) === 0);
  }

  async #hearEverything() {
    await this.#until("every tab to hear the last message", async () => {
      if (!this.#living().every(({ shown }) => shown === this.#living()[0].shown)) return false;
      const last = await this.#endUser.lastIndex(this.#chatId);
      return this.#living().every(({ loaded, shown }) => loaded && shown >= last);
    });
  }

  async #readStore() {
    const store = await this.#endUser.messages(this.#chatId);
    for (const message of store) {
      if (message.media_id !== undefined) message.digest = await this.#endUser.digest(this.#chatId, message.media_id);
    }
    return store;
  }

  /** What a page that was reloaded or closed did last can be lost on its way here: the page wrote it down, too. */
  async #readLastWords() {
    const words = await this.#living()[0].tab.evaluate(() => globalThis.app.takeLastWords());
    for (const { life: name, ...note } of words) {
      const { alive, notes } = this.lives.find(({ life }) => life === name);
      const isKnown = ({ kind, id, state }) => kind === note.kind && id === note.id && state === note.state;
      if (!alive && !notes.some(isKnown)) notes.push({ ...note, recovered: true });
    }
  }

  #summaries() {
    return Promise.all(this.#living().map(({ tab }) => tab.evaluate(() => globalThis.app.summary())));
  }

  /** Resolves when the condition holds: looked at after each thing that a tab says, and now and then. */
  async #until(what, holds) {
    let wake;
    const check = () => wake?.();
    this.#waiting.add(check);
    const deadlineMs = performance.now() + REST_MS;
    try {
      while (!(await holds())) {
        if (performance.now() > deadlineMs) throw new Error(`no rest: waited ${REST_MS} ms for ${what}`);
        await new Promise((resolve) => {
          const timer = setTimeout(resolve, LOOK_MS);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    } finally {
      this.#waiting.delete(check);
    }
  }

  async dispose() {
    await Promise.all([...this.#tabs].map((tab) => this.#stage.profile.giveBack(tab)));
    await this.#proxy?.close();
  }
}

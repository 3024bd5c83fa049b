// What the tests of this folder play on: the packed client on a page of the site, a real gateway on another origin, agents at their desks over
// REST. `scene.call(…)` runs in the page; what it gives comes back as data, and dates stay dates.
import { test } from "node:test";

import { openSdkPage, prepareSdkPage } from "../../browser/support/sdk-page.mjs";
import { withStage } from "../../browser/support/stage.mjs";
import { Ledger } from "./ledger.mjs";
import { Desk } from "./desk.mjs";

/** A test with a scene and a ledger that bears its name. `options` are `withStage`'s. */
export function scene(name, play, options) {
  test(name, () =>
    withStage(async (stage) => {
      const ledger = new Ledger(name);
      await play(new Scene(stage), ledger);
      ledger.close();
    }, options));
}

class Scene {
  #stage;

  constructor(stage) {
    this.#stage = stage;
  }

  get gateway() {
    return this.#stage.gateway.origin;
  }

  /** The page logs requests that were refused on purpose. */
  expectFaults(...patterns) {
    this.#stage.expectFaults(...patterns);
  }

  /** An agent who is signed in at the desk, and on duty. */
  desk(agent) {
    return Desk.open(this.gateway, agent);
  }

  /** A page with a client, `client` in what runs there; every event of it is kept. */
  async customer(options = {}) {
    const page = await openSdkPage(this.#stage);
    await this.#begin(page, options);
    return new Customer(page);
  }

  /** The same page, loaded anew. */
  async reload({ page }, options = {}) {
    await page.reload();
    await prepareSdkPage(this.#stage, page);
    await this.#begin(page, options);
  }

  async #begin(page, options) {
    await page.evaluate(
      ([options, names]) => {
        globalThis.client = globalThis.createClient(options);
        globalThis.heard = [];
        globalThis.waiting = new Set();
        for (const name of names) {
          globalThis.client.on(name, (...args) => {
            // A session of screen share writes itself down, a chat is its state, an identity is its fields and how it prints.
            const plain = args.map((value) => (typeof value?.state === "function" ? JSON.parse(JSON.stringify(value)) : value?.state ? { state: value.state } : value?.type && value?.is_customer !== undefined ? { ...value, printed: String(value) } : value));
            globalThis.heard.push({ name, args: structuredClone(plain.map((value) => (value instanceof Error ? { code: value.code, status: value.status } : value))) });
            for (const look of globalThis.waiting) look();
          });
        }
      },
      [options, EVENTS],
    );
  }
}

const EVENTS = [
  "ready", "authenticated", "chat.ongoing", "chat.updated", "chat.message", "chat.memberJoined", "chat.memberLeft", "chat.typingStarted", "chat.typingEnded",
  "chat.connected", "chat.disconnected", "chat.dismissed", "chat.timeout", "chat.ended", "chat.destroyed",
  "cobrowse.request", "cobrowse.loaded", "cobrowse.updated", "cobrowse.ended", "error",
];

class Customer {
  constructor(page) {
    this.page = page;
  }

  /** Calls a method of the client and gives what it resolves to; a chat comes as `{ state }`. Rejects as the client did. */
  async call(method, ...args) {
    const { value, error } = await this.page.evaluate(async ([method, args]) => {
      try {
        const value = await globalThis.client[method](...args);
        return { value: value?.state ? { state: value.state } : value };
      } catch ({ code, status, message }) {
        return { error: { code, status, message } };
      }
    }, [method, args]);
    if (error) throw Object.assign(new Error(`${method}: ${error.code}`), error);
    return value;
  }

  /** How a call was refused: `{ code, status }`; fails where it was not. */
  async refusal(method, ...args) {
    const refused = await this.call(method, ...args).then(
      () => null,
      ({ code, status }) => ({ code, status }),
    );
    if (refused === null) throw new Error(`${method} was not refused`);
    return refused;
  }

  /** Runs a function in the page. */
  run(fn, arg) {
    return this.page.evaluate(fn, arg);
  }

  /** The state of the current chat. */
  state() {
    return this.page.evaluate(() => globalThis.client.chat?.state ?? null);
  }

  /** The arguments of the `count`-th time that an event was heard, once it was; `where` chooses among them, as the text of a function. */
  async hears(name, { count = 1, where = "() => true" } = {}) {
    return this.page.evaluate(
      async ([name, count, where]) => {
        const accepts = new Function(`return (${where})`)();
        const look = () => globalThis.heard.filter((event) => event.name === name && accepts(...event.args))[count - 1]?.args;
        for (;;) {
          const found = look();
          if (found) return found;
          await new Promise((resolve) => {
            const wake = () => (globalThis.waiting.delete(wake), resolve());
            globalThis.waiting.add(wake);
          });
        }
      },
      [name, count, where],
    );
  }
}

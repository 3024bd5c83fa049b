// Stands in for the SDK of Cobrowse.io: has exactly the members that its published declarations name, records what is done with them, and throws at any other.
// Knows nothing of how that SDK works; what it does is what the test says. ../cobrowse-io.test.mjs proves the members against the installed declarations.
import { EventEmitter } from "events";

/** @typedef {'active' | 'authorizing' | 'pending' | 'ended'} State */
/** @typedef {'device_ended' | 'agent_ended' | 'pending_timeout' | 'authorizing_timeout' | 'active_timeout' | 'limit_enforcement'} Reason */
/** @typedef {'on' | 'off' | 'requested' | 'rejected'} Control */

/** @typedef {{ code?: string, state?: State, reason?: Reason, agent?: Record<string, unknown> }} Facts What the test says of a session; it changes it as it likes. */
/** @type {WeakMap<StandInSession, Facts>} */
const facts = new WeakMap();

/** @param {StandInSession} session @returns {Facts} */
const of = (session) => facts.get(session) ?? {};

/** @param {StandInSession} session @param {Facts} more */
export const change = (session, more) => void facts.set(session, { ...of(session), ...more });

export class StandInSession {
  /** @type {string[]} */
  capabilities = [];
  /** @type {{ last_alive: Date | null, latency: number | null }} */
  metrics = { last_alive: null, latency: null };
  created = new Date(0);
  expires = new Date(0);
  /** @type {Date | null} */
  activated = null;
  /** @type {Date | null} */
  updated = null;
  /** @type {Date | null} */
  ended = null;

  /** @param {Facts} given */
  constructor(given) {
    facts.set(this, given);
  }
  /** @returns {string | undefined} */
  code() {
    return of(this).code;
  }
  /** @returns {State} */
  state() {
    return of(this).state ?? "pending";
  }
  isActive() {
    return this.state() === "active";
  }
  isAuthorizing() {
    return this.state() === "authorizing";
  }
  isPending() {
    return this.state() === "pending";
  }
  isEnded() {
    return this.state() === "ended";
  }
  async activate() {
    change(this, { state: "active" });
    return this;
  }
  async end() {
    change(this, { state: "ended" });
    return this;
  }
  /** @returns {Reason | undefined} */
  endedReason() {
    return of(this).reason;
  }
  /** @returns {string[]} */
  redactionSelectors() {
    return [];
  }
  /** @returns {string[]} */
  unredactionSelectors() {
    return [];
  }
  /** @returns {Record<string, unknown> | false} */
  agent() {
    return of(this).agent ?? false;
  }
  fullDevice() {
    return false;
  }
  /** @param {Control} _state */
  async setFullDevice(_state) {
    return this;
  }
  /** @returns {Control} */
  remoteControl() {
    return "off";
  }
  /** @param {Control} _state */
  async setRemoteControl(_state) {
    return this;
  }
}

export class StandIn extends EventEmitter {
  static version = "stand-in";
  version = "stand-in";
  api = "https://the-sdk-s-own.example";
  license = "";
  /** @type {Record<string, string>} */
  customData = {};
  /** @type {(string | Record<string, string[]>)[]} */
  redactedViews = [];
  /** @type {(string | Record<string, string[]>)[]} */
  unredactedViews = [];
  /** @type {(string | Record<string, string[]>)[]} */
  ignoredViews = [];
  /** @type {(string | Record<string, string[]>)[]} */
  disabledViews = [];
  /** @type {(string | Record<string, string[]>)[]} */
  enabledViews = [];
  /** @type {StandInSession | null} */
  currentSession = null;
  /** @type {(string | RegExp)[]} */
  trustedOrigins = [];
  /** @type {(string | RegExp)[]} */
  universalLinks = [];
  /** @type {(string | RegExp)[]} */
  pdfLinks = [];
  /** @type {string[]} */
  capabilities = [];
  registration = true;
  /** @type {string | undefined} */
  virtualAgent = undefined;

  /** @param {{ allowIFrameStart?: boolean }} [_options] */
  async start(_options) {
    return this;
  }
  async stop() {
    return this;
  }
  deviceId() {
    return "device";
  }
  async client() {
    return this;
  }
  async createSession() {
    return new StandInSession({ code: "222222" });
  }
  async createSessionCode() {
    return "111111";
  }
  /** @param {string} idOrCode */
  async getSession(idOrCode) {
    return new StandInSession({ code: idOrCode });
  }
  confirmRemoteControl = async () => true;
  confirmFullDevice = async () => true;
  confirmSession = async () => true;
  showSessionControls = async () => {};
  hideSessionControls = async () => {};
}

/**
 * What the tests see: `sdk` to be used by the adapter, `log` of every call and every property set, in order. `does` replaces what a method does. Methods that
 * nobody replaced work as above.
 */
export function standIn(does = {}) {
  const log = [];
  const target = new StandIn();
  for (const [name, work] of Object.entries(does)) Object.defineProperty(target, name, { value: work, writable: true, configurable: true });
  const plain = (value) => (typeof value === "function" ? "function" : structuredClone(value));
  const known = (name) => {
    // Promises look for `then`.
    if (typeof name === "symbol" || name === "then" || name in target) return;
    throw new Error(`The declarations name no CobrowseIO.${name}.`);
  };
  const sdk = new Proxy(target, {
    get(_, name) {
      known(name);
      const value = target[name];
      if (typeof value !== "function") return value;
      const recorded = ["start", "stop", "client", "createSession", "createSessionCode", "getSession", "on", "removeListener"];
      if (!recorded.includes(String(name))) return value;
      return (...args) => {
        log.push([name, ...args.map(plain)]);
        const result = value.apply(target, args);
        // Whoever waits for the client gets what watches.
        return name === "client" ? Promise.resolve(result).then((found) => (found === target ? sdk : found)) : result;
      };
    },
    set(_, name, value) {
      known(name);
      log.push([`${String(name)} =`, plain(value)]);
      target[name] = value;
      return true;
    },
    deleteProperty(_, name) {
      throw new Error(`Nothing of CobrowseIO is to be deleted: ${String(name)}.`);
    },
  });
  return { sdk, target, log };
}

// The client that pages hold: there at once. Keeps listeners and calls, in order, until the core is loaded; then only forwards.
import { sportelloError } from "./errors.js";
import { ask, call, enter } from "./guard.js";
import { loadCore } from "./loader.js";
import { logs } from "./logger.js";
import { checkOptions } from "./options.js";

// Every asynchronous method with its number of parameters; `{ signal }` may follow them.
const METHODS = {
  getTrigger: 0, runTrigger: 1, getCompany: 0, getAfterHourMessage: 1, getMenus: 2, getWaitTimes: 2,
  createCall: 2, loadCall: 1, cancelCall: 1, rescheduleCall: 2, getTimeSlots: 2, fetchTimeSlotAvailability: 2,
  createChat: 2, loadChat: 1, loadOngoingChat: 0, resumeChat: 1, finishChat: 0, destroyChat: 0,
  checkIn: 0, rejoinChat: 0, notifyCheckInState: 0,
  fetchMessages: 0, sendTextMessage: 1, sendFileMessage: 1, sendPreviewMessage: 1, getMessageAttachment: 1, getChatHistory: 1,
  getChatDeflection: 0, sendChatTranscripts: 1, downloadChatTranscript: 0, getPdfStatus: 1,
  getChatSurvey: 0, sendChatSurvey: 1, sendChatRate: 1,
  escalateChat: 1, trackChatEscalation: 2, trackChatEndUserEvent: 1,
  createEmail: 2, getProhibitedFileTypes: 0, createCobrowseCode: 2, startCobrowse: 1, restoreCobrowseSession: 0, updatePostSession: 2,
  getForm: 1, submitForm: 2, attachBrowserForm: 2, getFeatureFlags: 0,
};

export class Client {
  #options;
  #core;
  #closed = false;
  #loading = false;
  #listeners = new Map();
  #waiting = new Set();
  #assigned;

  constructor(options) {
    checkOptions(options);
    this.#options = options;
    this.#load();
  }

  get chat() {
    return this.#ask((core) => core.chat, this.#assigned?.chat ?? null);
  }

  set chat(chat) {
    this.#assigned = { chat };
    this.#ask((core) => (core.chat = chat));
  }

  get unreadCount() {
    return this.#ask((core) => core.unreadCount, 0);
  }

  get outbox() {
    return this.#ask((core) => core.outbox, []);
  }

  get messages() {
    return this.#ask((core) => core.messages, []);
  }

  get connection() {
    return this.#ask((core) => core.connection, "idle");
  }

  on(event, listener) {
    if (typeof event !== "string" || typeof listener !== "function") throw sportelloError("invalid_argument", "on() takes a string and a function.");
    if (this.#core) return this.#ask((core) => core.on(event, listener));
    this.#listeners.set(event, (this.#listeners.get(event) ?? new Set()).add(listener));
  }

  off(event, listener) {
    if (this.#core) return this.#ask((core) => core.off(event, listener));
    this.#listeners.get(event)?.delete(listener);
  }

  _triggerEvent(event, ...args) {
    if (this.#core) this.#ask((core) => core._triggerEvent(event, ...args));
    else this.#emit(event, args);
  }

  markRead() {
    this.#ask((core) => core.markRead());
  }

  close() {
    this.#closed = true;
    this.#ask((core) => core.close());
    this.#listeners.clear();
    this.#settleWaiting(closedError());
  }

  destroy() {
    this.close();
  }

  getLogs() {
    return [...logs];
  }

  #ask(use, fallback) {
    return this.#core ? ask(() => use(this.#core), fallback) : fallback;
  }

  // As the core: once for each listener, none that was taken off meanwhile; one that throws hurts no other.
  #emit(event, args) {
    const listeners = this.#listeners.get(event);
    for (const listener of [...(listeners ?? [])]) {
      if (!listeners.has(listener)) continue;
      try {
        listener(...args);
      } catch (error) {
        (globalThis.reportError ?? console.error)(error);
      }
    }
  }

  #call(method, args) {
    const options = args[METHODS[method]];
    if (this.#core) return call(() => this.#core.call(method, args, options));
    if (this.#closed) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      let signal;
      const abort = () => settle(sportelloError("aborted", "The call was aborted."));
      const settle = (error) => {
        this.#waiting.delete(settle);
        signal?.removeEventListener("abort", abort);
        if (error) reject(error);
        else resolve(this.#call(method, args));
      };
      try {
        signal = options?.signal;
        if (signal?.aborted) return abort();
        signal?.addEventListener("abort", abort);
      } catch {
        signal = null; // the core refuses it
      }
      this.#waiting.add(settle);
      this.#load();
    });
  }

  #settleWaiting(error) {
    for (const settle of this.#waiting) settle(error);
  }

  async #load() {
    if (this.#loading) return;
    this.#loading = true;
    try {
      const { Client: Core } = await loadCore(this.#options.wasm);
      if (!this.#closed) this.#start(enter(() => new Core(this.#options)));
    } catch (error) {
      this.#loading = false;
      this.#settleWaiting(error);
      if (!this.#closed) this.#emit("error", [error]);
    }
  }

  #start(core) {
    this.#core = core;
    if (this.#assigned) this.chat = this.#assigned.chat;
    for (const [event, listeners] of this.#listeners) for (const listener of listeners) this.on(event, listener);
    this.#listeners.clear();
    this.#settleWaiting();
    if (this.#options.cobrowse?.enabled) this.restoreCobrowseSession().catch((error) => this._triggerEvent("error", error));
  }

  static {
    for (const method of Object.keys(METHODS)) {
      Object.defineProperty(this.prototype, method, {
        value(...args) {
          // For chunks: what they may ask next.
          args.client = { options: this.#options, call: (...next) => this.#call(...next), client: this };
          return this.#call(method, args);
        },
        configurable: true,
        writable: true,
      });
    }
  }
}

const closedError = () => sportelloError("closed", "The client was closed.");

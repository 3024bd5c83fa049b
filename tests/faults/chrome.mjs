// A Chrome that is driven over the DevTools protocol itself. Playwright would keep every tab focused and visible, and a tab that is visible is
// never frozen: here tabs can be hidden, frozen and cut from the network one by one, and each says what it saw over a binding that survives a
// reload.

import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import WebSocket from "ws";

import { CHROMIUM } from "../browser/support/paths.mjs";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-default-apps",
  "--disable-extensions",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--metrics-recording-only",
  "--mute-audio",
  "--password-store=basic",
  "--remote-debugging-port=0",
];
const LISTENING = /^DevTools listening on (ws:\/\/\S+)$/u;
const START_TIMEOUT_MS = 30_000;
/** How long the browser may take to answer a command. */
const ANSWER_TIMEOUT_MS = 30_000;

export class Chrome {
  #child;
  #profile;
  #socket;
  #lastId = 0;
  #waiting = new Map();
  #sessions = new Map();

  /** Starts a browser with a profile of its own. `flags` are added to its command line. */
  static async launch({ flags = [] } = {}) {
    const chrome = new Chrome();
    chrome.#profile = await mkdtemp(join(tmpdir(), "sportello-chrome-"));
    chrome.#child = spawn(CHROMIUM, [...FLAGS, ...flags, `--user-data-dir=${chrome.#profile}`, "about:blank"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    chrome.#socket = new WebSocket(await listening(chrome.#child), { perMessageDeflate: false });
    chrome.#socket.on("message", (data) => chrome.#take(JSON.parse(data)));
    await once(chrome.#socket, "open");
    return chrome;
  }

  /** Sends a command, to the browser or to one of its tabs. */
  send(method, params = {}, sessionId) {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(id)?.reject(new Error(`${method} was not answered`)), ANSWER_TIMEOUT_MS);
      this.#waiting.set(id, { method, resolve, reject, timer });
    });
  }

  /** A browser profile in memory: what its tabs store is theirs alone. */
  async newProfile() {
    const { browserContextId } = await this.send("Target.createBrowserContext");
    return new Profile(this, browserContextId);
  }

  async close() {
    const ended = once(this.#child, "exit");
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.send("Browser.close").catch(() => {});
      const timer = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(timer);
    }
    this.#socket.terminate();
    for (const id of [...this.#waiting.keys()]) this.#settle(id).reject(new Error("the browser is closed"));
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Events of one tab. */
  attach(sessionId, emitter) {
    this.#sessions.set(sessionId, emitter);
  }

  detach(sessionId) {
    this.#sessions.delete(sessionId);
    for (const [id, { session }] of this.#waiting) if (session === sessionId) this.#settle(id).reject(new Error("the tab is closed"));
  }

  #take({ id, method, params, result, error, sessionId }) {
    if (id === undefined) return void this.#sessions.get(sessionId)?.emit(method, params);
    const waiting = this.#settle(id);
    if (error) waiting?.reject(new Error(`${waiting.method}: ${error.message}`));
    else waiting?.resolve(result);
  }

  #settle(id) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(waiting?.timer);
    return waiting;
  }
}

class Profile {
  #chrome;
  #id;
  #idle = [];
  tabs = new Set();

  constructor(chrome, id) {
    this.#chrome = chrome;
    this.#id = id;
  }

  /** An empty tab. */
  async newTab() {
    const { targetId } = await this.#chrome.send("Target.createTarget", { url: "about:blank", browserContextId: this.#id });
    const { sessionId } = await this.#chrome.send("Target.attachToTarget", { targetId, flatten: true });
    const tab = new Tab(this.#chrome, targetId, sessionId, () => this.tabs.delete(tab));
    this.tabs.add(tab);
    await tab.enable();
    return tab;
  }

  /** A tab at `url`: one that was given back, where there is one, because a new tab costs a new process. */
  async tabAt(url) {
    const tab = this.#idle.pop() ?? (await this.newTab());
    await tab.goto(url);
    await tab.send("Page.bringToFront");
    return tab;
  }

  /** Leaves what the tab shows and keeps it for later. */
  async giveBack(tab) {
    tab.removeAllListeners("note");
    tab.removeAllListeners("fault");
    await tab.setLifecycle("active");
    await tab.setOffline(false);
    await tab.goto("about:blank");
    this.#idle.push(tab);
  }

  /** Cuts all its tabs from the network, as the browser sees it, or puts them back. */
  async setOffline(offline) {
    await Promise.all([...this.tabs].map((tab) => tab.setOffline(offline)));
  }

  async close() {
    for (const tab of this.tabs) tab.forget();
    await this.#chrome.send("Target.disposeBrowserContext", { browserContextId: this.#id });
  }
}

/** Emits `note` with what the page said, `fault` with what it did wrong, and the events of the protocol. */
class Tab extends EventEmitter {
  #chrome;
  #target;
  #session;
  #left;

  constructor(chrome, target, session, left) {
    super();
    this.#chrome = chrome;
    this.#target = target;
    this.#session = session;
    this.#left = left;
    chrome.attach(session, this);
    this.on("Runtime.bindingCalled", ({ payload }) => this.emit("note", JSON.parse(payload)));
    this.on("Runtime.exceptionThrown", ({ exceptionDetails: { text, exception } }) => {
      this.emit("fault", `uncaught: ${text} ${exception?.description ?? JSON.stringify(exception?.value)}`);
    });
    this.on("Inspector.targetCrashed", () => this.emit("fault", "the tab crashed"));
  }

  send(method, params) {
    return this.#chrome.send(method, params, this.#session);
  }

  async enable() {
    await Promise.all([
      this.send("Page.enable"),
      this.send("Runtime.enable"),
      this.send("Network.enable"),
      this.send("Inspector.enable"),
      this.send("Runtime.addBinding", { name: "sportelloNote" }),
    ]);
  }

  /** Goes to `url`; resolves when the document is there. */
  async goto(url) {
    const ready = once(this, "Page.domContentEventFired");
    const { errorText } = await this.send("Page.navigate", { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    await ready;
  }

  /** Reloads, whatever the page is doing; resolves when the new document is there. */
  async reload() {
    const ready = once(this, "Page.domContentEventFired");
    await this.send("Page.reload");
    await ready;
  }

  /** Calls `fn` in the page with plain data, and gives what it returns or resolves to. */
  async evaluate(fn, ...args) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression: `(${fn})(...${JSON.stringify(args)})`,
      awaitPromise: true,
      returnByValue: true,
      userGesture: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  setOffline(offline) {
    return this.send("Network.emulateNetworkConditions", { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  }

  /** `frozen`: no task runs any more, as in a tab long in the background. `active`: it goes on, and is shown. */
  setLifecycle(state) {
    return this.send("Page.setWebLifecycleState", { state });
  }

  /** Closes it at once, as a person does. */
  async close() {
    this.forget();
    await this.#chrome.send("Target.closeTarget", { targetId: this.#target });
  }

  /** Hears nothing any more. */
  forget() {
    this.#left();
    this.#chrome.detach(this.#session);
  }
}

function listening(child) {
  return new Promise((resolve, reject) => {
    const said = [];
    const fail = (reason) => reject(new Error(`the browser ${reason}\n${said.join("\n")}`));
    const timer = setTimeout(() => fail("did not say that it listens"), START_TIMEOUT_MS);
    child.once("error", (error) => fail(`could not be started: ${error.message}`));
    child.once("exit", (code) => fail(`ended with ${code} before it listened`));
    createInterface({ input: child.stderr }).on("line", (line) => {
      said.push(line);
      const match = LISTENING.exec(line);
      if (!match) return;
      clearTimeout(timer);
      resolve(match[1]);
    });
  });
}

// Watches a client for the developer tools: every call with its arguments, its result and how long it took, every event with what its listeners
// got. The client behind it works as if nobody looked. What goes into `authenticate` is not seen: no token is recorded.

/** The events of the SDK. */
const EVENTS = [
  "ready", "authenticated", "chat.ongoing", "chat.updated", "chat.message", "chat.memberJoined", "chat.memberLeft", "chat.typingStarted", "chat.typingEnded",
  "chat.connected", "chat.disconnected", "chat.reconnected", "chat.dismissed", "chat.timeout", "chat.ended", "chat.destroyed", "chat.delivery",
  "chat.uploadProgress", "chat.unread", "connection", "error", "cobrowse.request", "cobrowse.loaded", "cobrowse.updated", "cobrowse.ended",
];
/** How many entries are kept. */
const LIMIT = 500;
/** Called for every look at the page, and told nothing. */
const SILENT = new Set(["on", "off", "_triggerEvent", "constructor"]);

export class Recorder {
  /** `{ id, kind, name, args, startedAt, state, result, durationMs }`, oldest first. `kind` is `call` or `event`, `state` is `pending`, `done` or `failed`. */
  entries = [];
  #listeners = new Set();
  #nextId = 1;

  /** A client that does what `client` does and is watched. */
  watch(client) {
    for (const name of EVENTS) client.on(name, (...args) => this.#add({ kind: "event", name, args, state: "done" }));
    return this.#proxy(client, "", { chat: new WeakMap() });
  }

  /** Calls `listener(entry)` for each new entry and each that changed. */
  onEntry(listener) {
    this.#listeners.add(listener);
  }

  clear() {
    this.entries = [];
  }

  #proxy(target, prefix, known) {
    return new Proxy(target, {
      get: (_, name) => {
        // The client's private fields belong to the client, not to its proxy: everything is asked of the target.
        const value = Reflect.get(target, name, target);
        if (name === "chat" && known && value) return this.#chat(value, known.chat);
        if (typeof value !== "function" || typeof name !== "string") return value;
        if (SILENT.has(name)) return value.bind(target);
        return (...args) => this.#call(target, value, prefix + name, args);
      },
      set: (_, name, value) => Reflect.set(target, name, this.#originals.get(value) ?? value, target),
    });
  }

  #originals = new WeakMap();

  /** The chat has calls of its own. One proxy for each, so that the same chat stays the same object. */
  #chat(chat, proxies) {
    if (!proxies.has(chat)) {
      const proxy = this.#proxy(chat, "chat.", null);
      this.#originals.set(proxy, chat);
      proxies.set(chat, proxy);
    }
    return proxies.get(chat);
  }

  #call(target, method, name, args) {
    const started_ms = performance.now();
    const entry = this.#add({ kind: "call", name, args, state: "pending" });
    const end = (state, result) => {
      Object.assign(entry, { state, result, durationMs: performance.now() - started_ms });
      this.#tell(entry);
    };
    try {
      const result = method.apply(target, args);
      if (typeof result?.then !== "function") end("done", result);
      // A second branch of the promise: the caller still gets every rejection.
      else result.then((value) => end("done", value), (error) => end("failed", error));
      return result;
    } catch (error) {
      end("failed", error);
      throw error;
    }
  }

  #add(entry) {
    const added = { id: this.#nextId++, startedAt: new Date(), ...entry };
    this.entries.push(added);
    if (this.entries.length > LIMIT) this.entries.shift();
    this.#tell(added);
    return added;
  }

  #tell(entry) {
    for (const listener of this.#listeners) listener(entry);
  }
}

// What the agent has written and the gateway has not acknowledged. Each message has an id made here, goes out in order, and is tried again
// with the same id until the gateway has stored it, across lost connections, a restarted gateway and a reload of the page.

import { Backoff } from "../shared/backoff.js";

export class DeskOutbox {
  #send;
  #onChange;
  #onSignedOut;
  #key;
  #entries = [];
  #flushing = new Set();
  #closed = false;
  #wakeUps = new Set();

  /**
   * `send(chatId, clientId, message)` resolves when stored; `onChange(entry)` hears every new state (`{ chatId, clientId, message, state,
   * reason }`); `agentId` keeps two agents at one browser apart.
   */
  constructor({ send, onChange, onSignedOut, agentId }) {
    this.#send = send;
    this.#onChange = onChange;
    this.#onSignedOut = onSignedOut;
    this.#key = `sportello-desk.outbox.${agentId}`;
    this.#entries = this.#read();
    for (const { chatId } of this.#entries) this.#flush(chatId);
  }

  /** Sends a message. `clientId` is given where the gateway knows it already, from the upload of the message's file. */
  add(chatId, message, clientId = crypto.randomUUID()) {
    const entry = { chatId, clientId, message, state: "queued" };
    this.#entries.push(entry);
    this.#write();
    this.#onChange(entry);
    this.#flush(chatId);
  }

  /** What waits in one chat. */
  entries(chatId) {
    return this.#entries.filter((entry) => entry.chatId === chatId);
  }

  /** The message came back on the stream: it is stored, even where its acknowledgement was lost. */
  confirm(clientId) {
    this.#remove(clientId);
  }

  /** Takes a failed message back; returns it. */
  take(clientId) {
    const entry = this.#entries.find((candidate) => candidate.clientId === clientId);
    this.#remove(clientId);
    return entry?.message;
  }

  /** Connected again: do not wait any longer. */
  wake() {
    for (const resolve of this.#wakeUps) resolve();
  }

  /** Stops sending. `forget` also wipes what was kept, as after signing out. */
  close({ forget }) {
    this.#closed = true;
    this.wake();
    if (forget) {
      this.#entries = [];
      this.#write();
    }
  }

  /** Sends the messages of one chat, one after the other: a later one must never overtake an earlier one. */
  async #flush(chatId) {
    if (this.#flushing.has(chatId)) return;
    this.#flushing.add(chatId);
    const backoff = new Backoff();
    for (;;) {
      const entry = this.#entries.find((candidate) => candidate.chatId === chatId && candidate.state !== "failed");
      if (!entry || this.#closed) break;
      this.#set(entry, "sending");
      try {
        await this.#send(chatId, entry.clientId, entry.message);
        this.#set(entry, "sent");
        this.#remove(entry.clientId);
        backoff.reset();
      } catch (error) {
        if (error.isSignedOut) {
          this.#set(entry, "queued");
          this.#onSignedOut();
          break;
        }
        if (!error.isRetryable) {
          this.#set(entry, "failed", error.code);
          continue;
        }
        this.#set(entry, "queued");
        await this.#pause(error.retryAfter_ms ?? backoff.next());
      }
    }
    this.#flushing.delete(chatId);
  }

  #pause(delay_ms) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wakeUps.delete(done);
        resolve();
      };
      const timer = setTimeout(done, delay_ms);
      this.#wakeUps.add(done);
    });
  }

  #set(entry, state, reason) {
    if (this.#closed || !this.#entries.includes(entry)) return;
    entry.state = state;
    entry.reason = reason;
    this.#onChange(entry);
  }

  #remove(clientId) {
    this.#entries = this.#entries.filter((entry) => entry.clientId !== clientId);
    this.#write();
  }

  // The tab's own storage: two tabs never send one message, and closing the tab forgets it.
  #read() {
    try {
      const entries = JSON.parse(sessionStorage.getItem(this.#key) ?? "[]");
      return entries.filter((entry) => typeof entry.message?.type === "string").map((entry) => ({ ...entry, state: "queued" }));
    } catch {
      return [];
    }
  }

  #write() {
    try {
      if (this.#entries.length === 0) return sessionStorage.removeItem(this.#key);
      const kept = this.#entries.map(({ chatId, clientId, message }) => ({ chatId, clientId, message }));
      sessionStorage.setItem(this.#key, JSON.stringify(kept));
    } catch {
      // Refused storage: the messages are still sent, they only do not survive a reload.
    }
  }
}

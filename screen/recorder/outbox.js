/**
 * Gathers events and hands them over about every 100 ms; sooner at the beginning and when they have become many.
 */

const INTERVAL_MS = 100;
/** Roughly the bytes of one batch: turning it into JSON must not become a long task of its own. */
const FULL_BYTES = 200_000;

export class Outbox {
  #window;
  #emit;
  #events = [];
  #bytes = 0;
  #timer = null;
  #last = 0;

  constructor(window, emit) {
    this.#window = window;
    this.#emit = emit;
  }

  /** `bytes` is a guess at its size. */
  push(event, bytes = 100) {
    this.#events.push(event);
    this.#bytes += bytes;
    if (this.#bytes >= FULL_BYTES) {
      this.#later(0);
    } else {
      this.#later(Math.max(0, this.#last + INTERVAL_MS - Date.now()));
    }
  }

  #later(delay_ms) {
    if (this.#timer !== null && delay_ms > 0) return;
    this.#window.clearTimeout(this.#timer);
    this.#timer = this.#window.setTimeout(() => this.flush(), delay_ms);
  }

  flush() {
    this.#window.clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    this.#bytes = 0;
    this.#last = Date.now();
    this.#emit(events);
  }

  /** Forgets what was not handed over. */
  clear() {
    this.#window.clearTimeout(this.#timer);
    this.#timer = null;
    this.#events = [];
    this.#bytes = 0;
  }
}

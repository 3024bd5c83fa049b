/**
 * Gathers events and hands them over about every 100 ms; sooner at the beginning and when they have become many.
 */

const INTERVAL_MS = 100;
/** Roughly the bytes of one batch: turning it into JSON must not become a long task of its own. */
const FULL_BYTES = 200_000;

export class Outbox {
  #clock;
  #emit;
  #events = [];
  #bytes = 0;
  #cancel = null;
  #last_ms = -Infinity;
  #isUrgent = false;

  constructor(clock, emit) {
    this.#clock = clock;
    this.#emit = emit;
  }

  /** `bytes` is a guess at its size. */
  push(event, bytes = 100) {
    this.#events.push(event);
    this.#bytes += bytes;
    if (this.#bytes >= FULL_BYTES && !this.#isUrgent) {
      this.#isUrgent = true;
      this.#flushIn(0);
    } else if (this.#cancel === null) {
      this.#flushIn(Math.max(0, this.#last_ms + INTERVAL_MS - this.#clock.now()));
    }
  }

  #flushIn(ms) {
    this.#cancel?.();
    this.#cancel = this.#clock.later(() => this.flush(), ms);
  }

  flush() {
    const events = this.#events;
    this.clear();
    if (events.length === 0) return;
    this.#last_ms = this.#clock.now();
    this.#emit(events);
  }

  /** Forgets what was not handed over. */
  clear() {
    this.#cancel?.();
    this.#cancel = null;
    this.#isUrgent = false;
    this.#events = [];
    this.#bytes = 0;
  }
}

// Tells the other side that somebody types: once when it starts, again while it goes on, and once when it stops. A key press is never a
// request of its own.

const REPEAT_MS = 3_000;
const IDLE_MS = 4_000;

export class TypingSignal {
  #start;
  #stop;
  #lastStartMs = -Infinity;
  #idleTimer = 0;

  /** `start` and `stop` send the signal; they may fail silently, because typing is only ever a hint. */
  constructor({ start, stop }) {
    this.#start = start;
    this.#stop = stop;
  }

  /** Call on each change of the text. */
  input(text) {
    if (text.trim() === "") return this.end();
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.end(), IDLE_MS);
    const now = performance.now();
    if (now - this.#lastStartMs < REPEAT_MS) return;
    this.#lastStartMs = now;
    this.#start();
  }

  /** Call when the text was sent or left. */
  end() {
    clearTimeout(this.#idleTimer);
    if (this.#lastStartMs === -Infinity) return;
    this.#lastStartMs = -Infinity;
    this.#stop();
  }
}

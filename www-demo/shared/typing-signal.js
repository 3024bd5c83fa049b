// Tells the other side that somebody types: once when it starts, again while it goes on, and once when it stops. A key press is never a
// request of its own.

const REPEAT_MS = 3_000;
const IDLE_MS = 4_000;

export class TypingSignal {
  #start;
  #stop;
  #onText;
  #lastStartMs = -Infinity;
  #idleTimer = 0;

  /**
   * `start` and `stop` send the signal; they may fail silently, because typing is only ever a hint. `onText(text)` hears every change of the text, for
   * whoever shows more than the hint.
   */
  constructor({ start, stop, onText }) {
    this.#start = start;
    this.#stop = stop;
    this.#onText = onText;
  }

  /** Call on each change of the text. */
  input(text) {
    this.#onText?.(text);
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

// How long to wait before the next attempt: longer each time, never longer than a limit, and spread at random so that a restarted gateway
// does not meet all its pages in the same millisecond.

export class Backoff {
  #initialMs;
  #maxMs;
  #attempt = 0;

  constructor({ initialMs = 250, maxMs = 5_000 } = {}) {
    this.#initialMs = initialMs;
    this.#maxMs = maxMs;
  }

  /** The next waiting time in milliseconds. */
  next() {
    const ceiling = Math.min(this.#maxMs, this.#initialMs * 2 ** this.#attempt);
    this.#attempt += 1;
    return ceiling / 2 + (Math.random() * ceiling) / 2;
  }

  /** Call after a success. */
  reset() {
    this.#attempt = 0;
  }
}

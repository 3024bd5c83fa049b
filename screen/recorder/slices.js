/**
 * When the recorder may work, and for how long: in the browser's idle time, a few milliseconds at once.
 *
 * On a page that leaves no idle time a slice is taken every `LATEST_MS`, so that such a page loses a few percent and no more.
 */

import { ofDocument } from "./dom.js";

const BUDGET_MS = 5;
/** A page too busy for idle time is looked at this often. */
const LATEST_MS = 100;
/** Without `requestIdleCallback`, and in pages that nobody sees. */
const HIDDEN_MS = 50;

export class Slices {
  #run;
  #now;
  #schedule;
  #cancel;
  #budget;
  #end = 0;
  #begun = false;

  /** `run()` is the work of one slice; it asks `over()` between any two nodes. */
  constructor(clock, run) {
    this.#run = run;
    this.#now = clock.now;
    this.#schedule = clock.schedule;
    this.#budget = clock.budget_ms ?? BUDGET_MS;
  }

  /** Sees to it that a slice will come. */
  request() {
    this.#cancel ??= this.#schedule((remaining_ms) => {
      this.#cancel = null;
      this.#begun = false;
      this.#end = this.#now() + Math.min(this.#budget, Math.max(1, remaining_ms ?? Infinity));
      this.#run();
    });
  }

  /** Whether the time of this slice is used up. One step is always allowed: there must be progress. */
  over = () => {
    if (this.#begun) return this.#now() >= this.#end;
    this.#begun = true;
    return false;
  };

  stop() {
    this.#cancel?.();
    this.#cancel = null;
  }
}

/**
 * The browser's clock. Tests have one of their own with the same functions: `now()` in milliseconds; `schedule(run)` for a slice, where `run` takes
 * the milliseconds that remain if that is known; `later(run, ms)` and `every(run, ms)`. All three return a function that takes it back. `budget_ms` is
 * for one slice.
 */
export function browserClock(window) {
  const { document, performance } = window;
  const idle = window.requestIdleCallback?.bind(window);
  return {
    now: () => performance.now(),
    later(run, ms) {
      const timer = window.setTimeout(() => run(), ms);
      return () => window.clearTimeout(timer);
    },
    every(run, ms) {
      const timer = window.setInterval(() => run(), ms);
      return () => window.clearInterval(timer);
    },
    schedule(run) {
      if (ofDocument(document, "hidden")) {
        const timer = window.setTimeout(() => run(), HIDDEN_MS);
        return () => window.clearTimeout(timer);
      }
      if (idle) {
        const handle = idle((deadline) => run(deadline.didTimeout ? undefined : deadline.timeRemaining()), { timeout: LATEST_MS });
        return () => window.cancelIdleCallback(handle);
      }
      let done = false;
      const once = () => {
        if (!done) run();
        cancel();
      };
      const frame = window.requestAnimationFrame(once);
      const timer = window.setTimeout(once, LATEST_MS);
      const cancel = () => {
        done = true;
        window.cancelAnimationFrame(frame);
        window.clearTimeout(timer);
      };
      return cancel;
    },
  };
}

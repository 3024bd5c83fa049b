// Every way into the core. A trap (a Rust panic) leaves the WebAssembly instance in an unknown state: it is not entered again, and every call
// rejects with `internal`. Only a new page recovers.
import { isSportelloError, sportelloError } from "./errors.js";
import { log } from "./logger.js";

let fault;
const underWay = new Set();

function translate(error) {
  if (fault || isSportelloError(error)) return fault ?? error;
  const internal = sportelloError("internal", "A fault of the SDK.", error);
  if (error instanceof WebAssembly.RuntimeError) {
    fault = internal;
    log("error", "the core trapped; reload the page");
    for (const reject of underWay) reject(fault);
  }
  return internal;
}

/** Throws nothing but a SportelloError. */
export function enter(use) {
  if (fault) throw fault;
  try {
    return use();
  } catch (error) {
    throw translate(error);
  }
}

/** For what must not break a page's rendering or clean-up: gives `fallback` after a trap. */
export function ask(use, fallback) {
  try {
    return enter(use);
  } catch (error) {
    if (error === fault) return fallback;
    throw error;
  }
}

/** For asynchronous methods. */
export const call = (use) =>
  new Promise((resolve, reject) => {
    enter(use)
      .then(resolve, (error) => reject(translate(error)))
      .finally(() => underWay.delete(reject));
    underWay.add(reject);
  });

/** The rest: chats are the core's own objects, and a trap in one of its callbacks is an uncaught error of the page. */
export function guardCore({ Chat: { prototype } }) {
  for (const [name, guard] of [["sendMessage", call], ["startTyping", ask], ["stopTyping", ask]]) {
    const method = prototype[name];
    prototype[name] = function (...args) {
      return guard(() => method.apply(this, args));
    };
  }
  const uncaught = ({ error, reason = error }) => {
    // Other WebAssembly of the page may trap as it likes.
    if (/sportello_core/.test(reason?.stack)) translate(reason);
  };
  for (const event of ["error", "unhandledrejection"]) globalThis.addEventListener?.(event, uncaught);
}

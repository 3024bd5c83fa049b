// The log of the whole page: the newest entries for `getLogs`, and handlers. Writes nowhere by itself.
const handlers = new Set();
export const logs = [];

/** Takes an entry; the core's come here too. */
export function dispatch(entry) {
  if (logs.push(entry) > 200) logs.shift();
  for (const handler of [...handlers]) {
    try {
      handler(entry);
    } catch {
      // There is nowhere left to say so.
    }
  }
}

export const Logger = Object.freeze({
  addHandler(handler) {
    handlers.add(handler);
    return () => void handlers.delete(handler);
  },
});

export function consoleLoggerHandler({ level, message }) {
  console[level](`[sportello] ${message}`);
}

export const log = (level, message) => dispatch({ level, message, atMs: Date.now() });

// Log handlers of the whole page. Logs nothing by itself; the core is only asked to log while there is a handler.
const handlers = new Set();
let core;

const dispatch = (entry) => {
  for (const handler of [...handlers]) {
    try {
      handler(entry);
    } catch {
      // A broken handler must not break the chat, and there is nowhere left to say so.
    }
  }
};

const update = () => core?.setLogHandler(handlers.size > 0 ? dispatch : undefined);

export const Logger = Object.freeze({
  addHandler(handler) {
    handlers.add(handler);
    update();
    return () => {
      handlers.delete(handler);
      update();
    };
  },
});

export function consoleLoggerHandler({ level, message }) {
  console[level](`[sportello] ${message}`);
}

export function log(level, message) {
  if (handlers.size > 0) dispatch({ level, message, atMs: Date.now() });
}

/** From now on the core's entries go to the handlers too. */
export function attachLogger(loadedCore) {
  core = loadedCore;
  update();
}

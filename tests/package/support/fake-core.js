// Stands in for wasm-bindgen's glue in the facade's tests: records what the facade does with the core. The test sets `fake`.
export const fake = { loads: [], clients: [], chunks: undefined, logHandler: undefined, construct: undefined, call: undefined };

export default async function init({ module_or_path }) {
  fake.loads.push(module_or_path);
}

export function setChunks(chunks) {
  fake.chunks = chunks;
}

export function setLogHandler(handler) {
  fake.logHandler = handler;
}

export class Chat {
  sendMessage(...args) {
    return fake.call("chat.sendMessage", args);
  }
  startTyping() {
    return fake.sync?.("chat.startTyping");
  }
  stopTyping() {
    return fake.sync?.("chat.stopTyping");
  }
}

class CoreClient {
  log = [];
  chat = null;
  unreadCount = 3;
  outbox = [];
  messages = ["kept"];
  connection = "online";

  constructor(options) {
    fake.construct?.(options);
    this.options = options;
    fake.clients.push(this);
  }
}

// Whatever is called is recorded; `fake.call` says what an asynchronous method gives, `fake.sync` what the others do.
export const Client = new Proxy(CoreClient, {
  construct(target, args) {
    return new Proxy(new target(...args), {
      get(client, name) {
        if (name in client || typeof name === "symbol") return client[name];
        if (name === "call") {
          return (method, args) => {
            client.log.push([method, ...args]);
            return fake.call ? fake.call(method, args) : Promise.resolve(`${method} done`);
          };
        }
        return (...args) => {
          client.log.push([name, ...args]);
          return fake.sync?.(name);
        };
      },
    });
  },
});

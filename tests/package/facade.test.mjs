// The JavaScript facade beside a fake core, in Node: what it keeps until the core is there, how it loads, and what it does when that fails.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { EMPTY_WASM, freshFacade } from "./support/fresh-facade.mjs";

const OPTIONS = { companyId: "demo", authenticate: async () => ({ token: "t" }) };

/** A load that waits until the test lets it go on or fail. */
function heldBack() {
  const held = {};
  held.promise = new Promise((resolve, reject) => Object.assign(held, { resolve, reject }));
  return { ...held, arrive: () => held.resolve(EMPTY_WASM), fail: (why) => held.reject(why), wasm: () => held.promise };
}

const rejection = (promise) => promise.then(() => assert.fail("must reject"), (error) => error);

test("the constructor refuses wrong options at once, with a typed error", async (context) => {
  const { Client, isSportelloError } = await freshFacade(context);
  const wrong = [
    undefined, null, "demo", {}, { companyId: "demo" }, { authenticate: OPTIONS.authenticate }, { ...OPTIONS, companyId: "" }, { ...OPTIONS, companyId: 5 },
    { ...OPTIONS, authenticate: "token" }, { ...OPTIONS, host: "ftp://chat.example.com" }, { ...OPTIONS, host: "javascript:alert(1)" }, { ...OPTIONS, host: "https://" }, { ...OPTIONS, host: "" }, { ...OPTIONS, lang: 5 },
    { ...OPTIONS, sendTimeoutMs: "10" }, { ...OPTIONS, callTimeoutMs: -1 }, { ...OPTIONS, callTimeoutMs: 1.5 }, { ...OPTIONS, historyLimit: NaN }, { ...OPTIONS, storage: {} },
    { ...OPTIONS, storage: "local" }, { ...OPTIONS, reconnect: { maxMs: "1" } }, { ...OPTIONS, reconnect: 5 },
  ];
  for (const options of wrong) {
    assert.throws(() => new Client(options), (error) => {
      assert.ok(error instanceof Error && isSportelloError(error));
      assert.equal(error.code, "invalid_argument");
      assert.equal(error.retryable, false);
      return true;
    }, JSON.stringify(options));
  }
});

test("absent and null options are accepted, and so is every usual form of a host", async (context) => {
  const { Client } = await freshFacade(context);
  new Client({ ...OPTIONS, host: null, lang: undefined, tenant: null, storage: null, reconnect: null, bridge: "x", cobrowse: { enabled: false } }).close();
  for (const host of ["https://chat.example.com", "https://chat.example.com/", "http://localhost:8787", "chat.example.com", "localhost:8787", "https://[::1]:8787"]) {
    new Client({ ...OPTIONS, host }).close();
  }
});

test("calls made before the core is there are carried out afterwards, in order, with their arguments and results", async (context) => {
  const { Client, fake } = await freshFacade(context);
  const load = heldBack();
  const client = new Client({ ...OPTIONS, wasm: load.wasm });
  const calls = [client.getMenus("key", "en"), client.createChat(5, { lang: "en" }), client.sendTextMessage("one"), client.sendTextMessage("two")];
  load.arrive();
  assert.deepEqual(await Promise.all(calls), ["getMenus done", "createChat done", "sendTextMessage done", "sendTextMessage done"]);
  assert.deepEqual(fake.clients[0].log, [["getMenus", "key", "en"], ["createChat", 5, { lang: "en" }], ["sendTextMessage", "one"], ["sendTextMessage", "two"]]);
  assert.equal(fake.clients[0].options.companyId, "demo");
  await client.getCompany();
  assert.deepEqual(fake.clients[0].log.at(-1), ["getCompany"]);
});

test("listeners registered before the core is there reach it before any call, without those removed meanwhile", async (context) => {
  const { Client, fake } = await freshFacade(context);
  const load = heldBack();
  const client = new Client({ ...OPTIONS, wasm: load.wasm });
  const [first, second] = [() => {}, () => {}];
  const call = client.getMenus();
  client.on("ready", first);
  client.on("ready", second);
  client.on("ready", second);
  client.on("chat.message", first);
  client.off("ready", first);
  client.off("ready", () => {});
  load.arrive();
  await call;
  client.off("ready", second);
  assert.deepEqual(fake.clients[0].log, [["on", "ready", second], ["on", "chat.message", first], ["getMenus"], ["off", "ready", second]]);
});

test("a listener that is no function, and an event without a name, are refused at once, before the core is there and afterwards", async (context) => {
  const { Client } = await freshFacade(context);
  const client = new Client(OPTIONS);
  for (const wait of [() => undefined, () => client.getCompany()]) {
    await wait();
    for (const [event, listener] of [["ready", "listener"], [undefined, () => {}], [7, () => {}], [Symbol("s"), () => {}]]) {
      assert.throws(() => client.on(event, listener), { name: "SportelloError", code: "invalid_argument" });
    }
  }
});

test("options that throw when they are read, or hold no signal, are left to the core", async (context) => {
  const { Client, fake } = await freshFacade(context);
  const load = heldBack();
  const client = new Client({ ...OPTIONS, wasm: load.wasm });
  const throwing = { get signal() { throw new Error("odd"); } };
  const calls = [throwing, { signal: "no" }, { signal: {} }, 7].map((options) => client.getCompany(options));
  load.arrive();
  assert.deepEqual(await Promise.all(calls), calls.map(() => "getCompany done"));
  assert.equal(fake.clients[0].log.length, 4);
});

test("events replayed before the core is there reach the listeners, and one that throws hurts no other", async (context) => {
  const { Client } = await freshFacade(context);
  const load = heldBack();
  const client = new Client({ ...OPTIONS, wasm: load.wasm });
  const heard = [];
  const reported = context.mock.method(console, "error", () => {});
  const removed = () => heard.push("removed");
  client.on("chat.connected", () => {
    client.off("chat.connected", removed);
    client.on("chat.connected", () => heard.push("too late"));
    throw new Error("listener");
  });
  client.on("chat.connected", removed);
  client.on("chat.connected", (...args) => heard.push(args));
  client.on("chat.ended", () => heard.push("wrong event"));
  client._triggerEvent("chat.connected", 1, "two");
  client._triggerEvent("nobody.listens");
  assert.deepEqual(heard, [[1, "two"]]);
  assert.equal(reported.mock.calls[0].arguments[0].message, "listener");
  client.close();
});

test("an event replayed afterwards goes to the core alone", async (context) => {
  const { Client, fake } = await freshFacade(context);
  const client = new Client(OPTIONS);
  client.on("chat.connected", () => assert.fail("called by the facade"));
  await client.getMenus();
  client._triggerEvent("chat.connected", 1);
  assert.deepEqual(fake.clients[0].log.at(-1), ["_triggerEvent", "chat.connected", 1]);
});

test("the chat can be read and assigned before and after the core is there", async (context) => {
  const { Client, fake } = await freshFacade(context);
  const load = heldBack();
  const client = new Client({ ...OPTIONS, wasm: load.wasm });
  assert.equal(client.chat, null);
  const chat = { state: { id: 1, status: "queued" } };
  client.chat = chat;
  assert.equal(client.chat, chat);
  assert.deepEqual([client.unreadCount, client.outbox, client.messages, client.connection], [0, [], [], "idle"]);
  client.markRead();
  load.arrive();
  await client.getMenus();
  assert.equal(fake.clients[0].chat, chat);
  assert.equal(client.chat, chat);
  client.chat = null;
  assert.equal(fake.clients[0].chat, null);
  assert.deepEqual([client.unreadCount, client.messages, client.connection], [3, ["kept"], "online"]);
});

test("a chat that nobody assigned is left to the core", async (context) => {
  const { Client, fake } = await freshFacade(context);
  fake.construct = () => {};
  const client = new Client(OPTIONS);
  await client.getMenus();
  fake.clients[0].chat = "restored";
  assert.equal(client.chat, "restored");
});

test("a failed download rejects what waits, emits an error, and the next call tries again", async (context) => {
  const { Client, fake, isSportelloError } = await freshFacade(context);
  const loads = [heldBack(), heldBack()];
  let tries = 0;
  const client = new Client({ ...OPTIONS, wasm: () => loads[tries++].promise });
  const errors = [];
  client.on("error", (error) => errors.push(error));
  const calls = [client.getMenus(), client.getCompany()];
  const cause = new Error("offline");
  loads[0].fail(cause);
  for (const call of calls) {
    const error = await rejection(call);
    assert.ok(error instanceof Error && isSportelloError(error));
    assert.deepEqual([error.code, error.retryable, error.cause], ["wasm_load_failed", true, cause]);
  }
  assert.equal(errors.length, 1);
  assert.equal(errors[0].code, "wasm_load_failed");
  assert.equal(tries, 1);

  const again = [client.getMenus(), client.getCompany()];
  loads[1].arrive();
  assert.deepEqual(await Promise.all(again), ["getMenus done", "getCompany done"]);
  assert.equal(tries, 2);
  assert.deepEqual(fake.clients[0].log.map(([name]) => name), ["on", "getMenus", "getCompany"]);
  assert.equal(errors.length, 1);
});

test("a call made in the error listener of a failed download tries again", async (context) => {
  const { Client } = await freshFacade(context);
  let tries = 0;
  const client = new Client({ ...OPTIONS, wasm: async () => (tries++ === 0 ? Promise.reject(new Error("offline")) : EMPTY_WASM) });
  const result = await new Promise((resolve) => client.on("error", () => resolve(client.getMenus())));
  assert.equal(result, "getMenus done");
  assert.equal(tries, 2);
});

test("an app that calls in every error listener while the module cannot load leaves the page its turns", async (context) => {
  const { Client } = await freshFacade(context);
  let tries = 0;
  const client = new Client({ ...OPTIONS, wasm: async () => (tries++, Promise.reject(new Error("offline"))) });
  const codes = [];
  client.on("error", ({ code }) => {
    codes.push(code);
    client.getMenus().catch(() => {});
  });
  const before = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  assert.ok(performance.now() - before < 5_000, "timers run");
  assert.ok(tries >= 2 && tries <= 3, `${tries} tries in 1.2 s`);
  assert.deepEqual([...new Set(codes)], ["wasm_load_failed"]);
  client.close();
});

test("options go to the core beside the arguments, and chunks can be loaded", async (context) => {
  const { Client, fake } = await freshFacade(context);
  const client = new Client(OPTIONS);
  await client.getCompany();
  const seen = [];
  fake.clients[0].call = (method, args, options) => (seen.push([method, [...args], options]), Promise.resolve());
  const options = { onProgress() {} };
  await client.sendFileMessage("file", options);
  await client.submitForm("message", []);
  assert.deepEqual(seen, [["sendFileMessage", ["file", options], options], ["submitForm", ["message", []], undefined]]);
  assert.deepEqual(Object.keys(fake.chunks), ["events", "files", "more"]);
  for (const [name, exported] of [["more", "plan"], ["events", "open"], ["files", "upload"]]) {
    assert.equal(typeof (await fake.chunks[name]())[exported], "function");
  }
});

test("closing before the core is there rejects what waits and never makes a core", async (context) => {
  const { Client, fake } = await freshFacade(context);
  const load = heldBack();
  const client = new Client({ ...OPTIONS, wasm: load.wasm });
  client.on("error", () => assert.fail("closing is no error"));
  const waiting = client.getMenus();
  client.close();
  client.close();
  assert.equal((await rejection(waiting)).code, "closed");
  assert.equal((await rejection(client.getMenus())).code, "closed");
  load.arrive();
  await new Promise(setImmediate);
  assert.equal(fake.clients.length, 0);
});

test("closing afterwards is left to the core", async (context) => {
  const { Client, fake } = await freshFacade(context);
  const client = new Client(OPTIONS);
  await client.getMenus();
  client.close();
  client.close();
  assert.deepEqual(fake.clients[0].log, [["getMenus"], ["close"], ["close"]]);
});

test("a signal abandons a call that waits for the core; the others go on", async (context) => {
  const { Client, fake } = await freshFacade(context);
  const load = heldBack();
  const client = new Client({ ...OPTIONS, wasm: load.wasm });
  const controller = new AbortController();
  const abandoned = client.getMenus(undefined, undefined, { signal: controller.signal });
  const kept = client.createChat(1, { signal: "a field of the request" });
  const dead = client.getCompany({ signal: AbortSignal.abort() });
  controller.abort();
  assert.deepEqual([(await rejection(abandoned)).code, (await rejection(dead)).code], ["aborted", "aborted"]);
  load.arrive();
  await kept;
  assert.deepEqual(fake.clients[0].log, [["createChat", 1, { signal: "a field of the request" }]]);
});

test("a signal that fires once the core has the call is the core's affair", async (context) => {
  const { Client, fake } = await freshFacade(context);
  const controller = new AbortController();
  let finish;
  fake.call = () => new Promise((resolve) => (finish = resolve));
  const client = new Client(OPTIONS);
  const call = client.getMenus(undefined, undefined, { signal: controller.signal });
  await new Promise((resolve) => {
    fake.call = () => new Promise((done) => ((finish = done), resolve()));
  });
  controller.abort();
  finish("core decides");
  assert.equal(await call, "core decides");
  assert.equal(fake.clients[0].log[0][3].signal, controller.signal);
});

test("after a trap, calls under way and later ones reject with `internal`, on every client, and the core is not entered again", async (context) => {
  const { Client, fake } = await freshFacade(context);
  const [client, other] = [new Client(OPTIONS), new Client(OPTIONS)];
  await Promise.all([client.getCompany(), other.getCompany()]);
  fake.call = (name) => {
    if (name === "getMenus") throw new WebAssembly.RuntimeError("unreachable");
    return new Promise(() => {});
  };
  const hanging = [client.getCompany(), other.getCompany()];
  const trapping = client.getMenus();
  for (const call of [...hanging, trapping, client.getCompany(), other.getCompany(), new Client(OPTIONS).getCompany()]) {
    const error = await rejection(call);
    assert.deepEqual([error.name, error.code, error.retryable], ["SportelloError", "internal", false]);
    assert.ok(error.cause instanceof WebAssembly.RuntimeError);
  }
  const entered = fake.clients.map(({ log }) => log.length);
  client.on("ready", () => {});
  client.markRead();
  client.close();
  assert.deepEqual([client.unreadCount, client.connection], [0, "idle"]);
  assert.deepEqual(fake.clients.map(({ log }) => log.length), entered);
});

test("a trap in a chat's method is noticed too", async (context) => {
  const { Chat, Client, fake } = await freshFacade(context);
  const client = new Client(OPTIONS);
  await client.getCompany();
  const chat = new Chat();
  fake.call = async (name, args) => [name, ...args];
  assert.deepEqual(await chat.sendMessage({ type: "text" }), ["chat.sendMessage", { type: "text" }]);
  fake.call = fake.sync = () => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  chat.startTyping();
  for (const call of [chat.sendMessage({}), client.getCompany()]) assert.equal((await rejection(call)).code, "internal");
  chat.stopTyping();
});

test("a trap in a synchronous member is noticed too and does not throw into the page", async (context) => {
  const { Client, fake } = await freshFacade(context);
  const client = new Client(OPTIONS);
  await client.getCompany();
  fake.sync = () => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  client.markRead();
  assert.equal((await rejection(client.getCompany())).code, "internal");
});

test("typed errors of the core pass untouched, anything else becomes `internal` with its cause", async (context) => {
  const { Client, fake } = await freshFacade(context);
  const client = new Client(OPTIONS);
  const typed = Object.assign(new Error("no"), { name: "SportelloError", code: "not_found", retryable: false, status: 404 });
  fake.call = () => Promise.reject(typed);
  assert.equal(await rejection(client.getMenus()), typed);
  const odd = new Error("recursive use of an object");
  fake.call = () => {
    throw odd;
  };
  const error = await rejection(client.getMenus());
  assert.deepEqual([error.code, error.cause], ["internal", odd]);
  fake.call = undefined;
  assert.equal(await client.getMenus(), "getMenus done");
});

test("an error of the core's constructor reaches what waits", async (context) => {
  const { Client, fake } = await freshFacade(context);
  const typed = Object.assign(new Error("no"), { name: "SportelloError", code: "invalid_argument", retryable: false });
  fake.construct = () => {
    throw typed;
  };
  const client = new Client(OPTIONS);
  const errors = [];
  client.on("error", (error) => errors.push(error));
  assert.equal(await rejection(client.getMenus()), typed);
  assert.deepEqual(errors, [typed]);
});

test("clients and initWasm share one load", async (context) => {
  const { Client, fake, initWasm } = await freshFacade(context);
  let tries = 0;
  const wasm = () => (tries++, EMPTY_WASM);
  const clients = [new Client({ ...OPTIONS, wasm }), new Client({ ...OPTIONS, wasm })];
  await Promise.all([initWasm(wasm), ...clients.map((client) => client.getMenus())]);
  assert.equal(await initWasm(wasm), undefined);
  assert.deepEqual([tries, fake.loads.length, fake.clients.length], [1, 1, 2]);
  assert.ok(fake.loads[0] instanceof WebAssembly.Module);
});

const response = (body, type, status = 200) => new Response(body, { status, headers: type ? { "content-type": type } : {} });
const SOURCES = {
  "nothing: the file beside the code": () => undefined,
  "an address": ({ address }) => address("sportello_core_bg.wasm"),
  "a URL": ({ address }) => new URL(address("sportello_core_bg.wasm")),
  "bytes": () => EMPTY_WASM,
  "a buffer": () => EMPTY_WASM.buffer,
  "a compiled module": () => new WebAssembly.Module(EMPTY_WASM),
  "a promise": () => Promise.resolve(EMPTY_WASM),
  "a function": () => async () => EMPTY_WASM,
  "a response": () => response(EMPTY_WASM, "application/wasm"),
  "a response with a parameter in its type, which browsers refuse to stream": () => response(EMPTY_WASM, "application/wasm; charset=x"),
  "a response of the wrong type": () => response(EMPTY_WASM, "application/octet-stream"),
  "a response without a type": () => response(EMPTY_WASM),
};
for (const [name, source] of Object.entries(SOURCES)) {
  test(`the module can be given as ${name}`, async (context) => {
    const facade = await freshFacade(context);
    await facade.initWasm(source(facade));
    assert.ok(facade.fake.loads[0] instanceof WebAssembly.Module);
  });
}

const NO_MODULES = {
  "a page of a development server": () => response("<!doctype html>", "text/html"),
  "a page that claims to be WebAssembly": () => response("<!doctype html>", "application/wasm"),
  "a refusal": () => response(EMPTY_WASM, "application/wasm", 503),
  "a refusal of another type": () => response(EMPTY_WASM, "application/octet-stream", 503),
  "a missing file": ({ address }) => address("missing.wasm"),
  "a function that fails": () => () => Promise.reject(new Error("no")),
  "something else": () => ({ wasm: true }),
};
for (const [name, source] of Object.entries(NO_MODULES)) {
  test(`${name} is not taken for the module, and a later source is`, async (context) => {
    const facade = await freshFacade(context);
    const error = await rejection(facade.initWasm(source(facade)));
    assert.equal(error.code, "wasm_load_failed");
    assert.ok(error.cause instanceof Error);
    assert.equal(facade.fake.loads.length, 0);
    await facade.initWasm(EMPTY_WASM);
    assert.equal(facade.fake.loads.length, 1);
  });
}

test("a later try uses the source given before", async (context) => {
  const { Client, fake, initWasm } = await freshFacade(context);
  const tries = [];
  await rejection(initWasm(() => (tries.push("given"), tries.length === 1 ? Promise.reject(new Error("no")) : EMPTY_WASM)));
  await new Client(OPTIONS).getMenus();
  assert.deepEqual([tries, fake.loads.length], [["given", "given"], 1]);
});

test("a damaged file of the package fails typed", async (context) => {
  const { folder, initWasm } = await freshFacade(context);
  await writeFile(join(folder, "sportello_core_bg.wasm"), "not wasm");
  assert.equal((await rejection(initWasm())).code, "wasm_load_failed");
});

test("the core's entries are kept, the newest of them, and a handler that throws hurts no other", async (context) => {
  const { Client, fake, Logger } = await freshFacade(context);
  const client = new Client(OPTIONS);
  assert.deepEqual(client.getLogs(), []);
  await client.getMenus();
  const entries = [];
  const removeBroken = Logger.addHandler(() => {
    throw new Error("handler");
  });
  const remove = Logger.addHandler((entry) => entries.push(entry));
  fake.logHandler({ level: "info", message: "ready", atMs: 5 });
  assert.deepEqual(entries, [{ level: "info", message: "ready", atMs: 5 }]);
  assert.equal(remove(), undefined);
  removeBroken();
  for (let atMs = 0; atMs < 250; atMs += 1) fake.logHandler({ level: "warn", message: "more", atMs });
  assert.equal(entries.length, 1);
  const logs = client.getLogs();
  assert.deepEqual([logs.length, logs[0].atMs, logs.at(-1).atMs], [200, 50, 249]);
  logs.length = 0;
  assert.equal(client.getLogs().length, 200, "what is given is a copy");
});

test("logs can be read where the module cannot be loaded, and after the end", async (context) => {
  const { Client } = await freshFacade(context);
  const client = new Client({ ...OPTIONS, wasm: () => Promise.reject(new Error("secret")) });
  await rejection(client.getMenus());
  client.destroy();
  const [{ level, message, atMs }, ...others] = client.getLogs();
  assert.deepEqual([level, message, typeof atMs, others], ["error", "the WebAssembly module could not be loaded", "number", []]);
});

test("destroying is closing", async (context) => {
  const { Client, fake } = await freshFacade(context);
  const client = new Client(OPTIONS);
  await client.getMenus();
  assert.equal(client.destroy(), undefined);
  client.destroy();
  assert.deepEqual(fake.clients[0].log, [["getMenus"], ["close"], ["close"]]);
});

test("a handler added before the load hears of a failed one, and gets the core's entries afterwards", async (context) => {
  const { fake, initWasm, Logger } = await freshFacade(context);
  const entries = [];
  Logger.addHandler((entry) => entries.push(entry));
  await rejection(initWasm(() => Promise.reject(new Error("secret"))));
  assert.equal(entries[0].level, "error");
  assert.equal(typeof entries[0].atMs, "number");
  assert.doesNotMatch(entries[0].message, /secret/);
  await initWasm(EMPTY_WASM);
  fake.logHandler({ level: "debug", message: "x", atMs: 1 });
  assert.equal(entries.length, 2);
});

test("the console handler writes with the entry's level", async (context) => {
  const { consoleLoggerHandler } = await freshFacade(context);
  for (const level of ["debug", "info", "warn", "error"]) {
    const written = context.mock.method(console, level, () => {});
    consoleLoggerHandler({ level, message: "hello", atMs: 0 });
    assert.deepEqual(written.mock.calls[0].arguments, ["[sportello] hello"]);
    written.mock.restore();
  }
});

test("the error guard goes by name and code", async (context) => {
  const { isSportelloError } = await freshFacade(context);
  assert.equal(isSportelloError({ name: "SportelloError", code: "closed" }), true);
  for (const value of [undefined, null, "x", new Error("x"), { name: "SportelloError" }, { name: "Error", code: "closed" }]) assert.equal(isSportelloError(value), false);
});

// The adapter for Cobrowse.io's SDK, against a stand-in that has exactly the members that the published declarations name. The declarations come from npm for this
// test alone: the package `cobrowse-sdk-js` states no licence, so nothing of it is copied, bundled or run. What only an account shows is listed in docs/screen-share.md.
import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { createProvider } from "../../pkg-template/cobrowse-io.js";
import { StandIn, StandInSession, change, standIn } from "./support/cobrowse-io-stand-in.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const DECLARATIONS = here("../node_modules/cobrowse-sdk-js/dist/CobrowseIO.d.ts");
const EVENTS = ["session.loaded", "session.updated", "session.ended"];
const HOOKS = ["confirmSession", "confirmRemoteControl", "confirmFullDevice", "showSessionControls", "hideSessionControls"];
const SECRET = "the licence abc of account xyz";

let page;
beforeEach(() => {
  page = undefined;
});
afterEach(() => {
  page?.provider.dispose();
  delete globalThis.CobrowseIO;
});

/** A provider on a page with the stand-in; `told`, `emitted` and `shown` are what came of it. */
function open(options = {}, does = {}, given = {}) {
  const { sdk, target, log } = standIn(does);
  globalThis.CobrowseIO = sdk;
  const told = [];
  const emitted = [];
  const shown = [];
  const dialogs = {
    confirm: async (kind, { signal }) => {
      shown.push(["confirm", kind]);
      return given.confirm ? given.confirm(kind, signal) : true;
    },
    showControls: (controls) => shown.push(["show", controls]),
    hideControls: () => shown.push(["hide"]),
    dispose: () => shown.push(["dispose"]),
  };
  const emit = (event, session) => emitted.push([event, session]);
  const tell = async (noti) => {
    told.push(noti);
    await given.tell?.(noti);
  };
  const provider = createProvider({ options: { enabled: true, license: "key", ...options }, dialogs, emit, tell, lang: "en" });
  const calls = () => log.map(([name]) => name).filter((name) => !name.endsWith(" =") && !["on", "removeListener"].includes(name));
  page = { provider, sdk, target, log, told, emitted, shown, calls };
  return page;
}

/** After every timer that is due now. */
const later = () => new Promise((resolve) => setTimeout(resolve, 5));
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Lets the adapter wait for as long as it likes, at once. */
async function pass(context, work, ms) {
  let done = false;
  const outcome = work.then((value) => ({ value }), (error) => ({ error })).finally(() => (done = true));
  for (let passed = 0; passed <= ms && !done; passed += 100) {
    await settled();
    context.mock.timers.tick(100);
  }
  return outcome;
}

const failure = (code) => (error) => {
  assert.equal(error.code, code);
  assert.doesNotMatch(`${error.message} ${error.cause} ${error.stack}`, new RegExp(SECRET));
  return true;
};

describe("the declarations", () => {
  const source = () => ts.createSourceFile("CobrowseIO.d.ts", ts.sys.readFile(DECLARATIONS) ?? assert.fail("run `npm ci` in tests/ first"), ts.ScriptTarget.ES2022, true);
  const members = (name) => source().statements.find((statement) => statement.name?.text === name).members;
  const isStatic = (member) => member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword) ?? false;

  test("are those of the version that the documentation names", async () => {
    const { version, license } = createRequire(import.meta.url)("../node_modules/cobrowse-sdk-js/package.json");
    assert.equal(version, "3.28.6");
    assert.equal(license, undefined, "the package has a licence now: read it, and say so in docs/screen-share.md");
    assert.match(await readFile(here("../../docs/screen-share.md"), "utf8"), new RegExp(version.replaceAll(".", "\\.")));
    assert.match(await readFile(here("../../pkg-template/cobrowse-io.js"), "utf8"), new RegExp(version.replaceAll(".", "\\.")));
  });

  test("name each member of the stand-in, and the stand-in has each that they name", () => {
    const own = (object) => [...Object.getOwnPropertyNames(object), ...Object.getOwnPropertyNames(Object.getPrototypeOf(object))].filter((name) => name !== "constructor" && !name.startsWith("_"));
    const names = (list) => [...new Set(list.map((member) => member.name.text))].sort();
    const declared = members("CobrowseIO");
    // Of `EventEmitter` an instance has these of its own.
    assert.deepEqual(own(new StandIn()).filter((name) => name !== "domain").sort(), names(declared.filter((member) => !isStatic(member))));
    assert.deepEqual(Object.keys(StandIn).sort(), names(declared.filter(isStatic)));
    assert.deepEqual(own(new StandInSession({})).sort(), names([...members("Session")]));
  });

  test("fit the stand-in, and cover everything that the adapter uses", async (context) => {
    const compile = await compiler(context);
    assert.deepEqual(await compile(), []);
    assert.match((await compile("sdk.nonsense();")).join(), /nonsense/, "the check sees a member that is not declared");
    assert.match((await compile("sdk.license = 4;")).join(), /not assignable/, "the check sees a value of another type");
  });
});

/** Compiles the adapter and the stand-in against the declarations; gives what TypeScript says, optionally with another line in the adapter. */
async function compiler(context) {
  const folder = await mkdtemp(join(tmpdir(), "sportello-cobrowse-io-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "node_modules"));
  await symlink(here("../node_modules/cobrowse-sdk-js"), join(folder, "node_modules/cobrowse-sdk-js"), "dir");
  await cp(here("support/cobrowse-io-stand-in.mjs"), join(folder, "stand-in.mjs"));
  // What Node and the package `events` document alike, as far as it is used here.
  await writeFile(join(folder, "events.d.ts"), `export declare class EventEmitter {
    on(event: string, listener: (...args: any[]) => void): this;
    removeListener(event: string, listener: (...args: any[]) => void): this;
    emit(event: string, ...args: any[]): boolean;
  }\n`);
  await writeFile(join(folder, "global.d.ts"), `declare var CobrowseIO: any;\n`);
  await writeFile(join(folder, "proof.ts"), `
    import type { CobrowseIO } from "cobrowse-sdk-js";
    import { StandIn, StandInSession } from "./stand-in.mjs";
    type Session = NonNullable<CobrowseIO["currentSession"]>;
    type Same<A, B> = [keyof A, keyof B] extends [keyof B, keyof A] ? true : false;
    export const session: Session = new StandInSession({});
    export const sdk: CobrowseIO = new StandIn();
    export const all: [Same<StandIn, CobrowseIO>, Same<StandInSession, Session>] = [true, true];
  `);
  const adapter = await readFile(here("../../pkg-template/cobrowse-io.js"), "utf8");
  const options = {
    strict: true, noImplicitAny: false, allowJs: true, checkJs: true, noEmit: true, skipLibCheck: true, target: ts.ScriptTarget.ES2022, lib: ["lib.es2022.d.ts", "lib.dom.d.ts"], types: [],
    module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, baseUrl: folder, paths: { events: ["./events.d.ts"] }, preserveSymlinks: true,
  };
  return async (line = "") => {
    const place = "function pass(sdk, {";
    assert.ok(adapter.includes(place));
    const at = adapter.indexOf("\n", adapter.indexOf(place));
    await writeFile(join(folder, "cobrowse-io.js"), `${adapter.slice(0, at)} ${line}${adapter.slice(at)}`);
    // What the adapter narrows across calls, TypeScript cannot follow: there only the members count.
    const programs = [ts.createProgram([join(folder, "proof.ts")], options)];
    programs.push(ts.createProgram(["cobrowse-io.js", "global.d.ts"].map((file) => join(folder, file)), { ...options, strictNullChecks: false }));
    return programs.flatMap((program) => ts.getPreEmitDiagnostics(program)).map(({ file, start, messageText }) => {
      const place = file ? `${file.fileName.slice(dirname(file.fileName).length + 1)}:${file.getLineAndCharacterOfPosition(start).line + 1} ` : "";
      return place + ts.flattenDiagnosticMessageText(messageText, " ");
    });
  };
}

describe("options", () => {
  const GIVEN = [
    ["license", "licence-key"],
    ["api", "https://cobrowse.example"],
    ["trustedOrigins", ["https://shop.example", "https://*.shop.example"]],
    ["capabilities", ["cursor", "laser"]],
    ["registration", false],
    ["redactedViews", [".private"]],
    ["unredactedViews", [".public"]],
  ];
  for (const [name, value] of GIVEN) {
    test(`${name} is set before the SDK starts`, async () => {
      const { provider, log, sdk } = open({ [name]: value });
      await provider.createCode();
      assert.deepEqual(sdk[name], value);
      const set = log.findIndex(([what]) => what === `${name} =`);
      assert.ok(set >= 0 && set < log.findIndex(([what]) => what === "start"), JSON.stringify(log));
    });
  }

  test("what the site did not give stays as the site set it", async () => {
    const { provider, log } = open({ license: undefined, api: null });
    await provider.createCode();
    assert.deepEqual(log.filter(([what]) => what.endsWith(" =")).map(([what]) => what), ["ignoredViews =", ...HOOKS.map((hook) => `${hook} =`)]);
  });

  test("an array given is not the array kept", async () => {
    const redactedViews = [".private"];
    const { provider, target } = open({ redactedViews });
    await provider.createCode();
    assert.notEqual(target.redactedViews, redactedViews);
  });

  test("our own dialogs and controls are hidden from the agent, beside what the site hides, as long as the provider is there", async () => {
    const { provider, target, log } = open();
    const own = ["#site", { "https://shop.example/*": [".basket"] }];
    target.ignoredViews = own;
    await provider.createCode();
    assert.deepEqual(target.ignoredViews, [...own, "[data-sportello-screen]"]);
    assert.ok(log.findIndex(([what]) => what === "ignoredViews =") < log.findIndex(([what]) => what === "start"));
    provider.dispose();
    assert.deepEqual(target.ignoredViews, own);
  });

  test("are set once, however often a code is asked for", async () => {
    const { provider, log } = open();
    await provider.createCode();
    await provider.createCode();
    assert.equal(log.filter(([what]) => what === "license =").length, 1);
    assert.equal(log.filter(([what]) => what === "on").length, EVENTS.length);
  });
});

describe("createCode", () => {
  test("waits for the client, says whose device it is, starts, and asks for a code, in this order", async () => {
    const { provider, log, told } = open();
    assert.equal(await provider.createCode("it", { order: "A-7" }), "111111");
    const order = log.map(([what]) => what).filter((what) => ["client", "license =", "customData =", "start", "createSessionCode"].includes(what));
    assert.deepEqual(order, ["client", "license =", "customData =", "start", "createSessionCode"]);
    assert.deepEqual(told, [{ status: "pending", code: "111111", lang: "it", customData: { order: "A-7" } }]);
  });

  test("starts once", async () => {
    const { provider, calls } = open();
    await provider.createCode();
    await provider.createCode();
    assert.deepEqual(calls(), ["client", "start", "createSessionCode", "client", "createSessionCode"]);
  });

  test("two at once come one after the other, each with its own data", async () => {
    const seen = [];
    const view = open({}, {
      async createSessionCode() {
        seen.push({ ...view.target.customData });
        await settled();
        return `${seen.length}`;
      },
    });
    view.target.customData = { user_id: "7" };
    assert.deepEqual(await Promise.all([view.provider.createCode(undefined, { a: "1" }), view.provider.createCode(undefined, { b: "2" })]), ["1", "2"]);
    assert.deepEqual(seen, [{ user_id: "7", a: "1" }, { user_id: "7", b: "2" }]);
  });

  test("the custom data of the site stays, and ours goes with the provider", async () => {
    const { provider, target } = open();
    target.customData = { user_id: "7", order: "the site's" };
    await provider.createCode(undefined, { order: "A-7", page: "basket" });
    assert.deepEqual(target.customData, { user_id: "7", order: "A-7", page: "basket" });
    provider.dispose();
    assert.deepEqual(target.customData, { user_id: "7" });
  });

  test("no language is told to Cobrowse.io, which publishes no way", async () => {
    const { provider, log } = open();
    await provider.createCode("it", undefined);
    assert.doesNotMatch(JSON.stringify(log), /"it"/);
  });

  for (const wrong of [{ order: 7 }, { order: null }, "text", 7]) {
    test(`custom data like ${JSON.stringify(wrong)} is refused before anything is asked`, async () => {
      const { provider, log } = open();
      await assert.rejects(provider.createCode("en", wrong), failure("invalid_argument"));
      assert.deepEqual(log, []);
    });
  }

  test("what the chat could not be told is no code", async () => {
    const session = new StandInSession({ code: "111111" });
    const { provider, target } = open({}, {}, { tell: () => Promise.reject(Object.assign(new Error("no network"), { code: "network" })) });
    target.currentSession = session;
    await assert.rejects(provider.createCode(), { code: "network" });
    assert.ok(session.isEnded(), "nobody is to join by a code that nobody has");
  });
});

describe("start", () => {
  const CASES = [
    ["the end user", "end_user"],
    ["nobody named", undefined],
    ["the agent", "agent"],
  ];
  for (const [who, from] of CASES) {
    test(`asked for by ${who} creates a session and tells the agent its code`, async () => {
      const { provider, calls, told } = open();
      assert.equal(await provider.start(from), undefined);
      assert.deepEqual(calls(), ["client", "start", "createSession"]);
      assert.deepEqual(told, [{ status: "pending", code: "222222" }]);
    });
  }

  test("the application gets the session as Cobrowse.io has it, once", async () => {
    const session = new StandInSession({ code: "222222" });
    const view = open({}, {
      async createSession() {
        view.target.emit("session.loaded", session);
        return session;
      },
    });
    await view.provider.start();
    view.target.emit("session.loaded", session);
    assert.equal(view.emitted.length, 1);
    assert.equal(view.emitted[0][1], session);
  });

  for (const [what, code] of [["no code", undefined], ["an empty code", ""]]) {
    test(`a session with ${what} is ended and refused`, async () => {
      const session = new StandInSession({ code });
      const { provider, told } = open({}, { createSession: async () => session });
      await assert.rejects(provider.start(), failure("unavailable"));
      assert.ok(session.isEnded());
      assert.deepEqual(told, []);
    });
  }

  test("a session that the agent could not be told of is ended", async () => {
    const session = new StandInSession({ code: "222222" });
    const { provider } = open({}, { createSession: async () => session }, { tell: () => Promise.reject(Object.assign(new Error("gone"), { code: "chat_ended" })) });
    await assert.rejects(provider.start(), { code: "chat_ended" });
    assert.ok(session.isEnded());
  });

  test("none is created where the share ended while the SDK started", async () => {
    let give;
    const { provider, target, calls } = open({}, { start: () => new Promise((resolve) => (give = resolve)) });
    const started = provider.start();
    started.catch(() => {});
    await settled();
    await provider.end();
    give(target);
    await assert.rejects(started, failure("aborted"));
    assert.deepEqual(calls(), ["client", "start"]);
  });

  for (const [what, code] of [["end", "aborted"], ["dispose", "closed"]]) {
    test(`a session that arrives after \`${what}\` is ended`, async () => {
      let give;
      const session = new StandInSession({ code: "222222" });
      const { provider, told } = open({}, { createSession: () => new Promise((resolve) => (give = resolve)) });
      const started = provider.start();
      started.catch(() => {});
      await settled();
      await provider[what]();
      give(session);
      await assert.rejects(started, failure(code));
      await settled();
      assert.ok(session.isEnded());
      assert.deepEqual(told, []);
    });
  }
});

describe("events", () => {
  for (const event of EVENTS) {
    test(`${event} reaches the application with Cobrowse.io's own session`, async () => {
      const { provider, target, emitted } = open();
      await provider.createCode();
      const session = new StandInSession({ code: "111111", state: event === "session.ended" ? "ended" : "authorizing" });
      target.emit(event, session);
      assert.equal(emitted.at(-1)[0], event.replace("session.", ""));
      assert.equal(emitted.at(-1)[1], session);
    });
  }

  test("the chat hears once that a session began and once that it ended", async () => {
    const { provider, target, told, emitted } = open();
    await provider.createCode();
    const session = new StandInSession({ code: "111111" });
    target.emit("session.loaded", session);
    change(session, { state: "authorizing" });
    target.emit("session.updated", session);
    change(session, { state: "active" });
    target.emit("session.updated", session);
    target.emit("session.updated", session);
    change(session, { state: "ended", reason: "device_ended" });
    target.emit("session.updated", session);
    target.emit("session.ended", session);
    target.emit("session.ended", session);
    target.emit("session.updated", session);
    assert.deepEqual(told.slice(1), [{ status: "authorizing", from: "agent" }, { status: "active" }, { status: "ended", reason: "device_ended" }]);
    assert.deepEqual(emitted.map(([event]) => event), ["loaded", "updated", "updated", "updated", "ended"]);
  });

  // Was it active, Cobrowse.io's reason, what the gateway is told: of its own words those that a page may say.
  const ENDS = [
    [true, "device_ended", { reason: "device_ended" }],
    [true, "agent_ended", {}],
    [true, "active_timeout", {}],
    [true, "limit_enforcement", {}],
    [true, undefined, {}],
    [false, "pending_timeout", { reason: "failed" }],
    [false, "authorizing_timeout", { reason: "failed" }],
    [false, "device_ended", { reason: "device_ended" }],
    [false, "agent_ended", {}],
    [false, undefined, { reason: "failed" }],
  ];
  for (const [wasActive, reason, expected] of ENDS) {
    test(`a session ${wasActive ? "that was active" : "that nobody joined"} and ended for ${reason ?? "no given reason"}`, async () => {
      const { provider, target, told } = open();
      await provider.createCode();
      const session = new StandInSession({ code: "111111", state: wasActive ? "active" : "pending" });
      target.emit("session.loaded", session);
      target.emit("session.updated", session);
      change(session, { state: "ended", reason });
      target.emit("session.ended", session);
      assert.deepEqual(told.at(-1), { status: "ended", ...expected });
    });
  }

  test("two sessions one after the other are two", async () => {
    const { provider, target, told, emitted } = open();
    for (const code of ["1", "2"]) {
      await provider.createCode();
      const session = new StandInSession({ code, state: "active" });
      target.emit("session.loaded", session);
      target.emit("session.updated", session);
      change(session, { state: "ended", reason: "device_ended" });
      target.emit("session.ended", session);
    }
    assert.deepEqual(told.map(({ status }) => status), ["pending", "active", "ended", "pending", "active", "ended"]);
    assert.deepEqual(emitted.map(([event]) => event), ["loaded", "updated", "ended", "loaded", "updated", "ended"]);
  });

  test("a session that another one replaces is over", async () => {
    const { provider, target, told, emitted } = open();
    await provider.createCode();
    const [first, second] = [new StandInSession({ code: "1", state: "active" }), new StandInSession({ code: "2" })];
    target.emit("session.loaded", first);
    target.emit("session.updated", first);
    target.emit("session.loaded", second);
    change(first, { state: "ended" });
    target.emit("session.ended", first);
    assert.deepEqual(told.slice(1), [{ status: "active" }, { status: "ended" }]);
    assert.deepEqual(emitted.map(([event, session]) => [event, session.code()]), [["loaded", "1"], ["updated", "1"], ["ended", "1"], ["loaded", "2"]]);
  });

  test("a session that an agent begins in their dashboard is told of too", async () => {
    const { provider, target, told } = open();
    await provider.restore();
    await provider.createCode();
    const session = new StandInSession({ state: "authorizing" });
    target.emit("session.loaded", session);
    target.emit("session.updated", session);
    assert.deepEqual(told.at(-1), { status: "authorizing", from: "agent" });
  });

  test("a chat that cannot be told does not disturb the session", async () => {
    const { provider, target, emitted } = open({}, {}, { tell: ({ status }) => (status === "pending" ? undefined : Promise.reject(new Error("no network"))) });
    await provider.createCode();
    const session = new StandInSession({ code: "111111", state: "active" });
    target.emit("session.updated", session);
    await settled();
    assert.deepEqual(emitted.map(([event]) => event), ["loaded", "updated"]);
    assert.ok(session.isActive());
  });
});

describe("consent", () => {
  const KINDS = [
    ["confirmSession", "session"],
    ["confirmRemoteControl", "remoteControl"],
    ["confirmFullDevice", "fullDevice"],
  ];
  for (const [hook, kind] of KINDS) {
    test(`${hook} asks by our own dialog, and only a clear yes is one`, async () => {
      for (const [answered, expected] of [[true, true], [false, false], [undefined, false], ["yes", false], [new Error("no dialog"), false]]) {
        const view = open({}, {}, { confirm: () => (answered instanceof Error ? Promise.reject(answered) : answered) });
        await view.provider.createCode();
        assert.equal(await view.target[hook](), expected, String(answered));
        assert.deepEqual(view.shown, [["confirm", kind]]);
        view.provider.dispose();
      }
    });
  }

  const DENIED = [
    ["the SDK ends it at once", ({ target }, session) => {
      change(session, { state: "ended", reason: "device_ended" });
      target.emit("session.ended", session);
    }],
    ["the SDK ends it later", async ({ target }, session) => {
      await later();
      change(session, { state: "ended", reason: "device_ended" });
      target.emit("session.ended", session);
    }],
    ["the SDK says nothing", () => {}],
    ["the SDK asks again", async ({ target }, session) => {
      await later();
      change(session, { state: "authorizing" });
      target.emit("session.updated", session);
      change(session, { state: "ended" });
    }],
    ["the SDK began it all the same", ({ target }, session) => {
      change(session, { state: "active" });
      target.emit("session.updated", session);
    }],
  ];
  for (const [what, happen] of DENIED) {
    test(`a session that is denied is over, said once, where ${what}`, async () => {
      const view = open({}, {}, { confirm: () => false });
      await view.provider.createCode();
      const session = new StandInSession({ code: "111111", state: "authorizing" });
      view.target.emit("session.loaded", session);
      assert.equal(await view.target.confirmSession(), false);
      await happen(view, session);
      await later();
      assert.ok(session.isEnded());
      assert.deepEqual(view.told.slice(1), [{ status: "ended", reason: "denied" }]);
    });
  }

  test("a session that was never reported is ended too when it is denied", async () => {
    const { provider, target, told } = open({}, {}, { confirm: () => false });
    await provider.createCode();
    target.currentSession = new StandInSession({ state: "authorizing" });
    assert.equal(await target.confirmSession(), false);
    await later();
    assert.ok(target.currentSession.isEnded());
    assert.deepEqual(told.at(-1), { status: "ended", reason: "denied" });
  });

  for (const [hook] of KINDS.slice(1)) {
    test(`a session whose ${hook} is denied goes on`, async () => {
      const { provider, target, told } = open({}, {}, { confirm: () => false });
      await provider.createCode();
      const session = new StandInSession({ state: "active" });
      target.emit("session.updated", session);
      assert.equal(await target[hook](), false);
      await later();
      assert.deepEqual([told.map(({ status }) => status), session.isActive()], [["pending", "active"], true]);
    });
  }

  const GONE = [
    ["the session ends", ({ target }, session) => target.emit("session.ended", session)],
    ["the share is ended", ({ provider }) => provider.end()],
    ["the provider is disposed of", ({ provider }) => provider.dispose()],
  ];
  for (const [what, happen] of GONE) {
    test(`a dialog goes away when ${what}, which is a no but no denial`, async () => {
      let signal;
      const view = open({}, {}, {
        confirm: (_, given) => {
          signal = given;
          return new Promise((resolve) => given.addEventListener("abort", () => resolve(true)));
        },
      });
      await view.provider.createCode();
      const session = new StandInSession({ code: "111111", state: "authorizing" });
      view.target.emit("session.loaded", session);
      const asked = view.target.confirmSession();
      change(session, { state: "ended", reason: "authorizing_timeout" });
      await happen(view, session);
      assert.equal(await asked, false);
      assert.ok(signal.aborted);
      assert.ok(!view.told.some(({ reason }) => reason === "denied"));
    });
  }
});

describe("session controls", () => {
  test("are ours, say who looks, and end the session", async () => {
    const { provider, target, shown } = open();
    await provider.createCode();
    const session = new StandInSession({ state: "active", agent: { name: "Ada" } });
    target.currentSession = session;
    await target.showSessionControls();
    const [[what, { onEnd, agentName }]] = shown;
    assert.deepEqual([what, agentName], ["show", "Ada"]);
    onEnd();
    await settled();
    assert.ok(session.isEnded());
    await target.hideSessionControls();
    assert.deepEqual(shown.at(-1), ["hide"]);
  });

  for (const agent of [undefined, {}, { name: 7 }]) {
    test(`have no name where Cobrowse.io has none: ${JSON.stringify(agent)}`, async () => {
      const { provider, target, shown } = open();
      await provider.createCode();
      target.currentSession = new StandInSession({ state: "active", agent });
      await target.showSessionControls();
      assert.equal(shown[0][1].agentName, undefined);
    });
  }

  test("go when the session ends, also where the SDK does not say so", async () => {
    const { provider, target, shown } = open();
    await provider.createCode();
    await target.showSessionControls();
    target.emit("session.ended", new StandInSession({ state: "ended" }));
    assert.deepEqual(shown.at(-1), ["hide"]);
  });
});

describe("restore", () => {
  test("starts nothing where no session waits", async () => {
    const { provider, log } = open();
    assert.equal(await provider.restore(), null);
    assert.deepEqual(log.map(([what]) => what), ["client"]);
  });

  test("starts the SDK, which takes its session up, and gives it", async () => {
    const session = new StandInSession({ code: "111111", state: "active" });
    const { provider, target, calls, told, emitted } = open();
    target.currentSession = session;
    assert.equal(await provider.restore(), session);
    assert.deepEqual(calls(), ["client", "start"]);
    assert.deepEqual(emitted, [["loaded", session]]);
    target.emit("session.updated", session);
    assert.deepEqual(told, [], "the page before told the chat that it began");
    change(session, { state: "ended", reason: "device_ended" });
    target.emit("session.ended", session);
    assert.deepEqual(told, [{ status: "ended", reason: "device_ended" }]);
  });

  test("a session that the SDK reports while it starts is not told of again", async () => {
    const session = new StandInSession({ code: "111111", state: "active" });
    const view = open({}, {
      async start() {
        view.target.emit("session.loaded", session);
        view.target.emit("session.updated", session);
        return view.target;
      },
    });
    view.target.currentSession = session;
    await view.provider.restore();
    assert.deepEqual(view.told, []);
    assert.deepEqual(view.emitted.map(([event]) => event), ["loaded", "updated"]);
  });

  test("the next session is told of, even if it is active when it is first seen", async () => {
    const session = new StandInSession({ state: "active" });
    const { provider, target, told } = open();
    target.currentSession = session;
    await provider.restore();
    change(session, { state: "ended", reason: "device_ended" });
    target.emit("session.ended", session);
    target.emit("session.updated", new StandInSession({ state: "active" }));
    assert.deepEqual(told.map(({ status }) => status), ["ended", "active"]);
  });

  test("a session that ended meanwhile is none", async () => {
    const session = new StandInSession({ state: "active" });
    const { provider, target } = open({}, {
      async start() {
        change(session, { state: "ended" });
        return this;
      },
    });
    target.currentSession = session;
    assert.equal(await provider.restore(), null);
  });

  test("the chat is told where a restored session is allowed only now", async () => {
    const session = new StandInSession({ state: "authorizing" });
    const { provider, target, told } = open();
    target.currentSession = session;
    await provider.restore();
    change(session, { state: "active" });
    target.emit("session.updated", session);
    assert.deepEqual(told, [{ status: "active" }]);
  });
});

describe("end", () => {
  test("ends the session that there is", async () => {
    const { provider, target } = open();
    await provider.createCode();
    target.currentSession = new StandInSession({ state: "active" });
    await provider.end();
    assert.ok(target.currentSession.isEnded());
  });

  test("ends a session that still waits for an agent", async () => {
    const session = new StandInSession({ code: "222222" });
    const { provider } = open({}, { createSession: async () => session });
    await provider.start();
    await provider.end();
    assert.ok(session.isEnded());
  });

  test("does nothing where nothing is, again and again", async () => {
    const { provider, log } = open();
    await provider.end();
    await provider.end();
    assert.deepEqual(log, []);
  });

  test("does not stop the SDK", async () => {
    const { provider, calls } = open();
    await provider.start();
    await provider.end();
    assert.ok(!calls().includes("stop"));
  });

  test("says so where Cobrowse.io does not end it", async () => {
    const session = new StandInSession({ state: "active" });
    session.end = () => Promise.reject(new Error(SECRET));
    const { provider, target } = open();
    await provider.createCode();
    target.currentSession = session;
    await assert.rejects(provider.end(), failure("unavailable"));
  });
});

describe("dispose", () => {
  test("takes off our listeners and leaves the site's", async () => {
    const { provider, target, emitted } = open();
    const own = [];
    for (const event of EVENTS) target.on(event, () => own.push(event));
    await provider.createCode();
    provider.dispose();
    for (const event of EVENTS) assert.equal(target.listenerCount(event), 1);
    for (const event of EVENTS) target.emit(event, new StandInSession({}));
    assert.deepEqual([own, emitted], [EVENTS, []]);
  });

  test("puts the site's own functions back, unless the site has put others there since", async () => {
    const { provider, target } = open();
    const before = HOOKS.map((hook) => target[hook]);
    await provider.createCode();
    for (const hook of HOOKS) assert.notEqual(target[hook], before[HOOKS.indexOf(hook)]);
    const later = async () => false;
    target.confirmFullDevice = later;
    provider.dispose();
    assert.deepEqual(HOOKS.map((hook) => target[hook]), before.with(HOOKS.indexOf("confirmFullDevice"), later));
  });

  test("ends and stops nothing: the next page takes the session up", async () => {
    const { provider, target, calls } = open();
    await provider.createCode();
    target.currentSession = new StandInSession({ state: "active" });
    provider.dispose();
    assert.ok(target.currentSession.isActive());
    assert.ok(!calls().includes("stop"));
  });

  test("leaves a session that goes on with the SDK's own controls", async () => {
    let own = 0;
    const { provider, target, shown } = open({}, { showSessionControls: async () => (own += 1) });
    await provider.createCode();
    target.currentSession = new StandInSession({ state: "active" });
    await target.showSessionControls();
    provider.dispose();
    assert.deepEqual([own, shown.at(-1)], [1, ["hide"]]);
  });

  test("twice is once, and before anything was done is nothing", async () => {
    const { provider, log } = open();
    provider.dispose();
    assert.deepEqual(log, []);
    const other = open();
    await other.provider.createCode();
    other.provider.dispose();
    const done = other.log.length;
    other.provider.dispose();
    assert.equal(other.log.length, done);
  });

  for (const method of ["createCode", "start", "restore"]) {
    test(`${method} afterwards is refused and touches nothing`, async () => {
      const { provider, log } = open();
      provider.dispose();
      await assert.rejects(provider[method](), failure("closed"));
      assert.deepEqual(log, []);
    });
  }

  test("while the SDK is waited for touches nothing", async (context) => {
    const { provider, sdk, log } = open();
    delete globalThis.CobrowseIO;
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const asked = provider.createCode();
    asked.catch(() => {});
    await settled();
    provider.dispose();
    globalThis.CobrowseIO = sdk;
    failure("closed")((await pass(context, asked, 1_000)).error);
    assert.deepEqual(log, [["client"]]);
  });

  test("while the SDK starts leaves nothing behind", async () => {
    let give;
    const { provider, target } = open({}, { start: () => new Promise((resolve) => (give = resolve)) });
    const asked = provider.createCode();
    asked.catch(() => {});
    await settled();
    provider.dispose();
    give(target);
    await assert.rejects(asked, failure("closed"));
    for (const event of EVENTS) assert.equal(target.listenerCount(event), 0);
  });
});

describe("an SDK that fails", () => {
  const FAILURES = [
    ["client", "createCode"],
    ["start", "createCode"],
    ["createSessionCode", "createCode"],
    ["client", "start"],
    ["start", "start"],
    ["createSession", "start"],
    ["client", "restore"],
    ["start", "restore"],
  ];
  const WAYS = [
    ["rejects", () => Promise.reject(new Error(SECRET))],
    ["throws", () => {
      throw new Error(SECRET);
    }],
    ["rejects with nothing", () => Promise.reject()],
  ];
  for (const [method, asked] of FAILURES) {
    for (const [way, work] of WAYS) {
      test(`${asked} is refused with a typed error where ${method} ${way}, and its text goes nowhere`, async (context) => {
        const written = ["log", "info", "warn", "error", "debug"].map((name) => context.mock.method(console, name, () => {}));
        const { provider, target, told } = open({}, { [method]: work });
        target.currentSession = new StandInSession({ state: "active" });
        await assert.rejects(provider[asked](), failure("unavailable"));
        assert.doesNotMatch(JSON.stringify(told), new RegExp(SECRET));
        assert.ok(written.every(({ mock }) => mock.callCount() === 0));
      });
    }

    test(`${asked} is refused in time where ${method} never answers`, async (context) => {
      const { provider, target } = open({}, { [method]: () => new Promise(() => {}) });
      target.currentSession = new StandInSession({ state: "active" });
      context.mock.timers.enable({ apis: ["setTimeout"] });
      const { error } = await pass(context, provider[asked](), 60_000);
      failure("timeout")(error);
    });
  }

  test("is asked again by the next call", async () => {
    let fails = 1;
    const { provider, target, calls } = open({}, { start: async () => (fails-- > 0 ? Promise.reject(new Error(SECRET)) : target) });
    await assert.rejects(provider.createCode(), failure("unavailable"));
    assert.equal(await provider.createCode(), "111111");
    assert.deepEqual(calls(), ["client", "start", "client", "start", "createSessionCode"]);
    for (const event of EVENTS) assert.equal(target.listenerCount(event), 1);
  });

  for (const code of [undefined, null, "", 7]) {
    test(`${JSON.stringify(code) ?? "undefined"} is no code`, async () => {
      const { provider, told } = open({}, { createSessionCode: async () => code });
      await assert.rejects(provider.createCode(), failure("unavailable"));
      assert.deepEqual(told, []);
    });
  }
});

describe("the global", () => {
  for (const [what, value] of [["is absent", undefined], ["is an element of that id", { id: "CobrowseIO" }], ["is null", null]]) {
    for (const asked of ["createCode", "start", "restore"]) {
      test(`${asked} says how to load it where it ${what}`, async (context) => {
        const { provider } = open();
        if (value === undefined) delete globalThis.CobrowseIO;
        else globalThis.CobrowseIO = value;
        context.mock.timers.enable({ apis: ["setTimeout"] });
        const { error } = await pass(context, provider[asked](), 10_000);
        failure("unavailable")(error);
        assert.match(error.message, /docs\.cobrowse\.io/);
      });
    }
  }

  test("is waited for while its script loads", async (context) => {
    const { provider, sdk } = open();
    delete globalThis.CobrowseIO;
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const asked = provider.createCode();
    await pass(context, settled(), 1_000);
    globalThis.CobrowseIO = sdk;
    assert.deepEqual(await pass(context, asked, 1_000), { value: "111111" });
  });

  test("that comes later is found by the next call", async (context) => {
    const { provider, sdk } = open();
    delete globalThis.CobrowseIO;
    context.mock.timers.enable({ apis: ["setTimeout"] });
    failure("unavailable")((await pass(context, provider.createCode(), 10_000)).error);
    globalThis.CobrowseIO = sdk;
    assert.deepEqual(await pass(context, provider.createCode(), 1_000), { value: "111111" });
  });

  // As the published snippet does: until the script is there, the global has nothing but `client`, and settings that the site put on it.
  test("of the published snippet is replaced by the client that it gives", async () => {
    const { provider, sdk } = open({ redactedViews: [".private"] });
    let asked = 0;
    const snippet = Object.freeze({
      client: async () => {
        asked += 1;
        globalThis.CobrowseIO = sdk;
        return sdk;
      },
    });
    globalThis.CobrowseIO = snippet;
    assert.equal(await provider.createCode(), "111111");
    assert.deepEqual([asked, sdk.license, sdk.redactedViews], [1, "key", [".private"]]);
  });

  test("whose `client()` gives something else is not used", async () => {
    const { provider } = open();
    for (const given of [undefined, null, {}, 7]) {
      globalThis.CobrowseIO = { client: async () => given };
      await assert.rejects(provider.createCode(), failure("unavailable"));
    }
  });

  test("that the site replaces is left as it was found", async () => {
    const { provider, target } = open();
    await provider.createCode();
    const other = standIn();
    globalThis.CobrowseIO = other.sdk;
    await provider.createCode();
    for (const event of EVENTS) assert.deepEqual([target.listenerCount(event), other.target.listenerCount(event)], [0, 1]);
    assert.ok(other.log.some(([what]) => what === "start"), "it is another one, which nobody has started");
    assert.equal(other.target.license, "key");
  });
});

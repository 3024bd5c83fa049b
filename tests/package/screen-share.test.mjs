// The package's side of screen share, in a browser, with a gateway inside the page and a recorder that says what the test says: what is asked when, what is sent and
// sent again, what a share survives and what ends it. What the end user sees of it: screen-dialogs.test.mjs.
// What runs in the page uses the names of support/screen-scene.js (`until`, `dialog`, `press`, …) as globals.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { enter, startScreenSite } from "./support/screen-page.mjs";

let site;
before(async () => {
  site = await startScreenSite();
});
after(() => site?.close());

const CHUNKS = /^(screen-|cobrowse-io)/u;
const chunksOf = (page) => page.loaded.filter((file) => CHUNKS.test(file) && !["screen-gateway.js", "screen-scene.js"].includes(file)).sort();

/** Gives the page a function by name. */
async function offer(page, act) {
  await page.evaluate(`(globalThis.acts ??= {}).act = ${act}; undefined`);
  return "act";
}

test("a text-only chat loads none of the chunks; where screen share is enabled and unused, neither dialogs nor recorder are loaded", async (context) => {
  const page = await site.open(context);
  await page.evaluate(async () => {
    const { client, gateway } = await inChat({});
    await client.sendTextMessage("hello");
    gateway.say("agent", 3, "hi");
    await until(() => client.messages.length === 2);
  });
  assert.deepEqual(chunksOf(page), []);
  await page.evaluate(async () => {
    const { client } = await inChat();
    await client.sendTextMessage("hello");
    await client.restoreCobrowseSession();
  });
  assert.deepEqual(chunksOf(page), ["screen-session.js", "screen-share.js"]);
  assert.deepEqual(page.faults, []);
});

test("a share begins with the end user's yes, is sent in batches, and ends by the button", async (context) => {
  const page = await site.open(context, { path: "/strict" });
  const asked = await page.evaluate(async () => {
    const scene = (globalThis.s = await inChat());
    document.getElementById("own").focus();
    const value = await scene.client.startCobrowse();
    await until(dialog);
    return { value, created: scene.gateway.created, recorders: globalThis.recorders?.length ?? 0, heard: [...scene.heard], focus: document.activeElement === dialog() };
  });
  assert.equal(asked.value, undefined);
  assert.deepEqual(asked.created, [{ client_id: asked.created[0].client_id, page_id: asked.created[0].page_id, from: "end_user", lang: "en" }]);
  for (const name of ["client_id", "page_id"]) assert.match(asked.created[0][name], /^[A-Za-z0-9_-]{8,64}$/u);
  assert.deepEqual([asked.recorders, asked.focus], [0, true]);
  assert.deepEqual(asked.heard, [["cobrowse.loaded", "authorizing"]]);

  const shared = await page.evaluate(async () => {
    const { gateway, heard } = globalThis.s;
    await press("allow");
    await until(() => gateway.batches.length === 1 && controls());
    recorder().emit([{ type: 3, data: "second" }]);
    recorder().emit([{ type: 3, data: "third" }]);
    await until(() => gateway.batches.flatMap(({ events }) => events).length === 3);
    const { session } = heard;
    return {
      patches: gateway.patches, batches: gateway.batches, heard: [...heard], focus: document.activeElement.id, options: Object.keys(recorder().options),
      session: { state: session.state(), active: session.isActive(), times: [session.created, session.activated, session.updated, session.expires].map((time) => time instanceof Date), ended: session.ended, agent: session.agent(),
        capabilities: session.capabilities, id: session.id, rest: [session.fullDevice(), session.remoteControl(), session.code() ?? null] },
    };
  });
  const [{ page_id }] = asked.created;
  assert.deepEqual(shared.patches, [{ page_id, status: "active" }]);
  assert.deepEqual(shared.batches.flatMap(({ events }) => events.map(({ data }) => data)), ["first", "second", "third"]);
  assert.deepEqual(shared.batches.map(({ seq }) => seq), shared.batches.map((_, at) => at + 1));
  assert.ok(shared.batches.every(({ page, epoch, type }) => page === page_id && epoch === shared.batches[0].epoch && type === "application/octet-stream"));
  assert.deepEqual(shared.heard, [["cobrowse.loaded", "authorizing"], ["cobrowse.updated", "active"]]);
  assert.equal(shared.focus, "own", "the focus is back where it was");
  assert.deepEqual(shared.session, {
    state: "active", active: true, times: [true, true, true, true], ended: null, agent: { id: 3, name: "Ada" }, capabilities: ["view", "pointer"], id: 1, rest: [false, "off", null],
  });

  const ended = await page.evaluate(async () => {
    const { gateway, heard } = globalThis.s;
    await press("end");
    const gone = !button("end") && told() === "stop";
    await until(() => gateway.patches.length === 2);
    recorder().emit([{ type: 3, data: "late" }]);
    await until(() => foreign() === 0);
    return { gone, patch: gateway.patches[1], heard: heard.slice(2), last: gateway.batches.at(-1).events.at(-1).data };
  });
  assert.deepEqual(ended, { gone: true, patch: { page_id, status: "ended", reason: "device_ended" }, heard: [["cobrowse.ended", "ended", "device_ended"]], last: "third" });
  assert.deepEqual(page.faults, []);
});

test("the end user says no: by the button, by Escape, by a dialog that somebody closes or takes away", async (context) => {
  const page = await site.open(context);
  await page.evaluate(async () => void (globalThis.s = await inChat()));
  const ways = {
    button: () => press("deny"),
    closed: () => dialog().close(),
    removed: () => dialog().remove(),
    Escape: null,
  };
  for (const [way, go] of Object.entries(ways)) {
    await page.evaluate(async () => {
      document.getElementById("own").focus();
      await globalThis.s.client.startCobrowse();
      await until(dialog);
    });
    if (go) await page.evaluate(go);
    else await page.keyboard.press("Escape");
    const seen = await page.evaluate(async () => {
      const { gateway, heard } = globalThis.s;
      await until(() => gateway.share.status === "ended");
      return [gateway.patches.at(-1).reason, heard.at(-1), foreign(), globalThis.recorders?.length ?? 0];
    });
    assert.deepEqual(seen, ["denied", ["cobrowse.ended", "ended", "denied"], 0, 0], way);
  }
  assert.deepEqual(page.faults, []);
});

test("what the end user types while the question appears does not answer it", async (context) => {
  const page = await site.open(context);
  await page.evaluate(async () => {
    globalThis.s = await inChat();
    await globalThis.s.client.startCobrowse();
    await until(dialog);
  });
  for (const key of ["Enter", "Space", "a"]) await page.keyboard.press(key);
  // Nor does a script.
  await page.evaluate(() => button("allow").click());
  assert.equal(await page.evaluate(() => globalThis.s.gateway.share.status), "authorizing");
  for (const expected of ["cobrowse-dialog_deny", "cobrowse-dialog_allow"]) {
    await page.keyboard.press("Tab");
    assert.match(await page.evaluate(() => document.activeElement.className), new RegExp(expected));
  }
  await page.keyboard.press("Enter");
  await page.evaluate(() => until(() => globalThis.s.gateway.share.status === "active" && controls()));
  // The controls come after the page's own button.
  await page.evaluate(() => document.getElementById("own").focus());
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.evaluate(() => until(() => globalThis.s.gateway.share.status === "ended"));
});

test("a code waits for the agent, and then the end user is asked", async (context) => {
  const page = await site.open(context);
  const seen = await page.evaluate(async () => {
    const { client, gateway, heard } = await inChat();
    const code = await client.createCobrowseCode("it", { order: "7" });
    const pending = [heard.session.isPending(), heard.session.code(), Boolean(dialog())];
    gateway.moveShare({ status: "authorizing" });
    const text = (await until(dialog)).textContent;
    await press("allow");
    await until(() => gateway.batches.length === 1);
    return { code, pending, text, created: gateway.created[0], heard: [...heard], again: await client.createCobrowseCode(), error: heard.error.code };
  });
  assert.equal(seen.code, "123456");
  assert.deepEqual(seen.pending, [true, "123456", false]);
  assert.match(seen.text, /Condividere questa pagina/u);
  assert.deepEqual([seen.created.from, seen.created.lang, seen.created.custom_data], ["code", "it", { order: "7" }]);
  assert.deepEqual(seen.heard, [["cobrowse.loaded", "pending"], ["cobrowse.updated", "authorizing"], ["cobrowse.updated", "active"]]);
  assert.deepEqual([seen.again, seen.error], ["", "conflict"], "there is no code for what is shared already");
});

test("a failure of createCobrowseCode is an empty code and an error event, one of startCobrowse rejects", async (context) => {
  const page = await site.open(context);
  const seen = await page.evaluate(async () => {
    const { client, gateway, heard } = await inChat();
    const outcome = (promise) => promise.then((value) => ({ value }), ({ name, code, status }) => ({ name, code, ...(status && { status }) }));
    gateway.refuseShare("POST ", 403, "unsupported", 2);
    const refused = [await outcome(client.createCobrowseCode()), await outcome(client.startCobrowse())];
    const error = { code: heard.error.code, status: heard.error.status };
    const bad = [];
    for (const [method, ...args] of [["createCobrowseCode", 7], ["createCobrowseCode", "en", { a: 1 }], ["createCobrowseCode", "en", []], ["startCobrowse", "nobody"], ["startCobrowse", {}]]) {
      bad.push((await outcome(client[method](...args))).code);
    }
    client.chat = null;
    await until(() => client.chat === null);
    const without = [await outcome(client.createCobrowseCode()), await outcome(client.startCobrowse())];
    return { refused, error, bad, without, heard: [...heard], elements: foreign() };
  });
  assert.deepEqual(seen.refused, [{ value: "" }, { name: "SportelloError", code: "unsupported", status: 403 }]);
  assert.deepEqual(seen.error, { code: "unsupported", status: 403 });
  assert.deepEqual(seen.bad, Array(5).fill("invalid_argument"));
  assert.deepEqual(seen.without, [{ value: "" }, { name: "SportelloError", code: "no_chat" }]);
  assert.deepEqual(seen.heard, [["error", "unsupported"], ["error", "no_chat"]]);
  assert.equal(seen.elements, 0);
});

test("a call that is aborted leaves no share behind", async (context) => {
  const page = await site.open(context);
  const seen = await page.evaluate(async () => {
    const { client, gateway } = await inChat();
    const controller = new AbortController();
    gateway.holdShares("POST ");
    const call = client.startCobrowse("agent", { signal: controller.signal }).catch(({ code }) => code);
    await until(() => gateway.heldShares.length === 1);
    controller.abort();
    gateway.releaseShares();
    const code = await call;
    await until(() => gateway.share?.status === "ended");
    return [code, foreign()];
  });
  assert.deepEqual(seen, ["aborted", 0]);
});

test("an agent's request is told once, and not where a share has answered it", async (context) => {
  const page = await site.open(context);
  const seen = await page.evaluate(async () => {
    const { client, gateway, heard } = await inChat();
    await client.restoreCobrowseSession();
    const request = (ago) => gateway.frame(JSON.stringify({ type: "update", messages: [noti(++gateway.chat.last_index, Date.now() - ago)] }));
    const noti = ($index, $timestamp) => ({ $index, $sid: `m${$index}`, $userType: "agent", $userId: 3, $timestamp, type: "noti", event: "cobrowseRequestedFromAgent" });
    request(0);
    await until(() => heard.length === 1);
    await client.startCobrowse("agent");
    await until(dialog);
    // One that was missed during a break.
    request(60_000);
    await until(() => client.messages.length === 2);
    await new Promise((resolve) => setTimeout(resolve));
    return { heard: [...heard], from: gateway.created.map(({ from }) => from) };
  });
  assert.deepEqual(seen.heard, [["cobrowse.request", "agent"], ["cobrowse.loaded", "authorizing"]]);
  assert.deepEqual(seen.from, ["agent"]);
});

test("a batch that could not be sent is sent again as it was, and what gathers meanwhile follows it", async (context) => {
  const page = await site.open(context);
  const seen = await page.evaluate(async () => {
    const { gateway, heard } = await sharing();
    gateway.refuseShare("POST /records", 503, "unavailable");
    gateway.refuseShare("POST /records", 0);
    recorder().emit([{ data: "a" }]);
    await until(() => gateway.shareRefusals.length < 2);
    for (const data of ["b", "c", "d"]) recorder().emit([{ data }]);
    await until(() => gateway.batches.flatMap(({ events }) => events).length === 5);
    return { batches: gateway.batches.slice(1).map(({ seq, events }) => [seq, events.map(({ data }) => data).join("")]), heard: heard.filter(([event]) => event === "error") };
  });
  assert.deepEqual(seen, { batches: [[2, "a"], [3, "bcd"]], heard: [] });
  const network = page.faults.filter((fault) => !/503|Failed to load/u.test(fault));
  assert.deepEqual(network, []);
});

test("what the network cannot carry is dropped, and the picture begins anew", async (context) => {
  const page = await site.open(context);
  const seen = await page.evaluate(async () => {
    const { gateway } = await sharing();
    recorder().emit([{ type: 5, data: { tag: "sportello.complete" } }]);
    await until(() => gateway.batches.length === 2);
    gateway.holdShares("POST /records");
    recorder().emit([{ data: "held" }]);
    await until(() => gateway.heldShares.length === 1);
    const big = "x".repeat(1_500_000);
    for (let count = 0; count < 5; count += 1) recorder().emit([{ data: big }]);
    gateway.releaseShares();
    await until(() => gateway.batches.length === 4);
    // A picture of the page alone may be larger than that.
    recorder().emit([{ data: big.repeat(4) }]);
    await until(() => gateway.batches.length === 5);
    gateway.resync = true;
    recorder().emit([{ data: "gap" }]);
    await until(() => gateway.batches.length === 7);
    // While it is not complete all of it is sent, in several batches.
    gateway.holdShares("POST /records");
    recorder().emit([{ data: "held" }]);
    await until(() => gateway.heldShares.length === 1);
    for (let count = 0; count < 5; count += 1) recorder().emit([{ data: big }]);
    gateway.releaseShares();
    await until(() => gateway.batches.length === 11);
    return { told: told(), batches: gateway.batches.slice(2).map(({ seq, events }) => [seq, ...events.map(({ data }) => (data.length > 10 ? data.length : data))]) };
  });
  assert.deepEqual(seen, { told: "resync resync", batches: [[3, "held"], [4, "resync"], [5, 6_000_000], [6, "gap"], [7, "resync"], [8, "held"], ...[9, 10].map((seq) => [seq, 1_500_000, 1_500_000]), [11, 1_500_000]] });
});

test("while nobody looks the recorder pauses; with a viewer it goes on, and it begins anew when one asks", async (context) => {
  const page = await site.open(context);
  const seen = await page.evaluate(async () => {
    const { gateway } = await inChat().then(async (scene) => {
      scene.gateway.viewers = 0;
      await scene.client.startCobrowse();
      await press("allow");
      await until(() => scene.gateway.batches.length === 1 && told() === "pause");
      return scene;
    });
    gateway.viewers = 1;
    gateway.signal({ type: "resync" });
    await until(() => told() === "pause resume");
    gateway.signal({ type: "resync" });
    await until(() => told() === "pause resume resync");
    gateway.viewers = 0;
    gateway.signal({ type: "pointer_left" });
    await until(() => told() === "pause resume resync pause");
    return true;
  });
  assert.ok(seen);
});

test("the agent's pointer is shown with its name, in nobody's way, and goes with its leaving, silence and the end", async (context) => {
  // What is drawn in it is behind a closed root: the test opens it.
  const setUp = (page) => page.addInitScript(() => {
    const attach = Element.prototype.attachShadow;
    Element.prototype.attachShadow = function (init) {
      const root = attach.call(this, init);
      globalThis.pointer = { host: this, root, mode: init.mode };
      return root;
    };
  });
  const page = await site.open(context, { path: "/strict", setUp });
  const seen = await page.evaluate(async () => {
    const { gateway } = await sharing();
    const before = [document.documentElement.scrollHeight, document.getElementById("own").getBoundingClientRect().top];
    gateway.signal({ type: "pointer", x: 120, y: 80, down: true });
    const { host, root, mode } = await until(() => globalThis.pointer);
    const shown = root.querySelector(".pointer");
    await until(() => shown.getBoundingClientRect().left === 120);
    const rect = shown.getBoundingClientRect();
    const hit = document.elementFromPoint(122, 82);
    const first = {
      at: [rect.left, rect.top], name: root.querySelector(".name").textContent, isDown: shown.classList.contains("down"), ripples: root.querySelector(".ripple").classList.contains("go"),
      mode, hidden: host.getAttribute("aria-hidden"), hit: host.contains(hit), visible: getComputedStyle(host).visibility, styled: host.hasAttribute("style") || Boolean(root.querySelector("[style]")),
      same: JSON.stringify(before) === JSON.stringify([document.documentElement.scrollHeight, document.getElementById("own").getBoundingClientRect().top]),
    };
    gateway.signal({ type: "pointer_left" });
    await until(() => getComputedStyle(host).visibility === "hidden");
    gateway.signal({ type: "pointer", x: "7", y: null, down: false }, { type: "pointer", x: 10, y: 20, down: false });
    await until(() => getComputedStyle(host).visibility === "visible");
    const from = performance.now();
    await until(() => getComputedStyle(host).visibility === "hidden");
    const silent = performance.now() - from;
    await press("end");
    await until(() => !host.isConnected);
    return { first, silent };
  });
  assert.deepEqual(seen.first, { at: [120, 80], name: "Ada", isDown: true, ripples: true, mode: "closed", hidden: "true", hit: false, visible: "visible", styled: false, same: true });
  assert.ok(seen.silent > 4_000 && seen.silent < 8_000, `${seen.silent} ms`);
  assert.deepEqual(page.faults, []);
});

test("a share goes on after a reload, without another question; in memory only it does not", async (context) => {
  const page = await site.open(context);
  await page.evaluate(() => sharing().then(({ gateway }) => until(() => gateway.polls.size === 1)));
  await page.reload();
  await enter(page);
  const seen = await page.evaluate(async () => {
    const { client, gateway, heard } = openClient({ cobrowse: { enabled: true } });
    await until(() => gateway.batches.length === 1 && controls());
    return {
      heard: [...heard], asked: Boolean(dialog()), batch: gateway.batches[0].seq, patches: gateway.patches.length, created: gateway.created.length,
      same: (await client.restoreCobrowseSession()) === heard.session, newPage: gateway.share.page === gateway.patches[0].page_id, kept: sessionStorage.length,
    };
  });
  assert.deepEqual(seen, { heard: [["cobrowse.loaded", "active"]], asked: false, batch: 1, patches: 1, created: 0, same: true, newPage: true, kept: 0 });
  await page.reload();
  await enter(page);
  const without = await page.evaluate(async () => {
    const { client, gateway } = openClient({ cobrowse: { enabled: true }, storage: null });
    return [await client.restoreCobrowseSession(), gateway.patches.length, globalThis.recorders?.length ?? 0];
  });
  assert.deepEqual(without, [null, 0, 0]);
});

test("what waits for the agent, or for the end user, is there after a reload; what has ended is not", async (context) => {
  const page = await site.open(context);
  await page.evaluate(async () => void (await (await inChat()).client.createCobrowseCode()));
  await page.reload();
  await enter(page);
  const pending = await page.evaluate(async () => {
    const { client, gateway } = (globalThis.s = openClient({ cobrowse: { enabled: true } }));
    const session = await client.restoreCobrowseSession();
    await client.loadOngoingChat();
    await until(() => client.connection === "online");
    const seen = [session.state(), session.code()];
    gateway.moveShare({ status: "authorizing" });
    await until(dialog);
    return seen;
  });
  assert.deepEqual(pending, ["pending", "123456"]);
  await page.reload();
  await enter(page);
  const authorizing = await page.evaluate(async () => {
    const { client, heard } = openClient({ cobrowse: { enabled: true } });
    const session = await client.restoreCobrowseSession();
    await until(dialog);
    return [session.state(), session.code() ?? null, heard.length];
  });
  assert.deepEqual(authorizing, ["authorizing", null, 1]);
  await page.evaluate(async () => {
    // It ends while the page is loaded anew.
    addEventListener("pagehide", () => localStorage.setItem("screen-gateway", localStorage.getItem("screen-gateway").replace('"authorizing"', '"ended"')));
  });
  await page.reload();
  await enter(page);
  const ended = await page.evaluate(async () => {
    const { client, heard } = openClient({ cobrowse: { enabled: true } });
    return [await client.restoreCobrowseSession(), heard.length, sessionStorage.length, foreign()];
  });
  assert.deepEqual(ended, [null, 0, 0, 0]);
});

test("a network that is gone at the start does not lose the share of an earlier page", async (context) => {
  const page = await site.open(context);
  await page.evaluate(() => sharing());
  await page.reload();
  await enter(page);
  const seen = await page.evaluate(async () => {
    const scene = openClient({ cobrowse: { enabled: true } });
    scene.gateway.refuseShare("GET ", 503, "unavailable");
    await until(() => scene.heard.some(([event]) => event === "error"));
    scene.gateway.dropSockets(1006);
    scene.client._triggerEvent("ready");
    await until(() => scene.gateway.batches.length === 1);
    return scene.heard;
  });
  assert.deepEqual(seen, [["error", "unavailable"], ["cobrowse.loaded", "active"]]);
});

test("a second page of the same end user takes nothing, and one that loses its share stops", async (context) => {
  const page = await site.open(context);
  const seen = await page.evaluate(async () => {
    const { gateway, heard } = await sharing();
    await until(() => gateway.polls.size === 1);
    // Another page has taken it over.
    gateway.share.page = "another-page";
    gateway.answerPolls();
    await until(() => heard.at(-1)[0] === "cobrowse.ended");
    return { heard: heard.at(-1), told: told(), patches: gateway.patches.map(({ status }) => status), status: gateway.share.status };
  });
  assert.deepEqual(seen, { heard: ["cobrowse.ended", "ended", "replaced"], told: "stop", patches: ["active"], status: "active" });
});

for (const [what, act, reason, tells] of [
  ["the agent ends it", ({ gateway }) => gateway.moveShare({ status: "ended", ended_reason: "agent_ended" }), "agent_ended"],
  ["the chat ends", ({ gateway }) => gateway.change('{"status":"finished"}'), "chat_ended"],
  ["the chat is destroyed", ({ client }) => client.destroyChat(), "chat_ended"],
  ["the session object ends it", ({ heard }) => heard.session.end(), "device_ended", true],
  ["the recorder gives up", () => recorder().fail(Object.assign(new Error("odd"), { isFatal: true })), "failed", true],
  ["the gateway refuses a batch for good", ({ gateway }) => (gateway.refuseShare("POST /records", 413, "too_large"), recorder().emit([{ data: "x" }])), "failed", true],
  ["the end user changes", ({ gateway }) => (gateway.becomeUser(6), recorder().emit([{ data: "x" }])), "device_ended"],
  ["the client is closed", ({ client }) => client.close(), null],
]) {
  test(`sharing stops at once when ${what}`, async (context) => {
    const page = await site.open(context);
    const seen = await page.evaluate(async ([act, tells]) => {
      const scene = await sharing();
      await until(() => scene.gateway.polls.size === 1);
      const before = scene.gateway.batches.length;
      await globalThis.acts[act](scene);
      await until(() => told() === "stop" && !controls());
      const status = scene.gateway.share.status;
      recorder().emit([{ data: "late" }]);
      if (tells) await until(() => scene.gateway.patches.length === 2);
      await until(() => foreign() === 0);
      return { ended: scene.heard.filter(([event]) => event === "cobrowse.ended"), late: scene.gateway.batches.slice(before).some(({ events }) => events.some(({ data }) => data === "late")), patched: scene.gateway.patches.slice(1).map(({ reason }) => reason), status };
    }, [await offer(page, act), tells ?? false]);
    assert.deepEqual(seen.ended, reason === null ? [] : [["cobrowse.ended", "ended", reason]]);
    assert.deepEqual([seen.late, seen.patched], [false, tells ? [reason] : []]);
  });
}


test("a page that is frozen or put aside sends nothing, and takes its share up again when it comes back", async (context) => {
  const page = await site.open(context);
  const seen = await page.evaluate(async () => {
    const { gateway } = await sharing();
    const transition = (type) => new PageTransitionEvent(type, { persisted: true });
    const rounds = [];
    for (const [target, away, back] of [[document, new Event("freeze"), new Event("resume")], [globalThis, transition("pagehide"), transition("pageshow")]]) {
      const before = recorder();
      const batches = gateway.batches.length;
      target.dispatchEvent(away);
      target.dispatchEvent(away);
      before.emit([{ data: "late" }]);
      const kept = sessionStorage.length;
      target.dispatchEvent(back);
      target.dispatchEvent(back);
      await until(() => gateway.batches.length === batches + 1);
      rounds.push({ old: before.calls, kept, batch: gateway.batches.at(-1).events[0].data, seq: gateway.batches.at(-1).seq, later: gateway.batches.at(-1).epoch > gateway.batches.at(-2).epoch, left: sessionStorage.length });
    }
    // While it was away the gateway ended it.
    document.dispatchEvent(new Event("freeze"));
    Object.assign(gateway.share, { status: "ended", ended_reason: "active_timeout" });
    document.dispatchEvent(new Event("resume"));
    await until(() => !controls());
    return { rounds, patches: gateway.patches.length };
  });
  const round = { old: ["stop"], batch: "first", seq: 1, later: true, left: 0 };
  assert.deepEqual(seen, { rounds: [{ ...round, kept: 0 }, { ...round, kept: 1 }], patches: 4 });
});

test("two hundred short shares leave nothing behind: no listener, no timer, no element", async (context) => {
  const setUp = (page) => page.addInitScript(() => {
    globalThis.live = { listeners: 0, timers: new Set() };
    const { addEventListener, removeEventListener } = EventTarget.prototype;
    const own = (target) => target === globalThis || target === document;
    // Those that a signal takes off are told by it; `add` and `remove` of the same function otherwise.
    EventTarget.prototype.addEventListener = function (type, listener, options) {
      if (own(this ?? globalThis)) {
        globalThis.live.listeners += 1;
        options?.signal?.addEventListener("abort", () => (globalThis.live.listeners -= 1));
      }
      return addEventListener.call(this ?? globalThis, type, listener, options);
    };
    EventTarget.prototype.removeEventListener = function (type, listener, options) {
      if (own(this ?? globalThis)) globalThis.live.listeners -= 1;
      return removeEventListener.call(this ?? globalThis, type, listener, options);
    };
    const { setInterval, clearInterval } = globalThis;
    globalThis.setInterval = (...args) => {
      const id = setInterval(...args);
      globalThis.live.timers.add(id);
      return id;
    };
    globalThis.clearInterval = (id) => {
      globalThis.live.timers.delete(id);
      clearInterval(id);
    };
  });
  const page = await site.open(context, { setUp });
  const seen = await page.evaluate(async () => {
    const scene = await inChat();
    const { client, gateway, heard } = scene;
    await client.restoreCobrowseSession();
    const state = () => ({ listeners: live.listeners, timers: live.timers.size, elements: foreign(), sheets: document.adoptedStyleSheets.length, stored: sessionStorage.length, polls: gateway.polls.size });
    const one = async (number) => {
      const { length } = heard;
      await client.startCobrowse(number % 2 ? "agent" : undefined);
      await press(number % 5 ? "allow" : "deny");
      if (number % 5) {
        await until(() => recorder() && controls());
        if (number % 3) await press("end");
        else gateway.moveShare({ status: "ended", ended_reason: "agent_ended" });
      }
      await until(() => heard.slice(length).some(([event]) => event === "cobrowse.ended"));
      await until(() => gateway.share.status === "ended");
    };
    await one(1);
    await until(() => foreign() === 0);
    const before = state();
    for (let number = 0; number < 200; number += 1) await one(number);
    await until(() => foreign() === 0 && gateway.polls.size === 0);
    return { before, after: state(), shares: gateway.shares.length, errors: heard.filter(([event]) => event === "error"), stopped: globalThis.recorders.every(({ calls }) => calls.at(-1) === "stop") };
  });
  assert.deepEqual(seen.after, seen.before);
  assert.deepEqual([seen.shares, seen.errors, seen.stopped], [201, [], true]);
});

test("something that cannot be recorded is in the log, and the share goes on", async (context) => {
  const page = await site.open(context);
  const seen = await page.evaluate(async () => {
    const { client, gateway } = await sharing();
    recorder().fail(new Error("a part of the page could not be recorded"));
    recorder().emit([{ data: "more" }]);
    await until(() => gateway.batches.length === 2);
    return client.getLogs().filter(({ message }) => message.includes("could not be recorded")).map(({ level }) => level);
  });
  assert.deepEqual(seen, ["warn"]);
});

test("options that cannot be meant are refused before anything is asked, with what to do", async (context) => {
  const page = await site.open(context);
  const wrong = {
    "enabled must be true or false": { enabled: "yes" },
    "enabled is false": { enabled: false },
    "license must be a string": { enabled: true, license: 7 },
    "capabilities must be an array of strings": { enabled: true, capabilities: "pointer" },
    "redactedViews must be an array of strings": { enabled: true, redactedViews: [7] },
    "redactedViews must be an array of CSS selectors": { enabled: true, redactedViews: [".a", "::::"] },
    "unredactedViews must be an array of CSS selectors": { enabled: true, unredactedViews: ["["] },
    "root must be an element": { enabled: true, root: "#root" },
    "registration must be true or false": { enabled: true, registration: "no" },
    "trustedOrigins must be an array": { enabled: true, trustedOrigins: "https://shop.example" },
    "messages must be an object": { enabled: true, messages: "Share?" },
    "messages.allowText must be a string": { enabled: true, messages: { allowText: 7 } },
    "template must be a string": { enabled: true, template: 7 },
    "js-cobrowse-deny": { enabled: true, template: '<b class="js-cobrowse-allow">$allow</b>' },
    "js-cobrowse-allow": { enabled: true, confirmSessionTemplate: '<b class="js-cobrowse-deny">$deny</b>' },
    "js-cobrowse-end": { enabled: true, sessionControlsTemplate: "<b>$end</b>" },
  };
  for (const [words, cobrowse] of Object.entries(wrong)) {
    const seen = await page.evaluate(async (cobrowse) => {
      const { client, gateway, heard } = await inChat({ cobrowse });
      const outcomes = [];
      for (const method of ["startCobrowse", "createCobrowseCode", "restoreCobrowseSession"]) outcomes.push(await client[method]().then(() => "done", ({ code, message }) => [code, message]));
      client.close();
      return { outcomes, created: gateway.created.length, told: heard.filter(([event]) => event === "error") };
    }, cobrowse);
    for (const [code, message] of seen.outcomes) assert.ok(code === "invalid_argument" && message.includes(words) && message.startsWith("options.cobrowse"), `${words}: ${code} ${message}`);
    // Where it is enabled the client says so by itself, too.
    assert.ok(seen.created === 0 && seen.told.length === (cobrowse.enabled ? 1 : 0), `${words}: ${JSON.stringify(seen)}`);
  }
});

test("without the option, the calls work with its defaults", async (context) => {
  const page = await site.open(context);
  const seen = await page.evaluate(async () => {
    const { gateway, heard } = await sharing({});
    return [gateway.batches.length, heard.map(([event]) => event)];
  });
  assert.deepEqual(seen, [1, ["cobrowse.loaded", "cobrowse.updated"]]);
});

test("a part that cannot be loaded is said, and tried again by the next call", async (context) => {
  const gone = new Set(["screen-share.js", "screen-recorder.js"]);
  const setUp = (page) => page.route("**/*", (route) => (gone.has(new URL(route.request().url()).pathname.split("/").pop()) ? route.fulfill({ status: 404 }) : route.continue()));
  const page = await site.open(context, { setUp });
  const ask = () => page.evaluate(() => globalThis.s.client.startCobrowse().then(() => "done", ({ code, message, retryable }) => ({ code, retryable, message })));
  await page.evaluate(async () => {
    globalThis.s = await inChat();
    await until(() => globalThis.s.heard.some(([event, code]) => event === "error" && code === "wasm_load_failed"));
  });
  const whole = await ask();
  assert.deepEqual([whole.code, whole.retryable], ["wasm_load_failed", true]);
  gone.delete("screen-share.js");
  const recorder = await ask();
  assert.deepEqual([recorder.code, recorder.retryable], ["wasm_load_failed", true]);
  assert.match(recorder.message, /screen share is not part of this build/u);
  assert.equal(await page.evaluate(() => globalThis.s.gateway.created.length), 0, "the agent is not told of what cannot be");
  gone.clear();
  assert.equal(await ask(), "done");
});

test("a browser that cannot compress is told so", async (context) => {
  const page = await site.open(context, { setUp: (page) => page.addInitScript(() => delete globalThis.CompressionStream) });
  const seen = await page.evaluate(async () => {
    const { client, gateway } = await inChat();
    return [await client.startCobrowse().catch(({ code, message }) => [code, message.includes("CompressionStream")]), gateway.created.length];
  });
  assert.deepEqual(seen, [["unavailable", true], 0]);
});

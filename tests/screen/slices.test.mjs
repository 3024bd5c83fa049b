// The recorder's work stays within its slices: counted in nodes read by a clock that only reading moves, never in real time.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { stage } from "./support/stage.mjs";

let scene;
before(async () => (scene = await stage()));
after(() => scene?.close());

/** In the page, before the recorder is loaded: each reading of a node's attributes or text takes a millisecond of a clock of our own. */
function slowReading() {
  globalThis.read_ms = 0;
  const { getAttributeNames } = Element.prototype;
  Element.prototype.getAttributeNames = function () {
    globalThis.read_ms++;
    return getAttributeNames.call(this);
  };
  const { get } = Object.getOwnPropertyDescriptor(CharacterData.prototype, "data");
  Object.defineProperty(CharacterData.prototype, "data", {
    configurable: true,
    get() {
      globalThis.read_ms++;
      return get.call(this);
    },
  });
  const { get: cssText } = Object.getOwnPropertyDescriptor(CSSRule.prototype, "cssText");
  Object.defineProperty(CSSRule.prototype, "cssText", {
    configurable: true,
    get() {
      globalThis.read_ms++;
      return cssText.call(this);
    },
  });
}

async function open() {
  const page = await scene.page("<!DOCTYPE html><body></body>");
  await page.evaluate(slowReading);
  await page.evaluate(async () => {
    const { record } = await import("/pkg/screen-recorder.js");
    let scheduled = null;
    globalThis.events = [];
    globalThis.lengths = [];
    globalThis.recording = record({
      emit: () => {},
      clock: {
        budget_ms: 20,
        now: () => globalThis.read_ms,
        schedule: (run) => ((scheduled = run), () => (scheduled = null)),
        later: () => () => {},
        every: (run) => ((globalThis.look = run), () => {}),
      },
    });
    globalThis.slice = () => {
      const run = scheduled;
      scheduled = null;
      const begun_ms = globalThis.read_ms;
      run?.();
      globalThis.lengths.push(globalThis.read_ms - begun_ms);
      return run !== null;
    };
    /** Works until nothing is left; gives the longest slice, how many there were and what they read together. */
    globalThis.finish = async () => {
      globalThis.lengths.length = 0;
      await null;
      while (globalThis.slice());
      return { longest: Math.max(...globalThis.lengths), count: globalThis.lengths.length, read: globalThis.lengths.reduce((sum, one) => sum + one, 0) };
    };
  });
  return page;
}

const fill = (rows) => {
  for (let index = 0; index < rows; index++) {
    const row = document.createElement("div");
    row.innerHTML = `<span class=a>name ${index}</span><p>some text <b>bold</b></p><input value="abc">`;
    document.body.append(row);
  }
};

/** A slice of 20 may end with the node that was begun, and each of the other parts may do one step of its own. */
const MOST = 30;

test("no slice of the first picture, of large changes or of style sheets reads more than its budget", async () => {
  const page = await open();
  await page.evaluate(fill, 300);
  const first = await page.evaluate(() => globalThis.finish());
  assert.ok(first.read > 2_000 && first.count > 100, JSON.stringify(first));
  assert.ok(first.longest <= MOST, `the first picture: ${JSON.stringify(first)}`);
  // Long lists that come at once, deep trees, and everything changed at the same time.
  await page.evaluate(fill, 300);
  await page.evaluate(() => {
    let deep = document.body;
    for (let depth = 0; depth < 300; depth++) deep = deep.appendChild(document.createElement("div"));
    for (const element of document.querySelectorAll("span")) element.className = "b";
    for (const element of document.querySelectorAll("p")) element.innerHTML = "<i>x</i>y";
    document.body.append(...[...document.body.children].reverse());
  });
  const second = await page.evaluate(() => globalThis.finish());
  assert.ok(second.read > 2_000, JSON.stringify(second));
  assert.ok(second.longest <= MOST, `large changes: ${JSON.stringify(second)}`);
  await page.evaluate(() => {
    const style = document.createElement("style");
    style.textContent = Array.from({ length: 2_000 }, (_, index) => `.c${index} { color: red }`).join("\n");
    document.head.append(style);
  });
  const third = await page.evaluate(() => globalThis.finish());
  assert.ok(third.read >= 2_000, JSON.stringify(third));
  assert.ok(third.longest <= MOST, `a style sheet: ${JSON.stringify(third)}`);
});

test("what comes and goes between two slices is not read", async () => {
  const page = await open();
  await page.evaluate(() => globalThis.finish());
  const { read } = await page.evaluate(async () => {
    for (let round = 0; round < 100; round++) {
      const made = document.createElement("div");
      made.innerHTML = "<p>some text</p>".repeat(10);
      document.body.append(made);
      await null;
      made.remove();
    }
    return globalThis.finish();
  });
  assert.ok(read <= 5, `${read} nodes were read`);
});

test("putting a long list in another order moves few of its entries", async () => {
  const page = await scene.recorded("<!DOCTYPE html><body><ul></ul></body>");
  const adds = await page.evaluate(async () => {
    const list = document.querySelector("ul");
    for (let index = 0; index < 1_000; index++) list.append(Object.assign(document.createElement("li"), { textContent: String(index) }));
    globalThis.share.start({ budget: 50 });
    await globalThis.share.settle();
    const count = async (change) => {
      change([...list.children]);
      return (await globalThis.share.settle()).flatMap((event) => event.data.adds ?? []).filter(({ node }) => node.tagName === "li").length;
    };
    return {
      "an entry in the middle": await count(([, , , third]) => third.before(document.createElement("li"))),
      "the first becomes the last": await count(([first]) => list.append(first)),
      "all put anew in the same order": await count((all) => list.replaceChildren(...all)),
      "two change places": await count((all) => all[900].after(all[100])),
    };
  });
  assert.deepEqual(adds, { "an entry in the middle": 1, "the first becomes the last": 1, "all put anew in the same order": 0, "two change places": 1 });
});

test("while nothing changes nothing is emitted, and no slice is asked for", async () => {
  const page = await scene.recorded("<!DOCTYPE html><body><p>text</p><input></body>");
  const result = await page.evaluate(async () => {
    globalThis.share.start();
    await globalThis.share.settle({ frames: 2 });
    globalThis.share.batches.length = 0;
    const events = await globalThis.share.settle({ frames: 2 });
    return { events, batches: globalThis.share.batches.length, busy: globalThis.share.isBusy() };
  });
  assert.deepEqual(result, { events: [], batches: 0, busy: false });
});

test("with no viewer nothing is kept, and a new one gets the page as it is then", async () => {
  const page = await scene.recorded("<!DOCTYPE html><body><p>before</p></body>");
  const { paused, resumed } = await page.evaluate(async () => {
    globalThis.share.start();
    await globalThis.share.settle();
    globalThis.share.pause();
    document.querySelector("p").textContent = "after";
    const paused = await globalThis.share.settle();
    globalThis.share.resume();
    return { paused, resumed: await globalThis.share.settle() };
  });
  assert.deepEqual(paused, []);
  assert.deepEqual(resumed.slice(0, 2).map(({ type }) => type), [4, 2]);
  assert.ok(JSON.stringify(resumed).includes("after") && !JSON.stringify(resumed).includes("before"));
  assert.equal(resumed.filter(({ data }) => data.tag === "sportello.complete").length, 1);
});

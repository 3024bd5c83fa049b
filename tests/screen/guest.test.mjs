// The recorder is a guest of the page: it looks and does not patch, it survives whatever the page does, and when it goes nothing of it stays.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { stage } from "./support/stage.mjs";

let scene;
before(async () => (scene = await stage({ args: ["--js-flags=--expose-gc"] })));
after(() => scene?.close());

const HTML = `<!DOCTYPE html><html><head><style>.a { color: red }</style></head><body>
  <x-a><template shadowrootmode=open><p>shadow</p></template></x-a><input value=x><img alt=""><p>text</p></body></html>`;

/** In the page: every property of the globals and of their prototypes, by value or accessor; those that only a page's use creates are objects. */
function surface() {
  const seen = new Map();
  globalThis.identities ??= new WeakMap();
  globalThis.lastIdentity ??= 0;
  const identify = (value) => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return String(typeof value === "symbol" ? "symbol" : value);
    if (!globalThis.identities.has(value)) globalThis.identities.set(value, ++globalThis.lastIdentity);
    return `#${globalThis.identities.get(value)}`;
  };
  const note = (path, object) => {
    for (const key of Reflect.ownKeys(object)) {
      const { value, get, set, writable } = Object.getOwnPropertyDescriptor(object, key);
      seen.set(`${path}.${String(key)}`, get || set ? `${identify(get)} ${identify(set)}` : `${identify(value)} ${writable}`);
    }
  };
  note("window", window);
  note("document", document);
  for (const name of Object.getOwnPropertyNames(window)) {
    const prototype = Object.getOwnPropertyDescriptor(window, name)?.value?.prototype;
    if (typeof prototype === "object" && prototype !== null) note(name, prototype);
  }
  for (const element of document.querySelectorAll("*")) note(element.localName, element);
  return [...seen].filter(([key]) => !/^window\.(?:identities|lastIdentity|share|before|performance)$/u.test(key));
}

test("prototypes, globals, the document and its elements are as before while it records and afterwards", async () => {
  const page = await scene.recorded(HTML);
  await page.evaluate(surface);
  const before = await page.evaluate(surface);
  assert.ok(before.length > 5_000, `${before.length} properties`);
  const markup = await page.content();
  await page.evaluate(async () => {
    globalThis.share.start({ redactedViews: ["p"] });
    await globalThis.share.settle({ frames: 2 });
  });
  assert.deepEqual(await page.evaluate(surface), before);
  assert.equal(await page.content(), markup);
  await page.evaluate(() => globalThis.share.stop());
  assert.deepEqual(await page.evaluate(surface), before);
});

test("a page whose code throws everywhere is recorded all the same, and hears nothing of it", async () => {
  const page = await scene.recorded(HTML);
  const { events, errors } = await page.evaluate(async () => {
    const thrower = () => {
      throw new Error("the page's own words");
    };
    for (const element of document.querySelectorAll("*")) {
      for (const name of ["attributes", "childNodes", "firstChild", "nodeType", "tagName", "value", "parentNode", "shadowRoot", "matches"]) {
        Object.defineProperty(element, name, { configurable: true, get: thrower });
      }
    }
    Object.defineProperty(document.querySelector("style"), "sheet", { get: thrower });
    globalThis.share.start({ redactedViews: [".x"] });
    document.querySelector("p").setAttribute("class", "x");
    const events = await globalThis.share.settle();
    return { events, errors: globalThis.share.errors };
  });
  assert.ok(JSON.stringify(events).includes("shadow"));
  for (const error of errors) assert.ok(!error.includes("own words"), error);
  assert.deepEqual(page.problems, []);
});

test("a listener that throws stops nothing", async () => {
  const page = await scene.page(HTML);
  const count = await page.evaluate(async () => {
    const { record } = await import("/pkg/screen-recorder.js");
    let batches = 0;
    const recording = record({
      emit: () => {
        batches++;
        throw new Error("emit");
      },
      onError: () => {
        throw new Error("onError");
      },
    });
    const wait = (enough) => new Promise((resolve) => setTimeout(() => (enough() ? resolve() : resolve(wait(enough))), 20));
    await wait(() => batches > 0);
    const before = batches;
    document.querySelector("p").textContent = "new";
    await wait(() => batches > before);
    recording.stop();
    return batches;
  });
  assert.ok(count >= 2);
  assert.deepEqual(page.problems, []);
});

test("200 starts and stops leave nothing behind", async () => {
  const page = await scene.recorded("<!DOCTYPE html><body></body>");
  const devtools = await page.context().newCDPSession(page);
  const heap = async () => {
    for (let round = 0; round < 3; round++) await devtools.send("HeapProfiler.collectGarbage");
    const { usedSize } = await devtools.send("Runtime.getHeapUsage");
    const { nodes, jsEventListeners } = await devtools.send("Memory.getDOMCounters");
    return { usedSize, nodes, jsEventListeners };
  };
  await page.evaluate(() => {
    for (let index = 0; index < 250; index++) {
      const row = document.createElement(index % 5 === 0 ? "div" : "p");
      row.innerHTML = `<span>name ${index}</span><input value=x><img>`;
      if (index % 10 === 0) row.attachShadow({ mode: "open" }).innerHTML = "<slot></slot><style>p { color: red }</style>";
      document.body.append(row);
    }
    globalThis.starts = async (count) => {
      for (let index = 0; index < count; index++) {
        globalThis.share.start({ budget: 1_000, redactedViews: [".x"] });
        globalThis.share.slices(20);
        if (index % 50 === 0) await globalThis.share.settle();
        globalThis.share.stop();
        globalThis.share.events.length = 0;
        globalThis.share.batches.length = 0;
      }
    };
  });
  await page.evaluate(() => globalThis.starts(20));
  const before = await heap();
  await page.evaluate(() => globalThis.starts(200));
  const after = await heap();
  assert.equal(after.nodes, before.nodes);
  assert.equal(after.jsEventListeners, before.jsEventListeners);
  const grown = after.usedSize - before.usedSize;
  console.log(`# the heap grew by ${grown} bytes in 200 starts`);
  assert.ok(grown < 400_000, `${grown} bytes`);
});

test("elements that leave the page are let go of while it records", async () => {
  const page = await scene.recorded("<!DOCTYPE html><body></body>");
  await page.evaluate(async () => {
    globalThis.share.start();
    await globalThis.share.settle();
    const made = document.createElement("div");
    made.innerHTML = "<p>a</p><input value=x><img><style>p { color: red }</style>";
    made.querySelector("p").attachShadow({ mode: "open" }).innerHTML = "<b>shadow</b>";
    document.body.append(made);
    await globalThis.share.settle({ frames: 2 });
    globalThis.gone = new WeakRef(made.querySelector("p").shadowRoot.firstChild);
    globalThis.picture = new WeakRef(made.querySelector("img"));
    made.remove();
  });
  await page.evaluate(() => globalThis.share.settle({ frames: 2 }));
  const devtools = await page.context().newCDPSession(page);
  for (let round = 0; round < 5; round++) await devtools.send("HeapProfiler.collectGarbage");
  assert.deepEqual(await page.evaluate(() => [globalThis.gone.deref() === undefined, globalThis.picture.deref() === undefined]), [true, true]);
});

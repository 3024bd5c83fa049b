// What of a recording that anybody may have written reaches the Replayer.

import assert from "node:assert/strict";
import { test } from "node:test";

import { COMPLETE_TAG, MODAL_ATTRIBUTE, Sanitiser } from "../../screen/replay/sanitise.js";
import { unpack } from "../../screen/replay/unpack.js";

const element = (id, tagName, attributes = {}, childNodes = [], more = {}) => ({ type: 2, id, tagName, attributes, childNodes, ...more });
const text = (id, textContent) => ({ type: 3, id, textContent });
/** A snapshot whose body has these children; the document, `html`, `head` and `body` are 1 to 4. */
const snapshot = (children, head = []) => ({
  type: 2,
  timestamp: 5,
  data: { node: { type: 0, id: 1, childNodes: [element(2, "html", {}, [element(3, "head", {}, head), element(4, "body", {}, children)])] }, initialOffset: { left: 0, top: 0 } },
});
const change = (data) => ({ type: 3, timestamp: 5, data });
const mutation = (parts) => change({ source: 0, adds: [], removes: [], texts: [], attributes: [], ...parts });

/** A sanitiser that knows a page with a `div` 10, a text 11 in it, a `style` 12, an `input` 13 and an `iframe` 14. */
function started(children = []) {
  const sanitiser = new Sanitiser({ isTaken: (name) => name === "createElement" });
  sanitiser.clean(snapshot([element(10, "div", {}, [text(11, "words")]), element(12, "style", {}, [text(15, "a{}")]), element(13, "input"), element(14, "iframe"), ...children]));
  return sanitiser;
}

/** The element as it is shown, of one that was told. */
function shown(told) {
  const event = new Sanitiser({ isTaken: (name) => name === "createElement" }).clean(snapshot([told]));
  return event.data.node.childNodes[0].childNodes[1].childNodes[0];
}

test("elements that do something become a box, or only keep their place", () => {
  for (const tag of ["iframe", "FRAME", "object", "embed", "applet", "portal", "fencedframe", "video", "audio", "frameset"]) {
    const box = shown(element(9, tag, { src: "http://evil/", srcdoc: "<script>", width: "300", height: 150, class: "x" }, [text(20, "inside")]));
    assert.deepEqual(box, { type: 2, id: 9, tagName: "sportello-box", attributes: { class: "x", rr_width: "300px", rr_height: "150px" }, childNodes: [] }, tag);
  }
  for (const tag of ["script", "SCRIPT", "base", "meta", "link", "template", "noscript", "param", "source", "track"]) {
    const place = shown(element(9, tag, { href: "http://evil/", content: "0;url=http://evil/", id: "x" }, [text(20, "alert(1)")]));
    assert.deepEqual(place, { type: 2, id: 9, tagName: "sportello-place", attributes: {}, childNodes: [] }, tag);
  }
  for (const tag of ["blink", "script ", "a b", "", "img/src", "__proto__", "constructor", 7, null, {}, ["script"]]) {
    assert.equal(shown(element(9, tag)).tagName, "span", String(tag));
  }
  for (const tag of ["script", "set", "animate", "animateMotion", "animateTransform", "iframe", "foo"]) {
    const told = shown(element(9, tag, { attributeName: "href", to: "javascript:1" }, [], { isSVG: true }));
    assert.ok(["g", "sportello-place"].includes(told.tagName), tag);
    assert.deepEqual(told.attributes, {});
  }
  assert.equal(shown(element(9, "my-card")).tagName, "my-card");
  assert.equal(shown(element(9, "path", { d: "M0 0" }, [], { isSVG: true })).attributes.d, "M0 0");
});

test("a style sheet that was linked comes as a style with cleaned text", () => {
  const link = shown(element(9, "link", { rel: "stylesheet", href: "http://evil/", _cssText: "@import 'http://evil/';a{color:red}" }));
  assert.equal(link.tagName, "style");
  assert.deepEqual(Object.keys(link.attributes), ["_cssText"]);
  assert.doesNotMatch(link.attributes._cssText, /evil/u);
  assert.match(link.attributes._cssText, /a\{color:red\}/u);
});

test("marks at which the Replayer cuts a style sheet cannot make a token of two", () => {
  const style = shown(element(9, "style", { _cssText: "a{background:u/* rr_split */rl(http://x/)}b{background:u/* rr_/* rr_split */split */rl(http://x/)}" }, [text(20, "url(http://x/)"), text(21, "")]));
  assert.doesNotMatch(style.attributes._cssText.replaceAll("/* rr_split */", ""), /url\(/u);
  assert.deepEqual(style.childNodes.map((child) => child.textContent), ["", ""]);
});

test("attributes are taken by name and value", () => {
  const table = [
    ["div", "onclick", "alert(1)"],
    ["div", "ONLOAD", "alert(1)"],
    ["my-card", "onclick", "alert(1)"],
    ["img", "onerror", "alert(1)"],
    ["img", "srcset", "http://evil/ 1x"],
    ["img", "src", "http://evil/"],
    ["img", "src", "//evil/"],
    ["img", "src", " data:image/png;base64,xx"],
    ["img", "src", "data:text/html,evil"],
    ["img", "src", "data:image/png;base64,iVBORw0KGgo=", "data:image/png;base64,iVBORw0KGgo="],
    ["img", "src", "data:image/svg+xml,<svg/>", "data:image/svg+xml,<svg/>"],
    ["img", "rr_dataURL", "http://evil/"],
    ["img", "rr_dataURL", "data:image/jpeg;base64,xx", "data:image/jpeg;base64,xx"],
    ["canvas", "rr_dataURL", { toString: 1 }],
    ["div", "src", "data:image/png;base64,xx"],
    ["a", "href", "javascript:alert(1)", "#"],
    ["a", "href", "http://evil/", "#"],
    ["a", "ping", "http://evil/"],
    ["a", "target", "_top"],
    ["a", "download", "x"],
    ["form", "action", "http://evil/"],
    ["button", "formaction", "http://evil/"],
    ["button", "popovertarget", "x"],
    ["button", "commandfor", "x"],
    ["input", "autofocus", ""],
    ["input", "autofocus", true],
    ["input", "name", "parent"],
    ["input", "id", "createElement"],
    ["div", "id", "createElement", "createElement"],
    ["input", "value", "••••", "••••"],
    ["input", "checked", true, ""],
    ["option", "selected", false],
    ["div", "tabindex", "0"],
    ["div", "contenteditable", "true"],
    ["div", "background", "http://evil/"],
    ["div", "is", "x-y"],
    ["div", "nonce", "x"],
    ["div", "data-x", "http://words/", "http://words/"],
    ["div", MODAL_ATTRIBUTE, ""],
    ["div", "aria-label", "Words", "Words"],
    ["div", "_ngcontent-abc-1", "", ""],
    ["div", "unknown", "x"],
    ["my-card", "variant", "primary", "primary"],
    ["my-card", "autofocus", ""],
    ["my-card", "src", "http://evil/"],
    ["my-card", "popovertarget", "x"],
    ["div", "rr_width", "12.5px", "12.5px"],
    ["div", "rr_width", "url(http://evil/)"],
    ["div", "rr_width", { toString: null }],
    ["div", "rr_scrollTop", 12, 12],
    ["div", "rr_scrollTop", "12"],
    ["div", "rr_mediaState", "played"],
    ["div", "rr_anything", "x"],
    ["div", "title", ["x"]],
    ["div", "title", { toString: 1 }],
    ["div", "title", 7, "7"],
    ["div", "title", Number.NaN],
    ["div", "__proto__", "x"],
    ["div", "a b", "x"],
    ["div", "_cssText", "a{}"],
  ];
  for (const [tag, name, value, expected] of table) {
    const { attributes } = shown(element(9, tag, JSON.parse(JSON.stringify({ [name]: value }), (key, one) => (key === "__proto__" ? undefined : one))));
    const only = Object.values(attributes);
    assert.deepEqual(only, expected === undefined ? [] : [expected], `${tag} ${name}=${JSON.stringify(value)}`);
  }
});

test("a key that is the prototype's name changes no prototype", () => {
  const event = JSON.parse('{"type":2,"data":{"node":{"type":0,"id":1,"__proto__":{"x":1},"childNodes":[{"type":2,"id":2,"tagName":"html","attributes":{"__proto__":{"polluted":"yes"},"constructor":"x","class":"a"},"childNodes":[]}]},"initialOffset":{}}}');
  const clean = new Sanitiser().clean(event);
  assert.deepEqual(clean.data.node.childNodes[0].attributes, { class: "a" });
  assert.equal({}.polluted, undefined);
  const style = started().clean(JSON.parse('{"type":3,"data":{"source":0,"attributes":[{"id":10,"attributes":{"style":{"__proto__":["x","important"],"color":"red"}}}]}}'));
  assert.deepEqual(style.data.attributes, [{ id: 10, attributes: { style: { color: "red" } } }]);
});

test("styles keep what they look like and lose what they would fetch", () => {
  const { attributes } = shown(element(9, "div", { style: "color: red; background: url(http://evil/)" }));
  assert.match(attributes.style, /color: red/u);
  assert.doesNotMatch(attributes.style, /evil/u);
  const svg = shown(element(9, "rect", { fill: "url(http://evil/#a)", stroke: "url(#a)", width: "5", href: "http://evil/", "xlink:href": "#b" }, [], { isSVG: true })).attributes;
  assert.doesNotMatch(JSON.stringify(svg), /evil/u);
  assert.match(svg.stroke, /url\("#a"\)/u);
  assert.equal(svg["xlink:href"], "#b");
  const [told] = started().clean(mutation({ attributes: [{ id: 10, attributes: { style: { color: "red", background: "url(http://evil/)", width: ["1px", "important"], height: false, "x:y": "1", top: 7 } } }] })).data.attributes;
  assert.deepEqual(Object.keys(told.attributes.style), ["color", "background", "width", "height"]);
  assert.doesNotMatch(JSON.stringify(told), /evil/u);
});

test("a dialog over the page is marked, not opened: opening it would move the focus", () => {
  assert.deepEqual(shown(element(9, "dialog", { open: "", rr_open_mode: "modal" })).attributes, { open: "", [MODAL_ATTRIBUTE]: "" });
  assert.deepEqual(shown(element(9, "dialog", { open: "", rr_open_mode: "non-modal" })).attributes, { open: "" });
});

test("of the kinds of events only those that draw a page are taken", () => {
  const sanitiser = started();
  const table = [
    [{ type: 0, data: {} }, false],
    [{ type: 1, data: {} }, false],
    [{ type: 4, data: { href: "http://secret/", width: 100, height: 50 } }, true],
    [{ type: 5, data: { tag: COMPLETE_TAG, payload: { x: 1 } } }, true],
    [{ type: 5, data: { tag: "other" } }, false],
    [{ type: 6, data: { plugin: "x" } }, false],
    [{ type: 7, data: {} }, false],
    [change({ source: 1, positions: [{ x: 1, y: 2, id: 10, timeOffset: -50 }] }), true],
    [change({ source: 1, positions: [{ x: 1, y: 2, id: 99 }] }), false],
    [change({ source: 1 }), false],
    [change({ source: 2, type: 2, id: 10, x: 1, y: 1 }), true],
    [change({ source: 2, type: 5, id: 10 }), false],
    [change({ source: 2, type: "2", id: 10 }), false],
    [change({ source: 3, id: 1, x: 0, y: 10 }), true],
    [change({ source: 3, id: 99, x: 0, y: 10 }), false],
    [change({ source: 4, width: 10, height: 10 }), true],
    [change({ source: 5, id: 13, text: "••", isChecked: false }), true],
    [change({ source: 5, id: 10, text: "x" }), false],
    [change({ source: 7, id: 14, type: 0 }), false],
    [change({ source: 8, id: 12, adds: [{ rule: "a{}", index: 0 }] }), true],
    [change({ source: 8, id: 10, adds: [] }), false],
    [change({ source: 9, id: 10, type: 0, property: "drawImage", args: [] }), false],
    [change({ source: 10, family: "x", fontSource: "url(http://evil/)", descriptors: {} }), false],
    [change({ source: 11, level: "log" }), false],
    [change({ source: 12, positions: [] }), false],
    [change({ source: 13, id: 12, index: [0], set: { property: "color", value: "red" } }), true],
    [change({ source: 13, id: 12, index: [-1], set: { property: "color", value: "red" } }), false],
    [change({ source: 14, ranges: [] }), false],
    [change({ source: 15, id: 1, styleIds: [5], styles: [{ styleId: 5, rules: [{ rule: "a{}" }] }] }), true],
    [change({ source: 15, id: 10, styleIds: [5] }), false],
    [change({ source: 16 }), false],
    [change({ source: "__proto__" }), false],
    [{ type: 3 }, false],
    [null, false],
    [[], false],
    ["x", false],
  ];
  for (const [event, expected] of table) assert.equal(sanitiser.clean(event) !== null && sanitiser.clean(event) !== undefined, expected, JSON.stringify(event));
  assert.deepEqual(sanitiser.clean({ type: 4, data: { href: "http://secret/", width: 1e9, height: "x" } }).data, { href: "", width: 16_000, height: 768 });
});

test("changes reach only nodes that are there, of the kind that they are for", () => {
  const sanitiser = started();
  const { data } = sanitiser.clean(
    mutation({
      texts: [{ id: 11, value: "new" }, { id: 15, value: "@import 'http://evil/';b{}" }, { id: 12, value: "a{background:url(http://evil/)}" }, { id: 10, value: "x" }, { id: 99, value: "x" }, null],
      attributes: [{ id: 11, attributes: { title: "x" } }, { id: 14, attributes: { src: "http://evil/", srcdoc: "x" } }, { id: 10, attributes: { onclick: "x", class: "b", hidden: null } }, { id: 12, attributes: { _cssText: "@import 'http://evil/';" } }],
      adds: [
        { parentId: 10, nextId: 99, node: element(30, "script", { src: "http://evil/" }) },
        { parentId: 30, nextId: null, node: text(31, "alert(1)") },
        { parentId: 14, nextId: null, node: element(32, "b") },
        { parentId: 99, nextId: null, node: element(33, "b") },
        { parentId: 10, nextId: 11, node: { ...element(34, "b", {}, [element(36, "script")]), rootId: 7 } },
        { parentId: 12, nextId: null, node: text(35, "c{background:url(http://evil/)}") },
        { parentId: 10, nextId: null, node: { type: 0, id: 37, childNodes: [] } },
        { parentId: 34, nextId: null, node: element(10, "div") },
        { parentId: 1, nextId: null, node: element(38, "html") },
      ],
      removes: [{ id: 1, parentId: 1 }, { id: 2, parentId: 1 }, { id: 77, parentId: 10 }],
    }),
  );
  assert.doesNotMatch(JSON.stringify(data), /evil|script|alert/u);
  assert.deepEqual(data.texts.map(({ id }) => id), [11, 15]);
  assert.deepEqual(data.removes, []);
  assert.deepEqual(data.adds.map(({ node, nextId }) => [node.id, nextId]), [[30, null], [34, 11], [35, null]]);
  assert.deepEqual(data.adds[1].node.childNodes, []);
  assert.deepEqual(data.attributes.find(({ id }) => id === 10), { id: 10, attributes: { class: "b", hidden: null } });
});

test("what was removed is gone with all below it", () => {
  const sanitiser = started();
  assert.deepEqual(sanitiser.clean(mutation({ removes: [{ id: 10, parentId: 4 }] })).data.removes, [{ parentId: 4, id: 10 }]);
  assert.equal(sanitiser.clean(mutation({ texts: [{ id: 11, value: "x" }] })), null);
  assert.equal(sanitiser.clean(mutation({ removes: [{ id: 10, parentId: 4 }] })), null);
});

test("an id stands for one node, and is a whole number", () => {
  const sanitiser = new Sanitiser();
  const { node } = sanitiser.clean(snapshot([element(9, "div", {}, [element(9, "div"), element(4, "p")]), element("10", "p"), element(1.5, "p"), element(-3, "p"), element(12, "p")])).data;
  assert.deepEqual(node.childNodes[0].childNodes[1].childNodes.map(({ id, childNodes }) => [id, childNodes.length]), [[9, 0], [12, 0]]);
});

test("a page has one html element, and without it there is none", () => {
  for (const node of [null, {}, { type: 0, id: 1 }, { type: 0, id: 1, childNodes: [text(2, "x")] }, { type: 2, id: 1, tagName: "html", childNodes: [] }, { type: 0, id: 1, childNodes: [element(2, "div")] }]) {
    assert.equal(new Sanitiser().clean({ type: 2, data: { node, initialOffset: {} } }), null);
  }
  const { data } = new Sanitiser().clean({ type: 2, data: { node: { type: 0, id: 1, childNodes: [text(2, "x"), { type: 1, id: 3, name: "x\u0000", publicId: "<", systemId: 7 }, element(4, "html"), element(5, "html"), { type: 1, id: 6, name: "html" }] } } });
  assert.deepEqual(data.node.childNodes.map(({ id }) => id), [3, 4]);
  assert.deepEqual(data.node.childNodes[0], { type: 1, id: 3, name: "html", publicId: "", systemId: "" });
});

test("depth, width and number are limited", () => {
  let deep = element(100_000, "div");
  for (let id = 99_999; id > 10; id -= 1) deep = element(id, "div", {}, [deep]);
  const sanitiser = new Sanitiser();
  const event = sanitiser.clean(snapshot([deep]));
  let depth = 0;
  for (let node = event.data.node; node; node = node.childNodes.at(-1)) depth += 1;
  assert.ok(depth < 410, String(depth));
  // Nor can it be made deeper step by step, or by moving what is deep below what is deep.
  const chain = (from) => Array.from({ length: 350 }, (_, at) => ({ parentId: at === 0 ? 4 : from + at - 1, nextId: null, node: element(from + at, "div") }));
  const other = started();
  assert.equal(other.clean(mutation({ adds: chain(1_000) })).data.adds.length, 350);
  assert.equal(other.clean(mutation({ adds: chain(2_000) })).data.adds.length, 350);
  assert.equal(other.clean(mutation({ adds: [{ parentId: 1_349, nextId: null, node: element(2_000, "div") }] })), null);
  const wide = new Sanitiser();
  const many = wide.clean(snapshot(Array.from({ length: 160_000 }, (_, at) => element(10 + at, "b"))));
  assert.ok(many.data.node.childNodes[0].childNodes[1].childNodes.length <= 150_000);
  assert.equal(wide.isCut, true);
});

test("shadow trees are built only where a browser can build them", () => {
  const inShadow = { ...element(20, "p"), isShadow: true };
  for (const [tag, expected] of [["div", true], ["my-card", true], ["input", false], ["table", false], ["iframe", false]]) {
    const host = shown(element(9, tag, {}, [inShadow], { isShadowHost: true }));
    assert.equal(host.isShadowHost === true, expected, tag);
    if (host.childNodes.length > 0) assert.equal(host.childNodes[0].isShadow === true, expected, tag);
  }
});

test("whatever is given, nothing is thrown and only what is allowed comes out", () => {
  const ALLOWED = /^(?:html|head|body|div|span|style|input|a|p|svg|g|path|my-card|sportello-box|sportello-place|sportello-box|b)$/u;
  const HARMFUL = /url\((?!\\"(?:data:image|#))|"(?:src|href|xlink:href|rr_dataURL)":"(?!"|#|data:image)|@import|"on\w+":|"srcdoc"/u;
  for (let seed = 1; seed <= 3_000; seed += 1) {
    const random = generator(seed);
    const sanitiser = started();
    for (const event of Array.from({ length: 4 }, () => anyEvent(random))) {
      let clean;
      assert.doesNotThrow(() => (clean = sanitiser.clean(event)), `seed ${seed}`);
      if (!clean) continue;
      const words = JSON.stringify(clean);
      assert.doesNotMatch(words, HARMFUL, `seed ${seed}: ${JSON.stringify(event)}`);
      assert.deepEqual(Object.keys(clean).toSorted(), ["data", "timestamp", "type"]);
      for (const [, tag] of words.matchAll(/"tagName":"([^"]*)"/gu)) assert.match(tag, ALLOWED, `seed ${seed}`);
    }
  }
});

test("a batch is unpacked up to a limit, and what is none is refused", async () => {
  const pack = async (value) => new Uint8Array(await new Response(new Blob([value]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer());
  assert.deepEqual(await unpack(await pack('[{"type":4}]')), [{ type: 4 }]);
  const packed = await pack(JSON.stringify(["é".repeat(100_000)]));
  assert.deepEqual(await unpack(packed), ["é".repeat(100_000)]);
  const table = [
    [await pack(" ".repeat(40_000_000)), "too_large"],
    [await pack("{}"), "unreadable"],
    [await pack("[1"), "unreadable"],
    [await pack(new Uint8Array([0x5b, 0xff, 0x5d])), "unreadable"],
    [packed.slice(0, -12), "unreadable"],
    [new Uint8Array([1, 2, 3]), "unreadable"],
    [new ArrayBuffer(0), "unreadable"],
  ];
  for (const [bytes, code] of table) await assert.rejects(unpack(bytes), { name: "BatchError", code });
});

/** JSON of any shape, made of the words that the sanitiser knows and of hostile ones. */
function anyEvent(random) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const keys = ["type", "data", "source", "node", "id", "tagName", "attributes", "childNodes", "adds", "removes", "texts", "parentId", "nextId", "value", "style", "_cssText", "src", "href", "onload", "textContent", "isSVG", "isShadow", "isShadowHost", "positions", "x", "y", "rule", "index", "rules", "styles", "styleIds", "styleId", "set", "property", "replace", "text", "rr_dataURL", "__proto__", "toString", "constructor"];
  const any = (depth) => {
    const kind = random();
    if (depth <= 0 || kind < 0.35) {
      return pick([0, 1, 2, 3, 4, 5, 8, 10, 11, 12, 13, 14, 15, 20, 21, 22, -1, 1.5, 1e300, null, true, false, "", "div", "script", "iframe", "style", "a", "svg", "html", "url(http://evil/)", "@import 'http://evil/';", "javascript:evil", "http://evil/", "u\\72l(http://evil/)"]);
    }
    if (kind < 0.55) return Array.from({ length: Math.floor(random() * 4) }, () => any(depth - 1));
    return Object.fromEntries(Array.from({ length: Math.floor(random() * 6) }, () => [pick(keys), any(depth - 1)]));
  };
  // Texts of the page are its words, whatever they are: hostile ones are not told there.
  const withoutWords = (value) =>
    JSON.parse(JSON.stringify(value), (key, one) => (["textContent", "text", "value", "id", "type", "class", "x", "y"].includes(key) && typeof one === "string" ? one.replaceAll(/[^a-z-]/gu, "").replaceAll("evil", "words") : one));
  const kinds = [
    () => any(5),
    () => ({ type: pick([2, 3, 4, 5]), data: any(5) }),
    () => ({ type: 3, data: { ...Object(any(3)), source: pick([0, 1, 2, 3, 4, 5, 8, 13, 15]), id: pick([1, 10, 12, 13]), adds: [any(4), { parentId: pick([4, 10, 12, 14]), node: any(4) }, { parentId: 10, node: { type: 2, id: 20, tagName: any(0), attributes: any(3), childNodes: any(3) } }], attributes: [{ id: pick([10, 12, 13, 14]), attributes: any(3) }] } }),
    () => snapshot([any(5), element(9, any(0), any(3), [any(4)], { isSVG: any(0) })]),
  ];
  return withoutWords(pick(kinds)());
}

/** mulberry32. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };
}

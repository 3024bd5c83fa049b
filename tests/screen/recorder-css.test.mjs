// CSS on its way from the customer's page: no address leaves, and of a redacted view nothing but where it is and how large.

import assert from "node:assert/strict";
import { test } from "node:test";

import { cleanCss, withoutTexts } from "../../screen/recorder/css.js";

/** In each of them `evil` is part of an address. */
const ADDRESSES = [
  "a { background: url(http://evil/) }",
  'a { background: URL( "//evil/" ) }',
  "a { background: u\\72l(http://evil/) }",
  "a { background: \\75 rl(/evil) }",
  "a { --b: u\\72 l(/evil) }",
  "a { background: url(http://evil/",
  'a { background: image-set("http://evil/" 1x, url(http://evil/2) 2x); color: red }',
  'a { background: -webkit-image-set("/evil.png?token" 1x) }',
  'a { background: im\\61ge-set("/evil.png" 1x) }',
  'a { background: image-set("a)b" 1x, "/evil.png" 2x) }',
  'a { background: image-set("/evil.png"',
  'a { background: cross-fade("/evil.png", 50%) }',
  'a { background: cross-fade(url(#a), image("/evil.png"), 50%) }',
  'a { background: src("/evil.png") }',
  'a { --picture: image-set("/evil.png" 1x) }',
  'a { --picture: "http://evil/" }',
  'a { --picture: "\\68ttp://evil/" }',
  'a { --picture: " //evil/" }',
  "a { --picture: http://evil/?a=b }",
  "a { --picture: //evil/ }",
  '@import "http://evil/";',
  "@import url(http://evil/) screen;",
  "@namespace url(http://evil/);",
  "/* http://evil/ */ a { color: red }",
  "a { color: red } /* http://evil/",
];

test("no address leaves with a style", () => {
  for (const css of ADDRESSES) assert.doesNotMatch(cleanCss(css), /evil/, css);
});

test("what is no address stays", () => {
  const styles = [
    "a { color: red; margin: calc(1px / 2) }",
    'a::after { content: "50% // off" }',
    'a { background: url("data:image/png;base64,AA//BB==") }',
    'a { fill: url("#gradient") }',
    "@media (min-width: 40em) { a { grid-area: 1 / 2 / 3 / 4 } }",
    ".sm\\:w-1\\/2 { width: 50% }",
    ".w-\\[calc\\(100\\%\\)\\]:not(.a\\:b) { width: 50% }",
    '[data-theme="dark"] a { color: white }',
  ];
  for (const css of styles) assert.equal(cleanCss(css), css);
});

test("what follows an address that was taken out is still what it was", () => {
  assert.equal(cleanCss('a { background: image-set("/evil.png" 1x); color: red } b { top: 0 }'), "a { background: x-dropped(); color: red } b { top: 0 }");
});

/** In each of them WORD may be somebody's name. */
const TEXTS = [
  "WORD",
  ": WORD",
  "--name: WORD",
  "--name: 'a;WORD'",
  "--name: {a;WORD:b}",
  "--name: (a;WORD)",
  "--name: a\\;WORD",
  "--name: 'a\nWORD'",
  "/* WORD */ width: 1px",
  "width: 1px /* WORD */",
  "content: 'WORD'",
  "font-family: WORD",
  "animation-name: WORD",
  "grid-area: WORD",
  "grid-column: WORD / 2",
  "left: WORD",
  "left: 1WORD",
  "left: calc(1px - WORD)",
  "left: var(--WORD)",
  "width: auto WORD",
  "color: WORD",
  "color: #WORD",
  "background: url(data:image/svg+xml,<svg>WORD</svg>)",
  "background: url('data:image/svg+xml,<svg>WORD</svg>')",
  "background-color: url(WORD)",
  "view-transition-name: WORD",
  "counter-reset: WORD 4711",
  "WORD: 1px",
  "width: 1px; WORD",
  "width: 1px } WORD { ",
];

test("no text and no picture leaves with the style of a redacted view", () => {
  for (const css of TEXTS) assert.doesNotMatch(withoutTexts(css), /WORD/i, css);
});

test("where it is and how large stays, also beside what goes", () => {
  const table = {
    "width: 10px; --name: 'a;b'; color: red": "width: 10px;color: red",
    "display:flex !important;font-family:x;flex:1 1 0%": "display:flex !important;flex:1 1 0%",
    "transform: translateX(-50%) rotate(3deg)": "transform: translateX(-50%) rotate(3deg)",
    "WIDTH: calc(100% - .5rem); margin: -1px auto": "WIDTH: calc(100% - .5rem);margin: -1px auto",
    "grid-column: span 2 / 3; background: none": "grid-column: span 2 / 3",
    "": "",
    "width:": "",
    ";;": "",
  };
  for (const [css, expected] of Object.entries(table)) assert.equal(withoutTexts(css), expected, css);
});

test("any soup of CSS's pieces is read in a time that grows with its length", () => {
  const pieces = ["url(", "image-set(", "http://evil/", "//", "'", '"', "\\", "\n", "/*", "*/", "{", "}", "(", ")", "@import ", ";", "a", ":", "--x:", "width:", "1", ".", "e", "-", "#", "%", "\\75 "];
  for (const piece of pieces) {
    const from = performance.now();
    cleanCss(piece.repeat(50_000));
    withoutTexts(`width:${piece.repeat(50_000)}!`);
    assert.ok(performance.now() - from < 2_000, JSON.stringify(piece));
  }
  let state = 1;
  for (let round = 0; round < 3_000; round += 1) {
    let css = "";
    for (let count = 0; count < 12; count += 1) css += pieces[(state = (state * 48_271) % 2_147_483_647) % pieces.length];
    assert.doesNotMatch(withoutTexts(css), /evil/, css);
    assert.doesNotMatch(cleanCss(`a { background: url(${css}) }`), /\burl\(\s*["']?http/i, css);
  }
});

// What is left of CSS that anybody may have written.

import assert from "node:assert/strict";
import { test } from "node:test";

import { cleanCss, isHarmlessAddress } from "../../screen/replay/css.js";

/** What is inside the marks that keep texts apart. */
const cleaned = (css) => cleanCss(css).replace(/^\/\*\*\/|\/\*\*\/$/gu, "");

/** Texts that fetch, and nothing of which may be left: the address is always `evil`. */
const FETCHING = [
  "a { background: url(http://evil/) }",
  "a { background: url( 'http://evil/' ) }",
  'a { background: URL("//evil/") }',
  "a { background: u\\72l(http://evil/) }",
  "a { background: \\75 \\72 \\6c(http://evil/) }",
  "a { background: url(\\68ttp://evil/) }",
  'a { background: url("ht\\\ntp://evil/") }',
  "a { background: url(/**/http://evil/) }",
  "a { background: url(http://evil/",
  'a { background: url("http://evil/',
  "a { background: image-set('http://evil/' 1x, url(http://evil/2) 2x) }",
  "a { background: -webkit-image-set(url(a\"b) 1x, 'http://evil/' 2x) }",
  "a { background: im\\61ge-set('http://evil/' 1x) }",
  "a { background: cross-fade(url(http://evil/), red) }",
  "a { background: src('http://evil/') }",
  "a { background: image('http://evil/') }",
  "a { cursor: url(http://evil/cursor.cur), pointer }",
  "a { list-style: square url(data:text/html,evil) }",
  "a { filter: url(http://evil/x.svg#f) }",
  "a { background: url(javascript:evil) }",
  "a { background: url(data:text/html;base64,evil) }",
  "a { --x: url(http://evil/) }",
  "@import 'http://evil/';",
  "@import url(http://evil/) screen;",
  "@IMPORT url(http://evil/);",
  "@im\\70ort 'http://evil/'",
  "@import/**/'http://evil/' layer(a) supports(display: grid);",
  "@namespace url(http://evil/);",
  "@document url(http://evil/) { a { color: red } }",
  "@-moz-document url-prefix(http://evil/) { a { color: red } }",
  "@font-face { font-family: x; src: url(http://evil/f.woff2) format('woff2') }",
  "@media screen { @import 'http://evil/'; a { background: url(http://evil/) } }",
  "a { width: expression(evil()) }",
  "x\r\n@import 'http://evil/'",
  "'\n@import 'http://evil/';'",
  "u@import ';';rl(evil)",
];

test("what fetches or runs something leaves the style sheet", () => {
  for (const css of FETCHING) assert.doesNotMatch(cleaned(css).replace(/^u\nrl\(evil\)$/u, ""), /evil/u, css);
});

test("an at-rule that is taken out does not join what stood before and after it", () => {
  assert.equal(cleaned("u@import ';';rl(evil)"), "u\nrl(evil)");
});

test("names that browsers have read as code are no such names any more", () => {
  assert.equal(cleaned("a{-moz-binding:x;behavior:y;scroll-behavior:smooth}"), "a{x--moz-binding:x;x-behavior:y;scroll-behavior:smooth}");
});

test("ordinary CSS is left as it is", () => {
  const table = [
    ".sm\\:flex:hover > a[href=\"x\"]::before { content: 'a\\'b url(x)'; color: rgb(1 2 3 / 50%); width: calc(100% - 2px) }",
    "@media (max-width: 10em) { @supports (display: grid) { .a { --b: 1px; margin: var(--b) } } }",
    "@font-face { font-family: x }",
    "@keyframes spin { to { transform: rotate(360deg) } }",
    "/* url(http://x) */ a { color: #fff }",
    ".\\31 0px, .ü { background: linear-gradient(to right, red 0%, blue) }",
    "a { fill: url(\"#gradient\") }",
    'a { background: url("data:image/png;base64,iVBORw0KGgo=") no-repeat }',
    "@layer a, b; a{color:red}<!-- x -->",
    "",
  ];
  for (const css of table) assert.equal(cleaned(css), css);
});

test("what is cut off is closed, so that it takes nothing of what follows", () => {
  for (const [css, expected] of [
    ["a{content:'x", "a{content:'x'"],
    ["a{content:'x\\", "a{content:'x'"],
    ["/* x", "/* x*/"],
    ["a{background:u\\", "a{background:u "],
    ["@", "@ "],
  ]) {
    assert.equal(cleaned(css), expected);
  }
});

test("two cleaned texts in a row do not make a token of both", () => {
  for (const [before, after] of [["a{background:u", "rl(http://evil/)}"], ["@im", "port 'http://evil/'"], ["a{background:u\\72", "l(http://evil/)"]]) {
    assert.equal(cleanCss(cleanCss(before) + cleanCss(after)).includes("url("), false);
    assert.match(cleanCss(before) + cleanCss(after), /\/\*\*\/\/\*\*\//u);
  }
});

test("a style sheet with too many rules is cut", () => {
  const css = cleanCss("a{color:red}".repeat(30_000));
  assert.ok(css.split("{").length <= 20_002);
});

test("only pictures as data and parts of the same document are harmless addresses", () => {
  const table = { "#a": true, "data:image/png;base64,xx": true, "data:image/svg+xml,<svg/>": true, "data:text/html,x": false, "http://x/": false, "#a b": false, "javascript:1": false, "": false, "//x": false, " #a": false };
  for (const [address, expected] of Object.entries(table)) assert.equal(isHarmlessAddress(address), expected, address);
});

test("whatever the text is, nothing that fetches is left, and cleaning it again changes nothing that matters", () => {
  const pieces = ["url(", "u\\72l(", "http://evil/", "'", '"', "\\", "\n", "/*", "*/", "{", "}", "(", ")", "@import ", "@media ", "image-set(", ";", "a", ":", "#x", "data:image/png,x", "\u0000", "é", "-", "1", "\\75 ", "\r\n"];
  for (let seed = 1; seed <= 4_000; seed += 1) {
    const random = generator(seed);
    const css = Array.from({ length: 1 + Math.floor(random() * 14) }, () => pieces[Math.floor(random() * pieces.length)]).join("");
    const once = cleanCss(css);
    // Outside strings and comments, a second reading finds no address that the first one left.
    const addresses = [...cleanCss(once).matchAll(/url\("([^"]*)"\)/gu)].map(([, address]) => address);
    for (const address of addresses) assert.ok(isHarmlessAddress(address), `seed ${seed}: ${JSON.stringify(css)}`);
    assert.equal(withoutMarks(cleanCss(once)), withoutMarks(once), `seed ${seed}: ${JSON.stringify(css)}`);
  }
});

const withoutMarks = (css) => css.replaceAll("/**/", "");

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

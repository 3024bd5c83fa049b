// Makes CSS harmless that anybody may have written: whatever would fetch something (`url()` other than a picture in the text itself or a part of the same
// document, `@import`, `image-set()`, …) or has ever run something (`expression()`, `-moz-binding`) leaves it. It reads tokens as the CSS Syntax Module
// does, escapes included, because a pattern would not: `u\72l(` is `url(`. It does not judge what a rule looks like.

/** Pictures that may stand in an attribute or in CSS. An SVG is one here too: as a picture it runs nothing and fetches nothing. */
const PICTURE = /^data:image\/(?:png|jpe?g|gif|webp|avif|bmp|x-icon|vnd\.microsoft\.icon|svg\+xml)[;,]/iu;
const FRAGMENT = /^#[^\s"'()\\<>]{1,200}$/u;

/** Functions that name something to fetch or to run. */
const FETCHING = new Set([
  "src",
  "image",
  "image-set",
  "-webkit-image-set",
  "-moz-image-set",
  "cross-fade",
  "-webkit-cross-fade",
  "element",
  "-moz-element",
  "paint",
  "expression",
  "url-prefix",
  "domain",
  "regexp",
]);
const AT_RULES = new Set([
  "media",
  "supports",
  "keyframes",
  "-webkit-keyframes",
  "-moz-keyframes",
  "-o-keyframes",
  "layer",
  "container",
  "page",
  "property",
  "font-face",
  "font-feature-values",
  "font-palette-values",
  "counter-style",
  "scope",
  "starting-style",
  "position-try",
]);
const RUNNING = new Set(["-moz-binding", "behavior"]);

/** How much of a style sheet is read. */
const MAX_CHARS = 4_000_000;
/** What shows it takes time that grows with the square of the number of rules. */
const MAX_BLOCKS = 20_000;

const PLAIN = /[^"'/\\@A-Za-z_\u0080-\uffff{-]+/uy;
const NAME = /(?:[-\w\u0080-\u{10ffff}]|\\[0-9A-Fa-f]{1,6}[ \t\n]?|\\[^\n0-9A-Fa-f])+/uy;
const ESCAPE = /\\(?:([0-9A-Fa-f]{1,6})[ \t\n]?|([^\n]))/gu;
const SPACE = /[ \t\n]*/uy;

/** The address of a picture that travels in the text itself, or of a part of the same document. */
export function isHarmlessAddress(address) {
  return PICTURE.test(address) || FRAGMENT.test(address);
}

/** Whether this is a picture as data. */
export function isPicture(address) {
  return PICTURE.test(address);
}

/**
 * The same style sheet, declarations or value without what fetches or runs something. Never throws. Put before or after another cleaned text, no token
 * of it joins with one of the other.
 */
export function cleanCss(text) {
  return new Cleaner(String(text).slice(0, MAX_CHARS)).run();
}

class Cleaner {
  #css;
  #at = 0;
  #blocks = 0;
  #out = [];

  constructor(text) {
    this.#css = text.replace(/\r\n?|\f/gu, "\n").replaceAll("\0", "\ufffd");
  }

  run() {
    // Nothing before this text can join with its first token, nor anything after it with its last one.
    this.#out.push("/**/");
    while (this.#at < this.#css.length && this.#blocks <= MAX_BLOCKS) this.#out.push(this.#next());
    this.#out.push("/**/");
    const css = this.#out.join("");
    return css === "/**//**/" ? "" : css;
  }

  #next() {
    const plain = this.#match(PLAIN);
    if (plain) return plain;
    const char = this.#css[this.#at];
    if (char === "{") {
      this.#blocks += 1;
      this.#at += 1;
      return this.#blocks > MAX_BLOCKS ? "" : char;
    }
    if (char === '"' || char === "'") return this.#string();
    if (this.#css.startsWith("/*", this.#at)) return this.#comment();
    if (char === "@") return this.#atRule();
    const name = this.#match(NAME);
    if (name) return this.#named(name);
    this.#at += 1;
    // A backslash before the end of a line or of the text would join with what comes next.
    return char === "\\" ? " " : char;
  }

  #match(pattern) {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#css)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  /** A string as it stands; one that the end of a line or of the text cuts off is closed. */
  #string() {
    const quote = this.#css[this.#at];
    let end = this.#at + 1;
    while (end < this.#css.length && this.#css[end] !== quote && this.#css[end] !== "\n") end += this.#css[end] === "\\" ? 2 : 1;
    const isWhole = this.#css[end] === quote;
    const body = this.#css.slice(this.#at + 1, Math.min(end, this.#css.length));
    this.#at = Math.min(isWhole ? end + 1 : end, this.#css.length);
    if (isWhole) return quote + body + quote;
    // An odd backslash at the end would take the quote with it.
    return `${quote}${body.replace(/\\+$/u, "")}${quote}`;
  }

  #comment() {
    const end = this.#css.indexOf("*/", this.#at + 2);
    const comment = end === -1 ? `${this.#css.slice(this.#at)}*/` : this.#css.slice(this.#at, end + 2);
    this.#at = end === -1 ? this.#css.length : end + 2;
    return comment;
  }

  #atRule() {
    this.#at += 1;
    const name = this.#match(NAME);
    if (name === "") return "@ ";
    if (AT_RULES.has(plainName(name))) return `@${name}`;
    this.#skipStatement();
    // A separator, so that what stood before does not join with what comes after.
    return "\n";
  }

  #named(name) {
    const plain = plainName(name);
    if (this.#css[this.#at] === "(") {
      if (plain === "url") return this.#url();
      if (FETCHING.has(plain)) {
        this.#at += 1;
        this.#skipTo(")");
        return " none ";
      }
      return name;
    }
    return RUNNING.has(plain) ? `x-${plain}` : name;
  }

  #url() {
    this.#at += 1;
    this.#match(SPACE);
    const char = this.#css[this.#at];
    let address = "";
    if (char === '"' || char === "'") {
      const string = this.#string();
      this.#match(SPACE);
      if (this.#css[this.#at] === ")") address = unescape(string.slice(1, -1));
      this.#skipTo(")");
    } else {
      const start = this.#at;
      while (this.#at < this.#css.length && this.#css[this.#at] !== ")") this.#at += this.#css[this.#at] === "\\" ? 2 : 1;
      address = unescape(this.#css.slice(start, this.#at).trim());
      this.#at = Math.min(this.#at + 1, this.#css.length);
    }
    if (!isHarmlessAddress(address)) return " none ";
    return `url("${address.replace(/["\\\n\u0000-\u001f]/gu, (one) => `\\${one.codePointAt(0).toString(16)} `)}")`;
  }

  /** To the end of a statement: its semicolon, its block, or the end of the block that it stands in. */
  #skipStatement() {
    while (this.#at < this.#css.length) {
      const char = this.#css[this.#at];
      if (char === "}") return;
      if (this.#skipOne() === ";") return;
      if (char === "{") return;
    }
  }

  #skipTo(end) {
    while (this.#at < this.#css.length && this.#skipOne() !== end);
  }

  /** Passes one token, or a whole block in brackets; says what it began with. */
  #skipOne() {
    const stack = [];
    let first;
    do {
      const char = this.#css[this.#at];
      first ??= char;
      if (char === '"' || char === "'") this.#string();
      else if (this.#css.startsWith("/*", this.#at)) this.#comment();
      else {
        this.#at += char === "\\" ? 2 : 1;
        const closing = { "(": ")", "[": "]", "{": "}" }[char];
        if (closing) stack.push(closing);
        else if (char === stack.at(-1)) stack.pop();
      }
    } while (stack.length > 0 && this.#at < this.#css.length);
    return first;
  }
}

function plainName(name) {
  return unescape(name).toLowerCase();
}

function unescape(text) {
  if (!text.includes("\\")) return text;
  return text.replace(/\\\n/gu, "").replace(ESCAPE, (_, hex, char) => {
    if (char !== undefined) return char;
    const code = Number.parseInt(hex, 16);
    return code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? "\ufffd" : String.fromCodePoint(code);
  });
}

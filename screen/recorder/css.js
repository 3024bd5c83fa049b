/**
 * CSS as it may leave the page: no address of anything but `data:` images and fonts and parts of the same document, no comments, no imports.
 *
 * rrweb's own functions for this are not used: they keep addresses (and make them absolute), read a sheet in one go however long it is, and bring
 * all of postcss along.
 */

/** Larger pictures and fonts in a style sheet are left out. */
const LONGEST_DATA = 50_000;

const STRING = String.raw`"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?`;
const TOKEN = new RegExp(
  [
    String.raw`(?<comment>\/\*[^]*?(?:\*\/|$))`,
    `(?<string>${STRING})`,
    String.raw`(?<url>url\(\s*(?:${STRING}|(?:\\[^]|[^)\\])*)\s*\)?)`,
    String.raw`(?<import>@(?:import|namespace|charset)(?:${STRING}|[^;"'])*;?)`,
    String.raw`(?<fetching>(?:image-set|src|image|cross-fade|paint|element)\()`,
    // A name that is spelt with an escape and followed by an argument is `url(` in disguise or nothing that a page needs.
    String.raw`(?<escaped>(?<![-\w\\])[-\w]*\\(?:[0-9a-f]{1,6}\s?|\S)(?:[-\w]|\\(?:[0-9a-f]{1,6}\s?|\S))*\(?)`,
    // Not fetched where it stands, as in a custom property, and an address all the same.
    String.raw`(?<address>(?:(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*:)?\/\/[^\s;{}()"']*)`,
    String.raw`(?<escape>\\[^])`,
  ].join("|"),
  "gi",
);
const HARMLESS_DATA = /^data:(?:image\/|font\/|application\/(?:x-)?font|application\/vnd\.ms-fontobject)/i;
const ANY_STRING = new RegExp(STRING, "g");
const TEXT_DECLARATION = new RegExp(String.raw`(?:\bcontent|--[-\w]+)\s*:(?:${STRING}|[^;{}"'])*`, "gi");
const READ_ATTRIBUTE = /\battr\(\s*([-\w]+)/gi;
const SELECTED = new RegExp(String.raw`\[\s*([-\w]+)\s*(?:([~|^$*]?=)\s*(?:("(?:[^"\\\n])*"|'(?:[^'\\\n])*')|([-\w]+))\s*[is]?\s*)?\]`, "gi");

/** What the regular expression above could find anything in. */
const SUSPICIOUS = /[(@\\]|\/[*/]/;

export function cleanCss(text) {
  if (!SUSPICIOUS.test(text)) return text;
  let clean = "";
  let at = 0;
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const [token] = match;
    const { comment, string, url, import: imported, escape, fetching, escaped } = match.groups;
    clean += text.slice(at, match.index);
    at = match.index + token.length;
    if (string !== undefined) clean += /^.\s*(?:[a-z][a-z0-9+.-]*:)?\/\//i.test(unescaped(token)) ? '""' : token;
    else if (escape !== undefined || (escaped !== undefined && !escaped.endsWith("("))) clean += token;
    else if (url !== undefined) clean += keptUrl(token) ?? "none";
    else if (fetching !== undefined || escaped !== undefined) {
      // With all that it is given. An unknown function: the declaration is dropped by whoever parses it.
      clean += "x-dropped()";
      at = endOfArguments(text, at);
      TOKEN.lastIndex = at;
    } else if (comment === undefined && imported === undefined) clean += '""';
  }
  return clean + text.slice(at);
}

/** Enough of CSS's escapes to recognise an address. */
const unescaped = (string) => string.replace(/\\(?:([0-9a-f]{1,6})\s?|\n|([^]))/gi, (_, code, letter) => (code ? String.fromCodePoint(Math.min(parseInt(code, 16), 0x10ffff)) : (letter ?? "")));

/** Where the bracket that was opened before `at` is closed, or the end of the text. */
function endOfArguments(text, at) {
  const parts = new RegExp(String.raw`${STRING}|\/\*[^]*?(?:\*\/|$)|\\[^]|[()[\]{}]`, "g");
  parts.lastIndex = at;
  let depth = 1;
  for (let match = parts.exec(text); match; match = parts.exec(text)) {
    if (/^[([{]$/.test(match[0])) depth += 1;
    else if (/^[)\]}]$/.test(match[0])) depth -= 1;
    if (depth === 0) return match.index + 1;
  }
  return text.length;
}

/** The whole `url(…)` where it may stay, else null. */
export function keptUrl(token) {
  const inner = token.slice(token.indexOf("(") + 1).replace(/\)$/, "").trim();
  const address = /^["']/.test(inner) ? inner.slice(1).replace(/["']$/, "") : inner;
  if (/^#[-\w.:]+$/.test(address)) return `url("${address}")`;
  if (address.length <= LONGEST_DATA && HARMLESS_DATA.test(address)) return token.endsWith(")") ? token : `${token})`;
  return null;
}

/**
 * Adds what a rule makes of attributes here and now, not for printers, as JSON: `[name, "content"]` for one whose value it shows as a text, `[name, ""]` for one that its selector
 * asks for, and `[name, "=", value]`, with any of CSS's operators, for one that its selector compares.
 */
export function addShownAttributes(rule, shown, isMedia) {
  if (rule.media && !isMedia(rule.media.mediaText)) return;
  const content = rule.style?.content;
  if (content) for (const [, name] of content.matchAll(READ_ATTRIBUTE)) shown.add(JSON.stringify([name.toLowerCase(), "content"]));
  for (const [, name, operator = "", quoted, word] of rule.selectorText?.matchAll(SELECTED) ?? []) {
    shown.add(JSON.stringify(operator === "" ? [name.toLowerCase(), ""] : [name.toLowerCase(), operator, quoted?.slice(1, -1) ?? word]));
  }
  for (const inner of rule.cssRules ?? []) addShownAttributes(inner, shown, isMedia);
}

/**
 * Texts of `content` and of own properties that are not in a sheet's source: a script put them there, perhaps for a view that is redacted. Signs of a
 * letter or two stay, for the sake of icons.
 */
export function withoutInserted(text, source) {
  return text.replace(TEXT_DECLARATION, (declaration) =>
    declaration.replace(ANY_STRING, (string) => (/\w\w/.test(string) && !source.includes(string.slice(1, -1)) ? '""' : string)),
  );
}

/** What moves and sizes things, and nothing in which a page can put a name, a text or a picture. */
const LAYOUT = new RegExp(
  `^(?:${[
    "display|position|float|clear|order|visibility|opacity|z-index|box-sizing|vertical-align|contain|isolation|aspect-ratio|object-fit|object-position",
    "(?:inset|margin|padding|overflow|gap|row-gap|column-gap|flex|align|justify|place|scroll-(?:margin|padding))(?:-[a-z-]+)?",
    "top|right|bottom|left|(?:min-|max-)?(?:width|height|inline-size|block-size)|columns|column-(?:count|width)",
    "grid-(?:row|column)(?:-start|-end)?|grid-auto-[a-z]+|transform(?:-origin|-style)?|translate|rotate|scale|perspective",
    "font-(?:size|weight|style|stretch)|line-height|letter-spacing|word-spacing|text-(?:align|indent|transform|decoration)|white-space|direction|writing-mode|word-break|overflow-wrap",
    "border(?:-(?:top|right|bottom|left))?-(?:width|style|color)|border-radius|border-collapse|border-spacing|table-layout|(?:background-)?color",
  ].join("|")})$`,
);
/** One part of a value: a number with its unit, a function of numbers, a word that the properties above know. */
const PART = new RegExp(
  [
    String.raw`[\s(),/*+-]`,
    String.raw`(?:\d+\.?\d*|\.\d+)(?:%|px|r?em|r?ex|r?ch|r?lh|r?cap|r?ic|[sld]?v(?:w|h|i|b|min|max)|cq(?:w|h|i|b|min|max)|cm|mm|q|in|pt|pc|fr|deg|g?rad|turn)?(?![-\w.%])`,
    String.raw`#[0-9a-f]{3,8}(?![-\w])`,
    String.raw`!important(?![-\w])`,
    String.raw`(?:calc|min|max|clamp|minmax|repeat|fit-content|rgba?|hsla?|matrix|matrix3d|(?:translate|scale|rotate|skew)(?:x|y|z|3d)?|perspective)(?=\()`,
    `(?:${[
      "auto|none|normal|inherit|initial|unset|revert|block|inline|inline-block|flex|inline-flex|grid|inline-grid|table|table-row|table-cell|table-column|contents|list-item|flow-root",
      "static|relative|absolute|fixed|sticky|left|right|both|top|bottom|center|middle|baseline|start|end|flex-start|flex-end|self-start|self-end|stretch|space-between|space-around|space-evenly|safe|unsafe|first|last",
      "hidden|visible|scroll|clip|collapse|row|column|row-reverse|column-reverse|wrap|nowrap|wrap-reverse|dense|span|border-box|content-box|min-content|max-content|fit-content",
      "solid|dashed|dotted|double|groove|ridge|inset|outset|thin|medium|thick|separate|bold|bolder|lighter|italic|oblique|small|large|smaller|larger|x-small|x-large|xx-large",
      "justify|uppercase|lowercase|capitalize|underline|line-through|pre|pre-wrap|pre-line|break-word|break-all|keep-all|anywhere|ltr|rtl|horizontal-tb|vertical-rl|vertical-lr",
      "sub|super|text-top|text-bottom|contain|cover|fill|scale-down|isolate|layout|paint|strict|content|flat|preserve-3d",
      "transparent|currentcolor|aqua|black|blue|fuchsia|gr[ae]y|green|lime|maroon|navy|olive|orange|purple|red|silver|teal|white|yellow",
    ].join("|")})(?![-\\w(])`,
  ].join("|"),
  "iy",
);
const BREAK = new RegExp(String.raw`${STRING}|\/\*[^]*?(?:\*\/|$)|\\[^]|[()[\]{};]`, "g");

/** The style of what lies in a redacted view: where it is and how large, nothing else. */
export function withoutTexts(text) {
  const kept = [];
  for (const declaration of declarations(text)) {
    const [, name, value] = /^\s*([a-z-]+)\s*:([^]*)$/i.exec(declaration) ?? [];
    if (name && LAYOUT.test(name.toLowerCase()) && isPlain(value)) kept.push(declaration.trim());
  }
  return kept.join(";");
}

function isPlain(value) {
  PART.lastIndex = 0;
  while (PART.lastIndex < value.length) if (!PART.test(value)) return false;
  return value.trim() !== "";
}

/** Split at the semicolons that end one. */
function* declarations(text) {
  let from = 0;
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(BREAK)) {
    if (/^[([{]$/.test(token)) depth += 1;
    else if (/^[)\]}]$/.test(token)) depth -= 1;
    else if (token === ";" && depth <= 0) {
      yield text.slice(from, index);
      from = index + 1;
      depth = 0;
    }
  }
  yield text.slice(from);
}

/**
 * Reads the rules of a sheet, a few at a time: a generator of nothing that returns the cleaned texts, or null where the sheet cannot be read.
 * `source` is the text that it was made from, where that is to be compared (`withoutInserted`); `shown` gathers the attributes that it shows as text,
 * `isMedia(query)` tells what is so now.
 */
export function* rulesOf(sheet, { source = null, shown, isMedia }) {
  const texts = [];
  const rules = readable(sheet);
  if (rules === null) return null;
  const isHere = !sheet.media?.mediaText || isMedia(sheet.media.mediaText);
  for (let at = 0; at < rules.length; at++) {
    const rule = rules[at];
    if ("styleSheet" in rule) {
      const inner = rule.styleSheet ? yield* rulesOf(rule.styleSheet, { shown, isMedia }) : null;
      if (inner !== null) texts.push(conditional(rule, inner.join("\n")));
    } else {
      const text = cleanCss(rule.cssText);
      if (isHere && (text.includes("attr(") || text.includes("["))) addShownAttributes(rule, shown, isMedia);
      texts.push(source === null ? text : withoutInserted(text, source));
    }
    if (at % 8 === 7) yield;
  }
  return texts;
}

/** The rules of an `@import`, under its conditions. */
function conditional(rule, text) {
  let result = text;
  if (rule.media?.length > 0) result = `@media ${rule.media.mediaText} {${result}}`;
  if (rule.supportsText) result = `@supports ${supports(rule.supportsText)} {${result}}`;
  if (typeof rule.layerName === "string") result = `@layer ${rule.layerName} {${result}}`;
  return result;
}

const supports = (condition) => (/^\s*(?:\(|not\b|selector\()/.test(condition) ? condition : `(${condition})`);

/** The rules, or null for a sheet of another origin and for one that is not there yet. */
export function readable(sheet) {
  try {
    return sheet?.cssRules ?? null;
  } catch {
    return null;
  }
}

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
    String.raw`(?<fetching>(?:image-set|src|image)\()`,
    // A name that is spelt with an escape and followed by an argument is `url(` in disguise or nothing that a page needs.
    String.raw`(?<escaped>[-\w]*\\[^\s(){};:"']*[^\s(){};:"'\\]\()`,
    String.raw`(?<escape>\\[^])`,
  ].join("|"),
  "gi",
);
const HARMLESS_DATA = /^data:(?:image\/|font\/|application\/(?:x-)?font|application\/vnd\.ms-fontobject)/i;
const READ_ATTRIBUTE = /\battr\(\s*([-\w]+)/gi;

/** What the regular expression above could find anything in. */
const SUSPICIOUS = /[(@\\]|\/\*/;

export function cleanCss(text) {
  if (!SUSPICIOUS.test(text)) return text;
  return text.replace(TOKEN, (token, ...rest) => {
    const groups = rest[rest.length - 1];
    if (groups.comment !== undefined || groups.import !== undefined) return "";
    if (groups.string !== undefined || groups.escape !== undefined) return token;
    if (groups.url !== undefined) return keptUrl(token) ?? "none";
    // An unknown function: the declaration is dropped by whoever parses it.
    return "x-dropped(";
  });
}

/** The whole `url(…)` where it may stay, else null. */
export function keptUrl(token) {
  const inner = token.slice(token.indexOf("(") + 1).replace(/\)$/, "").trim();
  const address = /^["']/.test(inner) ? inner.slice(1).replace(/["']$/, "") : inner;
  if (/^#[-\w.:]+$/.test(address)) return `url("${address}")`;
  if (address.length <= LONGEST_DATA && HARMLESS_DATA.test(address)) return token.endsWith(")") ? token : `${token})`;
  return null;
}

/** The attributes whose values these rules show as text. */
export function shownAttributes(text) {
  return Array.from(text.matchAll(READ_ATTRIBUTE), (match) => match[1].toLowerCase());
}

/** For what lies in a redacted view: no texts and nothing that could be used as one. */
export function withoutTexts(text) {
  return cleanCss(text)
    .replace(/--[^:;]*:[^;]*(?:;|$)/g, "")
    .replace(new RegExp(STRING, "g"), '""');
}

/**
 * Reads the rules of a sheet, a few at a time: a generator of nothing that returns the cleaned texts, or null where the sheet cannot be read.
 */
export function* rulesOf(sheet) {
  const texts = [];
  const rules = readable(sheet);
  if (rules === null) return null;
  for (let at = 0; at < rules.length; at++) {
    const rule = rules[at];
    if ("styleSheet" in rule) {
      const inner = rule.styleSheet ? yield* rulesOf(rule.styleSheet) : null;
      if (inner !== null) texts.push(conditional(rule, inner.join("\n")));
    } else {
      texts.push(cleanCss(rule.cssText));
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

// Turns what people and bots write into DOM nodes: line breaks, links, and for markdown a small, safe part of it (bold, italics, code, lists,
// links). It never makes HTML of a text: whatever is not recognised stays the characters it is. Only http and https become links.

import { el } from "../dom.js";
import { t } from "../language.js";

// Bounded repeats keep a hostile text from costing more than its length.
const URL_TEXT = "https?:\\/\\/[^\\s<>\"'`]{1,2000}";
const PLAIN = new RegExp(URL_TEXT, "giu");
const MARKDOWN = new RegExp(
  [
    "`(?<code>[^`\\n]{1,1000})`",
    "\\[(?<label>[^\\[\\]\\n]{1,300})\\]\\((?<target>[^()\\s]{1,2000})\\)",
    "\\*\\*(?<bold>[^*\\n]{1,1000})\\*\\*",
    "\\*(?<star>[^*\\s][^*\\n]{0,1000})\\*",
    // Underscores inside a word (an e-mail address, a file name) are not emphasis.
    "\\b_(?<under>[^_\\s][^_\\n]{0,1000})_\\b",
    `(?<url>${URL_TEXT})`,
  ].join("|"),
  "giu",
);
const LIST_ITEM = /^\s{0,3}(?:[-*•]|(\d{1,3})[.)])\s+(.+)$/u;

/** Plain text: line breaks and links. */
export function plainText(text) {
  return lines(String(text), plainInline);
}

/** Markdown: what `plainText` does, and bold, italics, code, lists and named links. */
export function markdownText(text) {
  const fragment = document.createDocumentFragment();
  let paragraph = [];
  let list = null;
  const endParagraph = () => {
    if (paragraph.length > 0) fragment.append(el("p", {}, lines(paragraph.join("\n"), markdownInline)));
    paragraph = [];
  };
  for (const line of String(text).split(/\r?\n/u)) {
    const item = LIST_ITEM.exec(line);
    if (item) {
      endParagraph();
      const tag = item[1] ? "ol" : "ul";
      if (list?.localName !== tag) {
        list = el(tag, { start: item[1] && item[1] !== "1" ? item[1] : null });
        fragment.append(list);
      }
      list.append(el("li", {}, markdownInline(item[2])));
      continue;
    }
    list = null;
    const heading = /^#{1,6}\s+(.+)$/u.exec(line);
    if (heading) {
      endParagraph();
      fragment.append(el("p", {}, el("strong", {}, markdownInline(heading[1]))));
    } else if (line.trim() === "") endParagraph();
    else paragraph.push(line);
  }
  endParagraph();
  return fragment;
}

/** A link where `href` is a web address, else just its label. */
export function safeLink(href, label) {
  const url = webAddress(href);
  if (!url) return document.createTextNode(label);
  return el(
    "a",
    { href: url, target: "_blank", rel: "noopener noreferrer", referrerpolicy: "no-referrer" },
    label,
    externalHint(),
  );
}

/** What a screen reader says after a link that leaves the page. */
export function externalHint() {
  return el("span", { class: "visually-hidden" }, ` ${t("link.newTab")}`);
}

/**
 * The address where it is http or https, else `null`: a `javascript:` or `data:` link never comes out of a message. Without `base` only whole addresses
 * count.
 */
export function webAddress(text, base) {
  try {
    const url = new URL(text, base);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

function lines(text, inline) {
  const fragment = document.createDocumentFragment();
  text.split(/\r?\n/u).forEach((line, index) => {
    if (index > 0) fragment.append(el("br"));
    fragment.append(inline(line));
  });
  return fragment;
}

function plainInline(line) {
  return replaceMatches(line, PLAIN, (match) => bareLink(match[0]));
}

function markdownInline(line) {
  return replaceMatches(line, MARKDOWN, ({ 0: whole, groups }) => {
    if (groups.code !== undefined) return [el("code", {}, groups.code)];
    if (groups.label !== undefined) return [safeLink(groups.target, groups.label)];
    if (groups.bold !== undefined) return [el("strong", {}, groups.bold)];
    if (groups.star !== undefined) return [el("em", {}, groups.star)];
    if (groups.under !== undefined) return [el("em", {}, groups.under)];
    return bareLink(whole);
  });
}

/** A link without the full stop or bracket that ends the sentence around it. */
function bareLink(text) {
  const end = /[.,;:!?)\]}]{1,10}$/u.exec(text)?.[0] ?? "";
  const address = text.slice(0, text.length - end.length);
  return [safeLink(address, address), document.createTextNode(end)];
}

function replaceMatches(line, pattern, replace) {
  const fragment = document.createDocumentFragment();
  let from = 0;
  for (const match of line.matchAll(pattern)) {
    fragment.append(line.slice(from, match.index), ...replace(match));
    from = match.index + match[0].length;
  }
  fragment.append(line.slice(from));
  return fragment;
}

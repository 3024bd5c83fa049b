// What an agent should see of a page, told a second time and as simply as can be: a walk over the whole page, with nothing taken over from the recorder.
// It knows only what the generated pages are made of (`random-page.js`).

import { passwords } from "/support/random-page.js";

const BULLET = "•";
const mask = (text) => text.replace(/\S/gu, BULLET);
const NOT_SEEN = new Set(["SCRIPT", "TEMPLATE", "META", "TITLE", "NOSCRIPT"]);
const ATTRIBUTES = ["class", "lang", "id", "hidden", "type", "dir", "open", "slot", "style"];
/** Also of what the customer writes. */
const IN_REDACTED = ["class", "hidden", "type", "dir", "open", "slot", "style"];
const IN_BOX = ["class", "slot", "style"];
const PLAIN = new Set(["div", "span", "p", "ul", "li", "section", "b", "details", "summary"]);

const parentOf = (node) => node.parentNode ?? (node instanceof ShadowRoot ? node.host : null);

/** Whether a slot is redacted by the shadow tree that it is in. */
function isRedactedPlace(slot) {
  for (let at = slot; at && !(at instanceof ShadowRoot); at = at.parentNode) {
    if (at.assignedSlot && isRedactedPlace(at.assignedSlot)) return true;
    if (at.matches(".redacted")) return true;
    if (at.matches(".unredacted")) return false;
  }
  return false;
}

function ruleOf(node) {
  for (let at = node; at && at.nodeType !== Node.DOCUMENT_NODE; at = parentOf(at)) {
    // Shown in a redacted view of a shadow tree.
    if (at.assignedSlot && isRedactedPlace(at.assignedSlot)) return "redacted";
    if (at.nodeType !== Node.ELEMENT_NODE) continue;
    if (at.matches(".redacted")) return "redacted";
    if (at.matches(".unredacted")) return "unredacted";
  }
  return "none";
}

const isEditable = (node) => {
  for (let at = node; at; at = parentOf(at)) if ((at.getAttribute?.("contenteditable") ?? "false") !== "false") return true;
  return false;
};

function holdsUnredacted(element) {
  const below = [...element.querySelectorAll("*")];
  return below.some((one) => one.matches(".unredacted:not(.redacted)") || (one.shadowRoot && holdsUnredacted(one.shadowRoot))) || Boolean(element.shadowRoot && holdsUnredacted(element.shadowRoot));
}

const rulesOf = (sheets) => [...sheets].flatMap((sheet) => [...sheet.cssRules].map((rule) => rule.cssText));

export function expected() {
  return { page: read(document.documentElement), adopted: rulesOf(document.adoptedStyleSheets) };
}

function read(node) {
  if (node.nodeType === Node.TEXT_NODE) {
    const parent = parentOf(node);
    if (parent.nodeName === "HEAD" || parent.nodeName === "HTML") return [];
    const rule = ruleOf(node);
    return [rule === "redacted" || (rule === "none" && isEditable(parent)) ? mask(node.data) : node.data];
  }
  if (node.nodeType !== Node.ELEMENT_NODE || NOT_SEEN.has(node.nodeName) || node.hasAttribute("data-sportello-screen")) return [];
  const name = node.localName;
  if (name === "input" && node.type === "hidden") return [];
  const rule = ruleOf(node);
  const isWritten = rule === "none" && isEditable(node);
  const isBox = (rule === "redacted" && !holdsUnredacted(node)) || (isWritten && name === "img");
  if (name === "style") return rule === "redacted" || isWritten ? [] : [{ name, attributes: {}, children: [], rules: rulesOf([node.sheet]) }];
  const attributes = {};
  for (const key of isBox || name === "img" ? (isBox ? IN_BOX : ATTRIBUTES) : rule === "redacted" || isWritten ? IN_REDACTED : ATTRIBUTES) {
    const value = node.getAttribute(key);
    if (value !== null && !(key === "style" && value === "")) attributes[key] = key === "style" ? value.replace(/;$/u, "") : value;
  }
  const shown = { name: isBox && !PLAIN.has(name) ? "sportello-box" : name, attributes, children: [] };
  if (isBox) return [shown];
  if (name === "input" || name === "textarea") {
    const isSecret = rule === "redacted" || passwords.has(node);
    if (node.type === "checkbox") shown.value = rule === "unredacted" && !isSecret && node.checked;
    else shown.value = isSecret ? (node.value === "" ? "" : BULLET.repeat(8)) : rule === "unredacted" ? node.value : mask(node.value);
    if (isSecret && name === "input" && node.type !== "checkbox" && (rule !== "redacted" || passwords.has(node))) attributes.type = "password";
    return [shown];
  }
  if (node.hidden) return [name === "select" ? { ...shown, value: "" } : shown];
  if (name === "select") {
    if (rule !== "unredacted") return [{ ...shown, value: "" }];
    shown.value = node.selectedOptions[0]?.text ?? "";
  }
  if (node.scrollTop > 0) shown.scrollTop = node.scrollTop;
  for (const child of node.childNodes) shown.children.push(...read(child));
  if (node.shadowRoot) {
    shown.shadow = [...node.shadowRoot.childNodes].flatMap(read);
    shown.adopted = rulesOf(node.shadowRoot.adoptedStyleSheets);
  }
  return [shown];
}

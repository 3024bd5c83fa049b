// The page's language: one dictionary per language, chosen by `?lang=`, by what was chosen before, or by the browser. Texts are looked up when
// they are drawn; whoever keeps drawn texts listens for a change and draws again. It translates the page, never what people write.

import en from "./languages/en.js";
import it from "./languages/it.js";
import pt from "./languages/pt.js";

const DICTIONARIES = { en, it, pt };
/** Each language in its own words, so that whoever needs it can read it. */
const NAMES = { en: "English", it: "Italiano", pt: "Português" };
const KEY = "sportello-demo.language";

const listeners = new Set();
let current = firstKnown([new URLSearchParams(location.search).get("lang"), remembered(), ...navigator.languages]);
document.documentElement.lang = current;

/** The language's code, as `lang` attributes and the SDK take it. */
export function language() {
  return current;
}

/**
 * The text of `key`. `{name}` in it is replaced by `values.name`; where a text has plural forms, `values.count` chooses. What no dictionary knows is
 * `undefined`.
 */
export function t(key, values = {}) {
  const entry = DICTIONARIES[current][key] ?? en[key];
  const text = typeof entry === "object" ? (entry[new Intl.PluralRules(current).select(values.count)] ?? entry.other) : entry;
  return text?.replaceAll(/\{(\w+)\}/gu, (whole, name) => (values[name] === undefined ? whole : String(values[name])));
}

/** Calls `listener` after each change of the language. */
export function onLanguage(listener) {
  listeners.add(listener);
}

/** Changes the language of the page. */
export function setLanguage(code) {
  if (!Object.hasOwn(DICTIONARIES, code) || code === current) return;
  current = code;
  document.documentElement.lang = code;
  remember(code);
  translatePage();
  for (const listener of listeners) listener();
}

/**
 * Writes the page's fixed texts: `data-t` names the text of an element, `data-t-label` its accessible name, `data-t-placeholder` and `data-t-content` the
 * attributes of these names.
 */
export function translatePage() {
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel));
  for (const node of document.querySelectorAll("[data-t-placeholder]")) node.setAttribute("placeholder", t(node.dataset.tPlaceholder));
  for (const node of document.querySelectorAll("[data-t-content]")) node.setAttribute("content", t(node.dataset.tContent));
}

/** Makes `select` offer the languages. */
export function attachLanguageSwitch(select) {
  select.replaceChildren(...Object.entries(NAMES).map(([code, name]) => new Option(name, code, false, code === current)));
  // A screen reader changes its voice with the language of each name.
  for (const option of select.options) option.lang = option.value;
  select.addEventListener("change", () => setLanguage(select.value));
}

function firstKnown(codes) {
  for (const code of codes) {
    const known = Object.keys(DICTIONARIES).find((one) => code?.toLowerCase().split("-")[0] === one);
    if (known) return known;
  }
  return "en";
}

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function remember(code) {
  try {
    localStorage.setItem(KEY, code);
  } catch {
    // Refused storage: the choice does not outlive the page.
  }
}

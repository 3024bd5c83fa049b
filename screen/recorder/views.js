/**
 * Which elements match `redactedViews` and `unredactedViews`, at one moment.
 *
 * Both lists are asked for as a whole (a selector may say `:has()` or `:first-child`, so that any change anywhere can change what matches), once
 * per slice and before anything of that slice is read. What follows from it for a node is decided in `privacy.js`.
 */

import { ELEMENT, above, nodeType } from "./dom.js";

/** Throws `invalid_argument` for anything but a list of selectors that this browser understands. */
export function checkedSelectors(document, name, selectors) {
  if (!Array.isArray(selectors)) throw invalid(`${name} must be an array of CSS selectors`);
  const fragment = document.createDocumentFragment();
  selectors.forEach((selector, index) => {
    try {
      if (typeof selector !== "string") throw new TypeError();
      fragment.querySelector(selector);
    } catch {
      throw invalid(`${name}[${index}] is not a CSS selector that this browser understands`);
    }
  });
  return selectors.join(",");
}

const invalid = (message) => Object.assign(new Error(message), { code: "invalid_argument" });

export class Views {
  #redactedSelector;
  #unredactedSelector;
  redacted = new Set();
  unredacted = new Set();
  /** What has something unredacted below it. */
  holders = new Set();

  constructor(document, redactedViews, unredactedViews) {
    this.#redactedSelector = checkedSelectors(document, "redactedViews", redactedViews);
    this.#unredactedSelector = checkedSelectors(document, "unredactedViews", unredactedViews);
  }

  get any() {
    return this.#redactedSelector !== "" || this.#unredactedSelector !== "";
  }

  /** Asks anew in these roots (the document and the open shadow roots) and returns the elements for which an answer changed. */
  refresh(roots) {
    const before = [this.redacted, this.unredacted, this.holders];
    this.redacted = found(roots, this.#redactedSelector);
    this.unredacted = found(roots, this.#unredactedSelector);
    this.holders = new Set();
    if (this.redacted.size > 0) {
      for (const element of this.unredacted) this.#holdersOf(element);
    }
    const changed = new Set();
    [this.redacted, this.unredacted, this.holders].forEach((now, index) => {
      for (const element of now) if (!before[index].has(element)) changed.add(element);
      for (const element of before[index]) if (!now.has(element)) changed.add(element);
    });
    return changed;
  }

  /** A shadow root that was found in the middle of a slice. */
  include(root) {
    for (const element of found([root], this.#redactedSelector)) this.redacted.add(element);
    for (const element of found([root], this.#unredactedSelector)) {
      this.unredacted.add(element);
      this.#holdersOf(element);
    }
  }

  /** The same question for one node, between slices. */
  isRedactedNow(node) {
    if (this.#redactedSelector === "") return false;
    for (let at = node; at; at = above(at)) {
      if (nodeType(at) !== ELEMENT) continue;
      if (matches.call(at, this.#redactedSelector)) return true;
      if (this.#unredactedSelector !== "" && matches.call(at, this.#unredactedSelector)) return false;
    }
    return false;
  }

  #holdersOf(element) {
    for (let node = above(element); node && !this.holders.has(node); node = above(node)) this.holders.add(node);
  }

  clear() {
    this.redacted = new Set();
    this.unredacted = new Set();
    this.holders = new Set();
  }
}

const { matches } = Element.prototype;

function found(roots, selector) {
  const elements = new Set();
  if (selector === "") return elements;
  for (const root of roots) {
    for (const element of root.querySelectorAll(selector)) elements.add(element);
  }
  return elements;
}

/**
 * Which elements match `redactedViews` and `unredactedViews`, at one moment.
 *
 * Both lists are asked for as a whole (a selector may say `:has()` or `:first-child`, so that any change anywhere can change what matches), once
 * per slice and before anything of that slice is read. What follows from it for a node is decided in `privacy.js`.
 */

import { ELEMENT, above, hostOf, isConnected, nodeType, openShadowRoot } from "./dom.js";

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
  /** Where is asked: the document and the open shadow roots. */
  #document;
  #shadowRoots = new Set();
  #on;

  /** `on.found(root)` and `on.lost(root)` hear of shadow roots that come and go; `on.isShown(root)` says whether the desk knows one. */
  constructor(document, redactedViews, unredactedViews, on) {
    this.#document = document;
    this.#on = on;
    this.#redactedSelector = checkedSelectors(document, "redactedViews", redactedViews);
    this.#unredactedSelector = checkedSelectors(document, "unredactedViews", unredactedViews);
  }

  get any() {
    return this.#redactedSelector !== "" || this.#unredactedSelector !== "";
  }

  get roots() {
    return [this.#document, ...this.#shadowRoots];
  }

  /** Asks anew and returns the elements for which an answer changed. */
  refresh() {
    this.prune();
    const { roots } = this;
    const before = [this.redacted, this.unredacted, this.holders];
    this.redacted = found(roots, this.#redactedSelector);
    this.unredacted = found(roots, this.#unredactedSelector);
    this.holders = new Set();
    if (this.redacted.size > 0) {
      for (const element of this.unredacted) if (!this.redacted.has(element)) this.#holdersOf(element);
    }
    const changed = new Set();
    [this.redacted, this.unredacted, this.holders].forEach((now, index) => {
      for (const element of now) if (!before[index].has(element)) changed.add(element);
      for (const element of before[index]) if (!now.has(element)) changed.add(element);
    });
    // Among the holders are shadow roots.
    return [...changed].filter((node) => nodeType(node) === ELEMENT);
  }

  /** Lets go of shadow roots that are no part of the page any more. */
  prune() {
    for (const root of this.#shadowRoots) if (!isConnected(hostOf(root)) && !this.#on.isShown(root)) this.#lose(root);
  }

  #lose(root) {
    this.#shadowRoots.delete(root);
    this.#on.lost(root);
  }

  /** A shadow root that was found, perhaps in the middle of a slice. */
  include(root) {
    if (this.#shadowRoots.has(root)) return;
    this.#shadowRoots.add(root);
    this.#on.found(root);
    for (const element of found([root], this.#redactedSelector)) this.redacted.add(element);
    for (const element of found([root], this.#unredactedSelector)) {
      this.unredacted.add(element);
      if (!this.redacted.has(element)) this.#holdersOf(element);
    }
  }

  /** Whether something unredacted lies in a redacted view. Nobody else looks for shadow roots there. */
  isHolder(element) {
    if (this.#unredactedSelector === "") return false;
    if (!this.holders.has(element)) this.#includeBelow(element);
    return this.holders.has(element);
  }

  #includeBelow(element) {
    for (const inner of [element, ...element.querySelectorAll("*")]) {
      const root = openShadowRoot(inner);
      if (!root) continue;
      this.include(root);
      for (const child of root.children) this.#includeBelow(child);
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
    for (const root of this.#shadowRoots) this.#lose(root);
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

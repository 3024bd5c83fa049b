/**
 * Which elements match `redactedViews` and `unredactedViews`, at one moment.
 *
 * Both lists are asked for as a whole (a selector may say `:has()` or `:first-child`, so that any change anywhere can change what matches), once
 * per slice and before anything of that slice is read. What follows from it for a node is decided in `privacy.js`.
 */

import { ELEMENT, FRAGMENT, above, hostOf, isConnected, localName, nodeType, openShadowRoot, selectAll, shownIn, slotOf } from "./dom.js";

/** Throws `invalid_argument` for anything but a list of selectors that this browser understands. */
export function checkedSelectors(name, selectors) {
  if (!Array.isArray(selectors)) throw invalid(`${name} must be an array of CSS selectors`);
  const fragment = new DocumentFragment();
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
    this.#redactedSelector = checkedSelectors("redactedViews", redactedViews);
    this.#unredactedSelector = checkedSelectors("unredactedViews", unredactedViews);
  }

  get any() {
    return this.#redactedSelector !== "" || this.#unredactedSelector !== "";
  }

  get hasRedacted() {
    return this.#redactedSelector !== "";
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
    for (const element of [...this.redacted]) this.#redactSlotted(element);
    this.holders = new Set();
    if (this.redacted.size > 0) {
      for (const element of this.unredacted) if (!this.redacted.has(element)) this.#holdersOf(element);
    }
    const changed = new Set();
    [this.redacted, this.unredacted, this.holders].forEach((now, index) => {
      for (const element of now) if (!before[index].has(element)) changed.add(element);
      for (const element of before[index]) if (!now.has(element)) changed.add(element);
    });
    // Among the holders are shadow roots; among what is slotted are texts.
    return [...changed].filter((node) => nodeType(node) !== FRAGMENT);
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
    const redacted = found([root], this.#redactedSelector);
    for (const element of redacted) this.redacted.add(element);
    const unredacted = found([root], this.#unredactedSelector);
    for (const element of unredacted) this.unredacted.add(element);
    for (const element of redacted) this.#redactSlotted(element);
    for (const element of unredacted) {
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
    for (const inner of [element, ...selectAll(element, "*")]) {
      const root = openShadowRoot(inner);
      if (!root) continue;
      this.include(root);
      for (const inside of selectAll(root, "*")) if (openShadowRoot(inside)) this.#includeBelow(inside);
    }
  }

  /** What is shown in a redacted view of a shadow tree is redacted, though it stands elsewhere. */
  #redactSlotted(element) {
    const slots = localName(element) === "slot" ? [element] : selectAll(element, "slot");
    for (const slot of slots) {
      if (!(slot instanceof HTMLSlotElement) || !this.#isRedacted(slot)) continue;
      for (const node of shownIn(slot)) {
        if (this.redacted.has(node)) continue;
        this.redacted.add(node);
        if (nodeType(node) === ELEMENT) this.#redactSlotted(node);
      }
    }
  }

  #isRedacted(element) {
    for (let at = element; at; at = above(at)) {
      if (this.redacted.has(at)) return true;
      if (this.unredacted.has(at)) return false;
    }
    return false;
  }

  /** The same question for one node, between slices. */
  isRedactedNow(node) {
    if (this.#redactedSelector === "") return false;
    let decided = false;
    for (let at = node; at; at = above(at)) {
      const slot = slotOf(at);
      if (slot && this.isRedactedNow(slot)) return true;
      if (decided || nodeType(at) !== ELEMENT) continue;
      if (matches.call(at, this.#redactedSelector)) return true;
      decided = this.#unredactedSelector !== "" && matches.call(at, this.#unredactedSelector);
    }
    return false;
  }

  /** Whether a node is in an unredacted view and in no redacted one, between slices. */
  isUnredactedNow(node) {
    if (this.#unredactedSelector === "" || this.isRedactedNow(node)) return false;
    for (let at = node; at; at = above(at)) if (nodeType(at) === ELEMENT && matches.call(at, this.#unredactedSelector)) return true;
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
    for (const element of selectAll(root, selector)) elements.add(element);
  }
  return elements;
}

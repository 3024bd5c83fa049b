/**
 * Where the window and its parts are scrolled to. Read in the event itself, when the browser has the answer at hand.
 */

import { DOCUMENT, ELEMENT, nodeType } from "./dom.js";
import { scroll } from "./format.js";

export class Scrolls {
  #window;
  #push;
  #find;
  #wake;
  /** What was ever scrolled; only that is asked when it is sent anew. */
  #scrolled = new WeakSet();
  #pending = new Map();
  /** Sent before everything around it was: to be said again. */
  #early = new Map();

  constructor({ window, push, find, wake }) {
    this.#window = window;
    this.#push = push;
    this.#find = find;
    this.#wake = wake;
  }

  /** A scroll event. */
  heard = (event) => {
    const node = event.target;
    this.#scrolled.add(node);
    const entry = this.#find(node);
    if (entry) this.#read(entry);
  };

  /** Reads where an entry is scrolled to; where it is not sent yet, `added` does. */
  #read(entry) {
    const { node } = entry;
    const isDocument = nodeType(node) === DOCUMENT;
    const x = isDocument ? this.#window.scrollX : node.scrollLeft;
    const y = isDocument ? this.#window.scrollY : node.scrollTop;
    this.#pending.set(entry, [Math.round(x), Math.round(y)]);
    this.#wake();
  }

  added(entry) {
    if (this.#scrolled.has(entry.node)) this.#read(entry);
  }

  gone(entry) {
    this.#pending.delete(entry);
    this.#early.delete(entry);
  }

  /** Looks for what was scrolled before anybody listened; to be called when the page is laid out. */
  look(entry) {
    const { node } = entry;
    const isDocument = nodeType(node) === DOCUMENT;
    if (!isDocument && nodeType(node) !== ELEMENT) return;
    if (isDocument ? this.#window.scrollX || this.#window.scrollY : node.scrollTop || node.scrollLeft) {
      this.#scrolled.add(node);
      this.#read(entry);
    }
  }

  get idle() {
    return this.#pending.size === 0;
  }

  /** `settled`: the desk has the whole page now. */
  work(isAlive, settled) {
    if (settled && this.#early.size > 0) {
      for (const [entry, position] of this.#early) if (!this.#pending.has(entry)) this.#pending.set(entry, position);
      this.#early.clear();
    }
    for (const [entry, position] of this.#pending) {
      if (!isAlive(entry)) continue;
      this.#push(scroll(entry.id, ...position));
      if (!settled) this.#early.set(entry, position);
    }
    this.#pending.clear();
  }

  clear() {
    this.#pending.clear();
    this.#early.clear();
  }
}

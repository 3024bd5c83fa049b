/**
 * Where the window and its parts are scrolled to. Read in the event itself or when the page has just been laid out, when the browser has the answer
 * at hand: asking at any other time could make it lay the page out.
 */

import { DOCUMENT, ELEMENT, nodeType, ofDocument } from "./dom.js";
import { scroll } from "./format.js";

/** Elements that are asked in one frame. */
const ASKED_AT_ONCE = 1000;

export class Scrolls {
  #window;
  #push;
  #find;
  #wake;
  /** Called when the page is laid out: being observed anew, an element is told of once. */
  #laidOut;
  /** What was ever scrolled; only that is asked when it is sent anew. */
  #scrolled = new WeakSet();
  /** Entries with what the desk was told. */
  #told = new Map();
  #pending = new Map();
  /** Told before everything around it was: to be said again. */
  #early = new Map();
  /** Entries that are yet to be asked. */
  #asking = null;

  /** `find(node)` gives a live entry; `wake()` asks for a slice. */
  constructor({ window, push, find, wake }) {
    this.#window = window;
    this.#push = push;
    this.#find = find;
    this.#wake = wake;
    this.#laidOut = new window.ResizeObserver(() => this.#ask());
  }

  /** A scroll event. */
  heard = (event) => {
    const node = event.target;
    this.#scrolled.add(node);
    const entry = this.#find(node);
    if (entry) this.#read(entry);
  };

  /** An element that was scrolled earlier is here again. */
  added(entry) {
    if (!this.#scrolled.has(entry.node)) return;
    this.#told.set(entry, [0, 0]);
    this.lookAgain();
  }

  gone(entry) {
    this.#told.delete(entry);
    this.#pending.delete(entry);
    this.#early.delete(entry);
  }

  /** Asks all of these, for what was scrolled before anybody listened. */
  lookAt(entries) {
    this.#asking = entries;
    this.lookAgain();
  }

  /** Asks what was ever scrolled: what is taken out and put back begins at the top, and no event says so. */
  lookAgain() {
    if (this.#told.size === 0 && this.#asking === null) return;
    const element = ofDocument(this.#window.document, "documentElement");
    if (!element) return;
    this.#laidOut.unobserve(element);
    this.#laidOut.observe(element);
  }

  #ask() {
    this.#laidOut.disconnect();
    for (const entry of this.#told.keys()) if (this.#find(entry.node) === entry) this.#read(entry);
    for (let count = 0; this.#asking !== null && count < ASKED_AT_ONCE; count++) {
      const { value: entry, done } = this.#asking.next();
      if (done) this.#asking = null;
      else this.#askFirst(entry);
    }
    if (this.#asking !== null) this.#window.requestAnimationFrame(() => this.lookAgain());
  }

  #askFirst(entry) {
    const type = nodeType(entry.node);
    if (type !== DOCUMENT && type !== ELEMENT) return;
    const [x, y] = this.#position(entry);
    if (x === 0 && y === 0) return;
    this.#scrolled.add(entry.node);
    this.#read(entry);
  }

  #position({ node }) {
    const isDocument = nodeType(node) === DOCUMENT;
    const x = isDocument ? this.#window.scrollX : node.scrollLeft;
    const y = isDocument ? this.#window.scrollY : node.scrollTop;
    return [Math.round(x), Math.round(y)];
  }

  #read(entry) {
    const position = this.#position(entry);
    const told = this.#told.get(entry);
    if (told && told[0] === position[0] && told[1] === position[1] && !this.#pending.has(entry)) return;
    this.#pending.set(entry, position);
    this.#wake();
  }

  /** `settled`: the desk has the whole page now. */
  work(isAlive, settled) {
    if (settled && this.#early.size > 0) {
      for (const [entry, position] of this.#early) if (!this.#pending.has(entry)) this.#pending.set(entry, position);
      this.#early.clear();
    }
    for (const [entry, position] of this.#pending) {
      if (!isAlive(entry)) continue;
      this.#told.set(entry, position);
      this.#push(scroll(entry.id, ...position));
      if (!settled) this.#early.set(entry, position);
    }
    this.#pending.clear();
  }

  clear() {
    this.#laidOut.disconnect();
    this.#told.clear();
    this.#pending.clear();
    this.#early.clear();
    this.#asking = null;
  }
}

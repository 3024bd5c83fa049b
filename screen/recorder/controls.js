/**
 * What the form's controls show: told by events, and looked at now and then because a script's change tells nobody. Masked in `privacy.js`.
 */

import { input } from "./format.js";

export class Controls {
  #privacy;
  #push;
  #isAlive;
  #entries = new Set();
  #marked = new Set();
  #looked = null;

  constructor({ privacy, push, isAlive }) {
    this.#privacy = privacy;
    this.#push = push;
    this.#isAlive = isAlive;
  }

  add(entry) {
    this.#entries.add(entry);
  }

  gone(entry) {
    this.#entries.delete(entry);
    this.#marked.delete(entry);
  }

  mark(entry) {
    if (this.#entries.has(entry)) this.#marked.add(entry);
  }

  /** The player forgets a choice when its option is not there, or is another one. */
  optionAdded(select) {
    if (!this.#entries.has(select)) return;
    select.extra.text = null;
    this.#marked.add(select);
  }

  /** Looks at all of them once, in the slices to come. */
  look() {
    this.#looked ??= this.#entries.values();
  }

  get idle() {
    return this.#marked.size === 0 && this.#looked === null;
  }

  work(over) {
    for (const entry of this.#marked) {
      this.#marked.delete(entry);
      this.#compare(entry);
      if (over()) return;
    }
    while (this.#looked !== null) {
      const { value, done } = this.#looked.next();
      if (done) this.#looked = null;
      else this.#compare(value);
      if (over()) return;
    }
  }

  #compare(entry) {
    if (entry.extra === null || entry.extra.text === undefined || !this.#isAlive(entry)) return;
    const state = this.#privacy.controlState(entry.node, entry.bits);
    if (state === null || (state.text === entry.extra.text && state.isChecked === entry.extra.isChecked)) return;
    entry.extra.text = state.text;
    entry.extra.isChecked = state.isChecked;
    this.#push(input(entry.id, state.text, state.isChecked));
  }

  clear() {
    this.#entries.clear();
    this.#marked.clear();
    this.#looked = null;
  }
}

/**
 * Where the customer points, clicks and types. Nothing of it within a redacted view: a keypad on the screen tells a code by where it is clicked.
 */

import { above } from "./dom.js";
import { INTERACTION, interaction, mouseMove } from "./format.js";

const MOVES_EVERY_MS = 50;
const SENT_EVERY_MS = 100;

export class Pointer {
  #window;
  #push;
  #find;
  #privacy;
  #moves = [];
  #last = 0;
  #timer = null;

  constructor({ window, push, find, privacy }) {
    this.#window = window;
    this.#push = push;
    this.#find = find;
    this.#privacy = privacy;
  }

  moved = (event) => {
    const now = Date.now();
    if (now - this.#last < MOVES_EVERY_MS) return;
    const entry = this.#shown(event);
    if (!entry) return;
    this.#last = now;
    this.#moves.push({ x: Math.round(event.clientX), y: Math.round(event.clientY), entry, at: now });
    this.#timer ??= this.#window.setTimeout(this.#send, SENT_EVERY_MS);
  };

  #send = () => {
    this.#timer = null;
    const now = Date.now();
    const moves = this.#moves.filter(({ entry }) => this.#find(entry.node) === entry);
    this.#moves = [];
    if (moves.length > 0) this.#push(mouseMove(moves.map(({ x, y, entry, at }) => ({ x, y, id: entry.id, timeOffset: at - now }))));
  };

  clicked = (event) => {
    const entry = this.#shown(event);
    if (!entry) return;
    this.#window.clearTimeout(this.#timer);
    this.#send();
    this.#push(interaction(INTERACTION.click, entry.id, Math.round(event.clientX), Math.round(event.clientY)));
  };

  focused = (event) => this.#focus(event, INTERACTION.focus);
  blurred = (event) => this.#focus(event, INTERACTION.blur);

  #focus(event, type) {
    const entry = this.#shown(event);
    if (entry && entry.node === event.composedPath()[0]) this.#push(interaction(type, entry.id));
  }

  /** The entry under the pointer, or null where that is nobody's business. */
  #shown(event) {
    let node = event.composedPath()[0];
    if (!(node instanceof this.#window.Node)) return null;
    if (!this.#privacy.showsPointer(node)) return null;
    let entry;
    while (node && !(entry = this.#find(node))) node = above(node);
    return entry && !entry.isShadowRoot ? entry : null;
  }

  clear() {
    this.#window.clearTimeout(this.#timer);
    this.#timer = null;
    this.#moves = [];
  }
}

/**
 * Where the customer points, clicks and types. Nothing of it within a redacted view: a keypad on the screen tells a code by where it is clicked. Nor
 * over choices that are masked: a click on one tells which.
 */

import { ELEMENT, above, attribute, localName, nodeType, own, selectAll } from "./dom.js";
import { INTERACTION, interaction, mouseMove } from "./format.js";

const MOVES_EVERY_MS = 50;
const SENT_EVERY_MS = 100;

/** Controls that are worked by pointing. */
const CHOICES = "input[type=radio i], input[type=checkbox i], input[type=range i], input[type=color i], select, option";
const CHOICE_TAGS = new Set(["select", "option", "optgroup"]);
const CHOICE_TYPES = new Set(["radio", "checkbox", "range", "color"]);
const CHOICE_ROLES = /^\s*(?:radio|checkbox|switch|option|slider|spinbutton|menuitemradio|menuitemcheckbox|treeitem)\s*$/i;

/** Whether a node is in a choice, or in something that works like one, or in the label of one. */
function isChoice(node) {
  for (let at = node; at; at = above(at)) {
    if (nodeType(at) !== ELEMENT) continue;
    const name = localName(at);
    if (CHOICE_TAGS.has(name)) return true;
    if (name === "input" && CHOICE_TYPES.has(own(at, "HTMLInputElement", "type"))) return true;
    if (CHOICE_ROLES.test(attribute(at, "role") ?? "")) return true;
    if (name === "label" && (selectAll(at, CHOICES).length > 0 || isChosen(own(at, "HTMLLabelElement", "control")))) return true;
  }
  return false;
}

const isChosen = (control) => Boolean(control) && (localName(control) === "select" || (localName(control) === "input" && CHOICE_TYPES.has(own(control, "HTMLInputElement", "type"))));

export class Pointer {
  #window;
  #clock;
  #push;
  #find;
  #privacy;
  #moves = [];
  #last_ms = -Infinity;
  #cancel = null;

  constructor({ window, clock, push, find, privacy }) {
    this.#window = window;
    this.#clock = clock;
    this.#push = push;
    this.#find = find;
    this.#privacy = privacy;
  }

  moved = (event) => {
    const now = this.#clock.now();
    if (now - this.#last_ms < MOVES_EVERY_MS) return;
    const entry = this.#shown(event);
    if (!entry) return;
    this.#last_ms = now;
    this.#moves.push({ x: Math.round(event.clientX), y: Math.round(event.clientY), entry, at: now });
    this.#cancel ??= this.#clock.later(this.#send, SENT_EVERY_MS);
  };

  #send = () => {
    this.#cancel?.();
    this.#cancel = null;
    const now = this.#clock.now();
    const moves = this.#moves.filter(({ entry }) => this.#find(entry.node) === entry);
    this.#moves = [];
    if (moves.length > 0) this.#push(mouseMove(moves.map(({ x, y, entry, at }) => ({ x, y, id: entry.id, timeOffset: Math.round(at - now) }))));
  };

  clicked = (event) => {
    const entry = this.#shown(event);
    if (!entry) return;
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
    if (!this.#privacy.showsPointer(node, isChoice(node))) return null;
    let entry;
    while (node && !(entry = this.#find(node))) node = above(node);
    return entry && !entry.isShadowRoot ? entry : null;
  }

  clear() {
    this.#cancel?.();
    this.#cancel = null;
    this.#moves = [];
  }
}

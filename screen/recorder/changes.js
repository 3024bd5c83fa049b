/**
 * Collects the differences of one slice into rrweb's mutation events.
 *
 * A player applies removals first, then additions, texts and attributes. Where that order would not be the one in which they happened, because
 * something is removed of which was spoken before, a new event is begun.
 */

import { mutation } from "./format.js";

export class Changes {
  #push;
  #set = 1;
  #bytes = 0;
  #adds = [];
  #removes = [];
  #texts = [];
  #attributes = [];

  /** `push(event, bytes)` takes each event. */
  constructor(push) {
    this.#push = push;
  }

  add(entry, next, node) {
    this.#speakOf(entry);
    if (next) next.spoken = this.#set;
    this.#adds.push({ parentId: entry.parent.id, nextId: next ? next.id : null, node });
    this.#bytes += 120 + (node.textContent?.length ?? 0) + (node.attributes?.style?.length ?? 0);
  }

  remove(entry) {
    if (entry.spoken === this.#set) this.flush();
    const removal = { parentId: entry.parent.id, id: entry.id };
    if (entry.parent.isShadowRoot) removal.isShadow = true;
    this.#removes.push(removal);
    this.#bytes += 30;
  }

  text(entry, value) {
    this.#speakOf(entry);
    this.#texts.push({ id: entry.id, value });
    this.#bytes += 30 + value.length;
  }

  attributes(entry, attributes) {
    this.#speakOf(entry);
    this.#attributes.push({ id: entry.id, attributes });
    this.#bytes += 60 + (attributes._cssText?.length ?? 0) + (attributes.src?.length ?? 0) + (attributes.style?.length ?? 0);
  }

  /** Marks an entry and all above it: none of them can be removed by the same event. */
  #speakOf(entry) {
    for (let at = entry; at && at.spoken !== this.#set; at = at.parent) at.spoken = this.#set;
  }

  flush() {
    const [adds, removes, texts, attributes] = [this.#adds, this.#removes, this.#texts, this.#attributes];
    if (adds.length + removes.length + texts.length + attributes.length === 0) return;
    this.#push(mutation({ texts, attributes, removes, adds }), this.#bytes);
    this.clear();
  }

  /** Forgets what was not handed over. */
  clear() {
    this.#adds = [];
    this.#removes = [];
    this.#texts = [];
    this.#attributes = [];
    this.#bytes = 0;
    this.#set++;
  }
}

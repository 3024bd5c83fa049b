/**
 * The page as the desk knows it, and the work of making both agree: a reconciler, not a log.
 *
 * A mutation only marks an entry as dirty. Working on a dirty entry compares what is there now with what was sent and emits the difference, so that
 * the stream is consistent whatever the page does in between; a node that came and went between two slices costs nothing; a node that was moved is
 * removed and added anew under a new id. It can stop between any two nodes.
 */

import {
  DOCTYPE,
  ELEMENT,
  TEXT,
  above,
  firstChild,
  localName,
  nextSibling,
  nodeType,
  ofDocument,
  openShadowRoot,
  parentNode,
  textOf,
} from "./dom.js";
import { NODE } from "./format.js";
import { staying } from "./increasing.js";
import { BOX, CONTROL, OPAQUE, SHEET, SVG_ELEMENT } from "./privacy.js";

/** What of an entry is to be compared. */
export const CHILDREN = 1;
export const ATTRIBUTES = 2;
export const TEXTS = 4;

const TEXTLESS = new Set(["html", "head", "frameset"]);

/** Deeper than this the work goes on by the queue instead of the stack. */
const DEEPEST = 100;

/** One node as the desk knows it. Those of shadow roots have the id of their host, because rrweb's format has no node for a shadow root. */
export class Entry {
  parent;
  id;
  node;
  bits;
  children = null;
  /** The entry of its shadow root. */
  shadow = null;
  isShadowRoot = false;
  /** False where a text would only be space between elements. */
  hasTexts = true;
  dirty = 0;
  /** Attributes or text as sent. */
  sent = null;
  /** Set while the children are put in order. */
  place = 0;
  /** The change set in which it was last spoken of. */
  spoken = 0;
  /** What other parts know about it: a size, a picture, a control's state. */
  extra = null;

  constructor(id, node, parent, bits) {
    this.id = id;
    this.node = node;
    this.parent = parent;
    this.bits = bits;
  }
}

export class Tree {
  #entries = new WeakMap();
  #privacy;
  #changes;
  #over;
  #on;
  #queue = [];
  #head = 0;
  #graves = [];
  #nextId = 1;
  #suspects = new Set();
  #isReplaced = false;
  root = null;

  /**
   * `changes` collects what is to be sent; `over()` tells that the slice has no time left. `on` hears of entries: `added(entry)`,
   * `gone(entry)`, `shadowRoot(entry)`, and may add attributes by `extras(entry, attributes)`; `restart()` says that the document itself was replaced and
   * `failed(error)` that a node could not be read.
   */
  constructor({ privacy, changes, over, on }) {
    this.#privacy = privacy;
    this.#changes = changes;
    this.#over = over;
    this.#on = on;
  }

  /** The entry of a node that the desk knows. */
  find(node) {
    return this.#entries.get(node);
  }

  isAlive(entry) {
    let top = entry;
    while (top.parent) top = top.parent;
    return top === this.root;
  }

  /**
   * Whether it stands in the page where the desk believes it to stand. What was moved since may have come into a redacted view: nothing may be
   * told of it under its old place.
   */
  isInPlace(entry) {
    let top = entry;
    for (; top.parent; top = top.parent) if (above(top.node) !== top.parent.node) return false;
    return top === this.root;
  }

  get idle() {
    return this.#head >= this.#queue.length && this.#graves.length === 0;
  }

  /** Starts with nothing but the document's frame; returns it as rrweb's full snapshot has it. */
  begin(document, bits) {
    this.end();
    this.root = new Entry(this.#nextId++, document, null, bits);
    this.root.hasTexts = false;
    this.#entries.set(document, this.root);
    const node = { type: NODE.document, childNodes: [], id: this.root.id };
    if (ofDocument(document, "compatMode") === "BackCompat") node.compatMode = "BackCompat";
    const page = ofDocument(document, "documentElement");
    this.root.children = this.#frame(document, this.root, node.childNodes, (child) => child === page);
    return node;
  }

  #frame(parent, parentEntry, described, wanted) {
    const children = [];
    for (let child = firstChild(parent); child; child = nextSibling(child)) {
      if (nodeType(child) !== DOCTYPE && !wanted(child)) continue;
      const entry = this.#make(child, parentEntry);
      if (!entry) continue;
      const node = this.#describe(entry);
      children.push(entry);
      described.push(node);
      if (parentEntry === this.root && nodeType(child) === ELEMENT && !(entry.bits & OPAQUE)) {
        const frame = ["head", "body", "frameset"];
        entry.children = this.#frame(child, entry, node.childNodes, (inner) => nodeType(inner) === ELEMENT && frame.includes(localName(inner)));
      }
      if (entry.children) this.mark(entry, CHILDREN);
    }
    return children;
  }

  /** Forgets everything. */
  end() {
    this.#entries = new WeakMap();
    this.#queue = [];
    this.#head = 0;
    this.#graves = [];
    this.#suspects.clear();
    this.#isReplaced = false;
    this.root = null;
  }

  mark(entry, what) {
    if (entry.dirty === 0) this.#queue.push(entry);
    entry.dirty |= what;
  }

  /** Works until everything is done or the time is over; one step at least. */
  work() {
    while (this.#graves.length > 0) {
      this.#bury(this.#graves.pop());
      if (this.#over()) break;
    }
    while (this.#head < this.#queue.length && !this.#isReplaced) {
      this.#next();
      if (this.#over()) break;
    }
  }

  /** Something was changed that decides what an entry is. */
  suspect(entry) {
    this.#suspects.add(entry);
  }

  /** Takes back what is not any more what it was, before anything is compared: what lies below it would be told by what it was. */
  judgeSuspects() {
    for (const entry of this.#suspects) {
      try {
        if (this.isMisjudged(entry)) this.remake(entry);
      } catch (error) {
        this.remake(entry);
        this.#on.failed(error);
      }
    }
    this.#suspects.clear();
  }

  #takeMisplaced(entry) {
    let lowest = entry;
    while (above(lowest.node) === lowest.parent.node) lowest = lowest.parent;
    const { parent } = lowest;
    if (parent === this.root || lowest.isShadowRoot) {
      this.#replaced();
      return;
    }
    this.#dropMoved(lowest);
    this.mark(parent, CHILDREN);
  }

  /** The document is not the one that was told of. */
  #replaced() {
    this.#isReplaced = true;
    this.#on.restart();
  }

  #next() {
    const entry = this.#queue[this.#head];
    this.#queue[this.#head++] = null;
    if (this.#head === this.#queue.length || (this.#head > 1024 && this.#head * 2 > this.#queue.length)) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    if (!this.isAlive(entry)) return;
    if (!this.isInPlace(entry)) {
      this.#takeMisplaced(entry);
      return;
    }
    const { dirty } = entry;
    entry.dirty = 0;
    try {
      this.#compare(entry, dirty);
    } catch (error) {
      this.#on.failed(error);
    }
  }

  #compare(entry, dirty) {
    if (dirty & ATTRIBUTES && nodeType(entry.node) === ELEMENT) {
      if (this.#privacy.judge(entry.node, entry.parent.bits) !== entry.bits) {
        this.remake(entry);
        return;
      }
      this.#compareAttributes(entry);
      if (entry.parent === null) return;
    }
    if (dirty & TEXTS) {
      const text = this.#privacy.text(textOf(entry.node), entry.bits);
      if (text !== entry.sent) {
        entry.sent = text;
        this.#changes.text(entry, text);
      }
    }
    if (dirty & CHILDREN && entry.children) this.#compareChildren(entry, 0);
  }

  #compareAttributes(entry) {
    const now = this.#attributes(entry);
    const before = entry.sent;
    const changed = {};
    let any = false;
    for (const name in now) {
      if (now[name] !== before[name]) {
        changed[name] = now[name];
        any = true;
      }
    }
    for (const name in before) {
      if (!(name in now)) {
        changed[name] = null;
        any = true;
      }
    }
    if (!any) return;
    if (entry.bits & CONTROL && "type" in changed) {
      this.remake(entry);
      return;
    }
    entry.sent = now;
    this.#changes.attributes(entry, changed);
  }

  #attributes(entry) {
    const attributes = this.#privacy.attributes(entry.node, entry.bits);
    this.#on.extras(entry, attributes);
    return attributes;
  }

  /** Takes an entry back and has it sent anew, because what may be seen of it has changed. */
  remake(entry) {
    const { parent } = entry;
    if (!parent || !this.isAlive(entry)) return;
    if (parent === this.root || parent.parent === this.root) {
      this.#replaced();
      return;
    }
    this.#remove(entry);
    parent.children.splice(parent.children.indexOf(entry), 1);
    this.mark(parent, CHILDREN);
  }

  /** Whether the desk should see this entry differently than it does. */
  isMisjudged(entry) {
    return this.isAlive(entry) && entry.parent && this.#privacy.judge(entry.node, entry.parent.bits) !== entry.bits;
  }

  #wanted(entry) {
    const nodes = [];
    const { node, bits } = entry;
    for (let child = firstChild(node); child; child = nextSibling(child)) {
      const known = this.#entries.get(child);
      if ((known && known.parent === entry) || this.#judge(child, bits, entry) >= 0) nodes.push(child);
    }
    return nodes;
  }

  #judge(node, parentBits, parent) {
    if (nodeType(node) === DOCTYPE) return parent === this.root ? 0 : -1;
    if (nodeType(node) === TEXT && !parent.hasTexts) return -1;
    return this.#privacy.judge(node, parentBits);
  }

  #compareChildren(entry, depth) {
    const before = entry.children;
    const nodes = this.#wanted(entry);
    let start = 0;
    let beforeEnd = before.length;
    let end = nodes.length;
    while (start < beforeEnd && start < end && before[start].node === nodes[start]) start++;
    while (beforeEnd > start && end > start && before[beforeEnd - 1].node === nodes[end - 1]) {
      beforeEnd--;
      end--;
    }
    if (start === beforeEnd && start === end) return;
    if (entry === this.root) {
      this.#replaced();
      return;
    }
    const places = [];
    for (let at = start; at < beforeEnd; at++) before[at].place = at;
    for (let at = start; at < end; at++) {
      const known = this.#entries.get(nodes[at]);
      places.push(known && known.parent === entry ? known.place : -1);
    }
    const stays = staying(places);
    const staysAt = new Set();
    for (let at = 0; at < places.length; at++) if (stays[at]) staysAt.add(places[at]);
    const kept = [];
    for (let at = start; at < beforeEnd; at++) {
      if (staysAt.has(at)) kept.push(before[at]);
      else this.#remove(before[at]);
    }
    const after = before.slice(beforeEnd);
    // While children are added the list is what the desk has, so that whatever else happens finds the truth.
    const children = before.slice(0, start);
    let at = start;
    let nextKept = 0;
    let done = true;
    for (; at < end; at++) {
      if (stays[at - start]) {
        children.push(kept[nextKept++]);
        continue;
      }
      if (this.#over() || this.#isReplaced) {
        done = false;
        break;
      }
      const child = this.#add(nodes[at], entry, kept[nextKept] ?? after[0] ?? null);
      if (!child) continue;
      children.push(child);
      if (child.shadow) this.#fill(child.shadow, depth);
      if (child.children) this.#fill(child, depth);
    }
    while (nextKept < kept.length) children.push(kept[nextKept++]);
    entry.children = children.concat(after);
    if (!done) this.mark(entry, CHILDREN);
  }

  /** The children of an entry that is new. Whatever goes wrong there, the list of its parent must be finished. */
  #fill(entry, depth) {
    if (depth >= DEEPEST) {
      this.mark(entry, CHILDREN);
      return;
    }
    try {
      this.#compareChildren(entry, depth + 1);
    } catch (error) {
      this.#on.failed(error);
    }
  }

  #add(node, parent, next) {
    const known = this.#entries.get(node);
    if (known && this.isAlive(known)) this.#dropMoved(known);
    try {
      const entry = this.#make(node, parent);
      if (!entry) return null;
      const described = this.#describe(entry);
      if (parent.isShadowRoot) described.isShadow = true;
      this.#changes.add(entry, next, described);
      this.#on.added(entry);
      return entry;
    } catch (error) {
      this.#entries.delete(node);
      this.#on.failed(error);
      return null;
    }
  }

  #make(node, parent) {
    const bits = this.#judge(node, parent.bits, parent);
    if (bits < 0) return null;
    const entry = new Entry(this.#nextId++, node, parent, bits);
    if (nodeType(node) === ELEMENT && !(bits & OPAQUE)) {
      entry.children = [];
      entry.hasTexts = !TEXTLESS.has(localName(node));
    }
    this.#entries.set(node, entry);
    return entry;
  }

  /** A node as rrweb's format has it, without children. */
  #describe(entry) {
    const { node, id, bits } = entry;
    const type = nodeType(node);
    if (type === TEXT) {
      entry.sent = this.#privacy.text(textOf(node), bits);
      return { type: NODE.text, textContent: entry.sent, id };
    }
    if (type === DOCTYPE) return { type: NODE.doctype, name: node.name, publicId: node.publicId, systemId: node.systemId, id };
    entry.sent = this.#attributes(entry);
    const tagName = this.#privacy.tag(node, bits);
    const described = { type: NODE.element, tagName, attributes: entry.sent, childNodes: [], id };
    if ((bits & (SVG_ELEMENT | SHEET | BOX)) === SVG_ELEMENT) described.isSVG = true;
    if (tagName.includes("-") && !described.isSVG) described.isCustom = true;
    if (bits & SHEET) described.attributes = { ...entry.sent, _cssText: "" };
    if (bits & CONTROL) this.#describeControl(entry, described);
    if (!(bits & OPAQUE) && this.#addShadow(entry)) described.isShadowHost = true;
    return described;
  }

  #describeControl(entry, described) {
    const state = this.#privacy.controlState(entry.node, entry.bits);
    if (state === null) return;
    // The options of a select are not there yet, so its choice is told later.
    entry.extra = localName(entry.node) === "select" ? { text: "", isChecked: false } : state;
    described.attributes = { ...entry.sent };
    if (state.isChecked) described.attributes.checked = true;
    else if (described.tagName !== "select" && state.text !== "" && state.text !== "on") described.attributes.value = state.text;
  }

  /** Takes up an open shadow root; true where there is one. */
  #addShadow(entry) {
    const root = openShadowRoot(entry.node);
    if (!root) return false;
    const shadow = new Entry(entry.id, root, entry, entry.bits);
    shadow.isShadowRoot = true;
    shadow.children = [];
    entry.shadow = shadow;
    this.#entries.set(root, shadow);
    this.#on.shadowRoot(shadow);
    return true;
  }

  /** A node that is needed elsewhere: its old parent gives away whatever it no longer has, in one go. */
  #dropMoved(entry) {
    const { parent } = entry;
    if (!parent) return;
    const children = [];
    for (const child of parent.children) {
      if (parentNode(child.node) === parent.node && child !== entry) children.push(child);
      else this.#remove(child);
    }
    parent.children = children;
  }

  #remove(entry) {
    this.#changes.remove(entry);
    entry.parent = null;
    this.#graves.push(entry);
  }

  #bury(entry) {
    const { node, children, shadow } = entry;
    if (this.#entries.get(node) === entry) this.#entries.delete(node);
    if (children) for (const child of children) this.#graves.push(child);
    if (shadow) this.#graves.push(shadow);
    this.#on.gone(entry);
    entry.children = null;
    entry.shadow = null;
    entry.extra = null;
    entry.parent = null;
    entry.node = null;
    entry.dirty = 0;
  }
}


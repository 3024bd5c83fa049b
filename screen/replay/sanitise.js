// Decides what of a recording reaches the Replayer. A recording comes from the customer's browser, so anybody may have written it: every event is made
// anew from the fields, elements, attributes and values that are known to be harmless, and whatever is not known is left out. Nothing of the original
// objects is handed on. It never throws, whatever it is given.
//
// It also keeps what the Replayer would stumble over away from it (an id twice, a child of a node that is not there), because a view that breaks is a view
// that the agent cannot use. To do so it remembers which nodes there are; `reset()` forgets them.

import { cleanCss, isHarmlessAddress, isPicture } from "./css.js";
import {
  ACTIVE_ATTRIBUTE,
  ATTRIBUTE_NAME,
  ATTRIBUTES,
  BOXED_TAGS,
  HIDDEN_TAGS,
  HTML_TAGS,
  NAMED_IN_FORMS,
  NOT_OWN,
  OWN_TAG,
  PROPERTY_NAME,
  SCOPE_ATTRIBUTE,
  SHADOW_HOSTS,
  SVG_ATTRIBUTES,
  SVG_TAGS,
} from "./vocabulary.js";

/** rrweb's numbers for events, sources, nodes and interactions. */
const EVENT = { full: 2, incremental: 3, meta: 4, custom: 5 };
const SOURCE = { mutation: 0, mouseMove: 1, interaction: 2, scroll: 3, resize: 4, input: 5, touchMove: 6, sheetRule: 8, declaration: 13, adopted: 15 };
const NODE = { document: 0, doctype: 1, element: 2, text: 3, cdata: 4, comment: 5 };
/** Click, and a finger that comes and goes. Focus is missing: nothing on the desk takes it. */
const INTERACTIONS = new Set([2, 7, 9]);

/** The event that says that everything of the page has been told. */
export const COMPLETE_TAG = "sportello.complete";
/** The element that stands for what is not shown, and the one that only keeps a place. */
export const BOX_TAG = "sportello-box";
export const PLACE_TAG = "sportello-place";
/** How a dialog is marked that covers the page: the Replayer itself would move the focus into it. */
export const MODAL_ATTRIBUTE = "data-sportello-modal";

const MAX = {
  nodes: 150_000,
  depth: 400,
  attributes: 300,
  textChars: 1_000_000,
  valueChars: 100_000,
  pictureChars: 4_000_000,
  changes: 100_000,
  removals: 20_000,
  /** Nodes looked at below those that one event moves. */
  steps: 2_000_000,
  rules: 5_000,
  positions: 100,
  viewport_px: 16_000,
  offset_px: 10_000_000,
  /** Of all CSS that one snapshot brings. */
  cssChars: 16_000_000,
};
const PIXELS = /^\d{1,5}(?:\.\d{1,4})?px$/u;
const IDENTIFIER = /^[\w\s./:-]{0,200}$/u;

/** Whether `value` is an object with fields, and not a list. */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const listOf = (value, most) => (Array.isArray(value) ? value.slice(0, most) : []);
const idOf = (value) => (Number.isSafeInteger(value) && value > 0 ? value : null);
const numberOf = (value, least, most, otherwise = 0) => (Number.isFinite(value) ? Math.min(Math.max(value, least), most) : otherwise);
const matches = (value, pattern) => typeof value === "string" && pattern.test(value);
const textOf = (value) => (typeof value === "string" ? value.slice(0, MAX.textChars) : "");
const indexOf = (value) => {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  if (Array.isArray(value) && value.length > 0 && value.length <= 16 && value.every((one) => Number.isSafeInteger(one) && one >= 0)) return [...value];
  return undefined;
};

export class Sanitiser {
  /** By id what a node is: `{ tag, parent, children, isShadowHost }`; `tag` is `#text`, `#document` or the element that is shown. */
  #nodes = new Map();
  #documentId = null;
  #cssChars = 0;
  #steps = 0;
  #isTaken;

  /**
   * `isTaken(name)` says whether an element's id would hide something of the browser's own (`document.createElement` behind an image named
   * `createElement`); such names are left out.
   */
  constructor({ isTaken = () => false } = {}) {
    this.#isTaken = isTaken;
  }

  /** Whether more was told than is shown: too many elements, or too much CSS. */
  isCut = false;

  reset() {
    this.#nodes.clear();
    this.#documentId = null;
    this.#cssChars = 0;
    this.isCut = false;
  }

  /** The event as the Replayer may have it, or `null` where nothing of it is left. */
  clean(event) {
    if (!isObject(event) || !isObject(event.data)) return null;
    const data = this.#data(event.type, event.data);
    return data && { type: event.type, data, timestamp: 0 };
  }

  #data(type, data) {
    switch (type) {
      case EVENT.meta:
        return { href: "", ...viewport(data) };
      case EVENT.full:
        return this.#snapshot(data);
      case EVENT.custom:
        return data.tag === COMPLETE_TAG ? { tag: COMPLETE_TAG, payload: null } : null;
      case EVENT.incremental:
        return this.#change(data);
      default:
        return null;
    }
  }

  // --- a whole page -----------------------------------------------------------------------------------------------------------------

  #snapshot({ node, initialOffset }) {
    this.reset();
    const id = isObject(node) && node.type === NODE.document ? idOf(node.id) : null;
    if (id === null) return null;
    this.#documentId = id;
    this.#nodes.set(id, { tag: "#document", parent: null, children: new Set() });
    const children = [];
    for (const child of listOf(node.childNodes, MAX.changes)) {
      const isDoctype = child?.type === NODE.doctype;
      if (!isDoctype && !(child?.type === NODE.element && child.tagName === "html")) continue;
      // A document has one of each, the doctype first.
      if (children.some((known) => known.type === child.type || isDoctype)) continue;
      const clean = this.#node(child, id, 1);
      if (clean) children.push(clean);
    }
    if (children.at(-1)?.type !== NODE.element) return null;
    const left = numberOf(initialOffset?.left, 0, MAX.offset_px);
    const top = numberOf(initialOffset?.top, 0, MAX.offset_px);
    const document = { type: NODE.document, id, childNodes: children };
    if (node.compatMode === "BackCompat") document.compatMode = "BackCompat";
    return { node: document, initialOffset: { left, top } };
  }

  /** A node with what is below it, or `null`. `depth` counts from the document; with `isAlone` what is below it is told by itself. */
  #node(node, parentId, depth, isAlone = false) {
    if (!isObject(node)) return null;
    const id = idOf(node.id);
    const parent = this.#nodes.get(parentId);
    if (id === null || !parent || depth > MAX.depth) return null;
    // In a snapshot an id stands for one node; a change may tell a known one again, because it was moved.
    if (this.#nodes.has(id) && (!isAlone || id === this.#documentId)) return null;
    if (!this.#nodes.has(id) && this.#nodes.size >= MAX.nodes) {
      this.isCut = true;
      return null;
    }
    switch (node.type) {
      case NODE.doctype:
        if (parent.tag !== "#document") return null;
        this.#keep(id, "#doctype", parentId);
        return { type: NODE.doctype, id, name: "html", publicId: identifier(node.publicId), systemId: identifier(node.systemId) };
      case NODE.element:
        return this.#element(node, id, parentId, depth, isAlone);
      case NODE.text:
        return parent.tag === "#document" ? null : this.#text(node, id, parentId, parent);
      case NODE.cdata:
      case NODE.comment:
        // Only the place is kept: others are told to stand before or after it.
        if (parent.tag === "#document") return null;
        this.#keep(id, "#comment", parentId);
        return { type: NODE.comment, id, textContent: "" };
      default:
        return null;
    }
  }

  #text(node, id, parentId, parent) {
    const isStyle = parent.tag === "style";
    this.#keep(id, "#text", parentId);
    const text = parent.hasSheet ? "" : textOf(node.textContent);
    const clean = { type: NODE.text, id, textContent: isStyle ? this.#css(text) : text };
    if (isStyle) clean.isStyle = true;
    return withShadow(clean, node, parent);
  }

  #element(node, id, parentId, depth, isAlone) {
    const parent = this.#nodes.get(parentId);
    const isSVG = node.isSVG === true;
    const told = typeof node.tagName === "string" ? node.tagName.slice(0, 100) : "";
    // The text of a linked style sheet may be told later.
    const isLinkedSheet = told === "link" && !isSVG && matches(node.attributes?.rel, /\bstylesheet\b/iu);
    const hasSheet = typeof node.attributes?._cssText === "string";
    const tag = told === "link" && (isLinkedSheet || hasSheet) ? "style" : shownTag(told, isSVG);
    if (parent.tag === "#document" && tag !== "html") return null;
    if (parent.tag !== "#document" && tag === "html") return null;
    const isOwn = !isSVG && OWN_TAG.test(tag) && tag !== BOX_TAG && tag !== PLACE_TAG;
    const isShadowHost = node.isShadowHost === true && (isOwn || SHADOW_HOSTS.has(tag));
    const entry = this.#keep(id, tag, parentId);
    entry.isSVG = isSVG;
    entry.isShadowHost = isShadowHost;
    entry.hasSheet = hasSheet && tag === "style";
    entry.isLeaf = tag === BOX_TAG || tag === PLACE_TAG;
    const clean = { type: NODE.element, id, tagName: tag, attributes: this.#attributes(node.attributes, entry), childNodes: [] };
    if (isSVG && SVG_TAGS.has(tag)) clean.isSVG = true;
    if (isOwn && node.isCustom === true && !NOT_OWN.has(tag)) clean.isCustom = true;
    if (isShadowHost) clean.isShadowHost = true;
    if (!entry.isLeaf && !isAlone) {
      for (const child of listOf(node.childNodes, MAX.nodes)) {
        const below = this.#node(child, id, depth + 1);
        if (below) clean.childNodes.push(below);
      }
    }
    return withShadow(clean, node, parent);
  }

  #keep(id, tag, parentId) {
    const known = this.#nodes.get(id);
    if (known) this.#nodes.get(known.parent)?.children.delete(id);
    const entry = { tag, parent: parentId, children: known?.children ?? new Set() };
    this.#nodes.set(id, entry);
    this.#nodes.get(parentId).children.add(id);
    return entry;
  }

  #forget(id) {
    const entry = this.#nodes.get(id);
    if (!entry) return;
    this.#nodes.get(entry.parent)?.children.delete(id);
    const below = [id];
    while (below.length > 0) {
      const one = below.pop();
      const children = this.#nodes.get(one)?.children ?? [];
      this.#nodes.delete(one);
      for (const child of children) below.push(child);
    }
  }

  // --- attributes -------------------------------------------------------------------------------------------------------------------

  #attributes(attributes, entry) {
    const clean = {};
    if (!isObject(attributes)) return clean;
    for (const name of Object.keys(attributes).slice(0, MAX.attributes)) {
      const [shownName, value] = this.#attribute(name, attributes[name], entry);
      if (value !== undefined && value !== null) clean[shownName] = value;
    }
    if (entry.tag === BOX_TAG) {
      for (const side of ["width", "height"]) {
        if (/^\d{1,4}$/u.test(clean[side] ?? "")) clean[`rr_${side}`] ??= `${clean[side]}px`;
        delete clean[side];
      }
    }
    return clean;
  }

  /** `[name, value]` as it is set: `undefined` where the name is none to be set, `null` where the value is none to be shown. */
  #attribute(name, told, entry) {
    const { tag, isSVG } = entry;
    const nothing = [name, undefined];
    if (!ATTRIBUTE_NAME.test(name) || tag === PLACE_TAG) return nothing;
    if (name.startsWith("rr_")) return this.#specialAttribute(name, told, tag);
    if (told === null || told === false) return [name, null];
    if (name === "_cssText") return tag === "style" && typeof told === "string" ? [name, this.#css(told)] : nothing;
    if (name === "style") return [name, this.#style(told)];
    const value = told === true ? "" : typeof told === "number" && Number.isFinite(told) ? String(told) : told;
    if (typeof value !== "string") return nothing;
    if (name === "src") return tag === "img" || tag === "input" ? [name, picture(value)] : nothing;
    if (name === "href" || name === "xlink:href") return address(name, value, tag, isSVG);
    if (name === "media" || name === "type") return tag === "style" || name === "type" ? [name, value.slice(0, 1_000)] : nothing;
    if (name === "id") return [name, NAMED_IN_FORMS.has(tag) && this.#isTaken(value) ? null : value.slice(0, 1_000)];
    const lower = name.toLowerCase();
    const short = value.slice(0, lower === "value" ? MAX.textChars : MAX.valueChars);
    if (SCOPE_ATTRIBUTE.test(name) && name !== MODAL_ATTRIBUTE) return [name, short];
    if (isSVG && SVG_ATTRIBUTES.has(lower)) return [name, /[(\\@]/u.test(short) ? cleanCss(short) : short];
    if (ATTRIBUTES.has(lower)) return [lower, short];
    if (OWN_TAG.test(tag) && !entry.isLeaf && name === lower && !ACTIVE_ATTRIBUTE.test(name)) return [name, short];
    return nothing;
  }

  #specialAttribute(name, told, tag) {
    if (name === "rr_width" || name === "rr_height") return [name, matches(told, PIXELS) ? told : null];
    if (name === "rr_scrollLeft" || name === "rr_scrollTop") return [name, Number.isFinite(told) ? numberOf(told, -MAX.offset_px, MAX.offset_px) : null];
    if (name === "rr_dataURL") return [name, (tag === "img" || tag === "canvas") && typeof told === "string" ? picture(told) : null];
    if (name === "rr_open_mode") return [MODAL_ATTRIBUTE, tag === "dialog" && told === "modal" ? "" : null];
    return [name, undefined];
  }

  /** A style attribute, as a text or as the properties that changed. */
  #style(told) {
    if (typeof told === "string") return this.#css(told);
    if (!isObject(told)) return null;
    const clean = {};
    for (const property of Object.keys(told).slice(0, MAX.attributes)) {
      if (!PROPERTY_NAME.test(property)) continue;
      const value = told[property];
      if (value === false) clean[property] = false;
      else if (typeof value === "string") clean[property] = this.#value(value);
      else if (Array.isArray(value) && typeof value[0] === "string") clean[property] = [this.#value(value[0]), value[1] === "important" ? "important" : ""];
    }
    return clean;
  }

  #value(text) {
    return /[(\\@"'/]/u.test(text) ? this.#css(text) : text.slice(0, MAX.valueChars);
  }

  #css(text) {
    // The Replayer cuts a style sheet at these marks, and joins what they part.
    const css = cleanCss(text.replaceAll("/* rr_split */", "/**/"));
    this.#cssChars += css.length;
    if (this.#cssChars <= MAX.cssChars) return css;
    this.isCut = true;
    return "";
  }

  // --- what changes -----------------------------------------------------------------------------------------------------------------

  #change(data) {
    const id = idOf(data.id);
    const entry = this.#nodes.get(id);
    switch (data.source) {
      case SOURCE.mutation:
        return this.#mutation(data);
      case SOURCE.mouseMove:
      case SOURCE.touchMove: {
        const positions = listOf(data.positions, MAX.positions).filter((one) => isObject(one) && this.#nodes.has(one.id));
        if (positions.length === 0) return null;
        return { source: data.source, positions: positions.map((one) => ({ ...point(one), id: one.id, timeOffset: 0 })) };
      }
      case SOURCE.interaction:
        if (!INTERACTIONS.has(data.type) || !entry) return null;
        return { source: data.source, type: data.type, id, ...point(data) };
      case SOURCE.scroll:
        return entry && { source: data.source, id, ...point(data) };
      case SOURCE.resize:
        return { source: data.source, ...viewport(data) };
      case SOURCE.input:
        if (!["input", "textarea", "select"].includes(entry?.tag)) return null;
        return { source: data.source, id, text: textOf(data.text), isChecked: data.isChecked === true };
      case SOURCE.sheetRule:
        return this.#sheetRule(data);
      case SOURCE.declaration:
        return this.#declaration(data);
      case SOURCE.adopted:
        return this.#adopted(data, id, entry);
      default:
        return null;
    }
  }

  #mutation(data) {
    this.#steps = MAX.steps;
    const clean = { source: SOURCE.mutation, adds: [], removes: [], texts: [], attributes: [] };
    for (const removal of listOf(data.removes, MAX.removals)) {
      const id = idOf(removal?.id);
      const entry = this.#nodes.get(id);
      if (!entry || entry.tag === "#document" || entry.tag === "html") continue;
      const isShadow = removal.isShadow === true && this.#nodes.get(entry.parent)?.isShadowHost === true;
      clean.removes.push({ parentId: entry.parent, id, ...(isShadow && { isShadow }) });
      this.#forget(id);
    }
    for (const addition of listOf(data.adds, MAX.changes)) {
      const added = this.#addition(addition);
      if (added) clean.adds.push(added);
    }
    for (const change of listOf(data.texts, MAX.removals)) {
      const id = idOf(change?.id);
      const entry = this.#nodes.get(id);
      // Only of a text: for an element the same event would replace all that is in it.
      if (entry?.tag !== "#text") continue;
      const text = textOf(change.value);
      clean.texts.push({ id, value: this.#nodes.get(entry.parent)?.tag === "style" ? this.#css(text) : text });
    }
    for (const change of listOf(data.attributes, MAX.changes)) {
      const id = idOf(change?.id);
      const entry = this.#nodes.get(id);
      if (!entry || entry.tag.startsWith("#") || !isObject(change.attributes)) continue;
      const attributes = {};
      for (const name of Object.keys(change.attributes).slice(0, MAX.attributes)) {
        const [shownName, value] = this.#attribute(name, change.attributes[name], entry);
        // Of the Replayer's own names only the one that was renamed has a meaning in a change.
        if (value !== undefined && !shownName.startsWith("rr_")) attributes[shownName] = value;
      }
      if (Object.keys(attributes).length > 0) clean.attributes.push({ id, attributes });
    }
    return clean.adds.length + clean.removes.length + clean.texts.length + clean.attributes.length > 0 ? clean : null;
  }

  #addition(addition) {
    if (!isObject(addition)) return null;
    const parentId = idOf(addition.parentId);
    const parent = this.#nodes.get(parentId);
    if (!parent || parent.tag.startsWith("#") || parent.isLeaf) return null;
    const id = idOf(addition.node?.id);
    // A node cannot be put into itself.
    let depth = 0;
    for (let above = parentId; above !== null; above = this.#nodes.get(above)?.parent ?? null) {
      depth += 1;
      if (above === id || depth > MAX.depth) return null;
    }
    if (this.#nodes.get(id)?.children.size > 0 && depth + this.#height(id) > MAX.depth) return null;
    const node = this.#node(addition.node, parentId, 1, true);
    if (!node) return null;
    const nextId = this.#nodes.get(addition.nextId)?.parent === parentId ? addition.nextId : null;
    const previousId = this.#nodes.get(addition.previousId)?.parent === parentId ? addition.previousId : null;
    return { parentId, nextId, ...(previousId !== null && { previousId }), node };
  }

  /** How many levels a node that was moved brings along. Past a limit of work it is more than any. */
  #height(id) {
    let height = 0;
    for (let level = [id]; level.length > 0; height += 1) {
      this.#steps -= level.length;
      if (this.#steps < 0 || height > MAX.depth) return Number.POSITIVE_INFINITY;
      level = level.flatMap((one) => [...(this.#nodes.get(one)?.children ?? [])]);
    }
    return height;
  }

  #rules(rules) {
    return listOf(rules, MAX.rules)
      .filter((one) => isObject(one) && typeof one.rule === "string")
      .map((one) => ({ rule: this.#css(one.rule), index: indexOf(one.index) }));
  }

  #sheet(data) {
    const styleId = idOf(data.styleId);
    if (styleId !== null) return { styleId };
    const id = idOf(data.id);
    return this.#nodes.get(id)?.tag === "style" ? { id } : null;
  }

  #sheetRule(data) {
    const sheet = this.#sheet(data);
    if (!sheet) return null;
    const clean = { source: SOURCE.sheetRule, ...sheet, adds: this.#rules(data.adds), removes: [] };
    for (const removal of listOf(data.removes, MAX.rules)) {
      const index = indexOf(removal?.index);
      if (index !== undefined) clean.removes.push({ index });
    }
    for (const name of ["replace", "replaceSync"]) if (typeof data[name] === "string") clean[name] = this.#css(data[name]);
    return clean;
  }

  #declaration(data) {
    const sheet = this.#sheet(data);
    const index = indexOf(data.index);
    if (!sheet || !Array.isArray(index)) return null;
    const clean = { source: SOURCE.declaration, ...sheet, index };
    const { set, remove } = data;
    if (isObject(set) && matches(set.property, PROPERTY_NAME)) {
      const value = typeof set.value === "string" ? this.#value(set.value) : "";
      clean.set = { property: set.property, value, priority: set.priority === "important" ? "important" : "" };
    }
    if (isObject(remove) && matches(remove.property, PROPERTY_NAME)) clean.remove = { property: remove.property };
    return clean.set || clean.remove ? clean : null;
  }

  #adopted(data, id, entry) {
    if (!entry || !(entry.isShadowHost || entry.tag === "#document")) return null;
    const styleIds = listOf(data.styleIds, MAX.rules).filter((one) => idOf(one) !== null);
    const styles = listOf(data.styles, MAX.rules)
      .filter((one) => isObject(one) && idOf(one.styleId) !== null)
      .map((one) => ({ styleId: one.styleId, rules: this.#rules(one.rules) }));
    return { source: SOURCE.adopted, id, styleIds, styles };
  }
}

/** The element that is shown for one that was told. */
function shownTag(told, isSVG) {
  if (isSVG) return SVG_TAGS.has(told) ? told : HIDDEN_TAGS.has(told) ? PLACE_TAG : "g";
  const tag = told.toLowerCase();
  if (HIDDEN_TAGS.has(tag)) return PLACE_TAG;
  if (HTML_TAGS.has(tag)) return tag;
  if (BOXED_TAGS.has(tag)) return BOX_TAG;
  if (OWN_TAG.test(tag) && tag.length <= 100 && !NOT_OWN.has(tag)) return tag;
  return "span";
}

function withShadow(clean, node, parent) {
  if (node.isShadow === true && parent.isShadowHost) clean.isShadow = true;
  return clean;
}

function picture(value) {
  return value.length <= MAX.pictureChars && isPicture(value) ? value : null;
}

/** Links lead nowhere; parts of a picture may name another part of it. */
function address(name, value, tag, isSVG) {
  if (isSVG && tag !== "a") return [name, value.length <= MAX.pictureChars && isHarmlessAddress(value) ? value : null];
  if (name !== "href") return [name, undefined];
  return [name, tag === "a" || tag === "area" ? "#" : undefined];
}

function identifier(value) {
  return matches(value, IDENTIFIER) ? value : "";
}

function viewport({ width, height }) {
  return { width: numberOf(width, 1, MAX.viewport_px, 1_024), height: numberOf(height, 1, MAX.viewport_px, 768) };
}

function point({ x, y }) {
  return { x: numberOf(x, -MAX.offset_px, MAX.offset_px), y: numberOf(y, -MAX.offset_px, MAX.offset_px) };
}

/**
 * The events of rrweb's format that are used (rrweb 2, `@rrweb/types`): their numbers, and nothing that decides what is in them.
 */

const FULL_SNAPSHOT = 2;
const INCREMENTAL = 3;
const META = 4;
const CUSTOM = 5;

const SOURCE = { mutation: 0, mouseMove: 1, mouseInteraction: 2, scroll: 3, resize: 4, input: 5, adoptedStyleSheets: 15 };

export const NODE = { document: 0, doctype: 1, element: 2, text: 3 };
export const INTERACTION = { mouseUp: 0, mouseDown: 1, click: 2, focus: 5, blur: 6 };

/** The tags of the Custom events. */
export const TAG = { complete: "sportello.complete", address: "sportello.address" };

const event = (type, data) => ({ type, data, timestamp: Date.now() });
const incremental = (source, data) => event(INCREMENTAL, { source, ...data });

export const meta = (href, width, height) => event(META, { href, width, height });
export const snapshot = (node) => event(FULL_SNAPSHOT, { node, initialOffset: { left: 0, top: 0 } });
export const custom = (tag, payload) => event(CUSTOM, { tag, payload });
export const mutation = (changes) => incremental(SOURCE.mutation, changes);
export const scroll = (id, x, y) => incremental(SOURCE.scroll, { id, x, y });
export const resize = (width, height) => incremental(SOURCE.resize, { width, height });
export const input = (id, text, isChecked) => incremental(SOURCE.input, { id, text, isChecked });
export const mouseMove = (positions) => incremental(SOURCE.mouseMove, { positions });
export const interaction = (type, id, x, y) => incremental(SOURCE.mouseInteraction, { type, id, x, y });
export const adopted = (id, styleIds, styles) => incremental(SOURCE.adoptedStyleSheets, { id, styleIds, styles });

/**
 * Reading the page's nodes by the browser's own accessors, taken once when this file is loaded.
 *
 * `form.attributes` is a text field where a form has a field of that name, and a page may give its elements properties of its own: reading
 * `node.name` would then run the page's code, or believe it. Nothing here writes, and nothing is patched.
 */

const getter = (prototype, name) => {
  const read = Object.getOwnPropertyDescriptor(prototype, name).get;
  return (node) => read.call(node);
};

export const nodeType = getter(Node.prototype, "nodeType");
export const parentNode = getter(Node.prototype, "parentNode");
export const firstChild = getter(Node.prototype, "firstChild");
export const nextSibling = getter(Node.prototype, "nextSibling");
export const isConnected = getter(Node.prototype, "isConnected");
export const textOf = getter(CharacterData.prototype, "data");
export const localName = getter(Element.prototype, "localName");
export const namespaceOf = getter(Element.prototype, "namespaceURI");
export const openShadowRoot = getter(Element.prototype, "shadowRoot");
export const hostOf = getter(ShadowRoot.prototype, "host");

const slotOfElement = getter(Element.prototype, "assignedSlot");
const slotOfText = getter(Text.prototype, "assignedSlot");
const { assignedNodes } = HTMLSlotElement.prototype;

const { getAttribute, getAttributeNames, hasAttribute } = Element.prototype;

export const attribute = (element, name) => getAttribute.call(element, name);
export const attributeNames = (element) => getAttributeNames.call(element);
export const has = (element, name) => hasAttribute.call(element, name);

export const ELEMENT = 1;
export const TEXT = 3;
export const DOCUMENT = 9;
export const DOCTYPE = 10;
export const FRAGMENT = 11;

export const HTML = "http://www.w3.org/1999/xhtml";
export const SVG = "http://www.w3.org/2000/svg";

/** The parent, and from a shadow root its host. */
export function above(node) {
  return parentNode(node) ?? (nodeType(node) === FRAGMENT && node instanceof ShadowRoot ? hostOf(node) : null);
}

/** The slot of an open shadow tree in which a node is shown, or null. */
export function slotOf(node) {
  const type = nodeType(node);
  return type === ELEMENT ? slotOfElement(node) : type === TEXT ? slotOfText(node) : null;
}

/** What is shown in a slot, through slots of other trees too. */
export const shownIn = (slot) => assignedNodes.call(slot, { flatten: true });

/** All elements below a document, a shadow root or an element that match. */
export function selectAll(root, selector) {
  const type = nodeType(root);
  const { querySelectorAll } = type === ELEMENT ? Element.prototype : type === DOCUMENT ? Document.prototype : DocumentFragment.prototype;
  return querySelectorAll.call(root, selector);
}

/** A document's property: a page that has an image named `doctype` has put it in front of the browser's. */
export const ofDocument = (document, property) => own(document, "Document", property);

export const { addEventListener, removeEventListener } = EventTarget.prototype;

/** An element's property by the browser's accessor for elements of that kind: its value, or undefined where it has none. */
export function own(element, interfaceName, property) {
  const prototype = globalThis[interfaceName]?.prototype;
  return prototype && Object.getOwnPropertyDescriptor(prototype, property)?.get?.call(element);
}

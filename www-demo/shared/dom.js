// Makes DOM nodes. Text always becomes a text node: there is no way through this module to turn a string into markup.

/**
 * A new element.
 * `props` may hold `class`, `on` (listeners by event name), `data` (data attributes); anything else is an attribute, left out where it is
 * `null`, `undefined` or `false`. Children are nodes or texts.
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (name === "data") Object.assign(node.dataset, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  append(node, children);
  return node;
}

/** Appends nodes and texts, skipping what is `null`, `undefined` or `false`. */
export function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

/** Replaces everything inside `node`. */
export function fill(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

/** The element with this id. A page without it is broken, so this fails loudly and early. */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`the page has no element with id "${id}"`);
  return node;
}

/** Shows or hides a node for everybody, screen readers included. */
export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

/** Sets a text only where it differs, so that live regions do not repeat themselves. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

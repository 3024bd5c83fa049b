// Changes a page at random: everything that the recorder says it follows. The same seed makes the same changes.

/** A small generator of numbers (mulberry32). */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

let random = generator(1);
let serial = 0;
const below = (limit) => Math.floor(random() * limit);
const one = (list) => list[below(list.length)];
const chance = (probability) => random() < probability;

customElements.define("own-host", class extends HTMLElement {});

export function seed(number) {
  random = generator(number);
  serial = 0;
}

const CLASSES = ["a", "b", "redacted", "unredacted", "c"];
/** What was a password field stays secret whatever becomes of its type. */
export const passwords = new WeakSet();
/** Elements that were taken out and may come back. */
const drawer = [];

function roots() {
  const found = [document.body];
  for (let at = 0; at < found.length; at++) {
    for (const element of found[at].querySelectorAll("*")) if (element.shadowRoot) found.push(element.shadowRoot);
  }
  return found;
}

/** What is scrolled keeps its size, so that both pages can be scrolled to the same place. */
const CHANGEABLE = ":not(#scroller, #scroller *, option)";
const isContainer = (element) => /^(?:div|p|ul|li|span|section|own-host|details)$/u.test(element.localName);

/** A random container anywhere in the page. */
function container() {
  const root = one(roots());
  const inside = [...root.querySelectorAll(CHANGEABLE)].filter(isContainer);
  return inside.length === 0 || chance(0.15) ? root : one(inside);
}

/** A random element that is not the body. */
function element(filter = () => true) {
  const all = roots().flatMap((root) => [...root.querySelectorAll(CHANGEABLE)].filter(filter));
  return all.length === 0 ? null : one(all);
}

const words = () => `w${serial++} ${one(["apple", "pear", "plum"])}`;

function make(depth = 0) {
  const kind = below(20);
  if (kind < 4) return document.createTextNode(chance(0.1) ? "" : words());
  if (kind === 4) return document.createComment(words());
  if (kind === 5) return control();
  if (kind === 6) {
    const style = document.createElement("style");
    style.textContent = `.a { color: rgb(${below(255)}, 0, 0); }`;
    return style;
  }
  if (kind === 7) return hidden();
  if (kind === 8) {
    const own = document.createElement("div");
    own.setAttribute("data-sportello-screen", "");
    own.textContent = words();
    return own;
  }
  const made = document.createElement(kind === 9 ? "own-host" : one(["div", "p", "ul", "li", "span", "section", "b", "details"]));
  dress(made);
  for (let count = below(depth > 2 ? 1 : 4); count > 0; count--) made.append(make(depth + 1));
  if (kind === 9 && chance(0.7)) shadow(made, depth);
  return made;
}

function control() {
  const name = one(["input", "input", "textarea", "select"]);
  const made = document.createElement(name);
  dress(made);
  if (name === "input") {
    const type = one(["text", "password", "checkbox", "hidden", ""]);
    if (type) made.type = type;
    if (type === "password") passwords.add(made);
    if (chance(0.2)) {
      made.setAttribute("autocomplete", "one-time-code");
      passwords.add(made);
    }
    if (type === "checkbox") made.checked = chance(0.5);
  }
  if (name === "select") for (let count = 1 + below(3); count > 0; count--) made.append(new Option(words(), words()));
  else if (made.type !== "checkbox" && made.type !== "hidden") made.value = words();
  return made;
}

function hidden() {
  const name = one(["script", "template", "meta", "noscript"]);
  const made = document.createElement(name);
  if (name === "script") made.type = "application/json";
  made.textContent = words();
  return made;
}

function dress(made) {
  if (chance(0.4)) made.className = one(CLASSES);
  if (chance(0.2)) made.title = words();
  if (chance(0.1)) made.dataset.state = one(["open", "closed"]);
  if (chance(0.1)) made.style.color = one(["red", "green"]);
  if (chance(0.05)) made.hidden = true;
  if (chance(0.05)) made.setAttribute("contenteditable", one(["true", "false"]));
}

function shadow(host, depth = 0) {
  if (host.shadowRoot) return;
  const root = host.attachShadow({ mode: "open" });
  for (let count = below(4); count > 0; count--) root.append(make(depth + 1));
  if (chance(0.5)) root.append(document.createElement("slot"));
  if (chance(0.3)) root.adoptedStyleSheets = [sheet()];
}

function sheet() {
  const made = new CSSStyleSheet();
  made.replaceSync(`.b { margin: ${below(9)}px; }`);
  return made;
}

function insertAt(parent, node) {
  const children = [...parent.childNodes];
  parent.insertBefore(node, children.length === 0 || chance(0.3) ? null : one(children));
}

const STEPS = {
  insert: () => insertAt(container(), make()),
  insertMany: () => {
    const parent = container();
    for (let count = 2 + below(8); count > 0; count--) insertAt(parent, make(2));
  },
  remove: () => element()?.remove(),
  takeOut: () => {
    const node = element();
    if (!node) return;
    node.remove();
    drawer.push(node);
  },
  putBack: () => {
    if (drawer.length > 0) insertAt(container(), drawer.splice(below(drawer.length), 1)[0]);
  },
  move: () => {
    const node = element();
    const parent = container();
    if (node && !node.contains(parent) && !hostsOf(parent).some((host) => node.contains(host))) insertAt(parent, node);
  },
  shuffle: () => {
    const parent = container();
    const children = [...parent.childNodes];
    for (let at = children.length - 1; at > 0; at--) {
      const other = below(at + 1);
      [children[at], children[other]] = [children[other], children[at]];
    }
    parent.replaceChildren(...children);
  },
  rotate: () => {
    const parent = container();
    if (parent.firstChild) parent.append(parent.firstChild);
  },
  clear: () => {
    const parent = container();
    if (parent !== document.body && chance(0.3)) parent.replaceChildren();
  },
  setInner: () => {
    const parent = container();
    if (parent === document.body) return;
    parent.innerHTML = `<span class="${one(CLASSES)}">${words()}</span>${words()}<b>${words()}</b>`;
  },
  text: () => {
    const parent = container();
    const text = [...parent.childNodes].find((node) => node.nodeType === Node.TEXT_NODE);
    if (text) text.data = words();
    else parent.append(words());
  },
  split: () => {
    const text = [...container().childNodes].find((node) => node.nodeType === Node.TEXT_NODE && node.length > 2);
    text?.splitText(1 + below(text.length - 1));
  },
  normalise: () => container().normalize(),
  dressUp: () => {
    const node = element();
    if (node) dress(node);
  },
  toggleClass: () => element()?.classList.toggle(one(CLASSES)),
  dropAttribute: () => {
    // A script without its type would run.
    const node = element((candidate) => candidate.attributes.length > 0 && candidate.localName !== "script" && candidate.type !== "hidden");
    if (node) node.removeAttribute(one([...node.attributes]).name);
  },
  editable: () => {
    const node = element(isContainer);
    if (chance(0.5)) node?.setAttribute("contenteditable", one(["", "false", "true"]));
    else node?.removeAttribute("contenteditable");
  },
  type: () => {
    const node = element((candidate) => /^(?:input|textarea)$/u.test(candidate.localName) && !/^(?:checkbox|hidden)$/u.test(candidate.type));
    if (!node) return;
    node.value = chance(0.2) ? "" : words();
    if (chance(0.5)) node.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
  },
  check: () => {
    const node = element((candidate) => candidate.type === "checkbox");
    if (node) node.checked = !node.checked;
  },
  choose: () => {
    const node = element((candidate) => candidate.localName === "select");
    if (node) node.selectedIndex = below(node.length);
  },
  style: () => {
    const node = element((candidate) => candidate.localName === "style");
    if (!node?.sheet) return;
    if (chance(0.5)) node.sheet.insertRule(`.b { padding: ${below(99)}px; }`, node.sheet.cssRules.length);
    else node.textContent = `.c { color: rgb(0, ${below(255)}, 0); } .d { top: ${below(9)}px; }`;
  },
  shadowRoot: () => {
    const host = element((candidate) => /^(?:own-host|div|p|section|span)$/u.test(candidate.localName) && !candidate.shadowRoot);
    if (host) shadow(host);
  },
  adopt: () => {
    const root = chance(0.5) ? document : one(roots());
    if (root.adoptedStyleSheets) root.adoptedStyleSheets = chance(0.3) ? [] : [...root.adoptedStyleSheets.slice(0, 2), sheet()];
  },
  hideOrShowOurs: () => element()?.toggleAttribute("data-sportello-screen"),
  openClose: () => element((candidate) => candidate.localName === "details")?.toggleAttribute("open"),
  scroll: () => {
    const scroller = document.querySelector("#scroller");
    if (scroller) scroller.scrollTop = 10 * below(30);
  },
};

function hostsOf(node) {
  const hosts = [];
  for (let root = node.getRootNode(); root instanceof ShadowRoot; root = root.host.getRootNode()) hosts.push(root.host);
  return hosts;
}

const NAMES = Object.keys(STEPS);

/** Makes so many changes; gives their names. */
export function change(count) {
  const done = [];
  for (let made = 0; made < count; made++) {
    const name = one(NAMES);
    STEPS[name]();
    done.push(name);
  }
  return done;
}

/** A page to begin with. */
export function furnish() {
  const scroller = document.createElement("div");
  scroller.id = "scroller";
  scroller.style.cssText = "height: 100px; overflow: auto; width: 200px;";
  const tall = document.createElement("div");
  tall.style.cssText = "height: 1000px; width: 10px;";
  scroller.append(tall);
  document.body.append(scroller);
  for (let count = 0; count < 12; count++) document.body.append(make());
}

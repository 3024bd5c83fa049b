// In a page that shows a recording: rrweb's own player with every complaint kept, and the shown page as a plain tree.

const { rrweb } = globalThis;

export const complaints = [];
let replayer;

export function start() {
  replayer?.destroy();
  complaints.length = 0;
  replayer = new rrweb.Replayer([], {
    root: document.body,
    liveMode: true,
    useVirtualDom: false,
    mouseTail: false,
    triggerFocus: false,
    showWarning: true,
    showDebug: true,
    logger: { log: (...words) => complaints.push(words.map(String).join(" ")), warn: (...words) => complaints.push(words.map(String).join(" ")) },
  });
}

export function play(events) {
  if (!replayer) start();
  for (const event of events) replayer.applyEventsSynchronously([event]);
  return complaints.splice(0);
}

const SIZE = /;?box-sizing:border-box;width:[^]*$|;?background:#8884;$/u;
/** What the player puts there by itself. The desk, in addition, puts empty comments around CSS that it has looked at. */
const ITS_OWN = new Set(["autocomplete"]);
const BLANK = /^data:image\/gif;/u;

export function tree() {
  const { mirror, iframe } = replayer;
  const read = (node) => {
    if (!mirror.hasNode(node)) return [];
    if (node.nodeType === Node.TEXT_NODE) return [node.data];
    if (node.nodeType !== Node.ELEMENT_NODE) return [];
    const name = node.localName;
    const attributes = {};
    for (const { name: key, value } of node.attributes) {
      if (ITS_OWN.has(key)) continue;
      if (key === "src" && BLANK.test(value)) continue;
      const clean = key === "style" ? value.replaceAll("/**/", "").replace(SIZE, "").replace(/;$/u, "") : value;
      if (key === "class" && value === "rrweb-paused") continue;
      if (key !== "style" || clean !== "") attributes[key] = clean;
    }
    const shown = { name, attributes, children: [] };
    if (name === "style") {
      shown.rules = [...node.sheet.cssRules].map((rule) => rule.cssText);
      return [shown];
    }
    if (name === "input" || name === "textarea") {
      delete attributes.value;
      delete attributes.checked;
      shown.value = node.type === "checkbox" ? node.checked : node.value;
    }
    if (name === "select") shown.value = node.value;
    if (name === "textarea") return [shown];
    if (node.scrollTop > 0) shown.scrollTop = node.scrollTop;
    for (const child of node.childNodes) shown.children.push(...read(child));
    if (node.shadowRoot) {
      shown.shadow = [...node.shadowRoot.childNodes].flatMap(read);
      shown.adopted = node.shadowRoot.adoptedStyleSheets.flatMap((sheet) => [...sheet.cssRules].map((rule) => rule.cssText));
    }
    return [shown];
  };
  return { page: read(iframe.contentDocument.documentElement), adopted: iframe.contentDocument.adoptedStyleSheets.flatMap((sheet) => [...sheet.cssRules].map((rule) => rule.cssText)) };
}

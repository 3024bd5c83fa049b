// What the end user sees of screen share: the question whether they agree, in the three kinds that are documented, and the controls by which they stop. Decides
// nothing. Everything of it carries `data-sportello-screen` and is never recorded. Looks are an adopted style sheet: no policy for styles is in the way. Its rules weigh as
// much as an element's name, so that a page that resets its buttons leaves them as they are, and any rule of the page for one of the documented classes wins.
import { sportelloError } from "./errors.js";
import { textsFor } from "./screen-texts.js";

/** How often it is made sure that the controls are there and can be reached. */
const LOOK_MS = 500;
/** How long the announcement that sharing ended stays for screen readers. */
const ANNOUNCED_MS = 3_000;

const KINDS = { session: "Session", remoteControl: "RemoteControl", fullDevice: "FullDevice" };

const STYLE = `
dialog:where(.cobrowse-overlay) { color-scheme: light dark; box-sizing: border-box; margin: auto; padding: 0; border: 0; border-radius: 12px; width: min(26rem, calc(100vw - 2rem)); font: 16px/1.5 system-ui, sans-serif;
  background: #fff; color: #1b1b1f; box-shadow: 0 12px 48px #0006; }
dialog:where(.cobrowse-overlay)::backdrop { background: #0008; }
div:where(.cobrowse-overlay .cobrowse-dialog) { display: grid; gap: 20px; margin: 0; padding: 24px; }
div:where(.cobrowse-dialog_content) { display: grid; gap: 8px; margin: 0; padding: 0; }
h2:where(.cobrowse-dialog_title) { font: 600 20px/1.3 system-ui, sans-serif; margin: 0; padding: 0; color: inherit; }
p:where(.cobrowse-dialog_content p) { font: inherit; margin: 0; padding: 0; color: inherit; }
div:where(.cobrowse-dialog_footer) { display: flex; flex-wrap: wrap; gap: 12px; justify-content: flex-end; margin: 0; padding: 0; }
button:where(.cobrowse-dialog_allow, .cobrowse-dialog_deny, .cobrowse-end) { font: inherit; min-height: 44px; margin: 0; padding: 8px 20px; border-radius: 8px; border: 1px solid #54546a; cursor: pointer;
  background: #fff; color: #1b1b1f; }
button:where(.cobrowse-dialog_allow) { background: #1f4fd8; border-color: #1f4fd8; color: #fff; }
button:where(.cobrowse-end) { background: #b3142b; border-color: #b3142b; color: #fff; }
button:where(.cobrowse-dialog_allow, .cobrowse-dialog_deny, .cobrowse-end):where(:focus-visible) { outline: 3px solid #1f4fd8; outline-offset: 2px; }
div:where(.cobrowse-controls) { color-scheme: light dark; box-sizing: border-box; position: fixed; inset: auto 0 16px; margin: 0 auto; width: fit-content; max-width: calc(100vw - 32px); z-index: 2147483647;
  padding: 0; border: 0; overflow: visible; background: none; font: 16px/1.5 system-ui, sans-serif; color: #1b1b1f; }
div:where(.cobrowse-controls_bar) { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; margin: 0; padding: 8px 8px 8px 20px; border-radius: 12px; border: 2px solid #b3142b; background: #fff; color: #1b1b1f;
  box-shadow: 0 4px 24px #0005; }
.cobrowse-status { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (prefers-color-scheme: dark) {
  dialog:where(.cobrowse-overlay), div:where(.cobrowse-controls_bar), button:where(.cobrowse-dialog_deny) { background: #24242b; color: #f1f1f5; }
  button:where(.cobrowse-dialog_deny) { border-color: #a9a9bd; }
  button:where(.cobrowse-dialog_allow, .cobrowse-dialog_deny, .cobrowse-end):where(:focus-visible) { outline-color: #a9c0ff; }
}
@media (prefers-reduced-motion: no-preference) {
  dialog:where(.cobrowse-overlay[open]), div:where(.cobrowse-controls_bar) { animation: cobrowse-appear 0.15s ease-out; }
  @keyframes cobrowse-appear { from { opacity: 0; transform: translateY(8px); } }
}
@media (forced-colors: active) { dialog:where(.cobrowse-overlay), div:where(.cobrowse-controls_bar) { border: 2px solid CanvasText; } }
`;

let sheet;

/** In the document, or in the shadow root that `place` is in. */
function adoptStyle(place) {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
  }
  // First, so that what the page adopts itself comes after it.
  const scope = place.getRootNode();
  if (!scope.adoptedStyleSheets.includes(sheet)) scope.adoptedStyleSheets = [sheet, ...scope.adoptedStyleSheets];
}

/** An element with classes and children; a child that is a text is shown as it is. */
function element(name, classes, ...children) {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  if (name === "button") made.type = "button";
  made.append(...children);
  return made;
}

// --- templates ------------------------------------------------------------------------------------------------------------------------

let policy;

/** The site's own markup. It is parsed before anything is put into it, so that no value can become markup. */
function parsed(template, option) {
  const holder = document.createElement("template");
  try {
    if (globalThis.trustedTypes) policy ??= trustedTypes.createPolicy("sportello-screen", { createHTML: (html) => html });
    holder.innerHTML = policy ? policy.createHTML(template) : template;
  } catch (cause) {
    const message = `options.cobrowse.${option}: the page's policy refuses markup from a string; allow the Trusted Types policy "sportello-screen", or leave the template out.`;
    throw sportelloError("invalid_argument", message, cause);
  }
  return holder.content;
}

/** The template's elements with their values; gives the elements that hold each value, too. */
function filled(template, option, values, hooks) {
  const content = document.importNode(parsed(template, option), true);
  const holders = {};
  const fill = (text, holder) =>
    text.replace(/\$(title|content|allow|deny|end)(?![\w$])/g, (whole, name) => {
      if (values[name] === undefined) return whole;
      holders[name] ??= holder;
      return values[name];
    });
  const walker = document.createTreeWalker(content, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.nodeType === Node.TEXT_NODE) node.data = fill(node.data, node.parentElement);
    else for (const attribute of [...node.attributes]) if (!attribute.name.startsWith("on")) attribute.value = fill(attribute.value);
  }
  for (const hook of hooks) {
    if (content.querySelector(`.${hook}`)) continue;
    throw sportelloError("invalid_argument", `options.cobrowse.${option} has no element of the class ${hook}.`);
  }
  return { content, holders };
}

function dialogContent({ title, content, allow, deny }) {
  const heading = element("h2", "cobrowse-dialog_title", title);
  const text = element("p", "", content);
  const no = element("button", "cobrowse-dialog_deny js-cobrowse-deny", deny);
  const yes = element("button", "cobrowse-dialog_allow js-cobrowse-allow", allow);
  const made = element("div", "cobrowse-dialog", element("div", "cobrowse-dialog_content", heading, text), element("div", "cobrowse-dialog_footer", no, yes));
  return { content: made, holders: { title: heading, content: text } };
}

// --- the page's own modal dialogs --------------------------------------------------------------------------------------------------------

/** The modal dialogs in the order in which they were seen: everything outside the last one is inert. */
let modals = [];

function topModal() {
  const open = [...document.querySelectorAll("dialog[open]")].filter((dialog) => dialog.matches(":modal") && !dialog.hasAttribute("data-sportello-screen"));
  modals = [...modals.filter((dialog) => open.includes(dialog)), ...open.filter((dialog) => !modals.includes(dialog))];
  return modals.at(-1);
}

let lastId = 0;

/**
 * The dialogs and controls of one client: `{ confirm(kind, { signal }), showControls({ onEnd, agentName }), hideControls(), dispose() }`. Their texts are `options.messages`
 * or those of the language. Throws nothing before one is shown.
 */
export function createDialogs(options, lang) {
  const { lang: textLang, texts } = textsFor(lang);
  const isMasked = !options.license && !options.unredactedViews?.length;
  const own = { ...texts, ...(isMasked && { confirmSessionContent: `${texts.confirmSessionContent} ${texts.masked}` }) };
  const text = (name) => options.messages?.[name] ?? own[name];
  const open = new Set();
  let controls;
  let ending;

  const place = () => (options.root?.isConnected ? options.root : document.body);

  /** Asks the end user. True only for the allowing button; false for the other, Escape, a dialog that somebody closes, and an end by `signal`. */
  function confirm(kind, { signal } = {}) {
    const name = `confirm${KINDS[kind]}`;
    const own = `${name}Template`;
    const option = options[own] != null ? own : "template";
    const values = { title: text(`${name}Title`), content: text(`${name}Content`), allow: text("allowText"), deny: text("denyText") };
    const { content, holders } =
      options[option] == null ? dialogContent(values) : filled(options[option], option, values, ["js-cobrowse-allow", "js-cobrowse-deny"]);
    if (signal?.aborted) return Promise.resolve(false);
    adoptStyle(place());
    const dialog = element("dialog", "cobrowse-overlay", content);
    dialog.setAttribute("data-sportello-screen", "");
    dialog.setAttribute("role", "alertdialog");
    dialog.lang = textLang;
    // Nothing that the end user is typing just now answers it.
    dialog.tabIndex = -1;
    dialog.autofocus = true;
    for (const [value, attribute] of [["title", "aria-labelledby"], ["content", "aria-describedby"]]) {
      const holder = holders[value];
      if (holder) holder.id ||= `sportello-screen-${(lastId += 1)}`;
      if (holder) dialog.setAttribute(attribute, holder.id);
      else if (value === "title") dialog.setAttribute("aria-label", values.title);
    }
    return new Promise((resolve) => {
      const answer = (isAllowed) => {
        if (!open.delete(answer)) return;
        clearInterval(timer);
        signal?.removeEventListener("abort", no);
        // The focus goes back to where it was.
        dialog.close();
        dialog.remove();
        resolve(isAllowed);
      };
      const no = () => answer(false);
      open.add(answer);
      // A script, such as that of somebody who controls the page from afar, cannot agree.
      dialog.querySelector(".js-cobrowse-allow").addEventListener("click", (event) => (event.preventDefault(), event.isTrusted && answer(true)));
      dialog.querySelector(".js-cobrowse-deny").addEventListener("click", (event) => (event.preventDefault(), no()));
      dialog.addEventListener("close", no);
      signal?.addEventListener("abort", no);
      place().append(dialog);
      dialog.showModal();
      dialog.focus();
      // A page that draws itself anew may take it away.
      const timer = setInterval(() => dialog.isConnected || no(), LOOK_MS);
    });
  }

  /** Shows by what the end user stops, and says that the page is shared, until `hideControls()`. */
  function showControls({ onEnd, agentName }) {
    remove();
    adoptStyle(place());
    const says = texts.started.replace("$agent", () => agentName || texts.agent);
    const end = text("endSessionText");
    const template = options.sessionControlsTemplate;
    const content =
      template == null
        ? element("div", "cobrowse-controls_bar", element("span", "cobrowse-controls_text", says), element("button", "cobrowse-end js-cobrowse-end", end))
        : filled(template, "sessionControlsTemplate", { end }, ["js-cobrowse-end"]).content;
    const status = element("div", "cobrowse-status");
    status.setAttribute("role", "status");
    const bar = element("div", "", content);
    const host = element("div", "cobrowse-controls", bar, status);
    host.setAttribute("data-sportello-screen", "");
    host.setAttribute("role", "region");
    host.setAttribute("aria-label", texts.controls);
    host.lang = textLang;
    if ("popover" in host) host.popover = "manual";
    bar.querySelector(".js-cobrowse-end").addEventListener("click", (event) => (event.preventDefault(), onEnd()));
    controls = { host, bar, status };
    keepInReach();
    controls.timer = setInterval(keepInReach, LOOK_MS);
    document.addEventListener("toggle", keepInReach, true);
    say(texts.started.replace("$agent", () => agentName || texts.agent));
  }

  /** In the page's own modal dialog where one is open, because everything outside it can neither be reached nor heard. */
  function keepInReach() {
    if (!controls) return;
    const { host } = controls;
    const wanted = topModal() ?? place();
    if (host.parentNode !== wanted) wanted.append(host);
    if (host.popover && !host.matches(":popover-open")) host.showPopover();
  }

  /** A region that is there already when its text changes is read out. */
  function say(words) {
    const { status } = controls;
    clearTimeout(controls.saying);
    controls.saying = setTimeout(() => (status.textContent = words), 100);
  }

  function hideControls() {
    if (!controls || ending) return;
    controls.bar.remove();
    say(texts.ended);
    ending = setTimeout(remove, ANNOUNCED_MS);
  }

  function remove() {
    clearTimeout(ending);
    ending = undefined;
    if (!controls) return;
    clearInterval(controls.timer);
    clearTimeout(controls.saying);
    document.removeEventListener("toggle", keepInReach, true);
    controls.host.remove();
    controls = undefined;
  }

  function dispose() {
    for (const answer of [...open]) answer(false);
    remove();
  }

  return { confirm, showControls, hideControls, dispose };
}

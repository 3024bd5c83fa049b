/**
 * What may leave the page. Every tag, attribute, text and value that is sent has been through this file.
 *
 * Allow-lists only: what is not named here stays. Nearest ancestor-or-self that matches decides, across shadow hosts; on the same element redacted
 * wins. A view that is redacted is a box of the same size, or its bare structure where something unredacted lies within.
 */

import { cleanCss, withoutTexts } from "./css.js";
import { ELEMENT, SVG, TEXT, attribute, attributeNames, has, localName, namespaceOf, nodeType, own, parentNode } from "./dom.js";

/** What is known about a node, as bits; the first ones pass to what lies below it. */
export const REDACTED = 1;
export const UNREDACTED = 2;
export const EDITABLE = 4;
/** In a list of choices that is shown. */
export const CHOICE = 8;
const INHERITED = REDACTED | UNREDACTED | EDITABLE | CHOICE;
/** Shown as a box of its size. */
export const BOX = 16;
/** What lies below is never looked at. */
export const OPAQUE = 32;
export const CONTROL = 64;
/** A control whose value is never shown. */
export const SECRET = 128;
export const IMAGE = 256;
export const SHEET = 512;
/** Its size is measured and sent. */
export const SIZED = 1024;
export const SVG_ELEMENT = 2048;
/** What lies in it is not seen, but for style sheets. */
const HEAD = 4096;

/** Elements of the SDK's own: dialogs, controls, the agent's pointer. */
const OURS = "data-sportello-screen";

const BULLET = "•";
/** As long as any secret. */
const FIXED = BULLET.repeat(8);

const words = (text) => new Set(text.trim().split(/\s+/));

/** Never seen by anybody, or able to do something. */
const SKIPPED = words(`script noscript template meta base title param source track area map datalist animate animatemotion animatetransform
  animatecolor set discard handler listener mpath metadata desc noembed noframes annotation annotation-xml`);
/** Their contents are not the page's to show, or cannot be read. */
const BOXED = words("iframe frame frameset object embed video audio canvas portal fencedframe applet");
/** These stay what they are when they become boxes, for the sake of the layout around them. */
const BOX_TAGS = words(`div span p section article aside main header footer nav form fieldset ul ol li dl dt dd table caption colgroup thead tbody
  tfoot tr td th h1 h2 h3 h4 h5 h6 label a b i em strong small body figure pre blockquote details summary`);
/** What the desk shows as a box. */
const BOX_TAG = "sportello-box";
const TAG = /^[a-z][a-z0-9._-]*$/;

const FORMS = {
  ANY: /^/,
  NUMBER: /^\s*[-+]?\d{1,6}(?:\.\d{1,6})?\s*$/,
  LENGTH: /^\s*\d{1,5}(?:\.\d{1,3})?(?:px|%|\*)?\s*$/,
  ON: /^(?:|true|false|until-found|auto|manual|hint)$/,
  BOUND: /^[-\d.:TW]{1,20}$/,
  SIDE: /^(?:left|right|center|justify|top|middle|bottom|baseline)$/i,
  SIDES: /^(?:void|above|below|hsides|vsides|lhs|rhs|box|border|none|groups|rows|cols|all)$/i,
  DIRECTION: /^(?:ltr|rtl|auto)$/i,
  NAMES: /^[-\w\s]{0,100}$/,
  HUE: /^#[0-9a-f]{3,8}$/i,
  WRAP: /^(?:soft|hard|off)$/i,
  KIND: /^(?:text|search|tel|url|email|password|number|date|time|month|week|datetime-local|range|color|checkbox|radio|submit|button|reset|file|image)$/i,
  LIST: /^(?:1|a|i|disc|circle|square)$/i,
  ID: /^\S{1,100}$/,
  LANGUAGE: /^[a-z]{2,8}(?:-[a-z0-9]{1,8}){0,4}$/i,
};
const CELLS = "table|thead|tbody|tfoot|tr|td|th|col|colgroup";

/** Rules of attributes, `names elements form` with `*` for all elements, as a function: whether one may be sent. */
function rules(text) {
  const known = new Map();
  for (const rule of text.split(",")) {
    const [names, tags, form] = rule.trim().split(/\s+/);
    for (const name of names.split("|")) known.set(name, [...(known.get(name) ?? []), { tags: tags === "*" ? null : new Set(tags.split("|")), form: FORMS[form] }]);
  }
  return (tag, name, value) => known.get(name)?.some(({ tags, form }) => (tags === null || tags.has(tag)) && form.test(value)) ?? false;
}

/** Of a box. */
const ofBox = rules("class|slot * ANY, colspan|rowspan td|th NUMBER");
/** They show nothing that a person wrote: sent in redacted views, and in what the customer writes. */
const ofLayout = rules("class|slot * ANY, dir * DIRECTION, hidden|inert * ON, open details|dialog ON, colspan|rowspan td|th NUMBER, span col|colgroup NUMBER, type input|button KIND, type ol|ul|li LIST");
/** Of controls too, whose values are not shown. */
const ofShape = rules(`id * ID, lang * LANGUAGE, part * NAMES, placeholder input|textarea ANY, size input|select|font|hr NUMBER, cols|rows textarea NUMBER, wrap textarea WRAP,
  multiple|disabled|readonly|required * ON`);
const ofContent = rules(`width|height ${CELLS}|hr|pre|img LENGTH, align|valign ${CELLS}|div|p|h1|h2|h3|h4|h5|h6|hr|caption|img SIDE, border|cellpadding|cellspacing|hspace|vspace table|img NUMBER, nowrap td|th ON,
  frame|rules table SIDES, reversed ol ON, noshade hr ON, alt img ANY, bgcolor|color body|${CELLS}|font|hr HUE, face font NAMES, start ol NUMBER, value li|meter|progress NUMBER,
  min|max|low|high|optimum meter|progress NUMBER, min|max|step input BOUND, popover * ON`);
/** Never sent, whatever a sheet says of them: addresses, what a form would send, and what is code. */
const NEVER = words(`value src srcset href action formaction cite data poster background longdesc ping manifest srcdoc codebase classid archive profile itemid usemap name for form content label summary
  contenteditable autocomplete list download imagesrcset xlink:href style`);
const ADDRESS = /^\s*(?:[a-z][a-z0-9+.-]*:)?\/\/|^\s*(?:mailto|tel|data|blob|javascript):/i;
/** What holds one of these holds what the customer writes. */
const WRITABLE = "input,textarea,select,[contenteditable]";

const SVG_ATTRIBUTES = words(`viewbox preserveaspectratio x y x1 y1 x2 y2 cx cy r rx ry fx fy fr d points pathlength dx dy rotate textlength
  lengthadjust transform fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-miterlimit
  stroke-dasharray stroke-dashoffset opacity color display visibility overflow clip-path clip-rule mask filter vector-effect shape-rendering
  text-rendering image-rendering paint-order font-family font-size font-style font-weight font-variant font-stretch letter-spacing word-spacing
  text-anchor text-decoration dominant-baseline alignment-baseline baseline-shift writing-mode offset stop-color stop-opacity gradientunits
  gradienttransform spreadmethod patternunits patterncontentunits patterntransform clippathunits maskunits maskcontentunits markerunits
  markerwidth markerheight refx refy orient marker-start marker-mid marker-end marker filterunits primitiveunits in in2 result mode values
  stddeviation flood-color flood-opacity lighting-color operator k1 k2 k3 k4 tablevalues slope intercept amplitude exponent basefrequency
  numoctaves seed stitchtiles scale xchannelselector ychannelselector surfacescale specularconstant specularexponent diffuseconstant azimuth
  elevation startoffset method spacing side startoffset version width height`);
const LINK_TAGS = words("a area");
/** An `<input>` of these kinds has a label as its value. */
const LABELLED = words("submit button reset");
/** With bullets in them these would be shown as empty. */
const PICKY = words("number date time month week datetime-local");
/** Nothing can be put in the place of their values. */
const UNMASKABLE = words("range color");
const CHECKED = words("checkbox radio");
/** Those that show no text, or a label. */
const TEXTLESS = words("checkbox radio submit button reset file range color");
const CALLED = ["name", "id"];
const SECRET_TOKEN = /(?:^|\s)(?:cc-\S*|one-time-code|(?:current|new)-password)(?:\s|$)/i;

export class Privacy {
  #views;
  /** Was a password field once (the page's "show password" changes the type), or said that it is for a card's number. */
  #secrets = new WeakSet();
  /** What secret fields are called: another one of that name may stand in for it ("show password"). */
  #secretNames = new Set();
  /** What the page's own style sheets make of attributes: which are shown as a text, and what others are compared with. */
  #learnt = new Set();
  #shown = new Set();
  #asked = new Map();

  constructor(views) {
    this.#views = views;
  }

  /** An attribute had this value: where that made a field secret, it stays so whatever happens to it. */
  remember(element, name, value) {
    if (name === "type" ? value.toLowerCase() === "password" : SECRET_TOKEN.test(value)) this.#secrets.add(element);
  }

  /** Takes what `addShownAttributes` says of a sheet; gives the names of the attributes of which there is something new. */
  learn(read) {
    const names = new Set();
    for (const one of read) {
      if (this.#learnt.has(one)) continue;
      this.#learnt.add(one);
      const [name, operator, value] = JSON.parse(one);
      if (NEVER.has(name) || name.startsWith("on")) continue;
      names.add(name);
      if (operator === "content") this.#shown.add(name);
      else if (this.#asked.has(name)) this.#asked.get(name).push([operator, value]);
      else this.#asked.set(name, [[operator, value]]);
    }
    return names;
  }

  /**
   * What a node is, below a parent with these bits; -1 for what is not sent at all.
   * Everything it depends on is read now: the live tree, and the views of this slice.
   */
  judge(node, parentBits) {
    const inherited = parentBits & INHERITED;
    const type = nodeType(node);
    if (type === TEXT) return this.#views.redacted.has(node) ? (inherited & ~UNREDACTED) | REDACTED : inherited;
    if (type !== ELEMENT) return -1;
    const name = localName(node).toLowerCase();
    if (SKIPPED.has(name) || has(node, OURS)) return -1;
    const svg = namespaceOf(node) === SVG;
    let bits = this.#inherit(node, inherited, name) | (svg ? SVG_ELEMENT : 0);
    const redacted = (bits & REDACTED) !== 0;
    if (name === "style" || (name === "link" && !svg)) return redacted || isWritten(bits) || !isSheet(node, name) ? -1 : bits | SHEET | OPAQUE;
    if (parentBits & HEAD) return -1;
    if (name === "input" && attribute(node, "type")?.toLowerCase() === "hidden") return -1;
    if (redacted && (svg || !this.#views.isHolder(node))) return box(bits, name);
    if (svg ? isWritten(bits) : BOXED.has(name)) return box(bits, name);
    if (name === "img" || (svg && name === "image")) return redacted || isWritten(bits) ? box(bits, name) : bits | OPAQUE | (svg ? 0 : IMAGE | SIZED);
    if (!svg) bits |= this.#control(node, name, bits);
    // Sites keep things there that nobody sees yet.
    return has(node, "hidden") && attribute(node, "hidden") !== "until-found" ? (bits & ~(CHOICE | SIZED)) | OPAQUE : bits;
  }

  #inherit(node, inherited, name) {
    let bits = inherited;
    // What is in the head is not seen: only its style sheets matter, and a redacted page needs them where a part is unredacted.
    if (name === "head") bits = (bits & ~(REDACTED | UNREDACTED)) | HEAD;
    if (this.#views.redacted.has(node)) bits = (bits & ~UNREDACTED) | REDACTED;
    else if (this.#views.unredacted.has(node)) bits = (bits & ~REDACTED) | UNREDACTED;
    // What a form works out from masked values, and what a script edits by itself.
    if (name === "output" || isEditContext(node)) bits |= EDITABLE;
    // What cannot be edited within something that can is a mention, a recipient or a file: the customer's all the same.
    const editable = attribute(node, "contenteditable");
    return editable === null || /^\s*false\s*$/i.test(editable) ? bits : bits | EDITABLE;
  }

  #control(node, name, bits) {
    if (name === "select") {
      this.remember(node, "autocomplete", attribute(node, "autocomplete") ?? "");
      return CONTROL | ((bits & (UNREDACTED | REDACTED)) === UNREDACTED && !this.#secrets.has(node) ? CHOICE : OPAQUE | SIZED);
    }
    if (name !== "input" && name !== "textarea") return 0;
    const type = attribute(node, "type")?.toLowerCase();
    if (type === "image") return BOX | OPAQUE | SIZED;
    this.remember(node, "type", type ?? "");
    this.remember(node, "autocomplete", attribute(node, "autocomplete") ?? "");
    if (looksSecret(node) || this.#isNamesake(node)) this.#secrets.add(node);
    const secret = this.#secrets.has(node);
    if (secret) for (const called of CALLED) if (attribute(node, called)) this.#secretNames.add(`${called} ${attribute(node, called)}`);
    return CONTROL | OPAQUE | (secret ? SECRET : 0);
  }

  #isNamesake(node) {
    return this.#secretNames.size > 0 && CALLED.some((called) => this.#secretNames.has(`${called} ${attribute(node, called)}`));
  }

  /** The name under which an element is sent. */
  tag(node, bits) {
    const name = localName(node);
    if (bits & SHEET) return "style";
    if (bits & BOX) return BOX_TAGS.has(name) ? name : BOX_TAG;
    return TAG.test(name) || bits & SVG_ELEMENT ? name : "div";
  }

  /** A text node's text. */
  text(text, bits) {
    return masksText(bits) ? mask(text) : text;
  }

  /** The attributes that are sent; without a control's value, a sheet's text, a picture and sizes. */
  attributes(node, bits) {
    const name = localName(node);
    const sent = {};
    for (const key of attributeNames(node)) {
      const value = this.#attribute(node, name, key.toLowerCase(), attribute(node, key), bits);
      if (value !== null) sent[key] = value;
    }
    if (bits & CONTROL) this.#controlAttributes(node, name, bits, sent);
    return sent;
  }

  #attribute(node, tag, name, value, bits) {
    const masksAll = (bits & (REDACTED | BOX)) !== 0 || isWritten(bits);
    const masksControl = (bits & CONTROL) !== 0 && masksValue(bits);
    if (name === "style") return bits & SHEET ? null : masksAll || masksControl ? withoutTexts(value) : cleanCss(value);
    if (bits & SHEET) return name === "media" ? value : null;
    if (bits & BOX) return ofBox(tag, name, value) ? value : null;
    if (ofLayout(tag, name, value)) return value;
    if (name === "href" && LINK_TAGS.has(tag) && !(bits & REDACTED)) return "#";
    if (masksAll) return null;
    if (ofShape(tag, name, value)) return value;
    if (masksControl) return null;
    if (ofContent(tag, name, value)) return value;
    if (bits & SVG_ELEMENT) {
      if (SVG_ATTRIBUTES.has(name)) return cleanCss(value);
      if (name === "href" || name === "xlink:href") return tag === "a" ? "#" : /^#[-\w.:]+$/.test(value) ? value : null;
    }
    return this.#bySheets(node, name, value);
  }

  /** What the page's own sheets show of it, or as much as their selectors ask for. */
  #bySheets(node, name, value) {
    if (this.#shown.has(name) && !ADDRESS.test(value)) return holdsWritable(node) ? mask(value) : value;
    let asked = null;
    for (const [operator, wanted] of this.#asked.get(name) ?? []) {
      if (operator === "") asked ??= "";
      else if (isAsked(operator, wanted, value)) return wanted;
    }
    return asked;
  }

  #controlAttributes(node, tag, bits, sent) {
    delete sent.value;
    if (tag !== "input") return;
    const type = sent.type?.toLowerCase() ?? "text";
    if (masksValue(bits) && PICKY.has(type)) sent.type = "text";
    if (bits & SECRET && !TEXTLESS.has(type)) sent.type = "password";
  }

  /**
   * What a control shows: `{ text, isChecked }`, or null for one of which nothing is shown.
   * A file's name, a choice and a check mark are as private as a text.
   */
  controlState(node, bits) {
    const name = localName(node);
    if (name === "textarea") return { text: maskedValue(own(node, "HTMLTextAreaElement", "value"), bits), isChecked: false };
    if (name === "select") return bits & OPAQUE ? null : { text: this.#chosen(node), isChecked: false };
    const type = own(node, "HTMLInputElement", "type");
    if (type === "file" || type === "hidden" || type === "image") return null;
    if (CHECKED.has(type)) {
      return masksValue(bits) ? null : { text: "on", isChecked: own(node, "HTMLInputElement", "checked") === true };
    }
    if (UNMASKABLE.has(type) && masksValue(bits)) return null;
    const value = own(node, "HTMLInputElement", "value") ?? "";
    if (LABELLED.has(type)) return { text: bits & (REDACTED | SECRET) || isWritten(bits) ? mask(value) : value, isChecked: false };
    return { text: maskedValue(value, bits), isChecked: false };
  }

  /** The text of the chosen option: what it stands for in the page's form is not sent. */
  #chosen(select) {
    const options = own(select, "HTMLSelectElement", "options");
    const option = options[own(select, "HTMLSelectElement", "selectedIndex") ?? -1];
    return !option || this.#views.isRedactedNow(option) ? "" : (own(option, "HTMLOptionElement", "text") ?? "");
  }

  /** Whether the agent may see that the customer points to this node: keypads are on the screen too. Asks the page as it is now. */
  showsPointer(node, isChoice) {
    return isChoice ? this.#views.isUnredactedNow(node) : !this.#views.isRedactedNow(node);
  }

  /** The page's address. */
  address(location) {
    return /^https?:$/.test(location.protocol) ? location.origin + location.pathname : "about:blank";
  }
}

function box(bits, name) {
  // The page's frame itself has to stay one.
  const frame = name === "html" || name === "body";
  return bits | OPAQUE | (frame ? 0 : BOX | SIZED);
}

/** A text field whose letters are made into dots by its style. */
const looksSecret = (node) => /-webkit-text-security\s*:/i.test(attribute(node, "style") ?? "");

function isSheet(node, name) {
  if (name === "style") return true;
  return /(?:^|\s)stylesheet(?:\s|$)/i.test(attribute(node, "rel") ?? "") && has(node, "href");
}

/** Part of what the customer writes. */
const isWritten = (bits) => (bits & (EDITABLE | UNREDACTED)) === EDITABLE;
const masksText = (bits) => (bits & REDACTED) !== 0 || isWritten(bits);
const masksValue = (bits) => (bits & (SECRET | REDACTED)) !== 0 || (bits & UNREDACTED) === 0;
const mask = (text) => text.replace(/\S/gu, BULLET);

const query = Element.prototype.querySelector;
const querySelector = (element, selector) => query.call(element, selector) !== null;
const hasEditContexts = "editContext" in HTMLElement.prototype;
export const isEditContext = (node) => hasEditContexts && node instanceof HTMLElement && own(node, "HTMLElement", "editContext") !== null;

/** A field that grows with its text has a copy of it beside or around it. */
const holdsWritable = (node) => querySelector(node, WRITABLE) || (nodeType(parentNode(node)) === ELEMENT && querySelector(parentNode(node), WRITABLE));

function isAsked(operator, wanted, value) {
  switch (operator) {
    case "=":
      return value === wanted;
    case "~=":
      return words(value).has(wanted);
    case "|=":
      return value === wanted || value.startsWith(`${wanted}-`);
    case "^=":
      return wanted !== "" && value.startsWith(wanted);
    case "$=":
      return wanted !== "" && value.endsWith(wanted);
    default:
      return wanted !== "" && value.includes(wanted);
  }
}

function maskedValue(value, bits) {
  if (!value) return "";
  if (bits & (SECRET | REDACTED)) return FIXED;
  return masksValue(bits) ? mask(value) : value;
}

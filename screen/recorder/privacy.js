/**
 * What may leave the page. Every tag, attribute, text and value that is sent has been through this file.
 *
 * Allow-lists only: what is not named here stays. Nearest ancestor-or-self that matches decides, across shadow hosts; on the same element redacted
 * wins. A view that is redacted is a box of the same size, or its bare structure where something unredacted lies within.
 */

import { cleanCss, withoutTexts } from "./css.js";
import { ELEMENT, SVG, TEXT, attribute, attributeNames, has, localName, namespaceOf, nodeType, own } from "./dom.js";

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

/** Elements of the SDK's own: dialogs, controls, the agent's pointer. */
const OURS = "data-sportello-screen";

const BULLET = "•";
/** As long as any secret. */
const FIXED = BULLET.repeat(8);

const words = (text) => new Set(text.trim().split(/\s+/));

/** Never seen by anybody, or able to do something. */
const SKIPPED = words(`script noscript template meta base title param source track area map datalist animate animatemotion animatetransform
  animatecolor set discard handler listener mpath metadata desc`);
/** Their contents are not the page's to show, or cannot be read. */
const BOXED = words("iframe frame frameset object embed video audio canvas portal fencedframe applet");
/** These stay what they are when they become boxes, for the sake of the layout around them. */
const BOX_TAGS = words(`div span p section article aside main header footer nav form fieldset ul ol li dl dt dd table caption colgroup thead tbody
  tfoot tr td th h1 h2 h3 h4 h5 h6 label a b i em strong small body figure pre blockquote details summary`);
/** What the desk shows as a box. */
const BOX_TAG = "sportello-box";
const TAG = /^[a-z][a-z0-9._-]*$/;

/** Of a box. */
const BOX_ATTRIBUTES = words("class slot colspan rowspan");
/** Show nothing that a person wrote. */
const LAYOUT = words(`class dir hidden slot part width height colspan rowspan span align valign border cellpadding cellspacing size cols rows
  wrap nowrap rules frame hspace vspace open inert type multiple disabled`);
/** Shown outside of redacted views. */
const CONTENT = words(`id lang title alt placeholder bgcolor color face noshade start reversed media readonly required exportparts popover min max
  low high optimum contextmenu`);
const SVG_ATTRIBUTES = words(`viewbox preserveaspectratio x y x1 y1 x2 y2 cx cy r rx ry fx fy fr d points pathlength dx dy rotate textlength
  lengthadjust transform fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-miterlimit
  stroke-dasharray stroke-dashoffset opacity color display visibility overflow clip-path clip-rule mask filter vector-effect shape-rendering
  text-rendering image-rendering paint-order font-family font-size font-style font-weight font-variant font-stretch letter-spacing word-spacing
  text-anchor text-decoration dominant-baseline alignment-baseline baseline-shift writing-mode offset stop-color stop-opacity gradientunits
  gradienttransform spreadmethod patternunits patterncontentunits patterntransform clippathunits maskunits maskcontentunits markerunits
  markerwidth markerheight refx refy orient marker-start marker-mid marker-end marker filterunits primitiveunits in in2 result mode values
  stddeviation flood-color flood-opacity lighting-color operator k1 k2 k3 k4 tablevalues slope intercept amplitude exponent basefrequency
  numoctaves seed stitchtiles scale xchannelselector ychannelselector surfacescale specularconstant specularexponent diffuseconstant azimuth
  elevation startoffset method spacing side startoffset version`);
/** A word of a few letters is a state (`aria-expanded="true"`, `data-theme="dark"`); anything longer may be data. */
const STATE_NAME = /^(?:aria|data)-[a-z][a-z0-9-]*$|^role$/;
const STATE = /^(?:[a-z][a-z_-]{0,23}|[0-9]{0,2})$/i;
const LINK_TAGS = words("a area");
const VALUED_TAGS = words("progress meter li");
/** An `<input>` of these kinds has a label as its value. */
const LABELLED = words("submit button reset");
/** With bullets in them these would be shown as empty. */
const PICKY = words("number date time month week datetime-local");
/** Nothing can be put in the place of their values. */
const UNMASKABLE = words("range color");
const CHECKED = words("checkbox radio");
/** Those that show no text, or a label. */
const TEXTLESS = words("checkbox radio submit button reset file range color");
const SECRET_TOKEN = /(?:^|\s)(?:cc-\S*|one-time-code|(?:current|new)-password)(?:\s|$)/i;

export class Privacy {
  #views;
  /** Was a password field once; the page's "show password" changes the type. */
  #passwords = new WeakSet();
  /** Attributes that the page's own style sheets show as text. */
  shownBySheets = new Set();

  constructor(views) {
    this.#views = views;
  }

  /** Whatever happens to this field later, its value is not shown. */
  isPassword(element) {
    this.#passwords.add(element);
  }

  /**
   * What a node is, below a parent with these bits; -1 for what is not sent at all.
   * Everything it depends on is read now: the live tree, and the views of this slice.
   */
  judge(node, parentBits) {
    const inherited = parentBits & INHERITED;
    const type = nodeType(node);
    if (type === TEXT) return inherited;
    if (type !== ELEMENT) return -1;
    const name = localName(node).toLowerCase();
    if (SKIPPED.has(name) || has(node, OURS)) return -1;
    const svg = namespaceOf(node) === SVG;
    let bits = this.#inherit(node, inherited, name) | (svg ? SVG_ELEMENT : 0);
    const redacted = (bits & REDACTED) !== 0;
    if (name === "style" || (name === "link" && !svg)) return redacted || !isSheet(node, name) ? -1 : bits | SHEET | OPAQUE;
    if (name === "input" && attribute(node, "type")?.toLowerCase() === "hidden") return -1;
    if (redacted && (svg || !this.#views.isHolder(node))) return box(bits, name);
    if (!svg && BOXED.has(name)) return box(bits, name);
    if (name === "img" || (svg && name === "image")) return redacted ? box(bits, name) : bits | OPAQUE | (svg ? 0 : IMAGE | SIZED);
    if (!svg) bits |= this.#control(node, name, bits);
    return bits;
  }

  #inherit(node, inherited, name) {
    let bits = inherited;
    // What is in the head is not seen: only its style sheets matter, and a redacted page needs them where a part is unredacted.
    if (name === "head") bits &= ~(REDACTED | UNREDACTED);
    if (this.#views.redacted.has(node)) bits = (bits & ~UNREDACTED) | REDACTED;
    else if (this.#views.unredacted.has(node)) bits = (bits & ~REDACTED) | UNREDACTED;
    const editable = attribute(node, "contenteditable");
    if (editable !== null) {
      const on = !/^\s*false\s*$/i.test(editable);
      bits = on ? bits | EDITABLE : bits & ~EDITABLE;
    }
    return bits;
  }

  #control(node, name, bits) {
    if (name === "select") return CONTROL | ((bits & (UNREDACTED | REDACTED)) === UNREDACTED ? CHOICE : OPAQUE | SIZED);
    if (name !== "input" && name !== "textarea") return 0;
    const type = attribute(node, "type")?.toLowerCase();
    if (type === "image") return BOX | OPAQUE | SIZED;
    if (type === "password") this.#passwords.add(node);
    const secret = this.#passwords.has(node) || SECRET_TOKEN.test(attribute(node, "autocomplete") ?? "");
    return CONTROL | OPAQUE | (secret ? SECRET : 0);
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
    if (name === "style") return bits & SHEET ? null : bits & (REDACTED | BOX) ? withoutTexts(value) : cleanCss(value);
    if (bits & SHEET) return name === "media" ? value : null;
    if (bits & BOX) return BOX_ATTRIBUTES.has(name) ? value : null;
    if (LAYOUT.has(name)) return value;
    if (bits & REDACTED) return null;
    if (CONTENT.has(name)) return value;
    if (bits & SVG_ELEMENT) {
      if (SVG_ATTRIBUTES.has(name)) return cleanCss(value);
      if (name === "href" || name === "xlink:href") return tag === "a" ? "#" : /^#[-\w.:]+$/.test(value) ? value : null;
    }
    if (name === "href") return LINK_TAGS.has(tag) ? "#" : null;
    if (name === "value") return VALUED_TAGS.has(tag) || tag === "button" ? value : null;
    if (STATE_NAME.test(name) && (STATE.test(value) || this.shownBySheets.has(name))) return value;
    if (this.shownBySheets.has(name) && name !== "src" && name !== "srcset" && name !== "action" && !name.startsWith("on")) return value;
    return null;
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
    if (LABELLED.has(type)) return { text: bits & REDACTED ? mask(value) : value, isChecked: false };
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

function isSheet(node, name) {
  if (name === "style") return true;
  return /(?:^|\s)stylesheet(?:\s|$)/i.test(attribute(node, "rel") ?? "") && has(node, "href");
}

const masksText = (bits) => (bits & REDACTED) !== 0 || (bits & (EDITABLE | UNREDACTED)) === EDITABLE;
const masksValue = (bits) => (bits & (SECRET | REDACTED)) !== 0 || (bits & UNREDACTED) === 0;
const mask = (text) => text.replace(/\S/gu, BULLET);

function maskedValue(value, bits) {
  if (!value) return "";
  if (bits & (SECRET | REDACTED)) return FIXED;
  return masksValue(bits) ? mask(value) : value;
}

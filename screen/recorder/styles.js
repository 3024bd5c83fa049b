/**
 * Style sheets: the rules that are in force, also those that scripts inserted, read a few at a time and sent as the text of a `<style>`.
 *
 * Nobody tells when a script changes a sheet, so the number of rules and the last of them are looked at now and then. A change of a rule in the
 * middle that leaves both as they are is not noticed until something else changes.
 */

import { cleanCss, readable, rulesOf } from "./css.js";
import { DOCUMENT, SVG, TEXT, firstChild, localName, namespaceOf, nextSibling, nodeType, own, textOf } from "./dom.js";
import { adopted } from "./format.js";

export class Styles {
  #window;
  #changes;
  #push;
  #isAlive;
  #hasRedacted;
  #shown;
  #failed;
  #wake;
  /** Entries of `<style>` and `<link>`, each with what was seen last. */
  #sheets = new Map();
  /** Roots (document and shadow roots), each with the sheets that it adopts. */
  #adopters = new Map();
  /** What constructed sheets are called. */
  #ids = new WeakMap();
  #nextId = 1;
  #hasAdopted = false;
  #jobs = new Set();
  #job = null;
  /** Texts of sheets of other origins, by address; null while or where they cannot be had. */
  #fetched = new Map();

  /** `hasRedacted` says that there are redacted views. `shown(names)` hears of attributes that a sheet shows as text; `wake()` asks for a slice. */
  constructor({ window, changes, push, isAlive, hasRedacted, shown, failed, wake }) {
    this.#window = window;
    this.#changes = changes;
    this.#push = push;
    this.#isAlive = isAlive;
    this.#hasRedacted = hasRedacted;
    this.#shown = shown;
    this.#failed = failed;
    this.#wake = wake;
  }

  add(entry) {
    this.#sheets.set(entry, { seen: "", sent: "" });
    this.#jobs.add(entry);
  }

  addRoot(entry) {
    this.#adopters.set(entry, { seen: [], styleIds: "" });
    // A document that begins anew keeps what it adopted for the player.
    if (adoptedBy(entry.node).length > 0 || (entry.parent === null && this.#hasAdopted)) this.#jobs.add(entry);
  }

  gone(entry) {
    this.#sheets.delete(entry);
    this.#adopters.delete(entry);
    this.#jobs.delete(entry);
  }

  /** Something about this sheet may be different now. */
  mark(entry) {
    if (this.#sheets.has(entry)) this.#jobs.add(entry);
  }

  get idle() {
    return this.#job === null && this.#jobs.size === 0;
  }

  /** Looks for what nobody tells; true where there is something to do. */
  look() {
    for (const [entry, state] of this.#sheets) {
      if (!this.#jobs.has(entry) && this.#outline(this.#sheetOf(entry)) !== state.seen) this.#jobs.add(entry);
    }
    for (const [entry, state] of this.#adopters) {
      const now = adoptedBy(entry.node);
      const same = now.length === state.seen.length && now.every((sheet, index) => outlineOf(sheet) === state.seen[index]);
      if (!same) this.#jobs.add(entry);
    }
    return !this.idle;
  }

  #sheetOf(entry) {
    const { node } = entry;
    if (localName(node) === "link") return own(node, "HTMLLinkElement", "sheet") ?? null;
    return own(node, namespaceOf(node) === SVG ? "SVGStyleElement" : "HTMLStyleElement", "sheet") ?? null;
  }

  #outline(sheet) {
    return sheet === null ? "none" : outlineOf(sheet);
  }

  /** Reads on until everything is read or the time is over; one step at least. */
  work(over) {
    while (!this.idle) {
      if (this.#job === null) {
        const [entry] = this.#jobs;
        this.#jobs.delete(entry);
        this.#job = entry.isShadowRoot || entry.parent === null ? this.#adopt(entry) : this.#read(entry);
      }
      try {
        if (this.#job.next().done) this.#job = null;
      } catch (error) {
        this.#job = null;
        this.#failed(error);
      }
      if (over()) return;
    }
  }

  *#read(entry) {
    const state = this.#sheets.get(entry);
    if (!state || !this.#isAlive(entry)) return;
    const sheet = this.#sheetOf(entry);
    state.seen = this.#outline(sheet);
    let text = "";
    if (sheet && !sheet.disabled) {
      const isLink = localName(entry.node) === "link";
      let rules = yield* this.#rulesOf(sheet, isLink ? null : sourceOf(entry.node));
      if (rules === null && isLink) rules = yield* this.#foreign(entry, sheet.href);
      text = (rules ?? []).join("\n");
    }
    // It may have gone or changed while it was read.
    if (!this.#isAlive(entry)) return;
    if (state.seen !== this.#outline(this.#sheetOf(entry))) this.#jobs.add(entry);
    if (text === state.sent) return;
    state.sent = text;
    this.#changes.attributes(entry, { _cssText: text });
  }

  /** `source` is the sheet's own text, or null where that is not known: what a script put into such a sheet cannot be told apart. */
  *#rulesOf(sheet, source) {
    const shown = new Set();
    const rules = yield* rulesOf(sheet, { source: this.#hasRedacted ? source : null, shown, isMedia: this.#isMedia });
    if (shown.size > 0) this.#shown(shown);
    return rules;
  }

  #isMedia = (query) => this.#window.matchMedia(query).matches;

  /** A sheet of another origin: asked for once, without credentials; most servers of style sheets allow that. */
  *#foreign(entry, href) {
    if (!href) return null;
    if (!this.#fetched.has(href)) {
      this.#fetched.set(href, null);
      this.#fetch(entry, href);
      return null;
    }
    const text = this.#fetched.get(href);
    if (text === null) return null;
    const sheet = new this.#window.CSSStyleSheet();
    sheet.replaceSync(cleanCss(text));
    return yield* this.#rulesOf(sheet, null);
  }

  async #fetch(entry, href) {
    try {
      const answer = await this.#window.fetch(href, { mode: "cors", credentials: "omit", referrerPolicy: "no-referrer" });
      if (!answer.ok) return;
      this.#fetched.set(href, await answer.text());
      this.mark(entry);
      this.#wake();
    } catch {
      // Not allowed by its server or by the page's policy: the desk sees the page without this sheet.
    }
  }

  *#adopt(entry) {
    const state = this.#adopters.get(entry);
    if (!state || !this.#isAlive(entry)) return;
    const sheets = adoptedBy(entry.node);
    state.seen = sheets.map(outlineOf);
    const styleIds = [];
    const styles = [];
    for (const sheet of sheets) {
      const outline = outlineOf(sheet);
      let known = this.#ids.get(sheet);
      if (known?.outline !== outline) {
        known = { outline, id: this.#nextId++ };
        this.#ids.set(sheet, known);
        const rules = (yield* this.#rulesOf(sheet, "")) ?? [];
        styles.push({ styleId: known.id, rules: rules.map((rule, index) => ({ rule, index })) });
      }
      if (!sheet.disabled) styleIds.push(known.id);
    }
    if (!this.#isAlive(entry)) return;
    if (entry.parent === null) this.#hasAdopted = true;
    this.#changes.flush();
    const bytes = styles.reduce((sum, style) => sum + style.rules.reduce((inner, { rule }) => inner + rule.length + 30, 0), 100);
    this.#push(adopted(entry.id, styleIds, styles), bytes);
  }

  clear() {
    this.#sheets.clear();
    this.#adopters.clear();
    this.#jobs.clear();
    this.#job = null;
    this.#ids = new WeakMap();
  }
}

const adoptedBy = (root) => own(root, nodeType(root) === DOCUMENT ? "Document" : "ShadowRoot", "adoptedStyleSheets") ?? [];

/** The text of a `<style>`. */
function sourceOf(node) {
  let text = "";
  for (let child = firstChild(node); child; child = nextSibling(child)) if (nodeType(child) === TEXT) text += textOf(child);
  return text;
}

/** Enough of a sheet to see that it has changed. */
function outlineOf(sheet) {
  const rules = readable(sheet);
  if (rules === null) return `unreadable ${sheet.href}`;
  const last = rules.length > 0 ? rules[rules.length - 1].cssText : "";
  return `${sheet.disabled} ${rules.length} ${last.length > 2000 ? last.length : last}`;
}


/**
 * Records the page for the desk, in rrweb's event format. It looks and does not patch: the page's prototypes and globals stay as they are.
 *
 * This file puts the parts together: what is heard marks, and the slices do the work. It decides nothing about what may leave (`privacy.js`).
 */

import { Changes } from "./changes.js";
import { Controls } from "./controls.js";
import { ELEMENT, addEventListener, localName, nodeType, ofDocument, openShadowRoot, parentNode, removeEventListener, selectAll } from "./dom.js";
import { TAG, custom, meta, resize, snapshot } from "./format.js";
import { BLANK, Images } from "./images.js";
import { Outbox } from "./outbox.js";
import { Pointer } from "./pointer.js";
import { CHOICE, CONTROL, EDITABLE, IMAGE, Privacy, SHEET, SIZED, isEditContext } from "./privacy.js";
import { Scrolls } from "./scrolls.js";
import { Sizes, sizeStyle } from "./sizes.js";
import { Slices, browserClock } from "./slices.js";
import { Styles } from "./styles.js";
import { ATTRIBUTES, CHILDREN, TEXTS, Tree } from "./tree.js";
import { Views } from "./views.js";

/** How often what nobody tells is looked for. */
const LOOK_MS = 500;
/** Elements that are looked at for that in one go. */
const LOOKED_AT_ONCE = 500;
/** A page that makes the recorder start anew more often than this in a minute cannot be recorded. */
const MOST_RESTARTS = 10;

/**
 * Starts recording.
 *
 * `emit(events)` takes events of rrweb's format, about every 100 ms while something changes. `redactedViews` and `unredactedViews` are CSS
 * selectors; one that cannot be parsed throws an error with the code `invalid_argument`, and nothing is recorded. `onError(error)` hears of what
 * could not be recorded, without anything of the page; where that is the page as a whole it has `isFatal`, and recording has stopped. `clock` is for tests: see `slices.js`.
 *
 * Returns `stop()`, `resync()` (begins anew, for a viewer who has just come), `pause()` and `resume()` (which begins anew).
 */
export function record({ redactedViews = [], unredactedViews = [], emit, onError = () => {}, document = globalThis.document, clock }) {
  let recorder;
  const views = new Views(document, redactedViews, unredactedViews, {
    found: (root) => recorder.foundShadowRoot(root),
    lost: (root) => recorder.lostShadowRoot(root),
    isShown: (root) => recorder.isShown(root),
  });
  recorder = new Recorder(document, views, emit, onError, clock);
  recorder.resync();
  return {
    stop: () => recorder.stop(),
    resync: () => recorder.resync(),
    pause: () => recorder.pause(),
    resume: () => recorder.resume(),
  };
}

class Recorder {
  #document;
  #window;
  #views;
  #privacy;
  #onError;
  #clock;
  #outbox;
  #changes;
  #tree;
  #slices;
  #styles;
  #controls;
  #images;
  #sizes;
  #scrolls;
  #pointer;
  #mutations;
  #passwords;
  #listening = [];
  #state = "new";
  /** What the slices have to do besides the tree. */
  #begin = false;
  #viewsStale = false;
  #complete = false;
  #lookedAt = null;
  #designMode = "";
  #address = "";
  #restarts = [];
  #failures = new Set();

  constructor(document, views, emit, onError, givenClock) {
    this.#document = document;
    this.#window = ofDocument(document, "defaultView");
    this.#views = views;
    this.#onError = onError;
    this.#privacy = new Privacy(views);
    const window = this.#window;
    const clock = givenClock ?? browserClock(window);
    this.#clock = clock;
    this.#outbox = new Outbox(clock, (events) => this.#guarded(() => emit(events)));
    const push = (event, bytes) => this.#outbox.push(event, bytes);
    this.#changes = new Changes(push);
    this.#slices = new Slices(clock, () => this.#slice());
    const alive = (entry) => this.#tree.isAlive(entry);
    const inPlace = (entry) => this.#tree.isInPlace(entry);
    const find = (node) => {
      const entry = this.#tree.find(node);
      return entry && alive(entry) ? entry : undefined;
    };
    const wake = () => this.#wake();
    const failed = (error) => this.#failed(error);
    const changed = (entry) => {
      this.#tree.mark(entry, ATTRIBUTES);
      wake();
    };
    this.#tree = new Tree({
      privacy: this.#privacy,
      changes: this.#changes,
      over: this.#slices.over,
      on: {
        added: (entry) => this.#added(entry),
        gone: (entry) => this.#gone(entry),
        shadowRoot: (entry) => this.#addShadowRoot(entry),
        extras: (entry, attributes) => this.#extras(entry, attributes),
        restart: () => (this.#begin = true),
        failed,
      },
    });
    this.#styles = new Styles({
      window,
      changes: this.#changes,
      push,
      isAlive: inPlace,
      hasRedacted: views.hasRedacted,
      shown: (names) => this.#shownBySheets(names),
      failed,
      wake,
    });
    this.#controls = new Controls({ privacy: this.#privacy, push, isAlive: inPlace });
    this.#images = new Images({ window, isAlive: inPlace, changed });
    this.#scrolls = new Scrolls({ window, push, find, wake });
    this.#pointer = new Pointer({ window, clock, push, find, privacy: this.#privacy });
    this.#mutations = new window.MutationObserver((records) => this.#guarded(() => this.#heard(records)));
    // Apart from the rest, because it goes on while nobody looks on.
    this.#passwords = new window.MutationObserver((records) => this.#remember(records));
    this.#passwords.observe(document, TYPE_CHANGES);
    this.#sizes = new Sizes({ window, find, changed, seen: (entry) => this.#images.want(entry) });
  }

  // From here on: what is called from outside.

  /** Begins anew with new ids. */
  resync() {
    if (this.#state === "stopped") return;
    if (this.#state !== "running") {
      this.#state = "running";
      this.#listen();
    }
    this.#begin = true;
    this.#outbox.clear();
    this.#wake();
  }

  /** Nobody looks on: nothing is kept but what must be remembered. */
  pause() {
    if (this.#state !== "running") return;
    this.#state = "paused";
    this.#forget();
    this.#outbox.clear();
    this.#unlisten();
  }

  resume() {
    if (this.#state === "paused") this.resync();
  }

  stop() {
    if (this.#state === "stopped") return;
    this.pause();
    this.#state = "stopped";
    this.#images.stop();
    this.#passwords.disconnect();
  }

  // What is heard.

  #listen() {
    const { document, window } = { document: this.#document, window: this.#window };
    const on = (target, type, heard) => {
      const guarded = (event) => this.#guarded(() => heard(event));
      addEventListener.call(target, type, guarded, LISTENING);
      this.#listening.push(() => removeEventListener.call(target, type, guarded, LISTENING));
    };
    on(document, "scroll", this.#scrolls.heard);
    on(document, "pointermove", this.#pointer.moved);
    on(document, "click", this.#pointer.clicked);
    on(document, "focusin", this.#pointer.focused);
    on(document, "focusout", this.#pointer.blurred);
    for (const type of ["input", "change", "reset"]) on(document, type, (event) => this.#typed(event));
    on(document, "load", (event) => this.#loaded(event));
    on(document, "toggle", (event) => this.#markNode(event.target, ATTRIBUTES));
    this.#listening.push(this.#clock.every(() => this.#guarded(() => this.#look()), LOOK_MS));
    on(window, "resize", () => this.#outbox.push(resize(window.innerWidth, window.innerHeight)));
  }

  #unlisten() {
    for (const end of this.#listening.splice(0)) end();
  }

  #heard(records) {
    if (records.length === 0) return;
    this.#viewsStale = true;
    for (const { target, type, attributeName } of records) {
      const entry = this.#tree.find(target);
      if (entry) {
        if (entry.bits & SHEET && !entry.isShadowRoot) this.#styles.mark(entry);
        // Classes are the views' business; any other attribute may say what an element is.
        if (type === "attributes" && attributeName !== "class") this.#tree.suspect(entry);
        const what = type === "childList" ? CHILDREN : type === "attributes" ? ATTRIBUTES : TEXTS;
        if (what !== CHILDREN || entry.children) this.#tree.mark(entry, what);
        if (attributeName === "src" || attributeName === "srcset") this.#forgetPicture(entry);
        continue;
      }
      // Not sent, or not yet. A text in a style sheet is part of it; an attribute may have been the reason.
      const parent = parentNode(target);
      const parentEntry = parent && this.#tree.find(parent);
      if (!parentEntry) continue;
      if (parentEntry.bits & SHEET && !parentEntry.isShadowRoot) this.#styles.mark(parentEntry);
      else if (type === "attributes" && parentEntry.children) this.#tree.mark(parentEntry, CHILDREN);
    }
    this.#wake();
  }

  #remember(records) {
    for (const { target, attributeName, oldValue } of records) this.#privacy.remember(target, attributeName, oldValue ?? "");
  }

  #typed(event) {
    if (event.type === "reset") {
      this.#controls.look();
    } else {
      const entry = this.#tree.find(event.composedPath()[0]);
      if (entry) this.#controls.mark(entry);
    }
    this.#wake();
  }

  #loaded({ target }) {
    const entry = this.#tree.find(target);
    if (!entry) return;
    if (entry.bits & SHEET) this.#styles.mark(entry);
    if (entry.bits & IMAGE) this.#images.want(entry);
    this.#wake();
  }

  #markNode(node, what) {
    const entry = this.#tree.find(node);
    if (!entry) return;
    this.#tree.mark(entry, what);
    this.#wake();
  }

  #forgetPicture(entry) {
    if (entry.extra?.picture) entry.extra.picture = null;
    if (entry.bits & IMAGE) this.#images.want(entry);
  }

  // What the tree tells.

  #added(entry) {
    const { bits } = entry;
    if (bits & SHEET) this.#styles.add(entry);
    if (bits & CONTROL && entry.extra?.text !== undefined) this.#controls.add(entry);
    if (bits & SIZED) this.#sizes.add(entry);
    if (bits & CHOICE && !(bits & CONTROL)) this.#optionAdded(entry);
    this.#scrolls.added(entry);
  }

  #optionAdded(entry) {
    let select = entry.parent;
    while (select && !(select.bits & CONTROL)) select = select.parent;
    if (select) this.#controls.optionAdded(select);
  }

  #gone(entry) {
    const { bits, node } = entry;
    if (bits & SHEET || entry.isShadowRoot) this.#styles.gone(entry);
    if (bits & CONTROL) this.#controls.gone(entry);
    if (bits & IMAGE) this.#images.gone(entry);
    // The node itself may be there again.
    if (bits & SIZED && !this.#tree.find(node)) this.#sizes.gone(node);
    this.#scrolls.gone(entry);
  }

  #addShadowRoot(entry) {
    this.#views.include(entry.node);
    this.#styles.addRoot(entry);
  }

  /** What happens in a shadow root is heard there only. */
  foundShadowRoot(root) {
    this.#observe(root);
    this.#passwords.observe(root, TYPE_CHANGES);
    addEventListener.call(root, "scroll", this.#scrolls.heard, LISTENING);
    addEventListener.call(root, "slotchange", this.#slotted, LISTENING);
  }

  #slotted = () => {
    this.#viewsStale = true;
    this.#wake();
  };

  isShown(root) {
    const entry = this.#tree.find(root);
    return entry !== undefined && this.#tree.isAlive(entry);
  }

  lostShadowRoot(root) {
    removeEventListener.call(root, "scroll", this.#scrolls.heard, LISTENING);
    removeEventListener.call(root, "slotchange", this.#slotted, LISTENING);
  }

  #observe(root) {
    this.#mutations.observe(root, { subtree: true, childList: true, characterData: true, attributes: true });
  }

  #extras(entry, attributes) {
    if (entry.bits & SIZED) {
      const style = sizeStyle(entry, attributes.style);
      if (style) attributes.style = style;
    }
    if (entry.bits & IMAGE) attributes.src = entry.extra?.picture ?? BLANK;
    if (localName(entry.node) === "dialog" && attributes.open !== undefined) {
      attributes.rr_open_mode = entry.node.matches(":modal") ? "modal" : "non-modal";
    }
  }

  #shownBySheets(names) {
    for (const name of this.#privacy.learn(names)) {
      for (const root of this.#views.roots) {
        for (const element of selectAll(root, `[${CSS.escape(name)}]`)) this.#markNode(element, ATTRIBUTES);
      }
    }
  }

  // The work.

  #wake() {
    if (this.#state === "running") this.#slices.request();
  }

  #slice() {
    if (this.#state !== "running") return;
    try {
      this.#step();
    } catch (error) {
      this.#failed(error);
      this.#begin = true;
    }
    if (this.#begin) {
      // Whatever was found out until then may be told by a page that is not there any more.
      this.#changes.clear();
      this.#outbox.clear();
      if (!this.#mayRestart()) {
        this.stop();
        this.#report(Object.assign(new Error("this page changes too much at once to be recorded"), { isFatal: true }));
        return;
      }
    }
    this.#changes.flush();
    if (this.#busy) this.#wake();
  }

  get #busy() {
    return this.#begin || !this.#tree.idle || !this.#styles.idle || !this.#controls.idle || this.#lookedAt !== null;
  }

  #step() {
    if (!this.#begin) this.#decideAnew();
    if (this.#begin) this.#restart();
    const over = this.#slices.over;
    this.#tree.work();
    if (this.#begin) return;
    this.#styles.work(over);
    // What follows speaks of elements that the desk must have.
    this.#changes.flush();
    this.#controls.work(over);
    this.#lookAtElements(over);
    this.#changes.flush();
    const settled = this.#tree.idle && this.#styles.idle && !this.#begin;
    if (settled && !this.#complete) {
      this.#complete = true;
      this.#outbox.push(custom(TAG.complete, {}));
      this.#scrolls.lookAt(this.#elements());
    }
    this.#scrolls.work((entry) => this.#tree.isAlive(entry), settled);
  }

  /** What may be seen at all comes first: the rest of a slice goes by it. Sets `#begin` where the whole page has to be told anew. */
  #decideAnew() {
    if (ofDocument(this.#document, "designMode") !== this.#designMode) {
      this.#begin = true;
      return;
    }
    this.#heard(this.#mutations.takeRecords());
    if (this.#viewsStale && this.#views.any) this.#refreshViews();
    this.#viewsStale = false;
    this.#tree.judgeSuspects();
  }

  #restart() {
    this.#begin = false;
    this.#forget();
    this.#outbox.clear();
    const { document, window } = { document: this.#document, window: this.#window };
    this.#designMode = ofDocument(document, "designMode");
    this.#address = this.#privacy.address(window.location);
    if (this.#views.any) this.#views.refresh();
    this.#outbox.push(meta(this.#address, window.innerWidth, window.innerHeight));
    this.#observe(document);
    const node = this.#tree.begin(document, this.#designMode === "on" ? EDITABLE : 0);
    this.#outbox.push(snapshot(node), 1000);
    this.#styles.addRoot(this.#tree.root);
  }

  #mayRestart() {
    const now = this.#clock.now();
    this.#restarts = this.#restarts.filter((at) => now - at < 60_000);
    this.#restarts.push(now);
    return this.#restarts.length <= MOST_RESTARTS;
  }

  /** Takes back what must not be seen any more before anything else of this slice is sent. */
  #refreshViews() {
    for (const element of this.#views.refresh()) {
      const entry = this.#tree.find(element);
      if (entry && this.#tree.isMisjudged(entry)) this.#tree.remake(entry);
      else if (!entry) this.#markParent(element);
    }
  }


  #markParent(node) {
    const parent = parentNode(node);
    const entry = parent && this.#tree.find(parent);
    if (entry?.children) this.#tree.mark(entry, CHILDREN);
  }

  /** What nobody tells: values, rules, shadow roots, addresses. */
  #look() {
    if (this.#begin) return;
    this.#viewsStale = true;
    this.#views.prune();
    this.#scrolls.lookAgain();
    this.#controls.look();
    this.#styles.look();
    this.#lookedAt ??= this.#elements();
    const address = this.#privacy.address(this.#window.location);
    if (address !== this.#address) {
      this.#address = address;
      this.#outbox.push(custom(TAG.address, { href: address }));
    }
    this.#wake();
  }

  /** The elements of the tree, one after the other. */
  *#elements() {
    const stack = [this.#tree.root];
    while (stack.length > 0) {
      const entry = stack.pop();
      if (entry.parent === null && entry !== this.#tree.root) continue;
      yield entry;
      if (entry.shadow) stack.push(entry.shadow);
      if (entry.children) for (let at = entry.children.length - 1; at >= 0; at--) stack.push(entry.children[at]);
    }
  }

  /** A shadow root can be attached at any time; the player makes one only with its host. */
  #lookAtElements(over) {
    if (!this.#complete) this.#lookedAt = null;
    for (let count = 0; this.#lookedAt !== null && count < LOOKED_AT_ONCE && (count === 0 || !over()); count++) {
      const { value: entry, done } = this.#lookedAt.next();
      if (done) {
        this.#lookedAt = null;
        return;
      }
      if (entry.isShadowRoot || entry.shadow || nodeType(entry.node) !== ELEMENT) continue;
      if (entry.children ? openShadowRoot(entry.node) || (!(entry.bits & EDITABLE) && isEditContext(entry.node)) : this.#tree.isMisjudged(entry)) this.#tree.remake(entry);
    }
  }

  #forget() {
    this.#slices.stop();
    this.#mutations.disconnect();
    this.#tree.end();
    this.#changes.clear();
    this.#styles.clear();
    this.#controls.clear();
    this.#images.clear();
    this.#sizes.stop();
    this.#scrolls.clear();
    this.#pointer.clear();
    this.#views.clear();
    this.#lookedAt = null;
    this.#complete = false;
    this.#viewsStale = false;
  }

  // What goes wrong.

  /** The page's code may throw anywhere; neither it nor the recording may suffer. */
  #guarded(run) {
    try {
      run();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Each kind once, by its name alone: an error's message may quote the page. */
  #failed(error) {
    const name = typeof error?.name === "string" && /^[A-Z]\w{0,40}$/.test(error.name) ? error.name : "Error";
    if (this.#failures.has(name)) return;
    this.#failures.add(name);
    this.#report(new Error(`a part of the page could not be recorded (${name})`));
  }

  #report(error) {
    try {
      this.#onError(error);
    } catch {
      // The listener's own business.
    }
  }
}

const LISTENING = { capture: true, passive: true };
const TYPE_CHANGES = { subtree: true, attributes: true, attributeFilter: ["type", "autocomplete"], attributeOldValue: true };

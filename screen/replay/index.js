// Shows the page of a customer who shares it, as it is recorded: rrweb's Replayer in live mode, in a frame that runs no script, with events that have been
// made harmless. It has no controls and no network; it needs a page of its own whose content security policy allows inline styles and pictures as data,
// and nothing else: see `docs/screen-share.md`.

import { Replayer, ReplayerEvents } from "rrweb";

import { BOX_TAG, COMPLETE_TAG, MODAL_ATTRIBUTE, PLACE_TAG, Sanitiser } from "./sanitise.js";

export { BatchError, unpack } from "./unpack.js";

const EVENT = { full: 2, incremental: 3, meta: 4, custom: 5 };
const RESIZE_SOURCE = 4;
const CLICK = 2;
const INTERACTION_SOURCE = 2;
/** rrweb's frame has this and nothing else: a frame without `allow-scripts` runs none. */
const SANDBOX = "allow-same-origin";
/** Small pages are not blown up further. */
const MAX_SCALE = 2;

/** Within the page that is shown. `:where` leaves the last word to the page's own styles. */
const SHOWN_RULES = [
  `${BOX_TAG} { display: inline-block; box-sizing: border-box; min-width: 1em; min-height: 1em; background: repeating-linear-gradient(135deg, #8884 0 6px, #8882 6px 12px); outline: 1px dashed #888; outline-offset: -1px; }`,
  `${PLACE_TAG} { display: none !important; }`,
  `:where(dialog[${MODAL_ATTRIBUTE}][open]) { inset: 0; margin: auto; overflow: auto; max-width: calc(100% - 2em - 6px); max-height: calc(100% - 2em - 6px); }`,
  `dialog[${MODAL_ATTRIBUTE}][open] { position: fixed !important; z-index: 2147483647 !important; box-shadow: 0 0 0 200vmax #0005; }`,
];

const STYLE = `
.sportello-replay { position: relative; overflow: hidden; }
.sportello-replay[data-state="loading"] .replayer-wrapper { visibility: hidden; }
.sportello-replay .replayer-wrapper { position: absolute; inset: 0 auto auto 0; transform-origin: 0 0; overflow: hidden; background: #fff; }
.sportello-replay iframe { display: block; border: 0; pointer-events: none; background: #fff; }
.sportello-replay .replayer-mouse { position: absolute; z-index: 1; width: 22px; height: 22px; margin: -1px 0 0 -1px; pointer-events: none; transition: left 0.1s linear, top 0.1s linear; }
.sportello-replay .replayer-mouse:not([style]) { display: none; }
.sportello-replay .replayer-mouse::before { content: ""; position: absolute; inset: 0; background: #1b1b1b; clip-path: polygon(0 0, 0 78%, 22% 62%, 36% 96%, 50% 90%, 37% 58%, 62% 56%); filter: drop-shadow(0 0 1px #fff) drop-shadow(0 0 1px #fff); }
.sportello-replay .replayer-mouse.is-clicked::after { content: ""; position: absolute; left: -14px; top: -14px; width: 28px; height: 28px; border-radius: 50%; background: #4950f6; animation: sportello-click 0.4s ease-out forwards; }
@keyframes sportello-click { from { opacity: 0.7; transform: scale(0.3); } to { opacity: 0; transform: scale(1.4); } }
@media (prefers-reduced-motion: reduce) { .sportello-replay .replayer-mouse { transition: none; } .sportello-replay .replayer-mouse.is-clicked::after { animation-duration: 1ms; } }
`;

/** Documents that have the styles already. */
const styled = new WeakSet();

/**
 * Shows a recording in `root`, an empty element with a size of its own.
 *
 * `onReady(isReady)` hears when the whole page is there, and when a new one begins; `onSize({ width, height, scale })` the customer's viewport and how it
 * is scaled, `onBroken(reason)` that the picture cannot be trusted any more and a fresh start is needed: `unreadable` where the recording makes no sense,
 * `too_large` where parts are left out (the picture goes on without them).
 */
export function createReplay({ root, onReady = () => {}, onSize = () => {}, onBroken = () => {} }) {
  return new Replay(root, { onReady, onSize, onBroken });
}

class Replay {
  #root;
  #told;
  #replayer = null;
  #sanitiser;
  #epoch = Number.NEGATIVE_INFINITY;
  #size = null;
  #scale = 1;
  #isReady = false;
  #isBroken = false;
  #toldCut = false;
  #observer;

  constructor(root, told) {
    this.#root = root;
    this.#told = told;
    const form = root.ownerDocument.createElement("form");
    this.#sanitiser = new Sanitiser({ isTaken: (name) => name in form || name in root.ownerDocument });
    styleOnce(root.ownerDocument);
    root.classList.add("sportello-replay");
    root.dataset.state = "loading";
    this.#observer = new ResizeObserver(() => this.#fit());
    this.#observer.observe(root);
  }

  /**
   * Plays events of the recording with this number. Those of an older one are ignored; a newer one begins afresh. Whatever the events are, this does not
   * throw.
   */
  push(epoch, events) {
    if (!Number.isFinite(epoch) || epoch < this.#epoch || !Array.isArray(events)) return;
    if (epoch > this.#epoch) {
      this.#clear();
      this.#epoch = epoch;
    }
    let isPlayed = false;
    for (const event of events) isPlayed = this.#play(event) || isPlayed;
    // What was only noted while many events were played at once, the customer's mouse for one, is drawn now.
    if (isPlayed && this.#replayer) this.#try(() => this.#replayer.emitter.emit(ReplayerEvents.Flush));
    if (this.#sanitiser.isCut && !this.#toldCut) {
      this.#toldCut = true;
      this.#told.onBroken("too_large");
    }
  }

  /** Forgets everything that is shown; a recording may begin again with any number. */
  reset() {
    this.#epoch = Number.NEGATIVE_INFINITY;
    this.#clear();
  }

  /** The place in the customer's viewport, in whole CSS pixels, that is shown at a place of this window; `null` where that is beside the picture. */
  toCustomer(clientX, clientY) {
    if (!this.#isReady || !this.#size) return null;
    const { left, top } = this.#replayer.wrapper.getBoundingClientRect();
    const x = Math.floor((clientX - left) / this.#scale);
    const y = Math.floor((clientY - top) / this.#scale);
    return x >= 0 && y >= 0 && x < this.#size.width && y < this.#size.height ? { x, y } : null;
  }

  /** Where a place of the customer's viewport is shown, in this window. */
  toWindow(x, y) {
    if (!this.#isReady || !this.#size) return null;
    const { left, top } = this.#replayer.wrapper.getBoundingClientRect();
    return { clientX: left + x * this.#scale, clientY: top + y * this.#scale };
  }

  destroy() {
    this.#observer.disconnect();
    this.#clear();
    this.#root.classList.remove("sportello-replay");
    delete this.#root.dataset.state;
  }

  #clear() {
    this.#dropReplayer();
    this.#sanitiser.reset();
    this.#isBroken = false;
    this.#toldCut = false;
    this.#setReady(false);
  }

  #dropReplayer() {
    const replayer = this.#replayer;
    this.#replayer = null;
    if (!replayer) return;
    try {
      replayer.destroy();
    } catch {
      replayer.wrapper.remove();
    }
  }

  #setReady(isReady) {
    if (this.#isReady === isReady) return;
    this.#isReady = isReady;
    this.#root.dataset.state = isReady ? "live" : "loading";
    if (isReady) this.#fit();
    this.#told.onReady(isReady);
  }

  /** Plays one event; says whether it did. */
  #play(told) {
    if (this.#isBroken && told?.type !== EVENT.full) return false;
    const event = this.#sanitiser.clean(told);
    if (!event) {
      // A page that cannot be built at all is worth a word; a single event that is unknown is not.
      if (told?.type === EVENT.full) this.#break();
      return false;
    }
    if (event.type === EVENT.meta || event.data.source === RESIZE_SOURCE) this.#size = { width: event.data.width, height: event.data.height };
    if (event.type === EVENT.full) {
      this.#isBroken = false;
      if (!this.#try(() => this.#build())) this.#dropReplayer();
    }
    // What comes before the first picture of the page has nothing to change.
    if (!this.#replayer) return false;
    if (event.type === EVENT.custom) {
      if (event.data.tag === COMPLETE_TAG) this.#setReady(true);
      return false;
    }
    const isPlayed = this.#try(() => this.#replayer.applyEventsSynchronously([event]));
    if (event.type === EVENT.meta || event.data.source === RESIZE_SOURCE) this.#fit();
    if (event.data.source === INTERACTION_SOURCE && event.data.type === CLICK) this.#showClick();
    return isPlayed;
  }

  #build() {
    this.#dropReplayer();
    this.#setReady(false);
    this.#replayer = new Replayer([], {
      root: this.#root,
      // Never started: a live player has a clock of its own and keeps every event; this one plays what it is given at once, and keeps none.
      liveMode: true,
      mouseTail: false,
      triggerFocus: false,
      useVirtualDom: false,
      pauseAnimation: false,
      UNSAFE_replayCanvas: false,
      insertStyleRules: SHOWN_RULES,
      showWarning: true,
      logger: { log() {}, warn: (_prefix, words) => typeof words === "string" && words.startsWith("Exception in mutation") && this.#break() },
    });
    const { iframe, wrapper } = this.#replayer;
    // rrweb sees to it; what the safety of the agent rests on is looked at all the same.
    if (iframe.getAttribute("sandbox") !== SANDBOX) throw new Error("the frame of the recording is not sandboxed as it must be");
    iframe.tabIndex = -1;
    iframe.title = "";
    iframe.setAttribute("referrerpolicy", "no-referrer");
    // Neither the Tab key nor a script's focus nor a screen reader gets in: the page that is shown is a picture.
    wrapper.inert = true;
    if (this.#size) this.#replayer.handleResize(this.#size);
    this.#fit();
  }

  #showClick() {
    const { mouse } = this.#replayer;
    mouse.classList.remove("is-clicked");
    // Reading a size makes the browser notice, so that the animation starts again.
    void mouse.offsetWidth;
    mouse.classList.add("is-clicked");
  }

  #try(play) {
    try {
      play();
      return true;
    } catch {
      this.#break();
      return false;
    }
  }

  #break() {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#told.onBroken("unreadable");
  }

  #fit() {
    if (!this.#replayer || !this.#size) return;
    const { width, height } = this.#size;
    const space = { width: this.#root.clientWidth, height: this.#root.clientHeight };
    this.#scale = Math.min(space.width / width, space.height / height, MAX_SCALE) || 1;
    Object.assign(this.#replayer.wrapper.style, {
      width: `${width}px`,
      height: `${height}px`,
      left: `${Math.max(0, (space.width - width * this.#scale) / 2)}px`,
      top: `${Math.max(0, (space.height - height * this.#scale) / 2)}px`,
      transform: `scale(${this.#scale})`,
    });
    this.#told.onSize({ width, height, scale: this.#scale });
  }
}

function styleOnce(document) {
  if (styled.has(document)) return;
  styled.add(document);
  const sheet = new document.defaultView.CSSStyleSheet();
  sheet.replaceSync(STYLE);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}

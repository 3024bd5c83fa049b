// The customer's page beside the conversation: asks to see it, takes the code that the customer reads out, and shows it live while it is shared. The chat's
// state says how the share stands; this module follows it, so that a reload of the desk goes on where it was. What is shown runs in a frame of its own
// (`replay/`), which gets the recording through a message port and nothing else. What has ended leaves nothing on the page but a line that says why.

import { byId, setText, show } from "../shared/dom.js";
import { explainError } from "../shared/error-words.js";
import { attempt } from "../shared/attempt.js";
import { t } from "../shared/language.js";
import { openScreenStream } from "./stream.js";

const OPEN = ["pending", "authorizing", "active"];
/** How long "the customer has not answered yet" is true after asking. */
const ASKED_MS = 5 * 60_000;
/** The mouse moves more often than anybody can follow. */
const POINTER_MS = 66;
const STEP_PX = 10;
const BIG_STEP_PX = 60;
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** A stream that was refused is tried again for as long as the chat's state says that the page is shared. */
const AGAIN_MS = 2_000;
/** By then the frame has said that it is there, or a part of it is missing. */
const FRAME_MS = 8_000;

export class DeskScreenShare {
  #api;
  #notice;
  #conversation = null;
  #view = null;
  /** What this desk has seen end: `{ chatId, share }`. */
  #ended = null;
  /** The share of a chat that was open when it was last drawn. */
  #seen = new Map();
  #timer = 0;

  constructor({ api, notice }) {
    this.#api = api;
    this.#notice = notice;
    byId("screen-ask").addEventListener("click", (event) => this.#ask(event.currentTarget));
    byId("screen-code").addEventListener("submit", (event) => this.#join(event));
    byId("screen-end").addEventListener("click", (event) => this.#end(event.currentTarget));
    byId("screen-close").addEventListener("click", () => this.#dismiss());
    byId("screen-wide").addEventListener("click", () => this.#setWide(!byId("board").classList.contains("is-wide")));
    byId("screen-again").addEventListener("click", () => this.#view?.resync());
  }

  /** Brings the page in line with this conversation, or with none. Safe to call at any time and as often as one likes. */
  show(conversation) {
    if (conversation !== this.#conversation) {
      byId("screen-code").reset();
      setText(byId("screen-code-error"), "");
    }
    this.#conversation = conversation;
    this.#draw();
  }

  /** Forgets everything: the agent has signed out. */
  clear() {
    this.#seen.clear();
    this.#ended = null;
    this.show(null);
  }

  // --- what can be done -------------------------------------------------------------------------------------------------------------

  async #ask(button) {
    const { id } = this.#conversation.chat;
    await attempt(this.#notice, button, () => this.#api.askForScreen(id));
  }

  async #join(event) {
    event.preventDefault();
    const form = event.currentTarget;
    const { id } = this.#conversation.chat;
    const code = form.elements.code.value.replaceAll(/\D/gu, "");
    if (code.length !== 6) return this.#refuse(t("screen.code.six"));
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await this.#api.joinScreen(id, code);
      form.reset();
      setText(byId("screen-code-error"), "");
    } catch (error) {
      this.#refuse(error.status === 404 ? t("screen.code.wrong") : explainError(error).words);
    } finally {
      button.disabled = false;
    }
  }

  #refuse(words) {
    setText(byId("screen-code-error"), words);
    byId("screen-digits").focus();
    byId("screen-digits").select();
  }

  async #end(button) {
    const { id } = this.#conversation.chat;
    await attempt(this.#notice, button, () => this.#api.endScreen(id));
  }

  #dismiss() {
    this.#ended = null;
    this.#draw();
    byId("text").focus();
  }

  #setWide(isWide) {
    byId("board").classList.toggle("is-wide", isWide);
    byId("screen-wide").setAttribute("aria-pressed", String(isWide));
  }

  // --- what is shown ----------------------------------------------------------------------------------------------------------------

  #draw() {
    clearTimeout(this.#timer);
    const conversation = this.#conversation;
    const chat = conversation?.chat;
    const isOver = !conversation || conversation.isOver;
    const share = this.#follow(chat, isOver);
    const askedFor_ms = share || isOver ? 0 : askedFor(conversation);
    if (askedFor_ms > 0) this.#timer = setTimeout(() => this.#draw(), askedFor_ms);
    const isShown = share?.status === "active" && share.provider !== "cobrowse_io";
    if (isShown) this.#openView(chat.id, share);
    else this.#closeView();
    const ended = this.#ended?.chatId === chat?.id ? this.#ended?.share : null;
    const root = byId("screen");
    const hadFocus = root.contains(document.activeElement);
    // Asked again as often as one likes: a page that was just being loaded has not heard it.
    show(byId("screen-ask"), !isOver && !share && chat.features?.includes("cobrowse") === true);
    show(byId("screen-code"), share?.status === "pending" && share.provider !== "cobrowse_io");
    show(byId("screen-end"), Boolean(share));
    show(byId("screen-close"), Boolean(ended) && !share);
    show(byId("screen-wide"), isShown);
    show(byId("screen-view"), isShown);
    show(byId("screen-hint"), isShown);
    show(byId("screen-again"), isShown && this.#view.isBroken);
    setText(byId("screen-state"), this.#words(share, askedFor_ms > 0, ended));
    root.dataset.state = share?.status ?? (ended ? "ended" : "none");
    show(root, Boolean(share || ended || askedFor_ms > 0));
    if (!isShown) this.#setWide(false);
    // What had the focus is gone: it goes on where the agent writes, or to what closes the line.
    if (hadFocus && !document.activeElement?.closest("#screen")) (ended ? byId("screen-close") : byId("text")).focus();
  }

  /** The open share of the chat; remembers what it was that ended. */
  #follow(chat, isOver) {
    if (!chat) return null;
    const share = chat.screen_share;
    const seenId = this.#seen.get(chat.id);
    const isOpen = share && OPEN.includes(share.status) && !isOver;
    if (isOpen) {
      this.#seen.set(chat.id, share.id);
      if (this.#ended?.chatId === chat.id) this.#ended = null;
      return share;
    }
    if (seenId !== undefined) {
      this.#seen.delete(chat.id);
      if (share?.id === seenId) this.#ended = { chatId: chat.id, share };
    }
    return null;
  }

  #words(share, isAsked, ended) {
    const name = this.#conversation?.customerName ?? "";
    if (share?.provider === "cobrowse_io") return t(`screen.state.elsewhere.${share.status}`, { name }) ?? t("screen.state.elsewhere");
    if (share?.status === "active") return t(`screen.state.${this.#view.state}`, { name });
    if (share) return t(`screen.state.${share.status}`, { name });
    if (ended) return t(`screen.ended.${ended.ended_reason}`, { name }) ?? t("screen.ended");
    return isAsked ? t("screen.state.asked", { name }) : "";
  }

  #openView(chatId, share) {
    if (this.#view?.isOf(chatId, share.id)) return;
    this.#closeView();
    this.#view = new View(chatId, share.id, () => this.#draw());
  }

  #closeView() {
    this.#view?.close();
    this.#view = null;
  }
}

/** How long it is still true that the agent has asked and the customer has not answered. */
function askedFor({ messages, chat }) {
  const asked = messages.findLast((message) => message.event === "cobrowseRequestedFromAgent");
  if (!asked || (chat.screen_share?.created_at_ms ?? 0) >= asked.$timestamp) return 0;
  return asked.$timestamp + ASKED_MS - Date.now();
}

/** One live view: its frame, its stream, and the agent's pointer over it. */
class View {
  #chatId;
  #shareId;
  #onChange;
  #frame;
  #surface = byId("screen-surface");
  #port = null;
  #stream = null;
  #connection = "connecting";
  #page = "here";
  #picture = "loading";
  #life = new AbortController();
  #again = 0;
  #frameTimer = 0;
  #waiting = null;
  #pointerTimer = 0;

  constructor(chatId, shareId, onChange) {
    this.#chatId = chatId;
    this.#shareId = shareId;
    this.#onChange = onChange;
    const { signal } = this.#life;
    const frame = document.createElement("iframe");
    frame.className = "screen-frame";
    // Scripts for the page that shows; what it shows is in a frame within that runs none.
    frame.setAttribute("sandbox", "allow-scripts allow-same-origin");
    frame.title = t("screen.frame");
    // The picture is reached through the surface above it; nothing in it takes the focus.
    frame.tabIndex = -1;
    frame.inert = true;
    frame.addEventListener("load", () => this.#connect(), { signal, once: true });
    frame.src = "/replay/";
    this.#frame = frame;
    byId("screen-view").prepend(frame);
    const listen = (type, listener) => this.#surface.addEventListener(type, listener, { signal });
    listen("pointermove", (event) => this.#point(event, event.buttons > 0));
    listen("pointerdown", (event) => event.isPrimary && this.#pointNow(event, true));
    listen("pointerup", (event) => event.isPrimary && this.#pointNow(event, false));
    listen("pointerleave", () => this.#leave());
    listen("pointercancel", () => this.#leave());
    listen("blur", () => this.#leave());
    listen("keydown", (event) => this.#key(event));
  }

  isOf(chatId, shareId) {
    return this.#chatId === chatId && this.#shareId === shareId;
  }

  /** One word for how the view stands. */
  get state() {
    if (this.#connection !== "online") return this.#stream ? "connecting" : "loading";
    if (this.#page === "away") return "away";
    return this.#picture;
  }

  get isBroken() {
    return ["broken", "too_large"].includes(this.#picture);
  }

  resync() {
    this.#stream?.resync();
  }

  close() {
    this.#life.abort();
    clearTimeout(this.#again);
    clearTimeout(this.#frameTimer);
    clearTimeout(this.#pointerTimer);
    this.#stream?.close();
    this.#port?.close();
    this.#frame.remove();
  }

  #connect() {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.addEventListener("message", ({ data }) => this.#hear(data));
    port1.start();
    this.#frame.contentWindow.postMessage({ type: "sportello.replay" }, location.origin, [port2]);
    this.#frameTimer = setTimeout(() => this.#become(() => (this.#picture = "missing")), FRAME_MS);
    this.#openStream();
  }

  #openStream() {
    this.#stream = openScreenStream(this.#chatId, {
      onState: (state) => this.#become(() => (this.#connection = state)),
      onShare: ({ page }) => this.#become(() => (this.#page = page)),
      onBatch: ({ epoch, seq, bytes }) => this.#port.postMessage({ type: "batch", epoch, seq, bytes }, [bytes]),
      onRefused: () => {
        this.#become(() => (this.#connection = "connecting"));
        this.#again = setTimeout(() => this.#openStream(), AGAIN_MS);
      },
    });
  }

  /** What the frame says. It is the desk's own page, and still only words and numbers are taken from it. */
  #hear(data) {
    clearTimeout(this.#frameTimer);
    if (data?.type === "state") this.#become(() => (this.#picture = String(data.state)));
    else if (data?.type === "resync") this.#stream?.resync();
    else if (data?.type === "pointer") this.#stream?.point(data);
    else if (data?.type === "pointer_left") this.#stream?.leave();
  }

  #become(change) {
    change();
    if (!this.#life.signal.aborted) this.#onChange();
  }

  // --- the agent's pointer

  #tell(message) {
    this.#port?.postMessage(message);
  }

  #pointNow(event, down) {
    clearTimeout(this.#pointerTimer);
    this.#pointerTimer = 0;
    const { left, top } = this.#surface.getBoundingClientRect();
    this.#tell({ type: "point", x: event.clientX - left, y: event.clientY - top, down });
  }

  /** The newest place, some times a second, the last one included. */
  #point(event, down) {
    this.#waiting = { event, down };
    if (this.#pointerTimer) return;
    this.#pointerTimer = setTimeout(() => this.#pointNow(this.#waiting.event, this.#waiting.down), POINTER_MS);
  }

  #leave() {
    clearTimeout(this.#pointerTimer);
    this.#pointerTimer = 0;
    this.#tell({ type: "leave" });
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEPS[event.key];
    if (step) {
      const by = event.shiftKey ? BIG_STEP_PX : STEP_PX;
      this.#tell({ type: "step", dx: step[0] * by, dy: step[1] * by });
    } else if (event.key === "Enter") this.#tell({ type: "press" });
    else if (event.key === "Escape") this.#leave();
    else return;
    event.preventDefault();
  }
}

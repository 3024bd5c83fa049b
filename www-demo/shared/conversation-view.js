// The conversation on the screen: each message once, in the server's order, with the author's own unsent messages after them. It keeps no
// truth of its own; the same messages drawn again, in any order and as often as one likes, give the same picture.

import { append, el, fill, setText, show } from "./dom.js";
import { icon } from "./icons.js";
import { onLanguage, t } from "./language.js";
import { closeChoices } from "./messages/choices.js";
import { closeForm } from "./messages/forms.js";
import { renderMessage } from "./messages/render-message.js";
import { plainText } from "./messages/safe-text.js";
import { clockWords, initials, sizeWords } from "./words.js";

const AT_END_PX = 48;
const TYPING_SHOWN_MS = 8_000;

const DELIVERY_ICONS = { queued: "clock", sending: "clock", sent: "check", failed: "alert" };

export class ConversationView {
  #log;
  #list = el("ol", { class: "messages" });
  // Own messages on their way are not announced: their author has just typed them.
  #waiting = el("ol", { class: "messages is-waiting", "aria-live": "off", "aria-label": t("delivery.waiting") });
  #jump;
  #typing;
  #sticky;
  #own;
  #nameOf;
  #tools;
  #onRetry;
  #onCancel;
  #byIndex = new Map();
  #clientIds = new Set();
  #pending = new Map();
  #closed = false;
  #atEnd = true;
  #typingTimer = 0;

  /**
   * `root` holds `.log`, `.jump`, `.typing` and, where choices can be made, `.sticky`. `own` is the `$userType` of the person who looks;
   * `nameOf(message)` names an author; `onRetry(clientId)` sends a failed message again, `onCancel(clientId)` gives a file up that is on its way. All
   * else is handed on to `renderMessage`.
   */
  constructor(root, { own, nameOf, onRetry, onCancel, ...tools }) {
    this.#log = root.querySelector(".log");
    this.#jump = root.querySelector(".jump");
    this.#typing = root.querySelector(".typing");
    this.#sticky = root.querySelector(".sticky");
    this.#own = own;
    this.#nameOf = nameOf;
    this.#tools = { ...tools, onResize: () => this.#afterResize() };
    this.#onRetry = onRetry;
    this.#onCancel = onCancel;
    this.#log.replaceChildren(this.#list, this.#waiting);
    this.#jump.addEventListener("click", () => {
      this.#toEnd();
      this.#log.focus();
    });
    this.#log.addEventListener("scroll", () => this.#isAtEnd() && show(this.#jump, false), { passive: true });
    this.#stayAtEnd();
    onLanguage(() => this.#drawAgain());
  }

  /** Forgets everything, for another chat. */
  clear() {
    this.#byIndex.clear();
    this.#clientIds.clear();
    this.#pending.clear();
    this.#closed = false;
    this.#list.replaceChildren();
    this.#waiting.replaceChildren();
    this.#dropSticky();
    show(this.#jump, false);
    this.hideTyping();
  }

  /** Draws a whole history without reading all of it aloud. */
  addHistory(messages) {
    this.#log.setAttribute("aria-busy", "true");
    for (const message of messages) this.#insert(message, false);
    this.#afterChange(true);
    // Screen readers wait for the end of "busy"; the next frame is early enough.
    requestAnimationFrame(() => this.#log.removeAttribute("aria-busy"));
  }

  /** Draws a message unless it is there already. */
  add(message) {
    const stay = this.#isAtEnd() || message.$userType === this.#own;
    if (this.#insert(message, true)) this.#afterChange(stay);
  }

  /**
   * Draws an own message that the gateway has not given back yet, or its newest delivery state: a `text`, or a `file` (`{ name, size, canCancel }`) with
   * the part of it that was sent as `progress`, from 0 to 1.
   */
  setPending({ clientId, text, file, state, reason, progress }) {
    if (this.#clientIds.has(clientId)) return;
    const known = this.#pending.get(clientId);
    const item = known ?? this.#pendingItem(clientId, text, file);
    if (!known) {
      this.#pending.set(clientId, item);
      this.#waiting.append(item);
    }
    item.dataset.state = state;
    this.#showProgress(item, state, progress);
    fill(item.querySelector(".delivery"), this.#deliveryNodes(clientId, state, reason));
    this.#markLastSent();
    if (!known) this.#toEnd();
  }

  /** Takes an own message away that will not be sent. */
  dropPending(clientId) {
    this.#pending.get(clientId)?.remove();
    this.#pending.delete(clientId);
  }

  /** Ends the choices: nobody will answer any more. */
  close() {
    this.#closed = true;
    for (const group of this.#log.querySelectorAll(".choices")) closeChoices(group);
    this.#dropSticky();
    this.hideTyping();
  }

  /** What comes from now on can be answered: the conversation goes on after its end. */
  reopen() {
    this.#closed = false;
  }

  /** Says that somebody types, with what they have written so far where that is known; forgets it by itself where the end is never told. */
  showTyping(name, preview = "") {
    clearTimeout(this.#typingTimer);
    this.#typingTimer = setTimeout(() => this.hideTyping(), TYPING_SHOWN_MS);
    const dots = el("span", { class: "dots", "aria-hidden": "true" }, el("span"), el("span"), el("span"));
    const words = t("typing", { name });
    if (this.#typing.dataset.words === words && this.#typing.dataset.preview === preview) return;
    Object.assign(this.#typing.dataset, { words, preview });
    fill(this.#typing, dots, el("span", {}, words), preview && el("span", { class: "typing-preview" }, preview));
  }

  hideTyping() {
    clearTimeout(this.#typingTimer);
    delete this.#typing.dataset.words;
    delete this.#typing.dataset.preview;
    this.#typing.replaceChildren();
  }

  /** The names may be known only after the messages: draws them again. */
  refreshNames() {
    for (const { message, item } of this.#byIndex.values()) {
      const author = item.querySelector(".author");
      if (author) setText(author, this.#authorWords(message));
      const avatar = item.querySelector(".avatar");
      if (avatar && message.$userType !== this.#own) setText(avatar, initials(this.#nameOf(message)));
    }
  }

  /** The same messages in the page's new language. */
  #drawAgain() {
    const messages = [...this.#byIndex.values()].map(({ message }) => message).toSorted((a, b) => a.$index - b.$index);
    const stay = this.#isAtEnd();
    this.#byIndex.clear();
    this.#list.replaceChildren();
    this.#dropSticky();
    this.hideTyping();
    for (const message of messages) this.#insert(message, false);
    this.#waiting.setAttribute("aria-label", t("delivery.waiting"));
    this.#afterChange(stay);
  }

  #insert(message, live) {
    const index = message.$index;
    if (this.#byIndex.has(index)) return false;
    if (message.client_id) {
      this.#clientIds.add(message.client_id);
      this.dropPending(message.client_id);
    }
    const isOwn = message.$userType === this.#own;
    const shown = renderMessage(message, { ...this.#tools, name: this.#nameOf(message) });
    const item = this.#item(message, shown, isOwn, live);
    this.#byIndex.set(index, { message, item });
    this.#place(item, index);
    if (isOwn || message.type === "noti") this.#closeChoicesBefore(index, isOwn ? message.content : undefined);
    if (message.event === "formCompleted") closeForm(this.#list, message.smart_action_id);
    if (shown.kind === "sticky" && !this.#closed) this.#setSticky(index, shown.choices);
    if (!isOwn && (shown.kind === "bubble" || shown.kind === "sticky")) this.hideTyping();
    return true;
  }

  #item(message, shown, isOwn, live) {
    const kind = shown.kind === "sticky" ? "bubble" : shown.kind;
    const item = el("li", { class: `message is-${kind}`, data: { index: message.$index, author: message.$userType } });
    if (message.groupMessageId !== undefined) item.dataset.group = message.groupMessageId;
    if (live && !isOwn) item.classList.add("is-new");
    if (isOwn) item.classList.add("is-own");
    if (kind === "none" || !shown.node) item.hidden = kind !== "note";
    if (!shown.node) return item;
    if (kind === "note") return append(item, [shown.node]);
    const node = shown.kind === "sticky" ? el("div", { class: "bubble" }, shown.node) : shown.node;
    const time = message.$timestamp;
    append(item, [
      el(
        "p",
        { class: "meta" },
        el("span", { class: "avatar", "aria-hidden": "true" }, isOwn ? null : initials(this.#nameOf(message))),
        el("span", { class: "author" }, this.#authorWords(message)),
        " ",
        el("time", { datetime: new Date(time).toISOString() }, clockWords(time)),
      ),
      node,
      isOwn ? el("p", { class: "delivery" }) : null,
    ]);
    return item;
  }

  #authorWords(message) {
    return message.$userType === this.#own ? t("you") : this.#nameOf(message);
  }

  #place(item, index) {
    // Almost always the end; a history that arrives late finds its place from behind.
    let before = this.#list.lastElementChild;
    while (before && Number(before.dataset.index) > index) before = before.previousElementSibling;
    if (before) before.after(item);
    else this.#list.prepend(item);
    this.#group(item);
    if (item.nextElementSibling) this.#group(item.nextElementSibling);
  }

  /** Messages of one author in a row share one name and time; those that were sent as one stand closer still. */
  #group(item) {
    const before = item.previousElementSibling;
    const follows =
      before !== null && before.classList.contains("is-bubble") && item.classList.contains("is-bubble") && before.dataset.author === item.dataset.author;
    item.classList.toggle("follows", follows);
    item.classList.toggle("is-grouped", follows && item.dataset.group !== undefined && item.dataset.group === before.dataset.group);
  }

  #closeChoicesBefore(index, taken) {
    for (const group of this.#list.querySelectorAll(".choices")) {
      if (Number(group.closest("li").dataset.index) < index) closeChoices(group, taken);
    }
    if (Number(this.#sticky?.dataset.index) < index) this.#dropSticky();
  }

  #setSticky(index, choices) {
    // Where another message of the author came after it, the question is still open; where the end user has answered, it is not.
    for (const [later, { message }] of this.#byIndex) if (later > index && message.$userType === this.#own) return;
    this.#sticky.dataset.index = index;
    fill(this.#sticky, choices);
    show(this.#sticky, true);
  }

  #dropSticky() {
    if (!this.#sticky) return;
    // The focus must not fall off the page with the button that was pressed.
    const hadFocus = this.#sticky.contains(document.activeElement);
    delete this.#sticky.dataset.index;
    this.#sticky.replaceChildren();
    show(this.#sticky, false);
    if (hadFocus) this.#log.focus();
  }

  #pendingItem(clientId, text, file) {
    const item = el("li", { class: "message is-bubble is-own is-pending", data: { author: this.#own } });
    return append(item, [
      el("p", { class: "meta" }, el("span", { class: "avatar", "aria-hidden": "true" }), el("span", { class: "author" }, t("you"))),
      el("div", { class: "bubble" }, file ? this.#pendingFile(clientId, file) : plainText(text)),
      el("p", { class: "delivery" }),
    ]);
  }

  #pendingFile(clientId, { name, size, canCancel }) {
    const words = Number.isFinite(size) ? `${name} (${sizeWords(size)})` : name;
    const cancel = canCancel && el("button", { type: "button", class: "link-button cancel", "aria-label": t("file.cancel", { name }) }, t("file.cancel.short"));
    cancel?.addEventListener("click", () => this.#onCancel(clientId));
    return [
      el("p", { class: "file" }, icon("file"), words),
      el("progress", { class: "file-progress", max: "1", "aria-label": t("file.progress", { name }) }),
      cancel,
    ];
  }

  #showProgress(item, state, progress) {
    const bar = item.querySelector("progress");
    if (!bar) return;
    if (progress === undefined) bar.removeAttribute("value");
    else bar.value = progress;
    show(bar, state !== "failed");
    const cancel = item.querySelector(".cancel");
    if (cancel) show(cancel, state !== "failed");
  }

  #deliveryNodes(clientId, state, reason) {
    const known = DELIVERY_ICONS[state] ? state : "sending";
    const words = t(`delivery.${known}`);
    const nodes = [icon(DELIVERY_ICONS[known]), reason ? `${words}. ${reason}` : words];
    if (state === "failed" && this.#onRetry) {
      const retry = el("button", { type: "button", class: "link-button" }, t("delivery.again"));
      retry.addEventListener("click", () => this.#onRetry(clientId));
      nodes.push(" ", retry);
    }
    return nodes;
  }

  #afterChange(stay) {
    this.#markLastSent();
    if (this.#closed) for (const group of this.#list.querySelectorAll(".choices")) closeChoices(group);
    if (stay) this.#toEnd();
    else show(this.#jump, true);
  }

  /** "Sent" stands under the newest own message only: it speaks for all before it. */
  #markLastSent() {
    const sent = [...this.#list.querySelectorAll(".is-own .delivery")];
    const last = sent.at(-1);
    for (const line of sent) {
      if (line !== last) line.replaceChildren();
      else if (line.childElementCount === 0) fill(line, icon("check"), t("delivery.sent"));
    }
  }

  /** A picture that has loaded must not push the newest message out of sight. */
  #afterResize() {
    if (this.#atEnd) this.#toEnd();
  }

  /** A keyboard that opens, or a window that shrinks, must not hide the newest message from somebody who was looking at it. */
  #stayAtEnd() {
    const size = () => `${this.#log.clientWidth}x${this.#log.clientHeight}`;
    let observed = size();
    this.#log.addEventListener(
      "scroll",
      () => {
        // A scroll that comes with a new size is the browser's doing, not the reader's wish.
        if (size() === observed) this.#atEnd = this.#isAtEnd();
      },
      { passive: true },
    );
    new ResizeObserver(() => {
      observed = size();
      if (this.#atEnd) this.#toEnd();
    }).observe(this.#log);
  }

  #isAtEnd() {
    return this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < AT_END_PX;
  }

  #toEnd() {
    this.#atEnd = true;
    this.#log.scrollTop = this.#log.scrollHeight;
    show(this.#jump, false);
  }
}

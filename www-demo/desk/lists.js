// The two lists at the desk's side: who waits, and the agent's own conversations. Items are kept and changed in place, so that a list that
// changes every second never takes the focus from a button.

import { el, fill, setText, show } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { t } from "../shared/language.js";
import { customerName } from "./conversation.js";
import { isFollowed } from "./post-session.js";
import { elapsedWords, ticketNumber } from "../shared/words.js";

/** Draws the queue. `previewOf(chat)` gives the last lines known; `onAccept(chat)` takes a chat. */
export function drawQueue(list, chats, { previewOf, onAccept }) {
  drawKept(list, chats, queueItem(onAccept), (item, chat) => {
    setText(item.querySelector(".queue-wait"), t("queue.waiting", { time: elapsedWords(Date.now() - chat.waiting_since_ms) }));
    setText(item.querySelector(".queue-menu"), menuName(chat));
    const lines = previewOf(chat);
    const preview = item.querySelector(".queue-preview");
    const key = lines.map((line) => line.key).join();
    if (preview.dataset.key !== key) {
      preview.dataset.key = key;
      fill(preview, lines.map(({ name, text }) => el("li", {}, el("span", { class: "queue-speaker" }, `${name}: `), text)));
    }
  });
}

/** Draws the agent's conversations. `openId` is the one on the screen. */
export function drawMine(list, conversations, { openId, onOpen }) {
  const chats = conversations.map((conversation) => ({ id: conversation.chat.id, conversation }));
  drawKept(list, chats, mineItem(onOpen), (item, { conversation }) => {
    const button = item.querySelector("button");
    const isOpen = conversation.chat.id === openId;
    if (isOpen) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    const unread = item.querySelector(".unread");
    show(unread, conversation.unreadCount > 0);
    setText(unread.querySelector(".unread-count"), String(conversation.unreadCount));
    setText(item.querySelector(".mine-name"), conversation.customerName);
    setText(item.querySelector(".mine-state"), stateWords(conversation));
  });
}

/** The name of the queue a chat came through. */
export function menuName(chat) {
  return chat.menus?.at(-1)?.name ?? t("chat.title");
}

function stateWords(conversation) {
  if (isFollowed(conversation.chat)) return t("desk.state.postSession");
  if (conversation.isOver) return [t(`desk.state.${conversation.chat.status}`) ?? t("desk.state.finished"), conversation.rating && t("rating.of", { count: conversation.rating })].filter(Boolean).join(" · ");
  return conversation.typingName ? t("desk.state.typing") : menuName(conversation.chat);
}

function queueItem(onAccept) {
  return (chat) => {
    const name = customerName(chat);
    const label = t("queue.accept.name", { name, number: ticketNumber(chat.id) });
    const accept = el("button", { type: "button", class: "button is-primary", "aria-label": label }, t("queue.accept"));
    accept.addEventListener("click", () => onAccept(chat, accept));
    return el(
      "li",
      { class: "queue-ticket" },
      el("p", { class: "queue-number" }, ticketNumber(chat.id), el("span", { class: "queue-menu" })),
      el("p", { class: "queue-name" }, name),
      el("p", { class: "queue-time" }, icon("clock"), el("span", { class: "queue-wait" })),
      el("ul", { class: "queue-preview", "aria-label": t("queue.last") }),
      accept,
    );
  };
}

function mineItem(onOpen) {
  return ({ id, conversation }) => {
    const button = el(
      "button",
      { type: "button", class: "mine-button" },
      el("span", { class: "mine-name" }, conversation.customerName),
      el("span", { class: "mine-state" }),
      el("span", { class: "unread", hidden: true }, el("span", { class: "unread-count" }), el("span", { class: "visually-hidden" }, ` ${t("desk.unread")}`)),
    );
    button.addEventListener("click", () => onOpen(id));
    return el("li", {}, button);
  };
}

/** Makes the list's items those of `entries`, by id and in order, reusing what is there. */
function drawKept(list, entries, make, update) {
  const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  entries.forEach((entry, position) => {
    const id = String(entry.id);
    const item = known.get(id) ?? make(entry);
    item.dataset.id = id;
    known.delete(id);
    if (list.children[position] !== item) list.insertBefore(item, list.children[position] ?? null);
    update(item, entry);
  });
  for (const item of known.values()) item.remove();
}

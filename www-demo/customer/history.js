// Earlier chats of this end user, page by page. It only shows them; nothing in an ended chat can be answered.

import { attempt } from "../shared/attempt.js";
import { byId, el, fill, show } from "../shared/dom.js";
import { t } from "../shared/language.js";
import { renderMessage } from "../shared/messages/render-message.js";
import { clockWords, dateWords, ticketNumber } from "../shared/words.js";

export class History {
  #client;
  #notice;
  #media;
  #next = 1;

  /** `media` as `renderMessage` takes it. */
  constructor({ client, notice, media }) {
    this.#client = client;
    this.#notice = notice;
    this.#media = media;
    byId("history-open").addEventListener("click", (event) => this.#open(event.currentTarget));
    byId("history-more").addEventListener("click", (event) => attempt(this.#notice, event.currentTarget, () => this.#more()));
    byId("history-close").addEventListener("click", () => byId("history").close());
  }

  async #open(button) {
    this.#next = 1;
    fill(byId("history-list"));
    fill(byId("history-missing"));
    if (await attempt(this.#notice, button, () => this.#more())) byId("history").showModal();
  }

  async #more() {
    const { chats, missing_chat_ids: missing, pagination } = await this.#client.getChatHistory(this.#next);
    this.#next = pagination.next_page;
    byId("history-list").append(...chats.map((chat) => this.#item(chat)));
    show(byId("history-more"), this.#next > 0);
    show(byId("history-empty"), byId("history-list").childElementCount === 0);
    if (missing?.length > 0) fill(byId("history-missing"), t("history.missing", { numbers: missing.map(ticketNumber).join(", ") }));
  }

  /** One chat, closed at first; its messages are drawn when it is opened. */
  #item(chat) {
    const menu = chat.menus?.at(-1)?.name;
    const when = chat.assigned_at ? dateWords(new Date(chat.assigned_at), chat.timezone) : "";
    const list = el("ol", { class: "messages" });
    const summary = el("summary", {}, el("span", { class: "history-number" }, ticketNumber(chat.comm_id)), ` ${[menu, when].filter(Boolean).join(" · ")}`);
    const details = el("details", { class: "history-chat" }, summary, list);
    details.addEventListener("toggle", () => {
      if (details.open && list.childElementCount === 0) fill(list, chat.entries.map((message) => this.#message(message, chat)));
    });
    return el("li", {}, details);
  }

  #message(message, chat) {
    const name = nameOf(message, chat);
    const { kind, node } = renderMessage(message, { name, media: this.#media });
    if (kind === "none" || !node) return null;
    const isOwn = message.$userType === "end_user";
    const meta = el("p", { class: "meta" }, el("span", { class: "author" }, isOwn ? t("you") : name), el("time", {}, clockWords(message.$timestamp, chat.timezone)));
    return el("li", { class: `message is-${kind}${isOwn ? " is-own" : ""}`, data: { author: message.$userType } }, kind === "note" ? null : meta, node);
  }
}

function nameOf({ $userType, $userId }, { agents }) {
  // The numbers of people and of virtual agents are not of one kind.
  const known = $userType === "agent" ? agents?.find(({ id }) => id === $userId) : undefined;
  return known?.name ?? t($userType === "virtual_agent" ? "virtualAgent" : "agent");
}

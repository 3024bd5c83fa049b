// What the virtual agent found out after the human part of a conversation, beside it: where the post-session stands, and its results. Read anew with each
// change, one reading at a time; it draws nothing for a conversation that nothing follows.

import { el, fill, show } from "../shared/dom.js";
import { t } from "../shared/language.js";

/** Whether something follows the human part of this chat that is not over. */
export function isFollowed(chat) {
  return chat.post_session_required === true && chat.post_session_transfer_status !== "finished";
}

export class PostSessionResults {
  #root;
  #load;
  #chat = null;
  #found = null;
  #isReading = false;
  #isStale = false;

  /** `load(chatId)` resolves with the post-session as the gateway has it. */
  constructor(root, { load }) {
    this.#root = root;
    this.#load = load;
  }

  /** Draws what is known of this chat, and reads what may be new: call it with each state and message. */
  show(chat) {
    if (chat.id !== this.#chat?.id) this.#found = null;
    this.#chat = chat;
    this.#draw();
    if (chat.post_session_required) this.#read();
  }

  async #read() {
    this.#isStale = true;
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#isStale) {
      this.#isStale = false;
      const chatId = this.#chat.id;
      const found = await this.#load(chatId).catch(() => null);
      if (chatId !== this.#chat.id) this.#isStale = this.#chat.post_session_required;
      else if (found) this.#found = found;
    }
    this.#isReading = false;
    this.#draw();
  }

  #draw() {
    const found = this.#chat.post_session_required ? this.#found : null;
    show(this.#root, found !== null);
    if (!found) return;
    fill(
      this.#root,
      el("h3", {}, t("postSession.desk.title", { name: found.virtual_agent.name })),
      el("p", { class: "post-session-status" }, t(`postSession.desk.${outcome(found)}`)),
      found.results.length > 0 && el("dl", {}, found.results.flatMap(({ key, value }) => [el("dt", {}, key), el("dd", {}, valueWords(value))])),
    );
  }
}

/** How it stands, as one of the words that the page has. */
function outcome({ status, opted_in: optedIn, started_at: startedAt }) {
  if (status !== "finished" || startedAt) return status;
  return optedIn === false ? "declined" : "ignored";
}

function valueWords(value) {
  if (typeof value === "boolean") return t(value ? "postSession.value.yes" : "postSession.value.no");
  if (typeof value === "object" && value !== null) return JSON.stringify(value);
  return String(value);
}

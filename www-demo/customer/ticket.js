// The ticket beside the conversation: which counter, who answers, how long it may still take, and what can be done. It follows the chat's state and
// nothing else.

import { byId, setText, show } from "../shared/dom.js";
import { language, t } from "../shared/language.js";
import { queueWords, ticketNumber } from "../shared/words.js";

const REFRESH_MS = 15_000;
const OVER = ["finished", "failed", "canceled", "timeout"];

/** What follows the human part of a chat is under way. */
function isFollowed(state) {
  return ["in_progress", "waiting"].includes(state.post_session_transfer_status);
}

/** Whether nothing can be written any more. */
export function isOver(state) {
  return OVER.includes(state.status) && !isFollowed(state);
}

export class Ticket {
  #client;
  #onWaiting;
  #timer = 0;
  #shown = "";

  /** `onWaiting()` is called now and then while the chat waits. */
  constructor({ client, onWaiting }) {
    this.#client = client;
    this.#onWaiting = onWaiting;
  }

  /** Safe to call at any time and as often as one likes. */
  show(state) {
    setText(byId("ticket-number"), ticketNumber(state.id));
    setText(byId("chat-title"), state.menus?.at(-1)?.name ?? t("chat.title"));
    show(byId("escalate"), state.status === "va_assigned");
    show(byId("finish"), !isOver(state));
    show(byId("name-open"), !isOver(state));
    byId("chat").dataset.status = state.status;
    const line = statusWords(state);
    if (line === this.#shown) return;
    this.#shown = line;
    setText(byId("chat-status"), line);
    this.#refreshWhileWaiting(state.status === "queued");
  }

  /** For another chat, or none. */
  clear() {
    this.#shown = "";
    clearInterval(this.#timer);
  }

  #refreshWhileWaiting(isWaiting) {
    clearInterval(this.#timer);
    if (!isWaiting) return;
    // One at a time, and quietly: a missed waiting time is no news.
    const run = () => Promise.all([this.#showWait(), this.#onWaiting()]).catch(() => {});
    this.#timer = setInterval(run, REFRESH_MS);
    run();
  }

  async #showWait() {
    const menu = this.#client.chat?.state.menus?.at(-1);
    if (!menu) return;
    const { chat: wait_s } = await this.#client.getWaitTimes(menu.id, language());
    if (this.#client.chat?.state.status === "queued") setText(byId("chat-status"), t("status.queuedFor", { wait: queueWords(wait_s) }));
  }
}

function statusWords(state) {
  if (isFollowed(state)) return t("status.postSession", { name: state.virtual_agent?.name ?? t("virtualAgent.the") });
  switch (state.status) {
    case "va_assigned":
      return t("status.virtualAgent", { name: state.virtual_agent?.name ?? t("virtualAgent.the") });
    case "assigned":
      return t("status.assigned", { name: state.agent?.name ?? t("status.person") });
    case "failed":
      return t(`status.failed.${state.fail_reason}`) ?? t("status.failed");
    default:
      return (isOver(state) ? t("status.ended") : t(`status.${state.status}`)) ?? state.status_text ?? "";
  }
}

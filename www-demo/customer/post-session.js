// What follows the human part of a chat: asks whether it may where that is required, and lets the virtual agent begin. It follows the chat's state, so that a
// reload goes on where the page was, and a declined one is never asked again.

import { isSportelloError, PostSessionStatus } from "../pkg/index.js";
import { attempt } from "../shared/attempt.js";
import { byId } from "../shared/dom.js";
import { t } from "../shared/language.js";
import { hidePanel, showPanel } from "../shared/panel.js";
import { isOver } from "./ticket.js";

export class PostSession {
  #client;
  #notice;
  #onBegin;
  /** The step that was asked for last, so that no state asks for it twice. */
  #asked = "";

  /** `onBegin()` is called before the virtual agent's first message. */
  constructor({ client, notice, onBegin }) {
    this.#onBegin = onBegin;
    this.#client = client;
    this.#notice = notice;
  }

  /** The state comes after the messages that it is about, and what the virtual agent offers can be chosen from the first one on. */
  take(message) {
    if (message.event === "postSessionStarted") this.#onBegin();
  }

  /** Brings the panel in line with the chat's state. */
  show(state) {
    const step = state.post_session_transfer_status;
    const isOffered = state.post_session_required && step === undefined;
    if (isOffered && state.post_session_opt_in_required) return this.#ask();
    hidePanel(byId("post-session"), byId(isOver(state) ? "restart" : "text"));
    if (isOffered) this.#step(state, PostSessionStatus.READY);
    else if (step === PostSessionStatus.READY) this.#step(state, PostSessionStatus.IN_PROGRESS);
  }

  #ask() {
    const choose = (isWanted) => attempt(this.#notice, null, () => this.#client.updatePostSession(PostSessionStatus.READY, isWanted));
    showPanel(byId("post-session"), {
      title: t("postSession.title"),
      text: t("postSession.text"),
      iconName: "form",
      actions: [
        { label: t("postSession.yes"), isPrimary: true, run: () => choose(true) },
        { label: t("postSession.no"), run: () => choose(false) },
      ],
    });
  }

  /** Nobody waits for it: another page of the same customer may have been faster, and then the state says so. */
  async #step(state, to) {
    const asked = `${state.id} ${to}`;
    if (this.#asked === asked) return;
    this.#asked = asked;
    try {
      await this.#client.updatePostSession(to);
    } catch (error) {
      // Asked for again with the chat's next state, or when the page is opened anew.
      if (isSportelloError(error) && error.retryable) this.#asked = "";
    }
  }
}

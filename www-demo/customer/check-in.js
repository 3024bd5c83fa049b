// "Are you still there?" while waiting in the queue: a prompt with the time that is left, and the way back for whoever missed it. It follows the chat's
// state, so that a reload asks again.

import { attempt } from "../shared/attempt.js";
import { byId, setText } from "../shared/dom.js";
import { t } from "../shared/language.js";
import { hidePanel, showPanel } from "../shared/panel.js";
import { countdown } from "../shared/words.js";

export class CheckIn {
  #client;
  #notice;
  #onEnd;
  #title;
  #clock = 0;
  #until_ms = 0;
  #expires_at_ms = 0;

  /** `onEnd()` ends the chat; `title` is the `UnreadTitle`, because who is asked may be at another tab. */
  constructor({ client, notice, onEnd, title }) {
    this.#title = title;
    this.#client = client;
    this.#notice = notice;
    this.#onEnd = onEnd;
    byId("check-in-yes").addEventListener("click", (event) => this.#confirm(event.currentTarget));
    // Escape says nothing: the question stays until it is answered or its time is over.
    byId("check-in").addEventListener("cancel", (event) => event.preventDefault());
  }

  /** Nothing is to be learned from the messages: the state has it all. */
  take() {}

  /** Brings prompt and panel in line with the chat's state. */
  show(state) {
    if (state.check_in) this.#ask(state.check_in);
    else this.#close();
    if (state.status !== "checked_out") return hidePanel(byId("checked-out"), byId("text"));
    showPanel(byId("checked-out"), {
      title: t("checkedOut.title"),
      text: t("checkedOut.text"),
      actions: [
        { label: t("checkedOut.rejoin"), isPrimary: true, run: () => attempt(this.#notice, null, () => this.#client.rejoinChat()) },
        { label: t("chat.end"), run: this.#onEnd },
      ],
    });
  }

  #ask({ timeout_ms, expires_at_ms, notified }) {
    if (this.#expires_at_ms === expires_at_ms) return;
    this.#expires_at_ms = expires_at_ms;
    // What the page and the gateway think the time is may differ: a time that cannot be is not believed.
    const left_ms = expires_at_ms - Date.now();
    this.#until_ms = Date.now() + (left_ms > 0 && left_ms <= timeout_ms ? left_ms : timeout_ms);
    const dialog = byId("check-in");
    if (!dialog.open) dialog.showModal();
    this.#title.isUrgent = true;
    clearInterval(this.#clock);
    this.#clock = setInterval(() => this.#tick(), 500);
    this.#tick();
    // The prompt is on the screen: the time begins anew, once. A new state follows; where it was answered meanwhile nothing is to be said.
    if (!notified) this.#client.notifyCheckInState().catch(() => {});
  }

  #tick() {
    setText(byId("check-in-left"), countdown(this.#until_ms - Date.now()));
  }

  async #confirm(button) {
    if (await attempt(this.#notice, button, () => this.#client.checkIn())) this.#close();
  }

  #close() {
    clearInterval(this.#clock);
    this.#expires_at_ms = 0;
    this.#title.isUrgent = false;
    if (byId("check-in").open) byId("check-in").close();
  }
}

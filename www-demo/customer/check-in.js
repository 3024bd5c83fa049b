// "Are you still there?" while waiting in the queue: a prompt with the time that is left, and the way back for whoever missed it.

import { attempt } from "../shared/attempt.js";
import { byId, setText } from "../shared/dom.js";
import { t } from "../shared/language.js";
import { hidePanel, showPanel } from "../shared/panel.js";
import { countdown } from "../shared/words.js";

export class CheckIn {
  #client;
  #notice;
  #onEnd;
  #clock = 0;
  #until_ms = 0;

  /** `onEnd()` ends the chat. */
  constructor({ client, notice, onEnd }) {
    this.#client = client;
    this.#notice = notice;
    this.#onEnd = onEnd;
    byId("check-in-yes").addEventListener("click", (event) => this.#confirm(event.currentTarget));
    // Escape says nothing: the question stays until it is answered or its time is over.
    byId("check-in").addEventListener("cancel", (event) => event.preventDefault());
  }

  /** Hears every message, also those of the history. */
  take(message) {
    if (message.type !== "noti") return;
    if (message.event === "checkInRequired") this.#ask(message);
    else if (["checkInTimedOut", "escalationAccepted", "chatEnded"].includes(message.event)) this.#close();
  }

  /** Brings prompt and panel in line with the chat's state. */
  show(state) {
    if (state.status !== "queued") this.#close();
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

  #ask({ timeout_ms, expires_at_ms, $timestamp }) {
    // What the page and the gateway think the time is may differ; how long ago the question was asked hardly does.
    const age_ms = Date.now() - new Date($timestamp).getTime();
    if (expires_at_ms < Date.now() && age_ms > timeout_ms) return;
    this.#start(timeout_ms);
    // The prompt is on the screen: the gateway starts the time anew, once.
    this.#client.notifyCheckInState().then(
      () => byId("check-in").open && this.#start(timeout_ms),
      // Answered or over meanwhile: nothing is to be confirmed any more.
      (error) => error.code === "conflict" && this.#close(),
    );
  }

  #start(left_ms) {
    const dialog = byId("check-in");
    this.#until_ms = Date.now() + left_ms;
    if (!dialog.open) dialog.showModal();
    clearInterval(this.#clock);
    this.#clock = setInterval(() => this.#tick(), 500);
    this.#tick();
  }

  #tick() {
    setText(byId("check-in-left"), countdown(this.#until_ms - Date.now()));
  }

  async #confirm(button) {
    if (await attempt(this.#notice, button, () => this.#client.checkIn())) this.#close();
  }

  #close() {
    clearInterval(this.#clock);
    if (byId("check-in").open) byId("check-in").close();
  }
}

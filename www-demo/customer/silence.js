// What happens to a customer who writes nothing: the warning with the time that is left, and the pause after it with its two ways on.

import { attempt } from "../shared/attempt.js";
import { byId } from "../shared/dom.js";
import { t } from "../shared/language.js";
import { hidePanel, showPanel } from "../shared/panel.js";
import { countdown, dateWords } from "../shared/words.js";

const PAUSED = ["dismissed", "va_dismissed"];

export class Silence {
  #client;
  #notice;
  #onWrite;
  #onNew;
  #clock = 0;

  /** `onWrite(text)` sends a message; `onNew()` starts over. */
  constructor({ client, notice, onWrite, onNew }) {
    this.#client = client;
    this.#notice = notice;
    this.#onWrite = onWrite;
    this.#onNew = onNew;
  }

  /** Hears every message, also those of the history: what was said after a warning ends it. */
  take(message) {
    if (message.event === "dismissalWarning") this.#warn(message.dismiss_at_ms);
    else if (message.$userType === "end_user" || message.type === "noti") this.#calm();
  }

  /** Brings the panels in line with the chat's state. */
  show(state) {
    if (state.status !== "assigned" && state.status !== "va_assigned") this.#calm();
    if (!PAUSED.includes(state.status)) return hidePanel(byId("paused"), byId("text"));
    showPanel(byId("paused"), {
      title: t("paused.title"),
      text: [t("paused.text"), state.timeout_at && t("paused.until", { time: dateWords(new Date(state.timeout_at)) })].filter(Boolean).join(" "),
      iconName: "clock",
      actions: [
        { label: t("paused.resume"), isPrimary: true, run: () => attempt(this.#notice, null, () => this.#resume(state.id)) },
        { label: t("paused.new"), run: this.#onNew },
      ],
    });
  }

  async #resume(chatId) {
    try {
      await this.#client.resumeChat(chatId);
    } catch (error) {
      // 409: somebody resumed it already, in another tab for instance. That is what was wanted.
      if (error.status !== 409) throw error;
    }
  }

  #warn(dismiss_at_ms) {
    if (dismiss_at_ms <= Date.now()) return;
    const draw = () =>
      showPanel(byId("warning"), {
        title: t("warning.title"),
        text: t("warning.text", { left: countdown(dismiss_at_ms - Date.now()) }),
        iconName: "clock",
        actions: [{ label: t("warning.write"), isPrimary: true, run: () => this.#onWrite(t("warning.message")) }],
      });
    clearInterval(this.#clock);
    draw();
    // Only the time changes: the panel is not drawn again, so that a screen reader is not told every second.
    this.#clock = setInterval(() => {
      const left_ms = dismiss_at_ms - Date.now();
      if (left_ms <= 0) return this.#calm();
      byId("warning").querySelector(".panel-words p:last-child").textContent = t("warning.text", { left: countdown(left_ms) });
    }, 1000);
  }

  #calm() {
    clearInterval(this.#clock);
    hidePanel(byId("warning"), byId("text"));
  }
}

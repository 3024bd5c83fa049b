// The agent's transcript of a conversation: the same PDF as the customer's.

import { byId, setText } from "../shared/dom.js";
import { explainError } from "../shared/error-words.js";
import { language, t } from "../shared/language.js";
import { fetchTranscript, save } from "../shared/transcript.js";

export class Transcript {
  #api;
  #notice;
  #chatId;
  #button = byId("transcript");

  /** `chatId()` is the chat that is open. */
  constructor({ api, notice, chatId }) {
    this.#api = api;
    this.#notice = notice;
    this.#chatId = chatId;
    this.#button.addEventListener("click", () => this.#download());
  }

  async #download() {
    const chatId = this.#chatId();
    if (chatId === undefined) return;
    this.#button.disabled = true;
    setText(byId("announce"), t("transcript.pending"));
    try {
      const { timeZone: timezone } = Intl.DateTimeFormat().resolvedOptions();
      const file = await fetchTranscript({
        ask: () => this.#api.askForTranscript(chatId, { lang: language(), timezone }),
        look: (id) => this.#api.transcript(chatId, id),
      });
      save(file, `chat-${chatId}.pdf`);
      setText(byId("announce"), t("transcript.saved"));
    } catch (error) {
      this.#notice.show(error.failedReason ? (t(`transcript.failed.${error.failedReason}`) ?? t("transcript.failed")) : explainError(error).words);
    }
    this.#button.disabled = false;
  }
}

// "Download transcript": asks for the PDF of the chat, says how far it is and why it failed, and saves it. During the chat and after it.

import { byId, setText } from "../shared/dom.js";
import { explainError } from "../shared/error-words.js";
import { t } from "../shared/language.js";
import { fetchTranscript, save } from "../shared/transcript.js";

export class Transcript {
  #client;
  #button = byId("transcript");
  #status = byId("transcript-status");
  #chatId = null;

  constructor({ client }) {
    this.#client = client;
    this.#button.addEventListener("click", () => this.#download());
  }

  /** Follows the chat: what was said of another one's transcript is no news. */
  show(state) {
    if (state.id === this.#chatId) return;
    this.#chatId = state.id;
    setText(this.#status, "");
    this.#button.disabled = false;
  }

  /** Messages change nothing here. */
  take() {}

  async #download() {
    const chatId = this.#chatId;
    const say = (words) => chatId === this.#chatId && setText(this.#status, words);
    const client = this.#client;
    this.#button.disabled = true;
    say(t("transcript.pending"));
    try {
      const file = await fetchTranscript({
        ask: async () => (await client.downloadChatTranscript()).chat_transcript_id,
        look: async (id) => (await client.getPdfStatus(id)).data,
      });
      save(file, `chat-${chatId}.pdf`);
      say(t("transcript.saved"));
    } catch (error) {
      say(error.failedReason ? (t(`transcript.failed.${error.failedReason}`) ?? t("transcript.failed")) : explainError(error).words);
    }
    if (chatId === this.#chatId) this.#button.disabled = false;
  }
}

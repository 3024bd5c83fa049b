// The question that the page asks its visitor: shown where no conversation goes on, answered yes or no. A yes opens a chat that says which question led to it. When it is
// asked, and how often, is the SDK's affair.

import { byId } from "../shared/dom.js";
import { explainError } from "../shared/error-words.js";
import { t } from "../shared/language.js";
import { webAddress } from "../shared/messages/safe-text.js";
import { hidePanel, showPanel } from "../shared/panel.js";

/** `{{ address | words }}`, with bounded repeats. */
const LINK = /\{\{\s*(?<url>[^\s|{}]{1,2000})\s*(?:\|\s*(?<label>[^|{}]{1,300}?)\s*)?(?:\|[^{}]{0,50})?\}\}/gu;

export class Triggers {
  #client;
  #notice;
  #chatRequest;
  #onChat;

  constructor({ client, notice, chatRequest, onChat }) {
    this.#client = client;
    this.#notice = notice;
    this.#chatRequest = chatRequest;
    this.#onChat = onChat;
  }

  /** Begins to watch. A page without questions is a page like any other. */
  watch() {
    this.#client.runTrigger((trigger) => this.#ask(trigger)).catch(() => {});
  }

  #ask(trigger) {
    // Who is talking already is not interrupted.
    if (byId("lobby").hidden) return;
    const links = [...trigger.message.matchAll(LINK)].map(({ groups }) => groups).filter(({ url }) => webAddress(url));
    showPanel(byId("trigger"), {
      title: trigger.title ?? t("trigger.title"),
      text: trigger.message.replaceAll(LINK, "").trim(),
      iconName: "person",
      actions: [
        { label: t("trigger.yes"), isPrimary: true, run: () => this.#answerYes(trigger) },
        { label: t("trigger.no"), run: () => this.#close() },
        ...links.map(({ url, label }) => ({ label: label ?? url, href: webAddress(url) })),
      ],
    });
  }

  async #answerYes({ id, menu_id, lang }) {
    try {
      const chat = await this.#client.createChat(menu_id, { lang, ...(await this.#chatRequest()), trigger_id: id });
      this.#close();
      this.#onChat(chat);
    } catch (error) {
      this.#notice.show(explainError(error).words);
    }
  }

  #close() {
    hidePanel(byId("trigger"), byId("lobby-title"));
  }
}

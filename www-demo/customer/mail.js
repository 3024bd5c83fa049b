// Mail on the customer page: writing to a counter by e-mail, with files, and having the conversation sent to addresses. What may be attached the gateway is
// asked; whether it was taken its answer says, in words.

import { byId, el, fill, setText, show } from "../shared/dom.js";
import { explainError } from "../shared/error-words.js";
import { language, t } from "../shared/language.js";
import { sizeWords } from "../shared/words.js";

export class MailForms {
  #client;
  /** The counter that is written to. */
  #menuId = null;
  /** Called once the message is taken. */
  #onSent = null;
  #prohibited = new Set();

  constructor({ client }) {
    this.#client = client;
    byId("email-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(event.currentTarget, event.submitter);
    });
    byId("email-files").addEventListener("change", () => this.#drawFiles());
    byId("email-close").addEventListener("click", () => byId("email-dialog").close());
    byId("transcript-open").addEventListener("click", () => this.#openTranscript());
    byId("transcript-cancel").addEventListener("click", () => byId("transcript-dialog").close());
    byId("transcript-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#sendTranscript(event.currentTarget, event.submitter);
    });
  }

  /** Shows what the company allows. */
  set company({ email_transcripts }) {
    show(byId("transcript-open"), email_transcripts === true);
  }

  /** Opens the form for a counter. `onSent()` hears that the message was taken. */
  async write({ id, name }, onSent) {
    this.#menuId = id;
    this.#onSent = onSent ?? null;
    setText(byId("email-title"), t("email.title", { name: name ?? t("menu.unnamed", { number: id }) }));
    say("email-error", "");
    show(byId("email-done"), false);
    show(byId("email-form"), true);
    byId("email-dialog").showModal();
    byId("email-from").focus();
    // Without the list the gateway still refuses what it does not take.
    const types = await this.#client.getProhibitedFileTypes().catch(() => []);
    this.#prohibited = new Set(types.map(({ extension }) => extension.toLowerCase()));
    this.#drawFiles();
  }

  #drawFiles() {
    const files = [...byId("email-files").files];
    fill(byId("email-file-list"), files.map(({ name, size }) => el("li", {}, `${name} · ${sizeWords(size)}`)));
    const bad = files.find(({ name }) => this.#prohibited.has(name.split(".").at(-1).toLowerCase()));
    say("email-error", bad ? t("email.failed.prohibited_file_type", { name: bad.name }) : "");
  }

  async #send(form, button) {
    const { elements } = form;
    button.disabled = true;
    say("email-error", "");
    try {
      const sent = await this.#client.createEmail(this.#menuId, {
        name: elements["sender-name"].value.trim() || undefined,
        email: elements["sender"].value.trim(),
        content: elements["content"].value,
        lang: language(),
        files: byId("email-files").files,
      });
      if (sent.status === "failed") return say("email-error", failedWords(sent.fail_reason));
      form.reset();
      this.#drawFiles();
      show(form, false);
      setText(byId("email-done-words"), t("email.sent", { number: sent.id, count: sent.attachment_count }));
      show(byId("email-done"), true);
      byId("email-close").focus();
      await this.#onSent?.();
    } catch (error) {
      say("email-error", explainError(error).words);
    } finally {
      button.disabled = false;
    }
  }

  #openTranscript() {
    say("transcript-error", "");
    byId("transcript-dialog").showModal();
  }

  async #sendTranscript(form, button) {
    const emails = form.elements["addresses"].value.split(/[\s,;]+/u).filter(Boolean);
    button.disabled = true;
    say("transcript-error", "");
    try {
      await this.#client.sendChatTranscripts(emails);
      byId("transcript-dialog").close();
      form.reset();
      setText(byId("transcript-said"), t("transcript.sent", { count: emails.length }));
    } catch (error) {
      const isWrong = error.code === "invalid_argument";
      say("transcript-error", isWrong ? t("transcript.addresses.wrong") : error.code === "rate_limited" ? t("transcript.tooMany") : explainError(error).words);
    } finally {
      button.disabled = false;
    }
  }
}

/** What a refusal means; the gateway's own word for what this page has no words for. */
function failedWords(reason) {
  return t(`email.failed.${reason}`, { name: "" }) ?? t(`error.${reason}`) ?? t("error.unknown");
}

function say(id, words) {
  setText(byId(id), words);
  show(byId(id), words !== "");
}

// Filling in a form: a custom form is drawn from its questions, a browser form is a page of the contact centre's in a frame that can do nothing but
// itself. Both in one dialog; closing it forgets what was typed.

import { byId, el, fill, setText, show } from "../shared/dom.js";
import { explainError } from "../shared/error-words.js";
import { t } from "../shared/language.js";
import { webAddress } from "../shared/messages/safe-text.js";
import { formField } from "./form-fields.js";

export class Forms {
  #client;
  #media;
  #abort = null;

  /** `media.base` is what a form's addresses are relative to: the gateway. */
  constructor({ client, media }) {
    this.#client = client;
    this.#media = media;
    byId("form-dialog").addEventListener("close", () => this.#forget());
    byId("form-close").addEventListener("click", () => byId("form-dialog").close());
  }

  /** Opens the form of a `form` message. */
  open(message) {
    const form = message.form ?? {};
    this.#abort = new AbortController();
    setText(byId("form-title"), form.title || form.name || t("form.unnamed"));
    this.#say("");
    fill(byId("form-body"), el("p", {}, t("form.loading")));
    byId("form-dialog").showModal();
    this.#tell("form_clicked", form);
    const opened = form.form_type === "browser_form" ? this.#openFrame(message) : this.#openQuestions(message);
    opened.catch((error) => {
      if (error.code === "aborted") return;
      this.#say(explainError(error).words);
      byId("form-body").replaceChildren();
    });
  }

  // --- custom forms

  async #openQuestions(message) {
    const { signal } = this.#abort;
    const { header, footer, questions } = await this.#client.getForm(message, { signal });
    const fields = new Map(questions.toSorted((a, b) => a.position - b.position).map((question) => [String(question.id), formField(question, this.#media)]));
    const send = el("button", { type: "submit", class: "button is-primary" }, t("form.submit"));
    const form = el(
      "form",
      { class: "form" },
      header && el("p", { class: "form-header" }, header),
      [...fields.values()].map(({ node }) => node),
      footer && el("p", { class: "form-footer" }, footer),
      el("div", { class: "dialog-actions" }, send),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(message, fields, send);
    });
    fill(byId("form-body"), form);
    form.querySelector("input, textarea")?.focus();
  }

  async #submit(message, fields, button) {
    button.disabled = true;
    this.#say("");
    for (const field of fields.values()) field.showProblem(null);
    try {
      // Unanswered questions are left out: whether they may be is the gateway's to say.
      const answers = [...fields].map(([id, field]) => ({ question_id: idOf(id), value: field.read() })).filter(({ value }) => value !== "" && value?.length !== 0);
      await this.#client.submitForm(message, answers, { signal: this.#abort.signal });
      byId("form-dialog").close();
    } catch (error) {
      // The last one shown takes the focus: the first in the form should have it.
      for (const { question_id, problem } of [...(error.fields ?? [])].reverse()) fields.get(String(question_id))?.showProblem(problemWords(problem));
      this.#say(error.fields ? t("form.problems") : explainError(error).words);
    } finally {
      button.disabled = false;
    }
  }

  // --- browser forms

  async #openFrame(message) {
    const { form, signature } = message;
    const address = webAddress(form.preview_endpoint, this.#media.base);
    if (!address) return this.#say(t("form.broken"));
    const frame = el("iframe", {
      class: "form-frame",
      title: form.title || t("form.unnamed"),
      // Scripts and fields, nothing else: the page has no origin, no storage, and cannot reach this one but by a message.
      sandbox: "allow-scripts allow-forms",
      referrerpolicy: "no-referrer",
      // Behind the `#` it stays in the browser. The form's page repeats it when it says that it is filled in.
      src: `${address}#signature=${encodeURIComponent(signature)}`,
    });
    // The demo's form is a page of its gateway; the SDK takes only whole addresses.
    const whole = { ...message, form: { ...form, preview_endpoint: address } };
    const done = this.#client.attachBrowserForm(whole, frame, { signal: this.#abort.signal });
    fill(byId("form-body"), frame);
    await done;
    byId("form-dialog").close();
  }

  #say(words) {
    setText(byId("form-error"), words);
    show(byId("form-error"), words !== "");
  }

  /** The agent sees that the form was opened. Nothing depends on it. */
  #tell(name, { smart_action_id, name: form_name }) {
    this.#client.trackChatEndUserEvent({ name, smart_action_id, form_name }).catch(() => {});
  }

  #forget() {
    this.#abort?.abort();
    byId("form-body").replaceChildren();
    byId("text").focus();
  }
}

function problemWords(problem) {
  return t(`form.problem.${problem}`) ?? t("form.problem.wrong_type");
}

function idOf(text) {
  return /^\d+$/u.test(text) ? Number(text) : text;
}

// After the end of a chat: a rating with stars and, where the queue asks something, its survey in a dialog. What can still be given is in the
// chat's `features`; each is given once. Follows the chat's state as the page's other parts do.

import { byId, el, fill, setText, show } from "../shared/dom.js";
import { explainError } from "../shared/error-words.js";
import { language, t } from "../shared/language.js";
import { starField, surveyField } from "./survey-fields.js";
import { isOver } from "./ticket.js";

const RATINGS = [1, 2, 3, 4, 5].map((number) => ({ key: String(number), value: String(number) }));

export class Feedback {
  #client;
  /** The chat and the language that are drawn; null where nothing is. */
  #drawn = null;
  #rated = null;
  #answered = null;
  #stars = null;

  constructor({ client }) {
    this.#client = client;
    byId("survey-open").addEventListener("click", () => this.#openSurvey());
    byId("survey-close").addEventListener("click", () => byId("survey-dialog").close());
    byId("survey-dialog").addEventListener("close", () => this.#leaveSurvey());
    byId("rating").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#rate();
    });
  }

  /** Messages say nothing about it. */
  take() {}

  /** Brings the area in line with the chat's state. */
  show(state) {
    const offers = isOver(state) ? (state.features ?? []) : [];
    const canRate = offers.includes("rating") && this.#rated !== state.id;
    const canAnswer = offers.includes("survey") && this.#answered !== state.id;
    const drawn = `${state.id} ${language()}`;
    if (canRate && this.#drawn !== drawn) this.#drawRating(this.#drawn?.startsWith(`${state.id} `));
    this.#drawn = canRate ? drawn : null;
    show(byId("rating"), canRate);
    show(byId("survey-open"), canAnswer);
    if (this.#rated !== state.id && this.#answered !== state.id) setText(byId("feedback-done"), "");
    show(byId("feedback"), isOver(state) && (canRate || canAnswer || byId("feedback-done").textContent !== ""));
  }

  // --- rating

  /** What was chosen stays where only the language changes. */
  #drawRating(isSame) {
    const chosen = isSame ? this.#stars?.read() : "";
    if (!isSame) byId("rating-words").value = "";
    const draw = () => show(byId("rating-more"), this.#stars.read() !== "");
    this.#stars = starField({ display_text: t("rating.title"), valid_answers: RATINGS }, { id: "rating-stars", described: "rating-error", chosen, onChange: draw });
    fill(byId("rating-place"), this.#stars.node);
    setText(byId("rating-error"), "");
    draw();
  }

  async #rate() {
    const id = this.#client.chat?.state.id;
    const button = byId("rating-send");
    button.disabled = true;
    try {
      await this.#client.sendChatRate({ rating: Number(this.#stars.read()), feedback: byId("rating-words").value.trim() });
      this.#done(() => (this.#rated = id), t("rating.done"));
    } catch (error) {
      if (error.code === "conflict") this.#done(() => (this.#rated = id), t("feedback.before"));
      else setText(byId("rating-error"), explainError(error).words);
    } finally {
      button.disabled = false;
    }
  }

  /** Something was given: it is said, and the focus goes to what is left. */
  #done(note, words) {
    note();
    setText(byId("feedback-done"), words);
    const state = this.#client.chat?.state;
    if (state) this.show(state);
    (byId("survey-open").hidden ? byId("restart") : byId("survey-open")).focus();
  }

  // --- survey

  async #openSurvey() {
    const body = byId("survey-body");
    this.#say("");
    fill(body, el("p", {}, t("form.loading")));
    byId("survey-dialog").showModal();
    try {
      this.#drawSurvey(await this.#client.getChatSurvey());
    } catch (error) {
      body.replaceChildren();
      this.#say(explainError(error).words);
    }
  }

  #drawSurvey(survey) {
    const questions = survey.questions.toSorted((a, b) => a.position - b.position);
    const fields = new Map(questions.map((question) => [String(question.id), surveyField(question)]));
    const send = el("button", { type: "submit", class: "button is-primary" }, t("survey.send"));
    // The questions are in the chat's language, which may be another than the page's.
    const form = el("form", { class: "form", lang: survey.lang }, [...fields.values()].map(({ node }) => node), el("div", { class: "dialog-actions", lang: language() }, send));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#answer(survey, fields, send);
    });
    fill(byId("survey-body"), form);
    form.querySelector("input, textarea")?.focus();
  }

  async #answer(survey, fields, button) {
    this.#say("");
    for (const field of fields.values()) field.showProblem(null);
    const answers = Object.fromEntries([...fields].map(([id, field]) => [id, field.read()]).filter(([, answer]) => answer !== ""));
    if (Object.keys(answers).length === 0) return this.#say(t("survey.none"));
    const id = this.#client.chat?.state.id;
    button.disabled = true;
    try {
      await this.#client.sendChatSurvey(answers);
      this.#answered = id;
      this.#thank(survey.sign_off_display_text, survey.lang);
    } catch (error) {
      if (error.code === "conflict") {
        this.#answered = id;
        return this.#thank(t("feedback.before"), language());
      }
      // The last one shown takes the focus: the first in the form should have it.
      for (const { question_id, problem } of [...(error.fields ?? [])].reverse()) fields.get(String(question_id))?.showProblem(t(`form.problem.${problem}`) ?? t("form.problem.wrong_type"));
      this.#say(error.fields ? t("form.problems") : explainError(error).words);
    } finally {
      button.disabled = false;
    }
    return undefined;
  }

  #thank(words, lang) {
    const close = el("button", { type: "button", class: "button is-primary" }, t("survey.close"));
    close.addEventListener("click", () => byId("survey-dialog").close());
    fill(byId("survey-body"), el("p", { class: "survey-thanks", role: "status", lang }, words), el("div", { class: "dialog-actions" }, close));
    close.focus();
  }

  #leaveSurvey() {
    byId("survey-body").replaceChildren();
    const state = this.#client.chat?.state;
    if (state && this.#answered === state.id) this.#done(() => {}, t("survey.done"));
    else byId("survey-open").focus();
  }

  #say(words) {
    setText(byId("survey-error"), words);
    show(byId("survey-error"), words !== "");
  }
}

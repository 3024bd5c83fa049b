// Forms in the conversation: the card that asks for one, and the answers once it is filled in. Filling it in is `customer/forms.js`.

import { el, fill } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../language.js";
import { linkedPicture } from "./media.js";

/** The card of a form. `onForm(message)` opens it; without it (an agent looks on) the card only tells. */
export function formCard(message, tools) {
  const form = message.form ?? {};
  const open = tools.onForm && el("button", { type: "button", class: "button is-primary form-open" }, icon("form"), t("form.open"));
  open?.addEventListener("click", () => tools.onForm(message));
  return el(
    "div",
    { class: "form-card", data: { form: form.smart_action_id ?? message.$index } },
    form.image && linkedPicture(form.image, form.title, tools),
    el("p", { class: "card-title" }, String(form.title || form.name || t("form.unnamed"))),
    form.subtitle && el("p", { class: "card-subtitle" }, String(form.subtitle)),
    open ?? el("p", { class: "card-subtitle" }, t("form.sent")),
    el("p", { class: "form-done", hidden: true }, icon("check"), t("form.done")),
  );
}

/** Marks the card of a form that was filled in: it takes no second answer. */
export function closeForm(root, smartActionId) {
  for (const card of root.querySelectorAll(`[data-form="${CSS.escape(String(smartActionId))}"]`)) {
    card.querySelector(".form-open")?.remove();
    card.querySelector(".form-done").hidden = false;
  }
}

/** What stands in the place of an answer that only the agent reads. */
const MASK = "••••";

/**
 * What was filled in: the questions with their answers, or what a browser form's page told. Where answers are masked, `onReveal(message)` (the agent's)
 * resolves with them.
 */
export function formAnswers(message, { onReveal }) {
  const list = el("dl", { class: "answers" });
  const draw = (data) => fill(list, answersOf(data).map(([question, value]) => el("div", {}, el("dt", {}, String(question)), el("dd", {}, answerWords(value)))));
  draw(message.form_data);
  const isMasked = onReveal && answersOf(message.form_data).some(([, value]) => value === MASK);
  const reveal = isMasked && el("button", { type: "button", class: "link-button" }, t("form.reveal"));
  if (reveal) reveal.addEventListener("click", async () => {
    reveal.disabled = true;
    // Where it cannot be read, the button offers another try.
    const answers = await onReveal(message).catch(() => null);
    reveal.disabled = false;
    if (!answers) return;
    draw(answers.form_data);
    reveal.remove();
  });
  return [
    el("p", { class: "form-done" }, icon("check"), t("form.completed", { name: message.form_name || t("form.unnamed") })),
    list.childElementCount > 0 && list,
    reveal,
  ];
}

function answersOf(data) {
  if (Array.isArray(data)) return data.map(({ question, question_id, value }) => [question ?? question_id, value]);
  return Object.entries(Object(data)).filter(([, value]) => typeof value !== "object" || Array.isArray(value));
}

function answerWords(value) {
  if (value === true || value === false) return t(value ? "form.yes" : "form.no");
  return Array.isArray(value) ? value.join(", ") : String(value ?? "");
}

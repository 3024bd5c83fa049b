// The fields of a survey, one for each type of question, and their answers; and the stars of a rating. Everything is a radio button or a text
// field, so the keyboard works as everywhere. Which answers are right is the gateway's to say.

import { el } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { t } from "../shared/language.js";

/** A field for `question`: `{ node, read(), showProblem(words) }`. `read()` gives the key of what was chosen, a text, or `""`. */
export function surveyField(question) {
  const id = `survey-${question.id}`;
  const problem = el("p", { id: `${id}-problem`, class: "field-error", hidden: true });
  const make = { star: starField, scale: scaleField, "free-form": textField }[question.type] ?? choiceField;
  const { node, read, first } = make(question, { id, described: `${id}-problem` });
  return {
    node: el("div", { class: "form-field", data: { type: question.type } }, node, problem),
    read,
    showProblem(words) {
      problem.hidden = !words;
      problem.textContent = words ?? "";
      if (!words) return first.removeAttribute("aria-invalid");
      first.setAttribute("aria-invalid", "true");
      first.focus();
    },
  };
}

/** Stars to choose from, with `legend` above: `{ node, read(), first }`. `answers` are `{ key, value }`. */
export function starField({ display_text: legend, valid_answers: answers = [] }, { id, described, chosen, onChange }) {
  const inputs = radios(answers, id);
  const labels = answers.map(({ key, value }, at) =>
    // Where the company has no word of its own, the number of stars is the word.
    el("label", { class: "star", for: inputs[at].id }, inputs[at], icon("star"), el("span", { class: "visually-hidden" }, value === key ? t("survey.stars", { count: Number(key) }) : value)),
  );
  const node = el("fieldset", { "aria-describedby": described }, el("legend", {}, legend), el("div", { class: "stars" }, labels));
  if (chosen) for (const input of inputs) input.checked = input.value === chosen;
  if (onChange) node.addEventListener("change", onChange);
  return { node, read: () => checked(inputs), first: inputs[0] ?? node };
}

function scaleField({ display_text: legend, valid_answers: answers = [] }, { id, described }) {
  const inputs = radios(answers, id);
  const labels = answers.map(({ value }, at) => el("label", { class: "step", for: inputs[at].id }, inputs[at], el("span", {}, value)));
  const node = el("fieldset", { "aria-describedby": described }, el("legend", {}, legend), el("div", { class: "scale" }, labels));
  return { node, read: () => checked(inputs), first: inputs[0] ?? node };
}

function choiceField({ display_text: legend, valid_answers: answers = [] }, { id, described }) {
  const inputs = radios(answers, id);
  const labels = answers.map(({ value }, at) => el("label", { class: "option", for: inputs[at].id }, inputs[at], el("span", {}, value)));
  const node = el("fieldset", { "aria-describedby": described }, el("legend", {}, legend), labels);
  return { node, read: () => checked(inputs), first: inputs[0] ?? node };
}

function textField({ display_text: words }, { id, described }) {
  const input = el("textarea", { id, rows: 3, "aria-describedby": described });
  return { node: [el("label", { for: id }, words), input], read: () => input.value.trim(), first: input };
}

function radios(answers, name) {
  return answers.map(({ key }, at) => el("input", { type: "radio", name, value: key, id: `${name}-${at}` }));
}

function checked(inputs) {
  return inputs.find((input) => input.checked)?.value ?? "";
}

// The fields of a custom form, one for each question by its type, and their answers. The hints in the browser (required, length, kind of text) only
// spare a way to the gateway, which checks everything itself.

import { el } from "../shared/dom.js";
import { t } from "../shared/language.js";
import { linkedPicture } from "../shared/messages/media.js";

const INPUT_TYPES = { number: "text", email: "email", phone: "tel", url: "url" };

/** A field for `question`: `{ node, read(), showProblem(text) }`. `media` is what pictures are relative to. */
export function formField(question, media) {
  const make = { list_picker: listField, toggle: toggleField, date: inputField, time: inputField }[question.type] ?? inputField;
  const id = `question-${question.id}`;
  const problem = el("p", { id: `${id}-problem`, class: "field-error", hidden: true });
  const help = question.help_text && el("p", { id: `${id}-help`, class: "field-help" }, question.help_text);
  const described = [help && `${id}-help`, `${id}-problem`].filter(Boolean).join(" ");
  const { node, read, first } = make(question, { id, described, media });
  const box = el("div", { class: "form-field" }, node, help, problem);
  return {
    node: box,
    read,
    showProblem(text) {
      problem.hidden = !text;
      problem.textContent = text ?? "";
      if (text) first.setAttribute("aria-invalid", "true");
      else first.removeAttribute("aria-invalid");
      if (text) first.focus();
    },
  };
}

function label(question) {
  return [question.question, question.is_mandatory ? el("span", { class: "mandatory" }, ` ${t("form.mandatory")}`) : null];
}

function inputField(question, { id, described }) {
  const isMultiline = question.type === "text_entry" && !question.is_masked && (question.content_type ?? "text") === "text" && question.character_limit > 120;
  const input = el(isMultiline ? "textarea" : "input", {
    id,
    type: isMultiline ? null : typeOf(question),
    placeholder: question.placeholder,
    maxlength: question.character_limit,
    required: question.is_mandatory,
    inputmode: question.content_type === "number" ? "numeric" : null,
    autocomplete: "off",
    "aria-describedby": described,
  });
  return { node: [el("label", { for: id }, label(question)), input], read: () => input.value.trim(), first: input };
}

function typeOf({ type, is_masked: isMasked, content_type: contentType }) {
  if (type === "date" || type === "time") return type;
  return isMasked ? "password" : (INPUT_TYPES[contentType] ?? "text");
}

function listField(question, { id, described, media }) {
  const options = (question.options ?? []).toSorted((a, b) => (a.list_position ?? 0) - (b.list_position ?? 0));
  const kind = question.is_multiselect ? "checkbox" : "radio";
  const inputs = options.map((option) => el("input", { type: kind, name: id, value: option.id, id: `${id}-${option.id}` }));
  // A required radio button speaks for its group; for boxes the browser has no such hint.
  if (question.is_mandatory && kind === "radio" && inputs[0]) inputs[0].required = true;
  const rows = options.map((option, at) =>
    el("label", { class: "option", for: inputs[at].id }, inputs[at], option.image && linkedPicture(option.image, "", { media }), el("span", {}, option.value)),
  );
  const node = el("fieldset", { "aria-describedby": described }, el("legend", {}, label(question)), rows);
  // An answer names what was picked by its number: its words depend on the language.
  const chosen = () => options.filter((_, at) => inputs[at].checked).map((option) => option.id);
  return { node, read: () => (question.is_multiselect ? chosen() : (chosen()[0] ?? "")), first: inputs[0] ?? node };
}

function toggleField(question, { id, described }) {
  const input = el("input", { id, type: "checkbox", role: "switch", "aria-describedby": described });
  const words = el("span", { class: "toggle-words", "aria-hidden": "true" });
  const draw = () => {
    words.textContent = input.checked ? (question.toggle_on_text ?? t("form.yes")) : (question.toggle_off_text ?? t("form.no"));
  };
  input.addEventListener("change", draw);
  draw();
  return { node: el("label", { class: "toggle", for: id }, input, el("span", {}, label(question)), words), read: () => input.checked, first: input };
}

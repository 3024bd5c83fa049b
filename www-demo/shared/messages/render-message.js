// Draws one message, by its type, as DOM nodes. It knows what each type looks like and nothing about order, scrolling or sending. A type it
// does not know is named, never hidden: somebody said something.

import { el } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../language.js";
import { plainWords } from "../words.js";
import { cards } from "./cards.js";
import { choices } from "./choices.js";
import { formAnswers, formCard } from "./forms.js";
import { kindOf, mediaNode } from "./media.js";
import { noticeWords } from "./notices.js";
import { markdownText, plainText } from "./safe-text.js";

/**
 * How to show `message`: `{ kind, node }`, where `kind` is
 * - `bubble`: somebody said it;
 * - `note`: something happened, a quiet line;
 * - `sticky`: choices that stay beside the text field until the next turn, with the bubble of their title in `node` (or `null`);
 * - `none`: nothing to show.
 *
 * `tools` make it work, each where it can: `name` is the author's name; `onChoose(title, button)` answers a question, `onDraft(text)` proposes an answer,
 * `onForm(message)` opens a form, `onReveal(message)` resolves with the answers that are masked in it; `onResize()` hears when something has loaded; `media` is `{ base, streams, load(message) }`, where `base` is what
 * links are relative to, `load` resolves with an address of the file, and `streams` says that this address costs nothing until it is used.
 */
export function renderMessage(message, tools) {
  switch (message.type) {
    case "text":
    case "text_template":
      return bubble(plainText(textOf(message)), hiddenHint(message));
    case "markdown":
    case "markdown_template":
      return bubble(markdownText(textOf(message)), hiddenHint(message));
    case "inline_button":
      return withChoices(message, tools.onChoose);
    case "sticky_button":
      return tools.onChoose
        ? { kind: "sticky", node: message.title ? title(message) : null, choices: choices(message, tools.onChoose) }
        : withChoices(message);
    case "content_card":
      return { kind: "bubble", node: el("div", { class: "bubble is-bare is-wide" }, title(message), cards(message, tools)) };
    case "photo":
    case "image":
    case "video":
    case "audio":
    case "document":
      return bubble(mediaNode(message, tools), captionOf(message));
    case "form":
      return bubble(formCard(message, tools));
    case "noti":
      return notice(message, tools);
    case "action":
    case "server_message":
      // Meant for machines.
      return { kind: "none", node: null };
    default:
      return bubble(el("p", { class: "placeholder" }, t("message.unknown", { type: plainWords(message.type) })));
  }
}

/** The text of a message in one line, for a preview in a list. */
export function messageSummary(message) {
  if (message.type === "noti") return message.event === "formCompleted" ? t("form.completed", { name: message.form_name ?? "" }) : (noticeWords(message, "") ?? "");
  if (["photo", "image", "video", "audio", "document"].includes(message.type)) return message.media?.name ?? t(`media.${kindOf(message)}.unnamed`);
  if (message.type === "form") return message.form?.title || t("form.unnamed");
  const text = message.type.startsWith("markdown") ? withoutMarks(textOf(message)) : textOf(message) || message.title || plainWords(message.type);
  return String(text).replace(/\s+/gu, " ").trim().slice(0, 200);
}

/** The words of a markdown text. */
function withoutMarks(text) {
  const fragment = markdownText(text);
  for (const hint of fragment.querySelectorAll(".visually-hidden")) hint.remove();
  const blocks = [...fragment.childNodes].flatMap((node) => (["ul", "ol"].includes(node.localName) ? [...node.children] : [node]));
  return blocks.map((node) => node.textContent).join(" ");
}

/** `content` is a string on the web and `{ text }` from some servers. */
function textOf(message) {
  const content = message.content ?? "";
  return typeof content === "string" ? content : String(content.text ?? "");
}

function captionOf(message) {
  const caption = message.media_id !== undefined && typeof message.content === "string" ? message.content : "";
  return caption ? el("p", {}, plainText(caption)) : null;
}

/** Authors read what they wrote, and that the others do not. */
function hiddenHint(message) {
  return message.unredacted === undefined ? null : el("p", { class: "hidden-hint" }, icon("shield"), t("message.redacted"));
}

/** Choices below their title; without a title they need no bubble around them. */
function withChoices(message, onChoose) {
  const heading = title(message);
  if (heading) return bubble(heading, choices(message, onChoose));
  return { kind: "bubble", node: el("div", { class: "bubble is-bare" }, choices(message, onChoose)) };
}

function title(message) {
  const text = message.title || textOf(message);
  return text ? plainText(text) : null;
}

function notice(message, tools) {
  if (message.event === "formCompleted") return bubble(formAnswers(message, tools));
  const words = noticeWords(message, tools.name);
  return words ? { kind: "note", node: el("p", { class: "note" }, words) } : { kind: "none", node: null };
}

function bubble(...content) {
  return { kind: "bubble", node: el("div", { class: "bubble" }, content) };
}

// Draws one message, by its type, as DOM nodes. It knows what each type looks like and nothing about order, scrolling or sending. A type it
// does not know becomes a neutral line, because a newer gateway may send one at any time.

import { el } from "./dom.js";
import { markdownText, plainText, safeLink } from "./safe-text.js";
import { plainWords } from "./words.js";

/**
 * How to show `message`: `{ kind, node }`, where `kind` is
 * - `bubble`: somebody said it;
 * - `note`: something happened, a quiet line;
 * - `sticky`: choices that stay beside the text field until the next turn, with the bubble of their title in `node` (or `null`);
 * - `none`: nothing to show.
 * `name` is the author's name. `onChoose(title)` makes choices work; without it (an agent looks on) they are only listed.
 */
export function renderMessage(message, { name, onChoose }) {
  switch (message.type) {
    case "text":
    case "text_template":
      return bubble(plainText(textOf(message)));
    case "markdown":
    case "markdown_template":
      return bubble(markdownText(textOf(message)));
    case "inline_button":
      return withChoices(message, onChoose);
    case "sticky_button":
      return onChoose
        ? { kind: "sticky", node: message.title ? title(message) : null, choices: choices(message, onChoose) }
        : withChoices(message);
    case "noti":
      return note(notiWords(message, name));
    case "photo":
    case "image":
      return bubble(placeholder("A picture. This page cannot show it."));
    case "video":
      return bubble(placeholder("A video. This page cannot show it."));
    case "document":
      return bubble(message.document?.url ? el("p", {}, safeLink(message.document.url, "A document")) : placeholder("A document."));
    case "server_message":
      // Meant for machines.
      return { kind: "none", node: null };
    default:
      return bubble(placeholder(`A message of a kind this page does not know (${plainWords(message.type)}).`));
  }
}

/** The text of a message in one line, for a preview in a list. */
export function messageSummary(message) {
  if (message.type === "noti") return notiWords(message, "");
  const text = message.type.startsWith("markdown") ? withoutMarks(textOf(message)) : textOf(message) || message.title || plainWords(message.type);
  return String(text).replace(/\s+/gu, " ").trim().slice(0, 200);
}

/** The words of a markdown text. */
function withoutMarks(text) {
  const fragment = markdownText(text);
  for (const hint of fragment.querySelectorAll(".visually-hidden")) hint.remove();
  return [...fragment.childNodes].flatMap((node) => (node.localName === "ul" || node.localName === "ol" ? [...node.children] : [node])).map((node) => node.textContent).join(" ");
}

const NOTI_WORDS = {
  escalationStarted: () => "Looking for a person to take over",
  escalationAccepted: (name) => `${name || "A person"} took over`,
  memberJoined: (name) => `${name || "Somebody"} joined`,
  memberLeft: (name) => `${name || "Somebody"} left`,
  chatEnded: () => "The chat has ended",
};

function notiWords(message, name) {
  const words = NOTI_WORDS[message.event];
  // A system line is about somebody else than its author, where it names one.
  const about = message.agent?.name ?? message.member?.display_name ?? (message.$userType === "system" ? "" : name);
  return words ? words(about) : `Update: ${plainWords(message.event ?? "something changed")}`;
}

/** `content` is a string on the web and `{ text }` from some servers. */
function textOf(message) {
  const content = message.content ?? "";
  return typeof content === "string" ? content : String(content.text ?? "");
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

function choices(message, onChoose) {
  const titles = (Array.isArray(message.buttons) ? message.buttons : []).map((button) => String(button?.title ?? "")).filter(Boolean);
  if (!onChoose) {
    return el("ul", { class: "choices is-listed", "aria-label": "Choices offered" }, titles.map((text) => el("li", { class: "choice" }, text)));
  }
  const group = el("div", { class: "choices", role: "group", "aria-label": message.title || "Choices" });
  for (const text of titles) {
    const button = el("button", { type: "button", class: "choice" }, text);
    button.addEventListener("click", () => {
      closeChoices(group, text);
      onChoose(text);
    });
    group.append(button);
  }
  return group;
}

/** Ends a group of choices: a second answer to an old question would only confuse. The one taken stays marked, in words too. */
export function closeChoices(group, taken) {
  for (const button of group.querySelectorAll("button:not(:disabled)")) {
    button.disabled = true;
    if (taken !== undefined && button.textContent === taken) {
      button.classList.add("is-taken");
      button.append(el("span", { class: "visually-hidden" }, " (chosen)"));
    }
  }
}

function placeholder(text) {
  return el("p", { class: "placeholder" }, text);
}

function bubble(...content) {
  return { kind: "bubble", node: el("div", { class: "bubble" }, content) };
}

function note(text) {
  return { kind: "note", node: el("p", { class: "note" }, text) };
}

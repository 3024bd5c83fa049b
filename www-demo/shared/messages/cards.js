// Content cards: a picture, a few lines, a link and buttons. What a card's button does is its message's to say: open a link, send its title, or (without
// `auto_reply`) put the title into the text field for the end user to send.

import { el } from "../dom.js";
import { t } from "../language.js";
import { choice, closeChoices, listedChoices } from "./choices.js";
import { linkedPicture } from "./media.js";
import { plainText, safeLink } from "./safe-text.js";

/** The cards of `message`. `tools` are those of `renderMessage`. */
export function cards(message, tools) {
  const list = (Array.isArray(message.cards) ? message.cards : []).filter((card) => card && typeof card === "object");
  // Cards that do not fit are reached by scrolling, which needs the focus where no card has a button.
  const items = list.map((card) => el("li", { class: "card" }, cardNodes(card, tools)));
  return el("ul", { class: "cards", tabindex: "0", "aria-label": message.title || t("cards.label") }, items);
}

function cardNodes(card, tools) {
  const picture = Array.isArray(card.images) && card.images.length > 0 ? linkedPicture(card.images[0], card.title, tools) : null;
  return [
    picture,
    card.title && el("p", { class: "card-title" }, String(card.title)),
    card.subtitle && el("p", { class: "card-subtitle" }, String(card.subtitle)),
    card.body && el("p", { class: "card-body" }, plainText(card.body)),
    card.link && el("p", {}, safeLink(card.link, t("cards.more"))),
    buttons(card, tools),
  ];
}

function buttons(card, { onChoose, onDraft }) {
  const known = (Array.isArray(card.buttons) ? card.buttons : []).filter((button) => button?.title);
  if (known.length === 0) return null;
  if (!onChoose) return listedChoices(known);
  const group = el("div", { class: "choices", role: "group", "aria-label": card.title || t("choices.label") });
  for (const button of known) {
    const title = String(button.title);
    const node = choice(button, () => {
      if (button.link) return;
      if (!button.auto_reply) return onDraft?.(title);
      closeChoices(group.closest(".cards") ?? group, title);
      onChoose(title, button);
    });
    // The vendor's styles are names only.
    if (button.style === "primary") node.classList.add("is-primary");
    group.append(node);
  }
  return group;
}

// Choices that a message offers: rows of buttons. A question takes one answer; the one taken stays marked.

import { append, el } from "../dom.js";
import { t } from "../language.js";
import { externalHint, webAddress } from "./safe-text.js";

/** Choices that can only be read. */
export function listedChoices(buttons) {
  return el("ul", { class: "choices is-listed", "aria-label": t("choices.offered") }, buttons.map(({ title }) => el("li", { class: "choice" }, String(title))));
}

/**
 * The choices of `message`. `onChoose(title, button)` makes them work; without it (an agent looks on) they are only listed. A choice with a link
 * also opens it.
 */
export function choices(message, onChoose) {
  const buttons = (Array.isArray(message.buttons) ? message.buttons : []).filter((button) => button?.title);
  if (!onChoose) return listedChoices(buttons);
  const group = el("div", { class: "choices", role: "group", "aria-label": message.title || t("choices.label") });
  for (const button of buttons) {
    group.append(
      choice(button, () => {
        closeChoices(group, String(button.title));
        onChoose(String(button.title), button);
      }),
    );
  }
  return group;
}

/** One choice: a button, or a link where it leads somewhere. */
export function choice(button, onTake) {
  const title = String(button.title);
  const href = button.link ? webAddress(button.link) : null;
  const node = href
    ? el("a", { class: "choice", href, target: "_blank", rel: "noopener noreferrer", referrerpolicy: "no-referrer", data: { title } }, title, externalHint())
    : el("button", { type: "button", class: "choice", data: { title } }, title);
  node.addEventListener("click", () => onTake());
  return node;
}

/** Ends a group of choices: a second answer to an old question would only confuse. The one taken is marked in words too. */
export function closeChoices(group, taken) {
  for (const button of group.querySelectorAll("button:not(:disabled)")) {
    button.disabled = true;
    if (taken === undefined || button.dataset.title !== taken) continue;
    button.classList.add("is-taken");
    append(button, [el("span", { class: "visually-hidden" }, ` ${t("choices.taken")}`)]);
  }
}

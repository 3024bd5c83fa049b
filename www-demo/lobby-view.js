// The counters one can go to, as tickets with their waiting time. Only what can be used now is a button; the rest says that it is closed.

import { el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { waitWords } from "./words.js";

/** Draws `entries` (`{ menu, path, wait_s }`); `onTake(menu)` starts a chat. */
export function drawMenus(list, entries, onTake) {
  fill(
    list,
    entries.map((entry, position) =>
      el("li", { class: "ticket-item" }, ticket(entry, String.fromCodePoint(65 + (position % 26)), onTake)),
    ),
  );
}

/**
 * Menus that can be chosen, each with the names above it as `path`: the leaves of the tree, because a menu with children only leads to
 * them.
 */
export function leafMenus(menus, path = []) {
  return menus.flatMap((menu) => (menu.children?.length ? leafMenus(menu.children, [...path, menu.name]) : [{ menu, path }]));
}

function ticket({ menu, path, wait_s }, letter, onTake) {
  const isOpen = menu.enabled && takesChats(menu);
  const wait = isOpen ? waitWords(wait_s) : "closed at the moment";
  const button = el(
    "button",
    { type: "button", class: "ticket", disabled: !isOpen, data: { menu: menu.id } },
    el("span", { class: "ticket-letter", "aria-hidden": "true" }, letter),
    el(
      "span",
      { class: "ticket-body" },
      path.length > 0 && el("span", { class: "ticket-path" }, `${path.join(" / ")} `),
      el("span", { class: "ticket-name" }, menu.name ?? `Counter ${menu.id}`),
      el("span", { class: "ticket-wait" }, icon("clock"), el("span", {}, wait)),
    ),
    isOpen && el("span", { class: "ticket-go", "aria-hidden": "true" }, icon("send")),
  );
  button.addEventListener("click", () => onTake(menu));
  return button;
}

function takesChats(menu) {
  const chat = (menu.channels ?? []).find((channel) => channel.name === "chat");
  return chat === undefined || chat.enabled !== false;
}

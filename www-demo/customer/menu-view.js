// The counters one can go to, as tickets with their waiting time, below the headings they belong to. Only what leads somewhere can be pressed; the
// rest says why it does not.

import { el, fill } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { t } from "../shared/language.js";
import { externalHint, webAddress } from "../shared/messages/safe-text.js";
import { waitWords } from "../shared/words.js";

/** Draws the tree of menus. `waits` has the waiting time in seconds by the menu's id; `onTake(menu)` starts a chat, `onEmail(menu)` an e-mail, `onCall(menu)` asks for a call. */
export function drawMenus(list, menus, waits, { onTake, onEmail, onCall }) {
  const letters = { next: 0 };
  fill(list, menus.map((menu) => entry(menu, { waits, onTake, onEmail, onCall, letters, all: leaves(menus) })));
}

/** The menus that can be chosen: the leaves, because a menu with children only leads to them. */
export function leaves(menus) {
  return menus.flatMap((menu) => (menu.children?.length ? leaves(menu.children) : [menu]));
}

/** Whether a chat can be started there now. */
export function isOpen(menu) {
  const chat = (menu.channels ?? []).find((channel) => channel.name === "chat");
  const leadsElsewhere = menu.redirection && menu.redirection.option !== "queue";
  return menu.enabled && chat?.enabled !== false && !leadsElsewhere;
}

function entry(menu, context) {
  if (menu.children?.length) {
    return el(
      "li",
      { class: "ticket-folder" },
      el("h2", { class: "ticket-heading" }, menu.name ?? ""),
      el("ul", { class: "tickets" }, menu.children.map((child) => entry(child, context))),
    );
  }
  const letter = String.fromCodePoint(65 + (context.letters.next++ % 26));
  return el("li", { class: "ticket-item" }, ticket(menu, letter, context), callButton(menu, context), emailButton(menu, context));
}

function ticket(menu, letter, { waits, onTake, all }) {
  const { option, data } = menu.redirection ?? {};
  const name = menu.name ?? t("menu.unnamed", { number: menu.id });
  if (option === "external_link" && webAddress(data)) {
    const link = { class: "ticket", href: webAddress(data), target: "_blank", rel: "noopener noreferrer", referrerpolicy: "no-referrer" };
    return el("a", link, parts(letter, name, [icon("send"), el("span", {}, t("menu.elsewhere"), externalHint())], true));
  }
  if (option === "message") return el("div", { class: "ticket is-closed" }, parts(letter, name, [el("span", {}, data)], false));
  const open = isOpen(menu);
  const words = open ? waitWords(waits.get(menu.id) ?? NaN) : closedWords(menu);
  const target = option === "queue" ? all.find(({ id }) => id === Number(data))?.name : undefined;
  const line = [icon("clock"), el("span", {}, words, target && ` · ${t("menu.answeredBy", { name: target })}`)];
  const button = el("button", { type: "button", class: "ticket", disabled: !open, data: { menu: menu.id } }, parts(letter, name, line, open));
  button.addEventListener("click", () => onTake(menu));
  return button;
}

function parts(letter, name, line, leads) {
  return [
    el("span", { class: "ticket-letter", "aria-hidden": "true" }, letter),
    el("span", { class: "ticket-body" }, el("span", { class: "ticket-name" }, name), el("span", { class: "ticket-wait" }, line)),
    leads && el("span", { class: "ticket-go", "aria-hidden": "true" }, icon("send")),
  ];
}

function closedWords(menu) {
  return menu.deflection?.enabled && menu.deflection.type === "after_hours" ? t("menu.afterHours") : t("menu.closed");
}

/** Whether the counter takes e-mails now. */
export function takesEmail(menu) {
  return (menu.channels ?? []).some(({ name, enabled }) => name === "email" && enabled);
}

function emailButton(menu, { onEmail }) {
  if (!takesEmail(menu)) return null;
  const name = menu.name ?? t("menu.unnamed", { number: menu.id });
  const button = el("button", { type: "button", class: "link-button ticket-email", "aria-label": t("email.writeTo", { name }) }, t("email.write"));
  button.addEventListener("click", () => onEmail(menu));
  return button;
}

/** Being called, where the queue is reached by telephone. */
function callButton(menu, { onCall }) {
  if (!(menu.channels ?? []).some(({ name, enabled }) => name === "voice_call" && enabled)) return null;
  const name = menu.name ?? t("menu.unnamed", { number: menu.id });
  const button = el("button", { type: "button", class: "call-button", "aria-label": `${t("call.open")}: ${name}`, data: { menu: `call-${menu.id}` } }, icon("phone"), el("span", {}, t("call.open")));
  button.addEventListener("click", () => onCall(menu));
  return button;
}

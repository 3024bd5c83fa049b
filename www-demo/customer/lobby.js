// Choosing a counter: the menus with their waiting times, kept fresh, and what there is outside the hours. It starts the chat and hands it on.

import { byId, show } from "../shared/dom.js";
import { explainError } from "../shared/error-words.js";
import { language, t } from "../shared/language.js";
import { webAddress } from "../shared/messages/safe-text.js";
import { hidePanel, showPanel } from "../shared/panel.js";
import { drawMenus, isOpen, leaves, takesEmail } from "./menu-view.js";

const REFRESH_MS = 15_000;

export class Lobby {
  #client;
  #notice;
  #key;
  #chatRequest;
  #onChat;
  #onCall;
  #onEmail;
  #timer = 0;

  /** `key` is a direct access key; `chatRequest()` resolves with what a new chat starts with; `onChat(chat)` goes on with it, `onEmail(menu)` writes an e-mail, `onCall(menu)` asks for a call. */
  constructor({ client, notice, key, chatRequest, onChat, onEmail, onCall }) {
    this.#onCall = onCall;
    this.#client = client;
    this.#notice = notice;
    this.#key = key;
    this.#chatRequest = chatRequest;
    this.#onChat = onChat;
    this.#onEmail = onEmail;
  }

  /** Reads and shows the counters. Rejects where they cannot be read. */
  async open() {
    this.close();
    await this.draw();
    // A missed refresh is no news.
    this.#timer = setInterval(() => byId("lobby").hidden || this.draw().catch(() => {}), REFRESH_MS);
  }

  close() {
    clearInterval(this.#timer);
  }

  /** Reads everything again, as after a change of the language. What has the focus keeps it. */
  async draw() {
    const { menus, direct } = await this.#client.getMenus(this.#key, language());
    const waits = await this.#waits(menus);
    const focused = document.activeElement?.closest?.("[data-menu]")?.dataset.menu;
    drawMenus(byId("menus"), menus, waits, { onTake: (menu) => this.#take(menu), onEmail: this.#onEmail, onCall: this.#onCall });
    if (focused) byId("menus").querySelector(`[data-menu="${CSS.escape(focused)}"]`)?.focus();
    show(byId("direct"), direct.key || direct.user);
    byId("direct").textContent = t(direct.user ? "lobby.direct.user" : "lobby.direct.key");
    await this.#showAfterHours(menus);
  }

  async #waits(menus) {
    const read = async ({ id }) => {
      // One unknown waiting time must not close the other counters.
      const wait = await this.#client.getWaitTimes(id, language()).catch(() => null);
      return [id, wait?.chat ?? NaN];
    };
    return new Map(await Promise.all(leaves(menus).filter(isOpen).map(read)));
  }

  /** Where a counter is closed at this hour, the company's words for it, and its other ways. */
  async #showAfterHours(menus) {
    const panel = byId("after-hours");
    const closed = leaves(menus).filter(({ deflection }) => deflection?.enabled && deflection.type === "after_hours");
    if (closed.length === 0) return hidePanel(panel);
    const [message, deflection] = await Promise.all([
      this.#client.getAfterHourMessage(language()).catch(() => ""),
      this.#client.getChatDeflection().catch(() => null),
    ]);
    // A company that configured an empty text wants nothing said.
    if (!message) return hidePanel(panel);
    const names = new Intl.ListFormat(language()).format(closed.map(({ name, id }) => name ?? t("menu.unnamed", { number: id })));
    const letters = leaves(menus).find(takesEmail);
    const email = letters && (() => this.#onEmail(letters));
    showPanel(panel, { title: t("lobby.closed", { names }), text: message, iconName: "clock", actions: waysElsewhere(deflection, email) });
  }

  async #take(menu) {
    byId("menus").setAttribute("aria-busy", "true");
    for (const button of byId("menus").querySelectorAll("button")) button.disabled = true;
    try {
      this.#onChat(await this.#client.createChat(menu.id, { lang: language(), ...(await this.#chatRequest()) }));
    } catch (error) {
      this.#notice.show(error.code === "after_hours" ? await this.#afterHoursWords() : explainError(error).words);
      await this.draw().catch(() => {});
    } finally {
      byId("menus").removeAttribute("aria-busy");
    }
  }

  async #afterHoursWords() {
    return (await this.#client.getAfterHourMessage(language()).catch(() => "")) || t("error.after_hours");
  }
}

/** The links and the e-mail of a deflection, as actions of a panel; `email()` opens the form. */
export function waysElsewhere(deflection, email) {
  const links = (deflection?.links ?? []).filter(({ url }) => webAddress(url)).map(({ name, url }) => ({ label: name, href: webAddress(url) }));
  return deflection?.email && email ? [...links, { label: t("deflection.email"), run: email }] : links;
}

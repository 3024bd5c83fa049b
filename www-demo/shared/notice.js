// The one place for bad news: a line that says what happened and, where it helps, a button that tries again. It is an alert to screen
// readers, so the same words are never set twice.

import { el, fill, show } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./language.js";

export class Notice {
  #root;
  #words = "";
  #hideTimer = 0;

  constructor(root) {
    this.#root = root;
  }

  /** Shows `words`. `action` is `{ label, run }`; without `stays` the line leaves by itself after a while. */
  show(words, { action, stays = false } = {}) {
    clearTimeout(this.#hideTimer);
    if (!stays) this.#hideTimer = setTimeout(() => this.hide(), 10_000);
    if (words === this.#words) return;
    this.#words = words;
    const close = el("button", { type: "button", class: "icon-button", "aria-label": t("alert.close") }, icon("close"));
    close.addEventListener("click", () => this.hide());
    const button = action && el("button", { type: "button", class: "button is-quiet" }, action.label);
    button?.addEventListener("click", action?.run);
    fill(this.#root, icon("alert"), el("p", {}, words), button, action ? null : close);
    show(this.#root, true);
  }

  hide() {
    clearTimeout(this.#hideTimer);
    this.#words = "";
    show(this.#root, false);
    this.#root.replaceChildren();
  }
}

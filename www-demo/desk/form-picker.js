// The forms that an agent can send: a menu beside the text field, read when it is opened.

import { byId, el, fill, show } from "../shared/dom.js";
import { explainError } from "../shared/error-words.js";
import { t } from "../shared/language.js";

/** `load()` resolves with the forms of the conversation on the screen; `onSend(form)` sends one. */
export function attachFormPicker({ load, onSend }) {
  const dialog = byId("forms-dialog");
  byId("forms-close").addEventListener("click", () => dialog.close());
  byId("forms-open").addEventListener("click", async () => {
    fill(byId("forms-list"));
    show(byId("forms-empty"), false);
    dialog.showModal();
    try {
      const forms = await load();
      fill(byId("forms-list"), forms.map(item));
      show(byId("forms-empty"), forms.length === 0);
      byId("forms-empty").textContent = t("forms.none");
    } catch (error) {
      byId("forms-empty").textContent = explainError(error).words;
      show(byId("forms-empty"), true);
    }
  });

  function item(form) {
    const button = el("button", { type: "button", class: "button is-quiet" }, form.title || form.name);
    button.addEventListener("click", () => {
      onSend(form);
      dialog.close();
    });
    return el("li", {}, button, form.subtitle && el("p", { class: "field-help" }, form.subtitle));
  }
}

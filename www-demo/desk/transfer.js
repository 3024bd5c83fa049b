// Handing a conversation on: the dialog with the agents on duty and the queues of the company. It asks the gateway each time it is opened, because
// who is on duty changes.

import { byId, el, fill, setText, show } from "../shared/dom.js";
import { explainError } from "../shared/error-words.js";
import { t } from "../shared/language.js";

export class Transfer {
  #api;
  #agentId;
  #chat = null;
  #onDone;

  /** `agentId()` is the agent who looks; `onDone(chat)` hears of the chat that was handed on. */
  constructor({ api, agentId, onDone }) {
    this.#api = api;
    this.#agentId = agentId;
    this.#onDone = onDone;
    byId("transfer-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(event.currentTarget, event.submitter);
    });
    byId("transfer-cancel").addEventListener("click", () => byId("transfer-dialog").close());
  }

  async open(chat) {
    this.#chat = chat;
    this.#say("");
    fill(byId("transfer-agents"), el("p", { class: "empty" }, t("transfer.loading")));
    fill(byId("transfer-queues"));
    byId("transfer-dialog").showModal();
    try {
      const [agents, menus] = await Promise.all([this.#api.agents(chat.company_id), this.#api.menus(chat.company_id)]);
      this.#draw(agents, menus);
    } catch (error) {
      fill(byId("transfer-agents"));
      this.#say(explainError(error).words);
    }
  }

  #draw(agents, menus) {
    const others = agents.filter(({ id, on_duty }) => on_duty && id !== this.#agentId());
    const agentRows = others.map(({ id, name, chats }) => row(`agent_id:${id}`, name, t("transfer.chats", { count: chats }), true));
    fill(byId("transfer-agents"), others.length > 0 ? agentRows : el("p", { class: "empty" }, t("transfer.nobody")));
    const queueRows = menus.map(({ id, name, path, enabled }) => row(`menu_id:${id}`, [...(path ?? []), name].join(" / "), enabled ? "" : t("menu.closed"), enabled));
    fill(byId("transfer-queues"), queueRows);
    byId("transfer-form").querySelector("input:enabled")?.focus();
  }

  async #send(form, button) {
    const [kind, id] = String(new FormData(form).get("to") ?? "").split(":");
    if (!id) return this.#say(t("transfer.choose"));
    button.disabled = true;
    try {
      this.#onDone(await this.#api.transfer(this.#chat.id, { [kind]: Number(id) }));
      byId("transfer-dialog").close();
    } catch (error) {
      // The usual conflict: who was on duty has gone meanwhile.
      this.#say(error.status === 409 ? t("transfer.gone") : explainError(error).words);
    } finally {
      button.disabled = false;
    }
  }

  #say(words) {
    setText(byId("transfer-error"), words);
    show(byId("transfer-error"), words !== "");
  }
}

function row(value, name, hint, enabled) {
  const id = `transfer-${value.replace(":", "-")}`;
  return el(
    "label",
    { class: "option", for: id },
    el("input", { type: "radio", name: "to", id, value, disabled: !enabled }),
    el("span", {}, name, hint && el("span", { class: "option-hint" }, ` ${hint}`)),
  );
}

// Showing this page to the agent: offers it, gives a code to read out, and says how it stands. The SDK asks for consent, records, and has the button to
// stop; this module only has the buttons of the site, and the panel beside the conversation. It follows the chat's state, so that a reload goes on.

import { explainError } from "../shared/error-words.js";
import { byId, el, show } from "../shared/dom.js";
import { t } from "../shared/language.js";
import { hidePanel, showPanel } from "../shared/panel.js";
import { isOver } from "./ticket.js";

const OPEN = ["pending", "authorizing", "active"];

/** What of this page no agent sees, though it could be shown: the client's option `cobrowse`. */
export const cobrowseOptions = { enabled: true, redactedViews: [".account"] };

export class ScreenShare {
  #client;
  #notice;
  #session = null;
  #state = null;
  #lastError = null;

  constructor({ client, notice }) {
    this.#client = client;
    this.#notice = notice;
    client.on("cobrowse.request", (from) => this.#try(null, () => client.startCobrowse(from)));
    for (const event of ["cobrowse.loaded", "cobrowse.updated"]) client.on(event, (session) => this.#take(session));
    client.on("cobrowse.ended", () => this.#take(null));
    client.on("error", (error) => (this.#lastError = error));
    byId("screen-share").addEventListener("click", (event) => this.#try(event.currentTarget, () => client.startCobrowse()));
    byId("screen-code").addEventListener("click", (event) => this.#try(event.currentTarget, () => this.#makeCode()));
  }

  /** The messages of a share are shown in the conversation. */
  take() {}

  /** Brings the buttons and the panel in line with the chat's state. */
  show(state) {
    this.#state = state;
    const share = OPEN.includes(state.screen_share?.status) ? state.screen_share : null;
    const isOffered = !isOver(state) && state.status === "assigned" && state.features?.includes("cobrowse") === true && !share;
    for (const id of ["screen-share", "screen-code"]) show(byId(id), isOffered);
    this.#drawPanel(isOver(state) ? null : share, state.agent?.name ?? t("agent"));
  }

  #take(session) {
    this.#session = session;
    if (this.#state) this.show(this.#client.chat?.state ?? this.#state);
  }

  #drawPanel(share, name) {
    const panel = byId("screen-panel");
    const code = share?.status === "pending" ? this.#session?.code() : null;
    if (share?.status === "active") {
      showPanel(panel, { title: t("screen.shared", { name }), text: t("screen.shared.words"), iconName: "screen" });
    } else if (code) {
      const cancel = { label: t("cancel"), run: () => this.#try(null, () => this.#session?.end()) };
      showPanel(panel, { title: t("screen.code.yours"), text: el("strong", { class: "screen-digits" }, inGroups(code)), iconName: "screen", actions: [cancel] });
    } else hidePanel(panel, byId("text"));
  }

  async #makeCode() {
    this.#lastError = null;
    const code = await this.#client.createCobrowseCode();
    if (code === "" && this.#lastError) throw this.#lastError;
  }

  async #try(button, action) {
    if (button) button.disabled = true;
    try {
      await action();
    } catch (error) {
      // Refused by the end user is no failure, and neither is a page that is left meanwhile.
      if (error?.code !== "aborted") this.#notice.show(error?.code === "wasm_load_failed" ? t("screen.missing") : explainError(error).words);
    } finally {
      if (button) button.disabled = false;
    }
  }
}

/** Six digits as people read them out. */
function inGroups(code) {
  return code.replace(/^(\d{3})(\d{3})$/u, "$1 $2");
}

// Other ways than a person now: what is offered when an escalation was deflected, and while the wait in the queue is long.

import { attempt } from "../shared/attempt.js";
import { byId } from "../shared/dom.js";
import { t } from "../shared/language.js";
import { webAddress } from "../shared/messages/safe-text.js";
import { hidePanel, showPanel } from "../shared/panel.js";
import { waysElsewhere } from "./lobby.js";

export class Deflection {
  #client;
  #notice;
  #onEmail;
  #offer = null;
  /** The chat whose long wait was accepted. */
  #keptWaiting = null;

  /** `onEmail(menu, onSent)` writes to a counter by e-mail. */
  constructor({ client, notice, onEmail }) {
    this.#client = client;
    this.#notice = notice;
    this.#onEmail = onEmail;
  }

  /** Hears every message, also those of the history: the newest offer counts, until something else happens. */
  take(message) {
    if (message.event === "escalationDeflected") this.#offer = message;
    else if (message.$userType === "end_user" || ["escalationStarted", "escalationAccepted"].includes(message.event)) this.#offer = null;
    else return;
    this.#drawOffer();
  }

  show(state) {
    if (state.status !== "va_assigned") this.#offer = null;
    this.#drawOffer();
    if (state.status !== "queued" || this.#keptWaiting === state.id) hidePanel(byId("long-wait"), byId("text"));
  }

  /** Asks whether the wait is long; call it while the chat waits. */
  async refresh() {
    const id = this.#client.chat?.state.id;
    if (this.#keptWaiting === id) return;
    const deflection = await this.#client.getChatDeflection();
    const state = this.#client.chat?.state;
    if (state?.id !== id || state.status !== "queued") return;
    if (!deflection.enabled || this.#keptWaiting === id) return hidePanel(byId("long-wait"), byId("text"));
    const keep = { label: t("deflection.keepWaiting"), isPrimary: true, run: () => this.#keepWaiting(id) };
    showPanel(byId("long-wait"), {
      title: t(deflection.reason === "after_hours" ? "deflection.afterHours" : "deflection.longWait"),
      iconName: "clock",
      actions: [...(deflection.keep_waiting ? [keep] : []), ...waysElsewhere(deflection, () => this.#write())],
    });
  }

  /** An e-mail to the chat's own queue; the choice counts once it is taken. */
  #write(onSent) {
    const menu = this.#client.chat?.state.menus?.at(-1);
    if (menu) this.#onEmail(menu, onSent);
  }

  #keepWaiting(id) {
    this.#keptWaiting = id;
    hidePanel(byId("long-wait"), byId("text"));
  }

  #drawOffer() {
    const offer = this.#offer;
    if (!offer) return hidePanel(byId("offer"), byId("text"));
    showPanel(byId("offer"), {
      title: t(`deflection.${offer.reason === "after_hours" ? "afterHours" : "longWait"}`),
      text: t("deflection.choose"),
      iconName: "person",
      actions: (offer.options ?? []).map((option) => this.#action(offer, option)),
    });
  }

  #action({ escalation_id }, option) {
    const choose = () =>
      attempt(this.#notice, null, async () => {
        await this.#client.trackChatEscalation(escalation_id, option.channel);
        this.#offer = null;
        this.#drawOffer();
      });
    switch (option.channel) {
      case "human_agent":
        return { label: t("deflection.keepWaiting"), isPrimary: true, run: choose };
      case "virtual_agent":
        return { label: t("deflection.virtualAgent", { name: option.name ?? "" }), run: choose };
      case "external_link":
        return { label: `${option.name ?? option.url} (${t("deflection.endsChat")})`, href: webAddress(option.url), run: choose };
      case "email":
        return { label: t("deflection.email"), run: () => this.#write(choose) };
      default:
        return { label: String(option.name ?? option.channel) };
    }
  }
}

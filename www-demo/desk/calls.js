// The calls of the desk: who waits for one, which are planned, which this agent has, and what became of the others. The desk's stream says what is not over; the
// rest is read when somebody looks. An agent moves a call on as it goes: no telephone rings by it.

import { el, fill, setText, show } from "../shared/dom.js";
import { explainError } from "../shared/error-words.js";
import { icon } from "../shared/icons.js";
import { t } from "../shared/language.js";
import { dateWords, elapsedWords, ticketNumber } from "../shared/words.js";
import { flagBadges, rows } from "./about.js";

/** Where an agent can move a call, the usual way first. */
const MOVES = {
  scheduled: ["assigned", "canceled"],
  queued: ["assigned", "canceled"],
  assigned: ["connecting", "queued", "failed"],
  connecting: ["connected", "queued", "failed"],
  connected: ["finished", "failed"],
};
const GROUPS = ["own", "waiting", "planned", "others", "over"];

export class DeskCalls {
  #root;
  #api;
  #agentId;
  #notice;
  #onCount;
  #open = [];
  #over = [];
  #announced = new Set();

  /** `agentId()` is who looks; `onCount(number)` hears how many calls wait for somebody. */
  constructor(root, { api, agentId, notice, onCount }) {
    this.#root = root;
    this.#api = api;
    this.#agentId = agentId;
    this.#notice = notice;
    this.#onCount = onCount;
    fill(
      root,
      el("h2", { id: "calls-title", class: "calls-title", tabindex: "-1" }),
      el("p", { class: "visually-hidden", role: "status" }),
      el("p", { class: "empty" }),
      el("div", { class: "calls-groups" }, GROUPS.map((group) => el("section", { data: { group }, "aria-labelledby": `calls-${group}` }, el("h3", { id: `calls-${group}` }), el("ul", { class: "calls-list" })))),
    );
  }

  /** The calls that are not over, from the stream. */
  take(open) {
    const gone = this.#open.some((call) => !open.some(({ id }) => id === call.id));
    const waiting = open.filter(({ status }) => status === "queued");
    if (waiting.some(({ id }) => !this.#announced.has(id))) setText(this.#root.querySelector("[role=status]"), t("calls.announce", { count: waiting.length }));
    this.#announced = new Set(waiting.map(({ id }) => id));
    this.#open = open;
    this.draw();
    if (gone && !this.#root.hidden) this.refresh();
  }

  /** Reads what is over. */
  async refresh() {
    try {
      this.#over = (await this.#api.calls()).over;
      this.draw();
    } catch (error) {
      if (!error.isRetryable && !error.isSignedOut) this.#notice.show(explainError(error).words);
    }
  }

  /** Forgets everything, as when the agent leaves. */
  clear() {
    [this.#open, this.#over] = [[], []];
    this.draw();
  }

  draw() {
    const own = (call) => call.agent?.id === this.#agentId();
    const isOpen = new Set(this.#open.map(({ id }) => id));
    const groups = {
      own: this.#open.filter(own),
      waiting: this.#open.filter(({ status }) => status === "queued").toSorted((a, b) => a.waiting_since_ms - b.waiting_since_ms),
      planned: this.#open.filter(({ status }) => status === "scheduled").toSorted((a, b) => Date.parse(a.scheduled_at) - Date.parse(b.scheduled_at)),
      others: this.#open.filter((call) => call.agent && !own(call)),
      over: this.#over.filter(({ id }) => !isOpen.has(id)),
    };
    setText(this.#root.querySelector("h2"), t("tabs.calls"));
    const empty = this.#root.querySelector(".empty");
    setText(empty, t("calls.empty"));
    show(empty, GROUPS.every((group) => groups[group].length === 0));
    for (const group of GROUPS) this.#drawGroup(group, groups[group]);
    this.#onCount(groups.own.length + groups.waiting.length);
  }

  #drawGroup(group, calls) {
    const section = this.#root.querySelector(`[data-group="${group}"]`);
    const list = section.querySelector("ul");
    show(section, calls.length > 0);
    setText(section.querySelector("h3"), t(`calls.${group}`));
    const known = new Map([...list.children].map((item) => [item.dataset.key, item]));
    const hadFocus = list.querySelector(":scope > :focus-within")?.dataset.id;
    const keys = new Set();
    calls.forEach((call, position) => {
      const key = [call.id, call.revision, document.documentElement.lang].join(":");
      keys.add(key);
      const item = known.get(key) ?? this.#item(call, key);
      if (list.children[position] !== item) list.insertBefore(item, list.children[position] ?? null);
      if (call.status === "queued") setText(item.querySelector(".call-wait"), t("queue.waiting", { time: elapsedWords(Date.now() - call.waiting_since_ms) }));
    });
    for (const [key, item] of known) if (!keys.has(key)) item.remove();
    // What was pressed has become something else at the same place.
    if (hadFocus && !list.querySelector(":focus")) list.querySelector(`[data-id="${hadFocus}"] button`)?.focus();
  }

  #item(call, key) {
    const name = call.end_user_name ?? t("visitor", { number: call.end_user.id });
    const words = t(`calls.status.${call.status}`) ?? call.status;
    const facts = [
      call.scheduled_at && [t("calls.when"), dateWords(new Date(call.scheduled_at))],
      [t("calls.asked"), dateWords(new Date(call.created_at))],
      [t("calls.recording"), t(`calls.${call.recording_permission}`) ?? call.recording_permission],
      [t("calls.lang"), call.lang],
      call.email && [t("siteData.email"), call.email],
      call.ticket_id && [t("siteData.ticket"), call.ticket_id],
      call.agent && [t("agent"), call.agent.name],
    ].filter(Boolean);
    const isMine = !call.agent || call.agent.id === this.#agentId();
    const moves = isMine ? (MOVES[call.status] ?? []) : [];
    return el(
      "li",
      { class: "call-card", data: { id: String(call.id), key } },
      el("p", { class: "queue-number" }, el("span", { class: "call-number" }, ticketNumber(call.id)), el("span", { class: "queue-menu" }, call.menu_names.at(-1) ?? "")),
      el("p", { class: "queue-name" }, name),
      el("p", { class: "call-phone" }, icon("phone"), el("a", { href: `tel:${call.phone_number}` }, call.phone_number_text)),
      el("p", { class: "call-state" }, call.status !== "queued" && el("span", { class: "call-status" }, words), el("span", { class: "call-wait" })),
      flagBadges(call),
      el("dl", { class: "custom-data" }, facts.map(([label, value]) => el("div", {}, el("dt", {}, label), el("dd", {}, value)))),
      [["signed", "about.signed"], ["unsigned", "about.unsigned"]].map(([part, title]) => {
        const data = rows(call.custom_data?.[part] ?? {});
        return data && el("details", { class: "call-data" }, el("summary", {}, t(title)), data);
      }),
      moves.length > 0 && el("div", { class: "call-moves" }, moves.map((to, index) => this.#button(call, to, name, index === 0))),
    );
  }

  #button(call, to, name, isUsual) {
    const words = t(to === "assigned" && call.status === "scheduled" ? "calls.to.early" : `calls.to.${to}`);
    const button = el("button", { type: "button", class: `button ${isUsual ? "is-primary" : "is-quiet"}`, "aria-label": `${words}: ${name}, ${ticketNumber(call.id)}` }, words);
    button.addEventListener("click", () => this.#moveTo(call, to, button));
    return button;
  }

  async #moveTo(call, to, button) {
    const buttons = button.parentElement.querySelectorAll("button");
    for (const one of buttons) one.disabled = true;
    try {
      const moved = await this.#api.moveCall(call.id, to);
      const isOver = !MOVES[moved.status];
      // The stream says the same in a moment; until then the list must not lag behind the button.
      this.#open = isOver ? this.#open.filter(({ id }) => id !== moved.id) : this.#open.map((one) => (one.id === moved.id && one.revision <= moved.revision ? moved : one));
      if (isOver) this.#over = [moved, ...this.#over.filter(({ id }) => id !== moved.id)];
      this.draw();
      (this.#root.querySelector(`[data-id="${moved.id}"] .call-moves button`) ?? this.#root.querySelector("h2")).focus();
    } catch (error) {
      for (const one of buttons) one.disabled = false;
      this.#notice.show(error.status === 409 ? t("calls.faster") : explainError(error).words);
    }
  }
}

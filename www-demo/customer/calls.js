// Being called: the customer leaves a number, for as soon as somebody is free or for a time, says whether the call may be recorded, sees how it stands, moves it
// and gives it up. The gateway keeps the call; this page keeps only its number, to find it again after a reload.

import { attempt } from "../shared/attempt.js";
import { byId, el, fill, setText, show } from "../shared/dom.js";
import { explainError } from "../shared/error-words.js";
import { language, t } from "../shared/language.js";
import { hidePanel, showPanel } from "../shared/panel.js";
import { clockWords, queueWords, ticketNumber } from "../shared/words.js";

const KEY = "sportello-demo.call";
const LOOK_MS = 4_000;
/** Nothing more comes of these. */
const OVER = new Set(["finished", "failed", "canceled"]);
const CAN_MOVE = new Set(["scheduled", "queued"]);
const CAN_CANCEL = new Set(["scheduled", "queued", "assigned"]);

export class Calls {
  #client;
  #notice;
  #request;
  #key;
  #call = null;
  /** Seconds until the call, where it waits. */
  #wait_s = NaN;
  /** What the dialog is about: `{ menu }` for a new call, `{ call }` to move one. */
  #asks = null;
  #timer = 0;

  /** `owner` names whose call is kept here; `request()` resolves with what goes with a new one besides. */
  constructor({ client, notice, owner, request }) {
    this.#client = client;
    this.#notice = notice;
    this.#request = request;
    this.#key = `${KEY}.${owner}`;
    byId("call-form").addEventListener("submit", (event) => this.#submit(event));
    byId("call-close").addEventListener("click", () => byId("call-dialog").close());
    for (const radio of byId("call-form").elements.when) radio.addEventListener("change", () => this.#chooseWhen());
  }

  /** Finds the call that an earlier page asked for. One that nobody knows any more is forgotten. */
  async resume() {
    const id = remembered(this.#key);
    if (!id || this.#call) return;
    try {
      this.#take(await this.#client.loadCall(id));
    } catch (error) {
      if (error.code === "not_found" || error.code === "invalid_argument") forget(this.#key);
    }
  }

  /** Draws again, as after a change of the language. */
  draw() {
    if (this.#call) this.#drawPanel();
  }

  /** Asks for a call through this menu. */
  open(menu) {
    this.#show({ menu }, t("call.title"), menu.name ?? t("menu.unnamed", { number: menu.id }));
  }

  #move() {
    const call = this.#call;
    this.#show({ call }, t("call.move.title"), call.menus.map(({ name }) => name).join(", "));
  }

  async #show(asks, title, words) {
    this.#asks = asks;
    const isNew = asks.menu !== undefined;
    const form = byId("call-form");
    setText(byId("call-title"), title);
    setText(byId("call-words"), words);
    setText(byId("call-error"), "");
    setText(byId("call-submit"), t(isNew ? "call.ask" : "call.move.save"));
    for (const id of ["call-number-field", "call-when", "call-recording"]) show(byId(id), isNew);
    form.elements.phone_number.required = isNew;
    fill(byId("call-slot"), new Option(t("call.slots.loading"), ""));
    if (isNew) form.elements.when.value = "now";
    this.#chooseWhen();
    byId("call-dialog").showModal();
    await this.#loadSlots();
  }

  #chooseWhen() {
    const isNow = this.#asks?.menu !== undefined && byId("call-form").elements.when.value === "now";
    show(byId("call-slot-field"), !isNow);
    byId("call-slot").required = !isNow;
  }

  /** The times by their days, on this reader's clock. */
  async #loadSlots() {
    const asks = this.#asks;
    const menuId = asks.menu?.id ?? asks.call.menu_id;
    const slots = await this.#client.getTimeSlots(menuId, language()).catch(() => null);
    if (asks !== this.#asks) return;
    const days = new Map();
    for (const slot of slots ?? []) {
      const day = new Intl.DateTimeFormat(language(), { weekday: "long", day: "numeric", month: "long" }).format(new Date(slot));
      days.set(day, [...(days.get(day) ?? []), new Option(clockWords(new Date(slot)), slot)]);
    }
    const groups = [...days].map(([day, options]) => el("optgroup", { label: day }, options));
    const first = new Option(t(groups.length > 0 ? "call.slots.choose" : slots ? "call.slots.none" : "call.slots.failed"), "");
    fill(byId("call-slot"), first, groups);
  }

  async #submit(event) {
    event.preventDefault();
    const { elements } = event.currentTarget;
    const asks = this.#asks;
    const button = byId("call-submit");
    button.disabled = true;
    setText(byId("call-error"), "");
    try {
      const call = asks.menu ? await this.#create(asks.menu.id, elements) : await this.#client.rescheduleCall(asks.call.id, elements.slot.value);
      this.#take(call);
      byId("call-dialog").close();
      byId("my-call").querySelector("button")?.focus();
    } catch (error) {
      setText(byId("call-error"), this.#words(error, asks));
      if (error.code === "conflict") await this.#loadSlots();
    } finally {
      button.disabled = false;
    }
  }

  async #create(menuId, elements) {
    const isNow = elements.when.value === "now";
    return this.#client.createCall(menuId, {
      ...(await this.#request()),
      lang: language(),
      phone_number: elements.phone_number.value,
      ...(!isNow && { scheduled_at: elements.slot.value }),
      recording_permission: `recording_permission_${elements.recording.value || "not_asked"}`,
    });
  }

  #words(error, asks) {
    const isNow = asks.menu && byId("call-form").elements.when.value === "now";
    if (error.code === "invalid_argument" && asks.menu) return t("call.error.number");
    if (error.code === "after_hours") return t("call.error.afterHours");
    if (error.code === "conflict") return t(isNow ? "call.error.queue" : "call.error.taken");
    if (error.code === "rate_limited") return t("call.error.tooMany");
    return explainError(error).words;
  }

  #take(call) {
    this.#call = call;
    if (OVER.has(call.status)) forget(this.#key);
    else remember(this.#key, call.id);
    this.#drawPanel();
    clearTimeout(this.#timer);
    if (!OVER.has(call.status)) this.#timer = setTimeout(() => this.#look(), LOOK_MS);
  }

  /** The contract has no event about calls, so the page asks, as long as something may happen. */
  async #look() {
    const { id } = this.#call;
    // A missed look is no news.
    const call = document.hidden ? null : await this.#client.loadCall(id).catch(() => null);
    if (this.#call?.id !== id) return;
    this.#wait_s = NaN;
    if (call?.status === "queued") {
      const waits = await this.#client.getWaitTimes(call.menu_id, language()).catch(() => null);
      this.#wait_s = waits?.voice_call ?? NaN;
    }
    if (this.#call?.id === id) this.#take(call ?? this.#call);
  }

  #drawPanel() {
    const call = this.#call;
    const isOver = OVER.has(call.status);
    const when = call.scheduled_at && t("call.at", { time: longTime(call.scheduled_at) });
    const wait = call.status === "queued" && Number.isFinite(this.#wait_s) && queueWords(this.#wait_s);
    const actions = [
      CAN_MOVE.has(call.status) && { label: t(call.scheduled_at ? "call.move" : "call.schedule"), run: () => this.#move() },
      CAN_CANCEL.has(call.status) && { label: t("call.cancel"), run: () => this.#cancel() },
      isOver && { label: t("call.dismiss"), run: () => this.#dismiss() },
    ];
    showPanel(byId("my-call"), {
      title: `${t("call.mine")} ${ticketNumber(call.id)}: ${t(`call.status.${call.status}`) ?? call.status}`,
      text: [when, wait, call.menus.map(({ name }) => name).join(", "), t(call.recording_permitted ? "call.recorded" : "call.notRecorded")].filter(Boolean).join(" · "),
      iconName: "phone",
      actions: actions.filter(Boolean),
    });
  }

  #cancel() {
    return attempt(this.#notice, null, async () => this.#take(await this.#client.cancelCall(this.#call.id)));
  }

  #dismiss() {
    clearTimeout(this.#timer);
    this.#call = null;
    hidePanel(byId("my-call"), byId("lobby-title"));
  }
}

function longTime(iso) {
  return new Intl.DateTimeFormat(language(), { weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit" }).format(new Date(iso));
}

function remembered(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(key, id) {
  try {
    localStorage.setItem(key, String(id));
  } catch {
    // Refused storage: the call is not found again after a reload.
  }
}

function forget(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // It was never kept.
  }
}

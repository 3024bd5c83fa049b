// What is known about the customer, beside the conversation: what the site's server vouches for, what the page said, what was said elsewhere before, and
// what the customer did here. It keeps the site's order, and never shows as certain what anyone could have sent.

import { el, fill, show } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { t } from "../shared/language.js";
import { linkedPicture } from "../shared/messages/media.js";
import { markdownText, safeLink, webAddress } from "../shared/messages/safe-text.js";
import { clockWords, dateWords, plainWords } from "../shared/words.js";

const FLAGS = ["verified_customer", "repeat_customer", "bad_actor"];
/** Fields of a request that have a place of their own, or say nothing to an agent. */
const SHOWN_ELSEWHERE = new Set(["custom_data", "greeting"]);

export class About {
  #root;
  #loadEvents;
  #chat = null;
  #drawn = "";
  #events = [];
  #isReading = false;
  #isStale = false;

  /** `loadEvents(chatId)` resolves with what the end user did. */
  constructor(root, { loadEvents }) {
    this.#root = root;
    this.#loadEvents = loadEvents;
  }

  /** Draws what is known; the same again costs nothing, and leaves open what was opened. */
  show(chat) {
    const isOther = chat.id !== this.#chat?.id;
    this.#chat = chat;
    if (isOther) {
      this.#events = [];
      this.refreshEvents();
    }
    this.#draw(chat);
  }

  /** Reads what the end user did, one reading at a time. What cannot be read is left out. */
  async refreshEvents() {
    this.#isStale = true;
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#isStale) {
      this.#isStale = false;
      const chatId = this.#chat.id;
      const events = await this.#loadEvents(chatId).catch(() => null);
      if (chatId !== this.#chat.id) this.#isStale = true;
      else if (events) this.#events = events;
    }
    this.#isReading = false;
    this.#draw(this.#chat);
  }

  #draw(chat) {
    const { signed, unsigned } = dataOf(chat.custom_data);
    const sections = [
      section("signed", t("about.signed"), rows(signed)),
      section("unsigned", t("about.unsigned"), rows(unsigned)),
      section("request", t("about.request"), rows(requestOf(chat))),
      section("transcript", t("about.transcript"), transcript(chat.external_transcript)),
      section("events", t("about.events"), events(this.#events)),
    ].filter(Boolean);
    const flags = flagBadges(chat);
    // Drawn again only where something changed: a chat's state changes often, and an agent may be reading.
    const drawn = JSON.stringify([chat.id, document.documentElement.lang, chat.custom_data, chat.customer_flags, chat.request, chat.end_user_email, this.#events]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const open = new Set([...this.#root.querySelectorAll("details[open]")].map((details) => details.dataset.section));
    fill(this.#root, flags, sections);
    for (const details of this.#root.querySelectorAll("details")) if (open.has(details.dataset.section)) details.open = true;
    show(this.#root, flags !== null || sections.length > 0);
  }
}

/** `{ signed, unsigned }`, whichever of them the gateway sends. */
function dataOf(data) {
  return { signed: Object(data).signed ?? {}, unsigned: Object(data).unsigned ?? {} };
}

function requestOf(chat) {
  const known = Object.entries(chat.request ?? {}).filter(([key]) => !SHOWN_ELSEWHERE.has(key));
  const email = chat.end_user_email ? [["email", chat.end_user_email]] : [];
  return Object.fromEntries([["lang", chat.lang], ...email, ...known].filter(([, value]) => value !== undefined && value !== null));
}

/** What the reserved keys say. Where only the page said so, the badge says that too. */
export function flagBadges({ customer_flags: flags, customer_flags_signed: signed }) {
  const set = FLAGS.filter((flag) => flags?.[flag] || signed?.[flag]);
  if (set.length === 0) return null;
  return el(
    "ul",
    { class: "flags", "aria-label": t("about.flags") },
    set.map((flag) => {
      const isSigned = signed?.[flag] === true;
      const words = isSigned ? t(`flag.${flag}`) : `${t(`flag.${flag}`)} (${t("flag.unsigned")})`;
      return el("li", { class: `flag is-${flag}${isSigned ? " is-signed" : ""}` }, icon(isSigned ? "shield" : "alert"), words);
    }),
  );
}

function section(name, title, content) {
  return content && el("details", { class: "about-section", data: { section: name } }, el("summary", {}, title), content);
}

/** `{ key: { label, value, type } }` or `{ key: value }`, in the order it came in. */
export function rows(data) {
  const shown = Object.entries(data).flatMap(([key, entry]) => {
    const isEntry = entry !== null && typeof entry === "object";
    const value = isEntry ? entry.value : entry;
    if (!["string", "number", "boolean"].includes(typeof value)) return [];
    return [el("div", {}, el("dt", {}, String((isEntry && entry.label) || plainWords(key))), el("dd", {}, valueNode(value, isEntry ? entry.type : "")))];
  });
  return shown.length > 0 ? el("dl", { class: "custom-data" }, shown) : null;
}

function valueNode(value, type) {
  if (typeof value === "boolean") return t(value ? "form.yes" : "form.no");
  if (type === "date" && Number.isFinite(Number(value))) return dateWords(Number(value));
  if (type === "url" && webAddress(value)) return safeLink(value, String(value));
  return String(value);
}

/** A conversation that was held elsewhere (`external_chat_transfer`): read, never answered. */
function transcript(entries) {
  if (!Array.isArray(entries) || entries.length === 0) return null;
  return el("ol", { class: "transcript" }, entries.map((entry) => el("li", {}, speaker(entry), (Array.isArray(entry.content) ? entry.content : []).map(part))));
}

function speaker({ sender, timestamp }) {
  const time = Date.parse(String(timestamp ?? "").replace(" ", "T"));
  const author = el("span", { class: "author" }, t(sender === "end_user" ? "customer" : "agent"));
  return el("p", { class: "meta" }, author, Number.isNaN(time) ? null : el("time", {}, dateWords(time)));
}

function part(item) {
  if (item?.type === "text") return markdownText(item.text ?? "");
  if (item?.type === "buttons") {
    const taken = () => el("span", { class: "visually-hidden" }, ` ${t("choices.taken")}`);
    const button = ({ label, selected }) => el("li", { class: `choice${selected ? " is-taken" : ""}` }, String(label), selected && taken());
    return el("ul", { class: "choices is-listed" }, (item.buttons ?? []).map(button));
  }
  if (item?.type === "media" && item.media?.type === "image") return linkedPicture(item.media.url, undefined, {});
  return item?.media?.url ? el("p", {}, safeLink(item.media.url, t(`media.${item.media.type === "video" ? "video" : "document"}.unnamed`))) : null;
}

function events(list) {
  if (list.length === 0) return null;
  const words = ({ name, data }) => t(`event.${name}`, data ?? {}) ?? plainWords(name ?? "");
  return el("ol", { class: "events" }, list.map((event) => el("li", {}, el("time", {}, clockWords(event.at_ms)), " ", words(event), detail(event.data))));
}

function detail(data) {
  const values = Object.entries(data ?? {}).filter(([, value]) => ["string", "number"].includes(typeof value));
  return values.length > 0 && el("span", { class: "event-data" }, ` ${values.map(([key, value]) => `${plainWords(key)}: ${value}`).join(", ")}`);
}

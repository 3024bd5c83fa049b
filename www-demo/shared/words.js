// What both pages say about time, waiting, sizes and people, in one voice and in the page's language.

import { language, t } from "./language.js";

/** `0` → "no wait", 95 → "about 2 minutes". Takes seconds, as the gateway gives them. */
export function waitWords(wait_s) {
  if (!Number.isFinite(wait_s) || wait_s < 0) return t("wait.unknown");
  if (wait_s < 5) return t("wait.none");
  const minutes = Math.max(1, Math.round(wait_s / 60));
  return minutes < 60 ? t("wait.minutes", { count: minutes }) : t("wait.hours", { count: Math.round(minutes / 60) });
}

/** The same for somebody who is waiting already: "no wait" would sound like mockery. */
export function queueWords(wait_s) {
  return wait_s < 5 ? t("wait.now") : waitWords(wait_s);
}

/** How long something has lasted, for a list that is looked at in passing. */
export function elapsedWords(elapsed_ms) {
  const minutes = Math.floor(Math.max(0, elapsed_ms) / 60_000);
  if (minutes < 1) return t("elapsed.moment");
  return minutes < 60 ? t("elapsed.minutes", { count: minutes }) : t("elapsed.hours", { count: Math.floor(minutes / 60) });
}

/** Time that is left, as a clock shows it: 65,000 → "1:05". */
export function countdown(left_ms) {
  const seconds = Math.max(0, Math.ceil(left_ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** The time of day of a message, in the reader's time zone unless another is given. Takes a `Date` (the SDK) or milliseconds (the wire). */
export function clockWords(time, timeZone) {
  return inZone(time, { hour: "numeric", minute: "2-digit" }, timeZone);
}

/** Day and time, in the reader's time zone unless another is given. */
export function dateWords(time, timeZone) {
  return inZone(time, { dateStyle: "medium", timeStyle: "short" }, timeZone);
}

function inZone(time, format, timeZone) {
  try {
    return new Intl.DateTimeFormat(language(), { ...format, timeZone }).format(time);
  } catch {
    // A time zone that this browser does not know.
    return new Intl.DateTimeFormat(language(), format).format(time);
  }
}

/** 3,400,000 → "3.4 MB", with the language's own comma. */
export function sizeWords(bytes) {
  const power = bytes < 1_000 ? 0 : bytes < 1_000_000 ? 1 : 2;
  const number = new Intl.NumberFormat(language(), { maximumFractionDigits: power === 2 ? 1 : 0 }).format(bytes / 1000 ** power);
  return `${number} ${["B", "kB", "MB"][power]}`;
}

/** At most two letters that stand for a name. */
export function initials(name) {
  const letters = String(name).split(/\s+/u).filter(Boolean).map((word) => [...word][0]);
  return [letters[0], letters.length > 1 ? letters.at(-1) : ""].join("").toUpperCase();
}

/** The number on the ticket. */
export function ticketNumber(id) {
  return t("ticket.number", { number: String(id).padStart(3, "0") });
}

/** `formRequested` or `va_assigned` → "form requested", "va assigned": for what this page has no words of its own for. */
export function plainWords(identifier) {
  return String(identifier).replace(/([a-z])([A-Z])/gu, "$1 $2").replaceAll("_", " ").toLowerCase().slice(0, 60);
}

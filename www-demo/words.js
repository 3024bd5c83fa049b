// What both pages say about time, waiting and people, in one voice.

/** `0` → "no wait", 95 → "about 2 minutes". Takes seconds, as the gateway gives them. */
export function waitWords(wait_s) {
  if (!Number.isFinite(wait_s) || wait_s < 0) return "waiting time unknown";
  if (wait_s < 5) return "no wait";
  if (wait_s <= 60) return "about 1 minute";
  const minutes = Math.round(wait_s / 60);
  if (minutes < 60) return `about ${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours === 1 ? "about 1 hour" : `about ${hours} hours`;
}

/** The same for somebody who is waiting already: "no wait" would sound like mockery. */
export function queueWords(wait_s) {
  return wait_s < 5 ? "any moment now" : waitWords(wait_s);
}

/** How long something has lasted, for a list that is looked at in passing. */
export function elapsedWords(elapsed_ms) {
  const minutes = Math.floor(Math.max(0, elapsed_ms) / 60_000);
  if (minutes < 1) return "less than a minute";
  if (minutes < 60) return minutes === 1 ? "1 minute" : `${minutes} minutes`;
  const hours = Math.floor(minutes / 60);
  return hours === 1 ? "1 hour" : `${hours} hours`;
}

/** The time of day of a message. Takes a `Date` (the SDK) or milliseconds (the wire). */
export function clockWords(time) {
  return new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" }).format(time);
}

/** At most two letters that stand for a name. */
export function initials(name) {
  const letters = String(name).split(/\s+/u).filter(Boolean).map((word) => [...word][0]);
  return [letters[0], letters.length > 1 ? letters.at(-1) : ""].join("").toUpperCase();
}

/** The number on the ticket. */
export function ticketNumber(id) {
  return `No. ${String(id).padStart(3, "0")}`;
}

/** `formRequested` or `va_assigned` → "form requested", "va assigned": for what this page has no words of its own for. */
export function plainWords(identifier) {
  return String(identifier).replace(/([a-z])([A-Z])/gu, "$1 $2").replaceAll("_", " ").toLowerCase().slice(0, 60);
}

// Proactive triggers: questions that a page asks its visitors. Sees where the visitor is and how often they came, and when a question's conditions hold; the gateway says
// which questions there are and that none is asked twice in a day. Loaded with the first call. Looks at the page's address and touches neither it nor the
// history. Knows the browser, not the end user: visits are counted before anybody signs in.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 1_440 * MINUTE;
/** Who comes back after so long is on another visit. */
const VISIT = 30 * MINUTE;
/** How often the page is looked at. */
const LOOK = SECOND / 2;
/** Between two tries, where the gateway does not answer. */
const PAUSE = MINUTE / 2;

// --- where the visitor is -----------------------------------------------------------------------------------------------------------

const address = () => globalThis.location?.href ?? "";
const withoutHash = (url) => url.replace(/#.*/, "");

/** Since when the page has its address: from its start, if it still has the one that it was loaded from. */
const page = { url: address(), sinceMs: 0 };
const [loaded] = performance.getEntriesByType("navigation");
if (loaded && withoutHash(loaded.name) !== withoutHash(page.url)) page.sinceMs = performance.now();

function lookAtPage() {
  if (page.url === address()) return;
  page.url = address();
  page.sinceMs = performance.now();
}

// --- how often they came ------------------------------------------------------------------------------------------------------------

/** What lasts as long as the page, for each client by its options, which it keeps: what it gave, its watch, and its visits where they cannot be stored. */
const clients = new WeakMap();

function stateOf({ options }) {
  if (!clients.has(options)) clients.set(options, { given: new Map() });
  return clients.get(options);
}

/** The application's storage, the browser's, or none, as the option says. */
function storageOf({ storage }) {
  try {
    return storage === undefined ? localStorage : storage;
  } catch {
    return null;
  }
}

const isCount = (value) => Number.isSafeInteger(value) && value >= 0;

function read(text) {
  try {
    const { visits, seenMs, shown } = JSON.parse(text);
    if (!isCount(visits) || !isCount(seenMs)) return undefined;
    return { visits, seenMs, shown: new Map(Object.entries(shown).filter(([, atMs]) => isCount(atMs))) };
  } catch {
    return undefined;
  }
}

/** Counts this visit, forgets what was shown a day ago, and notes what is shown now. */
function visitor(client, shownNow) {
  const { options } = client;
  const state = stateOf(client);
  const key = `sportello|${options.host ?? location.origin}|${options.companyId}|visits`;
  const storage = storageOf(options);
  let text = state.visits;
  try {
    text = storage?.getItem(key) ?? text;
  } catch {
    // As if it had never been stored.
  }
  const now = Date.now();
  const known = read(text) ?? { visits: 0, seenMs: 0, shown: new Map() };
  // Either way: a clock can be put back.
  const awayMs = Math.abs(now - known.seenMs);
  for (const [id, atMs] of known.shown) if (Math.abs(now - atMs) >= DAY) known.shown.delete(id);
  if (shownNow !== undefined) known.shown.set(shownNow, now);
  if (awayMs > VISIT) known.visits += 1;
  if (awayMs < MINUTE && shownNow === undefined) return known;
  text = JSON.stringify({ visits: known.visits, seenMs: now, shown: Object.fromEntries(known.shown) });
  state.visits = text;
  try {
    storage?.setItem(key, text);
    if (storage) state.visits = undefined;
  } catch {
    // It is remembered.
  }
  return known;
}

// --- whether conditions hold --------------------------------------------------------------------------------------------------------

function holds({ conditions }, { visits }) {
  const url = page.url.toLowerCase();
  const hasOne = (words) => words.some((word) => url.includes(word.toLowerCase()));
  return (
    (conditions.url_contains.length === 0 || hasOne(conditions.url_contains)) &&
    !hasOne(conditions.url_excludes) &&
    performance.now() - page.sinceMs >= conditions.time_on_page_ms &&
    (conditions.visitor == null || (conditions.visitor === "new") === (visits === 1)) &&
    visits >= conditions.min_visits &&
    (conditions.max_visits === 0 || visits <= conditions.max_visits)
  );
}

/** From now on it was asked, whether by this page or by another. */
const asked = (client, { id }) => visitor(client, id);

function given(client, trigger) {
  stateOf(client).given.set(trigger.id, trigger);
  return trigger;
}

// --- the calls ----------------------------------------------------------------------------------------------------------------------

const isText = (value) => typeof value === "string";
const isTexts = (value) => Array.isArray(value) && value.every(isText);

/** What a newer gateway says in a way that is not understood here is left out. */
const isReadable = (trigger) =>
  isText(trigger?.id) && isTexts(trigger.conditions?.url_contains) && isTexts(trigger.conditions.url_excludes);

/** `getTrigger`: what is made of the gateway's answer. */
export function current(client, answer) {
  return find(client, answer.triggers.filter(isReadable));
}

async function find(client, triggers) {
  lookAtPage();
  const who = visitor(client);
  for (const trigger of stateOf(client).given.values()) if (holds(trigger, who)) return trigger;
  for (const trigger of triggers) {
    if (who.shown.has(trigger.id) || !holds(trigger, who)) continue;
    const { run } = await client.call("countTrigger", [trigger.id]);
    asked(client, trigger);
    if (run) return given(client, trigger);
  }
  return null;
}

/** `runTrigger`: what is made of the gateway's answer. Watches until the client is closed or `signal` says so; a later call takes its place. */
export function watch(client, answer, cb, signal) {
  const triggers = answer.triggers.filter(isReadable);
  const state = stateOf(client);
  state.stop?.();
  const controller = new AbortController();
  state.stop = () => controller.abort();
  signal?.addEventListener("abort", state.stop);
  if (!signal?.aborted) go(client, triggers, cb, controller.signal, signal);
}

async function go(client, left, cb, stopped, signal) {
  while (left.length > 0) {
    let trigger;
    try {
      trigger = await client.call("attachTriggers", [client, left, stopped]);
      if (!trigger) return;
      const { run } = await client.call("countTrigger", [trigger.id]);
      asked(client, trigger);
      if (run && !stopped.aborted) tell(cb, given(client, trigger));
    } catch ({ code, retryable }) {
      if (stopped.aborted || code === "closed" || code === "internal") return;
      // Who the visitor is now has other triggers.
      if (code === "identity_changed") return void client.call("runTrigger", Object.assign([cb, { signal }], { client })).catch(() => {});
      if (retryable) {
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
        continue;
      }
      if (!trigger) return;
    }
    left = left.filter((other) => other !== trigger);
  }
}

function tell(cb, trigger) {
  try {
    cb(trigger);
  } catch (error) {
    reportError(error);
  }
}

/** The plan of `attachTriggers`: there when one of them holds, or the watch is over. Nothing is asked of the gateway. */
export function plan([client, triggers, stopped], signal) {
  return new Promise((resolve) => {
    let timer;
    let isOver = signal.aborted || stopped.aborted;
    const end = (trigger) => {
      isOver = true;
      clearInterval(timer);
      resolve({ finish: () => trigger });
    };
    const look = () => {
      lookAtPage();
      const who = visitor(client);
      const trigger = triggers.find((trigger) => !who.shown.has(trigger.id) && holds(trigger, who));
      if (trigger) end(trigger);
    };
    if (isOver) return end();
    look();
    if (!isOver) timer = setInterval(look, LOOK);
    for (const ends of [stopped, signal]) ends.addEventListener("abort", () => end());
  });
}

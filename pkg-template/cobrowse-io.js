// Screen share by Cobrowse.io, for sites that give `cobrowse.license`: drives the SDK of Cobrowse.io that the site itself loads (the global `CobrowseIO`) behind the methods
// and events of our own screen share. Fetches nothing, and knows of that SDK only what its published declarations (3.28.6) and documentation say. Records nothing: what is
// shared, and how it is kept from the agent's eyes, is Cobrowse.io's, by the options passed on. Ends no session without being asked to.

/** @typedef {import("cobrowse-sdk-js").CobrowseIO} CobrowseIO */
/** @typedef {NonNullable<CobrowseIO["currentSession"]>} Session */
/** @typedef {{ session: Session, state: ReturnType<Session["state"]>, denied?: boolean }} Seen The session that there is, the last state that the chat was told of, and a no. */

/** A script that loads at the same time as the page. */
const GLOBAL_MS = 5_000;
const LOOK_MS = 100;
/** The SDK's own requests. The snippet's `client()` never settles where its script cannot be loaded. */
const ANSWER_MS = 20_000;

/** Our dialogs and controls: what an agent does not see, an agent with remote control does not answer. */
const OURS = "[data-sportello-screen]";

const HOW =
  "Cobrowse.io is not on this page: load its SDK so that the global `CobrowseIO` is there, by its snippet (https://docs.cobrowse.io/sdk-installation/web) or with " +
  "`window.CobrowseIO = CobrowseIO` after importing it, and leave `start()` to this client.";

const refuse = (code, message) => {
  throw Object.assign(new Error(message), { code });
};

/** What is asked of the SDK: its errors may show anything, and stay here. */
async function answer(what, ask) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject("late"), ANSWER_MS);
  });
  try {
    return await Promise.race([ask(), late]);
  } catch (error) {
    return error === "late" ? refuse("timeout", `Cobrowse.io did not ${what} in time.`) : refuse("unavailable", `Cobrowse.io could not ${what}.`);
  } finally {
    clearTimeout(timer);
  }
}

/** For what nobody waits for: whoever is told reports its own failures. */
async function quietly(work) {
  try {
    await work();
  } catch {
    // Nothing hangs on it.
  }
}

/** @returns {Promise<CobrowseIO>} Asked anew each time: sites load the script when they please. */
async function loaded() {
  const there = () => typeof globalThis.CobrowseIO?.client === "function";
  for (let waitedMs = 0; !there() && waitedMs < GLOBAL_MS; waitedMs += LOOK_MS) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  if (!there()) refuse("unavailable", HOW);
  /** @type {CobrowseIO} */
  const sdk = await answer("load", () => globalThis.CobrowseIO.client());
  return typeof sdk?.start === "function" ? sdk : refuse("unavailable", HOW);
}

/** @param {CobrowseIO} sdk Only what the site gave is set: the rest may be the site's own. */
function pass(sdk, { license, api, trustedOrigins, capabilities, registration, redactedViews, unredactedViews }) {
  if (license != null) sdk.license = license;
  if (api != null) sdk.api = api;
  if (trustedOrigins != null) sdk.trustedOrigins = [...trustedOrigins];
  if (capabilities != null) sdk.capabilities = [...capabilities];
  if (registration != null) sdk.registration = registration;
  if (redactedViews != null) sdk.redactedViews = [...redactedViews];
  if (unredactedViews != null) sdk.unredactedViews = [...unredactedViews];
}

function checked(customData) {
  const entries = customData == null ? [] : typeof customData === "object" ? Object.entries(customData) : [["", null]];
  if (!entries.every(([, value]) => typeof value === "string")) refuse("invalid_argument", "customData must be an object with a string for each key.");
  return entries;
}

const isOver = (session) => !session || session.isEnded();

function nameOf(session) {
  const agent = session?.agent();
  return agent && typeof agent.name === "string" ? agent.name : undefined;
}

/** The declarations name no id. There is one session at a time, and `session.loaded` begins it. */
const isSame = (one, other) => one === other || (one && other && one.code() !== undefined && one.code() === other.code());

/** Of Cobrowse.io's reasons those that a page may give the gateway; the others are no fault of the page. */
const REASONS = { device_ended: "device_ended", pending_timeout: "failed", authorizing_timeout: "failed" };

/**
 * What `screen-share.js` asks of either provider. `tell(step)` says in the chat what became of a session: `{ status: "pending", code, lang, customData }`,
 * `{ status: "authorizing", from }`, `{ status: "active" }`, `{ status: "ended", reason }`. `emit` gets `loaded`, `updated` or `ended`, and the session as Cobrowse.io has it.
 */
export function createProvider({ options, dialogs, emit, tell }) {
  /** @type {CobrowseIO | null} */
  let sdk = null;
  /** @type {Promise<CobrowseIO> | null} */
  let starting = null;
  /** @type {Session | null} What `start` created: nobody may have joined it yet. */
  let created = null;
  /** @type {Seen | null} */
  let seen = null;
  /** @type {Session | null} */
  let ended = null;
  /** The session that there is was there before: the chat knows of it. */
  let continuing = false;
  let disposed = false;
  /** Grows with each end: what was asked for before is not wanted any more. */
  let generation = 0;
  let turn = Promise.resolve();
  let data = [];
  let controls = false;
  const questions = new Set();

  const withdraw = () => questions.forEach((question) => question.abort());
  function hideControls() {
    controls = false;
    dialogs.hideControls();
  }

  const alive = () => disposed && refuse("closed", "The screen share was closed.");

  // --- what the SDK reports ---------------------------------------------------------------------------------------------------------

  /** @param {Session} session */
  function notice(session) {
    if (seen && isSame(seen.session, session)) return;
    if (seen) close(seen, "replaced");
    seen = { session, state: continuing ? session.state() : "pending" };
    emit("loaded", session);
  }

  /** Once for each state. @param {Seen} was */
  function step(was, state, more = {}) {
    if (was.state === state || was.state === "ended") return;
    was.state = state;
    void quietly(() => tell({ status: state, ...more }));
  }

  /** @param {Seen} was @param {string} [reason] */
  function close(was, reason = was.session.endedReason()) {
    seen = null;
    created = null;
    ended = was.session;
    withdraw();
    hideControls();
    emit("ended", was.session);
    const known = was.denied ? "denied" : REASONS[reason] ?? (was.state === "active" || reason !== undefined ? undefined : "failed");
    step(was, "ended", known && { reason: known });
  }

  const reports = {
    /** @param {Session} session */
    "session.loaded"(session) {
      if (!session.isEnded()) notice(session);
    },
    /** @param {Session} session */
    "session.updated"(session) {
      if (session.isEnded()) return reports["session.ended"](session);
      if (!seen) notice(session);
      emit("updated", session);
      if (!seen) return;
      if (session.isAuthorizing()) step(seen, "authorizing", { from: "agent" });
      if (session.isActive() && !seen.denied) step(seen, "active");
    },
    /** @param {Session} session */
    "session.ended"(session) {
      if (isSame(ended, session)) return;
      // Of one that was never seen the chat was told nothing.
      const was = seen ?? { session, state: "ended" };
      was.session = session;
      close(was);
    },
  };

  // --- what the SDK asks ------------------------------------------------------------------------------------------------------------

  /** Consent is a clear yes: a dialog that fails or goes away is a no. */
  async function ask(kind) {
    const question = new AbortController();
    questions.add(question);
    let allowed = false;
    try {
      allowed = (await dialogs.confirm(kind, { signal: question.signal })) === true;
    } catch {
      // Not allowed.
    } finally {
      questions.delete(question);
    }
    if (question.signal.aborted) return false;
    if (kind === "session" && !allowed) deny();
    return allowed;
  }

  /** The SDK hears of it first, and ends the session. Whatever it does: this one does not go on. */
  function deny() {
    if (!seen && !isOver(sdk?.currentSession)) notice(sdk.currentSession);
    const was = seen;
    if (!was) return;
    was.denied = true;
    setTimeout(() => {
      if (seen !== was) return;
      step(was, "ended", { reason: "denied" });
      if (!was.session.isEnded()) void quietly(() => was.session.end());
    });
  }

  const hooks = {
    confirmSession: () => ask("session"),
    confirmRemoteControl: () => ask("remoteControl"),
    confirmFullDevice: () => ask("fullDevice"),
    async showSessionControls() {
      const session = sdk?.currentSession ?? seen?.session;
      controls = true;
      dialogs.showControls({ onEnd: () => void quietly(end), agentName: nameOf(session) });
    },
    async hideSessionControls() {
      hideControls();
    },
  };
  const before = {};

  function attach() {
    pass(sdk, options);
    sdk.ignoredViews = [...(sdk.ignoredViews ?? []).filter((view) => view !== OURS), OURS];
    for (const [event, report] of Object.entries(reports)) sdk.on(event, report);
    before.confirmSession = sdk.confirmSession;
    before.confirmRemoteControl = sdk.confirmRemoteControl;
    before.confirmFullDevice = sdk.confirmFullDevice;
    before.showSessionControls = sdk.showSessionControls;
    before.hideSessionControls = sdk.hideSessionControls;
    Object.assign(sdk, hooks);
  }

  /** Whatever the site put in the place of ours since stays. */
  function detach() {
    if (!sdk) return;
    for (const [event, report] of Object.entries(reports)) sdk.removeListener(event, report);
    for (const [name, hook] of Object.entries(hooks)) if (sdk[name] === hook) sdk[name] = before[name];
    identify([]);
    sdk.ignoredViews = sdk.ignoredViews.filter((view) => view !== OURS);
    sdk = null;
    starting = null;
  }

  /** Ours stand beside the site's own, and go with the next. */
  function identify(entries) {
    const others = { ...sdk.customData };
    for (const [key, value] of data) if (others[key] === value) delete others[key];
    if (data.length + entries.length > 0) sdk.customData = { ...others, ...Object.fromEntries(entries) };
    data = entries;
  }

  /** @param {CobrowseIO} found */
  async function begin(found, entries = undefined) {
    alive();
    if (sdk !== found) {
      detach();
      sdk = found;
      continuing = !isOver(found.currentSession);
      attach();
    }
    if (entries) identify(entries);
    starting ??= answer("start", () => found.start());
    try {
      await starting;
    } catch (error) {
      starting = null;
      throw error;
    }
    alive();
    if (continuing && !isOver(found.currentSession)) notice(found.currentSession);
    continuing = false;
    return found;
  }

  /** One after the other: they share the SDK's custom data. */
  function inTurn(work) {
    const mine = turn.then(work);
    turn = mine.then(() => {}, () => {});
    return mine;
  }

  const wanted = (mine) => {
    alive();
    if (mine !== generation) refuse("aborted", "The screen share was ended before it began.");
  };

  // --- what the coordinator asks ----------------------------------------------------------------------------------------------------

  /** A code that the agent types into Cobrowse.io. `lang` is for the chat alone: no way to tell Cobrowse.io a language is published. */
  function createCode(lang = undefined, customData = undefined) {
    return inTurn(async () => {
      alive();
      const entries = checked(customData);
      const mine = generation;
      const found = await begin(await loaded(), entries);
      wanted(mine);
      const code = await answer("create a code", () => found.createSessionCode());
      if (typeof code !== "string" || code === "") refuse("unavailable", "Cobrowse.io gave no code.");
      try {
        wanted(mine);
        await tell({ status: "pending", code, lang, customData });
      } catch (error) {
        if (found.currentSession?.code() === code) await quietly(() => found.currentSession.end());
        throw error;
      }
      return code;
    });
  }

  /** A session whose code the agent reads in the chat, whoever asked for it: none begins without one. Where that cannot be told, nobody needs the session. */
  function start() {
    return inTurn(async () => {
      alive();
      const mine = generation;
      const found = await begin(await loaded());
      wanted(mine);
      const session = await answer("create a session", () => found.createSession());
      try {
        wanted(mine);
        const code = session.code();
        if (typeof code !== "string" || code === "") refuse("unavailable", "Cobrowse.io gave no code.");
        notice(session);
        created = session;
        await tell({ status: "pending", code });
      } catch (error) {
        await quietly(() => session.end());
        throw error;
      }
    });
  }

  /** The session of the page before, if there is one. Starts nothing where there is none: starting tells Cobrowse.io of the visitor. */
  function restore() {
    return inTurn(async () => {
      alive();
      const found = await loaded();
      alive();
      if (isOver(found.currentSession)) return null;
      await begin(found);
      return isOver(found.currentSession) ? null : found.currentSession;
    });
  }

  /** Ends the session that there is, and the one that waits for an agent. */
  async function end() {
    generation += 1;
    withdraw();
    const sessions = new Set([created, sdk?.currentSession, seen?.session]);
    const open = [...sessions].filter((session) => !isOver(session));
    await Promise.all(open.map((session) => answer("end the session", () => session.end())));
  }

  /** Leaves the SDK as it was found. A session goes on, for the next page to restore; until then the SDK's own controls end it. */
  function dispose() {
    const left = sdk;
    disposed = true;
    generation += 1;
    withdraw();
    detach();
    if (!controls) return;
    hideControls();
    if (!isOver(left?.currentSession)) void quietly(() => left.showSessionControls());
  }

  return { createCode, start, restore, end, dispose };
}

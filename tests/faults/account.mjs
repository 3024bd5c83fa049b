// The account of a schedule: compares what every tab did and heard with what the gateway stored. Knows nothing of how it came about, and
// accepts nothing that the product does not promise (PRODUCT.md, "What listeners see", "What a send means").

/** The codes of `index.d.ts` with which a send may be given up. */
const GIVEN_UP = new Set(["timeout", "aborted", "chat_ended", "closed", "identity_changed", "no_chat", "file_lost"]);

/**
 * `lives` are `{ life, slot, alive, notes, summary? }` in the order of their births; `agent` is `[{ id, index }]` in the order in which the
 * agent sent; `store` are the messages as the gateway has them, pictures with their `digest`. Gives the counts and a list of `{ kind, text }`, empty where all is well.
 */
export function account({ lives, agent, store }) {
  const problems = [];
  const say = (kind, text) => problems.push({ kind, text });
  const byIndex = new Map(store.map((message) => [message.$index, message]));
  const byId = storedById(store, say);
  const sends = sendsOf(lives, say);
  for (const [id] of byId) if (!sends.has(id) && !agent.some((sent) => sent.id === id)) say("other", `${id} is stored but was never sent`);
  for (const send of sends.values()) checkSend(send, byId, byIndex, say);
  checkOrder(sends, byId, say);
  checkAgent(agent, byId, say);
  for (const life of lives) checkLife(life, { byIndex, last: store.length }, say);

  const outcomes = [...sends.values()];
  const of = (kind) => problems.filter((problem) => problem.kind === kind).length;
  return {
    problems,
    counts: {
      sent: outcomes.length + agent.length,
      acknowledged: outcomes.filter(({ outcome }) => outcome?.kind === "sent").length + agent.length,
      gaveUp: outcomes.filter(({ outcome }) => outcome?.kind === "rejected").length,
      outlived: outcomes.filter(({ outcome }) => !outcome).length,
      stored: store.length,
      heard: lives.reduce((sum, { notes }) => sum + notes.filter(({ kind }) => kind === "message").length, 0),
      lost: of("lost"),
      repeated: of("repeated"),
      misordered: of("misordered"),
      other: of("other"),
    },
  };
}

const idOf = ({ type, content, media, $userType }) => {
  if ($userType !== "end_user" && $userType !== "agent") return null;
  return type === "text" ? content.split(" ", 1)[0] : (media?.name?.split(".", 1)[0] ?? null);
};

function storedById(store, say) {
  const byId = new Map();
  const sids = new Set();
  store.forEach((message, at) => {
    if (message.$index !== at + 1) say("lost", `the store has ${message.$index} where ${at + 1} belongs`);
    if (sids.has(message.$sid)) say("repeated", `the store has ${message.$sid} twice`);
    sids.add(message.$sid);
    const id = idOf(message);
    if (id === null) return;
    if (byId.has(id)) say("repeated", `${id} is stored at ${byId.get(id).$index} and at ${message.$index}`);
    else byId.set(id, message);
  });
  return byId;
}

/** Every send of every tab with its outcome: `sent` or `rejected`; none where its page was gone first. */
function sendsOf(lives, say) {
  const sends = new Map();
  for (const { life, slot, alive, notes } of lives) {
    for (const note of notes) {
      if (note.kind === "send") {
        sends.set(note.id, { id: note.id, slot, life, alive, digest: note.digest });
      } else if (note.kind === "sent" || note.kind === "rejected") {
        const send = sends.get(note.id);
        if (send.outcome) say("other", `${note.id} was settled twice`);
        send.outcome = note;
      }
    }
  }
  for (const { life, notes } of lives) {
    for (const { kind, state, id } of notes) {
      // Another page gave up what one left that is gone; no promise is there to reject.
      const send = kind === "delivery" && state === "failed" ? sends.get(id) : undefined;
      if (send && send.life !== life) send.givenUpElsewhere = true;
    }
  }
  return sends;
}

function checkSend({ id, life, alive, digest, outcome, givenUpElsewhere }, byId, byIndex, say) {
  const stored = byId.get(id);
  if (stored && digest !== stored.digest) say("lost", `${life}: ${id} is stored with other bytes`);
  if (outcome?.kind === "rejected") {
    if (!outcome.typed || !GIVEN_UP.has(outcome.code)) say("other", `${life}: ${id} was rejected with ${outcome.code}, typed: ${outcome.typed}`);
    return;
  }
  if (outcome?.kind === "sent") {
    if (!stored) say("lost", `${life}: ${id} was acknowledged and is not stored`);
    else if (outcome.index !== null && outcome.index !== stored.$index) {
      say("misordered", `${life}: ${id} was acknowledged at ${outcome.index} and is stored at ${stored.$index} (there: ${idOf(byIndex.get(outcome.index) ?? { type: "" })})`);
    }
    return;
  }
  if (alive) say("lost", `${life}: ${id} was never settled`);
  if (!stored && !givenUpElsewhere) say("lost", `${life}: ${id} was left by its page and never stored`);
}

/** What one tab sent is stored in the order in which it was sent; what was given up may be missing or late. */
function checkOrder(sends, byId, say) {
  const newest = new Map();
  for (const { id, slot, outcome, givenUpElsewhere } of sends.values()) {
    const index = byId.get(id)?.$index;
    if (index === undefined || outcome?.kind === "rejected" || givenUpElsewhere) continue;
    const before = newest.get(slot);
    if (before && before.index > index) say("misordered", `${id} is stored at ${index}, before ${before.id} at ${before.index}`);
    newest.set(slot, { id, index });
  }
}

function checkAgent(agent, byId, say) {
  let before = 0;
  for (const { id, index } of agent) {
    const stored = byId.get(id);
    if (!stored) say("lost", `the agent's ${id} was acknowledged and is not stored`);
    else if (stored.$index !== index) say("misordered", `the agent's ${id} was acknowledged at ${index} and is stored at ${stored.$index}`);
    if (index <= before) say("misordered", `the agent's ${id} is stored at ${index}, not after ${before}`);
    before = index;
  }
}

/** What one page's listeners heard, from its chat on. */
function checkLife({ life, alive, notes, summary }, { byIndex, last }, say) {
  const main = { shown: null, fetching: new Map() };
  const others = new Map();
  for (const note of notes) {
    switch (note.kind) {
      case "loaded":
        if (note.chatId === null) say("lost", `${life}: no ongoing chat was found`);
        main.shown = note.lastIndex ?? 0;
        break;
      case "message":
        checkHeard(note, main, { life, byIndex }, say);
        for (const other of others.values()) other.due.push(note.index);
        break;
      case "listen":
        others.set(note.number, { due: [], heard: [] });
        break;
      case "heard":
        others.get(note.number).heard.push(note.index);
        break;
      case "fetch":
        main.fetching.set(note.number, main.heard ?? 0);
        break;
      case "fetchFailed":
        if (!note.typed) say("other", `${life}: fetchMessages rejected with ${note.code}`);
        main.fetching.delete(note.number);
        break;
      case "fetched":
        checkFetched(note, main, { life, byIndex }, say);
        break;
      case "resumeFailed":
        if (!note.typed) say("other", `${life}: resumeChat rejected with ${note.code}`);
        break;
      case "delivery":
        checkDelivery(note, { life, byIndex }, say);
        break;
      case "event":
        if (note.event.startsWith("error") && !note.typed) say("other", `${life}: an untyped ${note.event}`);
        if (note.event === "error protocol" || note.event === "error internal") say("other", `${life}: ${note.event}`);
        break;
      default:
    }
  }
  for (const [number, { due, heard }] of others) {
    // The page may have gone between two listeners.
    const wanted = alive ? due : due.slice(0, Math.max(heard.length, due.length - 1));
    if (heard.join() !== wanted.join()) say(heard.length > wanted.length ? "repeated" : "lost", `${life}: listener ${number} heard ${heard} instead of ${wanted}`);
  }
  if (!alive) return;
  if (main.shown === null) say("lost", `${life}: never loaded the chat`);
  else if (main.shown < last) say("lost", `${life}: heard nothing after ${main.shown} of ${last}`);
  const { indexes } = summary;
  if (indexes.some((index, at) => at > 0 && index !== indexes[at - 1] + 1)) say("misordered", `${life}: client.messages holds ${indexes}`);
  if (indexes.length > 0 && indexes.at(-1) !== last) say("lost", `${life}: client.messages ends at ${indexes.at(-1)} of ${last}`);
  if (summary.outbox + summary.stored > 0) say("other", `${life}: ${summary.outbox} in the outbox and ${summary.stored} in storage at rest`);
}

function checkHeard(note, main, { life, byIndex }, say) {
  if (main.shown === null) return say("other", `${life}: heard ${note.index} before there was a chat`);
  if (note.index <= main.shown) say("repeated", `${life}: heard ${note.index} after ${main.shown}`);
  else if (note.index > main.shown + 1) say("lost", `${life}: heard ${note.index} after ${main.shown}`);
  const stored = byIndex.get(note.index);
  if (stored?.$sid !== note.sid) say("misordered", `${life}: heard ${note.sid} (${note.id}) at ${note.index}, where ${stored?.$sid} is stored`);
  main.shown = Math.max(main.shown, note.index);
  main.heard = (main.heard ?? 0) + 1;
  return undefined;
}

function checkFetched({ number, list }, main, { life, byIndex }, say) {
  const heardBefore = main.fetching.get(number);
  main.fetching.delete(number);
  // Empty is how a failure is told.
  if (list.length === 0) return;
  if (heardBefore !== (main.heard ?? 0)) say("misordered", `${life}: messages were heard while fetch ${number} was in flight`);
  list.forEach(([index, sid], at) => {
    if (index !== at + 1) say("lost", `${life}: fetch ${number} has ${index} where ${at + 1} belongs`);
    else if (byIndex.get(index)?.$sid !== sid) say("misordered", `${life}: fetch ${number} has ${sid} at ${index}`);
  });
  if (list.length < main.shown) say("lost", `${life}: fetch ${number} ends at ${list.length}, and ${main.shown} was heard`);
  main.shown = Math.max(main.shown, list.at(-1)[0]);
}

function checkDelivery({ id, clientId, state, index, typed, code }, { life, byIndex }, say) {
  if (state === "failed" && !typed) say("other", `${life}: delivery of ${id} failed with ${code}`);
  if (state !== "sent") return;
  const stored = byIndex.get(index);
  if (stored?.client_id !== clientId) say("misordered", `${life}: ${id} was delivered at ${index}, where another message is stored`);
  else if (id !== null && idOf(stored) !== id) say("misordered", `${life}: ${id} was delivered as ${idOf(stored)}`);
}

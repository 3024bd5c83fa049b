// The page that shows the customer's page, in a frame of the desk. It has a content security policy of its own, under which nothing can be fetched; batches of
// the recording come through a message port, and places of the pointer go back through it. It asks for nothing, stores nothing, and knows neither the chat
// nor the agent.

import { createReplay, unpack } from "../pkg/screen-replay.js";

/** Batches that wait to be unpacked; beyond it the view asks for a fresh start instead of falling behind for ever. */
const MAX_WAITING = 200;
/** A fresh start costs the customer's page something: the waits between two of them grow. */
const RESYNC_FIRST_MS = 1_000;
const RESYNC_MOST_MS = 60_000;
/** How long a picture must have stood before its trouble counts as over. */
const PROVED_MS = 30_000;
const PRESS_MS = 200;
/** rrweb's numbers for the events that a whole page begins with. */
const META = 4;
const FULL_SNAPSHOT = 2;

const marker = document.getElementById("marker");
let port = null;
let size = null;
/** Batches on their way to the picture, one after the other. */
let work = Promise.resolve();
let waiting = 0;
/** The recording that is being shown, and the number of its last batch. */
let epoch = Number.NEGATIVE_INFINITY;
let seq = 0;
/** Whether a part of it is missing: only a whole page helps then. */
let isLost = true;
/** Where the agent's pointer is in the customer's viewport. */
let place = null;
let resyncTimer = 0;
let resyncDelay_ms = RESYNC_FIRST_MS;
let provedTimer = 0;

const replay = createReplay({
  root: document.getElementById("view"),
  onReady(isReady) {
    if (!isReady) leave();
    clearTimeout(provedTimer);
    if (isReady) {
      clearTimeout(resyncTimer);
      resyncTimer = 0;
      provedTimer = setTimeout(() => (resyncDelay_ms = RESYNC_FIRST_MS), PROVED_MS);
    }
    tell({ type: "state", state: isReady ? "live" : "loading" });
  },
  onSize(newest) {
    size = newest;
    drawMarker();
    tell({ type: "size", ...newest });
  },
  onBroken(reason) {
    tell({ type: "state", state: reason === "too_large" ? "partial" : "broken" });
    if (reason !== "too_large") askForResync();
  },
});

addEventListener("message", (event) => {
  if (port || event.source !== parent || event.origin !== location.origin || event.data?.type !== "sportello.replay") return;
  [port] = event.ports;
  port.addEventListener("message", ({ data }) => take(data));
  port.start();
  tell({ type: "state", state: "loading" });
});

function take(message) {
  switch (message.type) {
    case "batch":
      return takeBatch(message);
    case "point":
      return point(replay.toCustomer(message.x, message.y), message.down);
    case "step":
      return step(message);
    case "press":
      return press();
    case "leave":
      return leave();
    case "resync":
      return askForResync();
  }
}

function takeBatch({ epoch, seq, bytes }) {
  if (waiting >= MAX_WAITING) return askForResync();
  waiting += 1;
  work = work.then(async () => {
    try {
      await show(epoch, seq, bytes);
    } finally {
      waiting -= 1;
    }
  });
}

async function show(newEpoch, newSeq, bytes) {
  if (newEpoch < epoch || (newEpoch === epoch && newSeq <= seq)) return;
  const isNext = newEpoch > epoch ? newSeq === 1 : newSeq === seq + 1;
  epoch = newEpoch;
  seq = newSeq;
  let events;
  try {
    events = await unpack(bytes);
  } catch (error) {
    tell({ type: "state", state: error.code === "too_large" ? "too_large" : "broken" });
    return askForResync();
  }
  if (!isNext) isLost = true;
  if (isNext && newSeq === 1) isLost = false;
  const from = isLost ? events.findIndex((event) => event?.type === META || event?.type === FULL_SNAPSHOT) : 0;
  if (from === -1) return askForResync();
  isLost = false;
  replay.push(newEpoch, events.slice(from));
}

/** Has the customer's page begin afresh, soon and not too often. */
function askForResync() {
  if (resyncTimer) return;
  resyncTimer = setTimeout(() => {
    resyncTimer = 0;
    tell({ type: "resync" });
  }, resyncDelay_ms);
  resyncDelay_ms = Math.min(resyncDelay_ms * 2, RESYNC_MOST_MS);
}

// --- the agent's pointer ------------------------------------------------------------------------------------------------------------

function point(at, down) {
  if (!at) return leave();
  place = at;
  marker.hidden = true;
  tell({ type: "pointer", ...at, down: down === true });
}

/** Moves the pointer from where it is, first from the middle, and shows it: there is no mouse to be seen. */
function step({ dx, dy }) {
  if (!size) return;
  const from = place ?? { x: Math.floor(size.width / 2), y: Math.floor(size.height / 2) };
  const within = (value, most) => Math.min(Math.max(value, 0), most - 1);
  place = { x: within(from.x + dx, Math.floor(size.width)), y: within(from.y + dy, Math.floor(size.height)) };
  marker.hidden = false;
  drawMarker();
  tell({ type: "pointer", ...place, down: false });
}

/** A click with a key: down, and up again after a while. */
function press() {
  if (!place) return;
  tell({ type: "pointer", ...place, down: true });
  setTimeout(() => place && tell({ type: "pointer", ...place, down: false }), PRESS_MS);
}

function leave() {
  if (!place) return;
  place = null;
  marker.hidden = true;
  tell({ type: "pointer_left" });
}

function drawMarker() {
  const at = place && replay.toWindow(place.x, place.y);
  if (!at) return;
  marker.style.left = `${at.clientX}px`;
  marker.style.top = `${at.clientY}px`;
}

function tell(message) {
  port?.postMessage(message);
}

// What a page sends while it is shared: the recorder's events in batches, each sent until the gateway has it, and what comes back: whether anybody looks,
// and where the agent points. Keeps little: where the network does not keep up, what waits is dropped and the picture begins anew.
import { record } from "./screen-recorder.js";

/** What may wait, in characters of JSON. A picture of the page alone may be longer. */
const MOST_WAITING = 4_000_000;
/** A pointer that is not heard of is taken away. */
const SILENCE_MS = 5_000;

let lastEpoch = 0;

/** Compressed as the gateway wants it. */
async function packed(json) {
  const stream = new Blob([json]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Blob([await new Response(stream).arrayBuffer()], { type: "application/octet-stream" });
}

/**
 * Begins to record. `send(query, body)` resolves to the gateway's answer, however long that takes, and rejects where nothing can be sent any more, which
 * `failed` is told, as what goes wrong here. Throws where the recorder refuses its options.
 */
export function openStream({ options, name, hasPointer, root }, send, failed) {
  // Grows even where the clock was put back.
  const epoch = (lastEpoch = Math.max(Date.now(), lastEpoch + 1));
  let seq = 0;
  let waiting = [];
  let size = 0;
  let isBehind = false;
  let isSending = false;
  let isPaused = false;
  let isOver = false;
  let pointer;
  let silence;

  const fail = (error) => {
    if (isOver) return;
    stop();
    failed(error);
  };
  const recorder = record({
    redactedViews: options.redactedViews ?? [],
    unredactedViews: options.unredactedViews ?? [],
    emit(events) {
      if (isOver || isBehind || events.length === 0) return;
      const text = JSON.stringify(events).slice(1, -1);
      if (size > 0 && size + text.length > MOST_WAITING) {
        isBehind = true;
        waiting = [];
        size = 0;
        return;
      }
      waiting.push(text);
      size += text.length;
      go();
    },
    onError: fail,
  });

  async function go() {
    if (isSending) return;
    isSending = true;
    try {
      while (waiting.length > 0 && !isOver) {
        const json = `[${waiting.join(",")}]`;
        waiting = [];
        size = 0;
        seq += 1;
        hear(await send(`epoch=${epoch}&seq=${seq}`, await packed(json)));
        if (!isBehind || isOver) continue;
        isBehind = false;
        recorder.resync();
      }
    } catch (error) {
      fail(error);
    } finally {
      isSending = false;
    }
  }

  function hear({ viewers, resync, signals = [] }) {
    if (isOver) return;
    const wasPaused = isPaused;
    isPaused = viewers === 0;
    if (isPaused !== wasPaused) isPaused ? recorder.pause() : recorder.resume();
    // Going on begins with the whole picture.
    const isAsked = resync || signals.some(({ type }) => type === "resync");
    if (isAsked && !isPaused && !wasPaused) recorder.resync();
    if (isPaused) return hidePointer();
    if (hasPointer) for (const signal of signals) point(signal);
  }

  function point({ type, x, y, down }) {
    if (type === "pointer_left") hidePointer();
    if (type !== "pointer" || !Number.isFinite(x) || !Number.isFinite(y)) return;
    pointer ??= import("./screen-pointer.js").then(({ createPointer }) => createPointer({ name, root }));
    // A pointer that could not be loaded is tried again with its next move.
    pointer.then((shown) => !isOver && shown.move(x, y, down === true), () => (pointer = undefined));
    clearTimeout(silence);
    silence = setTimeout(hidePointer, SILENCE_MS);
  }

  function hidePointer() {
    clearTimeout(silence);
    pointer?.then((shown) => shown.leave(), () => {});
  }

  function stop() {
    if (isOver) return;
    isOver = true;
    waiting = [];
    clearTimeout(silence);
    recorder.stop();
    pointer?.then((shown) => shown.dispose(), () => {});
  }

  return { hear, stop };
}

// What a page sends while it is shared: the recorder's events in batches, each sent until the gateway has it, and what comes back: whether anybody looks,
// and where the agent points. Keeps little: where the network does not keep up, what waits is dropped and the picture begins anew.
import { log } from "./logger.js";
import { record } from "./screen-recorder.js";

/** What may wait, in characters of JSON, and how much of it while the picture of the page is not complete: without that nothing else is of use. */
const MOST_WAITING = 4_000_000;
const MOST_OF_PICTURE = 32_000_000;
/** What goes into one batch, unless one part of it is longer. */
const MOST_AT_ONCE = 4_000_000;
/** A pointer that is not heard of is taken away. */
const SILENCE_MS = 5_000;

/** The kind of rrweb's events that are no part of its own format. */
const CUSTOM = 5;

let lastEpoch = 0;

/** Compressed as the gateway wants it. */
async function packed(json) {
  const stream = new Blob([json]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Blob([await new Response(stream).arrayBuffer()], { type: "application/octet-stream" });
}

/**
 * Begins to record; `hear(answer)` takes what the gateway says about the share, `stop()` ends it. `send(query, body)` resolves to the gateway's answer, however long that takes, and rejects where nothing can be sent any more, which
 * `failed` is told, as what goes wrong here. Throws where the recorder refuses its options.
 */
export function openStream({ options, name, hasPointer, root }, send, failed) {
  // Grows even where the clock was put back.
  const epoch = (lastEpoch = Math.max(Date.now(), lastEpoch + 1));
  let seq = 0;
  let waiting = [];
  let size = 0;
  let isComplete = false;
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
      if (size > 0 && size + text.length > (isComplete ? MOST_WAITING : MOST_OF_PICTURE)) {
        isBehind = true;
        waiting = [];
        size = 0;
        return;
      }
      isComplete ||= events.some(({ type, data }) => type === CUSTOM && data?.tag === "sportello.complete");
      waiting.push(text);
      size += text.length;
      go();
    },
    onError(error) {
      if (error?.isFatal) fail(error);
      else log("warn", `screen share: ${error?.message}`);
    },
  });

  /** The picture of the page, once more: what waits is of no use any more. */
  function begin(how) {
    isComplete = false;
    waiting = [];
    size = 0;
    recorder[how]();
  }

  async function go() {
    if (isSending) return;
    isSending = true;
    try {
      while (waiting.length > 0 && !isOver) {
        const json = `[${taken().join(",")}]`;
        seq += 1;
        // Whether anybody looks, the other way says: answers may overtake each other.
        const { resync } = await send(`epoch=${epoch}&seq=${seq}`, await packed(json));
        if (isOver || isPaused || !(isBehind || resync)) continue;
        isBehind = false;
        begin("resync");
      }
    } catch (error) {
      fail(error);
    } finally {
      isSending = false;
    }
  }

  /** The oldest of what waits. */
  function taken() {
    let length = 0;
    const end = waiting.findIndex((text, at) => (length += text.length) > MOST_AT_ONCE && at > 0);
    const batch = waiting.splice(0, end < 0 ? waiting.length : end);
    for (const text of batch) size -= text.length;
    return batch;
  }

  function hear({ viewers, signals = [] }) {
    if (isOver) return;
    const wasPaused = isPaused;
    isPaused = viewers === 0;
    if (isPaused) {
      if (!wasPaused) begin("pause");
      return hidePointer();
    }
    if (wasPaused) {
      isBehind = false;
      begin("resume");
    } else if (signals.some(({ type }) => type === "resync")) begin("resync");
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

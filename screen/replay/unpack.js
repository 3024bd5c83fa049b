// Reads a batch as the page's recorder packs it: gzip of a JSON array. A few bytes can unpack to gigabytes, so what comes out is counted while it comes
// and given up beyond a limit. It does not judge the events: `sanitise.js` does.

/** What a batch may unpack to. */
export const MAX_UNPACKED_BYTES = 32 * 1024 * 1024;

/** `code` is `too_large` or `unreadable`. */
export class BatchError extends Error {
  name = "BatchError";

  constructor(code) {
    super(code === "too_large" ? "a batch of the recording unpacks to more than is allowed" : "a batch of the recording cannot be read");
    this.code = code;
  }
}

/** The events in `bytes` (an `ArrayBuffer` or a view of one). Rejects with a `BatchError`. */
export async function unpack(bytes, { maxBytes = MAX_UNPACKED_BYTES } = {}) {
  const text = new TextDecoder("utf-8", { fatal: true });
  const parts = [];
  let count = 0;
  try {
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      count += value.byteLength;
      if (count > maxBytes) {
        // Nobody waits for the rest.
        reader.cancel().catch(() => {});
        throw new BatchError("too_large");
      }
      parts.push(text.decode(value, { stream: true }));
    }
    parts.push(text.decode());
    const events = JSON.parse(parts.join(""));
    if (Array.isArray(events)) return events;
  } catch (error) {
    if (error instanceof BatchError) throw error;
  }
  throw new BatchError("unreadable");
}

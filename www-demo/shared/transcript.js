// A transcript from asking for it to the saved file: asks until it is there, as the customer's page and the desk both do. Shows nothing itself.

const PAUSE_MS = 1_000;
const PATIENCE_MS = 120_000;

/**
 * Resolves to the PDF as a Blob or File; rejects with what went wrong, where the gateway gave up with an error that has `failedReason`. `ask()` resolves to
 * the transcript's number, `look(id)` to `{ status, body?, failed_reason? }`.
 */
export async function fetchTranscript({ ask, look }) {
  const until = Date.now() + PATIENCE_MS;
  const id = await ask();
  for (;;) {
    const { status, body, failed_reason: failedReason } = await look(id).catch((error) => {
      // A connection that is lost for a moment loses nothing: the transcript is made all the same.
      if (!(error.retryable ?? error.isRetryable) || Date.now() > until) throw error;
      return { status: "pending" };
    });
    if (status === "finished") return body;
    if (status === "failed") throw Object.assign(new Error(`the transcript failed: ${failedReason}`), { failedReason: failedReason ?? "internal" });
    if (Date.now() > until) throw Object.assign(new Error("the transcript takes too long"), { failedReason: "timeout" });
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Saves a file as the browser saves downloads. */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  // The browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// What an error means for the person in front of the page. The code is for programs; nobody should have to read it.

const WORDS = {
  after_hours: "We are closed at the moment.",
  authentication_failed: "We cannot open the counter at the moment.",
  chat_ended: "This chat is over. You can start a new one.",
  company_unknown: "This counter does not exist. Please tell the site's owner.",
  conflict: "That is not possible at this point of the chat.",
  forbidden: "This chat belongs to somebody else.",
  identity_changed: "Somebody else signed in, so the message was not sent.",
  internal: "Something went wrong on our side.",
  network: "We cannot be reached at the moment.",
  no_chat: "There is no chat to write to. You can start a new one.",
  not_found: "We could not find that any more.",
  origin_forbidden: "This page is not allowed to open the chat. Please tell the site's owner.",
  rate_limited: "That was a little fast. Please wait a moment.",
  storage_unavailable: "Your browser keeps nothing for us: what you write offline is lost when you leave.",
  timeout: "That took too long.",
  token_expired: "You have been signed out. Please reload the page.",
  token_invalid: "We could not sign you in. Please tell the site's owner.",
  too_large: "This message is too long. Please make it shorter.",
  unauthorized: "You have been signed out. Please reload the page.",
  unavailable: "We are very busy, or just restarting.",
  wasm_load_failed: "A part of this page could not be loaded.",
};

/** One sentence about `error`, and whether trying again may help. */
export function explainError(error) {
  const words = WORDS[error?.code] ?? "Something did not work.";
  const isRetryable = error?.retryable === true;
  const wait_s = Math.ceil((error?.retryAfterMs ?? 0) / 1000);
  const hint = wait_s > 1 ? ` Please try again in ${wait_s} seconds.` : "";
  return { words: `${words}${hint}`, isRetryable };
}

// What an error means for the person in front of the page. The code is for programs; nobody should have to read it. The sentences are in the
// dictionaries, as `error.<code>`.

import { t } from "./language.js";

/** One sentence about `error`, and whether trying again may help. */
export function explainError(error) {
  const words = t(`error.${error?.code}`) ?? t("error.unknown");
  const wait_s = Math.ceil((error?.retryAfterMs ?? error?.retryAfter_ms ?? 0) / 1000);
  const hint = wait_s > 1 ? ` ${t("error.retryAfter", { count: wait_s })}` : "";
  return { words: `${words}${hint}`, isRetryable: error?.retryable === true };
}

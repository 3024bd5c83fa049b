// Runs what a button does: the button waits meanwhile, and a failure is said in words.

import { explainError } from "./error-words.js";

/** Runs `action`; resolves to whether it worked. `button` may be missing, where something else than a button asked. */
export async function attempt(notice, button, action) {
  if (button) button.disabled = true;
  try {
    await action();
    return true;
  } catch (error) {
    notice.show(explainError(error).words);
    return false;
  } finally {
    if (button) button.disabled = false;
  }
}

// Says whether the page is connected. Words first; the dot's shape changes with its colour, so that neither is needed to understand it.

import { el, fill } from "./dom.js";
import { t } from "./language.js";

const STATES = ["connecting", "online", "offline"];

/** Shows `state` (`idle`, `connecting`, `online` or `offline`) in `root`; nothing is said while idle. */
export function showConnection(root, state) {
  const name = STATES.includes(state) ? state : "idle";
  const words = name === "idle" ? "" : t(`connection.${name}`);
  // It is a live region: the same words are not set twice.
  if (root.dataset.state === name && root.textContent === words) return;
  root.dataset.state = name;
  fill(root, words && el("span", { class: "connection-dot", "aria-hidden": "true" }), words && el("span", { class: "connection-words" }, words));
}

// Says whether the page is connected. Words first; the dot's shape changes with its colour, so that neither is needed to understand it.

import { el, fill } from "./dom.js";

const STATES = {
  idle: { words: "", name: "idle" },
  connecting: { words: "Connecting…", name: "connecting" },
  online: { words: "Connected", name: "online" },
  offline: { words: "Offline, trying again", name: "offline" },
};

/** Shows `state` (`idle`, `connecting`, `online` or `offline`) in `root`. */
export function showConnection(root, state) {
  const { words, name } = STATES[state] ?? STATES.idle;
  if (root.dataset.state === name) return;
  root.dataset.state = name;
  fill(root, words && el("span", { class: "connection-dot", "aria-hidden": "true" }), words && el("span", { class: "connection-words" }, words));
}

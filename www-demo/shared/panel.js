// A panel between the conversation and the text field: what is the matter, and what can be done about it. Its place in the page is a live region, so the
// same words are never set twice.

import { el, fill, show } from "./dom.js";
import { icon } from "./icons.js";

/**
 * Shows `title`, `text` and `actions` in `root`. An action is `{ label, run, isPrimary }`, a link `{ label, href, run }`, or, with neither, words.
 * `run()` may return a promise; the panel's buttons wait for it.
 */
export function showPanel(root, { title, text, iconName = "alert", actions = [] }) {
  const key = JSON.stringify([title, text, actions.map(({ label, href }) => [label, href])]);
  if (!root.hidden && root.dataset.key === key) return;
  root.dataset.key = key;
  fill(
    root,
    icon(iconName),
    el("div", { class: "panel-words" }, el("p", { class: "panel-title" }, title), text && el("p", {}, text)),
    el("div", { class: "panel-actions" }, actions.map((action) => actionNode(root, action))),
  );
  show(root, true);
}

/** Hides the panel. What had the focus in it hands it to `next`, so that it does not fall off the page. */
export function hidePanel(root, next) {
  if (root.hidden) return;
  const hadFocus = root.contains(document.activeElement);
  show(root, false);
  delete root.dataset.key;
  root.replaceChildren();
  if (hadFocus) next?.focus();
}

function actionNode(root, { label, run, href, isPrimary }) {
  if (!run && !href) return el("p", { class: "panel-note" }, label);
  const className = `button ${isPrimary ? "is-primary" : "is-quiet"}`;
  if (href) {
    const link = el("a", { class: className, href, target: "_blank", rel: "noopener noreferrer", referrerpolicy: "no-referrer" }, label);
    link.addEventListener("click", () => run?.());
    return link;
  }
  const button = el("button", { type: "button", class: className }, label);
  button.addEventListener("click", async () => {
    const buttons = root.querySelectorAll("button");
    for (const one of buttons) one.disabled = true;
    try {
      await run();
    } finally {
      for (const one of buttons) one.disabled = false;
    }
  });
  return button;
}

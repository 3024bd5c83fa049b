// The button that changes between light and dark. Until it is used the system's preference decides; a refused storage only means that the
// choice does not outlive the page.

import { onLanguage, t } from "./language.js";

const KEY = "sportello-demo.theme";

/** Makes `button` change the colours and tell which ones it will bring. */
export function attachThemeToggle(button) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const current = () => document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light");
  const label = () => {
    const next = current() === "dark" ? "light" : "dark";
    button.title = t(`theme.${next}`);
    button.setAttribute("aria-label", button.title);
  };
  button.addEventListener("click", () => {
    const theme = current() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    remember(theme);
    label();
  });
  system.addEventListener("change", label);
  onLanguage(label);
  label();
}

function remember(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Nothing to do: the page keeps its colours until it is closed.
  }
}

// The desk's tab bar: Conversations, Calls and whatever else the desk has. A tab is a button with `role="tab"` in the page, which names its panel with
// `aria-controls`; this module chooses among them, by pointer and by keyboard (arrows, Home, End), remembers the choice in the address, and shows a number
// beside a name. It knows nothing of what is in a panel.

import { byId, setText, show } from "../shared/dom.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

export class Tabs {
  #tabs;
  #listeners = new Set();
  #current;

  /** `list` is the element with `role="tablist"`. The tab that the address names is chosen, or the first one. */
  constructor(list) {
    this.#tabs = [...list.querySelectorAll("[role=tab]")];
    for (const tab of this.#tabs) {
      tab.addEventListener("click", () => this.choose(nameOf(tab)));
      tab.addEventListener("keydown", (event) => this.#key(event, tab));
    }
    const named = this.#tabs.find((tab) => `#${nameOf(tab)}` === location.hash);
    this.#draw(named ?? this.#tabs[0]);
  }

  /** The name of the tab that is chosen: its id without `tab-`. */
  get current() {
    return nameOf(this.#current);
  }

  /** Shows the panel of the tab with this name. */
  choose(name) {
    const tab = this.#tabs.find((one) => nameOf(one) === name);
    if (!tab || tab === this.#current) return;
    this.#draw(tab);
    // Where a reload comes back to; the browser's way back is not filled with tabs.
    history.replaceState(history.state, "", `#${name}`);
    for (const listener of this.#listeners) listener(name);
  }

  /** Calls `listener(name)` after each choice. */
  onChoice(listener) {
    this.#listeners.add(listener);
  }

  /** The number beside a tab's name: how many things there wait for somebody. None where it is 0. */
  count(name, number) {
    const badge = byId(`tab-${name}`).querySelector(".count");
    show(badge, number > 0);
    setText(badge, String(number));
  }

  #key(event, tab) {
    const at = this.#tabs.indexOf(tab);
    const last = this.#tabs.length - 1;
    const to = { Home: 0, End: last }[event.key] ?? (event.key in STEPS ? (at + STEPS[event.key] + last + 1) % (last + 1) : null);
    if (to === null) return;
    event.preventDefault();
    this.choose(nameOf(this.#tabs[to]));
    this.#tabs[to].focus();
  }

  #draw(chosen) {
    this.#current = chosen;
    for (const tab of this.#tabs) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      // One stop for the Tab key; the arrows go on from there.
      tab.tabIndex = tab === chosen ? 0 : -1;
      show(byId(tab.getAttribute("aria-controls")), tab === chosen);
    }
    chosen.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

function nameOf(tab) {
  return tab.id.replace(/^tab-/u, "");
}

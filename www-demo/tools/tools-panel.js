// The developer tools: a list of the client's calls and events as they happen, newest first. Each opens to its arguments and its result. Asks the client for its log
// and for the feature flags, which are shown as the calls that they are.

import { byId, el, fill, setText, show } from "../shared/dom.js";
import { onLanguage, t } from "../shared/language.js";
import { describe, describeLine } from "./describe.js";

/** Drawn at most; the recorder keeps more. */
const SHOWN = 200;

export class ToolsPanel {
  #recorder;
  #list = byId("tools-list");
  #items = new Map();

  constructor(recorder, client) {
    this.#recorder = recorder;
    recorder.onEntry((entry) => this.isOpen && this.#draw(entry));
    byId("tools-open").addEventListener("click", () => this.toggle());
    byId("tools-close").addEventListener("click", () => this.toggle());
    byId("tools-clear").addEventListener("click", () => {
      recorder.clear();
      this.#drawAll();
    });
    byId("tools-logs").addEventListener("click", () => this.#ask("getLogs", () => client.getLogs()));
    byId("tools-flags").addEventListener("click", () => this.#ask("getFeatureFlags", () => client.getFeatureFlags()));
    for (const box of [byId("tools-calls"), byId("tools-events")]) box.addEventListener("change", () => this.#drawAll());
    onLanguage(() => this.isOpen && this.#drawAll());
  }

  get isOpen() {
    return !byId("tools").hidden;
  }

  toggle() {
    const isOpen = !this.isOpen;
    show(byId("tools"), isOpen);
    document.body.classList.toggle("has-tools", isOpen);
    byId("tools-open").setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.#drawAll();
    else byId("tools-open").focus();
  }

  /** Makes a call and opens it. A refusal is among the calls. */
  async #ask(name, call) {
    byId("tools-calls").checked = true;
    this.#drawAll();
    await Promise.resolve(call()).catch(() => {});
    const entry = this.#recorder.entries.findLast((entry) => entry.kind === "call" && entry.name === name);
    const details = this.#items.get(entry?.id)?.querySelector("details");
    if (details) details.open = true;
  }

  #drawAll() {
    this.#items.clear();
    fill(this.#list);
    for (const entry of this.#recorder.entries.slice(-SHOWN)) this.#draw(entry);
    show(byId("tools-empty"), this.#list.childElementCount === 0);
  }

  #draw(entry) {
    if (!byId(entry.kind === "call" ? "tools-calls" : "tools-events").checked) return;
    const known = this.#items.get(entry.id);
    const item = known ?? this.#item(entry);
    item.dataset.state = entry.state;
    setText(item.querySelector(".tool-duration"), durationWords(entry));
    // What is closed is not described: a long conversation would be turned into text again and again.
    if (item.querySelector("details").open) this.#describe(item, entry);
    if (known) return;
    this.#items.set(entry.id, item);
    this.#list.prepend(item);
    show(byId("tools-empty"), false);
    if (this.#list.childElementCount > SHOWN) this.#list.lastElementChild.remove();
  }

  #item(entry) {
    const summary = el(
      "summary",
      {},
      el("span", { class: "tool-kind" }, t(`tools.${entry.kind}`)),
      el("code", { class: "tool-name" }, entry.name),
      el("span", { class: "tool-args" }, describeLine(entry.args)),
      el("span", { class: "tool-duration" }),
    );
    const details = el("details", {}, summary, el("div", { class: "tool-values" }));
    const item = el("li", { class: `tool is-${entry.kind}` }, details);
    details.addEventListener("toggle", () => details.open && this.#describe(item, entry));
    return item;
  }

  #describe(item, { args, kind, state, result, startedAt }) {
    fill(
      item.querySelector(".tool-values"),
      part(t("tools.at"), startedAt.toISOString()),
      part(t("tools.arguments"), args.map((arg) => describe(arg)).join(",\n") || "–"),
      kind === "call" && part(t(state === "failed" ? "tools.error" : "tools.result"), state === "pending" ? t("tools.pending") : describe(result)),
    );
  }
}

function part(name, text) {
  return [el("p", { class: "tool-part" }, name), el("pre", { tabindex: "0", "aria-label": name }, text)];
}

function durationWords({ kind, state, durationMs }) {
  if (kind === "event") return "";
  if (state === "pending") return t("tools.pending");
  const ms = durationMs < 10 ? durationMs.toFixed(1) : Math.round(durationMs);
  return state === "failed" ? `${t("tools.failed")} ${ms} ms` : `${ms} ms`;
}

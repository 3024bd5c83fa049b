// The desk's tab of results: what customers thought of their chats. Averages, how often each answer was given, and what was written; counted by
// the gateway, read anew when the tab is shown, when a filter changes and when a rating came.

import { byId, el, fill, setText, show } from "../shared/dom.js";
import { explainError } from "../shared/error-words.js";
import { icon } from "../shared/icons.js";
import { language, onLanguage, t } from "../shared/language.js";
import { dateWords, ticketNumber } from "../shared/words.js";

export class Results {
  #api;
  #tabs;
  #results = null;
  /** Counts the agents at this desk: what was read for an earlier one is dropped. */
  #agents = 0;
  #isReading = false;
  /** Something changed while it was read. */
  #isStale = false;

  constructor({ api, tabs }) {
    this.#api = api;
    this.#tabs = tabs;
    byId("results-company").addEventListener("change", () => {
      byId("results-menu").value = "";
      this.refresh();
    });
    byId("results-menu").addEventListener("change", () => this.refresh());
    tabs.onChoice(() => this.refresh());
    onLanguage(() => this.#results && this.#draw());
  }

  /** Forgets what was read, for the next agent. */
  clear() {
    this.#agents += 1;
    this.#results = null;
    for (const id of ["results-company", "results-menu", "results-ratings", "results-questions", "results-latest"]) byId(id).replaceChildren();
    for (const id of ["results-company", "results-menu"]) delete byId(id).dataset.key;
    show(byId("results-latest-part"), false);
    setText(byId("results-error"), "");
  }

  /** Reads the results, where the tab is before the agent's eyes: one reading at a time, and another after it where something changed meanwhile. */
  async refresh() {
    if (this.#tabs.current !== "results") return;
    this.#isStale = this.#isReading;
    if (this.#isReading) return;
    this.#isReading = true;
    const agents = this.#agents;
    try {
      const results = await this.#api.results({ companyId: byId("results-company").value, menuId: byId("results-menu").value });
      if (agents === this.#agents && !this.#isStale) this.#show(results);
    } catch (error) {
      if (agents === this.#agents) setText(byId("results-error"), explainError(error).words);
    } finally {
      this.#isReading = false;
      if (this.#isStale) this.refresh();
    }
  }

  #show(results) {
    this.#results = results;
    setText(byId("results-error"), "");
    this.#draw();
  }

  #draw() {
    const { company_id: companyId, companies, menus, ratings, questions } = this.#results;
    drawOptions(byId("results-company"), companies, companyId);
    show(byId("results-company-field"), companies.length > 1);
    drawOptions(byId("results-menu"), [{ id: "", name: t("results.allQueues") }, ...menus], byId("results-menu").value);
    const stars = ratings.distribution.map((share) => ({ ...share, value: t("survey.stars", { count: Number(share.key) }) })).toReversed();
    fill(byId("results-ratings"), card({ type: "star", ...ratings, distribution: stars }));
    fill(byId("results-questions"), questions.map((question) => card({ title: question.display_text, ...question })));
    show(byId("results-latest-part"), ratings.latest.length > 0);
    fill(byId("results-latest"), ratings.latest.map(ratedItem));
  }
}

/** The choices of a select, changed only where they differ, so that an open one stays open. */
function drawOptions(select, entries, chosen) {
  const key = JSON.stringify(entries);
  if (select.dataset.key !== key) {
    select.dataset.key = key;
    select.replaceChildren(...entries.map(({ id, name }) => new Option(name, id)));
  }
  select.value = String(chosen);
}

function card({ title, type, count, mean_x100: mean, distribution, latest }) {
  const most = Math.max(1, ...distribution.map((share) => share.count));
  const texts = type === "free-form" ? latest : [];
  return el(
    "article",
    { class: "result", data: { type } },
    title && el("h3", {}, title),
    el(
      "p",
      { class: "result-sum" },
      mean !== null && el("span", { class: "result-mean" }, meanWords(mean)),
      mean !== null && type === "star" && icon("star"),
      el("span", { class: "result-count" }, t("results.answers", { count })),
    ),
    distribution.length > 0 && el("ul", { class: "shares" }, distribution.map((share) => shareItem(share, most))),
    texts.length > 0 && el("ul", { class: "result-texts" }, texts.map((entry) => el("li", {}, el("p", { class: "result-text" }, entry.text), origin(entry)))),
  );
}

function shareItem({ value, count }, most) {
  const bar = el("span", { class: "share-bar", "aria-hidden": "true" });
  bar.style.setProperty("--share", String(count / most));
  return el("li", { class: "share" }, el("span", { class: "share-name" }, value), bar, el("span", { class: "share-count" }, String(count)));
}

function ratedItem({ rating, feedback, ...entry }) {
  return el("li", { class: "rated" }, starsOf(rating), feedback && el("p", { class: "result-text" }, feedback), origin(entry));
}

function origin({ chat_id: chatId, at }) {
  return el("p", { class: "result-origin" }, `${ticketNumber(chatId)} · ${dateWords(new Date(at))}`);
}

/** A rating, for the eye as stars and for screen readers in words. */
export function starsOf(rating) {
  const stars = Array.from({ length: 5 }, (_, at) => el("span", { class: at < rating ? "is-full" : "" }, icon("star")));
  return el("span", { class: "rated-stars" }, el("span", { class: "rated-icons", "aria-hidden": "true" }, stars), el("span", { class: "visually-hidden" }, t("rating.of", { count: rating })));
}

function meanWords(mean_x100) {
  return new Intl.NumberFormat(language(), { minimumFractionDigits: 1, maximumFractionDigits: 2 }).format(mean_x100 / 100);
}

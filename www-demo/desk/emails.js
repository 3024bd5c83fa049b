// Messages by e-mail at the desk: the list, the message with its files, answers by mail, and whether it is done. Reads again whenever the desk's stream says
// that something changed; what is being written survives that.

import { attempt } from "../shared/attempt.js";
import { byId, el, fill, setText, show } from "../shared/dom.js";
import { onLanguage, t } from "../shared/language.js";
import { dateWords, sizeWords } from "../shared/words.js";

export class Emails {
  #api;
  #tabs;
  #notice;
  /** What was read last. */
  #list = [];
  #nextBefore;
  #open = null;
  /** The answer that is being sent: the same again is the same answer. */
  #reply = null;
  #isReading = false;
  #readAgain = false;

  constructor({ api, tabs, notice }) {
    this.#api = api;
    this.#tabs = tabs;
    this.#notice = notice;
    tabs.onChoice((name) => name === "emails" && this.refresh());
    byId("email-filter").addEventListener("change", () => this.refresh());
    byId("email-back").addEventListener("click", () => this.#show(null));
    byId("email-mark").addEventListener("click", (event) => attempt(notice, event.currentTarget, () => this.#mark()));
    byId("email-more").addEventListener("click", (event) => attempt(notice, event.currentTarget, () => this.#more()));
    byId("email-reply").addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(notice, event.submitter, () => this.#answer(event.target));
    });
    onLanguage(() => this.#draw());
  }

  /** Reads the list, and the message that is open. Several wishes at once are one. */
  async refresh() {
    if (this.#isReading) return void (this.#readAgain = true);
    this.#isReading = true;
    try {
      do {
        this.#readAgain = false;
        const [page, waiting] = await Promise.all([this.#api.emails({ status: byId("email-filter").value }), this.#api.emails({ status: "open" })]);
        this.#list = page.emails;
        this.#nextBefore = page.next_before_id;
        this.#tabs.count("emails", waiting.emails.length);
        if (this.#open) this.#open = await this.#api.email(this.#open.id);
        this.#draw();
      } while (this.#readAgain);
    } catch {
      // The desk's stream says that the gateway is away, and comes back with another wish.
    } finally {
      this.#isReading = false;
    }
  }

  /** Forgets everything, for another agent. */
  clear() {
    [this.#list, this.#open, this.#reply] = [[], null, null];
    byId("email-reply").reset();
    this.#draw();
  }

  async #more() {
    const page = await this.#api.emails({ status: byId("email-filter").value, beforeId: this.#nextBefore });
    this.#list.push(...page.emails);
    this.#nextBefore = page.next_before_id;
    this.#draw();
  }

  #show(email) {
    const before = this.#open?.id;
    if (email?.id !== before) byId("email-reply").reset();
    this.#open = email;
    this.#draw();
    if (email) byId("email-subject").focus();
    else byId("email-list").querySelector(`[data-email="${before}"]`)?.focus();
  }

  async #mark() {
    const { id, status } = this.#open;
    this.#open = await this.#api.markEmail(id, status === "open" ? "done" : "open");
    await this.refresh();
  }

  async #answer(form) {
    const content = form.elements.answer.value;
    if (this.#reply?.content !== content || this.#reply.id !== this.#open.id) this.#reply = { id: this.#open.id, content, key: crypto.randomUUID() };
    this.#open = await this.#api.replyToEmail(this.#open.id, this.#reply.key, content);
    this.#reply = null;
    form.reset();
    this.#draw();
  }

  #draw() {
    const focused = document.activeElement?.dataset?.email;
    fill(byId("email-list"), this.#list.map((email) => this.#line(email)));
    if (focused) byId("email-list").querySelector(`[data-email="${focused}"]`)?.focus();
    show(byId("email-empty"), this.#list.length === 0);
    show(byId("email-more"), this.#nextBefore !== undefined);
    const email = this.#open;
    show(byId("email-open"), email !== null);
    byId("emails").classList.toggle("has-open", email !== null);
    if (!email) return;
    setText(byId("email-subject"), `${email.name ?? email.email} · #${email.id}`);
    setText(byId("email-about"), [queueName(email), kindWords(email.type), dateWords(new Date(email.created_at)), email.email].filter(Boolean).join(" · "));
    setText(byId("email-forwarded"), email.forwarded ? t(`emails.forwarded.${email.forwarded}`) : "");
    setText(byId("email-content"), email.content);
    setText(byId("email-mark"), t(email.status === "open" ? "emails.done" : "emails.reopen"));
    fill(byId("email-attachments"), email.attachments.map((file, position) => this.#attachment(email, file, position)));
    fill(byId("email-replies"), email.replies.map((reply) => answer(reply)));
  }

  #line(email) {
    const button = el(
      "button",
      { type: "button", class: "email-line", data: { email: email.id }, "aria-current": email.id === this.#open?.id ? "true" : null },
      el("span", { class: "email-who" }, email.name ?? email.email),
      el("span", { class: "email-when" }, [queueName(email), dateWords(new Date(email.created_at)), email.attachment_count > 0 && t("emails.files", { count: email.attachment_count })].filter(Boolean).join(" · ")),
      el("span", { class: "email-excerpt" }, email.excerpt),
    );
    button.addEventListener("click", () => attempt(this.#notice, button, async () => this.#show(await this.#api.email(email.id))));
    return el("li", {}, button);
  }

  #attachment({ id }, { name, size }, position) {
    return el("li", {}, el("a", { href: this.#api.emailAttachmentUrl(id, position), download: name }, name), ` ${sizeWords(size)}`);
  }
}

function answer({ at, agent_name, content, state }) {
  return el("li", { class: "email-answer" }, el("p", { class: "email-when" }, [agent_name, dateWords(new Date(at)), t(`emails.state.${state}`)].filter(Boolean).join(" · ")), el("p", { class: "email-text" }, content));
}

function queueName({ menus }) {
  return (menus ?? []).map(({ name }) => name).join(" / ");
}

/** Why it was written, where that is more than that somebody wanted to. */
function kindWords(type) {
  return type === "email" ? "" : (t(`emails.type.${type}`) ?? "");
}

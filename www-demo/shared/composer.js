// The text field and its button: Enter sends, Shift+Enter starts a new line, the field grows with its text. It decides nothing about
// sending: it hands the text over and keeps what was refused.

export class Composer {
  #form;
  #field;
  #button;
  #extras;
  #onSend;
  #typing;

  /** `onSend(text)` is called with a text that has something in it; `typing` is a `TypingSignal`. */
  constructor(form, { onSend, typing }) {
    this.#form = form;
    this.#field = form.querySelector("textarea");
    this.#button = form.querySelector("button[type=submit]");
    this.#extras = form.querySelectorAll(".attach, input[type=file], .extra");
    this.#onSend = onSend;
    this.#typing = typing;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#field.addEventListener("keydown", (event) => {
      // While an input method composes a character, Enter belongs to it.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    this.#field.addEventListener("input", () => {
      this.#grow();
      this.#typing.input(this.#field.value);
    });
    this.#field.addEventListener("blur", () => this.#typing.end());
    this.#grow();
  }

  focus() {
    this.#field.focus();
  }

  get text() {
    return this.#field.value;
  }

  set text(text) {
    this.#field.value = text;
    this.#grow();
  }

  /** A closed conversation takes no text; what was typed stays readable. */
  set enabled(enabled) {
    this.#field.disabled = !enabled;
    this.#button.disabled = !enabled;
    for (const extra of this.#extras) extra.disabled = !enabled;
    this.#form.classList.toggle("is-closed", !enabled);
  }

  #send() {
    const text = this.#field.value.trim();
    if (text === "" || this.#field.disabled) return;
    this.#typing.end();
    this.text = "";
    this.#field.focus();
    this.#onSend(text);
  }

  #grow() {
    // The height of the content is only known with the height reset; CSS holds the limit.
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight + 2}px`;
  }
}

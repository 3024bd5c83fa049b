// The number of unread messages in the title of a tab that nobody looks at.

export class UnreadTitle {
  #base = document.title;
  #count = 0;

  /** The title without the number. */
  set base(title) {
    this.#base = title;
    this.#write();
  }

  set count(count) {
    this.#count = count;
    this.#write();
  }

  #write() {
    document.title = this.#count > 0 ? `(${this.#count}) ${this.#base}` : this.#base;
  }
}

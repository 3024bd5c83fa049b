// What the title of a tab that nobody looks at says: that an answer is wanted at once, or how many messages are unread.

export class UnreadTitle {
  #base = document.title;
  #count = 0;
  #isUrgent = false;

  /** The title without the number. */
  set base(title) {
    this.#base = title;
    this.#write();
  }

  set count(count) {
    this.#count = count;
    this.#write();
  }

  /** Whether an answer is wanted before a time is over. */
  set isUrgent(isUrgent) {
    this.#isUrgent = isUrgent;
    this.#write();
  }

  #write() {
    const mark = this.#isUrgent ? "(!) " : this.#count > 0 ? `(${this.#count}) ` : "";
    document.title = `${mark}${this.#base}`;
  }
}

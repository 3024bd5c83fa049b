/**
 * The sizes of what is shown as a box: pictures, frames, redacted views, menus of choices. Measured when the browser has just laid the page out,
 * so that measuring never makes it do that.
 */

import { BOX, IMAGE } from "./privacy.js";

/** Pictures this far outside of the viewport are fetched ready. */
const NEARBY = "25%";

export class Sizes {
  #window;
  #resized;
  #appeared;
  #find;
  #changed;
  #seen;

  /** `find(node)` gives a live entry, `changed(entry)` hears of a size, `seen(entry)` of a picture that comes into view. */
  constructor({ window, find, changed, seen }) {
    this.#window = window;
    this.#find = find;
    this.#changed = changed;
    this.#seen = seen;
    this.#resized = new window.ResizeObserver((records) => {
      for (const record of records) this.#measure(record.target);
    });
    this.#appeared = new window.IntersectionObserver((records) => this.#appear(records), { rootMargin: NEARBY });
  }

  add(entry) {
    this.#resized.observe(entry.node);
    this.#appeared.observe(entry.node);
  }

  gone(node) {
    this.#resized.unobserve(node);
    this.#appeared.unobserve(node);
  }

  #appear(records) {
    for (const { target, isIntersecting } of records) {
      this.#measure(target);
      const entry = this.#find(target);
      if (isIntersecting && entry && entry.bits & IMAGE) this.#seen(entry);
    }
  }

  #measure(node) {
    const entry = this.#find(node);
    if (!entry) return;
    const rectangle = node.getBoundingClientRect();
    const { display } = this.#window.getComputedStyle(node);
    // The rectangle of something turned or scaled is not its size.
    const exact = (size, whole) => (whole === undefined || Math.abs(size - whole) < 1 ? Math.round(size * 100) / 100 : whole);
    const width = exact(rectangle.width, display === "inline" ? undefined : node.offsetWidth);
    const height = exact(rectangle.height, display === "inline" ? undefined : node.offsetHeight);
    entry.extra ??= {};
    const { size } = entry.extra;
    if (size && size.width === width && size.height === height && size.display === display) return;
    entry.extra.size = { width, height, display };
    this.#changed(entry);
  }

  stop() {
    this.#resized.disconnect();
    this.#appeared.disconnect();
  }
}

/** The style that makes it as large as it was measured. */
export function sizeStyle(entry, style) {
  const size = entry.extra?.size;
  const shade = entry.bits & BOX ? "background:#8884;" : "";
  const before = style ? `${style.replace(/;?\s*$/, "")};` : "";
  if (!size) return `${before}${shade}`;
  const { width, height } = size;
  const display = size.display === "inline" ? "inline-block" : size.display;
  return (
    `${before}box-sizing:border-box;width:${width}px;height:${height}px;min-width:0;min-height:0;max-width:none;max-height:none;` +
    `display:${display};${shade}`
  );
}

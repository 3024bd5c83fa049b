/**
 * Pictures: those that the page could read itself are drawn small and sent as `data:` addresses, one at a time and in idle time; of the others the
 * desk sees a box. Nothing is downloaded for this. No picture leaves as the page has it: a photograph's file tells where it was taken.
 */

import { own } from "./dom.js";

const LARGEST_BYTES = 100_000;
const SHARE_BYTES = 4_000_000;
const QUALITIES = [0.75, 0.4];
const KIND = "image/webp";
/** One transparent point: the size comes from the style. */
export const BLANK = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

export class Images {
  #window;
  #isAlive;
  #changed;
  #queue = new Set();
  #busy = false;
  #left = SHARE_BYTES;
  #stopped = false;
  /** What an element showed when it was drawn, and the drawing: it is not drawn again for a resync. */
  #drawn = new WeakMap();

  constructor({ window, isAlive, changed }) {
    this.#window = window;
    this.#isAlive = isAlive;
    this.#changed = changed;
  }

  /** It is in view, or it has loaded. */
  want(entry) {
    if (this.#stopped) return;
    this.#queue.add(entry);
    this.#next();
  }

  gone(entry) {
    this.#queue.delete(entry);
  }

  #next() {
    if (this.#busy || this.#queue.size === 0) return;
    this.#busy = true;
    const idle = this.#window.requestIdleCallback?.bind(this.#window) ?? ((run) => this.#window.setTimeout(run, 30));
    idle(async () => {
      const [entry] = this.#queue;
      this.#queue.delete(entry);
      if (entry && !this.#stopped) {
        try {
          await this.#show(entry);
        } catch {
          // Of another origin, broken or too large: it stays a box.
        }
      }
      this.#busy = false;
      this.#next();
    });
  }

  async #show(entry) {
    const { node } = entry;
    if (!this.#isAlive(entry)) return;
    const address = own(node, "HTMLImageElement", "currentSrc");
    const { width, height } = entry.extra?.size ?? {};
    const naturalWidth = own(node, "HTMLImageElement", "naturalWidth");
    const naturalHeight = own(node, "HTMLImageElement", "naturalHeight");
    if (!own(node, "HTMLImageElement", "complete") || !naturalWidth || !naturalHeight || !width || !height) return;
    let drawn = this.#drawn.get(node);
    if (drawn?.address !== address) {
      drawn = { address, picture: await this.#draw(node, naturalWidth, naturalHeight, width, height) };
      if (drawn.picture.length > this.#left) return;
      this.#left -= drawn.picture.length;
      this.#drawn.set(node, drawn);
    }
    // While it was drawn it may have been redacted or replaced.
    if (this.#stopped || !this.#isAlive(entry) || own(node, "HTMLImageElement", "currentSrc") !== address) return;
    entry.extra.picture = drawn.picture;
    this.#changed(entry);
  }

  async #draw(node, naturalWidth, naturalHeight, width, height) {
    const scale = Math.min(1, Math.max(width / naturalWidth, height / naturalHeight));
    const resizeWidth = Math.max(1, Math.round(naturalWidth * scale));
    const resizeHeight = Math.max(1, Math.round(naturalHeight * scale));
    // Decoded and scaled beside the main thread.
    const bitmap = await this.#window.createImageBitmap(node, { resizeWidth, resizeHeight, resizeQuality: "medium" });
    const canvas = new this.#window.OffscreenCanvas(resizeWidth, resizeHeight);
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    for (const quality of QUALITIES) {
      const blob = await canvas.convertToBlob({ type: KIND, quality });
      if (blob.size <= LARGEST_BYTES * 0.74) return await this.#dataUrl(blob);
    }
    throw new Error("too large");
  }

  #dataUrl(blob) {
    return new Promise((resolve, reject) => {
      const reader = new this.#window.FileReader();
      reader.onload = () => resolve(reader.result);
      reader.onerror = () => reject(reader.error);
      reader.readAsDataURL(blob);
    });
  }

  clear() {
    this.#queue.clear();
  }

  stop() {
    this.#stopped = true;
    this.#queue.clear();
  }
}

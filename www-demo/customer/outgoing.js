// What the customer sends and the gateway has not given back yet. The client's outbox is the truth; this module remembers only what the outbox does
// not show: the words of a message that came back, and the file of an upload, so that both can be sent again.

import { explainError } from "../shared/error-words.js";

export class Outgoing {
  #client;
  #view;
  #composer;
  #notice;
  /** What own messages hold by client id: `{ text }` or `{ file, abort }`. */
  #own = new Map();
  /** What was handed to the client and has not shown its client id yet, oldest first. */
  #unclaimed = [];
  #progress = new Map();

  constructor({ client, view, composer, notice }) {
    this.#client = client;
    this.#view = view;
    this.#composer = composer;
    this.#notice = notice;
  }

  async sendText(text) {
    const content = { text };
    this.#unclaimed.push(content);
    try {
      await this.#client.sendTextMessage(text);
    } catch (error) {
      // Where the outbox took the message, its bubble says what became of it. Otherwise the text goes back to its author.
      if (!this.#unclaimed.includes(content)) return;
      if (this.#composer.text === "") this.#composer.text = text;
      this.#notice.show(explainError(error).words);
    } finally {
      this.#forget(content);
    }
  }

  async sendFile(file) {
    const abort = new AbortController();
    const content = { file, abort };
    this.#unclaimed.push(content);
    try {
      // On failure the promise gives -1; the bubble and the `error` event say why.
      await this.#client.sendFileMessage(file, { signal: abort.signal });
    } catch (error) {
      if (error.code !== "aborted") this.#notice.show(explainError(error).words);
    } finally {
      this.#forget(content);
    }
  }

  /** `chat.delivery`: draws the bubble of an own message that is on its way. */
  showDelivery({ clientId, state, error }) {
    const content = this.#contentOf(clientId);
    if (!content) return;
    if (error?.code === "aborted") return this.#drop(clientId);
    const reason = error ? explainError(error).words : undefined;
    this.#view.setPending({ clientId, ...shown(content), state, reason, progress: this.#progress.get(clientId) });
  }

  /** `chat.uploadProgress` */
  showProgress({ clientId, sentBytes, totalBytes }) {
    const content = this.#contentOf(clientId);
    this.#progress.set(clientId, totalBytes > 0 ? sentBytes / totalBytes : 0);
    if (content) this.#view.setPending({ clientId, ...shown(content), state: "sending", progress: this.#progress.get(clientId) });
  }

  /** What a former page left in the outbox. */
  showAll() {
    for (const entry of this.#client.outbox ?? []) this.showDelivery(entry);
  }

  retry(clientId) {
    const { text, file } = this.#own.get(clientId) ?? {};
    this.#drop(clientId);
    this.#composer.focus();
    if (text !== undefined) this.sendText(text);
    else if (file instanceof Blob) this.sendFile(file);
  }

  cancel(clientId) {
    this.#own.get(clientId)?.abort?.abort();
    this.#drop(clientId);
    this.#composer.focus();
  }

  /** For another chat. */
  clear() {
    this.#own.clear();
    this.#progress.clear();
  }

  #contentOf(clientId) {
    if (this.#own.has(clientId)) return this.#own.get(clientId);
    const entry = this.#client.outbox?.find((candidate) => candidate.clientId === clientId);
    const content = entry && this.#claim(entry.message);
    if (content) this.#own.set(clientId, content);
    return content;
  }

  /** Files go out in the order they were handed over, and so do texts. */
  #claim(message) {
    const isText = typeof message?.content === "string" && message.type === "text";
    // A message in the outbox describes its file under `$file`; after a reload that is all this page knows of it.
    const described = message?.$file;
    const isThis = ({ text, file }) => (isText ? text === message.content : file?.size === described?.size && file?.name === described?.name);
    const found = this.#unclaimed.find(isThis);
    if (found) this.#forget(found);
    if (isText) return found ?? { text: message.content };
    return found ?? (described && { file: described });
  }

  #forget(content) {
    const at = this.#unclaimed.indexOf(content);
    if (at >= 0) this.#unclaimed.splice(at, 1);
  }

  #drop(clientId) {
    this.#view.dropPending(clientId);
    this.#own.delete(clientId);
    this.#progress.delete(clientId);
  }
}

function shown({ text, file, abort }) {
  return text === undefined ? { file: { name: file.name, size: file.size, canCancel: abort !== undefined } } : { text };
}

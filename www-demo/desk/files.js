// Files that the agent sends: a place is reserved, the file goes there with its progress shown, and then the message that shows it goes through the outbox
// like any other. A file does not survive a reload of the desk; its message is only written once the file is with the gateway.

import { DeskError } from "./api.js";

const KINDS = { image: "photo", video: "video", audio: "audio" };

export class DeskFiles {
  #api;
  #onChange;
  #onStored;
  #uploads = new Map();

  /**
   * `onChange(entry)` hears of `{ chatId, clientId, file, state, progress, reason }`; `onStored(chatId, message, clientId)` sends the message of a
   * file that has arrived.
   */
  constructor({ api, onChange, onStored }) {
    this.#api = api;
    this.#onChange = onChange;
    this.#onStored = onStored;
  }

  add(chatId, file) {
    const upload = { chatId, clientId: crypto.randomUUID(), file, abort: new AbortController(), state: "sending", progress: 0 };
    this.#uploads.set(upload.clientId, upload);
    this.#run(upload);
  }

  /** What is on its way in one chat. */
  entries(chatId) {
    return [...this.#uploads.values()].filter((upload) => upload.chatId === chatId);
  }

  /** Gives a file up, or takes a failed one back; returns the file. */
  take(clientId) {
    const upload = this.#uploads.get(clientId);
    upload?.abort.abort();
    this.#uploads.delete(clientId);
    return upload?.file;
  }

  close() {
    for (const clientId of this.#uploads.keys()) this.take(clientId);
  }

  async #run(upload) {
    const { chatId, clientId, file, abort } = upload;
    this.#set(upload, {});
    try {
      const type = KINDS[file.type.split("/")[0]] ?? "document";
      const reserved = await this.#api.reserveUpload(chatId, clientId, { type, name: file.name, contentType: file.type || undefined, size: file.size });
      if (reserved.upload) await post(reserved.upload, file, abort.signal, (progress) => this.#set(upload, { progress }));
      if (abort.signal.aborted) return;
      this.#uploads.delete(clientId);
      this.#onStored(chatId, { type, media_id: reserved.media_id }, clientId);
    } catch (error) {
      if (!abort.signal.aborted) this.#set(upload, { state: "failed", reason: error.code ?? "internal" });
    }
  }

  #set(upload, change) {
    Object.assign(upload, change);
    if (this.#uploads.has(upload.clientId)) this.#onChange(upload);
  }
}

/** Posts the form that the gateway gave, its fields first and the file last. Only `XMLHttpRequest` tells how much has been sent. */
function post({ url, fields }, file, signal, onProgress) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file, file.name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0));
    request.addEventListener("loadend", () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(new DeskError(request.response?.error?.code ?? (request.status === 0 ? "network" : "internal"), request.status));
    });
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

// Files of the conversation as addresses that an `<img>` or a download can use. The session's token never goes into an address, so the SDK fetches the
// file and the browser keeps it, until the conversation is left.

export class Attachments {
  #client;
  #urls = new Map();
  /** What the links of messages and forms are relative to: the gateway. */
  base;
  /** A video costs its whole download, so it is fetched only when somebody wants to see it. */
  streams = false;

  constructor({ client, base }) {
    this.#client = client;
    this.base = base;
    this.load = this.load.bind(this);
  }

  /** An address of the message's file, `null` where it cannot be read. */
  async load(message) {
    const known = this.#urls.get(message.$sid);
    if (known) return known;
    const file = await this.#client.getMessageAttachment(message);
    if (!file) return null;
    const url = URL.createObjectURL(file);
    this.#urls.set(message.$sid, url);
    return url;
  }

  /** For another chat. */
  clear() {
    for (const url of this.#urls.values()) URL.revokeObjectURL(url);
    this.#urls.clear();
  }
}

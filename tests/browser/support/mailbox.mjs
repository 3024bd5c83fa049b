// The folder into which a gateway writes its mails, read with a library that knows nothing of the gateway.

import { watch } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import PostalMime from "postal-mime";

export class Mailbox {
  #folder;

  static async open() {
    const mailbox = new Mailbox();
    mailbox.#folder = join(await mkdtemp(join(tmpdir(), "sportello-mail-")), "mail");
    await mkdir(mailbox.#folder);
    return mailbox;
  }

  /** What a gateway's configuration says to write here. */
  get config() {
    return `[mail]\nfrom = "Bottega Verde Bikes <chat@example.com>"\nfolder = ${JSON.stringify(this.#folder)}\nper_minute = 60000\n`;
  }

  /** The mails in the order of their names, once there are so many; attachments have their bytes as `content`. */
  async read(count) {
    const names = async () => (await readdir(this.#folder)).filter((name) => name.endsWith(".eml")).toSorted(new Intl.Collator("en", { numeric: true }).compare);
    const changed = watch(this.#folder);
    try {
      while ((await names()).length < count) await new Promise((resolve) => changed.once("change", resolve));
    } finally {
      changed.close();
    }
    return Promise.all((await names()).map(async (name) => PostalMime.parse(await readFile(join(this.#folder, name)), { attachmentEncoding: "arraybuffer" })));
  }

  async close() {
    await rm(join(this.#folder, ".."), { recursive: true, force: true });
  }
}

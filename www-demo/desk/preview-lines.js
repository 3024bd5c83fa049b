// The last lines of a waiting chat, so that an agent knows what it is about before accepting it. Read once per chat and again only when the
// chat has new messages; a preview that cannot be read is left out, never an error.

import { t } from "../shared/language.js";
import { messageSummary } from "../shared/messages/render-message.js";
import { customerName } from "./conversation.js";

const LINES = 2;
const READ = 6;

export class PreviewLines {
  #load;
  #onLoaded;
  #byChat = new Map();

  /** `load(chatId, afterIndex)` resolves with messages; `onLoaded()` is called when there is something new to show. */
  constructor({ load, onLoaded }) {
    this.#load = load;
    this.#onLoaded = onLoaded;
  }

  clear() {
    this.#byChat.clear();
  }

  /** Reads the last messages of `chat` unless they are known. */
  async want(chat) {
    const known = this.#byChat.get(chat.id);
    if (known && known.lastIndex >= chat.last_index) return;
    this.#byChat.set(chat.id, { lastIndex: chat.last_index, messages: known?.messages ?? [] });
    try {
      const messages = await this.#load(chat.id, Math.max(0, chat.last_index - READ));
      this.#byChat.set(chat.id, { lastIndex: chat.last_index, messages });
      this.#onLoaded();
    } catch {
      this.#byChat.delete(chat.id);
    }
  }

  /** `{ key, name, text }` for the newest lines that somebody said. */
  lines(chat) {
    const said = (this.#byChat.get(chat.id)?.messages ?? []).filter(isSaid);
    return said.slice(-LINES).map((message) => ({
      key: message.$index,
      name: message.$userType === "end_user" ? customerName(chat) : virtualAgentName(chat),
      text: messageSummary(message),
    }));
  }
}

/** What somebody said: no system line, and no mere row of buttons. */
function isSaid(message) {
  const isRow = message.type.endsWith("_button") && !message.title;
  return !["noti", "action", "server_message"].includes(message.type) && message.$userType !== "system" && !isRow;
}

function virtualAgentName(chat) {
  return (chat.virtual_agent ?? chat.all_virtual_agents?.at(-1))?.name ?? t("virtualAgent");
}

// One conversation of the agent: its stream, its messages and what is unread, whether it is on the screen or not. It draws nothing.

import { t } from "../shared/language.js";
import { openChatStream } from "./stream.js";

/** While a chat has one of these, it goes on. */
const GOING_ON = ["va_assigned", "queued", "assigned"];

export class DeskConversation {
  chat;
  messages = [];
  connection = "connecting";
  unreadCount = 0;
  typingName = null;
  /** What the customer has typed and not sent, where the company shows it. */
  preview = "";
  #agentId;
  #stream;
  #onEvent;
  #isRead = false;

  /** `agentId` is the agent who looks; `onEvent(conversation, kind, detail)` hears `messages`, `chat`, `typing`, `connection` and `reset`. */
  constructor(chat, agentId, onEvent) {
    this.#agentId = agentId;
    this.chat = chat;
    this.#onEvent = onEvent;
    this.#stream = openChatStream(chat.id, {
      onMessages: (messages) => this.#takeMessages(messages),
      onChat: (newest) => this.#tell("chat", (this.chat = { ...this.chat, ...newest })),
      onTyping: (member, typing) => this.#takeTyping(member, typing),
      onPreview: (member, content) => this.#takePreview(member, content),
      onState: (state) => this.#takeConnection(state),
      onReset: (cursor) => {
        this.messages = this.messages.filter((message) => message.$index <= cursor);
        this.#tell("reset");
      },
      onRefused: () => this.#tell("refused"),
    });
  }

  get isOver() {
    return !GOING_ON.includes(this.chat.status) || this.isElsewhere;
  }

  /** Handed on: a colleague has it, or it waits for one. Whoever had it may read on. */
  get isElsewhere() {
    const { status, agent } = this.chat;
    return status === "queued" || (status === "assigned" && agent?.id !== this.#agentId);
  }

  get customerName() {
    return customerName(this.chat);
  }

  typing(typing) {
    this.#stream.typing(typing);
  }

  /** While it is on the screen of a visible page, nothing in it is unread. */
  set isRead(isRead) {
    this.#isRead = isRead;
    if (isRead) this.unreadCount = 0;
  }

  close() {
    this.#stream.close();
  }

  #takeMessages(messages) {
    const isHistory = this.messages.length === 0;
    this.messages.push(...messages);
    const fromCustomer = messages.filter((message) => message.$userType === "end_user").length;
    if (!this.#isRead && !isHistory) this.unreadCount += fromCustomer;
    if (fromCustomer > 0) this.#nobodyTypes();
    this.#tell("messages", messages);
  }

  #takeConnection(state) {
    this.connection = state;
    // Who typed before the connection went may have stopped long since.
    if (state !== "online") this.#nobodyTypes();
    this.#tell("connection", state);
  }

  #takeTyping(member, typing) {
    // The agent's own signal comes back where the desk is open twice.
    if (member.type === "agent") return;
    this.#nobodyTypes();
    if (typing) this.typingName = this.customerName;
    this.#tell("typing");
  }

  #takePreview(member, content) {
    if (member.type === "agent") return;
    this.preview = content;
    this.typingName = content === "" ? null : this.customerName;
    this.#tell("typing");
  }

  #nobodyTypes() {
    this.typingName = null;
    this.preview = "";
  }

  #tell(kind, detail) {
    this.#onEvent(this, kind, detail);
  }
}

/** The name of the end user as the desk shows it. */
export function customerName(chat) {
  return chat.end_user_name || chat.end_user?.identifier || t("visitor", { number: chat.end_user?.id ?? "" }).trim();
}

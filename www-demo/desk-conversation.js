// One conversation of the agent: its stream, its messages and what is unread, whether it is on the screen or not. It draws nothing.

import { openChatStream } from "./desk-stream.js";

export class DeskConversation {
  chat;
  messages = [];
  connection = "connecting";
  unreadCount = 0;
  typingName = null;
  #stream;
  #onEvent;
  #isRead = false;

  /** `onEvent(conversation, kind, detail)` hears `messages`, `chat`, `typing`, `connection` and `reset`. */
  constructor(chat, onEvent) {
    this.chat = chat;
    this.#onEvent = onEvent;
    this.#stream = openChatStream(chat.id, {
      onMessages: (messages) => this.#takeMessages(messages),
      onChat: (newest) => this.#tell("chat", (this.chat = { ...this.chat, ...newest })),
      onTyping: (member, typing) => this.#takeTyping(member, typing),
      onState: (state) => this.#takeConnection(state),
      onReset: (cursor) => {
        this.messages = this.messages.filter((message) => message.$index <= cursor);
        this.#tell("reset");
      },
      onRefused: () => this.#tell("refused"),
    });
  }

  get isOver() {
    return !["va_assigned", "queued", "assigned"].includes(this.chat.status);
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
    if (fromCustomer > 0) this.typingName = null;
    this.#tell("messages", messages);
  }

  #takeConnection(state) {
    this.connection = state;
    // Who typed before the connection went may have stopped long since.
    if (state !== "online") this.typingName = null;
    this.#tell("connection", state);
  }

  #takeTyping(member, typing) {
    // The agent's own signal comes back where the desk is open twice.
    if (member.type === "agent") return;
    this.typingName = typing ? this.customerName : null;
    this.#tell("typing", this.typingName);
  }

  #tell(kind, detail) {
    this.#onEvent(this, kind, detail);
  }
}

/** The name of the end user as the desk shows it. */
export function customerName(chat) {
  return chat.end_user?.identifier || `Visitor ${chat.end_user?.id ?? ""}`.trim();
}

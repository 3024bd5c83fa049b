// The desk's live streams. All reconnect for ever with a growing wait; the conversation's stream also resumes from a cursor, so that every message is
// handed on once and in order, whatever happened to the connection or the gateway.

import { Backoff } from "../shared/backoff.js";

const PROTOCOL = "sportello.v1";
const SILENCE_FACTOR = 2.5;
const CLOSE_UNAUTHORIZED = 4401;
/** How often the gateway says something on the stream of a shared screen, which has no word for it. */
const SCREEN_HEARTBEAT_MS = 20_000;
/** What comes before the bytes of a batch is one short line. */
const MAX_HEADER_BYTES = 200;
/** Closes that another attempt would only repeat. */
const FINAL_CLOSES = new Set([4403, 4404]);

/** A WebSocket that comes back. Handlers: `onOpen()`, `onFrame(frame)`, `onBytes(buffer)`, `onState(state)`, `onLost(code)`, `onRefused(code)`. */
class LastingSocket {
  #url;
  #handlers;
  #socket = null;
  #backoff = new Backoff();
  #retryTimer = 0;
  #silenceTimer = 0;
  #heartbeat_ms = 0;
  #closed = false;
  #wake = () => this.#retryNow();

  constructor(path, handlers) {
    this.#url = new URL(path, location.href);
    this.#url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.#handlers = handlers;
    addEventListener("online", this.#wake);
    this.#connect();
  }

  send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  /** How long the gateway is silent at most; from then on a longer silence counts as a lost connection. */
  set heartbeat_ms(heartbeat_ms) {
    this.#heartbeat_ms = heartbeat_ms;
    this.#heard();
  }

  /** The connection proved good: the next wait is short again. */
  proved() {
    this.#backoff.reset();
    this.#handlers.onState("online");
  }

  /** Drops the connection and comes back at once, to read again from the cursor. */
  restart() {
    this.#socket?.close();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#silenceTimer);
    removeEventListener("online", this.#wake);
    this.#socket?.close();
  }

  #connect() {
    if (this.#closed) return;
    this.#handlers.onState("connecting");
    const socket = new WebSocket(this.#url, PROTOCOL);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => this.#handlers.onOpen?.());
    socket.addEventListener("message", (event) => this.#read(event.data));
    socket.addEventListener("close", (event) => socket === this.#socket && this.#lost(event.code));
  }

  #read(data) {
    if (this.#closed) return;
    this.#heard();
    if (data instanceof ArrayBuffer) return this.#handlers.onBytes?.(data);
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return this.restart();
    }
    if (frame.type === "ping") return this.send({ type: "pong" });
    this.#handlers.onFrame(frame);
  }

  #heard() {
    clearTimeout(this.#silenceTimer);
    if (this.#heartbeat_ms > 0) this.#silenceTimer = setTimeout(() => this.restart(), this.#heartbeat_ms * SILENCE_FACTOR);
  }

  #lost(code) {
    clearTimeout(this.#silenceTimer);
    this.#socket = null;
    if (this.#closed) return;
    if (FINAL_CLOSES.has(code)) {
      this.close();
      return this.#handlers.onRefused?.(code);
    }
    this.#handlers.onState("offline");
    this.#handlers.onLost?.(code);
    if (!this.#closed) this.#retryTimer = setTimeout(() => this.#connect(), this.#backoff.next());
  }

  #retryNow() {
    if (this.#socket) return;
    clearTimeout(this.#retryTimer);
    this.#connect();
  }
}

/**
 * The lists. Calls `onChats({ queue, mine, ratings })` and `onCalls(open)` at once and after each change, `onState` with the connection's state and
 * `onLost(isSignedOut)` when the connection went; the caller then finds out whether the session still stands.
 */
export function openDeskStream({ onChats, onCalls, onState, onLost }) {
  const socket = new LastingSocket("/desk/api/v1/stream", {
    onState,
    onLost: (code) => onLost(code === CLOSE_UNAUTHORIZED),
    onRefused: () => onLost(true),
    onFrame(frame) {
      if (frame.type === "calls") return onCalls(frame.open);
      if (frame.type !== "chats") return;
      socket.proved();
      onChats({ queue: frame.queue, mine: frame.mine, ratings: frame.ratings ?? [] });
    },
  });
  return { close: () => socket.close() };
}

/**
 * One conversation. Calls `onMessages(messages)` with each message once and in order, `onChat(chat)` with newer states only,
 * `onTyping(member, typing)`, `onPreview(member, content)` with what somebody has typed so far, `onState(state)`, and `onReset(cursor)` where the
 * gateway's store has lost what came after `cursor`.
 */
export function openChatStream(chatId, { onMessages, onChat, onTyping, onPreview, onState, onReset, onRefused }) {
  let cursor = 0;
  let revision = -1;

  const takeChat = (chat) => {
    if (!chat || chat.revision < revision) return;
    revision = chat.revision;
    onChat(chat);
  };
  const takeMessages = (messages = []) => {
    const fresh = messages.filter((message) => message.$index > cursor);
    if (fresh.length === 0) return;
    // A gap cannot be filled by waiting: read again from what is known.
    if (fresh[0].$index !== cursor + 1) return socket.restart();
    cursor = fresh.at(-1).$index;
    onMessages(fresh);
  };

  const socket = new LastingSocket(`/desk/api/v1/chats/${chatId}/stream`, {
    onState,
    onRefused,
    onOpen: () => socket.send({ type: "join", cursor }),
    onFrame(frame) {
      if (frame.type === "joined") {
        socket.heartbeat_ms = frame.heartbeat_ms;
        socket.proved();
        if (frame.cursor < cursor) {
          cursor = frame.cursor;
          revision = -1;
          onReset(cursor);
        }
        takeChat(frame.chat);
      } else if (frame.type === "update") {
        takeMessages(frame.messages);
        takeChat(frame.chat);
      } else if (frame.type === "typing") onTyping(frame.member, frame.typing);
      else if (frame.type === "preview") onPreview(frame.member, frame.content);
    },
  });
  return {
    close: () => socket.close(),
    typing: (typing) => socket.send({ type: "typing", typing }),
  };
}

/**
 * The customer's page, while it is shared. Calls `onShare({ share, page })` at once and with each change, `onBatch({ epoch, seq, bytes })` with each batch of
 * the recording, packed as it came, `onState(state)`, and `onRefused()` where there is nothing to see.
 */
export function openScreenStream(chatId, { onShare, onBatch, onState, onRefused }) {
  const socket = new LastingSocket(`/desk/api/v1/chats/${chatId}/screen_share/stream`, {
    onState,
    onRefused,
    onOpen: () => socket.send({ type: "join" }),
    onFrame(frame) {
      if (frame.type !== "share") return;
      socket.heartbeat_ms = SCREEN_HEARTBEAT_MS;
      socket.proved();
      onShare(frame);
    },
    onBytes(buffer) {
      const batch = readBatch(buffer);
      if (batch) onBatch(batch);
    },
  });
  return {
    close: () => socket.close(),
    resync: () => socket.send({ type: "resync" }),
    point: ({ x, y, down }) => socket.send({ type: "pointer", x, y, down }),
    leave: () => socket.send({ type: "pointer_left" }),
  };
}

/** A line that says which batch it is, and its bytes; `null` where it is none. */
function readBatch(buffer) {
  const end = new Uint8Array(buffer, 0, Math.min(buffer.byteLength, MAX_HEADER_BYTES)).indexOf(10);
  try {
    const { epoch, seq } = JSON.parse(new TextDecoder().decode(buffer.slice(0, Math.max(end, 0))));
    return Number.isSafeInteger(epoch) && Number.isSafeInteger(seq) ? { epoch, seq, bytes: buffer.slice(end + 1) } : null;
  } catch {
    return null;
  }
}

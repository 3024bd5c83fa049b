// An agent at the desk, over the desk's API: what customers do is seen here, and what agents do comes from here.
import { once } from "node:events";

import WebSocket from "ws";

import { DEMO_AGENT } from "../../browser/support/gateway.mjs";

let lastKey = 0;

export class Desk {
  #gateway;
  #headers;
  #stream;

  /** Signs in and opens the desk, so that the agent is on duty. Close it before the gateway goes. */
  static async open(gateway, { login, password } = DEMO_AGENT) {
    const desk = new Desk();
    desk.#gateway = gateway;
    const response = await fetch(`${gateway}/desk/api/v1/sessions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ login, password }),
    });
    const { agent, csrf_token } = await response.json();
    desk.agent = agent;
    desk.#headers = { cookie: response.headers.getSetCookie()[0].split(";", 1)[0], "x-csrf-token": csrf_token };
    const stream = new WebSocket(`${gateway.replace("http", "ws")}/desk/api/v1/stream`, { headers: { cookie: desk.#headers.cookie, origin: gateway } });
    await once(stream, "message");
    desk.#stream = stream;
    return desk;
  }

  /** Not on duty any more. */
  close() {
    this.#stream.terminate();
  }

  /** A call of the desk's API; rejects with its `status`. */
  async ask(method, path, body) {
    const response = await fetch(`${this.#gateway}/desk/api/v1${path}`, {
      method,
      headers: { ...this.#headers, ...(body && { "content-type": "application/json" }) },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    const answer = text ? JSON.parse(text) : null;
    if (!response.ok) throw Object.assign(new Error(`${method} ${path}: ${response.status} ${text}`), { status: response.status, answer });
    return answer;
  }

  /** The chat as the desk lists it, in the queue or among the agent's own. */
  async chat(id) {
    const { queue, mine } = await this.ask("GET", "/chats");
    return [...queue, ...mine].find((chat) => chat.id === id);
  }

  async accept(id) {
    return (await this.ask("POST", `/chats/${id}/accept`, {})).chat;
  }

  async say(id, message) {
    lastKey += 1;
    const body = { client_id: `desk-${lastKey}`, message: typeof message === "string" ? { type: "text", content: message } : message };
    return this.ask("POST", `/chats/${id}/messages`, body);
  }

  async messages(id) {
    return (await this.ask("GET", `/chats/${id}/messages?after_index=0`)).messages;
  }

  finish(id) {
    return this.ask("PATCH", `/chats/${id}`, { status: "finished" });
  }

  /** The chat's event stream, for typing: `{ frames, say, close }`; `frames` are those heard so far. */
  async join(id) {
    const socket = new WebSocket(`${this.#gateway.replace("http", "ws")}/desk/api/v1/chats/${id}/stream`, {
      headers: { cookie: this.#headers.cookie, origin: this.#gateway },
    });
    const frames = [];
    const waiting = new Set();
    socket.on("message", (data) => {
      frames.push(JSON.parse(data));
      for (const look of waiting) look();
    });
    await once(socket, "open");
    socket.send(JSON.stringify({ type: "join", cursor: 0 }));
    return {
      frames,
      say: (frame) => socket.send(JSON.stringify(frame)),
      close: () => socket.terminate(),
      /** The first frame that is accepted, once it came. */
      async hears(accepts) {
        for (;;) {
          const found = frames.find(accepts);
          if (found) return found;
          await new Promise((resolve) => {
            const wake = () => (waiting.delete(wake), resolve());
            waiting.add(wake);
          });
        }
      },
    };
  }
}

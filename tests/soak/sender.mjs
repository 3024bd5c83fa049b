// An agent who writes as fast as the gateway stores: many requests on the way at a time, written straight to a few connections one after the
// other (HTTP pipelining), because a thousand promises of `fetch` would cost more than the gateway does. Remembers where each message went.

import { once } from "node:events";
import { connect } from "node:net";

const CONNECTIONS = 16;
/** Requests on the way on each connection. */
const AHEAD = 16;

export class Sender {
  /** The number of the message at each index; 0 where someone else's message is. */
  places;
  acknowledged = 0;
  #gateway;
  #headers;
  #chatId;
  #sockets = [];
  #next = 1;
  #until = 0;
  #done;
  #failed;

  /** `headers` authorise the agent; `most` is how many messages there may be. */
  static async open({ gateway, headers, chatId, most }) {
    const sender = new Sender();
    sender.#gateway = new URL(gateway);
    sender.#headers = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    sender.#chatId = chatId;
    sender.places = new Uint32Array(most + 1000);
    for (let count = CONNECTIONS; count > 0; count -= 1) await sender.#connect();
    return sender;
  }

  /** Sends until this many are stored. */
  async sendUntil(count) {
    this.#until = count;
    const done = new Promise((resolve, reject) => ([this.#done, this.#failed] = [resolve, reject]));
    for (const connection of this.#sockets) this.#fill(connection);
    await done;
  }

  close() {
    for (const { socket } of this.#sockets) socket.destroy();
  }

  async #connect() {
    const socket = connect({ host: this.#gateway.hostname, port: this.#gateway.port, noDelay: true });
    await once(socket, "connect");
    const connection = { socket, waiting: [], rest: "" };
    socket.setEncoding("latin1");
    socket.on("data", (text) => this.#take(connection, text));
    socket.on("error", (error) => this.#failed?.(error));
    socket.on("close", () => this.#failed?.(new Error("the gateway closed a connection")));
    this.#sockets.push(connection);
  }

  #fill(connection) {
    let text = "";
    while (this.#next <= this.#until && connection.waiting.length < AHEAD) {
      text += this.#request(this.#next);
      connection.waiting.push(this.#next);
      this.#next += 1;
    }
    if (text) connection.socket.write(text);
  }

  #request(number) {
    const body = `{"client_id":"soak-${String(number).padStart(12, "0")}","message":{"type":"text","content":"${number} is the number of this message"}}`;
    return `POST /desk/api/v1/chats/${this.#chatId}/messages HTTP/1.1\r\nhost: ${this.#gateway.host}\r\n${this.#headers}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  }

  #take(connection, text) {
    connection.rest += text;
    for (;;) {
      const end = connection.rest.indexOf("\r\n\r\n");
      if (end < 0) break;
      const head = connection.rest.slice(0, end);
      const length = Number(/content-length: (\d+)/iu.exec(head)?.[1] ?? 0);
      if (connection.rest.length < end + 4 + length) break;
      const body = connection.rest.slice(end + 4, end + 4 + length);
      connection.rest = connection.rest.slice(end + 4 + length);
      const number = connection.waiting.shift();
      if (!head.startsWith("HTTP/1.1 201")) return void this.#failed(new Error(`message ${number}: ${head.split("\r\n", 1)[0]} ${body}`));
      this.places[Number(/"index":(\d+)/u.exec(body)[1])] = number;
      this.acknowledged += 1;
    }
    if (this.acknowledged === this.#until) this.#done();
    else this.#fill(connection);
  }
}

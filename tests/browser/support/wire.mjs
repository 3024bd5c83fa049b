// Records what passes between a page and a gateway: a proxy on loopback that keeps every body and every frame, both ways, as text. Compressed bodies are
// kept unpacked, because a secret that is packed is on the wire all the same.

import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { gunzipSync } from "node:zlib";

import { WebSocket, WebSocketServer } from "ws";

export class Wire {
  /** `{ from: "page" | "gateway", method, path, text }`, in the order in which they passed; with a request of the page its headers, too. */
  passed = [];
  #upstream;
  #server;
  #sockets = new WebSocketServer({ noServer: true, handleProtocols: (protocols) => [...protocols][0] });

  constructor(upstream) {
    this.#upstream = new URL(upstream);
    this.#server = createServer((request, response) => this.#exchange(request, response));
    this.#server.on("upgrade", (request, socket, head) => this.#sockets.handleUpgrade(request, socket, head, (page) => this.#join(page, request)));
  }

  static async open(upstream) {
    const wire = new Wire(upstream);
    wire.#server.listen(0, "127.0.0.1");
    await once(wire.#server, "listening");
    return wire;
  }

  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** Everything that passed so far where `where` says so, as one text. */
  text(where = () => true) {
    return this.passed.filter(where).map(({ path, text }) => `${path}\n${text}`).join("\n");
  }

  async close() {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #keep(from, request, bytes) {
    const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
    const headers = from === "page" ? request.rawHeaders.join("\n") : "";
    this.passed.push({ from, method: request.method, path: request.url, text: `${headers}\n${isPacked ? gunzipSync(bytes) : bytes}` });
  }

  async #exchange(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    this.#keep("page", request, body);
    const onward = httpRequest(new URL(request.url, this.#upstream), { method: request.method, headers: { ...request.headers, "accept-encoding": "identity" } });
    response.once("close", () => onward.destroy());
    onward.once("error", () => response.destroy());
    onward.once("response", async (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      const parts = [];
      answer.on("data", (part) => {
        parts.push(part);
        response.write(part);
      });
      answer.once("end", () => {
        this.#keep("gateway", request, Buffer.concat(parts));
        response.end();
      });
      answer.once("error", () => response.destroy());
    });
    onward.end(body);
  }

  #join(page, request) {
    const { origin, authorization, cookie } = request.headers;
    const headers = Object.fromEntries(Object.entries({ origin, authorization, cookie }).filter(([, value]) => value));
    const url = new URL(request.url, this.#upstream);
    url.protocol = "ws:";
    const gateway = new WebSocket(url, page.protocol, { headers });
    const waiting = [];
    page.on("message", (data, isBinary) => {
      this.#keep("page", request, data);
      if (gateway.readyState === WebSocket.OPEN) gateway.send(data, { binary: isBinary });
      else waiting.push([data, isBinary]);
    });
    gateway.on("open", () => {
      for (const [data, isBinary] of waiting.splice(0)) gateway.send(data, { binary: isBinary });
    });
    gateway.on("message", (data, isBinary) => {
      this.#keep("gateway", request, data);
      page.send(data, { binary: isBinary });
    });
    const goodCode = (code) => (code === 1000 || (code >= 3000 && code < 5000) ? code : 1000);
    page.on("close", (code) => (gateway.readyState === WebSocket.OPEN ? gateway.close(goodCode(code)) : gateway.terminate()));
    gateway.on("close", (code, reason) => page.close(goodCode(code), reason));
    page.on("error", () => gateway.terminate());
    gateway.on("error", () => page.terminate());
  }
}

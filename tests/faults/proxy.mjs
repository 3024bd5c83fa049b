// A faulty network on loopback: an HTTP and WebSocket proxy in front of a gateway that resets, silences, refuses, delays, blocks and cuts
// what passes. Every fault is counted by kind where it hit something. It repairs nothing and repeats nothing by itself.

import { once } from "node:events";
import { createServer as createHttpServer, request as httpRequest } from "node:http";
import { connect, createServer } from "node:net";

/** Below the range from which systems take ports for outgoing connections, so that a port that is let go can be taken again. */
const PORTS = { first: 15_000, count: 15_000 };

/** Every fault, as it is counted. */
export const FAULTS = [
  "reset",
  "halfOpen",
  "silence",
  "refuse",
  "latency",
  "status401",
  "status429",
  "status503",
  "opaque503",
  "lostAnswer",
  "cutAnswer",
  "cutFrame",
  "streamRefused",
  "streamHangs",
];

const BODIES = { 401: "unauthorized", 429: "rate_limited", 503: "unavailable" };

export class FaultProxy {
  /** How often each kind hit something. */
  counts = Object.fromEntries(FAULTS.map((kind) => [kind, 0]));
  #upstream;
  #port;
  #listener;
  #http;
  #links = new Set();
  #linkOf = new WeakMap();
  /** What the gateway still believes to be connected. */
  #lingering = new Set();
  #latencyMs = 0;
  #silent = false;
  #blocked = null;
  #answers = [];
  #cutFrames = 0;

  /** `upstream` is the gateway's origin. */
  constructor(upstream) {
    this.#upstream = new URL(upstream);
    this.#http = createHttpServer({ keepAliveTimeout: 60_000 }, (request, response) => this.#exchange(request, response));
    this.#http.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    this.#http.on("clientError", (_, socket) => socket.destroy());
  }

  get origin() {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start() {
    for (let tries = 0; ; tries += 1) {
      this.#port = PORTS.first + Math.floor(Math.random() * PORTS.count);
      try {
        await this.#listen();
        return this;
      } catch (error) {
        if (error.code !== "EADDRINUSE" || tries > 100) throw error;
      }
    }
  }

  async close() {
    await this.#stopListening();
    for (const link of this.#links) link.end();
    for (const upstream of this.#lingering) upstream.destroy();
    this.#http.close();
  }

  // ---- faults

  /** Resets every connection. */
  reset() {
    for (const link of this.#links) {
      this.counts.reset += 1;
      link.reset();
    }
  }

  /** The connections that are open stay open, and no byte passes on them any more, ever. */
  halfOpen() {
    for (const link of this.#links) {
      if (link.dead) continue;
      this.counts.halfOpen += 1;
      link.die();
    }
  }

  /** From now on nothing passes on any connection, old or new; what is held is never answered. */
  silence() {
    this.#silent = true;
  }

  /** Nobody listens any more, and what was open is reset. */
  async refuse() {
    this.counts.refuse += 1;
    await this.#stopListening();
    for (const link of this.#links) link.reset();
  }

  /** Each request, answer and frame takes so much longer. */
  setLatency(ms) {
    this.#latencyMs = ms;
  }

  /** The next `count` requests are answered with `status`. An `opaque` answer lacks the headers that let a page of another origin read it. */
  answer(count, { status, retryAfterS, opaque = false }) {
    for (let left = count; left > 0; left -= 1) this.#answers.push({ kind: opaque ? "opaque503" : `status${status}`, status, retryAfterS, opaque });
  }

  /** The gateway gets the next `count` requests, and the client never hears its answer. */
  loseAnswers(count) {
    for (let left = count; left > 0; left -= 1) this.#answers.push({ kind: "lostAnswer" });
  }

  /** The next `count` answers break off in the middle of their body. */
  cutAnswers(count) {
    for (let left = count; left > 0; left -= 1) this.#answers.push({ kind: "cutAnswer" });
  }

  /** The next `count` writes of the gateway to a stream break off in the middle, and the connection with them. */
  cutFrames(count) {
    this.#cutFrames += count;
  }

  /** Event streams over WebSocket are refused (`refuse`), never answered (`hang`) or let through (null). */
  blockStreams(how) {
    this.#blocked = how;
  }

  /** Everything that begins from now on works. What is half open stays so. `release` resets what waits for an answer that never comes. */
  async heal({ release = false } = {}) {
    this.#silent = false;
    this.#latencyMs = 0;
    this.#blocked = null;
    this.#answers = [];
    this.#cutFrames = 0;
    for (const link of this.#links) {
      if (release && link.held) link.reset();
    }
    await this.#listen();
  }

  // ---- listening

  async #listen() {
    if (this.#listener) return;
    const listener = createServer((socket) => {
      socket.setNoDelay(true);
      const link = new Link(socket, this.#lingering, () => this.#links.delete(link));
      this.#links.add(link);
      this.#linkOf.set(socket, link);
      this.#http.emit("connection", socket);
    });
    listener.listen(this.#port, "127.0.0.1");
    await once(listener, "listening");
    this.#listener = listener;
  }

  async #stopListening() {
    const listener = this.#listener;
    this.#listener = null;
    // Not awaited: it would wait for the connections, too.
    listener?.close();
  }

  // ---- REST, and streams that are answers

  async #exchange(request, response) {
    const link = this.#linkOf.get(request.socket);
    const body = await read(request);
    if (body === null || this.#holds(link)) return;
    const fault = this.#faultFor(request);
    if (fault?.status) {
      await this.#pause();
      return void this.#refuseRequest(request, response, fault);
    }
    await this.#pause();
    if (link.dead) return;
    const { hostname: host, port } = this.#upstream;
    const forwarded = httpRequest({ host, port, agent: false, method: request.method, path: request.url, headers: withoutHop(request.headers) });
    link.attach(forwarded);
    forwarded.on("error", () => link.reset());
    forwarded.on("response", (answer) => {
      const isStream = /^text\/event-stream/u.test(answer.headers["content-type"] ?? "");
      if (isStream) this.#stream(link, answer, response);
      else this.#deliver(link, answer, response, fault);
    });
    forwarded.end(body);
  }

  async #deliver(link, answer, response, fault) {
    const body = await read(answer);
    await this.#pause();
    if (body === null || this.#holds(link)) return;
    if (fault?.kind === "lostAnswer") {
      this.counts.lostAnswer += 1;
      return link.reset();
    }
    response.writeHead(answer.statusCode, headersOf(answer, body));
    if (fault?.kind === "cutAnswer" && body.length > 1) {
      this.counts.cutAnswer += 1;
      response.write(body.subarray(0, body.length / 2), () => link.reset());
    } else {
      response.end(body);
    }
  }

  #stream(link, answer, response) {
    if (this.#holds(link)) return;
    response.writeHead(answer.statusCode, withoutHop(answer.headers));
    response.flushHeaders();
    this.#carry(link, answer, response, { isDownstream: true });
    answer.on("end", () => link.dead || response.end());
    answer.on("error", () => link.reset());
  }

  #refuseRequest(request, response, { kind, status, retryAfterS, opaque }) {
    this.counts[kind] += 1;
    const headers = { "content-type": "application/json" };
    if (retryAfterS !== undefined) headers["retry-after"] = String(retryAfterS);
    if (!opaque && request.headers.origin) {
      headers["access-control-allow-origin"] = request.headers.origin;
      headers["access-control-expose-headers"] = "retry-after";
    }
    const error = { code: BODIES[status], message: "A fault of the network." };
    if (retryAfterS !== undefined) error.retry_after_ms = retryAfterS * 1000;
    response.writeHead(status, headers).end(JSON.stringify({ error }));
  }

  /** A preflight is spared where what it asks for is what is to fail. */
  #faultFor(request) {
    return request.method === "OPTIONS" ? undefined : this.#answers.shift();
  }

  // ---- WebSocket

  #upgrade(request, socket, head) {
    const link = this.#linkOf.get(socket);
    socket.on("error", () => link.end());
    if (this.#holds(link)) return;
    if (this.#blocked === "refuse") {
      this.counts.streamRefused += 1;
      return void socket.end("HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    }
    if (this.#blocked === "hang") {
      this.counts.streamHangs += 1;
      link.held = true;
      return;
    }
    const upstream = connect({ host: this.#upstream.hostname, port: this.#upstream.port, noDelay: true });
    link.attach(upstream);
    upstream.on("error", () => link.reset());
    upstream.on("end", () => link.dead || link.end());
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let at = 0; at < request.rawHeaders.length; at += 2) lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
    upstream.write(`${lines.join("\r\n")}\r\n\r\n`);
    upstream.write(head);
    this.#carry(link, socket, upstream, { isDownstream: false });
    this.#carry(link, upstream, socket, { isDownstream: true });
  }

  /** Bytes from one to the other, in order, each as late as the latency says. */
  #carry(link, from, to, { isDownstream }) {
    const queue = [];
    let isWaiting = false;
    const pass = () => {
      isWaiting = false;
      while (queue.length > 0 && !link.dead && !link.cut && !link.ended) {
        const { chunk, atMs } = queue[0];
        const inMs = atMs - performance.now();
        if (inMs > 0) {
          isWaiting = true;
          return void setTimeout(pass, Math.ceil(inMs));
        }
        queue.shift();
        if (this.#holds(link)) return;
        if (isDownstream && this.#cutFrames > 0 && chunk.length > 8) {
          this.#cutFrames -= 1;
          this.counts.cutFrame += 1;
          // Until the reset nothing may follow: bytes that lack some before them are what no network delivers.
          link.cut = true;
          return void to.write(chunk.subarray(0, chunk.length / 2), () => link.reset());
        }
        to.write(chunk);
      }
    };
    from.on("data", (chunk) => {
      if (link.dead || link.cut) return;
      if (this.#latencyMs > 0) this.counts.latency += 1;
      queue.push({ chunk, atMs: performance.now() + this.#latencyMs });
      if (!isWaiting) pass();
    });
  }

  /** Whether this connection gets nothing now; then it gets nothing ever. */
  #holds(link) {
    if (!link || link.ended) return true;
    if (this.#silent && !link.dead) {
      this.counts.silence += 1;
      link.die();
    }
    link.held ||= link.dead;
    return link.dead;
  }

  #pause() {
    if (this.#latencyMs === 0) return undefined;
    this.counts.latency += 1;
    return new Promise((resolve) => setTimeout(resolve, this.#latencyMs));
  }
}

/** One connection of a client, and what was opened for it at the gateway. */
class Link {
  /** No byte passes any more. */
  dead = false;
  /** It was asked something that will not be answered. */
  held = false;
  /** The last bytes before its reset are on their way. */
  cut = false;
  ended = false;
  #socket;
  #upstreams = new Set();
  #lingering;
  #left;

  constructor(socket, lingering, left) {
    this.#socket = socket;
    this.#lingering = lingering;
    this.#left = left;
    socket.on("error", () => this.end());
    socket.on("close", () => this.end());
  }

  attach(upstream) {
    this.#upstreams.add(upstream);
    upstream.on("close", () => this.#upstreams.delete(upstream));
  }

  die() {
    this.dead = true;
  }

  reset() {
    if (!this.ended) this.#socket.resetAndDestroy();
    this.end();
  }

  end() {
    if (this.ended) return;
    this.ended = true;
    this.#socket.destroy();
    for (const upstream of this.#upstreams) {
      if (this.dead) this.#leave(upstream);
      else upstream.destroy();
    }
    this.#left();
  }

  /** The client is gone, but its farewell does not reach the gateway either. */
  #leave(upstream) {
    this.#lingering.add(upstream);
    upstream.on("close", () => this.#lingering.delete(upstream));
  }
}

/** The whole body; null where it broke off. */
async function read(stream) {
  const chunks = [];
  try {
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks);
  } catch {
    return null;
  }
}

/** Headers without those that only concern one connection. */
function withoutHop({ connection: _, "keep-alive": __, "transfer-encoding": ___, ...headers }) {
  return headers;
}

function headersOf(answer, body) {
  const headers = { ...withoutHop(answer.headers), "content-length": body.length };
  if (answer.statusCode === 204) delete headers["content-length"];
  return headers;
}

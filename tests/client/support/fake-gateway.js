// A gateway inside the page, for the wasm-bindgen tests: `fetch` and `WebSocket` are replaced for the origins that a test invents, so that
// a test decides what arrives, when, and what fails. Everything else still reaches the real network.
//
// It speaks docs/protocol.md as far as the tests need it. It is not a second implementation of the gateway: rules such as who may join are
// tested against the real one.

const gateways = new Map();
const realFetch = globalThis.fetch;
const RealWebSocket = globalThis.WebSocket;

globalThis.fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input, location.href);
  const gateway = gateways.get(url.origin);
  return gateway ? gateway.serve(new Request(input, init), url) : realFetch.call(globalThis, input, init);
};

globalThis.WebSocket = function (url, protocols) {
  const gateway = gateways.get(String(url).replace(/^ws/, "http").replace(/\/api.*$/, ""));
  return gateway ? gateway.connect(protocols) : new RealWebSocket(url, protocols);
};

const json = (status, body, headers = {}) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });

export class FakeGateway {
  constructor(origin) {
    this.origin = origin;
    this.log = []; // "METHOD path" of each request, in order
    this.bodies = [];
    this.frames = []; // what clients said on the stream
    this.sockets = [];
    this.messages = [];
    this.chat = null;
    this.endUserId = 5;
    this.refusals = [];
    this.held = [];
    this.holding = null;
    this.down = false;
    this.call = { id: 9, menu_id: 4, status: "queued", type: "Immediate" };
    this.deaf = false; // stores what is sent but does not answer
    gateways.set(origin, this);
  }

  // --- what a test decides ---

  /** The next request whose "METHOD path" starts with this is refused. */
  refuse(start, status, code, retryAfterSeconds) {
    this.refusals.push({ start, status, code, retryAfterSeconds });
  }

  /** Requests whose "METHOD path" starts with this wait until `release()`. */
  hold(start) {
    this.holding = start;
  }

  release() {
    this.holding = null;
    for (const go of this.held.splice(0)) go();
  }

  goDown() {
    this.down = true;
    this.dropSockets(1006);
  }

  comeUp() {
    this.down = false;
  }

  setDeaf(deaf) {
    this.deaf = deaf;
  }

  becomeUser(id) {
    this.endUserId = id;
  }

  /** Someone says something; it is stored and goes out on the stream. */
  say(userType, userId, content) {
    this.#store({ $userType: userType, $userId: userId, type: "text", content });
  }

  /** The chat changes. */
  change(patch) {
    Object.assign(this.chat, JSON.parse(patch), { revision: this.chat.revision + 1 });
    this.#broadcast({ type: "update", chat: this.chat });
  }

  /** A chat that an earlier page began, with this many messages of the agent. */
  prepareChat(count) {
    this.#newChat();
    for (let number = 1; number <= count; number++) this.say("agent", 1, `message ${number}`);
  }

  frame(text) {
    for (const socket of this.sockets) socket.onmessage?.(new MessageEvent("message", { data: text }));
  }

  dropSockets(code) {
    for (const socket of this.sockets.splice(0)) socket.onclose?.(new CloseEvent("close", { code }));
  }

  // --- what a test asks ---

  countRequests(start) {
    return this.log.filter((entry) => entry.startsWith(start)).length;
  }

  storedContents() {
    return this.messages.map((message) => message.content).join("|");
  }

  framesOf(type) {
    return JSON.stringify(this.frames.filter((frame) => frame.type === type));
  }

  openSockets() {
    return this.sockets.length;
  }

  // --- the protocol ---

  async serve(request, url) {
    const path = url.pathname + url.search;
    const entry = `${request.method} ${path}`;
    this.log.push(entry);
    const down = this.down;
    const text = await request.text();
    if (down || request.signal.aborted) throw new TypeError("Failed to fetch");
    if (this.holding && entry.startsWith(this.holding)) await this.#wait(request.signal);
    const refusal = this.refusals.findIndex(({ start }) => entry.startsWith(start));
    if (refusal >= 0) {
      const { status, code, retryAfterSeconds } = this.refusals.splice(refusal, 1)[0];
      const headers = retryAfterSeconds ? { "retry-after": String(retryAfterSeconds) } : {};
      return code === "<html>" ? new Response(code, { status }) : json(status, { error: { code, message: "refused" } }, headers);
    }
    const kind = request.headers.get("content-type");
    if (kind?.startsWith("multipart/form-data")) return this.#route(entry, url, await formOf(text, kind), request);
    return this.#route(entry, url, text ? JSON.parse(text) : null, request);
  }

  #route(entry, url, body, request) {
    if (entry === "POST /api/v1/stream") return this.#streamEvents(body, request.signal);
    if (entry === "POST /api/v1/sessions") {
      this.bodies.push(body);
      return json(200, { session_token: `s${this.endUserId}`, expires_in_ms: 900000, end_user: { id: this.endUserId } });
    }
    if (request.headers.get("authorization") !== `Bearer s${this.endUserId}`) {
      return json(401, { error: { code: "unauthorized", message: "another session" } });
    }
    const index = this.chat?.last_index ?? 0;
    const [path, rest] = [url.pathname.replace("/api/v1", ""), this.#rare(request.method, url, body)];
    if (rest !== undefined) return this.bodies.push({ path, ...body }), rest;
    if (entry === "GET /api/v1/company") return json(200, { name: "Company" });
    if (entry.startsWith("GET /api/v1/menus")) return json(200, { menus: [{ id: 1, name: "Help" }], direct: { key: false, user: false } });
    if (entry === "POST /api/v1/chats") return json(201, { chat: this.#newChat() });
    if (entry === "GET /api/v1/chats/ongoing") return json(200, { chat: this.chat });
    if (entry === "GET /api/v1/chats/7") return json(200, { chat: this.chat });
    if (entry === "PATCH /api/v1/chats/7" || entry === "DELETE /api/v1/chats/7") {
      this.change('{"status":"finished"}');
      return json(200, { chat: this.chat });
    }
    if (entry.startsWith("GET /api/v1/chats/7/messages")) {
      const after = Number(url.searchParams.get("after_index"));
      return json(200, { messages: this.messages.slice(after), last_index: index });
    }
    if (entry === "POST /api/v1/chats/7/messages") return this.#send(body);
    if (entry === "POST /api/v1/chats/7/resume") {
      if (this.chat.status !== "dismissed") return json(409, { error: { code: "conflict", message: "not dismissed" } });
      this.change('{"status":"queued"}');
      return json(200, { chat: this.chat });
    }
    if (entry === "POST /api/v1/chats/7/typing") {
      this.frames.push({ ...body, type: "typing", by: "rest" });
      return new Response(null, { status: 204 });
    }
    if (entry === "POST /api/v1/chats/7/uploads") {
      this.bodies.push(body);
      return json(201, { media_id: 40, upload: { url: "/form", fields: { key: "k" } } });
    }
    return json(404, { error: { code: "not_found", message: "no such thing" } });
  }

  /** The calls that few chats make; undefined for any other. */
  #rare(method, url, body) {
    const ask = `${method} ${url.pathname.replace("/api/v1", "")}`;
    const chat = (patch) => (this.change(JSON.stringify(patch)), json(200, { chat: this.chat }));
    const conflict = json(409, { error: { code: "conflict", message: "not now" } });
    const deflection = { enabled: true, threshold: 300, email: false, keep_waiting: true, external_deflection_links: { enabled: false, ids: [] }, links: [] };
    switch (ask) {
      case "GET /after_hours_message":
        return json(200, { message: `closed (${url.searchParams.get("lang")})` });
      case "GET /feature_flags":
        return json(200, { flags: { chat: true, cobrowse: false } });
      case "GET /deflection":
        return json(200, deflection);
      case "GET /chats/7/deflection":
        return json(200, { ...deflection, reason: "over_capacity" });
      case "POST /chats/7/escalations":
        return json(201, { id: 3, chat_id: 7, status: "escalated" });
      case "PATCH /chats/7/escalations/3":
        return json(200, { id: 3, chat_id: 7, status: "deflected" });
      case "POST /chats/7/events":
      case "POST /chats/7/visibility":
      case "POST /chats/7/preview":
        this.frames.push({ ...body, type: ask.split("/").pop(), by: "rest" });
        return new Response(null, { status: 204 });
      case "POST /chats/7/check_in":
        return this.chat.status === "queued" ? chat({ check_in: body.state }) : conflict;
      case "PATCH /chats/7/post_session":
        return this.chat.post_session_required ? chat({ post_session_transfer_status: body.opt_in_selection === false ? "finished" : body.status }) : conflict;
      case "POST /chats/7/rejoin":
        return this.chat.status === "checked_out" ? chat({ status: "queued" }) : conflict;
      case "POST /menus/4/calls":
        return json(201, { ...this.call, status: body.call.scheduled_at ? "scheduled" : "queued", lang: body.call.lang });
      case "GET /calls/9":
        return json(200, this.call);
      case "PATCH /calls/9":
        return json(200, { ...this.call, ...body });
      case "GET /menus/4/time_slots":
        return json(200, { time_slots: [`2030-01-02T09:00:00Z${url.search}`] });
      case "GET /menus/4/time_slot_availability":
        return json(200, { slots: [{ at: "2030-01-02T09:00:00Z", free: 1, capacity: 2 }], slot_ms: 1800000, timezone: url.search });
      case "GET /chat_history": {
        const entries = [{ $index: 1, $timestamp: 1700000000000, $userType: "agent", $userId: 1, type: "photo", media_id: 40, media: { name: "old.png", content_type: "image/png", size: 3 } }];
        const chats = [{ comm_id: 6, assigned_at: "2026-01-01T00:00:00Z", comm_type: "chat", timezone: "UTC", entries }];
        return json(200, { chats, missing_chat_ids: [5], pagination: { next_page: -1, per_page: 10 } });
      }
      case "GET /chats/6/media/40":
      case "GET /chats/7/media/40":
        return new Response(new Blob([ask.includes("/6/") ? "old" : "new"], { type: "application/octet-stream" }));
      case "GET /prohibited_file_types":
        return json(200, { file_types: [{ extension: "exe", description: "Windows program" }] });
      case "POST /chats/7/transcript_mails":
        return new Response(null, { status: 204 });
      case "POST /menus/1/emails":
        return json(201, { id: 9, type: "email", status: "open", fail_reason: "", attachment_count: body.files });
      case "GET /chats/7/survey": {
        const lang = url.searchParams.get("lang");
        return json(200, { id: 1, lang, sign_off_display_text: "Thanks", questions: [{ id: 11, type: "star", display_text: "How was it?", position: 1 }] });
      }
      case "POST /chats/7/survey":
      case "POST /chats/7/rating": {
        if (this.chat.status !== "finished") return conflict;
        const fields = [{ question_id: 11, problem: "unknown_option" }];
        if (body.answers?.[11] === 9) return json(400, { error: { code: "invalid_argument", message: "not among the answers", fields } });
        return new Response(null, { status: 204 });
      }
      case "POST /chats/7/transcripts":
        return json(201, { status: "pending", chat_transcript_id: 8 });
      case "GET /chats/7/transcripts/8":
        return new Response('{"status":"pending"}', { headers: { "content-type": "application/json", "x-transcript-status": "pending" } });
      case "GET /chats/7/transcripts/9":
        return new Response(new Blob(["%PDF-"], { type: "application/pdf" }), { headers: { "x-transcript-status": "finished" } });
      case "GET /chats/7/transcripts/10":
        return json(200, { status: "failed", failed_reason: "too_large" });
      case "GET /chats/7/transcripts/11":
        return new Response("<p>not what was expected");
      case "GET /chats/7/forms/2":
        return json(200, { title: `Details (${url.searchParams.get("lang")})`, header: "", footer: "", questions: [] });
      case "POST /chats/7/forms/2":
        if (body.form_response.length === 0) {
          const fields = [{ question_id: 1, problem: "missing" }];
          return json(400, { error: { code: "invalid_argument", message: "answers are missing", fields } });
        }
        return json(201, { index: 3, sid: "m3", timestamp_ms: 1 });
      default:
        return undefined;
    }
  }

  #send({ client_id, message }) {
    let stored = this.messages.find((other) => other.client_id === client_id);
    const status = stored ? 200 : 201;
    stored ??= this.#store({ ...message, $userType: "end_user", $userId: this.endUserId, client_id });
    if (this.deaf) throw new TypeError("Failed to fetch");
    return json(status, { index: stored.$index, sid: stored.$sid, timestamp_ms: stored.$timestamp });
  }

  #newChat() {
    this.messages = [];
    this.chat = { id: 7, status: "va_assigned", revision: 1, last_index: 0, members: [] };
    return this.chat;
  }

  #store(message) {
    const $index = this.messages.length + 1;
    const stored = { ...message, $index, $sid: `m${$index}`, $timestamp: 1700000000000 + $index };
    this.messages.push(stored);
    this.chat.last_index = $index;
    if (!this.deaf) this.#broadcast({ type: "update", messages: [stored] });
    return stored;
  }

  #broadcast(frame) {
    for (const socket of this.sockets.filter((socket) => socket.joined)) socket.deliver(frame);
  }

  #wait(signal) {
    return new Promise((resolve, reject) => {
      this.held.push(resolve);
      signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
    });
  }

  connect(protocols) {
    if (protocols !== "sportello.v1") throw new Error("the subprotocol is missing");
    const socket = {
      joined: false,
      deliver: (frame) => queueMicrotask(() => socket.onmessage?.(new MessageEvent("message", { data: JSON.stringify(frame) }))),
      send: (text) => this.#hear(socket, JSON.parse(text)),
      close: () => (this.sockets = this.sockets.filter((other) => other !== socket)),
    };
    setTimeout(() => {
      if (this.down || this.socketsBlocked) return socket.onclose?.(new CloseEvent("close", { code: 1006 }));
      this.sockets.push(socket);
      socket.onopen?.(new Event("open"));
    });
    return socket;
  }

  /** The event stream for clients whose WebSockets do not get through. */
  #streamEvents(join, signal) {
    const encoder = new TextEncoder();
    const gateway = this;
    const socket = { close() {} };
    const body = new ReadableStream({
      start(events) {
        // In two pieces, as a network may cut it.
        socket.deliver = (frame) => {
          const bytes = encoder.encode(`data: ${JSON.stringify(frame)}\n\n`);
          events.enqueue(bytes.slice(0, 20));
          events.enqueue(bytes.slice(20));
        };
        socket.onclose = () => events.close();
        gateway.sockets.push(socket);
        gateway.#hear(socket, join);
      },
    });
    signal.addEventListener("abort", () => (this.sockets = this.sockets.filter((other) => other !== socket)));
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }

  blockSockets() {
    this.socketsBlocked = true;
  }

  #hear(socket, frame) {
    this.frames.push(frame);
    if (frame.type === "ping") return socket.deliver({ type: "pong" });
    if (frame.type !== "join") return;
    if (frame.token !== `s${this.endUserId}`) {
      return socket.deliver({ type: "error", code: "unauthorized", message: "another session" });
    }
    socket.joined = true;
    socket.deliver({ type: "joined", chat: this.chat, cursor: frame.cursor, heartbeat_ms: 20000 });
    const missed = this.messages.slice(frame.cursor);
    if (missed.length) socket.deliver({ type: "update", messages: missed });
  }
}

/** A storage that is full: it reads, but refuses every write. */
export function fullStorage() {
  return {
    length: 0,
    key: () => null,
    getItem: () => null,
    removeItem: () => {},
    setItem: () => {
      throw new DOMException("full", "QuotaExceededError");
    },
  };
}

/** Runs a function while the page's `localStorage` throws, as in a third-party frame. */
export function withStorageRefused(run) {
  const own = Object.getOwnPropertyDescriptor(globalThis, "localStorage");
  Object.defineProperty(globalThis, "localStorage", {
    configurable: true,
    get() {
      throw new DOMException("refused", "SecurityError");
    },
  });
  try {
    return run();
  } finally {
    if (own) Object.defineProperty(globalThis, "localStorage", own);
    else delete globalThis.localStorage;
  }
}

/** Swallows the page's error events while a test makes listeners throw; gives how many there were. */
export function countPageErrors() {
  const counter = { count: 0 };
  counter.stop = () => removeEventListener("error", onError, true);
  const onError = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    counter.count += 1;
  };
  addEventListener("error", onError, true);
  return counter;
}

/** Counts the listeners on a signal, to see that ours are taken off. */
export function watchedController() {
  const controller = new AbortController();
  const counts = { added: 0, removed: 0 };
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args) => (counts.added++, add(...args));
  signal.removeEventListener = (...args) => (counts.removed++, remove(...args));
  return { controller, signal, counts };
}

/** Says whether the page is hidden, as far as the page can tell, and that it changed. */
export function setHidden(hidden) {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}

/** A frame on the page. */
export function frame() {
  const iframe = document.createElement("iframe");
  document.body.append(iframe);
  return iframe;
}

/** A window message from a frame, as the browser would deliver it. */
export function postFrom(source, origin, data) {
  dispatchEvent(new MessageEvent("message", { source: source.contentWindow, origin, data }));
}

/** How the package loads its chunks, but with a `files` that keeps them in memory and uploads to nowhere; `log` tells what it was asked. */
export function chunksWith(open, lost, more) {
  const log = [];
  const kept = new Map();
  return {
    log,
    events: async () => ({ open }),
    more: async () => (log.push("more"), { plan: more }),
    files: async () => ({
      keep: async (key, file) => void (kept.set(key, file), log.push("keep")),
      forget: async (key) => void (kept.delete(key), log.push("forget")),
      upload: async (url, fields, key, file, stalledMs, signal, heard) => {
        file ??= kept.get(key);
        log.push(`upload ${url} ${fields.key} ${file?.size}`);
        if (lost) return -1;
        for (const sent of [1, file.size]) heard(sent, file.size);
        return 204;
      },
    }),
  };
}

/** Values that no caller should give, some that one may, and some that throw when they are looked at. */
export function oddValues() {
  const cycle = {};
  cycle.cycle = cycle;
  const throwing = () => {
    throw new Error("odd");
  };
  const hostile = new Proxy({}, { get: throwing, has: throwing, ownKeys: throwing, getPrototypeOf: throwing, getOwnPropertyDescriptor: throwing });
  const { proxy: revoked, revoke } = Proxy.revocable({}, {});
  revoke();
  const form = { id: 1, form_type: "browser_form", name: "f", smart_action_id: 2, preview_endpoint: "https://forms.test/" };
  const deep = JSON.parse("[".repeat(3000) + "]".repeat(3000));
  return [
    undefined, null, true, false, 0, -0, 1, 3, 7, -1, 1.5, 2 ** 53, 1e308, NaN, Infinity, "", "x", "7", " 7", "1e3", "\ud800", "\0", "x".repeat(300_000), "__proto__",
    10n, Symbol("odd"), throwing, class {}, [], [1, [2]], [{ question_id: 1, value: "x" }], [hostile], deep, {}, { lang: "en" }, { reason: 7 }, { end_user_name: {} },
    cycle, { toJSON: throwing }, { toJSON: () => undefined }, { get type() { return throwing(); } }, { valueOf: throwing, toString: throwing }, Object.create(null), hostile, revoked,
    new Date(NaN), new Map(), new Error("odd"), Promise.reject(new Error("odd")).catch(() => {}) && {}, new Uint8Array(9), globalThis, document, document.createElement("iframe"),
    new Blob([]), new File(["x"], "\u202egnp.exe", { type: "image/png" }), new File([], ""), { type: "form", signature: "s", form }, { type: "form", form: { smart_action_id: 2 } },
    { type: "photo", media_id: 40 }, { media_id: -1 }, { document: { url: "/api/v1/chats/7/media/40" } }, { type: "text", content: "x" }, { type: 7 }, { type: "text", content: 10n },
  ];
}

/** Options that may follow the arguments. */
export function oddOptions() {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 3);
  const hostile = new Proxy({}, { get: () => { throw new Error("odd"); } });
  return [
    undefined, undefined, undefined, null, {}, 7, "x", hostile, { signal: null }, { signal: "no" }, { signal: AbortSignal.abort() }, { signal: controller.signal },
    { onProgress: 7 }, { onProgress: () => { throw new Error("odd"); } },
  ];
}

/** Counts rejections that nobody handles, and says what they were. */
export function countUnhandled() {
  const counter = { reasons: [] };
  const onUnhandled = (event) => {
    event.preventDefault();
    counter.reasons.push(String(event.reason?.code ?? event.reason));
  };
  addEventListener("unhandledrejection", onUnhandled);
  counter.stop = () => removeEventListener("unhandledrejection", onUnhandled);
  return counter;
}

/** Handles a rejection, if it comes. */
export function handle(promise) {
  promise.catch(() => {});
}

/** The outcome of a promise, `{ value }` or `{ error }`, and `{}` where it does not come in time. */
export function outcomeWithin(promise, ms) {
  return Promise.race([promise.then((value) => ({ value }), (error) => ({ error })), new Promise((resolve) => setTimeout(() => resolve({}), ms))]);
}

/** What a form says, and how many files it has and what they are called. */
async function formOf(text, kind) {
  const form = await new Response(text, { headers: { "content-type": kind } }).formData();
  const files = form.getAll("files[]");
  return { ...JSON.parse(form.get("data")), files: files.length, names: files.map(({ name }) => name).join() };
}

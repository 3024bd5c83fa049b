// What runs in a tab: an application that uses the SDK and says of everything it did and heard what it was, in the order in which it
// happened. Judges nothing. The function is sent to the page as text, so it uses nothing of this module.

/** Starts the application in the page; `globalThis.app` is then its handle. */
export async function startApp({ life, gateway, token, chat: createIn, resumes, options }) {
  const note = (kind, fields = {}) => globalThis.sportelloNote(JSON.stringify({ life, kind, ...fields }));
  // What decides over a message must be known even where the page goes before it is heard. In the storage that the SDK uses, and before it:
  // whoever can read what the SDK kept can read this.
  const lastWords = `test|${gateway}|`;
  let words = 0;
  const noteForGood = (kind, fields) => {
    words += 1;
    localStorage.setItem(`${lastWords}${life}|${String(words).padStart(6, "0")}`, JSON.stringify({ life, kind, ...fields }));
    note(kind, fields);
  };
  const { Client, isSportelloError } = await import("/pkg/index.js");
  const failure = (error) => ({ code: String(error?.code ?? error), typed: isSportelloError(error) && error.name === "SportelloError" });

  let authFails = 0;
  let authHangs = 0;
  const client = new Client({
    companyId: "demo",
    host: gateway,
    authenticate: async () => {
      if (authFails > 0) {
        authFails -= 1;
        note("authFailed");
        throw new Error("the site's server does not answer");
      }
      if (authHangs > 0) {
        authHangs -= 1;
        note("authHung");
        return new Promise(() => {});
      }
      return { token };
    },
    ...options,
  });

  // A text begins with its id; a picture is named after it.
  const idOf = (message) => message.content?.split(" ", 1)[0] ?? (message.$file ?? message.media)?.name?.split(".", 1)[0] ?? null;
  const plain = (message) => ({ index: message.$index, sid: message.$sid, user: message.$userType, type: message.type, id: idOf(message), clientId: message.client_id ?? null });
  const idsByKey = new Map();
  const main = (message) => note("message", plain(message));
  client.on("chat.message", main);
  for (const event of ["ready", "authenticated", "chat.connected", "chat.reconnected", "chat.disconnected", "chat.ended", "chat.dismissed"]) {
    client.on(event, () => note("event", { event }));
  }
  client.on("connection", (state) => note("event", { event: `connection ${state}` }));
  let lastError;
  client.on("error", (error) => {
    lastError = error;
    note("event", { event: `error ${error.code}`, typed: isSportelloError(error) });
  });
  client.on("chat.dismissed", () => {
    if (!resumes) return;
    client.resumeChat(client.chat.state.id).then(
      () => note("resumed"),
      (error) => note("resumeFailed", failure(error)),
    );
  });
  client.on("chat.delivery", ({ clientId, state, index, error }) => {
    // Only the outbox knows which message this is, and only until it is sent.
    for (const entry of client.outbox) idsByKey.set(entry.clientId, idOf(entry.message));
    (state === "failed" ? noteForGood : note)("delivery", { id: idsByKey.get(clientId) ?? null, clientId, state, index, ...(error && failure(error)) });
  });

  // A real application offers no text field before the chat is there, and tries again where it cannot be loaded.
  const loaded = (async () => {
    for (;;) {
      try {
        const chat = createIn ? await client.createChat(createIn) : await client.loadOngoingChat();
        note("loaded", { chatId: chat?.state.id ?? null, lastIndex: createIn ? 0 : (chat?.state.last_index ?? null) });
        return chat;
      } catch (error) {
        note("loadFailed", failure(error));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  })();

  let fetches = 0;
  let listeners = 0;
  globalThis.app = {
    /** Sends one text for each id; says when, and how each ended. */
    async send(ids, { by = "client", abortAfterMs } = {}) {
      const chat = await loaded;
      const abort = abortAfterMs === undefined ? undefined : new AbortController();
      for (const id of ids) {
        noteForGood("send", { id });
        const text = `${id} ${"lorem ipsum ".repeat(id.length % 5)}`;
        const call = by === "client" ? client.sendTextMessage(text, { signal: abort?.signal }) : chat.sendMessage({ type: "text", content: text }, { signal: abort?.signal });
        call.then(
          (index) => note("sent", { id, index: index ?? null }),
          (error) => noteForGood("rejected", { id, ...failure(error) }),
        );
      }
      if (abort) setTimeout(() => abort.abort(), abortAfterMs);
    },
    /** Sends a picture of so many pixels square, which is nothing but noise. */
    async sendFile(id, pixels) {
      await loaded;
      const canvas = new OffscreenCanvas(pixels, pixels);
      const context = canvas.getContext("2d");
      const noise = context.createImageData(pixels, pixels);
      crypto.getRandomValues(noise.data);
      context.putImageData(noise, 0, 0);
      const file = new File([await canvas.convertToBlob()], `${id}.png`, { type: "image/png" });
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer())).toHex();
      noteForGood("send", { id, digest });
      try {
        const index = await client.sendFileMessage(file);
        // That is how a file that is given up is told, with an error event that says why.
        if (index === -1) noteForGood("rejected", { id, ...failure(lastError) });
        else note("sent", { id, index });
      } catch (error) {
        noteForGood("rejected", { id, ...failure(error) });
      }
    },
    async fetch() {
      await loaded;
      const number = (fetches += 1);
      note("fetch", { number });
      const messages = await client.fetchMessages().catch((error) => {
        note("fetchFailed", { number, ...failure(error) });
        return null;
      });
      if (messages) note("fetched", { number, list: messages.map((message) => [message.$index, message.$sid]) });
    },
    /** One more listener, which is to hear what the first one hears from now on. */
    async listen() {
      await loaded;
      const number = (listeners += 1);
      note("listen", { number });
      client.on("chat.message", (message) => note("heard", { number, index: message.$index }));
    },
    /** What every page of this gateway wrote down, in order; it is forgotten. */
    takeLastWords() {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(lastWords)).sort();
      return keys.map((key) => {
        const text = localStorage.getItem(key);
        localStorage.removeItem(key);
        return JSON.parse(text);
      });
    },
    failAuthentication: (count) => void (authFails += count),
    hangAuthentication: (count) => void (authHangs += count),
    /** What the client itself holds at the end. */
    summary: () => ({
      connection: client.connection,
      indexes: client.messages.map((message) => message.$index),
      outbox: client.outbox.length,
      stored: Object.keys(localStorage).filter((key) => key.startsWith(`sportello|${gateway}|`) && key.includes("|outbox|")).length,
    }),
  };
}

// One share as the page sees it that has it: from the question whether the end user agrees to its end. Follows what the gateway says of it, records only
// after a yes and only while the gateway knows the share as active, and stops at once for every reason to stop. What it needs of the client it is given.

/** A share only moves on. News that comes late says an earlier status. */
const ORDER = ["pending", "authorizing", "active", "ended"];

/** The agent's pointer comes as often as this, and a gateway that does not let the page wait is asked no more often. */
const LOOK_MS = 50;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
/** After so long without a word the gateway ends the share itself. */
const GIVE_UP_MS = 60_000;

/** The client is gone, or its end user: nothing may be asked any more. What the recorder fails with is an error of another kind. */
const isGone = ({ name, code }) => name === "SportelloError" && ["closed", "identity_changed", "internal"].includes(code);

/** After `ms`, or at once when `signal` says so. */
const pause = (ms, signal) =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });

/** `ask()` until it is answered or refused: what may succeed later is tried again. */
async function persist(ask, signal, untilMs = Infinity) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!error?.retryable || signal?.aborted || Date.now() > untilMs) throw error;
      const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, 10));
      await pause(error.retryAfterMs ?? longest * (0.5 + Math.random() / 2), signal);
      if (signal?.aborted) throw error;
    }
  }
}

export class Sharing {
  #page;
  #chatId;
  #life = new AbortController();
  /** While the end user is asked: ends the question, and what comes of it. */
  #question;
  /** Counts what runs: one that is not the newest has nothing to say any more. */
  #run = 0;
  #isResting = false;
  #stream;

  /**
   * `page`: `{ pageId, dialogs, ask(verb, path, body, answer), openStream(sharing) or null where another recorder sees to that, heard(event, session),
   * failed(error), over(sharing), remember(sharing), forget() }`.
   */
  constructor(page, chatId, share, code) {
    this.#page = page;
    this.#chatId = chatId;
    this.share = share;
    this.code = code;
    this.updated = null;
    this.session = createSession(this);
    const { signal } = this.#life;
    const listen = (target, type, listener) => target.addEventListener(type, listener, { signal });
    listen(globalThis, "pagehide", ({ persisted }) => {
      page.remember(this);
      if (persisted) this.#rest();
    });
    listen(globalThis, "pageshow", ({ persisted }) => persisted && this.#wake());
    listen(document, "freeze", () => this.#rest());
    listen(document, "resume", () => this.#wake());
    // A page that is put away while it is hidden may not be told. Remembered only then, so that a second tab made of this one has nothing to go on with.
    listen(document, "visibilitychange", () => (document.hidden ? page.remember(this) : page.forget()));
  }

  get chatId() {
    return this.#chatId;
  }

  get isOver() {
    return this.share.status === "ended";
  }

  get signal() {
    return this.#life.signal;
  }

  get capabilities() {
    const { capabilities } = this.#page.options;
    const offered = this.share.capabilities ?? [];
    return capabilities ? offered.filter((name) => name === "view" || capabilities.includes(name)) : offered;
  }

  /** What the gateway says of this share, by whatever way. */
  hear(share) {
    if (share?.id !== this.share.id || this.isOver || ORDER.indexOf(share.status) < ORDER.indexOf(this.share.status)) return;
    const before = this.share;
    if (JSON.stringify(before) === JSON.stringify(share)) return;
    this.share = share;
    if (share.status !== before.status) this.updated = new Date();
    if (this.isOver) return this.#stop();
    this.#page.heard("updated", this.session);
    // The agent has typed in the code.
    if (share.status === "authorizing" && before.status === "pending") this.begin();
  }

  /** Asks the end user, and goes on with a yes. Resolves when it is decided and what follows has begun. */
  begin() {
    this.#question ??= this.#ask().finally(() => (this.#question = undefined));
    return this.#question;
  }

  async #ask() {
    if (!this.#page.openStream) return;
    let isAllowed;
    try {
      isAllowed = await this.#page.dialogs.confirm("session", { signal: this.signal });
    } catch (error) {
      return this.#fail(error);
    }
    if (this.isOver) return;
    if (!isAllowed) return void this.end("denied");
    await this.go();
  }

  /** Becomes active, or goes on being it after the page was loaded anew: the end user has said yes. */
  async go() {
    const run = (this.#run += 1);
    try {
      const openStream = await this.#page.openStream?.();
      const { share } = await persist(() => this.#change({ status: "active" }), this.signal);
      if (this.isOver || run !== this.#run) return;
      this.hear(share);
      if (this.isOver) return;
      if (openStream) {
        this.#page.dialogs.showControls({ onEnd: () => this.end(), agentName: share.agent?.name });
        this.#stream = openStream(this, (path, body) => this.#send(path, body), (error) => run === this.#run && this.#fail(error));
        // The gateway asks for no sign of life where another recorder records: the chat's own stream says what becomes of it.
        this.#listen(run);
      }
    } catch (error) {
      if (run === this.#run) await this.#fail(error);
    }
  }

  /** Ends it, from this page. What is recorded stops now; the promise is there when the gateway knows, or cannot be told. */
  end(reason = "device_ended") {
    if (!this.isOver) {
      this.#finish(reason);
      const untilMs = Date.now() + GIVE_UP_MS;
      this.ending = persist(() => this.#change({ status: "ended", reason }), undefined, untilMs).catch(() => {});
    }
    return this.ending ?? Promise.resolve();
  }

  /** Ends it for this page without a word to the gateway, which knows or cannot be asked. */
  leave(reason) {
    if (!this.isOver) this.#finish(reason);
  }

  #finish(reason) {
    this.share = { ...this.share, status: "ended", ended_reason: reason, ended_at_ms: Date.now() };
    this.updated = new Date();
    this.#stop();
  }

  #stop() {
    this.#quiet();
    this.#life.abort();
    if (this.#page.openStream) this.#page.dialogs.hideControls();
    this.#page.over(this);
    this.#page.heard("ended", this.session);
  }

  #quiet() {
    this.#run += 1;
    this.#stream?.stop();
    this.#stream = undefined;
  }

  /** The page is frozen or put aside: nothing leaves it. */
  #rest() {
    if (this.share.status !== "active" || this.#isResting) return;
    this.#isResting = true;
    this.#quiet();
  }

  #wake() {
    this.#page.forget();
    if (!this.#isResting) return;
    this.#isResting = false;
    this.go();
  }

  async #fail(error) {
    if (this.isOver) return;
    if (isGone(error)) return this.leave("device_ended");
    if (error.code === "conflict" || error.code === "not_found") {
      // It has ended, another page has it, or a newer one has taken its place.
      const known = await persist(() => this.#request("GET", ""), this.signal).catch(() => undefined);
      this.hear(known?.share);
      return this.leave("replaced");
    }
    this.#page.failed(error);
    this.end("failed");
  }

  /** What the agent does, and that the share goes on: the page's sign of life. */
  async #listen(run) {
    // The first answer comes at once.
    let after;
    try {
      while (run === this.#run && !this.isOver) {
        const at = Date.now();
        const query = `page_id=${this.#page.pageId}${after === undefined ? "" : `&after=${after}`}`;
        const answer = await persist(() => this.#request("GET", `/signals?${query}`, undefined, "file"), this.signal);
        if (run !== this.#run) return;
        after = answer.next ?? after;
        this.hear(answer.share);
        this.#stream?.hear(answer);
        await pause(LOOK_MS - (Date.now() - at), this.signal);
      }
    } catch (error) {
      if (run === this.#run) await this.#fail(error);
    }
  }

  #send(query, body) {
    return persist(() => this.#request("POST", `/records?page_id=${this.#page.pageId}&${query}`, body, "file"), this.signal);
  }

  #change(change) {
    return this.#request("PATCH", "", { page_id: this.#page.pageId, ...change });
  }

  #request(verb, path, body, answer = "json") {
    return this.#page.ask(verb, `/chats/${this.#chatId}/screen_shares/${this.share.id}${path}`, body, answer);
  }
}

const time = (ms) => (typeof ms === "number" ? new Date(ms) : null);

/** The session that listeners get: what Cobrowse.io declares of its own (`Session`), so that one code serves both, and its `id`. */
function createSession(sharing) {
  const is = (status) => () => sharing.share.status === status;
  return {
    get id() {
      return sharing.share.id;
    },
    get capabilities() {
      return [...sharing.capabilities];
    },
    get created() {
      return time(sharing.share.created_at_ms);
    },
    get activated() {
      return time(sharing.share.activated_at_ms);
    },
    get expires() {
      return time(sharing.share.expires_at_ms);
    },
    get updated() {
      return sharing.updated;
    },
    get ended() {
      return time(sharing.share.ended_at_ms);
    },
    code: () => sharing.code,
    state: () => sharing.share.status,
    isPending: is("pending"),
    isAuthorizing: is("authorizing"),
    isActive: is("active"),
    isEnded: is("ended"),
    endedReason: () => sharing.share.ended_reason,
    agent: () => sharing.share.agent ?? false,
    fullDevice: () => false,
    remoteControl: () => "off",
    async activate() {
      if (sharing.share.status === "authorizing") await sharing.begin();
      return this;
    },
    async end() {
      await sharing.end();
      return this;
    },
    toJSON() {
      const { id, capabilities, created, activated, expires, updated, ended } = this;
      return { id, state: this.state(), ended_reason: this.endedReason(), capabilities, created, activated, expires, updated, ended };
    },
  };
}

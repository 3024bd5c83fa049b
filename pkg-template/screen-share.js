// Screen share, the calls and the events: checks the options, chooses who shows the page to the agent, keeps the one share that this page has, and finds it again
// after a reload. Loaded at the start of a client whose `cobrowse` option is enabled, otherwise with the first call. Knows neither the recorder nor the dialogs
// until one of them is needed.
import { isSportelloError, sportelloError } from "./errors.js";
import { Sharing } from "./screen-session.js";

const refuse = (message) => {
  throw sportelloError("invalid_argument", message);
};
const check = (holds, message) => holds || refuse(message);

const isText = (value) => typeof value === "string";
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isTexts = (value) => Array.isArray(value) && value.every(isText);

// --- options ------------------------------------------------------------------------------------------------------------------------

const HOOKS = ["js-cobrowse-allow", "js-cobrowse-deny"];
/** What must be in a template, so that it can be answered. */
const TEMPLATES = {
  template: HOOKS,
  confirmSessionTemplate: HOOKS,
  confirmRemoteControlTemplate: HOOKS,
  confirmFullDeviceTemplate: HOOKS,
  sessionControlsTemplate: ["js-cobrowse-end"],
};
const MESSAGES = [
  "confirmSessionTitle", "confirmSessionContent", "confirmRemoteControlTitle", "confirmRemoteControlContent", "confirmFullDeviceTitle", "confirmFullDeviceContent",
  "allowText", "denyText", "endSessionText",
];

function areSelectors(texts) {
  try {
    for (const text of texts) document.createDocumentFragment().querySelector(text);
    return true;
  } catch {
    return false;
  }
}

/** The option as it is used: without it everything has its default. Throws where a part of it cannot be meant. */
function readOptions(given) {
  const options = given ?? { enabled: true };
  check(isObject(options), "options.cobrowse must be an object.");
  check(typeof options.enabled === "boolean", "options.cobrowse.enabled must be true or false.");
  check(options.enabled, "options.cobrowse.enabled is false: set it to true where the page may be shared.");
  const optional = (name, accepts, what) => check(options[name] == null || accepts(options[name]), `options.cobrowse.${name} must be ${what}.`);
  for (const name of ["api", "license"]) optional(name, isText, "a string");
  for (const name of ["capabilities", "redactedViews", "unredactedViews"]) optional(name, isTexts, "an array of strings");
  optional("trustedOrigins", Array.isArray, "an array of origins");
  optional("registration", (value) => typeof value === "boolean", "true or false");
  optional("root", (value) => value?.nodeType === 1, "an element of the page");
  for (const [name, hooks] of Object.entries(TEMPLATES)) {
    optional(name, isText, "a string of HTML");
    for (const hook of hooks) optional(name, (template) => template.includes(hook), `a template with an element of the class ${hook}`);
  }
  if (!options.license) for (const name of ["redactedViews", "unredactedViews"]) optional(name, areSelectors, "an array of CSS selectors; one of them cannot be read");
  optional("messages", isObject, "an object");
  for (const name of MESSAGES) check(options.messages?.[name] == null || isText(options.messages[name]), `options.cobrowse.messages.${name} must be a string.`);
  return options;
}

// --- one client -----------------------------------------------------------------------------------------------------------------------

/** Characters of an identifier: 128 random bits. */
const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The page, until it is loaded anew. */
let pageId;

/** What is asked of the gateway; nobody else can make such a question. */
const questions = new WeakMap();
const ask = (call, method, question) => {
  const key = {};
  questions.set(key, question);
  return call(method, [key]);
};

const chunk = (loading, message) =>
  loading.catch((cause) => {
    throw sportelloError("wasm_load_failed", message, cause);
  });

/** What another chunk throws has a code, and is not yet what listeners and callers get. */
function typed(error) {
  if (isSportelloError(error)) return error;
  return isText(error?.code) ? sportelloError(error.code, error.message, error.cause) : sportelloError("internal", "A fault of the SDK.", error);
}

async function read(blob) {
  try {
    return JSON.parse(await blob.text());
  } catch {
    throw sportelloError("protocol", "The gateway's answer cannot be read.");
  }
}

class Coordinator {
  #client;
  #call;
  #clientOptions;
  #options;
  #key;
  #sharing;
  #dialogs;
  #dialogsLang;
  #adapter;
  /** The requests of agents that were passed on, by the message's number. */
  #asked = new Set();

  constructor({ client, call, options }) {
    this.#options = readOptions(options.cobrowse);
    this.#client = client;
    this.#call = call;
    this.#clientOptions = options;
    this.#key = `sportello|${options.host ?? location.origin}|${options.companyId}|screen`;
    pageId ??= random();
    const follow = (chat) => this.#follow(chat);
    for (const event of ["chat.ongoing", "chat.updated", "chat.connected", "chat.reconnected"]) client.on(event, follow);
    client.on("chat.ended", (chat) => this.#sharing && chat?.state?.id === this.#sharing.chatId && this.#sharing.leave("chat_ended"));
    client.on("chat.destroyed", () => this.#sharing?.leave("chat_ended"));
    client.on("chat.message", (message) => this.#read(message));
    // Where the network failed when it was tried first.
    for (const event of ["ready", "chat.connected"]) client.on(event, () => this.#recall() && this.restore().catch(() => {}));
  }

  // --- the calls

  async createCode(lang, customData, signal) {
    const adapter = await this.#theAdapter(lang);
    if (adapter) return adapter.createCode(lang, customData);
    await this.#prepare(lang);
    const { code } = await this.#create({ from: "code", lang, custom_data: customData }, signal);
    if (!isText(code)) throw sportelloError("conflict", "This page is shared already.");
    return code;
  }

  async start(from, signal) {
    const adapter = await this.#theAdapter();
    if (adapter) return adapter.start(from);
    // The end user is asked already, or has said yes.
    if (["authorizing", "active"].includes(this.#sharing?.share.status)) return;
    await this.#prepare();
    const { sharing } = await this.#create({ from, lang: this.#language() }, signal);
    // Nobody waits for the answer.
    sharing.begin();
  }

  async restore() {
    const adapter = await this.#theAdapter();
    const found = this.#sharing ?? (await this.#find());
    if (!adapter) return found?.session ?? null;
    const session = await adapter.restore();
    if (!session) found?.end("failed");
    return session;
  }

  // --- the share of this page

  async #create({ from, lang, custom_data, provider, code }, signal) {
    const chatId = this.#client.chat?.state?.id;
    if (chatId === undefined) throw sportelloError("no_chat", "There is no ongoing chat: create or load one first.");
    const body = { client_id: random(), page_id: pageId, from, provider, code, lang: lang ?? undefined, custom_data: customOf(custom_data) };
    const answer = await this.#ask("POST", `/chats/${chatId}/screen_shares`, body);
    // A newer one takes its place; the gateway has ended the former.
    if (this.#sharing?.share.id !== answer.share.id || this.#sharing.chatId !== chatId) this.#sharing?.leave("replaced");
    const sharing = this.#sharing ?? this.#have(chatId, answer.share, provider ? code : (answer.code ?? undefined));
    sharing.hear(answer.share);
    // What the stream said of it meanwhile.
    this.#follow(this.#client.chat);
    if (signal?.aborted) {
      sharing.end();
      throw sportelloError("aborted", "The call was aborted.");
    }
    return { sharing, code: answer.code };
  }

  #have(chatId, share, code) {
    const isOurs = share.provider !== "cobrowse_io";
    const page = {
      pageId,
      options: this.#options,
      dialogs: this.#dialogs,
      openStream: isOurs ? () => this.#stream() : null,
      ask: (...question) => this.#ask(...question),
      heard: (event, session) => isOurs && this.#emit(`cobrowse.${event}`, session),
      failed: (error) => this.#emit("error", typed(error)),
      over: (sharing) => this.#over(sharing),
      remember: (sharing) => this.#remember(sharing),
      forget: () => this.#forget(),
    };
    const sharing = new Sharing(page, chatId, share, code);
    this.#sharing = sharing;
    this.#whenGone(sharing.signal, () => sharing.leave("device_ended"));
    page.heard("loaded", sharing.session);
    return sharing;
  }

  /** Once the client is closed, or its end user is another one; unless `signal` comes first. */
  #whenGone(signal, then) {
    const ends = new Promise((resolve) => signal?.addEventListener("abort", () => resolve({})));
    ask(this.#call, "attachScreenShare", () => ends).catch(then);
  }

  #over(sharing) {
    if (this.#sharing !== sharing) return;
    this.#sharing = undefined;
    this.#forget();
    // What takes its place there is the same session.
    if (sharing.share.ended_reason !== "replaced") this.#endAdapter();
  }

  #endAdapter() {
    return this.#adapter?.then((adapter) => adapter.end()).catch(() => {});
  }

  /** What the chat's state says. */
  #follow(chat) {
    if (chat?.state?.id === this.#sharing?.chatId) this.#sharing?.hear(chat?.state?.screen_share);
  }

  /** An agent asks to see the page: the application decides what becomes of it. */
  #read({ type, event, $index, $timestamp }) {
    if (type !== "noti" || event !== "cobrowseRequestedFromAgent" || this.#asked.has($index)) return;
    this.#asked.add($index);
    // What was missed during a break may be answered already.
    const { screen_share: share } = this.#client.chat?.state ?? {};
    if (share && share.created_at_ms >= Number($timestamp)) return;
    this.#emit("cobrowse.request", "agent");
  }

  // --- a page that was loaded anew

  #storage() {
    try {
      return this.#clientOptions.storage === null ? null : sessionStorage;
    } catch {
      return null;
    }
  }

  #remember({ chatId, share, code }) {
    const kept = { chat: chatId, share: share.id, ...(share.status === "pending" && { code }) };
    try {
      this.#storage()?.setItem(this.#key, JSON.stringify(kept));
    } catch {
      // It ends with the page.
    }
  }

  #recall() {
    if (this.#sharing) return undefined;
    try {
      const { chat, share, code } = JSON.parse(this.#storage()?.getItem(this.#key));
      return Number.isSafeInteger(chat) && Number.isSafeInteger(share) ? { chat, share, code } : undefined;
    } catch {
      return undefined;
    }
  }

  #forget() {
    try {
      this.#storage()?.removeItem(this.#key);
    } catch {
      // Then there was nothing.
    }
  }

  #find() {
    this.finding ??= this.#lookFor(this.#recall()).finally(() => (this.finding = undefined));
    return this.finding;
  }

  async #lookFor(kept) {
    if (!kept) return undefined;
    let share;
    try {
      ({ share } = await this.#ask("GET", `/chats/${kept.chat}/screen_shares/${kept.share}`));
    } catch (error) {
      if (error.retryable || error.code === "closed") throw error;
    }
    this.#forget();
    if (!share || share.status === "ended" || this.#sharing) return this.#sharing;
    await this.#prepare();
    const sharing = this.#have(kept.chat, share, isText(kept.code) ? kept.code : undefined);
    if (share.status === "authorizing") sharing.begin();
    if (share.status === "active") await sharing.go();
    return sharing.isOver ? undefined : sharing;
  }

  // --- who shows the page

  /** Everything that a share of ours needs, before the gateway hears of it. */
  async #prepare(lang) {
    await this.#loadDialogs(lang);
    if (!this.#options.license) await this.#stream();
  }

  async #loadDialogs(lang) {
    const { createDialogs } = await chunk(import("./screen-dialogs.js"), "A part of the package could not be loaded.");
    const language = this.#language(lang);
    if (this.#dialogs && (this.#sharing || this.#dialogsLang === language)) return this.#dialogs;
    this.#dialogs?.dispose();
    this.#dialogs = createDialogs(this.#options, language);
    this.#dialogsLang = language;
    return this.#dialogs;
  }

  async #stream() {
    if (typeof CompressionStream !== "function") {
      throw sportelloError("unavailable", "This browser has no CompressionStream, without which no page is shared: it needs a newer one.");
    }
    const { openStream } = await chunk(import("./screen-stream.js"), "The recorder could not be loaded; where the package was built without npm, screen share is not part of this build.");
    return (sharing, send, failed) => {
      const about = { options: this.#options, root: this.#options.root, name: () => sharing.share.agent?.name ?? "", hasPointer: sharing.capabilities.includes("pointer") };
      return openStream(about, send, failed);
    };
  }

  /** Cobrowse.io's SDK, where the site has a licence for it. */
  #theAdapter(lang) {
    if (!this.#options.license) return undefined;
    this.#adapter ??= this.#makeAdapter(lang).catch((error) => {
      this.#adapter = undefined;
      throw error;
    });
    return this.#adapter;
  }

  async #makeAdapter(lang) {
    const [{ createProvider }, dialogs] = await Promise.all([chunk(import("./cobrowse-io.js"), "A part of the package could not be loaded."), this.#loadDialogs(lang)]);
    const adapter = createProvider({
      options: this.#options,
      dialogs,
      lang: this.#language(lang),
      emit: (event, session) => this.#emit(`cobrowse.${event}`, session),
      tell: (step) => this.#told(step),
    });
    const watch = () =>
      this.#whenGone(undefined, async ({ code }) => {
        await this.#endAdapter();
        if (code === "identity_changed") watch();
        else adapter.dispose();
      });
    watch();
    return adapter;
  }

  /** What Cobrowse.io's session has come to, for the gateway to know. */
  async #told({ status, from, code, lang, customData, reason }) {
    const sharing = this.#sharing;
    if (status === "pending") await this.#create({ from: from ?? "code", provider: "cobrowse_io", code, lang, custom_data: customData });
    else if (status === "authorizing" && !sharing) await this.#create({ from: from ?? "end_user", provider: "cobrowse_io" });
    else if (status === "active") await sharing?.go();
    else if (status === "ended") await sharing?.end(reason);
  }

  // --- small things

  #language(lang) {
    return lang ?? this.#clientOptions.lang ?? (document.documentElement.lang || navigator.language);
  }

  #ask(verb, path, body, answer = "json") {
    const plan = { verb, path, body, answer, ...(answer === "file" && { finish: (blob) => read(blob) }) };
    return ask(this.#call, "askScreenShare", () => plan);
  }

  #emit(event, argument) {
    this.#client._triggerEvent(event, argument);
  }
}

/** What goes with a code. The gateway says how much. */
function customOf(data) {
  if (data == null) return undefined;
  check(isObject(data) && Object.values(data).every(isText), "createCobrowseCode(lang, customData): customData must be an object of strings.");
  return { ...data };
}

const coordinators = new WeakMap();

/** The coordinator of a client; throws where its options are refused. */
function coordinatorOf(given) {
  const { client } = given;
  if (typeof document === "undefined") throw sportelloError("unavailable", "Only a page in a browser can be shared.");
  if (!coordinators.has(client)) coordinators.set(client, new Coordinator(given));
  return coordinators.get(client);
}

// --- the calls, for `more.js` -----------------------------------------------------------------------------------------------------------

const result = (value) => ({ finish: () => value });
/** With everything that the error says; one that is thrown would keep its code alone. */
const refused = (error) => ({ finish: () => Promise.reject(typed(error)) });

/** `createCobrowseCode`: what the caller did wrong is thrown; what failed otherwise is an `error` event and an empty code, as documented. */
export async function createCode(given, [lang, customData], signal) {
  check(lang == null || isText(lang), "createCobrowseCode(lang, customData): lang must be a string.");
  customOf(customData);
  try {
    return result(await coordinatorOf(given).createCode(lang, customData, signal));
  } catch (error) {
    if (["invalid_argument", "aborted", "closed", "identity_changed"].includes(error.code)) return refused(error);
    given.client._triggerEvent("error", typed(error));
    return result("");
  }
}

/** `startCobrowse`. */
export async function start(given, [from], signal) {
  check(from == null || from === "end_user" || from === "agent", 'startCobrowse(from): from must be "end_user", or what cobrowse.request gave.');
  try {
    await coordinatorOf(given).start(from ?? "end_user", signal);
    return {};
  } catch (error) {
    return refused(error);
  }
}

/** `restoreCobrowseSession`, which the client calls itself when it starts. */
export async function restore(given) {
  try {
    return result(typeof document === "undefined" ? null : await coordinatorOf(given).restore());
  } catch (error) {
    return refused(error);
  }
}

/** The plans of what this file asks itself. Whatever it did not make is refused. */
export function plan([key]) {
  check(isObject(key) && questions.has(key), "This call is only made by the package itself.");
  return questions.get(key)();
}

// The agent desk's REST calls. The cookie is the browser's business (HttpOnly); this module keeps only the CSRF value that each write
// repeats, in memory. Every failure is a `DeskError`; none of them carries what was sent.

const BASE = "/desk/api/v1";
const TIMEOUT_MS = 15_000;

export class DeskError extends Error {
  name = "DeskError";

  /** `code` is the gateway's, or `network` where there was no answer; `status` is 0 then. */
  constructor(code, status, retryAfter_ms) {
    super(`the desk call failed: ${code}`);
    this.code = code;
    this.status = status;
    this.retryAfter_ms = retryAfter_ms;
  }

  get isSignedOut() {
    return this.status === 401;
  }

  /** Whether the same call may succeed later. */
  get isRetryable() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export class DeskApi {
  #csrfToken = "";

  /** Signs in; resolves with the agent. */
  async signIn(login, password) {
    return this.#keep(await this.#call("POST", "/sessions", { login, password }));
  }

  /** The agent who is signed in. */
  async me() {
    return this.#keep(await this.#call("GET", "/me"));
  }

  async signOut() {
    await this.#call("DELETE", "/sessions");
    this.#csrfToken = "";
  }

  async accept(chatId) {
    return (await this.#call("POST", `/chats/${chatId}/accept`, {})).chat;
  }

  async finish(chatId) {
    return (await this.#call("PATCH", `/chats/${chatId}`, { status: "finished" })).chat;
  }

  /** Messages after `afterIndex`, in order. */
  async messages(chatId, afterIndex) {
    return (await this.#call("GET", `/chats/${chatId}/messages?after_index=${afterIndex}`)).messages;
  }

  /** Resolves once the gateway has stored the message; the same `clientId` never stores it twice. */
  send(chatId, clientId, message) {
    return this.#call("POST", `/chats/${chatId}/messages`, { client_id: clientId, message });
  }

  /** Reserves a place for a file: `{ media_id, upload }`, where `upload` is `null` once the file is there. */
  reserveUpload(chatId, clientId, { type, name, contentType, size }) {
    return this.#call("POST", `/chats/${chatId}/uploads`, { client_id: clientId, type, name, content_type: contentType, size });
  }

  /** Where a message's file can be read; the cookie opens it. */
  mediaUrl(chatId, mediaId) {
    return `${BASE}/chats/${chatId}/media/${mediaId}`;
  }

  /** The forms that can be sent in a chat. */
  async forms(chatId) {
    return (await this.#call("GET", `/forms?chat_id=${chatId}`)).forms;
  }

  /** The answers to a custom form with those that only agents read: `{ form_name, form_data }`. */
  formAnswers(chatId, smartActionId) {
    return this.#call("GET", `/chats/${chatId}/forms/${smartActionId}`);
  }

  /** What the end user did besides writing, asking for a person included: `{ at_ms, name, data }`, oldest first. */
  async events(chatId) {
    const { events, escalations = [] } = await this.#call("GET", `/chats/${chatId}/events`);
    const asked = escalations.map(({ at_ms, reason, deflection_channel }) => ({ at_ms, name: "escalation", data: { reason, deflection_channel } }));
    return [...events, ...asked].toSorted((a, b) => a.at_ms - b.at_ms);
  }

  /** The agents who serve a company, and whether they are on duty. */
  async agents(companyId) {
    return (await this.#call("GET", `/agents?company_id=${encodeURIComponent(companyId)}`)).agents;
  }

  /** What follows the human part of a chat, with what it found out. */
  postSession(chatId) {
    return this.#call("GET", `/chats/${chatId}/post_session`);
  }

  /** The queues of a company. */
  async menus(companyId) {
    return (await this.#call("GET", `/menus?company_id=${encodeURIComponent(companyId)}`)).menus;
  }

  /** Hands a chat on, to `{ menu_id }` or `{ agent_id }`. */
  async transfer(chatId, to) {
    return (await this.#call("POST", `/chats/${chatId}/transfer`, to)).chat;
  }

  /** What customers thought of their chats: of one company and one queue, or without them of the agent's first company. */
  results({ companyId, menuId }) {
    const query = new URLSearchParams(Object.entries({ company_id: companyId, menu_id: menuId }).filter(([, value]) => value !== ""));
    return this.#call("GET", `/results?${query}`);
  }

  /** Asks for the transcript of a chat; resolves with its number. */
  async askForTranscript(chatId, { lang, timezone }) {
    return (await this.#call("POST", `/chats/${chatId}/transcripts`, { lang, timezone })).chat_transcript_id;
  }

  /** Where it stands: `{ status, body?, failed_reason? }`, with the PDF as `body` once it is there. */
  transcript(chatId, id) {
    return this.#call("GET", `/chats/${chatId}/transcripts/${id}`);
  }

  /** A page of messages by e-mail, newest first: `{ emails, next_before_id? }`. */
  emails({ status, beforeId }) {
    const before = beforeId === undefined ? "" : `&before_id=${beforeId}`;
    return this.#call("GET", `/emails?status=${status}${before}`);
  }

  async email(id) {
    return (await this.#call("GET", `/emails/${id}`)).email;
  }

  /** `status` is `open` or `done`. */
  async markEmail(id, status) {
    return (await this.#call("PATCH", `/emails/${id}`, { status })).email;
  }

  /** Resolves once the gateway has stored the answer; the same `clientId` never stores it twice. */
  async replyToEmail(id, clientId, content) {
    return (await this.#call("POST", `/emails/${id}/replies`, { client_id: clientId, content })).email;
  }

  /** Where a file of a message can be saved from; the cookie opens it. */
  emailAttachmentUrl(id, position) {
    return `${BASE}/emails/${id}/attachments/${position}`;
  }

  /** Asks the customer to show their page. */
  askForScreen(chatId) {
    return this.#call("POST", `/chats/${chatId}/screen_share_requests`, {});
  }

  /** Joins with the code that the customer reads out; refused with status 404 where it is another one. */
  async joinScreen(chatId, code) {
    return (await this.#call("POST", `/chats/${chatId}/screen_share/join`, { code })).share;
  }

  /** Ends the screen share of a chat. Harmless where there is none. */
  endScreen(chatId) {
    return this.#call("DELETE", `/chats/${chatId}/screen_share`);
  }

  /** The calls: `{ open, over }`. */
  calls() {
    return this.#call("GET", "/calls");
  }

  /** Moves a call to another status. */
  async moveCall(callId, status) {
    return (await this.#call("PATCH", `/calls/${callId}`, { status })).call;
  }

  #keep({ agent, csrf_token }) {
    this.#csrfToken = csrf_token;
    return agent;
  }

  async #call(method, path, body) {
    const headers = {};
    if (body !== undefined) headers["content-type"] = "application/json";
    if (method !== "GET") headers["x-csrf-token"] = this.#csrfToken;
    let response;
    try {
      response = await fetch(BASE + path, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: "same-origin",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch {
      throw new DeskError("network", 0);
    }
    if (!response.ok) throw await refusal(response);
    if (response.status === 204) return {};
    // A body cut off by a crash is a lost connection, not an answer.
    if (response.headers.get("content-type") === "application/pdf") {
      const body = await response.blob().catch(() => {
        throw new DeskError("network", 0);
      });
      return { status: "finished", body };
    }
    return response.json().catch(() => {
      throw new DeskError("network", 0);
    });
  }
}

async function refusal(response) {
  const body = await response.json().catch(() => ({}));
  const seconds = Number(response.headers.get("retry-after"));
  const retryAfter_ms = body.error?.retry_after_ms ?? (seconds > 0 ? seconds * 1000 : undefined);
  return new DeskError(body.error?.code ?? "internal", response.status, retryAfter_ms);
}

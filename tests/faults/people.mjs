// Those who talk to the gateway beside the tabs, past every fault: the site's server that signs tokens, the agent at the desk, and an end user
// who reads the whole chat over REST.

import { createHash } from "node:crypto";

import { DEMO_AGENT } from "../browser/support/gateway.mjs";

async function ask(url, { method = "GET", headers = {}, body } = {}) {
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...(body && { "content-type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) {
    const refusal = new Error(`${method} ${new URL(url).pathname}: ${response.status} ${JSON.stringify(answer)}`);
    throw Object.assign(refusal, { status: response.status });
  }
  return { answer, response };
}

/** The JWT that the site's own server would sign for this end user. */
export async function signToken(gateway, identifier) {
  const { answer } = await ask(`${gateway}/demo/token`, { method: "POST", body: { identifier } });
  return answer.token;
}

/** An agent who is signed in. */
export class Agent {
  #gateway;
  #headers;

  static async signIn(gateway, { login, password } = DEMO_AGENT) {
    const { answer, response } = await ask(`${gateway}/desk/api/v1/sessions`, { method: "POST", body: { login, password } });
    const agent = new Agent();
    agent.#gateway = gateway;
    agent.#headers = { cookie: response.headers.getSetCookie()[0].split(";", 1)[0], "x-csrf-token": answer.csrf_token };
    return agent;
  }

  /** What each of the agent's requests carries. */
  get headers() {
    return this.#headers;
  }

  async accept(chatId) {
    await ask(`${this.#gateway}/desk/api/v1/chats/${chatId}/accept`, { method: "POST", headers: this.#headers, body: {} });
  }

  /** Takes the chat where it waits for someone; gives whether it is the agent's now. */
  async take(chatId) {
    try {
      await this.accept(chatId);
      return true;
    } catch (error) {
      if (error.status === 409) return false;
      throw error;
    }
  }

  /** Says `id` and something more; gives the index. */
  async say(chatId, id) {
    const body = { client_id: `${chatId}-${id}`, message: { type: "text", content: `${id} dolor sit amet` } };
    const { answer } = await ask(`${this.#gateway}/desk/api/v1/chats/${chatId}/messages`, { method: "POST", headers: this.#headers, body });
    return answer.index;
  }
}

/** The end user of `token` over REST. */
export class EndUser {
  #gateway;
  #token;
  #headers;

  constructor(gateway, token) {
    this.#gateway = gateway;
    this.#token = token;
  }

  async #ask(path, options = {}) {
    if (!this.#headers) await this.#signIn();
    try {
      return (await ask(this.#gateway + path, { ...options, headers: this.#headers })).answer;
    } catch (error) {
      // Sessions are short here.
      if (error.status !== 401) throw error;
      await this.#signIn();
      return (await ask(this.#gateway + path, { ...options, headers: this.#headers })).answer;
    }
  }

  async #signIn() {
    const { answer } = await ask(`${this.#gateway}/api/v1/sessions`, { method: "POST", body: { company_id: "demo", token: this.#token } });
    this.#headers = { authorization: `Bearer ${answer.session_token}` };
  }

  async createChat(menuId) {
    return (await this.#ask("/api/v1/chats", { method: "POST", body: { client_id: `create-${menuId}-0123456789`, menu_id: menuId, chat: {} } })).chat;
  }

  /** A session token, as a client would get it. */
  async sessionToken() {
    if (!this.#headers) await this.#signIn();
    return this.#headers.authorization.slice("Bearer ".length);
  }

  async lastIndex(chatId) {
    return (await this.#ask(`/api/v1/chats/${chatId}`)).chat.last_index;
  }

  async say(chatId, id) {
    const body = { client_id: `${chatId}-${id}`, message: { type: "text", content: `${id} consectetur` } };
    return (await this.#ask(`/api/v1/chats/${chatId}/messages`, { method: "POST", body })).index;
  }

  /** The SHA-256 of a file, in hexadecimal. */
  async digest(chatId, mediaId) {
    const response = await fetch(`${this.#gateway}/api/v1/chats/${chatId}/media/${mediaId}`, { headers: { authorization: `Bearer ${await this.sessionToken()}` } });
    if (!response.ok) throw new Error(`file ${mediaId}: ${response.status}`);
    return createHash("sha256").update(Buffer.from(await response.arrayBuffer())).digest("hex");
  }

  /** Every message of the chat. */
  async messages(chatId) {
    const all = [];
    for (;;) {
      const page = await this.#ask(`/api/v1/chats/${chatId}/messages?after_index=${all.at(-1)?.$index ?? 0}&limit=1000`);
      all.push(...page.messages);
      if (page.messages.length === 0 || all.at(-1).$index >= page.last_index) return all;
    }
  }
}

// The customer page: which counter, then the conversation, then the end of it. This module holds the SDK's client and tells the views what
// happened; the views never touch the client.
//
// Three rules keep the picture right whatever the network does:
// 1. Messages are drawn from `chat.message` and `fetchMessages` only, each at its index. Sending draws nothing by itself.
// 2. What the user sent and the gateway has not given back is drawn from the client's outbox, and leaves when its `client_id` comes back.
// 3. The chat's state (`chat.updated`) alone decides what can be done: asking for a person, writing, ending.

import { Client, isSportelloError } from "./pkg/index.js";
import { Backoff } from "./backoff.js";
import { Composer } from "./composer.js";
import { showConnection } from "./connection-status.js";
import { ConversationView } from "./conversation-view.js";
import { byId, fill, setText, show } from "./dom.js";
import { explainError } from "./error-words.js";
import { readPageOptions, requestDemoToken } from "./gateway.js";
import { placeIcons } from "./icons.js";
import { drawMenus, leafMenus } from "./lobby-view.js";
import { Notice } from "./notice.js";
import { attachThemeToggle } from "./theme.js";
import { TypingSignal } from "./typing-signal.js";
import { UnreadTitle } from "./unread-title.js";
import { queueWords, ticketNumber } from "./words.js";

const WAIT_REFRESH_MS = 15_000;

const options = readPageOptions(location);
const client = new Client({
  companyId: options.companyId,
  host: options.gateway,
  authenticate: () => requestDemoToken(options.gateway, options.identifier),
});

const notice = new Notice(byId("notice"));
const unreadTitle = new UnreadTitle();
const typing = new TypingSignal({ start: () => client.chat?.startTyping(), stop: () => client.chat?.stopTyping() });
const composer = new Composer(byId("composer"), { onSend: sendText, typing });
const conversation = new ConversationView(byId("conversation"), {
  own: "end_user",
  nameOf: authorName,
  onChoose: sendText,
  onRetry: retryFailed,
});

/** Texts of own messages by client id, for bubbles and for sending again. */
const ownTexts = new Map();
/** What `sendTextMessage` was called with and has not shown its client id yet. */
const unclaimedTexts = [];
let waitTimer = 0;
let shownState = null;

placeIcons();
listen();
wireButtons();
attachThemeToggle(byId("theme"));
start();

// --- starting -----------------------------------------------------------------------------------------------------------------------

/** Opens the page, as often as it takes: a gateway that is down at first is only a delay. */
async function start() {
  const backoff = new Backoff({ initialMs: 1_000, maxMs: 10_000 });
  for (;;) {
    try {
      const company = await client.getCompany();
      setText(byId("company"), company.name);
      unreadTitle.base = `${company.name} – Sportello`;
      const chat = await client.loadOngoingChat();
      notice.hide();
      if (chat) await enterChat(chat);
      else await enterLobby();
      return;
    } catch (error) {
      await retryNotice(error, backoff.next());
    }
  }
}

/** Says why the page cannot open; resolves when it is time, or the button says so, to try again. */
function retryNotice(error, delay_ms) {
  const { words } = explainError(error);
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delay_ms);
    const run = () => {
      clearTimeout(timer);
      resolve();
    };
    notice.show(`${words} We keep trying.`, { action: { label: "Try now", run }, stays: true });
  });
}

// --- choosing a counter -------------------------------------------------------------------------------------------------------------

async function enterLobby() {
  const entries = await loadMenus();
  shownState = null;
  showOnly("lobby");
  drawMenus(byId("menus"), entries, takeTicket);
  keepFresh(async () => drawMenusAgain(await loadMenus()));
}

async function loadMenus() {
  const { menus } = await client.getMenus();
  return Promise.all(
    leafMenus(menus).map(async ({ menu, path }) => {
      // One unknown waiting time must not close the other counters.
      const wait = await client.getWaitTimes(menu.id).catch(() => null);
      return { menu, path, wait_s: wait?.chat ?? NaN };
    }),
  );
}

/** New waiting times must not take the focus from somebody who is choosing. */
function drawMenusAgain(entries) {
  if (byId("lobby").hidden) return;
  const focused = document.activeElement?.closest?.("[data-menu]")?.dataset.menu;
  drawMenus(byId("menus"), entries, takeTicket);
  if (focused) byId("menus").querySelector(`[data-menu="${CSS.escape(focused)}"]`)?.focus();
}

async function takeTicket(menu) {
  byId("menus").setAttribute("aria-busy", "true");
  for (const button of byId("menus").querySelectorAll("button")) button.disabled = true;
  try {
    await enterChat(await client.createChat(menu.id, { lang: document.documentElement.lang }));
    composer.focus();
  } catch (error) {
    notice.show(explainError(error).words);
    await enterLobby().catch(start);
  } finally {
    byId("menus").removeAttribute("aria-busy");
  }
}

// --- the conversation ---------------------------------------------------------------------------------------------------------------

async function enterChat(chat) {
  conversation.clear();
  showOnly("chat");
  showChat(chat);
  conversation.addHistory(await client.fetchMessages());
  // Messages written before a reload and not acknowledged yet.
  for (const entry of client.outbox ?? []) showDelivery(entry);
  if (isOver(chat.state)) endConversation();
}

function listen() {
  client.on("chat.message", (message) => conversation.add(message));
  client.on("chat.delivery", showDelivery);
  client.on("chat.updated", showChat);
  client.on("chat.reconnected", showChat);
  client.on("chat.ended", endConversation);
  client.on("chat.typingStarted", (member) => !member.is_customer && conversation.showTyping(member.display_name));
  client.on("chat.typingEnded", (member) => !member.is_customer && conversation.hideTyping());
  client.on("connection", showConnectionState);
  client.on("chat.unread", showUnread);
  client.on("error", showError);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) client.markRead();
  });
}

function showConnectionState(state) {
  showConnection(byId("connection"), state);
  // Who typed before the connection went may have stopped long since.
  if (state !== "online") conversation.hideTyping();
}

/** The SDK counts until it is told that somebody looked; a page in front is looked at. */
function showUnread(count) {
  if (count > 0 && !document.hidden) client.markRead();
  else unreadTitle.count = count;
}

/** Brings the page in line with the chat's state. Safe to call at any time and as often as one likes. */
function showChat(chat) {
  const state = chat?.state;
  if (!state || byId("chat").hidden) return;
  const over = isOver(state);
  setText(byId("ticket-number"), ticketNumber(state.id));
  setText(byId("chat-title"), state.menus?.at(-1)?.name ?? "Chat");
  show(byId("escalate"), state.status === "va_assigned");
  show(byId("finish"), !over);
  show(byId("ended"), false);
  show(byId("composer"), true);
  composer.enabled = !over;
  byId("chat").dataset.status = state.status;
  if (shownState?.status !== state.status || shownState?.agent?.name !== state.agent?.name) showStatus(state);
  shownState = state;
  conversation.refreshNames();
}

/** The conversation is over: nothing can be answered any more, and what had the focus hands it to the way on. */
function endConversation() {
  const hadFocus = byId("composer").contains(document.activeElement) || document.activeElement === document.body;
  conversation.close();
  composer.enabled = false;
  show(byId("composer"), false);
  show(byId("escalate"), false);
  show(byId("finish"), false);
  show(byId("ended"), true);
  if (hadFocus) byId("restart").focus();
}

function showStatus(state) {
  const line = byId("chat-status");
  keepFresh(null);
  if (state.status === "va_assigned") setText(line, `${state.virtual_agent?.name ?? "The virtual agent"} answers you`);
  else if (state.status === "assigned") setText(line, `You are talking to ${state.agent?.name ?? "a person"}`);
  else if (state.status === "queued") {
    setText(line, "Waiting for a person");
    keepFresh(() => showQueueWait(state));
  } else if (isOver(state)) setText(line, "Ended");
  else setText(line, state.status_text ?? "");
}

async function showQueueWait(state) {
  const menu = state.menus?.at(-1);
  if (!menu) return;
  const { chat: wait_s } = await client.getWaitTimes(menu.id);
  if (client.chat?.state.status === "queued") setText(byId("chat-status"), `Waiting for a person: ${queueWords(wait_s)}`);
}

/** Calls `refresh` now and then while it is wanted; one at a time, and quietly: a missed waiting time is no news. */
function keepFresh(refresh) {
  clearInterval(waitTimer);
  if (!refresh) return;
  const run = () => Promise.resolve(refresh()).catch(() => {});
  waitTimer = setInterval(run, WAIT_REFRESH_MS);
  if (!byId("chat").hidden) run();
}

function authorName(message) {
  const state = client.chat?.state;
  const isBot = message.$userType === "virtual_agent";
  const known = isBot ? [state?.virtual_agent, ...(state?.all_virtual_agents ?? [])] : [state?.agent, ...(state?.all_agents ?? [])];
  const author = known.find((agent) => agent?.id === message.$userId);
  return author?.name ?? (isBot ? "Virtual agent" : "Agent");
}

// --- sending ------------------------------------------------------------------------------------------------------------------------

async function sendText(text) {
  unclaimedTexts.push(text);
  try {
    await client.sendTextMessage(text);
  } catch (error) {
    // Where the outbox took the message, its bubble says what became of it. Otherwise the text goes back to its author.
    const at = unclaimedTexts.indexOf(text);
    if (at < 0) return;
    if (composer.text === "") composer.text = text;
    notice.show(explainError(error).words);
  } finally {
    const at = unclaimedTexts.indexOf(text);
    if (at >= 0) unclaimedTexts.splice(at, 1);
  }
}

/** Draws the bubble of an own message that is on its way. */
function showDelivery({ clientId, state, error }) {
  const text = textOfOwn(clientId);
  if (text === undefined) return;
  conversation.setPending({ clientId, text, state, reason: error ? explainError(error).words : undefined });
}

function textOfOwn(clientId) {
  if (ownTexts.has(clientId)) return ownTexts.get(clientId);
  const entry = client.outbox?.find((candidate) => candidate.clientId === clientId);
  const text = entry?.message?.content;
  if (typeof text !== "string") return undefined;
  const at = unclaimedTexts.indexOf(text);
  if (at >= 0) unclaimedTexts.splice(at, 1);
  ownTexts.set(clientId, text);
  return text;
}

function retryFailed(clientId) {
  const text = ownTexts.get(clientId);
  conversation.dropPending(clientId);
  ownTexts.delete(clientId);
  composer.focus();
  if (text !== undefined) sendText(text);
}

// --- buttons and errors -------------------------------------------------------------------------------------------------------------

function wireButtons() {
  byId("escalate").addEventListener("click", (event) => attempt(event.currentTarget, () => client.escalateChat({ reason: "by_end_user_ask" })));
  byId("finish").addEventListener("click", () => byId("finish-dialog").showModal());
  byId("finish-dialog").addEventListener("close", (event) => {
    if (event.target.returnValue === "yes") attempt(byId("finish"), () => client.finishChat());
    event.target.returnValue = "";
  });
  byId("restart").addEventListener("click", (event) =>
    attempt(event.currentTarget, async () => {
      await client.destroyChat();
      ownTexts.clear();
      byId("text").value = "";
      unreadTitle.count = 0;
      await enterLobby();
      byId("lobby-title").focus();
    }),
  );
}

/** Runs what a button does; the button waits meanwhile, and a failure is said in words. */
async function attempt(button, action) {
  button.disabled = true;
  try {
    await action();
  } catch (error) {
    notice.show(explainError(error).words);
  } finally {
    button.disabled = false;
  }
}

/** Errors nobody waits for. A lost connection is shown by the connection's own line; saying it twice would only frighten. */
function showError(error) {
  if (isSportelloError(error) && error.retryable) return;
  notice.show(explainError(error).words);
}

function isOver(state) {
  return ["finished", "failed", "canceled", "timeout"].includes(state.status);
}

function showOnly(name) {
  for (const section of ["opening", "lobby", "chat"]) show(byId(section), section === name);
  fill(byId("connection"));
  delete byId("connection").dataset.state;
  showConnection(byId("connection"), client.connection ?? "idle");
  scrollTo(0, 0);
}

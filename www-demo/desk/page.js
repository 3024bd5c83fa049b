// The agent desk: sign in, see who waits, accept, write, finish. The desk stream is the truth about the lists, each conversation's stream
// the truth about its messages; this module only ties them to the screen.

import { attempt } from "../shared/attempt.js";
import { Backoff } from "../shared/backoff.js";
import { Composer } from "../shared/composer.js";
import { showConnection } from "../shared/connection-status.js";
import { ConversationView } from "../shared/conversation-view.js";
import { byId, fill, setText, show } from "../shared/dom.js";
import { explainError } from "../shared/error-words.js";
import { attachFileIntake } from "../shared/file-intake.js";
import { placeIcons } from "../shared/icons.js";
import { attachLanguageSwitch, onLanguage, t, translatePage } from "../shared/language.js";
import { messageSummary } from "../shared/messages/render-message.js";
import { Notice } from "../shared/notice.js";
import { attachThemeToggle } from "../shared/theme.js";
import { TypingSignal } from "../shared/typing-signal.js";
import { UnreadTitle } from "../shared/unread-title.js";
import { ticketNumber } from "../shared/words.js";
import { About } from "./about.js";
import { DeskApi } from "./api.js";
import { DeskCalls } from "./calls.js";
import { DeskConversation } from "./conversation.js";
import { Emails } from "./emails.js";
import { DeskFiles } from "./files.js";
import { attachFormPicker } from "./form-picker.js";
import { drawMine, drawQueue, menuName } from "./lists.js";
import { DeskOutbox } from "./outbox.js";
import { isFollowed, PostSessionResults } from "./post-session.js";
import { PreviewLines } from "./preview-lines.js";
import { Results, starsOf } from "./results.js";
import { DeskScreenShare } from "./screen-share.js";
import { openDeskStream } from "./stream.js";
import { Tabs } from "./tabs.js";
import { Transcript } from "./transcript.js";
import { Transfer } from "./transfer.js";

const CLOCK_MS = 10_000;

const api = new DeskApi();
const notice = new Notice(byId("notice"));
const unreadTitle = new UnreadTitle();
const tabs = new Tabs(byId("tabs"));
const emails = new Emails({ api, tabs, notice });
const previews = new PreviewLines({ load: (chatId, afterIndex) => api.messages(chatId, afterIndex), onLoaded: drawLists });
const typing = new TypingSignal({ start: () => open()?.typing(true), stop: () => open()?.typing(false) });
const composer = new Composer(byId("composer"), { onSend: (text) => send({ type: "text", content: text }), typing });
const view = new ConversationView(byId("conversation"), {
  own: "agent",
  nameOf: authorName,
  onRetry: retryFailed,
  onCancel: cancelFile,
  onReveal: (message) => api.formAnswers(openId, message.smart_action_id),
  // The cookie opens the address of a file, so the browser reads only as much of it as it needs.
  media: { base: location.origin, streams: true, load: async (message) => (openId === null ? null : api.mediaUrl(openId, message.media_id)) },
});
const files = new DeskFiles({ api, onChange: showPendingFile, onStored: (chatId, message, clientId) => outbox?.add(chatId, message, clientId) });
const about = new About(byId("about"), { loadEvents: (chatId) => api.events(chatId) });
const results = new Results({ api, tabs });
new Transcript({ api, notice, chatId: () => openId ?? undefined });
const postSession = new PostSessionResults(byId("post-session"), { load: (chatId) => api.postSession(chatId) });
const calls = new DeskCalls(byId("calls"), { api, agentId: () => agentId, notice, onCount: (count) => tabs.count("calls", count) });
const screenShare = new DeskScreenShare({ api, notice });
const transfer = new Transfer({ api, agentId: () => agentId, onDone: takeChat });

/** Conversations by chat id, the finished ones until they are left. */
const conversations = new Map();
/** Half-written answers by chat id. */
const drafts = new Map();
let queue = [];
let openId = null;
let agentId = null;
let outbox = null;
let deskStream = null;
let listConnection = "idle";
let clockTimer = 0;
/** Until the first lists are there. */
let isFresh = true;

translatePage();
placeIcons();
attachThemeToggle(byId("theme"));
attachLanguageSwitch(byId("language"));
attachFileIntake(byId("conversation"), byId("composer"), (file) => openId !== null && files.add(openId, file));
attachFormPicker({ load: () => api.forms(openId), onSend: (form) => send({ type: "form", form_id: form.id }) });
onLanguage(drawAgain);
wireButtons();
start();

// --- signing in and out -------------------------------------------------------------------------------------------------------------

/** Goes on with the session of the cookie, or asks for a login. A gateway that is down is only a delay. */
async function start() {
  const backoff = new Backoff({ initialMs: 500, maxMs: 5_000 });
  for (;;) {
    try {
      return enter(await api.me());
    } catch (error) {
      if (!error.isRetryable) return askToSignIn();
      notice.show(`${explainError(error).words} ${t("error.keepTrying")}`, { stays: true });
      await new Promise((resolve) => setTimeout(resolve, backoff.next()));
    }
  }
}

function askToSignIn() {
  leave({ forget: false });
  showOnly("sign-in");
  byId("login").focus();
}

async function signIn(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  setText(byId("sign-in-error"), "");
  try {
    const agent = await api.signIn(form.elements.login.value, form.elements.password.value);
    form.reset();
    enter(agent);
    byId(tabs.current === "conversations" ? "queue-title" : `tab-${tabs.current}`).focus();
  } catch (error) {
    const isRefused = error.status === 401 || error.status === 403 || error.status === 400;
    setText(byId("sign-in-error"), isRefused ? t("signIn.refused") : explainError(error).words);
    form.elements.password.focus();
  } finally {
    button.disabled = false;
  }
}

function enter(agent) {
  leave({ forget: false });
  notice.hide();
  showOnly("workplace");
  agentId = agent.id;
  isFresh = true;
  setText(byId("agent"), agent.name);
  outbox = new DeskOutbox({
    send: (chatId, clientId, message) => api.send(chatId, clientId, message),
    onChange: showPending,
    onSignedOut: askToSignIn,
    agentId: agent.id,
  });
  deskStream = openDeskStream({ onChats: takeChats, onCalls: (open) => calls.take(open), onState: takeConnection, onLost: checkSession });
  clockTimer = setInterval(drawClock, CLOCK_MS);
  if (tabs.current === "calls") calls.refresh();
}

/** The stream went. Where the reason is the session, only signing in helps; everything else the stream repairs by itself. */
async function checkSession() {
  try {
    await api.me();
  } catch (error) {
    if (error.isSignedOut && deskStream) askToSignIn();
  }
}

function leave({ forget }) {
  deskStream?.close();
  deskStream = null;
  outbox?.close({ forget });
  outbox = null;
  files.close();
  results.clear();
  emails.clear();
  clearInterval(clockTimer);
  for (const conversation of conversations.values()) conversation.close();
  conversations.clear();
  drafts.clear();
  previews.clear();
  calls.clear();
  screenShare.clear();
  queue = [];
  openRoom(null);
  takeConnection("idle");
}

async function signOut() {
  try {
    await api.signOut();
  } catch (error) {
    // Without an answer the cookie still stands: saying "signed out" would be a lie.
    if (!error.isSignedOut) return notice.show(explainError(error).words);
  }
  leave({ forget: true });
  showOnly("sign-in");
  byId("login").focus();
}

/** One line speaks for both streams, and for the worse of the two. */
function takeConnection(state = listConnection) {
  listConnection = state;
  const states = [listConnection, open()?.connection ?? listConnection];
  showConnection(byId("connection"), ["idle", "offline", "connecting"].find((worse) => states.includes(worse)) ?? "online");
}

// --- the lists ----------------------------------------------------------------------------------------------------------------------

function takeChats(chats) {
  emails.refresh();
  announceNewcomers(chats.queue);
  queue = chats.queue;
  for (const chat of chats.mine) keepConversation(chat);
  for (const { chat_id: chatId, rating } of chats.ratings) if (conversations.has(chatId)) conversations.get(chatId).rating = rating;
  // A chat that is no longer mine stays readable while it is on the screen.
  const mineIds = new Set(chats.mine.map((chat) => chat.id));
  for (const [id, conversation] of conversations) {
    if (!mineIds.has(id) && id !== openId) {
      conversation.close();
      conversations.delete(id);
    }
  }
  for (const chat of queue) previews.want(chat);
  // A desk that was loaded anew goes on looking at the page that is shown.
  const shown = isFresh && openId === null ? chats.mine.find((chat) => chat.screen_share?.status === "active") : undefined;
  isFresh = false;
  if (shown) openRoom(shown.id);
  // A name that was told, or an event of the customer's page, comes with the lists.
  if (open()) {
    drawRoom(open());
    about.refreshEvents();
  }
  outbox?.wake();
  drawLists();
  results.refresh();
}

function keepConversation(chat) {
  const known = conversations.get(chat.id);
  if (!known) return conversations.set(chat.id, new DeskConversation(chat, agentId, onConversation));
  if (chat.revision >= known.chat.revision) known.chat = { ...known.chat, ...chat };
}

function announceNewcomers(newest) {
  const known = new Set(queue.map((chat) => chat.id));
  const count = newest.filter((chat) => !known.has(chat.id)).length;
  if (count > 0) setText(byId("announce"), t("queue.announce", { count: newest.length }));
}

function drawLists() {
  if (!outbox) return;
  drawQueue(byId("queue"), queue, { previewOf: (chat) => previews.lines(chat), onAccept: accept });
  drawMine(byId("mine"), [...conversations.values()], { openId, onOpen: openRoom });
  setText(byId("queue-count"), String(queue.length));
  setText(byId("mine-count"), String(conversations.size));
  show(byId("queue-empty"), queue.length === 0);
  show(byId("mine-empty"), conversations.size === 0);
  const unreadCount = [...conversations.values()].reduce((sum, conversation) => sum + conversation.unreadCount, 0);
  unreadTitle.count = unreadCount;
  tabs.count("conversations", queue.length + unreadCount);
}

function drawClock() {
  drawLists();
  calls.draw();
}

async function accept(chat, button) {
  button.disabled = true;
  try {
    keepConversation(await api.accept(chat.id));
    queue = queue.filter((waiting) => waiting.id !== chat.id);
    openRoom(chat.id);
    composer.focus();
  } catch (error) {
    button.disabled = false;
    notice.show(error.status === 409 ? t("queue.faster") : explainError(error).words);
  }
}

// --- the conversation on the screen -------------------------------------------------------------------------------------------------

function open() {
  return openId === null ? undefined : conversations.get(openId);
}

function openRoom(chatId) {
  const before = open();
  if (before) {
    typing.end();
    before.isRead = false;
    drafts.set(openId, composer.text);
    if (before.isOver && !isFollowed(before.chat)) {
      before.close();
      conversations.delete(openId);
    }
  }
  openId = chatId;
  const conversation = open();
  show(byId("room"), conversation !== undefined);
  show(byId("nothing-open"), conversation === undefined);
  byId("board").classList.toggle("has-room", conversation !== undefined);
  view.clear();
  if (conversation) {
    conversation.isRead = isSeen();
    composer.text = drafts.get(chatId) ?? "";
    view.addHistory(conversation.messages);
    for (const entry of outbox?.entries(chatId) ?? []) showPending(entry);
    for (const upload of files.entries(chatId)) showPendingFile(upload);
    drawRoom(conversation);
  } else screenShare.show(null);
  takeConnection();
  drawLists();
}

function drawRoom(conversation) {
  const { chat } = conversation;
  const over = conversation.isOver;
  setText(byId("room-title"), conversation.customerName);
  setText(byId("room-details"), `${ticketNumber(chat.id)} · ${menuName(chat)}`);
  about.show(chat);
  postSession.show(chat);
  screenShare.show(conversation);
  for (const id of ["finish", "transfer", "composer"]) show(byId(id), !over);
  // What the gateway does not offer is not shown.
  show(byId("composer").querySelector(".attach"), chat.features?.includes("document") === true);
  show(byId("ended"), over);
  const { rating } = conversation;
  setText(byId("ended-words"), conversation.isElsewhere ? t("desk.over.transferred") : (t(`desk.over.${chat.status}`) ?? t("desk.over.finished")));
  fill(byId("ended-rating"), rating ? starsOf(rating) : []);
  composer.enabled = !over;
  if (over) view.close();
  else if (conversation.typingName) view.showTyping(conversation.typingName, conversation.preview);
  else view.hideTyping();
}

/** Everything in the page's new language. The lists keep their items, so those are made anew. */
function drawAgain() {
  byId("queue").replaceChildren();
  byId("mine").replaceChildren();
  const conversation = open();
  if (conversation) drawRoom(conversation);
  takeConnection();
  drawLists();
  calls.draw();
}

function onConversation(conversation, kind, detail) {
  if (kind === "messages") for (const message of detail) if (message.client_id) outbox?.confirm(message.client_id);
  if (conversation === open()) {
    if (kind === "messages") for (const message of detail) view.add(message);
    else if (kind === "reset") return openRoom(openId);
    drawRoom(conversation);
    takeConnection();
  }
  drawLists();
}

function send(message) {
  if (openId !== null) outbox?.add(openId, message);
}

function showPending({ chatId, clientId, message, state, reason }) {
  if (chatId !== openId) return;
  const text = message.type === "text" ? message.content : messageSummary(message);
  view.setPending({ clientId, text, state, reason: reason && explainError({ code: reason }).words });
}

function showPendingFile({ chatId, clientId, file, state, progress, reason }) {
  if (chatId !== openId) return;
  const shown = { name: file.name, size: file.size, canCancel: true };
  view.setPending({ clientId, file: shown, state, progress, reason: reason && explainError({ code: reason }).words });
}

function retryFailed(clientId) {
  const file = files.take(clientId);
  const message = outbox?.take(clientId);
  view.dropPending(clientId);
  composer.focus();
  if (openId === null) return;
  if (file) files.add(openId, file);
  else if (message) send(message);
}

function cancelFile(clientId) {
  files.take(clientId);
  view.dropPending(clientId);
  composer.focus();
}

function authorName(message) {
  const chat = open()?.chat;
  if (message.$userType === "end_user") return open()?.customerName ?? t("customer");
  const isBot = message.$userType === "virtual_agent";
  const known = isBot ? [chat?.virtual_agent, ...(chat?.all_virtual_agents ?? [])] : [chat?.agent, ...(chat?.all_agents ?? [])];
  return known.find((agent) => agent?.id === message.$userId)?.name ?? t(isBot ? "virtualAgent" : "agent");
}

// --- buttons ------------------------------------------------------------------------------------------------------------------------

function wireButtons() {
  byId("sign-in-form").addEventListener("submit", signIn);
  byId("sign-out").addEventListener("click", signOut);
  byId("finish").addEventListener("click", () => byId("finish-dialog").showModal());
  byId("finish-dialog").addEventListener("close", (event) => {
    if (event.target.returnValue === "yes") finish();
    event.target.returnValue = "";
  });
  byId("transfer").addEventListener("click", () => open() && transfer.open(open().chat));
  byId("back").addEventListener("click", () => {
    const id = openId;
    openRoom(null);
    (byId("mine").querySelector(`[data-id="${id}"] button`) ?? byId("queue-title")).focus();
  });
  document.addEventListener("visibilitychange", markRead);
  tabs.onChoice(markRead);
  tabs.onChoice((name) => name === "calls" && agentId !== null && calls.refresh());
}

/** Whether the conversations are before the agent's eyes: the page in front, and their tab. */
function isSeen() {
  return !document.hidden && tabs.current === "conversations";
}

function markRead() {
  const conversation = open();
  if (conversation) conversation.isRead = isSeen();
  drawLists();
}

async function finish() {
  const conversation = open();
  if (conversation) await attempt(notice, byId("finish"), async () => takeChat(await api.finish(conversation.chat.id)));
}

/** A chat that this agent has just ended or handed on. */
function takeChat(chat) {
  const conversation = conversations.get(chat.id);
  if (!conversation) return;
  conversation.chat = { ...conversation.chat, ...chat };
  if (conversation === open()) drawRoom(conversation);
  drawLists();
  byId("room-title").focus();
}

function showOnly(name) {
  for (const section of ["opening", "sign-in", "workplace"]) show(byId(section), section === name);
  show(byId("agent"), name === "workplace");
  show(byId("sign-out"), name === "workplace");
}

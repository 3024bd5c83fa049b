// The customer page: which counter, then the conversation, then the end of it. This module holds the SDK's client and tells the views what
// happened; everything that has a subject of its own is in the module named after it.
//
// Three rules keep the picture right whatever the network does:
// 1. Messages are drawn from `chat.message` and `fetchMessages` only, each at its index. Sending draws nothing by itself.
// 2. What the user sent and the gateway has not given back is drawn from the client's outbox, and leaves when its `client_id` comes back.
// 3. The chat's state (`chat.updated`) alone decides what can be done: asking for a person, writing, ending.

import { Client, isSportelloError } from "../pkg/index.js";
import { attempt } from "../shared/attempt.js";
import { Backoff } from "../shared/backoff.js";
import { Composer } from "../shared/composer.js";
import { showConnection } from "../shared/connection-status.js";
import { ConversationView } from "../shared/conversation-view.js";
import { byId, fill, setText, show } from "../shared/dom.js";
import { explainError } from "../shared/error-words.js";
import { attachFileIntake } from "../shared/file-intake.js";
import { placeIcons } from "../shared/icons.js";
import { attachLanguageSwitch, language, onLanguage, t, translatePage } from "../shared/language.js";
import { Notice } from "../shared/notice.js";
import { attachThemeToggle } from "../shared/theme.js";
import { TypingSignal } from "../shared/typing-signal.js";
import { UnreadTitle } from "../shared/unread-title.js";
import { Recorder } from "../tools/recorder.js";
import { ToolsPanel } from "../tools/tools-panel.js";
import { Attachments } from "./attachments.js";
import { Calls } from "./calls.js";
import { CheckIn } from "./check-in.js";
import { Deflection } from "./deflection.js";
import { Feedback } from "./feedback.js";
import { Forms } from "./forms.js";
import { readPageOptions, requestDemoToken } from "./gateway.js";
import { History } from "./history.js";
import { Lobby } from "./lobby.js";
import { MailForms } from "./mail.js";
import { Outgoing } from "./outgoing.js";
import { PostSession } from "./post-session.js";
import { cobrowseOptions, ScreenShare } from "./screen-share.js";
import { Silence } from "./silence.js";
import { SiteData } from "./site-data.js";
import { isOver, Ticket } from "./ticket.js";
import { Transcript } from "./transcript.js";
import { Triggers } from "./triggers.js";

/** A chat that has one of these takes files. */
const FILE_FEATURES = ["photo", "video", "audio", "document"];

const options = readPageOptions(location);
const recorder = new Recorder();
// Without the developer tools this would be the client itself.
const client = recorder.watch(
  new Client({
    companyId: options.companyId,
    host: options.gateway,
    lang: language(),
    authenticate: () => requestDemoToken(options.gateway, options.identifier),
    cobrowse: cobrowseOptions,
  }),
);

const notice = new Notice(byId("notice"));
const unreadTitle = new UnreadTitle();
const tools = new ToolsPanel(recorder, client);
const attachments = new Attachments({ client, base: options.gateway });
const typing = new TypingSignal({ start: () => client.chat?.startTyping(), stop: () => client.chat?.stopTyping(), onText: showPreview });
const composer = new Composer(byId("composer"), { onSend: (text) => outgoing.sendText(text), typing });
const conversation = new ConversationView(byId("conversation"), {
  own: "end_user",
  nameOf: authorName,
  onChoose: choose,
  onDraft: draft,
  onForm: (message) => forms.open(message),
  onRetry: (clientId) => outgoing.retry(clientId),
  onCancel: (clientId) => outgoing.cancel(clientId),
  media: attachments,
});
const outgoing = new Outgoing({ client, view: conversation, composer, notice });
const forms = new Forms({ client, media: attachments });
const siteData = new SiteData({ gateway: options.gateway });
const mailForms = new MailForms({ client });
const writeEmail = (menu, onSent) => mailForms.write(menu, onSent);
const calls = new Calls({ client, notice, owner: `${options.companyId}.${options.identifier ?? ""}`, request: callRequest });
const lobby = new Lobby({ client, notice, key: options.key, chatRequest: () => siteData.chatRequest(), onChat: enterNewChat, onEmail: writeEmail, onCall: (menu) => calls.open(menu) });
const triggers = new Triggers({ client, notice, chatRequest: () => siteData.chatRequest(), onChat: enterNewChat });
const checkIn = new CheckIn({ client, notice, onEnd: () => attempt(notice, null, () => client.finishChat()), title: unreadTitle });
const silence = new Silence({ client, notice, onWrite: (text) => outgoing.sendText(text), onNew: () => attempt(notice, null, startOver) });
const deflection = new Deflection({ client, notice, onEmail: writeEmail });
const screenShare = new ScreenShare({ client, notice });
const ticket = new Ticket({ client, onWaiting: () => deflection.refresh() });
/** What follows the messages, and what follows the chat's state. */
const followers = [checkIn, silence, deflection, screenShare, new PostSession({ client, notice, onBegin: () => conversation.reopen() }), new Feedback({ client }), new Transcript({ client })];

translatePage();
placeIcons();
listen();
wireButtons();
attachThemeToggle(byId("theme"));
attachLanguageSwitch(byId("language"));
attachFileIntake(byId("conversation"), byId("composer"), (file) => outgoing.sendFile(file));
new History({ client, notice, media: attachments });
if (options.tools) tools.toggle();
start();

// --- starting -----------------------------------------------------------------------------------------------------------------------

/** Opens the page, as often as it takes: a gateway that is down at first is only a delay. */
async function start() {
  const backoff = new Backoff({ initialMs: 1_000, maxMs: 10_000 });
  for (;;) {
    try {
      const company = await client.getCompany();
      setText(byId("company"), company.name);
      mailForms.company = company;
      unreadTitle.base = `${company.name} – Sportello`;
      const chat = await client.loadOngoingChat();
      notice.hide();
      if (chat) await enterChat(chat);
      else await enterLobby();
      triggers.watch();
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
    notice.show(`${words} ${t("error.keepTrying")}`, { action: { label: t("error.tryNow"), run }, stays: true });
  });
}

async function enterLobby() {
  ticket.clear();
  await lobby.open();
  showOnly("lobby");
  calls.resume();
}

/** Of what the site sends with a chat, what goes with a call. */
async function callRequest() {
  const { ticket_id, email, custom_data } = await siteData.chatRequest();
  return { ticket_id, email, custom_data };
}

// --- the conversation ---------------------------------------------------------------------------------------------------------------

async function enterNewChat(chat) {
  await enterChat(chat);
  composer.focus();
}

async function enterChat(chat) {
  lobby.close();
  ticket.clear();
  conversation.clear();
  outgoing.clear();
  attachments.clear();
  showOnly("chat");
  showChat(chat);
  const messages = await client.fetchMessages();
  conversation.addHistory(messages);
  for (const message of messages) for (const follower of followers) follower.take(message);
  // Messages written before a reload and not acknowledged yet.
  outgoing.showAll();
  showChat(client.chat ?? chat);
  if (isOver(chat.state)) endConversation();
}

function listen() {
  client.on("chat.message", (message) => {
    conversation.add(message);
    for (const follower of followers) follower.take(message);
  });
  client.on("chat.delivery", (delivery) => outgoing.showDelivery(delivery));
  client.on("chat.uploadProgress", (progress) => outgoing.showProgress(progress));
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
  onLanguage(() => {
    if (!byId("lobby").hidden) lobby.draw().catch(() => {});
    calls.draw();
    ticket.clear();
    showChat(client.chat);
    showConnectionState(client.connection ?? "idle");
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
  ticket.show(state);
  show(byId("ended"), over);
  show(byId("composer"), !over);
  composer.enabled = !over;
  for (const follower of followers) follower.show(state);
  // What cannot be done here is not offered.
  show(byId("composer").querySelector(".attach"), FILE_FEATURES.some((feature) => state.features?.includes(feature)));
  conversation.refreshNames();
}

/** The conversation is over: nothing can be answered any more, and what had the focus hands it to the way on. */
function endConversation() {
  const hadFocus = byId("composer").contains(document.activeElement) || document.activeElement === document.body;
  conversation.close();
  composer.enabled = false;
  for (const id of ["composer", "escalate", "finish", "name-open"]) show(byId(id), false);
  show(byId("ended"), true);
  if (hadFocus) byId("restart").focus();
}

function authorName(message) {
  const state = client.chat?.state;
  const isBot = message.$userType === "virtual_agent";
  const known = isBot ? [state?.virtual_agent, ...(state?.all_virtual_agents ?? [])] : [state?.agent, ...(state?.all_agents ?? [])];
  const author = known.find((agent) => agent?.id === message.$userId);
  return author?.name ?? t(isBot ? "virtualAgent" : "agent");
}

// --- answering ----------------------------------------------------------------------------------------------------------------------

/** A choice is answered with its title, as if it had been written; one that asks for a person does so. */
function choose(title, button) {
  if (button?.action === "escalation") attempt(notice, null, () => client.escalateChat({ reason: "by_end_user_ask" }));
  else outgoing.sendText(title);
}

/** Proposes an answer: the customer sends it, or writes something else. */
function draft(text) {
  composer.text = text;
  composer.focus();
}

/** Where the company wants it, the agent sees what is being written. */
function showPreview(text) {
  if (client.chat?.state.features?.includes("preview")) client.sendPreviewMessage(text).catch(() => {});
}

// --- buttons and errors -------------------------------------------------------------------------------------------------------------

function wireButtons() {
  byId("escalate").addEventListener("click", (event) => attempt(notice, event.currentTarget, () => client.escalateChat({ reason: "by_end_user_ask" })));
  byId("finish").addEventListener("click", () => byId("finish-dialog").showModal());
  onDialog("finish-dialog", () => attempt(notice, byId("finish"), () => client.finishChat()));
  byId("restart").addEventListener("click", (event) => attempt(notice, event.currentTarget, startOver));
  byId("name-open").addEventListener("click", () => byId("name-dialog").showModal());
  onDialog("name-dialog", () => {
    const name = byId("name").value.trim();
    if (name) attempt(notice, null, () => client.trackChatEndUserEvent({ name: "name_changed", end_user_name: name }));
  });
}

/** Calls `onYes` when a dialog is closed with its button "yes". */
function onDialog(id, onYes) {
  byId(id).addEventListener("close", (event) => {
    if (event.target.returnValue === "yes") onYes();
    event.target.returnValue = "";
  });
}

async function startOver() {
  await client.destroyChat();
  outgoing.clear();
  composer.text = "";
  unreadTitle.count = 0;
  await enterLobby();
  byId("lobby-title").focus();
}

/** Errors nobody waits for. A lost connection is shown by the connection's own line; saying it twice would only frighten. */
function showError(error) {
  if (isSportelloError(error) && (error.retryable || error.code === "aborted")) return;
  notice.show(explainError(error).words);
}

function showOnly(name) {
  for (const section of ["opening", "lobby", "chat"]) show(byId(section), section === name);
  fill(byId("connection"));
  delete byId("connection").dataset.state;
  showConnection(byId("connection"), client.connection ?? "idle");
  scrollTo(0, 0);
}

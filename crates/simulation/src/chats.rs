//! The gateway's active chats: one session of the engine each, loaded from the disk when somebody asks for it and forgotten when nobody
//! does. The part of `crates/gateway/src/chats`, without tasks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use engine::gateway::{
    Act, Actor, Change, ChatSession, ChatState, CheckInLimits, Command, Done, Input, Limits, Message, Notice, Output,
    PostSessionOffer, PostSessionStatus, Script, SentKey, open,
};
use store::{ChatRecord, MessageBody, PageLimit, StoreError};
use wire::{Document, ErrorCode};

use crate::document::Doc;
use crate::gateway::{TaskEnd, commit, refusal};
use crate::network::ConnectionId;
use crate::random::Random;
use crate::world::{Happening, World};

/// Inputs that may wait for a chat that is being loaded.
const MAILBOX: usize = 256;
/// How long a chat that nobody uses stays loaded.
const IDLE_MS: u64 = 30_000;
/// The queue with a virtual agent in front.
const MENU_WITH_VIRTUAL_AGENT: u64 = 1;

/// Who waits for the answer to a command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AnswerTo {
    /// A request that is being served.
    Request(u64),
    /// An agent's call.
    Agent(u64, u64),
}

/// What a chat is told from outside.
pub(crate) enum Mail {
    Command {
        actor: Actor,
        command: Command<MessageBody>,
        answer_to: AnswerTo,
    },
    Join {
        actor: Actor,
        cursor: u64,
        connection: ConnectionId,
    },
    /// A timer of it may be due.
    Wake,
    /// How far it has come in its queue.
    Place(u64),
    /// The end user's page is in view, or not, said beside the stream.
    Visibility(Actor, bool),
}

/// A chat as the disk has it, with the keys of its messages.
pub(crate) type Loaded = (ChatRecord, HashMap<SentKey, (u64, u64)>);

/// An active chat.
#[derive(Default)]
pub(crate) struct Host {
    /// None while it is loaded.
    session: Option<ChatSession<MessageBody, Echo>>,
    mails: Vec<Mail>,
    streams: BTreeSet<ConnectionId>,
    answers: BTreeMap<u64, AnswerTo>,
    /// Counts uses, to see whether there was one.
    used: u64,
    ticks_at_ms: Option<u64>,
}

/// A virtual agent that answers everything and hands over when asked to, and the notices of the platform.
pub(crate) struct Echo;

fn text_body(text: &str) -> MessageBody {
    MessageBody::from_stored(serde_json::json!({ "type": "text", "content": text }).to_string())
}

impl Script<MessageBody> for Echo {
    fn greet(&self, _: &ChatState) -> Vec<Act<MessageBody>> {
        vec![Act::Say(text_body("hello"))]
    }

    fn answer(&self, _: &ChatState, body: &MessageBody) -> Vec<Act<MessageBody>> {
        let text = body.text().unwrap_or_default();
        // Every fifth message is enough for the virtual agent.
        if text.ends_with(['4', '9']) {
            vec![Act::Escalate]
        } else {
            vec![Act::Say(text_body(&format!("you said {text}")))]
        }
    }

    fn post_session(&self, chat: &ChatState) -> Option<PostSessionOffer> {
        // The other queue's chats are over when they are over.
        let opt_in_required = chat.id.is_multiple_of(2);
        (chat.menu_id == MENU_WITH_VIRTUAL_AGENT).then_some(PostSessionOffer { virtual_agent_id: 8, opt_in_required })
    }

    fn notice(&self, chat: &ChatState, notice: Notice) -> MessageBody {
        // What the notice says of the chat, so that the conversation can be compared with its state (`life`).
        let (status, agent) = (chat.status.as_str(), chat.agent_id);
        let body = serde_json::json!({ "type": "noti", "event": notice.as_str(), "status": status, "agent": agent });
        MessageBody::from_stored(body.to_string())
    }
}

/// Small limits, so that tails and pages end often. Each world has its own timers, and most are without some.
pub(crate) fn limits(random: &mut Random) -> Limits {
    let mut some = |one_in: u64, least_ms: u64, most_ms: u64| {
        let ms = random.between(least_ms, most_ms);
        random.one_in(one_in).then_some(ms)
    };
    let dismiss_after_ms = some(2, 3_000, 20_000);
    let dismiss_warning_ms = some(2, 500, 2_900);
    let va_dismiss_after_ms = some(3, 3_000, 20_000);
    let queue_timeout_ms = some(4, 10_000, 60_000);
    let chat_timeout_ms = some(3, 20_000, 200_000);
    let post_session_timeout_ms = some(2, 5_000, 40_000);
    let check_in = CheckInLimits {
        // Everywhere, so that each of the reasons to ask is enough.
        timeout_ms: some(1, 1_000, 12_000).unwrap_or(0),
        after_ms: some(2, 500, 6_000),
        at_position: some(2, 1, 2),
        hidden_after_ms: some(2, 1_000, 10_000),
        rejoin_at_front: some(2, 0, 0).is_some(),
    };
    Limits {
        tail_messages: random.position(5),
        batch_messages: random.between(1, 6),
        dismiss_after_ms,
        dismiss_warning_ms,
        va_dismiss_after_ms,
        queue_timeout_ms,
        chat_timeout_ms,
        post_session_timeout_ms,
        check_in,
        late_grace_ms: random.between(1_000, 20_000),
        ..Limits::default()
    }
}

pub(crate) fn first_state(end_user_id: u64, menu_id: u64, now_ms: u64) -> ChatState {
    ChatState::new(end_user_id, menu_id, (menu_id == MENU_WITH_VIRTUAL_AGENT).then_some(9), now_ms)
}

pub(crate) fn opening(state: ChatState, now_ms: u64) -> Change<MessageBody> {
    open(state, &Echo, now_ms)
}

/// A chat as the protocol writes it.
pub(crate) fn present(state: &ChatState) -> Doc {
    let member = |kind: &str, id: u64| {
        Doc::object(vec![("type", Doc::string(kind)), ("id", Doc::number(id)), ("display_name", Doc::string("Ada"))])
    };
    let agent = state.agent_id.map(|id| member("agent", id));
    let virtual_agent = state.virtual_agent_id.map(|id| member("virtual_agent", id));
    let mut fields = vec![
        ("id", Doc::number(state.id)),
        ("status", Doc::string(state.status.as_str())),
        ("revision", Doc::number(state.revision)),
        ("last_index", Doc::number(state.last_index)),
        ("members", Doc::list([agent, virtual_agent].into_iter().flatten().collect())),
    ];
    if let Some(part) = state.post_session {
        fields.push(("post_session_required", Doc::flag(true)));
        if part.status != PostSessionStatus::Offered {
            fields.push(("post_session_transfer_status", Doc::string(part.status.as_str())));
        }
    }
    fields.extend(state.ended_by.map(|ended_by| ("ended_by", Doc::string(ended_by.as_str()))));
    Doc::object(fields)
}

/// A message as the protocol writes it.
pub(crate) fn rendered(message: &Message<MessageBody>) -> Doc {
    let (kind, id) = message.author.parts();
    let body = Doc::parse(message.body.json()).unwrap_or(Doc::Null);
    let mut envelope =
        vec![("$index", Doc::number(message.index)), ("$userType", Doc::string(kind)), ("$userId", Doc::number(id))];
    envelope.extend(message.client_id.as_deref().map(|client_id| ("client_id", Doc::string(client_id))));
    body.with(envelope)
}

impl World {
    /// Tells a chat something; loads it where it is not active.
    pub(crate) fn post_to_chat(&mut self, chat_id: u64, mail: Mail) {
        let host = self.gateway.hosts.entry(chat_id).or_default();
        host.used += 1;
        if host.session.is_some() {
            return self.take_mail(chat_id, mail);
        }
        let is_first = host.mails.is_empty();
        if host.mails.len() >= MAILBOX {
            return self.refuse_mail(mail, ErrorCode::Unavailable);
        }
        host.mails.push(mail);
        if is_first {
            let store = self.store();
            self.spawn(async move {
                let loaded = async {
                    // The state first, as in `crates/gateway/src/chats/actor.rs`.
                    let Some(record) = store.chat(chat_id).await? else { return Ok(None) };
                    let sent = store.sent_keys(chat_id).await?;
                    Ok::<_, StoreError>(Some((record, sent)))
                };
                TaskEnd::Loaded(chat_id, Box::new(loaded.await))
            });
        }
    }

    pub(crate) fn chat_loaded(&mut self, chat_id: u64, result: Result<Option<Loaded>, StoreError>) {
        let Some(host) = self.gateway.hosts.get_mut(&chat_id) else { return };
        let mails = std::mem::take(&mut host.mails);
        match result {
            Ok(Some((record, sent))) => {
                host.session = Some(ChatSession::new(record.state, sent, Echo, self.gateway.limits));
                for mail in mails {
                    self.post_to_chat(chat_id, mail);
                }
                self.plan_unload(chat_id);
            }
            result => {
                self.gateway.hosts.remove(&chat_id);
                let code = if result.is_ok() { ErrorCode::NotFound } else { ErrorCode::Unavailable };
                for mail in mails {
                    self.refuse_mail(mail, code);
                }
            }
        }
    }

    fn refuse_mail(&mut self, mail: Mail, code: ErrorCode) {
        match mail {
            Mail::Command { answer_to, .. } => self.answer_command(answer_to, Err(code)),
            Mail::Join { connection, .. } => self.refuse_stream(connection, code),
            Mail::Wake | Mail::Place(_) | Mail::Visibility(..) => {}
        }
    }

    fn take_mail(&mut self, chat_id: u64, mail: Mail) {
        let request = self.gateway.number();
        let Some(host) = self.gateway.hosts.get_mut(&chat_id) else { return };
        let input = match mail {
            Mail::Command { actor, command, answer_to } => {
                host.answers.insert(request, answer_to);
                Input::Command { request, actor, command }
            }
            Mail::Wake => return self.plan_chat_tick(chat_id),
            Mail::Place(place) => Input::Place { place },
            Mail::Visibility(actor, visible) => Input::VisibilityBeside { actor, visible },
            Mail::Join { actor, cursor, connection } => {
                let is_open = self.connections.get(&connection).is_some_and(|entry| entry.gateway_end.open);
                if !is_open {
                    return;
                }
                host.streams.insert(connection);
                Input::Join { stream: connection, actor, cursor }
            }
        };
        self.chat_input(chat_id, input);
    }

    /// Hands an input to a chat's session, where it is loaded, and carries out what follows.
    pub(crate) fn chat_input(&mut self, chat_id: u64, input: Input<MessageBody>) {
        let now_ms = self.gateway_ms();
        let Some(host) = self.gateway.hosts.get_mut(&chat_id) else { return };
        let Some(session) = host.session.as_mut() else { return };
        host.used += 1;
        session.handle(input, now_ms);
        self.perform(chat_id);
    }

    fn perform(&mut self, chat_id: u64) {
        while let Some(output) = self.gateway.hosts.get_mut(&chat_id).and_then(|host| host.session.as_mut()?.poll()) {
            match output {
                Output::Commit(change) => {
                    let store = self.store();
                    self.spawn(commit(store, change));
                }
                Output::Reply { request, result } => {
                    let answer_to = self.gateway.hosts.get_mut(&chat_id).and_then(|host| host.answers.remove(&request));
                    if let Some(answer_to) = answer_to {
                        self.answer_command(answer_to, result);
                    }
                }
                Output::Joined { stream, state, cursor } => {
                    let frame = Doc::object(vec![
                        ("type", Doc::string("joined")),
                        ("chat", present(&state)),
                        ("cursor", Doc::number(cursor)),
                        ("heartbeat_ms", Doc::number(self.heartbeat_ms())),
                    ]);
                    self.send_frame(stream, frame);
                }
                Output::Refuse { stream, code } => {
                    self.forget_stream(chat_id, stream);
                    self.refuse_stream(stream, code);
                }
                Output::Read { stream, after_index, limit } => {
                    let store = self.store();
                    let limit = PageLimit { messages: limit, bytes: usize::MAX };
                    self.spawn(async move {
                        let messages = store.messages_after(chat_id, after_index, limit).await.ok();
                        TaskEnd::Input(chat_id, Input::ReadDone { stream, messages }, false)
                    });
                }
                Output::Deliver { stream, messages, state } => {
                    let mut frame = vec![("type", Doc::string("update"))];
                    if !messages.is_empty() {
                        frame.push(("messages", Doc::list(messages.iter().map(rendered).collect())));
                    }
                    frame.extend(state.map(|state| ("chat", present(&state))));
                    self.deliver(stream, Doc::object(frame));
                }
                Output::Typing { .. } | Output::Preview { .. } | Output::Changed(_) => {}
                Output::Stop => {
                    // What was refused is answered by now; whoever comes next finds a fresh session.
                    self.gateway.hosts.remove(&chat_id);
                    return;
                }
            }
        }
        self.plan_chat_tick(chat_id);
    }

    pub(crate) fn forget_stream(&mut self, chat_id: u64, connection: ConnectionId) {
        if let Some(host) = self.gateway.hosts.get_mut(&chat_id) {
            host.streams.remove(&connection);
        }
    }

    fn answer_command(&mut self, answer_to: AnswerTo, result: Result<Done, ErrorCode>) {
        match answer_to {
            AnswerTo::Agent(agent, call) => self.agent_answered(agent, call, result),
            AnswerTo::Request(number) => {
                let response = match result {
                    Ok(Done::Sent { index, at_ms, duplicate }) => {
                        let body =
                            Doc::object(vec![("index", Doc::number(index)), ("timestamp_ms", Doc::number(at_ms))]);
                        engine::client::Response {
                            status: if duplicate { 200 } else { 201 },
                            retry_after_ms: None,
                            body: Some(body),
                        }
                    }
                    Ok(Done::State(state)) => engine::client::Response {
                        status: 200,
                        retry_after_ms: None,
                        body: Some(Doc::object(vec![("chat", present(&state))])),
                    },
                    Err(code) => refusal(code),
                };
                self.answer_served(number, response);
            }
        }
    }

    fn plan_chat_tick(&mut self, chat_id: u64) {
        let gateway_ms = self.gateway_ms();
        let life = self.gateway.life;
        let Some(host) = self.gateway.hosts.get_mut(&chat_id) else { return };
        let Some(due_ms) = host.session.as_ref().and_then(ChatSession::next_timeout_ms) else { return };
        let in_ms = due_ms.saturating_sub(gateway_ms);
        let at_ms = self.now_ms + in_ms;
        if host.ticks_at_ms.is_some_and(|planned_ms| planned_ms <= at_ms && planned_ms >= self.now_ms) {
            return;
        }
        host.ticks_at_ms = Some(at_ms);
        self.agenda.plan(at_ms, Happening::ChatTick { life, chat_id });
    }

    pub(crate) fn chat_tick(&mut self, life: u32, chat_id: u64) {
        if life != self.gateway.life {
            return;
        }
        if let Some(host) = self.gateway.hosts.get_mut(&chat_id) {
            host.ticks_at_ms = None;
        }
        self.chat_input(chat_id, Input::Tick);
    }

    fn plan_unload(&mut self, chat_id: u64) {
        let life = self.gateway.life;
        if let Some(used) = self.gateway.hosts.get(&chat_id).map(|host| host.used) {
            self.later(IDLE_MS, Happening::Unload { life, chat_id, used });
        }
    }

    pub(crate) fn unload(&mut self, life: u32, chat_id: u64, used: u64) {
        let Some(host) = self.gateway.hosts.get(&chat_id).filter(|_| life == self.gateway.life) else { return };
        let is_idle = host.session.as_ref().is_some_and(ChatSession::is_idle);
        if is_idle && host.used == used {
            self.gateway.hosts.remove(&chat_id);
        } else {
            self.plan_unload(chat_id);
        }
    }

    /// The newest message that a loaded chat's session knows.
    pub(crate) fn known_to_gateway(&self, chat_id: u64) -> Option<u64> {
        self.gateway.hosts.get(&chat_id)?.session.as_ref().map(|session| session.state().last_index)
    }

    /// Nothing in the gateway grows without bound.
    pub(crate) fn gateway_within_bounds(&self) -> bool {
        self.gateway.hosts.values().all(|host| {
            host.mails.len() <= MAILBOX
                && host.answers.len() <= MAILBOX + 1
                && host.streams.len() <= self.gateway.limits.streams
        })
    }
}

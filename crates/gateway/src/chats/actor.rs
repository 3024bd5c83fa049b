//! The task of one active chat: feeds the engine's session with what arrives and performs what it asks for. It never waits for the store or
//! for a reader: stores answer by a future beside the mailbox, readers by `delivered`.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use engine::gateway::{
    Actor as Member, Change, ChatSession, ChatState, Input, Message, Output, RequestId, Script, StreamId,
};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use wire::ErrorCode;

use super::{Chats, Mail, STREAM_QUEUE, ToStream, Tools};
use crate::clock::now_ms;
use crate::message;
use crate::screen::ScreenPlace;
use crate::store::{ChatRecord, Commit, MessageBody, PageLimit, StoreError};

/// How long a chat that nobody reads or changes stays loaded. Long enough for a page that comes back or a burst of requests; loading it again is two
/// reads by key, and each one that is loaded costs some 10 kB.
const IDLE: Duration = Duration::from_secs(5);
/// A chat whose timer is due within this stays loaded: longer than what is found late may wait.
const SOON: Duration = Duration::from_secs(120);
/// Places of a stream's queue that typing leaves to what must not be lost.
const RESERVED: usize = STREAM_QUEUE / 2;
/// Larger frames are history for one reader: keeping them would cost every open chat their size.
const SHARED_FRAME_BYTES: usize = 16 * 1024;

type Answer = oneshot::Sender<Result<engine::gateway::Done, ErrorCode>>;
type Pending = Pin<Box<dyn Future<Output = Input<MessageBody>> + Send>>;

pub(super) async fn run(chats: Chats, chat_id: u64, mut mails: mpsc::Receiver<Box<Mail>>) {
    let code = match load(chats.tools(), chat_id).await {
        Ok(Some((record, session))) => {
            Actor::new(chats.clone(), record, session).run(&mut mails).await;
            None
        }
        Ok(None) => Some(ErrorCode::NotFound),
        Err(cause) => {
            tracing::error!(%cause, chat_id, "the chat cannot be loaded");
            Some(ErrorCode::Unavailable)
        }
    };
    chats.forget(chat_id, &mut mails);
    while let Some(mail) = mails.recv().await {
        // Without a code the mail is dropped, and its sender tries again with a fresh task.
        let Some(code) = code else { continue };
        match *mail {
            Mail::Command { answer, .. } => drop(answer.send(Err(code))),
            Mail::Join { frames, .. } => drop(frames.try_send(ToStream::Refused(code))),
            Mail::Delivered { .. } | Mail::Typing { .. } | Mail::TypingBeside { .. } | Mail::Preview { .. } => {}
            Mail::Visibility { .. } | Mail::VisibilityBeside { .. } | Mail::Place { .. } => {}
            Mail::Leave { .. } | Mail::EndUserName(_) => {}
            Mail::Screen { answer } => drop(answer.send(None)),
        }
    }
}

async fn load(
    tools: &Tools,
    chat_id: u64,
) -> Result<Option<(ChatRecord, ChatSession<MessageBody, impl Script<MessageBody> + use<>>)>, StoreError> {
    // The state first: a key that is newer than the state is answered with its index, a missing one would be written twice.
    let Some(record) = tools.store.chat(chat_id).await? else { return Ok(None) };
    let sent = tools.store.sent_keys(chat_id).await?;
    let session = ChatSession::new(
        record.state.clone(),
        sent,
        tools.script(&record.company_id, &record.lang, &record.request),
        tools.limits,
    );
    Ok(Some((record, session)))
}

struct Actor<S> {
    chats: Chats,
    record: ChatRecord,
    session: ChatSession<MessageBody, S>,
    streams: HashMap<StreamId, Reading>,
    answers: HashMap<RequestId, Answer>,
    last_request: RequestId,
    pending: FuturesUnordered<Pending>,
    last_frame: Option<(FrameKey, Utf8Bytes)>,
    screen: ScreenPlace,
    /// The revision of the state that the screen share follows.
    followed: Option<u64>,
    stopped: bool,
}

/// A stream: whose it is, and its queue.
struct Reading {
    actor: Member,
    frames: mpsc::Sender<ToStream>,
}

/// What an `update` frame consists of: its first and last index, the revision of its state, and whose it is where something is redacted.
type FrameKey = (Option<(u64, u64)>, Option<u64>, Option<Member>);

impl<S: Script<MessageBody>> Actor<S> {
    fn new(chats: Chats, record: ChatRecord, session: ChatSession<MessageBody, S>) -> Self {
        let screen = ScreenPlace::new(Arc::clone(&chats.tools().screens), record.state.id);
        Actor {
            chats,
            record,
            session,
            streams: HashMap::new(),
            answers: HashMap::new(),
            last_request: 0,
            pending: FuturesUnordered::new(),
            last_frame: None,
            screen,
            followed: None,
            stopped: false,
        }
    }

    async fn run(mut self, mails: &mut mpsc::Receiver<Box<Mail>>) {
        let mut used = Instant::now();
        self.follow_share();
        while !self.stopped {
            self.hear_page();
            let due = self.session.next_timeout_ms().map(|at_ms| at_ms.saturating_sub(now_ms()));
            let due = due.map(Duration::from_millis);
            let tick = due.and_then(|due| Instant::now().checked_add(due));
            let idle = self.session.is_idle() && due.is_none_or(|due| due > SOON);
            tokio::select! {
                mail = mails.recv() => {
                    let Some(mail) = mail else { return };
                    used = Instant::now();
                    self.take(*mail);
                }
                Some(input) = self.pending.next(), if !self.pending.is_empty() => {
                    used = Instant::now();
                    self.session.handle(input, now_ms());
                }
                () = until(tick), if tick.is_some() => {
                    self.hear_page();
                    self.session.handle(Input::Tick, now_ms());
                }
                () = tokio::time::sleep_until(used + IDLE), if idle => return,
            }
            self.perform();
        }
    }

    fn take(&mut self, mail: Mail) {
        let input = match mail {
            Mail::Command { actor, command, answer } => {
                self.last_request = self.last_request.wrapping_add(1);
                self.answers.insert(self.last_request, answer);
                Input::Command { request: self.last_request, actor, command }
            }
            Mail::Join { actor, cursor, frames, stream } => {
                self.streams.insert(stream, Reading { actor, frames });
                Input::Join { stream, actor, cursor }
            }
            Mail::Delivered { stream } => Input::Delivered { stream },
            Mail::Typing { stream, typing } => Input::Typing { stream, typing },
            Mail::TypingBeside { actor, typing } => Input::TypingBeside { actor, typing },
            // Where the company does not want it, no agent sees it, whatever a client says.
            Mail::Preview { .. } if !self.tools().platform.shows_previews(&self.record.company_id) => return,
            Mail::Preview { actor, content } => Input::Preview { actor, content },
            Mail::Visibility { stream, visible } => Input::Visibility { stream, visible },
            Mail::VisibilityBeside { actor, visible } => Input::VisibilityBeside { actor, visible },
            Mail::Place { place } => Input::Place { place },
            Mail::Leave { stream } => {
                self.streams.remove(&stream);
                Input::Leave { stream }
            }
            Mail::EndUserName(name) => {
                self.record.end_user_name = Some(name);
                return;
            }
            Mail::Screen { answer } => {
                drop(answer.send(self.screen.screen().cloned()));
                return;
            }
        };
        self.session.handle(input, now_ms());
    }

    /// Says to the session when the page whose screen is shared was last heard. One that was never heard since the chat was loaded may take as
    /// long as any other.
    fn hear_page(&mut self) {
        if let Some(screen) = self.screen.screen() {
            self.session.handle(Input::PageHeard { at_ms: screen.heard_at_ms() }, now_ms());
        }
    }

    /// Before anything is said of a change, the screen share follows it: who hears that it is over finds it gone.
    fn follow_share(&mut self) {
        let state = self.session.state();
        if self.followed != Some(state.revision) {
            self.followed = Some(state.revision);
            let shown = state.screen_share.as_ref().map(|share| self.tools().platform.share(share));
            self.screen.follow(state, shown);
        }
    }

    fn perform(&mut self) {
        self.follow_share();
        while let Some(output) = self.session.poll() {
            match output {
                Output::Commit(change) => self.commit(change),
                Output::Reply { request, result } => {
                    if let Some(answer) = self.answers.remove(&request) {
                        // Nobody waits any more where this fails.
                        drop(answer.send(result));
                    }
                }
                Output::Joined { stream, state, cursor } => {
                    let frame = self.joined_frame(&state, cursor);
                    self.send(stream, ToStream::Joined(frame));
                }
                Output::Refuse { stream, code } => {
                    if let Some(reading) = self.streams.remove(&stream) {
                        drop(reading.frames.try_send(ToStream::Refused(code)));
                    }
                }
                Output::Read { stream, after_index, limit } => self.read(stream, after_index, limit),
                Output::Deliver { stream, messages, state } => {
                    if let Some(actor) = self.streams.get(&stream).map(|reading| reading.actor) {
                        let frame = self.update_frame(actor, &messages, state.as_ref());
                        self.send(stream, ToStream::Delivery(frame));
                    } else {
                        self.lose(stream);
                    }
                }
                Output::Preview { stream, author, content } => {
                    if self.has_room(stream) {
                        let member = self.tools().platform.member(author, &self.record);
                        let redactor = self.tools().platform.redactor(&self.record);
                        let content = redactor.and_then(|redactor| redactor.redact(&content)).unwrap_or(content);
                        let frame = serde_json::json!({ "type": "preview", "member": member, "content": content });
                        self.send(stream, ToStream::Typing(frame.to_string().into()));
                    }
                }
                Output::Typing { stream, author, typing } => {
                    if self.has_room(stream) {
                        let member = self.tools().platform.member(author, &self.record);
                        let frame = serde_json::json!({ "type": "typing", "member": member, "typing": typing });
                        self.send(stream, ToStream::Typing(frame.to_string().into()));
                    }
                }
                Output::Changed(_) => self.tools().bus.publish_chats_changed(),
                Output::Stop => self.stopped = true,
            }
        }
    }

    /// Whether a stream has room for what may be lost.
    fn has_room(&self, stream: StreamId) -> bool {
        self.streams.get(&stream).is_some_and(|reading| reading.frames.capacity() > RESERVED)
    }

    fn tools(&self) -> &Tools {
        self.chats.tools()
    }

    fn commit(&mut self, change: Change<MessageBody>) {
        let store = Arc::clone(&self.tools().store);
        let chat_id = self.record.state.id;
        self.pending.push(Box::pin(async move {
            match store.commit(change).await {
                Ok(Commit::Committed) => return Input::Committed,
                Ok(Commit::Conflict) => tracing::warn!(chat_id, "someone else changed the chat: it is loaded anew"),
                Err(cause) => tracing::error!(%cause, chat_id, "a change could not be stored"),
            }
            Input::CommitFailed
        }));
    }

    fn read(&mut self, stream: StreamId, after_index: u64, limit: u64) {
        let store = Arc::clone(&self.tools().store);
        let chat_id = self.record.state.id;
        let limit = PageLimit { messages: limit, bytes: self.tools().max_page_bytes };
        self.pending.push(Box::pin(async move {
            let messages = store.messages_after(chat_id, after_index, limit).await;
            let messages =
                messages.inspect_err(|cause| tracing::error!(%cause, chat_id, "messages cannot be read")).ok();
            Input::ReadDone { stream, messages }
        }));
    }

    fn send(&mut self, stream: StreamId, frame: ToStream) {
        let sent = self.streams.get(&stream).is_some_and(|reading| reading.frames.try_send(frame).is_ok());
        if !sent {
            self.lose(stream);
        }
    }

    /// The reader is gone, and its own farewell may be on its way.
    fn lose(&mut self, stream: StreamId) {
        self.streams.remove(&stream);
        self.session.handle(Input::Leave { stream }, now_ms());
    }

    fn joined_frame(&self, state: &ChatState, cursor: u64) -> Utf8Bytes {
        let chat = self.tools().platform.present(&self.record, state);
        let heartbeat_ms = self.tools().heartbeat_ms;
        let frame =
            serde_json::json!({ "type": "joined", "chat": chat, "cursor": cursor, "heartbeat_ms": heartbeat_ms });
        frame.to_string().into()
    }

    /// The frame for these messages and this state. Readers who are up to date get the same one, unless something in it is redacted.
    fn update_frame(
        &mut self,
        actor: Member,
        messages: &[Message<MessageBody>],
        state: Option<&ChatState>,
    ) -> Utf8Bytes {
        let span = messages.first().zip(messages.last()).map(|(first, last)| (first.index, last.index));
        let (keys, chat_id) = (&self.tools().keys, self.record.state.id);
        let redactor = self.tools().platform.redactor(&self.record);
        let whose = message::differ(keys, chat_id, messages, redactor).then_some(actor);
        let key = (span, state.map(|state| state.revision), whose);
        if let Some((known, frame)) = &self.last_frame
            && *known == key
        {
            return frame.clone();
        }
        let mut text = String::from(r#"{"type":"update""#);
        if !messages.is_empty() {
            text.push_str(r#","messages":"#);
            text.push_str(&message::render_list(keys, chat_id, messages, message::Reader { actor, redactor }));
        }
        if let Some(state) = state {
            let chat = self.tools().platform.present(&self.record, state);
            text.push_str(r#","chat":"#);
            text.push_str(&serde_json::to_string(&chat).unwrap_or_else(|_| "null".to_owned()));
        }
        text.push('}');
        let frame = Utf8Bytes::from(text);
        if frame.len() <= SHARED_FRAME_BYTES {
            self.last_frame = Some((key, frame.clone()));
        }
        frame
    }
}

async fn until(instant: Option<Instant>) {
    if let Some(instant) = instant {
        tokio::time::sleep_until(instant).await;
    }
}

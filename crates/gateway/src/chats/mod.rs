//! The active chats: one task per chat that someone reads or writes, around the engine's [`ChatSession`](engine::gateway::ChatSession). A
//! chat that nobody uses has no task; the next request loads it from the store.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use engine::gateway::{Actor, Command, Done, Limits, Script, StreamId};
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};
use wire::ErrorCode;

use crate::auth::keys::Keys;
use crate::bus::Bus;
use crate::error::Error;
use crate::platform::embedded::Embedded;
use crate::platform::embedded::virtual_agent::EmbeddedScript;
use crate::screen::{Screen, Screens};
use crate::store::{MessageBody, Store};

mod actor;
pub(crate) mod places;
pub(crate) mod timers;

/// Inputs that may wait for a chat's task, which never waits for a reader itself.
const MAILBOX: usize = 256;
/// Frames that may wait for a stream. The engine has at most a `joined`, a delivery and a refusal on their way; typing takes what is left.
const STREAM_QUEUE: usize = 8;
/// How long a request waits for a full mailbox.
const MAILBOX_PATIENCE: Duration = Duration::from_secs(5);
/// How often a request or stream that met a leaving task tries again.
const ATTEMPTS: usize = 3;

/// What the tasks work with.
pub(crate) struct Tools {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) keys: Keys,
    pub(crate) platform: Arc<Embedded>,
    /// The longest silence of a healthy connection, told to readers.
    pub(crate) heartbeat_ms: u64,
    /// Messages of one frame, in bytes.
    pub(crate) max_page_bytes: usize,
    /// What a chat may cost, and its timers.
    pub(crate) limits: Limits,
    /// Screen shares on their way.
    pub(crate) screens: Arc<Screens>,
}

impl Tools {
    /// The platform's part in a company's chat in a language, as the site asked for it.
    pub(crate) fn script(
        &self,
        company_id: &str,
        lang: &str,
        request: &Map<String, Value>,
    ) -> impl Script<MessageBody> + use<> {
        EmbeddedScript::new(Arc::clone(&self.platform), company_id, lang, request)
    }
}

/// What a chat's task is told.
enum Mail {
    Command { actor: Actor, command: Command<MessageBody>, answer: oneshot::Sender<Result<Done, ErrorCode>> },
    Join { actor: Actor, cursor: u64, frames: mpsc::Sender<ToStream>, stream: StreamId },
    Delivered { stream: StreamId },
    Typing { stream: StreamId, typing: bool },
    TypingBeside { actor: Actor, typing: bool },
    Preview { actor: Actor, content: String },
    Visibility { stream: StreamId, visible: bool },
    VisibilityBeside { actor: Actor, visible: bool },
    Place { place: u64 },
    Leave { stream: StreamId },
    EndUserName(String),
    Screen { answer: oneshot::Sender<Option<Arc<Screen>>> },
}

/// What a stream is to send.
pub(crate) enum ToStream {
    /// The frame `joined`.
    Joined(Utf8Bytes),
    /// A frame whose departure must be reported by [`Link::delivered`].
    Delivery(Utf8Bytes),
    /// A frame that may be lost.
    Typing(Utf8Bytes),
    /// The end, and why.
    Refused(ErrorCode),
}

/// Boxed, because a queue reserves room for its longest use.
type Mailbox = mpsc::Sender<Box<Mail>>;

/// All active chats.
#[derive(Clone)]
pub(crate) struct Chats(Arc<Inner>);

struct Inner {
    tools: Tools,
    mailboxes: Mutex<HashMap<u64, Mailbox>>,
    last_stream: AtomicU64,
}

impl Chats {
    pub(crate) fn new(tools: Tools) -> Chats {
        Chats(Arc::new(Inner { tools, mailboxes: Mutex::default(), last_stream: AtomicU64::new(0) }))
    }

    pub(crate) fn tools(&self) -> &Tools {
        &self.0.tools
    }

    fn mailboxes(&self) -> MutexGuard<'_, HashMap<u64, Mailbox>> {
        self.0.mailboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The mailbox of a chat's task, which is started where there is none.
    fn mailbox(&self, chat_id: u64) -> Mailbox {
        let mut mailboxes = self.mailboxes();
        if let Some(mailbox) = mailboxes.get(&chat_id)
            && !mailbox.is_closed()
        {
            return mailbox.clone();
        }
        let (mailbox, mails) = mpsc::channel(MAILBOX);
        mailboxes.insert(chat_id, mailbox.clone());
        tokio::spawn(actor::run(self.clone(), chat_id, mails));
        mailbox
    }

    /// Ends the connection with a task that leaves: nobody new finds it, and what is in its mailbox was not carried out.
    fn forget(&self, chat_id: u64, mails: &mut mpsc::Receiver<Box<Mail>>) {
        let mut mailboxes = self.mailboxes();
        mails.close();
        if mailboxes.get(&chat_id).is_some_and(Mailbox::is_closed) {
            mailboxes.remove(&chat_id);
        }
    }

    /// Carries out a command; returns when it is durable.
    pub(crate) async fn command(
        &self,
        chat_id: u64,
        actor: Actor,
        command: Command<MessageBody>,
    ) -> Result<Done, Error> {
        for _ in 0..ATTEMPTS {
            let (answer, answered) = oneshot::channel();
            let mail = Mail::Command { actor, command: command.clone(), answer };
            self.post(chat_id, mail).await?;
            // No answer means that the task was leaving: each command can be repeated without harm.
            if let Ok(result) = answered.await {
                return result.map_err(|code| refusal(actor, code));
            }
        }
        Err(Error::of(ErrorCode::Unavailable))
    }

    /// Loads a chat, so that its timers are looked at.
    fn wake(&self, chat_id: u64) {
        drop(self.mailbox(chat_id));
    }

    /// Someone types, and says so by a request. Where nobody has the chat loaded, nobody is there to see it.
    pub(crate) async fn typing(&self, chat_id: u64, actor: Actor, typing: bool) {
        let mailbox = self.mailboxes().get(&chat_id).cloned();
        if let Some(mailbox) = mailbox {
            let mail = Box::new(Mail::TypingBeside { actor, typing });
            drop(mailbox.send_timeout(mail, MAILBOX_PATIENCE).await);
        }
    }

    /// The end user types, and says what by a request. Where nobody has the chat loaded, nobody is there to see it.
    pub(crate) async fn preview(&self, chat_id: u64, actor: Actor, content: String) {
        let mailbox = self.mailboxes().get(&chat_id).cloned();
        if let Some(mailbox) = mailbox {
            drop(mailbox.send_timeout(Box::new(Mail::Preview { actor, content }), MAILBOX_PATIENCE).await);
        }
    }

    /// The end user's name for the chat's agents changed. Where nobody has the chat loaded, the store has it.
    pub(crate) async fn rename_end_user(&self, chat_id: u64, name: String) {
        let mailbox = self.mailboxes().get(&chat_id).cloned();
        if let Some(mailbox) = mailbox {
            drop(mailbox.send_timeout(Box::new(Mail::EndUserName(name)), MAILBOX_PATIENCE).await);
        }
    }

    /// A page comes into view, or is hidden, and says so by a request. Not durable: a page says it again when its stream comes back.
    pub(crate) async fn visibility(&self, chat_id: u64, actor: Actor, visible: bool) -> Result<(), Error> {
        self.post(chat_id, Mail::VisibilityBeside { actor, visible }).await.map(drop)
    }

    /// The screen share of a chat that is not over, where it has one. Loads the chat.
    pub(crate) async fn screen(&self, chat_id: u64) -> Result<Option<Arc<Screen>>, Error> {
        for _ in 0..ATTEMPTS {
            let (answer, answered) = oneshot::channel();
            self.post(chat_id, Mail::Screen { answer }).await?;
            // No answer means that the task was leaving.
            if let Ok(screen) = answered.await {
                return Ok(screen);
            }
        }
        Err(Error::of(ErrorCode::Unavailable))
    }

    /// Where a chat stands in its queue. A full mailbox hears of it the next time.
    fn tell_place(&self, chat_id: u64, place: u64) {
        drop(self.mailbox(chat_id).try_send(Box::new(Mail::Place { place })));
    }

    /// Joins a stream to a chat and gives its first frame, `joined`.
    pub(crate) async fn join(&self, chat_id: u64, actor: Actor, cursor: u64) -> Result<(Link, Utf8Bytes), Error> {
        for _ in 0..ATTEMPTS {
            let stream = self.0.last_stream.fetch_add(1, Ordering::Relaxed);
            let (frames, mut queue) = mpsc::channel(STREAM_QUEUE);
            let mailbox = self.post(chat_id, Mail::Join { actor, cursor, frames, stream }).await?;
            match queue.recv().await {
                Some(ToStream::Joined(frame)) => return Ok((Link { mailbox, stream, actor, queue }, frame)),
                Some(ToStream::Refused(code)) => return Err(refusal(actor, code)),
                // The task was leaving.
                Some(ToStream::Delivery(_) | ToStream::Typing(_)) | None => {}
            }
        }
        Err(Error::of(ErrorCode::Unavailable))
    }

    async fn post(&self, chat_id: u64, mail: Mail) -> Result<mpsc::WeakSender<Box<Mail>>, Error> {
        let mailbox = self.mailbox(chat_id);
        match mailbox.send_timeout(Box::new(mail), MAILBOX_PATIENCE).await {
            // A task that left meanwhile drops the mail, which its sender notices.
            Ok(()) | Err(mpsc::error::SendTimeoutError::Closed(_)) => Ok(mailbox.downgrade()),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(Error::of(ErrorCode::Unavailable)),
        }
    }
}

/// An end user must not learn that a chat exists which is not theirs.
fn refusal(actor: Actor, code: ErrorCode) -> Error {
    match (actor, code) {
        (Actor::EndUser(_), ErrorCode::Forbidden) => Error::of(ErrorCode::NotFound),
        _ => Error::of(code),
    }
}

/// A stream's end of its connection with a chat's task. Dropping it leaves the chat.
pub(crate) struct Link {
    mailbox: mpsc::WeakSender<Box<Mail>>,
    stream: StreamId,
    actor: Actor,
    queue: mpsc::Receiver<ToStream>,
}

impl Link {
    /// The next frame to send; `None` where the chat's task is gone.
    pub(crate) async fn next(&mut self) -> Option<ToStream> {
        self.queue.recv().await
    }

    /// The last delivery left for the network.
    pub(crate) async fn delivered(&self) {
        self.tell(Mail::Delivered { stream: self.stream }).await;
    }

    /// The reader types, or stopped.
    pub(crate) async fn typing(&self, typing: bool) {
        self.tell(Mail::Typing { stream: self.stream, typing }).await;
    }

    /// What the reader has typed and not sent yet.
    pub(crate) async fn preview(&self, content: String) {
        self.tell(Mail::Preview { actor: self.actor, content }).await;
    }

    /// The reader's page came into view, or was hidden.
    pub(crate) async fn visibility(&self, visible: bool) {
        self.tell(Mail::Visibility { stream: self.stream, visible }).await;
    }

    async fn tell(&self, mail: Mail) {
        if let Some(mailbox) = self.mailbox.upgrade() {
            // Where the task is gone, the queue of frames ends and says so.
            drop(mailbox.send(Box::new(mail)).await);
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let Some(mailbox) = self.mailbox.upgrade() else { return };
        let mail = Box::new(Mail::Leave { stream: self.stream });
        if let Err(mpsc::error::TrySendError::Full(mail)) = mailbox.try_send(mail) {
            tokio::spawn(async move { drop(mailbox.send(mail).await) });
        }
    }
}

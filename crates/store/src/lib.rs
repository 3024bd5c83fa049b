//! The store: what must survive a restart. A trait, so that another database can take SQLite's place; `story` (a feature) is the script
//! that every implementation passes.
//!
//! Four promises. What a call has answered is on disk. A [`Change`] is stored whole or not at all, and only on top of the revision that
//! it was made from. An index and an idempotency key are used once per chat. A read that begins after a write was answered sees it.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use engine::gateway::{Change, ChatState, Limits, Message, SentKey};
use serde_json::{Map, Value};

mod body;
mod media;
pub mod memory;
mod record;
#[cfg(feature = "story")]
pub mod story;

pub use body::{MessageBody, Redacted};
pub use media::{Announced, MediaKind, MediaQuota, MediaRecord, NewMedia, StoredMedia};
pub use memory::MemoryStore;
pub use record::{CapOf, Changed, Kept, NewRecord, Record, RecordCap, RecordKind, RecordQuery};

/// Why a store could not do its work. Never holds a value that was to be stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused, is full, locked or gone.
    #[error("the database failed: {0}")]
    Unavailable(Arc<dyn std::error::Error + Send + Sync>),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// A row cannot be read as what it should be.
    #[error("the database holds an unreadable {0}")]
    Corrupt(&'static str),
}

#[cfg(feature = "sqlx")]
impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        StoreError::Unavailable(Arc::new(error))
    }
}

/// The platform that a chat lives on, as the store names it.
pub const EMBEDDED_PLATFORM: &str = "embedded";

/// How an end user is known within a company.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum EndUserKey {
    /// By the identifier that the site signed.
    Identifier(String),
    /// Anonymous, by the SHA-256 of the client's secret.
    SecretSha256([u8; 32]),
}

/// What a site says about an end user; replaces what it said before, where it says something.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone number.
    pub phone: Option<String>,
}

/// An end user of a company.
#[derive(Clone, PartialEq, Eq)]
pub struct EndUserRecord {
    /// The gateway's number.
    pub id: u64,
    /// The site's identifier; absent for an anonymous end user.
    pub identifier: Option<String>,
    /// What the site said.
    pub profile: Profile,
}

/// A chat to create, beside its first change.
#[derive(Clone)]
pub struct NewChat {
    /// The company's key.
    pub company_id: String,
    /// Where it lives.
    pub platform: String,
    /// Its id there, where that is not ours.
    pub platform_ref: Option<String>,
    /// The client's idempotency key.
    pub client_id: String,
    /// A BCP 47 tag.
    pub lang: String,
    /// The contract's `ChatRequest` as it was sent.
    pub request: Map<String, Value>,
}

/// A chat with what does not change about it.
#[derive(Clone)]
pub struct ChatRecord {
    /// Where it stands.
    pub state: ChatState,
    /// The company's key.
    pub company_id: String,
    /// Where it lives.
    pub platform: String,
    /// Its id there, where that is not ours.
    pub platform_ref: Option<String>,
    /// A BCP 47 tag.
    pub lang: String,
    /// The contract's `ChatRequest` as it was sent.
    pub request: Map<String, Value>,
    /// Whose chat it is.
    pub end_user: EndUserRecord,
    /// The end user's name for this chat's agents, where its pages reported one.
    pub end_user_name: Option<String>,
}

/// What creating a chat led to.
pub struct Created {
    /// The chat's number.
    pub chat_id: u64,
    /// `false` where the idempotency key was used before: nothing was written.
    pub fresh: bool,
}

/// What committing a change led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// It is durable.
    Committed,
    /// The chat is at another revision: nothing was written.
    Conflict,
}

/// An agent as the store knows it: the number stays, even when the configuration changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentRecord {
    /// The number.
    pub id: u64,
    /// The name to sign in with.
    pub login: String,
    /// The name that customers see.
    pub name: String,
    /// A picture.
    pub avatar_url: Option<String>,
}

/// How busy a company is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Chats that wait for an agent.
    pub waiting: u64,
    /// Chats that each agent has.
    pub assigned: HashMap<u64, u64>,
}

/// Since when something must have been so for a timer of a chat to be due; `None` where there is no such timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overdue {
    /// The agent's last message is unanswered.
    pub unanswered_ms: Option<u64>,
    /// The end user is silent.
    pub silent_ms: Option<u64>,
    /// The end user is silent, with a virtual agent.
    pub silent_with_virtual_agent_ms: Option<u64>,
    /// The chat waits in a queue.
    pub queued_ms: Option<u64>,
    /// It waits, and the end user did not check in since.
    pub seen_ms: Option<u64>,
    /// It waits, and every page of the end user is hidden.
    pub hidden_ms: Option<u64>,
    /// It waits, and the time to answer a check-in is over.
    pub check_in_ms: Option<u64>,
    /// A post-session waits for the end user.
    pub post_session_ms: Option<u64>,
    /// A screen share is to be looked at.
    pub share_ms: Option<u64>,
}

impl Overdue {
    /// What these timers make due at this time.
    #[must_use]
    pub fn at(limits: &Limits, now_ms: u64) -> Overdue {
        let since = |timer_ms: Option<u64>| timer_ms.and_then(|ms| now_ms.checked_sub(ms));
        let check_in = Some(limits.check_in).filter(|check_in| check_in.is_on());
        Overdue {
            unanswered_ms: since(limits.warn_after_ms()),
            silent_ms: since(limits.chat_timeout_ms),
            silent_with_virtual_agent_ms: since(limits.va_dismiss_after_ms),
            queued_ms: since(limits.queue_timeout_ms),
            seen_ms: since(check_in.and_then(|check_in| check_in.after_ms)),
            hidden_ms: since(check_in.and_then(|check_in| check_in.hidden_after_ms)),
            check_in_ms: check_in.map(|_| now_ms),
            post_session_ms: since(limits.post_session_timeout_ms),
            share_ms: Some(now_ms),
        }
    }
}

/// A chat in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The chat.
    pub chat_id: u64,
    /// The company's key.
    pub company_id: String,
    /// The queue.
    pub menu_id: u64,
    /// [`ChatState::queue_behind`](engine::gateway::ChatState::queue_behind).
    pub queue_behind: bool,
}

/// An end user's wish for a person.
#[derive(Clone)]
pub struct NewEscalation {
    /// The chat.
    pub chat_id: u64,
    /// The index of the notice that says what became of it.
    pub escalation_id: u64,
    /// When it was made.
    pub at_ms: u64,
    /// Why.
    pub reason: Option<String>,
    /// What else the site sent.
    pub request: Map<String, Value>,
}

/// An escalation as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscalationRecord {
    /// The index of the notice that says what became of it.
    pub escalation_id: u64,
    /// When it was made.
    pub at_ms: u64,
    /// Why; absent where nobody said, as with a virtual agent's own.
    pub reason: Option<String>,
    /// What else the site sent.
    pub request: Map<String, Value>,
    /// Where the end user went after a deflection.
    pub channel: Option<String>,
}

/// What was answered to a form and is shown to agents only.
#[derive(Clone)]
pub struct MaskedAnswers {
    /// The chat.
    pub chat_id: u64,
    /// The index of the message that handed the form out.
    pub smart_action_id: u64,
    /// By what the message names them; each try to answer has its own.
    pub masked_id: String,
    /// The answers in clear.
    pub answers: Vec<Value>,
}

/// What an end user's page reports about a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatEvent {
    /// When it was reported.
    pub at_ms: u64,
    /// What happened, in the site's words.
    pub name: String,
    /// What goes with it.
    pub data: Map<String, Value>,
}

/// How much to read at once.
#[derive(Clone, Copy, Debug)]
pub struct PageLimit {
    /// At most so many messages.
    pub messages: u64,
    /// At most so many bytes of content, but at least one message.
    pub bytes: usize,
}

/// Where the gateway keeps what must survive.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The value under a name; `value` is kept where there was none. For keys that are made once.
    async fn meta_or_insert(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError>;

    /// The end user with this key, made where it does not exist, with the newest profile.
    async fn end_user(&self, company_id: &str, key: EndUserKey, profile: Profile) -> Result<EndUserRecord, StoreError>;

    /// The end user with this number.
    async fn end_user_by_id(&self, id: u64) -> Result<Option<EndUserRecord>, StoreError>;

    /// Opens a chat with its first change, whose state has number 0, or finds the one that the same end user opened with the same key.
    async fn create_chat(&self, chat: NewChat, opening: Change<MessageBody>) -> Result<Created, StoreError>;

    /// The chat that an end user opened with an idempotency key.
    async fn chat_opened_with(&self, end_user_id: u64, client_id: &str) -> Result<Option<u64>, StoreError>;

    /// A chat.
    async fn chat(&self, chat_id: u64) -> Result<Option<ChatRecord>, StoreError>;

    /// The idempotency keys of a chat's messages, with index and time.
    async fn sent_keys(&self, chat_id: u64) -> Result<HashMap<SentKey, (u64, u64)>, StoreError>;

    /// Makes a change durable, if the chat is at the revision before it.
    async fn commit(&self, change: Change<MessageBody>) -> Result<Commit, StoreError>;

    /// Messages after an index, in index order.
    async fn messages_after(
        &self,
        chat_id: u64,
        index: u64,
        limit: PageLimit,
    ) -> Result<Vec<Message<MessageBody>>, StoreError>;

    /// The newest chat of an end user that is neither finished nor dropped.
    async fn ongoing_chat(&self, end_user_id: u64) -> Result<Option<ChatRecord>, StoreError>;

    /// Chats that wait for an agent: those at the front, then the others, longest waiting first.
    async fn waiting_chats(&self, limit: u64) -> Result<Vec<ChatRecord>, StoreError>;

    /// The same chats in the same order, in short.
    async fn queues(&self, limit: u64) -> Result<Vec<Waiting>, StoreError>;

    /// Chats that an agent has, oldest first.
    async fn chats_of_agent(&self, agent_id: u64, limit: u64) -> Result<Vec<ChatRecord>, StoreError>;

    /// Up to `limit` chats of each kind whose timers may be due, longest overdue first: kinds are the end user's silence with an agent, with a
    /// virtual agent, and anywhere, and all that may happen in a queue. A chat may be named more than once.
    async fn quiet_chats(&self, overdue: Overdue, limit: u64) -> Result<Vec<u64>, StoreError>;

    /// How busy a company is.
    async fn load(&self, company_id: &str) -> Result<Load, StoreError>;

    /// The mean time from acceptance to end of the last `sample` finished chats of a queue; `None` where there was none. Chats that ended by
    /// themselves do not count: nobody worked on them meanwhile.
    async fn mean_handling_ms(&self, company_id: &str, menu_id: u64, sample: u64) -> Result<Option<u64>, StoreError>;

    /// Records an escalation; one that is known stays as it was.
    async fn record_escalation(&self, escalation: NewEscalation) -> Result<(), StoreError>;

    /// The first escalations of a chat, in order.
    async fn escalations(&self, chat_id: u64, limit: u64) -> Result<Vec<EscalationRecord>, StoreError>;

    /// Records the channel that an end user chose after an escalation, where none was chosen before, and gives the one that is chosen.
    async fn choose_escalation_channel(
        &self,
        chat_id: u64,
        escalation_id: u64,
        channel: &str,
        at_ms: u64,
    ) -> Result<String, StoreError>;

    /// Keeps masked answers; those under the same name are kept once.
    async fn keep_masked_answers(&self, masked: MaskedAnswers) -> Result<(), StoreError>;

    /// The masked answers under a name; none where there are none.
    async fn masked_answers(
        &self,
        chat_id: u64,
        smart_action_id: u64,
        masked_id: &str,
    ) -> Result<Vec<Value>, StoreError>;

    /// Records an event of a chat, and with it the end user's name for the chat where there is one; `false` where the chat has `limit`
    /// events already: nothing was written.
    async fn record_event(
        &self,
        chat_id: u64,
        event: ChatEvent,
        end_user_name: Option<String>,
        limit: u64,
    ) -> Result<bool, StoreError>;

    /// The first events of a chat, in order.
    async fn events(&self, chat_id: u64, limit: u64) -> Result<Vec<ChatEvent>, StoreError>;

    /// An end user's chats that are over, newest first: `limit` of them after the first `skip`.
    async fn ended_chats(&self, end_user_id: u64, skip: u64, limit: u64) -> Result<Vec<ChatRecord>, StoreError>;

    /// Gives a file its number, the same for the same chat, author and key.
    async fn announce_media(&self, media: NewMedia, quota: MediaQuota) -> Result<Announced, StoreError>;

    /// A file.
    async fn media(&self, media_id: u64) -> Result<Option<MediaRecord>, StoreError>;

    /// Records that the bytes of a file are on disk; `false` where that was recorded before, with other bytes: nothing was written.
    async fn complete_media(&self, media_id: u64, stored: StoredMedia, size_bytes: u64) -> Result<bool, StoreError>;

    /// Keeps a record, unless its key was used before or it would exceed one of the limits.
    async fn keep_record(&self, record: NewRecord, caps: Vec<RecordCap>) -> Result<Kept, StoreError>;

    /// A record by its number.
    async fn record(&self, kind: RecordKind, id: u64) -> Result<Option<Record>, StoreError>;

    /// A record by its key.
    async fn record_with_key(
        &self,
        kind: RecordKind,
        company_id: &str,
        key: &str,
    ) -> Result<Option<Record>, StoreError>;

    /// Writes topic, status, due time and body of a record that is at the given revision, unless it would exceed one of the limits, which
    /// count the other records. Nothing else of a record ever changes.
    async fn change_record(&self, record: Record, caps: Vec<RecordCap>) -> Result<Changed, StoreError>;

    /// The records that match.
    async fn records(&self, query: RecordQuery) -> Result<Vec<Record>, StoreError>;

    /// How many match, whatever the limit.
    async fn count_records(&self, query: RecordQuery) -> Result<u64, StoreError>;

    /// Gives an agent its number, the same for the same login, and keeps its newest name.
    async fn register_agent(&self, login: &str, name: &str, avatar_url: Option<&str>) -> Result<u64, StoreError>;

    /// Every agent there ever was.
    async fn agents(&self) -> Result<Vec<AgentRecord>, StoreError>;

    /// Keeps a sign-in by the SHA-256 of its token, and forgets those that ended before `now_ms`.
    async fn open_agent_session(
        &self,
        token_sha256: [u8; 32],
        agent_id: u64,
        expires_at_ms: u64,
        now_ms: u64,
    ) -> Result<(), StoreError>;

    /// Whose sign-in it is, and until when; `None` where there is none or it has ended.
    async fn agent_session(&self, token_sha256: [u8; 32], now_ms: u64) -> Result<Option<(u64, u64)>, StoreError>;

    /// Forgets a sign-in.
    async fn close_agent_session(&self, token_sha256: [u8; 32]) -> Result<(), StoreError>;

    /// Finishes what is on its way and lets go of the database.
    async fn close(&self);
}

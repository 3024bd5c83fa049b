//! Records: what areas of the platform keep beside the chats, such as the answers of a survey, a call request or a mail. The store knows whose a record is, where it
//! stands and when it is due, and counts; what the body means is the area's.

use serde_json::{Map, Value};

/// What a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordKind {
    /// The answers to a survey.
    SurveyAnswer,
    /// A rating of a chat.
    Rating,
    /// A transcript that is made or was made.
    Transcript,
    /// A call request.
    Call,
    /// A message to a queue by e-mail.
    Email,
    /// A mail that is to be sent.
    Mail,
    /// A proactive trigger that was shown.
    TriggerRun,
    /// What a virtual agent found out after the chat.
    PostSession,
}

impl RecordKind {
    /// Every kind.
    pub const ALL: [RecordKind; 8] = [
        RecordKind::SurveyAnswer,
        RecordKind::Rating,
        RecordKind::Transcript,
        RecordKind::Call,
        RecordKind::Email,
        RecordKind::Mail,
        RecordKind::TriggerRun,
        RecordKind::PostSession,
    ];

    /// The word that the store keeps.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RecordKind::SurveyAnswer => "survey_answer",
            RecordKind::Rating => "rating",
            RecordKind::Transcript => "transcript",
            RecordKind::Call => "call",
            RecordKind::Email => "email",
            RecordKind::Mail => "mail",
            RecordKind::TriggerRun => "trigger_run",
            RecordKind::PostSession => "post_session",
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn from_text(text: &str) -> Option<RecordKind> {
        RecordKind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A record to keep.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRecord {
    /// What it is of.
    pub kind: RecordKind,
    /// The company's key.
    pub company_id: String,
    /// Whose it is.
    pub end_user_id: Option<u64>,
    /// The chat that it belongs to.
    pub chat_id: Option<u64>,
    /// Used once within kind and company: what is kept under it again is the record of the first time.
    pub key: Option<String>,
    /// What it shares with others that are counted together, such as a slot of time.
    pub topic: Option<String>,
    /// Where it stands, in the area's words.
    pub status: String,
    /// When something is to be done about it.
    pub due_at_ms: Option<u64>,
    /// When it was made.
    pub at_ms: u64,
    /// What the area says of it.
    pub body: Map<String, Value>,
}

/// A record as the store has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its number, which no record of any kind shares; later ones have greater numbers.
    pub id: u64,
    /// Grows by one with each change, from 1.
    pub revision: u64,
    /// What was kept, with what changed since.
    pub content: NewRecord,
}

/// Which records a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapOf {
    /// Those of the same chat.
    Chat,
    /// Those of the same end user.
    EndUser,
    /// Those of the same company.
    Company,
    /// Those of the same topic, in the same company.
    Topic,
}

/// A limit on records of one kind. Counted in the transaction that writes, so that two cannot both be the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordCap {
    /// What is counted.
    pub of: CapOf,
    /// Only those made at this time or later.
    pub since_ms: u64,
    /// Only those that stand here; empty for all.
    pub statuses: Vec<String>,
    /// So many there may be, with the one that is written.
    pub most: u64,
}

/// What keeping a record led to.
#[derive(Clone, Debug, PartialEq)]
pub enum Kept {
    /// It is new.
    Fresh(Record),
    /// Its key was used before, and this is what was kept then.
    Known(Record),
    /// A limit is reached: nothing was written.
    Full,
}

/// What changing a record led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is durable.
    Changed,
    /// It is at another revision, or there is none: nothing was written.
    Conflict,
    /// A limit is reached: nothing was written.
    Full,
}

/// Which records to read: those that match everything which is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordQuery {
    /// What they are of.
    pub kind: RecordKind,
    /// In one of these companies; `None` for any.
    pub company_ids: Option<Vec<String>>,
    /// Of this end user.
    pub end_user_id: Option<u64>,
    /// Of this chat.
    pub chat_id: Option<u64>,
    /// Of this topic.
    pub topic: Option<String>,
    /// In one of these; empty for any.
    pub statuses: Vec<String>,
    /// Made at this time or later.
    pub since_ms: Option<u64>,
    /// Due at this time or before. Then the order is by what is due first; otherwise the newest comes first.
    pub due_until_ms: Option<u64>,
    /// With a lower number, for the next page.
    pub before_id: Option<u64>,
    /// At most so many. Counts nothing when records are counted.
    pub limit: u64,
}

impl RecordQuery {
    /// All records of a kind, the newest `limit` of them.
    #[must_use]
    pub fn of(kind: RecordKind, limit: u64) -> RecordQuery {
        RecordQuery {
            kind,
            company_ids: None,
            end_user_id: None,
            chat_id: None,
            topic: None,
            statuses: Vec::new(),
            since_ms: None,
            due_until_ms: None,
            before_id: None,
            limit,
        }
    }

    /// Whether a record is asked for, whatever the limit.
    #[must_use]
    pub fn matches(&self, record: &Record) -> bool {
        let content = &record.content;
        content.kind == self.kind
            && self.company_ids.as_ref().is_none_or(|ids| ids.contains(&content.company_id))
            && self.end_user_id.is_none_or(|id| content.end_user_id == Some(id))
            && self.chat_id.is_none_or(|id| content.chat_id == Some(id))
            && self.topic.as_ref().is_none_or(|topic| content.topic.as_ref() == Some(topic))
            && (self.statuses.is_empty() || self.statuses.contains(&content.status))
            && self.since_ms.is_none_or(|since| content.at_ms >= since)
            && self.due_until_ms.is_none_or(|until| content.due_at_ms.is_some_and(|due| due <= until))
            && self.before_id.is_none_or(|before| record.id < before)
    }
}

impl RecordCap {
    /// Whether a record counts beside `written`.
    #[must_use]
    pub fn counts(&self, record: &NewRecord, written: &NewRecord) -> bool {
        let shares = match self.of {
            CapOf::Chat => record.chat_id.is_some() && record.chat_id == written.chat_id,
            CapOf::EndUser => record.end_user_id.is_some() && record.end_user_id == written.end_user_id,
            CapOf::Company => true,
            CapOf::Topic => record.topic.is_some() && record.topic == written.topic,
        };
        shares
            && record.kind == written.kind
            && record.company_id == written.company_id
            && record.at_ms >= self.since_ms
            && (self.statuses.is_empty() || self.statuses.contains(&record.status))
    }
}

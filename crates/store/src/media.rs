//! Files of messages, as the store knows them: whose they are, what they are called and where their bytes are. The bytes are elsewhere.

use engine::gateway::Author;

/// What a message shows with its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// A picture.
    Photo,
    /// A film.
    Video,
    /// A sound.
    Audio,
    /// Anything to be opened elsewhere.
    Document,
}

impl MediaKind {
    /// Every kind.
    pub const ALL: [MediaKind; 4] = [MediaKind::Photo, MediaKind::Video, MediaKind::Audio, MediaKind::Document];

    /// The `type` of the message, and the word that the store keeps.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            MediaKind::Photo => "photo",
            MediaKind::Video => "video",
            MediaKind::Audio => "audio",
            MediaKind::Document => "document",
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn from_text(text: &str) -> Option<MediaKind> {
        MediaKind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A file that is announced.
#[derive(Clone)]
pub struct NewMedia {
    /// The chat.
    pub chat_id: u64,
    /// Who sends it.
    pub author: Author,
    /// What its message will show.
    pub kind: MediaKind,
    /// The client's idempotency key.
    pub client_id: String,
    /// Its name, made harmless, without extension.
    pub name: String,
    /// Its announced length; the file may not be longer.
    pub size_bytes: u64,
    /// When it was announced.
    pub created_at_ms: u64,
}

/// How much an author may announce in a while.
#[derive(Clone, Copy, Debug)]
pub struct MediaQuota {
    /// What was announced after this counts.
    pub since_ms: u64,
    /// At most so many files.
    pub files: u64,
    /// At most so many bytes.
    pub bytes: u64,
}

/// A file that a message may show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaRecord {
    /// The number.
    pub id: u64,
    /// The chat.
    pub chat_id: u64,
    /// Who sent it.
    pub author: Author,
    /// What its message shows.
    pub kind: MediaKind,
    /// Its name, without extension.
    pub name: String,
    /// Its length; the announced one until it is there.
    pub size_bytes: u64,
    /// Where its bytes are, once they are there.
    pub stored: Option<StoredMedia>,
}

/// Where the bytes of a file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMedia {
    /// The name of the object.
    pub object: String,
    /// What the bytes are.
    pub content_type: String,
}

/// What announcing a file led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announced {
    /// It has a number.
    Fresh(MediaRecord),
    /// The same author announced it with the same key before: nothing was written.
    Known(MediaRecord),
    /// The quota is used up: nothing was written.
    OverQuota,
}

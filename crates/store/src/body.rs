//! The content of a message as JSON text that is written once and shared by everyone who reads it. Knows nothing of what may be said.

use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

/// The content of a message: a JSON object. Cheap to clone.
#[derive(Clone)]
pub struct MessageBody(Arc<Content>);

struct Content {
    json: Box<str>,
    /// The whole message with its envelope, made for the first reader.
    rendered: OnceLock<Box<str>>,
    /// The same where something in it is not for everybody.
    redacted: OnceLock<Option<Box<Redacted>>>,
}

/// A whole message of which something is for its author only.
pub struct Redacted {
    /// What its author reads.
    pub own: String,
    /// What everybody else reads.
    pub others: String,
}

impl MessageBody {
    /// A body from an object.
    #[must_use]
    pub fn new(object: &Map<String, Value>) -> MessageBody {
        let json = serde_json::to_string(object).unwrap_or_else(|_| "{}".to_owned());
        MessageBody::from_stored(json)
    }

    /// A body as the store has it: the text of a JSON object.
    #[must_use]
    pub fn from_stored(json: String) -> MessageBody {
        MessageBody(Arc::new(Content {
            json: json.into_boxed_str(),
            rendered: OnceLock::new(),
            redacted: OnceLock::new(),
        }))
    }

    /// The text of the JSON object.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.0.json
    }

    /// The content of a `text` message; `None` for other types.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let value: Value = serde_json::from_str(self.json()).ok()?;
        if value.get("type")?.as_str()? != "text" {
            return None;
        }
        value.get("content")?.as_str().map(str::to_owned)
    }

    /// The whole message around this body, made by the first caller and kept for every later one. A body belongs to one message, so the
    /// text never differs.
    pub fn rendered_once(&self, render: impl FnOnce() -> String) -> &str {
        self.0.rendered.get_or_init(|| render().into_boxed_str())
    }

    /// The two readings of the whole message, or that it has only one: looked for by the first caller and kept for every later one.
    pub fn redacted_once(&self, redact: impl FnOnce() -> Option<Redacted>) -> Option<&Redacted> {
        self.0.redacted.get_or_init(|| redact().map(Box::new)).as_deref()
    }
}

impl PartialEq for MessageBody {
    fn eq(&self, other: &Self) -> bool {
        self.0.json == other.0.json
    }
}

impl Eq for MessageBody {}

/// Never shows what was said.
impl std::fmt::Debug for MessageBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MessageBody({} bytes)", self.0.json.len())
    }
}

//! Frames of the event stream, as serde types (`docs/protocol.md`, "Event stream").

use serde::{Deserialize, Serialize};

use crate::rest::{Chat, Member, Message, Share};

/// What a client says on the stream.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// The first frame.
    Join {
        /// The session token; absent at the desk, whose cookie speaks for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// The chat; absent at the desk, whose route names it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chat_id: Option<u64>,
        /// The index of the last message the client has, 0 for none.
        cursor: u64,
    },
    /// The sender types, or stopped.
    Typing {
        /// Whether it types now.
        typing: bool,
    },
    /// What the end user has typed and not sent yet; empty where nothing is typed any more.
    Preview {
        /// The text.
        content: String,
    },
    /// The page came into view, or was hidden; also said after each `joined`.
    Visibility {
        /// Whether it is in view now.
        visible: bool,
    },
    /// Is the stream alive?
    Ping,
    /// Answer to a `ping`.
    Pong,
    /// A kind of a newer client: ignored.
    #[serde(other)]
    Unknown,
}

/// What the gateway says on the stream.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The answer to `join`.
    Joined {
        /// The chat's state.
        chat: Box<Chat>,
        /// Messages follow from here plus 1.
        cursor: u64,
        /// The longest silence of a healthy connection.
        heartbeat_ms: u64,
    },
    /// Messages, then the chat's newest state.
    Update {
        /// In index order, without a gap.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        messages: Vec<Message>,
        /// The newest state, where it changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chat: Option<Box<Chat>>,
    },
    /// At the desk: what the end user has typed and not sent yet. Not stored.
    Preview {
        /// Who types.
        member: Member,
        /// The text; empty where nothing is typed any more.
        content: String,
    },
    /// A member types, or stopped.
    Typing {
        /// Who.
        member: Member,
        /// Whether it types now.
        typing: bool,
    },
    /// Are you there?
    Ping,
    /// Answer to the client's `ping`.
    Pong,
    /// The gateway shuts down.
    Closing {
        /// Reconnect in a random part of this time.
        retry_after_ms: u64,
    },
    /// Why the gateway closes the stream.
    Error {
        /// One of [`crate::ErrorCode`].
        code: String,
        /// What to do about it.
        message: String,
        /// How long to wait.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
}

/// What the desk says on the stream of a screen share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ViewerFrame {
    /// The first frame.
    Join,
    /// The agent points at the page.
    Pointer {
        /// CSS pixels from the left of the customer's viewport.
        x: i64,
        /// CSS pixels from its top.
        y: i64,
        /// A button is down.
        #[serde(default)]
        down: bool,
    },
    /// The agent no longer points at it.
    PointerLeft,
    /// Something is missing: the recording is to begin anew.
    Resync,
    /// Is the stream alive?
    Ping,
    /// Answer to a `ping`.
    Pong,
    /// A kind of a newer desk: ignored.
    #[serde(other)]
    Unknown,
}

/// What the gateway says on the stream of a screen share, beside the recording itself and the frames `ping`, `pong`, `closing` and `error` of
/// [`ServerFrame`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ScreenFrame {
    /// How the share stands; the first frame, and again whenever that changes.
    Share {
        /// The share.
        share: Share,
        /// `here`, or `away` where the customer's page is not heard at the moment.
        page: String,
    },
}

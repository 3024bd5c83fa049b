//! The frames and REST bodies that the SDK and the gateway exchange, as described in `docs/protocol.md`.
//!
//! This crate only names shapes and reads them. It does no input or output, keeps no state and decides nothing. Numbers are integers
//! throughout: text parsing of floats costs the browser 15 kB of tables.
//!
//! The two ends read the same shapes by different means. The gateway uses serde (feature `serde`). The SDK lets the browser parse a frame
//! once and reads only the few fields it needs through [`Document`], so that no message body is ever copied into WebAssembly memory.

mod document;
mod error;
mod fields;
#[cfg(feature = "serde")]
pub mod rest;
#[cfg(feature = "serde")]
pub mod stream;

pub use document::Document;
pub use error::ErrorCode;
pub use fields::{Field, Fields};

/// The WebSocket subprotocol of the event stream, version 1.
pub const STREAM_PROTOCOL: &str = "sportello.v1";

/// The largest `limit` of one page of messages.
pub const MESSAGES_PAGE_LIMIT: u64 = 1000;

/// The close codes of the event stream (`docs/protocol.md`, "Event stream").
pub mod close {
    /// A frame could not be read, or came out of turn.
    pub const MALFORMED: u16 = 4400;
    /// The session token is missing, refused or expired.
    pub const UNAUTHORIZED: u16 = 4401;
    /// The chat belongs to another end user, or the origin is not allowed.
    pub const FORBIDDEN: u16 = 4403;
    /// There is no such chat.
    pub const NOT_FOUND: u16 = 4404;
    /// Nothing was heard from the client for too long.
    pub const SILENT: u16 = 4408;
    /// Too many streams of this end user or address.
    pub const RATE_LIMITED: u16 = 4429;
    /// The gateway shuts down or cut a reader that lags: reconnect with the cursor.
    pub const UNAVAILABLE: u16 = 4503;
}

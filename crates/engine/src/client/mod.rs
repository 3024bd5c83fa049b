//! The client's logic: one end user's session with a gateway, its ongoing chat, the timeline, the outbox and the event stream's life.
//!
//! It does no input or output. Whoever drives it calls [`Client::handle`] with one [`Input`] and the time, then performs what
//! [`Client::poll`] returns until it returns `None`, then waits for the next input or for [`Client::next_timeout_ms`]. In the browser that
//! is the SDK's pump; in native tests it is a loop in virtual time.
//!
//! What it guarantees to listeners: each message of the chat is emitted once and in the server's order; what `fetchMessages` returned is
//! not emitted afterwards; a message goes to the gateway only under the end user who wrote it.

mod backoff;
mod calls;
mod chat;
mod connection;
mod engine;
mod error;
mod identity;
mod messages;
mod outbox;
mod presence;
mod session;
mod tabs;
mod text;
mod timeline;
mod types;

pub use backoff::BackoffOptions;
pub use chat::Member;
pub use engine::Client;
pub use error::Error;
pub use outbox::{Delivery, DeliveryState};
pub use text::number;
pub use types::{
    Answer, Call, Config, ConnectionState, Event, FILE_FIELD, FILE_KEY_END, Input, Method, OpId, Output, Plan, Request,
    RequestId, Response, Scope, Settled, StreamId, Transport,
};

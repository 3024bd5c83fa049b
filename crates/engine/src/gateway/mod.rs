//! The gateway's logic for one chat: who may join and write, the index of each message, when a message is acknowledged, and how a stream
//! resumes.
//!
//! It does no input or output: it never touches a socket, a store or a clock. The gateway feeds it with [`Input`]s and the time, then
//! performs what [`ChatSession::poll`] returns until it returns `None`. The same code runs in virtual time beside the client engine in
//! `tests/`.
//!
//! Three rules carry the product's promise:
//!
//! 1. A command is answered only after the [`Change`] that holds it was reported as [`Input::Committed`], that is, after it is durable.
//! 2. Indexes are given in the order of commits, 1, 2, 3, … without a gap; an idempotency key that was used before gets the index it got then.
//! 3. A stream gets messages only in the order of their indexes, from its cursor on, and at most one delivery is on its way to a stream:
//!    a slow reader costs a cursor, not a queue.
//!
//! **Time.** Dismissal, timeouts and check-ins follow from times in the stored state, so that they survive a restart. A chat has a clock of its own, the
//! time of its newest change, which never goes back: where the machine's clock is set back, new messages get the newest time there was, and
//! timers run out late, by no more than the jump. Where it jumps forward, or the gateway was down, what is overdue waits
//! [`Limits::late_grace_ms`] once. What a timer does takes away its own condition, so that no clock makes it run in a loop.

mod check_in;
mod post_session;
mod screen_share;
mod session;
mod state;
mod timers;
mod transfer;

pub use check_in::{CheckIn, CheckInAnswer, CheckInLimits};
pub use post_session::{PostSession, PostSessionOffer, PostSessionStatus, PostSessionStep};
pub use screen_share::{
    ScreenShare, ShareEnd, ShareFrom, ShareLimits, ShareProvider, ShareStart, ShareStatus, ShareStep,
};
pub use session::{ChatSession, Input, Limits, Output, Refusal, RequestId, StreamId};
pub use state::{
    Act, Actor, Author, Change, ChatState, Command, Done, EndedBy, FailReason, Message, Notice, Patience, Script,
    SentKey, Status, open,
};
pub use transfer::TransferTo;

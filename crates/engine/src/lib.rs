//! The sans-IO engine of Sportello: the client's session, timeline, outbox and reconnection, and beside it the gateway's logic for one chat.
//!
//! No clock, no randomness, no network, no JavaScript: time, entropy and every event of the outside world are arguments. Whoever drives it
//! hands in one input, performs all outputs, and only then hands in the next. It refuses to know what a message says: message bodies are
//! handles that it stores and passes on.

pub mod client;
pub mod gateway;

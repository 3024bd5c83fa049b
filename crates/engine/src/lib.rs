//! The sans-IO engine of Sportello: the client's session, timeline, outbox and reconnection, and beside it the gateway's logic for one chat.
//!
//! No clock, no randomness, no network, no JavaScript: time, entropy and every event of the outside world are arguments. Whoever drives it
//! hands in one input, performs all outputs, and only then hands in the next. It refuses to know what a message says: message bodies are
//! handles that it stores and passes on.

/// Whether a known bug is at work here. Without the bug's feature it is the constant `false`.
#[cfg(feature = "planted")]
macro_rules! planted {
    ($feature:tt) => {
        cfg!(feature = $feature) && $crate::planted::is_planted($feature)
    };
}

#[cfg(not(feature = "planted"))]
macro_rules! planted {
    ($feature:tt) => {
        false
    };
}

pub mod client;
pub mod gateway;
#[cfg(feature = "planted")]
pub mod planted;

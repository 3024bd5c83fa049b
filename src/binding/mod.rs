//! What JavaScript sees: the `Client` and `Chat` classes of the contract and the log. This folder converts values and refuses malformed
//! arguments with a typed error; it decides nothing else.

pub(crate) mod arguments;
pub(crate) mod calls;
mod chat;
mod client;
pub(crate) mod convert;
pub(crate) mod current;
pub(crate) mod errors;
pub(crate) mod listeners;
pub(crate) mod log;
pub(crate) mod options;

pub use chat::Chat;
pub use client::Client;
pub use log::set_log_handler;

//! The log: short entries for a developer who asked for them. Nothing here ever shows a token or a message's text, because callers only
//! pass fixed words, error codes and the gateway's own explanations.

use std::cell::RefCell;

use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::convert::to_plain_object;
use crate::web::clock::now_ms;

thread_local! {
    static HANDLER: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// How much an entry matters.
#[derive(Clone, Copy)]
pub(crate) enum Level {
    Info,
    Warn,
}

#[derive(Serialize)]
struct Entry<'a> {
    level: &'static str,
    message: &'a str,
    #[serde(rename = "atMs")]
    at_ms: u64,
}

/// Sets the one function that gets every log entry of every client of this module, or none: `{level, message, atMs}`.
#[wasm_bindgen(js_name = setLogHandler)]
pub fn set_log_handler(handler: Option<Function>) {
    HANDLER.with(|slot| *slot.borrow_mut() = handler);
}

pub(crate) fn log(level: Level, message: &str) {
    let Some(handler) = HANDLER.with(|slot| slot.borrow().clone()) else { return };
    let level = match level {
        Level::Info => "info",
        Level::Warn => "warn",
    };
    // A log handler that throws is not worth an event of its own.
    let _ = handler.call1(&JsValue::UNDEFINED, &to_plain_object(&Entry { level, message, at_ms: now_ms() }));
}

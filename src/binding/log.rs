//! The log: short entries for a developer who asked for them. Nothing here ever shows a token or a message's text, because callers only
//! pass fixed words, error codes and the gateway's own explanations.

use std::cell::RefCell;

use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wire::{Document, Field};

use super::convert::to_word;
use crate::web::clock::now_ms;
use crate::web::document::Js;

thread_local! {
    static HANDLER: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// How much an entry matters.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Info,
    Warn,
}

/// Sets the one function that gets every log entry of every client of this module, or none: `{level, message, atMs}`.
#[wasm_bindgen(js_name = setLogHandler)]
pub fn set_log_handler(handler: Option<Function>) {
    HANDLER.with(|slot| *slot.borrow_mut() = handler);
}

pub(crate) fn log(level: Level, message: &str) {
    let Some(handler) = HANDLER.with(|slot| slot.borrow().clone()) else { return };
    let entry = Js::build(vec![
        ("level", Field::Document(Js(to_word(&level)))),
        ("message", Field::Text(message.to_owned())),
        ("atMs", Field::Int(now_ms() as i64)),
    ]);
    // A log handler that throws is not worth an event of its own.
    let _ = handler.call1(&JsValue::UNDEFINED, &entry.0);
}

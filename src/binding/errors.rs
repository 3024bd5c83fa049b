//! Errors as JavaScript sees them: real `Error`s named `SportelloError` with a `code` of the closed set, so that they have a stack, pass
//! through `console` and can be told apart by name and code where `instanceof` fails (two copies of the package, frames).

use engine::client::Error;
use js_sys::Reflect;
use wasm_bindgen::JsValue;
use wire::{Document, ErrorCode};

use crate::web::document::Js;

/// The error object for an engine's error.
pub(crate) fn to_js_error(error: &Error) -> JsValue {
    let js: JsValue = js_sys::Error::new(&error.message).into();
    set(&js, "name", &JsValue::from_str("SportelloError"));
    set(&js, "code", &JsValue::from_str(error.code.as_str()));
    set(&js, "retryable", &JsValue::from_bool(error.is_retryable()));
    if let Some(status) = error.status {
        set(&js, "status", &JsValue::from_f64(f64::from(status)));
    }
    if let Some(ms) = error.retry_after_ms {
        set(&js, "retryAfterMs", &JsValue::from_f64(ms as f64));
    }
    if let Some(fields) = error.fields_json.as_deref().and_then(Js::parse) {
        set(&js, "fields", &fields.0);
    }
    js
}

/// The error object for a refusal of ours.
pub(crate) fn refusal(code: ErrorCode, message: &str) -> JsValue {
    to_js_error(&Error::new(code, message))
}

/// The error object for a malformed argument.
pub(crate) fn invalid_argument(message: &str) -> JsValue {
    refusal(ErrorCode::InvalidArgument, message)
}

fn set(target: &JsValue, name: &str, value: &JsValue) {
    // An error object of our own takes every property.
    let _ = Reflect::set(target, &JsValue::from_str(name), value);
}

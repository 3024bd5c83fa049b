//! Arguments of calls: read, or refused with an error that says what is expected. The value that was given is never repeated.

use engine::client::{Call, FILE_FIELD};
use js_sys::Function;
use wasm_bindgen::prelude::*;
use wire::{Document, ErrorCode, Field};

use super::errors::{invalid_argument, refusal};
use crate::web::chunks;
use crate::web::document::{Js, integer};

/// A menu's or chat's number, given as a number or as its text.
pub(crate) fn id(value: &JsValue, name: &str) -> Result<u64, JsValue> {
    let number = integer(value).and_then(|int| u64::try_from(int).ok());
    let number =
        number.or_else(|| value.as_string().and_then(|text| engine::client::number(&text)).filter(|id| *id < 1 << 53));
    number.ok_or_else(|| invalid_argument(&[name, " must be a whole number, or a string of digits."].concat()))
}

/// A text that may be left out.
pub(crate) fn optional_text(value: &JsValue, name: &str) -> Result<Option<String>, JsValue> {
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    value.as_string().map(Some).ok_or_else(|| invalid_argument(&[name, " must be a string."].concat()))
}

/// An object that may be left out, as it is now: what its owner does to it later changes nothing that was asked.
pub(crate) fn optional_object(value: &JsValue, name: &str) -> Result<Option<Js>, JsValue> {
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    // What is written as an object is one; asking the value itself can throw.
    let json = Js(value.clone()).to_json().filter(|json| json.starts_with('{'));
    let copy = json.and_then(|json| Js::parse(&json));
    copy.map(Some).ok_or_else(|| invalid_argument(&[name, " must be an object that can be written as JSON."].concat()))
}

/// A positive number of milliseconds (or of things), or its default.
pub(crate) fn positive_ms(value: Option<Js>, name: &str, default: u64) -> Result<u64, JsValue> {
    let Some(value) = value else { return Ok(default) };
    let number = value.as_int().and_then(|int| u64::try_from(int).ok()).filter(|number| *number > 0);
    number.ok_or_else(|| invalid_argument(&[name, " must be a positive whole number."].concat()))
}

/// The call for `sendFileMessage(file)`. What the gateway takes is for the gateway to say; here it only must be a `File` or `Blob`.
pub(crate) fn file_message(file: &JsValue) -> Result<Call<Js>, JsValue> {
    let Some(blob) = file.dyn_ref::<web_sys::Blob>() else {
        return Err(invalid_argument("sendFileMessage(file) takes a File."));
    };
    let (file, size, content_type) = (Js(file.clone()), blob.size() as i64, blob.type_());
    if !chunks::has("files") {
        return Err(refusal(ErrorCode::Unsupported, "Files are not offered here."));
    }
    let kind = content_type.bytes().position(|byte| byte == b'/').and_then(|end| content_type.get(..end));
    let kind = match kind {
        Some("image") => "photo",
        Some("video") => "video",
        Some("audio") => "audio",
        _ => "document",
    };
    let described = vec![
        ("name", Field::Text(file.text("name").unwrap_or_default())),
        ("content_type", Field::Text(content_type)),
        ("size", Field::Int(size)),
    ];
    let message = Js::build(vec![("type", Field::Text(kind.to_owned())), (FILE_FIELD, Field::Object(described))]);
    Ok(Call::Send { chat_id: None, message, file: Some(file) })
}

/// The last argument of every call.
#[derive(Default)]
pub(crate) struct CallOptions {
    pub(crate) signal: Option<web_sys::AbortSignal>,
    pub(crate) on_progress: Option<Function>,
}

impl CallOptions {
    pub(crate) fn read(options: &JsValue) -> Result<Self, JsValue> {
        Ok(CallOptions {
            signal: member(options, "signal", "signal must be an AbortSignal.")?,
            on_progress: member(options, "onProgress", "onProgress must be a function.")?,
        })
    }
}

/// A member that may be left out, as may the whole object.
fn member<T: JsCast>(object: &JsValue, name: &str, otherwise: &str) -> Result<Option<T>, JsValue> {
    let value = Js(object.clone()).field(name);
    value.map(|value| value.0.dyn_into().map_err(|_| invalid_argument(otherwise))).transpose()
}

//! Files of messages: kept for a later page and uploaded, by the chunk `files`.

use engine::client::Error;
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;
use wire::{Document, ErrorCode};

use super::chunks;
use super::document::Js;

#[wasm_bindgen]
extern "C" {
    type Files;
    #[wasm_bindgen(method, catch)]
    fn keep(this: &Files, key: &str, file: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn forget(this: &Files, key: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn upload(
        this: &Files,
        url: &str,
        fields: &JsValue,
        key: &str,
        file: &JsValue,
        stalled_ms: f64,
        signal: &AbortSignal,
        progress: &Function,
    ) -> Result<Promise, JsValue>;
}

async fn files() -> Option<Files> {
    chunks::load("files").await.map(JsCast::unchecked_into)
}

/// Keeps a file for a later page; `false` where the browser refuses.
pub(crate) async fn keep(key: String, file: Js) -> bool {
    let keeping = files().await.and_then(|files| files.keep(&key, &file.0).ok());
    match keeping {
        Some(keeping) => JsFuture::from(keeping).await.is_ok(),
        None => false,
    }
}

/// Forgets a file. What cannot be forgotten was not kept.
pub(crate) async fn forget(key: String) {
    if let Some(forgetting) = files().await.and_then(|files| files.forget(&key).ok()) {
        drop(JsFuture::from(forgetting).await);
    }
}

/// Posts the form that the gateway gave, with the file; `progress` hears the bytes sent and all bytes.
pub(crate) async fn upload(
    origin: String,
    form: Js,
    key: String,
    file: Option<Js>,
    stalled_ms: f64,
    signal: AbortSignal,
    progress: impl FnMut(f64, f64) + 'static,
) -> Result<(), Error> {
    let progress = Closure::<dyn FnMut(f64, f64)>::new(progress);
    let progress: &Function = progress.as_ref().unchecked_ref();
    let url = form.text("url").unwrap_or_default();
    let url = if url.starts_with('/') { [&origin, url.as_str()].concat() } else { url };
    let fields = form.field("fields").map_or(JsValue::UNDEFINED, |fields| fields.0);
    let file = file.map_or(JsValue::UNDEFINED, |file| file.0);
    let uploading =
        files().await.and_then(|files| files.upload(&url, &fields, &key, &file, stalled_ms, &signal, progress).ok());
    let status = match uploading {
        Some(uploading) => JsFuture::from(uploading).await.ok().and_then(|status| status.as_f64()),
        None => None,
    };
    let (code, message) = match status.map(|status| status as i32) {
        Some(200..=299) => return Ok(()),
        Some(-1) => (ErrorCode::FileLost, "The browser did not keep the file over the reload of the page."),
        Some(413) => (ErrorCode::TooLarge, "The file is larger than the gateway takes."),
        // The form may have expired: another try begins with a new one.
        Some(401 | 403 | 408 | 429 | 500..) => (ErrorCode::Unavailable, "The gateway does not take the file now."),
        Some(400..) => (ErrorCode::InvalidArgument, "The gateway does not take this file."),
        _ => (ErrorCode::Network, "The file could not be uploaded."),
    };
    Err(Error::new(code, message))
}

//! The options of `new Client(options)`, read field by field: a derived reader would add 14 kB to the download.

use engine::client::{BackoffOptions, Config};
use js_sys::{Function, Reflect};
use wasm_bindgen::prelude::*;
use wire::Document;

use super::arguments::positive_ms;
use super::errors::invalid_argument;
use crate::web::chunks;
use crate::web::document::Js;
use crate::web::storage::StorageChoice;

const DAY_MS: u64 = 86_400_000;

/// Validated options.
pub(crate) struct Options {
    pub(crate) config: Config,
    pub(crate) authenticate: Function,
    /// The gateway's origin, without a slash at its end.
    pub(crate) origin: String,
    pub(crate) storage: StorageChoice,
}

impl Options {
    pub(crate) fn read(options: &JsValue) -> Result<Options, JsValue> {
        if !options.is_object() {
            return Err(invalid_argument("new Client(options) takes an object with companyId and authenticate."));
        }
        let document = Js(options.clone());
        let company_id = document.text("companyId").filter(|id| !id.is_empty());
        let company_id =
            company_id.ok_or_else(|| invalid_argument("options.companyId must be the company key, a string."))?;
        let authenticate = document.field("authenticate").and_then(|value| value.0.dyn_into().ok());
        let authenticate = authenticate.ok_or_else(|| {
            invalid_argument("options.authenticate must be a function that resolves to { token }, a JWT signed with the company secret.")
        })?;
        let origin = origin(document.field("host"))?;
        let reconnect = document.field("reconnect");
        let wait =
            |name, default| positive_ms(reconnect.as_ref().and_then(|reconnect| reconnect.field(name)), name, default);
        let defaults = BackoffOptions::default();
        let backoff = BackoffOptions {
            initial_ms: wait("initialMs", defaults.initial_ms)?,
            max_ms: wait("maxMs", defaults.max_ms)?,
        };
        let connect_timeout_ms = wait("connectTimeoutMs", 8_000)?;
        let probe_timeout_ms = wait("probeTimeoutMs", 5_000)?;
        let history_limit = positive_ms(document.field("historyLimit"), "historyLimit", 10_000)?;
        Ok(Options {
            config: Config {
                company_id,
                gateway: origin.clone(),
                lang: document.text("lang"),
                send_timeout_ms: positive_ms(document.field("sendTimeoutMs"), "sendTimeoutMs", DAY_MS)?,
                call_timeout_ms: positive_ms(document.field("callTimeoutMs"), "callTimeoutMs", 15_000)?,
                history_limit: usize::try_from(history_limit).unwrap_or(usize::MAX),
                backoff,
                connect_timeout_ms,
                probe_timeout_ms,
                server_sent_events: chunks::has("events"),
            },
            authenticate,
            origin,
            storage: storage(options)?,
        })
    }
}

/// The gateway's origin: `host`, or the page's own. A host is never derived from `tenant`: that would send a user's token elsewhere.
fn origin(host: Option<Js>) -> Result<String, JsValue> {
    let host = match host {
        Some(host) => {
            host.as_text().ok_or_else(|| invalid_argument("options.host must be the gateway's origin, a string."))?
        }
        None => Reflect::get(&js_sys::global(), &JsValue::from_str("location"))
            .ok()
            .and_then(|location| Js(location).text("origin"))
            .filter(|origin| origin != "null")
            .ok_or_else(|| invalid_argument("options.host is needed here: this page has no origin of its own."))?,
    };
    let host = host.trim_end_matches('/');
    if host.is_empty() {
        return Err(invalid_argument("options.host must not be empty; leave it out for the page's own origin."));
    }
    let origin = if host.contains("://") { host.to_owned() } else { ["https://", host].concat() };
    if origin.starts_with("https://") || origin.starts_with("http://") {
        Ok(origin)
    } else {
        Err(invalid_argument("options.host must begin with https:// or http://."))
    }
}

fn storage(options: &JsValue) -> Result<StorageChoice, JsValue> {
    let storage = Reflect::get(options, &JsValue::from_str("storage")).unwrap_or(JsValue::UNDEFINED);
    if storage.is_undefined() {
        Ok(StorageChoice::Browser)
    } else if storage.is_null() {
        Ok(StorageChoice::None)
    } else if storage.is_object() {
        Ok(StorageChoice::Own(storage.unchecked_into()))
    } else {
        Err(invalid_argument("options.storage must have the methods of Web Storage, or be null."))
    }
}

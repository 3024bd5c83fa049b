//! Calls whose request the chunk `more` works out: it checks the arguments and says what is asked of the gateway and how the answer becomes
//! the call's result. It keeps no state of the chat and sends nothing itself.

use engine::client::{Answer, Error, Method, Plan, Scope};
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;
use wire::{Document, ErrorCode};

use super::chunks;
use super::document::Js;

#[wasm_bindgen]
extern "C" {
    type More;
    /// Gives `{ verb, scope?, path?, body?, answer?, finish? }` or a promise of it, without `path` where nothing is to be asked; throws an error
    /// with a `code` for arguments that it refuses.
    #[wasm_bindgen(method, catch)]
    fn plan(
        this: &More,
        method: &str,
        arguments: &JsValue,
        lang: Option<&str>,
        signal: &AbortSignal,
    ) -> Result<JsValue, JsValue>;
}

/// The request for a call, if it needs one, and the function that makes the call's result of the answer.
pub(crate) async fn plan(
    method: &str,
    arguments: &JsValue,
    lang: Option<&str>,
    signal: AbortSignal,
) -> Result<(Option<Plan<Js>>, Option<Function>), Error> {
    if !chunks::has("more") {
        return Err(Error::new(ErrorCode::Unsupported, "This call is not offered here."));
    }
    let Some(chunk) = chunks::load("more").await else {
        return Err(Error::new(ErrorCode::WasmLoadFailed, "A part of the package could not be loaded."));
    };
    let planning = chunk.unchecked_into::<More>().plan(method, arguments, lang, &signal);
    let plan = match planning {
        Ok(plan) => JsFuture::from(Promise::resolve(&plan)).await,
        Err(thrown) => Err(thrown),
    };
    let plan = plan.map_err(|thrown| {
        let thrown = Js(thrown);
        let code = thrown.text("code").and_then(|code| ErrorCode::from_text(&code));
        let message = thrown.text("message").unwrap_or_default();
        Error::new(code.unwrap_or(ErrorCode::InvalidArgument), &message)
    })?;
    let plan = Js(plan);
    let finish = plan.field("finish").and_then(|finish| finish.0.dyn_into().ok());
    let Some(path) = plan.text("path") else { return Ok((None, finish)) };
    let word = |name| plan.text(name).unwrap_or_default();
    let request = Plan {
        method: match word("verb").as_str() {
            "POST" => Method::Post,
            "PATCH" => Method::Patch,
            _ => Method::Get,
        },
        scope: match word("scope").as_str() {
            "chat" => Scope::Chat,
            "either" => Scope::Either,
            _ => Scope::Company,
        },
        path,
        body: plan.field("body"),
        answer: match word("answer").as_str() {
            "json" => Answer::Json,
            "file" => Answer::File,
            "message" => Answer::Message,
            _ => Answer::Any,
        },
    };
    Ok((Some(request), finish))
}

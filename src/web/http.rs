//! REST requests by `fetch`. Answers every request exactly once unless it is cancelled; never throws, whatever `fetch` rejects with.
//!
//! gloo-net reads the answer's head. It neither builds nor sends the request: its builder and its error conversion cost the download a kilobyte,
//! and the latter traps where a page's own `fetch` rejects with something that is no `Error`, which would end the client.

use engine::client::{Method, Request, Response};
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wire::{Document, Field};

use super::document::{Js, parse};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch, catch)]
    fn fetch(url: &str, options: &JsValue) -> Result<Promise, JsValue>;

    /// Read as text or kept as a file: `gloo_net` would copy it into WebAssembly memory and back.
    type RawResponse;
    #[wasm_bindgen(method, catch)]
    fn text(this: &RawResponse) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn blob(this: &RawResponse) -> Result<Promise, JsValue>;
}

/// Sends a request; `None` where the network failed or the request was abandoned.
pub(crate) async fn send(origin: String, request: Request<Js>, signal: web_sys::AbortSignal) -> Option<Response<Js>> {
    let url = [&origin, request.path.as_str()].concat();
    let is_for_file = request.is_for_file;
    let options = options(request, signal)?;
    let answer = JsFuture::from(fetch(&url, &options.0).ok()?).await.ok()?;
    let head = gloo_net::http::Response::from(answer.clone().dyn_into::<web_sys::Response>().ok()?);
    let readable: RawResponse = answer.unchecked_into();
    let reading = if is_for_file && head.ok() { readable.blob() } else { readable.text() };
    let body = JsFuture::from(reading.ok()?).await.ok()?;
    let body = if body.is_string() { parse(&body) } else { Some(Js(body)) };
    Some(Response { status: head.status(), retry_after_ms: retry_after_ms(&head), body })
}

fn options(request: Request<Js>, signal: web_sys::AbortSignal) -> Option<Js> {
    let text = |text: &str| Field::Text(text.to_owned());
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    };
    let mut headers = Vec::new();
    if let Some(token) = &request.token {
        headers.push(("Authorization", Field::Text(["Bearer ", token].concat())));
    }
    let mut options = vec![("method", text(method)), ("signal", Field::Document(Js(signal.into())))];
    if let Some(body) = request.body {
        // What takes as long as a file is a form, which says itself what it is.
        let body = if request.is_for_file {
            Field::Document(body)
        } else {
            headers.push(("Content-Type", text("application/json")));
            Field::Text(body.to_json()?)
        };
        options.push(("body", body));
    }
    options.push(("headers", Field::Object(headers)));
    Some(Js::build(options))
}

fn retry_after_ms(response: &gloo_net::http::Response) -> Option<u64> {
    let seconds = engine::client::number(&response.headers().get("retry-after")?)?;
    Some(seconds.saturating_mul(1000))
}

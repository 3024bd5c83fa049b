//! REST requests by `fetch`. Answers every request exactly once unless it is cancelled; never throws, whatever `fetch` rejects with.
//!
//! gloo-net builds the request and reads the answer's head. It does not send: its error conversion traps where a page's own `fetch`
//! rejects with something that is no `Error`, and a trap would end the client.

use engine::client::{Method, Request, Response};
use gloo_net::http::{Method as HttpMethod, RequestBuilder};
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wire::Document;

use super::document::{Js, parse};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch, catch)]
    fn fetch(request: &web_sys::Request) -> Result<Promise, JsValue>;

    /// Read as text: `gloo_net` would copy it into WebAssembly memory and back.
    type RawResponse;
    #[wasm_bindgen(method, catch)]
    fn text(this: &RawResponse) -> Result<Promise, JsValue>;
}

/// Sends a request; `None` where the network failed or the request was abandoned.
pub(crate) async fn send(origin: String, request: Request<Js>, signal: web_sys::AbortSignal) -> Option<Response<Js>> {
    let built = build(&origin, request, &signal)?;
    let answer = JsFuture::from(fetch(&built).ok()?).await.ok()?;
    let raw: web_sys::Response = answer.dyn_into().ok()?;
    let text = JsFuture::from(raw.unchecked_ref::<RawResponse>().text().ok()?).await.ok()?;
    let response = gloo_net::http::Response::from(raw);
    Some(Response { status: response.status(), retry_after_ms: retry_after_ms(&response), body: parse(&text) })
}

fn build(origin: &str, request: Request<Js>, signal: &web_sys::AbortSignal) -> Option<web_sys::Request> {
    let method = match request.method {
        Method::Get => HttpMethod::GET,
        Method::Post => HttpMethod::POST,
        Method::Patch => HttpMethod::PATCH,
        Method::Delete => HttpMethod::DELETE,
    };
    let mut builder = RequestBuilder::new(&[origin, &request.path].concat()).method(method).abort_signal(Some(signal));
    if let Some(token) = &request.token {
        builder = builder.header("Authorization", &["Bearer ", token].concat());
    }
    let built = match request.body {
        Some(body) => {
            let json = body.to_json()?;
            builder.header("Content-Type", "application/json").body(JsValue::from_str(&json))
        }
        None => builder.build(),
    };
    built.ok().map(web_sys::Request::from)
}

fn retry_after_ms(response: &gloo_net::http::Response) -> Option<u64> {
    let seconds: u64 = response.headers().get("retry-after")?.parse().ok()?;
    Some(seconds.saturating_mul(1000))
}

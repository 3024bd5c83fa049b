//! The event stream as a WebSocket. Handlers are taken off before a socket is closed, because a socket goes on calling them while it
//! closes.
//!
//! web-sys rather than gloo-net: its WebSocket copies each frame into WebAssembly memory, from where it would have to be copied back for
//! the browser's `JSON.parse` (docs/adr/0002-json-and-browser-crates.md).

use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use super::document::{Js, parse};

/// What a socket reports.
pub(crate) enum Report {
    Opened,
    /// A parsed frame; `None` where it was no JSON.
    Frame(Option<Js>),
    Closed(u16),
}

/// An open or opening socket; closed when dropped.
pub(crate) struct Stream {
    socket: WebSocket,
    _on_open: Closure<dyn FnMut()>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl Stream {
    /// Opens a socket to an `http` or `https` origin; `None` where the browser refuses at once (a bad URL, a content security policy).
    pub(crate) fn open(origin: &str, report: impl Fn(Report) + Clone + 'static) -> Option<Stream> {
        // `http…` becomes `ws…`.
        let url = ["ws", origin.strip_prefix("http")?, "/api/v1/stream"].concat();
        let socket = WebSocket::new_with_str(&url, wire::STREAM_PROTOCOL).ok()?;
        let on_open = {
            let report = report.clone();
            Closure::<dyn FnMut()>::new(move || report(Report::Opened))
        };
        let on_message = {
            let report = report.clone();
            Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                report(Report::Frame(parse(&event.data())));
            })
        };
        let on_close =
            Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| report(Report::Closed(event.code())));
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Some(Stream { socket, _on_open: on_open, _on_message: on_message, _on_close: on_close })
    }

    pub(crate) fn send(&self, json: &str) {
        // Fails only where the socket is closing, which it reports by itself.
        let _ = self.socket.send_with_str(json);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        let _ = self.socket.close_with_code(1000);
    }
}

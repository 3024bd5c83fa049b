//! The event stream as a WebSocket, or as server-sent events by the chunk `events`. A socket's handlers are taken off before a socket is closed, because a socket goes on calling them while it
//! closes.
//!
//! web-sys rather than gloo-net: its WebSocket copies each frame into WebAssembly memory, from where it would have to be copied back for
//! the browser's `JSON.parse` (docs/adr/0002-json-and-browser-crates.md).

use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use super::chunks;
use super::document::{Js, parse};

/// What a socket reports.
pub(crate) enum Report {
    Opened,
    /// A parsed frame; `None` where it was no JSON.
    Frame(Option<Js>),
    Closed(u16),
}

/// An open or opening stream; closed when dropped.
pub(crate) enum Stream {
    Socket(Socket),
    Events(Events),
}

impl Stream {
    pub(crate) fn send(&self, json: &str) {
        match self {
            // Fails only where the socket is closing, which it reports by itself.
            Stream::Socket(Socket { socket, .. }) => drop(socket.send_with_str(json)),
            Stream::Events(Events { events, .. }) => events.send(json),
        }
    }
}

/// The path of the event stream, however it is carried.
const PATH: &str = "/api/v1/stream";

/// A WebSocket.
pub(crate) struct Socket {
    socket: WebSocket,
    _on_open: Closure<dyn FnMut()>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// Opens a socket to an `http` or `https` origin; `None` where the browser refuses at once (a bad URL, a content security policy).
    pub(crate) fn open(origin: &str, report: impl Fn(Report) + Clone + 'static) -> Option<Socket> {
        // `http…` becomes `ws…`.
        let url = ["ws", origin.strip_prefix("http")?, PATH].concat();
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
        Some(Socket { socket, _on_open: on_open, _on_message: on_message, _on_close: on_close })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        let _ = self.socket.close_with_code(1000);
    }
}

#[wasm_bindgen]
extern "C" {
    type EventsChunk;
    #[wasm_bindgen(method, catch)]
    fn open(this: &EventsChunk, url: &str, heard: &Function, ended: &Function) -> Result<RawEvents, JsValue>;

    type RawEvents;
    #[wasm_bindgen(method)]
    fn send(this: &RawEvents, json: &str);
    #[wasm_bindgen(method)]
    fn close(this: &RawEvents);
}

/// Server-sent events.
pub(crate) struct Events {
    events: RawEvents,
    _heard: Closure<dyn FnMut(JsValue)>,
    _ended: Closure<dyn FnMut()>,
}

impl Events {
    /// Opens nothing yet: the first frame that is sent does. `None` where the chunk cannot be loaded.
    pub(crate) async fn open(origin: String, report: impl Fn(Report) + Clone + 'static) -> Option<Events> {
        let chunk: EventsChunk = chunks::load("events").await?.unchecked_into();
        let heard = {
            let report = report.clone();
            Closure::<dyn FnMut(JsValue)>::new(move |frame: JsValue| {
                report(Report::Frame((!frame.is_undefined()).then_some(Js(frame))));
            })
        };
        let ended = Closure::<dyn FnMut()>::new(move || report(Report::Closed(1006)));
        let url = [&origin, PATH].concat();
        let events = chunk.open(&url, heard.as_ref().unchecked_ref(), ended.as_ref().unchecked_ref()).ok()?;
        Some(Events { events, _heard: heard, _ended: ended })
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.events.close();
    }
}

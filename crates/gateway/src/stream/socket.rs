//! A stream over a WebSocket.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use wire::STREAM_PROTOCOL;
use wire::stream::ClientFrame;

use super::{End, Line, MAX_CLIENT_FRAME, farewell, malformed};
use crate::App;
use crate::error::Error;

/// Bytes read from a socket at a time. Clients send little; the library's 128 KiB would be most of a stream's memory.
const READ_BUFFER: usize = 2 * 1024;
/// The close code of a stream that came to its end.
const NORMAL: u16 = 1000;
/// How long a closed socket waits for the other side's farewell, so that the last frame is not lost with the connection.
const FAREWELL: Duration = Duration::from_secs(1);

/// Answers a request for a WebSocket and runs `stream` on it, counted until it ends.
pub(super) fn upgrade<F, R>(
    app: &Arc<App>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    stream: F,
) -> Response
where
    F: FnOnce(Socket) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let Ok(upgrade) = upgrade else {
        return Error::invalid("This route speaks WebSocket only.").into_response();
    };
    let write_timeout = Duration::from_millis(app.config.stream.write_timeout_ms);
    let counted = app.tasks.token();
    upgrade
        .protocols([STREAM_PROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(MAX_CLIENT_FRAME)
        .max_frame_size(MAX_CLIENT_FRAME)
        .on_upgrade(move |socket| async move {
            stream(Socket { socket, write_timeout }).await;
            drop(counted);
        })
}

/// A WebSocket that speaks frames.
pub(super) struct Socket {
    socket: WebSocket,
    write_timeout: Duration,
}

impl Line for Socket {
    const IS_TWO_WAY: bool = true;

    async fn receive(&mut self) -> Result<Option<ClientFrame>, End> {
        self.receive_as().await
    }

    async fn send(&mut self, frame: Utf8Bytes) -> Result<(), End> {
        self.send_message(Message::Text(frame)).await
    }
}

impl Socket {
    /// The next frame of a kind; `None` for what only shows that the other side is alive.
    pub(super) async fn receive_as<F: DeserializeOwned>(&mut self) -> Result<Option<F>, End> {
        match self.socket.recv().await {
            Some(Ok(Message::Text(text))) => {
                serde_json::from_str(&text).map(Some).map_err(|_| malformed("A frame cannot be read."))
            }
            Some(Ok(Message::Binary(_))) => Err(malformed("Frames are text.")),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Err(error)) if is_too_large(&error) => Err(malformed("A frame is too large.")),
            Some(Ok(Message::Close(_)) | Err(_)) | None => Err(End::Gone),
        }
    }

    /// Sends what is no text.
    pub(super) async fn send_bytes(&mut self, bytes: Bytes) -> Result<(), End> {
        self.send_message(Message::Binary(bytes)).await
    }

    async fn send_message(&mut self, message: Message) -> Result<(), End> {
        match tokio::time::timeout(self.write_timeout, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }

    /// Closes what came to its end.
    pub(super) async fn close(self) {
        self.say_farewell(NORMAL).await;
    }

    /// Says why, closes, and waits a moment for the farewell.
    pub(super) async fn finish(mut self, app: &App, end: End) {
        let Some((frame, code)) = farewell(app, end) else { return };
        if self.send_frame(&frame).await.is_ok() {
            self.say_farewell(code).await;
        }
    }

    async fn say_farewell(mut self, code: u16) {
        let farewell = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static("") }));
        if !matches!(tokio::time::timeout(FAREWELL, self.socket.send(farewell)).await, Ok(Ok(()))) {
            return;
        }
        let answered = async { while let Some(Ok(_)) = self.socket.recv().await {} };
        drop(tokio::time::timeout(FAREWELL, answered).await);
    }
}

/// Whether a frame was refused for its size, which only the text of the wrapped error tells.
fn is_too_large(error: &axum::Error) -> bool {
    let text = error.to_string();
    text.contains("too long") || text.contains("too big") || text.contains("Space limit")
}

//! Event streams over WebSockets: one task per socket. A socket is joined to a chat ([`end_user`], [`desk`]) and then carries frames both
//! ways ([`conversation`]); nothing is queued for a slow reader but its one delivery.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use wire::stream::{ClientFrame, ServerFrame};
use wire::{ErrorCode, STREAM_PROTOCOL, close};

use crate::App;
use crate::error::Error;

mod conversation;
pub(crate) mod desk;
pub(crate) mod end_user;
mod pulse;

/// Bytes read from a socket at a time. Clients send little; the library's 128 KiB would be most of a stream's memory.
const READ_BUFFER: usize = 2 * 1024;
/// The largest frame of a client: a `join` with its token.
const MAX_CLIENT_FRAME: usize = 8 * 1024;
/// How long a closed socket waits for the other side's farewell, so that the last frame is not lost with the connection.
const FAREWELL: Duration = Duration::from_secs(1);

/// Answers a request for a WebSocket and runs `stream` on it, counted until it ends.
fn upgrade<F, R>(app: &Arc<App>, upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>, stream: F) -> Response
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

/// Why a stream ends.
enum End {
    /// The other side is gone: nothing can be said.
    Gone,
    /// The gateway shuts down.
    Closing,
    /// The gateway turns it away.
    Refused(Error),
    /// Nothing was heard for too long.
    Silent,
}

impl From<Error> for End {
    fn from(error: Error) -> End {
        End::Refused(error)
    }
}

fn malformed(message: &'static str) -> End {
    End::Refused(Error::new(ErrorCode::Protocol, message))
}

/// A WebSocket that speaks frames.
struct Socket {
    socket: WebSocket,
    write_timeout: Duration,
}

impl Socket {
    /// The next frame of the client; `None` for what only shows that it is alive.
    async fn receive(&mut self) -> Result<Option<ClientFrame>, End> {
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

    /// Sends a frame; a reader that does not take it in time is cut.
    async fn send(&mut self, frame: Utf8Bytes) -> Result<(), End> {
        match tokio::time::timeout(self.write_timeout, self.socket.send(Message::Text(frame))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }

    async fn send_frame(&mut self, frame: &ServerFrame) -> Result<(), End> {
        let text = serde_json::to_string(frame).map_err(|_| End::Gone)?;
        self.send(text.into()).await
    }

    /// Says why, closes, and waits a moment for the farewell.
    async fn finish(mut self, app: &App, end: End) {
        let (frame, code) = match end {
            End::Gone => return,
            End::Closing => {
                let frame = ServerFrame::Closing { retry_after_ms: app.config.shutdown.retry_after_ms };
                (frame, close::UNAVAILABLE)
            }
            End::Refused(error) => (error_frame(&error), close_code(error.code)),
            End::Silent => {
                (error_frame(&Error::new(ErrorCode::Timeout, "Nothing was heard for too long.")), close::SILENT)
            }
        };
        tracing::debug!(close = code, "a stream is closed");
        let said = self.send_frame(&frame).await;
        let farewell = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static("") }));
        if said.is_err() || !matches!(tokio::time::timeout(FAREWELL, self.socket.send(farewell)).await, Ok(Ok(()))) {
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

fn error_frame(error: &Error) -> ServerFrame {
    ServerFrame::Error {
        code: error.code.as_str().to_owned(),
        message: error.message.to_owned(),
        retry_after_ms: error.retry_after_ms,
    }
}

/// The close code that goes with an error (`docs/protocol.md`).
fn close_code(code: ErrorCode) -> u16 {
    match code {
        ErrorCode::Unauthorized | ErrorCode::TokenExpired | ErrorCode::TokenInvalid => close::UNAUTHORIZED,
        ErrorCode::Forbidden | ErrorCode::OriginForbidden => close::FORBIDDEN,
        ErrorCode::NotFound => close::NOT_FOUND,
        ErrorCode::RateLimited => close::RATE_LIMITED,
        ErrorCode::Protocol | ErrorCode::InvalidArgument => close::MALFORMED,
        ErrorCode::Timeout => close::SILENT,
        _ => close::UNAVAILABLE,
    }
}

//! Event streams: one task each. A stream is a [`Line`], which is a WebSocket ([`socket`]) or an answer of server-sent events ([`events`]);
//! it is joined to a chat ([`end_user`], [`desk`]) and then carries frames ([`conversation`]). Nothing is queued for a slow reader but its
//! one delivery.

use std::future::Future;

use axum::extract::ws::Utf8Bytes;
use wire::stream::{ClientFrame, ServerFrame};
use wire::{ErrorCode, close};

use crate::App;
use crate::error::Error;

mod conversation;
pub(crate) mod desk;
pub(crate) mod end_user;
mod events;
mod pulse;
pub(crate) mod screen_share;
mod socket;

/// The largest frame of a client: a `join` with its token.
const MAX_CLIENT_FRAME: usize = 8 * 1024;

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

/// What a stream's frames travel on.
trait Line: Send {
    /// Whether the client can speak on it too.
    const IS_TWO_WAY: bool;

    /// The next frame of the client; `None` for what only shows that it is alive.
    fn receive(&mut self) -> impl Future<Output = Result<Option<ClientFrame>, End>> + Send;

    /// Sends a frame, which is underway when this returns; a reader that does not take it in time is cut.
    fn send(&mut self, frame: Utf8Bytes) -> impl Future<Output = Result<(), End>> + Send;

    /// Sends a frame of the protocol.
    fn send_frame(&mut self, frame: &ServerFrame) -> impl Future<Output = Result<(), End>> + Send {
        let text = serde_json::to_string(frame);
        async { self.send(text.map_err(|_| End::Gone)?.into()).await }
    }
}

/// What is said last, with the close code that goes with it; nothing where nobody is there.
fn farewell(app: &App, end: End) -> Option<(ServerFrame, u16)> {
    let said = match end {
        End::Gone => return None,
        End::Closing => {
            (ServerFrame::Closing { retry_after_ms: app.config.shutdown.retry_after_ms }, close::UNAVAILABLE)
        }
        End::Refused(error) => (error_frame(&error), close_code(error.code)),
        End::Silent => (error_frame(&Error::new(ErrorCode::Timeout, "Nothing was heard for too long.")), close::SILENT),
    };
    tracing::debug!(close = said.1, "a stream is closed");
    Some(said)
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

//! A stream as an answer of server-sent events, for clients whose network blocks WebSockets. It goes one way: frames to the client.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::ws::Utf8Bytes;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream::unfold;
use tokio::sync::mpsc;
use wire::ErrorCode;
use wire::stream::ClientFrame;

use super::{End, Line, MAX_CLIENT_FRAME, farewell, malformed};
use crate::App;
use crate::error::Error;

/// The gateway's end of an answer that goes on.
pub(super) struct Events {
    frames: mpsc::Sender<Bytes>,
    write_timeout: Duration,
}

impl Events {
    /// An answer, and what fills it. The answer ends when the other one is dropped.
    pub(super) fn start(app: &App) -> (Events, Response) {
        // One place, so that a frame counts as sent when the connection asked for it.
        let (frames, queue) = mpsc::channel::<Bytes>(1);
        let queue = unfold(queue, |mut queue| async { Some((queue.recv().await?, queue)) });
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            // Proxies that gather an answer before they pass it on are asked not to.
            (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
        ];
        let body = Body::from_stream(queue.map(Ok::<Bytes, Infallible>));
        let write_timeout = Duration::from_millis(app.config.stream.write_timeout_ms);
        (Events { frames, write_timeout }, (headers, body).into_response())
    }

    /// Says why, and ends the answer.
    pub(super) async fn finish(mut self, app: &App, end: End) {
        if let Some((frame, _)) = farewell(app, end) {
            // Nobody hears it where this fails.
            drop(self.send_frame(&frame).await);
        }
    }
}

impl Line for Events {
    const IS_TWO_WAY: bool = false;

    /// The client cannot speak: this waits until it is gone.
    async fn receive(&mut self) -> Result<Option<ClientFrame>, End> {
        self.frames.closed().await;
        Err(End::Gone)
    }

    async fn send(&mut self, frame: Utf8Bytes) -> Result<(), End> {
        // A frame is JSON in one line.
        let event = Bytes::from(format!("data: {}\n\n", frame.as_str()));
        let taken = async {
            self.frames.send(event).await.map_err(|_| End::Gone)?;
            // The place is free again when the connection took the frame.
            self.frames.reserve().await.map(drop).map_err(|_| End::Gone)
        };
        tokio::time::timeout(self.write_timeout, taken).await.unwrap_or(Err(End::Gone))
    }
}

/// Reads the one frame that a client says, which is the request's body, within its time.
pub(super) async fn first_frame(app: &App, body: Body) -> Result<ClientFrame, End> {
    let patience = Duration::from_millis(app.config.stream.join_timeout_ms);
    let read = tokio::time::timeout(patience, axum::body::to_bytes(body, MAX_CLIENT_FRAME)).await;
    let bytes = read.map_err(|_| End::Silent)?.map_err(|_| malformed("The frame is cut off or too large."))?;
    serde_json::from_slice(&bytes).map_err(|_| Error::new(ErrorCode::Protocol, "The frame cannot be read.").into())
}

//! A stream that is in a chat: frames of the chat's task to the reader, `typing`, `ping` and `pong` back, and the heartbeat between.

use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use engine::gateway::Actor;
use tokio::time::Instant;
use wire::ErrorCode;
use wire::stream::{ClientFrame, ServerFrame};

use super::pulse::{Due, Pulse};
use super::{End, Line, malformed};
use crate::App;
use crate::chats::{Link, ToStream};
use crate::clock::now_ms;
use crate::error::Error;

/// Frames of a client per second: typing and pongs need a few.
const MAX_FRAMES_PER_SECOND: u32 = 30;

/// Who reads which chat, from where, and for how long.
pub(super) struct Reader {
    pub(super) actor: Actor,
    pub(super) chat_id: u64,
    pub(super) cursor: u64,
    pub(super) expires_at_ms: u64,
}

/// Reads the first frame, within its time.
pub(super) async fn first_frame(app: &App, line: &mut impl Line) -> Result<ClientFrame, End> {
    let first = async {
        loop {
            if let Some(frame) = line.receive().await? {
                return Ok(frame);
            }
        }
    };
    let patience = Duration::from_millis(app.config.stream.join_timeout_ms);
    tokio::select! {
        first = tokio::time::timeout(patience, first) => first.unwrap_or(Err(End::Silent)),
        () = app.shutdown.cancelled() => Err(End::Closing),
    }
}

/// Carries the conversation until it ends.
pub(super) async fn carry<L: Line>(app: &App, line: &mut L, reader: &Reader) -> Result<(), End> {
    let (mut link, joined) = app.chats.join(reader.chat_id, reader.actor, reader.cursor).await?;
    let lifetime_ms = reader.expires_at_ms.saturating_sub(now_ms()).saturating_add(app.config.stream.expiry_grace_ms);
    let expires = Instant::now().checked_add(Duration::from_millis(lifetime_ms));
    let mut pulse = Pulse::new(app.config.stream.heartbeat_ms, expires, L::IS_TWO_WAY);
    let mut budget = Budget::new(MAX_FRAMES_PER_SECOND);
    line.send(joined).await?;
    loop {
        let (at, due) = pulse.next();
        tokio::select! {
            frame = link.next() => {
                deliver(line, &link, frame).await?;
                pulse.sent();
            }
            frame = line.receive() => {
                let frame = frame?;
                pulse.heard();
                budget.spend()?;
                if let Some(answer) = take(&link, frame).await? {
                    line.send_frame(&answer).await?;
                    pulse.sent();
                }
            }
            () = tokio::time::sleep_until(at) => match due {
                Due::Ping => {
                    line.send_frame(&ServerFrame::Ping).await?;
                    pulse.asked();
                }
                Due::Silent => return Err(End::Silent),
                Due::Expired => return Err(Error::of(ErrorCode::Unauthorized).into()),
            },
            () = app.shutdown.cancelled() => return Err(End::Closing),
        }
    }
}

async fn deliver(line: &mut impl Line, link: &Link, frame: Option<ToStream>) -> Result<(), End> {
    match frame {
        Some(ToStream::Delivery(frame)) => {
            line.send(frame).await?;
            link.delivered().await;
            Ok(())
        }
        Some(ToStream::Typing(frame) | ToStream::Joined(frame)) => line.send(frame).await,
        Some(ToStream::Refused(code)) => Err(Error::of(code).into()),
        // The chat's task ended: the reader comes back with its cursor.
        None => Err(Error::of(ErrorCode::Unavailable).into()),
    }
}

/// Acts on what the client said, and gives the answer where there is one.
async fn take(link: &Link, frame: Option<ClientFrame>) -> Result<Option<ServerFrame>, End> {
    match frame {
        Some(ClientFrame::Typing { typing }) => link.typing(typing).await,
        Some(ClientFrame::Preview { content }) => link.preview(content).await,
        Some(ClientFrame::Visibility { visible }) => link.visibility(visible).await,
        Some(ClientFrame::Join { .. }) => return Err(malformed("A stream joins once.")),
        Some(ClientFrame::Ping) => return Ok(Some(ServerFrame::Pong)),
        Some(ClientFrame::Pong | ClientFrame::Unknown) | None => {}
    }
    Ok(None)
}

/// What a client may say in a second.
pub(super) struct Budget {
    most: u32,
    since: Instant,
    spent: u32,
}

impl Budget {
    pub(super) fn new(most: u32) -> Budget {
        Budget { most, since: Instant::now(), spent: 0 }
    }

    pub(super) fn spend(&mut self) -> Result<(), End> {
        if self.since.elapsed() >= Duration::from_secs(1) {
            *self = Budget::new(self.most);
        }
        self.spent += 1;
        if self.spent > self.most { Err(Error::of(ErrorCode::RateLimited).into()) } else { Ok(()) }
    }
}

/// The text of a frame that is made for one reader.
pub(super) fn text_of<T: serde::Serialize>(value: &T) -> Result<Utf8Bytes, End> {
    serde_json::to_string(value).map(Utf8Bytes::from).map_err(|_| Error::of(ErrorCode::Internal).into())
}

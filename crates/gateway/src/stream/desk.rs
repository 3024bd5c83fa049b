//! The desk's streams: the list of chats, which also says that an agent is on duty, and the conversation of one chat. Authorised by the
//! cookie, and by an Origin check, because browsers send cookies with WebSockets of any page.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::HeaderMap;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use engine::gateway::Actor;
use serde::Serialize;
use tokio::time::Instant;
use wire::ErrorCode;
use wire::stream::{ClientFrame, ServerFrame};

use super::conversation::{Reader, carry, first_frame, text_of};
use super::pulse::{Due, Pulse};
use super::socket::{Socket, upgrade};
use super::{End, Line, malformed};
use crate::clock::now_ms;
use crate::error::Error;
use crate::http::calls::{DeskCall, open_calls};
use crate::http::desk::{DeskChats, desk_chats, guard};
use crate::http::limits::{StreamCounts, StreamOwner};
use crate::http::session::{AgentSession, agent_session};
use crate::http::{PathOf, Peer, origin};
use crate::{App, Shared};

/// The least time between two lists: what changes meanwhile shares the next one.
const LIST_PAUSE: Duration = Duration::from_millis(100);

pub(crate) fn routes(app: &Arc<App>) -> Router<Shared> {
    Router::new()
        .route("/desk/api/v1/stream", get(open_list))
        .route("/desk/api/v1/chats/{chat_id}/stream", get(open_chat))
        .layer(from_fn_with_state(Arc::clone(app), guard))
}

/// The frame of the list.
#[derive(Serialize)]
#[serde(tag = "type", rename = "chats")]
struct ChatsFrame {
    #[serde(flatten)]
    chats: DeskChats,
}

/// The frame of the calls that are not over, sent where they changed.
#[derive(Serialize)]
#[serde(tag = "type", rename = "calls")]
struct CallsFrame {
    open: Vec<DeskCall>,
}

pub(super) async fn authorised(app: &App, headers: &HeaderMap) -> Result<AgentSession, End> {
    origin::check_own(app, headers)?;
    Ok(agent_session(app, headers).await?)
}

async fn open_list(
    State(app): State<Shared>,
    Peer(address): Peer,
    headers: HeaderMap,
    socket: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let place = StreamCounts::take(&app, StreamOwner::address(address), app.config.limits.streams_per_address);
    upgrade(&Arc::clone(&app), socket, |mut socket| async move {
        let end = async {
            let _place = place?;
            let session = authorised(&app, &headers).await?;
            list(&app, &mut socket, &session).await
        };
        if let Err(end) = end.await {
            socket.finish(&app, end).await;
        }
    })
}

/// An agent who is on duty until this is dropped.
struct OnDuty<'a>(&'a App, u64);

impl Drop for OnDuty<'_> {
    fn drop(&mut self) {
        self.0.platform.duty.end(self.1);
        // How long customers wait depends on it.
        self.0.bus.publish_chats_changed();
    }
}

async fn list(app: &App, socket: &mut Socket, session: &AgentSession) -> Result<(), End> {
    let mut hints = app.bus.subscribe();
    app.platform.duty.begin(session.agent.id);
    let _on_duty = OnDuty(app, session.agent.id);
    app.bus.publish_chats_changed();
    let lifetime = Duration::from_millis(session.expires_at_ms.saturating_sub(now_ms()));
    let mut pulse =
        Pulse::new(app.config.stream.heartbeat_ms, Instant::now().checked_add(lifetime), Socket::IS_TWO_WAY);
    // When to look again; a lost hint delays the list by a heartbeat.
    let mut look = Some(Instant::now());
    let mut looked = Instant::now();
    let mut told = None;
    loop {
        let (at, due) = pulse.next();
        tokio::select! {
            () = tokio::time::sleep_until(look.unwrap_or(at)), if look.is_some() => {
                look = None;
                let chats = desk_chats(app, &session.agent).await?;
                socket.send(text_of(&ChatsFrame { chats })?).await?;
                let open = open_calls(app, &session.agent).await?;
                if told.as_ref() != Some(&open) {
                    socket.send(text_of(&CallsFrame { open: open.clone() })?).await?;
                    told = Some(open);
                }
                pulse.sent();
                looked = Instant::now();
            }
            more = hints.changed() => {
                if !more {
                    return Err(Error::of(ErrorCode::Unavailable).into());
                }
                look = look.or(Some(looked + LIST_PAUSE));
            }
            frame = socket.receive() => {
                let frame = frame?;
                pulse.heard();
                if matches!(frame, Some(ClientFrame::Ping)) {
                    socket.send_frame(&ServerFrame::Pong).await?;
                    pulse.sent();
                }
            }
            () = tokio::time::sleep_until(at) => match due {
                Due::Ping => {
                    socket.send_frame(&ServerFrame::Ping).await?;
                    pulse.asked();
                    look = look.or(Some(Instant::now()));
                }
                Due::Silent => return Err(End::Silent),
                Due::Expired => return Err(Error::of(ErrorCode::Unauthorized).into()),
            },
            () = app.shutdown.cancelled() => return Err(End::Closing),
        }
    }
}

async fn open_chat(
    State(app): State<Shared>,
    Peer(address): Peer,
    PathOf(chat_id): PathOf<u64>,
    headers: HeaderMap,
    socket: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let place = StreamCounts::take(&app, StreamOwner::address(address), app.config.limits.streams_per_address);
    upgrade(&Arc::clone(&app), socket, move |mut socket| async move {
        let end = async {
            let _place = place?;
            let session = authorised(&app, &headers).await?;
            let ClientFrame::Join { cursor, .. } = first_frame(&app, &mut socket).await? else {
                return Err(malformed("The first frame must be `join`."));
            };
            let actor = Actor::Agent(session.agent.id);
            carry(&app, &mut socket, &Reader { actor, chat_id, cursor, expires_at_ms: session.expires_at_ms }).await
        };
        if let Err(end) = end.await {
            socket.finish(&app, end).await;
        }
    })
}

//! The stream on which an agent looks at a customer's page: how the share stands, batches of the recording as they came, and back what the agent
//! points at. Only the agent who has the chat gets it, and it is closed at once when the share is over or the agent is another one.

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
use tokio::time::Instant;
use wire::ErrorCode;
use wire::rest::ShareSignal;
use wire::stream::{ScreenFrame, ServerFrame, ViewerFrame};

use super::conversation::{Budget, text_of};
use super::desk::authorised;
use super::pulse::{Due, Pulse};
use super::socket::{Socket, upgrade};
use super::{End, Line, malformed};
use crate::clock::now_ms;
use crate::error::Error;
use crate::http::desk::{guard, visible_chat};
use crate::http::limits::{StreamCounts, StreamOwner};
use crate::http::session::AgentSession;
use crate::http::{PathOf, Peer};
use crate::screen::{Gone, Standing, View};
use crate::{App, Shared};

/// Frames of a desk per second: an agent's pointer moves with each picture.
const MAX_FRAMES_PER_SECOND: u32 = 200;
/// How often to look whether the customer's page is still heard.
const PAGE_LOOK: Duration = Duration::from_secs(1);

pub(crate) fn routes(app: &Arc<App>) -> Router<Shared> {
    Router::new()
        .route("/desk/api/v1/chats/{chat_id}/screen_share/stream", get(open))
        .layer(from_fn_with_state(Arc::clone(app), guard))
}

async fn open(
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
            first_frame(&app, &mut socket).await?;
            let mut view = view(&app, &session, chat_id).await?;
            show(&app, &mut socket, &session, &mut view).await
        };
        match end.await {
            Ok(()) => socket.close().await,
            Err(end) => socket.finish(&app, end).await,
        }
    })
}

/// Reads `join`, within its time.
async fn first_frame(app: &App, socket: &mut Socket) -> Result<(), End> {
    let first = async {
        loop {
            match socket.receive_as::<ViewerFrame>().await? {
                Some(ViewerFrame::Join) => return Ok(()),
                Some(_) => return Err(malformed("The first frame must be `join`.")),
                None => {}
            }
        }
    };
    let patience = Duration::from_millis(app.config.stream.join_timeout_ms);
    tokio::select! {
        first = tokio::time::timeout(patience, first) => first.unwrap_or(Err(End::Silent)),
        () = app.shutdown.cancelled() => Err(End::Closing),
    }
}

async fn view(app: &App, session: &AgentSession, chat_id: u64) -> Result<View, Error> {
    let record = visible_chat(app, &session.agent, chat_id).await?;
    if record.state.agent_id != Some(session.agent.id) {
        return Err(Error::of(ErrorCode::Forbidden));
    }
    let screen = match app.screens.get(chat_id) {
        Some(screen) => Some(screen),
        None if record.state.open_share().is_some() => app.chats.screen(chat_id).await?,
        None => None,
    };
    let none = || Error::new(ErrorCode::NotFound, "No screen is shared in this chat.");
    screen.ok_or_else(none)?.view(session.agent.id)
}

/// Carries the share until it is over.
async fn show(app: &App, socket: &mut Socket, session: &AgentSession, view: &mut View) -> Result<(), End> {
    let lifetime = Duration::from_millis(session.expires_at_ms.saturating_sub(now_ms()));
    let mut pulse =
        Pulse::new(app.config.stream.heartbeat_ms, Instant::now().checked_add(lifetime), Socket::IS_TWO_WAY);
    let mut budget = Budget::new(MAX_FRAMES_PER_SECOND);
    let mut told = None;
    loop {
        let standing = view.standing();
        let gone = standing.gone;
        if told.as_ref() != Some(&standing) {
            tell(socket, &standing).await?;
            pulse.sent();
            told = Some(standing);
        }
        match gone {
            Some(Gone::Over) => return Ok(()),
            Some(Gone::Lost) => return Err(Error::of(ErrorCode::Unavailable).into()),
            None => {}
        }
        if let Some(batch) = view.take() {
            // What is no longer to be seen is not waited for, however slow the reader.
            let sent = tokio::select! {
                sent = socket.send_bytes(batch) => Some(sent),
                () = view.gone() => None,
                () = app.shutdown.cancelled() => None,
            };
            match sent {
                Some(sent) => sent?,
                // In the middle of a frame nothing else can be said.
                None => return Err(End::Gone),
            }
            pulse.sent();
        }
        let (at, due) = pulse.next();
        tokio::select! {
            biased;
            () = app.shutdown.cancelled() => return Err(End::Closing),
            frame = socket.receive_as::<ViewerFrame>() => {
                let frame = frame?;
                pulse.heard();
                budget.spend()?;
                if take(view, frame)? {
                    socket.send_frame(&ServerFrame::Pong).await?;
                    pulse.sent();
                }
            }
            () = tokio::time::sleep_until(at) => match due {
                Due::Ping => {
                    socket.send_frame(&ServerFrame::Ping).await?;
                    pulse.asked();
                }
                Due::Silent => return Err(End::Silent),
                Due::Expired => return Err(Error::of(ErrorCode::Unauthorized).into()),
            },
            () = view.changed() => {}
            () = std::future::ready(()), if view.has_batch() => {}
            () = tokio::time::sleep(PAGE_LOOK) => {}
        }
    }
}

async fn tell(socket: &mut Socket, standing: &Standing) -> Result<(), End> {
    let page = if standing.is_here { "here" } else { "away" };
    let frame = ScreenFrame::Share { share: standing.share.clone(), page: page.to_owned() };
    socket.send(text_of(&frame)?).await
}

/// Acts on what the desk said; whether an answer is due.
fn take(view: &View, frame: Option<ViewerFrame>) -> Result<bool, End> {
    match frame {
        Some(ViewerFrame::Pointer { x, y, down }) => view.point(ShareSignal::Pointer { x, y, down }),
        Some(ViewerFrame::PointerLeft) => view.point(ShareSignal::PointerLeft),
        Some(ViewerFrame::Resync) => view.resync(),
        Some(ViewerFrame::Join) => return Err(malformed("A stream joins once.")),
        Some(ViewerFrame::Ping) => return Ok(true),
        Some(ViewerFrame::Pong | ViewerFrame::Unknown) | None => {}
    }
    Ok(false)
}

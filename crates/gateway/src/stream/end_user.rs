//! The end user's event stream, over a WebSocket or as server-sent events. Browsers hide HTTP errors of WebSockets, so everything that can
//! be refused is refused on the open stream, by a typed `error` frame, and with WebSockets a close code.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use engine::gateway::Actor;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::stream::ClientFrame;

use super::conversation::{Reader, carry, first_frame};
use super::events::{self, Events};
use super::socket::upgrade;
use super::{End, Line, malformed};
use crate::clock::now_ms;
use crate::error::Error;
use crate::http::limits::{StreamCounts, StreamOwner};
use crate::http::{Peer, origin};
use crate::{App, Shared};

/// The frame `join` of a stream.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only described: it is read as a frame")]
struct StreamRequest {
    /// `join`.
    r#type: String,
    /// The session token.
    token: String,
    /// The chat.
    chat_id: u64,
    /// The index of the last message the client has, 0 for none.
    cursor: u64,
}

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(open_events))
}

/// `GET /api/v1/stream`
pub(crate) async fn open(
    State(app): State<Shared>,
    Peer(address): Peer,
    headers: HeaderMap,
    socket: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if !app.config.stream.websocket {
        return Error::new(ErrorCode::Unsupported, "WebSockets are turned off here.").into_response();
    }
    let place = StreamCounts::take(&app, StreamOwner::address(address), app.config.limits.streams_per_address);
    upgrade(&Arc::clone(&app), socket, |mut socket| async move {
        let run = async {
            let _place = place?;
            let first = first_frame(&app, &mut socket).await?;
            run(&app, &mut socket, headers, first).await
        };
        if let Err(end) = run.await {
            socket.finish(&app, end).await;
        }
    })
}

/// The event stream as server-sent events, for networks that block WebSockets. The frames are the same, one per event; a refusal is an
/// `error` frame too.
#[utoipa::path(
    post, path = "/api/v1/stream", tag = "end user", request_body = StreamRequest,
    responses((status = 200, body = String, content_type = "text/event-stream", description = "Frames of docs/protocol.md, each as the data of one event"))
)]
pub(crate) async fn open_events(
    State(app): State<Shared>,
    Peer(address): Peer,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let place = async {
        app.limits.check_address(address)?;
        let place = StreamCounts::take(&app, StreamOwner::address(address), app.config.limits.streams_per_address)?;
        Ok((place, events::first_frame(&app, body).await?))
    };
    let place: Result<_, End> = place.await;
    let (mut events, response) = Events::start(&app);
    let counted = app.tasks.token();
    tokio::spawn(async move {
        let run = async {
            let (_place, first) = place?;
            run(&app, &mut events, headers, first).await
        };
        if let Err(end) = run.await {
            events.finish(&app, end).await;
        }
        drop(counted);
    });
    response
}

async fn run(app: &Arc<App>, line: &mut impl Line, headers: HeaderMap, first: ClientFrame) -> Result<(), End> {
    let ClientFrame::Join { token, chat_id, cursor } = first else {
        return Err(malformed("The first frame must be `join`."));
    };
    let (Some(token), Some(chat_id)) = (token, chat_id) else {
        return Err(malformed("`join` needs `token` and `chat_id`."));
    };
    let session = app.tokens.verify(&token, now_ms())?;
    let company = app.platform.company(&session.company_id).ok_or_else(|| Error::of(ErrorCode::Unauthorized))?;
    origin::check_company(app, &company.settings, &headers)?;
    app.limits.check_end_user(session.end_user_id)?;
    let most = app.config.limits.streams_per_end_user;
    let _own_place = StreamCounts::take(app, StreamOwner::EndUser(session.end_user_id), most)?;
    // The stream lives long: what only the beginning needed goes.
    drop((token, headers));
    let actor = Actor::EndUser(session.end_user_id);
    carry(app, line, &Reader { actor, chat_id, cursor, expires_at_ms: session.expires_at_ms }).await
}

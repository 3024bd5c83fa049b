//! The end user's event stream. Browsers hide HTTP errors of WebSockets, so everything that can be refused is refused on the open socket,
//! by a typed `error` frame and a close code.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::HeaderMap;
use axum::response::Response;
use engine::gateway::Actor;
use wire::ErrorCode;
use wire::stream::ClientFrame;

use super::conversation::{Reader, carry, first_frame};
use super::{End, Socket, malformed, upgrade};
use crate::clock::now_ms;
use crate::error::Error;
use crate::http::limits::{StreamCounts, StreamOwner};
use crate::http::{Peer, origin};
use crate::{App, Shared};

/// `GET /api/v1/stream`
pub(crate) async fn open(
    State(app): State<Shared>,
    Peer(address): Peer,
    headers: HeaderMap,
    socket: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let place = StreamCounts::take(&app, StreamOwner::address(address), app.config.limits.streams_per_address);
    upgrade(&Arc::clone(&app), socket, |mut socket| async move {
        let end = run(&app, &mut socket, headers, place).await;
        if let Err(end) = end {
            socket.finish(&app, end).await;
        }
    })
}

async fn run<P>(app: &Arc<App>, socket: &mut Socket, headers: HeaderMap, place: Result<P, Error>) -> Result<(), End> {
    let _place = place?;
    let first = first_frame(app, socket).await?;
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
    carry(app, socket, &Reader { actor, chat_id, cursor, expires_at_ms: session.expires_at_ms }).await
}

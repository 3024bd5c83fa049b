//! What an end user's pages report about a chat: recorded, and shown to its agents. An event changes nothing about the chat but the name
//! that its agents read.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::rest::EndUserEvent;

use super::desk::visible_chat;
use super::end_user::own_chat;
use super::request::{Body, PathOf};
use super::session::{AgentSession, EndUserSession};
use crate::Shared;
use crate::clock::now_ms;
use crate::error::Error;
use crate::message;
use crate::store::ChatEvent;

/// Events of one chat.
const MAX_EVENTS: u64 = 500;
/// Longest name of an event.
const MAX_NAME_BYTES: usize = 64;
/// Longest name of an end user.
const MAX_END_USER_NAME_BYTES: usize = 320;
/// The name of an event that has none.
const UNNAMED: &str = "end_user_event";

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(report))
}

/// The desk's part of them, behind the desk's guard.
pub(super) fn desk_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(events))
}

/// Report an event of the end user's page.
#[utoipa::path(
    post, path = "/api/v1/chats/{chat_id}/events", tag = "end user", request_body = EndUserEvent, security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 204))
)]
async fn report(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    Body(EndUserEvent { name, end_user_name, other }): Body<EndUserEvent>,
) -> Result<StatusCode, Error> {
    let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| UNNAMED.to_owned());
    let renamed = end_user_name.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    if name.len() > MAX_NAME_BYTES || renamed.as_ref().is_some_and(|name| name.len() > MAX_END_USER_NAME_BYTES) {
        return Err(Error::too_large());
    }
    let mut data = other;
    if let Some(end_user_name) = end_user_name {
        data.insert("end_user_name".to_owned(), end_user_name.into());
    }
    message::check_data(&data, &app.config.limits)?;
    own_chat(&app, &session, chat_id).await?;
    let event = ChatEvent { at_ms: now_ms(), name, data };
    if !app.store.record_event(chat_id, event, renamed.clone(), MAX_EVENTS).await? {
        return Err(Error::new(ErrorCode::Conflict, "This chat has as many events as it may have."));
    }
    if let Some(name) = renamed {
        app.chats.rename_end_user(chat_id, name).await;
    }
    app.bus.publish_chats_changed();
    Ok(StatusCode::NO_CONTENT)
}

/// An event as the desk shows it.
#[derive(Serialize, ToSchema)]
struct DeskEvent {
    /// When it was reported.
    at_ms: u64,
    /// What happened, in the site's words; `end_user_event` where it has none.
    name: String,
    /// What goes with it.
    #[schema(value_type = Object)]
    data: Map<String, Value>,
}

/// An escalation as the desk shows it.
#[derive(Serialize, ToSchema)]
struct DeskEscalation {
    /// Its number: the index of the notice that says what became of it.
    id: u64,
    /// When it was made.
    at_ms: u64,
    /// Why; `null` where nobody said.
    reason: Option<String>,
    /// Where the end user went after a deflection; `null` where nothing was chosen.
    deflection_channel: Option<String>,
    /// What else the site sent.
    #[schema(value_type = Object)]
    data: Map<String, Value>,
}

/// What an end user did in a chat besides writing.
#[derive(Serialize, ToSchema)]
struct DeskEvents {
    /// What the end user's pages reported, oldest first.
    events: Vec<DeskEvent>,
    /// When and why a person was asked for, oldest first.
    escalations: Vec<DeskEscalation>,
}

/// What the end user's pages reported, and why a person was asked for.
#[utoipa::path(
    get, path = "/desk/api/v1/chats/{chat_id}/events", tag = "desk", security(("desk" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 200, body = DeskEvents))
)]
async fn events(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf(chat_id): PathOf<u64>,
) -> Result<Json<DeskEvents>, Error> {
    visible_chat(&app, &session.agent, chat_id).await?;
    let events = app.store.events(chat_id, MAX_EVENTS).await?;
    let shown = events.into_iter().map(|ChatEvent { at_ms, name, data }| DeskEvent { at_ms, name, data });
    let escalations = app.store.escalations(chat_id, MAX_EVENTS).await?.into_iter().map(|known| DeskEscalation {
        id: known.escalation_id,
        at_ms: known.at_ms,
        reason: known.reason,
        deflection_channel: known.channel,
        data: known.request,
    });
    Ok(Json(DeskEvents { events: shown.collect(), escalations: escalations.collect() }))
}

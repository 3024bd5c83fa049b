//! What an end user says while waiting (`docs/protocol.md`, "Check-in"): that the prompt is shown, that they are there, that they come back, and
//! whether they see the page. Whether that is possible is the chat's to say.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use engine::gateway::{Actor, CheckInAnswer, Command, Status};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::rest::{ChatBody, CheckInRequest, RejoinRequest, VisibilityRequest};

use super::end_user::{change, own_chat};
use super::request::{Body, PathOf};
use super::session::EndUserSession;
use crate::Shared;
use crate::clock::now_ms;
use crate::error::Error;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(check_in)).routes(routes!(rejoin)).routes(routes!(visibility))
}

/// Answer to a check-in: the prompt is shown, or the end user is there.
#[utoipa::path(
    post, path = "/api/v1/chats/{chat_id}/check_in", tag = "end user", request_body = CheckInRequest, security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 200, body = ChatBody))
)]
async fn check_in(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    Body(request): Body<CheckInRequest>,
) -> Result<Json<ChatBody>, Error> {
    let answer = match request.state.as_str() {
        "notified" => CheckInAnswer::Notified,
        "confirmed" => CheckInAnswer::Confirmed,
        _ => return Err(Error::invalid("`state` of a check-in is `notified` or `confirmed`.")),
    };
    change(&app, &session, chat_id, Command::CheckIn(answer)).await
}

/// Return to the queue after a missed check-in.
#[utoipa::path(
    post, path = "/api/v1/chats/{chat_id}/rejoin", tag = "end user", request_body = RejoinRequest, security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 200, body = ChatBody))
)]
async fn rejoin(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    Body(RejoinRequest {}): Body<RejoinRequest>,
) -> Result<Json<ChatBody>, Error> {
    let record = own_chat(&app, &session, chat_id).await?;
    if record.state.status == Status::CheckedOut && !session.company.is_open(record.state.menu_id, now_ms()) {
        return Err(Error::of(ErrorCode::AfterHours));
    }
    change(&app, &session, chat_id, Command::Rejoin).await
}

/// Say that a page came into view or was hidden, where the stream cannot speak.
#[utoipa::path(
    post, path = "/api/v1/chats/{chat_id}/visibility", tag = "end user", request_body = VisibilityRequest,
    security(("session" = [])), params(("chat_id" = u64, Path, description = "A chat")), responses((status = 204))
)]
async fn visibility(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    Body(request): Body<VisibilityRequest>,
) -> Result<StatusCode, Error> {
    own_chat(&app, &session, chat_id).await?;
    app.chats.visibility(chat_id, Actor::EndUser(session.end_user_id), request.visible).await?;
    Ok(StatusCode::NO_CONTENT)
}

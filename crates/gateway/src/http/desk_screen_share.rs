//! Screen share, the desk's side (`docs/protocol.md`, "Screen share"): the agent who has the chat asks for one, types a code in, or ends it. What is
//! shown comes on a stream of its own (`crate::stream::screen_share`).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use engine::gateway::{Actor, Command, Done, ShareStep};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::rest::{ShareAskRequest, ShareBody, ShareJoinRequest};

use super::desk::visible_chat;
use super::request::{Body, PathOf};
use super::screen_share::check_offered;
use super::session::AgentSession;
use crate::error::Error;
use crate::{App, Shared};

/// Codes are shorter.
const MAX_CODE_BYTES: usize = 256;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(ask)).routes(routes!(join)).routes(routes!(end))
}

async fn command(app: &App, session: &AgentSession, chat_id: u64, step: ShareStep) -> Result<Done, Error> {
    app.chats.command(chat_id, Actor::Agent(session.agent.id), Command::ScreenShare(step)).await
}

/// Ask the customer to share their screen.
#[utoipa::path(
    post, path = "/desk/api/v1/chats/{chat_id}/screen_share_requests", tag = "desk", request_body = ShareAskRequest, security(("desk" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 204))
)]
async fn ask(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf(chat_id): PathOf<u64>,
    Body(ShareAskRequest {}): Body<ShareAskRequest>,
) -> Result<StatusCode, Error> {
    let record = visible_chat(&app, &session.agent, chat_id).await?;
    check_offered(&app, &record)?;
    command(&app, &session, chat_id, ShareStep::Ask).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Type in the code that the customer reads out. Five wrong ones end the share.
#[utoipa::path(
    post, path = "/desk/api/v1/chats/{chat_id}/screen_share/join", tag = "desk", request_body = ShareJoinRequest, security(("desk" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 200, body = ShareBody))
)]
async fn join(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf(chat_id): PathOf<u64>,
    Body(request): Body<ShareJoinRequest>,
) -> Result<Json<ShareBody>, Error> {
    if request.code.len() > MAX_CODE_BYTES {
        return Err(Error::too_large());
    }
    visible_chat(&app, &session.agent, chat_id).await?;
    // People read six digits in groups.
    let code: String = request.code.chars().filter(|letter| !letter.is_whitespace()).collect();
    let wrong = |error: Error| match error.code {
        ErrorCode::NotFound => Error::new(ErrorCode::NotFound, "This code is wrong, or no longer good."),
        _ => error,
    };
    let done = command(&app, &session, chat_id, ShareStep::Join { code }).await.map_err(wrong)?;
    let Done::State(state) = done else { return Err(Error::of(ErrorCode::Internal)) };
    let share = state.screen_share.ok_or_else(|| Error::of(ErrorCode::NotFound))?;
    Ok(Json(ShareBody { share: app.platform.share(&share) }))
}

/// End the screen share of a chat. Harmless where none is.
#[utoipa::path(
    delete, path = "/desk/api/v1/chats/{chat_id}/screen_share", tag = "desk", security(("desk" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 204))
)]
async fn end(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf(chat_id): PathOf<u64>,
) -> Result<StatusCode, Error> {
    visible_chat(&app, &session.agent, chat_id).await?;
    command(&app, &session, chat_id, ShareStep::EndByAgent).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! The post-session (`docs/protocol.md`, "Post-session"): the end user's page moves it on, agents read what it found out. Which step is possible is
//! the chat's to say.

use axum::Json;
use axum::extract::State;
use engine::gateway::{Author, Command, Message, PostSessionStatus, PostSessionStep};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::rest::{ChatAgent, ChatBody, PostSessionRequest};

use super::desk::visible_chat;
use super::end_user::change;
use super::request::{Body, PathOf};
use super::session::{AgentSession, EndUserSession};
use crate::clock;
use crate::error::Error;
use crate::platform::embedded::post_session::{Finding, findings};
use crate::store::{MessageBody, PageLimit};
use crate::{App, Shared};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(step))
}

pub(super) fn desk_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(results))
}

/// Move what follows the human part of a chat on: ready, in progress, waiting, finished.
#[utoipa::path(
    patch, path = "/api/v1/chats/{chat_id}/post_session", tag = "end user", request_body = PostSessionRequest, security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 200, body = ChatBody))
)]
async fn step(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    Body(request): Body<PostSessionRequest>,
) -> Result<Json<ChatBody>, Error> {
    let to = PostSessionStatus::from_text(&request.status).filter(|status| *status != PostSessionStatus::Offered);
    let Some(to) = to else {
        return Err(Error::invalid("`status` of a post-session is `ready`, `in_progress`, `waiting` or `finished`."));
    };
    let step = PostSessionStep { to, opted_in: request.opt_in_selection };
    change(&app, &session, chat_id, Command::PostSession(step)).await
}

/// A post-session as the desk shows it.
#[derive(Serialize, ToSchema)]
struct PostSessionResults {
    /// `offered`, `ready`, `in_progress`, `waiting` or `finished`.
    status: String,
    /// The end user had to be asked first.
    opt_in_required: bool,
    /// What the end user chose, where that was said.
    opted_in: Option<bool>,
    /// Who talks, or talked, with the end user.
    virtual_agent: ChatAgent,
    /// When it began, ISO 8601; null where it did not.
    started_at: Option<String>,
    /// When it was over, ISO 8601; null where it is not.
    ended_at: Option<String>,
    /// How many messages the end user wrote in it.
    end_user_messages: u64,
    /// What it found out.
    results: Vec<Finding>,
}

/// What a post-session found out.
#[utoipa::path(
    get, path = "/desk/api/v1/chats/{chat_id}/post_session", tag = "desk", security(("desk" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 200, body = PostSessionResults))
)]
async fn results(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf(chat_id): PathOf<u64>,
) -> Result<Json<PostSessionResults>, Error> {
    let record = visible_chat(&app, &session.agent, chat_id).await?;
    let Some(part) = record.state.post_session else {
        return Err(Error::new(ErrorCode::NotFound, "Nothing follows the human part of this chat."));
    };
    let messages = match part.started_after {
        Some(index) => messages_after(&app, chat_id, index, record.state.last_index).await?,
        None => Vec::new(),
    };
    let is_over = part.status == PostSessionStatus::Finished;
    let from_end_user = messages.iter().filter(|message| matches!(message.author, Author::EndUser(_))).count();
    Ok(Json(PostSessionResults {
        status: part.status.as_str().to_owned(),
        opt_in_required: part.offer.opt_in_required,
        opted_in: part.opted_in,
        virtual_agent: app.platform.virtual_agent_itself(part.offer.virtual_agent_id),
        started_at: messages.first().map(|message| clock::iso_8601(message.at_ms)),
        ended_at: is_over.then(|| clock::iso_8601(part.moved_at_ms)),
        end_user_messages: u64::try_from(from_end_user).unwrap_or(u64::MAX),
        results: findings(&messages, app.platform.redactor(&record)),
    }))
}

/// Every message from there on; a post-session is short, and a page holds it nearly always.
async fn messages_after(
    app: &App,
    chat_id: u64,
    mut index: u64,
    last_index: u64,
) -> Result<Vec<Message<MessageBody>>, Error> {
    let mut messages = Vec::new();
    while index < last_index {
        let limit = PageLimit { messages: wire::MESSAGES_PAGE_LIMIT, bytes: app.config.limits.max_page_bytes };
        let page = app.store.messages_after(chat_id, index, limit).await?;
        let Some(last) = page.last() else { break };
        index = last.index;
        messages.extend(page);
    }
    Ok(messages)
}

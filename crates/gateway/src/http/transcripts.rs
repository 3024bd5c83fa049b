//! Transcripts over HTTP: one is asked for, then asked about until it is there. Files in a transcript are links that work without a session until they expire, because
//! a document is opened anywhere.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::gateway::Actor;
use jiff::tz::TimeZone;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::rest::{TranscriptRequest, TranscriptResponse, TranscriptStatus};

use super::end_user::own_chat;
use super::media::{answer, chat_of_agent};
use super::request::{Body, PathOf, QueryOf};
use super::session::{AgentSession, EndUserSession};
use crate::clock::now_ms;
use crate::error::Error;
use crate::store::{ChatRecord, Record};
use crate::transcript::Asked;
use crate::transcript::jobs::{self, Standing};
use crate::{App, Shared};

/// Longest tag of a language.
const MAX_LANG_BYTES: usize = 35;
/// Longest name of a time zone.
const MAX_ZONE_BYTES: usize = 64;
/// Says where a transcript stands, beside the body.
const STATUS: HeaderName = HeaderName::from_static("x-transcript-status");

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(ask)).routes(routes!(status)).routes(routes!(media))
}

pub(super) fn desk_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(desk_ask)).routes(routes!(desk_status))
}

/// Ask for the transcript of a chat as PDF. Asked again before the chat changed, it is the same one.
#[utoipa::path(
    post, path = "/api/v1/chats/{chat_id}/transcripts", tag = "end user", request_body = TranscriptRequest, security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat")),
    responses((status = 201, body = TranscriptResponse), (status = 200, body = TranscriptResponse, description = "It was asked for before"))
)]
async fn ask(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    Body(request): Body<TranscriptRequest>,
) -> Result<(StatusCode, Json<TranscriptResponse>), Error> {
    let chat = own_chat(&app, &session, chat_id).await?;
    asked_for(&app, &chat, Actor::EndUser(session.end_user_id), request).await
}

/// Ask for the transcript of a chat that the agent has or had.
#[utoipa::path(
    post, path = "/desk/api/v1/chats/{chat_id}/transcripts", tag = "desk", request_body = TranscriptRequest, security(("desk" = [])),
    params(("chat_id" = u64, Path, description = "A chat")),
    responses((status = 201, body = TranscriptResponse), (status = 200, body = TranscriptResponse, description = "It was asked for before"))
)]
async fn desk_ask(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf(chat_id): PathOf<u64>,
    Body(request): Body<TranscriptRequest>,
) -> Result<(StatusCode, Json<TranscriptResponse>), Error> {
    let chat = chat_of_agent(&app, &session, chat_id).await?;
    asked_for(&app, &chat, Actor::Agent(session.agent.id), request).await
}

async fn asked_for(
    app: &App,
    chat: &ChatRecord,
    actor: Actor,
    request: TranscriptRequest,
) -> Result<(StatusCode, Json<TranscriptResponse>), Error> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (lang, timezone) = (given(request.lang), given(request.timezone));
    let is_tag = |lang: &String| {
        lang.len() <= MAX_LANG_BYTES && lang.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if !lang.as_ref().is_none_or(is_tag) {
        return Err(Error::invalid("`lang` must be a language tag such as `pt-BR`."));
    }
    let is_zone = |zone: &String| zone.len() <= MAX_ZONE_BYTES && TimeZone::get(zone).is_ok();
    if !timezone.as_ref().is_none_or(is_zone) {
        return Err(Error::invalid("`timezone` must be the name of a time zone such as `Europe/Rome`."));
    }
    let (record, fresh) = jobs::ask(app, chat, actor, &Asked { lang, timezone }).await?;
    let status = if fresh { StatusCode::CREATED } else { StatusCode::OK };
    let standing = Standing::of(&record).as_str().to_owned();
    Ok((status, Json(TranscriptResponse { status: standing, chat_transcript_id: record.id })))
}

/// Where a transcript stands, also in the header `x-transcript-status`: `pending` or `failed` as JSON, `finished` as PDF.
#[utoipa::path(
    get, path = "/api/v1/chats/{chat_id}/transcripts/{transcript_id}", tag = "end user", security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat"), ("transcript_id" = u64, Path, description = "A transcript")),
    responses((status = 200, content((TranscriptStatus = "application/json"), (Vec<u8> = "application/pdf"))))
)]
async fn status(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf((chat_id, transcript_id)): PathOf<(u64, u64)>,
) -> Result<Response, Error> {
    own_chat(&app, &session, chat_id).await?;
    let record = jobs::find(&app, chat_id, Actor::EndUser(session.end_user_id), transcript_id).await?;
    standing(&app, chat_id, &record).await
}

/// Where a transcript stands that the agent asked for.
#[utoipa::path(
    get, path = "/desk/api/v1/chats/{chat_id}/transcripts/{transcript_id}", tag = "desk", security(("desk" = [])),
    params(("chat_id" = u64, Path, description = "A chat"), ("transcript_id" = u64, Path, description = "A transcript")),
    responses((status = 200, content((TranscriptStatus = "application/json"), (Vec<u8> = "application/pdf"))))
)]
async fn desk_status(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf((chat_id, transcript_id)): PathOf<(u64, u64)>,
) -> Result<Response, Error> {
    chat_of_agent(&app, &session, chat_id).await?;
    let record = jobs::find(&app, chat_id, Actor::Agent(session.agent.id), transcript_id).await?;
    standing(&app, chat_id, &record).await
}

async fn standing(app: &App, chat_id: u64, record: &Record) -> Result<Response, Error> {
    let standing = Standing::of(record);
    let status = (STATUS, HeaderValue::from_static(standing.as_str()));
    let failed_reason = match &standing {
        Standing::Finished(stored) => {
            let body = app.media.read(stored, None).await?;
            let name = format!("attachment; filename=\"chat-{chat_id}.pdf\"");
            let name = HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"));
            let headers = [
                status,
                (header::CONTENT_TYPE, HeaderValue::from_static("application/pdf")),
                (header::CONTENT_DISPOSITION, name),
                (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
                (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            ];
            return Ok((headers, body).into_response());
        }
        Standing::Failed(reason) => Some(reason.clone()),
        Standing::Pending => None,
    };
    let body = TranscriptStatus { status: standing.as_str().to_owned(), failed_reason };
    Ok(([status], Json(body)).into_response())
}

#[derive(Deserialize, IntoParams)]
struct LinkQuery {
    /// Until when the link works.
    expires_at_ms: u64,
    /// The gateway's mark on number and time.
    signature: String,
}

/// A file that a transcript links to. The link is all that it needs, until it expires.
#[utoipa::path(
    get, path = "/api/v1/transcript_media/{media_id}", tag = "end user", params(("media_id" = u64, Path, description = "A file"), LinkQuery),
    responses((status = 200, body = Vec<u8>, content_type = "image/*"), (status = 410, description = "The link has expired"), (status = 404, description = "The link was not made by this gateway"))
)]
async fn media(
    State(app): State<Shared>,
    headers: HeaderMap,
    PathOf(media_id): PathOf<u64>,
    QueryOf(query): QueryOf<LinkQuery>,
) -> Result<Response, Error> {
    if !app.keys.is_media_link_signature(media_id, query.expires_at_ms, &query.signature) {
        return Err(Error::of(ErrorCode::NotFound));
    }
    if query.expires_at_ms <= now_ms() {
        let text = "This link has expired: make a new transcript.";
        return Err(Error::new(ErrorCode::NotFound, text).with_status(StatusCode::GONE));
    }
    let record = app.store.media(media_id).await?.ok_or_else(|| Error::of(ErrorCode::NotFound))?;
    answer(&app, record.chat_id, media_id, &headers).await
}

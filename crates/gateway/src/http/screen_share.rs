//! Screen share, the end user's side (`docs/protocol.md`, "Screen share"): beginning and ending one, and while it is active what the page recorded
//! and what the agent points at. What may happen is the chat's to say; a recording is passed on (`crate::screen`), never opened, kept or logged.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body as RawBody, Bytes};
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use engine::gateway::{
    Actor, Command, Done, ScreenShare, ShareEnd, ShareFrom, ShareProvider, ShareStart, ShareStatus, ShareStep, Status,
};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::rest::{
    SendRequest, SendResponse, ShareBody, SharePatch, ShareRecorded, ShareRequest, ShareResponse, ShareSignals,
};

use super::Peer;
use super::end_user::{own_chat, send_body};
use super::request::{Body, PathOf, QueryOf};
use super::session::{EndUserSession, end_user_session};
use crate::auth::keys;
use crate::error::Error;
use crate::message;
use crate::screen::{Screen, not_shared};
use crate::store::ChatRecord;
use crate::{App, Shared};

/// How long a request for signals waits for one.
const PATIENCE: Duration = Duration::from_secs(20);
/// Lengths of the names that clients make.
const NAME_CHARS: std::ops::RangeInclusive<usize> = 8..=64;
/// The longest code of another provider, and the longest language tag.
const MAX_CODE_BYTES: usize = 64;
const MAX_LANG_BYTES: usize = 35;
const MAX_CUSTOM_DATA: usize = 20;
const MAX_CUSTOM_DATA_BYTES: usize = 1024;
/// Room for most batches at once.
const FIRST_BYTES: usize = 64 * 1024;
/// How many codes there are: six digits.
const CODES: u64 = 1_000_000;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(start))
        .routes(routes!(share, step))
        .routes(routes!(records))
        .routes(routes!(signals))
}

/// Whether a request is one of the many of a page whose screen is shared, which have a rate of their own.
pub(super) fn is_relayed(path: &str) -> bool {
    let Some(path) = path.strip_prefix("/api/v1/chats/") else { return false };
    path.contains("/screen_shares/") && (path.ends_with("/records") || path.ends_with("/signals"))
}

/// An end user whose requests of this kind are counted apart.
struct RelaySession(EndUserSession);

impl FromRequestParts<Arc<App>> for RelaySession {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        match end_user_session(parts, app) {
            Ok(session) => {
                app.limits.check_screen(session.end_user_id)?;
                Ok(RelaySession(session))
            }
            Err(error) => {
                // Whoever has no session is counted like anyone else.
                let Peer(address) = Peer::from_request_parts(parts, app).await?;
                app.limits.check_address(address)?;
                Err(error)
            }
        }
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if NAME_CHARS.contains(&name.len()) && name.bytes().all(good) {
        Ok(())
    } else {
        Err(Error::invalid(
            "`client_id` and `page_id` of a screen share have 8 to 64 characters of A-Z, a-z, 0-9, _ and -.",
        ))
    }
}

fn check_custom_data(data: Option<Map<String, Value>>) -> Result<BTreeMap<String, String>, Error> {
    let data = data.unwrap_or_default();
    if data.len() > MAX_CUSTOM_DATA {
        return Err(Error::too_large());
    }
    let entries = data.into_iter().map(|(name, value)| match value {
        Value::String(text) if name.len() <= MAX_CUSTOM_DATA_BYTES && text.len() <= MAX_CUSTOM_DATA_BYTES => {
            Ok((name, text))
        }
        Value::String(_) => Err(Error::too_large()),
        _ => Err(Error::invalid("The values of `custom_data` of a screen share are strings.")),
    });
    entries.collect()
}

/// Six digits, each as likely as any other.
fn new_code() -> Result<String, Error> {
    let random = keys::random::<8>().map_err(|_| Error::of(ErrorCode::Unavailable))?;
    Ok(format!("{:06}", u64::from_le_bytes(random) % CODES))
}

/// What a request asks for, checked.
fn read(request: ShareRequest) -> Result<ShareStart, Error> {
    check_name(&request.client_id)?;
    check_name(&request.page_id)?;
    let from = ShareFrom::from_text(&request.from)
        .ok_or_else(|| Error::invalid("`from` of a screen share is `end_user`, `agent` or `code`."))?;
    let provider = request.provider.as_deref().map_or(Some(ShareProvider::Rrweb), ShareProvider::from_text);
    let provider =
        provider.ok_or_else(|| Error::invalid("`provider` of a screen share is `rrweb` or `cobrowse_io`."))?;
    if request.lang.as_deref().is_some_and(|lang| lang.len() > MAX_LANG_BYTES) {
        return Err(Error::too_large());
    }
    let given = request.code.filter(|code| !code.is_empty());
    if given.as_deref().is_some_and(|code| code.len() > MAX_CODE_BYTES) {
        return Err(Error::too_large());
    }
    let code = match (from, provider, given) {
        (ShareFrom::Code, ShareProvider::Rrweb, None) => Some(new_code()?),
        (ShareFrom::Code, ShareProvider::CobrowseIo, Some(code)) => Some(code),
        (ShareFrom::Code, ShareProvider::CobrowseIo, None) => {
            return Err(Error::invalid("With `cobrowse_io` the `code` is Cobrowse.io's: send it."));
        }
        (_, _, Some(_)) => {
            return Err(Error::invalid("A `code` is sent with `cobrowse_io` and `from: \"code\"` only."));
        }
        (_, _, None) => None,
    };
    Ok(ShareStart {
        client_id: request.client_id,
        page_id: request.page_id,
        from,
        provider,
        code,
        lang: request.lang.filter(|lang| !lang.is_empty()),
        custom_data: check_custom_data(request.custom_data)?,
    })
}

/// Refuses where the company, or the page that opened the chat, does not want it.
pub(super) fn check_offered(app: &App, record: &ChatRecord) -> Result<(), Error> {
    if app.platform.shares_screens(record) {
        return Ok(());
    }
    let text = "No screens are shared in this chat: see `features` of the chat and `cobrowsable` of its request.";
    Err(Error::new(ErrorCode::Unsupported, text).with_status(StatusCode::FORBIDDEN))
}

/// The share that a step led to, or came to late.
async fn stepped(app: &App, session: &EndUserSession, chat_id: u64, step: ShareStep) -> Result<ScreenShare, Error> {
    let command = Command::ScreenShare(step);
    let done = app.chats.command(chat_id, Actor::EndUser(session.end_user_id), command).await?;
    let Done::State(state) = done else { return Err(Error::of(ErrorCode::Internal)) };
    state.screen_share.ok_or_else(|| Error::of(ErrorCode::NotFound))
}

/// Begin a screen share: with a code for the agent, or by asking the end user.
#[utoipa::path(
    post, path = "/api/v1/chats/{chat_id}/screen_shares", tag = "end user", request_body = ShareRequest, security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat")),
    responses((status = 201, body = ShareResponse), (status = 200, body = ShareResponse, description = "This page's share, or the one that this client_id began before"))
)]
async fn start(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    Body(request): Body<ShareRequest>,
) -> Result<(StatusCode, Json<ShareResponse>), Error> {
    let start = read(request)?;
    let record = own_chat(&app, &session, chat_id).await?;
    check_offered(&app, &record)?;
    let before = record.state.screen_share.map(|share| share.id);
    let share = stepped(&app, &session, chat_id, ShareStep::Start(Box::new(start))).await?;
    let status = if before == Some(share.id) { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(ShareResponse { share: app.platform.share(&share), code: share.code })))
}

/// The newest screen share of the chat, where it is this one. Older ones are over, and nothing else is kept of them.
fn newest(record: ChatRecord, share_id: u64) -> Result<ScreenShare, Error> {
    record.state.screen_share.filter(|share| share.id == share_id).ok_or_else(|| Error::of(ErrorCode::NotFound))
}

/// A screen share.
#[utoipa::path(
    get, path = "/api/v1/chats/{chat_id}/screen_shares/{share_id}", tag = "end user", security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat"), ("share_id" = u64, Path, description = "Its newest screen share")),
    responses((status = 200, body = ShareBody))
)]
async fn share(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf((chat_id, share_id)): PathOf<(u64, u64)>,
) -> Result<Json<ShareBody>, Error> {
    let share = newest(own_chat(&app, &session, chat_id).await?, share_id)?;
    Ok(Json(ShareBody { share: app.platform.share(&share) }))
}

/// Say yes to a screen share, take an active one over, or end it.
#[utoipa::path(
    patch, path = "/api/v1/chats/{chat_id}/screen_shares/{share_id}", tag = "end user", request_body = SharePatch, security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat"), ("share_id" = u64, Path, description = "Its newest screen share")),
    responses((status = 200, body = ShareBody))
)]
async fn step(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf((chat_id, share_id)): PathOf<(u64, u64)>,
    Body(patch): Body<SharePatch>,
) -> Result<Json<ShareBody>, Error> {
    check_name(&patch.page_id)?;
    let reason = match patch.reason.as_deref() {
        None => ShareEnd::DeviceEnded,
        Some(text) => ShareEnd::from_text(text)
            .filter(|reason| matches!(reason, ShareEnd::DeviceEnded | ShareEnd::Denied | ShareEnd::Failed))
            .ok_or_else(|| Error::invalid("`reason` of a screen share is `device_ended`, `denied` or `failed`."))?,
    };
    let step = match ShareStatus::from_text(&patch.status) {
        Some(ShareStatus::Active) => ShareStep::Activate { share_id, page_id: patch.page_id },
        Some(ShareStatus::Ended) => ShareStep::End { share_id, reason },
        _ => return Err(Error::invalid("`status` of a screen share is `active` or `ended`.")),
    };
    let record = own_chat(&app, &session, chat_id).await?;
    newest(record, share_id)?;
    let share = stepped(&app, &session, chat_id, step).await?;
    // Another one may have begun meanwhile.
    let share = Some(share).filter(|share| share.id == share_id).ok_or_else(|| Error::of(ErrorCode::NotFound))?;
    Ok(Json(ShareBody { share: app.platform.share(&share) }))
}

/// The share of a chat that a page of this end user records, or answers for. Where it is under way nothing is read from the store.
async fn relayed(app: &App, session: &EndUserSession, ids: (u64, u64), page_id: &str) -> Result<Arc<Screen>, Error> {
    check_name(page_id)?;
    let (chat_id, share_id) = ids;
    let screen = match app.screens.get(chat_id) {
        Some(screen) if screen.end_user_id() == session.end_user_id => screen,
        Some(_) => return Err(Error::of(ErrorCode::NotFound)),
        None => {
            let record = own_chat(app, session, chat_id).await?;
            if record.state.open_share().is_none() {
                return Err(not_shared());
            }
            app.chats.screen(chat_id).await?.ok_or_else(not_shared)?
        }
    };
    screen.check_page(share_id, page_id)?;
    Ok(screen)
}

#[derive(Deserialize, IntoParams)]
struct RecordsQuery {
    /// The page that recorded it.
    page_id: String,
    /// The recording: grows with each one that begins anew.
    epoch: u64,
    /// The batch's number in it, from 1 on.
    seq: u64,
}

/// Pass on what the page recorded: gzip of a JSON array of rrweb events. It is not kept.
#[utoipa::path(
    post, path = "/api/v1/chats/{chat_id}/screen_shares/{share_id}/records", tag = "end user", security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat"), ("share_id" = u64, Path, description = "Its newest screen share"), RecordsQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200, body = ShareRecorded))
)]
async fn records(
    State(app): State<Shared>,
    RelaySession(session): RelaySession,
    PathOf(ids): PathOf<(u64, u64)>,
    QueryOf(query): QueryOf<RecordsQuery>,
    headers: HeaderMap,
    body: RawBody,
) -> Result<Json<ShareRecorded>, Error> {
    let screen = relayed(&app, &session, ids, &query.page_id).await?;
    let _place = screen.upload()?;
    let frame = batch(&app, &query, &headers, body).await?;
    screen.record(ids.1, &query.page_id, (query.epoch, query.seq), &frame).map(Json)
}

/// Reads a batch into what those who look are sent: a line about it, and the batch as it came.
async fn batch(app: &App, query: &RecordsQuery, headers: &HeaderMap, body: RawBody) -> Result<Bytes, Error> {
    if query.seq == 0 {
        return Err(Error::invalid("`seq` of a batch begins with 1."));
    }
    let most = app.config.limits.max_screen_batch_bytes;
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > most) {
        return Err(Error::too_large());
    }
    let line = format!("{{\"epoch\":{},\"seq\":{}}}\n", query.epoch, query.seq);
    // What is announced may never come.
    let mut frame = Vec::with_capacity(line.len().saturating_add(announced.unwrap_or(0)).min(FIRST_BYTES));
    frame.extend_from_slice(line.as_bytes());
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Error::invalid("The batch is cut off."))?;
        if frame.len() - line.len() + chunk.len() > most {
            return Err(Error::too_large());
        }
        frame.extend_from_slice(&chunk);
    }
    if frame.len() == line.len() {
        return Err(Error::invalid("The batch is empty."));
    }
    Ok(frame.into())
}

#[derive(Deserialize, IntoParams)]
struct SignalsQuery {
    /// The page that asks.
    page_id: String,
    /// `next` of the answer before; at once where absent.
    #[serde(default)]
    after: u64,
}

/// Wait for what happens at the desk, up to 20 seconds. Also the page's sign of life.
#[utoipa::path(
    get, path = "/api/v1/chats/{chat_id}/screen_shares/{share_id}/signals", tag = "end user", security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat"), ("share_id" = u64, Path, description = "Its newest screen share"), SignalsQuery),
    responses((status = 200, body = ShareSignals), (status = 409, body = wire::rest::ErrorBody, description = "The share is not active, or another page has it"))
)]
async fn signals(
    State(app): State<Shared>,
    RelaySession(session): RelaySession,
    PathOf(ids): PathOf<(u64, u64)>,
    QueryOf(query): QueryOf<SignalsQuery>,
) -> Result<Json<ShareSignals>, Error> {
    let screen = relayed(&app, &session, ids, &query.page_id).await?;
    tokio::select! {
        // That those who look go with the gateway is no news.
        biased;
        () = app.shutdown.cancelled() => Err(Error::of(ErrorCode::Unavailable)),
        answer = screen.signals(ids.1, &query.page_id, query.after, PATIENCE) => answer.map(Json),
    }
}

/// Stores what an end user's app says of a screen share that goes another way. Words only: no share of ours moves.
pub(super) async fn say(
    app: &App,
    record: &ChatRecord,
    request: SendRequest,
) -> Result<(StatusCode, Json<SendResponse>), Error> {
    check_offered(app, record)?;
    match record.state.status {
        Status::Assigned => {}
        status if status.is_over() => return Err(Error::of(ErrorCode::ChatEnded)),
        _ => return Err(Error::new(ErrorCode::Conflict, "Screens are shared with an agent, and none has this chat.")),
    }
    let body = message::share_notice(&request.message)?;
    send_body(app, record.state.id, Actor::EndUser(record.state.end_user_id), request.client_id, body).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_shared_pages_own_requests_have_their_own_rate() {
        let table = [
            ("/api/v1/chats/7/screen_shares/1/records", true),
            ("/api/v1/chats/7/screen_shares/1/signals", true),
            ("/api/v1/chats/7/screen_shares/1", false),
            ("/api/v1/chats/7/screen_shares", false),
            ("/api/v1/chats/7/messages", false),
            ("/api/v1/records", false),
            ("/desk/api/v1/chats/7/screen_shares/1/records", false),
        ];
        for (path, expected) in table {
            assert_eq!(is_relayed(path), expected, "{path}");
        }
    }

    #[test]
    fn codes_have_six_digits() {
        for _ in 0..1000 {
            let code = new_code().unwrap();
            assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        }
    }
}

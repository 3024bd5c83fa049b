//! Files of messages over HTTP: a place is asked for, a form brings the file, and those in the chat read it back. A form needs no session, so
//! that it can later be posted elsewhere than here; what it allows is signed.

use std::time::Duration;

use axum::Json;
use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::gateway::{Actor, Author};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::rest::{UploadRequest, UploadResponse};

use super::end_user::own_chat;
use super::origin;
use super::request::{Body, PathOf};
use super::session::{AgentSession, EndUserSession};
use crate::clock::now_ms;
use crate::config::Limits;
use crate::error::Error;
use crate::media::form::Owner;
use crate::media::{form, kind, name};
use crate::message;
use crate::store::{Announced, ChatRecord, MediaKind, MediaQuota, MediaRecord, NewMedia, StoredMedia};
use crate::{App, Shared};

/// How long the next bytes of a file may take.
const STALLED: Duration = Duration::from_secs(30);
/// Longest field of a form besides the file.
const MAX_FIELD_BYTES: usize = 4096;
/// What a form is larger than its file, at most.
const FORM_BYTES: usize = 64 * 1024;
/// The time over which an end user's files are counted.
const QUOTA_MS: u64 = 24 * 60 * 60 * 1000;
/// When someone who used up their quota may ask again; some of it may be free by then.
const OVER_QUOTA_RETRY_MS: u64 = 60 * 60 * 1000;

pub(super) fn routes(app: &App) -> OpenApiRouter<Shared> {
    let limits = &app.config.limits;
    let largest = MediaKind::ALL.map(|kind| most_bytes(limits, kind, false).max(most_bytes(limits, kind, true)));
    let most = largest.into_iter().max().unwrap_or(0);
    let most = usize::try_from(most).unwrap_or(usize::MAX).saturating_add(FORM_BYTES);
    let upload = OpenApiRouter::new().routes(routes!(upload)).layer(DefaultBodyLimit::max(most));
    OpenApiRouter::new().routes(routes!(announce)).routes(routes!(media)).merge(upload)
}

pub(super) fn desk_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(desk_announce)).routes(routes!(desk_media))
}

/// The longest file of a kind; 0 where none is taken.
pub(crate) fn most_bytes(limits: &Limits, kind: MediaKind, of_agent: bool) -> u64 {
    if limits.max_upload_bytes == 0 {
        return 0;
    }
    match kind {
        _ if of_agent => limits.max_agent_upload_bytes,
        MediaKind::Photo => limits.max_upload_bytes,
        MediaKind::Video => limits.max_video_bytes,
        MediaKind::Audio => limits.max_audio_bytes,
        MediaKind::Document => limits.max_document_bytes,
    }
}

/// Ask for a place for a file.
#[utoipa::path(
    post, path = "/api/v1/chats/{chat_id}/uploads", tag = "end user", request_body = UploadRequest, security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat")),
    responses((status = 201, body = UploadResponse), (status = 200, body = UploadResponse, description = "This client_id has a place"))
)]
async fn announce(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    Body(request): Body<UploadRequest>,
) -> Result<(StatusCode, Json<UploadResponse>), Error> {
    let chat = own_chat(&app, &session, chat_id).await?;
    let owner = Owner::EndUser { id: session.end_user_id, company_id: session.company.settings.id.clone() };
    reserve(&app, &chat, owner, request).await
}

/// Ask for a place for a file of an agent.
#[utoipa::path(
    post, path = "/desk/api/v1/chats/{chat_id}/uploads", tag = "desk", request_body = UploadRequest, security(("desk" = [])),
    params(("chat_id" = u64, Path, description = "A chat")),
    responses((status = 201, body = UploadResponse), (status = 200, body = UploadResponse, description = "This client_id has a place"))
)]
async fn desk_announce(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf(chat_id): PathOf<u64>,
    Body(request): Body<UploadRequest>,
) -> Result<(StatusCode, Json<UploadResponse>), Error> {
    let chat = chat_of_agent(&app, &session, chat_id).await?;
    reserve(&app, &chat, Owner::Agent { id: session.agent.id }, request).await
}

async fn reserve(
    app: &App,
    chat: &ChatRecord,
    owner: Owner,
    request: UploadRequest,
) -> Result<(StatusCode, Json<UploadResponse>), Error> {
    message::check_client_id(&request.client_id)?;
    let limits = &app.config.limits;
    let of_agent = matches!(owner, Owner::Agent { .. });
    let kind = MediaKind::from_text(&request.kind).ok_or_else(|| Error::of(ErrorCode::Unsupported))?;
    // Pictures are known by few names; what else a browser calls a file counts for nothing.
    let type_said = request.content_type.as_deref().filter(|text| !text.is_empty());
    let is_odd_picture = kind == MediaKind::Photo && type_said.is_some_and(|text| !kind::is_photo(text));
    let most = most_bytes(limits, kind, of_agent);
    if is_odd_picture || most == 0 {
        return Err(Error::of(ErrorCode::Unsupported));
    }
    if request.size == 0 {
        return Err(Error::invalid("The file is empty."));
    }
    if request.size > most {
        return Err(Error::too_large());
    }
    // In what follows the human part only its end user sends.
    let is_over = if of_agent { chat.state.status.is_over() } else { !chat.state.takes_messages() };
    let now_ms = now_ms();
    let said = request.name.as_deref().unwrap_or("");
    let new = NewMedia {
        chat_id: chat.state.id,
        author: owner.author(),
        kind,
        client_id: request.client_id,
        name: name::harmless(said, kind.as_str()),
        size_bytes: request.size,
        created_at_ms: now_ms,
    };
    let quota = limits.uploads_per_end_user;
    let (files, bytes) = if of_agent { (u64::MAX, u64::MAX) } else { (quota.files, quota.bytes) };
    let quota = MediaQuota {
        since_ms: now_ms.saturating_sub(QUOTA_MS),
        // In a chat that is over only what was announced before is found.
        files: if is_over { 0 } else { files },
        bytes,
    };
    let (status, record) = match app.store.announce_media(new, quota).await? {
        Announced::Fresh(record) => (StatusCode::CREATED, record),
        Announced::Known(record) => (StatusCode::OK, record),
        Announced::OverQuota if is_over => return Err(Error::of(ErrorCode::ChatEnded)),
        Announced::OverQuota => return Err(Error::rate_limited(OVER_QUOTA_RETRY_MS)),
    };
    let upload = match record.stored {
        Some(_) => None,
        None => Some(form::issue(&app.keys, record.id, (owner, name::is_table(said)), now_ms)?),
    };
    Ok((status, Json(UploadResponse { media_id: record.id, upload })))
}

/// A file with the fields of its form, which come first.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only described: it is read as a stream")]
struct UploadedForm {
    /// As `uploads` returned it.
    policy: String,
    /// As `uploads` returned it.
    signature: String,
    /// The file.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
}

/// Bring a file with the form that `uploads` returned. Answered when it is stored durably; repeating it is harmless.
#[utoipa::path(
    post, path = "/api/v1/uploads", tag = "end user",
    request_body(content = UploadedForm, content_type = "multipart/form-data"), responses((status = 204))
)]
async fn upload(
    State(app): State<Shared>,
    headers: HeaderMap,
    multipart: Result<Multipart, MultipartRejection>,
) -> Result<StatusCode, Error> {
    let mut multipart = multipart.map_err(|_| Error::invalid("The body must be multipart/form-data."))?;
    let (mut policy, mut signature) = (String::new(), String::new());
    while let Some(mut field) = in_time(multipart.next_field()).await? {
        match field.name() {
            Some("policy") => policy = text(&mut field).await?,
            Some("signature") => signature = text(&mut field).await?,
            Some("file") => {
                let result = receive(&app, &headers, (&policy, &signature), &mut field).await;
                // A client that is still sending would not read a refusal.
                while let Ok(Some(_)) = in_time(field.chunk()).await {}
                return result.map(|()| StatusCode::NO_CONTENT);
            }
            _ => {}
        }
    }
    Err(Error::invalid("The form has no part `file`."))
}

async fn in_time<T>(read: impl Future<Output = Result<T, MultipartError>>) -> Result<T, Error> {
    match tokio::time::timeout(STALLED, read).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Error::too_large()),
        Ok(Err(_)) => Err(Error::invalid("The form is cut off or malformed.")),
        Err(_) => Err(Error::of(ErrorCode::Timeout)),
    }
}

async fn text(field: &mut Field<'_>) -> Result<String, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = in_time(field.chunk()).await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_FIELD_BYTES {
            return Err(Error::too_large());
        }
    }
    String::from_utf8(bytes).map_err(|_| Error::invalid("A field of the form is no text."))
}

/// Takes a file in, once: where it is there already, the rest is not looked at.
async fn receive(
    app: &App,
    headers: &HeaderMap,
    (policy, signature): (&str, &str),
    field: &mut Field<'_>,
) -> Result<(), Error> {
    let policy = form::verify(&app.keys, policy, signature, now_ms())?;
    match &policy.owner {
        Owner::EndUser { id, company_id } => {
            let company = app.platform.company(company_id).ok_or_else(|| Error::of(ErrorCode::Forbidden))?;
            origin::check_company(app, &company.settings, headers)?;
            app.limits.check_end_user(*id)?;
        }
        Owner::Agent { .. } => origin::check_own(app, headers)?,
    }
    let author = policy.owner.author();
    let record = app.store.media(policy.media_id).await?.filter(|record| record.author == author);
    let record = record.ok_or_else(|| Error::of(ErrorCode::NotFound))?;
    if record.stored.is_some() {
        return Ok(());
    }
    let mut incoming = app.media.create(&record, policy.is_table).await?;
    while let Some(bytes) = in_time(field.chunk()).await? {
        incoming.write(&bytes).await?;
    }
    let (stored, size_bytes) = incoming.finish().await?;
    // Where this fails the bytes stay: whether they were recorded nobody knows.
    if !app.store.complete_media(record.id, stored.clone(), size_bytes).await? {
        // Another attempt was faster.
        app.media.remove(&stored).await;
    }
    Ok(())
}

/// Looks at the file that a message of the type of a file names, and writes into the message what the gateway knows of it. A message of another
/// type, or one that shows something at an address of its own, is left as it is.
pub(super) async fn attach(
    app: &App,
    actor: Actor,
    chat_id: u64,
    message: &mut Map<String, Value>,
) -> Result<(), Error> {
    let Some(kind) = message.get("type").and_then(Value::as_str).and_then(MediaKind::from_text) else { return Ok(()) };
    let unknown = || {
        Error::invalid("The message needs a `media_id` of a file of its type that its sender uploaded to this chat.")
    };
    let media_id = message.get("media_id").and_then(Value::as_u64).ok_or_else(unknown)?;
    let record = app.store.media(media_id).await?;
    let is_it =
        |record: &MediaRecord| (record.author, record.chat_id, record.kind) == (Author::from(actor), chat_id, kind);
    let record = record.filter(is_it);
    let (record, stored) = record.and_then(|record| Some((record.clone(), record.stored?))).ok_or_else(unknown)?;
    let name = name::shown(&record.name, &stored.content_type);
    let about = json!({ "name": name, "content_type": stored.content_type, "size": record.size_bytes });
    message.insert("media".to_owned(), about);
    if kind == MediaKind::Document {
        let url = format!("/api/v1/chats/{chat_id}/media/{media_id}");
        message.insert("document".to_owned(), json!({ "url": url }));
    }
    Ok(())
}

/// A file of a chat.
#[utoipa::path(
    get, path = "/api/v1/chats/{chat_id}/media/{media_id}", tag = "end user", security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat"), ("media_id" = u64, Path, description = "A file")),
    responses((status = 200, body = Vec<u8>, content_type = "image/*"))
)]
async fn media(
    State(app): State<Shared>,
    session: EndUserSession,
    headers: HeaderMap,
    PathOf((chat_id, media_id)): PathOf<(u64, u64)>,
) -> Result<Response, Error> {
    own_chat(&app, &session, chat_id).await?;
    answer(&app, chat_id, media_id, &headers).await
}

/// A file of a chat that the agent has or had.
#[utoipa::path(
    get, path = "/desk/api/v1/chats/{chat_id}/media/{media_id}", tag = "desk", security(("desk" = [])),
    params(("chat_id" = u64, Path, description = "A chat"), ("media_id" = u64, Path, description = "A file")),
    responses((status = 200, body = Vec<u8>, content_type = "image/*"))
)]
async fn desk_media(
    State(app): State<Shared>,
    session: AgentSession,
    headers: HeaderMap,
    PathOf((chat_id, media_id)): PathOf<(u64, u64)>,
) -> Result<Response, Error> {
    chat_of_agent(&app, &session, chat_id).await?;
    answer(&app, chat_id, media_id, &headers).await
}

/// A chat that the agent has or had. Not the whole queue: who has not taken a chat has no business with its files.
pub(super) async fn chat_of_agent(app: &App, session: &AgentSession, chat_id: u64) -> Result<ChatRecord, Error> {
    let chat = app.store.chat(chat_id).await?.filter(|chat| session.agent.serves(&chat.company_id));
    let chat = chat.filter(|chat| chat.state.all_agent_ids.contains(&session.agent.id));
    chat.ok_or_else(|| Error::of(ErrorCode::NotFound))
}

pub(super) async fn answer(app: &App, chat_id: u64, media_id: u64, asked: &HeaderMap) -> Result<Response, Error> {
    let record = app.store.media(media_id).await?.filter(|record| record.chat_id == chat_id);
    let found = record.and_then(|record| Some((record.stored.clone()?, record)));
    let (stored, record) = found.ok_or_else(|| Error::of(ErrorCode::NotFound))?;
    let size = record.size_bytes;
    let range = asked.get(header::RANGE).and_then(|value| value.to_str().ok()).and_then(|text| range_of(text, size));
    let mut headers = headers(&stored, &record);
    match range {
        None => Ok((headers, app.media.read(&stored, None).await?).into_response()),
        Some(Err(())) => {
            let range =
                HeaderValue::from_str(&format!("bytes */{size}")).unwrap_or(HeaderValue::from_static("bytes */*"));
            Ok((StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, range)]).into_response())
        }
        Some(Ok((first, last))) => {
            let end = last.saturating_add(1);
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(end.saturating_sub(first)));
            if let Ok(range) = HeaderValue::from_str(&format!("bytes {first}-{last}/{size}")) {
                headers.insert(header::CONTENT_RANGE, range);
            }
            let body = app.media.read(&stored, Some(first..end)).await?;
            Ok((StatusCode::PARTIAL_CONTENT, headers, body).into_response())
        }
    }
}

/// The first and last byte that a `Range` header (RFC 9110, 14.2) asks for; an error where the file has none of them, and `None` for what is not
/// one range of bytes: it is then answered whole.
fn range_of(text: &str, size: u64) -> Option<Result<(u64, u64), ()>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let newest = size.checked_sub(1);
    let (first, last) = match (first.trim(), last.trim()) {
        ("", suffix) => {
            let length: u64 = suffix.parse().ok()?;
            (size.saturating_sub(length), newest.filter(|_| length > 0))
        }
        (first, "") => (first.parse().ok()?, newest),
        (first, last) => {
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            if last < first {
                return None;
            }
            (first, newest.map(|newest| newest.min(last)))
        }
    };
    Some(last.filter(|last| first <= *last).map(|last| (first, last)).ok_or(()))
}

/// What keeps a file from being more than what it is, wherever it is opened. Pictures, films and sounds are shown; a document is saved.
fn headers(stored: &StoredMedia, record: &MediaRecord) -> HeaderMap {
    let fixed = [
        (header::ACCEPT_RANGES, "bytes"),
        (header::CACHE_CONTROL, "private, no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let mut headers: HeaderMap =
        fixed.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(record.size_bytes));
    let name = percent_encoded(&name::shown(&record.name, &stored.content_type));
    let how = if record.kind == MediaKind::Document { "attachment" } else { "inline" };
    let texts = [
        (header::CONTENT_TYPE, stored.content_type.clone()),
        (header::CONTENT_DISPOSITION, format!("{how}; filename*=UTF-8''{name}")),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
    headers
}

/// RFC 8187, `value-chars`.
pub(super) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

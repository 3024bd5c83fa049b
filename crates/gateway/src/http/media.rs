//! Files of messages over HTTP: a place is asked for, a form brings the file, and those in the chat read it back. A form needs no session, so
//! that it can later be posted elsewhere than here; what it allows is signed.

use std::time::Duration;

use axum::Json;
use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
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
use crate::error::Error;
use crate::media::kind::Kind;
use crate::media::{form, name};
use crate::message;
use crate::store::{Announced, MediaQuota, MediaRecord, NewMedia, StoredMedia};
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
    let most = usize::try_from(app.config.limits.max_upload_bytes).unwrap_or(usize::MAX).saturating_add(FORM_BYTES);
    let upload = OpenApiRouter::new().routes(routes!(upload)).layer(DefaultBodyLimit::max(most));
    OpenApiRouter::new().routes(routes!(announce)).routes(routes!(media)).merge(upload)
}

pub(super) fn desk_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(desk_media))
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
    message::check_client_id(&request.client_id)?;
    let limits = &app.config.limits;
    let type_said = request.content_type.as_deref().filter(|text| !text.is_empty());
    let is_picture = type_said.is_none_or(|text| Kind::from_content_type(text).is_some());
    if request.kind != "photo" || !is_picture || limits.max_upload_bytes == 0 {
        return Err(Error::of(ErrorCode::Unsupported));
    }
    if request.size == 0 {
        return Err(Error::invalid("The file is empty."));
    }
    if request.size > limits.max_upload_bytes {
        return Err(Error::too_large());
    }
    let chat = own_chat(&app, &session, chat_id).await?;
    let is_over = chat.state.status.is_over();
    let now_ms = now_ms();
    let new = NewMedia {
        chat_id,
        end_user_id: session.end_user_id,
        client_id: request.client_id,
        name: name::harmless(request.name.as_deref().unwrap_or("")),
        size_bytes: request.size,
        created_at_ms: now_ms,
    };
    let quota = limits.uploads_per_end_user;
    let quota = MediaQuota {
        since_ms: now_ms.saturating_sub(QUOTA_MS),
        // In a chat that is over only what was announced before is found.
        files: if is_over { 0 } else { quota.files },
        bytes: quota.bytes,
    };
    let (status, record) = match app.store.announce_media(new, quota).await? {
        Announced::Fresh(record) => (StatusCode::CREATED, record),
        Announced::Known(record) => (StatusCode::OK, record),
        Announced::OverQuota if is_over => return Err(Error::of(ErrorCode::ChatEnded)),
        Announced::OverQuota => return Err(Error::rate_limited(OVER_QUOTA_RETRY_MS)),
    };
    let owner = (session.end_user_id, session.company.settings.id.as_str());
    let upload = match record.stored {
        Some(_) => None,
        None => Some(form::issue(&app.keys, record.id, owner, now_ms)?),
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
    let company = app.platform.company(&policy.company_id).ok_or_else(|| Error::of(ErrorCode::Forbidden))?;
    origin::check_company(app, &company.settings, headers)?;
    app.limits.check_end_user(policy.end_user_id)?;
    let record = app.store.media(policy.media_id).await?.filter(|record| record.end_user_id == policy.end_user_id);
    let record = record.ok_or_else(|| Error::of(ErrorCode::NotFound))?;
    if record.stored.is_some() {
        return Ok(());
    }
    let mut incoming = app.media.create(&record).await?;
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

/// Looks at the file that a message of type `photo` names, and writes into the message what the gateway knows of it.
pub(super) async fn attach(
    app: &App,
    end_user_id: u64,
    chat_id: u64,
    message: &mut Map<String, Value>,
) -> Result<(), Error> {
    let unknown = || Error::invalid("A photo needs a `media_id` of a file that this end user uploaded to this chat.");
    let media_id = message.get("media_id").and_then(Value::as_u64).ok_or_else(unknown)?;
    let record = app.store.media(media_id).await?;
    let record = record.filter(|record| (record.end_user_id, record.chat_id) == (end_user_id, chat_id));
    let (record, stored) = record.and_then(|record| Some((record.clone(), record.stored?))).ok_or_else(unknown)?;
    let name = name::shown(&record.name, &stored.content_type);
    let about = json!({ "name": name, "content_type": stored.content_type, "size": record.size_bytes });
    message.insert("media".to_owned(), about);
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
    PathOf((chat_id, media_id)): PathOf<(u64, u64)>,
) -> Result<Response, Error> {
    own_chat(&app, &session, chat_id).await?;
    answer(&app, chat_id, media_id).await
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
    PathOf((chat_id, media_id)): PathOf<(u64, u64)>,
) -> Result<Response, Error> {
    let chat = app.store.chat(chat_id).await?.filter(|chat| session.agent.serves(&chat.company_id));
    // Not the whole queue: who has not taken a chat has no business with its pictures.
    if !chat.is_some_and(|chat| chat.state.all_agent_ids.contains(&session.agent.id)) {
        return Err(Error::of(ErrorCode::NotFound));
    }
    answer(&app, chat_id, media_id).await
}

async fn answer(app: &App, chat_id: u64, media_id: u64) -> Result<Response, Error> {
    let record = app.store.media(media_id).await?.filter(|record| record.chat_id == chat_id);
    let found = record.and_then(|record| Some((record.stored.clone()?, record)));
    let (stored, record) = found.ok_or_else(|| Error::of(ErrorCode::NotFound))?;
    let body = app.media.read(&stored).await?;
    Ok((headers(&stored, &record), body).into_response())
}

/// What keeps a file from being more than a picture, wherever it is opened.
fn headers(stored: &StoredMedia, record: &MediaRecord) -> HeaderMap {
    let fixed = [
        (header::CACHE_CONTROL, "private, no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let mut headers: HeaderMap =
        fixed.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(record.size_bytes));
    let name = percent_encoded(&name::shown(&record.name, &stored.content_type));
    let texts = [
        (header::CONTENT_TYPE, stored.content_type.clone()),
        (header::CONTENT_DISPOSITION, format!("inline; filename*=UTF-8''{name}")),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
    headers
}

/// RFC 8187, `value-chars`.
fn percent_encoded(text: &str) -> String {
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

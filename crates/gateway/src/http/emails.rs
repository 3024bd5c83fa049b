//! The end-user API about messages by e-mail: what may not be attached, and the message itself, with its files. What a person did wrong is told as the
//! outcome (`status` `failed`); only a malformed request is refused.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::StatusCode;
use serde_json::Map;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::rest::{self, EmailRequest, FileType, FileTypes};

use super::request::PathOf;
use super::session::EndUserSession;
use crate::clock::now_ms;
use crate::error::Error;
use crate::mail::outbox::{self, Delivery, What};
use crate::media::Media;
use crate::message;
use crate::platform::embedded::emails::{self, Email, Kept, Prohibited, Refused};
use crate::platform::embedded::live;
use crate::recaptcha::Verdict;
use crate::store::{self, CapOf, NewRecord, Record, RecordCap, RecordKind, RecordQuery};
use crate::{App, Shared};

/// How long the next bytes may take.
const STALLED: Duration = Duration::from_secs(30);
/// What the part `data` has besides the content.
const DATA_BYTES: usize = 64 * 1024;
/// A body that is larger than all files may be is read so many times as far, so that its sender reads the refusal.
const PATIENT_BYTES: u64 = 4;
/// The time over which messages are counted.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// The folder of attachments.
const FOLDER: &str = "emails";

/// Whether this is the path of such a message, whose files may take their time.
pub(super) fn is_upload(path: &str) -> bool {
    path.starts_with("/api/v1/menus/") && path.ends_with("/emails")
}

pub(super) fn routes(app: &App) -> OpenApiRouter<Shared> {
    let limits = &app.config.email;
    let most = limits.max_total_bytes.saturating_mul(PATIENT_BYTES);
    let most = usize::try_from(most).unwrap_or(usize::MAX).saturating_add(limits.max_content_bytes + 2 * DATA_BYTES);
    let send = OpenApiRouter::new().routes(routes!(send)).layer(DefaultBodyLimit::max(most));
    OpenApiRouter::new().routes(routes!(prohibited_file_types)).merge(send)
}

/// What may not be attached to a message.
#[utoipa::path(
    get, path = "/api/v1/prohibited_file_types", tag = "end user", security(("session" = [])), responses((status = 200, body = FileTypes))
)]
async fn prohibited_file_types(State(app): State<Shared>, _: EndUserSession) -> Json<FileTypes> {
    let shown = |kind: crate::config::FileType| FileType { extension: kind.extension, description: kind.description };
    Json(FileTypes { file_types: app.config.email.prohibited().into_iter().map(shown).collect() })
}

/// The message first, then its files.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only described: it is read as a stream")]
struct EmailForm {
    /// The message as JSON.
    #[schema(content_media_type = "application/json")]
    data: EmailRequest,
    /// Its files, each in a part of its own.
    #[schema(value_type = Vec<String>, format = Binary, content_media_type = "application/octet-stream")]
    #[schema(rename = "files[]")]
    files: Vec<String>,
}

/// Write to a queue by e-mail. Answered when it is stored durably, or refused: `status` says which.
#[utoipa::path(
    post, path = "/api/v1/menus/{menu_id}/emails", tag = "end user", security(("session" = [])),
    params(("menu_id" = u64, Path, description = "A queue")),
    request_body(content = EmailForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, body = rest::Email, description = "It is stored"),
        (status = 200, body = rest::Email, description = "It was refused, or this client_id was stored before")
    )
)]
async fn send(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(menu_id): PathOf<u64>,
    multipart: Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, Json<rest::Email>), Error> {
    let mut multipart = multipart.map_err(|_| Error::invalid("The body must be multipart/form-data."))?;
    let outcome = receive(&app, &session, menu_id, &mut multipart).await;
    if outcome.is_err() || !matches!(outcome, Ok(Outcome::Fresh(_))) {
        // A client that is still sending would not read an answer.
        drain(&mut multipart).await;
    }
    let (status, email) = match outcome? {
        Outcome::Fresh(record) => (StatusCode::CREATED, stored(&record)),
        Outcome::Known(record) => (StatusCode::OK, stored(&record)),
        Outcome::Refused(why, kind) => (StatusCode::OK, refused(why, kind)),
    };
    Ok((status, Json(email)))
}

enum Outcome {
    Fresh(Record),
    Known(Record),
    Refused(Refused, &'static str),
}

/// A message that is kept.
fn stored(record: &Record) -> rest::Email {
    let email = Email::read(&record.content.body);
    let (kind, attachments) = email.map_or_else(Default::default, |email| (email.kind, email.attachments.len()));
    rest::Email {
        id: record.id,
        kind,
        status: emails::OPEN.to_owned(),
        fail_reason: String::new(),
        attachment_count: u64::try_from(attachments).unwrap_or(u64::MAX),
    }
}

fn refused(why: Refused, kind: &str) -> rest::Email {
    rest::Email {
        id: 0,
        kind: kind.to_owned(),
        status: emails::FAILED.to_owned(),
        fail_reason: why.as_str().to_owned(),
        attachment_count: 0,
    }
}

async fn receive(
    app: &Arc<App>,
    session: &EndUserSession,
    menu_id: u64,
    multipart: &mut Multipart,
) -> Result<Outcome, Error> {
    let company = &session.company;
    let limits = &app.config.email;
    let request = data(multipart, limits.max_content_bytes.saturating_add(DATA_BYTES)).await?;
    message::check_client_id(&request.client_id)?;
    let key = format!("{}:{}", session.end_user_id, request.client_id);
    if let Some(known) = app.store.record_with_key(RecordKind::Email, &company.settings.id, &key).await? {
        return Ok(Outcome::Known(known));
    }
    let mut kind = "email";
    let queue = match emails::queue(company, menu_id) {
        Ok(queue) => queue.id,
        Err(why) => return Ok(Outcome::Refused(why, kind)),
    };
    live::look(app, company).await?;
    kind = emails::kind(company, queue, app.platform.live.of(&company.settings.id, queue));
    if let Err(why) = emails::check(&request, limits) {
        return Ok(Outcome::Refused(why, kind));
    }
    let now_ms = now_ms();
    let caps = caps(app, now_ms);
    // Looked at before the files are taken; what counts is counted again where it is written.
    if is_over(app, session, &caps).await? {
        return Ok(Outcome::Refused(Refused::OverCap, kind));
    }
    if let Some(verifier) = &app.verifier {
        match verifier.check(request.recaptcha.as_deref()).await {
            Verdict::Passed => {}
            Verdict::Failed => return Ok(Outcome::Refused(Refused::RecaptchaFailed, kind)),
            Verdict::Unavailable => return Ok(Outcome::Refused(Refused::RecaptchaUnavailable, kind)),
        }
    }
    let mut files = Files { media: app.media.clone(), kept: Vec::new() };
    if let Err(why) = take_files(app, multipart, &mut files).await? {
        return Ok(Outcome::Refused(why, kind));
    }
    let lang = company.lang(request.lang.as_deref()).to_owned();
    let email = Email {
        menu_id: queue,
        kind: kind.to_owned(),
        name: request.name.filter(|name| !name.trim().is_empty()),
        email: request.email,
        content: request.content,
        lang,
        attachments: files.kept.clone(),
        replies: Vec::new(),
    };
    let mut body = Map::new();
    email.write(&mut body);
    let mut record = NewRecord {
        kind: RecordKind::Email,
        company_id: company.settings.id.clone(),
        end_user_id: Some(session.end_user_id),
        chat_id: None,
        key: Some(key),
        topic: None,
        status: emails::OPEN.to_owned(),
        due_at_ms: None,
        at_ms: now_ms,
        body,
    };
    let support = company.settings.support_email.clone();
    let forwarded = (!support.is_empty()).then(|| Delivery::new(What::Message, support, now_ms));
    outbox::put(&mut record, forwarded.as_slice());
    match app.store.keep_record(record, caps).await? {
        store::Kept::Fresh(record) => {
            files.kept.clear();
            app.bus.publish_chats_changed();
            if let Some(post) = &app.post {
                post.look();
            }
            Ok(Outcome::Fresh(record))
        }
        // The files of this try are a second copy.
        store::Kept::Known(record) => Ok(Outcome::Known(record)),
        store::Kept::Full => Ok(Outcome::Refused(Refused::OverCap, kind)),
    }
}

fn caps(app: &App, now_ms: u64) -> Vec<RecordCap> {
    let limits = &app.config.email;
    let cap = |of, most| RecordCap { of, since_ms: now_ms.saturating_sub(DAY_MS), statuses: Vec::new(), most };
    vec![cap(CapOf::EndUser, limits.per_end_user), cap(CapOf::Company, limits.per_company)]
}

async fn is_over(app: &App, session: &EndUserSession, caps: &[RecordCap]) -> Result<bool, Error> {
    for cap in caps {
        let query = RecordQuery {
            company_ids: Some(vec![session.company.settings.id.clone()]),
            end_user_id: (cap.of == CapOf::EndUser).then_some(session.end_user_id),
            since_ms: Some(cap.since_ms),
            ..RecordQuery::of(RecordKind::Email, 0)
        };
        if app.store.count_records(query).await? >= cap.most {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The part `data`, which comes first.
async fn data(multipart: &mut Multipart, most: usize) -> Result<EmailRequest, Error> {
    let missing = || Error::invalid("The form begins with the part `data`, the message as JSON.");
    let mut field = in_time(multipart.next_field()).await?.filter(|field| field.name() == Some("data"));
    let field = field.as_mut().ok_or_else(missing)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = in_time(field.chunk()).await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > most {
            return Err(Error::too_large());
        }
    }
    serde_json::from_slice(&bytes)
        .map_err(|_| Error::invalid("A field of the part `data` is missing or has the wrong type, or it is no JSON."))
}

/// Files that are on disk and belong to nothing yet: what is left when this is dropped is removed.
struct Files {
    media: Media,
    kept: Vec<Kept>,
}

impl Drop for Files {
    fn drop(&mut self) {
        let (media, kept) = (self.media.clone(), std::mem::take(&mut self.kept));
        if let (false, Ok(runtime)) = (kept.is_empty(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                for file in kept {
                    media.remove_object(&file.object).await;
                }
            });
        }
    }
}

/// Takes the files to disk, one after the other.
async fn take_files(app: &App, multipart: &mut Multipart, files: &mut Files) -> Result<Result<(), Refused>, Error> {
    let limits = &app.config.email;
    let prohibited = Prohibited::new(limits);
    let mut total = 0_u64;
    while let Some(mut field) = in_time(multipart.next_field()).await? {
        if !matches!(field.name(), Some("files[]" | "files")) {
            continue;
        }
        if files.kept.len() >= limits.max_files {
            return Ok(Err(Refused::TooManyFiles));
        }
        let name = emails::file_name(field.file_name().unwrap_or(""));
        if prohibited.has(&name) {
            return Ok(Err(Refused::ProhibitedFileType));
        }
        let content_type = content_type(&field);
        let mut file = app.media.create_plain(FOLDER).await?;
        while let Some(bytes) = in_time(field.chunk()).await? {
            total = total.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            file.write(&bytes).await?;
            if file.size_bytes() > limits.max_file_bytes || total > limits.max_total_bytes {
                return Ok(Err(Refused::FileTooLarge));
            }
        }
        let size = file.size_bytes();
        let object = file.finish().await?;
        files.kept.push(Kept { name, content_type, size, object });
    }
    Ok(Ok(()))
}

/// What the sender's browser calls it. Nobody relies on it: a file is only ever saved.
fn content_type(field: &Field<'_>) -> String {
    let said = field.content_type().unwrap_or("");
    let is_type = |text: &str| {
        let good = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
        text.split_once('/').is_some_and(|(kind, sub)| {
            [kind, sub].iter().all(|part| !part.is_empty() && part.len() <= 127 && part.chars().all(good))
        })
    };
    let essence = said.split(';').next().unwrap_or("").trim();
    if is_type(essence) { essence.to_ascii_lowercase() } else { "application/octet-stream".to_owned() }
}

async fn in_time<T>(read: impl Future<Output = Result<T, MultipartError>>) -> Result<T, Error> {
    match tokio::time::timeout(STALLED, read).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Error::too_large()),
        Ok(Err(_)) => Err(Error::invalid("The form is cut off or malformed.")),
        Err(_) => Err(Error::of(ErrorCode::Timeout)),
    }
}

async fn drain(multipart: &mut Multipart) {
    while let Ok(Some(mut field)) = in_time(multipart.next_field()).await {
        while let Ok(Some(_)) = in_time(field.chunk()).await {}
    }
}

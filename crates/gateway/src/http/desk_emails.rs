//! The desk's part of messages by e-mail: those of the companies that an agent serves, their files, whether they are done, and answers by mail.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::rest::MenuName;

use super::media::percent_encoded;
use super::request::{Body, PathOf, QueryOf};
use super::session::AgentSession;
use crate::clock::{iso_8601, now_ms};
use crate::error::Error;
use crate::mail::outbox::{self, Delivery, What};
use crate::message;
use crate::platform::embedded::emails::{self, Email, Reply};
use crate::platform::embedded::menus;
use crate::store::{Changed, Record, RecordKind, RecordQuery};
use crate::{App, Shared};

/// Messages of one page.
const PER_PAGE: u64 = 50;
/// What a list shows of a text, in characters.
const EXCERPT_CHARS: usize = 160;
/// Answers to one message.
const MAX_REPLIES: usize = 100;
/// A record is changed by few: so many conflicts in a row do not happen.
const ATTEMPTS: usize = 20;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read, mark))
        .routes(routes!(reply))
        .routes(routes!(attachment))
}

/// A message in a list.
#[derive(Serialize, ToSchema)]
struct DeskEmailLine {
    /// Its number.
    id: u64,
    /// Whose customer wrote it.
    company_id: String,
    /// When it came.
    created_at: String,
    /// `open` or `done`.
    status: String,
    /// Why it was written: `email`, `after_hours` or `over_capacity`.
    #[serde(rename = "type")]
    kind: String,
    /// The way to its queue.
    menus: Vec<MenuName>,
    /// The customer's name.
    name: Option<String>,
    /// The customer's address.
    email: String,
    /// How the text begins.
    excerpt: String,
    /// Its files.
    attachment_count: usize,
    /// Its answers.
    reply_count: usize,
}

/// A page of messages.
#[derive(Serialize, ToSchema)]
struct DeskEmails {
    /// Newest first.
    emails: Vec<DeskEmailLine>,
    /// What `before_id` of the next page is; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_before_id: Option<u64>,
}

/// A message.
#[derive(Serialize, ToSchema)]
struct DeskEmail {
    #[serde(flatten)]
    line: DeskEmailLine,
    /// The text.
    content: String,
    /// The customer's language.
    lang: String,
    /// Its files, in their order.
    attachments: Vec<DeskAttachment>,
    /// Its answers, oldest first.
    replies: Vec<DeskReply>,
    /// How the mail to the company's own address stands: `waiting`, `sent` or `failed`; absent where the company has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    forwarded: Option<String>,
}

/// A file.
#[derive(Serialize, ToSchema)]
struct DeskAttachment {
    /// Its name.
    name: String,
    /// What the customer's browser called it.
    content_type: String,
    /// Bytes.
    size: u64,
}

/// An answer.
#[derive(Serialize, ToSchema)]
struct DeskReply {
    /// When it was written.
    at: String,
    /// Who wrote it.
    agent_name: String,
    /// The text.
    content: String,
    /// How its mail stands: `waiting`, `sent` or `failed`.
    state: String,
}

/// A message in an answer.
#[derive(Serialize, ToSchema)]
struct DeskEmailBody {
    /// The message.
    email: DeskEmail,
}

#[derive(Deserialize, IntoParams)]
struct EmailsQuery {
    /// Only those of this company.
    company_id: Option<String>,
    /// Only those that are `open`, or `done`.
    status: Option<String>,
    /// Only those with a lower number.
    before_id: Option<u64>,
}

/// What an agent says of a message.
#[derive(Deserialize, ToSchema)]
struct EmailPatch {
    /// `open` or `done`.
    status: String,
}

/// An answer to a message.
#[derive(Deserialize, ToSchema)]
struct EmailReplyRequest {
    /// The idempotency key, 1 to 64 characters of `A-Z a-z 0-9 _ -`.
    client_id: String,
    /// The text.
    content: String,
}

fn status_of(text: &str) -> Result<&'static str, Error> {
    [emails::OPEN, emails::DONE]
        .into_iter()
        .find(|status| *status == text)
        .ok_or_else(|| Error::invalid("The `status` of a message by e-mail is `open` or `done`."))
}

/// Messages by e-mail, newest first.
#[utoipa::path(
    get, path = "/desk/api/v1/emails", tag = "desk", params(EmailsQuery), security(("desk" = [])),
    responses((status = 200, body = DeskEmails))
)]
async fn list(
    State(app): State<Shared>,
    session: AgentSession,
    QueryOf(query): QueryOf<EmailsQuery>,
) -> Result<Json<DeskEmails>, Error> {
    let served = app.platform.companies().map(|company| company.settings.id.clone());
    let served =
        served.filter(|id| session.agent.serves(id) && query.company_id.as_ref().is_none_or(|only| only == id));
    let query = RecordQuery {
        company_ids: Some(served.collect()),
        statuses: query.status.as_deref().map(status_of).transpose()?.map(str::to_owned).into_iter().collect(),
        before_id: query.before_id,
        ..RecordQuery::of(RecordKind::Email, PER_PAGE)
    };
    let records = app.store.records(query).await?;
    let is_full = u64::try_from(records.len()).is_ok_and(|count| count == PER_PAGE);
    let next_before_id = records.last().map(|record| record.id).filter(|_| is_full);
    let lines = records.iter().filter_map(|record| Some(line(&app, record, &Email::read(&record.content.body)?)));
    Ok(Json(DeskEmails { emails: lines.collect(), next_before_id }))
}

/// A message by e-mail.
#[utoipa::path(
    get, path = "/desk/api/v1/emails/{email_id}", tag = "desk", security(("desk" = [])),
    params(("email_id" = u64, Path, description = "A message by e-mail")), responses((status = 200, body = DeskEmailBody))
)]
async fn read(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf(email_id): PathOf<u64>,
) -> Result<Json<DeskEmailBody>, Error> {
    let (record, email) = visible(&app, &session, email_id).await?;
    Ok(body(&app, &record, email))
}

/// Say that a message is done, or not.
#[utoipa::path(
    patch, path = "/desk/api/v1/emails/{email_id}", tag = "desk", request_body = EmailPatch, security(("desk" = [])),
    params(("email_id" = u64, Path, description = "A message by e-mail")), responses((status = 200, body = DeskEmailBody))
)]
async fn mark(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf(email_id): PathOf<u64>,
    Body(patch): Body<EmailPatch>,
) -> Result<Json<DeskEmailBody>, Error> {
    let status = status_of(&patch.status)?;
    for _ in 0..ATTEMPTS {
        let (mut record, email) = visible(&app, &session, email_id).await?;
        if record.content.status == status {
            return Ok(body(&app, &record, email));
        }
        status.clone_into(&mut record.content.status);
        if app.store.change_record(record.clone(), Vec::new()).await? == Changed::Changed {
            app.bus.publish_chats_changed();
            return Ok(body(&app, &record, email));
        }
    }
    Err(Error::of(ErrorCode::Unavailable))
}

/// Answer a message by mail. Answered when it is stored durably.
#[utoipa::path(
    post, path = "/desk/api/v1/emails/{email_id}/replies", tag = "desk", request_body = EmailReplyRequest, security(("desk" = [])),
    params(("email_id" = u64, Path, description = "A message by e-mail")),
    responses((status = 201, body = DeskEmailBody), (status = 200, body = DeskEmailBody, description = "This client_id was stored before"))
)]
async fn reply(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf(email_id): PathOf<u64>,
    Body(request): Body<EmailReplyRequest>,
) -> Result<(StatusCode, Json<DeskEmailBody>), Error> {
    message::check_client_id(&request.client_id)?;
    if request.content.trim().is_empty() {
        return Err(Error::invalid("The text is empty."));
    }
    if request.content.len() > app.config.email.max_content_bytes {
        return Err(Error::too_large());
    }
    let Some(post) = &app.post else {
        let text = "This gateway sends no mail: [mail] is not configured.";
        return Err(Error::new(ErrorCode::Unsupported, text).with_status(StatusCode::CONFLICT));
    };
    for _ in 0..ATTEMPTS {
        let (mut record, mut email) = visible(&app, &session, email_id).await?;
        if email.replies.iter().any(|reply| reply.client_id == request.client_id) {
            return Ok((StatusCode::OK, body(&app, &record, email)));
        }
        if email.replies.len() >= MAX_REPLIES {
            return Err(Error::new(ErrorCode::Conflict, "This message has as many answers as it can have."));
        }
        let at_ms = now_ms();
        let mut deliveries = outbox::deliveries(&record.content);
        let what = What::Reply(email.replies.len());
        email.replies.push(Reply {
            client_id: request.client_id.clone(),
            at_ms,
            agent_id: session.agent.id,
            content: request.content.clone(),
            delivery: deliveries.len(),
        });
        deliveries.push(Delivery::new(what, email.email.clone(), at_ms));
        email.write(&mut record.content.body);
        outbox::put(&mut record.content, &deliveries);
        if app.store.change_record(record.clone(), Vec::new()).await? == Changed::Changed {
            post.look();
            app.bus.publish_chats_changed();
            return Ok((StatusCode::CREATED, body(&app, &record, email)));
        }
    }
    Err(Error::of(ErrorCode::Unavailable))
}

/// A file of a message, to be saved.
#[utoipa::path(
    get, path = "/desk/api/v1/emails/{email_id}/attachments/{position}", tag = "desk", security(("desk" = [])),
    params(("email_id" = u64, Path, description = "A message by e-mail"), ("position" = usize, Path, description = "Which of its files, from 0 on")),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"))
)]
async fn attachment(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf((email_id, position)): PathOf<(u64, usize)>,
) -> Result<Response, Error> {
    let (_, email) = visible(&app, &session, email_id).await?;
    let kept = email.attachments.get(position).ok_or_else(|| Error::of(ErrorCode::NotFound))?;
    let bytes = app.media.read_object(&kept.object).await?;
    // Whatever it is, it is saved and never shown.
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "private, no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(kept.size));
    let how = format!("attachment; filename*=UTF-8''{}", percent_encoded(&kept.name));
    if let Ok(value) = HeaderValue::from_str(&how) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok((headers, bytes).into_response())
}

/// A message to a company that the agent serves.
async fn visible(app: &App, session: &AgentSession, email_id: u64) -> Result<(Record, Email), Error> {
    let record = app.store.record(RecordKind::Email, email_id).await?;
    let record = record.filter(|record| session.agent.serves(&record.content.company_id));
    let found = record.and_then(|record| Some((Email::read(&record.content.body)?, record)));
    found.map(|(email, record)| (record, email)).ok_or_else(|| Error::of(ErrorCode::NotFound))
}

fn line(app: &App, record: &Record, email: &Email) -> DeskEmailLine {
    let company = app.platform.company(&record.content.company_id).map(|company| &**company);
    let lang = company.map_or("en", |company| company.default_lang());
    DeskEmailLine {
        id: record.id,
        company_id: record.content.company_id.clone(),
        created_at: iso_8601(record.content.at_ms),
        status: record.content.status.clone(),
        kind: email.kind.clone(),
        menus: menus::path(company, email.menu_id, lang),
        name: email.name.clone(),
        email: email.email.clone(),
        excerpt: email.content.chars().take(EXCERPT_CHARS).collect(),
        attachment_count: email.attachments.len(),
        reply_count: email.replies.len(),
    }
}

fn body(app: &App, record: &Record, email: Email) -> Json<DeskEmailBody> {
    let deliveries = outbox::deliveries(&record.content);
    let state = |position: usize| {
        deliveries.get(position).map(|delivery| delivery.state.as_str().to_owned()).unwrap_or_default()
    };
    let forwarded = deliveries.iter().find(|delivery| delivery.what == What::Message);
    let attachments = email.attachments.iter().map(|kept| DeskAttachment {
        name: kept.name.clone(),
        content_type: kept.content_type.clone(),
        size: kept.size,
    });
    let replies = email.replies.iter().map(|reply| DeskReply {
        at: iso_8601(reply.at_ms),
        agent_name: app.platform.agents.name(reply.agent_id).name,
        content: reply.content.clone(),
        state: state(reply.delivery),
    });
    let shown = DeskEmail {
        line: line(app, record, &email),
        attachments: attachments.collect(),
        replies: replies.collect(),
        forwarded: forwarded.map(|delivery| delivery.state.as_str().to_owned()),
        lang: email.lang,
        content: email.content,
    };
    Json(DeskEmailBody { email: shown })
}

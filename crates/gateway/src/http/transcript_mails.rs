//! The end-user API about transcripts by mail: taken when they are recorded, sent by the outbox. So few in a day that nobody can write to strangers with
//! the gateway as their mail server.

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Map;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::rest::TranscriptMailRequest;

use super::end_user::own_chat;
use super::request::{Body, PathOf};
use super::session::EndUserSession;
use crate::Shared;
use crate::clock::now_ms;
use crate::error::Error;
use crate::mail::letter::address;
use crate::mail::outbox::{self, Delivery, What};
use crate::message;
use crate::store::{CapOf, Kept, NewRecord, RecordCap, RecordKind};

/// Addresses of one request.
const MAX_ADDRESSES: usize = 5;
/// The time over which requests are counted.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// When someone who asked too often may ask again; some of it may be free by then.
const OVER_CAP_RETRY_MS: u64 = 60 * 60 * 1000;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(send))
}

/// Have the transcript of a chat sent to addresses. Answered when that is recorded durably.
#[utoipa::path(
    post, path = "/api/v1/chats/{chat_id}/transcript_mails", tag = "end user", request_body = TranscriptMailRequest,
    security(("session" = [])), params(("chat_id" = u64, Path, description = "A chat")), responses((status = 204))
)]
async fn send(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    Body(request): Body<TranscriptMailRequest>,
) -> Result<StatusCode, Error> {
    let settings = &session.company.settings;
    if !settings.email_transcripts {
        let text = "This company sends no transcripts by mail: see `email_transcripts` of the company.";
        return Err(Error::new(ErrorCode::Unsupported, text).with_status(StatusCode::FORBIDDEN));
    }
    let Some(post) = &app.post else {
        let text = "This gateway sends no mail: [mail] is not configured.";
        return Err(Error::new(ErrorCode::Unsupported, text).with_status(StatusCode::CONFLICT));
    };
    let mut addresses: Vec<String> = Vec::new();
    for text in &request.emails {
        let text = text.trim();
        if address(text).is_none() {
            return Err(Error::invalid("Each of `emails` is one address, such as uma@mail.example."));
        }
        if !addresses.iter().any(|known| known.eq_ignore_ascii_case(text)) {
            addresses.push(text.to_owned());
        }
    }
    if addresses.is_empty() || request.emails.len() > MAX_ADDRESSES {
        return Err(Error::invalid("`emails` has 1 to 5 addresses."));
    }
    if let Some(client_id) = &request.client_id {
        message::check_client_id(client_id)?;
    }
    let chat = own_chat(&app, &session, chat_id).await?;
    if chat.state.last_index > app.config.transcripts.max_messages {
        return Err(Error::of(ErrorCode::TooLarge));
    }
    let now_ms = now_ms();
    let mut body = Map::new();
    body.insert("last_index".to_owned(), chat.state.last_index.into());
    if let Some(lang) = request.lang.filter(|lang| (2..=35).contains(&lang.len())) {
        body.insert("lang".to_owned(), session.company.lang(Some(&lang)).into());
    }
    let mut record = NewRecord {
        kind: RecordKind::Mail,
        company_id: settings.id.clone(),
        end_user_id: Some(session.end_user_id),
        chat_id: Some(chat_id),
        key: request.client_id.map(|client_id| format!("{}:{chat_id}:{client_id}", session.end_user_id)),
        topic: None,
        status: outbox::WAITING.to_owned(),
        due_at_ms: None,
        at_ms: now_ms,
        body,
    };
    let mails = addresses.into_iter().map(|to| Delivery::new(What::Transcript, to, now_ms));
    outbox::put(&mut record, &mails.collect::<Vec<_>>());
    let limits = app.config.mail.transcripts;
    let cap = |of, most| RecordCap { of, since_ms: now_ms.saturating_sub(DAY_MS), statuses: Vec::new(), most };
    let caps = vec![
        cap(CapOf::Chat, limits.per_chat),
        cap(CapOf::EndUser, limits.per_end_user),
        cap(CapOf::Company, limits.per_company),
    ];
    match app.store.keep_record(record, caps).await? {
        Kept::Fresh(_) | Kept::Known(_) => {
            post.look();
            Ok(StatusCode::NO_CONTENT)
        }
        Kept::Full => Err(Error::rate_limited(OVER_CAP_RETRY_MS)),
    }
}

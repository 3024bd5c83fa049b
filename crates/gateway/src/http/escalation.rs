//! The end-user API about asking for a person: what is offered instead of waiting, the wish itself, and what the customer chose where it was
//! deflected. Whether it is deflected is decided in the chat's own transaction (`platform::embedded::virtual_agent`).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use engine::gateway::{Actor, Author, Command, Notice, Status};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::rest::{ChatDeflection, EscalateRequest, Escalation, EscalationOption, EscalationPatch};

use super::company::LangQuery;
use super::end_user::own_chat;
use super::request::{Body, PathOf, QueryOf};
use super::session::EndUserSession;
use crate::clock::now_ms;
use crate::error::Error;
use crate::platform::embedded::deflection::{self, ESCALATION_DEFLECTED};
use crate::platform::embedded::live;
use crate::store::{ChatRecord, NewEscalation, PageLimit};
use crate::{App, Shared};

/// What a customer can choose. The words are the vendor's, but for `virtual_agent`.
const CHANNELS: [&str; 4] = [HUMAN_AGENT, "email", EXTERNAL_LINK, "virtual_agent"];
const HUMAN_AGENT: &str = "human_agent";
const EXTERNAL_LINK: &str = "external_link";
/// How far back the notice of an earlier escalation is looked for.
const LOOK_BACK: u64 = 200;
/// The number of an escalation that has no notice: the chat has been with people from the beginning.
const FROM_THE_BEGINNING: u64 = 1;
/// Longest reason.
const MAX_REASON_BYTES: usize = 320;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(chat_deflection)).routes(routes!(escalate)).routes(routes!(choose))
}

/// What is offered instead of waiting in the chat's queue.
#[utoipa::path(
    get, path = "/api/v1/chats/{chat_id}/deflection", tag = "end user", security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat"), LangQuery), responses((status = 200, body = ChatDeflection))
)]
async fn chat_deflection(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    QueryOf(query): QueryOf<LangQuery>,
) -> Result<Json<ChatDeflection>, Error> {
    let record = own_chat(&app, &session, chat_id).await?;
    let (company, menu_id) = (&session.company, record.state.menu_id);
    live::look(&app, company).await?;
    let state = app.platform.live.of(&record.company_id, menu_id);
    let lang = company.lang(query.lang.as_deref().or(Some(&record.lang)));
    Ok(Json(deflection::present(company, Some(menu_id), state, lang)))
}

/// Ask for a person instead of the virtual agent.
#[utoipa::path(
    post, path = "/api/v1/chats/{chat_id}/escalations", tag = "end user", request_body = EscalateRequest, security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 201, body = Escalation))
)]
async fn escalate(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    Body(request): Body<EscalateRequest>,
) -> Result<(StatusCode, Json<Escalation>), Error> {
    let command = match request.other.get("force_escalate") {
        None | Some(Value::Null | Value::Bool(false)) => Command::Escalate,
        Some(Value::Bool(true)) => Command::EscalateAnyway,
        Some(_) => return Err(Error::invalid("`force_escalate` is a boolean.")),
    };
    if request.reason.as_ref().is_some_and(|reason| reason.len() > MAX_REASON_BYTES) {
        return Err(Error::too_large());
    }
    let before = own_chat(&app, &session, chat_id).await?;
    live::look(&app, &session.company).await?;
    let comes_back = matches!(before.state.status, Status::Dismissed | Status::CheckedOut);
    if comes_back && is_closed(&app, &before) {
        return Err(Error::of(ErrorCode::AfterHours));
    }
    app.chats.command(chat_id, Actor::EndUser(session.end_user_id), command).await?;
    // The notice is the command's own, or that of the escalation which has the chat in the queue already.
    let notice = match newest_notice(&app, chat_id, before.state.last_index).await? {
        Some(notice) => Some(notice),
        None => newest_notice(&app, chat_id, before.state.last_index.saturating_sub(LOOK_BACK))
            .await?
            .filter(|notice| notice.deflected.is_none()),
    };
    let notice = notice.unwrap_or(Found { id: FROM_THE_BEGINNING, at_ms: now_ms(), deflected: None });
    let recorded = NewEscalation {
        chat_id,
        escalation_id: notice.id,
        at_ms: notice.at_ms,
        reason: request.reason,
        request: request.other,
    };
    app.store.record_escalation(recorded).await?;
    Ok((StatusCode::CREATED, Json(notice.present(chat_id))))
}

/// Say where the customer went after a deflected escalation.
#[utoipa::path(
    patch, path = "/api/v1/chats/{chat_id}/escalations/{escalation_id}", tag = "end user", request_body = EscalationPatch,
    security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat"), ("escalation_id" = u64, Path, description = "An escalation of this chat")),
    responses((status = 200, body = Escalation))
)]
async fn choose(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf((chat_id, escalation_id)): PathOf<(u64, u64)>,
    Body(patch): Body<EscalationPatch>,
) -> Result<Json<Escalation>, Error> {
    let channel = CHANNELS.into_iter().find(|channel| *channel == patch.deflection_channel).ok_or_else(|| {
        Error::invalid("`deflection_channel` is one of `human_agent`, `email`, `external_link` and `virtual_agent`.")
    })?;
    let record = own_chat(&app, &session, chat_id).await?;
    let found = notice_at(&app, chat_id, escalation_id).await?.ok_or_else(|| Error::of(ErrorCode::NotFound))?;
    let offers = |options: &[EscalationOption]| options.iter().any(|option| option.channel == channel);
    match &found.deflected {
        Some((_, options)) if offers(options) => {}
        Some(_) => return Err(Error::new(ErrorCode::Conflict, "This channel was not among the escalation's options.")),
        // It led to a person, and is said to have.
        None if channel == HUMAN_AGENT => return Ok(Json(found.present(chat_id))),
        None => {
            return Err(Error::new(ErrorCode::Conflict, "This escalation was not deflected: a person has the chat."));
        }
    }
    if channel == HUMAN_AGENT {
        live::look(&app, &session.company).await?;
        let is_with_people = matches!(record.state.status, Status::Queued | Status::Assigned);
        if record.state.status.is_over() {
            return Err(Error::of(ErrorCode::ChatEnded));
        } else if !is_with_people && is_closed(&app, &record) {
            return Err(Error::of(ErrorCode::AfterHours));
        }
    }
    let chosen = app.store.choose_escalation_channel(chat_id, escalation_id, channel, now_ms()).await?;
    if chosen != channel {
        return Err(Error::new(ErrorCode::Conflict, "Another channel was chosen before."));
    }
    // Repeated where the choice is: what it leads to may not have happened the first time.
    let leads_to = match channel {
        HUMAN_AGENT => Some(Command::EscalateAnyway),
        EXTERNAL_LINK => Some(Command::Finish),
        _ => None,
    };
    if let Some(command) = leads_to {
        app.chats.command(chat_id, Actor::EndUser(session.end_user_id), command).await?;
    }
    let status = if channel == HUMAN_AGENT { ESCALATED } else { DEFLECTED };
    Ok(Json(Escalation { id: escalation_id, chat_id, status: status.to_owned(), reason: None, options: None }))
}

fn is_closed(app: &App, record: &ChatRecord) -> bool {
    app.platform.live.of(&record.company_id, record.state.menu_id).closed
}

const ESCALATED: &str = "escalated";
const DEFLECTED: &str = "deflected";

/// The notice of an escalation, by which it is known.
struct Found {
    id: u64,
    at_ms: u64,
    /// Why, and what was offered instead.
    deflected: Option<(String, Vec<EscalationOption>)>,
}

impl Found {
    fn present(self, chat_id: u64) -> Escalation {
        let status = if self.deflected.is_some() { DEFLECTED } else { ESCALATED };
        let (reason, options) = self.deflected.unzip();
        Escalation { id: self.id, chat_id, status: status.to_owned(), reason, options }
    }

    /// The notice in a message, where there is one.
    fn read(message: &engine::gateway::Message<crate::store::MessageBody>) -> Option<Found> {
        if message.author != Author::System {
            return None;
        }
        let body: Value = serde_json::from_str(message.body.json()).ok()?;
        let event = body.get("event")?.as_str()?;
        let deflected = if event == ESCALATION_DEFLECTED {
            let options = serde_json::from_value(body.get("options")?.clone()).ok()?;
            Some((body.get("reason")?.as_str()?.to_owned(), options))
        } else if event == Notice::EscalationStarted.as_str() {
            None
        } else {
            return None;
        };
        Some(Found { id: message.index, at_ms: message.at_ms, deflected })
    }
}

/// The newest notice of an escalation after an index.
async fn newest_notice(app: &App, chat_id: u64, after_index: u64) -> Result<Option<Found>, Error> {
    let limit = PageLimit { messages: wire::MESSAGES_PAGE_LIMIT, bytes: app.config.limits.max_page_bytes };
    let messages = app.store.messages_after(chat_id, after_index, limit).await?;
    Ok(messages.iter().rev().find_map(Found::read))
}

async fn notice_at(app: &App, chat_id: u64, index: u64) -> Result<Option<Found>, Error> {
    let Some(before) = index.checked_sub(1) else { return Ok(None) };
    let limit = PageLimit { messages: 1, bytes: usize::MAX };
    let messages = app.store.messages_after(chat_id, before, limit).await?;
    Ok(messages.first().filter(|message| message.index == index).and_then(Found::read))
}

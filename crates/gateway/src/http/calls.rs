//! Calls over HTTP (`docs/protocol.md`, "Calls"): the end user asks for one, moves it, cancels it and reads the times at which one can be had; the desk
//! lists them and moves their status. Reads and checks; what a call may become is `platform::embedded::calls`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::rest::{Call, CallPatch, ChatAgent, CreateCallRequest, EndUser, TimeSlotAvailability, TimeSlots};

use super::end_user::shut;
use super::request::{Body, PathOf, QueryOf};
use super::session::{AgentSession, EndUserSession};
use crate::clock::{iso_8601, now_ms};
use crate::config::{Channel, Menu};
use crate::error::Error;
use crate::message;
use crate::platform::embedded::agents::Agent;
use crate::platform::embedded::calls::{self, OPEN, OVER, Refused, Status};
use crate::platform::embedded::custom_data::{self, CustomerFlags, DeskCustomData};
use crate::platform::embedded::menus::{self, Shut};
use crate::store::{Kept, NewRecord, Record, RecordKind, RecordQuery, StoreError};
use crate::{App, Shared};

/// Longest e-mail address or ticket number.
const MAX_WORD_BYTES: usize = 320;
/// Longest language tag.
const MAX_LANG_BYTES: usize = 35;
/// Calls that a desk shows at most: those that are not over.
const MAX_OPEN: u64 = 500;
/// Those that are over.
const MAX_OVER: u64 = 50;
const PERMISSIONS: [&str; 3] = [NOT_ASKED, "recording_permission_granted", "recording_permission_denied"];
const NOT_ASKED: &str = "recording_permission_not_asked";

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(create_call))
        .routes(routes!(call, change_call))
        .routes(routes!(time_slots))
        .routes(routes!(time_slot_availability))
}

pub(super) fn desk_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(desk_calls)).routes(routes!(move_call))
}

/// What a list of times is asked for. What the vendor's newer releases send beside it is taken and changes nothing.
#[derive(Deserialize, IntoParams)]
struct SlotQuery {
    /// A BCP 47 tag. The times are the same in every language.
    #[serde(rename = "lang")]
    #[allow(dead_code, reason = "documented for callers")]
    lang: Option<String>,
}

/// Ask for a call: as soon as somebody is free, or in a slot of time.
#[utoipa::path(
    post, path = "/api/v1/menus/{menu_id}/calls", tag = "end user", request_body = CreateCallRequest, security(("session" = [])),
    params(("menu_id" = u64, Path, description = "A queue")),
    responses((status = 201, body = Call), (status = 200, body = Call, description = "The call that this client_id asked for before"))
)]
async fn create_call(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(menu_id): PathOf<u64>,
    Body(request): Body<CreateCallRequest>,
) -> Result<(StatusCode, Json<Call>), Error> {
    message::check_client_id(&request.client_id)?;
    let company = &session.company;
    let company_id = &company.settings.id;
    let key = format!("{}:{}", session.end_user_id, request.client_id);
    // A repeated request is answered as the first one was, whatever the hour and however old its tokens.
    if let Some(known) = app.store.record_with_key(RecordKind::Call, company_id, &key).await? {
        return Ok((StatusCode::OK, shown(&app, &known)?));
    }
    let asked = Asked::read(&request.call)?;
    let mut said = request.call.clone();
    said.retain(|key, _| key == "custom_data");
    custom_data::check(&mut said, &company.settings.secret, app.config.session.jwt_leeway_ms, &app.config.limits)?;
    let now_ms = now_ms();
    let queue = reached(&session, menu_id)?;
    let settings = company.calls(queue.id);
    let number = calls::read_number(asked.phone_number, settings.country()).ok_or_else(|| {
        Error::invalid("`phone_number` is no telephone number: write it with its country code, as +39 02 3661 8300.")
    })?;
    match asked.scheduled_at_ms {
        None if !company.is_open(queue.id, now_ms) => {
            let text = "Nobody calls at this hour: schedule the call at one of `getTimeSlots`.";
            return Err(Error::new(ErrorCode::AfterHours, text));
        }
        Some(at_ms) if !calls::slots(company, queue.id, now_ms).contains(&at_ms) => return Err(no_slot()),
        _ => {}
    }
    let end_user = app.store.end_user_by_id(session.end_user_id).await?;
    let (identifier, name) = end_user.map(|user| (user.identifier, user.profile.name)).unwrap_or_default();
    let body = calls::Body {
        menu_id: queue.id,
        lang: asked.lang.unwrap_or_else(|| company.default_lang()).to_owned(),
        phone_number: number.e164,
        phone_number_text: number.text,
        email: asked.email.map(str::to_owned),
        ticket_id: asked.ticket_id.map(str::to_owned),
        recording_permission: asked.recording_permission.to_owned(),
        request: said,
        survey_enabled: settings.survey_enabled,
        end_user_identifier: identifier,
        end_user_name: name,
        scheduled_at_ms: asked.scheduled_at_ms,
        queued_at_ms: asked.scheduled_at_ms.is_none().then_some(now_ms),
        agent_id: None,
    };
    let topic = asked.scheduled_at_ms.map(|at_ms| calls::topic(queue.id, at_ms));
    let record = NewRecord {
        kind: RecordKind::Call,
        company_id: company_id.clone(),
        end_user_id: Some(session.end_user_id),
        chat_id: None,
        key: Some(key),
        topic: topic.clone(),
        status: if topic.is_some() { Status::Scheduled } else { Status::Queued }.as_str().to_owned(),
        due_at_ms: asked.scheduled_at_ms,
        at_ms: now_ms,
        body: body.write()?,
    };
    match app.store.keep_record(record, calls::caps(&settings, now_ms)).await? {
        Kept::Fresh(record) => {
            app.bus.publish_chats_changed();
            Ok((StatusCode::CREATED, shown(&app, &record)?))
        }
        Kept::Known(record) => Ok((StatusCode::OK, shown(&app, &record)?)),
        Kept::Full => Err(match is_taken(&app, company_id, topic, settings.per_slot).await? {
            true => no_slot(),
            false => Error::new(
                ErrorCode::RateLimited,
                "You have asked for as many calls as one can: cancel one, or wait until one is over.",
            ),
        }),
    }
}

/// Whether a slot has no room.
async fn is_taken(app: &App, company_id: &str, topic: Option<String>, per_slot: u64) -> Result<bool, StoreError> {
    let Some(topic) = topic else { return Ok(false) };
    let query = RecordQuery {
        company_ids: Some(vec![company_id.to_owned()]),
        topic: Some(topic),
        statuses: calls::texts(&OPEN),
        ..RecordQuery::of(RecordKind::Call, per_slot)
    };
    Ok(app.store.count_records(query).await? >= per_slot)
}

fn no_slot() -> Error {
    Error::new(ErrorCode::Conflict, "This time cannot be had, or not any more: choose one of `getTimeSlots`.")
}

/// The queue whose people call.
fn reached(session: &EndUserSession, menu_id: u64) -> Result<&Menu, Error> {
    menus::reached(&session.company, menu_id, Channel::VoiceCall).map_err(|why| match why {
        Shut::NotReached => {
            Error::new(ErrorCode::Conflict, "This queue is not reached by telephone: see its `channels`.")
        }
        why => shut(why),
    })
}

/// What a `CallRequest` asks for.
struct Asked<'a> {
    phone_number: &'a str,
    lang: Option<&'a str>,
    email: Option<&'a str>,
    ticket_id: Option<&'a str>,
    recording_permission: &'a str,
    scheduled_at_ms: Option<u64>,
}

impl Asked<'_> {
    fn read(call: &Map<String, Value>) -> Result<Asked<'_>, Error> {
        let text = |name: &str, most: usize| match call.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) if text.len() <= most => Ok(Some(text.as_str())),
            Some(Value::String(_)) => Err(Error::too_large()),
            Some(_) => Err(Error::invalid(
                "`phone_number`, `lang`, `scheduled_at`, `ticket_id`, `email` and `recording_permission` of a call are strings.",
            )),
        };
        let permission = text("recording_permission", MAX_WORD_BYTES)?.unwrap_or(NOT_ASKED);
        if !PERMISSIONS.contains(&permission) {
            return Err(Error::invalid(
                "`recording_permission` is `recording_permission_not_asked`, `recording_permission_granted` or \
                 `recording_permission_denied`.",
            ));
        }
        Ok(Asked {
            phone_number: text("phone_number", MAX_WORD_BYTES)?
                .ok_or_else(|| Error::invalid("A call needs a `phone_number`."))?,
            lang: text("lang", MAX_LANG_BYTES)?,
            email: text("email", MAX_WORD_BYTES)?,
            ticket_id: text("ticket_id", MAX_WORD_BYTES)?,
            recording_permission: permission,
            scheduled_at_ms: text("scheduled_at", MAX_WORD_BYTES)?.map(read_time).transpose()?,
        })
    }
}

fn read_time(text: &str) -> Result<u64, Error> {
    let at = text.parse::<Timestamp>().ok().and_then(|at| u64::try_from(at.as_millisecond()).ok());
    at.ok_or_else(|| Error::invalid("`scheduled_at` is a time such as 2026-11-24T09:30:00Z."))
}

/// A call of this end user.
#[utoipa::path(
    get, path = "/api/v1/calls/{call_id}", tag = "end user", security(("session" = [])),
    params(("call_id" = u64, Path, description = "A call")), responses((status = 200, body = Call))
)]
async fn call(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(call_id): PathOf<u64>,
) -> Result<Json<Call>, Error> {
    shown(&app, &own_call(&app, &session, call_id).await?)
}

/// Cancel a call that has not begun, or move it to another slot.
#[utoipa::path(
    patch, path = "/api/v1/calls/{call_id}", tag = "end user", request_body = CallPatch, security(("session" = [])),
    params(("call_id" = u64, Path, description = "A call")), responses((status = 200, body = Call))
)]
async fn change_call(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(call_id): PathOf<u64>,
    Body(patch): Body<CallPatch>,
) -> Result<Json<Call>, Error> {
    let at_ms = match (patch.status.as_deref(), &patch.scheduled_at) {
        (Some("canceled"), None) => None,
        (None, Some(text)) => Some(read_time(text)?),
        _ => {
            let text = "A call can be given `status` \"canceled\" or another `scheduled_at`, one of the two.";
            return Err(Error::invalid(text));
        }
    };
    let record = own_call(&app, &session, call_id).await?;
    let company = &session.company;
    let changed = match at_ms {
        None => calls::change(app.store.as_ref(), record, &[], calls::cancel).await,
        Some(at_ms) => {
            let per_slot = company.calls(calls::Body::of(&record)?.menu_id).per_slot;
            let change = |record| calls::reschedule(company, record, at_ms, now_ms());
            calls::change(app.store.as_ref(), record, &[calls::slot_cap(per_slot)], change).await
        }
    };
    let changed = changed.map_err(refusal)?;
    app.bus.publish_chats_changed();
    shown(&app, &changed)
}

fn refusal(why: Refused) -> Error {
    match why {
        Refused::NotNow => Error::new(ErrorCode::Conflict, "The call is in progress or over, so this is not possible."),
        Refused::Elsewhere => Error::new(ErrorCode::Conflict, "Another agent has this call."),
        Refused::NoSlot => no_slot(),
        Refused::Store(cause) => cause.into(),
    }
}

/// A call of this end user; someone else's does not exist for them.
async fn own_call(app: &App, session: &EndUserSession, call_id: u64) -> Result<Record, Error> {
    let record = app.store.record(RecordKind::Call, call_id).await?;
    record
        .filter(|record| record.content.end_user_id == Some(session.end_user_id))
        .ok_or_else(|| Error::of(ErrorCode::NotFound))
}

fn shown(app: &App, record: &Record) -> Result<Json<Call>, Error> {
    let company = app.platform.company(&record.content.company_id);
    Ok(Json(calls::present(company.map(|company| &**company), record, &calls::Body::of(record)?)))
}

/// The times at which a call can be had.
#[utoipa::path(
    get, path = "/api/v1/menus/{menu_id}/time_slots", tag = "end user", security(("session" = [])),
    params(("menu_id" = u64, Path, description = "A queue"), SlotQuery), responses((status = 200, body = TimeSlots))
)]
async fn time_slots(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(menu_id): PathOf<u64>,
    QueryOf(SlotQuery { .. }): QueryOf<SlotQuery>,
) -> Result<Json<TimeSlots>, Error> {
    let queue = reached(&session, menu_id)?;
    let slots = calls::availability(&app, &session.company, queue.id).await?;
    Ok(Json(TimeSlots { time_slots: slots.into_iter().filter(|slot| slot.free > 0).map(|slot| slot.at).collect() }))
}

/// The slots of a queue with the calls that can still be had in each.
#[utoipa::path(
    get, path = "/api/v1/menus/{menu_id}/time_slot_availability", tag = "end user", security(("session" = [])),
    params(("menu_id" = u64, Path, description = "A queue"), SlotQuery), responses((status = 200, body = TimeSlotAvailability))
)]
async fn time_slot_availability(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(menu_id): PathOf<u64>,
    QueryOf(SlotQuery { .. }): QueryOf<SlotQuery>,
) -> Result<Json<TimeSlotAvailability>, Error> {
    let queue = reached(&session, menu_id)?;
    let company = &session.company;
    Ok(Json(TimeSlotAvailability {
        slots: calls::availability(&app, company, queue.id).await?,
        slot_ms: company.calls(queue.id).slot_ms,
        timezone: company.hours(queue.id).timezone().to_owned(),
    }))
}

/// A call as the desk sees it.
#[derive(Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct DeskCall {
    id: u64,
    /// Grows with each change.
    revision: u64,
    /// Whose customer it is.
    company_id: String,
    lang: String,
    menu_id: u64,
    /// The way to the queue, in the call's language.
    menu_names: Vec<String>,
    status: String,
    #[serde(rename = "type")]
    kind: String,
    scheduled_at: Option<String>,
    created_at: String,
    /// Since when it waits, or waited, for an agent.
    waiting_since_ms: Option<u64>,
    /// The number to call, as E.164.
    phone_number: String,
    /// The same as people write it, with its extension.
    phone_number_text: String,
    /// What the customer said about recording.
    recording_permission: String,
    recording_permitted: bool,
    email: Option<String>,
    ticket_id: Option<String>,
    end_user: EndUser,
    /// The customer's name, where the site told it.
    end_user_name: Option<String>,
    /// Who has it, or had it at its end.
    agent: Option<ChatAgent>,
    /// The entries of the site's `custom_data`, without those that it marked `invisible_to_agent`.
    custom_data: DeskCustomData,
    /// What the reserved keys of `custom_data` say, signed or not.
    customer_flags: CustomerFlags,
    /// What the signed ones say: only that is verified.
    customer_flags_signed: CustomerFlags,
}

/// The calls of an agent's companies.
#[derive(Serialize, ToSchema)]
struct DeskCalls {
    /// Not over, the first asked for first.
    open: Vec<DeskCall>,
    /// Over, the last one first.
    over: Vec<DeskCall>,
}

/// A call in an answer.
#[derive(Serialize, ToSchema)]
struct DeskCallBody {
    /// The call.
    call: DeskCall,
}

/// Where an agent moves a call.
#[derive(Deserialize, ToSchema)]
struct DeskCallPatch {
    /// `assigned`, `connecting`, `connected`, `finished`, `failed`, `canceled`, or `queued` to give it back.
    status: String,
}

/// The calls of the agent's companies.
#[utoipa::path(
    get, path = "/desk/api/v1/calls", tag = "desk", security(("desk" = [])), responses((status = 200, body = DeskCalls))
)]
async fn desk_calls(State(app): State<Shared>, session: AgentSession) -> Result<Json<DeskCalls>, Error> {
    let over = calls_of(&app, &session.agent, &OVER, MAX_OVER).await?;
    Ok(Json(DeskCalls { open: open_calls(&app, &session.agent).await?, over }))
}

/// The calls of an agent's companies that are not over.
pub(crate) async fn open_calls(app: &App, agent: &Agent) -> Result<Vec<DeskCall>, Error> {
    let mut calls = calls_of(app, agent, &OPEN, MAX_OPEN).await?;
    calls.reverse();
    Ok(calls)
}

async fn calls_of(app: &App, agent: &Agent, statuses: &[Status], limit: u64) -> Result<Vec<DeskCall>, Error> {
    let served = app.platform.companies().map(|company| company.settings.id.clone()).filter(|id| agent.serves(id));
    let query = RecordQuery {
        company_ids: Some(served.collect()),
        statuses: calls::texts(statuses),
        ..RecordQuery::of(RecordKind::Call, limit)
    };
    let records = app.store.records(query).await?;
    Ok(records.iter().map(|record| on_desk(app, record)).collect::<Result<_, _>>()?)
}

fn on_desk(app: &App, record: &Record) -> Result<DeskCall, StoreError> {
    let body = calls::Body::of(record)?;
    let content = &record.content;
    let company = app.platform.company(&content.company_id);
    let call = calls::present(company.map(|company| &**company), record, &body);
    let shown = custom_data::shown(&body.request);
    Ok(DeskCall {
        id: record.id,
        revision: record.revision,
        company_id: content.company_id.clone(),
        lang: call.lang,
        menu_id: call.menu_id,
        menu_names: call.menus.into_iter().map(|menu| menu.name).collect(),
        status: call.status,
        kind: call.kind,
        scheduled_at: body.scheduled_at_ms.map(iso_8601),
        created_at: call.created_at,
        waiting_since_ms: body.queued_at_ms,
        phone_number: body.phone_number,
        phone_number_text: body.phone_number_text,
        recording_permission: body.recording_permission,
        recording_permitted: call.recording_permitted,
        email: body.email,
        ticket_id: body.ticket_id,
        end_user: EndUser { id: content.end_user_id.unwrap_or_default(), identifier: body.end_user_identifier },
        end_user_name: body.end_user_name,
        agent: body.agent_id.map(|id| app.platform.agents.name(id)),
        custom_data: shown.custom_data,
        customer_flags: shown.flags,
        customer_flags_signed: shown.flags_signed,
    })
}

/// Move a call: take it, dial, talk, end it, or give it back. No telephone rings by this.
#[utoipa::path(
    patch, path = "/desk/api/v1/calls/{call_id}", tag = "desk", request_body = DeskCallPatch, security(("desk" = [])),
    params(("call_id" = u64, Path, description = "A call")), responses((status = 200, body = DeskCallBody))
)]
async fn move_call(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf(call_id): PathOf<u64>,
    Body(patch): Body<DeskCallPatch>,
) -> Result<Json<DeskCallBody>, Error> {
    let to = Status::from_text(&patch.status).filter(|to| *to != Status::Scheduled).ok_or_else(|| {
        Error::invalid(
            "`status` of a call is `assigned`, `connecting`, `connected`, `finished`, `failed`, `canceled` or `queued`.",
        )
    })?;
    let record = app.store.record(RecordKind::Call, call_id).await?;
    let record = record
        .filter(|record| session.agent.serves(&record.content.company_id))
        .ok_or_else(|| Error::of(ErrorCode::NotFound))?;
    let change = |record| calls::moved(record, to, session.agent.id, now_ms());
    let changed = calls::change(app.store.as_ref(), record, &[], change).await.map_err(refusal)?;
    app.bus.publish_chats_changed();
    Ok(Json(DeskCallBody { call: on_desk(&app, &changed)? }))
}

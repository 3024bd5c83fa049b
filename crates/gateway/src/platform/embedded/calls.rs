//! Calls as the embedded platform has them: a call is a record that somebody asked to be called, at once or in a slot of time, and the desk moves its
//! status. No telephone rings: what dials is outside. Says which times can be had, what a call may become, and how it reads; the store counts.

use std::collections::HashMap;

use phonenumber::country::Id;
use phonenumber::{Mode, PhoneNumber};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wire::rest::{Call, TimeSlot};

use super::company::Company;
use super::menus;
use crate::clock::{iso_8601, now_ms};
use crate::store::{CapOf, Changed, Record, RecordCap, RecordKind, RecordQuery, Store, StoreError};
use crate::{App, Shared};

/// Longest telephone number as somebody writes it.
const MAX_NUMBER_BYTES: usize = 64;
/// Calls of a company that are looked through at a time.
const MOST_OPEN: u64 = 20_000;
/// Calls whose time has come that are moved at a time.
const BATCH: u64 = 100;
/// How often calls whose time has come are looked for.
const TICK: std::time::Duration = std::time::Duration::from_secs(1);
/// The day that a limit counts.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Where a call stands. The words are the vendor's (`ccaip.md` 11.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Its time has not come.
    Scheduled,
    /// It waits for an agent.
    Queued,
    /// An agent has it.
    Assigned,
    /// The agent dials.
    Connecting,
    /// They talk.
    Connected,
    /// They have talked.
    Finished,
    /// They could not talk.
    Failed,
    /// It is not wanted any more.
    Canceled,
}

/// Those that are not over.
pub(crate) const OPEN: [Status; 5] =
    [Status::Scheduled, Status::Queued, Status::Assigned, Status::Connecting, Status::Connected];
/// Those in which an agent can do nothing else.
const BUSY: [Status; 3] = [Status::Assigned, Status::Connecting, Status::Connected];
/// Those that are over.
pub(crate) const OVER: [Status; 3] = [Status::Finished, Status::Failed, Status::Canceled];

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Scheduled => "scheduled",
            Status::Queued => "queued",
            Status::Assigned => "assigned",
            Status::Connecting => "connecting",
            Status::Connected => "connected",
            Status::Finished => "finished",
            Status::Failed => "failed",
            Status::Canceled => "canceled",
        }
    }

    pub(crate) fn from_text(text: &str) -> Option<Status> {
        OPEN.into_iter().chain(OVER).find(|status| status.as_str() == text)
    }

    /// Whether an agent may move a call from here to there.
    fn may_become(self, to: Status) -> bool {
        match self {
            Status::Scheduled => matches!(to, Status::Assigned | Status::Canceled),
            Status::Queued => matches!(to, Status::Assigned | Status::Failed | Status::Canceled),
            Status::Assigned => matches!(to, Status::Connecting | Status::Queued | Status::Failed | Status::Canceled),
            Status::Connecting => matches!(to, Status::Connected | Status::Queued | Status::Failed),
            Status::Connected => matches!(to, Status::Finished | Status::Failed),
            Status::Finished | Status::Failed | Status::Canceled => false,
        }
    }
}

/// What the record of a call says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) menu_id: u64,
    pub(crate) lang: String,
    /// As E.164.
    pub(crate) phone_number: String,
    /// As people write it.
    pub(crate) phone_number_text: String,
    pub(crate) email: Option<String>,
    pub(crate) ticket_id: Option<String>,
    pub(crate) recording_permission: String,
    /// The request's `custom_data`, checked.
    pub(crate) request: Map<String, Value>,
    pub(crate) survey_enabled: bool,
    pub(crate) end_user_identifier: Option<String>,
    pub(crate) end_user_name: Option<String>,
    pub(crate) scheduled_at_ms: Option<u64>,
    /// Since when it waits for an agent.
    pub(crate) queued_at_ms: Option<u64>,
    pub(crate) agent_id: Option<u64>,
}

impl Body {
    /// What a record says.
    pub(crate) fn of(record: &Record) -> Result<Body, StoreError> {
        serde_json::from_value(Value::Object(record.content.body.clone())).map_err(|_| StoreError::Corrupt("call"))
    }

    /// As a record keeps it.
    pub(crate) fn write(&self) -> Result<Map<String, Value>, StoreError> {
        match serde_json::to_value(self) {
            Ok(Value::Object(body)) => Ok(body),
            _ => Err(StoreError::Corrupt("call")),
        }
    }
}

/// Where a record of a call stands.
pub(crate) fn status_of(record: &Record) -> Result<Status, StoreError> {
    Status::from_text(&record.content.status).ok_or(StoreError::Corrupt("status of a call"))
}

/// A call as its end user sees it.
pub(crate) fn present(company: Option<&Company>, record: &Record, body: &Body) -> Call {
    Call {
        id: record.id,
        lang: body.lang.clone(),
        menu_id: body.menu_id,
        status: record.content.status.clone(),
        kind: if body.scheduled_at_ms.is_some() { "Scheduled" } else { "Immediate" }.to_owned(),
        scheduled_at: body.scheduled_at_ms.map(iso_8601),
        recording_permitted: body.recording_permission == "recording_permission_granted",
        survey_enabled: body.survey_enabled,
        created_at: iso_8601(record.content.at_ms),
        menus: menus::path(company, body.menu_id, &body.lang),
    }
}

/// A telephone number, read by its country's rules.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Number {
    /// As E.164, without an extension.
    pub(crate) e164: String,
    /// As people write it, with one.
    pub(crate) text: String,
}

/// Reads a number; `None` where there can be no such number. `country` is that of numbers that name none.
pub(crate) fn read_number(text: &str, country: Option<Id>) -> Option<Number> {
    if text.len() > MAX_NUMBER_BYTES {
        return None;
    }
    let number: PhoneNumber = phonenumber::parse(country, text).ok()?;
    number.is_valid().then(|| Number {
        e164: number.format().mode(Mode::E164).to_string(),
        text: number.format().mode(Mode::International).to_string(),
    })
}

/// The beginnings of a queue's slots from now on, taken or not.
pub(crate) fn slots(company: &Company, menu_id: u64, now_ms: u64) -> std::collections::BTreeSet<u64> {
    let calls = company.calls(menu_id);
    let from_ms = now_ms.saturating_add(calls.lead_ms);
    company.hours(menu_id).slots(from_ms, now_ms.saturating_add(calls.horizon_ms), calls.slot_ms)
}

/// Whether somebody is there now or later, as far ahead as calls are planned.
pub(crate) fn can_be_had(company: &Company, menu_id: u64, now_ms: u64) -> bool {
    company.is_open(menu_id, now_ms) || !slots(company, menu_id, now_ms).is_empty()
}

/// What calls in the same slot share.
pub(crate) fn topic(menu_id: u64, slot_ms: u64) -> String {
    format!("{menu_id}@{slot_ms}")
}

/// The slots with how many calls can still be had in each.
pub(crate) async fn availability(app: &App, company: &Company, menu_id: u64) -> Result<Vec<TimeSlot>, StoreError> {
    let slots = slots(company, menu_id, now_ms());
    let Some(last) = slots.last() else { return Ok(Vec::new()) };
    let query = RecordQuery { due_until_ms: Some(*last), ..open_calls(&company.settings.id, &OPEN) };
    let mut taken: HashMap<String, u64> = HashMap::new();
    for record in app.store.records(query).await? {
        if let Some(topic) = record.content.topic {
            *taken.entry(topic).or_default() += 1;
        }
    }
    let capacity = company.calls(menu_id).per_slot;
    let slot = |at_ms: u64| {
        let taken = taken.get(&topic(menu_id, at_ms)).copied().unwrap_or(0);
        TimeSlot { at: iso_8601(at_ms), free: capacity.saturating_sub(taken), capacity }
    };
    Ok(slots.into_iter().map(slot).collect())
}

fn open_calls(company_id: &str, statuses: &[Status]) -> RecordQuery {
    RecordQuery {
        company_ids: Some(vec![company_id.to_owned()]),
        statuses: texts(statuses),
        ..RecordQuery::of(RecordKind::Call, MOST_OPEN)
    }
}

/// The words of these.
pub(crate) fn texts(statuses: &[Status]) -> Vec<String> {
    statuses.iter().map(|status| status.as_str().to_owned()).collect()
}

/// The limit of a slot.
pub(crate) fn slot_cap(most: u64) -> RecordCap {
    RecordCap { of: CapOf::Topic, since_ms: 0, statuses: texts(&OPEN), most }
}

/// The limits of a new call: of its end user, and of its slot.
pub(crate) fn caps(calls: &crate::config::Calls, now_ms: u64) -> Vec<RecordCap> {
    let most_open =
        RecordCap { of: CapOf::EndUser, since_ms: 0, statuses: texts(&OPEN), most: calls.open_per_end_user };
    let since_ms = now_ms.saturating_sub(DAY_MS);
    let most_a_day = RecordCap { of: CapOf::EndUser, since_ms, statuses: Vec::new(), most: calls.per_end_user_per_day };
    vec![most_open, most_a_day, slot_cap(calls.per_slot)]
}

/// Why a call was not changed.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Not from where it stands.
    NotNow,
    /// Another agent has it.
    Elsewhere,
    /// The slot is taken, or no slot.
    NoSlot,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(cause: StoreError) -> Refused {
        Refused::Store(cause)
    }
}

/// The end user does not want it any more. What is canceled stays so.
pub(crate) fn cancel(mut record: Record) -> Result<Record, Refused> {
    match status_of(&record)? {
        Status::Scheduled | Status::Queued | Status::Assigned => {
            let mut body = Body::of(&record)?;
            body.agent_id = None;
            record.content.body = body.write()?;
            stands(record, Status::Canceled)
        }
        Status::Canceled => Ok(record),
        _ => Err(Refused::NotNow),
    }
}

/// The end user wants it at another time, which is a slot of its queue.
pub(crate) fn reschedule(company: &Company, mut record: Record, at_ms: u64, now_ms: u64) -> Result<Record, Refused> {
    if !matches!(status_of(&record)?, Status::Scheduled | Status::Queued) {
        return Err(Refused::NotNow);
    }
    let mut body = Body::of(&record)?;
    if body.scheduled_at_ms == Some(at_ms) {
        return Ok(record);
    }
    if !slots(company, body.menu_id, now_ms).contains(&at_ms) {
        return Err(Refused::NoSlot);
    }
    (body.scheduled_at_ms, body.queued_at_ms) = (Some(at_ms), None);
    record.content.topic = Some(topic(body.menu_id, at_ms));
    record.content.due_at_ms = Some(at_ms);
    record.content.body = body.write()?;
    stands(record, Status::Scheduled)
}

/// An agent moves it. The same move again by the same agent changes nothing.
pub(crate) fn moved(mut record: Record, to: Status, agent_id: u64, now_ms: u64) -> Result<Record, Refused> {
    let mut body = Body::of(&record)?;
    let from = status_of(&record)?;
    if body.agent_id.is_some_and(|other| other != agent_id) {
        return Err(Refused::Elsewhere);
    }
    if from == to && body.agent_id == Some(agent_id) {
        return Ok(record);
    }
    if !from.may_become(to) {
        return Err(Refused::NotNow);
    }
    let mut to = to;
    match to {
        // Back to where it was: what was taken before its time waits for that again.
        Status::Queued if body.scheduled_at_ms.is_some_and(|at_ms| at_ms > now_ms) => {
            (body.agent_id, body.queued_at_ms, to) = (None, None, Status::Scheduled);
        }
        Status::Queued => {
            body.agent_id = None;
            body.queued_at_ms = body.queued_at_ms.or(Some(now_ms));
        }
        _ => body.agent_id = Some(agent_id),
    }
    record.content.body = body.write()?;
    stands(record, to)
}

/// Its time has come.
fn due(mut record: Record) -> Result<Record, Refused> {
    let mut body = Body::of(&record)?;
    body.queued_at_ms = record.content.due_at_ms;
    record.content.body = body.write()?;
    stands(record, Status::Queued)
}

fn stands(mut record: Record, status: Status) -> Result<Record, Refused> {
    record.content.status = status.as_str().to_owned();
    Ok(record)
}

/// Changes a call as `change` says, however often somebody else is faster, and gives what is stored then.
pub(crate) async fn change(
    store: &dyn Store,
    mut record: Record,
    caps: &[RecordCap],
    change: impl Fn(Record) -> Result<Record, Refused>,
) -> Result<Record, Refused> {
    loop {
        let id = record.id;
        let before = record.content.clone();
        let changed = change(record)?;
        if changed.content == before {
            return Ok(changed);
        }
        match store.change_record(changed.clone(), caps.to_vec()).await? {
            Changed::Changed => return Ok(Record { revision: changed.revision.saturating_add(1), ..changed }),
            Changed::Full => return Err(Refused::NoSlot),
            Changed::Conflict => {}
        }
        record = store.record(RecordKind::Call, id).await?.ok_or(Refused::NotNow)?;
    }
}

/// How the calls of a company stand, for its waiting times.
pub(crate) struct Phone {
    /// Calls that wait; for an end user whose own call waits already, only those before it.
    pub(crate) waiting: u64,
    /// Agents who have a call.
    pub(crate) agents: Vec<u64>,
}

/// Reads how the calls of a company stand for an end user, or for anybody.
pub(crate) async fn phone(app: &App, company_id: &str, end_user_id: Option<u64>) -> Result<Phone, StoreError> {
    let mut waiting = Vec::new();
    let mut agents = Vec::new();
    let statuses = [[Status::Queued].as_slice(), BUSY.as_slice()].concat();
    for record in app.store.records(open_calls(company_id, &statuses)).await? {
        let body = Body::of(&record)?;
        match status_of(&record)? {
            Status::Queued => waiting.push((body.queued_at_ms, record.id, record.content.end_user_id)),
            _ => agents.extend(body.agent_id),
        }
    }
    waiting.sort_unstable();
    let own = end_user_id.and_then(|id| waiting.iter().position(|(_, _, whose)| *whose == Some(id)));
    Ok(Phone { waiting: u64::try_from(own.unwrap_or(waiting.len())).unwrap_or(u64::MAX), agents })
}

/// Puts the calls whose time has come into the queue, until the gateway stops.
pub(crate) async fn watch(app: Shared) {
    loop {
        match come_due(&app).await {
            Ok(0) => {}
            Ok(_) => app.bus.publish_chats_changed(),
            Err(cause) => tracing::error!(%cause, "calls whose time has come cannot be read"),
        }
        tokio::time::sleep(TICK).await;
    }
}

/// How many calls entered the queue.
async fn come_due(app: &App) -> Result<usize, StoreError> {
    let query = RecordQuery {
        statuses: texts(&[Status::Scheduled]),
        due_until_ms: Some(now_ms()),
        ..RecordQuery::of(RecordKind::Call, BATCH)
    };
    let records = app.store.records(query).await?;
    let count = records.len();
    for record in records {
        // Whoever is faster knows what they want.
        app.store.change_record(due(record).map_err(store_error)?, Vec::new()).await?;
    }
    Ok(count)
}

fn store_error(refused: Refused) -> StoreError {
    match refused {
        Refused::Store(cause) => cause,
        _ => StoreError::Corrupt("call"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::NewRecord;

    #[test]
    fn numbers_are_read_by_the_rules_of_their_country() {
        let italy = Some(Id::IT);
        let read = |text: &str, country| read_number(text, country).map(|number| number.e164);
        for (text, country, expected) in [
            ("+39 02 3661 8300", None, Some("+390236618300")),
            ("02 3661 8300", italy, Some("+390236618300")),
            ("02-3661-8300", italy, Some("+390236618300")),
            ("(02) 3661.8300", italy, Some("+390236618300")),
            ("0039 02 36618300", italy, Some("+390236618300")),
            ("+1 (202) 555-0173", italy, Some("+12025550173")),
            ("+351 912 345 678", italy, Some("+351912345678")),
            ("tel:+1-202-555-0173", None, Some("+12025550173")),
            ("02 3661 8300", None, None),
            ("+39", italy, None),
            ("+999 123 456", None, None),
            ("123", italy, None),
            ("+1 202 555", None, None),
            ("call me", italy, None),
            ("", italy, None),
            ("+1202555017312345678901234567890", None, None),
        ] {
            assert_eq!(read(text, country).as_deref(), expected, "{text:?}");
        }
        assert_eq!(read(&"+".repeat(65), None), None);
        assert_eq!(read_number("+12025550173", None).unwrap().text, "+1 202-555-0173");
    }

    #[test]
    fn no_text_makes_the_reader_of_numbers_panic() {
        // A small generator of its own: the texts are the same in every run.
        let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        let pieces = [
            "+",
            "39",
            "1",
            "0",
            "00",
            "(",
            ")",
            "-",
            " ",
            ";ext=",
            "x",
            "tel:",
            ";phone-context=",
            "+1",
            "٣",
            "９",
            "é",
            "\u{0}",
            "\u{200f}",
            "😀",
            "555",
            "#",
            "*",
            "/",
            "~",
        ];
        for _ in 0..20_000 {
            let text: String = (0..next(14)).map(|_| pieces[next(pieces.len())]).collect();
            let country = [None, Some(Id::IT), Some(Id::US), Some(Id::BR)][next(4)];
            if let Some(number) = read_number(&text, country) {
                assert!(number.e164.starts_with('+') && number.e164.len() <= 16, "{text:?}");
                assert!(number.e164.bytes().skip(1).all(|byte| byte.is_ascii_digit()), "{text:?}");
            }
        }
    }

    fn record(status: Status, agent_id: Option<u64>, scheduled_at_ms: Option<u64>) -> Record {
        let body = Body {
            menu_id: 1,
            lang: "en".into(),
            phone_number: "+12025550173".into(),
            phone_number_text: "+1 202-555-0173".into(),
            email: None,
            ticket_id: None,
            recording_permission: "recording_permission_not_asked".into(),
            request: Map::new(),
            survey_enabled: false,
            end_user_identifier: None,
            end_user_name: None,
            scheduled_at_ms,
            queued_at_ms: None,
            agent_id,
        };
        Record {
            id: 1,
            revision: 1,
            content: NewRecord {
                kind: RecordKind::Call,
                company_id: "acme".into(),
                end_user_id: Some(1),
                chat_id: None,
                key: None,
                topic: scheduled_at_ms.map(|at_ms| topic(1, at_ms)),
                status: status.as_str().into(),
                due_at_ms: scheduled_at_ms,
                at_ms: 0,
                body: body.write().unwrap(),
            },
        }
    }

    #[test]
    fn an_agent_moves_a_call_only_where_it_can_go() {
        use Status::*;
        let all = [Scheduled, Queued, Assigned, Connecting, Connected, Finished, Failed, Canceled];
        let ways = [
            (Scheduled, vec![Assigned, Canceled]),
            (Queued, vec![Assigned, Failed, Canceled]),
            (Assigned, vec![Queued, Assigned, Connecting, Failed, Canceled]),
            (Connecting, vec![Queued, Connecting, Connected, Failed]),
            (Connected, vec![Connected, Finished, Failed]),
            (Finished, vec![Finished]),
            (Failed, vec![Failed]),
            (Canceled, vec![Canceled]),
        ];
        for (from, expected) in ways {
            let agent_id = (!matches!(from, Scheduled | Queued)).then_some(7);
            let fits = |to: &Status| moved(record(from, agent_id, None), *to, 7, 100).is_ok();
            assert_eq!(all.into_iter().filter(fits).collect::<Vec<_>>(), expected, "{from:?}");
            let others = |to: &Status| moved(record(from, Some(7), None), *to, 8, 100).is_ok();
            assert_eq!(all.into_iter().filter(others).count(), 0, "{from:?} of another agent");
        }
    }

    #[test]
    fn a_call_that_is_given_back_waits_where_it_waited() {
        let back = |scheduled_at_ms| {
            let record = moved(record(Status::Assigned, Some(7), scheduled_at_ms), Status::Queued, 7, 100).unwrap();
            let body = Body::of(&record).unwrap();
            (record.content.status, body.agent_id, body.queued_at_ms)
        };
        assert_eq!(back(None), ("queued".into(), None, Some(100)));
        assert_eq!(back(Some(100)), ("queued".into(), None, Some(100)));
        assert_eq!(back(Some(101)), ("scheduled".into(), None, None));
    }

    #[test]
    fn an_end_user_cancels_until_the_agent_dials() {
        for status in [Status::Scheduled, Status::Queued, Status::Assigned, Status::Canceled] {
            assert_eq!(cancel(record(status, None, None)).unwrap().content.status, "canceled", "{status:?}");
        }
        for status in [Status::Connecting, Status::Connected, Status::Finished, Status::Failed] {
            assert!(cancel(record(status, Some(7), None)).is_err(), "{status:?}");
        }
    }
}

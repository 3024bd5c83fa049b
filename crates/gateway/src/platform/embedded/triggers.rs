//! Proactive triggers: which questions pages may ask an end user now, and that each is asked at most once a day. Whether their conditions hold is for the page to
//! see: the gateway does not know where a visitor is.

use std::collections::HashSet;

use serde_json::{Map, Value};
use wire::ErrorCode;
use wire::rest::{Trigger, TriggerConditions};

use super::company::Company;
use super::menus;
use crate::App;
use crate::config;
use crate::error::Error;
use crate::store::{CapOf, Kept, NewRecord, RecordCap, RecordKind, RecordQuery};

/// So long a question is not asked again.
const REST_MS: u64 = 24 * 60 * 60 * 1000;
/// More questions than a company can have.
const MOST_RUNS: u64 = 1_000;
/// Where a run stands: it has been asked.
const RUN: &str = "run";

/// The questions that a page may ask: their queues take chats now, and the end user was not asked within a day.
pub(crate) async fn offered(
    app: &App,
    company: &Company,
    end_user_id: u64,
    asked_lang: Option<&str>,
    now_ms: u64,
) -> Result<Vec<Trigger>, Error> {
    if company.settings.triggers.is_empty() {
        return Ok(Vec::new());
    }
    let query = RecordQuery {
        company_ids: Some(vec![company.settings.id.clone()]),
        end_user_id: Some(end_user_id),
        since_ms: Some(since(now_ms)),
        ..RecordQuery::of(RecordKind::TriggerRun, MOST_RUNS)
    };
    let runs = app.store.records(query).await?;
    let asked: HashSet<&str> =
        runs.iter().filter_map(|run| run.content.body.get("trigger_id").and_then(Value::as_str)).collect();
    let may_be_asked = |trigger: &&config::Trigger| {
        !asked.contains(trigger.id.as_str()) && menus::entered(company, trigger.menu_id, now_ms).is_ok()
    };
    let offered = company.settings.triggers.iter().filter(may_be_asked);
    Ok(offered.map(|trigger| present(company, trigger, asked_lang)).collect())
}

/// Counts a question as asked, unless it was within a day: then the page must not ask it. Two pages that are about to ask at once do not both get to.
///
/// # Errors
/// `not_found` where the company has no such trigger.
pub(crate) async fn run(
    app: &App,
    company: &Company,
    end_user_id: u64,
    trigger_id: &str,
    now_ms: u64,
) -> Result<bool, Error> {
    if !company.settings.triggers.iter().any(|trigger| trigger.id == trigger_id) {
        return Err(Error::new(ErrorCode::NotFound, "The company has no such trigger."));
    }
    let record = NewRecord {
        kind: RecordKind::TriggerRun,
        company_id: company.settings.id.clone(),
        end_user_id: Some(end_user_id),
        chat_id: None,
        key: None,
        topic: Some(format!("{end_user_id}:{trigger_id}")),
        status: RUN.to_owned(),
        due_at_ms: None,
        at_ms: now_ms,
        body: Map::from_iter([("trigger_id".to_owned(), trigger_id.into())]),
    };
    let once = RecordCap { of: CapOf::Topic, since_ms: since(now_ms), statuses: Vec::new(), most: 1 };
    Ok(matches!(app.store.keep_record(record, vec![once]).await?, Kept::Fresh(_)))
}

/// What was asked at this time or later counts.
fn since(now_ms: u64) -> u64 {
    now_ms.saturating_sub(REST_MS).saturating_add(1)
}

fn present(company: &Company, trigger: &config::Trigger, asked_lang: Option<&str>) -> Trigger {
    let lang = trigger.lang.as_deref().or(asked_lang);
    let conditions = &trigger.conditions;
    Trigger {
        id: trigger.id.clone(),
        menu_id: trigger.menu_id,
        lang: company.lang(lang).to_owned(),
        title: trigger.title.as_ref().map(|title| company.wording(title, lang).to_owned()),
        message: company.wording(&trigger.message, lang).to_owned(),
        conditions: TriggerConditions {
            url_contains: conditions.url_contains.clone(),
            url_excludes: conditions.url_excludes.clone(),
            time_on_page_ms: conditions.time_on_page_ms,
            visitor: conditions.visitor.map(|visitor| visitor.as_str().to_owned()),
            min_visits: conditions.min_visits,
            max_visits: conditions.max_visits,
        },
    }
}

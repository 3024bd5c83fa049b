//! What customers thought of their chats, for the desk: ratings and answers to surveys, counted over the newest of them. Texts are shown as
//! agents read them, with the company's redaction.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;

use super::request::QueryOf;
use super::session::AgentSession;
use super::survey::{MAX_RATING, topic};
use crate::clock;
use crate::config::Menu;
use crate::config::survey::{Survey, SurveyQuestion, SurveyQuestionKind};
use crate::error::Error;
use crate::platform::embedded::agents::Agent;
use crate::platform::embedded::survey::{Counts, valid_answers};
use crate::platform::embedded::{Company, menus};
use crate::store::{Record, RecordKind, RecordQuery};
use crate::{App, Shared};

/// So many ratings and so many answered surveys are counted, the newest ones.
const MAX_COUNTED: u64 = 5_000;
/// Records that are read at a time.
const PAGE: u64 = 500;
/// Texts and ratings that are shown one by one.
const LATEST: usize = 20;
/// Ratings that go with the lists of a desk.
const RECENT: u64 = 50;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(results))
}

#[derive(Deserialize, IntoParams)]
struct ResultsQuery {
    /// A company that the agent serves; the first of them by default.
    company_id: Option<String>,
    /// Only chats of this queue.
    menu_id: Option<u64>,
}

/// Something to choose from.
#[derive(Serialize, ToSchema)]
struct Named<Id: ToSchema> {
    /// What the query takes.
    id: Id,
    /// What to show.
    name: String,
}

/// How often something was answered.
#[derive(Serialize, ToSchema)]
struct Share {
    /// What was sent.
    key: String,
    /// What it means, in the company's default language.
    value: String,
    /// How often.
    count: u64,
}

/// A rating.
#[derive(Serialize, ToSchema)]
struct Rated {
    /// The chat.
    chat_id: u64,
    /// When it was given, ISO 8601.
    at: String,
    /// 1 to 5.
    rating: u64,
    /// What was written with it.
    feedback: Option<String>,
}

/// Ratings together.
#[derive(Serialize, ToSchema)]
struct Ratings {
    /// How many were counted.
    count: u64,
    /// A hundred times their mean; `null` without any.
    mean_x100: Option<u64>,
    /// By rating, 1 first.
    distribution: Vec<Share>,
    /// The newest of them.
    latest: Vec<Rated>,
}

/// A text that was answered.
#[derive(Serialize, ToSchema)]
struct Written {
    /// The chat.
    chat_id: u64,
    /// When it was given, ISO 8601.
    at: String,
    /// The text.
    text: String,
}

/// What was answered to a question.
#[derive(Serialize, ToSchema)]
struct Question {
    /// The question's number.
    id: u64,
    /// `csat`, `star`, `free-form`, `scale` or `enumeration`.
    #[serde(rename = "type")]
    kind: String,
    /// What is asked, in the company's default language.
    display_text: String,
    /// Its name for whoever reads the results.
    name: Option<String>,
    /// How many answers were counted.
    count: u64,
    /// A hundred times their mean; `null` where they are no numbers, or there is none.
    mean_x100: Option<u64>,
    /// By answer, in the order in which they can be chosen; empty for texts.
    distribution: Vec<Share>,
    /// The newest texts.
    latest: Vec<Written>,
}

/// What customers thought.
#[derive(Serialize, ToSchema)]
struct Results {
    /// Whose customers.
    company_id: String,
    /// The companies that the agent serves.
    companies: Vec<Named<String>>,
    /// The company's queues.
    menus: Vec<Named<u64>>,
    /// The ratings.
    ratings: Ratings,
    /// The questions of all surveys, each once.
    questions: Vec<Question>,
    /// At most so many ratings and answered surveys were counted, the newest ones.
    counted_at_most: u64,
}

/// Ratings and answers to surveys.
#[utoipa::path(
    get, path = "/desk/api/v1/results", tag = "desk", params(ResultsQuery), security(("desk" = [])),
    responses((status = 200, body = Results), (status = 404, body = wire::rest::ErrorBody, description = "No such company, or not the agent's"))
)]
async fn results(
    State(app): State<Shared>,
    session: AgentSession,
    QueryOf(query): QueryOf<ResultsQuery>,
) -> Result<Json<Results>, Error> {
    let served: Vec<&Company> = served(&app, &session.agent);
    let company = match &query.company_id {
        Some(id) => served.iter().find(|company| company.settings.id == *id),
        None => served.first(),
    };
    let company = *company.ok_or_else(|| Error::of(ErrorCode::NotFound))?;
    let ratings = counted(&app, company, RecordKind::Rating, query.menu_id).await?;
    let answers = counted(&app, company, RecordKind::SurveyAnswer, query.menu_id).await?;
    let queues = menus::queues(&company.settings.menus).into_iter();
    let name = |id: u64| {
        let way = menus::path(Some(company), id, company.default_lang());
        way.into_iter().map(|menu| menu.name).collect::<Vec<_>>().join(" › ")
    };
    Ok(Json(Results {
        company_id: company.settings.id.clone(),
        companies: served
            .iter()
            .map(|company| Named { id: company.settings.id.clone(), name: company.settings.name.clone() })
            .collect(),
        menus: queues.map(|queue| Named { id: queue.id, name: name(queue.id) }).collect(),
        ratings: count_ratings(company, &ratings),
        questions: count_answers(company, &answers, query.menu_id),
        counted_at_most: MAX_COUNTED,
    }))
}

/// The companies that an agent serves, in the order of the configuration.
fn served<'a>(app: &'a App, agent: &Agent) -> Vec<&'a Company> {
    let ids = app.config.companies.iter().map(|company| company.id.as_str()).filter(|id| agent.serves(id));
    ids.filter_map(|id| app.platform.company(id)).map(|company| &**company).collect()
}

/// The newest records of a company, or of one of its queues.
async fn counted(app: &App, company: &Company, kind: RecordKind, menu_id: Option<u64>) -> Result<Vec<Record>, Error> {
    let mut query = RecordQuery::of(kind, PAGE);
    query.company_ids = Some(vec![company.settings.id.clone()]);
    query.topic = menu_id.map(topic);
    let mut all = Vec::new();
    while (all.len() as u64) < MAX_COUNTED {
        let page = app.store.records(query.clone()).await?;
        let Some(last) = page.last() else { break };
        query.before_id = Some(last.id);
        all.extend(page);
    }
    Ok(all)
}

fn count_ratings(company: &Company, records: &[Record]) -> Ratings {
    let mut counts = Counts::default();
    let rating = |record: &Record| record.content.body.get("rating").and_then(Value::as_u64);
    records.iter().filter_map(rating).for_each(|rating| counts.add(&rating.to_string()));
    let share = |rating: u64| {
        let key = rating.to_string();
        Share { value: key.clone(), count: counts.of(&key), key }
    };
    let rated = |record: &Record| {
        let feedback = record.content.body.get("feedback").and_then(Value::as_str);
        Some(Rated {
            chat_id: record.content.chat_id?,
            at: clock::iso_8601(record.content.at_ms),
            rating: rating(record)?,
            feedback: feedback.map(|text| shown(company, text)),
        })
    };
    Ratings {
        count: counts.total(),
        mean_x100: counts.mean_x100(),
        distribution: (1..=MAX_RATING).map(share).collect(),
        latest: records.iter().take(LATEST).filter_map(rated).collect(),
    }
}

/// What was answered to each question that is asked now: in the queue that was chosen, or anywhere in the company.
fn count_answers(company: &Company, records: &[Record], menu_id: Option<u64>) -> Vec<Question> {
    let mut counts: BTreeMap<u64, Counts> = BTreeMap::new();
    let mut texts: BTreeMap<u64, Vec<Written>> = BTreeMap::new();
    let asked = questions(company, menu_id);
    for record in records {
        let Some(answers) = record.content.body.get("answers").and_then(Value::as_object) else { continue };
        for question in &asked {
            let Some(answer) = answers.get(&question.id.to_string()).and_then(Value::as_str) else { continue };
            if question.kind != SurveyQuestionKind::FreeForm {
                counts.entry(question.id).or_default().add(answer);
                continue;
            }
            counts.entry(question.id).or_default().add("");
            let latest = texts.entry(question.id).or_default();
            if let Some(chat_id) = record.content.chat_id.filter(|_| latest.len() < LATEST) {
                let at = clock::iso_8601(record.content.at_ms);
                latest.push(Written { chat_id, at, text: shown(company, answer) });
            }
        }
    }
    let langs = company.langs(company.default_lang());
    let question = |question: &SurveyQuestion| {
        let counted = counts.remove(&question.id).unwrap_or_default();
        let valid = valid_answers(question, &langs).unwrap_or_default();
        let mut distribution: Vec<Share> = Vec::new();
        if question.kind != SurveyQuestionKind::FreeForm {
            let share = |key: &str, value: &str| Share { key: key.into(), value: value.into(), count: counted.of(key) };
            distribution.extend(valid.iter().map(|answer| share(&answer.key, &answer.value)));
            // What could be chosen once.
            distribution.extend(counted.others(&valid).map(|key| share(key, key)));
        }
        Question {
            id: question.id,
            kind: question.kind.as_str().to_owned(),
            display_text: question.text.wording(&langs).to_owned(),
            name: question.name.clone(),
            count: counted.total(),
            mean_x100: counted.mean_x100().filter(|_| question.numbers().is_some()),
            distribution,
            latest: texts.remove(&question.id).unwrap_or_default(),
        }
    };
    asked.into_iter().map(question).collect()
}

fn questions(company: &Company, menu_id: Option<u64>) -> Vec<&SurveyQuestion> {
    fn below<'a>(menus: &'a [Menu], found: &mut Vec<&'a Survey>) {
        for menu in menus {
            found.extend(&menu.survey);
            below(&menu.children, found);
        }
    }
    let mut surveys: Vec<&Survey> = Vec::new();
    match menu_id {
        Some(menu_id) => surveys.extend(company.survey(menu_id)),
        None => {
            surveys.extend(&company.settings.survey);
            below(&company.settings.menus, &mut surveys);
        }
    }
    let mut questions: Vec<&SurveyQuestion> = Vec::new();
    for question in surveys.into_iter().flat_map(|survey| &survey.questions) {
        if !questions.iter().any(|known| known.id == question.id) {
            questions.push(question);
        }
    }
    questions
}

/// A text as agents read it.
fn shown(company: &Company, text: &str) -> String {
    company.redactor.redact(text).unwrap_or_else(|| text.to_owned())
}

/// The rating of a chat that was rated lately, as the desk's lists show it.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecentRating {
    /// The chat.
    chat_id: u64,
    /// 1 to 5.
    rating: u64,
}

/// The newest ratings of the companies that an agent serves.
pub(super) async fn recent_ratings(app: &App, agent: &Agent) -> Result<Vec<RecentRating>, Error> {
    let mut query = RecordQuery::of(RecordKind::Rating, RECENT);
    query.company_ids = Some(served(app, agent).iter().map(|company| company.settings.id.clone()).collect());
    let rated = app.store.records(query).await?;
    let recent = |record: &Record| {
        let rating = record.content.body.get("rating").and_then(Value::as_u64)?;
        Some(RecentRating { chat_id: record.content.chat_id?, rating })
    };
    Ok(rated.iter().filter_map(recent).collect())
}

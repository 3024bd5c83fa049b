//! The end user's word on a chat that is over: the answers to its queue's survey, and a rating (`docs/protocol.md`, "Survey and rating"). Each
//! is given once: the same again is answered as the first time, another one is refused. What they come to is in `results`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::rest::{Chat, ChatSurvey, ErrorBody, FormProblem, RateRequest, SurveySubmission};

use super::end_user::own_chat;
use super::request::{Body, PathOf, QueryOf};
use super::session::EndUserSession;
use crate::clock::now_ms;
use crate::error::Error;
use crate::platform::embedded::survey::{self, Answers, Unreadable};
use crate::store::{ChatRecord, Kept, NewRecord, RecordKind};
use crate::{App, Shared};

/// The best rating; 1 is the worst.
pub(super) const MAX_RATING: u64 = 5;
/// What a chat says among its features while its survey can be answered.
const SURVEY: &str = "survey";
/// What it says while it can be rated.
const RATING: &str = "rating";

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(chat_survey, answer)).routes(routes!(rate))
}

/// A refusal that may say which answers are wrong.
enum Refusal {
    Plain(Error),
    Answers(Vec<FormProblem>),
}

impl<E: Into<Error>> From<E> for Refusal {
    fn from(error: E) -> Refusal {
        Refusal::Plain(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::Plain(error) => error.into_response(),
            Refusal::Answers(problems) => {
                let error = Error::invalid("Some answers are not among what was asked for: see `fields`.");
                let mut detail = error.detail();
                detail.fields = Some(problems);
                (error.status(), Json(ErrorBody { error: detail })).into_response()
            }
        }
    }
}

#[derive(Deserialize, IntoParams)]
struct LangQuery {
    /// A BCP 47 tag; the chat's own language by default.
    lang: Option<String>,
}

/// What the chat's queue asks after a chat.
#[utoipa::path(
    get, path = "/api/v1/chats/{chat_id}/survey", tag = "end user", security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat"), LangQuery), responses((status = 200, body = ChatSurvey))
)]
async fn chat_survey(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    QueryOf(query): QueryOf<LangQuery>,
) -> Result<Json<ChatSurvey>, Error> {
    let record = own_chat(&app, &session, chat_id).await?;
    let company = &session.company;
    let survey = company.survey(record.state.menu_id).ok_or_else(no_survey)?;
    let asked = query.lang.as_deref().filter(|lang| !lang.is_empty()).unwrap_or(&record.lang);
    Ok(Json(survey::present(survey, company.lang(Some(asked)), &company.langs(asked))))
}

/// Answer the survey, once, after the end.
#[utoipa::path(
    post, path = "/api/v1/chats/{chat_id}/survey", tag = "end user", request_body = SurveySubmission, security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat that is over")), responses((status = 204))
)]
async fn answer(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    Body(SurveySubmission { answers }): Body<SurveySubmission>,
) -> Result<StatusCode, Refusal> {
    let record = own_chat(&app, &session, chat_id).await?;
    check_over(&record)?;
    let answers = survey::read(&answers).map_err(|why| match why {
        Unreadable::Name => Error::invalid("Each name in `answers` is the number of a question."),
        Unreadable::Empty => Error::invalid("`answers` has at least one answer."),
        Unreadable::TooMany => Error::invalid("`answers` has more answers than any survey has questions."),
    })?;
    let body = answers_body(&answers);
    // What was stored counts, even where something else is asked by now.
    if let Some(known) = given(&app, &record, RecordKind::SurveyAnswer).await? {
        return Ok(same(&known.get("answers"), &body.get("answers"))?);
    }
    let survey = session.company.survey(record.state.menu_id).ok_or_else(no_survey)?;
    let problems = survey::check(survey, &answers, app.config.limits.max_text_bytes);
    if !problems.is_empty() {
        return Err(Refusal::Answers(problems));
    }
    let mut kept = body.clone();
    kept.insert("survey_id".to_owned(), survey.id.into());
    kept.insert("lang".to_owned(), record.lang.clone().into());
    match keep(&app, &record, RecordKind::SurveyAnswer, kept).await? {
        Some(known) => Ok(same(&known.get("answers"), &body.get("answers"))?),
        None => {
            // Desks that show the results read them anew.
            app.bus.publish_chats_changed();
            Ok(StatusCode::NO_CONTENT)
        }
    }
}

/// Rate the chat, once, after the end.
#[utoipa::path(
    post, path = "/api/v1/chats/{chat_id}/rating", tag = "end user", request_body = RateRequest, security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat that is over")), responses((status = 204))
)]
async fn rate(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    Body(RateRequest { rating, feedback }): Body<RateRequest>,
) -> Result<StatusCode, Error> {
    if !(1..=MAX_RATING).contains(&rating) {
        return Err(Error::invalid("`rating` is a whole number from 1 to 5."));
    }
    let feedback = feedback.filter(|text| !text.trim().is_empty());
    if feedback.as_ref().is_some_and(|text| text.len() > app.config.limits.max_text_bytes) {
        return Err(Error::too_large());
    }
    let record = own_chat(&app, &session, chat_id).await?;
    check_over(&record)?;
    let mut body = Map::new();
    body.insert("rating".to_owned(), rating.into());
    if let Some(feedback) = feedback {
        body.insert("feedback".to_owned(), feedback.into());
    }
    match keep(&app, &record, RecordKind::Rating, body.clone()).await? {
        Some(known) => same(&known, &body),
        None => {
            // Desks show it beside the chat.
            app.bus.publish_chats_changed();
            Ok(StatusCode::NO_CONTENT)
        }
    }
}

fn no_survey() -> Error {
    Error::new(ErrorCode::NotFound, "The chat's queue asks nothing: it has no survey.")
}

fn check_over(record: &ChatRecord) -> Result<(), Error> {
    if record.state.status.is_over() {
        return Ok(());
    }
    Err(Error::new(ErrorCode::Conflict, "The chat goes on: this is asked when it is over."))
}

fn answers_body(answers: &Answers) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("answers".to_owned(), json!(answers));
    body
}

/// The same again is a repeated request; another one comes too late.
fn same<T: PartialEq>(known: &T, given: &T) -> Result<StatusCode, Error> {
    if known == given {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Error::new(ErrorCode::Conflict, "This chat has another answer already, and each is given once."))
}

/// What was given before.
async fn given(app: &App, record: &ChatRecord, kind: RecordKind) -> Result<Option<Map<String, Value>>, Error> {
    let known = app.store.record_with_key(kind, &record.company_id, &key(record)).await?;
    Ok(known.map(|known| known.content.body))
}

/// Keeps what is given, or gives what was given before.
async fn keep(
    app: &App,
    record: &ChatRecord,
    kind: RecordKind,
    body: Map<String, Value>,
) -> Result<Option<Map<String, Value>>, Error> {
    let new = NewRecord {
        kind,
        company_id: record.company_id.clone(),
        end_user_id: Some(record.state.end_user_id),
        chat_id: Some(record.state.id),
        key: Some(key(record)),
        topic: Some(topic(record.state.menu_id)),
        status: "given".to_owned(),
        due_at_ms: None,
        at_ms: now_ms(),
        body,
    };
    match app.store.keep_record(new, Vec::new()).await? {
        Kept::Fresh(_) => Ok(None),
        Kept::Known(known) => Ok(Some(known.content.body)),
        Kept::Full => Err(Error::of(ErrorCode::Internal)),
    }
}

fn key(record: &ChatRecord) -> String {
    format!("chat:{}", record.state.id)
}

/// What records of one queue share.
pub(super) fn topic(menu_id: u64) -> String {
    format!("menu:{menu_id}")
}

/// Takes from the features of a chat that is over what was given already.
pub(super) async fn without_given(app: &App, record: &ChatRecord, mut chat: Chat) -> Result<Chat, Error> {
    for (feature, kind) in [(SURVEY, RecordKind::SurveyAnswer), (RATING, RecordKind::Rating)] {
        let is_offered = chat.features.iter().any(|offered| offered == feature);
        if is_offered && given(app, record, kind).await?.is_some() {
            chat.features.retain(|offered| offered != feature);
        }
    }
    Ok(chat)
}

//! Forms: what is asked, what was answered, and the agents' side of both (`docs/protocol.md`, "Forms"). A form is answered once, by a
//! message like any other; its idempotency key is the form's own, so that of two submissions only one can be stored.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::gateway::{Actor, Command, Done, Message};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::rest::{ErrorBody, FormDefinition, FormProblem, FormSubmission, SendRequest, SendResponse};

use super::desk::visible_chat;
use super::end_user::own_chat;
use super::request::{Body, PathOf, QueryOf};
use super::session::{AgentSession, EndUserSession};
use crate::auth::keys;
use crate::config::forms::{Form, FormKind};
use crate::error::Error;
use crate::message;
use crate::platform::embedded::forms;
use crate::store::{ChatRecord, MaskedAnswers, MessageBody, PageLimit};
use crate::{App, Shared};

/// Messages that are read at a time, and in all, to find a form by its signature.
const SEARCH_PAGE: u64 = 500;
const SEARCH_PAGES: usize = 20;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(definition, submit))
}

/// The desk's part of them, behind the desk's guard.
pub(super) fn desk_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(answers))
}

/// A refusal that may say which answers are wrong.
enum Refusal {
    Plain(Error),
    Answers(Vec<FormProblem>),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::Plain(error)
    }
}

impl From<crate::store::StoreError> for Refusal {
    fn from(cause: crate::store::StoreError) -> Refusal {
        Refusal::Plain(Error::from(cause))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::Plain(error) => error.into_response(),
            Refusal::Answers(problems) => {
                let error = Error::invalid("Some answers are not what was asked for: see `fields`.");
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

/// What a form asks.
#[utoipa::path(
    get, path = "/api/v1/chats/{chat_id}/forms/{smart_action_id}", tag = "end user", security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat"), ("smart_action_id" = u64, Path, description = "A form that was handed out in it"), LangQuery),
    responses((status = 200, body = FormDefinition))
)]
async fn definition(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf((chat_id, smart_action_id)): PathOf<(u64, u64)>,
    QueryOf(query): QueryOf<LangQuery>,
) -> Result<Json<FormDefinition>, Error> {
    let record = own_chat(&app, &session, chat_id).await?;
    let (form_id, _) = handed_out(&app, chat_id, smart_action_id).await?;
    let form = custom_form(&app, &record, form_id)?;
    let lang = query.lang.as_deref().filter(|lang| !lang.is_empty()).unwrap_or(&record.lang);
    Ok(Json(forms::definition(form, &session.company.langs(lang))))
}

/// Answer a form, once.
#[utoipa::path(
    post, path = "/api/v1/chats/{chat_id}/forms/{smart_action_id}", tag = "end user", request_body = FormSubmission, security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat"), ("smart_action_id" = u64, Path, description = "A form that was handed out in it")),
    responses((status = 201, body = SendResponse), (status = 200, body = SendResponse, description = "This client_id was stored before"))
)]
async fn submit(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf((chat_id, smart_action_id)): PathOf<(u64, u64)>,
    Body(FormSubmission { client_id, form_response }): Body<FormSubmission>,
) -> Result<(StatusCode, Json<SendResponse>), Refusal> {
    message::check_client_id(&client_id)?;
    let record = own_chat(&app, &session, chat_id).await?;
    let (form_id, _) = handed_out(&app, chat_id, smart_action_id).await?;
    let form = custom_form(&app, &record, form_id)?;
    let langs = session.company.langs(&record.lang);
    let checked = forms::check(form, &form_response, &langs).map_err(Refusal::Answers)?;
    let answered = completion(&app, &record, smart_action_id).await?;
    let mut masked_id = None;
    if answered.is_none() && record.state.takes_messages() && !checked.masked.is_empty() {
        // Before the message: an agent who reads of it finds them. Each try has its own, so that a message never goes with the answers of
        // another try; those of a try that came to nothing are read by nobody.
        let id = keys::to_text(&keys::random::<12>().map_err(|_| Error::of(ErrorCode::Unavailable))?);
        let masked = MaskedAnswers { chat_id, smart_action_id, masked_id: id.clone(), answers: checked.masked };
        app.store.keep_masked_answers(masked).await?;
        masked_id = Some(id);
    }
    let mut object = Map::new();
    object.insert("type".to_owned(), "noti".into());
    object.insert("event".to_owned(), "formCompleted".into());
    object.insert("form_name".to_owned(), form.name.clone().into());
    object.insert("smart_action_id".to_owned(), smart_action_id.into());
    object.insert("form_data".to_owned(), checked.shown.into());
    if let Some(id) = masked_id {
        object.insert(MASKED.to_owned(), id.into());
    }
    Ok(complete(&app, &record, smart_action_id, &client_id, object).await?)
}

/// Takes in what a browser form's page said by the site: a `formCompleted` with the signature of the form's message.
pub(super) async fn complete_by_message(
    app: &App,
    record: &ChatRecord,
    request: SendRequest,
) -> Result<(StatusCode, Json<SendResponse>), Error> {
    message::check_client_id(&request.client_id)?;
    let mut object = request.message;
    let unsigned =
        || Error::invalid("A `formCompleted` carries the `signature` of the message that handed the form out.");
    let signature = object.get("signature").and_then(Value::as_str).ok_or_else(unsigned)?.to_owned();
    let named = object.get("smart_action_id").and_then(Value::as_u64);
    let stored = match named {
        Some(smart_action_id) => message_at(app, record.state.id, smart_action_id).await?,
        None => search(app, record, &signature).await?,
    };
    let stored = stored.filter(|stored| forms::is_form(&stored.body)).ok_or_else(unsigned)?;
    if message::marks(&app.keys, record.state.id, &stored).signature != signature {
        return Err(unsigned());
    }
    // What was handed out counts, not what is configured now: the answers of a custom form are checked, and masked.
    if !forms::read(&stored.body).is_some_and(|(_, form)| forms::is_browser_form(&form)) {
        return Err(Error::invalid(
            "This form is answered question by question: POST it to `forms/{smart_action_id}`.",
        ));
    }
    object.insert("smart_action_id".to_owned(), stored.index.into());
    complete(app, record, stored.index, &request.client_id, object).await
}

/// Stores the message that says that a form was filled in; `conflict` where another one did before.
async fn complete(
    app: &App,
    record: &ChatRecord,
    smart_action_id: u64,
    client_id: &str,
    mut object: Map<String, Value>,
) -> Result<(StatusCode, Json<SendResponse>), Error> {
    let (chat_id, actor) = (record.state.id, Actor::EndUser(record.state.end_user_id));
    object.insert(SUBMISSION.to_owned(), client_id.into());
    let body = message::check(object, actor, &app.config.limits)?;
    let command = Command::Send { client_id: key_of(smart_action_id), body };
    let done = app.chats.command(chat_id, actor, command).await?;
    let Done::Sent { index, at_ms, duplicate } = done else { return Err(Error::of(ErrorCode::Internal)) };
    let stored = message_at(app, chat_id, index).await?.ok_or_else(|| Error::of(ErrorCode::Unavailable))?;
    if member(&stored.body, SUBMISSION).as_deref() != Some(client_id) {
        return Err(Error::new(ErrorCode::Conflict, "This form was answered before."));
    }
    let sid = message::marks(&app.keys, chat_id, &stored).sid;
    let status = if duplicate { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(SendResponse { index, sid, timestamp_ms: at_ms })))
}

/// The member of a `formCompleted` that says by which submission it came.
const SUBMISSION: &str = "submission_id";
/// The member that says where its masked answers are kept.
const MASKED: &str = "masked_id";

fn member(body: &MessageBody, name: &str) -> Option<String> {
    let object: Map<String, Value> = serde_json::from_str(body.json()).ok()?;
    object.get(name)?.as_str().map(str::to_owned)
}

/// The message that says that a form was filled in, where there is one.
async fn completion(
    app: &App,
    record: &ChatRecord,
    smart_action_id: u64,
) -> Result<Option<Message<MessageBody>>, Error> {
    let sent = app.store.sent_keys(record.state.id).await?;
    let author = engine::gateway::Author::EndUser(record.state.end_user_id);
    match sent.get(&(author, key_of(smart_action_id))) {
        Some((index, _)) => message_at(app, record.state.id, *index).await,
        None => Ok(None),
    }
}

/// No client can make this key: theirs have no colon.
fn key_of(smart_action_id: u64) -> String {
    format!("form:{smart_action_id}")
}

/// The form that a message handed out: its number, and how the message showed it.
async fn handed_out(app: &App, chat_id: u64, smart_action_id: u64) -> Result<(u64, Map<String, Value>), Error> {
    let stored = message_at(app, chat_id, smart_action_id).await?;
    stored.and_then(|stored| forms::read(&stored.body)).ok_or_else(|| Error::of(ErrorCode::NotFound))
}

/// A custom form that is still configured.
fn custom_form<'a>(app: &'a App, record: &ChatRecord, form_id: u64) -> Result<&'a Form, Error> {
    let form = app.platform.company(&record.company_id).and_then(|company| company.form(form_id));
    form.filter(|form| form.kind == FormKind::Custom).ok_or_else(|| Error::of(ErrorCode::NotFound))
}

async fn message_at(app: &App, chat_id: u64, index: u64) -> Result<Option<Message<MessageBody>>, Error> {
    let Some(before) = index.checked_sub(1) else { return Ok(None) };
    let limit = PageLimit { messages: 1, bytes: usize::MAX };
    let found = app.store.messages_after(chat_id, before, limit).await?;
    Ok(found.into_iter().next().filter(|message| message.index == index))
}

/// The message with this signature that hands out a form.
async fn search(app: &App, record: &ChatRecord, signature: &str) -> Result<Option<Message<MessageBody>>, Error> {
    let limit = PageLimit { messages: SEARCH_PAGE, bytes: app.config.limits.max_page_bytes };
    let mut after = 0;
    for _ in 0..SEARCH_PAGES {
        let page = app.store.messages_after(record.state.id, after, limit).await?;
        let Some(last) = page.last() else { return Ok(None) };
        after = last.index;
        let is_it = |message: &Message<MessageBody>| {
            forms::is_form(&message.body) && message::marks(&app.keys, record.state.id, message).signature == signature
        };
        if let Some(found) = page.into_iter().find(is_it) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Puts the form that an agent chose in the place of its number: `{"type":"form","form_id":7}`.
pub(super) fn hand_out(app: &App, record: &ChatRecord, message: &Map<String, Value>) -> Result<MessageBody, Error> {
    let company = app.platform.company(&record.company_id).ok_or_else(|| Error::of(ErrorCode::NotFound))?;
    let form = message.get("form_id").and_then(Value::as_u64).and_then(|id| company.form(id));
    let form =
        form.ok_or_else(|| Error::invalid("A form message needs the `form_id` of one of the company's forms."))?;
    Ok(MessageBody::new(&forms::message(form, &company.langs(&record.lang), &app.platform.base)))
}

#[derive(Deserialize, IntoParams)]
struct FormsQuery {
    /// The chat to hand one out in.
    chat_id: u64,
}

/// A form that can be handed out.
#[derive(Serialize, ToSchema)]
struct DeskForm {
    /// What a message of the type `form` names it by, as `form_id`.
    id: u64,
    /// Its name.
    name: String,
    /// What the customer reads above it, in the chat's language.
    title: String,
    /// `custom` or `browser`.
    kind: String,
}

/// The forms that can be handed out.
#[derive(Serialize, ToSchema)]
struct DeskForms {
    /// In the order of the configuration.
    forms: Vec<DeskForm>,
}

/// The forms that can be handed out in a chat.
#[utoipa::path(
    get, path = "/desk/api/v1/forms", tag = "desk", security(("desk" = [])), params(FormsQuery), responses((status = 200, body = DeskForms))
)]
async fn list(
    State(app): State<Shared>,
    session: AgentSession,
    QueryOf(query): QueryOf<FormsQuery>,
) -> Result<Json<DeskForms>, Error> {
    let record = visible_chat(&app, &session.agent, query.chat_id).await?;
    let Some(company) = app.platform.company(&record.company_id) else {
        return Ok(Json(DeskForms { forms: Vec::new() }));
    };
    let langs = company.langs(&record.lang);
    let shown = company.settings.forms.iter().map(|form| DeskForm {
        id: form.id,
        name: form.name.clone(),
        title: form.title.wording(&langs).to_owned(),
        kind: match form.kind {
            FormKind::Custom => "custom".to_owned(),
            FormKind::Browser => "browser".to_owned(),
        },
    });
    Ok(Json(DeskForms { forms: shown.collect() }))
}

/// What was answered, with the masked answers in clear.
#[derive(Serialize, ToSchema)]
struct DeskAnswers {
    /// The form's name.
    form_name: String,
    /// `[{"question_id","question","value"}]`, or what a browser form's page said.
    #[schema(value_type = Object)]
    form_data: Value,
}

/// What was answered to a form, as only agents of the chat may read it.
#[utoipa::path(
    get, path = "/desk/api/v1/chats/{chat_id}/forms/{smart_action_id}", tag = "desk", security(("desk" = [])),
    params(("chat_id" = u64, Path, description = "A chat"), ("smart_action_id" = u64, Path, description = "A form that was handed out in it")),
    responses((status = 200, body = DeskAnswers))
)]
async fn answers(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf((chat_id, smart_action_id)): PathOf<(u64, u64)>,
) -> Result<Json<DeskAnswers>, Error> {
    let record = visible_chat(&app, &session.agent, chat_id).await?;
    // A chat that only waits shows what everybody reads, and nothing more.
    if !record.state.all_agent_ids.contains(&session.agent.id) {
        return Err(Error::of(ErrorCode::NotFound));
    }
    let (_, shown) = handed_out(&app, chat_id, smart_action_id).await?;
    let completed = completion(&app, &record, smart_action_id).await?.ok_or_else(|| Error::of(ErrorCode::NotFound))?;
    let object: Map<String, Value> = serde_json::from_str(completed.body.json()).unwrap_or_default();
    let mut form_data = object.get("form_data").cloned().unwrap_or(Value::Null);
    let masked = match member(&completed.body, MASKED) {
        Some(id) => app.store.masked_answers(chat_id, smart_action_id, &id).await?,
        None => Vec::new(),
    };
    if let Value::Array(entries) = &mut form_data {
        for entry in entries {
            let clear = masked.iter().find(|clear| clear.get("question_id") == entry.get("question_id"));
            if let Some(clear) = clear {
                *entry = clear.clone();
            }
        }
    }
    let form_name = shown.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Json(DeskAnswers { form_name, form_data }))
}

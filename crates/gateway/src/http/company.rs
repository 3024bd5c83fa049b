//! The end-user API about the company: itself, its menus, hours, waiting times and what it offers instead of waiting. Only reads.

use axum::Json;
use axum::extract::State;
use engine::gateway::Status;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::rest::{self, AfterHoursMessage, ChatDeflection, Language, WaitTimes};

use super::request::{PathOf, QueryOf};
use super::session::EndUserSession;
use crate::clock::now_ms;
use crate::error::Error;
use crate::platform::embedded::live::{self, QueueState};
use crate::platform::embedded::menus::Asked;
use crate::platform::embedded::{deflection, menus, queue};
use crate::{App, Shared};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(company))
        .routes(routes!(after_hours_message))
        .routes(routes!(menu_tree))
        .routes(routes!(wait_times))
        .routes(routes!(company_deflection))
}

/// The language that an answer is asked for.
#[derive(Deserialize, IntoParams)]
pub(super) struct LangQuery {
    /// A BCP 47 tag; the company's default language where absent, or where the company does not have it.
    pub(super) lang: Option<String>,
}

/// The company.
#[utoipa::path(
    get, path = "/api/v1/company", tag = "end user", params(LangQuery), security(("session" = [])),
    responses((status = 200, body = rest::Company))
)]
async fn company(session: EndUserSession, QueryOf(LangQuery { lang: _ }): QueryOf<LangQuery>) -> Json<rest::Company> {
    let settings = &session.company.settings;
    let default_lang = session.company.default_lang();
    let named = |language: &crate::config::Language| Language {
        code: language.code.clone(),
        name: language.name.clone(),
        default: language.code == default_lang,
    };
    let mut languages: Vec<Language> = settings.languages.iter().map(named).collect();
    if languages.is_empty() {
        languages.push(named(&crate::config::Language::of(default_lang)));
    }
    Json(rest::Company {
        name: settings.name.clone(),
        subdomain: settings.id.clone(),
        support_email: settings.support_email.clone(),
        languages,
        action_tracking: settings.action_tracking,
        email_transcripts: settings.email_transcripts,
        message_preview: settings.message_preview,
        email_enhancement: settings.email_enhancement,
        cobrowse_domain: settings.cobrowse_domain.clone(),
    })
}

/// What to say outside the business hours.
#[utoipa::path(
    get, path = "/api/v1/after_hours_message", tag = "end user", params(LangQuery), security(("session" = [])),
    responses((status = 200, body = AfterHoursMessage))
)]
async fn after_hours_message(session: EndUserSession, QueryOf(query): QueryOf<LangQuery>) -> Json<AfterHoursMessage> {
    let message = session.company.after_hours_message(query.lang.as_deref()).to_owned();
    Json(AfterHoursMessage { message })
}

#[derive(Deserialize, IntoParams)]
struct MenuQuery {
    /// A direct access key: only its part of the tree.
    key: Option<String>,
    /// A BCP 47 tag; the company's default language where absent, or where the company does not have it.
    lang: Option<String>,
}

/// The tree of queues.
#[utoipa::path(
    get, path = "/api/v1/menus", tag = "end user", params(MenuQuery), security(("session" = [])),
    responses((status = 200, body = rest::Menus))
)]
async fn menu_tree(
    State(app): State<Shared>,
    session: EndUserSession,
    QueryOf(query): QueryOf<MenuQuery>,
) -> Result<Json<rest::Menus>, Error> {
    let company = &session.company;
    live::look(&app, company).await?;
    let identifier = match company.leads_users() {
        true => app.store.end_user_by_id(session.end_user_id).await?.and_then(|user| user.identifier),
        false => None,
    };
    let asked = Asked { key: query.key.as_deref(), identifier: identifier.as_deref(), lang: query.lang.as_deref() };
    Ok(Json(menus::present(company, &app.platform.live, asked)))
}

/// How long one would wait in a queue, in seconds.
#[utoipa::path(
    get, path = "/api/v1/menus/{menu_id}/wait_times", tag = "end user", security(("session" = [])),
    params(("menu_id" = u64, Path, description = "A queue"), LangQuery),
    responses((status = 200, body = WaitTimes))
)]
async fn wait_times(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(menu_id): PathOf<u64>,
    QueryOf(LangQuery { lang: _ }): QueryOf<LangQuery>,
) -> Result<Json<WaitTimes>, Error> {
    let company = &session.company.settings;
    if menus::queue(&company.menus, menu_id).is_none() {
        return Err(Error::of(ErrorCode::NotFound));
    }
    let own = app.store.ongoing_chat(session.end_user_id).await?;
    let own = own.filter(|chat| chat.state.status == Status::Queued && chat.company_id == company.id);
    let own = queue::Own { end_user_id: session.end_user_id, chat_id: own.map(|chat| chat.state.id) };
    Ok(Json(queue::wait_times(&app, (&company.id, menu_id), own).await?))
}

/// What the company offers instead of waiting, where there is no chat yet.
#[utoipa::path(
    get, path = "/api/v1/deflection", tag = "end user", params(LangQuery), security(("session" = [])),
    responses((status = 200, body = ChatDeflection))
)]
async fn company_deflection(
    State(app): State<Shared>,
    session: EndUserSession,
    QueryOf(query): QueryOf<LangQuery>,
) -> Result<Json<ChatDeflection>, Error> {
    let company = &session.company;
    let state = company_state(&app, company).await?;
    Ok(Json(deflection::present(company, None, state, company.lang(query.lang.as_deref()))))
}

/// How the company stands as a whole: its own hours, and the shortest wait of its queues.
async fn company_state(app: &App, company: &crate::platform::embedded::Company) -> Result<QueueState, Error> {
    live::look(app, company).await?;
    let waits = company.menu_ids().filter_map(|id| app.platform.live.of(&company.settings.id, id).wait_s);
    Ok(QueueState { closed: !company.is_open_itself(now_ms()), wait_s: waits.min() })
}

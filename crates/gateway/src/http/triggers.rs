//! The end-user API about what the company's pages may do of themselves: proactive triggers and feature flags.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::rest::{FeatureFlags, TriggerRun, TriggerRunRequest, Triggers};

use super::company::LangQuery;
use super::request::{Body, QueryOf};
use super::session::EndUserSession;
use crate::Shared;
use crate::clock::now_ms;
use crate::error::Error;
use crate::platform::embedded::{features, triggers};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(offered)).routes(routes!(run)).routes(routes!(feature_flags))
}

/// The questions that a page may ask this end user.
#[utoipa::path(
    get, path = "/api/v1/triggers", tag = "end user", params(LangQuery), security(("session" = [])),
    responses((status = 200, body = Triggers))
)]
async fn offered(
    State(app): State<Shared>,
    session: EndUserSession,
    QueryOf(query): QueryOf<LangQuery>,
) -> Result<Json<Triggers>, Error> {
    let lang = query.lang.as_deref();
    let triggers = triggers::offered(&app, &session.company, session.end_user_id, lang, now_ms()).await?;
    Ok(Json(Triggers { triggers }))
}

/// A page is about to ask: whether it may, at most once a day.
#[utoipa::path(
    post, path = "/api/v1/trigger_runs", tag = "end user", request_body = TriggerRunRequest, security(("session" = [])),
    responses((status = 200, body = TriggerRun), (status = 404, body = wire::rest::ErrorBody, description = "No such trigger"))
)]
async fn run(
    State(app): State<Shared>,
    session: EndUserSession,
    Body(request): Body<TriggerRunRequest>,
) -> Result<Json<TriggerRun>, Error> {
    let run = triggers::run(&app, &session.company, session.end_user_id, &request.trigger_id, now_ms()).await?;
    Ok(Json(TriggerRun { run }))
}

/// What the gateway and the company offer.
#[utoipa::path(
    get, path = "/api/v1/feature_flags", tag = "end user", security(("session" = [])),
    responses((status = 200, body = FeatureFlags))
)]
async fn feature_flags(State(app): State<Shared>, session: EndUserSession) -> Json<FeatureFlags> {
    Json(FeatureFlags { flags: features::flags(&app, &session.company) })
}

//! The HTTP side: routes, and what surrounds every request from outside in: log line, limits, origin. The bodies are the protocol's
//! (`docs/protocol.md`); what they lead to is decided elsewhere.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use wire::ErrorCode;

use crate::App;
use crate::auth::keys;
use crate::error::Error;

pub(crate) mod calls;
mod chat_events;
mod company;
mod demo;
pub(crate) mod desk;
mod desk_emails;
mod desk_screen_share;
mod emails;
mod end_user;
mod escalation;
mod forms;
mod health;
mod history;
pub(crate) mod limits;
mod media;
mod openapi;
pub(crate) mod origin;
mod pages;
mod post_session;
mod request;
mod results;
mod screen_share;
pub(crate) mod session;
mod survey;
mod transcript_mails;
mod transcripts;
mod transfer;
mod triggers;
mod waiting;

pub(crate) use request::{PathOf, Peer};

/// How long a request may take, with its body.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a file may take; while its bytes come, each may take no longer than [`REQUEST_TIMEOUT`].
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(300);

/// Everything the gateway answers.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let about = OpenApiRouter::with_openapi(openapi::about());
    let mut api = about.merge(end_user::routes()).merge(crate::stream::end_user::routes());
    api = api
        .merge(company::routes())
        .merge(calls::routes())
        .merge(escalation::routes())
        .merge(chat_events::routes())
        .merge(forms::routes())
        .merge(history::routes())
        .merge(media::routes(app))
        .merge(emails::routes(app))
        .merge(transcript_mails::routes())
        .merge(transcripts::routes())
        .merge(survey::routes())
        .merge(post_session::routes())
        .merge(triggers::routes())
        .merge(screen_share::routes())
        .merge(desk::routes(app))
        .merge(health::routes());
    if app.signs_demo_tokens() {
        api = api.merge(demo::routes());
    }
    let (router, mut document) = api.split_for_parts();
    openapi::add_refusals(&mut document);
    router
        .merge(openapi::route(&document))
        .route("/api/v1/stream", get(crate::stream::end_user::open))
        .merge(crate::stream::desk::routes(app))
        .merge(crate::stream::screen_share::routes(app))
        .fallback_service(pages::service(&app.config))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(app.config.limits.max_body_bytes))
        .layer(from_fn_with_state(Arc::clone(app), limits::per_address))
        .layer(from_fn(in_time))
        .layer(from_fn(origin::cross_origin))
        .layer(from_fn_with_state(Arc::clone(app), observe))
        .with_state(Arc::clone(app))
}

async fn method_not_allowed() -> Error {
    Error::invalid("This route does not know this method.").with_status(StatusCode::METHOD_NOT_ALLOWED)
}

async fn in_time(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_upload = path == crate::media::form::URL || emails::is_upload(path);
    let patience = if is_upload { UPLOAD_TIMEOUT } else { REQUEST_TIMEOUT };
    let answered = tokio::time::timeout(patience, next.run(request)).await;
    answered.unwrap_or_else(|_| Error::of(ErrorCode::Timeout).into_response())
}

/// The outermost layer: who is calling, and one line in the log.
async fn observe(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let Some(address) = address else { return Error::of(ErrorCode::Internal).into_response() };
    let peer = Peer(request::caller(address, request.headers(), &app.config.trusted_proxies));
    request.extensions_mut().insert(peer);
    let id = keys::to_text(&keys::random::<9>().unwrap_or_default());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = route.as_deref().unwrap_or("(pages)");
    let mut response = next.run(request).await;
    let duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    tracing::info!(request_id = %id, %method, route, status = response.status().as_u16(), duration_us, "request");
    let headers = response.headers_mut();
    // Answers are about one person at one moment; pages and files say for themselves.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", value);
    }
    response
}

/// Whether end users may send files of a kind.
pub(crate) fn takes_files(limits: &crate::config::Limits, kind: crate::store::MediaKind) -> bool {
    media::most_bytes(limits, kind, false) > 0
}

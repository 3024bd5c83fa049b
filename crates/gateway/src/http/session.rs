//! Who is calling: an end user by the bearer token, an agent by the desk's cookie. Each is an extractor, so that a handler that forgets to
//! ask cannot know.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use subtle::ConstantTimeEq;
use wire::ErrorCode;

use super::origin;
use crate::App;
use crate::auth::keys;
use crate::clock::now_ms;
use crate::error::Error;
use crate::platform::embedded::Company;
use crate::platform::embedded::agents::Agent;

/// The cookie of an agent's sign-in.
pub(crate) const DESK_COOKIE: &str = "sportello_desk";

/// An end user with a good session, on a page that the company allows.
pub(crate) struct EndUserSession {
    pub(crate) end_user_id: u64,
    pub(crate) company: Arc<Company>,
}

impl FromRequestParts<Arc<App>> for EndUserSession {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let session = end_user_session(parts, app)?;
        app.limits.check_end_user(session.end_user_id)?;
        Ok(session)
    }
}

/// The end user whose token this is, not counted yet.
pub(super) fn end_user_session(parts: &Parts, app: &App) -> Result<EndUserSession, Error> {
    let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token =
        header.and_then(|text| text.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let (_, token) = token.ok_or_else(|| Error::of(ErrorCode::Unauthorized))?;
    let session = app.tokens.verify(token.trim(), now_ms())?;
    // A company that is no longer configured has no sessions.
    let company = app.platform.company(&session.company_id).ok_or_else(|| Error::of(ErrorCode::Unauthorized))?;
    origin::check_company(app, &company.settings, &parts.headers)?;
    Ok(EndUserSession { end_user_id: session.end_user_id, company: Arc::clone(company) })
}

/// An agent who is signed in, on the desk's own page.
pub(crate) struct AgentSession {
    pub(crate) agent: Agent,
    pub(crate) token: String,
    pub(crate) expires_at_ms: u64,
}

impl FromRequestParts<Arc<App>> for AgentSession {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let session = agent_session(app, &parts.headers).await?;
        let is_read = parts.method == Method::GET || parts.method == Method::HEAD;
        if !is_read {
            origin::check_own(app, &parts.headers)?;
            check_csrf(app, &session.token, &parts.headers)?;
        }
        Ok(session)
    }
}

/// The agent whose cookie this is.
pub(crate) async fn agent_session(app: &App, headers: &HeaderMap) -> Result<AgentSession, Error> {
    let unauthorized = || Error::new(ErrorCode::Unauthorized, "Sign in first.");
    let token = cookie(headers, DESK_COOKIE).ok_or_else(unauthorized)?;
    let found = app.store.agent_session(keys::sha256(token), now_ms()).await?;
    let (agent_id, expires_at_ms) = found.ok_or_else(unauthorized)?;
    // An agent who was taken out of the configuration is out.
    let agent = app.platform.agents.by_id(agent_id).ok_or_else(unauthorized)?;
    Ok(AgentSession { agent: agent.clone(), token: token.to_owned(), expires_at_ms })
}

fn check_csrf(app: &App, token: &str, headers: &HeaderMap) -> Result<(), Error> {
    let given = headers.get("x-csrf-token").map_or(&[][..], |value| value.as_bytes());
    if bool::from(app.keys.csrf_token(token).as_bytes().ct_eq(given)) {
        Ok(())
    } else {
        Err(Error::new(
            ErrorCode::Forbidden,
            "The header x-csrf-token is missing or wrong: sign-in and `me` return it.",
        ))
    }
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

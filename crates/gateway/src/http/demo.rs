//! The part of a site's own server, for the demo: signs the token that a shop would sign for its visitor. Exists only with `--demo` and a
//! loopback listener, because whoever reaches it can be anyone.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;

use super::origin;
use super::request::Body;
use crate::Shared;
use crate::auth::jwt::{self, Visitor};
use crate::clock::now_ms;
use crate::error::Error;

/// The company of the demo.
const COMPANY: &str = "demo";
/// How long a demo token is good for.
const LIFETIME_MS: u64 = 10 * 60 * 1000;

/// Whom the token is for; nobody in particular where empty.
#[derive(Deserialize, ToSchema)]
struct DemoTokenRequest {
    /// The visitor's id at the site.
    identifier: Option<String>,
    /// The visitor's name.
    name: Option<String>,
    /// The visitor's e-mail address.
    email: Option<String>,
    /// What the site says of the visitor, to be signed as well.
    #[schema(value_type = Option<Object>)]
    custom_data: Option<Map<String, Value>>,
}

/// A token as the site's `authenticate` returns it.
#[derive(Serialize, ToSchema)]
struct DemoToken {
    /// A JWT.
    token: String,
    /// The custom data as a JWT, for `custom_data.signed` of a chat; absent where none was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_data: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(sign))
}

/// Sign a visitor's token and custom data, as a site's own server would.
#[utoipa::path(post, path = "/demo/token", tag = "operation", request_body = DemoTokenRequest, responses((status = 200, body = DemoToken)))]
async fn sign(
    State(app): State<Shared>,
    headers: HeaderMap,
    Body(request): Body<DemoTokenRequest>,
) -> Result<Json<DemoToken>, Error> {
    let company = app.platform.company(COMPANY).ok_or_else(|| Error::of(ErrorCode::CompanyUnknown))?;
    origin::check_company(&app, &company.settings, &headers)?;
    let secret = &company.settings.secret;
    let visitor = Visitor { identifier: request.identifier, name: request.name, email: request.email, phone: None };
    let token = jwt::sign(&visitor, secret, now_ms(), LIFETIME_MS)?;
    let signed = request.custom_data.map(|data| jwt::sign_custom_data(&data, secret, now_ms(), LIFETIME_MS));
    Ok(Json(DemoToken { token, signed_data: signed.transpose()? }))
}

//! The OpenAPI document: made of the handlers themselves, so that a route cannot be forgotten, and of one table of refusals.

use axum::Router;
use axum::http::header;
use axum::routing::get;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, ResponseBuilder};
use utoipa::{OpenApi as _, ToSchema};

use super::session::DESK_COOKIE;
use crate::Shared;

/// What the document says about the whole.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Sportello gateway",
        description = "End-user API and agent desk API. The event streams' frames are described in docs/protocol.md."
    ),
    components(schemas(wire::rest::ErrorBody)),
    tags(
        (name = "end user", description = "Called by the SDK with `Authorization: Bearer <session token>`."),
        (name = "desk", description = "Called by the agent desk on the same origin, with its cookie and `x-csrf-token`."),
        (name = "operation", description = "For whoever runs the gateway.")
    )
)]
struct About;

pub(super) fn about() -> OpenApi {
    let mut document = About::openapi();
    let components = document.components.get_or_insert_default();
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    components.add_security_scheme("session", bearer);
    components.add_security_scheme("desk", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(DESK_COOKIE))));
    document
}

/// Adds to each operation what it may refuse with.
pub(super) fn add_refusals(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let is_chat = path.contains("{chat_id}");
        let is_call = path.contains("{call_id}");
        let is_menu = path.contains("{menu_id}");
        for (has_body, operation) in operations(item) {
            // The stream refuses by its frames.
            if path == "/health" || path == "/api/v1/stream" {
                continue;
            }
            let mut refusals = vec![(400, "Malformed"), (429, "Too many requests"), (503, "Try again later")];
            if path == crate::media::form::URL {
                refusals.extend([(404, "No such file"), (408, "The form has expired, or nothing came for too long")]);
            } else if path != "/demo/token" {
                refusals.push((401, "No good session, token or cookie"));
            }
            if super::emails::is_upload(path) {
                refusals.push((408, "Nothing came for too long"));
            }
            if path.contains("{email_id}") {
                refusals.push((404, "No such message or file, or of a company that the agent does not serve"));
            }
            if path.ends_with("/replies") {
                refusals.push((409, "No mail is configured, or the message has as many answers as it can have"));
            }
            refusals.push((403, "A page of a foreign origin, or not allowed"));
            if is_chat || is_menu || is_call || path.ends_with("/sessions") || path.ends_with("/chats") {
                refusals.push((404, "No such company, menu, chat or call, or someone else's"));
            }
            if has_body {
                refusals.push((413, "Too large"));
            }
            if (has_body && path.contains("/chats")) || path.ends_with("/screen_share") {
                refusals.push((409, "The chat is over, or not in a state for this"));
            } else if has_body && path.contains("/calls") {
                refusals.push((409, "The time or the queue cannot be had, or the call is not in a state for this"));
            } else if path.contains("/time_slot") {
                refusals.push((409, "The queue is closed, elsewhere, or not reached by telephone"));
            }
            for (status, description) in refusals {
                let content =
                    ContentBuilder::new().schema(Some(Ref::from_schema_name(wire::rest::ErrorBody::name()))).build();
                let response =
                    ResponseBuilder::new().description(description).content("application/json", content).build();
                operation.responses.responses.entry(status.to_string()).or_insert_with(|| response.into());
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (bool, &mut Operation)> {
    let reads = [item.get.as_mut(), item.delete.as_mut()].into_iter().flatten().map(|operation| (false, operation));
    let writes = [item.post.as_mut(), item.patch.as_mut()].into_iter().flatten().map(|operation| (true, operation));
    reads.chain(writes)
}

/// Serves the document.
pub(super) fn route(document: &OpenApi) -> Router<Shared> {
    let text = document.to_json().unwrap_or_default();
    Router::new()
        .route("/openapi.json", get(move || async move { ([(header::CONTENT_TYPE, "application/json")], text) }))
}

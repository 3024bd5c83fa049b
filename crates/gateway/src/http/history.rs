//! An end user's earlier conversations, in pages. Only reads what is over; the ongoing chat has its own routes.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use engine::gateway::Actor;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::rest::{ChatHistory, Pagination};

use super::request::QueryOf;
use super::session::EndUserSession;
use crate::error::Error;
use crate::message;
use crate::store::{ChatRecord, PageLimit};
use crate::{App, Shared, clock};

/// Chats of one page.
const PER_PAGE: u64 = 10;
/// The `next_page` of the last page.
const NO_NEXT_PAGE: i64 = -1;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(history))
}

#[derive(Deserialize, IntoParams)]
struct HistoryQuery {
    /// From 1 on.
    page: Option<u32>,
}

/// The chats of this end user that are over, newest first.
#[utoipa::path(
    get, path = "/api/v1/chat_history", tag = "end user", params(HistoryQuery), security(("session" = [])),
    responses((status = 200, body = ChatHistory))
)]
async fn history(
    State(app): State<Shared>,
    session: EndUserSession,
    QueryOf(query): QueryOf<HistoryQuery>,
) -> Result<Response, Error> {
    let page = query.page.unwrap_or(1);
    let Some(pages_before) = page.checked_sub(1) else {
        return Err(Error::invalid("`page` is 1 or more."));
    };
    let skip = u64::from(pages_before).saturating_mul(PER_PAGE);
    // One more than is shown tells whether there is a next page.
    let mut records = app.store.ended_chats(session.end_user_id, skip, PER_PAGE.saturating_add(1)).await?;
    let shown = usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
    let has_next = records.len() > shown;
    records.truncate(shown);
    let mut chats = Vec::new();
    let mut missing_chat_ids = Vec::new();
    let mut room = app.config.limits.max_page_bytes;
    for record in &records {
        match entries(&app, record, room).await? {
            Some(entries) if !record.state.dropped => {
                room = room.saturating_sub(entries.len());
                chats.push(item(&app, &session, record, &entries));
            }
            _ => missing_chat_ids.push(record.state.id),
        }
    }
    let next_page = if has_next { i64::from(page).saturating_add(1) } else { NO_NEXT_PAGE };
    let text = format!(
        r#"{{"chats":[{}],"missing_chat_ids":{},"pagination":{}}}"#,
        chats.join(","),
        json(&missing_chat_ids),
        json(&Pagination { next_page, per_page: PER_PAGE })
    );
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// All messages of a chat as the protocol writes them; `None` where they do not fit.
async fn entries(app: &App, record: &ChatRecord, room: usize) -> Result<Option<String>, Error> {
    let (chat_id, last_index) = (record.state.id, record.state.last_index);
    let mut messages = Vec::new();
    let mut bytes = 0_usize;
    if record.state.dropped {
        return Ok(None);
    }
    loop {
        let after = messages.last().map_or(0, |message: &engine::gateway::Message<_>| message.index);
        if after >= last_index {
            break;
        }
        let limit = PageLimit { messages: wire::MESSAGES_PAGE_LIMIT, bytes: room };
        let page = app.store.messages_after(chat_id, after, limit).await?;
        bytes = page.iter().fold(bytes, |bytes, message| bytes.saturating_add(message.body.json().len()));
        if page.is_empty() || bytes > room {
            return Ok(None);
        }
        messages.extend(page);
    }
    let actor = Actor::EndUser(record.state.end_user_id);
    let reader = message::Reader { actor, redactor: app.platform.redactor(record) };
    let text = message::render_list(&app.keys, chat_id, &messages, reader);
    Ok((text.len() <= room).then_some(text))
}

fn item(app: &App, session: &EndUserSession, record: &ChatRecord, entries: &str) -> String {
    let chat = app.platform.present(record, &record.state);
    let assigned_at = clock::iso_8601(record.state.assigned_at_ms.unwrap_or(record.state.created_at_ms));
    format!(
        r#"{{"comm_id":{},"assigned_at":{},"comm_type":"chat","timezone":{},"menus":{},"agents":{},"entries":{entries}}}"#,
        record.state.id,
        json(&assigned_at),
        json(&session.company.settings.timezone.0),
        json(&chat.menus),
        json(&chat.all_agents),
    )
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

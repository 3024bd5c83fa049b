//! The end-user API (`docs/protocol.md`). Each handler checks, asks the chat or the store, and writes the answer; nothing is decided here
//! about what a chat may do.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::gateway::{Actor, ChatState, Command, Done, Status, open};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::rest::{
    ChatBody, ChatPatch, CreateChatRequest, EndUser, MessagesBody, OngoingChatBody, PreviewRequest, ResumeRequest,
    SendRequest, SendResponse, SessionRequest, SessionResponse, TypingRequest,
};

use super::request::{Body, PathOf, QueryOf};
use super::session::EndUserSession;
use super::survey::without_given;
use super::{Peer, forms, media, origin, screen_share};
use crate::auth::session_token::Session;
use crate::auth::{jwt, keys};
use crate::clock::now_ms;
use crate::error::Error;
use crate::message;
use crate::platform::embedded::custom_data;
use crate::platform::embedded::forms::is_form;
use crate::platform::embedded::menus::{self, Shut};
use crate::store::{ChatRecord, EMBEDDED_PLATFORM, EndUserKey, MessageBody, NewChat, PageLimit, Profile};
use crate::{App, Shared};

/// The length of a client-made secret: 256 bits in base64url.
const END_USER_SECRET_CHARS: usize = 43;
/// The idempotency key of a greeting. No client can use it: theirs have no colon.
const GREETING_CLIENT_ID: &str = "create:greeting";

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(create_session))
        .routes(routes!(create_chat))
        .routes(routes!(ongoing_chat))
        .routes(routes!(chat, finish_chat, drop_chat))
        .routes(routes!(messages, send_message))
        .routes(routes!(resume))
        .routes(routes!(typing))
        .routes(routes!(preview))
        .merge(super::waiting::routes())
}

/// Exchange the token that the site signed for a session.
#[utoipa::path(post, path = "/api/v1/sessions", tag = "end user", request_body = SessionRequest, responses((status = 200, body = SessionResponse)))]
async fn create_session(
    State(app): State<Shared>,
    _: Peer,
    headers: HeaderMap,
    Body(request): Body<SessionRequest>,
) -> Result<Json<SessionResponse>, Error> {
    let company = app.platform.company(&request.company_id).ok_or_else(|| Error::of(ErrorCode::CompanyUnknown))?;
    origin::check_company(&app, &company.settings, &headers)?;
    let visitor = jwt::verify(&request.token, &company.settings.secret, app.config.session.jwt_leeway_ms)?;
    let key = match (visitor.identifier, request.end_user_secret) {
        (Some(identifier), _) => EndUserKey::Identifier(identifier),
        (None, Some(secret)) if is_end_user_secret(&secret) => EndUserKey::SecretSha256(keys::sha256(&secret)),
        (None, _) => {
            return Err(Error::invalid(
                "A token without `identifier` needs an end_user_secret of 43 base64url characters.",
            ));
        }
    };
    let profile = Profile { name: visitor.name, email: visitor.email, phone: visitor.phone };
    let record = app.store.end_user(&company.settings.id, key, profile).await?;
    app.limits.check_end_user(record.id)?;
    let expires_in_ms = app.config.session.token_lifetime_ms;
    let session_token = app.tokens.issue(&Session {
        end_user_id: record.id,
        company_id: company.settings.id.clone(),
        expires_at_ms: now_ms().saturating_add(expires_in_ms),
    })?;
    let end_user = EndUser { id: record.id, identifier: record.identifier };
    Ok(Json(SessionResponse { session_token, expires_in_ms, end_user }))
}

fn is_end_user_secret(text: &str) -> bool {
    text.len() == END_USER_SECRET_CHARS && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Open a chat.
#[utoipa::path(
    post, path = "/api/v1/chats", tag = "end user", request_body = CreateChatRequest, security(("session" = [])),
    responses((status = 201, body = ChatBody), (status = 200, body = ChatBody, description = "The chat that this client_id opened before"))
)]
async fn create_chat(
    State(app): State<Shared>,
    session: EndUserSession,
    Body(mut request): Body<CreateChatRequest>,
) -> Result<(StatusCode, Json<ChatBody>), Error> {
    message::check_client_id(&request.client_id)?;
    let asked = Asked::read(&app, &request.chat)?;
    let company = &session.company.settings;
    // A repeated creation is answered as the first one was, whatever the hour and however old its tokens.
    if let Some(chat_id) = app.store.chat_opened_with(session.end_user_id, &request.client_id).await? {
        return created(&app, &session, chat_id, asked.greeting, StatusCode::OK).await;
    }
    custom_data::check(&mut request.chat, &company.secret, app.config.session.jwt_leeway_ms, &app.config.limits)?;
    let now_ms = now_ms();
    let queue = menus::entered(&session.company, request.menu_id, now_ms).map_err(shut)?;
    let state = ChatState::new(session.end_user_id, queue.id, queue.virtual_agent, now_ms);
    let lang = asked.lang.unwrap_or_else(|| session.company.default_lang().to_owned());
    let opening = open(state, &app.chats.tools().script(&company.id, &lang, &request.chat), now_ms);
    let new = NewChat {
        company_id: company.id.clone(),
        platform: EMBEDDED_PLATFORM.to_owned(),
        platform_ref: None,
        client_id: request.client_id,
        lang,
        request: request.chat,
    };
    let stored = app.store.create_chat(new, opening).await?;
    if stored.fresh {
        app.bus.publish_chats_changed();
    }
    let status = if stored.fresh { StatusCode::CREATED } else { StatusCode::OK };
    created(&app, &session, stored.chat_id, asked.greeting, status).await
}

async fn created(
    app: &App,
    session: &EndUserSession,
    chat_id: u64,
    greeting: Option<String>,
    status: StatusCode,
) -> Result<(StatusCode, Json<ChatBody>), Error> {
    if let Some(greeting) = greeting {
        greet(app, session.end_user_id, chat_id, &greeting).await?;
    }
    let record = own_chat(app, session, chat_id).await?;
    Ok((status, chat_body(app, &record).await?))
}

pub(super) fn shut(why: Shut) -> Error {
    match why {
        Shut::Unknown => Error::of(ErrorCode::NotFound),
        Shut::Disabled => Error::new(ErrorCode::Conflict, "This queue is closed at the moment."),
        Shut::Elsewhere => {
            Error::new(ErrorCode::Conflict, "This queue's customers are sent elsewhere: its `redirection` says where.")
        }
        Shut::NotReached => Error::new(ErrorCode::Conflict, "This queue is not reached by chat: see its `channels`."),
        Shut::AfterHours => Error::of(ErrorCode::AfterHours),
    }
}

/// What a `ChatRequest` asks for that the gateway acts on; the rest is kept for the desk.
struct Asked {
    lang: Option<String>,
    greeting: Option<String>,
}

impl Asked {
    fn read(app: &App, request: &Map<String, Value>) -> Result<Asked, Error> {
        let text = |name: &str, most: usize| match request.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) if text.len() <= most => Ok(Some(text.clone())),
            Some(Value::String(_)) => Err(Error::too_large()),
            Some(_) => {
                Err(Error::invalid("`lang`, `greeting`, `email`, `ticket_id` and `trigger_id` of a chat are strings."))
            }
        };
        for name in ["email", "ticket_id", "trigger_id"] {
            text(name, 320)?;
        }
        for name in ["cobrowsable", "message_preview"] {
            if !matches!(request.get(name), None | Some(Value::Null | Value::Bool(_))) {
                return Err(Error::invalid("`cobrowsable` and `message_preview` of a chat are booleans."));
            }
        }
        let greeting = text("greeting", app.config.limits.max_text_bytes)?.filter(|text| !text.trim().is_empty());
        Ok(Asked { lang: text("lang", 35)?, greeting })
    }
}

/// Sends the greeting as the end user's first message. A repeated creation repeats it too, which its key makes harmless.
async fn greet(app: &App, end_user_id: u64, chat_id: u64, greeting: &str) -> Result<(), Error> {
    let command = Command::Send { client_id: GREETING_CLIENT_ID.to_owned(), body: message::text_body(greeting) };
    match app.chats.command(chat_id, Actor::EndUser(end_user_id), command).await {
        Err(error) if error.code == ErrorCode::ChatEnded => Ok(()),
        result => result.map(drop),
    }
}

/// A chat of this end user; someone else's does not exist for them.
pub(super) async fn own_chat(app: &App, session: &EndUserSession, chat_id: u64) -> Result<ChatRecord, Error> {
    let record = app.store.chat(chat_id).await?;
    record
        .filter(|record| record.state.end_user_id == session.end_user_id)
        .ok_or_else(|| Error::of(ErrorCode::NotFound))
}

async fn chat_body(app: &App, record: &ChatRecord) -> Result<Json<ChatBody>, Error> {
    let chat = app.platform.present(record, &record.state);
    Ok(Json(ChatBody { chat: without_given(app, record, chat).await? }))
}

/// The newest chat that is not over.
#[utoipa::path(
    get, path = "/api/v1/chats/ongoing", tag = "end user", security(("session" = [])),
    responses((status = 200, body = OngoingChatBody))
)]
async fn ongoing_chat(State(app): State<Shared>, session: EndUserSession) -> Result<Json<OngoingChatBody>, Error> {
    let record = app.store.ongoing_chat(session.end_user_id).await?;
    Ok(Json(OngoingChatBody { chat: record.map(|record| app.platform.present(&record, &record.state)) }))
}

/// A chat.
#[utoipa::path(
    get, path = "/api/v1/chats/{chat_id}", tag = "end user", security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 200, body = ChatBody))
)]
async fn chat(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
) -> Result<Json<ChatBody>, Error> {
    let record = own_chat(&app, &session, chat_id).await?;
    chat_body(&app, &record).await
}

/// End a chat.
#[utoipa::path(
    patch, path = "/api/v1/chats/{chat_id}", tag = "end user", request_body = ChatPatch, security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 200, body = ChatBody))
)]
async fn finish_chat(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    Body(patch): Body<ChatPatch>,
) -> Result<Json<ChatBody>, Error> {
    check_patch(&patch)?;
    change(&app, &session, chat_id, Command::Finish).await
}

/// The only status that can be set.
pub(super) fn check_patch(patch: &ChatPatch) -> Result<(), Error> {
    if patch.status == Status::Finished.as_str() {
        Ok(())
    } else {
        Err(Error::invalid("The only `status` that can be set is `finished`."))
    }
}

/// End a chat and never offer it as ongoing again.
#[utoipa::path(
    delete, path = "/api/v1/chats/{chat_id}", tag = "end user", security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 200, body = ChatBody))
)]
async fn drop_chat(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
) -> Result<Json<ChatBody>, Error> {
    change(&app, &session, chat_id, Command::Drop).await
}

pub(super) async fn change(
    app: &App,
    session: &EndUserSession,
    chat_id: u64,
    command: Command<MessageBody>,
) -> Result<Json<ChatBody>, Error> {
    app.chats.command(chat_id, Actor::EndUser(session.end_user_id), command).await?;
    let record = own_chat(app, session, chat_id).await?;
    chat_body(app, &record).await
}

#[derive(Deserialize, IntoParams)]
pub(super) struct PageQuery {
    /// Messages after this index.
    #[serde(default)]
    after_index: u64,
    /// At most so many, up to 1000. A page may be shorter: go on until `last_index`.
    limit: Option<u64>,
}

/// Messages of a chat, in index order.
#[utoipa::path(
    get, path = "/api/v1/chats/{chat_id}/messages", tag = "end user", security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat"), PageQuery), responses((status = 200, body = MessagesBody))
)]
async fn messages(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Response, Error> {
    let record = own_chat(&app, &session, chat_id).await?;
    page(&app, &record, Actor::EndUser(session.end_user_id), &query).await
}

/// A page of messages. Its text is put together from the messages' own, which are rendered once.
pub(super) async fn page(app: &App, record: &ChatRecord, actor: Actor, query: &PageQuery) -> Result<Response, Error> {
    let most = query.limit.unwrap_or(wire::MESSAGES_PAGE_LIMIT);
    if !(1..=wire::MESSAGES_PAGE_LIMIT).contains(&most) {
        return Err(Error::invalid("`limit` must be between 1 and 1000."));
    }
    let limit = PageLimit { messages: most, bytes: app.config.limits.max_page_bytes };
    let messages = app.store.messages_after(record.state.id, query.after_index, limit).await?;
    // A message may have been stored since the chat was read.
    let last_index = messages.last().map_or(0, |message| message.index).max(record.state.last_index);
    let reader = message::Reader { actor, redactor: app.platform.redactor(record) };
    let list = message::render_list(&app.keys, record.state.id, &messages, reader);
    let text = format!(r#"{{"messages":{list},"last_index":{last_index}}}"#);
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// Send a message. Answered when it is stored durably.
#[utoipa::path(
    post, path = "/api/v1/chats/{chat_id}/messages", tag = "end user", request_body = SendRequest, security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat")),
    responses((status = 201, body = SendResponse), (status = 200, body = SendResponse, description = "This client_id was stored before"))
)]
async fn send_message(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    Body(mut request): Body<SendRequest>,
) -> Result<(StatusCode, Json<SendResponse>), Error> {
    match request.message.get("type").and_then(Value::as_str) {
        Some("noti") => {
            let record = own_chat(&app, &session, chat_id).await?;
            if message::is_share_notice(&request.message) {
                return screen_share::say(&app, &record, request).await;
            }
            return forms::complete_by_message(&app, &record, request).await;
        }
        _ => media::attach(&app, Actor::EndUser(session.end_user_id), chat_id, &mut request.message).await?,
    }
    send(&app, chat_id, Actor::EndUser(session.end_user_id), request).await
}

pub(super) async fn send(
    app: &App,
    chat_id: u64,
    actor: Actor,
    request: SendRequest,
) -> Result<(StatusCode, Json<SendResponse>), Error> {
    let body = message::check(request.message, actor, &app.config.limits)?;
    send_body(app, chat_id, actor, request.client_id, body).await
}

/// Sends what was checked, or is the gateway's own.
pub(super) async fn send_body(
    app: &App,
    chat_id: u64,
    actor: Actor,
    client_id: String,
    body: MessageBody,
) -> Result<(StatusCode, Json<SendResponse>), Error> {
    message::check_client_id(&client_id)?;
    let command = Command::Send { client_id: client_id.clone(), body: body.clone() };
    let done = app.chats.command(chat_id, actor, command).await?;
    let Done::Sent { index, at_ms, duplicate } = done else { return Err(Error::of(ErrorCode::Internal)) };
    let stored = if duplicate || is_form(&body) {
        // The content that counts is the one that was stored: an earlier one, or one that names its own place.
        let limit = PageLimit { messages: 1, bytes: usize::MAX };
        let found = app.store.messages_after(chat_id, index.saturating_sub(1), limit).await?;
        found.into_iter().next().ok_or_else(|| Error::of(ErrorCode::Unavailable))?
    } else {
        engine::gateway::Message { index, author: actor.into(), client_id: Some(client_id), at_ms, body }
    };
    let sid = message::marks(&app.keys, chat_id, &stored).sid;
    let status = if duplicate { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(SendResponse { index, sid, timestamp_ms: at_ms })))
}

/// Come back to a dismissed chat: it is queued again.
#[utoipa::path(
    post, path = "/api/v1/chats/{chat_id}/resume", tag = "end user", request_body = ResumeRequest, security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 200, body = ChatBody))
)]
async fn resume(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    Body(ResumeRequest {}): Body<ResumeRequest>,
) -> Result<Json<ChatBody>, Error> {
    let record = own_chat(&app, &session, chat_id).await?;
    if record.state.status == Status::Dismissed && !session.company.is_open(record.state.menu_id, now_ms()) {
        return Err(Error::of(ErrorCode::AfterHours));
    }
    change(&app, &session, chat_id, Command::Resume).await
}

/// Say that the end user types, or stopped, where the stream cannot speak. It ends by itself.
#[utoipa::path(
    post, path = "/api/v1/chats/{chat_id}/typing", tag = "end user", request_body = TypingRequest, security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 204))
)]
async fn typing(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    Body(request): Body<TypingRequest>,
) -> Result<StatusCode, Error> {
    own_chat(&app, &session, chat_id).await?;
    app.chats.typing(chat_id, Actor::EndUser(session.end_user_id), request.typing).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Say what the end user has typed and not sent yet, where the stream cannot speak, or not of so much.
#[utoipa::path(
    post, path = "/api/v1/chats/{chat_id}/preview", tag = "end user", request_body = PreviewRequest, security(("session" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 204))
)]
async fn preview(
    State(app): State<Shared>,
    session: EndUserSession,
    PathOf(chat_id): PathOf<u64>,
    Body(PreviewRequest { content }): Body<PreviewRequest>,
) -> Result<StatusCode, Error> {
    if !session.company.settings.message_preview {
        let text = "This company's agents do not see what is typed: see `message_preview` of the company.";
        return Err(Error::new(ErrorCode::Unsupported, text).with_status(StatusCode::FORBIDDEN));
    }
    if content.len() > app.config.limits.max_text_bytes {
        return Err(Error::too_large());
    }
    own_chat(&app, &session, chat_id).await?;
    app.chats.preview(chat_id, Actor::EndUser(session.end_user_id), content).await;
    Ok(StatusCode::NO_CONTENT)
}

//! The agent desk's API (`docs/protocol.md`): sign-in, queue, conversations. Same origin only. Without agents in the configuration it
//! answers on loopback alone.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use engine::gateway::{Actor, Command, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;
use wire::rest::{Chat, ChatAgent, ChatPatch, MessagesBody, SendRequest, SendResponse};

use super::end_user::{PageQuery, check_patch, page, send, send_body};
use super::origin;
use super::request::{Body, PathOf, Peer, QueryOf};
use super::results::{RecentRating, recent_ratings};
use super::session::{AgentSession, DESK_COOKIE};
use crate::auth::{agent, keys};
use crate::clock::now_ms;
use crate::error::Error;
use crate::platform::embedded::agents::Agent;
use crate::platform::embedded::custom_data::{self, CustomerFlags, DeskCustomData};
use crate::platform::embedded::end_user_name;
use crate::platform::embedded::forms::FORM;
use crate::store::ChatRecord;
use crate::{App, Shared};

/// Chats that a desk shows at most, of each kind.
const MAX_LISTED: u64 = 200;
/// Longer passwords are no passwords but an attempt to keep the gateway busy.
const MAX_PASSWORD_BYTES: usize = 1024;

pub(super) fn routes(app: &Arc<App>) -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(sign_in, sign_out))
        .routes(routes!(me))
        .routes(routes!(chats))
        .routes(routes!(accept))
        .routes(routes!(finish))
        .routes(routes!(messages, send_message))
        .merge(super::media::desk_routes())
        .merge(super::transcripts::desk_routes())
        .merge(super::chat_events::desk_routes())
        .merge(super::forms::desk_routes())
        .merge(super::post_session::desk_routes())
        .merge(super::transfer::routes())
        .merge(super::desk_emails::routes())
        .merge(super::results::routes())
        .merge(super::calls::desk_routes())
        .merge(super::desk_screen_share::routes())
        .layer(from_fn_with_state(Arc::clone(app), guard))
}

/// Keeps a desk that nobody can sign in at from the network.
pub(crate) async fn guard(State(app): State<Shared>, Peer(address): Peer, request: Request, next: Next) -> Response {
    if app.platform.agents.is_empty() && !address.is_loopback() {
        let text = "No agents are configured: until then the desk answers on this machine only.";
        return Error::new(ErrorCode::Forbidden, text).into_response();
    }
    next.run(request).await
}

/// An agent's sign-in.
#[derive(Deserialize, ToSchema)]
struct SignInRequest {
    /// The login.
    login: String,
    /// The password.
    password: String,
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
struct SignedIn {
    /// The agent.
    agent: ChatAgent,
    /// For the header `x-csrf-token` of each write.
    csrf_token: String,
}

/// A chat as the desk sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeskChat {
    /// The chat.
    #[serde(flatten)]
    chat: Chat,
    /// Whose customer it is.
    company_id: String,
    /// Since when it waits, or waited, for an agent.
    waiting_since_ms: Option<u64>,
    /// The customer's name, where the site or its page told it.
    end_user_name: Option<String>,
    /// The customer's e-mail address: what the site signed, otherwise what it sent with the chat.
    end_user_email: Option<String>,
    /// The entries of the site's `custom_data`, without those that it marked `invisible_to_agent`.
    custom_data: DeskCustomData,
    /// What the reserved keys of `custom_data` say, signed or not.
    customer_flags: CustomerFlags,
    /// What the signed ones say: only that is verified.
    customer_flags_signed: CustomerFlags,
    /// What was said elsewhere before, as the site sent it.
    #[schema(value_type = Vec<Object>)]
    external_transcript: Vec<Value>,
    /// The rest of what the site sent when it opened the chat.
    #[schema(value_type = Object)]
    request: Map<String, Value>,
}

/// The chats that concern an agent.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeskChats {
    /// Waiting for an agent, longest first.
    queue: Vec<DeskChat>,
    /// The agent's own, oldest first.
    mine: Vec<DeskChat>,
    /// What customers thought of their chats, newest first.
    ratings: Vec<RecentRating>,
}

/// A chat in an answer.
#[derive(Serialize, ToSchema)]
pub(super) struct DeskChatBody {
    /// The chat.
    chat: DeskChat,
}

/// Sign in.
#[utoipa::path(post, path = "/desk/api/v1/sessions", tag = "desk", request_body = SignInRequest, responses((status = 200, body = SignedIn)))]
async fn sign_in(
    State(app): State<Shared>,
    Peer(address): Peer,
    headers: HeaderMap,
    Body(request): Body<SignInRequest>,
) -> Result<Response, Error> {
    origin::check_own(&app, &headers)?;
    app.limits.check_sign_in(address, &request.login)?;
    if request.password.len() > MAX_PASSWORD_BYTES {
        return Err(Error::too_large());
    }
    let agent = app.platform.agents.by_login(&request.login).cloned();
    let hash = agent.as_ref().map(|agent| agent.password_hash.clone());
    let fits = agent::verify_password(request.password, hash).await?;
    let Some(agent) = agent.filter(|_| fits) else {
        return Err(Error::new(ErrorCode::Unauthorized, "Login or password is wrong."));
    };
    let token = keys::to_text(&keys::random::<32>().map_err(|_| Error::of(ErrorCode::Unavailable))?);
    let lifetime_ms = app.config.desk.session_lifetime_ms;
    let now_ms = now_ms();
    app.store.open_agent_session(keys::sha256(&token), agent.id, now_ms.saturating_add(lifetime_ms), now_ms).await?;
    tracing::info!(agent_id = agent.id, "an agent signed in");
    let mut response = Json(signed_in(&app, &agent, &token)).into_response();
    set_cookie(&app, &mut response, &token, lifetime_ms / 1000);
    Ok(response)
}

fn signed_in(app: &App, agent: &Agent, token: &str) -> SignedIn {
    SignedIn { agent: app.platform.agent(agent.id), csrf_token: app.keys.csrf_token(token) }
}

fn set_cookie(app: &App, response: &mut Response, value: &str, max_age_s: u64) {
    let secure = if app.is_https() { "; Secure" } else { "" };
    let text = format!("{DESK_COOKIE}={value}; HttpOnly; SameSite=Strict; Path=/desk; Max-Age={max_age_s}{secure}");
    if let Ok(mut header) = HeaderValue::from_str(&text) {
        header.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, header);
    }
}

/// Sign out.
#[utoipa::path(
    delete, path = "/desk/api/v1/sessions", tag = "desk", security(("desk" = [])), responses((status = 204))
)]
async fn sign_out(State(app): State<Shared>, session: AgentSession) -> Result<Response, Error> {
    app.store.close_agent_session(keys::sha256(&session.token)).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&app, &mut response, "", 0);
    Ok(response)
}

/// Who is signed in.
#[utoipa::path(
    get, path = "/desk/api/v1/me", tag = "desk", security(("desk" = [])), responses((status = 200, body = SignedIn))
)]
async fn me(State(app): State<Shared>, session: AgentSession) -> Json<SignedIn> {
    Json(signed_in(&app, &session.agent, &session.token))
}

/// The queue and one's own chats.
#[utoipa::path(
    get, path = "/desk/api/v1/chats", tag = "desk", security(("desk" = [])), responses((status = 200, body = DeskChats))
)]
async fn chats(State(app): State<Shared>, session: AgentSession) -> Result<Json<DeskChats>, Error> {
    Ok(Json(desk_chats(&app, &session.agent).await?))
}

/// The chats that concern an agent, as the store has them now.
pub(crate) async fn desk_chats(app: &App, agent: &Agent) -> Result<DeskChats, Error> {
    let queue = app.store.waiting_chats(MAX_LISTED).await?;
    let mine = app.store.chats_of_agent(agent.id, MAX_LISTED).await?;
    let queue = queue.iter().filter(|record| agent.serves(&record.company_id));
    Ok(DeskChats {
        queue: queue.map(|record| present(app, record)).collect(),
        mine: mine.iter().map(|record| present(app, record)).collect(),
        ratings: recent_ratings(app, agent).await?,
    })
}

fn present(app: &App, record: &ChatRecord) -> DeskChat {
    let mut request = record.request.clone();
    request.shift_remove("custom_data");
    // The first message reads the same wherever agents read it.
    if let Some(greeting) = request.get_mut("greeting")
        && let Some(redactor) = app.platform.redactor(record)
        && let Some(shown) = greeting.as_str().and_then(|text| redactor.redact(text))
    {
        *greeting = shown.into();
    }
    let email = || request.get("email").and_then(Value::as_str).filter(|email| !email.is_empty()).map(str::to_owned);
    let end_user_email = record.end_user.profile.email.clone().or_else(email);
    let shown = custom_data::shown(&record.request);
    DeskChat {
        chat: app.platform.present(record, &record.state),
        company_id: record.company_id.clone(),
        waiting_since_ms: record.state.queued_at_ms,
        end_user_name: end_user_name(record),
        end_user_email,
        custom_data: shown.custom_data,
        customer_flags: shown.flags,
        customer_flags_signed: shown.flags_signed,
        external_transcript: shown.external_transcript,
        request,
    }
}

/// A chat that this agent may see: one that waits, or one that the agent has or had.
pub(crate) async fn visible_chat(app: &App, agent: &Agent, chat_id: u64) -> Result<ChatRecord, Error> {
    let record = app.store.chat(chat_id).await?.filter(|record| agent.serves(&record.company_id));
    let seen =
        record.filter(|record| record.state.status == Status::Queued || record.state.all_agent_ids.contains(&agent.id));
    seen.ok_or_else(|| Error::of(ErrorCode::NotFound))
}

/// Take a chat from the queue.
#[utoipa::path(
    post, path = "/desk/api/v1/chats/{chat_id}/accept", tag = "desk", security(("desk" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 200, body = DeskChatBody))
)]
async fn accept(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf(chat_id): PathOf<u64>,
) -> Result<Json<DeskChatBody>, Error> {
    // Not `visible_chat`: an agent who is late must hear of the conflict.
    let record = app.store.chat(chat_id).await?.filter(|record| session.agent.serves(&record.company_id));
    if record.is_none() {
        return Err(Error::of(ErrorCode::NotFound));
    }
    change(&app, &session, chat_id, Command::Accept).await
}

/// End a chat.
#[utoipa::path(
    patch, path = "/desk/api/v1/chats/{chat_id}", tag = "desk", request_body = ChatPatch, security(("desk" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 200, body = DeskChatBody))
)]
async fn finish(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf(chat_id): PathOf<u64>,
    Body(patch): Body<ChatPatch>,
) -> Result<Json<DeskChatBody>, Error> {
    check_patch(&patch)?;
    visible_chat(&app, &session.agent, chat_id).await?;
    change(&app, &session, chat_id, Command::Finish).await
}

pub(super) async fn change(
    app: &App,
    session: &AgentSession,
    chat_id: u64,
    command: Command<crate::store::MessageBody>,
) -> Result<Json<DeskChatBody>, Error> {
    app.chats.command(chat_id, Actor::Agent(session.agent.id), command).await?;
    let record = visible_chat(app, &session.agent, chat_id).await?;
    Ok(Json(DeskChatBody { chat: present(app, &record) }))
}

/// Messages of a chat, in index order.
#[utoipa::path(
    get, path = "/desk/api/v1/chats/{chat_id}/messages", tag = "desk", security(("desk" = [])),
    params(("chat_id" = u64, Path, description = "A chat"), PageQuery), responses((status = 200, body = MessagesBody))
)]
async fn messages(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf(chat_id): PathOf<u64>,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Response, Error> {
    let record = visible_chat(&app, &session.agent, chat_id).await?;
    page(&app, &record, Actor::Agent(session.agent.id), &query).await
}

/// Send a message. Answered when it is stored durably.
#[utoipa::path(
    post, path = "/desk/api/v1/chats/{chat_id}/messages", tag = "desk", request_body = SendRequest, security(("desk" = [])),
    params(("chat_id" = u64, Path, description = "A chat")),
    responses((status = 201, body = SendResponse), (status = 200, body = SendResponse, description = "This client_id was stored before"))
)]
async fn send_message(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf(chat_id): PathOf<u64>,
    Body(mut request): Body<SendRequest>,
) -> Result<(StatusCode, Json<SendResponse>), Error> {
    let record = visible_chat(&app, &session.agent, chat_id).await?;
    let actor = Actor::Agent(session.agent.id);
    if request.message.get("type").and_then(Value::as_str) == Some(FORM) {
        let body = super::forms::hand_out(&app, &record, &request.message)?;
        return send_body(&app, chat_id, actor, request.client_id, body).await;
    }
    super::media::attach(&app, actor, chat_id, &mut request.message).await?;
    send(&app, chat_id, actor, request).await
}

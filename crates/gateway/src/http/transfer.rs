//! The desk's part in handing a chat on (`docs/protocol.md`): to which agents and queues it could go, and the transfer itself.

use axum::Json;
use axum::extract::State;
use engine::gateway::{Command, TransferTo};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::ErrorCode;

use super::desk::{DeskChatBody, change, visible_chat};
use super::end_user::shut;
use super::request::{Body, PathOf, QueryOf};
use super::session::AgentSession;
use crate::clock::now_ms;
use crate::error::Error;
use crate::platform::embedded::menus;
use crate::store::ChatRecord;
use crate::{App, Shared};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(transfer)).routes(routes!(agents)).routes(routes!(queues))
}

/// Where to hand a chat: to a queue or to an agent.
#[derive(Deserialize, ToSchema)]
struct TransferRequest {
    /// A queue of the chat's company.
    #[serde(default)]
    menu_id: Option<u64>,
    /// An agent who serves it and is on duty.
    #[serde(default)]
    agent_id: Option<u64>,
}

/// Hand a chat on. Only the agent who has it can.
#[utoipa::path(
    post, path = "/desk/api/v1/chats/{chat_id}/transfer", tag = "desk", request_body = TransferRequest, security(("desk" = [])),
    params(("chat_id" = u64, Path, description = "A chat")), responses((status = 200, body = DeskChatBody))
)]
async fn transfer(
    State(app): State<Shared>,
    session: AgentSession,
    PathOf(chat_id): PathOf<u64>,
    Body(request): Body<TransferRequest>,
) -> Result<Json<DeskChatBody>, Error> {
    let record = visible_chat(&app, &session.agent, chat_id).await?;
    let to = match (request.menu_id, request.agent_id) {
        (Some(menu_id), None) => to_queue(&app, &record, menu_id)?,
        (None, Some(agent_id)) => to_agent(&app, &record, agent_id)?,
        _ => return Err(Error::invalid("A transfer names either `menu_id` or `agent_id`.")),
    };
    change(&app, &session, chat_id, Command::Transfer(to)).await
}

/// The queue, or the one that it is redirected to. Its virtual agent does not start again, so its people must be there.
fn to_queue(app: &App, record: &ChatRecord, menu_id: u64) -> Result<TransferTo, Error> {
    let company = app.platform.company(&record.company_id).ok_or_else(|| Error::of(ErrorCode::NotFound))?;
    let now_ms = now_ms();
    let queue = menus::entered(company, menu_id, now_ms).map_err(shut)?;
    if !company.is_open(queue.id, now_ms) {
        return Err(Error::of(ErrorCode::AfterHours));
    }
    Ok(TransferTo::Queue(queue.id))
}

fn to_agent(app: &App, record: &ChatRecord, agent_id: u64) -> Result<TransferTo, Error> {
    let agent = app.platform.agents.by_id(agent_id).filter(|agent| agent.serves(&record.company_id));
    let agent = agent.ok_or_else(|| Error::new(ErrorCode::NotFound, "No agent of the company has this `agent_id`."))?;
    if !app.platform.duty.is_on_duty(agent.id) {
        return Err(Error::new(ErrorCode::Conflict, "This agent is not on duty: their desk is not open."));
    }
    Ok(TransferTo::Agent(agent.id))
}

#[derive(Deserialize, IntoParams)]
struct AgentsQuery {
    /// Only those who serve this company.
    company_id: Option<String>,
}

/// An agent as colleagues see them.
#[derive(Serialize, ToSchema)]
struct Colleague {
    /// The agent's number.
    id: u64,
    /// The name.
    name: String,
    /// Whether their desk is open.
    on_duty: bool,
    /// How many chats they have.
    chats: u64,
}

/// Agents in an answer.
#[derive(Serialize, ToSchema)]
struct Colleagues {
    /// In the order of their numbers.
    agents: Vec<Colleague>,
}

/// The agents who serve the same companies, oneself among them.
#[utoipa::path(
    get, path = "/desk/api/v1/agents", tag = "desk", params(AgentsQuery), security(("desk" = [])),
    responses((status = 200, body = Colleagues))
)]
async fn agents(
    State(app): State<Shared>,
    session: AgentSession,
    QueryOf(query): QueryOf<AgentsQuery>,
) -> Result<Json<Colleagues>, Error> {
    let companies: Vec<&str> = match query.company_id.as_deref() {
        Some(id) => vec![served_company(&app, &session, id)?],
        None => {
            let ids = app.platform.companies().map(|company| company.settings.id.as_str());
            ids.filter(|id| session.agent.serves(id)).collect()
        }
    };
    let load = app.store.load(companies.first().copied().unwrap_or_default()).await?;
    let agents = app.platform.agents.all().into_iter().filter(|agent| companies.iter().any(|id| agent.serves(id)));
    let agents = agents.map(|agent| Colleague {
        id: agent.id,
        name: agent.name.clone(),
        on_duty: app.platform.duty.is_on_duty(agent.id),
        chats: load.assigned.get(&agent.id).copied().unwrap_or(0),
    });
    Ok(Json(Colleagues { agents: agents.collect() }))
}

/// A company that the agent serves; any other does not exist for them.
fn served_company<'a>(app: &'a App, session: &AgentSession, id: &str) -> Result<&'a str, Error> {
    let company = app.platform.company(id).filter(|_| session.agent.serves(id));
    company.map(|company| company.settings.id.as_str()).ok_or_else(|| Error::of(ErrorCode::NotFound))
}

#[derive(Deserialize, IntoParams)]
struct QueuesQuery {
    /// The company.
    company_id: String,
}

/// A queue that a chat could be handed to.
#[derive(Serialize, ToSchema)]
struct Queue {
    /// The queue's number.
    id: u64,
    /// Its name.
    name: String,
    /// The names of the folders above it, from the top.
    path: Vec<String>,
    /// Whether it takes chats now.
    enabled: bool,
}

/// Queues in an answer.
#[derive(Serialize, ToSchema)]
struct Queues {
    /// In the order of the menu.
    menus: Vec<Queue>,
}

/// The queues of a company.
#[utoipa::path(
    get, path = "/desk/api/v1/menus", tag = "desk", params(QueuesQuery), security(("desk" = [])),
    responses((status = 200, body = Queues))
)]
async fn queues(
    State(app): State<Shared>,
    session: AgentSession,
    QueryOf(query): QueryOf<QueuesQuery>,
) -> Result<Json<Queues>, Error> {
    let id = served_company(&app, &session, &query.company_id)?;
    let company = app.platform.company(id).ok_or_else(|| Error::of(ErrorCode::NotFound))?;
    let now_ms = now_ms();
    let queues = menus::queues(&company.settings.menus).into_iter().map(|queue| {
        let way = menus::path(Some(company), queue.id, company.default_lang());
        let mut path: Vec<String> = way.into_iter().map(|menu| menu.name).collect();
        let name = path.pop().unwrap_or_default();
        let enabled = menus::entered(company, queue.id, now_ms).is_ok_and(|queue| company.is_open(queue.id, now_ms));
        Queue { id: queue.id, name, path, enabled }
    });
    Ok(Json(Queues { menus: queues.collect() }))
}

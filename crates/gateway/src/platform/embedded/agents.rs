//! The agents: who may sign in, which companies' chats they see, and what customers read as their names. Former agents keep their names in
//! old chats and nothing else.

use std::collections::HashMap;

use wire::rest::ChatAgent;

use crate::config::{self, Secret};
use crate::store::{AgentRecord, Store, StoreError};

/// An agent who may sign in.
#[derive(Clone)]
pub(crate) struct Agent {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) password_hash: Secret,
    companies: Vec<String>,
}

impl Agent {
    /// Whether the agent works for a company.
    pub(crate) fn serves(&self, company_id: &str) -> bool {
        self.companies.is_empty() || self.companies.iter().any(|company| company == company_id)
    }
}

/// The configured agents and the names of all there ever were.
#[derive(Default)]
pub(crate) struct Agents {
    by_login: HashMap<String, Agent>,
    names: HashMap<u64, AgentRecord>,
}

impl Agents {
    /// Gives each configured agent the number that the store keeps for its login.
    pub(crate) async fn register(configured: &[config::Agent], store: &dyn Store) -> Result<Agents, StoreError> {
        let mut by_login = HashMap::new();
        for agent in configured {
            let id = store.register_agent(&agent.login, &agent.name, agent.avatar_url.as_deref()).await?;
            let agent_here = Agent {
                id,
                name: agent.name.clone(),
                password_hash: agent.password_hash.clone(),
                companies: agent.companies.clone(),
            };
            by_login.insert(agent.login.clone(), agent_here);
        }
        let names = store.agents().await?.into_iter().map(|agent| (agent.id, agent)).collect();
        Ok(Agents { by_login, names })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_login.is_empty()
    }

    pub(crate) fn by_login(&self, login: &str) -> Option<&Agent> {
        self.by_login.get(login)
    }

    /// An agent who may still sign in.
    pub(crate) fn by_id(&self, id: u64) -> Option<&Agent> {
        self.by_login.get(&self.names.get(&id)?.login)
    }

    /// Everyone who may sign in, in the order of their numbers.
    pub(crate) fn all(&self) -> Vec<&Agent> {
        let mut agents: Vec<&Agent> = self.by_login.values().collect();
        agents.sort_by_key(|agent| agent.id);
        agents
    }

    /// What customers read, without what changes by the hour.
    pub(crate) fn name(&self, id: u64) -> ChatAgent {
        let known = self.names.get(&id);
        let name = known.map_or_else(|| "Agent".to_owned(), |agent| agent.name.clone());
        ChatAgent {
            id,
            first_name: name.split_whitespace().next().map(str::to_owned),
            name,
            avatar_url: known.and_then(|agent| agent.avatar_url.clone()),
            status: None,
        }
    }
}

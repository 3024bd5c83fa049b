//! What a contact centre consists of: companies, menus, virtual agents and agents, as they stand in the configuration file.

use std::collections::HashSet;

use serde::Deserialize;

use super::{ConfigError, Secret, is_origin};

/// A company: whose customers chat here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Company {
    /// The company key that sites pass as `companyId`.
    pub id: String,
    /// The name that customers see.
    pub name: String,
    /// The key with which the company's sites sign their tokens.
    pub secret: Secret,
    /// The origins of pages that may use the company; `"*"` for any.
    pub allowed_origins: Vec<String>,
    /// Where customers can write to.
    pub support_email: String,
    /// In which languages the company answers; the first is the default.
    pub languages: Vec<Language>,
    /// Its queues.
    pub menus: Vec<Menu>,
}

/// A language by its BCP 47 tag.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Language(pub String);

/// A queue, or a folder of queues.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Menu {
    /// The number that `createChat` takes; unique within the company.
    pub id: u64,
    /// What customers see.
    pub name: String,
    /// Whether it can be chosen now.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Who answers first; nobody where absent, and the chat waits for an agent at once.
    #[serde(default)]
    pub virtual_agent: Option<u64>,
    /// A key that leads `getMenus` straight to this part of the tree.
    #[serde(default)]
    pub direct_access_key: Option<String>,
    /// Queues below; a menu with children is a folder and takes no chats itself.
    #[serde(default)]
    pub children: Vec<Menu>,
}

fn yes() -> bool {
    true
}

/// A virtual agent: rules, tried in order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VirtualAgent {
    /// Its number, unique in the gateway.
    pub id: u64,
    /// The name that customers see.
    pub name: String,
    /// A picture.
    #[serde(default)]
    pub avatar_url: Option<String>,
    /// What it says when a chat opens.
    pub greeting: String,
    /// Buttons below the greeting; their titles come back as the customer's text.
    #[serde(default)]
    pub greeting_buttons: Vec<String>,
    /// What it says where no rule fits.
    pub fallback: String,
    /// Buttons below the fallback.
    #[serde(default)]
    pub fallback_buttons: Vec<String>,
    /// The rules.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

/// What a virtual agent does about a message with one of the keywords.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Words or phrases, compared as whole words without regard to case.
    pub keywords: Vec<String>,
    /// What it says.
    #[serde(default)]
    pub answer: Option<String>,
    /// Buttons below the answer.
    #[serde(default)]
    pub buttons: Vec<String>,
    /// What it does then.
    #[serde(default)]
    pub action: Option<Action>,
}

/// What a rule leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Hand over to an agent.
    Escalate,
    /// End the chat.
    Finish,
}

/// Someone who may sign in at the desk.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// The name to sign in with.
    pub login: String,
    /// The name that customers see.
    pub name: String,
    /// From `gateway hash-password`.
    pub password_hash: Secret,
    /// A picture.
    #[serde(default)]
    pub avatar_url: Option<String>,
    /// The companies whose chats the agent sees; empty for all.
    #[serde(default)]
    pub companies: Vec<String>,
}

pub(super) fn check_agent(agent: &Agent) -> Result<(), ConfigError> {
    if agent.login.is_empty() || agent.login.len() > 64 {
        return Err(ConfigError::Invalid("an agent's login must have 1 to 64 characters".into()));
    }
    if !agent.password_hash.0.starts_with("$argon2id$") {
        return Err(ConfigError::Invalid(format!(
            "agent {:?}: password_hash must be the output of `gateway hash-password`",
            agent.login
        )));
    }
    Ok(())
}

pub(super) fn check_company(company: &Company, virtual_agents: &HashSet<u64>) -> Result<(), ConfigError> {
    let fail = |text: &str| Err(ConfigError::Invalid(format!("company {:?}: {text}", company.id)));
    if company.id.is_empty() || company.name.is_empty() {
        return fail("id and name must not be empty");
    }
    if company.secret.0.len() < 16 {
        return fail("secret must have at least 16 characters; `openssl rand -base64 32` makes a good one");
    }
    if company.menus.is_empty() {
        return fail("at least one menu is needed: add [[companies.menus]]");
    }
    if let Some(origin) = company.allowed_origins.iter().find(|origin| *origin != "*" && !is_origin(origin)) {
        return fail(&format!("{origin:?} is no origin; write it like https://shop.example, without a path"));
    }
    let mut ids = HashSet::new();
    let mut keys = HashSet::new();
    let mut queue: Vec<(&Menu, usize)> = company.menus.iter().map(|menu| (menu, 1)).collect();
    while let Some((menu, depth)) = queue.pop() {
        if menu.id == 0 || menu.id > MAX_ID || !ids.insert(menu.id) {
            return fail(&format!("menu id {} is used twice, or not between 1 and {MAX_ID}", menu.id));
        }
        if depth > 8 {
            return fail("menus are nested deeper than 8");
        }
        if let Some(key) = &menu.direct_access_key
            && !keys.insert(key.as_str())
        {
            return fail(&format!("direct_access_key {key:?} is used twice"));
        }
        if let Some(id) = menu.virtual_agent
            && !virtual_agents.contains(&id)
        {
            return fail(&format!("menu {} names virtual agent {id}, which is not configured", menu.id));
        }
        queue.extend(menu.children.iter().map(|child| (child, depth + 1)));
    }
    Ok(())
}

/// The largest number that every reader of our JSON keeps exactly.
const MAX_ID: u64 = 1 << 53;

//! What a contact centre consists of: companies, menus, virtual agents and agents, as they stand in the configuration file.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;

use super::calls::{Calls, check_calls};
use super::forms::{Form, check_forms};
use super::mail::check_support_email;
use super::payload::Payload;
use super::post_session::{MenuPostSession, PostSession, SessionVariable};
use super::redaction::{Redaction, check_redaction};
use super::survey::{Survey, check_surveys};
use super::triggers::{Trigger, check_triggers};
use super::{ConfigError, Deflection, Hours, Language, Link, Redirection, Secret, Texts, is_origin};

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
    /// Where customers can write to, and where the messages of the channel `email` go.
    pub support_email: String,
    /// In which languages the company answers; the first is the default.
    pub languages: Vec<Language>,
    /// The IANA time zone of its business hours and histories.
    pub timezone: Timezone,
    /// When its queues take chats, where they do not say themselves; always where absent.
    pub hours: Option<Hours>,
    /// What customers read outside the hours; a usual text where absent, nothing where empty.
    pub after_hours_message: Option<Texts>,
    /// Where customers are led instead of waiting, where a queue does not say itself.
    pub deflection: Option<Deflection>,
    /// How calls can be had, where a queue does not say itself.
    pub calls: Option<Calls>,
    /// The pages elsewhere that customers can be led to.
    pub links: Vec<Link>,
    /// Agents see what customers type before they send it.
    pub message_preview: bool,
    /// What `getCompany` tells of the site's own tracking; the gateway does not act on it.
    pub action_tracking: bool,
    /// Customers may have the transcripts of their chats sent by e-mail.
    pub email_transcripts: bool,
    /// What `getCompany` tells of enhanced e-mail.
    pub email_enhancement: bool,
    /// Customers can show their screen to the agent they talk to.
    #[serde(default = "yes")]
    pub screen_share: bool,
    /// The domain of the company's screen sharing.
    pub cobrowse_domain: Option<String>,
    /// What follows the human part of its chats, where a queue does not say itself; nothing where absent.
    pub post_session: Option<PostSession>,
    /// The forms that its agents and virtual agents hand out.
    pub forms: Vec<Form>,
    /// What is asked after a chat, where a queue does not say itself.
    pub survey: Option<Survey>,
    /// What of a text only its author reads, in the order in which it is looked for.
    pub redaction: Vec<Redaction>,
    /// The questions that pages ask their visitors.
    pub triggers: Vec<Trigger>,
    /// Its queues.
    pub menus: Vec<Menu>,
}

/// An IANA time zone's name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Timezone(pub String);

impl Default for Timezone {
    fn default() -> Self {
        Timezone("UTC".to_owned())
    }
}

/// A queue, or a folder of queues.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Menu {
    /// The number that `createChat` takes; unique within the company.
    pub id: u64,
    /// What customers see.
    pub name: String,
    /// What they see in other languages, by BCP 47 tag.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// Whether it can be chosen now.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Whether it is shown only to whom a key or their identifier leads there.
    #[serde(default)]
    pub hidden: bool,
    /// Who answers first; nobody where absent, and the chat waits for an agent at once.
    #[serde(default)]
    pub virtual_agent: Option<u64>,
    /// The virtual agent answers outside the hours too: only people are away then.
    #[serde(default)]
    pub virtual_agent_after_hours: bool,
    /// A key that leads `getMenus` straight to this part of the tree.
    #[serde(default)]
    pub direct_access_key: Option<String>,
    /// End users, by the site's identifier, whom `getMenus` leads straight to this part of the tree.
    #[serde(default)]
    pub direct_users: Vec<String>,
    /// The ways to reach the queue.
    #[serde(default = "chat_only")]
    pub channels: Vec<Channel>,
    /// When it, and the queues below, take chats; as above it in the tree where absent.
    #[serde(default)]
    pub hours: Option<Hours>,
    /// Where its customers are led instead of waiting; as above it in the tree where absent.
    #[serde(default)]
    pub deflection: Option<Deflection>,
    /// What is asked after its chats; as above it in the tree where absent.
    #[serde(default)]
    pub survey: Option<Survey>,
    /// What follows the human part of its chats; as above it in the tree where absent.
    #[serde(default)]
    pub post_session: Option<MenuPostSession>,
    /// How its calls can be had; as above it in the tree where absent.
    #[serde(default)]
    pub calls: Option<Calls>,
    /// Where its chats and calls go instead.
    #[serde(default)]
    pub redirection: Option<Redirection>,
    /// Queues below; a menu with children is a folder and takes no chats itself.
    #[serde(default)]
    pub children: Vec<Menu>,
}

/// A way to reach a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// By chat.
    Chat,
    /// By telephone.
    VoiceCall,
    /// By e-mail.
    Email,
    /// By a page elsewhere.
    ExternalLink,
}

impl Channel {
    /// Its name in `getMenus`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Chat => "chat",
            Channel::VoiceCall => "voice_call",
            Channel::Email => "email",
            Channel::ExternalLink => "external_link",
        }
    }
}

fn chat_only() -> Vec<Channel> {
    vec![Channel::Chat]
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
    /// What its greeting finds out.
    #[serde(default)]
    pub greeting_session_variables: Vec<SessionVariable>,
    /// What it says where no rule fits.
    pub fallback: String,
    /// Buttons below the fallback.
    #[serde(default)]
    pub fallback_buttons: Vec<String>,
    /// The rules.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// The same in other languages, by BCP 47 tag. Above stands the company's default language.
    #[serde(default)]
    pub translations: BTreeMap<String, Speech>,
}

/// What a virtual agent says in another language. What is absent is said in the default one, but rules are not mixed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Speech {
    /// What it says when a chat opens.
    pub greeting: Option<String>,
    /// Buttons below the greeting.
    pub greeting_buttons: Option<Vec<String>>,
    /// What it says where no rule fits.
    pub fallback: Option<String>,
    /// Buttons below the fallback.
    pub fallback_buttons: Option<Vec<String>>,
    /// The rules; those of the default language where empty.
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
    /// What it says besides, in the vendor's shape.
    #[serde(default)]
    pub messages: Vec<Payload>,
    /// What it finds out with the last of what it says.
    #[serde(default)]
    pub session_variables: Vec<SessionVariable>,
    /// The form that it hands out, where the company has one with this number.
    #[serde(default)]
    pub form: Option<u64>,
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
        if let Some(hours) = &menu.hours {
            check_hours(hours).or_else(|text| fail(&format!("menu {}: {text}", menu.id)))?;
        }
        if let Some(deflection) = &menu.deflection {
            check_deflection(deflection, company).or_else(|text| fail(&format!("menu {}: {text}", menu.id)))?;
        }
        if let Some(calls) = &menu.calls {
            check_calls(calls).or_else(|text| fail(&format!("menu {}: {text}", menu.id)))?;
        }
        queue.extend(menu.children.iter().map(|child| (child, depth + 1)));
    }
    check_support_email(company).or_else(|text| fail(&text))?;
    company.calls.as_ref().map_or(Ok(()), check_calls).or_else(|text| fail(&text))?;
    check_redaction(&company.redaction).or_else(|text| fail(&text))?;
    check_forms(&company.forms).or_else(|text| fail(&text))?;
    check_surveys(company).or_else(|text| fail(&text))?;
    check_redirections(company).or_else(|text| fail(&text))?;
    let queue = |id| crate::platform::embedded::menus::queue(&company.menus, id);
    check_triggers(&company.triggers, queue, is_tag).or_else(|text| fail(&text))?;
    check_elsewhere(company).or_else(|text| fail(&text))
}

fn check_hours(hours: &Hours) -> Result<(), String> {
    hours.timezone.as_deref().map_or(Ok(()), check_timezone)
}

fn check_timezone(name: &str) -> Result<(), String> {
    match jiff::tz::TimeZone::get(name) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("{name:?} is no time zone; write it like Europe/Rome")),
    }
}

fn check_deflection(deflection: &Deflection, company: &Company) -> Result<(), String> {
    match deflection.links.iter().find(|id| !company.links.iter().any(|link| link.id == **id)) {
        None => Ok(()),
        Some(id) => Err(format!("deflection names link {id}, which is not among [[companies.links]]")),
    }
}

/// A redirection leads to a queue that takes chats itself: none leads in a circle.
fn check_redirections(company: &Company) -> Result<(), String> {
    let mut menus: HashMap<u64, &Menu> = HashMap::new();
    let mut left: Vec<&Menu> = company.menus.iter().collect();
    while let Some(menu) = left.pop() {
        menus.insert(menu.id, menu);
        left.extend(&menu.children);
    }
    for menu in menus.values() {
        match &menu.redirection {
            Some(_) if !menu.children.is_empty() => {
                return Err(format!("menu {} is a folder and cannot be redirected", menu.id));
            }
            Some(Redirection::Queue(id)) => {
                let target = menus.get(id).filter(|to| to.children.is_empty() && to.redirection.is_none());
                if target.is_none() {
                    let text = format!("menu {} is redirected to {id}, which is no queue that takes chats", menu.id);
                    return Err(text);
                }
            }
            Some(Redirection::ExternalLink(url)) if !is_web_address(url) => {
                return Err(format!("menu {} is redirected to something that is no https: or http: address", menu.id));
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_elsewhere(company: &Company) -> Result<(), String> {
    check_timezone(&company.timezone.0)?;
    if let Some(hours) = &company.hours {
        check_hours(hours)?;
    }
    if let Some(deflection) = &company.deflection {
        check_deflection(deflection, company)?;
    }
    let mut ids = HashSet::new();
    for link in &company.links {
        if link.id == 0 || link.id > MAX_ID || !ids.insert(link.id) {
            return Err(format!("link id {} is used twice, or not between 1 and {MAX_ID}", link.id));
        }
        if !is_web_address(&link.url) {
            return Err(format!("link {} has an url that is no https: or http: address", link.id));
        }
    }
    match company.languages.iter().find(|language| !is_tag(&language.code)) {
        Some(language) => Err(format!("{:?} is no language tag; write it like en or pt-BR", language.code)),
        None => Ok(()),
    }
}

/// Whether a text looks like a BCP 47 tag.
fn is_tag(tag: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (2..=35).contains(&tag.len()) && tag.bytes().all(good)
}

fn is_web_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty()) && !url.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// The largest number that every reader of our JSON keeps exactly.
pub(super) const MAX_ID: u64 = 1 << 53;

//! What follows the human part of a chat: which virtual agent talks with the end user then, and what it finds out. Refuses virtual agents that would
//! lead back to a person: nobody is there any more.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::contents::{Action, Company, Menu, Rule, VirtualAgent};
use super::payload::{Button, ButtonAction, Payload, PayloadAction};

/// What follows the human part of a queue's chats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostSession {
    /// Who talks with the end user, by number.
    pub virtual_agent: u64,
    /// The end user is asked first.
    #[serde(default)]
    pub opt_in: bool,
}

/// The same for a menu, which may do without what it would inherit: `false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum MenuPostSession {
    /// Nothing follows; `true` is refused.
    Switch(bool),
    /// This follows.
    Of(PostSession),
}

/// Whom a session variable takes its value from (`ccaip.md` 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureTarget {
    /// Itself: `payload`.
    Payload,
    /// The end user's next message.
    EndUserResponse,
}

/// Something to find out: a value that agents read beside the conversation. Names are the vendor's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionVariable {
    /// Where the value comes from.
    pub capture_target: CaptureTarget,
    /// Its name.
    pub capture_key: String,
    /// The value, where it comes from here.
    #[serde(default)]
    pub payload: Option<Value>,
    /// Its place among the others; those without one follow in the order in which they were found out.
    #[serde(default)]
    pub display_order_in_adapter: Option<u64>,
}

const MAX_KEY_BYTES: usize = 64;

/// What is wrong with session variables, in words for whoever wrote them. `says` is whether there is a message that they can go with.
pub(super) fn check_variables(variables: &[SessionVariable], says: bool) -> Result<(), String> {
    if !variables.is_empty() && !says {
        return Err("session_variables go with something that is said".into());
    }
    for variable in variables {
        let key = &variable.capture_key;
        if key.trim().is_empty() || key.len() > MAX_KEY_BYTES {
            return Err(format!("capture_key must have 1 to {MAX_KEY_BYTES} bytes"));
        }
        if (variable.capture_target == CaptureTarget::Payload) != variable.payload.is_some() {
            return Err(format!("session variable {key:?}: `payload` goes with the capture_target payload"));
        }
    }
    Ok(())
}

/// What is wrong with what follows a company's chats.
pub(super) fn check_company(company: &Company, virtual_agents: &[VirtualAgent]) -> Result<(), String> {
    let known: HashMap<u64, &VirtualAgent> = virtual_agents.iter().map(|agent| (agent.id, agent)).collect();
    let check = |place: &str, part: &PostSession| {
        let id = part.virtual_agent;
        match known.get(&id) {
            None => Err(format!("{place}: post_session names virtual agent {id}, which is not configured")),
            Some(agent) if leads_to_a_person(agent) => Err(format!(
                "{place}: virtual agent {id} cannot follow the human part: one of its rules or buttons asks for a person"
            )),
            Some(_) => Ok(()),
        }
    };
    company.post_session.as_ref().map_or(Ok(()), |part| check("the company", part))?;
    let mut left: Vec<&Menu> = company.menus.iter().collect();
    while let Some(menu) = left.pop() {
        match &menu.post_session {
            None | Some(MenuPostSession::Switch(false)) => {}
            Some(MenuPostSession::Switch(true)) => {
                return Err(format!("menu {}: post_session is false, or says which virtual_agent", menu.id));
            }
            Some(MenuPostSession::Of(part)) => check(&format!("menu {}", menu.id), part)?,
        }
        left.extend(&menu.children);
    }
    Ok(())
}

fn leads_to_a_person(agent: &VirtualAgent) -> bool {
    let rules = agent.translations.values().flat_map(|speech| &speech.rules).chain(&agent.rules);
    let asks = |buttons: &[Button]| buttons.iter().any(|button| button.action == ButtonAction::Escalation);
    fn any(payloads: &[Payload], asks: &dyn Fn(&[Button]) -> bool) -> bool {
        payloads.iter().any(|payload| match payload {
            Payload::Action { action } => *action == PayloadAction::Escalation,
            Payload::InlineButton { buttons, .. } | Payload::StickyButton { buttons, .. } => asks(buttons),
            Payload::ContentCard { cards, .. } => cards.iter().any(|card| asks(&card.buttons)),
            Payload::Complex { components } => any(components, asks),
            _ => false,
        })
    }
    let escalates = |rule: &Rule| rule.action == Some(Action::Escalate) || any(&rule.messages, &asks);
    rules.into_iter().any(escalates)
}

//! Proactive triggers, as they stand in the configuration: which question a page asks its visitors, when, and which queue a yes leads to.

use std::collections::HashSet;

use serde::Deserialize;

use super::{Menu, Texts};

/// Triggers of one company: each page reads all of them.
const MAX_TRIGGERS: usize = 100;
/// Longest id: it comes back with a chat.
const MAX_ID_BYTES: usize = 64;

/// A question to visitors of a page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Names it within the company; a chat that it led to carries it as `trigger_id`.
    pub id: String,
    /// The queue of the chat that a yes opens.
    pub menu_id: u64,
    /// The language of that chat; the one that the visitor's page asks for where absent.
    #[serde(default)]
    pub lang: Option<String>,
    /// A heading.
    #[serde(default)]
    pub title: Option<Texts>,
    /// The question. Links in double braces, as the vendor has them, are left to the page.
    pub message: Texts,
    /// When it is asked. All of them must hold.
    #[serde(default)]
    pub conditions: Conditions,
}

/// When a trigger is asked: all of these must hold, and those that are absent do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conditions {
    /// The address of the page has one of these words, whatever their case; any address where empty.
    pub url_contains: Vec<String>,
    /// The address has none of these words.
    pub url_excludes: Vec<String>,
    /// The visitor has been on the page for so long.
    pub time_on_page_ms: u64,
    /// Who: everybody where absent.
    pub visitor: Option<Visitor>,
    /// It is the visitor's visit of this number, or a later one.
    pub min_visits: u64,
    /// It is the visitor's visit of this number, or an earlier one; 0 for any.
    pub max_visits: u64,
}

/// Whether someone was here before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visitor {
    /// On the first visit.
    New,
    /// On a later one.
    Returning,
}

impl Visitor {
    /// Its word in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Visitor::New => "new",
            Visitor::Returning => "returning",
        }
    }
}

/// Says what is wrong with a company's triggers; `queue` gives the queue with a number.
pub(super) fn check_triggers<'a>(
    triggers: &[Trigger],
    queue: impl Fn(u64) -> Option<&'a Menu>,
    is_tag: impl Fn(&str) -> bool,
) -> Result<(), String> {
    if triggers.len() > MAX_TRIGGERS {
        return Err(format!("more than {MAX_TRIGGERS} triggers"));
    }
    let mut ids = HashSet::new();
    for trigger in triggers {
        let id = trigger.id.as_str();
        let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if id.is_empty() || id.len() > MAX_ID_BYTES || !is_plain || !ids.insert(id) {
            return Err(format!(
                "trigger id {id:?} is used twice, or not 1 to {MAX_ID_BYTES} letters, digits, - and _"
            ));
        }
        let fail = |text: &str| Err(format!("trigger {id:?}: {text}"));
        if queue(trigger.menu_id).is_none() {
            return fail(&format!("menu_id {} is no queue of the company", trigger.menu_id));
        }
        if let Some(lang) = trigger.lang.as_deref().filter(|lang| !is_tag(lang)) {
            return fail(&format!("{lang:?} is no language tag; write it like en or pt-BR"));
        }
        if trigger.message.wording(&[]).trim().is_empty() {
            return fail("message must not be empty");
        }
        let conditions = &trigger.conditions;
        if conditions.url_contains.iter().chain(&conditions.url_excludes).any(|word| word.trim().is_empty()) {
            return fail("a word of url_contains and url_excludes must not be empty");
        }
        if conditions.max_visits > 0 && conditions.max_visits < conditions.min_visits {
            return fail("max_visits must be at least min_visits, or 0");
        }
        let never = match conditions.visitor {
            Some(Visitor::New) => conditions.min_visits > 1,
            Some(Visitor::Returning) => conditions.max_visits == 1,
            None => false,
        };
        if never {
            return fail("visitor contradicts min_visits or max_visits: nobody would be asked");
        }
    }
    Ok(())
}

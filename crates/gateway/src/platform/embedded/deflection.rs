//! Where a customer is led instead of a person: outside the business hours, and where the wait is longer than the company asks of anyone.
//! Decides and shows; what a customer chooses is recorded by `http::escalation`.

use serde_json::{Map, Value, json};
use wire::rest::{ChatDeflection, DeflectionLink, ExternalDeflectionLinks, MenuDeflection};

use super::company::Company;
use super::live::QueueState;
use crate::config::Deflection;

/// Why nobody takes a chat now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The queue's people are away.
    AfterHours,
    /// Too many wait already.
    OverCapacity,
}

impl Reason {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Reason::AfterHours => "after_hours",
            Reason::OverCapacity => "over_capacity",
        }
    }
}

/// Whether a queue's customers are led elsewhere as it stands, and why. Where a queue is closed nobody can be waited for, whatever is
/// configured; a long wait counts only where a threshold is.
pub(crate) fn reason(deflection: Option<&Deflection>, state: QueueState) -> Option<Reason> {
    if state.closed {
        return Some(Reason::AfterHours);
    }
    let threshold_ms = deflection.map_or(0, |deflection| deflection.threshold_ms);
    let is_long = threshold_ms > 0 && state.wait_s.is_some_and(|wait_s| wait_s.saturating_mul(1000) > threshold_ms);
    is_long.then_some(Reason::OverCapacity)
}

/// The same as far as it is shown to customers who have not asked for a person: a company may keep silent about its hours.
fn shown(deflection: &Deflection, state: QueueState) -> Option<Reason> {
    reason(Some(deflection), state).filter(|reason| *reason != Reason::AfterHours || deflection.after_hours)
}

/// A queue's deflection in the tree of menus; nothing where none is configured.
pub(crate) fn of_menu(company: &Company, menu_id: u64, state: QueueState) -> Option<MenuDeflection> {
    let deflection = company.deflection(Some(menu_id))?;
    let now = shown(deflection, state);
    let would_be = if deflection.threshold_ms > 0 { Reason::OverCapacity } else { Reason::AfterHours };
    Some(MenuDeflection { enabled: now.is_some(), kind: now.unwrap_or(would_be).as_str().to_owned() })
}

/// What is offered instead of waiting in a queue, or by the company in general.
pub(crate) fn present(company: &Company, menu_id: Option<u64>, state: QueueState, lang: &str) -> ChatDeflection {
    let none = Deflection { after_hours: false, keep_waiting: false, ..Deflection::default() };
    let deflection = company.deflection(menu_id).unwrap_or(&none);
    let reason = shown(deflection, state);
    let links = links(company, deflection, lang);
    ChatDeflection {
        enabled: reason.is_some(),
        threshold: deflection.threshold_ms.div_ceil(1000),
        email: deflection.email,
        keep_waiting: deflection.keep_waiting,
        external_deflection_links: ExternalDeflectionLinks {
            enabled: !links.is_empty(),
            ids: links.iter().map(|link| link.id).collect(),
        },
        reason: reason.map(|reason| reason.as_str().to_owned()),
        links,
    }
}

fn links(company: &Company, deflection: &Deflection, lang: &str) -> Vec<DeflectionLink> {
    let all = &company.settings.links;
    let chosen = deflection.links.iter().filter_map(|id| all.iter().find(|link| link.id == *id));
    let shown = chosen.map(|link| DeflectionLink {
        id: link.id,
        name: company.wording(&link.name, Some(lang)).to_owned(),
        url: link.url.clone(),
    });
    shown.collect()
}

/// The notice that an escalation was deflected, with everything that is offered instead. `escalation_id` is the notice's own index.
pub(crate) fn notice(
    company: &Company,
    (menu_id, lang): (u64, &str),
    reason: Reason,
    escalation_id: u64,
    virtual_agent: &wire::rest::ChatAgent,
) -> Map<String, Value> {
    let mut options = Vec::new();
    if let Some(deflection) = company.deflection(Some(menu_id)) {
        if reason == Reason::OverCapacity && deflection.keep_waiting {
            options.push(json!({ "channel": "human_agent" }));
        }
        if deflection.email {
            options.push(json!({ "channel": "email" }));
        }
        for link in links(company, deflection, lang) {
            options.push(json!({ "channel": "external_link", "id": link.id, "name": link.name, "url": link.url }));
        }
    }
    options.push(json!({ "channel": "virtual_agent", "id": virtual_agent.id, "name": virtual_agent.name }));
    let mut object = Map::new();
    object.insert("type".to_owned(), "noti".into());
    object.insert("event".to_owned(), ESCALATION_DEFLECTED.into());
    object.insert("escalation_id".to_owned(), escalation_id.into());
    object.insert("reason".to_owned(), reason.as_str().into());
    object.insert("options".to_owned(), options.into());
    object
}

/// The event of that notice. The vendor's word is unknown: this one is ours.
pub(crate) const ESCALATION_DEFLECTED: &str = "escalationDeflected";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_come_before_the_wait_and_a_wait_must_exceed_the_threshold() {
        let minute = Deflection { threshold_ms: 60_000, ..Deflection::default() };
        let never = Deflection::default();
        let state = |closed, wait_s| QueueState { closed, wait_s };
        let table = [
            (None, state(false, None), None),
            (None, state(true, None), Some(Reason::AfterHours)),
            (None, state(false, Some(9999)), None),
            (Some(&never), state(false, Some(9999)), None),
            (Some(&minute), state(false, Some(60)), None),
            (Some(&minute), state(false, Some(61)), Some(Reason::OverCapacity)),
            (Some(&minute), state(false, None), None),
            (Some(&minute), state(true, Some(61)), Some(Reason::AfterHours)),
        ];
        for (deflection, state, expected) in table {
            assert_eq!(reason(deflection, state), expected, "{deflection:?} {state:?}");
        }
        let silent = Deflection { after_hours: false, ..minute };
        assert_eq!(shown(&silent, state(true, None)), None);
        assert_eq!(shown(&silent, state(false, Some(61))), Some(Reason::OverCapacity));
    }
}

//! What a company offers instead of its agents, as it stands in the configuration.

use serde::Deserialize;

use super::Texts;

/// When customers are led elsewhere, and where to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deflection {
    /// Outside the business hours.
    pub after_hours: bool,
    /// Where the estimated wait is longer than this; 0 never.
    pub threshold_ms: u64,
    /// Writing an e-mail is offered.
    pub email: bool,
    /// Waiting all the same is offered; only where the wait is long, not outside the hours.
    pub keep_waiting: bool,
    /// The company's links that are offered, by their ids.
    pub links: Vec<u64>,
}

impl Default for Deflection {
    fn default() -> Self {
        Deflection { after_hours: true, threshold_ms: 0, email: false, keep_waiting: true, links: Vec::new() }
    }
}

/// A page elsewhere that customers can be led to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Its number, unique in the company.
    pub id: u64,
    /// What customers read.
    pub name: Texts,
    /// Its address, `https:` or `http:`.
    pub url: String,
}

/// Where a queue's chats go instead of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Redirection {
    /// To another queue of the company.
    Queue(u64),
    /// To a page elsewhere.
    ExternalLink(String),
    /// Nowhere: the customer reads this.
    Message(Texts),
}

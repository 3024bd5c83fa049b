//! The embedded platform: a small contact centre made of the configuration and the store, without an account anywhere. Menus and queues,
//! a virtual agent by rules, agents who sign in at the desk. It dials no telephone; mail leaves by `crate::mail`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine::gateway::{Author, ChatState, Limits, PostSessionStatus, ScreenShare, ShareEnd, Status};
use wire::rest::{Chat, ChatAgent, CheckIn, EndUser, Member, Share};

use serde_json::Value;

use crate::clock;
use crate::config::{self, Config};
use crate::redaction::Redactor;
use crate::store::{ChatRecord, MediaKind};

pub(crate) mod agents;
pub(crate) mod calls;
pub(crate) mod company;
pub(crate) mod custom_data;
pub(crate) mod deflection;
pub(crate) mod emails;
pub(crate) mod features;
pub(crate) mod forms;
pub(crate) mod hours;
pub(crate) mod letters;
pub(crate) mod live;
pub(crate) mod menus;
mod payload;
pub(crate) mod post_session;
pub(crate) mod queue;
pub(crate) mod survey;
pub(crate) mod triggers;
pub(crate) mod virtual_agent;
pub(crate) mod wait_time;
pub(crate) mod words;

use agents::Agents;
pub(crate) use company::Company;
use custom_data::{Predecessor, predecessor};
use live::Live;
use words::Tongue;

/// What an agent can do with a customer's screen.
const CAPABILITIES: [&str; 2] = ["view", "pointer"];

/// The contact centre.
pub(crate) struct Embedded {
    companies: HashMap<String, Arc<Company>>,
    virtual_agents: HashMap<u64, config::VirtualAgent>,
    pub(crate) agents: Agents,
    pub(crate) duty: Duty,
    /// How the queues stand.
    pub(crate) live: Live,
    /// The kinds of files that end users may send.
    files: Vec<MediaKind>,
    /// The gateway's own address, for pages of its own that messages name.
    pub(crate) base: String,
    /// What runs out in a chat, to show it.
    limits: Limits,
}

impl Embedded {
    /// `base` is the address at which browsers reach the gateway, without a slash at its end.
    pub(crate) fn new(config: &Config, agents: Agents, base: String) -> Embedded {
        let has_mail = !config.mail.from.is_empty();
        let companies = config.companies.iter().map(|settings| {
            let company = Company::new(settings.clone()).with_mail(has_mail);
            (settings.id.clone(), Arc::new(company))
        });
        let virtual_agents = config.virtual_agents.iter().map(|agent| (agent.id, agent.clone()));
        Embedded {
            companies: companies.collect(),
            virtual_agents: virtual_agents.collect(),
            agents,
            duty: Duty::default(),
            live: Live::default(),
            files: MediaKind::ALL.into_iter().filter(|kind| crate::http::takes_files(&config.limits, *kind)).collect(),
            base,
            limits: config.chat.session_limits(),
        }
    }

    /// Whether a company's agents see what customers type before they send it.
    pub(crate) fn shows_previews(&self, company_id: &str) -> bool {
        self.companies.get(company_id).is_some_and(|company| company.settings.message_preview)
    }

    /// Whether customers can share their screen in this chat: the company lets them, and the page that opened it can.
    pub(crate) fn shares_screens(&self, record: &ChatRecord) -> bool {
        self.companies.get(&record.company_id).is_some_and(|company| company.settings.screen_share)
            && record.request.get("cobrowsable").and_then(Value::as_bool) != Some(false)
    }

    /// A screen share as both sides see it.
    pub(crate) fn share(&self, share: &ScreenShare) -> Share {
        Share {
            id: share.id,
            status: share.status.as_str().to_owned(),
            from: share.from.as_str().to_owned(),
            provider: share.provider.as_str().to_owned(),
            agent: share.agent_id.map(|id| self.agent(id)),
            capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
            created_at_ms: share.created_at_ms,
            activated_at_ms: share.activated_at_ms,
            ended_at_ms: share.ended_at_ms,
            ended_reason: share.ended_reason.map(ShareEnd::as_str).map(str::to_owned),
            expires_at_ms: share.expires_at_ms,
        }
    }

    pub(crate) fn company(&self, id: &str) -> Option<&Arc<Company>> {
        self.companies.get(id)
    }

    pub(crate) fn companies(&self) -> impl Iterator<Item = &Arc<Company>> {
        self.companies.values()
    }

    /// What of a text in this chat only its author reads; `None` where a company's configuration hides nothing.
    pub(crate) fn redactor(&self, record: &ChatRecord) -> Option<&Redactor> {
        self.companies.get(&record.company_id).map(|company| &company.redactor).filter(|redactor| !redactor.is_idle())
    }

    /// The platform's words in a chat: the company's language for the chat's.
    fn tongue(&self, record: &ChatRecord) -> Tongue {
        match self.companies.get(&record.company_id) {
            Some(company) => company.tongue(Some(&record.lang)),
            None => Tongue::of(&record.lang),
        }
    }

    /// An agent as a chat shows them.
    pub(crate) fn agent(&self, id: u64) -> ChatAgent {
        let status = if self.duty.is_on_duty(id) { "online" } else { "offline" };
        ChatAgent { status: Some(status.to_owned()), ..self.agents.name(id) }
    }

    pub(crate) fn virtual_agent(&self, id: u64) -> Option<&config::VirtualAgent> {
        self.virtual_agents.get(&id)
    }

    /// A virtual agent as a chat names it: by its predecessor's name, where the site named one.
    fn virtual_agent_name(&self, id: u64, predecessor: &Predecessor) -> ChatAgent {
        let known = self.virtual_agents.get(&id);
        let name = predecessor.name.clone().or_else(|| known.map(|agent| agent.name.clone()));
        let own_picture = known.and_then(|agent| agent.avatar_url.clone());
        ChatAgent {
            id,
            avatar_url: predecessor.avatar_url.clone().or(own_picture.filter(|_| predecessor.name.is_none())),
            name: name.unwrap_or_else(|| "Virtual agent".to_owned()),
            first_name: None,
            status: Some("online".to_owned()),
        }
    }

    /// A virtual agent under its own name.
    pub(crate) fn virtual_agent_itself(&self, id: u64) -> ChatAgent {
        self.virtual_agent_name(id, &Predecessor::default())
    }

    /// A virtual agent of a chat: that of the post-session goes by its own name, whatever the site called the one before.
    fn virtual_agent_of(&self, id: u64, state: &ChatState, predecessor: &Predecessor) -> ChatAgent {
        match state.post_session.filter(|part| part.started_after.is_some()) {
            Some(part) if part.offer.virtual_agent_id == id => self.virtual_agent_itself(id),
            _ => self.virtual_agent_name(id, predecessor),
        }
    }

    /// A member of a conversation, as typing frames name it.
    pub(crate) fn member(&self, author: Author, record: &ChatRecord) -> Member {
        self.member_of(author, record, &record.state)
    }

    fn member_of(&self, author: Author, record: &ChatRecord, state: &ChatState) -> Member {
        let (kind, id) = author.parts();
        let display_name = match author {
            Author::Agent(id) => self.agents.name(id).name,
            Author::VirtualAgent(id) => self.virtual_agent_of(id, state, &predecessor(&record.request)).name,
            Author::EndUser(_) => end_user_name(record).unwrap_or_else(|| self.tongue(record).customer().to_owned()),
            Author::System => String::new(),
        };
        Member { kind: kind.to_owned(), id, display_name }
    }

    /// A chat as the protocol shows it, in the given state.
    pub(crate) fn present(&self, record: &ChatRecord, state: &ChatState) -> Chat {
        let agent = state.agent_id.map(|id| self.agent(id));
        let predecessor = predecessor(&record.request);
        let virtual_agent = state.virtual_agent_id.map(|id| self.virtual_agent_of(id, state, &predecessor));
        let authors = [state.virtual_agent_id.map(Author::VirtualAgent), state.agent_id.map(Author::Agent)];
        let company = self.companies.get(&record.company_id);
        let with = agent.as_ref().or(virtual_agent.as_ref()).map(|agent| agent.name.as_str());
        Chat {
            id: state.id,
            status: state.status.as_str().to_owned(),
            status_text: self.tongue(record).status_text(state.status, with),
            features: features(
                state,
                Offers {
                    files: &self.files,
                    check_in: self.limits.check_in.is_on(),
                    previews: self.shows_previews(&record.company_id),
                    screen_share: self.shares_screens(record),
                    survey: company.is_some_and(|company| company.survey(state.menu_id).is_some()),
                },
            ),
            created_at: clock::iso_8601(state.created_at_ms),
            ends_at: state.ended_at_ms.map(clock::iso_8601),
            ended_by: state.ended_by.map(|ended_by| ended_by.as_str().to_owned()),
            fail_reason: state.fail_reason.map(|reason| reason.as_str().to_owned()),
            timeout_at: self
                .limits
                .chat_timeout_ms
                .filter(|_| !state.status.is_over())
                .map(|timeout_ms| clock::iso_8601(state.active_at_ms.saturating_add(timeout_ms))),
            check_in: state.check_in.map(|check_in| CheckIn {
                timeout_ms: self.limits.check_in.timeout_ms,
                expires_at_ms: check_in.expires_at_ms,
                notified: check_in.notified,
            }),
            all_agents: state.all_agent_ids.iter().map(|id| self.agent(*id)).collect(),
            all_virtual_agents: state
                .all_virtual_agent_ids
                .iter()
                .map(|id| self.virtual_agent_of(*id, state, &predecessor))
                .collect(),
            agent,
            virtual_agent,
            lang: record.lang.clone(),
            menus: menus::path(company.map(|company| &**company), state.menu_id, &record.lang),
            end_user: EndUser { id: state.end_user_id, identifier: record.end_user.identifier.clone() },
            post_session_required: state.post_session.is_some(),
            post_session_opt_in_required: state.post_session.is_some_and(|part| part.offer.opt_in_required),
            post_session_transfer_status: state
                .post_session
                .filter(|part| part.status != PostSessionStatus::Offered)
                .map(|part| part.status.as_str().to_owned()),
            screen_share: state.screen_share.as_ref().map(|share| self.share(share)),
            revision: state.revision,
            last_index: state.last_index,
            members: authors.into_iter().flatten().map(|author| self.member_of(author, record, state)).collect(),
        }
    }
}

/// What a chat's agents call its end user: what its pages reported, or the site said.
pub(crate) fn end_user_name(record: &ChatRecord) -> Option<String> {
    record.end_user_name.clone().or_else(|| record.end_user.profile.name.clone())
}

/// What a company and its gateway offer in a chat.
#[derive(Clone, Copy)]
struct Offers<'a> {
    files: &'a [MediaKind],
    check_in: bool,
    previews: bool,
    screen_share: bool,
    survey: bool,
}

/// What can be done in a chat now, as data for user interfaces.
fn features(state: &ChatState, offers: Offers<'_>) -> Vec<String> {
    let names: &[&str] = match state.status {
        Status::VaAssigned => &["text", "typing", "photo", "video", "audio", "document", "escalation"],
        Status::Queued => &["text", "typing", "preview", "photo", "video", "audio", "document", "check_in"],
        Status::Assigned => &["text", "typing", "preview", "photo", "video", "audio", "document", "cobrowse"],
        Status::Dismissed => &["text", "typing", "photo", "video", "audio", "document", "resume"],
        Status::VaDismissed => &["text", "typing", "photo", "video", "audio", "document", "resume", "escalation"],
        Status::CheckedOut => &["text", "typing", "photo", "video", "audio", "document", "check_in", "rejoin"],
        Status::Finished | Status::Failed => match state.post_session.map(|part| part.status) {
            Some(PostSessionStatus::Offered | PostSessionStatus::Ready) => &["survey", "rating", "post_session"],
            Some(PostSessionStatus::InProgress | PostSessionStatus::Waiting) => {
                &["text", "photo", "video", "audio", "document", "survey", "rating", "post_session"]
            }
            Some(PostSessionStatus::Finished) | None => &["survey", "rating"],
        },
    };
    let is_offered = |name: &str| match name {
        "check_in" => offers.check_in,
        "preview" => offers.previews,
        "survey" => offers.survey,
        "cobrowse" => offers.screen_share,
        name => MediaKind::from_text(name).is_none_or(|kind| offers.files.contains(&kind)),
    };
    names.iter().filter(|name| is_offered(name)).map(|name| (*name).to_owned()).collect()
}

/// Who is on duty: agents with an open desk, by the number of their open desks. Not stored: a restart asks every desk to come back.
#[derive(Default)]
pub(crate) struct Duty(Mutex<HashMap<u64, usize>>);

impl Duty {
    pub(crate) fn begin(&self, agent_id: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(agent_id).or_default() += 1;
    }

    pub(crate) fn end(&self, agent_id: u64) {
        let mut desks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = desks.get_mut(&agent_id) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                desks.remove(&agent_id);
            }
        }
    }

    pub(crate) fn is_on_duty(&self, agent_id: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&agent_id)
    }

    pub(crate) fn on_duty(&self) -> Vec<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }
}

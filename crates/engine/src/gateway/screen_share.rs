//! Screen share: the end user lets the agent who has the chat look at the page. A chat has at most one share that is not over; it begins with a code
//! that the agent types in, or with a question to the end user, and is active only after the end user said yes to this agent. It is over with the
//! chat, and as soon as the agent is another one.
//!
//! What is shown never comes here: this is only who may look, since when, and why no longer. Codes are made by whoever asks. That the page is
//! still there is told to the session beside commands, as it is no part of the stored state.

use std::collections::{BTreeMap, HashMap};

use wire::ErrorCode;

use super::session::Limits;
use super::state::{Actor, Author, ChatState, Draft, Notice, Script, SentKey, Status};
use super::timers::Expiry;

/// A closed set of words.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word for it, on the wire and in the store.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)+
                }
            }

            /// The value with this word.
            #[must_use]
            pub fn from_text(text: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|value| value.as_str() == text)
            }
        }
    };
}

words! {
    /// Where a share stands: the states of Cobrowse.io's sessions.
    ShareStatus {
        /// A code waits for the agent.
        Pending = "pending",
        /// The end user is being asked.
        Authorizing = "authorizing",
        /// The agent may look.
        Active = "active",
        /// Over.
        Ended = "ended",
    }
}

words! {
    /// Whose wish a share was.
    ShareFrom {
        /// The end user's own.
        EndUser = "end_user",
        /// The agent asked for it.
        Agent = "agent",
        /// The end user has a code, for the agent to type in.
        Code = "code",
    }
}

words! {
    /// What records and shows the page.
    ShareProvider {
        /// The package itself; the recording goes through the gateway.
        Rrweb = "rrweb",
        /// Cobrowse.io's own software; nothing of the recording comes here.
        CobrowseIo = "cobrowse_io",
    }
}

words! {
    /// Why a share is over. The first six are Cobrowse.io's words, the others ours.
    ShareEnd {
        /// The end user ended it.
        DeviceEnded = "device_ended",
        /// The agent ended it.
        AgentEnded = "agent_ended",
        /// No agent typed the code in.
        PendingTimeout = "pending_timeout",
        /// The end user did not answer.
        AuthorizingTimeout = "authorizing_timeout",
        /// The page was not heard for too long.
        ActiveTimeout = "active_timeout",
        /// Too many wrong codes, or longer than a share may take.
        LimitEnforcement = "limit_enforcement",
        /// The end user said no.
        Denied = "denied",
        /// The chat is over.
        ChatEnded = "chat_ended",
        /// The agent to whom the end user said yes no longer has the chat.
        AgentChanged = "agent_changed",
        /// The end user began another one.
        Replaced = "replaced",
        /// The page could not be recorded.
        Failed = "failed",
    }
}

impl ShareEnd {
    /// Whether the share came to nothing, rather than to an end.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, ShareEnd::Denied | ShareEnd::Failed | ShareEnd::PendingTimeout | ShareEnd::AuthorizingTimeout)
    }
}

/// How long a share may take, and how often one may guess its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareLimits {
    /// How long a code waits for the agent.
    pub pending_ms: u64,
    /// How long the end user may take to answer.
    pub authorizing_ms: u64,
    /// How long the page may be silent.
    pub page_ms: u64,
    /// How long a share may go on.
    pub active_ms: u64,
    /// The wrong code that ends it.
    pub wrong_codes: u64,
}

impl Default for ShareLimits {
    fn default() -> Self {
        let minute_ms = 60_000;
        ShareLimits {
            pending_ms: 10 * minute_ms,
            authorizing_ms: 5 * minute_ms,
            page_ms: minute_ms,
            active_ms: 120 * minute_ms,
            wrong_codes: 5,
        }
    }
}

impl ShareLimits {
    /// The shortest of its times.
    pub(super) fn shortest_ms(&self) -> u64 {
        self.pending_ms.min(self.authorizing_ms).min(self.page_ms).min(self.active_ms)
    }
}

/// The newest share of a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScreenShare {
    /// 1, 2, 3, … within the chat.
    pub id: u64,
    /// The idempotency key it was begun with.
    pub client_id: String,
    /// The page that records.
    pub page_id: String,
    /// Whose wish it was.
    pub from: ShareFrom,
    /// What records and shows the page.
    pub provider: ShareProvider,
    /// Where it stands.
    pub status: ShareStatus,
    /// The agent it is for; none while a code waits.
    pub agent_id: Option<u64>,
    /// What the agent types in, until the share is over.
    pub code: Option<String>,
    /// How often a wrong code was typed in.
    pub wrong_codes: u64,
    /// When it was begun.
    pub created_at_ms: u64,
    /// When the end user said yes.
    pub activated_at_ms: Option<u64>,
    /// When it was over.
    pub ended_at_ms: Option<u64>,
    /// Why it is over.
    pub ended_reason: Option<ShareEnd>,
    /// When it is over by itself, where nothing happens before.
    pub expires_at_ms: u64,
}

impl ScreenShare {
    /// Whether it is not over.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.status != ShareStatus::Ended
    }

    /// Whether a page of the gateway's own records for it now.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.status == ShareStatus::Active && self.provider == ShareProvider::Rrweb
    }

    /// From when on a chat that nobody has loaded must be looked at for it: an active share is never left alone, because a page that is gone
    /// says nothing.
    #[must_use]
    pub fn due_at_ms(&self) -> Option<u64> {
        match self.status {
            ShareStatus::Pending | ShareStatus::Authorizing => Some(self.expires_at_ms),
            ShareStatus::Active => Some(self.activated_at_ms.unwrap_or(self.created_at_ms)),
            ShareStatus::Ended => None,
        }
    }
}

/// What a share is begun with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareStart {
    /// The idempotency key.
    pub client_id: String,
    /// The page that will record.
    pub page_id: String,
    /// Whose wish it is.
    pub from: ShareFrom,
    /// What will record and show the page.
    pub provider: ShareProvider,
    /// The code, where the agent is to type one in.
    pub code: Option<String>,
    /// The language that the page asked for.
    pub lang: Option<String>,
    /// What the site says with the code: told once, with the notice of it.
    pub custom_data: BTreeMap<String, String>,
}

/// What someone asks of a chat's share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareStep {
    /// The end user begins one.
    Start(Box<ShareStart>),
    /// The end user says yes, or a page of theirs takes an active one over.
    Activate {
        /// Which.
        share_id: u64,
        /// The page that records from now on.
        page_id: String,
    },
    /// The end user's page ends it.
    End {
        /// Which.
        share_id: u64,
        /// Why.
        reason: ShareEnd,
    },
    /// The agent asks for one.
    Ask,
    /// The agent types the code in.
    Join {
        /// What was typed in.
        code: String,
    },
    /// The agent ends it.
    EndByAgent,
}

impl ShareStep {
    /// Whether it is for the end user to ask this, or for the agent.
    pub(super) fn is_of_end_user(&self) -> bool {
        matches!(self, ShareStep::Start(_) | ShareStep::Activate { .. } | ShareStep::End { .. })
    }
}

/// The notice of a share has a key of its own: no client can use it, theirs have no colon.
fn key_of(client_id: &str) -> String {
    format!("share:{client_id}")
}

impl ChatState {
    /// The share that is not over.
    #[must_use]
    pub fn open_share(&self) -> Option<&ScreenShare> {
        self.screen_share.as_ref().filter(|share| share.is_open())
    }

    /// Whether the agent looks at the end user's page, who then is not silent, however little is said.
    pub(super) fn is_shared(&self) -> bool {
        self.open_share().is_some_and(|share| share.status == ShareStatus::Active)
    }

    pub(super) fn share_timer(&self) -> Option<(u64, Expiry)> {
        self.open_share().map(|share| (share.expires_at_ms, Expiry::ScreenShare))
    }

    /// Where the page that records was last heard at this time.
    pub(super) fn share_page_timer(&self, heard_at_ms: Option<u64>, limits: &Limits) -> Option<(u64, Expiry)> {
        self.open_share().filter(|share| share.is_recorded())?;
        Some((heard_at_ms?.saturating_add(limits.share.page_ms), Expiry::SharePage))
    }
}

impl<B: Clone> Draft<B> {
    /// One step of a share. Refused steps change nothing, but for a wrong code, which counts.
    pub(super) fn step_share(
        &mut self,
        actor: Actor,
        step: &ShareStep,
        sent: &HashMap<SentKey, (u64, u64)>,
        script: &dyn Script<B>,
    ) -> Result<(), ErrorCode> {
        match actor {
            Actor::EndUser(_) => {}
            // What was said to one agent is nobody else's.
            Actor::Agent(id) if self.state.agent_id == Some(id) => {}
            // It is over with the chat, and ending it once more does no harm.
            Actor::Agent(_) if *step == ShareStep::EndByAgent && self.state.status.is_over() => return Ok(()),
            Actor::Agent(_) => return Err(ErrorCode::Forbidden),
        }
        match step {
            ShareStep::Start(start) => self.start_share(start, sent, script),
            ShareStep::Activate { share_id, page_id } => self.activate_share(*share_id, page_id, script),
            ShareStep::End { share_id, reason } => {
                let is_meant = self.state.open_share().is_some_and(|share| share.id == *share_id);
                // Nobody is asked any more once they said yes.
                let is_late = *reason == ShareEnd::Denied && self.state.is_shared();
                if is_meant {
                    self.end_share(if is_late { ShareEnd::DeviceEnded } else { *reason }, script);
                }
                Ok(())
            }
            ShareStep::Ask => self.ask_for_share(actor, script),
            ShareStep::Join { code } => self.join_share(code, script),
            ShareStep::EndByAgent => {
                self.end_share(ShareEnd::AgentEnded, script);
                Ok(())
            }
        }
    }

    /// The agent whom a share would be for.
    fn share_agent(&self) -> Result<u64, ErrorCode> {
        match (self.state.status, self.state.agent_id) {
            (Status::Assigned, Some(id)) => Ok(id),
            (status, _) if status.is_over() => Err(ErrorCode::ChatEnded),
            _ => Err(ErrorCode::Conflict),
        }
    }

    fn start_share(
        &mut self,
        start: &ShareStart,
        sent: &HashMap<SentKey, (u64, u64)>,
        script: &dyn Script<B>,
    ) -> Result<(), ErrorCode> {
        let newest = self.state.screen_share.as_ref();
        if newest.is_some_and(|share| share.client_id == start.client_id) {
            return Ok(());
        }
        let agent_id = self.share_agent()?;
        if let Some(share) = self.state.open_share().filter(|share| share.status == ShareStatus::Active) {
            return if share.page_id == start.page_id { Ok(()) } else { Err(ErrorCode::Conflict) };
        }
        let end_user = Author::EndUser(self.state.end_user_id);
        let key = (end_user, key_of(&start.client_id));
        // A late repetition of one that another one replaced.
        if sent.contains_key(&key) || self.has_sent(&key) {
            return Err(ErrorCode::Conflict);
        }
        self.end_share(ShareEnd::Replaced, script);
        let has_code = start.from == ShareFrom::Code;
        let patience_ms = if has_code { self.limits.share.pending_ms } else { self.limits.share.authorizing_ms };
        self.state.screen_share = Some(ScreenShare {
            id: self.state.screen_share.as_ref().map_or(1, |share| share.id.saturating_add(1)),
            client_id: start.client_id.clone(),
            page_id: start.page_id.clone(),
            from: start.from,
            provider: start.provider,
            status: if has_code { ShareStatus::Pending } else { ShareStatus::Authorizing },
            agent_id: (!has_code).then_some(agent_id),
            code: start.code.clone().filter(|_| has_code),
            wrong_codes: 0,
            created_at_ms: self.now_ms,
            activated_at_ms: None,
            ended_at_ms: None,
            ended_reason: None,
            expires_at_ms: self.now_ms.saturating_add(patience_ms),
        });
        self.hear_end_user();
        let notice = match start.from {
            // The agent's own request is in the conversation.
            ShareFrom::Agent => return Ok(()),
            ShareFrom::EndUser => Notice::ShareRequestedByEndUser,
            ShareFrom::Code => Notice::ShareCodeGenerated,
        };
        let body = script.share_started(&self.state, notice, start);
        self.push(end_user, Some(key.1), body);
        Ok(())
    }

    fn activate_share(&mut self, share_id: u64, page_id: &str, script: &dyn Script<B>) -> Result<(), ErrorCode> {
        let agent_id = self.share_agent()?;
        let (now_ms, active_ms) = (self.now_ms, self.limits.share.active_ms);
        let Some(share) = self.state.screen_share.as_mut().filter(|share| share.id == share_id) else {
            return Err(ErrorCode::Conflict);
        };
        match (share.status, share.provider) {
            (ShareStatus::Active, _) => {
                page_id.clone_into(&mut share.page_id);
                return Ok(());
            }
            (ShareStatus::Authorizing, _) => {}
            // There the agent joins, and the end user is asked, beside us.
            (ShareStatus::Pending, ShareProvider::CobrowseIo) => {}
            _ => return Err(ErrorCode::Conflict),
        }
        share.status = ShareStatus::Active;
        page_id.clone_into(&mut share.page_id);
        share.agent_id = Some(agent_id);
        share.activated_at_ms = Some(now_ms);
        share.expires_at_ms = now_ms.saturating_add(active_ms);
        self.hear_end_user();
        self.notify(Notice::ShareStarted, script);
        Ok(())
    }

    fn ask_for_share(&mut self, actor: Actor, script: &dyn Script<B>) -> Result<(), ErrorCode> {
        self.share_agent()?;
        if self.state.open_share().is_some() {
            return Err(ErrorCode::Conflict);
        }
        let body = script.notice(&self.state, Notice::ShareRequestedByAgent);
        self.push(actor.into(), None, body);
        Ok(())
    }

    fn join_share(&mut self, code: &str, script: &dyn Script<B>) -> Result<(), ErrorCode> {
        let agent_id = self.share_agent()?;
        let (now_ms, limits) = (self.now_ms, self.limits.share);
        let Some(share) = self.state.screen_share.as_mut().filter(|share| share.is_open()) else {
            return Err(ErrorCode::NotFound);
        };
        let is_right = share.code.as_deref() == Some(code);
        match share.status {
            // Joined before.
            _ if is_right && share.status != ShareStatus::Pending => Ok(()),
            ShareStatus::Pending if is_right => {
                share.status = ShareStatus::Authorizing;
                share.agent_id = Some(agent_id);
                share.expires_at_ms = now_ms.saturating_add(limits.authorizing_ms);
                Ok(())
            }
            ShareStatus::Pending => {
                share.wrong_codes = share.wrong_codes.saturating_add(1);
                if share.wrong_codes >= limits.wrong_codes {
                    self.end_share(ShareEnd::LimitEnforcement, script);
                }
                Err(ErrorCode::NotFound)
            }
            _ => Err(ErrorCode::NotFound),
        }
    }

    /// Over, where one is not.
    pub(super) fn end_share(&mut self, reason: ShareEnd, script: &dyn Script<B>) {
        let was_shared = self.state.is_shared();
        let Some(share) = self.state.screen_share.as_mut().filter(|share| share.is_open()) else { return };
        share.status = ShareStatus::Ended;
        share.code = None;
        share.ended_at_ms = Some(self.now_ms);
        share.ended_reason = Some(reason);
        if was_shared {
            self.hear_end_user();
        }
        self.notify(if reason.is_failure() { Notice::ShareFailed } else { Notice::ShareEnded }, script);
    }

    /// Its time is over.
    pub(super) fn expire_share(&mut self, script: &dyn Script<B>) {
        let reason = match self.state.open_share().map(|share| share.status) {
            Some(ShareStatus::Pending) => ShareEnd::PendingTimeout,
            Some(ShareStatus::Authorizing) => ShareEnd::AuthorizingTimeout,
            _ => ShareEnd::LimitEnforcement,
        };
        self.end_share(reason, script);
    }

    /// Whoever shares is there: the times that end with silence begin anew.
    fn hear_end_user(&mut self) {
        self.state.active_at_ms = self.now_ms;
        self.state.unanswered_since_ms = self.state.unanswered_since_ms.map(|_| self.now_ms);
        self.state.dismiss_at_ms = None;
    }
}

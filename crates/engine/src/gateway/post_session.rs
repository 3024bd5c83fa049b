//! What may follow the human part of a chat (`ccaip.md` 11.7): a virtual agent that asks, say, how it went. The chat is over and stays so, with
//! everything that follows from that; only its end user writes, and only the post-session's virtual agent answers. Nobody is led back to a person.
//!
//! A post-session is offered once, at the end of a chat that an agent or the end user ended and that an agent had. The end user's page moves it on.
//! What each step means beside its name is ours: the vendor does not publish it.

use wire::ErrorCode;

use super::session::Limits;
use super::state::{Act, Author, ChatState, Done, Draft, EndedBy, Notice, Script};
use super::timers::Expiry;

/// Where a post-session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PostSessionStatus {
    /// Nobody has answered to it yet. Shown as no status at all.
    Offered,
    /// The end user's page is ready for it, and where asking is required, the end user said yes.
    Ready,
    /// The virtual agent and the end user talk.
    InProgress,
    /// The end user has put it aside; the next message brings it back.
    Waiting,
    /// Over, whether it began or not.
    Finished,
}

impl PostSessionStatus {
    /// Every status.
    pub const ALL: [PostSessionStatus; 5] = [
        PostSessionStatus::Offered,
        PostSessionStatus::Ready,
        PostSessionStatus::InProgress,
        PostSessionStatus::Waiting,
        PostSessionStatus::Finished,
    ];

    /// The vendor's word for it; `offered` is ours.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            PostSessionStatus::Offered => "offered",
            PostSessionStatus::Ready => "ready",
            PostSessionStatus::InProgress => "in_progress",
            PostSessionStatus::Waiting => "waiting",
            PostSessionStatus::Finished => "finished",
        }
    }

    /// The status with this word.
    #[must_use]
    pub fn from_text(text: &str) -> Option<PostSessionStatus> {
        PostSessionStatus::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// What the platform offers after the human part of a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostSessionOffer {
    /// Who talks with the end user, by number.
    pub virtual_agent_id: u64,
    /// The end user is asked first.
    pub opt_in_required: bool,
}

/// A post-session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostSession {
    /// What was offered.
    pub offer: PostSessionOffer,
    /// Where it stands.
    pub status: PostSessionStatus,
    /// What the end user chose, where that was said.
    pub opted_in: Option<bool>,
    /// The index of the last message before it, once it has begun.
    pub started_after: Option<u64>,
    /// Since when it waits for the end user: the newest step or message.
    pub moved_at_ms: u64,
}

impl PostSession {
    /// Whether the end user and the virtual agent can write.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.status, PostSessionStatus::InProgress | PostSessionStatus::Waiting)
    }

    /// Whether the end user's page has taken it up and it is not over.
    #[must_use]
    pub fn is_taken_up(&self) -> bool {
        self.is_open() || self.status == PostSessionStatus::Ready
    }
}

/// What the end user's page asks of a post-session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PostSessionStep {
    /// Where it is to stand.
    pub to: PostSessionStatus,
    /// What the end user chose, where the page asked.
    pub opted_in: Option<bool>,
}

impl ChatState {
    /// Whether its end user can write: it goes on, or its post-session does.
    #[must_use]
    pub fn takes_messages(&self) -> bool {
        !self.status.is_over() || self.post_session.is_some_and(|part| part.is_open())
    }

    /// Whether its end user should be led back to it.
    #[must_use]
    pub fn is_ongoing(&self) -> bool {
        !self.dropped && (!self.status.is_over() || self.post_session.is_some_and(|part| part.is_taken_up()))
    }

    pub(super) fn post_session_timer(&self, limits: &Limits) -> Option<(u64, Expiry)> {
        let part = self.post_session.filter(|part| part.status != PostSessionStatus::Finished)?;
        Some((part.moved_at_ms.saturating_add(limits.post_session_timeout_ms?), Expiry::PostSessionTimeout))
    }
}

impl<B: Clone> Draft<B> {
    /// The chat has just ended: what follows.
    pub(super) fn offer_post_session(&mut self, ended_by: EndedBy, script: &dyn Script<B>) {
        let is_end_of_human_part =
            matches!(ended_by, EndedBy::Agent | EndedBy::EndUser) && !self.state.all_agent_ids.is_empty();
        let offer = is_end_of_human_part.then(|| script.post_session(&self.state)).flatten();
        self.state.post_session = offer.map(|offer| PostSession {
            offer,
            status: PostSessionStatus::Offered,
            opted_in: None,
            started_after: None,
            moved_at_ms: self.now_ms,
        });
    }

    /// One step on. The same step again changes nothing; a choice counts until the post-session begins.
    pub(super) fn step_post_session(&mut self, step: PostSessionStep, script: &dyn Script<B>) -> Result<(), ErrorCode> {
        use PostSessionStatus::{Finished, InProgress, Offered, Ready, Waiting};
        let Some(mut part) = self.state.post_session else { return Err(ErrorCode::Conflict) };
        let declines = step.opted_in == Some(false) && part.started_after.is_none();
        if part.status == Finished {
            let is_repeated = step.to == Finished || (declines && part.opted_in == Some(false));
            return if is_repeated { Ok(()) } else { Err(ErrorCode::Conflict) };
        }
        if step.to == part.status && !declines {
            return Ok(());
        }
        if part.started_after.is_none() {
            part.opted_in = step.opted_in.or(part.opted_in);
        }
        let may_begin = !part.offer.opt_in_required || part.opted_in == Some(true);
        match (part.status, step.to) {
            _ if declines => {}
            (_, Finished) => {}
            (Offered, Ready) if may_begin => {}
            (Ready, InProgress) | (InProgress, Waiting) | (Waiting, InProgress) => {}
            _ => return Err(ErrorCode::Conflict),
        }
        let before = std::mem::replace(&mut part.status, step.to);
        part.moved_at_ms = self.now_ms;
        if declines || step.to == Finished {
            part.status = before;
            self.state.post_session = Some(part);
            self.end_post_session(script);
        } else if before == Ready {
            self.begin_post_session(part, script);
        } else {
            self.state.post_session = Some(part);
        }
        Ok(())
    }

    fn begin_post_session(&mut self, part: PostSession, script: &dyn Script<B>) {
        let id = part.offer.virtual_agent_id;
        self.state.post_session = Some(PostSession { started_after: Some(self.state.last_index), ..part });
        self.state.virtual_agent_id = Some(id);
        if !self.state.all_virtual_agent_ids.contains(&id) {
            self.state.all_virtual_agent_ids.push(id);
        }
        self.notify(Notice::PostSessionStarted, script);
        let acts: Vec<Act<B>> = script.greet(&self.state);
        self.perform(acts, script);
    }

    /// What the end user says to it, and what it says to that.
    pub(super) fn send_in_post_session(
        &mut self,
        author: Author,
        client_id: &str,
        body: &B,
        script: &dyn Script<B>,
    ) -> Result<Done, ErrorCode> {
        let Some(part) = self.state.post_session.as_mut().filter(|part| part.is_open()) else {
            return Err(ErrorCode::ChatEnded);
        };
        part.status = PostSessionStatus::InProgress;
        part.moved_at_ms = self.now_ms;
        let index = self.say(author, Some(client_id.to_owned()), body.clone(), script);
        let acts = script.answer(&self.state, body);
        self.perform(acts, script);
        Ok(Done::Sent { index, at_ms: self.now_ms, duplicate: false })
    }

    /// Over: nothing is said where it never began.
    pub(super) fn end_post_session(&mut self, script: &dyn Script<B>) {
        let Some(part) = self.state.post_session.as_mut().filter(|part| part.status != PostSessionStatus::Finished)
        else {
            return;
        };
        part.status = PostSessionStatus::Finished;
        part.moved_at_ms = self.now_ms;
        if part.started_after.is_some() {
            self.state.virtual_agent_id = None;
            self.notify(Notice::PostSessionEnded, script);
        }
    }
}

//! What a chat is, and how one command changes it. Pure functions on values: nothing here waits, stores or sends.

use std::collections::HashMap;

use wire::ErrorCode;

/// Where a chat stands. The vendor's set is open (`ccaip.md` 11.1); these are the states the embedded platform reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// A virtual agent talks with the end user.
    VaAssigned,
    /// Waiting for an agent.
    Queued,
    /// An agent talks with the end user.
    Assigned,
    /// Over.
    Finished,
}

impl Status {
    /// The vendor's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::VaAssigned => "va_assigned",
            Status::Queued => "queued",
            Status::Assigned => "assigned",
            Status::Finished => "finished",
        }
    }

    /// The status with this word.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Status> {
        [Status::VaAssigned, Status::Queued, Status::Assigned, Status::Finished]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// Someone who asks something of a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// An end user, by the gateway's number.
    EndUser(u64),
    /// An agent, by number.
    Agent(u64),
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Author {
    /// The end user, by the gateway's number.
    EndUser(u64),
    /// An agent, by number.
    Agent(u64),
    /// A virtual agent, by number.
    VirtualAgent(u64),
    /// The platform itself.
    System,
}

impl Author {
    /// The two halves of the identity: `$userType` and `$userId`.
    #[must_use]
    pub fn parts(self) -> (&'static str, u64) {
        match self {
            Author::EndUser(id) => ("end_user", id),
            Author::Agent(id) => ("agent", id),
            Author::VirtualAgent(id) => ("virtual_agent", id),
            Author::System => ("system", 0),
        }
    }

    /// The author with these halves.
    #[must_use]
    pub fn from_parts(kind: &str, id: u64) -> Option<Author> {
        match kind {
            "end_user" => Some(Author::EndUser(id)),
            "agent" => Some(Author::Agent(id)),
            "virtual_agent" => Some(Author::VirtualAgent(id)),
            "system" => Some(Author::System),
            _ => None,
        }
    }
}

impl From<Actor> for Author {
    fn from(actor: Actor) -> Self {
        match actor {
            Actor::EndUser(id) => Author::EndUser(id),
            Actor::Agent(id) => Author::Agent(id),
        }
    }
}

/// Who ended a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// The end user.
    EndUser,
    /// The agent.
    Agent,
    /// The virtual agent.
    VirtualAgent,
}

impl EndedBy {
    /// The word the store keeps.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EndedBy::EndUser => "end_user",
            EndedBy::Agent => "agent",
            EndedBy::VirtualAgent => "virtual_agent",
        }
    }

    /// The value with this word.
    #[must_use]
    pub fn from_text(text: &str) -> Option<EndedBy> {
        [EndedBy::EndUser, EndedBy::Agent, EndedBy::VirtualAgent].into_iter().find(|ended_by| ended_by.as_str() == text)
    }
}

/// A chat's state, as the store keeps it. Names, queues and custom data are the gateway's and stay outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatState {
    /// The chat's number.
    pub id: u64,
    /// Whose chat it is.
    pub end_user_id: u64,
    /// The queue.
    pub menu_id: u64,
    /// Where it stands.
    pub status: Status,
    /// The agent in the conversation.
    pub agent_id: Option<u64>,
    /// The virtual agent in the conversation.
    pub virtual_agent_id: Option<u64>,
    /// Every agent who took part, in order.
    pub all_agent_ids: Vec<u64>,
    /// Every virtual agent who took part, in order.
    pub all_virtual_agent_ids: Vec<u64>,
    /// When it was opened.
    pub created_at_ms: u64,
    /// When it entered the queue, while or after it waited there.
    pub queued_at_ms: Option<u64>,
    /// When an agent accepted it.
    pub assigned_at_ms: Option<u64>,
    /// When it ended.
    pub ended_at_ms: Option<u64>,
    /// Who ended it.
    pub ended_by: Option<EndedBy>,
    /// The end user dropped it: it is never offered as ongoing again.
    pub dropped: bool,
    /// The index of the newest message, 0 for none.
    pub last_index: u64,
    /// Grows by 1 with each change.
    pub revision: u64,
}

/// A stored message. `body` is a handle to its content, which this crate never looks into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<B> {
    /// 1, 2, 3, … without a gap.
    pub index: u64,
    /// Who wrote it.
    pub author: Author,
    /// The idempotency key it was sent with.
    pub client_id: Option<String>,
    /// When it was stored.
    pub at_ms: u64,
    /// The content.
    pub body: B,
}

/// What is to be made durable in one transaction: the new state and the messages that lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<B> {
    /// The state after the change. The store must hold `revision - 1` of it before, otherwise someone else was faster: a conflict.
    pub state: ChatState,
    /// New messages in index order.
    pub messages: Vec<Message<B>>,
}

/// What an actor asks of a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<B> {
    /// Write a message.
    Send {
        /// The idempotency key.
        client_id: String,
        /// The content.
        body: B,
    },
    /// Ask for a person instead of the virtual agent.
    Escalate,
    /// An agent takes a queued chat.
    Accept,
    /// End the chat.
    Finish,
    /// End the chat and never offer it as ongoing again.
    Drop,
}

/// How a command was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// The message is stored.
    Sent {
        /// Its index.
        index: u64,
        /// When it was stored.
        at_ms: u64,
        /// The key was used before: nothing new was written.
        duplicate: bool,
    },
    /// The chat is in this state.
    State(ChatState),
}

/// Something the platform tells both sides in the conversation (`ccaip.md` 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The virtual agent is handing over.
    EscalationStarted,
    /// An agent accepted.
    EscalationAccepted,
    /// The chat is over.
    ChatEnded,
}

impl Notice {
    /// The `event` of the `noti` message.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Notice::EscalationStarted => "escalationStarted",
            Notice::EscalationAccepted => "escalationAccepted",
            Notice::ChatEnded => "chatEnded",
        }
    }
}

/// What a virtual agent does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act<B> {
    /// Write a message.
    Say(B),
    /// Hand over to the queue.
    Escalate,
    /// End the chat.
    Finish,
}

/// The platform's own part in a chat: what the virtual agent answers and how notices read. Must be a pure function of its arguments, so
/// that a message and the answer to it are one transaction.
pub trait Script<B> {
    /// What the virtual agent does when a chat opens.
    fn greet(&self, chat: &ChatState) -> Vec<Act<B>>;
    /// What the virtual agent does about a message of the end user.
    fn answer(&self, chat: &ChatState, body: &B) -> Vec<Act<B>>;
    /// The message for a notice.
    fn notice(&self, chat: &ChatState, notice: Notice) -> B;
}

/// Who sent under which idempotency key: keys of different authors never meet.
pub type SentKey = (Author, String);

/// Opens a chat: its first state, and the virtual agent's greeting where it has one.
///
/// `state` comes with its people, queue and times filled in, `revision` and `last_index` 0. The store gives the chat its number.
pub fn open<B: Clone>(state: ChatState, script: &dyn Script<B>, now_ms: u64) -> Change<B> {
    let mut draft = Draft::new(state);
    if let Some(id) = draft.state.virtual_agent_id {
        draft.state.status = Status::VaAssigned;
        draft.state.all_virtual_agent_ids = vec![id];
        let acts = script.greet(&draft.state);
        draft.perform(acts, script, now_ms);
    } else {
        draft.state.status = Status::Queued;
        draft.state.queued_at_ms = Some(now_ms);
    }
    draft.finish()
}

/// A change in the making.
pub(super) struct Draft<B> {
    pub(super) state: ChatState,
    pub(super) messages: Vec<Message<B>>,
    before: ChatState,
}

impl<B: Clone> Draft<B> {
    pub(super) fn new(state: ChatState) -> Self {
        Draft { before: state.clone(), state, messages: Vec::new() }
    }

    /// Whether anything is different from the state before.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.state == self.before
    }

    pub(super) fn finish(mut self) -> Change<B> {
        self.state.revision = self.before.revision.saturating_add(1);
        Change { state: self.state, messages: self.messages }
    }

    /// Carries out one command, or says why not and changes nothing. `sent` holds the keys that are durable.
    pub(super) fn apply(
        &mut self,
        actor: Actor,
        command: &Command<B>,
        sent: &HashMap<SentKey, (u64, u64)>,
        script: &dyn Script<B>,
        now_ms: u64,
    ) -> Result<Done, ErrorCode> {
        self.admit(actor, command)?;
        match command {
            Command::Send { client_id, body } => return self.send(actor.into(), client_id, body, sent, script, now_ms),
            Command::Escalate => self.escalate(script, now_ms)?,
            Command::Accept => self.accept(actor, script, now_ms)?,
            Command::Finish => self.end(actor, script, now_ms),
            Command::Drop => {
                self.end(actor, script, now_ms);
                self.state.dropped = true;
            }
        }
        Ok(Done::State(self.state.clone()))
    }

    /// Whether this actor may ask this of this chat at all.
    fn admit(&self, actor: Actor, command: &Command<B>) -> Result<(), ErrorCode> {
        let allowed = match (actor, command) {
            (Actor::EndUser(_), Command::Accept) => false,
            (Actor::EndUser(id), _) => id == self.state.end_user_id,
            (Actor::Agent(_), Command::Accept) => true,
            (Actor::Agent(_), Command::Escalate | Command::Drop) => false,
            (Actor::Agent(id), _) => self.state.agent_id == Some(id) || self.has_served(id),
        };
        if allowed { Ok(()) } else { Err(ErrorCode::Forbidden) }
    }

    fn has_served(&self, agent_id: u64) -> bool {
        self.state.all_agent_ids.contains(&agent_id)
    }

    fn send(
        &mut self,
        author: Author,
        client_id: &str,
        body: &B,
        sent: &HashMap<SentKey, (u64, u64)>,
        script: &dyn Script<B>,
        now_ms: u64,
    ) -> Result<Done, ErrorCode> {
        // A retry is answered even after the end of the chat: the message it repeats was stored before that.
        if let Some((index, at_ms)) = sent.get(&(author, client_id.to_owned())) {
            return Ok(Done::Sent { index: *index, at_ms: *at_ms, duplicate: true });
        }
        let earlier = self.messages.iter().find(|m| m.author == author && m.client_id.as_deref() == Some(client_id));
        if let Some(message) = earlier {
            return Ok(Done::Sent { index: message.index, at_ms: message.at_ms, duplicate: true });
        }
        if self.state.status == Status::Finished {
            return Err(ErrorCode::ChatEnded);
        }
        let index = self.push(author, Some(client_id.to_owned()), body.clone(), now_ms);
        if self.state.status == Status::VaAssigned && matches!(author, Author::EndUser(_)) {
            let acts = script.answer(&self.state, body);
            self.perform(acts, script, now_ms);
        }
        Ok(Done::Sent { index, at_ms: now_ms, duplicate: false })
    }

    fn escalate(&mut self, script: &dyn Script<B>, now_ms: u64) -> Result<(), ErrorCode> {
        match self.state.status {
            Status::Finished => Err(ErrorCode::ChatEnded),
            Status::Queued | Status::Assigned => Ok(()),
            Status::VaAssigned => {
                self.push(Author::System, None, script.notice(&self.state, Notice::EscalationStarted), now_ms);
                self.state.status = Status::Queued;
                self.state.queued_at_ms = Some(now_ms);
                self.state.virtual_agent_id = None;
                Ok(())
            }
        }
    }

    fn accept(&mut self, actor: Actor, script: &dyn Script<B>, now_ms: u64) -> Result<(), ErrorCode> {
        let Actor::Agent(agent_id) = actor else { return Err(ErrorCode::Forbidden) };
        match self.state.status {
            Status::Assigned if self.state.agent_id == Some(agent_id) => Ok(()),
            Status::Queued => {
                self.state.status = Status::Assigned;
                self.state.agent_id = Some(agent_id);
                self.state.assigned_at_ms = Some(now_ms);
                if !self.has_served(agent_id) {
                    self.state.all_agent_ids.push(agent_id);
                }
                self.push(Author::System, None, script.notice(&self.state, Notice::EscalationAccepted), now_ms);
                Ok(())
            }
            Status::Finished => Err(ErrorCode::ChatEnded),
            Status::VaAssigned | Status::Assigned => Err(ErrorCode::Conflict),
        }
    }

    fn end(&mut self, actor: Actor, script: &dyn Script<B>, now_ms: u64) {
        let ended_by = match actor {
            Actor::EndUser(_) => EndedBy::EndUser,
            Actor::Agent(_) => EndedBy::Agent,
        };
        self.end_by(ended_by, script, now_ms);
    }

    fn end_by(&mut self, ended_by: EndedBy, script: &dyn Script<B>, now_ms: u64) {
        if self.state.status == Status::Finished {
            return;
        }
        self.push(Author::System, None, script.notice(&self.state, Notice::ChatEnded), now_ms);
        self.state.status = Status::Finished;
        self.state.ended_at_ms = Some(now_ms);
        self.state.ended_by = Some(ended_by);
        self.state.agent_id = None;
        self.state.virtual_agent_id = None;
    }

    /// Carries out what the virtual agent does. What follows an escalation or an end is dropped: it is no longer its turn.
    fn perform(&mut self, acts: Vec<Act<B>>, script: &dyn Script<B>, now_ms: u64) {
        for act in acts {
            let Some(id) = self.state.virtual_agent_id else { return };
            match act {
                Act::Say(body) => {
                    self.push(Author::VirtualAgent(id), None, body, now_ms);
                }
                // Escalating cannot fail here: a virtual agent is in the chat.
                Act::Escalate => drop(self.escalate(script, now_ms)),
                Act::Finish => self.end_by(EndedBy::VirtualAgent, script, now_ms),
            }
        }
    }

    fn push(&mut self, author: Author, client_id: Option<String>, body: B, at_ms: u64) -> u64 {
        let index = self.state.last_index.saturating_add(1);
        self.state.last_index = index;
        self.messages.push(Message { index, author, client_id, at_ms, body });
        index
    }
}

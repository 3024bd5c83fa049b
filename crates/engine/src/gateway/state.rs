//! What a chat is, and how one command changes it. Pure functions on values: nothing here waits, stores or sends.

use std::collections::HashMap;

use wire::ErrorCode;

use super::check_in::{CheckIn, CheckInAnswer};
use super::post_session::{PostSession, PostSessionOffer, PostSessionStep};
use super::screen_share::{ScreenShare, ShareEnd, ShareStart, ShareStep};
use super::session::Limits;
use super::transfer::TransferTo;

/// Where a chat stands. The vendor's set is open (`ccaip.md` 11.1); these are the states the embedded platform reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// A virtual agent talks with the end user.
    VaAssigned,
    /// Waiting for an agent.
    Queued,
    /// An agent talks with the end user.
    Assigned,
    /// The end user fell silent and the agent was let go; the end user may come back.
    Dismissed,
    /// The end user fell silent and the virtual agent was let go; the end user may come back to it.
    VaDismissed,
    /// A check-in was missed: out of the queue until the end user rejoins it. The word is ours.
    CheckedOut,
    /// Over.
    Finished,
    /// Over without having been served: [`ChatState::fail_reason`] says why.
    Failed,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 8] = [
        Status::VaAssigned,
        Status::Queued,
        Status::Assigned,
        Status::Dismissed,
        Status::VaDismissed,
        Status::CheckedOut,
        Status::Finished,
        Status::Failed,
    ];

    /// Whether the chat has ended, well or badly.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Status::Finished | Status::Failed)
    }

    /// The word for it: the vendor's, where it is not ours.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::VaAssigned => "va_assigned",
            Status::Queued => "queued",
            Status::Assigned => "assigned",
            Status::Dismissed => "dismissed",
            Status::VaDismissed => "va_dismissed",
            Status::CheckedOut => "checked_out",
            Status::Finished => "finished",
            Status::Failed => "failed",
        }
    }

    /// The status with this word.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.as_str() == text)
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
    /// Nobody: the end user was silent for too long.
    Timeout,
    /// The platform: the chat failed.
    System,
}

impl EndedBy {
    /// The word the store keeps.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EndedBy::EndUser => "end_user",
            EndedBy::Agent => "agent",
            EndedBy::VirtualAgent => "virtual_agent",
            EndedBy::Timeout => "timeout",
            EndedBy::System => "system",
        }
    }

    /// The value with this word.
    #[must_use]
    pub fn from_text(text: &str) -> Option<EndedBy> {
        [EndedBy::EndUser, EndedBy::Agent, EndedBy::VirtualAgent, EndedBy::Timeout, EndedBy::System]
            .into_iter()
            .find(|ended_by| ended_by.as_str() == text)
    }
}

/// Why a chat failed (`ccaip.md` 11.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailReason {
    /// Nobody came while it waited.
    Expired,
}

impl FailReason {
    /// The vendor's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            FailReason::Expired => "expired",
        }
    }

    /// The reason with this word.
    #[must_use]
    pub fn from_text(text: &str) -> Option<FailReason> {
        [FailReason::Expired].into_iter().find(|reason| reason.as_str() == text)
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
    /// The virtual agent in the conversation, or in the post-session.
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
    /// Why it failed, where it did.
    pub fail_reason: Option<FailReason>,
    /// The end user dropped it: it is never offered as ongoing again.
    pub dropped: bool,
    /// The chat's own clock: when it last changed. No change and no message is stored with an earlier time, whatever the machine's clock
    /// says, so that a clock set back delays timers and never reorders times.
    pub updated_at_ms: u64,
    /// Since when the chat timeout runs: the opening, the entry into the queue, the assignment or the end user's newest message.
    pub active_at_ms: u64,
    /// The end user wrote since the chat was opened or last dismissed; without that it is not dismissed (again).
    pub end_user_wrote: bool,
    /// Since when the dismissal timer runs: the assigned agent's newest message, until the end user answers it.
    pub unanswered_since_ms: Option<u64>,
    /// When the end user is dismissed, as the warning said.
    pub dismiss_at_ms: Option<u64>,
    /// It waits before those who do not: the end user rejoined at the front.
    pub queue_front: bool,
    /// It was further behind in the queue than the place at which a check-in is asked for; reaching that place asks for one.
    pub queue_behind: bool,
    /// When the end user was last known to be there while waiting: the entry into the queue, or the newest check-in.
    pub seen_at_ms: Option<u64>,
    /// Since when the end user has every page of the chat hidden, as far as pages say so.
    pub hidden_since_ms: Option<u64>,
    /// The check-in that the end user has yet to answer.
    pub check_in: Option<CheckIn>,
    /// What follows the human part, where that has ended and something does.
    pub post_session: Option<PostSession>,
    /// The newest screen share, over or not.
    pub screen_share: Option<ScreenShare>,
    /// The index of the newest message, 0 for none.
    pub last_index: u64,
    /// Grows by 1 with each change.
    pub revision: u64,
}

impl ChatState {
    /// A chat that is about to be opened with [`open`]: queued, without messages, revision 0. The store gives it its number.
    #[must_use]
    pub fn new(end_user_id: u64, menu_id: u64, virtual_agent_id: Option<u64>, now_ms: u64) -> ChatState {
        ChatState {
            id: 0,
            end_user_id,
            menu_id,
            status: Status::Queued,
            agent_id: None,
            virtual_agent_id,
            all_agent_ids: Vec::new(),
            all_virtual_agent_ids: Vec::new(),
            created_at_ms: now_ms,
            queued_at_ms: None,
            assigned_at_ms: None,
            ended_at_ms: None,
            ended_by: None,
            fail_reason: None,
            dropped: false,
            updated_at_ms: now_ms,
            active_at_ms: now_ms,
            end_user_wrote: false,
            unanswered_since_ms: None,
            dismiss_at_ms: None,
            queue_front: false,
            queue_behind: false,
            seen_at_ms: None,
            hidden_since_ms: None,
            check_in: None,
            post_session: None,
            screen_share: None,
            last_index: 0,
            revision: 0,
        }
    }
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
    /// The same by someone who was told how long it takes and will wait.
    EscalateAnyway,
    /// An agent takes a queued chat.
    Accept,
    /// The agent hands the chat on.
    Transfer(TransferTo),
    /// The end user returns to a dismissed chat.
    Resume,
    /// The end user's page answers to a check-in.
    CheckIn(CheckInAnswer),
    /// The end user returns to the queue after a missed check-in.
    Rejoin,
    /// The end user's page moves the post-session on.
    PostSession(PostSessionStep),
    /// A step of a screen share.
    ScreenShare(ShareStep),
    /// End the chat, or what the end user has taken up after it.
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
    State(Box<ChatState>),
}

/// Something the platform tells both sides in the conversation (`ccaip.md` 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The virtual agent is handing over.
    EscalationStarted,
    /// Somebody hands out a form: its message follows.
    FormRequested,
    /// An agent accepted.
    EscalationAccepted,
    /// The agent handed the chat on.
    ChatTransferred(TransferTo),
    /// The end user is silent and will be dismissed at this time.
    DismissalWarning {
        /// When.
        dismiss_at_ms: u64,
    },
    /// The end user fell silent: the agent, or the virtual agent, was let go.
    ChatDismissed,
    /// The end user came back to a dismissed chat, or to the queue after a missed check-in.
    ChatResumed,
    /// The end user is to say that they still wait.
    CheckInRequired {
        /// How long they may take.
        timeout_ms: u64,
        /// Until when.
        expires_at_ms: u64,
    },
    /// The end user did not, and lost their place.
    CheckInTimedOut,
    /// The chat is over. The state that comes with it says by whom.
    ChatEnded,
    /// The virtual agent of the post-session takes over.
    PostSessionStarted,
    /// The post-session is over.
    PostSessionEnded,
    /// The agent asks the end user to share their screen. The agent says it.
    ShareRequestedByAgent,
    /// The end user wants to share their screen, and says it.
    ShareRequestedByEndUser,
    /// The end user has a code for the agent, and says it.
    ShareCodeGenerated,
    /// The agent sees the end user's page. The state that comes with it has the share.
    ShareStarted,
    /// The agent does not any more, or never came to. The state says why.
    ShareEnded,
    /// Nobody said yes in time, or it cannot be. The state says why.
    ShareFailed,
}

impl Notice {
    /// The `event` of the `noti` message. The vendor's words for transfer, warning, dismissal, return and
    /// post-session are unknown: those are ours.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Notice::EscalationStarted => "escalationStarted",
            Notice::FormRequested => "formRequested",
            Notice::EscalationAccepted => "escalationAccepted",
            Notice::ChatTransferred(_) => "chatTransferred",
            Notice::DismissalWarning { .. } => "dismissalWarning",
            Notice::ChatDismissed => "chatDismissed",
            Notice::ChatResumed => "chatResumed",
            Notice::CheckInRequired { .. } => "checkInRequired",
            Notice::CheckInTimedOut => "checkInTimedOut",
            Notice::ChatEnded => "chatEnded",
            Notice::PostSessionStarted => "postSessionStarted",
            Notice::PostSessionEnded => "postSessionEnded",
            Notice::ShareRequestedByAgent => "cobrowseRequestedFromAgent",
            Notice::ShareRequestedByEndUser => "cobrowseRequestedFromEndUser",
            Notice::ShareCodeGenerated => "cobrowseCodeGenerated",
            Notice::ShareStarted => "cobrowseStarted",
            Notice::ShareEnded => "cobrowseEnded",
            Notice::ShareFailed => "cobrowseFailed",
        }
    }
}

/// What a virtual agent does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act<B> {
    /// Write a message.
    Say(B),
    /// Hand over to the queue. After the human part nobody is there: the post-session ends.
    Escalate,
    /// End the chat, or the post-session where that is its part.
    Finish,
}

/// How long whoever asks for a person is ready to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// As long as the queue asks of anyone.
    Usual,
    /// As long as it takes.
    Endless,
}

/// The platform's own part in a chat: what the virtual agent answers and how notices read. Must be a pure function of its arguments, so
/// that a message and the answer to it are one transaction.
pub trait Script<B> {
    /// What the virtual agent does when a chat, or its post-session, opens.
    fn greet(&self, chat: &ChatState) -> Vec<Act<B>>;
    /// What the virtual agent does about a message of the end user.
    fn answer(&self, chat: &ChatState, body: &B) -> Vec<Act<B>>;
    /// Where nobody can be waited for, or for too long: the message that says so and what is offered instead. Its index will be
    /// `last_index + 1`. The chat then stays with its virtual agent.
    fn deflection(&self, _chat: &ChatState, _patience: Patience) -> Option<B> {
        None
    }
    /// Who talks with the end user after the human part of this chat; nobody by default.
    fn post_session(&self, _chat: &ChatState) -> Option<PostSessionOffer> {
        None
    }
    /// The message for a notice.
    fn notice(&self, chat: &ChatState, notice: Notice) -> B;
    /// The message for the notice of a share that the end user began, with what it was begun with.
    fn share_started(&self, chat: &ChatState, notice: Notice, _start: &ShareStart) -> B {
        self.notice(chat, notice)
    }
    /// Whether a message hands out a form: a notice then goes before it.
    fn hands_out_form(&self, _body: &B) -> bool {
        false
    }
    /// A message that names its own place in the chat; the same message where it does not.
    fn placed(&self, body: B, _index: u64) -> B {
        body
    }
}

/// Who sent under which idempotency key: keys of different authors never meet.
pub type SentKey = (Author, String);

/// Opens a chat that [`ChatState::new`] made: its first change, with the virtual agent's greeting where it has one.
pub fn open<B: Clone>(state: ChatState, script: &dyn Script<B>, now_ms: u64) -> Change<B> {
    let mut draft = Draft::new(state, Limits::default(), now_ms);
    if let Some(id) = draft.state.virtual_agent_id {
        draft.state.status = Status::VaAssigned;
        draft.state.all_virtual_agent_ids = vec![id];
        let acts = script.greet(&draft.state);
        draft.perform(acts, script);
    } else {
        draft.enter_queue();
    }
    draft.finish()
}

/// A change in the making.
pub(super) struct Draft<B> {
    pub(super) state: ChatState,
    messages: Vec<Message<B>>,
    before: ChatState,
    pub(super) limits: Limits,
    /// The time of the change, on the chat's own clock.
    pub(super) now_ms: u64,
}

impl<B: Clone> Draft<B> {
    pub(super) fn new(state: ChatState, limits: Limits, now_ms: u64) -> Self {
        let now_ms = now_ms.max(state.updated_at_ms);
        Draft { before: state.clone(), state, messages: Vec::new(), limits, now_ms }
    }

    /// Whether anything is different from the state before.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.state == self.before
    }

    pub(super) fn finish(mut self) -> Change<B> {
        self.state.revision = self.before.revision.saturating_add(1);
        self.state.updated_at_ms = self.now_ms;
        Change { state: self.state, messages: self.messages }
    }

    /// Carries out one command, or says why not and changes nothing, but for a wrong code, which is counted. `sent` holds the keys that are durable.
    pub(super) fn apply(
        &mut self,
        actor: Actor,
        command: &Command<B>,
        sent: &HashMap<SentKey, (u64, u64)>,
        script: &dyn Script<B>,
    ) -> Result<Done, ErrorCode> {
        self.admit(actor, command)?;
        match command {
            Command::Send { client_id, body } => return self.send(actor, client_id, body, sent, script),
            Command::Escalate => self.escalate(Patience::Usual, script)?,
            Command::EscalateAnyway => self.escalate(Patience::Endless, script)?,
            Command::Accept => self.accept(actor, script)?,
            Command::Transfer(to) => self.transfer(actor, *to, script)?,
            Command::Resume => self.resume(script)?,
            Command::CheckIn(answer) => self.check_in(*answer)?,
            Command::Rejoin => self.rejoin(script)?,
            Command::PostSession(step) => self.step_post_session(*step, script)?,
            Command::ScreenShare(step) => self.step_share(actor, step, sent, script)?,
            Command::Finish => self.end(actor, script)?,
            Command::Drop => {
                self.end(actor, script)?;
                self.end_post_session(script);
                self.state.dropped = true;
            }
        }
        Ok(Done::State(Box::new(self.state.clone())))
    }

    /// Whether this actor may ask this of this chat at all.
    fn admit(&self, actor: Actor, command: &Command<B>) -> Result<(), ErrorCode> {
        let allowed = match (actor, command) {
            (Actor::EndUser(_), Command::Accept | Command::Transfer(_)) => false,
            (Actor::EndUser(id), Command::ScreenShare(step)) => id == self.state.end_user_id && step.is_of_end_user(),
            (Actor::EndUser(id), _) => id == self.state.end_user_id,
            (Actor::Agent(_), Command::Accept) => true,
            (Actor::Agent(_), Command::Escalate | Command::EscalateAnyway) => false,
            (Actor::Agent(_), Command::Resume | Command::CheckIn(_) | Command::Rejoin) => false,
            (Actor::Agent(_), Command::PostSession(_) | Command::Drop) => false,
            (Actor::Agent(_), Command::ScreenShare(step)) => !step.is_of_end_user(),
            (Actor::Agent(id), Command::Send { .. } | Command::Transfer(_) | Command::Finish) => self.has_served(id),
        };
        if allowed { Ok(()) } else { Err(ErrorCode::Forbidden) }
    }

    pub(super) fn has_served(&self, agent_id: u64) -> bool {
        self.state.all_agent_ids.contains(&agent_id)
    }

    /// Whether this is someone who can act in the chat as it stands: an agent who was let go cannot.
    pub(super) fn takes_part(&self, actor: Actor) -> bool {
        match actor {
            Actor::EndUser(_) => true,
            Actor::Agent(id) if planted!("planted-let-go-agent-writes") => self.has_served(id),
            Actor::Agent(id) => self.state.agent_id == Some(id),
        }
    }

    fn send(
        &mut self,
        actor: Actor,
        client_id: &str,
        body: &B,
        sent: &HashMap<SentKey, (u64, u64)>,
        script: &dyn Script<B>,
    ) -> Result<Done, ErrorCode> {
        let author = Author::from(actor);
        // A retry is answered even after the end of the chat, and never brings a dismissed one back: the message it repeats was stored
        // before that.
        if let Some((index, at_ms)) = sent.get(&(author, client_id.to_owned())) {
            return Ok(Done::Sent { index: *index, at_ms: *at_ms, duplicate: true });
        }
        let earlier = self.messages.iter().find(|m| m.author == author && m.client_id.as_deref() == Some(client_id));
        if let Some(message) = earlier {
            return Ok(Done::Sent { index: message.index, at_ms: message.at_ms, duplicate: true });
        }
        if self.state.status.is_over() {
            return match actor {
                Actor::EndUser(_) => self.send_in_post_session(author, client_id, body, script),
                Actor::Agent(_) => Err(ErrorCode::ChatEnded),
            };
        }
        if !self.takes_part(actor) {
            return Err(ErrorCode::Conflict);
        }
        if planted!("planted-dismissed-drops-message") && self.state.status == Status::Dismissed {
            self.resume(script)?;
            return Ok(Done::Sent { index: self.state.last_index, at_ms: self.now_ms, duplicate: false });
        }
        let index = self.say(author, Some(client_id.to_owned()), body.clone(), script);
        match actor {
            Actor::Agent(_) => {
                self.state.unanswered_since_ms = self.state.end_user_wrote.then_some(self.now_ms);
                self.state.dismiss_at_ms = None;
            }
            Actor::EndUser(_) => {
                self.state.active_at_ms = self.now_ms;
                self.state.end_user_wrote = true;
                self.state.unanswered_since_ms = None;
                self.state.dismiss_at_ms = None;
                if matches!(self.state.status, Status::Dismissed | Status::VaDismissed) {
                    self.resume(script)?;
                }
                if self.state.status == Status::VaAssigned {
                    let acts = script.answer(&self.state, body);
                    self.perform(acts, script);
                }
            }
        }
        Ok(Done::Sent { index, at_ms: self.now_ms, duplicate: false })
    }

    fn escalate(&mut self, patience: Patience, script: &dyn Script<B>) -> Result<(), ErrorCode> {
        match self.state.status {
            Status::Finished | Status::Failed => return Err(ErrorCode::ChatEnded),
            Status::Queued | Status::Assigned => {}
            Status::Dismissed => self.resume(script)?,
            Status::CheckedOut => self.rejoin(script)?,
            // Its virtual agent is back first: where the escalation is deflected, the chat stays with it.
            Status::VaDismissed => {
                self.resume(script)?;
                return self.escalate(patience, script);
            }
            Status::VaAssigned => match script.deflection(&self.state, patience) {
                // The chat stays with its virtual agent.
                Some(body) => drop(self.push(Author::System, None, body)),
                None => {
                    self.notify(Notice::EscalationStarted, script);
                    self.enter_queue();
                }
            },
        }
        Ok(())
    }

    /// A dismissed end user comes back: to the queue, or to the virtual agent that was let go.
    fn resume(&mut self, script: &dyn Script<B>) -> Result<(), ErrorCode> {
        match (self.state.status, self.state.all_virtual_agent_ids.last().copied()) {
            (Status::VaDismissed, Some(id)) => {
                self.state.status = Status::VaAssigned;
                self.state.virtual_agent_id = Some(id);
                self.state.active_at_ms = self.now_ms;
            }
            (Status::Dismissed | Status::VaDismissed, _) => self.enter_queue(),
            _ => return Err(ErrorCode::Conflict),
        }
        self.notify(Notice::ChatResumed, script);
        Ok(())
    }

    /// Waiting is not silence: the timeout starts anew.
    pub(super) fn enter_queue(&mut self) {
        self.leave(Status::Queued);
        self.state.queued_at_ms = Some(self.now_ms);
        self.state.seen_at_ms = Some(self.now_ms);
        self.state.active_at_ms = self.now_ms;
    }

    /// Leaves where the chat stood, with whoever it had and every timer that belongs there.
    pub(super) fn leave(&mut self, to: Status) {
        self.state.status = to;
        self.state.agent_id = None;
        self.state.virtual_agent_id = None;
        self.state.unanswered_since_ms = None;
        self.state.dismiss_at_ms = None;
        self.state.queue_front = false;
        self.state.queue_behind = false;
        self.state.check_in = None;
    }

    /// An agent has the chat from now on.
    pub(super) fn assign(&mut self, agent_id: u64) {
        self.leave(Status::Assigned);
        self.state.agent_id = Some(agent_id);
        self.state.assigned_at_ms = Some(self.now_ms);
        self.state.active_at_ms = self.now_ms;
        if !self.has_served(agent_id) {
            self.state.all_agent_ids.push(agent_id);
        }
    }

    fn accept(&mut self, actor: Actor, script: &dyn Script<B>) -> Result<(), ErrorCode> {
        let Actor::Agent(agent_id) = actor else { return Err(ErrorCode::Forbidden) };
        match self.state.status {
            Status::Assigned if self.state.agent_id == Some(agent_id) => Ok(()),
            Status::Queued => {
                self.assign(agent_id);
                self.notify(Notice::EscalationAccepted, script);
                Ok(())
            }
            status if status.is_over() => Err(ErrorCode::ChatEnded),
            _ => Err(ErrorCode::Conflict),
        }
    }

    fn end(&mut self, actor: Actor, script: &dyn Script<B>) -> Result<(), ErrorCode> {
        if self.state.status.is_over() {
            // What was only offered stays so: the command may be a repetition of the one that ended the chat.
            if matches!(actor, Actor::EndUser(_)) && self.state.post_session.is_some_and(|part| part.is_taken_up()) {
                self.end_post_session(script);
            }
            return Ok(());
        }
        if !self.takes_part(actor) {
            return Err(ErrorCode::Conflict);
        }
        let ended_by = match actor {
            Actor::EndUser(_) => EndedBy::EndUser,
            Actor::Agent(_) => EndedBy::Agent,
        };
        self.end_by(ended_by, script);
        Ok(())
    }

    pub(super) fn end_by(&mut self, ended_by: EndedBy, script: &dyn Script<B>) {
        if self.state.status.is_over() {
            return;
        }
        self.end_share(ShareEnd::ChatEnded, script);
        self.leave(if self.state.fail_reason.is_some() { Status::Failed } else { Status::Finished });
        self.state.ended_at_ms = Some(self.now_ms);
        self.state.ended_by = Some(ended_by);
        self.offer_post_session(ended_by, script);
        self.notify(Notice::ChatEnded, script);
    }

    /// Ends a chat that nobody served.
    pub(super) fn fail(&mut self, reason: FailReason, script: &dyn Script<B>) {
        if !self.state.status.is_over() {
            self.state.fail_reason = Some(reason);
            self.end_by(EndedBy::System, script);
        }
    }

    /// Carries out what the virtual agent does. What follows an escalation or an end is dropped: it is no longer its turn.
    pub(super) fn perform(&mut self, acts: Vec<Act<B>>, script: &dyn Script<B>) {
        for act in acts {
            let Some(id) = self.state.virtual_agent_id else { return };
            match act {
                Act::Say(body) => {
                    self.say(Author::VirtualAgent(id), None, body, script);
                }
                Act::Escalate | Act::Finish if self.state.status.is_over() => self.end_post_session(script),
                // Escalating cannot fail here: a virtual agent is in the chat.
                Act::Escalate => drop(self.escalate(Patience::Usual, script)),
                Act::Finish => self.end_by(EndedBy::VirtualAgent, script),
            }
        }
    }

    /// What someone says, after what the platform says before it.
    pub(super) fn say(&mut self, author: Author, client_id: Option<String>, body: B, script: &dyn Script<B>) -> u64 {
        if script.hands_out_form(&body) {
            self.notify(Notice::FormRequested, script);
        }
        let index = self.state.last_index.saturating_add(1);
        self.push(author, client_id, script.placed(body, index))
    }

    pub(super) fn notify(&mut self, notice: Notice, script: &dyn Script<B>) {
        let body = script.notice(&self.state, notice);
        self.push(Author::System, None, body);
    }

    /// Whether this change writes a message with such a key.
    pub(super) fn has_sent(&self, key: &SentKey) -> bool {
        let (author, client_id) = key;
        self.messages.iter().any(|m| m.author == *author && m.client_id.as_deref() == Some(client_id))
    }

    pub(super) fn push(&mut self, author: Author, client_id: Option<String>, body: B) -> u64 {
        let index = self.state.last_index.saturating_add(1);
        self.state.last_index = index;
        self.messages.push(Message { index, author, client_id, at_ms: self.now_ms, body });
        index
    }
}

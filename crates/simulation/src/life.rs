//! The lives of chats: what each durable change means for where a chat is and who may write in it, told from the conversation alone and
//! compared with the stored state. Counts the turns that lives take, so that a run shows that it had them.

use engine::gateway::{Author, Change, ChatState, Message, PostSession, PostSessionStatus, Status};
use serde_json::Value;
use store::MessageBody;

macro_rules! turns {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        /// A turn in the life of a chat.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Turn {
            $($(#[$doc])* $name,)+
        }

        impl Turn {
            /// Every kind.
            pub const ALL: &'static [Turn] = &[$(Turn::$name),+];

            /// Its name in reports.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Turn::$name => $text,)+
                }
            }
        }
    };
}

turns! {
    /// A virtual agent hands over.
    Escalated = "escalated";
    /// An agent takes it.
    Accepted = "accepted";
    /// An agent hands it to a colleague.
    ToAgent = "transferred to an agent";
    /// An agent hands it to a queue.
    ToQueue = "transferred to a queue";
    /// A silent end user is warned.
    Warned = "warned of the dismissal";
    /// The agent of a silent end user is let go.
    Dismissed = "dismissed";
    /// The same of a virtual agent.
    VaDismissed = "dismissed by the virtual agent";
    /// A dismissed end user comes back to the queue.
    Resumed = "resumed";
    /// A dismissed end user comes back to the virtual agent.
    VaResumed = "resumed with the virtual agent";
    /// Whoever waits is asked for a sign of life.
    Asked = "asked to check in";
    /// The page shows the prompt.
    Notified = "prompt shown";
    /// The end user is there.
    CheckedIn = "checked in";
    /// The end user is not.
    CheckedOut = "checked out";
    /// The end user comes back to the end of the queue.
    Rejoined = "rejoined at the back";
    /// Or to its front.
    RejoinedFirst = "rejoined at the front";
    /// Nobody came.
    Failed = "failed in the queue";
    /// The end user was silent for too long.
    TimedOut = "timed out";
    /// Somebody ended it.
    Finished = "finished";
    /// The end user's page takes up what follows.
    PostSessionReady = "ready for the post-session";
    /// Its virtual agent takes over.
    PostSessionStarted = "post-session started";
    /// The end user puts it aside.
    PutAside = "post-session put aside";
    /// It is over.
    PostSessionEnded = "post-session ended";
    /// The end user does not want it, or does not answer.
    NotTakenUp = "post-session not taken up";
    /// An agent who was let go tries to write.
    WroteTooLate = "refused to an agent who was let go";
}

/// How often each turn was taken.
#[derive(Clone)]
pub struct Turns(Vec<u64>);

impl Default for Turns {
    fn default() -> Self {
        Turns(vec![0; Turn::ALL.len()])
    }
}

impl Turns {
    /// It was taken.
    pub(crate) fn count(&mut self, turn: Turn) {
        if let Some(count) = self.0.get_mut(turn as usize) {
            *count += 1;
        }
    }

    /// How often it was taken.
    #[must_use]
    pub fn of(&self, turn: Turn) -> u64 {
        self.0.get(turn as usize).copied().unwrap_or(0)
    }

    /// Adds what another run counted.
    pub fn add(&mut self, other: &Turns) {
        for (count, more) in self.0.iter_mut().zip(&other.0) {
            *count += more;
        }
    }
}

/// Where a chat is, as its conversation tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    status: Status,
    agent: Option<u64>,
}

impl Place {
    fn of(state: &ChatState) -> Place {
        Place { status: state.status, agent: state.agent_id }
    }
}

/// A notice, with the state that the script of this world writes into it.
struct Notice {
    event: String,
    place: Place,
}

fn notice_in(message: &Message<MessageBody>) -> Option<Notice> {
    let body: Value = serde_json::from_str(message.body.json()).ok()?;
    if message.author != Author::System {
        return None;
    }
    let place = Place { status: Status::from_text(body.get("status")?.as_str()?)?, agent: body.get("agent")?.as_u64() };
    Some(Notice { event: body.get("event")?.as_str()?.to_owned(), place })
}

/// Checks a change that became durable on top of `before`, and counts its turns. The conversation must tell the whole way from one state
/// to the other, whoever writes must have the chat at that moment, and a chat is in exactly one place.
pub(crate) fn follow(before: &ChatState, change: &Change<MessageBody>, turns: &mut Turns) -> Result<(), String> {
    let after = &change.state;
    in_one_place(after)?;
    let mut now = Place::of(before);
    let mut is_followed = before.post_session.is_some_and(|part| part.is_open());
    for message in &change.messages {
        match (message.author, notice_in(message)) {
            (_, Some(notice)) if notice.event == "postSessionStarted" => {
                if is_followed || !now.status.is_over() || after.all_agent_ids.is_empty() {
                    return Err(format!("a post-session starts in a chat of {now:?}"));
                }
                is_followed = true;
                turns.count(Turn::PostSessionStarted);
            }
            (_, Some(notice)) if notice.event == "postSessionEnded" => {
                if !std::mem::take(&mut is_followed) {
                    return Err(format!("no post-session ends in a chat of {now:?}"));
                }
                turns.count(Turn::PostSessionEnded);
            }
            (_, Some(notice)) => {
                if now.status.is_over() {
                    return Err(format!("{} follows the end", notice.event));
                }
                let next = match notice.event.as_str() {
                    // Said while the virtual agent still has the chat.
                    "escalationStarted" => Place { status: Status::Queued, agent: None },
                    _ => notice.place,
                };
                if let Some(turn) = turn(&notice.event, now.status, next.status, after)? {
                    turns.count(turn);
                }
                now = next;
            }
            (Author::Agent(id), _) if now.agent != Some(id) => {
                return Err(format!("agent {id} writes in a chat of {now:?}"));
            }
            (Author::VirtualAgent(8) | Author::EndUser(_), _) if is_followed => {}
            (Author::VirtualAgent(id), _) if now.status != Status::VaAssigned || id == 8 => {
                return Err(format!("a virtual agent writes in a chat of {now:?}"));
            }
            (author, _) if now.status.is_over() => return Err(format!("{author:?} writes in a chat that is over")),
            _ => {}
        }
    }
    if now != Place::of(after) {
        return Err(format!("the conversation ends at {now:?} and the chat is at {:?}", Place::of(after)));
    }
    if is_followed != after.post_session.is_some_and(|part| part.is_open()) {
        return Err(format!("the conversation and the chat differ in the post-session: {:?}", after.post_session));
    }
    count_steps(before, after, turns)?;
    if let (Some(asked), Status::Queued) = (before.check_in, after.status)
        && change.messages.iter().all(|message| notice_in(message).is_none())
    {
        match after.check_in {
            None => turns.count(Turn::CheckedIn),
            Some(still) if still.notified && !asked.notified => turns.count(Turn::Notified),
            Some(_) => {}
        }
    }
    Ok(())
}

/// The steps of a post-session that nobody says anything about. It never goes back, and what is over stays so.
fn count_steps(before: &ChatState, after: &ChatState, turns: &mut Turns) -> Result<(), String> {
    use PostSessionStatus::{Finished, InProgress, Offered, Ready, Waiting};
    let step = |state: &ChatState| state.post_session.map(|part| part.status);
    match (step(before), step(after)) {
        (None, None | Some(Offered)) => {}
        (from, to) if from == to => {}
        (None | Some(Offered), Some(Ready)) => turns.count(Turn::PostSessionReady),
        (Some(InProgress), Some(Waiting)) => turns.count(Turn::PutAside),
        (_, Some(Finished)) if after.post_session.is_some_and(|part| part.started_after.is_none()) => {
            turns.count(Turn::NotTakenUp);
        }
        (_, Some(Finished)) | (None | Some(Offered | Ready | Waiting), Some(InProgress | Waiting)) => {}
        (from, to) => return Err(format!("a post-session goes from {from:?} to {to:?}")),
    }
    let may_run = |part: &PostSession| !part.offer.opt_in_required || part.opted_in == Some(true);
    match after.post_session.filter(|part| part.started_after.is_some()) {
        Some(part) if !may_run(&part) => Err("a post-session runs that the end user did not choose".to_owned()),
        _ => Ok(()),
    }
}

/// The turn that a notice tells of; an error where it leads nowhere.
fn turn(event: &str, from: Status, to: Status, after: &ChatState) -> Result<Option<Turn>, String> {
    use Status::{Assigned, CheckedOut, Dismissed, Failed, Finished, Queued, VaAssigned, VaDismissed};
    let turn = match (event, from, to) {
        ("escalationStarted", VaAssigned, Queued) => Turn::Escalated,
        ("escalationAccepted", Queued, Assigned) => Turn::Accepted,
        ("chatTransferred", Assigned, Assigned) => Turn::ToAgent,
        ("chatTransferred", Assigned, Queued) => Turn::ToQueue,
        ("dismissalWarning", Assigned, Assigned) => Turn::Warned,
        ("chatDismissed", Assigned, Dismissed) => Turn::Dismissed,
        ("chatDismissed", VaAssigned, VaDismissed) => Turn::VaDismissed,
        ("chatResumed", Dismissed, Queued) => Turn::Resumed,
        ("chatResumed", VaDismissed, VaAssigned) => Turn::VaResumed,
        ("chatResumed", CheckedOut, Queued) if after.queue_front => Turn::RejoinedFirst,
        ("chatResumed", CheckedOut, Queued) => Turn::Rejoined,
        ("checkInRequired", Queued, Queued) => Turn::Asked,
        ("checkInTimedOut", Queued, CheckedOut) => Turn::CheckedOut,
        ("chatEnded", Queued, Failed) => Turn::Failed,
        ("chatEnded", _, Finished) if after.ended_by == Some(engine::gateway::EndedBy::Timeout) => Turn::TimedOut,
        ("chatEnded", _, Finished) => Turn::Finished,
        _ => return Err(format!("{event} leads from {from:?} to {to:?}")),
    };
    Ok(Some(turn))
}

/// A chat is in exactly one place, and nothing of another one is left.
fn in_one_place(state: &ChatState) -> Result<(), String> {
    let is = |status: Status| state.status == status;
    let is_followed = state.post_session.is_some_and(|part| part.is_open());
    let sound = state.agent_id.is_some() == is(Status::Assigned)
        && state.virtual_agent_id.is_some() == (is(Status::VaAssigned) || is_followed)
        && (state.post_session.is_none() || state.status.is_over())
        && state.ended_at_ms.is_some() == state.status.is_over()
        && state.fail_reason.is_some() == is(Status::Failed)
        && (is(Status::Queued) || (state.check_in.is_none() && !state.queue_front && !state.queue_behind))
        && (is(Status::Assigned) || (state.dismiss_at_ms.is_none() && state.unanswered_since_ms.is_none()))
        && state.agent_id.is_none_or(|id| state.all_agent_ids.contains(&id));
    if sound { Ok(()) } else { Err(format!("chat {} is in two places: {state:?}", state.id)) }
}

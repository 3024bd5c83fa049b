//! Who lives in the world: customers, who talk, read, reload and leave, and agents, who accept chats and answer. Agents speak to the gateway
//! directly and repeat what was not answered, under the same idempotency key, as the desk does.

use engine::client::{Call, Input};
use engine::gateway::{Actor, Author, Command, Done, PostSessionStatus, Status, TransferTo};
use store::MessageBody;
use wire::ErrorCode;

use crate::browser::{Op, Profile, Tab, Wish};
use crate::chats::{AnswerTo, Mail};
use crate::faults::Fault;
use crate::ledger::{Sender, Tag, text_of};
use crate::life::Turn;
use crate::locks::Locks;
use crate::random::Random;
use crate::world::{Happening, World};

const AGENTS: u64 = 2;
/// How long an agent waits for an answer before repeating a call.
const AGENT_PATIENCE_MS: u64 = 3_000;

/// A call of an agent that is not answered.
#[derive(Clone)]
struct AgentCall {
    number: u64,
    chat_id: u64,
    command: Command<MessageBody>,
    tag: Option<Tag>,
}

pub(crate) struct People {
    /// What each agent waits for: one call at a time.
    calls: Vec<Option<AgentCall>>,
    last_call: u64,
    customer_pause_ms: u64,
    agent_pause_ms: u64,
}

impl People {
    pub(crate) fn new(random: &mut Random) -> Self {
        People {
            calls: (0..AGENTS).map(|_| None).collect(),
            last_call: 0,
            customer_pause_ms: random.between(200, 6_000),
            // In some worlds one waits for long.
            agent_pause_ms: if random.one_in(3) { random.between(10_000, 60_000) } else { random.between(300, 6_000) },
        }
    }

    /// Nobody answers any more: each call is repeated when its patience is over.
    pub(crate) fn agents_lost_the_gateway(&mut self) {}

    pub(crate) fn agents_wait(&self) -> bool {
        self.calls.iter().any(Option::is_some)
    }
}

impl World {
    /// Fills the world and sets it going.
    pub(crate) fn populate(&mut self) {
        let profiles = *[1, 1, 2, 2, 3].get(self.random.position(5)).unwrap_or(&1);
        for profile in 0..profiles {
            let identifier = match self.random.below(4) {
                0 => String::new(),
                // The same person with two browsers.
                1 => "uma".to_owned(),
                _ => format!("customer {profile}"),
            };
            self.profiles.push(Profile::new(identifier));
            if self.random.one_in(8) {
                self.count(Fault::NoLocks);
                self.profiles[profile].locks = Locks::absent();
            }
            let tabs = *[1, 1, 2, 3].get(self.random.position(4)).unwrap_or(&1);
            for _ in 0..tabs {
                self.tabs.push(Tab::new(profile));
                let tab = self.tabs.len() - 1;
                let ms = self.random.below(3_000);
                self.later(ms, Happening::OpenTab { tab });
            }
            let ms = self.random.below(1_000);
            self.later(ms, Happening::Customer { profile });
        }
        for agent in 0..AGENTS {
            let ms = self.random.between(1_000, 5_000);
            self.later(ms, Happening::Agent { agent });
        }
        self.later(500, Happening::Gust);
        self.later(1, Happening::TimersWatched { life: 0 });
        self.later(1, Happening::PlacesWatched { life: 0 });
    }

    pub(crate) fn customer_acts(&mut self, profile: usize) {
        if !self.storming {
            return;
        }
        let ms = self.random.between(50, self.people.customer_pause_ms);
        self.later(ms, Happening::Customer { profile });
        let awake: Vec<usize> = (0..self.tabs.len())
            .filter(|tab| self.tabs[*tab].profile == profile && self.tabs[*tab].is_awake())
            .collect();
        if awake.is_empty() {
            return;
        }
        let tab = awake[self.random.position(awake.len())];
        if self.tabs[tab].view.chat.is_none() || (self.tabs[tab].view.ended && self.random.one_in(4)) {
            return self.find_chat(tab);
        }
        if let Some(wish) = self.wish_of(tab)
            && !self.random.one_in(4)
        {
            return self.call(tab, Op::Wait(wish), Call::Planned { is_patient: false });
        }
        match self.random.below(100) {
            0..=59 => self.talk(tab),
            60..=69 => self.fetch(tab),
            70..=73 => {
                let (page, typing) = (self.tabs[tab].page, self.random.one_in(2));
                self.tell_page(tab, page, Input::Typing(typing));
            }
            74..=77 => self.call(tab, Op::Load, Call::LoadOngoingChat),
            78..=80 => {
                let page = self.tabs[tab].page;
                self.tell_page(tab, page, Input::Detach);
                self.call(tab, Op::Load, Call::LoadOngoingChat);
            }
            81..=84 => self.abort_something(tab),
            85..=87 => {
                let page = self.tabs[tab].page;
                self.tell_page(tab, page, Input::MarkRead);
            }
            88..=91 => self.call(tab, Op::Other, Call::Escalate { request: None }),
            94..=96 => {
                if let Some(chat_id) = self.tabs[tab].view.chat {
                    self.call(tab, Op::Load, Call::ResumeChat { chat_id });
                }
            }
            92 => self.call(tab, Op::Other, Call::FinishChat),
            93 if self.random.one_in(3) => self.call(tab, Op::Other, Call::DestroyChat),
            _ => {}
        }
    }

    /// What someone who waits has to say, where anything is asked.
    fn wish_of(&mut self, tab: usize) -> Option<Wish> {
        let chat_id = self.tabs[tab].view.chat?;
        let state = self.ledger.chats.get(&chat_id).map(|truth| &truth.state)?;
        if let Some(part) = state.post_session {
            // Most go on to the end, a few decline, and now and then somebody asks for what is not the next step.
            let declines = self.random.one_in(8);
            return match part.status {
                PostSessionStatus::Offered => Some(Wish::Follow(PostSessionStatus::Ready, Some(!declines))),
                PostSessionStatus::Ready => Some(Wish::Follow(PostSessionStatus::InProgress, None)),
                _ => {
                    let to = PostSessionStatus::ALL[self.random.position(5)];
                    (self.random.one_in(3) && to != PostSessionStatus::Offered).then_some(Wish::Follow(to, None))
                }
            };
        }
        match (state.status, state.check_in) {
            (Status::CheckedOut, _) => Some(Wish::Rejoin),
            (Status::Queued, Some(check_in)) if !check_in.notified => Some(Wish::Notify),
            (Status::Queued, Some(_)) => Some(Wish::CheckIn),
            // Now and then somebody says it unasked.
            _ => self.random.one_in(200).then_some(Wish::CheckIn),
        }
    }

    /// A text, or a few in one breath.
    fn talk(&mut self, tab: usize) {
        let texts = if self.random.one_in(4) { self.random.between(2, 5) } else { 1 };
        for _ in 0..texts {
            if self.tabs[tab].end_user.is_some() {
                self.say(tab);
            }
        }
        if self.random.one_in(10) {
            self.abort_something(tab);
        }
    }

    pub(crate) fn fetch(&mut self, tab: usize) {
        let next = self.tabs[tab].view.next.unwrap_or(0);
        self.call(tab, Op::Fetch(next), Call::FetchMessages);
    }

    /// Joins the ongoing chat, or asks for one.
    pub(crate) fn find_chat(&mut self, tab: usize) {
        if self.tabs[tab].ops.values().any(|op| matches!(op, Op::Create | Op::Load)) {
            return;
        }
        let end_user = self.tabs[tab].end_user;
        let is_ongoing =
            |truth: &crate::ledger::Truth| Some(truth.state.end_user_id) == end_user && truth.state.is_ongoing();
        let creations = &mut self.profiles[self.tabs[tab].profile].creations;
        if self.ledger.chats.values().any(is_ongoing) || *creations >= 4 {
            return self.call(tab, Op::Load, Call::LoadOngoingChat);
        }
        *creations += 1;
        let menu_id = self.random.between(1, 2);
        self.call(tab, Op::Create, Call::CreateChat { menu_id, chat: None });
    }

    fn abort_something(&mut self, tab: usize) {
        let ops: Vec<u32> = self.tabs[tab].ops.keys().copied().collect();
        if ops.is_empty() {
            return;
        }
        let op = ops[self.random.position(ops.len())];
        self.count(Fault::CallAborted);
        let page = self.tabs[tab].page;
        self.tell_page(tab, page, Input::Abort { op });
    }

    pub(crate) fn agent_acts(&mut self, agent: u64) {
        if !self.storming {
            return;
        }
        let ms = self.random.between(100, self.people.agent_pause_ms);
        self.later(ms, Happening::Agent { agent });
        let id = agent + 1;
        if self.random.one_in(15) && self.people.calls[agent as usize].is_none() {
            // Somebody who was let go does not know it yet.
            let former = self.ledger.chats.values().find(|truth| {
                let state = &truth.state;
                !state.status.is_over() && state.agent_id != Some(id) && state.all_agent_ids.contains(&id)
            });
            if let Some(chat_id) = former.map(|truth| truth.state.id) {
                return self.agent_says(agent, chat_id);
            }
        }
        let chats = self.ledger.chats.values();
        let candidates: Vec<(u64, Status)> = chats
            .filter(|truth| match truth.state.status {
                Status::Queued => true,
                Status::Assigned => truth.state.agent_id == Some(id),
                _ => false,
            })
            .map(|truth| (truth.state.id, truth.state.status))
            .collect();
        if candidates.is_empty() || self.people.calls[agent as usize].is_some() {
            return;
        }
        let (chat_id, status) = candidates[self.random.position(candidates.len())];
        if status == Status::Queued {
            self.agent_calls(agent, chat_id, Command::Accept, None);
        } else if self.random.one_in(40) {
            self.agent_calls(agent, chat_id, Command::Finish, None);
        } else if self.random.one_in(12) {
            let colleague = (agent + 1) % AGENTS + 1;
            let to = match self.random.below(3) {
                0 => TransferTo::Agent(colleague),
                queue => TransferTo::Queue(queue),
            };
            self.agent_calls(agent, chat_id, Command::Transfer(to), None);
        } else {
            self.agent_says(agent, chat_id);
        }
    }

    /// An agent sends a text.
    pub(crate) fn agent_says(&mut self, agent: u64, chat_id: u64) {
        let id = agent + 1;
        let tag = self.ledger.ask(Sender::Agent(id), Author::Agent(id));
        let client_id = format!("agent-{tag}");
        self.ledger.name(tag, &client_id);
        let text = serde_json::json!({ "type": "text", "content": text_of(tag) });
        let body = MessageBody::from_stored(text.to_string());
        self.agent_calls(agent, chat_id, Command::Send { client_id, body }, Some(tag));
    }

    fn agent_calls(&mut self, agent: u64, chat_id: u64, command: Command<MessageBody>, tag: Option<Tag>) {
        self.people.last_call += 1;
        let number = self.people.last_call;
        self.people.calls[agent as usize] = Some(AgentCall { number, chat_id, command, tag });
        self.try_agent_call(agent);
    }

    fn try_agent_call(&mut self, agent: u64) {
        let Some(call) = self.people.calls[agent as usize].clone() else { return };
        let number = call.number;
        self.later(AGENT_PATIENCE_MS, Happening::AgentRepeats { agent, call: number });
        if self.gateway.listens {
            let mail = Mail::Command {
                actor: Actor::Agent(agent + 1),
                command: call.command,
                answer_to: AnswerTo::Agent(agent, number),
            };
            self.post_to_chat(call.chat_id, mail);
        }
    }

    pub(crate) fn agent_repeats(&mut self, agent: u64, call: u64) {
        let is_waiting = self.people.calls[agent as usize].as_ref().is_some_and(|waiting| waiting.number == call);
        if is_waiting {
            self.try_agent_call(agent);
        }
    }

    pub(crate) fn agent_answered(&mut self, agent: u64, call: u64, result: Result<Done, ErrorCode>) {
        let is_waiting = self.people.calls[agent as usize].as_ref().is_some_and(|waiting| waiting.number == call);
        if !is_waiting || matches!(result, Err(ErrorCode::Unavailable)) {
            return;
        }
        let Some(waiting) = self.people.calls[agent as usize].take() else { return };
        match (waiting.tag, result) {
            (Some(tag), Ok(Done::Sent { index, .. })) => {
                let check = self.ledger.acknowledge(tag, Some(waiting.chat_id), index);
                self.check(check);
            }
            (Some(tag), result) => {
                if result == Err(ErrorCode::Conflict) {
                    self.ledger.turns.count(Turn::WroteTooLate);
                }
                self.ledger.reject(tag);
            }
            (None, _) => {}
        }
    }
}

//! A session of one chat with a disk and readers, all by hand: commits, reads and deliveries wait until they are let go, and what the session
//! says is checked as it comes.

#![allow(dead_code, reason = "each test program uses a part")]

use std::collections::{BTreeMap, HashMap};

use engine::gateway::{
    Act, Actor, Author, Change, ChatSession, ChatState, CheckInLimits, Command, Done, Input, Limits, Message, Notice,
    Output, PostSessionOffer, Script, SentKey, Status, TransferTo, open,
};
use wire::ErrorCode;

pub(crate) const USER: Actor = Actor::EndUser(5);
pub(crate) const ADA: Actor = Actor::Agent(1);
pub(crate) const GRACE: Actor = Actor::Agent(2);
pub(crate) const BOT: u64 = 9;
/// Talks after the human part.
pub(crate) const ASKER: u64 = 8;
/// Queues whose chats have a post-session.
pub(crate) const FOLLOWED: u64 = 40;
pub(crate) const FOLLOWED_IF_WANTED: u64 = 41;

/// Bodies are texts here. The bot says "ok", or does what it is told.
pub(crate) struct Bot;

impl Script<String> for Bot {
    fn greet(&self, _: &ChatState) -> Vec<Act<String>> {
        vec![Act::Say("hello".into())]
    }

    fn answer(&self, _: &ChatState, body: &String) -> Vec<Act<String>> {
        match body.as_str() {
            "person" => vec![Act::Say("one moment".into()), Act::Escalate, Act::Say("never said".into())],
            "bye" => vec![Act::Finish, Act::Escalate],
            "quiet" => vec![],
            _ => vec![Act::Say("ok".into())],
        }
    }

    fn post_session(&self, chat: &ChatState) -> Option<PostSessionOffer> {
        let opt_in_required = match chat.menu_id {
            FOLLOWED => false,
            FOLLOWED_IF_WANTED => true,
            _ => return None,
        };
        Some(PostSessionOffer { virtual_agent_id: ASKER, opt_in_required })
    }

    fn notice(&self, _: &ChatState, notice: Notice) -> String {
        format!("({})", notice.as_str())
    }
}

/// What is durable.
#[derive(Clone)]
pub(crate) struct Disk {
    pub(crate) state: ChatState,
    pub(crate) messages: Vec<Message<String>>,
}

impl Disk {
    pub(crate) fn new(with_bot: bool) -> Disk {
        let Change { state, messages } =
            open(ChatState { id: 7, ..ChatState::new(5, 3, with_bot.then_some(BOT), 100) }, &Bot, 100);
        Disk { state, messages }
    }

    /// Checks what the store checks.
    pub(crate) fn store(&mut self, change: &Change<String>) {
        assert_eq!(change.state.revision, self.state.revision + 1, "changes build on each other");
        for message in &change.messages {
            assert_eq!(message.index, self.messages.len() as u64 + 1, "indexes have no gap");
            let taken = self.messages.iter().any(|known| {
                message.client_id.is_some() && known.client_id == message.client_id && known.author == message.author
            });
            assert!(!taken, "a key is used once");
            let newest_ms = self.messages.last().map_or(0, |newest| newest.at_ms);
            assert!(message.at_ms >= newest_ms, "times do not go back");
            self.messages.push(message.clone());
        }
        assert_eq!(change.state.last_index, self.messages.len() as u64);
        assert!(change.state.updated_at_ms >= self.state.updated_at_ms, "a chat's clock does not go back");
        check_place(&change.state);
        self.state = change.state.clone();
    }

    pub(crate) fn sent(&self) -> HashMap<SentKey, (u64, u64)> {
        let keyed = self
            .messages
            .iter()
            .filter_map(|message| Some(((message.author, message.client_id.clone()?), (message.index, message.at_ms))));
        keyed.collect()
    }

    pub(crate) fn texts(&self) -> Vec<&str> {
        self.messages.iter().map(|message| message.body.as_str()).collect()
    }
}

/// A chat is in exactly one place, and nothing of another one is left.
pub(crate) fn check_place(state: &ChatState) {
    let is = |status: Status| state.status == status;
    assert_eq!(state.agent_id.is_some(), is(Status::Assigned), "{state:?}");
    let is_followed = state.post_session.is_some_and(|part| part.is_open());
    assert_eq!(state.virtual_agent_id.is_some(), is(Status::VaAssigned) || is_followed, "{state:?}");
    assert!(state.post_session.is_none() || state.status.is_over(), "{state:?}");
    assert_eq!(state.ended_at_ms.is_some(), state.status.is_over(), "{state:?}");
    assert_eq!(state.ended_by.is_some(), state.status.is_over(), "{state:?}");
    assert_eq!(state.fail_reason.is_some(), is(Status::Failed), "{state:?}");
    assert!(is(Status::Queued) || !(state.check_in.is_some() || state.queue_front || state.queue_behind), "{state:?}");
    assert!(is(Status::Assigned) || (state.dismiss_at_ms, state.unanswered_since_ms) == (None, None), "{state:?}");
    assert!(state.agent_id.is_none_or(|id| state.all_agent_ids.contains(&id)), "{state:?}");
}

/// What a stream has received.
#[derive(Default, Debug)]
pub(crate) struct Reader {
    pub(crate) joined: bool,
    pub(crate) start: u64,
    pub(crate) indexes: Vec<u64>,
    pub(crate) revision: u64,
    pub(crate) on_its_way: usize,
    pub(crate) refused: Option<ErrorCode>,
    pub(crate) typing: Vec<(Author, bool)>,
    pub(crate) previews: Vec<String>,
}

/// A session with a disk and readers; commits, reads and deliveries wait until they are let go.
pub(crate) struct Desk {
    pub(crate) session: ChatSession<String, Bot>,
    pub(crate) disk: Disk,
    pub(crate) now_ms: u64,
    pub(crate) commit: Option<Change<String>>,
    pub(crate) reads: Vec<(u64, u64, u64)>,
    pub(crate) replies: BTreeMap<u64, Result<Done, ErrorCode>>,
    pub(crate) readers: BTreeMap<u64, Reader>,
    pub(crate) requests: u64,
    pub(crate) stopped: bool,
}

impl Desk {
    pub(crate) fn new(with_bot: bool) -> Desk {
        Desk::with_limits(Disk::new(with_bot), Limits::default())
    }

    pub(crate) fn with_limits(disk: Disk, limits: Limits) -> Desk {
        let session = ChatSession::new(disk.state.clone(), disk.sent(), Bot, limits);
        Desk {
            session,
            disk,
            now_ms: 1000,
            commit: None,
            reads: vec![],
            replies: BTreeMap::new(),
            readers: BTreeMap::new(),
            requests: 0,
            stopped: false,
        }
    }

    pub(crate) fn input(&mut self, input: Input<String>) {
        self.now_ms += 1;
        self.session.handle(input, self.now_ms);
        while let Some(output) = self.session.poll() {
            self.output(output);
        }
    }

    pub(crate) fn output(&mut self, output: Output<String>) {
        match output {
            Output::Commit(change) => assert!(self.commit.replace(change).is_none(), "one commit at a time"),
            Output::Reply { request, result } => {
                assert!(self.replies.insert(request, result).is_none(), "one answer per request");
            }
            Output::Joined { stream, state, cursor } => {
                let reader = self.readers.get_mut(&stream).unwrap();
                (reader.joined, reader.start, reader.revision) = (true, cursor, state.revision);
            }
            Output::Refuse { stream, code } => self.readers.get_mut(&stream).unwrap().refused = Some(code),
            Output::Read { stream, after_index, limit } => self.reads.push((stream, after_index, limit)),
            Output::Deliver { stream, messages, state } => {
                let Some(reader) = self.readers.get_mut(&stream) else { panic!("a delivery to nobody") };
                assert!(reader.joined && reader.refused.is_none());
                reader.on_its_way += 1;
                assert_eq!(reader.on_its_way, 1, "one delivery at a time");
                assert!(!messages.is_empty() || state.is_some(), "nothing to say");
                for message in messages {
                    let last = reader.indexes.last().copied().unwrap_or(reader.start);
                    assert_eq!(message.index, last + 1, "without gap or repetition");
                    assert_eq!(self.disk.messages.get(last as usize), Some(&message), "only what is durable");
                    reader.indexes.push(message.index);
                }
                if let Some(state) = state {
                    assert!(state.revision > reader.revision, "states go forward");
                    reader.revision = state.revision;
                }
            }
            Output::Typing { stream, author, typing } => {
                self.readers.get_mut(&stream).unwrap().typing.push((author, typing));
            }
            Output::Preview { stream, author, content } => {
                assert_eq!(author, Author::EndUser(5));
                self.readers.get_mut(&stream).unwrap().previews.push(content);
            }
            Output::Changed(state) => assert_eq!(state, self.disk.state),
            Output::Stop => self.stopped = true,
        }
    }

    pub(crate) fn ask(&mut self, actor: Actor, command: Command<String>) -> u64 {
        self.requests += 1;
        let request = self.requests;
        self.input(Input::Command { request, actor, command });
        request
    }

    pub(crate) fn send(&mut self, actor: Actor, client_id: &str, text: &str) -> u64 {
        self.ask(actor, Command::Send { client_id: client_id.into(), body: text.into() })
    }

    /// The time comes, or the clock says so.
    pub(crate) fn tick_at(&mut self, now_ms: u64) {
        self.now_ms = now_ms - 1;
        self.input(Input::Tick);
        self.settle();
    }

    pub(crate) fn due_ms(&self) -> u64 {
        self.session.next_timeout_ms().expect("a timer runs")
    }

    pub(crate) fn status(&self) -> Status {
        self.disk.state.status
    }

    pub(crate) fn commit_now(&mut self) {
        let change = self.commit.take().expect("a commit on its way");
        self.disk.store(&change);
        self.input(Input::Committed);
    }

    pub(crate) fn join(&mut self, stream: u64, actor: Actor, cursor: u64) {
        self.readers.insert(stream, Reader::default());
        self.input(Input::Join { stream, actor, cursor });
    }

    pub(crate) fn read_now(&mut self, works: bool) {
        let (stream, after_index, limit) = self.reads.remove(0);
        let found = self.disk.messages.iter().filter(|message| message.index > after_index);
        let messages = works.then(|| found.take(limit as usize).cloned().collect());
        self.input(Input::ReadDone { stream, messages });
    }

    pub(crate) fn deliver_now(&mut self, stream: u64) {
        self.readers.get_mut(&stream).unwrap().on_its_way = 0;
        self.input(Input::Delivered { stream });
    }

    /// Lets everything go until nothing is on its way.
    pub(crate) fn settle(&mut self) {
        loop {
            if self.commit.is_some() {
                self.commit_now();
            } else if !self.reads.is_empty() {
                self.read_now(true);
            } else if let Some(stream) =
                self.readers.iter().find(|(_, reader)| reader.on_its_way > 0).map(|(id, _)| *id)
            {
                self.deliver_now(stream);
            } else {
                return;
            }
        }
    }

    /// Asks, and lets everything go.
    pub(crate) fn done(&mut self, actor: Actor, command: Command<String>) -> Result<Done, ErrorCode> {
        let request = self.ask(actor, command);
        self.settle();
        self.replies[&request].clone()
    }

    pub(crate) fn said(&mut self, actor: Actor, client_id: &str, text: &str) -> Result<Done, ErrorCode> {
        self.done(actor, Command::Send { client_id: client_id.into(), body: text.into() })
    }

    pub(crate) fn reader(&self, stream: u64) -> &Reader {
        &self.readers[&stream]
    }
}

/// A desk whose chat stands at the given status; where it is or was assigned, Ada has it.
pub(crate) fn at(status: Status) -> Desk {
    let mut desk = Desk::new(matches!(status, Status::VaAssigned | Status::VaDismissed));
    if matches!(status, Status::Assigned | Status::Dismissed | Status::CheckedOut | Status::Finished | Status::Failed) {
        desk.done(ADA, Command::Accept).unwrap();
    }
    match status {
        Status::VaAssigned | Status::Queued | Status::Assigned => {}
        Status::Dismissed => desk = dismissed(desk),
        Status::VaDismissed => desk = timed(desk, Limits { va_dismiss_after_ms: Some(MINUTE_MS), ..timers() }),
        Status::CheckedOut => {
            desk.done(ADA, Command::Transfer(TransferTo::Queue(3))).unwrap();
            desk = timed(desk, asking());
            desk.tick_at(desk.due_ms());
        }
        Status::Finished => drop(desk.done(ADA, Command::Finish).unwrap()),
        Status::Failed => {
            desk.done(ADA, Command::Transfer(TransferTo::Queue(3))).unwrap();
            desk = timed(desk, Limits { queue_timeout_ms: Some(MINUTE_MS), ..timers() });
        }
    }
    assert_eq!(desk.disk.state.status, status);
    desk
}

/// The same chat under these limits, when the first timer has run out.
fn timed(desk: Desk, limits: Limits) -> Desk {
    let mut desk = under(desk, limits);
    desk.tick_at(desk.due_ms());
    desk
}

pub(crate) const MINUTE_MS: u64 = 60_000;

pub(crate) fn timers() -> Limits {
    Limits { dismiss_after_ms: Some(10 * MINUTE_MS), chat_timeout_ms: Some(60 * MINUTE_MS), ..Limits::default() }
}

/// Check-ins by time, by place and for hidden pages.
pub(crate) fn asking() -> Limits {
    let check_in = CheckInLimits {
        timeout_ms: MINUTE_MS,
        after_ms: Some(4 * MINUTE_MS),
        at_position: Some(2),
        hidden_after_ms: Some(2 * MINUTE_MS),
        rejoin_at_front: false,
    };
    Limits { check_in, ..timers() }
}

/// The same chat in a new session under other limits: what a restart leaves.
pub(crate) fn under(desk: Desk, limits: Limits) -> Desk {
    let now_ms = desk.now_ms;
    let mut desk = Desk::with_limits(desk.disk, limits);
    desk.now_ms = now_ms;
    desk
}

/// The same chat in a new session with timers.
pub(crate) fn restarted(desk: Desk) -> Desk {
    under(desk, timers())
}

/// A chat that Ada has, after a question and an answer that stays without one. The desk has timers.
pub(crate) fn answered() -> Desk {
    let mut desk = restarted(at(Status::Assigned));
    desk.said(USER, "question", "quiet").unwrap();
    desk.said(ADA, "answer", "x").unwrap();
    desk
}

/// What `answered` leads to.
pub(crate) fn dismissed(desk: Desk) -> Desk {
    let mut desk = restarted(desk);
    desk.said(USER, "question", "quiet").unwrap();
    desk.said(ADA, "answer", "x").unwrap();
    desk.tick_at(desk.due_ms());
    assert_eq!(desk.disk.state.status, Status::Dismissed);
    desk
}

//! The gateway's session of one chat: tables for who may do what, stories for each promise, and random histories with a store that is slow,
//! fails and forgets nothing that it acknowledged.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, HashMap};

use engine::gateway::{
    Act, Actor, Author, Change, ChatSession, ChatState, Command, Done, EndedBy, Input, Limits, Message, Notice, Output,
    Script, SentKey, Status, open,
};
use proptest::prelude::*;
use wire::ErrorCode;

const USER: Actor = Actor::EndUser(5);
const ADA: Actor = Actor::Agent(1);
const GRACE: Actor = Actor::Agent(2);
const BOT: u64 = 9;

/// Bodies are texts here. The bot says "ok", or does what it is told.
struct Bot;

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

    fn notice(&self, _: &ChatState, notice: Notice) -> String {
        format!("({})", notice.as_str())
    }
}

/// What is durable.
#[derive(Clone)]
struct Disk {
    state: ChatState,
    messages: Vec<Message<String>>,
}

impl Disk {
    fn new(with_bot: bool) -> Disk {
        let Change { state, messages } =
            open(ChatState { id: 7, ..ChatState::new(5, 3, with_bot.then_some(BOT), 100) }, &Bot, 100);
        Disk { state, messages }
    }

    /// Checks what the store checks.
    fn store(&mut self, change: &Change<String>) {
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
        assert!(change.state.agent_id.is_some() == (change.state.status == Status::Assigned));
        self.state = change.state.clone();
    }

    fn sent(&self) -> HashMap<SentKey, (u64, u64)> {
        let keyed = self
            .messages
            .iter()
            .filter_map(|message| Some(((message.author, message.client_id.clone()?), (message.index, message.at_ms))));
        keyed.collect()
    }

    fn texts(&self) -> Vec<&str> {
        self.messages.iter().map(|message| message.body.as_str()).collect()
    }
}

/// What a stream has received.
#[derive(Default, Debug)]
struct Reader {
    joined: bool,
    start: u64,
    indexes: Vec<u64>,
    revision: u64,
    on_its_way: usize,
    refused: Option<ErrorCode>,
    typing: Vec<(Author, bool)>,
}

/// A session with a disk and readers; commits, reads and deliveries wait until they are let go.
struct Desk {
    session: ChatSession<String, Bot>,
    disk: Disk,
    now_ms: u64,
    commit: Option<Change<String>>,
    reads: Vec<(u64, u64, u64)>,
    replies: BTreeMap<u64, Result<Done, ErrorCode>>,
    readers: BTreeMap<u64, Reader>,
    requests: u64,
    stopped: bool,
}

impl Desk {
    fn new(with_bot: bool) -> Desk {
        Desk::with_limits(Disk::new(with_bot), Limits::default())
    }

    fn with_limits(disk: Disk, limits: Limits) -> Desk {
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

    fn input(&mut self, input: Input<String>) {
        self.now_ms += 1;
        self.session.handle(input, self.now_ms);
        while let Some(output) = self.session.poll() {
            self.output(output);
        }
    }

    fn output(&mut self, output: Output<String>) {
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
            Output::Changed(state) => assert_eq!(state, self.disk.state),
            Output::Stop => self.stopped = true,
        }
    }

    fn ask(&mut self, actor: Actor, command: Command<String>) -> u64 {
        self.requests += 1;
        let request = self.requests;
        self.input(Input::Command { request, actor, command });
        request
    }

    fn send(&mut self, actor: Actor, client_id: &str, text: &str) -> u64 {
        self.ask(actor, Command::Send { client_id: client_id.into(), body: text.into() })
    }

    /// The time comes, or the clock says so.
    fn tick_at(&mut self, now_ms: u64) {
        self.now_ms = now_ms - 1;
        self.input(Input::Tick);
        self.settle();
    }

    fn due_ms(&self) -> u64 {
        self.session.next_timeout_ms().expect("a timer runs")
    }

    fn status(&self) -> Status {
        self.disk.state.status
    }

    fn commit_now(&mut self) {
        let change = self.commit.take().expect("a commit on its way");
        self.disk.store(&change);
        self.input(Input::Committed);
    }

    fn join(&mut self, stream: u64, actor: Actor, cursor: u64) {
        self.readers.insert(stream, Reader::default());
        self.input(Input::Join { stream, actor, cursor });
    }

    fn read_now(&mut self, works: bool) {
        let (stream, after_index, limit) = self.reads.remove(0);
        let found = self.disk.messages.iter().filter(|message| message.index > after_index);
        let messages = works.then(|| found.take(limit as usize).cloned().collect());
        self.input(Input::ReadDone { stream, messages });
    }

    fn deliver_now(&mut self, stream: u64) {
        self.readers.get_mut(&stream).unwrap().on_its_way = 0;
        self.input(Input::Delivered { stream });
    }

    /// Lets everything go until nothing is on its way.
    fn settle(&mut self) {
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
    fn done(&mut self, actor: Actor, command: Command<String>) -> Result<Done, ErrorCode> {
        let request = self.ask(actor, command);
        self.settle();
        self.replies[&request].clone()
    }

    fn said(&mut self, actor: Actor, client_id: &str, text: &str) -> Result<Done, ErrorCode> {
        self.done(actor, Command::Send { client_id: client_id.into(), body: text.into() })
    }

    fn reader(&self, stream: u64) -> &Reader {
        &self.readers[&stream]
    }
}

/// A desk whose chat stands at the given status; where it is or was assigned, Ada has it.
fn at(status: Status) -> Desk {
    let mut desk = Desk::new(status == Status::VaAssigned);
    if matches!(status, Status::Assigned | Status::Dismissed | Status::Finished) {
        desk.done(ADA, Command::Accept).unwrap();
    }
    if status == Status::Dismissed {
        desk = dismissed(desk);
    }
    if status == Status::Finished {
        desk.done(ADA, Command::Finish).unwrap();
    }
    assert_eq!(desk.disk.state.status, status);
    desk
}

const MINUTE_MS: u64 = 60_000;

fn timers() -> Limits {
    Limits { dismiss_after_ms: Some(10 * MINUTE_MS), chat_timeout_ms: Some(60 * MINUTE_MS), ..Limits::default() }
}

/// The same chat in a new session with timers: what a restart leaves.
fn restarted(desk: Desk) -> Desk {
    let now_ms = desk.now_ms;
    let mut desk = Desk::with_limits(desk.disk, timers());
    desk.now_ms = now_ms;
    desk
}

/// A chat that Ada has, after a question and an answer that stays without one. The desk has timers.
fn answered() -> Desk {
    let mut desk = restarted(at(Status::Assigned));
    desk.said(USER, "question", "quiet").unwrap();
    desk.said(ADA, "answer", "x").unwrap();
    desk
}

/// What `answered` leads to.
fn dismissed(desk: Desk) -> Desk {
    let mut desk = restarted(desk);
    desk.said(USER, "question", "quiet").unwrap();
    desk.said(ADA, "answer", "x").unwrap();
    desk.tick_at(desk.due_ms());
    assert_eq!(desk.disk.state.status, Status::Dismissed);
    desk
}

#[test]
fn who_may_do_what_in_which_state() {
    use ErrorCode::{ChatEnded, Conflict, Forbidden};
    use Status::{Assigned, Dismissed, Finished, Queued, VaAssigned};
    let stranger = Actor::EndUser(6);
    let send = || Command::Send { client_id: "k".into(), body: "quiet".into() };
    let states = [VaAssigned, Queued, Assigned, Dismissed, Finished];
    // One column per state; `None` is success.
    let table: Vec<(Actor, Command<String>, [Option<ErrorCode>; 5])> = vec![
        (USER, send(), [None, None, None, None, Some(ChatEnded)]),
        (USER, Command::Escalate, [None, None, None, None, Some(ChatEnded)]),
        (USER, Command::Resume, [Some(Conflict), Some(Conflict), Some(Conflict), None, Some(Conflict)]),
        (USER, Command::Finish, [None; 5]),
        (USER, Command::Drop, [None; 5]),
        (USER, Command::Accept, [Some(Forbidden); 5]),
        (stranger, send(), [Some(Forbidden); 5]),
        (stranger, Command::Resume, [Some(Forbidden); 5]),
        (stranger, Command::Finish, [Some(Forbidden); 5]),
        (stranger, Command::Drop, [Some(Forbidden); 5]),
        (stranger, Command::Escalate, [Some(Forbidden); 5]),
        (ADA, send(), [Some(Forbidden), Some(Forbidden), None, Some(Conflict), Some(ChatEnded)]),
        (ADA, Command::Accept, [Some(Conflict), None, None, Some(Conflict), Some(ChatEnded)]),
        (ADA, Command::Resume, [Some(Forbidden); 5]),
        (ADA, Command::Finish, [Some(Forbidden), Some(Forbidden), None, Some(Conflict), None]),
        (ADA, Command::Drop, [Some(Forbidden); 5]),
        (ADA, Command::Escalate, [Some(Forbidden); 5]),
        (GRACE, send(), [Some(Forbidden); 5]),
        (GRACE, Command::Accept, [Some(Conflict), None, Some(Conflict), Some(Conflict), Some(ChatEnded)]),
        (GRACE, Command::Finish, [Some(Forbidden); 5]),
    ];
    for (actor, command, expected) in table {
        for (status, expected) in states.into_iter().zip(expected) {
            let mut desk = at(status);
            let before = desk.disk.state.clone();
            let result = desk.done(actor, command.clone());
            assert_eq!(result.err(), expected, "{actor:?} {command:?} at {status:?}");
            if expected.is_some() {
                assert_eq!(desk.disk.state, before, "a refusal changes nothing");
            }
        }
    }
}

#[test]
fn who_may_read() {
    let mut desk = at(Status::Assigned);
    let table = [
        (USER, None),
        (ADA, None),
        (GRACE, Some(ErrorCode::Forbidden)),
        (Actor::EndUser(6), Some(ErrorCode::Forbidden)),
    ];
    for (stream, (actor, refused)) in (1..).zip(table) {
        desk.join(stream, actor, 0);
        assert_eq!(desk.reader(stream).refused, refused, "{actor:?}");
        assert_eq!(desk.reader(stream).joined, refused.is_none());
    }
}

#[test]
fn the_virtual_agents_answer_is_part_of_the_same_change_and_ends_with_its_turn() {
    let mut desk = Desk::new(true);
    desk.send(USER, "a", "person");
    assert_eq!(desk.commit.as_ref().unwrap().messages.len(), 3);
    desk.settle();
    assert_eq!(desk.disk.texts(), ["hello", "person", "one moment", "(escalationStarted)"]);
    assert_eq!((desk.disk.state.status, desk.disk.state.virtual_agent_id), (Status::Queued, None));
    let mut desk = Desk::new(true);
    desk.said(USER, "a", "bye").unwrap();
    assert_eq!(desk.disk.texts(), ["hello", "bye", "(chatEnded)"]);
    assert_eq!(desk.disk.state.status, Status::Finished);
}

#[test]
fn nothing_is_answered_before_it_is_durable() {
    let mut desk = Desk::new(false);
    let send = desk.send(USER, "a", "hi");
    assert!(desk.replies.is_empty());
    desk.commit_now();
    assert_eq!(desk.replies[&send], Ok(Done::Sent { index: 1, at_ms: 1001, duplicate: false }));
}

#[test]
fn what_arrives_during_a_commit_shares_the_next_one() {
    let mut desk = Desk::new(false);
    desk.send(USER, "a", "1");
    for key in ["b", "c", "d"] {
        desk.send(USER, key, key);
    }
    assert_eq!(desk.commit.as_ref().unwrap().messages.len(), 1);
    desk.commit_now();
    assert_eq!(desk.commit.as_ref().unwrap().messages.len(), 3);
    desk.commit_now();
    assert_eq!(desk.replies.len(), 4);
    assert_eq!(desk.disk.state.revision, 3);
}

#[test]
fn a_refusal_that_follows_from_a_change_waits_for_it() {
    // The first commit keeps the next commands waiting, so that they share a change.
    let mut desk = Desk::new(false);
    desk.send(USER, "a", "1");
    let accepted = desk.ask(ADA, Command::Accept);
    let late = desk.ask(GRACE, Command::Accept);
    desk.commit_now();
    assert!(!desk.replies.contains_key(&late), "the acceptance is not durable yet");
    desk.input(Input::CommitFailed);
    // Nobody has the chat now: telling Grace of a conflict would have been wrong.
    assert_eq!(desk.replies[&accepted], Err(ErrorCode::Unavailable));
    assert_eq!(desk.replies[&late], Err(ErrorCode::Unavailable));

    let mut desk = Desk::new(false);
    desk.send(USER, "a", "1");
    desk.ask(USER, Command::Finish);
    let late = desk.send(USER, "b", "after the end");
    desk.settle();
    assert_eq!(desk.replies[&late], Err(ErrorCode::ChatEnded));
}

#[test]
fn a_key_is_one_message_for_its_author() {
    let mut desk = at(Status::Assigned);
    let first = desk.said(USER, "k", "first").unwrap();
    assert_eq!(first, Done::Sent { index: 2, at_ms: 1003, duplicate: false });
    let again = desk.said(USER, "k", "another text").unwrap();
    assert_eq!(again, Done::Sent { index: 2, at_ms: 1003, duplicate: true });
    assert!(matches!(desk.said(ADA, "k", "agent's"), Ok(Done::Sent { index: 3, duplicate: false, .. })));
    // Within one change.
    desk.send(USER, "x", "holds the disk");
    let (one, two) = (desk.send(USER, "y", "one"), desk.send(USER, "y", "two"));
    desk.settle();
    assert!(matches!(desk.replies[&one], Ok(Done::Sent { index: 5, duplicate: false, .. })));
    assert!(matches!(desk.replies[&two], Ok(Done::Sent { index: 5, duplicate: true, .. })));
    // After the end of the chat, and in a later session.
    desk.done(USER, Command::Finish).unwrap();
    assert!(matches!(desk.said(USER, "k", "late"), Ok(Done::Sent { index: 2, duplicate: true, .. })));
    assert_eq!(desk.said(USER, "new", "late"), Err(ErrorCode::ChatEnded));
    let mut later = Desk::with_limits(desk.disk.clone(), Limits::default());
    assert!(matches!(later.said(USER, "y", "late"), Ok(Done::Sent { index: 5, duplicate: true, .. })));
    assert!(later.commit.is_none());
}

#[test]
fn a_slow_reader_costs_a_cursor_and_gets_the_rest_at_once() {
    let mut desk = Desk::new(false);
    desk.join(1, USER, 0);
    for n in 0..10 {
        desk.send(USER, &format!("k{n}"), "x");
        desk.commit_now();
    }
    assert_eq!(desk.reader(1).indexes, [1]);
    desk.deliver_now(1);
    assert_eq!(desk.reader(1).indexes, (1..=10).collect::<Vec<_>>());
    assert_eq!(desk.reader(1).revision, desk.disk.state.revision, "the newest state comes with the newest message");
}

#[test]
fn a_reader_behind_the_tail_reads_from_the_store_in_batches() {
    let limits = Limits { tail_messages: 3, batch_messages: 4, ..Limits::default() };
    let mut desk = Desk::with_limits(Disk::new(false), limits);
    for n in 0..10 {
        desk.said(USER, &format!("k{n}"), "x").unwrap();
    }
    desk.join(1, USER, 0);
    assert_eq!(desk.reads, [(1, 0, 4)]);
    desk.read_now(true);
    assert_eq!(desk.reader(1).indexes, [1, 2, 3, 4]);
    desk.deliver_now(1);
    assert_eq!(desk.reads, [(1, 4, 4)]);
    desk.read_now(true);
    desk.deliver_now(1);
    assert!(desk.reads.is_empty(), "the rest is in memory");
    assert_eq!(desk.reader(1).indexes, (1..=10).collect::<Vec<_>>());
}

#[test]
fn a_read_may_be_ahead_of_the_session() {
    let limits = Limits { tail_messages: 0, ..Limits::default() };
    let mut desk = Desk::with_limits(Disk::new(false), limits);
    desk.said(USER, "a", "1").unwrap();
    desk.join(1, USER, 0);
    // Durable, but the session has not heard of it yet.
    desk.send(USER, "b", "2");
    let change = desk.commit.take().unwrap();
    desk.disk.store(&change);
    desk.read_now(true);
    assert_eq!(desk.reader(1).indexes, [1, 2]);
    desk.input(Input::Committed);
    desk.settle();
    assert_eq!((desk.reader(1).indexes.as_slice(), desk.reader(1).revision), (&[1, 2][..], 3));
}

#[test]
fn a_store_that_fails_or_has_a_hole_ends_the_stream_and_not_the_chat() {
    for broken in [None, Some(vec![]), Some(vec![2]), Some(vec![1, 3])] {
        let limits = Limits { tail_messages: 0, ..Limits::default() };
        let mut desk = Desk::with_limits(Disk::new(false), limits);
        for key in ["a", "b", "c"] {
            desk.said(USER, key, key).unwrap();
        }
        desk.join(1, USER, 0);
        desk.reads.clear();
        let messages: Option<Vec<Message<String>>> = broken
            .clone()
            .map(|indexes| indexes.into_iter().map(|index: usize| desk.disk.messages[index - 1].clone()).collect());
        desk.input(Input::ReadDone { stream: 1, messages });
        assert_eq!(desk.reader(1).refused, Some(ErrorCode::Unavailable), "{broken:?}");
        assert!(desk.reader(1).indexes.is_empty());
        assert!(desk.said(USER, "d", "goes on").is_ok());
    }
}

#[test]
fn a_failed_commit_ends_the_session_and_everyone_hears_of_it() {
    let mut desk = Desk::new(false);
    desk.join(1, USER, 0);
    let committing = desk.send(USER, "a", "1");
    let waiting = desk.send(USER, "b", "2");
    desk.commit = None;
    desk.input(Input::CommitFailed);
    assert!(desk.stopped);
    assert_eq!(desk.replies[&committing], Err(ErrorCode::Unavailable));
    assert_eq!(desk.replies[&waiting], Err(ErrorCode::Unavailable));
    assert_eq!(desk.reader(1).refused, Some(ErrorCode::Unavailable));
    let late = desk.send(USER, "c", "3");
    assert_eq!(desk.replies[&late], Err(ErrorCode::Unavailable));
    desk.join(2, USER, 0);
    assert_eq!(desk.reader(2).refused, Some(ErrorCode::Unavailable));
    assert!(desk.session.is_idle());
}

#[test]
fn limits_are_kept() {
    let limits = Limits { waiting_commands: 2, streams: 2, ..Limits::default() };
    let mut desk = Desk::with_limits(Disk::new(false), limits);
    desk.send(USER, "a", "on its way");
    let requests = [desk.send(USER, "b", "1"), desk.send(USER, "c", "2"), desk.send(USER, "d", "3")];
    assert_eq!(desk.replies.get(&requests[2]), Some(&Err(ErrorCode::Unavailable)));
    desk.settle();
    assert!(desk.replies[&requests[0]].is_ok() && desk.replies[&requests[1]].is_ok());
    for stream in 1..=3 {
        desk.join(stream, USER, 0);
    }
    assert_eq!(desk.reader(3).refused, Some(ErrorCode::RateLimited));
    desk.input(Input::Leave { stream: 1 });
    desk.join(4, USER, 0);
    assert!(desk.reader(4).joined);
}

#[test]
fn a_session_is_idle_when_nobody_reads_writes_or_waits() {
    let mut desk = Desk::new(false);
    assert!(desk.session.is_idle());
    desk.send(USER, "a", "1");
    assert!(!desk.session.is_idle());
    desk.settle();
    assert!(desk.session.is_idle());
    desk.join(1, USER, 1);
    assert!(!desk.session.is_idle());
    desk.input(Input::Leave { stream: 1 });
    assert!(desk.session.is_idle());
}

#[test]
fn typing_is_told_once_to_the_others_and_ends_by_itself() {
    let mut desk = at(Status::Assigned);
    desk.join(1, USER, 1);
    desk.join(2, USER, 1);
    desk.join(3, ADA, 1);
    for typing in [true, true] {
        desk.input(Input::Typing { stream: 1, typing });
    }
    let author = Author::EndUser(5);
    assert_eq!(desk.reader(3).typing, [(author, true)]);
    assert!(desk.reader(2).typing.is_empty(), "not to another tab of the same person");
    let due = desk.session.next_timeout_ms().unwrap();
    desk.now_ms = due - 2;
    desk.input(Input::Tick);
    assert_eq!(desk.reader(3).typing.len(), 1, "not before its time");
    desk.input(Input::Tick);
    assert_eq!(desk.reader(3).typing, [(author, true), (author, false)]);
    assert_eq!(desk.session.next_timeout_ms(), None);
    // Or with the last of the typist's streams.
    desk.input(Input::Typing { stream: 1, typing: true });
    desk.input(Input::Leave { stream: 2 });
    assert_eq!(desk.reader(3).typing.len(), 3);
    desk.input(Input::Leave { stream: 1 });
    assert_eq!(desk.reader(3).typing.last(), Some(&(author, false)));
}

#[test]
fn nobody_types_in_a_chat_that_is_over() {
    let mut desk = at(Status::Finished);
    desk.join(1, USER, 9);
    desk.join(2, ADA, 9);
    desk.input(Input::Typing { stream: 1, typing: true });
    assert!(desk.reader(2).typing.is_empty());
}

#[test]
fn a_chat_is_dismissed_when_the_agents_last_message_stays_unanswered() {
    let mut desk = restarted(at(Status::Assigned));
    desk.join(1, ADA, 0);
    let accepted_ms = desk.disk.state.assigned_at_ms.unwrap();
    let timeout_ms = accepted_ms + 60 * MINUTE_MS;
    assert_eq!(desk.due_ms(), timeout_ms, "the timeout runs from the assignment");
    desk.said(ADA, "a1", "hello?").unwrap();
    assert_eq!(desk.due_ms(), timeout_ms, "who never wrote is not dismissed");
    desk.said(USER, "u1", "quiet").unwrap();
    desk.tick_at(desk.now_ms + 20 * MINUTE_MS);
    assert_eq!(desk.status(), Status::Assigned, "it is the agent's turn");
    desk.said(ADA, "a2", "x").unwrap();
    desk.tick_at(desk.now_ms + 9 * MINUTE_MS);
    desk.said(ADA, "a3", "are you there?").unwrap();
    let last_ms = desk.disk.state.updated_at_ms;
    assert_eq!(desk.due_ms(), last_ms + 10 * MINUTE_MS, "it runs from the latest message");
    desk.tick_at(last_ms + 10 * MINUTE_MS - 1);
    assert_eq!(desk.status(), Status::Assigned);
    desk.tick_at(last_ms + 10 * MINUTE_MS);
    assert_eq!((desk.status(), desk.disk.state.agent_id), (Status::Dismissed, None));
    assert_eq!(desk.disk.texts().last(), Some(&"(chatDismissed)"));
    assert_eq!(desk.reader(1).revision, desk.disk.state.revision, "the agent sees it leave");
    assert_eq!(desk.due_ms(), desk.disk.state.active_at_ms + 60 * MINUTE_MS, "the timeout runs on");
}

#[test]
fn the_end_users_message_or_wish_brings_a_dismissed_chat_back_to_the_queue() {
    let mut desk = at(Status::Dismissed);
    let request = desk.send(USER, "back", "I am back");
    assert_eq!(desk.commit.as_ref().unwrap().messages.len(), 2, "message and return are one change");
    desk.settle();
    assert!(matches!(desk.replies[&request], Ok(Done::Sent { duplicate: false, .. })));
    assert_eq!((desk.status(), desk.disk.state.queued_at_ms), (Status::Queued, Some(desk.disk.state.updated_at_ms)));
    assert!(desk.disk.texts().ends_with(&["I am back", "(chatResumed)"]));

    let mut desk = at(Status::Dismissed);
    let Ok(Done::State(state)) = desk.done(USER, Command::Resume) else { panic!("a state") };
    assert_eq!((state.status, state.agent_id), (Status::Queued, None));
    assert_eq!(desk.done(USER, Command::Resume), Err(ErrorCode::Conflict));
    // Another agent takes it, and the one who was let go stays out.
    desk.done(GRACE, Command::Accept).unwrap();
    assert_eq!(desk.said(ADA, "late", "x"), Err(ErrorCode::Conflict));
    assert_eq!(desk.done(ADA, Command::Finish), Err(ErrorCode::Conflict));
    // Nobody is dismissed twice without having written in between.
    desk.said(GRACE, "g1", "x").unwrap();
    desk.tick_at(desk.now_ms + 11 * MINUTE_MS);
    assert_eq!(desk.status(), Status::Assigned);
    desk.said(USER, "u2", "quiet").unwrap();
    desk.said(GRACE, "g2", "x").unwrap();
    desk.tick_at(desk.due_ms());
    assert_eq!(desk.status(), Status::Dismissed);
}

#[test]
fn a_retry_of_what_is_stored_brings_nothing_back() {
    let mut desk = at(Status::Dismissed);
    let before = desk.disk.state.clone();
    assert!(matches!(desk.said(USER, "question", "again"), Ok(Done::Sent { duplicate: true, .. })));
    assert!(matches!(desk.said(ADA, "answer", "again"), Ok(Done::Sent { duplicate: true, .. })));
    assert_eq!(desk.disk.state, before);
    // Twice in one change: it comes back once.
    desk.send(USER, "new", "holds the disk");
    desk.send(USER, "new", "holds the disk");
    desk.settle();
    assert_eq!(desk.disk.texts().iter().filter(|text| **text == "(chatResumed)").count(), 1);
}

#[test]
fn the_end_user_who_stays_silent_for_longer_ends_the_chat() {
    for status in [Status::VaAssigned, Status::Queued, Status::Assigned, Status::Dismissed] {
        let mut desk = restarted(at(status));
        let due_ms = desk.due_ms();
        assert_eq!(due_ms, desk.disk.state.active_at_ms + 60 * MINUTE_MS, "{status:?}");
        desk.tick_at(due_ms);
        let state = desk.disk.state.clone();
        assert_eq!((state.status, state.ended_by), (Status::Finished, Some(EndedBy::Timeout)), "{status:?}");
        assert_eq!(state.ended_at_ms, Some(due_ms));
        assert_eq!(desk.disk.texts().last(), Some(&"(chatEnded)"));
        assert_eq!(desk.session.next_timeout_ms(), None);
        assert_eq!(desk.said(USER, "late", "x"), Err(ErrorCode::ChatEnded));
    }
    let mut desk = restarted(at(Status::VaAssigned));
    desk.now_ms += 59 * MINUTE_MS;
    desk.said(USER, "u1", "quiet").unwrap();
    assert_eq!(
        desk.due_ms(),
        desk.disk.state.updated_at_ms + 60 * MINUTE_MS,
        "each message of the end user restarts it"
    );
    desk.now_ms += 59 * MINUTE_MS;
    desk.done(USER, Command::Escalate).unwrap();
    assert_eq!(desk.due_ms(), desk.disk.state.updated_at_ms + 60 * MINUTE_MS, "so does the way into the queue");
}

#[test]
fn timers_survive_a_restart_and_an_outage_is_not_the_end_users_fault() {
    let desk = answered();
    let due_ms = desk.due_ms();
    let mut desk = restarted(desk);
    assert_eq!(desk.due_ms(), due_ms);
    let mut in_time = restarted(Desk::with_limits(desk.disk.clone(), timers()));
    in_time.tick_at(due_ms + MINUTE_MS);
    assert_eq!(in_time.status(), Status::Dismissed, "a little late is on time");
    // The gateway was away for half an hour.
    let back_ms = due_ms + 20 * MINUTE_MS;
    desk.tick_at(back_ms);
    assert_eq!((desk.status(), desk.due_ms()), (Status::Assigned, back_ms + MINUTE_MS));
    desk.tick_at(back_ms + 30_000);
    assert_eq!((desk.status(), desk.due_ms()), (Status::Assigned, back_ms + MINUTE_MS), "once, not for ever");
    desk.tick_at(back_ms + MINUTE_MS);
    assert_eq!(desk.status(), Status::Dismissed);
}

#[test]
fn a_clock_that_jumps_neither_reorders_times_nor_dismisses_in_a_loop() {
    let mut desk = answered();
    let (now_ms, due_ms) = (desk.now_ms, desk.due_ms());
    // Forward by a day, and back before the grace is over.
    desk.tick_at(now_ms + 24 * 60 * MINUTE_MS);
    desk.tick_at(now_ms + 5);
    assert_eq!((desk.status(), desk.due_ms()), (Status::Assigned, due_ms));
    // A message of tomorrow, and the clock set right again: what follows is not older.
    desk.now_ms = now_ms + 24 * 60 * MINUTE_MS;
    desk.said(USER, "tomorrow", "quiet").unwrap();
    let tomorrow_ms = desk.disk.state.updated_at_ms;
    desk.now_ms = now_ms + 10;
    assert!(matches!(desk.said(ADA, "today", "x"), Ok(Done::Sent { at_ms, .. }) if at_ms == tomorrow_ms));
    assert_eq!(desk.due_ms(), tomorrow_ms + 10 * MINUTE_MS, "late, never early");
    // Forward for good: dismissed once, and nothing more until the end.
    desk.tick_at(tomorrow_ms + 30 * MINUTE_MS);
    desk.tick_at(tomorrow_ms + 31 * MINUTE_MS);
    assert_eq!(desk.status(), Status::Dismissed);
    let revision = desk.disk.state.revision;
    for jump_ms in [0, 40 * MINUTE_MS, 1, 50 * MINUTE_MS, 2] {
        desk.tick_at(tomorrow_ms + jump_ms);
    }
    assert_eq!(desk.disk.state.revision, revision);
}

#[test]
fn a_timer_waits_for_the_change_that_is_on_its_way() {
    let mut desk = answered();
    let due_ms = desk.due_ms();
    desk.send(USER, "just in time", "quiet");
    assert_eq!(desk.session.next_timeout_ms(), None);
    desk.now_ms = due_ms;
    desk.input(Input::Tick);
    desk.settle();
    assert_eq!(desk.status(), Status::Assigned);
    // A change of the timer's own that cannot be stored ends the session like any other.
    let mut desk = answered();
    desk.now_ms = desk.due_ms();
    desk.input(Input::Tick);
    desk.commit.take().expect("the dismissal");
    desk.input(Input::CommitFailed);
    assert!(desk.stopped);
    assert_eq!(desk.session.next_timeout_ms(), None);
    assert_eq!(restarted(desk).status(), Status::Assigned);
}

#[test]
fn typing_said_beside_the_stream_counts_like_typing_said_on_it() {
    let mut desk = at(Status::Assigned);
    desk.join(1, USER, 1);
    desk.join(2, ADA, 1);
    desk.input(Input::TypingBeside { actor: Actor::EndUser(6), typing: true });
    assert!(desk.reader(2).typing.is_empty(), "a stranger is not heard");
    desk.input(Input::TypingBeside { actor: USER, typing: true });
    let author = Author::EndUser(5);
    assert_eq!(desk.reader(2).typing, [(author, true)]);
    desk.tick_at(desk.due_ms());
    assert_eq!(desk.reader(2).typing, [(author, true), (author, false)]);
}

/// One step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Send {
        agent: bool,
        key: u8,
    },
    Escalate,
    Accept {
        second: bool,
    },
    Finish,
    Commit,
    FailCommit {
        durable: bool,
    },
    Read {
        works: bool,
    },
    Deliver {
        stream: u64,
    },
    Join {
        stream: u64,
        agent: bool,
    },
    Leave {
        stream: u64,
    },
    Restart,
    Resume,
    /// The clock moves, perhaps back, and the timers are looked at.
    Clock {
        minutes: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (any::<bool>(), 0..40_u8).prop_map(|(agent, key)| Step::Send { agent, key }),
        1 => Just(Step::Escalate),
        1 => any::<bool>().prop_map(|second| Step::Accept { second }),
        1 => (0..20_u8).prop_map(|n| if n == 0 { Step::Finish } else { Step::Commit }),
        8 => Just(Step::Commit),
        1 => (0..4_u8).prop_map(|n| if n == 0 { Step::FailCommit { durable: true } } else { Step::Commit }),
        1 => (0..4_u8).prop_map(|n| if n == 0 { Step::FailCommit { durable: false } } else { Step::Commit }),
        4 => (0..8_u8).prop_map(|n| Step::Read { works: n > 0 }),
        8 => (1..5_u64).prop_map(|stream| Step::Deliver { stream }),
        3 => (1..5_u64, any::<bool>()).prop_map(|(stream, agent)| Step::Join { stream, agent }),
        1 => (1..5_u64).prop_map(|stream| Step::Leave { stream }),
        1 => (0..6_u8).prop_map(|n| if n == 0 { Step::Restart } else { Step::Commit }),
        1 => Just(Step::Resume),
        2 => (-20..30_i64).prop_map(|minutes| Step::Clock { minutes }),
    ]
}

/// A history: what each reader got is checked on the way by `Desk` and `Disk`.
struct History {
    desk: Desk,
    limits: Limits,
    /// What was asked with which key, by request.
    asked: HashMap<u64, (Author, String)>,
    /// Index by author and key, of everything that was acknowledged.
    acknowledged: HashMap<(Author, String), u64>,
}

impl History {
    fn take(&mut self, step: &Step) {
        let desk = &mut self.desk;
        match step {
            Step::Send { agent, key } => {
                let actor = if *agent { ADA } else { USER };
                let key = format!("k{key}");
                let request = desk.send(actor, &key, if key == "k1" { "person" } else { "quiet" });
                self.asked.insert(request, (actor.into(), key));
            }
            Step::Escalate => drop(desk.ask(USER, Command::Escalate)),
            Step::Accept { second } => drop(desk.ask(if *second { GRACE } else { ADA }, Command::Accept)),
            Step::Finish => drop(desk.ask(USER, Command::Finish)),
            Step::Commit if desk.commit.is_some() => desk.commit_now(),
            Step::FailCommit { durable } => {
                if let Some(change) = desk.commit.take() {
                    if *durable {
                        desk.disk.store(&change);
                    }
                    desk.input(Input::CommitFailed);
                }
            }
            Step::Read { works } if !desk.reads.is_empty() => desk.read_now(*works),
            Step::Deliver { stream } if desk.readers.get(stream).is_some_and(|reader| reader.on_its_way > 0) => {
                desk.deliver_now(*stream);
            }
            Step::Join { stream, agent } => self.join(*stream, *agent),
            Step::Leave { stream } => {
                desk.readers.remove(stream);
                desk.reads.retain(|(reading, _, _)| reading != stream);
                desk.input(Input::Leave { stream: *stream });
            }
            Step::Restart => self.restart(),
            Step::Resume => drop(desk.ask(USER, Command::Resume)),
            Step::Clock { minutes } => {
                desk.now_ms = desk.now_ms.saturating_add_signed(minutes * 60_000);
                desk.input(Input::Tick);
            }
            Step::Commit | Step::Read { .. } | Step::Deliver { .. } => {}
        }
        self.note();
        if self.desk.stopped {
            self.restart();
        }
    }

    /// A stream that is not open joins with what its reader has.
    fn join(&mut self, stream: u64, agent: bool) {
        let open = self.desk.readers.get(&stream).is_some_and(|reader| reader.refused.is_none());
        if !open {
            let cursor = self.desk.readers.get(&stream).map_or(0, |reader| reader.start + reader.indexes.len() as u64);
            self.desk.join(stream, if agent { ADA } else { USER }, cursor);
        }
    }

    fn note(&mut self) {
        for (request, result) in std::mem::take(&mut self.desk.replies) {
            if let (Some(key), Ok(Done::Sent { index, .. })) = (self.asked.remove(&request), result) {
                let known = self.acknowledged.insert(key, index);
                assert!(known.is_none_or(|known| known == index), "the same answer for the same key");
            }
        }
    }

    /// The process is gone; what is durable is not.
    fn restart(&mut self) {
        let (requests, now_ms) = (self.desk.requests, self.desk.now_ms);
        self.desk = Desk::with_limits(self.desk.disk.clone(), self.limits);
        (self.desk.requests, self.desk.now_ms) = (requests, now_ms);
        self.asked.clear();
    }
}

proptest! {
    // A failing history is printed; nothing is written beside the tests.
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_any_history_nothing_acknowledged_is_lost_doubled_or_out_of_order(
        with_bot in any::<bool>(),
        tail_messages in 0..6_usize,
        batch_messages in 1..5_u64,
        steps in proptest::collection::vec(step(), 1..200),
    ) {
        let limits = Limits { tail_messages, batch_messages, ..timers() };
        let desk = Desk::with_limits(Disk::new(with_bot), limits);
        let mut history = History { desk, limits, asked: HashMap::new(), acknowledged: HashMap::new() };
        for step in &steps {
            history.take(step);
        }
        // Quiet at last: everyone who reads has everything.
        history.join(9, false);
        history.desk.settle();
        history.note();
        let disk = &history.desk.disk;
        for (key, index) in &history.acknowledged {
            let stored: Vec<u64> = disk
                .messages
                .iter()
                .filter(|message| message.author == key.0 && message.client_id.as_ref() == Some(&key.1))
                .map(|message| message.index)
                .collect();
            prop_assert_eq!(stored, vec![*index]);
        }
        for reader in history.desk.readers.values().filter(|reader| reader.joined && reader.refused.is_none()) {
            prop_assert_eq!(reader.start + reader.indexes.len() as u64, disk.state.last_index);
            prop_assert_eq!(reader.revision, disk.state.revision);
        }
    }
}

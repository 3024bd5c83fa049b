//! The gateway's session of one chat: tables for who may do what, stories for each promise, and random histories with a store that is slow,
//! fails and forgets nothing that it acknowledged.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/desk.rs"]
mod desk;

use std::collections::HashMap;

use desk::{ADA, Desk, Disk, GRACE, USER, asking, at};
use engine::gateway::{Actor, Author, CheckInAnswer, Command, Done, Input, Limits, Message, Status, TransferTo};
use proptest::prelude::*;
use wire::ErrorCode;

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
fn who_read_ahead_of_the_session_and_comes_back_is_not_sent_back() {
    let mut desk = Desk::new(false);
    desk.said(USER, "a", "1").unwrap();
    desk.send(USER, "b", "2");
    let change = desk.commit.take().unwrap();
    desk.disk.store(&change);
    // It has read the second message from the store; the third exists nowhere.
    desk.join(1, USER, 2);
    desk.join(2, USER, 3);
    assert_eq!((desk.reader(1).start, desk.reader(2).start), (2, 2));
    desk.input(Input::Committed);
    desk.settle();
    assert_eq!((desk.reader(1).indexes.as_slice(), desk.reader(1).revision), (&[][..], 3));
    desk.said(USER, "c", "3").unwrap();
    assert_eq!(desk.reader(1).indexes, [3]);
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

#[test]
fn what_the_end_user_types_is_shown_to_agents_until_it_is_said_or_taken_back() {
    let mut desk = at(Status::Assigned);
    desk.join(1, USER, 1);
    desk.join(2, ADA, 1);
    let preview = |content: &str| Input::Preview { actor: USER, content: content.to_owned() };
    desk.input(preview(""));
    desk.input(preview("my num"));
    desk.input(preview("my number"));
    desk.input(Input::Preview { actor: Actor::EndUser(6), content: "a stranger".to_owned() });
    desk.input(Input::Preview { actor: ADA, content: "an agent".to_owned() });
    assert_eq!(desk.reader(2).previews, ["my num", "my number"]);
    desk.send(USER, "key", "my number is 4");
    desk.settle();
    assert_eq!(desk.reader(2).previews.len(), 3);
    desk.input(preview("more"));
    desk.input(Input::Typing { stream: 1, typing: true });
    desk.input(Input::Typing { stream: 1, typing: false });
    assert_eq!(desk.reader(2).previews, ["my num", "my number", "", "more", ""]);
    assert!(desk.reader(1).previews.is_empty(), "not to the end user's own pages");
}

#[test]
fn nobody_is_shown_what_is_typed_to_a_virtual_agent_or_in_a_chat_that_is_over() {
    for status in [
        Status::VaAssigned,
        Status::VaDismissed,
        Status::Dismissed,
        Status::CheckedOut,
        Status::Finished,
        Status::Failed,
    ] {
        let mut desk = at(status);
        desk.join(2, ADA, 9);
        desk.input(Input::Preview { actor: USER, content: "secret".to_owned() });
        assert!(desk.readers.get(&2).is_none_or(|reader| reader.previews.is_empty()), "{status:?}");
    }
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
    Transfer {
        to_agent: bool,
    },
    CheckIn {
        confirmed: bool,
    },
    Rejoin,
    Place {
        place: u64,
    },
    Visibility {
        stream: u64,
        visible: bool,
    },
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
        1 => any::<bool>().prop_map(|to_agent| Step::Transfer { to_agent }),
        1 => any::<bool>().prop_map(|confirmed| Step::CheckIn { confirmed }),
        1 => Just(Step::Rejoin),
        1 => (1..5_u64).prop_map(|place| Step::Place { place }),
        1 => (1..5_u64, any::<bool>()).prop_map(|(stream, visible)| Step::Visibility { stream, visible }),
        2 => (-20..30_i64).prop_map(|minutes| Step::Clock { minutes }),
    ]
}

fn target(to_agent: bool) -> TransferTo {
    if to_agent { TransferTo::Agent(2) } else { TransferTo::Queue(4) }
}

fn answer(confirmed: bool) -> CheckInAnswer {
    if confirmed { CheckInAnswer::Confirmed } else { CheckInAnswer::Notified }
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
            Step::Transfer { to_agent } => drop(desk.ask(ADA, Command::Transfer(target(*to_agent)))),
            Step::CheckIn { confirmed } => drop(desk.ask(USER, Command::CheckIn(answer(*confirmed)))),
            Step::Rejoin => drop(desk.ask(USER, Command::Rejoin)),
            Step::Place { place } => desk.input(Input::Place { place: *place }),
            Step::Visibility { stream, visible } => {
                desk.input(Input::Visibility { stream: *stream, visible: *visible });
            }
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
        let limits = Limits {
            tail_messages,
            batch_messages,
            dismiss_warning_ms: Some(60_000),
            va_dismiss_after_ms: Some(300_000),
            queue_timeout_ms: Some(900_000),
            ..asking()
        };
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

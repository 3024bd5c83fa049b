//! What follows the human part of a chat: to whom it is offered, its steps, who writes in it, and how it ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/desk.rs"]
mod desk;

use desk::{ADA, ASKER, BOT, Desk, Disk, FOLLOWED, FOLLOWED_IF_WANTED, MINUTE_MS, USER, timers, under};
use engine::gateway::PostSessionStatus::{Finished, InProgress, Offered, Ready, Waiting};
use engine::gateway::{
    Actor, Author, ChatState, Command, Done, EndedBy, Limits, PostSession, PostSessionStatus, PostSessionStep, Status,
    TransferTo, open,
};
use wire::ErrorCode;

/// Bodies are texts; the bot's greeting and answers are those of the other tests.
fn queued_in(menu_id: u64) -> Desk {
    let change = open(ChatState { id: 7, ..ChatState::new(5, menu_id, None, 100) }, &desk::Bot, 100);
    let limits = Limits { post_session_timeout_ms: Some(20 * MINUTE_MS), ..timers() };
    Desk::with_limits(Disk { state: change.state, messages: change.messages }, limits)
}

/// A chat that Ada had and ended.
fn ended_in(menu_id: u64) -> Desk {
    let mut desk = queued_in(menu_id);
    desk.done(ADA, Command::Accept).unwrap();
    desk.done(ADA, Command::Finish).unwrap();
    desk
}

fn step(desk: &mut Desk, to: PostSessionStatus, opted_in: Option<bool>) -> Option<ErrorCode> {
    desk.done(USER, Command::PostSession(PostSessionStep { to, opted_in })).err()
}

/// The post-session of such a chat, brought to where it should stand.
fn followed(menu_id: u64, to: PostSessionStatus) -> Desk {
    let mut desk = ended_in(menu_id);
    let way: &[PostSessionStatus] = match to {
        Offered => &[],
        Ready => &[Ready],
        InProgress => &[Ready, InProgress],
        Waiting => &[Ready, InProgress, Waiting],
        Finished => &[Ready, InProgress, Finished],
    };
    for to in way {
        assert_eq!(step(&mut desk, *to, Some(true)), None, "{to:?}");
    }
    assert_eq!(part(&desk).status, to);
    desk
}

fn part(desk: &Desk) -> PostSession {
    desk.disk.state.post_session.expect("a post-session")
}

fn last(desk: &Desk, count: usize) -> Vec<&str> {
    let texts = desk.disk.texts();
    texts[texts.len() - count..].to_vec()
}

#[test]
fn it_is_offered_where_an_agent_had_the_chat_and_a_person_ended_it() {
    let end_by_agent = |desk: &mut Desk| drop(desk.done(ADA, Command::Finish).unwrap());
    let end_by_user = |desk: &mut Desk| drop(desk.done(USER, Command::Finish).unwrap());
    let time_out = |desk: &mut Desk| desk.tick_at(desk.due_ms());
    let dismiss = |desk: &mut Desk| {
        desk.said(USER, "u", "quiet").unwrap();
        desk.said(ADA, "a", "x").unwrap();
        desk.tick_at(desk.due_ms());
        assert_eq!(desk.status(), Status::Dismissed);
    };
    type Act<'a> = &'a dyn Fn(&mut Desk);
    let accept: Act = &|desk| drop(desk.done(ADA, Command::Accept).unwrap());
    let to_queue: Act = &|desk| drop(desk.done(ADA, Command::Transfer(TransferTo::Queue(3))).unwrap());
    let table: [(&str, u64, &[Act], bool); 8] = [
        ("by the agent", FOLLOWED, &[accept, &end_by_agent], true),
        ("by the end user", FOLLOWED, &[accept, &end_by_user], true),
        ("by the end user whose agent was let go", FOLLOWED, &[accept, &dismiss, &end_by_user], true),
        ("before an agent came", FOLLOWED, &[&end_by_user], false),
        ("by silence", FOLLOWED, &[accept, &time_out], false),
        ("in a queue without", 3, &[accept, &end_by_agent], false),
        ("where the chat was handed to a queue without", FOLLOWED, &[accept, to_queue, accept, &end_by_agent], false),
        ("thrown away", FOLLOWED, &[accept, &|desk| drop(desk.done(USER, Command::Drop).unwrap())], false),
    ];
    for (name, menu_id, acts, is_offered) in table {
        let mut desk = queued_in(menu_id);
        acts.iter().for_each(|act| act(&mut desk));
        assert!(desk.disk.state.status.is_over(), "{name}");
        assert_eq!(desk.disk.texts().last(), Some(&"(chatEnded)"), "{name}");
        let offered = desk.disk.state.post_session.filter(|part| part.status == Offered);
        assert_eq!(offered.is_some(), is_offered, "{name}");
        assert!(!desk.disk.state.takes_messages() && !desk.disk.state.is_ongoing(), "{name}");
    }
}

#[test]
fn each_step_in_its_order_and_no_other() {
    let (ok, con) = (None, Some(ErrorCode::Conflict));
    // Rows: where it stands; columns, in the order of `PostSessionStatus::ALL`: offered, ready, in progress, waiting, finished.
    let table = [
        (Offered, [ok, ok, con, con, ok]),
        (Ready, [con, ok, ok, con, ok]),
        (InProgress, [con, con, ok, ok, ok]),
        (Waiting, [con, con, ok, ok, ok]),
        (Finished, [con, con, con, con, ok]),
    ];
    for (from, results) in table {
        for (to, expected) in PostSessionStatus::ALL.into_iter().zip(results) {
            let mut desk = followed(FOLLOWED, from);
            let before = desk.disk.state.clone();
            assert_eq!(step(&mut desk, to, None), expected, "{from:?} to {to:?}");
            if expected.is_some() || from == to {
                assert_eq!(desk.disk.state, before, "{from:?} to {to:?} changes nothing");
            } else {
                assert_eq!(part(&desk).status, to);
            }
            assert_eq!(desk.status(), Status::Finished, "the chat stays over");
        }
    }
}

#[test]
fn who_must_be_asked_first_is_asked_first() {
    let mut desk = ended_in(FOLLOWED_IF_WANTED);
    assert_eq!(step(&mut desk, Ready, None), Some(ErrorCode::Conflict), "nobody said yes");
    assert_eq!(step(&mut desk, Ready, Some(true)), None);
    assert_eq!(step(&mut desk, InProgress, None), None, "yes holds");
    assert_eq!(part(&desk).opted_in, Some(true));
    // A choice comes too late once it has begun.
    assert_eq!(step(&mut desk, Waiting, Some(false)), None);
    assert_eq!((part(&desk).status, part(&desk).opted_in), (Waiting, Some(true)));

    for to in [Ready, InProgress, Waiting, Finished] {
        for from in [Offered, Ready] {
            let mut desk = followed(FOLLOWED_IF_WANTED, from);
            let said = desk.disk.messages.len();
            assert_eq!(step(&mut desk, to, Some(false)), None, "no is an answer, whatever it comes with");
            let PostSession { status, opted_in, started_after, .. } = part(&desk);
            assert_eq!((status, opted_in, started_after), (Finished, Some(false), None));
            assert_eq!(desk.disk.messages.len(), said, "nothing is said about what never began");
            assert_eq!(step(&mut desk, to, Some(false)), None, "the same answer again");
            assert_eq!(step(&mut desk, Ready, Some(true)), Some(ErrorCode::Conflict), "it is over");
        }
    }
}

#[test]
fn the_virtual_agent_takes_over_and_only_the_end_user_talks_with_it() {
    let mut desk = followed(FOLLOWED, Ready);
    desk.join(1, ADA, 0);
    let ended_at_ms = desk.disk.state.ended_at_ms;
    let said = desk.disk.messages.len() as u64;
    assert_eq!(desk.said(USER, "early", "x"), Err(ErrorCode::ChatEnded));
    assert_eq!(step(&mut desk, InProgress, None), None);
    assert_eq!(part(&desk).started_after, Some(said));
    assert_eq!(last(&desk, 2), ["(postSessionStarted)", "hello"]);
    assert_eq!(desk.disk.messages.last().unwrap().author, Author::VirtualAgent(ASKER));
    assert_eq!(desk.disk.state.virtual_agent_id, Some(ASKER));
    assert_eq!(desk.disk.state.all_virtual_agent_ids, [ASKER]);
    assert!(desk.disk.state.is_ongoing());

    let Ok(Done::Sent { index, duplicate: false, .. }) = desk.said(USER, "u1", "fine") else { panic!("stored") };
    assert_eq!(last(&desk, 2), ["fine", "ok"]);
    assert_eq!(
        desk.said(USER, "u1", "again")
            .map(|done| matches!(done, Done::Sent { index: i, duplicate: true, .. } if i == index)),
        Ok(true)
    );
    assert_eq!(desk.said(ADA, "late", "x"), Err(ErrorCode::ChatEnded));
    for (actor, command) in
        [(USER, Command::Escalate), (ADA, Command::Accept), (ADA, Command::Transfer(TransferTo::Queue(4)))]
    {
        assert_eq!(desk.done(actor, command), Err(ErrorCode::ChatEnded));
    }
    assert_eq!(desk.said(Actor::EndUser(6), "x", "x"), Err(ErrorCode::Forbidden));
    assert_eq!(desk.reader(1).indexes.len(), desk.disk.messages.len(), "whoever had the chat reads on");
    let state = &desk.disk.state;
    assert_eq!(
        (state.status, state.ended_by, state.ended_at_ms),
        (Status::Finished, Some(EndedBy::Agent), ended_at_ms)
    );
}

#[test]
fn it_ends_by_either_side_and_nobody_is_led_back_to_a_person() {
    type End<'a> = &'a dyn Fn(&mut Desk);
    let table: [(&str, End, &[&str]); 5] = [
        (
            "the virtual agent ends it",
            &|desk| drop(desk.said(USER, "u", "bye").unwrap()),
            &["bye", "(postSessionEnded)"],
        ),
        (
            "the virtual agent would hand over",
            &|desk| drop(desk.said(USER, "u", "person").unwrap()),
            &["one moment", "(postSessionEnded)"],
        ),
        ("the page ends it", &|desk| assert_eq!(step(desk, Finished, None), None), &["(postSessionEnded)"]),
        (
            "the end user ends the chat",
            &|desk| drop(desk.done(USER, Command::Finish).unwrap()),
            &["(postSessionEnded)"],
        ),
        ("the end user throws it away", &|desk| drop(desk.done(USER, Command::Drop).unwrap()), &["(postSessionEnded)"]),
    ];
    for from in [InProgress, Waiting] {
        for (name, end, texts) in table {
            let mut desk = followed(FOLLOWED, from);
            end(&mut desk);
            assert_eq!(last(&desk, texts.len()), texts, "{name}");
            assert_eq!((part(&desk).status, desk.disk.state.virtual_agent_id), (Finished, None), "{name}");
            assert!(!desk.disk.state.is_ongoing(), "{name}");
            assert_eq!(desk.said(USER, "late", "x"), Err(ErrorCode::ChatEnded), "{name}");
            assert_eq!(desk.session.next_timeout_ms(), None, "{name}");
        }
    }
    let mut desk = followed(FOLLOWED, InProgress);
    desk.done(ADA, Command::Finish).unwrap();
    assert_eq!(part(&desk).status, InProgress, "it is not the agent's to end");
    // A repetition of the command that ended the chat declines nothing.
    let mut desk = followed(FOLLOWED, Offered);
    desk.done(USER, Command::Finish).unwrap();
    assert_eq!(part(&desk).status, Offered);
    desk.done(USER, Command::Drop).unwrap();
    assert_eq!(part(&desk).status, Finished, "what is thrown away is not followed by anything");
}

#[test]
fn a_message_brings_back_what_was_put_aside() {
    let mut desk = followed(FOLLOWED, Waiting);
    let moved_at_ms = part(&desk).moved_at_ms;
    desk.said(USER, "u1", "quiet").unwrap();
    assert_eq!(part(&desk).status, InProgress);
    assert!(part(&desk).moved_at_ms > moved_at_ms);
}

#[test]
fn who_says_nothing_for_long_enough_ends_it_also_over_a_restart() {
    let limits = Limits { post_session_timeout_ms: Some(20 * MINUTE_MS), ..timers() };
    for (from, texts) in [
        (Offered, vec!["(chatEnded)"]),
        (Ready, vec!["(chatEnded)"]),
        (InProgress, vec!["hello", "(postSessionEnded)"]),
        (Waiting, vec!["hello", "(postSessionEnded)"]),
    ] {
        let mut desk = under(followed(FOLLOWED, from), limits);
        let due_ms = part(&desk).moved_at_ms + 20 * MINUTE_MS;
        assert_eq!(desk.due_ms(), due_ms, "{from:?}");
        desk.tick_at(due_ms - 1);
        assert_eq!(part(&desk).status, from);
        desk.tick_at(due_ms);
        assert_eq!(part(&desk).status, Finished, "{from:?}");
        assert_eq!(last(&desk, texts.len()), texts, "{from:?}");
        assert_eq!(desk.session.next_timeout_ms(), None);
    }
    let mut desk = under(followed(FOLLOWED, InProgress), limits);
    desk.tick_at(desk.now_ms + 15 * MINUTE_MS);
    desk.said(USER, "u1", "quiet").unwrap();
    assert_eq!(desk.due_ms(), desk.disk.state.updated_at_ms + 20 * MINUTE_MS, "it runs from the newest message");
    let desk = under(followed(FOLLOWED, Offered), timers());
    assert_eq!(desk.session.next_timeout_ms(), None, "for ever, where that is wanted");
}

#[test]
fn steps_and_messages_of_one_moment_are_one_change_in_their_order() {
    let mut desk = followed(FOLLOWED, Ready);
    desk.send(USER, "early", "x");
    desk.ask(USER, Command::PostSession(PostSessionStep { to: InProgress, opted_in: None }));
    desk.send(USER, "first", "fine");
    desk.send(USER, "last", "bye");
    desk.send(USER, "late", "x");
    desk.settle();
    assert_eq!(last(&desk, 6), ["(postSessionStarted)", "hello", "fine", "ok", "bye", "(postSessionEnded)"]);
}

#[test]
fn the_virtual_agent_of_before_may_come_back_for_it() {
    let mut desk = ended_in(FOLLOWED);
    desk.disk.state.all_virtual_agent_ids = vec![BOT, ASKER];
    let mut desk = under(desk, timers());
    for to in [Ready, InProgress] {
        assert_eq!(step(&mut desk, to, None), None);
    }
    assert_eq!(desk.disk.state.all_virtual_agent_ids, [BOT, ASKER], "nobody is named twice");
}

//! The life of a chat, as tables and stories: who may do what in which state, and what each timer, transfer and check-in leads to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/desk.rs"]
mod desk;

use desk::{ADA, Desk, GRACE, MINUTE_MS, USER, answered, asking, at, restarted, timers, under};
use engine::gateway::{
    Actor, CheckIn, CheckInAnswer, CheckInLimits, Command, Done, EndedBy, FailReason, Input, Limits, PostSessionStatus,
    PostSessionStep, Status, TransferTo,
};
use wire::ErrorCode;

#[test]
fn who_may_do_what_in_which_state() {
    use ErrorCode::{ChatEnded, Conflict, Forbidden};
    let stranger = Actor::EndUser(6);
    let send = || Command::Send { client_id: "k".into(), body: "quiet".into() };
    let check_in = |answer| Command::CheckIn(answer);
    let step = |to| Command::PostSession(PostSessionStep { to, opted_in: None });
    let to_grace = || Command::Transfer(TransferTo::Agent(2));
    let to_queue = || Command::Transfer(TransferTo::Queue(4));
    let (ok, no, con, end) = (None, Some(Forbidden), Some(Conflict), Some(ChatEnded));
    // One column per state, in the order of `Status::ALL`: with a virtual agent, queued, assigned, dismissed, dismissed by the virtual agent,
    // checked out, finished, failed. `ok` is success.
    let table: Vec<(Actor, Command<String>, [Option<ErrorCode>; 8])> = vec![
        (USER, send(), [ok, ok, ok, ok, ok, ok, end, end]),
        (USER, Command::Escalate, [ok, ok, ok, ok, ok, ok, end, end]),
        (USER, Command::Resume, [con, con, con, ok, ok, con, con, con]),
        (USER, Command::Rejoin, [con, con, con, con, con, ok, con, con]),
        // None is asked for here.
        (USER, check_in(CheckInAnswer::Notified), [con; 8]),
        (USER, check_in(CheckInAnswer::Confirmed), [con; 8]),
        // Nothing follows here.
        (USER, step(PostSessionStatus::Ready), [con; 8]),
        (USER, step(PostSessionStatus::Finished), [con; 8]),
        (USER, Command::Finish, [ok; 8]),
        (USER, Command::Drop, [ok; 8]),
        (USER, Command::Accept, [no; 8]),
        (USER, to_grace(), [no; 8]),
        (USER, to_queue(), [no; 8]),
        (stranger, send(), [no; 8]),
        (stranger, Command::Resume, [no; 8]),
        (stranger, Command::Rejoin, [no; 8]),
        (stranger, check_in(CheckInAnswer::Confirmed), [no; 8]),
        (stranger, step(PostSessionStatus::Ready), [no; 8]),
        (stranger, Command::Finish, [no; 8]),
        (stranger, Command::Drop, [no; 8]),
        (stranger, Command::Escalate, [no; 8]),
        (stranger, to_queue(), [no; 8]),
        (ADA, send(), [no, no, ok, con, no, con, end, end]),
        (ADA, Command::Accept, [con, ok, ok, con, con, con, end, end]),
        (ADA, to_grace(), [no, no, ok, con, no, con, end, end]),
        (ADA, to_queue(), [no, no, ok, con, no, con, end, end]),
        (ADA, Command::Transfer(TransferTo::Agent(1)), [no, no, con, con, no, con, end, end]),
        (ADA, Command::Finish, [no, no, ok, con, no, con, ok, ok]),
        (ADA, Command::Resume, [no; 8]),
        (ADA, Command::Rejoin, [no; 8]),
        (ADA, check_in(CheckInAnswer::Confirmed), [no; 8]),
        (ADA, step(PostSessionStatus::Ready), [no; 8]),
        (ADA, Command::Drop, [no; 8]),
        (ADA, Command::Escalate, [no; 8]),
        (GRACE, send(), [no; 8]),
        (GRACE, Command::Accept, [con, ok, con, con, con, con, end, end]),
        (GRACE, to_grace(), [no; 8]),
        (GRACE, Command::Finish, [no; 8]),
    ];
    for (actor, command, expected) in table {
        for (status, expected) in Status::ALL.into_iter().zip(expected) {
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
    for status in Status::ALL.into_iter().filter(|status| !status.is_over()) {
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

/// What the end user's command led to.
fn asked(desk: &mut Desk, answer: CheckInAnswer) -> Result<(), ErrorCode> {
    desk.done(USER, Command::CheckIn(answer)).map(drop)
}

fn said_last(desk: &Desk) -> &str {
    desk.disk.texts().last().copied().unwrap_or_default()
}

#[test]
fn a_chat_that_is_handed_to_an_agent_is_theirs_at_once() {
    let mut desk = answered();
    desk.join(1, ADA, 0);
    let Ok(Done::State(state)) = desk.done(ADA, Command::Transfer(TransferTo::Agent(2))) else { panic!("a state") };
    assert_eq!((state.status, state.agent_id, state.all_agent_ids), (Status::Assigned, Some(2), vec![1, 2]));
    assert_eq!((state.menu_id, state.assigned_at_ms), (3, Some(state.updated_at_ms)));
    assert_eq!(said_last(&desk), "(chatTransferred)");
    assert_eq!(desk.reader(1).revision, desk.disk.state.revision, "who handed it on sees that");
    // Nobody is dismissed for what the former agent said.
    assert_eq!(desk.due_ms(), state.updated_at_ms + 60 * MINUTE_MS);
    for command in [Command::Finish, Command::Transfer(TransferTo::Queue(4))] {
        assert_eq!(desk.done(ADA, command), Err(ErrorCode::Conflict));
    }
    assert_eq!(desk.said(ADA, "late", "x"), Err(ErrorCode::Conflict));
    assert!(matches!(desk.said(ADA, "answer", "x"), Ok(Done::Sent { duplicate: true, .. })), "a retry is answered");
    desk.said(GRACE, "g1", "x").unwrap();
    desk.tick_at(desk.due_ms());
    assert_eq!(desk.status(), Status::Dismissed, "the end user wrote, to whomever");
}

#[test]
fn a_chat_that_is_handed_to_a_queue_waits_there_at_the_end() {
    for with_bot in [false, true] {
        let mut desk = Desk::new(with_bot);
        desk.done(USER, Command::Escalate).unwrap();
        desk.done(ADA, Command::Accept).unwrap();
        let Ok(Done::State(state)) = desk.done(ADA, Command::Transfer(TransferTo::Queue(4))) else { panic!("a state") };
        assert_eq!((state.status, state.menu_id, state.agent_id), (Status::Queued, 4, None));
        assert_eq!((state.queued_at_ms, state.virtual_agent_id), (Some(state.updated_at_ms), None));
        assert_eq!(said_last(&desk), "(chatTransferred)");
        assert_eq!(desk.said(ADA, "late", "x"), Err(ErrorCode::Conflict));
        desk.said(USER, "still here", "quiet").unwrap();
        assert_eq!(said_last(&desk), "quiet", "no virtual agent answers");
        // Whoever is free takes it, also who had it before.
        desk.done(ADA, Command::Accept).unwrap();
        assert_eq!(desk.disk.state.all_agent_ids, [1]);
    }
}

#[test]
fn of_two_transfers_at_once_one_counts() {
    let mut desk = at(Status::Assigned);
    desk.send(USER, "holds the disk", "quiet");
    let first = desk.ask(ADA, Command::Transfer(TransferTo::Agent(2)));
    let second = desk.ask(ADA, Command::Transfer(TransferTo::Queue(4)));
    desk.settle();
    assert!(desk.replies[&first].is_ok());
    assert_eq!(desk.replies[&second], Err(ErrorCode::Conflict));
    assert_eq!(desk.disk.state.agent_id, Some(2));
}

fn warned() -> Limits {
    Limits { dismiss_warning_ms: Some(3 * MINUTE_MS), ..timers() }
}

#[test]
fn who_is_dismissed_is_warned_before() {
    let mut desk = under(answered(), warned());
    let last_ms = desk.disk.state.updated_at_ms;
    assert_eq!(desk.due_ms(), last_ms + 7 * MINUTE_MS);
    desk.tick_at(desk.due_ms());
    assert_eq!((desk.status(), said_last(&desk)), (Status::Assigned, "(dismissalWarning)"));
    assert_eq!(desk.disk.state.dismiss_at_ms, Some(last_ms + 10 * MINUTE_MS));
    let mut desk = under(desk, warned());
    assert_eq!(desk.due_ms(), last_ms + 10 * MINUTE_MS, "a restart does not warn twice");
    desk.tick_at(desk.due_ms());
    assert_eq!(desk.status(), Status::Dismissed);
    assert_eq!(desk.disk.texts().iter().filter(|text| **text == "(dismissalWarning)").count(), 1);

    // An answer, or another word of the agent, takes the warning back.
    for actor in [USER, ADA] {
        let mut desk = under(answered(), warned());
        desk.tick_at(desk.due_ms());
        desk.said(actor, "in time", "quiet").unwrap();
        assert_eq!(desk.disk.state.dismiss_at_ms, None);
        desk.tick_at(last_ms + 10 * MINUTE_MS);
        assert_eq!(desk.status(), Status::Assigned, "{actor:?}");
    }
}

#[test]
fn a_late_warning_is_as_long_as_any() {
    let mut desk = under(answered(), warned());
    let late_ms = desk.due_ms() + 30 * MINUTE_MS;
    desk.tick_at(late_ms);
    desk.tick_at(late_ms + MINUTE_MS);
    assert_eq!(said_last(&desk), "(dismissalWarning)");
    assert_eq!(desk.due_ms(), late_ms + 4 * MINUTE_MS);
    assert_eq!(desk.disk.state.dismiss_at_ms, Some(late_ms + 4 * MINUTE_MS));
}

#[test]
fn the_virtual_agent_is_let_go_and_comes_back() {
    let limits = Limits { va_dismiss_after_ms: Some(5 * MINUTE_MS), ..timers() };
    let mut desk = under(at(Status::VaAssigned), limits);
    assert_eq!(desk.due_ms(), desk.disk.state.created_at_ms + 5 * MINUTE_MS, "who never wrote is silent too");
    desk.said(USER, "u1", "hm").unwrap();
    let wrote_ms = desk.disk.state.updated_at_ms;
    assert_eq!(desk.due_ms(), wrote_ms + 5 * MINUTE_MS);
    desk.tick_at(desk.due_ms());
    assert_eq!((desk.status(), said_last(&desk)), (Status::VaDismissed, "(chatDismissed)"));
    assert_eq!(desk.due_ms(), wrote_ms + 60 * MINUTE_MS, "the timeout runs on");

    let mut by_resume = under(Desk::with_limits(desk.disk.clone(), limits), limits);
    by_resume.done(USER, Command::Resume).unwrap();
    let state = by_resume.disk.state.clone();
    assert_eq!((state.status, state.virtual_agent_id), (Status::VaAssigned, Some(desk::BOT)));
    assert_eq!(said_last(&by_resume), "(chatResumed)");
    assert_eq!(by_resume.due_ms(), state.updated_at_ms + 5 * MINUTE_MS, "silence begins anew");

    let mut by_message = under(Desk::with_limits(desk.disk.clone(), limits), limits);
    by_message.said(USER, "back", "hello again").unwrap();
    assert!(by_message.disk.texts().ends_with(&["hello again", "(chatResumed)", "ok"]), "and it answers");

    let mut by_wish = under(Desk::with_limits(desk.disk.clone(), limits), limits);
    by_wish.done(USER, Command::Escalate).unwrap();
    assert_eq!((by_wish.status(), said_last(&by_wish)), (Status::Queued, "(escalationStarted)"));
}

#[test]
fn who_waits_in_vain_is_told_that_the_chat_failed() {
    let limits = Limits { queue_timeout_ms: Some(20 * MINUTE_MS), ..timers() };
    let mut desk = under(at(Status::Queued), limits);
    let queued_ms = desk.disk.state.queued_at_ms.unwrap();
    desk.now_ms += 5 * MINUTE_MS;
    desk.said(USER, "u1", "quiet").unwrap();
    assert_eq!(desk.due_ms(), queued_ms + 20 * MINUTE_MS, "messages do not prolong the wait");
    desk.tick_at(desk.due_ms());
    let state = desk.disk.state.clone();
    assert_eq!((state.status, state.fail_reason), (Status::Failed, Some(FailReason::Expired)));
    assert_eq!((state.ended_by, state.ended_at_ms), (Some(EndedBy::System), Some(state.updated_at_ms)));
    assert_eq!((said_last(&desk), desk.session.next_timeout_ms()), ("(chatEnded)", None));
    // An agent who takes it stops that clock.
    let mut desk = under(at(Status::Assigned), limits);
    assert_eq!(desk.due_ms(), desk.disk.state.active_at_ms + 60 * MINUTE_MS);
    desk.done(ADA, Command::Transfer(TransferTo::Queue(4))).unwrap();
    assert_eq!(desk.due_ms(), desk.disk.state.updated_at_ms + 20 * MINUTE_MS, "and a new queue is a new wait");
}

#[test]
fn who_waits_for_long_is_asked_and_keeps_the_place_by_an_answer() {
    let mut desk = under(at(Status::Queued), asking());
    let queued_ms = desk.disk.state.queued_at_ms.unwrap();
    assert_eq!(asked(&mut desk, CheckInAnswer::Confirmed), Err(ErrorCode::Conflict), "nothing was asked");
    assert_eq!(desk.due_ms(), queued_ms + 4 * MINUTE_MS);
    desk.tick_at(desk.due_ms());
    let asked_ms = desk.disk.state.updated_at_ms;
    assert_eq!((desk.status(), said_last(&desk)), (Status::Queued, "(checkInRequired)"));
    assert_eq!(desk.disk.state.check_in, Some(CheckIn { expires_at_ms: asked_ms + MINUTE_MS, notified: false }));
    // The page that shows it gets the whole minute, once.
    desk.now_ms += 50_000;
    asked(&mut desk, CheckInAnswer::Notified).unwrap();
    let shown_ms = desk.disk.state.updated_at_ms;
    assert_eq!(desk.due_ms(), shown_ms + MINUTE_MS);
    desk.now_ms += 20_000;
    asked(&mut desk, CheckInAnswer::Notified).unwrap();
    assert_eq!(desk.due_ms(), shown_ms + MINUTE_MS);
    let mut desk = under(desk, asking());
    assert_eq!(desk.due_ms(), shown_ms + MINUTE_MS, "whatever restarts");
    desk.said(USER, "u1", "quiet").unwrap();
    assert!(desk.disk.state.check_in.is_some(), "a message is no answer: it may have been written before");
    asked(&mut desk, CheckInAnswer::Confirmed).unwrap();
    let state = desk.disk.state.clone();
    assert_eq!((state.check_in, state.queued_at_ms), (None, Some(queued_ms)));
    assert_eq!(desk.due_ms(), state.updated_at_ms + 4 * MINUTE_MS, "it is asked again after as long");
    assert_eq!(asked(&mut desk, CheckInAnswer::Confirmed), Err(ErrorCode::Conflict));
    assert_eq!(asked(&mut desk, CheckInAnswer::Notified), Err(ErrorCode::Conflict));
}

#[test]
fn an_agent_who_comes_makes_the_question_pointless() {
    let mut desk = under(at(Status::Queued), asking());
    desk.tick_at(desk.due_ms());
    desk.done(ADA, Command::Accept).unwrap();
    assert_eq!(desk.disk.state.check_in, None);
    assert_eq!(asked(&mut desk, CheckInAnswer::Confirmed), Err(ErrorCode::Conflict));
    desk.tick_at(desk.now_ms + 5 * MINUTE_MS);
    assert_eq!(desk.status(), Status::Assigned);
}

#[test]
fn who_misses_a_check_in_leaves_the_queue_and_may_rejoin_it() {
    for rejoin_at_front in [false, true] {
        let limits = Limits { check_in: CheckInLimits { rejoin_at_front, ..asking().check_in }, ..asking() };
        let mut desk = under(at(Status::Queued), limits);
        desk.tick_at(desk.due_ms());
        desk.tick_at(desk.due_ms());
        assert_eq!((desk.status(), said_last(&desk)), (Status::CheckedOut, "(checkInTimedOut)"));
        assert_eq!(desk.done(ADA, Command::Accept), Err(ErrorCode::Conflict));
        desk.said(USER, "u1", "person").unwrap();
        assert_eq!((desk.status(), said_last(&desk)), (Status::CheckedOut, "person"), "a message does not requeue");
        assert_eq!(desk.done(USER, Command::Resume), Err(ErrorCode::Conflict));
        let before_ms = desk.disk.state.queued_at_ms;
        desk.done(USER, Command::Rejoin).unwrap();
        let state = desk.disk.state.clone();
        assert_eq!((state.status, state.queue_front), (Status::Queued, rejoin_at_front));
        assert_eq!(said_last(&desk), "(chatResumed)");
        assert!(state.queued_at_ms > before_ms);
        assert_eq!(desk.due_ms(), state.updated_at_ms + 4 * MINUTE_MS);
        assert_eq!(desk.done(USER, Command::Rejoin), Err(ErrorCode::Conflict));
        // The front is left with the queue.
        desk.done(ADA, Command::Accept).unwrap();
        assert!(!desk.disk.state.queue_front);
    }
    let mut desk = at(Status::CheckedOut);
    desk.done(USER, Command::Escalate).unwrap();
    assert_eq!(desk.status(), Status::Queued, "who asks for a person rejoins");
}

#[test]
fn whose_turn_comes_near_is_asked_once() {
    let asks = |desk: &Desk| desk.disk.texts().iter().filter(|text| **text == "(checkInRequired)").count();
    let place = |desk: &mut Desk, place| {
        desk.input(Input::Place { place });
        desk.settle();
    };
    // Who enters near the front has just been there.
    let mut desk = under(at(Status::Queued), asking());
    place(&mut desk, 2);
    assert_eq!((asks(&desk), desk.disk.state.revision), (0, 1));
    // Who comes from behind is asked, also when the gateway restarted meanwhile.
    for places in [vec![5, 4, 2], vec![3, 1]] {
        let mut desk = under(at(Status::Queued), asking());
        for next in places {
            assert_eq!(asks(&desk), 0);
            place(&mut desk, next);
            desk = under(desk, asking());
        }
        assert_eq!(asks(&desk), 1);
        asked(&mut desk, CheckInAnswer::Confirmed).unwrap();
        for next in [2, 1, 1] {
            place(&mut desk, next);
        }
        assert_eq!(asks(&desk), 1);
    }
    // Who is asked already is not asked again for coming near.
    let mut desk = under(at(Status::Queued), asking());
    place(&mut desk, 5);
    desk.tick_at(desk.due_ms());
    place(&mut desk, 1);
    asked(&mut desk, CheckInAnswer::Confirmed).unwrap();
    place(&mut desk, 1);
    assert_eq!(asks(&desk), 1);
    // Whoever answers far behind is asked once more when the turn comes.
    let mut desk = under(at(Status::Queued), asking());
    place(&mut desk, 5);
    desk.tick_at(desk.due_ms());
    asked(&mut desk, CheckInAnswer::Confirmed).unwrap();
    place(&mut desk, 2);
    assert_eq!(asks(&desk), 2);
    // Nobody else is asked: not with an agent, and not where no place is configured.
    let no_place = Limits { check_in: CheckInLimits { at_position: None, ..asking().check_in }, ..asking() };
    for (status, limits) in [(Status::Assigned, asking()), (Status::Queued, no_place), (Status::Queued, timers())] {
        let mut desk = under(at(status), limits);
        place(&mut desk, 5);
        place(&mut desk, 1);
        assert_eq!(asks(&desk), 0, "{status:?}");
    }
}

#[test]
fn who_hides_every_page_is_asked_whatever_the_wait() {
    let hidden_since = |desk: &Desk| desk.disk.state.hidden_since_ms;
    let see = |desk: &mut Desk, stream, visible| {
        desk.input(Input::Visibility { stream, visible });
        desk.settle();
    };
    let mut desk = under(at(Status::Queued), asking());
    let queued_ms = desk.disk.state.queued_at_ms.unwrap();
    desk.join(1, USER, 0);
    desk.join(2, USER, 0);
    desk.settle();
    see(&mut desk, 1, false);
    assert_eq!(hidden_since(&desk), None, "who says nothing is in view");
    see(&mut desk, 2, true);
    assert_eq!((hidden_since(&desk), desk.due_ms()), (None, queued_ms + 4 * MINUTE_MS));
    see(&mut desk, 2, false);
    let hidden_ms = desk.disk.state.updated_at_ms;
    assert_eq!((hidden_since(&desk), desk.due_ms()), (Some(hidden_ms), hidden_ms + 2 * MINUTE_MS));
    see(&mut desk, 2, true);
    assert_eq!(desk.due_ms(), queued_ms + 4 * MINUTE_MS);
    // The visible page goes, the hidden one stays; then nobody is there to say anything, and a restart keeps what is known.
    desk.input(Input::Leave { stream: 2 });
    desk.settle();
    let hidden_ms = desk.disk.state.updated_at_ms;
    assert_eq!(hidden_since(&desk), Some(hidden_ms));
    desk.input(Input::Leave { stream: 1 });
    desk.settle();
    let mut desk = under(desk, asking());
    assert_eq!(desk.due_ms(), hidden_ms + 2 * MINUTE_MS);
    desk.tick_at(desk.due_ms());
    assert_eq!(said_last(&desk), "(checkInRequired)");
    // Who answers is in view; a page that is still hidden begins anew.
    asked(&mut desk, CheckInAnswer::Confirmed).unwrap();
    assert_eq!(hidden_since(&desk), None);
    desk.join(3, USER, 0);
    see(&mut desk, 3, false);
    desk.tick_at(desk.due_ms());
    asked(&mut desk, CheckInAnswer::Confirmed).unwrap();
    assert_eq!(desk.due_ms(), desk.disk.state.updated_at_ms + 2 * MINUTE_MS);
    // A hidden page whose stream comes back goes on being hidden; one that says nothing is in view.
    for says_so in [true, false] {
        let mut desk = under(Desk::with_limits(desk.disk.clone(), asking()), asking());
        let since_ms = hidden_since(&desk).unwrap();
        desk.now_ms = since_ms + 10;
        desk.join(4, USER, desk.disk.state.last_index);
        assert_eq!(hidden_since(&desk), Some(since_ms));
        if says_so {
            see(&mut desk, 4, false);
        }
        let due_ms = since_ms + 2 * MINUTE_MS;
        desk.tick_at(due_ms);
        assert_eq!(desk.disk.state.check_in.is_some(), says_so);
    }
}

#[test]
fn visibility_is_heard_from_the_end_user_only_and_where_it_matters() {
    // Beside the streams too, for those that have said nothing.
    let mut desk = under(at(Status::Assigned), asking());
    desk.input(Input::VisibilityBeside { actor: USER, visible: false });
    desk.settle();
    assert!(desk.disk.state.hidden_since_ms.is_some());
    assert_eq!(desk.due_ms(), desk.disk.state.active_at_ms + 60 * MINUTE_MS, "an agent waits for nobody's page");
    desk.done(ADA, Command::Transfer(TransferTo::Queue(3))).unwrap();
    let queued_ms = desk.disk.state.queued_at_ms.unwrap();
    assert_eq!(desk.due_ms(), queued_ms + 2 * MINUTE_MS, "counted from the entry");
    // An agent's page, a stranger's, and one where nobody asks.
    let no_pages = Limits { check_in: CheckInLimits { hidden_after_ms: None, ..asking().check_in }, ..asking() };
    for (actor, limits) in [(ADA, asking()), (Actor::EndUser(6), asking()), (USER, no_pages), (USER, timers())] {
        let mut desk = under(at(Status::Assigned), limits);
        let before = desk.disk.state.clone();
        desk.join(1, actor, 0);
        desk.input(Input::Visibility { stream: 1, visible: false });
        desk.input(Input::VisibilityBeside { actor, visible: false });
        desk.settle();
        assert_eq!(desk.disk.state, before, "{actor:?}");
    }
}

#[test]
fn an_outage_takes_nobodys_place() {
    let mut desk = under(at(Status::Queued), asking());
    desk.tick_at(desk.due_ms());
    let back_ms = desk.due_ms() + 30 * MINUTE_MS;
    let mut desk = under(desk, asking());
    desk.tick_at(back_ms);
    assert_eq!((desk.status(), desk.due_ms()), (Status::Queued, back_ms + MINUTE_MS));
    asked(&mut desk, CheckInAnswer::Confirmed).unwrap();
    assert_eq!(desk.status(), Status::Queued);
}

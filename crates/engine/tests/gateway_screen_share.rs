//! Screen share: who may do what and when, what each step leads to, how it ends, and what no history can lead to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/desk.rs"]
mod desk;

use std::collections::{BTreeMap, BTreeSet};

use desk::{ADA, Desk, GRACE, MINUTE_MS, USER, answered, at, restarted, under};
use engine::gateway::ShareStatus::{Active, Authorizing, Ended, Pending};
use engine::gateway::{
    Actor, Author, Command, Done, Input, ScreenShare, ShareEnd, ShareFrom, ShareLimits, ShareProvider, ShareStart,
    ShareStatus, ShareStep, Status, TransferTo,
};
use proptest::prelude::*;
use wire::ErrorCode;

const CODE: &str = "012345";

fn start_of(client_id: &str, from: ShareFrom, provider: ShareProvider) -> ShareStep {
    ShareStep::Start(Box::new(ShareStart {
        client_id: client_id.to_owned(),
        page_id: "page".to_owned(),
        from,
        provider,
        code: (from == ShareFrom::Code).then(|| CODE.to_owned()),
        lang: None,
        custom_data: BTreeMap::new(),
    }))
}

fn start(client_id: &str, from: ShareFrom) -> ShareStep {
    start_of(client_id, from, ShareProvider::Rrweb)
}

fn activate(share_id: u64) -> ShareStep {
    ShareStep::Activate { share_id, page_id: "page".to_owned() }
}

fn join(code: &str) -> ShareStep {
    ShareStep::Join { code: code.to_owned() }
}

fn end(share_id: u64, reason: ShareEnd) -> ShareStep {
    ShareStep::End { share_id, reason }
}

fn step(desk: &mut Desk, actor: Actor, step: ShareStep) -> Option<ErrorCode> {
    desk.done(actor, Command::ScreenShare(step)).err()
}

fn share(desk: &Desk) -> &ScreenShare {
    desk.disk.state.screen_share.as_ref().expect("a share")
}

/// A chat that Ada has, whose share stands so.
fn shared(status: ShareStatus) -> Desk {
    let mut desk = at(Status::Assigned);
    let steps: &[(Actor, ShareStep)] = &[
        (USER, start("c", ShareFrom::Code)),
        (ADA, join(CODE)),
        (USER, activate(1)),
        (USER, end(1, ShareEnd::DeviceEnded)),
    ];
    let count = ShareStatus::ALL.iter().position(|other| *other == status).unwrap() + 1;
    for (actor, one) in &steps[..count] {
        assert_eq!(step(&mut desk, *actor, one.clone()), None, "{one:?}");
    }
    assert_eq!(share(&desk).status, status);
    desk
}

/// What was said since the chat was opened, of shares.
fn said(desk: &Desk) -> Vec<&str> {
    desk.disk.texts().into_iter().filter(|text| text.starts_with("(cobrowse")).collect()
}

#[test]
fn each_step_in_each_status() {
    let (ok, con, not) = (None, Some(ErrorCode::Conflict), Some(ErrorCode::NotFound));
    let steps = [
        (USER, start("d", ShareFrom::EndUser)),
        (USER, start("c", ShareFrom::Code)),
        (USER, activate(1)),
        (USER, end(1, ShareEnd::Denied)),
        (ADA, ShareStep::Ask),
        (ADA, join(CODE)),
        (ADA, join("999999")),
        (ADA, ShareStep::EndByAgent),
    ];
    // Rows: where it stands; columns: another one by the same page, the same once more, yes, no, the agent's question, the code, a wrong one, the
    // agent's end.
    let table = [
        (Pending, [ok, ok, con, ok, con, ok, not, ok]),
        (Authorizing, [ok, ok, ok, ok, con, ok, not, ok]),
        (Active, [ok, ok, ok, ok, con, ok, not, ok]),
        (Ended, [ok, ok, con, ok, ok, not, not, ok]),
    ];
    for (status, results) in table {
        for ((actor, one), expected) in steps.iter().zip(results) {
            let mut desk = shared(status);
            let before = desk.disk.state.clone();
            assert_eq!(step(&mut desk, *actor, one.clone()), expected, "{status:?}: {one:?}");
            if expected.is_some() && !(status == Pending && expected == not) {
                assert_eq!(desk.disk.state, before, "{status:?}: {one:?} changes nothing");
            }
        }
    }
}

#[test]
fn only_in_a_chat_that_an_agent_has_and_only_by_those_two() {
    let (con, over, not_theirs) = (Some(ErrorCode::Conflict), Some(ErrorCode::ChatEnded), Some(ErrorCode::Forbidden));
    for status in Status::ALL {
        let mut desk = at(status);
        let expected = match status {
            Status::Assigned => None,
            status if status.is_over() => over,
            _ => con,
        };
        assert_eq!(step(&mut desk, USER, start("c", ShareFrom::Code)), expected, "{status:?}");
        let expected = match status {
            Status::Assigned => con,
            _ => not_theirs,
        };
        assert_eq!(step(&mut desk, ADA, ShareStep::Ask), expected, "{status:?}");
        assert_eq!(step(&mut desk, GRACE, ShareStep::Ask), not_theirs, "{status:?}");
    }
    let table = [
        (Actor::EndUser(6), start("d", ShareFrom::Code)),
        (Actor::EndUser(6), activate(1)),
        (Actor::EndUser(6), end(1, ShareEnd::Denied)),
        (USER, ShareStep::Ask),
        (USER, join(CODE)),
        (USER, ShareStep::EndByAgent),
        (ADA, start("d", ShareFrom::Agent)),
        (ADA, activate(1)),
        (ADA, end(1, ShareEnd::Denied)),
        (GRACE, ShareStep::Ask),
        (GRACE, join(CODE)),
        (GRACE, ShareStep::EndByAgent),
    ];
    for status in ShareStatus::ALL {
        for (actor, one) in &table {
            let mut desk = shared(*status);
            let before = desk.disk.state.clone();
            assert_eq!(step(&mut desk, *actor, one.clone()), not_theirs, "{status:?}: {actor:?} {one:?}");
            assert_eq!(desk.disk.state, before);
        }
    }
}

#[test]
fn notices_name_who_speaks_and_each_share_ends_with_one() {
    let mut desk = at(Status::Assigned);
    assert_eq!(step(&mut desk, ADA, ShareStep::Ask), None);
    assert_eq!(step(&mut desk, USER, start("a", ShareFrom::Agent)), None);
    assert_eq!(step(&mut desk, USER, activate(1)), None);
    assert_eq!(step(&mut desk, USER, end(1, ShareEnd::DeviceEnded)), None);
    assert_eq!(step(&mut desk, USER, start("b", ShareFrom::EndUser)), None);
    assert_eq!(step(&mut desk, USER, end(2, ShareEnd::Denied)), None);
    let shown: Vec<(Author, &str)> = desk.disk.messages[1..].iter().map(|m| (m.author, m.body.as_str())).collect();
    let expected = [
        (Author::Agent(1), "(cobrowseRequestedFromAgent)"),
        (Author::System, "(cobrowseStarted)"),
        (Author::System, "(cobrowseEnded)"),
        (Author::EndUser(5), "(cobrowseRequestedFromEndUser)"),
        (Author::System, "(cobrowseFailed)"),
    ];
    assert_eq!(shown, expected);
    // A notice and its change are one transaction.
    desk.ask(USER, Command::ScreenShare(start("c", ShareFrom::Code)));
    let change = desk.commit.as_ref().unwrap();
    assert_eq!((change.messages.len(), change.state.screen_share.as_ref().unwrap().status), (1, Pending));
}

#[test]
fn a_second_share_replaces_one_that_is_not_active_and_its_key_does_not_come_back() {
    for status in [Pending, Authorizing] {
        let mut desk = shared(status);
        assert_eq!(step(&mut desk, USER, start("d", ShareFrom::EndUser)), None);
        assert_eq!((share(&desk).id, share(&desk).status), (2, Authorizing));
        assert_eq!(said(&desk), ["(cobrowseCodeGenerated)", "(cobrowseEnded)", "(cobrowseRequestedFromEndUser)"]);
        let before = desk.disk.state.clone();
        assert_eq!(step(&mut desk, USER, start("c", ShareFrom::Code)), Some(ErrorCode::Conflict), "a late repetition");
        assert_eq!(desk.disk.state, before);
        // After a restart, too.
        let mut desk = restarted(desk);
        assert_eq!(step(&mut desk, USER, start("c", ShareFrom::Code)), Some(ErrorCode::Conflict));
        assert_eq!(step(&mut desk, USER, activate(1)), Some(ErrorCode::Conflict), "the replaced one stays over");
        assert_eq!(step(&mut desk, USER, end(1, ShareEnd::Denied)), None, "and ending it does no harm");
        assert_eq!(desk.disk.state, before);
    }
    let mut desk = shared(Active);
    let before = desk.disk.state.clone();
    assert_eq!(step(&mut desk, USER, start("d", ShareFrom::EndUser)), None, "the same page has it");
    assert_eq!(desk.disk.state, before);
    let other = ShareStep::Start(Box::new(ShareStart {
        page_id: "another page".to_owned(),
        ..match start("d", ShareFrom::EndUser) {
            ShareStep::Start(start) => *start,
            _ => unreachable!(),
        }
    }));
    assert_eq!(step(&mut desk, USER, other), Some(ErrorCode::Conflict));
    assert_eq!(desk.disk.state, before);
}

#[test]
fn a_reloaded_page_takes_over_and_nothing_is_said_of_it() {
    let mut desk = shared(Active);
    let before = share(&desk).clone();
    let taken = ShareStep::Activate { share_id: 1, page_id: "reloaded".to_owned() };
    assert_eq!(step(&mut desk, USER, taken), None);
    assert_eq!(*share(&desk), ScreenShare { page_id: "reloaded".to_owned(), ..before });
    assert_eq!(said(&desk), ["(cobrowseCodeGenerated)", "(cobrowseStarted)"]);
}

#[test]
fn wrong_codes_are_counted_and_the_fifth_ends_the_share() {
    let mut desk = shared(Pending);
    for count in 1..=4 {
        assert_eq!(step(&mut desk, ADA, join("543210")), Some(ErrorCode::NotFound));
        assert_eq!((share(&desk).wrong_codes, share(&desk).status), (count, Pending));
        // What was counted is durable.
        desk = restarted(desk);
    }
    assert_eq!(step(&mut desk, ADA, join("543210")), Some(ErrorCode::NotFound));
    assert_eq!((share(&desk).status, share(&desk).ended_reason), (Ended, Some(ShareEnd::LimitEnforcement)));
    assert_eq!(share(&desk).code, None, "an ended share has no code");
    assert_eq!(step(&mut desk, ADA, join(CODE)), Some(ErrorCode::NotFound), "the right one comes too late");
    // Several at once share a change, and still count each.
    let mut desk = shared(Pending);
    desk.send(USER, "x", "quiet");
    let asked: Vec<u64> = (0..6).map(|_| desk.ask(ADA, Command::ScreenShare(join("543210")))).collect();
    desk.settle();
    assert!(asked.iter().all(|request| desk.replies[request] == Err(ErrorCode::NotFound)));
    assert_eq!((share(&desk).wrong_codes, share(&desk).status), (5, Ended));
}

#[test]
fn the_other_providers_share_is_active_without_our_asking() {
    let mut desk = at(Status::Assigned);
    assert_eq!(step(&mut desk, USER, start_of("c", ShareFrom::Code, ShareProvider::CobrowseIo)), None);
    assert_eq!(step(&mut desk, USER, activate(1)), None);
    assert_eq!((share(&desk).status, share(&desk).agent_id), (Active, Some(1)));
    // Its page says nothing here.
    desk.input(Input::PageHeard { at_ms: desk.now_ms });
    assert_eq!(desk.due_ms(), share(&desk).expires_at_ms);
}

#[test]
fn shares_end_with_the_chat_and_with_the_agent() {
    use ShareEnd::{AgentChanged, ChatEnded};
    let table: [(&str, Command<String>, Actor, ShareEnd, &str); 5] = [
        ("handed to a colleague", Command::Transfer(TransferTo::Agent(2)), ADA, AgentChanged, "(chatTransferred)"),
        ("handed to a queue", Command::Transfer(TransferTo::Queue(3)), ADA, AgentChanged, "(chatTransferred)"),
        ("ended by the agent", Command::Finish, ADA, ChatEnded, "(chatEnded)"),
        ("ended by the end user", Command::Finish, USER, ChatEnded, "(chatEnded)"),
        ("thrown away", Command::Drop, USER, ChatEnded, "(chatEnded)"),
    ];
    for (name, command, actor, reason, after) in table {
        for status in [Pending, Authorizing, Active] {
            let mut desk = shared(status);
            desk.done(actor, command.clone()).unwrap();
            assert_eq!((share(&desk).status, share(&desk).ended_reason), (Ended, Some(reason)), "{name}, {status:?}");
            assert!(share(&desk).ended_at_ms.is_some());
            let texts = desk.disk.texts();
            assert_eq!(texts[texts.len() - 2..], ["(cobrowseEnded)", after], "{name}, {status:?}");
        }
    }
    // A refused transfer leaves it alone.
    let mut desk = shared(Active);
    assert_eq!(desk.done(ADA, Command::Transfer(TransferTo::Agent(1))), Err(ErrorCode::Conflict));
    assert_eq!(share(&desk).status, Active);
    // The one who comes next was told nothing of it.
    let mut desk = shared(Active);
    desk.done(ADA, Command::Transfer(TransferTo::Agent(2))).unwrap();
    assert_eq!(step(&mut desk, GRACE, join(CODE)), Some(ErrorCode::NotFound));
    assert_eq!(step(&mut desk, USER, activate(1)), Some(ErrorCode::Conflict), "who said yes to Ada");
    assert_eq!(step(&mut desk, ADA, ShareStep::EndByAgent), Some(ErrorCode::Forbidden));
}

#[test]
fn each_wait_has_its_end() {
    let limits = ShareLimits::default();
    let table = [
        (Pending, limits.pending_ms, ShareEnd::PendingTimeout, "(cobrowseFailed)"),
        (Authorizing, limits.authorizing_ms, ShareEnd::AuthorizingTimeout, "(cobrowseFailed)"),
        (Active, limits.active_ms, ShareEnd::LimitEnforcement, "(cobrowseEnded)"),
    ];
    for (status, patience_ms, reason, notice) in table {
        let mut desk = shared(status);
        let since_ms = desk.disk.state.updated_at_ms;
        assert_eq!(share(&desk).expires_at_ms, since_ms + patience_ms, "{status:?}");
        // Nobody spoke of the page in this session: only the share's own time runs.
        desk = under(desk, engine::gateway::Limits::default());
        assert_eq!(desk.due_ms(), since_ms + patience_ms, "a restart changes nothing");
        desk.tick_at(since_ms + patience_ms - 1);
        assert_eq!(share(&desk).status, status);
        desk.tick_at(since_ms + patience_ms);
        assert_eq!((share(&desk).status, share(&desk).ended_reason), (Ended, Some(reason)));
        assert_eq!(said(&desk).last(), Some(&notice), "{status:?}");
    }
    assert_eq!(shared(Pending).disk.state.screen_share.as_ref().and_then(ScreenShare::due_at_ms), Some(601_003));
}

#[test]
fn a_page_that_falls_silent_ends_its_share() {
    let mut desk = shared(Active);
    let page_ms = ShareLimits::default().page_ms;
    let said_yes_ms = desk.now_ms;
    assert_eq!(desk.due_ms(), said_yes_ms + page_ms, "it was heard when it said yes");
    desk.input(Input::PageHeard { at_ms: said_yes_ms + 7_000 });
    desk.input(Input::PageHeard { at_ms: said_yes_ms + 3_000 });
    assert_eq!(desk.due_ms(), said_yes_ms + 7_000 + page_ms);
    assert!(!desk.session.is_idle(), "somebody must be there to notice");
    desk.tick_at(desk.due_ms());
    assert_eq!((share(&desk).status, share(&desk).ended_reason), (Ended, Some(ShareEnd::ActiveTimeout)));
    assert!(desk.session.is_idle());

    // A session that was loaded anew hears of the page as well.
    let mut desk = under(shared(Active), engine::gateway::Limits::default());
    let now_ms = desk.now_ms;
    desk.input(Input::PageHeard { at_ms: now_ms });
    desk.tick_at(now_ms + page_ms);
    assert_eq!(share(&desk).ended_reason, Some(ShareEnd::ActiveTimeout));
}

#[test]
fn who_shares_the_screen_is_not_silent() {
    let mut desk = answered();
    let dismissed_at_ms = desk.due_ms();
    assert_eq!(step(&mut desk, USER, start("c", ShareFrom::EndUser)), None);
    assert_eq!(step(&mut desk, USER, activate(1)), None);
    desk.input(Input::PageHeard { at_ms: dismissed_at_ms });
    desk.tick_at(dismissed_at_ms);
    assert_eq!((desk.status(), share(&desk).status), (Status::Assigned, Active));
    assert_eq!(step(&mut desk, USER, end(1, ShareEnd::DeviceEnded)), None);
    assert_eq!(desk.due_ms(), desk.now_ms - 1 + 10 * MINUTE_MS, "the silence begins with the end of the share");
    desk.tick_at(desk.due_ms());
    assert_eq!(desk.status(), Status::Dismissed);

    // A code that nobody types in keeps nobody.
    let mut desk = under(answered(), engine::gateway::Limits { dismiss_after_ms: Some(MINUTE_MS), ..desk::timers() });
    assert_eq!(step(&mut desk, USER, start("c", ShareFrom::Code)), None);
    desk.tick_at(desk.due_ms());
    assert_eq!((desk.status(), share(&desk).ended_reason), (Status::Dismissed, Some(ShareEnd::AgentChanged)));
}

#[derive(Clone, Debug)]
enum Event {
    Step(Actor, ShareStep),
    Command(Actor, Command<String>),
    Due,
    Later(u64),
    Heard,
    Restart,
}

fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![6 => Just(USER), 6 => Just(ADA), 2 => Just(GRACE), 1 => Just(Actor::EndUser(6))]
}

fn any_of<T: Copy + std::fmt::Debug + 'static>(values: &'static [T]) -> impl Strategy<Value = T> {
    (0..values.len()).prop_map(move |position| values[position])
}

fn event() -> impl Strategy<Value = Event> {
    let page = || (0..2_u8).prop_map(|page| format!("page-{page}"));
    let started = (0..8_u8, page(), any_of(ShareFrom::ALL), any_of(ShareProvider::ALL)).prop_map(
        |(key, page_id, from, provider)| match start_of(&format!("k{key}"), from, provider) {
            ShareStep::Start(start) => ShareStep::Start(Box::new(ShareStart { page_id, ..*start })),
            other => other,
        },
    );
    let share_id = || 1..6_u64;
    let steps = prop_oneof![
        4 => started,
        4 => (share_id(), page()).prop_map(|(share_id, page_id)| ShareStep::Activate { share_id, page_id }),
        2 => (share_id(), any_of(ShareEnd::ALL)).prop_map(|(share_id, reason)| end(share_id, reason)),
        1 => Just(ShareStep::Ask),
        3 => prop_oneof![Just(CODE), Just("999999")].prop_map(join),
        1 => Just(ShareStep::EndByAgent),
    ];
    let commands = prop_oneof![
        4 => Just(Command::Accept),
        3 => (0..9_u8).prop_map(|key| Command::Send { client_id: format!("m{key}"), body: "x".to_owned() }),
        1 => prop_oneof![Just(TransferTo::Agent(1)), Just(TransferTo::Agent(2)), Just(TransferTo::Queue(3))]
            .prop_map(Command::Transfer),
        1 => Just(Command::Resume),
    ];
    prop_oneof![
        12 => (actor(), steps).prop_map(|(actor, step)| Event::Step(actor, step)),
        4 => (actor(), commands).prop_map(|(actor, command)| Event::Command(actor, command)),
        1 => Just(Event::Due),
        1 => (1..200_000_u64).prop_map(Event::Later),
        1 => Just(Event::Heard),
        1 => Just(Event::Restart),
    ]
}

/// What was seen of shares.
#[derive(Default)]
struct Seen {
    last: Option<ScreenShare>,
    activated: BTreeSet<u64>,
}

impl Seen {
    /// Looks at what is durable after one command or timer.
    fn look(&mut self, desk: &Desk) {
        let state = &desk.disk.state;
        let count = |text: &str| said(desk).into_iter().filter(|other| *other == text).count() as u64;
        let ends = count("(cobrowseEnded)") + count("(cobrowseFailed)");
        let Some(share) = &state.screen_share else {
            assert!(self.last.is_none() && ends == 0);
            return;
        };
        let is_open = share.is_open();
        assert!(!is_open || (state.status == Status::Assigned), "{state:?}");
        assert!(!is_open || share.agent_id.is_none_or(|id| state.agent_id == Some(id)), "{state:?}");
        assert_eq!(share.ended_at_ms.is_some(), !is_open);
        assert_eq!(share.ended_reason.is_some(), !is_open);
        assert!(is_open || share.code.is_none());
        assert_eq!(ends + u64::from(is_open), share.id, "every one that began ends once: {:?}", said(desk));
        let before = self.last.as_ref().filter(|last| last.id == share.id).map(|last| last.status);
        let is_ours = share.provider == ShareProvider::Rrweb;
        match (before, share.status) {
            (None, Pending | Authorizing) | (Some(Pending), Authorizing) => {}
            (Some(Authorizing), Active) => {}
            (Some(Pending), Active) => assert!(!is_ours, "nobody was asked"),
            (Some(Pending | Authorizing | Active), Ended) => {}
            (Some(before), now) => assert_eq!(before, now, "{share:?}"),
            (None, now) => panic!("a share begins as {now:?}"),
        }
        if share.activated_at_ms.is_some() {
            self.activated.insert(share.id);
        }
        assert_eq!(count("(cobrowseStarted)"), self.activated.len() as u64);
        assert!(self.last.as_ref().is_none_or(|last| last.id <= share.id && share.id <= last.id + 1));
        self.last = Some(share.clone());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_any_history_one_share_is_open_that_was_agreed_to_and_each_ends_once(
        events in proptest::collection::vec(event(), 1..150),
    ) {
        let mut desk = restarted(at(Status::Assigned));
        let mut seen = Seen::default();
        for event in events {
            match event {
                Event::Step(actor, one) => {
                    let done = desk.done(actor, Command::ScreenShare(one));
                    if let Ok(Done::State(state)) = done {
                        prop_assert_eq!(&*state, &desk.disk.state, "what is answered is durable");
                    }
                }
                Event::Command(actor, command) => drop(desk.done(actor, command)),
                Event::Due => {
                    if let Some(due_ms) = desk.session.next_timeout_ms() {
                        desk.tick_at(due_ms.max(desk.now_ms + 1));
                    }
                }
                Event::Later(ms) => desk.tick_at(desk.now_ms + ms),
                Event::Heard => desk.input(Input::PageHeard { at_ms: desk.now_ms }),
                Event::Restart => {
                    let requests = desk.requests;
                    desk = restarted(desk);
                    desk.requests = requests;
                }
            }
            seen.look(&desk);
        }
        // The chat's end is every share's.
        let _ = desk.done(USER, Command::Finish);
        seen.look(&desk);
        prop_assert!(desk.disk.state.open_share().is_none());
    }
}

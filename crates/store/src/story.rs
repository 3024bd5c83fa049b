//! The script that every store passes: in memory, SQLite on disk, and the simulated disk of the reliability proofs. Needs no runtime of its
//! own, and panics where a promise is broken.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a broken promise is a panic")]

use std::sync::Arc;

use engine::gateway::{
    Author, Change, ChatState, CheckIn, EndedBy, FailReason, Message, PostSession, PostSessionOffer, PostSessionStatus,
    ScreenShare, ShareEnd, ShareFrom, ShareProvider, ShareStatus, Status,
};
use futures_util::future::join_all;
use serde_json::{Map, json};

use crate::{
    Announced, CapOf, Changed, ChatEvent, ChatRecord, Commit, EMBEDDED_PLATFORM, EndUserKey, Kept, MaskedAnswers,
    MediaKind, MediaQuota, MediaRecord, MessageBody, NewChat, NewEscalation, NewMedia, NewRecord, Overdue, PageLimit,
    Profile, Record, RecordCap, RecordKind, RecordQuery, Store, StoredMedia,
};

const ALL: PageLimit = PageLimit { messages: 1000, bytes: usize::MAX };

fn state(end_user_id: u64, menu_id: u64) -> ChatState {
    ChatState {
        all_virtual_agent_ids: vec![7],
        queued_at_ms: Some(1000),
        revision: 1,
        ..ChatState::new(end_user_id, menu_id, None, 1000)
    }
}

fn message(index: u64, author: Author, client_id: Option<&str>) -> Message<MessageBody> {
    let body = MessageBody::from_stored(format!(r#"{{"type":"text","content":"text {index} \u00e4 😀"}}"#));
    Message { index, author, client_id: client_id.map(str::to_owned), at_ms: 1000 + index, body }
}

fn new_chat(client_id: &str) -> NewChat {
    let mut request = Map::new();
    request.insert("custom_data".into(), json!({"unsigned": {"x": 1}}));
    NewChat {
        company_id: "acme".into(),
        platform: EMBEDDED_PLATFORM.into(),
        platform_ref: None,
        client_id: client_id.into(),
        lang: "en".into(),
        request,
    }
}

async fn user(store: &dyn Store, identifier: &str) -> u64 {
    store.end_user("acme", EndUserKey::Identifier(identifier.into()), Profile::default()).await.unwrap().id
}

async fn open_chat(store: &dyn Store, user: u64, client_id: &str, menu_id: u64) -> u64 {
    let opening = Change { state: state(user, menu_id), messages: vec![] };
    store.create_chat(new_chat(client_id), opening).await.unwrap().chat_id
}

async fn next(store: &dyn Store, chat_id: u64, edit: impl FnOnce(&mut ChatState)) -> ChatState {
    let mut state = store.chat(chat_id).await.unwrap().unwrap().state;
    state.revision += 1;
    edit(&mut state);
    state
}

async fn change(store: &dyn Store, chat_id: u64, edit: impl FnOnce(&mut ChatState)) {
    let state = next(store, chat_id, edit).await;
    assert_eq!(store.commit(Change { state, messages: vec![] }).await.unwrap(), Commit::Committed);
}

/// The whole script, for a store with nothing in it.
///
/// # Panics
/// Where the store breaks a promise.
pub async fn story(store: Arc<dyn Store>) {
    keys_are_made_once(&*store).await;
    end_users_are_known_by_identifier_or_secret(&*store).await;
    chats_are_created_once_per_key(&*store).await;
    changes_are_whole_and_only_on_top_of_their_revision(&*store).await;
    pages_are_bounded(&*store).await;
    queues_are_listed_in_order(&*store).await;
    quiet_chats_are_found_longest_first(&*store).await;
    chats_in_queues_are_found_when_something_is_due(&*store).await;
    chats_in_post_sessions_are_found_and_ongoing(&*store).await;
    screen_shares_are_kept_and_found_while_they_are_open(&*store).await;
    load_and_handling_time_follow_the_chats(&*store).await;
    the_first_choice_after_an_escalation_counts(&*store).await;
    masked_answers_are_kept_once_for_each_submission(&*store).await;
    events_are_kept_in_order_up_to_their_limit(&*store).await;
    the_history_is_what_ended_newest_first(&*store).await;
    files_are_announced_and_completed_once(&*store).await;
    records_are_kept_once_per_key_and_within_their_limits(&*store).await;
    records_change_only_on_top_of_their_revision(&*store).await;
    records_are_found_by_whose_they_are_and_where_they_stand(&*store).await;
    agents_keep_their_numbers_and_sign_ins_end(&*store).await;
    concurrent_changes_of_one_chat_have_one_winner(&store).await;
    many_chats_are_written_at_once(&store).await;
}

/// What the next process finds: for a store that keeps things, opened anew after [`story`].
///
/// # Panics
/// Where something is missing or changed.
pub async fn story_of_the_next_process(store: &dyn Store) {
    assert_eq!(store.meta_or_insert("k", vec![9]).await.unwrap(), [1, 2]);
    let uma = user(store, "uma").await;
    let race = open_chat(store, uma, "race", 3).await;
    assert_eq!(store.messages_after(race, 0, ALL).await.unwrap().len(), 1);
    assert_eq!(store.agent_session([3; 32], 0).await.unwrap().map(|(_, expires)| expires), Some(900));
}

async fn keys_are_made_once(store: &dyn Store) {
    assert_eq!(store.meta_or_insert("k", vec![1, 2]).await.unwrap(), [1, 2]);
    assert_eq!(store.meta_or_insert("k", vec![3]).await.unwrap(), [1, 2]);
    assert_eq!(store.meta_or_insert("l", vec![3]).await.unwrap(), [3]);
}

async fn end_users_are_known_by_identifier_or_secret(store: &dyn Store) {
    let by = |text: &str| EndUserKey::Identifier(text.into());
    let profile = Profile { name: Some("Uma".into()), email: Some("u@x".into()), phone: None };
    let uma = store.end_user("acme", by("uma"), profile).await.unwrap();
    let later = Profile { name: None, email: Some("new@x".into()), phone: Some("1".into()) };
    let again = store.end_user("acme", by("uma"), later).await.unwrap();
    assert_eq!(again.id, uma.id);
    assert_eq!((again.profile.name.as_deref(), again.profile.email.as_deref()), (Some("Uma"), Some("new@x")));
    assert!(store.end_user_by_id(uma.id).await.unwrap() == Some(again));
    assert!(store.end_user_by_id(999).await.unwrap().is_none());
    assert_ne!(store.end_user("other", by("uma"), Profile::default()).await.unwrap().id, uma.id);
    let anonymous = store.end_user("acme", EndUserKey::SecretSha256([1; 32]), Profile::default()).await.unwrap();
    assert_eq!(anonymous.identifier, None);
    let other = store.end_user("acme", EndUserKey::SecretSha256([2; 32]), Profile::default()).await.unwrap();
    assert_ne!(anonymous.id, other.id);
    let back = store.end_user("acme", EndUserKey::SecretSha256([1; 32]), Profile::default()).await.unwrap();
    assert_eq!(anonymous.id, back.id);
}

async fn chats_are_created_once_per_key(store: &dyn Store) {
    let (uma, eve) = (user(store, "uma").await, user(store, "eve").await);
    assert!(store.ongoing_chat(uma).await.unwrap().is_none());
    let opening = || {
        let state = ChatState { last_index: 1, ..state(uma, 3) };
        Change { state, messages: vec![message(1, Author::VirtualAgent(7), None)] }
    };
    let created = store.create_chat(new_chat("open"), opening()).await.unwrap();
    assert!(created.fresh);
    let again = store.create_chat(new_chat("open"), opening()).await.unwrap();
    assert!(!again.fresh && again.chat_id == created.chat_id);
    let hers = store.create_chat(new_chat("open"), Change { state: state(eve, 3), messages: vec![] }).await.unwrap();
    assert!(hers.fresh && hers.chat_id != created.chat_id);

    assert_eq!(store.chat_opened_with(uma, "open").await.unwrap(), Some(created.chat_id));
    assert_eq!(store.chat_opened_with(eve, "open").await.unwrap(), Some(hers.chat_id));
    assert_eq!(store.chat_opened_with(eve, "another").await.unwrap(), None);

    let record = store.chat(created.chat_id).await.unwrap().unwrap();
    assert_eq!(record.state, ChatState { id: created.chat_id, ..opening().state });
    assert_eq!(
        (record.company_id.as_str(), record.platform.as_str(), record.lang.as_str()),
        ("acme", EMBEDDED_PLATFORM, "en")
    );
    assert_eq!(record.request, new_chat("").request);
    assert_eq!(record.end_user.identifier.as_deref(), Some("uma"));
    assert_eq!(store.messages_after(created.chat_id, 0, ALL).await.unwrap(), opening().messages);
    assert!(store.chat(u64::MAX).await.unwrap().is_none());
    assert_eq!(store.ongoing_chat(uma).await.unwrap().unwrap().state.id, created.chat_id);

    let newer = open_chat(store, uma, "newer", 3).await;
    assert_eq!(store.ongoing_chat(uma).await.unwrap().unwrap().state.id, newer);
    change(store, newer, |state| state.dropped = true).await;
    assert_eq!(store.ongoing_chat(uma).await.unwrap().unwrap().state.id, created.chat_id);
    change(store, created.chat_id, |state| state.status = Status::Finished).await;
    assert!(store.ongoing_chat(uma).await.unwrap().is_none());
    for chat in [newer, hers.chat_id] {
        change(store, chat, |state| state.status = Status::Finished).await;
    }
}

async fn changes_are_whole_and_only_on_top_of_their_revision(store: &dyn Store) {
    let uma = user(store, "uma").await;
    let chat = open_chat(store, uma, "whole", 3).await;
    let author = Author::EndUser(uma);
    let two = next(store, chat, |state| state.last_index = 2).await;
    let messages = vec![message(1, author, Some("a")), message(2, Author::System, None)];
    let first = Change { state: two.clone(), messages };
    assert_eq!(store.commit(first.clone()).await.unwrap(), Commit::Committed);
    assert_eq!(store.commit(first.clone()).await.unwrap(), Commit::Conflict, "the same change again");
    let ahead = ChatState { revision: two.revision + 2, ..two.clone() };
    assert_eq!(store.commit(Change { state: ahead, messages: vec![] }).await.unwrap(), Commit::Conflict);
    assert_eq!(
        store.commit(Change { state: ChatState { id: 999_999, ..two.clone() }, messages: vec![] }).await.unwrap(),
        Commit::Conflict
    );

    // An index or a key that was used is refused, and nothing of the change is stored.
    let three = next(store, chat, |state| state.last_index = 3).await;
    for bad in [message(2, author, None), message(3, author, Some("a"))] {
        let messages = vec![message(4, author, Some("new")), bad];
        assert!(store.commit(Change { state: three.clone(), messages }).await.is_err());
    }
    assert_eq!(store.chat(chat).await.unwrap().unwrap().state, two);
    assert_eq!(store.messages_after(chat, 0, ALL).await.unwrap(), first.messages);
    // The same key of another author is another key.
    let messages = vec![message(3, Author::Agent(1), Some("a"))];
    assert_eq!(store.commit(Change { state: three, messages }).await.unwrap(), Commit::Committed);

    let keys = store.sent_keys(chat).await.unwrap();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[&(author, "a".to_owned())], (1, 1001));
    assert_eq!(keys[&(Author::Agent(1), "a".to_owned())], (3, 1003));
    assert!(store.sent_keys(999_999).await.unwrap().is_empty());
    change(store, chat, |state| state.status = Status::Finished).await;
}

async fn pages_are_bounded(store: &dyn Store) {
    let uma = user(store, "uma").await;
    let chat = open_chat(store, uma, "pages", 3).await;
    let state = next(store, chat, |state| (state.last_index, state.status) = (1200, Status::Finished)).await;
    let messages = (1..=1200).map(|index| message(index, Author::EndUser(uma), Some(&format!("k{index}")))).collect();
    store.commit(Change { state, messages }).await.unwrap();
    let indexes = async |after, limit| {
        let page = store.messages_after(chat, after, limit).await.unwrap();
        page.iter().map(|message| message.index).collect::<Vec<u64>>()
    };
    assert_eq!(indexes(0, ALL).await, (1..=1000).collect::<Vec<_>>());
    assert_eq!(indexes(1000, ALL).await, (1001..=1200).collect::<Vec<_>>());
    assert_eq!(indexes(5, PageLimit { messages: 3, bytes: usize::MAX }).await, [6, 7, 8]);
    let one = message(1, Author::System, None).body.json().len();
    assert_eq!(indexes(0, PageLimit { messages: 10, bytes: 2 * one }).await, [1, 2]);
    assert_eq!(indexes(0, PageLimit { messages: 10, bytes: 1 }).await, [1], "always at least one");
    assert!(indexes(1200, ALL).await.is_empty());
}

async fn queues_are_listed_in_order(store: &dyn Store) {
    let uma = user(store, "uma").await;
    let ada = store.register_agent("queue-ada", "Ada", None).await.unwrap();
    let mut chats = Vec::new();
    for (key, queued_at_ms) in [("q1", 3000), ("q2", 2000), ("q3", 2000)] {
        let chat = open_chat(store, uma, key, 3).await;
        change(store, chat, |state| state.queued_at_ms = Some(queued_at_ms)).await;
        chats.push(chat);
    }
    let ids = |records: Vec<ChatRecord>| records.iter().map(|record| record.state.id).collect::<Vec<_>>();
    assert_eq!(ids(store.waiting_chats(10).await.unwrap()), [chats[1], chats[2], chats[0]]);
    assert_eq!(ids(store.waiting_chats(1).await.unwrap()), [chats[1]]);
    // Who rejoined at the front is before the others.
    change(store, chats[0], |state| (state.queue_front, state.menu_id) = (true, 4)).await;
    change(store, chats[2], |state| state.queue_behind = true).await;
    assert_eq!(ids(store.waiting_chats(10).await.unwrap()), [chats[0], chats[1], chats[2]]);
    let queues = store.queues(10).await.unwrap();
    let found: Vec<(u64, u64, bool)> =
        queues.iter().map(|chat| (chat.chat_id, chat.menu_id, chat.queue_behind)).collect();
    assert_eq!(found, [(chats[0], 4, false), (chats[1], 3, false), (chats[2], 3, true)]);
    assert!(queues.iter().all(|chat| chat.company_id == "acme"));
    assert_eq!(store.queues(1).await.unwrap().len(), 1);
    for (chat, assigned_at_ms) in [(chats[0], 10), (chats[1], 9)] {
        change(store, chat, |state| {
            (state.status, state.agent_id, state.assigned_at_ms) = (Status::Assigned, Some(ada), Some(assigned_at_ms));
            state.all_agent_ids.push(ada);
        })
        .await;
    }
    assert_eq!(ids(store.waiting_chats(10).await.unwrap()), [chats[2]]);
    assert_eq!(ids(store.chats_of_agent(ada, 10).await.unwrap()), [chats[1], chats[0]]);
    assert_eq!(store.chat(chats[0]).await.unwrap().unwrap().state.all_agent_ids, [ada]);
    for chat in chats {
        change(store, chat, |state| (state.status, state.agent_id) = (Status::Finished, None)).await;
    }
    assert!(store.chats_of_agent(ada, 10).await.unwrap().is_empty());
}

async fn quiet_chats_are_found_longest_first(store: &dyn Store) {
    let uma = user(store, "uma").await;
    let mut chats = Vec::new();
    for (key, unanswered_since_ms, active_at_ms) in [("s1", None, 30), ("s2", Some(20), 40), ("s3", Some(10), 50)] {
        let chat = open_chat(store, uma, key, 3).await;
        change(store, chat, |state| {
            (state.status, state.updated_at_ms, state.end_user_wrote) = (Status::Assigned, 60, true);
            (state.unanswered_since_ms, state.active_at_ms) = (unanswered_since_ms, active_at_ms);
        })
        .await;
        let stored = store.chat(chat).await.unwrap().unwrap().state;
        assert_eq!((stored.updated_at_ms, stored.end_user_wrote), (60, true));
        assert_eq!((stored.unanswered_since_ms, stored.active_at_ms), (unanswered_since_ms, active_at_ms));
        chats.push(chat);
    }
    let quiet = async |unanswered_ms, silent_ms, limit| {
        let overdue = Overdue { unanswered_ms, silent_ms, ..Overdue::default() };
        store.quiet_chats(overdue, limit).await.unwrap()
    };
    let with_virtual_agent = async |until_ms| {
        let overdue = Overdue { silent_with_virtual_agent_ms: Some(until_ms), ..Overdue::default() };
        store.quiet_chats(overdue, 9).await.unwrap()
    };
    assert_eq!(quiet(None, None, 9).await, [0_u64; 0]);
    assert_eq!(quiet(Some(9), Some(29), 9).await, [0_u64; 0]);
    assert_eq!(quiet(Some(10), None, 9).await, [chats[2]]);
    assert_eq!(quiet(Some(900), None, 9).await, [chats[2], chats[1]]);
    assert_eq!(quiet(Some(900), Some(40), 9).await, [chats[2], chats[1], chats[0], chats[1]]);
    assert_eq!(quiet(Some(900), Some(900), 1).await, [chats[2], chats[0]]);
    assert_eq!(with_virtual_agent(900).await, [0_u64; 0]);
    change(store, chats[0], |state| state.status = Status::VaAssigned).await;
    assert_eq!(with_virtual_agent(29).await, [0_u64; 0]);
    assert_eq!(with_virtual_agent(30).await, [chats[0]]);
    assert_eq!(quiet(None, Some(900), 9).await, [chats[0], chats[1], chats[2]]);
    for (chat, status) in chats.into_iter().zip([Status::Finished, Status::Failed, Status::Finished]) {
        change(store, chat, |state| state.status = status).await;
    }
    assert_eq!(quiet(Some(900), Some(900), 9).await, [0_u64; 0]);
}

async fn chats_in_queues_are_found_when_something_is_due(store: &dyn Store) {
    let uma = user(store, "uma").await;
    let mut chats = Vec::new();
    for (key, queued_ms, seen_ms, hidden_ms, answer_by_ms) in [
        ("w1", 10, 10, None, None),
        ("w2", 20, 60, Some(30), None),
        ("w3", 30, 30, Some(40), None),
        ("w4", 40, 40, Some(40), Some(90)),
    ] {
        let chat = open_chat(store, uma, key, 3).await;
        change(store, chat, |state| {
            (state.queued_at_ms, state.seen_at_ms, state.hidden_since_ms) = (Some(queued_ms), Some(seen_ms), hidden_ms);
            state.check_in = answer_by_ms.map(|expires_at_ms| CheckIn { expires_at_ms, notified: true });
        })
        .await;
        chats.push(chat);
    }
    let stored = store.chat(chats[3]).await.unwrap().unwrap().state;
    assert_eq!(stored.check_in, Some(CheckIn { expires_at_ms: 90, notified: true }));
    assert_eq!((stored.seen_at_ms, stored.hidden_since_ms), (Some(40), Some(40)));
    let due = async |overdue| store.quiet_chats(overdue, 9).await.unwrap();
    let none = Overdue::default();
    let table = [
        (none, vec![]),
        (Overdue { queued_ms: Some(9), ..none }, vec![]),
        (Overdue { queued_ms: Some(30), ..none }, vec![0, 1, 2]),
        (Overdue { seen_ms: Some(50), ..none }, vec![0, 2]),
        // Whoever was seen since begins anew, and whoever is asked already is not asked.
        (Overdue { hidden_ms: Some(50), ..none }, vec![2]),
        (Overdue { hidden_ms: Some(60), ..none }, vec![1, 2]),
        (Overdue { check_in_ms: Some(89), ..none }, vec![]),
        (Overdue { check_in_ms: Some(90), ..none }, vec![3]),
        (Overdue { seen_ms: Some(10), check_in_ms: Some(90), ..none }, vec![0, 3]),
    ];
    for (overdue, expected) in table {
        let expected: Vec<u64> = expected.into_iter().map(|place: usize| chats[place]).collect();
        assert_eq!(due(overdue).await, expected, "{overdue:?}");
    }
    let every = Overdue { queued_ms: Some(900), ..none };
    assert_eq!(store.quiet_chats(every, 2).await.unwrap(), chats[..2]);
    // What a chat fails with, and the rest of what is new about it, comes back as it was.
    change(store, chats[0], |state| {
        (state.status, state.fail_reason) = (Status::Failed, Some(FailReason::Expired));
        (state.ended_by, state.dismiss_at_ms) = (Some(EndedBy::System), Some(7));
    })
    .await;
    let failed = store.chat(chats[0]).await.unwrap().unwrap().state;
    assert_eq!((failed.fail_reason, failed.dismiss_at_ms), (Some(FailReason::Expired), Some(7)));
    assert_eq!((failed.status, failed.ended_by), (Status::Failed, Some(EndedBy::System)));
    for (chat, status) in chats.iter().skip(1).zip([Status::CheckedOut, Status::VaDismissed, Status::Dismissed]) {
        change(store, *chat, |state| state.status = status).await;
        assert_eq!(store.chat(*chat).await.unwrap().unwrap().state.status, status);
    }
    assert_eq!(due(every).await, [0_u64; 0]);
    assert!(store.ongoing_chat(uma).await.unwrap().is_some(), "whoever checked out or was dismissed may come back");
    for chat in chats.iter().skip(1) {
        change(store, *chat, |state| state.status = Status::Failed).await;
    }
    assert!(store.ongoing_chat(uma).await.unwrap().is_none());
}

async fn chats_in_post_sessions_are_found_and_ongoing(store: &dyn Store) {
    let uma = user(store, "paula").await;
    let mut chats = Vec::new();
    let table = [
        ("ps1", PostSessionStatus::Offered, 10, None, None),
        ("ps2", PostSessionStatus::Finished, 20, Some(false), None),
        ("ps3", PostSessionStatus::Ready, 30, Some(true), None),
        ("ps4", PostSessionStatus::InProgress, 40, None, Some(3)),
        ("ps5", PostSessionStatus::Waiting, 50, None, Some(0)),
    ];
    for (key, status, moved_at_ms, opted_in, started_after) in table {
        let chat = open_chat(store, uma, key, 3).await;
        let offer = PostSessionOffer { virtual_agent_id: 9, opt_in_required: opted_in.is_some() };
        let part = PostSession { offer, status, opted_in, started_after, moved_at_ms };
        change(store, chat, |state| {
            (state.status, state.ended_by) = (Status::Finished, Some(EndedBy::Agent));
            state.post_session = Some(part);
        })
        .await;
        assert_eq!(store.chat(chat).await.unwrap().unwrap().state.post_session, Some(part));
        let ongoing = store.ongoing_chat(uma).await.unwrap().map(|chat| chat.state.id);
        let is_taken_up = !matches!(status, PostSessionStatus::Offered | PostSessionStatus::Finished);
        assert_eq!(ongoing, is_taken_up.then_some(chat), "{status:?}");
        chats.push(chat);
    }
    let due =
        async |ms| store.quiet_chats(Overdue { post_session_ms: Some(ms), ..Overdue::default() }, 9).await.unwrap();
    assert_eq!(due(9).await, [0_u64; 0]);
    assert_eq!(due(30).await, [chats[0], chats[2]]);
    assert_eq!(due(900).await, [chats[0], chats[2], chats[3], chats[4]]);
    assert_eq!(store.quiet_chats(Overdue { silent_ms: Some(900), ..Overdue::default() }, 9).await.unwrap(), [0_u64; 0]);
    change(store, chats[4], |state| state.dropped = true).await;
    assert_eq!(store.ongoing_chat(uma).await.unwrap().map(|chat| chat.state.id), Some(chats[3]));
    let goes_on = open_chat(store, uma, "ps6", 3).await;
    assert_eq!(store.ongoing_chat(uma).await.unwrap().map(|chat| chat.state.id), Some(goes_on), "the newest");
    for chat in chats.into_iter().chain([goes_on]) {
        change(store, chat, |state| (state.status, state.post_session) = (Status::Finished, None)).await;
    }
    assert!(store.ongoing_chat(uma).await.unwrap().is_none());
}

async fn screen_shares_are_kept_and_found_while_they_are_open(store: &dyn Store) {
    let uma = user(store, "shirley").await;
    let chat = open_chat(store, uma, "share", 3).await;
    assert_eq!(store.chat(chat).await.unwrap().unwrap().state.screen_share, None);
    let pending = ScreenShare {
        id: 7,
        client_id: "c".to_owned(),
        page_id: "page-one".to_owned(),
        from: ShareFrom::Code,
        provider: ShareProvider::Rrweb,
        status: ShareStatus::Pending,
        agent_id: None,
        code: Some("012345".to_owned()),
        wrong_codes: 2,
        created_at_ms: 100,
        activated_at_ms: None,
        ended_at_ms: None,
        ended_reason: None,
        expires_at_ms: 700,
    };
    let active = ScreenShare {
        status: ShareStatus::Active,
        provider: ShareProvider::CobrowseIo,
        agent_id: Some(9),
        activated_at_ms: Some(300),
        expires_at_ms: 5_000,
        ..pending.clone()
    };
    let ended = ScreenShare {
        status: ShareStatus::Ended,
        code: None,
        ended_at_ms: Some(400),
        ended_reason: Some(ShareEnd::AgentChanged),
        ..active.clone()
    };
    let due = async |ms| store.quiet_chats(Overdue { share_ms: Some(ms), ..Overdue::default() }, 9).await.unwrap();
    for (share, due_at_ms) in [(pending, Some(700)), (active, Some(300)), (ended, None)] {
        change(store, chat, |state| state.screen_share = Some(share.clone())).await;
        assert_eq!(store.chat(chat).await.unwrap().unwrap().state.screen_share.as_ref(), Some(&share));
        match due_at_ms {
            Some(ms) => assert_eq!((due(ms - 1).await, due(ms).await), (vec![], vec![chat]), "{share:?}"),
            None => assert_eq!(due(u64::from(u32::MAX)).await, [0_u64; 0]),
        }
    }
    change(store, chat, |state| state.status = Status::Finished).await;
}

async fn load_and_handling_time_follow_the_chats(store: &dyn Store) {
    let uma = user(store, "uma").await;
    let ada = store.register_agent("load-ada", "Ada", None).await.unwrap();
    assert_eq!(store.load("acme").await.unwrap().waiting, 0);
    assert_eq!(store.mean_handling_ms("acme", 44, 10).await.unwrap(), None);
    for (key, ended_at_ms, handling_ms) in [("h1", 50_000, 9_000), ("h2", 60_000, 1_000), ("h3", 70_000, 3_000)] {
        let chat = open_chat(store, uma, key, 44).await;
        assert_eq!(store.load("acme").await.unwrap().waiting, 1);
        assert_eq!(store.load("other").await.unwrap().waiting, 0);
        change(store, chat, |state| {
            (state.status, state.agent_id) = (Status::Assigned, Some(ada));
            state.assigned_at_ms = Some(ended_at_ms - handling_ms);
        })
        .await;
        let load = store.load("acme").await.unwrap();
        assert_eq!((load.waiting, load.assigned.get(&ada)), (0, Some(&1)));
        change(store, chat, |state| {
            (state.status, state.agent_id) = (Status::Finished, None);
            (state.ended_at_ms, state.ended_by) = (Some(ended_at_ms), Some(EndedBy::Agent));
        })
        .await;
        assert_eq!(store.chat(chat).await.unwrap().unwrap().state.ended_by, Some(EndedBy::Agent));
    }
    assert_eq!(store.mean_handling_ms("acme", 44, 2).await.unwrap(), Some(2_000), "the newest two");
    assert_eq!(store.mean_handling_ms("acme", 44, 10).await.unwrap(), Some(4_333));
    assert_eq!(store.mean_handling_ms("acme", 45, 10).await.unwrap(), None);
    let silent = open_chat(store, uma, "h4", 44).await;
    change(store, silent, |state| {
        (state.status, state.assigned_at_ms, state.ended_at_ms) = (Status::Finished, Some(1), Some(90_000));
        state.ended_by = Some(EndedBy::Timeout);
    })
    .await;
    assert_eq!(store.mean_handling_ms("acme", 44, 10).await.unwrap(), Some(4_333), "nobody worked on that one");
}

async fn the_first_choice_after_an_escalation_counts(store: &dyn Store) {
    let uma = user(store, "uma").await;
    let (chat, other) = (open_chat(store, uma, "escalated", 3).await, open_chat(store, uma, "escalated too", 3).await);
    let escalation =
        || NewEscalation { chat_id: chat, escalation_id: 5, at_ms: 9, reason: Some("x".into()), request: Map::new() };
    store.record_escalation(escalation()).await.unwrap();
    let choose = async |chat, id, channel| store.choose_escalation_channel(chat, id, channel, 10).await.unwrap();
    assert_eq!(choose(chat, 5, "email").await, "email");
    assert_eq!(choose(chat, 5, "human_agent").await, "email");
    store.record_escalation(escalation()).await.unwrap();
    assert_eq!(choose(chat, 5, "email").await, "email");
    // One that was not recorded, such as a virtual agent's own.
    assert_eq!(choose(chat, 8, "human_agent").await, "human_agent");
    assert_eq!(choose(other, 5, "virtual_agent").await, "virtual_agent", "the numbers are each chat's own");
    let known = store.escalations(chat, 10).await.unwrap();
    let shown: Vec<_> = known.iter().map(|e| (e.escalation_id, e.reason.as_deref(), e.channel.as_deref())).collect();
    assert_eq!(shown, [(5, Some("x"), Some("email")), (8, None, Some("human_agent"))]);
    assert_eq!(known.first().map(|first| first.at_ms), Some(9));
    assert_eq!(store.escalations(chat, 1).await.unwrap().len(), 1);
    for chat in [chat, other] {
        change(store, chat, |state| state.status = Status::Finished).await;
    }
}

async fn masked_answers_are_kept_once_for_each_submission(store: &dyn Store) {
    let uma = user(store, "uma").await;
    let (chat, other) = (open_chat(store, uma, "form", 3).await, open_chat(store, uma, "another form", 3).await);
    let masked = |masked_id: &str, answer: &str| MaskedAnswers {
        chat_id: chat,
        smart_action_id: 4,
        masked_id: masked_id.into(),
        answers: vec![json!({"question_id": 1, "value": answer})],
    };
    store.keep_masked_answers(masked("s-1", "first")).await.unwrap();
    store.keep_masked_answers(masked("s-1", "second")).await.unwrap();
    store.keep_masked_answers(masked("s-2", "third")).await.unwrap();
    let kept = async |chat, form, submission| store.masked_answers(chat, form, submission).await.unwrap();
    assert_eq!(kept(chat, 4, "s-1").await, [json!({"question_id": 1, "value": "first"})]);
    assert_eq!(kept(chat, 4, "s-2").await, [json!({"question_id": 1, "value": "third"})]);
    for (chat, form, submission) in [(other, 4, "s-1"), (chat, 5, "s-1"), (chat, 4, "s-3")] {
        assert!(kept(chat, form, submission).await.is_empty());
    }
    for chat in [chat, other] {
        change(store, chat, |state| state.status = Status::Finished).await;
    }
}

fn new_record(kind: RecordKind, end_user_id: u64, at_ms: u64) -> NewRecord {
    let mut body = Map::new();
    body.insert("z".into(), json!("\u{e4} \u{1f600}"));
    body.insert("a".into(), json!({"deep": [at_ms]}));
    NewRecord {
        kind,
        company_id: "acme".into(),
        end_user_id: Some(end_user_id),
        chat_id: None,
        key: None,
        topic: None,
        status: "open".into(),
        due_at_ms: None,
        at_ms,
        body,
    }
}

async fn keep(store: &dyn Store, record: NewRecord) -> Record {
    match store.keep_record(record, vec![]).await.unwrap() {
        Kept::Fresh(record) => record,
        other => panic!("not fresh: {other:?}"),
    }
}

async fn records_are_kept_once_per_key_and_within_their_limits(store: &dyn Store) {
    let (uma, bob) = (user(store, "uma").await, user(store, "bob").await);
    let chat = open_chat(store, uma, "rated", 3).await;
    let keyed = |at_ms: u64| NewRecord {
        key: Some("k-1".into()),
        chat_id: Some(chat),
        ..new_record(RecordKind::Rating, uma, at_ms)
    };
    let first = keep(store, keyed(10)).await;
    assert_eq!((first.revision, &first.content), (1, &keyed(10)));
    assert_eq!(store.record(RecordKind::Rating, first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(store.record(RecordKind::Call, first.id).await.unwrap(), None);
    assert_eq!(store.keep_record(keyed(20), vec![]).await.unwrap(), Kept::Known(first.clone()));
    assert_eq!(store.record_with_key(RecordKind::Rating, "acme", "k-1").await.unwrap(), Some(first.clone()));
    for (kind, company, key) in
        [(RecordKind::Call, "acme", "k-1"), (RecordKind::Rating, "other", "k-1"), (RecordKind::Rating, "acme", "k")]
    {
        assert_eq!(store.record_with_key(kind, company, key).await.unwrap(), None);
    }
    let cap = |of, since_ms, most| RecordCap { of, since_ms, statuses: vec![], most };
    let again = |at_ms| NewRecord { key: None, topic: Some("slot".into()), ..keyed(at_ms) };
    // What a key finds needs no room, and what is found is not counted twice.
    assert_eq!(store.keep_record(keyed(20), vec![cap(CapOf::Chat, 0, 0)]).await.unwrap(), Kept::Known(first.clone()));
    assert_eq!(store.keep_record(again(20), vec![cap(CapOf::Chat, 0, 1)]).await.unwrap(), Kept::Full);
    assert_eq!(store.keep_record(again(20), vec![cap(CapOf::EndUser, 10, 1)]).await.unwrap(), Kept::Full);
    assert_eq!(store.keep_record(again(20), vec![cap(CapOf::Topic, 0, 0)]).await.unwrap(), Kept::Full);
    assert_eq!(
        store.keep_record(again(20), vec![cap(CapOf::Company, 0, 9), cap(CapOf::Company, 0, 1)]).await.unwrap(),
        Kept::Full
    );
    let second = store.keep_record(again(20), vec![cap(CapOf::EndUser, 11, 1), cap(CapOf::Topic, 0, 1)]).await.unwrap();
    let Kept::Fresh(second) = second else { panic!("there was room") };
    assert!(second.id > first.id);
    let elsewhere = NewRecord { chat_id: None, ..again(30) };
    assert_eq!(store.keep_record(elsewhere.clone(), vec![cap(CapOf::Topic, 0, 1)]).await.unwrap(), Kept::Full);
    assert!(
        matches!(store.keep_record(elsewhere, vec![cap(CapOf::Chat, 0, 1)]).await.unwrap(), Kept::Fresh(_)),
        "no chat is shared"
    );
    let of_bob = NewRecord { end_user_id: Some(bob), ..again(30) };
    assert!(matches!(store.keep_record(of_bob, vec![cap(CapOf::EndUser, 0, 1)]).await.unwrap(), Kept::Fresh(_)));
    let only_done = RecordCap { statuses: vec!["done".into()], ..cap(CapOf::Company, 0, 1) };
    assert!(matches!(store.keep_record(again(40), vec![only_done]).await.unwrap(), Kept::Fresh(_)), "none is done");
    change(store, chat, |state| state.status = Status::Finished).await;
}

async fn records_change_only_on_top_of_their_revision(store: &dyn Store) {
    let uma = user(store, "uma").await;
    let taken = keep(store, NewRecord { topic: Some("ten".into()), ..new_record(RecordKind::Call, uma, 10) }).await;
    let mut call = keep(store, NewRecord { topic: Some("nine".into()), ..new_record(RecordKind::Call, uma, 11) }).await;
    call.content.status = "done".into();
    call.content.due_at_ms = Some(500);
    call.content.body.insert("b".into(), json!(2));
    let cap = RecordCap { of: CapOf::Topic, since_ms: 0, statuses: vec!["open".into()], most: 1 };
    // Itself does not count.
    assert_eq!(store.change_record(call.clone(), vec![cap.clone()]).await.unwrap(), Changed::Changed);
    assert_eq!(store.change_record(call.clone(), vec![]).await.unwrap(), Changed::Conflict, "another revision");
    let kept = store.record(RecordKind::Call, call.id).await.unwrap().unwrap();
    assert_eq!((kept.revision, &kept.content), (2, &call.content));
    let mut moved = kept.clone();
    moved.content.topic = taken.content.topic.clone();
    assert_eq!(store.change_record(moved.clone(), vec![cap]).await.unwrap(), Changed::Full);
    assert_eq!(store.record(RecordKind::Call, call.id).await.unwrap(), Some(kept.clone()), "nothing was written");
    moved.content.key = Some("new".into());
    moved.content.at_ms = 99;
    moved.content.company_id = "other".into();
    assert_eq!(store.change_record(moved, vec![]).await.unwrap(), Changed::Changed);
    let kept = store.record(RecordKind::Call, call.id).await.unwrap().unwrap();
    let content = &kept.content;
    assert_eq!(
        (content.topic.as_deref(), content.key.as_deref(), content.at_ms, content.company_id.as_str()),
        (Some("ten"), None, 11, "acme")
    );
    let unknown = Record { id: call.id + 1000, ..kept };
    assert_eq!(store.change_record(unknown, vec![]).await.unwrap(), Changed::Conflict);
}

async fn records_are_found_by_whose_they_are_and_where_they_stand(store: &dyn Store) {
    let (uma, bob) = (user(store, "uma").await, user(store, "bob").await);
    let chat = open_chat(store, uma, "mailed", 3).await;
    let mail = |user, at_ms, due_at_ms| NewRecord { due_at_ms, ..new_record(RecordKind::Mail, user, at_ms) };
    let a = keep(store, NewRecord { chat_id: Some(chat), ..mail(uma, 10, Some(300)) }).await.id;
    let b = keep(store, NewRecord { status: "sent".into(), topic: Some("t".into()), ..mail(bob, 20, None) }).await.id;
    let c = keep(store, NewRecord { company_id: "other".into(), ..mail(bob, 30, Some(200)) }).await.id;
    let d = keep(store, NewRecord { status: "failed".into(), ..mail(uma, 40, Some(200)) }).await.id;
    let all = RecordQuery::of(RecordKind::Mail, 10);
    let acme = Some(vec!["acme".to_owned()]);
    let table: Vec<(RecordQuery, Vec<u64>)> = vec![
        (all.clone(), vec![d, c, b, a]),
        (RecordQuery { limit: 2, ..all.clone() }, vec![d, c]),
        (RecordQuery { before_id: Some(c), ..all.clone() }, vec![b, a]),
        (RecordQuery { company_ids: acme.clone(), ..all.clone() }, vec![d, b, a]),
        (RecordQuery { company_ids: Some(vec![]), ..all.clone() }, vec![]),
        (RecordQuery { company_ids: Some(vec!["acme".into(), "other".into()]), ..all.clone() }, vec![d, c, b, a]),
        (RecordQuery { end_user_id: Some(bob), ..all.clone() }, vec![c, b]),
        (RecordQuery { chat_id: Some(chat), ..all.clone() }, vec![a]),
        (RecordQuery { topic: Some("t".into()), ..all.clone() }, vec![b]),
        (RecordQuery { statuses: vec!["open".into(), "failed".into()], ..all.clone() }, vec![d, c, a]),
        (RecordQuery { since_ms: Some(30), ..all.clone() }, vec![d, c]),
        (RecordQuery { due_until_ms: Some(300), ..all.clone() }, vec![c, d, a]),
        (RecordQuery { due_until_ms: Some(299), statuses: vec!["open".into()], ..all.clone() }, vec![c]),
        (RecordQuery::of(RecordKind::Email, 10), vec![]),
    ];
    for (query, expected) in table {
        let found: Vec<u64> = store.records(query.clone()).await.unwrap().iter().map(|record| record.id).collect();
        assert_eq!(found, expected, "{query:?}");
        let counted = store.count_records(query.clone()).await.unwrap();
        if query.limit >= 10 {
            assert_eq!(counted, u64::try_from(expected.len()).unwrap(), "{query:?}");
        } else {
            assert_eq!(counted, 4, "a limit counts nothing");
        }
    }
    change(store, chat, |state| state.status = Status::Finished).await;
}

async fn events_are_kept_in_order_up_to_their_limit(store: &dyn Store) {
    let uma = user(store, "uma").await;
    let (chat, other) = (open_chat(store, uma, "events", 3).await, open_chat(store, uma, "no events", 3).await);
    let event = |at_ms: u64| {
        let mut data = Map::new();
        data.insert("z".into(), json!(at_ms));
        data.insert("a".into(), json!({"deep": [1]}));
        ChatEvent { at_ms, name: format!("event-{at_ms}"), data }
    };
    let name = async |chat| store.chat(chat).await.unwrap().unwrap().end_user_name;
    assert_eq!(name(chat).await, None);
    assert!(store.record_event(chat, event(7), Some("Uma".into()), 2).await.unwrap());
    assert!(store.record_event(chat, event(3), None, 2).await.unwrap());
    assert!(!store.record_event(chat, event(9), Some("Eve".into()), 2).await.unwrap(), "full");
    assert_eq!(store.events(chat, 10).await.unwrap(), [event(7), event(3)]);
    assert_eq!(store.events(chat, 1).await.unwrap(), [event(7)]);
    assert!(store.events(other, 10).await.unwrap().is_empty());
    assert_eq!((name(chat).await.as_deref(), name(other).await), (Some("Uma"), None));
    assert!(store.record_event(999_999, event(1), None, 2).await.is_err(), "no such chat");
    for chat in [chat, other] {
        change(store, chat, |state| state.status = Status::Finished).await;
    }
}

async fn the_history_is_what_ended_newest_first(store: &dyn Store) {
    let (hal, ida) = (user(store, "hal").await, user(store, "ida").await);
    let mut chats = Vec::new();
    for (key, ended_at_ms) in [("e1", Some(30)), ("e2", None), ("e3", Some(10)), ("e4", Some(20))] {
        let chat = open_chat(store, hal, key, 3).await;
        if ended_at_ms.is_some() {
            change(store, chat, |state| (state.status, state.ended_at_ms) = (Status::Finished, ended_at_ms)).await;
        }
        chats.push(chat);
    }
    change(store, chats[2], |state| state.dropped = true).await;
    let ended = async |user, skip, limit| {
        let records = store.ended_chats(user, skip, limit).await.unwrap();
        records.iter().map(|record| record.state.id).collect::<Vec<_>>()
    };
    assert_eq!(ended(hal, 0, 10).await, [chats[3], chats[2], chats[0]]);
    assert_eq!(ended(hal, 1, 1).await, [chats[2]]);
    assert_eq!(ended(hal, 3, 10).await, [0_u64; 0]);
    assert_eq!(ended(ida, 0, 10).await, [0_u64; 0]);
    change(store, chats[1], |state| state.status = Status::Finished).await;
}

async fn files_are_announced_and_completed_once(store: &dyn Store) {
    let (uma, eve) = (user(store, "uma").await, user(store, "eve").await);
    let (chat, hers) = (open_chat(store, uma, "files", 3).await, open_chat(store, eve, "files", 3).await);
    let (uma, eve, agent) = (Author::EndUser(uma), Author::EndUser(eve), Author::Agent(uma));
    let new = |author, client_id: &str, size_bytes, created_at_ms| NewMedia {
        chat_id: if author == eve { hers } else { chat },
        author,
        kind: if author == agent { MediaKind::Document } else { MediaKind::Photo },
        client_id: client_id.into(),
        name: "cat".into(),
        size_bytes,
        created_at_ms,
    };
    let quota = |since_ms| MediaQuota { since_ms, files: 3, bytes: 100 };
    let Announced::Fresh(first) = store.announce_media(new(uma, "a", 40, 10), quota(0)).await.unwrap() else {
        panic!("it is new")
    };
    assert_eq!((first.chat_id, first.author, first.kind), (chat, uma, MediaKind::Photo));
    assert_eq!((first.size_bytes, &first.stored), (40, &None));
    assert_eq!(store.announce_media(new(uma, "a", 99, 10), quota(0)).await.unwrap(), Announced::Known(first.clone()));
    assert_eq!(store.announce_media(new(uma, "b", 61, 10), quota(0)).await.unwrap(), Announced::OverQuota);
    for other in [eve, agent] {
        let announced = store.announce_media(new(other, "a", 61, 10), quota(0)).await.unwrap();
        let Announced::Fresh(record) = announced else { panic!("it is another author's") };
        assert_eq!(store.media(record.id).await.unwrap(), Some(record.clone()));
        assert_eq!((record.author, record.kind == MediaKind::Document), (other, other == agent));
    }
    for key in ["b", "c"] {
        assert!(matches!(store.announce_media(new(uma, key, 1, 10), quota(0)).await.unwrap(), Announced::Fresh(_)));
    }
    assert_eq!(store.announce_media(new(uma, "d", 1, 20), quota(9)).await.unwrap(), Announced::OverQuota);
    assert!(matches!(store.announce_media(new(uma, "d", 1, 20), quota(10)).await.unwrap(), Announced::Fresh(_)));

    let stored = |object: &str| StoredMedia { object: object.into(), content_type: "image/png".into() };
    assert!(store.complete_media(first.id, stored("one"), 39).await.unwrap());
    assert!(!store.complete_media(first.id, stored("two"), 38).await.unwrap());
    assert!(!store.complete_media(999_999, stored("two"), 38).await.unwrap());
    let complete = MediaRecord { size_bytes: 39, stored: Some(stored("one")), ..first.clone() };
    assert_eq!(store.media(first.id).await.unwrap(), Some(complete.clone()));
    assert_eq!(store.announce_media(new(uma, "a", 1, 99), quota(0)).await.unwrap(), Announced::Known(complete));
    assert_eq!(store.media(999_999).await.unwrap(), None);
    for chat in [chat, hers] {
        change(store, chat, |state| state.status = Status::Finished).await;
    }
}

async fn agents_keep_their_numbers_and_sign_ins_end(store: &dyn Store) {
    let ada = store.register_agent("ada", "Ada", None).await.unwrap();
    let grace = store.register_agent("grace", "Grace", Some("/g.png")).await.unwrap();
    assert_ne!(ada, grace);
    assert_eq!(store.register_agent("ada", "Ada L.", None).await.unwrap(), ada);
    let agents = store.agents().await.unwrap();
    let known = agents.iter().find(|agent| agent.id == ada).unwrap();
    assert_eq!((known.login.as_str(), known.name.as_str()), ("ada", "Ada L."));
    assert_eq!(agents.iter().find(|agent| agent.id == grace).unwrap().avatar_url.as_deref(), Some("/g.png"));

    store.open_agent_session([1; 32], ada, 100, 0).await.unwrap();
    store.open_agent_session([2; 32], grace, 200, 0).await.unwrap();
    assert_eq!(store.agent_session([1; 32], 99).await.unwrap(), Some((ada, 100)));
    assert_eq!(store.agent_session([1; 32], 100).await.unwrap(), None);
    assert_eq!(store.agent_session([9; 32], 0).await.unwrap(), None);
    store.close_agent_session([2; 32]).await.unwrap();
    assert_eq!(store.agent_session([2; 32], 0).await.unwrap(), None);
    // Those that ended are forgotten with the next sign-in.
    store.open_agent_session([3; 32], ada, 900, 500).await.unwrap();
    assert_eq!(store.agent_session([1; 32], 0).await.unwrap(), None);
}

async fn concurrent_changes_of_one_chat_have_one_winner(store: &Arc<dyn Store>) {
    let uma = user(&**store, "uma").await;
    let chat = open_chat(&**store, uma, "race", 3).await;
    let state = next(&**store, chat, |state| (state.last_index, state.status) = (1, Status::Finished)).await;
    let racers: Vec<_> = (0..10)
        .map(|n| {
            let messages = vec![message(1, Author::EndUser(uma), Some(&format!("racer-{n}")))];
            let (store, change) = (Arc::clone(store), Change { state: state.clone(), messages });
            async move { store.commit(change).await.unwrap() }
        })
        .collect();
    let winners = join_all(racers).await.into_iter().filter(|commit| *commit == Commit::Committed).count();
    assert_eq!(winners, 1);
    assert_eq!(store.messages_after(chat, 0, ALL).await.unwrap().len(), 1);
}

async fn many_chats_are_written_at_once(store: &Arc<dyn Store>) {
    let uma = user(&**store, "uma").await;
    let mut chats = Vec::new();
    for n in 0..40 {
        chats.push(open_chat(&**store, uma, &format!("many-{n}"), 3).await);
    }
    let writers: Vec<_> = chats
        .iter()
        .map(|chat| {
            let (store, chat) = (Arc::clone(store), *chat);
            async move {
                for index in 1..=10 {
                    let state = next(&*store, chat, |state| state.last_index = index).await;
                    // One of the many is at fault; nobody else may pay for it.
                    let index = if chat % 7 == 0 && index == 5 { 1 } else { index };
                    let messages = vec![message(index, Author::EndUser(uma), Some(&format!("w{index}")))];
                    let result = store.commit(Change { state, messages }).await;
                    if result.is_err() {
                        return;
                    }
                }
            }
        })
        .collect();
    join_all(writers).await;
    for chat in chats {
        let expected = if chat % 7 == 0 { 4 } else { 10 };
        assert_eq!(store.messages_after(chat, 0, ALL).await.unwrap().len(), expected);
        assert_eq!(store.chat(chat).await.unwrap().unwrap().state.last_index, expected as u64);
    }
}

//! The client engine on its own, one input at a time: what it asks of the outside world and what it tells the application.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use engine::client::{Call, DeliveryState, Event, Input, Method, Output, Settled};
use serde_json::json;
use support::driver::{Driver, chat_state, message};
use wire::ErrorCode;

#[test]
fn calls_made_before_the_session_wait_for_it_and_share_one_exchange() {
    let mut driver = Driver::new();
    driver.feed(Input::Start);
    driver.feed(Input::Call { op: 1, call: Call::Company });
    driver.feed(Input::Call { op: 2, call: Call::Menus { key: Some("a&b".into()), lang: None } });
    driver.loaded(&[]);
    assert_eq!(driver.count(|output| matches!(output, Output::Authenticate)), 1);
    driver.feed(Input::Token(Ok("jwt".into())));
    let exchange = driver.take_request("/api/v1/sessions");
    assert_eq!(exchange.token, None);
    driver.answer(exchange.id, 200, json!({"session_token": "s", "expires_in_ms": 900_000, "end_user": {"id": 5}}));
    assert_eq!(driver.events(), ["authenticated", "ready"]);
    assert_eq!(driver.take_request("/api/v1/company").token.as_deref(), Some("s"));
    driver.take_request("/api/v1/menus?key=a%26b");
}

#[test]
fn an_anonymous_secret_is_made_once_and_read_back_afterwards() {
    let mut first = Driver::new();
    first.feed(Input::Start);
    first.loaded(&[]);
    let (key, secret) = first.stored().remove(0);
    assert_eq!(secret.len(), 43);
    let mut second = Driver::new();
    second.feed(Input::Start);
    second.loaded(&[(key, secret.clone())]);
    assert!(second.stored().is_empty());
    second.feed(Input::Token(Ok("jwt".into())));
    let exchange = second.take_request("/api/v1/sessions");
    assert_eq!(exchange.body.unwrap()["end_user_secret"], json!(secret));
}

#[test]
fn a_refused_session_is_renewed_once_for_all_calls_and_each_is_repeated_once() {
    let mut driver = Driver::ready();
    driver.feed(Input::Call { op: 1, call: Call::Company });
    driver.feed(Input::Call { op: 2, call: Call::LoadOngoingChat });
    let (first, second) = (driver.take_request("/api/v1/company"), driver.take_request("/api/v1/chats/ongoing"));
    driver.refuse(first.id, 401, "unauthorized");
    driver.refuse(second.id, 401, "unauthorized");
    assert_eq!(driver.count(|output| matches!(output, Output::Authenticate)), 1);
    driver.grant("s2", 5);
    let (first, second) = (driver.take_request("/api/v1/company"), driver.take_request("/api/v1/chats/ongoing"));
    assert_eq!((first.token.as_deref(), second.token.as_deref()), (Some("s2"), Some("s2")));
    driver.refuse(first.id, 401, "unauthorized");
    assert_eq!(driver.rejection(1).code, ErrorCode::Unauthorized);
}

#[test]
fn a_failing_authenticate_rejects_what_waits_and_the_next_call_tries_again() {
    let mut driver = Driver::new();
    driver.feed(Input::Start);
    driver.loaded(&[]);
    driver.feed(Input::Call { op: 1, call: Call::Company });
    driver.take_authentication();
    driver.feed(Input::Token(Err(())));
    assert_eq!(driver.rejection(1).code, ErrorCode::AuthenticationFailed);
    assert_eq!(driver.events(), ["error authentication_failed"]);
    driver.feed(Input::Call { op: 2, call: Call::Company });
    assert_eq!(driver.count(|output| matches!(output, Output::Authenticate)), 1);
    driver.grant("s", 5);
    driver.take_request("/api/v1/company");
}

#[test]
fn a_session_is_renewed_before_it_expires_while_the_old_one_is_still_used() {
    let mut driver = Driver::ready();
    driver.wait(840_001);
    assert_eq!(driver.count(|output| matches!(output, Output::Authenticate)), 1);
    driver.feed(Input::Call { op: 1, call: Call::Company });
    assert_eq!(driver.take_request("/api/v1/company").token.as_deref(), Some("s"));
}

#[test]
fn a_refusal_carries_code_status_and_the_time_to_wait() {
    let mut driver = Driver::ready();
    driver.feed(Input::Call { op: 1, call: Call::Company });
    let request = driver.take_request("/api/v1/company");
    driver.answer(
        request.id,
        429,
        json!({"error": {"code": "rate_limited", "message": "Wait.", "retry_after_ms": 2500}}),
    );
    let error = driver.rejection(1);
    assert_eq!((error.code, error.status, error.retry_after_ms), (ErrorCode::RateLimited, Some(429), Some(2500)));
    assert!(error.is_retryable());
}

#[test]
fn an_answer_of_something_between_page_and_gateway_still_gives_a_typed_error() {
    let mut driver = Driver::ready();
    for (op, status, code) in
        [(1, 502, ErrorCode::Unavailable), (2, 404, ErrorCode::NotFound), (3, 413, ErrorCode::TooLarge)]
    {
        driver.feed(Input::Call { op, call: Call::Company });
        let request = driver.take_request("/api/v1/company");
        driver.answer(request.id, status, json!("<html>"));
        assert_eq!(driver.rejection(op).code, code);
    }
}

#[test]
fn an_aborted_call_is_cancelled_and_its_late_answer_changes_nothing() {
    let mut driver = Driver::ready();
    driver.feed(Input::Call { op: 1, call: Call::Company });
    let request = driver.take_request("/api/v1/company");
    driver.feed(Input::Abort { op: 1 });
    assert_eq!(driver.count(|output| matches!(output, Output::CancelHttp { request: id } if *id == request.id)), 1);
    assert_eq!(driver.rejection(1).code, ErrorCode::Aborted);
    driver.answer(request.id, 200, json!({}));
    assert!(driver.settled(1).is_none());
}

#[test]
fn a_call_that_is_never_answered_fails_in_time() {
    let mut driver = Driver::ready();
    driver.feed(Input::Call { op: 1, call: Call::Company });
    driver.take_request("/api/v1/company");
    driver.wait(14_999);
    assert!(driver.settled(1).is_none());
    driver.wait(2);
    assert_eq!(driver.rejection(1).code, ErrorCode::Timeout);
}

#[test]
fn calls_that_need_a_chat_say_so_where_there_is_none() {
    let mut driver = Driver::ready();
    driver.feed(Input::Call { op: 1, call: Call::FinishChat });
    driver
        .feed(Input::Call { op: 2, call: Call::Send { chat_id: None, message: json!({"type": "text"}), file: None } });
    driver.feed(Input::Call { op: 3, call: Call::Escalate { request: None } });
    for op in 1..=3 {
        assert_eq!(driver.rejection(op).code, ErrorCode::NoChat);
    }
    driver.feed(Input::Call { op: 4, call: Call::FetchMessages });
    assert!(matches!(driver.settled(4), Some(Ok(Settled::Messages(messages))) if messages.is_empty()));
    assert_eq!(driver.events(), ["error no_chat"]);
    driver.feed(Input::Call { op: 5, call: Call::DestroyChat });
    assert!(matches!(driver.settled(5), Some(Ok(Settled::Done))));
}

#[test]
fn creating_a_chat_joins_its_stream_from_the_first_message_and_connects_once() {
    let mut driver = Driver::ready();
    driver.create_chat(7);
    let join = driver.open_stream();
    assert_eq!(join, json!({"type": "join", "token": "s", "chat_id": 7, "cursor": 0}));
    driver.frame(json!({"type": "joined", "chat": chat_state(7, 1, 0), "cursor": 0, "heartbeat_ms": 20_000}));
    driver
        .frame(json!({"type": "update", "messages": [message(1, "virtual_agent", 1), message(2, "virtual_agent", 1)]}));
    assert_eq!(
        driver.events(),
        [
            "connection connecting",
            "chat.connected",
            "connection online",
            "message 1",
            "unread 1",
            "message 2",
            "unread 2"
        ]
    );
    driver.drop_stream(1006);
    let join = driver.open_stream();
    assert_eq!(join["cursor"], json!(2));
    driver.frame(json!({"type": "joined", "chat": chat_state(7, 1, 3), "cursor": 2, "heartbeat_ms": 20_000}));
    driver
        .frame(json!({"type": "update", "messages": [message(2, "virtual_agent", 1), message(3, "virtual_agent", 1)]}));
    assert_eq!(
        driver.events(),
        ["connection connecting", "chat.reconnected", "connection online", "message 3", "unread 3"]
    );
}

#[test]
fn a_gap_in_the_stream_is_never_shown_but_resumed() {
    let mut driver = Driver::in_chat(7);
    driver.frame(json!({"type": "update", "messages": [message(1, "agent", 1), message(3, "agent", 1)]}));
    assert_eq!(driver.events(), ["message 1", "unread 1", "error protocol", "connection connecting"]);
    assert_eq!(driver.open_stream()["cursor"], json!(1));
}

#[test]
fn a_silent_stream_is_given_up_and_resumed() {
    let mut driver = Driver::in_chat(7);
    driver.wait(49_999);
    assert_eq!(driver.count(|output| matches!(output, Output::CloseStream { .. })), 0);
    driver.wait(2);
    assert_eq!(driver.count(|output| matches!(output, Output::CloseStream { .. })), 1);
    assert_eq!(driver.open_stream()["cursor"], json!(0));
}

#[test]
fn a_ping_is_answered() {
    let mut driver = Driver::in_chat(7);
    driver.frame(json!({"type": "ping"}));
    assert_eq!(driver.sent_frames(), [json!({"type": "pong"})]);
}

#[test]
fn a_closing_gateway_is_left_alone_for_a_random_part_of_the_time_it_asked_for() {
    let mut driver = Driver::in_chat(7);
    driver.frame(json!({"type": "closing", "retry_after_ms": 5000}));
    let due_ms = driver.next_stream_ms();
    assert!(due_ms <= 5000, "{due_ms}");
    driver.wait(5001);
    driver.open_stream();
}

#[test]
fn an_expired_stream_gets_a_new_session_before_it_is_joined_again() {
    let mut driver = Driver::in_chat(7);
    driver.frame(json!({"type": "error", "code": "unauthorized", "message": "expired"}));
    assert_eq!(driver.count(|output| matches!(output, Output::OpenStream { .. })), 0);
    driver.grant("s2", 5);
    assert_eq!(driver.open_stream()["token"], json!("s2"));
}

#[test]
fn a_stream_refused_for_good_is_not_tried_again() {
    let mut driver = Driver::in_chat(7);
    driver.drop_stream(wire::close::NOT_FOUND);
    assert_eq!(driver.events(), ["error not_found", "connection offline"]);
    driver.wait(600_000);
    assert_eq!(driver.count(|output| matches!(output, Output::OpenStream { .. })), 0);
}

#[test]
fn live_messages_wait_for_a_fetch_and_what_it_returned_is_not_emitted() {
    let mut driver = Driver::in_chat(7);
    driver.feed(Input::Call { op: 1, call: Call::FetchMessages });
    driver.frame(
        json!({"type": "update", "messages": [message(1, "agent", 1), message(2, "agent", 1), message(3, "agent", 1)]}),
    );
    assert_eq!(driver.events(), Vec::<String>::new());
    let page = driver.take_request("/api/v1/chats/7/messages?after_index=0&limit=1000");
    driver.answer(page.id, 200, json!({"messages": [message(1, "agent", 1), message(2, "agent", 1)], "last_index": 2}));
    assert!(matches!(driver.settled(1), Some(Ok(Settled::Messages(messages))) if messages.len() == 2));
    // The caller has its turn before live messages go on.
    assert_eq!(driver.events(), Vec::<String>::new());
    driver.wait(0);
    assert_eq!(driver.events(), ["message 3", "unread 1"]);
}

#[test]
fn a_fetch_of_a_chat_that_was_put_aside_ends_no_wait_of_the_next() {
    let mut driver = Driver::in_chat(7);
    let path = |chat: u64| format!("/api/v1/chats/{chat}/messages?after_index=0&limit=1000");
    driver.feed(Input::Call { op: 1, call: Call::FetchMessages });
    let page = driver.take_request(&path(7));
    driver.answer(page.id, 200, json!({"messages": [message(1, "agent", 1)], "last_index": 1}));
    // In a hidden page timers come late.
    driver.feed(Input::Detach);
    driver.feed(Input::Call { op: 2, call: Call::LoadChat { chat_id: 8 } });
    let load = driver.take_request("/api/v1/chats/8");
    driver.answer(load.id, 200, json!({"chat": chat_state(8, 1, 0)}));
    driver.feed(Input::Call { op: 3, call: Call::FetchMessages });
    let page = driver.take_request(&path(8));
    driver.open_stream();
    driver.frame(json!({"type": "joined", "chat": chat_state(8, 1, 0), "cursor": 0, "heartbeat_ms": 20_000}));
    driver.frame(json!({"type": "update", "messages": [message(1, "agent", 1)]}));
    driver.events();
    driver.wait(0);
    assert_eq!(driver.events(), Vec::<String>::new(), "it waits for what is in flight");
    driver.answer(page.id, 200, json!({"messages": [message(1, "agent", 1)], "last_index": 1}));
    driver.wait(0);
    assert_eq!(driver.events(), Vec::<String>::new(), "what was returned is not shown");
}

#[test]
fn a_fetch_reads_all_pages() {
    let mut driver = Driver::in_chat(7);
    driver.feed(Input::Call { op: 1, call: Call::FetchMessages });
    let page = driver.take_request("/api/v1/chats/7/messages?after_index=0&limit=1000");
    driver.answer(page.id, 200, json!({"messages": [message(1, "agent", 1), message(2, "agent", 1)], "last_index": 3}));
    let page = driver.take_request("/api/v1/chats/7/messages?after_index=2&limit=1000");
    driver.answer(page.id, 200, json!({"messages": [message(3, "agent", 1)], "last_index": 3}));
    assert!(matches!(driver.settled(1), Some(Ok(Settled::Messages(messages))) if messages.len() == 3));
}

#[test]
fn a_failed_fetch_gives_nothing_an_error_event_and_lets_live_messages_go_on() {
    let mut driver = Driver::in_chat(7);
    driver.feed(Input::Call { op: 1, call: Call::FetchMessages });
    driver.frame(json!({"type": "update", "messages": [message(1, "agent", 1)]}));
    let page = driver.take_request("/api/v1/chats/7/messages?after_index=0&limit=1000");
    driver.no_answer(page.id);
    assert!(matches!(driver.settled(1), Some(Ok(Settled::Messages(messages))) if messages.is_empty()));
    assert_eq!(driver.events(), ["message 1", "unread 1", "error network"]);
}

#[test]
fn messages_go_out_one_at_a_time_in_order_and_are_forgotten_when_stored() {
    let mut driver = Driver::in_chat(7);
    driver.send(1, "first");
    driver.send(2, "second");
    assert_eq!(driver.stored().len(), 2);
    let post = driver.take_request("/api/v1/chats/7/messages");
    assert_eq!(post.method, Method::Post);
    assert_eq!(post.body.as_ref().unwrap()["message"]["content"], json!("first"));
    assert!(driver.find_request("/api/v1/chats/7/messages").is_none());
    driver.answer(post.id, 201, json!({"index": 1, "sid": "a", "timestamp_ms": 1}));
    assert!(matches!(driver.settled(1), Some(Ok(Settled::Sent { index: 1, .. }))));
    assert_eq!(driver.forgotten().len(), 1);
    let post = driver.take_request("/api/v1/chats/7/messages");
    assert_eq!(post.body.as_ref().unwrap()["message"]["content"], json!("second"));
}

#[test]
fn a_send_that_got_no_answer_is_repeated_with_the_same_key() {
    let mut driver = Driver::in_chat(7);
    driver.send(1, "hello");
    let first = driver.take_request("/api/v1/chats/7/messages");
    driver.no_answer(first.id);
    let second = driver.take_request("/api/v1/chats/7/messages");
    assert_eq!(first.body.unwrap()["client_id"], second.body.unwrap()["client_id"]);
    assert!(driver.settled(1).is_none());
}

#[test]
fn a_send_that_something_in_between_answered_is_repeated_with_the_same_key() {
    let mut driver = Driver::in_chat(7);
    driver.send(1, "hello");
    let mut keys = Vec::new();
    // A page of a captive portal, an answer without its end, what proxies say that the gateway never does.
    for (status, body) in
        [(200, json!("<html>")), (201, json!({"ind": 1})), (408, json!("late")), (421, json!("wrong"))]
    {
        let post = driver.take_request("/api/v1/chats/7/messages");
        keys.push(post.body.unwrap()["client_id"].clone());
        driver.answer(post.id, status, body);
        driver.wait(4_000);
    }
    let post = driver.take_request("/api/v1/chats/7/messages");
    assert!(driver.settled(1).is_none(), "the message may be stored, and nobody refused it");
    driver.answer(post.id, 200, json!({"index": 1}));
    assert!(matches!(driver.settled(1), Some(Ok(Settled::Sent { index: 1, .. }))));
    keys.push(post.body.unwrap()["client_id"].clone());
    keys.dedup();
    assert_eq!(keys.len(), 1);
}

#[test]
fn the_stream_confirms_a_send_whose_answer_was_lost() {
    let mut driver = Driver::in_chat(7);
    driver.send(1, "hello");
    let post = driver.take_request("/api/v1/chats/7/messages");
    driver.no_answer(post.id);
    let client_id = post.body.unwrap()["client_id"].clone();
    let mut echo = message(1, "end_user", 5);
    echo["client_id"] = client_id;
    driver.frame(json!({"type": "update", "messages": [echo]}));
    assert!(matches!(driver.settled(1), Some(Ok(Settled::Sent { index: 1, .. }))));
}

#[test]
fn a_message_that_is_refused_fails_and_the_next_goes_on() {
    let mut driver = Driver::in_chat(7);
    driver.send(1, "too long");
    driver.send(2, "fine");
    let post = driver.take_request("/api/v1/chats/7/messages");
    driver.refuse(post.id, 413, "too_large");
    assert_eq!(driver.rejection(1).code, ErrorCode::TooLarge);
    let post = driver.take_request("/api/v1/chats/7/messages");
    driver.answer(post.id, 201, json!({"index": 1}));
    assert!(matches!(driver.settled(2), Some(Ok(Settled::Sent { .. }))));
}

#[test]
fn a_message_that_cannot_be_delivered_in_time_is_given_up() {
    let mut driver = Driver::in_chat(7);
    driver.send(1, "hello");
    for _ in 0..200 {
        if let Some(post) = driver.find_request("/api/v1/chats/7/messages") {
            driver.no_answer(post.id);
        }
        driver.wait(1000);
    }
    let error = driver.rejection(1);
    assert_eq!(error.code, ErrorCode::Timeout);
    assert!(driver.outputs_contain(|output| matches!(output, Output::Emit(Event::Delivery(delivery)) if matches!(delivery.state, DeliveryState::Failed(_)))));
}

#[test]
fn a_later_page_takes_up_what_an_earlier_one_left_behind() {
    let mut first = Driver::in_chat(7);
    first.send(1, "typed offline");
    first.send(2, "and more");
    let left = first.stored();
    let mut second = Driver::ready_with(&left);
    for content in ["typed offline", "and more"] {
        let post = second.take_request("/api/v1/chats/7/messages");
        assert_eq!(post.body.as_ref().unwrap()["message"]["content"], json!(content));
        second.answer(post.id, 200, json!({"index": 4}));
    }
    assert_eq!(second.forgotten().len(), 2);
}

#[test]
fn what_an_earlier_page_left_behind_is_not_sent_for_longer_than_a_message_may_wait() {
    let mut first = Driver::in_chat(7);
    first.send(1, "typed offline");
    let mut second = Driver::ready_with(&first.stored());
    for _ in 0..200 {
        if let Some(post) = second.find_request("/api/v1/chats/7/messages") {
            second.no_answer(post.id);
        }
        second.wait(1000);
    }
    assert_eq!(second.forgotten().len(), 1);
    assert!(second.outputs_contain(|output| matches!(output, Output::Emit(Event::Delivery(delivery)) if matches!(delivery.state, DeliveryState::Failed(_)))));
}

#[test]
fn another_end_user_never_sends_or_keeps_what_the_former_one_queued() {
    let mut driver = Driver::in_chat(7);
    driver.send(1, "mine");
    let post = driver.take_request("/api/v1/chats/7/messages");
    driver.refuse(post.id, 401, "unauthorized");
    driver.events();
    driver.grant("other", 6);
    assert_eq!(driver.rejection(1).code, ErrorCode::IdentityChanged);
    assert!(driver.find_request("/api/v1/chats/7/messages").is_none());
    assert_eq!(driver.forgotten().len(), 1);
    assert!(driver.outputs_contain(|output| matches!(output, Output::Chat(None))));
    driver.wait(600_000);
    assert!(driver.find_request("/api/v1/chats/7/messages").is_none());
}

#[test]
fn stored_text_of_another_end_user_is_dropped_unread() {
    let mut first = Driver::in_chat(7);
    first.send(1, "mine");
    let left = first.stored();
    let mut driver = Driver::new();
    driver.feed(Input::Start);
    driver.loaded(&[]);
    driver.storage(&left);
    driver.grant("s", 6);
    assert!(driver.find_request("/api/v1/chats/7/messages").is_none());
    assert!(driver.stored_now().iter().all(|(key, _)| !key.contains("outbox")));
}

#[test]
fn the_end_of_a_chat_is_told_after_its_last_message() {
    let mut driver = Driver::in_chat(7);
    let mut ended = chat_state(7, 3, 1);
    ended["status"] = json!("finished");
    driver.feed(Input::Call { op: 1, call: Call::FinishChat });
    let patch = driver.take_request("/api/v1/chats/7");
    driver.answer(patch.id, 200, json!({"chat": ended}));
    assert!(matches!(driver.settled(1), Some(Ok(Settled::Done))));
    assert_eq!(driver.events(), ["chat.updated"]);
    driver.frame(json!({"type": "update", "messages": [message(1, "system", 0)]}));
    assert_eq!(driver.events(), ["message 1", "chat.ended", "chat.disconnected", "connection idle"]);
    driver.send(2, "too late");
    assert_eq!(driver.rejection(2).code, ErrorCode::ChatEnded);
}

#[test]
fn members_who_come_and_go_are_told_by_comparing_states() {
    let mut driver = Driver::in_chat(7);
    let mut state = chat_state(7, 2, 0);
    state["members"] = json!([{"type": "agent", "id": 1, "display_name": "Ada"}]);
    driver.frame(json!({"type": "update", "chat": state}));
    assert_eq!(driver.events(), ["chat.updated", "joined agent_1"]);
    driver.frame(json!({"type": "update", "chat": state}));
    assert_eq!(driver.events(), Vec::<String>::new());
    driver
        .frame(json!({"type": "typing", "member": {"type": "agent", "id": 1, "display_name": "Ada"}, "typing": true}));
    driver.frame(json!({"type": "update", "messages": [message(1, "agent", 1)]}));
    assert_eq!(driver.events(), ["typing agent_1", "stopped agent_1", "message 1", "unread 1"]);
    driver.frame(json!({"type": "update", "chat": chat_state(7, 3, 1)}));
    assert_eq!(driver.events(), ["chat.updated", "left agent_1"]);
}

#[test]
fn typing_is_throttled_and_ends_by_itself() {
    let mut driver = Driver::in_chat(7);
    for _ in 0..10 {
        driver.feed(Input::Typing(true));
        driver.wait(100);
    }
    assert_eq!(driver.sent_frames(), [json!({"type": "typing", "typing": true})]);
    driver.wait(6_000);
    assert_eq!(driver.sent_frames(), [json!({"type": "typing", "typing": false})]);
    driver.feed(Input::Typing(false));
    assert!(driver.sent_frames().is_empty());
}

#[test]
fn destroying_a_chat_forgets_it_here_and_ends_it_there() {
    let mut driver = Driver::in_chat(7);
    driver.send(1, "unsent");
    driver.feed(Input::Call { op: 2, call: Call::DestroyChat });
    assert_eq!(driver.rejection(1).code, ErrorCode::ChatEnded);
    assert_eq!(driver.forgotten().len(), 1);
    let request = driver.take_request("/api/v1/chats/7");
    assert_eq!(request.method, Method::Delete);
    assert!(driver.events().contains(&"chat.destroyed".to_owned()));
    driver.answer(request.id, 200, json!({"chat": chat_state(7, 9, 0)}));
    assert!(matches!(driver.settled(2), Some(Ok(Settled::Done))));
}

#[test]
fn nothing_ongoing_is_null_and_puts_a_stale_chat_aside() {
    let mut driver = Driver::in_chat(7);
    driver.feed(Input::Call { op: 1, call: Call::LoadOngoingChat });
    let request = driver.take_request("/api/v1/chats/ongoing");
    driver.answer(request.id, 200, json!({"chat": null}));
    assert!(matches!(driver.settled(1), Some(Ok(Settled::NoChat))));
    assert!(driver.outputs_contain(|output| matches!(output, Output::Chat(None))));
}

#[test]
fn closing_settles_everything_once_and_keeps_unsent_text_stored() {
    let mut driver = Driver::in_chat(7);
    driver.feed(Input::Call { op: 1, call: Call::Company });
    driver.send(2, "unsent");
    driver.feed(Input::Close);
    assert_eq!(driver.rejection(1).code, ErrorCode::Closed);
    assert_eq!(driver.rejection(2).code, ErrorCode::Closed);
    assert!(driver.forgotten().is_empty());
    driver.feed(Input::Call { op: 3, call: Call::Company });
    assert_eq!(driver.rejection(3).code, ErrorCode::Closed);
    driver.feed(Input::Close);
    assert!(driver.settled(1).is_none());
}

#[test]
fn refused_storage_is_told_once_and_costs_nothing_else() {
    let mut driver = Driver::in_chat(7);
    driver.feed(Input::StorageFailed);
    driver.feed(Input::StorageFailed);
    assert_eq!(driver.events(), ["error storage_unavailable"]);
    driver.send(1, "hello");
    let post = driver.take_request("/api/v1/chats/7/messages");
    driver.answer(post.id, 201, json!({"index": 1}));
    assert!(matches!(driver.settled(1), Some(Ok(Settled::Sent { .. }))));
}

#[test]
fn frames_that_cannot_be_read_never_stop_the_client() {
    let mut driver = Driver::in_chat(7);
    for frame in [
        json!(null),
        json!([]),
        json!({"type": 3}),
        json!({"type": "update", "messages": [{"$index": "x"}]}),
        json!({"type": "joined"}),
    ] {
        driver.frame(frame);
        driver.wait(30_000);
        driver.open_stream();
        driver.frame(json!({"type": "joined", "chat": chat_state(7, 1, 0), "cursor": 0, "heartbeat_ms": 20_000}));
    }
    driver.frame(json!({"type": "a_kind_of_a_newer_gateway"}));
    driver.frame(json!({"type": "update", "messages": [message(1, "agent", 1)]}));
    assert!(driver.events().contains(&"message 1".to_owned()));
}

//! The event stream's life: noticing that it is dead, choosing how to carry it, and a chat that is put aside and resumed on it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use engine::client::{Call, Input, Output, Transport};
use serde_json::{Value, json};
use support::driver::{Driver, chat_state, message};
use wire::ErrorCode;

fn joined(driver: &mut Driver) {
    driver.open_stream();
    driver.frame(json!({"type": "joined", "chat": chat_state(7, 1, 0), "cursor": 0, "heartbeat_ms": 20_000}));
}

/// The streams that were asked for since the last look.
fn opened(driver: &mut Driver) -> Vec<Transport> {
    driver.take(|output| match output {
        Output::OpenStream { transport, .. } => Some(*transport),
        _ => None,
    })
}

fn status(status: &str, revision: u64) -> Value {
    let mut state = chat_state(7, revision, 0);
    state["status"] = json!(status);
    state
}

#[test]
fn after_waking_up_a_stream_must_answer_soon() {
    let mut driver = Driver::in_chat(7);
    driver.feed(Input::Wake);
    assert_eq!(driver.sent_frames(), [json!({"type": "ping"})]);
    driver.wait(2_000);
    driver.frame(json!({"type": "pong"}));
    driver.wait(10_000);
    assert_eq!(opened(&mut driver), [], "it answered: it lives");

    driver.feed(Input::Wake);
    driver.feed(Input::Wake);
    assert_eq!(driver.sent_frames().len(), 1, "waking up twice asks once");
    driver.wait(5_000);
    assert_eq!(opened(&mut driver), [Transport::WebSocket], "it did not answer: it is replaced at once");
}

#[test]
fn a_stream_that_slept_too_long_is_not_asked_but_replaced() {
    let mut driver = Driver::in_chat(7);
    driver.sleep(45_000);
    driver.feed(Input::Wake);
    assert_eq!(driver.sent_frames(), Vec::<Value>::new());
    assert_eq!(opened(&mut driver), [Transport::WebSocket]);
}

#[test]
fn a_network_that_may_be_gone_is_tested_too() {
    let mut driver = Driver::in_chat(7);
    driver.feed(Input::Doubt);
    assert_eq!(driver.sent_frames(), [json!({"type": "ping"})]);
}

#[test]
fn where_websockets_never_get_through_server_sent_events_carry_the_stream() {
    let mut driver = Driver::ready_with_server_sent_events();
    driver.create_chat(7);
    driver.fail_stream();
    assert_eq!(driver.last_transport(), Some(Transport::ServerSentEvents), "at once");
    joined(&mut driver);
    driver.drop_stream(1006);
    assert_eq!(driver.last_transport(), Some(Transport::ServerSentEvents), "what works is kept");
    driver.fail_stream();
    driver.wait(1_000);
    assert_eq!(driver.last_transport(), Some(Transport::WebSocket), "until it fails itself");
}

#[test]
fn where_a_websocket_worked_before_an_outage_does_not_end_its_use() {
    let mut driver = Driver::ready_with_server_sent_events();
    driver.create_chat(7);
    joined(&mut driver);
    driver.drop_stream(1006);
    let mut order = vec![driver.last_transport().unwrap()];
    for _ in 0..5 {
        driver.fail_stream();
        driver.wait(6_000);
        order.push(driver.last_transport().unwrap());
    }
    use Transport::{ServerSentEvents as Sse, WebSocket as Ws};
    assert_eq!(order, [Ws, Ws, Ws, Sse, Ws, Sse]);
    joined(&mut driver);
    driver.drop_stream(1006);
    assert_eq!(driver.last_transport(), Some(Ws), "the WebSocket gets its chance again");
}

#[test]
fn a_refusal_says_nothing_against_websockets() {
    let mut driver = Driver::ready_with_server_sent_events();
    driver.create_chat(7);
    driver.open_stream();
    driver.frame(json!({"type": "error", "code": "unavailable", "message": "no", "retry_after_ms": 1}));
    driver.wait(1_000);
    assert_eq!(driver.last_transport(), Some(Transport::WebSocket));
}

#[test]
fn on_server_sent_events_typing_goes_by_rest_and_doubt_opens_a_new_stream() {
    let mut driver = Driver::ready_with_server_sent_events();
    driver.create_chat(7);
    driver.fail_stream();
    joined(&mut driver);
    driver.feed(Input::Typing(true));
    let typing = driver.take_request("/api/v1/chats/7/typing");
    assert_eq!(typing.body, Some(json!({"typing": true})));
    driver.no_answer(typing.id);
    opened(&mut driver);
    driver.feed(Input::Wake);
    assert_eq!(opened(&mut driver), [Transport::ServerSentEvents]);
    assert_eq!(driver.sent_frames(), Vec::<Value>::new());
}

#[test]
fn on_server_sent_events_nothing_is_said_after_the_join_whatever_the_gateway_asks() {
    let mut driver = Driver::ready_with_server_sent_events();
    driver.create_chat(7);
    driver.fail_stream();
    joined(&mut driver);
    opened(&mut driver);
    driver.frame(json!({"type": "ping"}));
    driver.wait(20_000);
    assert_eq!(driver.sent_frames(), Vec::<Value>::new());
    assert_eq!(opened(&mut driver), [], "a ping is a sign of life");
}

#[test]
fn a_dismissed_chat_says_so_and_is_connected_again_when_it_is_resumed() {
    let mut driver = Driver::in_chat(7);
    driver.frame(json!({"type": "update", "chat": status("dismissed", 2)}));
    assert_eq!(driver.events(), ["chat.updated", "chat.dismissed"]);
    driver.feed(Input::Call { op: 1, call: Call::ResumeChat { chat_id: 7 } });
    let resume = driver.take_request("/api/v1/chats/7/resume");
    driver.answer(resume.id, 200, json!({"chat": status("queued", 3)}));
    assert!(driver.settled(1).is_some_and(|result| result.is_ok()));
    assert_eq!(driver.events(), ["chat.updated", "chat.connected", "chat.updated"]);
}

#[test]
fn resuming_a_chat_that_is_not_dismissed_rejects_with_its_status() {
    let mut driver = Driver::in_chat(7);
    driver.feed(Input::Call { op: 1, call: Call::ResumeChat { chat_id: 7 } });
    let resume = driver.take_request("/api/v1/chats/7/resume");
    driver.refuse(resume.id, 409, "conflict");
    let error = driver.rejection(1);
    assert_eq!((error.code, error.status), (ErrorCode::Conflict, Some(409)));
}

#[test]
fn a_chat_that_timed_out_says_so_before_it_ends() {
    let mut driver = Driver::in_chat(7);
    let mut state = status("finished", 2);
    state["ended_by"] = json!("timeout");
    state["last_index"] = json!(1);
    driver.frame(json!({"type": "update", "messages": [message(1, "system", 0)], "chat": state}));
    assert_eq!(
        driver.events(),
        ["message 1", "chat.updated", "chat.timeout", "chat.ended", "chat.disconnected", "connection idle"]
    );
}

/// A chat that is over and followed by something that stands at this step.
fn followed(step: Option<&str>, revision: u64, last_index: u64) -> Value {
    let mut state = status("finished", revision);
    state["post_session_required"] = json!(true);
    state["last_index"] = json!(last_index);
    if let Some(step) = step {
        state["post_session_transfer_status"] = json!(step);
    }
    state
}

#[test]
fn what_follows_a_chat_goes_on_where_it_was_and_has_an_end_of_its_own() {
    let mut driver = Driver::in_chat(7);
    driver.frame(json!({"type": "update", "messages": [message(1, "system", 0)], "chat": followed(None, 2, 1)}));
    assert_eq!(driver.events(), ["message 1", "chat.updated", "chat.ended"]);
    driver.send(1, "early");
    assert_eq!(driver.rejection(1).code, ErrorCode::ChatEnded);
    // Another page of the end user takes it up: this one hears of it.
    driver.frame(json!({"type": "update", "chat": followed(Some("ready"), 3, 1)}));
    assert_eq!(driver.events(), ["chat.updated"]);
    driver.send(2, "still early");
    assert_eq!(driver.rejection(2).code, ErrorCode::ChatEnded);
    let hello = message(2, "virtual_agent", 8);
    driver.frame(json!({"type": "update", "messages": [hello], "chat": followed(Some("in_progress"), 4, 2)}));
    assert_eq!(driver.events(), ["message 2", "unread 1", "chat.updated"]);
    driver.send(3, "fine");
    let post = driver.take_request("/api/v1/chats/7/messages");
    driver.answer(post.id, 201, json!({"index": 3, "sid": "x", "timestamp_ms": 1}));
    assert!(driver.settled(3).is_some_and(|result| result.is_ok()));
    driver.frame(
        json!({"type": "update", "messages": [message(3, "end_user", 5)], "chat": followed(Some("waiting"), 5, 3)}),
    );
    driver.events();
    // The answer to a call is faster than the stream: the end waits for the last message.
    driver.feed(Input::Call { op: 4, call: Call::LoadChat { chat_id: 7 } });
    let load = driver.take_request("/api/v1/chats/7");
    driver.answer(load.id, 200, json!({"chat": followed(Some("finished"), 6, 4)}));
    assert_eq!(driver.events(), ["chat.updated", "chat.updated"]);
    driver.send(5, "late");
    assert_eq!(driver.rejection(5).code, ErrorCode::ChatEnded);
    driver.frame(
        json!({"type": "update", "messages": [message(4, "system", 0)], "chat": followed(Some("finished"), 6, 4)}),
    );
    assert_eq!(driver.events(), ["message 4", "chat.ended", "chat.disconnected", "connection idle"]);
}

#[test]
fn what_nobody_wanted_ends_with_the_stream() {
    let mut driver = Driver::in_chat(7);
    driver.frame(json!({"type": "update", "chat": followed(None, 2, 0)}));
    assert_eq!(driver.events(), ["chat.updated", "chat.ended"]);
    driver.drop_stream(1006);
    driver.wait(5_000);
    driver.open_stream();
    driver.frame(json!({"type": "joined", "chat": followed(None, 2, 0), "cursor": 0, "heartbeat_ms": 20_000}));
    assert!(driver.events().contains(&"chat.reconnected".to_owned()), "the offer stands");
    driver.frame(json!({"type": "update", "chat": followed(Some("finished"), 3, 0)}));
    assert_eq!(driver.events(), ["chat.updated", "chat.ended", "chat.disconnected", "connection idle"]);
}

#[test]
fn a_page_that_is_opened_anew_goes_on_with_what_follows() {
    let mut driver = Driver::ready();
    driver.feed(Input::Call { op: 1, call: Call::LoadOngoingChat });
    let load = driver.take_request("/api/v1/chats/ongoing");
    driver.answer(load.id, 200, json!({"chat": followed(Some("in_progress"), 4, 2)}));
    assert!(driver.settled(1).is_some_and(|result| result.is_ok()));
    assert!(!driver.events().contains(&"chat.ended".to_owned()));
    assert_eq!(opened(&mut driver), [Transport::WebSocket]);
    driver.send(2, "here I am");
    driver.take_request("/api/v1/chats/7/messages");
}

#[test]
fn asking_for_a_chat_again_after_a_lost_answer_opens_no_second_one() {
    let mut driver = Driver::ready();
    let create = |driver: &mut Driver, op, chat: Option<Value>| {
        driver.feed(Input::Call { op, call: Call::CreateChat { menu_id: 1, chat } });
        let request = driver.take_request("/api/v1/chats");
        (request.id, request.body.unwrap()["client_id"].as_str().unwrap().to_owned())
    };
    let (id, first) = create(&mut driver, 1, None);
    driver.no_answer(id);
    let (id, second) = create(&mut driver, 2, None);
    assert_eq!(second, first);
    driver.answer(id, 201, json!("<html>"));
    let (id, third) = create(&mut driver, 5, None);
    assert_eq!(third, first, "an answer that cannot be read is none");
    driver.no_answer(id);
    let (id, other) = create(&mut driver, 3, Some(json!({"greeting": "hi"})));
    assert_ne!(other, first, "another question is another chat");
    driver.answer(id, 201, json!({"chat": chat_state(7, 1, 0)}));
    let (_, later) = create(&mut driver, 4, Some(json!({"greeting": "hi"})));
    assert_ne!(later, other, "an answered question is over");
}

#[test]
fn a_wait_that_the_gateway_asked_for_holds_when_the_stream_joins_or_the_page_wakes_up() {
    let mut driver = Driver::in_chat(7);
    driver.send(1, "hello");
    let post = driver.take_request("/api/v1/chats/7/messages");
    let body = json!({"error": {"code": "rate_limited", "message": "slow down"}});
    driver.answer_after(post.id, 429, 4_000, body);
    driver.drop_stream(1006);
    joined(&mut driver);
    driver.feed(Input::Wake);
    driver.wait(3_999);
    assert!(driver.find_request("/api/v1/chats/7/messages").is_none());
    driver.wait(2_001);
    driver.take_request("/api/v1/chats/7/messages");
}

#[test]
fn waking_up_does_not_shorten_a_wait_that_the_gateway_asked_for() {
    let mut driver = Driver::in_chat(7);
    driver.frame(json!({"type": "error", "code": "rate_limited", "message": "too many", "retry_after_ms": 4_000}));
    driver.feed(Input::Wake);
    driver.wait(3_999);
    assert_eq!(opened(&mut driver), []);
    driver.wait(2_001);
    assert_eq!(opened(&mut driver), [Transport::WebSocket]);
}

#[test]
fn a_session_is_not_asked_for_again_before_the_gateway_allows_it() {
    let mut driver = Driver::new();
    driver.feed(Input::Start);
    driver.loaded(&[]);
    driver.take_authentication();
    driver.feed(Input::Token(Ok("jwt".into())));
    let exchange = driver.take_request("/api/v1/sessions");
    let body = json!({"error": {"code": "unavailable", "message": "later"}});
    driver.answer_after(exchange.id, 503, 6_000, body);
    driver.feed(Input::Wake);
    driver.feed(Input::Call { op: 1, call: Call::Company });
    driver.wait(5_999);
    assert_eq!(driver.count(|output| matches!(output, Output::Authenticate)), 0);
    driver.wait(3_001);
    driver.take_authentication();
}

#[test]
fn a_site_that_never_gives_its_token_is_an_error_and_asked_again() {
    let mut driver = Driver::new();
    driver.feed(Input::Start);
    driver.loaded(&[]);
    driver.take_authentication();
    driver.feed(Input::Call { op: 1, call: Call::Company });
    driver.wait(15_000);
    assert_eq!(driver.rejection(1).code, ErrorCode::AuthenticationFailed);
    assert_eq!(driver.events(), ["error authentication_failed"]);
    assert_eq!(driver.count(|output| matches!(output, Output::Authenticate)), 0, "not at once");
    driver.wait(500);
    driver.take_authentication();
    driver.grant("s", 5);
    assert_eq!(driver.events(), ["authenticated", "ready"]);
}

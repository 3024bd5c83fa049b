//! The client engine: calls whose request the driver works out, and what the other side sees of the end user besides messages.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use engine::client::{Answer, Call, Error, Input, Method, Output, Plan, RequestId, Scope, Settled};
use serde_json::{Value, json};
use support::driver::{Driver, chat_state};
use wire::ErrorCode;

fn plan(scope: Scope, path: &str, answer: Answer) -> Plan<Value> {
    Plan { method: Method::Get, scope, path: path.to_owned(), body: None, answer }
}

/// Makes a planned call; gives the number by which the driver is asked for its request.
fn ask(driver: &mut Driver, op: u32, is_patient: bool) -> RequestId {
    driver.feed(Input::Call { op, call: Call::Planned { is_patient } });
    driver.take_plan(op)
}

#[test]
fn a_planned_call_is_sent_where_its_scope_says() {
    let cases = [
        (Scope::Company, false, Some("/api/v1/x?a=b")),
        (Scope::Company, true, Some("/api/v1/x?a=b")),
        (Scope::Chat, true, Some("/api/v1/chats/7/x?a=b")),
        (Scope::Chat, false, None),
        (Scope::Either, true, Some("/api/v1/chats/7/x?a=b")),
        (Scope::Either, false, Some("/api/v1/x?a=b")),
    ];
    for (scope, in_chat, path) in cases {
        let mut driver = Driver::ready();
        if in_chat {
            driver.create_chat(7);
        }
        let request = ask(&mut driver, 1, false);
        driver.feed(Input::Planned { request, plan: Ok(Some(plan(scope, "/x?a=b", Answer::Json))) });
        match path {
            Some(path) => {
                let request = driver.take_request(path);
                assert_eq!(request.token.as_deref(), Some("s"));
                driver.answer(request.id, 200, json!({"y": 1}));
                assert!(matches!(driver.settled(1), Some(Ok(Settled::Body(body))) if body["y"] == 1));
            }
            None => assert_eq!(driver.rejection(1).code, ErrorCode::NoChat),
        }
    }
}

#[test]
fn a_planned_call_means_the_chat_that_was_current_when_it_was_made() {
    let mut driver = Driver::ready();
    driver.create_chat(7);
    let request = ask(&mut driver, 1, false);
    driver.feed(Input::Call { op: 2, call: Call::DestroyChat });
    driver.create_chat(8);
    driver.feed(Input::Planned { request, plan: Ok(Some(plan(Scope::Chat, "/x", Answer::Any))) });
    driver.take_request("/api/v1/chats/7/x");
}

#[test]
fn a_planned_call_ends_without_a_request_where_none_is_needed_or_possible() {
    let mut driver = Driver::ready();
    let request = ask(&mut driver, 1, false);
    driver.feed(Input::Planned { request, plan: Ok(None) });
    assert!(matches!(driver.settled(1), Some(Ok(Settled::Done))));
    let request = ask(&mut driver, 2, false);
    driver.feed(Input::Planned { request, plan: Err(Error::new(ErrorCode::InvalidArgument, "no")) });
    assert_eq!(driver.rejection(2).code, ErrorCode::InvalidArgument);
}

#[test]
fn a_planned_call_is_aborted_timed_out_and_closed_like_any_other_and_what_is_planned_afterwards_is_ignored() {
    let mut driver = Driver::ready();
    let aborted = ask(&mut driver, 1, false);
    driver.feed(Input::Abort { op: 1 });
    assert_eq!(driver.rejection(1).code, ErrorCode::Aborted);
    assert_eq!(driver.count(|output| matches!(output, Output::CancelHttp { .. })), 1);
    let late = ask(&mut driver, 2, false);
    driver.wait(15_000);
    assert_eq!(driver.rejection(2).code, ErrorCode::Timeout);
    for request in [aborted, late] {
        driver.feed(Input::Planned { request, plan: Ok(Some(plan(Scope::Company, "/x", Answer::Any))) });
    }
    assert!(driver.find_request("/api/v1/x").is_none());
    ask(&mut driver, 3, true);
    driver.wait(10 * 60_000);
    assert!(driver.settled(3).is_none(), "the end user may take any time");
    driver.feed(Input::Close);
    assert_eq!(driver.rejection(3).code, ErrorCode::Closed);
}

#[test]
fn a_planned_message_goes_through_the_outbox() {
    let mut driver = Driver::ready();
    driver.create_chat(7);
    let request = ask(&mut driver, 1, true);
    let body = json!({"type": "noti", "event": "formCompleted"});
    let plan = Plan { body: Some(body.clone()), ..plan(Scope::Chat, "", Answer::Message) };
    driver.feed(Input::Planned { request, plan: Ok(Some(plan)) });
    let post = driver.take_request("/api/v1/chats/7/messages");
    assert_eq!(post.body.unwrap()["message"], body);
    driver.no_answer(post.id);
    driver.wait(1_000);
    let again = driver.take_request("/api/v1/chats/7/messages");
    driver.answer(again.id, 201, json!({"index": 3}));
    assert!(matches!(driver.settled(1), Some(Ok(Settled::Sent { index: 3, .. }))));
}

#[test]
fn a_file_may_take_longer_than_other_answers_and_is_asked_for_as_one() {
    let mut driver = Driver::ready();
    let request = ask(&mut driver, 1, false);
    driver.feed(Input::Planned { request, plan: Ok(Some(plan(Scope::Company, "/x", Answer::File))) });
    let request = driver.take_request("/api/v1/x");
    assert!(request.is_for_file);
    driver.wait(299_000);
    assert!(driver.settled(1).is_none());
    driver.wait(2_000);
    assert_eq!(driver.rejection(1).code, ErrorCode::Timeout);
}

#[test]
fn an_answer_that_carries_the_chat_changes_it() {
    let mut driver = Driver::ready();
    driver.create_chat(7);
    let request = ask(&mut driver, 1, false);
    driver.feed(Input::Planned { request, plan: Ok(Some(plan(Scope::Chat, "/rejoin", Answer::Json))) });
    let request = driver.take_request("/api/v1/chats/7/rejoin");
    driver.events();
    driver.answer(request.id, 200, json!({"chat": chat_state(7, 5, 0)}));
    assert_eq!(driver.events(), ["chat.updated"]);
}

#[test]
fn what_is_wrong_with_the_answers_of_a_form_is_part_of_the_error() {
    let mut driver = Driver::ready();
    driver.create_chat(7);
    let request = ask(&mut driver, 1, false);
    driver.feed(Input::Planned { request, plan: Ok(Some(plan(Scope::Chat, "/forms/2", Answer::Json))) });
    let request = driver.take_request("/api/v1/chats/7/forms/2");
    let fields = json!([{"question_id": 1, "problem": "missing"}]);
    let error = json!({"code": "invalid_argument", "message": "no", "fields": fields});
    driver.answer(request.id, 400, json!({"error": error}));
    let error = driver.rejection(1);
    assert_eq!(serde_json::from_str::<Value>(&error.fields_json.unwrap()).unwrap(), fields);
}

/// In a connected chat in this status, with previews.
fn connected(status: &str, with_server_sent_events: bool) -> Driver {
    let mut driver = if with_server_sent_events { Driver::ready_with_server_sent_events() } else { Driver::ready() };
    driver.create_chat(7);
    if with_server_sent_events {
        driver.fail_stream();
    }
    driver.open_stream();
    let chat = json!({"id": 7, "status": status, "revision": 2, "last_index": 0, "features": ["preview"]});
    driver.frame(json!({"type": "joined", "chat": chat, "cursor": 0, "heartbeat_ms": 60_000}));
    driver.sent_frames();
    driver
}

fn preview(driver: &mut Driver, op: u32, content: &str) {
    driver.feed(Input::Call { op, call: Call::Preview { content: content.to_owned() } });
}

#[test]
fn previews_go_out_every_two_seconds_at_most_and_the_last_one_always_does() {
    let mut driver = connected("assigned", false);
    for (op, content) in [(1, "H"), (2, "He"), (3, "Hel")] {
        preview(&mut driver, op, content);
        assert!(matches!(driver.settled(op), Some(Ok(Settled::Done))));
    }
    let frame = |content: &str| json!({"type": "preview", "content": content});
    assert_eq!(driver.sent_frames(), [frame("H")]);
    driver.wait(1_999);
    assert!(driver.sent_frames().is_empty());
    driver.wait(1);
    assert_eq!(driver.sent_frames(), [frame("Hel")]);
    driver.wait(10_000);
    assert!(driver.sent_frames().is_empty());
    preview(&mut driver, 4, "");
    assert_eq!(driver.sent_frames(), [frame("")], "what was typed can be taken back");
}

#[test]
fn a_preview_that_waits_is_dropped_when_the_message_is_sent_or_the_chat_put_aside() {
    let mut driver = connected("assigned", false);
    preview(&mut driver, 1, "H");
    preview(&mut driver, 2, "Hello");
    driver.send(3, "Hello");
    driver.sent_frames();
    driver.wait(5_000);
    assert!(driver.sent_frames().is_empty());
    preview(&mut driver, 4, "a");
    preview(&mut driver, 5, "ab");
    driver.sent_frames();
    driver.feed(Input::Detach);
    driver.wait(5_000);
    assert!(driver.sent_frames().is_empty());
}

#[test]
fn a_long_preview_and_one_beside_server_sent_events_go_by_rest() {
    let mut driver = connected("assigned", false);
    let long = "x".repeat(1_001);
    preview(&mut driver, 1, &long);
    assert_eq!(driver.take_request("/api/v1/chats/7/preview").body, Some(json!({"content": long})));
    assert!(driver.sent_frames().is_empty());
    let mut driver = connected("assigned", true);
    driver.events();
    preview(&mut driver, 1, "H");
    let request = driver.take_request("/api/v1/chats/7/preview");
    driver.refuse(request.id, 403, "unsupported");
    assert!(driver.events().is_empty(), "nobody minds how a preview ends");
}

#[test]
fn a_preview_is_refused_where_it_cannot_be_shown() {
    let mut driver = Driver::ready();
    preview(&mut driver, 1, "H");
    assert_eq!(driver.rejection(1).code, ErrorCode::NoChat);
    driver.create_chat(7);
    preview(&mut driver, 2, "H");
    assert_eq!(driver.rejection(2).code, ErrorCode::Unsupported);
    let mut driver = connected("assigned", false);
    preview(&mut driver, 3, &"x".repeat(65_537));
    assert_eq!(driver.rejection(3).code, ErrorCode::TooLarge);
    let mut driver = connected("finished", false);
    preview(&mut driver, 4, "H");
    assert_eq!(driver.rejection(4).code, ErrorCode::ChatEnded);
}

#[test]
fn whether_the_page_is_hidden_is_told_while_the_end_user_waits_and_when_they_are_back() {
    let visible = |visible: bool| json!({"type": "visibility", "visible": visible});
    let mut driver = connected("queued", false);
    driver.feed(Input::Hidden(true));
    assert_eq!(driver.sent_frames(), [visible(false)]);
    driver.feed(Input::Hidden(true));
    assert!(driver.sent_frames().is_empty());
    // Assigned meanwhile: the gateway is not left with the wrong belief.
    driver.frame(json!({"type": "update", "chat": {"id": 7, "status": "assigned", "revision": 3}}));
    driver.feed(Input::Hidden(false));
    assert_eq!(driver.sent_frames(), [visible(true)]);
    driver.feed(Input::Hidden(true));
    assert!(driver.sent_frames().is_empty(), "nobody waits");
    driver.frame(json!({"type": "update", "chat": {"id": 7, "status": "queued", "revision": 4}}));
    assert_eq!(driver.sent_frames(), [visible(false)], "the wait begins in a hidden page");
    driver.drop_stream(1006);
    driver.open_stream();
    let chat = json!({"id": 7, "status": "queued", "revision": 4});
    driver.frame(json!({"type": "joined", "chat": chat, "cursor": 0, "heartbeat_ms": 60_000}));
    assert_eq!(driver.sent_frames(), [visible(false)], "a stream begins with a visible page");
}

#[test]
fn beside_server_sent_events_visibility_goes_by_rest() {
    let mut driver = connected("queued", true);
    let told = |driver: &mut Driver, visible: bool| {
        let request = driver.take_request("/api/v1/chats/7/visibility");
        assert_eq!(request.body, Some(json!({"visible": visible})));
        driver.no_answer(request.id);
        assert!(driver.find_request("/api/v1/chats/7/visibility").is_none());
    };
    // An earlier page may have said the contrary.
    told(&mut driver, true);
    driver.feed(Input::Hidden(true));
    told(&mut driver, false);
    // The gateway may or may not have noticed that the stream broke.
    driver.drop_stream(1006);
    driver.feed(Input::Hidden(false));
    driver.open_stream();
    let chat = json!({"id": 7, "status": "queued", "revision": 2});
    driver.frame(json!({"type": "joined", "chat": chat, "cursor": 0, "heartbeat_ms": 60_000}));
    told(&mut driver, true);
}

#[test]
fn a_chat_that_failed_is_over_and_one_that_a_virtual_agent_dismissed_is_dismissed() {
    let mut driver = connected("queued", false);
    driver.events();
    driver.frame(json!({"type": "update", "chat": {"id": 7, "status": "va_dismissed", "revision": 3}}));
    assert_eq!(driver.events(), ["chat.updated", "chat.dismissed"]);
    driver.frame(json!({"type": "update", "chat": {"id": 7, "status": "checked_out", "revision": 4}}));
    driver.events();
    driver.send(1, "still there");
    driver.take_request("/api/v1/chats/7/messages");
    let failed = json!({"id": 7, "status": "failed", "fail_reason": "expired", "ended_by": "system", "revision": 5});
    driver.frame(json!({"type": "update", "chat": failed}));
    assert!(driver.events().contains(&"chat.ended".to_owned()));
    driver.send(2, "too late");
    assert_eq!(driver.rejection(2).code, ErrorCode::ChatEnded);
}

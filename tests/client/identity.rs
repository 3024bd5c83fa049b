//! Who the end user is: a change of identity, and two clients on one page.

use js_sys::Array;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::*;

#[wasm_bindgen_test]
async fn a_message_queued_by_one_end_user_is_never_sent_or_seen_by_the_next() {
    let (gateway, origin) = gateway();
    let (client, recorder) = in_chat(&origin).await;
    gateway.go_down();
    let queued = send(&client, "private to user 5");
    turn().await;
    gateway.become_user(6);
    gateway.come_up();
    assert_eq!(code(queued).await, "identity_changed");
    assert!(client.chat().is_null());
    value(client.get_company(&NONE)).await;
    assert_eq!(gateway.stored_contents(), "");
    assert_eq!(client.outbox().length(), 0);
    assert_eq!(client.messages().length(), 0);
    assert!(stored_keys(&origin, "outbox").is_empty());
    assert_eq!(recorder.all("authenticated").len(), 2);
}

#[wasm_bindgen_test]
async fn what_one_end_user_left_on_the_device_is_dropped_when_another_signs_in() {
    let (gateway, origin) = gateway();
    let (first, _) = in_chat(&origin).await;
    gateway.go_down();
    let unsent = send(&first, "private to user 5");
    turn().await;
    first.close();
    assert_eq!(code(unsent).await, "closed");
    assert_eq!(stored_keys(&origin, "outbox").len(), 1);
    gateway.become_user(6);
    gateway.come_up();
    let second = client(&origin);
    Recorder::of(&second).wait_for("ready", 1).await;
    assert!(stored_keys(&origin, "outbox").is_empty());
    value(second.get_company(&NONE)).await;
    assert_eq!(gateway.stored_contents(), "");
}

#[wasm_bindgen_test]
async fn a_session_that_ended_early_is_renewed_and_the_call_repeated() {
    let (gateway, origin) = gateway();
    let client = client(&origin);
    value(client.get_company(&NONE)).await;
    gateway.refuse("GET /api/v1/company", 401, "unauthorized", None);
    value(client.get_company(&NONE)).await;
    assert_eq!(gateway.count_requests("POST /api/v1/sessions"), 2);
}

#[wasm_bindgen_test]
async fn two_clients_on_one_page_each_see_every_message_once() {
    let (gateway, origin) = gateway();
    let (first, heard_first) = in_chat(&origin).await;
    let second = client(&origin);
    let heard_second = Recorder::of(&second);
    value(second.load_ongoing_chat(&NONE)).await;
    heard_second.wait_for("chat.connected", 1).await;
    let sends: Array = (0..5).flat_map(|n| [send(&first, &format!("a{n}")), send(&second, &format!("b{n}"))]).collect();
    value(js_sys::Promise::all(&sends)).await;
    gateway.say("agent", 1, "end");
    heard_first.wait_for("chat.message", 11).await;
    heard_second.wait_for("chat.message", 11).await;
    let stored = gateway.stored_contents();
    assert_eq!(heard_first.contents(), stored);
    assert_eq!(heard_second.contents(), stored);
    assert_eq!(gateway.messages().length(), 11);
    first.close();
    value(second.get_company(&NONE)).await;
}

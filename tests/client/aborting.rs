//! Abort: before, during and after a call, with a reason of any kind.

use js_sys::{Function, Object};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::*;

/// An abort controller that counts our listeners, and the options that carry its signal.
struct Abort {
    watched: JsValue,
    options: JsValue,
}

impl Abort {
    fn new() -> Self {
        let watched = watched_controller();
        let options = Object::new();
        set(&options, "signal", get(&watched, "signal"));
        Abort { watched, options: options.into() }
    }

    fn now(&self, reason: JsValue) {
        let controller = get(&self.watched, "controller");
        let abort: Function = get(&controller, "abort").unchecked_into();
        abort.call1(&controller, &reason).unwrap();
    }

    fn listeners_left(&self) -> f64 {
        let counts = get(&self.watched, "counts");
        get(&counts, "added").as_f64().unwrap() - get(&counts, "removed").as_f64().unwrap()
    }
}

#[wasm_bindgen_test]
async fn an_aborted_call_rejects_and_the_client_stays_usable() {
    let (gateway, origin) = gateway();
    let client = client(&origin);
    gateway.hold("GET /api/v1/company");
    let abort = Abort::new();
    let company = client.get_company(&abort.options);
    Recorder::of(&client).wait_for("ready", 1).await;
    abort.now(NONE);
    let error = rejection(company).await;
    assert_eq!(text(&error, "code"), "aborted");
    assert_eq!(get(&error, "retryable"), JsValue::FALSE);
    gateway.release();
    value(client.get_company(&NONE)).await;
}

#[wasm_bindgen_test]
async fn any_reason_may_be_given_to_an_abort() {
    let (gateway, origin) = gateway();
    let client = client(&origin);
    gateway.hold("GET /api/v1/company");
    for reason in [JsValue::from_str("user left"), JsValue::NULL, JsValue::from(3), Object::new().into()] {
        let abort = Abort::new();
        let company = client.get_company(&abort.options);
        turn().await;
        abort.now(reason);
        assert_eq!(code(company).await, "aborted");
    }
    gateway.release();
    value(client.get_company(&NONE)).await;
}

#[wasm_bindgen_test]
async fn a_signal_that_is_aborted_already_sends_nothing() {
    let (gateway, origin) = gateway();
    let client = client(&origin);
    Recorder::of(&client).wait_for("ready", 1).await;
    let abort = Abort::new();
    abort.now(NONE);
    assert_eq!(code(client.load_ongoing_chat(&abort.options)).await, "aborted");
    value(client.get_company(&NONE)).await;
    assert_eq!(gateway.count_requests("GET /api/v1/chats/ongoing"), 0);
}

#[wasm_bindgen_test]
async fn our_listener_on_a_signal_is_taken_off_when_the_call_is_settled() {
    let (_gateway, origin) = gateway();
    let client = client(&origin);
    let abort = Abort::new();
    for _ in 0..5 {
        value(client.get_company(&abort.options)).await;
    }
    assert!(abort.listeners_left().abs() < f64::EPSILON);
    abort.now(NONE);
    value(client.get_company(&NONE)).await;
}

#[wasm_bindgen_test]
async fn an_aborted_send_is_not_sent_later() {
    let (gateway, origin) = gateway();
    let (client, recorder) = in_chat(&origin).await;
    gateway.go_down();
    let abort = Abort::new();
    let unsent = client.send_text_message(&JsValue::from_str("never mind"), &abort.options);
    abort.now(NONE);
    assert_eq!(code(unsent).await, "aborted");
    gateway.come_up();
    recorder.wait_for("chat.reconnected", 1).await;
    value(send(&client, "hello")).await;
    assert_eq!(gateway.stored_contents(), "hello");
}

#[wasm_bindgen_test]
async fn an_aborted_fetch_lets_live_messages_go_on() {
    let (gateway, origin) = gateway();
    let (client, recorder) = in_chat(&origin).await;
    gateway.hold("GET /api/v1/chats/7/messages");
    let abort = Abort::new();
    let fetch = client.fetch_messages(&abort.options);
    gateway.say("agent", 1, "live");
    turn().await;
    assert_eq!(recorder.contents(), "");
    abort.now(NONE);
    assert_eq!(code(fetch).await, "aborted");
    recorder.wait_for("chat.message", 1).await;
    assert_eq!(recorder.contents(), "live");
}

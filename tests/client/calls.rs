//! Calls: before readiness, while the gateway is down, with malformed arguments, unknown ones.

use js_sys::{Array, Reflect};
use sportello::Client;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::*;

#[wasm_bindgen_test]
async fn calls_made_before_readiness_wait_and_are_answered_in_order() {
    let (gateway, origin) = gateway();
    gateway.hold("POST /api/v1/sessions");
    let client = client(&origin);
    let recorder = Recorder::of(&client);
    let menus = client.get_menus(&NONE, &NONE, &NONE);
    let company = client.get_company(&NONE);
    turn().await;
    assert_eq!(gateway.count_requests("GET"), 0);
    gateway.release();
    let menus = value(menus).await;
    assert_eq!(text(&get(&menus, "menus").unchecked_into::<Array>().get(0), "name"), "Help");
    assert_eq!(text(&value(company).await, "name"), "Company");
    assert_eq!(recorder.names(), ["authenticated", "ready"]);
    assert_eq!(gateway.count_requests("POST /api/v1/sessions"), 1);
}

#[wasm_bindgen_test]
async fn a_gateway_that_is_down_at_start_rejects_typed_and_the_client_recovers_by_itself() {
    let (gateway, origin) = gateway();
    gateway.go_down();
    let client = client(&origin);
    let recorder = Recorder::of(&client);
    let error = rejection(client.get_menus(&NONE, &NONE, &NONE)).await;
    assert_eq!(text(&error, "code"), "network");
    assert_eq!(get(&error, "retryable"), JsValue::TRUE);
    gateway.come_up();
    recorder.wait_for("ready", 1).await;
    value(client.get_menus(&NONE, &NONE, &NONE)).await;
}

#[wasm_bindgen_test]
async fn malformed_arguments_reject_with_a_typed_error() {
    let (_gateway, origin) = gateway();
    let client = client(&origin);
    let bad = JsValue::from_str("not a number");
    assert_eq!(code(client.get_wait_times(&bad, &NONE, &NONE)).await, "invalid_argument");
    assert_eq!(code(client.create_chat(&JsValue::from(1.5), &NONE, &NONE)).await, "invalid_argument");
    assert_eq!(code(client.create_chat(&JsValue::from(-1), &NONE, &NONE)).await, "invalid_argument");
    assert_eq!(code(client.create_chat(&JsValue::from(1), &Array::new(), &NONE)).await, "invalid_argument");
    assert_eq!(code(client.load_chat(&JsValue::NULL, &NONE)).await, "invalid_argument");
    assert_eq!(code(client.get_menus(&JsValue::from(3), &NONE, &NONE)).await, "invalid_argument");
    assert_eq!(code(client.send_text_message(&JsValue::from_str(""), &NONE)).await, "invalid_argument");
    assert_eq!(code(client.send_text_message(&JsValue::from(7), &NONE)).await, "invalid_argument");
    let options = js_sys::Object::new();
    set(&options, "signal", "no signal");
    assert_eq!(code(client.get_company(&options)).await, "invalid_argument");
}

#[wasm_bindgen_test]
async fn an_object_that_cannot_be_written_as_json_is_refused_and_nothing_is_sent() {
    let (gateway, origin) = gateway();
    let client = client(&origin);
    let cycle = js_sys::Object::new();
    set(&cycle, "self", &cycle);
    assert_eq!(code(client.create_chat(&JsValue::from(1), &cycle, &NONE)).await, "invalid_argument");
    assert_eq!(gateway.count_requests("POST /api/v1/chats"), 0);
}

#[wasm_bindgen_test]
fn malformed_options_throw_a_typed_error() {
    let (_gateway, origin) = gateway();
    let without = |name: &str| {
        let options = options(&origin);
        Reflect::delete_property(&options, &JsValue::from_str(name)).unwrap();
        options
    };
    let with = |name: &str, value: JsValue| {
        let options = options(&origin);
        set(&options, name, value);
        options
    };
    let refused = [
        JsValue::UNDEFINED,
        without("companyId").into(),
        without("authenticate").into(),
        with("companyId", JsValue::from(3)).into(),
        with("authenticate", JsValue::from_str("token")).into(),
        with("host", JsValue::from_str("ftp://x")).into(),
        with("host", JsValue::from_str("/")).into(),
        with("sendTimeoutMs", JsValue::from(-1)).into(),
        with("storage", JsValue::from(1)).into(),
    ];
    for options in refused {
        let error = Client::new(&options).err().expect("it should have been refused");
        assert_eq!(text(&error, "code"), "invalid_argument");
        assert_eq!(text(&error, "name"), "SportelloError");
    }
}

/// The asynchronous methods of the contract.
pub(crate) fn contract_methods() -> Vec<&'static str> {
    let contract = include_str!("../types/contract/headless-client.d.ts");
    let body = contract.split("export interface Client {").nth(1).unwrap().split("\n}").next().unwrap();
    let methods = body.lines().filter_map(|line| line.strip_prefix("  ")?.split_once('(')).map(|(name, _)| name);
    methods.filter(|name| name.chars().all(char::is_alphanumeric) && !["on", "off"].contains(name)).collect()
}

#[wasm_bindgen_test]
async fn every_method_of_the_contract_is_offered_and_any_other_name_is_not() {
    let (_gateway, origin) = gateway();
    offer_chunks(false);
    let client = client(&origin);
    let methods = contract_methods();
    assert_eq!(methods.len(), 40, "{methods:?}");
    for method in methods {
        let outcome = outcome(client.ask(method, &[], &NONE)).await;
        let code = outcome.err().map(|error| text(&error, "code")).unwrap_or_default();
        assert_ne!(code, "unsupported", "{method}");
    }
    assert_eq!(code(client.ask("toString", &[], &NONE)).await, "unsupported");
    assert_eq!(code(client.ask("__proto__", &[], &NONE)).await, "unsupported");
    client.close();
}

#[wasm_bindgen_test]
async fn a_page_that_was_not_told_how_chunks_are_loaded_is_not_offered_what_needs_them() {
    let (_gateway, origin) = gateway();
    sportello::set_chunks(JsValue::UNDEFINED);
    let client = client(&origin);
    for method in ["getChatHistory", "checkIn", "attachBrowserForm", "sendFileMessage"] {
        let file = web_sys::Blob::new().unwrap();
        assert_eq!(code(client.ask(method, &[&file], &NONE)).await, "unsupported", "{method}");
    }
    client.close();
}

#[wasm_bindgen_test]
async fn closing_rejects_what_is_open_and_is_harmless_when_repeated() {
    let (gateway, origin) = gateway();
    let (client, recorder) = in_chat(&origin).await;
    gateway.hold("GET /api/v1/company");
    let company = client.get_company(&NONE);
    client.close();
    client.close();
    assert_eq!(code(company).await, "closed");
    assert_eq!(code(client.get_company(&NONE)).await, "closed");
    assert_eq!(gateway.open_sockets(), 0);
    let heard = recorder.names().len();
    gateway.say("agent", 1, "into the void");
    turn().await;
    assert_eq!(recorder.names().len(), heard);
}

//! Errors: what a refusal looks like, and that nothing a page does to the client's surroundings makes it hang or trap.

use js_sys::{Object, Reflect};
use sportello::Client;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::*;

#[wasm_bindgen_test]
async fn a_refusal_is_a_real_error_with_code_status_and_the_time_to_wait() {
    let (gateway, origin) = gateway();
    let client = client(&origin);
    gateway.refuse("GET /api/v1/menus", 429, "rate_limited", Some(3));
    let error = rejection(client.get_menus(&NONE, &NONE, &NONE)).await;
    assert!(error.is_instance_of::<js_sys::Error>());
    assert!(!text(&error, "stack").is_empty());
    assert_eq!(text(&error, "name"), "SportelloError");
    assert_eq!(text(&error, "code"), "rate_limited");
    assert_eq!(get(&error, "status"), JsValue::from(429));
    assert_eq!(get(&error, "retryAfterMs"), JsValue::from(3000));
    assert_eq!(get(&error, "retryable"), JsValue::TRUE);
    value(client.get_menus(&NONE, &NONE, &NONE)).await;
}

#[wasm_bindgen_test]
async fn an_answer_that_is_no_json_gives_a_typed_error_and_the_client_stays_usable() {
    let (gateway, origin) = gateway();
    let client = client(&origin);
    for (status, code_wanted) in [(502, "unavailable"), (404, "not_found"), (418, "protocol"), (200, "protocol")] {
        gateway.refuse("GET /api/v1/company", status, "<html>", None);
        assert_eq!(code(client.get_company(&NONE)).await, code_wanted);
    }
    value(client.get_company(&NONE)).await;
}

#[wasm_bindgen_test]
async fn every_way_in_which_authenticate_can_fail_is_a_typed_error_and_recovers() {
    let (_gateway, origin) = gateway();
    let options = options(&origin);
    let works = get(&options, "authenticate");
    let failures = [
        "throw new Error('site')",
        "return Promise.reject('a plain string')",
        "return {}",
        "return { token: 7 }",
        "return Promise.resolve(null)",
        "return { token: '' }",
        "return { get token() { throw new Error('getter') } }",
    ];
    for failure in failures {
        let switch = Object::new();
        set(&switch, "authenticate", js_sys::Function::new_no_args(failure));
        let current = switch.clone();
        let authenticate = Closure::<dyn FnMut() -> Result<JsValue, JsValue>>::new(move || {
            get(&current, "authenticate").unchecked_into::<js_sys::Function>().call0(&JsValue::NULL)
        });
        set(&options, "authenticate", authenticate.into_js_value());
        let client = Client::new(&options).unwrap();
        let recorder = Recorder::of(&client);
        assert_eq!(code(client.get_company(&NONE)).await, "authentication_failed", "{failure}");
        assert!(recorder.errors().contains(&"authentication_failed".to_owned()));
        set(&switch, "authenticate", &works);
        value(client.get_company(&NONE)).await;
        client.close();
    }
}

#[wasm_bindgen_test]
async fn a_page_whose_fetch_rejects_with_anything_gets_a_network_error() {
    let (_gateway, origin) = gateway();
    let client = client(&origin);
    value(client.get_company(&NONE)).await;
    let global = js_sys::global();
    let real = get(&global, "fetch");
    for fetch in [
        "return Promise.reject('no error at all')",
        "return Promise.reject(undefined)",
        "throw 42",
        "return Promise.resolve('no response')",
    ] {
        set(&global, "fetch", js_sys::Function::new_no_args(fetch));
        let error = rejection(client.get_company(&NONE)).await;
        set(&global, "fetch", &real);
        assert_eq!(text(&error, "code"), "network", "{fetch}");
    }
    value(client.get_company(&NONE)).await;
}

#[wasm_bindgen_test]
async fn a_page_that_refuses_websockets_still_sends_and_fetches() {
    let (gateway, origin) = gateway();
    let client = client(&origin);
    let recorder = Recorder::of(&client);
    value(client.get_company(&NONE)).await;
    let global = js_sys::global();
    let real = get(&global, "WebSocket");
    set(&global, "WebSocket", js_sys::Function::new_no_args("throw new DOMException('refused', 'SecurityError')"));
    value(client.create_chat(&JsValue::from(1), &NONE, &NONE)).await;
    value(send(&client, "hello")).await;
    assert_eq!(value(client.fetch_messages(&NONE)).await.unchecked_into::<js_sys::Array>().length(), 1);
    Reflect::set(&global, &JsValue::from_str("WebSocket"), &real).unwrap();
    recorder.wait_for("chat.connected", 1).await;
    assert_eq!(gateway.stored_contents(), "hello");
}

#[wasm_bindgen_test]
async fn no_log_entry_holds_a_token_or_a_message() {
    let (gateway, origin) = gateway();
    let log = js_sys::Array::new();
    let entries = log.clone();
    let handler = Closure::<dyn FnMut(JsValue)>::new(move |entry: JsValue| {
        entries.push(&entry);
    });
    sportello::set_log_handler(Some(handler.into_js_value().unchecked_into()));
    let (client, recorder) = in_chat(&origin).await;
    value(send(&client, "a private sentence")).await;
    gateway.drop_sockets(1006);
    recorder.wait_for("chat.reconnected", 1).await;
    gateway.refuse("GET /api/v1/company", 500, "internal", None);
    let _ = outcome(client.get_company(&NONE)).await;
    sportello::set_log_handler(None);
    let text = js_sys::JSON::stringify(&log).unwrap().as_string().unwrap();
    assert!(text.contains("connection: online"), "{text}");
    for secret in ["a private sentence", "jwt", "s5", &text_of_secret(&gateway)] {
        assert!(!text.contains(secret), "the log shows {secret}");
    }
}

fn text_of_secret(gateway: &FakeGateway) -> String {
    text(&gateway.bodies().get(0), "end_user_secret")
}

//! Storage: refused, full, the application's own, none; what it carries over a reload, and what it forgets.

use sportello::Client;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::*;

#[wasm_bindgen_test]
async fn refused_storage_is_said_once_and_the_chat_works() {
    let (gateway, origin) = gateway();
    let mut client = None;
    with_storage_refused(&mut || client = Some(Client::new(&options(&origin)).unwrap()));
    let client = client.unwrap();
    let recorder = Recorder::of(&client);
    value(client.create_chat(&JsValue::from(1), &NONE, &NONE)).await;
    recorder.wait_for("chat.connected", 1).await;
    value(send(&client, "hello")).await;
    value(send(&client, "again")).await;
    assert_eq!(gateway.stored_contents(), "hello|again");
    assert_eq!(recorder.errors(), ["storage_unavailable"]);
    assert!(stored_keys(&origin, "").is_empty());
}

#[wasm_bindgen_test]
async fn full_storage_is_said_once_and_the_chat_works() {
    let (gateway, origin) = gateway();
    let options = options(&origin);
    set(&options, "storage", full_storage());
    let client = Client::new(&options).unwrap();
    let recorder = Recorder::of(&client);
    value(client.create_chat(&JsValue::from(1), &NONE, &NONE)).await;
    value(send(&client, "hello")).await;
    assert_eq!(gateway.stored_contents(), "hello");
    assert_eq!(recorder.errors(), ["storage_unavailable"]);
}

#[wasm_bindgen_test]
async fn no_storage_is_a_choice_and_no_error() {
    let (gateway, origin) = gateway();
    let options = options(&origin);
    set(&options, "storage", JsValue::NULL);
    let client = Client::new(&options).unwrap();
    let recorder = Recorder::of(&client);
    value(client.create_chat(&JsValue::from(1), &NONE, &NONE)).await;
    value(send(&client, "hello")).await;
    assert_eq!(gateway.stored_contents(), "hello");
    assert!(recorder.errors().is_empty());
    assert!(stored_keys(&origin, "").is_empty());
}

#[wasm_bindgen_test]
async fn an_anonymous_end_user_stays_the_same_over_a_reload() {
    let (gateway, origin) = gateway();
    for _ in 0..2 {
        let client = client(&origin);
        Recorder::of(&client).wait_for("ready", 1).await;
        client.close();
    }
    let secrets: Vec<String> = gateway.bodies().iter().map(|body| text(&body, "end_user_secret")).collect();
    assert_eq!(secrets.len(), 2);
    assert_eq!(secrets[0], secrets[1]);
    assert_eq!(secrets[0].len(), 43);
}

#[wasm_bindgen_test]
async fn text_typed_offline_survives_a_reload_and_is_sent_once_in_order() {
    let (gateway, origin) = gateway();
    let (first, _) = in_chat(&origin).await;
    gateway.go_down();
    let sends = [send(&first, "one"), send(&first, "two")];
    turn().await;
    first.close();
    for send in sends {
        assert_eq!(code(send).await, "closed");
    }
    assert_eq!(stored_keys(&origin, "outbox").len(), 2);
    gateway.come_up();
    let second = client(&origin);
    let recorder = Recorder::of(&second);
    value(second.load_ongoing_chat(&NONE)).await;
    // Queued, sending, sent; for each of the two.
    recorder.wait_for("chat.delivery", 6).await;
    assert_eq!(gateway.stored_contents(), "one|two");
    assert!(stored_keys(&origin, "outbox").is_empty());
}

#[wasm_bindgen_test]
async fn text_is_forgotten_when_it_is_stored_and_when_the_chat_is_destroyed() {
    let (gateway, origin) = gateway();
    let (client, _) = in_chat(&origin).await;
    value(send(&client, "hello")).await;
    assert!(stored_keys(&origin, "outbox").is_empty());
    gateway.hold("POST /api/v1/chats/7/messages");
    let unsent = send(&client, "unsent");
    assert_eq!(stored_keys(&origin, "outbox").len(), 1);
    let destroyed = client.destroy_chat(&NONE);
    assert_eq!(code(unsent).await, "chat_ended");
    value(destroyed).await;
    assert!(stored_keys(&origin, "outbox").is_empty());
}

#[wasm_bindgen_test]
async fn no_stored_value_holds_a_session_token() {
    let (_gateway, origin) = gateway();
    let (client, _) = in_chat(&origin).await;
    value(send(&client, "hello")).await;
    for key in stored_keys(&origin, "") {
        let stored = get(&local_storage(), &key).as_string().unwrap();
        assert!(stored != "s5" && stored != "jwt" && !stored.contains("hello"), "{key} holds too much");
    }
}

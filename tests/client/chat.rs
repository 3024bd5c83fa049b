//! The chat: its life, its members, typing both ways, and `client.chat`.

use js_sys::Function;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::*;

fn call(object: &JsValue, method: &str) -> JsValue {
    let function: Function = get(object, method).unchecked_into();
    function.call0(object).unwrap()
}

#[wasm_bindgen_test]
async fn the_chat_object_stays_the_same_and_shows_the_newest_state() {
    let (gateway, origin) = gateway();
    let (client, recorder) = in_chat(&origin).await;
    let chat = client.chat();
    assert_eq!(text(&get(&chat, "state"), "status"), "va_assigned");
    let updates = recorder.all("chat.updated").len();
    gateway.change(r#"{"status":"queued"}"#);
    let updated = recorder.wait_for("chat.updated", updates + 1).await;
    assert_eq!(updated, chat);
    assert_eq!(client.chat(), chat);
    assert_eq!(text(&get(&chat, "state"), "status"), "queued");
}

#[wasm_bindgen_test]
async fn members_and_typing_are_told_with_identities_that_print_themselves() {
    let (gateway, origin) = gateway();
    let (_client, recorder) = in_chat(&origin).await;
    gateway.change(r#"{"members":[{"type":"agent","id":1,"display_name":"Ada"}]}"#);
    let identity = recorder.wait_for("chat.memberJoined", 1).await;
    assert_eq!(String::from(js_sys::Object::from(identity.clone()).to_string()), "agent_1");
    assert_eq!(text(&identity, "type"), "agent");
    assert_eq!(get(&identity, "id"), JsValue::from(1));
    assert_eq!(get(&identity, "is_customer"), JsValue::FALSE);
    assert_eq!(text(&identity, "display_name"), "Ada");
    assert_eq!(js_sys::Object::keys(&identity.unchecked_into::<js_sys::Object>()).length(), 4);
    let typing = r#"{"type":"typing","member":{"type":"agent","id":1,"display_name":"Ada"},"typing":true}"#;
    gateway.frame(typing);
    gateway.frame(typing);
    gateway.say("agent", 1, "hello");
    recorder.wait_for("chat.message", 1).await;
    assert_eq!((recorder.all("chat.typingStarted").len(), recorder.all("chat.typingEnded").len()), (1, 1));
    gateway.change(r#"{"members":[]}"#);
    recorder.wait_for("chat.memberLeft", 1).await;
}

#[wasm_bindgen_test]
async fn the_end_user_s_typing_is_sent_once_and_ended() {
    let (gateway, origin) = gateway();
    let (client, _recorder) = in_chat(&origin).await;
    let chat = client.chat();
    for _ in 0..20 {
        call(&chat, "startTyping");
    }
    call(&chat, "stopTyping");
    call(&chat, "stopTyping");
    assert_eq!(gateway.frames_of("typing"), r#"[{"type":"typing","typing":true},{"type":"typing","typing":false}]"#);
}

#[wasm_bindgen_test]
async fn finishing_ends_the_chat_and_destroying_removes_it() {
    let (gateway, origin) = gateway();
    let (client, recorder) = in_chat(&origin).await;
    value(client.finish_chat(&NONE)).await;
    recorder.wait_for("chat.ended", 1).await;
    assert_eq!(code(send(&client, "too late")).await, "chat_ended");
    value(client.destroy_chat(&NONE)).await;
    assert_eq!(recorder.all("chat.destroyed").len(), 1);
    assert!(client.chat().is_null());
    assert_eq!(gateway.count_requests("DELETE /api/v1/chats/7"), 1);
    assert_eq!(gateway.open_sockets(), 0);
    // A second chat on the same client connects anew.
    value(client.create_chat(&JsValue::from_str("1"), &NONE, &NONE)).await;
    recorder.wait_for("chat.connected", 2).await;
}

#[wasm_bindgen_test]
async fn the_chat_may_be_assigned_and_put_aside() {
    let (gateway, origin) = gateway();
    gateway.prepare_chat(2);
    let client = client(&origin);
    let recorder = Recorder::of(&client);
    assert!(client.chat().is_null());
    let chat = value(client.load_ongoing_chat(&NONE)).await;
    client.set_chat(&chat);
    assert_eq!(client.chat(), chat);
    recorder.wait_for("chat.connected", 1).await;
    assert_eq!(gateway.count_requests("GET /api/v1/chats/7"), 0);
    client.set_chat(&JsValue::NULL);
    assert!(client.chat().is_null());
    assert_eq!(gateway.open_sockets(), 0);
    client.set_chat(&chat);
    recorder.wait_for("chat.connected", 2).await;
    assert_eq!(text(&get(&client.chat(), "state"), "status"), "va_assigned");
}

#[wasm_bindgen_test]
async fn nothing_ongoing_gives_null() {
    let (_gateway, origin) = gateway();
    let client = client(&origin);
    assert!(value(client.load_ongoing_chat(&NONE)).await.is_null());
    assert!(client.chat().is_null());
    for promise in [client.finish_chat(&NONE), client.escalate_chat(&NONE, &NONE), send(&client, "hello")] {
        assert_eq!(code(promise).await, "no_chat");
    }
}

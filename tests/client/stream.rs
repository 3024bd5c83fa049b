//! How the event stream is carried: server-sent events where WebSockets are blocked, and a chat that is put aside and resumed on it.

use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::*;

#[wasm_bindgen_test]
async fn where_websockets_are_blocked_server_sent_events_carry_the_chat() {
    let (gateway, origin) = gateway();
    gateway.block_sockets();
    offer_chunks(false);
    let (client, recorder) = in_chat(&origin).await;
    value(send(&client, "hello")).await;
    gateway.say("agent", 1, "good day – à bientôt");
    recorder.wait_for("chat.message", 2).await;
    assert_eq!(recorder.contents(), "hello|good day – à bientôt");
    assert_eq!(recorder.errors(), Vec::<String>::new(), "the application notices nothing");
    assert_eq!(client.connection(), "online");

    gateway.drop_sockets(0);
    gateway.say("agent", 1, "meanwhile");
    recorder.wait_for("chat.reconnected", 1).await;
    recorder.wait_for("chat.message", 3).await;
    assert_eq!(recorder.contents(), "hello|good day – à bientôt|meanwhile");
    client.close();
    turn().await;
    assert_eq!(gateway.open_sockets(), 0, "the stream is let go");
}

#[wasm_bindgen_test]
async fn typing_on_server_sent_events_goes_by_rest() {
    let (gateway, origin) = gateway();
    gateway.block_sockets();
    offer_chunks(false);
    let (client, _recorder) = in_chat(&origin).await;
    let start: js_sys::Function = get(&client.chat(), "startTyping").unchecked_into();
    start.call0(&client.chat()).unwrap();
    while gateway.frames_of("typing") == "[]" {
        turn().await;
    }
    assert_eq!(gateway.frames_of("typing"), r#"[{"typing":true,"type":"typing","by":"rest"}]"#);
    client.close();
}

#[wasm_bindgen_test]
async fn a_page_that_wakes_up_asks_whether_its_stream_lives() {
    let (gateway, origin) = gateway();
    let (client, _recorder) = in_chat(&origin).await;
    for event in ["online", "offline"] {
        let event = web_sys::Event::new(event).unwrap();
        js_sys::global().unchecked_into::<web_sys::EventTarget>().dispatch_event(&event).unwrap();
    }
    assert_eq!(gateway.frames_of("ping"), r#"[{"type":"ping"}]"#, "once, while the answer is awaited");
    client.close();
}

#[wasm_bindgen_test]
async fn a_dismissed_chat_is_resumed_and_connected_again() {
    let (gateway, origin) = gateway();
    let (client, recorder) = in_chat(&origin).await;
    let refused = rejection(client.resume_chat(&JsValue::from(7), &NONE)).await;
    assert_eq!((text(&refused, "code"), get(&refused, "status").as_f64()), ("conflict".to_owned(), Some(409.0)));
    gateway.change(r#"{"status":"dismissed"}"#);
    let argument = recorder.wait_for("chat.dismissed", 1).await;
    assert!(argument.is_undefined());
    let chat = value(client.resume_chat(&JsValue::from(7), &NONE)).await;
    assert_eq!(text(&get(&chat, "state"), "status"), "queued");
    recorder.wait_for("chat.connected", 2).await;
    gateway.change(r#"{"status":"finished","ended_by":"timeout"}"#);
    recorder.wait_for("chat.timeout", 1).await;
    recorder.wait_for("chat.ended", 1).await;
    client.close();
}

//! Messages: each once and in order, beside `fetchMessages`, over dropped connections and a reload, and as the objects they are.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::*;

fn contents(messages: &JsValue) -> String {
    messages.unchecked_ref::<Array>().iter().map(|message| text(&message, "content")).collect::<Vec<_>>().join("|")
}

#[wasm_bindgen_test]
async fn live_messages_wait_for_a_fetch_and_what_it_returned_is_not_emitted() {
    let (gateway, origin) = gateway();
    let (client, recorder) = in_chat(&origin).await;
    gateway.say("agent", 1, "one");
    recorder.wait_for("chat.message", 1).await;
    gateway.hold("GET /api/v1/chats/7/messages");
    let fetch = client.fetch_messages(&NONE);
    gateway.say("agent", 1, "two");
    turn().await;
    assert_eq!(recorder.contents(), "one");
    gateway.release();
    let fetched = value(fetch).await;
    // Whatever comes after the fetch comes after its caller had the result.
    assert_eq!(recorder.contents(), "one");
    gateway.say("agent", 1, "three");
    recorder.wait_for("chat.message", 2).await;
    assert_eq!(contents(&fetched), "one|two");
    assert_eq!(recorder.contents(), "one|three");
}

#[wasm_bindgen_test]
async fn a_reload_goes_on_with_the_same_messages_once_in_the_same_order() {
    let (gateway, origin) = gateway();
    let (first, _) = in_chat(&origin).await;
    value(send(&first, "one")).await;
    gateway.say("agent", 1, "two");
    first.close();
    let second = client(&origin);
    let recorder = Recorder::of(&second);
    let chat = value(second.load_ongoing_chat(&NONE)).await;
    assert_eq!(get(&get(&chat, "state"), "id"), JsValue::from(7));
    recorder.wait_for("chat.connected", 1).await;
    let fetched = value(second.fetch_messages(&NONE)).await;
    gateway.say("agent", 1, "three");
    recorder.wait_for("chat.message", 1).await;
    assert_eq!(contents(&fetched), "one|two");
    assert_eq!(recorder.contents(), "three");
    assert_eq!(contents(&second.messages()), "one|two|three");
    assert!(recorder.names().contains(&"chat.ongoing".to_owned()));
}

#[wasm_bindgen_test]
async fn what_was_said_during_a_gap_is_emitted_once_and_in_order() {
    let (gateway, origin) = gateway();
    let (_client, recorder) = in_chat(&origin).await;
    gateway.say("agent", 1, "one");
    recorder.wait_for("chat.message", 1).await;
    for round in 0..5 {
        gateway.drop_sockets(1006);
        gateway.say("agent", 1, &format!("missed {round}"));
        recorder.wait_for("chat.reconnected", round + 1).await;
        gateway.say("agent", 1, &format!("live {round}"));
    }
    recorder.wait_for("chat.message", 11).await;
    assert_eq!(recorder.contents(), gateway.stored_contents());
    assert_eq!(recorder.all("chat.connected").len(), 1);
}

#[wasm_bindgen_test]
async fn a_send_whose_answer_is_lost_is_stored_once() {
    let (gateway, origin) = gateway();
    let (client, recorder) = in_chat(&origin).await;
    gateway.set_deaf(true);
    let sent = send(&client, "hello");
    recorder.wait_for("chat.delivery", 3).await;
    gateway.set_deaf(false);
    value(sent).await;
    assert_eq!(gateway.stored_contents(), "hello");
    assert!(gateway.count_requests("POST /api/v1/chats/7/messages") >= 2);
}

#[wasm_bindgen_test]
async fn a_failed_fetch_gives_an_empty_list_and_an_error_event() {
    let (gateway, origin) = gateway();
    let (client, recorder) = in_chat(&origin).await;
    gateway.say("agent", 1, "one");
    gateway.refuse("GET /api/v1/chats/7/messages", 503, "unavailable", Some(2));
    assert_eq!(contents(&value(client.fetch_messages(&NONE)).await), "");
    let error = recorder.wait_for("error", 1).await;
    assert_eq!((text(&error, "code").as_str(), get(&error, "status")), ("unavailable", JsValue::from(503)));
    assert_eq!(contents(&value(client.fetch_messages(&NONE)).await), "one");
}

#[wasm_bindgen_test]
async fn a_message_is_one_object_with_a_date_and_with_every_field_it_came_with() {
    let (gateway, origin) = gateway();
    let (client, recorder) = in_chat(&origin).await;
    let chat = client.chat();
    let send_message: js_sys::Function = get(&chat, "sendMessage").unchecked_into();
    let body = js_sys::JSON::parse(r#"{"type":"of_tomorrow","content":"x","nested":{"deep":[1,null]}}"#).unwrap();
    let index = value(send_message.call1(&chat, &body).unwrap().unchecked_into()).await;
    assert_eq!(index, JsValue::from(1));
    let message = recorder.wait_for("chat.message", 1).await;
    assert!(get(&message, "$timestamp").is_instance_of::<js_sys::Date>());
    assert_eq!(get(&message, "$index"), JsValue::from(1));
    assert_eq!(text(&message, "type"), "of_tomorrow");
    assert_eq!(js_sys::JSON::stringify(&get(&message, "nested")).unwrap(), r#"{"deep":[1,null]}"#);
    assert_eq!(client.messages().get(0), message);
    assert_eq!(gateway.messages().length(), 1);
}

#[wasm_bindgen_test]
async fn unread_messages_are_those_of_others_until_they_are_read() {
    let (gateway, origin) = gateway();
    let (client, recorder) = in_chat(&origin).await;
    value(send(&client, "mine")).await;
    gateway.say("agent", 1, "one");
    gateway.say("system", 0, "notice");
    gateway.say("virtual_agent", 2, "two");
    recorder.wait_for("chat.message", 4).await;
    assert!((client.unread_count() - 2.0).abs() < f64::EPSILON);
    client.mark_read();
    assert!(client.unread_count().abs() < f64::EPSILON);
    assert_eq!(recorder.all("chat.unread").last(), Some(&JsValue::from(0)));
}

#[wasm_bindgen_test]
async fn a_frame_that_cannot_be_read_is_an_error_event_and_the_stream_resumes() {
    let (gateway, origin) = gateway();
    let (_client, recorder) = in_chat(&origin).await;
    for (round, frame) in ["{", "[]", "{\"type\":7}", "{\"type\":\"update\",\"messages\":[{}]}"].into_iter().enumerate()
    {
        gateway.frame(frame);
        recorder.wait_for("error", round + 1).await;
        recorder.wait_for("chat.reconnected", round + 1).await;
    }
    assert!(recorder.errors().iter().all(|code| code == "protocol"));
    gateway.say("agent", 1, "one");
    recorder.wait_for("chat.message", 1).await;
}

#[wasm_bindgen_test]
async fn what_is_done_to_an_object_after_the_call_that_sent_it_changes_no_message() {
    let (gateway, origin) = gateway();
    let (client, recorder) = in_chat(&origin).await;
    let chat = client.chat();
    let send_message: js_sys::Function = get(&chat, "sendMessage").unchecked_into();
    let body = js_sys::JSON::parse(r#"{"type":"text"}"#).unwrap();
    let mut sent = Vec::new();
    // One object for all of them, as an application may have it.
    for content in ["one", "two", "three"] {
        js_sys::Reflect::set(&body, &"content".into(), &content.into()).unwrap();
        sent.push(send_message.call1(&chat, &body).unwrap().unchecked_into());
    }
    for sent in sent {
        value(sent).await;
    }
    recorder.wait_for("chat.message", 3).await;
    assert_eq!(recorder.contents(), "one|two|three");
    assert_eq!(gateway.messages().length(), 3);
    client.close();
}

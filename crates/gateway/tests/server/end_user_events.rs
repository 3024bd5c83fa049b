//! What an end user's pages report about a chat.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Gateway, User};

async fn report(user: &User, chat: u64, event: Value) -> (StatusCode, Value) {
    user.call(Method::POST, &format!("/chats/{chat}/events"), Some(event)).await
}

#[tokio::test]
async fn events_reach_the_desk_in_order_and_a_name_renames_the_end_user_there() {
    let gateway = Gateway::start().await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let chat = uma.chat(2, "a").await;
    let events = async || ada.call(Method::GET, &format!("/chats/{chat}/events"), None).await;
    let name = async || ada.call(Method::GET, "/chats", None).await.1["queue"][0]["end_user_name"].clone();
    assert_eq!(events().await, (StatusCode::OK, json!({"events": [], "escalations": []})));
    assert_eq!(name().await, "Uma Visitor");
    let mut stream = uma.join(chat, 0).await;
    stream.expect("joined").await;

    let sent = [
        json!({"name": "form_clicked", "payload": {"z": 1, "a": [true, null, "x"]}, "n": 7}),
        json!({"end_user_name": " Uma U. "}),
        json!({}),
        json!({"name": "", "end_user_name": ""}),
    ];
    for event in sent {
        assert_eq!(report(&uma, chat, event).await, (StatusCode::NO_CONTENT, Value::Null));
    }
    let (_, shown) = events().await;
    let shown = shown["events"].as_array().unwrap();
    let names: Vec<&str> = shown.iter().map(|event| event["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["form_clicked", "end_user_event", "end_user_event", "end_user_event"]);
    assert_eq!(shown[0]["data"].to_string(), r#"{"payload":{"z":1,"a":[true,null,"x"]},"n":7}"#);
    assert_eq!((&shown[1]["data"], &shown[2]["data"]), (&json!({"end_user_name": " Uma U. "}), &json!({})));
    assert!(shown[0]["at_ms"].as_u64().unwrap() <= shown[3]["at_ms"].as_u64().unwrap());
    assert_eq!(name().await, "Uma U.", "an empty name takes none away");

    // Whoever reads along hears the new name too, and another chat keeps the old one.
    ada.accept(chat).await;
    let mut desk = ada.join(chat, 0).await;
    desk.expect("joined").await;
    stream.say(json!({"type": "typing", "typing": true})).await;
    assert_eq!(desk.expect("typing").await["member"]["display_name"], "Uma U.");
    uma.chat(2, "b").await;
    assert_eq!(name().await, "Uma Visitor");
    gateway.stop().await;
}

#[tokio::test]
async fn malformed_events_and_other_peoples_chats_are_refused() {
    let gateway = Gateway::start().await;
    let (uma, eve) = (gateway.user("uma").await, gateway.user("eve").await);
    let chat = uma.chat(2, "a").await;
    let mut deep = json!(1);
    for _ in 0..20 {
        deep = json!([deep]);
    }
    let table = [
        (json!([]), 400, "invalid_argument"),
        (json!("x"), 400, "invalid_argument"),
        (json!({"name": 5}), 400, "invalid_argument"),
        (json!({"end_user_name": {}}), 400, "invalid_argument"),
        (json!({"name": "n".repeat(65)}), 413, "too_large"),
        (json!({"end_user_name": "n".repeat(321)}), 413, "too_large"),
        (json!({"payload": "x".repeat(70_000)}), 413, "too_large"),
        (json!({"payload": deep}), 400, "invalid_argument"),
    ];
    for (event, status, code) in table {
        let (given, body) = report(&uma, chat, event.clone()).await;
        assert_eq!(
            (given.as_u16(), body["error"]["code"].as_str().unwrap()),
            (status, code),
            "{:.80}",
            event.to_string()
        );
    }
    for (user, chat) in [(&eve, chat), (&uma, 999)] {
        assert_eq!(report(user, chat, json!({})).await.0, StatusCode::NOT_FOUND);
    }
    let (ada, olga) = (gateway.agent("ada").await, gateway.agent("olga").await);
    assert_eq!(olga.call(Method::GET, &format!("/chats/{chat}/events"), None).await.0, StatusCode::NOT_FOUND);
    assert_eq!(ada.call(Method::GET, "/chats/999/events", None).await.0, StatusCode::NOT_FOUND);
    let (_, shown) = ada.call(Method::GET, &format!("/chats/{chat}/events"), None).await;
    assert_eq!(shown, json!({"events": [], "escalations": []}), "nothing of it was kept");
    gateway.stop().await;
}

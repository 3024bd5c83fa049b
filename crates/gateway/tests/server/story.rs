//! A conversation from menu to end.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::common::{Gateway, indexes, texts};

#[tokio::test]
async fn a_chat_goes_from_menu_to_virtual_agent_to_agent_to_end() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;

    assert_eq!(uma.get("/company").await["name"], "Acme");
    let menus = uma.get("/menus").await;
    assert_eq!(menus["menus"][0]["name"], "Orders");
    // Nobody is on duty: one handling time of the default five minutes.
    assert_eq!(uma.get("/menus/1/wait_times").await, json!({"chat": 300, "voice_call": 300}));
    assert_eq!(uma.get("/chats/ongoing").await, json!({"chat": null}));

    let chat = uma.chat(1, "open-1").await;
    let mut customer = uma.join(chat, 0).await;
    let joined = customer.expect("joined").await;
    assert_eq!(joined["chat"]["status"], "va_assigned");
    assert_eq!(joined["chat"]["members"], json!([{"type": "virtual_agent", "id": 1, "display_name": "Pia"}]));
    customer.until_index(2).await;

    let (status, sent) = uma.send(chat, "m-1", "a person please").await;
    assert_eq!((status, &sent["index"]), (StatusCode::CREATED, &json!(3)));
    let queued = customer.until_status("queued").await;
    assert_eq!(queued["members"], json!([]));

    let ada = gateway.agent("ada").await;
    let mut list = ada.list().await;
    let chats = list.expect("chats").await;
    assert_eq!(chats["queue"][0]["id"], json!(chat));
    assert_eq!(chats["queue"][0]["end_user_name"], "Uma Visitor");
    // Ada is on duty and has room for the one who waits and for two more.
    assert_eq!(uma.get("/menus/1/wait_times").await, json!({"chat": 0, "voice_call": 0}));

    let (status, accepted) = ada.accept(chat).await;
    assert_eq!((status, &accepted["chat"]["status"]), (StatusCode::OK, &json!("assigned")));
    customer.until_status("assigned").await;
    while list.expect("chats").await["mine"][0]["id"] != json!(chat) {}

    let mut desk = ada.join(chat, 0).await;
    desk.expect("joined").await;
    customer.say(json!({"type": "typing", "typing": true})).await;
    let typing = desk.expect("typing").await;
    assert_eq!((&typing["typing"], &typing["member"]["display_name"]), (&json!(true), &json!("Uma Visitor")));
    desk.say(json!({"type": "typing", "typing": true})).await;
    assert_eq!(customer.expect("typing").await["member"], json!({"type": "agent", "id": 1, "display_name": "Ada"}));

    ada.send(chat, "a-1", "How can I help?").await;
    uma.send(chat, "m-2", "My parcel is late").await;
    let (status, _) = ada.call(Method::PATCH, &format!("/chats/{chat}"), Some(json!({"status": "finished"}))).await;
    assert_eq!(status, StatusCode::OK);
    let ended = customer.until_status("finished").await;
    assert!(ended["ends_at"].is_string() && ended["members"] == json!([]));

    let story = [
        "Hello!",
        "(inline_button)",
        "a person please",
        "One moment.",
        "(escalationStarted)",
        "(escalationAccepted)",
        "How can I help?",
        "My parcel is late",
        "(chatEnded)",
    ];
    assert_eq!(texts(&customer.messages), story);
    assert_eq!(indexes(&customer.messages), (1..=9).collect::<Vec<u64>>());
    desk.until_index(9).await;
    assert_eq!(desk.messages, customer.messages);
    assert_eq!(uma.messages(chat).await, customer.messages);

    assert_eq!(uma.get("/chats/ongoing").await, json!({"chat": null}));
    let (status, body) = uma.send(chat, "m-3", "too late").await;
    assert_eq!((status, &body["error"]["code"]), (StatusCode::CONFLICT, &json!("chat_ended")));
    gateway.stop().await;
}

#[tokio::test]
async fn the_virtual_agent_can_end_a_chat_and_a_menu_without_one_queues_at_once() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(1, "open-1").await;
    uma.send(chat, "m-1", "what now").await;
    uma.send(chat, "m-2", "bye").await;
    let told = uma.messages(chat).await;
    assert_eq!(texts(&told), ["Hello!", "(inline_button)", "what now", "What?", "bye", "(chatEnded)"]);
    let chat = uma.chat(2, "open-2").await;
    assert_eq!(uma.get(&format!("/chats/{chat}")).await["chat"]["status"], "queued");
    gateway.stop().await;
}

#[tokio::test]
async fn what_the_site_sends_with_a_chat_reaches_the_desk_and_the_greeting_the_conversation() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let request = json!({
        "lang": "it", "greeting": "Buongiorno", "email": "uma@shop.example", "message_preview": true,
        "custom_data": {"unsigned": {
            "order": {"label": "Order", "value": "77"},
            "score": {"label": "Score", "value": "9", "invisible_to_agent": true},
        }},
    });
    let body = json!({"client_id": "open-1", "menu_id": 2, "chat": request});
    let (status, created) = uma.call(Method::POST, "/chats", Some(body.clone())).await;
    assert_eq!((status, &created["chat"]["lang"]), (StatusCode::CREATED, &json!("it")));
    // The same again: the same chat, and no second greeting.
    let (status, again) = uma.call(Method::POST, "/chats", Some(body)).await;
    assert_eq!((status, &again["chat"]["id"]), (StatusCode::OK, &created["chat"]["id"]));
    let chat = created["chat"]["id"].as_u64().unwrap();
    assert_eq!(texts(&uma.messages(chat).await), ["Buongiorno"]);

    let ada = gateway.agent("ada").await;
    let (_, chats) = ada.call(Method::GET, "/chats", None).await;
    let shown = &chats["queue"][0];
    assert_eq!(shown["custom_data"], json!({"unsigned": {"order": {"label": "Order", "value": "77"}}, "signed": {}}));
    let kept = json!({"lang": "it", "greeting": "Buongiorno", "email": "uma@shop.example", "message_preview": true});
    assert_eq!(shown["request"], kept);
    assert_eq!(shown["end_user_email"], "uma@shop.example");
    assert!(shown["waiting_since_ms"].as_u64().unwrap() > 0);
    gateway.stop().await;
}

#[tokio::test]
async fn escalating_twice_is_one_escalation() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(1, "open-1").await;
    let path = format!("/chats/{chat}/escalations");
    let (status, first) = uma.call(Method::POST, &path, Some(json!({"reason": "by_end_user_ask", "x": 1}))).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(first, json!({"id": 3, "chat_id": chat, "status": "escalated"}));
    let (_, second) = uma.call(Method::POST, &path, Some(json!({}))).await;
    assert_eq!(first, second);
    assert_eq!(texts(&uma.messages(chat).await), ["Hello!", "(inline_button)", "(escalationStarted)"]);
    gateway.stop().await;
}

#[tokio::test]
async fn ongoing_is_the_newest_chat_that_is_neither_over_nor_dropped() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let (first, second) = (uma.chat(2, "a").await, uma.chat(2, "b").await);
    let ongoing = async || uma.get("/chats/ongoing").await["chat"]["id"].clone();
    assert_eq!(ongoing().await, json!(second));
    let (status, dropped) = uma.call(Method::DELETE, &format!("/chats/{second}"), None).await;
    assert_eq!((status, &dropped["chat"]["status"]), (StatusCode::OK, &json!("finished")));
    assert_eq!(ongoing().await, json!(first));
    for _ in 0..2 {
        let finish = Some(json!({"status": "finished"}));
        let (status, _) = uma.call(Method::PATCH, &format!("/chats/{first}"), finish).await;
        assert_eq!(status, StatusCode::OK, "also when it is finished already");
    }
    assert_eq!(ongoing().await, json!(null));
    gateway.stop().await;
}

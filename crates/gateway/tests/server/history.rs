//! An end user's earlier conversations.

use std::sync::Arc;

use gateway::store::MemoryStore;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Gateway, User, company_with, start_with_menus, texts};

async fn finish(user: &User, chat: u64) {
    let (status, _) = user.call(Method::PATCH, &format!("/chats/{chat}"), Some(json!({"status": "finished"}))).await;
    assert_eq!(status, StatusCode::OK);
}

fn ids(page: &Value) -> Vec<u64> {
    page["chats"].as_array().unwrap().iter().map(|chat| chat["comm_id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn the_history_has_what_is_over_newest_first_with_everything_that_was_said() {
    let gateway = start_with_menus("timezone = \"Europe/Lisbon\"", &[]).await;
    let (uma, eve, ada) = (gateway.user("uma").await, gateway.user("eve").await, gateway.agent("ada").await);
    let empty = json!({"chats": [], "missing_chat_ids": [], "pagination": {"next_page": -1, "per_page": 10}});
    assert_eq!(uma.get("/chat_history").await, empty);

    let first = uma.chat(2, "first").await;
    uma.send(first, "m-1", "hello").await;
    ada.accept(first).await;
    ada.send(first, "a-1", "hi").await;
    finish(&uma, first).await;
    let alone = uma.chat(1, "alone").await;
    finish(&uma, alone).await;
    let dropped = uma.chat(2, "dropped").await;
    uma.call(Method::DELETE, &format!("/chats/{dropped}"), None).await;
    let ongoing = uma.chat(2, "ongoing").await;

    let page = uma.get("/chat_history?page=1").await;
    assert_eq!((ids(&page), &page["missing_chat_ids"]), (vec![alone, first], &json!([dropped])));
    assert!(ongoing > dropped);
    let chats = &page["chats"];
    assert_eq!((&chats[0]["comm_type"], &chats[0]["timezone"]), (&json!("chat"), &json!("Europe/Lisbon")));
    assert_eq!((&chats[1]["agents"][0]["name"], &chats[0]["agents"]), (&json!("Ada"), &json!([])));
    assert_eq!(
        (&chats[1]["menus"], &chats[0]["menus"]),
        (&json!([{"id": 2, "name": "People"}]), &json!([{"id": 1, "name": "Orders"}]))
    );
    assert_eq!(texts(chats[1]["entries"].as_array().unwrap()), ["hello", "(escalationAccepted)", "hi", "(chatEnded)"]);
    assert_eq!(chats[1]["entries"], json!(uma.messages(first).await));
    // Nobody was assigned there: the time of the opening.
    let opened = &uma.get(&format!("/chats/{alone}")).await["chat"]["created_at"];
    assert_eq!(&chats[0]["assigned_at"], opened);
    assert_ne!(chats[1]["assigned_at"], chats[0]["assigned_at"]);

    assert_eq!(eve.get("/chat_history").await, empty, "someone else's does not exist");
    gateway.stop().await;
}

#[tokio::test]
async fn pages_follow_each_other_to_the_last_one() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let mut all = Vec::new();
    for n in 0..12 {
        let chat = uma.chat(2, &format!("open-{n}")).await;
        finish(&uma, chat).await;
        all.insert(0, chat);
    }
    let first = uma.get("/chat_history").await;
    assert_eq!((ids(&first), &first["pagination"]["next_page"]), (all[..10].to_vec(), &json!(2)));
    let second = uma.get("/chat_history?page=2").await;
    assert_eq!((ids(&second), &second["pagination"]["next_page"]), (all[10..].to_vec(), &json!(-1)));
    let beyond = uma.get("/chat_history?page=4294967295").await;
    assert_eq!((ids(&beyond), &beyond["pagination"]["next_page"]), (vec![], &json!(-1)));
    for wrong in ["0", "-1", "x", "1.5", "4294967296", ""] {
        let (status, body) = uma.call(Method::GET, &format!("/chat_history?page={wrong}"), None).await;
        assert_eq!((status, &body["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_argument")), "{wrong}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_chat_that_does_not_fit_is_named_as_missing() {
    let mut config = company_with("", &[]);
    config.limits.max_page_bytes = 4000;
    let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
    let uma = gateway.user("uma").await;
    let (small, large) = (uma.chat(2, "small").await, uma.chat(2, "large").await);
    uma.send(small, "m-1", "short").await;
    for n in 0..5 {
        uma.send(large, &format!("m-{n}"), &"long ".repeat(200)).await;
    }
    finish(&uma, small).await;
    finish(&uma, large).await;
    let page = uma.get("/chat_history").await;
    assert_eq!((ids(&page), &page["missing_chat_ids"]), (vec![small], &json!([large])));
    gateway.stop().await;
}

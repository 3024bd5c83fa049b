//! Silence: dismissal, return and timeout, as customer and agent see them, with chats that nobody has loaded among them.

use std::sync::Arc;

use gateway::store::MemoryStore;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::common::{Desk, Gateway, User, config, texts, within};

async fn start(timers: &str) -> Gateway {
    Gateway::start_with(config(&format!("chat = {{ {timers} }}")), Arc::new(MemoryStore::default())).await
}

/// A chat with a question and an answer that stays without one.
async fn answered(uma: &User, ada: &Desk) -> u64 {
    let chat = uma.chat(2, "open-1").await;
    assert_eq!(ada.accept(chat).await.0, StatusCode::OK);
    assert_eq!(uma.send(chat, "u-1", "hello").await.0, StatusCode::CREATED);
    assert_eq!(ada.send(chat, "a-1", "hello yourself").await.0, StatusCode::CREATED);
    chat
}

#[tokio::test]
async fn a_silent_customer_is_dismissed_and_comes_back_by_resume_or_by_writing() {
    let gateway = start("dismiss_after_ms = 400").await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let chat = answered(&uma, &ada).await;
    let resume = format!("/chats/{chat}/resume");
    let mut customer = uma.join(chat, 0).await;
    let mut agent = ada.join(chat, 0).await;
    let mut list = ada.list().await;
    let dismissed = customer.until_status("dismissed").await;
    assert_eq!(dismissed["members"], json!([]));
    assert!(dismissed.get("ended_by").is_none());
    agent.until_status("dismissed").await;
    // The agent sees it leave, and nobody finds it in the queue.
    within(async {
        loop {
            let chats = list.expect("chats").await;
            if chats["mine"] == json!([]) && chats["queue"] == json!([]) {
                break;
            }
        }
    })
    .await;
    assert_eq!(uma.get("/chats/ongoing").await["chat"]["id"], json!(chat));
    let (status, refusal) = ada.send(chat, "a-2", "wait").await;
    assert_eq!((status, &refusal["error"]["code"]), (StatusCode::CONFLICT, &json!("conflict")));
    // A retry of what was stored brings nothing back.
    assert_eq!(uma.send(chat, "u-1", "hello").await.0, StatusCode::OK);
    assert_eq!(uma.get(&format!("/chats/{chat}")).await["chat"]["status"], "dismissed");

    let (status, body) = uma.call(Method::POST, &resume, Some(json!({}))).await;
    assert_eq!((status, &body["chat"]["status"]), (StatusCode::OK, &json!("queued")));
    let (status, refusal) = uma.call(Method::POST, &resume, Some(json!({}))).await;
    assert_eq!((status, &refusal["error"]["code"]), (StatusCode::CONFLICT, &json!("conflict")));
    let eve = gateway.user("eve").await;
    assert_eq!(eve.call(Method::POST, &resume, Some(json!({}))).await.0, StatusCode::NOT_FOUND);
    customer.until_status("queued").await;

    ada.accept(chat).await;
    uma.send(chat, "u-2", "so").await;
    ada.send(chat, "a-3", "yes?").await;
    customer.until_status("dismissed").await;
    uma.send(chat, "u-3", "I was away").await;
    customer.until_status("queued").await;
    let said = texts(&uma.messages(chat).await);
    let expected = [
        "(escalationAccepted)",
        "hello",
        "hello yourself",
        "(chatDismissed)",
        "(chatResumed)",
        "(escalationAccepted)",
        "so",
        "yes?",
        "(chatDismissed)",
        "I was away",
        "(chatResumed)",
    ];
    assert_eq!(said, expected);
    gateway.stop().await;
}

#[tokio::test]
async fn a_chat_that_stays_silent_ends_by_itself() {
    let gateway = start("dismiss_after_ms = 0, timeout_ms = 400").await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(1, "open-1").await;
    let mut customer = uma.join(chat, 0).await;
    let ended = customer.until_status("finished").await;
    assert_eq!(ended["ended_by"], "timeout");
    let last = uma.messages(chat).await.pop().unwrap();
    assert_eq!((&last["event"], &last["ended_by"]), (&json!("chatEnded"), &json!("timeout")));
    assert_eq!(uma.get("/chats/ongoing").await, json!({"chat": null}));
    gateway.stop().await;
}

#[tokio::test]
async fn timers_of_chats_that_nobody_has_loaded_run_out_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (uma, chat) = {
        let gateway = Gateway::start_in(folder.path(), config("")).await;
        let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
        let chat = answered(&uma, &ada).await;
        gateway.stop().await;
        (uma, chat)
    };
    let gateway =
        Gateway::start_in(folder.path(), config("chat = { dismiss_after_ms = 100, timeout_ms = 1500 }")).await;
    // Looking at the chat by REST loads nothing.
    let uma = User { base: gateway.base.clone(), ..uma };
    let status = async || uma.get(&format!("/chats/{chat}")).await["chat"]["status"].clone();
    within(async { while status().await != "dismissed" {} }).await;
    within(async { while status().await != "finished" {} }).await;
    assert_eq!(uma.get(&format!("/chats/{chat}")).await["chat"]["ended_by"], "timeout");
    gateway.stop().await;
}

//! Rates and counts.

use std::sync::Arc;

use gateway::store::MemoryStore;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::common::{Gateway, ORIGIN, config, json_of};

async fn start(limits: &str) -> Gateway {
    Gateway::start_with(config(&format!("limits = {{ {limits} }}")), Arc::new(MemoryStore::default())).await
}

#[tokio::test]
async fn an_end_user_who_asks_too_often_is_told_how_long_to_wait() {
    let gateway = start("requests_per_end_user = { per_minute = 6, burst = 5 }").await;
    let uma = gateway.user("uma").await;
    let answer = loop {
        let answer = uma.request(Method::GET, "/company").header("origin", ORIGIN).send().await.unwrap();
        if answer.status() != StatusCode::OK {
            break answer;
        }
    };
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers().get("access-control-allow-origin").unwrap(), ORIGIN);
    let seconds: u64 = answer.headers().get("retry-after").unwrap().to_str().unwrap().parse().unwrap();
    let (_, body) = json_of(answer).await;
    assert_eq!(body["error"]["code"], "rate_limited");
    let ms = body["error"]["retry_after_ms"].as_u64().unwrap();
    assert!((1..=10_001).contains(&ms) && seconds == ms.div_ceil(1000), "{ms} ms, {seconds} s");
    // Someone else is not affected.
    assert_eq!(gateway.user("eve").await.get("/company").await["name"], "Acme");
    gateway.stop().await;
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_refused_readably_and_pages_still_load() {
    let gateway = start("requests_per_address = { per_minute = 1, burst = 10 }").await;
    let http = reqwest::Client::new();
    let url = format!("{}/api/v1/sessions", gateway.base);
    let answer = loop {
        let answer = http.post(&url).header("origin", ORIGIN).json(&json!({})).send().await.unwrap();
        if answer.status() != StatusCode::BAD_REQUEST {
            break answer;
        }
    };
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers().get("access-control-allow-origin").unwrap(), ORIGIN);
    assert_eq!(http.get(format!("{}/health", gateway.base)).send().await.unwrap().status(), StatusCode::OK);
    gateway.stop().await;
}

#[tokio::test]
async fn passwords_cannot_be_tried_at_will() {
    let gateway = start("sign_ins = { per_minute = 1, burst = 3 }").await;
    let http = reqwest::Client::new();
    let mut statuses = Vec::new();
    for attempt in 0..5 {
        let body = json!({"login": format!("guess-{attempt}"), "password": "x"});
        let answer = http.post(format!("{}/desk/api/v1/sessions", gateway.base)).json(&body).send().await.unwrap();
        statuses.push(answer.status().as_u16());
    }
    assert_eq!(statuses, [401, 401, 401, 429, 429]);
    gateway.stop().await;
}

#[tokio::test]
async fn streams_are_counted_per_end_user_and_places_come_free() {
    let gateway = start("streams_per_end_user = 2").await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let mut first = uma.join(chat, 0).await;
    first.expect("joined").await;
    let mut second = uma.join(chat, 0).await;
    second.expect("joined").await;
    assert_eq!(uma.join(chat, 0).await.refusal().await, ("rate_limited".to_owned(), 4429));
    first.socket.close(None).await.unwrap();
    assert!(matches!(first.hear().await, crate::common::Heard::Closed(_)));
    crate::common::within(async {
        loop {
            let mut again = uma.join(chat, 0).await;
            if let crate::common::Heard::Frame(frame) = again.hear().await
                && frame["type"] == "joined"
            {
                break;
            }
        }
    })
    .await;
    gateway.stop().await;
}

#[tokio::test]
async fn streams_are_counted_per_address() {
    let gateway = start("streams_per_address = 1").await;
    let uma = gateway.user("uma").await;
    let _first = uma.stream().await;
    assert_eq!(uma.stream().await.refusal().await, ("rate_limited".to_owned(), 4429));
    gateway.stop().await;
}

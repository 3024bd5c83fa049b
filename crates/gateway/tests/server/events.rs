//! The event stream as server-sent events: the same promises as over a WebSocket, and what is different about it.

use std::sync::Arc;

use futures_util::future::join_all;
use gateway::config::Config;
use gateway::store::MemoryStore;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Events, Gateway, Heard, ORIGIN, User, config, indexes, now_s, start_with_menus, within};

async fn start(more: &str) -> Gateway {
    start_with(config(more)).await
}

async fn start_with(config: Config) -> Gateway {
    Gateway::start_with(config, Arc::new(MemoryStore::default())).await
}

#[tokio::test]
async fn events_resume_from_their_cursor_and_carry_what_the_socket_carries() {
    let gateway = start("").await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let mut socket = uma.join(chat, 0).await;
    let mut seen: Vec<Value> = Vec::new();
    for round in 0..4_u64 {
        let cursor = seen.last().map_or(0, |message| message["$index"].as_u64().unwrap());
        let mut events = uma.events(chat, cursor).await;
        assert_eq!(events.expect("joined").await["cursor"], json!(cursor));
        for part in 0..30 {
            uma.send(chat, &format!("{round}-{part}"), "two lines\nand \u{1F600}\r\ndata: x").await;
        }
        events.until_index(cursor + 1).await;
        seen.append(&mut events.messages);
        drop(events);
        uma.send(chat, &format!("{round}-late"), "while nobody listens").await;
    }
    let cursor = seen.last().map_or(0, |message| message["$index"].as_u64().unwrap());
    let mut events = uma.events(chat, cursor).await;
    let joined = events.expect("joined").await;
    events.until_index(4 * 31).await;
    seen.append(&mut events.messages);
    socket.until_index(4 * 31).await;
    assert_eq!(indexes(&seen), (1..=124).collect::<Vec<u64>>());
    assert_eq!(seen, socket.messages);
    let mut fresh = uma.join(chat, cursor).await;
    assert_eq!(fresh.expect("joined").await, joined);
    gateway.stop().await;
}

#[tokio::test]
async fn an_answer_of_events_is_neither_kept_nor_gathered_and_readable_for_the_page() {
    let gateway = start("").await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let join = json!({"type": "join", "token": uma.token, "chat_id": chat, "cursor": 0}).to_string();
    let url = format!("{}/api/v1/stream", gateway.base);
    let post = |body: String, origin: &'static str| uma.http.post(&url).header("origin", origin).body(body);
    let mut events = Events::open(post(join.clone(), ORIGIN)).await;
    events.expect("joined").await;
    let headers = events.response.headers();
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["x-accel-buffering"], "no");
    assert_eq!(headers["access-control-allow-origin"], ORIGIN);

    let mut foreign = Events::open(post(join, "https://evil.example")).await;
    assert_eq!(foreign.response.headers()["access-control-allow-origin"], "https://evil.example");
    assert_eq!(foreign.refusal().await, "origin_forbidden");
    let preflight = uma.http.request(Method::OPTIONS, &url).header("origin", ORIGIN);
    let preflight = preflight.header("access-control-request-method", "POST").send().await.unwrap();
    assert_eq!(preflight.status(), StatusCode::NO_CONTENT);
    gateway.stop().await;
}

#[tokio::test]
async fn refusals_come_as_frames() {
    let gateway = start("").await;
    let (uma, eve) = (gateway.user("uma").await, gateway.user("eve").await);
    let chat = uma.chat(2, "open-1").await;
    assert_eq!(eve.events(chat, 0).await.refusal().await, "not_found");
    assert_eq!(uma.events(99, 0).await.refusal().await, "not_found");
    let stale = User { token: "stale".into(), ..uma.clone() };
    assert_eq!(stale.events(chat, 0).await.refusal().await, "unauthorized");
    let bodies = [
        String::new(),
        "{".to_owned(),
        json!({"type": "typing", "typing": true}).to_string(),
        json!({"type": "join", "token": uma.token}).to_string(),
        json!({"type": "join", "token": "x".repeat(10_000), "chat_id": chat, "cursor": 0}).to_string(),
    ];
    for body in bodies {
        let shown = body.chars().take(40).collect::<String>();
        let mut events = Events::open(uma.http.post(format!("{}/api/v1/stream", gateway.base)).body(body)).await;
        assert_eq!(events.refusal().await, "protocol", "{shown}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn events_count_like_sockets_and_places_of_clients_that_vanish_come_free() {
    let gateway = start("limits = { streams_per_end_user = 2 }").await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let mut first = uma.events(chat, 0).await;
    first.expect("joined").await;
    let mut socket = uma.join(chat, 0).await;
    socket.expect("joined").await;
    assert_eq!(uma.events(chat, 0).await.refusal().await, "rate_limited");
    drop(first);
    within(async { while uma.events(chat, 0).await.hear().await.unwrap()["type"] != "joined" {} }).await;
    gateway.stop().await;
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_told_so_by_a_frame() {
    let gateway = start("limits = { requests_per_address = { per_minute = 1, burst = 2 } }").await;
    let url = format!("{}/api/v1/stream", gateway.base);
    let http = reqwest::Client::new();
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(Events::open(http.post(&url).body("{}")).await.refusal().await);
    }
    assert_eq!(codes, ["protocol", "protocol", "rate_limited", "rate_limited"]);
    gateway.stop().await;
}

#[tokio::test]
async fn events_beat_for_as_long_as_the_session_lasts_and_then_say_why_they_end() {
    let gateway =
        start("stream = { heartbeat_ms = 200, expiry_grace_ms = 0 }\nsession = { token_lifetime_ms = 2000 }").await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let mut events = uma.events(chat, 0).await;
    assert_eq!(events.expect("joined").await["heartbeat_ms"], json!(200));
    assert_eq!(events.refusal().await, "unauthorized");
    // Silence of two and a half heartbeats would have ended a socket.
    assert!(events.pings >= 3, "{} pings", events.pings);
    gateway.stop().await;
}

#[tokio::test]
async fn shutting_down_asks_readers_of_events_to_come_back() {
    let gateway = start("").await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let mut events = uma.events(chat, 0).await;
    events.expect("joined").await;
    let stopped = gateway.ask_to_stop();
    assert_eq!(events.expect("closing").await["retry_after_ms"], json!(2000));
    assert!(events.hear().await.is_none());
    within(stopped).await.unwrap();
}

#[tokio::test]
async fn a_reader_of_events_that_stops_reading_is_cut_and_misses_nothing() {
    let limits = "limits = { max_page_bytes = 200000, streams_per_end_user = 1 }";
    let gateway = start(&format!("stream = {{ write_timeout_ms = 1000 }}\n{limits}")).await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let mut slow = uma.events(chat, 0).await;
    slow.expect("joined").await;
    let long = "x".repeat(16_000);
    let total = 1500;
    for batch in 0..(total / 50) {
        let keys: Vec<String> = (0..50).map(|n| format!("{batch}-{n}")).collect();
        for (status, body) in join_all(keys.iter().map(|key| uma.send(chat, key, &long))).await {
            assert_eq!(status, StatusCode::CREATED, "{body}");
        }
    }
    // The one place comes free when the slow reader is cut.
    within(async { while uma.events(chat, total).await.hear().await.unwrap()["type"] != "joined" {} }).await;
    while slow.hear().await.is_some() {}
    let mut seen = indexes(&slow.messages);
    assert!(seen.len() < 1500, "the connection's buffers held everything: send more");
    // Back with the cursor; on a busy machine this reader may be too slow as well, and comes back again.
    within(async {
        while seen.len() < 1500 {
            let mut events = uma.events(chat, seen.last().copied().unwrap_or(0)).await;
            while seen.len() + events.messages.len() < 1500 && events.hear().await.is_some() {}
            seen.extend(indexes(&events.messages));
        }
    })
    .await;
    assert_eq!(seen, (1..=total).collect::<Vec<u64>>());
    gateway.stop().await;
}

#[tokio::test]
async fn what_is_typed_reaches_the_desk_by_frame_and_by_request_where_the_company_wants_it() {
    let gateway = start_with_menus("message_preview = true", &[]).await;
    let (uma, ada, eve) = (gateway.user("uma").await, gateway.agent("ada").await, gateway.user("eve").await);
    let chat = uma.chat(2, "open-1").await;
    ada.accept(chat).await;
    let chat_state = uma.get(&format!("/chats/{chat}")).await;
    assert!(chat_state["chat"]["features"].as_array().unwrap().contains(&json!("preview")));
    let mut customer = uma.join(chat, 0).await;
    customer.expect("joined").await;
    let mut desk = ada.join(chat, 0).await;
    desk.expect("joined").await;
    customer.say(json!({"type": "preview", "content": "my num"})).await;
    let frame = desk.expect("preview").await;
    assert_eq!((&frame["content"], &frame["member"]["display_name"]), (&json!("my num"), &json!("Uma Visitor")));
    let path = format!("/chats/{chat}/preview");
    let (status, body) = uma.call(Method::POST, &path, Some(json!({"content": "my number"}))).await;
    assert_eq!((status, body), (StatusCode::NO_CONTENT, Value::Null));
    assert_eq!(desk.expect("preview").await["content"], "my number");
    uma.send(chat, "m-1", "my number is 4").await;
    assert_eq!(desk.expect("preview").await["content"], "");
    let table = [
        (&eve, json!({"content": "x"}), 404, "not_found"),
        (&uma, json!({"content": 5}), 400, "invalid_argument"),
        (&uma, json!({}), 400, "invalid_argument"),
        (&uma, json!({"content": "x".repeat(20_000)}), 413, "too_large"),
    ];
    for (user, body, status, code) in table {
        let (answered, refusal) = user.call(Method::POST, &path, Some(body)).await;
        assert_eq!((answered.as_u16(), refusal["error"]["code"].as_str().unwrap()), (status, code));
    }
    let kept = uma.messages(chat).await;
    assert!(kept.iter().all(|message| message["content"] != "my num"), "nothing of it is stored");
    gateway.stop().await;
}

#[tokio::test]
async fn where_the_company_wants_no_previews_no_agent_sees_one() {
    let gateway = start("").await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let chat = uma.chat(2, "open-1").await;
    ada.accept(chat).await;
    let mut customer = uma.join(chat, 0).await;
    let joined = customer.expect("joined").await;
    assert!(!joined["chat"]["features"].as_array().unwrap().contains(&json!("preview")));
    let mut desk = ada.join(chat, 0).await;
    desk.expect("joined").await;
    customer.say(json!({"type": "preview", "content": "my num"})).await;
    customer.say(json!({"type": "typing", "typing": true})).await;
    // Frames keep their order: what comes first is what was typed about, not what was typed.
    loop {
        let Heard::Frame(frame) = desk.hear().await else { panic!("the desk's stream ended") };
        assert_ne!(frame["type"], "preview");
        if frame["type"] == "typing" {
            break;
        }
    }
    let (status, refusal) =
        uma.call(Method::POST, &format!("/chats/{chat}/preview"), Some(json!({"content": "x"}))).await;
    assert_eq!((status, &refusal["error"]["code"]), (StatusCode::FORBIDDEN, &json!("unsupported")));
    gateway.stop().await;
}

#[tokio::test]
async fn who_reads_events_types_by_request() {
    let gateway = start("").await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let chat = uma.chat(2, "open-1").await;
    ada.accept(chat).await;
    let mut customer = uma.events(chat, 0).await;
    customer.expect("joined").await;
    let mut desk = ada.join(chat, 0).await;
    desk.expect("joined").await;
    let path = format!("/chats/{chat}/typing");
    for typing in [true, false] {
        let (status, body) = uma.call(Method::POST, &path, Some(json!({ "typing": typing }))).await;
        assert_eq!((status, body), (StatusCode::NO_CONTENT, Value::Null));
        let frame = desk.expect("typing").await;
        assert_eq!((&frame["typing"], &frame["member"]["display_name"]), (&json!(typing), &json!("Uma Visitor")));
    }
    desk.say(json!({"type": "typing", "typing": true})).await;
    assert_eq!(customer.expect("typing").await["member"]["display_name"], "Ada");
    let eve = gateway.user("eve").await;
    assert_eq!(eve.call(Method::POST, &path, Some(json!({"typing": true}))).await.0, StatusCode::NOT_FOUND);
    assert_eq!(uma.call(Method::POST, &path, Some(json!({"typing": 1}))).await.0, StatusCode::BAD_REQUEST);
    gateway.stop().await;
}

#[tokio::test]
async fn without_sockets_there_are_still_events() {
    let gateway = start("stream = { websocket = false }").await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let url = format!("{}/api/v1/stream", gateway.base.replace("http", "ws"));
    assert!(tokio_tungstenite::connect_async(url).await.is_err());
    uma.events(chat, 0).await.expect("joined").await;
    // The desk's own streams are not what a customer's proxy blocks.
    gateway.agent("ada").await.list().await.expect("chats").await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_client_that_asks_whether_the_stream_is_alive_is_answered() {
    let gateway = start("").await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let chat = uma.chat(2, "open-1").await;
    ada.accept(chat).await;
    for mut stream in [uma.join(chat, 9).await, ada.join(chat, 9).await, ada.list().await] {
        stream.say(json!({"type": "ping"})).await;
        stream.expect("pong").await;
        stream.say(json!({"type": "of a newer client", "at": now_s()})).await;
        stream.say(json!({"type": "ping"})).await;
        assert!(!matches!(stream.hear().await, Heard::Closed(_)));
    }
    gateway.stop().await;
}

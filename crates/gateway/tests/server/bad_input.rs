//! Everything wrong that can be sent, each with its typed refusal, and never a server error.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Gateway, SECRET, Stream, User, json_of, now_s, signed, site_token};

fn code(body: &Value) -> &str {
    body["error"]["code"].as_str().unwrap_or_else(|| panic!("an error body, not {body}"))
}

async fn exchange(gateway: &Gateway, body: Value) -> (u16, String) {
    let url = format!("{}/api/v1/sessions", gateway.base);
    let (status, body) = json_of(reqwest::Client::new().post(url).json(&body).send().await.unwrap()).await;
    (status.as_u16(), if status.is_success() { String::new() } else { code(&body).to_owned() })
}

#[tokio::test]
async fn tokens_that_cannot_be_exchanged() {
    let gateway = Gateway::start().await;
    let good = site_token("uma");
    let expired = signed(&json!({"identifier": "uma", "exp": now_s() - 3600}), SECRET);
    let forged = signed(&json!({"identifier": "uma", "exp": now_s() + 600}), "another secret altogether");
    // {"alg":"none","typ":"JWT"}.{"identifier":"uma","exp":9999999999}
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpZGVudGlmaWVyIjoidW1hIiwiZXhwIjo5OTk5OTk5OTk5fQ.";
    let anonymous = signed(&json!({"exp": now_s() + 600}), SECRET);
    let with = |company: &str, token: &str| json!({"company_id": company, "token": token});
    let secret = |secret: &str| json!({"company_id": "acme", "token": anonymous, "end_user_secret": secret});
    let table = [
        (with("acme", &good), 200, ""),
        (with("nobody", &good), 404, "company_unknown"),
        (with("", &good), 404, "company_unknown"),
        (with("other", &good), 401, "token_invalid"),
        (with("acme", &expired), 401, "token_expired"),
        (with("acme", &forged), 401, "token_invalid"),
        (with("acme", unsigned), 401, "token_invalid"),
        (with("acme", "nonsense"), 401, "token_invalid"),
        (with("acme", &anonymous), 400, "invalid_argument"),
        (secret("short"), 400, "invalid_argument"),
        (secret(&"+".repeat(43)), 400, "invalid_argument"),
        (secret(&"a".repeat(43)), 200, ""),
        (json!({"company_id": "acme"}), 400, "invalid_argument"),
        (json!({"company_id": 7, "token": good}), 400, "invalid_argument"),
        (json!([]), 400, "invalid_argument"),
    ];
    for (body, status, code) in table {
        assert_eq!(exchange(&gateway, body.clone()).await, (status, code.to_owned()), "{body}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn two_anonymous_users_never_meet_and_one_comes_back() {
    let gateway = Gateway::start().await;
    let anonymous = signed(&json!({"exp": now_s() + 600}), SECRET);
    let enter = async |secret: String| {
        let body = json!({"company_id": "acme", "token": anonymous, "end_user_secret": secret});
        let url = format!("{}/api/v1/sessions", gateway.base);
        let (_, body) = json_of(reqwest::Client::new().post(url).json(&body).send().await.unwrap()).await;
        assert_eq!(body["end_user"]["identifier"], json!(null));
        body["end_user"]["id"].as_u64().unwrap()
    };
    let (a, b) = ("a".repeat(43), "b".repeat(43));
    let first = enter(a.clone()).await;
    assert_ne!(first, enter(b).await);
    assert_eq!(first, enter(a).await);
    gateway.stop().await;
}

#[tokio::test]
async fn requests_that_are_malformed_or_reach_for_what_is_not_there() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let foreign = gateway.user("eve").await.chat(2, "hers").await;
    let message = |content: Value| json!({"client_id": "m", "message": {"type": "text", "content": content}});
    let create = |menu: Value, chat: Value| json!({"client_id": "c", "menu_id": menu, "chat": chat});
    let (get, post, patch, delete) = (Method::GET, Method::POST, Method::PATCH, Method::DELETE);
    let mine = format!("/chats/{chat}");
    let theirs = format!("/chats/{foreign}");
    let sub = |chat: &str, rest: &str| format!("{chat}{rest}");
    let table: Vec<(&Method, String, Option<Value>, u16, &str)> = vec![
        (&get, "/menus/99/wait_times".into(), None, 404, "not_found"),
        (&get, "/menus/3/wait_times".into(), None, 404, "not_found"),
        (&get, "/menus/x/wait_times".into(), None, 400, "invalid_argument"),
        (&post, "/chats".into(), Some(create(json!(99), json!({}))), 404, "not_found"),
        (&post, "/chats".into(), Some(create(json!(3), json!({}))), 404, "not_found"),
        (&post, "/chats".into(), Some(create(json!(5), json!({}))), 409, "conflict"),
        (&post, "/chats".into(), Some(create(json!("one"), json!({}))), 400, "invalid_argument"),
        (&post, "/chats".into(), Some(create(json!(-1), json!({}))), 400, "invalid_argument"),
        (&post, "/chats".into(), Some(create(json!(2), json!([]))), 400, "invalid_argument"),
        (&post, "/chats".into(), Some(create(json!(2), json!({"lang": 5}))), 400, "invalid_argument"),
        (&post, "/chats".into(), Some(create(json!(2), json!({"custom_data": "x"}))), 400, "invalid_argument"),
        (&post, "/chats".into(), Some(create(json!(2), json!({"greeting": "x".repeat(20_000)}))), 413, "too_large"),
        (&post, "/chats".into(), Some(json!({"client_id": "", "menu_id": 2})), 400, "invalid_argument"),
        (&get, "/chats/999999".into(), None, 404, "not_found"),
        (&get, "/chats/18446744073709551615".into(), None, 404, "not_found"),
        (&get, "/chats/18446744073709551616".into(), None, 400, "invalid_argument"),
        (&get, "/chats/-1".into(), None, 400, "invalid_argument"),
        (&get, theirs.clone(), None, 404, "not_found"),
        (&get, sub(&theirs, "/messages"), None, 404, "not_found"),
        (&post, sub(&theirs, "/messages"), Some(message(json!("hi"))), 404, "not_found"),
        (&post, sub(&theirs, "/escalations"), Some(json!({})), 404, "not_found"),
        (&patch, theirs.clone(), Some(json!({"status": "finished"})), 404, "not_found"),
        (&delete, theirs.clone(), None, 404, "not_found"),
        (&patch, mine.clone(), Some(json!({"status": "paused"})), 400, "invalid_argument"),
        (&patch, mine.clone(), None, 400, "invalid_argument"),
        (&post, sub(&mine, "/messages"), Some(message(json!(""))), 400, "invalid_argument"),
        (&post, sub(&mine, "/messages"), Some(message(json!({"text": "x"}))), 400, "invalid_argument"),
        (&post, sub(&mine, "/messages"), Some(message(json!("x".repeat(20_000)))), 413, "too_large"),
        (&post, sub(&mine, "/messages"), Some(message(json!("x".repeat(1_000_000)))), 413, "too_large"),
        (&post, sub(&mine, "/messages"), Some(json!({"client_id": "m", "message": []})), 400, "invalid_argument"),
        (
            &post,
            sub(&mine, "/messages"),
            Some(json!({"client_id": "m", "message": {"type": "noti", "event": "chatEnded"}})),
            400,
            "invalid_argument",
        ),
        (
            &post,
            sub(&mine, "/messages"),
            Some(json!({"client_id": "m", "message": {"type": "video"}})),
            400,
            "invalid_argument",
        ),
        (
            &post,
            sub(&mine, "/messages"),
            Some(json!({"client_id": "a b", "message": {"type": "text", "content": "x"}})),
            400,
            "invalid_argument",
        ),
        (&get, sub(&mine, "/messages?limit=0"), None, 400, "invalid_argument"),
        (&get, sub(&mine, "/messages?limit=1001"), None, 400, "invalid_argument"),
        (&get, sub(&mine, "/messages?after_index=x"), None, 400, "invalid_argument"),
        (&get, "/nothing".into(), None, 404, "not_found"),
        (&get, "/stream".into(), None, 400, "invalid_argument"),
        (&delete, "/menus".into(), None, 405, "invalid_argument"),
    ];
    for (method, path, body, expected, expected_code) in table {
        let shown = format!(
            "{method} {path} {}",
            body.as_ref().map_or(String::new(), |b| b.to_string().chars().take(80).collect())
        );
        let (status, body) = uma.call(method.clone(), &path, body).await;
        assert_eq!((status.as_u16(), code(&body)), (expected, expected_code), "{shown}");
    }
    // Whatever was refused left no trace.
    assert!(uma.messages(chat).await.is_empty());
    let (status, _) = uma.send(chat, "m", "still usable").await;
    assert_eq!(status, StatusCode::CREATED);
    gateway.stop().await;
}

#[tokio::test]
async fn bodies_that_are_no_json() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let path = format!("/chats/{chat}/messages");
    let deep = format!("{{\"client_id\":\"m\",\"message\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    let lone = r#"{"client_id":"m","message":{"type":"text","content":"\ud800"}}"#;
    for body in ["", "{", "nonsense", "\u{0}", &deep, lone, "null", "{\"client_id\":\"m\"} trailing"] {
        let request = uma.request(Method::POST, &path).header("content-type", "application/json").body(body.to_owned());
        let (status, answer) = json_of(request.send().await.unwrap()).await;
        assert_eq!((status.as_u16(), code(&answer)), (400, "invalid_argument"), "{}", body.get(..20).unwrap_or(body));
    }
    let bytes =
        uma.request(Method::POST, &path).header("content-type", "application/json").body(vec![0xff, 0xfe, 0x00]);
    assert_eq!(json_of(bytes.send().await.unwrap()).await.0, 400);
    let plain = uma.request(Method::POST, &path).body("{}");
    let (status, answer) = json_of(plain.send().await.unwrap()).await;
    assert_eq!((status.as_u16(), code(&answer)), (400, "invalid_argument"));
    gateway.stop().await;
}

#[tokio::test]
async fn sessions_that_are_none() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let http = reqwest::Client::new();
    let url = format!("{}/api/v1/company", gateway.base);
    let tampered = format!("{}x", uma.token);
    let site = site_token("uma");
    let headers = [None, Some("Bearer"), Some("Bearer "), Some("Bearer nonsense"), Some("Basic abc")];
    let tampered = format!("Bearer {tampered}");
    let site = format!("Bearer {site}");
    for header in headers.into_iter().chain([Some(tampered.as_str()), Some(site.as_str())]) {
        let request = http.get(&url);
        let request = if let Some(header) = header { request.header("authorization", header) } else { request };
        let (status, body) = json_of(request.send().await.unwrap()).await;
        assert_eq!((status.as_u16(), code(&body)), (401, "unauthorized"), "{header:?}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn streams_that_are_refused() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let foreign = gateway.user("eve").await.chat(2, "hers").await;
    let join =
        |token: &str, chat: u64| json!({"type": "join", "token": token, "chat_id": chat, "cursor": 0}).to_string();
    let table = [
        (join(&uma.token, foreign), "not_found", 4404),
        (join(&uma.token, 999_999), "not_found", 4404),
        (join("nonsense", chat), "unauthorized", 4401),
        (join(&site_token("uma"), chat), "unauthorized", 4401),
        ("{".to_owned(), "protocol", 4400),
        ("[]".to_owned(), "protocol", 4400),
        ("{\"type\":\"typing\",\"typing\":true}".to_owned(), "protocol", 4400),
        ("{\"type\":\"hello\"}".to_owned(), "protocol", 4400),
        ("{\"type\":\"join\",\"cursor\":0}".to_owned(), "protocol", 4400),
        ("{\"type\":\"join\",\"cursor\":-1}".to_owned(), "protocol", 4400),
        (format!("{{\"type\":\"join\",\"token\":\"{}\"}}", "x".repeat(20_000)), "protocol", 4400),
    ];
    for (first, code, close) in table {
        let mut stream = uma.stream().await;
        stream.say_text(&first).await;
        assert_eq!(stream.refusal().await, (code.to_owned(), close), "{}", first.get(..60).unwrap_or(&first));
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_joined_stream_refuses_nonsense_and_ignores_what_is_newer() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let mut stream = uma.join(chat, 0).await;
    stream.expect("joined").await;
    stream.say(json!({"type": "quantum_flux", "x": 1})).await;
    stream.say(json!({"type": "pong", "extra": true})).await;
    uma.send(chat, "m-1", "still here").await;
    stream.until_index(1).await;
    stream.say(json!({"type": "join", "token": uma.token, "chat_id": chat, "cursor": 0})).await;
    assert_eq!(stream.refusal().await, ("protocol".to_owned(), 4400));

    let mut stream = uma.join(chat, 0).await;
    stream.expect("joined").await;
    for _ in 0..100 {
        stream.say(json!({"type": "typing", "typing": true})).await;
    }
    assert_eq!(stream.refusal().await, ("rate_limited".to_owned(), 4429));
    gateway.stop().await;
}

#[tokio::test]
async fn pages_of_foreign_origins_get_a_typed_answer_that_they_can_read() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let evil = "https://evil.example";
    let answer = uma.request(Method::GET, "/company").header("origin", evil).send().await.unwrap();
    assert_eq!(answer.headers().get("access-control-allow-origin").unwrap(), evil);
    let (status, body) = json_of(answer).await;
    assert_eq!((status.as_u16(), code(&body)), (403, "origin_forbidden"));

    let request = json!({"company_id": "acme", "token": site_token("uma")});
    let url = format!("{}/api/v1/sessions", gateway.base);
    let answer = uma.http.post(url).header("origin", evil).json(&request).send().await.unwrap();
    assert_eq!(json_of(answer).await.0, 403);

    let mut stream = Stream::open(&gateway.base, "/api/v1/stream", &[("origin", evil)]).await;
    stream.say(json!({"type": "join", "token": uma.token, "chat_id": chat, "cursor": 0})).await;
    assert_eq!(stream.refusal().await, ("origin_forbidden".to_owned(), 4403));
    gateway.stop().await;
}

#[tokio::test]
async fn a_user_of_one_company_is_nobody_in_another() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let token = signed(&json!({"identifier": "uma", "exp": now_s() + 600}), "the secret of the other company");
    let request = json!({"company_id": "other", "token": token});
    let url = format!("{}/api/v1/sessions", gateway.base);
    let (_, body) = json_of(uma.http.post(url).json(&request).send().await.unwrap()).await;
    let token = body["session_token"].as_str().unwrap().to_owned();
    let namesake = User { token, ..uma.clone() };
    let (status, body) = namesake.call(Method::GET, &format!("/chats/{chat}"), None).await;
    assert_eq!((status.as_u16(), code(&body)), (404, "not_found"));
    gateway.stop().await;
}

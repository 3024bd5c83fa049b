//! Who may call: origins, sessions that end, agents' cookies.

use std::sync::Arc;

use gateway::store::MemoryStore;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Gateway, ORIGIN, PASSWORD, Stream, config, json_of};

fn header<'a>(answer: &'a reqwest::Response, name: &str) -> &'a str {
    answer.headers().get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap()
}

#[tokio::test]
async fn an_allowed_page_of_another_origin_can_call_and_read() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let preflight = uma
        .http
        .request(Method::OPTIONS, format!("{}/api/v1/chats", gateway.base))
        .header("origin", ORIGIN)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type")
        .send()
        .await
        .unwrap();
    assert_eq!(preflight.status(), StatusCode::NO_CONTENT);
    assert_eq!(header(&preflight, "access-control-allow-origin"), ORIGIN);
    assert!(header(&preflight, "access-control-allow-headers").contains("authorization"));
    for method in ["GET", "POST", "PATCH", "DELETE"] {
        assert!(header(&preflight, "access-control-allow-methods").contains(method));
    }
    assert!(header(&preflight, "access-control-max-age").parse::<u32>().unwrap() > 0);

    let answer = uma.request(Method::GET, "/company").header("origin", ORIGIN).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header(&answer, "access-control-allow-origin"), ORIGIN);
    assert_eq!(header(&answer, "vary"), "origin");
    let exposed = header(&answer, "access-control-expose-headers");
    assert!(exposed.contains("retry-after") && exposed.contains("x-transcript-status"));
    assert!(answer.headers().get("access-control-allow-credentials").is_none());

    let own = uma.request(Method::GET, "/company").header("origin", &gateway.base).send().await.unwrap();
    assert_eq!(own.status(), StatusCode::OK, "the gateway's own pages are always allowed");
    gateway.stop().await;
}

#[tokio::test]
async fn a_name_that_only_points_here_is_not_our_own_origin() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let port = gateway.base.rsplit(':').next().unwrap();
    let rebound = format!("rebound.example:{port}");
    let request = uma.request(Method::GET, "/company").header("host", &rebound);
    let (status, body) = json_of(request.header("origin", format!("http://{rebound}")).send().await.unwrap()).await;
    assert_eq!((status.as_u16(), &body["error"]["code"]), (403, &json!("origin_forbidden")));
    gateway.stop().await;
}

#[tokio::test]
async fn a_session_ends_for_requests_and_for_streams() {
    let config = config("stream = { expiry_grace_ms = 200 }\nsession = { token_lifetime_ms = 3000 }");
    let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let mut stream = uma.join(chat, 0).await;
    stream.expect("joined").await;
    assert_eq!(stream.refusal().await, ("unauthorized".to_owned(), 4401));
    let (status, body) = uma.call(Method::GET, "/company", None).await;
    assert_eq!((status.as_u16(), &body["error"]["code"]), (401, &json!("unauthorized")));
    // A new session goes on where the old one ended.
    let renewed = gateway.user("uma").await;
    let mut stream = renewed.join(chat, 0).await;
    stream.expect("joined").await;
    gateway.stop().await;
}

#[tokio::test]
async fn sessions_and_sign_ins_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_in(folder.path(), config("")).await;
    let mut uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    uma.send(chat, "m-1", "before").await;
    let before = uma.messages(chat).await;
    let mut ada = gateway.agent("ada").await;
    gateway.stop().await;

    let gateway = Gateway::start_in(folder.path(), config("")).await;
    (uma.base, ada.base) = (gateway.base.clone(), gateway.base.clone());
    assert_eq!(uma.messages(chat).await, before, "the same ids and marks");
    let (status, me) = ada.call(Method::GET, "/me", None).await;
    assert_eq!((status, &me["csrf_token"]), (StatusCode::OK, &json!(ada.csrf)));
    assert_eq!(ada.accept(chat).await.0, StatusCode::OK);
    gateway.stop().await;
}

#[tokio::test]
async fn an_agent_needs_password_cookie_csrf_and_our_own_page() {
    let gateway = Gateway::start().await;
    let http = reqwest::Client::new();
    let url = |path: &str| format!("{}/desk/api/v1{path}", gateway.base);
    let code = |body: &Value| body["error"]["code"].as_str().unwrap().to_owned();
    for (login, password) in [("ada", "wrong"), ("nobody", PASSWORD), ("", "")] {
        let request = http.post(url("/sessions")).json(&json!({"login": login, "password": password}));
        let (status, body) = json_of(request.send().await.unwrap()).await;
        assert_eq!((status.as_u16(), code(&body)), (401, "unauthorized".to_owned()));
    }
    let request = http.post(url("/sessions")).header("origin", "https://evil.example");
    let (status, body) =
        json_of(request.json(&json!({"login": "ada", "password": PASSWORD})).send().await.unwrap()).await;
    assert_eq!((status.as_u16(), code(&body)), (403, "origin_forbidden".to_owned()));

    let answer = http.post(url("/sessions")).json(&json!({"login": "ada", "password": PASSWORD})).send().await.unwrap();
    let cookie = header(&answer, "set-cookie").to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/desk", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "this gateway speaks plain HTTP");

    let ada = gateway.agent("ada").await;
    let (status, _) = json_of(http.get(url("/chats")).send().await.unwrap()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let chat = gateway.user("uma").await.chat(2, "open-1").await;
    let accept = || http.post(url(&format!("/chats/{chat}/accept"))).header("cookie", &ada.cookie).json(&json!({}));
    let (status, body) = json_of(accept().send().await.unwrap()).await;
    assert_eq!((status.as_u16(), code(&body)), (403, "forbidden".to_owned()));
    let (status, _) = json_of(accept().header("x-csrf-token", "nonsense").send().await.unwrap()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let foreign = accept().header("x-csrf-token", &ada.csrf).header("origin", "https://evil.example");
    let (status, body) = json_of(foreign.send().await.unwrap()).await;
    assert_eq!((status.as_u16(), code(&body)), (403, "origin_forbidden".to_owned()));
    let own = accept().header("x-csrf-token", &ada.csrf).header("origin", &gateway.base);
    assert_eq!(json_of(own.send().await.unwrap()).await.0, StatusCode::OK);

    let cookie = ada.cookie.clone();
    let headers = [("cookie", cookie.as_str()), ("origin", "https://evil.example")];
    let mut stream = Stream::open(&gateway.base, "/desk/api/v1/stream", &headers).await;
    assert_eq!(stream.refusal().await, ("origin_forbidden".to_owned(), 4403));
    let mut stream = Stream::open(&gateway.base, "/desk/api/v1/stream", &[]).await;
    assert_eq!(stream.refusal().await, ("unauthorized".to_owned(), 4401));

    let (status, _) = ada.call(Method::DELETE, "/sessions", None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(ada.call(Method::GET, "/me", None).await.0, StatusCode::UNAUTHORIZED);
    gateway.stop().await;
}

#[tokio::test]
async fn behind_https_the_cookie_is_secure_and_the_public_page_is_our_own() {
    let config = config("public_url = \"https://chat.example.com\"");
    let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
    let request = reqwest::Client::new().post(format!("{}/desk/api/v1/sessions", gateway.base));
    let request =
        request.header("origin", "https://chat.example.com").json(&json!({"login": "ada", "password": PASSWORD}));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(header(&answer, "set-cookie").ends_with("; Secure"));
    gateway.stop().await;
}

#[tokio::test]
async fn without_agents_the_desk_answers_on_this_machine_only() {
    let mut config = config("trusted_proxies = [\"127.0.0.1\"]");
    config.agents.clear();
    let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
    let me = || reqwest::Client::new().get(format!("{}/desk/api/v1/me", gateway.base));
    assert_eq!(me().send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    // The proxy says where the call really comes from.
    assert_eq!(me().header("x-forwarded-for", "203.0.113.9").send().await.unwrap().status(), StatusCode::FORBIDDEN);
    gateway.stop().await;
}

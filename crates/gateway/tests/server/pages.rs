//! The pages and files that the gateway serves.

use std::fs;
use std::sync::Arc;

use gateway::store::MemoryStore;
use reqwest::StatusCode;
use serde_json::Value;

use crate::common::{Gateway, config, json_of};

#[tokio::test]
async fn pages_and_package_are_served_with_their_types_and_guards() {
    let folder = tempfile::tempdir().unwrap();
    let (www, pkg) = (folder.path().join("www"), folder.path().join("pkg"));
    fs::create_dir_all(www.join("forms")).unwrap();
    fs::create_dir_all(&pkg).unwrap();
    fs::write(www.join("index.html"), "<title>customer</title>").unwrap();
    fs::write(www.join("desk.html"), "<title>desk</title>").unwrap();
    fs::write(www.join("forms/return.html"), "<title>form</title>").unwrap();
    fs::write(www.join("app.js"), "export {};").unwrap();
    fs::write(pkg.join("sportello_core_bg.wasm"), b"\0asm").unwrap();
    fs::write(folder.path().join("secret.txt"), "secret").unwrap();
    let mut config = config("");
    (config.www, config.pkg) = (Some(www), Some(pkg));
    let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
    let get = async |path: &str| reqwest::get(format!("{}{path}", gateway.base)).await.unwrap();

    let table = [
        ("/", "text/html", "<title>customer</title>"),
        ("/desk", "text/html", "<title>desk</title>"),
        ("/app.js", "text/javascript", "export {};"),
        ("/pkg/sportello_core_bg.wasm", "application/wasm", "\0asm"),
    ];
    for (path, kind, content) in table {
        let answer = get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let header =
            |name: &str| answer.headers().get(name).unwrap_or_else(|| panic!("{path}: {name}")).to_str().unwrap();
        assert!(header("content-type").starts_with(kind), "{path}");
        assert_eq!(header("cache-control"), "no-cache");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(header("content-security-policy").contains("script-src 'self' 'wasm-unsafe-eval'"));
        let etag = header("etag").to_owned();
        assert_eq!(answer.text().await.unwrap(), content);
        let url = format!("{}{path}", gateway.base);
        let again = reqwest::Client::new().get(url).header("if-none-match", etag).send().await.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
    }
    let form = get("/forms/return.html").await;
    let policy = form.headers().get("content-security-policy").unwrap().to_str().unwrap();
    assert!(policy.contains("sandbox allow-scripts allow-forms") && !policy.contains("allow-same-origin"), "{policy}");
    assert!(policy.contains("frame-ancestors http: https:"), "{policy}");
    for path in ["/missing", "/pkg/missing.js", "/pkg/", "/pkg/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt"]
    {
        let (status, body): (StatusCode, Value) = json_of(get(path).await).await;
        assert_eq!((status.as_u16(), body["error"]["code"].as_str()), (404, Some("not_found")), "{path}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn the_page_that_shows_a_recording_can_load_nothing_send_nothing_and_be_framed_by_the_desk_only() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("replay")).unwrap();
    fs::write(folder.path().join("desk.html"), "<title>desk</title>").unwrap();
    fs::write(folder.path().join("replay/index.html"), "<title>replay</title>").unwrap();
    fs::write(folder.path().join("replay/replay.js"), "export {};").unwrap();
    let mut config = config("");
    config.www = Some(folder.path().to_owned());
    let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
    let get = async |path: &str| reqwest::get(format!("{}{path}", gateway.base)).await.unwrap();
    for path in ["/replay/", "/replay/index.html", "/replay/replay.js", "/replay/missing"] {
        let answer = get(path).await;
        let header =
            |name: &str| answer.headers().get(name).unwrap_or_else(|| panic!("{path}: {name}")).to_str().unwrap();
        let policy = header("content-security-policy");
        let mut directives: Vec<&str> = policy.split("; ").collect();
        directives.sort_unstable();
        let expected = [
            "base-uri 'none'",
            "connect-src 'none'",
            "default-src 'none'",
            "font-src data:",
            "form-action 'none'",
            "frame-ancestors 'self'",
            "frame-src 'none'",
            "img-src data: blob:",
            "script-src 'self'",
            "style-src 'unsafe-inline' 'self'",
        ];
        assert_eq!(directives, expected, "{path}");
        assert_eq!(header("x-dns-prefetch-control"), "off");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(header("x-content-type-options"), "nosniff");
        for feature in ["camera=()", "microphone=()", "geolocation=()", "display-capture=()", "clipboard-read=()"] {
            assert!(header("permissions-policy").split(", ").any(|allowed| allowed == feature), "{path}: {feature}");
        }
    }
    let desk = get("/desk").await;
    assert!(desk.headers().get("permissions-policy").is_none(), "elsewhere nothing changes");
    gateway.stop().await;
}

#[tokio::test]
async fn without_pages_the_gateway_says_so_and_is_healthy() {
    let gateway = Gateway::start().await;
    let (status, body) = json_of(reqwest::get(format!("{}/", gateway.base)).await.unwrap()).await;
    assert_eq!((status.as_u16(), &body["error"]["code"]), (404, &Value::from("not_found")));
    let (status, body) = json_of(reqwest::get(format!("{}/health", gateway.base)).await.unwrap()).await;
    assert_eq!((status.as_u16(), &body["status"]), (200, &Value::from("ok")));
    gateway.stop().await;
}

#[tokio::test]
async fn only_the_demo_signs_tokens() {
    let gateway = Gateway::start().await;
    let request = || reqwest::Client::new().post(format!("{}/demo/token", gateway.base)).json(&serde_json::json!({}));
    assert_eq!(request().send().await.unwrap().status(), StatusCode::NOT_FOUND);
    gateway.stop().await;

    let demo = config("").with_demo(gateway::config::Secret("s".repeat(40)), true).unwrap();
    let gateway = Gateway::start_with(demo, Arc::new(MemoryStore::default())).await;
    let request = reqwest::Client::new().post(format!("{}/demo/token", gateway.base));
    let (_, body) = json_of(request.json(&serde_json::json!({"identifier": "uma"})).send().await.unwrap()).await;
    assert_eq!(body.get("signed_data"), None, "only what was sent is signed");
    let exchange = serde_json::json!({"company_id": "demo", "token": body["token"]});
    let request = reqwest::Client::new().post(format!("{}/api/v1/sessions", gateway.base)).json(&exchange);
    let (status, body) = json_of(request.send().await.unwrap()).await;
    assert_eq!((status.as_u16(), &body["end_user"]["identifier"]), (200, &Value::from("uma")));

    // What it signs, a chat is opened with.
    let session = body["session_token"].as_str().unwrap().to_owned();
    let data = serde_json::json!({"custom_data": {"zone": {"value": "north"}, "area": {"value": 7}}});
    let request = reqwest::Client::new().post(format!("{}/demo/token", gateway.base)).json(&data);
    let (_, body) = json_of(request.send().await.unwrap()).await;
    let open =
        serde_json::json!({"client_id": "c1", "menu_id": 1, "chat": {"custom_data": {"signed": body["signed_data"]}}});
    let request =
        reqwest::Client::new().post(format!("{}/api/v1/chats", gateway.base)).bearer_auth(session).json(&open);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::CREATED);
    gateway.stop().await;
}

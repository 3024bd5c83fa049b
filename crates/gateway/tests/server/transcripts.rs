//! Transcripts as PDF: asked for, made once, kept over a restart, limited, and never the end of the gateway, whatever was said in the chat. What is on the pages is
//! looked at in `tests/browser/transcripts.test.mjs`.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use gateway::config::Config;
use gateway::store::{Kept, MemoryStore, RecordKind};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Desk, Gateway, ORIGIN, User, config, within};

/// Where a transcript stands, by its header, its body's words, and its bytes.
struct Standing {
    header: String,
    body: Value,
    bytes: Vec<u8>,
}

async fn ask(user: &User, chat: u64, body: Value) -> (StatusCode, Value) {
    user.call(Method::POST, &format!("/chats/{chat}/transcripts"), Some(body)).await
}

async fn standing_of(request: reqwest::RequestBuilder) -> Standing {
    let answer = within(request.header("origin", ORIGIN).send()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let exposed = answer.headers().get("access-control-expose-headers").map(|names| names.to_str().unwrap().to_owned());
    assert!(exposed.is_none_or(|names| names.contains("x-transcript-status")));
    let header = answer.headers().get("x-transcript-status").unwrap().to_str().unwrap().to_owned();
    let kind = answer.headers().get("content-type").unwrap().to_str().unwrap().to_owned();
    let bytes = within(answer.bytes()).await.unwrap().to_vec();
    let body = if kind == "application/json" { serde_json::from_slice(&bytes).unwrap() } else { Value::Null };
    assert_eq!(kind == "application/pdf", header == "finished", "{header}: {kind}");
    assert!(body.is_null() || body["status"] == header, "header and body say the same");
    Standing { header, body, bytes }
}

async fn standing(user: &User, chat: u64, id: u64) -> Standing {
    standing_of(user.request(Method::GET, &format!("/chats/{chat}/transcripts/{id}"))).await
}

/// Asks until it is made or failed.
async fn settled(user: &User, chat: u64, id: u64) -> Standing {
    within(async {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        loop {
            tick.tick().await;
            let now = standing(user, chat, id).await;
            if now.header != "pending" {
                return now;
            }
            assert_eq!(now.body, json!({"status": "pending"}));
        }
    })
    .await
}

async fn made(user: &User, chat: u64, body: Value) -> Standing {
    let (status, answer) = ask(user, chat, body).await;
    assert!(status.is_success(), "{answer}");
    settled(user, chat, answer["chat_transcript_id"].as_u64().unwrap()).await
}

fn is_pdf(standing: &Standing) -> bool {
    standing.header == "finished" && standing.bytes.starts_with(b"%PDF-") && standing.bytes.len() > 2_000
}

async fn say(user: &User, chat: u64, key: &str, message: Value) {
    let body = json!({"client_id": key, "message": message});
    let (status, body) = user.call(Method::POST, &format!("/chats/{chat}/messages"), Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
}

async fn photo(user: &User, chat: u64, key: &str, file: Vec<u8>) -> u64 {
    let body = json!({"client_id": key, "type": "photo", "name": "cat.png", "size": file.len()});
    let (_, place) = user.call(Method::POST, &format!("/chats/{chat}/uploads"), Some(body)).await;
    let upload = &place["upload"];
    let mut form = Form::new();
    for (name, value) in upload["fields"].as_object().unwrap() {
        form = form.text(name.clone(), value.as_str().unwrap().to_owned());
    }
    let url = format!("{}{}", user.base, upload["url"].as_str().unwrap());
    let form = form.part("file", Part::bytes(file).file_name("x.png"));
    assert_eq!(within(user.http.post(url).multipart(form).send()).await.unwrap().status(), StatusCode::NO_CONTENT);
    let media_id = place["media_id"].as_u64().unwrap();
    say(user, chat, key, json!({"type": "photo", "media_id": media_id})).await;
    media_id
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image::RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([u8::try_from(x % 256).unwrap(), u8::try_from(y % 256).unwrap(), 90])
    })
    .write_to(&mut file, image::ImageFormat::Png)
    .unwrap();
    file.into_inner()
}

#[tokio::test]
async fn a_transcript_is_made_once_for_each_state_of_a_chat_and_during_it_as_after_it() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(1, "open").await;
    for (number, text) in
        ["مرحبا بالعالم", "שלום עולם", "你好，世界", "😀 👩‍👩‍👧‍👦 🇮🇹 1️⃣", "Talk to a person"].iter().enumerate()
    {
        say(&uma, chat, &format!("m-{number}"), json!({"type": "text", "content": text})).await;
    }
    photo(&uma, chat, "p-1", png(1600, 900)).await;
    let (status, first) = ask(&uma, chat, json!({})).await;
    assert_eq!(status, StatusCode::CREATED);
    let id = first["chat_transcript_id"].as_u64().unwrap();
    assert!(["pending", "finished"].contains(&first["status"].as_str().unwrap()));
    let during = settled(&uma, chat, id).await;
    assert!(is_pdf(&during));
    assert!(during.bytes.windows(9).any(|part| part == b"DCTDecode"), "the picture is in it");
    let (status, again) = ask(&uma, chat, json!({})).await;
    assert_eq!((status, again), (StatusCode::OK, json!({"status": "finished", "chat_transcript_id": id})));
    // Another language or time zone is another transcript, and so is that of a chat that changed.
    let italian = ask(&uma, chat, json!({"lang": "it", "timezone": "Europe/Rome"})).await;
    assert_eq!(italian.0, StatusCode::CREATED);
    uma.call(Method::PATCH, &format!("/chats/{chat}"), Some(json!({"status": "finished"}))).await;
    let (status, ended) = ask(&uma, chat, json!({})).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_ne!(ended["chat_transcript_id"], id);
    assert!(is_pdf(&settled(&uma, chat, ended["chat_transcript_id"].as_u64().unwrap()).await));
    gateway.stop().await;
}

/// The addresses that a PDF links to.
fn links(pdf: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(pdf);
    text.split("/URI(").skip(1).filter_map(|rest| rest.split(')').next()).map(str::to_owned).collect()
}

async fn status_of(url: &str) -> StatusCode {
    within(reqwest::get(url)).await.unwrap().status()
}

fn configured(more: &str) -> Config {
    config(&format!("[transcripts]\n{more}"))
}

async fn start(more: &str) -> Gateway {
    Gateway::start_with(configured(more), Arc::new(MemoryStore::default())).await
}

#[tokio::test]
async fn links_to_files_work_without_a_session_until_they_expire() {
    for (more, expected) in [("", StatusCode::OK), ("media_link_lifetime_ms = 1", StatusCode::GONE)] {
        let gateway = start(more).await;
        let uma = gateway.user("uma").await;
        let chat = uma.chat(2, "open").await;
        photo(&uma, chat, "p-1", png(40, 30)).await;
        let pdf = made(&uma, chat, json!({})).await;
        let links = links(&pdf.bytes);
        let [link] = links.as_slice() else { panic!("{links:?}") };
        assert!(link.starts_with(&gateway.base) && !link.contains(&uma.token), "{link}");
        assert_eq!(status_of(link).await, expected, "{more}");
        let (path, _) = link.split_once('?').unwrap();
        let other = link.replace("signature=", "signature=x");
        let later = link.replace("expires_at_ms=", "expires_at_ms=9");
        let another = link.replace("transcript_media/", "transcript_media/1");
        for wrong in [&other, &later, &another] {
            assert_eq!(status_of(wrong).await, StatusCode::NOT_FOUND, "{wrong}");
        }
        for wrong in [path, &link.replace("expires_at_ms=", "expires_at_ms=x")] {
            assert_eq!(status_of(wrong).await, StatusCode::BAD_REQUEST, "{wrong}");
        }
        gateway.stop().await;
    }
}

#[tokio::test]
async fn what_was_asked_for_is_made_after_a_restart_and_what_was_made_is_still_there() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_in(folder.path(), configured("")).await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open").await;
    let (_, asked) = ask(&uma, chat, json!({})).await;
    let id = asked["chat_transcript_id"].as_u64().unwrap();
    let first = settled(&uma, chat, id).await;
    gateway.stop().await;

    // What a gateway leaves that was killed while it worked: one that waits, and one that took it down each time.
    let store = gateway::open_store(folder.path()).await.unwrap();
    let record = store.record(RecordKind::Transcript, id).await.unwrap().unwrap();
    let mut left = Vec::new();
    for (key, tries) in [("waits", 1), ("deadly", 3)] {
        let mut new = record.content.clone();
        (new.key, new.status, new.due_at_ms) = (Some(key.to_owned()), "pending".to_owned(), Some(1));
        new.body.remove("object");
        new.body.insert("tries".to_owned(), tries.into());
        let Kept::Fresh(kept) = store.keep_record(new, Vec::new()).await.unwrap() else { panic!("{key} is new") };
        left.push(kept.id);
    }
    store.close().await;

    let gateway = Gateway::start_in(folder.path(), configured("")).await;
    let uma = gateway.user("uma").await;
    assert!(is_pdf(&settled(&uma, chat, left[0]).await));
    let given_up = settled(&uma, chat, left[1]).await;
    assert_eq!(given_up.body, json!({"status": "failed", "failed_reason": "internal"}));
    assert_eq!(standing(&uma, chat, id).await.bytes, first.bytes, "the file of the first one");
    gateway.stop().await;
}

#[tokio::test]
async fn one_that_has_had_its_time_says_so_and_is_made_anew_when_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_in(folder.path(), configured("keep_ms = 1")).await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open").await;
    let (_, asked) = ask(&uma, chat, json!({})).await;
    let id = asked["chat_transcript_id"].as_u64().unwrap();
    settled(&uma, chat, id).await;
    within(async {
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        loop {
            tick.tick().await;
            let now = standing(&uma, chat, id).await;
            if now.header == "failed" {
                break assert_eq!(now.body, json!({"status": "failed", "failed_reason": "expired"}));
            }
        }
    })
    .await;
    let files = std::fs::read_dir(folder.path().join("media/transcripts")).unwrap().count();
    assert_eq!(files, 0, "its file is gone");
    let (status, again) = ask(&uma, chat, json!({})).await;
    assert_eq!((status, again), (StatusCode::OK, json!({"status": "pending", "chat_transcript_id": id})));
    gateway.stop().await;
}

#[tokio::test]
async fn a_chat_and_an_end_user_get_so_many_a_day() {
    for (more, chats) in [("per_chat_per_day = 2", [0, 0, 0]), ("per_end_user_per_day = 2", [0, 1, 2])] {
        let gateway = start(more).await;
        let (uma, vera) = (gateway.user("uma").await, gateway.user("vera").await);
        let mut numbers = Vec::new();
        for key in ["open-1", "open-2", "open-3"] {
            numbers.push(uma.chat(2, key).await);
        }
        let langs = ["en", "it", "pt"];
        let asked = |n: usize| ask(&uma, numbers[chats[n]], json!({"lang": langs[n]}));
        assert_eq!((asked(0).await.0, asked(1).await.0), (StatusCode::CREATED, StatusCode::CREATED));
        let (status, body) = asked(2).await;
        assert_eq!((status, &body["error"]["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("rate_limited")), "{more}");
        assert!(body["error"]["retry_after_ms"].as_u64().unwrap() > 60_000);
        // What was asked for before costs nothing, and others have a share of their own.
        assert_eq!(asked(0).await.0, StatusCode::OK);
        let other = vera.chat(2, "open").await;
        assert_eq!(ask(&vera, other, json!({})).await.0, StatusCode::CREATED);
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_transcript_is_for_whom_asked_for_it() {
    let gateway = Gateway::start().await;
    let (uma, vera) = (gateway.user("uma").await, gateway.user("vera").await);
    let (ada, grace) = (gateway.agent("ada").await, gateway.agent("grace").await);
    let (chat, other) = (uma.chat(2, "open-1").await, uma.chat(2, "open-2").await);
    ada.accept(chat).await;
    let id = ask(&uma, chat, json!({})).await.1["chat_transcript_id"].as_u64().unwrap();
    let look = |user: &User, chat: u64, id: u64| {
        let (user, path) = (user.clone(), format!("/chats/{chat}/transcripts/{id}"));
        async move { user.call(Method::GET, &path, None).await.0 }
    };
    assert_eq!(ask(&vera, chat, json!({})).await.0, StatusCode::NOT_FOUND);
    for (user, chat, id) in [(&vera, chat, id), (&uma, other, id), (&uma, chat, id + 1000)] {
        assert_eq!(look(user, chat, id).await, StatusCode::NOT_FOUND);
    }
    let at_desk = |desk: &Desk, path: String, body: Option<Value>| {
        let (desk, method) = (desk.clone(), if body.is_some() { Method::POST } else { Method::GET });
        async move { desk.call(method, &path, body).await }
    };
    let path = format!("/chats/{chat}/transcripts");
    let (status, of_ada) = at_desk(&ada, path.clone(), Some(json!({"lang": "en"}))).await;
    assert_eq!(status, StatusCode::CREATED);
    let of_ada = of_ada["chat_transcript_id"].as_u64().unwrap();
    assert_ne!(of_ada, id);
    assert_eq!(at_desk(&grace, path.clone(), Some(json!({}))).await.0, StatusCode::NOT_FOUND);
    assert_eq!(at_desk(&ada, format!("{path}/{id}"), None).await.0, StatusCode::NOT_FOUND);
    assert_eq!(look(&uma, chat, of_ada).await, StatusCode::NOT_FOUND);
    within(async {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        loop {
            tick.tick().await;
            let request =
                ada.http.get(format!("{}/desk/api/v1{path}/{of_ada}", ada.base)).header("cookie", &ada.cookie);
            let answer = within(request.send()).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            if answer.headers()["x-transcript-status"] == "finished" {
                break assert!(answer.bytes().await.unwrap().starts_with(b"%PDF-"));
            }
        }
    })
    .await;
    gateway.stop().await;
}

#[tokio::test]
async fn what_cannot_be_asked_like_that_is_refused() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open").await;
    for body in [
        json!("en"),
        json!({"lang": 7}),
        json!({"lang": "a b"}),
        json!({"lang": "x".repeat(36)}),
        json!({"timezone": "Mars/Base"}),
        json!({"timezone": "../../etc/passwd"}),
        json!({"timezone": {}}),
    ] {
        let (status, answer) = ask(&uma, chat, body.clone()).await;
        assert_eq!((status, &answer["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_argument")), "{body}");
    }
    for id in ["x", "-1", "1.5", "99999999999999999999999"] {
        let (status, _) = uma.call(Method::GET, &format!("/chats/{chat}/transcripts/{id}"), None).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{id}");
    }
    assert_eq!(status_of(&format!("{}/api/v1/chats/{chat}/transcripts/1", uma.base)).await, StatusCode::UNAUTHORIZED);
    gateway.stop().await;
}

/// Texts that are meant to break what shapes and draws them.
fn hostile() -> Vec<String> {
    let many = |text: &str| text.repeat(10_000 / text.len());
    vec![
        many("\u{200B}"),
        many("\u{200D}"),
        format!("e{}", many("\u{301}")),
        many("\u{202E}abc\u{202D}"),
        many("\u{2067}\u{2066}"),
        many("x"),
        many("W "),
        many("\n"),
        many("\u{E000}"),
        many("\u{10FFFF} "),
        many("👩‍👩‍👧‍👦"),
        many("🇮"),
        many("ا"),
        many("漢"),
        many("\u{12000} "),
        many("\u{0}"),
        many("({["),
        many("\u{AD}"),
        many("[a](b)"),
        many("%PDF-1.4 endobj stream"),
    ]
}

#[tokio::test]
async fn hostile_messages_and_pictures_do_not_end_the_gateway() {
    let gateway = start("max_ms = 20000").await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open").await;
    for (number, text) in hostile().iter().enumerate() {
        let kind = if number % 2 == 0 { "text" } else { "markdown" };
        say(&uma, chat, &format!("m-{number}"), json!({"type": kind, "content": format!(".{text}")})).await;
    }
    say(&uma, chat, "odd", json!({"type": "odd", "cards": [{"cards": [1, null]}], "content": {"text": 7}})).await;
    photo(&uma, chat, "p-1", b"\x89PNG\r\n\x1A\nnothing of a picture follows".to_vec()).await;
    photo(&uma, chat, "p-2", png(13_000, 1)).await;
    let standing = made(&uma, chat, json!({})).await;
    // It is drawn, or given up in time on a slow machine.
    assert!(is_pdf(&standing) || standing.body["failed_reason"] == "timeout", "{}", standing.body);
    // Alone, each of the worst is drawn.
    let other = uma.chat(2, "open-2").await;
    say(&uma, other, "m-1", json!({"type": "text", "content": format!(".{}", hostile()[2])})).await;
    assert!(is_pdf(&made(&uma, other, json!({})).await));
    gateway.stop().await;
}

#[tokio::test]
async fn a_chat_that_is_too_large_or_takes_too_long_has_no_transcript_and_others_are_served_meanwhile() {
    let limits = "[limits]\nmax_text_bytes = 3000000\nmax_message_bytes = 4000000\nmax_body_bytes = 4000000\n";
    let cases = [
        ("max_messages = 2", "too_large"),
        ("max_chat_bytes = 50000", "too_large"),
        ("max_pdf_bytes = 100\nmax_ms = 5000", "too_large"),
        ("max_ms = 1", "timeout"),
    ];
    for (more, reason) in cases {
        let more = format!("[transcripts]\n{more}\n{limits}");
        let gateway = Gateway::start_with(config(&more), Arc::new(MemoryStore::default())).await;
        let uma = gateway.user("uma").await;
        let chat = uma.chat(2, "open").await;
        for key in ["m-1", "m-2", "m-3"] {
            say(&uma, chat, key, json!({"type": "text", "content": "a long text ".repeat(200_000)})).await;
        }
        let (_, asked) = ask(&uma, chat, json!({})).await;
        assert_eq!(status_of(&format!("{}/health", uma.base)).await, StatusCode::OK);
        let standing = settled(&uma, chat, asked["chat_transcript_id"].as_u64().unwrap()).await;
        // Where drawing takes longer than reading, time may run out first.
        let expected = if more.contains("max_pdf_bytes") { vec![reason, "timeout"] } else { vec![reason] };
        assert_eq!(standing.body["status"], "failed");
        assert!(expected.contains(&standing.body["failed_reason"].as_str().unwrap()), "{more}: {}", standing.body);
        // It is not tried again at once.
        let (status, again) = ask(&uma, chat, json!({})).await;
        assert_eq!((status, &again["status"]), (StatusCode::OK, &json!("failed")));
        gateway.stop().await;
    }
}

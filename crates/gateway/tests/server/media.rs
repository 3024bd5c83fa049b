//! Photos: a place, a form, a message, and who may see them.

use std::path::Path;
use std::sync::Arc;

use futures_util::future::join_all;
use gateway::store::MemoryStore;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::common::{Desk, Gateway, ORIGIN, User, config, json_of, within};

/// The smallest beginning of a PNG, and something after it.
fn png(bytes: usize) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1A\n".to_vec();
    file.resize(bytes.max(16), 7);
    file
}

async fn announce(user: &User, chat: u64, key: &str, name: &str, size: usize) -> (StatusCode, Value) {
    let body = json!({"client_id": key, "type": "photo", "name": name, "content_type": "image/png", "size": size});
    user.call(Method::POST, &format!("/chats/{chat}/uploads"), Some(body)).await
}

/// The form as a browser posts it.
fn post(base: &str, upload: &Value, file: Vec<u8>) -> RequestBuilder {
    let mut form = Form::new();
    for (name, value) in upload["fields"].as_object().unwrap() {
        form = form.text(name.clone(), value.as_str().unwrap().to_owned());
    }
    let url = format!("{base}{}", upload["url"].as_str().unwrap());
    reqwest::Client::new().post(url).multipart(form.part("file", Part::bytes(file).file_name("x.png")))
}

async fn brought(user: &User, upload: &Value, file: Vec<u8>) -> (StatusCode, Value) {
    json_of(within(post(&user.base, upload, file).send()).await.unwrap()).await
}

/// A file that is there, by number.
async fn uploaded(user: &User, chat: u64, key: &str, file: Vec<u8>) -> u64 {
    let (status, place) = announce(user, chat, key, "cat.png", file.len()).await;
    assert_eq!(status, StatusCode::CREATED, "{place}");
    let (status, body) = brought(user, &place["upload"], file).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    place["media_id"].as_u64().unwrap()
}

async fn send_photo(user: &User, chat: u64, key: &str, media_id: u64) -> (StatusCode, Value) {
    let body = json!({"client_id": key, "message": {"type": "photo", "media_id": media_id, "media": "mine"}});
    user.call(Method::POST, &format!("/chats/{chat}/messages"), Some(body)).await
}

async fn seen_by_agent(desk: &Desk, chat: u64, media_id: u64) -> StatusCode {
    let url = format!("{}/desk/api/v1/chats/{chat}/media/{media_id}", desk.base);
    within(desk.http.get(url).header("cookie", &desk.cookie).send()).await.unwrap().status()
}

async fn start(more: &str) -> Gateway {
    Gateway::start_with(config(more), Arc::new(MemoryStore::default())).await
}

#[tokio::test]
async fn a_photo_reaches_the_agent_once_however_often_each_step_is_repeated() {
    let gateway = start("").await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let chat = uma.chat(2, "open-1").await;
    ada.accept(chat).await;
    let file = png(700_000);
    let (status, place) = announce(&uma, chat, "p-1", "../My \u{202E}cat.exe.png", file.len()).await;
    assert_eq!(status, StatusCode::CREATED);
    let (status, again) = announce(&uma, chat, "p-1", "cat.png", file.len()).await;
    assert_eq!((status, &again["media_id"]), (StatusCode::OK, &place["media_id"]));
    // Several attempts at once, with either form.
    let attempts =
        (0..4).map(|n| brought(&uma, if n % 2 == 0 { &place["upload"] } else { &again["upload"] }, file.clone()));
    for (status, body) in join_all(attempts).await {
        assert_eq!((status, body), (StatusCode::NO_CONTENT, Value::Null));
    }
    let (status, there) = announce(&uma, chat, "p-1", "cat.png", file.len()).await;
    assert_eq!((status, there), (StatusCode::OK, json!({"media_id": place["media_id"], "upload": null})));
    assert_eq!(brought(&uma, &place["upload"], png(20)).await.0, StatusCode::NO_CONTENT);

    let media_id = place["media_id"].as_u64().unwrap();
    let (status, sent) = send_photo(&uma, chat, "p-1", media_id).await;
    assert_eq!(status, StatusCode::CREATED, "{sent}");
    assert_eq!(send_photo(&uma, chat, "p-1", media_id).await, (StatusCode::OK, sent));
    let photo = uma.messages(chat).await.pop().unwrap();
    assert_eq!((&photo["type"], &photo["media_id"]), (&json!("photo"), &json!(media_id)));
    assert_eq!(photo["media"], json!({"name": "My cat_exe.png", "content_type": "image/png", "size": file.len()}));

    let path = format!("/chats/{chat}/media/{media_id}");
    let answer = uma.request(Method::GET, &path).header("origin", ORIGIN).send().await.unwrap();
    let headers = answer.headers().clone();
    assert_eq!(headers["content-type"], "image/png");
    assert_eq!(headers["content-length"], file.len().to_string());
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["content-security-policy"], "default-src 'none'; sandbox");
    assert_eq!(headers["cache-control"], "private, no-store");
    assert_eq!(headers["content-disposition"], "inline; filename*=UTF-8''My%20cat_exe.png");
    assert_eq!(headers["access-control-allow-origin"], ORIGIN);
    assert_eq!(answer.bytes().await.unwrap(), file);
    assert_eq!(seen_by_agent(&ada, chat, media_id).await, StatusCode::OK);
    gateway.stop().await;
}

#[tokio::test]
async fn who_may_see_a_photo() {
    let gateway = start("").await;
    let (uma, eve) = (gateway.user("uma").await, gateway.user("eve").await);
    let (ada, grace, olga) = (gateway.agent("ada").await, gateway.agent("grace").await, gateway.agent("olga").await);
    let (chat, other) = (uma.chat(2, "open-1").await, uma.chat(2, "open-2").await);
    let hers = eve.chat(2, "open-1").await;
    let media_id = uploaded(&uma, chat, "p-1", png(100)).await;
    let waiting = announce(&uma, chat, "p-2", "x", 100).await.1["media_id"].as_u64().unwrap();
    let status = async |user: &User, chat: u64, media_id: u64| {
        user.call(Method::GET, &format!("/chats/{chat}/media/{media_id}"), None).await.0
    };
    assert_eq!(seen_by_agent(&ada, chat, media_id).await, StatusCode::NOT_FOUND, "it waits in the queue");
    ada.accept(chat).await;
    ada.accept(other).await;
    for (user, chat, media_id) in [
        (&eve, chat, media_id),
        (&eve, hers, media_id),
        (&uma, other, media_id),
        (&uma, chat, 999),
        (&uma, chat, waiting),
    ] {
        assert_eq!(status(user, chat, media_id).await, StatusCode::NOT_FOUND, "{chat} {media_id}");
    }
    assert_eq!(seen_by_agent(&ada, chat, media_id).await, StatusCode::OK);
    assert_eq!(seen_by_agent(&ada, other, media_id).await, StatusCode::NOT_FOUND);
    assert_eq!(seen_by_agent(&grace, chat, media_id).await, StatusCode::NOT_FOUND);
    assert_eq!(seen_by_agent(&olga, chat, media_id).await, StatusCode::NOT_FOUND);
    // An agent who had the chat keeps what they saw.
    uma.call(Method::DELETE, &format!("/chats/{chat}"), None).await;
    assert_eq!(seen_by_agent(&ada, chat, media_id).await, StatusCode::OK);
    gateway.stop().await;
}

#[tokio::test]
async fn a_message_shows_only_a_file_that_is_there_and_its_senders_own() {
    let gateway = start("").await;
    let (uma, eve, ada) = (gateway.user("uma").await, gateway.user("eve").await, gateway.agent("ada").await);
    let (chat, other, hers) = (uma.chat(2, "o-1").await, uma.chat(2, "o-2").await, eve.chat(2, "o-1").await);
    ada.accept(chat).await;
    let media_id = uploaded(&uma, chat, "p-1", png(100)).await;
    let waiting = announce(&uma, chat, "p-2", "x", 100).await.1["media_id"].as_u64().unwrap();
    for (user, chat, media_id) in
        [(&eve, hers, media_id), (&uma, other, media_id), (&uma, chat, waiting), (&uma, chat, 999)]
    {
        let (status, body) = send_photo(user, chat, "m-1", media_id).await;
        assert_eq!((status, &body["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_argument")));
    }
    for message in [json!({"type": "photo"}), json!({"type": "photo", "media_id": "1"})] {
        let body = json!({"client_id": "m-2", "message": message});
        let (status, _) = uma.call(Method::POST, &format!("/chats/{chat}/messages"), Some(body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }
    let body = json!({"client_id": "m-3", "message": {"type": "photo", "media_id": media_id}});
    let (_, refusal) = ada.call(Method::POST, &format!("/chats/{chat}/messages"), Some(body)).await;
    assert_eq!(refusal["error"]["code"], "invalid_argument", "it is the customer's");
    let body = json!({"client_id": "m-4", "message": {"type": "document", "media_id": media_id}});
    let (_, refusal) = uma.call(Method::POST, &format!("/chats/{chat}/messages"), Some(body)).await;
    assert_eq!(refusal["error"]["code"], "invalid_argument", "a photo is no document");
    gateway.stop().await;
}

/// A film, a sound, a paper and a table, each as short as it can be told.
fn other_files() -> [(&'static str, &'static str, Vec<u8>, &'static str, &'static str); 5] {
    let mut film = b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2".to_vec();
    film.resize(200, 1);
    let mut sound = b"RIFF\xC0\0\0\0WAVEfmt ".to_vec();
    sound.resize(200, 1);
    [
        ("video", "../holiday.mp4.mov", film, "video/mp4", "holiday_mp4.mp4"),
        ("audio", "CON", sound, "audio/wav", "_CON.wav"),
        (
            "document",
            "bill\u{202E}fdp.exe",
            b"%PDF-1.7\n1 0 obj<<>>endobj\n%%EOF\n".repeat(9),
            "application/pdf",
            "billfdp_exe.pdf",
        ),
        ("document", "a/b\\\\numbers\0.csv", b"a,b\n1,2\n".to_vec(), "text/csv", "numbers.csv"),
        ("document", "", "caff\u{e8}\n".as_bytes().to_vec(), "text/plain", "document.txt"),
    ]
}

#[tokio::test]
async fn films_sounds_and_papers_travel_in_both_directions_under_harmless_names() {
    let gateway = start("").await;
    let (uma, ada, eve) = (gateway.user("uma").await, gateway.agent("ada").await, gateway.user("eve").await);
    let chat = uma.chat(2, "open-1").await;
    ada.accept(chat).await;
    for (at, (kind, name, file, content_type, shown)) in other_files().into_iter().enumerate() {
        let announced = json!({"client_id": format!("f-{at}"), "type": kind, "name": name, "size": file.len()});
        for by_agent in [false, true] {
            let path = format!("/chats/{chat}/uploads");
            let (status, place) = if by_agent {
                ada.call(Method::POST, &path, Some(announced.clone())).await
            } else {
                uma.call(Method::POST, &path, Some(announced.clone())).await
            };
            assert_eq!(status, StatusCode::CREATED, "{place}");
            let (status, body) = brought(&uma, &place["upload"], file.clone()).await;
            assert_eq!(status, StatusCode::NO_CONTENT, "{kind} {body}");
            let media_id = place["media_id"].as_u64().unwrap();
            let message =
                json!({"client_id": format!("m-{at}-{by_agent}"), "message": {"type": kind, "media_id": media_id}});
            let path = format!("/chats/{chat}/messages");
            let (status, body) = if by_agent {
                ada.call(Method::POST, &path, Some(message)).await
            } else {
                uma.call(Method::POST, &path, Some(message)).await
            };
            assert_eq!(status, StatusCode::CREATED, "{body}");
            let said = uma.messages(chat).await.pop().unwrap();
            assert_eq!(said["media"], json!({"name": shown, "content_type": content_type, "size": file.len()}));
            let url = format!("/api/v1/chats/{chat}/media/{media_id}");
            let document = (kind == "document").then(|| json!({"url": url}));
            assert_eq!(said.get("document"), document.as_ref());
            let url = format!("{}{url}", gateway.base);
            let got = within(uma.http.get(&url).bearer_auth(&uma.token).send()).await.unwrap();
            let disposition = got.headers()["content-disposition"].to_str().unwrap().to_owned();
            assert!(disposition.starts_with(if kind == "document" { "attachment" } else { "inline" }), "{disposition}");
            assert_eq!(got.headers()["content-type"], content_type);
            assert_eq!(within(got.bytes()).await.unwrap(), file);
            assert_eq!(seen_by_agent(&ada, chat, media_id).await, StatusCode::OK);
            let foreign = within(eve.http.get(&url).bearer_auth(&eve.token).send()).await.unwrap();
            assert_eq!(foreign.status(), StatusCode::NOT_FOUND);
        }
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_file_must_be_of_the_kind_that_was_announced() {
    let gateway = start("limits = { max_audio_bytes = 0 }").await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let program = b"MZ\x90\0\x03\0\0\0\xff\xff".repeat(20);
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec();
    for (at, (kind, file)) in
        [("video", png(100)), ("document", png(100)), ("document", program), ("photo", svg)].into_iter().enumerate()
    {
        let body = json!({"client_id": format!("f-{at}"), "type": kind, "name": "x.pdf", "size": file.len()});
        let (_, place) = uma.call(Method::POST, &format!("/chats/{chat}/uploads"), Some(body)).await;
        let (status, refusal) = brought(&uma, &place["upload"], file).await;
        assert_eq!(
            (status, &refusal["error"]["code"]),
            (StatusCode::BAD_REQUEST, &json!("invalid_argument")),
            "{kind} {at}"
        );
    }
    let body = json!({"client_id": "s", "type": "audio", "name": "a.wav", "size": 100});
    let (_, refusal) = uma.call(Method::POST, &format!("/chats/{chat}/uploads"), Some(body)).await;
    assert_eq!(refusal["error"]["code"], "unsupported", "no sounds are taken here");
    let state = uma.get(&format!("/chats/{chat}")).await;
    let features = state["chat"]["features"].as_array().unwrap().clone();
    assert!(features.contains(&json!("video")) && !features.contains(&json!("audio")));
    gateway.stop().await;
}

#[tokio::test]
async fn a_part_of_a_file_is_answered_as_it_was_asked_for() {
    let gateway = start("").await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let file = png(1000);
    let media_id = uploaded(&uma, chat, "p-1", file.clone()).await;
    let url = format!("{}/api/v1/chats/{chat}/media/{media_id}", gateway.base);
    let table = [
        ("bytes=0-9", 206_u16, Some((0_usize, 10_usize))),
        ("bytes=990-", 206, Some((990, 1000))),
        ("bytes=-5", 206, Some((995, 1000))),
        ("bytes=990-5000", 206, Some((990, 1000))),
        ("bytes=1000-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=9-1", 200, Some((0, 1000))),
        ("bytes=0-1,5-6", 200, Some((0, 1000))),
        ("lines=0-1", 200, Some((0, 1000))),
    ];
    for (range, status, part) in table {
        let request = uma.http.get(&url).bearer_auth(&uma.token).header("range", range);
        let got = within(request.send()).await.unwrap();
        assert_eq!(got.status().as_u16(), status, "{range}");
        let said = got.headers().get("content-range").map(|value| value.to_str().unwrap().to_owned());
        let expected = match (status, part) {
            (206, Some((first, end))) => Some(format!("bytes {first}-{}/1000", end - 1)),
            (416, _) => Some("bytes */1000".to_owned()),
            _ => None,
        };
        assert_eq!(said, expected, "{range}");
        let bytes = within(got.bytes()).await.unwrap();
        let expected = part.map_or(Vec::new(), |(first, end)| file[first..end].to_vec());
        assert_eq!(bytes, expected, "{range}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_file_is_what_its_bytes_say_and_no_longer_than_announced() {
    let gateway = start("limits = { max_upload_bytes = 300000 }").await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let html = b"<!doctype html><script>alert(1)</script>".to_vec();
    let table = [
        ("html", html.clone(), html.len(), StatusCode::BAD_REQUEST),
        ("tiny", b"GI".to_vec(), 2, StatusCode::BAD_REQUEST),
        ("empty", vec![], 10, StatusCode::BAD_REQUEST),
        ("longer", png(101), 100, StatusCode::PAYLOAD_TOO_LARGE),
        ("much longer", png(290_000), 100, StatusCode::PAYLOAD_TOO_LARGE),
        ("longer than any", png(2_000_000), 300_000, StatusCode::PAYLOAD_TOO_LARGE),
        ("shorter", png(90), 100, StatusCode::NO_CONTENT),
        ("largest", png(300_000), 300_000, StatusCode::NO_CONTENT),
    ];
    for (case, file, size, expected) in table {
        let key = case.replace(' ', "-");
        let (_, place) = announce(&uma, chat, &key, "cat.png", size).await;
        let (status, _) = brought(&uma, &place["upload"], file).await;
        assert_eq!(status, expected, "{case}");
        // What was refused can be brought again, by the same number.
        let (_, again) = announce(&uma, chat, &key, "cat.png", size).await;
        assert_eq!(again["media_id"], place["media_id"], "{case}");
        assert_eq!(again["upload"].is_null(), expected == StatusCode::NO_CONTENT, "{case}");
    }
    let asked = [
        (json!({"client_id": "a", "type": "photo", "size": 300_001}), "too_large"),
        (json!({"client_id": "a", "type": "photo", "size": 0}), "invalid_argument"),
        (json!({"client_id": "a", "type": "photo", "size": -1}), "invalid_argument"),
        (json!({"client_id": "a b", "type": "photo", "size": 1}), "invalid_argument"),
        (json!({"client_id": "a", "type": "sculpture", "size": 1}), "unsupported"),
        (json!({"client_id": "a", "type": "video", "size": 20_000_001}), "too_large"),
        (json!({"client_id": "a", "type": "photo", "size": 1, "content_type": "image/svg+xml"}), "unsupported"),
    ];
    for (body, code) in asked {
        let (_, refusal) = uma.call(Method::POST, &format!("/chats/{chat}/uploads"), Some(body.clone())).await;
        assert_eq!(refusal["error"]["code"], code, "{body}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_form_is_good_only_as_it_was_issued() {
    let gateway = start("").await;
    let (uma, eve) = (gateway.user("uma").await, gateway.user("eve").await);
    let (chat, hers) = (uma.chat(2, "open-1").await, eve.chat(2, "open-1").await);
    let (_, place) = announce(&uma, chat, "p-1", "cat.png", 100).await;
    let (_, her_place) = announce(&eve, hers, "p-1", "cat.png", 100).await;
    let mut mixed = place["upload"].clone();
    mixed["fields"]["policy"] = her_place["upload"]["fields"]["policy"].clone();
    let mut unsigned = place["upload"].clone();
    unsigned["fields"].as_object_mut().unwrap().remove("signature");
    for form in [mixed, unsigned, json!({"url": "/api/v1/uploads", "fields": {}})] {
        let (status, body) = brought(&uma, &form, png(100)).await;
        assert_eq!((status, &body["error"]["code"]), (StatusCode::FORBIDDEN, &json!("forbidden")));
    }
    let foreign = post(&uma.base, &place["upload"], png(100)).header("origin", "https://evil.example");
    assert_eq!(json_of(foreign.send().await.unwrap()).await.1["error"]["code"], "origin_forbidden");
    let url = format!("{}/api/v1/uploads", uma.base);
    let without_file = uma.http.post(&url).multipart(Form::new().text("policy", "x")).send().await.unwrap();
    assert_eq!(without_file.status(), StatusCode::BAD_REQUEST);
    let json = uma.http.post(&url).json(&json!({})).send().await.unwrap();
    assert_eq!(json.status(), StatusCode::BAD_REQUEST);
    let long = uma.http.post(&url).multipart(Form::new().text("policy", "x".repeat(5000))).send().await.unwrap();
    assert_eq!(long.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let allowed = post(&uma.base, &place["upload"], png(100)).header("origin", ORIGIN).send().await.unwrap();
    assert_eq!(allowed.headers()["access-control-allow-origin"], ORIGIN);
    assert_eq!(allowed.status(), StatusCode::NO_CONTENT);
    gateway.stop().await;
}

#[tokio::test]
async fn an_end_user_brings_only_so_much_in_a_day() {
    let gateway = start("limits = { uploads_per_end_user = { files = 3, bytes = 1000 } }").await;
    let (uma, eve) = (gateway.user("uma").await, gateway.user("eve").await);
    let (chat, hers) = (uma.chat(2, "open-1").await, eve.chat(2, "open-1").await);
    let statuses = async |user: &User, chat: u64, asked: &[(&str, usize)]| {
        let mut statuses = Vec::new();
        for (key, size) in asked {
            statuses.push(announce(user, chat, key, "x", *size).await.0.as_u16());
        }
        statuses
    };
    assert_eq!(
        statuses(&uma, chat, &[("a", 10), ("b", 10), ("c", 10), ("d", 10), ("a", 10)]).await,
        [201, 201, 201, 429, 200]
    );
    assert_eq!(statuses(&eve, hers, &[("a", 600), ("b", 600), ("b", 400)]).await, [201, 429, 201]);
    gateway.stop().await;
}

#[tokio::test]
async fn a_chat_that_is_over_takes_no_new_files_and_knows_its_old_ones() {
    let gateway = start("").await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let media_id = uploaded(&uma, chat, "p-1", png(100)).await;
    let (_, sent) = send_photo(&uma, chat, "p-1", media_id).await;
    uma.call(Method::DELETE, &format!("/chats/{chat}"), None).await;
    let (status, body) = announce(&uma, chat, "p-2", "cat.png", 100).await;
    assert_eq!((status, &body["error"]["code"]), (StatusCode::CONFLICT, &json!("chat_ended")));
    let (status, body) = announce(&uma, chat, "p-1", "cat.png", 100).await;
    assert_eq!((status, body), (StatusCode::OK, json!({"media_id": media_id, "upload": null})));
    assert_eq!(send_photo(&uma, chat, "p-1", media_id).await, (StatusCode::OK, sent));
    gateway.stop().await;
}

/// The names of all files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            names.extend(files(&entry.path()));
        } else {
            names.push(entry.file_name().into_string().unwrap());
        }
    }
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_outlives_the_gateway_and_half_a_file_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let media = folder.path().join("media");
    let gateway = Gateway::start_in(folder.path(), config("")).await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let file = png(600_000);
    let media_id = uploaded(&uma, chat, "p-1", file.clone()).await;
    let (_, place) = announce(&uma, chat, "p-2", "cat.png", file.len()).await;
    // Half a file, and the client is gone.
    let whole = post(&uma.base, &place["upload"], file.clone()).build().unwrap();
    let boundary = whole.headers()["content-type"].to_str().unwrap().split("boundary=").nth(1).unwrap().to_owned();
    let mut head = format!(
        "POST /api/v1/uploads HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary={boundary}\r\ncontent-length: 700000\r\n\r\n"
    );
    for (name, value) in place["upload"]["fields"].as_object().unwrap() {
        let value = value.as_str().unwrap();
        head += &format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    head += &format!("--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n");
    let mut socket = tokio::net::TcpStream::connect(gateway.base.replace("http://", "")).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&file[..400_000]).await.unwrap();
    within(async {
        while files(&media).len() < 2 {
            tokio::task::yield_now().await
        }
    })
    .await;
    drop(socket);
    within(async {
        while files(&media).len() > 1 {
            tokio::task::yield_now().await
        }
    })
    .await;
    gateway.stop().await;

    // What a killed gateway leaves half written.
    std::fs::write(media.join(chat.to_string()).join("9-abc#1"), b"half").unwrap();
    let gateway = Gateway::start_in(folder.path(), config("")).await;
    let uma = User { base: gateway.base.clone(), ..uma };
    let answer = uma.request(Method::GET, &format!("/chats/{chat}/media/{media_id}")).send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap(), file);
    assert_eq!(files(&media).len(), 1);
    let (status, again) = announce(&uma, chat, "p-2", "cat.png", file.len()).await;
    assert_eq!((status, &again["media_id"]), (StatusCode::OK, &place["media_id"]));
    assert_eq!(brought(&uma, &again["upload"], file).await.0, StatusCode::NO_CONTENT);
    gateway.stop().await;
}

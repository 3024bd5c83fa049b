//! Transcripts as PDF: asked for, made once, kept over a restart, limited, and never the end of the gateway, whatever was said in the chat. What is on the pages is
//! looked at in `tests/browser/transcripts.test.mjs`.

use std::io::Cursor;
use std::time::Duration;

use reqwest::multipart::{Form, Part};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Gateway, ORIGIN, User, within};

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

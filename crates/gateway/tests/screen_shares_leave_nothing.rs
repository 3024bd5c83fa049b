//! Many short screen shares: each way to end one lets go of everything that it had in memory, as the log tells.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::expect_used)]

mod common;

use std::io::Write;
use std::sync::{Arc, Mutex};

use common::{Gateway, Stream, config, within};
use gateway::config::{Log, LogFormat, LogLevel};
use gateway::store::MemoryStore;
use gateway::telemetry;
use reqwest::Method;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Captured;

    fn make_writer(&'a self) -> Captured {
        self.clone()
    }
}

#[tokio::test]
async fn three_hundred_short_shares_leave_no_entry() {
    let captured = Captured::default();
    let log = Log { format: LogFormat::Json, level: LogLevel::Debug };
    tracing::subscriber::set_global_default(telemetry::subscriber(log, captured.clone())).unwrap();
    let mut config = config("");
    // The test shares faster than people.
    config.limits.screen_requests_per_end_user.per_minute = 0;
    let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    const CHATS: u64 = 30;
    let mut viewers = Vec::new();
    for number in 0..CHATS {
        let chat = uma.chat(2, &format!("open-{number}")).await;
        ada.accept(chat).await;
        let shares = format!("/chats/{chat}/screen_shares");
        for share in 1..=10 {
            let begin =
                json!({"client_id": format!("share-{number}-{share}"), "page_id": "page-0001", "from": "end_user"});
            uma.call(Method::POST, &shares, Some(begin)).await;
            let path = format!("{shares}/{share}");
            let step = async |body: Value| {
                let (status, answer) = uma.call(Method::PATCH, &path, Some(body)).await;
                assert_eq!(status, 200, "{answer}");
            };
            if share % 3 > 0 {
                step(json!({"page_id": "page-0001", "status": "active"})).await;
                let stream = format!("/desk/api/v1/chats/{chat}/screen_share/stream");
                let mut viewer = Stream::open(&ada.base, &stream, &[("cookie", &ada.cookie)]).await;
                viewer.say(json!({"type": "join"})).await;
                viewer.expect("share").await;
                let batch = format!("{path}/records?page_id=page-0001&epoch=1&seq=1");
                let answer = uma.request(Method::POST, &batch).body(vec![7_u8; 10_000]).send().await.unwrap();
                assert_eq!(answer.status(), 200);
                viewers.push(viewer);
            }
            match share {
                // The last one of a chat ends with it.
                10 => {
                    drop(ada.call(Method::PATCH, &format!("/chats/{chat}"), Some(json!({"status": "finished"}))).await)
                }
                share if share % 2 == 0 => {
                    drop(ada.call(Method::DELETE, &format!("/chats/{chat}/screen_share"), None).await)
                }
                _ => step(json!({"page_id": "page-0001", "status": "ended"})).await,
            }
        }
    }
    for viewer in &mut viewers {
        within(async { while let common::Heard::Frame(_) = viewer.hear().await {} }).await;
    }
    drop(viewers);
    gateway.stop().await;
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    let gone: Vec<Value> = log
        .lines()
        .filter(|line| line.contains("a screen share is gone"))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(gone.len(), 300);
    // One chat at a time had one.
    assert!(gone.iter().all(|line| line.to_string().contains(r#""left":0"#)), "{}", gone[0]);
}

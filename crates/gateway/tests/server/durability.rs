//! What was acknowledged survives the gateway: the real program is killed in mid-conversation and started again.

use std::process::Command;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::common::{indexes, within};
use crate::program::Program;

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_message_is_lost_or_doubled_by_kill_and_restart() {
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<(String, u64)> = Vec::new();
    let mut chat = None;
    for round in 0..4 {
        let program = Program::start(data.path());
        let uma = program.user("uma").await;
        let chat = match chat {
            Some(chat) => chat,
            None => {
                let opened = uma.chat(4, "open-1").await;
                *chat.insert(opened)
            }
        };
        assert_eq!(uma.get("/chats/ongoing").await["chat"]["id"], json!(chat));
        // What the last round did not hear about is sent again with its key, and one that it did hear about too.
        let last = acknowledged.last().cloned();
        if let Some((key, index)) = last {
            let (status, body) = uma.send(chat, &key, "again").await;
            assert_eq!((status, body["index"].as_u64()), (StatusCode::OK, Some(index)));
        }
        // Several senders at once, cut off in the middle of it.
        let senders = (0..4).map(|sender| {
            let uma = uma.clone();
            tokio::spawn(async move {
                let mut heard = Vec::new();
                for n in 0.. {
                    let key = format!("{round}-{sender}-{n}");
                    let body = json!({"client_id": key, "message": {"type": "text", "content": key}});
                    let request = uma.request(reqwest::Method::POST, &format!("/chats/{chat}/messages")).json(&body);
                    let Ok(answer) = request.send().await else { break };
                    let status = answer.status();
                    let Ok(body) = answer.json::<Value>().await else { break };
                    if status != StatusCode::CREATED {
                        panic!("{status} {body}");
                    }
                    heard.push((key, body["index"].as_u64().unwrap()));
                    if n == 200 {
                        break;
                    }
                }
                heard
            })
        });
        let senders: Vec<_> = senders.collect();
        within(async {
            while uma.get(&format!("/chats/{chat}")).await["chat"]["last_index"].as_u64().unwrap() < 30 * (round + 1) {}
        })
        .await;
        drop(program);
        for sender in senders {
            acknowledged.extend(within(sender).await.unwrap());
        }
        acknowledged.sort_by_key(|(_, index)| *index);
    }
    assert!(acknowledged.len() > 50);
    let program = Program::start(data.path());
    let uma = program.user("uma").await;
    let chat = chat.unwrap();
    let mut stored: Vec<Value> = Vec::new();
    loop {
        let after = stored.len();
        let page = uma.get(&format!("/chats/{chat}/messages?after_index={after}")).await;
        stored.extend(page["messages"].as_array().unwrap().iter().cloned());
        if stored.len() as u64 >= page["last_index"].as_u64().unwrap() {
            break;
        }
    }
    assert_eq!(indexes(&stored), (1..=stored.len() as u64).collect::<Vec<u64>>());
    for (key, index) in &acknowledged {
        let with_key: Vec<&Value> = stored.iter().filter(|message| message["client_id"] == json!(key)).collect();
        assert_eq!(with_key.len(), 1, "{key}");
        assert_eq!(with_key[0]["$index"], json!(index), "{key}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_program_stops_cleanly_when_it_is_asked_to() {
    let data = tempfile::tempdir().unwrap();
    let mut program = Program::start(data.path());
    let uma = program.user("uma").await;
    let chat = uma.chat(4, "open-1").await;
    let mut stream = uma.join(chat, 0).await;
    stream.expect("joined").await;
    let status = Command::new("kill").arg(program.child.id().to_string()).status().unwrap();
    assert!(status.success());
    stream.expect("closing").await;
    let exit =
        within(async { tokio::task::spawn_blocking(move || program.child.wait().unwrap()).await.unwrap() }).await;
    assert!(exit.success(), "{exit}");
    assert!(!data.path().join("sportello.sqlite-wal").exists(), "the write-ahead log was folded in");
}

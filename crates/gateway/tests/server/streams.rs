//! The event stream: resumption, idempotency, heartbeat, shutdown, slow readers.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use gateway::store::MemoryStore;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Gateway, Heard, Stream, User, config, indexes, texts, within};

#[tokio::test]
async fn a_stream_resumes_from_its_cursor_without_gap_or_repetition() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let mut seen: Vec<Value> = Vec::new();
    for round in 0..6_u64 {
        let cursor = seen.last().map_or(0, |message| message["$index"].as_u64().unwrap());
        let mut stream = uma.join(chat, cursor).await;
        assert_eq!(stream.expect("joined").await["cursor"], json!(cursor));
        // Some while it is open, some while it is not.
        for part in 0..40 {
            uma.send(chat, &format!("{round}-{part}"), &format!("text {round} {part}")).await;
        }
        stream.until_index(cursor + 1).await;
        seen.append(&mut stream.messages);
        drop(stream);
        uma.send(chat, &format!("{round}-late"), "while nobody listens").await;
    }
    let cursor = seen.last().map_or(0, |message| message["$index"].as_u64().unwrap());
    let mut stream = uma.join(chat, cursor).await;
    stream.until_index(6 * 41).await;
    seen.append(&mut stream.messages);
    assert_eq!(indexes(&seen), (1..=246).collect::<Vec<u64>>());
    assert_eq!(seen, uma.messages(chat).await);
    gateway.stop().await;
}

#[tokio::test]
async fn a_cursor_beyond_the_end_is_told_the_end() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    uma.send(chat, "m-1", "one").await;
    let mut stream = uma.join(chat, 77).await;
    assert_eq!(stream.expect("joined").await["cursor"], json!(1));
    gateway.stop().await;
}

#[tokio::test]
async fn the_same_key_is_one_message_and_one_chat_however_often_and_at_once() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let chats = join_all((0..8).map(|_| uma.chat(2, "the-same"))).await;
    assert!(chats.iter().all(|chat| *chat == chats[0]));
    let chat = chats[0];
    let answers = join_all((0..8).map(|n| {
        let uma = &uma;
        async move { uma.send(chat, "m-1", &format!("attempt {n}")).await }
    }))
    .await;
    assert!(answers.iter().all(|(_, body)| *body == answers[0].1), "{answers:?}");
    assert_eq!(answers.iter().filter(|(status, _)| *status == StatusCode::CREATED).count(), 1);
    let stored = uma.messages(chat).await;
    assert_eq!(stored.len(), 1);
    assert_eq!((&stored[0]["$sid"], &stored[0]["client_id"]), (&answers[0].1["sid"], &json!("m-1")));
    // Also after the end of the chat, because the message was stored before it.
    uma.call(Method::DELETE, &format!("/chats/{chat}"), None).await;
    let (status, again) = uma.send(chat, "m-1", "attempt 9").await;
    assert_eq!((status, again), (StatusCode::OK, answers[0].1.clone()));
    // Another user's same key is another message.
    let eve = gateway.user("eve").await;
    let hers = eve.chat(2, "the-same").await;
    assert_ne!(hers, chat);
    gateway.stop().await;
}

#[tokio::test]
async fn everyone_sees_concurrent_messages_in_one_order() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let ada = gateway.agent("ada").await;
    ada.accept(chat).await;
    let mut tabs = [uma.join(chat, 0).await, uma.join(chat, 0).await, ada.join(chat, 0).await];
    let customers = join_all((0..60).map(|n| {
        let uma = &uma;
        async move { uma.send(chat, &format!("u-{n}"), &format!("u {n}")).await }
    }));
    let agents = join_all((0..60).map(|n| {
        let ada = &ada;
        async move { ada.send(chat, &format!("a-{n}"), &format!("a {n}")).await }
    }));
    tokio::join!(customers, agents);
    let stored = uma.messages(chat).await;
    assert_eq!(indexes(&stored), (1..=121).collect::<Vec<u64>>());
    for tab in &mut tabs {
        tab.until_index(121).await;
        assert_eq!(tab.messages, stored);
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_silent_client_is_given_up_and_an_answering_one_is_not() {
    let config = config("stream = { heartbeat_ms = 800 }");
    let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let mut silent = uma.join(chat, 0).await;
    let mut answering = uma.join(chat, 0).await;
    // `hear` answers pings, so this one must say nothing by itself.
    let silence = async {
        use futures_util::StreamExt;
        let mut pings = 0;
        loop {
            match within(silent.socket.next()).await {
                Some(Ok(tokio_tungstenite::tungstenite::Message::Close(Some(close)))) => {
                    break (pings, u16::from(close.code));
                }
                Some(Ok(message)) if message.to_text().unwrap().contains("ping") => pings += 1,
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    };
    let answers = async {
        loop {
            let heard = answering.hear().await;
            assert!(matches!(heard, Heard::Frame(_)), "{heard:?}");
        }
    };
    tokio::select! {
        (pings, code) = silence => assert!(pings >= 1 && code == 4408, "{pings} pings, code {code}"),
        () = answers => {}
    }
    uma.send(chat, "m-1", "hello").await;
    answering.until_index(1).await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_client_that_never_joins_is_given_up() {
    let config = config("stream = { join_timeout_ms = 100 }");
    let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
    let uma = gateway.user("uma").await;
    assert_eq!(uma.stream().await.refusal().await, ("timeout".to_owned(), 4408));
    gateway.stop().await;
}

#[tokio::test]
async fn shutting_down_asks_everyone_to_come_back_and_takes_no_longer_than_it_may() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let mut joined = uma.join(chat, 0).await;
    joined.expect("joined").await;
    let mut waiting = uma.stream().await;
    let ada = gateway.agent("ada").await;
    let mut list = ada.list().await;
    list.expect("chats").await;
    let stopped = gateway.ask_to_stop();
    for stream in [&mut joined, &mut waiting, &mut list] {
        assert_eq!(stream.expect("closing").await["retry_after_ms"], json!(2000));
        assert!(matches!(stream.hear().await, Heard::Closed(4503)));
    }
    within(stopped).await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_does_not_keep_the_gateway_from_stopping() {
    let config = config("shutdown = { deadline_ms = 300 }");
    let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
    let address = gateway.base.replace("http://", "");
    // Half a request, for ever.
    let mut half = tokio::net::TcpStream::connect(address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut half, b"POST /api/v1/sessions HTTP/1.1\r\ncontent-").await.unwrap();
    let _uma = gateway.user("uma").await;
    within(gateway.ask_to_stop()).await.unwrap();
}

/// A stream that has joined, as soon as there is a place for it.
async fn admitted(uma: &User, chat: u64, cursor: u64) -> Stream {
    within(async {
        loop {
            let mut stream = uma.join(chat, cursor).await;
            if let Heard::Frame(frame) = stream.hear().await
                && frame["type"] == "joined"
            {
                return stream;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_reader_that_stops_reading_is_cut_and_misses_nothing() {
    let limits = "limits = { max_page_bytes = 200000, streams_per_end_user = 2 }";
    let config = config(&format!("stream = {{ write_timeout_ms = 1000 }}\n{limits}"));
    let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let mut slow = uma.join(chat, 0).await;
    slow.expect("joined").await;
    let mut quick = uma.join(chat, 0).await;
    quick.expect("joined").await;
    // More than the buffers of a connection hold.
    let long = "x".repeat(16_000);
    let total = 1500;
    let sending = async {
        for batch in 0..(total / 50) {
            let sent = (0..50).map(|n| uma.send(chat, format!("{batch}-{n}").leak(), &long));
            for (status, body) in join_all(sent).await {
                assert_eq!(status, StatusCode::CREATED, "{body}");
            }
        }
    };
    let ((), ()) = tokio::join!(sending, async { quick.until_index(total).await });
    assert_eq!(indexes(&quick.messages), (1..=total).collect::<Vec<u64>>());
    // Its place comes free when it is cut; the quick one keeps the other.
    drop(admitted(&uma, chat, total).await);
    // What it had taken is in order; then it was cut without a word, because nothing more would have reached it.
    let end = loop {
        match slow.hear().await {
            Heard::Frame(_) => {}
            Heard::Closed(code) => break code,
        }
    };
    assert_eq!(end, 1006);
    let cursor = *indexes(&slow.messages).last().unwrap();
    assert!(cursor < total, "the connection's buffers held everything: send more");
    assert_eq!(indexes(&slow.messages), (1..=cursor).collect::<Vec<u64>>());
    drop(quick);
    let mut again = admitted(&uma, chat, cursor).await;
    again.until_index(total).await;
    assert_eq!(indexes(&again.messages), (cursor + 1..=total).collect::<Vec<u64>>());
    gateway.stop().await;
}

#[tokio::test]
async fn history_comes_in_pages_of_bounded_size() {
    let config = config("limits = { max_page_bytes = 5000 }");
    let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    for n in 0..20 {
        uma.send(chat, &format!("m-{n}"), &"y".repeat(1000)).await;
    }
    let mut seen = Vec::new();
    loop {
        let after = seen.last().copied().unwrap_or(0);
        let page = uma.get(&format!("/chats/{chat}/messages?after_index={after}")).await;
        let part = indexes(page["messages"].as_array().unwrap());
        assert!((1..=5).contains(&part.len()), "{part:?}");
        assert_eq!(page["last_index"], 20);
        seen.extend(part);
        if seen.last() == Some(&20) {
            break;
        }
    }
    assert_eq!(seen, (1..=20).collect::<Vec<u64>>());
    let page = uma.get(&format!("/chats/{chat}/messages?after_index=18&limit=1")).await;
    assert_eq!(indexes(page["messages"].as_array().unwrap()), [19]);
    gateway.stop().await;
}

#[tokio::test]
async fn typing_that_is_never_taken_back_ends_by_itself_or_with_the_stream() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let ada = gateway.agent("ada").await;
    ada.accept(chat).await;
    let mut customer = uma.join(chat, 0).await;
    customer.expect("joined").await;
    let mut desk = ada.join(chat, 0).await;
    desk.expect("joined").await;
    customer.say(json!({"type": "typing", "typing": true})).await;
    assert_eq!(desk.expect("typing").await["typing"], true);
    drop(customer);
    assert_eq!(desk.expect("typing").await["typing"], false);
    gateway.stop().await;
}

#[tokio::test]
async fn a_chat_that_was_idle_for_long_goes_on() {
    // The task of a chat leaves when nobody uses it; the next request starts another.
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(1, "open-1").await;
    uma.send(chat, "m-1", "hello").await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(120)).await;
    tokio::time::resume();
    uma.send(chat, "m-2", "anyone?").await;
    uma.send(chat, "m-1", "hello").await;
    let all = texts(&uma.messages(chat).await);
    assert_eq!(all, ["Hello!", "(inline_button)", "hello", "What?", "anyone?", "What?"]);
    gateway.stop().await;
}

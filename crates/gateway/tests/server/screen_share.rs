//! Screen share from end to end, over HTTP and WebSocket: who may do what, what is passed on, and that nothing of it stays.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use gateway::config::Config;
use gateway::store::MemoryStore;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::common::{Desk, Gateway, Heard, Stream, User, config, json_of, within};

const PAGE: &str = "page-0001";

/// A customer and the agent who has the chat.
struct Scene {
    gateway: Gateway,
    uma: User,
    ada: Desk,
    chat: u64,
}

impl Scene {
    async fn start() -> Scene {
        Scene::with(config("")).await
    }

    async fn with(config: Config) -> Scene {
        let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
        Scene::at(gateway).await
    }

    async fn at(gateway: Gateway) -> Scene {
        let uma = gateway.user("uma").await;
        let ada = gateway.agent("ada").await;
        let chat = assigned(&uma, &ada, "open-0001").await;
        Scene { gateway, uma, ada, chat }
    }

    fn path(&self) -> String {
        format!("/chats/{}/screen_shares", self.chat)
    }

    async fn begin(&self, client_id: &str, from: &str) -> (StatusCode, Value) {
        let body = json!({"client_id": client_id, "page_id": PAGE, "from": from});
        self.uma.call(Method::POST, &self.path(), Some(body)).await
    }

    /// A share that is active; gives its number.
    async fn active(&self, client_id: &str) -> u64 {
        let (status, body) = self.begin(client_id, "end_user").await;
        assert_eq!((status, &body["share"]["status"]), (StatusCode::CREATED, &json!("authorizing")), "{body}");
        let id = body["share"]["id"].as_u64().unwrap();
        let (status, body) = self.patch(id, json!({"page_id": PAGE, "status": "active"})).await;
        assert_eq!((status, &body["share"]["status"]), (StatusCode::OK, &json!("active")), "{body}");
        id
    }

    async fn patch(&self, id: u64, body: Value) -> (StatusCode, Value) {
        self.uma.call(Method::PATCH, &format!("{}/{id}", self.path()), Some(body)).await
    }

    async fn record(&self, id: u64, epoch: u64, seq: u64, batch: Vec<u8>) -> (StatusCode, Value) {
        record(&self.uma, self.chat, id, PAGE, (epoch, seq), batch).await
    }

    async fn signals(&self, id: u64, after: Option<u64>) -> (StatusCode, Value) {
        let after = after.map_or(String::new(), |after| format!("&after={after}"));
        let path = format!("{}/{id}/signals?page_id={PAGE}{after}", self.path());
        self.uma.call(Method::GET, &path, None).await
    }

    async fn share(&self) -> Value {
        self.uma.get(&format!("/chats/{}", self.chat)).await["chat"]["screen_share"].clone()
    }

    async fn desk(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.ada.call(method, &format!("/chats/{}{path}", self.chat), body).await
    }

    async fn view(&self) -> Stream {
        view(&self.ada, self.chat).await
    }

    /// What was said of shares: author, event and reason.
    async fn notices(&self) -> Vec<(String, String, Option<String>)> {
        let messages = self.uma.messages(self.chat).await;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let shown = messages.iter().filter(|message| {
            message["type"] == "noti" && message["event"].as_str().is_some_and(|event| event.starts_with("cobrowse"))
        });
        shown.map(|m| (text(&m["$userType"]).unwrap(), text(&m["event"]).unwrap(), text(&m["reason"]))).collect()
    }
}

async fn assigned(uma: &User, ada: &Desk, client_id: &str) -> u64 {
    let chat = uma.chat(2, client_id).await;
    let (status, body) = ada.accept(chat).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    chat
}

async fn record(
    user: &User,
    chat: u64,
    id: u64,
    page: &str,
    number: (u64, u64),
    batch: Vec<u8>,
) -> (StatusCode, Value) {
    let (epoch, seq) = number;
    let path = format!("/chats/{chat}/screen_shares/{id}/records?page_id={page}&epoch={epoch}&seq={seq}");
    let request = user.request(Method::POST, &path).header("content-type", "application/octet-stream").body(batch);
    json_of(within(request.send()).await.unwrap()).await
}

async fn view(desk: &Desk, chat: u64) -> Stream {
    let path = format!("/desk/api/v1/chats/{chat}/screen_share/stream");
    let mut stream = Stream::open(&desk.base, &path, &[("cookie", &desk.cookie)]).await;
    stream.say(json!({"type": "join"})).await;
    stream
}

/// Posts chunks of bytes without saying how many there will be, and gives the beginning of the answer.
async fn chunked(user: &User, path: &str, chunks: usize, bytes: usize) -> String {
    let mut socket = TcpStream::connect(user.base.replace("http://", "")).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\ntransfer-encoding: chunked\r\n\r\n",
        user.token
    );
    let chunk = format!("{bytes:x}\r\n{}\r\n", "7".repeat(bytes));
    socket.write_all(format!("{head}{}0\r\n\r\n", chunk.repeat(chunks)).as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    within(socket.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// The next batch: the line about it, and what was recorded.
async fn batch(stream: &mut Stream) -> (Value, Vec<u8>) {
    within(async {
        loop {
            match stream.socket.next().await.unwrap().unwrap() {
                Message::Binary(bytes) => {
                    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
                    return (serde_json::from_slice(&bytes[..end]).unwrap(), bytes[end + 1..].to_vec());
                }
                Message::Text(text) if text.contains(r#""ping""#) => {
                    stream.socket.send(Message::text(r#"{"type":"pong"}"#)).await.unwrap();
                }
                Message::Text(text) => assert!(text.contains(r#""share""#), "{text}"),
                other => panic!("{other:?}"),
            }
        }
    })
    .await
}

/// Reads until the stream is closed: the last share that was told, and the close code.
async fn end_of(stream: &mut Stream) -> (Value, u16) {
    let mut last = Value::Null;
    loop {
        match stream.hear().await {
            Heard::Frame(frame) if frame["type"] == "share" => last = frame["share"].clone(),
            Heard::Frame(frame) => last = frame,
            Heard::Closed(code) => return (last, code),
        }
    }
}

#[tokio::test]
async fn a_customer_reads_a_code_out_and_the_agent_sees_the_page_and_points_at_it() {
    let scene = Scene::start().await;
    let before = scene.uma.get(&format!("/chats/{}", scene.chat)).await;
    assert!(before["chat"]["features"].as_array().unwrap().contains(&json!("cobrowse")), "{before}");
    assert_eq!(before["chat"].get("screen_share"), None);

    let body = json!({
        "client_id": "share-0001", "page_id": PAGE, "from": "code", "lang": "it", "custom_data": {"basket": "2 bikes"},
    });
    let (status, begun) = scene.uma.call(Method::POST, &scene.path(), Some(body.clone())).await;
    assert_eq!((status, &begun["share"]["status"]), (StatusCode::CREATED, &json!("pending")), "{begun}");
    assert_eq!(begun["share"]["agent"], Value::Null);
    let code = begun["code"].as_str().unwrap();
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    let (status, again) = scene.uma.call(Method::POST, &scene.path(), Some(body)).await;
    assert_eq!((status, &again), (StatusCode::OK, &begun), "the same key, the same share");

    let (status, joined) = scene.desk(Method::POST, "/screen_share/join", Some(json!({"code": code}))).await;
    assert_eq!((status, &joined["share"]["status"]), (StatusCode::OK, &json!("authorizing")), "{joined}");
    assert_eq!(joined["share"]["agent"]["name"], "Ada");
    let (status, body) = scene.patch(1, json!({"page_id": PAGE, "status": "active"})).await;
    assert_eq!((status, &body["share"]["status"]), (StatusCode::OK, &json!("active")), "{body}");
    assert_eq!(scene.share().await, body["share"]);

    // Nobody looks yet.
    let (status, first) = scene.signals(1, None).await;
    assert_eq!((status, &first["viewers"], &first["signals"]), (StatusCode::OK, &json!(0), &json!([])), "{first}");
    let (status, body) = scene.record(1, 100, 1, b"unseen".to_vec()).await;
    assert_eq!((status, &body["viewers"], &body["resync"]), (StatusCode::OK, &json!(0), &json!(false)), "{body}");

    let waits = scene.signals(1, first["next"].as_u64());
    let (mut viewer, (status, second)) = tokio::join!(scene.view(), waits);
    assert_eq!((status, &second["viewers"]), (StatusCode::OK, &json!(1)), "{second}");
    assert_eq!(second["signals"], json!([{"type": "resync"}]));
    let frame = viewer.expect("share").await;
    assert_eq!((&frame["share"]["status"], &frame["page"]), (&json!("active"), &json!("here")), "{frame}");

    let (status, body) = scene.record(1, 200, 1, b"the page".to_vec()).await;
    assert_eq!((status, &body["viewers"]), (StatusCode::OK, &json!(1)), "{body}");
    assert_eq!(batch(&mut viewer).await, (json!({"epoch": 200, "seq": 1}), b"the page".to_vec()));

    let waits = scene.signals(1, second["next"].as_u64());
    let points = viewer.say(json!({"type": "pointer", "x": 12, "y": 34, "down": true}));
    let ((), (_, third)) = tokio::join!(points, waits);
    assert_eq!(third["signals"], json!([{"type": "pointer", "x": 12, "y": 34, "down": true}]), "{third}");

    let (status, _) = scene.patch(1, json!({"page_id": PAGE, "status": "ended"})).await;
    assert_eq!(status, StatusCode::OK);
    let (last, code) = end_of(&mut viewer).await;
    assert_eq!((&last["ended_reason"], code), (&json!("device_ended"), 1000), "{last}");
    let said = scene.notices().await;
    let said: Vec<(&str, &str, Option<&str>)> =
        said.iter().map(|(who, event, why)| (who.as_str(), event.as_str(), why.as_deref())).collect();
    let expected = [
        ("end_user", "cobrowseCodeGenerated", None),
        ("system", "cobrowseStarted", None),
        ("system", "cobrowseEnded", Some("device_ended")),
    ];
    assert_eq!(said, expected);
    scene.gateway.stop().await;
}

#[tokio::test]
async fn shares_that_end_early_say_why_and_a_second_one_replaces_the_first() {
    let scene = Scene::start().await;
    let (_, first) = scene.begin("share-0001", "code").await;
    let (status, second) = scene.begin("share-0002", "agent").await;
    assert_eq!((status, &second["code"]), (StatusCode::CREATED, &Value::Null), "{second}");
    let (status, late) = scene.begin("share-0001", "code").await;
    assert_eq!((status, &late["error"]["code"]), (StatusCode::CONFLICT, &json!("conflict")), "{first} came back");
    let (status, body) = scene.patch(2, json!({"page_id": PAGE, "status": "ended", "reason": "denied"})).await;
    assert_eq!((status, &body["share"]["ended_reason"]), (StatusCode::OK, &json!("denied")));
    let (status, again) = scene.patch(2, json!({"page_id": PAGE, "status": "ended"})).await;
    assert_eq!((status, &again), (StatusCode::OK, &body), "repeating it changes nothing");
    let (status, body) = scene.patch(2, json!({"page_id": PAGE, "status": "active"})).await;
    assert_eq!((status, &body["error"]["code"]), (StatusCode::CONFLICT, &json!("conflict")));
    let third = scene.active("share-0003").await;
    let (status, _) = scene.desk(Method::DELETE, "/screen_share", None).await;
    assert_eq!((third, status), (3, StatusCode::NO_CONTENT));
    let (status, _) = scene.desk(Method::DELETE, "/screen_share", None).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "harmless when repeated");
    let said: Vec<_> = scene.notices().await.into_iter().map(|(_, event, why)| (event, why)).collect();
    let expected = [
        ("cobrowseCodeGenerated", None),
        ("cobrowseEnded", Some("replaced")),
        ("cobrowseFailed", Some("denied")),
        ("cobrowseRequestedFromEndUser", None),
        ("cobrowseStarted", None),
        ("cobrowseEnded", Some("agent_ended")),
    ];
    assert_eq!(said, expected.map(|(event, why)| (event.to_owned(), why.map(str::to_owned))));
    scene.gateway.stop().await;
}

fn error_of(answer: (StatusCode, Value)) -> (u16, String) {
    let (status, body) = answer;
    (status.as_u16(), body["error"]["code"].as_str().unwrap_or_default().to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn a_share_is_for_its_end_user_and_the_agent_who_has_the_chat() {
    let scene = Scene::start().await;
    let id = scene.active("share-0001").await;
    let chat = scene.chat;

    let max = scene.gateway.user("max").await;
    let own = format!("/chats/{chat}/screen_shares");
    let begin = json!({"client_id": "share-0009", "page_id": PAGE, "from": "end_user"});
    let end = json!({"page_id": PAGE, "status": "ended"});
    let table = [
        (Method::POST, own.clone(), Some(begin)),
        (Method::GET, format!("{own}/{id}"), None),
        (Method::PATCH, format!("{own}/{id}"), Some(end)),
        (Method::GET, format!("{own}/{id}/signals?page_id={PAGE}"), None),
    ];
    for (method, path, body) in table {
        let answer = max.call(method.clone(), &path, body).await;
        assert_eq!(error_of(answer), refused(404, "not_found"), "{method} {path}");
    }
    let answer = record(&max, chat, id, PAGE, (1, 1), b"x".to_vec()).await;
    assert_eq!(error_of(answer), refused(404, "not_found"));

    // Grace does not know the chat; when she has had it, she does.
    let grace = scene.gateway.agent("grace").await;
    let olga = scene.gateway.agent("olga").await;
    let steps = [
        (Method::POST, "/screen_share_requests", Some(json!({}))),
        (Method::POST, "/screen_share/join", Some(json!({"code": "000000"}))),
        (Method::DELETE, "/screen_share", None),
    ];
    for (desk, expected) in [(&grace, refused(404, "not_found")), (&olga, refused(404, "not_found"))] {
        for (method, path, body) in &steps {
            let answer = desk.call(method.clone(), &format!("/chats/{chat}{path}"), body.clone()).await;
            assert_eq!(error_of(answer), expected, "{path}");
        }
        assert_eq!(view(desk, chat).await.refusal().await, ("not_found".to_owned(), 4404));
    }
    assert_eq!(scene.share().await["status"], "active", "nobody ended it");
    let (_, me) = grace.call(Method::GET, "/me", None).await;
    let _on_duty = grace.list().await.expect("chats").await;
    let mut duty = grace.list().await;
    duty.expect("chats").await;
    let to_grace = json!({"agent_id": me["agent"]["id"]});
    let (status, body) = scene.desk(Method::POST, "/transfer", Some(to_grace)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    for (method, path, body) in steps {
        assert_eq!(error_of(scene.desk(method, path, body).await), refused(403, "forbidden"), "{path}");
    }
    assert_eq!(scene.view().await.refusal().await, ("forbidden".to_owned(), 4403));
    assert_eq!(view(&grace, chat).await.refusal().await, ("not_found".to_owned(), 4404), "it ended with the transfer");

    // Without a cookie, from elsewhere, without `join`.
    let path = format!("/desk/api/v1/chats/{chat}/screen_share/stream");
    let mut stranger = Stream::open(&scene.gateway.base, &path, &[]).await;
    stranger.say(json!({"type": "join"})).await;
    assert_eq!(stranger.refusal().await, ("unauthorized".to_owned(), 4401));
    let headers = [("cookie", grace.cookie.as_str()), ("origin", "https://evil.example")];
    let mut foreign = Stream::open(&scene.gateway.base, &path, &headers).await;
    assert_eq!(foreign.refusal().await, ("origin_forbidden".to_owned(), 4403));
    for first in [json!({"type": "ping"}), json!({"type": "pointer", "x": 1, "y": 1}), json!("join")] {
        let mut early = Stream::open(&scene.gateway.base, &path, &[("cookie", &grace.cookie)]).await;
        early.say(first).await;
        assert_eq!(early.refusal().await, ("protocol".to_owned(), 4400));
    }
    scene.gateway.stop().await;
}

#[tokio::test]
async fn guessing_codes_ends_the_share() {
    let scene = Scene::start().await;
    let guess =
        async |code: &str| error_of(scene.desk(Method::POST, "/screen_share/join", Some(json!({"code": code}))).await);
    assert_eq!(guess("000000").await, refused(404, "not_found"), "nothing is open");
    let (_, begun) = scene.begin("share-0001", "code").await;
    let code = begun["code"].as_str().unwrap();
    let wrong = if code == "111111" { "222222" } else { "111111" };
    for _ in 0..4 {
        assert_eq!(guess(wrong).await, refused(404, "not_found"));
        assert_eq!(scene.share().await["status"], "pending");
    }
    assert_eq!(guess(wrong).await, refused(404, "not_found"));
    let share = scene.share().await;
    assert_eq!((&share["status"], &share["ended_reason"]), (&json!("ended"), &json!("limit_enforcement")));
    assert_eq!(guess(code).await, refused(404, "not_found"), "the right one comes too late");

    // A new one is a new code; read out in groups it is the same.
    let (_, begun) = scene.begin("share-0002", "code").await;
    let (left, right) = begun["code"].as_str().unwrap().split_at(3);
    let spoken = json!({"code": format!(" {left} {right}")});
    let (status, body) = scene.desk(Method::POST, "/screen_share/join", Some(spoken)).await;
    assert_eq!((status, &body["share"]["status"]), (StatusCode::OK, &json!("authorizing")));
    scene.gateway.stop().await;
}

#[tokio::test]
async fn a_batch_that_comes_twice_is_passed_on_once_and_a_missing_one_is_noticed() {
    let scene = Scene::start().await;
    let id = scene.active("share-0001").await;
    let mut viewer = scene.view().await;
    viewer.expect("share").await;
    // Number, and whether the recording is to begin anew.
    let table = [
        ((100, 1), false),
        ((100, 2), false),
        ((100, 2), false),
        ((100, 1), false),
        ((100, 4), true),
        ((100, 4), true),
        ((100, 5), false),
        ((99, 9), false),
        ((200, 1), false),
        ((300, 2), true),
        ((u64::MAX, 1), false),
    ];
    for ((epoch, seq), expected) in table {
        let (status, body) = scene.record(id, epoch, seq, format!("{epoch}/{seq}").into_bytes()).await;
        assert_eq!((status, &body["resync"]), (StatusCode::OK, &json!(expected)), "{epoch}/{seq}: {body}");
    }
    for (epoch, seq) in [(100, 1), (100, 2), (100, 4), (100, 5), (200, 1), (300, 2), (u64::MAX, 1)] {
        let (line, bytes) = batch(&mut viewer).await;
        assert_eq!(line, json!({"epoch": epoch, "seq": seq}));
        assert_eq!(bytes, format!("{epoch}/{seq}").into_bytes());
    }
    scene.gateway.stop().await;
}

#[tokio::test]
async fn a_reloaded_page_takes_the_share_over_and_the_old_one_hears_so() {
    let scene = Scene::start().await;
    let id = scene.active("share-0001").await;
    scene.record(id, 500, 1, b"old".to_vec()).await;
    let (_, first) = scene.signals(id, None).await;
    let waits = scene.signals(id, first["next"].as_u64());
    let takes = scene.patch(id, json!({"page_id": "page-0002", "status": "active"}));
    let (waited, (status, body)) = tokio::join!(waits, takes);
    assert_eq!((status, &body["share"]["status"]), (StatusCode::OK, &json!("active")), "{body}");
    assert_eq!(error_of(waited), refused(409, "conflict"));
    assert_eq!(error_of(scene.record(id, 500, 2, b"old".to_vec()).await), refused(409, "conflict"));
    // The new page's clock may be behind.
    let mut viewer = scene.view().await;
    viewer.expect("share").await;
    let (status, body) = record(&scene.uma, scene.chat, id, "page-0002", (400, 1), b"new".to_vec()).await;
    assert_eq!((status, &body["resync"]), (StatusCode::OK, &json!(false)));
    assert_eq!(batch(&mut viewer).await, (json!({"epoch": 400, "seq": 1}), b"new".to_vec()));
    // A share that is active is nobody else's to begin.
    assert_eq!(error_of(scene.begin("share-0002", "end_user").await), refused(409, "conflict"));
    scene.gateway.stop().await;
}

#[tokio::test]
async fn the_stream_and_the_page_hear_the_end_at_once() {
    type End = (&'static str, &'static str, &'static str);
    let ends: [End; 4] = [
        ("transfer", r#"{"menu_id": 2}"#, "agent_changed"),
        ("finish", r#"{"status": "finished"}"#, "chat_ended"),
        ("agent", "", "agent_ended"),
        ("page", "", "failed"),
    ];
    for (end, body, reason) in ends {
        let scene = Scene::start().await;
        let id = scene.active("share-0001").await;
        let mut viewer = scene.view().await;
        viewer.expect("share").await;
        let (_, before) = scene.signals(id, None).await;
        let waits = scene.signals(id, before["next"].as_u64());
        let ends = async {
            let body = (!body.is_empty()).then(|| serde_json::from_str(body).unwrap());
            let (status, answer) = match end {
                "transfer" => scene.desk(Method::POST, "/transfer", body).await,
                "finish" => scene.desk(Method::PATCH, "", body).await,
                "agent" => scene.desk(Method::DELETE, "/screen_share", None).await,
                _ => scene.patch(id, json!({"page_id": PAGE, "status": "ended", "reason": reason})).await,
            };
            assert!(status.is_success(), "{end}: {answer}");
        };
        let ((status, waited), ()) = tokio::join!(waits, ends);
        assert_eq!((status, &waited["share"]["ended_reason"]), (StatusCode::OK, &json!(reason)), "{end}: {waited}");
        assert_eq!((&waited["viewers"], &waited["signals"]), (&json!(0), &json!([])));
        let (last, code) = end_of(&mut viewer).await;
        assert_eq!((&last["status"], &last["ended_reason"], code), (&json!("ended"), &json!(reason), 1000), "{end}");
        assert_eq!(error_of(scene.signals(id, None).await), refused(409, "conflict"), "and at once afterwards");
        assert_eq!(error_of(scene.record(id, 1, 1, b"late".to_vec()).await), refused(409, "conflict"));
        assert_eq!(
            scene.view().await.refusal().await.0,
            if end == "transfer" || end == "finish" { "forbidden" } else { "not_found" }
        );
        let said = scene.notices().await;
        let ends = said.iter().filter(|(_, event, _)| event == "cobrowseEnded" || event == "cobrowseFailed").count();
        assert_eq!(ends, 1, "{end}: {said:?}");
        scene.gateway.stop().await;
    }
}

#[tokio::test]
async fn one_who_looks_and_falls_behind_loses_what_waits_and_the_page_begins_anew() {
    let mut config = config("");
    (config.limits.max_screen_batch_bytes, config.limits.max_screen_queue_bytes) = (256 * 1024, 512 * 1024);
    let scene = Scene::with(config).await;
    let id = scene.active("share-0001").await;
    let mut slow = scene.view().await;
    slow.expect("share").await;
    let mut quick = scene.view().await;
    quick.expect("share").await;
    let (_, before) = scene.signals(id, None).await;
    // What the connection itself takes in is a few megabytes.
    let (mut seq, mut reads) = (0, 0_u64);
    let signals = loop {
        seq += 1;
        let (status, body) = scene.record(id, 100, seq, vec![7; 250 * 1024]).await;
        assert_eq!((status, &body["viewers"]), (StatusCode::OK, &json!(2)), "{body}");
        batch(&mut quick).await;
        reads += 1;
        let resync = json!([{"type": "resync"}]);
        let (_, now) = scene.signals(id, Some(before["next"].as_u64().unwrap() - 1)).await;
        if now["next"] != before["next"] && now["signals"] == resync {
            break now;
        }
        assert!(seq < 200, "50 MB wait for nobody");
    };
    assert_eq!((&signals["viewers"], reads), (&json!(2), seq), "who reads misses nothing");
    scene.record(id, 200, 1, b"anew".to_vec()).await;
    let mut last = 0;
    loop {
        let (line, bytes) = batch(&mut slow).await;
        if line["epoch"] == 200 {
            assert_eq!(bytes, b"anew");
            break;
        }
        assert!(line["seq"].as_u64().unwrap() > last, "in order");
        last = line["seq"].as_u64().unwrap();
    }
    assert!(last < seq, "the newest of what waited is gone");
    scene.gateway.stop().await;
}

#[tokio::test]
async fn the_page_hears_how_many_look_and_only_so_many_may() {
    let scene = Scene::start().await;
    let id = scene.active("share-0001").await;
    let (_, mut heard) = scene.signals(id, None).await;
    let mut viewers = Vec::new();
    for count in 1..=4 {
        let (mut viewer, (_, next)) = tokio::join!(scene.view(), scene.signals(id, heard["next"].as_u64()));
        viewer.expect("share").await;
        assert_eq!((&next["viewers"], &next["signals"]), (&json!(count), &json!([{"type": "resync"}])), "{next}");
        heard = next;
        viewers.push(viewer);
    }
    assert_eq!(scene.view().await.refusal().await, ("rate_limited".to_owned(), 4429));
    // One points, then asks for the page anew, then is gone.
    let mut last = viewers.pop().unwrap();
    for x in 0..20 {
        last.say(json!({"type": "pointer", "x": x, "y": 7})).await;
    }
    last.say(json!({"type": "resync"})).await;
    let (pointer, mut resync) = (json!({"type": "pointer", "x": 19, "y": 7, "down": false}), false);
    let mut newest = Value::Null;
    within(async {
        while newest != pointer || !resync {
            let (_, next) = scene.signals(id, heard["next"].as_u64()).await;
            for signal in next["signals"].as_array().unwrap() {
                if signal["type"] == "resync" { resync = true } else { newest = signal.clone() }
            }
            heard = next;
        }
    })
    .await;
    drop(last);
    let (_, next) = scene.signals(id, heard["next"].as_u64()).await;
    assert_eq!((&next["viewers"], &next["signals"]), (&json!(3), &json!([{"type": "pointer_left"}])), "{next}");
    drop(viewers);
    within(async {
        let mut heard = next;
        while heard["viewers"] != 0 {
            (_, heard) = scene.signals(id, heard["next"].as_u64()).await;
        }
    })
    .await;
    scene.gateway.stop().await;
}

#[tokio::test]
async fn a_pointer_that_moves_makes_the_page_ask_no_more_often_than_it_may() {
    let scene = Scene::start().await;
    let id = scene.active("share-0001").await;
    let mut viewer = scene.view().await;
    viewer.expect("share").await;
    let (_, mut heard) = scene.signals(id, None).await;
    const MOVES: i64 = 400;
    let moves = async {
        for x in 1..=MOVES {
            viewer.say(json!({"type": "pointer", "x": x, "y": 7})).await;
            tokio::time::sleep(std::time::Duration::from_millis(6)).await;
        }
    };
    let asks = async {
        let mut seen = Vec::new();
        while seen.last() != Some(&MOVES) {
            let (status, next) = scene.signals(id, heard["next"].as_u64()).await;
            assert_eq!(status, StatusCode::OK, "{next}");
            seen.push(next["signals"][0]["x"].as_i64().unwrap());
            heard = next;
        }
        seen
    };
    let ((), seen) = tokio::join!(moves, within(asks));
    assert!(seen.is_sorted() && seen.len() > 10, "it is seen moving: {seen:?}");
    assert!(seen.len() < 100, "{} answers for {MOVES} moves", seen.len());
    scene.gateway.stop().await;
}

#[tokio::test]
async fn what_a_shared_page_sends_has_its_own_rate_and_sizes() {
    let mut config = config(
        "limits = { requests_per_end_user = { per_minute = 60, burst = 12 }, requests_per_address = { per_minute = 60, burst = 12 }, screen_requests_per_end_user = { per_minute = 60, burst = 30 }, max_screen_batch_bytes = 1000 }",
    );
    config.limits.sign_ins.burst = 50;
    let scene = Scene::with(config).await;
    let id = scene.active("share-0001").await;
    let mut answers = Vec::new();
    for seq in 1..=40 {
        answers.push(scene.record(id, 1, seq, b"x".to_vec()).await.0.as_u16());
    }
    assert!(answers[..30].iter().all(|status| *status == 200), "{answers:?}");
    assert!(answers[30..].contains(&429), "{answers:?}");
    let (status, body) = scene.record(id, 1, 99, b"x".to_vec()).await;
    assert!(status != 429 || body["error"]["retry_after_ms"].as_u64().is_some_and(|ms| ms > 0), "{body}");
    scene.uma.get(&format!("/chats/{}", scene.chat)).await;
    // Who has no session is counted like anyone else.
    let nobody = User { token: "nonsense".to_owned(), ..scene.uma.clone() };
    let mut refusals = Vec::new();
    for _ in 0..20 {
        refusals.push(record(&nobody, scene.chat, id, PAGE, (1, 1), b"x".to_vec()).await.0.as_u16());
    }
    assert!(refusals.contains(&429) && !refusals.contains(&200), "{refusals:?}");
    scene.gateway.stop().await;
}

#[tokio::test]
async fn a_page_that_announces_batches_and_sends_none_takes_no_room() {
    let mut config = config("");
    config.limits.screen_requests_per_end_user.per_minute = 0;
    let scene = Scene::with(config).await;
    let id = scene.active("share-0001").await;
    let path = format!("/api/v1{}/{id}/records?page_id={PAGE}&epoch=1&seq=1", scene.path());
    let token = &scene.uma.token;
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: 8000000\r\n\r\nx");
    let mut stalled = Vec::new();
    for _ in 0..3 {
        let mut socket = TcpStream::connect(scene.gateway.base.replace("http://", "")).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        stalled.push(socket);
    }
    within(async { while scene.record(id, 1, 1, b"x".to_vec()).await.0 != StatusCode::TOO_MANY_REQUESTS {} }).await;
    drop(stalled);
    within(async { while scene.record(id, 1, 2, b"x".to_vec()).await.0 != StatusCode::OK {} }).await;
    scene.gateway.stop().await;
}

#[tokio::test]
async fn bad_input_gets_a_typed_answer_and_changes_nothing() {
    let mut config = config("");
    config.limits.max_screen_batch_bytes = 1000;
    let scene = Scene::with(config).await;
    let begin = |change: Value| {
        let mut body = json!({"client_id": "share-0001", "page_id": PAGE, "from": "code"});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    let many: serde_json::Map<String, Value> = (0..21).map(|n| (n.to_string(), json!("x"))).collect();
    let table = [
        (begin(json!({"client_id": "short"})), 400, "invalid_argument"),
        (begin(json!({"client_id": "with:colon"})), 400, "invalid_argument"),
        (begin(json!({"page_id": "x".repeat(65)})), 400, "invalid_argument"),
        (begin(json!({"from": "desk"})), 400, "invalid_argument"),
        (begin(json!({"provider": "other"})), 400, "invalid_argument"),
        (begin(json!({"code": "123456"})), 400, "invalid_argument"),
        (begin(json!({"provider": "cobrowse_io"})), 400, "invalid_argument"),
        (begin(json!({"provider": "cobrowse_io", "code": "x".repeat(65)})), 413, "too_large"),
        (begin(json!({"lang": "x".repeat(36)})), 413, "too_large"),
        (begin(json!({"custom_data": {"a": 7}})), 400, "invalid_argument"),
        (begin(json!({"custom_data": {"a": "x".repeat(1025)}})), 413, "too_large"),
        (begin(json!({"custom_data": many})), 413, "too_large"),
        (json!({}), 400, "invalid_argument"),
        (json!([]), 400, "invalid_argument"),
    ];
    for (body, status, code) in table {
        let answer = scene.uma.call(Method::POST, &scene.path(), Some(body.clone())).await;
        assert_eq!(error_of(answer), refused(status, code), "{body}");
    }
    assert_eq!(scene.share().await, Value::Null);
    let id = scene.active("share-0001").await;
    let share = scene.share().await;
    for body in [
        json!({"page_id": PAGE, "status": "pending"}),
        json!({"page_id": PAGE, "status": "ended", "reason": "agent_ended"}),
        json!({"page_id": "x", "status": "ended"}),
        json!({"status": "ended"}),
    ] {
        assert_eq!(error_of(scene.patch(id, body.clone()).await), refused(400, "invalid_argument"), "{body}");
    }
    for missing in [id - 1, id + 1] {
        let answer = scene.patch(missing, json!({"page_id": PAGE, "status": "ended"})).await;
        assert_eq!(error_of(answer), refused(404, "not_found"));
        let answer = scene.uma.call(Method::GET, &format!("{}/{missing}", scene.path()), None).await;
        assert_eq!(error_of(answer), refused(404, "not_found"));
        assert_eq!(error_of(scene.signals(missing, None).await), refused(409, "conflict"));
    }
    for query in [
        "",
        "?page_id=page-0001",
        "?page_id=page-0001&epoch=1",
        "?page_id=page-0001&epoch=-1&seq=1",
        "?page_id=page-0001&epoch=1&seq=0",
        "?page_id=p&epoch=1&seq=1",
        "?page_id=page-0001&epoch=1.5&seq=1",
    ] {
        let path = format!("{}/{id}/records{query}", scene.path());
        let request = scene.uma.request(Method::POST, &path).body("x");
        assert_eq!(error_of(json_of(request.send().await.unwrap()).await), refused(400, "invalid_argument"), "{query}");
    }
    assert_eq!(error_of(scene.record(id, 1, 1, Vec::new()).await), refused(400, "invalid_argument"), "nothing in it");
    assert_eq!(error_of(scene.record(id, 1, 1, vec![7; 1001]).await), refused(413, "too_large"));
    let path = format!("/api/v1{}/{id}/records?page_id={PAGE}&epoch=1&seq=1", scene.path());
    let answer = chunked(&scene.uma, &path, 11, 100).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("too_large"), "of unknown length: {answer}");
    let (status, body) = scene.record(id, 1, 1, vec![7; 1000]).await;
    assert_eq!((status, &body["resync"]), (StatusCode::OK, &json!(false)), "none of these counted: {body}");
    assert_eq!(
        error_of(scene.desk(Method::POST, "/screen_share_requests", Some(json!({}))).await),
        refused(409, "conflict")
    );
    let long = json!({"code": "1".repeat(300)});
    assert_eq!(error_of(scene.desk(Method::POST, "/screen_share/join", Some(long)).await), refused(413, "too_large"));
    assert_eq!(scene.share().await, share);

    let mut viewer = scene.view().await;
    viewer.expect("share").await;
    viewer.say(json!({"type": "a newer kind"})).await;
    viewer.say(json!({"type": "ping"})).await;
    viewer.expect("pong").await;
    viewer.say(json!({"type": "pointer", "x": "left", "y": 1})).await;
    assert_eq!(viewer.refusal().await, ("protocol".to_owned(), 4400));
    scene.gateway.stop().await;
}

#[tokio::test]
async fn no_screen_is_shared_where_the_company_or_the_page_does_not_want_it() {
    let mut off = config("");
    off.companies[0].screen_share = false;
    let scene = Scene::with(off).await;
    let on = Scene::start().await;
    let body = json!({"client_id": "open-0002", "menu_id": 2, "chat": {"cobrowsable": false}});
    let (_, opened) = on.uma.call(Method::POST, "/chats", Some(body)).await;
    let not_able = opened["chat"]["id"].as_u64().unwrap();
    on.ada.accept(not_able).await;
    for (user, desk, chat) in [(&scene.uma, &scene.ada, scene.chat), (&on.uma, &on.ada, not_able)] {
        let shown = user.get(&format!("/chats/{chat}")).await;
        assert!(!shown["chat"]["features"].as_array().unwrap().contains(&json!("cobrowse")));
        let body = json!({"client_id": "share-0001", "page_id": PAGE, "from": "code"});
        let answer = user.call(Method::POST, &format!("/chats/{chat}/screen_shares"), Some(body)).await;
        assert_eq!(error_of(answer), refused(403, "unsupported"));
        let answer = desk.call(Method::POST, &format!("/chats/{chat}/screen_share_requests"), Some(json!({}))).await;
        assert_eq!(error_of(answer), refused(403, "unsupported"));
        let body = json!({"client_id": "m", "message": {"type": "noti", "event": "cobrowseStarted"}});
        let answer = user.call(Method::POST, &format!("/chats/{chat}/messages"), Some(body)).await;
        assert_eq!(error_of(answer), refused(403, "unsupported"));
    }
    // Where one is offered, an agent must have the chat.
    let waiting = on.uma.chat(2, "open-0003").await;
    let body = json!({"client_id": "share-0001", "page_id": PAGE, "from": "code"});
    let answer = on.uma.call(Method::POST, &format!("/chats/{waiting}/screen_shares"), Some(body.clone())).await;
    assert_eq!(error_of(answer), refused(409, "conflict"));
    on.uma.call(Method::PATCH, &format!("/chats/{waiting}"), Some(json!({"status": "finished"}))).await;
    let answer = on.uma.call(Method::POST, &format!("/chats/{waiting}/screen_shares"), Some(body)).await;
    assert_eq!(error_of(answer), refused(409, "chat_ended"));
    let (status, _) = on.desk(Method::POST, "/screen_share_requests", Some(json!({}))).await;
    assert_eq!(
        (status, on.notices().await),
        (StatusCode::NO_CONTENT, vec![("agent".to_owned(), "cobrowseRequestedFromAgent".to_owned(), None)],)
    );
    scene.gateway.stop().await;
    on.gateway.stop().await;
}

#[tokio::test]
async fn apps_say_their_words_on_screen_share_and_move_nothing() {
    let scene = Scene::start().await;
    let say = async |client_id: &str, mut message: Value| {
        message["type"] = json!("noti");
        let body = json!({"client_id": client_id, "message": message});
        scene.uma.call(Method::POST, &format!("/chats/{}/messages", scene.chat), Some(body)).await
    };
    let (status, _) =
        say("m-1", json!({"event": "cobrowseCodeGenerated", "code": "123456", "screen_share_id": 7})).await;
    assert_eq!(status, StatusCode::CREATED);
    let (status, _) = say("m-1", json!({"event": "cobrowseCodeGenerated", "code": "123456"})).await;
    assert_eq!(status, StatusCode::OK, "a retry is one message");
    for event in ["cobrowseRequestedFromEndUser", "cobrowseStarted", "cobrowseEnded", "cobrowseFailed"] {
        assert_eq!(say(&format!("m-{event}"), json!({"event": event})).await.0, StatusCode::CREATED, "{event}");
    }
    assert_eq!(
        error_of(say("m-9", json!({"event": "cobrowseRequestedFromAgent"})).await),
        refused(400, "invalid_argument")
    );
    assert_eq!(
        error_of(say("m-9", json!({"event": "cobrowseEnded", "reason": 7})).await),
        refused(400, "invalid_argument")
    );
    assert_eq!(scene.share().await, Value::Null, "they are words");
    let said: Vec<Value> = scene
        .uma
        .messages(scene.chat)
        .await
        .into_iter()
        .filter(|m| m["type"] == "noti" && m["$userType"] == "end_user")
        .collect();
    assert_eq!((said.len(), &said[0]["code"], said[0].get("screen_share_id")), (5, &json!("123456"), None), "{said:?}");
    // The share itself, by the other provider: its code is told, and nothing is recorded here.
    let body = json!({"client_id": "share-0001", "page_id": PAGE, "from": "code", "provider": "cobrowse_io", "code": "482913"});
    let (status, body) = scene.uma.call(Method::POST, &scene.path(), Some(body)).await;
    assert_eq!((status, &body["code"]), (StatusCode::CREATED, &json!("482913")));
    let (status, body) = scene.patch(1, json!({"page_id": PAGE, "status": "active"})).await;
    assert_eq!((status, &body["share"]["status"]), (StatusCode::OK, &json!("active")), "{body}");
    assert_eq!(error_of(scene.record(1, 1, 1, b"x".to_vec()).await), refused(409, "conflict"));
    let told = scene.uma.messages(scene.chat).await;
    let told = told.iter().find(|m| m["screen_share_id"] == 1).unwrap();
    assert_eq!((&told["event"], &told["code"]), (&json!("cobrowseCodeGenerated"), &json!("482913")));
    scene.gateway.stop().await;
}

#[tokio::test]
async fn a_page_that_is_gone_ends_its_share_and_one_that_waits_does_not() {
    let scene = Scene::with(config("[chat.screen_share]\npage_ms = 400")).await;
    let id = scene.active("share-0001").await;
    let mut viewer = scene.view().await;
    let first = viewer.expect("share").await;
    assert_eq!(first["page"], "here");
    let (_, mut heard) = scene.signals(id, None).await;
    // Waiting for signals is a sign of life, however long nothing comes.
    let waits = scene.signals(id, heard["next"].as_u64());
    let points = async {
        tokio::time::sleep(std::time::Duration::from_millis(1_000)).await;
        viewer.say(json!({"type": "pointer", "x": 1, "y": 2})).await;
    };
    ((_, heard), ()) = tokio::join!(waits, points);
    assert_eq!(
        (&heard["share"]["status"], heard["signals"].as_array().unwrap().len()),
        (&json!("active"), 1),
        "{heard}"
    );
    let (last, code) = end_of(&mut viewer).await;
    assert_eq!((&last["ended_reason"], code), (&json!("active_timeout"), 1000), "{last}");
    assert_eq!(scene.share().await["ended_reason"], "active_timeout");
    scene.gateway.stop().await;
}

/// Whether a file below a folder has these bytes.
fn is_written(folder: &std::path::Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_written(&path, bytes);
        }
        std::fs::read(path).unwrap().windows(bytes.len()).any(|window| window == bytes)
    })
}

#[tokio::test]
async fn a_share_outlives_a_restart_and_what_was_shown_is_written_nowhere() {
    const SHOWN: &[u8] = b"a shopping basket with two bikes";
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::at(Gateway::start_in(folder.path(), config("")).await).await;
    let id = scene.active("share-0001").await;
    let mut viewer = scene.view().await;
    viewer.expect("share").await;
    scene.record(id, 100, 1, SHOWN.to_vec()).await;
    assert_eq!(batch(&mut viewer).await.1, SHOWN);
    let (_, before) = scene.signals(id, None).await;
    let path = format!("{}/{id}/signals?page_id={PAGE}&after={}", scene.path(), before["next"]);
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let (uma, path) = (scene.uma.clone(), path.clone());
            tokio::spawn(async move { uma.call(Method::GET, &path, None).await })
        })
        .collect();
    // One more is refused when all of them wait.
    within(async { while scene.signals(id, None).await.0 != StatusCode::TOO_MANY_REQUESTS {} }).await;
    let Scene { gateway, uma, ada, chat } = scene;
    gateway.stop().await;
    for waited in waiting {
        assert_eq!(error_of(waited.await.unwrap()), refused(503, "unavailable"), "who waits is let go");
    }
    let (frame, code) = end_of(&mut viewer).await;
    assert_eq!((&frame["type"], code), (&json!("closing"), 4503));

    let gateway = Gateway::start_in(folder.path(), config("")).await;
    let base = gateway.base.clone();
    let scene = Scene { gateway, uma: User { base: base.clone(), ..uma }, ada: Desk { base, ..ada }, chat };
    assert_eq!(scene.share().await["status"], "active");
    let (status, now) = scene.signals(id, before["next"].as_u64()).await;
    assert_eq!((status, &now["viewers"]), (StatusCode::OK, &json!(0)), "at once: {now}");
    let mut viewer = scene.view().await;
    viewer.expect("share").await;
    let (_, next) = scene.signals(id, now["next"].as_u64()).await;
    assert_eq!((&next["viewers"], &next["signals"]), (&json!(1), &json!([{"type": "resync"}])));
    let (_, body) = scene.record(id, 100, 2, SHOWN.to_vec()).await;
    assert_eq!(body["resync"], true, "what came before is not known here");
    assert_eq!(batch(&mut viewer).await.0, json!({"epoch": 100, "seq": 2}));
    scene.patch(id, json!({"page_id": PAGE, "status": "ended"})).await;
    assert_eq!(end_of(&mut viewer).await.0["ended_reason"], "device_ended");
    scene.gateway.stop().await;
    assert!(is_written(folder.path(), b"cobrowseStarted"), "the search finds what is there");
    assert!(!is_written(folder.path(), SHOWN));
}

#[tokio::test]
async fn a_code_that_nobody_typed_in_ends_while_nobody_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let short = || config("[chat.screen_share]\npending_ms = 1500");
    let scene = Scene::at(Gateway::start_in(folder.path(), short()).await).await;
    let (_, begun) = scene.begin("share-0001", "code").await;
    assert_eq!(begun["share"]["status"], "pending");
    let Scene { gateway, uma, ada, chat } = scene;
    gateway.stop().await;
    let gateway = Gateway::start_in(folder.path(), short()).await;
    let base = gateway.base.clone();
    let scene = Scene { gateway, uma: User { base: base.clone(), ..uma }, ada: Desk { base, ..ada }, chat };
    within(async {
        while scene.share().await["ended_reason"] != "pending_timeout" {
            tokio::task::yield_now().await
        }
    })
    .await;
    assert_eq!(scene.notices().await.last().unwrap().1, "cobrowseFailed");
    scene.gateway.stop().await;
}

//! Screen share from end to end, over HTTP and WebSocket: who may do what, what is passed on, and that nothing of it stays.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use gateway::config::Config;
use gateway::store::MemoryStore;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
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

//! A real gateway on port 0, and clients that speak to it over HTTP and WebSocket. Every wait has a limit, and none is a guess.

#![allow(dead_code, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use futures_util::{SinkExt, StreamExt};
use gateway::config::Config;
use gateway::store::{MemoryStore, Store};
use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const SECRET: &str = "the secret of the company acme";
pub(crate) const PASSWORD: &str = "sesame open";
pub(crate) const ORIGIN: &str = "https://shop.example";

/// A company with every kind of menu; `more` is added at the top.
pub(crate) fn config(more: &str) -> Config {
    let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    let hash = cheap.hash_password(PASSWORD.as_bytes()).unwrap().to_string();
    let text = format!(
        r#"
{more}
[[companies]]
id = "acme"
name = "Acme"
secret = "{SECRET}"
allowed_origins = ["{ORIGIN}"]
[[companies.menus]]
id = 1
name = "Orders"
virtual_agent = 1
[[companies.menus]]
id = 2
name = "People"
[[companies.menus]]
id = 3
name = "Folder"
direct_access_key = "folder"
children = [{{ id = 31, name = "Below" }}]
[[companies.menus]]
id = 5
name = "Closed"
enabled = false
[[companies]]
id = "other"
name = "Other"
secret = "the secret of the other company"
[[companies.menus]]
id = 1
name = "Other's"
[[virtual_agents]]
id = 1
name = "Pia"
greeting = "Hello!"
greeting_buttons = ["Talk to a person"]
fallback = "What?"
[[virtual_agents.rules]]
keywords = ["person"]
answer = "One moment."
action = "escalate"
[[virtual_agents.rules]]
keywords = ["bye"]
action = "finish"
[[agents]]
login = "ada"
name = "Ada"
password_hash = "{hash}"
[[agents]]
login = "grace"
name = "Grace"
password_hash = "{hash}"
[[agents]]
login = "olga"
name = "Olga"
password_hash = "{hash}"
companies = ["other"]
"#
    );
    let mut config = Config::from_toml(&text).unwrap();
    if !more.contains("requests_per_") {
        // Tests talk faster than people.
        (config.limits.requests_per_address.per_minute, config.limits.requests_per_end_user.per_minute) = (0, 0);
    }
    config
}

/// The usual company with `more` keys, and one more menu for each table of `menus`.
pub(crate) fn company_with(more: &str, menus: &[&str]) -> Config {
    let mut own = config("");
    let menus: Vec<String> = menus.iter().map(|menu| format!("{{ {menu} }}")).collect();
    let text = format!("[[companies]]\nid = \"acme\"\nname = \"Acme\"\n{more}\nmenus = [{}]", menus.join(", "));
    let parsed = Config::from_toml(&text).unwrap();
    let mut added = parsed.companies.into_iter().next().unwrap();
    let usual = own.companies.first_mut().unwrap();
    (added.secret, added.allowed_origins) = (usual.secret.clone(), usual.allowed_origins.clone());
    added.menus.splice(0..0, usual.menus.clone());
    *usual = added;
    own.validate().unwrap();
    own
}

/// A gateway that forgets, with such a company.
pub(crate) async fn start_with_menus(more: &str, menus: &[&str]) -> Gateway {
    Gateway::start_with(company_with(more, menus), Arc::new(MemoryStore::default())).await
}

/// A running gateway.
pub(crate) struct Gateway {
    pub(crate) base: String,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Gateway {
    /// One that forgets, with the usual company.
    pub(crate) async fn start() -> Gateway {
        Gateway::start_with(config(""), Arc::new(MemoryStore::default())).await
    }

    pub(crate) async fn start_with(config: Config, store: Arc<dyn Store>) -> Gateway {
        provide_tls();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            drop(stopped.await);
        };
        let served = tokio::spawn(async move { gateway::serve(listener, config, store, shutdown).await.unwrap() });
        Gateway { base, stop, served }
    }

    /// One that keeps its chats in a folder.
    pub(crate) async fn start_in(folder: &Path, mut config: Config) -> Gateway {
        config.data = Some(folder.to_owned());
        Gateway::start_with(config, gateway::open_store(folder).await.unwrap()).await
    }

    /// Asks it to stop without waiting.
    pub(crate) fn ask_to_stop(self) -> JoinHandle<()> {
        drop(self.stop);
        self.served
    }

    pub(crate) async fn stop(self) {
        within(self.ask_to_stop()).await.unwrap();
    }

    pub(crate) async fn user(&self, identifier: &str) -> User {
        User::sign_in(&self.base, identifier).await
    }

    pub(crate) async fn agent(&self, login: &str) -> Desk {
        Desk::sign_in(&self.base, login).await
    }
}

/// What clients of these tests are made with: the library of TLS decides nothing by itself.
pub(crate) fn provide_tls() {
    drop(rustls::crypto::ring::default_provider().install_default());
}

pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("should not take so long")
}

pub(crate) fn now_s() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

pub(crate) fn signed(claims: &Value, secret: &str) -> String {
    encode(&Header::default(), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

pub(crate) fn site_token(identifier: &str) -> String {
    signed(&json!({"identifier": identifier, "name": "Uma Visitor", "exp": now_s() + 600}), SECRET)
}

pub(crate) async fn json_of(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect(&text) })
}

/// An end user with a session.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) base: String,
    pub(crate) token: String,
    pub(crate) http: reqwest::Client,
}

impl User {
    pub(crate) async fn sign_in(base: &str, identifier: &str) -> User {
        let http = reqwest::Client::new();
        let body = json!({"company_id": "acme", "token": site_token(identifier)});
        let answer = http.post(format!("{base}/api/v1/sessions")).json(&body).send().await.unwrap();
        let (status, body) = json_of(answer).await;
        assert_eq!(status, 200, "{body}");
        User { base: base.to_owned(), token: body["session_token"].as_str().unwrap().to_owned(), http }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api/v1{path}", self.base)).bearer_auth(&self.token)
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = self.request(method, path);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        json_of(within(request.send()).await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Opens a chat and gives its number.
    pub(crate) async fn chat(&self, menu_id: u64, client_id: &str) -> u64 {
        let body = json!({"client_id": client_id, "menu_id": menu_id, "chat": {}});
        let (status, body) = self.call(Method::POST, "/chats", Some(body)).await;
        assert!(status.is_success(), "{body}");
        body["chat"]["id"].as_u64().unwrap()
    }

    pub(crate) async fn send(&self, chat_id: u64, client_id: &str, text: &str) -> (StatusCode, Value) {
        let body = json!({"client_id": client_id, "message": {"type": "text", "content": text}});
        self.call(Method::POST, &format!("/chats/{chat_id}/messages"), Some(body)).await
    }

    pub(crate) async fn messages(&self, chat_id: u64) -> Vec<Value> {
        let page = self.get(&format!("/chats/{chat_id}/messages")).await;
        page["messages"].as_array().unwrap().clone()
    }

    pub(crate) async fn join(&self, chat_id: u64, cursor: u64) -> Stream {
        let mut stream = self.stream().await;
        stream.say(json!({"type": "join", "token": self.token, "chat_id": chat_id, "cursor": cursor})).await;
        stream
    }

    pub(crate) async fn stream(&self) -> Stream {
        Stream::open(&self.base, "/api/v1/stream", &[]).await
    }

    /// The same as `join`, by server-sent events.
    pub(crate) async fn events(&self, chat_id: u64, cursor: u64) -> Events {
        let join = json!({"type": "join", "token": self.token, "chat_id": chat_id, "cursor": cursor});
        Events::open(self.http.post(format!("{}/api/v1/stream", self.base)).body(join.to_string())).await
    }
}

/// An agent who is signed in.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) base: String,
    pub(crate) cookie: String,
    pub(crate) csrf: String,
    pub(crate) http: reqwest::Client,
}

impl Desk {
    pub(crate) async fn sign_in(base: &str, login: &str) -> Desk {
        let http = reqwest::Client::new();
        let body = json!({"login": login, "password": PASSWORD});
        let answer = http.post(format!("{base}/desk/api/v1/sessions")).json(&body).send().await.unwrap();
        let cookie = answer.headers().get("set-cookie").expect("a cookie").to_str().unwrap().to_owned();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let (status, body) = json_of(answer).await;
        assert_eq!(status, 200, "{body}");
        let csrf = body["csrf_token"].as_str().unwrap().to_owned();
        Desk { base: base.to_owned(), cookie, csrf, http }
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = self.http.request(method, format!("{}/desk/api/v1{path}", self.base));
        let request = request.header("cookie", &self.cookie).header("x-csrf-token", &self.csrf);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        json_of(within(request.send()).await.unwrap()).await
    }

    pub(crate) async fn accept(&self, chat_id: u64) -> (StatusCode, Value) {
        self.call(Method::POST, &format!("/chats/{chat_id}/accept"), Some(json!({}))).await
    }

    pub(crate) async fn send(&self, chat_id: u64, client_id: &str, text: &str) -> (StatusCode, Value) {
        let body = json!({"client_id": client_id, "message": {"type": "text", "content": text}});
        self.call(Method::POST, &format!("/chats/{chat_id}/messages"), Some(body)).await
    }

    pub(crate) async fn list(&self) -> Stream {
        Stream::open(&self.base, "/desk/api/v1/stream", &[("cookie", &self.cookie)]).await
    }

    pub(crate) async fn join(&self, chat_id: u64, cursor: u64) -> Stream {
        let path = format!("/desk/api/v1/chats/{chat_id}/stream");
        let mut stream = Stream::open(&self.base, &path, &[("cookie", &self.cookie)]).await;
        stream.say(json!({"type": "join", "cursor": cursor})).await;
        stream
    }
}

/// The client's end of a WebSocket.
pub(crate) struct Stream {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Messages of `update` frames, in order of arrival.
    pub(crate) messages: Vec<Value>,
}

/// What a stream gave.
#[derive(Debug)]
pub(crate) enum Heard {
    Frame(Value),
    Closed(u16),
}

impl Stream {
    pub(crate) async fn open(base: &str, path: &str, headers: &[(&'static str, &str)]) -> Stream {
        let url = format!("{}{path}", base.replace("http", "ws"));
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "sportello.v1".parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (socket, _) = within(tokio_tungstenite::connect_async(request)).await.unwrap();
        Stream { socket, messages: Vec::new() }
    }

    pub(crate) async fn say(&mut self, frame: Value) {
        self.say_text(&frame.to_string()).await;
    }

    pub(crate) async fn say_text(&mut self, text: &str) {
        within(self.socket.send(Message::text(text))).await.unwrap();
    }

    /// The next frame or close; answers pings.
    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            match within(self.socket.next()).await {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["type"] == "ping" {
                        self.say(json!({"type": "pong"})).await;
                        continue;
                    }
                    if let Some(messages) = frame["messages"].as_array() {
                        self.messages.extend(messages.iter().cloned());
                    }
                    return Heard::Frame(frame);
                }
                Some(Ok(Message::Close(Some(close)))) => return Heard::Closed(close.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Heard::Closed(1006),
            }
        }
    }

    /// The next frame of a type; others pass by.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        within(async {
            loop {
                match self.hear().await {
                    Heard::Frame(frame) if frame["type"] == kind => return frame,
                    Heard::Frame(frame) => assert_ne!(frame["type"], "error", "{frame}"),
                    Heard::Closed(code) => panic!("closed with {code} instead of {kind}"),
                }
            }
        })
        .await
    }

    /// Reads until a message with this index was there.
    pub(crate) async fn until_index(&mut self, index: u64) {
        within(async {
            while self.messages.last().is_none_or(|message| message["$index"].as_u64().unwrap() < index) {
                self.expect("update").await;
            }
        })
        .await
    }

    /// Reads until the chat's state has this status.
    pub(crate) async fn until_status(&mut self, status: &str) -> Value {
        within(async {
            loop {
                let frame = self.expect("update").await;
                if frame["chat"]["status"] == status {
                    return frame["chat"].clone();
                }
            }
        })
        .await
    }

    /// The code of the `error` frame and of the close that must follow.
    pub(crate) async fn refusal(&mut self) -> (String, u16) {
        within(async {
            let mut code = String::new();
            loop {
                match self.hear().await {
                    Heard::Frame(frame) if frame["type"] == "error" => {
                        frame["code"].as_str().unwrap().clone_into(&mut code)
                    }
                    Heard::Frame(_) => {}
                    Heard::Closed(close) => return (code, close),
                }
            }
        })
        .await
    }
}

/// The client's end of a stream of server-sent events.
pub(crate) struct Events {
    pub(crate) response: Response,
    unread: Vec<u8>,
    /// How far no event ends.
    searched: usize,
    pub(crate) messages: Vec<Value>,
    pub(crate) pings: usize,
}

impl Events {
    pub(crate) async fn open(request: RequestBuilder) -> Events {
        let response = within(request.send()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { response, unread: Vec::new(), searched: 0, messages: Vec::new(), pings: 0 }
    }

    /// The next frame but pings; `None` at the end, or where it was cut.
    pub(crate) async fn hear(&mut self) -> Option<Value> {
        loop {
            let rest = &self.unread[self.searched..];
            if let Some(end) = rest.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = self.unread.drain(..self.searched + end + 2).collect();
                self.searched = 0;
                let text = std::str::from_utf8(&event).unwrap().strip_prefix("data: ").expect("one line of data");
                let frame: Value = serde_json::from_str(text).unwrap();
                if frame["type"] == "ping" {
                    self.pings += 1;
                    continue;
                }
                if let Some(messages) = frame["messages"].as_array() {
                    self.messages.extend(messages.iter().cloned());
                }
                return Some(frame);
            }
            self.searched = self.unread.len().saturating_sub(1);
            match within(self.response.chunk()).await {
                Ok(Some(chunk)) => self.unread.extend_from_slice(&chunk),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        within(async {
            loop {
                let frame = self.hear().await.unwrap_or_else(|| panic!("the end instead of {kind}"));
                if frame["type"] == kind {
                    return frame;
                }
                assert_ne!(frame["type"], "error", "{frame}");
            }
        })
        .await
    }

    pub(crate) async fn until_index(&mut self, index: u64) {
        within(async {
            while self.messages.last().is_none_or(|message| message["$index"].as_u64().unwrap() < index) {
                self.expect("update").await;
            }
        })
        .await
    }

    /// The code of the `error` frame that must be the last.
    pub(crate) async fn refusal(&mut self) -> String {
        within(async {
            loop {
                let frame = self.hear().await.expect("an error frame before the end");
                if frame["type"] == "error" {
                    assert!(self.hear().await.is_none(), "nothing follows an error");
                    return frame["code"].as_str().unwrap().to_owned();
                }
            }
        })
        .await
    }
}

/// The indexes of messages.
pub(crate) fn indexes(messages: &[Value]) -> Vec<u64> {
    messages.iter().map(|message| message["$index"].as_u64().unwrap()).collect()
}

/// The texts of messages; other types are shown by their type and event.
pub(crate) fn texts(messages: &[Value]) -> Vec<String> {
    messages
        .iter()
        .map(|message| match (message["content"].as_str(), message["event"].as_str()) {
            (Some(content), _) => content.to_owned(),
            (None, Some(event)) => format!("({event})"),
            (None, None) => format!("({})", message["type"].as_str().unwrap()),
        })
        .collect()
}

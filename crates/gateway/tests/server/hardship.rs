//! A disk that is full, slow, or does not say what it did; clients that vanish. Nothing is acknowledged that is not stored, everything is
//! stored once, and nothing is left of who is gone.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;
use engine::gateway::{Change, Message, SentKey};
use futures_util::future::join_all;
use gateway::store::{
    AgentRecord, Announced, Changed, ChatEvent, ChatRecord, Commit, Created, EndUserKey, EndUserRecord,
    EscalationRecord, Kept, Load, MaskedAnswers, MediaQuota, MediaRecord, MemoryStore, MessageBody, NewChat,
    NewEscalation, NewMedia, NewRecord, Overdue, PageLimit, Profile, Record, RecordCap, RecordKind, RecordQuery, Store,
    StoreError, StoredMedia, Waiting,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::common::{Gateway, User, config, indexes, texts, within};

const WORKS: u8 = 0;
/// Every write is refused.
const FULL: u8 = 1;
/// Every write is carried out, and its answer lost.
const MUTE: u8 = 2;

/// A store whose writes can be made to fail or to wait.
struct Hardship {
    disk: MemoryStore,
    mode: AtomicU8,
    /// Writes wait while this is false.
    flows: watch::Sender<bool>,
}

impl Hardship {
    fn new() -> Arc<Hardship> {
        let (flows, _) = watch::channel(true);
        Arc::new(Hardship { disk: MemoryStore::default(), mode: AtomicU8::new(WORKS), flows })
    }

    fn set(&self, mode: u8) {
        self.mode.store(mode, Ordering::SeqCst);
    }

    async fn write<T>(&self, write: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError> {
        let mut flows = self.flows.subscribe();
        drop(flows.wait_for(|flows| *flows).await);
        let failed = || StoreError::Unavailable(Arc::new(std::io::Error::from(std::io::ErrorKind::StorageFull)));
        match self.mode.load(Ordering::SeqCst) {
            FULL => Err(failed()),
            MUTE => write.await.and_then(|_| Err(failed())),
            _ => write.await,
        }
    }
}

#[async_trait]
impl Store for Hardship {
    async fn meta_or_insert(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        self.disk.meta_or_insert(name, value).await
    }

    async fn end_user(&self, company_id: &str, key: EndUserKey, profile: Profile) -> Result<EndUserRecord, StoreError> {
        self.write(self.disk.end_user(company_id, key, profile)).await
    }

    async fn end_user_by_id(&self, id: u64) -> Result<Option<EndUserRecord>, StoreError> {
        self.disk.end_user_by_id(id).await
    }

    async fn create_chat(&self, chat: NewChat, opening: Change<MessageBody>) -> Result<Created, StoreError> {
        self.write(self.disk.create_chat(chat, opening)).await
    }

    async fn chat_opened_with(&self, end_user_id: u64, client_id: &str) -> Result<Option<u64>, StoreError> {
        self.disk.chat_opened_with(end_user_id, client_id).await
    }

    async fn chat(&self, chat_id: u64) -> Result<Option<ChatRecord>, StoreError> {
        self.disk.chat(chat_id).await
    }

    async fn sent_keys(&self, chat_id: u64) -> Result<HashMap<SentKey, (u64, u64)>, StoreError> {
        self.disk.sent_keys(chat_id).await
    }

    async fn commit(&self, change: Change<MessageBody>) -> Result<Commit, StoreError> {
        self.write(self.disk.commit(change)).await
    }

    async fn messages_after(
        &self,
        chat_id: u64,
        index: u64,
        limit: PageLimit,
    ) -> Result<Vec<Message<MessageBody>>, StoreError> {
        self.disk.messages_after(chat_id, index, limit).await
    }

    async fn ongoing_chat(&self, end_user_id: u64) -> Result<Option<ChatRecord>, StoreError> {
        self.disk.ongoing_chat(end_user_id).await
    }

    async fn waiting_chats(&self, limit: u64) -> Result<Vec<ChatRecord>, StoreError> {
        self.disk.waiting_chats(limit).await
    }

    async fn chats_of_agent(&self, agent_id: u64, limit: u64) -> Result<Vec<ChatRecord>, StoreError> {
        self.disk.chats_of_agent(agent_id, limit).await
    }

    async fn queues(&self, limit: u64) -> Result<Vec<Waiting>, StoreError> {
        self.disk.queues(limit).await
    }

    async fn quiet_chats(&self, overdue: Overdue, limit: u64) -> Result<Vec<u64>, StoreError> {
        self.disk.quiet_chats(overdue, limit).await
    }

    async fn load(&self, company_id: &str) -> Result<Load, StoreError> {
        self.disk.load(company_id).await
    }

    async fn mean_handling_ms(&self, company_id: &str, menu_id: u64, sample: u64) -> Result<Option<u64>, StoreError> {
        self.disk.mean_handling_ms(company_id, menu_id, sample).await
    }

    async fn record_escalation(&self, escalation: NewEscalation) -> Result<(), StoreError> {
        self.write(self.disk.record_escalation(escalation)).await
    }

    async fn escalations(&self, chat_id: u64, limit: u64) -> Result<Vec<EscalationRecord>, StoreError> {
        self.disk.escalations(chat_id, limit).await
    }

    async fn choose_escalation_channel(
        &self,
        chat_id: u64,
        escalation_id: u64,
        channel: &str,
        at_ms: u64,
    ) -> Result<String, StoreError> {
        self.write(self.disk.choose_escalation_channel(chat_id, escalation_id, channel, at_ms)).await
    }

    async fn keep_masked_answers(&self, masked: MaskedAnswers) -> Result<(), StoreError> {
        self.write(self.disk.keep_masked_answers(masked)).await
    }

    async fn masked_answers(
        &self,
        chat_id: u64,
        smart_action_id: u64,
        masked_id: &str,
    ) -> Result<Vec<Value>, StoreError> {
        self.disk.masked_answers(chat_id, smart_action_id, masked_id).await
    }

    async fn record_event(
        &self,
        chat_id: u64,
        event: ChatEvent,
        end_user_name: Option<String>,
        limit: u64,
    ) -> Result<bool, StoreError> {
        self.write(self.disk.record_event(chat_id, event, end_user_name, limit)).await
    }

    async fn events(&self, chat_id: u64, limit: u64) -> Result<Vec<ChatEvent>, StoreError> {
        self.disk.events(chat_id, limit).await
    }

    async fn ended_chats(&self, end_user_id: u64, skip: u64, limit: u64) -> Result<Vec<ChatRecord>, StoreError> {
        self.disk.ended_chats(end_user_id, skip, limit).await
    }

    async fn announce_media(&self, media: NewMedia, quota: MediaQuota) -> Result<Announced, StoreError> {
        self.write(self.disk.announce_media(media, quota)).await
    }

    async fn media(&self, media_id: u64) -> Result<Option<MediaRecord>, StoreError> {
        self.disk.media(media_id).await
    }

    async fn complete_media(&self, media_id: u64, stored: StoredMedia, size_bytes: u64) -> Result<bool, StoreError> {
        self.write(self.disk.complete_media(media_id, stored, size_bytes)).await
    }

    async fn keep_record(&self, record: NewRecord, caps: Vec<RecordCap>) -> Result<Kept, StoreError> {
        self.write(self.disk.keep_record(record, caps)).await
    }

    async fn record(&self, kind: RecordKind, id: u64) -> Result<Option<Record>, StoreError> {
        self.disk.record(kind, id).await
    }

    async fn record_with_key(
        &self,
        kind: RecordKind,
        company_id: &str,
        key: &str,
    ) -> Result<Option<Record>, StoreError> {
        self.disk.record_with_key(kind, company_id, key).await
    }

    async fn change_record(&self, record: Record, caps: Vec<RecordCap>) -> Result<Changed, StoreError> {
        self.write(self.disk.change_record(record, caps)).await
    }

    async fn records(&self, query: RecordQuery) -> Result<Vec<Record>, StoreError> {
        self.disk.records(query).await
    }

    async fn count_records(&self, query: RecordQuery) -> Result<u64, StoreError> {
        self.disk.count_records(query).await
    }

    async fn register_agent(&self, login: &str, name: &str, avatar_url: Option<&str>) -> Result<u64, StoreError> {
        self.disk.register_agent(login, name, avatar_url).await
    }

    async fn agents(&self) -> Result<Vec<AgentRecord>, StoreError> {
        self.disk.agents().await
    }

    async fn open_agent_session(
        &self,
        token_sha256: [u8; 32],
        agent_id: u64,
        expires_at_ms: u64,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        self.disk.open_agent_session(token_sha256, agent_id, expires_at_ms, now_ms).await
    }

    async fn agent_session(&self, token_sha256: [u8; 32], now_ms: u64) -> Result<Option<(u64, u64)>, StoreError> {
        self.disk.agent_session(token_sha256, now_ms).await
    }

    async fn close_agent_session(&self, token_sha256: [u8; 32]) -> Result<(), StoreError> {
        self.disk.close_agent_session(token_sha256).await
    }

    async fn close(&self) {
        self.disk.close().await
    }
}

async fn start(store: &Arc<Hardship>) -> Gateway {
    Gateway::start_with(config(""), Arc::clone(store) as Arc<dyn Store>).await
}

/// A send that was refused for now, with the time to wait.
async fn refused_for_now(user: &User, chat: u64, key: &str) {
    let body = json!({"client_id": key, "message": {"type": "text", "content": key}});
    let request = user.request(Method::POST, &format!("/chats/{chat}/messages")).json(&body);
    let answer = within(request.send()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error"]["code"], "unavailable");
    assert!(body["error"]["retry_after_ms"].as_u64().unwrap() >= 1);
}

#[tokio::test]
async fn a_full_disk_acknowledges_nothing_and_the_retry_lands_once() {
    let store = Hardship::new();
    let gateway = start(&store).await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    uma.send(chat, "m-1", "m-1").await;
    let mut reader = uma.join(chat, 0).await;
    reader.until_index(1).await;
    store.set(FULL);
    for key in ["m-2", "m-3", "m-2"] {
        refused_for_now(&uma, chat, key).await;
    }
    let body = json!({"client_id": "open-2", "menu_id": 2, "chat": {}});
    assert_eq!(uma.call(Method::POST, "/chats", Some(body)).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reader.refusal().await, ("unavailable".to_owned(), 4503));
    // Reading goes on, by REST and on a new stream.
    assert_eq!(texts(&uma.messages(chat).await), ["m-1"]);
    let mut reader = uma.join(chat, 1).await;
    reader.expect("joined").await;
    store.set(WORKS);
    for (key, index) in [("m-3", 2), ("m-2", 3)] {
        let (status, body) = uma.send(chat, key, key).await;
        assert_eq!((status, &body["index"]), (StatusCode::CREATED, &json!(index)));
        assert_eq!(uma.send(chat, key, key).await, (StatusCode::OK, body));
    }
    reader.until_index(3).await;
    assert_eq!(texts(&reader.messages), ["m-3", "m-2"]);
    gateway.stop().await;
}

#[tokio::test]
async fn what_was_stored_without_an_answer_is_found_by_the_retry() {
    let store = Hardship::new();
    let gateway = start(&store).await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(1, "open-1").await;
    store.set(MUTE);
    refused_for_now(&uma, chat, "m-1").await;
    let body = json!({"client_id": "open-2", "menu_id": 2, "chat": {}});
    assert_eq!(uma.call(Method::POST, "/chats", Some(body)).await.0, StatusCode::SERVICE_UNAVAILABLE);
    store.set(WORKS);
    let (status, body) = uma.send(chat, "m-1", "m-1").await;
    assert_eq!((status, &body["index"]), (StatusCode::OK, &json!(3)));
    // The virtual agent answered once too.
    assert_eq!(texts(&uma.messages(chat).await), ["Hello!", "(inline_button)", "m-1", "What?"]);
    assert_eq!(uma.chat(2, "open-2").await, chat + 1);
    assert_eq!(uma.chat(2, "open-3").await, chat + 2);
    gateway.stop().await;
}

#[tokio::test]
async fn a_second_gateway_on_the_same_store_loses_and_doubles_nothing() {
    let store = Hardship::new();
    let (old, new) = (start(&store).await, start(&store).await);
    let (at_old, at_new) = (old.user("uma").await, new.user("uma").await);
    let chat = at_old.chat(2, "open-1").await;
    // Each has the chat loaded, and finds out by its next change that the other one wrote.
    assert_eq!(at_old.send(chat, "m-1", "m-1").await.1["index"], 1);
    assert_eq!(at_new.send(chat, "m-2", "m-2").await.1["index"], 2);
    refused_for_now(&at_old, chat, "m-3").await;
    let (status, sent) = at_old.send(chat, "m-3", "m-3").await;
    assert_eq!((status, &sent["index"]), (StatusCode::CREATED, &json!(3)));
    // Its own session does not know the key.
    refused_for_now(&at_new, chat, "m-3").await;
    assert_eq!(at_new.send(chat, "m-3", "m-3").await, (StatusCode::OK, sent));
    assert_eq!(texts(&at_new.messages(chat).await), ["m-1", "m-2", "m-3"]);
    old.stop().await;
    new.stop().await;
}

#[tokio::test]
async fn a_slow_disk_keeps_a_bounded_queue_waiting_and_loses_nothing() {
    let store = Hardship::new();
    let gateway = start(&store).await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    uma.send(chat, "warm", "warm").await;
    let keys: Vec<String> = (0..400).map(|n| format!("m-{n}")).collect();
    store.flows.send_replace(false);
    let acknowledged = std::sync::atomic::AtomicUsize::new(0);
    let refused = std::sync::atomic::AtomicUsize::new(0);
    let sending = join_all(keys.iter().map(|key| {
        let (uma, acknowledged, refused) = (&uma, &acknowledged, &refused);
        async move {
            loop {
                let (status, body) = uma.send(chat, key, key).await;
                match status {
                    StatusCode::CREATED => {
                        acknowledged.fetch_add(1, Ordering::SeqCst);
                        return body["index"].as_u64().unwrap();
                    }
                    StatusCode::SERVICE_UNAVAILABLE => refused.fetch_add(1, Ordering::SeqCst),
                    other => panic!("{other} {body}"),
                };
            }
        }
    }));
    let opening = async {
        // The queue is full when the first is refused.
        while refused.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(acknowledged.load(Ordering::SeqCst), 0);
        assert_eq!(texts(&uma.messages(chat).await), ["warm"]);
        store.flows.send_replace(true);
    };
    let (mut given, ()) = within(async { tokio::join!(sending, opening) }).await;
    given.sort_unstable();
    assert_eq!(given, (2..=401).collect::<Vec<u64>>());
    let stored = uma.messages(chat).await;
    assert_eq!(indexes(&stored), (1..=401).collect::<Vec<u64>>());
    let sent: std::collections::HashSet<String> = texts(&stored).into_iter().collect();
    assert_eq!(sent.len(), 401);
    gateway.stop().await;
}

#[tokio::test]
async fn nothing_is_left_of_clients_that_vanish() {
    let mut config = config("limits = { streams_per_address = 60, streams_per_end_user = 60 }");
    config.stream.join_timeout_ms = 60_000;
    let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    // The chat's own task stays for a while; so does the connection of the REST calls.
    uma.join(chat, 0).await.expect("joined").await;
    let address = gateway.base.replace("http://", "");
    let metrics = tokio::runtime::Handle::current().metrics();
    let settled = async |most: usize| {
        within(async {
            while metrics.num_alive_tasks() > most {
                tokio::task::yield_now().await
            }
        })
        .await;
    };
    let join = json!({"type": "join", "token": uma.token, "chat_id": chat, "cursor": 0}).to_string();
    let post = format!("POST /api/v1/stream HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", join.len());
    let open = async |request: String| {
        let mut socket = TcpStream::connect(&address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        socket
    };
    let mut before = None;
    for _ in 0..10 {
        let mut gone = Vec::new();
        let mut streams = Vec::new();
        for _ in 0..10 {
            gone.push(open(String::new()).await);
            gone.push(open("GET /api/v1/com".to_owned()).await);
            gone.push(open(format!("{post}{{\"type\":")).await);
            gone.push(open(format!("{post}{join}")).await);
            streams.push(uma.stream().await);
            let mut joined = uma.join(chat, 0).await;
            joined.expect("joined").await;
            streams.push(joined);
        }
        assert!(metrics.num_alive_tasks() >= 20, "the count counts");
        drop((gone, streams));
        match before {
            // The first round shows what stays in any case.
            None => {
                within(async {
                    while metrics.num_alive_tasks() > 12 {
                        tokio::task::yield_now().await
                    }
                })
                .await;
                before = Some(metrics.num_alive_tasks().max(12));
            }
            Some(most) => settled(most).await,
        }
    }
    // All places are free again, the chat's own too.
    let mut streams = Vec::new();
    for _ in 0..30 {
        streams.push(uma.stream().await);
    }
    for _ in 0..30 {
        let mut stream = uma.join(chat, 0).await;
        stream.expect("joined").await;
        streams.push(stream);
    }
    assert_eq!(uma.stream().await.refusal().await, ("rate_limited".to_owned(), 4429));
    gateway.stop().await;
}

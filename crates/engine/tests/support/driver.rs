//! Drives one client engine by hand: every output is kept until a test asks for it.

use std::cell::Cell;
use std::collections::BTreeMap;

use engine::client::{
    BackoffOptions, Call, Client, Config, DeliveryState, Error, Event, Input, OpId, Output, Request, RequestId,
    Response, Settled, StreamId, Transport,
};
use serde_json::{Value, json};

pub(crate) struct Driver {
    client: Client<Value>,
    now_ms: u64,
    outputs: Vec<Output<Value>>,
    storage: BTreeMap<String, String>,
    stream: StreamId,
    /// Another page has the lock of the outbox.
    pub(crate) lock_is_taken: bool,
    /// The other pages that live.
    pub(crate) pages: Option<Vec<String>>,
}

thread_local! {
    /// No two drivers of a test draw the same random numbers.
    static DRIVERS: Cell<u64> = const { Cell::new(7) };
}

/// A chat's state as the gateway sends it.
pub(crate) fn chat_state(id: u64, revision: u64, last_index: u64) -> Value {
    json!({"id": id, "status": "va_assigned", "revision": revision, "last_index": last_index, "members": []})
}

/// A message as the gateway sends it.
pub(crate) fn message(index: u64, user_type: &str, user_id: u64) -> Value {
    json!({"$index": index, "$sid": format!("m{index}"), "$timestamp": 1, "$userType": user_type, "$userId": user_id, "type": "text", "content": "…"})
}

pub(crate) fn config() -> Config {
    Config {
        company_id: "c".into(),
        gateway: "https://g".into(),
        lang: None,
        send_timeout_ms: 120_000,
        call_timeout_ms: 15_000,
        history_limit: 1000,
        backoff: BackoffOptions { initial_ms: 500, max_ms: 5_000 },
        connect_timeout_ms: 8_000,
        probe_timeout_ms: 5_000,
        server_sent_events: false,
    }
}

impl Driver {
    pub(crate) fn new() -> Self {
        Driver::with(config())
    }

    pub(crate) fn with(config: Config) -> Self {
        let mut bits = DRIVERS.with(|made| made.replace(made.get() + 1));
        let entropy = Box::new(move || {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            bits >> 3
        });
        Driver {
            client: Client::new(config, entropy),
            now_ms: 1_000_000,
            outputs: Vec::new(),
            storage: BTreeMap::new(),
            stream: 0,
            lock_is_taken: false,
            pages: Some(Vec::new()),
        }
    }

    /// A client with a session of end user 5.
    pub(crate) fn ready() -> Self {
        Driver::ready_with(&[])
    }

    /// The same with something in storage.
    pub(crate) fn ready_with(stored: &[(String, String)]) -> Self {
        Driver::ready_as(config(), stored)
    }

    /// The same where server-sent events can be used.
    pub(crate) fn ready_with_server_sent_events() -> Self {
        Driver::ready_as(Config { server_sent_events: true, ..config() }, &[])
    }

    fn ready_as(config: Config, stored: &[(String, String)]) -> Self {
        let mut driver = Driver::with(config);
        driver.storage(stored);
        driver.feed(Input::Start);
        driver.loaded(&[]);
        driver.grant("s", 5);
        driver.outputs.retain(|output| matches!(output, Output::Http(_)));
        driver
    }

    /// The same in a chat whose stream is joined and that has no messages.
    pub(crate) fn in_chat(id: u64) -> Self {
        let mut driver = Driver::ready();
        driver.create_chat(id);
        driver.open_stream();
        driver.frame(json!({"type": "joined", "chat": chat_state(id, 1, 0), "cursor": 0, "heartbeat_ms": 20_000}));
        driver.outputs.clear();
        driver
    }

    pub(crate) fn page_id(&self) -> String {
        self.client.page_id().to_owned()
    }

    /// Hands an input in. What this end user's pages left behind is read at once, and the lock given, unless another page has it.
    pub(crate) fn feed(&mut self, input: Input<Value>) {
        self.client.handle(input, self.now_ms);
        while let Some(output) = self.client.poll() {
            match &output {
                Output::Load { prefix } if prefix.contains("outbox") => {
                    let entries = self.stored_now().into_iter().filter(|(key, _)| key.starts_with(prefix)).collect();
                    self.client.handle(Input::Loaded { prefix: prefix.clone(), entries }, self.now_ms);
                    continue;
                }
                Output::Lock { .. } if !self.lock_is_taken => {
                    self.client.handle(Input::Locked { pages: self.pages.clone() }, self.now_ms);
                }
                Output::Store { key, value } => drop(self.storage.insert(key.clone(), value.clone())),
                Output::Forget { key } => drop(self.storage.remove(key)),
                Output::ForgetOthers { prefix, keep } => {
                    self.storage.retain(|key, _| !key.starts_with(prefix) || key.starts_with(keep));
                }
                _ => {}
            }
            self.outputs.push(output);
        }
    }

    pub(crate) fn storage(&mut self, entries: &[(String, String)]) {
        self.storage.extend(entries.iter().cloned());
    }

    /// Another page forgets it.
    pub(crate) fn forget_stored(&mut self, key: &str) {
        self.storage.remove(key);
    }

    pub(crate) fn stored_now(&self) -> Vec<(String, String)> {
        self.storage.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Storage answers the question that is open.
    pub(crate) fn loaded(&mut self, entries: &[(String, String)]) {
        self.storage(entries);
        while let Some(position) = self.outputs.iter().position(|output| matches!(output, Output::Load { .. })) {
            let Output::Load { prefix } = self.outputs.remove(position) else { unreachable!() };
            let entries = self.stored_now().into_iter().filter(|(key, _)| key.starts_with(&prefix)).collect();
            self.feed(Input::Loaded { prefix, entries });
        }
    }

    /// The site gives a token and the gateway a session.
    pub(crate) fn grant(&mut self, token: &str, end_user_id: u64) {
        self.feed(Input::Token(Ok("jwt".into())));
        let exchange = self.take_request("/api/v1/sessions");
        self.answer(
            exchange.id,
            200,
            json!({"session_token": token, "expires_in_ms": 900_000, "end_user": {"id": end_user_id}}),
        );
        self.loaded(&[]);
    }

    pub(crate) fn create_chat(&mut self, id: u64) {
        self.feed(Input::Call { op: 900, call: Call::CreateChat { menu_id: 1, chat: None } });
        let request = self.take_request("/api/v1/chats");
        self.answer(request.id, 201, json!({"chat": chat_state(id, 1, 0)}));
        assert!(matches!(self.settled(900), Some(Ok(Settled::Chat { .. }))));
        self.outputs.retain(|output| !matches!(output, Output::Emit(Event::ChatUpdated)));
    }

    pub(crate) fn send(&mut self, op: OpId, content: &str) {
        self.feed(Input::Call {
            op,
            call: Call::Send { chat_id: None, message: json!({"type": "text", "content": content}), file: None },
        });
    }

    /// The machine sleeps: time passes and no timer fires.
    pub(crate) fn sleep(&mut self, ms: u64) {
        self.now_ms += ms;
    }

    /// Time passes on a stream that says something now and then.
    pub(crate) fn keep_stream_alive(&mut self, ms: u64) {
        for _ in 0..ms / 10_000 {
            self.frame(json!({"type": "ping"}));
            self.wait(10_000);
        }
    }

    /// Time passes: every timer on the way fires.
    pub(crate) fn wait(&mut self, ms: u64) {
        let until_ms = self.now_ms + ms;
        loop {
            match self.client.next_timeout_ms() {
                Some(at_ms) if at_ms <= until_ms => {
                    self.now_ms = self.now_ms.max(at_ms);
                    self.feed(Input::Tick);
                    if at_ms >= until_ms {
                        break;
                    }
                }
                _ => break,
            }
        }
        self.now_ms = until_ms;
    }

    pub(crate) fn find_request(&mut self, path: &str) -> Option<Request<Value>> {
        let position =
            self.outputs.iter().position(|output| matches!(output, Output::Http(request) if request.path == path))?;
        match self.outputs.remove(position) {
            Output::Http(request) => Some(request),
            _ => unreachable!(),
        }
    }

    pub(crate) fn take_request(&mut self, path: &str) -> Request<Value> {
        let found = self.find_request(path);
        found.unwrap_or_else(|| panic!("no request to {path}"))
    }

    /// The driver was asked to work out the request of a call.
    pub(crate) fn take_plan(&mut self, call: OpId) -> RequestId {
        let mut asked = self.take(|output| match output {
            Output::Plan { request, op } if *op == call => Some(*request),
            _ => None,
        });
        asked.pop().expect("no request is to be worked out")
    }

    pub(crate) fn answer(&mut self, request: RequestId, status: u16, body: Value) {
        self.feed(Input::HttpDone {
            request,
            response: Some(Response { status, retry_after_ms: None, body: Some(body) }),
        });
    }

    /// An answer with `Retry-After`.
    pub(crate) fn answer_after(&mut self, request: RequestId, status: u16, retry_after_ms: u64, body: Value) {
        let response = Response { status, retry_after_ms: Some(retry_after_ms), body: Some(body) };
        self.feed(Input::HttpDone { request, response: Some(response) });
    }

    pub(crate) fn refuse(&mut self, request: RequestId, status: u16, code: &str) {
        self.answer(request, status, json!({"error": {"code": code, "message": "no"}}));
    }

    pub(crate) fn no_answer(&mut self, request: RequestId) {
        self.feed(Input::HttpDone { request, response: None });
    }

    /// The stream that was asked for opens; gives the frame it is joined with.
    pub(crate) fn open_stream(&mut self) -> Value {
        let position = self
            .outputs
            .iter()
            .rposition(|output| matches!(output, Output::OpenStream { .. }))
            .expect("no stream is asked for");
        let Output::OpenStream { stream, .. } = self.outputs.remove(position) else { unreachable!() };
        self.stream = stream;
        self.feed(Input::StreamOpened { stream });
        self.sent_frames().remove(0)
    }

    pub(crate) fn frame(&mut self, frame: Value) {
        self.feed(Input::StreamFrame { stream: self.stream, frame: Some(frame) });
    }

    pub(crate) fn drop_stream(&mut self, code: u16) {
        self.feed(Input::StreamClosed { stream: self.stream, code });
    }

    /// The stream that was asked for cannot be opened.
    pub(crate) fn fail_stream(&mut self) {
        let stream = self.take(|output| match output {
            Output::OpenStream { stream, .. } => Some(*stream),
            _ => None,
        });
        let stream = *stream.last().expect("no stream is asked for");
        self.feed(Input::StreamClosed { stream, code: 1006 });
    }

    /// How the stream that is asked for is to be carried.
    pub(crate) fn last_transport(&self) -> Option<Transport> {
        self.outputs.iter().rev().find_map(|output| match output {
            Output::OpenStream { transport, .. } => Some(*transport),
            _ => None,
        })
    }

    /// The states of messages so far, in words.
    pub(crate) fn deliveries(&mut self) -> Vec<String> {
        self.take(|output| match output {
            Output::Emit(Event::Delivery(delivery)) => Some(match &delivery.state {
                DeliveryState::Queued => "queued".to_owned(),
                DeliveryState::Sending => "sending".to_owned(),
                DeliveryState::Sent { index } => format!("sent {index}"),
                DeliveryState::Failed(error) => format!("failed {}", error.code.as_str()),
            }),
            _ => None,
        })
    }

    /// How long until the stream is tried again.
    pub(crate) fn next_stream_ms(&self) -> u64 {
        self.client.next_timeout_ms().unwrap() - self.now_ms
    }

    pub(crate) fn sent_frames(&mut self) -> Vec<Value> {
        self.take(|output| match output {
            Output::SendFrame { frame, .. } => Some(frame.take()),
            _ => None,
        })
    }

    pub(crate) fn stored(&mut self) -> Vec<(String, String)> {
        self.take(|output| match output {
            Output::Store { key, value } => Some((key.clone(), value.clone())),
            _ => None,
        })
    }

    pub(crate) fn forgotten(&mut self) -> Vec<String> {
        self.take(|output| match output {
            Output::Forget { key } => Some(key.clone()),
            _ => None,
        })
    }

    pub(crate) fn settled(&mut self, op: OpId) -> Option<Result<Settled<Value>, Error>> {
        let position = self
            .outputs
            .iter()
            .position(|output| matches!(output, Output::Settle { op: other, .. } if *other == op))?;
        match self.outputs.remove(position) {
            Output::Settle { result, .. } => Some(result),
            _ => unreachable!(),
        }
    }

    pub(crate) fn rejection(&mut self, op: OpId) -> Error {
        match self.settled(op) {
            Some(Err(error)) => error,
            other => panic!("call {op} was not rejected: {other:?}"),
        }
    }

    /// The site was asked for its token, once.
    pub(crate) fn take_authentication(&mut self) {
        assert_eq!(self.count(|output| matches!(output, Output::Authenticate)), 1);
    }

    pub(crate) fn count(&mut self, matches: impl Fn(&Output<Value>) -> bool) -> usize {
        let before = self.outputs.len();
        self.outputs.retain(|output| !matches(output));
        before - self.outputs.len()
    }

    pub(crate) fn outputs_contain(&self, matches: impl Fn(&Output<Value>) -> bool) -> bool {
        self.outputs.iter().any(matches)
    }

    /// The events so far, in words, without deliveries.
    pub(crate) fn events(&mut self) -> Vec<String> {
        let events = self.take(|output| match output {
            Output::Emit(event) => Some(in_words(event)),
            _ => None,
        });
        events.into_iter().flatten().collect()
    }

    pub(crate) fn take<T>(&mut self, wanted: impl Fn(&mut Output<Value>) -> Option<T>) -> Vec<T> {
        let mut taken = Vec::new();
        self.outputs.retain_mut(|output| match wanted(output) {
            Some(value) => {
                taken.push(value);
                false
            }
            None => true,
        });
        taken
    }
}

pub(crate) fn in_words(event: &Event<Value>) -> Option<String> {
    let name = match event {
        Event::Ready => "ready",
        Event::Authenticated => "authenticated",
        Event::ChatOngoing => "chat.ongoing",
        Event::ChatUpdated => "chat.updated",
        Event::ChatConnected => "chat.connected",
        Event::ChatReconnected => "chat.reconnected",
        Event::ChatDisconnected => "chat.disconnected",
        Event::ChatDismissed => "chat.dismissed",
        Event::ChatTimeout => "chat.timeout",
        Event::ChatEnded => "chat.ended",
        Event::ChatDestroyed => "chat.destroyed",
        Event::Message(message) => return Some(format!("message {}", message["$index"])),
        Event::MemberJoined(member) => return Some(format!("joined {}", member.identity())),
        Event::MemberLeft(member) => return Some(format!("left {}", member.identity())),
        Event::TypingStarted(member) => return Some(format!("typing {}", member.identity())),
        Event::TypingEnded(member) => return Some(format!("stopped {}", member.identity())),
        Event::Unread(count) => return Some(format!("unread {count}")),
        Event::Connection(state) => return Some(format!("connection {}", state.as_str())),
        Event::Error(error) => return Some(format!("error {}", error.code.as_str())),
        Event::Delivery(_) => return None,
    };
    Some(name.to_owned())
}

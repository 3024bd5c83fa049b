//! The client engine under any sequence of calls, answers, frames, timers and storage contents.
//!
//! Holds: every call is settled exactly once; listeners see message indexes grow by 1 within a chat; one message at a time is on its way; nothing
//! is asked of a request or stream that was given up; time moves the engine on instead of spinning.

use std::collections::{HashMap, HashSet};

use engine::client::{
    Answer, BackoffOptions, Call, Client, Config, DeliveryState, Error, Event, Input, Method, OpId, Output, Plan,
    RequestId, Response, Scope, StreamId,
};
use serde_json::{Value, json};
use wire::ErrorCode;

use super::Choices;

struct Run<'a> {
    choices: Choices<'a>,
    client: Client<Value>,
    now_ms: u64,
    next_op: OpId,
    open_calls: HashSet<OpId>,
    /// Requests on their way, with their paths.
    requests: HashMap<RequestId, String>,
    uploads: HashSet<String>,
    streams: Vec<StreamId>,
    loads: Vec<String>,
    locks: u32,
    authenticating: bool,
    /// The frame `join` that the stream waits to be answered, and the index that its next message has.
    joining: bool,
    next_index: u64,
    /// The newest index that listeners saw of the current chat.
    shown: Option<u64>,
    rewound: bool,
    stored: Vec<(String, String)>,
}

/// Stands among the paths of requests for one that the driver is to work out.
const PLAN: &str = "PLAN";

pub(crate) fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let config = Config {
        company_id: "c".into(),
        gateway: "https://g".into(),
        lang: choices.flag().then(|| "en".to_owned()),
        send_timeout_ms: choices.pick(&[1_000, 60_000]),
        call_timeout_ms: choices.pick(&[1_000, 15_000]),
        history_limit: choices.pick(&[1, 3, 1000]),
        backoff: BackoffOptions { initial_ms: choices.pick(&[1, 500]), max_ms: choices.pick(&[1, 20_000]) },
        connect_timeout_ms: 8_000,
        probe_timeout_ms: 5_000,
        server_sent_events: choices.flag(),
    };
    let mut bits = 1_u64;
    let entropy = Box::new(move || {
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bits
    });
    let mut run = Run {
        choices,
        client: Client::new(config, entropy),
        now_ms: 1_000_000,
        next_op: 0,
        open_calls: HashSet::new(),
        requests: HashMap::new(),
        uploads: HashSet::new(),
        streams: Vec::new(),
        loads: Vec::new(),
        locks: 0,
        authenticating: false,
        joining: false,
        next_index: 1,
        shown: None,
        rewound: false,
        stored: Vec::new(),
    };
    run.feed(Input::Start);
    let mut steps = 0;
    while !run.choices.is_empty() && steps < 2_000 {
        steps += 1;
        run.step();
    }
    run.settle_down();
    run.feed(Input::Close);
    assert!(run.open_calls.is_empty(), "closing settles every call");
    assert_eq!(run.client.next_timeout_ms(), None);
}

impl Run<'_> {
    fn feed(&mut self, input: Input<Value>) {
        self.client.handle(input, self.now_ms);
        let mut outputs = 0;
        while let Some(output) = self.client.poll() {
            outputs += 1;
            assert!(outputs < 10_000, "one input leads to endless outputs");
            self.perform(output);
        }
    }

    fn perform(&mut self, output: Output<Value>) {
        match output {
            Output::Load { prefix } => self.loads.push(prefix),
            Output::Store { key, value } => {
                self.stored.retain(|(other, _)| *other != key);
                self.stored.push((key, value));
            }
            Output::Forget { key } => self.stored.retain(|(other, _)| *other != key),
            Output::ForgetOthers { prefix, keep } => {
                self.stored.retain(|(key, _)| !key.starts_with(&prefix) || key.starts_with(&keep));
            }
            Output::Authenticate => self.authenticating = true,
            Output::Http(request) => {
                let is_post = |path: &String| path.ends_with("/messages");
                if is_post(&request.path) && request.body.is_some() {
                    assert!(!self.requests.values().any(is_post), "one message at a time is on its way");
                }
                let path = if request.body.is_some() { request.path } else { format!("GET {}", request.path) };
                assert!(self.requests.insert(request.id, path).is_none());
            }
            Output::Plan { request, op } => {
                assert!(self.open_calls.contains(&op));
                assert!(self.requests.insert(request, PLAN.to_owned()).is_none());
            }
            Output::CancelHttp { request } => {
                assert!(self.requests.remove(&request).is_some(), "only what is on its way is cancelled");
            }
            Output::OpenStream { stream, .. } => {
                assert!(self.streams.is_empty(), "one stream at a time");
                self.streams.push(stream);
            }
            Output::SendFrame { stream, frame } => {
                assert!(self.streams.contains(&stream));
                if let Some(cursor) = frame["cursor"].as_u64() {
                    self.joining = true;
                    self.next_index = cursor.saturating_add(1);
                }
            }
            Output::CloseStream { stream } => self.streams.retain(|other| *other != stream),
            Output::Lock { .. } => self.locks += 1,
            Output::Unlock => self.locks = 0,
            Output::KeepFile { .. } => {}
            Output::Upload { client_id, .. } => {
                assert!(self.uploads.insert(client_id), "one upload of a file at a time")
            }
            Output::CancelUpload { client_id } => assert!(self.uploads.remove(&client_id)),
            Output::Chat(None) => self.shown = None,
            Output::Chat(Some(_)) => {}
            Output::Settle { op, .. } => assert!(self.open_calls.remove(&op), "a call is settled once"),
            Output::Emit(event) => self.hear(&event),
        }
    }

    fn hear(&mut self, event: &Event<Value>) {
        match event {
            Event::Message(message) => {
                let index = message["$index"].as_u64().expect("a shown message has an index");
                if let Some(shown) = self.shown {
                    let follows = index > shown || std::mem::take(&mut self.rewound);
                    assert!(follows, "message {index} after {shown}");
                }
                self.shown = Some(index);
            }
            Event::Error(error) if error.message.contains("lost the newest messages") => self.rewound = true,
            Event::Delivery(delivery) => {
                if let DeliveryState::Failed(error) = &delivery.state {
                    assert!(!error.message.is_empty());
                }
            }
            _ => {}
        }
    }

    /// What a healthy world does next, so that sequences get far.
    fn go_well(&mut self) {
        if let Some(prefix) = self.loads.pop() {
            let entries = self.stored.iter().filter(|(key, _)| key.starts_with(&prefix)).cloned().collect();
            self.feed(Input::Loaded { prefix, entries });
        } else if std::mem::take(&mut self.authenticating) {
            self.feed(Input::Token(Ok("jwt".to_owned())));
        } else if std::mem::take(&mut self.locks) > 0 {
            self.feed(Input::Locked { pages: Some(Vec::new()) });
        } else if let Some(id) = self.requests.keys().min().copied() {
            let path = self.requests.remove(&id).expect("it was just seen");
            if path == PLAN {
                return self.plan(id);
            }
            let body = if path.ends_with("/sessions") {
                json!({"session_token": "s", "expires_in_ms": 900_000, "end_user": {"id": 5}})
            } else {
                self.fitting(&path)
            };
            self.feed(Input::HttpDone {
                request: id,
                response: Some(Response { status: 200, retry_after_ms: None, body: Some(body) }),
            });
        } else if let Some(stream) = self.streams.first().copied() {
            if std::mem::take(&mut self.joining) {
                let cursor = self.next_index - 1;
                let chat = json!({"id": 7, "status": "assigned", "revision": self.choices.number(), "last_index": 0});
                let frame = json!({"type": "joined", "chat": chat, "cursor": cursor, "heartbeat_ms": 20_000});
                self.feed(Input::StreamFrame { stream, frame: Some(frame) });
            } else {
                self.feed(Input::StreamOpened { stream });
                self.deliver(stream);
            }
        }
    }

    fn deliver(&mut self, stream: StreamId) {
        let count = 1 + self.choices.below(3);
        let kind = self.choices.pick(&["agent", "end_user", "system"]);
        let client_id = self.stored.iter().filter_map(|(key, _)| key.rsplit('|').next()).next().map(str::to_owned);
        let messages: Vec<Value> = (self.next_index..self.next_index.saturating_add(count))
            .map(|index| json!({"$index": index, "$userType": kind, "$userId": 1, "client_id": client_id}))
            .collect();
        self.next_index = self.next_index.saturating_add(count);
        self.feed(Input::StreamFrame { stream, frame: Some(json!({"type": "update", "messages": messages})) });
    }

    fn step(&mut self) {
        if self.choices.below(3) > 0 {
            return self.go_well();
        }
        match self.choices.below(18) {
            0..=3 => self.call(),
            4 => self.answer_load(),
            5 => {
                if std::mem::take(&mut self.authenticating) {
                    let token = if self.choices.below(8) == 0 { Err(()) } else { Ok("jwt".to_owned()) };
                    self.feed(Input::Token(token));
                }
            }
            6..=9 => self.answer_request(),
            10 => {
                if let Some(stream) = self.streams.first().copied() {
                    self.feed(Input::StreamOpened { stream });
                }
            }
            11..=12 => {
                if let Some(stream) = self.streams.first().copied() {
                    let frame = self.frame();
                    self.feed(Input::StreamFrame { stream, frame });
                }
            }
            13 => {
                if let Some(stream) = self.streams.pop() {
                    let code = self.choices.pick(&[1000, 1006, 4401, 4403, 4404, 4503]);
                    self.feed(Input::StreamClosed { stream, code });
                }
            }
            14 => {
                self.now_ms = self.now_ms.saturating_add(self.choices.number().min(1 << 40));
                self.feed(Input::Tick);
            }
            15 => {
                let input = match self.choices.below(6) {
                    0 => Input::Wake,
                    1 => Input::Doubt,
                    2 => Input::StorageFailed,
                    3 => Input::MarkRead,
                    4 => Input::Typing(self.choices.flag()),
                    5 if self.now_ms % 2 == 1 => Input::Hidden(self.now_ms % 4 == 1),
                    _ => Input::Detach,
                };
                self.feed(input);
            }
            16 => {
                let pages = self.choices.flag().then(|| vec![self.choices.text()]);
                self.feed(Input::Locked { pages });
            }
            _ => {
                let client_id = self.uploads.iter().next().cloned();
                if let Some(client_id) = client_id {
                    self.uploads.remove(&client_id);
                    let code = self.choices.pick(&[None, Some(ErrorCode::Network), Some(ErrorCode::FileLost)]);
                    let error = |code| Error::new(code, "no");
                    self.feed(Input::Uploaded { client_id, result: code.map_or(Ok(()), |code| Err(error(code))) });
                }
            }
        }
    }

    fn call(&mut self) {
        if self.choices.below(8) == 0 && self.next_op > 0 {
            let op = 1 + self.choices.below(u64::from(self.next_op)) as OpId;
            return self.feed(Input::Abort { op });
        }
        self.next_op += 1;
        let op = self.next_op;
        let chat_id = self.choices.number();
        let call = match self.choices.below(13) {
            // By a number that is drawn anyway, so that what was found before still means the same.
            0 if chat_id % 3 == 1 => Call::Planned { is_patient: chat_id.is_multiple_of(2) },
            1 if chat_id % 3 == 1 => Call::Preview { content: "so far".to_owned() },
            0 => Call::Company,
            1 => Call::Menus { key: Some(self.choices.text()), lang: None },
            2 => Call::WaitTimes { menu_id: chat_id, lang: None },
            3..=4 => Call::CreateChat { menu_id: 1, chat: self.choices.flag().then(|| self.value(2)) },
            5 => Call::LoadChat { chat_id },
            6 => Call::LoadOngoingChat,
            7 => Call::ResumeChat { chat_id },
            8 => Call::FinishChat,
            9 => Call::DestroyChat,
            10 => Call::FetchMessages,
            11 => Call::Send {
                chat_id: None,
                message: json!({"type": "text", "content": self.choices.text()}),
                file: None,
            },
            _ => {
                let file = self.choices.flag().then(|| json!("bytes"));
                Call::Send { chat_id: self.choices.flag().then_some(chat_id), message: self.value(2), file }
            }
        };
        self.open_calls.insert(op);
        self.feed(Input::Call { op, call });
    }

    fn answer_load(&mut self) {
        let Some(prefix) = self.loads.pop() else { return };
        let mut entries: Vec<_> = self.stored.iter().filter(|(key, _)| key.starts_with(&prefix)).cloned().collect();
        if self.choices.below(4) == 0 {
            let key = match self.choices.below(3) {
                0 => format!("{prefix}{}", self.choices.text()),
                1 => format!("{prefix}{:014}-000001|old|{}", self.choices.number(), self.choices.text()),
                _ => format!("{prefix}00000000000001-000001|old|x|file"),
            };
            let value = if self.choices.flag() { self.choices.text() } else { format!("7\n{}", self.value(2)) };
            entries.push((key, value));
        }
        self.feed(Input::Loaded { prefix, entries });
    }

    fn answer_request(&mut self) {
        let mut ids: Vec<_> = self.requests.keys().copied().collect();
        ids.sort_unstable();
        if ids.is_empty() {
            return;
        }
        let id = ids[self.choices.below(ids.len() as u64) as usize];
        let path = self.requests.remove(&id).expect("it was just seen");
        if path == PLAN {
            return self.plan(id);
        }
        if self.choices.below(6) == 0 {
            return self.feed(Input::HttpDone { request: id, response: None });
        }
        let status = self.choices.pick(&[200, 200, 200, 201, 204, 400, 401, 404, 409, 429, 503]);
        let body = if status >= 400 {
            json!({"error": {"code": self.choices.pick(&["unavailable", "rate_limited", "chat_ended", "x"]), "message": "no"}})
        } else if self.choices.below(8) == 0 {
            self.value(3)
        } else {
            self.fitting(&path)
        };
        let retry_after_ms = self.choices.flag().then(|| self.choices.number());
        let body = (self.choices.below(12) != 0).then_some(body);
        self.feed(Input::HttpDone { request: id, response: Some(Response { status, retry_after_ms, body }) });
    }

    fn plan(&mut self, request: RequestId) {
        let plan = match self.choices.below(8) {
            0 => Err(Error::new(ErrorCode::InvalidArgument, "no")),
            1 => Ok(None),
            _ => Ok(Some(Plan {
                method: self.choices.pick(&[Method::Get, Method::Post, Method::Patch]),
                scope: self.choices.pick(&[Scope::Company, Scope::Chat, Scope::Either]),
                path: "/planned".to_owned(),
                body: self.choices.flag().then(|| json!({"type": "noti"})),
                answer: self.choices.pick(&[Answer::Any, Answer::Json, Answer::File, Answer::Message]),
            })),
        };
        self.feed(Input::Planned { request, plan });
    }

    fn fitting(&mut self, path: &str) -> Value {
        if path.ends_with("/sessions") {
            let id = 5 + u64::from(self.choices.below(16) == 0);
            json!({"session_token": format!("s{}", self.now_ms), "expires_in_ms": self.choices.number(), "end_user": {"id": id}})
        } else if path.ends_with("/uploads") {
            json!({"media_id": 4, "upload": self.choices.pick(&[Some("f"), None]).map(|_| json!({"url": "/u"}))})
        } else if path.starts_with("GET ") && path.contains("/messages") {
            json!({"messages": self.messages(), "last_index": self.choices.number()})
        } else if path.ends_with("/messages") {
            json!({"index": self.choices.number()})
        } else {
            json!({"chat": self.chat()})
        }
    }

    fn chat(&mut self) -> Value {
        let status = self.choices.pick(&["queued", "assigned", "dismissed", "finished", "timeout", "?"]);
        json!({"id": 7, "status": status, "features": ["preview"], "revision": self.choices.number(), "last_index": self.choices.number(),
            "members": [{"type": "agent", "id": self.choices.below(2), "display_name": "A"}]})
    }

    fn messages(&mut self) -> Vec<Value> {
        let first = self.choices.number();
        let count = self.choices.below(5);
        let kind = self.choices.pick(&["agent", "end_user", "system"]);
        (0..count)
            .map(|offset| json!({"$index": first.saturating_add(offset), "$userType": kind, "$userId": 1, "type": "text"}))
            .collect()
    }

    fn frame(&mut self) -> Option<Value> {
        Some(match self.choices.below(9) {
            0 => return None,
            1 => {
                json!({"type": "joined", "chat": self.chat(), "cursor": self.choices.number(), "heartbeat_ms": self.choices.number()})
            }
            2..=4 => json!({"type": "update", "messages": self.messages(), "chat": self.chat()}),
            5 => json!({"type": "typing", "member": {"type": "agent", "id": 1}, "typing": self.choices.flag()}),
            6 => json!({"type": self.choices.pick(&["ping", "pong", "future"])}),
            7 => json!({"type": "closing", "retry_after_ms": self.choices.number()}),
            _ => json!({"type": "error", "code": self.choices.pick(&["unauthorized", "not_found", "unavailable", "?"]),
                "retry_after_ms": self.choices.number()}),
        })
    }

    /// Any JSON.
    fn value(&mut self, depth: u32) -> Value {
        match self.choices.below(if depth == 0 { 4 } else { 6 }) {
            0 => Value::Null,
            1 => json!(self.choices.flag()),
            2 => json!(self.choices.number()),
            3 => json!(self.choices.text()),
            4 => Value::Array((0..self.choices.below(3)).map(|_| self.value(depth - 1)).collect()),
            _ => {
                let names = ["type", "chat", "id", "messages", "$index", "revision", "index", "content"];
                (0..self.choices.below(4))
                    .map(|_| (self.choices.pick(&names).to_owned(), self.value(depth - 1)))
                    .collect()
            }
        }
    }

    /// Lets time pass: the engine must not ask for the same moment for ever.
    fn settle_down(&mut self) {
        for _ in 0..300 {
            let Some(at_ms) = self.client.next_timeout_ms() else { return };
            let before_ms = self.now_ms;
            self.now_ms = self.now_ms.max(at_ms);
            self.feed(Input::Tick);
            let mut again = 0;
            while self.client.next_timeout_ms().is_some_and(|at_ms| at_ms <= self.now_ms) {
                again += 1;
                assert!(again < 100, "the engine spins at {} ms (was {before_ms})", self.now_ms);
                self.feed(Input::Tick);
            }
        }
    }
}

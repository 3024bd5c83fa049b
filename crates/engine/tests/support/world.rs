//! A client engine and the gateway's chat session in one world of virtual time, with a network that delays, drops and cuts, and a gateway
//! that crashes. Everything follows from one seed.
//!
//! The store keeps what was committed; a crash forgets everything else. The longer simulation with a failing disk and many clients belongs
//! to the reliability proofs; this one runs with every test.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use engine::client::{Call, Client, Event, Input, OpId, Output, Response, Settled};
use engine::gateway::{
    self, Act, Actor, Author, Change, ChatSession, ChatState, Command, Done, Limits, Message, Notice, Script, SentKey,
    Status,
};
use serde_json::{Value, json};
use wire::ErrorCode;

use super::driver::config;

pub(crate) const END_USER: u64 = 5;
pub(crate) const AGENT: u64 = 1;

/// A small generator, so that a seed means the same everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_in(&mut self, chances: u64) -> bool {
        chances > 0 && self.below(chances) == 0
    }
}

/// How often things go wrong: once in so many chances, never for 0.
#[derive(Clone, Copy, Default)]
pub(crate) struct Faults {
    pub(crate) lost_request: u64,
    pub(crate) lost_answer: u64,
    pub(crate) cut_stream: u64,
    pub(crate) crash: u64,
    pub(crate) failed_commit: u64,
}

/// How often things went wrong.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) lost_requests: u32,
    pub(crate) lost_answers: u32,
    pub(crate) cut_streams: u32,
    pub(crate) crashes: u32,
    pub(crate) failed_commits: u32,
}

struct Echo;

impl Script<Value> for Echo {
    fn greet(&self, _: &ChatState) -> Vec<Act<Value>> {
        vec![Act::Say(json!({"type": "text", "content": "hello"}))]
    }

    fn answer(&self, _: &ChatState, body: &Value) -> Vec<Act<Value>> {
        match body["content"].as_str() {
            Some("agent") => vec![Act::Escalate],
            _ => vec![Act::Say(json!({"type": "text", "content": format!("you said {}", body["content"])}))],
        }
    }

    fn notice(&self, _: &ChatState, notice: Notice) -> Value {
        json!({"type": "noti", "event": notice.as_str()})
    }
}

/// What is durable.
#[derive(Default)]
struct Store {
    state: Option<ChatState>,
    messages: Vec<Message<Value>>,
    created_with: Option<String>,
}

enum Happening {
    ToGateway { request: u32, method_path: String, body: Option<Value> },
    ToClient(Input<Value>),
    Joined { stream: u32, frame: Value },
    StreamGone { stream: u32 },
    CommitDone { epoch: u64 },
    Delivered { stream: u64, epoch: u64 },
    Work,
}

pub(crate) struct World {
    pub(crate) now_ms: u64,
    pub(crate) random: Random,
    pub(crate) faults: Faults,
    pub(crate) counts: Counts,
    client: Client<Value>,
    storage: BTreeMap<String, String>,
    agenda: BTreeMap<Reverse<(u64, u64)>, Happening>,
    steps: u64,
    /// Each stream's next free moment, so that frames of one stream keep their order.
    lanes: HashMap<u32, u64>,
    store: Store,
    session: Option<ChatSession<Value, Echo>>,
    /// Counts lives of the gateway: what a former life started means nothing to the next.
    epoch: u64,
    committing: Option<Change<Value>>,
    waiting: HashMap<u64, (u32, &'static str)>,
    next_op: OpId,
    calls: HashMap<OpId, String>,
    pub(crate) emitted: Vec<(u64, Value)>,
    pub(crate) acknowledged: Vec<(String, u64)>,
    pub(crate) rejected: Vec<(String, ErrorCode)>,
    pub(crate) events: Vec<String>,
}

impl World {
    pub(crate) fn new(seed: u64, faults: Faults) -> Self {
        let mut bits = Random(seed ^ 0xC11E);
        let mut world = World {
            now_ms: 1_000_000,
            random: Random(seed),
            faults,
            counts: Counts::default(),
            client: Client::new(config(), Box::new(move || bits.next())),
            storage: BTreeMap::new(),
            agenda: BTreeMap::new(),
            steps: 0,
            lanes: HashMap::new(),
            store: Store::default(),
            session: None,
            epoch: 0,
            committing: None,
            waiting: HashMap::new(),
            next_op: 0,
            calls: HashMap::new(),
            emitted: Vec::new(),
            acknowledged: Vec::new(),
            rejected: Vec::new(),
            events: Vec::new(),
        };
        world.feed(Input::Start);
        world
    }

    pub(crate) fn call(&mut self, name: &str, call: Call<Value>) {
        self.next_op += 1;
        self.calls.insert(self.next_op, name.to_owned());
        self.feed(Input::Call { op: self.next_op, call });
    }

    pub(crate) fn say(&mut self, content: &str) {
        self.call(
            content,
            Call::Send { chat_id: None, message: json!({"type": "text", "content": content}), file: None },
        );
    }

    /// The agent takes the chat, or says something in it.
    pub(crate) fn agent(&mut self, command: Command<Value>) {
        self.command(Actor::Agent(AGENT), command, None);
    }

    pub(crate) fn status(&self) -> Option<Status> {
        self.store.state.as_ref().map(|state| state.status)
    }

    pub(crate) fn stored(&self) -> &[Message<Value>] {
        &self.store.messages
    }

    pub(crate) fn messages_of_client(&self) -> Vec<Value> {
        self.client.messages()
    }

    /// Lets time pass, with everything that happens in it.
    pub(crate) fn run(&mut self, ms: u64) {
        let until_ms = self.now_ms + ms;
        loop {
            let happening = self.agenda.keys().next_back().map(|Reverse((at_ms, _))| *at_ms);
            let timer = self.client.next_timeout_ms().map(|at_ms| at_ms.max(self.now_ms));
            let next = [happening, timer].into_iter().flatten().min();
            let Some(at_ms) = next.filter(|at_ms| *at_ms <= until_ms) else { break };
            self.now_ms = self.now_ms.max(at_ms);
            self.steps += 1;
            assert!(self.steps < 2_000_000, "the world spins at {} ms", self.now_ms);
            if happening == Some(at_ms) {
                let (_, happening) = self.agenda.pop_last().expect("it was just seen");
                self.happen(happening);
            } else {
                self.feed(Input::Tick);
            }
            if self.random.one_in(self.faults.crash) {
                self.crash();
            }
        }
        self.now_ms = until_ms;
    }

    /// The gateway dies and comes back: only the store remains.
    pub(crate) fn crash(&mut self) {
        self.counts.crashes += 1;
        self.epoch += 1;
        self.session = None;
        self.committing = None;
        self.waiting.clear();
        let streams: Vec<u32> = self.lanes.drain().map(|(stream, _)| stream).collect();
        for stream in streams {
            self.later(1, Happening::ToClient(Input::StreamClosed { stream, code: 1006 }));
        }
    }

    fn later(&mut self, ms: u64, happening: Happening) {
        self.steps += 1;
        self.agenda.insert(Reverse((self.now_ms + ms, self.steps)), happening);
    }

    fn latency_ms(&mut self) -> u64 {
        1 + self.random.below(40)
    }

    fn feed(&mut self, input: Input<Value>) {
        self.client.handle(input, self.now_ms);
        while let Some(output) = self.client.poll() {
            self.perform(output);
        }
    }

    fn perform(&mut self, output: Output<Value>) {
        match output {
            Output::Load { prefix } => {
                let entries = self.storage.iter().filter(|(key, _)| key.starts_with(&prefix));
                let entries = entries.map(|(key, value)| (key.clone(), value.clone())).collect();
                self.later(0, Happening::ToClient(Input::Loaded { prefix, entries }));
            }
            Output::Lock { .. } => self.later(0, Happening::ToClient(Input::Locked { pages: Some(Vec::new()) })),
            Output::Unlock | Output::CancelUpload { .. } => {}
            Output::KeepFile { .. } | Output::Upload { .. } => unreachable!("nobody sends files in this world"),
            Output::Store { key, value } => drop(self.storage.insert(key, value)),
            Output::Forget { key } => drop(self.storage.remove(&key)),
            Output::ForgetOthers { prefix, keep } => {
                self.storage.retain(|key, _| !key.starts_with(&prefix) || key.starts_with(&keep))
            }
            Output::Authenticate => self.later(1, Happening::ToClient(Input::Token(Ok("jwt".into())))),
            Output::Http(request) => {
                let method_path = format!("{:?} {}", request.method, request.path);
                if self.random.one_in(self.faults.lost_request) {
                    self.counts.lost_requests += 1;
                    let ms = self.latency_ms();
                    self.later(ms, Happening::ToClient(Input::HttpDone { request: request.id, response: None }));
                } else {
                    let ms = self.latency_ms();
                    self.later(ms, Happening::ToGateway { request: request.id, method_path, body: request.body });
                }
            }
            Output::CancelHttp { .. } | Output::Plan { .. } => {}
            Output::OpenStream { stream, .. } => {
                self.lanes.insert(stream, self.now_ms);
                let ms = self.latency_ms();
                self.later(ms, Happening::ToClient(Input::StreamOpened { stream }));
            }
            Output::SendFrame { stream, frame } => {
                let ms = self.latency_ms();
                if frame["type"] == "join" {
                    self.later(ms, Happening::Joined { stream, frame });
                }
            }
            Output::CloseStream { stream } => {
                self.lanes.remove(&stream);
                self.later(1, Happening::StreamGone { stream });
            }
            Output::Chat(_) => {}
            Output::Settle { op, result } => self.settled(op, result),
            Output::Emit(event) => self.emitted_event(event),
        }
    }

    fn settled(&mut self, op: OpId, result: Result<Settled<Value>, engine::client::Error>) {
        let name = self.calls.remove(&op).expect("a call is settled once");
        match result {
            Ok(Settled::Sent { index, .. }) => self.acknowledged.push((name, index)),
            Ok(_) => self.events.push(format!("done {name}")),
            Err(error) => self.rejected.push((name, error.code)),
        }
    }

    fn emitted_event(&mut self, event: Event<Value>) {
        if let Event::Message(message) = &event {
            let index = message["$index"].as_u64().expect("every message has an index");
            // A chat that was loaded, not created, is shown from where it stood then.
            let loaded = self.events.iter().any(|event| event == "done load");
            let expected = self.emitted.last().map_or(if loaded { index } else { 1 }, |(last, _)| last + 1);
            assert_eq!(index, expected, "a message was lost, repeated or out of order");
            self.emitted.push((index, message.clone()));
        }
        self.events.extend(super::driver::in_words(&event));
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::ToClient(input) => self.feed(input),
            Happening::ToGateway { request, method_path, body } => self.serve(request, &method_path, body),
            Happening::Joined { stream, frame } => self.join(stream, &frame),
            Happening::StreamGone { stream } => self.session_input(gateway::Input::Leave { stream: u64::from(stream) }),
            Happening::CommitDone { epoch } => self.commit_done(epoch),
            Happening::Delivered { stream, epoch } => {
                if epoch == self.epoch {
                    self.session_input(gateway::Input::Delivered { stream });
                }
            }
            Happening::Work => self.work(),
        }
    }

    fn answer(&mut self, request: u32, status: u16, body: Value) {
        let lost = self.random.one_in(self.faults.lost_answer);
        let response = (!lost).then_some(Response { status, retry_after_ms: None, body: Some(body) });
        self.counts.lost_answers += u32::from(lost);
        let ms = self.latency_ms();
        self.later(ms, Happening::ToClient(Input::HttpDone { request, response }));
    }

    fn serve(&mut self, request: u32, method_path: &str, body: Option<Value>) {
        let body = body.unwrap_or_default();
        match method_path {
            "Post /api/v1/sessions" => {
                self.answer(
                    request,
                    200,
                    json!({"session_token": "s", "expires_in_ms": 900_000, "end_user": {"id": END_USER}}),
                );
            }
            "Post /api/v1/chats" => {
                let client_id = body["client_id"].as_str().expect("it has a key").to_owned();
                if self.store.created_with.as_ref() != Some(&client_id) {
                    assert!(self.store.created_with.is_none(), "this world has one chat");
                    let change = gateway::open(ChatState::new(END_USER, 1, Some(9), self.now_ms), &Echo, self.now_ms);
                    self.store.created_with = Some(client_id);
                    self.persist(change);
                }
                let chat = self.wire_state();
                self.answer(request, 201, json!({"chat": chat}));
            }
            "Get /api/v1/chats/ongoing" => {
                let chat = self.wire_state();
                self.answer(request, 200, json!({"chat": chat}));
            }
            "Post /api/v1/chats/1/messages" => {
                let client_id = body["client_id"].as_str().expect("it has a key").to_owned();
                self.command(
                    Actor::EndUser(END_USER),
                    Command::Send { client_id, body: body["message"].clone() },
                    Some((request, "send")),
                );
            }
            "Post /api/v1/chats/1/escalations" => {
                self.command(Actor::EndUser(END_USER), Command::Escalate, Some((request, "state")))
            }
            "Patch /api/v1/chats/1" => {
                self.command(Actor::EndUser(END_USER), Command::Finish, Some((request, "state")))
            }
            path if path.starts_with("Get /api/v1/chats/1/messages?after_index=") => {
                let after: u64 = path.split(['=', '&']).nth(1).and_then(|text| text.parse().ok()).expect("a number");
                let messages: Vec<Value> =
                    self.store.messages.iter().filter(|m| m.index > after).take(3).map(wire_message).collect();
                let last_index = self.store.messages.len();
                self.answer(request, 200, json!({"messages": messages, "last_index": last_index}));
            }
            other => panic!("the gateway of this world does not know {other}"),
        }
    }

    fn session(&mut self) -> Option<&mut ChatSession<Value, Echo>> {
        if self.session.is_none() {
            let state = self.store.state.clone()?;
            let sent: HashMap<SentKey, (u64, u64)> = self
                .store
                .messages
                .iter()
                .filter_map(|m| Some(((m.author, m.client_id.clone()?), (m.index, m.at_ms))))
                .collect();
            let limits = Limits { tail_messages: 2, batch_messages: 3, ..Limits::default() };
            self.session = Some(ChatSession::new(state, sent, Echo, limits));
        }
        self.session.as_mut()
    }

    fn command(&mut self, actor: Actor, command: Command<Value>, request: Option<(u32, &'static str)>) {
        self.steps += 1;
        let number = self.steps;
        if let Some(request) = request {
            self.waiting.insert(number, request);
        }
        self.session_input(gateway::Input::Command { request: number, actor, command });
    }

    fn join(&mut self, stream: u32, frame: &Value) {
        let cursor = frame["cursor"].as_u64().expect("a cursor");
        if self.lanes.contains_key(&stream) {
            self.session_input(gateway::Input::Join {
                stream: u64::from(stream),
                actor: Actor::EndUser(END_USER),
                cursor,
            });
        }
    }

    fn session_input(&mut self, input: gateway::Input<Value>) {
        let now_ms = self.now_ms;
        if let Some(session) = self.session() {
            session.handle(input, now_ms);
        }
        self.work();
    }

    /// Carries out what the gateway's session asks for.
    fn work(&mut self) {
        while let Some(output) = self.session.as_mut().and_then(ChatSession::poll) {
            match output {
                gateway::Output::Commit(change) => {
                    assert!(self.committing.is_none(), "one commit at a time");
                    self.committing = Some(change);
                    let (ms, epoch) = (1 + self.random.below(10), self.epoch);
                    self.later(ms, Happening::CommitDone { epoch });
                }
                gateway::Output::Reply { request, result } => {
                    if let Some((request, _)) = self.waiting.remove(&request) {
                        self.reply(request, result);
                    }
                }
                gateway::Output::Joined { stream, cursor, .. } => {
                    let chat = self.wire_state();
                    self.put_on_stream(
                        stream,
                        json!({"type": "joined", "chat": chat, "cursor": cursor, "heartbeat_ms": 600_000}),
                    );
                }
                gateway::Output::Refuse { stream, code } => {
                    self.put_on_stream(stream, json!({"type": "error", "code": code.as_str(), "message": "refused"}));
                }
                gateway::Output::Read { stream, after_index, limit } => {
                    let messages = self
                        .store
                        .messages
                        .iter()
                        .filter(|m| m.index > after_index)
                        .take(limit as usize)
                        .cloned()
                        .collect();
                    let now_ms = self.now_ms;
                    if let Some(session) = self.session.as_mut() {
                        session.handle(gateway::Input::ReadDone { stream, messages: Some(messages) }, now_ms);
                    }
                }
                gateway::Output::Deliver { stream, messages, state } => {
                    let mut frame =
                        json!({"type": "update", "messages": messages.iter().map(wire_message).collect::<Vec<_>>()});
                    if let Some(state) = state {
                        frame["chat"] = wire_chat(&state);
                    }
                    self.put_on_stream(stream, frame);
                    let (ms, epoch) = (self.latency_ms(), self.epoch);
                    self.later(ms, Happening::Delivered { stream, epoch });
                }
                gateway::Output::Typing { .. } | gateway::Output::Preview { .. } | gateway::Output::Changed(_) => {}
                gateway::Output::Stop => self.session = None,
            }
        }
    }

    fn reply(&mut self, request: u32, result: Result<Done, ErrorCode>) {
        match result {
            Ok(Done::Sent { index, at_ms, duplicate }) => {
                self.answer(request, if duplicate { 200 } else { 201 }, json!({"index": index, "timestamp_ms": at_ms}));
            }
            Ok(Done::State(state)) => self.answer(request, 200, json!({"chat": wire_chat(&state)})),
            Err(code) => {
                let status = if code == ErrorCode::Unavailable { 503 } else { 409 };
                self.answer(request, status, json!({"error": {"code": code.as_str(), "message": "refused"}}));
            }
        }
    }

    fn commit_done(&mut self, epoch: u64) {
        if epoch != self.epoch {
            return;
        }
        let Some(change) = self.committing.take() else { return };
        if self.random.one_in(self.faults.failed_commit) {
            self.counts.failed_commits += 1;
            // Whether it reached the disk all the same, nobody knows.
            if self.random.one_in(2) {
                self.persist(change);
            }
            self.session_input(gateway::Input::CommitFailed);
        } else {
            self.persist(change);
            self.session_input(gateway::Input::Committed);
        }
        self.later(0, Happening::Work);
    }

    fn persist(&mut self, change: Change<Value>) {
        let revision = self.store.state.as_ref().map_or(0, |state| state.revision);
        assert_eq!(change.state.revision, revision + 1, "a change follows the one before");
        for message in &change.messages {
            assert_eq!(message.index, self.store.messages.len() as u64 + 1, "indexes have no gap");
            self.store.messages.push(message.clone());
        }
        self.store.state = Some(ChatState { id: 1, ..change.state });
    }

    /// A frame to the client, in order, unless the stream is cut on the way.
    fn put_on_stream(&mut self, stream: u64, frame: Value) {
        let stream = stream as u32;
        let Some(free_ms) = self.lanes.get(&stream).copied() else { return };
        if self.random.one_in(self.faults.cut_stream) {
            self.counts.cut_streams += 1;
            self.lanes.remove(&stream);
            self.later(1, Happening::ToClient(Input::StreamClosed { stream, code: 1006 }));
            self.later(2, Happening::StreamGone { stream });
            return;
        }
        let at_ms = free_ms.max(self.now_ms + self.latency_ms());
        self.lanes.insert(stream, at_ms);
        self.later(at_ms - self.now_ms, Happening::ToClient(Input::StreamFrame { stream, frame: Some(frame) }));
    }

    fn wire_state(&self) -> Value {
        self.store.state.as_ref().map_or(Value::Null, wire_chat)
    }
}

fn wire_chat(state: &ChatState) -> Value {
    let agent = state.agent_id.map(|id| json!({"type": "agent", "id": id, "display_name": "Ada"}));
    let virtual_agent =
        state.virtual_agent_id.map(|id| json!({"type": "virtual_agent", "id": id, "display_name": "Pia"}));
    let members: Vec<Value> = [agent, virtual_agent].into_iter().flatten().collect();
    json!({
        "id": state.id, "status": state.status.as_str(), "revision": state.revision, "last_index": state.last_index, "members": members,
    })
}

fn wire_message(message: &Message<Value>) -> Value {
    let (kind, id) = message.author.parts();
    let mut body = message.body.clone();
    body["$index"] = json!(message.index);
    body["$userType"] = json!(kind);
    body["$userId"] = json!(id);
    if let Some(client_id) = &message.client_id {
        body["client_id"] = json!(client_id);
    }
    body
}

/// What an author said, in the order of the store.
pub(crate) fn said_by(messages: &[Message<Value>], author: Author) -> Vec<String> {
    let said = messages.iter().filter(|message| message.author == author);
    said.filter_map(|message| message.body["content"].as_str().map(str::to_owned)).collect()
}

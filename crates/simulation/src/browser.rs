//! Browsers: a profile is the storage and network of one person's browser, a tab is a window in it, and a page is what is loaded in the tab
//! until it is reloaded. Each page has a client engine of its own and drives it as the SDK's pump does: one input, then every output.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use engine::client::{
    Answer, BackoffOptions, Call, Client, Config, DeliveryState, Event, FILE_FIELD, Input, Method, OpId, Output, Plan,
    RequestId, Scope, Settled, StreamId,
};
use engine::gateway::{Author, PostSessionStatus};
use wire::{Document, ErrorCode};

use crate::document::Doc;
use crate::faults::Fault;
use crate::gateway::ReplyTo;
use crate::ledger::{Fate, Sender, Tag, text_of};
use crate::locks::Locks;
use crate::network::{ConnectionId, Link};
use crate::random::Random;
use crate::world::{Happening, World};

/// A browser profile.
pub(crate) struct Profile {
    /// Whom the site's token names; empty for nobody.
    pub(crate) identifier: String,
    pub(crate) storage: BTreeMap<String, String>,
    /// The keys of the messages whose files are kept.
    pub(crate) files: BTreeSet<String>,
    pub(crate) full_until_ms: u64,
    pub(crate) refused_until_ms: u64,
    pub(crate) link: Link,
    /// How far its clock is ahead of the world's time. A page takes note of it when it is loaded.
    pub(crate) clock_ahead_ms: u64,
    /// Until when the site gives no token.
    pub(crate) no_tokens_until_ms: u64,
    /// Chats that were asked for, which the people of this world do not do without end.
    pub(crate) creations: u32,
    /// The locks of its pages.
    pub(crate) locks: Locks,
}

impl Profile {
    pub(crate) fn new(identifier: String) -> Self {
        Profile {
            identifier,
            storage: BTreeMap::new(),
            files: BTreeSet::new(),
            full_until_ms: 0,
            refused_until_ms: 0,
            link: Link::default(),
            clock_ahead_ms: 3_600_000,
            no_tokens_until_ms: 0,
            creations: 0,
            locks: Locks::default(),
        }
    }
}

/// A call of the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Create,
    Load,
    Send(Tag),
    /// `fetchMessages`, when listeners had seen everything before this index.
    Fetch(u64),
    /// A word of someone who waits.
    Wait(Wish),
    Other,
}

/// What someone who waits says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// `notifyCheckInState`.
    Notify,
    /// `checkIn`.
    CheckIn,
    /// `rejoinChat`.
    Rejoin,
    /// `updatePostSession`, with what the end user chose.
    Follow(PostSessionStatus, Option<bool>),
}

impl Wish {
    /// The request, as the package's chunk works it out.
    fn plan(self) -> Plan<Doc> {
        let state = |state: &str| ("/check_in", Doc::object(vec![("state", Doc::string(state))]));
        let (path, body) = match self {
            Wish::Notify => state("notified"),
            Wish::CheckIn => state("confirmed"),
            Wish::Rejoin | Wish::Follow(..) => ("/rejoin", Doc::object(Vec::new())),
        };
        if let Wish::Follow(to, opted_in) = self {
            let mut fields = vec![("status", Doc::string(to.as_str()))];
            fields.extend(opted_in.map(|opted_in| ("opt_in_selection", Doc::flag(opted_in))));
            let body = Some(Doc::object(fields));
            let path = "/post_session".to_owned();
            return Plan { method: Method::Patch, scope: Scope::Chat, path, body, answer: Answer::Any };
        }
        Plan { method: Method::Post, scope: Scope::Chat, path: path.to_owned(), body: Some(body), answer: Answer::Json }
    }
}

/// A request that is not answered.
struct InFlight {
    is_exchange: bool,
    is_post: bool,
}

/// What the application's listeners have seen.
#[derive(Default)]
pub(crate) struct View {
    pub(crate) chat: Option<u64>,
    last_index_at_attach: u64,
    /// The index that listeners must see next.
    pub(crate) next: Option<u64>,
    pub(crate) ended: bool,
}

/// A tab with the page in it.
pub(crate) struct Tab {
    pub(crate) profile: usize,
    /// Counts the pages that were loaded in it.
    pub(crate) page: u32,
    pub(crate) client: Option<Client<Doc>>,
    /// How far the page's clock is ahead of the world's time.
    clock_ahead_ms: u64,
    inputs: VecDeque<Input<Doc>>,
    pub(crate) frozen: bool,
    held: VecDeque<Input<Doc>>,
    pub(crate) hidden_until_ms: u64,
    ticks_at_ms: Option<u64>,
    last_op: OpId,
    pub(crate) ops: BTreeMap<OpId, Op>,
    requests: BTreeMap<RequestId, InFlight>,
    /// Files on their way, by the message's key.
    pub(crate) uploads: BTreeSet<String>,
    pub(crate) stream: Option<(StreamId, ConnectionId)>,
    pub(crate) newest_arrived: u64,
    /// Since when it has or wants a lock.
    pub(crate) lock_asked_ms: Option<u64>,
    /// The stream that was last asked to be joined, and from where.
    joining: Option<(StreamId, u64)>,
    /// The end user of its session.
    pub(crate) end_user: Option<u64>,
    pub(crate) view: View,
    /// What storage refused lives as long as the page.
    memory: BTreeMap<String, String>,
    /// The message that the call in hand sends.
    sending: Option<Tag>,
    /// The gateway asked not to be sent messages before this time.
    posts_from_ms: u64,
}

impl Tab {
    /// A grant that the page has not heard of yet is given back unheard, as `src/web/locks.rs` does.
    pub(crate) fn forget_grants(&mut self) {
        self.held.retain(|input| !matches!(input, Input::Locked { .. }));
        self.inputs.retain(|input| !matches!(input, Input::Locked { .. }));
    }

    pub(crate) fn new(profile: usize) -> Self {
        Tab {
            profile,
            page: 0,
            client: None,
            clock_ahead_ms: 0,
            inputs: VecDeque::new(),
            frozen: false,
            held: VecDeque::new(),
            hidden_until_ms: 0,
            ticks_at_ms: None,
            last_op: 0,
            ops: BTreeMap::new(),
            requests: BTreeMap::new(),
            uploads: BTreeSet::new(),
            stream: None,
            newest_arrived: 0,
            lock_asked_ms: None,
            joining: None,
            end_user: None,
            view: View::default(),
            memory: BTreeMap::new(),
            sending: None,
            posts_from_ms: 0,
        }
    }

    /// Whether the application can do something in it.
    pub(crate) fn is_awake(&self) -> bool {
        self.client.is_some() && !self.frozen
    }
}

/// The length of every picture.
pub(crate) const FILE_BYTES: u64 = 1000;

/// More requests of one page at a time than any sound run has.
const MOST_REQUESTS: usize = 64;

fn config(random: &mut Random) -> Config {
    Config {
        company_id: "acme".into(),
        gateway: "https://chat".into(),
        lang: None,
        send_timeout_ms: random.between(30, 120) * 1000,
        call_timeout_ms: random.between(5, 15) * 1000,
        // Sometimes too little for what is on its way.
        history_limit: if random.one_in(4) { 5 } else { 1000 },
        backoff: BackoffOptions { initial_ms: 500, max_ms: 5_000 },
        connect_timeout_ms: random.between(3, 10) * 1000,
        probe_timeout_ms: random.between(1, 5) * 1000,
        server_sent_events: !random.one_in(4),
    }
}

/// The end user in the name of stored messages, where a prefix names one.
fn owner_of(prefix: &str) -> Option<u64> {
    let mut parts = prefix.split('|').skip_while(|part| *part != "outbox");
    parts.nth(1)?.parse().ok()
}

impl World {
    /// Loads a page in a tab.
    pub(crate) fn open_tab(&mut self, tab: usize) {
        if self.tabs[tab].client.is_some() {
            return;
        }
        self.note(|| format!("tab {tab}: opens"));
        let mut random = self.random.fork();
        let config = config(&mut random);
        let clock_ahead_ms = self.profiles[self.tabs[tab].profile].clock_ahead_ms;
        let former = &self.tabs[tab];
        let (profile, page) = (former.profile, former.page + 1);
        self.tabs[tab] = Tab {
            page,
            clock_ahead_ms,
            client: Some(Client::new(config, Box::new(move || random.bits()))),
            ..Tab::new(profile)
        };
        self.tell_page(tab, page, Input::Start);
    }

    /// Takes a page away, with everything that it had under way.
    pub(crate) fn unload_tab(&mut self, tab: usize) {
        self.release_locks(tab);
        let entry = &mut self.tabs[tab];
        entry.client = None;
        entry.frozen = false;
        let stream = entry.stream.take();
        let sender = Sender::Page(tab, entry.page);
        for sent in self.ledger.sends.iter_mut().filter(|sent| sent.sender == sender && sent.fate == Fate::Open) {
            sent.orphan = true;
        }
        if let Some((_, connection)) = stream {
            self.leave_stream(connection);
        }
    }

    pub(crate) fn thaw(&mut self, tab: usize) {
        if !std::mem::replace(&mut self.tabs[tab].frozen, false) {
            return;
        }
        self.note(|| format!("tab {tab}: thaws"));
        let page = self.tabs[tab].page;
        // One at a time: what one of them leads to may take another back.
        while let Some(input) = self.tabs[tab].held.pop_front() {
            self.tell_page(tab, page, input);
        }
        self.tell_page(tab, page, Input::Wake);
    }

    pub(crate) fn answer_arrives(&mut self, reply_to: ReplyTo, response: Option<engine::client::Response<Doc>>) {
        let ReplyTo { tab, page, request } = reply_to;
        let entry = &mut self.tabs[tab];
        // A request that was cancelled is no longer listed.
        if entry.page != page || entry.client.is_none() || !entry.requests.contains_key(&request) {
            return;
        }
        self.tell_page(tab, page, Input::HttpDone { request, response });
    }

    /// Hands an input to a page, or keeps it while the page is frozen.
    pub(crate) fn tell_page(&mut self, tab: usize, page: u32, input: Input<Doc>) {
        let entry = &mut self.tabs[tab];
        if entry.page != page || entry.client.is_none() {
            return;
        }
        if entry.frozen {
            return entry.held.push_back(input);
        }
        entry.inputs.push_back(input);
        while let Some(input) = self.tabs[tab].inputs.pop_front() {
            for output in self.step(tab, input) {
                self.perform_for(tab, output);
            }
        }
        self.plan_tick(tab);
    }

    fn step(&mut self, tab: usize, input: Input<Doc>) -> Vec<Output<Doc>> {
        self.before_input(tab, &input);
        let now_ms = self.now_ms;
        let entry = &mut self.tabs[tab];
        let Some(client) = entry.client.as_mut() else { return Vec::new() };
        client.handle(input, now_ms + entry.clock_ahead_ms);
        std::iter::from_fn(|| client.poll()).collect()
    }

    /// Keeps the books before the engine hears of it.
    fn before_input(&mut self, tab: usize, input: &Input<Doc>) {
        if let Input::Call { op: _, call: Call::Send { .. } } = input {
            return;
        }
        self.tabs[tab].sending = None;
        self.rewound(tab, input);
        let now_ms = self.now_ms;
        let entry = &mut self.tabs[tab];
        if let Input::HttpDone { request, response } = input
            && let Some(in_flight) = entry.requests.remove(request)
        {
            let body = response.as_ref().and_then(|response| response.body.as_ref());
            if in_flight.is_exchange
                && let Some(id) = body.and_then(|body| body.field("end_user")?.count("id"))
            {
                entry.end_user = Some(id);
            }
            if in_flight.is_post
                && let Some(retry_after_ms) = response.as_ref().and_then(|response| response.retry_after_ms)
            {
                entry.posts_from_ms = entry.posts_from_ms.max(now_ms + retry_after_ms);
            }
        }
    }

    /// The gateway says that its store lost messages. It may only say so where another process wrote beside it.
    fn rewound(&mut self, tab: usize, input: &Input<Doc>) {
        let Input::StreamFrame { stream, frame: Some(frame) } = input else { return };
        let cursor = frame.count("cursor").filter(|_| frame.text("type").as_deref() == Some("joined"));
        let former_process_wrote = self.former_process_wrote;
        let asked = self.tabs[tab].joining.filter(|(other, _)| other == stream).map(|(_, cursor)| cursor);
        let view = &mut self.tabs[tab].view;
        let (Some(cursor), Some(asked), Some(next)) = (cursor, asked, view.next) else { return };
        if cursor < asked {
            view.next = Some(next.min(cursor + 1));
            if !former_process_wrote {
                self.wrong(format!("lost: the gateway goes back to {cursor} for tab {tab}, which has {asked}"));
            }
        }
    }

    fn plan_tick(&mut self, tab: usize) {
        let now_ms = self.now_ms;
        let entry = &mut self.tabs[tab];
        let Some(due_ms) = entry.client.as_ref().and_then(Client::next_timeout_ms) else { return };
        let mut at_ms = due_ms.saturating_sub(entry.clock_ahead_ms).max(now_ms);
        if entry.hidden_until_ms > now_ms {
            // Timers of a hidden page fire once a second.
            at_ms = at_ms.div_ceil(1000) * 1000;
        }
        if entry.ticks_at_ms.is_some_and(|planned_ms| planned_ms <= at_ms) {
            return;
        }
        entry.ticks_at_ms = Some(at_ms);
        let page = entry.page;
        self.agenda.plan(at_ms, Happening::TabTick { tab, page });
    }

    pub(crate) fn tab_tick(&mut self, tab: usize, page: u32) {
        let entry = &mut self.tabs[tab];
        if entry.page != page || entry.ticks_at_ms.is_none_or(|at_ms| at_ms > self.now_ms) {
            return;
        }
        entry.ticks_at_ms = None;
        self.tell_page(tab, page, Input::Tick);
    }

    fn perform_for(&mut self, tab: usize, output: Output<Doc>) {
        match output {
            Output::Load { prefix } => self.load(tab, prefix),
            Output::Store { key, value } => self.store_value(tab, key, value),
            Output::Forget { key } => {
                self.tabs[tab].memory.remove(&key);
                let profile = self.tabs[tab].profile;
                self.profiles[profile].storage.remove(&key);
                self.profiles[profile].files.remove(&key);
            }
            Output::ForgetOthers { prefix, keep } => {
                let is_other = |key: &String| key.starts_with(&prefix) && !key.starts_with(&keep);
                self.forgotten(tab, &is_other);
                self.tabs[tab].memory.retain(|key, _| !is_other(key));
                let profile = self.tabs[tab].profile;
                self.profiles[profile].storage.retain(|key, _| !is_other(key));
                self.profiles[profile].files.retain(|key| !is_other(key));
            }
            Output::Authenticate => self.authenticate(tab),
            Output::Http(request) => {
                let is_post = request.path.ends_with("/messages") && request.body.is_some();
                self.note(|| format!("tab {tab}: #{} {}", request.id, crate::network::in_words(&request)));
                if is_post {
                    self.check_post(tab, &request);
                }
                let is_exchange = request.path == "/api/v1/sessions";
                self.tabs[tab].requests.insert(request.id, InFlight { is_exchange, is_post });
                self.send_request(tab, request);
            }
            // Nobody here makes a call that a driver works out.
            Output::Plan { request, op } => {
                let plan = match self.tabs[tab].ops.get(&op) {
                    Some(Op::Wait(wish)) => Some(wish.plan()),
                    _ => None,
                };
                self.tabs[tab].inputs.push_back(Input::Planned { request, plan: Ok(plan) });
            }
            Output::CancelHttp { request } => drop(self.tabs[tab].requests.remove(&request)),
            Output::OpenStream { stream, transport } => self.open_stream(tab, stream, transport),
            Output::Lock { name } => self.ask_for_lock(tab, name),
            Output::Unlock => self.unlock(tab),
            Output::KeepFile { key, .. } => self.keep_file(tab, key),
            Output::Upload { client_id, key, file, form, .. } => {
                self.upload(tab, client_id, &key, file.is_some(), &form)
            }
            Output::CancelUpload { client_id } => drop(self.tabs[tab].uploads.remove(&client_id)),
            Output::SendFrame { stream, frame } => {
                if let Some((open, connection)) = self.tabs[tab].stream
                    && open == stream
                {
                    if let Some(cursor) = frame.count("cursor") {
                        self.tabs[tab].joining = Some((stream, cursor));
                    }
                    self.send_up(connection, frame);
                }
            }
            Output::CloseStream { stream } => {
                if let Some((open, connection)) = self.tabs[tab].stream
                    && open == stream
                {
                    self.tabs[tab].stream = None;
                    self.leave_stream(connection);
                }
            }
            Output::Chat(chat) => self.chat_is(tab, chat),
            Output::Settle { op, result } => self.settled(tab, op, result),
            Output::Emit(event) => self.heard(tab, event),
        }
    }

    /// What another end user wrote is wiped, and not promised any more.
    fn forgotten(&mut self, tab: usize, is_other: &dyn Fn(&String) -> bool) {
        let keys = self.profiles[self.tabs[tab].profile].storage.keys().filter(|key| is_other(key));
        let tags: Vec<Tag> = keys.filter_map(|key| self.tag_of_key(key)).collect();
        for tag in tags {
            if let Some(sent) = self.ledger.get(tag) {
                sent.kept = false;
            }
        }
    }

    /// The message that is stored under a key.
    pub(crate) fn tag_of_key(&self, key: &str) -> Option<Tag> {
        key.rsplit('|').find_map(|part| self.ledger.by_client_id(part))
    }

    fn load(&mut self, tab: usize, prefix: String) {
        if let Some(owner) = owner_of(&prefix)
            && self.tabs[tab].end_user != Some(owner)
        {
            self.wrong(format!("tab {tab} reads what belongs to end user {owner}"));
        }
        let mine = |(key, value): (&String, &String)| key.starts_with(&prefix).then(|| (key.clone(), value.clone()));
        let profile = &self.profiles[self.tabs[tab].profile];
        let refused = profile.refused_until_ms > self.now_ms;
        let mut entries: Vec<(String, String)> = self.tabs[tab].memory.iter().filter_map(mine).collect();
        if !refused {
            entries.extend(profile.storage.iter().filter_map(mine));
        }
        let inputs = &mut self.tabs[tab].inputs;
        if refused {
            inputs.push_back(Input::StorageFailed);
        }
        inputs.push_back(Input::Loaded { prefix, entries });
    }

    fn store_value(&mut self, tab: usize, key: String, value: String) {
        let now_ms = self.now_ms;
        let profile = &mut self.profiles[self.tabs[tab].profile];
        let fails = profile.refused_until_ms > now_ms || profile.full_until_ms > now_ms;
        if fails {
            self.tabs[tab].memory.insert(key, value);
            self.tabs[tab].inputs.push_back(Input::StorageFailed);
        } else {
            profile.storage.insert(key, value);
            let sending = self.tabs[tab].sending;
            if let Some(sent) = sending.and_then(|tag| self.ledger.get(tag)) {
                sent.kept = true;
            }
        }
    }

    fn authenticate(&mut self, tab: usize) {
        let page = self.tabs[tab].page;
        let ms = self.random.between(5, 200);
        let profile = &self.profiles[self.tabs[tab].profile];
        let fails = profile.no_tokens_until_ms > self.now_ms;
        let token = if fails { Err(()) } else { Ok(format!("jwt/{}", profile.identifier)) };
        if fails {
            self.count(Fault::AuthenticateFailed);
        }
        self.later(ms, Happening::Authenticated { tab, page, token });
    }

    /// A message leaves for the gateway.
    fn check_post(&mut self, tab: usize, request: &engine::client::Request<Doc>) {
        if self.tabs[tab].posts_from_ms > self.now_ms {
            let ms = self.tabs[tab].posts_from_ms - self.now_ms;
            self.wrong(format!("tab {tab} sends {ms} ms before the gateway's Retry-After is over"));
        }
        let client_id = request.body.as_ref().and_then(|body| body.text("client_id"));
        let tag = client_id.and_then(|client_id| self.ledger.by_client_id(&client_id));
        let page = Sender::Page(tab, self.tabs[tab].page);
        if let Some(sent) = tag.and_then(|tag| self.ledger.get(tag)) {
            let foreign = sent.sender != page;
            sent.adopted |= foreign;
            if foreign && !self.may_send_of_others(tab) {
                self.wrong(format!("tab {tab} sends what another page wrote, without the lock"));
            }
        } else {
            self.wrong(format!("tab {tab} sends a message under a key that it did not announce"));
        }
    }

    fn chat_is(&mut self, tab: usize, chat: Option<(u64, Doc)>) {
        let view = &mut self.tabs[tab].view;
        let Some((id, state)) = chat else {
            *view = View::default();
            return;
        };
        if matches!(state.text("post_session_transfer_status").as_deref(), Some("in_progress" | "waiting")) {
            // There is more to hear after the end.
            view.ended = false;
        }
        if view.chat != Some(id) {
            let last_index_at_attach = state.count("last_index").unwrap_or(0);
            *view = View { chat: Some(id), last_index_at_attach, next: None, ended: false };
        }
    }

    fn settled(&mut self, tab: usize, op: OpId, result: Result<Settled<Doc>, engine::client::Error>) {
        self.note(|| {
            format!("tab {tab}: settles {:?} with {}", self.tabs[tab].ops.get(&op), settled_in_words(&result))
        });
        let Some(op) = self.tabs[tab].ops.remove(&op) else {
            return self.wrong(format!("tab {tab}: a call is settled twice"));
        };
        match (op, result) {
            (Op::Send(tag), Ok(Settled::Sent { index, .. })) => {
                let check = self.ledger.acknowledge(tag, None, index);
                self.check(check);
            }
            (Op::Send(tag), Err(error)) => {
                self.check_refusal(tab, &error);
                self.ledger.reject(tag);
            }
            (Op::Create | Op::Load, Ok(Settled::Chat { id, .. })) => {
                let view = &mut self.tabs[tab].view;
                if view.chat == Some(id) && view.next.is_none() {
                    // A chat that was created is shown from its beginning, one that was loaded from where it stood.
                    view.next = Some(if op == Op::Create { 1 } else { view.last_index_at_attach + 1 });
                }
            }
            (Op::Fetch(seen), Ok(Settled::Messages(messages))) => self.fetched(tab, seen, &messages),
            (Op::Create | Op::Load | Op::Wait(_) | Op::Other, Ok(_)) | (_, Err(_)) => {}
            (Op::Send(tag), Ok(Settled::NotSent)) => self.ledger.reject(tag),
            (op, Ok(_)) => self.wrong(format!("tab {tab}: {op:?} is settled with something else")),
        }
    }

    fn fetched(&mut self, tab: usize, seen: u64, messages: &[Doc]) {
        let Some(chat_id) = self.tabs[tab].view.chat else { return };
        for (place, message) in messages.iter().enumerate() {
            let index = message.count("$index").unwrap_or(0);
            if index != place as u64 + 1 {
                return self.wrong(format!("tab {tab}: fetchMessages gives {index} in place {}", place + 1));
            }
            let check = self.ledger.shown(chat_id, index, message.text("content").as_deref());
            self.check(check);
        }
        let last = messages.len() as u64;
        if last == 0 {
            return;
        }
        if last + 1 < seen {
            self.wrong(format!("tab {tab}: fetchMessages ends at {last} after listeners saw {}", seen - 1));
        }
        let view = &mut self.tabs[tab].view;
        view.next = view.next.map(|next| next.max(last + 1));
    }

    fn heard(&mut self, tab: usize, event: Event<Doc>) {
        match event {
            Event::Message(message) => self.message_heard(tab, &message),
            Event::ChatEnded => self.tabs[tab].view.ended = true,
            Event::Delivery(delivery) => {
                self.note(|| format!("tab {tab}: {} {:?}", delivery.client_id, delivery.state));
                let sending = self.tabs[tab].sending.take();
                if let Some(tag) = sending.filter(|_| delivery.state == DeliveryState::Queued) {
                    self.ledger.name(tag, &delivery.client_id);
                }
                let Some(tag) = self.ledger.by_client_id(&delivery.client_id) else {
                    return self.wrong(format!("tab {tab}: a delivery nobody asked for"));
                };
                match delivery.state {
                    DeliveryState::Sent { index } => {
                        let check = self.ledger.acknowledge(tag, None, index);
                        self.check(check);
                    }
                    DeliveryState::Failed(error) => {
                        self.check_refusal(tab, &error);
                        self.ledger.reject(tag);
                    }
                    DeliveryState::Queued | DeliveryState::Sending => {}
                }
            }
            Event::Error(error) => self.note(|| format!("tab {tab}: error {}: {}", error.code.as_str(), error.message)),
            Event::Connection(state) => self.note(|| format!("tab {tab}: connection {}", state.as_str())),
            _ => {}
        }
    }

    fn message_heard(&mut self, tab: usize, message: &Doc) {
        self.ledger.messages.shown += 1;
        let index = message.count("$index").unwrap_or(0);
        self.note(|| format!("tab {tab}: message {index} {:?}", message.text("content")));
        let entry = &self.tabs[tab];
        let (Some(chat_id), Some(next)) = (entry.view.chat, entry.view.next) else {
            return self.wrong(format!("tab {tab}: message {index} is shown without a chat"));
        };
        if index != next {
            let what = if index < next { "repeated" } else { "lost" };
            return self.wrong(format!("{what}: tab {tab} shows message {index} where {next} is next"));
        }
        let owner = self.ledger.chats.get(&chat_id).map(|truth| truth.state.end_user_id);
        if owner != entry.end_user {
            self.wrong(format!("tab {tab} shows a chat of end user {owner:?} to {:?}", self.tabs[tab].end_user));
        }
        let check = self.ledger.shown(chat_id, index, message.text("content").as_deref());
        self.check(check);
        self.tabs[tab].view.next = Some(next + 1);
    }

    /// The application calls.
    pub(crate) fn call(&mut self, tab: usize, op: Op, call: Call<Doc>) {
        let entry = &mut self.tabs[tab];
        entry.last_op += 1;
        let (id, page) = (entry.last_op, entry.page);
        entry.ops.insert(id, op);
        entry.sending = if let Op::Send(tag) = op { Some(tag) } else { None };
        self.note(|| format!("tab {tab}: calls {op:?}"));
        self.tell_page(tab, page, Input::Call { op: id, call });
    }

    /// The customer sends a text.
    pub(crate) fn say(&mut self, tab: usize) {
        let entry = &self.tabs[tab];
        let author = Author::EndUser(entry.end_user.unwrap_or(0));
        let tag = self.ledger.ask(Sender::Page(tab, entry.page), author);
        let (message, file) = if self.random.one_in(8) {
            let described = vec![
                ("name", Doc::string("picture")),
                ("content_type", Doc::string("image/png")),
                ("size", Doc::number(FILE_BYTES)),
            ];
            let message = Doc::object(vec![("type", Doc::string("photo")), (FILE_FIELD, Doc::object(described))]);
            (message, Some(Doc::string("picture")))
        } else {
            let text = Doc::string(&text_of(tag));
            (Doc::object(vec![("type", Doc::string("text")), ("content", text)]), None)
        };
        self.call(tab, Op::Send(tag), Call::Send { chat_id: None, message, file });
    }

    /// A message is given up for a reason that lies outside the client, or because somebody wants it so.
    fn check_refusal(&mut self, tab: usize, error: &engine::client::Error) {
        if matches!(error.code, ErrorCode::InvalidArgument | ErrorCode::Protocol | ErrorCode::Internal) {
            self.wrong(format!("tab {tab}: a message is refused as {}", error.code.as_str()));
        }
    }

    /// A message may only arrive under the end user who wrote it.
    pub(crate) fn check_author(&mut self, end_user_id: u64, client_id: &str, message: &Doc) {
        let by_text = message.text("content").as_deref().and_then(crate::ledger::tag_of);
        let tag = by_text.or_else(|| self.ledger.by_client_id(client_id));
        let Some(author) = tag.and_then(|tag| self.ledger.get(tag)).map(|sent| sent.author) else {
            return self.wrong("the gateway is sent a message that nobody wrote");
        };
        if author != Author::EndUser(end_user_id) {
            self.wrong(format!("a message of {author:?} arrives under end user {end_user_id}"));
        }
    }

    /// Nothing in a page grows without bound.
    pub(crate) fn pages_within_bounds(&self) -> bool {
        self.tabs.iter().all(|tab| tab.requests.len() <= MOST_REQUESTS + tab.ops.len())
    }
}

fn settled_in_words(result: &Result<Settled<Doc>, engine::client::Error>) -> String {
    match result {
        Ok(Settled::Messages(messages)) => format!("{} messages", messages.len()),
        Ok(Settled::Sent { index, .. }) => format!("index {index}"),
        Ok(Settled::Chat { id, .. }) => format!("chat {id}"),
        Ok(_) => "success".to_owned(),
        Err(error) => error.code.as_str().to_owned(),
    }
}

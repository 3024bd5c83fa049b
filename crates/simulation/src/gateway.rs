//! The gateway's process: the engine's session of each chat over the simulated disk, and around it what the real gateway does with requests
//! and streams (`docs/protocol.md`). Its futures are polled by hand; a crash forgets everything in here, and only the disk remains.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use engine::client::{Method, Request, Response};
use engine::gateway::{Actor, CheckInAnswer, Command, Input, PostSessionStatus, PostSessionStep};
use store::{
    ChatRecord, Commit, EMBEDDED_PLATFORM, EndUserKey, MessageBody, NewChat, Overdue, PageLimit, Profile, Store,
    StoreError, Waiting,
};
use wire::{Document, ErrorCode, close};

use crate::chats::{AnswerTo, Host, Loaded, Mail, first_state, opening, present, rendered};
use crate::disk::Outcome;
use crate::document::Doc;
use crate::faults::Fault;
use crate::files::Upload;
use crate::network::ConnectionId;
use crate::random::Random;
use crate::world::{Happening, World};

/// Whom an answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReplyTo {
    pub(crate) tab: usize,
    pub(crate) page: u32,
    pub(crate) request: u32,
}

/// The gateway's end of a stream.
pub(crate) struct GatewayEnd {
    pub(crate) open: bool,
    /// The life of the process that accepted it.
    pub(crate) life: u32,
    pub(crate) chat_id: Option<u64>,
    opened_ms: u64,
    heard_ms: u64,
    sent_ms: u64,
    asked_ms: Option<u64>,
    expires_at_ms: Option<u64>,
    /// Deliveries that a dead connection has swallowed.
    swallowed: u32,
    /// The client can speak on it; not so on server-sent events.
    two_way: bool,
}

impl GatewayEnd {
    pub(crate) fn new(life: u32) -> Self {
        GatewayEnd {
            open: false,
            life,
            chat_id: None,
            opened_ms: 0,
            heard_ms: 0,
            sent_ms: 0,
            asked_ms: None,
            expires_at_ms: None,
            swallowed: 0,
            two_way: true,
        }
    }
}

/// How a task of the gateway ends.
pub(crate) enum TaskEnd {
    /// With an answer to a request.
    Answer(Option<ReplyTo>, Response<Doc>),
    /// With a chat, as far as there is one.
    Loaded(u64, Box<Result<Option<Loaded>, StoreError>>),
    /// With a command whose file is there.
    Command(Option<ReplyTo>, u64, Actor, Command<MessageBody>),
    /// With a file that is stored, or not.
    File(u64, bool),
    /// With the chats whose timers may be due.
    Quiet(Vec<u64>),
    /// With the queues as they stand.
    Places(Vec<Waiting>),
    /// With what a chat's session waits for; `true` where the chat was at another revision.
    Input(u64, Input<MessageBody>, bool),
}

type Task = Pin<Box<dyn Future<Output = TaskEnd>>>;

pub(crate) struct Gateway {
    /// New connections are accepted.
    pub(crate) listens: bool,
    /// Requests in hand are carried out.
    runs: bool,
    /// Counts processes: what a former one began means nothing to the next.
    pub(crate) life: u32,
    /// How far the machine's clock is ahead of the world's time.
    pub(crate) clock_ahead_ms: u64,
    pub(crate) hosts: BTreeMap<u64, Host>,
    tasks: BTreeMap<u64, Task>,
    pub(crate) last_number: u64,
    /// Files that are being written, and whom to tell.
    pub(crate) receiving: BTreeMap<u64, Upload>,
    /// Requests that are not answered.
    pub(crate) serving: BTreeMap<u64, Option<ReplyTo>>,
    heartbeat_ms: u64,
    session_lifetime_ms: u64,
    page_messages: u64,
    pub(crate) limits: engine::gateway::Limits,
}

/// How long a stream may take to say `join`.
const JOIN_TIMEOUT_MS: u64 = 10_000;
/// What is written past a reader that no longer reads.
const SOCKET_BUFFER_FRAMES: u32 = 3;
/// Two hours: enough for the clock to be set back several times.
const CLOCK_START_MS: u64 = 7_200_000;

impl Gateway {
    pub(crate) fn new(random: &mut Random) -> Self {
        let session_lifetime_ms = *[20_000, 60_000, 900_000].get(random.position(3)).unwrap_or(&900_000);
        Gateway {
            listens: true,
            runs: true,
            life: 0,
            clock_ahead_ms: CLOCK_START_MS,
            hosts: BTreeMap::new(),
            tasks: BTreeMap::new(),
            last_number: 0,
            receiving: BTreeMap::new(),
            serving: BTreeMap::new(),
            heartbeat_ms: random.between(5, 20) * 1000,
            session_lifetime_ms,
            page_messages: random.between(2, 12),
            limits: crate::chats::limits(random),
        }
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}

fn token_of(end_user_id: u64, expires_at_ms: u64) -> String {
    format!("session/{end_user_id}/{expires_at_ms}")
}

fn read_token(token: &str) -> Option<(u64, u64)> {
    let (end_user_id, expires_at_ms) = token.strip_prefix("session/")?.split_once('/')?;
    Some((end_user_id.parse().ok()?, expires_at_ms.parse().ok()?))
}

pub(crate) fn ok(status: u16, body: Doc) -> Response<Doc> {
    Response { status, retry_after_ms: None, body: Some(body) }
}

/// The answer for an error (`crates/gateway/src/error.rs`).
pub(crate) fn refusal(code: ErrorCode) -> Response<Doc> {
    let status = match code {
        ErrorCode::Unauthorized | ErrorCode::TokenExpired => 401,
        ErrorCode::Forbidden | ErrorCode::NotFound => 404,
        ErrorCode::Conflict | ErrorCode::ChatEnded => 409,
        ErrorCode::Unavailable => 503,
        ErrorCode::RateLimited => 429,
        _ => 400,
    };
    let code = if code == ErrorCode::Forbidden { ErrorCode::NotFound } else { code };
    let retry_after_ms = matches!(status, 429 | 503).then_some(1000);
    let mut error = vec![("code", Doc::string(code.as_str())), ("message", Doc::string("Refused."))];
    error.extend(retry_after_ms.map(|ms| ("retry_after_ms", Doc::number(ms))));
    Response { status, retry_after_ms, body: Some(Doc::object(vec![("error", Doc::object(error))])) }
}

impl World {
    /// The time on the gateway's clock.
    pub(crate) fn gateway_ms(&self) -> u64 {
        self.now_ms + self.gateway.clock_ahead_ms
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.disk.clone())
    }

    /// Begins a task, which runs until it first waits for the disk.
    pub(crate) fn spawn(&mut self, task: impl Future<Output = TaskEnd> + 'static) {
        let number = self.gateway.number();
        self.gateway.tasks.insert(number, Box::pin(task));
        self.poll_tasks();
    }

    /// Polls every task. There are few, and only the disk can wake them.
    fn poll_tasks(&mut self) {
        loop {
            let mut ended = Vec::new();
            let mut context = Context::from_waker(Waker::noop());
            self.gateway.tasks.retain(|_, task| match task.as_mut().poll(&mut context) {
                Poll::Ready(end) => {
                    ended.push(end);
                    false
                }
                Poll::Pending => true,
            });
            self.turn_disk();
            if ended.is_empty() {
                return;
            }
            for end in ended {
                self.task_ended(end);
            }
        }
    }

    fn task_ended(&mut self, end: TaskEnd) {
        match end {
            TaskEnd::Answer(reply_to, response) => self.answer(reply_to, response),
            TaskEnd::Loaded(chat_id, result) => self.chat_loaded(chat_id, *result),
            TaskEnd::Command(reply_to, chat_id, actor, command) => self.command(reply_to, chat_id, actor, command),
            TaskEnd::File(number, stored) => {
                let upload = self.gateway.receiving.remove(&number);
                self.file_stored(upload, stored);
            }
            TaskEnd::Places(waiting) => self.tell_places(&waiting),
            TaskEnd::Quiet(chats) => chats.into_iter().for_each(|chat_id| self.post_to_chat(chat_id, Mail::Wake)),
            TaskEnd::Input(chat_id, input, conflict) => {
                if conflict {
                    self.count(Fault::Conflict);
                }
                self.chat_input(chat_id, input);
            }
        }
    }

    /// Lets the disk work on what was submitted.
    fn turn_disk(&mut self) {
        for read in self.disk.take_new_reads() {
            let ms = 1 + self.random.below(5);
            self.later(ms, Happening::ReadDone(read));
        }
        if self.disk.begin_sync().is_some() {
            let ms = if self.strikes(Fault::DiskSlow) {
                self.random.between(300, 4_000)
            } else {
                self.random.between(1, 10)
            };
            let (sync, life) = (self.sync, self.gateway.life);
            self.later(ms, Happening::SyncDone { sync });
            // The worst moment to die is while something is being written.
            let rate = self.weather.rate(Fault::GatewayCrash) * 15;
            if self.random.one_in(rate) {
                let in_ms = self.random.below(ms);
                self.later(in_ms, Happening::Crash { life });
            }
        }
    }

    pub(crate) fn read_done(&mut self, operation: u64) {
        let outcome = if self.strikes(Fault::ReadFailed) { Outcome::Failed } else { Outcome::Done };
        self.disk.complete_read(operation, outcome);
        self.poll_tasks();
    }

    pub(crate) fn sync_done(&mut self, sync: u64) {
        if sync != self.sync {
            return;
        }
        let is_full = self.disk_full_until_ms > self.now_ms;
        let mut outcomes = Vec::new();
        for _ in 0..self.disk.unsynced() {
            outcomes.push(if is_full {
                self.count(Fault::DiskFull);
                Outcome::Failed
            } else if self.strikes(Fault::WriteFailed) {
                Outcome::Failed
            } else if self.strikes(Fault::WriteDoubtful) {
                Outcome::Doubtful
            } else {
                Outcome::Done
            });
        }
        let mut outcomes = outcomes.into_iter();
        let durable = self.disk.end_sync(|| outcomes.next().unwrap_or(Outcome::Done));
        for durable in durable {
            self.became_durable(durable);
        }
        self.poll_tasks();
        self.turn_disk();
    }

    pub(crate) fn became_durable(&mut self, durable: crate::disk::Durable) {
        self.note(|| {
            let messages =
                durable.change.messages.iter().map(|message| format!("{}={:?}", message.index, message.body.text()));
            let messages: Vec<String> = messages.collect();
            format!(
                "disk: chat {} r{} {:?} {messages:?}",
                durable.chat_id, durable.change.state.revision, durable.change.state.status
            )
        });
        let check = self.ledger.durable(durable);
        self.check(check);
    }

    pub(crate) fn crash_in(&mut self, life: u32) {
        if life == self.gateway.life && self.gateway.runs {
            self.crash();
        }
    }

    /// The process dies: what it was about to answer it never will.
    pub(crate) fn crash(&mut self) {
        self.count(Fault::GatewayCrash);
        let mut most_down_ms = 6_000;
        if self.disk.unsynced() > 0 && self.strikes(Fault::FormerProcess) {
            self.disk.orphan();
            self.former_process_wrote = true;
            // It takes its time, and the next one is there already.
            self.sync += 1;
            let (ms, sync) = (self.random.between(300, 5_000), self.sync);
            self.later(ms, Happening::SyncDone { sync });
            // Whoever comes new right after that may know more than the present process.
            let (tab, reload_ms) = (self.random.position(self.tabs.len()), ms + self.random.between(1, 200));
            self.later(reload_ms, Happening::Reload { tab });
            most_down_ms = 300;
        } else {
            self.sync += 1;
            let unsynced = self.disk.unsynced();
            let kept = self.random.position(unsynced + 1);
            let (durable, lost) = self.disk.crash(kept);
            if lost > 0 {
                self.count(Fault::UnsyncedLost);
            }
            if !durable.is_empty() {
                self.count(Fault::UnsyncedKept);
            }
            for durable in durable {
                self.became_durable(durable);
            }
        }
        let check = self.ledger.check_kept();
        self.check(check);
        self.end_process();
        let down_ms = self.random.between(20, most_down_ms);
        self.later(down_ms, Happening::GatewayStarts);
    }

    /// The process is asked to end: it says so on every stream, finishes what it has in hand, and goes.
    pub(crate) fn shut_down(&mut self) {
        self.count(Fault::GatewayClosing);
        self.gateway.listens = false;
        let retry_after_ms = self.random.between(100, 4_000);
        let frame =
            Doc::object(vec![("type", Doc::string("closing")), ("retry_after_ms", Doc::number(retry_after_ms))]);
        let open: Vec<ConnectionId> =
            self.connections.iter().filter(|(_, entry)| entry.gateway_end.open).map(|(id, _)| *id).collect();
        for connection in open {
            self.send_down(connection, frame.clone());
            self.close_stream(connection, close::UNAVAILABLE);
        }
        let (ms, life) = (self.random.between(5, 2_000), self.gateway.life);
        self.later(ms, Happening::GatewayExits { life });
    }

    pub(crate) fn gateway_exits(&mut self, life: u32) {
        if life == self.gateway.life && self.gateway.runs {
            // Closing the store waits for what is written.
            self.sync += 1;
            let (durable, _) = self.disk.crash(usize::MAX);
            for durable in durable {
                self.became_durable(durable);
            }
            self.end_process();
            let down_ms = self.random.between(20, 3_000);
            self.later(down_ms, Happening::GatewayStarts);
        }
    }

    fn end_process(&mut self) {
        self.note(|| "gateway: down".to_owned());
        let gateway = &mut self.gateway;
        gateway.listens = false;
        gateway.runs = false;
        gateway.life += 1;
        gateway.hosts.clear();
        gateway.tasks.clear();
        let serving = std::mem::take(&mut gateway.serving);
        self.uploads_lost_the_gateway();
        for reply_to in serving.into_values() {
            self.answer_quietly(reply_to, None);
        }
        let open: Vec<ConnectionId> =
            self.connections.iter().filter(|(_, entry)| entry.gateway_end.open).map(|(id, _)| *id).collect();
        for connection in open {
            if let Some(entry) = self.connections.get_mut(&connection) {
                entry.gateway_end.open = false;
            }
            self.reset(connection);
            self.forget_if_over(connection);
        }
        self.people.agents_lost_the_gateway();
    }

    pub(crate) fn gateway_starts(&mut self) {
        self.note(|| "gateway: up".to_owned());
        self.gateway.listens = true;
        self.gateway.runs = true;
        let life = self.gateway.life;
        self.later(1, Happening::TimersWatched { life });
        self.later(1, Happening::PlacesWatched { life });
    }

    /// Looks for chats that nobody has loaded and whose timers are due (`crates/gateway/src/chats/timers.rs`).
    pub(crate) fn watch_timers(&mut self, life: u32) {
        let limits = self.gateway.limits;
        let Some(shortest_ms) = limits.shortest_timer_ms().filter(|_| life == self.gateway.life) else { return };
        let overdue = Overdue::at(&limits, self.gateway_ms());
        let store = self.store();
        self.spawn(async move { TaskEnd::Quiet(store.quiet_chats(overdue, 500).await.unwrap_or_default()) });
        self.later((shortest_ms / 4).clamp(50, 10_000), Happening::TimersWatched { life });
    }

    /// Looks how far those who wait have come (`crates/gateway/src/chats/places.rs`).
    pub(crate) fn watch_places(&mut self, life: u32) {
        let check_in = self.gateway.limits.check_in;
        if life != self.gateway.life || !check_in.is_on() || check_in.at_position.is_none() {
            return;
        }
        let store = self.store();
        self.spawn(async move { TaskEnd::Places(store.queues(500).await.unwrap_or_default()) });
        let ms = self.random.between(200, 1_500);
        self.later(ms, Happening::PlacesWatched { life });
    }

    fn tell_places(&mut self, waiting: &[Waiting]) {
        let Some(asked_at) = self.gateway.limits.check_in.at_position else { return };
        let mut places: BTreeMap<u64, u64> = BTreeMap::new();
        for chat in waiting {
            let place = places.entry(chat.menu_id).or_default();
            *place += 1;
            if chat.queue_behind != (*place > asked_at) {
                self.post_to_chat(chat.chat_id, Mail::Place(*place));
            }
        }
    }

    pub(crate) fn gateway_runs(&self) -> bool {
        self.gateway.runs
    }

    /// Carries out a request.
    pub(crate) fn serve(&mut self, reply_to: Option<ReplyTo>, request: Request<Doc>) {
        self.note(|| format!("gateway: {} {:?}", crate::network::in_words(&request), reply_to));
        let body = request.body.clone().unwrap_or_else(|| Doc::object(Vec::new()));
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let parts: Vec<&str> = path.trim_start_matches("/api/v1/").split('/').collect();
        if (request.method, parts.as_slice()) == (Method::Post, &["sessions"]) {
            return self.create_session(reply_to, &body);
        }
        let session = request.token.as_deref().and_then(read_token);
        let Some((end_user_id, expires_at_ms)) = session else {
            return self.answer(reply_to, refusal(ErrorCode::Unauthorized));
        };
        if expires_at_ms <= self.gateway_ms() {
            self.count(Fault::SessionExpired);
            return self.answer(reply_to, refusal(ErrorCode::Unauthorized));
        }
        let actor = Actor::EndUser(end_user_id);
        let number = |text: &&str| text.parse::<u64>().ok();
        match (request.method, parts.as_slice()) {
            (Method::Post, ["chats"]) => self.create_chat(reply_to, end_user_id, &body),
            (Method::Get, ["chats", "ongoing"]) => {
                let store = self.store();
                self.spawn(async move {
                    TaskEnd::Answer(
                        reply_to,
                        match store.ongoing_chat(end_user_id).await {
                            Ok(record) => ok(
                                200,
                                Doc::object(vec![("chat", record.map_or(Doc::Null, |record| present(&record.state)))]),
                            ),
                            Err(_) => refusal(ErrorCode::Unavailable),
                        },
                    )
                });
            }
            (Method::Get, ["chats", id]) => {
                let (store, id) = (self.store(), number(id).unwrap_or(0));
                self.spawn(async move {
                    TaskEnd::Answer(
                        reply_to,
                        match own_chat(&*store, end_user_id, id).await {
                            Ok(record) => ok(200, Doc::object(vec![("chat", present(&record.state))])),
                            Err(code) => refusal(code),
                        },
                    )
                });
            }
            (Method::Get, ["chats", id, "messages"]) => {
                self.page(reply_to, end_user_id, number(id).unwrap_or(0), query)
            }
            (Method::Post, ["chats", id, "messages"]) => {
                let (Some(client_id), Some(message)) = (body.text("client_id"), body.field("message")) else {
                    return self.answer(reply_to, refusal(ErrorCode::InvalidArgument));
                };
                self.check_author(end_user_id, &client_id, &message);
                let (media_id, chat_id) = (message.count("media_id"), number(id).unwrap_or(0));
                let body = MessageBody::from_stored(message.to_json().unwrap_or_default());
                let command = Command::Send { client_id, body };
                match media_id {
                    None => self.command(reply_to, chat_id, actor, command),
                    Some(media_id) => self.send_file_message(reply_to, (chat_id, end_user_id, media_id), command),
                }
            }
            (Method::Post, ["chats", id, "uploads"]) => {
                self.announce_file(reply_to, number(id).unwrap_or(0), end_user_id, &body)
            }
            (Method::Post, ["chats", id, "escalations"]) => {
                self.command(reply_to, number(id).unwrap_or(0), actor, Command::Escalate)
            }
            (Method::Post, ["chats", id, "resume"]) => {
                self.command(reply_to, number(id).unwrap_or(0), actor, Command::Resume)
            }
            (Method::Post, ["chats", id, "check_in"]) => {
                let answer = match body.text("state").as_deref() {
                    Some("notified") => CheckInAnswer::Notified,
                    Some("confirmed") => CheckInAnswer::Confirmed,
                    _ => return self.answer(reply_to, refusal(ErrorCode::InvalidArgument)),
                };
                self.command(reply_to, number(id).unwrap_or(0), actor, Command::CheckIn(answer))
            }
            (Method::Patch, ["chats", id, "post_session"]) => {
                let Some(to) = body.text("status").and_then(|text| PostSessionStatus::from_text(&text)) else {
                    return self.answer(reply_to, refusal(ErrorCode::InvalidArgument));
                };
                let step = PostSessionStep { to, opted_in: body.flag("opt_in_selection") };
                self.command(reply_to, number(id).unwrap_or(0), actor, Command::PostSession(step))
            }
            (Method::Post, ["chats", id, "rejoin"]) => {
                self.command(reply_to, number(id).unwrap_or(0), actor, Command::Rejoin)
            }
            (Method::Post, ["chats", id, "visibility"]) => {
                let visible = body.flag("visible").unwrap_or(true);
                self.post_to_chat(number(id).unwrap_or(0), Mail::Visibility(actor, visible));
                self.answer(reply_to, Response { status: 204, retry_after_ms: None, body: None });
            }
            (Method::Post, ["chats", id, "typing"]) => {
                let typing = body.flag("typing").unwrap_or(false);
                self.chat_input(number(id).unwrap_or(0), Input::TypingBeside { actor, typing });
                self.answer(reply_to, Response { status: 204, retry_after_ms: None, body: None });
            }
            (Method::Patch, ["chats", id]) => self.command(reply_to, number(id).unwrap_or(0), actor, Command::Finish),
            (Method::Delete, ["chats", id]) => self.command(reply_to, number(id).unwrap_or(0), actor, Command::Drop),
            _ => self.wrong(format!("the gateway of this world does not know {}", request.path)),
        }
    }

    pub(crate) fn command(
        &mut self,
        reply_to: Option<ReplyTo>,
        chat_id: u64,
        actor: Actor,
        command: Command<MessageBody>,
    ) {
        let number = self.gateway.number();
        self.gateway.serving.insert(number, reply_to);
        self.post_to_chat(chat_id, Mail::Command { actor, command, answer_to: AnswerTo::Request(number) });
    }

    fn create_session(&mut self, reply_to: Option<ReplyTo>, body: &Doc) {
        let identifier = body.text("token").and_then(|token| token.strip_prefix("jwt/").map(str::to_owned));
        let key = match (identifier.as_deref(), body.text("end_user_secret")) {
            (Some(""), Some(secret)) => EndUserKey::SecretSha256(digest_of(&secret)),
            (Some(identifier), _) if !identifier.is_empty() => EndUserKey::Identifier(identifier.to_owned()),
            _ => return self.answer(reply_to, refusal(ErrorCode::InvalidArgument)),
        };
        let (store, expires_in_ms) = (self.store(), self.gateway.session_lifetime_ms);
        let expires_at_ms = self.gateway_ms() + expires_in_ms;
        self.spawn(async move {
            TaskEnd::Answer(
                reply_to,
                match store.end_user("acme", key, Profile::default()).await {
                    Ok(record) => ok(
                        200,
                        Doc::object(vec![
                            ("session_token", Doc::string(&token_of(record.id, expires_at_ms))),
                            ("expires_in_ms", Doc::number(expires_in_ms)),
                            ("end_user", Doc::object(vec![("id", Doc::number(record.id))])),
                        ]),
                    ),
                    Err(_) => refusal(ErrorCode::Unavailable),
                },
            )
        });
    }

    fn create_chat(&mut self, reply_to: Option<ReplyTo>, end_user_id: u64, body: &Doc) {
        let Some(client_id) = body.text("client_id") else {
            return self.answer(reply_to, refusal(ErrorCode::InvalidArgument));
        };
        let now_ms = self.gateway_ms();
        let menu_id = body.count("menu_id").unwrap_or(1);
        let opening = opening(first_state(end_user_id, menu_id, now_ms), now_ms);
        let new = NewChat {
            company_id: "acme".to_owned(),
            platform: EMBEDDED_PLATFORM.to_owned(),
            platform_ref: None,
            client_id,
            lang: "en".to_owned(),
            request: serde_json::Map::new(),
        };
        let store = self.store();
        self.spawn(async move {
            let created = match store.create_chat(new, opening).await {
                Ok(created) => created,
                Err(_) => return TaskEnd::Answer(reply_to, refusal(ErrorCode::Unavailable)),
            };
            TaskEnd::Answer(
                reply_to,
                match own_chat(&*store, end_user_id, created.chat_id).await {
                    Ok(record) => {
                        ok(if created.fresh { 201 } else { 200 }, Doc::object(vec![("chat", present(&record.state))]))
                    }
                    Err(code) => refusal(code),
                },
            )
        });
    }

    fn page(&mut self, reply_to: Option<ReplyTo>, end_user_id: u64, chat_id: u64, query: &str) {
        let value = |name: &str| {
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse::<u64>().ok())
        };
        let after_index = value("after_index").unwrap_or(0);
        // A page may be shorter than asked for: the gateway also limits its bytes.
        let messages = value("limit").unwrap_or(1000).min(self.gateway.page_messages);
        let limit = PageLimit { messages, bytes: usize::MAX };
        let store = self.store();
        self.spawn(async move {
            let record = match own_chat(&*store, end_user_id, chat_id).await {
                Ok(record) => record,
                Err(code) => return TaskEnd::Answer(reply_to, refusal(code)),
            };
            TaskEnd::Answer(
                reply_to,
                match store.messages_after(chat_id, after_index, limit).await {
                    Ok(messages) => {
                        let last_index =
                            messages.last().map_or(0, |message| message.index).max(record.state.last_index);
                        let messages = Doc::list(messages.iter().map(rendered).collect());
                        ok(200, Doc::object(vec![("messages", messages), ("last_index", Doc::number(last_index))]))
                    }
                    Err(_) => refusal(ErrorCode::Unavailable),
                },
            )
        });
    }

    /// A chat's session answers a request.
    pub(crate) fn answer_served(&mut self, number: u64, response: Response<Doc>) {
        if let Some(reply_to) = self.gateway.serving.remove(&number) {
            self.answer(reply_to, response);
        }
    }

    pub(crate) fn stream_accepted(&mut self, connection: ConnectionId, two_way: bool) {
        let (now_ms, life) = (self.now_ms, self.gateway.life);
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        entry.gateway_end = GatewayEnd {
            open: true,
            opened_ms: now_ms,
            heard_ms: now_ms,
            sent_ms: now_ms,
            two_way,
            ..GatewayEnd::new(life)
        };
        self.later(JOIN_TIMEOUT_MS, Happening::Pulse { life, connection });
    }

    /// A frame of a client.
    pub(crate) fn stream_says(&mut self, connection: ConnectionId, frame: &Doc) {
        let (now_ms, life) = (self.now_ms, self.gateway.life);
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let end = &mut entry.gateway_end;
        if !end.open || end.life != life {
            return;
        }
        end.heard_ms = now_ms;
        end.asked_ms = None;
        match (frame.text("type").as_deref(), end.chat_id) {
            (Some("join"), None) => self.join(connection, frame),
            (Some("ping"), Some(_)) => self.send_frame(connection, Doc::object(vec![("type", Doc::string("pong"))])),
            (Some("typing"), Some(chat_id)) => {
                let typing = frame.flag("typing").unwrap_or(false);
                self.chat_input(chat_id, Input::Typing { stream: connection, typing });
            }
            (Some("visibility"), Some(chat_id)) => {
                let visible = frame.flag("visible").unwrap_or(true);
                self.chat_input(chat_id, Input::Visibility { stream: connection, visible });
            }
            (Some("pong"), _) => {}
            (kind, _) => self.wrong(format!("the client says {kind:?} on a stream out of turn")),
        }
    }

    fn join(&mut self, connection: ConnectionId, frame: &Doc) {
        let session = frame.text("token").as_deref().and_then(read_token);
        let (Some((end_user_id, expires_at_ms)), Some(chat_id), Some(cursor)) =
            (session, frame.count("chat_id"), frame.count("cursor"))
        else {
            return self.wrong("the client's join is malformed");
        };
        let now_ms = self.gateway_ms();
        if expires_at_ms <= now_ms {
            self.count(Fault::SessionExpired);
            return self.refuse_stream(connection, ErrorCode::Unauthorized);
        }
        if let Some(entry) = self.connections.get_mut(&connection) {
            entry.gateway_end.chat_id = Some(chat_id);
            entry.gateway_end.expires_at_ms = Some(self.now_ms + (expires_at_ms - now_ms));
        }
        self.plan_pulse(connection);
        self.post_to_chat(chat_id, Mail::Join { actor: Actor::EndUser(end_user_id), cursor, connection });
    }

    /// A frame to a client, as a sign of life.
    pub(crate) fn send_frame(&mut self, connection: ConnectionId, frame: Doc) {
        let now_ms = self.now_ms;
        if let Some(entry) = self.connections.get_mut(&connection)
            && entry.gateway_end.open
        {
            entry.gateway_end.sent_ms = now_ms;
            self.send_down(connection, frame);
        }
    }

    pub(crate) fn refuse_stream(&mut self, connection: ConnectionId, code: ErrorCode) {
        let code = if code == ErrorCode::Forbidden { ErrorCode::NotFound } else { code };
        let mut frame = vec![
            ("type", Doc::string("error")),
            ("code", Doc::string(code.as_str())),
            ("message", Doc::string("Refused.")),
        ];
        if matches!(code, ErrorCode::Unavailable | ErrorCode::RateLimited) {
            frame.push(("retry_after_ms", Doc::number(1000)));
        }
        self.send_frame(connection, Doc::object(frame));
        let close_code = match code {
            ErrorCode::Unauthorized => close::UNAUTHORIZED,
            ErrorCode::NotFound => close::NOT_FOUND,
            ErrorCode::RateLimited => close::RATE_LIMITED,
            ErrorCode::Timeout => close::SILENT,
            _ => close::UNAVAILABLE,
        };
        self.close_stream(connection, close_code);
    }

    /// The gateway closes a stream.
    pub(crate) fn close_stream(&mut self, connection: ConnectionId, code: u16) {
        self.close_down(connection, code);
        self.stream_gone(connection);
    }

    /// The gateway's end is over.
    pub(crate) fn stream_gone(&mut self, connection: ConnectionId) {
        let life = self.gateway.life;
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let end = &mut entry.gateway_end;
        let was_open = std::mem::replace(&mut end.open, false);
        let chat_id = end.chat_id.filter(|_| was_open && end.life == life);
        if let Some(chat_id) = chat_id {
            self.chat_input(chat_id, Input::Leave { stream: connection });
            self.forget_stream(chat_id, connection);
        }
        self.forget_if_over(connection);
    }

    /// A delivery is on its way to the network: reports when it left, which a reader that is gone delays for ever.
    pub(crate) fn deliver(&mut self, connection: ConnectionId, frame: Doc) {
        self.send_frame(connection, frame);
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        if entry.dead {
            entry.gateway_end.swallowed += 1;
        }
        if entry.gateway_end.swallowed <= SOCKET_BUFFER_FRAMES {
            let (ms, life) = (self.random.below(20), self.gateway.life);
            self.later(ms, Happening::Delivered { life, connection });
        }
    }

    pub(crate) fn delivered(&mut self, life: u32, connection: ConnectionId) {
        let chat_id = self.connections.get(&connection).and_then(|entry| entry.gateway_end.chat_id);
        if let Some(chat_id) = chat_id.filter(|_| life == self.gateway.life) {
            self.chat_input(chat_id, Input::Delivered { stream: connection });
        }
    }

    fn plan_pulse(&mut self, connection: ConnectionId) {
        let heartbeat_ms = self.gateway.heartbeat_ms;
        let Some(end) = self.connections.get(&connection).map(|entry| &entry.gateway_end) else { return };
        let unheard_ms = if end.two_way { end.asked_ms.unwrap_or(end.heard_ms) + heartbeat_ms } else { u64::MAX };
        let silent_ms = end.heard_ms + heartbeat_ms * 5 / 2;
        let due =
            [Some(unheard_ms.min(end.sent_ms + heartbeat_ms)), end.two_way.then_some(silent_ms), end.expires_at_ms];
        let at_ms = due.into_iter().flatten().min().unwrap_or(0).max(self.now_ms);
        let life = end.life;
        self.agenda.plan(at_ms, Happening::Pulse { life, connection });
    }

    pub(crate) fn pulse(&mut self, life: u32, connection: ConnectionId) {
        let (now_ms, heartbeat_ms) = (self.now_ms, self.gateway.heartbeat_ms);
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let dead = entry.dead;
        let end = &mut entry.gateway_end;
        if !end.open || end.life != life || life != self.gateway.life {
            return;
        }
        let silent_after_ms =
            if end.chat_id.is_some() { end.heard_ms + heartbeat_ms * 5 / 2 } else { end.opened_ms + JOIN_TIMEOUT_MS };
        // Whoever cannot speak is gone where a write does not arrive.
        let is_gone = if end.two_way || end.chat_id.is_none() {
            silent_after_ms <= now_ms
        } else {
            dead && silent_after_ms <= now_ms
        };
        if is_gone {
            return self.refuse_stream(connection, ErrorCode::Timeout);
        }
        if end.chat_id.is_none() {
            return;
        }
        if end.expires_at_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            self.count(Fault::SessionExpired);
            return self.refuse_stream(connection, ErrorCode::Unauthorized);
        }
        let unheard_ms = if end.two_way { end.asked_ms.unwrap_or(end.heard_ms) + heartbeat_ms } else { u64::MAX };
        if unheard_ms.min(end.sent_ms + heartbeat_ms) <= now_ms {
            end.asked_ms = Some(now_ms);
            end.sent_ms = now_ms;
            self.send_frame(connection, Doc::object(vec![("type", Doc::string("ping"))]));
        }
        self.plan_pulse(connection);
    }

    pub(crate) fn heartbeat_ms(&self) -> u64 {
        self.gateway.heartbeat_ms
    }
}

pub(crate) async fn own_chat(store: &dyn Store, end_user_id: u64, chat_id: u64) -> Result<ChatRecord, ErrorCode> {
    let record = store.chat(chat_id).await.map_err(|_| ErrorCode::Unavailable)?;
    record.filter(|record| record.state.end_user_id == end_user_id).ok_or(ErrorCode::NotFound)
}

/// Makes a change durable, as the real gateway does.
pub(crate) async fn commit(store: Arc<dyn Store>, change: engine::gateway::Change<MessageBody>) -> TaskEnd {
    let chat_id = change.state.id;
    match store.commit(change).await {
        Ok(Commit::Committed) => TaskEnd::Input(chat_id, Input::Committed, false),
        Ok(Commit::Conflict) if planted!("planted-conflict-ignored") => TaskEnd::Input(chat_id, Input::Committed, true),
        Ok(Commit::Conflict) => TaskEnd::Input(chat_id, Input::CommitFailed, true),
        Err(_) => TaskEnd::Input(chat_id, Input::CommitFailed, false),
    }
}

/// Secrets are told apart here, not kept: any digest without collisions among a few will do.
fn digest_of(secret: &str) -> [u8; 32] {
    let mut digest = [0; 32];
    for (place, byte) in secret.bytes().enumerate() {
        digest[place % 32] ^= byte.rotate_left((place / 32) as u32 * 3);
    }
    digest
}

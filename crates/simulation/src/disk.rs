//! A disk in virtual time that implements the gateway's store. A call submits an operation; whoever drives the disk completes it, with an
//! outcome of its choice. Writes gather while a sync runs and share the next one; what no sync confirmed is lost in a crash, but for a
//! prefix of whole records that the disk happened to have written.
//!
//! It refuses to answer a write before its sync, and to show a reader what is not synced. What the records mean is the business of
//! [`MemoryStore`], which SQLite is held against by the same story.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use engine::gateway::{Change, Message, SentKey};
use serde_json::Value;
use store::{
    AgentRecord, Announced, Changed, ChatEvent, ChatRecord, Commit, Created, EndUserKey, EndUserRecord,
    EscalationRecord, Kept, Load, MaskedAnswers, MediaQuota, MediaRecord, MemoryStore, MessageBody, NewChat,
    NewEscalation, NewMedia, NewRecord, Overdue, PageLimit, Profile, Record, RecordCap, RecordKind, RecordQuery, Store,
    StoreError, StoredMedia, Waiting,
};

/// An operation that was submitted; the disk's own number.
pub type OperationId = u64;

type Answer = Box<dyn Any + Send>;
type Apply = Arc<dyn Fn(&MemoryStore) -> Answer + Send + Sync>;

/// How an operation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Done,
    /// It fails and leaves nothing.
    Failed,
    /// A write fails for whoever asked, and is durable all the same.
    Doubtful,
}

/// A change that has become durable.
#[derive(Clone)]
pub(crate) struct Durable {
    pub(crate) chat_id: u64,
    pub(crate) change: Change<MessageBody>,
}

/// An operation on its way.
#[derive(Clone)]
struct Operation {
    apply: Apply,
    /// The messages and state that it brings, where it brings any.
    change: Option<Change<MessageBody>>,
}

#[derive(Default)]
struct Inner {
    tables: MemoryStore,
    reads: BTreeMap<OperationId, Operation>,
    /// Written and not synced, in order; the first `syncing` of them share the running sync.
    writes: Vec<(OperationId, Operation)>,
    syncing: usize,
    answers: HashMap<OperationId, Result<Answer, StoreError>>,
    last_operation: OperationId,
    new_reads: Vec<OperationId>,
    /// Whoever waits; all are woken, and look whether it was for them.
    wakers: Vec<Waker>,
    closed: bool,
}

/// The disk. A clone is another handle on the same one.
#[derive(Clone, Default)]
pub struct SimulatedDisk(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the simulated disk failed")
    }
}

impl std::error::Error for Broken {}

fn broken() -> StoreError {
    StoreError::Unavailable(Arc::new(Broken))
}

/// The value of a future that is ready at once, as every one of [`MemoryStore`] is.
fn at_once<T>(future: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(StoreError::Corrupt("simulation: the store in memory waits")),
    }
}

impl SimulatedDisk {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads submitted since the last time this was asked. Each is to be completed.
    pub(crate) fn take_new_reads(&self) -> Vec<OperationId> {
        std::mem::take(&mut self.inner().new_reads)
    }

    /// Begins a sync of everything that is written, if there is something and no sync runs; gives how many writes share it.
    pub(crate) fn begin_sync(&self) -> Option<usize> {
        let mut inner = self.inner();
        if inner.syncing > 0 || inner.writes.is_empty() {
            return None;
        }
        inner.syncing = inner.writes.len();
        Some(inner.syncing)
    }

    /// Completes a read.
    pub(crate) fn complete_read(&self, operation: OperationId, outcome: Outcome) {
        let mut inner = self.inner();
        let Some(read) = inner.reads.remove(&operation) else { return };
        let answer = if outcome == Outcome::Done { Ok((read.apply)(&inner.tables)) } else { Err(broken()) };
        inner.answers.insert(operation, answer);
        inner.wake();
    }

    /// Ends the running sync: each of its writes gets its outcome. Gives the changes that are durable now.
    pub(crate) fn end_sync(&self, mut outcome: impl FnMut() -> Outcome) -> Vec<Durable> {
        let mut inner = self.inner();
        let count = std::mem::take(&mut inner.syncing).min(inner.writes.len());
        let mut durable = Vec::new();
        for (id, write) in inner.writes.drain(..count).collect::<Vec<_>>() {
            let outcome = outcome();
            if outcome == Outcome::Failed {
                inner.answers.insert(id, Err(broken()));
                continue;
            }
            let answer = inner.write(&write, &mut durable);
            // A crashed gateway no longer asks; nobody else is told.
            if let std::collections::hash_map::Entry::Vacant(place) = inner.answers.entry(id) {
                place.insert(if outcome == Outcome::Done { Ok(answer) } else { Err(broken()) });
            }
        }
        inner.wake();
        durable
    }

    /// The machine stops: of what no sync confirmed, the first `kept` records are on the disk all the same. Gives what they brought, and how
    /// many records are lost.
    pub(crate) fn crash(&self, kept: usize) -> (Vec<Durable>, usize) {
        let mut inner = self.inner();
        inner.syncing = 0;
        let writes = std::mem::take(&mut inner.writes);
        let lost = writes.len().saturating_sub(kept);
        let mut durable = Vec::new();
        for (_, write) in writes.into_iter().take(kept) {
            drop(inner.write(&write, &mut durable));
        }
        inner.forget_askers();
        (durable, lost)
    }

    /// The process that asked is gone, and what it has written will be synced all the same.
    pub(crate) fn orphan(&self) {
        self.inner().forget_askers();
    }

    /// How many writes no sync has confirmed.
    pub(crate) fn unsynced(&self) -> usize {
        self.inner().writes.len()
    }

    /// Polls a future, completing every operation at once and well, until it is ready. For use without a world.
    pub fn drive<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return value;
            }
            for read in self.take_new_reads() {
                self.complete_read(read, Outcome::Done);
            }
            if self.begin_sync().is_some() {
                drop(self.end_sync(|| Outcome::Done));
            }
        }
    }

    /// The machine stops, and what no sync confirmed is lost.
    pub fn lose_power(&self) {
        drop(self.crash(0));
    }

    fn read<T, F>(&self, apply: F) -> Submitted<T>
    where
        T: Send + 'static,
        F: Fn(&MemoryStore) -> Result<T, StoreError> + Send + Sync + 'static,
    {
        let operation = Operation { apply: Arc::new(move |tables| Box::new(apply(tables))), change: None };
        Submitted { disk: self.clone(), stage: Stage::Read(operation), value: PhantomData }
    }

    fn write<T, F>(&self, change: Option<Change<MessageBody>>, apply: F) -> Submitted<T>
    where
        T: Send + 'static,
        F: Fn(&MemoryStore) -> Result<T, StoreError> + Send + Sync + 'static,
    {
        let operation = Operation { apply: Arc::new(move |tables| Box::new(apply(tables))), change };
        Submitted { disk: self.clone(), stage: Stage::Write(operation), value: PhantomData }
    }
}

impl Inner {
    fn write(&mut self, write: &Operation, durable: &mut Vec<Durable>) -> Answer {
        let answer = (write.apply)(&self.tables);
        if let Some(change) = &write.change {
            let committed = answer.downcast_ref::<Result<Commit, StoreError>>();
            let created = answer.downcast_ref::<Result<Created, StoreError>>();
            let chat_id = match (committed, created) {
                (Some(Ok(Commit::Committed)), _) => Some(change.state.id),
                (_, Some(Ok(created))) => created.fresh.then_some(created.chat_id),
                _ => None,
            };
            durable.extend(chat_id.map(|chat_id| Durable { chat_id, change: change.clone() }));
        }
        answer
    }

    fn wake(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
    }

    fn forget_askers(&mut self) {
        self.wakers.clear();
        self.reads.clear();
        self.new_reads.clear();
        self.answers.clear();
    }
}

/// A submitted operation as a future.
struct Submitted<T> {
    disk: SimulatedDisk,
    stage: Stage,
    value: PhantomData<fn() -> T>,
}

enum Stage {
    Read(Operation),
    Write(Operation),
    Waiting(OperationId),
    Over,
}

impl<T> Submitted<T> {
    /// A planted bug: writes, and does not wait for the sync.
    fn submit(self) {
        let mut inner = self.disk.inner();
        if let Stage::Write(operation) = self.stage {
            inner.last_operation += 1;
            let id = inner.last_operation;
            inner.writes.push((id, operation));
        }
    }
}

impl<T: Send + 'static> Future for Submitted<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let disk = self.disk.clone();
        let mut inner = disk.inner();
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Read(_) | Stage::Write(_) if inner.closed => return Poll::Ready(Err(StoreError::Closed)),
            Stage::Read(operation) => {
                inner.last_operation += 1;
                let id = inner.last_operation;
                inner.reads.insert(id, operation);
                inner.new_reads.push(id);
                self.stage = Stage::Waiting(id);
            }
            Stage::Write(operation) => {
                inner.last_operation += 1;
                let id = inner.last_operation;
                inner.writes.push((id, operation));
                self.stage = Stage::Waiting(id);
            }
            Stage::Waiting(id) => match inner.answers.remove(&id) {
                None => self.stage = Stage::Waiting(id),
                Some(Err(error)) => return Poll::Ready(Err(error)),
                Some(Ok(answer)) => {
                    let answer = answer.downcast::<Result<T, StoreError>>();
                    return Poll::Ready(answer.map_or(Err(StoreError::Corrupt("simulation: answer")), |boxed| *boxed));
                }
            },
            Stage::Over => {}
        }
        inner.wakers.push(context.waker().clone());
        Poll::Pending
    }
}

#[async_trait]
impl Store for SimulatedDisk {
    async fn meta_or_insert(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let name = name.to_owned();
        self.write(None, move |tables| at_once(tables.meta_or_insert(&name, value.clone()))).await
    }

    async fn end_user(&self, company_id: &str, key: EndUserKey, profile: Profile) -> Result<EndUserRecord, StoreError> {
        let company_id = company_id.to_owned();
        self.write(None, move |tables| at_once(tables.end_user(&company_id, key.clone(), profile.clone()))).await
    }

    async fn end_user_by_id(&self, id: u64) -> Result<Option<EndUserRecord>, StoreError> {
        self.read(move |tables| at_once(tables.end_user_by_id(id))).await
    }

    async fn create_chat(&self, chat: NewChat, opening: Change<MessageBody>) -> Result<Created, StoreError> {
        let change = Some(opening.clone());
        self.write(change, move |tables| at_once(tables.create_chat(chat.clone(), opening.clone()))).await
    }

    async fn chat_opened_with(&self, end_user_id: u64, client_id: &str) -> Result<Option<u64>, StoreError> {
        let client_id = client_id.to_owned();
        self.read(move |tables| at_once(tables.chat_opened_with(end_user_id, &client_id))).await
    }

    async fn chat(&self, chat_id: u64) -> Result<Option<ChatRecord>, StoreError> {
        self.read(move |tables| at_once(tables.chat(chat_id))).await
    }

    async fn sent_keys(&self, chat_id: u64) -> Result<HashMap<SentKey, (u64, u64)>, StoreError> {
        self.read(move |tables| at_once(tables.sent_keys(chat_id))).await
    }

    async fn commit(&self, change: Change<MessageBody>) -> Result<Commit, StoreError> {
        let kept = Some(change.clone());
        let write = self.write(kept, move |tables| at_once(tables.commit(change.clone())));
        if planted!("planted-answer-before-sync") {
            write.submit();
            return Ok(Commit::Committed);
        }
        write.await
    }

    async fn messages_after(
        &self,
        chat_id: u64,
        index: u64,
        limit: PageLimit,
    ) -> Result<Vec<Message<MessageBody>>, StoreError> {
        self.read(move |tables| at_once(tables.messages_after(chat_id, index, limit))).await
    }

    async fn ongoing_chat(&self, end_user_id: u64) -> Result<Option<ChatRecord>, StoreError> {
        self.read(move |tables| at_once(tables.ongoing_chat(end_user_id))).await
    }

    async fn waiting_chats(&self, limit: u64) -> Result<Vec<ChatRecord>, StoreError> {
        self.read(move |tables| at_once(tables.waiting_chats(limit))).await
    }

    async fn chats_of_agent(&self, agent_id: u64, limit: u64) -> Result<Vec<ChatRecord>, StoreError> {
        self.read(move |tables| at_once(tables.chats_of_agent(agent_id, limit))).await
    }

    async fn queues(&self, limit: u64) -> Result<Vec<Waiting>, StoreError> {
        self.read(move |tables| at_once(tables.queues(limit))).await
    }

    async fn quiet_chats(&self, overdue: Overdue, limit: u64) -> Result<Vec<u64>, StoreError> {
        self.read(move |tables| at_once(tables.quiet_chats(overdue, limit))).await
    }

    async fn load(&self, company_id: &str) -> Result<Load, StoreError> {
        let company_id = company_id.to_owned();
        self.read(move |tables| at_once(tables.load(&company_id))).await
    }

    async fn mean_handling_ms(&self, company_id: &str, menu_id: u64, sample: u64) -> Result<Option<u64>, StoreError> {
        let company_id = company_id.to_owned();
        self.read(move |tables| at_once(tables.mean_handling_ms(&company_id, menu_id, sample))).await
    }

    async fn record_escalation(&self, escalation: NewEscalation) -> Result<(), StoreError> {
        self.write(None, move |tables| at_once(tables.record_escalation(escalation.clone()))).await
    }

    async fn escalations(&self, chat_id: u64, limit: u64) -> Result<Vec<EscalationRecord>, StoreError> {
        self.read(move |tables| at_once(tables.escalations(chat_id, limit))).await
    }

    async fn choose_escalation_channel(
        &self,
        chat_id: u64,
        escalation_id: u64,
        channel: &str,
        at_ms: u64,
    ) -> Result<String, StoreError> {
        let channel = channel.to_owned();
        self.write(None, move |tables| {
            at_once(tables.choose_escalation_channel(chat_id, escalation_id, &channel, at_ms))
        })
        .await
    }

    async fn keep_masked_answers(&self, masked: MaskedAnswers) -> Result<(), StoreError> {
        self.write(None, move |tables| at_once(tables.keep_masked_answers(masked.clone()))).await
    }

    async fn masked_answers(
        &self,
        chat_id: u64,
        smart_action_id: u64,
        masked_id: &str,
    ) -> Result<Vec<Value>, StoreError> {
        let masked_id = masked_id.to_owned();
        self.read(move |tables| at_once(tables.masked_answers(chat_id, smart_action_id, &masked_id))).await
    }

    async fn record_event(
        &self,
        chat_id: u64,
        event: ChatEvent,
        end_user_name: Option<String>,
        limit: u64,
    ) -> Result<bool, StoreError> {
        self.write(None, move |tables| {
            at_once(tables.record_event(chat_id, event.clone(), end_user_name.clone(), limit))
        })
        .await
    }

    async fn events(&self, chat_id: u64, limit: u64) -> Result<Vec<ChatEvent>, StoreError> {
        self.read(move |tables| at_once(tables.events(chat_id, limit))).await
    }

    async fn ended_chats(&self, end_user_id: u64, skip: u64, limit: u64) -> Result<Vec<ChatRecord>, StoreError> {
        self.read(move |tables| at_once(tables.ended_chats(end_user_id, skip, limit))).await
    }

    async fn announce_media(&self, media: NewMedia, quota: MediaQuota) -> Result<Announced, StoreError> {
        self.write(None, move |tables| at_once(tables.announce_media(media.clone(), quota))).await
    }

    async fn media(&self, media_id: u64) -> Result<Option<MediaRecord>, StoreError> {
        self.read(move |tables| at_once(tables.media(media_id))).await
    }

    async fn complete_media(&self, media_id: u64, stored: StoredMedia, size_bytes: u64) -> Result<bool, StoreError> {
        self.write(None, move |tables| at_once(tables.complete_media(media_id, stored.clone(), size_bytes))).await
    }

    async fn keep_record(&self, record: NewRecord, caps: Vec<RecordCap>) -> Result<Kept, StoreError> {
        self.write(None, move |tables| at_once(tables.keep_record(record.clone(), caps.clone()))).await
    }

    async fn record(&self, kind: RecordKind, id: u64) -> Result<Option<Record>, StoreError> {
        self.read(move |tables| at_once(tables.record(kind, id))).await
    }

    async fn record_with_key(
        &self,
        kind: RecordKind,
        company_id: &str,
        key: &str,
    ) -> Result<Option<Record>, StoreError> {
        let (company_id, key) = (company_id.to_owned(), key.to_owned());
        self.read(move |tables| at_once(tables.record_with_key(kind, &company_id, &key))).await
    }

    async fn change_record(&self, record: Record, caps: Vec<RecordCap>) -> Result<Changed, StoreError> {
        self.write(None, move |tables| at_once(tables.change_record(record.clone(), caps.clone()))).await
    }

    async fn records(&self, query: RecordQuery) -> Result<Vec<Record>, StoreError> {
        self.read(move |tables| at_once(tables.records(query.clone()))).await
    }

    async fn count_records(&self, query: RecordQuery) -> Result<u64, StoreError> {
        self.read(move |tables| at_once(tables.count_records(query.clone()))).await
    }

    async fn register_agent(&self, login: &str, name: &str, avatar_url: Option<&str>) -> Result<u64, StoreError> {
        let (login, name, avatar_url) = (login.to_owned(), name.to_owned(), avatar_url.map(str::to_owned));
        self.write(None, move |tables| at_once(tables.register_agent(&login, &name, avatar_url.as_deref()))).await
    }

    async fn agents(&self) -> Result<Vec<AgentRecord>, StoreError> {
        self.read(|tables| at_once(tables.agents())).await
    }

    async fn open_agent_session(
        &self,
        token_sha256: [u8; 32],
        agent_id: u64,
        expires_at_ms: u64,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        self.write(None, move |tables| {
            at_once(tables.open_agent_session(token_sha256, agent_id, expires_at_ms, now_ms))
        })
        .await
    }

    async fn agent_session(&self, token_sha256: [u8; 32], now_ms: u64) -> Result<Option<(u64, u64)>, StoreError> {
        self.read(move |tables| at_once(tables.agent_session(token_sha256, now_ms))).await
    }

    async fn close_agent_session(&self, token_sha256: [u8; 32]) -> Result<(), StoreError> {
        self.write(None, move |tables| at_once(tables.close_agent_session(token_sha256))).await
    }

    async fn close(&self) {
        self.inner().closed = true;
    }
}

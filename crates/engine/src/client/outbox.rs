//! Messages on their way to the gateway: each has an idempotency key made here, goes out in order and one at a time, and is kept until the
//! gateway has stored it or the outbox gives it up. Refuses to send under another end user than the one who wrote it.

use wire::{Document, ErrorCode};

use super::error::Error;
use super::text::{decimal, number, padded, split_at_byte};
use super::types::OpId;

/// How a message of the end user stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its idempotency key.
    pub client_id: String,
    /// Its state.
    pub state: DeliveryState,
}

/// The states of a message of the end user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Waits for its turn or for the network.
    Queued,
    /// On its way.
    Sending,
    /// Stored by the gateway.
    Sent {
        /// Its index.
        index: u64,
    },
    /// Given up.
    Failed(Error),
}

pub(crate) struct Entry<D> {
    pub(crate) client_id: String,
    pub(crate) chat_id: u64,
    pub(crate) message: D,
    /// The call that waits for it; none after a reload.
    pub(crate) op: Option<OpId>,
    pub(crate) sending: bool,
    deadline_ms: u64,
    key: String,
}

pub(crate) struct Outbox<D> {
    entries: Vec<Entry<D>>,
    /// Tells messages of the same millisecond apart in the store.
    sequence: u64,
    /// Not before this time.
    pub(crate) retry_at_ms: u64,
}

impl<D: Document> Outbox<D> {
    pub(crate) fn new() -> Self {
        Outbox { entries: Vec::new(), sequence: 0, retry_at_ms: 0 }
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry<D>> {
        self.entries.iter()
    }

    pub(crate) fn get(&self, client_id: &str) -> Option<&Entry<D>> {
        self.entries.iter().find(|entry| entry.client_id == client_id)
    }

    pub(crate) fn by_op(&self, op: OpId) -> Option<&Entry<D>> {
        self.entries.iter().find(|entry| entry.op == Some(op))
    }

    /// Takes a message in; returns the key and value to store.
    pub(crate) fn push(&mut self, new: NewEntry<'_, D>, now_ms: u64) -> Option<(String, String)> {
        let json = new.message.to_json()?;
        self.sequence += 1;
        let key = [new.prefix, &padded(now_ms, 14), "-", &padded(self.sequence, 6), "|", &new.client_id].concat();
        let value = [decimal(new.chat_id).as_str(), "\n", &json].concat();
        self.entries.push(Entry {
            client_id: new.client_id,
            chat_id: new.chat_id,
            message: new.message,
            op: Some(new.op),
            sending: false,
            deadline_ms: now_ms.saturating_add(new.timeout_ms),
            key: key.clone(),
        });
        Some((key, value))
    }

    /// Takes up what an earlier page left behind; `false` where it cannot be read and should be forgotten.
    pub(crate) fn restore(&mut self, prefix: &str, key: &str, value: &str, timeout_ms: u64) -> bool {
        let Some((stamp, client_id)) = key.strip_prefix(prefix).and_then(|rest| split_at_byte(rest, b'|')) else {
            return false;
        };
        let Some((chat_id, json)) = split_at_byte(value, b'\n') else { return false };
        let queued_at_ms = split_at_byte(stamp, b'-').and_then(|(ms, _)| number(ms));
        let (Some(queued_at_ms), Some(chat_id), Some(message)) = (queued_at_ms, number(chat_id), D::parse(json)) else {
            return false;
        };
        if self.get(client_id).is_some() {
            return true;
        }
        let entry = Entry {
            client_id: client_id.to_owned(),
            chat_id,
            message,
            op: None,
            sending: false,
            deadline_ms: queued_at_ms.saturating_add(timeout_ms),
            key: key.to_owned(),
        };
        // Keys sort by time: what was typed first goes out first.
        let place = self
            .entries
            .iter()
            .position(|other| !other.sending && other.key.as_str() > key)
            .unwrap_or(self.entries.len());
        self.entries.insert(place, entry);
        true
    }

    /// The next message to send, now marked as on its way; `None` while one is, or before the time has come.
    pub(crate) fn start_next(&mut self, now_ms: u64) -> Option<&Entry<D>> {
        if now_ms < self.retry_at_ms || self.is_sending() {
            return None;
        }
        let entry = self.entries.first_mut()?;
        entry.sending = true;
        Some(entry)
    }

    fn is_sending(&self) -> bool {
        self.entries.iter().any(|entry| entry.sending)
    }

    /// A try failed for now: the message waits in its place.
    pub(crate) fn back_to_queue(&mut self, client_id: &str) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.client_id == client_id) {
            entry.sending = false;
        }
    }

    /// Takes a message out; its key in the store is to be forgotten.
    pub(crate) fn remove(&mut self, client_id: &str) -> Option<(Entry<D>, String)> {
        let position = self.entries.iter().position(|entry| entry.client_id == client_id)?;
        let entry = self.entries.remove(position);
        let key = entry.key.clone();
        Some((entry, key))
    }

    /// The keys of the messages that waited longer than they may.
    pub(crate) fn overdue(&self, now_ms: u64) -> Vec<String> {
        self.entries.iter().filter(|entry| entry.deadline_ms <= now_ms).map(|entry| entry.client_id.clone()).collect()
    }

    /// When something is due: a retry or the end of someone's patience.
    pub(crate) fn next_timeout_ms(&self, can_send: bool, now_ms: u64) -> Option<u64> {
        let deadline = self.entries.iter().map(|entry| entry.deadline_ms).min()?;
        let retry = (can_send && !self.is_sending()).then_some(self.retry_at_ms.max(now_ms));
        Some(retry.map_or(deadline, |retry| retry.min(deadline)))
    }
}

/// A message to take in.
pub(crate) struct NewEntry<'a, D> {
    pub(crate) client_id: String,
    pub(crate) chat_id: u64,
    pub(crate) message: D,
    pub(crate) op: OpId,
    /// The start of its key in the store.
    pub(crate) prefix: &'a str,
    pub(crate) timeout_ms: u64,
}

/// Whether a failed try says nothing against a later one. What the gateway refused for good is not tried again.
pub(crate) fn may_retry(error: &Error) -> bool {
    matches!(error.code, ErrorCode::Network | ErrorCode::Unavailable | ErrorCode::RateLimited | ErrorCode::Unauthorized)
}

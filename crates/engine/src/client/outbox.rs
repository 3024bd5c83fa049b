//! Messages on their way to the gateway: each has an idempotency key made here, goes out in order and one at a time, and is kept until the
//! gateway has stored it or the outbox gives it up. Refuses to send under another end user than the one who wrote it.

use wire::{Document, ErrorCode};

use super::error::Error;
use super::text::{decimal, number, padded, split_at_byte};
use super::types::{FILE_KEY_END, OpId};

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
    pub(crate) queued_at_ms: u64,
    /// It was written in this page.
    pub(crate) own: bool,
    pub(crate) attachment: Attachment<D>,
    deadline_ms: u64,
    pub(crate) key: String,
}

impl<D> Entry<D> {
    pub(crate) fn has_file(&self) -> bool {
        !matches!(self.attachment, Attachment::None)
    }

    pub(crate) fn is_uploading(&self) -> bool {
        self.sending && matches!(self.attachment, Attachment::Uploading { .. })
    }
}

/// The file that a message shows, and how far it is.
pub(crate) enum Attachment<D> {
    None,
    /// Not uploaded yet; the file itself where this page has it.
    Pending(Option<D>),
    /// On its way to the gateway, which will know it by this number.
    Uploading {
        file: Option<D>,
        media_id: u64,
    },
    /// With the gateway.
    Stored {
        media_id: u64,
    },
}

/// What the key of a stored message says: when and where it was written, and its idempotency key.
pub(crate) struct StoredKey<'a> {
    pub(crate) queued_at_ms: u64,
    pub(crate) page: &'a str,
    pub(crate) client_id: &'a str,
    has_file: bool,
}

impl<'a> StoredKey<'a> {
    /// `<prefix><ms>-<sequence>|<page>|<client id>`, with [`FILE_KEY_END`] where a file is kept; `None` for anything else.
    pub(crate) fn read(prefix: &str, key: &'a str) -> Option<StoredKey<'a>> {
        let (stamp, rest) = split_at_byte(key.strip_prefix(prefix)?, b'|')?;
        let (page, rest) = split_at_byte(rest, b'|')?;
        let queued_at_ms = number(split_at_byte(stamp, b'-')?.0)?;
        let without_end = rest.strip_suffix(FILE_KEY_END);
        Some(StoredKey { queued_at_ms, page, client_id: without_end.unwrap_or(rest), has_file: without_end.is_some() })
    }
}

pub(crate) struct Outbox<D> {
    entries: Vec<Entry<D>>,
    /// Tells messages of the same millisecond apart in the store.
    sequence: u64,
    /// Not before this time.
    pub(crate) retry_at_ms: u64,
    /// The gateway asked for no message before this time; nothing shortens that.
    asked_until_ms: u64,
}

impl<D: Document> Outbox<D> {
    pub(crate) fn new() -> Self {
        Outbox { entries: Vec::new(), sequence: 0, retry_at_ms: 0, asked_until_ms: 0 }
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry<D>> {
        self.entries.iter()
    }

    pub(crate) fn get(&self, client_id: &str) -> Option<&Entry<D>> {
        self.entries.iter().find(|entry| entry.client_id == client_id)
    }

    pub(crate) fn get_mut(&mut self, client_id: &str) -> Option<&mut Entry<D>> {
        self.entries.iter_mut().find(|entry| entry.client_id == client_id)
    }

    pub(crate) fn by_op(&self, op: OpId) -> Option<&Entry<D>> {
        self.entries.iter().find(|entry| entry.op == Some(op))
    }

    /// Takes a message in; returns the key and value to store.
    pub(crate) fn push(&mut self, new: NewEntry<'_, D>, now_ms: u64) -> Option<(String, String)> {
        let json = new.message.to_json()?;
        self.sequence += 1;
        let end = if new.file.is_some() { FILE_KEY_END } else { "" };
        let (ms, sequence) = (padded(now_ms, 14), padded(self.sequence, 6));
        let key = [new.prefix, &ms, "-", &sequence, "|", new.page, "|", &new.client_id, end].concat();
        let value = [decimal(new.chat_id).as_str(), "\n", &json].concat();
        self.entries.push(Entry {
            client_id: new.client_id,
            chat_id: new.chat_id,
            message: new.message,
            op: Some(new.op),
            sending: false,
            queued_at_ms: now_ms,
            own: true,
            attachment: new.file.map_or(Attachment::None, |file| Attachment::Pending(Some(file))),
            deadline_ms: now_ms.saturating_add(new.timeout_ms),
            key: key.clone(),
        });
        Some((key, value))
    }

    /// Takes up what another page left behind; `false` where it cannot be read and should be forgotten. It goes before what this page wrote
    /// where that page is older, and otherwise where its time puts it.
    pub(crate) fn restore(&mut self, prefix: &str, key: &str, value: &str, is_older: bool, timeout_ms: u64) -> bool {
        let Some(stored) = StoredKey::read(prefix, key) else { return false };
        let Some((chat_id, json)) = split_at_byte(value, b'\n') else { return false };
        let (Some(chat_id), Some(message)) = (number(chat_id), D::parse(json)) else { return false };
        let entry = Entry {
            client_id: stored.client_id.to_owned(),
            chat_id,
            message,
            op: None,
            sending: false,
            queued_at_ms: stored.queued_at_ms,
            own: false,
            attachment: if stored.has_file { Attachment::Pending(None) } else { Attachment::None },
            deadline_ms: stored.queued_at_ms.saturating_add(timeout_ms),
            key: key.to_owned(),
        };
        // Keys sort by time: what was typed first goes out first. Entries need not be sorted, because what is on its way keeps its place.
        let is_earlier = |other: &Entry<D>| other.sending || !(is_older && other.own) && other.key.as_str() < key;
        let mut place = self.entries.iter().rposition(is_earlier).map_or(0, |last| last + 1);
        if planted!("planted-taken-over-out-of-order") {
            place = self.entries.iter().position(|other| !is_earlier(other)).unwrap_or(self.entries.len());
        }
        self.entries.insert(place, entry);
        true
    }

    /// The next message to send; `None` while one is on its way, or before the time has come.
    pub(crate) fn next_to_send(&mut self, now_ms: u64) -> Option<&mut Entry<D>> {
        if planted!("planted-two-in-flight") && now_ms >= self.retry_at_ms {
            return self.entries.iter_mut().find(|entry| !entry.sending);
        }
        if now_ms < self.retry_at_ms || self.is_sending() {
            return None;
        }
        self.entries.first_mut()
    }

    pub(crate) fn is_sending(&self) -> bool {
        self.entries.iter().any(|entry| entry.sending)
    }

    /// The next try waits until then; `asked` says that the gateway wants it so.
    pub(crate) fn wait_until(&mut self, at_ms: u64, asked: bool) {
        self.retry_at_ms = at_ms;
        if planted!("planted-retry-after-ignored") {
            self.retry_at_ms = 0;
        } else if asked {
            self.asked_until_ms = at_ms;
        }
    }

    /// The network is back: the next try waits no longer than the gateway asked.
    pub(crate) fn hurry(&mut self) {
        self.retry_at_ms = self.asked_until_ms;
    }

    /// A try failed for now: the message waits in its place.
    pub(crate) fn back_to_queue(&mut self, client_id: &str) {
        if let Some(entry) = self.get_mut(client_id) {
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
    pub(crate) file: Option<D>,
    pub(crate) op: OpId,
    /// The start of its key in the store.
    pub(crate) prefix: &'a str,
    /// The page it is written in.
    pub(crate) page: &'a str,
    pub(crate) timeout_ms: u64,
}

/// Whether a failed try says nothing against a later one. What the gateway refused for good is not tried again.
pub(crate) fn may_retry(error: &Error) -> bool {
    matches!(error.code, ErrorCode::Network | ErrorCode::Unavailable | ErrorCode::RateLimited | ErrorCode::Unauthorized)
}

//! The outbox: mails that are recorded and not gone yet. They are records of the store, so a restart loses none. A mail leaves at least once: where the
//! gateway ends between the server's yes and the record of it, the mail goes again under the same `Message-ID`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Post, SendError};
use crate::clock::now_ms;
use crate::platform::embedded::letters;
use crate::store::{Changed, NewRecord, Record, RecordKind, RecordQuery, StoreError};
use crate::{App, Shared};

/// Kinds of records that have mails.
const KINDS: [RecordKind; 2] = [RecordKind::Mail, RecordKind::Email];
/// The member of a record's body that has its mails.
const DELIVERIES: &str = "deliveries";
/// Records of one look.
const BATCH: u64 = 20;
/// The longest time between two looks.
const PAUSE: Duration = Duration::from_secs(30);
/// After a look that failed.
const FAULT_PAUSE: Duration = Duration::from_secs(5);
/// The longest time between two tries.
const LONGEST_RETRY_MS: u64 = 60 * 60 * 1000;
/// A record is written by few: so many conflicts in a row do not happen.
const ATTEMPTS: usize = 20;

/// One mail to one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delivery {
    /// What it says.
    pub(crate) what: What,
    /// The address.
    pub(crate) to: String,
    /// Where it stands.
    pub(crate) state: State,
    /// Tries that failed.
    pub(crate) tries: u32,
    /// When it is tried next.
    pub(crate) due_at_ms: u64,
    /// When it was asked for.
    pub(crate) at_ms: u64,
}

/// What a mail says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    /// What was said in a chat.
    Transcript,
    /// What a customer wrote to the company.
    Message,
    /// An agent's answer to it: which one.
    Reply(usize),
}

/// Where a mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// It is to be sent.
    Waiting,
    /// It was taken by the server, or is in the folder.
    Sent,
    /// It was given up.
    Failed,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Sent => "sent",
            State::Failed => "failed",
        }
    }
}

impl Delivery {
    pub(crate) fn new(what: What, to: String, at_ms: u64) -> Delivery {
        Delivery { what, to, state: State::Waiting, tries: 0, due_at_ms: at_ms, at_ms }
    }
}

/// The mails of a record. A record of an earlier kind has none.
pub(crate) fn deliveries(record: &NewRecord) -> Vec<Delivery> {
    let found = record.body.get(DELIVERIES).cloned();
    found.and_then(|found| serde_json::from_value(found).ok()).unwrap_or_default()
}

/// Writes the mails of a record, and when the next of them is due.
pub(crate) fn put(record: &mut NewRecord, deliveries: &[Delivery]) {
    let waiting = deliveries.iter().filter(|delivery| delivery.state == State::Waiting);
    record.due_at_ms = waiting.map(|delivery| delivery.due_at_ms).min();
    if record.kind == RecordKind::Mail && record.due_at_ms.is_none() {
        DONE.clone_into(&mut record.status);
    }
    let value = serde_json::to_value(deliveries).unwrap_or(Value::Null);
    record.body.insert(DELIVERIES.to_owned(), value);
}

/// A record of mails of which some are to be sent.
pub(crate) const WAITING: &str = "waiting";
/// One of which none is.
pub(crate) const DONE: &str = "done";

/// Sends what is due until the gateway stops.
pub(crate) async fn watch(app: Shared) {
    let Some(post) = &app.post else { return };
    loop {
        let pause = match look(&app, post).await {
            Ok(pause) => pause,
            Err(cause) => {
                tracing::error!(%cause, "the outbox cannot be read or written");
                FAULT_PAUSE
            }
        };
        tokio::select! {
            () = post.wake.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Sends what is due now, and gives the time until something else is.
async fn look(app: &App, post: &Post) -> Result<Duration, StoreError> {
    let mut pause = PAUSE;
    for kind in KINDS {
        for record in due(app, kind, now_ms(), BATCH).await? {
            for (index, delivery) in deliveries(&record.content).into_iter().enumerate() {
                if delivery.state == State::Waiting && delivery.due_at_ms <= now_ms() {
                    send(app, post, &record, index, &delivery).await?;
                    tokio::time::sleep(post.pause).await;
                }
            }
        }
        let soon = now_ms().saturating_add(u64::try_from(PAUSE.as_millis()).unwrap_or(u64::MAX));
        if let Some(due_at_ms) = due(app, kind, soon, 1).await?.first().and_then(|record| record.content.due_at_ms) {
            pause = pause.min(Duration::from_millis(due_at_ms.saturating_sub(now_ms())));
        }
    }
    Ok(pause)
}

async fn due(app: &App, kind: RecordKind, until_ms: u64, limit: u64) -> Result<Vec<Record>, StoreError> {
    app.store.records(RecordQuery { due_until_ms: Some(until_ms), ..RecordQuery::of(kind, limit) }).await
}

async fn send(app: &App, post: &Post, record: &Record, index: usize, delivery: &Delivery) -> Result<(), StoreError> {
    let sent = match letters::write(app, post, record, index, delivery).await {
        Ok(Some(message)) => post.mailer.send(&format!("{}-{index}", record.id), &message).await,
        // What it should say is no longer there.
        Ok(None) => Err(SendError::ForGood),
        Err(_) => Err(SendError::ForNow),
    };
    let now_ms = now_ms();
    let is_late = now_ms.saturating_sub(delivery.at_ms) >= post.give_up_after_ms;
    let mut changed = delivery.clone();
    match sent {
        Ok(()) => changed.state = State::Sent,
        Err(error) => {
            changed.tries = changed.tries.saturating_add(1);
            if error == SendError::ForGood || is_late {
                changed.state = State::Failed;
                tracing::warn!(record_id = record.id, tries = changed.tries, "a mail was given up");
            } else {
                changed.due_at_ms = now_ms.saturating_add(pause_ms(post.retry_ms, changed.tries));
            }
        }
    }
    note(app, record, index, &changed).await
}

/// The time after so many tries that failed.
fn pause_ms(first_ms: u64, tries: u32) -> u64 {
    let doubled = 2_u64.saturating_pow(tries.saturating_sub(1));
    first_ms.saturating_mul(doubled).min(LONGEST_RETRY_MS.max(first_ms))
}

/// Records how a mail stands. Agents may change the record meanwhile.
async fn note(app: &App, sent: &Record, index: usize, delivery: &Delivery) -> Result<(), StoreError> {
    for _ in 0..ATTEMPTS {
        let Some(mut record) = app.store.record(sent.content.kind, sent.id).await? else { return Ok(()) };
        let mut all = deliveries(&record.content);
        if let Some(slot) = all.get_mut(index) {
            slot.clone_from(delivery);
        }
        put(&mut record.content, &all);
        if app.store.change_record(record, Vec::new()).await? != Changed::Conflict {
            // Agents see how it stands.
            app.bus.publish_chats_changed();
            return Ok(());
        }
    }
    Err(StoreError::Corrupt("a record that is always being changed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let pauses: Vec<u64> = [1, 2, 3, 7, 8, 100, u32::MAX].map(|tries| pause_ms(60_000, tries)).to_vec();
        assert_eq!(pauses, [60_000, 120_000, 240_000, 3_600_000, 3_600_000, 3_600_000, 3_600_000]);
        assert_eq!(pause_ms(7_200_000, 5), 7_200_000);
    }
}

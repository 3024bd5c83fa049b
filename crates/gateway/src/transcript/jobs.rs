//! Transcripts that were asked for: records in the store, so that they survive a restart, and the task that makes them. A transcript that takes the gateway down
//! with it is tried a few times and then given up. Its file is forgotten after a while; asking again makes it anew.

use std::time::Duration;

use engine::gateway::Actor;
use futures_util::StreamExt;
use serde_json::Value;
use wire::ErrorCode;

use super::{Asked, Failed};
use crate::auth::keys;
use crate::clock::now_ms;
use crate::error::Error;
use crate::store::{
    CapOf, Changed, ChatRecord, Kept, NewRecord, Record, RecordCap, RecordKind, RecordQuery, StoredMedia,
};
use crate::{App, Shared};

/// How often to look for what nobody announced: what a former process left, and what has had its time.
const PAUSE: Duration = Duration::from_secs(5);
/// Transcripts of one look.
const BATCH: u64 = 50;
/// Tries at one transcript.
const MAX_TRIES: u64 = 3;
/// How long to wait after a try that the store or the disk failed.
const RETRY_MS: u64 = 5_000;
/// After so long one that failed may be asked for again.
const FAILED_FOR_MS: u64 = 60_000;
/// A day.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// When someone who used up their share may ask again; some of it may be free by then.
const OVER_CAP_RETRY_MS: u64 = 60 * 60 * 1000;

const PENDING: &str = "pending";
const FINISHED: &str = "finished";
const FAILED: &str = "failed";
const EXPIRED: &str = "expired";

/// Where a transcript stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Pending,
    Finished(StoredMedia),
    Failed(String),
}

impl Standing {
    pub(crate) fn of(record: &Record) -> Standing {
        let text = |key: &str| record.content.body.get(key).and_then(Value::as_str).map(str::to_owned);
        match (record.content.status.as_str(), text("object")) {
            (FINISHED, Some(object)) => {
                Standing::Finished(StoredMedia { object, content_type: "application/pdf".to_owned() })
            }
            (FAILED, _) => Standing::Failed(text("failed_reason").unwrap_or_else(|| "internal".to_owned())),
            (PENDING, _) => Standing::Pending,
            _ => Standing::Failed(EXPIRED.to_owned()),
        }
    }

    /// The word for it on the wire.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Standing::Pending => PENDING,
            Standing::Finished(_) => FINISHED,
            Standing::Failed(_) => FAILED,
        }
    }
}

/// Asks for a transcript; the same one for the same state of a chat, whether it is there already or not. The flag says that it is new.
pub(crate) async fn ask(app: &App, chat: &ChatRecord, actor: Actor, asked: &Asked) -> Result<(Record, bool), Error> {
    let limits = &app.config.transcripts;
    let at_ms = now_ms();
    let (zone, _) = super::zone(app, chat, asked);
    let lang = asked.lang.clone().unwrap_or_else(|| chat.lang.clone());
    let reader = match actor {
        Actor::EndUser(_) => "end_user".to_owned(),
        Actor::Agent(id) => format!("agent:{id}"),
    };
    let topic = format!("{reader}:chat:{}", chat.state.id);
    let mut body = serde_json::Map::new();
    body.insert("lang".to_owned(), lang.as_str().into());
    body.insert("timezone".to_owned(), zone.as_str().into());
    if let Actor::Agent(id) = actor {
        body.insert("agent_id".to_owned(), id.into());
    }
    let since_ms = at_ms.saturating_sub(DAY_MS);
    let cap = |of, most| RecordCap { of, since_ms, statuses: Vec::new(), most };
    let mut caps = vec![cap(CapOf::Topic, limits.per_chat_per_day)];
    let end_user_id = match actor {
        Actor::EndUser(id) => {
            caps.push(cap(CapOf::EndUser, limits.per_end_user_per_day));
            Some(id)
        }
        Actor::Agent(_) => None,
    };
    let new = NewRecord {
        kind: RecordKind::Transcript,
        company_id: chat.company_id.clone(),
        end_user_id,
        chat_id: Some(chat.state.id),
        key: Some(format!("{topic}:{}:{lang}:{zone}", chat.state.revision)),
        topic: Some(topic),
        status: PENDING.to_owned(),
        due_at_ms: Some(at_ms),
        at_ms,
        body,
    };
    let (record, fresh) = match app.store.keep_record(new, caps).await? {
        Kept::Fresh(record) => (record, true),
        Kept::Known(record) => (again(app, record, at_ms).await?, false),
        Kept::Full => return Err(Error::rate_limited(OVER_CAP_RETRY_MS)),
    };
    app.transcripts.asked.notify_one();
    Ok((record, fresh))
}

/// Begins anew with one that has had its time, or failed a while ago.
async fn again(app: &App, record: Record, now_ms: u64) -> Result<Record, Error> {
    let failed_at_ms = number(&record, "failed_at_ms");
    let is_over = match Standing::of(&record) {
        Standing::Failed(reason) => reason == EXPIRED || failed_at_ms.saturating_add(FAILED_FOR_MS) <= now_ms,
        _ => false,
    };
    if !is_over {
        return Ok(record);
    }
    let id = record.id;
    let mut anew = record;
    anew.content.status = PENDING.to_owned();
    anew.content.due_at_ms = Some(now_ms);
    for key in ["tries", "failed_reason", "failed_at_ms", "object"] {
        anew.content.body.remove(key);
    }
    // Where someone else was faster, theirs is what counts.
    app.store.change_record(anew, Vec::new()).await?;
    app.store.record(RecordKind::Transcript, id).await?.ok_or_else(|| Error::of(ErrorCode::Unavailable))
}

/// A transcript of a chat that this actor asked for.
pub(crate) async fn find(app: &App, chat_id: u64, actor: Actor, id: u64) -> Result<Record, Error> {
    let record = app.store.record(RecordKind::Transcript, id).await?;
    let is_theirs = |record: &Record| {
        let agent_id = record.content.body.get("agent_id").and_then(Value::as_u64);
        let whose = match actor {
            Actor::EndUser(id) => agent_id.is_none() && record.content.end_user_id == Some(id),
            Actor::Agent(id) => agent_id == Some(id),
        };
        whose && record.content.chat_id == Some(chat_id)
    };
    record.filter(is_theirs).ok_or_else(|| Error::of(ErrorCode::NotFound))
}

fn number(record: &Record, key: &str) -> u64 {
    record.content.body.get(key).and_then(Value::as_u64).unwrap_or(0)
}

/// Makes what is asked for, and forgets what has had its time, until the gateway stops.
pub(crate) async fn watch(app: Shared) {
    loop {
        let asked = tokio::time::timeout(PAUSE, app.transcripts.asked.notified());
        if let Err(cause) = look(&app).await {
            tracing::error!(code = cause.code.as_str(), "transcripts cannot be read");
        }
        drop(asked.await);
    }
}

async fn look(app: &Shared) -> Result<(), Error> {
    let due = |status: &str| RecordQuery {
        statuses: vec![status.to_owned()],
        due_until_ms: Some(now_ms()),
        ..RecordQuery::of(RecordKind::Transcript, BATCH)
    };
    for record in app.store.records(due(FINISHED)).await? {
        expire(app, record).await?;
    }
    let pending = app.store.records(due(PENDING)).await?;
    let at_once = app.config.transcripts.at_once.max(1);
    let made = futures_util::stream::iter(pending).map(|record| make(app, record)).buffer_unordered(at_once);
    made.for_each(|made| async move {
        if let Err(cause) = made {
            tracing::error!(code = cause.code.as_str(), "a transcript cannot be kept");
        }
    })
    .await;
    Ok(())
}

async fn expire(app: &App, mut record: Record) -> Result<(), Error> {
    let standing = Standing::of(&record);
    record.content.status = EXPIRED.to_owned();
    record.content.due_at_ms = None;
    record.content.body.remove("object");
    // First the record: a file that nobody finds is better than one that is missing.
    if let (Changed::Changed, Standing::Finished(stored)) =
        (app.store.change_record(record, Vec::new()).await?, standing)
    {
        app.media.remove(&stored).await;
    }
    Ok(())
}

async fn make(app: &App, mut record: Record) -> Result<(), Error> {
    let now = now_ms();
    let tries = number(&record, "tries").saturating_add(1);
    record.content.body.insert("tries".to_owned(), tries.into());
    // Whoever finds it due again after that knows that this try came to nothing.
    let lease_ms = app.config.transcripts.max_ms.saturating_mul(2).saturating_add(RETRY_MS);
    record.content.due_at_ms = Some(now.saturating_add(lease_ms));
    if app.store.change_record(record.clone(), Vec::new()).await? != Changed::Changed {
        return Ok(());
    }
    record.revision = record.revision.saturating_add(1);
    let result = if tries > MAX_TRIES { Err(Failed::Internal) } else { made(app, &record).await };
    let now = now_ms();
    match result {
        Ok(object) => {
            record.content.status = FINISHED.to_owned();
            record.content.body.insert("object".to_owned(), object.into());
            record.content.due_at_ms = Some(now.saturating_add(app.config.transcripts.keep_ms));
        }
        Err(Failed::Unavailable) if tries < MAX_TRIES => {
            record.content.due_at_ms = Some(now.saturating_add(RETRY_MS));
        }
        Err(failed) => {
            tracing::warn!(transcript_id = record.id, reason = failed.as_str(), "transcript failed");
            record.content.status = FAILED.to_owned();
            record.content.body.insert("failed_reason".to_owned(), failed.as_str().into());
            record.content.body.insert("failed_at_ms".to_owned(), now.into());
            record.content.due_at_ms = None;
        }
    }
    app.store.change_record(record, Vec::new()).await?;
    Ok(())
}

/// Makes one and gives the name of its file.
async fn made(app: &App, record: &Record) -> Result<String, Failed> {
    let chat_id = record.content.chat_id.ok_or(Failed::Internal)?;
    let chat = app.store.chat(chat_id).await.map_err(Error::from)?.ok_or(Failed::Internal)?;
    let text = |key: &str| record.content.body.get(key).and_then(Value::as_str).map(str::to_owned);
    let asked = Asked { lang: text("lang"), timezone: text("timezone") };
    let bytes = super::pdf(app, &chat, &asked).await?;
    let unguessed = keys::to_text(&keys::random::<9>().map_err(|_| Failed::Unavailable)?);
    let object = format!("transcripts/{}-{unguessed}", record.id);
    app.media.keep(&object, bytes).await?;
    Ok(object)
}

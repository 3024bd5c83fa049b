//! The one writer. Writes queue up while a transaction runs and share the next one, so that a disk's flush is paid once for all chats that
//! changed meanwhile. Each is answered only after its transaction is on disk. The queue is bounded: a full one makes callers wait.

use engine::gateway::{Change, Message, ScreenShare};
use sqlx::{Connection, QueryBuilder, SqliteConnection};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::records;
use super::rows::{self, count, int};
use crate::store::{
    Announced, Changed, ChatEvent, Commit, EndUserKey, EndUserRecord, Kept, MaskedAnswers, MediaQuota, MediaRecord,
    MessageBody, NewChat, NewEscalation, NewMedia, NewRecord, Profile, Record, RecordCap, StoreError, StoredMedia,
};

/// Writes that may wait.
const QUEUE: usize = 1024;
/// Writes of one transaction.
const BATCH: usize = 128;
/// Messages of one INSERT; SQLite allows 32,766 parameters.
const INSERT_ROWS: usize = 500;

/// Something to write.
pub(super) enum Write {
    Meta {
        name: String,
        value: Vec<u8>,
    },
    EndUser {
        company_id: String,
        key: EndUserKey,
        profile: Profile,
    },
    CreateChat(Box<(NewChat, Change<MessageBody>)>),
    Commit(Box<Change<MessageBody>>),
    Escalation(Box<NewEscalation>),
    EscalationChannel {
        chat_id: u64,
        escalation_id: u64,
        channel: String,
        at_ms: u64,
    },
    /// Of a chat, with the end user's name and the most events a chat may have.
    MaskedAnswers(Box<MaskedAnswers>),
    Event(Box<(u64, ChatEvent, Option<String>, u64)>),
    AnnounceMedia(Box<(NewMedia, MediaQuota)>),
    CompleteMedia {
        media_id: u64,
        stored: StoredMedia,
        size_bytes: u64,
    },
    /// With the limits.
    KeepRecord(Box<(NewRecord, Vec<RecordCap>)>),
    ChangeRecord(Box<(Record, Vec<RecordCap>)>),
    Agent {
        login: String,
        name: String,
        avatar_url: Option<String>,
    },
    OpenSession {
        token_sha256: [u8; 32],
        agent_id: u64,
        expires_at_ms: u64,
        now_ms: u64,
    },
    CloseSession {
        token_sha256: [u8; 32],
    },
}

/// What a write led to.
pub(super) enum Written {
    Nothing,
    Bytes(Vec<u8>),
    Text(String),
    Id(u64),
    EndUser(Box<EndUserRecord>),
    Created { chat_id: u64, fresh: bool },
    Commit(Commit),
    Announced(Box<Announced>),
    Flag(bool),
    Kept(Box<Kept>),
    Changed(Changed),
}

struct Job {
    write: Write,
    answer: oneshot::Sender<Result<Written, StoreError>>,
}

/// The queue to the writer's task.
pub(super) struct Writer {
    queue: mpsc::Sender<Job>,
    close: mpsc::Sender<()>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(connection: SqliteConnection) -> Writer {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let (close, closing) = mpsc::channel(1);
        let task = tokio::spawn(run(connection, jobs, closing));
        Writer { queue, close, task: Mutex::new(Some(task)) }
    }

    /// Writes, and returns when it is on disk.
    pub(super) async fn write(&self, write: Write) -> Result<Written, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(Job { write, answer }).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Writes what is queued and closes the database.
    pub(super) async fn close(&self) {
        // The task is gone already where this fails.
        let _ = self.close.send(()).await;
        if let Some(task) = self.task.lock().await.take() {
            drop(task.await);
        }
    }
}

async fn run(mut connection: SqliteConnection, mut jobs: mpsc::Receiver<Job>, mut closing: mpsc::Receiver<()>) {
    loop {
        let first = tokio::select! {
            job = jobs.recv() => job,
            _ = closing.recv() => {
                jobs.close();
                jobs.recv().await
            }
        };
        let Some(first) = first else { break };
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(job) = jobs.try_recv()
        {
            batch.push(job);
        }
        run_batch(&mut connection, batch).await;
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "the database did not close cleanly");
    }
}

/// One transaction for all; where it fails, one for each, so that nobody pays for another's fault.
async fn run_batch(connection: &mut SqliteConnection, batch: Vec<Job>) {
    let result = transaction(connection, &batch).await;
    match result {
        Ok(results) => {
            for (job, written) in batch.into_iter().zip(results) {
                // Nobody waits any more where this fails.
                drop(job.answer.send(Ok(written)));
            }
        }
        Err(error) if batch.len() == 1 => {
            for job in batch {
                drop(job.answer.send(Err(error.clone())));
            }
        }
        Err(_) => {
            for job in batch {
                let alone = transaction(connection, std::slice::from_ref(&job)).await;
                let result = alone.and_then(|mut written| written.pop().ok_or(StoreError::Closed));
                drop(job.answer.send(result));
            }
        }
    }
}

/// Begins and ends by statements of its own: where the disk is full or fails, SQLite rolls back by itself, and sqlx's transactions would go on
/// believing that one is open and refuse every later one.
async fn transaction(connection: &mut SqliteConnection, batch: &[Job]) -> Result<Vec<Written>, StoreError> {
    let written = write_all(connection, batch).await;
    if written.is_err() {
        // Nothing is open any more where this fails; otherwise the next one tries it again.
        drop(sqlx::raw_sql("ROLLBACK").execute(connection).await);
    }
    written
}

async fn write_all(connection: &mut SqliteConnection, batch: &[Job]) -> Result<Vec<Written>, StoreError> {
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    let mut results = Vec::with_capacity(batch.len());
    for job in batch {
        results.push(job.write.run(&mut *connection).await?);
    }
    sqlx::raw_sql("COMMIT").execute(connection).await?;
    Ok(results)
}

impl Write {
    async fn run(&self, db: &mut SqliteConnection) -> Result<Written, StoreError> {
        match self {
            Write::Meta { name, value } => meta(db, name, value).await,
            Write::EndUser { company_id, key, profile } => end_user(db, company_id, key, profile).await,
            Write::CreateChat(boxed) => create_chat(db, &boxed.0, &boxed.1).await,
            Write::Commit(change) => commit(db, change).await,
            Write::Escalation(escalation) => record_escalation(db, escalation).await,
            Write::MaskedAnswers(masked) => keep_masked_answers(db, masked).await,
            Write::EscalationChannel { chat_id, escalation_id, channel, at_ms } => {
                choose_channel(db, (*chat_id, *escalation_id), channel, *at_ms).await
            }
            Write::Event(boxed) => record_event(db, boxed.0, &boxed.1, boxed.2.as_deref(), boxed.3).await,
            Write::AnnounceMedia(boxed) => announce_media(db, &boxed.0, boxed.1).await,
            Write::CompleteMedia { media_id, stored, size_bytes } => {
                let updated = sqlx::query(
                    "UPDATE media SET object = ?, content_type = ?, size_bytes = ? WHERE id = ? AND object IS NULL",
                )
                .bind(stored.object.as_str())
                .bind(stored.content_type.as_str())
                .bind(int(*size_bytes))
                .bind(int(*media_id))
                .execute(db)
                .await?;
                Ok(Written::Flag(updated.rows_affected() > 0))
            }
            Write::KeepRecord(boxed) => Ok(Written::Kept(Box::new(records::keep(db, &boxed.0, &boxed.1).await?))),
            Write::ChangeRecord(boxed) => Ok(Written::Changed(records::change(db, &boxed.0, &boxed.1).await?)),
            Write::Agent { login, name, avatar_url } => agent(db, login, name, avatar_url.as_deref()).await,
            Write::OpenSession { token_sha256, agent_id, expires_at_ms, now_ms } => {
                sqlx::query("DELETE FROM agent_sessions WHERE expires_at_ms <= ?")
                    .bind(int(*now_ms))
                    .execute(&mut *db)
                    .await?;
                sqlx::query("INSERT INTO agent_sessions (token_sha256, agent_id, expires_at_ms) VALUES (?, ?, ?)")
                    .bind(token_sha256.as_slice())
                    .bind(int(*agent_id))
                    .bind(int(*expires_at_ms))
                    .execute(db)
                    .await?;
                Ok(Written::Nothing)
            }
            Write::CloseSession { token_sha256 } => {
                sqlx::query("DELETE FROM agent_sessions WHERE token_sha256 = ?")
                    .bind(token_sha256.as_slice())
                    .execute(db)
                    .await?;
                Ok(Written::Nothing)
            }
        }
    }
}

async fn meta(db: &mut SqliteConnection, name: &str, value: &[u8]) -> Result<Written, StoreError> {
    sqlx::query("INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(name)
        .bind(value)
        .execute(&mut *db)
        .await?;
    let kept = sqlx::query_scalar("SELECT value FROM meta WHERE name = ?").bind(name).fetch_one(db).await?;
    Ok(Written::Bytes(kept))
}

async fn end_user(
    db: &mut SqliteConnection,
    company_id: &str,
    key: &EndUserKey,
    profile: &Profile,
) -> Result<Written, StoreError> {
    let known = rows::end_user(db, company_id, key).await?;
    let (identifier, secret) = match key {
        EndUserKey::Identifier(identifier) => (Some(identifier.clone()), None),
        EndUserKey::SecretSha256(hash) => (None, Some(hash.as_slice())),
    };
    let Some(mut known) = known else {
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO end_users (company_id, identifier, secret_sha256, name, email, phone)
             VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
        )
        .bind(company_id)
        .bind(identifier.as_deref())
        .bind(secret)
        .bind(profile.name.as_deref())
        .bind(profile.email.as_deref())
        .bind(profile.phone.as_deref())
        .fetch_one(db)
        .await?;
        let id = rows::from_count(id);
        return Ok(Written::EndUser(Box::new(EndUserRecord { id, identifier, profile: profile.clone() })));
    };
    known.profile = rows::merged(&known.profile, profile);
    sqlx::query("UPDATE end_users SET name = ?, email = ?, phone = ? WHERE id = ?")
        .bind(known.profile.name.as_deref())
        .bind(known.profile.email.as_deref())
        .bind(known.profile.phone.as_deref())
        .bind(int(known.id))
        .execute(db)
        .await?;
    Ok(Written::EndUser(Box::new(known)))
}

async fn create_chat(
    db: &mut SqliteConnection,
    chat: &NewChat,
    opening: &Change<MessageBody>,
) -> Result<Written, StoreError> {
    let state = &opening.state;
    let known: Option<i64> = sqlx::query_scalar("SELECT id FROM chats WHERE end_user_id = ? AND client_id = ?")
        .bind(int(state.end_user_id))
        .bind(chat.client_id.as_str())
        .fetch_optional(&mut *db)
        .await?;
    if let Some(id) = known {
        return Ok(Written::Created { chat_id: rows::from_count(id), fresh: false });
    }
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO chats (company_id, platform, platform_ref, end_user_id, client_id, menu_id, lang, request, status,
             agent_id, virtual_agent_id, all_agent_ids, all_virtual_agent_ids, created_at_ms, queued_at_ms,
             assigned_at_ms, ended_at_ms, ended_by, fail_reason, dropped, updated_at_ms, active_at_ms, end_user_wrote,
             unanswered_since_ms, dismiss_at_ms, queue_front, queue_behind, seen_at_ms, hidden_since_ms,
             check_in_expires_at_ms, check_in_notified, last_index, revision)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         RETURNING id",
    )
    .bind(chat.company_id.as_str())
    .bind(chat.platform.as_str())
    .bind(chat.platform_ref.as_deref())
    .bind(int(state.end_user_id))
    .bind(chat.client_id.as_str())
    .bind(int(state.menu_id))
    .bind(chat.lang.as_str())
    .bind(to_json(&chat.request)?)
    .bind(state.status.as_str())
    .bind(state.agent_id.map(int))
    .bind(state.virtual_agent_id.map(int))
    .bind(to_json(&state.all_agent_ids)?)
    .bind(to_json(&state.all_virtual_agent_ids)?)
    .bind(int(state.created_at_ms))
    .bind(state.queued_at_ms.map(int))
    .bind(state.assigned_at_ms.map(int))
    .bind(state.ended_at_ms.map(int))
    .bind(state.ended_by.map(|ended_by| ended_by.as_str()))
    .bind(state.fail_reason.map(|reason| reason.as_str()))
    .bind(state.dropped)
    .bind(int(state.updated_at_ms))
    .bind(int(state.active_at_ms))
    .bind(state.end_user_wrote)
    .bind(state.unanswered_since_ms.map(int))
    .bind(state.dismiss_at_ms.map(int))
    .bind(state.queue_front)
    .bind(state.queue_behind)
    .bind(state.seen_at_ms.map(int))
    .bind(state.hidden_since_ms.map(int))
    .bind(state.check_in.map(|check_in| int(check_in.expires_at_ms)))
    .bind(state.check_in.is_some_and(|check_in| check_in.notified))
    .bind(int(state.last_index))
    .bind(int(state.revision))
    .fetch_one(&mut *db)
    .await?;
    let chat_id = rows::from_count(id);
    insert_messages(db, chat_id, &opening.messages).await?;
    Ok(Written::Created { chat_id, fresh: true })
}

async fn commit(db: &mut SqliteConnection, change: &Change<MessageBody>) -> Result<Written, StoreError> {
    let state = &change.state;
    let updated = sqlx::query(
        "UPDATE chats SET menu_id = ?, status = ?, agent_id = ?, virtual_agent_id = ?, all_agent_ids = ?,
             all_virtual_agent_ids = ?, queued_at_ms = ?, assigned_at_ms = ?, ended_at_ms = ?, ended_by = ?,
             fail_reason = ?, dropped = ?, updated_at_ms = ?, active_at_ms = ?, end_user_wrote = ?, unanswered_since_ms = ?,
             dismiss_at_ms = ?, queue_front = ?, queue_behind = ?, seen_at_ms = ?, hidden_since_ms = ?,
             check_in_expires_at_ms = ?, check_in_notified = ?, post_session_status = ?, post_session_moved_at_ms = ?,
             post_session = ?, screen_share = ?, screen_share_due_at_ms = ?, last_index = ?, revision = ?
         WHERE id = ? AND revision = ?",
    )
    .bind(int(state.menu_id))
    .bind(state.status.as_str())
    .bind(state.agent_id.map(int))
    .bind(state.virtual_agent_id.map(int))
    .bind(to_json(&state.all_agent_ids)?)
    .bind(to_json(&state.all_virtual_agent_ids)?)
    .bind(state.queued_at_ms.map(int))
    .bind(state.assigned_at_ms.map(int))
    .bind(state.ended_at_ms.map(int))
    .bind(state.ended_by.map(|ended_by| ended_by.as_str()))
    .bind(state.fail_reason.map(|reason| reason.as_str()))
    .bind(state.dropped)
    .bind(int(state.updated_at_ms))
    .bind(int(state.active_at_ms))
    .bind(state.end_user_wrote)
    .bind(state.unanswered_since_ms.map(int))
    .bind(state.dismiss_at_ms.map(int))
    .bind(state.queue_front)
    .bind(state.queue_behind)
    .bind(state.seen_at_ms.map(int))
    .bind(state.hidden_since_ms.map(int))
    .bind(state.check_in.map(|check_in| int(check_in.expires_at_ms)))
    .bind(state.check_in.is_some_and(|check_in| check_in.notified))
    .bind(state.post_session.map(|part| part.status.as_str()))
    .bind(state.post_session.map(|part| int(part.moved_at_ms)))
    .bind(state.post_session.map(rows::post_session_details))
    .bind(state.screen_share.as_ref().map(rows::screen_share_text))
    .bind(state.screen_share.as_ref().and_then(ScreenShare::due_at_ms).map(int))
    .bind(int(state.last_index))
    .bind(int(state.revision))
    .bind(int(state.id))
    .bind(int(state.revision.saturating_sub(1)))
    .execute(&mut *db)
    .await?;
    if updated.rows_affected() == 0 {
        return Ok(Written::Commit(Commit::Conflict));
    }
    insert_messages(db, state.id, &change.messages).await?;
    Ok(Written::Commit(Commit::Committed))
}

async fn insert_messages(
    db: &mut SqliteConnection,
    chat_id: u64,
    messages: &[Message<MessageBody>],
) -> Result<(), StoreError> {
    for part in messages.chunks(INSERT_ROWS) {
        let mut query =
            QueryBuilder::new("INSERT INTO messages (chat_id, idx, author_type, author_id, client_id, at_ms, body) ");
        query.push_values(part, |mut row, message| {
            let (author_type, author_id) = message.author.parts();
            row.push_bind(int(chat_id))
                .push_bind(int(message.index))
                .push_bind(author_type)
                .push_bind(int(author_id))
                .push_bind(message.client_id.as_deref())
                .push_bind(int(message.at_ms))
                .push_bind(message.body.json());
        });
        // Kept prepared for the usual few rows; a statement of every other length would fill the cache.
        query.build().persistent(part.len() <= 4).execute(&mut *db).await?;
    }
    Ok(())
}

async fn keep_masked_answers(db: &mut SqliteConnection, masked: &MaskedAnswers) -> Result<Written, StoreError> {
    sqlx::query(
        "INSERT INTO masked_answers (chat_id, smart_action_id, masked_id, answers) VALUES (?, ?, ?, ?)
         ON CONFLICT DO NOTHING",
    )
    .bind(int(masked.chat_id))
    .bind(int(masked.smart_action_id))
    .bind(&masked.masked_id)
    .bind(to_json(&masked.answers)?)
    .execute(db)
    .await?;
    Ok(Written::Nothing)
}

async fn record_escalation(db: &mut SqliteConnection, escalation: &NewEscalation) -> Result<Written, StoreError> {
    sqlx::query(
        "INSERT INTO chat_escalations (chat_id, escalation_id, at_ms, reason, request) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING",
    )
    .bind(int(escalation.chat_id))
    .bind(int(escalation.escalation_id))
    .bind(int(escalation.at_ms))
    .bind(escalation.reason.as_deref())
    .bind(to_json(&escalation.request)?)
    .execute(db)
    .await?;
    Ok(Written::Nothing)
}

async fn choose_channel(
    db: &mut SqliteConnection,
    (chat_id, escalation_id): (u64, u64),
    channel: &str,
    at_ms: u64,
) -> Result<Written, StoreError> {
    let chosen: String = sqlx::query_scalar(
        "INSERT INTO chat_escalations (chat_id, escalation_id, at_ms, request, channel) VALUES (?, ?, ?, '{}', ?)
         ON CONFLICT DO UPDATE SET channel = COALESCE(channel, excluded.channel) RETURNING channel",
    )
    .bind(int(chat_id))
    .bind(int(escalation_id))
    .bind(int(at_ms))
    .bind(channel)
    .fetch_one(db)
    .await?;
    Ok(Written::Text(chosen))
}

async fn record_event(
    db: &mut SqliteConnection,
    chat_id: u64,
    event: &ChatEvent,
    end_user_name: Option<&str>,
    limit: u64,
) -> Result<Written, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO chat_events (chat_id, at_ms, name, data) SELECT ?1, ?2, ?3, ?4
         WHERE (SELECT COUNT(*) FROM chat_events WHERE chat_id = ?1) < ?5",
    )
    .bind(int(chat_id))
    .bind(int(event.at_ms))
    .bind(event.name.as_str())
    .bind(to_json(&event.data)?)
    .bind(int(limit))
    .execute(&mut *db)
    .await?;
    let is_written = inserted.rows_affected() > 0;
    if is_written && end_user_name.is_some() {
        sqlx::query("UPDATE chats SET end_user_name = ? WHERE id = ?")
            .bind(end_user_name)
            .bind(int(chat_id))
            .execute(db)
            .await?;
    }
    Ok(Written::Flag(is_written))
}

async fn announce_media(db: &mut SqliteConnection, media: &NewMedia, quota: MediaQuota) -> Result<Written, StoreError> {
    let (author_type, author_id) = media.author.parts();
    let known =
        sqlx::query(rows::media_query!("WHERE chat_id = ? AND author_type = ? AND author_id = ? AND client_id = ?"))
            .bind(int(media.chat_id))
            .bind(author_type)
            .bind(int(author_id))
            .bind(media.client_id.as_str())
            .fetch_optional(&mut *db)
            .await?;
    if let Some(row) = known {
        return Ok(Written::Announced(Box::new(Announced::Known(rows::read_media(&row)?))));
    }
    let (files, bytes): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*), COALESCE(SUM(size_bytes), 0) FROM media
         WHERE author_type = ? AND author_id = ? AND created_at_ms > ?",
    )
    .bind(author_type)
    .bind(int(author_id))
    .bind(int(quota.since_ms))
    .fetch_one(&mut *db)
    .await?;
    let bytes = rows::from_count(bytes).saturating_add(media.size_bytes);
    if rows::from_count(files) >= quota.files || bytes > quota.bytes {
        return Ok(Written::Announced(Box::new(Announced::OverQuota)));
    }
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO media (chat_id, author_type, author_id, client_id, kind, name, size_bytes, created_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(int(media.chat_id))
    .bind(author_type)
    .bind(int(author_id))
    .bind(media.client_id.as_str())
    .bind(media.kind.as_str())
    .bind(media.name.as_str())
    .bind(int(media.size_bytes))
    .bind(int(media.created_at_ms))
    .fetch_one(db)
    .await?;
    Ok(Written::Announced(Box::new(Announced::Fresh(MediaRecord {
        id: rows::from_count(id),
        chat_id: media.chat_id,
        author: media.author,
        kind: media.kind,
        name: media.name.clone(),
        size_bytes: media.size_bytes,
        stored: None,
    }))))
}

async fn agent(
    db: &mut SqliteConnection,
    login: &str,
    name: &str,
    avatar_url: Option<&str>,
) -> Result<Written, StoreError> {
    let row = sqlx::query(
        "INSERT INTO agents (login, name, avatar_url) VALUES (?, ?, ?)
         ON CONFLICT (login) DO UPDATE SET name = excluded.name, avatar_url = excluded.avatar_url RETURNING id",
    )
    .bind(login)
    .bind(name)
    .bind(avatar_url)
    .fetch_one(db)
    .await?;
    Ok(Written::Id(count(&row, "id")?))
}

pub(super) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Corrupt("value"))
}

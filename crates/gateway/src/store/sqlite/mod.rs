//! The store in a SQLite file: write-ahead log, `synchronous=FULL`, one writer that groups what arrives together into one transaction
//! (`writer`), and a pool of readers. One process owns the file; another one that writes to it is noticed by the revision.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine::gateway::{Change, Message, SentKey};
use serde_json::Value;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlSafeStr};

use super::{
    AgentRecord, Announced, Changed, ChatEvent, ChatRecord, Commit, Created, EndUserKey, EndUserRecord,
    EscalationRecord, Kept, Load, MaskedAnswers, MediaQuota, MediaRecord, MessageBody, NewChat, NewEscalation,
    NewMedia, NewRecord, Overdue, PageLimit, Profile, Record, RecordCap, RecordKind, RecordQuery, Store, StoreError,
    StoredMedia, Waiting,
};

mod records;
mod rows;
mod writer;

use rows::{chat_query, count, from_count, int};
use writer::{Write, Writer, Written};

/// Readers at a time; each is a thread.
const READERS: u32 = 4;

/// The embedded store.
pub struct SqliteStore {
    writer: Writer,
    readers: SqlitePool,
}

/// The tables' history by number, in order. What was released is never edited: the database knows each step by its checksum.
const STEPS: [Step; 10] = [
    (1, "first", include_str!("0001_first.sql")),
    (2, "timers", include_str!("0002_timers.sql")),
    (3, "media", include_str!("0003_media.sql")),
    (10, "escalations_and_events", include_str!("0010_escalations_and_events.sql")),
    (20, "life_cycle", include_str!("0020_life_cycle.sql")),
    (30, "media_of_agents", include_str!("0030_media_of_agents.sql")),
    (40, "forms", include_str!("0040_forms.sql")),
    (50, "records", include_str!("0050_records.sql")),
    (100, "post session", include_str!("0100_post_session.sql")),
    (110, "screen share", include_str!("0110_screen_share.sql")),
];

type Step = (i64, &'static str, &'static str);

fn migrations(steps: &[Step]) -> Migrator {
    let numbered = steps.iter().copied().map(|(number, name, text)| {
        Migration::new(number, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    });
    Migrator::with_migrations(numbered.collect())
}

/// What is answered is on disk: a write-ahead log whose every transaction is synced.
fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging()
}

impl SqliteStore {
    /// Opens the store in a file, which is made where it does not exist, and brings its tables up to date.
    ///
    /// # Errors
    /// Where the file cannot be opened, is no database, or comes from a newer gateway.
    pub async fn open(file: &Path) -> Result<SqliteStore, StoreError> {
        let options = options(file);
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
        migrations(&STEPS).run(&mut connection).await.map_err(|error| StoreError::Unavailable(Arc::new(error)))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options.pragma("query_only", "ON"))
            .await?;
        Ok(SqliteStore { writer: Writer::start(connection), readers })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn meta_or_insert(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        match self.writer.write(Write::Meta { name: name.to_owned(), value }).await? {
            Written::Bytes(bytes) => Ok(bytes),
            _ => Err(StoreError::Corrupt("answer")),
        }
    }

    async fn end_user(&self, company_id: &str, key: EndUserKey, profile: Profile) -> Result<EndUserRecord, StoreError> {
        // Most exchanges change nothing: a read spares them the disk.
        if let Some(known) = rows::end_user(&mut *self.readers.acquire().await?, company_id, &key).await?
            && known.profile == rows::merged(&known.profile, &profile)
        {
            return Ok(known);
        }
        match self.writer.write(Write::EndUser { company_id: company_id.to_owned(), key, profile }).await? {
            Written::EndUser(record) => Ok(*record),
            _ => Err(StoreError::Corrupt("answer")),
        }
    }

    async fn end_user_by_id(&self, id: u64) -> Result<Option<EndUserRecord>, StoreError> {
        let row = sqlx::query("SELECT id, identifier, name, email, phone FROM end_users WHERE id = ?")
            .bind(int(id))
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(rows::read_end_user).transpose()
    }

    async fn create_chat(&self, chat: NewChat, opening: Change<MessageBody>) -> Result<Created, StoreError> {
        match self.writer.write(Write::CreateChat(Box::new((chat, opening)))).await? {
            Written::Created { chat_id, fresh } => Ok(Created { chat_id, fresh }),
            _ => Err(StoreError::Corrupt("answer")),
        }
    }

    async fn chat_opened_with(&self, end_user_id: u64, client_id: &str) -> Result<Option<u64>, StoreError> {
        let id: Option<i64> = sqlx::query_scalar("SELECT id FROM chats WHERE end_user_id = ? AND client_id = ?")
            .bind(int(end_user_id))
            .bind(client_id)
            .fetch_optional(&self.readers)
            .await?;
        Ok(id.map(from_count))
    }

    async fn chat(&self, chat_id: u64) -> Result<Option<ChatRecord>, StoreError> {
        let row = sqlx::query(chat_query!("WHERE c.id = ?")).bind(int(chat_id)).fetch_optional(&self.readers).await?;
        row.as_ref().map(rows::read_chat).transpose()
    }

    async fn sent_keys(&self, chat_id: u64) -> Result<HashMap<SentKey, (u64, u64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT author_type, author_id, client_id, idx, at_ms FROM messages WHERE chat_id = ? AND client_id IS NOT NULL",
        )
        .bind(int(chat_id))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(rows::read_sent_key).collect()
    }

    async fn commit(&self, change: Change<MessageBody>) -> Result<Commit, StoreError> {
        match self.writer.write(Write::Commit(Box::new(change))).await? {
            Written::Commit(commit) => Ok(commit),
            _ => Err(StoreError::Corrupt("answer")),
        }
    }

    async fn messages_after(
        &self,
        chat_id: u64,
        index: u64,
        limit: PageLimit,
    ) -> Result<Vec<Message<MessageBody>>, StoreError> {
        let rows = sqlx::query(
            "SELECT idx, author_type, author_id, client_id, at_ms, body FROM messages
             WHERE chat_id = ? AND idx > ? ORDER BY idx LIMIT ?",
        )
        .bind(int(chat_id))
        .bind(int(index))
        .bind(int(limit.messages))
        .fetch_all(&self.readers)
        .await?;
        let mut messages = Vec::with_capacity(rows.len());
        let mut bytes = 0_usize;
        for row in &rows {
            let message = rows::read_message(row)?;
            bytes = bytes.saturating_add(message.body.json().len());
            if bytes > limit.bytes && !messages.is_empty() {
                break;
            }
            messages.push(message);
        }
        Ok(messages)
    }

    async fn ongoing_chat(&self, end_user_id: u64) -> Result<Option<ChatRecord>, StoreError> {
        let query = chat_query!(
            "WHERE c.id IN (
                 SELECT id FROM (SELECT id FROM chats WHERE end_user_id = ?1 AND status <> 'finished' AND status <> 'failed' AND dropped = 0
                     ORDER BY id DESC LIMIT 1)
                 UNION ALL
                 SELECT id FROM (SELECT id FROM chats WHERE end_user_id = ?1 AND post_session_status <> 'finished'
                     AND post_session_status <> 'offered' AND dropped = 0 ORDER BY id DESC LIMIT 1)
             ) ORDER BY c.id DESC LIMIT 1"
        );
        let row = sqlx::query(query).bind(int(end_user_id)).fetch_optional(&self.readers).await?;
        row.as_ref().map(rows::read_chat).transpose()
    }

    async fn waiting_chats(&self, limit: u64) -> Result<Vec<ChatRecord>, StoreError> {
        let query = chat_query!("WHERE c.status = 'queued' ORDER BY c.queue_front DESC, c.queued_at_ms, c.id LIMIT ?");
        let rows = sqlx::query(query).bind(int(limit)).fetch_all(&self.readers).await?;
        rows.iter().map(rows::read_chat).collect()
    }

    async fn queues(&self, limit: u64) -> Result<Vec<Waiting>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, company_id, menu_id, queue_behind FROM chats WHERE status = 'queued'
             ORDER BY queue_front DESC, queued_at_ms, id LIMIT ?",
        )
        .bind(int(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(rows::read_waiting).collect()
    }

    async fn chats_of_agent(&self, agent_id: u64, limit: u64) -> Result<Vec<ChatRecord>, StoreError> {
        let query =
            chat_query!("WHERE c.agent_id = ? AND c.status = 'assigned' ORDER BY c.assigned_at_ms, c.id LIMIT ?");
        let rows = sqlx::query(query).bind(int(agent_id)).bind(int(limit)).fetch_all(&self.readers).await?;
        rows.iter().map(rows::read_chat).collect()
    }

    async fn quiet_chats(&self, overdue: Overdue, limit: u64) -> Result<Vec<u64>, StoreError> {
        // No time is NULL, and no row compares with that. Active screen shares are always due, so the newest come first: older ones are loaded.
        let ids: Vec<i64> = sqlx::query_scalar(
            "SELECT id FROM (SELECT id FROM chats WHERE unanswered_since_ms <= ?1 AND status = 'assigned'
                 ORDER BY unanswered_since_ms LIMIT ?8)
             UNION ALL
             SELECT id FROM (SELECT id FROM chats
                 WHERE active_at_ms <= ?2 AND status <> 'finished' AND status <> 'failed'
                 ORDER BY active_at_ms LIMIT ?8)
             UNION ALL
             SELECT id FROM (SELECT id FROM chats
                 WHERE active_at_ms <= ?3 AND status = 'va_assigned' AND status <> 'finished'
                 ORDER BY active_at_ms LIMIT ?8)
             UNION ALL
             SELECT id FROM (SELECT id FROM chats WHERE status = 'queued' AND (
                 queued_at_ms <= ?4 OR check_in_expires_at_ms <= ?7 OR (check_in_expires_at_ms IS NULL
                     AND (seen_at_ms <= ?5 OR (hidden_since_ms <= ?6 AND seen_at_ms <= ?6))))
                 ORDER BY queued_at_ms, id LIMIT ?8)
             UNION ALL
             SELECT id FROM (SELECT id FROM chats WHERE post_session_moved_at_ms <= ?9 AND post_session_status <> 'finished'
                 ORDER BY post_session_moved_at_ms LIMIT ?8)
             UNION ALL
             SELECT id FROM (SELECT id FROM chats WHERE screen_share_due_at_ms IS NOT NULL AND screen_share_due_at_ms <= ?10
                 ORDER BY screen_share_due_at_ms DESC LIMIT ?8)",
        )
        .bind(overdue.unanswered_ms.map(int))
        .bind(overdue.silent_ms.map(int))
        .bind(overdue.silent_with_virtual_agent_ms.map(int))
        .bind(overdue.queued_ms.map(int))
        .bind(overdue.seen_ms.map(int))
        .bind(overdue.hidden_ms.map(int))
        .bind(overdue.check_in_ms.map(int))
        .bind(int(limit))
        .bind(overdue.post_session_ms.map(int))
        .bind(overdue.share_ms.map(int))
        .fetch_all(&self.readers)
        .await?;
        Ok(ids.into_iter().map(from_count).collect())
    }

    async fn load(&self, company_id: &str) -> Result<Load, StoreError> {
        let waiting: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM chats WHERE status = 'queued' AND company_id = ?")
            .bind(company_id)
            .fetch_one(&self.readers)
            .await?;
        // An agent who serves several companies is busy with the chats of all of them.
        let assigned: Vec<(i64, i64)> =
            sqlx::query_as("SELECT agent_id, COUNT(*) FROM chats WHERE agent_id IS NOT NULL GROUP BY agent_id")
                .fetch_all(&self.readers)
                .await?;
        let assigned = assigned.into_iter().map(|(agent, chats)| (from_count(agent), from_count(chats))).collect();
        Ok(Load { waiting: from_count(waiting), assigned })
    }

    async fn mean_handling_ms(&self, company_id: &str, menu_id: u64, sample: u64) -> Result<Option<u64>, StoreError> {
        let (total, chats): (i64, i64) = sqlx::query_as(
            "SELECT COALESCE(SUM(ended_at_ms - assigned_at_ms), 0), COUNT(*) FROM (
                 SELECT ended_at_ms, assigned_at_ms FROM chats
                 WHERE company_id = ? AND menu_id = ? AND ended_at_ms IS NOT NULL AND assigned_at_ms IS NOT NULL
                     AND ended_by NOT IN ('timeout', 'system')
                 ORDER BY ended_at_ms DESC LIMIT ?)",
        )
        .bind(company_id)
        .bind(int(menu_id))
        .bind(int(sample))
        .fetch_one(&self.readers)
        .await?;
        Ok(from_count(total).checked_div(from_count(chats)))
    }

    async fn record_escalation(&self, escalation: NewEscalation) -> Result<(), StoreError> {
        self.writer.write(Write::Escalation(Box::new(escalation))).await.map(drop)
    }

    async fn escalations(&self, chat_id: u64, limit: u64) -> Result<Vec<EscalationRecord>, StoreError> {
        let query = "SELECT escalation_id, at_ms, reason, request, channel FROM chat_escalations WHERE chat_id = ?
                     ORDER BY escalation_id LIMIT ?";
        let rows = sqlx::query(query).bind(int(chat_id)).bind(int(limit)).fetch_all(&self.readers).await?;
        rows.iter().map(rows::read_escalation).collect()
    }

    async fn choose_escalation_channel(
        &self,
        chat_id: u64,
        escalation_id: u64,
        channel: &str,
        at_ms: u64,
    ) -> Result<String, StoreError> {
        let write = Write::EscalationChannel { chat_id, escalation_id, channel: channel.to_owned(), at_ms };
        match self.writer.write(write).await? {
            Written::Text(channel) => Ok(channel),
            _ => Err(StoreError::Corrupt("answer")),
        }
    }

    async fn keep_masked_answers(&self, masked: MaskedAnswers) -> Result<(), StoreError> {
        self.writer.write(Write::MaskedAnswers(Box::new(masked))).await.map(drop)
    }

    async fn masked_answers(
        &self,
        chat_id: u64,
        smart_action_id: u64,
        masked_id: &str,
    ) -> Result<Vec<Value>, StoreError> {
        let query = "SELECT answers FROM masked_answers WHERE chat_id = ? AND smart_action_id = ? AND masked_id = ?";
        let query = sqlx::query_scalar(query).bind(int(chat_id)).bind(int(smart_action_id)).bind(masked_id);
        let json: Option<String> = query.fetch_optional(&self.readers).await?;
        json.map_or(Ok(Vec::new()), |json| {
            serde_json::from_str(&json).map_err(|_| StoreError::Corrupt("answer of a form"))
        })
    }

    async fn record_event(
        &self,
        chat_id: u64,
        event: ChatEvent,
        end_user_name: Option<String>,
        limit: u64,
    ) -> Result<bool, StoreError> {
        match self.writer.write(Write::Event(Box::new((chat_id, event, end_user_name, limit)))).await? {
            Written::Flag(flag) => Ok(flag),
            _ => Err(StoreError::Corrupt("answer")),
        }
    }

    async fn events(&self, chat_id: u64, limit: u64) -> Result<Vec<ChatEvent>, StoreError> {
        let rows = sqlx::query("SELECT at_ms, name, data FROM chat_events WHERE chat_id = ? ORDER BY id LIMIT ?")
            .bind(int(chat_id))
            .bind(int(limit))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(rows::read_event).collect()
    }

    async fn ended_chats(&self, end_user_id: u64, skip: u64, limit: u64) -> Result<Vec<ChatRecord>, StoreError> {
        let query =
            chat_query!("WHERE c.end_user_id = ? AND c.ended_at_ms IS NOT NULL ORDER BY c.id DESC LIMIT ? OFFSET ?");
        let rows =
            sqlx::query(query).bind(int(end_user_id)).bind(int(limit)).bind(int(skip)).fetch_all(&self.readers).await?;
        rows.iter().map(rows::read_chat).collect()
    }

    async fn announce_media(&self, media: NewMedia, quota: MediaQuota) -> Result<Announced, StoreError> {
        match self.writer.write(Write::AnnounceMedia(Box::new((media, quota)))).await? {
            Written::Announced(announced) => Ok(*announced),
            _ => Err(StoreError::Corrupt("answer")),
        }
    }

    async fn media(&self, media_id: u64) -> Result<Option<MediaRecord>, StoreError> {
        let row =
            sqlx::query(rows::media_query!("WHERE id = ?")).bind(int(media_id)).fetch_optional(&self.readers).await?;
        row.as_ref().map(rows::read_media).transpose()
    }

    async fn complete_media(&self, media_id: u64, stored: StoredMedia, size_bytes: u64) -> Result<bool, StoreError> {
        match self.writer.write(Write::CompleteMedia { media_id, stored, size_bytes }).await? {
            Written::Flag(flag) => Ok(flag),
            _ => Err(StoreError::Corrupt("answer")),
        }
    }

    async fn keep_record(&self, record: NewRecord, caps: Vec<RecordCap>) -> Result<Kept, StoreError> {
        match self.writer.write(Write::KeepRecord(Box::new((record, caps)))).await? {
            Written::Kept(kept) => Ok(*kept),
            _ => Err(StoreError::Corrupt("answer")),
        }
    }

    async fn record(&self, kind: RecordKind, id: u64) -> Result<Option<Record>, StoreError> {
        records::by_id(&self.readers, kind, id).await
    }

    async fn record_with_key(
        &self,
        kind: RecordKind,
        company_id: &str,
        key: &str,
    ) -> Result<Option<Record>, StoreError> {
        records::by_key(&self.readers, kind, company_id, key).await
    }

    async fn change_record(&self, record: Record, caps: Vec<RecordCap>) -> Result<Changed, StoreError> {
        match self.writer.write(Write::ChangeRecord(Box::new((record, caps)))).await? {
            Written::Changed(changed) => Ok(changed),
            _ => Err(StoreError::Corrupt("answer")),
        }
    }

    async fn records(&self, query: RecordQuery) -> Result<Vec<Record>, StoreError> {
        records::matching(&self.readers, &query).await
    }

    async fn count_records(&self, query: RecordQuery) -> Result<u64, StoreError> {
        records::count(&self.readers, &query).await
    }

    async fn register_agent(&self, login: &str, name: &str, avatar_url: Option<&str>) -> Result<u64, StoreError> {
        let write =
            Write::Agent { login: login.to_owned(), name: name.to_owned(), avatar_url: avatar_url.map(str::to_owned) };
        match self.writer.write(write).await? {
            Written::Id(id) => Ok(id),
            _ => Err(StoreError::Corrupt("answer")),
        }
    }

    async fn agents(&self) -> Result<Vec<AgentRecord>, StoreError> {
        let rows = sqlx::query("SELECT id, login, name, avatar_url FROM agents").fetch_all(&self.readers).await?;
        rows.iter().map(rows::read_agent).collect()
    }

    async fn open_agent_session(
        &self,
        token_sha256: [u8; 32],
        agent_id: u64,
        expires_at_ms: u64,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        self.writer.write(Write::OpenSession { token_sha256, agent_id, expires_at_ms, now_ms }).await.map(drop)
    }

    async fn agent_session(&self, token_sha256: [u8; 32], now_ms: u64) -> Result<Option<(u64, u64)>, StoreError> {
        let row = sqlx::query(
            "SELECT agent_id, expires_at_ms FROM agent_sessions WHERE token_sha256 = ? AND expires_at_ms > ?",
        )
        .bind(token_sha256.as_slice())
        .bind(int(now_ms))
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| Ok((count(&row, "agent_id")?, count(&row, "expires_at_ms")?))).transpose()
    }

    async fn close_agent_session(&self, token_sha256: [u8; 32]) -> Result<(), StoreError> {
        self.writer.write(Write::CloseSession { token_sha256 }).await.map(drop)
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_store_of_the_first_release_is_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.sqlite");
        let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
        let mut first = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        migrations(&STEPS[..1]).run(&mut first).await.unwrap();
        let rows = "INSERT INTO end_users (id, company_id, identifier) VALUES (5, 'acme', 'uma');
            INSERT INTO chats (id, company_id, platform, end_user_id, client_id, menu_id, lang, request, status,
                all_agent_ids, all_virtual_agent_ids, created_at_ms, queued_at_ms, dropped, last_index, revision)
            VALUES (1, 'acme', 'embedded', 5, 'a', 3, 'en', '{}', 'queued', '[]', '[]', 100, 200, 0, 1, 2),
                (2, 'acme', 'embedded', 5, 'b', 3, 'en', '{}', 'queued', '[]', '[]', 100, 200, 0, 0, 1);
            INSERT INTO messages (chat_id, idx, author_type, author_id, at_ms, body)
            VALUES (1, 1, 'end_user', 5, 300, '{\"type\":\"text\"}');
            INSERT INTO escalations (id, chat_id, queued_at_ms, reason, request) VALUES (9, 1, 200, 'ask', '{\"x\":1}');";
        sqlx::raw_sql(rows).execute(&mut first).await.unwrap();
        first.close().await.unwrap();

        let store = SqliteStore::open(&file).await.unwrap();
        for (chat_id, since_ms, wrote) in [(1, 300, true), (2, 200, false)] {
            let state = store.chat(chat_id).await.unwrap().unwrap().state;
            assert_eq!((state.updated_at_ms, state.active_at_ms), (since_ms, since_ms));
            assert_eq!((state.end_user_wrote, state.unanswered_since_ms), (wrote, None));
            assert_eq!((state.seen_at_ms, state.check_in, state.fail_reason), (Some(200), None, None));
        }
        let silent = Overdue { silent_ms: Some(250), ..Overdue::default() };
        assert_eq!(store.quiet_chats(silent, 9).await.unwrap(), [2]);
        let waiting = store.queues(9).await.unwrap();
        assert_eq!(waiting.iter().map(|chat| chat.chat_id).collect::<Vec<_>>(), [1, 2]);
        let kept: (i64, i64, String, String, Option<String>) = sqlx::query_as(
            "SELECT escalation_id, at_ms, reason, request, channel FROM chat_escalations WHERE chat_id = 1",
        )
        .fetch_one(&store.readers)
        .await
        .unwrap();
        assert_eq!(kept, (9, 200, "ask".into(), "{\"x\":1}".into(), None));
        store.close().await;
    }

    #[tokio::test]
    async fn a_disk_that_was_full_is_written_to_again_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.sqlite");
        SqliteStore::open(&file).await.unwrap().close().await;
        // As SQLite meets a full disk: it ends the transaction by itself.
        let options = options(&file).pragma("max_page_count", "120");
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        // Nothing but a power cut would show that they are not so.
        let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut connection).await.unwrap();
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut connection).await.unwrap();
        assert_eq!((synchronous, journal.as_str()), (2, "wal"));
        let writer = Writer::start(connection);
        let meta = |name: &str, bytes: usize| Write::Meta { name: name.to_owned(), value: vec![7; bytes] };
        for round in 0..3 {
            // In one transaction, until one of them does not fit.
            let small = meta(&format!("small {round}"), 10);
            let (large, small) = tokio::join!(writer.write(meta("large", 1_000_000)), writer.write(small));
            assert!(large.is_err());
            assert!(matches!(small, Ok(Written::Bytes(_))), "{:?}", small.err());
        }
        writer.close().await;
    }
}

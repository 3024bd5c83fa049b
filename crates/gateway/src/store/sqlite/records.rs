//! Records in SQL: reading those that match, and the two writes, each within the transaction of whoever calls.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use super::rows::{self, from_count, int};
use super::writer::to_json;
use crate::store::{CapOf, Changed, Kept, NewRecord, Record, RecordCap, RecordKind, RecordQuery, StoreError};

const SELECT: &str =
    "SELECT id, kind, company_id, end_user_id, chat_id, key, topic, status, due_at_ms, at_ms, body, revision
     FROM records WHERE kind = ";

/// A record by its number.
pub(super) async fn by_id(readers: &SqlitePool, kind: RecordKind, id: u64) -> Result<Option<Record>, StoreError> {
    let mut query = QueryBuilder::new(SELECT);
    query.push_bind(kind.as_str()).push(" AND id = ").push_bind(int(id));
    read_one(query.build().fetch_optional(readers).await?)
}

/// A record by its key.
pub(super) async fn by_key(
    db: impl sqlx::SqliteExecutor<'_>,
    kind: RecordKind,
    company_id: &str,
    key: &str,
) -> Result<Option<Record>, StoreError> {
    let mut query = QueryBuilder::new(SELECT);
    query.push_bind(kind.as_str()).push(" AND company_id = ").push_bind(company_id);
    query.push(" AND key = ").push_bind(key);
    read_one(query.build().fetch_optional(db).await?)
}

/// Those that match.
pub(super) async fn matching(readers: &SqlitePool, asked: &RecordQuery) -> Result<Vec<Record>, StoreError> {
    let mut query = QueryBuilder::new(SELECT);
    narrow(&mut query, asked);
    query.push(if asked.due_until_ms.is_some() { " ORDER BY due_at_ms, id" } else { " ORDER BY id DESC" });
    query.push(" LIMIT ").push_bind(int(asked.limit));
    query.build().fetch_all(readers).await?.iter().map(rows::read_record).collect()
}

/// How many match.
pub(super) async fn count(readers: &SqlitePool, asked: &RecordQuery) -> Result<u64, StoreError> {
    let mut query = QueryBuilder::new("SELECT COUNT(*) FROM records WHERE kind = ");
    narrow(&mut query, asked);
    let count: i64 = query.build_query_scalar().fetch_one(readers).await?;
    Ok(from_count(count))
}

/// Keeps a record.
pub(super) async fn keep(db: &mut SqliteConnection, new: &NewRecord, caps: &[RecordCap]) -> Result<Kept, StoreError> {
    if let Some(key) = &new.key
        && let Some(known) = by_key(&mut *db, new.kind, &new.company_id, key).await?
    {
        return Ok(Kept::Known(known));
    }
    if !has_room(db, new, 0, caps).await? {
        return Ok(Kept::Full);
    }
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO records (kind, company_id, end_user_id, chat_id, key, topic, status, due_at_ms, at_ms, body, revision)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) RETURNING id",
    )
    .bind(new.kind.as_str())
    .bind(new.company_id.as_str())
    .bind(new.end_user_id.map(int))
    .bind(new.chat_id.map(int))
    .bind(new.key.as_deref())
    .bind(new.topic.as_deref())
    .bind(new.status.as_str())
    .bind(new.due_at_ms.map(int))
    .bind(int(new.at_ms))
    .bind(to_json(&new.body)?)
    .fetch_one(db)
    .await?;
    Ok(Kept::Fresh(Record { id: from_count(id), revision: 1, content: new.clone() }))
}

/// Changes a record.
pub(super) async fn change(
    db: &mut SqliteConnection,
    record: &Record,
    caps: &[RecordCap],
) -> Result<Changed, StoreError> {
    let mut query = QueryBuilder::new(SELECT);
    query.push_bind(record.content.kind.as_str()).push(" AND id = ").push_bind(int(record.id));
    let known = read_one(query.build().fetch_optional(&mut *db).await?)?;
    let Some(known) = known.filter(|known| known.revision == record.revision) else { return Ok(Changed::Conflict) };
    let NewRecord { topic, status, due_at_ms, body, .. } = record.content.clone();
    let content = NewRecord { topic, status, due_at_ms, body, ..known.content };
    if !has_room(db, &content, record.id, caps).await? {
        return Ok(Changed::Full);
    }
    sqlx::query(
        "UPDATE records SET topic = ?, status = ?, due_at_ms = ?, body = ?, revision = revision + 1 WHERE id = ?",
    )
    .bind(content.topic.as_deref())
    .bind(content.status.as_str())
    .bind(content.due_at_ms.map(int))
    .bind(to_json(&content.body)?)
    .bind(int(record.id))
    .execute(db)
    .await?;
    Ok(Changed::Changed)
}

/// Whether one more like `written` is within the limits, beside all records but `except`.
async fn has_room(
    db: &mut SqliteConnection,
    written: &NewRecord,
    except: u64,
    caps: &[RecordCap],
) -> Result<bool, StoreError> {
    for cap in caps {
        let mut query = QueryBuilder::new("SELECT COUNT(*) FROM records WHERE kind = ");
        query.push_bind(written.kind.as_str()).push(" AND company_id = ").push_bind(written.company_id.as_str());
        query.push(" AND at_ms >= ").push_bind(int(cap.since_ms)).push(" AND id <> ").push_bind(int(except));
        // Nothing is equal to NULL: what has no chat shares none.
        match cap.of {
            CapOf::Chat => drop(query.push(" AND chat_id = ").push_bind(written.chat_id.map(int))),
            CapOf::EndUser => drop(query.push(" AND end_user_id = ").push_bind(written.end_user_id.map(int))),
            CapOf::Topic => drop(query.push(" AND topic = ").push_bind(written.topic.as_deref())),
            CapOf::Company => {}
        }
        one_of(&mut query, "status", &cap.statuses);
        let counted: i64 = query.build_query_scalar().fetch_one(&mut *db).await?;
        if from_count(counted) >= cap.most {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The kind, and all that is asked for besides.
fn narrow(query: &mut QueryBuilder<Sqlite>, asked: &RecordQuery) {
    query.push_bind(asked.kind.as_str());
    if let Some(ids) = &asked.company_ids {
        if ids.is_empty() {
            query.push(" AND 0");
        }
        one_of(query, "company_id", ids);
    }
    let numbers = [
        (" AND end_user_id = ", asked.end_user_id),
        (" AND chat_id = ", asked.chat_id),
        (" AND at_ms >= ", asked.since_ms),
        (" AND due_at_ms <= ", asked.due_until_ms),
        (" AND id < ", asked.before_id),
    ];
    for (condition, number) in numbers {
        if let Some(number) = number {
            query.push(condition).push_bind(int(number));
        }
    }
    if let Some(topic) = &asked.topic {
        query.push(" AND topic = ").push_bind(topic.clone());
    }
    one_of(query, "status", &asked.statuses);
}

/// That a column has one of these values; nothing where there are none.
fn one_of(query: &mut QueryBuilder<Sqlite>, column: &'static str, values: &[String]) {
    if values.is_empty() {
        return;
    }
    query.push(" AND ").push(column).push(" IN (");
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value.clone());
    }
    query.push(")");
}

fn read_one(row: Option<SqliteRow>) -> Result<Option<Record>, StoreError> {
    row.as_ref().map(rows::read_record).transpose()
}

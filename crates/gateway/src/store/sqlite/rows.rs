//! Rows of the tables and what they mean. A row that cannot be read is an error, never a guess.

use engine::gateway::{
    Author, ChatState, CheckIn, EndedBy, FailReason, Message, PostSession, PostSessionOffer, PostSessionStatus,
    ScreenShare, SentKey, ShareEnd, ShareFrom, ShareProvider, ShareStatus, Status,
};
use serde_json::{Map, Value, json};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Row, Sqlite};

use crate::store::{
    AgentRecord, ChatEvent, ChatRecord, EndUserKey, EndUserRecord, EscalationRecord, MediaKind, MediaRecord,
    MessageBody, NewRecord, Profile, Record, RecordKind, StoreError, StoredMedia, Waiting,
};

/// A query for whole chats, with the given end.
macro_rules! chat_query {
    ($end:literal) => {
        concat!(
            "SELECT c.id, c.company_id, c.platform, c.platform_ref, c.end_user_id, c.menu_id, c.lang, c.request, c.status, ",
            "c.agent_id, c.virtual_agent_id, c.all_agent_ids, c.all_virtual_agent_ids, c.created_at_ms, c.queued_at_ms, ",
            "c.assigned_at_ms, c.ended_at_ms, c.ended_by, c.fail_reason, c.dropped, c.updated_at_ms, c.active_at_ms, ",
            "c.end_user_wrote, c.unanswered_since_ms, c.dismiss_at_ms, c.queue_front, c.queue_behind, c.seen_at_ms, ",
            "c.hidden_since_ms, c.check_in_expires_at_ms, c.check_in_notified, c.post_session_status, ",
            "c.post_session_moved_at_ms, c.post_session, c.screen_share, c.last_index, c.revision, ",
            "c.end_user_name, u.identifier, u.name, u.email, u.phone FROM chats c JOIN end_users u ON u.id = c.end_user_id ",
            $end
        )
    };
}
pub(super) use chat_query;

/// A query for files, with the given end.
macro_rules! media_query {
    ($end:literal) => {
        concat!(
            "SELECT id, chat_id, author_type, author_id, kind, name, size_bytes, object, content_type FROM media ",
            $end
        )
    };
}
pub(super) use media_query;

pub(super) fn read_media(row: &SqliteRow) -> Result<MediaRecord, StoreError> {
    let object: Option<String> = get(row, "object")?;
    let content_type: Option<String> = get(row, "content_type")?;
    Ok(MediaRecord {
        id: count(row, "id")?,
        chat_id: count(row, "chat_id")?,
        author: read_author(row)?,
        kind: MediaKind::from_text(get(row, "kind")?).ok_or(StoreError::Corrupt("kind"))?,
        name: get(row, "name")?,
        size_bytes: count(row, "size_bytes")?,
        stored: object.zip(content_type).map(|(object, content_type)| StoredMedia { object, content_type }),
    })
}

/// A number as SQLite keeps it. Ours stay far below its limit.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that SQLite counted, which is never negative.
pub(super) fn from_count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn count(row: &SqliteRow, column: &'static str) -> Result<u64, StoreError> {
    u64::try_from(get::<i64>(row, column)?).map_err(|_| StoreError::Corrupt(column))
}

fn get<'r, T>(row: &'r SqliteRow, column: &'static str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(column).map_err(|_| StoreError::Corrupt(column))
}

fn optional_count(row: &SqliteRow, column: &'static str) -> Result<Option<u64>, StoreError> {
    get::<Option<i64>>(row, column)?
        .map(|number| u64::try_from(number).map_err(|_| StoreError::Corrupt(column)))
        .transpose()
}

fn ids(row: &SqliteRow, column: &'static str) -> Result<Vec<u64>, StoreError> {
    serde_json::from_str(get::<&str>(row, column)?).map_err(|_| StoreError::Corrupt(column))
}

fn object(row: &SqliteRow, column: &'static str) -> Result<Map<String, Value>, StoreError> {
    serde_json::from_str(get::<&str>(row, column)?).map_err(|_| StoreError::Corrupt(column))
}

pub(super) fn read_chat(row: &SqliteRow) -> Result<ChatRecord, StoreError> {
    let ended_by: Option<&str> = get(row, "ended_by")?;
    let fail_reason: Option<&str> = get(row, "fail_reason")?;
    let notified = get(row, "check_in_notified")?;
    let check_in = optional_count(row, "check_in_expires_at_ms")?;
    let state = ChatState {
        id: count(row, "id")?,
        end_user_id: count(row, "end_user_id")?,
        menu_id: count(row, "menu_id")?,
        status: Status::from_text(get(row, "status")?).ok_or(StoreError::Corrupt("status"))?,
        agent_id: optional_count(row, "agent_id")?,
        virtual_agent_id: optional_count(row, "virtual_agent_id")?,
        all_agent_ids: ids(row, "all_agent_ids")?,
        all_virtual_agent_ids: ids(row, "all_virtual_agent_ids")?,
        created_at_ms: count(row, "created_at_ms")?,
        queued_at_ms: optional_count(row, "queued_at_ms")?,
        assigned_at_ms: optional_count(row, "assigned_at_ms")?,
        ended_at_ms: optional_count(row, "ended_at_ms")?,
        ended_by: ended_by.map(|text| EndedBy::from_text(text).ok_or(StoreError::Corrupt("ended_by"))).transpose()?,
        fail_reason: fail_reason
            .map(|text| FailReason::from_text(text).ok_or(StoreError::Corrupt("fail_reason")))
            .transpose()?,
        dropped: get(row, "dropped")?,
        updated_at_ms: count(row, "updated_at_ms")?,
        active_at_ms: count(row, "active_at_ms")?,
        end_user_wrote: get(row, "end_user_wrote")?,
        unanswered_since_ms: optional_count(row, "unanswered_since_ms")?,
        dismiss_at_ms: optional_count(row, "dismiss_at_ms")?,
        queue_front: get(row, "queue_front")?,
        queue_behind: get(row, "queue_behind")?,
        seen_at_ms: optional_count(row, "seen_at_ms")?,
        hidden_since_ms: optional_count(row, "hidden_since_ms")?,
        check_in: check_in.map(|expires_at_ms| CheckIn { expires_at_ms, notified }),
        post_session: read_post_session(row)?,
        screen_share: read_screen_share(row)?,
        last_index: count(row, "last_index")?,
        revision: count(row, "revision")?,
    };
    Ok(ChatRecord {
        end_user: EndUserRecord {
            id: state.end_user_id,
            identifier: get(row, "identifier")?,
            profile: read_profile(row)?,
        },
        state,
        company_id: get(row, "company_id")?,
        platform: get(row, "platform")?,
        platform_ref: get(row, "platform_ref")?,
        lang: get(row, "lang")?,
        request: object(row, "request")?,
        end_user_name: get(row, "end_user_name")?,
    })
}

/// What of a post-session has no column of its own.
pub(super) fn post_session_details(part: PostSession) -> String {
    json!({
        "virtual_agent_id": part.offer.virtual_agent_id,
        "opt_in_required": part.offer.opt_in_required,
        "opted_in": part.opted_in,
        "started_after": part.started_after,
    })
    .to_string()
}

fn read_post_session(row: &SqliteRow) -> Result<Option<PostSession>, StoreError> {
    let Some(status) = get::<Option<&str>>(row, "post_session_status")? else { return Ok(None) };
    let corrupt = || StoreError::Corrupt("post_session");
    let details = object(row, "post_session")?;
    let number = |name: &str| details.get(name).and_then(Value::as_u64);
    let flag = |name: &str| details.get(name).and_then(Value::as_bool);
    Ok(Some(PostSession {
        offer: PostSessionOffer {
            virtual_agent_id: number("virtual_agent_id").ok_or_else(corrupt)?,
            opt_in_required: flag("opt_in_required").ok_or_else(corrupt)?,
        },
        status: PostSessionStatus::from_text(status).ok_or_else(corrupt)?,
        opted_in: flag("opted_in"),
        started_after: number("started_after"),
        moved_at_ms: count(row, "post_session_moved_at_ms")?,
    }))
}

pub(super) fn screen_share_text(share: &ScreenShare) -> String {
    json!({
        "id": share.id,
        "client_id": share.client_id,
        "page_id": share.page_id,
        "from": share.from.as_str(),
        "provider": share.provider.as_str(),
        "status": share.status.as_str(),
        "agent_id": share.agent_id,
        "code": share.code,
        "wrong_codes": share.wrong_codes,
        "created_at_ms": share.created_at_ms,
        "activated_at_ms": share.activated_at_ms,
        "ended_at_ms": share.ended_at_ms,
        "ended_reason": share.ended_reason.map(ShareEnd::as_str),
        "expires_at_ms": share.expires_at_ms,
    })
    .to_string()
}

fn read_screen_share(row: &SqliteRow) -> Result<Option<ScreenShare>, StoreError> {
    if get::<Option<&str>>(row, "screen_share")?.is_none() {
        return Ok(None);
    }
    let members = object(row, "screen_share")?;
    let read = || {
        let number = |name: &str| members.get(name).and_then(Value::as_u64);
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let ended_reason = match text("ended_reason") {
            Some(word) => Some(ShareEnd::from_text(word)?),
            None => None,
        };
        Some(ScreenShare {
            id: number("id")?,
            client_id: text("client_id")?.to_owned(),
            page_id: text("page_id")?.to_owned(),
            from: ShareFrom::from_text(text("from")?)?,
            provider: ShareProvider::from_text(text("provider")?)?,
            status: ShareStatus::from_text(text("status")?)?,
            agent_id: number("agent_id"),
            code: text("code").map(str::to_owned),
            wrong_codes: number("wrong_codes")?,
            created_at_ms: number("created_at_ms")?,
            activated_at_ms: number("activated_at_ms"),
            ended_at_ms: number("ended_at_ms"),
            ended_reason,
            expires_at_ms: number("expires_at_ms")?,
        })
    };
    read().ok_or(StoreError::Corrupt("screen_share")).map(Some)
}

pub(super) fn read_escalation(row: &SqliteRow) -> Result<EscalationRecord, StoreError> {
    Ok(EscalationRecord {
        escalation_id: count(row, "escalation_id")?,
        at_ms: count(row, "at_ms")?,
        reason: get(row, "reason")?,
        request: object(row, "request")?,
        channel: get(row, "channel")?,
    })
}

pub(super) fn read_record(row: &SqliteRow) -> Result<Record, StoreError> {
    Ok(Record {
        id: count(row, "id")?,
        revision: count(row, "revision")?,
        content: NewRecord {
            kind: RecordKind::from_text(get(row, "kind")?).ok_or(StoreError::Corrupt("kind"))?,
            company_id: get(row, "company_id")?,
            end_user_id: optional_count(row, "end_user_id")?,
            chat_id: optional_count(row, "chat_id")?,
            key: get(row, "key")?,
            topic: get(row, "topic")?,
            status: get(row, "status")?,
            due_at_ms: optional_count(row, "due_at_ms")?,
            at_ms: count(row, "at_ms")?,
            body: object(row, "body")?,
        },
    })
}

pub(super) fn read_event(row: &SqliteRow) -> Result<ChatEvent, StoreError> {
    Ok(ChatEvent { at_ms: count(row, "at_ms")?, name: get(row, "name")?, data: object(row, "data")? })
}

fn read_profile(row: &SqliteRow) -> Result<Profile, StoreError> {
    Ok(Profile { name: get(row, "name")?, email: get(row, "email")?, phone: get(row, "phone")? })
}

pub(super) fn read_end_user(row: &SqliteRow) -> Result<EndUserRecord, StoreError> {
    Ok(EndUserRecord { id: count(row, "id")?, identifier: get(row, "identifier")?, profile: read_profile(row)? })
}

fn read_author(row: &SqliteRow) -> Result<Author, StoreError> {
    Author::from_parts(get(row, "author_type")?, count(row, "author_id")?).ok_or(StoreError::Corrupt("author_type"))
}

pub(super) fn read_message(row: &SqliteRow) -> Result<Message<MessageBody>, StoreError> {
    Ok(Message {
        index: count(row, "idx")?,
        author: read_author(row)?,
        client_id: get(row, "client_id")?,
        at_ms: count(row, "at_ms")?,
        body: MessageBody::from_stored(get(row, "body")?),
    })
}

pub(super) fn read_sent_key(row: &SqliteRow) -> Result<(SentKey, (u64, u64)), StoreError> {
    Ok(((read_author(row)?, get(row, "client_id")?), (count(row, "idx")?, count(row, "at_ms")?)))
}

pub(super) fn read_waiting(row: &SqliteRow) -> Result<Waiting, StoreError> {
    Ok(Waiting {
        chat_id: count(row, "id")?,
        company_id: get(row, "company_id")?,
        menu_id: count(row, "menu_id")?,
        queue_behind: get(row, "queue_behind")?,
    })
}

pub(super) fn read_agent(row: &SqliteRow) -> Result<AgentRecord, StoreError> {
    Ok(AgentRecord {
        id: count(row, "id")?,
        login: get(row, "login")?,
        name: get(row, "name")?,
        avatar_url: get(row, "avatar_url")?,
    })
}

/// The end user with a key.
pub(super) async fn end_user(
    connection: &mut SqliteConnection,
    company_id: &str,
    key: &EndUserKey,
) -> Result<Option<EndUserRecord>, StoreError> {
    let query = match key {
        EndUserKey::Identifier(identifier) => sqlx::query(
            "SELECT id, identifier, name, email, phone FROM end_users WHERE company_id = ? AND identifier = ?",
        )
        .bind(company_id)
        .bind(identifier.as_str()),
        EndUserKey::SecretSha256(hash) => sqlx::query(
            "SELECT id, identifier, name, email, phone FROM end_users WHERE company_id = ? AND secret_sha256 = ?",
        )
        .bind(company_id)
        .bind(hash.as_slice()),
    };
    let row = query.fetch_optional(connection).await?;
    row.as_ref().map(read_end_user).transpose()
}

/// What is known with what is said now: silence changes nothing.
pub(super) fn merged(known: &Profile, said: &Profile) -> Profile {
    Profile {
        name: said.name.clone().or_else(|| known.name.clone()),
        email: said.email.clone().or_else(|| known.email.clone()),
        phone: said.phone.clone().or_else(|| known.phone.clone()),
    }
}

//! The store in memory: for tests, and the shortest reading of what the trait promises. Nothing survives the process.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use engine::gateway::{Change, ChatState, EndedBy, Message, PostSessionStatus, ScreenShare, SentKey, Status};
use serde_json::{Map, Value};

use crate::{
    AgentRecord, Announced, Changed, ChatEvent, ChatRecord, Commit, Created, EndUserKey, EndUserRecord,
    EscalationRecord, Kept, Load, MaskedAnswers, MediaQuota, MediaRecord, MessageBody, NewChat, NewEscalation,
    NewMedia, NewRecord, Overdue, PageLimit, Profile, Record, RecordCap, RecordKind, RecordQuery, Store, StoreError,
    StoredMedia, Waiting,
};

/// A store that forgets.
#[derive(Default)]
pub struct MemoryStore(Mutex<Tables>);

#[derive(Default)]
struct Tables {
    meta: HashMap<String, Vec<u8>>,
    end_users: Vec<(String, EndUserKey, EndUserRecord)>,
    chats: BTreeMap<u64, Chat>,
    chats_by_key: HashMap<(u64, String), u64>,
    escalations: BTreeMap<(u64, u64), EscalationRecord>,
    masked_answers: HashMap<(u64, u64, String), Vec<Value>>,
    events: Vec<(u64, ChatEvent)>,
    /// With key and time.
    media: Vec<(MediaRecord, String, u64)>,
    /// By number.
    records: BTreeMap<u64, Record>,
    agents: Vec<AgentRecord>,
    sessions: HashMap<[u8; 32], (u64, u64)>,
}

struct Chat {
    record: ChatRecord,
    messages: Vec<Message<MessageBody>>,
}

impl MemoryStore {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    /// A chat with the newest profile of its end user.
    fn chat(&self, chat: &Chat) -> ChatRecord {
        let mut record = chat.record.clone();
        if let Some((_, _, end_user)) = self.end_users.iter().find(|(_, _, user)| user.id == record.end_user.id) {
            record.end_user = end_user.clone();
        }
        record
    }
}

impl Tables {
    fn waiting(&self, limit: u64) -> Vec<&Chat> {
        let mut chats: Vec<&Chat> =
            self.chats.values().filter(|chat| chat.record.state.status == Status::Queued).collect();
        chats.sort_by_key(|chat| {
            let state = &chat.record.state;
            (!state.queue_front, state.queued_at_ms, state.id)
        });
        chats.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        chats
    }
}

impl Tables {
    /// Whether one more like `written` is within the limits, beside all records but `except`.
    fn has_room(&self, written: &NewRecord, except: u64, caps: &[RecordCap]) -> bool {
        caps.iter().all(|cap| {
            let others = self.records.values().filter(|record| record.id != except);
            let counted = others.filter(|record| cap.counts(&record.content, written)).count();
            next_id(counted) <= cap.most
        })
    }

    fn with_key(&self, kind: RecordKind, company_id: &str, key: &str) -> Option<Record> {
        let mut records = self.records.values();
        let found = records.find(|Record { content, .. }| {
            content.kind == kind && content.company_id == company_id && content.key.as_deref() == Some(key)
        });
        found.cloned()
    }
}

fn next_id(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX).saturating_add(1)
}

#[async_trait]
impl Store for MemoryStore {
    async fn meta_or_insert(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        Ok(self.tables().meta.entry(name.to_owned()).or_insert(value).clone())
    }

    async fn end_user(&self, company_id: &str, key: EndUserKey, profile: Profile) -> Result<EndUserRecord, StoreError> {
        let mut tables = self.tables();
        let known = tables.end_users.iter_mut().find(|(company, other, _)| company == company_id && *other == key);
        if let Some((_, _, record)) = known {
            let kept = &mut record.profile;
            kept.name = profile.name.or_else(|| kept.name.take());
            kept.email = profile.email.or_else(|| kept.email.take());
            kept.phone = profile.phone.or_else(|| kept.phone.take());
            return Ok(record.clone());
        }
        let identifier = match &key {
            EndUserKey::Identifier(identifier) => Some(identifier.clone()),
            EndUserKey::SecretSha256(_) => None,
        };
        let record = EndUserRecord { id: next_id(tables.end_users.len()), identifier, profile };
        tables.end_users.push((company_id.to_owned(), key, record.clone()));
        Ok(record)
    }

    async fn end_user_by_id(&self, id: u64) -> Result<Option<EndUserRecord>, StoreError> {
        Ok(self.tables().end_users.iter().find(|(_, _, user)| user.id == id).map(|(_, _, user)| user.clone()))
    }

    async fn create_chat(&self, chat: NewChat, opening: Change<MessageBody>) -> Result<Created, StoreError> {
        let mut tables = self.tables();
        let key = (opening.state.end_user_id, chat.client_id.clone());
        if let Some(chat_id) = tables.chats_by_key.get(&key) {
            return Ok(Created { chat_id: *chat_id, fresh: false });
        }
        let end_user = tables.end_users.iter().find(|(_, _, user)| user.id == key.0).map(|(_, _, user)| user.clone());
        let end_user = end_user.ok_or(StoreError::Corrupt("end_user_id"))?;
        let chat_id = next_id(tables.chats.len());
        let mut state = opening.state;
        state.id = chat_id;
        let record = ChatRecord {
            state,
            company_id: chat.company_id,
            platform: chat.platform,
            platform_ref: chat.platform_ref,
            lang: chat.lang,
            request: chat.request,
            end_user,
            end_user_name: None,
        };
        tables.chats.insert(chat_id, Chat { record, messages: opening.messages });
        tables.chats_by_key.insert(key, chat_id);
        Ok(Created { chat_id, fresh: true })
    }

    async fn chat_opened_with(&self, end_user_id: u64, client_id: &str) -> Result<Option<u64>, StoreError> {
        Ok(self.tables().chats_by_key.get(&(end_user_id, client_id.to_owned())).copied())
    }

    async fn chat(&self, chat_id: u64) -> Result<Option<ChatRecord>, StoreError> {
        let tables = self.tables();
        Ok(tables.chats.get(&chat_id).map(|chat| tables.chat(chat)))
    }

    async fn sent_keys(&self, chat_id: u64) -> Result<HashMap<SentKey, (u64, u64)>, StoreError> {
        let tables = self.tables();
        let messages = tables.chats.get(&chat_id).map_or(&[][..], |chat| &chat.messages);
        let keys = messages.iter().filter_map(|message| {
            let client_id = message.client_id.clone()?;
            Some(((message.author, client_id), (message.index, message.at_ms)))
        });
        Ok(keys.collect())
    }

    async fn commit(&self, change: Change<MessageBody>) -> Result<Commit, StoreError> {
        let mut tables = self.tables();
        let Some(chat) = tables.chats.get_mut(&change.state.id) else { return Ok(Commit::Conflict) };
        if chat.record.state.revision.saturating_add(1) != change.state.revision {
            return Ok(Commit::Conflict);
        }
        let taken = change.messages.iter().any(|new| {
            chat.messages.iter().any(|old| {
                old.index == new.index
                    || (new.client_id.is_some() && old.client_id == new.client_id && old.author == new.author)
            })
        });
        if taken {
            return Err(StoreError::Corrupt("change"));
        }
        chat.record.state = change.state;
        chat.messages.extend(change.messages);
        Ok(Commit::Committed)
    }

    async fn messages_after(
        &self,
        chat_id: u64,
        index: u64,
        limit: PageLimit,
    ) -> Result<Vec<Message<MessageBody>>, StoreError> {
        let tables = self.tables();
        let messages = tables.chats.get(&chat_id).map_or(&[][..], |chat| &chat.messages);
        let mut bytes = 0_usize;
        let mut page = Vec::new();
        for message in messages.iter().filter(|message| message.index > index) {
            bytes = bytes.saturating_add(message.body.json().len());
            let full = next_id(page.len()) > limit.messages || (bytes > limit.bytes && !page.is_empty());
            if full {
                break;
            }
            page.push(message.clone());
        }
        Ok(page)
    }

    async fn ongoing_chat(&self, end_user_id: u64) -> Result<Option<ChatRecord>, StoreError> {
        let tables = self.tables();
        let ongoing = tables.chats.values().rev().find(|chat| {
            let state = &chat.record.state;
            state.end_user_id == end_user_id && state.is_ongoing()
        });
        Ok(ongoing.map(|chat| tables.chat(chat)))
    }

    async fn waiting_chats(&self, limit: u64) -> Result<Vec<ChatRecord>, StoreError> {
        let tables = self.tables();
        Ok(tables.waiting(limit).into_iter().map(|chat| tables.chat(chat)).collect())
    }

    async fn queues(&self, limit: u64) -> Result<Vec<Waiting>, StoreError> {
        let tables = self.tables();
        let waiting = tables.waiting(limit).into_iter().map(|Chat { record, .. }| Waiting {
            chat_id: record.state.id,
            company_id: record.company_id.clone(),
            menu_id: record.state.menu_id,
            queue_behind: record.state.queue_behind,
        });
        Ok(waiting.collect())
    }

    async fn chats_of_agent(&self, agent_id: u64, limit: u64) -> Result<Vec<ChatRecord>, StoreError> {
        let tables = self.tables();
        let theirs = tables.chats.values().filter(|chat| {
            chat.record.state.status == Status::Assigned && chat.record.state.agent_id == Some(agent_id)
        });
        let mut chats: Vec<ChatRecord> = theirs.map(|chat| tables.chat(chat)).collect();
        chats.sort_by_key(|chat| (chat.state.assigned_at_ms, chat.state.id));
        chats.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(chats)
    }

    async fn quiet_chats(&self, overdue: Overdue, limit: u64) -> Result<Vec<u64>, StoreError> {
        let tables = self.tables();
        let states = || tables.chats.values().map(|chat| &chat.record.state);
        let longest = |since: &dyn Fn(&ChatState) -> Option<u64>| {
            let mut due: Vec<(u64, u64)> = states().filter_map(|state| Some((since(state)?, state.id))).collect();
            due.sort_unstable();
            due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            due.into_iter().map(|(_, id)| id).collect::<Vec<u64>>()
        };
        let is_past = |since_ms: Option<u64>, until_ms: Option<u64>| since_ms.is_some() && since_ms <= until_ms;
        let mut ids = longest(&|state| {
            let since_ms = state.unanswered_since_ms.filter(|_| state.status == Status::Assigned);
            since_ms.filter(|_| is_past(since_ms, overdue.unanswered_ms))
        });
        for (status, until_ms) in
            [(None, overdue.silent_ms), (Some(Status::VaAssigned), overdue.silent_with_virtual_agent_ms)]
        {
            ids.extend(longest(&|state| {
                let is_meant = !state.status.is_over() && status.is_none_or(|status| state.status == status);
                (is_meant && is_past(Some(state.active_at_ms), until_ms)).then_some(state.active_at_ms)
            }));
        }
        ids.extend(longest(&|state| {
            let answer_by_ms = state.check_in.map(|check_in| check_in.expires_at_ms);
            let is_hidden = is_past(state.hidden_since_ms, overdue.hidden_ms);
            let is_due = is_past(state.queued_at_ms, overdue.queued_ms)
                || is_past(answer_by_ms, overdue.check_in_ms)
                || (answer_by_ms.is_none()
                    && (is_past(state.seen_at_ms, overdue.seen_ms)
                        || (is_hidden && is_past(state.seen_at_ms, overdue.hidden_ms))));
            state.queued_at_ms.filter(|_| is_due && state.status == Status::Queued)
        }));
        ids.extend(longest(&|state| {
            let part = state.post_session.filter(|part| part.status != PostSessionStatus::Finished)?;
            Some(part.moved_at_ms).filter(|since_ms| is_past(Some(*since_ms), overdue.post_session_ms))
        }));
        ids.extend(longest(&|state| {
            let due_at_ms = state.screen_share.as_ref().and_then(ScreenShare::due_at_ms);
            due_at_ms.filter(|_| is_past(due_at_ms, overdue.share_ms))
        }));
        Ok(ids)
    }

    async fn load(&self, company_id: &str) -> Result<Load, StoreError> {
        let tables = self.tables();
        let mut load = Load::default();
        for Chat { record, .. } in tables.chats.values() {
            if record.state.status == Status::Queued && record.company_id == company_id {
                load.waiting += 1;
            }
            if let Some(agent_id) = record.state.agent_id {
                *load.assigned.entry(agent_id).or_default() += 1;
            }
        }
        Ok(load)
    }

    async fn mean_handling_ms(&self, company_id: &str, menu_id: u64, sample: u64) -> Result<Option<u64>, StoreError> {
        let tables = self.tables();
        let mut handled: Vec<(u64, u64)> = tables
            .chats
            .values()
            .filter(|chat| chat.record.company_id == company_id && chat.record.state.menu_id == menu_id)
            .filter(|chat| !matches!(chat.record.state.ended_by, Some(EndedBy::Timeout | EndedBy::System)))
            .filter_map(|chat| Some((chat.record.state.ended_at_ms?, chat.record.state.assigned_at_ms?)))
            .map(|(ended_at_ms, assigned_at_ms)| (ended_at_ms, ended_at_ms.saturating_sub(assigned_at_ms)))
            .collect();
        handled.sort_by_key(|(ended_at_ms, _)| std::cmp::Reverse(*ended_at_ms));
        handled.truncate(usize::try_from(sample).unwrap_or(usize::MAX));
        let total: u64 = handled.iter().map(|(_, handling_ms)| handling_ms).sum();
        Ok(total.checked_div(u64::try_from(handled.len()).unwrap_or(0)))
    }

    async fn record_escalation(&self, escalation: NewEscalation) -> Result<(), StoreError> {
        let NewEscalation { chat_id, escalation_id, at_ms, reason, request } = escalation;
        let record = || EscalationRecord { escalation_id, at_ms, reason, request, channel: None };
        self.tables().escalations.entry((chat_id, escalation_id)).or_insert_with(record);
        Ok(())
    }

    async fn escalations(&self, chat_id: u64, limit: u64) -> Result<Vec<EscalationRecord>, StoreError> {
        let tables = self.tables();
        let own = tables.escalations.range((chat_id, 0)..=(chat_id, u64::MAX)).map(|(_, record)| record.clone());
        Ok(own.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }

    async fn choose_escalation_channel(
        &self,
        chat_id: u64,
        escalation_id: u64,
        channel: &str,
        at_ms: u64,
    ) -> Result<String, StoreError> {
        let mut tables = self.tables();
        let unknown = || EscalationRecord { escalation_id, at_ms, reason: None, request: Map::new(), channel: None };
        let record = tables.escalations.entry((chat_id, escalation_id)).or_insert_with(unknown);
        Ok(record.channel.get_or_insert_with(|| channel.to_owned()).clone())
    }

    async fn keep_masked_answers(&self, masked: MaskedAnswers) -> Result<(), StoreError> {
        let MaskedAnswers { chat_id, smart_action_id, masked_id, answers } = masked;
        self.tables().masked_answers.entry((chat_id, smart_action_id, masked_id)).or_insert(answers);
        Ok(())
    }

    async fn masked_answers(
        &self,
        chat_id: u64,
        smart_action_id: u64,
        masked_id: &str,
    ) -> Result<Vec<Value>, StoreError> {
        let key = (chat_id, smart_action_id, masked_id.to_owned());
        Ok(self.tables().masked_answers.get(&key).cloned().unwrap_or_default())
    }

    async fn record_event(
        &self,
        chat_id: u64,
        event: ChatEvent,
        end_user_name: Option<String>,
        limit: u64,
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let known = tables.events.iter().filter(|(chat, _)| *chat == chat_id).count();
        let Some(chat) = tables.chats.get_mut(&chat_id) else { return Err(StoreError::Corrupt("chat_id")) };
        if next_id(known) > limit {
            return Ok(false);
        }
        if end_user_name.is_some() {
            chat.record.end_user_name = end_user_name;
        }
        tables.events.push((chat_id, event));
        Ok(true)
    }

    async fn events(&self, chat_id: u64, limit: u64) -> Result<Vec<ChatEvent>, StoreError> {
        let tables = self.tables();
        let events = tables.events.iter().filter(|(chat, _)| *chat == chat_id).map(|(_, event)| event.clone());
        Ok(events.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }

    async fn ended_chats(&self, end_user_id: u64, skip: u64, limit: u64) -> Result<Vec<ChatRecord>, StoreError> {
        let tables = self.tables();
        let ended = tables
            .chats
            .values()
            .rev()
            .filter(|chat| chat.record.state.end_user_id == end_user_id && chat.record.state.ended_at_ms.is_some());
        let (skip, limit) = (usize::try_from(skip).unwrap_or(usize::MAX), usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(ended.skip(skip).take(limit).map(|chat| tables.chat(chat)).collect())
    }

    async fn announce_media(&self, media: NewMedia, quota: MediaQuota) -> Result<Announced, StoreError> {
        let mut tables = self.tables();
        let known = tables.media.iter().find(|(record, client_id, _)| {
            (record.chat_id, record.author, client_id) == (media.chat_id, media.author, &media.client_id)
        });
        if let Some((record, _, _)) = known {
            return Ok(Announced::Known(record.clone()));
        }
        let counted = tables
            .media
            .iter()
            .filter(|(record, _, created_at_ms)| record.author == media.author && *created_at_ms > quota.since_ms);
        let (files, bytes) = counted.fold((0_u64, 0_u64), |(files, bytes), (record, _, _)| {
            (files.saturating_add(1), bytes.saturating_add(record.size_bytes))
        });
        if files >= quota.files || bytes.saturating_add(media.size_bytes) > quota.bytes {
            return Ok(Announced::OverQuota);
        }
        let record = MediaRecord {
            id: next_id(tables.media.len()),
            chat_id: media.chat_id,
            author: media.author,
            kind: media.kind,
            name: media.name,
            size_bytes: media.size_bytes,
            stored: None,
        };
        tables.media.push((record.clone(), media.client_id, media.created_at_ms));
        Ok(Announced::Fresh(record))
    }

    async fn media(&self, media_id: u64) -> Result<Option<MediaRecord>, StoreError> {
        Ok(self.tables().media.iter().find(|(record, _, _)| record.id == media_id).map(|(record, _, _)| record.clone()))
    }

    async fn complete_media(&self, media_id: u64, stored: StoredMedia, size_bytes: u64) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let waiting = tables.media.iter_mut().find(|(record, _, _)| record.id == media_id && record.stored.is_none());
        let Some((record, _, _)) = waiting else { return Ok(false) };
        (record.stored, record.size_bytes) = (Some(stored), size_bytes);
        Ok(true)
    }

    async fn keep_record(&self, record: NewRecord, caps: Vec<RecordCap>) -> Result<Kept, StoreError> {
        let mut tables = self.tables();
        let key = record.key.as_deref();
        if let Some(known) = key.and_then(|key| tables.with_key(record.kind, &record.company_id, key)) {
            return Ok(Kept::Known(known));
        }
        let id = next_id(tables.records.len());
        if !tables.has_room(&record, id, &caps) {
            return Ok(Kept::Full);
        }
        let record = Record { id, revision: 1, content: record };
        tables.records.insert(id, record.clone());
        Ok(Kept::Fresh(record))
    }

    async fn record(&self, kind: RecordKind, id: u64) -> Result<Option<Record>, StoreError> {
        Ok(self.tables().records.get(&id).filter(|record| record.content.kind == kind).cloned())
    }

    async fn record_with_key(
        &self,
        kind: RecordKind,
        company_id: &str,
        key: &str,
    ) -> Result<Option<Record>, StoreError> {
        Ok(self.tables().with_key(kind, company_id, key))
    }

    async fn change_record(&self, record: Record, caps: Vec<RecordCap>) -> Result<Changed, StoreError> {
        let mut tables = self.tables();
        let known = tables.records.get(&record.id);
        let Some(known) = known.filter(|known| known.revision == record.revision) else { return Ok(Changed::Conflict) };
        let NewRecord { topic, status, due_at_ms, body, .. } = record.content;
        let content = NewRecord { topic, status, due_at_ms, body, ..known.content.clone() };
        if !tables.has_room(&content, record.id, &caps) {
            return Ok(Changed::Full);
        }
        let revision = record.revision.saturating_add(1);
        tables.records.insert(record.id, Record { id: record.id, revision, content });
        Ok(Changed::Changed)
    }

    async fn records(&self, query: RecordQuery) -> Result<Vec<Record>, StoreError> {
        let tables = self.tables();
        let mut found: Vec<Record> =
            tables.records.values().rev().filter(|record| query.matches(record)).cloned().collect();
        if query.due_until_ms.is_some() {
            found.sort_by_key(|record| (record.content.due_at_ms, record.id));
        }
        found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    async fn count_records(&self, query: RecordQuery) -> Result<u64, StoreError> {
        let count = self.tables().records.values().filter(|record| query.matches(record)).count();
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    async fn register_agent(&self, login: &str, name: &str, avatar_url: Option<&str>) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        let id = next_id(tables.agents.len());
        let (name, avatar_url) = (name.to_owned(), avatar_url.map(str::to_owned));
        if let Some(agent) = tables.agents.iter_mut().find(|agent| agent.login == login) {
            (agent.name, agent.avatar_url) = (name, avatar_url);
            return Ok(agent.id);
        }
        tables.agents.push(AgentRecord { id, login: login.to_owned(), name, avatar_url });
        Ok(id)
    }

    async fn agents(&self) -> Result<Vec<AgentRecord>, StoreError> {
        Ok(self.tables().agents.clone())
    }

    async fn open_agent_session(
        &self,
        token_sha256: [u8; 32],
        agent_id: u64,
        expires_at_ms: u64,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        tables.sessions.retain(|_, (_, expires_at_ms)| *expires_at_ms > now_ms);
        tables.sessions.insert(token_sha256, (agent_id, expires_at_ms));
        Ok(())
    }

    async fn agent_session(&self, token_sha256: [u8; 32], now_ms: u64) -> Result<Option<(u64, u64)>, StoreError> {
        let tables = self.tables();
        Ok(tables.sessions.get(&token_sha256).copied().filter(|(_, expires_at_ms)| *expires_at_ms > now_ms))
    }

    async fn close_agent_session(&self, token_sha256: [u8; 32]) -> Result<(), StoreError> {
        self.tables().sessions.remove(&token_sha256);
        Ok(())
    }

    async fn close(&self) {}
}

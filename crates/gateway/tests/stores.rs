//! The stores that gateways run on keep the trait's promises: the one in memory, and SQLite on disk.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use engine::gateway::{Change, ChatState};
use gateway::store::story::{story, story_of_the_next_process};
use gateway::store::{Commit, EMBEDDED_PLATFORM, EndUserKey, MemoryStore, NewChat, Profile, SqliteStore, Store};
use serde_json::Map;

#[tokio::test]
async fn the_store_in_memory_keeps_the_promises() {
    story(Arc::new(MemoryStore::default())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_in_sqlite_keeps_the_promises() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.sqlite");
    let store = Arc::new(SqliteStore::open(&file).await.unwrap());
    story(Arc::clone(&store) as Arc<dyn Store>).await;
    store.close().await;
    assert!(store.meta_or_insert("late", vec![]).await.is_err());

    let store = SqliteStore::open(&file).await.unwrap();
    story_of_the_next_process(&store).await;
    store.close().await;
}

#[tokio::test]
async fn two_processes_on_one_file_cannot_both_change_a_chat() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.sqlite");
    let (one, two) = (SqliteStore::open(&file).await.unwrap(), SqliteStore::open(&file).await.unwrap());
    let key = EndUserKey::Identifier("uma".into());
    let end_user_id = one.end_user("acme", key, Profile::default()).await.unwrap().id;
    let chat = NewChat {
        company_id: "acme".into(),
        platform: EMBEDDED_PLATFORM.into(),
        platform_ref: None,
        client_id: "shared".into(),
        lang: "en".into(),
        request: Map::new(),
    };
    let opening = Change { state: queued(end_user_id), messages: vec![] };
    let chat_id = one.create_chat(chat, opening).await.unwrap().chat_id;
    let before = two.chat(chat_id).await.unwrap().unwrap().state;
    let state = ChatState { dropped: true, revision: before.revision + 1, ..before };
    let change = Change { state, messages: vec![] };
    assert_eq!(two.commit(change.clone()).await.unwrap(), Commit::Committed);
    assert_eq!(one.commit(change).await.unwrap(), Commit::Conflict);
}

fn queued(end_user_id: u64) -> ChatState {
    ChatState { queued_at_ms: Some(1000), revision: 1, ..ChatState::new(end_user_id, 3, None, 1000) }
}

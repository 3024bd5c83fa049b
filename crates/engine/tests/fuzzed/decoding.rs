//! Wire decoding: whatever bytes arrive, a frame or body is read or refused, and what was read is written and read back the same.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wire::Document;
use wire::{rest, stream};

fn there_and_back<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    let Ok(read) = serde_json::from_slice::<T>(bytes) else { return };
    let written = serde_json::to_value(&read).expect("what was read can be written");
    let again: T = serde_json::from_value(written.clone()).expect("what was written can be read");
    assert_eq!(serde_json::to_value(&again).expect("and written again"), written);
}

pub(crate) fn run(bytes: &[u8]) {
    there_and_back::<stream::ClientFrame>(bytes);
    there_and_back::<stream::ServerFrame>(bytes);
    there_and_back::<rest::SessionRequest>(bytes);
    there_and_back::<rest::CreateChatRequest>(bytes);
    there_and_back::<rest::SendRequest>(bytes);
    there_and_back::<rest::ChatPatch>(bytes);
    there_and_back::<rest::EscalateRequest>(bytes);
    there_and_back::<rest::Chat>(bytes);
    there_and_back::<rest::MessagesBody>(bytes);
    there_and_back::<rest::ErrorBody>(bytes);
    let Some(document) = std::str::from_utf8(bytes).ok().and_then(<Value as Document>::parse) else { return };
    // A field of the wrong type reads as absent; none of these may fail.
    let _ = (document.text("type"), document.int("$index"), document.count("$index"), document.flag("typing"));
    let _ = document.field("messages").and_then(|messages| messages.items());
    assert_eq!(document.to_json().and_then(|json| <Value as Document>::parse(&json)).as_ref(), Some(&document));
}

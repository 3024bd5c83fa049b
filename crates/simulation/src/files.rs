//! Files of messages: kept in the browser for a later page, announced, posted as a form and shown by a message, each step of which can fail.
//! Only whether a file is there is simulated, not its bytes.

use engine::client::{Error, Input};
use engine::gateway::{Actor, Author, Command};
use store::{Announced, MediaKind, MediaQuota, MessageBody, NewMedia, StoredMedia};
use wire::{Document, ErrorCode};

use crate::browser::FILE_BYTES;
use crate::document::Doc;
use crate::faults::Fault;
use crate::gateway::{ReplyTo, TaskEnd, ok, own_chat, refusal};
use crate::world::{Happening, World};

/// A file on its way.
#[derive(Clone)]
pub(crate) struct Upload {
    tab: usize,
    page: u32,
    client_id: String,
    media_id: u64,
}

fn failed(code: ErrorCode) -> Error {
    Error::new(code, "The file could not be uploaded.")
}

impl World {
    pub(crate) fn keep_file(&mut self, tab: usize, key: String) {
        let now_ms = self.now_ms;
        let profile = &mut self.profiles[self.tabs[tab].profile];
        if profile.refused_until_ms.max(profile.full_until_ms) <= now_ms {
            profile.files.insert(key);
        }
    }

    /// A page posts a file.
    pub(crate) fn upload(&mut self, tab: usize, client_id: String, key: &str, at_hand: bool, form: &Doc) {
        let entry = &mut self.tabs[tab];
        let (page, profile) = (entry.page, entry.profile);
        entry.uploads.insert(client_id.clone());
        let media_id = form.field("fields").and_then(|fields| fields.count("media_id")).unwrap_or(0);
        let upload = Upload { tab, page, client_id, media_id };
        if !at_hand && !self.profiles[profile].files.contains(key) {
            return self.later(1, Happening::FileAnswered { upload, result: Err(failed(ErrorCode::FileLost)) });
        }
        if self.link(tab).offline || self.strikes(Fault::UploadLost) {
            let ms = self.random.between(1, 3_000);
            return self.later(ms, Happening::FileAnswered { upload, result: Err(failed(ErrorCode::Network)) });
        }
        let ms = self.way_up_ms(tab) + self.random.between(1, 500);
        if self.strikes(Fault::UploadDuplicated) {
            let copy_ms = ms + self.random.between(0, 8_000);
            self.later(copy_ms, Happening::FileArrives { upload: upload.clone(), told: false });
        }
        self.later(ms, Happening::FileArrives { upload, told: true });
    }

    pub(crate) fn file_arrives(&mut self, upload: Upload, told: bool) {
        if !self.gateway.listens {
            return self.file_stored(told.then_some(upload), false);
        }
        let (store, media_id) = (self.store(), upload.media_id);
        let object = format!("picture {media_id}");
        let number = self.gateway.number();
        if told {
            self.gateway.receiving.insert(number, upload);
        }
        let stored = StoredMedia { object, content_type: "image/png".to_owned() };
        self.spawn(async move {
            let done = store.complete_media(media_id, stored, FILE_BYTES).await;
            TaskEnd::File(number, done.is_ok())
        });
    }

    /// The process dies: whoever sends it a file notices that the connection is gone.
    pub(crate) fn uploads_lost_the_gateway(&mut self) {
        for upload in std::mem::take(&mut self.gateway.receiving).into_values() {
            self.file_stored(Some(upload), false);
        }
    }

    /// The gateway answers to a file.
    pub(crate) fn file_stored(&mut self, upload: Option<Upload>, stored: bool) {
        let Some(upload) = upload else { return };
        let is_told = stored && !self.strikes(Fault::UploadLost);
        let result = if is_told { Ok(()) } else { Err(failed(ErrorCode::Network)) };
        let ms = self.way_down_ms(upload.tab);
        self.later(ms, Happening::FileAnswered { upload, result });
    }

    pub(crate) fn file_answered(&mut self, upload: Upload, result: Result<(), Error>) {
        let Upload { tab, page, client_id, .. } = upload;
        let entry = &mut self.tabs[tab];
        // An upload that was abandoned is no longer listed.
        if entry.page == page && entry.uploads.remove(&client_id) {
            self.tell_page(tab, page, Input::Uploaded { client_id, result });
        }
    }

    /// A page asks for a place for a file (`crates/gateway/src/http/media.rs`).
    pub(crate) fn announce_file(&mut self, reply_to: Option<ReplyTo>, chat_id: u64, end_user_id: u64, body: &Doc) {
        let Some(client_id) = body.text("client_id") else {
            return self.answer(reply_to, refusal(ErrorCode::InvalidArgument));
        };
        let (store, created_at_ms) = (self.store(), self.gateway_ms());
        self.spawn(async move {
            if let Err(code) = own_chat(&*store, end_user_id, chat_id).await {
                return TaskEnd::Answer(reply_to, refusal(code));
            }
            let name = "picture".to_owned();
            let new = NewMedia {
                chat_id,
                author: Author::EndUser(end_user_id),
                kind: MediaKind::Photo,
                client_id,
                name,
                size_bytes: FILE_BYTES,
                created_at_ms,
            };
            let quota = MediaQuota { since_ms: 0, files: 1000, bytes: u64::MAX };
            let record = match store.announce_media(new, quota).await {
                Ok(Announced::Fresh(record) | Announced::Known(record)) => record,
                Ok(Announced::OverQuota) => return TaskEnd::Answer(reply_to, refusal(ErrorCode::RateLimited)),
                Err(_) => return TaskEnd::Answer(reply_to, refusal(ErrorCode::Unavailable)),
            };
            let fields = Doc::object(vec![("media_id", Doc::number(record.id))]);
            let form = Doc::object(vec![("url", Doc::string("/api/v1/uploads")), ("fields", fields)]);
            let form = if record.stored.is_some() { Doc::Null } else { form };
            let body = Doc::object(vec![("media_id", Doc::number(record.id)), ("upload", form)]);
            TaskEnd::Answer(reply_to, ok(201, body))
        });
    }

    /// A message that shows a file is carried out where the file is there, and its sender's.
    pub(crate) fn send_file_message(
        &mut self,
        reply_to: Option<ReplyTo>,
        (chat_id, end_user_id, media_id): (u64, u64, u64),
        command: Command<MessageBody>,
    ) {
        let store = self.store();
        self.spawn(async move {
            match store.media(media_id).await {
                Ok(Some(media)) if media.author == Author::EndUser(end_user_id) && media.stored.is_some() => {
                    TaskEnd::Command(reply_to, chat_id, Actor::EndUser(end_user_id), command)
                }
                Ok(_) => TaskEnd::Answer(reply_to, refusal(ErrorCode::InvalidArgument)),
                Err(_) => TaskEnd::Answer(reply_to, refusal(ErrorCode::Unavailable)),
            }
        });
    }
}

//! Messages both ways: the outbox's sends and their outcome, and what the stream brings, shown to listeners once and in order.

use wire::{Document, ErrorCode, Field};

use super::calls::{Purpose, chat_path, no_chat, unreadable};
use super::chat::{Chat, Member};
use super::connection::spread_after;
use super::engine::Client;
use super::error::Error;
use super::outbox::{Attachment, Delivery, DeliveryState, NewEntry, StoredKey, may_retry};
use super::timeline::{Arrival, Timeline};
use super::types::{Event, FILE_FIELD, Method, OpId, Output, Settled};

impl<D: Document> Client<D> {
    pub(crate) fn send_message(&mut self, op: OpId, chat_id: Option<u64>, message: D, file: Option<D>) {
        let current = self.chat.as_ref().map(|chat| (chat.id, chat.finished));
        let is_file = file.is_some();
        let chat_id = match (chat_id, current) {
            (None, None) => return self.settle_unsent(op, is_file, no_chat()),
            (Some(id), Some((current, true))) if id == current => return self.settle_unsent(op, is_file, chat_ended()),
            (None, Some((_, true))) => return self.settle_unsent(op, is_file, chat_ended()),
            (Some(id), _) | (None, Some((id, false))) => id,
        };
        let Some(end_user_id) = self.identity.end_user_id else { return self.settle_unsent(op, is_file, no_chat()) };
        let client_id = self.new_client_id();
        let prefix = self.identity.outbox_prefix_of(end_user_id);
        let timeout_ms = self.config.send_timeout_ms;
        let kept = file.clone();
        let (page, prefix) = (&self.page_id, &prefix);
        let entry = NewEntry { client_id: client_id.clone(), chat_id, message, file, op, prefix, page, timeout_ms };
        let Some((key, value)) = self.outbox.push(entry, self.now_ms) else {
            let message = "The message cannot be written as JSON.";
            return self.settle_unsent(op, is_file, Error::new(ErrorCode::InvalidArgument, message));
        };
        if let Some(file) = kept {
            self.output(Output::KeepFile { key: key.clone(), file });
        }
        self.output(Output::Store { key, value });
        self.announce(&client_id, DeliveryState::Queued);
        self.presence.forget_preview();
        self.stop_typing();
    }

    /// Sends the next message of the outbox, where one may go.
    pub(crate) fn flush_outbox(&mut self) {
        if self.session.token().is_none() || self.tabs.is_settling() {
            return;
        }
        let Some(entry) = self.outbox.next_to_send(self.now_ms) else { return self.release_lock_if_unused() };
        let (own, queued_at_ms) = (entry.own, entry.queued_at_ms);
        if !self.may_flush(own, queued_at_ms) {
            return;
        }
        let Some(entry) = self.outbox.next_to_send(self.now_ms) else { return };
        entry.sending = true;
        let client_id = entry.client_id.clone();
        if planted!("planted-forgotten-before-answer") {
            let key = entry.key.clone();
            self.output(Output::Forget { key });
        }
        self.announce(&client_id, DeliveryState::Sending);
        self.post_message(&client_id);
    }

    /// Sends a message, or first asks for a place for its file.
    fn post_message(&mut self, client_id: &str) {
        let key = if planted!("planted-key-not-kept") { self.new_client_id() } else { client_id.to_owned() };
        let Some(entry) = self.outbox.get(client_id) else { return };
        let id = || Field::Text(key.clone());
        let kind = || Field::Text(entry.message.text("type").unwrap_or_default());
        let client_id = client_id.to_owned();
        let (purpose, path, body) = match entry.attachment {
            Attachment::None => {
                let body = vec![("client_id", id()), ("message", Field::Document(entry.message.clone()))];
                (Purpose::Post { client_id }, "/messages", body)
            }
            Attachment::Stored { media_id } => {
                let message = Field::Object(vec![("type", kind()), ("media_id", Field::Int(media_id as i64))]);
                (Purpose::Post { client_id }, "/messages", vec![("client_id", id()), ("message", message)])
            }
            Attachment::Pending(_) | Attachment::Uploading { .. } => {
                let file = entry.message.field(FILE_FIELD);
                let field =
                    |name| file.as_ref().and_then(|file| file.field(name)).map(|value| (name, Field::Document(value)));
                let body = [
                    Some(("client_id", id())),
                    Some(("type", kind())),
                    field("name"),
                    field("content_type"),
                    field("size"),
                ];
                (Purpose::Reserve { client_id }, "/uploads", body.into_iter().flatten().collect())
            }
        };
        let path = chat_path(entry.chat_id, path);
        self.request(purpose, Method::Post, path, Some(D::build(body)));
    }

    /// The gateway has, or refused, a place for a file.
    pub(crate) fn reserved(&mut self, client_id: &str, result: Result<Option<D>, Error>) {
        let body = match result {
            Ok(body) => body,
            Err(error) => return self.try_failed(client_id, error),
        };
        let Some(media_id) = body.as_ref().and_then(|body| body.count("media_id")) else {
            return self.try_failed(client_id, unreadable());
        };
        let Some(entry) = self.outbox.get_mut(client_id) else { return };
        let file = match &mut entry.attachment {
            Attachment::Pending(file) | Attachment::Uploading { file, .. } => file.take(),
            Attachment::None | Attachment::Stored { .. } => None,
        };
        let form = body.and_then(|body| body.field("upload"));
        match form.filter(|_| !planted!("planted-file-before-upload")) {
            Some(form) => {
                entry.attachment = Attachment::Uploading { file: file.clone(), media_id };
                let (key, op) = (entry.key.clone(), entry.op);
                self.output(Output::Upload { client_id: client_id.to_owned(), op, key, file, form });
            }
            // An earlier try got through.
            None => {
                entry.attachment = Attachment::Stored { media_id };
                self.post_message(client_id);
            }
        }
    }

    /// A file is with the gateway, or the try failed.
    pub(crate) fn uploaded(&mut self, client_id: &str, result: Result<(), Error>) {
        let Some(entry) = self.outbox.get_mut(client_id) else { return };
        let Attachment::Uploading { file, media_id } = &mut entry.attachment else { return };
        match result {
            Ok(()) => {
                entry.attachment = Attachment::Stored { media_id: *media_id };
                self.post_message(client_id);
            }
            Err(error) => {
                entry.attachment = Attachment::Pending(file.take());
                self.try_failed(client_id, error);
            }
        }
    }

    /// The gateway answered a send, or the try failed.
    pub(crate) fn posted(&mut self, client_id: &str, result: Result<Option<D>, Error>) {
        match result {
            Ok(body) => match body.and_then(|body| body.count("index")) {
                Some(index) => {
                    self.outbox.retry_at_ms = 0;
                    self.outbox_backoff.reset();
                    self.message_stored(client_id, index);
                }
                None => self.try_failed(client_id, unreadable()),
            },
            Err(error) => self.try_failed(client_id, error),
        }
    }

    /// Waits before the next try, or gives the message up where another one would end the same way.
    fn try_failed(&mut self, client_id: &str, error: Error) {
        // A try that timed out is only one try; the whole wait is limited by `send_timeout_ms`. What cannot be read is not the gateway's word,
        // and the message may be stored.
        let says_nothing =
            matches!(error.code, ErrorCode::Timeout | ErrorCode::AuthenticationFailed | ErrorCode::Protocol);
        if !may_retry(&error) && !says_nothing {
            return self.give_up_message(client_id, error);
        }
        let wait_ms = self.outbox_backoff.next_wait_ms(self.config.backoff, (self.entropy)());
        let wait_ms = wait_ms.max(error.retry_after_ms.map_or(0, |ms| spread_after(ms, (self.entropy)())));
        self.outbox.wait_until(self.now_ms.saturating_add(wait_ms), error.retry_after_ms.is_some());
        self.outbox.back_to_queue(client_id);
        self.announce(client_id, DeliveryState::Queued);
    }

    /// The gateway has the message: by its own answer, or because the stream brought it.
    fn message_stored(&mut self, client_id: &str, index: u64) {
        let Some((entry, key)) = self.outbox.remove(client_id) else { return };
        self.output(Output::Forget { key });
        self.emit_delivery(client_id, DeliveryState::Sent { index });
        if let Some(op) = entry.op {
            self.settle(op, Ok(Settled::Sent { index, client_id: client_id.to_owned() }));
        }
    }

    /// The message will not be sent any more.
    pub(crate) fn give_up_message(&mut self, client_id: &str, error: Error) {
        self.cancel_post(client_id);
        let Some((entry, key)) = self.outbox.remove(client_id) else { return };
        self.output(Output::Forget { key });
        self.emit_delivery(client_id, DeliveryState::Failed(error.clone()));
        if let Some(op) = entry.op {
            self.settle_unsent(op, entry.has_file(), error);
        }
    }

    /// A text rejects; a file answers with a failure value and an error event (seed 003), except where its caller abandoned it.
    fn settle_unsent(&mut self, op: OpId, is_file: bool, error: Error) {
        if !is_file || matches!(error.code, ErrorCode::Aborted | ErrorCode::Closed | ErrorCode::IdentityChanged) {
            return self.settle(op, Err(error));
        }
        self.emit(Event::Error(error));
        self.settle(op, Ok(Settled::NotSent));
    }

    /// Gives up every message of a chat.
    pub(crate) fn drop_messages_of(&mut self, chat_id: u64, error: &Error) {
        let clients: Vec<String> = self
            .outbox
            .entries()
            .filter(|entry| entry.chat_id == chat_id)
            .map(|entry| entry.client_id.clone())
            .collect();
        for client_id in clients {
            self.give_up_message(&client_id, error.clone());
        }
    }

    pub(crate) fn expire_messages(&mut self) {
        for client_id in self.outbox.overdue(self.now_ms) {
            let message = "The message could not be delivered in time and was given up.";
            self.give_up_message(&client_id, Error::new(ErrorCode::Timeout, message));
        }
    }

    /// Takes up a message that another page left behind.
    pub(crate) fn restore_message(&mut self, prefix: &str, key: &str, value: &str, is_older: bool) {
        if !self.outbox.restore(prefix, key, value, is_older, self.config.send_timeout_ms) {
            self.output(Output::Forget { key: key.to_owned() });
        } else if let Some(stored) = StoredKey::read(prefix, key) {
            self.announce(stored.client_id, DeliveryState::Queued);
        }
    }

    fn announce(&mut self, client_id: &str, state: DeliveryState) {
        if self.outbox.get(client_id).is_some() {
            self.emit_delivery(client_id, state);
        }
    }

    fn emit_delivery(&mut self, client_id: &str, state: DeliveryState) {
        self.emit(Event::Delivery(Delivery { client_id: client_id.to_owned(), state }));
    }

    /// Makes a chat the current one; gives its number and state, `None` where it cannot be read.
    pub(crate) fn attach(&mut self, state: D, from_start: bool) -> Option<(u64, D)> {
        let chat = Chat::read(state.clone())?;
        let id = chat.id;
        if self.chat.as_ref().is_some_and(|current| current.id == id) {
            self.update_chat(state);
        } else {
            self.detach();
            let cursor = if from_start { 0 } else { chat.last_index };
            self.timeline = Timeline::new(cursor, self.config.history_limit);
            self.output(Output::Chat(Some((id, state))));
            self.chat = Some(chat);
        }
        self.chat.as_ref().map(|chat| (id, chat.state.clone()))
    }

    /// Puts the current chat aside.
    pub(crate) fn detach(&mut self) {
        self.close_stream();
        self.presence.forget_preview();
        let Some(chat) = self.chat.take() else { return };
        let error = Error::new(ErrorCode::NoChat, "The chat was put aside during fetchMessages.");
        self.fail_requests(&error, |pending| pending.is_page_of(chat.id));
        self.timeline = Timeline::new(0, self.config.history_limit);
        self.releases = 0;
        self.set_unread(0);
        self.output(Output::Chat(None));
        if chat.connected && (!chat.ended || chat.is_followed) {
            self.emit(Event::ChatDisconnected);
        }
    }

    /// Takes over a newer state of the current chat, and tells who came and went.
    pub(crate) fn update_chat(&mut self, state: D) {
        let Some(chat) = self.chat.as_mut() else { return };
        let was_dismissed = chat.dismissed;
        let Some(changes) = chat.update(state.clone()) else { return };
        let (id, dismissed, resumed) = (chat.id, chat.dismissed, chat.connected && !chat.dismissed && !chat.finished);
        self.output(Output::Chat(Some((id, state))));
        self.emit(Event::ChatUpdated);
        match (was_dismissed, dismissed) {
            (false, true) => self.emit(Event::ChatDismissed),
            (true, false) if resumed => self.emit(Event::ChatConnected),
            _ => {}
        }
        for member in changes.left {
            self.member_typing(&member, false);
            self.emit(Event::MemberLeft(member));
        }
        for member in changes.joined {
            self.emit(Event::MemberJoined(member));
        }
    }

    /// Ends a finished chat for listeners, once they have seen its last message.
    pub(crate) fn end_chat_if_over(&mut self) {
        let Some(chat) = self.chat.as_mut() else { return };
        if chat.ended || !chat.finished || !self.timeline.has_shown(chat.last_index) {
            return;
        }
        chat.ended = true;
        let (id, connected, timed_out, is_followed) = (chat.id, chat.connected, chat.timed_out, chat.is_followed);
        self.drop_messages_of(id, &chat_ended());
        if !is_followed {
            self.close_stream();
        }
        if timed_out {
            self.emit(Event::ChatTimeout);
        }
        self.emit(Event::ChatEnded);
        if connected && !is_followed {
            self.emit(Event::ChatDisconnected);
        }
    }

    /// Takes in the messages of a frame; `false` where one is missing or unreadable and the stream must be resumed.
    pub(crate) fn take_messages(&mut self, messages: Vec<D>) -> bool {
        for message in messages {
            let Some(index) = message.count("$index") else { return false };
            match self.timeline.arrive(index, message.clone()) {
                Arrival::Show(message) => self.show(message),
                Arrival::Nothing => {}
                Arrival::Gap => return false,
            }
            if self.outbox.entries().next().is_some() {
                self.confirm_by_stream(&message, index);
            }
        }
        true
    }

    /// The stream can bring a message before, or instead of, the answer to its send.
    fn confirm_by_stream(&mut self, message: &D, index: u64) {
        if message.text("$userType").as_deref() != Some("end_user") {
            return;
        }
        let Some(client_id) = message.text("client_id") else { return };
        if self.outbox.get(&client_id).is_some() {
            self.cancel_post(&client_id);
            self.message_stored(&client_id, index);
        }
    }

    fn show(&mut self, message: D) {
        let kind = message.text("$userType").unwrap_or_default();
        if kind == "end_user" || kind == "system" {
            return self.emit(Event::Message(message));
        }
        let id = message.count("$userId").unwrap_or(0);
        if let Some(member) = self.chat.as_ref().and_then(|chat| chat.typist(&kind, id)) {
            self.member_typing(&member, false);
        }
        self.emit(Event::Message(message));
        self.set_unread(self.unread + 1);
    }

    /// Shows the messages that waited for a `fetchMessages`.
    pub(crate) fn show_released(&mut self) {
        while let Some(message) = self.timeline.next_released() {
            self.show(message);
        }
    }

    pub(crate) fn set_unread(&mut self, count: u64) {
        if self.unread != count {
            self.unread = count;
            self.emit(Event::Unread(count));
        }
    }

    /// A member types or stopped.
    pub(crate) fn member_typing(&mut self, member: &Member, typing: bool) {
        let is_news = self.chat.as_mut().is_some_and(|chat| chat.set_typing(member, typing));
        if is_news {
            let member = member.clone();
            self.emit(if typing { Event::TypingStarted(member) } else { Event::TypingEnded(member) });
        }
    }
}

pub(crate) fn chat_ended() -> Error {
    Error::new(ErrorCode::ChatEnded, "The chat is over.")
}

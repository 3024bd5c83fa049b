//! What the other side sees of the end user besides messages: that they type, what they have typed so far, and whether they look at the page
//! while they wait. Nothing here is kept or repeated after a break; what comes too often is thinned out.

use wire::{Document, ErrorCode, Field};

use super::calls::{Purpose, chat_path, no_chat};
use super::engine::Client;
use super::error::Error;
use super::messages::chat_ended;
use super::types::{Method, OpId, Output, Settled};

/// How often `typing` is repeated while the end user goes on typing; the gateway forgets it after twice that time.
const TYPING_REPEAT_MS: u64 = 5_000;

/// After this time without a key the end user no longer types.
const TYPING_IDLE_MS: u64 = 6_000;

/// The shortest time between two previews.
const PREVIEW_EVERY_MS: u64 = 2_000;

/// A longer preview goes by REST: a gateway takes only short frames.
const PREVIEW_FRAME_BYTES: usize = 1_000;

/// No gateway takes a longer text.
const PREVIEW_BYTES: usize = 65_536;

pub(crate) struct Presence {
    typing: Option<Typing>,
    /// The newest preview that is not sent yet.
    preview: Option<String>,
    preview_at_ms: u64,
    pub(crate) is_hidden: bool,
    /// What the gateway believes; `None` where that cannot be known.
    told_hidden: Option<bool>,
}

struct Typing {
    sent_at_ms: u64,
    until_ms: u64,
}

impl Presence {
    pub(crate) fn new() -> Self {
        Presence { typing: None, preview: None, preview_at_ms: 0, is_hidden: false, told_hidden: None }
    }

    pub(crate) fn stream_is_gone(&mut self) {
        self.typing = None;
    }

    /// A page that joins is taken for visible, unless what was said beside an earlier stream is still remembered.
    pub(crate) fn joined(&mut self, can_speak: bool) {
        self.told_hidden = can_speak.then_some(false);
    }

    /// What was typed so far is sent, or belongs to another chat.
    pub(crate) fn forget_preview(&mut self) {
        self.preview = None;
    }

    pub(crate) fn next_timeout_ms(&self, is_joined: bool) -> Option<u64> {
        let typing = self.typing.as_ref().map(|typing| typing.until_ms);
        let preview = self.preview.as_ref().filter(|_| is_joined).map(|_| self.preview_at_ms);
        [typing, preview].into_iter().flatten().min()
    }
}

impl<D: Document> Client<D> {
    pub(crate) fn start_typing(&mut self) {
        if !self.connection.is_joined() {
            return;
        }
        let until_ms = self.now_ms.saturating_add(TYPING_IDLE_MS);
        let repeat_from_ms = self.now_ms.saturating_sub(TYPING_REPEAT_MS);
        match &mut self.presence.typing {
            Some(typing) if typing.sent_at_ms > repeat_from_ms => typing.until_ms = until_ms,
            _ => {
                self.presence.typing = Some(Typing { sent_at_ms: self.now_ms, until_ms });
                self.say("typing", "typing", Field::Flag(true), true);
            }
        }
    }

    pub(crate) fn stop_typing(&mut self) {
        if self.presence.typing.take().is_some() {
            self.say("typing", "typing", Field::Flag(false), true);
        }
    }

    /// Shows what was typed so far: now, or when the time has come, unless something newer takes its place.
    pub(crate) fn preview(&mut self, op: OpId, content: String) {
        let features = |state: &D| state.field("features").and_then(|features| features.items()).unwrap_or_default();
        let has_it =
            |state: &D| features(state).iter().any(|feature| feature.as_text().is_some_and(|it| it == "preview"));
        let refused = match &self.chat {
            None => Some(no_chat()),
            Some(chat) if chat.finished => Some(chat_ended()),
            Some(chat) if !has_it(&chat.state) => {
                Some(Error::new(ErrorCode::Unsupported, "This chat has no message preview: see its features."))
            }
            Some(_) if content.len() > PREVIEW_BYTES => {
                Some(Error::new(ErrorCode::TooLarge, "The preview is longer than any message may be."))
            }
            Some(_) => None,
        };
        if refused.is_none() {
            self.presence.preview = Some(content);
            self.send_preview_if_due();
        }
        self.settle(op, refused.map_or(Ok(Settled::Done), Err));
    }

    fn send_preview_if_due(&mut self) {
        if self.now_ms >= self.presence.preview_at_ms
            && self.connection.is_joined()
            && let Some(content) = self.presence.preview.take()
        {
            self.presence.preview_at_ms = self.now_ms.saturating_add(PREVIEW_EVERY_MS);
            let is_short = content.len() <= PREVIEW_FRAME_BYTES;
            self.say("preview", "content", Field::Text(content), is_short);
        }
    }

    /// Says whether the end user looks at the page, where that matters: while they wait, and when they are back.
    pub(crate) fn tell_visibility(&mut self) {
        let (hidden, told) = (self.presence.is_hidden, self.presence.told_hidden);
        let waits = self.chat.as_ref().is_some_and(|chat| chat.queued);
        if told != Some(hidden) && (waits || told == Some(true)) && self.connection.is_joined() {
            self.presence.told_hidden = Some(hidden);
            self.say("visibility", "visible", Field::Flag(!hidden), true);
        }
    }

    pub(crate) fn expire_presence(&mut self) {
        if self.presence.typing.as_ref().is_some_and(|typing| typing.until_ms <= self.now_ms) {
            self.stop_typing();
        }
        self.send_preview_if_due();
    }

    /// A frame with one field, or the same by REST.
    fn say(&mut self, kind: &str, name: &'static str, value: Field<D>, by_frame: bool) {
        let Some(chat) = self.chat.as_ref().filter(|_| self.connection.is_joined()) else { return };
        match self.connection.voice().filter(|_| by_frame) {
            Some(stream) => {
                let frame = D::build(vec![("type", Field::Text(kind.to_owned())), (name, value)]);
                self.output(Output::SendFrame { stream, frame });
            }
            None => {
                let path = chat_path(chat.id, &["/", kind].concat());
                self.request(Purpose::Quiet, Method::Post, path, Some(D::build(vec![(name, value)])));
            }
        }
    }
}

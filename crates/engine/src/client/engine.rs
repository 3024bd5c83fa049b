//! The client engine itself: takes one input, lets the part it belongs to act, then lets connection, outbox and chat draw their
//! conclusions. Owns all state; the parts are its methods in the neighbouring files.

use std::collections::VecDeque;

use wire::{Document, ErrorCode};

use super::backoff::Backoff;
use super::calls::{Creation, Pending};
use super::chat::Chat;
use super::connection::Connection;
use super::error::Error;
use super::identity::{Identity, random_text};
use super::outbox::{Delivery, DeliveryState, Outbox};
use super::presence::Presence;
use super::session::Session;
use super::tabs::Tabs;
use super::timeline::Timeline;
use super::types::{Config, ConnectionState, Event, Input, OpId, Output, RequestId, Settled};

/// Characters of a page's name among the pages of its end user: 60 random bits.
const PAGE_ID_LENGTH: usize = 10;

/// The client's logic. See the module's documentation for how to drive it.
pub struct Client<D> {
    pub(crate) config: Config,
    pub(crate) entropy: Box<dyn FnMut() -> u64>,
    pub(crate) page_id: String,
    pub(crate) now_ms: u64,
    pub(crate) outputs: VecDeque<Output<D>>,
    pub(crate) identity: Identity,
    pub(crate) session: Session,
    pub(crate) requests: Vec<Pending<D>>,
    pub(crate) last_request: RequestId,
    pub(crate) chat: Option<Chat<D>>,
    pub(crate) timeline: Timeline<D>,
    /// Calls of `fetchMessages` that returned and whose hold the next tick ends.
    pub(crate) releases: u32,
    pub(crate) outbox: Outbox<D>,
    pub(crate) outbox_backoff: Backoff,
    pub(crate) connection: Connection,
    pub(crate) presence: Presence,
    pub(crate) tabs: Tabs,
    /// The last `createChat` while no answer came.
    pub(crate) unanswered_creation: Option<Creation>,
    pub(crate) unread: u64,
    pub(crate) closed: bool,
    storage_failed: bool,
}

impl<D: Document> Client<D> {
    /// A client that has not begun; say [`Input::Start`] first. `entropy` gives 64 unpredictable bits a call.
    #[must_use]
    pub fn new(config: Config, mut entropy: Box<dyn FnMut() -> u64>) -> Self {
        Client {
            page_id: random_text(PAGE_ID_LENGTH, &mut *entropy),
            identity: Identity::new(&config.gateway, &config.company_id),
            timeline: Timeline::new(0, config.history_limit),
            config,
            entropy,
            now_ms: 0,
            outputs: VecDeque::new(),
            session: Session::new(),
            requests: Vec::new(),
            last_request: 0,
            chat: None,
            releases: 0,
            outbox: Outbox::new(),
            outbox_backoff: Backoff::default(),
            connection: Connection::new(),
            presence: Presence::new(),
            tabs: Tabs::new(),
            unanswered_creation: None,
            unread: 0,
            closed: false,
            storage_failed: false,
        }
    }

    /// What is to be done next; `None` until the next input.
    pub fn poll(&mut self) -> Option<Output<D>> {
        self.outputs.pop_front()
    }

    /// When [`Input::Tick`] is due, in the time of [`Client::handle`].
    #[must_use]
    pub fn next_timeout_ms(&self) -> Option<u64> {
        if self.closed {
            return None;
        }
        let release = (self.releases > 0).then_some(self.now_ms);
        let can_send = self.session.token().is_some() && !self.tabs.is_waiting();
        [
            release,
            self.session.next_timeout_ms(),
            self.connection.next_timeout_ms(),
            self.presence.next_timeout_ms(self.connection.is_joined()),
            self.next_request_timeout_ms(),
            self.outbox.next_timeout_ms(can_send, self.now_ms),
            self.tabs.next_timeout_ms(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Names this page among the pages that share its storage; the driver holds a lock with this name for as long as the page lives, so that
    /// [`Input::Locked`] can tell.
    #[must_use]
    pub fn page_id(&self) -> &str {
        &self.page_id
    }

    /// Messages of agents and virtual agents since the end user last saw the chat.
    #[must_use]
    pub fn unread(&self) -> u64 {
        self.unread
    }

    /// How the connection stands.
    #[must_use]
    pub fn connection(&self) -> ConnectionState {
        self.connection.state()
    }

    /// The bodies of the current chat's messages that are kept, in index order.
    #[must_use]
    pub fn messages(&self) -> Vec<D> {
        self.timeline.bodies()
    }

    /// The messages on their way, in order, each with its body.
    #[must_use]
    pub fn outbox(&self) -> Vec<(Delivery, D)> {
        let delivery = |sending: bool| if sending { DeliveryState::Sending } else { DeliveryState::Queued };
        self.outbox
            .entries()
            .map(|entry| {
                (Delivery { client_id: entry.client_id.clone(), state: delivery(entry.sending) }, entry.message.clone())
            })
            .collect()
    }

    /// Takes one input in. `now_ms` is any clock that never goes back; call [`Client::poll`] until it returns `None` afterwards.
    pub fn handle(&mut self, input: Input<D>, now_ms: u64) {
        self.now_ms = self.now_ms.max(now_ms);
        if self.closed {
            if let Input::Call { op, .. } = input {
                self.settle(op, Err(closed()));
            }
            return;
        }
        self.dispatch(input);
        if !self.closed {
            self.flush_outbox();
            self.end_chat_if_over();
            self.drive_connection();
            self.tell_visibility();
        }
    }

    fn dispatch(&mut self, input: Input<D>) {
        match input {
            Input::Start => {
                let prefix = self.identity.secret_key();
                self.output(Output::Load { prefix });
            }
            Input::Loaded { prefix, entries } => {
                if prefix == self.identity.secret_key() {
                    self.loaded_secret(entries);
                } else {
                    self.loaded_outbox(&prefix, entries);
                }
            }
            Input::StorageFailed => self.storage_failed(),
            Input::Token(token) => self.handle_token(token),
            Input::Call { op, call } => self.handle_call(op, call),
            Input::Abort { op } => self.handle_abort(op),
            Input::Typing(true) => self.start_typing(),
            Input::Typing(false) => self.stop_typing(),
            Input::Hidden(hidden) => self.presence.is_hidden = hidden,
            Input::Planned { request, plan } => self.planned(request, plan),
            Input::MarkRead => self.set_unread(0),
            Input::Detach => self.detach(),
            Input::HttpDone { request, response } => self.handle_http(request, response),
            Input::StreamOpened { stream } => self.stream_opened(stream),
            Input::StreamFrame { stream, frame } => self.stream_frame(stream, frame),
            Input::StreamClosed { stream, code } => self.stream_closed(stream, code),
            Input::Locked { pages } => self.locked(pages),
            Input::Uploaded { client_id, result } => self.uploaded(&client_id, result),
            Input::Wake => self.wake(),
            Input::Doubt => self.probe_connection(),
            Input::Tick => self.tick(),
            Input::Close => self.close(),
        }
    }

    fn tick(&mut self) {
        for _ in 0..std::mem::take(&mut self.releases) {
            self.timeline.release();
        }
        self.show_released();
        self.renew_session_if_due();
        self.expire_requests();
        self.expire_messages();
        self.expire_connection();
        self.expire_presence();
        self.expire_tabs();
    }

    fn wake(&mut self) {
        self.outbox.hurry();
        self.look_for_orphans_anew();
        self.wake_connection();
        if self.session.token().is_none() {
            self.ensure_session();
        }
    }

    /// Storage only carries what was typed offline over a reload: without it everything else goes on, and it is said once.
    fn storage_failed(&mut self) {
        self.look_again_later();
        if !std::mem::replace(&mut self.storage_failed, true) {
            let message = "The browser's storage is refused or full: unsent messages and an anonymous end user do not survive a reload.";
            self.emit(Event::Error(Error::new(ErrorCode::StorageUnavailable, message)));
        }
    }

    /// What is in storage stays there: a later page takes it up.
    fn close(&mut self) {
        self.close_stream();
        let messages: Vec<(String, Option<OpId>)> =
            self.outbox.entries().map(|entry| (entry.client_id.clone(), entry.op)).collect();
        for (client_id, op) in messages {
            self.cancel_post(&client_id);
            if let Some(op) = op {
                self.settle(op, Err(closed()));
            }
        }
        self.outbox = Outbox::new();
        self.release_lock();
        self.fail_requests(&closed(), |_| true);
        self.closed = true;
    }

    pub(crate) fn output(&mut self, output: Output<D>) {
        self.outputs.push_back(output);
    }

    pub(crate) fn emit(&mut self, event: Event<D>) {
        self.output(Output::Emit(event));
    }

    pub(crate) fn settle(&mut self, op: OpId, result: Result<Settled<D>, Error>) {
        self.output(Output::Settle { op, result });
    }
}

fn closed() -> Error {
    Error::new(ErrorCode::Closed, "The client is closed.")
}

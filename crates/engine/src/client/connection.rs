//! The life of the event stream: when one is wanted, opening and joining it, noticing that it is dead, and coming back. One stream carries
//! the current chat; its cursor is the timeline's. Where WebSockets do not get through, server-sent events carry it.

use wire::{Document, ErrorCode, Field, close};

use super::backoff::{Backoff, spread_ms};
use super::chat::Member;
use super::engine::Client;
use super::error::Error;
use super::types::{ConnectionState, Event, Output, StreamId, Transport};

/// So many WebSockets in a row that did not join, on a page where one did, are more than an outage of the gateway.
const WEBSOCKET_TRIES: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not open; the next drive opens it where one is wanted.
    Down,
    /// Not open before this time; the gateway asked for it, or it is our own caution.
    Waiting { until_ms: u64, asked: bool },
    /// On its way; given up at the deadline.
    Opening { stream: StreamId, deadline_ms: u64 },
    /// Joined; dead where nothing is heard until the deadline.
    Joined { stream: StreamId, heard_ms: u64, deadline_ms: u64, heartbeat_ms: u64 },
    /// Refused for good: a new chat or a new session may change that.
    Refused,
}

pub(crate) struct Connection {
    phase: Phase,
    backoff: Backoff,
    last_stream: StreamId,
    announced: ConnectionState,
    /// The token that the stream was joined with.
    joined_with: String,
    transport: Transport,
    /// WebSockets in a row that did not join.
    websocket_failures: u32,
    /// So many of them are a reason to try server-sent events.
    websocket_tries: u32,
}

impl Connection {
    pub(crate) fn new() -> Self {
        Connection {
            phase: Phase::Down,
            backoff: Backoff::default(),
            last_stream: 0,
            announced: ConnectionState::Idle,
            joined_with: String::new(),
            transport: Transport::WebSocket,
            websocket_failures: 0,
            websocket_tries: 1,
        }
    }

    pub(crate) fn state(&self) -> ConnectionState {
        self.announced
    }

    pub(crate) fn stream(&self) -> Option<StreamId> {
        match self.phase {
            Phase::Opening { stream, .. } | Phase::Joined { stream, .. } => Some(stream),
            Phase::Down | Phase::Waiting { .. } | Phase::Refused => None,
        }
    }

    /// The stream that speaks for the client, where it can.
    pub(crate) fn voice(&self) -> Option<StreamId> {
        self.stream().filter(|_| self.transport == Transport::WebSocket)
    }

    pub(crate) fn is_joined(&self) -> bool {
        matches!(self.phase, Phase::Joined { .. })
    }

    pub(crate) fn next_timeout_ms(&self) -> Option<u64> {
        match self.phase {
            Phase::Waiting { until_ms, .. } => Some(until_ms),
            Phase::Opening { deadline_ms, .. } | Phase::Joined { deadline_ms, .. } => Some(deadline_ms),
            Phase::Down | Phase::Refused => None,
        }
    }
}

/// A random moment of the time that the gateway asked for, so that its clients do not return all at once.
pub(crate) fn spread_after(retry_after_ms: u64, entropy: u64) -> u64 {
    spread_ms(retry_after_ms, retry_after_ms.saturating_add(retry_after_ms / 2), entropy)
}

impl<D: Document> Client<D> {
    /// Opens the stream where one is wanted and due, and closes it where none is wanted.
    pub(crate) fn drive_connection(&mut self) {
        let wanted = self.chat.as_ref().is_some_and(|chat| !chat.ended || chat.is_followed);
        if !wanted {
            self.close_stream();
        } else if matches!(self.connection.phase, Phase::Down) && self.session.token().is_some() {
            self.connection.last_stream = self.connection.last_stream.wrapping_add(1);
            let stream = self.connection.last_stream;
            let deadline_ms = self.now_ms.saturating_add(self.config.connect_timeout_ms);
            self.connection.phase = Phase::Opening { stream, deadline_ms };
            let transport = self.choose_transport();
            self.connection.transport = transport;
            self.output(Output::OpenStream { stream, transport });
        }
        let state = match self.connection.phase {
            Phase::Joined { .. } => ConnectionState::Online,
            Phase::Opening { .. } => ConnectionState::Connecting,
            Phase::Down if !wanted => ConnectionState::Idle,
            Phase::Down => ConnectionState::Connecting,
            Phase::Waiting { until_ms, .. } if until_ms <= self.now_ms => ConnectionState::Connecting,
            Phase::Waiting { .. } | Phase::Refused => ConnectionState::Offline,
        };
        if state != self.connection.announced {
            self.connection.announced = state;
            self.emit(Event::Connection(state));
        }
    }

    /// Server-sent events where WebSockets failed, and a WebSocket again where those fail too: it may be the gateway after all.
    fn choose_transport(&self) -> Transport {
        let enough = self.connection.websocket_failures >= self.connection.websocket_tries;
        if enough && self.config.server_sent_events { Transport::ServerSentEvents } else { Transport::WebSocket }
    }

    /// A stream ended for no reason that was told: learns from it how to carry the next.
    fn learn_transport(&mut self) {
        let connection = &mut self.connection;
        match (connection.transport, connection.phase) {
            (Transport::WebSocket, Phase::Opening { .. }) => connection.websocket_failures += 1,
            // Server-sent events that worked go on where no WebSocket ever did.
            (Transport::ServerSentEvents, Phase::Joined { .. }) if connection.websocket_tries == 1 => {}
            (Transport::ServerSentEvents, _) => connection.websocket_failures = connection.websocket_tries - 1,
            (Transport::WebSocket, _) => {}
        }
    }

    /// Closes the stream and forgets its troubles.
    pub(crate) fn close_stream(&mut self) {
        if let Some(stream) = self.connection.stream() {
            self.output(Output::CloseStream { stream });
        }
        self.end_all_typing();
        self.connection.phase = Phase::Down;
        self.connection.backoff.reset();
    }

    pub(crate) fn stream_opened(&mut self, stream: StreamId) {
        if self.connection.stream() != Some(stream) || self.connection.is_joined() {
            return;
        }
        let (Some(token), Some(chat)) = (self.session.token(), self.chat.as_ref()) else {
            return self.drop_stream(0);
        };
        self.connection.joined_with = token.to_owned();
        let mut cursor = self.timeline.cursor() + u64::from(planted!("planted-resume-off-by-one"));
        if planted!("planted-resumed-from-zero") {
            cursor = 0;
        }
        let frame = vec![
            ("type", Field::Text("join".to_owned())),
            ("token", Field::Text(token.to_owned())),
            ("chat_id", Field::Int(chat.id as i64)),
            ("cursor", Field::Int(cursor as i64)),
        ];
        self.output(Output::SendFrame { stream, frame: D::build(frame) });
    }

    pub(crate) fn stream_frame(&mut self, stream: StreamId, frame: Option<D>) {
        if self.connection.stream() != Some(stream) {
            return;
        }
        if let Phase::Joined { heard_ms, deadline_ms, heartbeat_ms, .. } = &mut self.connection.phase {
            *heard_ms = self.now_ms;
            *deadline_ms = silence_deadline(self.now_ms, *heartbeat_ms);
        }
        let kind = frame.as_ref().and_then(|frame| frame.text("type"));
        if planted!("planted-gap-ignored") && frame.is_none() {
            return;
        }
        let (Some(frame), Some(kind)) = (frame, kind) else { return self.unreadable_frame() };
        match kind.as_str() {
            "joined" => self.joined(stream, &frame),
            "update" => {
                let messages = frame.field("messages").and_then(|messages| messages.items()).unwrap_or_default();
                if !self.take_messages(messages) {
                    return self.unreadable_frame();
                }
                if let Some(state) = frame.field("chat") {
                    self.update_chat(state);
                }
            }
            "typing" => {
                if let Some(member) = frame.field("member").as_ref().and_then(Member::read) {
                    self.member_typing(&member, frame.flag("typing").unwrap_or(false));
                }
            }
            "ping" if self.connection.voice().is_some() => self
                .output(Output::SendFrame { stream, frame: D::build(vec![("type", Field::Text("pong".to_owned()))]) }),
            "closing" => {
                let window_ms = frame.count("retry_after_ms").unwrap_or(0);
                let wait_ms = spread_ms(0, window_ms, (self.entropy)());
                self.drop_stream(wait_ms);
            }
            "error" => {
                let code =
                    frame.text("code").and_then(|code| ErrorCode::from_text(&code)).unwrap_or(ErrorCode::Protocol);
                let message = frame.text("message").unwrap_or_default();
                let error = Error { retry_after_ms: frame.count("retry_after_ms"), ..Error::new(code, &message) };
                self.stream_refused(error);
            }
            // A kind of a newer gateway.
            _ => {}
        }
    }

    fn joined(&mut self, stream: StreamId, frame: &D) {
        let (Some(cursor), Some(heartbeat_ms), Some(state)) =
            (frame.count("cursor"), frame.count("heartbeat_ms"), frame.field("chat"))
        else {
            return self.unreadable_frame();
        };
        let deadline_ms = silence_deadline(self.now_ms, heartbeat_ms);
        self.connection.phase = Phase::Joined { stream, heard_ms: self.now_ms, deadline_ms, heartbeat_ms };
        self.connection.backoff.reset();
        self.presence.joined(self.connection.transport == Transport::WebSocket);
        if self.connection.transport == Transport::WebSocket {
            self.connection.websocket_failures = 0;
            self.connection.websocket_tries = WEBSOCKET_TRIES;
        }
        if cursor < self.timeline.cursor() && !planted!("planted-rewind-ignored") {
            self.timeline.rewind(cursor);
            let message = "The gateway has lost the newest messages of this chat; what follows replaces them.";
            self.emit(Event::Error(Error::new(ErrorCode::Protocol, message)));
        }
        self.update_chat(state);
        let first = self.chat.as_mut().is_some_and(|chat| !std::mem::replace(&mut chat.connected, true));
        self.emit(if first { Event::ChatConnected } else { Event::ChatReconnected });
        // What waited for the network goes now, not when its own wait is over.
        self.outbox.hurry();
        self.look_for_orphans_anew();
    }

    pub(crate) fn stream_closed(&mut self, stream: StreamId, code: u16) {
        if self.connection.stream() != Some(stream) {
            return;
        }
        let refusal = match code {
            close::UNAUTHORIZED => ErrorCode::Unauthorized,
            close::FORBIDDEN => ErrorCode::Forbidden,
            close::NOT_FOUND => ErrorCode::NotFound,
            _ => {
                self.learn_transport();
                return self.drop_stream(0);
            }
        };
        self.stream_refused(Error::new(refusal, "The gateway closed the event stream."));
    }

    /// The gateway said why it closes the stream.
    fn stream_refused(&mut self, error: Error) {
        match error.code {
            ErrorCode::Unauthorized | ErrorCode::TokenExpired => {
                let refused = std::mem::take(&mut self.connection.joined_with);
                self.drop_stream(0);
                self.invalidate_session(&refused);
            }
            ErrorCode::NotFound | ErrorCode::Forbidden | ErrorCode::OriginForbidden => {
                self.drop_stream(0);
                self.connection.phase = Phase::Refused;
                self.emit(Event::Error(error));
            }
            _ => {
                let wait_ms = error.retry_after_ms.map_or(0, |ms| spread_after(ms, (self.entropy)()));
                self.drop_stream(wait_ms);
            }
        }
    }

    fn unreadable_frame(&mut self) {
        self.drop_stream(0);
        self.emit(Event::Error(Error::new(
            ErrorCode::Protocol,
            "A frame of the event stream cannot be read; resuming.",
        )));
    }

    /// Gives the stream up and waits: by its own backoff, and at least as long as was asked for.
    fn drop_stream(&mut self, least_ms: u64) {
        if let Some(stream) = self.connection.stream() {
            self.output(Output::CloseStream { stream });
        }
        self.end_all_typing();
        let wait_ms = self.connection.backoff.next_wait_ms(self.config.backoff, (self.entropy)()).max(least_ms);
        let until_ms = self.now_ms.saturating_add(wait_ms);
        let waiting = Phase::Waiting { until_ms, asked: least_ms > 0 };
        self.connection.phase = if wait_ms == 0 { Phase::Down } else { waiting };
    }

    fn end_all_typing(&mut self) {
        self.presence.stream_is_gone();
        let members = self.chat.as_mut().map(|chat| chat.clear_typing()).unwrap_or_default();
        for member in members {
            self.emit(Event::TypingEnded(member));
        }
    }

    /// The page is awake or the network back: a wait is over, and a stream must show that it lives.
    pub(crate) fn wake_connection(&mut self) {
        match self.connection.phase {
            Phase::Waiting { asked: false, .. } | Phase::Refused => self.connection.phase = Phase::Down,
            _ => self.probe_connection(),
        }
    }

    /// Gives a stream little time to say something. One that was silent for more than a heartbeat, or that cannot be asked, is opened anew.
    pub(crate) fn probe_connection(&mut self) {
        let Phase::Joined { stream, heard_ms, deadline_ms, heartbeat_ms } = &mut self.connection.phase else { return };
        let until_ms = self.now_ms.saturating_add(self.config.probe_timeout_ms);
        let is_silent = self.now_ms.saturating_sub(*heard_ms) > heartbeat_ms.saturating_mul(3) / 2;
        if is_silent || self.connection.transport == Transport::ServerSentEvents {
            self.drop_stream(0);
        } else if until_ms < *deadline_ms {
            *deadline_ms = until_ms;
            let stream = *stream;
            self.output(Output::SendFrame { stream, frame: D::build(vec![("type", Field::Text("ping".to_owned()))]) });
        }
    }

    pub(crate) fn expire_connection(&mut self) {
        match self.connection.phase {
            Phase::Waiting { until_ms, .. } if until_ms <= self.now_ms => self.connection.phase = Phase::Down,
            Phase::Joined { .. } if planted!("planted-silence-unnoticed") => {}
            Phase::Opening { deadline_ms, .. } | Phase::Joined { deadline_ms, .. } if deadline_ms <= self.now_ms => {
                self.learn_transport();
                self.drop_stream(0);
            }
            _ => {}
        }
    }
}

/// A healthy stream says something at least every `heartbeat_ms` (`docs/protocol.md`).
fn silence_deadline(now_ms: u64, heartbeat_ms: u64) -> u64 {
    now_ms.saturating_add(heartbeat_ms.saturating_mul(5) / 2)
}

//! The network between browsers and the gateway. Requests are lost, hang, arrive twice or late and overtake each other; answers too are lost
//! or cut. A stream is one TCP connection: its frames keep their order in each direction, until it is cut, or goes on half open with nobody
//! told.

use engine::client::{Input, Method, Request, Response, StreamId, Transport};

use wire::Document;

use crate::document::Doc;
use crate::faults::Fault;
use crate::gateway::{GatewayEnd, ReplyTo};
use crate::world::{Happening, World};

/// A stream's connection; the network's own number.
pub(crate) type ConnectionId = u64;

/// The close code of a connection that ended without a farewell.
const ABNORMAL: u16 = 1006;

/// What arrives at the browser's end.
pub(crate) enum Down {
    Opened,
    /// `None` where it is mutilated.
    Frame(Option<Doc>),
    Closed(u16),
}

/// What arrives at the gateway's end.
pub(crate) enum Up {
    Frame(Doc),
    Closed,
}

/// An event stream's connection.
pub(crate) struct Connection {
    pub(crate) tab: usize,
    pub(crate) page: u32,
    pub(crate) stream: StreamId,
    /// When each direction's last frame arrives: the next does not overtake it.
    up_free_ms: u64,
    down_free_ms: u64,
    /// Whatever is put on it from now on disappears.
    pub(crate) dead: bool,
    /// The browser has closed it, or was told that it is closed.
    browser_gone: bool,
    /// A WebSocket; otherwise the browser says `join` and nothing more.
    two_way: bool,
    pub(crate) gateway_end: GatewayEnd,
}

/// The way between one browser and the gateway.
#[derive(Clone, Copy, Default)]
pub(crate) struct Link {
    pub(crate) up_blocked_until_ms: u64,
    pub(crate) down_blocked_until_ms: u64,
    pub(crate) offline: bool,
    pub(crate) no_websockets_until_ms: u64,
}

impl World {
    pub(crate) fn link(&self, tab: usize) -> Link {
        self.profiles[self.tabs[tab].profile].link
    }

    fn latency_ms(&mut self) -> u64 {
        1 + self.random.below(40)
    }

    pub(crate) fn way_up_ms(&mut self, tab: usize) -> u64 {
        self.latency_ms() + self.link(tab).up_blocked_until_ms.saturating_sub(self.now_ms)
    }

    pub(crate) fn way_down_ms(&mut self, tab: usize) -> u64 {
        self.latency_ms() + self.link(tab).down_blocked_until_ms.saturating_sub(self.now_ms)
    }

    /// A page sends a request.
    pub(crate) fn send_request(&mut self, tab: usize, request: Request<Doc>) {
        let reply_to = ReplyTo { tab, page: self.tabs[tab].page, request: request.id };
        self.last_request += 1;
        let sequence = self.last_request;
        if self.link(tab).offline || self.strikes(Fault::RequestLost) {
            let ms = self.latency_ms();
            return self.later(ms, Happening::AnswerArrives { reply_to, response: None });
        }
        if self.strikes(Fault::RequestHangs) {
            return;
        }
        let mut ms = self.way_up_ms(tab);
        if self.strikes(Fault::RequestDelayed) {
            ms += self.random.between(500, 8_000);
        }
        // Proxies repeat what they may believe to be safe, and a few what is not.
        if self.strikes(Fault::RequestDuplicated) {
            let copy_ms = ms + self.random.between(0, 12_000);
            self.later(copy_ms, Happening::RequestArrives { reply_to: None, sequence, request: request.clone() });
        }
        self.later(ms, Happening::RequestArrives { reply_to: Some(reply_to), sequence, request });
    }

    pub(crate) fn request_arrives(&mut self, reply_to: Option<ReplyTo>, sequence: u64, request: Request<Doc>) {
        if let Some(ReplyTo { tab, .. }) = reply_to {
            let newest = self.tabs[tab].newest_arrived;
            if sequence < newest {
                self.count(Fault::RequestReordered);
            }
            self.tabs[tab].newest_arrived = newest.max(sequence);
        }
        if !self.gateway.listens {
            self.count(Fault::RequestRefused);
            return self.answer_quietly(reply_to, None);
        }
        if self.strikes(Fault::ProxyError) {
            // Also a page of its own in place of the answer.
            let status = if request.id.is_multiple_of(3) { 200 } else { 502 };
            return self.answer_quietly(reply_to, Some(Response { status, retry_after_ms: None, body: None }));
        }
        let refusal = if self.strikes(Fault::RateLimited) {
            Some((429, "rate_limited"))
        } else if self.strikes(Fault::Overloaded) {
            Some((503, "unavailable"))
        } else {
            None
        };
        if let Some((status, code)) = refusal {
            let retry_after_ms = 1000 * self.random.between(1, 8);
            let error = Doc::object(vec![
                ("code", Doc::string(code)),
                ("message", Doc::string("Wait.")),
                ("retry_after_ms", Doc::number(retry_after_ms)),
            ]);
            let body = Some(Doc::object(vec![("error", error)]));
            return self
                .answer_quietly(reply_to, Some(Response { status, retry_after_ms: Some(retry_after_ms), body }));
        }
        self.serve(reply_to, request);
    }

    /// The gateway answers.
    pub(crate) fn answer(&mut self, reply_to: Option<ReplyTo>, response: Response<Doc>) {
        if reply_to.is_none() {
            return;
        }
        if self.strikes(Fault::AnswerHangs) {
            return;
        }
        if self.strikes(Fault::AnswerLost) {
            return self.answer_quietly(reply_to, None);
        }
        if self.strikes(Fault::AnswerTruncated) {
            // The browser notices, or what it has is no JSON.
            let is_noticed = reply_to.is_some_and(|to| to.request.is_multiple_of(2));
            let rest = Response { body: None, ..response };
            return self.answer_quietly(reply_to, (!is_noticed).then_some(rest));
        }
        self.answer_quietly(reply_to, Some(response));
    }

    /// An answer that arrives.
    pub(crate) fn answer_quietly(&mut self, reply_to: Option<ReplyTo>, response: Option<Response<Doc>>) {
        let Some(reply_to) = reply_to else { return };
        let ms = self.way_down_ms(reply_to.tab);
        self.later(ms, Happening::AnswerArrives { reply_to, response });
    }

    /// A page opens a stream.
    pub(crate) fn open_stream(&mut self, tab: usize, stream: StreamId, transport: Transport) {
        self.last_connection += 1;
        let connection = self.last_connection;
        let page = self.tabs[tab].page;
        self.tabs[tab].stream = Some((stream, connection));
        let link = self.link(tab);
        let two_way = transport == Transport::WebSocket;
        let blocked = two_way && link.no_websockets_until_ms > self.now_ms;
        if !two_way {
            self.count(Fault::ServerSentEvents);
        }
        let refused = link.offline || blocked || self.strikes(Fault::StreamRefused);
        self.connections.insert(
            connection,
            Connection {
                tab,
                page,
                stream,
                up_free_ms: self.now_ms,
                down_free_ms: self.now_ms,
                dead: refused,
                browser_gone: false,
                two_way,
                gateway_end: GatewayEnd::new(self.gateway.life),
            },
        );
        let mut ms = self.way_up_ms(tab) + self.way_down_ms(tab);
        if refused {
            return self.later(ms.min(50), Happening::Down { connection, down: Down::Closed(ABNORMAL) });
        }
        if self.strikes(Fault::StreamSlow) {
            ms += self.random.between(1_000, 15_000);
        }
        self.later(ms, Happening::Down { connection, down: Down::Opened });
    }

    /// A page says something on its stream.
    pub(crate) fn send_up(&mut self, connection: ConnectionId, frame: Doc) {
        let Some(entry) = self.connections.get(&connection) else { return };
        let is_heard = entry.two_way || frame.text("type").as_deref() == Some("join");
        let is_open = !entry.dead && !entry.browser_gone;
        if !is_heard {
            // The real one would open another stream for it.
            self.wrong(format!("the client says {:?} on server-sent events", frame.text("type")));
        } else if is_open {
            self.put_up(connection, Up::Frame(frame));
        }
    }

    fn put_up(&mut self, connection: ConnectionId, up: Up) {
        let Some(tab) = self.connections.get(&connection).map(|entry| entry.tab) else { return };
        let at_ms = self.now_ms + self.way_up_ms(tab);
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let at_ms = at_ms.max(entry.up_free_ms);
        entry.up_free_ms = at_ms;
        self.agenda.plan(at_ms, Happening::Up { connection, up });
    }

    /// The gateway says something on a stream.
    pub(crate) fn send_down(&mut self, connection: ConnectionId, frame: Doc) {
        let is_alive = self.connections.get(&connection).is_some_and(|entry| !entry.dead);
        if !is_alive {
            return;
        }
        if self.strikes(Fault::StreamCut) || self.strikes(Fault::StreamTruncated) {
            return self.cut(connection);
        }
        if self.strikes(Fault::StreamHalfOpen) {
            if let Some(entry) = self.connections.get_mut(&connection) {
                entry.dead = true;
            }
            return;
        }
        let frame = (!self.strikes(Fault::FrameGarbled)).then_some(frame);
        self.put_down(connection, Down::Frame(frame));
    }

    /// The gateway closes a stream, after whatever it said.
    pub(crate) fn close_down(&mut self, connection: ConnectionId, code: u16) {
        if self.connections.get(&connection).is_some_and(|entry| !entry.dead) {
            self.put_down(connection, Down::Closed(code));
        }
    }

    fn put_down(&mut self, connection: ConnectionId, down: Down) {
        let Some(tab) = self.connections.get(&connection).map(|entry| entry.tab) else { return };
        let at_ms = self.now_ms + self.way_down_ms(tab);
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let at_ms = at_ms.max(entry.down_free_ms);
        entry.down_free_ms = at_ms;
        self.agenda.plan(at_ms, Happening::Down { connection, down });
    }

    /// A stream breaks, and each side hears of it in its own time.
    fn cut(&mut self, connection: ConnectionId) {
        if let Some(entry) = self.connections.get_mut(&connection) {
            entry.dead = true;
        }
        let (down_ms, up_ms) = (self.random.between(1, 300), self.random.between(1, 300));
        self.later(down_ms, Happening::Down { connection, down: Down::Closed(ABNORMAL) });
        self.later(up_ms, Happening::Up { connection, up: Up::Closed });
    }

    /// The gateway's process is gone: the machine tells whoever it still reaches.
    pub(crate) fn reset(&mut self, connection: ConnectionId) {
        let silently = self.strikes(Fault::StreamHalfOpen);
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let told = !std::mem::replace(&mut entry.dead, true) && !silently;
        if told {
            let ms = self.random.between(1, 200);
            self.later(ms, Happening::Down { connection, down: Down::Closed(ABNORMAL) });
        }
    }

    /// A browser goes offline: its streams are dead, and the gateway does not hear of it.
    pub(crate) fn lose_streams_of(&mut self, profile: usize) {
        let tabs = &self.tabs;
        for entry in self.connections.values_mut().filter(|entry| tabs[entry.tab].profile == profile) {
            entry.dead = true;
        }
    }

    /// A page closes its stream, or is gone.
    pub(crate) fn leave_stream(&mut self, connection: ConnectionId) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        if std::mem::replace(&mut entry.browser_gone, true) {
            return;
        }
        if entry.dead {
            self.forget_if_over(connection);
        } else {
            self.put_up(connection, Up::Closed);
        }
    }

    pub(crate) fn arrives_down(&mut self, connection: ConnectionId, down: Down) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        if entry.browser_gone {
            return;
        }
        let (tab, page, stream) = (entry.tab, entry.page, entry.stream);
        let input = match down {
            Down::Opened if !self.gateway.listens => {
                entry.dead = true;
                entry.browser_gone = true;
                Input::StreamClosed { stream, code: ABNORMAL }
            }
            Down::Opened => {
                let two_way = entry.two_way;
                self.stream_accepted(connection, two_way);
                Input::StreamOpened { stream }
            }
            Down::Frame(frame) => Input::StreamFrame { stream, frame },
            Down::Closed(code) => {
                entry.browser_gone = true;
                Input::StreamClosed { stream, code }
            }
        };
        self.forget_if_over(connection);
        self.tell_page(tab, page, input);
    }

    pub(crate) fn arrives_up(&mut self, connection: ConnectionId, up: Up) {
        match up {
            Up::Frame(frame) => self.stream_says(connection, &frame),
            Up::Closed => self.stream_gone(connection),
        }
        self.forget_if_over(connection);
    }

    /// Lets go of a connection that neither side knows any more.
    pub(crate) fn forget_if_over(&mut self, connection: ConnectionId) {
        let is_over =
            self.connections.get(&connection).is_some_and(|entry| entry.browser_gone && !entry.gateway_end.open);
        if is_over {
            self.connections.remove(&connection);
        }
    }
}

/// A request in words, for the trace.
pub(crate) fn in_words(request: &Request<Doc>) -> String {
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    };
    format!("{method} {}", request.path)
}

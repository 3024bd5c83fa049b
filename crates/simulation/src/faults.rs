//! What can go wrong, how often it does in a run, and how often it did.

use crate::random::Random;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $one_in:literal;)+) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault {
            $($(#[$doc])* $name,)+
        }

        impl Fault {
            /// Every kind.
            pub const ALL: &'static [Fault] = &[$(Fault::$name),+];

            /// Its name in reports.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Fault::$name => $text,)+
                }
            }

            /// Where it is at home: once in so many occasions.
            fn usual_rate(self) -> u64 {
                match self {
                    $(Fault::$name => $one_in,)+
                }
            }
        }
    };
}

faults! {
    /// A request never reaches the gateway; the client is told.
    RequestLost = "request lost", 15;
    /// A request disappears and nobody is told.
    RequestHangs = "request hangs", 60;
    /// A request arrives a second time, possibly much later.
    RequestDuplicated = "request duplicated", 12;
    /// A request takes seconds.
    RequestDelayed = "request delayed", 20;
    /// A request overtakes an earlier one of the same page.
    RequestReordered = "requests reordered", 0;
    /// Nothing listens: the connection is refused.
    RequestRefused = "request refused", 0;
    /// 429 with Retry-After.
    RateLimited = "rate limited", 40;
    /// 503 with Retry-After.
    Overloaded = "overloaded", 40;
    /// A proxy answers with a page of its own.
    ProxyError = "proxy error", 60;
    /// The answer is lost; the client is told.
    AnswerLost = "answer lost", 15;
    /// The answer disappears and nobody is told.
    AnswerHangs = "answer hangs", 60;
    /// The answer ends in its middle.
    AnswerTruncated = "answer truncated", 40;
    /// A file does not get through, or its answer does not.
    UploadLost = "upload lost", 6;
    /// A file is posted twice.
    UploadDuplicated = "upload duplicated", 8;
    /// A stream is cut and both sides hear of it.
    StreamCut = "stream cut", 25;
    /// A stream is cut within a frame.
    StreamTruncated = "stream truncated", 60;
    /// A frame arrives mutilated.
    FrameGarbled = "frame garbled", 120;
    /// A stream is dead and nobody hears of it.
    StreamHalfOpen = "stream half open", 60;
    /// A stream cannot be opened.
    StreamRefused = "stream refused", 6;
    /// A stream opens late.
    StreamSlow = "stream slow to open", 10;
    /// Nothing passes between a browser and the gateway.
    PartitionBoth = "partition, both ways", 10;
    /// Nothing passes to the gateway.
    PartitionUp = "partition, to the gateway", 12;
    /// Nothing passes from the gateway.
    PartitionDown = "partition, from the gateway", 12;
    /// The browser is offline and knows it.
    Offline = "offline", 12;
    /// A proxy lets no WebSocket through for a while.
    WebSocketsBlocked = "WebSockets blocked", 20;
    /// A stream is carried by server-sent events, after WebSockets failed.
    ServerSentEvents = "server-sent events", 0;
    /// The gateway dies.
    GatewayCrash = "gateway crash", 12;
    /// The gateway shuts down in good order and comes back.
    GatewayClosing = "gateway shutdown", 20;
    /// The former gateway process still writes when the next one has begun.
    FormerProcess = "former process still writes", 1;
    /// The gateway's clock jumps forward.
    ClockForward = "gateway clock jumps forward", 40;
    /// The gateway's clock is set back.
    ClockBack = "gateway clock set back", 40;
    /// A write takes seconds.
    DiskSlow = "disk slow", 12;
    /// The disk is full for a while.
    DiskFull = "disk full", 20;
    /// A write fails and leaves nothing.
    WriteFailed = "write failed", 25;
    /// A write fails and is on the disk all the same.
    WriteDoubtful = "write failed but durable", 25;
    /// A read fails.
    ReadFailed = "read failed", 40;
    /// A crash takes unsynced writes away.
    UnsyncedLost = "unsynced write lost in a crash", 0;
    /// A crash leaves a write that nobody was told of.
    UnsyncedKept = "unanswered write kept in a crash", 0;
    /// A change met another revision.
    Conflict = "revision conflict", 0;
    /// The gateway no longer accepts a session.
    SessionExpired = "session expired", 0;
    /// The site gives no token.
    AuthenticateFailed = "authenticate failed", 6;
    /// A browser has no locks.
    NoLocks = "browser without locks", 0;
    /// A page does nothing for a while.
    TabFrozen = "tab frozen", 12;
    /// A page is in the background: its timers are slow.
    TabHidden = "tab hidden", 10;
    /// A page is loaded anew, whatever is on its way.
    TabReloaded = "tab reloaded", 10;
    /// A page is closed and opened later.
    TabClosed = "tab closed", 20;
    /// The browser's clock is set, which the next page notices.
    BrowserClock = "browser clock set", 15;
    /// Storage is full for a while.
    StorageFull = "storage full", 20;
    /// Storage refuses everything for a while.
    StorageRefused = "storage refused", 25;
    /// A stored value is mutilated.
    StorageCorrupt = "storage corrupt", 25;
    /// Storage is emptied.
    StorageCleared = "storage cleared", 30;
    /// Somebody else signs in.
    IdentityChanged = "end user changed", 25;
    /// A call is abandoned.
    CallAborted = "call aborted", 0;
}

/// How often each kind fired.
#[derive(Clone)]
pub struct Counts(Vec<u64>);

impl Default for Counts {
    fn default() -> Self {
        Counts(vec![0; Fault::ALL.len()])
    }
}

impl Counts {
    /// It fired.
    pub(crate) fn count(&mut self, fault: Fault) {
        if let Some(count) = self.0.get_mut(fault as usize) {
            *count += 1;
        }
    }

    /// How often it fired.
    #[must_use]
    pub fn of(&self, fault: Fault) -> u64 {
        self.0.get(fault as usize).copied().unwrap_or(0)
    }

    /// Adds what another run counted.
    pub fn add(&mut self, other: &Counts) {
        for (count, more) in self.0.iter_mut().zip(&other.0) {
            *count += more;
        }
    }
}

/// The faults of one run: how often each kind happens, as long as it storms.
pub(crate) struct Weather {
    /// Once in so many occasions, by kind; 0 for never.
    rates: Vec<u64>,
    storms: bool,
}

impl Weather {
    /// Every run has its own weather: most kinds at their usual rate, some often, some never.
    pub(crate) fn new(random: &mut Random) -> Self {
        let calmness = random.between(1, 4);
        let rate = |fault: &Fault| match random.below(8) {
            0..=2 => 0,
            3 => fault.usual_rate().div_ceil(3),
            _ => fault.usual_rate() * calmness,
        };
        Weather { rates: Fault::ALL.iter().map(rate).collect(), storms: true }
    }

    pub(crate) fn calm_down(&mut self) {
        self.storms = false;
    }

    /// Once in so many occasions; 0 for never.
    pub(crate) fn rate(&self, fault: Fault) -> u64 {
        if self.storms { self.rates.get(fault as usize).copied().unwrap_or(0) } else { 0 }
    }
}

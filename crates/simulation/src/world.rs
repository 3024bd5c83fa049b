//! The world of one run: everything that is in it, the time, and what happens next. Whatever happens is one call into one part; the part
//! plans what follows from it.

use std::collections::BTreeMap;

use engine::client;

use crate::agenda::Agenda;
use crate::browser::{Profile, Tab};
use crate::disk::{OperationId, SimulatedDisk};
use crate::document::Doc;
use crate::faults::{Counts, Fault, Weather};
use crate::files::Upload;
use crate::gateway::{Gateway, ReplyTo};
use crate::ledger::{Check, Ledger, Messages};
use crate::life::Turns;
use crate::network::{Connection, ConnectionId, Down, Up};
use crate::people::People;
use crate::random::Random;

/// What is planned.
pub(crate) enum Happening {
    /// A read of the disk is over.
    ReadDone(OperationId),
    /// The disk's sync is over.
    SyncDone { sync: u64 },
    /// A request arrives at the gateway.
    RequestArrives { reply_to: Option<ReplyTo>, sequence: u64, request: client::Request<Doc> },
    /// An answer arrives in a browser.
    AnswerArrives { reply_to: ReplyTo, response: Option<client::Response<Doc>> },
    /// Something arrives at a browser's end of a stream.
    Down { connection: ConnectionId, down: Down },
    /// Something arrives at the gateway's end of a stream.
    Up { connection: ConnectionId, up: Up },
    /// A delivery left the gateway.
    Delivered { life: u32, connection: ConnectionId },
    /// The gateway looks after the heartbeat of a stream.
    Pulse { life: u32, connection: ConnectionId },
    /// A chat's timer.
    ChatTick { life: u32, chat_id: u64 },
    /// A chat that nobody uses may be unloaded.
    Unload { life: u32, chat_id: u64, used: u64 },
    /// The gateway's process dies.
    Crash { life: u32 },
    /// The gateway looks for timers that are due.
    TimersWatched { life: u32 },
    /// The gateway tells chats how far they have come in their queue.
    PlacesWatched { life: u32 },
    /// The gateway's process ends.
    GatewayExits { life: u32 },
    /// The gateway's process begins.
    GatewayStarts,
    /// A page's timer.
    TabTick { tab: usize, page: u32 },
    /// The site's `authenticate` answers.
    Authenticated { tab: usize, page: u32, token: Result<String, ()> },
    /// A file arrives at the gateway.
    FileArrives { upload: Upload, told: bool },
    /// A page hears of its upload.
    FileAnswered { upload: Upload, result: Result<(), client::Error> },
    /// A page's wish for the lock is looked at.
    LockTurn { profile: usize, name: String },
    /// A frozen page goes on.
    Thaw { tab: usize },
    /// A hidden page is shown again.
    Shown { tab: usize, page: u32 },
    /// A page is loaded anew.
    Reload { tab: usize },
    /// A closed or reloaded page opens.
    OpenTab { tab: usize },
    /// The browser is online again and says so.
    Online { profile: usize },
    /// A customer does something.
    Customer { profile: usize },
    /// An agent does something.
    Agent { agent: u64 },
    /// An agent repeats a call that was not answered.
    AgentRepeats { agent: u64, call: u64 },
    /// The weather acts on its own.
    Gust,
}

/// The world.
pub(crate) struct World {
    pub(crate) now_ms: u64,
    pub(crate) agenda: Agenda<Happening>,
    pub(crate) random: Random,
    pub(crate) weather: Weather,
    pub(crate) counts: Counts,
    pub(crate) disk: SimulatedDisk,
    /// Tells a sync of a former life of the disk from the present one.
    pub(crate) sync: u64,
    pub(crate) disk_full_until_ms: u64,
    pub(crate) gateway: Gateway,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    pub(crate) last_connection: ConnectionId,
    pub(crate) last_request: u64,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) people: People,
    pub(crate) ledger: Ledger,
    pub(crate) storming: bool,
    /// Two processes of the gateway wrote at a time: the younger one may not know of the newest messages for a while.
    pub(crate) former_process_wrote: bool,
    pub(crate) steps: u64,
    /// The first thing that must not be.
    violation: Option<String>,
    trace: bool,
}

/// What a run came to.
#[derive(Clone, Default)]
pub struct Outcome {
    /// How often each kind of fault fired.
    pub faults: Counts,
    /// How often the lives of chats took each turn.
    pub turns: Turns,
    /// What became of the messages.
    pub messages: Messages,
    /// How many things happened.
    pub steps: u64,
    /// A number that differs where anything in the run differed.
    pub digest: u64,
    /// The first thing that must not be; `None` where all was well.
    pub violation: Option<String>,
}

/// More steps than any sound run has: the world spins.
const MOST_STEPS: u64 = 400_000;

impl World {
    pub(crate) fn new(seed: u64, trace: bool) -> World {
        let mut random = Random::new(seed);
        let weather = Weather::new(&mut random);
        let gateway = Gateway::new(&mut random);
        let people = People::new(&mut random);
        let mut world = World {
            now_ms: 1_000_000_000,
            agenda: Agenda::new(),
            random,
            weather,
            counts: Counts::default(),
            disk: SimulatedDisk::default(),
            sync: 0,
            disk_full_until_ms: 0,
            gateway,
            connections: BTreeMap::new(),
            last_connection: 0,
            last_request: 0,
            profiles: Vec::new(),
            tabs: Vec::new(),
            people,
            ledger: Ledger::default(),
            storming: true,
            former_process_wrote: false,
            steps: 0,
            violation: None,
            trace,
        };
        world.populate();
        world
    }

    /// Plans something.
    pub(crate) fn later(&mut self, ms: u64, happening: Happening) {
        self.agenda.plan(self.now_ms.saturating_add(ms), happening);
    }

    /// Whether a fault happens on this occasion. Counts it.
    pub(crate) fn strikes(&mut self, fault: Fault) -> bool {
        let rate = self.weather.rate(fault);
        let strikes = self.random.one_in(rate);
        if strikes {
            self.count(fault);
        }
        strikes
    }

    pub(crate) fn count(&mut self, fault: Fault) {
        self.note(|| format!("FAULT {}", fault.as_str()));
        self.counts.count(fault);
    }

    /// Writes down what happens, where somebody wants to read it.
    pub(crate) fn note(&self, text: impl FnOnce() -> String) {
        if self.trace {
            #[allow(clippy::print_stdout, reason = "asked for by whoever repeats one seed")]
            {
                println!("{:>9} {}", self.now_ms - 1_000_000_000, text());
            }
        }
    }

    pub(crate) fn check(&mut self, check: Check) {
        if let Err(what) = check {
            self.wrong(what);
        }
    }

    pub(crate) fn wrong(&mut self, what: impl Into<String>) {
        if self.violation.is_none() {
            let what = what.into();
            self.note(|| format!("WRONG {what}"));
            self.violation = Some(what);
        }
    }

    pub(crate) fn is_sound(&self) -> bool {
        self.violation.is_none()
    }

    /// Lets time pass, with everything that happens in it, until something is wrong.
    pub(crate) fn run(&mut self, ms: u64) {
        let until_ms = self.now_ms.saturating_add(ms);
        while self.is_sound()
            && let Some((at_ms, happening)) = self.agenda.next(until_ms)
        {
            self.now_ms = self.now_ms.max(at_ms);
            self.steps += 1;
            if self.steps > MOST_STEPS {
                self.wrong("the world spins");
            }
            self.happen(happening);
            self.check_bounds();
        }
        if self.is_sound() {
            self.now_ms = until_ms;
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::ReadDone(operation) => self.read_done(operation),
            Happening::SyncDone { sync } => self.sync_done(sync),
            Happening::RequestArrives { reply_to, sequence, request } => {
                self.request_arrives(reply_to, sequence, request);
            }
            Happening::AnswerArrives { reply_to, response } => self.answer_arrives(reply_to, response),
            Happening::Down { connection, down } => self.arrives_down(connection, down),
            Happening::Up { connection, up } => self.arrives_up(connection, up),
            Happening::Delivered { life, connection } => self.delivered(life, connection),
            Happening::Pulse { life, connection } => self.pulse(life, connection),
            Happening::ChatTick { life, chat_id } => self.chat_tick(life, chat_id),
            Happening::Unload { life, chat_id, used } => self.unload(life, chat_id, used),
            Happening::Crash { life } => self.crash_in(life),
            Happening::TimersWatched { life } => self.watch_timers(life),
            Happening::PlacesWatched { life } => self.watch_places(life),
            Happening::GatewayExits { life } => self.gateway_exits(life),
            Happening::GatewayStarts => self.gateway_starts(),
            Happening::TabTick { tab, page } => self.tab_tick(tab, page),
            Happening::Authenticated { tab, page, token } => {
                self.tell_page(tab, page, client::Input::Token(token));
            }
            Happening::FileArrives { upload, told } => self.file_arrives(upload, told),
            Happening::FileAnswered { upload, result } => self.file_answered(upload, result),
            Happening::LockTurn { profile, name } => self.lock_turn(profile, &name),
            Happening::Thaw { tab } => self.thaw(tab),
            Happening::Shown { tab, page } => self.tell_page(tab, page, client::Input::Hidden(false)),
            Happening::Reload { tab } => self.reload_tab(tab),
            Happening::OpenTab { tab } => self.open_tab(tab),
            Happening::Online { profile } => self.back_online(profile),
            Happening::Customer { profile } => self.customer_acts(profile),
            Happening::Agent { agent } => self.agent_acts(agent),
            Happening::AgentRepeats { agent, call } => self.agent_repeats(agent, call),
            Happening::Gust => self.gust(),
        }
    }

    pub(crate) fn outcome(self) -> Outcome {
        let mut random = self.random;
        let digest =
            random.bits() ^ self.now_ms.rotate_left(32) ^ self.steps ^ self.ledger.messages.shown.rotate_left(17);
        Outcome {
            faults: self.counts,
            turns: self.ledger.turns,
            messages: self.ledger.messages,
            steps: self.steps,
            digest,
            violation: self.violation,
        }
    }
}

//! Screen shares on their way from the customer's page to the agent who has the chat: what the page recorded goes to whoever looks at the moment,
//! and what the agent points at goes back. All of it is in memory, within bounds, and gone with the share. Nothing of a recording is opened,
//! stored or logged here; who may look is decided in the engine (`engine::gateway::ScreenShare`), and told by the chat's task.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use engine::gateway::{ChatState, ScreenShare};
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::Instant;
use wire::ErrorCode;
use wire::rest::{Share, ShareRecorded, ShareSignal, ShareSignals};

use crate::clock::now_ms;
use crate::config;
use crate::error::Error;

/// How long the page may be silent between two requests without counting as away.
const PAGE_PATIENCE_MS: u64 = 10_000;
/// Requests for signals that one page has open at a time: a reload may leave some behind.
const MAX_POLLS: usize = 4;
/// Batches that one page sends at a time: one, and what a lost connection left behind.
const MAX_UPLOADS: usize = 3;
/// How long a moving pointer is gathered before the page hears of it: it moves more often than pages should ask.
const GATHER: Duration = Duration::from_millis(40);

/// The shares of the chats that are loaded and have one that is not over.
pub(crate) struct Screens {
    open: Mutex<HashMap<u64, Arc<Screen>>>,
    max_queue_bytes: usize,
    max_viewers: usize,
}

impl Screens {
    pub(crate) fn new(limits: &config::Limits) -> Screens {
        Screens {
            open: Mutex::default(),
            max_queue_bytes: limits.max_screen_queue_bytes,
            max_viewers: limits.screen_viewers,
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Screen>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The share of a chat that is loaded.
    pub(crate) fn get(&self, chat_id: u64) -> Option<Arc<Screen>> {
        self.open().get(&chat_id).cloned()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.open().len()
    }
}

/// The place of one chat among the shares, kept by the chat's task: with it the share goes.
pub(crate) struct ScreenPlace {
    screens: Arc<Screens>,
    chat_id: u64,
    screen: Option<Arc<Screen>>,
}

impl ScreenPlace {
    pub(crate) fn new(screens: Arc<Screens>, chat_id: u64) -> ScreenPlace {
        ScreenPlace { screens, chat_id, screen: None }
    }

    /// The share that is not over.
    pub(crate) fn screen(&self) -> Option<&Arc<Screen>> {
        self.screen.as_ref()
    }

    /// Takes in how the chat stands. `shown` is its newest share as both sides see it.
    pub(crate) fn follow(&mut self, state: &ChatState, shown: Option<Share>) {
        let Some((share, shown)) = state.screen_share.as_ref().zip(shown) else { return };
        if self.screen.as_ref().is_some_and(|screen| screen.lock().share.id != share.id) {
            // One that was replaced was over before: nobody was there to say so.
            self.leave(Gone::Lost);
        }
        match &self.screen {
            Some(screen) => screen.follow(state, share, shown),
            None if share.is_open() => {
                let screen = Arc::new(Screen::new(&self.screens, state, share, shown));
                self.screens.open().insert(self.chat_id, Arc::clone(&screen));
                self.screen = Some(screen);
                return;
            }
            None => return,
        }
        if !share.is_open() {
            self.leave(Gone::Over);
        }
    }

    fn leave(&mut self, why: Gone) {
        let Some(screen) = self.screen.take() else { return };
        self.screens.open().remove(&self.chat_id);
        screen.close(why);
        tracing::debug!(left = self.screens.count(), "a screen share is gone");
    }
}

impl Drop for ScreenPlace {
    fn drop(&mut self) {
        self.leave(Gone::Lost);
    }
}

/// Why a share is no longer here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// It is over.
    Over,
    /// The chat's task ended: whoever comes back finds it again.
    Lost,
}

/// One share.
pub(crate) struct Screen {
    state: Mutex<Relay>,
    /// Something is new for the page.
    for_page: watch::Sender<()>,
    /// Something is new for those who look.
    for_viewers: watch::Sender<()>,
    uploads: Semaphore,
    max_queue_bytes: usize,
    max_viewers: usize,
}

struct Relay {
    end_user_id: u64,
    agent_id: Option<u64>,
    share: ScreenShare,
    shown: Share,
    gone: Option<Gone>,
    /// Requests for signals that the page has open.
    polls: usize,
    heard_at_ms: u64,
    /// The newest batch: its recording, and its number in that.
    newest: Option<(u64, u64)>,
    /// The batch after which one was found missing: whoever repeats it hears the same.
    gap: Option<(u64, u64)>,
    /// Grows with whatever is new for the page. Begins with the time, so that it grows over restarts too.
    version: u64,
    /// The newest of it that is no pointer, which can wait a little.
    urgent: u64,
    pointer: Option<(u64, ShareSignal)>,
    resync: Option<u64>,
    viewers: HashMap<u64, Queue>,
    last_viewer: u64,
}

/// Batches that wait for one who looks.
#[derive(Default)]
struct Queue {
    batches: VecDeque<Bytes>,
    bytes: usize,
}

impl Relay {
    fn tell_page(&mut self) -> u64 {
        self.urgent = self.point_out();
        self.urgent
    }

    fn point_out(&mut self) -> u64 {
        self.version = self.version.saturating_add(1);
        self.version
    }

    fn ask_for_resync(&mut self) {
        self.resync = Some(self.tell_page());
    }

    fn viewers(&self) -> u64 {
        u64::try_from(self.viewers.len()).unwrap_or(u64::MAX)
    }

    /// The page that records is this one, and may.
    fn check_page(&self, share_id: u64, page_id: &str) -> Result<(), Error> {
        if self.gone == Some(Gone::Lost) {
            return Err(Error::of(ErrorCode::Unavailable));
        }
        if self.gone.is_some() || self.share.id != share_id || !self.share.is_recorded() {
            return Err(not_shared());
        }
        if self.share.page_id == page_id {
            Ok(())
        } else {
            Err(Error::new(ErrorCode::Conflict, "Another page has taken the screen share over."))
        }
    }

    fn heard_at_ms(&self) -> u64 {
        if self.polls > 0 { now_ms() } else { self.heard_at_ms }
    }
}

/// Nothing is to be recorded.
pub(crate) fn not_shared() -> Error {
    Error::new(ErrorCode::Conflict, "This screen share is not active.")
}

impl Screen {
    fn new(screens: &Screens, state: &ChatState, share: &ScreenShare, shown: Share) -> Screen {
        Screen {
            state: Mutex::new(Relay {
                end_user_id: state.end_user_id,
                agent_id: state.agent_id,
                share: share.clone(),
                shown,
                gone: None,
                polls: 0,
                heard_at_ms: now_ms(),
                newest: None,
                gap: None,
                version: now_ms(),
                urgent: now_ms(),
                pointer: None,
                resync: None,
                viewers: HashMap::new(),
                last_viewer: 0,
            }),
            for_page: watch::Sender::new(()),
            for_viewers: watch::Sender::new(()),
            uploads: Semaphore::new(MAX_UPLOADS),
            max_queue_bytes: screens.max_queue_bytes,
            max_viewers: screens.max_viewers,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Relay> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(&self, state: &ChatState, share: &ScreenShare, shown: Share) {
        let mut relay = self.lock();
        if relay.share == *share && relay.agent_id == state.agent_id {
            return;
        }
        if relay.share.page_id != share.page_id {
            relay.newest = None;
            relay.gap = None;
        }
        relay.agent_id = state.agent_id;
        relay.share = share.clone();
        relay.shown = shown;
        relay.tell_page();
        drop(relay);
        self.wake_all();
    }

    fn close(&self, why: Gone) {
        let mut relay = self.lock();
        relay.gone = Some(why);
        relay.viewers.clear();
        (relay.pointer, relay.resync) = (None, None);
        relay.tell_page();
        drop(relay);
        self.wake_all();
    }

    fn wake_all(&self) {
        self.for_page.send_replace(());
        self.for_viewers.send_replace(());
    }

    /// Whose page it is.
    pub(crate) fn end_user_id(&self) -> u64 {
        self.lock().end_user_id
    }

    /// When the page was last heard; now, while a request of it is open.
    pub(crate) fn heard_at_ms(&self) -> u64 {
        self.lock().heard_at_ms()
    }

    /// Whether a page may record.
    pub(crate) fn check_page(&self, share_id: u64, page_id: &str) -> Result<(), Error> {
        let mut relay = self.lock();
        relay.check_page(share_id, page_id)?;
        relay.heard_at_ms = now_ms();
        Ok(())
    }

    /// The right to send a batch now: without it, nothing of one is read.
    pub(crate) fn upload(&self) -> Result<SemaphorePermit<'_>, Error> {
        let busy = |_| Error::new(ErrorCode::RateLimited, "Send one batch at a time.");
        self.uploads.try_acquire().map_err(busy)
    }

    /// Passes a batch on to all who look. `number` is its recording and its number in that; `frame` is what they are sent.
    pub(crate) fn record(
        &self,
        share_id: u64,
        page_id: &str,
        number: (u64, u64),
        frame: &Bytes,
    ) -> Result<ShareRecorded, Error> {
        let mut relay = self.lock();
        relay.check_page(share_id, page_id)?;
        relay.heard_at_ms = now_ms();
        let (epoch, seq) = number;
        let is_known = relay.newest.is_some_and(|newest| number <= newest);
        if !is_known {
            let follows = match relay.newest {
                Some((newest_epoch, newest_seq)) if newest_epoch == epoch => newest_seq.checked_add(1) == Some(seq),
                _ => seq == 1,
            };
            relay.gap = (!follows).then_some(number);
            relay.newest = Some(number);
            let mut is_behind = false;
            for queue in relay.viewers.values_mut() {
                if queue.bytes.saturating_add(frame.len()) > self.max_queue_bytes {
                    *queue = Queue::default();
                    is_behind = true;
                } else {
                    queue.bytes += frame.len();
                    queue.batches.push_back(frame.clone());
                }
            }
            if is_behind {
                relay.ask_for_resync();
                self.for_page.send_replace(());
            }
            self.for_viewers.send_replace(());
        }
        let resync = relay.gap == Some(number);
        Ok(ShareRecorded { share: relay.shown.clone(), viewers: relay.viewers(), resync })
    }

    /// What is new for the page since `after`, at once where something is, otherwise as soon as it is, or nothing when `patience` is over.
    pub(crate) async fn signals(
        &self,
        share_id: u64,
        page_id: &str,
        after: u64,
        patience: Duration,
    ) -> Result<ShareSignals, Error> {
        let mut news = self.for_page.subscribe();
        let _poll = Poll::begin(self, share_id, page_id)?;
        let wait = async {
            let mut until = None;
            loop {
                news.borrow_and_update();
                let answer = self.signals_since(share_id, page_id, after, false)?;
                let is_only_pointer = self.lock().urgent <= after;
                let due = match answer {
                    Some(answer) if !is_only_pointer || until.is_some_and(|until| until <= Instant::now()) => {
                        return Ok(answer);
                    }
                    Some(_) => Some(*until.get_or_insert_with(|| Instant::now() + GATHER)),
                    None => None,
                };
                tokio::select! {
                    () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
                    changed = news.changed() => {
                        if changed.is_err() {
                            return Err(Error::of(ErrorCode::Unavailable));
                        }
                    }
                }
            }
        };
        match tokio::time::timeout(patience, wait).await {
            Ok(answer) => answer,
            Err(_) => {
                self.signals_since(share_id, page_id, after, true)?.ok_or_else(|| Error::of(ErrorCode::Unavailable))
            }
        }
    }

    fn signals_since(
        &self,
        share_id: u64,
        page_id: &str,
        after: u64,
        even_nothing: bool,
    ) -> Result<Option<ShareSignals>, Error> {
        let relay = self.lock();
        // Who waits hears how it ended; who comes later is refused.
        if relay.gone != Some(Gone::Over) {
            relay.check_page(share_id, page_id)?;
        }
        // A number of another life of the gateway, whose clock was ahead.
        let after = if after > relay.version { 0 } else { after };
        if relay.version == after && !even_nothing {
            return Ok(None);
        }
        let pointer = relay.pointer.filter(|(version, _)| *version > after).map(|(_, signal)| signal);
        let resync = relay.resync.filter(|version| *version > after).map(|_| ShareSignal::Resync);
        Ok(Some(ShareSignals {
            share: relay.shown.clone(),
            viewers: relay.viewers(),
            next: relay.version,
            signals: resync.into_iter().chain(pointer).collect(),
        }))
    }

    /// Begins to look. Only the agent who has the chat may.
    pub(crate) fn view(self: &Arc<Self>, agent_id: u64) -> Result<View, Error> {
        let mut relay = self.lock();
        if relay.agent_id != Some(agent_id) {
            return Err(Error::of(ErrorCode::Forbidden));
        }
        if relay.gone.is_some() {
            return Err(Error::of(ErrorCode::Unavailable));
        }
        if relay.viewers.len() >= self.max_viewers {
            return Err(Error::new(ErrorCode::RateLimited, "Too many look at this screen share: close some first."));
        }
        relay.last_viewer += 1;
        let number = relay.last_viewer;
        relay.viewers.insert(number, Queue::default());
        relay.ask_for_resync();
        drop(relay);
        self.for_page.send_replace(());
        let news = self.for_viewers.subscribe();
        Ok(View { screen: Arc::clone(self), number, news })
    }
}

/// A request for signals, which is open until this is dropped.
struct Poll<'a>(&'a Screen);

impl<'a> Poll<'a> {
    fn begin(screen: &'a Screen, share_id: u64, page_id: &str) -> Result<Poll<'a>, Error> {
        let mut relay = screen.lock();
        relay.check_page(share_id, page_id)?;
        if relay.polls >= MAX_POLLS {
            return Err(Error::new(ErrorCode::RateLimited, "Ask for signals once at a time."));
        }
        relay.polls += 1;
        drop(relay);
        Ok(Poll(screen))
    }
}

impl Drop for Poll<'_> {
    fn drop(&mut self) {
        let mut relay = self.0.lock();
        relay.polls = relay.polls.saturating_sub(1);
        relay.heard_at_ms = now_ms();
    }
}

/// One who looks.
pub(crate) struct View {
    screen: Arc<Screen>,
    number: u64,
    news: watch::Receiver<()>,
}

/// How a share stands, for those who look.
#[derive(Clone, PartialEq)]
pub(crate) struct Standing {
    pub(crate) share: Share,
    /// The customer's page is heard.
    pub(crate) is_here: bool,
    pub(crate) gone: Option<Gone>,
}

impl View {
    /// How the share stands now.
    pub(crate) fn standing(&self) -> Standing {
        let relay = self.screen.lock();
        let silent_ms = now_ms().saturating_sub(relay.heard_at_ms());
        Standing { share: relay.shown.clone(), is_here: silent_ms <= PAGE_PATIENCE_MS, gone: relay.gone }
    }

    /// The next batch, where one waits.
    pub(crate) fn take(&self) -> Option<Bytes> {
        let mut relay = self.screen.lock();
        let queue = relay.viewers.get_mut(&self.number)?;
        let batch = queue.batches.pop_front()?;
        queue.bytes = queue.bytes.saturating_sub(batch.len());
        Some(batch)
    }

    /// Whether a batch waits.
    pub(crate) fn has_batch(&self) -> bool {
        self.screen.lock().viewers.get(&self.number).is_some_and(|queue| !queue.batches.is_empty())
    }

    /// Waits until something is new.
    pub(crate) async fn changed(&mut self) {
        // The sender lives as long as the share, which this holds.
        drop(self.news.changed().await);
    }

    /// Waits until the share is gone.
    pub(crate) async fn gone(&self) {
        let mut news = self.screen.for_viewers.subscribe();
        while self.screen.lock().gone.is_none() && news.changed().await.is_ok() {}
    }

    /// The agent points at the page, or no longer does.
    pub(crate) fn point(&self, signal: ShareSignal) {
        let mut relay = self.screen.lock();
        if relay.gone.is_none() && relay.share.is_recorded() {
            let version = relay.point_out();
            relay.pointer = Some((version, signal));
            drop(relay);
            self.screen.for_page.send_replace(());
        }
    }

    /// Something is missing here.
    pub(crate) fn resync(&self) {
        let mut relay = self.screen.lock();
        if relay.gone.is_none() {
            relay.ask_for_resync();
            drop(relay);
            self.screen.for_page.send_replace(());
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        let mut relay = self.screen.lock();
        if relay.viewers.remove(&self.number).is_none() {
            return;
        }
        let version = relay.tell_page();
        if matches!(relay.pointer, Some((_, ShareSignal::Pointer { .. }))) {
            relay.pointer = Some((version, ShareSignal::PointerLeft));
        }
        drop(relay);
        self.screen.for_page.send_replace(());
    }
}

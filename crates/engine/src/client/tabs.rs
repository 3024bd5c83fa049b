//! The pages of one end user share one stored outbox. Each page sends what was written in it; what a page left behind that is gone is
//! taken over by exactly one other page, which holds a lock while it sends. The lock saves work and keeps order; that nothing is stored twice
//! follows from the idempotency keys alone, so a page never waits for another one for long.

use wire::Document;

use super::engine::Client;
use super::outbox::StoredKey;
use super::types::Output;

/// A page may send what was written in it without the lock for so long: no other page takes it over before
/// [`Client::takeover_ms`] have passed.
const OWN_MS: u64 = 5_000;

/// How long a page waits for the lock before it goes on without, and again as long as whoever has it gets on with what is left.
const LOCK_PATIENCE_MS: u64 = 2_000;

/// How soon a page looks again after messages that it may not take over yet; twice as long each time, up to [`LOOK_AT_MOST_MS`].
const LOOK_AGAIN_MS: u64 = 1_000;

/// The longest wait between two looks.
const LOOK_AT_MOST_MS: u64 = 32_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lock {
    Free,
    Asked {
        until_ms: u64,
    },
    /// Whoever has it keeps it too long.
    Overdue,
    Held,
}

pub(crate) struct Tabs {
    lock: Lock,
    /// The pages that lived when the lock was given; `None` where nobody can tell.
    pages: Option<Vec<String>>,
    /// Storage was asked what is there.
    looking: bool,
    /// Not known yet what earlier pages of this end user left behind: what is written now must not overtake it.
    first_look: bool,
    look_at_ms: Option<u64>,
    look_wait_ms: u64,
    /// When the oldest message was written that was left to others at the last look.
    oldest_ms: u64,
}

impl Tabs {
    pub(crate) fn new() -> Self {
        Tabs {
            lock: Lock::Free,
            pages: None,
            looking: false,
            first_look: true,
            look_at_ms: None,
            look_wait_ms: 0,
            oldest_ms: u64::MAX,
        }
    }

    pub(crate) fn next_timeout_ms(&self) -> Option<u64> {
        let patience = match self.lock {
            Lock::Asked { until_ms } if !self.looking => Some(until_ms),
            Lock::Asked { .. } | Lock::Free | Lock::Overdue | Lock::Held => None,
        };
        [patience, self.look_at_ms].into_iter().flatten().min()
    }

    /// Whether everything has to wait for what earlier pages left behind.
    pub(crate) fn is_settling(&self) -> bool {
        self.first_look
    }

    /// Whether something is to come that lets the outbox go on.
    pub(crate) fn is_waiting(&self) -> bool {
        self.looking || matches!(self.lock, Lock::Asked { .. })
    }

    /// Whether it has waited for the lock as long as it must.
    fn is_impatient(&self, now_ms: u64) -> bool {
        matches!(self.lock, Lock::Asked { until_ms } if until_ms <= now_ms)
    }

    fn may_send_old(&self) -> bool {
        matches!(self.lock, Lock::Held | Lock::Overdue)
    }

    /// Whether the page that wrote a message is known to be gone.
    fn is_gone(&self, page: &str) -> bool {
        match (&self.pages, self.lock) {
            (Some(pages), Lock::Held) => !pages.iter().any(|other| other == page),
            // Nobody can tell: at the beginning, what is there is what an earlier page left.
            (None, Lock::Held) => self.first_look,
            _ => false,
        }
    }
}

impl<D: Document> Client<D> {
    /// After this age a message of another page that lives, but does not get on with it, is taken over.
    fn takeover_ms(&self) -> u64 {
        OWN_MS + self.config.call_timeout_ms.saturating_add(OWN_MS)
    }

    /// Something changed: looks at once, and sooner again.
    pub(crate) fn look_for_orphans_anew(&mut self) {
        self.tabs.look_wait_ms = 0;
        self.look_for_orphans();
    }

    /// What could not be read or forgotten now may be later.
    pub(crate) fn look_again_later(&mut self) {
        let at_ms = self.now_ms.saturating_add(LOOK_AT_MOST_MS);
        self.tabs.look_at_ms = self.tabs.look_at_ms.or(Some(at_ms));
    }

    /// Looks what other pages of this end user left behind.
    pub(crate) fn look_for_orphans(&mut self) {
        self.tabs.look_at_ms = None;
        if let Some(id) = self.identity.end_user_id
            && !self.tabs.looking
        {
            self.tabs.looking = true;
            let prefix = self.identity.outbox_prefix_of(id);
            self.output(Output::Load { prefix });
        }
    }

    /// The end user is another one: nothing of the former is looked for any more.
    pub(crate) fn forget_tabs(&mut self) {
        self.release_lock();
        self.tabs = Tabs::new();
    }

    /// Storage answered with what is in this end user's outbox.
    pub(crate) fn loaded_outbox(&mut self, prefix: &str, entries: Vec<(String, String)>) {
        // An answer that comes after yet another change of identity is of no use.
        if self.identity.end_user_id.is_none_or(|id| self.identity.outbox_prefix_of(id) != prefix) {
            return;
        }
        self.tabs.looking = false;
        let mut oldest_ms = u64::MAX;
        for (key, value) in entries {
            let Some(stored) = StoredKey::read(prefix, &key) else {
                self.output(Output::Forget { key });
                continue;
            };
            if self.outbox.get(stored.client_id).is_some() {
                continue;
            }
            let age_ms = self.now_ms.saturating_sub(stored.queued_at_ms);
            let adoptable =
                self.tabs.may_send_old() && (self.tabs.is_gone(stored.page) || age_ms >= self.takeover_ms());
            if adoptable {
                let is_older = self.tabs.first_look;
                self.restore_message(prefix, &key, &value, is_older);
            } else {
                oldest_ms = oldest_ms.min(stored.queued_at_ms);
            }
        }
        let left = oldest_ms != u64::MAX;
        let gets_on = oldest_ms > std::mem::replace(&mut self.tabs.oldest_ms, oldest_ms);
        if self.tabs.is_impatient(self.now_ms) {
            if left && gets_on {
                self.tabs.lock = Lock::Asked { until_ms: self.now_ms.saturating_add(LOCK_PATIENCE_MS) };
                return;
            }
            self.tabs.lock = Lock::Overdue;
            if left {
                return self.look_for_orphans();
            }
        }
        if self.tabs.may_send_old() || !left {
            self.tabs.first_look = false;
            let doubled_ms = (self.tabs.look_wait_ms * 2).clamp(LOOK_AGAIN_MS, LOOK_AT_MOST_MS);
            // Where nothing is left, another page may still be closed with something.
            self.tabs.look_wait_ms = if left { doubled_ms } else { LOOK_AT_MOST_MS };
            self.tabs.look_at_ms = Some(self.now_ms.saturating_add(self.tabs.look_wait_ms));
        } else {
            self.ask_for_lock();
        }
    }

    /// A planted bug: goes on as if it had the lock and were alone.
    fn locked_by_nobody(&mut self) {
        if self.tabs.lock == Lock::Free {
            self.tabs.lock = Lock::Held;
            self.tabs.pages = Some(Vec::new());
            self.look_for_orphans();
        }
    }

    fn ask_for_lock(&mut self) {
        if planted!("planted-lock-not-taken") {
            return self.locked_by_nobody();
        }
        if self.tabs.lock == Lock::Free
            && let Some(id) = self.identity.end_user_id
        {
            self.tabs.lock = Lock::Asked { until_ms: self.now_ms.saturating_add(LOCK_PATIENCE_MS) };
            let name = self.identity.outbox_prefix_of(id);
            self.output(Output::Lock { name });
        }
    }

    /// The lock is ours.
    pub(crate) fn locked(&mut self, pages: Option<Vec<String>>) {
        if self.tabs.lock == Lock::Free {
            return self.output(Output::Unlock);
        }
        self.tabs.lock = Lock::Held;
        self.tabs.pages = pages;
        self.look_for_orphans();
    }

    /// Whether the first message of the outbox may go now. Asks for the lock where it needs it.
    pub(crate) fn may_flush(&mut self, own: bool, queued_at_ms: u64) -> bool {
        let is_fresh = own && self.now_ms.saturating_sub(queued_at_ms) < OWN_MS;
        if is_fresh || self.tabs.may_send_old() {
            return true;
        }
        self.ask_for_lock();
        false
    }

    /// Lets the lock go while there is nothing to send.
    pub(crate) fn release_lock_if_unused(&mut self) {
        if self.tabs.may_send_old() && !self.tabs.looking && !self.outbox.is_sending() {
            self.release_lock();
        }
    }

    pub(crate) fn release_lock(&mut self) {
        if std::mem::replace(&mut self.tabs.lock, Lock::Free) != Lock::Free {
            self.output(Output::Unlock);
        }
    }

    pub(crate) fn expire_tabs(&mut self) {
        if self.tabs.is_impatient(self.now_ms) {
            self.look_for_orphans();
        }
        if self.tabs.look_at_ms.is_some_and(|at_ms| at_ms <= self.now_ms) {
            self.look_for_orphans();
        }
    }
}

//! The stand-in for Web Locks: one holder at a time of each name in a browser, others wait in order, a page that goes lets go, and whoever
//! gets a lock hears which pages live. A browser without locks gives each at once and cannot tell.

use std::collections::{BTreeMap, VecDeque};

use engine::client::{Client, Input};

use crate::world::{Happening, World};

/// How long a page must have waited for a lock before it goes on without.
const LOCK_PATIENCE_MS: u64 = 2_000;

/// A page that holds or wants a lock: its tab, and which of the tab's pages.
type Holder = (usize, u32);

#[derive(Default)]
pub(crate) struct Locks {
    absent: bool,
    held: BTreeMap<String, Holder>,
    waiting: BTreeMap<String, VecDeque<Holder>>,
}

impl Locks {
    /// A browser without locks.
    pub(crate) fn absent() -> Self {
        Locks { absent: true, ..Locks::default() }
    }
}

impl World {
    pub(crate) fn ask_for_lock(&mut self, tab: usize, name: String) {
        self.note(|| format!("tab {tab}: asks for the lock"));
        let entry = &mut self.tabs[tab];
        entry.lock_asked_ms = Some(self.now_ms);
        let (profile, holder) = (entry.profile, (tab, entry.page));
        let locks = &mut self.profiles[profile].locks;
        locks.waiting.entry(name.clone()).or_default().push_back(holder);
        let ms = self.random.below(5);
        self.later(ms, Happening::LockTurn { profile, name });
    }

    /// Lets the page's lock go, or stops waiting for it.
    pub(crate) fn unlock(&mut self, tab: usize) {
        self.note(|| format!("tab {tab}: lets the lock go"));
        self.release_locks(tab);
    }

    pub(crate) fn release_locks(&mut self, tab: usize) {
        let entry = &mut self.tabs[tab];
        entry.lock_asked_ms = None;
        entry.forget_grants();
        let (profile, holder) = (entry.profile, (tab, entry.page));
        let locks = &mut self.profiles[profile].locks;
        for waiting in locks.waiting.values_mut() {
            waiting.retain(|other| *other != holder);
        }
        let free: Vec<String> =
            locks.held.iter().filter(|(_, other)| **other == holder).map(|(name, _)| name.clone()).collect();
        for name in free {
            self.profiles[profile].locks.held.remove(&name);
            self.later(1, Happening::LockTurn { profile, name });
        }
    }

    /// Gives a lock that is free to whoever has waited longest.
    pub(crate) fn lock_turn(&mut self, profile: usize, name: &str) {
        let locks = &mut self.profiles[profile].locks;
        if !locks.absent && locks.held.contains_key(name) {
            return;
        }
        let Some((tab, page)) = locks.waiting.get_mut(name).and_then(VecDeque::pop_front) else { return };
        let pages = if locks.absent {
            None
        } else {
            locks.held.insert(name.to_owned(), (tab, page));
            let clients = self.tabs.iter().filter(|tab| tab.profile == profile).filter_map(|tab| tab.client.as_ref());
            Some(clients.map(|client| Client::page_id(client).to_owned()).collect())
        };
        self.note(|| format!("tab {tab}: gets the lock"));
        self.tell_page(tab, page, Input::Locked { pages });
    }

    /// Whether a page may send messages of others just now: it holds the lock, or has waited for it as long as it must.
    pub(crate) fn may_send_of_others(&self, tab: usize) -> bool {
        let entry = &self.tabs[tab];
        let locks = &self.profiles[entry.profile].locks;
        let is_patient = entry.lock_asked_ms.is_some_and(|asked_ms| self.now_ms >= asked_ms + LOCK_PATIENCE_MS);
        locks.absent || is_patient || locks.held.values().any(|holder| *holder == (tab, entry.page))
    }
}

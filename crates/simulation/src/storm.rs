//! What goes wrong by itself, from time to time: machines, networks, pages, storage and people. What goes wrong with one request, frame or
//! write is decided where it travels.

use engine::client::Input;

use crate::document::Doc;
use crate::faults::Fault;
use crate::ledger::{Fate, Sender};
use crate::world::{Happening, World};

/// Keys of stored values that corruption strikes.
const GARBAGE: &str = "\u{0}{";

impl World {
    /// One gust: each kind of fault that lives by itself may happen.
    pub(crate) fn gust(&mut self) {
        if !self.storming {
            return;
        }
        let ms = self.random.between(300, 3_000);
        self.later(ms, Happening::Gust);
        self.gust_at_the_gateway();
        let profile = self.random.position(self.profiles.len());
        self.gust_in_the_network(profile);
        self.gust_in_the_browser(profile);
        let tab = self.random.position(self.tabs.len());
        self.gust_in_a_tab(tab);
    }

    fn gust_at_the_gateway(&mut self) {
        if self.gateway.listens {
            let rate = self.weather.rate(Fault::GatewayCrash);
            if self.random.one_in(rate) {
                self.crash();
            } else {
                let rate = self.weather.rate(Fault::GatewayClosing);
                if self.random.one_in(rate) {
                    self.shut_down();
                }
            }
        } else if self.gateway_runs() {
            // A process that is asked to end can still die.
            let rate = self.weather.rate(Fault::GatewayCrash);
            if self.random.one_in(rate) {
                self.crash();
            }
        }
        if self.strikes(Fault::ClockForward) {
            self.gateway.clock_ahead_ms += self.random.between(1_000, 3_600_000);
        }
        if self.strikes(Fault::ClockBack) {
            let back_ms = self.random.between(1_000, 600_000);
            self.gateway.clock_ahead_ms = self.gateway.clock_ahead_ms.saturating_sub(back_ms);
        }
        let rate = self.weather.rate(Fault::DiskFull);
        if self.random.one_in(rate) {
            self.disk_full_until_ms = self.now_ms + self.random.between(500, 8_000);
        }
    }

    fn gust_in_the_network(&mut self, profile: usize) {
        let until_ms = self.now_ms + self.random.between(500, 25_000);
        if self.strikes(Fault::PartitionBoth) {
            let link = &mut self.profiles[profile].link;
            (link.up_blocked_until_ms, link.down_blocked_until_ms) = (until_ms, until_ms);
        }
        if self.strikes(Fault::PartitionUp) {
            self.profiles[profile].link.up_blocked_until_ms = until_ms;
        }
        if self.strikes(Fault::PartitionDown) {
            self.profiles[profile].link.down_blocked_until_ms = until_ms;
        }
        if !self.profiles[profile].link.offline && self.strikes(Fault::Offline) {
            self.profiles[profile].link.offline = true;
            self.lose_streams_of(profile);
            self.tell_pages(profile, || Input::Doubt);
            let ms = self.random.between(500, 20_000);
            self.later(ms, Happening::Online { profile });
        }
        if self.strikes(Fault::WebSocketsBlocked) {
            self.profiles[profile].link.no_websockets_until_ms = until_ms;
        }
    }

    pub(crate) fn back_online(&mut self, profile: usize) {
        self.profiles[profile].link.offline = false;
        self.tell_pages(profile, || Input::Wake);
    }

    fn tell_pages(&mut self, profile: usize, input: impl Fn() -> Input<Doc>) {
        for tab in 0..self.tabs.len() {
            if self.tabs[tab].profile == profile {
                let page = self.tabs[tab].page;
                self.tell_page(tab, page, input());
            }
        }
    }

    fn gust_in_the_browser(&mut self, profile: usize) {
        let now_ms = self.now_ms;
        let rate = self.weather.rate(Fault::AuthenticateFailed);
        if self.random.one_in(rate) {
            self.profiles[profile].no_tokens_until_ms = now_ms + self.random.between(500, 15_000);
        }
        if self.strikes(Fault::BrowserClock) {
            let ms = self.random.between(0, 7_200_000);
            self.profiles[profile].clock_ahead_ms = ms;
        }
        if self.strikes(Fault::StorageFull) {
            self.profiles[profile].full_until_ms = now_ms + self.random.between(500, 20_000);
        }
        if self.strikes(Fault::StorageRefused) {
            self.profiles[profile].refused_until_ms = now_ms + self.random.between(500, 20_000);
            self.storage_lost(profile);
        }
        let keys = self.profiles[profile].storage.len();
        if keys > 0 && self.strikes(Fault::StorageCorrupt) {
            let place = self.random.position(keys);
            if let Some(value) = self.profiles[profile].storage.values_mut().nth(place) {
                *value = GARBAGE.to_owned();
            }
            self.storage_lost(profile);
        }
        if keys > 0 && self.strikes(Fault::StorageCleared) {
            self.profiles[profile].storage.clear();
            self.storage_lost(profile);
        }
        if self.strikes(Fault::IdentityChanged) {
            let other = self.random.below(4);
            self.profiles[profile].identifier = format!("stranger {other}");
            self.storage_lost(profile);
        }
    }

    /// Nothing that was stored in this browser is promised to outlive its page any more.
    fn storage_lost(&mut self, profile: usize) {
        let tabs = &self.tabs;
        for sent in self.ledger.sends.iter_mut().filter(|sent| sent.fate == Fate::Open) {
            if matches!(sent.sender, Sender::Page(tab, _) if tabs[tab].profile == profile) {
                sent.kept = false;
            }
        }
    }

    fn gust_in_a_tab(&mut self, tab: usize) {
        if self.tabs[tab].client.is_none() {
            return;
        }
        if !self.tabs[tab].frozen && self.strikes(Fault::TabFrozen) {
            self.tabs[tab].frozen = true;
            let ms = self.random.between(500, 90_000);
            self.later(ms, Happening::Thaw { tab });
        }
        if self.strikes(Fault::TabHidden) {
            let ms = self.random.between(1_000, 60_000);
            self.tabs[tab].hidden_until_ms = self.now_ms + ms;
            let page = self.tabs[tab].page;
            self.tell_page(tab, page, Input::Hidden(true));
            self.later(ms, Happening::Shown { tab, page });
        }
        if self.strikes(Fault::TabReloaded) {
            self.unload_tab(tab);
            let ms = self.random.between(20, 500);
            self.later(ms, Happening::OpenTab { tab });
        } else if self.strikes(Fault::TabClosed) {
            self.unload_tab(tab);
            let ms = self.random.between(1_000, 60_000);
            self.later(ms, Happening::OpenTab { tab });
        }
    }

    /// A page is loaded anew, whatever is on its way.
    pub(crate) fn reload_tab(&mut self, tab: usize) {
        if self.storming && self.tabs[tab].client.is_some() {
            self.count(Fault::TabReloaded);
            self.unload_tab(tab);
            let ms = self.random.between(20, 500);
            self.later(ms, Happening::OpenTab { tab });
        }
    }

    /// Everything that storms ends; what was broken works again.
    pub(crate) fn calm_down(&mut self) {
        self.note(|| "CALM".to_owned());
        self.storming = false;
        self.weather.calm_down();
        self.disk_full_until_ms = 0;
        for profile in 0..self.profiles.len() {
            let entry = &mut self.profiles[profile];
            entry.link.up_blocked_until_ms = 0;
            entry.link.down_blocked_until_ms = 0;
            entry.link.no_websockets_until_ms = 0;
            entry.full_until_ms = 0;
            entry.refused_until_ms = 0;
            entry.no_tokens_until_ms = 0;
            if entry.link.offline {
                self.back_online(profile);
            }
        }
        for tab in 0..self.tabs.len() {
            self.tabs[tab].hidden_until_ms = 0;
            let page = self.tabs[tab].page;
            self.tell_page(tab, page, Input::Hidden(false));
            if self.tabs[tab].frozen {
                self.thaw(tab);
            }
            if self.tabs[tab].client.is_none() {
                self.open_tab(tab);
            }
        }
    }
}

//! Check-in: whoever waits is asked whether they still do, after a time, when their turn comes near, or when every page of the chat is hidden. Who
//! does not answer loses the place and may rejoin. A chat knows neither its place nor its pages: both are told to its session.

use wire::ErrorCode;

use super::state::{ChatState, Draft, Notice, Script, Status};
use super::timers::Expiry;

/// A check-in that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckIn {
    /// Until when.
    pub expires_at_ms: u64,
    /// The end user's page shows the prompt, and the time began anew with that.
    pub notified: bool,
}

/// What the end user's page says to a check-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckInAnswer {
    /// The prompt is shown.
    Notified,
    /// The end user is there.
    Confirmed,
}

/// When a check-in is asked for, and what becomes of who misses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckInLimits {
    /// How long the end user may take to answer. 0 asks nobody.
    pub timeout_ms: u64,
    /// How long one waits, from the entry or the newest check-in on.
    pub after_ms: Option<u64>,
    /// The place in the queue, 1 is next, whose coming asks.
    pub at_position: Option<u64>,
    /// How long every page may be hidden.
    pub hidden_after_ms: Option<u64>,
    /// Who rejoins is before those who wait, not behind them.
    pub rejoin_at_front: bool,
}

impl CheckInLimits {
    /// Whether a check-in is ever asked for.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.timeout_ms > 0 && (self.after_ms.is_some() || self.at_position.is_some() || self.hidden_after_ms.is_some())
    }

    fn watches_pages(&self) -> bool {
        self.is_on() && self.hidden_after_ms.is_some()
    }
}

/// What a session was told beside commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sight {
    /// Whether the end user has a page of the chat in view, as far as pages say.
    pub(super) visible: Option<bool>,
    /// The chat's place in its queue.
    pub(super) place: Option<u64>,
}

/// What follows from a sight.
struct News {
    hidden: Option<bool>,
    is_behind: Option<bool>,
}

impl ChatState {
    pub(super) fn check_in_timer(&self, limits: &CheckInLimits) -> Option<(u64, Expiry)> {
        if !limits.is_on() {
            return None;
        }
        if let Some(check_in) = self.check_in {
            return Some((check_in.expires_at_ms, Expiry::CheckInTimeout));
        }
        let seen_at_ms = self.seen_at_ms?;
        let by_wait = limits.after_ms.map(|ms| seen_at_ms.saturating_add(ms));
        let hidden_since_ms = self.hidden_since_ms.map(|since_ms| since_ms.max(seen_at_ms));
        let by_page = hidden_since_ms.zip(limits.hidden_after_ms).map(|(since_ms, ms)| since_ms.saturating_add(ms));
        [by_wait, by_page].into_iter().flatten().min().map(|at_ms| (at_ms, Expiry::CheckInRequired))
    }

    fn news(&self, sight: Sight, limits: &CheckInLimits) -> News {
        let hidden = sight.visible.map(|visible| !visible).filter(|_| limits.watches_pages());
        let place = sight.place.filter(|_| limits.is_on() && self.status == Status::Queued);
        let is_behind = place.zip(limits.at_position).map(|(place, asked_at)| place > asked_at);
        News {
            hidden: hidden.filter(|hidden| *hidden != self.hidden_since_ms.is_some() && !self.status.is_over()),
            // While a check-in waits, coming nearer asks nothing: its answer serves for both.
            is_behind: is_behind
                .filter(|is_behind| *is_behind != self.queue_behind && (*is_behind || self.check_in.is_none())),
        }
    }

    /// Whether a sight changes the chat.
    pub(super) fn is_news(&self, sight: Sight, limits: &CheckInLimits) -> bool {
        let news = self.news(sight, limits);
        news.hidden.is_some() || news.is_behind.is_some()
    }
}

impl<B: Clone> Draft<B> {
    /// Takes in what was seen beside commands.
    pub(super) fn see(&mut self, sight: Sight, script: &dyn Script<B>) {
        let news = self.state.news(sight, &self.limits.check_in);
        if let Some(hidden) = news.hidden {
            self.state.hidden_since_ms = hidden.then_some(self.now_ms);
        }
        if let Some(is_behind) = news.is_behind {
            self.state.queue_behind = is_behind;
            if !is_behind {
                self.require_check_in(script);
            }
        }
    }

    pub(super) fn require_check_in(&mut self, script: &dyn Script<B>) {
        let timeout_ms = self.limits.check_in.timeout_ms;
        let expires_at_ms = self.now_ms.saturating_add(timeout_ms);
        self.state.check_in = Some(CheckIn { expires_at_ms, notified: false });
        self.notify(Notice::CheckInRequired { timeout_ms, expires_at_ms }, script);
    }

    /// The page that shows the prompt gets the whole time once, however long the notice took to arrive.
    pub(super) fn check_in(&mut self, answer: CheckInAnswer) -> Result<(), ErrorCode> {
        let Some(check_in) = self.state.check_in.as_mut() else { return Err(ErrorCode::Conflict) };
        match answer {
            CheckInAnswer::Notified if check_in.notified => {}
            CheckInAnswer::Notified => {
                check_in.notified = true;
                check_in.expires_at_ms = self.now_ms.saturating_add(self.limits.check_in.timeout_ms);
            }
            CheckInAnswer::Confirmed => {
                self.state.check_in = None;
                self.state.seen_at_ms = Some(self.now_ms);
                self.state.hidden_since_ms = None;
                // The next word about its place says whether it is behind still.
                self.state.queue_behind = false;
            }
        }
        Ok(())
    }

    pub(super) fn miss_check_in(&mut self, script: &dyn Script<B>) {
        self.leave(Status::CheckedOut);
        self.notify(Notice::CheckInTimedOut, script);
    }

    /// Back into the queue that was left.
    pub(super) fn rejoin(&mut self, script: &dyn Script<B>) -> Result<(), ErrorCode> {
        if self.state.status != Status::CheckedOut {
            return Err(ErrorCode::Conflict);
        }
        self.enter_queue();
        self.state.hidden_since_ms = None;
        self.state.queue_front = self.limits.check_in.rejoin_at_front;
        self.notify(Notice::ChatResumed, script);
        Ok(())
    }
}

//! What happens to a chat by itself: dismissal, with a warning before, timeout, expiry in the queue, check-ins. Each timer follows from times in
//! the stored state, so that a restart changes nothing, and what it does takes away its own condition. Measures no time itself.

use super::screen_share::ShareEnd;
use super::session::Limits;
use super::state::{ChatState, Draft, EndedBy, FailReason, Notice, Script, Status};

/// What a timer does when it runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    /// The chat of a silent end user ends.
    Timeout,
    /// Nobody came: the chat fails.
    QueueTimeout,
    /// The end user did not check in and loses the place in the queue.
    CheckInTimeout,
    /// The agent, or the virtual agent, is let go.
    Dismissal,
    /// The end user is told that the dismissal comes.
    DismissalWarning,
    /// The end user is asked to check in.
    CheckInRequired,
    /// The end user did not take the post-session up, or fell silent in it: it is over.
    PostSessionTimeout,
    /// The screen share's code, question or time is over.
    ScreenShare,
    /// The page that is shared was not heard for too long.
    SharePage,
}

type Timer = Option<(u64, Expiry)>;

fn after(since_ms: Option<u64>, ms: Option<u64>, expiry: Expiry) -> Timer {
    Some((since_ms?.saturating_add(ms?), expiry))
}

impl ChatState {
    /// The timer that runs out first, and when.
    pub(super) fn next_expiry(&self, limits: &Limits) -> Timer {
        if self.status.is_over() {
            return self.post_session_timer(limits);
        }
        // Who shares their screen is there.
        let timeout =
            after(Some(self.active_at_ms), limits.chat_timeout_ms, Expiry::Timeout).filter(|_| !self.is_shared());
        let own = match self.status {
            Status::Queued => [
                after(self.queued_at_ms, limits.queue_timeout_ms, Expiry::QueueTimeout),
                self.check_in_timer(&limits.check_in),
            ],
            Status::Assigned if self.is_shared() => [self.share_timer(), None],
            Status::Assigned => [self.dismissal_timer(limits), self.share_timer()],
            Status::VaAssigned => [after(Some(self.active_at_ms), limits.va_dismiss_after_ms, Expiry::Dismissal), None],
            _ => [None, None],
        };
        // Of two at the same moment the end comes before anything else.
        [timeout].into_iter().chain(own).flatten().min_by_key(|(at_ms, _)| *at_ms)
    }

    /// The warning comes first, and the dismissal when it said.
    fn dismissal_timer(&self, limits: &Limits) -> Timer {
        let due = after(self.unanswered_since_ms, limits.dismiss_after_ms, Expiry::Dismissal)?;
        match (self.dismiss_at_ms, limits.dismiss_warning_ms) {
            (Some(at_ms), _) => Some((at_ms, Expiry::Dismissal)),
            (None, Some(warning_ms)) => Some((due.0.saturating_sub(warning_ms), Expiry::DismissalWarning)),
            (None, None) => Some(due),
        }
    }
}

impl<B: Clone> Draft<B> {
    /// Carries out what is due.
    pub(super) fn expire(&mut self, expiry: Expiry, script: &dyn Script<B>) {
        match expiry {
            Expiry::Timeout => self.end_by(EndedBy::Timeout, script),
            Expiry::QueueTimeout => self.fail(FailReason::Expired, script),
            Expiry::CheckInTimeout => self.miss_check_in(script),
            Expiry::CheckInRequired => self.require_check_in(script),
            Expiry::PostSessionTimeout => self.end_post_session(script),
            Expiry::ScreenShare => self.expire_share(script),
            Expiry::SharePage => self.end_share(ShareEnd::ActiveTimeout, script),
            Expiry::DismissalWarning => {
                // However late the warning comes, it is as long as it was configured.
                let since_ms = self.state.unanswered_since_ms.unwrap_or(self.now_ms);
                let due_ms = since_ms.saturating_add(self.limits.dismiss_after_ms.unwrap_or(0));
                let warned_ms = self.now_ms.saturating_add(self.limits.dismiss_warning_ms.unwrap_or(0));
                let dismiss_at_ms = due_ms.max(warned_ms);
                self.state.dismiss_at_ms = Some(dismiss_at_ms);
                self.notify(Notice::DismissalWarning { dismiss_at_ms }, script);
            }
            Expiry::Dismissal => {
                let had_agent = self.state.status == Status::Assigned;
                self.end_share(ShareEnd::AgentChanged, script);
                self.leave(if had_agent { Status::Dismissed } else { Status::VaDismissed });
                self.state.end_user_wrote = false;
                self.notify(Notice::ChatDismissed, script);
            }
        }
    }
}

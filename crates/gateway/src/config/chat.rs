//! The life of a chat: what happens when an end user stays silent, waits in vain, or is asked to check in.

use engine::gateway::{CheckInLimits, Limits, ShareLimits};
use serde::Deserialize;

use super::ConfigError;

/// The life of a chat; 0 turns a timer off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chat {
    /// How long an agent's last message may stay unanswered before the agent is let go.
    pub dismiss_after_ms: u64,
    /// How long before that the end user is warned; a warning that would not come after the message is none.
    pub dismiss_warning_ms: u64,
    /// How long an end user may be silent before a virtual agent is let go.
    pub va_dismiss_after_ms: u64,
    /// How long a chat waits in a queue before it fails.
    pub queue_timeout_ms: u64,
    /// How long an end user may be silent before the chat ends.
    pub timeout_ms: u64,
    /// How long what follows the human part waits for the end user.
    pub post_session_timeout_ms: u64,
    /// Whether those who wait are asked if they still do.
    pub check_in: CheckIn,
    /// How long a screen share may take.
    pub screen_share: ScreenShare,
}

impl Default for Chat {
    fn default() -> Self {
        Chat {
            dismiss_after_ms: 10 * 60 * 1000,
            dismiss_warning_ms: 5 * 60 * 1000,
            va_dismiss_after_ms: 0,
            queue_timeout_ms: 0,
            timeout_ms: 24 * 60 * 60 * 1000,
            post_session_timeout_ms: 30 * 60 * 1000,
            check_in: CheckIn::default(),
            screen_share: ScreenShare::default(),
        }
    }
}

/// When those who wait are asked whether they still do; 0 turns a question off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckIn {
    /// After waiting for so long, and again after as long.
    pub after_ms: u64,
    /// On coming to this place in the queue; 1 is next.
    pub at_position: u64,
    /// After every page has been hidden for so long.
    pub hidden_after_ms: u64,
    /// How long the answer may take.
    pub timeout_ms: u64,
    /// Where one rejoins who missed it.
    pub rejoin: Rejoin,
}

impl Default for CheckIn {
    fn default() -> Self {
        CheckIn { after_ms: 0, at_position: 0, hidden_after_ms: 0, timeout_ms: 60_000, rejoin: Rejoin::Back }
    }
}

/// How long a screen share may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScreenShare {
    /// How long a code waits for the agent.
    pub pending_ms: u64,
    /// How long the customer may take to answer.
    pub authorizing_ms: u64,
    /// How long the customer's page may be silent.
    pub page_ms: u64,
    /// How long it may go on.
    pub active_ms: u64,
}

impl Default for ScreenShare {
    fn default() -> Self {
        let ShareLimits { pending_ms, authorizing_ms, page_ms, active_ms, .. } = ShareLimits::default();
        ScreenShare { pending_ms, authorizing_ms, page_ms, active_ms }
    }
}

/// Where one comes back into a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejoin {
    /// Before those who wait.
    Front,
    /// Behind them.
    Back,
}

impl Chat {
    /// What the engine is told.
    pub(crate) fn session_limits(&self) -> Limits {
        let timer = |ms: u64| Some(ms).filter(|ms| *ms > 0);
        let asked = self.check_in;
        let shared = self.screen_share;
        Limits {
            dismiss_after_ms: timer(self.dismiss_after_ms),
            dismiss_warning_ms: timer(self.dismiss_warning_ms).filter(|ms| *ms < self.dismiss_after_ms),
            va_dismiss_after_ms: timer(self.va_dismiss_after_ms),
            queue_timeout_ms: timer(self.queue_timeout_ms),
            chat_timeout_ms: timer(self.timeout_ms),
            post_session_timeout_ms: timer(self.post_session_timeout_ms),
            check_in: CheckInLimits {
                timeout_ms: asked.timeout_ms,
                after_ms: timer(asked.after_ms),
                at_position: timer(asked.at_position),
                hidden_after_ms: timer(asked.hidden_after_ms),
                rejoin_at_front: asked.rejoin == Rejoin::Front,
            },
            share: ShareLimits {
                pending_ms: shared.pending_ms,
                authorizing_ms: shared.authorizing_ms,
                page_ms: shared.page_ms,
                active_ms: shared.active_ms,
                ..ShareLimits::default()
            },
            ..Limits::default()
        }
    }

    /// Says what is contradictory.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let fail = |text: &str| Err(ConfigError::Invalid(text.to_owned()));
        let is_too_long = |ms: u64| self.timeout_ms != 0 && ms > self.timeout_ms;
        if is_too_long(self.dismiss_after_ms) {
            return fail("chat.dismiss_after_ms must not be longer than chat.timeout_ms; 0 turns either off");
        }
        if is_too_long(self.va_dismiss_after_ms) {
            return fail("chat.va_dismiss_after_ms must not be longer than chat.timeout_ms; 0 turns either off");
        }
        let CheckIn { after_ms, at_position, hidden_after_ms, timeout_ms, .. } = self.check_in;
        if timeout_ms == 0 && (after_ms, at_position, hidden_after_ms) != (0, 0, 0) {
            return fail("chat.check_in.timeout_ms must be more than 0 where check-ins are asked for");
        }
        let ScreenShare { pending_ms, authorizing_ms, page_ms, active_ms } = self.screen_share;
        if [pending_ms, authorizing_ms, page_ms, active_ms].into_iter().any(|ms| ms < 100) {
            return fail("the times of chat.screen_share must be at least 100");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_that_would_not_come_after_the_message_is_none() {
        for (dismiss_after_ms, dismiss_warning_ms, expected) in
            [(600, 300, Some(300)), (300, 300, None), (0, 300, None), (600, 0, None)]
        {
            let chat = Chat { dismiss_after_ms, dismiss_warning_ms, ..Chat::default() };
            assert_eq!(chat.session_limits().dismiss_warning_ms, expected, "{chat:?}");
        }
    }

    #[test]
    fn a_screen_share_has_its_times_and_none_is_nothing() {
        let times = ScreenShare { pending_ms: 1_000, authorizing_ms: 2_000, page_ms: 3_000, active_ms: 4_000 };
        let share = Chat { screen_share: times, ..Chat::default() }.session_limits().share;
        assert_eq!(
            (share.pending_ms, share.authorizing_ms, share.page_ms, share.active_ms),
            (1_000, 2_000, 3_000, 4_000)
        );
        assert_eq!(Chat::default().session_limits().share, ShareLimits::default());
        for change in [
            |times: &mut ScreenShare| times.pending_ms = 0,
            |times: &mut ScreenShare| times.authorizing_ms = 99,
            |times: &mut ScreenShare| times.page_ms = 0,
            |times: &mut ScreenShare| times.active_ms = 0,
        ] {
            let mut chat = Chat::default();
            change(&mut chat.screen_share);
            assert!(chat.check().is_err_and(|error| error.to_string().contains("chat.screen_share")));
        }
    }

    #[test]
    fn nobody_is_asked_to_check_in_unless_it_is_configured() {
        assert!(!Chat::default().session_limits().check_in.is_on());
        let asked = CheckIn { at_position: 2, ..CheckIn::default() };
        let limits = Chat { check_in: asked, ..Chat::default() }.session_limits();
        assert!(limits.check_in.is_on() && !limits.check_in.rejoin_at_front);
    }
}

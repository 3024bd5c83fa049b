//! Calls as they stand in the configuration: how the hours of a queue are divided into slots, and how much one end user may ask for. What a slot is
//! at a moment is `platform::embedded::hours`; no telephony is configured here, because the gateway has none.

use phonenumber::country::Id;
use serde::Deserialize;

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
/// Slots that a queue has at most within its horizon: each is one entry of an answer.
const MAX_SLOTS: u64 = 10_000;

/// How calls can be had.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Calls {
    /// How long a slot is; the business hours are divided from their beginning on.
    pub slot_ms: u64,
    /// How far ahead a slot may begin.
    pub horizon_ms: u64,
    /// How soon a slot may begin, at least.
    pub lead_ms: u64,
    /// Calls in one slot of one queue.
    pub per_slot: u64,
    /// The country of telephone numbers that name none, as two letters (`IT`); without, every number needs its country code.
    pub country: Option<String>,
    /// Calls of one end user that are not over, at a time.
    pub open_per_end_user: u64,
    /// Calls of one end user in 24 hours.
    pub per_end_user_per_day: u64,
    /// What a call tells in `survey_enabled`; the gateway holds no surveys about calls.
    pub survey_enabled: bool,
}

impl Default for Calls {
    fn default() -> Self {
        Calls {
            slot_ms: 30 * MINUTE_MS,
            horizon_ms: 7 * DAY_MS,
            lead_ms: 15 * MINUTE_MS,
            per_slot: 1,
            country: None,
            open_per_end_user: 3,
            per_end_user_per_day: 10,
            survey_enabled: false,
        }
    }
}

impl Calls {
    /// The country of numbers that name none.
    pub(crate) fn country(&self) -> Option<Id> {
        self.country.as_deref().and_then(|code| code.parse().ok())
    }
}

pub(super) fn check_calls(calls: &Calls) -> Result<(), String> {
    let fail = |text: &str| Err(format!("calls: {text}"));
    if calls.slot_ms < MINUTE_MS || calls.slot_ms > DAY_MS {
        return fail("slot_ms must be between 60000 (a minute) and 86400000 (a day)");
    }
    if calls.horizon_ms <= calls.lead_ms || calls.horizon_ms > 366 * DAY_MS {
        return fail("horizon_ms must be more than lead_ms and at most 31622400000 (366 days)");
    }
    if calls.horizon_ms / calls.slot_ms > MAX_SLOTS {
        return fail("horizon_ms may have at most 10000 times slot_ms: take longer slots or a nearer horizon");
    }
    if calls.per_slot == 0 || calls.open_per_end_user == 0 || calls.per_end_user_per_day == 0 {
        return fail("per_slot, open_per_end_user and per_end_user_per_day must be at least 1");
    }
    if calls.country.is_some() && calls.country().is_none() {
        return fail("country must be two letters such as IT");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_refused() {
        let check = |text: &str| check_calls(&toml::from_str(text).unwrap());
        for good in ["", "country = \"IT\"", "slot_ms = 60000\nhorizon_ms = 86400000", "lead_ms = 0"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (wrong, expected) in [
            ("slot_ms = 59999", "slot_ms"),
            ("slot_ms = 86400001", "slot_ms"),
            ("horizon_ms = 900000", "horizon_ms"),
            ("horizon_ms = 31622400001", "horizon_ms"),
            ("slot_ms = 60000\nhorizon_ms = 864000000", "10000 times"),
            ("per_slot = 0", "per_slot"),
            ("open_per_end_user = 0", "open_per_end_user"),
            ("per_end_user_per_day = 0", "per_end_user_per_day"),
            ("country = \"Italy\"", "country"),
            ("country = \"XX\"", "country"),
        ] {
            assert!(check(wrong).unwrap_err().contains(expected), "{wrong}");
        }
    }
}

//! Whether a queue is open at a moment: the configured spans of the week read on the clock of their time zone, summer time included. The
//! zones' data is built in and does not depend on the machine's.

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use crate::config::{Hours, Span};

/// Business hours in their time zone.
#[derive(Debug)]
pub(crate) struct Schedule {
    zone: TimeZone,
    hours: Hours,
}

impl Schedule {
    /// The hours, in their own zone or the company's. The configuration was checked: an unknown zone reads as UTC.
    pub(crate) fn new(hours: &Hours, company_zone: &str) -> Schedule {
        let name = hours.timezone.as_deref().unwrap_or(company_zone);
        Schedule { zone: TimeZone::get(name).unwrap_or(TimeZone::UTC), hours: hours.clone() }
    }

    /// Whether chats are taken at this time.
    pub(crate) fn is_open(&self, at_ms: u64) -> bool {
        let Some(at) = i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()) else {
            return false;
        };
        let local = self.zone.to_datetime(at);
        let today = local.date();
        let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
        let fits_today = self.spans(today).iter().any(|span| {
            let (from, to) = minutes(span);
            from <= minute && (minute < to || to < from)
        });
        // What began yesterday and ends after midnight.
        let fits_yesterday = || {
            let Ok(yesterday) = today.yesterday() else { return false };
            self.spans(yesterday).iter().any(|span| {
                let (from, to) = minutes(span);
                to < from && minute < to
            })
        };
        fits_today || fits_yesterday()
    }

    fn spans(&self, date: Date) -> &[Span] {
        let is_date = |day: &crate::config::Day| {
            day.year.is_none_or(|year| year == date.year()) && (day.month, day.day) == (date.month(), date.day())
        };
        if self.hours.closed_on.iter().any(is_date) {
            return &[];
        }
        match date.weekday() {
            Weekday::Monday => &self.hours.mon,
            Weekday::Tuesday => &self.hours.tue,
            Weekday::Wednesday => &self.hours.wed,
            Weekday::Thursday => &self.hours.thu,
            Weekday::Friday => &self.hours.fri,
            Weekday::Saturday => &self.hours.sat,
            Weekday::Sunday => &self.hours.sun,
        }
    }
}

fn minutes(span: &Span) -> (i32, i32) {
    (i32::from(span.from_min), i32::from(span.to_min))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(text: &str) -> Schedule {
        Schedule::new(&toml::from_str(text).unwrap(), "America/New_York")
    }

    fn open(schedule: &Schedule, utc: &str) -> bool {
        let at: Timestamp = utc.parse().unwrap();
        schedule.is_open(u64::try_from(at.as_millisecond()).unwrap())
    }

    #[test]
    fn hours_follow_the_clock_of_their_zone_through_summer_and_winter_time() {
        let rome =
            schedule("timezone = \"Europe/Rome\"\nmon = [\"09:00-18:00\"]\ntue = [\"09:00-12:00\", \"14:00-18:00\"]");
        let table = [
            // Winter: one hour ahead of UTC.
            ("2026-01-05T07:59:59Z", false),
            ("2026-01-05T08:00:00Z", true),
            ("2026-01-05T16:59:59Z", true),
            ("2026-01-05T17:00:00Z", false),
            // Summer: two hours ahead.
            ("2026-07-06T07:00:00Z", true),
            ("2026-07-06T06:59:00Z", false),
            ("2026-07-06T16:00:00Z", false),
            // A break at noon.
            ("2026-01-06T10:59:00Z", true),
            ("2026-01-06T11:30:00Z", false),
            ("2026-01-06T13:00:00Z", true),
            // A day without hours.
            ("2026-01-07T10:00:00Z", false),
        ];
        for (utc, expected) in table {
            assert_eq!(open(&rome, utc), expected, "{utc}");
        }
    }

    #[test]
    fn a_zone_that_is_not_said_is_the_companys() {
        let monday = schedule("mon = [\"09:00-17:00\"]");
        assert!(!open(&monday, "2026-01-05T13:59:00Z"));
        assert!(open(&monday, "2026-01-05T14:00:00Z"));
    }

    #[test]
    fn a_span_over_midnight_belongs_to_the_day_on_which_it_begins() {
        let night = schedule(
            "timezone = \"UTC\"\nfri = [\"22:00-06:00\"]\nsun = [\"00:00-24:00\"]\nclosed_on = [\"2026-01-16\", \"01-25\"]",
        );
        let table = [
            ("2026-01-09T21:59:00Z", false),
            ("2026-01-09T22:00:00Z", true),
            ("2026-01-10T05:59:00Z", true),
            ("2026-01-10T06:00:00Z", false),
            ("2026-01-11T00:00:00Z", true),
            ("2026-01-11T23:59:59Z", true),
            ("2026-01-12T00:00:00Z", false),
            // Closed on that Friday, and so in the night after it.
            ("2026-01-16T23:00:00Z", false),
            ("2026-01-17T01:00:00Z", false),
            // Closed on this day of every year.
            ("2026-01-25T12:00:00Z", false),
            ("2027-01-24T12:00:00Z", true),
        ];
        for (utc, expected) in table {
            assert_eq!(open(&night, utc), expected, "{utc}");
        }
    }

    #[test]
    fn no_time_is_too_large() {
        assert!(!schedule("mon = [\"00:00-24:00\"]").is_open(u64::MAX));
        assert!(!schedule("").is_open(0));
    }
}

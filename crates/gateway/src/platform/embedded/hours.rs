//! Whether a queue is open at a moment, and the slots of time that its hours are made of: the configured spans of the week read on the clock of
//! their time zone, summer time included. The zones' data is built in and does not depend on the machine's.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use crate::config::{Hours, Span};

/// Minutes of a day.
const DAY_MIN: u16 = 24 * 60;

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

    /// Every hour of the week, by the clock of this zone.
    pub(crate) fn always(company_zone: &str) -> Schedule {
        let day = || vec![Span { from_min: 0, to_min: DAY_MIN }];
        let hours = Hours {
            timezone: None,
            mon: day(),
            tue: day(),
            wed: day(),
            thu: day(),
            fri: day(),
            sat: day(),
            sun: day(),
            closed_on: Vec::new(),
        };
        Schedule::new(&hours, company_zone)
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

    /// The name of the time zone.
    pub(crate) fn timezone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The beginnings of the slots that lie whole within the hours and begin in `from_ms..until_ms`, the first one first. A span is divided from its
    /// beginning on, by time that really passes: where clocks go forward it has fewer slots, where they go back it has more.
    pub(crate) fn slots(&self, from_ms: u64, until_ms: u64, slot_ms: u64) -> BTreeSet<u64> {
        let mut slots = BTreeSet::new();
        let moment = |ms: u64| i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let (Some(from), Some(until)) = (moment(from_ms), moment(until_ms)) else { return slots };
        let last = self.zone.to_datetime(until).date();
        // What began yesterday may end after midnight.
        let today = self.zone.to_datetime(from).date();
        let mut day = today.yesterday().unwrap_or(today);
        while day <= last && slot_ms > 0 {
            let Ok(next) = day.tomorrow() else { break };
            for span in self.spans(day) {
                let ends_on = if span.to_min < span.from_min { next } else { day };
                let ends = self.at_minute(day, span.from_min).zip(self.at_minute(ends_on, span.to_min));
                let Some((mut start, end)) = ends else { continue };
                while start.saturating_add(slot_ms) <= end {
                    // An end that the clock leaves out comes as much later: what is after the hours by the clock is no slot.
                    let is_within =
                        self.is_open(start) && self.is_open(start.saturating_add(slot_ms).saturating_sub(1));
                    if (from_ms..until_ms).contains(&start) && is_within {
                        slots.insert(start);
                    }
                    start = start.saturating_add(slot_ms);
                }
            }
            day = next;
        }
        slots
    }

    /// When a clock of the zone shows this minute of a day. A minute that is left out when clocks go forward comes as much later; of one that is
    /// shown twice it is the first time.
    fn at_minute(&self, date: Date, minute: u16) -> Option<u64> {
        let (date, minute) = if minute >= DAY_MIN { (date.tomorrow().ok()?, 0) } else { (date, minute) };
        let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
        let at = self.zone.to_timestamp(date.at(hour, minute, 0, 0)).ok()?;
        u64::try_from(at.as_millisecond()).ok()
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

    /// The slots of one day of UTC, as UTC.
    fn slots(schedule: &Schedule, from: &str, until: &str, slot_min: u64) -> Vec<String> {
        let ms = |text: &str| u64::try_from(text.parse::<Timestamp>().unwrap().as_millisecond()).unwrap();
        let slots = schedule.slots(ms(from), ms(until), slot_min * 60_000);
        let text = |ms: u64| Timestamp::from_millisecond(i64::try_from(ms).unwrap()).unwrap().to_string();
        slots.into_iter().map(text).collect()
    }

    #[test]
    fn slots_fill_the_hours_and_none_is_cut_short() {
        let rome = schedule(
            "timezone = \"Europe/Rome\"\nmon = [\"09:00-10:45\", \"14:00-14:30\"]\nclosed_on = [\"2026-01-12\"]",
        );
        let day = |from: &str, until: &str| slots(&rome, from, until, 30);
        assert_eq!(
            day("2026-01-05T00:00:00Z", "2026-01-12T23:00:00Z"),
            ["2026-01-05T08:00:00Z", "2026-01-05T08:30:00Z", "2026-01-05T09:00:00Z", "2026-01-05T13:00:00Z"],
            "winter, and the Monday after is closed"
        );
        assert_eq!(
            day("2026-07-06T07:30:00Z", "2026-07-06T08:00:00Z"),
            ["2026-07-06T07:30:00Z"],
            "summer; the beginning counts, the end does not"
        );
        assert!(day("2026-01-06T00:00:00Z", "2026-01-11T23:59:59Z").is_empty());
        assert_eq!(slots(&schedule(""), "2026-01-05T00:00:00Z", "2026-02-05T00:00:00Z", 30), Vec::<String>::new());
    }

    #[test]
    fn slots_follow_clocks_that_go_forward_and_back() {
        let rome = schedule("timezone = \"Europe/Rome\"\nsat = [\"23:00-03:30\"]\nsun = [\"03:00-04:00\"]");
        // 29 March: 02:00 is 03:00, so that the night has three hours and a half, and both spans share an hour.
        assert_eq!(
            slots(&rome, "2026-03-28T20:00:00Z", "2026-03-29T20:00:00Z", 60),
            ["2026-03-28T22:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"]
        );
        // 25 October: the clock shows 02:00 to 03:00 twice.
        assert_eq!(
            slots(&rome, "2026-10-24T20:00:00Z", "2026-10-25T20:00:00Z", 60),
            [
                "2026-10-24T21:00:00Z",
                "2026-10-24T22:00:00Z",
                "2026-10-24T23:00:00Z",
                "2026-10-25T00:00:00Z",
                "2026-10-25T01:00:00Z",
                "2026-10-25T02:00:00Z"
            ]
        );
        // A beginning that the clock leaves out.
        let gap = schedule("timezone = \"Europe/Rome\"\nsun = [\"02:30-05:00\"]");
        assert_eq!(
            slots(&gap, "2026-03-29T00:00:00Z", "2026-03-29T20:00:00Z", 60),
            ["2026-03-29T01:30:00Z"],
            "from 03:30 on"
        );
        let always = Schedule::always("Europe/Rome");
        let hours = |from: &str, until: &str| slots(&always, from, until, 60).len();
        assert_eq!(hours("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"), 23);
        assert_eq!(hours("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"), 25);
        assert_eq!(always.timezone(), "Europe/Rome");
    }

    #[test]
    fn every_slot_begins_within_the_hours() {
        let week = "[\"00:30-02:15\", \"22:10-01:05\"]";
        let text: String =
            ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| format!("{day} = {week}\n")).concat();
        for zone in ["Europe/Rome", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu"] {
            let schedule = schedule(&format!("timezone = {zone:?}\n{text}"));
            let slots = schedule.slots(1_767_225_600_000, 1_798_761_600_000, 900_000);
            assert!(slots.len() > 5_000, "{zone}");
            let wrong: Vec<&u64> = slots.iter().filter(|at| !schedule.is_open(**at)).collect();
            assert!(wrong.is_empty(), "{zone}: {wrong:?}");
        }
    }

    #[test]
    fn no_time_is_too_large() {
        assert!(Schedule::always("UTC").slots(0, u64::MAX, 1).is_empty());
        assert!(Schedule::always("UTC").slots(0, 1_000, 0).is_empty());
        assert!(!schedule("mon = [\"00:00-24:00\"]").is_open(u64::MAX));
        assert!(!schedule("").is_open(0));
    }
}

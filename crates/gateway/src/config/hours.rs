//! Business hours as they stand in the configuration: spans of a week and days without any. What they mean at a moment is
//! `platform::embedded::hours`.

use serde::Deserialize;

/// When a queue takes chats. Days without a span are closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hours {
    /// An IANA time zone such as `Europe/Rome`; the company's where absent.
    pub timezone: Option<String>,
    /// Monday.
    pub mon: Vec<Span>,
    /// Tuesday.
    pub tue: Vec<Span>,
    /// Wednesday.
    pub wed: Vec<Span>,
    /// Thursday.
    pub thu: Vec<Span>,
    /// Friday.
    pub fri: Vec<Span>,
    /// Saturday.
    pub sat: Vec<Span>,
    /// Sunday.
    pub sun: Vec<Span>,
    /// Days without hours, every year (`12-25`) or once (`2026-04-06`).
    pub closed_on: Vec<Day>,
}

/// A span of a day: `09:00-18:00`. One that ends before it begins ends on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Span {
    /// The first minute of the day.
    pub from_min: u16,
    /// The minute after the last one, up to 1440.
    pub to_min: u16,
}

impl TryFrom<String> for Span {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Span, &'static str> {
        const WRONG: &str = "business hours are written like \"09:00-18:00\", from 00:00 to 24:00";
        let (from, to) = text.split_once('-').ok_or(WRONG)?;
        let (from_min, to_min) = (minute(from).ok_or(WRONG)?, minute(to).ok_or(WRONG)?);
        if from_min >= DAY_MIN || to_min > DAY_MIN || from_min == to_min {
            return Err(WRONG);
        }
        Ok(Span { from_min, to_min })
    }
}

/// Minutes of a day.
const DAY_MIN: u16 = 24 * 60;

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute): (u16, u16) = (digits(hour)?, digits(minute)?);
    (hour <= 24 && minute < 60).then_some(hour * 60 + minute)
}

fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// A day of every year, or of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Day {
    /// The year; every year where absent.
    pub year: Option<i16>,
    /// 1 to 12.
    pub month: i8,
    /// 1 to 31.
    pub day: i8,
}

impl TryFrom<String> for Day {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Day, &'static str> {
        const WRONG: &str = "a day is written like \"12-25\" or \"2026-12-25\"";
        let mut parts = text.rsplitn(3, '-');
        let day: i8 = parts.next().and_then(digits).ok_or(WRONG)?;
        let month: i8 = parts.next().and_then(digits).ok_or(WRONG)?;
        let year: Option<i16> = match parts.next() {
            Some(year) if year.len() == 4 => Some(year.parse().map_err(|_| WRONG)?),
            Some(_) => return Err(WRONG),
            None => None,
        };
        // A leap year, so that 29 February is a day of every year.
        jiff::civil::Date::new(year.unwrap_or(2024), month, day).map_err(|_| WRONG)?;
        Ok(Day { year, month, day })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_days_are_read_or_refused() {
        let span = |text: &str| Span::try_from(text.to_owned()).ok().map(|span| (span.from_min, span.to_min));
        assert_eq!(span("09:00-18:30"), Some((540, 1110)));
        assert_eq!(span("00:00 - 24:00"), Some((0, 1440)));
        assert_eq!(span("22:00-06:00"), Some((1320, 360)));
        for wrong in
            ["9-18", "09:00", "09:00-09:00", "25:00-26:00", "09:60-10:00", "24:00-25:00", "+9:00-10:00", "", "x-y"]
        {
            assert_eq!(span(wrong), None, "{wrong}");
        }
        let day = |text: &str| Day::try_from(text.to_owned()).ok().map(|day| (day.year, day.month, day.day));
        assert_eq!(day("12-25"), Some((None, 12, 25)));
        assert_eq!(day("02-29"), Some((None, 2, 29)));
        assert_eq!(day("2026-04-06"), Some((Some(2026), 4, 6)));
        for wrong in ["2025-02-29", "13-01", "00-10", "1-1", "26-04-06", "25", "", "2026-04-06-07"] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }
}

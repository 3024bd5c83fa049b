//! What others read of a text: matches of a company's patterns, and the numbers of payment cards, replaced. Knows nothing of messages and
//! readers, and keeps nothing.

use std::borrow::Cow;
use std::ops::Range;

use regex::Regex;

use crate::config::{Builtin, Redaction};

/// Digits of a payment card's number (ISO/IEC 7812).
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;
/// Digits that stay.
const SHOWN_DIGITS: usize = 4;
/// Most characters between two groups of digits, as in `4111 - 1111`.
const MAX_GAP: usize = 3;

/// A company's rules, ready for use.
#[derive(Debug, Default)]
pub(crate) struct Redactor(Vec<Rule>);

#[derive(Debug)]
enum Rule {
    Pattern { regex: Regex, replacement: String },
    Card,
}

impl Redactor {
    /// The rules of a configuration that was checked; what is wrong would have stopped the start.
    pub(crate) fn new(rules: &[Redaction]) -> Redactor {
        let compiled = rules.iter().filter_map(|rule| match (&rule.pattern, rule.builtin) {
            (_, Some(Builtin::Card)) => Some(Rule::Card),
            (Some(pattern), None) => {
                let regex = crate::config::compile(pattern).ok()?;
                Some(Rule::Pattern { regex, replacement: rule.replacement.clone().unwrap_or_default() })
            }
            (None, None) => None,
        });
        Redactor(compiled.collect())
    }

    /// Whether there is no rule at all.
    pub(crate) fn is_idle(&self) -> bool {
        self.0.is_empty()
    }

    /// The text with everything replaced that the rules find, in their order; `None` where nothing is.
    pub(crate) fn redact(&self, text: &str) -> Option<String> {
        let redacted = self.0.iter().fold(Cow::Borrowed(text), |text, rule| {
            let changed = match rule {
                Rule::Pattern { regex, replacement } => match regex.replace_all(&text, replacement.as_str()) {
                    Cow::Owned(changed) => Some(changed),
                    Cow::Borrowed(_) => None,
                },
                Rule::Card => without_cards(&text),
            };
            changed.map_or(text, Cow::Owned)
        });
        (redacted != text).then(|| redacted.into_owned())
    }
}

/// The text with the numbers of payment cards as `•••• 1111`; `None` where there is none.
fn without_cards(text: &str) -> Option<String> {
    let groups = groups(text);
    let mut shown = String::new();
    let mut done = 0;
    let mut first = 0;
    while let Some(rest) = groups.get(first..).filter(|rest| !rest.is_empty()) {
        let Some((count, range, digits)) = card(text, rest) else {
            first += 1;
            continue;
        };
        shown.push_str(text.get(done..range.start).unwrap_or_default());
        shown.push_str("•••• ");
        shown.extend(
            digits.iter().skip(digits.len().saturating_sub(SHOWN_DIGITS)).map(|digit| char::from(b'0' + digit)),
        );
        done = range.end;
        first += count;
    }
    if done == 0 {
        return None;
    }
    shown.push_str(text.get(done..).unwrap_or_default());
    Some(shown)
}

/// Unbroken runs of digits: where they are.
fn groups(text: &str) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        match groups.last_mut() {
            Some(last) if last.end == at => last.end = at + 1,
            _ => groups.push(at..at + 1),
        }
    }
    groups
}

/// The longest card number that begins with the first of these groups: how many groups, where, and its digits.
fn card(text: &str, groups: &[Range<usize>]) -> Option<(usize, Range<usize>, Vec<u8>)> {
    let mut digits: Vec<u8> = Vec::new();
    let mut found = None;
    let mut end = None;
    let start = groups.first()?.start;
    for (position, group) in groups.iter().enumerate() {
        let belongs = end.is_none_or(|end| text.get(end..group.start).is_some_and(is_gap));
        if !belongs || digits.len() + group.len() > *CARD_DIGITS.end() {
            break;
        }
        digits.extend(text.get(group.clone()).unwrap_or_default().bytes().map(|byte| byte - b'0'));
        end = Some(group.end);
        if CARD_DIGITS.contains(&digits.len()) && passes_luhn(&digits) {
            found = Some((position + 1, start..group.end, digits.clone()));
        }
    }
    found
}

/// Spaces and dashes, as people and keyboards write them.
fn is_gap(text: &str) -> bool {
    let separates = |c: char| matches!(c, ' ' | '-' | '\u{a0}' | '\u{202f}' | '\u{2010}'..='\u{2014}');
    text.chars().count() <= MAX_GAP && text.chars().all(separates)
}

/// The check of ISO/IEC 7812-1, annex B.
fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([false, true].into_iter().cycle())
        .map(|(digit, twice)| {
            let value = u32::from(*digit) * if twice { 2 } else { 1 };
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    // A row of zeros passes the sum and is no card.
    sum > 0 && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(toml: &str) -> Redactor {
        let rules: std::collections::HashMap<String, Vec<Redaction>> =
            toml::from_str(&format!("redaction = [{toml}]")).unwrap();
        Redactor::new(&rules["redaction"])
    }

    #[test]
    fn card_numbers_keep_their_last_four_digits() {
        let cards = redactor("{ builtin = \"card\" }");
        let table = [
            ("4111111111111111", Some("•••• 1111")),
            ("my card 4111 1111 1111 1111, please", Some("my card •••• 1111, please")),
            ("4111-1111-1111-1111", Some("•••• 1111")),
            ("4111 - 1111 - 1111 - 1111", Some("•••• 1111")),
            ("4111\u{a0}1111\u{2013}1111\u{a0}1111", Some("•••• 1111")),
            ("3782 822463 10005", Some("•••• 0005")),
            ("4222222222222 and 6011000990139424!", Some("•••• 2222 and •••• 9424!")),
            ("order 12 4111 1111 1111 1111 99", Some("order 12 •••• 1111 99")),
            ("è4111111111111111è", Some("è•••• 1111è")),
            ("4111 1111 1111 1112", None),
            ("411111111111111", None),
            ("4111\n1111\n1111\n1111", None),
            ("4111    1111    1111    1111", None),
            ("0000 0000 0000 0000", None),
            ("00004111111111111111", None),
            ("call +39 06 1234 5678", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(cards.redact(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn patterns_apply_in_their_order_and_say_when_nothing_was_found() {
        let rules = redactor(
            r#"{ pattern = '(?i)\b([A-Z]{2})-\d{4}\b', replacement = "$1-…" }, { pattern = "…", replacement = "?" }, { pattern = "same", replacement = "same" }"#,
        );
        assert_eq!(rules.redact("See ab-1234 and CD-9999.").as_deref(), Some("See ab-? and CD-?."));
        assert_eq!(rules.redact("nothing, or the same"), None);
        assert!(!rules.is_idle() && Redactor::default().is_idle());
    }
}

//! Small pieces of text, without the formatting machinery, which would cost the download several kilobytes.

/// A number in decimal.
pub(crate) fn decimal(mut value: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from(b'0' + (value % 10) as u8));
        value /= 10;
        if value == 0 {
            return digits.iter().rev().collect();
        }
    }
}

/// A number in decimal with leading zeros, so that texts sort as numbers do.
pub(crate) fn padded(value: u64, width: usize) -> String {
    let digits = decimal(value);
    let mut text = "0".repeat(width.saturating_sub(digits.len()));
    text.push_str(&digits);
    text
}

/// A number from its decimal digits; `None` where there is anything else.
#[must_use]
pub fn number(digits: &str) -> Option<u64> {
    let value = |sum: u64, byte: u8| {
        sum.checked_mul(10)?.checked_add(u64::from(byte.checked_sub(b'0').filter(|digit| *digit < 10)?))
    };
    if digits.is_empty() { None } else { digits.bytes().try_fold(0, value) }
}

/// What stands before and after the first occurrence of an ASCII byte.
pub(crate) fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let position = text.bytes().position(|other| other == byte)?;
    Some((text.get(..position)?, text.get(position + 1..)?))
}

/// One component of a URL's path or query, percent-encoded but for unreserved characters (RFC 3986, 2.3).
pub(crate) fn url_component(text: &str) -> String {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for nibble in [byte >> 4, byte & 15] {
                encoded.extend(HEX.get(usize::from(nibble)));
            }
        }
    }
    encoded
}

/// `path?name=value&…` with the values that are there.
pub(crate) fn with_query(path: &str, query: &[(&str, Option<&str>)]) -> String {
    let mut url = path.to_owned();
    let mut separator = '?';
    for (name, value) in query {
        if let Some(value) = value {
            url.push(separator);
            url.push_str(name);
            url.push('=');
            url.push_str(&url_component(value));
            separator = '&';
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::{decimal, number, padded, split_at_byte, url_component, with_query};

    #[test]
    fn numbers_are_written_in_decimal() {
        assert_eq!(decimal(0), "0");
        assert_eq!(decimal(u64::MAX), "18446744073709551615");
        assert_eq!(padded(42, 5), "00042");
    }

    #[test]
    fn numbers_are_read_from_digits_only() {
        assert_eq!(number("00042"), Some(42));
        assert_eq!(number("18446744073709551616"), None);
        for text in ["", "-1", "+1", " 1", "1a"] {
            assert_eq!(number(text), None);
        }
    }

    #[test]
    fn a_text_is_split_at_the_first_occurrence() {
        assert_eq!(split_at_byte("é|b|c", b'|'), Some(("é", "b|c")));
        assert_eq!(split_at_byte("abc", b'|'), None);
    }

    #[test]
    fn a_query_value_cannot_escape_its_place() {
        assert_eq!(
            with_query("/m", &[("key", Some("a&b=c/é")), ("lang", None), ("x", Some("1"))]),
            "/m?key=a%26b%3Dc%2F%C3%A9&x=1"
        );
        assert_eq!(url_component("../x"), "..%2Fx");
    }
}

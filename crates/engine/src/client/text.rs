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
    use super::{decimal, padded, url_component, with_query};

    #[test]
    fn numbers_are_written_in_decimal() {
        assert_eq!(decimal(0), "0");
        assert_eq!(decimal(u64::MAX), "18446744073709551615");
        assert_eq!(padded(42, 5), "00042");
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

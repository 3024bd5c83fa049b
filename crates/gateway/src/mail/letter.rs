//! A mail as it is written: addresses, subject, text and files become a MIME message. Nothing that comes from outside can add a header, another
//! receiver or another part: addresses are parsed, and control characters are left out of what stands in a header.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

/// Longest address (RFC 5321, a path without its brackets).
const MAX_ADDRESS_BYTES: usize = 254;
/// Longest subject or name in a header, in characters.
const MAX_HEADER_CHARS: usize = 200;

/// What goes with a mail.
#[derive(Clone, Debug)]
pub(crate) struct Enclosure {
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) bytes: Vec<u8>,
}

/// A mail.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) from: Mailbox,
    pub(crate) reply_to: Option<Mailbox>,
    pub(crate) to: Mailbox,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) files: Vec<Enclosure>,
    /// The same in every try, so that who gets a mail twice can tell.
    pub(crate) id: [u8; 16],
    /// When it was asked for.
    pub(crate) at_ms: u64,
}

impl Letter {
    /// The message with its headers; `None` where it cannot be written.
    pub(crate) fn message(self) -> Option<Message> {
        let id = format!("<{}@{}>", URL_SAFE_NO_PAD.encode(self.id), self.from.email.domain());
        let date = std::time::UNIX_EPOCH.checked_add(std::time::Duration::from_millis(self.at_ms))?;
        let mut builder = Message::builder()
            .from(self.from)
            .to(self.to)
            .subject(one_line(&self.subject))
            .date(date)
            .message_id(Some(id))
            // Out-of-office answers to a machine are no use to anybody (RFC 3834).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        if let Some(reply_to) = self.reply_to {
            builder = builder.reply_to(reply_to);
        }
        let text = SinglePart::plain(self.text);
        if self.files.is_empty() {
            return builder.singlepart(text).ok();
        }
        let mut parts = MultiPart::mixed().singlepart(text);
        for file in self.files {
            let content_type = ContentType::parse(&file.content_type).ok().unwrap_or_else(octets);
            // Any other encoding would change the ends of lines.
            let body = Body::new_with_encoding(file.bytes, ContentTransferEncoding::Base64).ok()?;
            parts = parts.singlepart(Attachment::new(one_line(&file.name)).body(body, content_type));
        }
        builder.multipart(parts).ok()
    }
}

fn octets() -> ContentType {
    // A constant of the library's own tests; nothing else is to be said of unknown bytes.
    ContentType::parse("application/octet-stream").unwrap_or(ContentType::TEXT_PLAIN)
}

/// An address as it may be written to: one, without a name, and not longer than mail allows.
pub(crate) fn address(text: &str) -> Option<Address> {
    let is_plain = text.len() <= MAX_ADDRESS_BYTES && text.chars().all(|c| !c.is_control() && !c.is_whitespace());
    let address: Address = text.parse().ok().filter(|_| is_plain)?;
    // Quoted names and addresses of machines can be written, but belong to nobody who fills in a form.
    let has_dot = address.domain().contains('.') && !address.domain().starts_with('[');
    (has_dot && !address.user().contains('"')).then_some(address)
}

/// An address with the name of whom it belongs to.
pub(crate) fn mailbox(name: Option<&str>, address: Address) -> Mailbox {
    let name = name.map(one_line).filter(|name| !name.is_empty());
    Mailbox::new(name, address)
}

/// A text as it may stand in a header: without what ends a line or hides.
pub(crate) fn one_line(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c });
    let kept: String = shown.take(MAX_HEADER_CHARS).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        Letter {
            from: "Shop <shop@shop.example>".parse().unwrap(),
            reply_to: None,
            to: mailbox(Some("Uma"), address("uma@mail.example").unwrap()),
            subject: "Hello".to_owned(),
            text: "Text\n.\nmore".to_owned(),
            files: Vec::new(),
            id: [7; 16],
            at_ms: 1_795_339_800_000,
        }
    }

    fn written(letter: Letter) -> String {
        String::from_utf8(letter.message().unwrap().formatted()).unwrap()
    }

    fn headers(letter: Letter) -> Vec<String> {
        let text = written(letter);
        let head = text.split("\r\n\r\n").next().unwrap().to_owned();
        head.replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn addresses_are_those_of_people_and_nothing_else() {
        for good in ["a@b.example", "first.last+tag@mail.b.example", "o'neil@b.example", "ü@b.example"] {
            assert!(address(good).is_some(), "{good}");
        }
        let long = format!("{}@b.example", "a".repeat(300));
        for bad in [
            "",
            "a",
            "a@",
            "@b.example",
            "a@b",
            "a b@c.example",
            "a@b.example\r\nBcc: x@y.example",
            "a@b.example,c@d.example",
            "a@b.example\n",
            "A <a@b.example>",
            "a@[127.0.0.1]",
            "\"a b\"@c.example",
            "a@b.example;x@y.example",
            "a@b..example",
            &long,
        ] {
            assert!(address(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn nothing_from_outside_becomes_a_header() {
        let usual = headers(letter()).len();
        let evil = "x\r\nBcc: evil@evil.example\r\n\r\nbody\u{2028}Cc: evil@evil.example";
        let mut with = letter();
        with.subject = evil.to_owned();
        with.to = mailbox(Some(evil), address("uma@mail.example").unwrap());
        with.reply_to = Some(mailbox(Some(evil), address("uma@mail.example").unwrap()));
        let found = headers(with);
        assert_eq!(found.len(), usual + 1, "{found:?}");
        for name in ["bcc:", "cc:"] {
            assert!(!found.iter().any(|line| line.to_lowercase().starts_with(name)), "{found:?}");
        }
        let mut with = letter();
        with.files.push(Enclosure {
            name: "a\"\r\nX-Evil: 1\r\n\r\n.txt".to_owned(),
            content_type: "text/plain\r\nX-Evil: 1".to_owned(),
            bytes: b"x".to_vec(),
        });
        assert!(!written(with).contains("\r\nX-Evil"));
    }

    #[test]
    fn a_message_is_the_same_in_every_try_and_says_that_a_machine_wrote_it() {
        let lines = headers(letter());
        for expected in [
            "Message-ID: <BwcHBwcHBwcHBwcHBwcHBw@shop.example>",
            "Auto-Submitted: auto-generated",
            "Date: Sun, 22 Nov 2026 09:30:00 +0000",
        ] {
            assert!(lines.iter().any(|line| line == expected), "{expected} in {lines:?}");
        }
        assert_eq!(written(letter()), written(letter()));
    }
}

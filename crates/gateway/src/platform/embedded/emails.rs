//! Messages of the channel `email`: what one is in the store, which queues take them, and what is refused of them. A refusal is no error: it is told as the
//! outcome of the message.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wire::rest::EmailRequest;

use super::company::Company;
use super::deflection::{self, Reason};
use super::live::QueueState;
use super::menus;
use crate::config::{self, Channel, Menu, Redirection};
use crate::mail::letter::address;

/// Nobody has answered, or more is to be done.
pub(crate) const OPEN: &str = "open";
/// An agent is done with it.
pub(crate) const DONE: &str = "done";
/// The status of one that was refused.
pub(crate) const FAILED: &str = "failed";

/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 320;
/// Longest name of a file, in characters.
const MAX_FILE_NAME_CHARS: usize = 120;
/// Longest ending of a file's name that is kept where the rest is cut.
const MAX_EXTENSION_CHARS: usize = 12;

/// A message as the store keeps it, beside its mails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Email {
    pub(crate) menu_id: u64,
    /// Why it was written.
    pub(crate) kind: String,
    pub(crate) name: Option<String>,
    pub(crate) email: String,
    pub(crate) content: String,
    pub(crate) lang: String,
    pub(crate) attachments: Vec<Kept>,
    pub(crate) replies: Vec<Reply>,
}

/// A file of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) size: u64,
    /// Where its bytes are.
    pub(crate) object: String,
}

/// What an agent answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) client_id: String,
    pub(crate) at_ms: u64,
    pub(crate) agent_id: u64,
    pub(crate) content: String,
    /// Which of the record's mails brings it.
    pub(crate) delivery: usize,
}

impl Email {
    pub(crate) fn read(body: &Map<String, Value>) -> Option<Email> {
        serde_json::from_value(Value::Object(body.clone())).ok()
    }

    /// Writes it into a record's body, and leaves what else is there.
    pub(crate) fn write(&self, body: &mut Map<String, Value>) {
        if let Ok(Value::Object(own)) = serde_json::to_value(self) {
            body.extend(own);
        }
    }
}

/// Why a message was refused. The words are ours, but for the vendor's `over_cap_email`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    NotFound,
    Unsupported,
    InvalidEmail,
    NoContent,
    TooLong,
    TooManyFiles,
    FileTooLarge,
    ProhibitedFileType,
    RecaptchaFailed,
    RecaptchaUnavailable,
    OverCap,
}

impl Refused {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Refused::NotFound => "not_found",
            Refused::Unsupported => "unsupported",
            Refused::InvalidEmail => "invalid_email",
            Refused::NoContent => "no_content",
            Refused::TooLong => "too_long",
            Refused::TooManyFiles => "too_many_files",
            Refused::FileTooLarge => "file_too_large",
            Refused::ProhibitedFileType => "prohibited_file_type",
            Refused::RecaptchaFailed => "recaptcha_failed",
            Refused::RecaptchaUnavailable => "recaptcha_unavailable",
            Refused::OverCap => "over_cap_email",
        }
    }
}

/// The queue that a message to this one goes to: itself, or the one it is redirected to. A queue takes messages where its channels or what it offers
/// instead of waiting say so.
pub(crate) fn queue(company: &Company, menu_id: u64) -> Result<&Menu, Refused> {
    let menus = &company.settings.menus;
    let asked = menus::queue(menus, menu_id).ok_or(Refused::NotFound)?;
    if !menus::is_open(menus, menu_id) || !company.has_mail || !takes(company, asked) {
        return Err(Refused::Unsupported);
    }
    match asked.redirection {
        None => Ok(asked),
        Some(Redirection::Queue(to)) => menus::queue(menus, to).ok_or(Refused::NotFound),
        Some(_) => Err(Refused::Unsupported),
    }
}

fn takes(company: &Company, menu: &Menu) -> bool {
    menu.channels.contains(&Channel::Email)
        || company.deflection(Some(menu.id)).is_some_and(|deflection| deflection.email)
}

/// Why a message is written, as the queue stands: `email`, or what keeps its people from chatting.
pub(crate) fn kind(company: &Company, menu_id: u64, state: QueueState) -> &'static str {
    deflection::reason(company.deflection(Some(menu_id)), state).map_or("email", Reason::as_str)
}

/// What is wrong with the text and its sender, whatever comes with it.
pub(crate) fn check(request: &EmailRequest, limits: &config::Email) -> Result<(), Refused> {
    if address(&request.email).is_none() {
        return Err(Refused::InvalidEmail);
    }
    if request.content.trim().is_empty() {
        return Err(Refused::NoContent);
    }
    let is_long_name = request.name.as_ref().is_some_and(|name| name.len() > MAX_NAME_BYTES);
    if is_long_name || request.content.len() > limits.max_content_bytes {
        return Err(Refused::TooLong);
    }
    Ok(())
}

/// The endings of names that no file may have.
pub(crate) struct Prohibited(HashSet<String>);

impl Prohibited {
    pub(crate) fn new(limits: &config::Email) -> Prohibited {
        Prohibited(limits.prohibited().into_iter().map(|kind| kind.extension.to_ascii_lowercase()).collect())
    }

    /// Whether the name of a file, made harmless, has one of them.
    pub(crate) fn has(&self, name: &str) -> bool {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        ending.is_some_and(|ending| self.0.contains(&ending))
    }
}

/// The name of a file as it is kept: one name, without folders and what hides or reverses characters, and without the dots and spaces at its end that
/// some systems leave out. Its ending stays.
pub(crate) fn file_name(said: &str) -> String {
    let last = said.rsplit(['/', '\\']).next().unwrap_or("");
    let visible = last.chars().filter(|char| !crate::media::name::is_hidden(*char));
    let replaced: String = visible.map(|char| if ":*?\"<>|".contains(char) { '_' } else { char }).collect();
    let kept = replaced.trim_end_matches(|c: char| c == '.' || c.is_whitespace()).trim_start();
    let kept = match kept.rsplit_once('.').filter(|(_, ending)| ending.chars().count() <= MAX_EXTENSION_CHARS) {
        Some((stem, ending)) => {
            let stem: String = stem.chars().take(MAX_FILE_NAME_CHARS).collect();
            format!("{stem}.{ending}")
        }
        None => kept.chars().take(MAX_FILE_NAME_CHARS).collect(),
    };
    if kept.is_empty() { "file".to_owned() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_keep_their_ending_and_cannot_hide_it() {
        let prohibited = Prohibited::new(&config::Email::default());
        let table = [
            ("bill.pdf", "bill.pdf", false),
            ("../../etc/Report.Final.docx", "Report.Final.docx", false),
            ("C:\\x\\setup.EXE", "setup.EXE", true),
            ("setup.exe.", "setup.exe", true),
            ("setup.exe . ", "setup.exe", true),
            ("setup.exe::$DATA", "setup.exe__$DATA", false),
            ("invoice\u{202E}fdp.exe", "invoicefdp.exe", true),
            ("setup.e\u{200B}xe", "setup.exe", true),
            ("a\r\nb.txt", "ab.txt", false),
            (".js", ".js", true),
            ("exe", "exe", false),
            ("", "file", false),
            ("...", "file", false),
        ];
        for (said, expected, is_prohibited) in table {
            let name = file_name(said);
            assert_eq!((name.as_str(), prohibited.has(&name)), (expected, is_prohibited), "{said:?}");
        }
        let long = file_name(&format!("{}.exe", "é".repeat(500)));
        assert!(long.ends_with("é.exe") && long.chars().count() == MAX_FILE_NAME_CHARS + 4, "{long}");
    }

    #[test]
    fn a_queue_takes_messages_where_its_channels_or_its_deflection_say_so_and_mail_is_configured() {
        let text = r#"
            id = "acme"
            name = "Acme"
            menus = [
                { id = 1, name = "m1" },
                { id = 2, name = "m2", channels = ["email"] },
                { id = 3, name = "m3", deflection = { email = true } },
                { id = 4, name = "m4", channels = ["email"], enabled = false },
                { id = 5, name = "m5", channels = ["email"], redirection = { queue = 1 } },
                { id = 6, name = "m6", channels = ["email"], redirection = { message = "x" } },
                { id = 7, name = "m7", channels = ["email"], children = [{ id = 71, name = "m71" }] },
            ]
        "#;
        let mut company = Company::new(toml::from_str(text).unwrap());
        assert_eq!(queue(&company, 2).map(|menu| menu.id), Err(Refused::Unsupported));
        company.has_mail = true;
        let table = [
            (1, Err(Refused::Unsupported)),
            (2, Ok(2)),
            (3, Ok(3)),
            (4, Err(Refused::Unsupported)),
            (5, Ok(1)),
            (6, Err(Refused::Unsupported)),
            (7, Err(Refused::NotFound)),
            (99, Err(Refused::NotFound)),
        ];
        for (id, expected) in table {
            assert_eq!(queue(&company, id).map(|menu| menu.id), expected, "{id}");
        }
        let long = QueueState { closed: false, wait_s: Some(10) };
        let closed = QueueState { closed: true, wait_s: None };
        assert_eq!((kind(&company, 2, long), kind(&company, 2, closed)), ("email", "after_hours"));
    }
}

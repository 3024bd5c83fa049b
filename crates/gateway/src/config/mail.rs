//! Mail as it stands in the configuration: how it leaves, how much of it, what may come in by the channel `email`, and who checks that a person
//! wrote it. Without `mail.from` the gateway sends nothing and offers nothing that needs mail.

use std::path::PathBuf;

use lettre::Address;
use lettre::message::Mailbox;
use serde::Deserialize;

use super::{ConfigError, Secret};

/// Mail that leaves the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// Who writes: `Acme <chat@shop.example>`. Empty: no mail at all.
    pub from: String,
    /// The server that takes the mails.
    pub smtp: Option<Smtp>,
    /// The folder in which mails are written as `.eml` files instead.
    pub folder: Option<PathBuf>,
    /// Mails that leave in a minute, at most.
    pub per_minute: u32,
    /// How long the first pause after a try that failed is; each next one is twice as long, at most an hour.
    pub retry_ms: u64,
    /// How long a mail is tried.
    pub give_up_after_ms: u64,
    /// Transcripts that customers have sent to them, in a day.
    pub transcripts: TranscriptCaps,
}

impl Default for Mail {
    fn default() -> Self {
        Mail {
            from: String::new(),
            smtp: None,
            folder: None,
            per_minute: 60,
            retry_ms: 60_000,
            give_up_after_ms: 2 * 24 * 60 * 60 * 1000,
            transcripts: TranscriptCaps::default(),
        }
    }
}

/// A mail server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// Its name, which its certificate bears.
    pub host: String,
    /// Its port; the usual one of its `security` where absent.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub security: Security,
    /// The name to sign in with; without one nobody signs in.
    #[serde(default)]
    pub user: Option<String>,
    /// The password.
    #[serde(default)]
    pub password: Secret,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// Plain first, then TLS, or not at all. Port 587.
    #[default]
    Starttls,
    /// TLS from the first byte. Port 465.
    Tls,
    /// In clear: only to a server on this machine. Port 25.
    None,
}

/// How many requests for transcripts by mail are taken in a day. Each is for at most five addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TranscriptCaps {
    /// About one chat.
    pub per_chat: u64,
    /// Of one end user.
    pub per_end_user: u64,
    /// Of all customers of one company.
    pub per_company: u64,
}

impl Default for TranscriptCaps {
    fn default() -> Self {
        TranscriptCaps { per_chat: 5, per_end_user: 10, per_company: 1000 }
    }
}

/// What comes in by the channel `email`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Email {
    /// The text, in UTF-8.
    pub max_content_bytes: usize,
    /// Attachments.
    pub max_files: usize,
    /// One attachment.
    pub max_file_bytes: u64,
    /// All attachments.
    pub max_total_bytes: u64,
    /// Messages of one end user in a day.
    pub per_end_user: u64,
    /// Messages to one company in a day.
    pub per_company: u64,
    /// What no attachment may be, by the ending of its name. The usual kinds of programs where absent.
    pub prohibited_file_types: Option<Vec<FileType>>,
}

impl Default for Email {
    fn default() -> Self {
        Email {
            max_content_bytes: 65_536,
            max_files: 10,
            max_file_bytes: 10_000_000,
            max_total_bytes: 20_000_000,
            per_end_user: 20,
            per_company: 1000,
            prohibited_file_types: None,
        }
    }
}

impl Email {
    /// What no attachment may be.
    #[must_use]
    pub fn prohibited(&self) -> Vec<FileType> {
        match &self.prohibited_file_types {
            Some(own) => own.clone(),
            None => PROGRAMS.iter().map(|(extension, description)| FileType::of(extension, description)).collect(),
        }
    }
}

/// A kind of files.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileType {
    /// The ending of its names, without the dot.
    pub extension: String,
    /// What it is.
    pub description: String,
}

impl FileType {
    fn of(extension: &str, description: &str) -> FileType {
        FileType { extension: extension.to_owned(), description: description.to_owned() }
    }
}

/// What machines run when it is opened.
const PROGRAMS: [(&str, &str); 30] = [
    ("app", "macOS program"),
    ("bat", "Windows batch file"),
    ("cmd", "Windows batch file"),
    ("com", "DOS program"),
    ("cpl", "Windows control panel item"),
    ("dll", "Windows program library"),
    ("dmg", "macOS disk image"),
    ("exe", "Windows program"),
    ("gadget", "Windows gadget"),
    ("hta", "HTML application"),
    ("inf", "Windows setup information"),
    ("iso", "disk image"),
    ("jar", "Java program"),
    ("js", "JavaScript program"),
    ("jse", "encoded JavaScript program"),
    ("lnk", "Windows shortcut"),
    ("msc", "Windows management console file"),
    ("msi", "Windows installer"),
    ("msp", "Windows installer patch"),
    ("pif", "DOS program information"),
    ("ps1", "PowerShell script"),
    ("reg", "Windows registry file"),
    ("scr", "Windows screen saver"),
    ("sh", "shell script"),
    ("svg", "SVG picture, which can carry programs"),
    ("vb", "Visual Basic script"),
    ("vbe", "encoded Visual Basic script"),
    ("vbs", "Visual Basic script"),
    ("wsf", "Windows script"),
    ("wsh", "Windows script settings"),
];

/// Who checks that a person filled in the form: a service that answers as reCAPTCHA's does (hCaptcha's and Turnstile's do too).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recaptcha {
    /// Where it is asked.
    #[serde(default = "usual_verifier")]
    pub verify_url: String,
    /// The site's secret with it.
    pub secret: Secret,
    /// The least score that passes, from 0 to 1, where the service gives scores.
    #[serde(default)]
    pub min_score: f64,
}

fn usual_verifier() -> String {
    "https://www.google.com/recaptcha/api/siteverify".to_owned()
}

/// Who writes, where mail is configured.
pub(crate) fn sender(mail: &Mail) -> Option<Mailbox> {
    if mail.from.is_empty() { None } else { mail.from.parse().ok() }
}

pub(super) fn check_mail(mail: &Mail, email: &Email, recaptcha: Option<&Recaptcha>) -> Result<(), ConfigError> {
    let fail = |text: &str| Err(ConfigError::Invalid(text.to_owned()));
    let ways = usize::from(mail.smtp.is_some()) + usize::from(mail.folder.is_some());
    if mail.from.is_empty() && ways > 0 {
        return fail("mail.from is missing: write it like \"Acme <chat@shop.example>\"");
    }
    if !mail.from.is_empty() && sender(mail).is_none() {
        return fail("mail.from is no address; write it like \"Acme <chat@shop.example>\"");
    }
    if !mail.from.is_empty() && ways != 1 {
        return fail("mail needs either [mail.smtp] or mail.folder, and not both");
    }
    if mail.per_minute == 0 || mail.retry_ms == 0 {
        return fail("mail.per_minute and mail.retry_ms must be more than 0");
    }
    if let Some(smtp) = &mail.smtp {
        let is_here = smtp.host.eq_ignore_ascii_case("localhost")
            || smtp.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if smtp.host.is_empty() {
            return fail("mail.smtp.host is missing");
        }
        if smtp.security == Security::None && !is_here {
            return fail("mail.smtp.security = \"none\" is for a server on this machine; use \"starttls\" or \"tls\"");
        }
    }
    for kind in email.prohibited_file_types.iter().flatten() {
        if kind.extension.is_empty() || !kind.extension.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return fail("an extension in email.prohibited_file_types has letters and digits only, without a dot");
        }
    }
    if let Some(recaptcha) = recaptcha {
        let is_web = recaptcha.verify_url.starts_with("https://") || recaptcha.verify_url.starts_with("http://");
        if !is_web || recaptcha.secret.0.is_empty() {
            return fail("recaptcha needs a secret, and a verify_url that begins with https:// or http://");
        }
        if !(0.0..=1.0).contains(&recaptcha.min_score) {
            return fail("recaptcha.min_score is a number from 0 to 1");
        }
    }
    Ok(())
}

/// Where a company's customers write to, where that is an address.
pub(super) fn check_support_email(company: &super::Company) -> Result<(), String> {
    if company.support_email.is_empty() || company.support_email.parse::<Address>().is_ok() {
        Ok(())
    } else {
        Err("support_email is no address; write it like help@shop.example".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    #[test]
    fn mail_that_cannot_leave_stops_the_start() {
        let company = "[[companies]]\nid=\"a\"\nname=\"A\"\nsecret=\"0123456789abcdef\"\nmenus=[{id=1,name=\"M\"}]\n";
        let table = [
            ("[mail]\nfrom=\"nobody\"\nfolder=\"m\"\n", "no address"),
            ("[mail]\nfrom=\"a@b.example\"\n", "either"),
            ("[mail]\nfrom=\"a@b.example\"\nfolder=\"m\"\nsmtp={host=\"localhost\"}\n", "either"),
            ("[mail]\nfolder=\"m\"\n", "mail.from"),
            ("[mail]\nfrom=\"a@b.example\"\nsmtp={host=\"\"}\n", "host"),
            ("[mail]\nfrom=\"a@b.example\"\nsmtp={host=\"mx.example\",security=\"none\"}\n", "this machine"),
            ("[mail]\nper_minute=0\n", "per_minute"),
            ("[email]\nprohibited_file_types=[{extension=\".exe\",description=\"x\"}]\n", "without a dot"),
            ("[recaptcha]\nsecret=\"\"\n", "secret"),
            ("[recaptcha]\nsecret=\"s\"\nverify_url=\"file:///x\"\n", "verify_url"),
            ("[recaptcha]\nsecret=\"s\"\nmin_score=2.0\n", "min_score"),
        ];
        for (text, expected) in table {
            let error = Config::from_toml(&format!("{text}{company}")).unwrap().validate().unwrap_err().to_string();
            assert!(error.contains(expected), "{error} should mention {expected}");
        }
        let odd = company.replace("name=\"A\"", "name=\"A\"\nsupport_email=\"not one\"");
        assert!(Config::from_toml(&odd).unwrap().validate().unwrap_err().to_string().contains("support_email"));
        let good =
            format!("[mail]\nfrom=\"A <a@b.example>\"\nsmtp={{host=\"127.0.0.1\",security=\"none\"}}\n{company}");
        Config::from_toml(&good).unwrap().validate().unwrap();
    }
}

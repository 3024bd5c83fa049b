//! The gateway's configuration: one TOML file, every key optional. Refuses unknown keys, so that a typing mistake is not a silent default.
//!
//! `default.toml` is what `gateway print-config` prints; a test keeps it equal to the defaults below. `demo.toml` is what `--demo` adds.

use std::collections::HashSet;
use std::net::IpAddr;

use serde::Deserialize;

mod calls;
mod chat;
mod contents;
mod deflection;
pub mod forms;
mod hours;
pub(crate) mod mail;
pub mod payload;
pub mod post_session;
mod redaction;
pub mod survey;
pub(crate) mod texts;
mod transcripts;
mod triggers;

pub use calls::Calls;
pub use chat::{Chat, CheckIn, Rejoin, ScreenShare};
pub use contents::{Action, Agent, Channel, Company, Menu, Rule, Speech, Timezone, VirtualAgent};
pub use deflection::{Deflection, Link, Redirection};
pub use hours::{Day, Hours, Span};
pub use mail::{Email, FileType, Mail, Recaptcha, Security, Smtp, TranscriptCaps};
pub(crate) use redaction::compile;
pub use redaction::{Builtin, Redaction};
pub use texts::{Language, Texts};
pub use transcripts::Transcripts;
pub use triggers::{Conditions, Trigger, Visitor};

/// What `gateway print-config` prints.
pub const DEFAULT_TOML: &str = include_str!("default.toml");

/// The folder of the demo's mails, in the data directory.
const DEMO_MAILS: &str = "mail";

const DEMO_TOML: &str = include_str!("demo.toml");

/// Why a configuration cannot be used. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, an unknown key, or a value of the wrong type.
    #[error("the configuration cannot be read: {0}")]
    Unreadable(String),
    /// Readable, but it contradicts itself.
    #[error("{0}")]
    Invalid(String),
}

/// A text that never shows in a log.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Everything that can be configured.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address at which browsers reach the gateway, such as `https://chat.example.com`, where it differs from the listen address.
    pub public_url: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Logs.
    pub log: Log,
    /// End-user sessions.
    pub session: Session,
    /// The agent desk.
    pub desk: Desk,
    /// Sizes and rates.
    pub limits: Limits,
    /// The event stream.
    pub stream: Stream,
    /// The life of a chat.
    pub chat: Chat,
    /// Estimated waiting times.
    pub wait_time: WaitTime,
    /// Transcripts as PDF.
    pub transcripts: Transcripts,
    /// Stopping.
    pub shutdown: Shutdown,
    /// Mail that leaves.
    pub mail: Mail,
    /// What comes in by the channel `email`.
    pub email: Email,
    /// Who checks that a person wrote it; nobody where absent.
    pub recaptcha: Option<Recaptcha>,
    /// Whom the gateway serves.
    pub companies: Vec<Company>,
    /// Who answers before an agent does.
    pub virtual_agents: Vec<VirtualAgent>,
    /// Who may sign in at the desk.
    pub agents: Vec<Agent>,
    /// Set by `--demo`: adds the route that signs demo tokens, where the listener is on loopback.
    #[serde(skip)]
    pub demo: bool,
    /// Set by `--data`: the folder of the store, in which files are kept too; in memory where absent.
    #[serde(skip)]
    pub data: Option<std::path::PathBuf>,
    /// Set by `--www`: the folder of the customer page and the desk.
    #[serde(skip)]
    pub www: Option<std::path::PathBuf>,
    /// Set by `--pkg`: the folder of the npm package.
    #[serde(skip)]
    pub pkg: Option<std::path::PathBuf>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the levels of every logging library")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Logs, on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Text or JSON.
    pub format: LogFormat,
    /// Of the gateway itself; libraries log from `warn` on, because their traces would show what was said.
    pub level: LogLevel,
}

impl Default for Log {
    fn default() -> Self {
        Log { format: LogFormat::Text, level: LogLevel::Info }
    }
}

/// End-user sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Session {
    /// How long a session token is good for.
    pub token_lifetime_ms: u64,
    /// How far a site's clock may be off when its tokens' `exp` and `nbf` are checked.
    pub jwt_leeway_ms: u64,
}

impl Default for Session {
    fn default() -> Self {
        Session { token_lifetime_ms: 15 * 60 * 1000, jwt_leeway_ms: 30_000 }
    }
}

/// The agent desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Desk {
    /// How long a sign-in lasts.
    pub session_lifetime_ms: u64,
    /// Chats an agent has at a time, for the estimate of waiting times.
    pub chats_per_agent: u64,
}

impl Default for Desk {
    fn default() -> Self {
        Desk { session_lifetime_ms: 12 * 60 * 60 * 1000, chats_per_agent: 3 }
    }
}

/// A rate: a burst, and what it fills up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Requests per minute in the long run; 0 turns the limit off.
    pub per_minute: u32,
    /// Requests at once.
    pub burst: u32,
}

/// How much an end user may upload in a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadQuota {
    /// Files, those that were announced and never came included.
    pub files: u64,
    /// Bytes of all of them.
    pub bytes: u64,
}

/// Sizes and rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Text of one message, in UTF-8.
    pub max_text_bytes: usize,
    /// One message as JSON.
    pub max_message_bytes: usize,
    /// The body of any request.
    pub max_body_bytes: usize,
    /// Messages of one page or stream frame, in bytes of JSON.
    pub max_page_bytes: usize,
    /// All requests of one address (an IPv6 address counts with its /64 network).
    pub requests_per_address: Rate,
    /// All requests of one end user.
    pub requests_per_end_user: Rate,
    /// Sign-in attempts at the desk, per address and per login.
    pub sign_ins: Rate,
    /// A file; 0 turns files off.
    pub max_upload_bytes: u64,
    /// A video of an end user; 0 takes none. Files that are off altogether stay off.
    pub max_video_bytes: u64,
    /// A sound of an end user; 0 takes none.
    pub max_audio_bytes: u64,
    /// A document of an end user; 0 takes none.
    pub max_document_bytes: u64,
    /// A file of an agent, of any kind; 0 takes none.
    pub max_agent_upload_bytes: u64,
    /// Files of one end user in a day.
    pub uploads_per_end_user: UploadQuota,
    /// Requests of one end user whose screen is shared: what was recorded, and what the agent points at. They do not count as other requests.
    pub screen_requests_per_end_user: Rate,
    /// One batch of a recording.
    pub max_screen_batch_bytes: usize,
    /// Batches that wait for one who looks; who falls further behind begins anew.
    pub max_screen_queue_bytes: usize,
    /// Who looks at one screen share at a time: desks of the agent who has the chat.
    pub screen_viewers: usize,
    /// Open streams of one end user.
    pub streams_per_end_user: usize,
    /// Open streams of one address.
    pub streams_per_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_text_bytes: 16 * 1024,
            max_message_bytes: 64 * 1024,
            max_body_bytes: 128 * 1024,
            max_page_bytes: 4 * 1024 * 1024,
            requests_per_address: Rate { per_minute: 6000, burst: 1000 },
            requests_per_end_user: Rate { per_minute: 1800, burst: 300 },
            sign_ins: Rate { per_minute: 10, burst: 10 },
            max_upload_bytes: 10_000_000,
            max_video_bytes: 20_000_000,
            max_audio_bytes: 20_000_000,
            max_document_bytes: 20_000_000,
            max_agent_upload_bytes: 100_000_000,
            uploads_per_end_user: UploadQuota { files: 100, bytes: 200_000_000 },
            screen_requests_per_end_user: Rate { per_minute: 2400, burst: 80 },
            max_screen_batch_bytes: 8 * 1024 * 1024,
            max_screen_queue_bytes: 16 * 1024 * 1024,
            screen_viewers: 4,
            streams_per_end_user: 16,
            streams_per_address: 1000,
        }
    }
}

/// The event stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stream {
    /// The longest silence of a healthy connection.
    pub heartbeat_ms: u64,
    /// How long a client may take for its first frame.
    pub join_timeout_ms: u64,
    /// How long a reader may take to accept a frame before it is cut.
    pub write_timeout_ms: u64,
    /// How long a stream outlives its session, so that the client can renew it without haste.
    pub expiry_grace_ms: u64,
    /// Whether end users get WebSockets; without, their clients use server-sent events, as behind a proxy that blocks WebSockets.
    pub websocket: bool,
}

impl Default for Stream {
    fn default() -> Self {
        Stream {
            heartbeat_ms: 20_000,
            join_timeout_ms: 10_000,
            write_timeout_ms: 20_000,
            expiry_grace_ms: 60_000,
            websocket: true,
        }
    }
}

/// Estimated waiting times (`docs/gateway.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WaitTime {
    /// Finished chats that make up the mean handling time.
    pub sample_chats: u64,
    /// The handling time until a chat was finished.
    pub default_handling_ms: u64,
}

impl Default for WaitTime {
    fn default() -> Self {
        WaitTime { sample_chats: 50, default_handling_ms: 300_000 }
    }
}

/// Stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shutdown {
    /// How long running requests and streams may take to end.
    pub deadline_ms: u64,
    /// The time in which clients are asked to reconnect.
    pub retry_after_ms: u64,
}

impl Default for Shutdown {
    fn default() -> Self {
        Shutdown { deadline_ms: 5_000, retry_after_ms: 2_000 }
    }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// Where it is no TOML or has a key that does not exist. The text does not repeat values: they may be secrets.
    pub fn from_toml(text: &str) -> Result<Config, ConfigError> {
        toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1);
            ConfigError::Unreadable(format!("line {line}: {}", error.message()))
        })
    }

    /// The embedded demo company with its menus, virtual agent and agents, below `self`: what `self` names too is `self`'s.
    ///
    /// `company_secret` is the secret with which demo tokens are signed. The demo's agents, whose password is public, come along only where
    /// the gateway listens `on_loopback`.
    ///
    /// # Errors
    /// Only where the demo's own file is broken, which a test excludes.
    pub fn with_demo(mut self, company_secret: Secret, on_loopback: bool) -> Result<Config, ConfigError> {
        let mut demo = Config::from_toml(DEMO_TOML)?;
        for company in &mut demo.companies {
            company.secret = company_secret.clone();
        }
        demo.companies.retain(|company| !self.companies.iter().any(|own| own.id == company.id));
        demo.virtual_agents.retain(|agent| !self.virtual_agents.iter().any(|own| own.id == agent.id));
        demo.agents.retain(|agent| on_loopback && !self.agents.iter().any(|own| own.login == agent.login));
        let has_mail = !self.mail.from.is_empty() || self.mail.folder.is_some() || self.mail.smtp.is_some();
        if let Some(data) = self.data.as_ref().filter(|_| !has_mail) {
            (self.mail.from, self.mail.folder) = (demo.mail.from, Some(data.join(DEMO_MAILS)));
        }
        self.companies.append(&mut demo.companies);
        for agent in &mut demo.virtual_agents {
            // Its forms went with its company, where that is the file's own.
            let rules = agent.translations.values_mut().flat_map(|speech| &mut speech.rules).chain(&mut agent.rules);
            let exists = |id: u64| self.companies.iter().any(|company| company.forms.iter().any(|form| form.id == id));
            rules.for_each(|rule| rule.form = rule.form.filter(|id| exists(*id)));
        }
        self.virtual_agents.append(&mut demo.virtual_agents);
        self.agents.append(&mut demo.agents);
        self.demo = true;
        Ok(self)
    }

    /// Lets one more origin use every company.
    pub fn allow_origin(&mut self, origin: &str) {
        for company in &mut self.companies {
            company.allowed_origins.push(origin.to_owned());
        }
    }

    /// Says what is contradictory or missing.
    ///
    /// # Errors
    /// With a text that names the place and what to do.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let fail = |text: String| Err(ConfigError::Invalid(text));
        if self.companies.is_empty() {
            return fail("no company is configured: add [[companies]] to the file of --config, or pass --demo".into());
        }
        if let Some(url) = &self.public_url
            && !is_origin(url)
        {
            return fail("public_url must be an origin such as https://chat.example.com, without a path".into());
        }
        if self.limits.max_text_bytes == 0 || self.limits.max_body_bytes < self.limits.max_text_bytes {
            return fail("limits.max_body_bytes must be at least limits.max_text_bytes, and that more than 0".into());
        }
        if self.stream.heartbeat_ms == 0 || self.session.token_lifetime_ms < 1000 {
            return fail("stream.heartbeat_ms must be more than 0 and session.token_lifetime_ms at least 1000".into());
        }
        if self.limits.max_screen_queue_bytes < self.limits.max_screen_batch_bytes.saturating_mul(2) {
            return fail("limits.max_screen_queue_bytes must be at least twice limits.max_screen_batch_bytes".into());
        }
        self.chat.check()?;
        mail::check_mail(&self.mail, &self.email, self.recaptcha.as_ref())?;
        self.transcripts.validate()?;
        let virtual_agents: HashSet<u64> = self.virtual_agents.iter().map(|agent| agent.id).collect();
        if virtual_agents.len() < self.virtual_agents.len() {
            return fail("two virtual agents have the same id".into());
        }
        let logins: HashSet<&str> = self.agents.iter().map(|agent| agent.login.as_str()).collect();
        if logins.len() < self.agents.len() {
            return fail("two agents have the same login".into());
        }
        for agent in &self.agents {
            contents::check_agent(agent)?;
        }
        let mut ids = HashSet::new();
        for company in &self.companies {
            if !ids.insert(company.id.as_str()) {
                return fail(format!("two companies have the id {:?}", company.id));
            }
            contents::check_company(company, &virtual_agents)?;
            post_session::check_company(company, &self.virtual_agents)
                .or_else(|text| fail(format!("company {:?}: {text}", company.id)))?;
        }
        for agent in &self.virtual_agents {
            let rules = agent.translations.values().flat_map(|speech| &speech.rules).chain(&agent.rules);
            post_session::check_variables(&agent.greeting_session_variables, true)
                .or_else(|text| fail(format!("virtual agent {}, its greeting: {text}", agent.id)))?;
            for rule in rules {
                let says = rule.answer.is_some() || !(rule.buttons.is_empty() && rule.messages.is_empty());
                post_session::check_variables(&rule.session_variables, says).or_else(|text| {
                    fail(format!("virtual agent {}, the rule with the keywords {:?}: {text}", agent.id, rule.keywords))
                })?;
                payload::check_payloads(&rule.messages, !rule.buttons.is_empty()).or_else(|text| {
                    fail(format!("virtual agent {}, the rule with the keywords {:?}: {text}", agent.id, rule.keywords))
                })?;
            }
            let rules = agent.translations.values().flat_map(|speech| &speech.rules).chain(&agent.rules);
            let exists =
                |id: &u64| self.companies.iter().any(|company| company.forms.iter().any(|form| form.id == *id));
            if let Some(id) = rules.filter_map(|rule| rule.form.as_ref()).find(|id| !exists(id)) {
                return fail(format!("virtual agent {}: a rule hands out form {id}, which no company has", agent.id));
            }
        }
        Ok(())
    }
}

/// Whether a text is an origin as browsers write it: scheme, host and perhaps port.
pub(crate) fn is_origin(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_configuration_is_the_default() {
        assert_eq!(Config::from_toml(DEFAULT_TOML).unwrap(), Config::default());
    }

    #[test]
    fn the_printed_examples_are_a_valid_configuration_once_uncommented() {
        let text: String = DEFAULT_TOML
            .lines()
            .map(|line| line.strip_prefix("#: ").or_else(|| line.strip_prefix("#:")).unwrap_or(line))
            .map(|line| format!("{line}\n"))
            .collect();
        let config = Config::from_toml(&text).unwrap();
        config.validate().unwrap();
        assert_eq!((config.companies.len(), config.virtual_agents.len(), config.agents.len()), (1, 2, 1));
    }

    #[test]
    fn the_demo_is_valid_and_gives_way_to_what_is_configured() {
        let demo = Config::default().with_demo(Secret("s".repeat(32)), true).unwrap();
        demo.validate().unwrap();
        let own = "[[companies]]\nid = \"demo\"\nname = \"Mine\"\nsecret = \"0123456789abcdef\"\n[[companies.menus]]\nid = 7\nname = \"All\"\n";
        let mixed = Config::from_toml(own).unwrap().with_demo(Secret("s".repeat(32)), true).unwrap();
        mixed.validate().unwrap();
        assert_eq!(mixed.companies.len(), 1);
        assert_eq!(mixed.companies[0].name, "Mine");
        assert_eq!(mixed.agents.len(), demo.agents.len());
        let exposed = Config::default().with_demo(Secret("s".repeat(32)), false).unwrap();
        assert!(exposed.agents.is_empty(), "their password is public");
    }

    #[test]
    fn the_demo_speaks_each_of_its_languages() {
        let demo = Config::default().with_demo(Secret("s".repeat(32)), true).unwrap();
        let (company, agent) = (&demo.companies[0], &demo.virtual_agents[0]);
        for language in company.languages.iter().skip(1) {
            let tag = language.code.as_str();
            assert!(company.menus.iter().all(|menu| menu.names.contains_key(tag)), "{tag}");
            assert_eq!(agent.translations[tag].rules.len(), agent.rules.len(), "{tag}");
        }
    }

    #[test]
    fn an_unknown_key_is_named_and_a_secret_is_not() {
        let error =
            Config::from_toml("[[companies]]\nid = \"a\"\nsecret = \"hush-hush-hush\"\nsecrte = 1\n").unwrap_err();
        let text = error.to_string();
        assert!(text.contains("secrte") && text.contains("line 4"), "{text}");
        assert!(!text.contains("hush"), "{text}");
    }

    #[test]
    fn contradictions_say_what_to_do() {
        let cases = [
            ("", "no company"),
            (
                "[[companies]]\nid=\"a\"\nname=\"A\"\nsecret=\"short\"\n[[companies.menus]]\nid=1\nname=\"M\"\n",
                "secret",
            ),
            ("[[companies]]\nid=\"a\"\nname=\"A\"\nsecret=\"0123456789abcdef\"\n", "menu"),
            ("[chat]\ndismiss_after_ms=2\ntimeout_ms=1\n[[companies]]\nid=\"a\"\n", "chat.timeout_ms"),
            (
                "[chat]\ndismiss_after_ms=0\nva_dismiss_after_ms=2\ntimeout_ms=1\n[[companies]]\nid=\"a\"\n",
                "chat.va_dismiss_after_ms",
            ),
            ("[chat]\ncheck_in={after_ms=5,timeout_ms=0}\n[[companies]]\nid=\"a\"\n", "chat.check_in.timeout_ms"),
            (
                "[[companies]]\nid=\"a\"\nname=\"A\"\nsecret=\"0123456789abcdef\"\n[[companies.menus]]\nid=1\nname=\"M\"\nvirtual_agent=9\n",
                "virtual agent 9",
            ),
            (
                "[[companies]]\nid=\"a\"\nname=\"A\"\nsecret=\"0123456789abcdef\"\nallowed_origins=[\"shop.example\"]\n[[companies.menus]]\nid=1\nname=\"M\"\n",
                "origin",
            ),
            (
                "[[companies]]\nid=\"a\"\nname=\"A\"\nsecret=\"0123456789abcdef\"\n[[companies.menus]]\nid=1\nname=\"M\"\n[[agents]]\nlogin=\"x\"\nname=\"X\"\npassword_hash=\"plain\"\n",
                "hash-password",
            ),
        ];
        let company = "[[companies]]\nid=\"a\"\nname=\"A\"\nsecret=\"0123456789abcdef\"\n";
        let more = [
            ("timezone=\"Mars/Base\"", "", "time zone"),
            ("hours={timezone=\"Rome\"}", "", "time zone"),
            ("languages=[\"English!\"]", "", "language tag"),
            ("deflection={links=[9]}", "", "link 9"),
            ("links=[{id=1,name=\"x\",url=\"javascript:alert(1)\"}]", "", "link 1"),
            ("links=[{id=1,name=\"x\",url=\"https://a\"},{id=1,name=\"y\",url=\"https://b\"}]", "", "link id 1"),
            ("redaction=[{builtin=\"card\"},{pattern=\"(\",replacement=\"x\"}]", "", "redaction 2, pattern \"(\""),
            (
                "redaction=[{pattern=\"a*\",replacement=\"x\"}]",
                "",
                "redaction 1, pattern \"a*\": it matches the empty text",
            ),
            (
                "redaction=[{pattern=\"\\\\w{900}\",replacement=\"x\"}]",
                "",
                "redaction 1, pattern \"\\\\w{900}\": it needs too much",
            ),
            ("redaction=[{pattern=\"a\"}]", "", "redaction 1 must have"),
            ("redaction=[{pattern=\"a\",replacement=\"b\",builtin=\"card\"}]", "", "redaction 1 must have"),
            ("redaction=[{}]", "", "redaction 1 must have"),
            ("triggers=[{id=\"a b\",menu_id=1,message=\"?\"}]", "", "trigger id \"a b\""),
            (
                "triggers=[{id=\"a\",menu_id=1,message=\"?\"},{id=\"a\",menu_id=1,message=\"?\"}]",
                "",
                "trigger id \"a\"",
            ),
            ("triggers=[{id=\"a\",menu_id=7,message=\"?\"}]", "", "menu_id 7"),
            ("triggers=[{id=\"a\",menu_id=1,message=\" \"}]", "", "message must not"),
            ("triggers=[{id=\"a\",menu_id=1,message=\"?\",lang=\"English!\"}]", "", "language tag"),
            ("triggers=[{id=\"a\",menu_id=1,message=\"?\",conditions={url_contains=[\"\"]}}]", "", "url_contains"),
            ("triggers=[{id=\"a\",menu_id=1,message=\"?\",conditions={min_visits=3,max_visits=2}}]", "", "max_visits"),
            (
                "triggers=[{id=\"a\",menu_id=1,message=\"?\",conditions={visitor=\"new\",min_visits=2}}]",
                "",
                "nobody would be asked",
            ),
            ("", "hours={timezone=\"Rome\"}", "menu 1"),
            ("calls={per_slot=0}", "", "per_slot"),
            ("", "calls={country=\"Italy\"}", "menu 1: calls: country"),
            ("", "deflection={links=[9]}", "menu 1"),
            ("", "redirection={queue=1}", "menu 1"),
            ("", "redirection={queue=7}", "menu 1"),
            ("", "redirection={external_link=\"mailto:x\"}", "menu 1"),
            ("", "redirection={message=\"x\"}\nchildren=[{id=2,name=\"B\"}]", "folder"),
        ];
        let more = more.map(|(own, menu, expected)| {
            (format!("{company}{own}\n[[companies.menus]]\nid=1\nname=\"M\"\n{menu}\n"), expected)
        });
        let cases = cases.iter().map(|(text, expected)| (text.to_string(), *expected)).chain(more);
        for (text, expected) in cases {
            let error = Config::from_toml(&text).unwrap().validate().unwrap_err().to_string();
            assert!(error.contains(expected), "{error} should mention {expected}");
        }
    }
}

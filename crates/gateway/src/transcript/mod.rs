//! Transcripts: a chat as PDF or plain text. `pdf` is what the end user's download, the desk and mails share; it reads
//! the store and the files, then shapes and draws on a thread of its own, few at a time. Never fetches anything, and never logs what was said.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use engine::gateway::{Actor, Author, Message};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use tokio::sync::{Notify, Semaphore};
use wire::ErrorCode;

use crate::App;
use crate::clock::now_ms;
use crate::config::Transcripts as Settings;
use crate::error::Error;
use crate::message::{self, Reader};
use crate::platform::embedded::menus;
use crate::platform::embedded::words::Tongue;
use crate::store::{ChatRecord, MediaKind, MessageBody, PageLimit};

mod document;
mod fonts;
pub(crate) mod jobs;
mod pdf;
mod picture;
mod shape;
mod words;

use document::{Document, Entry, Part, Reading, local};
use fonts::{Fonts, Sources};
use pdf::{Budget, Refused, Written};
use picture::Picture;
use words::Words;

/// No agent has this number.
const NOBODY: Actor = Actor::Agent(0);

/// What makes documents.
pub(crate) struct Transcripts {
    settings: Settings,
    /// As many as may be made at once.
    turns: Arc<Semaphore>,
    /// Fonts that nobody uses at the moment; opened with the first document.
    idle: Arc<Mutex<Vec<Fonts>>>,
    /// Told when one was asked for.
    asked: Notify,
}

/// How a transcript is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// A BCP 47 tag; the chat's where absent.
    pub(crate) lang: Option<String>,
    /// An IANA time zone; the company's where absent.
    pub(crate) timezone: Option<String>,
}

/// Why there is no transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// The chat is larger than a transcript may be.
    TooLarge,
    /// It takes longer than a transcript may take.
    TooSlow,
    /// Something went wrong here.
    Internal,
    /// The store cannot be read at the moment: try again.
    Unavailable,
}

impl Failed {
    /// The word for it, as clients read it in `failed_reason`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Failed::TooLarge => "too_large",
            Failed::TooSlow => "timeout",
            Failed::Internal => "internal",
            Failed::Unavailable => "unavailable",
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        match error.code {
            ErrorCode::TooLarge => Failed::TooLarge,
            _ => Failed::Unavailable,
        }
    }
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Failed {
        match refused {
            Refused::TooLarge => Failed::TooLarge,
            Refused::TooSlow => Failed::TooSlow,
            Refused::Broken => Failed::Internal,
        }
    }
}

impl Transcripts {
    pub(crate) fn new(settings: &Settings) -> Transcripts {
        let turns = Arc::new(Semaphore::new(settings.at_once.max(1)));
        Transcripts { settings: settings.clone(), turns, idle: Arc::default(), asked: Notify::new() }
    }

    async fn draw(&self, document: Document, pictures: Vec<(u64, Vec<u8>)>, words: Words) -> Result<Written, Failed> {
        let _turn = self.turns.acquire().await.map_err(|_| Failed::Unavailable)?;
        let idle = Arc::clone(&self.idle);
        let sources = Sources { folders: self.settings.font_folders.clone(), system: self.settings.system_fonts };
        let until = Instant::now().checked_add(Duration::from_millis(self.settings.max_ms));
        let max_bytes = self.settings.max_pdf_bytes;
        // A thread of its own, not one that requests are answered on. Where it panics, its fonts are gone with it.
        let drawing = tokio::task::spawn_blocking(move || {
            let mut fonts = taken(&idle).pop();
            let fonts_now = fonts.get_or_insert_with(|| Fonts::open(&sources));
            let budget = Budget { until: until.unwrap_or_else(Instant::now), max_bytes };
            let fitted = pictures.into_iter().filter_map(|(id, bytes)| Some((id, picture::fit(&bytes)?)));
            let fitted: HashMap<u64, Picture> = fitted.collect();
            let written = pdf::write(fonts_now, &document, fitted, &words.chosen(), budget);
            taken(&idle).extend(fonts);
            written
        });
        Ok(drawing.await.map_err(|_| Failed::Internal)??)
    }
}

fn taken(idle: &Mutex<Vec<Fonts>>) -> std::sync::MutexGuard<'_, Vec<Fonts>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A chat as PDF.
pub(crate) async fn pdf(app: &App, chat: &ChatRecord, asked: &Asked) -> Result<Vec<u8>, Failed> {
    let (document, words) = document(app, chat, asked).await?;
    let pictures = pictures(app, chat, &document).await?;
    let began = Instant::now();
    let written = app.transcripts.draw(document, pictures, words).await?;
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let Written { bytes, pages, undrawn } = written;
    tracing::info!(chat_id = chat.state.id, pages, bytes = bytes.len(), took_ms, "transcript made");
    if undrawn > 0 {
        tracing::warn!(chat_id = chat.state.id, undrawn, "no font has some characters: their codes are drawn");
    }
    Ok(bytes)
}

/// A chat as plain text.
pub(crate) async fn text(app: &App, chat: &ChatRecord, asked: &Asked) -> Result<String, Failed> {
    let (document, words) = document(app, chat, asked).await?;
    Ok(plain(&document, &words.chosen()))
}

/// A time zone by its name; the company's, or UTC, where none is asked for.
pub(crate) fn zone(app: &App, chat: &ChatRecord, asked: &Asked) -> (String, TimeZone) {
    let company = app.platform.company(&chat.company_id).map(|company| company.settings.timezone.0.as_str());
    let name = asked.timezone.as_deref().or(company).unwrap_or("UTC");
    match TimeZone::get(name) {
        Ok(zone) => (name.to_owned(), zone),
        Err(_) => ("UTC".to_owned(), TimeZone::UTC),
    }
}

async fn document(app: &App, chat: &ChatRecord, asked: &Asked) -> Result<(Document, Words), Failed> {
    let messages = messages(app, chat).await?;
    let company = app.platform.company(&chat.company_id);
    let lang = asked.lang.as_deref().filter(|lang| !lang.is_empty()).unwrap_or(&chat.lang);
    let words = Words(company.map_or_else(|| Tongue::of(lang), |company| company.tongue(Some(lang))));
    let (zone_name, zone) = zone(app, chat, asked);
    let state = &chat.state;
    let now_ms = now_ms();
    const DATE: &str = "%Y-%m-%d %H:%M";
    let menus = menus::path(company.map(|company| &**company), state.menu_id, lang);
    let queue = menus.last().map(|menu| menu.name.clone()).unwrap_or_default();
    let ended = state.ended_at_ms.map_or_else(|| words.still_open(), |at_ms| local(&zone, at_ms, DATE));
    let facts = [
        (words.queue(), queue),
        (words.began(), local(&zone, state.created_at_ms, DATE)),
        (words.ended(), ended),
        (words.made(), local(&zone, now_ms, DATE)),
        (words.zone(), format!("{zone_name} (UTC{})", local(&zone, now_ms, "%:z"))),
    ];
    let name = |kind: &str, id: u64| {
        let author = Author::from_parts(kind, id).unwrap_or(Author::System);
        app.platform.member(author, chat).display_name
    };
    let expires_at_ms = now_ms.saturating_add(app.config.transcripts.media_link_lifetime_ms);
    let link = |media_id| media_link(app, media_id, expires_at_ms);
    let reading = Reading { words, zone: &zone, base: &app.platform.base, name: &name, link: &link };
    let document = Document {
        lang: lang.to_owned(),
        title: words.title(state.id),
        company: company.map(|company| company.settings.name.clone()).unwrap_or_default(),
        facts: facts.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        entries: document::entries(&messages, &reading),
        page: words.page(),
    };
    Ok((document, words))
}

/// The address of a file, for whoever has it, until a time.
fn media_link(app: &App, media_id: u64, expires_at_ms: u64) -> String {
    let signature = app.keys.media_link_signature(media_id, expires_at_ms);
    format!(
        "{}/api/v1/transcript_media/{media_id}?expires_at_ms={expires_at_ms}&signature={signature}",
        app.platform.base
    )
}

/// All messages as they are read by somebody who wrote none. Refuses more than a transcript may hold, before they are read.
async fn messages(app: &App, chat: &ChatRecord) -> Result<Vec<Map<String, Value>>, Failed> {
    let limits = &app.config.transcripts;
    let (chat_id, last_index) = (chat.state.id, chat.state.last_index);
    if last_index > limits.max_messages {
        return Err(Failed::TooLarge);
    }
    // A document is passed on: what is redacted reads in it as for those who did not write it, also where its reader did.
    let reader = Reader { actor: NOBODY, redactor: app.platform.redactor(chat) };
    let mut read = Vec::new();
    let (mut after, mut bytes) = (0, 0_usize);
    while after < last_index {
        let limit = PageLimit { messages: wire::MESSAGES_PAGE_LIMIT, bytes: app.config.limits.max_page_bytes };
        let page: Vec<Message<MessageBody>> =
            app.store.messages_after(chat_id, after, limit).await.map_err(Error::from)?;
        let Some(last) = page.last() else { break };
        after = last.index;
        // Where a mail was asked for, later messages are not part of it.
        for message in page.iter().filter(|message| message.index <= last_index) {
            let text = message::render(&app.keys, chat_id, message, reader);
            bytes = bytes.saturating_add(text.len());
            if bytes > limits.max_chat_bytes {
                return Err(Failed::TooLarge);
            }
            read.extend(serde_json::from_str::<Map<String, Value>>(text).ok());
        }
    }
    Ok(read)
}

/// The bytes of the pictures that a document shows: the first ones, as many as allowed, and none that is too large.
async fn pictures(app: &App, chat: &ChatRecord, document: &Document) -> Result<Vec<(u64, Vec<u8>)>, Failed> {
    let limits = &app.config.transcripts;
    let said = document.entries.iter().flat_map(|entry| match entry {
        Entry::Said { parts, .. } => parts.as_slice(),
        _ => &[],
    });
    let ids = said.filter_map(|part| match part {
        Part::Picture { media_id } => Some(*media_id),
        _ => None,
    });
    let mut room = limits.max_picture_bytes;
    let mut read = Vec::new();
    for media_id in ids.take(limits.max_pictures) {
        let record = app.store.media(media_id).await.map_err(Error::from)?;
        let of_chat = record.filter(|record| record.chat_id == chat.state.id && record.kind == MediaKind::Photo);
        let Some((stored, size)) = of_chat.and_then(|record| Some((record.stored?, record.size_bytes))) else {
            continue;
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > room {
            continue;
        }
        room = room.saturating_sub(size);
        let body = app.media.read(&stored, None).await?;
        if let Ok(bytes) = axum::body::to_bytes(body, size).await {
            read.push((media_id, bytes.to_vec()));
        }
    }
    Ok(read)
}

fn plain(document: &Document, chosen: &str) -> String {
    let mut text = format!("{}\n{}\n", document.company, document.title);
    for (name, value) in &document.facts {
        text.push_str(&format!("{name}: {value}\n"));
    }
    for entry in &document.entries {
        match entry {
            Entry::Day(day) => text.push_str(&format!("\n{day}\n")),
            Entry::Note { at, text: note } => text.push_str(&format!("\n{at}  {note}\n")),
            Entry::Said { name, at, parts, .. } => {
                text.push_str(&format!("\n{at}  {name}:\n"));
                plain_parts(parts, chosen, &mut text);
            }
        }
    }
    text
}

fn plain_parts(parts: &[Part], chosen: &str, text: &mut String) {
    for part in parts {
        match part {
            Part::Text(words) | Part::Small(words) | Part::Title(words) => {
                words.lines().for_each(|line| text.push_str(&format!("  {line}\n")));
            }
            Part::Link { label, url } => text.push_str(&format!("  {label}: {url}\n")),
            Part::Buttons(buttons) => {
                for (title, is_taken) in buttons {
                    let mark = if *is_taken { format!(" {chosen}") } else { String::new() };
                    text.push_str(&format!("  [{title}]{mark}\n"));
                }
            }
            Part::Card(parts) => plain_parts(parts, chosen, text),
            Part::Picture { .. } => {}
            Part::Answer { question, answer } => text.push_str(&format!("  {question}: {answer}\n")),
        }
    }
}

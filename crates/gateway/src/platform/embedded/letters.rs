//! What the platform's mails say: a customer's message for the company, an agent's answer for the customer, and the transcript of a chat. Written when
//! a mail leaves, from what the store has then. Nothing is HTML.

use axum::body::to_bytes;
use lettre::message::Mailbox;

use super::emails::{Email, Reply};
use super::words::Tongue;
use super::{Company, menus};
use crate::App;
use crate::error::Error;
use crate::mail::Post;
use crate::mail::letter::{Enclosure, Letter, address, mailbox};
use crate::mail::outbox::{Delivery, What};
use crate::store::Record;
use crate::transcript::{self, Asked, Failed};

/// The message of a mail; `None` where what it should say is gone for good.
pub(crate) async fn write(
    app: &App,
    post: &Post,
    record: &Record,
    index: usize,
    delivery: &Delivery,
) -> Result<Option<lettre::Message>, Error> {
    let Some(company) = app.platform.company(&record.content.company_id) else { return Ok(None) };
    let Some(to) = address(&delivery.to).or_else(|| delivery.to.parse().ok()) else { return Ok(None) };
    let blank = Letter {
        from: Mailbox::new(Some(company.settings.name.clone()), post.from.email.clone()),
        reply_to: company.settings.support_email.parse().ok().map(|email| Mailbox::new(None, email)),
        to: Mailbox::new(None, to),
        subject: String::new(),
        text: String::new(),
        files: Vec::new(),
        id: id(app, record, index),
        at_ms: delivery.at_ms,
    };
    let letter = match delivery.what {
        What::Transcript => transcript(app, company, record, blank).await?,
        What::Message => match Email::read(&record.content.body) {
            Some(email) => Some(message(app, company, record, &email, blank).await?),
            None => None,
        },
        What::Reply(at) => {
            let email = Email::read(&record.content.body);
            email.and_then(|email| Some(answer(company, record, &email, email.replies.get(at)?, blank)))
        }
    };
    Ok(letter.and_then(Letter::message))
}

/// The same in every try; nobody else can guess it.
fn id(app: &App, record: &Record, index: usize) -> [u8; 16] {
    let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
        app.keys.derive(&format!("mail {} {index}", record.id));
    id
}

/// The customer's message for the company's people. An answer goes to the customer.
async fn message(app: &App, company: &Company, record: &Record, email: &Email, blank: Letter) -> Result<Letter, Error> {
    let mut files = Vec::new();
    for kept in &email.attachments {
        let body = app.media.read_object(&kept.object).await?;
        let most = usize::try_from(kept.size).unwrap_or(usize::MAX);
        let bytes = to_bytes(body, most).await.map_err(|_| Error::of(wire::ErrorCode::Unavailable))?;
        let (name, content_type) = (kept.name.clone(), kept.content_type.clone());
        files.push(Enclosure { name, content_type, bytes: bytes.to_vec() });
    }
    let queue = queue_name(company, email.menu_id, company.default_lang());
    let who = email.name.as_deref().unwrap_or(&email.email);
    Ok(Letter {
        reply_to: address(&email.email).map(|address| mailbox(email.name.as_deref(), address)),
        subject: format!("[{queue}] {who} (#{})", record.id),
        text: format!("{}\n\n-- \n{who} <{}>\n{queue}, #{}\n", email.content, email.email, record.id),
        files,
        ..blank
    })
}

/// An agent's answer, with what the customer wrote below it.
fn answer(company: &Company, record: &Record, email: &Email, reply: &Reply, blank: Letter) -> Letter {
    let quoted: String = email.content.lines().map(|line| format!("> {line}\n")).collect();
    let to = address(&email.email).map_or(blank.to.clone(), |address| mailbox(email.name.as_deref(), address));
    Letter {
        to,
        subject: format!("Re: {} (#{})", queue_name(company, email.menu_id, &email.lang), record.id),
        text: format!("{}\n\n{}\n{quoted}", reply.content, company.settings.name),
        ..blank
    }
}

fn queue_name(company: &Company, menu_id: u64, lang: &str) -> String {
    menus::path(Some(company), menu_id, lang).pop().map(|menu| menu.name).unwrap_or_default()
}

/// The transcript of a chat, as text and as PDF, up to the message that was the last one when it was asked for.
async fn transcript(app: &App, company: &Company, record: &Record, blank: Letter) -> Result<Option<Letter>, Error> {
    let Some(chat_id) = record.content.chat_id else { return Ok(None) };
    let Some(mut chat) = app.store.chat(chat_id).await? else { return Ok(None) };
    let said = |name: &str| record.content.body.get(name);
    let lang = said("lang").and_then(serde_json::Value::as_str).unwrap_or(&chat.lang).to_owned();
    let last_index = said("last_index").and_then(serde_json::Value::as_u64).unwrap_or(chat.state.last_index);
    chat.state.last_index = last_index.min(chat.state.last_index);
    let tongue: Tongue = company.tongue(Some(&lang));
    let asked = Asked { lang: Some(lang), timezone: None };
    let text = match transcript::text(app, &chat, &asked).await {
        Ok(text) => text,
        Err(Failed::Unavailable) => return Err(Error::of(wire::ErrorCode::Unavailable)),
        Err(_) => return Ok(None),
    };
    let files = match transcript::pdf(app, &chat, &asked).await {
        Ok(bytes) => {
            let name = format!("transcript-{chat_id}.pdf");
            vec![Enclosure { name, content_type: "application/pdf".to_owned(), bytes }]
        }
        Err(Failed::Unavailable) => return Err(Error::of(wire::ErrorCode::Unavailable)),
        Err(failed) => {
            tracing::warn!(chat_id, reason = failed.as_str(), "a transcript leaves as text only");
            Vec::new()
        }
    };
    let subject = tongue.transcript_subject(&company.settings.name, chat_id);
    let opening = tongue.transcript_opening(&company.settings.name);
    Ok(Some(Letter { subject, text: format!("{opening}\n\n{text}"), files, ..blank }))
}

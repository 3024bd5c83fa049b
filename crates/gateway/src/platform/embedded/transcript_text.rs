//! The transcript of a chat as plain text, for a mail: who said what and when, on the company's clock. What the company's rules hide is hidden from
//! everybody here, its author included, because a mail goes on; so are notices and messages for the site's page.

use engine::gateway::{Actor, Author};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::words::Tongue;
use super::{Company, end_user_name};
use crate::App;
use crate::error::Error;
use crate::message::{self, Reader};
use crate::store::{ChatRecord, PageLimit};

/// The longest transcript; what is more is said to be missing.
const MAX_BYTES: usize = 1024 * 1024;
/// Nobody's number: whoever reads so reads as neither side's author.
const NOBODY: Actor = Actor::Agent(0);

pub(crate) async fn of_chat(
    app: &App,
    company: &Company,
    chat: &ChatRecord,
    last_index: u64,
    tongue: Tongue,
) -> Result<String, Error> {
    let zone = TimeZone::get(&company.settings.timezone.0).unwrap_or(TimeZone::UTC);
    let clock = |at_ms: u64, form: &str| {
        let at = Timestamp::from_millisecond(i64::try_from(at_ms).unwrap_or(i64::MAX)).unwrap_or_default();
        zone.to_datetime(at).strftime(form).to_string()
    };
    let chat_id = chat.state.id;
    let mut text = format!(
        "{} #{chat_id}\n{} ({})\n\n",
        company.settings.name,
        clock(chat.state.created_at_ms, "%Y-%m-%d %H:%M"),
        company.settings.timezone.0
    );
    let reader = Reader { actor: NOBODY, redactor: app.platform.redactor(chat) };
    let mut after = 0;
    while after < last_index {
        let limit = PageLimit { messages: wire::MESSAGES_PAGE_LIMIT, bytes: app.config.limits.max_page_bytes };
        let page = app.store.messages_after(chat_id, after, limit).await?;
        if page.is_empty() {
            break;
        }
        for stored in page {
            after = stored.index;
            if after > last_index {
                break;
            }
            let shown = message::render(&app.keys, chat_id, &stored, reader);
            let body: Value = serde_json::from_str(shown).unwrap_or_default();
            let Some(said) = said(&body) else { continue };
            let who = match stored.author {
                Author::EndUser(_) => end_user_name(chat).unwrap_or_else(|| tongue.customer().to_owned()),
                author => shortened(&app.platform.member(author, chat).display_name),
            };
            text.push_str(&format!("[{}] {who}: {said}\n", clock(stored.at_ms, "%H:%M")));
            if text.len() > MAX_BYTES {
                text.push_str("…\n");
                return Ok(text);
            }
        }
    }
    Ok(text)
}

/// An agent's name with the last name as an initial.
fn shortened(name: &str) -> String {
    match name.rsplit_once(' ') {
        Some((first, last)) => match last.chars().next() {
            Some(initial) => format!("{first} {initial}."),
            None => first.to_owned(),
        },
        None => name.to_owned(),
    }
}

/// What a message says in a text; `None` for what is nothing that is said.
fn said(body: &Value) -> Option<String> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let said = match body.get("type")?.as_str()? {
        "text" | "markdown" => text(body, "content").or_else(|| {
            let lines: Vec<String> =
                list(body, "messages").iter().filter_map(Value::as_str).map(str::to_owned).collect();
            (!lines.is_empty()).then(|| lines.join("\n"))
        })?,
        "photo" | "video" | "audio" | "document" => {
            format!("[{}]", body.get("media").and_then(|media| text(media, "name"))?)
        }
        "inline_button" | "sticky_button" => {
            let titles: Vec<String> = list(body, "buttons")
                .iter()
                .filter_map(|button| text(button, "title"))
                .map(|t| format!("[{t}]"))
                .collect();
            [text(body, "title").unwrap_or_default(), titles.join(" ")].join(" ").trim().to_owned()
        }
        "content_card" => {
            let titles: Vec<String> = list(body, "cards").iter().filter_map(|card| text(card, "title")).collect();
            [text(body, "title").into_iter().collect(), titles].concat().join(", ")
        }
        "form" => format!("[{}]", body.get("form").and_then(|form| text(form, "name"))?),
        _ => return None,
    };
    // Lines that follow are set in, so that none passes for another speaker's.
    (!said.is_empty()).then(|| said.replace("\r\n", "\n").replace('\n', "\n    "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_said_becomes_text_and_what_is_not_is_left_out() {
        let table = [
            (json!({"type": "text", "content": "a\n[10:00] Eve: b"}), Some("a\n    [10:00] Eve: b")),
            (json!({"type": "markdown", "messages": ["**a**", "b"]}), Some("**a**\n    b")),
            (json!({"type": "photo", "media": {"name": "cat.png"}}), Some("[cat.png]")),
            (
                json!({"type": "inline_button", "title": "Or", "buttons": [{"title": "A"}, {"title": "B"}]}),
                Some("Or [A] [B]"),
            ),
            (json!({"type": "content_card", "title": "Bikes", "cards": [{"title": "City"}]}), Some("Bikes, City")),
            (json!({"type": "form", "form": {"name": "Return"}}), Some("[Return]")),
            (json!({"type": "noti", "event": "chatEnded"}), None),
            (json!({"type": "server_message", "message": {"messages": ["x"]}}), None),
            (json!({"type": "photo"}), None),
            (json!({"type": "text", "content": ""}), None),
            (json!({}), None),
        ];
        for (body, expected) in table {
            assert_eq!(said(&body).as_deref(), expected, "{body}");
        }
        assert_eq!((shortened("Ada Lovelace"), shortened("Pia")), ("Ada L.".to_owned(), "Pia".to_owned()));
    }
}

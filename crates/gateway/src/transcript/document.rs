//! What a transcript says, before anyone draws it: the head, and each message as parts in plain words. Made from what the reader reads, so that what is redacted or
//! masked for them stays so; leaves out what is meant for machines.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use regex::Regex;
use serde_json::{Map, Value};

use super::words::Words;

/// A chat on paper.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Document {
    /// A BCP 47 tag.
    pub(crate) lang: String,
    /// "Chat 12".
    pub(crate) title: String,
    /// The company.
    pub(crate) company: String,
    /// What is known of the chat, with its name.
    pub(crate) facts: Vec<(String, String)>,
    pub(crate) entries: Vec<Entry>,
    /// Said at the end of each page: "Page 2 of 5".
    pub(crate) page: String,
}

/// One message, or a day's heading.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    /// A new day begins.
    Day(String),
    /// Something happened.
    Note { at: String, text: String },
    /// Somebody said something.
    Said { name: String, at: String, own: bool, parts: Vec<Part> },
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// Words.
    Text(String),
    /// Less important words.
    Small(String),
    /// A name with an address behind it.
    Link { label: String, url: String },
    /// Choices, and whether each was taken.
    Buttons(Vec<(String, bool)>),
    /// A card of its own.
    Card(Vec<Part>),
    /// A heading in a card.
    Title(String),
    /// A picture of the conversation, by its number.
    Picture { media_id: u64 },
    /// A question with its answer.
    Answer { question: String, answer: String },
}

/// What messages are read with.
pub(crate) struct Reading<'a> {
    pub(crate) words: Words,
    pub(crate) zone: &'a TimeZone,
    /// The gateway's own address.
    pub(crate) base: &'a str,
    /// The name of who wrote something: `$userType` and `$userId`.
    pub(crate) name: &'a dyn Fn(&str, u64) -> String,
    /// The address of a file of the conversation.
    pub(crate) link: &'a dyn Fn(u64) -> String,
}

/// Entries from messages as the reader reads them, in their order.
pub(crate) fn entries(messages: &[Map<String, Value>], reading: &Reading<'_>) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut day = String::new();
    for (position, message) in messages.iter().enumerate() {
        let Some(entry) = entry(message, messages.get(position.saturating_add(1)..).unwrap_or_default(), reading)
        else {
            continue;
        };
        let today = local(reading.zone, number(message, "$timestamp").unwrap_or(0), "%Y-%m-%d");
        if today != day {
            day.clone_from(&today);
            entries.push(Entry::Day(today));
        }
        entries.push(entry);
    }
    entries
}

/// A time on the clock of a zone; empty where there is no such time.
pub(crate) fn local(zone: &TimeZone, at_ms: u64, format: &str) -> String {
    let at = i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map(|at| at.to_zoned_datetime(zone.clone()).strftime(format).to_string()).unwrap_or_default()
}

/// A name with its last word shortened to an initial: "Ada Lovelace" is "Ada L.".
pub(crate) fn short_name(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    match words.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => {
            let initial: String = last.chars().find(|char| char.is_alphanumeric()).into_iter().collect();
            if initial.is_empty() { first.join(" ") } else { format!("{} {initial}.", first.join(" ")) }
        }
    }
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn number(object: &Map<String, Value>, key: &str) -> Option<u64> {
    object.get(key).and_then(Value::as_u64)
}

fn objects<'a>(object: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a Map<String, Value>> {
    object.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

fn entry(message: &Map<String, Value>, later: &[Map<String, Value>], reading: &Reading<'_>) -> Option<Entry> {
    let at = local(reading.zone, number(message, "$timestamp").unwrap_or(0), "%H:%M");
    let author = text(message, "$userType");
    let name = (reading.name)(author, number(message, "$userId").unwrap_or(0));
    let kind = text(message, "type");
    if kind == "noti" && text(message, "event") != "formCompleted" {
        return notice(message, &name, reading).map(|text| Entry::Note { at, text });
    }
    let parts = parts(message, kind, later, reading)?;
    Some(Entry::Said { name: short_name(&name), at, own: author == "end_user", parts })
}

fn notice(message: &Map<String, Value>, author: &str, reading: &Reading<'_>) -> Option<String> {
    let inner = |outer: &str, key: &str| message.get(outer).and_then(|value| value.get(key)?.as_str());
    let about = inner("agent", "name").or_else(|| inner("member", "display_name"));
    let about = about.unwrap_or(if text(message, "$userType") == "system" { "" } else { author });
    let to = inner("to", "name").unwrap_or_default();
    let reason = [text(message, "fail_reason"), text(message, "ended_by"), text(message, "reason")];
    let reason = reason.into_iter().find(|reason| !reason.is_empty()).unwrap_or_default();
    // A queue is no person.
    let to = if inner("to", "type") == Some("queue") { to.to_owned() } else { short_name(to) };
    reading.words.notice(text(message, "event"), &short_name(about), &to, reason)
}

fn parts(
    message: &Map<String, Value>,
    kind: &str,
    later: &[Map<String, Value>],
    reading: &Reading<'_>,
) -> Option<Vec<Part>> {
    let content = match message.get("content") {
        Some(Value::String(content)) => content.clone(),
        Some(Value::Object(content)) => text(content, "text").to_owned(),
        _ => String::new(),
    };
    let words = |content: &str| (!content.trim().is_empty()).then(|| Part::Text(content.to_owned()));
    let title = match text(message, "title") {
        "" => words(&content),
        title => words(title),
    };
    let taken = later.iter().find(|message| text(message, "$userType") == "end_user");
    let taken = taken.filter(|message| text(message, "type") == "text").map_or("", |message| text(message, "content"));
    let mut parts = Vec::new();
    match kind {
        // Meant for machines.
        "action" | "server_message" => return None,
        "text" | "text_template" => parts.push(Part::Text(content)),
        "markdown" | "markdown_template" => parts.push(Part::Text(without_marks(&content))),
        "inline_button" | "sticky_button" => {
            parts.extend(title);
            parts.extend(buttons(message, taken));
        }
        "content_card" => {
            parts.extend(title);
            parts.extend(objects(message, "cards").map(|shown| card(shown, taken, reading)));
        }
        "photo" | "image" | "video" | "audio" | "document" => {
            parts.extend(media(message, kind, reading));
            parts.extend(words(&content));
        }
        "form" => {
            let form = message.get("form").and_then(Value::as_object);
            let field = |key| form.map(|form| text(form, key)).filter(|text| !text.is_empty());
            let name = field("title").or_else(|| field("name"));
            parts.push(Part::Small(reading.words.form(name)));
            parts.extend(field("subtitle").map(|text| Part::Small(text.to_owned())));
        }
        "noti" => {
            let name = Some(text(message, "form_name")).filter(|name| !name.is_empty());
            parts.push(Part::Small(reading.words.form_completed(name)));
            parts.extend(answers(message.get("form_data"), reading.words));
        }
        other => parts.push(Part::Small(reading.words.unknown(other))),
    }
    Some(parts)
}

fn buttons(message: &Map<String, Value>, taken: &str) -> Option<Part> {
    let titles = objects(message, "buttons").map(|button| text(button, "title")).filter(|title| !title.is_empty());
    let buttons: Vec<_> = titles.map(|title| (title.to_owned(), title == taken)).collect();
    (!buttons.is_empty()).then_some(Part::Buttons(buttons))
}

fn card(card: &Map<String, Value>, taken: &str, reading: &Reading<'_>) -> Part {
    let mut parts = Vec::new();
    let field = |key| Some(text(card, key).to_owned()).filter(|text| !text.trim().is_empty());
    parts.extend(field("title").map(Part::Title));
    parts.extend(field("subtitle").map(Part::Small));
    parts.extend(field("body").map(Part::Text));
    let images = card.get("images").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for url in images {
        parts.extend(web_address(url, reading.base).map(|url| Part::Link { label: reading.words.picture(), url }));
    }
    let link = web_address(text(card, "link"), reading.base);
    parts.extend(link.map(|url| Part::Link { label: reading.words.more(), url }));
    parts.extend(buttons(card, taken));
    Part::Card(parts)
}

/// A file of the conversation, or something at an address of its own.
fn media(message: &Map<String, Value>, kind: &str, reading: &Reading<'_>) -> Vec<Part> {
    let file = message.get("media").and_then(Value::as_object);
    let named = file.map(|file| text(file, "name")).filter(|name| !name.is_empty());
    let label = named.or(Some(text(message, "text")).filter(|text| !text.is_empty()));
    let label = label.map_or_else(|| reading.words.unnamed(kind), str::to_owned);
    if let Some(media_id) = number(message, "media_id") {
        let link = Part::Link { label, url: (reading.link)(media_id) };
        return match kind {
            "photo" => vec![Part::Picture { media_id }, link],
            _ => vec![link],
        };
    }
    let url = message.get("document").and_then(|document| document.get("url")?.as_str());
    match web_address(url.unwrap_or_else(|| text(message, "url")), reading.base) {
        Some(url) => vec![Part::Link { label, url }],
        None => vec![Part::Small(label)],
    }
}

fn answers(data: Option<&Value>, words: Words) -> Vec<Part> {
    let answer = |question: &Value, value: &Value| {
        let question = match question {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Part::Answer { question, answer: answer_words(value, words) }
    };
    match data {
        Some(Value::Array(list)) => list
            .iter()
            .map(|item| {
                let question = item.get("question").or_else(|| item.get("question_id"));
                answer(question.unwrap_or(&Value::Null), item.get("value").unwrap_or(&Value::Null))
            })
            .collect(),
        Some(Value::Object(fields)) => {
            let plain = fields.iter().filter(|(_, value)| !value.is_object());
            plain.map(|(name, value)| answer(&Value::from(name.as_str()), value)).collect()
        }
        _ => Vec::new(),
    }
}

fn answer_words(value: &Value, words: Words) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => words.yes_or_no(*yes),
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            let each: Vec<String> = list.iter().map(|value| answer_words(value, words)).collect();
            each.join(", ")
        }
        other => other.to_string(),
    }
}

/// An address that a document may name; paths are the gateway's own.
fn web_address(url: &str, base: &str) -> Option<String> {
    let whole = if url.starts_with('/') { format!("{base}{url}") } else { url.to_owned() };
    let is_web = whole.starts_with("https://") || whole.starts_with("http://");
    let is_plain = whole.len() <= 2000 && whole.bytes().all(|byte| byte.is_ascii_graphic());
    (is_web && is_plain).then_some(whole)
}

/// The words of a markdown text: what the customer's page makes bold or a link, as words and addresses. Underscores inside a word stay.
fn without_marks(text: &str) -> String {
    const MARKS: &str = r"`([^`\n]+)`|\[([^\[\]\n]+)\]\(([^()\s]+)\)|\*\*([^*\n]+)\*\*|\*([^*\s][^*\n]*)\*";
    static INLINE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(MARKS).ok());
    let lines = text.lines().map(|line| {
        let heading = line.trim_start_matches('#');
        let is_heading = heading.len() < line.len() && heading.starts_with(' ');
        let line = if is_heading { heading.trim_start() } else { line };
        let item = line.trim_start().strip_prefix("- ").or_else(|| line.trim_start().strip_prefix("* "));
        let line = item.map_or_else(|| line.to_owned(), |item| format!("• {item}"));
        let Some(inline) = INLINE.as_ref() else { return line };
        let words = inline.replace_all(&line, |found: &regex::Captures<'_>| match (found.get(2), found.get(3)) {
            (Some(label), Some(url)) => format!("{} ({})", label.as_str(), url.as_str()),
            _ => {
                let inside = [1, 4, 5].into_iter().find_map(|group| found.get(group));
                inside.map_or_else(String::new, |inside| inside.as_str().to_owned())
            }
        });
        words.into_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::platform::embedded::words::Tongue;

    fn read(messages: Value) -> Vec<Entry> {
        let messages: Vec<Map<String, Value>> = serde_json::from_value(messages).unwrap();
        let name = |kind: &str, _: u64| match kind {
            "end_user" => "Uma de la Visitor".to_owned(),
            "agent" => "Ada".to_owned(),
            _ => String::new(),
        };
        let zone = TimeZone::get("Europe/Rome").unwrap();
        let link = |media_id: u64| format!("http://here/m/{media_id}");
        let words = Words(Tongue::English);
        entries(&messages, &Reading { words, zone: &zone, base: "http://here", name: &name, link: &link })
    }

    /// The parts of a message, and what follows it.
    fn parts_of(message: Value, later: &[Value]) -> Vec<Part> {
        let mut message = message;
        message["$userType"] = message.get("$userType").cloned().unwrap_or_else(|| "agent".into());
        let all: Vec<Value> = [vec![message], later.to_vec()].concat();
        match read(all.into()).into_iter().nth(1) {
            Some(Entry::Said { parts, .. }) => parts,
            _ => Vec::new(),
        }
    }

    fn words(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    #[test]
    fn last_names_are_shortened_to_an_initial() {
        let table = [
            ("Ada Lovelace", "Ada L."),
            ("Maria del Mar  Ruiz", "Maria del Mar R."),
            ("Ada", "Ada"),
            ("", ""),
            ("دينا أحمد", "دينا أ."),
            ("Ada -", "Ada"),
        ];
        for (name, short) in table {
            assert_eq!(short_name(name), short);
        }
    }

    #[test]
    fn each_day_has_a_heading_on_the_readers_clock_and_authors_are_told_apart() {
        // 23:30 and 00:30 in Rome.
        let said = |at: u64, who: &str| json!({"type": "text", "content": "x", "$timestamp": at, "$userType": who});
        let entries = read(json!([said(1_795_300_200_000, "end_user"), said(1_795_303_800_000, "agent")]));
        let said = |name: &str, at: &str, own| Entry::Said {
            name: name.to_owned(),
            at: at.to_owned(),
            own,
            parts: vec![words("x")],
        };
        let days = ["2026-11-21", "2026-11-22"].map(|day| Entry::Day(day.to_owned()));
        let [first, second] = days;
        assert_eq!(entries, [first, said("Uma de la V.", "23:30", true), second, said("Ada", "00:30", false)]);
    }

    #[test]
    fn each_type_of_message_becomes_parts() {
        let table = [
            (json!({"type": "text", "content": {"text": "a"}}), vec![words("a")]),
            (
                json!({"type": "markdown", "content": "# Head\n**b** and `c`, [d](https://d.example)\n- e_f_g\n* h"}),
                vec![words("Head\nb and c, d (https://d.example)\n• e_f_g\n• h")],
            ),
            (
                json!({"type": "photo", "media_id": 4, "media": {"name": "cat.png"}}),
                vec![
                    Part::Picture { media_id: 4 },
                    Part::Link { label: "cat.png".into(), url: "http://here/m/4".into() },
                ],
            ),
            (
                json!({"type": "image", "url": "/a.png", "text": "A"}),
                vec![Part::Link { label: "A".into(), url: "http://here/a.png".into() }],
            ),
            (json!({"type": "video", "url": "javascript:alert(1)"}), vec![Part::Small("A video".into())]),
            (json!({"type": "form", "form": {"name": "return"}}), vec![Part::Small("To fill in: return".into())]),
            (
                json!({"type": "noti", "event": "formCompleted", "form_name": "R", "form_data": [{"question": "Q", "value": ["a", true]}, {"question_id": 2, "value": "••••"}]}),
                vec![
                    Part::Small("Filled in: R".into()),
                    Part::Answer { question: "Q".into(), answer: "a, Yes".into() },
                    Part::Answer { question: "2".into(), answer: "••••".into() },
                ],
            ),
            (
                json!({"type": "content_card", "cards": [{"title": "T", "link": "/l", "buttons": [{"title": "B"}]}]}),
                vec![Part::Card(vec![
                    Part::Title("T".into()),
                    Part::Link { label: "More about it".into(), url: "http://here/l".into() },
                    Part::Buttons(vec![("B".into(), false)]),
                ])],
            ),
            (json!({"type": "odd"}), vec![Part::Small("A message of the kind “odd”".into())]),
            (json!({"type": "server_message", "message": {"messages": ["hidden"]}}), vec![]),
            (json!({"type": "action", "action": "end"}), vec![]),
            (json!({"content": 7}), vec![Part::Small("A message of the kind “”".into())]),
        ];
        for (message, parts) in table {
            assert_eq!(parts_of(message.clone(), &[]), parts, "{message}");
        }
    }

    #[test]
    fn a_choice_is_marked_where_the_customers_next_message_is_it() {
        let question = json!({"type": "inline_button", "title": "T", "buttons": [{"title": "a"}, {"title": "b"}]});
        let says = |text: &str| json!({"type": "text", "content": text, "$userType": "end_user"});
        let agent = json!({"type": "text", "content": "a", "$userType": "agent"});
        for (later, taken) in [
            (vec![agent.clone(), says("b")], [false, true]),
            (vec![says("no"), says("b")], [false, false]),
            (vec![agent], [false, false]),
        ] {
            let buttons = Part::Buttons(vec![("a".into(), taken[0]), ("b".into(), taken[1])]);
            assert_eq!(parts_of(question.clone(), &later), [words("T"), buttons]);
        }
    }

    #[test]
    fn notices_are_told_in_words_or_left_out() {
        let note = |message: Value| match read(json!([message])).pop() {
            Some(Entry::Note { text, .. }) => Some(text),
            _ => None,
        };
        let table = [
            (json!({"event": "memberJoined", "agent": {"name": "Ada Lovelace"}}), Some("Ada L. joined")),
            (
                json!({"event": "chatEnded", "ended_by": "timeout"}),
                Some("The chat ended, because nothing was written for long"),
            ),
            (
                json!({"event": "chatTransferred", "to": {"type": "queue", "name": "Big Bikes"}}),
                Some("Handed on to Big Bikes"),
            ),
            (json!({"event": "dismissalWarning"}), None),
            (json!({"event": "cobrowseStarted"}), Some("The customer shared their screen")),
            (json!({"event": "cobrowseEnded", "reason": "expired"}), Some("The screen is no longer shared")),
            (json!({"event": "cobrowseFailed"}), None),
            (json!({"event": "somethingNew"}), Some("Update: somethingNew")),
        ];
        for (mut message, expected) in table {
            message["type"] = "noti".into();
            message["$userType"] = "system".into();
            assert_eq!(note(message.clone()).as_deref(), expected, "{message}");
        }
    }
}

//! What a message says: the rules for what may be sent, and the envelope around it. Refuses content that would pass for the platform's own.

use engine::gateway::{Actor, Author, Message};
use serde_json::{Map, Value};
use store::{MessageBody, Redacted};
use wire::ErrorCode;

use crate::auth::keys::{Keys, Marks};
use crate::config::Limits;
use crate::error::Error;
use crate::platform::embedded::post_session;
use crate::redaction::Redactor;

/// Longest idempotency key.
const MAX_CLIENT_ID_BYTES: usize = 64;
/// Deepest nesting of a message.
const MAX_DEPTH: usize = 16;

/// The id and mark of a stored message.
pub(crate) fn marks(keys: &Keys, chat_id: u64, message: &Message<MessageBody>) -> Marks {
    keys.message_marks(chat_id, message.index, message.at_ms, message.author.parts(), message.body.json())
}

/// Who reads messages, and what is not for them.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) actor: Actor,
    pub(crate) redactor: Option<&'a Redactor>,
}

/// A stored message as the protocol writes it. The text is made once, however many read it; where something is redacted, once for its author
/// and once for all others.
pub(crate) fn render<'a>(keys: &Keys, chat_id: u64, message: &'a Message<MessageBody>, reader: Reader<'_>) -> &'a str {
    match redacted(keys, chat_id, message, reader.redactor) {
        Some(readings) if message.author == Author::from(reader.actor) => &readings.own,
        Some(readings) if is_for_the_page(message) && matches!(reader.actor, Actor::EndUser(_)) => &readings.own,
        Some(readings) => &readings.others,
        None => message.body.rendered_once(|| {
            let shown = post_session::shown(message.author, &message.body);
            enveloped(keys, chat_id, message, shown.as_deref().unwrap_or(message.body.json()))
        }),
    }
}

/// Whether these messages read differently for different readers.
pub(crate) fn differ(
    keys: &Keys,
    chat_id: u64,
    messages: &[Message<MessageBody>],
    redactor: Option<&Redactor>,
) -> bool {
    messages.iter().any(|message| redacted(keys, chat_id, message, redactor).is_some())
}

/// A message of the platform for the site's page: agents are told only that it was sent.
fn is_for_the_page(message: &Message<MessageBody>) -> bool {
    matches!(message.author, Author::VirtualAgent(_) | Author::System)
        && message.body.json().starts_with(r#"{"type":"server_message""#)
}

/// The readings of a message that does not read the same for everybody: a text in which something is redacted, or one for the site's page.
fn redacted<'a>(
    keys: &Keys,
    chat_id: u64,
    message: &'a Message<MessageBody>,
    redactor: Option<&Redactor>,
) -> Option<&'a Redacted> {
    if is_for_the_page(message) {
        return message.body.redacted_once(|| {
            let reading = |content: &str| enveloped(keys, chat_id, message, content);
            Some(Redacted { own: reading(message.body.json()), others: reading(r#"{"type":"server_message"}"#) })
        });
    }
    let redactor = redactor?;
    if !matches!(message.author, Author::EndUser(_) | Author::Agent(_)) {
        return None;
    }
    message.body.redacted_once(|| {
        let mut object: Map<String, Value> = serde_json::from_str(message.body.json()).ok()?;
        if !matches!(object.get("type")?.as_str()?, "text" | "markdown") {
            return None;
        }
        let content = object.get("content")?.as_str()?.to_owned();
        let shown = redactor.redact(&content)?;
        let reading = |object: &Map<_, _>| enveloped(keys, chat_id, message, MessageBody::new(object).json());
        object.insert("unredacted".to_owned(), content.into());
        let own = reading(&object);
        object.shift_remove("unredacted");
        object.insert("content".to_owned(), shown.into());
        Some(Redacted { own, others: reading(&object) })
    })
}

/// A content with the message's envelope around it. The marks are those of what is stored, whoever reads.
fn enveloped(keys: &Keys, chat_id: u64, message: &Message<MessageBody>, content: &str) -> String {
    let Marks { sid, signature } = marks(keys, chat_id, message);
    let (user_type, user_id) = message.author.parts();
    let (index, at_ms) = (message.index, message.at_ms);
    let mut text = format!(
        r#"{{"$index":{index},"$sid":"{sid}","$timestamp":{at_ms},"$userType":"{user_type}","$userId":{user_id},"#
    );
    if let Some(client_id) = &message.client_id {
        text.push_str(r#""client_id":"#);
        text.push_str(&Value::from(client_id.as_str()).to_string());
        text.push(',');
    }
    text.push_str(r#""signature":""#);
    text.push_str(&signature);
    text.push('"');
    let content = content.strip_prefix('{').unwrap_or("}");
    if content != "}" {
        text.push(',');
    }
    text.push_str(content);
    text
}

/// `[message,message,…]`
pub(crate) fn render_list(keys: &Keys, chat_id: u64, messages: &[Message<MessageBody>], reader: Reader<'_>) -> String {
    let mut text = String::from("[");
    for (position, message) in messages.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        text.push_str(render(keys, chat_id, message, reader));
    }
    text.push(']');
    text
}

/// An idempotency key: 1 to 64 characters of `A-Z a-z 0-9 _ -`. Keys of the gateway itself contain a colon and so never meet these.
pub(crate) fn check_client_id(client_id: &str) -> Result<(), Error> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=MAX_CLIENT_ID_BYTES).contains(&client_id.len()) && client_id.bytes().all(good) {
        Ok(())
    } else {
        Err(Error::invalid("client_id must have 1 to 64 characters of A-Z, a-z, 0-9, _ and -."))
    }
}

/// Text that a person sends.
pub(crate) fn check_text(text: &str, limits: &Limits) -> Result<(), Error> {
    if text.trim().is_empty() {
        return Err(Error::invalid("The text is empty."));
    }
    if text.len() > limits.max_text_bytes {
        return Err(Error::too_large());
    }
    Ok(())
}

/// A `text` message of a person.
pub(crate) fn text_body(text: &str) -> MessageBody {
    let mut object = Map::new();
    object.insert("type".to_owned(), "text".into());
    object.insert("content".to_owned(), text.into());
    MessageBody::new(&object)
}

/// What an end user or an agent may send (`docs/gateway.md`, "Messages").
pub(crate) fn check(mut object: Map<String, Value>, actor: Actor, limits: &Limits) -> Result<MessageBody, Error> {
    if object.keys().any(|key| key.starts_with('$')) || object.contains_key("client_id") {
        return Err(Error::invalid(
            "A message has no `client_id` and no keys that begin with `$`: those are the envelope's.",
        ));
    }
    if object.contains_key("unredacted") {
        return Err(Error::invalid("A message has no `unredacted`: the gateway adds it."));
    }
    match object.get("type").and_then(Value::as_str) {
        None => return Err(Error::invalid("A message needs a `type`, which is a string.")),
        Some("text") => match object.get("content").and_then(Value::as_str) {
            Some(text) => check_text(text, limits)?,
            None => return Err(Error::invalid("A text message needs `content`, which is a string.")),
        },
        Some("noti") if object.get("event").and_then(Value::as_str) != Some("formCompleted") => {
            return Err(Error::invalid(
                "The only `noti`s that can be sent are `formCompleted` and an end user's words on screen share; the others are the platform's.",
            ));
        }
        // The file was looked at before (`http::media`).
        Some("photo" | "video" | "audio" | "document") => {}
        Some(kind @ ("markdown" | "inline_button" | "content_card")) if matches!(actor, Actor::Agent(_)) => {
            check_shape(kind, &object, limits)?;
        }
        Some("image" | "form") => {
            return Err(Error::of(ErrorCode::Unsupported));
        }
        Some("server_message" | "action" | "complex") => {
            return Err(Error::invalid("Messages of this type come from the platform only."));
        }
        Some(kind) if kind.is_empty() || kind.len() > 64 => {
            return Err(Error::invalid("A message's `type` has 1 to 64 characters."));
        }
        Some(_) => {}
    }
    if object.values().any(|value| is_deeper_than(value, MAX_DEPTH)) {
        return Err(Error::invalid("The message is nested too deeply."));
    }
    // The form's own mark must not pass for the gateway's.
    if let Some(signature) = object.shift_remove("signature") {
        object.insert("form_signature".to_owned(), signature);
    }
    let body = MessageBody::new(&object);
    if body.json().len() > limits.max_message_bytes {
        return Err(Error::too_large());
    }
    Ok(body)
}

/// What end users' apps may say of a screen share that goes another way than ours. The agent's request is not among them.
const SHARE_NOTICES: [&str; 5] =
    ["cobrowseRequestedFromEndUser", "cobrowseCodeGenerated", "cobrowseStarted", "cobrowseEnded", "cobrowseFailed"];
/// Longest text in one of them.
const MAX_SHARE_TEXT_BYTES: usize = 256;

/// Whether a message says such a thing.
pub(crate) fn is_share_notice(object: &Map<String, Value>) -> bool {
    object.get("event").and_then(Value::as_str).is_some_and(|event| SHARE_NOTICES.contains(&event))
}

/// What of it is stored: the word, a code and a reason. Everything else is dropped, above all `screen_share_id`, which only the platform says.
pub(crate) fn share_notice(object: &Map<String, Value>) -> Result<MessageBody, Error> {
    let mut kept = Map::new();
    for name in ["type", "event", "code", "reason"] {
        match object.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text.len() <= MAX_SHARE_TEXT_BYTES => {
                kept.insert(name.to_owned(), text.as_str().into());
            }
            Some(Value::String(_)) => return Err(Error::too_large()),
            Some(_) => return Err(Error::invalid("`code` and `reason` of such a message are strings.")),
        }
    }
    Ok(MessageBody::new(&kept))
}

/// What goes with something else than a message: as large and as deep as a message may be.
pub(crate) fn check_data(object: &Map<String, Value>, limits: &Limits) -> Result<(), Error> {
    if object.values().any(|value| is_deeper_than(value, MAX_DEPTH)) {
        return Err(Error::invalid("The data is nested too deeply."));
    }
    if MessageBody::new(object).json().len() > limits.max_message_bytes {
        return Err(Error::too_large());
    }
    Ok(())
}

/// What an agent may send besides texts, as clients read it.
fn check_shape(kind: &str, object: &Map<String, Value>, limits: &Limits) -> Result<(), Error> {
    let is_text = |value: Option<&Value>| value.and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
    let leads_somewhere = |value: Option<&Value>| match value {
        None | Some(Value::Null) => true,
        Some(link) => link.as_str().is_some_and(|link| link.starts_with("https://") || link.starts_with("http://")),
    };
    let are_buttons = |value: &Value| {
        value.as_array().is_some_and(|buttons| {
            !buttons.is_empty() && buttons.iter().all(|b| is_text(b.get("title")) && leads_somewhere(b.get("link")))
        })
    };
    let is_card = |card: &Value| {
        let images = card.get("images").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        is_text(card.get("title"))
            && leads_somewhere(card.get("link"))
            && images.iter().all(|image| leads_somewhere(Some(image)))
            && card.get("buttons").is_none_or(are_buttons)
    };
    match kind {
        "markdown" => match object.get("content").and_then(Value::as_str) {
            Some(text) => check_text(text, limits),
            None => Err(Error::invalid("A markdown message needs `content`, which is a string.")),
        },
        "inline_button" if object.get("buttons").is_some_and(are_buttons) => Ok(()),
        "inline_button" => Err(Error::invalid(
            "An inline_button message needs `buttons`, each with a `title` and perhaps a `link` to https:// or http://.",
        )),
        _ if object.get("cards").and_then(Value::as_array).is_some_and(|c| !c.is_empty() && c.iter().all(is_card)) => {
            Ok(())
        }
        _ => Err(Error::invalid(
            "A content_card message needs `cards`, each with a `title`; links and images begin with https:// or http://.",
        )),
    }
}

fn is_deeper_than(value: &Value, depth: usize) -> bool {
    let Some(below) = depth.checked_sub(1) else { return true };
    match value {
        Value::Array(items) => items.iter().any(|item| is_deeper_than(item, below)),
        Value::Object(members) => members.values().any(|member| is_deeper_than(member, below)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use engine::gateway::Author;
    use serde_json::json;

    use super::*;

    fn checked(value: Value) -> Result<MessageBody, ErrorCode> {
        let Value::Object(object) = value else { panic!("an object") };
        let limits = Limits { max_text_bytes: 10, max_message_bytes: 200, ..Limits::default() };
        check(object, Actor::EndUser(1), &limits).map_err(|error| error.code)
    }

    #[test]
    fn what_may_be_sent() {
        let mut deep = json!(1);
        for _ in 0..20 {
            deep = json!([deep]);
        }
        let table = [
            (json!({"type": "text", "content": "0123456789"}), None),
            (json!({"type": "text", "content": "0123456789+"}), Some(ErrorCode::TooLarge)),
            (json!({"type": "text", "content": " \n"}), Some(ErrorCode::InvalidArgument)),
            (json!({"type": "text"}), Some(ErrorCode::InvalidArgument)),
            (json!({"type": "text", "content": 7}), Some(ErrorCode::InvalidArgument)),
            (json!({"content": "no type"}), Some(ErrorCode::InvalidArgument)),
            (json!({"type": ""}), Some(ErrorCode::InvalidArgument)),
            (json!({"type": "my.own", "data": {"a": [1, 2]}}), None),
            (json!({"type": "my.own", "data": "x".repeat(300)}), Some(ErrorCode::TooLarge)),
            (json!({"type": "my.own", "data": deep}), Some(ErrorCode::InvalidArgument)),
            (json!({"type": "my.own", "$index": 1}), Some(ErrorCode::InvalidArgument)),
            (json!({"type": "text", "content": "a", "unredacted": "b"}), Some(ErrorCode::InvalidArgument)),
            (json!({"type": "my.own", "client_id": "x"}), Some(ErrorCode::InvalidArgument)),
            (json!({"type": "photo", "media_id": 1}), None),
            (json!({"type": "video", "media_id": 1}), None),
            (json!({"type": "image", "url": "x"}), Some(ErrorCode::Unsupported)),
            (json!({"type": "noti", "event": "chatEnded"}), Some(ErrorCode::InvalidArgument)),
            (json!({"type": "noti", "event": "cobrowseRequestedFromAgent"}), Some(ErrorCode::InvalidArgument)),
            (json!({"type": "noti", "event": "formCompleted", "form_name": "f"}), None),
            (json!({"type": "server_message"}), Some(ErrorCode::InvalidArgument)),
        ];
        for (value, expected) in table {
            let shown = value.to_string();
            assert_eq!(checked(value).err(), expected, "{shown}");
        }
    }

    #[test]
    fn of_what_an_app_says_of_a_screen_share_only_its_words_are_kept() {
        let object = |value: Value| match value {
            Value::Object(object) => object,
            _ => panic!("an object"),
        };
        for event in SHARE_NOTICES {
            let said = object(json!({
                "type": "noti", "event": event, "code": "123456", "reason": "denied", "screen_share_id": 7,
                "agent": {"id": 1}, "$userType": "agent", "signature": "mine",
            }));
            assert!(is_share_notice(&said));
            let kept: Value = serde_json::from_str(share_notice(&said).unwrap().json()).unwrap();
            assert_eq!(kept, json!({"type": "noti", "event": event, "code": "123456", "reason": "denied"}));
        }
        for event in ["cobrowseRequestedFromAgent", "cobrowse", "chatEnded", "formCompleted"] {
            assert!(!is_share_notice(&object(json!({"type": "noti", "event": event}))), "{event}");
        }
        let refused = |value: Value| {
            let mut said = object(json!({"type": "noti", "event": "cobrowseEnded"}));
            said.insert("reason".to_owned(), value);
            share_notice(&said).map_err(|error| error.code).err()
        };
        assert_eq!(refused(json!("x".repeat(257))), Some(ErrorCode::TooLarge));
        assert_eq!(refused(json!({"a": "b"})), Some(ErrorCode::InvalidArgument));
        assert_eq!(refused(Value::Null), None);
    }

    #[test]
    fn a_body_cannot_bring_its_own_envelope() {
        let body = checked(json!({"type": "noti", "event": "formCompleted", "signature": "mine"})).unwrap();
        let author = Author::EndUser(4);
        let message = Message { index: 3, author, client_id: Some("c-1".into()), at_ms: 9, body };
        let keys = Keys::new([1; 32]);
        let reader = Reader { actor: Actor::Agent(1), redactor: None };
        let value: Value = serde_json::from_str(render(&keys, 5, &message, reader)).unwrap();
        assert_eq!(value["form_signature"], "mine");
        assert_ne!(value["signature"], "mine");
        assert_eq!((value["$index"].as_u64(), value["$userType"].as_str()), (Some(3), Some("end_user")));
        assert_eq!(value["client_id"], "c-1");
        let read: wire::rest::Message = serde_json::from_value(value).unwrap();
        assert_eq!(read.sid.len(), 22);
    }

    #[test]
    fn agents_send_buttons_and_cards_that_clients_can_show() {
        let table = [
            (json!({"type": "markdown", "content": "**a**"}), true),
            (json!({"type": "markdown", "content": " "}), false),
            (json!({"type": "markdown"}), false),
            (
                json!({"type": "inline_button", "buttons": [{"title": "a"}, {"title": "b", "link": "https://b.example"}]}),
                true,
            ),
            (json!({"type": "inline_button", "buttons": []}), false),
            (json!({"type": "inline_button", "buttons": [{"title": "a", "link": "javascript:alert(1)"}]}), false),
            (json!({"type": "content_card", "cards": [{"title": "a", "images": ["https://b.example/i"]}]}), true),
            (json!({"type": "content_card", "cards": [{"title": "a", "buttons": []}]}), false),
            (json!({"type": "content_card", "cards": [{"title": "a", "images": ["data:x"]}]}), false),
            (json!({"type": "content_card", "cards": []}), false),
        ];
        for (value, expected) in table {
            let Value::Object(object) = value.clone() else { panic!("an object") };
            assert_eq!(check(object, Actor::Agent(1), &Limits::default()).is_ok(), expected, "{value}");
        }
    }

    #[test]
    fn client_ids_are_short_and_plain() {
        for good in ["a", "A-Z_09", &"x".repeat(64)] {
            assert!(check_client_id(good).is_ok());
        }
        for bad in ["", "a:b", "a b", "ä", &"x".repeat(65)] {
            assert!(check_client_id(bad).is_err());
        }
    }
}

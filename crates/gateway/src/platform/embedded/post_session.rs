//! What a post-session found out: the session variables that its virtual agent's messages name, with what the end user answered. Read from the
//! conversation, which is all that is stored: a pure function.

use engine::gateway::{Act, Author, Message};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::config::post_session::{CaptureTarget, SessionVariable};
use crate::redaction::Redactor;
use crate::store::MessageBody;

/// The field of a stored message that names what is found out with it. Nobody is shown it.
const FIELD: &str = "session_variables";

/// Something that was found out.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// Its `capture_key`.
    pub(crate) key: String,
    /// The end user's answer as agents read it, or the virtual agent's own value.
    #[schema(value_type = Object)]
    pub(crate) value: Value,
    /// When.
    pub(crate) at_ms: u64,
    #[serde(skip)]
    order: Option<u64>,
}

/// Lets the last of the messages find something out.
pub(crate) fn attach(acts: &mut [Act<MessageBody>], variables: &[SessionVariable]) {
    if variables.is_empty() {
        return;
    }
    let last = acts.iter_mut().rev().find_map(|act| match act {
        // One for the site's page is not something to answer.
        Act::Say(body) if !body.json().starts_with(r#"{"type":"server_message""#) => Some(body),
        Act::Say(_) | Act::Escalate | Act::Finish => None,
    });
    if let Some(body) = last
        && let Ok(mut object) = serde_json::from_str::<Map<String, Value>>(body.json())
    {
        let named = variables.iter().map(|variable| {
            let target = match variable.capture_target {
                CaptureTarget::Payload => "payload",
                CaptureTarget::EndUserResponse => "end_user_response",
            };
            json!({
                "capture_target": target,
                "capture_key": variable.capture_key,
                "payload": variable.payload,
                "display_order_in_adapter": variable.display_order_in_adapter,
            })
        });
        object.insert(FIELD.to_owned(), named.collect());
        *body = MessageBody::new(&object);
    }
}

/// The content of a message without what it finds out; `None` where it finds nothing out, which is nearly always.
pub(crate) fn shown(author: Author, body: &MessageBody) -> Option<String> {
    if !matches!(author, Author::VirtualAgent(_)) || !body.json().contains(FIELD) {
        return None;
    }
    let mut object: Map<String, Value> = serde_json::from_str(body.json()).ok()?;
    object.shift_remove(FIELD)?;
    Some(MessageBody::new(&object).json().to_owned())
}

/// What messages found out, by their places, then in the order of the conversation. Of what was found out twice the newest counts.
pub(crate) fn findings(messages: &[Message<MessageBody>], redactor: Option<&Redactor>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let mut asked: Vec<(String, Option<u64>)> = Vec::new();
    let mut keep = |finding: Finding| match found.iter_mut().find(|known| known.key == finding.key) {
        Some(known) => *known = finding,
        None => found.push(finding),
    };
    for message in messages {
        let at_ms = message.at_ms;
        match message.author {
            Author::VirtualAgent(_) if message.body.json().contains(FIELD) => {
                let body: Value = serde_json::from_str(message.body.json()).unwrap_or_default();
                let variables = body.get(FIELD).and_then(Value::as_array);
                for variable in variables.into_iter().flatten() {
                    let Some(key) = variable.get("capture_key").and_then(Value::as_str) else { continue };
                    let order = variable.get("display_order_in_adapter").and_then(Value::as_u64);
                    let value = variable.get("payload").filter(|value| !value.is_null());
                    match value.cloned() {
                        Some(value) => keep(Finding { key: key.to_owned(), value, at_ms, order }),
                        None => asked.push((key.to_owned(), order)),
                    }
                }
            }
            Author::EndUser(_) => {
                for (key, order) in asked.drain(..) {
                    keep(Finding { key, value: answer(&message.body, redactor), at_ms, order });
                }
            }
            _ => {}
        }
    }
    found.sort_by_key(|finding| finding.order.unwrap_or(u64::MAX));
    found
}

/// The end user's text as agents read it; of anything else only what it is.
fn answer(body: &MessageBody, redactor: Option<&Redactor>) -> Value {
    if let Some(text) = body.text() {
        return redactor.and_then(|redactor| redactor.redact(&text)).unwrap_or(text).into();
    }
    let body: Value = serde_json::from_str(body.json()).unwrap_or_default();
    json!({ "type": body.get("type") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Builtin, Redaction};

    fn message(index: u64, author: Author, body: Value) -> Message<MessageBody> {
        Message { index, author, client_id: None, at_ms: index, body: MessageBody::from_stored(body.to_string()) }
    }

    fn asks(key: &str, order: Option<u64>) -> Value {
        json!([{"capture_target": "end_user_response", "capture_key": key, "payload": null, "display_order_in_adapter": order}])
    }

    #[test]
    fn the_end_users_next_message_answers_and_a_payload_is_its_own_value() {
        let (bot, user) = (Author::VirtualAgent(8), Author::EndUser(5));
        let payload = json!([{"capture_target": "payload", "capture_key": "mood", "payload": {"score": 1}, "display_order_in_adapter": 1}]);
        let messages = [
            message(1, user, json!({"type": "text", "content": "not asked"})),
            message(
                2,
                bot,
                json!({"type": "text", "content": "solved?", "session_variables": asks("solved", Some(2))}),
            ),
            message(3, Author::System, json!({"type": "noti", "event": "x"})),
            message(4, user, json!({"type": "text", "content": "no"})),
            message(5, bot, json!({"type": "text", "content": "why?", "session_variables": asks("why", None)})),
            message(6, user, json!({"type": "photo", "media_id": 3})),
            message(7, bot, json!({"type": "text", "content": "sorry", "session_variables": payload})),
            message(8, bot, json!({"type": "text", "content": "again?", "session_variables": asks("solved", Some(2))})),
            message(9, user, json!({"type": "text", "content": "my card is 4111 1111 1111 1111"})),
            message(
                10,
                bot,
                json!({"type": "text", "content": "more?", "session_variables": asks("never answered", None)}),
            ),
        ];
        let redactor = Redactor::new(&[Redaction { builtin: Some(Builtin::Card), ..Redaction::default() }]);
        let found = findings(&messages, Some(&redactor));
        let shown: Vec<(&str, &Value, u64)> = found.iter().map(|f| (f.key.as_str(), &f.value, f.at_ms)).collect();
        let (mood, solved, why) = (json!({"score": 1}), json!("my card is •••• 1111"), json!({"type": "photo"}));
        assert_eq!(shown, [("mood", &mood, 7), ("solved", &solved, 9), ("why", &why, 6)]);
        assert_eq!(findings(&[], None), []);
    }

    #[test]
    fn nobody_is_shown_what_a_message_finds_out() {
        let mut acts =
            vec![Act::Say(crate::message::text_body("a")), Act::Say(crate::message::text_body("b")), Act::Finish];
        let variable = SessionVariable {
            capture_target: CaptureTarget::Payload,
            capture_key: "k".into(),
            payload: Some(json!("v")),
            display_order_in_adapter: None,
        };
        attach(&mut acts, std::slice::from_ref(&variable));
        let [Act::Say(first), Act::Say(second), Act::Finish] = &acts[..] else { panic!("three acts") };
        assert!(!first.json().contains(FIELD) && second.json().contains(FIELD));
        let bot = Author::VirtualAgent(8);
        assert_eq!(shown(bot, first), None);
        assert_eq!(shown(bot, second).as_deref(), Some(crate::message::text_body("b").json()));
        // What an end user calls so is theirs.
        assert_eq!(shown(Author::EndUser(5), second), None);
        let mut silent = vec![Act::Finish];
        attach(&mut silent, &[variable]);
        assert_eq!(silent, [Act::Finish]);
    }
}

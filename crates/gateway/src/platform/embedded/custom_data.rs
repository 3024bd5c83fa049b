//! What a site says about its customer when it opens a chat (`ccaip.md` 9.2 and 9.3): unsigned entries, which anyone could have written, and
//! signed ones, which only the site's server can. Reads, checks and shows; it believes nothing unsigned, and keeps the order of keys.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::auth::jwt;
use crate::config::{Limits, Secret};
use crate::error::Error;

/// The key of a conversation that was held elsewhere before.
const EXTERNAL_CHAT_TRANSFER: &str = "external_chat_transfer";
/// Entries of a transcript that was held elsewhere.
const MAX_TRANSCRIPT: usize = 1000;
/// Longest name, label or address.
const MAX_TEXT_BYTES: usize = 2048;

/// The entries that a chat's agents see.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct DeskCustomData {
    /// What the page said, in its order.
    #[schema(value_type = Object)]
    unsigned: Map<String, Value>,
    /// What the site's server signed, in its order.
    #[schema(value_type = Object)]
    signed: Map<String, Value>,
}

/// What the reserved keys say about a customer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct CustomerFlags {
    /// `reserved_verified_customer`
    verified_customer: bool,
    /// `reserved_bad_actor`
    bad_actor: bool,
    /// `reserved_repeat_customer`
    repeat_customer: bool,
}

impl CustomerFlags {
    /// What the first of these entries says that says anything.
    fn of(entries: &[&Map<String, Value>]) -> CustomerFlags {
        let flag = |key: &str| entries.iter().find_map(|entries| entries.get(key)).is_some_and(is_true);
        CustomerFlags {
            verified_customer: flag("reserved_verified_customer"),
            bad_actor: flag("reserved_bad_actor"),
            repeat_customer: flag("reserved_repeat_customer"),
        }
    }
}

fn is_true(entry: &Value) -> bool {
    let value = entry.get("value").unwrap_or(entry);
    value.as_bool().unwrap_or_else(|| value.as_str() == Some("true"))
}

/// What the desk shows of it all.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shown {
    pub(crate) custom_data: DeskCustomData,
    /// By whoever said it.
    pub(crate) flags: CustomerFlags,
    /// By the site's server alone.
    pub(crate) flags_signed: CustomerFlags,
    /// What was said elsewhere before.
    pub(crate) external_transcript: Vec<Value>,
}

/// What there is to see of a chat's request, as [`check`] left it.
pub(crate) fn shown(request: &Map<String, Value>) -> Shown {
    let (unsigned, signed) = (part(request, "unsigned"), part(request, "signed"));
    let visible = |entries: &Map<String, Value>| {
        let entries = entries.iter().filter(|(key, entry)| {
            let is_hidden = entry.get("invisible_to_agent").and_then(Value::as_bool) == Some(true);
            !is_hidden && !key.starts_with("reserved_") && key.as_str() != EXTERNAL_CHAT_TRANSFER
        });
        entries.map(|(key, entry)| (key.clone(), entry.clone())).collect()
    };
    let (none, no_entries) = (Map::new(), Map::new());
    let (unsigned, signed) = (unsigned.unwrap_or(&none), signed.unwrap_or(&no_entries));
    let transcript = unsigned.get(EXTERNAL_CHAT_TRANSFER).and_then(|transfer| transfer.get("transcript"));
    Shown {
        custom_data: DeskCustomData { unsigned: visible(unsigned), signed: visible(signed) },
        flags: CustomerFlags::of(&[signed, unsigned]),
        flags_signed: CustomerFlags::of(&[signed]),
        external_transcript: transcript.and_then(Value::as_array).cloned().unwrap_or_default(),
    }
}

fn part<'a>(request: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
    request.get("custom_data")?.get(name)?.as_object()
}

/// Whom a customer talked with elsewhere before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Predecessor {
    /// What the virtual agent says when the chat opens.
    pub(crate) greeting: Option<String>,
    /// The virtual agent's name here.
    pub(crate) name: Option<String>,
    /// The virtual agent's picture here.
    pub(crate) avatar_url: Option<String>,
}

/// The predecessor of a chat's virtual agent, where the site named one.
pub(crate) fn predecessor(request: &Map<String, Value>) -> Predecessor {
    let transfer = part(request, "unsigned").and_then(|unsigned| unsigned.get(EXTERNAL_CHAT_TRANSFER));
    let text = |value: Option<&Value>| value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let agent = transfer.and_then(|transfer| transfer.get("agent"));
    Predecessor {
        greeting: text(transfer.and_then(|transfer| transfer.get("greeting_override"))),
        name: text(agent.and_then(|agent| agent.get("name"))),
        avatar_url: text(agent.and_then(|agent| agent.get("avatar"))),
    }
}

/// Checks a request's `custom_data` and puts what its token signs in the token's place, so that what is stored was verified once and does not
/// expire.
///
/// # Errors
/// Where something is malformed, or the token is not the site's or has expired.
pub(crate) fn check(
    request: &mut Map<String, Value>,
    secret: &Secret,
    leeway_ms: u64,
    limits: &Limits,
) -> Result<(), Error> {
    let custom_data = match request.get_mut("custom_data") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(custom_data)) => custom_data,
        Some(_) => return Err(Error::invalid("`custom_data` of a chat is an object.")),
    };
    match custom_data.get("unsigned") {
        None | Some(Value::Null) => {}
        Some(Value::Object(unsigned)) => {
            if let Some(transfer) = unsigned.get(EXTERNAL_CHAT_TRANSFER) {
                check_transfer(transfer, limits).ok_or_else(|| {
                    Error::invalid(
                        "`external_chat_transfer` has `greeting_override`, `agent` {name, avatar?} and `transcript` \
                         [{sender, timestamp, content}], as the documentation of the gateway says.",
                    )
                })?;
            }
        }
        Some(_) => return Err(Error::invalid("`custom_data.unsigned` of a chat is an object.")),
    }
    match custom_data.get("signed") {
        None | Some(Value::Null) => {}
        // Sites fill it from templates.
        Some(Value::String(token)) if token.is_empty() => drop(custom_data.shift_remove("signed")),
        Some(Value::String(token)) => {
            let entries = jwt::verify_custom_data(token, secret, leeway_ms)?;
            custom_data.insert("signed".to_owned(), entries.into());
        }
        Some(_) => return Err(Error::invalid("`custom_data.signed` of a chat is a token, which is a string.")),
    }
    Ok(())
}

/// `None` where something is malformed. What is unknown passes.
fn check_transfer(transfer: &Value, limits: &Limits) -> Option<()> {
    let transfer = transfer.as_object()?;
    if let Some(greeting) = given(transfer, "greeting_override") {
        greeting.as_str().filter(|text| text.len() <= limits.max_text_bytes)?;
    }
    if let Some(agent) = given(transfer, "agent") {
        short(agent.get("name")?).filter(|name| !name.trim().is_empty())?;
        if let Some(avatar) = agent.as_object().and_then(|agent| given(agent, "avatar")) {
            web_address(avatar)?;
        }
    }
    if let Some(transcript) = given(transfer, "transcript") {
        let entries = transcript.as_array().filter(|entries| entries.len() <= MAX_TRANSCRIPT)?;
        entries.iter().try_for_each(check_entry)?;
    }
    Some(())
}

fn check_entry(entry: &Value) -> Option<()> {
    matches!(entry.get("sender")?.as_str()?, "end_user" | "agent").then_some(())?;
    short(entry.get("timestamp")?)?.parse::<Timestamp>().ok()?;
    entry.get("content")?.as_array()?.iter().try_for_each(check_content)
}

fn check_content(content: &Value) -> Option<()> {
    match content.get("type")?.as_str()? {
        "text" => content.get("text")?.as_str().map(drop),
        "buttons" => content.get("buttons")?.as_array()?.iter().try_for_each(|button| {
            short(button.get("label")?)?;
            button.get("selected").is_none_or(Value::is_boolean).then_some(())
        }),
        "media" => {
            let media = content.get("media")?;
            matches!(media.get("type")?.as_str()?, "image" | "video").then_some(())?;
            web_address(media.get("url")?)
        }
        _ => Some(()),
    }
}

fn given<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

fn short(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| text.len() <= MAX_TEXT_BYTES)
}

fn web_address(value: &Value) -> Option<()> {
    short(value).filter(|url| url.starts_with("https://") || url.starts_with("http://")).map(drop)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(object) = value else { panic!("an object") };
        object
    }

    fn checked(custom_data: Value) -> bool {
        let mut request = object(json!({ "custom_data": custom_data }));
        check(&mut request, &Secret("right".into()), 0, &Limits::default()).is_ok()
    }

    #[test]
    fn order_is_kept_and_what_is_not_for_agents_is_left_out() {
        let request = object(json!({"custom_data": {
            "unsigned": {
                "zeta": {"label": "Z", "value": 1},
                "alpha": {"label": "A", "value": 2, "invisible_to_agent": true},
                "mid": {"label": "M", "value": 3, "invisible_to_agent": false},
                "reserved_bad_actor": {"label": "", "value": true},
                "reserved_repeat_customer": {"value": "true"},
                "beta": "plain",
            },
            "signed": {"y": {"value": 1}, "b": {"value": 2, "invisible_to_agent": true}, "a": {"value": 3},
                "reserved_verified_customer": {"value": true}, "reserved_repeat_customer": {"value": false}},
        }}));
        let shown = shown(&request);
        let keys = |entries: &Map<String, Value>| entries.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&shown.custom_data.unsigned), ["zeta", "mid", "beta"]);
        assert_eq!(keys(&shown.custom_data.signed), ["y", "a"]);
        let flags = |flags: CustomerFlags| (flags.verified_customer, flags.bad_actor, flags.repeat_customer);
        assert_eq!(flags(shown.flags), (true, true, false), "the signed entry wins");
        assert_eq!(flags(shown.flags_signed), (true, false, false));
        // What an older gateway stored unverified does not count.
        let old = super::shown(&object(json!({"custom_data": {"signed": "e30.e30.x"}})));
        assert_eq!(old, Shown::default());
    }

    #[test]
    fn a_conversation_from_elsewhere_is_checked() {
        let entry = json!({"sender": "agent", "timestamp": "2021-03-15 12:00:00Z", "content": [
            {"type": "text", "text": "**Hi**"},
            {"type": "buttons", "buttons": [{"label": "Yes", "selected": true}, {"label": "No"}]},
            {"type": "media", "media": {"type": "image", "url": "https://a.example/x.png"}},
            {"type": "something new", "x": 1},
        ]});
        let with = |transfer: Value| checked(json!({"unsigned": {"external_chat_transfer": transfer}}));
        assert!(with(json!({})));
        assert!(with(
            json!({"greeting_override": "Go on", "agent": {"name": "Max", "avatar": "https://a.example/m.png"}, "transcript": [entry]})
        ));
        let changed = |pointer: &str, value: Value| {
            let mut transfer = json!({"agent": {"name": "Max"}, "transcript": [entry]});
            *transfer.pointer_mut(pointer).unwrap() = value;
            transfer
        };
        for wrong in [
            json!("text"),
            json!({"greeting_override": 5}),
            json!({"agent": "Max"}),
            json!({"agent": {}}),
            json!({"agent": {"name": "Max", "avatar": "javascript:x"}}),
            json!({"transcript": {}}),
            changed("/agent/name", json!(" ")),
            changed("/transcript/0/sender", json!("system")),
            changed("/transcript/0/timestamp", json!("yesterday")),
            changed("/transcript/0/content", json!("text")),
            changed("/transcript/0/content/0/text", json!(1)),
            changed("/transcript/0/content/1/buttons/0/label", json!(null)),
            changed("/transcript/0/content/1/buttons/0/selected", json!("yes")),
            changed("/transcript/0/content/2/media/url", json!("data:x")),
            changed("/transcript/0/content/2/media/type", json!("audio")),
        ] {
            assert!(!with(wrong.clone()), "{wrong}");
        }
    }

    #[test]
    fn custom_data_of_the_wrong_shape_is_refused() {
        for good in [json!(null), json!({}), json!({"unsigned": null, "signed": null}), json!({"signed": ""})] {
            assert!(checked(good.clone()), "{good}");
        }
        for wrong in
            [json!([]), json!("x"), json!({"unsigned": []}), json!({"signed": {}}), json!({"signed": "no.token"})]
        {
            assert!(!checked(wrong.clone()), "{wrong}");
        }
    }
}

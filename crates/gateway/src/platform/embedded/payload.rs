//! A virtual agent's payloads as messages of a conversation, in the shapes that clients read (`ccaip.md` 5.2 and 5.3). A pure function: which
//! index a message will have follows from the chat.

use engine::gateway::Act;
use serde_json::{Map, Value, json};

use crate::config::payload::{Button, Card, Link, Payload, PayloadAction};
use crate::store::MessageBody;

/// What payloads lead to. `next_index` is the place of the first message, `base` the gateway's own address.
pub(crate) fn acts(payloads: &[Payload], mut next_index: u64, base: &str) -> Vec<Act<MessageBody>> {
    let mut acts = Vec::new();
    for payload in payloads {
        say(payload, None, &mut next_index, base, &mut acts);
    }
    acts
}

fn say(payload: &Payload, group: Option<u64>, next_index: &mut u64, base: &str, acts: &mut Vec<Act<MessageBody>>) {
    let mut push = |kind: &str, fields: Value| {
        let mut object = Map::new();
        object.insert("type".to_owned(), kind.into());
        if let Value::Object(fields) = fields {
            object.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
        }
        if let Some(group) = group {
            object.insert("groupMessageId".to_owned(), group.into());
        }
        acts.push(Act::Say(MessageBody::new(&object)));
        *next_index = next_index.saturating_add(1);
    };
    let address = |url: &str| if url.starts_with('/') { format!("{base}{url}") } else { url.to_owned() };
    match payload {
        Payload::Text { messages } => messages.iter().for_each(|text| push("text", json!({ "content": text }))),
        Payload::Markdown { messages } => messages.iter().for_each(|text| push("markdown", json!({ "content": text }))),
        Payload::InlineButton { title, buttons } => {
            push("inline_button", json!({ "title": title, "buttons": all(buttons, &address) }));
        }
        Payload::StickyButton { title, buttons } => {
            push("sticky_button", json!({ "title": title, "buttons": all(buttons, &address) }));
        }
        Payload::Image { images } => images.iter().for_each(|Link { url, text }| {
            push("image", json!({ "url": address(url), "text": text }));
        }),
        Payload::Video { videos } => videos.iter().for_each(|Link { url, text }| {
            push("video", json!({ "url": address(url), "text": text }));
        }),
        Payload::Document { documents } => documents.iter().for_each(|Link { url, text }| {
            push("document", json!({ "document": { "url": address(url) }, "text": text }));
        }),
        Payload::ContentCard { title, cards } => {
            let cards: Vec<Value> = cards.iter().map(|shown| card(shown, &address)).collect();
            push("content_card", json!({ "title": title, "cards": cards }));
        }
        Payload::ServerMessage { kind, messages } => {
            push("server_message", json!({ "message": { "type": kind, "messages": messages } }));
        }
        Payload::Complex { components } => {
            let first = *next_index;
            components.iter().for_each(|component| say(component, Some(first), next_index, base, acts));
        }
        Payload::Action { action: PayloadAction::Escalation } => acts.push(Act::Escalate),
        Payload::Action { action: PayloadAction::End } => acts.push(Act::Finish),
    }
}

fn all(buttons: &[Button], address: &dyn Fn(&str) -> String) -> Value {
    buttons.iter().map(|shown| button(shown, address)).collect()
}

fn button(button: &Button, address: &dyn Fn(&str) -> String) -> Value {
    let mut object = Map::new();
    object.insert("title".to_owned(), button.title.clone().into());
    object.insert("action".to_owned(), button.action.as_str().into());
    if let Some(link) = &button.link {
        object.insert("link".to_owned(), address(link).into());
    }
    if let Some(style) = &button.style {
        object.insert("style".to_owned(), style.clone().into());
    }
    if let Some(auto_reply) = button.auto_reply {
        object.insert("auto_reply".to_owned(), auto_reply.into());
    }
    object.into()
}

fn card(card: &Card, address: &dyn Fn(&str) -> String) -> Value {
    let mut object = Map::new();
    object.insert("title".to_owned(), card.title.clone().into());
    for (name, text) in [("subtitle", &card.subtitle), ("body", &card.body)] {
        if let Some(text) = text {
            object.insert(name.to_owned(), text.clone().into());
        }
    }
    if let Some(link) = &card.link {
        object.insert("link".to_owned(), address(link).into());
    }
    if !card.images.is_empty() {
        object.insert("images".to_owned(), card.images.iter().map(|url| Value::from(address(url))).collect());
    }
    if !card.buttons.is_empty() {
        object.insert("buttons".to_owned(), all(&card.buttons, address));
    }
    object.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(payloads: &str) -> Vec<Value> {
        #[derive(serde::Deserialize)]
        struct Holder {
            messages: Vec<Payload>,
        }
        let holder: Holder = toml::from_str(&format!("messages = [{payloads}]")).unwrap();
        let acts = acts(&holder.messages, 5, "http://here");
        acts.iter()
            .map(|act| match act {
                Act::Say(body) => serde_json::from_str(body.json()).unwrap(),
                Act::Escalate => json!("escalate"),
                Act::Finish => json!("finish"),
            })
            .collect()
    }

    #[test]
    fn each_payload_becomes_what_clients_read() {
        let table = [
            (
                r#"{ type = "text", messages = ["a", "b"] }"#,
                json!([{"type": "text", "content": "a"}, {"type": "text", "content": "b"}]),
            ),
            (r#"{ type = "markdown", messages = ["**a**"] }"#, json!([{"type": "markdown", "content": "**a**"}])),
            (
                r#"{ type = "sticky_button", title = "t", buttons = [{ title = "x" }, { title = "y", action = "quick_reply_link", link = "/y" }] }"#,
                json!([{"type": "sticky_button", "title": "t", "buttons": [{"title": "x", "action": "quick_reply"}, {"title": "y", "action": "quick_reply_link", "link": "http://here/y"}]}]),
            ),
            (
                r#"{ type = "image", images = [{ url = "/a.svg", text = "a" }] }, { type = "video", videos = [{ url = "https://b.example/v" }] }"#,
                json!([{"type": "image", "url": "http://here/a.svg", "text": "a"}, {"type": "video", "url": "https://b.example/v"}]),
            ),
            (
                r#"{ type = "document", documents = [{ url = "/d.pdf", text = "d" }] }"#,
                json!([{"type": "document", "document": {"url": "http://here/d.pdf"}, "text": "d"}]),
            ),
            (
                r#"{ type = "content_card", title = "c", cards = [{ title = "t", subtitle = "s", body = "b", link = "/l", images = ["/i"], buttons = [{ title = "x", style = "primary", auto_reply = true }] }] }"#,
                json!([{"type": "content_card", "title": "c", "cards": [{"title": "t", "subtitle": "s", "body": "b", "link": "http://here/l", "images": ["http://here/i"], "buttons": [{"title": "x", "action": "quick_reply", "style": "primary", "auto_reply": true}]}]}]),
            ),
            (
                r#"{ type = "server_message", kind = "k", messages = ["m"] }"#,
                json!([{"type": "server_message", "message": {"type": "k", "messages": ["m"]}}]),
            ),
            (
                r#"{ type = "text", messages = ["a"] }, { type = "complex", components = [{ type = "text", messages = ["b", "c"] }, { type = "inline_button", buttons = [{ title = "x" }] }] }, { type = "action", action = "escalation" }"#,
                json!([
                    {"type": "text", "content": "a"},
                    {"type": "text", "content": "b", "groupMessageId": 6},
                    {"type": "text", "content": "c", "groupMessageId": 6},
                    {"type": "inline_button", "buttons": [{"title": "x", "action": "quick_reply"}], "groupMessageId": 6},
                    "escalate",
                ]),
            ),
            (r#"{ type = "action", action = "end" }"#, json!(["finish"])),
        ];
        for (payloads, expected) in table {
            assert_eq!(Value::from(said(payloads)), expected, "{payloads}");
        }
    }
}

//! What a virtual agent's rule can say besides a text: payloads in the vendor's shape (`ccaip.md` 5.3). What becomes of them in a conversation is
//! decided in `platform::embedded::payload`.

use serde::Deserialize;

/// A payload. Types and fields are the vendor's, except `markdown` and the payload of a `server_message`, which are ours. The vendor's other fields
/// (`language`, `event_params`, …) mean nothing here and are read over; a `session_variable` belongs to the rule, as one of its `session_variables`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Payload {
    /// Texts, each a message.
    Text {
        /// The texts.
        messages: Vec<String>,
    },
    /// Texts with markdown, each a message.
    Markdown {
        /// The texts.
        messages: Vec<String>,
    },
    /// Buttons below a title, in the conversation.
    InlineButton {
        /// What stands above them.
        #[serde(default)]
        title: Option<String>,
        /// The buttons.
        buttons: Vec<Button>,
    },
    /// Buttons that stay until the next turn.
    StickyButton {
        /// What stands above them.
        #[serde(default)]
        title: Option<String>,
        /// The buttons.
        buttons: Vec<Button>,
    },
    /// Pictures by address, each a message.
    Image {
        /// The pictures.
        images: Vec<Link>,
    },
    /// Videos by address, each a message.
    Video {
        /// The videos.
        videos: Vec<Link>,
    },
    /// Documents by address, each a message.
    Document {
        /// The documents.
        documents: Vec<Link>,
    },
    /// Cards side by side.
    ContentCard {
        /// What stands above them.
        #[serde(default)]
        title: Option<String>,
        /// The cards.
        cards: Vec<Card>,
    },
    /// Several of the others, which belong together.
    Complex {
        /// What belongs together.
        components: Vec<Payload>,
    },
    /// For the site's page, not for people: agents are told only that it was sent.
    ServerMessage {
        /// What it is about.
        kind: String,
        /// What it says.
        messages: Vec<String>,
    },
    /// What the virtual agent does then.
    Action {
        /// `escalation` or `end`.
        action: PayloadAction,
    },
}

/// What a payload of the type `action` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayloadAction {
    /// Hand over to an agent.
    Escalation,
    /// End the chat.
    End,
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Button {
    /// What stands on it; it comes back as the customer's text.
    pub title: String,
    /// `quick_reply` (the default), `quick_reply_link` or `escalation`.
    #[serde(default)]
    pub action: ButtonAction,
    /// The address that it opens.
    #[serde(default)]
    pub link: Option<String>,
    /// Of a card's button: how it looks, in the site's words.
    #[serde(default)]
    pub style: Option<String>,
    /// Of a card's button: its title is sent at once.
    #[serde(default)]
    pub auto_reply: Option<bool>,
}

/// What a button does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ButtonAction {
    /// Sends its title.
    #[default]
    QuickReply,
    /// Opens its link.
    QuickReplyLink,
    /// Asks for a person.
    Escalation,
}

impl ButtonAction {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ButtonAction::QuickReply => "quick_reply",
            ButtonAction::QuickReplyLink => "quick_reply_link",
            ButtonAction::Escalation => "escalation",
        }
    }
}

/// Something at an address.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Link {
    /// `https://…`, `http://…`, or a path of the gateway itself.
    pub url: String,
    /// What stands for it where it cannot be shown.
    #[serde(default)]
    pub text: Option<String>,
}

/// A card.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Card {
    /// Its title.
    pub title: String,
    /// Below the title.
    #[serde(default)]
    pub subtitle: Option<String>,
    /// Its text.
    #[serde(default)]
    pub body: Option<String>,
    /// The address that it leads to.
    #[serde(default)]
    pub link: Option<String>,
    /// Addresses of pictures.
    #[serde(default)]
    pub images: Vec<String>,
    /// Its buttons.
    #[serde(default)]
    pub buttons: Vec<Button>,
}

/// What is wrong with what a rule says, in words for whoever wrote it. `has_buttons` says that the rule has buttons of its own.
pub(super) fn check_payloads(payloads: &[Payload], has_buttons: bool) -> Result<(), String> {
    payloads.iter().try_for_each(|payload| check(payload, true))?;
    let parts = || {
        payloads.iter().flat_map(|payload| match payload {
            Payload::Complex { components } => components.iter(),
            other => std::slice::from_ref(other).iter(),
        })
    };
    let inline = has_buttons || parts().any(|payload| matches!(payload, Payload::InlineButton { .. }));
    if inline && parts().any(|payload| matches!(payload, Payload::StickyButton { .. })) {
        return Err("inline and sticky buttons cannot be said together".into());
    }
    let last = parts().count().saturating_sub(1);
    if parts().enumerate().any(|(at, payload)| at < last && matches!(payload, Payload::Action { .. })) {
        return Err("an action is the last thing that is said".into());
    }
    Ok(())
}

fn check(payload: &Payload, may_be_complex: bool) -> Result<(), String> {
    let some = |what: &str, count: usize| {
        if count == 0 { Err(format!("a payload without {what} says nothing")) } else { Ok(()) }
    };
    match payload {
        Payload::Text { messages } | Payload::Markdown { messages } => {
            some("messages", messages.iter().filter(|text| !text.trim().is_empty()).count())
        }
        Payload::ServerMessage { messages, .. } => some("messages", messages.len()),
        Payload::InlineButton { buttons, .. } | Payload::StickyButton { buttons, .. } => {
            some("buttons", buttons.len())?;
            check_buttons(buttons)
        }
        Payload::Image { images: links }
        | Payload::Video { videos: links }
        | Payload::Document { documents: links } => {
            some("addresses", links.len())?;
            links.iter().try_for_each(|link| check_address(&link.url))
        }
        Payload::ContentCard { cards, .. } => {
            some("cards", cards.len())?;
            for card in cards {
                card.link.iter().chain(&card.images).try_for_each(|url| check_address(url))?;
                check_buttons(&card.buttons)?;
            }
            Ok(())
        }
        Payload::Complex { components } if may_be_complex => {
            some("components", components.len())?;
            components.iter().try_for_each(|component| check(component, false))
        }
        Payload::Complex { .. } => Err("a complex payload cannot hold another".into()),
        Payload::Action { .. } => Ok(()),
    }
}

fn check_buttons(buttons: &[Button]) -> Result<(), String> {
    for button in buttons {
        if button.title.trim().is_empty() {
            return Err("a button needs a title".into());
        }
        if (button.action == ButtonAction::QuickReplyLink) != button.link.is_some() {
            return Err(format!("button {:?}: `link` goes with the action quick_reply_link", button.title));
        }
        button.link.iter().try_for_each(|url| check_address(url))?;
    }
    Ok(())
}

/// Messages are data, and yet nobody should be led to a script.
fn check_address(url: &str) -> Result<(), String> {
    let is_path = url.starts_with('/') && !url.starts_with("//");
    if is_path || url.starts_with("https://") || url.starts_with("http://") {
        Ok(())
    } else {
        Err(format!("{url:?} is no address: write https://…, http://… or a path of the gateway"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_or_leads_astray_is_refused() {
        let table = [
            (r#"{ type = "text", messages = ["a"] }"#, None),
            (r#"{ type = "text", messages = [" "] }"#, Some("messages")),
            (r#"{ type = "inline_button", buttons = [] }"#, Some("buttons")),
            (r#"{ type = "inline_button", buttons = [{ title = "x", link = "/a" }] }"#, Some("quick_reply_link")),
            (r#"{ type = "action", action = "end" }, { type = "text", messages = ["a"] }"#, Some("last")),
            (r#"{ type = "image", images = [{ url = "javascript:alert(1)" }] }"#, Some("no address")),
            (r#"{ type = "image", images = [{ url = "//elsewhere.example/a" }] }"#, Some("no address")),
            (r#"{ type = "content_card", cards = [{ title = "t", images = ["data:x"] }] }"#, Some("no address")),
            (r#"{ type = "complex", components = [{ type = "text", messages = ["a"] }] }"#, None),
            (r#"{ type = "complex", components = [{ type = "complex", components = [] }] }"#, Some("complex")),
            (
                r#"{ type = "complex", components = [{ type = "inline_button", buttons = [{ title = "x" }] }, { type = "sticky_button", buttons = [{ title = "y" }] }] }"#,
                Some("together"),
            ),
        ];
        let sticky: Payload =
            toml::from_str("type = \"sticky_button\"\nlanguage = \"en\"\nbuttons = [{ title = \"x\" }]").unwrap();
        assert!(check_payloads(std::slice::from_ref(&sticky), false).is_ok());
        assert!(check_payloads(&[sticky], true).unwrap_err().contains("together"), "the rule's own buttons are inline");
        #[derive(Deserialize)]
        struct Holder {
            messages: Vec<Payload>,
        }
        for (text, expected) in table {
            let holder: Holder = toml::from_str(&format!("messages = [{text}]")).unwrap();
            let problem = check_payloads(&holder.messages, false).err();
            match expected {
                None => assert_eq!(problem, None, "{text}"),
                Some(part) => assert!(problem.as_deref().is_some_and(|p| p.contains(part)), "{text}: {problem:?}"),
            }
        }
    }
}

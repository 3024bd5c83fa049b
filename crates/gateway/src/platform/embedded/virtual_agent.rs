//! The virtual agent: rules from the configuration, tried in order against what the customer wrote. It learns nothing, remembers nothing and
//! calls nobody: a pure function, so that a message and its answer are one transaction.

use std::sync::Arc;

use engine::gateway::{
    Act, ChatState, Notice, Patience, PostSessionOffer, Script, ShareProvider, ShareStart, TransferTo,
};
use serde_json::{Map, Value, json};

use super::company::Company;
use super::custom_data::{Predecessor, predecessor};
use super::deflection::{self, Reason};
use super::{Embedded, forms, menus, payload, post_session};
use crate::config::post_session::SessionVariable;
use crate::config::texts::fitting;
use crate::config::{Action, Rule, VirtualAgent};
use crate::message::text_body;
use crate::store::MessageBody;

/// The platform's own part in one chat.
pub(crate) struct EmbeddedScript {
    platform: Arc<Embedded>,
    company: Option<Arc<Company>>,
    /// The chat's language.
    lang: String,
    predecessor: Predecessor,
}

impl EmbeddedScript {
    /// For a chat of a company in a language, as the site asked for it.
    pub(crate) fn new(
        platform: Arc<Embedded>,
        company_id: &str,
        lang: &str,
        request: &Map<String, Value>,
    ) -> EmbeddedScript {
        let company = platform.company(company_id).cloned();
        EmbeddedScript { platform, company, lang: lang.to_owned(), predecessor: predecessor(request) }
    }

    fn virtual_agent(&self, chat: &ChatState) -> Option<Speaking<'_>> {
        let agent = self.platform.virtual_agent(chat.virtual_agent_id?)?;
        let lang = self.company.as_ref().map_or(self.lang.as_str(), |company| company.lang(Some(&self.lang)));
        Some(Speaking::new(agent, lang))
    }

    /// The message that hands out a form of the chat's company.
    fn form(&self, id: u64) -> Option<MessageBody> {
        let company = self.company.as_ref()?;
        let form = company.form(id)?;
        Some(MessageBody::new(&forms::message(form, &company.langs(&self.lang), &self.platform.base)))
    }

    /// Where a chat went, with the name that customers read.
    fn target(&self, to: TransferTo) -> Value {
        match to {
            TransferTo::Agent(id) => json!({ "type": "agent", "id": id, "name": self.platform.agents.name(id).name }),
            TransferTo::Queue(id) => {
                let way = menus::path(self.company.as_deref(), id, &self.lang);
                json!({ "type": "queue", "id": id, "name": way.last().map(|menu| menu.name.as_str()) })
            }
        }
    }
}

/// What a virtual agent says in the language of a chat.
struct Speaking<'a> {
    greeting: &'a str,
    greeting_buttons: &'a [String],
    greeting_session_variables: &'a [SessionVariable],
    fallback: &'a str,
    fallback_buttons: &'a [String],
    rules: &'a [Rule],
}

impl<'a> Speaking<'a> {
    fn new(agent: &'a VirtualAgent, lang: &str) -> Speaking<'a> {
        let tags = agent.translations.keys().map(String::as_str);
        let speech = fitting(tags, lang).and_then(|tag| agent.translations.get(tag));
        let text = |own: &'a str, said: Option<&'a String>| said.map_or(own, String::as_str);
        let buttons = |own: &'a [String], said: Option<&'a Vec<String>>| said.map_or(own, Vec::as_slice);
        Speaking {
            greeting: text(&agent.greeting, speech.and_then(|speech| speech.greeting.as_ref())),
            greeting_buttons: buttons(
                &agent.greeting_buttons,
                speech.and_then(|speech| speech.greeting_buttons.as_ref()),
            ),
            // What is found out is called the same in every language.
            greeting_session_variables: &agent.greeting_session_variables,
            fallback: text(&agent.fallback, speech.and_then(|speech| speech.fallback.as_ref())),
            fallback_buttons: buttons(
                &agent.fallback_buttons,
                speech.and_then(|speech| speech.fallback_buttons.as_ref()),
            ),
            rules: speech.map(|speech| &speech.rules).filter(|rules| !rules.is_empty()).unwrap_or(&agent.rules),
        }
    }
}

impl Script<MessageBody> for EmbeddedScript {
    fn greet(&self, chat: &ChatState) -> Vec<Act<MessageBody>> {
        let Some(agent) = self.virtual_agent(chat) else { return vec![Act::Escalate] };
        let is_after = chat.post_session.is_some();
        let greeting = self.predecessor.greeting.as_deref().filter(|_| !is_after).unwrap_or(agent.greeting);
        let mut acts = say(Some(greeting), agent.greeting_buttons);
        post_session::attach(&mut acts, agent.greeting_session_variables);
        acts
    }

    fn answer(&self, chat: &ChatState, body: &MessageBody) -> Vec<Act<MessageBody>> {
        // A virtual agent that is no longer configured cannot answer: a person can.
        let Some(agent) = self.virtual_agent(chat) else { return vec![Act::Escalate] };
        let Some(text) = body.text() else { return Vec::new() };
        let words = words(&text);
        let fitting = agent.rules.iter().find(|rule| rule.keywords.iter().any(|keyword| contains(&words, keyword)));
        let Some(rule) = fitting else { return say(Some(agent.fallback), agent.fallback_buttons) };
        let mut acts = say(rule.answer.as_deref(), &rule.buttons);
        // Each act so far is one message.
        let said = u64::try_from(acts.len()).unwrap_or(u64::MAX);
        let next_index = chat.last_index.saturating_add(1).saturating_add(said);
        acts.extend(payload::acts(&rule.messages, next_index, &self.platform.base));
        post_session::attach(&mut acts, &rule.session_variables);
        acts.extend(rule.form.and_then(|id| self.form(id)).map(Act::Say));
        match rule.action {
            Some(Action::Escalate) => acts.push(Act::Escalate),
            Some(Action::Finish) => acts.push(Act::Finish),
            None => {}
        }
        acts
    }

    fn deflection(&self, chat: &ChatState, patience: Patience) -> Option<MessageBody> {
        let (company, id) = (self.company.as_ref()?, chat.virtual_agent_id?);
        // A virtual agent that is no longer configured cannot keep its customers.
        self.platform.virtual_agent(id)?;
        let state = self.platform.live.of(&company.settings.id, chat.menu_id);
        let reason = deflection::reason(company.deflection(Some(chat.menu_id)), state)
            .filter(|reason| *reason == Reason::AfterHours || patience == Patience::Usual)?;
        let agent = self.platform.virtual_agent_name(id, &self.predecessor);
        let index = chat.last_index.saturating_add(1);
        Some(MessageBody::new(&deflection::notice(company, (chat.menu_id, &self.lang), reason, index, &agent)))
    }

    fn post_session(&self, chat: &ChatState) -> Option<PostSessionOffer> {
        let part = self.company.as_ref()?.post_session(chat.menu_id)?;
        self.platform.virtual_agent(part.virtual_agent)?;
        Some(PostSessionOffer { virtual_agent_id: part.virtual_agent, opt_in_required: part.opt_in })
    }

    fn hands_out_form(&self, body: &MessageBody) -> bool {
        forms::is_form(body)
    }

    fn placed(&self, body: MessageBody, index: u64) -> MessageBody {
        if forms::is_form(&body) { forms::placed(&body, index).unwrap_or(body) } else { body }
    }

    fn share_started(&self, chat: &ChatState, notice: Notice, start: &ShareStart) -> MessageBody {
        let mut object = Map::new();
        let mut insert = |name: &str, value: Value| drop(object.insert(name.to_owned(), value));
        insert("type", "noti".into());
        insert("event", notice.as_str().into());
        if let Some(share) = &chat.screen_share {
            insert("screen_share_id", share.id.into());
        }
        // Our own code is for the customer to say, so that the agent has it from nobody else.
        if let Some(code) = start.code.as_deref().filter(|_| start.provider == ShareProvider::CobrowseIo) {
            insert("code", code.into());
        }
        if let Some(lang) = &start.lang {
            insert("lang", lang.as_str().into());
        }
        if !start.custom_data.is_empty() {
            insert("custom_data", json!(start.custom_data));
        }
        MessageBody::new(&object)
    }

    fn notice(&self, chat: &ChatState, notice: Notice) -> MessageBody {
        let mut object = Map::new();
        let mut insert = |name: &str, value: Value| drop(object.insert(name.to_owned(), value));
        insert("type", "noti".into());
        insert("event", notice.as_str().into());
        match notice {
            Notice::EscalationAccepted => {
                if let Some(id) = chat.agent_id {
                    insert("agent", json!({ "id": id, "name": self.platform.agents.name(id).name }));
                }
            }
            Notice::ChatTransferred(to) => insert("to", self.target(to)),
            Notice::DismissalWarning { dismiss_at_ms } => insert("dismiss_at_ms", dismiss_at_ms.into()),
            Notice::CheckInRequired { timeout_ms, expires_at_ms } => {
                insert("timeout_ms", timeout_ms.into());
                insert("expires_at_ms", expires_at_ms.into());
            }
            Notice::ChatEnded => {
                if let Some(ended_by) = chat.ended_by {
                    insert("ended_by", ended_by.as_str().into());
                }
                if let Some(reason) = chat.fail_reason {
                    insert("fail_reason", reason.as_str().into());
                }
            }
            Notice::ShareRequestedByEndUser | Notice::ShareCodeGenerated | Notice::ShareStarted => {
                if let Some(share) = &chat.screen_share {
                    insert("screen_share_id", share.id.into());
                }
            }
            Notice::ShareEnded | Notice::ShareFailed => {
                if let Some(share) = &chat.screen_share {
                    insert("screen_share_id", share.id.into());
                    if let Some(reason) = share.ended_reason {
                        insert("reason", reason.as_str().into());
                    }
                }
            }
            Notice::EscalationStarted
            | Notice::ShareRequestedByAgent
            | Notice::FormRequested
            | Notice::ChatDismissed
            | Notice::ChatResumed
            | Notice::CheckInTimedOut
            | Notice::PostSessionStarted
            | Notice::PostSessionEnded => {}
        }
        MessageBody::new(&object)
    }
}

/// A text and the buttons below it; the title of a pressed button comes back as the customer's text.
fn say(text: Option<&str>, buttons: &[String]) -> Vec<Act<MessageBody>> {
    let mut acts: Vec<Act<MessageBody>> = text.map(|text| Act::Say(text_body(text))).into_iter().collect();
    if !buttons.is_empty() {
        let buttons: Vec<Value> =
            buttons.iter().map(|title| json!({ "title": title, "action": "quick_reply" })).collect();
        let mut object = Map::new();
        object.insert("type".to_owned(), "inline_button".into());
        object.insert("buttons".to_owned(), buttons.into());
        acts.push(Act::Say(MessageBody::new(&object)));
    }
    acts
}

/// Words in small letters. An apostrophe belongs to its word: "it's" is not "it".
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase().replace('\u{2019}', "'");
    lower
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn contains(text: &[String], phrase: &str) -> bool {
    let phrase = words(phrase);
    !phrase.is_empty() && text.windows(phrase.len()).any(|window| window == phrase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_whole_words_or_phrases_in_any_case() {
        let table = [
            ("I want an AGENT now", "agent", true),
            ("my agenda", "agent", false),
            ("It\u{2019}s late!", "it's late", true),
            ("it is late", "it's late", false),
            ("Where is my order?", "my order", true),
            ("my big order", "my order", false),
            ("", "x", false),
            ("anything", "", false),
            ("GRÜSSE", "grüsse", true),
        ];
        for (text, keyword, expected) in table {
            assert_eq!(contains(&words(text), keyword), expected, "{text} / {keyword}");
        }
    }
}

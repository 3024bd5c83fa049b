//! The book of every message: what was asked to be sent, what became durable, what was acknowledged, what listeners saw. It checks what must
//! hold at each entry and says what is wrong; it knows nothing of how messages travel.

use std::collections::{BTreeMap, HashMap};

use engine::gateway::{Author, ChatState, Message};
use store::MessageBody;

use crate::disk::Durable;
use crate::life::{Turns, follow};

/// A message that somebody asked to send; its text is `m` and this number.
pub(crate) type Tag = usize;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sender {
    /// A page: the tab and which of its pages.
    Page(usize, u32),
    /// An agent, by number.
    Agent(u64),
}

/// What the sender knows of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing yet.
    Open,
    /// It is stored under this index.
    Acknowledged(u64),
    /// It was given up, with a typed error.
    Rejected,
}

pub(crate) struct Sent {
    pub(crate) sender: Sender,
    pub(crate) author: Author,
    pub(crate) fate: Fate,
    /// Its idempotency key, as soon as it is known.
    pub(crate) client_id: Option<String>,
    /// The page that wrote it is gone.
    pub(crate) orphan: bool,
    /// It is in a storage that nothing has touched, so that it outlives its page.
    pub(crate) kept: bool,
    /// Another page than its own has sent it.
    pub(crate) adopted: bool,
    /// Where it is stored.
    pub(crate) stored: Option<(u64, u64)>,
}

/// A chat as it is durable.
pub(crate) struct Truth {
    pub(crate) state: ChatState,
    pub(crate) messages: Vec<Message<MessageBody>>,
    /// The newest message of each sender, to see their order.
    newest: BTreeMap<Sender, Tag>,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Messages {
    /// Messages that somebody asked to send.
    pub sent: u64,
    /// Of these: acknowledged.
    pub acknowledged: u64,
    /// Of these: given up with a typed error.
    pub rejected: u64,
    /// Messages that listeners saw.
    pub shown: u64,
}

impl Messages {
    /// Adds what another run counted.
    pub fn add(&mut self, other: Messages) {
        self.sent += other.sent;
        self.acknowledged += other.acknowledged;
        self.rejected += other.rejected;
        self.shown += other.shown;
    }
}

#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) sends: Vec<Sent>,
    pub(crate) chats: BTreeMap<u64, Truth>,
    by_client_id: HashMap<String, Tag>,
    pub(crate) messages: Messages,
    pub(crate) turns: Turns,
}

pub(crate) type Check = Result<(), String>;

/// The text of a message with this number.
pub(crate) fn text_of(tag: Tag) -> String {
    format!("m{tag}")
}

/// The number in a message's text.
pub(crate) fn tag_of(text: &str) -> Option<Tag> {
    text.strip_prefix('m')?.parse().ok()
}

impl Ledger {
    /// Somebody asks to send a message.
    pub(crate) fn ask(&mut self, sender: Sender, author: Author) -> Tag {
        self.messages.sent += 1;
        self.sends.push(Sent {
            sender,
            author,
            fate: Fate::Open,
            client_id: None,
            orphan: false,
            kept: false,
            adopted: false,
            stored: None,
        });
        self.sends.len() - 1
    }

    pub(crate) fn get(&mut self, tag: Tag) -> Option<&mut Sent> {
        self.sends.get_mut(tag)
    }

    pub(crate) fn name(&mut self, tag: Tag, client_id: &str) {
        self.by_client_id.insert(client_id.to_owned(), tag);
        if let Some(sent) = self.get(tag) {
            sent.client_id = Some(client_id.to_owned());
        }
    }

    pub(crate) fn by_client_id(&self, client_id: &str) -> Option<Tag> {
        self.by_client_id.get(client_id).copied()
    }

    /// A change has become durable.
    pub(crate) fn durable(&mut self, durable: Durable) -> Check {
        let Durable { chat_id, change } = durable;
        let before = self.chats.get(&chat_id).map(|truth| truth.state.clone());
        if let Some(before) = before {
            follow(&before, &change, &mut self.turns).map_err(|what| format!("chat {chat_id}: {what}"))?;
        }
        let state = ChatState { id: chat_id, ..change.state };
        let truth = self.chats.entry(chat_id).or_insert_with(|| Truth {
            state: state.clone(),
            messages: Vec::new(),
            newest: BTreeMap::new(),
        });
        truth.state = state;
        for message in change.messages {
            let index = truth.messages.len() as u64 + 1;
            if message.index != index {
                return Err(format!("chat {chat_id}: message {} is stored where {index} is next", message.index));
            }
            let by_text = message.body.text().as_deref().and_then(tag_of);
            let by_key =
                || message.client_id.as_deref().and_then(|client_id| self.by_client_id.get(client_id).copied());
            let tag = by_text.or_else(by_key);
            truth.messages.push(message.clone());
            let Some((tag, sent)) = tag.and_then(|tag| Some((tag, self.sends.get_mut(tag)?))) else { continue };
            if let Some((chat, at)) = sent.stored.replace((chat_id, index)) {
                return Err(format!(
                    "repeated: m{tag} is stored in chat {chat} at {at} and in chat {chat_id} at {index}"
                ));
            }
            if sent.author != message.author {
                return Err(format!("m{tag} of {:?} is stored as one of {:?}", sent.author, message.author));
            }
            // What was given up and arrives late has lost its place in the order.
            if sent.fate == Fate::Rejected {
                continue;
            }
            let kept = sent.kept;
            let sender = sent.sender;
            let newest = truth.newest.entry(sender).or_insert(tag);
            if tag < *newest {
                // Whoever takes over what a page has stored cannot know of what storage has lost.
                if !kept && self.sends.get(*newest).is_some_and(|newest| newest.adopted) {
                    continue;
                }
                return Err(format!("misordered: m{tag} is stored after m{newest} of the same sender {sender:?}"));
            }
            *newest = tag;
        }
        Ok(())
    }

    /// Somebody is told that a message is stored.
    pub(crate) fn acknowledge(&mut self, tag: Tag, chat_id: Option<u64>, index: u64) -> Check {
        let Some(sent) = self.sends.get_mut(tag) else { return Ok(()) };
        match sent.fate {
            Fate::Acknowledged(other) if other != index => {
                return Err(format!("m{tag} was acknowledged at {other}, and at {index} later"));
            }
            Fate::Acknowledged(_) => {}
            Fate::Open | Fate::Rejected => {
                self.messages.acknowledged += u64::from(sent.fate == Fate::Open);
                sent.fate = Fate::Acknowledged(index);
            }
        }
        match sent.stored {
            None => Err(format!("lost: m{tag} is acknowledged at {index} and not durable")),
            Some((_, at)) if at != index => Err(format!("m{tag} is acknowledged at {index} and stored at {at}")),
            Some((chat, _)) if chat_id.is_some_and(|id| id != chat) => Err(format!("m{tag} is stored in chat {chat}")),
            Some(_) => Ok(()),
        }
    }

    /// Somebody is told that a message will not be sent any more.
    pub(crate) fn reject(&mut self, tag: Tag) {
        let Some(sent) = self.sends.get_mut(tag) else { return };
        if sent.fate == Fate::Open {
            sent.fate = Fate::Rejected;
            self.messages.rejected += 1;
        }
    }

    /// A reader is shown, or given, a message: it must be the one that is durable under its index.
    pub(crate) fn shown(&self, chat_id: u64, index: u64, text: Option<&str>) -> Check {
        let stored =
            usize::try_from(index).ok().and_then(|index| self.chats.get(&chat_id)?.messages.get(index.checked_sub(1)?));
        let Some(stored) = stored else {
            return Err(format!("chat {chat_id}: message {index} is read and not durable"));
        };
        if stored.body.text().as_deref() == text {
            Ok(())
        } else {
            Err(format!("chat {chat_id}: message {index} is not the one that is stored"))
        }
    }

    /// What a crash must not have taken away.
    pub(crate) fn check_kept(&self) -> Check {
        for (tag, sent) in self.sends.iter().enumerate() {
            if matches!(sent.fate, Fate::Acknowledged(_)) && sent.stored.is_none() {
                return Err(format!("lost: m{tag} was acknowledged and is gone"));
            }
        }
        Ok(())
    }
}

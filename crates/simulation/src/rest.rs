//! What must hold when the faults have stopped: everything comes to rest, nothing waits any more, and all pages show the same.

use engine::client::ConnectionState;
use engine::gateway::{Author, Status};
use wire::Document;

use crate::ledger::{Fate, Sender};
use crate::world::World;

impl World {
    /// After every step: nothing grows without bound.
    pub(crate) fn check_bounds(&mut self) {
        if self.steps.is_multiple_of(64) && !(self.gateway_within_bounds() && self.pages_within_bounds()) {
            self.wrong("a queue has outgrown its bound");
        }
    }

    /// The faults have stopped: customers and agents have a last word, and pages without a chat find theirs.
    pub(crate) fn last_words(&mut self) {
        for tab in 0..self.tabs.len() {
            if self.tabs[tab].view.chat.is_none() {
                self.find_chat(tab);
            } else if !self.tabs[tab].view.ended && self.tabs[tab].end_user.is_some() {
                self.say(tab);
            }
        }
        let assigned: Vec<(u64, u64)> = self
            .ledger
            .chats
            .values()
            .filter(|truth| truth.state.status == Status::Assigned)
            .filter_map(|truth| Some((truth.state.agent_id?, truth.state.id)))
            .collect();
        if !self.people.agents_wait() {
            let mut spoken = Vec::new();
            for (agent_id, chat_id) in assigned {
                if !spoken.contains(&agent_id) {
                    spoken.push(agent_id);
                    self.agent_says(agent_id - 1, chat_id);
                }
            }
        }
    }

    /// What a former process wrote behind the back of the present one is known to that from the chat's next change on: somebody says a word.
    pub(crate) fn words_to_stale_chats(&mut self) {
        if !self.former_process_wrote {
            return;
        }
        for tab in 0..self.tabs.len() {
            let view = &self.tabs[tab].view;
            let Some(chat_id) = view.chat.filter(|_| !view.ended && self.tabs[tab].end_user.is_some()) else {
                continue;
            };
            let stored = self.ledger.chats.get(&chat_id).map_or(0, |truth| truth.state.last_index);
            if self.known_to_gateway(chat_id).is_some_and(|known| known < stored) {
                self.say(tab);
            }
        }
    }

    /// Whether everything is at rest, and what is not.
    pub(crate) fn is_at_rest(&self) -> Result<(), String> {
        if self.people.agents_wait() {
            return Err("an agent's call is not answered".to_owned());
        }
        for (tab, entry) in self.tabs.iter().enumerate() {
            let Some(client) = entry.client.as_ref() else { return Err(format!("tab {tab} is closed")) };
            if let Some(op) = entry.ops.values().next() {
                return Err(format!("tab {tab}: {op:?} is not settled"));
            }
            if let Some((delivery, _)) = client.outbox().first() {
                return Err(format!("tab {tab}: {} is still in the outbox", delivery.client_id));
            }
            let Some(chat_id) = entry.view.chat else { continue };
            let Some(truth) = self.ledger.chats.get(&chat_id) else {
                return Err(format!("chat {chat_id} is not durable"));
            };
            let last = truth.messages.len() as u64;
            if entry.view.next != Some(last + 1) {
                return Err(format!("lost: tab {tab} waits for message {:?} of {last}", entry.view.next));
            }
            let bodies = client.messages();
            let kept_last = bodies.last().and_then(|body| body.count("$index"));
            if kept_last.is_some_and(|index| index != last) {
                return Err(format!("tab {tab} keeps messages up to {kept_last:?} of {last}"));
            }
            let is_finished = !truth.state.takes_messages();
            if is_finished != entry.view.ended {
                return Err(format!(
                    "tab {tab}: chat {chat_id} is finished: {is_finished}, and ended: {}",
                    entry.view.ended
                ));
            }
            if !is_finished && client.connection() != ConnectionState::Online {
                return Err(format!("tab {tab} is {}", client.connection().as_str()));
            }
        }
        Ok(())
    }

    /// At rest: the fate of every message is known and true.
    pub(crate) fn check_fates(&mut self) {
        let check = self.ledger.check_kept();
        self.check(check);
        for tag in 0..self.ledger.sends.len() {
            let sent = &self.ledger.sends[tag];
            if sent.fate != Fate::Open || sent.stored.is_some() {
                continue;
            }
            let lost = match (sent.sender, sent.author) {
                (Sender::Page(tab, _), Author::EndUser(id)) if sent.orphan => {
                    let profile = self.tabs[tab].profile;
                    let is_signed_in =
                        self.tabs.iter().any(|other| other.profile == profile && other.end_user == Some(id));
                    sent.kept && is_signed_in
                }
                _ => true,
            };
            if lost {
                self.wrong(format!(
                    "lost: m{tag} of {:?} is neither stored nor rejected",
                    self.ledger.sends[tag].sender
                ));
            }
        }
        for profile in 0..self.profiles.len() {
            let prefixes: Vec<String> = self
                .tabs
                .iter()
                .filter(|tab| tab.profile == profile)
                .filter_map(|tab| Some(format!("outbox|{}|", tab.end_user?)))
                .collect();
            // What was stored while storage failed for others may lie there until the next page looks.
            let is_left = |key: &&String| {
                let tag = self.tag_of_key(key);
                let kept = tag.and_then(|tag| self.ledger.sends.get(tag)).is_some_and(|sent| sent.kept);
                kept && prefixes.iter().any(|prefix| key.contains(prefix))
            };
            let left = self.profiles[profile].storage.keys().find(is_left);
            if let Some(key) = left.cloned() {
                self.wrong(format!("profile {profile}: {key} is still stored"));
            }
        }
    }
}

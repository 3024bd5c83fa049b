//! Escalations that are deflected: the chat stays with its virtual agent, and the notice takes the place of the handover.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use engine::gateway::{
    Act, Actor, Change, ChatSession, ChatState, Command, Input, Limits, Notice, Output, Patience, Script, Status, open,
};

const USER: Actor = Actor::EndUser(5);

/// A queue that is free, full, or closed to everyone.
#[derive(Clone, Copy, PartialEq)]
enum Queue {
    Free,
    Full,
    Closed,
}

/// Says where its notice will stand, and acts on "person".
#[derive(Clone)]
struct Bot(Rc<Cell<Queue>>);

impl Script<String> for Bot {
    fn greet(&self, _: &ChatState) -> Vec<Act<String>> {
        vec![Act::Say("hello".into())]
    }

    fn answer(&self, _: &ChatState, _: &String) -> Vec<Act<String>> {
        vec![Act::Say("one moment".into()), Act::Escalate, Act::Say("still here".into())]
    }

    fn deflection(&self, chat: &ChatState, patience: Patience) -> Option<String> {
        let deflects = match self.0.get() {
            Queue::Free => false,
            Queue::Full => patience == Patience::Usual,
            Queue::Closed => true,
        };
        deflects.then(|| format!("(deflected {})", chat.last_index + 1))
    }

    fn notice(&self, _: &ChatState, notice: Notice) -> String {
        format!("({})", notice.as_str())
    }
}

struct Desk {
    queue: Rc<Cell<Queue>>,
    session: ChatSession<String, Bot>,
    texts: Vec<String>,
    status: Status,
}

impl Desk {
    fn new(queue: Queue) -> Desk {
        let queue = Rc::new(Cell::new(queue));
        let bot = Bot(Rc::clone(&queue));
        let Change { state, messages } = open(ChatState { id: 7, ..ChatState::new(5, 3, Some(9), 100) }, &bot, 100);
        let (status, texts) = (state.status, messages.into_iter().map(|message| message.body).collect());
        Desk { queue, session: ChatSession::new(state, HashMap::new(), bot, Limits::default()), texts, status }
    }

    fn done(&mut self, actor: Actor, command: Command<String>) -> bool {
        self.session.handle(Input::Command { request: 1, actor, command }, 200);
        let mut went_well = false;
        while let Some(output) = self.session.poll() {
            match output {
                Output::Commit(change) => {
                    assert!(
                        change.messages.iter().zip(self.texts.len() as u64 + 1..).all(|(m, index)| m.index == index)
                    );
                    self.texts.extend(change.messages.into_iter().map(|message| message.body));
                    self.status = change.state.status;
                    self.session.handle(Input::Committed, 200);
                }
                Output::Reply { result, .. } => went_well = result.is_ok(),
                _ => {}
            }
        }
        went_well
    }
}

#[test]
fn a_deflected_escalation_leaves_the_chat_with_its_virtual_agent() {
    let mut desk = Desk::new(Queue::Full);
    assert!(desk.done(USER, Command::Escalate));
    assert_eq!((desk.status, &desk.texts[1..]), (Status::VaAssigned, &["(deflected 2)".to_owned()][..]));
    assert!(desk.done(USER, Command::EscalateAnyway));
    assert_eq!((desk.status, desk.texts[2].as_str()), (Status::Queued, "(escalationStarted)"));
    assert!(desk.done(USER, Command::Escalate), "who waits already is not led away");
    assert_eq!((desk.status, desk.texts.len()), (Status::Queued, 3));
}

#[test]
fn a_closed_queue_deflects_the_most_patient_too_and_a_free_one_nobody() {
    let mut desk = Desk::new(Queue::Closed);
    for command in [Command::Escalate, Command::EscalateAnyway] {
        assert!(desk.done(USER, command));
        assert_eq!(desk.status, Status::VaAssigned);
    }
    assert_eq!(desk.texts[1..], ["(deflected 2)", "(deflected 3)"]);
    desk.queue.set(Queue::Free);
    assert!(desk.done(USER, Command::Escalate));
    assert_eq!(desk.status, Status::Queued);
}

#[test]
fn the_virtual_agents_own_escalation_is_deflected_by_the_same_rule_in_the_same_change() {
    let mut desk = Desk::new(Queue::Full);
    assert!(desk.done(USER, Command::Send { client_id: "a".into(), body: "person".into() }));
    assert_eq!(desk.texts, ["hello", "person", "one moment", "(deflected 4)", "still here"]);
    assert_eq!(desk.status, Status::VaAssigned);
    desk.queue.set(Queue::Free);
    assert!(desk.done(USER, Command::Send { client_id: "b".into(), body: "person".into() }));
    assert_eq!(desk.texts[5..], ["person", "one moment", "(escalationStarted)"]);
    assert_eq!(desk.status, Status::Queued);
}

#[test]
fn agents_and_strangers_do_not_escalate() {
    let mut desk = Desk::new(Queue::Free);
    for actor in [Actor::Agent(1), Actor::EndUser(6)] {
        for command in [Command::Escalate, Command::EscalateAnyway] {
            assert!(!desk.done(actor, command));
        }
    }
    assert_eq!((desk.status, desk.texts.len()), (Status::VaAssigned, 1));
}

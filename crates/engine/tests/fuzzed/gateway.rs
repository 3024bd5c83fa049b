//! The gateway's session of one chat under any sequence of commands, streams, timers and commits that fail.
//!
//! Holds: indexes have no gap and a key is used once; every request is answered once; a stream gets each message once, in order; a session that
//! lost touch with the store stops.

use std::collections::{BTreeMap, HashMap, HashSet};

use engine::gateway::{
    Act, Actor, Change, ChatSession, ChatState, CheckInAnswer, CheckInLimits, Command, Input, Limits, Message, Notice,
    Output, PostSessionOffer, PostSessionStatus, PostSessionStep, Script, SentKey, ShareEnd, ShareFrom, ShareProvider,
    ShareStart, ShareStep, TransferTo, open,
};

use super::Choices;

struct Bot;

impl Script<u8> for Bot {
    fn greet(&self, _: &ChatState) -> Vec<Act<u8>> {
        vec![Act::Say(0)]
    }

    fn answer(&self, _: &ChatState, body: &u8) -> Vec<Act<u8>> {
        match body % 8 {
            0 => vec![Act::Escalate, Act::Say(1)],
            1 => vec![Act::Finish],
            2 => Vec::new(),
            _ => vec![Act::Say(2)],
        }
    }

    fn post_session(&self, chat: &ChatState) -> Option<PostSessionOffer> {
        (chat.menu_id > 0).then_some(PostSessionOffer { virtual_agent_id: 8, opt_in_required: chat.menu_id == 1 })
    }

    fn notice(&self, _: &ChatState, _: Notice) -> u8 {
        3
    }
}

struct Run {
    session: ChatSession<u8, Bot>,
    limits: Limits,
    state: ChatState,
    messages: Vec<Message<u8>>,
    committing: Option<Change<u8>>,
    open_requests: HashSet<u64>,
    /// Each stream's cursor.
    streams: HashMap<u64, u64>,
    delivering: HashSet<u64>,
    reading: HashMap<u64, (u64, u64)>,
    stopped: bool,
    now_ms: u64,
}

fn share_step(choices: &mut Choices<'_>) -> ShareStep {
    let share_id = choices.below(4);
    match choices.below(8) {
        0..=1 => ShareStep::Start(Box::new(ShareStart {
            client_id: format!("s{}", choices.below(5)),
            page_id: format!("p{}", choices.below(2)),
            from: choices.pick(ShareFrom::ALL),
            provider: choices.pick(ShareProvider::ALL),
            code: choices.flag().then(|| "1".to_owned()),
            lang: None,
            custom_data: BTreeMap::new(),
        })),
        2..=3 => ShareStep::Activate { share_id, page_id: format!("p{}", choices.below(2)) },
        4 => ShareStep::End { share_id, reason: choices.pick(ShareEnd::ALL) },
        5 => ShareStep::Ask,
        6 => ShareStep::Join { code: choices.below(3).to_string() },
        _ => ShareStep::EndByAgent,
    }
}

pub(crate) fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let limits = Limits {
        waiting_commands: 4,
        tail_messages: 3,
        batch_messages: 2,
        streams: 3,
        dismiss_after_ms: choices.flag().then_some(1_000),
        dismiss_warning_ms: choices.flag().then_some(500),
        va_dismiss_after_ms: choices.flag().then_some(1_000),
        queue_timeout_ms: choices.flag().then_some(3_000),
        check_in: CheckInLimits {
            timeout_ms: choices.below(2) * 500,
            after_ms: choices.flag().then_some(1_000),
            at_position: choices.flag().then_some(2),
            hidden_after_ms: choices.flag().then_some(700),
            rejoin_at_front: choices.flag(),
        },
        chat_timeout_ms: choices.flag().then_some(5_000),
        post_session_timeout_ms: choices.flag().then_some(2_000),
        ..Limits::default()
    };
    let fresh = ChatState { id: 7, ..ChatState::new(5, 3, choices.flag().then_some(9), 100) };
    let Change { state, messages } = open(fresh, &Bot, 100);
    let mut run = Run {
        session: ChatSession::new(state.clone(), HashMap::new(), Bot, limits),
        limits,
        state,
        messages,
        committing: None,
        open_requests: HashSet::new(),
        streams: HashMap::new(),
        delivering: HashSet::new(),
        reading: HashMap::new(),
        stopped: false,
        now_ms: 100,
    };
    let (mut last_request, mut last_stream) = (0, 0);
    while !choices.is_empty() {
        let actor = choices.pick(&[Actor::EndUser(5), Actor::EndUser(6), Actor::Agent(1), Actor::Agent(2)]);
        let mut streams: Vec<u64> = run.streams.keys().copied().collect();
        streams.sort_unstable();
        let stream = if streams.is_empty() { 0 } else { streams[choices.below(streams.len() as u64) as usize] };
        match choices.below(17) {
            0..=3 => {
                last_request += 1;
                run.open_requests.insert(last_request);
                let command = match choices.below(20) {
                    0..=2 => Command::Send { client_id: format!("k{}", choices.below(20)), body: choices.byte() },
                    3 => Command::Escalate,
                    4 => Command::Accept,
                    5 => Command::Finish,
                    6 => Command::Drop,
                    7 => Command::Transfer(TransferTo::Agent(choices.below(3))),
                    8 => Command::Transfer(TransferTo::Queue(choices.below(3))),
                    9 => Command::CheckIn(CheckInAnswer::Notified),
                    10 => Command::CheckIn(CheckInAnswer::Confirmed),
                    11 => Command::Rejoin,
                    12..=14 => Command::PostSession(PostSessionStep {
                        to: choices.pick(&PostSessionStatus::ALL),
                        opted_in: choices.pick(&[None, Some(true), Some(false)]),
                    }),
                    15 => Command::Resume,
                    _ => Command::ScreenShare(share_step(&mut choices)),
                };
                run.feed(Input::Command { request: last_request, actor, command });
            }
            4..=5 => run.end_commit(choices.below(8)),
            6 => {
                last_stream += 1;
                run.feed(Input::Join { stream: last_stream, actor, cursor: choices.number() });
            }
            7 => run.end_read(choices.below(6) == 0),
            8 => {
                if run.delivering.remove(&stream) {
                    run.feed(Input::Delivered { stream });
                }
            }
            9 => {
                run.streams.remove(&stream);
                run.delivering.remove(&stream);
                run.feed(Input::Leave { stream });
            }
            10 => run.feed(Input::Typing { stream, typing: choices.flag() }),
            11 => run.feed(Input::Visibility { stream, visible: choices.flag() }),
            12 => run.feed(Input::VisibilityBeside { actor, visible: choices.flag() }),
            14 => run.feed(Input::Preview { actor, content: "x".repeat(choices.below(3) as usize) }),
            13 => run.feed(Input::Place { place: choices.number() }),
            15 => run.feed(Input::PageHeard { at_ms: choices.number() }),
            _ => {
                // Clocks jump.
                let number = choices.number().min(1 << 40);
                run.now_ms = if choices.flag() { run.now_ms.saturating_add(number) } else { number };
                run.feed(Input::Tick);
            }
        }
        if run.stopped {
            run.restart();
        }
    }
    for _ in 0..1_000 {
        if run.committing.is_some() {
            run.end_commit(1);
        }
    }
    assert!(run.open_requests.is_empty(), "every request is answered: {:?}", run.open_requests);
}

impl Run {
    fn feed(&mut self, input: Input<u8>) {
        self.session.handle(input, self.now_ms);
        let mut outputs = 0;
        while let Some(output) = self.session.poll() {
            outputs += 1;
            assert!(outputs < 10_000, "one input leads to endless outputs");
            match output {
                Output::Commit(change) => assert!(self.committing.replace(change).is_none(), "one commit at a time"),
                Output::Reply { request, .. } => {
                    assert!(self.open_requests.remove(&request), "a request is answered once");
                }
                Output::Joined { stream, cursor, .. } => {
                    // A reader may have seen what is on its way: only the store knows yet whether it is there.
                    let newest = self.committing.as_ref().map_or(&self.state, |change| &change.state);
                    assert!(cursor <= newest.last_index);
                    self.streams.insert(stream, cursor);
                }
                Output::Refuse { stream, .. } => {
                    self.streams.remove(&stream);
                    self.delivering.remove(&stream);
                }
                Output::Read { stream, after_index, limit } => {
                    assert!(
                        self.reading.insert(stream, (after_index, limit)).is_none(),
                        "one read of a stream at a time"
                    );
                }
                Output::Deliver { stream, messages, .. } => {
                    assert!(self.delivering.insert(stream), "one delivery of a stream at a time");
                    let cursor = self.streams.get_mut(&stream).expect("only who joined gets something");
                    for message in messages {
                        assert_eq!(message.index, *cursor + 1, "in order and without a gap");
                        assert_eq!(message, self.messages[message.index as usize - 1], "only what is durable is shown");
                        *cursor = message.index;
                    }
                }
                Output::Typing { .. } | Output::Preview { .. } | Output::Changed(_) => {}
                Output::Stop => self.stopped = true,
            }
        }
    }

    fn end_commit(&mut self, luck: u64) {
        let Some(change) = self.committing.take() else { return };
        let reached = luck != 0;
        if reached {
            assert_eq!(change.state.revision, self.state.revision + 1);
            for message in &change.messages {
                assert_eq!(message.index, self.messages.len() as u64 + 1, "indexes have no gap");
                let used = self.messages.iter().any(|known| {
                    known.client_id.is_some() && known.client_id == message.client_id && known.author == message.author
                });
                assert!(!used, "a key is used once");
                self.messages.push(message.clone());
            }
            self.state = change.state;
            assert_eq!(self.state.last_index, self.messages.len() as u64);
        }
        self.feed(if reached { Input::Committed } else { Input::CommitFailed });
    }

    fn end_read(&mut self, fails: bool) {
        let Some(stream) = self.reading.keys().min().copied() else { return };
        let (after, limit) = self.reading.remove(&stream).expect("it was just seen");
        let messages = self.messages.iter().filter(|m| m.index > after).take(limit as usize).cloned().collect();
        self.feed(Input::ReadDone { stream, messages: (!fails).then_some(messages) });
    }

    /// The gateway loads the chat anew.
    fn restart(&mut self) {
        let sent: HashMap<SentKey, (u64, u64)> =
            self.messages.iter().filter_map(|m| Some(((m.author, m.client_id.clone()?), (m.index, m.at_ms)))).collect();
        self.session = ChatSession::new(self.state.clone(), sent, Bot, self.limits);
        self.streams.clear();
        self.delivering.clear();
        self.reading.clear();
        self.committing = None;
        assert!(self.open_requests.is_empty(), "a session that stops answers everybody first");
        self.stopped = false;
    }
}

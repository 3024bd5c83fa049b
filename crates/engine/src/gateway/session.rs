//! The run loop of one chat: queues commands while a change is on its way to the store, answers them when it is durable, and leads each
//! stream from its cursor to the newest message. Refuses to keep more than [`Limits`] allow.

use std::collections::{BTreeMap, HashMap, VecDeque};

use wire::ErrorCode;

use super::check_in::{CheckInLimits, Sight};
use super::screen_share::ShareLimits;
use super::state::{Actor, Author, Change, ChatState, Command, Done, Draft, Message, Script, SentKey, Status};
use super::timers::Expiry;

/// A request that waits for an answer; the gateway's own number.
pub type RequestId = u64;

/// An open event stream; the gateway's own number.
pub type StreamId = u64;

/// Why a stream or a request is turned away. [`ErrorCode::Forbidden`] must look like `not_found` to an end user, so that chat ids cannot
/// be probed.
pub type Refusal = ErrorCode;

/// What one chat may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Commands that wait for a running commit; more are refused as [`ErrorCode::Unavailable`].
    pub waiting_commands: usize,
    /// Newest messages kept in memory for streams that are up to date.
    pub tail_messages: usize,
    /// Messages of one delivery or read.
    pub batch_messages: u64,
    /// Streams of one chat.
    pub streams: usize,
    /// How long someone counts as typing without saying so again.
    pub typing_ms: u64,
    /// How long an end user may leave the agent's last message unanswered before the chat is dismissed; `None` for ever.
    pub dismiss_after_ms: Option<u64>,
    /// How long before that the end user is warned; `None` for no warning.
    pub dismiss_warning_ms: Option<u64>,
    /// How long an end user may stay silent with a virtual agent before it is let go; `None` for ever.
    pub va_dismiss_after_ms: Option<u64>,
    /// How long a chat waits in a queue before it fails; `None` for ever.
    pub queue_timeout_ms: Option<u64>,
    /// Who waits and is asked whether they still do.
    pub check_in: CheckInLimits,
    /// How long an end user may stay silent before the chat ends; `None` for ever.
    pub chat_timeout_ms: Option<u64>,
    /// How long a post-session waits for the end user before it is over; `None` for ever.
    pub post_session_timeout_ms: Option<u64>,
    /// How long a screen share may take.
    pub share: ShareLimits,
    /// What is found due longer ago than this waits as long again, once. After an outage, or when the clock jumped forward, the end user
    /// had no chance to answer in time.
    pub late_grace_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            waiting_commands: 256,
            tail_messages: 64,
            batch_messages: 500,
            streams: 32,
            typing_ms: 10_000,
            dismiss_after_ms: None,
            dismiss_warning_ms: None,
            va_dismiss_after_ms: None,
            queue_timeout_ms: None,
            check_in: CheckInLimits::default(),
            chat_timeout_ms: None,
            post_session_timeout_ms: None,
            share: ShareLimits::default(),
            late_grace_ms: 60_000,
        }
    }
}

impl Limits {
    /// The shortest time that a timer of a chat runs; `None` where none does. Whoever looks for due chats looks more often than that.
    #[must_use]
    pub fn shortest_timer_ms(&self) -> Option<u64> {
        let CheckInLimits { timeout_ms, after_ms, hidden_after_ms, .. } = self.check_in;
        let check_ins = [Some(timeout_ms), after_ms, hidden_after_ms].map(|ms| ms.filter(|_| self.check_in.is_on()));
        let ends = [self.queue_timeout_ms, self.chat_timeout_ms, self.post_session_timeout_ms];
        let others = [self.warn_after_ms(), self.va_dismiss_after_ms].into_iter().chain(ends);
        check_ins.into_iter().chain(others).flatten().chain([self.share.shortest_ms()]).min()
    }

    /// How long the agent's last message stays unanswered before something happens: the warning, or the dismissal itself.
    #[must_use]
    pub fn warn_after_ms(&self) -> Option<u64> {
        self.dismiss_after_ms.map(|ms| ms.saturating_sub(self.dismiss_warning_ms.unwrap_or(0)))
    }
}

/// What happened.
#[derive(Debug)]
pub enum Input<B> {
    /// An actor asks something.
    Command {
        /// Echoed in [`Output::Reply`].
        request: RequestId,
        /// Who asks.
        actor: Actor,
        /// What.
        command: Command<B>,
    },
    /// The change of the last [`Output::Commit`] is durable.
    Committed,
    /// The change of the last [`Output::Commit`] may or may not be durable: the store failed, or held another revision.
    CommitFailed,
    /// A stream wants this chat from its cursor on.
    Join {
        /// The stream.
        stream: StreamId,
        /// Who reads.
        actor: Actor,
        /// The index of the last message the reader has.
        cursor: u64,
    },
    /// What [`Output::Read`] asked for, in index order; `None` where the store failed.
    ReadDone {
        /// The stream it was for.
        stream: StreamId,
        /// The messages.
        messages: Option<Vec<Message<B>>>,
    },
    /// The last [`Output::Deliver`] left for the network.
    Delivered {
        /// The stream.
        stream: StreamId,
    },
    /// A reader types, or stopped.
    Typing {
        /// The stream it was said on.
        stream: StreamId,
        /// Whether it types now.
        typing: bool,
    },
    /// Someone types, or stopped, and says so beside the stream. Whoever may not read the chat is not heard.
    TypingBeside {
        /// Who.
        actor: Actor,
        /// Whether they type now.
        typing: bool,
    },
    /// The end user has typed this and not sent it yet; empty where nothing is typed any more. Whoever does not have the chat is not heard.
    Preview {
        /// Who.
        actor: Actor,
        /// What they would send. Never stored.
        content: String,
    },
    /// A page of the end user came into view, or was hidden. A stream that has said nothing is taken for one in view, though not at once:
    /// a hidden page says so first thing.
    Visibility {
        /// The stream it was said on.
        stream: StreamId,
        /// Whether it is in view now.
        visible: bool,
    },
    /// The same, said beside the streams: counts for those that have said nothing, until the end user's last one is gone.
    VisibilityBeside {
        /// Who.
        actor: Actor,
        /// Whether it is in view now.
        visible: bool,
    },
    /// The chat's place in its queue, 1 is next. A hint: it may come late or not at all.
    Place {
        /// The place.
        place: u64,
    },
    /// The page whose screen is shared was heard at this time. A share whose page nobody speaks of has no end by its silence.
    PageHeard {
        /// When.
        at_ms: u64,
    },
    /// A stream is gone.
    Leave {
        /// The stream.
        stream: StreamId,
    },
    /// The time of [`ChatSession::next_timeout_ms`] has come.
    Tick,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Output<B> {
    /// Make this durable, then say [`Input::Committed`] or [`Input::CommitFailed`]. One at a time.
    Commit(Change<B>),
    /// Answer a request.
    Reply {
        /// Which.
        request: RequestId,
        /// How it went.
        result: Result<Done, Refusal>,
    },
    /// A stream is in: say so with the chat's state, before anything else.
    Joined {
        /// The stream.
        stream: StreamId,
        /// The chat's state.
        state: ChatState,
        /// Messages follow from here plus 1.
        cursor: u64,
    },
    /// Turn a stream away.
    Refuse {
        /// The stream.
        stream: StreamId,
        /// Why.
        code: Refusal,
    },
    /// Read up to `limit` messages after an index, then say [`Input::ReadDone`].
    Read {
        /// The stream it is for.
        stream: StreamId,
        /// Messages after this index.
        after_index: u64,
        /// At most so many.
        limit: u64,
    },
    /// Send messages and, last, the state; then say [`Input::Delivered`].
    Deliver {
        /// The stream.
        stream: StreamId,
        /// In index order, following the stream's cursor.
        messages: Vec<Message<B>>,
        /// The newest state, where the stream is up to date with it.
        state: Option<ChatState>,
    },
    /// Tell a stream that someone types. May be dropped where the stream is slow.
    Typing {
        /// The stream.
        stream: StreamId,
        /// Who types.
        author: Author,
        /// Whether it types now.
        typing: bool,
    },
    /// Show a stream of an agent what the end user types. May be dropped where the stream is slow.
    Preview {
        /// The stream.
        stream: StreamId,
        /// Who types.
        author: Author,
        /// What; empty where nothing is typed any more.
        content: String,
    },
    /// A change is durable: whoever shows queues should look again.
    Changed(ChatState),
    /// The session lost touch with the store: it has refused and closed everything with [`ErrorCode::Unavailable`]. Load the chat anew for
    /// whoever comes next.
    Stop,
}

struct Stream {
    actor: Actor,
    /// The last message that was delivered.
    cursor: u64,
    /// The last state that was delivered.
    revision: u64,
    /// A read or a delivery is on its way.
    busy: bool,
    /// Whether the page is in view, where it said so.
    visible: Option<bool>,
}

/// A change on its way to the store, with the answers that wait for it.
struct Committing<B> {
    change: Change<B>,
    /// Refusals wait too: they may follow from the change, and hold only if it becomes durable.
    answers: Vec<(RequestId, Result<Done, Refusal>)>,
}

/// A chat's timer that ran out unseen.
#[derive(Clone, Copy)]
struct Late {
    /// Which: timers are told apart by their time.
    due_ms: u64,
    /// When it takes effect, unless the end user comes back before.
    fires_at_ms: u64,
}

/// One chat.
pub struct ChatSession<B, S> {
    script: S,
    limits: Limits,
    /// The durable state.
    state: ChatState,
    sent: HashMap<SentKey, (u64, u64)>,
    tail: VecDeque<Message<B>>,
    waiting: VecDeque<(RequestId, Actor, Command<B>)>,
    /// On its way to the store.
    committing: Option<Committing<B>>,
    streams: BTreeMap<StreamId, Stream>,
    typing: HashMap<Actor, u64>,
    /// Agents see something that the end user types.
    previewing: bool,
    /// Whether the page of a stream that has said nothing is in view, where that was said beside the streams.
    visible_beside: Option<bool>,
    /// The newest word about the chat's place in its queue.
    place: Option<u64>,
    /// When the page whose screen is shared was last heard, where anything is known of it.
    page_heard_ms: Option<u64>,
    /// A timer that was found late, and when it may run out.
    late: Option<Late>,
    /// The newest time that was told.
    seen_ms: u64,
    outputs: VecDeque<Output<B>>,
    stopped: bool,
}

impl<B: Clone, S: Script<B>> ChatSession<B, S> {
    /// A session of a chat as the store has it. `sent` are the idempotency keys of its messages with index and time.
    #[must_use]
    pub fn new(state: ChatState, sent: HashMap<SentKey, (u64, u64)>, script: S, limits: Limits) -> Self {
        ChatSession {
            script,
            limits,
            state,
            sent: if planted!("planted-keys-forgotten-in-restart") { HashMap::new() } else { sent },
            tail: VecDeque::new(),
            waiting: VecDeque::new(),
            committing: None,
            streams: BTreeMap::new(),
            typing: HashMap::new(),
            previewing: false,
            visible_beside: None,
            place: None,
            page_heard_ms: None,
            late: None,
            seen_ms: 0,
            outputs: VecDeque::new(),
            stopped: false,
        }
    }

    /// The durable state.
    #[must_use]
    pub fn state(&self) -> &ChatState {
        &self.state
    }

    /// Whether nobody reads, writes or waits: the gateway may forget the session. Timers do not count: they follow from the state, so
    /// that whoever loads the chat when they are due finds them.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        // That a shared page fell silent does not follow from the state: somebody must be there to notice.
        let is_shared = self.state.is_shared() && !self.stopped;
        let has_work = !self.waiting.is_empty() || self.committing.is_some() || !self.outputs.is_empty();
        self.streams.is_empty() && !has_work && !is_shared
    }

    /// When [`Input::Tick`] is due.
    #[must_use]
    pub fn next_timeout_ms(&self) -> Option<u64> {
        let chat = self.chat_timer().map(|(due_ms, _)| self.effective_ms(due_ms));
        self.typing.values().copied().chain(chat).min()
    }

    /// The chat's own timer that runs out first; none while a change is on its way, which may change it.
    fn chat_timer(&self) -> Option<(u64, Expiry)> {
        if self.stopped || self.committing.is_some() {
            return None;
        }
        let own = self.state.next_expiry(&self.limits);
        let page = self.state.share_page_timer(self.page_heard_ms, &self.limits);
        own.into_iter().chain(page).min_by_key(|(due_ms, _)| *due_ms)
    }

    fn effective_ms(&self, due_ms: u64) -> u64 {
        self.late.filter(|late| late.due_ms == due_ms).map_or(due_ms, |late| late.fires_at_ms)
    }

    /// What is to be done next; `None` until the next input.
    pub fn poll(&mut self) -> Option<Output<B>> {
        self.outputs.pop_front()
    }

    /// Takes one input in. Call [`ChatSession::poll`] until it returns `None` afterwards.
    pub fn handle(&mut self, input: Input<B>, now_ms: u64) {
        if now_ms < self.seen_ms {
            // The clock was set back: what was late by it may not be.
            self.late = None;
        }
        self.seen_ms = now_ms;
        match input {
            Input::Command { request, actor, command } => self.handle_command(request, actor, command, now_ms),
            Input::Committed => self.handle_committed(now_ms),
            Input::CommitFailed => self.stop(),
            Input::Join { stream, actor, cursor } => self.handle_join(stream, actor, cursor),
            Input::ReadDone { stream, messages } => self.handle_read(stream, messages),
            Input::Delivered { stream } => {
                if let Some(entry) = self.streams.get_mut(&stream) {
                    entry.busy = false;
                    self.advance(stream);
                }
            }
            Input::Typing { stream, typing } => {
                if let Some(actor) = self.streams.get(&stream).map(|entry| entry.actor) {
                    self.handle_typing(actor, typing, now_ms);
                }
            }
            Input::TypingBeside { actor, typing } => {
                if self.may_read(actor) {
                    self.handle_typing(actor, typing, now_ms);
                }
            }
            Input::Preview { actor, content } => self.handle_preview(actor, content),
            Input::Visibility { stream, visible } => {
                let end_user = Actor::EndUser(self.state.end_user_id);
                if let Some(entry) = self.streams.get_mut(&stream).filter(|entry| entry.actor == end_user) {
                    entry.visible = Some(visible);
                    self.commit_waiting(now_ms);
                }
            }
            Input::VisibilityBeside { actor, visible } => {
                if actor == Actor::EndUser(self.state.end_user_id) {
                    self.visible_beside = Some(visible);
                    self.commit_waiting(now_ms);
                }
            }
            Input::Place { place } => {
                self.place = Some(place);
                self.commit_waiting(now_ms);
            }
            Input::PageHeard { at_ms } => self.page_heard_ms = self.page_heard_ms.max(Some(at_ms)),
            Input::Leave { stream } => {
                self.handle_leave(stream);
                self.commit_waiting(now_ms);
            }
            Input::Tick => {
                self.expire_typing(now_ms);
                self.commit_waiting(now_ms);
                self.expire_chat(now_ms);
            }
        }
    }

    fn handle_command(&mut self, request: RequestId, actor: Actor, command: Command<B>, now_ms: u64) {
        if self.stopped || self.waiting.len() >= self.limits.waiting_commands {
            self.reply(request, Err(ErrorCode::Unavailable));
            return;
        }
        self.waiting.push_back((request, actor, command));
        self.commit_waiting(now_ms);
    }

    /// What was told beside commands.
    fn sight(&self) -> Sight {
        let end_user = Actor::EndUser(self.state.end_user_id);
        let pages = self.streams.values().filter(|entry| entry.actor == end_user);
        let visible = pages.map(|entry| entry.visible.or(self.visible_beside).unwrap_or(true)).max();
        // Nobody there is no page in view and none that is hidden: what was known last holds.
        Sight { visible: visible.or(self.visible_beside), place: self.place }
    }

    /// Turns all waiting commands, and what was told beside them, into one change: what arrives during a commit shares the next one.
    fn commit_waiting(&mut self, now_ms: u64) {
        let sight = self.sight();
        let has_work = !self.waiting.is_empty() || self.state.is_news(sight, &self.limits.check_in);
        if self.stopped || self.committing.is_some() || !has_work {
            return;
        }
        let mut draft = Draft::new(self.state.clone(), self.limits, now_ms);
        let mut answers = Vec::new();
        for (request, actor, command) in std::mem::take(&mut self.waiting) {
            answers.push((request, draft.apply(actor, &command, &self.sent, &self.script)));
        }
        draft.see(sight, &self.script);
        if draft.is_empty() {
            // Only refusals, and repetitions of what is durable already.
            for (request, result) in answers {
                self.reply(request, result);
            }
            return;
        }
        self.commit(draft, answers);
    }

    fn commit(&mut self, draft: Draft<B>, answers: Vec<(RequestId, Result<Done, Refusal>)>) {
        let change = draft.finish();
        if planted!("planted-answer-before-durable") {
            answers.iter().for_each(|(request, result)| self.reply(*request, result.clone()));
        }
        self.outputs.push_back(Output::Commit(change.clone()));
        self.committing = Some(Committing { change, answers });
    }

    /// Carries out what is due.
    fn expire_chat(&mut self, now_ms: u64) {
        let Some((due_ms, expiry)) = self.chat_timer() else { return };
        if now_ms < self.effective_ms(due_ms) {
            return;
        }
        let grace_ms = self.limits.late_grace_ms;
        let is_known = self.late.is_some_and(|late| late.due_ms == due_ms);
        if !is_known && now_ms.saturating_sub(due_ms) > grace_ms {
            self.late = Some(Late { due_ms, fires_at_ms: now_ms.saturating_add(grace_ms) });
            return;
        }
        self.late = None;
        let mut draft = Draft::new(self.state.clone(), self.limits, now_ms);
        draft.expire(expiry, &self.script);
        self.commit(draft, Vec::new());
    }

    fn handle_committed(&mut self, now_ms: u64) {
        let Some(Committing { change, answers }) = self.committing.take() else { return };
        for (request, result) in answers {
            let result = result.map(|done| match done {
                // The state as it was committed, with its final revision.
                Done::State(_) => Done::State(Box::new(change.state.clone())),
                sent @ Done::Sent { .. } => sent,
            });
            self.reply(request, result);
        }
        if change.messages.iter().any(|message| matches!(message.author, Author::EndUser(_))) {
            // What was typed is said now.
            self.show_preview(String::new());
        }
        for message in &change.messages {
            if let Some(client_id) = &message.client_id {
                self.sent.insert((message.author, client_id.clone()), (message.index, message.at_ms));
            }
        }
        let has_moved = |before: &ChatState, after: &ChatState| {
            after.status != Status::Queued || before.queued_at_ms != after.queued_at_ms
        };
        if has_moved(&self.state, &change.state) {
            self.place = None;
        }
        if change.state.is_shared() && !self.state.is_shared() {
            // The page has said yes just now.
            self.page_heard_ms = Some(now_ms);
        }
        self.state = change.state;
        self.tail.extend(change.messages);
        while self.tail.len() > self.limits.tail_messages {
            self.tail.pop_front();
        }
        self.outputs.push_back(Output::Changed(self.state.clone()));
        let streams: Vec<StreamId> = self.streams.keys().copied().collect();
        for stream in streams {
            self.advance(stream);
        }
        self.commit_waiting(now_ms);
    }

    fn handle_join(&mut self, stream: StreamId, actor: Actor, cursor: u64) {
        if self.stopped {
            self.refuse(stream, ErrorCode::Unavailable);
        } else if !self.may_read(actor) {
            self.refuse(stream, ErrorCode::Forbidden);
        } else if self.streams.len() >= self.limits.streams {
            self.refuse(stream, ErrorCode::RateLimited);
        } else {
            // Whoever reads the store may have seen what is durable before this session heard of it.
            let newest = self.committing.as_ref().map_or(&self.state, |committing| &committing.change.state);
            let cursor = cursor.min(newest.last_index);
            let state = self.state.clone();
            self.streams.insert(stream, Stream { actor, cursor, revision: state.revision, busy: false, visible: None });
            self.outputs.push_back(Output::Joined { stream, state, cursor });
            self.advance(stream);
        }
    }

    fn may_read(&self, actor: Actor) -> bool {
        match actor {
            Actor::EndUser(id) => self.state.end_user_id == id,
            Actor::Agent(id) => self.state.all_agent_ids.contains(&id),
        }
    }

    /// Moves a stream on by one delivery or read, where it has something to get and nothing on its way.
    fn advance(&mut self, stream: StreamId) {
        let Some(entry) = self.streams.get_mut(&stream) else { return };
        if entry.busy {
            return;
        }
        if entry.cursor < self.state.last_index {
            let next = entry.cursor.saturating_add(1);
            let in_tail = self.tail.front().is_some_and(|first| first.index <= next);
            if in_tail {
                let messages: Vec<Message<B>> =
                    self.tail.iter().filter(|message| message.index >= next).cloned().collect();
                self.deliver(stream, messages);
            } else {
                entry.busy = true;
                let (after_index, limit) = (entry.cursor, self.limits.batch_messages);
                self.outputs.push_back(Output::Read { stream, after_index, limit });
            }
        } else if entry.revision < self.state.revision {
            self.deliver(stream, Vec::new());
        }
    }

    fn handle_read(&mut self, stream: StreamId, messages: Option<Vec<Message<B>>>) {
        let Some(entry) = self.streams.get_mut(&stream) else { return };
        entry.busy = false;
        let expected = entry.cursor.saturating_add(1)..;
        match messages {
            Some(messages) if !messages.is_empty() && expected.zip(&messages).all(|(index, m)| m.index == index) => {
                self.deliver(stream, messages)
            }
            // The store failed or has a hole: the reader resumes from its cursor with a fresh session.
            _ => {
                self.handle_leave(stream);
                self.refuse(stream, ErrorCode::Unavailable);
            }
        }
    }

    fn deliver(&mut self, stream: StreamId, messages: Vec<Message<B>>) {
        let Some(entry) = self.streams.get_mut(&stream) else { return };
        if let Some(last) = messages.last() {
            entry.cursor = last.index;
        }
        let up_to_date = entry.cursor >= self.state.last_index && entry.revision < self.state.revision;
        let state = up_to_date.then(|| self.state.clone());
        if up_to_date {
            entry.revision = self.state.revision;
        }
        entry.busy = true;
        self.outputs.push_back(Output::Deliver { stream, messages, state });
    }

    fn handle_typing(&mut self, actor: Actor, typing: bool, now_ms: u64) {
        if self.state.status.is_over() {
            return;
        }
        let was_typing = self.typing.contains_key(&actor);
        if typing {
            self.typing.insert(actor, now_ms.saturating_add(self.limits.typing_ms));
        } else {
            self.typing.remove(&actor);
        }
        if typing != was_typing {
            self.announce_typing(actor, typing);
        }
    }

    /// Only people are shown previews: a virtual agent waits for the message, and nobody reads a chat that is over or put aside.
    fn handle_preview(&mut self, actor: Actor, content: String) {
        let is_end_user = actor == Actor::EndUser(self.state.end_user_id);
        if is_end_user && matches!(self.state.status, Status::Queued | Status::Assigned) {
            self.show_preview(content);
        }
    }

    fn show_preview(&mut self, content: String) {
        if content.is_empty() && !self.previewing {
            return;
        }
        self.previewing = !content.is_empty();
        let author = Actor::EndUser(self.state.end_user_id).into();
        let agents = self.streams.iter().filter(|(_, entry)| matches!(entry.actor, Actor::Agent(_)));
        let outputs = agents.map(|(stream, _)| Output::Preview { stream: *stream, author, content: content.clone() });
        self.outputs.extend(outputs);
    }

    fn announce_typing(&mut self, actor: Actor, typing: bool) {
        if !typing && actor == Actor::EndUser(self.state.end_user_id) {
            self.show_preview(String::new());
        }
        let others = self.streams.iter().filter(|(_, entry)| entry.actor != actor).map(|(stream, _)| *stream);
        let author = actor.into();
        self.outputs.extend(others.map(|stream| Output::Typing { stream, author, typing }));
    }

    fn expire_typing(&mut self, now_ms: u64) {
        let expired: Vec<Actor> =
            self.typing.iter().filter(|(_, at_ms)| **at_ms <= now_ms).map(|(actor, _)| *actor).collect();
        for actor in expired {
            self.typing.remove(&actor);
            self.announce_typing(actor, false);
        }
    }

    fn handle_leave(&mut self, stream: StreamId) {
        let Some(entry) = self.streams.remove(&stream) else { return };
        let still_here = self.streams.values().any(|other| other.actor == entry.actor);
        if still_here {
            return;
        }
        if entry.actor == Actor::EndUser(self.state.end_user_id) {
            self.visible_beside = None;
        }
        if self.typing.remove(&entry.actor).is_some() {
            self.announce_typing(entry.actor, false);
        }
    }

    fn stop(&mut self) {
        self.stopped = true;
        if let Some(Committing { answers, .. }) = self.committing.take() {
            for (request, _) in answers {
                self.reply(request, Err(ErrorCode::Unavailable));
            }
        }
        for (request, _, _) in std::mem::take(&mut self.waiting) {
            self.reply(request, Err(ErrorCode::Unavailable));
        }
        for stream in std::mem::take(&mut self.streams).into_keys() {
            self.refuse(stream, ErrorCode::Unavailable);
        }
        self.typing.clear();
        self.previewing = false;
        self.late = None;
        self.outputs.push_back(Output::Stop);
    }

    fn reply(&mut self, request: RequestId, result: Result<Done, Refusal>) {
        self.outputs.push_back(Output::Reply { request, result });
    }

    fn refuse(&mut self, stream: StreamId, code: Refusal) {
        self.outputs.push_back(Output::Refuse { stream, code });
    }
}

//! The current chat as the client knows it: its newest state and who is in it. Knows nothing of messages or streams.

use wire::Document;

use super::text::decimal;

/// Someone in the conversation besides the end user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// `agent` or `virtual_agent`.
    pub kind: String,
    /// Its number.
    pub id: u64,
    /// The name to show.
    pub display_name: String,
}

impl Member {
    pub(crate) fn read<D: Document>(document: &D) -> Option<Member> {
        let (kind, id) = (document.text("type")?, document.count("id")?);
        Some(Member { kind, id, display_name: document.text("display_name").unwrap_or_default() })
    }

    /// The identity as a text: `agent_1`.
    #[must_use]
    pub fn identity(&self) -> String {
        [&self.kind, "_", &decimal(self.id)].concat()
    }

    fn is(&self, other: &Member) -> bool {
        self.id == other.id && self.kind == other.kind
    }
}

/// What changed from one state of a chat to the next.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) joined: Vec<Member>,
    pub(crate) left: Vec<Member>,
}

/// The current chat.
pub(crate) struct Chat<D> {
    pub(crate) id: u64,
    pub(crate) state: D,
    pub(crate) last_index: u64,
    /// Over, and nobody writes: no post-session is under way.
    pub(crate) finished: bool,
    /// What follows the human part is not over: it is offered, or under way.
    pub(crate) is_followed: bool,
    /// Put aside by the platform because the end user was silent; can be resumed.
    pub(crate) dismissed: bool,
    /// The end user waits for an agent.
    pub(crate) queued: bool,
    /// It was finished because the end user was silent.
    pub(crate) timed_out: bool,
    /// `chat.connected` was emitted.
    pub(crate) connected: bool,
    /// `chat.ended` was emitted for where the chat stands.
    pub(crate) ended: bool,
    revision: u64,
    members: Vec<Member>,
    typing: Vec<Member>,
}

impl<D: Document> Chat<D> {
    /// Reads a `ChatResponse`; `None` where it is not one.
    pub(crate) fn read(state: D) -> Option<Chat<D>> {
        let id = state.count("id")?;
        let mut chat = Chat {
            id,
            last_index: 0,
            finished: false,
            is_followed: false,
            dismissed: false,
            queued: false,
            timed_out: false,
            connected: false,
            ended: false,
            revision: 0,
            members: Vec::new(),
            typing: Vec::new(),
            state: state.clone(),
        };
        chat.take(state);
        Some(chat)
    }

    /// Takes a newer state over and says who came and went; `None` where it is of another chat or not newer.
    pub(crate) fn update(&mut self, state: D) -> Option<Changes> {
        if state.count("id") != Some(self.id) || state.count("revision").unwrap_or(0) <= self.revision {
            return None;
        }
        let before = std::mem::take(&mut self.members);
        self.take(state);
        let missing = |member: &&Member, others: &[Member]| !others.iter().any(|other| other.is(member));
        let joined = self.members.iter().filter(|member| missing(member, &before)).cloned().collect();
        let left = before.iter().filter(|member| missing(member, &self.members)).cloned().collect();
        Some(Changes { joined, left })
    }

    fn take(&mut self, state: D) {
        self.revision = state.count("revision").unwrap_or(0);
        self.last_index = state.count("last_index").unwrap_or(0);
        let status = state.text("status").unwrap_or_default();
        self.queued = status == "queued";
        self.dismissed = status == "dismissed" || status == "va_dismissed";
        self.timed_out = status == "timeout" || state.text("ended_by").is_some_and(|ended_by| ended_by == "timeout");
        let is_over = status == "finished" || status == "failed" || status == "timeout";
        let step = state.text("post_session_transfer_status").unwrap_or_default();
        let is_followed = is_over && step != "finished" && state.flag("post_session_required").unwrap_or(false);
        self.finished = is_over && step != "in_progress" && step != "waiting";
        // The end of what followed is an end of its own.
        self.ended &= self.finished && self.is_followed == is_followed;
        self.is_followed = is_followed;
        self.members = state
            .field("members")
            .and_then(|members| members.items())
            .unwrap_or_default()
            .iter()
            .filter_map(Member::read)
            .collect();
        self.state = state;
    }

    /// Someone types or stopped; whether that is news.
    pub(crate) fn set_typing(&mut self, member: &Member, typing: bool) -> bool {
        let position = self.typing.iter().position(|other| other.is(member));
        match (position, typing) {
            (None, true) => self.typing.push(member.clone()),
            (Some(position), false) => drop(self.typing.swap_remove(position)),
            _ => return false,
        }
        true
    }

    /// The member that this author is, where it was typing.
    pub(crate) fn typist(&self, kind: &str, id: u64) -> Option<Member> {
        self.typing.iter().find(|member| member.id == id && member.kind == kind).cloned()
    }

    /// Everyone who was typing; nobody is from now on.
    pub(crate) fn clear_typing(&mut self) -> Vec<Member> {
        std::mem::take(&mut self.typing)
    }
}

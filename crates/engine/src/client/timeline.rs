//! The messages of the current chat, keyed by the server's index: what arrived, what listeners have seen, what waits while a
//! `fetchMessages` is in flight. Refuses gaps and repetitions.

use std::collections::{BTreeMap, VecDeque};

/// What to do with a message that arrived.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival<D> {
    /// Show it to listeners now.
    Show(D),
    /// It was seen before, or waits.
    Nothing,
    /// A message before it is missing: the stream must be resumed from the cursor.
    Gap,
}

pub(crate) struct Timeline<D> {
    /// The last message that arrived on the stream.
    cursor: u64,
    /// The last message that listeners saw or a `fetchMessages` returned.
    shown: u64,
    /// Calls of `fetchMessages` that are not finished.
    holds: u32,
    held: VecDeque<(u64, D)>,
    bodies: BTreeMap<u64, D>,
    limit: usize,
}

impl<D: Clone> Timeline<D> {
    pub(crate) fn new(cursor: u64, limit: usize) -> Self {
        Timeline { cursor, shown: cursor, holds: 0, held: VecDeque::new(), bodies: BTreeMap::new(), limit }
    }

    /// Where the stream resumes.
    pub(crate) fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Whether listeners have seen everything up to this index.
    pub(crate) fn has_shown(&self, index: u64) -> bool {
        self.shown >= index && self.held.is_empty()
    }

    /// The bodies that are kept, in index order.
    pub(crate) fn bodies(&self) -> Vec<D> {
        self.bodies.values().cloned().collect()
    }

    /// The store lost its tail: what follows this index is new again.
    pub(crate) fn rewind(&mut self, cursor: u64) {
        self.cursor = cursor;
        self.shown = self.shown.min(cursor);
        self.held.retain(|(index, _)| *index <= cursor);
        self.bodies.retain(|index, _| *index <= cursor);
    }

    /// A message arrived on the stream.
    pub(crate) fn arrive(&mut self, index: u64, body: D) -> Arrival<D> {
        if index <= self.cursor {
            return Arrival::Nothing;
        }
        if index != self.cursor + 1 {
            return Arrival::Gap;
        }
        self.cursor = index;
        self.keep(index, body.clone());
        if index <= self.shown {
            return Arrival::Nothing;
        }
        if self.holds > 0 || !self.held.is_empty() {
            self.held.push_back((index, body));
            return Arrival::Nothing;
        }
        self.shown = index;
        Arrival::Show(body)
    }

    /// A `fetchMessages` begins: live messages wait.
    pub(crate) fn hold(&mut self) {
        self.holds += 1;
    }

    /// A `fetchMessages` returned everything up to `last_index`: none of it is shown again.
    pub(crate) fn fetched(&mut self, messages: &[(u64, D)], last_index: u64) {
        for (index, body) in messages {
            self.keep(*index, body.clone());
        }
        self.shown = self.shown.max(last_index);
        self.held.retain(|(index, _)| *index > last_index);
    }

    /// A `fetchMessages` is over and its caller has had its turn.
    pub(crate) fn release(&mut self) {
        self.holds = self.holds.saturating_sub(1);
    }

    /// The next message that waited and need not wait any longer.
    pub(crate) fn next_released(&mut self) -> Option<D> {
        if self.holds > 0 {
            return None;
        }
        let (index, body) = self.held.pop_front()?;
        self.shown = index;
        Some(body)
    }

    fn keep(&mut self, index: u64, body: D) {
        self.bodies.entry(index).or_insert(body);
        while self.bodies.len() > self.limit {
            self.bodies.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrival, Timeline};

    #[test]
    fn messages_are_shown_once_and_in_order() {
        let mut timeline = Timeline::new(0, 10);
        assert_eq!(timeline.arrive(1, "a"), Arrival::Show("a"));
        assert_eq!(timeline.arrive(1, "a"), Arrival::Nothing);
        assert_eq!(timeline.arrive(3, "c"), Arrival::Gap);
        assert_eq!(timeline.arrive(2, "b"), Arrival::Show("b"));
        assert_eq!(timeline.cursor(), 2);
    }

    #[test]
    fn what_a_fetch_returned_is_not_shown_and_the_rest_follows_it() {
        let mut timeline = Timeline::new(2, 10);
        timeline.hold();
        assert_eq!(timeline.arrive(3, "c"), Arrival::Nothing);
        assert_eq!(timeline.arrive(4, "d"), Arrival::Nothing);
        assert_eq!(timeline.next_released(), None);
        timeline.fetched(&[(1, "a"), (2, "b"), (3, "c")], 3);
        timeline.release();
        assert_eq!(timeline.next_released(), Some("d"));
        assert_eq!(timeline.next_released(), None);
        assert_eq!(timeline.bodies(), ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_message_that_a_fetch_returned_ahead_of_the_stream_is_not_shown_when_the_stream_brings_it() {
        let mut timeline = Timeline::new(0, 10);
        timeline.hold();
        timeline.fetched(&[(1, "a"), (2, "b")], 2);
        timeline.release();
        assert_eq!(timeline.arrive(1, "a"), Arrival::Nothing);
        assert_eq!(timeline.arrive(2, "b"), Arrival::Nothing);
        assert_eq!(timeline.arrive(3, "c"), Arrival::Show("c"));
    }

    #[test]
    fn two_fetches_at_once_hold_until_both_are_over() {
        let mut timeline = Timeline::new(0, 10);
        timeline.hold();
        timeline.hold();
        assert_eq!(timeline.arrive(1, "a"), Arrival::Nothing);
        timeline.release();
        assert_eq!(timeline.next_released(), None);
        timeline.release();
        assert_eq!(timeline.next_released(), Some("a"));
    }

    #[test]
    fn only_the_newest_bodies_are_kept() {
        let mut timeline = Timeline::new(0, 2);
        for index in 1..=5 {
            timeline.arrive(index, index);
        }
        assert_eq!(timeline.bodies(), [4, 5]);
    }
}

//! The messages of the current chat, keyed by the server's index: what arrived, what listeners have seen, what waits while a
//! `fetchMessages` is in flight. Refuses gaps and repetitions.

use std::collections::VecDeque;

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
    /// The last message that listeners saw or a `fetchMessages` returned. Bodies after it wait.
    shown: u64,
    /// Calls of `fetchMessages` that are not finished.
    holds: u32,
    /// The index of the first body.
    first: u64,
    /// Bodies that are kept, one after the other.
    bodies: VecDeque<D>,
    limit: usize,
}

impl<D: Clone> Timeline<D> {
    pub(crate) fn new(cursor: u64, limit: usize) -> Self {
        Timeline { cursor, shown: cursor, holds: 0, first: cursor + 1, bodies: VecDeque::new(), limit }
    }

    /// Where the stream resumes.
    pub(crate) fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Whether listeners have seen everything up to this index, and nothing waits.
    pub(crate) fn has_shown(&self, index: u64) -> bool {
        self.shown >= index && self.next_index() <= self.shown + 1
    }

    /// The bodies that are kept, in index order.
    pub(crate) fn bodies(&self) -> Vec<D> {
        self.bodies.iter().cloned().collect()
    }

    /// The store lost its tail: what follows this index is new again.
    pub(crate) fn rewind(&mut self, cursor: u64) {
        self.cursor = cursor;
        self.shown = self.shown.min(cursor);
        self.first = self.first.min(cursor + 1);
        self.bodies.truncate(usize::try_from(cursor + 1 - self.first).unwrap_or(0));
    }

    /// A message arrived on the stream.
    pub(crate) fn arrive(&mut self, index: u64, body: D) -> Arrival<D> {
        if index <= self.cursor {
            return Arrival::Nothing;
        }
        if index != self.cursor + 1 && !planted!("planted-gap-ignored") {
            return Arrival::Gap;
        }
        self.cursor = index;
        if index == self.next_index() {
            self.bodies.push_back(body.clone());
        }
        let arrival = if self.holds == 0 && index == self.shown + 1 {
            self.shown = index;
            Arrival::Show(body)
        } else {
            Arrival::Nothing
        };
        self.trim();
        arrival
    }

    /// A `fetchMessages` begins: live messages wait.
    pub(crate) fn hold(&mut self) {
        self.holds += 1;
    }

    /// A `fetchMessages` returned the messages 1, 2, 3, …: none of them is shown again.
    pub(crate) fn fetched(&mut self, messages: &[(u64, D)]) {
        let (Some((first, _)), Some((last, _))) = (messages.first(), messages.last()) else { return };
        if self.first <= last + 1 {
            let newer =
                usize::try_from((last + 1).saturating_sub(self.first)).unwrap_or(usize::MAX).min(self.bodies.len());
            let newer = self.bodies.split_off(newer);
            self.bodies = messages.iter().map(|(_, body)| body.clone()).chain(newer).collect();
            self.first = *first;
        }
        if !planted!("planted-fetched-shown-again") {
            self.shown = self.shown.max(*last);
        }
        self.trim();
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
        let offset = usize::try_from((self.shown + 1).checked_sub(self.first)?).ok()?;
        let body = self.bodies.get(offset)?.clone();
        self.shown += 1;
        Some(body)
    }

    /// The index after the last body.
    fn next_index(&self) -> u64 {
        self.first + self.bodies.len() as u64
    }

    /// Lets go of the oldest bodies, never of one that waits.
    fn trim(&mut self) {
        while self.bodies.len() > self.limit && self.first <= self.shown {
            self.bodies.pop_front();
            self.first += 1;
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
        timeline.fetched(&[(1, "a"), (2, "b"), (3, "c")]);
        timeline.release();
        assert_eq!(timeline.next_released(), Some("d"));
        assert_eq!(timeline.next_released(), None);
        assert_eq!(timeline.bodies(), ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_message_that_a_fetch_returned_ahead_of_the_stream_is_not_shown_when_the_stream_brings_it() {
        let mut timeline = Timeline::new(0, 10);
        timeline.hold();
        timeline.fetched(&[(1, "a"), (2, "b")]);
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
    fn a_body_that_waits_is_kept_whatever_the_limit() {
        let mut timeline = Timeline::new(0, 1);
        timeline.hold();
        for index in 1..=3 {
            assert_eq!(timeline.arrive(index, index), Arrival::Nothing);
        }
        assert!(!timeline.has_shown(3));
        timeline.release();
        assert_eq!(
            [timeline.next_released(), timeline.next_released(), timeline.next_released()],
            [Some(1), Some(2), Some(3)]
        );
        assert!(timeline.has_shown(3));
    }

    #[test]
    fn what_the_store_lost_is_shown_again_under_its_index() {
        let mut timeline = Timeline::new(0, 10);
        for index in 1..=3 {
            timeline.arrive(index, index);
        }
        timeline.rewind(1);
        assert_eq!(timeline.arrive(2, 20), Arrival::Show(20));
        assert_eq!(timeline.bodies(), [1, 20]);
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

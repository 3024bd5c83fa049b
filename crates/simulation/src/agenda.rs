//! What is going to happen, in the order of virtual time. What is planned for the same moment happens in the order of planning.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

struct Entry<T> {
    at_ms: u64,
    sequence: u64,
    happening: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap gives its greatest first.
        (other.at_ms, other.sequence).cmp(&(self.at_ms, self.sequence))
    }
}

/// The agenda.
pub(crate) struct Agenda<T> {
    heap: BinaryHeap<Entry<T>>,
    sequence: u64,
}

impl<T> Agenda<T> {
    pub(crate) fn new() -> Self {
        Agenda { heap: BinaryHeap::new(), sequence: 0 }
    }

    pub(crate) fn plan(&mut self, at_ms: u64, happening: T) {
        self.sequence += 1;
        self.heap.push(Entry { at_ms, sequence: self.sequence, happening });
    }

    /// What happens next, and when, unless it is after `until_ms`.
    pub(crate) fn next(&mut self, until_ms: u64) -> Option<(u64, T)> {
        if self.heap.peek()?.at_ms > until_ms {
            return None;
        }
        self.heap.pop().map(|entry| (entry.at_ms, entry.happening))
    }
}

#[cfg(test)]
mod tests {
    use super::Agenda;

    #[test]
    fn things_happen_in_order_of_time_and_then_of_planning() {
        let mut agenda = Agenda::new();
        for (at_ms, name) in [(5, "c"), (1, "a"), (5, "d"), (2, "b"), (9, "e")] {
            agenda.plan(at_ms, name);
        }
        let order: String = std::iter::from_fn(|| agenda.next(5)).map(|(_, name)| name).collect();
        assert_eq!(order, "abcd");
    }
}

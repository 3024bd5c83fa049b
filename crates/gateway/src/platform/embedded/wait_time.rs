//! How long a customer would wait, from the real state of the queues (`docs/gateway.md`, "Waiting time"). An estimate, not a promise.

/// What the estimate is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    /// Customers who wait already.
    pub(crate) waiting: u64,
    /// Conversations that the agents on duty could have at a time, all together.
    pub(crate) places: u64,
    /// Conversations that they have.
    pub(crate) taken: u64,
    /// How long one takes.
    pub(crate) handling_ms: u64,
}

/// Seconds until the next newcomer's turn.
///
/// 0 while a place is free for everyone who waits and for the newcomer. Otherwise everyone who is left over waits for a place, and the
/// places become free `places` at a time per handling time; with nobody on duty, one agent with one place is assumed to come.
pub(crate) fn seconds(situation: Situation) -> u64 {
    let Situation { waiting, places, taken, handling_ms } = situation;
    let position = waiting.saturating_add(1);
    let left_over = position.saturating_sub(places.saturating_sub(taken));
    left_over.saturating_mul(handling_ms).div_ceil(places.max(1)).div_ceil(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_follows_queue_and_agents() {
        let table = [
            // waiting, places, taken, expected seconds at 60 s each
            (0, 0, 0, 60),
            (2, 0, 0, 180),
            (0, 3, 0, 0),
            (2, 3, 0, 0),
            (3, 3, 0, 20),
            (0, 3, 3, 20),
            (5, 3, 3, 120),
            (0, 1, 9, 60),
        ];
        for (waiting, places, taken, expected) in table {
            let situation = Situation { waiting, places, taken, handling_ms: 60_000 };
            assert_eq!(seconds(situation), expected, "{situation:?}");
        }
    }
}

//! The heartbeat of one stream: when to ask whether the other side is there, and when to give it up. Knows times only.

use std::time::Duration;

use tokio::time::Instant;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Send `ping`.
    Ping,
    /// Give the stream up.
    Silent,
    /// The session is over.
    Expired,
}

/// Times of one stream.
pub(super) struct Pulse {
    heartbeat: Duration,
    sent: Instant,
    heard: Instant,
    /// The last `ping`, which is not repeated while its answer is awaited.
    asked: Option<Instant>,
    expires: Option<Instant>,
    /// The other side can answer: its silence means something.
    is_two_way: bool,
}

impl Pulse {
    pub(super) fn new(heartbeat_ms: u64, expires: Option<Instant>, is_two_way: bool) -> Pulse {
        let now = Instant::now();
        Pulse {
            heartbeat: Duration::from_millis(heartbeat_ms),
            sent: now,
            heard: now,
            asked: None,
            expires,
            is_two_way,
        }
    }

    pub(super) fn sent(&mut self) {
        self.sent = Instant::now();
    }

    pub(super) fn heard(&mut self) {
        self.heard = Instant::now();
        self.asked = None;
    }

    pub(super) fn asked(&mut self) {
        self.sent();
        self.asked = Some(self.sent);
    }

    /// What is due next, and when. A `ping` is due after a heartbeat in which nothing was sent, so that the client hears something, and
    /// also after one in which nothing was heard: a client that only reads would otherwise look silent.
    pub(super) fn next(&self) -> (Instant, Due) {
        let unsent = self.sent + self.heartbeat;
        let unheard = self.asked.unwrap_or(self.heard) + self.heartbeat;
        let silent = self.heard + self.heartbeat * 5 / 2;
        let mut next = (if self.is_two_way { unheard.min(unsent) } else { unsent }, Due::Ping);
        let silent = self.is_two_way.then_some((silent, Due::Silent));
        for candidate in [silent, self.expires.map(|at| (at, Due::Expired))].into_iter().flatten() {
            if candidate.0 <= next.0 {
                next = candidate;
            }
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_only_reads_is_asked_and_a_silent_one_given_up() {
        let start = Instant::now();
        let mut pulse = Pulse::new(1000, None, true);
        let mut log = Vec::new();
        loop {
            let (at, due) = pulse.next();
            tokio::time::sleep_until(at).await;
            log.push((u64::try_from((at - start).as_millis()).unwrap(), due));
            match due {
                Due::Ping => pulse.asked(),
                Due::Silent | Due::Expired => break,
            }
        }
        assert_eq!(log, [(1000, Due::Ping), (2000, Due::Ping), (2500, Due::Silent)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_stream_is_still_asked_now_and_then() {
        let mut pulse = Pulse::new(1000, None, true);
        tokio::time::advance(Duration::from_millis(900)).await;
        pulse.sent();
        assert_eq!(pulse.next(), (pulse.heard + Duration::from_millis(1000), Due::Ping));
        tokio::time::advance(Duration::from_millis(50)).await;
        pulse.heard();
        assert_eq!(pulse.next(), (pulse.sent + Duration::from_millis(1000), Due::Ping));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_cannot_answer_is_never_silent() {
        let mut pulse = Pulse::new(1000, None, false);
        for _ in 0..5 {
            let (at, due) = pulse.next();
            assert_eq!((at, due), (pulse.sent + Duration::from_millis(1000), Due::Ping));
            tokio::time::sleep_until(at).await;
            pulse.asked();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_the_session_comes_first_where_it_is_first() {
        let at = Instant::now() + Duration::from_millis(300);
        assert_eq!(Pulse::new(1000, Some(at), true).next(), (at, Due::Expired));
    }
}

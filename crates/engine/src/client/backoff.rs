//! How long to wait before the next try. One failure is retried at once; then the wait doubles up to a cap, each time a random part of it,
//! so that clients that lost the same gateway do not return in step.

/// The waits between tries.
#[derive(Clone, Copy, Debug)]
pub struct BackoffOptions {
    /// The longest first wait after the immediate try failed.
    pub initial_ms: u64,
    /// The longest wait at all.
    pub max_ms: u64,
}

impl Default for BackoffOptions {
    fn default() -> Self {
        BackoffOptions { initial_ms: 500, max_ms: 20_000 }
    }
}

/// Counts failures in a row.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait before the next try: nothing after a first failure, then a random half to whole of a doubling window.
    pub(crate) fn next_wait_ms(&mut self, options: BackoffOptions, entropy: u64) -> u64 {
        let doublings = self.failures;
        self.failures = self.failures.saturating_add(1);
        if doublings == 0 {
            return 0;
        }
        let window = options.initial_ms.saturating_mul(1 << (doublings - 1).min(20)).min(options.max_ms);
        spread_ms(window / 2, window, entropy)
    }
}

/// A random time between two.
pub(crate) fn spread_ms(least_ms: u64, most_ms: u64, entropy: u64) -> u64 {
    least_ms + entropy % (most_ms.saturating_sub(least_ms) + 1)
}

#[cfg(test)]
mod tests {
    use super::{Backoff, BackoffOptions};

    #[test]
    fn the_first_failure_is_retried_at_once_and_later_ones_wait_up_to_the_cap() {
        let options = BackoffOptions { initial_ms: 100, max_ms: 1000 };
        let mut backoff = Backoff::default();
        assert_eq!(backoff.next_wait_ms(options, 7), 0);
        for window in [100, 200, 400, 800, 1000, 1000] {
            let wait = backoff.next_wait_ms(options, 0x9E37_79B9);
            assert!(wait >= window / 2 && wait <= window, "{wait} is outside the window of {window}");
        }
        backoff.reset();
        assert_eq!(backoff.next_wait_ms(options, 7), 0);
    }
}

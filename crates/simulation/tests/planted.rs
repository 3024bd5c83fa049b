//! The simulation bites: each known bug is planted in turn, and must be found within so many seeds. Prints the seed that found it, which
//! `docs/reliability.md` records.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use simulation::{plant, run};

/// A bug must be found by one of so many seeds.
const SEEDS: u64 = 30_000;
const THREADS: usize = 2;

const BUGS: &[&str] = &[
    "planted-answer-before-durable",
    "planted-answer-before-sync",
    "planted-conflict-ignored",
    "planted-dismissed-drops-message",
    "planted-fetched-shown-again",
    "planted-file-before-upload",
    "planted-forgotten-before-answer",
    "planted-former-outbox-kept",
    "planted-former-user-shown",
    "planted-gap-ignored",
    "planted-key-not-kept",
    "planted-keys-forgotten-in-restart",
    "planted-let-go-agent-writes",
    "planted-lock-not-taken",
    "planted-resume-off-by-one",
    "planted-resumed-from-zero",
    "planted-retry-after-ignored",
    "planted-rewind-ignored",
    "planted-short-page-is-the-end",
    "planted-silence-unnoticed",
    "planted-taken-over-out-of-order",
    "planted-transfer-keeps-agent",
    "planted-two-in-flight",
];

/// The first seed that finds a bug, and what it finds.
fn find(bug: &'static str) -> Option<(u64, String)> {
    let next = AtomicU64::new(0);
    let found: Mutex<Option<(u64, String)>> = Mutex::new(None);
    let work = || {
        plant(Some(bug));
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let is_over = found.lock().unwrap().as_ref().is_some_and(|(first, _)| *first < seed);
            if seed >= SEEDS || is_over {
                break;
            }
            let violation = catch_unwind(AssertUnwindSafe(|| run(seed, false)))
                .map_or_else(|_| Some("it panicked".to_owned()), |outcome| outcome.violation);
            if let Some(what) = violation {
                let mut found = found.lock().unwrap();
                if found.as_ref().is_none_or(|(first, _)| seed < *first) {
                    *found = Some((seed, what));
                }
            }
        }
        plant(None);
    };
    std::thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(work))));
    found.into_inner().unwrap()
}

#[test]
fn every_planted_bug_is_found() {
    let mut missed = Vec::new();
    for bug in BUGS {
        let began = Instant::now();
        match find(bug) {
            Some((seed, what)) => {
                println!("{bug}: seed {seed} ({:.1} s): {what}", began.elapsed().as_secs_f64());
            }
            None => {
                println!("{bug}: NOT FOUND by {SEEDS} seeds");
                missed.push(*bug);
            }
        }
    }
    assert_eq!(missed, Vec::<&str>::new(), "the simulation does not find these");
}

#[test]
fn nothing_is_found_where_nothing_is_planted() {
    plant(Some("planted-nothing"));
    for seed in 0..50 {
        assert_eq!(run(seed, false).violation, None, "seed {seed}");
    }
}

//! The standard run: many seeds, each a world of its own, and every kind of fault often enough to mean something.
//!
//! `SPORTELLO_SEED=n cargo test -p simulation --test reliability -- --nocapture` repeats one seed and prints everything that happens;
//! `SPORTELLO_SEEDS=n` runs more of them.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use simulation::{Counts, Fault, Messages, Outcome, Turn, Turns, run};

const STANDARD_SEEDS: u64 = 10_000;
const THREADS: usize = 2;
/// How often each kind of fault must fire in a standard run.
const LEAST_FIRED: u64 = 100;
/// So many wrong seeds are enough to look at.
const ENOUGH: usize = 10;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn run_caught(seed: u64, trace: bool) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| run(seed, trace)))
        .unwrap_or_else(|_| Outcome { violation: Some("it panicked".into()), ..Outcome::default() })
}

#[derive(Default)]
struct Total {
    faults: Counts,
    turns: Turns,
    messages: Messages,
    steps: u64,
    wrong: Vec<(u64, String)>,
}

fn run_many(seeds: u64) -> Total {
    let next = AtomicU64::new(0);
    let work = || {
        let mut total = Total::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds || total.wrong.len() >= ENOUGH {
                return total;
            }
            let outcome = run_caught(seed, false);
            total.faults.add(&outcome.faults);
            total.turns.add(&outcome.turns);
            total.messages.add(outcome.messages);
            total.steps += outcome.steps;
            total.wrong.extend(outcome.violation.map(|what| (seed, what)));
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker catches panics")).fold(
            Total::default(),
            |mut sum, total| {
                sum.faults.add(&total.faults);
                sum.turns.add(&total.turns);
                sum.messages.add(total.messages);
                sum.steps += total.steps;
                sum.wrong.extend(total.wrong);
                sum
            },
        )
    })
}

fn count(wrong: &[(u64, String)], word: &str) -> usize {
    wrong.iter().filter(|(_, what)| what.starts_with(word)).count()
}

#[test]
fn no_message_is_lost_repeated_or_misordered_under_any_fault() {
    if let Some(seed) = number("SPORTELLO_SEED") {
        let outcome = run_caught(seed, true);
        assert_eq!(outcome.violation, None, "seed {seed}");
        return;
    }
    let seeds = number("SPORTELLO_SEEDS").unwrap_or(STANDARD_SEEDS);
    let began = Instant::now();
    let mut total = run_many(seeds);
    total.wrong.sort();
    println!("schedules: {seeds}, steps: {}, {:.1} s", total.steps, began.elapsed().as_secs_f64());
    for fault in Fault::ALL {
        println!("  {:>8}  {}", total.faults.of(*fault), fault.as_str());
    }
    for turn in Turn::ALL {
        println!("  {:>8}  {}", total.turns.of(*turn), turn.as_str());
    }
    let Messages { sent, acknowledged, rejected, shown } = total.messages;
    println!("messages: {sent} sent, {acknowledged} acknowledged, {rejected} given up with an error, {shown} shown");
    let wrong = &total.wrong;
    println!(
        "lost: {}, repeated: {}, misordered: {}, otherwise wrong: {}",
        count(wrong, "lost"),
        count(wrong, "repeated"),
        count(wrong, "misordered"),
        wrong.len() - count(wrong, "lost") - count(wrong, "repeated") - count(wrong, "misordered"),
    );
    for (seed, what) in wrong {
        println!("SPORTELLO_SEED={seed}: {what}");
    }
    assert!(wrong.is_empty(), "{} of {seeds} schedules went wrong", wrong.len());
    if seeds >= STANDARD_SEEDS {
        for fault in Fault::ALL {
            assert!(total.faults.of(*fault) >= LEAST_FIRED, "{} fired too rarely to prove anything", fault.as_str());
        }
        for turn in Turn::ALL {
            assert!(total.turns.of(*turn) >= LEAST_FIRED, "{} too rarely to prove anything", turn.as_str());
        }
    }
}

#[test]
fn a_seed_is_the_same_run_every_time() {
    for seed in 0..20 {
        let (first, second) = (run_caught(seed, false), run_caught(seed, false));
        assert_eq!((first.digest, first.steps), (second.digest, second.steps), "seed {seed}");
    }
}

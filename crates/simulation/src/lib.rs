//! The reliability proof: client engines in many tabs, the gateway's session logic over a simulated disk, and a network between them, in
//! one thread and in virtual time. Everything follows from one seed: the same seed is the same run, step by step.
//!
//! It checks what the product promises after every step (`ledger`), and that everything comes to rest once the faults stop (`rest`). It says
//! nothing about browsers, sockets and SQLite themselves: those have proofs of their own (`docs/reliability.md`).

#![allow(
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a tool of tests: positions are its own, and where one is wrong it should stop"
)]

/// Whether a known bug is at work here, as in the engine.
#[cfg(any(feature = "planted-answer-before-sync", feature = "planted-conflict-ignored"))]
macro_rules! planted {
    ($feature:tt) => {
        cfg!(feature = $feature) && engine::planted::is_planted($feature)
    };
}

#[cfg(not(any(feature = "planted-answer-before-sync", feature = "planted-conflict-ignored")))]
macro_rules! planted {
    ($feature:tt) => {
        false
    };
}

mod agenda;
mod browser;
mod chats;
pub mod disk;
mod document;
mod faults;
mod files;
mod gateway;
mod ledger;
mod life;
mod locks;
mod network;
mod people;
mod random;
mod rest;
mod storm;
mod world;

pub use document::Doc;
pub use faults::{Counts, Fault};
pub use ledger::Messages;
pub use life::{Turn, Turns};
pub use random::Random;
pub use world::Outcome;

#[cfg(feature = "planted")]
pub use engine::planted::plant;

use world::World;

/// How long it storms at most.
const STORM_MS: u64 = 90_000;
/// How long the world has to come to rest: longer than any wait between two tries and any call's patience.
const REST_MS: u64 = 130_000;
/// How often rest is looked for anew: a session may just be renewed.
const LOOKS: u32 = 30;

/// One run. `trace` prints everything that happens.
#[must_use]
pub fn run(seed: u64, trace: bool) -> Outcome {
    let mut world = World::new(seed, trace);
    let storm_ms = world.random.between(20_000, STORM_MS);
    world.run(storm_ms);
    world.calm_down();
    world.run(10_000);
    world.last_words();
    world.run(REST_MS);
    world.words_to_stale_chats();
    world.run(10_000);
    let mut rest = Ok(());
    for _ in 0..LOOKS {
        rest = world.is_at_rest();
        if rest.is_ok() || !world.is_sound() {
            break;
        }
        world.run(500);
    }
    if world.is_sound() {
        if let Err(what) = rest {
            world.wrong(what);
        } else {
            world.check_fates();
        }
    }
    world.outcome()
}

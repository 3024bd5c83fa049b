//! The simulated disk keeps the store's promises, passes the same story as SQLite, and loses in a crash what it may lose and nothing else.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use simulation::disk::SimulatedDisk;
use store::Store;
use store::story::{story, story_of_the_next_process};

#[test]
fn the_simulated_disk_passes_the_story_of_every_store_and_keeps_it_through_a_power_cut() {
    let disk = SimulatedDisk::default();
    disk.drive(story(Arc::new(disk.clone())));
    disk.lose_power();
    disk.drive(story_of_the_next_process(&disk));
    disk.drive(disk.close());
    assert!(disk.drive(disk.meta_or_insert("late", vec![])).is_err());
}

#[test]
fn a_write_that_no_sync_confirmed_is_not_answered_not_read_and_lost_in_a_power_cut() {
    let disk = SimulatedDisk::default();
    {
        let mut write = pin!(disk.register_agent("ada", "Ada", None));
        assert!(write.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(write.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        disk.lose_power();
    }
    assert!(disk.drive(disk.agents()).unwrap().is_empty());
    disk.drive(disk.register_agent("grace", "Grace", None)).unwrap();
    disk.lose_power();
    assert_eq!(disk.drive(disk.agents()).unwrap().len(), 1);
}

//! What a reader that does not read may cost.

#![cfg(target_os = "linux")]

use futures_util::future::join_all;
use reqwest::StatusCode;

use crate::common::within;
use crate::program::Program;

/// Memory of a process, in KiB.
fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_does_not_read_costs_a_cursor_and_not_what_it_misses() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path());
    let uma = program.user("uma").await;
    let chat = uma.chat(4, "open-1").await;
    let mut slow = uma.join(chat, 0).await;
    slow.expect("joined").await;
    let mut slow_events = uma.events(chat, 0).await;
    slow_events.expect("joined").await;
    let long = "x".repeat(16_000);
    let sender = |sender: u32, count: u32| {
        let (uma, long) = (&uma, &long);
        async move {
            for n in 0..count {
                let (status, body) = uma.send(chat, &format!("{sender}-{n}"), long).await;
                assert_eq!(status, StatusCode::CREATED, "{body}");
            }
        }
    };
    // The first ones fill what is always there: caches, the newest messages, buffers of the connection.
    within(join_all((0..16).map(|n| sender(n, 20)))).await;
    let before = resident_kib(program.child.id());
    within(join_all((100..116).map(|n| sender(n, 100)))).await;
    let after = resident_kib(program.child.id());
    let sent_kib = 16 * 100 * 16_000 / 1024;
    assert!(after < before + sent_kib / 3, "{sent_kib} KiB were sent, and memory grew from {before} to {after} KiB");
}

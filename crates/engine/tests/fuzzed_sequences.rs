//! What the fuzzers run, with every test: the cases that were ever found (`tests/fuzzed/found/`, named by target), and many random ones.
//!
//! `SPORTELLO_SEED=n` repeats one random case, `SPORTELLO_SEEDS=n` runs more of them.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod fuzzed;

use std::path::Path;

/// The bytes of a seed: as long as a fuzzer's, and the same everywhere.
fn bytes_of(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z ^ (z >> 27)
    };
    let length = 16 + next() % 1500;
    (0..length).map(|_| (next() >> 11) as u8).collect()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn run_all(target: &str, run: fn(&[u8])) {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzzed/found").join(target);
    let mut cases = 0;
    for entry in std::fs::read_dir(found).into_iter().flatten() {
        let path = entry.expect("a listed file").path();
        println!("{}", path.display());
        run(&std::fs::read(path).expect("a found case"));
        cases += 1;
    }
    let seeds = number("SPORTELLO_SEED").map_or(0..number("SPORTELLO_SEEDS").unwrap_or(1_500), |seed| seed..seed + 1);
    for seed in seeds.clone() {
        println!("seed {seed}");
        run(&bytes_of(seed));
    }
    println!("{target}: {cases} found cases, {} random ones", seeds.end - seeds.start);
}

#[test]
fn the_client_keeps_its_promises_in_any_sequence() {
    run_all("client", fuzzed::client::run);
}

#[test]
fn the_session_of_a_chat_keeps_its_promises_in_any_sequence() {
    run_all("gateway", fuzzed::gateway::run);
}

#[test]
fn whatever_arrives_is_read_or_refused() {
    run_all("decoding", fuzzed::decoding::run);
    // Random bytes are hardly ever JSON: here is some that is nearly right, with each byte changed once.
    let nearly = [
        r#"{"type":"join","token":"t","chat_id":7,"cursor":0}"#,
        r#"{"type":"update","messages":[{"$index":1,"$sid":"m","$timestamp":1,"$userType":"agent","$userId":1,"signature":"s","type":"text"}]}"#,
        r#"{"client_id":"c","menu_id":1,"chat":{"lang":"en"}}"#,
        r#"{"error":{"code":"x","message":"m","retry_after_ms":1}}"#,
    ];
    for text in nearly {
        for position in 0..text.len() {
            for byte in [b'"', b'{', b'}', b'0', b'-', b'e', b'\\', 0, 0xFF] {
                let mut bytes = text.as_bytes().to_vec();
                bytes[position] = byte;
                fuzzed::decoding::run(&bytes);
            }
        }
    }
}

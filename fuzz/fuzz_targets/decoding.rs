#![no_main]

#[path = "../../crates/engine/tests/fuzzed/mod.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::decoding::run(bytes));

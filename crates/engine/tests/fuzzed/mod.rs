//! What the fuzzers run: bytes become a sequence of operations on an engine, and what must always hold is checked after each. Bytes never
//! fail by themselves; only the engine can.
//!
//! `cargo xtask fuzz` lets libFuzzer look for bytes (`fuzz/`); `tests/fuzzed_sequences.rs` runs the cases that were ever found and many random
//! ones with every test.

pub(crate) mod client;
pub(crate) mod decoding;
pub(crate) mod gateway;

/// Reads choices from bytes; zeros where they are used up.
pub(crate) struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Choices(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        u64::from(self.byte()) % limit
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number that is mostly small and sometimes at the end of what fits.
    pub(crate) fn number(&mut self) -> u64 {
        match self.byte() {
            small @ 0..=199 => u64::from(small % 12),
            200..=239 => u64::from(self.byte()) * 1_000,
            240..=247 => (1 << 53) - 1 + u64::from(self.byte() % 3),
            248..=251 => i64::MAX as u64,
            252..=255 => u64::MAX,
        }
    }

    pub(crate) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    /// Some raw bytes as text.
    pub(crate) fn text(&mut self) -> String {
        let length = usize::from(self.byte() % 24).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }
}

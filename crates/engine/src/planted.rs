//! Known bugs, planted at their sites by `planted!` so that the simulation can show that it finds them (`docs/reliability.md`). Each has a
//! cargo feature; what is compiled in does nothing until a thread plants it. No build without debug assertions can contain one.

use std::cell::Cell;

#[cfg(not(debug_assertions))]
compile_error!("planted bugs are for tests: no release build may contain one");

thread_local! {
    static PLANTED: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// From now on this bug, and no other, is at work in this thread.
pub fn plant(bug: Option<&'static str>) {
    PLANTED.set(bug);
}

/// Whether this bug is at work in this thread.
#[must_use]
pub fn is_planted(bug: &str) -> bool {
    PLANTED.get() == Some(bug)
}

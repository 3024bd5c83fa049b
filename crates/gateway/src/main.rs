//! The gateway as a program; everything is in the library.

use std::process::ExitCode;

/// Thousands of streams come and go on all threads. The C library's allocator keeps for each thread what it let go: with it, the soak's gateway grew by a
/// megabyte for every 2,000 clients that vanished, and by nothing with one arena or with this one (`docs/reliability.md`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    gateway::cli::main()
}

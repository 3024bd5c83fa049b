//! The exported `Client` in a real browser, without the JavaScript facade, against a gateway inside the page
//! (`support/fake-gateway.js`). `tests/README.md` lists the cases and what each guards against.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
#![cfg(target_arch = "wasm32")]

mod aborting;
mod calls;
mod chat;
mod errors;
mod files;
mod forms;
mod identity;
mod listeners;
mod messages;
mod more;
mod presence;
mod property;
mod storage;
mod stream;
mod support;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

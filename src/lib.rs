//! The Sportello client for browsers: the sans-IO engine of `crates/engine`, driven by browser ports and exported to JavaScript.
//!
//! - `web` holds every touch with the browser: HTTP, the event stream, storage, timers, page events. It decides nothing.
//! - `pump` drives the engine: one input in, all outputs carried out, never a call into JavaScript while the engine is borrowed.
//! - `binding` is what JavaScript sees. It converts and refuses malformed arguments; behaviour lives in the engine.
//!
//! The JavaScript facade of the npm package only adds the loading of this module. These exports fulfil the contract without it.

pub mod binding;
mod pump;
mod web;

/// 2 kB less to download than the standard allocator.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

pub use binding::{Chat, Client, set_log_handler};
pub use web::chunks::set_chunks;

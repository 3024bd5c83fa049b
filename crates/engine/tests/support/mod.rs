//! What the engine's tests share.

#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod driver;
pub(crate) mod world;

//! The gateway as its clients meet it: over HTTP and WebSocket, on port 0.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;

mod access;
mod bad_input;
mod calls;
mod command_line;
mod custom_data;
mod desk;
mod durability;
mod end_user_events;
mod escalation;
mod events;
mod forms;
mod hardship;
mod history;
mod life_cycle;
mod limits;
mod mail;
mod media;
mod memory;
mod menus;
mod openapi;
mod pages;
mod payloads;
mod post_session;
mod program;
mod redaction;
mod screen_share;
mod story;
mod streams;
mod survey;
mod transcripts;
mod triggers;

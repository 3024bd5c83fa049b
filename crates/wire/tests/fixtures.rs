//! Reads the examples in `tests/fixtures`, one of every frame and body: each fits its type and is written again as it was read. That the package's
//! declarations fit the same examples is checked in `tests/types`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
#![cfg(feature = "serde")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use wire::rest::*;
use wire::stream::{ClientFrame, ScreenFrame, ServerFrame, ViewerFrame};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

fn read(file: &str) -> Value {
    let text = fs::read_to_string(folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn round_trip<T: Serialize + DeserializeOwned>(file: &str) {
    let example = read(file);
    let value: T = serde_json::from_value(example.clone()).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(serde_json::to_value(value).unwrap(), example, "{file} is written as it was read");
}

/// The check of each type that has an example, by the type's name.
macro_rules! checks {
    ($($name:ident)+) => {
        const CHECKS: &[(&str, fn(&str))] = &[$((stringify!($name), round_trip::<$name>)),+];
    };
}

checks! {
    AfterHoursMessage Call CallPatch CreateCallRequest TimeSlotAvailability TimeSlots ChatBody ChatDeflection ChatHistory ChatPatch ChatSurvey CheckInRequest ClientFrame Company CreateChatRequest Email
    EmailRequest EndUserEvent ErrorBody EscalateRequest Escalation EscalationPatch FileTypes FormDefinition FormSubmission Menus MessagesBody
    OngoingChatBody PostSessionRequest PreviewRequest RateRequest RejoinRequest ResumeRequest SendRequest SendResponse ServerFrame SessionRequest SessionResponse
    SurveySubmission TranscriptMailRequest TranscriptRequest TranscriptResponse TranscriptStatus TypingRequest UploadRequest UploadResponse
    VisibilityRequest WaitTimes
    ShareAskRequest ShareBody ShareJoinRequest SharePatch ShareRecorded ShareRequest ShareResponse ShareSignals ViewerFrame ScreenFrame
    FeatureFlags TriggerRun TriggerRunRequest Triggers
}

/// The examples with their types' names.
fn index() -> Vec<(String, String)> {
    let index = read("index.json");
    let entries = index.as_object().expect("an object").iter();
    entries.map(|(file, entry)| (file.clone(), entry["rust"].as_str().expect("a type").to_owned())).collect()
}

#[test]
fn every_example_fits_its_type_and_is_written_as_it_was_read() {
    for (file, name) in index() {
        let check = CHECKS.iter().find(|(other, _)| *other == name);
        let (_, check) = check.unwrap_or_else(|| panic!("{file}: add {name} to the checks of this test"));
        check(&file);
    }
}

#[test]
fn every_example_is_in_the_index() {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<String> = files.filter(|file| file != "index.json").collect();
    assert_eq!(files, index().into_iter().map(|(file, _)| file).collect());
}

#[test]
fn every_body_has_an_example_of_its_own_or_is_part_of_another() {
    let source = include_str!("../src/rest.rs");
    let names: BTreeSet<String> = index().into_iter().map(|(_, name)| name).collect();
    for line in source.lines().filter_map(|line| line.strip_prefix("pub struct ")) {
        let name = line.split(|letter: char| !letter.is_alphanumeric()).next().unwrap();
        let is_part = [format!(": {name},"), format!("<{name}>")].iter().any(|part| source.contains(part.as_str()));
        assert!(
            is_part || names.contains(name),
            "{name} needs an example: a file in tests/fixtures and a line in its index.json"
        );
    }
}

fn snake_case(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    let rest = rest.chars().flat_map(|letter| letter.is_ascii_uppercase().then_some('_').into_iter().chain([letter]));
    format!("{first}{}", rest.collect::<String>()).to_lowercase()
}

#[test]
fn every_frame_has_an_example() {
    let mut shown = BTreeSet::new();
    for (file, name) in index().into_iter().filter(|(_, name)| name.ends_with("Frame")) {
        shown.insert(format!("{name} {}", read(&file)["type"].as_str().unwrap()));
    }
    let mut side = "";
    for line in include_str!("../src/stream.rs").lines() {
        if let Some(name) = line.strip_prefix("pub enum ") {
            side = name.trim_end_matches(" {");
        }
        let variant =
            line.strip_prefix("    ").filter(|rest| rest.starts_with(|letter: char| letter.is_ascii_uppercase()));
        let Some(variant) = variant.map(|rest| snake_case(rest.trim_end_matches([' ', '{', ',']))) else { continue };
        let needed = format!("{side} {variant}");
        assert!(
            variant == "unknown" || shown.contains(&needed),
            "{needed} needs an example: a file in tests/fixtures and a line in its index.json"
        );
    }
}

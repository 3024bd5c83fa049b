//! The client and the gateway's chat session together, in virtual time: a quiet story, and the same under faults for many seeds.
//!
//! `SPORTELLO_SEED=n cargo test -p engine --test pair` repeats one seed; `SPORTELLO_SEEDS=n` runs more of them.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use engine::client::Call;
use engine::gateway::{Author, Command, Status};
use serde_json::json;
use support::world::{AGENT, Counts, END_USER, Faults, World, said_by};

fn create(world: &mut World) {
    world.call("create", Call::CreateChat { menu_id: 1, chat: None });
}

fn agent_says(world: &mut World, number: u64) {
    let body = json!({"type": "text", "content": format!("agent {number}")});
    world.agent(Command::Send { client_id: format!("a{number}"), body });
}

#[test]
fn a_customer_talks_to_the_virtual_agent_then_to_a_person_until_the_end() {
    let mut world = World::new(1, Faults::default());
    create(&mut world);
    world.run(1000);
    world.say("hi");
    world.run(1000);
    world.say("agent");
    world.run(1000);
    assert_eq!(world.status(), Some(Status::Queued));
    world.agent(Command::Accept);
    world.run(1000);
    agent_says(&mut world, 1);
    world.run(1000);
    world.call("finish", Call::FinishChat);
    world.run(1000);

    let words: Vec<&str> =
        world.events.iter().map(String::as_str).filter(|event| !event.starts_with("connection")).collect();
    assert_eq!(
        words,
        [
            "authenticated",
            "ready",
            "done create",
            "chat.updated",
            "chat.connected",
            "message 1",
            "unread 1",
            "message 2",
            "message 3",
            "unread 2",
            "chat.updated",
            "message 4",
            "message 5",
            "chat.updated",
            "left virtual_agent_9",
            "message 6",
            "chat.updated",
            "joined agent_1",
            "message 7",
            "unread 3",
            "chat.updated",
            "chat.updated",
            "left agent_1",
            "done finish",
            "message 8",
            "chat.ended",
            "chat.disconnected",
        ]
    );
    assert_eq!(world.acknowledged, [("hi".to_owned(), 2), ("agent".to_owned(), 4)]);
}

/// One conversation under faults; checks what must hold at its end, and gives what went wrong on the way.
fn conversation(seed: u64) -> Counts {
    let faults = Faults { lost_request: 8, lost_answer: 8, cut_stream: 10, crash: 60, failed_commit: 12 };
    let mut world = World::new(seed, faults);
    create(&mut world);
    world.run(3_000);
    // The creation itself may be lost: the application tries again until there is a chat, as a person would.
    while !world.events.iter().any(|event| event == "done create" || event == "done load") {
        if world.status().is_some() {
            world.call("load", Call::LoadOngoingChat);
        } else {
            create(&mut world);
        }
        world.run(3_000);
    }
    let mut said = Vec::new();
    for number in 0..12 {
        let content = if number == 4 { "agent".to_owned() } else { format!("customer {number}") };
        world.say(&content);
        said.push(content);
        if world.status() == Some(Status::Queued) {
            world.agent(Command::Accept);
        }
        agent_says(&mut world, number);
        let pause_ms = world.random.below(400);
        world.run(pause_ms);
    }
    // The network heals: everything must come to rest.
    world.faults = Faults::default();
    world.run(60_000);

    let given_up: Vec<_> = world.rejected.iter().filter(|(name, _)| name != "create" && name != "load").collect();
    assert!(given_up.is_empty(), "no message was given up: {given_up:?}");
    assert_eq!(
        said_by(world.stored(), Author::EndUser(END_USER)),
        said,
        "each message is stored once, in the order of sending"
    );
    assert_eq!(world.acknowledged.len(), said.len(), "each send was acknowledged");
    for (content, index) in &world.acknowledged {
        let stored = &world.stored()[*index as usize - 1];
        assert_eq!(
            stored.body["content"],
            json!(content),
            "an acknowledged message is stored under the index that was told"
        );
    }
    let agent_said = said_by(world.stored(), Author::Agent(AGENT));
    let mut once = agent_said.clone();
    once.dedup();
    assert_eq!(agent_said, once);
    let stored = world.stored().len() as u64;
    let first_shown = world.emitted.first().map_or(stored, |(index, _)| *index);
    let last_shown = world.emitted.last().map_or(0, |(index, _)| *index);
    assert!(last_shown == stored || first_shown > stored, "listeners saw everything up to the newest message");
    assert!(
        world.messages_of_client().len() as u64 >= last_shown.saturating_sub(first_shown) + u64::from(last_shown > 0)
    );
    world.counts
}

#[test]
fn under_faults_no_message_is_lost_repeated_or_out_of_order() {
    let one = std::env::var("SPORTELLO_SEED").ok().and_then(|seed| seed.parse::<u64>().ok());
    let many = std::env::var("SPORTELLO_SEEDS").ok().and_then(|seeds| seeds.parse::<u64>().ok()).unwrap_or(300);
    let seeds = one.map_or(0..many, |seed| seed..seed + 1);
    let mut total = Counts::default();
    for seed in seeds.clone() {
        println!("seed {seed}");
        let counts = conversation(seed);
        total.lost_requests += counts.lost_requests;
        total.lost_answers += counts.lost_answers;
        total.cut_streams += counts.cut_streams;
        total.crashes += counts.crashes;
        total.failed_commits += counts.failed_commits;
    }
    println!("{seeds:?}: {total:?}");
    if one.is_none() {
        let fired = [total.lost_requests, total.lost_answers, total.cut_streams, total.crashes, total.failed_commits];
        assert!(fired.iter().all(|count| *count >= 100), "each kind of fault must have happened often: {total:?}");
    }
}

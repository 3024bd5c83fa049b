//! Pages of one end user that share their stored outbox: who sends what another page left behind, and that nobody waits long for it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use engine::client::{Input, Output};
use serde_json::json;
use support::driver::Driver;

const POST: &str = "/api/v1/chats/7/messages";

/// What a page leaves behind that wrote these messages and was closed.
fn left_behind(contents: &[&str]) -> (String, Vec<(String, String)>) {
    let mut page = Driver::in_chat(7);
    for (op, content) in contents.iter().enumerate() {
        page.send(op as u32, content);
    }
    (page.page_id(), page.stored())
}

fn content(driver: &mut Driver) -> Option<String> {
    let post = driver.find_request(POST)?;
    let content = post.body.unwrap()["message"]["content"].as_str().unwrap().to_owned();
    driver.answer(post.id, 201, json!({"index": 1}));
    Some(content)
}

#[test]
fn what_a_page_wrote_goes_out_without_waiting_for_a_lock() {
    let mut driver = Driver::in_chat(7);
    driver.lock_is_taken = true;
    driver.send(1, "hello");
    assert_eq!(content(&mut driver).as_deref(), Some("hello"));
    assert_eq!(driver.count(|output| matches!(output, Output::Lock { .. })), 0);
}

#[test]
fn what_a_gone_page_left_is_sent_under_the_lock_and_before_what_is_written_now() {
    let (_, left) = left_behind(&["first", "second"]);
    let mut driver = Driver::new();
    driver.lock_is_taken = true;
    driver.feed(Input::Start);
    driver.loaded(&[]);
    driver.storage(&left);
    driver.grant("s", 5);
    driver.create_chat(7);
    driver.send(1, "third");
    assert_eq!(content(&mut driver), None, "it waits for its turn");
    driver.feed(Input::Locked { pages: Some(vec!["someone".into()]) });
    for expected in ["first", "second", "third"] {
        assert_eq!(content(&mut driver).as_deref(), Some(expected));
    }
    assert_eq!(driver.count(|output| matches!(output, Output::Unlock)), 1, "the lock is let go when all is sent");
}

#[test]
fn what_a_living_page_has_is_left_to_it() {
    let (page, left) = left_behind(&["hers"]);
    let mut driver = Driver::new();
    driver.pages = Some(vec![page]);
    driver.feed(Input::Start);
    driver.loaded(&[]);
    driver.storage(&left);
    driver.grant("s", 5);
    driver.create_chat(7);
    driver.send(1, "mine");
    assert_eq!(content(&mut driver).as_deref(), Some("mine"));
    assert_eq!(content(&mut driver), None);
    driver.wait(4_000);
    assert_eq!(content(&mut driver), None);
    driver.pages = Some(Vec::new());
    driver.wait(8_000);
    assert_eq!(content(&mut driver).as_deref(), Some("hers"), "the other page is gone: somebody looks again");
}

#[test]
fn what_a_living_page_does_not_get_rid_of_for_long_is_taken_over() {
    let (page, left) = left_behind(&["frozen"]);
    let mut driver = Driver::new();
    driver.pages = Some(vec![page]);
    driver.feed(Input::Start);
    driver.loaded(&[]);
    driver.storage(&left);
    driver.grant("s", 5);
    driver.wait(60_000);
    assert_eq!(content(&mut driver).as_deref(), Some("frozen"));
}

#[test]
fn nobody_waits_long_for_a_page_that_keeps_the_lock() {
    let mut driver = Driver::in_chat(7);
    driver.lock_is_taken = true;
    driver.send(1, "old");
    let post = driver.take_request(POST);
    driver.no_answer(post.id);
    for _ in 0..3 {
        if let Some(post) = driver.find_request(POST) {
            driver.no_answer(post.id);
        }
        driver.wait(5_000);
    }
    assert!(driver.count(|output| matches!(output, Output::Lock { .. })) > 0, "an old message needs the lock");
    driver.wait(5_000);
    assert!(driver.find_request(POST).is_some(), "it goes out all the same");
}

#[test]
fn a_page_waits_for_whoever_has_the_lock_and_gets_on() {
    let mut page = Driver::in_chat(7);
    for (op, content) in ["first", "second", "third"].into_iter().enumerate() {
        page.send(op as u32, content);
        page.wait(1);
    }
    let left = page.stored();
    let mut driver = Driver::new();
    driver.lock_is_taken = true;
    driver.feed(Input::Start);
    driver.loaded(&[]);
    driver.storage(&left);
    driver.grant("s", 5);
    driver.create_chat(7);
    driver.send(1, "mine");
    for (key, _) in &left[..2] {
        driver.forget_stored(key);
        driver.wait(2_100);
        assert_eq!(content(&mut driver), None, "whoever has the lock gets on");
    }
    driver.wait(2_100);
    assert_eq!(content(&mut driver).as_deref(), Some("mine"), "it does not get on any more");
}

#[test]
fn a_lock_that_comes_too_late_is_given_back() {
    let mut driver = Driver::in_chat(7);
    driver.feed(Input::Locked { pages: None });
    assert_eq!(driver.count(|output| matches!(output, Output::Unlock)), 1);
}

#[test]
fn without_locks_a_new_page_takes_up_everything_and_a_running_one_nothing_fresh() {
    let (page, left) = left_behind(&["left"]);
    let mut driver = Driver::new();
    driver.pages = None;
    driver.feed(Input::Start);
    driver.loaded(&[]);
    driver.storage(&left);
    driver.grant("s", 5);
    assert_eq!(content(&mut driver).as_deref(), Some("left"));
    let fresh = left
        .iter()
        .map(|(key, value)| (key.replace(&format!("|{page}|"), "|other|x"), value.clone()))
        .collect::<Vec<_>>();
    driver.storage(&fresh);
    driver.feed(Input::Wake);
    assert_eq!(content(&mut driver), None);
}

#[test]
fn looking_again_becomes_rare_while_nothing_changes() {
    let (page, left) = left_behind(&["hers"]);
    let mut driver = Driver::new();
    driver.pages = Some(vec![page]);
    driver.feed(Input::Start);
    driver.loaded(&[]);
    // Far younger than now, so that it is never old enough to be taken over.
    driver.storage(&[(left[0].0.replace("00000001", "90000001"), left[0].1.clone())]);
    driver.grant("s", 5);
    driver.wait(3_600_000);
    let looks = driver.count(|output| matches!(output, Output::Lock { .. }));
    assert!((5..=130).contains(&looks), "{looks} looks in an hour");
}

#[test]
fn what_a_page_leaves_later_is_found_without_any_other_reason_to_look() {
    let (_, left) = left_behind(&["left later"]);
    let mut driver = Driver::in_chat(7);
    driver.storage(&left);
    driver.wait(1_000);
    assert_eq!(content(&mut driver), None);
    driver.keep_stream_alive(40_000);
    assert_eq!(content(&mut driver).as_deref(), Some("left later"));
}

//! Files in the outbox: a place is asked for, the file is uploaded, and only then its message is sent; nothing overtakes it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use engine::client::{Call, Error, Input, Output, Settled};
use serde_json::{Value, json};
use support::driver::Driver;
use wire::ErrorCode;

const RESERVE: &str = "/api/v1/chats/7/uploads";
const POST: &str = "/api/v1/chats/7/messages";

fn send_photo(driver: &mut Driver, op: u32) {
    let message = json!({"type": "photo", "$file": {"name": "cat.jpg", "content_type": "image/jpeg", "size": 9}});
    let call = Call::Send { chat_id: None, message, file: Some(json!("bytes of a cat")) };
    driver.feed(Input::Call { op, call });
}

/// The gateway gives the file a place; gives the upload that is asked for.
fn reserve(driver: &mut Driver) -> (String, Option<Value>) {
    let request = driver.take_request(RESERVE);
    let body = request.body.clone().unwrap();
    assert_eq!(body["type"], "photo");
    assert_eq!(
        (&body["name"], &body["content_type"], &body["size"]),
        (&json!("cat.jpg"), &json!("image/jpeg"), &json!(9))
    );
    driver.answer(request.id, 201, json!({"media_id": 40, "upload": {"url": "/u", "fields": {"key": "k"}}}));
    upload(driver)
}

fn upload(driver: &mut Driver) -> (String, Option<Value>) {
    let mut uploads = driver.take(|output| match output {
        Output::Upload { client_id, file, form, .. } => {
            assert_eq!(form["fields"]["key"], "k");
            Some((client_id.clone(), file.clone()))
        }
        _ => None,
    });
    uploads.pop().expect("no upload was asked for")
}

fn done(driver: &mut Driver, client_id: &str, result: Result<(), ErrorCode>) {
    let result = result.map_err(|code| Error::new(code, ""));
    driver.feed(Input::Uploaded { client_id: client_id.to_owned(), result });
}

#[test]
fn a_file_is_uploaded_before_its_message_and_the_next_message_waits() {
    let mut driver = Driver::in_chat(7);
    send_photo(&mut driver, 1);
    driver.send(2, "look at that");
    assert_eq!(driver.count(|output| matches!(output, Output::KeepFile { .. })), 1);
    let (client_id, file) = reserve(&mut driver);
    assert_eq!(file, Some(json!("bytes of a cat")));
    assert!(driver.find_request(POST).is_none(), "the message waits for its file");
    done(&mut driver, &client_id, Ok(()));
    let post = driver.take_request(POST);
    assert_eq!(post.body, Some(json!({"client_id": client_id, "message": {"type": "photo", "media_id": 40}})));
    driver.answer(post.id, 201, json!({"index": 1}));
    assert!(matches!(driver.settled(1), Some(Ok(Settled::Sent { index: 1, .. }))));
    assert_eq!(driver.forgotten().len(), 1);
    assert_eq!(driver.take_request(POST).body.unwrap()["message"]["content"], "look at that");
}

#[test]
fn a_failed_upload_is_tried_again_under_the_same_key() {
    let mut driver = Driver::in_chat(7);
    send_photo(&mut driver, 1);
    let (first, _) = reserve(&mut driver);
    done(&mut driver, &first, Err(ErrorCode::Network));
    driver.wait(10);
    let (second, file) = reserve(&mut driver);
    assert_eq!(second, first);
    assert_eq!(file, Some(json!("bytes of a cat")), "the page still has the file");
}

#[test]
fn a_place_that_something_in_between_answered_for_is_asked_for_again() {
    let mut driver = Driver::in_chat(7);
    send_photo(&mut driver, 1);
    let request = driver.take_request(RESERVE);
    driver.answer(request.id, 200, json!("<html>"));
    assert!(driver.settled(1).is_none());
    let (client_id, _) = reserve(&mut driver);
    assert_eq!(request.body.unwrap()["client_id"], json!(client_id));
}

#[test]
fn a_file_that_the_gateway_already_has_is_not_uploaded_again() {
    let mut driver = Driver::in_chat(7);
    send_photo(&mut driver, 1);
    let request = driver.take_request(RESERVE);
    driver.answer(request.id, 200, json!({"media_id": 41, "upload": null}));
    assert_eq!(driver.take_request(POST).body.unwrap()["message"]["media_id"], 41);
}

#[test]
fn a_later_page_uploads_what_was_kept_and_says_so_where_it_is_lost() {
    for lost in [false, true] {
        let mut first = Driver::in_chat(7);
        send_photo(&mut first, 1);
        let mut second = Driver::ready_with(&first.stored());
        let (client_id, file) = reserve(&mut second);
        assert_eq!(file, None, "only storage may have it");
        if lost {
            done(&mut second, &client_id, Err(ErrorCode::FileLost));
            let failed = second.deliveries();
            assert_eq!(failed.last().map(String::as_str), Some("failed file_lost"));
            assert!(second.find_request(POST).is_none());
            assert_eq!(second.forgotten().len(), 1);
        } else {
            done(&mut second, &client_id, Ok(()));
            second.take_request(POST);
        }
    }
}

#[test]
fn an_abandoned_upload_is_cancelled_and_forgotten() {
    let mut driver = Driver::in_chat(7);
    send_photo(&mut driver, 1);
    reserve(&mut driver);
    driver.feed(Input::Abort { op: 1 });
    assert_eq!(driver.count(|output| matches!(output, Output::CancelUpload { .. })), 1);
    assert_eq!(driver.rejection(1).code, ErrorCode::Aborted);
    assert_eq!(driver.forgotten().len(), 1);
}

#[test]
fn a_refused_file_ends_its_message_and_not_the_next() {
    let mut driver = Driver::in_chat(7);
    send_photo(&mut driver, 1);
    driver.send(2, "after");
    let request = driver.take_request(RESERVE);
    driver.refuse(request.id, 413, "too_large");
    assert!(matches!(driver.settled(1), Some(Ok(Settled::NotSent))));
    assert_eq!(driver.events(), ["error too_large"]);
    assert_eq!(driver.take_request(POST).body.unwrap()["message"]["content"], "after");
}

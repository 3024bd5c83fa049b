//! Files of messages: uploaded before their message, kept over a reload, and failing as the contract says.

use js_sys::{Array, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::*;

fn picture() -> JsValue {
    let class: js_sys::Function = get(&js_sys::global(), "File").unchecked_into();
    let options = js_sys::Object::new();
    set(&options, "type", "image/png");
    let parts = Array::of1(&JsValue::from_str("nine byte"));
    Reflect::construct(&class, &Array::of3(&parts.into(), &JsValue::from_str("a.png"), &options)).unwrap()
}

fn words(log: &Array) -> String {
    log.join("|").into()
}

#[wasm_bindgen_test]
async fn a_file_is_uploaded_and_its_message_names_it() {
    let (gateway, origin) = gateway();
    let log = offer_chunks(false);
    let (client, recorder) = in_chat(&origin).await;
    let heard = Array::new();
    let options = js_sys::Object::new();
    let hear =
        js_sys::Function::new_with_args("progress", "this.push(progress); throw new Error('page')").bind0(&heard);
    set(&options, "onProgress", hear);
    let page_errors = count_page_errors();
    let index = value(client.send_file_message(&picture(), &options)).await;
    page_errors.stop();
    assert_eq!(page_errors.count(), 2, "a listener that throws is reported and hurts nobody");
    assert_eq!(in_json(&heard), in_json(&recorder.all("chat.uploadProgress").iter().collect::<Array>()));
    let last = heard.get(1);
    assert_eq!((get(&last, "sentBytes"), get(&last, "totalBytes")), (9.into(), 9.into()));
    assert_eq!(text(&last, "clientId"), text(&recorder.all("chat.delivery")[0], "clientId"));
    assert_eq!(index.as_f64(), Some(1.0));
    assert_eq!(words(&log), format!("keep|upload {origin}/form k 9"), "the form is posted to the gateway");
    turn().await;
    assert!(words(&log).ends_with("|forget"));
    let body = gateway.bodies().iter().last().unwrap();
    assert_eq!(
        (text(&body, "type"), text(&body, "name"), text(&body, "content_type")),
        ("photo".into(), "a.png".into(), "image/png".into())
    );
    let message = recorder.wait_for("chat.message", 1).await;
    assert_eq!(get(&message, "media_id").as_f64(), Some(40.0));
    assert!(stored_keys(&origin, "outbox").is_empty());
    client.close();
}

#[wasm_bindgen_test]
async fn a_file_that_cannot_be_sent_gives_the_failure_value_and_an_error_event() {
    let (_gateway, origin) = gateway();
    offer_chunks(true);
    let (client, recorder) = in_chat(&origin).await;
    let index = value(client.send_file_message(&picture(), &NONE)).await;
    assert_eq!(index.as_f64(), Some(-1.0));
    assert_eq!(recorder.errors(), ["file_lost"]);
    assert_eq!(code(client.send_file_message(&JsValue::from_str("no file"), &NONE)).await, "invalid_argument");
    client.close();
}

#[wasm_bindgen_test]
async fn a_file_survives_the_reload_of_its_page() {
    let (gateway, origin) = gateway();
    let log = offer_chunks(false);
    let (client, _recorder) = in_chat(&origin).await;
    gateway.go_down();
    let waiting = client.send_file_message(&picture(), &NONE);
    turn().await;
    client.close();
    assert_eq!(code(waiting).await, "closed");
    gateway.come_up();
    let later = crate::support::client(&origin);
    let recorder = Recorder::of(&later);
    value(later.load_ongoing_chat(&NONE)).await;
    let message = recorder.wait_for("chat.message", 1).await;
    assert_eq!(get(&message, "media_id").as_f64(), Some(40.0));
    turn().await;
    assert_eq!(words(&log), format!("keep|upload {origin}/form k 9|forget"));
    later.close();
}

#[wasm_bindgen_test]
async fn the_kind_of_a_file_follows_its_type() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let (client, _recorder) = in_chat(&origin).await;
    for (content_type, kind) in [
        ("image/webp", "photo"),
        ("video/mp4", "video"),
        ("audio/mpeg", "audio"),
        ("application/pdf", "document"),
        ("", "document"),
    ] {
        let file = js_sys::Function::new_with_args("type", "return new File(['x'], 'a', { type })");
        let file = file.call1(&NONE, &content_type.into()).unwrap();
        value(client.send_file_message(&file, &NONE)).await;
        assert_eq!(text(&gateway.messages().iter().last().unwrap(), "type"), kind, "{content_type}");
    }
    client.close();
}

#[wasm_bindgen_test]
async fn an_upload_is_cancelled_by_its_signal() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let chunks = offered_chunks();
    let waits = "return this().then((files) => ({ ...files, upload: (url, fields, key, file, ms, signal) => \
        new Promise((resolve) => signal.addEventListener('abort', () => { globalThis.uploadAborted = true; resolve(0); })) }))";
    set(&chunks, "files", js_sys::Function::new_no_args(waits).bind0(&get(&chunks, "files")));
    let (client, recorder) = in_chat(&origin).await;
    let controller = web_sys::AbortController::new().unwrap();
    let options = js_sys::Object::new();
    set(&options, "signal", controller.signal());
    let sending = client.send_file_message(&picture(), &options);
    while gateway.count_requests("POST /api/v1/chats/7/uploads") == 0 {
        turn().await;
    }
    turn().await;
    turn().await;
    controller.abort();
    assert_eq!(code(sending).await, "aborted");
    assert_eq!(get(&js_sys::global(), "uploadAborted"), JsValue::TRUE);
    assert_eq!(gateway.messages().length(), 0);
    assert_eq!(client.outbox().length(), 0);
    value(send(&client, "the next goes on")).await;
    assert!(recorder.errors().is_empty(), "its caller knows");
    client.close();
}

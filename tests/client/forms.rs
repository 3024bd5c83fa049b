//! Forms: custom ones by data, browser forms in a frame that is believed only where it is the frame and knows the signature.

use js_sys::Object;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::*;

const CUSTOM: &str =
    r#"{"type":"form","signature":"s","form":{"id":1,"form_type":"custom_form","name":"details","smart_action_id":2}}"#;

#[wasm_bindgen_test]
async fn a_custom_form_is_read_and_its_answers_are_sent() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let (client, _recorder) = in_chat(&origin).await;
    let message = json(CUSTOM);
    let form = value(client.ask("getForm", &[&message], &NONE)).await;
    assert_eq!(text(&form, "title"), "Details (null)");
    let answers = json(r#"[{"question_id":1,"value":"x"}]"#);
    let index = value(client.ask("submitForm", &[&message, &answers], &NONE)).await;
    assert_eq!(index, 3);
    let body = gateway.bodies().iter().last().unwrap();
    assert_eq!(in_json(&get(&body, "form_response")), r#"[{"question_id":1,"value":"x"}]"#);
    assert_eq!(text(&body, "client_id").len(), 32);
    client.close();
}

#[wasm_bindgen_test]
async fn the_same_answers_after_a_lost_answer_are_the_same_submission() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let (client, _recorder) = in_chat(&origin).await;
    let submit = |answers: &str| client.ask("submitForm", &[&json(CUSTOM), &json(answers)], &NONE);
    let key = || text(&gateway.bodies().iter().last().unwrap(), "client_id");
    let refused = rejection(submit("[]")).await;
    assert_eq!(in_json(&get(&refused, "fields")), r#"[{"question_id":1,"problem":"missing"}]"#);
    let first = key();
    let _ = outcome(submit("[]")).await;
    assert_eq!(key(), first);
    value(submit(r#"[{"question_id":1,"value":"x"}]"#)).await;
    let second = key();
    assert_ne!(second, first, "other answers");
    value(submit(r#"[{"question_id":1,"value":"x"}]"#)).await;
    assert_ne!(key(), second, "what was stored is over");
    client.close();
}

#[wasm_bindgen_test]
async fn what_is_no_form_or_no_answer_is_refused() {
    let (_gateway, origin) = gateway();
    offer_chunks(false);
    let (client, _recorder) = in_chat(&origin).await;
    let frame = frame();
    for message in [
        "null",
        "7",
        "[]",
        "{}",
        r#"{"type":"form"}"#,
        r#"{"type":"form","form":{"smart_action_id":"2"}}"#,
        r#"{"type":"text","form":{"smart_action_id":2}}"#,
    ] {
        let message = json(message);
        assert_eq!(code(client.ask("getForm", &[&message], &NONE)).await, "invalid_argument");
        assert_eq!(code(client.ask("submitForm", &[&message, &json("[]")], &NONE)).await, "invalid_argument");
        assert_eq!(code(client.ask("attachBrowserForm", &[&message, &frame], &NONE)).await, "invalid_argument");
    }
    for answers in ["null", "{}", "7", "[1]", r#"[{"question_id":1}]"#, r#"[{"value":1}]"#] {
        let call = client.ask("submitForm", &[&json(CUSTOM), &json(answers)], &NONE);
        assert_eq!(code(call).await, "invalid_argument", "{answers}");
    }
    client.close();
}

fn browser_form(address: &str) -> JsValue {
    let message = json(
        r#"{"type":"form","signature":"sig","form":{"id":1,"form_type":"browser_form","name":"pay","smart_action_id":2}}"#,
    );
    set(&get(&message, "form"), "preview_endpoint", address);
    message
}

const ADDRESS: &str = "https://forms.test/pay";
const FORGED: &str = r#"{"type":"form_complete","signature":"sig","data":{"status":"forged"}}"#;
const DONE: &str = r#"{"type":"form_complete","signature":"sig","data":{"status":"success"}}"#;

#[wasm_bindgen_test]
async fn a_browser_form_ends_when_its_own_frame_says_so_with_the_signature() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let (client, _recorder) = in_chat(&origin).await;
    for believed_origin in ["https://forms.test", "null"] {
        let (form, other) = (frame(), frame());
        set(&form, "id", "the form");
        // No page is loaded from there.
        set(&form, "src", "about:blank");
        let attached = client.ask("attachBrowserForm", &[&browser_form(ADDRESS), &form], &NONE);
        turn().await;
        turn().await;
        post_from(&other, believed_origin, &json(FORGED));
        post_from(&form, "https://elsewhere.test", &json(FORGED));
        post_from(
            &form,
            believed_origin,
            &json(r#"{"type":"form_complete","signature":"forged","data":{"status":"forged"}}"#),
        );
        post_from(&form, believed_origin, &json(r#"{"type":"form_complete","data":{"status":"forged"}}"#));
        post_from(&form, believed_origin, &json(r#"{"type":"resize","signature":"sig"}"#));
        post_from(&form, believed_origin, &JsValue::NULL);
        turn().await;
        let before = gateway.messages().length();
        post_from(&form, believed_origin, &json(DONE));
        post_from(&form, believed_origin, &json(DONE));
        let index = value(attached).await;
        assert_eq!(index, JsValue::from(before + 1), "{believed_origin}: once");
        let stored = gateway.messages().iter().last().unwrap();
        assert_eq!((text(&stored, "type"), text(&stored, "event")), ("noti".into(), "formCompleted".into()));
        assert_eq!((text(&stored, "form_name"), text(&stored, "signature")), ("pay".into(), "sig".into()));
        assert_eq!(text(&get(&stored, "form_data"), "status"), "success");
    }
    client.close();
}

#[wasm_bindgen_test]
async fn a_frame_without_an_address_gets_the_forms_in_a_sandbox_and_a_script_is_no_address() {
    let (_gateway, origin) = gateway();
    offer_chunks(false);
    let (client, _recorder) = in_chat(&origin).await;
    for address in ["javascript:alert(1)", "data:text/html,x", "https://", ""] {
        let form = frame();
        let call = client.ask("attachBrowserForm", &[&browser_form(address), &form], &NONE);
        assert_eq!(code(call).await, "invalid_argument", "{address}");
        assert_eq!(text(&form, "src"), "");
    }
    let form = frame();
    let controller = web_sys::AbortController::new().unwrap();
    let options = Object::new();
    set(&options, "signal", controller.signal());
    let attached = client.ask("attachBrowserForm", &[&browser_form(ADDRESS), &form], &options);
    turn().await;
    turn().await;
    assert_eq!(text(&form, "src"), ADDRESS);
    assert_eq!(text(&get(&form, "sandbox"), "value"), "allow-forms allow-scripts");
    controller.abort();
    assert_eq!(code(attached).await, "aborted");
    post_from(&form, "https://forms.test", &json(DONE));
    for frame in [NONE, JsValue::NULL, "iframe".into(), Object::new().into()] {
        let call = client.ask("attachBrowserForm", &[&browser_form(ADDRESS), &frame], &NONE);
        assert_eq!(code(call).await, "invalid_argument");
    }
    client.close();
}

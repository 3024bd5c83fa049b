//! Listeners: calls from within them, throwing ones, taking them off and adding them during an emission.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use sportello::Client;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::*;

fn listener(call: impl FnMut(JsValue) + 'static) -> JsValue {
    Closure::<dyn FnMut(JsValue)>::new(call).into_js_value()
}

#[wasm_bindgen_test]
async fn a_listener_may_call_the_client_in_every_way() {
    let (gateway, origin) = gateway();
    let (client, recorder) = in_chat(&origin).await;
    let client = Rc::new(client);
    let inner = client.clone();
    let seen = Rc::new(Cell::new(0));
    let known = seen.clone();
    client
        .on(
            &"chat.message".into(),
            listener(move |message| {
                if text(&message, "content") == "start" {
                    known.set(inner.messages().length());
                    drop(inner.get_menus(&NONE, &NONE, &NONE));
                    drop(inner.fetch_messages(&NONE));
                    drop(send(&inner, "from within"));
                    let _ = (inner.chat(), inner.messages(), inner.outbox(), inner.unread_count(), inner.connection());
                    inner.mark_read();
                    inner.on(&"chat.updated".into(), listener(|_| ())).unwrap();
                    inner.trigger_event(&"custom".into(), &js_sys::Array::new());
                }
            }),
        )
        .unwrap();
    gateway.say("agent", 1, "start");
    recorder.wait_for("chat.message", 2).await;
    assert_eq!(recorder.contents(), "start|from within");
    assert_eq!(seen.get(), 1, "what a listener is told of is there to be read");
    assert_eq!(gateway.stored_contents(), "start|from within");
}

#[wasm_bindgen_test]
async fn a_listener_may_close_the_client() {
    let (gateway, origin) = gateway();
    let (client, recorder) = in_chat(&origin).await;
    let client = Rc::new(client);
    let inner = client.clone();
    client.on(&"chat.message".into(), listener(move |_| inner.close())).unwrap();
    gateway.say("agent", 1, "one");
    recorder.wait_for("chat.message", 1).await;
    gateway.say("agent", 1, "two");
    turn().await;
    assert_eq!(recorder.contents(), "one");
    assert_eq!(gateway.open_sockets(), 0);
}

#[wasm_bindgen_test]
async fn a_throwing_listener_is_reported_and_hurts_nobody_else() {
    let (gateway, origin) = gateway();
    let client = client(&origin);
    let errors = count_page_errors();
    let throwing = js_sys::Function::new_no_args("throw new Error('mine')");
    client.on(&"chat.message".into(), throwing.into()).unwrap();
    let recorder = Recorder::of(&client);
    value(client.create_chat(&JsValue::from(1), &NONE, &NONE)).await;
    recorder.wait_for("chat.connected", 1).await;
    gateway.say("agent", 1, "one");
    gateway.say("agent", 1, "two");
    recorder.wait_for("chat.message", 2).await;
    errors.stop();
    assert_eq!(recorder.contents(), "one|two");
    assert_eq!(errors.count(), 2);
    value(client.get_company(&NONE)).await;
}

#[wasm_bindgen_test]
async fn a_listener_taken_off_during_an_emission_is_not_called_any_more() {
    let (gateway, origin) = gateway();
    let client = Rc::new(client(&origin));
    let called = Rc::new(Cell::new(0));
    let count = called.clone();
    let second = listener(move |_| count.set(count.get() + 1));
    let (inner, taken) = (client.clone(), second.clone());
    client.on(&"chat.message".into(), listener(move |_| inner.off(&"chat.message".into(), taken.clone()))).unwrap();
    client.on(&"chat.message".into(), second).unwrap();
    let recorder = Recorder::of(&client);
    value(client.create_chat(&JsValue::from(1), &NONE, &NONE)).await;
    recorder.wait_for("chat.connected", 1).await;
    gateway.say("agent", 1, "one");
    gateway.say("agent", 1, "two");
    recorder.wait_for("chat.message", 2).await;
    assert_eq!(called.get(), 0);
}

#[wasm_bindgen_test]
async fn a_listener_added_during_an_emission_hears_the_next_event_only() {
    let (gateway, origin) = gateway();
    let (client, recorder) = in_chat(&origin).await;
    let client = Rc::new(client);
    let heard = Rc::new(RefCell::new(Vec::new()));
    let (inner, list, added) = (client.clone(), heard.clone(), Cell::new(false));
    client
        .on(
            &"chat.message".into(),
            listener(move |_| {
                if !added.replace(true) {
                    let list = list.clone();
                    inner
                        .on(
                            &"chat.message".into(),
                            listener(move |message| list.borrow_mut().push(text(&message, "content"))),
                        )
                        .unwrap();
                }
            }),
        )
        .unwrap();
    gateway.say("agent", 1, "one");
    gateway.say("agent", 1, "two");
    recorder.wait_for("chat.message", 2).await;
    turn().await;
    assert_eq!(*heard.borrow(), ["two"]);
}

#[wasm_bindgen_test]
async fn a_listener_added_twice_is_called_once() {
    let (gateway, origin) = gateway();
    let (client, recorder) = in_chat(&origin).await;
    let called = Rc::new(Cell::new(0));
    let count = called.clone();
    let twice = listener(move |_| count.set(count.get() + 1));
    client.on(&"chat.message".into(), twice.clone()).unwrap();
    client.on(&"chat.message".into(), twice).unwrap();
    gateway.say("agent", 1, "one");
    recorder.wait_for("chat.message", 1).await;
    turn().await;
    assert_eq!(called.get(), 1);
}

#[wasm_bindgen_test]
fn an_integration_may_replay_an_event_with_its_arguments() {
    let (_gateway, origin) = gateway();
    let client: Client = client(&origin);
    let sum = Rc::new(Cell::new(0.0));
    let heard = sum.clone();
    let add = Closure::<dyn FnMut(f64, f64)>::new(move |a, b| heard.set(a + b)).into_js_value();
    client.on(&"chat.connected".into(), add).unwrap();
    client.trigger_event(&"chat.connected".into(), &js_sys::Array::of2(&JsValue::from(2), &JsValue::from(3)));
    assert!((sum.get() - 5.0).abs() < f64::EPSILON);
}

#[wasm_bindgen_test]
fn a_listener_that_is_no_function_and_an_event_that_has_no_name_are_refused() {
    let (_gateway, origin) = gateway();
    let client = client(&origin);
    let function: JsValue = js_sys::Function::new_no_args("throw new Error('called')").into();
    let ready = JsValue::from("ready");
    for (event, listener) in [
        (&ready, "no".into()),
        (&ready, NONE),
        (&NONE, function.clone()),
        (&7.into(), function.clone()),
        (&js_sys::Symbol::iterator().into(), function.clone()),
    ] {
        let error = client.on(event, listener.clone()).unwrap_err();
        assert_eq!(text(&error, "code"), "invalid_argument");
        client.off(event, listener);
        client.trigger_event(event, &js_sys::Array::new());
    }
    client.close();
}

#[wasm_bindgen_test]
async fn a_listener_that_answers_every_error_with_a_call_that_fails_leaves_the_page_its_turns() {
    let (_gateway, origin) = gateway();
    let client = std::rc::Rc::new(client(&origin));
    let calling = client.clone();
    let failed = std::rc::Rc::new(std::cell::Cell::new(0_u32));
    let counted = failed.clone();
    let last = std::rc::Rc::new(std::cell::RefCell::new(None));
    let newest = last.clone();
    let listener = Closure::<dyn FnMut()>::new(move || {
        counted.set(counted.get() + 1);
        // There is no chat: an error event at once. Two for each: ever more wait for their turn.
        drop(calling.fetch_messages(&NONE));
        *newest.borrow_mut() = Some(calling.fetch_messages(&NONE));
    });
    client.on(&"error".into(), listener.into_js_value()).unwrap();
    drop(client.fetch_messages(&NONE));
    for _ in 0..3 {
        turn().await;
    }
    assert!(failed.get() > 1_000, "every call is answered: {}", failed.get());
    client.close();
    let before = failed.get();
    let last = last.borrow_mut().take().expect("it was called");
    let outcome = outcome(last).await;
    assert_eq!(outcome.err().map(|error| text(&error, "code")).as_deref(), Some("closed"), "what waits is answered");
    turn().await;
    assert_eq!(failed.get(), before, "closing ends it");
}

//! Values on their way to listeners and callers.

use engine::client::{Delivery, DeliveryState, Event, Member};
use js_sys::{Date, Object, Reflect};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wire::{Document, Field};

use super::current::CurrentChat;
use super::errors::to_js_error;
use crate::web::document::Js;

/// A message as the contract has it: the wire's milliseconds become a `Date`. The object stays the browser's own.
pub(crate) fn present(message: Js) -> JsValue {
    let name = JsValue::from_str("$timestamp");
    if let Some(ms) = Reflect::get(&message.0, &name).ok().and_then(|value| value.as_f64()) {
        let _ = Reflect::set(&message.0, &name, &Date::new(&JsValue::from_f64(ms)));
    }
    message.0
}

/// The name of an event and its argument.
pub(crate) fn emission(event: Event<Js>, chat: &CurrentChat) -> (&'static str, Option<JsValue>) {
    match event {
        Event::Ready => ("ready", None),
        Event::Authenticated => ("authenticated", None),
        Event::ChatOngoing => ("chat.ongoing", Some(chat.newest())),
        Event::ChatUpdated => ("chat.updated", Some(chat.newest())),
        Event::ChatConnected => ("chat.connected", Some(chat.newest())),
        Event::ChatReconnected => ("chat.reconnected", Some(chat.newest())),
        Event::ChatDisconnected => ("chat.disconnected", Some(chat.newest())),
        Event::ChatDismissed => ("chat.dismissed", None),
        Event::ChatTimeout => ("chat.timeout", None),
        Event::ChatEnded => ("chat.ended", Some(chat.newest())),
        Event::ChatDestroyed => ("chat.destroyed", None),
        Event::Message(message) => ("chat.message", Some(present(message))),
        Event::MemberJoined(member) => ("chat.memberJoined", Some(identity(&member))),
        Event::MemberLeft(member) => ("chat.memberLeft", Some(identity(&member))),
        Event::TypingStarted(member) => ("chat.typingStarted", Some(identity(&member))),
        Event::TypingEnded(member) => ("chat.typingEnded", Some(identity(&member))),
        Event::Delivery(delivery) => ("chat.delivery", Some(delivery_object(&delivery, None))),
        Event::Unread(count) => ("chat.unread", Some(JsValue::from_f64(count as f64))),
        Event::Connection(state) => ("connection", Some(JsValue::from_str(state.as_str()))),
        Event::Error(error) => ("error", Some(to_js_error(&error))),
    }
}

/// An identity: prints as `agent_1` and carries the fields that published integrations read (`ccaip.md` section 4).
fn identity(member: &Member) -> JsValue {
    let fields = vec![
        ("type", Field::Text(member.kind.clone())),
        ("id", Field::Int(member.id as i64)),
        ("is_customer", Field::Flag(member.kind == "end_user")),
        ("display_name", Field::Text(member.display_name.clone())),
    ];
    let object: Object = Js::build(fields).0.unchecked_into();
    let text = member.identity();
    let to_string = Closure::<dyn FnMut() -> String>::new(move || text.clone()).into_js_value();
    let descriptor = Js::build(vec![("value", Field::Document(Js(to_string)))]);
    // Not enumerable: a spread or JSON shows the fields only.
    let _ = Reflect::define_property(&object, &JsValue::from_str("toString"), descriptor.0.unchecked_ref());
    object.into()
}

/// The word for a state; the variants' names are the words.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Queued,
    Sending,
    Sent,
    Failed,
}

/// `{ clientId, state, index?, error? }`.
pub(crate) fn delivery_object(delivery: &Delivery, message: Option<Js>) -> JsValue {
    let state = match &delivery.state {
        DeliveryState::Queued => State::Queued,
        DeliveryState::Sending => State::Sending,
        DeliveryState::Sent { .. } => State::Sent,
        DeliveryState::Failed(_) => State::Failed,
    };
    let mut fields =
        vec![("clientId", Field::Text(delivery.client_id.clone())), ("state", Field::Document(Js(to_word(&state))))];
    match &delivery.state {
        DeliveryState::Sent { index } => fields.push(("index", Field::Int(*index as i64))),
        DeliveryState::Failed(error) => fields.push(("error", Field::Document(Js(to_js_error(error))))),
        DeliveryState::Queued | DeliveryState::Sending => {}
    }
    fields.extend(message.map(|message| ("message", Field::Document(message))));
    Js::build(fields).0
}

/// A word of ours as a string. Only for enumerations: structures would bring a table of their fields' names into the download.
pub(crate) fn to_word(word: &impl Serialize) -> JsValue {
    serde_wasm_bindgen::to_value(word).unwrap_or(JsValue::UNDEFINED)
}

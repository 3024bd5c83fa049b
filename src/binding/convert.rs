//! Values on their way to listeners and callers.

use engine::client::{Delivery, DeliveryState, Event, Member};
use js_sys::{Date, Object, Reflect};
use serde::Serialize;
use wasm_bindgen::prelude::*;

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
        Event::Delivery(delivery) => ("chat.delivery", Some(delivery_object(&delivery))),
        Event::Unread(count) => ("chat.unread", Some(JsValue::from_f64(count as f64))),
        Event::Connection(state) => ("connection", Some(JsValue::from_str(state.as_str()))),
        Event::Error(error) => ("error", Some(to_js_error(&error))),
    }
}

#[derive(Serialize)]
struct IdentityFields<'a> {
    r#type: &'a str,
    id: u64,
    is_customer: bool,
    display_name: &'a str,
}

/// An identity: prints as `agent_1` and carries the fields that published integrations read (`ccaip.md` section 4).
fn identity(member: &Member) -> JsValue {
    let fields = IdentityFields {
        r#type: &member.kind,
        id: member.id,
        is_customer: member.kind == "end_user",
        display_name: &member.display_name,
    };
    let object: Object = to_plain_object(&fields).unchecked_into();
    let text = member.identity();
    let to_string = Closure::<dyn FnMut() -> String>::new(move || text.clone()).into_js_value();
    let descriptor = Object::new();
    let _ = Reflect::set(&descriptor, &JsValue::from_str("value"), &to_string);
    // Not enumerable: a spread or JSON shows the fields only.
    let _ = Reflect::define_property(&object, &JsValue::from_str("toString"), &descriptor);
    object.into()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryFields<'a> {
    client_id: &'a str,
    state: &'static str,
}

/// `{ clientId, state, index?, error? }`.
pub(crate) fn delivery_object(delivery: &Delivery) -> JsValue {
    let state = match &delivery.state {
        DeliveryState::Queued => "queued",
        DeliveryState::Sending => "sending",
        DeliveryState::Sent { .. } => "sent",
        DeliveryState::Failed(_) => "failed",
    };
    let object = to_plain_object(&DeliveryFields { client_id: &delivery.client_id, state });
    match &delivery.state {
        DeliveryState::Sent { index } => {
            drop(Reflect::set(&object, &JsValue::from_str("index"), &JsValue::from_f64(*index as f64)))
        }
        DeliveryState::Failed(error) => drop(Reflect::set(&object, &JsValue::from_str("error"), &to_js_error(error))),
        DeliveryState::Queued | DeliveryState::Sending => {}
    }
    object
}

/// A structure of ours as a plain object; numbers stay numbers.
pub(crate) fn to_plain_object(value: &impl Serialize) -> JsValue {
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap_or(JsValue::UNDEFINED)
}

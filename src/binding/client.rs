//! The contract's `Client`. Everything takes `&self`; `call` converts the arguments of a method and hands a call to the pump, and a malformed
//! argument rejects with `invalid_argument`. Source of the methods: seed 003 and `headless-client.d.ts`.

use std::rc::Rc;

use engine::client::Input;
use js_sys::{Array, Function, Promise};
use wasm_bindgen::prelude::*;

use super::arguments::CallOptions;
use super::calls::read_call;
use super::convert::{delivery_object, present};
use super::errors::invalid_argument;
use super::options::Options;
use crate::pump::Pump;

/// A headless chat client.
#[wasm_bindgen]
pub struct Client {
    pump: Rc<Pump>,
}

#[wasm_bindgen]
impl Client {
    /// Starts a client: reads storage, authenticates and becomes ready by itself; calls made at once wait for that.
    ///
    /// # Errors
    /// `invalid_argument` where `companyId`, `authenticate` or another option is missing or malformed.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue) -> Result<Client, JsValue> {
        Ok(Client { pump: Pump::start(Options::read(options)?) })
    }

    /// Adds a listener.
    ///
    /// # Errors
    /// `invalid_argument` where it is no function, or the event's name no string.
    pub fn on(&self, event: &JsValue, listener: JsValue) -> Result<(), JsValue> {
        match (event.as_string(), listener.dyn_into::<Function>()) {
            (Some(event), Ok(listener)) => self.pump.listeners.add(&event, listener),
            _ => return Err(invalid_argument("on(event, listener) takes a string and a function.")),
        }
        Ok(())
    }

    /// Takes a listener off.
    pub fn off(&self, event: &JsValue, listener: JsValue) {
        if let (Some(event), Ok(listener)) = (event.as_string(), listener.dyn_into::<Function>()) {
            self.pump.listeners.remove(&event, &listener);
        }
    }

    /// Calls the listeners of an event, for integrations that replay one.
    #[wasm_bindgen(js_name = _triggerEvent, variadic)]
    pub fn trigger_event(&self, event: &JsValue, arguments: &Array) {
        if let Some(event) = event.as_string() {
            self.pump.listeners.replay(&event, arguments);
        }
    }

    /// The current chat, or null.
    #[wasm_bindgen(getter)]
    pub fn chat(&self) -> JsValue {
        self.pump.chat.value()
    }

    /// Makes another chat the current one; null puts the current one aside.
    #[wasm_bindgen(setter)]
    pub fn set_chat(&self, chat: &JsValue) {
        self.pump.assign_chat(chat);
    }

    /// Every asynchronous method of the contract and beyond, by its name: `arguments` is the array of its arguments, `options` the `CallOptions`
    /// after them. One export instead of one for each method, because each would cost the download a name, a function and its glue. What
    /// is not known here is worked out by the chunk `more`; what that does not know either rejects with `unsupported`.
    pub fn call(&self, method: &str, arguments: &JsValue, options: &JsValue) -> Promise {
        let call = || {
            let options = CallOptions::read(options)?;
            let (call, shape) = read_call(method, arguments)?;
            Ok(self.pump.call(call, shape, options))
        };
        call().unwrap_or_else(|error: JsValue| Promise::reject(&error))
    }

    /// Beyond the contract: the end user has seen everything so far.
    #[wasm_bindgen(js_name = markRead)]
    pub fn mark_read(&self) {
        self.pump.feed(Input::MarkRead);
    }

    /// Beyond the contract: messages of agents and virtual agents since [`Client::mark_read`].
    #[wasm_bindgen(getter, js_name = unreadCount)]
    pub fn unread_count(&self) -> f64 {
        self.pump.read(|engine| engine.unread()).unwrap_or(0) as f64
    }

    /// Beyond the contract: `idle`, `connecting`, `online` or `offline`.
    #[wasm_bindgen(getter)]
    pub fn connection(&self) -> String {
        self.pump.read(|engine| engine.connection().as_str().to_owned()).unwrap_or_default()
    }

    /// Beyond the contract: the current chat's messages that are kept, in the server's order.
    #[wasm_bindgen(getter)]
    pub fn messages(&self) -> Array {
        self.pump.read(|engine| engine.messages()).unwrap_or_default().into_iter().map(present).collect()
    }

    /// Beyond the contract: the messages on their way, `{ clientId, state, message }` each.
    #[wasm_bindgen(getter)]
    pub fn outbox(&self) -> Array {
        let entries = self.pump.read(|engine| engine.outbox()).unwrap_or_default();
        entries.into_iter().map(|(delivery, message)| delivery_object(&delivery, Some(message))).collect()
    }

    /// Beyond the contract: ends the client. Open calls reject with `closed`; unsent text stays stored for a later page. Repeating it is
    /// harmless.
    pub fn close(&self) {
        self.pump.close();
        self.pump.listeners.clear();
    }
}

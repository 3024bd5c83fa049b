//! The contract's `Chat`: a view of one chat with the few calls that belong to it.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use engine::client::{Call, Input};
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wire::ErrorCode;

use super::arguments::{CallOptions, optional_object};
use super::errors::{invalid_argument, refusal};
use crate::pump::{Pump, Shape};

/// A chat. Keeps its last state after it ended or was put aside.
#[wasm_bindgen]
pub struct Chat {
    id: u64,
    state: Rc<RefCell<JsValue>>,
    pump: Weak<Pump>,
}

impl Chat {
    pub(crate) fn new(id: u64, state: Rc<RefCell<JsValue>>, pump: Weak<Pump>) -> Self {
        Chat { id, state, pump }
    }

    fn type_now(&self, typing: bool) {
        if let Some(pump) = self.pump.upgrade().filter(|pump| pump.chat.id() == Some(self.id)) {
            pump.feed(Input::Typing(typing));
        }
    }
}

#[wasm_bindgen]
impl Chat {
    /// The newest `ChatResponse`.
    #[wasm_bindgen(getter)]
    pub fn state(&self) -> JsValue {
        self.state.borrow().clone()
    }

    /// Sends a message body as it is and resolves to its index once the gateway has stored it. The object must have a `type`.
    #[wasm_bindgen(js_name = sendMessage)]
    pub fn send_message(&self, message: &JsValue, options: &JsValue) -> Promise {
        let Some(pump) = self.pump.upgrade() else {
            return Promise::reject(&refusal(ErrorCode::Closed, "The client is closed."));
        };
        let call = || {
            let message = optional_object(message, "message")?
                .ok_or_else(|| invalid_argument("message must be an object with a type."))?;
            let call = Call::Send { chat_id: Some(self.id), message, file: None };
            Ok(pump.call(call, Shape::Value, CallOptions::read(options)?))
        };
        call().unwrap_or_else(|error: JsValue| Promise::reject(&error))
    }

    /// Says that the end user types; call it on each input. Repetitions are throttled, and it ends by itself after 6 s without one.
    #[wasm_bindgen(js_name = startTyping)]
    pub fn start_typing(&self) {
        self.type_now(true);
    }

    /// Says that the end user stopped typing.
    #[wasm_bindgen(js_name = stopTyping)]
    pub fn stop_typing(&self) {
        self.type_now(false);
    }
}

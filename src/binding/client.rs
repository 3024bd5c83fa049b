//! The contract's `Client`. Every method takes `&self`, converts its arguments and hands a call to the pump; a malformed argument rejects
//! with `invalid_argument`. Source of the methods: seed 003 and `headless-client.d.ts`.

use std::rc::Rc;

use engine::client::{Call, Input};
use js_sys::{Array, Function, Promise};
use wasm_bindgen::prelude::*;
use wire::{Document, Field};

use super::arguments::{file_message, id, optional_object, optional_text, signal};
use super::convert::{delivery_object, present};
use super::errors::invalid_argument;
use super::options::Options;
use crate::pump::{Pump, Shape};
use crate::web::document::Js;

/// A headless chat client.
#[wasm_bindgen]
pub struct Client {
    pump: Rc<Pump>,
}

impl Client {
    /// A promise for a call whose arguments may be malformed.
    fn call(&self, shape: Shape, options: &JsValue, call: Result<Call<Js>, JsValue>) -> Promise {
        let signal = signal(options);
        match call.and_then(|call| Ok((call, signal?))) {
            Ok((call, signal)) => self.pump.call(call, shape, signal),
            Err(error) => Promise::reject(&error),
        }
    }
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
    /// `invalid_argument` where it is no function.
    pub fn on(&self, event: &str, listener: JsValue) -> Result<(), JsValue> {
        let listener: Function =
            listener.dyn_into().map_err(|_| invalid_argument("on(event, listener): listener must be a function."))?;
        self.pump.listeners.add(event, listener);
        Ok(())
    }

    /// Takes a listener off.
    pub fn off(&self, event: &str, listener: JsValue) {
        if let Ok(listener) = listener.dyn_into::<Function>() {
            self.pump.listeners.remove(event, &listener);
        }
    }

    /// Calls the listeners of an event, for integrations that replay one.
    #[wasm_bindgen(js_name = _triggerEvent, variadic)]
    pub fn trigger_event(&self, event: &str, arguments: &Array) {
        self.pump.listeners.replay(event, arguments);
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

    /// `getCompany()`.
    #[wasm_bindgen(js_name = getCompany)]
    pub fn get_company(&self, options: &JsValue) -> Promise {
        self.call(Shape::Value, options, Ok(Call::Company))
    }

    /// `getMenus(key?, lang?)`.
    #[wasm_bindgen(js_name = getMenus)]
    pub fn get_menus(&self, key: &JsValue, lang: &JsValue, options: &JsValue) -> Promise {
        let call = || Ok(Call::Menus { key: optional_text(key, "key")?, lang: optional_text(lang, "lang")? });
        self.call(Shape::Value, options, call())
    }

    /// `getWaitTimes(menuId, lang?)`.
    #[wasm_bindgen(js_name = getWaitTimes)]
    pub fn get_wait_times(&self, menu_id: &JsValue, lang: &JsValue, options: &JsValue) -> Promise {
        let call = || Ok(Call::WaitTimes { menu_id: id(menu_id, "menuId")?, lang: optional_text(lang, "lang")? });
        self.call(Shape::Value, options, call())
    }

    /// `createChat(menuId, data?)`.
    #[wasm_bindgen(js_name = createChat)]
    pub fn create_chat(&self, menu_id: &JsValue, data: &JsValue, options: &JsValue) -> Promise {
        let call = || Ok(Call::CreateChat { menu_id: id(menu_id, "menuId")?, chat: optional_object(data, "data")? });
        self.call(Shape::Value, options, call())
    }

    /// `loadChat(chatId)`.
    #[wasm_bindgen(js_name = loadChat)]
    pub fn load_chat(&self, chat_id: &JsValue, options: &JsValue) -> Promise {
        let call = || Ok(Call::LoadChat { chat_id: id(chat_id, "chatId")? });
        self.call(Shape::Value, options, call())
    }

    /// `loadOngoingChat()`.
    #[wasm_bindgen(js_name = loadOngoingChat)]
    pub fn load_ongoing_chat(&self, options: &JsValue) -> Promise {
        self.call(Shape::Value, options, Ok(Call::LoadOngoingChat))
    }

    /// `resumeChat(chatId)`: rejects with `status` 409 where the chat is not dismissed.
    #[wasm_bindgen(js_name = resumeChat)]
    pub fn resume_chat(&self, chat_id: &JsValue, options: &JsValue) -> Promise {
        let call = || Ok(Call::ResumeChat { chat_id: id(chat_id, "chatId")? });
        self.call(Shape::Value, options, call())
    }

    /// `finishChat()`.
    #[wasm_bindgen(js_name = finishChat)]
    pub fn finish_chat(&self, options: &JsValue) -> Promise {
        self.call(Shape::Void, options, Ok(Call::FinishChat))
    }

    /// `destroyChat()`.
    #[wasm_bindgen(js_name = destroyChat)]
    pub fn destroy_chat(&self, options: &JsValue) -> Promise {
        self.call(Shape::Void, options, Ok(Call::DestroyChat))
    }

    /// `fetchMessages()`.
    #[wasm_bindgen(js_name = fetchMessages)]
    pub fn fetch_messages(&self, options: &JsValue) -> Promise {
        self.call(Shape::Value, options, Ok(Call::FetchMessages))
    }

    /// `sendTextMessage(rawContent)`.
    #[wasm_bindgen(js_name = sendTextMessage)]
    pub fn send_text_message(&self, raw_content: &JsValue, options: &JsValue) -> Promise {
        let call = || {
            let content = raw_content.as_string().filter(|text| !text.is_empty());
            let content = content
                .ok_or_else(|| invalid_argument("sendTextMessage(rawContent) takes a string that is not empty."))?;
            let message = vec![("type", Field::Text("text".to_owned())), ("content", Field::Text(content))];
            Ok(Call::Send { chat_id: None, message: Js::build(message), file: None })
        };
        self.call(Shape::Void, options, call())
    }

    /// `sendFileMessage(file)`: resolves to the message's index, or to -1 with an `error` event where the file could not be sent.
    #[wasm_bindgen(js_name = sendFileMessage)]
    pub fn send_file_message(&self, file: &JsValue, options: &JsValue) -> Promise {
        self.call(Shape::Value, options, file_message(file))
    }

    /// `escalateChat(data?)`.
    #[wasm_bindgen(js_name = escalateChat)]
    pub fn escalate_chat(&self, data: &JsValue, options: &JsValue) -> Promise {
        let call = || Ok(Call::Escalate { request: optional_object(data, "data")? });
        self.call(Shape::Void, options, call())
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
        entries
            .into_iter()
            .map(|(delivery, message)| {
                let object = delivery_object(&delivery);
                let _ = js_sys::Reflect::set(&object, &JsValue::from_str("message"), &message.0);
                object
            })
            .collect()
    }

    /// Beyond the contract: ends the client. Open calls reject with `closed`; unsent text stays stored for a later page. Repeating it is
    /// harmless.
    pub fn close(&self) {
        self.pump.close();
        self.pump.listeners.clear();
    }
}

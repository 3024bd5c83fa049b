//! The methods that a text chat needs, as the engine's calls. Every other one is left to the chunk `more`.

use engine::client::Call;
use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use wire::{Document, Field};

use super::arguments::{file_message, id, optional_object, optional_text};
use super::errors::invalid_argument;
use crate::pump::Shape;
use crate::web::document::Js;

/// How the methods begin that take as long as the end user does, such as `attachBrowserForm`.
const PATIENT: &str = "attach";

/// The call that a method with these arguments is, and what its promise resolves to.
pub(crate) fn read_call(method: &str, arguments: &JsValue) -> Result<(Call<Js>, Shape), JsValue> {
    let at = |index| Reflect::get_u32(arguments, index).unwrap_or(JsValue::UNDEFINED);
    let first = at(0);
    let first_id = |name| id(&first, name);
    let call = match method {
        "getCompany" => Call::Company,
        "getMenus" => Call::Menus { key: optional_text(&first, "key")?, lang: optional_text(&at(1), "lang")? },
        "getWaitTimes" => Call::WaitTimes { menu_id: first_id("menuId")?, lang: optional_text(&at(1), "lang")? },
        "createChat" => Call::CreateChat { menu_id: first_id("menuId")?, chat: optional_object(&at(1), "data")? },
        "loadChat" => Call::LoadChat { chat_id: first_id("chatId")? },
        "loadOngoingChat" => Call::LoadOngoingChat,
        "resumeChat" => Call::ResumeChat { chat_id: first_id("chatId")? },
        "finishChat" => Call::FinishChat,
        "destroyChat" => Call::DestroyChat,
        "fetchMessages" => Call::FetchMessages,
        "sendTextMessage" => {
            let content = first.as_string().filter(|text| !text.is_empty());
            let content = content
                .ok_or_else(|| invalid_argument("sendTextMessage(rawContent) takes a string that is not empty."))?;
            let message = vec![("type", Field::Text("text".to_owned())), ("content", Field::Text(content))];
            return Ok((Call::Send { chat_id: None, message: Js::build(message), file: None }, Shape::Void));
        }
        "sendFileMessage" => file_message(&first)?,
        "sendPreviewMessage" => {
            let content =
                first.as_string().ok_or_else(|| invalid_argument("sendPreviewMessage(content) takes a string."))?;
            Call::Preview { content }
        }
        "escalateChat" => Call::Escalate { request: optional_object(&first, "data")? },
        _ => {
            let call = Call::Planned { is_patient: method.starts_with(PATIENT) };
            return Ok((call, Shape::Planned { method: method.to_owned(), arguments: arguments.clone() }));
        }
    };
    Ok((call, Shape::Value))
}

//! The current `Chat` object: the same object for as long as it is the same chat, always showing the newest state.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsValue;

use super::chat::Chat;
use crate::pump::Pump;
use crate::web::document::Js;

struct Current {
    id: u64,
    object: JsValue,
    state: Rc<RefCell<JsValue>>,
}

/// The current chat, and the last one for events that speak of its end.
#[derive(Default)]
pub(crate) struct CurrentChat {
    current: RefCell<Option<Current>>,
    newest: RefCell<Option<JsValue>>,
}

impl CurrentChat {
    pub(crate) fn id(&self) -> Option<u64> {
        self.current.borrow().as_ref().map(|current| current.id)
    }

    /// What `client.chat` reads.
    pub(crate) fn value(&self) -> JsValue {
        self.current.borrow().as_ref().map_or(JsValue::NULL, |current| current.object.clone())
    }

    /// What events about the chat carry: the current one, or the one that has just been put aside.
    pub(crate) fn newest(&self) -> JsValue {
        self.newest.borrow().clone().unwrap_or(JsValue::NULL)
    }

    pub(crate) fn set(&self, pump: &Rc<Pump>, chat: Option<(u64, Js)>) {
        match chat {
            Some((id, state)) => drop(self.object(pump, id, state)),
            None => drop(self.current.take()),
        }
    }

    /// The object of this chat in this state; it becomes the current one.
    pub(crate) fn object(&self, pump: &Rc<Pump>, id: u64, state: Js) -> JsValue {
        if let Some(current) = self.current.borrow().as_ref().filter(|current| current.id == id) {
            *current.state.borrow_mut() = state.0;
            return current.object.clone();
        }
        let state = Rc::new(RefCell::new(state.0));
        let object: JsValue = Chat::new(id, state.clone(), Rc::downgrade(pump)).into();
        *self.newest.borrow_mut() = Some(object.clone());
        *self.current.borrow_mut() = Some(Current { id, object: object.clone(), state });
        object
    }
}

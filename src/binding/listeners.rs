//! The application's listeners. A listener that throws hurts nobody else; one that is taken off during an emission is not called any more;
//! one that is added during an emission waits for the next.

use std::cell::RefCell;

use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = reportError, catch)]
    fn report_error(error: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(error: &JsValue);
}

#[derive(Default)]
pub(crate) struct Listeners {
    entries: RefCell<Vec<(String, Function)>>,
}

impl Listeners {
    /// Adds a listener; once is enough, however often it is added.
    pub(crate) fn add(&self, event: &str, listener: Function) {
        if !self.has(event, &listener) {
            self.entries.borrow_mut().push((event.to_owned(), listener));
        }
    }

    pub(crate) fn remove(&self, event: &str, listener: &Function) {
        self.entries.borrow_mut().retain(|(name, other)| name != event || other != listener);
    }

    pub(crate) fn clear(&self) {
        self.entries.borrow_mut().clear();
    }

    fn has(&self, event: &str, listener: &Function) -> bool {
        self.entries.borrow().iter().any(|(name, other)| name == event && other == listener)
    }

    /// Calls the listeners of an event with one argument, or none.
    pub(crate) fn emit(&self, event: &str, argument: Option<&JsValue>) {
        self.each(event, |listener| match argument {
            Some(argument) => listener.call1(&JsValue::UNDEFINED, argument),
            None => listener.call0(&JsValue::UNDEFINED),
        });
    }

    /// Calls the listeners of an event with the arguments that an integration replays.
    pub(crate) fn replay(&self, event: &str, arguments: &Array) {
        self.each(event, |listener| listener.apply(&JsValue::UNDEFINED, arguments));
    }

    fn each(&self, event: &str, call: impl Fn(&Function) -> Result<JsValue, JsValue>) {
        let listeners: Vec<Function> = self
            .entries
            .borrow()
            .iter()
            .filter(|(name, _)| name == event)
            .map(|(_, listener)| listener.clone())
            .collect();
        for listener in listeners {
            // It may have been taken off by one of those before it.
            if self.has(event, &listener)
                && let Err(error) = call(&listener)
            {
                report(&error);
            }
        }
    }
}

/// Tells the page that a function of its own threw.
pub(crate) fn report(error: &JsValue) {
    if report_error(error).is_err() {
        console_error(error);
    }
}

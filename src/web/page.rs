//! The page's own life: the network came back, the page is shown again, restored from the cache or thawed. Says only that it may be worth
//! trying again now.

use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use web_sys::EventTarget;

const WINDOW_EVENTS: [&str; 2] = ["online", "pageshow"];
const DOCUMENT_EVENTS: [&str; 2] = ["visibilitychange", "resume"];

/// Listens until it is dropped.
pub(crate) struct PageEvents {
    callback: Closure<dyn FnMut()>,
    targets: Vec<(EventTarget, &'static [&'static str])>,
}

impl PageEvents {
    /// Calls back whenever the page wakes up. Where there is no page (a worker, Node) it never does.
    pub(crate) fn listen(woke: impl Fn() + 'static) -> Self {
        let global = js_sys::global();
        let document = Reflect::get(&global, &JsValue::from_str("document")).ok();
        let candidates: [(Option<JsValue>, &'static [&'static str]); 2] =
            [(Some(global.into()), &WINDOW_EVENTS), (document.clone(), &DOCUMENT_EVENTS)];
        let targets: Vec<_> = candidates
            .into_iter()
            .filter_map(|(target, events)| Some((target?.dyn_into::<EventTarget>().ok()?, events)))
            .collect();
        let callback = Closure::<dyn FnMut()>::new(move || {
            if !is_hidden(document.as_ref()) {
                woke();
            }
        });
        for (target, events) in &targets {
            for event in *events {
                let _ = target.add_event_listener_with_callback(event, callback.as_ref().unchecked_ref());
            }
        }
        PageEvents { callback, targets }
    }
}

impl Drop for PageEvents {
    fn drop(&mut self) {
        for (target, events) in &self.targets {
            for event in *events {
                let _ = target.remove_event_listener_with_callback(event, self.callback.as_ref().unchecked_ref());
            }
        }
    }
}

fn is_hidden(document: Option<&JsValue>) -> bool {
    let hidden = document.and_then(|document| Reflect::get(document, &JsValue::from_str("hidden")).ok());
    hidden.and_then(|hidden| hidden.as_bool()).unwrap_or(false)
}

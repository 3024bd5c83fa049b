//! The page's own life: the network came back or went, the page is shown again, restored from the cache or thawed. Says only that it may be
//! worth trying again now, or that the network is in doubt, and whether the page is hidden.

use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use web_sys::EventTarget;

const WINDOW_EVENTS: [&str; 3] = ["online", "pageshow", OFFLINE];
const DOCUMENT_EVENTS: [&str; 2] = ["visibilitychange", "resume"];

const OFFLINE: &str = "offline";

/// What happened to the page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageEvent {
    Woke,
    WentOffline,
    /// Nothing but whether it is hidden.
    Looked,
}

/// Listens until it is dropped.
pub(crate) struct PageEvents {
    callback: Closure<dyn FnMut(web_sys::Event)>,
    targets: Vec<(EventTarget, &'static [&'static str])>,
}

impl PageEvents {
    /// Calls back at once, and whenever the page is hidden, wakes up or goes offline, with whether it is hidden. Where there is no page (a
    /// worker, Node) it never is.
    pub(crate) fn listen(happened: impl Fn(PageEvent, bool) + 'static) -> Self {
        let global = js_sys::global();
        let document = Reflect::get(&global, &JsValue::from_str("document")).ok();
        let candidates: [(Option<JsValue>, &'static [&'static str]); 2] =
            [(Some(global.into()), &WINDOW_EVENTS), (document.clone(), &DOCUMENT_EVENTS)];
        let targets: Vec<_> = candidates
            .into_iter()
            .filter_map(|(target, events)| Some((target?.dyn_into::<EventTarget>().ok()?, events)))
            .collect();
        happened(PageEvent::Looked, is_hidden(document.as_ref()));
        let callback = Closure::<dyn FnMut(web_sys::Event)>::new(move |event: web_sys::Event| {
            let (type_of, hidden) = (event.type_(), is_hidden(document.as_ref()));
            let event = if type_of == OFFLINE {
                PageEvent::WentOffline
            } else if type_of == "online" || !hidden {
                PageEvent::Woke
            } else {
                PageEvent::Looked
            };
            happened(event, hidden);
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

//! Parts of the SDK in JavaScript that are loaded only when they are needed: `events` (server-sent events) and `files` (uploads and
//! IndexedDB). Whoever loads this module says how they are loaded; without that, what needs them is not offered.

use std::cell::RefCell;

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

thread_local! {
    static LOADERS: RefCell<JsValue> = const { RefCell::new(JsValue::UNDEFINED) };
}

/// Says how chunks are loaded: an object with a function for each, which gives a promise of the chunk's exports.
#[wasm_bindgen(js_name = setChunks)]
pub fn set_chunks(loaders: JsValue) {
    LOADERS.with(|slot| *slot.borrow_mut() = loaders);
}

fn loader(name: &str) -> Option<Function> {
    let loaders = LOADERS.with(|slot| slot.borrow().clone());
    Reflect::get(&loaders, &JsValue::from_str(name)).ok()?.dyn_into().ok()
}

/// Whether a chunk can be loaded.
pub(crate) fn has(name: &str) -> bool {
    loader(name).is_some()
}

/// A chunk's exports; `None` where it cannot be loaded now.
pub(crate) async fn load(name: &str) -> Option<JsValue> {
    let loading = loader(name)?.call0(&JsValue::UNDEFINED).ok()?;
    JsFuture::from(Promise::resolve(&loading)).await.ok()
}

//! Stored values: the browser's `localStorage`, the application's own storage, or nothing. Where storage is refused, values live in memory
//! for as long as the page does, and the failure is reported; a chat never depends on storage.

use gloo_storage::Storage as _;
use js_sys::Reflect;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The part of the Web Storage interface that is used; an application may bring its own object with it.
    #[derive(Clone)]
    pub(crate) type StorageLike;
    #[wasm_bindgen(method, catch, js_name = getItem)]
    fn get_item(this: &StorageLike, key: &str) -> Result<Option<String>, JsValue>;
    #[wasm_bindgen(method, catch, js_name = setItem)]
    fn set_item(this: &StorageLike, key: &str, value: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = removeItem)]
    fn remove_item(this: &StorageLike, key: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn key(this: &StorageLike, index: u32) -> Result<Option<String>, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn length(this: &StorageLike) -> Result<u32, JsValue>;
}

/// What the application asked for.
pub(crate) enum StorageChoice {
    /// The browser's `localStorage`.
    Browser,
    /// An object of its own.
    Own(StorageLike),
    /// Nothing is to be stored.
    None,
}

/// Storage refused a read or a write, or is full.
pub(crate) struct Refused;

pub(crate) struct Storage {
    backing: Option<StorageLike>,
    memory: Vec<(String, String)>,
    /// The application wanted no storage: its absence is no failure.
    wanted: bool,
    is_of_browser: bool,
}

impl Storage {
    pub(crate) fn new(choice: StorageChoice) -> Self {
        let is_of_browser = matches!(choice, StorageChoice::Browser);
        let (backing, wanted) = match choice {
            StorageChoice::Browser => (browser_storage(), true),
            StorageChoice::Own(own) => (Some(own), true),
            StorageChoice::None => (None, false),
        };
        Storage { backing, memory: Vec::new(), wanted, is_of_browser }
    }

    /// Every key that starts with `prefix`, with its value. What the browser refuses to read is missing from it.
    pub(crate) fn load(&self, prefix: &str) -> (Vec<(String, String)>, Result<(), Refused>) {
        let mut entries: Vec<(String, String)> = self.remembered(prefix);
        let Some(backing) = &self.backing else { return (entries, if self.wanted { Err(Refused) } else { Ok(()) }) };
        let stored = keys(backing, prefix).and_then(|keys| {
            keys.into_iter()
                .map(|key| backing.get_item(&key).map(|value| value.map(|value| (key, value))))
                .collect::<Result<Vec<_>, _>>()
        });
        match stored {
            Ok(stored) => {
                entries.extend(stored.into_iter().flatten());
                (entries, Ok(()))
            }
            Err(_) => (entries, Err(Refused)),
        }
    }

    pub(crate) fn store(&mut self, key: String, value: String) -> Result<(), Refused> {
        let stored = match &self.backing {
            Some(backing) => backing.set_item(&key, &value).map_err(|_| Refused),
            None if self.wanted => Err(Refused),
            None => Ok(()),
        };
        if stored.is_err() || !self.wanted {
            self.memory.retain(|(other, _)| *other != key);
            self.memory.push((key, value));
        }
        stored
    }

    pub(crate) fn forget(&mut self, key: &str) {
        self.memory.retain(|(other, _)| other != key);
        if let Some(backing) = &self.backing {
            // What cannot be removed could not be stored either.
            let _ = backing.remove_item(key);
        }
    }

    /// Whether files may be kept beside: only where the browser's own storage is used.
    pub(crate) fn is_of_browser(&self) -> bool {
        self.is_of_browser
    }

    /// Forgets every key that starts with `prefix` but not with `keep`, without reading its value. Gives the keys.
    pub(crate) fn forget_others(&mut self, prefix: &str, keep: &str) -> Vec<String> {
        let mut others: Vec<String> = self.remembered(prefix).into_iter().map(|(key, _)| key).collect();
        if let Some(backing) = &self.backing {
            others.extend(keys(backing, prefix).unwrap_or_default());
        }
        others.retain(|key| !key.starts_with(keep));
        for key in &others {
            self.forget(key);
        }
        others
    }

    fn remembered(&self, prefix: &str) -> Vec<(String, String)> {
        self.memory
            .iter()
            .filter(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

fn keys(backing: &StorageLike, prefix: &str) -> Result<Vec<String>, JsValue> {
    let mut keys = Vec::new();
    for index in 0..backing.length()? {
        keys.extend(backing.key(index)?.filter(|key| key.starts_with(prefix)));
    }
    Ok(keys)
}

/// The browser's `localStorage`, where it gives it out.
///
/// Looking at the property is what throws in a third-party frame or without a window; gloo-storage would throw too, so it is only asked
/// once the look has succeeded.
fn browser_storage() -> Option<StorageLike> {
    let storage = Reflect::get(&js_sys::global(), &JsValue::from_str("localStorage")).ok()?;
    let is_window = Reflect::has(&js_sys::global(), &JsValue::from_str("window")).ok()?;
    if !storage.is_object() {
        return None;
    }
    let storage = if is_window { gloo_storage::LocalStorage::raw().into() } else { storage };
    Some(storage.unchecked_into())
}

//! Web Locks: one that says that this page lives, and one at a time that the engine asks for. Where the browser has none (an insecure page,
//! an old browser, a sandboxed frame), each is given at once and nobody knows which pages live.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use wire::Document;

use super::document::Js;

const PAGE: &str = "sportello|page|";

#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    type LockManager;
    #[wasm_bindgen(method, catch)]
    fn request(this: &LockManager, name: &str, granted: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn query(this: &LockManager) -> Result<Promise, JsValue>;
}

/// The locks of one client; let go when dropped.
pub(crate) struct Locks {
    manager: Option<LockManager>,
    alive: Held,
    held: Held,
}

/// A lock that is held or waited for.
#[derive(Clone, Default)]
struct Held(Rc<HeldState>);

#[derive(Default)]
struct HeldState {
    /// Grows with each request and release: a grant for an older number is given back.
    number: Cell<u32>,
    release: RefCell<Option<Function>>,
}

impl Held {
    fn next(&self) -> u32 {
        self.0.number.set(self.0.number.get().wrapping_add(1));
        self.0.number.get()
    }

    fn release(&self) {
        self.next();
        if let Some(release) = self.0.release.take() {
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }

    /// Asks for a lock; `granted` hears that it is held, or that there are no locks.
    fn request(&self, manager: Option<&LockManager>, name: &str, granted: impl FnOnce() + 'static) {
        let number = self.next();
        let held = self.0.clone();
        let granted = Rc::new(Cell::new(Some(granted)));
        let on_grant = granted.clone();
        let callback = Closure::once_into_js(move || {
            if held.number.get() != number {
                return JsValue::UNDEFINED;
            }
            // The browser holds the lock until this promise settles.
            let until = Promise::new(&mut |resolve, _| drop(held.release.replace(Some(resolve))));
            if let Some(granted) = on_grant.take() {
                granted();
            }
            until.into()
        });
        let asked = manager.and_then(|manager| manager.request(name, &callback).ok());
        let held = self.0.clone();
        spawn_local(async move {
            let refused = match asked {
                Some(asked) => JsFuture::from(asked).await.is_err(),
                None => true,
            };
            if refused
                && held.number.get() == number
                && let Some(granted) = granted.take()
            {
                granted();
            }
        });
    }
}

impl Locks {
    /// Says that this page lives.
    pub(crate) fn new(page_id: &str) -> Locks {
        let navigator = Reflect::get(&js_sys::global(), &JsValue::from_str("navigator")).ok().map(Js);
        let manager = navigator.and_then(|navigator| navigator.field("locks")).map(|locks| locks.0.unchecked_into());
        let locks = Locks { manager, alive: Held::default(), held: Held::default() };
        if locks.manager.is_some() {
            locks.alive.request(locks.manager.as_ref(), &[PAGE, page_id].concat(), || ());
        }
        locks
    }

    /// Asks for a lock; `granted` hears the pages that live then, `None` where nobody can tell.
    pub(crate) fn lock(&self, name: &str, granted: impl FnOnce(Option<Vec<String>>) + 'static) {
        let (manager, held) = (self.manager.clone(), self.held.0.clone());
        self.held.request(self.manager.as_ref(), name, move || {
            let number = held.number.get();
            spawn_local(async move {
                let pages = living_pages(manager).await;
                // It may have been let go, and asked for again, while the browser counted.
                if held.number.get() == number {
                    granted(pages);
                }
            });
        });
    }

    /// Lets the lock go, or stops waiting for it.
    pub(crate) fn unlock(&self) {
        self.held.release();
    }
}

impl Drop for Locks {
    fn drop(&mut self) {
        self.held.release();
        self.alive.release();
    }
}

async fn living_pages(manager: Option<LockManager>) -> Option<Vec<String>> {
    let snapshot = JsFuture::from(manager?.query().ok()?).await.ok()?;
    let held = Js(snapshot).field("held")?.items()?;
    let names = held.iter().filter_map(|lock| lock.text("name"));
    Some(names.filter_map(|name| name.strip_prefix(PAGE).map(str::to_owned)).collect())
}

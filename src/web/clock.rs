//! Time and timers. The clock never goes back within a page and roughly agrees between pages; a timer is a wish, not a promise.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;

    #[wasm_bindgen(thread_local_v2, js_namespace = performance, js_name = timeOrigin)]
    static TIME_ORIGIN: f64;

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &js_sys::Function, delay_ms: i32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(handle: &JsValue);
}

/// Milliseconds since 1970 when the page began, plus the monotonic time since.
pub(crate) fn now_ms() -> u64 {
    (TIME_ORIGIN.with(|origin| *origin) + performance_now()) as u64
}

/// One timer that is armed for the earliest wish.
pub(crate) struct Timer {
    callback: Closure<dyn FnMut()>,
    armed: Option<(JsValue, u64)>,
}

impl Timer {
    pub(crate) fn new(callback: Closure<dyn FnMut()>) -> Self {
        Timer { callback, armed: None }
    }

    /// Makes sure that the callback comes no later than this. It may come earlier: then there is nothing to do and it is armed again.
    pub(crate) fn arm(&mut self, at_ms: Option<u64>) {
        let Some(at_ms) = at_ms else { return self.disarm() };
        if self.armed.as_ref().is_some_and(|(_, armed_ms)| *armed_ms <= at_ms) {
            return;
        }
        self.disarm();
        // A timer must not come early by the fraction that the clock cut off.
        let delay_ms = at_ms.saturating_sub(now_ms());
        let delay_ms = i32::try_from(delay_ms.saturating_add(u64::from(delay_ms > 0))).unwrap_or(i32::MAX);
        self.armed = Some((set_timeout(self.callback.as_ref().unchecked_ref(), delay_ms), at_ms));
    }

    /// The callback came.
    pub(crate) fn fired(&mut self) {
        self.armed = None;
    }

    pub(crate) fn disarm(&mut self) {
        if let Some((handle, _)) = self.armed.take() {
            clear_timeout(&handle);
        }
    }
}

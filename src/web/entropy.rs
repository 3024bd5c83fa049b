//! Unpredictable bits from the browser's generator.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues, catch)]
    fn fill_random(buffer: &mut [u8]) -> Result<JsValue, JsValue>;
}

/// 64 unpredictable bits.
pub(crate) fn random_bits() -> u64 {
    let mut bytes = [0; 8];
    // Fails only for buffers over 64 KiB.
    let _ = fill_random(&mut bytes);
    u64::from_le_bytes(bytes)
}

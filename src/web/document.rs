//! A parsed JSON value that stays where the browser put it. Reading copies one field at a time; the value itself is never copied.

use js_sys::{Array, JSON, Object, Reflect};
use wasm_bindgen::prelude::*;
use wire::{Document, Field, Fields};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = JSON, js_name = parse, catch)]
    fn json_parse(text: &JsValue) -> Result<JsValue, JsValue>;
}

/// Parses JSON text where it is, without a copy into WebAssembly memory.
pub(crate) fn parse(text: &JsValue) -> Option<Js> {
    text.is_string().then(|| json_parse(text).ok().map(Js)).flatten()
}

/// The largest integer that a JavaScript number holds exactly, plus 1.
const INTEGER_LIMIT: f64 = 9_007_199_254_740_992.0;

/// A browser value.
#[derive(Clone, Debug)]
pub(crate) struct Js(pub(crate) JsValue);

impl Document for Js {
    fn field(&self, name: &str) -> Option<Self> {
        let value = Reflect::get(&self.0, &JsValue::from_str(name)).ok()?;
        (!value.is_undefined() && !value.is_null()).then_some(Js(value))
    }

    fn as_text(&self) -> Option<String> {
        self.0.as_string()
    }

    fn as_int(&self) -> Option<i64> {
        integer(&self.0)
    }

    fn as_flag(&self) -> Option<bool> {
        self.0.as_bool()
    }

    fn items(&self) -> Option<Vec<Self>> {
        self.0.dyn_ref::<Array>().map(|array| array.iter().map(Js).collect())
    }

    fn build(fields: Fields<Self>) -> Self {
        let object = Object::new();
        for (name, field) in fields {
            let value = match field {
                Field::Text(text) => JsValue::from_str(&text),
                Field::Int(int) => JsValue::from_f64(int as f64),
                Field::Flag(flag) => JsValue::from_bool(flag),
                Field::Object(fields) => Js::build(fields).0,
                Field::Document(document) => document.0,
            };
            // A plain object of our own takes every property.
            let _ = Reflect::set(&object, &JsValue::from_str(name), &value);
        }
        Js(object.into())
    }

    fn parse(json: &str) -> Option<Self> {
        parse(&JsValue::from_str(json))
    }

    fn to_json(&self) -> Option<String> {
        // `stringify` gives undefined for a function and throws for a cycle.
        JSON::stringify(&self.0).ok().and_then(|json| JsValue::from(json).as_string())
    }
}

/// The value of a number without a fraction that is held exactly.
pub(crate) fn integer(value: &JsValue) -> Option<i64> {
    let number = value.as_f64()?;
    let int = number as i64;
    (number > -INTEGER_LIMIT && number < INTEGER_LIMIT && int as f64 == number).then_some(int)
}

//! Reading and making JSON values without owning their type. Refuses nothing and converts nothing: a field of the wrong type reads as
//! absent.

use crate::Fields;

/// A parsed JSON value, wherever it lives: a browser object in the SDK, a `serde_json::Value` in native tests.
///
/// Cloning must be cheap (a reference, not a copy), because the engine hands the same value to the timeline and to listeners.
pub trait Document: Clone {
    /// The member `name` of an object; `None` where the value is no object or has no such member. A `null` member reads as `None`.
    fn field(&self, name: &str) -> Option<Self>;
    /// The text of a string.
    fn as_text(&self) -> Option<String>;
    /// The value of an integer that fits; `None` for fractions.
    fn as_int(&self) -> Option<i64>;
    /// The value of a boolean.
    fn as_flag(&self) -> Option<bool>;
    /// The elements of an array; `None` where the value is no array.
    fn items(&self) -> Option<Vec<Self>>;
    /// An object with these fields.
    fn build(fields: Fields<Self>) -> Self;
    /// The value that this JSON text stands for; `None` where it is no JSON.
    fn parse(json: &str) -> Option<Self>;
    /// The value as JSON text; `None` where it has none (a function, a cycle).
    fn to_json(&self) -> Option<String>;

    /// The string member `name`.
    fn text(&self, name: &str) -> Option<String> {
        self.field(name)?.as_text()
    }

    /// The integer member `name`.
    fn int(&self, name: &str) -> Option<i64> {
        self.field(name)?.as_int()
    }

    /// The integer member `name` where it is zero or more.
    fn count(&self, name: &str) -> Option<u64> {
        u64::try_from(self.int(name)?).ok()
    }

    /// The boolean member `name`.
    fn flag(&self, name: &str) -> Option<bool> {
        self.field(name)?.as_flag()
    }
}

#[cfg(feature = "serde")]
impl Document for serde_json::Value {
    fn field(&self, name: &str) -> Option<Self> {
        self.get(name).filter(|value| !value.is_null()).cloned()
    }

    fn as_text(&self) -> Option<String> {
        self.as_str().map(str::to_owned)
    }

    fn as_int(&self) -> Option<i64> {
        self.as_i64()
    }

    fn as_flag(&self) -> Option<bool> {
        self.as_bool()
    }

    fn items(&self) -> Option<Vec<Self>> {
        self.as_array().cloned()
    }

    fn build(fields: Fields<Self>) -> Self {
        crate::Field::Object(fields).into()
    }

    fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    fn to_json(&self) -> Option<String> {
        Some(self.to_string())
    }
}

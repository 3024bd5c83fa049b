//! A JSON value as the engine meets it in a browser: a handle that is cheap to clone, never a copy. Fractions read as `null`; the protocol
//! has none.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::{Map, Value};
use wire::{Document, Field, Fields};

/// A parsed JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Doc {
    /// `null`
    Null,
    /// A boolean.
    Flag(bool),
    /// An integer.
    Int(i64),
    /// A string.
    Text(Rc<str>),
    /// An array.
    List(Rc<[Doc]>),
    /// An object.
    Object(Rc<[(Cow<'static, str>, Doc)]>),
}

impl Doc {
    /// A string.
    pub(crate) fn string(text: &str) -> Doc {
        Doc::Text(text.into())
    }

    /// A number that fits.
    pub(crate) fn flag(value: bool) -> Doc {
        Doc::Flag(value)
    }

    pub(crate) fn number(number: u64) -> Doc {
        i64::try_from(number).map_or(Doc::Null, Doc::Int)
    }

    /// An object.
    pub(crate) fn object(fields: Vec<(&'static str, Doc)>) -> Doc {
        Doc::Object(fields.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect())
    }

    /// An array.
    pub(crate) fn list(items: Vec<Doc>) -> Doc {
        Doc::List(items.into())
    }

    /// This object with more members at its end.
    pub(crate) fn with(&self, fields: Vec<(&'static str, Doc)>) -> Doc {
        let own: &[(Cow<'static, str>, Doc)] = if let Doc::Object(own) = self { own } else { &[] };
        let more = fields.into_iter().map(|(name, value)| (Cow::Borrowed(name), value));
        Doc::Object(own.iter().cloned().chain(more).collect())
    }

    fn from_value(value: Value) -> Doc {
        match value {
            Value::Null => Doc::Null,
            Value::Bool(flag) => Doc::Flag(flag),
            Value::Number(number) => number.as_i64().map_or(Doc::Null, Doc::Int),
            Value::String(text) => Doc::Text(text.into()),
            Value::Array(items) => Doc::List(items.into_iter().map(Doc::from_value).collect()),
            Value::Object(members) => Doc::Object(
                members.into_iter().map(|(name, value)| (Cow::Owned(name), Doc::from_value(value))).collect(),
            ),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Doc::Null => Value::Null,
            Doc::Flag(flag) => (*flag).into(),
            Doc::Int(int) => (*int).into(),
            Doc::Text(text) => (**text).into(),
            Doc::List(items) => items.iter().map(Doc::to_value).collect(),
            Doc::Object(members) => {
                members.iter().map(|(name, value)| (name.to_string(), value.to_value())).collect::<Map<_, _>>().into()
            }
        }
    }

    fn from_field(field: Field<Doc>) -> Doc {
        match field {
            Field::Text(text) => Doc::Text(text.into()),
            Field::Int(int) => Doc::Int(int),
            Field::Flag(flag) => Doc::Flag(flag),
            Field::Object(fields) => Doc::build(fields),
            Field::Document(document) => document,
        }
    }
}

impl Document for Doc {
    fn field(&self, name: &str) -> Option<Self> {
        let Doc::Object(members) = self else { return None };
        let found = members.iter().find(|(other, _)| other == name).map(|(_, value)| value);
        found.filter(|value| **value != Doc::Null).cloned()
    }

    fn as_text(&self) -> Option<String> {
        if let Doc::Text(text) = self { Some(text.to_string()) } else { None }
    }

    fn as_int(&self) -> Option<i64> {
        if let Doc::Int(int) = self { Some(*int) } else { None }
    }

    fn as_flag(&self) -> Option<bool> {
        if let Doc::Flag(flag) = self { Some(*flag) } else { None }
    }

    fn items(&self) -> Option<Vec<Self>> {
        if let Doc::List(items) = self { Some(items.to_vec()) } else { None }
    }

    fn build(fields: Fields<Self>) -> Self {
        Doc::Object(fields.into_iter().map(|(name, field)| (Cow::Borrowed(name), Doc::from_field(field))).collect())
    }

    fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok().map(Doc::from_value)
    }

    fn to_json(&self) -> Option<String> {
        Some(self.to_value().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_survives_its_text() {
        let json = r#"{"a":[1,true,null,"x"],"b":{"c":-2}}"#;
        let doc = Doc::parse(json).unwrap();
        assert_eq!(doc.to_json().unwrap(), json);
        assert_eq!(doc.field("b").unwrap().int("c"), Some(-2));
        assert_eq!(doc.with(vec![("d", Doc::number(3))]).count("d"), Some(3));
        assert!(Doc::parse("{").is_none());
    }
}

//! What the SDK writes: a request body or a frame as a list of named fields, so that a caller's own object can be a member of it without
//! passing through WebAssembly memory.

/// One value of a request body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field<D> {
    /// A string.
    Text(String),
    /// An integer.
    Int(i64),
    /// A boolean.
    Flag(bool),
    /// A nested object.
    Object(Fields<D>),
    /// A value that belongs to the host, such as the caller's own object.
    Document(D),
}

/// A request body or frame: an object with its fields in order.
pub type Fields<D> = Vec<(&'static str, Field<D>)>;

#[cfg(feature = "serde")]
impl From<Field<serde_json::Value>> for serde_json::Value {
    fn from(field: Field<serde_json::Value>) -> Self {
        match field {
            Field::Text(text) => text.into(),
            Field::Int(int) => int.into(),
            Field::Flag(flag) => flag.into(),
            Field::Object(fields) => fields
                .into_iter()
                .map(|(name, field)| (name.to_owned(), field.into()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Field::Document(document) => document,
        }
    }
}

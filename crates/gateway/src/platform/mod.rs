//! The platforms that a chat can live on. Today one: the contact centre inside the gateway ([`embedded`]). A chat names its platform in the
//! store, so that others can come beside it.

pub(crate) mod embedded;

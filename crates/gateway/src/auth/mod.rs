//! Who is asking: the site's token ([`jwt`]), the gateway's own short session ([`session_token`]), and agents at the desk ([`agent`]).
//! Nothing here reads a request: it gets texts and gives identities.

pub(crate) mod agent;
pub(crate) mod jwt;
pub(crate) mod keys;
pub(crate) mod session_token;

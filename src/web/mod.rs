//! The browser ports: every touch with the browser happens in this folder. A port carries out what it is told and reports what happened;
//! it keeps no opinion on retries, order or meaning.

pub(crate) mod chunks;
pub(crate) mod clock;
pub(crate) mod document;
pub(crate) mod entropy;
pub(crate) mod files;
pub(crate) mod http;
pub(crate) mod locks;
pub(crate) mod page;
pub(crate) mod plans;
pub(crate) mod storage;
pub(crate) mod stream;

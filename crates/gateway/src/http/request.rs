//! Reading requests: axum's extractors with our own refusals, and the address of the caller.

use std::net::IpAddr;

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Json, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::error::Error;

/// The address of the caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The address that limits count: the connection's, or behind a trusted proxy the last one that no trusted proxy wrote.
pub(super) fn caller(connection: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let connection = connection.to_canonical();
    if !trusted.contains(&connection) {
        return connection;
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let listed: Vec<IpAddr> =
        forwarded.flat_map(|text| text.split(',')).filter_map(|ip| ip.trim().parse().ok()).collect();
    listed.into_iter().rev().find(|ip| !trusted.contains(ip)).unwrap_or(connection)
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parts.extensions.get::<Peer>().copied().ok_or_else(|| Error::of(wire::ErrorCode::Internal))
    }
}

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Body(body)),
            Err(rejection) => Err(body_refusal(&rejection)),
        }
    }
}

fn body_refusal(rejection: &JsonRejection) -> Error {
    match rejection {
        JsonRejection::JsonDataError(_) => Error::invalid("A field of the body is missing or has the wrong type."),
        JsonRejection::MissingJsonContentType(_) => {
            Error::invalid("The body must be JSON, with `content-type: application/json`.")
        }
        other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => Error::too_large(),
        _ => Error::invalid("The body is not JSON."),
    }
}

/// Parameters of the path.
pub(crate) struct PathOf<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathOf<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let read: Result<Path<T>, PathRejection> = Path::from_request_parts(parts, state).await;
        read.map(|Path(value)| PathOf(value)).map_err(|_| Error::invalid("The number in the path is malformed."))
    }
}

/// Parameters of the query.
pub(crate) struct QueryOf<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let read: Result<Query<T>, QueryRejection> = Query::from_request_parts(parts, state).await;
        read.map(|Query(value)| QueryOf(value)).map_err(|_| Error::invalid("A parameter of the query is malformed."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_addresses_count_only_behind_a_trusted_proxy() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "6.6.6.6, 203.0.113.9, 10.0.0.2".parse().unwrap());
        let proxies = [ip("10.0.0.1"), ip("10.0.0.2")];
        assert_eq!(caller(ip("198.51.100.1"), &headers, &proxies), ip("198.51.100.1"));
        assert_eq!(caller(ip("10.0.0.1"), &headers, &proxies), ip("203.0.113.9"));
        assert_eq!(caller(ip("::ffff:10.0.0.1"), &headers, &proxies), ip("203.0.113.9"));
        assert_eq!(caller(ip("10.0.0.1"), &HeaderMap::new(), &proxies), ip("10.0.0.1"));
    }
}

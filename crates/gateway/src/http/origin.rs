//! Origins: which pages may call. A page of a foreign origin is refused, and the refusal is readable for it, because it holds no secret and
//! a developer who forgot to allow an origin should see that. Callers without an `Origin` are no browsers and pass.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use wire::ErrorCode;

use crate::App;
use crate::config::Company;
use crate::error::Error;

const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PATCH, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type");
const EXPOSED: HeaderValue =
    HeaderValue::from_static("accept-ranges, content-range, retry-after, x-request-id, x-transcript-status");

/// Refuses a page that the company does not allow.
pub(crate) fn check_company(app: &App, company: &Company, headers: &HeaderMap) -> Result<(), Error> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or("");
    let allowed = company.allowed_origins.iter().any(|allowed| allowed == "*" || same_text(allowed, origin));
    if allowed || is_own(app, headers, origin) { Ok(()) } else { Err(Error::of(ErrorCode::OriginForbidden)) }
}

/// Refuses every page but the gateway's own.
pub(crate) fn check_own(app: &App, headers: &HeaderMap) -> Result<(), Error> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    if is_own(app, headers, origin.to_str().unwrap_or("")) {
        Ok(())
    } else {
        Err(Error::new(
            ErrorCode::OriginForbidden,
            "Only the gateway's own pages may do this: set public_url behind a proxy.",
        ))
    }
}

/// Whether a page was served under the very address that it calls. The name in `Host` is the caller's word: it counts where it is
/// `public_url`, an IP address or `localhost`, so that a foreign name pointed at this address is not taken for the gateway's.
fn is_own(app: &App, headers: &HeaderMap, origin: &str) -> bool {
    if let Some(public_url) = &app.config.public_url
        && same_text(public_url, origin)
    {
        return true;
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    let Some((_, authority)) = origin.split_once("://") else { return false };
    authority.eq_ignore_ascii_case(host) && is_plain_host(host)
}

/// An IP address or `localhost`, with or without a port.
fn is_plain_host(host: &str) -> bool {
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let name = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(name, _)| name);
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok()
}

fn same_text(configured: &str, origin: &str) -> bool {
    configured.trim_end_matches('/').eq_ignore_ascii_case(origin)
}

/// Lets pages of every origin read what the end-user API answers, refusals of every layer included, and answers preflights. Whether a page
/// is allowed is decided with its company, which a preflight does not name; nothing is carried out for one that is not. Cookies play no
/// part here, and the desk is left out.
pub(super) async fn cross_origin(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_open = path.starts_with("/api/") || path.starts_with("/demo/");
    let origin = request.headers().get(header::ORIGIN).cloned().filter(|_| is_open);
    let Some(origin) = origin else { return next.run(request).await };
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_preflight { preflight() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    response
}

fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

#[cfg(test)]
mod tests {
    use super::is_plain_host;

    #[test]
    fn only_addresses_and_localhost_are_believed_without_public_url() {
        for host in ["127.0.0.1:8787", "localhost", "LOCALHOST:1", "[::1]:80", "[::1]", "10.1.2.3"] {
            assert!(is_plain_host(host), "{host}");
        }
        for host in
            ["", "evil.example", "evil.example:8787", "localhost.evil.example", "127.0.0.1.evil.example:80", "a:b"]
        {
            assert!(!is_plain_host(host), "{host}");
        }
    }
}

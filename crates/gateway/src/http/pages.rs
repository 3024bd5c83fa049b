//! The demo's pages and the package's files, from the folders of `--www` and `--pkg`. Nothing else of the disk is served. Pages run only their
//! own scripts, and browsers ask each time whether a file changed, so that a rebuild shows at once.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::any;
use tower_http::services::{ServeDir, ServeFile};
use wire::ErrorCode;

use crate::config::Config;
use crate::error::Error;

const PAGE_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' data: blob: http: https:; media-src 'self' blob: http: https:; frame-src http: https:; \
     connect-src 'self' ws: wss: http: https:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
/// Pages below this path are forms that a chat shows in a frame, on any site.
const FORMS: &str = "/forms/";
/// A form has this origin's address and none of its rights, in a frame or not: it must not reach the desk with an agent's cookie.
const FORM_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors http: https:; sandbox allow-scripts allow-forms";

async fn nothing_here() -> Error {
    Error::of(ErrorCode::NotFound)
}

/// Files, and for everything else the refusal of an unknown route.
pub(super) fn service(config: &Config) -> Router {
    let nothing = any(nothing_here);
    let mut files = Router::new();
    if let Some(pkg) = &config.pkg {
        let folder =
            ServeDir::new(pkg).append_index_html_on_directories(false).call_fallback_on_method_not_allowed(true);
        files = files.nest_service("/pkg", folder.fallback(nothing.clone()));
    }
    if let Some(www) = &config.www {
        let folder = ServeDir::new(www).call_fallback_on_method_not_allowed(true);
        files = files
            .route_service("/desk", ServeFile::new(www.join("desk.html")))
            .fallback_service(folder.fallback(nothing));
    } else {
        files = files.fallback(nothing_here);
    }
    files.layer(from_fn(guard))
}

async fn guard(request: Request, next: Next) -> Response {
    let policy = if request.uri().path().starts_with(FORMS) { FORM_POLICY } else { PAGE_POLICY };
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

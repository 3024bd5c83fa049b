//! The demo's pages and the package's files, from the folders of `--www` and `--pkg`. Nothing else of the disk is served. Pages run only their
//! own scripts, and browsers ask each time whether a file changed, so that a rebuild shows at once.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
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

/// Pages below this path show a recording of what a customer sees, framed by the desk.
const REPLAY: &str = "/replay/";
/// What is shown there came from a customer's page, whoever wrote that: it can run no script, load nothing, send nothing and ask for nothing.
/// Only this origin's own scripts run, and only the desk may frame it.
const REPLAY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline' 'self'; img-src data: blob:; \
     font-src data:; connect-src 'none'; frame-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";
/// What a browser would otherwise let any page ask for. Chromium warns of names that it does not know.
const REPLAY_PERMISSIONS: &str = "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), clipboard-read=(), \
     clipboard-write=(), display-capture=(), encrypted-media=(), fullscreen=(), gamepad=(), geolocation=(), gyroscope=(), hid=(), \
     idle-detection=(), local-fonts=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), \
     publickey-credentials-get=(), screen-wake-lock=(), serial=(), storage-access=(), usb=(), window-management=(), \
     xr-spatial-tracking=()";

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
    let path = request.uri().path();
    let is_replay = path.starts_with(REPLAY);
    let policy = match path {
        _ if is_replay => REPLAY_POLICY,
        path if path.starts_with(FORMS) => FORM_POLICY,
        _ => PAGE_POLICY,
    };
    let mut response = next.run(request).await;
    let mut set = |name: HeaderName, value: &'static str| {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, policy);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-cache");
    if is_replay {
        set(header::X_DNS_PREFETCH_CONTROL, "off");
        set(HeaderName::from_static("permissions-policy"), REPLAY_PERMISSIONS);
        set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    }
    response
}

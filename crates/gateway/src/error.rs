//! Every refusal of the gateway, mapped once to status, code and text. Causes are logged where they are turned into a refusal and never
//! returned; texts are fixed, so that none repeats a token, a name or a message.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use wire::ErrorCode;
use wire::rest::{ErrorBody, ErrorDetail};

use crate::store::StoreError;

/// How long to wait where nothing better is known.
const DEFAULT_RETRY_MS: u64 = 1000;

/// A refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub(crate) struct Error {
    pub(crate) code: ErrorCode,
    /// What to do about it.
    pub(crate) message: &'static str,
    pub(crate) retry_after_ms: Option<u64>,
    /// Where it differs from the code's usual one.
    status: Option<StatusCode>,
}

impl Error {
    pub(crate) fn new(code: ErrorCode, message: &'static str) -> Error {
        let retry_after_ms =
            matches!(code, ErrorCode::Unavailable | ErrorCode::RateLimited).then_some(DEFAULT_RETRY_MS);
        Error { code, message, retry_after_ms, status: None }
    }

    /// A refusal with the usual text of its code.
    pub(crate) fn of(code: ErrorCode) -> Error {
        Error::new(code, usual_message(code))
    }

    pub(crate) fn invalid(message: &'static str) -> Error {
        Error::new(ErrorCode::InvalidArgument, message)
    }

    pub(crate) fn too_large() -> Error {
        Error::of(ErrorCode::TooLarge)
    }

    pub(crate) fn rate_limited(retry_after_ms: u64) -> Error {
        Error { retry_after_ms: Some(retry_after_ms.max(1)), ..Error::of(ErrorCode::RateLimited) }
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Error {
        Error { status: Some(status), ..self }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status.unwrap_or_else(|| usual_status(self.code))
    }

    pub(crate) fn detail(&self) -> ErrorDetail {
        ErrorDetail {
            code: self.code.as_str().to_owned(),
            message: self.message.to_owned(),
            retry_after_ms: self.retry_after_ms,
            fields: None,
        }
    }
}

impl From<StoreError> for Error {
    fn from(cause: StoreError) -> Error {
        tracing::error!(%cause, "the store failed");
        Error::of(ErrorCode::Unavailable)
    }
}

fn usual_status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidArgument | ErrorCode::Protocol | ErrorCode::Unsupported => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthorized
        | ErrorCode::TokenExpired
        | ErrorCode::TokenInvalid
        | ErrorCode::AuthenticationFailed
        | ErrorCode::IdentityChanged => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden | ErrorCode::OriginForbidden => StatusCode::FORBIDDEN,
        ErrorCode::NotFound | ErrorCode::CompanyUnknown | ErrorCode::NoChat => StatusCode::NOT_FOUND,
        ErrorCode::AfterHours | ErrorCode::Conflict | ErrorCode::ChatEnded => StatusCode::CONFLICT,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Timeout => StatusCode::REQUEST_TIMEOUT,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        // The SDK's own codes: a gateway that sends one of them is at fault.
        ErrorCode::Aborted
        | ErrorCode::Closed
        | ErrorCode::FileLost
        | ErrorCode::Internal
        | ErrorCode::Network
        | ErrorCode::StorageUnavailable
        | ErrorCode::WasmLoadFailed => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn usual_message(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::AfterHours => "The queue takes no chats at this hour: `getAfterHourMessage` has what to say.",
        ErrorCode::ChatEnded => "The chat is over.",
        ErrorCode::CompanyUnknown => "No company has this key: check the client's companyId.",
        ErrorCode::Conflict => "The chat is not in a state that allows this.",
        ErrorCode::Forbidden => "This is not yours.",
        ErrorCode::InvalidArgument => "The request is malformed.",
        ErrorCode::NotFound => "There is no such thing, or it is not yours.",
        ErrorCode::OriginForbidden => "This page's origin is not among the company's allowed origins.",
        ErrorCode::RateLimited => "Too many requests: wait before the next one.",
        ErrorCode::Timeout => "The request took too long.",
        ErrorCode::TokenExpired => "The token has expired: sign a new one.",
        ErrorCode::TokenInvalid => {
            "The token is malformed, or not signed with this company's secret by HS256, HS384 or HS512."
        }
        ErrorCode::TooLarge => "The text or body is larger than allowed.",
        ErrorCode::Unauthorized => "The session is missing, refused or expired: exchange a token again.",
        ErrorCode::Unavailable => "The gateway cannot do this at the moment: try again.",
        ErrorCode::Unsupported => "This kind of message is not supported here.",
        _ => "Something went wrong.",
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(ErrorBody { error: self.detail() })).into_response();
        if let Some(retry_after_ms) = self.retry_after_ms {
            let seconds = retry_after_ms.div_ceil(1000).max(1);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_that_a_caller_can_cause_is_a_server_error() {
        for code in ErrorCode::ALL {
            let status = usual_status(*code);
            let ours = matches!(
                code,
                ErrorCode::Aborted
                    | ErrorCode::Closed
                    | ErrorCode::FileLost
                    | ErrorCode::Internal
                    | ErrorCode::Network
                    | ErrorCode::StorageUnavailable
                    | ErrorCode::WasmLoadFailed
                    | ErrorCode::Unavailable
            );
            assert_eq!(status.is_server_error(), ours, "{code:?}");
        }
    }

    #[test]
    fn waiting_is_told_in_header_and_body() {
        let response = Error::rate_limited(1500).into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers().get(header::RETRY_AFTER).unwrap(), "2");
    }
}

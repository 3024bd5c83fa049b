//! What a call fails with. Holds no token and no message text, so that it can be logged as it is.

use wire::{Document, ErrorCode};

/// Why a call was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// One of the closed set.
    pub code: ErrorCode,
    /// The HTTP status, where HTTP spoke.
    pub status: Option<u16>,
    /// How long to wait before another try.
    pub retry_after_ms: Option<u64>,
    /// What to do, for the developer.
    pub message: String,
    /// What is wrong with which answer of a form, as the gateway's JSON.
    pub fields_json: Option<String>,
}

impl Error {
    /// An error of the client's own.
    #[must_use]
    pub fn new(code: ErrorCode, message: &str) -> Self {
        Error { code, status: None, retry_after_ms: None, message: message.to_owned(), fields_json: None }
    }

    /// The error for a refusal of the gateway, or of something between it and the page that answers no JSON of ours.
    pub(crate) fn from_response<D: Document>(status: u16, retry_after_ms: Option<u64>, body: Option<&D>) -> Self {
        let detail = body.and_then(|body| body.field("error"));
        let code = detail.as_ref().and_then(|detail| ErrorCode::from_text(&detail.text("code")?));
        let message = detail.as_ref().and_then(|detail| detail.text("message"));
        Error {
            code: code.unwrap_or_else(|| code_of_status(status)),
            status: Some(status),
            retry_after_ms: detail.as_ref().and_then(|detail| detail.count("retry_after_ms")).or(retry_after_ms),
            message: message.unwrap_or_else(|| "The gateway refused the request.".to_owned()),
            fields_json: detail.and_then(|detail| detail.field("fields")?.to_json()),
        }
    }

    /// Whether the same call may succeed later without a change by the caller.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.code.is_retryable()
    }
}

fn code_of_status(status: u16) -> ErrorCode {
    match status {
        400 | 405 | 415 | 422 => ErrorCode::InvalidArgument,
        401 => ErrorCode::Unauthorized,
        403 => ErrorCode::Forbidden,
        404 | 410 => ErrorCode::NotFound,
        409 => ErrorCode::Conflict,
        413 => ErrorCode::TooLarge,
        429 => ErrorCode::RateLimited,
        500..=599 => ErrorCode::Unavailable,
        _ => ErrorCode::Protocol,
    }
}

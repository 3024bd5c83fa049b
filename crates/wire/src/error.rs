//! The closed set of error codes, one list for the gateway's bodies and the SDK's errors. The list is public API: a code is never
//! renamed, and the package's declarations are checked against it.

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, retryable: $retryable:literal;)+) => {
        /// What went wrong, as a gateway's `error.code` and as the `code` of the SDK's errors.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)+
        }

        impl ErrorCode {
            /// Every code, for tests of completeness.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant),+];

            /// The code as it is written in bodies, frames and JavaScript.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(ErrorCode::$variant => $text,)+
                }
            }

            /// Whether the same call may succeed later without a change by the caller.
            #[must_use]
            pub fn is_retryable(self) -> bool {
                match self {
                    $(ErrorCode::$variant => $retryable,)+
                }
            }

            /// The code with this text, `None` for a text that a newer gateway may send.
            #[must_use]
            pub fn from_text(text: &str) -> Option<ErrorCode> {
                // A comparison for each would cost browsers more than the loop does.
                Self::ALL.iter().copied().find(|code| code.as_str() == text)
            }
        }
    };
}

error_codes! {
    /// The queue takes no chats at this hour.
    AfterHours = "after_hours", retryable: false;
    /// A call was abandoned through its `AbortSignal`.
    Aborted = "aborted", retryable: false;
    /// The site's `authenticate` function failed or gave no token.
    AuthenticationFailed = "authentication_failed", retryable: true;
    /// The chat is over.
    ChatEnded = "chat_ended", retryable: false;
    /// The client was closed.
    Closed = "closed", retryable: false;
    /// No company has this key.
    CompanyUnknown = "company_unknown", retryable: false;
    /// The chat is not in a state that allows the call.
    Conflict = "conflict", retryable: false;
    /// The file of a message did not survive the reload of the page: the browser keeps no files here.
    FileLost = "file_lost", retryable: false;
    /// The chat or action belongs to someone else.
    Forbidden = "forbidden", retryable: false;
    /// The end user changed while the call was waiting; it was not carried out.
    IdentityChanged = "identity_changed", retryable: false;
    /// A fault of ours.
    Internal = "internal", retryable: false;
    /// An argument or body is missing, malformed or of the wrong type.
    InvalidArgument = "invalid_argument", retryable: false;
    /// The gateway could not be reached.
    Network = "network", retryable: true;
    /// There is no ongoing chat.
    NoChat = "no_chat", retryable: false;
    /// There is no such thing: a menu, a chat, a route.
    NotFound = "not_found", retryable: false;
    /// The page's origin is not among the company's allowed origins.
    OriginForbidden = "origin_forbidden", retryable: false;
    /// The other side said something that cannot be read.
    Protocol = "protocol", retryable: false;
    /// Too many requests; wait for `retryAfterMs`.
    RateLimited = "rate_limited", retryable: true;
    /// The browser refuses storage, or it is full: text typed offline does not survive a reload.
    StorageUnavailable = "storage_unavailable", retryable: false;
    /// The outbox gave a message up after `sendTimeoutMs`.
    Timeout = "timeout", retryable: true;
    /// The site's token has expired.
    TokenExpired = "token_expired", retryable: true;
    /// The site's token is malformed, unsigned or signed with another key.
    TokenInvalid = "token_invalid", retryable: false;
    /// The text or body is larger than allowed.
    TooLarge = "too_large", retryable: false;
    /// The session is missing, refused or expired.
    Unauthorized = "unauthorized", retryable: true;
    /// The gateway is overloaded, restarting or cannot write.
    Unavailable = "unavailable", retryable: true;
    /// The platform or this release does not offer the call.
    Unsupported = "unsupported", retryable: false;
    /// The WebAssembly module, or a part of the package that the call needs, could not be loaded; the next call tries again.
    WasmLoadFailed = "wasm_load_failed", retryable: true;
}

#[cfg(test)]
mod tests {
    use super::ErrorCode;

    #[test]
    fn every_code_reads_back_from_its_own_text() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_text(code.as_str()), Some(*code));
        }
    }

    #[test]
    fn a_code_of_a_newer_gateway_is_not_mistaken_for_a_known_one() {
        assert_eq!(ErrorCode::from_text("quantum_flux"), None);
    }
}

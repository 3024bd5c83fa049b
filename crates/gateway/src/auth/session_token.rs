//! The short session of an end user: a signed token, checked without a look at the store. It names a number, never a person.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use wire::ErrorCode;

use crate::auth::keys::Keys;
use crate::error::Error;

/// Whose session it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The end user's number.
    #[serde(rename = "sub")]
    pub(crate) end_user_id: u64,
    /// The company's key.
    #[serde(rename = "co")]
    pub(crate) company_id: String,
    /// When it ends.
    #[serde(rename = "ems")]
    pub(crate) expires_at_ms: u64,
}

/// Makes and reads session tokens.
#[derive(Clone)]
pub(crate) struct SessionTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl SessionTokens {
    pub(crate) fn new(keys: &Keys) -> SessionTokens {
        let key = keys.derive("session");
        let mut validation = Validation::new(Algorithm::HS256);
        // The end is in milliseconds and checked below.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        SessionTokens { encoding: EncodingKey::from_secret(&key), decoding: DecodingKey::from_secret(&key), validation }
    }

    pub(crate) fn issue(&self, session: &Session) -> Result<String, Error> {
        encode(&Header::new(Algorithm::HS256), session, &self.encoding).map_err(|_| Error::of(ErrorCode::Internal))
    }

    /// The session of a token that is still good.
    pub(crate) fn verify(&self, token: &str, now_ms: u64) -> Result<Session, Error> {
        decode::<Session>(token, &self.decoding, &self.validation)
            .ok()
            .map(|data| data.claims)
            .filter(|session| session.expires_at_ms > now_ms)
            .ok_or_else(|| Error::of(ErrorCode::Unauthorized))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_good_until_its_end_and_only_with_our_key() {
        let tokens = SessionTokens::new(&Keys::new([7; 32]));
        let session = Session { end_user_id: 3, company_id: "demo".into(), expires_at_ms: 1000 };
        let token = tokens.issue(&session).unwrap();
        assert_eq!(tokens.verify(&token, 999).unwrap(), session);
        assert_eq!(tokens.verify(&token, 1000).unwrap_err().code, ErrorCode::Unauthorized);
        let others = SessionTokens::new(&Keys::new([8; 32]));
        assert_eq!(others.verify(&token, 0).unwrap_err().code, ErrorCode::Unauthorized);
    }
}

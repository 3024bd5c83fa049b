//! The token that a company's site signs for its visitor (`ccaip.md` 9.1). Accepts HS256, HS384 and HS512 with the company secret and
//! nothing else; a token without `exp`, with `alg: none` or with another key is refused.

use axum::http::StatusCode;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wire::ErrorCode;

use crate::clock::now_ms;
use crate::config::Secret;
use crate::error::Error;

/// Longest claim that is kept.
const MAX_CLAIM_BYTES: usize = 320;

/// What a site says about its visitor.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Visitor {
    pub(crate) identifier: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    identifier: Option<Text>,
    #[serde(default)]
    name: Option<Text>,
    #[serde(default)]
    email: Option<Text>,
    #[serde(default)]
    phone: Option<Text>,
}

/// Sites write numeric identifiers as numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Text(String),
    Number(i64),
}

/// The visitor for whom a token was signed.
pub(crate) fn verify(token: &str, secret: &Secret, leeway_ms: u64) -> Result<Visitor, Error> {
    let Claims { identifier, name, email, phone } = claims_of(token, secret, leeway_ms)?;
    Ok(Visitor { identifier: kept(identifier)?, name: kept(name)?, email: kept(email)?, phone: kept(phone)? })
}

/// The claims of a token that was signed with the company secret and is good now.
fn claims_of<T: DeserializeOwned>(token: &str, secret: &Secret, leeway_ms: u64) -> Result<T, Error> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.algorithms = vec![Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
    validation.validate_nbf = true;
    validation.validate_aud = false;
    validation.leeway = leeway_ms / 1000;
    let key = DecodingKey::from_secret(secret.0.as_bytes());
    let decoded = decode::<T>(token, &key, &validation).map_err(|error| match error.kind() {
        ErrorKind::ExpiredSignature => Error::of(ErrorCode::TokenExpired),
        ErrorKind::ImmatureSignature => Error::new(
            ErrorCode::TokenInvalid,
            "The token is not valid yet: check the clock of the server that signs it.",
        ),
        ErrorKind::MissingRequiredClaim(_) => {
            Error::new(ErrorCode::TokenInvalid, "The token must have an `exp` claim.")
        }
        _ => Error::of(ErrorCode::TokenInvalid),
    })?;
    Ok(decoded.claims)
}

#[derive(Deserialize)]
struct CustomDataClaims {
    #[serde(default)]
    custom_data: Option<Map<String, Value>>,
    iat: u64,
}

/// The custom data that a site signed (`ccaip.md` 9.2), in its order: none where the token holds none. Its refusals are 400s: the session is
/// good, the request is not.
pub(crate) fn verify_custom_data(token: &str, secret: &Secret, leeway_ms: u64) -> Result<Map<String, Value>, Error> {
    let claims: CustomDataClaims =
        claims_of(token, secret, leeway_ms).map_err(|error| error.with_status(StatusCode::BAD_REQUEST))?;
    if claims.iat > now_ms().saturating_add(leeway_ms) / 1000 {
        let text = "The custom data's `iat` lies in the future: check the clock of the server that signs it.";
        return Err(Error::new(ErrorCode::TokenInvalid, text).with_status(StatusCode::BAD_REQUEST));
    }
    Ok(claims.custom_data.unwrap_or_default())
}

/// Empty claims count as absent: sites fill them from templates.
fn kept(claim: Option<Text>) -> Result<Option<String>, Error> {
    let text = match claim {
        Some(Text::Text(text)) => text,
        Some(Text::Number(number)) => number.to_string(),
        None => return Ok(None),
    };
    if text.len() > MAX_CLAIM_BYTES {
        return Err(Error::new(ErrorCode::TokenInvalid, "A claim of the token is too long."));
    }
    Ok((!text.is_empty()).then_some(text))
}

#[derive(Serialize)]
struct SignedClaims<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    iat: u64,
    exp: u64,
}

#[derive(Serialize)]
struct SignedCustomData<'a> {
    custom_data: &'a Map<String, Value>,
    iat: u64,
    exp: u64,
}

/// Signs custom data as a site's own server would, in its order; only the demo does.
pub(crate) fn sign_custom_data(
    custom_data: &Map<String, Value>,
    secret: &Secret,
    now_ms: u64,
    lifetime_ms: u64,
) -> Result<String, Error> {
    let claims = SignedCustomData { custom_data, iat: now_ms / 1000, exp: now_ms.saturating_add(lifetime_ms) / 1000 };
    encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret.0.as_bytes()))
        .map_err(|_| Error::of(ErrorCode::Internal))
}

/// Signs a token as a site's own server would; only the demo does.
pub(crate) fn sign(visitor: &Visitor, secret: &Secret, now_ms: u64, lifetime_ms: u64) -> Result<String, Error> {
    let claims = SignedClaims {
        identifier: visitor.identifier.as_deref(),
        name: visitor.name.as_deref(),
        email: visitor.email.as_deref(),
        iat: now_ms / 1000,
        exp: now_ms.saturating_add(lifetime_ms) / 1000,
    };
    encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret.0.as_bytes()))
        .map_err(|_| Error::of(ErrorCode::Internal))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn signed(algorithm: Algorithm, claims: &Value, secret: &str) -> String {
        encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    }

    fn code(token: &str) -> Option<ErrorCode> {
        verify(token, &Secret("right".into()), 30_000).err().map(|error| error.code)
    }

    #[test]
    fn the_three_hmac_algorithms_are_accepted_with_the_right_key_only() {
        let claims = json!({"identifier": "u1", "exp": now_ms() / 1000 + 60});
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            assert_eq!(code(&signed(algorithm, &claims, "right")), None);
            assert_eq!(code(&signed(algorithm, &claims, "wrong")), Some(ErrorCode::TokenInvalid));
        }
    }

    #[test]
    fn times_are_checked_with_leeway() {
        let now = now_ms() / 1000;
        let table = [
            (json!({"exp": now - 3600}), Some(ErrorCode::TokenExpired)),
            (json!({"exp": now - 10}), None),
            (json!({"exp": now + 60, "nbf": now + 3600}), Some(ErrorCode::TokenInvalid)),
            (json!({"exp": now + 60, "nbf": now + 10}), None),
            (json!({"identifier": "no exp"}), Some(ErrorCode::TokenInvalid)),
            (json!({"exp": "tomorrow"}), Some(ErrorCode::TokenInvalid)),
        ];
        for (claims, expected) in table {
            assert_eq!(code(&signed(Algorithm::HS256, &claims, "right")), expected, "{claims}");
        }
    }

    #[test]
    fn unsigned_and_mangled_tokens_are_refused() {
        // {"alg":"none","typ":"JWT"} and {"identifier":"u1","exp":9999999999}
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpZGVudGlmaWVyIjoidTEiLCJleHAiOjk5OTk5OTk5OTl9.";
        let good = signed(Algorithm::HS256, &json!({"exp": now_ms() / 1000 + 60}), "right");
        let cut: String = good.chars().take(good.len() - 2).collect();
        for token in [none, "", "a.b.c", "not a token", &cut] {
            assert_eq!(code(token), Some(ErrorCode::TokenInvalid), "{token}");
        }
    }

    #[test]
    fn claims_may_be_numbers_empty_or_too_long() {
        let exp = now_ms() / 1000 + 60;
        let token = signed(Algorithm::HS256, &json!({"identifier": 42, "name": "", "exp": exp}), "right");
        let visitor = verify(&token, &Secret("right".into()), 0).unwrap();
        assert_eq!((visitor.identifier.as_deref(), visitor.name), (Some("42"), None));
        let token = signed(Algorithm::HS256, &json!({"identifier": "x".repeat(400), "exp": exp}), "right");
        assert_eq!(code(&token), Some(ErrorCode::TokenInvalid));
    }
}

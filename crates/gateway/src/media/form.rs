//! The form that brings a file: what it allows stands in it, signed with a key of the gateway, so that posting it needs no session.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::gateway::Author;
use serde::{Deserialize, Serialize};
use wire::ErrorCode;
use wire::rest::UploadForm;

use crate::auth::keys::Keys;
use crate::error::Error;

/// How long a form is good for.
const LIFETIME_MS: u64 = 5 * 60 * 1000;
/// Where forms are posted.
pub(crate) const URL: &str = "/api/v1/uploads";

/// What a form allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Policy {
    /// The file that may be brought.
    #[serde(rename = "m")]
    pub(crate) media_id: u64,
    /// Whose it is.
    #[serde(flatten)]
    pub(crate) owner: Owner,
    /// Its name says that its text is a table.
    #[serde(rename = "csv", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_table: bool,
    /// When it ends.
    #[serde(rename = "ems")]
    expires_at_ms: u64,
}

/// Whose file it is, and so whose pages may post its form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Owner {
    /// An end user, on pages of the company.
    EndUser {
        /// The end user.
        #[serde(rename = "u")]
        id: u64,
        /// The company.
        #[serde(rename = "co")]
        company_id: String,
    },
    /// An agent, on the desk's pages.
    Agent {
        /// The agent.
        #[serde(rename = "a")]
        id: u64,
    },
}

impl Owner {
    /// The author of the file.
    pub(crate) fn author(&self) -> Author {
        match self {
            Owner::EndUser { id, .. } => Author::EndUser(*id),
            Owner::Agent { id } => Author::Agent(*id),
        }
    }
}

/// A form for a file.
pub(crate) fn issue(
    keys: &Keys,
    media_id: u64,
    (owner, is_table): (Owner, bool),
    now_ms: u64,
) -> Result<UploadForm, Error> {
    let expires_at_ms = now_ms.saturating_add(LIFETIME_MS);
    let policy = Policy { media_id, owner, is_table, expires_at_ms };
    let json = serde_json::to_vec(&policy).map_err(|_| Error::of(ErrorCode::Internal))?;
    let policy = URL_SAFE_NO_PAD.encode(json);
    let signature = keys.form_signature(&policy);
    let fields = [("policy".to_owned(), policy), ("signature".to_owned(), signature)];
    Ok(UploadForm { url: URL.to_owned(), fields: fields.into() })
}

/// What the fields of a form allow, where they are ours and still good.
pub(crate) fn verify(keys: &Keys, policy: &str, signature: &str, now_ms: u64) -> Result<Policy, Error> {
    let refused = || Error::new(ErrorCode::Forbidden, "The form is not one of this gateway's.");
    if !keys.is_form_signature(policy, signature) {
        return Err(refused());
    }
    let json = URL_SAFE_NO_PAD.decode(policy).map_err(|_| refused())?;
    let policy: Policy = serde_json::from_slice(&json).map_err(|_| refused())?;
    if policy.expires_at_ms <= now_ms {
        return Err(Error::new(ErrorCode::Timeout, "The form has expired: ask for a new one."));
    }
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_good_for_five_minutes_and_only_as_it_was_issued() {
        let keys = Keys::new([7; 32]);
        let uma = Owner::EndUser { id: 4, company_id: "acme".to_owned() };
        let form = issue(&keys, 3, (uma.clone(), true), 1000).unwrap();
        let (policy, signature) = (&form.fields["policy"], &form.fields["signature"]);
        let read = verify(&keys, policy, signature, 1000 + LIFETIME_MS - 1).unwrap();
        assert_eq!((read.media_id, &read.owner, read.is_table), (3, &uma, true));
        let code = |result: Result<Policy, Error>| result.unwrap_err().code;
        assert_eq!(code(verify(&keys, policy, signature, 1000 + LIFETIME_MS)), ErrorCode::Timeout);
        let other = issue(&keys, 5, (Owner::Agent { id: 4 }, false), 1000).unwrap();
        let (her_policy, her_signature) = (&other.fields["policy"], &other.fields["signature"]);
        let read = verify(&keys, her_policy, her_signature, 1000).unwrap();
        assert_eq!((read.owner.author(), read.is_table), (Author::Agent(4), false));
        assert_eq!(code(verify(&keys, her_policy, signature, 1000)), ErrorCode::Forbidden);
        assert_eq!(code(verify(&Keys::new([8; 32]), policy, signature, 1000)), ErrorCode::Forbidden);
        assert_eq!(code(verify(&keys, "", "", 1000)), ErrorCode::Forbidden);
    }
}

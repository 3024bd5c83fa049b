//! Agents' passwords and sign-ins. A password is compared with its argon2 hash, also for a login that does not exist, so that logins cannot
//! be guessed by the time it takes; a sign-in is a random token of which the store keeps only the hash.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use wire::ErrorCode;

use crate::config::Secret;
use crate::error::Error;

/// Passwords compared at a time: each takes a core and 19 MiB.
static COMPARISONS: Semaphore = Semaphore::const_new(2);

/// A hash of nothing anyone knows, with the usual cost.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$ZHVtbXlzYWx0ZHVtbXk$G6hK0lc1lR2gYHyrM4cuoVXzH1SStMHQN0Lw1sTbBHo";

/// Hashes a password for the configuration file.
///
/// # Errors
/// Where the operating system gives no randomness.
pub(crate) fn hash_password(password: &str) -> Result<String, String> {
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(|error| error.to_string())
}

/// Whether a password belongs to a hash; `None` for a login that does not exist, which takes as long.
pub(crate) async fn verify_password(password: String, hash: Option<Secret>) -> Result<bool, Error> {
    let unavailable = || Error::of(ErrorCode::Unavailable);
    let _turn = COMPARISONS.acquire().await.map_err(|_| unavailable())?;
    let comparison = tokio::task::spawn_blocking(move || {
        let text = hash.as_ref().map_or(NOBODY, |hash| hash.0.as_str());
        let fits = PasswordHash::new(text)
            .is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok());
        fits && hash.is_some()
    });
    comparison.await.map_err(|_| unavailable())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let hash = Secret(hash_password("correct horse").unwrap());
        assert!(verify_password("correct horse".into(), Some(hash.clone())).await.unwrap());
        assert!(!verify_password("wrong horse".into(), Some(hash)).await.unwrap());
        assert!(!verify_password("correct horse".into(), None).await.unwrap());
        assert!(PasswordHash::new(NOBODY).is_ok());
    }
}

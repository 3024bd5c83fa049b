//! The gateway's own keys, derived from one random root that the store keeps, so that sessions and message marks survive a restart.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

type HmacSha256 = Hmac<Sha256>;

/// The length of the root key.
pub(crate) const ROOT_KEY_BYTES: usize = 32;

/// The keys.
#[derive(Clone)]
pub(crate) struct Keys {
    root: [u8; ROOT_KEY_BYTES],
    /// Ready to be fed, so that marking a message costs no key set-up.
    message: HmacSha256,
}

/// What the envelope of a message carries besides its content.
pub(crate) struct Marks {
    /// `$sid`.
    pub(crate) sid: String,
    /// `signature`.
    pub(crate) signature: String,
}

impl Keys {
    pub(crate) fn new(root: [u8; ROOT_KEY_BYTES]) -> Keys {
        let message = keyed(&derive(&root, "message"));
        Keys { root, message }
    }

    /// A key for one purpose; keys of different purposes tell nothing about each other.
    pub(crate) fn derive(&self, purpose: &str) -> [u8; 32] {
        derive(&self.root, purpose)
    }

    /// The id and the mark of a stored message. Both follow from its place and content, so that they never change and need no storage.
    pub(crate) fn message_marks(&self, chat_id: u64, index: u64, at_ms: u64, author: (&str, u64), body: &str) -> Marks {
        let mut mac = self.message.clone();
        for number in [chat_id, index, at_ms, author.1] {
            mac.update(&number.to_be_bytes());
        }
        mac.update(author.0.as_bytes());
        mac.update(&[0]);
        mac.update(body.as_bytes());
        let code = mac.finalize().into_bytes();
        let (sid, signature) = code.split_at(16);
        Marks { sid: URL_SAFE_NO_PAD.encode(sid), signature: URL_SAFE_NO_PAD.encode(signature) }
    }

    /// The gateway's mark on a form for a file.
    pub(crate) fn form_signature(&self, policy: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.form_mac(policy).finalize().into_bytes())
    }

    /// Whether a form bears the gateway's mark; compared without telling by its time how much of it fits.
    pub(crate) fn is_form_signature(&self, policy: &str, signature: &str) -> bool {
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        self.form_mac(policy).verify_slice(&signature).is_ok()
    }

    fn form_mac(&self, policy: &str) -> HmacSha256 {
        let mut mac = keyed(&self.derive("upload form"));
        mac.update(policy.as_bytes());
        mac
    }

    /// The gateway's mark on a link to a file, for a time.
    pub(crate) fn media_link_signature(&self, media_id: u64, expires_at_ms: u64) -> String {
        URL_SAFE_NO_PAD.encode(self.media_link_mac(media_id, expires_at_ms).finalize().into_bytes())
    }

    /// Whether a link to a file bears the gateway's mark; compared without telling by its time how much of it fits.
    pub(crate) fn is_media_link_signature(&self, media_id: u64, expires_at_ms: u64, signature: &str) -> bool {
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        self.media_link_mac(media_id, expires_at_ms).verify_slice(&signature).is_ok()
    }

    fn media_link_mac(&self, media_id: u64, expires_at_ms: u64) -> HmacSha256 {
        let mut mac = keyed(&self.derive("media link"));
        mac.update(&media_id.to_be_bytes());
        mac.update(&expires_at_ms.to_be_bytes());
        mac
    }

    /// The value that a desk session's writes must carry.
    pub(crate) fn csrf_token(&self, session_token: &str) -> String {
        let mut mac = keyed(&self.derive("csrf"));
        mac.update(session_token.as_bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }
}

fn derive(root: &[u8], purpose: &str) -> [u8; 32] {
    let mut mac = keyed(root);
    mac.update(purpose.as_bytes());
    mac.finalize().into_bytes().into()
}

fn keyed(key: &[u8]) -> HmacSha256 {
    // HMAC takes a key of any length, so hashing it is never needed; it only keeps this function without a failure.
    HmacSha256::new_from_slice(key)
        .unwrap_or_else(|_| HmacSha256::new(&Sha256::digest(key).into_iter().chain([0; 32]).collect()))
}

/// Bytes nobody can guess.
///
/// # Errors
/// Where the operating system gives none.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// The form in which secrets are kept: whoever reads the store cannot use them.
pub(crate) fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Bytes as text for tokens and cookies.
pub(crate) fn to_text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

//! Who the end user is, and the names of stored values. Every key carries the gateway and the company, and what belongs to one end user
//! carries that end user, so that nothing of a former one is ever read.

use super::text::decimal;

/// The gateway and company that stored values belong to, and the end user as far as known.
pub(crate) struct Identity {
    prefix: String,
    /// Names the end user where the site's token does not.
    pub(crate) secret: Option<String>,
    /// The end user of the current session.
    pub(crate) end_user_id: Option<u64>,
}

impl Identity {
    pub(crate) fn new(gateway: &str, company_id: &str) -> Self {
        let prefix = ["sportello|", gateway, "|", company_id, "|"].concat();
        Identity { prefix, secret: None, end_user_id: None }
    }

    pub(crate) fn secret_key(&self) -> String {
        [&self.prefix, "secret"].concat()
    }

    /// What every outbox key of every end user starts with.
    pub(crate) fn outbox_prefix(&self) -> String {
        [&self.prefix, "outbox|"].concat()
    }

    /// What the outbox keys of one end user start with.
    pub(crate) fn outbox_prefix_of(&self, end_user_id: u64) -> String {
        [&self.outbox_prefix(), decimal(end_user_id).as_str(), "|"].concat()
    }
}

const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// `length` random characters of base64url, 6 bits each.
pub(crate) fn random_text(length: usize, entropy: &mut dyn FnMut() -> u64) -> String {
    let mut text = String::with_capacity(length);
    let (mut bits, mut left) = (0_u64, 0);
    while text.len() < length {
        if left < 6 {
            (bits, left) = (entropy(), 60);
        }
        let index = (bits & 63) as usize;
        text.extend(BASE64_URL.get(index).map(|byte| char::from(*byte)));
        bits >>= 6;
        left -= 6;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Identity, random_text};

    #[test]
    fn random_text_uses_all_the_entropy_it_asks_for() {
        let mut asked = 0;
        let text = random_text(43, &mut || {
            asked += 1;
            u64::MAX
        });
        assert_eq!(text, "_".repeat(43));
        assert_eq!(asked, 5);
    }

    #[test]
    fn keys_of_two_end_users_never_share_a_prefix() {
        let identity = Identity::new("https://g", "c");
        assert!(!identity.outbox_prefix_of(12).starts_with(&identity.outbox_prefix_of(1)));
    }
}

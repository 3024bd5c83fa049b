//! Asks a service whether a person filled in a form. It gets the page's token and the site's secret and nothing about the customer. Where it cannot be
//! asked, nobody passes.

use std::time::Duration;

use serde::Deserialize;

use crate::config;

/// How long the service may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest token of a page.
const MAX_TOKEN_BYTES: usize = 8192;
/// Longest answer.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What the service says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A person.
    Passed,
    /// No person, or no token, or an old one.
    Failed,
    /// It did not say.
    Unavailable,
}

/// A service that is configured.
pub(crate) struct Verifier {
    http: reqwest::Client,
    config: config::Recaptcha,
}

#[derive(Deserialize)]
struct Answer {
    success: bool,
    #[serde(default)]
    score: Option<f64>,
}

impl Verifier {
    /// # Errors
    /// Where the machine has no use for TLS.
    pub(crate) fn new(config: &config::Recaptcha) -> std::io::Result<Verifier> {
        // The first to ask decides for the process; a second time it is the same.
        drop(rustls::crypto::ring::default_provider().install_default());
        let builder = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
        let http = builder.build().map_err(std::io::Error::other)?;
        Ok(Verifier { http, config: config.clone() })
    }

    /// Asks about a page's token.
    pub(crate) async fn check(&self, token: Option<&str>) -> Verdict {
        let Some(token) = token.filter(|token| !token.is_empty() && token.len() <= MAX_TOKEN_BYTES) else {
            return Verdict::Failed;
        };
        match self.ask(token).await {
            Some(answer) => self.judge(&answer),
            None => {
                tracing::warn!("the service that checks for persons gave no answer");
                Verdict::Unavailable
            }
        }
    }

    fn judge(&self, answer: &Answer) -> Verdict {
        let is_likely = answer.score.is_none_or(|score| score >= self.config.min_score);
        if answer.success && is_likely { Verdict::Passed } else { Verdict::Failed }
    }

    async fn ask(&self, token: &str) -> Option<Answer> {
        let form = [("secret", self.config.secret.0.as_str()), ("response", token)];
        let mut answer = self.http.post(&self.config.verify_url).form(&form).send().await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.ok()? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER_BYTES {
                return None;
            }
        }
        serde_json::from_slice(&body).ok()
    }
}

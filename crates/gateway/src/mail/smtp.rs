//! Mails to a server by SMTP. What the server says about an address or a text is never logged: only its code is.

use std::time::Duration;

use async_trait::async_trait;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::{Mailer, SendError};
use crate::config::{self, Security};

/// How long a server may take for each of its answers.
const PATIENCE: Duration = Duration::from_secs(30);

type Transport = AsyncSmtpTransport<Tokio1Executor>;

pub(super) struct Smtp(Transport);

impl Smtp {
    pub(super) fn new(config: &config::Smtp) -> std::io::Result<Smtp> {
        let builder = match config.security {
            Security::Starttls => Transport::starttls_relay(&config.host),
            Security::Tls => Transport::relay(&config.host),
            Security::None => Ok(Transport::builder_dangerous(&config.host)),
        };
        let mut builder = builder.map_err(std::io::Error::other)?.timeout(Some(PATIENCE));
        if let Some(port) = config.port {
            builder = builder.port(port);
        }
        if let Some(user) = &config.user {
            builder = builder.credentials(Credentials::new(user.clone(), config.password.0.clone()));
        }
        Ok(Smtp(builder.build()))
    }
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, _: &str, message: &Message) -> Result<(), SendError> {
        self.0.send(message.clone()).await.map(drop).map_err(|error| why(&error))
    }
}

fn why(error: &Error) -> SendError {
    let code = error.status().map(u16::from);
    let is_for_good = error.is_permanent();
    tracing::warn!(code, is_for_good, is_timeout = error.is_timeout(), "the mail server did not take a mail");
    if is_for_good { SendError::ForGood } else { SendError::ForNow }
}

//! Mail that leaves the gateway: what takes it, a server or a folder, and the outbox that brings it there. Nothing here says what is written, and
//! nothing is sent that was not recorded before (`outbox`).

use std::time::Duration;

use async_trait::async_trait;
use lettre::Message;
use lettre::message::Mailbox;
use tokio::sync::Notify;

use crate::config;

mod folder;
pub(crate) mod letter;
pub(crate) mod outbox;
mod smtp;

use folder::Folder;
use smtp::Smtp;

/// Why a mail did not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SendError {
    /// It may later.
    ForNow,
    /// It never will: its receiver, or the server, does not want it.
    ForGood,
}

/// Takes mails.
#[async_trait]
pub(crate) trait Mailer: Send + Sync + 'static {
    /// Takes one, with a name that is the same in every try.
    async fn send(&self, name: &str, message: &Message) -> Result<(), SendError>;
}

/// The gateway's mail, where it is configured.
pub(crate) struct Post {
    pub(crate) from: Mailbox,
    mailer: Box<dyn Mailer>,
    /// Between two mails.
    pause: Duration,
    retry_ms: u64,
    give_up_after_ms: u64,
    /// Something is to be sent.
    wake: Notify,
}

impl Post {
    /// `None` where no mail is configured.
    ///
    /// # Errors
    /// Where the folder cannot be made, or the server's name is no name.
    pub(crate) fn open(config: &config::Mail) -> std::io::Result<Option<Post>> {
        let Some(from) = config::mail::sender(config) else { return Ok(None) };
        let mailer: Box<dyn Mailer> = match (&config.smtp, &config.folder) {
            (Some(smtp), _) => Box::new(Smtp::new(smtp)?),
            (None, Some(folder)) => Box::new(Folder::open(folder)?),
            (None, None) => return Ok(None),
        };
        Ok(Some(Post {
            from,
            mailer,
            pause: Duration::from_secs(60) / config.per_minute.max(1),
            retry_ms: config.retry_ms,
            give_up_after_ms: config.give_up_after_ms,
            wake: Notify::new(),
        }))
    }

    /// Says that something is to be sent. What is missed is found by the next look.
    pub(crate) fn look(&self) {
        self.wake.notify_one();
    }
}

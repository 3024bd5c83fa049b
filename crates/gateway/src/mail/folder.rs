//! Mails as `.eml` files in a folder. A mail that is written again, after a crash, takes the place of the first: each is there once and whole.

use std::io::Write;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use lettre::Message;

use super::{Mailer, SendError};

pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn open(folder: &Path) -> std::io::Result<Folder> {
        crate::private_folder().recursive(true).create(folder)?;
        Ok(Folder(folder.to_owned()))
    }
}

#[async_trait]
impl Mailer for Folder {
    async fn send(&self, name: &str, message: &Message) -> Result<(), SendError> {
        let (folder, name, bytes) = (self.0.clone(), name.to_owned(), message.formatted());
        let written = tokio::task::spawn_blocking(move || write(&folder, &name, &bytes)).await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(cause)) => {
                tracing::warn!(%cause, "a mail cannot be written into its folder");
                Err(SendError::ForNow)
            }
            Err(_) => Err(SendError::ForNow),
        }
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let unfinished = folder.join(format!("{name}.part"));
    let mut file = std::fs::File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, folder.join(format!("{name}.eml")))?;
    // The name is in the folder for good; where a folder cannot be opened so, the system does it by itself.
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).or(Ok(()))
}

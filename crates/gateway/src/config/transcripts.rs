//! What transcripts may cost, the fonts that they are drawn in, and how long what they lead to is kept.

use std::path::PathBuf;

use serde::Deserialize;

use super::ConfigError;

/// Transcripts as PDF.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Transcripts {
    /// Folders with fonts, beside the system's.
    pub font_folders: Vec<PathBuf>,
    /// Whether the system's fonts are used.
    pub system_fonts: bool,
    /// How long the links to files in a transcript work.
    pub media_link_lifetime_ms: u64,
    /// How long a transcript can be fetched.
    pub keep_ms: u64,
    /// Transcripts of one chat in a day.
    pub per_chat_per_day: u64,
    /// Transcripts of one end user in a day.
    pub per_end_user_per_day: u64,
    /// Transcripts that are drawn at once.
    pub at_once: usize,
    /// How long drawing one may take.
    pub max_ms: u64,
    /// Messages of a chat; one with more has no transcript.
    pub max_messages: u64,
    /// The messages' bytes as JSON.
    pub max_chat_bytes: usize,
    /// Pictures that are shown; further ones are links.
    pub max_pictures: usize,
    /// Bytes of these pictures as they were sent.
    pub max_picture_bytes: usize,
    /// The transcript itself.
    pub max_pdf_bytes: usize,
}

impl Default for Transcripts {
    fn default() -> Self {
        Transcripts {
            font_folders: Vec::new(),
            system_fonts: true,
            media_link_lifetime_ms: 7 * 24 * 60 * 60 * 1000,
            keep_ms: 24 * 60 * 60 * 1000,
            per_chat_per_day: 20,
            per_end_user_per_day: 50,
            at_once: 1,
            max_ms: 60_000,
            max_messages: 10_000,
            max_chat_bytes: 10_000_000,
            max_pictures: 50,
            max_picture_bytes: 100_000_000,
            max_pdf_bytes: 50_000_000,
        }
    }
}

impl Transcripts {
    /// Refuses what cannot work.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let invalid = |text: &str| Err(ConfigError::Invalid(text.to_owned()));
        if self.at_once == 0 || self.max_ms == 0 || self.keep_ms == 0 || self.media_link_lifetime_ms == 0 {
            return invalid("[transcripts] at_once, max_ms, keep_ms and media_link_lifetime_ms must be more than 0");
        }
        if let Some(folder) = self.font_folders.iter().find(|folder| !folder.is_dir()) {
            return invalid(&format!("[transcripts] font_folders: {} is no folder", folder.display()));
        }
        Ok(())
    }
}

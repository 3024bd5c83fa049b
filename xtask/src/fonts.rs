//! Fonts for transcripts: those of the scripts that the test of transcripts reads back, found where Debian puts them, or installed with apt where that is possible.
//!
//! On other systems, what is installed there has to do: the test says which script it could not draw.

use std::path::Path;

use anyhow::Result;

use crate::{
    apt,
    workspace::{Workspace, on_path},
};

/// Debian's packages, each with a file that it installs. The smallest that cover the sample.
const PACKAGES: &[(&str, &str)] = &[
    ("fonts-noto-core", "/usr/share/fonts/truetype/noto/NotoSansArabic-Regular.ttf"),
    ("fonts-noto-color-emoji", "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"),
    ("fonts-wqy-microhei", "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"),
];

/// Installs what is missing.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    let missing = missing();
    if missing.is_empty() || on_path(&["apt-get"]).is_none() {
        return Ok(());
    }
    apt::install(workspace, &missing)
}

/// The same for a demo, which works without: it only says what would be drawn as codes.
pub(crate) fn offer(workspace: &Workspace) {
    if let Err(error) = ensure(workspace) {
        eprintln!("transcripts will lack some scripts: {error}");
    }
}

fn missing() -> Vec<&'static str> {
    let is_missing = |file: &str| !Path::new(file).exists();
    PACKAGES.iter().filter(|(_, file)| is_missing(file)).map(|(package, _)| *package).collect()
}

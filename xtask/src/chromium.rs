//! Chromium and its driver, for the tests that need a browser: found on the path, or installed with apt where that is possible.
//!
//! Nothing is downloaded from anywhere else: a browser is the system's business.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::{
    apt, exec,
    workspace::{Workspace, on_path},
};

const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome"];
const DRIVERS: &[&str] = &["chromedriver"];

pub(crate) struct Chromium {
    pub(crate) browser: PathBuf,
    pub(crate) driver: PathBuf,
}

pub(crate) fn ensure(workspace: &Workspace) -> Result<Chromium> {
    let found = match find() {
        Some(found) => found,
        None => {
            apt::install(workspace, &["chromium", "chromium-driver"])?;
            find().context("apt installed Chromium, but it or its driver is not on the path")?
        }
    };
    let browser = major_version(workspace, &found.browser)?;
    let driver = major_version(workspace, &found.driver)?;
    if browser != driver {
        bail!("Chromium is version {browser} and its driver version {driver}: they must be of the same version");
    }
    Ok(found)
}

fn find() -> Option<Chromium> {
    let browser = std::env::var_os("CHROMIUM").map(PathBuf::from).filter(|path| path.is_file());
    Some(Chromium { browser: browser.or_else(|| on_path(BROWSERS))?, driver: on_path(DRIVERS)? })
}

fn major_version(workspace: &Workspace, program: &Path) -> Result<u32> {
    let text = exec::output(workspace.command(program, &[])?.arg("--version"))?;
    major_in(&text).with_context(|| format!("`{} --version` names no version", program.display()))
}

/// The first number of the first word that looks like a version.
fn major_in(text: &str) -> Option<u32> {
    text.split_whitespace().find_map(|word| word.split_once('.')?.0.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_browsers_and_drivers_print() {
        assert_eq!(major_in("Chromium 156.0.8078.79 built on Debian GNU/Linux 12 (bookworm)"), Some(156));
        assert_eq!(major_in("ChromeDriver 156.0.8078.79 (a21ce95c24ce3964416f09ae1862f53f319eb4d0-refs)"), Some(156));
        assert_eq!(major_in("no version"), None);
    }
}

//! npm's side of set-up: packages by lock file, in the folder that holds the lock file.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    apt, exec,
    workspace::{Workspace, on_path},
};

/// What the browser tests and the packed-package tests need.
const OLDEST_NODE: u32 = 20;

pub(crate) fn is_present() -> bool {
    on_path(&["npm"]).is_some() && on_path(&["node"]).is_some()
}

/// Node and npm of a version that the tests run on; installed by the system's package manager where that is possible.
pub(crate) fn ensure_node(workspace: &Workspace) -> Result<()> {
    if !is_present() {
        apt::install(workspace, &["nodejs", "npm"])?;
    }
    let version = exec::output(workspace.command("node", &[])?.arg("--version"))?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= OLDEST_NODE => Ok(()),
        _ => bail!("the tests need Node {OLDEST_NODE} or newer, found {}: see https://nodejs.org", version.trim()),
    }
}

/// The programs that shrink what browsers download.
pub(crate) struct Shrinkers {
    /// For the module.
    pub(crate) wasm_opt: PathBuf,
    /// For its glue.
    pub(crate) esbuild: PathBuf,
}

pub(crate) fn shrinkers(workspace: &Workspace) -> Result<Shrinkers> {
    let folder = workspace.root.join("xtask/npm");
    install(workspace, &folder)?;
    let program = |path: &str| folder.join("node_modules").join(path);
    Ok(Shrinkers { wasm_opt: program("binaryen/bin/wasm-opt"), esbuild: program("esbuild/bin/esbuild") })
}

/// Brings `node_modules` to what the lock file says. A copy of the lock file is left there last, so an install that was
/// interrupted is done again.
pub(crate) fn install(workspace: &Workspace, folder: &Path) -> Result<()> {
    let lock_path = folder.join("package-lock.json");
    let lock = fs::read(&lock_path).with_context(|| format!("reading {}", lock_path.display()))?;
    let modules = folder.join("node_modules");
    let installed = modules.join(".installed-lock.json");
    if fs::read(&installed).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    // `npm ci` begins by removing the folder, and this mark with it. No package that we use needs its install script.
    let mut npm = workspace.command("npm", &[])?;
    exec::slow(npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder))?;
    fs::create_dir_all(&modules)?;
    fs::write(&installed, lock).with_context(|| format!("writing {}", installed.display()))
}

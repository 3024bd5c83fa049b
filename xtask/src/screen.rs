//! The files of screen share, which `screen/bundle.mjs` bundles from `screen/` and from npm's packages, with their licences.
//!
//! They are fetched only when a customer shares a page, so a package without them is a complete text chat.

use std::path::Path;

use anyhow::{Result, bail};

use crate::{
    exec, npm,
    package::Optimiser,
    workspace::{Workspace, on_path},
};

/// What to do about a package without them.
const REMEDY: &str = "install Node.js 20 or newer with npm (https://nodejs.org), then run `cargo xtask demo` again";

/// Puts them into `package`. A package that is to be published must have them; a demo says what is missing and goes on.
pub(crate) fn bundle(workspace: &Workspace, package: &Path, optimiser: Optimiser) -> Result<()> {
    let done = if npm::is_present() { run(workspace, package) } else { Err(missing()) };
    match done {
        Err(error) if optimiser == Optimiser::Required => Err(error),
        Err(error) => {
            println!("screen share is left out: {error:#}; {REMEDY}");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

fn missing() -> anyhow::Error {
    let name = if on_path(&["node"]).is_some() { "npm" } else { "Node.js" };
    anyhow::anyhow!("{name} is not on the path")
}

fn run(workspace: &Workspace, package: &Path) -> Result<()> {
    let folder = workspace.root.join("screen");
    npm::install(workspace, &folder)?;
    let mut command = workspace.command("node", &[])?;
    exec::quiet(command.arg(folder.join("bundle.mjs")).arg(package))?;
    if !package.join("THIRD-PARTY-LICENSES.md").exists() {
        bail!("screen/bundle.mjs made no THIRD-PARTY-LICENSES.md");
    }
    Ok(())
}

//! Debian's package manager, for what is the system's business: the browser, its driver, Node.
//!
//! Never asks for a password: where it would have to, it names the command and fails.

use anyhow::{Result, bail};

use crate::{
    exec,
    workspace::{Workspace, on_path},
};

/// Installs Debian packages as root or through a `sudo` that asks no password; otherwise says what to run.
pub(crate) fn install(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if on_path(&["apt-get"]).is_none() {
        bail!("not found: {names}. Install them with this system's package manager and put them on the path");
    }
    let sudo = match privilege(workspace)? {
        Privilege::Root => None,
        Privilege::Sudo => Some("sudo"),
        Privilege::None => {
            bail!(
                "not found: {names}. Run this, then try again: sudo apt-get update && sudo apt-get install -y {names}"
            )
        }
    };
    eprintln!("installing {names} with apt-get …");
    // Another apt may be at work (a machine's own upgrades): wait for it.
    let wait = ["-o", "DPkg::Lock::Timeout=300"];
    for arguments in [&["update"][..], &[&["install", "-y", "--no-install-recommends"], packages].concat()] {
        let mut command = match sudo {
            Some(sudo) => {
                let mut command = workspace.command(sudo, &[])?;
                command.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
                command
            }
            None => workspace.command("apt-get", &[])?,
        };
        exec::slow(command.env("DEBIAN_FRONTEND", "noninteractive").args(wait).args(arguments))?;
    }
    Ok(())
}

enum Privilege {
    Root,
    Sudo,
    None,
}

fn privilege(workspace: &Workspace) -> Result<Privilege> {
    if exec::output(workspace.command("id", &[])?.arg("-u"))?.trim() == "0" {
        return Ok(Privilege::Root);
    }
    let sudo =
        on_path(&["sudo"]).is_some() && exec::output(workspace.command("sudo", &[])?.args(["-n", "true"])).is_ok();
    Ok(if sudo { Privilege::Sudo } else { Privilege::None })
}

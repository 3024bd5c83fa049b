//! The gateway's program, in the debug profile: it is built in less time, and the tests use the same one.

use std::path::PathBuf;

use anyhow::Result;

use crate::{exec, workspace::Workspace};

/// Builds only the gateway.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    exec::slow(workspace.cargo()?.args(["build", "--package", "gateway", "--bin", "gateway"]))?;
    Ok(program(workspace))
}

pub(crate) fn program(workspace: &Workspace) -> PathBuf {
    workspace.target.join("debug").join(format!("gateway{}", std::env::consts::EXE_SUFFIX))
}

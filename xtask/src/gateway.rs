//! The gateway's program: in the debug profile, which is built in less time, for the demo and the tests; as it is deployed for the soak test.

use std::path::PathBuf;

use anyhow::Result;

use crate::{exec, workspace::Workspace};

/// Builds only the gateway.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    exec::slow(workspace.cargo()?.args(["build", "--package", "gateway", "--bin", "gateway"]))?;
    Ok(program(workspace))
}

/// Builds the gateway as it is deployed.
pub(crate) fn build_release(workspace: &Workspace) -> Result<PathBuf> {
    exec::slow(workspace.cargo()?.args(["build", "--release", "--package", "gateway", "--bin", "gateway"]))?;
    Ok(workspace.target.join("release").join(format!("gateway{}", std::env::consts::EXE_SUFFIX)))
}

pub(crate) fn program(workspace: &Workspace) -> PathBuf {
    workspace.target.join("debug").join(format!("gateway{}", std::env::consts::EXE_SUFFIX))
}

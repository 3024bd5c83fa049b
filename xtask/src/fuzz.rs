//! `cargo xtask fuzz`: libFuzzer on what `crates/engine/tests/fuzzed/` describes. A case that it finds is kept there, and from then on runs with
//! every test.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::{arguments::FuzzOptions, exec, tools, workspace::Workspace};

const TARGETS: &[&str] = &["client", "gateway", "decoding"];

/// Each target for as long as the options say; fails at the first case that is found.
pub(crate) fn run(workspace: &Workspace, options: &FuzzOptions) -> Result<()> {
    let fuzz = tools::cargo_fuzz(workspace)?;
    let which = exec::output(workspace.command("rustup", &[])?.args(["which", "cargo", "--toolchain", "nightly"]));
    let cargo = which.context("libFuzzer needs a nightly toolchain: rustup toolchain install nightly")?;
    let nightly = Path::new(cargo.trim()).parent().context("rustup names no folder")?.to_path_buf();
    for target in TARGETS {
        let corpus = workspace.target.join("fuzz-corpus").join(target);
        let found = workspace.root.join("crates/engine/tests/fuzzed/found").join(target);
        for folder in [&corpus, &found] {
            std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        }
        let mut command = workspace.command("cargo-fuzz", &[nightly.clone(), fuzz.clone()])?;
        // What the cargo that runs this task says about its compiler must not reach the other one.
        command.current_dir(workspace.root.join("fuzz"));
        command.env_remove("RUSTC").env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
        command.args(["fuzz", "run", "--fuzz-dir", ".", "--target-dir"]).arg(workspace.target.join("fuzz"));
        command.arg(target).arg(&corpus).arg(&found).arg("--");
        command
            .arg(format!("-max_total_time={}", options.seconds))
            .args(["-max_len=4096", "-timeout=20", "-verbosity=0"])
            .arg("-print_final_stats=1");
        let mut artifacts = std::ffi::OsString::from("-artifact_prefix=");
        artifacts.push(found.join("case-"));
        let shown = exec::shown(command.arg(artifacts))?;
        if !shown.status.success() {
            bail!("the target `{target}` failed ({}): what was found is in {}", shown.status, found.display());
        }
        // libFuzzer leaves no empty folder behind that git would not see anyway.
        drop(std::fs::remove_dir(&found));
    }
    Ok(())
}

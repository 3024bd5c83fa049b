//! The Rust side of set-up: parts of the pinned toolchain, and programs built by `cargo install`, kept by version in the user's cache folder.
//!
//! A program is built in a staging folder and moved into place when it is whole, so an install that was interrupted is never
//! taken for done; what it had compiled is used again by the next attempt.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    apt, exec,
    workspace::{Workspace, on_path},
};

pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

const WASM_PACK_VERSION: &str = "0.15.1";
const CARGO_FUZZ_VERSION: &str = "0.13.1";
const CARGO_DENY_VERSION: &str = "0.20.2";

/// Adds what `rust-toolchain.toml` names and the installed toolchain lacks. rustup does this by itself unless it was told not to
/// (`RUSTUP_AUTO_INSTALL=0`).
pub(crate) fn complete_toolchain(workspace: &Workspace) -> Result<()> {
    let rustlib = workspace.sysroot.join("lib/rustlib");
    if !rustlib.join(WASM_TARGET).join("lib").is_dir() {
        rustup(workspace, &["target", "add", WASM_TARGET])?;
    }
    for (component, program) in [("rustfmt", "cargo-fmt"), ("clippy", "cargo-clippy")] {
        let program = workspace.sysroot.join("bin").join(format!("{program}{}", env::consts::EXE_SUFFIX));
        if !program.is_file() {
            rustup(workspace, &["component", "add", component])?;
        }
    }
    Ok(())
}

/// The standard library's source, from which the module that browsers download is built.
pub(crate) fn library_source(workspace: &Workspace) -> Result<()> {
    if workspace.sysroot.join("lib/rustlib/src/rust/library/Cargo.lock").is_file() {
        return Ok(());
    }
    rustup(workspace, &["component", "add", "rust-src"])
}

fn rustup(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    let by_hand = format!("rustup {}", arguments.join(" "));
    if on_path(&["rustup"]).is_none() {
        bail!(
            "the Rust toolchain is incomplete and there is no rustup to complete it; with rustup the command is: {by_hand}"
        );
    }
    exec::slow(workspace.command("rustup", &[])?.args(arguments))
        .with_context(|| format!("run this, then try again: {by_hand}"))
}

/// `wasm-bindgen` and its test runner, at the version that `Cargo.lock` has for the library: they must be the same.
pub(crate) fn wasm_bindgen(workspace: &Workspace) -> Result<PathBuf> {
    let version = workspace.locked_version("wasm-bindgen")?;
    Tool { name: "wasm-bindgen-cli", version: &version, programs: &["wasm-bindgen", "wasm-bindgen-test-runner"] }
        .folder(workspace)
}

pub(crate) fn wasm_pack(workspace: &Workspace) -> Result<PathBuf> {
    Tool { name: "wasm-pack", version: WASM_PACK_VERSION, programs: &["wasm-pack"] }.folder(workspace)
}

pub(crate) fn cargo_deny(workspace: &Workspace) -> Result<PathBuf> {
    Tool { name: "cargo-deny", version: CARGO_DENY_VERSION, programs: &["cargo-deny"] }.folder(workspace)
}

/// `schemathesis`, which drives a server from its OpenAPI document: in a Python environment of its own, at the versions of
/// `tests/api/requirements.txt`.
pub(crate) fn schemathesis(workspace: &Workspace) -> Result<PathBuf> {
    let requirements_path = workspace.root.join("tests/api/requirements.txt");
    let requirements =
        fs::read(&requirements_path).with_context(|| format!("reading {}", requirements_path.display()))?;
    // An environment cannot be moved: it is built in its place, and what it was built from is left there last.
    let place = workspace.tools.join("schemathesis");
    let (built_from, program) = (place.join("requirements.txt"), place.join("bin/schemathesis"));
    if fs::read(&built_from).is_ok_and(|built_from| built_from == requirements) {
        return Ok(program);
    }
    let _lock = lock(workspace)?;
    remove_folder(&place)?;
    let make = |workspace: &Workspace| exec::quiet(workspace.command("python3", &[])?.args(["-m", "venv"]).arg(&place));
    if on_path(&["python3"]).is_none() || make(workspace).is_err() {
        apt::install(workspace, &["python3-venv"])?;
        remove_folder(&place)?;
        make(workspace)?;
    }
    let mut pip = workspace.command(place.join("bin/python"), &[])?;
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    exec::slow(pip.arg(&requirements_path))?;
    fs::write(&built_from, requirements).with_context(|| format!("writing {}", built_from.display()))?;
    Ok(program)
}

/// Removes what building the tools left behind (hundreds of megabytes).
pub(crate) fn forget_builds(workspace: &Workspace) -> Result<()> {
    let _lock = lock(workspace)?;
    remove_folder(&build_folder(workspace))
}

pub(crate) fn cargo_fuzz(workspace: &Workspace) -> Result<PathBuf> {
    Tool { name: "cargo-fuzz", version: CARGO_FUZZ_VERSION, programs: &["cargo-fuzz"] }.folder(workspace)
}

struct Tool<'a> {
    /// The package on crates.io.
    name: &'a str,
    version: &'a str,
    programs: &'a [&'a str],
}

impl Tool<'_> {
    /// The folder with the tool's programs, which are built first where they are missing.
    fn folder(&self, workspace: &Workspace) -> Result<PathBuf> {
        let place = workspace.tools.join(format!("{}-{}", self.name, self.version));
        let programs = place.join("bin");
        if self.works_in(&programs) {
            return Ok(programs);
        }
        let _lock = lock(workspace)?;
        // Another run may have built it while this one waited.
        if !self.works_in(&programs) {
            self.install(workspace, &place)?;
            if !self.works_in(&programs) {
                bail!("{} {} was built, but does not run from {}", self.name, self.version, programs.display());
            }
        }
        Ok(programs)
    }

    fn works_in(&self, folder: &Path) -> bool {
        self.programs.iter().all(|program| {
            let program = folder.join(format!("{program}{}", env::consts::EXE_SUFFIX));
            program.is_file()
                && exec::output(Command::new(program).arg("--version"))
                    .is_ok_and(|text| text.split_whitespace().any(|word| word == self.version))
        })
    }

    fn install(&self, workspace: &Workspace, place: &Path) -> Result<()> {
        eprintln!("building {} {} (once, takes minutes) …", self.name, self.version);
        let staging = workspace.tools.join(format!(".{}-{}.partial", self.name, self.version));
        remove_folder(&staging)?;
        // The tool's own lock file first. It can name a release that was withdrawn since; then the newest ones that fit.
        if let Err(locked) = exec::slow(self.cargo_install(workspace, &staging)?.arg("--locked")) {
            eprintln!("{locked:#}; trying without its lock file …");
            remove_folder(&staging)?;
            exec::slow(&mut self.cargo_install(workspace, &staging)?)?;
        }
        remove_folder(place)?;
        fs::rename(&staging, place).with_context(|| format!("moving the tool to {}", place.display()))
    }

    fn cargo_install(&self, workspace: &Workspace, root: &Path) -> Result<Command> {
        let mut command = workspace.cargo()?;
        // Away from the checkout, whose Cargo settings are not the tools'.
        command.current_dir(&workspace.tools);
        command.arg("install").arg("--root").arg(root).arg(format!("{}@{}", self.name, self.version));
        command.env("CARGO_TARGET_DIR", build_folder(workspace)).env_remove("CARGO_BUILD_TARGET");
        // These programs run for seconds; compiling them is what takes time.
        command.envs([
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
            ("CARGO_PROFILE_RELEASE_LTO", "off"),
            ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
            ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
        ]);
        Ok(command)
    }
}

fn build_folder(workspace: &Workspace) -> PathBuf {
    workspace.tools.join("build")
}

/// Held while the tools folder is changed. The system releases it when the process ends, however it ends.
fn lock(workspace: &Workspace) -> Result<File> {
    fs::create_dir_all(&workspace.tools).with_context(|| format!("creating {}", workspace.tools.display()))?;
    let file = File::create(workspace.tools.join(".lock"))?;
    file.lock()?;
    Ok(file)
}

pub(crate) fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}

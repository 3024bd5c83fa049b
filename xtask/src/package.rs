//! `cargo xtask package`: the npm package in `pkg/`.
//!
//! One wasm build serves every environment. The steps are Cargo, wasm-bindgen at the library's version, Binaryen's optimiser and esbuild's
//! minifier, the hand-written files of `pkg-template/`, and what is bundled from `screen/`; `pkg/` is made anew each time and never edited.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    exec,
    npm::{self, Shrinkers},
    screen,
    sizes::Sizes,
    tools::{self, WASM_TARGET},
    wasm_module,
    workspace::Workspace,
};

const NAME: &str = "sportello_core";
const GLUE: &str = "sportello_core.js";
const WASM: &str = "sportello_core_bg.wasm";
const CRATE: &[&str] = &["rustc", "--package", "sportello", "--lib", "--crate-type", "cdylib", "--profile", "wasm"];
const LICENCES: &[&str] = &["LICENSE-MIT", "LICENSE-APACHE"];

/// What to do about `wasm-opt` and `esbuild`, which come from npm. The parts of screen share are bundled wherever npm is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Optimiser {
    Required,
    /// Without npm the package is complete but larger, and its size is not judged.
    WhereNpmIsPresent,
    /// Never.
    Unused,
}

/// Builds `pkg/`, prints its sizes on the last lines and fails above the budget.
pub(crate) fn build(workspace: &Workspace, optimiser: Optimiser) -> Result<PathBuf> {
    tools::complete_toolchain(workspace)?;
    let shrinkers = find_shrinkers(workspace, optimiser)?;
    let module = if shrinkers.is_some() { compile_smallest(workspace)? } else { compile(workspace)? };
    let generated = bindgen(workspace, &module)?;
    if let Some(shrinkers) = &shrinkers {
        optimise(workspace, &shrinkers.wasm_opt, &generated.join(WASM))?;
        minify(workspace, &shrinkers.esbuild, &generated.join(GLUE))?;
    }
    wasm_module::refuse_native_imports(&fs::read(generated.join(WASM))?)?;
    let package = assemble(workspace, &generated)?;
    screen::bundle(workspace, &package, optimiser)?;
    if optimiser == Optimiser::Unused {
        return Ok(package);
    }
    let sizes = Sizes::of(&package, GLUE, WASM)?;
    println!("the npm package is in {}\n", package.display());
    if shrinkers.is_none() {
        println!(
            "These sizes are unoptimised and not judged: wasm-opt and esbuild come from npm, which is not on the path."
        );
    }
    print!("{}", sizes.table());
    if shrinkers.is_some() {
        sizes.judge()?;
        println!("within the budget of {}", Sizes::budget());
    }
    Ok(package)
}

/// Nobody waits for bytes in a demo, nor for the standard library that saving them costs.
fn find_shrinkers(workspace: &Workspace, optimiser: Optimiser) -> Result<Option<Shrinkers>> {
    if optimiser == Optimiser::Unused || optimiser != Optimiser::Required && !npm::is_present() {
        return Ok(None);
    }
    npm::shrinkers(workspace).map(Some)
}

/// A `cdylib` by command line: declared in the manifest beside `rlib`, it would lose link-time optimisation.
fn compile(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo()?;
    exec::slow(cargo.args(CRATE).args(["--target", WASM_TARGET]))?;
    Ok(workspace.target.join(WASM_TARGET).join("wasm/sportello.wasm"))
}

/// The same with a standard library of our own, which traps where it would format a panic's message for nobody to read: 6 kB less. Cargo and
/// rustc call that unstable; the pinned toolchain holds it still (docs/adr/0008-size.md).
fn compile_smallest(workspace: &Workspace) -> Result<PathBuf> {
    tools::library_source(workspace)?;
    let target = workspace.target.join("smallest");
    let mut cargo = workspace.cargo()?;
    cargo
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none");
    cargo.args(CRATE).args(["--target", WASM_TARGET, "--target-dir"]).arg(&target);
    exec::slow(cargo.args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"]))?;
    Ok(target.join(WASM_TARGET).join("wasm/sportello.wasm"))
}

/// The loader in `pkg-template/` always says where the module is; a default address in the glue would make bundlers emit it twice.
fn bindgen(workspace: &Workspace, module: &Path) -> Result<PathBuf> {
    let folder = workspace.target.join("package");
    tools::remove_folder(&folder)?;
    let mut bindgen = workspace.command("wasm-bindgen", &[tools::wasm_bindgen(workspace)?])?;
    bindgen
        .args(["--target", "web", "--no-typescript", "--omit-default-module-path", "--out-name", NAME, "--out-dir"])
        .arg(&folder)
        .arg(module);
    exec::quiet(&mut bindgen)?;
    Ok(folder)
}

fn optimise(workspace: &Workspace, wasm_opt: &Path, module: &Path) -> Result<()> {
    let smaller = module.with_extension("optimised");
    let mut command = workspace.command("node", &[])?;
    command.arg(wasm_opt).args(wasm_module::optimiser_features(workspace)?);
    // The first KiB is the far end of the stack: no address in it is ever reached by way of another one.
    command.args(["--low-memory-unused", "--flatten", "--rereloop", "-Oz", "-Oz", "--converge"]);
    command.args(["--strip-debug", "--strip-producers", "--strip-target-features"]);
    exec::quiet(command.arg(module).arg("-o").arg(&smaller))?;
    fs::rename(&smaller, module).context("replacing the module with the optimised one")
}

/// The glue carries the documentation of every export; nobody reads it there.
fn minify(workspace: &Workspace, esbuild: &Path, glue: &Path) -> Result<()> {
    let mut command = workspace.command("node", &[])?;
    command.arg(esbuild).args(["--minify", "--format=esm", "--target=es2022", "--allow-overwrite"]);
    let mut outfile = OsString::from("--outfile=");
    outfile.push(glue);
    exec::quiet(command.arg(glue).arg(outfile).arg("--log-level=warning"))
}

fn assemble(workspace: &Workspace, generated: &Path) -> Result<PathBuf> {
    let package = workspace.root.join("pkg");
    let template = workspace.root.join("pkg-template");
    tools::remove_folder(&package)?;
    copy_folder(&template, &package)?;
    copy_folder(generated, &package)?;
    for licence in LICENCES {
        copy_new(&workspace.root.join(licence), &package.join(licence))?;
    }
    Ok(package)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("creating {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            copy_new(&entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Nothing in the package comes from two places.
fn copy_new(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        bail!("{} would be overwritten by {}", to.display(), from.display());
    }
    fs::copy(from, to).with_context(|| format!("copying {}", from.display()))?;
    Ok(())
}

//! `cargo xtask package`: the npm package in `pkg/`.
//!
//! One wasm build serves every environment. The steps are Cargo, wasm-bindgen at the library's version, Binaryen's optimiser, and the
//! hand-written files of `pkg-template/`; `pkg/` is made anew each time and never edited.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    exec, npm,
    sizes::Sizes,
    tools::{self, WASM_TARGET},
    wasm_module,
    workspace::Workspace,
};

const NAME: &str = "sportello_core";
const GLUE: &str = "sportello_core.js";
const WASM: &str = "sportello_core_bg.wasm";
const LICENCES: &[&str] = &["LICENSE-MIT", "LICENSE-APACHE"];

/// What to do about `wasm-opt`, which comes from npm.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Optimiser {
    Required,
    /// Without npm the package is complete but larger, and its size is not judged.
    WhereNpmIsPresent,
    /// As before, and a failure to install it is only reported: nobody waits for bytes in a demo.
    IfItCanBeHad,
}

/// Builds `pkg/`, prints its sizes on the last lines and fails above the budget.
pub(crate) fn build(workspace: &Workspace, optimiser: Optimiser) -> Result<PathBuf> {
    tools::complete_toolchain(workspace)?;
    let wasm_opt = find_optimiser(workspace, optimiser)?;
    let generated = bindgen(workspace, &compile(workspace)?)?;
    if let Some(wasm_opt) = &wasm_opt {
        optimise(workspace, wasm_opt, &generated.join(WASM))?;
    }
    wasm_module::refuse_native_imports(&fs::read(generated.join(WASM))?)?;
    let package = assemble(workspace, &generated)?;
    if optimiser == Optimiser::IfItCanBeHad {
        return Ok(package);
    }
    let sizes = Sizes::of(&package, GLUE, WASM)?;
    println!("the npm package is in {}\n", package.display());
    if wasm_opt.is_none() {
        println!("These sizes are unoptimised and not judged: wasm-opt comes from npm, which is not on the path.");
    }
    print!("{}", sizes.table());
    if wasm_opt.is_some() {
        sizes.judge()?;
        println!("within the budget of {}", Sizes::budget());
    }
    Ok(package)
}

fn find_optimiser(workspace: &Workspace, optimiser: Optimiser) -> Result<Option<PathBuf>> {
    if optimiser != Optimiser::Required && !npm::is_present() {
        return Ok(None);
    }
    match npm::wasm_opt(workspace) {
        Err(error) if optimiser == Optimiser::IfItCanBeHad => {
            eprintln!("without wasm-opt, which makes the download smaller: {error:#}");
            Ok(None)
        }
        found => found.map(Some),
    }
}

/// A `cdylib` by command line: declared in the manifest beside `rlib`, it would lose link-time optimisation.
fn compile(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo()?;
    cargo.args(["rustc", "--package", "sportello", "--lib", "--crate-type", "cdylib"]);
    exec::slow(cargo.args(["--profile", "wasm", "--target", WASM_TARGET]))?;
    Ok(workspace.target.join(WASM_TARGET).join("wasm/sportello.wasm"))
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
    command.args(["-Oz", "--strip-debug", "--strip-producers", "--strip-target-features"]);
    exec::quiet(command.arg(module).arg("-o").arg(&smaller))?;
    fs::rename(&smaller, module).context("replacing the module with the optimised one")
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

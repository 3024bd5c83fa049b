//! The stages of `cargo xtask test`, in their order: set-up, cheap checks, native tests, the package, browsers.
//!
//! All stages build with the same profile, features and compiler flags, so that Cargo compiles each thing once: warnings are made
//! errors after `--` for clippy only.

use std::{collections::BTreeSet, path::PathBuf, process::Command};

use anyhow::{Result, bail};

use crate::{
    arguments::FuzzOptions,
    chromium::{self, Chromium},
    counts::Counts,
    exec, fonts, fuzz, gateway, npm,
    package::{self, Optimiser},
    tools::{self, WASM_TARGET},
    workspace::Workspace,
};

/// Seconds that one wasm test program may take. The runner's own limit is 20.
const WASM_TEST_TIMEOUT_S: &str = "300";

/// None of these may reach the engine.
const BROWSER_CRATES: &[&str] = &["wasm-bindgen", "wasm-bindgen-futures", "js-sys", "web-sys"];
/// A name that begins so is one of the gloo crates.
const GLOO: &str = "gloo";
/// The project's named parts: the SDK uses each of them.
const SDK_CRATES: &[&str] = &[
    "wasm-bindgen",
    "wasm-bindgen-futures",
    "js-sys",
    "web-sys",
    "serde",
    "serde-wasm-bindgen",
    "gloo-net",
    "gloo-storage",
];

pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&mut Run<'_>) -> Result<()>,
}

/// What a run of the tests carries from stage to stage.
pub(crate) struct Run<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) counts: Counts,
    package: Option<PathBuf>,
    built: bool,
}

impl<'a> Run<'a> {
    pub(crate) fn new(workspace: &'a Workspace) -> Self {
        Self { workspace, counts: Counts::default(), package: None, built: false }
    }
}

pub(crate) const STAGES: &[Stage] = &[
    Stage {
        name: "setup-toolchain",
        about: "wasm target, rustfmt, clippy",
        run: |run| tools::complete_toolchain(run.workspace),
    },
    Stage {
        name: "setup-wasm-bindgen",
        about: "wasm-bindgen's tools at the version of Cargo.lock",
        run: |run| tools::wasm_bindgen(run.workspace).map(drop),
    },
    Stage { name: "setup-wasm-pack", about: "wasm-pack", run: |run| tools::wasm_pack(run.workspace).map(drop) },
    Stage { name: "setup-cargo-deny", about: "cargo-deny", run: |run| tools::cargo_deny(run.workspace).map(drop) },
    Stage {
        name: "setup-schemathesis",
        about: "schemathesis, in Python",
        run: |run| tools::schemathesis(run.workspace).map(drop),
    },
    Stage { name: "setup-npm", about: "npm packages by lock file", run: set_up_npm },
    Stage {
        name: "setup-chromium",
        about: "Chromium and its driver",
        run: |run| chromium::ensure(run.workspace).map(drop),
    },
    Stage {
        name: "setup-fonts",
        about: "fonts of every script that the transcripts' test reads back",
        run: |run| fonts::ensure(run.workspace),
    },
    Stage { name: "format", about: "cargo fmt --check", run: format },
    Stage { name: "licences", about: "cargo deny --workspace check bans licenses sources", run: licences },
    Stage {
        name: "dependencies",
        about: "the engine is free of browser crates, the SDK uses the named ones",
        run: dependencies,
    },
    Stage { name: "clippy", about: "clippy on everything, warnings are errors", run: clippy },
    Stage { name: "clippy-wasm", about: "clippy on the SDK as browsers get it", run: clippy_wasm },
    Stage { name: "docs", about: "cargo doc, broken links are errors", run: docs },
    Stage { name: "build", about: "the workspace with its tests", run: build },
    Stage { name: "native", about: "cargo test of everything but the simulation", run: native },
    Stage { name: "simulation", about: "10,000 simulated lives, and planted bugs that must be found", run: simulation },
    Stage { name: "package", about: "the npm package and its size", run: package },
    Stage { name: "wasm", about: "wasm-pack test in headless Chromium", run: wasm },
    Stage {
        name: "types",
        about: "the package's declarations (npm run test:types)",
        run: |run| npm_script(run, "test:types"),
    },
    Stage {
        name: "packed",
        about: "the packed package in throwaway projects (npm run test:package)",
        run: |run| npm_script(run, "test:package"),
    },
    Stage {
        name: "screen",
        about: "what screen share records and shows: fidelity, privacy, no leaks (npm run test:screen)",
        run: |run| npm_script(run, "test:screen"),
    },
    Stage {
        name: "browser",
        about: "the pages against a real gateway (npm run test:browser)",
        run: |run| npm_script(run, "test:browser"),
    },
    Stage {
        name: "contract",
        about: "the documented contract, row by row, over HTTP; makes docs/contract.md (npm run test:contract)",
        run: |run| npm_script(run, "test:contract"),
    },
    Stage {
        name: "faults",
        about: "random schedules of faults between real tabs and a real gateway (npm run test:faults)",
        run: |run| npm_script(run, "test:faults"),
    },
    Stage { name: "api", about: "the gateway driven from its OpenAPI document (npm run test:api)", run: api },
    Stage { name: "soak-short", about: "50,000 messages through one client: order and memory", run: soak_short },
];

/// What `--all` adds.
pub(crate) const LONG_STAGES: &[Stage] = &[
    Stage { name: "simulation-long", about: "ten times as many seeds of the simulation", run: simulation_long },
    Stage { name: "fuzz", about: "libFuzzer on the engine and on wire decoding", run: fuzz_all },
    Stage { name: "soak", about: "a million messages through one client, and clients that vanish", run: soak },
];

/// A command line of fixed words.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(' ')
}

fn tests(run: &Run<'_>) -> PathBuf {
    run.workspace.root.join("tests")
}

fn set_up_npm(run: &mut Run<'_>) -> Result<()> {
    npm::ensure_node(run.workspace)?;
    npm::shrinkers(run.workspace)?;
    npm::install(run.workspace, &run.workspace.root.join("screen"))?;
    npm::install(run.workspace, &tests(run))
}

fn format(run: &mut Run<'_>) -> Result<()> {
    tools::complete_toolchain(run.workspace)?;
    exec::quiet(run.workspace.cargo()?.args(["fmt", "--all", "--check"]))
}

fn licences(run: &mut Run<'_>) -> Result<()> {
    let deny = tools::cargo_deny(run.workspace)?;
    let mut command = run.workspace.command("cargo-deny", &[deny])?;
    exec::quiet(command.args(words("--workspace --log-level error check bans licenses sources")))
}

fn clippy(run: &mut Run<'_>) -> Result<()> {
    tools::complete_toolchain(run.workspace)?;
    let mut cargo = run.workspace.cargo()?;
    exec::quiet(cargo.args(words("clippy --quiet --locked --workspace --all-targets -- --deny warnings")))
}

fn clippy_wasm(run: &mut Run<'_>) -> Result<()> {
    tools::complete_toolchain(run.workspace)?;
    let mut cargo = run.workspace.cargo()?;
    cargo.args(words("clippy --quiet --locked --package sportello --all-targets --target")).arg(WASM_TARGET);
    exec::quiet(cargo.args(words("-- --deny warnings")))
}

fn docs(run: &mut Run<'_>) -> Result<()> {
    let mut cargo = run.workspace.cargo()?;
    cargo.args(words("doc --quiet --locked --workspace --no-deps --document-private-items"));
    exec::quiet(cargo.env("RUSTDOCFLAGS", "--deny warnings"))
}

fn build(run: &mut Run<'_>) -> Result<()> {
    if !run.built {
        exec::quiet(run.workspace.cargo()?.args(words("build --quiet --locked --workspace --all-targets")))?;
        run.built = true;
    }
    Ok(())
}

fn native(run: &mut Run<'_>) -> Result<()> {
    build(run)?;
    let mut cargo = run.workspace.cargo()?;
    counted(run, cargo.args(words("test --locked --workspace --exclude simulation --no-fail-fast")))
}

fn package(run: &mut Run<'_>) -> Result<()> {
    if run.package.is_none() {
        npm::ensure_node(run.workspace)?;
        run.package = Some(package::build(run.workspace, Optimiser::Required)?);
    }
    Ok(())
}

fn wasm(run: &mut Run<'_>) -> Result<()> {
    tools::complete_toolchain(run.workspace)?;
    let Chromium { driver, .. } = chromium::ensure(run.workspace)?;
    let programs = [tools::wasm_pack(run.workspace)?, tools::wasm_bindgen(run.workspace)?];
    // The same build that wasm-pack asks for, so that what it shows is the tests only.
    let mut cargo = run.workspace.cargo()?;
    exec::quiet(cargo.args(words("build --quiet --locked --tests --package sportello --target")).arg(WASM_TARGET))?;
    let mut command = run.workspace.command("wasm-pack", &programs)?;
    command.args(words("test --headless --chrome --mode no-install --chromedriver")).arg(driver);
    // Only the SDK: the rest of the workspace is not for browsers.
    command.args(words(". --package sportello"));
    counted(run, command.env("WASM_BINDGEN_TEST_TIMEOUT", WASM_TEST_TIMEOUT_S))
}

/// Runs one of the scripts in `tests/package.json` against the package and the gateway of this checkout.
fn npm_script(run: &mut Run<'_>, script: &str) -> Result<()> {
    build(run)?;
    let mut command = npm_command(run, script, gateway::program(run.workspace))?;
    counted(run, &mut command)
}

fn api(run: &mut Run<'_>) -> Result<()> {
    build(run)?;
    let program = tools::schemathesis(run.workspace)?;
    let mut command = npm_command(run, "test:api", gateway::program(run.workspace))?;
    counted(run, command.env("SPORTELLO_SCHEMATHESIS", program))
}

/// The soak test, on a gateway as it is deployed.
pub(crate) fn soak(run: &mut Run<'_>) -> Result<()> {
    let program = gateway::build_release(run.workspace)?;
    let mut command = npm_command(run, "soak", program)?;
    counted(run, &mut command)
}

/// Its first part, as short as it still says something about memory.
fn soak_short(run: &mut Run<'_>) -> Result<()> {
    build(run)?;
    let mut command = npm_command(run, "soak", gateway::program(run.workspace))?;
    counted(run, command.env("SPORTELLO_SOAK_MESSAGES", "50000").env("SPORTELLO_SOAK_CLIENTS", "0"))
}

/// One test after the other, because each uses both cores; and with what they print, which is the proof.
fn simulation(run: &mut Run<'_>) -> Result<()> {
    let mut cargo = run.workspace.cargo()?;
    counted(run, cargo.args(words("test --locked --package simulation -- --nocapture --test-threads=1")))
}

fn simulation_long(run: &mut Run<'_>) -> Result<()> {
    let mut cargo = run.workspace.cargo()?;
    cargo.env("SPORTELLO_SEEDS", "100000");
    counted(run, cargo.args(words("test --locked --package simulation --test reliability no_message -- --nocapture")))
}

fn fuzz_all(run: &mut Run<'_>) -> Result<()> {
    fuzz::run(run.workspace, &FuzzOptions { seconds: 300 })
}

/// A script of `tests/package.json`, with everything it needs.
fn npm_command(run: &mut Run<'_>, script: &str, gateway: PathBuf) -> Result<Command> {
    package(run)?;
    let folder = tests(run);
    npm::install(run.workspace, &folder)?;
    let Chromium { browser, .. } = chromium::ensure(run.workspace)?;
    fonts::ensure(run.workspace)?;
    let mut command = run.workspace.command("npm", &[])?;
    command.args(["run", "--silent", script]).current_dir(folder);
    command.env("SPORTELLO_PKG", run.workspace.root.join("pkg"));
    command.env("SPORTELLO_WWW", run.workspace.root.join("www-demo"));
    command.env("SPORTELLO_GATEWAY_BIN", gateway).env("CHROMIUM", browser);
    Ok(command)
}

/// Runs tests and adds their counts. Tests that ran nothing have not passed.
fn counted(run: &mut Run<'_>, command: &mut Command) -> Result<()> {
    let shown = exec::shown(command)?;
    let counts = Counts::read(&shown.text);
    run.counts = run.counts.plus(counts);
    if !shown.status.success() || counts.failed > 0 {
        bail!("`{}` failed ({}; {counts})", exec::line(command), shown.status);
    }
    if counts.passed == 0 {
        bail!("`{}` ran no tests", exec::line(command));
    }
    Ok(())
}

fn dependencies(run: &mut Run<'_>) -> Result<()> {
    tools::complete_toolchain(run.workspace)?;
    let engine = dependencies_of(run, "engine")?;
    if let Some(found) = engine.iter().find(|name| BROWSER_CRATES.contains(&name.as_str()) || name.starts_with(GLOO)) {
        bail!("the engine depends on `{found}`: it must run without a browser");
    }
    let sdk = dependencies_of(run, "sportello")?;
    if let Some(missing) = SDK_CRATES.iter().find(|name| !sdk.contains(**name)) {
        bail!("the SDK does not use `{missing}`, one of the project's named parts");
    }
    Ok(())
}

/// The names in `cargo tree` of a package as the browser gets it.
fn dependencies_of(run: &Run<'_>, package: &str) -> Result<BTreeSet<String>> {
    let mut cargo = run.workspace.cargo()?;
    cargo.args(["tree", "--locked", "--package", package, "--target", WASM_TARGET]);
    let tree = exec::output(cargo.args(["--edges", "normal", "--prefix", "none", "--format", "{p}"]))?;
    Ok(tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

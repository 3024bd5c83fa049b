//! The one entry to everything in this repository: `cargo xtask demo | test | package | soak | fuzz`.
//!
//! Each command brings what it needs and is missing, or prints the one command that does. Nothing here knows anything about chat, and
//! nothing here is part of what users download.
#![expect(clippy::print_stdout, reason = "a command-line tool speaks on its standard output")]

mod apt;
mod arguments;
mod chromium;
mod counts;
mod demo;
mod exec;
mod fonts;
mod fuzz;
mod gateway;
mod npm;
mod package;
mod screen;
mod sizes;
mod stages;
mod static_imports;
mod test;
mod tools;
mod wasm_module;
mod workspace;

use std::process::ExitCode;

use arguments::Task;
use workspace::Workspace;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let task = arguments::parse()?;
    let workspace = Workspace::find()?;
    match task {
        Task::Help => {
            println!("{}", arguments::USAGE);
            Ok(())
        }
        Task::Demo(options) => demo::run(&workspace, &options),
        Task::Test(options) => test::run(&workspace, &options),
        Task::Package => package::build(&workspace, package::Optimiser::WhereNpmIsPresent).map(|_| ()),
        Task::Soak => stages::soak(&mut stages::Run::new(&workspace)),
        Task::Fuzz(options) => fuzz::run(&workspace, &options),
        Task::Bench => anyhow::bail!("`cargo xtask bench` is not there yet: the benchmarks have not been written"),
    }
}

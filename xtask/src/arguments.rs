//! What was asked for on the command line.

use std::path::PathBuf;

use lexopt::prelude::*;

pub(crate) const USAGE: &str = "\
cargo xtask demo [--port N] [--data DIR]   build everything and serve the customer page and the agent desk
cargo xtask test [--all]                   run every check and test; --all adds the long ones
                 [--list] [--only STAGE]   list the stages, or run only the named ones (repeat --only)
cargo xtask package                        fill pkg/ with the npm package and print its sizes
cargo xtask soak                           a million messages through one client, and clients that vanish
cargo xtask fuzz [--seconds N]             let libFuzzer look for sequences that break the engine (needs a nightly toolchain)";

#[derive(Debug)]
pub(crate) enum Task {
    Help,
    Demo(DemoOptions),
    Test(TestOptions),
    Package,
    Soak,
    Fuzz(FuzzOptions),
    Bench,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DemoOptions {
    /// 0 lets the system choose.
    pub(crate) port: u16,
    /// Where the gateway keeps its database; `data/` in the checkout where absent.
    pub(crate) data: Option<PathBuf>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TestOptions {
    pub(crate) all: bool,
    pub(crate) list: bool,
    pub(crate) only: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FuzzOptions {
    /// For each target.
    pub(crate) seconds: u32,
}

pub(crate) fn parse() -> Result<Task, lexopt::Error> {
    parse_from(lexopt::Parser::from_env())
}

fn parse_from(mut arguments: lexopt::Parser) -> Result<Task, lexopt::Error> {
    let task = match arguments.next()? {
        None | Some(Short('h') | Long("help")) => return Ok(Task::Help),
        Some(Value(task)) => task.string()?,
        Some(other) => return Err(other.unexpected()),
    };
    match task.as_str() {
        "help" => Ok(Task::Help),
        "demo" => demo(arguments),
        "test" => test(arguments),
        "package" => without_options(arguments, Task::Package),
        "soak" => without_options(arguments, Task::Soak),
        "fuzz" => fuzz(arguments),
        "bench" => without_options(arguments, Task::Bench),
        unknown => Err(format!("no task is called `{unknown}`; there are:\n{USAGE}").into()),
    }
}

fn demo(mut arguments: lexopt::Parser) -> Result<Task, lexopt::Error> {
    let mut options = DemoOptions { port: 8787, data: None };
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("port") => options.port = arguments.value()?.parse()?,
            Long("data") => options.data = Some(arguments.value()?.into()),
            Short('h') | Long("help") => return Ok(Task::Help),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Task::Demo(options))
}

fn test(mut arguments: lexopt::Parser) -> Result<Task, lexopt::Error> {
    let mut options = TestOptions::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("all") => options.all = true,
            Long("list") => options.list = true,
            Long("only") => options.only.push(arguments.value()?.string()?),
            Short('h') | Long("help") => return Ok(Task::Help),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Task::Test(options))
}

fn fuzz(mut arguments: lexopt::Parser) -> Result<Task, lexopt::Error> {
    let mut options = FuzzOptions { seconds: 300 };
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("seconds") => options.seconds = arguments.value()?.parse()?,
            Short('h') | Long("help") => return Ok(Task::Help),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Task::Fuzz(options))
}

fn without_options(mut arguments: lexopt::Parser, task: Task) -> Result<Task, lexopt::Error> {
    match arguments.next()? {
        None => Ok(task),
        Some(Short('h') | Long("help")) => Ok(Task::Help),
        Some(other) => Err(other.unexpected()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Task, lexopt::Error> {
        parse_from(lexopt::Parser::from_args(arguments))
    }

    #[test]
    fn demo_serves_on_8787_unless_told_otherwise() {
        let Ok(Task::Demo(options)) = parsed(&["demo"]) else { panic!("not the demo") };
        assert_eq!(options, DemoOptions { port: 8787, data: None });
        let Ok(Task::Demo(options)) = parsed(&["demo", "--port=0", "--data", "elsewhere"]) else {
            panic!("not the demo")
        };
        assert_eq!(options, DemoOptions { port: 0, data: Some("elsewhere".into()) });
    }

    #[test]
    fn only_can_be_repeated() {
        let Ok(Task::Test(options)) = parsed(&["test", "--only", "format", "--only", "licences"]) else {
            panic!("not the tests")
        };
        assert_eq!(options.only, ["format", "licences"]);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for arguments in [&["demo", "--port", "70000"][..], &["package", "--all"], &["deploy"], &["--port"]] {
            assert!(parsed(arguments).is_err(), "{arguments:?}");
        }
    }
}

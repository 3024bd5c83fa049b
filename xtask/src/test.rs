//! `cargo xtask test`: runs the stages, stops at the first that fails, says how long each took and how many tests passed.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::{
    arguments::TestOptions,
    stages::{LONG_STAGES, Run, STAGES, Stage},
    tools,
    workspace::Workspace,
};

pub(crate) fn run(workspace: &Workspace, options: &TestOptions) -> Result<()> {
    if options.list {
        list();
        return Ok(());
    }
    let stages = chosen(options)?;
    if options.all && LONG_STAGES.is_empty() {
        println!("--all: there are no long stages yet");
    }
    let mut run = Run::new(workspace);
    let mut times = Vec::new();
    let mut failure = None;
    for stage in stages {
        println!("== {}: {}", stage.name, stage.about);
        let start = Instant::now();
        let result = (stage.run)(&mut run);
        times.push((stage.name, start.elapsed()));
        if let Err(error) = result {
            eprintln!("error: {error:#}");
            failure = Some(stage.name);
            break;
        }
    }
    if failure.is_none() {
        tools::forget_builds(workspace)?;
    }
    println!("\n{}", table(&times));
    if failure.is_some() && run.counts.failed == 0 {
        // A check that no test runner counts.
        run.counts.failed = 1;
    }
    if let Some(stage) = failure {
        println!("the stage `{stage}` failed; alone: cargo xtask test --only {stage}");
    }
    println!("{}", run.counts);
    match failure {
        Some(stage) => bail!("the stage `{stage}` failed"),
        None => Ok(()),
    }
}

fn list() {
    for stage in STAGES {
        println!("{:<20} {}", stage.name, stage.about);
    }
    for stage in LONG_STAGES {
        println!("{:<20} {} (with --all)", stage.name, stage.about);
    }
}

fn chosen(options: &TestOptions) -> Result<Vec<&'static Stage>> {
    let every = || STAGES.iter().chain(LONG_STAGES);
    if let Some(unknown) = options.only.iter().find(|name| !every().any(|stage| stage.name == **name)) {
        bail!("no stage is called `{unknown}`; `cargo xtask test --list` shows them");
    }
    if !options.only.is_empty() {
        return Ok(every().filter(|stage| options.only.iter().any(|name| name == stage.name)).collect());
    }
    let long: &[Stage] = if options.all { LONG_STAGES } else { &[] };
    Ok(STAGES.iter().chain(long).collect())
}

fn table(times: &[(&str, Duration)]) -> String {
    let total: Duration = times.iter().map(|(_, time)| *time).sum();
    let row = |name: &str, time: Duration| format!("{name:<20} {:>8.1}\n", time.as_secs_f64());
    let rows: String = times.iter().map(|(name, time)| row(name, *time)).collect();
    format!("{:<20} {:>8}\n{rows}{}", "stage", "seconds", row("total", total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_stages_run_in_the_usual_order() {
        let only = |names: &[&str]| TestOptions {
            only: names.iter().map(ToString::to_string).collect(),
            ..Default::default()
        };
        let names = |options| chosen(&options).unwrap().iter().map(|stage| stage.name).collect::<Vec<_>>();
        assert_eq!(names(only(&["native", "format"])), ["format", "native"]);
        assert_eq!(names(TestOptions::default()).len(), STAGES.len());
        assert!(chosen(&only(&["no-such-stage"])).is_err());
    }

    #[test]
    fn the_table_has_each_stage_and_their_sum() {
        let table = table(&[("format", Duration::from_millis(1_500)), ("native", Duration::from_secs(60))]);
        let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows, [["stage", "seconds"], ["format", "1.5"], ["native", "60.0"], ["total", "61.5"]]);
    }
}

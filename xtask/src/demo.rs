//! `cargo xtask demo`: builds the package and the gateway, and serves the customer page and the agent desk until it is interrupted.

use std::{
    env,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context as _, Result, bail};

use crate::{
    arguments::DemoOptions,
    exec, fonts, gateway,
    package::{self, Optimiser},
    tools,
    workspace::Workspace,
};

/// What the gateway prints once it answers.
const LISTENING: &str = "listening on ";
/// The demo configuration's agent.
const AGENT: &str = "ada / sportello-demo";

pub(crate) fn run(workspace: &Workspace, options: &DemoOptions) -> Result<()> {
    let data = match &options.data {
        Some(folder) => env::current_dir()?.join(folder),
        None => workspace.root.join("data"),
    };
    fonts::offer(workspace);
    println!("building the browser's part …");
    let package = package::build(workspace, Optimiser::Unused)?;
    tools::forget_builds(workspace)?;
    println!("building the gateway …");
    let program = gateway::build(workspace)?;
    let mut command = workspace.command(program, &[])?;
    command.args(["serve", "--demo", "--listen"]).arg(format!("127.0.0.1:{}", options.port));
    command.arg("--data").arg(&data).arg("--www").arg(workspace.root.join("www-demo")).arg("--pkg").arg(package);
    serve(&mut command, &data)
}

/// Runs the gateway until it ends, by itself or because this program was asked to end.
fn serve(command: &mut Command, data: &Path) -> Result<()> {
    let mut gateway = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{}`", exec::line(command)))?;
    let interrupted = end_with_us(&gateway)?;
    let output = gateway.stdout.take().context("the gateway has no output")?;
    for line in BufReader::new(output).lines() {
        let line = line.context("reading the gateway's output")?;
        match line.strip_prefix(LISTENING) {
            Some(url) => println!("{}", welcome(url, data)),
            None => println!("{line}"),
        }
    }
    let status = gateway.wait()?;
    if !status.success() {
        bail!("the gateway failed ({status})");
    }
    if !interrupted.load(Ordering::SeqCst) {
        bail!("the gateway ended by itself");
    }
    println!("the demo has ended; its data stay in {}", data.display());
    Ok(())
}

fn welcome(url: &str, data: &Path) -> String {
    let url = url.trim_end_matches('/');
    format!(
        "\nSportello is running.\n\n  customer page   {url}/\n  agent desk      {url}/desk\n  demo agent      {AGENT}\n  \
         data            {}\n\nCtrl-C ends it.\n",
        data.display()
    )
}

/// From here on Ctrl-C (and a request to terminate) goes to the gateway, which finishes what it does and ends; then so do we.
fn end_with_us(gateway: &Child) -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    let process = gateway.id();
    ctrlc::set_handler(move || {
        if !flag.swap(true, Ordering::SeqCst) {
            terminate(process);
        }
    })?;
    Ok(interrupted)
}

/// A terminal sends Ctrl-C to the gateway too; a plain `kill` of this program does not, so it is passed on in any case.
#[cfg(unix)]
fn terminate(process: u32) {
    use nix::{sys::signal, unistd::Pid};
    if let Ok(process) = i32::try_from(process) {
        // The only failure is that the gateway has ended already.
        let _ = signal::kill(Pid::from_raw(process), signal::Signal::SIGTERM);
    }
}

/// The console has sent Ctrl-C to the gateway as well.
#[cfg(not(unix))]
fn terminate(_process: u32) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_urls_are_those_the_gateway_listens_on() {
        let text = welcome("http://127.0.0.1:40123", Path::new("data"));
        assert!(text.contains("http://127.0.0.1:40123/\n"));
        assert!(text.contains("http://127.0.0.1:40123/desk\n"));
    }
}

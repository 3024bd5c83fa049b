//! Running other programs: quietly (their output is shown only when they fail), or shown and kept for counting.

use std::{
    io::{self, BufRead as _, BufReader, IsTerminal as _, Read as _, Write as _},
    process::{Command, ExitStatus, Stdio},
};

use anyhow::{Context as _, Result, bail};

/// What a program printed on both its outputs, in the order it came, and whether it succeeded.
pub(crate) struct Shown {
    pub(crate) status: ExitStatus,
    pub(crate) text: String,
}

/// The standard output of a program that has to succeed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let done = command.stdin(Stdio::null()).output().with_context(|| format!("could not start `{}`", line(command)))?;
    if !done.status.success() {
        bail!("`{}` failed ({}): {}", line(command), done.status, String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Runs a program that has to succeed, and shows its output only when it does not.
pub(crate) fn quiet(command: &mut Command) -> Result<()> {
    let (mut reader, status) = start_merged(command)?;
    let mut text = Vec::new();
    reader.read_to_end(&mut text).context("reading a program's output")?;
    let status = status.wait()?;
    if !status.success() {
        io::stderr().write_all(&text)?;
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// As [`quiet`], but a person at a terminal watches the progress of what takes minutes.
pub(crate) fn slow(command: &mut Command) -> Result<()> {
    if !io::stderr().is_terminal() {
        return quiet(command);
    }
    let status =
        command.stdin(Stdio::null()).status().with_context(|| format!("could not start `{}`", line(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// Runs a program, passes its output on line by line, and keeps it.
pub(crate) fn shown(command: &mut Command) -> Result<Shown> {
    let (reader, status) = start_merged(command)?;
    let mut text = String::new();
    let mut lines = BufReader::new(reader);
    let mut bytes = Vec::new();
    let mut out = io::stdout().lock();
    while lines.read_until(b'\n', &mut bytes).context("reading a program's output")? > 0 {
        out.write_all(&bytes)?;
        out.flush()?;
        text.push_str(&String::from_utf8_lossy(&bytes));
        bytes.clear();
    }
    Ok(Shown { status: status.wait()?, text })
}

/// The command as a person would type it.
pub(crate) fn line(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut line = program.to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

struct Running(std::process::Child);

impl Running {
    fn wait(mut self) -> Result<ExitStatus> {
        self.0.wait().context("waiting for a program's end")
    }
}

fn start_merged(command: &mut Command) -> Result<(io::PipeReader, Running)> {
    let (reader, writer) = io::pipe()?;
    let again = writer.try_clone()?;
    let child = command
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(again)
        .spawn()
        .with_context(|| format!("could not start `{}`", line(command)));
    // The command holds the pipe's write end; kept, it would keep the pipe open after the program's end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    Ok((reader, Running(child?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_keeps_both_outputs_and_the_failure() {
        let mut command = Command::new("rustc");
        command.arg("--no-such-option");
        let shown = shown(&mut command).unwrap();
        assert!(!shown.status.success());
        assert!(shown.text.contains("no-such-option"));
        assert!(quiet(&mut command).unwrap_err().to_string().starts_with("`rustc --no-such-option` failed"));
    }

    #[test]
    fn output_is_what_the_program_printed() {
        assert!(output(Command::new("rustc").arg("--version")).unwrap().starts_with("rustc "));
        assert!(output(&mut Command::new("no-such-program-here")).is_err());
    }
}

//! The command line: `gateway serve | print-config | hash-password`. Says what to do where something is wrong, and ends with code 1 then.

use std::ffi::OsString;
use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt};
use tokio::net::TcpListener;

use crate::auth::agent;
use crate::config::{Config, DEFAULT_TOML};
use crate::{demo_secret, open_store, serve, telemetry};

const HELP: &str = "\
The Sportello gateway.

  gateway serve [--config FILE] [--data DIR] [--listen ADDR:PORT] [--demo] [--www DIR] [--pkg DIR] [--allow-origin ORIGIN]...
  gateway print-config     print the default configuration, with comments
  gateway hash-password    read a password from standard input and print its hash for [[agents]]

  --config FILE          the configuration; needed unless --demo is given
  --data DIR             where chats are kept (default: data)
  --listen ADDR:PORT     where to listen (default: 127.0.0.1:8787); port 0 takes a free one
  --demo                 add a demo company, and on a loopback address the agents ada and grace with the password sportello-demo
  --www DIR, --pkg DIR   serve the demo's pages and the npm package from these folders
  --allow-origin ORIGIN  let pages of this origin use every company

When it listens it prints one line: listening on http://ADDR:PORT
";

#[derive(Debug, PartialEq, Eq)]
enum Command {
    Help,
    PrintConfig,
    HashPassword,
    Serve(Box<ServeArgs>),
}

#[derive(Debug, PartialEq, Eq)]
struct ServeArgs {
    config: Option<PathBuf>,
    data: PathBuf,
    listen: SocketAddr,
    demo: bool,
    www: Option<PathBuf>,
    pkg: Option<PathBuf>,
    allow_origins: Vec<String>,
}

impl Default for ServeArgs {
    fn default() -> Self {
        ServeArgs {
            config: None,
            data: PathBuf::from("data"),
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            demo: false,
            www: None,
            pkg: None,
            allow_origins: Vec::new(),
        }
    }
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let result = parse(std::env::args_os().skip(1)).map_err(|error| error.to_string()).and_then(run);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            // Nothing can be done where standard error is closed.
            drop(writeln!(std::io::stderr(), "gateway: {text}"));
            ExitCode::FAILURE
        }
    }
}

fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, lexopt::Error> {
    let mut parser = Parser::from_args(args);
    let mut serve = ServeArgs::default();
    let mut name = None;
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Value(value) if name.is_none() => name = Some(value.string()?),
            Arg::Long("config") => serve.config = Some(parser.value()?.into()),
            Arg::Long("data") => serve.data = parser.value()?.into(),
            Arg::Long("listen") => serve.listen = parser.value()?.parse()?,
            Arg::Long("demo") => serve.demo = true,
            Arg::Long("www") => serve.www = Some(parser.value()?.into()),
            Arg::Long("pkg") => serve.pkg = Some(parser.value()?.into()),
            Arg::Long("allow-origin") => serve.allow_origins.push(parser.value()?.string()?),
            other => return Err(other.unexpected()),
        }
    }
    match name.as_deref() {
        Some("serve") => Ok(Command::Serve(Box::new(serve))),
        Some("print-config") => Ok(Command::PrintConfig),
        Some("hash-password") => Ok(Command::HashPassword),
        Some(other) => Err(format!("there is no command {other:?}; see gateway --help").into()),
        None => Ok(Command::Help),
    }
}

fn run(command: Command) -> Result<(), String> {
    match command {
        Command::Help => print(HELP),
        Command::PrintConfig => print(DEFAULT_TOML),
        Command::HashPassword => hash_password(),
        Command::Serve(args) => serve_until_stopped(*args),
    }
}

fn print(text: &str) -> Result<(), String> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| error.to_string())
}

fn hash_password() -> Result<(), String> {
    let mut password = String::new();
    std::io::stdin().lock().read_line(&mut password).map_err(|error| error.to_string())?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err("type or pipe a password, in one line".to_owned());
    }
    let hash = agent::hash_password(password)?;
    print(&format!("{hash}\n"))
}

fn read_config(args: &ServeArgs) -> Result<Config, String> {
    let mut config = match &args.config {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            Config::from_toml(&text).map_err(|error| format!("{}: {error}", file.display()))?
        }
        None => Config::default(),
    };
    (config.www, config.pkg) = (args.www.clone(), args.pkg.clone());
    Ok(config)
}

fn serve_until_stopped(args: ServeArgs) -> Result<(), String> {
    let config = read_config(&args)?;
    telemetry::init(config.log);
    // A stream is an open file. Where the limit cannot be raised, it stays what it is.
    drop(rlimit::increase_nofile_limit(u64::MAX));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(serve_with(args, config))
}

async fn serve_with(args: ServeArgs, mut config: Config) -> Result<(), String> {
    // Asked for first: a stop that comes while the gateway starts must not be lost.
    let stopped = stopped().map_err(|error| error.to_string())?;
    let store = open_store(&args.data).await.map_err(|error| error.to_string())?;
    config.data = Some(args.data.clone());
    if args.demo {
        let secret = demo_secret(store.as_ref()).await.map_err(|error| error.to_string())?;
        config = config.with_demo(secret, args.listen.ip().is_loopback()).map_err(|error| error.to_string())?;
    }
    for origin in &args.allow_origins {
        config.allow_origin(origin);
    }
    config.validate().map_err(|error| error.to_string())?;
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        format!(
            "cannot listen on {}: {error}; stop the other program or choose another port with --listen",
            args.listen
        )
    })?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    print(&format!("listening on http://{address}\n"))?;
    serve(listener, config, store, stopped).await.map_err(|error| error.to_string())
}

/// Ready when the process is asked to stop.
#[cfg(unix)]
fn stopped() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Ready when the process is asked to stop.
#[cfg(not(unix))]
fn stopped() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Command, String> {
        parse(args.iter().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_is_read() {
        let all = "serve --config c.toml --data d --listen 0.0.0.0:0 --demo --www w --pkg=p --allow-origin http://a --allow-origin http://b";
        let args: Vec<&str> = all.split(' ').collect();
        let expected = ServeArgs {
            config: Some("c.toml".into()),
            data: "d".into(),
            listen: SocketAddr::from(([0, 0, 0, 0], 0)),
            demo: true,
            www: Some("w".into()),
            pkg: Some("p".into()),
            allow_origins: vec!["http://a".into(), "http://b".into()],
        };
        assert_eq!(parsed(&args), Ok(Command::Serve(Box::new(expected))));
        assert_eq!(parsed(&[]), Ok(Command::Help));
        assert_eq!(parsed(&["print-config"]), Ok(Command::PrintConfig));
        for wrong in
            [&["serve", "--listen", "nowhere"][..], &["serve", "--frobnicate"], &["dance"], &["serve", "again"]]
        {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
    }
}

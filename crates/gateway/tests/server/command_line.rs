//! The program as one meets it in a terminal.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

fn gateway(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gateway"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn failure(args: &[&str]) -> String {
    let output = gateway(args, "");
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_default_configuration_is_printed() {
    let output = gateway(&["print-config"], "");
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), gateway::config::DEFAULT_TOML);
}

#[test]
fn a_hashed_password_is_good_for_the_configuration() {
    let output = gateway(&["hash-password"], "sesame open\n");
    let hash = String::from_utf8(output.stdout).unwrap();
    assert!(hash.starts_with("$argon2id$") && !hash.contains("sesame"));
    assert!(failure(&["hash-password"]).contains("type or pipe a password"));
}

#[test]
fn what_is_wrong_at_the_start_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let text = failure(&["serve", "--demo", "--data", data, "--listen", &taken]);
    assert!(text.contains(&taken) && text.contains("--listen"), "{text}");

    let text = failure(&["serve", "--data", data, "--listen", "127.0.0.1:0"]);
    assert!(text.contains("--config") && text.contains("--demo"), "{text}");

    let file = folder.path().join("gateway.toml");
    std::fs::write(&file, "[limits]\nmax_txet_bytes = 1\n").unwrap();
    let text = failure(&["serve", "--config", file.to_str().unwrap(), "--data", data]);
    assert!(text.contains("max_txet_bytes") && text.contains("line 2"), "{text}");
    let text = failure(&["serve", "--config", "/nowhere.toml", "--data", data]);
    assert!(text.contains("/nowhere.toml"), "{text}");

    std::fs::write(folder.path().join("file"), "").unwrap();
    let text = failure(&["serve", "--demo", "--data", folder.path().join("file").to_str().unwrap()]);
    assert!(text.contains("data directory"), "{text}");
    let broken = folder.path().join("broken");
    std::fs::create_dir(&broken).unwrap();
    std::fs::write(
        broken.join("sportello.sqlite"),
        "this is no database, but long enough to be taken for one".repeat(100),
    )
    .unwrap();
    let text = failure(&["serve", "--demo", "--data", broken.to_str().unwrap()]);
    assert!(text.contains("--data"), "{text}");
    assert!(failure(&["dance"]).contains("--help"));
}

//! The real program in a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use reqwest::StatusCode;
use serde_json::json;

use crate::common::{User, json_of, provide_tls};

/// The program on a free port, with the demo in a data folder.
pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) base: String,
}

impl Program {
    pub(crate) fn start(data: &Path) -> Program {
        provide_tls();
        // Tests talk faster than people.
        let off = "{ per_minute = 0, burst = 1 }";
        let limits = format!("[limits]\nrequests_per_address = {off}\nrequests_per_end_user = {off}\n");
        let config = data.join("gateway.toml");
        std::fs::write(&config, limits).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_gateway"))
            .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .arg("--config")
            .arg(config)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().strip_prefix("listening on ").expect("the line that it listens").to_owned();
        Program { child, base }
    }

    pub(crate) async fn user(&self, identifier: &str) -> User {
        let http = reqwest::Client::new();
        let request = http.post(format!("{}/demo/token", self.base)).json(&json!({"identifier": identifier}));
        let (_, body) = json_of(request.send().await.unwrap()).await;
        let exchange = json!({"company_id": "demo", "token": body["token"]});
        let request = http.post(format!("{}/api/v1/sessions", self.base)).json(&exchange);
        let (status, body) = json_of(request.send().await.unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        User { base: self.base.clone(), token: body["session_token"].as_str().unwrap().to_owned(), http }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // SIGKILL: nothing can be tidied up.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

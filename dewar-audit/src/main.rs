//! `dewar-audit`: looks at a running web application from outside; `dewar-audit --help` says how.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    dewar_audit::command::run().await
}

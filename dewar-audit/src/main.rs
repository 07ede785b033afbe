//! `dewar-audit`: checks a running web application from outside; see `dewar-audit --help`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    dewar_audit::command::run().await
}

use std::io::{self, IsTerminal, Write};

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::{App, Running};
use crate::pages::Error;

/// Serves until the process is told to stop.
pub(super) async fn serve<S: Clone + Send + Sync + 'static>(app: App<S>) -> Result<(), Error> {
    start_log();
    let data = app.config.data.clone();
    let running = app.start().await?;
    welcome(&running, &data).await?;
    tracing::info!(url = running.url(), "serving");
    told_to_stop().await?;
    tracing::info!("stopping: requests under way are finished first");
    running.stop().await
}

/// What the program has to say goes to standard error, one line an event; `RUST_LOG` chooses how much.
fn start_log() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,dewar::audit=warn"));
    // Already set where a program has a log of its own; that one stays.
    drop(
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(io::stderr().is_terminal())
            .with_writer(io::stderr)
            .try_init(),
    );
}

/// What a new user needs: where it is, where the data is, how to trust it, how to begin.
async fn welcome(running: &Running, data: &std::path::Path) -> Result<(), Error> {
    let mut text = format!("\n  {}\n\n", running.url());
    if let Some(http) = running.http() {
        text.push_str(&format!(
            "  http://localhost:{} leads there.\n",
            http.port()
        ));
    }
    let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    text.push_str(&format!("  Data: {}\n", data.display()));
    if let Some(authority) = running.authority_file() {
        let authority = std::path::absolute(authority).unwrap_or_else(|_| authority.into());
        let authority = authority.display();
        text.push_str(&format!(
            "  Certificate: of this machine's own authority, {authority}\n  To make browsers trust it: the command \
             `https trust`.\n"
        ));
    }
    let setup = running
        .dewar()
        .accounts()
        .setup_path()
        .await
        .map_err(Error::internal)?;
    match setup {
        Some(path) if running.dewar().rooms().mounted.page("/setup/{token}") => {
            text.push_str(&format!(
                "\n  There is no administrator yet. This link makes the first one, once:\n  {}{path}\n",
                running.url()
            ));
        }
        Some(_) => text.push_str(
            "\n  There is no administrator yet. `users add --role …` makes the first one.\n",
        ),
        None => {}
    }
    for finding in running.findings() {
        text.push_str(&format!("\n{finding}"));
    }
    writeln!(io::stdout(), "{text}").map_err(Error::internal)
}

async fn told_to_stop() -> Result<(), Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::internal)?;
    tokio::select! {
        done = tokio::signal::ctrl_c() => done.map_err(Error::internal),
        _ = terminate.recv() => Ok(()),
    }
}

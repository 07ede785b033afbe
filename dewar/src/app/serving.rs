use std::io::{self, IsTerminal, Write};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::{App, Running, developer};
use crate::mail::MAILBOX;
use crate::pages::{AccountPage, Error};

/// Serves until a signal stops the process.
pub(super) async fn serve<S: Clone + Send + Sync + 'static>(app: App<S>) -> Result<(), Error> {
    start_log("info,dewar::audit=warn");
    let data = app.config.data.clone();
    let running = app.start().await?;
    // Before the welcome: whoever reads it may stop the program at once.
    let stop = StopSignals::listen()?;
    welcome(&running, &data).await?;
    tracing::info!(url = running.url(), "serving");
    stop.received().await;
    tracing::info!("stopping: Dewar finishes the open requests first");
    running.stop().await
}

/// Writes the program's messages to standard error, one line an event; `RUST_LOG` sets the level.
pub(super) fn start_log(levels: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(levels));
    // A program with a log of its own has set it already; that one stays.
    drop(
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(io::stderr().is_terminal())
            .with_writer(io::stderr)
            .try_init(),
    );
}

/// Shows a new user the address, the data directory, how to trust the certificate and how to begin.
async fn welcome(running: &Running, data: &std::path::Path) -> Result<(), Error> {
    let mut text = format!("\n  {}\n\n", running.url());
    if let Some(http) = running.http() {
        text.push_str(&format!(
            "  http://localhost:{} redirects there.\n",
            http.port()
        ));
    }
    if running.shows_developers() {
        text.push_str(&format!(
            "  Routes, requests, jobs: {}{}\n",
            running.url(),
            developer::PAGE
        ));
    }
    if running.dewar().rooms().mailbox.is_some() {
        text.push_str(&format!("  Letters: {}{MAILBOX}\n", running.url()));
    }
    let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    text.push_str(&format!("  Data: {}\n", data.display()));
    if let Some(authority) = running.authority_file() {
        let authority = std::path::absolute(authority).unwrap_or_else(|_| authority.into());
        let authority = authority.display();
        text.push_str(&format!(
            "  Certificate: issued by this machine's own authority, {authority}\n  To make browsers trust it, run \
             `https trust`.\n"
        ));
    }
    let setup = running
        .dewar()
        .accounts()
        .setup_path()
        .await
        .map_err(Error::internal)?;
    let mounted = &running.dewar().rooms().mounted;
    let is_mounted = mounted.account_page(AccountPage::SetUp).is_some();
    text.push_str(&first_steps(setup.as_deref(), is_mounted, running.url()));
    for finding in running.findings() {
        text.push_str(&format!("\n{finding}"));
    }
    writeln!(io::stdout(), "{text}").map_err(Error::internal)
}

/// How to make the first administrator, where there is none yet. It prints the link only if its page is mounted.
fn first_steps(setup: Option<&str>, is_mounted: bool, url: &str) -> String {
    match setup {
        Some(path) if is_mounted => format!(
            "\n  No administrator exists yet. This link creates the first one, once:\n  {url}{path}\n"
        ),
        Some(_) => "\n  No administrator exists yet. `users add --role …` creates the first one.\n"
            .to_owned(),
        None => String::new(),
    }
}

/// The signals that stop a program: SIGTERM, and Ctrl-C. One that comes before somebody waits for it counts too.
pub(super) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    pub(super) fn listen() -> Result<Self, Error> {
        let to = |kind| signal(kind).map_err(Error::internal);
        Ok(Self {
            terminate: to(SignalKind::terminate())?,
            interrupt: to(SignalKind::interrupt())?,
        })
    }

    pub(super) async fn received(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::first_steps;

    #[test]
    fn a_link_for_the_first_administrator_is_printed_where_it_leads_somewhere() {
        let told = |setup, is_mounted| first_steps(setup, is_mounted, "https://localhost:1");
        let link = told(Some("/setup/abc"), true);
        assert!(link.contains("https://localhost:1/setup/abc"), "{link}");
        let command = told(Some("/setup/abc"), false);
        assert!(
            command.contains("users add") && !command.contains("abc"),
            "{command}"
        );
        assert_eq!(
            (told(None, true), told(None, false)),
            (String::new(), String::new())
        );
    }
}

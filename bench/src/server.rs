//! A server as a child process, and its use of the processor.
#![expect(
    clippy::disallowed_types,
    reason = "a measurement starts what it measures"
)]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Result;
use crate::command::Workers;
use crate::soak::Production;

/// The names under which this program is a server.
pub(crate) const BARE: &str = "bare";
pub(crate) const PORTAL: &str = "portal";

/// Settings of the portal: the bench measures the program, and not how long it makes one user wait between two posts.
pub(crate) const NO_WAITING: [(&str, &str); 2] = [
    ("DEWAR_FORMS_RATE_LIMIT", "1000000"),
    ("DEWAR_FORMS_VISITOR_RATE_LIMIT", "1000000"),
];

/// The least that production requires.
const PRODUCTION: [(&str, &str); 3] = [
    ("DEWAR_MODE", "production"),
    ("DEWAR_HTTPS_HOSTS", "localhost"),
    ("DEWAR_MAIL_TRANSPORT", "none"),
];

/// Linux reports the times of processes in this unit on every architecture that the portal runs on.
const TICK: Duration = Duration::from_millis(10);

/// A server whose use of the processor can be read.
pub(crate) trait Used {
    /// The processor time since its start, in user and system mode, of all threads.
    fn used(&self) -> Result<Duration>;
}

/// A running server; dropping this value stops it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    pub(crate) fn bare(data: &Path, workers: Workers) -> Result<Self> {
        Self::bare_on(data, workers, None)
    }

    /// The same; its list reads PostgreSQL, if there is an address.
    pub(crate) fn bare_on(data: &Path, workers: Workers, postgres: Option<&str>) -> Result<Self> {
        let mut command = itself(BARE, data)?;
        command.arg(data).args(postgres);
        Self::begin(BARE, data, workers, command)
    }

    pub(crate) fn portal(data: &Path, workers: Workers) -> Result<Self> {
        Self::portal_with(data, workers, &[])
    }

    /// The same, on PostgreSQL, if there is an address.
    pub(crate) fn portal_on(data: &Path, workers: Workers, postgres: Option<&str>) -> Result<Self> {
        let url = postgres.map(|url| ("DEWAR_DATABASE_URL", url));
        Self::portal_with(data, workers, url.as_slice())
    }

    /// The portal with further settings, named as in the environment. It runs as in production: in development it also records for its
    /// developer what each request costs. The certificate is that of the bare server.
    pub(crate) fn portal_with(
        data: &Path,
        workers: Workers,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let free = OsStr::new("127.0.0.1:0");
        let [data_flag, https, http] = ["--data", "--https", "--http"].map(OsStr::new);
        let arguments = [data_flag, data.as_os_str(), https, free, http, free];
        let mut command = itself(PORTAL, data)?;
        let certificate = data.join("local-authority");
        command
            .args(arguments)
            .envs(NO_WAITING)
            .envs(PRODUCTION)
            .env("DEWAR_HTTPS_CERTIFICATE", certificate.join("localhost.pem"))
            .env("DEWAR_HTTPS_KEY", certificate.join("localhost.key"))
            .envs(settings.iter().copied());
        Self::begin(PORTAL, data, workers, command)
    }

    /// The portal as in production, with a certificate from files.
    pub(crate) fn portal_in_production(production: &Production) -> Result<Self> {
        let no_workers = Workers { workers: None };
        let data = production.data();
        let mut command = itself(PORTAL, data)?;
        command.envs(production.settings()).envs(NO_WAITING);
        Self::begin(PORTAL, data, no_workers, command)
    }

    fn begin(name: &str, data: &Path, workers: Workers, mut command: Command) -> Result<Self> {
        let log = data.with_file_name(format!("{name}.log"));
        command.stdout(Stdio::piped()).stderr(File::create(&log)?);
        if let Some(workers) = workers.workers {
            command.env("TOKIO_WORKER_THREADS", workers.to_string());
        }
        let mut child = command.spawn()?;
        // The pipe stays open: closing it would end the portal while it prints its addresses.
        let told = child
            .stdout
            .as_mut()
            .and_then(|stdout| told_port(BufReader::new(stdout)));
        if let Some(port) = told {
            return Ok(Self { child, port });
        }
        child.kill()?;
        child.wait()?;
        let said = fs::read_to_string(&log)?;
        Err(format!("{name} did not start:\n{said}").into())
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Used for Server {
    fn used(&self) -> Result<Duration> {
        used_by(self.id())
    }
}

/// The processor time of one process since its start.
pub(crate) fn used_by(process: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    ticks(&stat)
        .map(|ticks| TICK * ticks)
        .ok_or_else(|| format!("not a stat line: {stat}").into())
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs one of the portal's commands to its end.
pub(crate) fn portal_command(data: &Path, arguments: &[&str], input: &str) -> Result {
    let mut command = itself(PORTAL, data)?;
    command.arg("--data").arg(data);
    run(command, arguments, input)
}

/// The same, in a production installation.
pub(crate) fn production_command(
    production: &Production,
    arguments: &[&str],
    input: &str,
) -> Result {
    let mut command = itself(PORTAL, production.data())?;
    command.envs(production.settings());
    run(command, arguments, input)
}

fn run(mut command: Command, arguments: &[&str], input: &str) -> Result {
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("portal {}: {said}", arguments.join(" ")).into())
}

/// This program under another name, without this environment, so that a stray setting does not change the measurement.
fn itself(name: &str, data: &Path) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg0(name)
        .env_clear()
        .current_dir(data.parent().unwrap_or(data))
        .stdin(Stdio::null());
    Ok(command)
}

/// Both servers print their address as soon as they listen.
fn told_port(lines: impl BufRead) -> Option<u16> {
    lines.lines().map_while(Result::ok).find_map(|line| {
        line.trim()
            .strip_prefix("https://localhost:")?
            .parse::<u16>()
            .ok()
    })
}

/// `utime` and `stime`, fields 14 and 15; the second field is the program's name, which may hold blanks (proc(5)).
fn ticks(stat: &str) -> Option<u32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut times = after_name.split_whitespace().skip(11);
    let user: u32 = times.next()?.parse().ok()?;
    let system: u32 = times.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::ticks;

    #[test]
    fn a_name_with_blanks_and_brackets_does_not_move_the_times() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 250 50 9 9 20 0 3 0 100 1 1";
        assert_eq!(ticks(stat), Some(300));
    }
}

//! The command line.

mod application;
mod target;

use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, Parser};
use dewar::audit::{Practice, Severity};

use crate::audit_by;
use crate::checks::{self, Check};
use crate::live::{self, Account, LiveOptions};
use crate::report::{ExitVerdict, Report};
use crate::scan::{ScanCheck, ScanReport};
use crate::source::{self, SourceOptions};
use crate::sources::{Error, HttpOptions, HttpSource, LockFile, Person, RouteList, Sources};
use application::Application;
use target::Target;

/// Audits a folder of source code, or attacks a running web application, and reports the findings.
///
/// Exit status: 0 no findings, 1 findings at or above --fail-on, 2 something could not be looked at.
/// It submits forms and requests every route of a running application: use it on data that you can lose.
#[derive(Debug, Parser)]
#[command(version)]
struct Command {
    /// A folder or file of source code, the address of any application, or an application built on dewar to run on free ports
    /// with data of its own: the name of a binary beside this one (`portal`), or a path
    #[arg(value_name = "PATH|URL")]
    application: Option<String>,
    /// The running application, such as `https://localhost:8443`
    #[arg(
        long,
        required_unless_present = "application",
        conflicts_with = "application"
    )]
    url: Option<String>,
    /// The certificate of the authority to trust, in PEM
    #[arg(long, value_name = "FILE", required_unless_present = "application")]
    authority: Option<PathBuf>,
    /// The route table: the output of `<application> routes --json`
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "application",
        conflicts_with = "application"
    )]
    routes: Option<PathBuf>,
    /// The same application on plain HTTP, such as `http://localhost:8080`
    #[arg(long, value_name = "URL", conflicts_with = "application")]
    plain: Option<String>,
    /// Its data directory, if it is on this machine
    #[arg(long, value_name = "DIR", conflicts_with = "application")]
    data: Option<PathBuf>,
    /// The lock file that it was built from
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
    /// An account with few rights to check with; needs --password-stdin
    #[arg(long = "as", value_name = "EMAIL", requires = "password_stdin")]
    email: Option<String>,
    /// A role of this account; may be given several times
    #[arg(long, requires = "email")]
    role: Vec<String>,
    /// Read the account's password from standard input
    #[arg(long, requires = "email")]
    password_stdin: bool,
    /// The host again, if it is not this machine, to confirm that you may attack it
    #[arg(long, value_name = "HOST")]
    permitted_host: Option<String>,
    /// The most requests per second
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
    /// Run only the checks of this word; may be given several times
    #[arg(long, value_name = "WORD", value_parser = word)]
    only: Vec<Practice>,
    /// The severity from which a finding sets the exit status 1
    #[arg(long, value_name = "SEVERITY", default_value = "medium", value_parser = severity)]
    fail_on: Severity,
    #[command(flatten)]
    black_box: BlackBox,
    #[command(flatten)]
    format: Format,
    /// List the checks and request nothing; needs no other argument
    #[arg(long)]
    list: bool,
}

/// The form of the report.
#[derive(Debug, Args)]
struct Format {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print SARIF 2.1.0, which GitHub and GitLab read
    #[arg(long, conflicts_with = "json")]
    sarif: bool,
}

/// How to audit any application by its address.
#[derive(Debug, Args)]
struct BlackBox {
    /// More accounts for the application at URL; their passwords follow on the next lines of standard input
    #[arg(long, value_name = "EMAIL", requires = "email")]
    also: Vec<String>,
    /// The address of the sign-in form, if it is not found by itself
    #[arg(long, value_name = "PATH")]
    sign_in: Option<String>,
    /// Create throwaway accounts, also if the host is not this machine
    #[arg(long)]
    sign_up: bool,
    /// A header of every request, such as `Authorization: Bearer …`; may be given several times
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// An address to start from, besides those that are found; may be given several times
    #[arg(long, value_name = "PATH")]
    seed: Vec<String>,
    /// The most requests
    #[arg(long, default_value_t = 30_000)]
    max_requests: u64,
    /// The most minutes
    #[arg(long, default_value_t = 20)]
    max_minutes: u64,
    /// Add each finding to this file as soon as it is found
    #[arg(long, value_name = "FILE")]
    progress: Option<PathBuf>,
    /// Also send forms that delete something, sign out or change passwords
    #[arg(long)]
    dangerous_destructive: bool,
    /// Name each request that changes something before it is sent
    #[arg(long, short)]
    verbose: bool,
}

/// Runs the command line.
pub async fn run() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(error) => return said(&error),
    };
    match command.answer().await {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            // If even this cannot be written, the exit status still reports it.
            drop(writeln!(io::stderr(), "dewar-audit: {error}"));
            ExitCode::from(ExitVerdict::Unknown.status())
        }
    }
}

/// `--list` needs no other argument, but clap would require an address.
fn said(error: &clap::Error) -> ExitCode {
    let asks_for_list = std::env::args_os().any(|argument| argument == "--list");
    if error.kind() == ErrorKind::MissingRequiredArgument && asks_for_list {
        return match list() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::from(ExitVerdict::Unknown.status()),
        };
    }
    drop(error.print());
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

impl Command {
    async fn answer(self) -> Result<u8, Error> {
        if self.list {
            list().map_err(Error::file("standard output".as_ref()))?;
            return Ok(0);
        }
        let report = match self.application.as_deref().map(Target::of) {
            Some(Target::Source(path)) => {
                let options = SourceOptions::default();
                let report = tokio::task::spawn_blocking(move || source::audit(&path, &options));
                let report = report.await.map_err(|_| {
                    Error::Application("the audit of the source ended early".to_owned())
                })??;
                return self.end(report, &source::checks().collect::<Vec<_>>());
            }
            Some(Target::Address(url)) => {
                let report = live::audit(&url, &self.live_options()?).await?;
                return self.end(report, &live::checks().collect::<Vec<_>>());
            }
            Some(Target::Application(name)) => {
                let name = name.as_str();
                let application = Application::run(name).await?;
                let looks = self.looks_at(&application);
                let report = match looks {
                    Ok(looks) => Ok(self.ask(&looks).await),
                    Err(error) => Err(error),
                };
                application.end().await;
                report?
            }
            None => self.ask(&self.looks()?).await,
        };
        self.print(&report)
            .map_err(Error::file("standard output".as_ref()))?;
        Ok(report.verdict(self.fail_on).status())
    }

    fn live_options(&self) -> Result<LiveOptions, Error> {
        let mut options = LiveOptions::new();
        let chosen = &self.black_box;
        options.rate = self.rate;
        options.permitted_host.clone_from(&self.permitted_host);
        options.authority.clone_from(&self.authority);
        options.sign_in.clone_from(&chosen.sign_in);
        options.sign_up = chosen.sign_up;
        options.seeds.clone_from(&chosen.seed);
        options.max_requests = chosen.max_requests;
        options.max_time = Duration::from_secs(chosen.max_minutes.saturating_mul(60));
        options.progress_file.clone_from(&chosen.progress);
        options.dangerous_destructive = chosen.dangerous_destructive;
        options.verbose = chosen.verbose;
        let headers = chosen.header.iter().filter_map(|line| line.split_once(':'));
        options.headers = headers
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect();
        if let Some(first) = &self.email {
            let mut text = String::new();
            io::stdin()
                .read_to_string(&mut text)
                .map_err(Error::file("standard input".as_ref()))?;
            let names = std::iter::once(first).chain(&chosen.also);
            options.accounts = names
                .zip(text.lines())
                .map(|(name, password)| Account::new(name, password))
                .collect();
        }
        Ok(options)
    }

    /// Prints a report, of the practices that were asked for.
    fn end(&self, mut report: ScanReport, checks: &[&ScanCheck]) -> Result<u8, Error> {
        if !self.only.is_empty() {
            report
                .findings
                .retain(|finding| self.only.contains(&finding.practice));
        }
        self.print_scan(&report, checks)
            .map_err(Error::file("standard output".as_ref()))?;
        Ok(report.verdict(self.fail_on).status())
    }

    fn print_scan(&self, report: &ScanReport, checks: &[&ScanCheck]) -> io::Result<()> {
        if self.format.json {
            writeln!(io::stdout(), "{}", report.json()?)
        } else if self.format.sarif {
            writeln!(io::stdout(), "{}", report.sarif(checks)?)
        } else {
            write!(io::stdout(), "{report}")
        }
    }

    fn looks_at(&self, application: &Application) -> Result<Sources, Error> {
        let mut manner = HttpOptions::new(application.url.as_str(), application.authority());
        manner.plain.clone_from(&application.plain);
        manner.rate = self.rate;
        let mut looks = Sources::new(HttpSource::open(&manner)?, application.routes.clone());
        looks.data = Some(application.data());
        looks.printed = Some(application.printed());
        looks.person = application.person();
        self.with_lock_file(looks)
    }

    fn looks(&self) -> Result<Sources, Error> {
        let mut manner = HttpOptions::new(
            self.url.clone().unwrap_or_default(),
            self.authority.clone().unwrap_or_default(),
        );
        manner.plain.clone_from(&self.plain);
        manner.permitted_host.clone_from(&self.permitted_host);
        manner.rate = self.rate;
        let routes = RouteList::read_file(&self.routes.clone().unwrap_or_default())?;
        let mut looks = Sources::new(HttpSource::open(&manner)?, routes);
        looks.data.clone_from(&self.data);
        if let Some(email) = &self.email {
            let mut password = String::new();
            io::stdin()
                .read_to_string(&mut password)
                .map_err(Error::file("standard input".as_ref()))?;
            let password = password.trim_end_matches(['\r', '\n']);
            looks.person = Some(Person::new(email, password, self.role.clone()));
        }
        self.with_lock_file(looks)
    }

    fn with_lock_file(&self, mut looks: Sources) -> Result<Sources, Error> {
        looks.lock_file = match &self.lock {
            Some(path) => Some(LockFile::read_file(path)?),
            None => None,
        };
        Ok(looks)
    }

    async fn ask(&self, looks: &Sources) -> Report {
        let wanted = |check: &&Check| self.only.is_empty() || self.only.contains(&check.word);
        let all: Vec<&'static Check> = checks::all().filter(wanted).collect();
        let (of, shows) = (all.len(), io::stderr().is_terminal());
        let mut number = 0;
        let report = audit_by(looks, all, |check| {
            number += 1;
            if shows {
                drop(write!(
                    io::stderr(),
                    "\r\u{1b}[K[{number}/{of}] {}",
                    check.id
                ));
            }
        });
        let report = report.await;
        if shows {
            drop(write!(io::stderr(), "\r\u{1b}[K"));
        }
        report
    }

    fn print(&self, report: &Report) -> io::Result<()> {
        if self.format.json {
            writeln!(io::stdout(), "{}", report.json()?)
        } else if self.format.sarif {
            // The rules of the white box are few and stand in its own list; its findings name their check.
            writeln!(io::stdout(), "{}", ScanReport::from(report).sarif(&[])?)
        } else {
            write!(io::stdout(), "{report}")
        }
    }
}

fn list() -> io::Result<()> {
    for check in checks::all() {
        writeln!(
            io::stdout(),
            "{:<30} {:<9} {}",
            check.id,
            check.severity,
            check.what
        )?;
    }
    for check in source::checks().chain(live::checks()) {
        let (id, severity, what) = (check.id, check.severity, check.what);
        writeln!(io::stdout(), "{id:<30} {severity:<9} {what}")?;
    }
    Ok(())
}

fn word(text: &str) -> Result<Practice, String> {
    let names = || Practice::ALL.map(Practice::as_str).join(", ");
    Practice::ALL
        .into_iter()
        .find(|word| word.as_str() == text)
        .ok_or_else(|| format!("one of {}", names()))
}

fn severity(text: &str) -> Result<Severity, String> {
    let all = [
        Severity::Info,
        Severity::Low,
        Severity::Medium,
        Severity::High,
        Severity::Critical,
    ];
    let names = || all.map(Severity::as_str).join(", ");
    all.into_iter()
        .find(|severity| severity.as_str() == text)
        .ok_or_else(|| format!("one of {}", names()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Command::command().debug_assert();
    }

    #[test]
    fn an_address_needs_an_authority_and_a_route_table() {
        let parse = |line: &str| Command::try_parse_from(line.split(' ')).is_ok();
        assert!(parse("dewar-audit portal"));
        assert!(parse(
            "dewar-audit --url https://localhost --authority a.pem --routes r.json --fail-on low"
        ));
        assert!(!parse(
            "dewar-audit --url https://localhost --routes r.json"
        ));
        assert!(!parse(
            "dewar-audit --url https://localhost --authority a.pem --routes r.json --as a@b.example"
        ));
        assert!(!parse("dewar-audit portal --url https://localhost"));
        assert!(!parse("dewar-audit portal --fail-on severe"));
    }
}

mod database;
mod https;
mod import;
mod inventory;
mod jobs;
mod keys;
mod mail;
mod migrate;
mod nodes;
mod own;
#[cfg(feature = "testing")]
mod printed;
mod reencrypt;
mod settings;
mod tokens;
mod typed_secret;
mod uploads;
mod users;
mod webhook_keys;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Read, Write};
use std::pin::Pin;

#[cfg(feature = "testing")]
pub(super) use printed::printing;
use serde::Serialize;
use typed_secret::TypedSecret;

use super::cli::{Audit, GlobalOptions, Line, What};
use super::command::Prepared;
use super::launch::{Blueprint, refuse_if_any};
use super::{App, serving};
use crate::audit::{Finding, Log, Remark, Remembered, report};
use crate::dependencies::Parts;
use crate::pages::Error;
use crate::secrets::KeyRing;

/// How many of a log's remarks about itself `audit verify` prints, the latest ones.
const REMARKS: usize = 20;

/// Runs the command of the command line. `--help`, mistakes and a command's own exit status end the program.
pub(super) async fn run<S: Clone + Send + Sync + 'static>(mut app: App<S>) -> Result<(), Error> {
    let own = read_line(&mut app).unwrap_or_else(|error| error.exit());
    if own.is_some() {
        serving::start_log("warn");
    }
    let done = if io::stdin().is_terminal() {
        run_line(app, own, TypedSecret::default()).await
    } else {
        run_line(app, own, io::stdin()).await
    };
    let Err(error) = done else { return Ok(()) };
    let Some(status) = error.own_status() else {
        return Err(error);
    };
    // As `main` would print it, whose exit status is always 1.
    writeln!(io::stderr(), "Error: {error:?}").map_err(Error::internal)?;
    std::process::exit(status.into())
}

/// Reads the rest of the command line: a command of the application, if it names one.
pub(super) fn read_line<S>(app: &mut App<S>) -> Result<Option<Prepared>, clap::Error> {
    let Some(words) = app.words.take() else {
        return Ok(None);
    };
    match app.command.second_reading(words, &app.parts.commands)? {
        Line::Own(command) => Ok(Some(command)),
        Line::Framework(command) => {
            app.command = command;
            Ok(None)
        }
    }
}

async fn run_line<S: Clone + Send + Sync + 'static>(
    app: App<S>,
    own: Option<Prepared>,
    input: impl Read,
) -> Result<(), Error> {
    match own {
        Some(command) => on_heap(|| own::run(app.plan().0, command)).await,
        None => on_heap(|| run_with(app, input)).await,
    }
}

/// The future on the heap. Without optimization the frame of a caller holds each future that it makes, and the commands have large
/// ones: together they do not fit the stack of a test's thread.
pub(super) fn on_heap<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::pin(make())
}

/// Runs these words as the command line, and returns what is wrong with them.
pub(super) async fn run_words<S: Clone + Send + Sync + 'static>(
    mut app: App<S>,
    words: Vec<OsString>,
) -> Result<(), Error> {
    // The directory of the test stays: its options are no words of the line.
    app.command.place = GlobalOptions::default();
    app.words = Some(words);
    let own = read_line(&mut app).map_err(|error| {
        let status = u8::try_from(error.exit_code()).unwrap_or(1);
        Error::command(error.to_string()).exit_status(status)
    })?;
    run_line(app, own, io::empty()).await
}

/// The same, with this standard input.
pub(super) async fn run_with<S: Clone + Send + Sync + 'static>(
    app: App<S>,
    input: impl Read,
) -> Result<(), Error> {
    if app.command.version {
        return print(&version(&program_name(), app.parts.lock_file));
    }
    let what = app.command.what.clone().unwrap_or(What::Serve);
    if let What::Serve = what {
        return serving::serve(app).await;
    }
    if let What::Settings { json } = what {
        return settings::list(&app.settings.known(), json);
    }
    let (plan, mount, _) = app.plan();
    match what {
        // Both are done already.
        What::Serve | What::Settings { .. } => Ok(()),
        What::Audit {
            what: Audit::Verify,
        } => verify_log(&plan).await,
        What::Check { json } => check(plan, json).await,
        What::Https { what } => https::run(plan, &what).await,
        What::Jobs { what } => jobs::run(plan, what, |dewar| mount(dewar).1).await,
        What::Keys { what } => keys::run(plan, what, input).await,
        What::Database { what } => database::run(plan, what).await,
        What::Mail { what } => mail::run(plan, what).await,
        What::Migrate { what } => migrate::run(plan, what).await,
        What::Nodes { what } => nodes::run(plan, what).await,
        What::Routes { schema: true, .. } => print_json(&plan.table.schemas()),
        What::Routes { openapi: true, .. } => openapi(&plan),
        What::Routes { json, .. } => routes(&plan, json),
        What::Sbom { json } => sbom(&plan, json),
        What::Tokens { what } => tokens::run(plan, what).await,
        What::Uploads { what } => uploads::run(plan, what).await,
        What::Users { what } => users::run(plan, what, input).await,
    }
}

fn program_name() -> String {
    let program = std::env::current_exe().unwrap_or_default();
    let name = program.file_stem().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// `portal 1.2.0 (dewar 0.1.0)`.
fn version(program: &str, lock_file: Option<&str>) -> String {
    let own = own_version(program, lock_file).map_or_else(String::new, |own| format!(" {own}"));
    format!("{program}{own} (dewar {})\n", env!("CARGO_PKG_VERSION"))
}

/// The version of the application: that of the package in its lock file with the program's name.
fn own_version(program: &str, lock_file: Option<&str>) -> Option<String> {
    let parts = lock_file.and_then(|text| Parts::of_lock_file(text).ok());
    let parts = parts?;
    let mut packages = parts.list().iter();
    let own = packages.find(|package| package.name == program && package.source.is_none())?;
    Some(own.version.to_string())
}

fn openapi(plan: &Blueprint) -> Result<(), Error> {
    let name = program_name();
    let version = own_version(&name, plan.parts.lock_file);
    // A document needs a version; a program without a lock file has none to state.
    let version = version.as_deref().unwrap_or("0");
    print_json(&plan.table.openapi(&name, version))
}

fn routes(plan: &Blueprint, json: bool) -> Result<(), Error> {
    if json {
        print_json(&plan.table)
    } else {
        print(&plan.table)
    }
}

/// Changes nothing. Exit status 1 if a finding forbids the launch, so that a pipeline stops.
async fn check(plan: Blueprint, json: bool) -> Result<(), Error> {
    let findings = plan.examine().await;
    if json {
        print_json(&findings)?;
    } else if findings.is_empty() {
        print(&"No problems found.\n")?;
    } else {
        print(&report(&findings))?;
    }
    let refuses = findings.iter().any(|finding| finding.refuses_launch);
    if refuses { Err(Error::quiet()) } else { Ok(()) }
}

fn sbom(plan: &Blueprint, json: bool) -> Result<(), Error> {
    let none =
        "this program was built without `.lock_file(…)`, so it does not know its dependencies";
    let text = plan.parts.lock_file.ok_or_else(|| Error::command(none))?;
    let parts = Parts::of_lock_file(text).map_err(Error::internal)?;
    if json {
        print_json(&parts.sbom(&program_name()))
    } else {
        print(&parts)
    }
}

/// Only reads: a directory without keys or without a log stays as it is.
async fn verify_log(plan: &Blueprint) -> Result<(), Error> {
    let refused = |findings: Vec<Finding>| Error::launch(&findings);
    refuse_if_any(&plan.findings).map_err(refused)?;
    let source = plan.source();
    let Some(ring) = KeyRing::open_if_there(source.clone(), plan.config.mode).map_err(refused)?
    else {
        let none = format!(
            "the key file {} does not exist yet",
            source.file().display()
        );
        return Err(Error::command(none));
    };
    let mut remembered = Remembered::Nothing;
    if let Some(db) = plan.database_to_read().await.map_err(refused)? {
        remembered = db.audit_end(&plan.config.node).await?;
    }
    let verified = Log::verify_remembered(&plan.log_file(), ring.chain_keys(), &remembered);
    let verified = verified.map_err(Error::command)?;
    if verified.first > 1 {
        print(&format_args!(
            "Dewar removed the first {} entries, as the settings say.\n",
            verified.first - 1
        ))?;
    }
    let odd = &verified.remarks;
    let latest = odd.iter().skip(odd.len().saturating_sub(REMARKS));
    for Remark {
        seq, event, detail, ..
    } in latest
    {
        print(&format_args!("Entry {seq} records {event}: {detail}\n"))?;
    }
    print(&format_args!(
        "{} entries, none altered, removed or cut off. Head: {}\n",
        verified.entries, verified.head
    ))
}

/// Prints to standard output, for a [command](super::Command) of the application.
///
/// `println!` ends the program with a panic where the reader has seen enough, as `head` has; this does not. In a test,
/// `testing::Site::command` reads it.
///
/// ```
/// use dewar::app::{ReadOnlyDewar, print};
/// use dewar::{ReadCommand, clap};
/// /// Print the time
/// #[derive(clap::Args)]
/// struct Now {}
/// impl ReadCommand for Now {
///     const NAME: &'static str = "now";
///     async fn run(self, dewar: ReadOnlyDewar) -> dewar::Result {
///         print(&format_args!("{}\n", dewar.clock().now()))
///     }
/// }
/// ```
///
/// # Errors
/// Standard output cannot be written.
pub fn print(what: &impl std::fmt::Display) -> Result<(), Error> {
    #[cfg(feature = "testing")]
    if printed::hold(what) {
        return Ok(());
    }
    match write!(io::stdout(), "{what}") {
        // The reader has seen enough, as `head` has.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(Error::internal),
    }
}

fn print_json(what: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(what).map_err(Error::internal)?;
    print(&format_args!("{text}\n"))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn the_version_is_the_application_s_and_the_framework_s_is_named_as_that() {
        let lock = "version = 4\n[[package]]\nname = \"board\"\nversion = \"3.2.1\"\n\
            [[package]]\nname = \"clap\"\nversion = \"4.0.0\"\nsource = \"registry+https://example.org/index\"\n";
        let dewar = env!("CARGO_PKG_VERSION");
        assert_eq!(
            version("board", Some(lock)),
            format!("board 3.2.1 (dewar {dewar})\n")
        );
        for unknown in [version("clap", Some(lock)), version("clap", None)] {
            assert_eq!(unknown, format!("clap (dewar {dewar})\n"));
        }
    }
}

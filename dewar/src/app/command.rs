//! Commands of the application's own, beside the framework's.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use clap::{ArgMatches, Args};

use super::cli;
use super::{Dewar, Settings};
use crate::audit::{Clock, Finding, Practice, SettingsSection};
use crate::database::Db;
use crate::pages::Error;

/// A command of the application, which runs with the rooms open: `helpdesk reindex --from 7`.
///
/// The type is the command's arguments, with clap's derive. [`App::command`](crate::App::command) registers it. Before it runs,
/// Dewar makes every check of a start, and opens the same database, keys and files; it serves nobody.
///
/// ```
/// use dewar::{App, Command, Dewar, clap};
/// /// Write every ticket into the index again
/// #[derive(clap::Args)]
/// struct Reindex {
///     /// The first ticket
///     #[arg(long, default_value_t = 1)]
///     from: i64,
/// }
/// impl Command for Reindex {
///     const NAME: &'static str = "reindex";
///     async fn run(self, dewar: Dewar) -> dewar::Result {
///         dewar.db().query("SELECT ?", [self.from.into()]).await?;
///         Ok(())
///     }
/// }
/// fn app(app: App) -> App { app.command::<Reindex>() }
/// # #[tokio::main] async fn main() -> dewar::Result {
/// # let directory = tempfile::tempdir().map_err(dewar::Error::internal)?;
/// app(App::in_directory(&directory)?).run(["reindex", "--from", "7"]).await
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a command",
    note = "write `#[derive(clap::Args)]` on the struct of its arguments, and `impl dewar::Command for {Self}`",
    note = "a command that only reads: `impl dewar::ReadCommand for {Self}`, and `app.read_command::<{Self}>()`"
)]
pub trait Command: Args + Send + 'static {
    /// The name on the command line: small letters, digits and `-`.
    const NAME: &'static str;

    /// Runs the command. An error ends the program with exit status 1, or with its own ([`Error::exit_status`]).
    fn run(self, dewar: Dewar) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A command of the application that only reads: it runs without the rooms, on a connection that cannot write.
///
/// It makes no key, migrates no table and removes no file, so it may run from a newer program beside an older one.
///
/// ```
/// use dewar::app::ReadOnlyDewar;
/// use dewar::{App, ReadCommand, clap};
/// /// Count the tickets
/// #[derive(clap::Args)]
/// struct Count {}
/// impl ReadCommand for Count {
///     const NAME: &'static str = "count";
///     async fn run(self, dewar: ReadOnlyDewar) -> dewar::Result {
///         dewar.db().query("SELECT count(*) FROM users", []).await?;
///         Ok(())
///     }
/// }
/// fn app(app: App) -> App { app.read_command::<Count>() }
/// # let app = app(App::in_directory(std::env::temp_dir())?);
/// # Ok::<(), dewar::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a command that only reads",
    note = "write `#[derive(clap::Args)]` on the struct of its arguments, and `impl dewar::ReadCommand for {Self}`"
)]
pub trait ReadCommand: Args + Send + 'static {
    /// The name on the command line: small letters, digits and `-`.
    const NAME: &'static str;

    /// Runs the command. An error ends the program with exit status 1, or with its own ([`Error::exit_status`]).
    fn run(self, dewar: ReadOnlyDewar) -> impl Future<Output = Result<(), Error>> + Send;
}

/// The parts of an application that a [`ReadCommand`] reads.
///
/// ```
/// async fn tickets(dewar: dewar::app::ReadOnlyDewar) -> dewar::Result {
///     dewar.db().query("SELECT count(*) FROM tickets", []).await?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct ReadOnlyDewar {
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) settings: http::Extensions,
}

impl ReadOnlyDewar {
    /// The database. A statement that changes a row fails.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// The clock.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The settings of the application's own, as [`Dewar::settings`].
    ///
    /// # Errors
    /// 500: the application does not read these settings.
    pub fn settings<T: SettingsSection>(&self) -> Result<Settings<T>, Error> {
        super::settings::find(&self.settings)
    }
}

pub(super) type Running = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A command with its arguments, before it runs.
pub(super) enum Prepared {
    Changing(Box<dyn FnOnce(Dewar) -> Running + Send>),
    Reading(
        &'static str,
        Box<dyn FnOnce(ReadOnlyDewar) -> Running + Send>,
    ),
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changing(_) => "Changing",
            Self::Reading(..) => "Reading",
        })
    }
}

/// A command of the application, without its type.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnCommand {
    pub(super) name: &'static str,
    pub(super) describe: fn() -> clap::Command,
    pub(super) prepare: fn(&ArgMatches) -> Result<Prepared, clap::Error>,
}

impl OwnCommand {
    pub(super) fn changing<T: Command>() -> Self {
        Self {
            name: T::NAME,
            describe: || T::augment_args(clap::Command::new(T::NAME)),
            prepare: |matches| {
                let command = T::from_arg_matches(matches)?;
                let run = move |dewar| -> Running { Box::pin(command.run(dewar)) };
                Ok(Prepared::Changing(Box::new(run)))
            },
        }
    }

    pub(super) fn reading<T: ReadCommand>() -> Self {
        Self {
            name: T::NAME,
            describe: || T::augment_args(clap::Command::new(T::NAME)),
            prepare: |matches| {
                let command = T::from_arg_matches(matches)?;
                let run = move |dewar| -> Running { Box::pin(command.run(dewar)) };
                Ok(Prepared::Reading(T::NAME, Box::new(run)))
            },
        }
    }

    /// The finding about a command that cannot stand beside the others. clap would panic over some of them.
    pub(super) fn finding(&self, others: &[Self]) -> Option<Finding> {
        let name = self.name;
        let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.len() <= 40
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !is_plain {
            let title = format!(
                "the command `{}` has no name that a shell reads as one word",
                name.escape_debug()
            );
            return Some(refused(
                "commands-name",
                title,
                "Name it with small letters, digits and `-`, at most 40, such as `reindex`.",
            ));
        }
        let described = (self.describe)();
        let others: Vec<String> = others
            .iter()
            .flat_map(|other| names(&(other.describe)()))
            .collect();
        let is_taken = |name: &String| cli::is_of_the_framework(name) || others.contains(name);
        if let Some(name) = names(&described).into_iter().find(is_taken) {
            let title = format!("two commands are named `{}`", name.escape_debug());
            return Some(refused(
                "commands-name-taken",
                title,
                "Give the application's command another `NAME` or alias; the framework's commands are in `--help`.",
            ));
        }
        let title = format!(
            "the argument `{}` of the command `{name}` is one of every command",
            taken_argument(&described)?
        );
        Some(refused(
            "commands-argument-taken",
            title,
            "Give the argument another name: `--data`, `--https`, `--http`, `--help` and `--version` are Dewar's.",
        ))
    }
}

/// The names by which a command is called.
fn names(command: &clap::Command) -> Vec<String> {
    let aliases = command.get_all_aliases().map(str::to_owned);
    std::iter::once(command.get_name().to_owned())
        .chain(aliases)
        .collect()
}

/// An argument of the command, or of a command inside it, that every command has, by one of its names.
fn taken_argument(command: &clap::Command) -> Option<String> {
    let own = command.get_arguments().find_map(|argument| {
        let id = argument.get_id().as_str();
        let aliases = argument.get_all_aliases().unwrap_or_default();
        let mut longs = argument.get_long().into_iter().chain(aliases);
        let aliases = argument.get_all_short_aliases().unwrap_or_default();
        let mut shorts = argument.get_short().into_iter().chain(aliases);
        let is_taken = cli::is_of_every_command(id, "", None)
            || longs.any(|long| cli::is_of_every_command("", long, None))
            || shorts.any(|short| cli::is_of_every_command("", "", Some(short)));
        is_taken.then(|| id.to_owned())
    });
    own.or_else(|| command.get_subcommands().find_map(taken_argument))
}

fn refused(id: &'static str, title: String, fix: &'static str) -> Finding {
    Finding::refuse(Practice::Audit, id, title)
        .why("The command line would have two meanings.")
        .fix(fix)
}

//! `users import`: reads the users of another application, and makes an account for each.
mod csv;
mod database;
mod dumpdata;
mod table;

use std::fs::File;
use std::io::BufReader;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use super::super::cli::{ImportFormat, ImportOptions};
use super::super::{Dewar, Progress};
use super::print;
use crate::accounts::{
    self, Accounts, HashSource, ImportOutcome, ImportReader, ImportRow, ImportUser,
    ImportedAdministrators,
};
use crate::audit::sanitize::bounded;
use crate::database::Config;
use crate::pages::Error;
use database::Tables;

/// How many accounts one transaction makes.
const BATCH: usize = 200;
/// How many rows wait for the database.
const WAITING: usize = 1_000;

/// A row of the source, with its place in it.
struct SourceRow {
    place: String,
    /// The part of the source that was read so far, in the unit of the progress bar.
    position: u64,
    row: Result<ImportRow, String>,
}

/// The rows as they arrive, and the end of the reading.
struct Source {
    rows: Receiver<SourceRow>,
    reading: JoinHandle<Result<(), String>>,
    progress: Progress,
}

#[derive(Default)]
struct Summary {
    created: u64,
    existing: u64,
    refused: u64,
}

/// Imports the users. Exit status 1 if a row was refused.
pub(super) async fn run(
    dewar: &Dewar,
    options: &ImportOptions,
    config: &Config,
) -> Result<(), Error> {
    let accounts = dewar.accounts();
    let hashes = match options.from {
        ImportFormat::Csv | ImportFormat::Django => HashSource::Any,
        ImportFormat::FlaskSecurity => HashSource::FlaskSecurity,
        ImportFormat::Werkzeug => HashSource::Werkzeug,
    };
    let administrators = if options.allow_administrators {
        ImportedAdministrators::Allow
    } else {
        ImportedAdministrators::Refuse
    };
    let reader = accounts.import_reader(hashes, administrators);
    let mut reader = reader.ok_or_else(|| {
        Error::command(
            "the hashes of Flask-Security need the `SECURITY_PASSWORD_SALT` of that application: write it into a file that only this \
             program reads, and name the file in `accounts.flask_security_salt_file`; if it sets `SECURITY_PASSWORD_SINGLE_HASH`, \
             use `--from csv`",
        )
    })?;
    let mut source = open(options, config).await?;
    let summary = import(&mut source, &mut reader, accounts, options).await?;
    drop(source.progress);
    let read = source.reading.await.map_err(Error::internal)?;
    summary.print(options.dry_run)?;
    read.map_err(|why| Error::command(format!("{}: {}", options.source, bounded(&why, 500))))?;
    if summary.refused > 0 {
        return Err(Error::quiet());
    }
    Ok(())
}

async fn open(options: &ImportOptions, config: &Config) -> Result<Source, Error> {
    let wrong = |why: String| Error::command(format!("{}: {why}", options.source));
    let files = (options.password_file.clone(), options.ca_file.clone());
    let tables = match options.from {
        ImportFormat::Django => Some(Tables::Django),
        ImportFormat::FlaskSecurity => Some(Tables::FlaskSecurity),
        ImportFormat::Csv | ImportFormat::Werkzeug => None,
    };
    let (send, rows) = channel(WAITING);
    let db = database::open(&options.source, files, config).map_err(wrong)?;
    if let Some(db) = db {
        let none =
            || wrong("only `--from django` and `--from flask-security` read a database".to_owned());
        let tables = tables.ok_or_else(none)?;
        let count = tables.count(&db).await.map_err(Error::command)?;
        let reading = tokio::spawn(async move {
            tables
                .read(db, send)
                .await
                .map_err(|error| error.to_string())
        });
        let progress = Progress::of(count, "users");
        return Ok(Source {
            rows,
            reading,
            progress,
        });
    }
    let file = File::open(&options.source).map_err(|error| wrong(error.to_string()))?;
    let bytes = file.metadata().map_or(0, |file| file.len());
    let progress = Progress::drawn(
        Some(bytes),
        "{wide_bar} {decimal_bytes}/{decimal_total_bytes} {eta}",
    );
    let (from, model) = (options.from, options.model.clone());
    let reading = tokio::task::spawn_blocking(move || read_file(from, &model, file, &send));
    Ok(Source {
        rows,
        reading,
        progress,
    })
}

fn read_file(
    from: ImportFormat,
    model: &str,
    file: File,
    rows: &Sender<SourceRow>,
) -> Result<(), String> {
    let mut send = |row| rows.blocking_send(row).is_ok();
    match from {
        ImportFormat::Django => dumpdata::read(file, model, &mut send),
        ImportFormat::Csv | ImportFormat::FlaskSecurity | ImportFormat::Werkzeug => {
            table::read(BufReader::new(file), &mut send)
        }
    }
}

async fn import(
    source: &mut Source,
    reader: &mut ImportReader<'_>,
    accounts: &Accounts,
    options: &ImportOptions,
) -> Result<Summary, Error> {
    let mut summary = Summary::default();
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(SourceRow {
        place,
        position,
        row,
    }) = source.rows.recv().await
    {
        source.progress.set(position);
        let user = row.and_then(|mut row| {
            if options.ignore_roles {
                row.roles.clear();
            }
            row.roles.extend(options.role.iter().cloned());
            row.roles.dedup();
            let parsed = reader.parse(&row);
            parsed.map_err(|problem| format!("{}: {problem}", named(&row.email)))
        });
        match user {
            Ok(user) => batch.push(user),
            Err(why) => {
                summary.refused += 1;
                source
                    .progress
                    .print(format_args!("{place}: {}", bounded(&why, 500)))?;
            }
        }
        if batch.len() == BATCH {
            summary.store(accounts, &mut batch, options).await?;
        }
    }
    summary.store(accounts, &mut batch, options).await?;
    Ok(summary)
}

/// The address of a row, as the report shows it.
fn named(email: &str) -> String {
    let shown: String = email.chars().take(100).collect();
    if shown.is_empty() {
        "no address".to_owned()
    } else {
        shown
    }
}

impl Summary {
    async fn store(
        &mut self,
        accounts: &Accounts,
        batch: &mut Vec<ImportUser>,
        options: &ImportOptions,
    ) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        let done = if options.dry_run {
            accounts.import_would(batch).await
        } else {
            accounts.import(batch).await
        };
        let done = done.map_err(|error: accounts::Error| Error::internal(error))?;
        batch.clear();
        for outcome in done {
            match outcome {
                ImportOutcome::Created => self.created += 1,
                ImportOutcome::Exists => self.existing += 1,
            }
        }
        Ok(())
    }

    fn print(&self, dry_run: bool) -> Result<(), Error> {
        let Self {
            created,
            existing,
            refused,
        } = self;
        let (made, rest) = if dry_run {
            (
                "Users that would be imported",
                "Nothing was changed: this was a dry run.\n",
            )
        } else {
            ("Imported users", "")
        };
        print(&format_args!(
            "{made}: {created}\nAlready have an account, and stay as they are: {existing}\nRefused rows: {refused}\n{rest}"
        ))
    }
}

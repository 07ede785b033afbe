use std::fs;
use std::path::Path;

use serde::Serialize;

use super::super::cli::Migrate;
use super::super::launch::Blueprint;
use super::{print, print_json};
use crate::database::Engine;
use crate::pages::Error;

/// The folder of an application's migrations.
const FOLDER: &str = "migrations";

/// A migration and its state.
#[derive(Debug, Serialize)]
struct MigrationState {
    name: &'static str,
    applied: bool,
}

pub(super) async fn run(plan: Blueprint, what: Option<Migrate>) -> Result<(), Error> {
    match what.unwrap_or(Migrate::Apply) {
        Migrate::Apply => apply(plan).await,
        Migrate::New { name } => new(&name),
        Migrate::Plan => show(&plan).await,
        Migrate::Status { json } => status(&plan, json).await,
    }
}

async fn apply(plan: Blueprint) -> Result<(), Error> {
    plan.keys().map_err(|findings| Error::launch(&findings))?;
    let db = plan
        .database()
        .map_err(|findings| Error::launch(&findings))?;
    let free = plan.needs_no_other_node(&db).await;
    free.map_err(|findings| Error::launch(&findings))?;
    let applied = db.migrate(&plan.migrations()).await?;
    if applied.is_empty() {
        return print(&"The database is up to date.\n");
    }
    for name in applied {
        print(&format_args!("applied {name}\n"))?;
    }
    Ok(())
}

/// The names of the pending migrations, and the engine that would run them. Changes nothing.
async fn pending(plan: &Blueprint) -> Result<(Vec<&'static str>, Engine), Error> {
    let migrations = plan.migrations();
    let read = plan.database_to_read().await;
    match read.map_err(|findings| Error::launch(&findings))? {
        Some(db) => Ok((db.migrations_pending(&migrations).await?, db.engine())),
        None => {
            let engine = match plan.database_file() {
                Some(_) => Engine::Sqlite,
                None => Engine::Postgres,
            };
            let names = migrations.iter().map(|migration| migration.name());
            Ok((names.collect(), engine))
        }
    }
}

async fn show(plan: &Blueprint) -> Result<(), Error> {
    let (pending, engine) = pending(plan).await?;
    if pending.is_empty() {
        return print(&"-- The database is up to date.\n");
    }
    for migration in plan.migrations() {
        if pending.contains(&migration.name()) {
            let text = migration.text(engine);
            print(&format_args!(
                "-- {}\n{}\n\n",
                migration.name(),
                text.trim()
            ))?;
        }
    }
    Ok(())
}

async fn status(plan: &Blueprint, json: bool) -> Result<(), Error> {
    let (pending, _) = pending(plan).await?;
    let migrations = plan.migrations();
    let states = migrations.iter().map(|migration| MigrationState {
        name: migration.name(),
        applied: !pending.contains(&migration.name()),
    });
    let states: Vec<_> = states.collect();
    if json {
        return print_json(&states);
    }
    for state in states {
        let word = if state.applied { "applied" } else { "pending" };
        print(&format_args!("{word}  {}\n", state.name))?;
    }
    Ok(())
}

/// Creates `migrations/0007_name.sql`, and says how the program includes it.
fn new(name: &str) -> Result<(), Error> {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || !name.chars().all(is_word) {
        return Err(Error::command(
            "the name of a migration has only small letters, digits and underscores",
        ));
    }
    let folder = Path::new(FOLDER);
    fs::create_dir_all(folder).map_err(Error::command)?;
    let file = folder.join(format!("{:04}_{name}.sql", next_in(folder)?));
    let text = "-- Never edit a migration that was applied somewhere; write the next one.\n";
    fs::write(&file, text).map_err(Error::command)?;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    print(&format_args!(
        "Created {0}. Add it at the end of the application's list:\n\n    \
         Migration::new(\"{stem}\", include_str!(\"../{0}\")),\n",
        file.display()
    ))
}

/// The number after the highest one of the folder.
fn next_in(folder: &Path) -> Result<u32, Error> {
    let mut last = 0;
    for entry in fs::read_dir(folder).map_err(Error::command)? {
        let name = entry.map_err(Error::command)?.file_name();
        let name = name.to_string_lossy();
        let number = name
            .split_once('_')
            .and_then(|(number, _)| number.parse().ok());
        last = last.max(number.unwrap_or(0));
    }
    Ok(last + 1)
}

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::Progress;
use super::super::cli::Database;
use super::super::launch::Blueprint;
use super::print;
use crate::audit::owner_only;
use crate::database::{Db, Location};
use crate::pages::Error;

/// How often the progress bar of a backup looks at its file.
const LOOKS: Duration = Duration::from_millis(100);

pub(super) async fn run(plan: Blueprint, what: Database) -> Result<(), Error> {
    match what {
        Database::Backup { file } => backup(&plan, &file).await,
        Database::Copy {
            to,
            password_file,
            ca_file,
        } => copy(&plan, &to, password_file, ca_file).await,
        Database::Restore { file } => restore(&plan, &file).await,
        Database::Verify { file: Some(file) } => verify(&open(&plan, &file)?).await,
        Database::Verify { file: None } => verify(&existing(&plan).await?).await,
    }
}

/// The database to read, for a command that has nothing to do without one.
pub(super) async fn existing(plan: &Blueprint) -> Result<Db, Error> {
    let found = plan.database_to_read().await;
    let found = found.map_err(|findings| Error::launch(&findings))?;
    found.ok_or_else(|| Error::command("the database does not exist yet"))
}

fn open(plan: &Blueprint, file: &Path) -> Result<Db, Error> {
    Db::open_to_read(file, &plan.config.database).map_err(Error::command)
}

async fn backup(plan: &Blueprint, file: &Path) -> Result<(), Error> {
    existing(plan).await?;
    // A connection that only reads cannot write a copy either. This one makes no table.
    let db = plan.database();
    let db = db.map_err(|findings| Error::launch(&findings))?;
    let bytes = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    let whole = plan.database_file().map(|file| bytes(&file));
    let bar = Progress::drawn(
        whole,
        "{wide_bar} {decimal_bytes}/{decimal_total_bytes} {eta}",
    );
    let mut looks = tokio::time::interval(LOOKS);
    let backup = db.backup_to(file);
    tokio::pin!(backup);
    let done = loop {
        tokio::select! {
            done = &mut backup => break done,
            _ = looks.tick() => bar.set(bytes(file)),
        }
    };
    drop(bar);
    done.map_err(Error::command)?;
    verify(&open(plan, file)?).await?;
    print(&format_args!("The database is in {}.\n", file.display()))
}

async fn verify(db: &Db) -> Result<(), Error> {
    let faults = db.faults().await.map_err(Error::command)?;
    if faults.is_empty() {
        return print(&"The database is whole.\n");
    }
    for fault in faults {
        print(&format_args!("{fault}\n"))?;
    }
    Err(Error::quiet())
}

/// Puts a backup in place: beside it first, then with one rename, so that a crash leaves the old one or the new one.
async fn restore(plan: &Blueprint, backup: &Path) -> Result<(), Error> {
    let Some(file) = plan.database_file() else {
        return Err(Error::command(
            "use `pg_restore` for a database of PostgreSQL",
        ));
    };
    let faults = open(plan, backup)?.faults().await.map_err(Error::command)?;
    if let Some(fault) = faults.first() {
        return Err(Error::command(format!("the backup is damaged: {fault}")));
    }
    is_stopped(&file)?;
    let log = owner_only::beside(backup, "-wal");
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        return Err(Error::command(format!(
            "{} has rows that are not in the backup itself: make one with `database backup`",
            log.display()
        )));
    }
    owner_only::create_directory(&plan.config.data).map_err(Error::command)?;
    let new = owner_only::beside(&file, ".restored");
    let (from, to) = (backup.to_owned(), new.clone());
    let copied = tokio::task::spawn_blocking(move || copy_file(&from, &to)).await;
    copied.map_err(Error::internal)?.map_err(Error::command)?;
    if file.exists() {
        let kept = free_beside(&file);
        fs::hard_link(&file, &kept).map_err(Error::command)?;
        print(&format_args!(
            "The database before it is kept in {}.\n",
            kept.display()
        ))?;
    }
    fs::rename(&new, &file).map_err(Error::command)?;
    let folder = fs::File::open(owner_only::directory_of(&file));
    folder
        .and_then(|folder| folder.sync_all())
        .map_err(Error::command)?;
    print(&format_args!("{} is the database now.\n", backup.display()))
}

/// Refuses tables of an older program.
pub(super) async fn is_migrated(plan: &Blueprint, db: &Db) -> Result<(), Error> {
    if db.migrations_pending(&plan.migrations()).await?.is_empty() {
        return Ok(());
    }
    Err(Error::command(
        "migrations are pending: run `migrate` first",
    ))
}

/// A running application has a write-ahead log beside its file.
pub(super) fn is_stopped(file: &Path) -> Result<(), Error> {
    let open = owner_only::beside(file, "-wal");
    if open.exists() {
        return Err(Error::command(format!(
            "{} exists: stop the application first; if it was killed, start and stop it once",
            open.display()
        )));
    }
    Ok(())
}

/// A name beside the file that nothing has yet.
fn free_beside(file: &Path) -> PathBuf {
    let mut kept = owner_only::beside(file, ".before-restore");
    let mut number = 2;
    while kept.exists() {
        kept = owner_only::beside(file, &format!(".before-restore-{number}"));
        number += 1;
    }
    kept
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = fs::OpenOptions::new();
    let mut new = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(to)?;
    io::copy(&mut fs::File::open(from)?, &mut new)?;
    new.sync_all()
}

async fn copy(
    plan: &Blueprint,
    to: &str,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
) -> Result<(), Error> {
    let Some(Location::Postgres(mut server)) = Location::parse(to) else {
        return Err(Error::command(
            "`--to` is the address of a PostgreSQL database, such as `postgres://user@host/name`, without a password",
        ));
    };
    server.address.password_file = password_file;
    server.address.ca_file = ca_file;
    let Some(file) = plan.database_file() else {
        return Err(Error::command(
            "`database.url` names a server already: only a file is copied",
        ));
    };
    is_stopped(&file)?;
    let db = existing(plan).await?;
    let migrations = plan.migrations();
    is_migrated(plan, &db).await?;
    let bar = Progress::drawn(None, "{spinner} {msg}: {human_pos} rows");
    let copied = db
        .copy_to(&server, &migrations, |table, rows| {
            bar.name(table.to_owned());
            bar.set(rows);
        })
        .await
        .map_err(Error::command)?;
    drop(bar);
    for table in &copied {
        print(&format_args!("{}: {} rows\n", table.name, table.rows))?;
    }
    print(&format_args!(
        "All rows are in {} and equal. Now set `database.url`, and start the application.\n",
        server.address
    ))
}

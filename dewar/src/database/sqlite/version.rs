//! The version of a database, which every commit changes, of whichever process.
//!
//! SQLite keeps it in the index of its write-ahead log, a file beside the database that all connections share. Reading it
//! there costs one system call; `PRAGMA data_version` costs half a query, because it begins a transaction.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs::File,
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::connection::Handle;
use crate::audit::owner_only;

/// The length of the header of the index. The file begins with two copies (<https://sqlite.org/walformat.html>, 2.1).
const HEADER: usize = 48;

/// The first four bytes of the header: the format of the index.
const FORMAT: u32 = 3_007_000;

/// The place of the byte that says whether the index is in use.
const IN_USE: usize = 12;

/// A version of a database. Two equal versions have the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DataVersion {
    header: [u8; HEADER],
    /// The finished jobs of this process's writer: whatever the file shows, this process sees its own commits.
    jobs: u64,
}

/// The file of a database's version.
///
/// A process that closes a file loses all its locks on it (POSIX), SQLite's too. So there is one such file for each database,
/// and it is closed after the last connection.
#[derive(Debug)]
pub(crate) struct VersionFile {
    place: Place,
    /// None while it is dropped.
    file: Option<Arc<File>>,
}

/// The device of a file, and its number there.
type Place = (u64, u64);

static OPEN: Mutex<BTreeMap<Place, OpenFile>> = Mutex::new(BTreeMap::new());

#[derive(Debug)]
struct OpenFile {
    file: Arc<File>,
    users: usize,
}

/// All open files. As long as somebody holds this value, none is closed.
pub(crate) struct OpenFiles(MutexGuard<'static, BTreeMap<Place, OpenFile>>);

impl OpenFiles {
    pub(crate) fn hold() -> Self {
        Self(OPEN.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Opens the file of a database that has been read. None if SQLite keeps no write-ahead log for it.
    ///
    /// # Errors
    /// The system's. A database without this value would share the file with one that has it, and lose its locks when that one
    /// closes it.
    pub(crate) fn open(&mut self, handle: &Handle) -> io::Result<Option<VersionFile>> {
        // SQLite keeps its files beside the database itself, and not beside a link to it.
        let path = handle.connection.path().filter(|path| !path.is_empty());
        let Some(path) = path.filter(|_| handle.has_write_ahead_log()) else {
            return Ok(None);
        };
        let path = owner_only::beside(Path::new(path), "-shm");
        let found = match std::fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            found => found?,
        };
        let place = (found.dev(), found.ino());
        let open = match self.0.entry(place) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(place) => {
                let file = Arc::new(File::open(&path)?);
                place.insert(OpenFile { file, users: 0 })
            }
        };
        open.users += 1;
        Ok(Some(VersionFile {
            place,
            file: Some(Arc::clone(&open.file)),
        }))
    }
}

impl VersionFile {
    /// The version now, after so many jobs of the writer. None while it changes, and if the file cannot be read.
    pub(crate) fn now(&self, jobs: u64) -> Option<DataVersion> {
        let mut both = [0; 2 * HEADER];
        self.file.as_ref()?.read_exact_at(&mut both, 0).ok()?;
        let (first, second) = both.split_at(HEADER);
        let is_whole = first == second
            && first.starts_with(&FORMAT.to_ne_bytes())
            && first.get(IN_USE) == Some(&1);
        let header = first.try_into().ok().filter(|_| is_whole)?;
        Some(DataVersion { header, jobs })
    }
}

impl Drop for VersionFile {
    fn drop(&mut self) {
        let mut open = OpenFiles::hold();
        drop(self.file.take());
        if let Some(found) = open.0.get_mut(&self.place) {
            found.users -= 1;
            if found.users == 0 {
                open.0.remove(&self.place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::database::sqlite::connection::{ConnectionPurpose, FileAccess};
    use crate::database::{Config, Db, Migration};

    const TABLE: Migration = Migration::new(
        "tests_0001",
        "CREATE TABLE notes (title TEXT NOT NULL) STRICT",
    );

    fn users(path: &Path) -> usize {
        let found = std::fs::metadata(owner_only::beside(path, "-shm")).unwrap();
        let open = OpenFiles::hold();
        let found = open.0.get(&(found.dev(), found.ino()));
        found.map_or(0, |open| open.users)
    }

    #[tokio::test]
    async fn each_commit_changes_the_version_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.sqlite");
        let db = Db::open(&path, &Config::default()).unwrap();
        db.migrate(&[TABLE]).await.unwrap();
        let add = "INSERT INTO notes (title) VALUES ('Milk')";

        let first = db.version().unwrap();
        db.query("SELECT title FROM notes", []).await.unwrap();
        assert_eq!(db.version(), Some(first));
        let tx = db.begin().await.unwrap();
        tx.execute(add, []).await.unwrap();
        tx.commit().await.unwrap();
        let second = db.version().unwrap();
        assert_ne!(first, second);
        let other = Connection::open(&path).unwrap();
        other.execute(add, []).unwrap();
        let third = db.version().unwrap();
        assert_ne!(second, third);
        other
            .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
            .unwrap();
        other.execute("DELETE FROM notes", []).unwrap();
        assert!(![first, second, third].contains(&db.version().unwrap()));
    }

    /// The index that an earlier program left beside a link never changes.
    #[tokio::test]
    async fn the_version_of_a_linked_database_is_that_of_the_database() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (
            folder.path().join("moved.sqlite"),
            folder.path().join("test.sqlite"),
        );
        let other = Db::open(&file, &Config::default()).unwrap();
        other.migrate(&[TABLE]).await.unwrap();
        std::fs::copy(
            owner_only::beside(&file, "-shm"),
            owner_only::beside(&link, "-shm"),
        )
        .unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let linked = Db::open(&link, &Config::default()).unwrap();
        let before = linked.version().unwrap();
        other
            .execute("INSERT INTO notes (title) VALUES ('Milk')", [])
            .await
            .unwrap();
        assert_ne!(linked.version().unwrap(), before);
    }

    #[tokio::test]
    async fn the_file_of_the_version_is_closed_with_the_last_connection() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.sqlite");
        let first = Db::open(&path, &Config::default()).unwrap();
        let second = Db::open(&path, &Config::default()).unwrap();
        assert_eq!(users(&path), 2);
        assert_eq!(first.version(), second.version());
        first.migrate(&[TABLE]).await.unwrap();
        drop(first);
        assert!(second.version().is_some());
        let rows = second.query("SELECT title FROM notes", []).await.unwrap();
        assert!(rows.is_empty());
    }

    #[test]
    fn a_database_without_a_write_ahead_log_has_no_version() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.sqlite");
        let connection = Connection::open(&path).unwrap();
        let table = "PRAGMA journal_mode = DELETE; CREATE TABLE notes (title TEXT) STRICT;";
        connection.execute_batch(table).unwrap();
        std::fs::write(owner_only::beside(&path, "-shm"), [0; 96]).unwrap();
        let reads = (ConnectionPurpose::Read, FileAccess::ReadWrite);
        let handle = Handle::open(&path, reads, &Config::default(), &Arc::default()).unwrap();
        assert!(OpenFiles::hold().open(&handle).unwrap().is_none());
    }
}

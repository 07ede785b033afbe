//! The checks of this room, for the start and the auditor.

use std::path::{Path, PathBuf};

use super::{Db, Engine, Error, Location, Sql};
use crate::audit::owner_only::{self, TooOpen};
use crate::audit::{Finding, Practice, Severity};

impl Db {
    /// The findings about the tables.
    ///
    /// # Errors
    /// The database does not answer.
    pub(crate) async fn findings(&self) -> Result<Vec<Finding>, Error> {
        let mut findings = self.unindexed_references().await?;
        if self.engine() == Engine::Postgres {
            return Ok(findings);
        }
        findings.extend(self.reused_ids().await?);
        findings.extend(loose_tables(&self.loose_tables().await?));
        Ok(findings)
    }

    /// The columns that refer to another table and have no index.
    async fn unindexed_references(&self) -> Result<Vec<Finding>, Error> {
        const FIND: Sql = Sql::new(
            "SELECT t.name, f.\"from\" FROM pragma_table_list t JOIN pragma_foreign_key_list(t.name) f ON f.seq = 0
                WHERE t.schema = 'main' AND t.type = 'table'
                AND NOT EXISTS (SELECT 1 FROM pragma_index_list(t.name) i JOIN pragma_index_info(i.name) c
                    ON c.seqno = 0 AND c.name = f.\"from\" WHERE i.partial = 0)
                AND NOT EXISTS (SELECT 1 FROM pragma_table_info(t.name) c
                    WHERE c.name = f.\"from\" AND c.pk = 1 AND upper(c.type) = 'INTEGER')
                ORDER BY 1, 2",
            "SELECT CAST(t.relname AS text), CAST(a.attname AS text) FROM pg_constraint c
                JOIN pg_class t ON t.oid = c.conrelid
                JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
                WHERE c.contype = 'f' AND t.relnamespace = CAST(CAST(current_schema() AS text) AS regnamespace)
                AND NOT EXISTS (SELECT 1 FROM pg_index i
                    WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1] AND i.indpred IS NULL)
                ORDER BY 1, 2",
        );
        let rows = self.query(FIND, []).await?;
        let names = rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?)));
        let names = names.collect::<Result<Vec<(String, String)>, Error>>()?;
        Ok(names
            .iter()
            .map(|(table, column)| unindexed(table, column))
            .collect())
    }

    /// The tables that were not made `STRICT`.
    async fn loose_tables(&self) -> Result<Vec<String>, Error> {
        let rows = self
            .query(
                "SELECT name FROM pragma_table_list
                 WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                 ORDER BY name",
                [],
            )
            .await?;
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// The findings about the file and its folder, before the file is opened. Opening it removes other users' access, but
/// they may have read it until then.
pub(crate) fn of_file(file: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in [owner_only::directory_of(file), file] {
        let Ok(metadata) = std::fs::metadata(path) else {
            continue;
        };
        if owner_only::foreign(&metadata) == Some(true) {
            let title = format!("{} belongs to another user", path.display());
            findings.push(
                Finding::warn(Practice::Database, "database-foreign", title)
                    .severity(Severity::Medium)
                    .why("Its owner can read and change every row, and bypass every check of the application.")
                    .fix("Run the application as the user that owns its data.")
                    .cwe(282),
            );
        }
    }
    // SQLite gives the two files beside it the same mode, and they hold the newest rows.
    let beside = ["-wal", "-shm"].map(|ending| owner_only::beside(file, ending));
    let files = std::iter::once(file).chain(beside.iter().map(PathBuf::as_path));
    findings.extend(
        files
            .filter_map(|file| TooOpen::at(file, 0o077))
            .map(|open| {
                Finding::refuse(Practice::Database, "database-readable", open.title())
                    .why("Every other program on this machine could read the users' data.")
                    .fix(open.fix())
                    .cwe(276)
                    .asvs(&["13.2.2"])
            }),
    );
    findings
}

/// The findings about the files with the passwords of a server's roles.
pub(crate) fn of_passwords(location: &Location) -> Vec<Finding> {
    let Location::Postgres(server) = location else {
        return Vec::new();
    };
    let files = [
        (
            "database.password_file",
            server.address.password_file.as_deref(),
        ),
        (
            "database.migration_password_file",
            server.migration_password_file.as_deref(),
        ),
    ];
    let of_file = |(setting, file): (&str, Option<&Path>)| {
        owner_only::readable_password(
            (Practice::Database, "database-password-readable"),
            setting,
            file?,
            "Anyone who reads the password can change every row, and bypass every check of the application.",
        )
    };
    files.into_iter().filter_map(of_file).collect()
}

fn unindexed(table: &str, column: &str) -> Finding {
    let title = format!("`{table}.{column}` refers to another table and has no index");
    Finding::warn(Practice::Database, "database-reference-unindexed", title)
        .severity(Severity::Low)
        .why("To delete a row of the other table, the database reads this whole table, and it gets slower as the table grows.")
        .fix(format!(
            "In a new migration: `CREATE INDEX {table}_by_{column} ON {table} ({column})`."
        ))
        .cwe(1067)
}

fn loose_tables(names: &[String]) -> Option<Finding> {
    if names.is_empty() {
        return None;
    }
    let title = format!("tables that are not STRICT: {}", names.join(", "));
    Some(
        Finding::warn(Practice::Database, "database-not-strict", title)
            .severity(Severity::Low)
            .why("SQLite accepts a text in a column of numbers there. The program then fails when it reads the row.")
            .fix("Create the table again in a migration, with STRICT at its end, and copy the rows.")
            .cwe(20),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::{Config, Migration};

    #[tokio::test]
    async fn a_table_that_takes_anything_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("database.sqlite");
        let db = Db::open(&file, &Config::default()).unwrap();
        let good = Migration::new("good", "CREATE TABLE good (id TEXT PRIMARY KEY) STRICT");
        db.migrate(&[good]).await.unwrap();
        assert_eq!(db.findings().await.unwrap(), []);
        let loose = Migration::new("loose", "CREATE TABLE loose (id TEXT PRIMARY KEY)");
        db.migrate(&[good, loose]).await.unwrap();
        let said = db.findings().await.unwrap().remove(0);
        assert_eq!(said.id, "database-not-strict");
        assert!(said.title.ends_with(": loose"), "{}", said.title);
    }

    #[tokio::test]
    async fn a_reference_without_an_index_is_named() {
        let db = Db::temporary().unwrap();
        let tables = "CREATE TABLE people (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;
            CREATE TABLE notes (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                author INTEGER NOT NULL REFERENCES people (id),
                reader INTEGER REFERENCES people (id)
            ) STRICT;
            CREATE INDEX notes_by_author ON notes (author, id);
            CREATE INDEX notes_by_both ON notes (id, reader);
            CREATE TABLE profiles (
                person INTEGER NOT NULL PRIMARY KEY REFERENCES people (id)
            ) STRICT, WITHOUT ROWID;";
        db.migrate(&[Migration::new("notes_0001", tables)])
            .await
            .unwrap();
        let found = db.findings().await.unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].id, "database-reference-unindexed");
        assert!(
            found[0].title.contains("`notes.reader`"),
            "{}",
            found[0].title
        );
        assert!(
            found[0]
                .fix
                .contains("CREATE INDEX notes_by_reader ON notes (reader)")
        );
    }

    #[test]
    fn a_file_that_others_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("database.sqlite");
        assert_eq!(of_file(&file), [], "none is there yet");
        std::fs::write(&file, b"").unwrap();
        let mode = |mode| {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(0o640);
        let found = of_file(&file);
        assert!(found.len() == 1 && found[0].id == "database-readable" && found[0].refuses_launch);
        mode(0o600);
        assert_eq!(of_file(&file), []);
        for beside in ["database.sqlite-wal", "database.sqlite-shm"] {
            let beside = folder.path().join(beside);
            std::fs::write(&beside, b"").unwrap();
            let mode = |mode| {
                std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(mode)).unwrap();
            };
            mode(0o644);
            assert_eq!(of_file(&file).len(), 1, "{}", beside.display());
            mode(0o600);
            assert_eq!(of_file(&file), []);
        }
    }
}

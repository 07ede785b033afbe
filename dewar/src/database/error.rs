//! The errors of the database, one variant for each thing that a caller could do differently.

use std::{path::PathBuf, sync::Arc};

use rusqlite::ffi;
use sea_orm::{DbErr, Value};

use super::value::type_of;

/// Where the refused statements belong.
const ELSEWHERE: &str =
    "tables change in migrations, settings in `Config`, transactions through `Db::begin`";

/// Why a database operation failed.
///
/// The messages name tables, columns and constraints, never a value: they may be logged.
///
/// ```
/// use dewar::database::Error;
///
/// fn answer(error: &Error) -> &'static str {
///     match error {
///         Error::Unique { columns } if columns.iter().any(|c| c == "users.email") => "taken",
///         Error::Busy => "try again",
///         _ => "sorry",
///     }
/// }
/// # assert_eq!(answer(&Error::Busy), "try again");
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another writer held the writer, or all connections were in use, for longer than the acquire timeout.
    #[error(
        "the database was busy: another writer held it (a transaction kept open over a slow \
         await, or `Db` used inside a transaction where the `Tx` was meant)"
    )]
    Busy,
    /// A `CHECK` constraint is violated.
    #[error("the `CHECK` constraint `{constraint}` is violated")]
    Check {
        /// Its name, or its expression if it has no name.
        constraint: String,
    },
    /// The database has been closed.
    #[error("the database is closed")]
    Closed,
    /// Another transaction got in the way, and this one was undone. The same work can be done again
    /// ([`Db::transaction`](super::Db::transaction) does so).
    #[error("another transaction changed the same rows; this one was rolled back")]
    Conflict,
    /// The connection to the server was lost. A change may or may not have been made.
    #[error("the connection to the database was lost: {why}")]
    ConnectionLost {
        /// The cause.
        why: String,
    },
    /// The disk has no space left.
    #[error("the disk is full")]
    DiskFull,
    /// A value of the wrong type for a column of a `STRICT` table.
    #[error("wrong type for a column: {column}")]
    ColumnType {
        /// SQLite's text about the column and the type.
        column: String,
    },
    /// The row refers to a missing row, or another row still refers to it.
    #[error("a foreign key constraint is violated")]
    ForeignKey,
    /// A migration failed; nothing of it is left.
    #[error("migration `{name}`: {source}")]
    Migration {
        /// Its name.
        name: String,
        /// The cause.
        source: Arc<Self>,
    },
    /// An applied migration was edited afterwards.
    #[error("migration `{name}` was changed after it ran")]
    MigrationChanged {
        /// Its name.
        name: String,
    },
    /// The database has migrations that this program does not know: the program is older.
    #[error("the database is newer than this program: it has the migrations {names:?}")]
    MigrationUnknown {
        /// Their names.
        names: Vec<String>,
    },
    /// Models do not fit the tables they read.
    #[error("models do not match their tables: {}", problems.join("; "))]
    Models {
        /// One sentence for each problem.
        problems: Vec<String>,
    },
    /// The row does not exist.
    #[error("the row does not exist")]
    NotFound,
    /// A required column had no value.
    #[error("no value for `{column}`")]
    NotNull {
        /// `table.column`.
        column: String,
    },
    /// The file could not be opened.
    #[error("cannot open the database {}: {why}", path.display())]
    Open {
        /// Its path.
        path: PathBuf,
        /// The error of the system or of SQLite.
        why: String,
    },
    /// An error of SeaORM.
    #[error(transparent)]
    Orm(DbErr),
    /// An owner has as many rows as its [`Quota`](super::Quota) allows.
    #[error("`{table}` has {most} rows of this owner, which is the limit")]
    QuotaFull {
        /// The table.
        table: &'static str,
        /// The most rows of one owner.
        most: u32,
    },
    /// Any other error of PostgreSQL.
    #[error("PostgreSQL ({code}): {message}")]
    Postgres {
        /// The code (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
        code: String,
        /// The server's message.
        message: String,
    },
    /// A statement that changes rows, on a connection that only reads.
    #[error("the statement changes rows, and this connection only reads")]
    ReadOnly,
    /// This database does not allow that.
    #[error("refused: {why}")]
    Refused {
        /// The allowed alternative.
        why: String,
    },
    /// The transaction was rolled back before, and takes no more statements.
    #[error("the transaction was rolled back")]
    RolledBack,
    /// Any other error of SQLite.
    #[error("SQLite ({code}): {message}")]
    Sqlite {
        /// The extended result code (<https://sqlite.org/rescode.html>).
        code: i32,
        /// SQLite's message.
        message: String,
    },
    /// A statement that the engine cannot prepare: it is not SQL, or names a table or a column that does not exist.
    #[error("{why}, in `{sql}` with {}", with(values))]
    Statement {
        /// The statement. Its values are bound, so it contains none.
        sql: String,
        /// The types of the values, in their order.
        values: Vec<&'static str>,
        /// The engine's error.
        why: Arc<Self>,
    },
    /// The tables were changed after the statement was prepared. The next attempt works.
    #[error("the tables were changed meanwhile")]
    TablesChanged,
    /// The statement ran longer than the statement timeout, and was stopped.
    #[error("the statement took too long and was stopped")]
    TimedOut,
    /// A unique index has this value already.
    #[error("already there: {}", columns.join(", "))]
    Unique {
        /// The columns, as `table.column`.
        columns: Vec<String>,
    },
    /// The server cannot be reached, or refuses the connection.
    #[error("cannot use the database at {server}: {why}")]
    Unreachable {
        /// Its address.
        server: String,
        /// The cause.
        why: String,
    },
    /// A model read a table that was not registered.
    #[error(
        "no model is registered for the table `{table}`; at start, after the migrations: \
         `db.register(&[Table::of::<{table}::Entity>()]).await?`"
    )]
    UnknownTable {
        /// The table.
        table: String,
    },
    /// A stored or given value does not fit the requested type.
    #[error("`{column}` does not contain {wanted}")]
    Value {
        /// The column's name, or its position.
        column: String,
        /// The requested type.
        wanted: &'static str,
    },
}

impl Error {
    /// A refusal, and what to do instead.
    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused { why: why.into() }
    }

    /// A statement that does not only read and change rows.
    pub(crate) fn not_of_rows() -> Self {
        Self::refused(format!("not authorized: {ELSEWHERE}"))
    }

    /// Two statements in one text.
    pub(crate) fn several() -> Self {
        Self::refused("a call takes one statement")
    }

    /// Whether the same statement may work at another attempt, because nothing of it was done.
    pub(crate) const fn may_be_repeated(&self) -> bool {
        matches!(self, Self::Conflict | Self::TablesChanged)
    }

    /// Whether the database cannot do it now, and may be able to in a moment.
    pub(crate) const fn is_for_a_moment(&self) -> bool {
        matches!(
            self,
            Self::Busy
                | Self::Conflict
                | Self::ConnectionLost { .. }
                | Self::TablesChanged
                | Self::Unreachable { .. }
        )
    }

    /// Whether the statement itself is wrong: its syntax, a name or a type.
    fn is_of_the_text(&self) -> bool {
        if let Self::Postgres { code, .. } = self {
            return code.starts_with("42");
        }
        matches!(self, Self::Sqlite { code, .. } if code & 0xff == ffi::SQLITE_ERROR)
    }

    /// If the statement itself is wrong, adds its text to the error.
    pub(crate) fn of_statement(self, sql: &str, values: &[Value]) -> Self {
        if !self.is_of_the_text() {
            return self;
        }
        Self::Statement {
            sql: sql.to_owned(),
            values: values.iter().map(type_of).collect(),
            why: Arc::new(self),
        }
    }

    /// Sorts an error of SQLite.
    pub(crate) fn from_sqlite(error: rusqlite::Error) -> Self {
        if let rusqlite::Error::SqliteFailure(code, message) = error {
            return Self::from_code(code, message.unwrap_or_default());
        }
        if let rusqlite::Error::SqlInputError { error, msg, .. } = error {
            return Self::from_code(error, msg);
        }
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "all other errors are handled alike"
        )]
        match error {
            rusqlite::Error::MultipleStatement => Self::several(),
            rusqlite::Error::QueryReturnedNoRows => Self::NotFound,
            rusqlite::Error::ExecuteReturnedResults => {
                Self::refused("the statement returns rows: use `query`")
            }
            other => Self::Sqlite {
                code: -1,
                message: other.to_string(),
            },
        }
    }

    fn from_code(error: ffi::Error, message: String) -> Self {
        // "UNIQUE constraint failed: users.email, users.realm"
        let subject = message.split_once(": ").map_or("", |(_, subject)| subject);
        match error.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE
            | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | ffi::SQLITE_CONSTRAINT_ROWID => Self::Unique {
                columns: subject.split(", ").map(str::to_owned).collect(),
            },
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Self::ForeignKey,
            ffi::SQLITE_CONSTRAINT_CHECK => Self::Check {
                constraint: subject.to_owned(),
            },
            ffi::SQLITE_CONSTRAINT_NOTNULL => Self::NotNull {
                column: subject.to_owned(),
            },
            ffi::SQLITE_CONSTRAINT_DATATYPE => Self::ColumnType { column: message },
            code => match code & 0xff {
                ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => Self::Busy,
                ffi::SQLITE_FULL => Self::DiskFull,
                ffi::SQLITE_INTERRUPT => Self::TimedOut,
                ffi::SQLITE_AUTH => Self::refused(format!("{message}: {ELSEWHERE}")),
                _ => Self::Sqlite { code, message },
            },
        }
    }
}

fn with(values: &[&str]) -> String {
    if values.is_empty() {
        "no values".to_owned()
    } else {
        format!("the values ({})", values.join(", "))
    }
}

impl From<DbErr> for Error {
    /// Unwraps our own error if SeaORM carried it, so that a unique violation is the same variant for a literal and for
    /// a model (SeaORM's `sql_err` knows only its own drivers).
    fn from(error: DbErr) -> Self {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the rest stay errors of SeaORM"
        )]
        match error {
            DbErr::TryIntoErr { ref source, .. } => source
                .downcast_ref::<Self>()
                .cloned()
                .unwrap_or_else(|| Self::Orm(error.clone())),
            DbErr::RecordNotFound(_) | DbErr::RecordNotUpdated => Self::NotFound,
            other => Self::Orm(other),
        }
    }
}

impl From<Error> for DbErr {
    fn from(error: Error) -> Self {
        if let Error::Orm(error) = error {
            return error;
        }
        Self::TryIntoErr {
            // SeaORM's only variant that carries another library's error as a value.
            from: "statement",
            into: "result",
            source: Arc::new(error),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::from_sqlite(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Before, it was an internal error, with status 500.
    #[test]
    fn a_database_that_finds_no_room_on_the_disk_says_so() {
        let full = rusqlite::Connection::open_in_memory().unwrap();
        full.execute_batch("PRAGMA max_page_count = 2; CREATE TABLE t (text TEXT) STRICT")
            .unwrap();
        let more = "INSERT INTO t VALUES (zeroblob(10000) || 'x')";
        let error = full.execute(more, []).unwrap_err();
        assert!(matches!(Error::from(error), Error::DiskFull));
    }

    /// A caller can react differently: wait, free the disk, send less, correct the input.
    #[test]
    fn each_code_of_sqlite_is_its_own_error() {
        let of = |code| Error::from_code(ffi::Error::new(code), "failed: t.a, t.b".to_owned());
        let columns = ["t.a".to_owned(), "t.b".to_owned()];
        for code in [
            ffi::SQLITE_CONSTRAINT_UNIQUE,
            ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
            ffi::SQLITE_CONSTRAINT_ROWID,
        ] {
            assert!(matches!(of(code), Error::Unique { columns: found } if found == columns));
        }
        assert!(matches!(
            of(ffi::SQLITE_CONSTRAINT_FOREIGNKEY),
            Error::ForeignKey
        ));
        let named = "t.a, t.b";
        let check = of(ffi::SQLITE_CONSTRAINT_CHECK);
        assert!(matches!(check, Error::Check { constraint } if constraint == named));
        let null = of(ffi::SQLITE_CONSTRAINT_NOTNULL);
        assert!(matches!(null, Error::NotNull { column } if column == named));
        let kind = of(ffi::SQLITE_CONSTRAINT_DATATYPE);
        assert!(matches!(kind, Error::ColumnType { .. }));
        for code in [
            ffi::SQLITE_BUSY,
            ffi::SQLITE_BUSY_SNAPSHOT,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_LOCKED_SHAREDCACHE,
        ] {
            assert!(matches!(of(code), Error::Busy), "{code}");
        }
        assert!(matches!(of(ffi::SQLITE_FULL), Error::DiskFull));
        assert!(matches!(of(ffi::SQLITE_INTERRUPT), Error::TimedOut));
        assert!(matches!(of(ffi::SQLITE_AUTH), Error::Refused { .. }));
        let other = of(ffi::SQLITE_IOERR_READ);
        assert!(matches!(other, Error::Sqlite { code, .. } if code == ffi::SQLITE_IOERR_READ));
    }
}

//! The server's errors, as the errors of this room. The server repeats values in the details of some; those are left out.

use tokio_postgres::error::{DbError, SqlState};

use super::value::Unfit;
use crate::audit::peer_text;
use crate::database::Error;

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(answer) = error.as_db_error() {
            return of_answer(answer);
        }
        let cause = std::error::Error::source(&error);
        if let Some(unfit) = cause.and_then(|cause| cause.downcast_ref::<Unfit>()) {
            return Self::Value {
                column: "a value".to_owned(),
                wanted: unfit.0,
            };
        }
        Self::ConnectionLost {
            why: peer_text(&error),
        }
    }
}

impl Error {
    /// A transaction that begins only waits for its lock.
    pub(super) fn of_the_lock(self) -> Self {
        if matches!(self, Self::TimedOut) {
            return Self::Busy;
        }
        self
    }
}

fn of_answer(answer: &DbError) -> Error {
    let table = answer.table().unwrap_or_default();
    let code = answer.code();
    match *code {
        SqlState::UNIQUE_VIOLATION => Error::Unique {
            columns: columns(table, answer.detail().unwrap_or_default()),
        },
        SqlState::FOREIGN_KEY_VIOLATION => Error::ForeignKey,
        SqlState::CHECK_VIOLATION => Error::Check {
            constraint: answer.constraint().unwrap_or_default().to_owned(),
        },
        SqlState::NOT_NULL_VIOLATION => Error::NotNull {
            column: format!("{table}.{}", answer.column().unwrap_or_default()),
        },
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => Error::Conflict,
        SqlState::READ_ONLY_SQL_TRANSACTION => Error::ReadOnly,
        SqlState::QUERY_CANCELED => Error::TimedOut,
        SqlState::LOCK_NOT_AVAILABLE | SqlState::TOO_MANY_CONNECTIONS => Error::Busy,
        SqlState::DISK_FULL => Error::DiskFull,
        SqlState::IN_FAILED_SQL_TRANSACTION | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => {
            Error::RolledBack
        }
        SqlState::INVALID_SQL_STATEMENT_NAME => Error::TablesChanged,
        SqlState::FEATURE_NOT_SUPPORTED if answer.message().contains("cached plan") => {
            Error::TablesChanged
        }
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => {
            Error::ConnectionLost {
                why: peer_text(&answer.message()),
            }
        }
        SqlState::CHARACTER_NOT_IN_REPERTOIRE | SqlState::UNTRANSLATABLE_CHARACTER => {
            Error::Value {
                column: "a value".to_owned(),
                wanted: "text without the character U+0000",
            }
        }
        SqlState::INSUFFICIENT_PRIVILEGE => Error::refused(format!(
            "{}: the role of the application may not do it (`database.url`)",
            peer_text(&answer.message())
        )),
        // The messages of this class repeat the value.
        _ if code.code().starts_with("22") => Error::ColumnType {
            column: format!("a value does not fit its type ({})", code.code()),
        },
        _ => Error::Postgres {
            code: code.code().to_owned(),
            message: peer_text(&answer.message()),
        },
    }
}

/// The columns of `Key (email, realm)=(a, b) already exists.`
fn columns(table: &str, detail: &str) -> Vec<String> {
    let named = detail
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(")="));
    let named = named.map_or("", |(names, _)| names);
    named
        .split(", ")
        .map(|column| format!("{table}.{}", column.trim_matches('"')))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_a_unique_index_are_named_without_their_values() {
        for (detail, right) in [
            (
                "Key (email)=(ada@example.org) already exists.",
                &["users.email"][..],
            ),
            (
                "Key (email, realm)=(a)=(b, c) already exists.",
                &["users.email", "users.realm"],
            ),
            ("Key (\"group\")=(a) already exists.", &["users.group"]),
            (
                "Key (lower(email))=(a) already exists.",
                &["users.lower(email)"],
            ),
            ("", &["users."]),
        ] {
            assert_eq!(columns("users", detail), right, "{detail}");
        }
    }
}

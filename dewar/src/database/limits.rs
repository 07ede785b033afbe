//! What a connection may do at the moment: for how long, and which kind of statement.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::{
    Connection,
    hooks::{AuthAction, AuthContext, Authorization},
};

/// Steps of SQLite's machine between two looks at the clock: 20 to 80 microseconds' worth, so that
/// a point read never looks.
const STEPS: i32 = 2_000;

/// Where SQLite keeps the highest id of each `AUTOINCREMENT` table.
const SEQUENCE: &str = "sqlite_sequence";

/// Pragmas that only look; FTS5 asks some of them itself.
const LOOKING: &[&str] = &[
    "data_version",
    "foreign_key_check",
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Which statements are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The migrations': also the tables themselves, but no transaction control.
    Migrating = 1,
    /// This room's own: transaction control and pragmas.
    Own = 2,
    /// Everybody's: rows are read and changed, tables are not.
    Running = 0,
}

/// Shared between a connection's owner and the two hooks inside SQLite.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    mode: AtomicU8,
    run: Mutex<Option<Run>>,
}

#[derive(Debug)]
struct Run {
    deadline: Instant,
    given_up: Option<Arc<AtomicBool>>,
}

impl Limits {
    /// Puts the two hooks into a connection.
    pub(crate) fn install(self: &Arc<Self>, connection: &Connection) -> rusqlite::Result<()> {
        let limits = Arc::clone(self);
        connection.progress_handler(STEPS, Some(move || limits.expired()))?;
        let limits = Arc::clone(self);
        connection.authorizer(Some(move |context: AuthContext<'_>| limits.judge(context)))
    }

    /// From now on statements run at most this long, and stop when `given_up` becomes true.
    pub(crate) fn start(&self, time: Duration, given_up: Option<Arc<AtomicBool>>) {
        let run = Run {
            deadline: Instant::now() + time,
            given_up,
        };
        *self.run.lock().unwrap_or_else(PoisonError::into_inner) = Some(run);
    }

    /// No limit any more.
    pub(crate) fn stop(&self) {
        *self.run.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether the running statement has to stop.
    pub(crate) fn expired(&self) -> bool {
        let run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        run.as_ref().is_some_and(|run| {
            Instant::now() >= run.deadline
                || run
                    .given_up
                    .as_ref()
                    .is_some_and(|flag| flag.load(Ordering::Relaxed))
        })
    }

    pub(crate) fn set_mode(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::Relaxed);
    }

    /// OWASP's Database Security sheet asks for an account which may only read and change rows; SQLite has no
    /// accounts, but asks here about every action while it prepares a statement.
    fn judge(&self, context: AuthContext<'_>) -> Authorization {
        let mode = self.mode.load(Ordering::Relaxed);
        if mode == Mode::Own as u8 {
            return Authorization::Allow;
        }
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "all that changes the tables"
        )]
        let allowed = match context.action {
            // The counts of AUTOINCREMENT: set back, they would hand out ids again.
            AuthAction::Delete {
                table_name: SEQUENCE,
            }
            | AuthAction::Insert {
                table_name: SEQUENCE,
            }
            | AuthAction::Update {
                table_name: SEQUENCE,
                ..
            } => mode == Mode::Migrating as u8,
            AuthAction::Delete { .. }
            | AuthAction::Insert { .. }
            | AuthAction::Read { .. }
            | AuthAction::Recursive
            | AuthAction::Select
            | AuthAction::Update { .. } => true,
            AuthAction::Function { function_name } => {
                !["load_extension", "fts3_tokenizer"].contains(&function_name)
            }
            AuthAction::Pragma { pragma_name, .. } => {
                // ALTER TABLE … ADD COLUMN asks the second itself.
                LOOKING.contains(&pragma_name)
                    || (mode == Mode::Migrating as u8 && pragma_name == "quick_check")
            }
            AuthAction::Attach { .. }
            | AuthAction::Detach { .. }
            | AuthAction::Savepoint { .. }
            | AuthAction::Transaction { .. }
            | AuthAction::Unknown { .. } => false,
            _ => mode == Mode::Migrating as u8,
        };
        if allowed {
            Authorization::Allow
        } else {
            Authorization::Deny
        }
    }
}

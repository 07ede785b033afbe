//! The limits of a connection at the moment: how long, and which statements.

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

/// Steps of SQLite's virtual machine between two checks of the clock: 20 to 80 microseconds, so that a point read never checks.
const STEPS: i32 = 2_000;

/// The table in which SQLite keeps the highest id of each `AUTOINCREMENT` table.
const SEQUENCE: &str = "sqlite_sequence";

/// Pragmas that only read; FTS5 uses some of them itself.
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

/// Which statements are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatementMode {
    /// For migrations: also changes of tables, but no transaction control.
    Migrating = 1,
    /// For this room itself: transaction control and pragmas.
    Own = 2,
    /// For everybody: rows are read and changed, tables are not.
    Running = 0,
}

/// Shared between a connection's owner and the two hooks inside SQLite.
#[derive(Debug, Default)]
pub(crate) struct StatementLimits {
    mode: AtomicU8,
    run: Mutex<Option<Run>>,
}

#[derive(Debug)]
struct Run {
    deadline: Instant,
    given_up: Option<Arc<AtomicBool>>,
}

impl StatementLimits {
    /// Installs the two hooks in a connection.
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

    /// Ends the limit.
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

    pub(crate) fn set_mode(&self, mode: StatementMode) {
        self.mode.store(mode as u8, Ordering::Relaxed);
    }

    /// OWASP's Database Security sheet requires an account that may only read and change rows. SQLite has no accounts,
    /// but calls this authorizer for every action while it prepares a statement.
    fn judge(&self, context: AuthContext<'_>) -> Authorization {
        let mode = self.mode.load(Ordering::Relaxed);
        if mode == StatementMode::Own as u8 {
            return Authorization::Allow;
        }
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "all other actions change the tables"
        )]
        let allowed = match context.action {
            // The counters of AUTOINCREMENT: if they were set back, ids would be handed out again.
            AuthAction::Delete {
                table_name: SEQUENCE,
            }
            | AuthAction::Insert {
                table_name: SEQUENCE,
            }
            | AuthAction::Update {
                table_name: SEQUENCE,
                ..
            } => mode == StatementMode::Migrating as u8,
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
                // ALTER TABLE … ADD COLUMN uses the second itself.
                LOOKING.contains(&pragma_name)
                    || (mode == StatementMode::Migrating as u8 && pragma_name == "quick_check")
            }
            AuthAction::Attach { .. }
            | AuthAction::Detach { .. }
            | AuthAction::Savepoint { .. }
            | AuthAction::Transaction { .. }
            | AuthAction::Unknown { .. } => false,
            _ => mode == StatementMode::Migrating as u8,
        };
        if allowed {
            Authorization::Allow
        } else {
            Authorization::Deny
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each statement, and whether it is allowed for everybody and in a migration.
    const STATEMENTS: &[(&str, bool, bool)] = &[
        ("SELECT a FROM t", true, true),
        ("SELECT length(a) FROM t", true, true),
        ("INSERT INTO t (a) VALUES ('y')", true, true),
        ("UPDATE t SET a = 'z'", true, true),
        ("DELETE FROM t", true, true),
        (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n",
            true,
            true,
        ),
        ("INSERT INTO sqlite_sequence VALUES ('t', 1)", false, true),
        ("UPDATE sqlite_sequence SET seq = 0", false, true),
        ("DELETE FROM sqlite_sequence", false, true),
        ("CREATE TABLE u (a)", false, true),
        ("CREATE TEMP TABLE u (a)", false, true),
        ("CREATE INDEX i ON t (a)", false, true),
        ("CREATE VIEW v AS SELECT a FROM t", false, true),
        ("ALTER TABLE t ADD COLUMN b", false, true),
        ("DROP TABLE t", false, true),
        ("ANALYZE", false, true),
        ("PRAGMA table_info(t)", true, true),
        ("PRAGMA index_list(t)", true, true),
        ("PRAGMA quick_check", false, true),
        ("PRAGMA foreign_keys = OFF", false, false),
        ("PRAGMA writable_schema = ON", false, false),
        ("SELECT load_extension('x')", false, false),
        ("SELECT fts3_tokenizer('simple')", false, false),
        ("ATTACH ':memory:' AS m", false, false),
        ("DETACH m", false, false),
        ("BEGIN", false, false),
        ("COMMIT", false, false),
        ("ROLLBACK", false, false),
        ("SAVEPOINT s", false, false),
        ("RELEASE s", false, false),
    ];

    #[test]
    fn each_mode_lets_its_own_statements_through() {
        let limits = Arc::new(StatementLimits::default());
        let connection = Connection::open_in_memory().unwrap();
        limits.install(&connection).unwrap();
        assert!(connection.execute_batch("CREATE TABLE t (a)").is_err());
        limits.set_mode(StatementMode::Own);
        let made =
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT); ATTACH ':memory:' AS m";
        connection.execute_batch(made).unwrap();
        for (sql, running, migrating) in STATEMENTS {
            for (mode, taken) in [
                (StatementMode::Running, *running),
                (StatementMode::Migrating, *migrating),
            ] {
                limits.set_mode(mode);
                let prepared = connection.prepare(sql);
                assert_eq!(prepared.is_ok(), taken, "{mode:?}: {sql}: {prepared:?}");
            }
            if !sql.contains("load_extension") && !sql.contains("fts3") {
                limits.set_mode(StatementMode::Own);
                assert!(connection.prepare(sql).is_ok(), "{sql}");
            }
        }
    }

    #[test]
    fn a_statement_stops_at_its_time_or_when_it_is_given_up() {
        let limits = StatementLimits::default();
        let hour = Duration::from_secs(3_600);
        assert!(!limits.expired(), "nothing runs");
        limits.start(Duration::ZERO, None);
        assert!(limits.expired());
        limits.start(hour, None);
        assert!(!limits.expired());
        let given_up = Arc::new(AtomicBool::new(false));
        limits.start(hour, Some(Arc::clone(&given_up)));
        assert!(!limits.expired());
        given_up.store(true, Ordering::Relaxed);
        assert!(limits.expired());
        limits.stop();
        assert!(!limits.expired());
    }
}

//! Transactions.

use std::{
    borrow::Cow,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use sea_orm::Value;

use super::tally::Timed;
use super::{
    Db, Engine, Error, Literal, Row,
    postgres::OpenTransaction,
    row::Decode,
    sqlite::{
        connection::Handle,
        writer::{JobScope, WriterGuard},
    },
};

/// An open transaction: its changes are committed together, or not at all.
///
/// Nothing that it has read can change before its end, and no update is lost: from its first moment nobody else writes, on SQLite
/// because it holds the only writer (`BEGIN IMMEDIATE`), and on PostgreSQL because it holds a lock that every change of this
/// application waits for, in every process. It sees its own changes; others see them after [`commit`](Self::commit). **Dropping
/// it rolls it back.** After an error of a statement it takes no more statements ([`Error::RolledBack`]); the statements of a
/// [nested](Self::begin_nested) one can fail without it.
///
/// ```
/// # async fn move_note(db: dewar::database::Db) -> Result<(), dewar::database::Error> {
/// let tx = db.begin().await?;
/// tx.execute("UPDATE folders SET notes = notes - 1 WHERE id = ?", [1_i64.into()]).await?;
/// tx.execute("UPDATE folders SET notes = notes + 1 WHERE id = ?", [2_i64.into()]).await?;
/// tx.commit().await
/// # }
/// ```
///
/// While it is open, write with the `Tx`, not the `Db`: the `Db` would wait for it, and end in [`Error::Busy`].
pub struct Tx {
    shared: Arc<Shared>,
    /// 1 for the transaction, more for nested ones.
    level: usize,
    open: bool,
}

/// The connection of an open transaction.
pub(super) enum OpenTx {
    Postgres(Box<OpenTransaction>),
    Sqlite(WriterGuard),
}

struct Shared {
    db: Db,
    open: OpenTx,
    /// The innermost open level.
    depth: AtomicUsize,
    /// A statement failed, and what it was part of is not undone yet.
    has_failed: AtomicBool,
    /// Another transaction got in the way.
    conflict: AtomicBool,
    /// The work that waits for the commit, each with the level at which it was added.
    after: Mutex<Vec<(usize, AfterCommit)>>,
}

type AfterCommit = Box<dyn FnOnce() + Send>;

impl Tx {
    pub(super) async fn begin(db: Db, open: OpenTx) -> Result<Self, Error> {
        // Made before it is begun: if the caller is dropped in between, this is dropped too and rolls back.
        let shared = Arc::new(Shared {
            db,
            open,
            depth: AtomicUsize::new(1),
            has_failed: AtomicBool::new(false),
            conflict: AtomicBool::new(false),
            after: Mutex::default(),
        });
        let tx = Self {
            shared,
            level: 1,
            open: true,
        };
        if let OpenTx::Sqlite(writer) = &tx.shared.open {
            let begun = writer.run(|handle| {
                if !handle.connection.is_autocommit() {
                    handle.own("ROLLBACK")?;
                }
                handle.own("BEGIN IMMEDIATE")
            });
            begun.await?;
        }
        Ok(tx)
    }

    /// Begins a transaction inside this one. It can be rolled back alone, and is committed only with this one.
    ///
    /// # Errors
    /// [`Error::RolledBack`] if this one has ended.
    pub async fn begin_nested(&self) -> Result<Self, Error> {
        self.shared.is_sound(self.level)?;
        let level = self.shared.depth.fetch_add(1, Ordering::AcqRel) + 1;
        let tx = Self {
            shared: Arc::clone(&self.shared),
            level,
            open: true,
        };
        match &tx.shared.open {
            OpenTx::Postgres(open) => Box::pin(open.begin_nested(level)).await?,
            OpenTx::Sqlite(writer) => {
                let begun = writer.run(move |handle| {
                    still_open(handle)?;
                    handle.own_text(&format!("SAVEPOINT level_{level}"))
                });
                begun.await?;
            }
        }
        Ok(tx)
    }

    /// The engine: for a statement that each engine writes in its own way.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.shared.db.engine()
    }

    /// The rows of a literal query, including the changes of this transaction.
    ///
    /// # Errors
    /// As [`Db::query`], and [`Error::RolledBack`].
    pub async fn query(
        &self,
        sql: impl Literal,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<Row>, Error> {
        let sql = sql.text(self.engine());
        self.rows(Cow::Borrowed(sql), values.into_iter().collect())
            .await
    }

    /// Runs a literal statement, and returns how many rows it changed.
    ///
    /// # Errors
    /// As [`Db::execute`], and [`Error::RolledBack`].
    pub async fn execute(
        &self,
        sql: impl Literal,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64, Error> {
        let values: Vec<_> = values.into_iter().collect();
        let sql = sql.text(self.engine());
        Ok(self.change(Cow::Borrowed(sql), values).await?.0)
    }

    /// Runs this once everything is committed; a rollback drops it. Use it for a letter, an event, or a file to delete.
    /// It must not block.
    ///
    /// The program may end between the commit and this call. If the work must happen, also record it in a row.
    ///
    /// ```
    /// # async fn archive(db: dewar::database::Db) -> Result<(), dewar::database::Error> {
    /// let tx = db.begin().await?;
    /// tx.execute("UPDATE notes SET archived = 1", []).await?;
    /// tx.after_commit(|| println!("archived"));
    /// tx.commit().await
    /// # }
    /// ```
    pub fn after_commit(&self, work: impl FnOnce() + Send + 'static) {
        self.shared.after().push((self.level, Box::new(work)));
    }

    /// Makes all changes permanent.
    ///
    /// # Errors
    /// [`Error::RolledBack`] if a statement failed before; [`Error::Conflict`] in [`Db::transaction`].
    /// A constraint that is checked only at the end; the transaction is then rolled back. [`Error::Refused`] while a
    /// nested transaction is open.
    pub async fn commit(mut self) -> Result<(), Error> {
        if self.shared.depth.load(Ordering::Acquire) != self.level {
            return Err(Error::refused(
                "a nested transaction is still open; Dewar rolls everything back",
            ));
        }
        self.shared.is_sound(self.level)?;
        self.open = false;
        let level = self.level;
        let done = self.shared.commit(level).await;
        let done = self.shared.noted(done);
        self.shared.depth.fetch_sub(1, Ordering::AcqRel);
        match (&done, level) {
            (Err(_), _) => drop(self.shared.taken_from(level)),
            (Ok(()), 1) => {
                for (_, work) in self.shared.taken_from(level) {
                    work();
                }
            }
            // From now on it is undone with the transaction around it.
            (Ok(()), _) => {
                for (asked_at, _) in self.shared.after().iter_mut() {
                    *asked_at = (*asked_at).min(level - 1);
                }
            }
        }
        done
    }

    /// Undoes all changes. Dropping the transaction does the same, without waiting.
    ///
    /// # Errors
    /// [`Error::Closed`] if the writer is gone.
    pub async fn rollback(mut self) -> Result<(), Error> {
        let shared = Arc::clone(&self.shared);
        let level = self.level;
        if level == 1 && matches!(shared.open, OpenTx::Postgres(_)) {
            self.open = false;
            drop(shared.taken_from(level));
            // A nested one that is left has nothing to write into.
            shared.depth.store(0, Ordering::Release);
        }
        drop(self);
        match &shared.open {
            OpenTx::Postgres(open) => Box::pin(open.rollback(level)).await,
            // The writer works in order, so this returns after the rollback.
            OpenTx::Sqlite(writer) => writer.run(|_| Ok(())).await,
        }
    }

    /// Whether another transaction got in the way, so that the same work may succeed at another attempt.
    pub(super) fn had_conflict(&self) -> bool {
        self.shared.conflict.load(Ordering::Acquire)
    }

    pub(crate) fn rows<T: Decode>(
        &self,
        sql: Cow<'static, str>,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<T>, Error>> {
        let timed = Timed::begin(&sql);
        Timed::run(timed, self.rows_of(sql, values))
    }

    async fn rows_of<T: Decode>(
        &self,
        sql: Cow<'static, str>,
        values: Vec<Value>,
    ) -> Result<Vec<T>, Error> {
        self.shared.db.count();
        self.shared.is_sound(self.level)?;
        let found = match &self.shared.open {
            OpenTx::Postgres(open) => Box::pin(open.rows(&sql, &values)).await,
            OpenTx::Sqlite(writer) => {
                let job = move |handle: &mut Handle, sql: &str| handle.query_all(sql, &values);
                writer.statement(JobScope::InTransaction, sql, job).await
            }
        };
        self.shared.noted(found)
    }

    pub(crate) fn change(
        &self,
        sql: Cow<'static, str>,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<(u64, i64), Error>> {
        let timed = Timed::begin(&sql);
        Timed::run(timed, self.change_of(sql, values))
    }

    async fn change_of(
        &self,
        sql: Cow<'static, str>,
        values: Vec<Value>,
    ) -> Result<(u64, i64), Error> {
        self.shared.db.count();
        self.shared.is_sound(self.level)?;
        let done = match &self.shared.open {
            OpenTx::Postgres(open) => {
                let rows = Box::pin(open.change(&sql, &values)).await;
                rows.map(|rows| (rows, 0))
            }
            OpenTx::Sqlite(writer) => {
                let job = move |handle: &mut Handle, sql: &str| handle.execute(sql, &values);
                writer.statement(JobScope::InTransaction, sql, job).await
            }
        };
        self.shared.noted(done)
    }
}

impl Shared {
    /// Whether a statement of this level can still be committed.
    fn is_sound(&self, level: usize) -> Result<(), Error> {
        let is_over = self.depth.load(Ordering::Acquire) < level;
        if is_over || self.has_failed.load(Ordering::Acquire) {
            return Err(Error::RolledBack);
        }
        Ok(())
    }

    /// Remembers that a statement failed. PostgreSQL takes no more statements then; here both engines do the same.
    fn noted<T>(&self, done: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &done {
            self.has_failed.store(true, Ordering::Release);
            if error.may_be_repeated() {
                self.conflict.store(true, Ordering::Release);
            }
        }
        done
    }

    async fn commit(&self, level: usize) -> Result<(), Error> {
        let writer = match &self.open {
            OpenTx::Postgres(open) => return Box::pin(open.commit(level)).await,
            OpenTx::Sqlite(writer) => writer,
        };
        let done = writer.run(move |handle| {
            still_open(handle)?;
            if level > 1 {
                return handle.own_text(&format!("RELEASE level_{level}"));
            }
            let done = handle.own("COMMIT");
            if !handle.connection.is_autocommit() {
                handle.own("ROLLBACK")?;
            }
            done
        });
        done.await
    }

    /// Undoes a level without waiting. The whole transaction of PostgreSQL is undone when its connection is given back.
    fn undo(&self, level: usize) {
        self.depth.store(level - 1, Ordering::Release);
        self.has_failed.store(false, Ordering::Release);
        let writer = match &self.open {
            OpenTx::Postgres(open) => return open.drop_nested(level),
            OpenTx::Sqlite(writer) => writer,
        };
        // The writer's lock is released after this, so the next holder's job comes after ours.
        let sent = writer.send(move |handle| {
            if handle.connection.is_autocommit() {
                return;
            }
            let undone = if level == 1 {
                handle.own("ROLLBACK")
            } else {
                handle.own_text(&format!("ROLLBACK TO level_{level}; RELEASE level_{level}"))
            };
            if let Err(error) = undone {
                tracing::error!(%error, level, "a dropped transaction was not rolled back");
            }
        });
        if sent.is_err() {
            tracing::debug!("the database was closed before the transaction was dropped");
        }
    }

    fn after(&self) -> std::sync::MutexGuard<'_, Vec<(usize, AfterCommit)>> {
        self.after.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The work that was added at this level and inside it. The lock is released before any of it runs or is dropped.
    fn taken_from(&self, level: usize) -> Vec<(usize, AfterCommit)> {
        let mut after = self.after();
        let (taken, kept) = std::mem::take(&mut *after)
            .into_iter()
            .partition(|(asked_at, _)| *asked_at >= level);
        *after = kept;
        taken
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        drop(self.shared.taken_from(self.level));
        self.shared.undo(self.level);
    }
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx")
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

fn still_open(handle: &Handle) -> Result<(), Error> {
    if handle.connection.is_autocommit() {
        Err(Error::RolledBack)
    } else {
        Ok(())
    }
}

//! Transactions.

use std::{
    borrow::Cow,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use sea_orm::Value;

use super::{
    Db, Error, Literal, Row,
    sqlite::connection::{Decode, Handle},
    sqlite::writer::{JobScope, WriterGuard},
};

/// An open transaction: its changes are committed together, or not at all.
///
/// It holds the only writer from its first moment (`BEGIN IMMEDIATE`), so nothing that it has read can change before
/// its end, and no update is lost. It sees its own changes; others see them after [`commit`](Self::commit). **Dropping
/// it rolls it back.**
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

struct Shared {
    db: Db,
    writer: WriterGuard,
    /// The innermost open level.
    depth: AtomicUsize,
    /// The work that waits for the commit, each with the level at which it was added.
    after: Mutex<Vec<(usize, AfterCommit)>>,
}

type AfterCommit = Box<dyn FnOnce() + Send>;

impl Tx {
    pub(crate) async fn begin(db: Db, writer: WriterGuard) -> Result<Self, Error> {
        // Made before it is begun: if the caller is dropped in between, this is dropped too and rolls back.
        let shared = Arc::new(Shared {
            db,
            writer,
            depth: AtomicUsize::new(1),
            after: Mutex::default(),
        });
        let tx = Self {
            shared,
            level: 1,
            open: true,
        };
        tx.shared
            .writer
            .run(|handle| {
                if !handle.connection.is_autocommit() {
                    handle.own("ROLLBACK")?;
                }
                handle.own("BEGIN IMMEDIATE")
            })
            .await?;
        Ok(tx)
    }

    /// Begins a transaction inside this one. It can be rolled back alone, and is committed only with this one.
    ///
    /// # Errors
    /// [`Error::RolledBack`] if this one has ended.
    pub async fn begin_nested(&self) -> Result<Self, Error> {
        let level = self.shared.depth.fetch_add(1, Ordering::AcqRel) + 1;
        let tx = Self {
            shared: Arc::clone(&self.shared),
            level,
            open: true,
        };
        tx.shared
            .writer
            .run(move |handle| {
                still_open(handle)?;
                handle.own_text(&format!("SAVEPOINT level_{level}"))
            })
            .await?;
        Ok(tx)
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
        self.rows(Cow::Borrowed(sql.text()), values.into_iter().collect())
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
        Ok(self.change(Cow::Borrowed(sql.text()), values).await?.0)
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
    /// A constraint that is checked only at the end; the transaction is then rolled back. [`Error::Refused`] while a
    /// nested transaction is open.
    pub async fn commit(mut self) -> Result<(), Error> {
        if self.shared.depth.load(Ordering::Acquire) != self.level {
            return Err(Error::refused(
                "a nested transaction is still open; Dewar rolls everything back",
            ));
        }
        self.open = false;
        let level = self.level;
        let done = self.shared.writer.run(move |handle| {
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
        let done = done.await;
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
    pub async fn rollback(self) -> Result<(), Error> {
        let shared = Arc::clone(&self.shared);
        drop(self);
        // The writer works in order, so this returns after the rollback.
        shared.writer.run(|_| Ok(())).await
    }

    pub(crate) async fn rows<T: Decode>(
        &self,
        sql: Cow<'static, str>,
        values: Vec<Value>,
    ) -> Result<Vec<T>, Error> {
        self.shared.db.count();
        let job = move |handle: &mut Handle, sql: &str| handle.query_all(sql, &values);
        self.shared
            .writer
            .statement(JobScope::InTransaction, sql, job)
            .await
    }

    pub(crate) async fn change(
        &self,
        sql: Cow<'static, str>,
        values: Vec<Value>,
    ) -> Result<(u64, i64), Error> {
        self.shared.db.count();
        let job = move |handle: &mut Handle, sql: &str| handle.execute(sql, &values);
        self.shared
            .writer
            .statement(JobScope::InTransaction, sql, job)
            .await
    }
}

impl Shared {
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
        let level = self.level;
        drop(self.shared.taken_from(level));
        self.shared.depth.store(level - 1, Ordering::Release);
        // The writer's lock is released after this, so the next holder's job comes after ours.
        let sent = self.shared.writer.send(move |handle| {
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

//! The pool of reading connections.
//!
//! A read runs on the task of its caller, because handing it to another thread costs more than most reads. A read that
//! takes longer than a millisecond is stopped and runs again on its own thread, so that it blocks no task.

use std::{
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::Value;
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use super::{
    connection::{ConnectionPurpose, FileAccess, Handle, QueryOutcome},
    version::VersionFile,
};
use crate::database::{Config, Error, models::Models, row::Decode};

/// Statements that take this long are logged.
const SLOW: Duration = Duration::from_millis(200);

/// All reading connections.
#[derive(Debug)]
pub(crate) struct Readers {
    idle: Mutex<Idle>,
    most: usize,
    returned: Condvar,
    long: Arc<Semaphore>,
    config: Config,
}

#[derive(Debug)]
struct Idle {
    handles: Vec<Handle>,
    /// How many threads wait for a connection. To wake nobody still costs a system call, so a read without a waiter wakes none.
    waiting: usize,
}

impl Readers {
    pub(crate) fn open(
        path: &Path,
        access: FileAccess,
        config: &Config,
        models: &Arc<Models>,
    ) -> Result<Self, Error> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let long_reads = config.long_reads.max(1);
        let most = cores + 2 + long_reads;
        let handles = (0..most)
            .map(|_| Handle::open(path, (ConnectionPurpose::Read, access), config, models))
            .collect::<Result<_, _>>()?;
        let idle = Idle {
            handles,
            waiting: 0,
        };
        Ok(Self {
            idle: Mutex::new(idle),
            most,
            returned: Condvar::new(),
            long: Arc::new(Semaphore::new(long_reads)),
            config: config.clone(),
        })
    }

    /// The connections in use, and the most there can be.
    pub(crate) fn connections(&self) -> (usize, usize) {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        (self.most.saturating_sub(idle.handles.len()), self.most)
    }

    /// Runs a read, on this task if it is short.
    pub(crate) async fn query<T: Decode>(
        self: &Arc<Self>,
        sql: &str,
        values: &[Value],
    ) -> Result<QueryOutcome<T>, Error> {
        if let Some(mut handle) = self.take() {
            let answer = attempt(&mut handle, sql, values, self.config.in_place, None);
            self.give(handle);
            if !matches!(answer, Err(Error::TimedOut)) {
                return answer;
            }
        }
        self.query_on_a_thread(sql.to_owned(), values.to_vec())
            .await
    }

    async fn query_on_a_thread<T: Decode>(
        self: &Arc<Self>,
        sql: String,
        values: Vec<Value>,
    ) -> Result<QueryOutcome<T>, Error> {
        let permit = timeout(
            self.config.acquire_timeout,
            Arc::clone(&self.long).acquire_owned(),
        )
        .await
        .map_err(|_| Error::Busy)?
        .map_err(|_| Error::Closed)?;
        let readers = Arc::clone(self);
        // If the visitor leaves, the read stops.
        let given_up = GivenUp(Arc::new(AtomicBool::new(false)));
        let flag = Arc::clone(&given_up.0);
        let task = spawn_blocking(move || {
            let _permit = permit;
            let mut handle = readers.wait().ok_or(Error::Busy)?;
            let started = Instant::now();
            let time = readers.config.statement_timeout;
            let answer = attempt(&mut handle, &sql, &values, time, Some(flag));
            readers.give(handle);
            report_slow(&sql, started);
            answer
        });
        let answer = task.await.map_err(|_| Error::Closed)?;
        drop(given_up);
        answer
    }

    /// Lets no connection outlive this file.
    pub(crate) fn keep(&self, version: &Arc<VersionFile>) {
        for handle in &mut self.idle().handles {
            handle.keep(version);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Handle> {
        self.idle().handles.pop()
    }

    fn give(&self, handle: Handle) {
        let mut idle = self.idle();
        idle.handles.push(handle);
        if idle.waiting > 0 {
            self.returned.notify_one();
        }
    }

    /// Blocks, so it is only called on its own thread.
    fn wait(&self) -> Option<Handle> {
        let mut idle = self.idle();
        idle.waiting += 1;
        let (mut idle, _) = self
            .returned
            .wait_timeout_while(idle, self.config.acquire_timeout, |idle| {
                idle.handles.is_empty()
            })
            .unwrap_or_else(PoisonError::into_inner);
        idle.waiting -= 1;
        idle.handles.pop()
    }
}

fn attempt<T: Decode>(
    handle: &mut Handle,
    sql: &str,
    values: &[Value],
    time: Duration,
    given_up: Option<Arc<AtomicBool>>,
) -> Result<QueryOutcome<T>, Error> {
    handle.limits.start(time, given_up);
    let answer = handle.query(sql, values);
    handle.limits.stop();
    answer
}

/// Logs a slow statement, without its values.
pub(crate) fn report_slow(sql: &str, started: Instant) {
    let time = started.elapsed();
    if time >= SLOW {
        tracing::warn!(sql, milliseconds = time.as_millis(), "slow statement");
    }
}

struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::{Db, Row};

    #[tokio::test]
    async fn a_short_read_waits_for_no_long_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.sqlite");
        let config = Config {
            in_place: Duration::from_secs(3_600),
            acquire_timeout: Duration::from_millis(50),
            long_reads: 1,
            ..Config::default()
        };
        let _db = Db::open(&path, &config).unwrap();
        let readers =
            Readers::open(&path, FileAccess::ReadWrite, &config, &Arc::default()).unwrap();
        let readers = Arc::new(readers);
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let all = || readers.idle().handles.len();
        assert_eq!(all(), cores + 3);

        let turn = Arc::clone(&readers.long).acquire_owned().await.unwrap();
        assert!(readers.query::<Row>("SELECT 1", &[]).await.is_ok());
        let long = || readers.query_on_a_thread::<Row>("SELECT 1".to_owned(), Vec::new());
        assert!(matches!(long().await, Err(Error::Busy)));
        drop(turn);
        assert!(long().await.is_ok());
        assert_eq!(all(), cores + 3, "each is given back");
        // If no connection is left, a read waits for one, but not for ever.
        let taken = std::mem::take(&mut readers.idle().handles);
        assert!(matches!(long().await, Err(Error::Busy)));
        let mut taken = taken.into_iter();
        readers.give(taken.next().unwrap());
        assert!(long().await.is_ok());
    }
}

//! The one writing connection, on its thread.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use tokio::{
    sync::{Mutex, OwnedMutexGuard, oneshot},
    time::timeout,
};

use super::{connection::Handle, readers::report_slow};
use crate::database::Error;

type WriteJob = Box<dyn FnOnce(&mut Handle) + Send>;

/// The lock of the writer. It is fair, so nobody waits for ever.
pub(crate) type WriterGuard = OwnedMutexGuard<Writer>;

/// Sends jobs to the writing thread, which runs them in the order of sending.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<WriteJob>,
    statement_timeout: Duration,
    done: Arc<AtomicU64>,
}

/// Where a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobScope {
    /// By itself, committed at once.
    Alone,
    /// In the open transaction.
    InTransaction,
}

impl Writer {
    /// Starts the thread. It ends, and closes the connection, when the last sender is gone.
    ///
    /// `done` counts the finished jobs. A job counts before its caller has the answer.
    pub(crate) fn start(
        mut handle: Handle,
        statement_timeout: Duration,
        done: &Arc<AtomicU64>,
    ) -> std::io::Result<Arc<Mutex<Self>>> {
        let (jobs, waiting) = mpsc::channel::<WriteJob>();
        let _thread = thread::Builder::new()
            .name("dewar-writer".to_owned())
            .spawn(move || {
                for job in waiting {
                    job(&mut handle);
                }
            })?;
        Ok(Arc::new(Mutex::new(Self {
            jobs,
            statement_timeout,
            done: Arc::clone(done),
        })))
    }

    /// Runs a job on the thread.
    ///
    /// The job runs even if the caller stops waiting; later jobs come after it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Handle) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let done = Arc::clone(&self.done);
        self.send(move |handle| {
            let result = job(handle);
            done.fetch_add(1, Ordering::Release);
            // The caller may have stopped waiting; the job was done anyway.
            let _unheard = answer.send(result);
        })?;
        answered.await.map_err(|_| Error::Closed)?
    }

    /// Runs one statement on the thread, under the statement timeout.
    pub(crate) async fn statement<T: Send + 'static>(
        &self,
        place: JobScope,
        sql: std::borrow::Cow<'static, str>,
        job: impl FnOnce(&mut Handle, &str) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let time = self.statement_timeout;
        self.run(move |handle| {
            // Some failures (a full disk, a stopped statement) end a transaction without a `ROLLBACK`. Later statements
            // would then be committed one by one.
            if place == JobScope::InTransaction && handle.connection.is_autocommit() {
                return Err(Error::RolledBack);
            }
            let started = Instant::now();
            handle.limits.start(time, None);
            let done = job(handle, &sql);
            handle.limits.stop();
            report_slow(&sql, started);
            done
        })
        .await
    }

    pub(crate) fn send(&self, job: impl FnOnce(&mut Handle) + Send + 'static) -> Result<(), Error> {
        self.jobs.send(Box::new(job)).map_err(|_| Error::Closed)
    }
}

/// Waits for the writer's lock.
pub(crate) async fn hold(
    writer: &Arc<Mutex<Writer>>,
    at_most: Duration,
) -> Result<WriterGuard, Error> {
    if let Ok(held) = Arc::clone(writer).try_lock_owned() {
        return Ok(held);
    }
    timeout(at_most, Arc::clone(writer).lock_owned())
        .await
        .map_err(|_| Error::Busy)
}

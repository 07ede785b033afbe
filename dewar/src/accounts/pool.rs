//! The threads that hash: few, with a bounded queue before them.
//!
//! One hash costs about 25 ms of a core and 19 MiB. On the threads that serve requests a handful of sign-ins would
//! stop every other answer; without a bound, a flood of them would eat all memory (CWE-400). Each thread keeps its
//! memory, so nothing is allocated for a hash.
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::password::{HashError, Prepared, StoredHash, Workspace};

/// What a visitor is told to wait when every thread is busy and the queue is full.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Why the pool gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// The queue is full: answer 503 and ask to come again.
    #[error("every hashing thread is busy and the queue is full")]
    Busy,
    /// The hash itself failed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The threads could not be started, or have ended.
    #[error("the hashing threads are not there: {0}")]
    Stopped(String),
}

enum Job {
    Hash(Prepared, oneshot::Sender<Result<StoredHash, HashError>>),
    Verify(Prepared, StoredHash, oneshot::Sender<bool>),
}

/// A handle to the hashing threads; they end with its last clone.
#[derive(Clone)]
pub(crate) struct Pool {
    queue: SyncSender<Job>,
    done: Arc<AtomicU64>,
    /// A hash of a password that nobody has, with today's parameters: what an unknown account is verified against.
    nobody: StoredHash,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("hashes_done", &self.hashes_done())
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// Starts the threads.
    pub(crate) fn start(threads: NonZeroUsize, queue: usize) -> Result<Self, PoolError> {
        let nobody = Prepared::new(&crate::secrets::Token::new().reveal());
        let nobody = Workspace::default().hash(&nobody)?;
        let (sender, receiver) = sync_channel(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        let done = Arc::new(AtomicU64::new(0));
        for number in 0..threads.get() {
            let (receiver, done) = (Arc::clone(&receiver), Arc::clone(&done));
            std::thread::Builder::new()
                .name(format!("dewar-hash-{number}"))
                .spawn(move || work(&receiver, &done))
                .map_err(|error| PoolError::Stopped(error.to_string()))?;
        }
        Ok(Self {
            queue: sender,
            done,
            nobody,
        })
    }

    /// Hashes a new password.
    pub(crate) async fn hash(&self, password: Prepared) -> Result<StoredHash, PoolError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Hash(password, reply))?;
        Ok(answer.await.map_err(|_| stopped())??)
    }

    /// Compares a password with a stored hash; without one, does the same work and says no.
    pub(crate) async fn verify(
        &self,
        password: Prepared,
        stored: Option<StoredHash>,
    ) -> Result<bool, PoolError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        let (reply, answer) = oneshot::channel();
        self.send(Job::Verify(password, stored, reply))?;
        Ok(answer.await.map_err(|_| stopped())? & known)
    }

    /// How many hashes were computed since the start.
    pub(crate) fn hashes_done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    fn send(&self, job: Job) -> Result<(), PoolError> {
        self.queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => PoolError::Busy,
            TrySendError::Disconnected(_) => stopped(),
        })
    }
}

fn stopped() -> PoolError {
    PoolError::Stopped("a thread ended while it worked".to_owned())
}

fn work(queue: &Mutex<Receiver<Job>>, done: &AtomicU64) {
    let mut workspace = Workspace::default();
    loop {
        // The lock is held while waiting, by one thread; the others wait for the lock, which is the same to them.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        match job {
            // Whoever asked has gone away: the work would be for nobody.
            Job::Hash(_, reply) if reply.is_closed() => continue,
            Job::Verify(_, _, reply) if reply.is_closed() => continue,
            // Counted before the answer, so that who has the answer finds it counted. Whoever asked may have gone away
            // meanwhile, which is nobody's mistake.
            Job::Hash(password, reply) => {
                let hash = workspace.hash(&password);
                done.fetch_add(1, Ordering::Relaxed);
                drop(reply.send(hash));
            }
            Job::Verify(password, stored, reply) => {
                let right = workspace.verify(&password, &stored);
                done.fetch_add(1, Ordering::Relaxed);
                let _ = reply.send(right);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: NonZeroUsize = NonZeroUsize::MIN;

    #[tokio::test]
    async fn an_unknown_account_costs_the_same_hash_and_is_refused() {
        let pool = Pool::start(ONE, 4).unwrap();
        let stored = pool
            .hash(Prepared::new("correct horse battery staple"))
            .await
            .unwrap();
        let before = pool.hashes_done();
        let right = Prepared::new("correct horse battery staple");
        assert!(pool.verify(right, Some(stored.clone())).await.unwrap());
        let wrong = Prepared::new("wrong horse battery staple");
        assert!(!pool.verify(wrong, Some(stored)).await.unwrap());
        let unknown = Prepared::new("correct horse battery staple");
        assert!(!pool.verify(unknown, None).await.unwrap());
        // The count follows the answer; asking for another hash waits for it.
        pool.hash(Prepared::new("one more to wait for"))
            .await
            .unwrap();
        assert!(pool.hashes_done() - before >= 3);
    }

    #[tokio::test]
    async fn a_full_queue_says_busy_instead_of_growing() {
        let pool = Pool::start(ONE, 1).unwrap();
        let mut asked: Vec<_> = (0..8)
            .map(|n| {
                let pool = pool.clone();
                Box::pin(async move {
                    pool.hash(Prepared::new(&format!("password number {n}")))
                        .await
                })
            })
            .collect();
        let answers = futures_util::future::join_all(asked.iter_mut()).await;
        let busy = answers
            .iter()
            .filter(|answer| matches!(answer, Err(PoolError::Busy)))
            .count();
        assert!(busy >= 5, "one in work, one waiting: {answers:?}");
        assert!(answers.iter().any(Result::is_ok));
    }
}

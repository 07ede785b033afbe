//! The hashing threads: few, with a bounded queue before them.
//!
//! One hash costs about 25 ms of a core and 19 MiB. On the threads that serve requests, a handful of sign-ins would stop every
//! other response. Without a limit, a flood of them would use up all memory (CWE-400). Each thread keeps its memory, so a hash
//! allocates none.
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::hash_formats::{FlaskSalt, HashProblem, ParsedHash};
use super::password::{HashError, NormalizedPassword, StoredHash, Workspace};
use super::scheme::Scheme;
use super::throttle::FailureLimit;

/// The `Retry-After` when every thread is busy and the queue is full.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Why the pool returned no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// The queue is full: answer 503 with `Retry-After`.
    #[error("every hashing thread is busy and the queue is full")]
    Busy,
    /// The hash itself failed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The threads could not be started, or have stopped.
    #[error("cannot start the hashing threads: {0}")]
    Stopped(String),
}

/// The cause of the work. Strangers never fill the queue, so that a flood of them leaves places for known users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PoolShare {
    /// Somebody in a known browser or a session of the account, or with a link, or an administrator.
    Known,
    /// Anybody else.
    Stranger,
}

impl PoolShare {
    pub(crate) const fn of(allowance: FailureLimit) -> Self {
        if allowance.is_own() {
            Self::Known
        } else {
            Self::Stranger
        }
    }
}

/// The work, and the stranger's place that it holds until it is done.
struct HashJob {
    work: HashWork,
    place: Option<OwnedSemaphorePermit>,
}

enum HashWork {
    Hash(
        NormalizedPassword,
        oneshot::Sender<Result<StoredHash, HashError>>,
    ),
    Verify(NormalizedPassword, Box<ParsedHash>, oneshot::Sender<bool>),
}

/// The hashes that a password is compared with.
#[derive(Default)]
pub(crate) struct ComparedHash {
    /// That of the account with the typed address.
    pub(crate) owner: Option<StoredHash>,
    /// That of an account that has nothing to do with the address. It costs the time of a hash that is not there or cannot be used.
    pub(crate) stand_in: Option<StoredHash>,
}

/// The result of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Right,
    /// The owner's hash cannot be used, so no password is right.
    Unusable(HashProblem),
    Wrong,
}

/// A handle to the hashing threads; they end with its last clone.
#[derive(Clone)]
pub(crate) struct HashPool {
    queue: SyncSender<HashJob>,
    strangers: Arc<Semaphore>,
    of_strangers: usize,
    done: Arc<AtomicU64>,
    flask_salt: Option<FlaskSalt>,
    /// A hash of a password that nobody has, with today's parameters: the password of an unknown account is compared with it.
    nobody: StoredHash,
}

impl fmt::Debug for HashPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("hashes_done", &self.hashes_done())
            .finish_non_exhaustive()
    }
}

impl HashPool {
    /// Starts the threads.
    pub(crate) fn start(
        threads: NonZeroUsize,
        queue: usize,
        scheme: Scheme,
        flask_salt: Option<FlaskSalt>,
    ) -> Result<Self, PoolError> {
        let nobody = NormalizedPassword::new(&crate::secrets::Token::new().reveal());
        let nobody = Workspace::default().hash(&nobody, scheme)?;
        let (of_strangers, of_all) = places(threads, queue);
        let (sender, receiver) = sync_channel(of_all);
        let strangers = Arc::new(Semaphore::new(of_strangers));
        let receiver = Arc::new(Mutex::new(receiver));
        let done = Arc::new(AtomicU64::new(0));
        for number in 0..threads.get() {
            let (receiver, done) = (Arc::clone(&receiver), Arc::clone(&done));
            std::thread::Builder::new()
                .name(format!("dewar-hash-{number}"))
                .spawn(move || work(&receiver, &done, scheme))
                .map_err(|error| PoolError::Stopped(error.to_string()))?;
        }
        Ok(Self {
            queue: sender,
            strangers,
            of_strangers,
            done,
            flask_salt,
            nobody,
        })
    }

    /// Hashes a new password.
    pub(crate) async fn hash(
        &self,
        password: NormalizedPassword,
        share: PoolShare,
    ) -> Result<StoredHash, PoolError> {
        let (reply, answer) = oneshot::channel();
        self.send(HashWork::Hash(password, reply), share)?;
        Ok(answer.await.map_err(|_| stopped())??)
    }

    /// Compares a password with a stored hash. Only the owner's makes it right; a stand-in costs the same work, and so does a hash
    /// that cannot be used.
    pub(crate) async fn verify(
        &self,
        password: NormalizedPassword,
        compared: ComparedHash,
        share: PoolShare,
    ) -> Result<Verdict, PoolError> {
        let parse =
            |stored: StoredHash| ParsedHash::parse(stored.as_str(), self.flask_salt.as_ref());
        let owner = compared.owner.map(parse).transpose();
        let otherwise = owner
            .as_ref()
            .err()
            .map_or(Verdict::Wrong, |problem| Verdict::Unusable(*problem));
        let owner = owner.ok().flatten();
        let known = owner.is_some();
        let stand_in = || compared.stand_in.and_then(|stored| parse(stored).ok());
        let parsed = match owner.or_else(stand_in) {
            Some(parsed) => parsed,
            None => parse(self.nobody.clone()).map_err(|error| stopped_by(&error))?,
        };
        let (reply, answer) = oneshot::channel();
        self.send(HashWork::Verify(password, Box::new(parsed), reply), share)?;
        let is_right = answer.await.map_err(|_| stopped())? & known;
        Ok(if is_right { Verdict::Right } else { otherwise })
    }

    /// The salt of the Flask-Security application whose users were imported.
    pub(crate) fn flask_salt(&self) -> Option<&FlaskSalt> {
        self.flask_salt.as_ref()
    }

    /// How many hashes were computed since the start.
    pub(crate) fn hashes_done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// How many hashes of strangers are being computed or wait.
    pub(crate) fn in_hand(&self) -> usize {
        self.of_strangers - self.strangers.available_permits()
    }

    fn send(&self, work: HashWork, share: PoolShare) -> Result<(), PoolError> {
        let place = match share {
            PoolShare::Known => None,
            PoolShare::Stranger => {
                let place = Arc::clone(&self.strangers).try_acquire_owned();
                Some(place.map_err(|_| PoolError::Busy)?)
            }
        };
        self.queue
            .try_send(HashJob { work, place })
            .map_err(|error| match error {
                TrySendError::Full(_) => PoolError::Busy,
                TrySendError::Disconnected(_) => stopped(),
            })
    }
}

/// Dewar's own hash is always one that it reads.
fn stopped_by(problem: &HashProblem) -> PoolError {
    PoolError::Stopped(problem.to_string())
}

fn stopped() -> PoolError {
    PoolError::Stopped("a hashing thread ended before it finished".to_owned())
}

fn work(queue: &Mutex<Receiver<HashJob>>, done: &AtomicU64, scheme: Scheme) {
    let mut workspace = Workspace::default();
    loop {
        // One thread holds the lock while it waits; the others wait for the lock, which makes no difference to them.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(HashJob { work, place }) = job else {
            return;
        };
        match work {
            // The caller has gone away: nobody needs the result.
            HashWork::Hash(_, reply) if reply.is_closed() => {}
            HashWork::Verify(_, _, reply) if reply.is_closed() => {}
            // Counts before it replies, so that a caller with a result finds it counted. The caller may have gone away meanwhile,
            // which is no error.
            HashWork::Hash(password, reply) => {
                let hash = workspace.hash(&password, scheme);
                done.fetch_add(1, Ordering::Relaxed);
                drop(reply.send(hash));
            }
            HashWork::Verify(password, stored, reply) => {
                let right = workspace.verify(&password, &stored);
                done.fetch_add(1, Ordering::Relaxed);
                let _ = reply.send(right);
            }
        }
        drop(place);
    }
}

/// How many hashes may be in progress for strangers, and for everybody. Strangers have the threads and the queue. The channel
/// holds all of them even if no thread has begun, and a quarter more, which only known users can fill.
fn places(threads: NonZeroUsize, queue: usize) -> (usize, usize) {
    let of_strangers = threads.get() + queue;
    (of_strangers, of_strangers + (queue / 4).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: NonZeroUsize = NonZeroUsize::MIN;
    const STRANGER: PoolShare = PoolShare::Stranger;

    #[tokio::test]
    async fn an_unknown_account_costs_the_same_hash_and_is_refused() {
        let pool = HashPool::start(ONE, 4, Scheme::default(), None).unwrap();
        let stored = pool
            .hash(
                NormalizedPassword::new("correct horse battery staple"),
                STRANGER,
            )
            .await
            .unwrap();
        let before = pool.hashes_done();
        let right = NormalizedPassword::new("correct horse battery staple");
        let verify = |typed, compared| {
            let pool = pool.clone();
            async move { pool.verify(typed, compared, STRANGER).await.unwrap() }
        };
        let owner = || ComparedHash {
            owner: Some(stored.clone()),
            stand_in: None,
        };
        assert_eq!(verify(right, owner()).await, Verdict::Right);
        let wrong = NormalizedPassword::new("wrong horse battery staple");
        assert_eq!(verify(wrong, owner()).await, Verdict::Wrong);
        for stand_in in [None, Some(stored.clone())] {
            let unknown = NormalizedPassword::new("correct horse battery staple");
            let compared = ComparedHash {
                owner: None,
                stand_in,
            };
            let unknown = verify(unknown, compared).await;
            assert_eq!(unknown, Verdict::Wrong);
        }
        // The count follows the reply; another hash waits for it.
        pool.hash(NormalizedPassword::new("one more to wait for"), STRANGER)
            .await
            .unwrap();
        assert!(pool.hashes_done() - before >= 4);
    }

    #[tokio::test]
    async fn a_full_queue_says_busy_instead_of_growing() {
        let pool = HashPool::start(ONE, 1, Scheme::default(), None).unwrap();
        let mut asked: Vec<_> = (0..8)
            .map(|n| {
                let pool = pool.clone();
                Box::pin(async move {
                    pool.hash(
                        NormalizedPassword::new(&format!("password number {n}")),
                        STRANGER,
                    )
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

    /// ASVS: V15.2.2
    #[test]
    fn hashes_under_way_are_bounded_with_a_quarter_more_for_those_who_are_known() {
        for (threads, queue, bound) in [
            (1, 0, (1, 2)),
            (1, 8, (9, 11)),
            (4, 3, (7, 8)),
            (2, 32, (34, 42)),
        ] {
            let threads = NonZeroUsize::new(threads).unwrap();
            assert_eq!(places(threads, queue), bound, "{threads}, {queue}");
        }
    }

    /// However many strangers come, a known user finds a place in the queue.
    #[tokio::test]
    async fn a_storm_of_strangers_leaves_room_for_those_who_are_known() {
        let pool = HashPool::start(ONE, 8, Scheme::default(), None).unwrap();
        let asked = |share, n: usize| {
            let pool = pool.clone();
            async move {
                let password = NormalizedPassword::new(&format!("password number {n}"));
                pool.hash(password, share).await
            }
        };
        // Each is polled in this order before any gets a reply: strangers first.
        let storm = (0..40).map(|n| asked(PoolShare::Stranger, n));
        let known = (0..2).map(|n| asked(PoolShare::Known, n));
        let storm = futures_util::future::join_all(storm);
        let known = futures_util::future::join_all(known);
        let (storm, known) = futures_util::future::join(storm, known).await;
        let busy = storm.iter().filter(|answer| answer.is_err()).count();
        assert!(busy >= 20, "{busy} of 40 were turned away");
        assert!(known.iter().all(Result::is_ok), "{known:?}");
    }

    /// The caller has gone away: nothing is computed.
    #[test]
    fn nothing_is_computed_for_whoever_went_away() {
        let stored = Workspace::default()
            .hash(&NormalizedPassword::new("a"), Scheme::default())
            .unwrap();
        let (queue, jobs) = sync_channel(4);
        let mut answers = Vec::new();
        for is_there in [true, false] {
            let (hash, hashed) = oneshot::channel();
            let (verify, verified) = oneshot::channel();
            let parsed = ParsedHash::parse(stored.as_str(), None).unwrap();
            for work in [
                HashWork::Hash(NormalizedPassword::new("a"), hash),
                HashWork::Verify(NormalizedPassword::new("a"), Box::new(parsed), verify),
            ] {
                queue.send(HashJob { work, place: None }).unwrap();
            }
            answers.extend(is_there.then_some((hashed, verified)));
        }
        drop(queue);
        let done = AtomicU64::new(0);
        work(&Mutex::new(jobs), &done, Scheme::default());
        assert_eq!(done.load(Ordering::Relaxed), 2);
        let (hashed, verified) = answers.pop().unwrap();
        assert!(hashed.blocking_recv().unwrap().is_ok());
        assert!(verified.blocking_recv().unwrap());
    }
}

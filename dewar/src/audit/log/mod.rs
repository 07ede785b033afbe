//! The log: what happened, in a chain that shows what was changed.

mod chain;
mod entry;
mod latest;
mod tail;
mod verify;
mod writer;

pub use chain::ChainKeys;
pub use entry::{Entry, Recorded};
pub use verify::{Broken, Remark, Verified};

use super::{Clock, Error, Finding, Severity, Word, owner_only};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};
use writer::{Losses, Message, Writer};

/// Entries that may wait to be written.
const QUEUE: usize = 8192;

/// The audit log: a file of JSON lines, each chained to the one before by an HMAC-SHA256.
///
/// Recording never waits: a thread of the log's own writes and syncs, in batches. Dropping the last clone
/// writes what is still waiting. Several processes may write to one file.
///
/// ```
/// # use dewar::audit::{Clock, Entry, Event, Log};
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("audit.jsonl");
/// let log = Log::open(&path, [7; 32], Clock::system())?;
/// log.record(Entry::new(Event::UserCreated).actor("cli").subject("ada@example.org"));
/// log.flush().await;
/// let latest = log.latest(10, None).await?;
/// assert_eq!(latest[0].subject.as_deref(), Some("ada@example.org"));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Log {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    keys: RwLock<ChainKeys>,
    clock: Clock,
    losses: Arc<Losses>,
    // Both are there until the drop.
    queue: Option<mpsc::Sender<Message>>,
    writer: Option<JoinHandle<()>>,
}

impl Log {
    /// Opens a log, or starts one with mode 0600, and goes on from its last entry.
    ///
    /// A last line that was not finished is moved to `<log>.torn`; a log that does not end where its
    /// `<log>.head` says goes on too, and [`verify`](Self::verify) will always show where it was cut.
    /// Either is also written down as an entry.
    ///
    /// # Errors
    /// The file or its directory cannot be made, opened, read, locked or written.
    pub fn open(
        path: impl AsRef<Path>,
        keys: impl Into<ChainKeys>,
        clock: Clock,
    ) -> Result<Self, Error> {
        Self::with_queue(path.as_ref(), keys.into(), clock, QUEUE)
    }

    fn with_queue(
        path: &Path,
        keys: ChainKeys,
        clock: Clock,
        length: usize,
    ) -> Result<Self, Error> {
        let losses = Arc::new(Losses::default());
        let writer = Writer::open(path, keys.clone(), clock.clone(), Arc::clone(&losses))?;
        let (queue, messages) = mpsc::channel(length);
        let thread = std::thread::Builder::new().name("dewar-audit-log".to_owned());
        let writer = thread
            .spawn(move || writer.run(messages))
            .map_err(Error::Writer)?;
        let (queue, writer) = (Some(queue), Some(writer));
        let path = path.to_owned();
        Ok(Self {
            shared: Arc::new(Shared {
                path,
                keys: RwLock::new(keys),
                clock,
                losses,
                queue,
                writer,
            }),
        })
    }

    /// Records an entry, now. It never waits: where 8,192 entries already do, it is counted as
    /// [lost](Self::lost), and the log gets an entry that says so as soon as there is room.
    pub fn record(&self, entry: Entry) {
        let milliseconds = self.shared.clock.milliseconds();
        let message = Message::Record {
            milliseconds,
            entry: Box::new(entry),
        };
        let sent = self
            .shared
            .queue
            .as_ref()
            .map(|queue| queue.try_send(message));
        if !matches!(sent, Some(Ok(()))) {
            self.shared.losses.add(1);
        }
    }

    /// Takes other keys into use, after a rotation: entries from now on are written with the new current key. Give it
    /// every key that the old entries were written with.
    pub async fn use_keys(&self, keys: impl Into<ChainKeys>) {
        let keys = keys.into();
        *self
            .shared
            .keys
            .write()
            .unwrap_or_else(PoisonError::into_inner) = keys.clone();
        if let Some(queue) = &self.shared.queue {
            // An error means that the writer is gone, and then nothing more will be written.
            drop(queue.send(Message::Keys(Box::new(keys))).await);
        }
    }

    /// Waits until everything recorded so far is on the disk, or is known to be lost.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if let Some(queue) = &self.shared.queue
            && queue.send(Message::Flush(done)).await.is_ok()
        {
            // An error means that the writer is gone, and then nothing more will be written.
            drop(written.await);
        }
    }

    /// How many entries could not be kept since the log was opened.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.shared.losses.total.load(Ordering::Relaxed)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Checks the whole log, off the async threads.
    ///
    /// # Errors
    /// [`Broken`] names the first line that was altered, moved, added or cut.
    pub async fn verify(&self) -> Result<Verified, Broken> {
        let shared = Arc::clone(&self.shared);
        let keys = shared.keys.read();
        let keys = keys.unwrap_or_else(PoisonError::into_inner).clone();
        let verified = blocking({
            let shared = Arc::clone(&shared);
            move || verify::verify(&shared.path, &keys)
        })
        .await;
        verified.unwrap_or_else(|error| Err(Broken::at(0, error.to_string())))
    }

    /// Checks a log that is not open, for a command.
    ///
    /// # Errors
    /// [`Broken`] names the first line that was altered, moved, added or cut.
    pub fn verify_file(
        path: impl AsRef<Path>,
        keys: impl Into<ChainKeys>,
    ) -> Result<Verified, Broken> {
        verify::verify(path.as_ref(), &keys.into())
    }

    /// The newest `count` entries, newest first, or the newest of those numbered below `before`. It
    /// reads from the end and only as much as it needs, off the async threads.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn latest(&self, count: usize, before: Option<u64>) -> Result<Vec<Recorded>, Error> {
        let shared = Arc::clone(&self.shared);
        let read = blocking(move || latest::latest(&shared.path, count, before)).await;
        read.flatten()
            .map_err(|error| Error::file(&self.shared.path, error))
    }

    /// As [`latest`](Self::latest), of a log that is not open, for a command.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn latest_in(
        path: impl AsRef<Path>,
        count: usize,
        before: Option<u64>,
    ) -> Result<Vec<Recorded>, Error> {
        let path = path.as_ref();
        latest::latest(path, count, before).map_err(|error| Error::file(path, error))
    }

    /// What start-up and the auditor ask of the log.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = exposed(&self.shared.path).into_iter().collect();
        let lost = self.lost();
        if lost > 0 {
            findings.push(
                Finding::warn(
                    Word::Audit,
                    "audit-entries-lost",
                    format!("{lost} audit entries were lost"),
                )
                .why("What is not in the log did not happen, to whoever reads it.")
                .fix("Look for a full or slow disk.")
                .severity(Severity::High)
                .cwe(778)
                .asvs(&["16.2.1"]),
            );
        }
        findings
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!(target: "dewar::audit", "the audit log's writer had failed");
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(std::io::Error::other)
}

impl Log {
    /// Why a log that is there could not be written on; nothing is made or changed for the question.
    pub(crate) fn unusable(path: &Path) -> Option<Error> {
        let opened = std::fs::OpenOptions::new().append(true).open(path);
        let error = opened.err()?;
        (error.kind() != std::io::ErrorKind::NotFound).then(|| Error::file(path, error))
    }
}

/// Whether others can read a log that lies here; also while another process writes it.
pub(crate) fn exposed(path: &Path) -> Option<Finding> {
    let metadata = std::fs::metadata(path).ok()?;
    if owner_only::excess(&metadata, 0o037) == 0 {
        return None;
    }
    let title = format!("The audit log {} is open to others", path.display());
    Some(
        Finding::warn(Word::Audit, "audit-log-exposed", title)
            .why("It says who did what from where; only its group may read it, and only its owner may write it.")
            .fix(format!("chmod 600 {}", path.display()))
            .cwe(732)
            .asvs(&["16.4.2"]),
    )
}

#[cfg(test)]
mod tests;

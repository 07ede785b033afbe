//! The audit log: security events, in a chain that shows every change.

mod chain;
mod entry;
mod files;
mod keeping;
mod latest;
mod outbox;
mod tail;
mod tally;
mod verify;
mod writer;

pub use chain::ChainKeys;
pub use entry::{Entry, Recorded};
pub(crate) use keeping::Keeping;
pub(crate) use outbox::OutboxEntry;
pub use tally::COUNTED_WITHIN;
pub use verify::{BrokenLog, Remark, VerifiedLog};

use super::owner_only::{self, TooOpen};
use super::{Clock, Error, Finding, NodeName, Practice, Severity};
use chain::{LogPosition, Mark};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use tally::{Tally, TallyOutcome};
use tokio::sync::{mpsc, oneshot};
use writer::{LogWriter, Losses, Progress, Start, WriterMessage};

/// Entries that may wait to be written.
const QUEUE: usize = 8192;

/// The audit log: a file of JSON lines, each chained to the one before by an HMAC-SHA256.
///
/// Recording never waits: a thread of the log writes and syncs, in batches. Dropping the last clone writes the waiting
/// entries. Several processes may write to one file.
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

/// The database's record of where a log ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Remembered {
    /// The place where it ended.
    End(String),
    /// The database had a record of the end, and it is gone.
    Lost,
    /// No log was written beside this database.
    #[default]
    Nothing,
    /// The database has a place for the record, and it is empty: only right before the first start.
    NotYet,
}

impl Remembered {
    /// Whether the database has lost its record of a log that ends here.
    fn is_lost(&self, end: LogPosition) -> bool {
        match self {
            Self::Lost => true,
            Self::NotYet => end != LogPosition::START,
            Self::End(_) | Self::Nothing => false,
        }
    }
}

/// The text for a lost record.
const FORGOTTEN: &str = "the database does not know where it ends";

/// How a log is opened.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) keeping: Keeping,
    /// The node whose log it is.
    pub(crate) node: NodeName,
    /// Entries that may wait to be written.
    pub(crate) queue: usize,
    /// The database's record of the log's end.
    pub(crate) remembered: Remembered,
}

impl Default for Opening {
    fn default() -> Self {
        Self {
            keeping: Keeping::default(),
            node: NodeName::default(),
            queue: QUEUE,
            remembered: Remembered::Nothing,
        }
    }
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    node: NodeName,
    keys: RwLock<ChainKeys>,
    clock: Clock,
    losses: Arc<Losses>,
    progress: Arc<Progress>,
    tally: Tally,
    // Both are `Some` until the drop.
    queue: Option<mpsc::Sender<WriterMessage>>,
    writer: Option<JoinHandle<()>>,
}

impl Log {
    /// Opens a log, or starts one with mode 0600, and continues from its last entry.
    ///
    /// If the last line is incomplete, Dewar moves it to `<log>.torn`. If the log does not end where its `<log>.head`
    /// says, Dewar continues it, and [`verify`](Self::verify) will always show where it was cut. Dewar records both as
    /// entries.
    ///
    /// # Errors
    /// The file or its directory cannot be made, opened, read, locked or written.
    pub fn open(
        path: impl AsRef<Path>,
        keys: impl Into<ChainKeys>,
        clock: Clock,
    ) -> Result<Self, Error> {
        Self::open_with(path.as_ref(), keys.into(), clock, Opening::default())
    }

    /// The same, with files of a limited size, and with the database's record of the end.
    pub(crate) fn open_with(
        path: &Path,
        keys: ChainKeys,
        clock: Clock,
        opening: Opening,
    ) -> Result<Self, Error> {
        let Opening {
            keeping,
            node,
            queue,
            remembered,
        } = opening;
        let losses = Arc::new(Losses::default());
        let progress = Arc::new(Progress::default());
        let start = Start {
            keys: keys.clone(),
            clock: clock.clone(),
            losses: Arc::clone(&losses),
            progress: Arc::clone(&progress),
            keeping,
            remembered,
        };
        let writer = LogWriter::open(path, start)?;
        let (queue, messages) = mpsc::channel(queue);
        let thread = std::thread::Builder::new().name("dewar-audit-log".to_owned());
        let writer = thread
            .spawn(move || writer.run(messages))
            .map_err(Error::Writer)?;
        Ok(Self {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                node,
                keys: RwLock::new(keys),
                clock,
                losses,
                progress,
                tally: Tally::default(),
                queue: Some(queue),
                writer: Some(writer),
            }),
        })
    }

    /// Records an entry, now. It never waits. If 8,192 entries already wait, Dewar counts it as [lost](Self::lost), and
    /// adds an entry about that as soon as there is room.
    ///
    /// A refusal is written in full a hundred times within ten minutes for each event, address and actor, 300 times for
    /// each user from all addresses, and 8,192 times for all together. Dewar counts further ones and writes an entry
    /// with their number. So a flood cannot fill the log or push other entries out of it.
    pub fn record(&self, entry: Entry) {
        let now = self.shared.clock.milliseconds();
        if entry.event.is_refusal() {
            let (sums, verdict) = self.shared.tally.take(&entry, now);
            for sum in sums {
                self.shared.send(sum, now);
            }
            if verdict == TallyOutcome::Counted {
                return;
            }
        }
        self.shared.send(entry, now);
    }

    /// Writes the sums of the refusals that were only counted, and begins to count anew: every [`COUNTED_WITHIN`], and
    /// at the stop.
    pub(crate) fn settle(&self) {
        self.shared.settle();
    }

    /// The node whose log this is.
    pub(crate) fn node(&self) -> &NodeName {
        &self.shared.node
    }

    /// Uses other keys after a rotation: entries from now on are written with the new current key. Pass every key that
    /// old entries were written with.
    pub async fn use_keys(&self, keys: impl Into<ChainKeys>) {
        let keys = keys.into();
        *self
            .shared
            .keys
            .write()
            .unwrap_or_else(PoisonError::into_inner) = keys.clone();
        if let Some(queue) = &self.shared.queue {
            // An error means that the writer is gone; then nothing more will be written.
            drop(queue.send(WriterMessage::Keys(Box::new(keys))).await);
        }
    }

    /// Waits until every entry recorded so far is on the disk, or is known to be lost.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if let Some(queue) = &self.shared.queue
            && queue.send(WriterMessage::Flush(done)).await.is_ok()
        {
            // An error means that the writer is gone; then nothing more will be written.
            drop(written.await);
        }
    }

    /// How many entries were lost since the log was opened.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.shared.losses.total.load(Ordering::Relaxed)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Verifies the whole log, off the async threads.
    ///
    /// # Errors
    /// [`BrokenLog`] names the first line that was altered, moved, added or cut.
    pub async fn verify(&self) -> Result<VerifiedLog, BrokenLog> {
        let shared = Arc::clone(&self.shared);
        let keys = shared.keys.read();
        let keys = keys.unwrap_or_else(PoisonError::into_inner).clone();
        let verified = blocking({
            let shared = Arc::clone(&shared);
            move || verify::verify(&shared.path, &keys, &Remembered::Nothing)
        })
        .await;
        verified.unwrap_or_else(|error| Err(BrokenLog::at(0, error.to_string())))
    }

    /// Verifies a log that is not open, for a command.
    ///
    /// # Errors
    /// [`BrokenLog`] names the first line that was altered, moved, added or cut.
    pub fn verify_file(
        path: impl AsRef<Path>,
        keys: impl Into<ChainKeys>,
    ) -> Result<VerifiedLog, BrokenLog> {
        Self::verify_remembered(path.as_ref(), keys, &Remembered::Nothing)
    }

    /// The same, with the database's record of the log's end. So it notices if somebody removed the log and all files
    /// beside it.
    ///
    /// # Errors
    /// [`BrokenLog`] names the first line that was altered, moved, added or cut.
    pub(crate) fn verify_remembered(
        path: &Path,
        keys: impl Into<ChainKeys>,
        remembered: &Remembered,
    ) -> Result<VerifiedLog, BrokenLog> {
        verify::verify(path, &keys.into(), remembered)
    }

    /// The log's end, for the database to record: none until the end is known.
    pub(crate) fn sealed_head(&self) -> Option<String> {
        let keys = self.shared.keys.read();
        let keys = keys.unwrap_or_else(PoisonError::into_inner);
        let head = self.shared.progress.head()?;
        Some(head.sealed(Mark::Head, &keys))
    }

    /// The newest `count` entries, newest first, or the newest of those numbered below `before`.
    ///
    /// Everything recorded before this call is among them. It reads from the end and only as much as it needs, off the async
    /// threads.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn latest(&self, count: usize, before: Option<u64>) -> Result<Vec<Recorded>, Error> {
        // A reader sees everything that was recorded before.
        self.flush().await;
        let shared = Arc::clone(&self.shared);
        let read = blocking(move || latest::latest(&shared.path, count, before)).await;
        read.flatten()
            .map_err(|error| Error::file(&self.shared.path, error))
    }

    /// As [`latest`](Self::latest), for a log that is not open, for a command.
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

    /// The findings about the log, for the start and the auditor.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = exposed(&self.shared.path);
        let lost = self.lost();
        if lost > 0 {
            findings.push(
                Finding::warn(
                    Practice::Audit,
                    "audit-entries-lost",
                    format!("{lost} audit entries were lost"),
                )
                .why("A reader of the log cannot know about these events.")
                .fix("Check for a full or slow disk.")
                .severity(Severity::High)
                .cwe(778)
                .asvs(&["16.2.1"]),
            );
        }
        findings
    }
}

impl Shared {
    fn send(&self, entry: Entry, milliseconds: i64) {
        let entry = Box::new(entry);
        let message = WriterMessage::Record {
            milliseconds,
            entry,
        };
        let sent = self.queue.as_ref().map(|queue| queue.try_send(message));
        if !matches!(sent, Some(Ok(()))) {
            self.losses.add(1);
        }
    }

    fn settle(&self) {
        let now = self.clock.milliseconds();
        for sum in self.tally.close(now) {
            self.send(sum, now);
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.settle();
        drop(self.queue.take());
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!(target: "dewar::audit", "the audit log's writer failed earlier");
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
    /// Why an existing log could not be continued. Makes and changes nothing.
    pub(crate) fn unusable(path: &Path) -> Option<Error> {
        owner_only::unusable_file(path).map(|error| Error::file(path, error))
    }
}

/// The log's files that other users can read, also while another process writes: the current one, its end and
/// beginning, and the full ones.
pub(crate) fn exposed(path: &Path) -> Vec<Finding> {
    let beside = [".head", ".base", ".torn"].map(|ending| owner_only::beside(path, ending));
    let full = files::FullFile::all(path).unwrap_or_default();
    let full = full.into_iter().map(|full| full.path).take(MOST_TOLD);
    let all = [path.to_owned()].into_iter().chain(beside).chain(full);
    let open = all.filter_map(|file| TooOpen::at(&file, 0o037));
    open.map(|open| {
        Finding::warn(Practice::Audit, "audit-log-exposed", format!("The audit log: {}", open.title()))
            .why("The log records who did what, and from where. Only its group may read it, and only its owner may write it.")
            .fix(open.fix())
            .cwe(732)
            .asvs(&["16.4.2"])
    })
    .collect()
}

/// At most this many full files are checked; the same mistake usually opens all of them.
const MOST_TOLD: usize = 10;

#[cfg(test)]
mod tests;

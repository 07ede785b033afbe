use super::chain::{self, ChainKeys, Head};
use super::entry::{self, Entry};
use super::tail::{self, Oddity};
use crate::audit::{Clock, Error, Event, Level, owner_only};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, oneshot};

/// The most entries between two syncs to the disk.
const BATCH: usize = 512;

/// What the writer's thread is sent.
#[derive(Debug)]
pub(super) enum Message {
    Flush(oneshot::Sender<()>),
    Keys(Box<ChainKeys>),
    Record {
        milliseconds: i64,
        entry: Box<Entry>,
    },
}

/// How many entries could not be kept.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// Not yet said in the log.
    pub(super) unsaid: AtomicU64,
    /// Since the log was opened.
    pub(super) total: AtomicU64,
}

impl Losses {
    pub(super) fn add(&self, number: u64) {
        self.total.fetch_add(number, Ordering::Relaxed);
        // Only the first is worth a line; how many there were is said by the entry that follows.
        if self.unsaid.fetch_add(number, Ordering::Relaxed) == 0 {
            tracing::error!(target: "dewar::audit", number, "audit entries are being lost");
        }
    }
}

/// Owns the file. Several processes may write one log: each batch is written under the file's lock, and
/// goes on from wherever another process left it.
pub(super) struct Writer {
    path: PathBuf,
    file: File,
    keys: ChainKeys,
    clock: Clock,
    losses: Arc<Losses>,
    head: Head,
    /// The file's length after this writer's last batch.
    length: u64,
}

impl Writer {
    /// Opens the log, finds its end, and says in it what was odd about that.
    pub(super) fn open(
        path: &Path,
        keys: ChainKeys,
        clock: Clock,
        losses: Arc<Losses>,
    ) -> Result<Self, Error> {
        let wrong = |error| Error::file(path, error);
        owner_only::create_directory(owner_only::directory_of(path)).map_err(wrong)?;
        let file = open(path).map_err(wrong)?;
        // A length that no file has: the first batch looks for the end.
        let (head, length) = (Head::START, u64::MAX);
        let path = path.to_owned();
        let mut writer = Self {
            path,
            file,
            keys,
            clock,
            losses,
            head,
            length,
        };
        writer
            .append(&[])
            .map_err(|error| Error::file(&writer.path, error))?;
        Ok(writer)
    }

    /// Writes what comes until every sender is gone.
    pub(super) fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        let mut batch = Vec::with_capacity(BATCH);
        while messages.blocking_recv_many(&mut batch, BATCH) > 0 {
            let mut entries = Vec::with_capacity(batch.len());
            let mut waiting = Vec::new();
            for message in batch.drain(..) {
                match message {
                    Message::Flush(done) => waiting.push(done),
                    // The whole batch may be written with them: both sets verify it.
                    Message::Keys(keys) => self.keys = *keys,
                    Message::Record {
                        milliseconds,
                        entry,
                    } => entries.push((milliseconds, entry)),
                }
            }
            self.keep(&entries);
            for done in waiting {
                // Whoever asked may have gone; nobody is left to tell.
                done.send(()).ok();
            }
        }
        self.keep(&[]);
    }

    /// Writes a batch; one that cannot be written is counted and goes to `tracing`.
    fn keep(&mut self, entries: &[(i64, Box<Entry>)]) {
        let unsaid = self.losses.unsaid.load(Ordering::Relaxed);
        if entries.is_empty() && unsaid == 0 {
            return;
        }
        if let Err(error) = self.append(entries) {
            let path = self.path.display();
            tracing::error!(target: "dewar::audit", %path, %error, "the audit log cannot be written");
            for (milliseconds, entry) in entries {
                mirror(entry.event.level(), &entry::body(0, *milliseconds, entry));
            }
            self.losses.add(entries.len() as u64);
            // The end must be looked for again: part of the batch may be there.
            self.length = u64::MAX;
        }
    }

    fn append(&mut self, entries: &[(i64, Box<Entry>)]) -> io::Result<()> {
        self.follow_name()?;
        self.file.lock()?;
        let result = self.append_locked(entries);
        self.file.unlock()?;
        let lines = result?;
        for (level, line) in &lines {
            mirror(*level, line);
        }
        Ok(())
    }

    fn append_locked(&mut self, entries: &[(i64, Box<Entry>)]) -> io::Result<Vec<(Level, String)>> {
        let mut lines = Lines {
            head: self.head,
            keys: &self.keys,
            lines: Vec::new(),
        };
        let now = self.clock.milliseconds();
        if self.file.metadata()?.len() != self.length {
            let tail = tail::find(&self.path, &mut self.file, &self.keys)?;
            lines.head = tail.head;
            for oddity in &tail.oddities {
                lines.add(now, &about(oddity));
            }
        }
        let unsaid = self.losses.unsaid.load(Ordering::Relaxed);
        if unsaid > 0 {
            let lost = format_args!("entries that could not be kept: {unsaid}");
            lines.add(now, &Entry::new(Event::AuditEntriesLost).detail(lost));
        }
        for (milliseconds, entry) in entries {
            lines.add(*milliseconds, entry);
        }
        let Lines { head, lines, .. } = lines;
        let start = self.file.seek(SeekFrom::End(0))?;
        let text: String = lines
            .iter()
            .flat_map(|(_, line)| [line.as_str(), "\n"])
            .collect();
        let written = self
            .file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // A full disk leaves part of a line. If cutting it off fails too, it is found as torn.
            self.file.set_len(start)?;
            return Err(error);
        }
        self.losses.unsaid.fetch_sub(unsaid, Ordering::Relaxed);
        self.head = head;
        self.length = start + text.len() as u64;
        // The entries are kept. A head that stays behind is an older one, not a wrong one.
        if let Err(error) = tail::write_head(&self.path, &head, &self.keys) {
            let path = self.path.display();
            tracing::error!(target: "dewar::audit", %path, %error, "the audit log's head cannot be written");
        }
        Ok(lines)
    }

    /// A log that was moved away or deleted goes on under its name, from the same head: its first line
    /// then says by its number that something stood before it.
    fn follow_name(&mut self) -> io::Result<()> {
        let held = owner_only::identity(&self.file.metadata()?);
        let named = std::fs::metadata(&self.path).map(|named| owner_only::identity(&named));
        if named.ok() != Some(held) {
            self.file = open(&self.path)?;
            self.length = u64::MAX;
        }
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    owner_only::private(&mut options).open(path)
}

fn about(oddity: &Oddity) -> Entry {
    match oddity {
        Oddity::Torn { bytes } => Entry::new(Event::SysCrash).detail(format_args!(
            "the last line of this log was not finished; its {bytes} bytes are kept in the .torn file"
        )),
        Oddity::Mismatch { what } => Entry::new(Event::AuditMismatch).detail(what),
    }
}

/// Every entry also goes out as a `tracing` event: a log on the machine alone goes with the machine.
fn mirror(level: Level, line: &str) {
    match level {
        Level::Info => tracing::info!(target: "dewar::audit", entry = line),
        Level::Warn => tracing::warn!(target: "dewar::audit", entry = line),
        Level::Critical => tracing::error!(target: "dewar::audit", entry = line),
    }
}

/// Entries becoming lines, each chained to the one before.
struct Lines<'a> {
    head: Head,
    keys: &'a ChainKeys,
    lines: Vec<(Level, String)>,
}

impl Lines<'_> {
    fn add(&mut self, milliseconds: i64, entry: &Entry) {
        let seq = self.head.seq + 1;
        let body = entry::body(seq, milliseconds, entry);
        let link = self.keys.current().link(&self.head.link, body.as_bytes());
        self.lines
            .push((entry.event.level(), chain::line(&body, &link)));
        self.head = Head { seq, link };
    }
}

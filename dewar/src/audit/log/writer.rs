use super::chain::{self, ChainKeys, LogPosition, Mark};
use super::entry::{self, Entry};
use super::files::{self, FullFile};
use super::keeping::Keeping;
use super::tail::{self, Oddity};
use super::{FORGOTTEN, Remembered};
use crate::audit::{Clock, Error, Event, Level, owner_only};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// The most entries between two syncs to the disk.
const BATCH: usize = 512;

/// A message to the writer's thread.
#[derive(Debug)]
pub(super) enum WriterMessage {
    Flush(oneshot::Sender<()>),
    Keys(Box<ChainKeys>),
    Record {
        milliseconds: i64,
        entry: Box<Entry>,
    },
}

/// The written part of the log, for the database to record.
#[derive(Debug, Default)]
pub(super) struct Progress {
    head: Mutex<Option<LogPosition>>,
    /// The rows of entries that were recorded in a transaction and that are no longer needed.
    rows: Mutex<Vec<i64>>,
}

impl Progress {
    pub(super) fn head(&self) -> Option<LogPosition> {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take_rows(&self) -> Vec<i64> {
        std::mem::take(&mut *self.rows.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn reached(&self, head: LogPosition, entries: &[(i64, Box<Entry>)]) {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = Some(head);
        let mut rows = entries
            .iter()
            .filter_map(|(_, entry)| entry.row())
            .peekable();
        if rows.peek().is_some() {
            let mut all = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
            all.extend(rows);
        }
    }
}

/// How many entries were lost.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// Not yet reported in the log.
    pub(super) unsaid: AtomicU64,
    /// Since the log was opened.
    pub(super) total: AtomicU64,
}

impl Losses {
    pub(super) fn add(&self, number: u64) {
        self.total.fetch_add(number, Ordering::Relaxed);
        // Only the first is worth a line; the entry that follows has their number.
        if self.unsaid.fetch_add(number, Ordering::Relaxed) == 0 {
            tracing::error!(target: "dewar::audit", number, "Dewar is losing audit entries");
        }
    }
}

/// Owns the file. Several processes may write one log: each batch is written under the file's lock, and continues where
/// another process stopped.
pub(super) struct LogWriter {
    path: PathBuf,
    file: File,
    keys: ChainKeys,
    clock: Clock,
    losses: Arc<Losses>,
    progress: Arc<Progress>,
    keeping: Keeping,
    /// Entries of the writer itself, for the next batch.
    unwritten: Vec<(i64, Entry)>,
    /// The database's record at the start.
    remembered: Option<LogPosition>,
    head: LogPosition,
    /// The file's length after this writer's last batch.
    length: u64,
}

/// The input of a writer.
pub(super) struct Start {
    pub(super) keys: ChainKeys,
    pub(super) clock: Clock,
    pub(super) losses: Arc<Losses>,
    pub(super) progress: Arc<Progress>,
    pub(super) keeping: Keeping,
    /// The database's record of the log's end.
    pub(super) remembered: Remembered,
}

impl LogWriter {
    /// Opens the log, finds its end, and records what was odd about it.
    pub(super) fn open(path: &Path, start: Start) -> Result<Self, Error> {
        let wrong = |error| Error::file(path, error);
        owner_only::create_directory(owner_only::directory_of(path)).map_err(wrong)?;
        let file = open(path).map_err(wrong)?;
        let Start {
            keys,
            clock,
            losses,
            progress,
            keeping,
            remembered,
        } = start;
        let known = match &remembered {
            Remembered::End(text) => Some(LogPosition::open(text, Mark::Head, &keys)),
            Remembered::Lost | Remembered::NotYet | Remembered::Nothing => None,
        };
        let mut writer = Self {
            path: path.to_owned(),
            file,
            clock,
            losses,
            progress,
            keeping,
            unwritten: Vec::new(),
            remembered: known.flatten(),
            head: LogPosition::START,
            // A length that no file has: the first batch looks for the end.
            length: u64::MAX,
            keys,
        };
        let mut odd = Vec::new();
        if known == Some(None) {
            odd.push("the database's record of it has no valid MAC".to_owned());
        }
        odd.extend(writer.differs_from_remembered().map_err(wrong)?);
        writer.append_odd(odd).map_err(wrong)?;
        // The end of the log is known only now.
        if remembered.is_lost(writer.head) {
            let forgotten = FORGOTTEN.to_owned();
            writer.append_odd(vec![forgotten]).map_err(wrong)?;
        }
        Ok(writer)
    }

    fn append_odd(&mut self, odd: Vec<String>) -> io::Result<()> {
        let now = self.clock.milliseconds();
        let entries: Vec<_> = odd
            .into_iter()
            .map(|what| (now, Box::new(about(&Oddity::Mismatch { what }))))
            .collect();
        self.append(&entries)
    }

    /// Whether the log has another line than the database recorded. Finding the end shows that the line is missing.
    fn differs_from_remembered(&self) -> io::Result<Option<String>> {
        let Some(remembered) = self.remembered else {
            return Ok(None);
        };
        let line = super::latest::line_of(&self.path, remembered.seq)?;
        let link = line
            .and_then(|line| chain::split(&line))
            .map(|(_, link)| link);
        Ok(link.filter(|link| *link != remembered.link).map(|_| {
            let seq = remembered.seq;
            format!("entry {seq} is not the one in the database's record")
        }))
    }

    /// Writes messages until every sender is gone.
    pub(super) fn run(mut self, mut messages: mpsc::Receiver<WriterMessage>) {
        let mut batch = Vec::with_capacity(BATCH);
        while messages.blocking_recv_many(&mut batch, BATCH) > 0 {
            let mut entries = Vec::with_capacity(batch.len());
            let mut waiting = Vec::new();
            for message in batch.drain(..) {
                match message {
                    WriterMessage::Flush(done) => waiting.push(done),
                    // The whole batch may be written with the new keys: both sets verify it.
                    WriterMessage::Keys(keys) => self.keys = *keys,
                    WriterMessage::Record {
                        milliseconds,
                        entry,
                    } => entries.push((milliseconds, entry)),
                }
            }
            self.keep(&entries);
            for done in waiting {
                // The caller may be gone; then nobody waits for this.
                done.send(()).ok();
            }
        }
        self.keep(&[]);
    }

    /// Writes a batch. If that fails, it counts the entries and sends them to `tracing`.
    fn keep(&mut self, entries: &[(i64, Box<Entry>)]) {
        let unsaid = self.losses.unsaid.load(Ordering::Relaxed);
        if entries.is_empty() && unsaid == 0 {
            return;
        }
        if let Err(error) = self.append(entries) {
            let file = self.path.display();
            tracing::error!(target: "dewar::audit", %file, %error, "cannot write the audit log");
            for (milliseconds, entry) in entries {
                mirror(entry.event, &entry::body(0, *milliseconds, entry));
            }
            self.losses.add(entries.len() as u64);
            // Part of the batch may be in the file, so the end must be found again.
            self.length = u64::MAX;
        }
    }

    fn append(&mut self, entries: &[(i64, Box<Entry>)]) -> io::Result<()> {
        self.lock()?;
        let result = self.append_locked(entries);
        if result.is_ok() && self.length >= self.keeping.rotate_at {
            // The entries are written; the next batch tries to rotate again.
            if let Err(error) = self.rotate() {
                let file = self.path.display();
                tracing::error!(target: "dewar::audit", %file, %error, "cannot rotate the audit log");
            }
        }
        // Closing a rotated file has unlocked it already.
        self.file.unlock()?;
        let lines = result?;
        for (event, line) in &lines {
            mirror(*event, line);
        }
        Ok(())
    }

    fn append_locked(&mut self, entries: &[(i64, Box<Entry>)]) -> io::Result<Vec<(Event, String)>> {
        let mut lines = ChainedLines {
            head: self.head,
            keys: &self.keys,
            lines: Vec::new(),
        };
        let now = self.clock.milliseconds();
        if self.file.metadata()?.len() != self.length {
            let tail = tail::find(&self.path, &mut self.file, &self.keys, self.remembered)?;
            lines.head = tail.head;
            for oddity in &tail.oddities {
                lines.add(now, &about(oddity));
            }
        }
        let unsaid = self.losses.unsaid.load(Ordering::Relaxed);
        if unsaid > 0 {
            let lost = format_args!("entries that could not be stored: {unsaid}");
            lines.add(now, &Entry::new(Event::AuditEntriesLost).detail(lost));
        }
        for (milliseconds, entry) in &self.unwritten {
            lines.add(*milliseconds, entry);
        }
        for (milliseconds, entry) in entries {
            lines.add(*milliseconds, entry);
        }
        let ChainedLines { head, lines, .. } = lines;
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
            // A full disk leaves part of a line. If cutting it off fails too, the next start finds it torn.
            self.file.set_len(start)?;
            return Err(error);
        }
        self.losses.unsaid.fetch_sub(unsaid, Ordering::Relaxed);
        self.unwritten.clear();
        self.head = head;
        self.length = start + text.len() as u64;
        // The entries are written. A head that was not updated is old, not wrong.
        self.progress.reached(head, entries);
        let sealed = head.sealed(Mark::Head, &self.keys);
        if let Err(error) = files::write_sidecar(&self.path, ".head", &sealed) {
            let file = self.path.display();
            tracing::error!(target: "dewar::audit", %file, %error, "cannot write the audit log's head");
        }
        Ok(lines)
    }

    /// Locks the file that has the name. While this process waits for the lock, another one may rotate the file.
    fn lock(&mut self) -> io::Result<()> {
        loop {
            self.follow_name()?;
            self.file.lock()?;
            if self.has_the_name()? {
                return Ok(());
            }
            self.file.unlock()?;
        }
    }

    fn has_the_name(&self) -> io::Result<bool> {
        let held = owner_only::identity(&self.file.metadata()?);
        let named = std::fs::metadata(&self.path).map(|named| owner_only::identity(&named));
        Ok(named.ok() == Some(held))
    }

    /// Renames the full file, and begins the next, whose chain continues from the last line of this one. The caller
    /// holds the lock, and releases it with the file.
    fn rotate(&mut self) -> io::Result<()> {
        let removed = self
            .keeping
            .make_room(&self.path, &self.keys, self.clock.now())?;
        if let Some(range) = removed {
            let (first, last) = range.into_inner();
            let entry = Entry::new(Event::AuditRotated).detail(format_args!(
                "Dewar removed entries {first} to {last}, as the settings say"
            ));
            self.unwritten.push((self.clock.milliseconds(), entry));
        }
        std::fs::rename(&self.path, FullFile::named(&self.path, self.head.seq))?;
        self.file = open(&self.path)?;
        self.length = u64::MAX;
        Ok(())
    }

    /// If the log was moved away or deleted, continues under its name, from the same head. The number of the first line
    /// then shows that entries were before it.
    fn follow_name(&mut self) -> io::Result<()> {
        if !self.has_the_name()? {
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
            "the last line of this log was not complete; its {bytes} bytes are in the .torn file"
        )),
        Oddity::Mismatch { what } => Entry::new(Event::AuditMismatch).detail(what),
    }
}

/// Every entry is also a `tracing` event, because a log on this machine alone is lost with the machine.
fn mirror(event: Event, line: &str) {
    match event.level() {
        Level::Info => tracing::info!(target: "dewar::audit", entry = %line, "{event}"),
        Level::Warn => tracing::warn!(target: "dewar::audit", entry = %line, "{event}"),
        Level::Critical => tracing::error!(target: "dewar::audit", entry = %line, "{event}"),
    }
}

/// Entries that become lines, each chained to the one before.
struct ChainedLines<'a> {
    head: LogPosition,
    keys: &'a ChainKeys,
    lines: Vec<(Event, String)>,
}

impl ChainedLines<'_> {
    fn add(&mut self, milliseconds: i64, entry: &Entry) {
        let seq = self.head.seq + 1;
        let body = entry::body(seq, milliseconds, entry);
        let link = self.keys.current().link(&self.head.link, body.as_bytes());
        self.lines.push((entry.event, chain::line(&body, &link)));
        self.head = LogPosition { seq, link };
    }
}

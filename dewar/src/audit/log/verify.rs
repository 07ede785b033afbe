use super::chain::{self, ChainKeys, LogPosition, Mark};
use super::entry::Recorded;
use super::files::{self, FullFile};
use super::tail::{self, LONGEST_LINE};
use super::{FORGOTTEN, Remembered};
use crate::audit::Event;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// A log that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedLog {
    /// How many entries it has.
    pub entries: u64,
    /// The number of the first: 1, unless full files were removed by `audit.keep_files` or `audit.keep_for`.
    pub first: u64,
    /// The chain of the last one, in hexadecimal. Note it elsewhere to detect a log that was put back in time.
    pub head: String,
    /// Entries of the log about itself: a crash, lost entries, a head that did not match.
    pub remarks: Vec<Remark>,
}

/// An entry that the log wrote about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Remark {
    /// The number of the entry.
    pub seq: u64,
    /// The name of its event.
    pub event: String,
    /// The entry's text.
    pub detail: String,
}

/// A log that does not verify, or could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the audit log is broken at line {line}: {why}")]
#[non_exhaustive]
pub struct BrokenLog {
    /// The first line that does not follow from those before it; 0 if the file cannot be read.
    pub line: u64,
    /// The reason.
    pub why: String,
}

impl BrokenLog {
    pub(super) fn at(line: u64, why: impl Into<String>) -> Self {
        Self {
            line,
            why: why.into(),
        }
    }
}

/// A position that the walk through the log must pass.
struct ChainPosition {
    head: LogPosition,
    met: bool,
    /// The source of the position.
    whose: &'static str,
}

/// Reads the whole log from its beginning, a line at a time: every full file, then the one that is written.
///
/// `remembered` is the database's record of the log's end.
pub(super) fn verify(
    path: &Path,
    keys: &ChainKeys,
    remembered: &Remembered,
) -> Result<VerifiedLog, BrokenLog> {
    let unreadable = |error: io::Error| BrokenLog::at(0, error.to_string());
    let (newest, stated) = newest(path, keys).map_err(unreadable)?;
    let full = FullFile::all(path).map_err(unreadable)?;
    let is_known = matches!(remembered, Remembered::End(_) | Remembered::Lost);
    if newest.is_none() && full.is_empty() && !is_known {
        return Err(unreadable(io::ErrorKind::NotFound.into()));
    }
    let base = files::base(path, keys).map_err(unreadable)?;
    let base = base.ok_or_else(|| BrokenLog::at(0, "its base file has no valid MAC"))?;
    let (beside, missing) = stated;
    let mut places = Vec::new();
    places.extend(beside.map(|head| (head, "its head")));
    if let Remembered::End(text) = remembered {
        let head = LogPosition::open(text, Mark::Head, keys)
            .ok_or_else(|| BrokenLog::at(0, "the database's record of it has no valid MAC"))?;
        places.push((head, "the database"));
    }
    let place = |(head, whose): (LogPosition, _)| ChainPosition {
        met: head.seq <= base.seq,
        head,
        whose,
    };
    let mut walk = LogWalk {
        end: base,
        places: places.into_iter().map(place).collect(),
        remarks: Vec::new(),
    };
    for file in full.iter().filter(|file| file.last > base.seq) {
        let lines = File::open(&file.path).map_err(unreadable)?;
        walk.file(lines, u64::MAX, keys)
            .map_err(|broken| BrokenLog {
                why: format!("{} (in {})", broken.why, file.path.display()),
                ..broken
            })?;
        if walk.end.seq != file.last {
            let why = format!(
                "entry {} is not the last of {}",
                walk.end.seq,
                file.path.display()
            );
            return Err(BrokenLog::at(0, why));
        }
    }
    let lines = match newest {
        Some((file, length)) => walk.file(file, length, keys)?,
        None => 0,
    };
    if remembered.is_lost(walk.end) {
        return Err(BrokenLog::at(lines + 1, FORGOTTEN));
    }
    walk.finish(base, beside.is_none(), missing)
        .map_err(|why| BrokenLog::at(lines + 1, why))
}

type Stated = (Option<LogPosition>, bool);

/// The current file, its length, and the head of the same moment.
fn newest(path: &Path, keys: &ChainKeys) -> io::Result<(Option<(File, u64)>, Stated)> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok((None, tail::stated_head(path, keys)?));
        }
        Err(error) => return Err(error),
    };
    // The writer holds the lock while it writes log and head, so both are of one moment.
    file.lock_shared()?;
    let length = file.metadata().map(|metadata| metadata.len());
    let stated = tail::stated_head(path, keys);
    file.unlock()?;
    Ok((Some((file, length?)), stated?))
}

struct LogWalk {
    end: LogPosition,
    places: Vec<ChainPosition>,
    remarks: Vec<Remark>,
}

impl LogWalk {
    /// Reads one file, and returns its number of lines.
    fn file(&mut self, file: File, length: u64, keys: &ChainKeys) -> Result<u64, BrokenLog> {
        let mut lines = BufReader::new(file.take(length));
        let mut number = 0;
        loop {
            let mut line = Vec::new();
            let mut bounded = Read::by_ref(&mut lines).take(LONGEST_LINE);
            let read = bounded.read_until(b'\n', &mut line);
            if read.map_err(|error| BrokenLog::at(0, error.to_string()))? == 0 {
                return Ok(number);
            }
            number += 1;
            self.step(&line, keys)
                .map_err(|why| BrokenLog::at(number, why))?;
        }
    }

    fn step(&mut self, line: &[u8], keys: &ChainKeys) -> Result<(), String> {
        let line = line.strip_suffix(b"\n").ok_or("it is not complete")?;
        let (body, link) = chain::split(line).ok_or("it is not an entry")?;
        let seq = chain::seq(&body).ok_or("it has no number")?;
        let expected = self.end.seq + 1;
        if seq > expected {
            return Err(format!(
                "entries {expected} to {} are missing before it",
                seq - 1
            ));
        }
        if seq < expected {
            return Err(format!(
                "it is entry {seq}, but entry {expected} is expected"
            ));
        }
        if !keys.links(&self.end.link, &body, &link) {
            return Err(format!("entry {seq} is not the original one"));
        }
        self.end = LogPosition { seq, link };
        for place in &mut self.places {
            place.met |= place.head == self.end;
        }
        self.note(&body);
        Ok(())
    }

    fn note(&mut self, body: &[u8]) {
        let own = [
            Event::SysCrash,
            Event::AuditEntriesLost,
            Event::AuditMismatch,
            Event::AuditNodeConflict,
        ];
        let Ok(entry) = serde_json::from_slice::<Recorded>(body) else {
            return;
        };
        if own.iter().any(|event| event.name() == entry.event) {
            let detail = entry.detail.unwrap_or_default();
            self.remarks.push(Remark {
                seq: entry.seq,
                event: entry.event,
                detail,
            });
        }
    }

    fn finish(
        self,
        base: LogPosition,
        no_head: bool,
        no_file: bool,
    ) -> Result<VerifiedLog, String> {
        let end = self.end;
        if let Some(place) = self.places.iter().find(|place| !place.met) {
            let (head, whose) = (place.head, place.whose);
            if head.seq > end.seq {
                let first = end.seq + 1;
                return Err(format!(
                    "entries {first} to {} are missing at its end, according to {whose}",
                    head.seq
                ));
            }
            return Err(format!("entry {} is not the one in {whose}", head.seq));
        }
        if no_head && !(no_file && end == LogPosition::START) {
            return Err("its head file is missing, or has no valid MAC".to_owned());
        }
        Ok(VerifiedLog {
            entries: end.seq - base.seq,
            first: base.seq + 1,
            head: chain::hex(&end.link),
            remarks: self.remarks,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::{Clock, Entry, Event, Log};
    use std::fs;

    /// The message tells which entry to look for, and in which file.
    #[tokio::test]
    async fn a_line_at_another_place_is_named_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let log = Log::open(&path, [7; 32], Clock::manual(1_800_000_000)).unwrap();
        for name in ["ada", "ben", "eve"] {
            log.record(Entry::new(Event::AuthnLoginFail).subject(name));
        }
        log.flush().await;
        let whole = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = whole.split_inclusive('\n').collect();
        let last = lines.len();
        fs::write(&path, format!("{whole}{}", lines[0])).unwrap();
        let broken = log.verify().await.unwrap_err();
        assert_eq!(broken.line, last as u64 + 1);
        let why = format!("it is entry 1, but entry {} is expected", last + 1);
        assert_eq!(broken.why, why);
        let gap = lines[..1].concat() + &lines[2..].concat();
        fs::write(&path, &gap).unwrap();
        let broken = log.verify().await.unwrap_err();
        assert_eq!(
            (broken.line, &*broken.why),
            (2, "entries 2 to 2 are missing before it")
        );
        // The same in a full file names that file.
        let full = folder.path().join(format!("audit.jsonl.{last:020}"));
        fs::rename(&path, &full).unwrap();
        fs::write(&path, "").unwrap();
        let broken = log.verify().await.unwrap_err();
        let why = format!(
            "entries 2 to 2 are missing before it (in {})",
            full.display()
        );
        assert_eq!((broken.line, broken.why), (2, why));
    }
}

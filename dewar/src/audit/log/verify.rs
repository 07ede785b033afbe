use super::chain::{self, ChainKeys, Head};
use super::entry::Recorded;
use super::tail::{self, LONGEST_LINE};
use crate::audit::Event;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// A log that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// How many entries it has.
    pub entries: u64,
    /// The chain of the last one, in hexadecimal. Note it elsewhere, and a log put back in time shows.
    pub head: String,
    /// What the log says about itself: a crash, entries that were lost, a head that did not fit.
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
    /// What it says.
    pub detail: String,
}

/// A log that does not hold, or could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the audit log is broken at line {line}: {why}")]
#[non_exhaustive]
pub struct Broken {
    /// The first line that does not follow from those before it; 0 if the file cannot be read.
    pub line: u64,
    /// What is wrong with it.
    pub why: String,
}

impl Broken {
    pub(super) fn at(line: u64, why: impl Into<String>) -> Self {
        Self {
            line,
            why: why.into(),
        }
    }
}

/// Reads the whole log from its beginning, a line at a time.
pub(super) fn verify(path: &Path, keys: &ChainKeys) -> Result<Verified, Broken> {
    let unreadable = |error: io::Error| Broken::at(0, error.to_string());
    let file = File::open(path).map_err(unreadable)?;
    // The writer holds the lock while it writes log and head: both are of one moment.
    file.lock_shared().map_err(unreadable)?;
    let length = file.metadata().map(|metadata| metadata.len());
    let stated = tail::stated_head(path, keys);
    file.unlock().map_err(unreadable)?;
    let (length, (stated, missing)) = (length.map_err(unreadable)?, stated.map_err(unreadable)?);

    let mut walk = Walk {
        end: Head::START,
        passed: false,
        stated,
        remarks: Vec::new(),
    };
    let mut lines = BufReader::new(file.take(length));
    let mut number = 0;
    loop {
        let mut line = Vec::new();
        let mut bounded = Read::by_ref(&mut lines).take(LONGEST_LINE);
        if bounded.read_until(b'\n', &mut line).map_err(unreadable)? == 0 {
            break;
        }
        number += 1;
        walk.step(&line, keys)
            .map_err(|why| Broken::at(number, why))?;
    }
    walk.finish(missing)
        .map_err(|why| Broken::at(number + 1, why))
}

struct Walk {
    end: Head,
    /// Whether the entry that the head names was met.
    passed: bool,
    stated: Option<Head>,
    remarks: Vec<Remark>,
}

impl Walk {
    fn step(&mut self, line: &[u8], keys: &ChainKeys) -> Result<(), String> {
        let line = line.strip_suffix(b"\n").ok_or("it is not finished")?;
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
            return Err(format!("it is entry {seq}, where entry {expected} belongs"));
        }
        if !keys.links(&self.end.link, &body, &link) {
            return Err(format!("entry {seq} is not the one that was written"));
        }
        self.end = Head { seq, link };
        if self.stated.is_some_and(|stated| stated.seq == seq) {
            self.passed = self.stated == Some(self.end);
        }
        self.note(&body);
        Ok(())
    }

    fn note(&mut self, body: &[u8]) {
        let own = [
            Event::SysCrash,
            Event::AuditEntriesLost,
            Event::AuditMismatch,
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

    fn finish(self, head_is_missing: bool) -> Result<Verified, String> {
        let end = self.end;
        match self.stated {
            Some(stated) if stated.seq > end.seq => {
                let first = end.seq + 1;
                return Err(format!(
                    "entries {first} to {} are gone from its end",
                    stated.seq
                ));
            }
            Some(stated) if stated.seq > 0 && !self.passed => {
                return Err(format!(
                    "entry {} is not the one its head names",
                    stated.seq
                ));
            }
            Some(_) => {}
            None if head_is_missing && end.seq == 0 => {}
            None => return Err("its head is missing, or was not written with the key".to_owned()),
        }
        Ok(Verified {
            entries: end.seq,
            head: chain::hex(&end.link),
            remarks: self.remarks,
        })
    }
}

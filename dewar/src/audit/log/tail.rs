//! Finding the end of a log, whatever happened to it meanwhile.

use super::chain::{self, ChainKeys, Head};
use crate::audit::owner_only;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// No line is longer: nine fields of 257 characters and a detail of 1,025, each character at most ten
/// bytes, stay below half of it.
pub(super) const LONGEST_LINE: u64 = 64 * 1024;

/// What was found at the end of a log, and belongs into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Oddity {
    /// The last line was not finished, and was moved to `<log>.torn`.
    Torn { bytes: u64 },
    /// The log does not end where its head says.
    Mismatch { what: String },
}

/// The end to go on from, and what was odd about it.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) head: Head,
    pub(super) oddities: Vec<Oddity>,
}

pub(super) fn head_path(log: &Path) -> PathBuf {
    beside(log, ".head")
}

pub(super) fn beside(log: &Path, ending: &str) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Finds where to go on. The caller holds the lock.
///
/// A log that ends before its head was cut: it goes on from the head, so that the gap stays in the chain
/// for ever and no later head can hide it.
pub(super) fn find(path: &Path, file: &mut File, keys: &ChainKeys) -> io::Result<Tail> {
    let mut oddities = Vec::new();
    let torn = set_torn_line_aside(path, file)?;
    if torn > 0 {
        oddities.push(Oddity::Torn { bytes: torn });
    }
    let last = last_line(file)?;
    let found = match &last {
        None => Some(Head::START),
        Some(line) => end_of(line),
    };
    let (stated, missing) = stated_head(path, keys)?;
    let mut mismatch = |what: String| oddities.push(Oddity::Mismatch { what });
    let head = match (found, stated) {
        (Some(found), Some(stated)) if stated.seq > found.seq => {
            mismatch(format!(
                "entries {} to {} are gone",
                found.seq + 1,
                stated.seq
            ));
            stated
        }
        (Some(found), Some(stated)) if stated.seq == found.seq && stated.link != found.link => {
            mismatch(format!(
                "entry {} is not the one that was written",
                found.seq
            ));
            stated
        }
        // A head that is behind is what a crash between the two writes leaves.
        (Some(found), Some(_)) => found,
        (Some(found), None) => {
            if found != Head::START || !missing {
                mismatch("its head is missing, or was not written with the key".to_owned());
            }
            found
        }
        (None, stated) => {
            mismatch("its last line is not an entry".to_owned());
            stated.unwrap_or(Head::START)
        }
    };
    Ok(Tail { head, oddities })
}

/// The head beside the log, and whether there is no file at all.
pub(super) fn stated_head(path: &Path, keys: &ChainKeys) -> io::Result<(Option<Head>, bool)> {
    let mut text = String::new();
    match File::open(head_path(path)) {
        Ok(file) => {
            let read = file.take(LONGEST_LINE).read_to_string(&mut text);
            Ok((read.ok().and_then(|_| Head::open(&text, keys)), false))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((None, true)),
        Err(error) => Err(error),
    }
}

/// Replaces the head: a reader sees the old one or the new one. The caller holds the lock.
pub(super) fn write_head(path: &Path, head: &Head, keys: &ChainKeys) -> io::Result<()> {
    let (to, draft) = (head_path(path), beside(path, ".head.new"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let mut file = owner_only::private(&mut options).open(&draft)?;
    file.write_all(head.sealed(keys).as_bytes())?;
    file.sync_data()?;
    fs::rename(&draft, &to)
}

fn end_of(line: &[u8]) -> Option<Head> {
    let (_, link) = chain::split(line)?;
    Some(Head {
        seq: chain::seq(line)?,
        link,
    })
}

/// Moves what stands after the last line break to `<log>.torn`, where a person can look at it.
fn set_torn_line_aside(path: &Path, file: &mut File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let whole = after_last_break(file, length)?;
    let torn = length - whole;
    if torn > 0 {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        let mut aside = owner_only::private(&mut options).open(beside(path, ".torn"))?;
        file.seek(SeekFrom::Start(whole))?;
        io::copy(&mut file.take(torn), &mut aside)?;
        aside.write_all(b"\n")?;
        aside.sync_data()?;
        file.set_len(whole)?;
    }
    Ok(torn)
}

/// The offset behind the last line break before `end`.
pub(super) fn after_last_break(file: &mut File, end: u64) -> io::Result<u64> {
    let mut end = end;
    let mut block = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(8 * 1024);
        file.seek(SeekFrom::Start(start))?;
        block.clear();
        Read::by_ref(file)
            .take(end - start)
            .read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// The last line of a file that ends with a line break.
fn last_line(file: &mut File) -> io::Result<Option<Vec<u8>>> {
    let length = file.metadata()?.len();
    let Some(end) = length.checked_sub(1) else {
        return Ok(None);
    };
    let start = after_last_break(file, end)?;
    file.seek(SeekFrom::Start(start))?;
    let mut line = Vec::new();
    Read::by_ref(file)
        .take((end - start).min(LONGEST_LINE))
        .read_to_end(&mut line)?;
    Ok(Some(line))
}

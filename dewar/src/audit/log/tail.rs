//! Finding the end of a log, in whatever state it is.

use super::chain::{self, ChainKeys, LogPosition, Mark};
use super::files::{self, FullFile};
use crate::audit::owner_only::{self, beside};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The longest line: nine fields of 257 characters and a detail of 1,025, each character at most ten bytes, take less
/// than half of it.
pub(super) const LONGEST_LINE: u64 = 64 * 1024;

/// Something odd at the end of a log, to be recorded in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Oddity {
    /// The last line was incomplete, and was moved to `<log>.torn`.
    Torn { bytes: u64 },
    /// The log does not end where its head says.
    Mismatch { what: String },
}

/// The end to continue from, and what was odd about it.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) head: LogPosition,
    pub(super) oddities: Vec<Oddity>,
}

#[cfg(test)]
pub(super) fn head_path(log: &Path) -> std::path::PathBuf {
    beside(log, ".head")
}

/// Finds where to continue. The caller holds the lock.
///
/// A log that ends before its head was cut. It continues from the head, so that the gap stays in the chain for ever and
/// no later head can hide it.
pub(super) fn find(
    path: &Path,
    file: &mut File,
    keys: &ChainKeys,
    remembered: Option<LogPosition>,
) -> io::Result<Tail> {
    let mut oddities = Vec::new();
    let torn = set_torn_line_aside(path, file)?;
    if torn > 0 {
        oddities.push(Oddity::Torn { bytes: torn });
    }
    let found = match last_line(file)? {
        None => end_of_full_files(path, keys)?,
        Some(line) => end_of(&line),
    };
    let (beside, missing) = stated_head(path, keys)?;
    // The later of the two, because an attacker may have removed the sidecar with the log.
    let stated = beside
        .into_iter()
        .chain(remembered)
        .max_by_key(|head| head.seq);
    let mut mismatch = |what: String| oddities.push(Oddity::Mismatch { what });
    let head = match (found, stated) {
        (Some(found), Some(stated)) if stated.seq > found.seq => {
            mismatch(format!(
                "entries {} to {} are missing",
                found.seq + 1,
                stated.seq
            ));
            stated
        }
        (Some(found), Some(stated)) if stated.seq == found.seq && stated.link != found.link => {
            mismatch(format!("entry {} is not the original one", found.seq));
            stated
        }
        // A crash between the two writes leaves an old head.
        (Some(found), _) => {
            if beside.is_none() && (found != LogPosition::START || !missing) {
                mismatch("its head file is missing, or has no valid MAC".to_owned());
            }
            found
        }
        (None, stated) => {
            mismatch("its last line is not an entry".to_owned());
            stated.unwrap_or(LogPosition::START)
        }
    };
    Ok(Tail { head, oddities })
}

/// The head beside the log, and whether that file is missing.
pub(super) fn stated_head(
    path: &Path,
    keys: &ChainKeys,
) -> io::Result<(Option<LogPosition>, bool)> {
    Ok(match files::sidecar(path, ".head")? {
        Some(text) => (LogPosition::open(&text, Mark::Head, keys), false),
        None => (None, true),
    })
}

/// Where the full files end, for a file that was just begun; none if their last line is not an entry.
fn end_of_full_files(path: &Path, keys: &ChainKeys) -> io::Result<Option<LogPosition>> {
    let base = files::base(path, keys)?.unwrap_or(LogPosition::START);
    match FullFile::all(path)?.pop() {
        Some(full) if full.last > base.seq => end_of_file(&mut File::open(full.path)?),
        Some(_) | None => Ok(Some(base)),
    }
}

/// The last entry of a file; none if its last line is not one.
pub(super) fn end_of_file(file: &mut File) -> io::Result<Option<LogPosition>> {
    Ok(last_line(file)?.and_then(|line| end_of(&line)))
}

fn end_of(line: &[u8]) -> Option<LogPosition> {
    let (_, link) = chain::split(line)?;
    Some(LogPosition {
        seq: chain::seq(line)?,
        link,
    })
}

/// Moves the text after the last line break to `<log>.torn`, for a person to look at.
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

/// The offset after the last line break before `end`.
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

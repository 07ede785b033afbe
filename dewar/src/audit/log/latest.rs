//! Reading a log from its end.

use super::chain;
use super::entry::Recorded;
use super::tail::{LONGEST_LINE, after_last_break};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// How much is read at a time.
const BLOCK: u64 = 64 * 1024;

/// The newest entries, or the newest before one, newest first. Lines that are not entries are left to
/// `verify` to name.
pub(super) fn latest(path: &Path, count: usize, before: Option<u64>) -> io::Result<Vec<Recorded>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    // A line that is just being written has no end yet.
    let whole = after_last_break(&mut file, length)?;
    let mut end = match before {
        Some(seq) => start_of(&mut file, whole, seq)?,
        None => whole,
    };
    let mut entries = Vec::new();
    let mut unfinished: Vec<u8> = Vec::new();
    while end > 0 && entries.len() < count {
        let start = end.saturating_sub(BLOCK);
        let mut block = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        Read::by_ref(&mut file)
            .take(end - start)
            .read_to_end(&mut block)?;
        block.append(&mut unfinished);
        let mut lines = block.split(|byte| *byte == b'\n');
        if start > 0 {
            // The beginning of the first line is in the block before.
            unfinished = lines.next().unwrap_or_default().to_vec();
        }
        let wanted = |entry: &Recorded| before.is_none_or(|seq| entry.seq < seq);
        let parsed = lines
            .rev()
            .filter_map(|line| serde_json::from_slice(line).ok())
            .filter(wanted);
        entries.extend(parsed.take(count - entries.len()));
        if unfinished.len() as u64 > LONGEST_LINE {
            unfinished.clear();
        }
        end = start;
    }
    Ok(entries)
}

/// The offset of the first line numbered `seq` or higher, by halving: numbers only grow.
fn start_of(file: &mut File, whole: u64, seq: u64) -> io::Result<u64> {
    let (mut low, mut high) = (0, whole);
    while low < high {
        let middle = low + (high - low) / 2;
        let start = after_last_break(file, middle)?;
        file.seek(SeekFrom::Start(start))?;
        let mut line = Vec::new();
        let mut reader = BufReader::new(Read::by_ref(file).take(LONGEST_LINE));
        let length = reader.read_until(b'\n', &mut line)? as u64;
        if chain::seq(&line).is_some_and(|number| number >= seq) {
            high = start;
        } else {
            low = start + length;
        }
    }
    Ok(low)
}

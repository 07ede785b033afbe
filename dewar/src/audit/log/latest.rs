//! Reading a log from its end.

use super::chain;
use super::entry::Recorded;
use super::files::FullFile;
use super::tail::{LONGEST_LINE, after_last_break};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// How many bytes are read at a time.
const BLOCK: u64 = 64 * 1024;

/// The newest entries, or the newest before one, newest first, of all files. It skips lines that are not entries;
/// `verify` names them.
pub(super) fn latest(path: &Path, count: usize, before: Option<u64>) -> io::Result<Vec<Recorded>> {
    // Open it before listing the full files: a file that becomes full meanwhile is read only once, by its numbers.
    let newest = match File::open(path) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let full = FullFile::all(path)?;
    if newest.is_none() && full.is_empty() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let mut entries: Vec<Recorded> = Vec::new();
    if let Some(file) = newest {
        entries = of_file(file, count, before)?;
    }
    for (at, file) in full.iter().enumerate().rev() {
        let left = count.saturating_sub(entries.len());
        let before = entries.last().map(|entry| entry.seq).or(before);
        let first = at.checked_sub(1).and_then(|at| full.get(at));
        let first = first.map_or(0, |file| file.last.saturating_add(1));
        if left == 0 {
            break;
        }
        if before.is_none_or(|before| before > first) {
            entries.extend(of_file(File::open(&file.path)?, left, before)?);
        }
    }
    Ok(entries)
}

fn of_file(mut file: File, count: usize, before: Option<u64>) -> io::Result<Vec<Recorded>> {
    let length = file.metadata()?.len();
    // The writer may not have ended the last line yet.
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

/// The offset of the first line numbered `seq` or higher, by binary search: numbers only grow.
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

/// The line of one entry, without its break, in whichever file; none if no file has it.
pub(super) fn line_of(path: &Path, seq: u64) -> io::Result<Option<Vec<u8>>> {
    let full = FullFile::all(path)?;
    let place = full.iter().find(|file| file.last >= seq);
    let place = place.map_or(path, |file| &file.path);
    let mut file = match File::open(place) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    let whole = after_last_break(&mut file, length)?;
    let start = start_of(&mut file, whole, seq)?;
    file.seek(SeekFrom::Start(start))?;
    let mut line = Vec::new();
    BufReader::new(file.take(LONGEST_LINE)).read_until(b'\n', &mut line)?;
    let found = chain::seq(&line) == Some(seq) && line.pop() == Some(b'\n');
    Ok(found.then_some(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Clock, Entry, Event, Log};
    use std::fs;

    #[tokio::test]
    async fn full_files_are_read_where_there_is_no_newer_one_and_no_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let none = latest(&path, 9, None).unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::NotFound);
        let log = Log::open(&path, [7; 32], Clock::manual(1_800_000_000)).unwrap();
        for name in ["ada", "ben"] {
            log.record(Entry::new(Event::AuthnLoginFail).subject(name));
        }
        log.flush().await;
        drop(log);
        let whole: Vec<u64> = numbers(&path);
        let last = whole.first().copied().unwrap();
        fs::rename(&path, folder.path().join(format!("audit.jsonl.{last:020}"))).unwrap();
        assert_eq!(numbers(&path), whole);
        assert_eq!(line_of(&path, last + 1).unwrap(), None);
        let too_long = folder.path().join("x".repeat(300));
        assert!(
            line_of(&too_long, 1).is_err(),
            "no log is not one that cannot be opened"
        );
        // A folder in its place is an error too, and not a log of older files alone.
        fs::create_dir(&path).unwrap();
        assert!(latest(&path, 9, None).is_err());
    }

    /// A page of the log has the requested length, over however many blocks of the file it goes.
    #[tokio::test]
    async fn as_many_entries_are_read_as_were_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let log = Log::open(&path, [7; 32], Clock::manual(1_800_000_000)).unwrap();
        for number in 0..600 {
            log.record(Entry::new(Event::SessionCreated).actor(number));
        }
        log.flush().await;
        let whole = latest(&path, 10_000, None).unwrap();
        assert_eq!(log.lost() as usize + whole.len(), 600);
        assert!(fs::metadata(&path).unwrap().len() > BLOCK);
        for count in [1, 200, 400, whole.len()] {
            let entries = latest(&path, count, None).unwrap();
            let same = entries
                .iter()
                .zip(&whole)
                .all(|(one, other)| one.seq == other.seq);
            assert!(entries.len() == count && same, "{count}");
        }
    }

    /// Dewar never writes such a line; an attacker who does must not make a page of entries take all memory.
    #[tokio::test]
    async fn a_line_that_is_longer_than_any_entry_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let log = Log::open(&path, [7; 32], Clock::manual(1_800_000_000)).unwrap();
        log.record(Entry::new(Event::AuthnLoginFail).subject("ada"));
        log.flush().await;
        drop(log);
        let whole = numbers(&path);
        let text = fs::read_to_string(&path).unwrap();
        let last = text.lines().last().unwrap();
        let padding = usize::try_from(3 * LONGEST_LINE).unwrap();
        for (blanks, listed) in [(10, whole.len() + 1), (padding, whole.len())] {
            let long = last.replacen('{', &format!("{{{}", " ".repeat(blanks)), 1);
            fs::write(&path, format!("{text}{long}\n")).unwrap();
            assert_eq!(numbers(&path).len(), listed, "{blanks}");
        }
    }

    fn numbers(path: &Path) -> Vec<u64> {
        let entries = latest(path, 9, None).unwrap();
        entries.iter().map(|entry| entry.seq).collect()
    }
}

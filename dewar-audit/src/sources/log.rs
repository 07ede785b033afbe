//! The audit log of an application on this machine.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Error;

/// Its newest file; full files have a number after the name.
pub(crate) const LOG: &str = "audit.jsonl";

/// The fields of an entry that a check reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogLine {
    pub(crate) number: u64,
    pub(crate) event: String,
    /// The time in Unix seconds.
    pub(crate) time: i64,
}

/// The entries of the newest file, and of the full one before it, because the log may just have begun a new file.
pub(crate) fn newest(data: &Path) -> Result<Vec<LogLine>, Error> {
    let mut full: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(data).map_err(Error::file(data))? {
        let path = entry.map_err(Error::file(data))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let number = name.and_then(|name| name.strip_prefix(LOG)?.strip_prefix('.'));
        if number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())) {
            full.push(path);
        }
    }
    full.sort_unstable();
    let mut lines = Vec::new();
    for path in full
        .into_iter()
        .next_back()
        .into_iter()
        .chain([data.join(LOG)])
    {
        let file = File::open(&path).map_err(Error::file(&path))?;
        for line in BufReader::new(file).lines() {
            lines.extend(read(&line.map_err(Error::file(&path))?));
        }
    }
    Ok(lines)
}

fn read(line: &str) -> Option<LogLine> {
    let entry: serde_json::Value = serde_json::from_str(line).ok()?;
    let time = OffsetDateTime::parse(entry.get("time")?.as_str()?, &Rfc3339).ok()?;
    Some(LogLine {
        number: entry.get("seq")?.as_u64()?,
        event: entry.get("event")?.as_str()?.to_owned(),
        time: time.unix_timestamp(),
    })
}

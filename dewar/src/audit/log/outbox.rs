//! Entries that are recorded in a database transaction, and wait in a row until they are in the log.

use super::entry::{Entry, iso};
use super::{Error, Log, WriterMessage};
use std::collections::HashSet;

/// How many of the newest entries are searched for those that were written although their rows remain.
const LOOKED_AT: usize = 20_000;

/// An entry as its row holds it.
#[derive(Debug)]
pub(crate) struct OutboxEntry {
    pub(crate) row: i64,
    pub(crate) milliseconds: i64,
    pub(crate) text: String,
}

impl Log {
    /// The time of an entry that is recorded now, and the text for its row.
    pub(crate) fn for_row(&self, entry: &Entry) -> (i64, String) {
        (self.shared.clock.milliseconds(), entry.to_row())
    }

    /// Writes an entry whose row is committed. If the queue is full, the next start writes it.
    pub(crate) fn record_committed(&self, row: i64, milliseconds: i64, entry: Entry) {
        self.shared.send(entry.in_row(row), milliseconds);
    }

    /// The rows whose entries have reached the disk since the last call.
    pub(crate) fn rows_written(&self) -> Vec<i64> {
        self.shared.progress.take_rows()
    }

    /// Writes, each once, the entries that a killed process left in their rows, and returns the rows that are no longer needed.
    ///
    /// # Errors
    /// The log cannot be read.
    pub(crate) async fn recover(&self, waiting: Vec<OutboxEntry>) -> Result<Vec<i64>, Error> {
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let latest = self.latest(LOOKED_AT, None).await?;
        let written: HashSet<(i64, &str)> = latest
            .iter()
            .filter_map(|entry| Some((entry.row?, entry.time.as_str())))
            .collect();
        let mut done = Vec::new();
        for OutboxEntry {
            row,
            milliseconds,
            text,
        } in waiting
        {
            if written.contains(&(row, iso(milliseconds).as_str())) {
                done.push(row);
            } else if let Some(entry) = Entry::of_row(&text)
                && let Some(queue) = &self.shared.queue
            {
                let entry = Box::new(entry.in_row(row));
                // An error means that the writer is gone; then the row stays.
                drop(
                    queue
                        .send(WriterMessage::Record {
                            milliseconds,
                            entry,
                        })
                        .await,
                );
            }
        }
        self.flush().await;
        Ok(done)
    }
}

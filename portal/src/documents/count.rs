//! `portal documents`: how many documents there are, for the operator.

use dewar::app::{Progress, ReadOnlyDewar};
use dewar::forms::Choices as _;
use dewar::{Error, ReadCommand, clap};

use super::document::DocumentStatus;

/// Count the documents by their status
#[derive(clap::Args)]
pub(crate) struct CountDocuments {
    /// Exit with status 3 if more documents than this wait for a reviewer
    #[arg(long, value_name = "NUMBER")]
    most_pending: Option<i64>,
}

impl ReadCommand for CountDocuments {
    const NAME: &'static str = "documents";

    async fn run(self, dewar: ReadOnlyDewar) -> dewar::Result {
        let counts = "SELECT status, count(*) FROM documents GROUP BY status";
        let rows = dewar.db().query(counts, []).await?;
        let mut found: Vec<(String, i64)> = Vec::new();
        for row in &rows {
            found.push((row.get(0)?, row.get(1)?));
        }
        let of = |status: DocumentStatus| {
            let mut found = found.iter();
            let count = found.find(|(word, _)| word == status.word());
            count.map_or(0, |(_, count)| *count)
        };
        let progress = Progress::counted("statuses");
        for status in DocumentStatus::ALL {
            progress.print(format_args!("{}: {}", status.word(), of(*status)))?;
            progress.add(1);
        }
        let pending = of(DocumentStatus::Pending);
        if self.most_pending.is_some_and(|most| pending > most) {
            return Err(Error::command(format!("{pending} documents wait")).exit_status(3));
        }
        Ok(())
    }
}

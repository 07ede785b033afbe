//! `helpdesk report`: how many tickets there are.

use dewar::app::{ReadOnlyDewar, print};
use dewar::{Error, ReadCommand, clap};

/// Print how many tickets are open, waiting and closed
#[derive(clap::Args)]
pub struct Report {
    /// End with status 3 if more tickets than this are open
    #[arg(long)]
    most: Option<i64>,
}

impl ReadCommand for Report {
    const NAME: &'static str = "report";

    async fn run(self, dewar: ReadOnlyDewar) -> dewar::Result {
        let mut open = 0;
        let count = "SELECT status, count(*) FROM tickets GROUP BY status ORDER BY status";
        for row in dewar.db().query(count, []).await? {
            let (status, number): (String, i64) = (row.get(0)?, row.get(1)?);
            if status == "open" {
                open = number;
            }
            print(&format_args!("{status}: {number}\n"))?;
        }
        if self.most.is_some_and(|most| open > most) {
            return Err(Error::command(format!("{open} tickets are open")).exit_status(3));
        }
        Ok(())
    }
}

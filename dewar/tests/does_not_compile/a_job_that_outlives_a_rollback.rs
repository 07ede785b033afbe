// A job that is enqueued outside the transaction that it belongs to: it would run after a rollback.
use dewar::Db;
use dewar::jobs::{Job, JobContext, JobError, Jobs};

#[derive(serde::Serialize, serde::Deserialize)]
struct SendInvoice {
    invoice: i64,
}

impl Job for SendInvoice {
    const NAME: &'static str = "send-invoice";

    async fn run(self, _: &JobContext) -> Result<(), JobError> {
        Ok(())
    }
}

async fn order(db: &Db, jobs: &Jobs) -> dewar::Result<()> {
    jobs.enqueue(db, &SendInvoice { invoice: 7 }).await?;
    Ok(())
}

fn main() {}

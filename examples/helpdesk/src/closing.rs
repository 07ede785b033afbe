//! Every night: closes the tickets whose customers have not answered.

use dewar::jobs::{Job, JobContext, JobError};
use dewar::serde::{Deserialize, Serialize};

use crate::settings::DeskSettings;

#[derive(Serialize, Deserialize)]
#[serde(crate = "dewar::serde")]
pub struct CloseUnanswered;

impl Job for CloseUnanswered {
    const NAME: &'static str = "close-unanswered";

    async fn run(self, context: &JobContext) -> Result<(), JobError> {
        let settings = context.dewar()?.settings::<DeskSettings>()?;
        let patience = settings.close_after.as_secs().cast_signed();
        let close = "UPDATE tickets SET status = 'closed', version = version + 1
            WHERE status = 'waiting' AND active_at <= ?";
        let last = context.clock().now() - patience;
        context.db().execute(close, [last.into()]).await?;
        Ok(())
    }
}

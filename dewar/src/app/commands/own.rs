use super::super::background;
use super::super::command::{Prepared, ReadOnlyDewar};
use super::super::launch::{Blueprint, refuse_if_any};
use super::database::existing;
use super::on_heap;
use super::users::OLDER;
use crate::audit::Finding;
use crate::database::reading_command;
use crate::pages::Error;

/// Runs a command of the application.
pub(super) async fn run(plan: Blueprint, command: Prepared) -> Result<(), Error> {
    let refused = |findings: Vec<Finding>| Error::launch(&findings);
    let (name, read) = match command {
        Prepared::Reading(name, read) => (name, read),
        Prepared::Changing(change) => {
            let opened = on_heap(|| plan.open()).await.map_err(refused)?;
            let done = change(opened.dewar.clone()).await;
            opened.dewar.accounts().settle().await;
            background::end_log(&opened.dewar).await;
            return done;
        }
    };
    refuse_if_any(&plan.findings).map_err(refused)?;
    refuse_if_any(&plan.parts.findings).map_err(refused)?;
    let db = on_heap(|| existing(&plan)).await?;
    let pending = db.migrations_pending(&plan.migrations()).await?;
    if !pending.is_empty() {
        return Err(Error::command(OLDER));
    }
    db.register(&plan.models()).await?;
    let dewar = ReadOnlyDewar {
        db,
        clock: plan.clock.clone(),
        settings: plan.parts.settings.clone(),
    };
    reading_command(name, read(dewar)).await
}

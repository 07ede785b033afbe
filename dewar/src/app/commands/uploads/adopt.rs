use super::super::super::launch::Blueprint;
use super::super::database::is_migrated;
use super::super::print;
use crate::audit::{Entry, Event, Log, command_line};
use crate::database::Db;
use crate::pages::Error;
use crate::uploads::{
    Binding, Depth, Fault, Looking, Marking, Storage, Uploads, Verification, bind,
};

/// Binds a bucket to the database. The comparison shows what the next start would delete.
pub(super) async fn run(
    plan: &Blueprint,
    storage: &Storage,
    reason: Option<&str>,
) -> Result<(), Error> {
    if !storage.is_shared() {
        return Err(Error::command(
            "`uploads.storage` is the disk of this machine, which needs no id",
        ));
    }
    if reason.is_some_and(|reason| reason.trim().is_empty()) {
        return Err(Error::command(
            "state the reason, which the audit log records",
        ));
    }
    let refused = |findings: Vec<_>| Error::launch(&findings);
    let found = storage.findings(Looking::AtStart).await;
    super::refuse_if_any(&found).map_err(refused)?;
    let db = plan.database().map_err(refused)?;
    is_migrated(plan, &db).await?;
    let binding = Binding::of(Some(&db), storage).await;
    let is_bound = binding.map_err(Error::command)? == Binding::Bound;
    let (mut extra, mut others) = (0_u64, 0_u64);
    let mut verification = Verification {
        db: &db,
        storage,
        depth: Depth::Sizes,
        seen: |_| {},
        fault: |fault| match fault {
            Fault::Extra(_) => extra += 1,
            Fault::Changed(_) | Fault::Missing(_) | Fault::Size(..) => others += 1,
        },
    };
    let files = verification.run().await.map_err(Error::command)?;
    print(&format_args!(
        "{files} files in the database, {others} of them missing there or of another size; {extra} files there without a row.\n"
    ))?;
    if extra > 0 && reason.is_none() {
        return Err(Error::command(
            "this deletes the files without a row. If they are not needed: `--dangerous-even-with-files-to-delete \"why\"`",
        ));
    }
    if is_bound && extra == 0 {
        return print(&"The bucket belongs to this database already.\n");
    }
    if !is_bound {
        let bound = bind(&db, storage, Marking::Anew).await;
        bound.map_err(Error::command)?;
    }
    let log = note(plan, extra, reason).await?;
    print(&format_args!(
        "{} belongs to this database now.\n",
        plan.config.uploads.storage
    ))?;
    if extra > 0 {
        delete(plan, (db, log)).await?;
    }
    Ok(())
}

/// Deletes the files without a row. A start leaves them alone if they are many.
async fn delete(plan: &Blueprint, (db, log): (Db, Log)) -> Result<(), Error> {
    let config = plan.config.uploads.clone();
    let uploads = Uploads::open(config, db, log, plan.clock.clone()).map_err(Error::command)?;
    let swept = uploads.sweep_many().await.map_err(Error::command)?;
    print(&format_args!(
        "{} files without a row were deleted. Those that are younger than `uploads.pending_ttl` go at a later start, or with this command.\n",
        swept.unfinished
    ))
}

/// The audit log records who bound the bucket, and why.
async fn note(plan: &Blueprint, extra: u64, reason: Option<&str>) -> Result<Log, Error> {
    let ring = plan.keys().map_err(|findings| Error::launch(&findings))?;
    let log = Log::open(plan.log_file(), ring.chain_keys(), plan.clock.clone());
    let log = log.map_err(Error::internal)?;
    let entry = Entry::new(Event::AuthzAdmin).subject(&plan.config.uploads.storage);
    let why = reason.map_or_else(String::new, |reason| {
        format!(
            " with --dangerous-even-with-files-to-delete, {extra} files without a row: {reason}"
        )
    });
    let detail = format!("bound to this database{why}");
    log.record(entry.actor(command_line()).detail(detail));
    log.flush().await;
    Ok(log)
}

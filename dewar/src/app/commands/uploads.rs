mod adopt;

use std::time::Duration;

use super::super::Progress;
use super::super::background;
use super::super::cli::UploadsCommand;
use super::super::launch::{Blueprint, refuse_if_any};
use super::database::existing;
use super::print;
use crate::audit::owner_only;
use crate::database::Db;
use crate::pages::Error;
use crate::uploads::{
    self, Binding, Depth, Looking, Marking, Moved, Rescanned, Storage, StoragePlace, Uploads,
    Verification, all_stored, bind, copy_all,
};

/// One file of any size has this long.
const WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) async fn run(plan: Blueprint, what: UploadsCommand) -> Result<(), Error> {
    if let UploadsCommand::Rescan { unscanned } = what {
        let opened = plan.open().await;
        let dewar = opened.map_err(|findings| Error::launch(&findings))?.dewar;
        let done = rescan(dewar.uploads(), unscanned).await;
        background::end_log(&dewar).await;
        return done;
    }
    let refused = |findings: Vec<_>| Error::launch(&findings);
    refuse_if_any(&plan.findings).map_err(refused)?;
    refuse_if_any(&uploads::findings(&plan.config.uploads)).map_err(refused)?;
    let db = existing(&plan).await?;
    let storage = Storage::open(&plan.config.uploads, &plan.clock).map_err(Error::command)?;
    match what {
        UploadsCommand::Adopt {
            dangerous_even_with_files_to_delete: reason,
        } => adopt::run(&plan, &storage, reason.as_deref()).await,
        UploadsCommand::Move { to } => copy(&plan, &db, &storage, &to).await,
        UploadsCommand::Verify { digests } => {
            let depth = if digests {
                Depth::Digests
            } else {
                Depth::Sizes
            };
            verify(&db, &storage, depth).await
        }
        UploadsCommand::Rescan { .. } => Ok(()),
    }
}

async fn rescan(uploads: &Uploads, only_unscanned: bool) -> Result<(), Error> {
    let which = uploads.rescan_of(only_unscanned).await;
    let which = which.map_err(Error::command)?;
    let number = uploads.number_to_rescan(which).await?;
    let bar = Progress::of(number, "files");
    let mut broken = Ok(());
    let done = uploads.rescan(which, |done, told| {
        bar.set(done.all());
        if let Some(told) = told {
            // As they come: there may be as many as files.
            let printed = bar.print(&told);
            if broken.is_ok() {
                broken = printed;
            }
        }
    });
    let done = done.await.map_err(|error| {
        Error::command(format!(
            "{error}\nRun the command again: it continues here."
        ))
    })?;
    drop(bar);
    broken?;
    let Rescanned {
        clean,
        infected,
        released,
        undecided,
    } = done;
    print(&format_args!(
        "{clean} files without a virus ({released} served again), {infected} with one, {undecided} not decided.\n"
    ))?;
    if infected + undecided > 0 {
        return Err(Error::quiet());
    }
    Ok(())
}

/// The total is counted for a terminal alone.
async fn bar(db: &Db) -> Result<Progress, Error> {
    let files = if Progress::is_seen() {
        all_stored(db).await?.files
    } else {
        0
    };
    Ok(Progress::of(files, "files"))
}

async fn verify(db: &Db, storage: &Storage, depth: Depth) -> Result<(), Error> {
    let bar = bar(db).await?;
    let (mut faults, mut broken) = (0_u64, Ok(()));
    let mut verification = Verification {
        db,
        storage,
        depth,
        seen: |files| bar.set(files),
        fault: |fault| {
            faults += 1;
            // As they come: there may be as many as files.
            let printed = bar.print(&fault);
            if broken.is_ok() {
                broken = printed;
            }
        },
    };
    let files = verification.run().await.map_err(Error::command)?;
    drop(bar);
    broken?;
    if faults == 0 {
        let how = match depth {
            Depth::Digests => "with the size and the SHA-256 of its row",
            Depth::Sizes => "with the size of its row",
        };
        return print(&format_args!("{files} files, each there {how}.\n"));
    }
    print(&format_args!("{files} files, {faults} faults.\n"))?;
    Err(Error::quiet())
}

async fn copy(plan: &Blueprint, db: &Db, from: &Storage, to: &str) -> Result<(), Error> {
    let config = &plan.config.uploads;
    let Some(place) = StoragePlace::parse(to) else {
        return Err(Error::command(
            "`--to` is \"disk\", or a bucket such as `s3://bucket/prefix`, without credentials",
        ));
    };
    if place == config.storage {
        return Err(Error::command(format!("the files are at {place} already")));
    }
    let mut other = config.clone();
    other.storage = place.clone();
    let refused = |findings: Vec<_>| Error::launch(&findings);
    refuse_if_any(&uploads::findings(&other)).map_err(refused)?;
    for directory in [other.directory.clone(), other.quarantine(), other.kept()] {
        owner_only::create_directory(&directory).map_err(Error::command)?;
    }
    let target = Storage::at(&place, &other, &plan.clock).map_err(Error::command)?;
    refuse_if_any(&target.findings(Looking::AtStart).await).map_err(refused)?;
    bind_target(plan, db, (&target, &place)).await?;
    let bar = bar(db).await?;
    let moved = copy_all(db, (from, &target), WITHIN, |moved| {
        bar.set(moved.copied + moved.there);
    });
    let moved = moved.await.map_err(|error| {
        Error::command(format!(
            "{error}\nRun the command again: it continues here."
        ))
    })?;
    drop(bar);
    tell(&moved, &config.storage, &place)
}

/// Binds the other storage to the database before the first file is there, unless it belongs to another one.
async fn bind_target(
    plan: &Blueprint,
    db: &Db,
    (target, place): (&Storage, &StoragePlace),
) -> Result<(), Error> {
    let binding = Binding::of(Some(db), target)
        .await
        .map_err(Error::command)?;
    if !matches!(binding, Binding::Free | Binding::Emptied) {
        let findings: Vec<_> = binding.finding(place).into_iter().collect();
        return refuse_if_any(&findings).map_err(|findings| Error::launch(&findings));
    }
    // The other handle only reads.
    let db = plan
        .database()
        .map_err(|findings| Error::launch(&findings))?;
    bind(&db, target, Marking::First)
        .await
        .map_err(Error::command)
}

fn tell(moved: &Moved, from: &StoragePlace, to: &StoragePlace) -> Result<(), Error> {
    let Moved {
        copied,
        there,
        removed,
        left,
        damaged,
    } = moved;
    print(&format_args!(
        "{copied} files copied, {there} were there.\n"
    ))?;
    if *removed > 0 {
        print(&format_args!(
            "{removed} copies were deleted, because their files were deleted meanwhile.\n"
        ))?;
    }
    if *left > 0 {
        print(&format_args!(
            "{left} objects at {to} are older than this run, and no row describes them. A start with {to} deletes them: is it \
             used by another application?\n"
        ))?;
    }
    for id in damaged {
        print(&format_args!(
            "{id}: not copied, because it is not as its row says; see `uploads verify --digests`\n"
        ))?;
    }
    if !damaged.is_empty() {
        return Err(Error::quiet());
    }
    print(&format_args!(
        "Every file is at {to} now, with the SHA-256 of its row. Next: stop the application, run this command again for the \
         files that came meanwhile, set `uploads.storage = \"{to}\"`, and start. The files at {from} stay until you delete them.\n"
    ))
}

//! Cleans up after a crash, so that a file exists completely or not at all.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::Error;
use super::id::FileId;
use super::rows::{self, StoredFile};
use super::storage::{Listed, StoragePlace};
use super::store::{Inner, Uploads, blocking};
use super::thumbnail_rows;
use super::virus_scan::ScanStatus;
use crate::audit::{Finding, Practice, Severity};

/// The result of a sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// Files deleted from quarantine, whose examination never ended.
    pub quarantined: usize,
    /// Deleted files that were arriving or leaving, or had no row.
    pub unfinished: usize,
    /// Rows without their file. Dewar leaves them alone: somebody removed the file, and a backup may have it.
    pub lost: Vec<FileId>,
    /// Files without a row that Dewar left in the bucket, because they are too many for the remains of a crash. It deleted no other
    /// file without a row either.
    pub kept_without_rows: u64,
}

/// More files without a row than this are not the remains of a crash, if they are also more than one of [`ONE_OF`].
const MOST_WITHOUT_ROWS: u64 = 20;

/// The part of all files that may have no row.
const ONE_OF: u64 = 100;

/// What a comparison does with a file that has no row.
#[derive(Debug)]
enum WithoutRow<'a> {
    Count(&'a mut Counted),
    Delete(&'a mut Swept),
}

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    all: u64,
    without_row: u64,
}

impl Counted {
    const fn are_too_many(self) -> bool {
        self.without_row > MOST_WITHOUT_ROWS && self.without_row.saturating_mul(ONE_OF) > self.all
    }
}

impl Swept {
    /// What the operator has to decide.
    pub(crate) fn finding(&self, place: &StoragePlace) -> Option<Finding> {
        let number = self.kept_without_rows;
        (number > 0).then(|| {
            let title = format!("{place} has {number} files that the database does not know");
            Finding::warn(Practice::Uploads, "uploads-s3-many-without-rows", title)
                .severity(Severity::High)
                .why("so many are no remains of a crash: the database is an older backup, or a copy of the one whose files these are. Dewar deleted none of them")
                .fix("if this is a copy, give it a bucket or a prefix of its own (`uploads.storage`). After the restore of an older backup, save the files that you need; then `uploads adopt --dangerous-even-with-files-to-delete \"why\"` deletes those without a row")
                .cwe(668)
        })
    }
}

/// Whether files without a row go however many they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Many {
    Delete,
    Keep,
}

/// How many lost files the log names.
const SHOWN: usize = 20;

impl Uploads {
    /// Deletes files in quarantine, files that are arriving or leaving, and files without a row. Reports rows without a
    /// file. Run it at every start, before serving; if another process runs, it deletes only old files.
    ///
    /// # Errors
    /// The directories or the database cannot be read.
    pub async fn sweep(&self) -> Result<Swept, Error> {
        // With the lock no other process runs, and this one does not serve yet: every such file was left over.
        let ttl = self.inner.config.pending_ttl;
        let (alone, shared) = (self.inner.alone.is_some(), self.inner.storage.is_shared());
        let others = self.inner.db.has_other_nodes(self.node()).await?;
        let age = if alone && !shared && !others {
            Duration::ZERO
        } else {
            ttl
        };
        // The quarantine belongs to this machine, whatever the storage is.
        let of_quarantine = if alone { Duration::ZERO } else { ttl };
        let bound = self.is_bound().await?;
        let mut swept = self.clear_up(age, of_quarantine, bound).await?;
        self.compare_all(age, Many::Keep, &mut swept).await?;
        tell(&swept);
        Ok(swept)
    }

    /// Deletes the files that no row describes, however many they are: an operator said so.
    pub(crate) async fn sweep_many(&self) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        let ttl = self.inner.config.pending_ttl;
        self.compare_all(ttl, Many::Delete, &mut swept).await?;
        tell(&swept);
        Ok(swept)
    }

    /// The daily sweep while the application serves: deletes files that no row describes and that are older than
    /// `uploads.pending_ttl`, such as the one that arrived after its upload was given up. Reports rows without a file.
    ///
    /// # Errors
    /// As [`sweep`](Self::sweep).
    pub async fn sweep_storage(&self) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        let ttl = self.inner.config.pending_ttl;
        self.compare_all(ttl, Many::Keep, &mut swept).await?;
        tell(&swept);
        Ok(swept)
    }

    /// Compares all of the storage with the rows.
    async fn compare_all(&self, age: Duration, many: Many, swept: &mut Swept) -> Result<(), Error> {
        let storage = &self.inner.storage;
        if !self.is_bound().await? {
            return Ok(());
        }
        if storage.is_shared() && rows::is_empty(&self.inner.db).await? {
            // A name of a schema that is misspelled would otherwise delete all files of the application.
            if !storage.list("", None).await?.is_empty() {
                tracing::error!(
                    "the bucket has files and the database has none: is it the database of this bucket? Nothing was deleted"
                );
            }
            return Ok(());
        }
        loop {
            let page = thumbnail_rows::without_file(&self.inner.db).await?;
            if page.is_empty() {
                break;
            }
            for id in &page {
                thumbnail_rows::leaving(&self.inner.db, id).await?;
                self.remove(id).await?;
                swept.unfinished += 1;
            }
        }
        // A bucket outlives its database: an older backup of that, or a copy, knows less files. The disk is in the same backup.
        if storage.is_shared() && many == Many::Keep {
            let mut counted = Counted::default();
            for shard in storage.shards() {
                let counting = WithoutRow::Count(&mut counted);
                self.compare(&shard, age, counting).await?;
            }
            if counted.are_too_many() {
                swept.kept_without_rows = counted.without_row;
                return Ok(());
            }
        }
        for shard in storage.shards() {
            self.compare(&shard, age, WithoutRow::Delete(swept)).await?;
        }
        Ok(())
    }

    /// The regular sweep while the application serves: deletes files that were pending or in quarantine for longer than
    /// `uploads.pending_ttl`, and released files that are still there.
    ///
    /// # Errors
    /// As [`sweep`](Self::sweep).
    pub async fn sweep_old(&self) -> Result<Swept, Error> {
        let ttl = self.inner.config.pending_ttl;
        let bound = self.is_bound().await?;
        self.clear_up(ttl, ttl, bound).await
    }

    async fn clear_up(
        &self,
        age: Duration,
        of_quarantine: Duration,
        bound: bool,
    ) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        let Inner {
            clock, config, db, ..
        } = &*self.inner;
        let before = clock.now().saturating_sub_unsigned(age.as_secs());
        let mut last = None;
        loop {
            let page = rows::left_over(db, before, last.as_ref()).await?;
            for id in &page {
                self.abandon(id).await?;
                swept.unfinished += 1;
            }
            let Some(end) = page.into_iter().next_back() else {
                break;
            };
            last = Some(end);
        }
        last = None;
        loop {
            let page = rows::departing(db, last.as_ref()).await?;
            for id in &page {
                self.remove(id).await?;
                swept.unfinished += 1;
            }
            let Some(end) = page.into_iter().next_back() else {
                break;
            };
            last = Some(end);
        }
        let quarantine = config.quarantine();
        swept.quarantined = blocking(move || clear(&quarantine, of_quarantine)).await?;
        if bound {
            swept.unfinished += self.inner.storage.clear_up(age).await?;
            swept.unfinished += self.sweep_tickets().await?;
        }
        Ok(swept)
    }

    /// How many rows it removed, if the row is that of a thumbnail.
    async fn remove_lost_thumbnail(&self, id: &FileId) -> Result<Option<usize>, Error> {
        let Inner { db, storage, .. } = &*self.inner;
        if !thumbnail_rows::is_one(db, id).await? {
            return Ok(None);
        }
        if storage.size(id).await?.is_some() {
            return Ok(Some(0));
        }
        thumbnail_rows::leaving(db, id).await?;
        self.remove(id).await?;
        Ok(Some(1))
    }

    /// Compares one shard of the storage with its rows, page by page.
    async fn compare(
        &self,
        two: &str,
        age: Duration,
        mut what: WithoutRow<'_>,
    ) -> Result<(), Error> {
        let storage = &self.inner.storage;
        let mut after: Option<String> = None;
        let mut last_row: Option<FileId> = None;
        loop {
            // Files first, rows second: a row is written before its file, so a file without a row now never had one.
            let page = storage.list(two, after.as_deref()).await?;
            let end = page.last().map(|listed| listed.place.clone());
            let mut listed: HashSet<FileId> = page.iter().filter_map(Listed::id).collect();
            let (mut missing, mut unserved) = (Vec::new(), Vec::new());
            loop {
                let rows =
                    rows::facts_of_shard(&self.inner.db, two, last_row.as_ref(), end.as_deref());
                let rows = rows.await?;
                let Some(end) = rows.last() else {
                    break;
                };
                last_row = Some(end.id.clone());
                for row in rows {
                    if !listed.remove(&row.id) {
                        missing.push(row.id);
                    } else if !row.is_stored {
                        unserved.push(row.id);
                    }
                }
            }
            // The rest of the page has no row. The order of foreign names in a bucket is not that of the ids, so each is
            // looked for once more.
            for one in &page {
                if let WithoutRow::Count(counted) = &mut what {
                    counted.all += 1;
                }
                let id = one.id();
                let has_row = match &id {
                    Some(id) => !listed.contains(id) || rows::exists(&self.inner.db, id).await?,
                    None => storage.is_shared(),
                };
                if has_row || one.age < age {
                    continue;
                }
                match &mut what {
                    WithoutRow::Count(counted) => counted.without_row += 1,
                    WithoutRow::Delete(swept) => {
                        storage.remove_listed(one, two).await?;
                        swept.unfinished += 1;
                    }
                }
            }
            if let WithoutRow::Delete(swept) = &mut what {
                self.clear_rows((unserved, missing), swept).await?;
            }
            let Some(last) = page.into_iter().next_back() else {
                return Ok(());
            };
            after = Some(last.name);
        }
    }

    /// Decides about rows that are not served although their file is there, and about those whose file is missing.
    async fn clear_rows(
        &self,
        (unserved, missing): (Vec<FileId>, Vec<FileId>),
        swept: &mut Swept,
    ) -> Result<(), Error> {
        let storage = &self.inner.storage;
        for id in unserved {
            // The program ended between the verdict of the virus scanner and the deletion.
            let had_virus = |kept: StoredFile| kept.scan == ScanStatus::Infected && !kept.is_held;
            if self.find(&id).await.is_ok_and(had_virus) {
                storage.remove(&id).await?;
                swept.unfinished += 1;
            }
        }
        for id in missing {
            // A thumbnail can be made again.
            if let Some(removed) = self.remove_lost_thumbnail(&id).await? {
                swept.unfinished += removed;
                continue;
            }
            // The bytes of a file with a virus were deleted on purpose.
            let is_missed = |kept: StoredFile| kept.scan != ScanStatus::Infected;
            if self.find(&id).await.is_ok_and(is_missed) && storage.size(&id).await?.is_none() {
                swept.lost.push(id);
            }
        }
        Ok(())
    }
}

fn tell(swept: &Swept) {
    if swept.kept_without_rows > 0 {
        tracing::error!(
            number = swept.kept_without_rows,
            "many files in the bucket have no row: is the database an older backup, or a copy? None of them was deleted; see `uploads-s3-many-without-rows`"
        );
    }
    if !swept.lost.is_empty() {
        let (number, first) = (swept.lost.len(), swept.lost.iter().take(SHOWN));
        let first: Vec<_> = first.collect();
        tracing::error!(
            number,
            ?first,
            "files are missing, but their rows exist: restore them from a backup; `uploads verify` lists all"
        );
    }
    if swept.quarantined + swept.unfinished > 0 {
        tracing::info!(
            quarantined = swept.quarantined,
            unfinished = swept.unfinished,
            "removed the remains of a crash"
        );
    }
}

fn list(directory: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Ok(entries) => entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Deletes files older than `age`, and returns their number.
fn clear(quarantine: &Path, age: Duration) -> io::Result<usize> {
    let mut removed = 0;
    for path in list(quarantine)? {
        if is_old(&path, age)? {
            fs::remove_file(&path)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Whether a file was last written at least `age` ago. It may have gone since its directory was listed.
fn is_old(path: &Path, age: Duration) -> io::Result<bool> {
    match fs::symlink_metadata(path).and_then(|metadata| metadata.modified()) {
        // A time in the future does not keep a file.
        Ok(modified) => {
            Ok(age.is_zero() || modified.elapsed().map_or(true, |elapsed| elapsed >= age))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_is_removed_and_what_is_new_stays() {
        let directory = tempfile::tempdir().unwrap();
        let day = Duration::from_secs(24 * 60 * 60);
        for (name, age) in [("new", Duration::ZERO), ("old", day), ("older", 2 * day)] {
            let file = fs::File::create(directory.path().join(name)).unwrap();
            let now = file.metadata().unwrap().modified().unwrap();
            file.set_modified(now - age).unwrap();
        }
        // The sweep does not follow the link, whose target need not exist.
        std::os::unix::fs::symlink("nowhere", directory.path().join("link")).unwrap();
        assert_eq!(clear(directory.path(), day / 2).unwrap(), 2);
        let mut left = list(directory.path()).unwrap();
        left.sort();
        assert_eq!(
            left,
            ["link", "new"].map(|name| directory.path().join(name))
        );
        assert_eq!(clear(directory.path(), Duration::ZERO).unwrap(), 2);
        assert!(!is_old(&directory.path().join("gone"), Duration::ZERO).unwrap());
        let too_long = directory.path().join("x".repeat(300));
        is_old(&too_long, Duration::ZERO).unwrap_err();
    }
}

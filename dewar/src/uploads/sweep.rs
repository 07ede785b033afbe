//! Cleans up after a crash, so that a file exists completely or not at all.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::Error;
use super::id::FileId;
use super::rows::{self, StoredFile};
use super::store::{Inner, Uploads};
use super::virus_scan::ScanStatus;

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
}

impl Uploads {
    /// Deletes files in quarantine, files that are arriving or leaving, and files without a row. Reports rows without a
    /// file. Run it at every start, before serving; if another process runs, it deletes only old files.
    ///
    /// # Errors
    /// The directories or the database cannot be read.
    pub async fn sweep(&self) -> Result<Swept, Error> {
        // With the lock no other process runs, and this one does not serve yet: every such file was left over.
        let age = if self.inner.alone.is_some() {
            Duration::ZERO
        } else {
            self.inner.config.pending_ttl
        };
        let mut swept = self.clear_up(age).await?;
        for number in 0..=u8::MAX {
            self.compare(&format!("{number:02x}"), &mut swept).await?;
        }
        if !swept.lost.is_empty() {
            tracing::error!(files = ?swept.lost, "these files are missing, but their rows exist: restore them from a backup");
        }
        if swept.quarantined + swept.unfinished > 0 {
            tracing::info!(
                quarantined = swept.quarantined,
                unfinished = swept.unfinished,
                "removed the remains of a crash"
            );
        }
        Ok(swept)
    }

    /// The regular sweep while the application serves: deletes files that were pending or in quarantine for longer than
    /// `uploads.pending_ttl`, and released files that are still there.
    ///
    /// # Errors
    /// As [`sweep`](Self::sweep).
    pub async fn sweep_old(&self) -> Result<Swept, Error> {
        self.clear_up(self.inner.config.pending_ttl).await
    }

    async fn clear_up(&self, age: Duration) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        let Inner {
            clock, config, db, ..
        } = &*self.inner;
        let before = clock.now().saturating_sub_unsigned(age.as_secs());
        for id in rows::left_over(db, before).await? {
            self.abandon(&id).await?;
            swept.unfinished += 1;
        }
        for id in rows::departing(db).await? {
            self.remove(&id).await?;
            swept.unfinished += 1;
        }
        let quarantine = config.quarantine();
        swept.quarantined = in_background(move || clear(&quarantine, age)).await?;
        Ok(swept)
    }

    /// Compares one directory of stored files with its rows.
    async fn compare(&self, two: &str, swept: &mut Swept) -> Result<(), Error> {
        let kept = self.inner.config.kept();
        let directory = kept.join(two);
        // Files first, rows second: a row is written before its file, so a file without a row now never had one.
        let files = in_background(move || list(&directory)).await?;
        let rows: HashSet<FileId> = rows::beginning_with(&self.inner.db, two)
            .await?
            .into_iter()
            .collect();
        for file in &files {
            let id = format!(
                "{two}{}",
                file.file_name().unwrap_or_default().to_string_lossy()
            )
            .parse::<FileId>();
            if id.is_ok_and(|id| rows.contains(&id)) {
                continue;
            }
            match tokio::fs::remove_file(file).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                Ok(()) | Err(_) => swept.unfinished += 1,
            }
        }
        for id in rows {
            let exists = tokio::fs::try_exists(kept.join(id.path())).await?;
            // The bytes of a file with a virus were deleted on purpose.
            let is_missed = |kept: StoredFile| kept.scan != ScanStatus::Infected;
            if !exists && self.find(&id).await.is_ok_and(is_missed) {
                swept.lost.push(id);
            }
        }
        Ok(())
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

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    Ok(tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_is_empty_and_one_that_cannot_be_read_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        assert!(list(&directory.path().join("none")).unwrap().is_empty());
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let refused = list(&file).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::NotADirectory);
        assert_eq!(list(directory.path()).unwrap(), [file]);
    }

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

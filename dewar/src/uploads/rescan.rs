//! Scans stored files for viruses: those that came before scans were required, and all of them when the scanner has newer
//! signatures.
//!
//! A file with a virus is held: its row and its bytes stay, and nobody gets them. Signatures are wrong now and then, and a scan
//! of all files must not delete those of a whole company because of one. A later scan that finds nothing releases them.

use super::clamd::Verdict;
use super::error::Error;
use super::id::FileId;
use super::rows::{self, Rescan, StoredFile};
use super::store::{Uploads, about};
use super::thumbnail_rows;
use super::virus_scan::{PATIENCE, ScanStatus, VirusScan};
use crate::audit::Event;

/// The result of a scan of stored files, so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rescanned {
    /// Files in which the scanner found nothing.
    pub(crate) clean: u64,
    /// Files with a virus.
    pub(crate) infected: u64,
    /// Files that an earlier scan held, and that are served again.
    pub(crate) released: u64,
    /// Files that the scanner did not take or could not decide, or that could not be read. They stay as they are.
    pub(crate) undecided: u64,
}

impl Rescanned {
    pub(crate) fn all(&self) -> u64 {
        self.clean + self.infected + self.undecided
    }
}

/// A file to tell the operator about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Infected(FileId, String),
    Released(FileId),
    /// The scanner does not take files of this size.
    TooLarge(FileId),
    Undecided(FileId),
    Unreadable(FileId),
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Infected(id, virus) => write!(f, "{id}: {virus}; nobody gets it any more"),
            Self::Released(id) => write!(f, "{id}: no virus any more; it is served again"),
            Self::TooLarge(id) => write!(
                f,
                "{id}: too large for clamd; raise StreamMaxLength, MaxFileSize and MaxScanSize"
            ),
            Self::Undecided(id) => write!(f, "{id}: clamd cannot scan it"),
            Self::Unreadable(id) => write!(f, "{id}: not as its row says; see `uploads verify`"),
        }
    }
}

impl Uploads {
    /// The scan that a command asks for.
    ///
    /// # Errors
    /// The scanner does not answer, or does not tell the version of its signatures.
    pub(crate) async fn rescan_of(&self, only_unscanned: bool) -> Result<Rescan, Error> {
        let config = &self.inner.config;
        if config.virus_scan == VirusScan::Off {
            return Err(Error::Unavailable(
                "`uploads.virus_scan` is \"off\"".to_owned(),
            ));
        }
        if only_unscanned {
            return Ok(Rescan::Unscanned);
        }
        let version = config.clamd.signatures(PATIENCE).await;
        Ok(Rescan::Before(version?))
    }

    /// The number of files that this scan would read now.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn number_to_rescan(&self, which: Rescan) -> Result<u64, Error> {
        rows::number_to_rescan(&self.inner.db, which).await
    }

    /// Scans stored files, one after the other, while the application runs. Every verdict is in the database at once, so a scan
    /// that was stopped continues where it ended.
    ///
    /// # Errors
    /// The scanner went away; the database or the storage failed.
    pub(crate) async fn rescan(
        &self,
        which: Rescan,
        mut told: impl FnMut(&Rescanned, Option<Told>),
    ) -> Result<Rescanned, Error> {
        let signatures = match which {
            Rescan::Before(signatures) => signatures,
            Rescan::Unscanned => 0,
        };
        let (mut done, mut after) = (Rescanned::default(), String::new());
        loop {
            let page = rows::to_rescan(&self.inner.db, which, &after).await?;
            let Some(last) = page.last() else {
                return Ok(done);
            };
            after = last.id.to_string();
            for kept in &page {
                let tell = self.rescan_one(kept, signatures).await?;
                match &tell {
                    None => done.clean += 1,
                    Some(Told::Infected(..)) => done.infected += 1,
                    Some(Told::Released(_)) => {
                        done.clean += 1;
                        done.released += 1;
                    }
                    Some(Told::TooLarge(_) | Told::Undecided(_) | Told::Unreadable(_)) => {
                        done.undecided += 1;
                    }
                }
                told(&done, tell);
            }
        }
    }

    async fn rescan_one(&self, kept: &StoredFile, signatures: i64) -> Result<Option<Told>, Error> {
        let (db, id) = (&self.inner.db, kept.id.clone());
        let file = match self.open_kept(kept).await {
            Ok(file) => file,
            Err(Error::Damaged) => return Ok(Some(Told::Unreadable(id))),
            Err(error) => return Err(error),
        };
        match self.verdict(file).await {
            Some(Verdict::Clean) => {
                rows::rescanned(db, &id, signatures).await?;
                Ok(kept.is_held.then_some(Told::Released(id)))
            }
            Some(Verdict::Infected(virus)) if kept.scan == ScanStatus::Infected => {
                rows::still_held(db, &id, signatures).await?;
                Ok(Some(Told::Infected(id, virus)))
            }
            Some(Verdict::Infected(virus)) => {
                self.hold(kept, &virus, signatures).await?;
                Ok(Some(Told::Infected(id, virus)))
            }
            Some(Verdict::TooLarge) => Ok(Some(Told::TooLarge(id))),
            None if self.scanner_answers().await => Ok(Some(Told::Undecided(id))),
            None => Err(Error::Unavailable("clamd does not answer".to_owned())),
        }
    }

    /// From this commit on nobody gets the file or its thumbnails, and the audit log says why.
    async fn hold(&self, kept: &StoredFile, virus: &str, signatures: i64) -> Result<(), Error> {
        let tx = self.inner.db.begin().await?;
        if !rows::hold(&tx, &kept.id, signatures).await? {
            return Ok(());
        }
        let entry = about(Event::UploadValidation, kept).outcome("refused");
        self.record_in(
            &tx,
            entry.detail(format!("virus in a stored file: {virus}")),
        )
        .await?;
        thumbnail_rows::leaving_with(&tx, &kept.id).await?;
        tx.commit().await?;
        self.remove_thumbnails(&kept.id).await
    }
}

//! Virus scans: each file before it is stored, and each waiting file when the scanner is back.
//!
//! If `required` and the scanner is away, a file is stored with the status [`ScanStatus::Waiting`]: its row and the
//! application's row exist, but Dewar serves it to nobody. The background task scans it later. A file with a virus then
//! loses its bytes and keeps its row, so that its owner reads the reason and does not find an empty place.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::AsyncRead;

use super::clamd::Verdict;
use super::config::Config;
use super::error::Error;
use super::examine::Examined;
use super::rejection::UploadRejection;
use super::rows::{self, StoredFile};
use super::store::{Inner, Uploads, about};
use super::thumbnail_rows;
use crate::audit::{Event, Finding, Practice};

/// Whether a virus scanner sees each file: the setting `uploads.virus_scan`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum VirusScan {
    /// No file is scanned.
    #[default]
    Off,
    /// Each file is scanned if the scanner answers. While the scanner is away, files are stored and served unscanned.
    Optional,
    /// No file that arrives from now on is served before the scanner has seen it. While the scanner is away, files wait.
    Required,
}

impl VirusScan {
    pub(super) const WORDS: [(&'static str, Self); 3] = [
        ("off", Self::Off),
        ("optional", Self::Optional),
        ("required", Self::Required),
    ];
}

/// The result of the virus scan of a stored file.
///
/// ```
/// use dewar::uploads::{ScanStatus, StoredFile};
///
/// fn note(file: &StoredFile) -> Option<&'static str> {
///     match file.scan {
///         ScanStatus::Waiting => Some("waits for the virus scanner"),
///         ScanStatus::Infected => Some("has a virus, and nobody gets it"),
///         _ => None,
///     }
/// }
/// # let _ = note;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScanStatus {
    /// The scanner found nothing.
    Clean,
    /// The scanner found a virus after the file was stored, and nobody gets the file any more. If the file waited for the
    /// scanner until then, its bytes are deleted. The command `uploads rescan` keeps them, because signatures are wrong now and
    /// then.
    Infected,
    /// The scanner has not seen the file: scans were off, or optional and the scanner was away.
    NotScanned,
    /// The file waits for the scanner. Dewar does not serve it.
    Waiting,
}

impl ScanStatus {
    const ALL: [Self; 4] = [Self::Clean, Self::Infected, Self::NotScanned, Self::Waiting];

    /// The word in the database.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Infected => "infected",
            Self::NotScanned => "none",
            Self::Waiting => "waiting",
        }
    }

    /// Dewar serves no file with a word that this program does not know.
    pub(super) fn of_word(word: &str) -> Self {
        let known = Self::ALL.into_iter().find(|one| one.as_str() == word);
        known.unwrap_or(Self::Waiting)
    }
}

/// Whether the scanner answered the last time, so that the log says once that it is away and once that it is back.
#[derive(Debug, Default)]
pub(super) struct ScannerHealth {
    is_away: AtomicBool,
}

impl ScannerHealth {
    fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    fn answered(&self) {
        if self.is_away.swap(false, Ordering::Relaxed) {
            tracing::info!("the virus scanner answers again");
        }
    }

    fn failed(&self, config: &Config, error: &io::Error) {
        if !self.is_away.swap(true, Ordering::Relaxed) {
            tracing::error!(clamd = %config.clamd, %error, "the virus scanner does not answer");
        }
    }
}

/// What became of a waiting file.
enum Scanned {
    Decided,
    ScannerAway,
    Undecided,
}

/// How long a file waits that the scanner did not decide, or did not take for the first time.
const AGAIN: Duration = Duration::from_secs(60);

/// How long a file waits at most that the scanner does not take.
const AGAIN_AT_LAST: Duration = Duration::from_secs(24 * 60 * 60);

fn later(now: i64, wait: Duration) -> i64 {
    now.saturating_add_unsigned(wait.as_secs())
}

impl Uploads {
    /// Scans an examined file, as the settings say.
    ///
    /// # Errors
    /// The file has a virus, or is too large for the scanner; the file cannot be read.
    pub(super) async fn scan(&self, examined: &Examined) -> Result<ScanStatus, Error> {
        let config = &self.inner.config;
        let if_away = match config.virus_scan {
            VirusScan::Off => return Ok(ScanStatus::NotScanned),
            VirusScan::Optional => ScanStatus::NotScanned,
            VirusScan::Required => ScanStatus::Waiting,
        };
        // A scanner that hangs would keep the workers for its whole time. The background task finds out when it is back.
        if self.inner.scanner.is_away() {
            return Ok(if_away);
        }
        let file = tokio::fs::File::from_std(examined.open()?);
        match self.verdict(file).await {
            Some(Verdict::Clean) => Ok(ScanStatus::Clean),
            Some(Verdict::Infected(name)) => Err(UploadRejection::Virus { name }.into()),
            Some(Verdict::TooLarge) => {
                report_size(examined.size);
                Err(UploadRejection::TooLargeToScan.into())
            }
            None => Ok(if_away),
        }
    }

    /// The verdict, or `None` if the scanner is away.
    pub(super) async fn verdict(&self, file: impl AsyncRead + Unpin) -> Option<Verdict> {
        let config = &self.inner.config;
        match config.clamd.scan(file, config.virus_scan_timeout).await {
            Ok(verdict) => {
                self.inner.scanner.answered();
                Some(verdict)
            }
            Err(error) => {
                self.inner.scanner.failed(config, &error);
                None
            }
        }
    }

    /// Whether the scanner answers now, if files are scanned.
    pub(super) async fn scanner_answers(&self) -> bool {
        let config = &self.inner.config;
        if config.virus_scan == VirusScan::Off {
            return false;
        }
        match config.clamd.ping(PATIENCE).await {
            Ok(()) => {
                self.inner.scanner.answered();
                true
            }
            Err(error) => {
                self.inner.scanner.failed(config, &error);
                false
            }
        }
    }

    /// Scans the files that wait for the virus scanner, one after the other. Stops when the scanner does not answer; a file
    /// that the scanner cannot decide waits on, and those after it are scanned. Returns how many files were decided. The
    /// application does it every ten seconds.
    ///
    /// A file that is too large for the scanner is read again after a minute, then after four, and so on up to once a day, by one
    /// node; one that the scanner cannot decide, once a minute.
    ///
    /// # Errors
    /// The database or the storage failed.
    pub async fn scan_waiting(&self) -> Result<usize, Error> {
        if !self.scanner_answers().await {
            return Ok(0);
        }
        let Inner { db, clock, .. } = &*self.inner;
        let (mut decided, mut after) = (0, String::new());
        loop {
            let waiting = rows::waiting(db, clock.now(), &after).await?;
            let Some(last) = waiting.last() else {
                return Ok(decided);
            };
            after = last.id.to_string();
            for kept in &waiting {
                match self.scan_one(kept).await? {
                    Scanned::Decided => decided += 1,
                    Scanned::Undecided => {}
                    Scanned::ScannerAway => return Ok(decided),
                }
            }
        }
    }

    async fn scan_one(&self, kept: &StoredFile) -> Result<Scanned, Error> {
        let Inner {
            db, clock, config, ..
        } = &*self.inner;
        let now = clock.now();
        // Longer than a scan: a node that is killed keeps the file no longer.
        let lease = config.virus_scan_timeout + AGAIN;
        if !rows::take_to_scan(db, &kept.id, now, later(now, lease)).await? {
            return Ok(Scanned::Undecided);
        }
        let file = match self.open_kept(kept).await {
            Ok(file) => file,
            // It was released since the list was read, or its bytes are lost, which the sweep reports.
            Err(Error::Damaged) => return Ok(Scanned::Undecided),
            Err(error) => return Err(error),
        };
        match self.verdict(file).await {
            Some(Verdict::Clean) => self.release_scanned(kept).await?,
            Some(Verdict::Infected(name)) => self.delete_infected(kept, &name).await?,
            Some(Verdict::TooLarge) => {
                let wait = AGAIN.saturating_mul(4_u32.saturating_pow(kept.scan_tries));
                let wait = wait.min(AGAIN_AT_LAST);
                rows::scan_later(db, &kept.id, later(now, wait), true).await?;
                // Once for each file.
                if kept.scan_tries == 0 {
                    report_size(kept.size);
                }
                return Ok(Scanned::Undecided);
            }
            None if self.scanner_answers().await => {
                rows::scan_later(db, &kept.id, later(now, AGAIN), false).await?;
                return Ok(Scanned::Undecided);
            }
            None => {
                rows::scan_later(db, &kept.id, now, false).await?;
                return Ok(Scanned::ScannerAway);
            }
        }
        Ok(Scanned::Decided)
    }

    async fn release_scanned(&self, kept: &StoredFile) -> Result<(), Error> {
        rows::scanned(&self.inner.db, &kept.id, ScanStatus::Clean).await
    }

    /// Another node may have been quicker; then there is nothing left to do.
    async fn delete_infected(&self, kept: &StoredFile, name: &str) -> Result<(), Error> {
        let tx = self.inner.db.begin().await?;
        if !rows::scanned_in(&tx, &kept.id, ScanStatus::Infected).await? {
            return Ok(());
        }
        let entry = about(Event::UploadValidation, kept).outcome("refused");
        self.record_in(&tx, entry.detail(format!("virus: {name}")))
            .await?;
        thumbnail_rows::leaving_with(&tx, &kept.id).await?;
        tx.commit().await?;
        self.remove_thumbnails(&kept.id).await?;
        self.remove_bytes(&kept.id).await
    }
}

fn report_size(bytes: u64) {
    tracing::error!(
        bytes,
        "clamd does not scan a file of this size: raise StreamMaxLength, MaxFileSize and MaxScanSize above the largest field"
    );
}

/// The findings about the scanner that need no connection.
pub(super) fn findings(config: &Config) -> Option<Finding> {
    if config.virus_scan == VirusScan::Off || !config.clamd.is_elsewhere() {
        return None;
    }
    let title = format!(
        "all uploads travel unencrypted to the virus scanner at {}",
        config.clamd
    );
    Some(
        Finding::warn(Practice::Uploads, "uploads-clamd-elsewhere", title)
            .why("clamd speaks no TLS: everybody on the way can read the files, and can answer that they are clean.")
            .fix("Run clamd on this machine, or set uploads.clamd to the end of a tunnel on this machine.")
            .cwe(319),
    )
}

/// The finding about a scanner that does not answer now. The application starts without it.
pub(crate) async fn unreachable(config: &Config) -> Option<Finding> {
    if config.virus_scan == VirusScan::Off {
        return None;
    }
    let error = config.clamd.ping(PATIENCE).await.err()?;
    let title = format!(
        "the virus scanner at {} does not answer: {error}",
        config.clamd
    );
    let until = match config.virus_scan {
        VirusScan::Required => "Until it does, nobody can open a new file.",
        VirusScan::Off | VirusScan::Optional => {
            "Until it does, files are stored and served unscanned."
        }
    };
    Some(
        Finding::warn(Practice::Uploads, "uploads-clamd", title)
            .why(until)
            .fix("Start clamd, or set uploads.clamd to its socket or its host and port."),
    )
}

/// How long `check` and the start wait for clamd.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

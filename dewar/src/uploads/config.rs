//! The settings of the room, section `uploads`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::clamd::ClamdAddress;
use super::storage::{self, AwsEnvironment, S3Config, StoragePlace};
use super::upload::MIB;
use super::virus_scan::VirusScan;
use crate::audit::{FreeSpace, Section};
use crate::https::HttpsOrigin;

/// The directory of the files, and the limits.
///
/// ```
/// use dewar::audit::Settings;
/// use dewar::uploads::{Config, MIB};
///
/// let settings = Settings::read(None, []);
/// let config = Config::read(&settings.section("uploads"), "data".as_ref());
/// assert_eq!(config.quota_bytes, 500 * MIB);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The directory of quarantine and, if the storage is the disk, of stored files; never below a directory that is served.
    pub directory: PathBuf,
    /// Where stored files are.
    pub storage: StoragePlace,
    /// How Dewar speaks with S3.
    pub s3: S3Config,
    /// The most bytes that one owner may store.
    pub quota_bytes: u64,
    /// The most files that one owner may store.
    pub quota_files: u64,
    /// Files that are examined at once; each picture takes up to 800 MiB of memory for a moment.
    pub workers: usize,
    /// Files that wait for a worker; the next one gets 503.
    pub queue: usize,
    /// Files of one owner that wait or are being examined; the owner's next one gets 503.
    pub max_per_owner: usize,
    /// Bytes of all files that arrive or wait in quarantine; further ones get 503.
    pub under_way: u64,
    /// All files that arrive or wait in quarantine; the next one gets 503.
    pub under_way_files: usize,
    /// The bytes that stay free on the disk beside all files; a file that would take them gets 507.
    pub free_space: u64,
    /// Tickets of one owner for files that browsers send to the bucket, used or not, until each ends; the next one gets 503.
    pub tickets_per_owner: u64,
    /// All such tickets; the next one gets 503.
    pub tickets: u64,
    /// Bytes of all files with such tickets.
    pub ticket_bytes: u64,
    /// How long a browser may send a file to the bucket, and the form after it.
    pub ticket_ttl: Duration,
    /// How long a file may take from the bucket into quarantine.
    pub fetch_timeout: Duration,
    /// How long a file waits for a worker.
    pub wait: Duration,
    /// Whether a virus scanner sees each file.
    pub virus_scan: VirusScan,
    /// The address of the virus scanner.
    pub clamd: ClamdAddress,
    /// How long the virus scanner may take for one file.
    pub virus_scan_timeout: Duration,
    /// How long one file may be examined; one that takes longer is refused.
    pub examine_timeout: Duration,
    /// The age at which a sweep in a serving process deletes a file that is in quarantine or pending.
    pub pending_ttl: Duration,
}

impl Config {
    /// The defaults, with files below `data`.
    #[must_use]
    pub fn below(data: &Path) -> Self {
        Self {
            directory: data.join("uploads"),
            storage: StoragePlace::Disk,
            s3: S3Config::default(),
            quota_bytes: 500 * MIB,
            quota_files: 1_000,
            workers: 2,
            queue: 32,
            max_per_owner: 8,
            under_way: 2 * 1024 * MIB,
            under_way_files: 1_000,
            free_space: 32 * MIB,
            tickets_per_owner: 20,
            tickets: 1_000,
            ticket_bytes: 16 * 1024 * MIB,
            ticket_ttl: Duration::from_secs(15 * 60),
            fetch_timeout: Duration::from_secs(20),
            wait: Duration::from_secs(20),
            virus_scan: VirusScan::Off,
            clamd: ClamdAddress::debian(),
            virus_scan_timeout: Duration::from_secs(60),
            examine_timeout: Duration::from_secs(60),
            pending_ttl: Duration::from_secs(60 * 60),
        }
    }

    /// Reads the section `uploads`; missing settings get their defaults.
    #[must_use]
    pub fn read(section: &Section<'_>, data: &Path) -> Self {
        let default = Self::below(data);
        let seconds = Duration::from_secs;
        Self {
            directory: section.path("directory", &default.directory),
            storage: storage::read_place(section),
            s3: storage::read_s3(section),
            quota_bytes: section.bytes("quota", default.quota_bytes, MIB..=1024 * 1024 * MIB),
            quota_files: section.integer("quota_files", default.quota_files, 1..=1_000_000),
            workers: small(section.integer("workers", 2, 1..=64)),
            queue: small(section.integer("queue", 32, 0..=10_000)),
            max_per_owner: small(section.integer("max_per_owner", 8, 1..=10_000)),
            under_way_files: small(section.integer("under_way_files", 1_000, 1..=1_000_000)),
            under_way: section.bytes("under_way", default.under_way, MIB..=1024 * 1024 * MIB),
            free_space: section.bytes("free_space", default.free_space, 0..=1024 * 1024 * MIB),
            tickets_per_owner: section.integer("tickets_per_owner", 20, 1..=1_000),
            tickets: section.integer("tickets", 1_000, 1..=100_000),
            ticket_bytes: section.bytes(
                "ticket_bytes",
                default.ticket_bytes,
                MIB..=16 * 1024 * 1024 * MIB,
            ),
            ticket_ttl: section.duration(
                "ticket_ttl",
                default.ticket_ttl,
                seconds(60)..=seconds(60 * 60),
            ),
            fetch_timeout: section.duration(
                "fetch_timeout",
                default.fetch_timeout,
                seconds(1)..=seconds(600),
            ),
            wait: section.duration("wait", default.wait, seconds(1)..=seconds(300)),
            virus_scan: section.choice("virus_scan", default.virus_scan, &VirusScan::WORDS),
            clamd: clamd(section, default.clamd),
            virus_scan_timeout: section.duration(
                "virus_scan_timeout",
                default.virus_scan_timeout,
                seconds(1)..=seconds(600),
            ),
            examine_timeout: section.duration(
                "examine_timeout",
                default.examine_timeout,
                seconds(5)..=seconds(600),
            ),
            pending_ttl: section.duration(
                "pending_ttl",
                default.pending_ttl,
                seconds(60)..=seconds(7 * 24 * 60 * 60),
            ),
        }
    }

    /// Adds the variables of the AWS tools.
    #[must_use]
    pub(crate) fn with_aws(mut self, environment: AwsEnvironment) -> Self {
        self.s3.environment = environment;
        self
    }

    /// Whether a browser can send a file to the storage itself.
    pub(crate) fn takes_direct(&self) -> bool {
        self.storage != StoragePlace::Disk
    }

    /// The place in the bucket to which browsers send files, as a policy of pages names it.
    pub(crate) fn direct_target(&self) -> Option<HttpsOrigin> {
        let StoragePlace::S3(bucket) = &self.storage else {
            return None;
        };
        let endpoint = self.s3.endpoint_url()?;
        Some(HttpsOrigin::of_bucket(&endpoint, &bucket.incoming()))
    }

    /// The quarantine directory: the room `forms` writes unexamined files there.
    #[must_use]
    pub fn quarantine(&self) -> PathBuf {
        self.directory.join("quarantine")
    }

    /// The space that stays free.
    pub(crate) fn free(&self) -> FreeSpace {
        FreeSpace::new(&self.directory, self.free_space)
    }

    /// The lock file, by which a process detects another one that uses the directory.
    pub(super) fn lock(&self) -> PathBuf {
        self.directory.join("lock")
    }

    /// The directory of stored files.
    pub(crate) fn kept(&self) -> PathBuf {
        self.directory.join("kept")
    }
}

fn clamd(section: &Section<'_>, default: ClamdAddress) -> ClamdAddress {
    let text = section.text("clamd", &default.to_string());
    ClamdAddress::parse(&text).unwrap_or_else(|| {
        section.refuse(
            "clamd",
            "the path of clamd's socket (\"/run/clamav/clamd.ctl\") or a host with its port (\"127.0.0.1:3310\")",
        );
        default
    })
}

fn small(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

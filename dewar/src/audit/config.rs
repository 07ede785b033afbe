use super::{Keeping, MIB, Settings};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The limits of the audit log and the request log.
///
/// ```
/// use dewar::audit::{Config, Settings};
/// assert_eq!(Config::read(&Settings::read(None, [])).requests, 100);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// How many full files of the audit log Dewar keeps; 0 keeps all.
    pub keep_files: u32,
    /// How long Dewar keeps a full file of the audit log; 0 keeps all.
    pub keep_for: Duration,
    /// Lines of the request log for one address per second; 0 writes none.
    pub requests: u32,
    /// Disk space that Dewar holds back: while the disk is full, it takes sign-ins and the log.
    pub reserve: u64,
    /// The size at which a file of the audit log is full.
    pub rotate_at: u64,
}

impl Config {
    /// Reads `[audit]`.
    #[must_use]
    pub fn read(settings: &Settings) -> Self {
        let section = settings.section("audit");
        let default = Self::default();
        let number = |key, default: u32, most| {
            let number = section.integer(key, default.into(), 0..=most);
            u32::try_from(number).unwrap_or(default)
        };
        Self {
            keep_files: number("keep_files", default.keep_files, 100_000),
            keep_for: section.duration("keep_for", default.keep_for, Duration::ZERO..=3650 * DAY),
            requests: number("requests", default.requests, 100_000),
            reserve: section.bytes("reserve", default.reserve, MIB..=1024 * MIB),
            rotate_at: section.bytes("rotate_at", default.rotate_at, MIB..=1024 * MIB),
        }
    }

    pub(crate) fn keeping(&self) -> Keeping {
        let files = usize::try_from(self.keep_files).ok();
        Keeping {
            rotate_at: self.rotate_at,
            files: files.filter(|files| *files > 0),
            age: Some(self.keep_for).filter(|age| !age.is_zero()),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            keep_files: 0,
            keep_for: Duration::ZERO,
            requests: 100,
            reserve: 16 * MIB,
            rotate_at: 64 * MIB,
        }
    }
}

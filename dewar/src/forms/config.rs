use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::arriving::{Arriving, BlockWriters};
use super::concurrency::{MostUnderWay, RequestSender, UnderWay};
use super::incoming::{Shortage, Stop};
use crate::audit::{FreeSpace, KIB, MIB, Reserve, Section, Settings};

const MINUTE: Duration = Duration::from_secs(60);

/// The settings of `[forms]`: limits of what a form may send.
///
/// | setting | default | bounds |
/// |---|---|---|
/// | `body` | 1 MiB | 4 KiB to 16 MiB |
/// | `fields` | 200 | 1 to 2,000 |
/// | `files` | 20 | 1 to 200 |
/// | `rate_limit` | 60 | 5 to 1,000,000 |
/// | `visitor_rate_limit` | 300 | 5 to 1,000,000 |
/// | `rate_window` | 1 minute | 1 second to 1 hour |
///
/// ```
/// let config = dewar::forms::Config::default();
/// assert_eq!(config.fields, 200);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The most bytes of all texts together.
    pub body: usize,
    /// The most fields.
    pub fields: usize,
    /// The most files. Each has its own limit of bytes in its type.
    pub files: usize,
    /// The rate limits of each sender.
    pub rates: Rates,
}

/// The rate limits of requests that change something, over all routes that set no limit of their own. After a pause, a sender may
/// send as many at once.
///
/// ```
/// assert_eq!(dewar::forms::Rates::default().person, 60);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rates {
    /// The requests that a signed-in user may send.
    pub person: u32,
    /// The requests that the visitors of one network address may send together.
    pub address: u32,
    /// The period in which they count.
    pub within: Duration,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            person: 60,
            address: 300,
            within: MINUTE,
        }
    }
}

impl Rates {
    fn read(section: &Section<'_>) -> Self {
        let preset = Self::default();
        let times = |name, preset: u32| {
            let times = section.integer(name, preset.into(), 5..=1_000_000);
            u32::try_from(times).unwrap_or(preset)
        };
        let hour = MINUTE * 60;
        Self {
            person: times("rate_limit", preset.person),
            address: times("visitor_rate_limit", preset.address),
            within: section.duration("rate_window", preset.within, Duration::from_secs(1)..=hour),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            body: 1024 * 1024,
            fields: 200,
            files: 20,
            rates: Rates::default(),
        }
    }
}

impl Config {
    /// Reads `[forms]`.
    #[must_use]
    pub fn read(settings: &Settings) -> Self {
        let section = settings.section("forms");
        Self {
            body: small(section.bytes("body", MIB, 4 * KIB..=16 * MIB)),
            fields: small(section.integer("fields", 200, 1..=2_000)),
            files: small(section.integer("files", 20, 1..=200)),
            rates: Rates::read(&section),
        }
    }
}

fn small(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The most bytes of a field's name.
pub(super) const NAME: usize = 64;

/// The room's handle: its limits, and the quarantine where uploaded files wait for their check.
///
/// `uploads` makes the directory and removes old files from it. Without it, Dewar answers a form with a file with 500.
///
/// ```
/// use dewar::forms::{Config, Intake};
/// let intake = Intake::new(Config::default(), "data/uploads/quarantine");
/// assert_eq!(intake.config().files, 20);
/// ```
#[derive(Debug, Clone)]
pub struct Intake(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    config: Config,
    quarantine: PathBuf,
    min_password_length: usize,
    reserve: Option<Reserve>,
    free: Option<FreeSpace>,
    under_way: UnderWay,
    writers: BlockWriters,
    kept: Option<KeptBytes>,
}

type Counting = Pin<Box<dyn Future<Output = io::Result<u64>> + Send>>;

/// Counts the bytes that a user stores. The room `uploads` knows that number, but it comes after this one.
#[derive(Clone)]
struct KeptBytes(Arc<dyn Fn(i64) -> Counting + Send + Sync>);

impl fmt::Debug for KeptBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptBytes")
    }
}

impl Intake {
    /// A handle with limits, and a directory that only its owner can read.
    #[must_use]
    pub fn new(config: Config, quarantine: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Inner {
            config,
            quarantine: quarantine.into(),
            min_password_length: 0,
            reserve: None,
            free: None,
            under_way: UnderWay::new(MostUnderWay {
                files: config.files,
                bytes: 1024 * MIB,
                all_files: usize::MAX,
                all: 1024 * MIB,
            }),
            writers: BlockWriters::default(),
            kept: None,
        }))
    }

    /// Sets the minimum length of a new password from the settings of accounts.
    #[must_use]
    pub(crate) fn with_min_password_length(self, least: usize) -> Self {
        self.changed(|inner| inner.min_password_length = least)
    }

    pub(crate) fn min_password_length(&self) -> usize {
        self.0.min_password_length
    }

    /// Makes it refuse files while the disk is full.
    pub(crate) fn beside(self, reserve: Reserve) -> Self {
        self.changed(|inner| inner.reserve = Some(reserve))
    }

    /// The files and bytes that arrive or wait in quarantine.
    pub(crate) fn under_way(&self) -> (usize, u64) {
        self.0.under_way.in_all()
    }

    /// Makes it refuse files that would leave less space than this free.
    pub(crate) fn keeping_free(self, free: FreeSpace) -> Self {
        self.changed(|inner| inner.free = Some(free))
    }

    /// Limits the uploads in progress.
    pub(crate) fn bounded(self, most: MostUnderWay) -> Self {
        self.changed(|inner| inner.under_way = UnderWay::new(most))
    }

    /// Counts uploads in progress together with the bytes that their sender stores.
    pub(crate) fn beside_kept<F>(self, of: impl Fn(i64) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<u64>> + Send + 'static,
    {
        let kept = KeptBytes(Arc::new(move |person| Box::pin(of(person))));
        self.changed(|inner| inner.kept = Some(kept))
    }

    fn changed(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        change(&mut inner);
        Self(Arc::new(inner))
    }

    /// Whether the disk is full. Users who sign in may use the reserve.
    pub(crate) fn is_disk_full(&self) -> bool {
        let reserve = self.0.reserve.as_ref();
        reserve.is_some_and(Reserve::is_given_up)
    }

    /// Begins to receive a file of this sender.
    pub(super) async fn arriving(&self, sender: RequestSender) -> Result<Arriving, Stop> {
        self.has_room()?;
        let kept = match (sender, &self.0.kept) {
            (RequestSender::Person(person), Some(kept)) => (kept.0)(person).await?,
            (RequestSender::Person(_) | RequestSender::Network(_), _) => 0,
        };
        let ticket = self.0.under_way.begin(sender, kept)?;
        let (free, writers) = (self.0.free.clone(), self.0.writers.clone());
        Ok(Arriving::create(&self.0.quarantine, Some(ticket), free, writers).await?)
    }

    /// Checks the disk again for each piece of a file: an upload that began before the disk was full stops.
    pub(super) fn has_room(&self) -> Result<(), Stop> {
        if self.is_disk_full() {
            return Err(Stop::Full(Shortage::Disk));
        }
        Ok(())
    }

    /// The limits.
    #[must_use]
    pub fn config(&self) -> Config {
        self.0.config
    }
}

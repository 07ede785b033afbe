//! **audit: an unsafe application does not start, and nobody can change the audit log without being noticed.**
//!
//! ```
//! use dewar::audit::{Clock, Entry, Event, Log};
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("audit.jsonl");
//! # let key = [7; 32];
//! let log = Log::open(&path, key, Clock::system())?;
//! log.record(Entry::new(Event::AuthnLoginFail).subject("ada@example.org").detail("wrong password"));
//! log.flush().await;
//! assert_eq!(log.verify().await?.entries, 1);
//! # Ok(()) }
//! ```
//!
//! # What it refuses
//!
//! 1. An unknown setting, and a value out of its bounds. Dewar names all of them at once ([`Settings`]).
//! 2. To start while a [`Finding`] refuses the launch.
//! 3. A log that was changed, reordered or cut. [`Log::verify`] names the line.
//! 4. A raw path in a log ([`LoggablePath`]), and a flood of refusals: Dewar counts them instead.
//! 5. Text in the log or on a terminal that breaks out of its line (log injection: CWE-117, CWE-150).
//!
//! # How to loosen it
//!
//! There is no switch. The log cannot be turned off (ASVS 16.2). If an entry cannot be written, Dewar counts it,
//! reports it and logs that it was lost.
//!
//! # What the audit asks
//!
//! Is the log there, complete, and readable by its owner alone? Is it also sent to another machine? The chain shows a
//! change by somebody who has the file but not the key. It cannot show that somebody put the file *and* its `.head`
//! back to an earlier day. Every entry is also a `tracing` event with the target `dewar::audit`; send that to a second
//! place.

mod clock;
mod command_line;
mod config;
mod error;
mod event;
mod finding;
mod free_space;
pub(crate) mod inventory;
mod invisible;
mod log;
mod mode;
mod node;
pub(crate) mod owner_only;
mod path;
mod practice;
mod reserve;
pub(crate) mod sanitize;
mod settings;
mod size;

pub use clock::Clock;
pub(crate) use command_line::command_line;
pub use config::Config;
pub use error::Error;
pub use event::{Event, EventSource, Level};
pub use finding::{Finding, Severity, report};
pub(crate) use free_space::FreeSpace;
pub(crate) use invisible::is_invisible;
pub use log::{BrokenLog, COUNTED_WITHIN, ChainKeys, Entry, Log, Recorded, Remark, VerifiedLog};
pub(crate) use log::{Keeping, Opening, OutboxEntry, Remembered, exposed};
pub use mode::Mode;
pub(crate) use node::NodeName;
pub use path::LoggablePath;
pub(crate) use path::{RoutePattern, reads_plainly};
pub use practice::Practice;
pub(crate) use reserve::Reserve;
pub(crate) use sanitize::{network, peer_text};
#[cfg(test)]
pub(crate) use settings::RENAMED;
pub(crate) use settings::nearest::near;
pub use settings::{
    BoundedValue, ByteSize, DeclaredSetting, KnownSetting, Section, SettingField, SettingValue,
    Settings, SettingsSection,
};
pub(crate) use settings::{Flag, PREFIX, SECRET_FILE, duration, variable};
pub(crate) use size::{KIB, MIB, UNITS, size, whole_units};

/// The examples on the practice's page are compiled like those of the code.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/practices/audit.md")]
struct PracticePage;

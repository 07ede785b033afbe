use std::path::{Path, PathBuf};
use std::time::Duration;

use super::server::{Destination, Server};
use crate::audit::{Finding, Mode, Section, Settings};
use crate::uploads::MIB;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The settings of `[mail]`.
///
/// | setting | default | bounds | what for |
/// |---|---|---|---|
/// | `mail.transport` | `outbox` | `outbox`, `none`, `smtps://user@host:465`, `smtp://user@host:587` | where letters go; required in production |
/// | `mail.password_file` | none | a path | the mail server's password |
/// | `mail.ca_file` | the system's | a path | the only authority (PEM) whose certificates the mail server may have |
/// | `mail.from` | `no-reply@localhost` | an address | the sender |
/// | `mail.recipient_limit` | 20 | 1 to 10,000 | the application's letters to one address within `mail.limit_window`; one person causes at most half |
/// | `mail.sender_limit` | 100 | 1 to 100,000 | letters that one person, or one network without a session, causes in the same time |
/// | `mail.limit_window` | 1 hour | 1 minute to 1 day | |
/// | `mail.max_waiting` | 10,000 | 100 to 1,000,000 | letters of each kind that wait for the mail server |
/// | `mail.max_waiting_bytes` | 256 MiB | 128 MiB to 64 GiB | letters with attachments that wait or were given up |
/// | `mail.max_size` | 10 MiB | 1 MiB to 32 MiB | a letter with attachments, as a message |
/// | `mail.give_up_after` | 3 days | 10 minutes to 2 weeks | how long Dewar tries to send a letter |
///
/// ```
/// let config = dewar::mail::Config::default();
/// assert_eq!(config.recipient_limit, 20);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The destination of letters.
    pub destination: Destination,
    /// The sender of letters.
    pub from: String,
    /// The most letters of the application to one address in the window.
    pub recipient_limit: u64,
    /// The most letters that one person causes in the window.
    pub sender_limit: u64,
    /// The window of both limits.
    pub limit_window: Duration,
    /// The most letters of a kind that wait.
    pub max_waiting: u64,
    /// The most bytes of letters with attachments that wait or can be tried again.
    pub max_waiting_bytes: u64,
    /// The most bytes of a letter with attachments, as a message.
    pub max_size: u64,
    /// How long Dewar tries to send a letter.
    pub give_up_after: Duration,
    /// The text of `mail.transport`. In production it has no default.
    pub(super) transport: TransportSetting,
}

/// The text of `mail.transport`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransportSetting {
    Nothing,
    /// A text that is no valid transport.
    Unusable,
    /// The value is no text; a finding of the settings reports it.
    Refused,
    Something,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            destination: Destination::Outbox(PathBuf::from("outbox")),
            from: "no-reply@localhost".to_owned(),
            recipient_limit: 20,
            sender_limit: 100,
            limit_window: HOUR,
            max_waiting: 10_000,
            max_waiting_bytes: 256 * MIB,
            max_size: 10 * MIB,
            give_up_after: 3 * DAY,
            transport: TransportSetting::Nothing,
        }
    }
}

impl Config {
    /// Reads `[mail]`. The outbox is in the data directory.
    #[must_use]
    pub fn read(settings: &Settings, data: &Path) -> Self {
        let default = Self::default();
        let mail = settings.section("mail");
        let (destination, transport) = destination(&mail, data);
        let mut from = mail.text("from", &default.from);
        if from.parse::<lettre::message::Mailbox>().is_err() {
            mail.refuse(
                "from",
                "an email address, such as \"Paperhouse <no-reply@example.org>\"",
            );
            from.clone_from(&default.from);
        }
        Self {
            destination,
            from,
            recipient_limit: mail.integer("recipient_limit", default.recipient_limit, 1..=10_000),
            sender_limit: mail.integer("sender_limit", default.sender_limit, 1..=100_000),
            limit_window: mail.duration("limit_window", default.limit_window, MINUTE..=DAY),
            max_waiting: mail.integer("max_waiting", default.max_waiting, 100..=1_000_000),
            max_waiting_bytes: mail.bytes(
                "max_waiting_bytes",
                default.max_waiting_bytes,
                128 * MIB..=64 * 1024 * MIB,
            ),
            max_size: mail.bytes("max_size", default.max_size, MIB..=32 * MIB),
            give_up_after: mail.duration(
                "give_up_after",
                default.give_up_after,
                10 * MINUTE..=14 * DAY,
            ),
            transport,
        }
    }

    /// The checks at start: see `checks`.
    #[must_use]
    pub fn findings(&self, mode: Mode) -> Vec<Finding> {
        super::checks::findings(self, mode)
    }
}

fn destination(mail: &Section<'_>, data: &Path) -> (Destination, TransportSetting) {
    let outbox = Destination::Outbox(data.join("outbox"));
    let password_file = mail.optional_path("password_file");
    let authority = mail.optional_path("ca_file");
    let written = mail.optional_text("transport");
    match written.as_deref() {
        None if mail.is_refused("transport") => (outbox, TransportSetting::Refused),
        None => (outbox, TransportSetting::Nothing),
        Some("outbox") => (outbox, TransportSetting::Something),
        Some("none") => (Destination::Disabled, TransportSetting::Something),
        Some(text) => match Server::parse(text) {
            Some(server) => (
                Destination::Smtp(Server {
                    authority,
                    password_file,
                    ..server
                }),
                TransportSetting::Something,
            ),
            None => (outbox, TransportSetting::Unusable),
        },
    }
}

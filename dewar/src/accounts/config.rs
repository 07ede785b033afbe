use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::Duration;

use super::mail::{Destination, Server};
use super::password::MIN_PASSWORD_LENGTH;
use super::rate_limiter::Rate;
use crate::audit::{Finding, Mode, Section, Settings};

const MINUTE: Duration = Duration::from_secs(60);

/// The settings of `[accounts]` and `[mail]`.
///
/// | setting | default | bounds | what for |
/// |---|---|---|---|
/// | `accounts.sign_up` | `open` | `open`, `closed` | whether visitors may make an account |
/// | `accounts.role` | none, or the one that the application [sets](crate::App::sign_up_as) | a role of the application, not the administrator's | the role of everybody who signs up |
/// | `accounts.min_password_length` | 15 | 15 to 64 | of a new password (NIST SP 800-63B-4, 3.1.1.2) |
/// | `accounts.hash_threads` | the cores | 1 to 64 | hashing threads, 19 MiB each |
/// | `accounts.hash_queue` | 32 | 0 to 1,024 | hashes that may wait; Dewar answers further ones with 503. A quarter more may wait for known browsers, sessions and links |
/// | `accounts.rate_limit` | 30 | 3 to 1,000 | attempts from one address within `accounts.rate_window`; as many from the known browsers of an account |
/// | `accounts.rate_window` | 10 minutes | 1 minute to 1 day | |
/// | `mail.transport` | `outbox` | `outbox`, `none`, `smtps://user@host:465`, `smtp://user@host:587` | where letters go; required in production |
/// | `mail.password_file` | none | a path | the mail server's password |
/// | `mail.ca_file` | the system's | a path | the only authority (PEM) whose certificates the mail server may have |
/// | `mail.from` | `no-reply@localhost` | an address | the sender |
///
/// ```
/// let config = dewar::accounts::Config::default();
/// assert_eq!(config.min_password_length, 15);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Whether visitors may make an account.
    pub sign_up: SignUps,
    /// The role of everybody who signs up.
    pub role: Option<String>,
    /// The fewest characters of a new password.
    pub min_password_length: usize,
    /// The hashing threads.
    pub hash_threads: NonZeroUsize,
    /// How many hashes may wait.
    pub hash_queue: usize,
    /// How many attempts one address may make.
    pub rate_limit: u32,
    /// The period in which they count.
    pub rate_window: Duration,
    /// The destination of letters.
    pub mail: Destination,
    /// The sender of letters.
    pub mail_from: String,
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

/// Whether visitors may make an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignUps {
    /// Only administrators make accounts.
    Closed,
    /// Everybody can make one.
    Open,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sign_up: SignUps::Open,
            role: None,
            min_password_length: MIN_PASSWORD_LENGTH,
            hash_threads: available_parallelism().unwrap_or(NonZeroUsize::MIN),
            hash_queue: 32,
            rate_limit: 30,
            rate_window: 10 * MINUTE,
            mail: Destination::Outbox(PathBuf::from("outbox")),
            mail_from: "no-reply@localhost".to_owned(),
            transport: TransportSetting::Nothing,
        }
    }
}

impl Config {
    /// Reads `[accounts]` and `[mail]`. The outbox is in the data directory.
    #[must_use]
    pub fn read(settings: &Settings, data: &Path) -> Self {
        let default = Self::default();
        let accounts = settings.section("accounts");
        let mail = settings.section("mail");
        let threads = accounts.integer("hash_threads", default.hash_threads.get() as u64, 1..=64);
        let (destination, transport) = destination(&mail, data);
        let signs = [("open", SignUps::Open), ("closed", SignUps::Closed)];
        let mut from = mail.text("from", &default.mail_from);
        if from.parse::<lettre::message::Mailbox>().is_err() {
            mail.refuse(
                "from",
                "an email address, such as \"Paperhouse <no-reply@example.org>\"",
            );
            from.clone_from(&default.mail_from);
        }
        Self {
            sign_up: accounts.choice("sign_up", default.sign_up, &signs),
            role: accounts.optional_text("role"),
            min_password_length: size(accounts.integer(
                "min_password_length",
                MIN_PASSWORD_LENGTH as u64,
                MIN_PASSWORD_LENGTH as u64..=64,
            )),
            hash_threads: NonZeroUsize::new(size(threads)).unwrap_or(NonZeroUsize::MIN),
            hash_queue: size(accounts.integer("hash_queue", default.hash_queue as u64, 0..=1024)),
            rate_limit: accounts
                .integer("rate_limit", default.rate_limit.into(), 3..=1000)
                .try_into()
                .unwrap_or(default.rate_limit),
            rate_window: accounts.duration(
                "rate_window",
                default.rate_window,
                MINUTE..=24 * 60 * MINUTE,
            ),
            mail: destination,
            mail_from: from,
            transport,
        }
    }

    pub(super) fn attempt_rate(&self) -> Rate {
        Rate {
            times: self.rate_limit,
            within: self.rate_window,
        }
    }

    /// Sets the role from the application's code, if the settings set none.
    pub(crate) fn role_or(&mut self, role: Option<&'static str>) {
        if self.role.is_none() {
            self.role = role.map(str::to_owned);
        }
    }

    /// A finding if everybody who signs up would be an administrator.
    pub(crate) fn gives_everybody(&self, administrator: &str) -> Option<Finding> {
        super::checks::gives_everybody(self, administrator)
    }

    /// A finding if users who sign up would get none of these roles, which do not include the administrator's.
    pub(crate) fn gives_nobody(&self, roles: &[&str]) -> Option<Finding> {
        super::checks::gives_nobody(self, roles)
    }

    /// The checks at start: see `checks`.
    #[must_use]
    pub fn findings(&self, mode: Mode, roles: &[&str]) -> Vec<Finding> {
        super::checks::findings(self, mode, roles)
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

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

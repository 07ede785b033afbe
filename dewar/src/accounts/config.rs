use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use super::Error;
use super::hash_formats::{FlaskSalt, MOST_BCRYPT_COST, MOST_MEMORY_KIB, MOST_PASSES};
use super::password::{MEMORY_KIB, MIN_PASSWORD_LENGTH, PASSES};
use super::provider::{self, ProviderConfig};
use super::rate_limiter::Rate;
use super::scheme::Scheme;
use crate::audit::{Finding, Settings};
use crate::secrets::Secret;

const KIB: u64 = 1024;
const MINUTE: Duration = Duration::from_secs(60);

/// The settings of `[accounts]`.
///
/// | setting | default | bounds | what for |
/// |---|---|---|---|
/// | `accounts.sign_up` | `open` | `open`, `closed` | whether visitors may make an account |
/// | `accounts.role` | none, or the one that the application [sets](crate::App::sign_up_as) | a role of the application, not the administrator's | the role of everybody who signs up |
/// | `accounts.min_password_length` | 15 | 15 to 64 | of a new password (NIST SP 800-63B-4, 3.1.1.2) |
/// | `accounts.password_hash` | `argon2id` | `argon2id`, `bcrypt` | how new passwords are hashed; bcrypt takes at most 72 bytes |
/// | `accounts.argon2_memory` | 19 MiB | 19 to 128 MiB | memory of Argon2id |
/// | `accounts.argon2_passes` | 2 | 2 to 16 | passes of Argon2id |
/// | `accounts.bcrypt_cost` | 12 | 12 to 14 | cost of bcrypt |
/// | `accounts.hash_threads` | the cores | 1 to 64 | hashing threads, 19 MiB each |
/// | `accounts.hash_queue` | 32 | 0 to 1,024 | hashes that may wait; Dewar answers further ones with 503. A quarter more may wait for known browsers, sessions and links |
/// | `accounts.flask_security_salt_file` | none | a path | `SECURITY_PASSWORD_SALT` of the Flask-Security application whose users were imported |
/// | `accounts.rate_limit` | 30 | 3 to 1,000 | attempts from one address within `accounts.rate_window`; as many from the known browsers of an account |
/// | `accounts.rate_window` | 10 minutes | 1 minute to 1 day | |
/// | `accounts.second_factor_roles` | `administrators` | roles of the application; `administrators` is the administrator's role, `nobody` none | whose holders need a second factor |
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
    /// How new passwords are hashed.
    pub password_hash: PasswordHashing,
    /// The memory of Argon2id, in bytes.
    pub argon2_memory: u64,
    /// The passes of Argon2id.
    pub argon2_passes: u32,
    /// The cost of bcrypt.
    pub bcrypt_cost: u32,
    /// The hashing threads.
    pub hash_threads: NonZeroUsize,
    /// How many hashes may wait.
    pub hash_queue: usize,
    /// The file with the salt of the Flask-Security application whose users were imported.
    pub flask_security_salt_file: Option<PathBuf>,
    /// How many attempts one address may make.
    pub rate_limit: u32,
    /// The period in which they count.
    pub rate_window: Duration,
    /// The providers with which users can sign in.
    pub(crate) providers: Vec<ProviderConfig>,
    /// The roles whose holders need a second factor.
    pub second_factor_roles: Vec<String>,
}

/// The administrator's role, whatever its name is.
pub(super) const ADMINISTRATORS: &str = "administrators";
/// No role.
pub(super) const NOBODY: &str = "nobody";

/// The pages of second factors that an application mounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FactorPages {
    /// All of them.
    All,
    /// None of them.
    None,
    /// Some, so that a user could set a factor up and not sign in with it.
    Some,
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

/// How new passwords are hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordHashing {
    /// Argon2id (RFC 9106).
    Argon2id,
    /// bcrypt, which takes no password of more than 72 bytes.
    Bcrypt,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sign_up: SignUps::Open,
            role: None,
            min_password_length: MIN_PASSWORD_LENGTH,
            password_hash: PasswordHashing::Argon2id,
            argon2_memory: u64::from(MEMORY_KIB) * KIB,
            argon2_passes: PASSES,
            bcrypt_cost: 12,
            hash_threads: available_parallelism().unwrap_or(NonZeroUsize::MIN),
            hash_queue: 32,
            flask_security_salt_file: None,
            rate_limit: 30,
            rate_window: 10 * MINUTE,
            providers: Vec::new(),
            second_factor_roles: vec![ADMINISTRATORS.to_owned()],
        }
    }
}

impl Config {
    /// Reads `[accounts]`.
    #[must_use]
    pub fn read(settings: &Settings) -> Self {
        let default = Self::default();
        let accounts = settings.section("accounts");
        let threads = accounts.integer("hash_threads", default.hash_threads.get() as u64, 1..=64);
        let hashes = [
            ("argon2id", PasswordHashing::Argon2id),
            ("bcrypt", PasswordHashing::Bcrypt),
        ];
        // The default is the floor.
        let small = |name, floor: u32, most: u32| {
            let number = accounts.integer(name, floor.into(), floor.into()..=most.into());
            u32::try_from(number).unwrap_or(floor)
        };
        let signs = [("open", SignUps::Open), ("closed", SignUps::Closed)];
        Self {
            sign_up: accounts.choice("sign_up", default.sign_up, &signs),
            role: accounts.optional_text("role"),
            min_password_length: size(accounts.integer(
                "min_password_length",
                MIN_PASSWORD_LENGTH as u64,
                MIN_PASSWORD_LENGTH as u64..=64,
            )),
            password_hash: accounts.choice("password_hash", default.password_hash, &hashes),
            argon2_memory: accounts.bytes(
                "argon2_memory",
                default.argon2_memory,
                default.argon2_memory..=u64::from(MOST_MEMORY_KIB) * KIB,
            ),
            argon2_passes: small("argon2_passes", PASSES, MOST_PASSES),
            bcrypt_cost: small("bcrypt_cost", 12, MOST_BCRYPT_COST),
            hash_threads: NonZeroUsize::new(size(threads)).unwrap_or(NonZeroUsize::MIN),
            hash_queue: size(accounts.integer("hash_queue", default.hash_queue as u64, 0..=1024)),
            flask_security_salt_file: accounts.optional_path("flask_security_salt_file"),
            rate_limit: accounts
                .integer("rate_limit", default.rate_limit.into(), 3..=1000)
                .try_into()
                .unwrap_or(default.rate_limit),
            rate_window: accounts.duration(
                "rate_window",
                default.rate_window,
                MINUTE..=24 * 60 * MINUTE,
            ),
            providers: provider::read(settings),
            second_factor_roles: accounts.list("second_factor_roles", &[ADMINISTRATORS]),
        }
    }

    /// The algorithm of new hashes.
    pub(crate) fn scheme(&self) -> Scheme {
        match self.password_hash {
            PasswordHashing::Argon2id => Scheme::Argon2id {
                memory_kib: u32::try_from(self.argon2_memory / KIB).unwrap_or(MOST_MEMORY_KIB),
                passes: self.argon2_passes,
            },
            PasswordHashing::Bcrypt => Scheme::Bcrypt {
                cost: self.bcrypt_cost,
            },
        }
    }

    /// Reads the salt of Flask-Security, without the end of its line.
    pub(super) fn flask_security_salt(&self) -> Result<Option<FlaskSalt>, Error> {
        let Some(file) = &self.flask_security_salt_file else {
            return Ok(None);
        };
        let read = std::fs::read_to_string(file);
        let mut salt =
            read.map_err(|error| Error::FlaskSalt(format!("{}: {error}", file.display())))?;
        salt.truncate(salt.trim_end_matches(['\r', '\n']).len());
        if salt.is_empty() {
            return Err(Error::FlaskSalt(format!("{}: it is empty", file.display())));
        }
        Ok(Some(Arc::new(Secret::new(salt))))
    }

    pub(super) fn attempt_rate(&self) -> Rate {
        Rate {
            times: self.rate_limit,
            within: self.rate_window,
        }
    }

    /// The names of the roles whose holders need a second factor.
    pub(super) fn factor_roles(&self, administrator: Option<&str>) -> Vec<String> {
        let roles = self.second_factor_roles.iter().map(String::as_str);
        let roles = roles.filter_map(|role| match role {
            ADMINISTRATORS => administrator,
            NOBODY => None,
            other => Some(other),
        });
        roles.map(str::to_owned).collect()
    }

    /// The findings about second factors, of an application that lets people sign in.
    pub(crate) fn of_second_factors(
        &self,
        roles: &[&str],
        administrator: Option<&str>,
        mounted: FactorPages,
    ) -> Vec<Finding> {
        super::checks::of_second_factors(self, roles, administrator, mounted)
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
    pub fn findings(&self, roles: &[&str]) -> Vec<Finding> {
        super::checks::findings(self, roles)
    }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

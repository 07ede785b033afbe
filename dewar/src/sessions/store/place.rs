use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use crate::audit::owner_only::TooOpen;
use crate::audit::{Finding, Practice};

/// The store of the sessions: the setting `sessions.store`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorePlace {
    /// In the application's own database.
    #[default]
    Database,
    /// In a PostgreSQL database that several nodes share.
    Postgres(Address),
    /// In a Redis or Valkey server that several nodes share.
    Redis(Address),
}

/// The address of a server of sessions. Beyond this machine the connection always uses TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Address {
    /// The server: a name, an address, or the path of its socket.
    pub host: Host,
    /// Its port.
    pub port: u16,
    /// The user name for the connection.
    pub user: Option<String>,
    /// The database: a name, or a number with Redis.
    pub database: Option<String>,
    /// Whether the connection is encrypted.
    pub tls: StoreTls,
    /// The file that holds the password.
    pub password_file: Option<PathBuf>,
    /// The file of the CA that signs the server's certificate, if you run your own.
    pub ca_file: Option<PathBuf>,
}

/// The end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Host {
    /// A name or an address.
    Named(String),
    /// A socket on this machine.
    Socket(PathBuf),
}

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreTls {
    /// The connection never leaves this machine.
    Local,
    /// The connection is encrypted, and the server's certificate is verified.
    Verified,
}

impl StorePlace {
    /// Reads `database`, `redis://localhost:6379/0`, `rediss://user@host:6380`, `redis+unix:///run/redis.sock`,
    /// `postgres://user@host/name` or `postgres:///name?host=/run/postgresql`.
    ///
    /// It refuses a password in the address, because many people read settings and one person reads a file. It also
    /// refuses a server beyond this machine without TLS.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "database" {
            return Some(Self::Database);
        }
        let url = url::Url::parse(text).ok()?;
        if url.password().is_some() || url.fragment().is_some() {
            return None;
        }
        match url.scheme() {
            "postgres" | "postgresql" => Address::of_postgres(&url).map(Self::Postgres),
            "redis" | "rediss" | "redis+unix" => Address::of_redis(&url).map(Self::Redis),
            _ => None,
        }
    }

    /// Adds the files for a server; the application's own database needs none.
    pub(in crate::sessions) fn with_files(
        mut self,
        password: Option<PathBuf>,
        authority: Option<PathBuf>,
    ) -> Self {
        if let Self::Postgres(address) | Self::Redis(address) = &mut self {
            address.password_file = password;
            address.ca_file = authority;
        }
        self
    }

    /// The finding if the program was built without this store.
    pub(in crate::sessions) fn findings(&self) -> Vec<Finding> {
        let (built, feature) = match self {
            Self::Database => (true, ""),
            Self::Postgres(_) => (cfg!(feature = "postgres"), "postgres"),
            Self::Redis(_) => (cfg!(feature = "redis"), "redis"),
        };
        if built {
            return self.password_too_open().into_iter().collect();
        }
        let title = "`sessions.store` names a store that this program does not include";
        vec![
            Finding::refuse(Practice::Sessions, "sessions-store-not-built", title)
                .why("Dewar could not store sessions")
                .fix(format!(
                    "build it with the feature `{feature}` of `dewar`, or set `sessions.store` to \"database\""
                )),
        ]
    }
}

impl StorePlace {
    fn password_too_open(&self) -> Option<Finding> {
        let (Self::Postgres(address) | Self::Redis(address)) = self else {
            return None;
        };
        let open = TooOpen::at(address.password_file.as_deref()?, 0o037)?;
        let title = format!("sessions.password_file: {}", open.title());
        Some(
            Finding::refuse(Practice::Sessions, "sessions-password-readable", title)
                .why("anyone who reads the password can write a session of any user")
                .fix(format!(
                    "{}, and change the password if another user may have read it",
                    open.fix()
                ))
                .cwe(732)
                .asvs(&["13.3.1"]),
        )
    }
}

impl Address {
    fn of_redis(url: &url::Url) -> Option<Self> {
        if url.query().is_some() {
            return None;
        }
        let socket = url.scheme() == "redis+unix";
        let host = match url.host_str().filter(|host| !host.is_empty()) {
            None if socket => Host::Socket(PathBuf::from(url.path())),
            Some(name) if !socket => Host::Named(bare(name)),
            None | Some(_) => return None,
        };
        let encrypted = url.scheme() == "rediss";
        if !encrypted && !host.is_local() {
            return None;
        }
        let database = if socket {
            ""
        } else {
            url.path().trim_matches('/')
        };
        if !database.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self {
            host,
            port: url.port().unwrap_or(6379),
            user: user(url)?,
            database: Some(database.to_owned()).filter(|name| !name.is_empty()),
            tls: if encrypted {
                StoreTls::Verified
            } else {
                StoreTls::Local
            },
            password_file: None,
            ca_file: None,
        })
    }

    /// PostgreSQL has no scheme for TLS, so every connection that leaves this machine uses it.
    fn of_postgres(url: &url::Url) -> Option<Self> {
        let socket = url.query_pairs().find(|(name, _)| name == "host");
        if url.query_pairs().any(|(name, _)| name != "host") {
            return None;
        }
        let host = match (url.host_str().filter(|host| !host.is_empty()), socket) {
            (None, Some((_, path))) if path.starts_with('/') => {
                Host::Socket(PathBuf::from(path.as_ref()))
            }
            (Some(name), None) => Host::Named(bare(name)),
            _ => return None,
        };
        let database = url.path().trim_start_matches('/');
        Some(Self {
            tls: if host.is_local() {
                StoreTls::Local
            } else {
                StoreTls::Verified
            },
            host,
            port: url.port().unwrap_or(5432),
            user: user(url)?,
            database: Some(database.to_owned()).filter(|name| !name.is_empty()),
            password_file: None,
            ca_file: None,
        })
    }
}

impl Host {
    fn is_local(&self) -> bool {
        match self {
            Self::Socket(_) => true,
            Self::Named(name) => {
                let address = name.parse::<IpAddr>();
                name == "localhost" || address.is_ok_and(|address| address.is_loopback())
            }
        }
    }
}

/// An IPv6 address without its brackets.
fn bare(host: &str) -> String {
    host.trim_matches(['[', ']']).to_owned()
}

fn user(url: &url::Url) -> Option<Option<String>> {
    let name = percent_encoding::percent_decode_str(url.username());
    let name = name.decode_utf8().ok()?.into_owned();
    Some(Some(name).filter(|name| !name.is_empty()))
}

/// Prints the server's address, without the user name.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Named(name) => write!(f, "{name}:{}", self.port),
            Host::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A server's password, from its file.
#[cfg(any(feature = "postgres", feature = "redis"))]
pub(super) fn password(
    address: &Address,
) -> Result<Option<crate::secrets::Secret<String>>, super::Error> {
    let Some(file) = &address.password_file else {
        return Ok(None);
    };
    let mut text = std::fs::read_to_string(file)
        .map_err(|why| super::Error::Unreachable(format!("{}: {why}", file.display())))?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(Some(crate::secrets::Secret::new(text)))
}

#[cfg(any(feature = "postgres", feature = "redis"))]
pub(super) fn not_opened(address: &Address, error: &super::Error) -> Vec<Finding> {
    let title = format!("cannot open the session store at {address}");
    vec![
        Finding::refuse(Practice::Sessions, "sessions-store-open", title)
            .why(error.to_string())
            .fix("start the server, or fix the cause; then start again"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_beyond_this_machine_has_tls() {
        for (text, tls) in [
            ("redis://localhost", StoreTls::Local),
            ("redis://127.0.0.1:6400/2", StoreTls::Local),
            ("redis://[::1]:6400", StoreTls::Local),
            ("redis+unix:///run/redis/redis.sock", StoreTls::Local),
            (
                "rediss://portal@sessions.example.org:6380",
                StoreTls::Verified,
            ),
            ("postgres://portal@localhost/portal", StoreTls::Local),
            (
                "postgres://portal@db.example.org/portal",
                StoreTls::Verified,
            ),
            ("postgres:///portal?host=/run/postgresql", StoreTls::Local),
        ] {
            let read = match StorePlace::parse(text) {
                Some(StorePlace::Postgres(address) | StorePlace::Redis(address)) => address.tls,
                other => panic!("{text}: {other:?}"),
            };
            assert_eq!(read, tls, "{text}");
        }
        for text in [
            "redis://sessions.example.org",
            "redis://10.0.0.5",
            "redis://localhost.evil.example",
        ] {
            assert_eq!(StorePlace::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_password_or_an_option_in_the_address_is_refused() {
        for text in [
            "redis://:secret@localhost",
            "postgres://portal:secret@localhost/portal",
            "postgres://portal@db.example.org/portal?sslmode=disable",
            "postgres:///portal?host=db.example.org",
            "postgres:///portal?host=run/postgresql",
            "postgres://portal@db.example.org/portal?host=/run/postgresql",
            "postgres:///portal",
            "redis://localhost/0?protocol=resp3",
            "redis://localhost/name",
            "redis+unix://localhost/run/redis/redis.sock",
            "redis:///run/redis/redis.sock",
            "mysql://localhost/portal",
            "memory",
            "",
        ] {
            assert_eq!(StorePlace::parse(text), None, "{text}");
        }
        assert_eq!(StorePlace::parse("database"), Some(StorePlace::Database));
    }
}

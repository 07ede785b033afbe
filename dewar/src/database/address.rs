//! The address of a server, and the place of the database.

use std::{
    fmt, io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use super::sealed::is_name;
use crate::secrets::Secret;

/// The address of a server that keeps data: PostgreSQL, or Redis for sessions. Beyond this machine the connection always
/// uses TLS.
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
    pub tls: ServerTls,
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
pub enum ServerTls {
    /// The connection never leaves this machine.
    Local,
    /// The connection is encrypted, and the server's certificate is verified.
    Verified,
}

/// The place of the database: the setting `database.url`.
///
/// ```
/// use dewar::database::Location;
/// let server = Location::parse("postgres://portal@db.example.org/portal?schema=staff").unwrap();
/// assert!(matches!(server, Location::Postgres(server) if server.schema.as_deref() == Some("staff")));
/// assert!(Location::parse("postgres://portal:secret@db.example.org/portal").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// A file of SQLite. A relative path starts in the data directory.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server.
    Postgres(Box<PostgresServer>),
}

/// A database of a PostgreSQL server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresServer {
    /// The server, and the role that the application uses at run time.
    pub address: Address,
    /// The schema of the tables; without it, the server's own `search_path` decides.
    pub schema: Option<String>,
    /// The role that changes tables. Without it, the role of the address does.
    pub migration_user: Option<String>,
    /// The file that holds the password of the role that changes tables.
    pub migration_password_file: Option<PathBuf>,
}

impl Location {
    /// Reads `sqlite:database.sqlite`, `postgres://user@host/name` or, for a socket on this machine,
    /// `postgres:///name?host=/run/postgresql&user=name`. A server's address can end with `?schema=name`.
    ///
    /// It refuses a password in the address, because many people read settings and one person reads a file.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return Some(Self::Sqlite(PathBuf::from(path))).filter(|_| !path.is_empty());
        }
        let url = parse_url(text)?;
        if !["postgres", "postgresql"].contains(&url.scheme()) {
            return None;
        }
        PostgresServer::of(&url).map(|server| Self::Postgres(Box::new(server)))
    }
}

impl Default for Location {
    fn default() -> Self {
        Self::Sqlite(PathBuf::from("database.sqlite"))
    }
}

/// Parses the address of a server. None if it has a password, or a fragment.
pub(crate) fn parse_url(text: &str) -> Option<url::Url> {
    let url = url::Url::parse(text).ok()?;
    (url.password().is_none() && url.fragment().is_none()).then_some(url)
}

impl PostgresServer {
    /// PostgreSQL has no scheme for TLS, so every connection that leaves this machine uses it.
    fn of(url: &url::Url) -> Option<Self> {
        let (mut socket, mut schema, mut user) = (None, None, user_of(url)?);
        for (name, value) in url.query_pairs() {
            let value = value.into_owned();
            match name.as_ref() {
                "host" if value.starts_with('/') => socket = Some(PathBuf::from(value)),
                "schema" if is_schema(&value) => schema = Some(value),
                "user" if user.is_none() && !value.is_empty() => user = Some(value),
                _ => return None,
            }
        }
        let host = match (url.host_str().filter(|host| !host.is_empty()), socket) {
            (None, Some(path)) => Host::Socket(path),
            (Some(name), None) => Host::named(name),
            _ => return None,
        };
        let database = url.path().trim_start_matches('/');
        Some(Self {
            address: Address {
                tls: if host.is_local() {
                    ServerTls::Local
                } else {
                    ServerTls::Verified
                },
                host,
                port: url.port().unwrap_or(5432),
                user,
                database: Some(database.to_owned()).filter(|name| !name.is_empty()),
                password_file: None,
                ca_file: None,
            },
            schema,
            migration_user: None,
            migration_password_file: None,
        })
    }
}

/// A schema's name goes into statements, and cannot be a bound value there.
fn is_schema(name: &str) -> bool {
    is_name(name) && name.len() <= 63 && !name.starts_with(|first: char| first.is_ascii_digit())
}

impl Address {
    /// The password, from its file.
    ///
    /// # Errors
    /// The system's, with the path.
    #[cfg(feature = "redis")]
    pub(crate) fn password(&self) -> io::Result<Option<Secret<String>>> {
        self.password_file.as_deref().map(read_password).transpose()
    }
}

/// Reads a password without the end of its line.
pub(super) fn read_password(file: &Path) -> io::Result<Secret<String>> {
    let read = std::fs::read_to_string(file);
    let mut text =
        read.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(Secret::new(text))
}

impl Host {
    /// A host as a URL writes it; an IPv6 address there has brackets.
    pub(crate) fn named(host: &str) -> Self {
        Self::Named(host.trim_matches(['[', ']']).to_owned())
    }

    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Socket(_) => true,
            Self::Named(name) => {
                let address = name.parse::<IpAddr>();
                name == "localhost" || address.is_ok_and(|address| address.is_loopback())
            }
        }
    }
}

/// The user of an address, if it has one; nothing at all if the name is not UTF-8.
pub(crate) fn user_of(url: &url::Url) -> Option<Option<String>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_beyond_this_machine_has_tls() {
        for (text, tls) in [
            ("postgres://portal@localhost/portal", ServerTls::Local),
            ("postgres://portal@[::1]/portal", ServerTls::Local),
            (
                "postgresql://portal@db.example.org/portal",
                ServerTls::Verified,
            ),
            (
                "postgres://portal@localhost.evil.example/portal",
                ServerTls::Verified,
            ),
            ("postgres:///portal?host=/run/postgresql", ServerTls::Local),
        ] {
            let Some(Location::Postgres(server)) = Location::parse(text) else {
                panic!("{text} is refused");
            };
            assert_eq!(server.address.tls, tls, "{text}");
        }
    }

    #[test]
    fn each_part_of_an_address_is_read() {
        let text = "postgres:///portal?host=/run/postgresql&user=ada&schema=staff";
        let Some(Location::Postgres(server)) = Location::parse(text) else {
            panic!("{text} is refused");
        };
        assert_eq!(server.address.user.as_deref(), Some("ada"));
        assert_eq!(server.address.database.as_deref(), Some("portal"));
        assert_eq!(server.schema.as_deref(), Some("staff"));
        assert_eq!(server.address.to_string(), "/run/postgresql");
        for (text, path) in [
            ("sqlite:other.sqlite", "other.sqlite"),
            ("sqlite:///srv/other.sqlite", "/srv/other.sqlite"),
        ] {
            assert_eq!(Location::parse(text), Some(Location::Sqlite(path.into())));
        }
    }

    #[test]
    fn a_password_or_an_unknown_option_in_the_address_is_refused() {
        for text in [
            "postgres://portal:secret@localhost/portal",
            "postgres://portal@db.example.org/portal?sslmode=disable",
            "postgres:///portal?host=db.example.org",
            "postgres:///portal?host=run/postgresql",
            "postgres://portal@db.example.org/portal?host=/run/postgresql",
            "postgres://portal@localhost/portal?schema=a-b",
            "postgres://portal@localhost/portal?schema=1a",
            "postgres://portal@localhost/portal?user=ada",
            "postgres:///portal",
            "mysql://localhost/portal",
            "sqlite:",
            "database.sqlite",
            "",
        ] {
            assert_eq!(Location::parse(text), None, "{text}");
        }
    }
}

use std::path::PathBuf;

use crate::audit::{Finding, Practice, owner_only};
use crate::database::{Address, Host, ServerTls, parse_url, user_of};

/// The store of the sessions: the setting `sessions.store`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorePlace {
    /// In the application's own database.
    #[default]
    Database,
    /// In a Redis or Valkey server that several nodes share.
    Redis(Address),
}

impl StorePlace {
    /// Reads `database`, `redis://localhost:6379/0`, `rediss://user@host:6380` or `redis+unix:///run/redis.sock`.
    ///
    /// It refuses a password in the address, because many people read settings and one person reads a file. It also
    /// refuses a server beyond this machine without TLS.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "database" {
            return Some(Self::Database);
        }
        let url = parse_url(text)?;
        match url.scheme() {
            "redis" | "rediss" | "redis+unix" => of_redis(&url).map(Self::Redis),
            _ => None,
        }
    }

    /// Adds the files for a server; the application's own database needs none.
    pub(in crate::sessions) fn with_files(
        mut self,
        password: Option<PathBuf>,
        authority: Option<PathBuf>,
    ) -> Self {
        if let Self::Redis(address) = &mut self {
            address.password_file = password;
            address.ca_file = authority;
        }
        self
    }

    /// The finding if the program was built without this store.
    pub(in crate::sessions) fn findings(&self) -> Vec<Finding> {
        let (built, feature) = match self {
            Self::Database => (true, ""),
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
        let Self::Redis(address) = self else {
            return None;
        };
        owner_only::readable_password(
            (Practice::Sessions, "sessions-password-readable"),
            "sessions.password_file",
            address.password_file.as_deref()?,
            "anyone who reads the password can write a session of any user",
        )
    }
}

fn of_redis(url: &url::Url) -> Option<Address> {
    if url.query().is_some() {
        return None;
    }
    let socket = url.scheme() == "redis+unix";
    let host = match url.host_str().filter(|host| !host.is_empty()) {
        None if socket => Host::Socket(PathBuf::from(url.path())),
        Some(name) if !socket => Host::named(name),
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
    Some(Address {
        host,
        port: url.port().unwrap_or(6379),
        user: user_of(url)?,
        database: Some(database.to_owned()).filter(|name| !name.is_empty()),
        tls: if encrypted {
            ServerTls::Verified
        } else {
            ServerTls::Local
        },
        password_file: None,
        ca_file: None,
    })
}

#[cfg(feature = "redis")]
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
            ("redis://localhost", ServerTls::Local),
            ("redis://127.0.0.1:6400/2", ServerTls::Local),
            ("redis://[::1]:6400", ServerTls::Local),
            ("redis+unix:///run/redis/redis.sock", ServerTls::Local),
            (
                "rediss://portal@sessions.example.org:6380",
                ServerTls::Verified,
            ),
        ] {
            let read = match StorePlace::parse(text) {
                Some(StorePlace::Redis(address)) => address.tls,
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
            "redis://localhost/0?protocol=resp3",
            "redis://localhost/name",
            "redis+unix://localhost/run/redis/redis.sock",
            "redis:///run/redis/redis.sock",
            "postgres://portal@localhost/portal",
            "mysql://localhost/portal",
            "memory",
            "",
        ] {
            assert_eq!(StorePlace::parse(text), None, "{text}");
        }
        assert_eq!(StorePlace::parse("database"), Some(StorePlace::Database));
    }
}

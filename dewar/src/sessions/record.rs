use std::fmt;
use std::net::IpAddr;

use data_encoding::BASE64URL_NOPAD;
use http::{HeaderMap, HeaderValue, header};

use super::{Principal, UserId};
use crate::audit::sanitize::bounded;
use crate::secrets::random;

/// The SHA-256 of a session's token, by which stores find it.
pub(super) type Hash = [u8; 32];

/// At most this many characters of a browser's `User-Agent` are stored.
const DEVICE: usize = 200;

/// The name of a session. It is not secret: it stays when the token is renewed, and does not open the session.
///
/// ```
/// use dewar::sessions::SessionId;
/// assert!(SessionId::parse("not one").is_none());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId([u8; 32]);

impl SessionId {
    pub(super) fn new() -> Self {
        Self(random())
    }

    pub(super) const fn of(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads an id from a link or a form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

/// A running session, as every store holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Live {
    pub(super) id: SessionId,
    pub(super) user: UserId,
    /// The account's generation when the session began. A session of an older generation is over, whatever the store holds.
    pub(super) generation: i64,
    pub(super) created_at: i64,
    pub(super) seen_at: i64,
    /// When its owner last gave the password; 0 if that no longer counts.
    pub(super) proved_at: i64,
    /// The roles that its token was made for, in the form of the principal.
    pub(super) roles: String,
}

/// A session to store.
#[derive(Clone, Debug)]
pub(super) struct New {
    pub(super) token_hash: Hash,
    pub(super) live: Live,
    pub(super) device: String,
    pub(super) address: String,
}

/// The new values of a renewed session.
#[derive(Clone, Debug)]
pub(super) struct Renewal {
    pub(super) token_hash: Hash,
    pub(super) generation: i64,
    pub(super) seen_at: i64,
    pub(super) proved_at: i64,
    pub(super) roles: String,
}

/// A session that a store finds by a token.
#[derive(Clone, Debug)]
pub(super) struct SessionLookup {
    pub(super) live: Live,
    /// The user too, if the store is the database and no second read is needed.
    pub(super) person: Option<Person>,
}

/// The owner of a session or of an API token, as the database has them now.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) principal: Principal,
    pub(crate) disabled: bool,
    pub(crate) generation: i64,
}

/// One of a user's sessions, for the page that lists them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Its name.
    pub id: SessionId,
    /// The browser's `User-Agent` at sign-in, escaped and cut.
    pub device: String,
    /// The address from which it was begun.
    pub address: String,
    /// When it was begun, in Unix seconds.
    pub created_at: i64,
    /// When it was last used, to the minute.
    pub seen_at: i64,
}

/// Whether a request is a use of its session, which then does not become idle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SessionUse {
    /// A person's.
    #[default]
    Counts,
    /// An open page that only waits for news: it keeps no session alive (ASVS 7.3.1).
    Watches,
}

/// The client of a request, as it came; it is parsed only when a session begins.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientInfo {
    agent: Option<HeaderValue>,
    address: Option<IpAddr>,
    used: SessionUse,
}

impl ClientInfo {
    pub(super) fn of(headers: &HeaderMap, address: Option<IpAddr>) -> Self {
        Self {
            agent: headers.get(header::USER_AGENT).cloned(),
            address,
            used: SessionUse::default(),
        }
    }

    pub(super) fn used(self, used: SessionUse) -> Self {
        Self { used, ..self }
    }

    pub(super) const fn use_of_session(&self) -> SessionUse {
        self.used
    }

    pub(super) fn device(&self) -> String {
        let agent = self.agent.as_ref().and_then(|agent| agent.to_str().ok());
        bounded(&agent.unwrap_or_default(), DEVICE)
    }

    pub(super) fn address(&self) -> String {
        let address = self.address.map(|address| address.to_canonical());
        address.map_or_else(String::new, |address| address.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_sessions_says_where_each_was_begun() {
        let mut headers = HeaderMap::new();
        assert_eq!(ClientInfo::of(&headers, None).address(), "");
        assert_eq!(ClientInfo::of(&headers, None).device(), "");
        let agent = HeaderValue::from_static("Mozilla/5.0");
        headers.insert(header::USER_AGENT, agent);
        for (address, written) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8::7", "2001:db8::7"),
        ] {
            let whence = ClientInfo::of(&headers, Some(address.parse().unwrap()));
            assert_eq!(whence.address(), written);
            assert_eq!(whence.device(), "Mozilla/5.0");
        }
        // A stranger wrote this text, so it is escaped and cut.
        let agent = HeaderValue::from_bytes(&[b'a'; 4_000]).unwrap();
        headers.insert(header::USER_AGENT, agent);
        let device = ClientInfo::of(&headers, None).device();
        assert!(device.chars().count() <= DEVICE + 1, "{}", device.len());
        let agent = HeaderValue::from_bytes(b"caf\xe9").unwrap();
        headers.insert(header::USER_AGENT, agent);
        assert_eq!(ClientInfo::of(&headers, None).device(), "");
    }

    #[test]
    fn a_sessions_name_is_read_back_and_nothing_else_is_one() {
        let id = SessionId::new();
        assert_eq!(SessionId::parse(&id.to_string()), Some(id));
        assert_ne!(SessionId::new(), id);
        assert_eq!(format!("{id:?}"), format!("SessionId({id})"));
        for wrong in ["", "AAAA", &format!("{id}A"), &"A".repeat(44)] {
            assert_eq!(SessionId::parse(wrong), None, "{wrong}");
        }
    }
}

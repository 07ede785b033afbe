use std::fmt;

use super::hosts::HostAndPort;
use crate::audit::{Finding, Practice};

/// The origin of another site, `https://host` or `https://host:port`: no path, no wildcard, no other scheme.
///
/// ```
/// use dewar::https::HttpsOrigin;
/// assert_eq!(HttpsOrigin::parse("https://pay.example.com:443").unwrap().as_str(), "https://pay.example.com");
/// for wrong in ["http://a.example", "https://*.example", "https://a.example/x", "https://user@a.example", "a.example", "*"] {
///     assert!(HttpsOrigin::parse(wrong).is_err(), "{wrong}");
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpsOrigin(String);

/// Why a text is no [`HttpsOrigin`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAnOrigin {
    /// It is no host name.
    #[error(
        "its host is not a host name, spelled as browsers send it: `https://shop.example`, with `xn--…` for other letters"
    )]
    Host,
    /// It has a path, a query or a user.
    #[error("an origin has no path, not even a `/` at its end, no query and no user")]
    Path,
    /// It has another scheme.
    #[error(
        "it does not begin with `https://`: anybody on the way can read and change what comes over plain HTTP"
    )]
    Scheme,
    /// It has a wildcard.
    #[error("it has a wildcard, which lets in every site that anybody puts under that name")]
    Wildcard,
}

impl HttpsOrigin {
    /// Parses an origin.
    ///
    /// # Errors
    /// [`NotAnOrigin`] names the rule.
    pub fn parse(text: &str) -> Result<Self, NotAnOrigin> {
        Self::of_scheme("https://", text)
    }

    /// Parses an origin for `connect-src`, where a WebSocket over TLS counts too.
    pub(crate) fn parse_connection(text: &str) -> Result<Self, NotAnOrigin> {
        match text.starts_with("wss://") {
            true => Self::of_scheme("wss://", text),
            false => Self::parse(text),
        }
    }

    /// The place in a bucket to which pages may send files: the address of a server, which the settings have checked, and a path
    /// below it. With the path, a page reaches no other bucket of that server (CSP3, 6.7.2.10). The server may be one of this
    /// machine, without TLS.
    pub(crate) fn of_bucket(endpoint: &str, path: &str) -> Self {
        Self(format!("{}/{path}", endpoint.to_ascii_lowercase()))
    }

    fn of_scheme(scheme: &str, text: &str) -> Result<Self, NotAnOrigin> {
        if text.contains('*') {
            return Err(NotAnOrigin::Wildcard);
        }
        let rest = text.strip_prefix(scheme).ok_or(NotAnOrigin::Scheme)?;
        if rest.contains(['/', '?', '#', '@', '\\']) {
            return Err(NotAnOrigin::Path);
        }
        let parsed = HostAndPort::parse(rest).ok_or(NotAnOrigin::Host)?;
        let host = parsed.host.to_ascii_lowercase();
        Ok(Self(match parsed.port.filter(|port| *port != 443) {
            Some(port) => format!("{scheme}{host}:{port}"),
            None => format!("{scheme}{host}"),
        }))
    }

    /// The origin as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HttpsOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for HttpsOrigin {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// The finding about a text that is no origin; `place` names the call or the type that has it.
pub(crate) fn not_an_origin(place: &str, text: &str, why: NotAnOrigin) -> Finding {
    let title = format!("`{text}` in {place} is not the origin of a site");
    Finding::refuse(Practice::Https, "https-origin", title)
        .why(why.to_string())
        .fix("write the scheme and the host, with a port if it is not 443: `https://cdn.example.com`")
        .asvs(&["3.4.3"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_and_a_host_and_nothing_else() {
        for (text, wanted) in [
            ("https://a.example", Ok("https://a.example")),
            ("https://A.Example", Ok("https://a.example")),
            ("https://a.example:443", Ok("https://a.example")),
            ("https://a.example:8443", Ok("https://a.example:8443")),
            ("https://[::1]:8443", Ok("https://[::1]:8443")),
            ("http://a.example", Err(NotAnOrigin::Scheme)),
            ("//a.example", Err(NotAnOrigin::Scheme)),
            ("HTTPS://a.example", Err(NotAnOrigin::Scheme)),
            ("wss://a.example", Err(NotAnOrigin::Scheme)),
            ("data:", Err(NotAnOrigin::Scheme)),
            ("https:", Err(NotAnOrigin::Scheme)),
            ("https://", Err(NotAnOrigin::Host)),
            ("'self'", Err(NotAnOrigin::Scheme)),
            ("*", Err(NotAnOrigin::Wildcard)),
            ("https://*", Err(NotAnOrigin::Wildcard)),
            ("https://*.example", Err(NotAnOrigin::Wildcard)),
            ("https://a.example:*", Err(NotAnOrigin::Wildcard)),
            ("https://a.example/", Err(NotAnOrigin::Path)),
            ("https://a.example/x", Err(NotAnOrigin::Path)),
            ("https://a.example\\x", Err(NotAnOrigin::Path)),
            ("https://u@a.example", Err(NotAnOrigin::Path)),
            ("https://a.example 'unsafe-inline'", Err(NotAnOrigin::Host)),
            (
                "https://a.example; script-src *",
                Err(NotAnOrigin::Wildcard),
            ),
            ("https://a.example;script-src", Err(NotAnOrigin::Host)),
            ("https://a.example\r\nx: y", Err(NotAnOrigin::Host)),
            ("https://bücher.example", Err(NotAnOrigin::Host)),
        ] {
            let parsed = HttpsOrigin::parse(text);
            assert_eq!(
                parsed.as_ref().map(HttpsOrigin::as_str),
                wanted.as_ref().copied(),
                "{text}"
            );
        }
        let socket = HttpsOrigin::parse_connection("wss://a.example").unwrap();
        assert_eq!(socket.as_str(), "wss://a.example");
        assert!(HttpsOrigin::parse_connection("ws://a.example").is_err());
    }
}

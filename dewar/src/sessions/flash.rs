use http::HeaderMap;
use minijinja::Value;

use super::cookie::{HostCookie, read_cookie};
use crate::secrets::{KeyRing, Purpose};

const COOKIE: &str = "__Host-flash";

/// A flash message: the next page shows it once. It travels sealed in a cookie, so a visitor without a session can have
/// one and the server stores nothing.
#[derive(Debug)]
pub(crate) struct Flash;

/// A sealed cookie was changed, or its key is revoked.
#[derive(Debug)]
pub(crate) struct NotSealedHere;

impl Flash {
    /// The messages that came with a request.
    ///
    /// # Errors
    /// [`NotSealedHere`]; the request then has no message.
    pub(crate) fn read(
        headers: &HeaderMap,
        ring: &KeyRing,
    ) -> Result<Option<Value>, NotSealedHere> {
        let Some(sealed) = read_cookie(headers, COOKIE) else {
            return Ok(None);
        };
        let opened = ring
            .open(Purpose::Flash, b"flash", sealed)
            .map_err(|_| NotSealedHere)?;
        let text = String::from_utf8(opened.to_vec()).map_err(|_| NotSealedHere)?;
        Ok(Some(Value::from(vec![Value::from_pairs([(
            "text",
            Value::from(text),
        )])])))
    }

    /// Sets a message for the next page.
    pub(crate) fn leave(text: &str, headers: &mut HeaderMap, ring: &KeyRing) {
        match ring.seal(Purpose::Flash, b"flash", text.as_bytes()) {
            Ok(value) => HostCookie {
                name: COOKIE,
                value: &value,
            }
            .set(headers),
            Err(error) => tracing::error!(%error, "a flash message was lost"),
        }
    }

    /// Removes the message after it was shown.
    pub(crate) fn shown(headers: &mut HeaderMap) {
        HostCookie::remove(COOKIE, headers);
    }
}

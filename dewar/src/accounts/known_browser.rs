//! Browsers in which somebody has proved to own an account (OWASP, *Device Cookies*).
//!
//! A stranger can use up the attempts that strangers have. The owner's own browser has attempts of its own: at each proof
//! it gets a cookie that is sealed for the account, and outlives the session. The cookie opens nothing. It only says which
//! allowance a password is counted in. It ends with its time, and with the account's generation: with a new password, and
//! with a sign-out everywhere.
use std::time::Duration;

use http::HeaderMap;

use super::throttle::{Allowance, OWN_IS_KEPT};
use crate::secrets::{KeyRing, Purpose, random};
use crate::sessions::{HostCookie, UserId, read_cookie};

/// The cookie's name.
pub(crate) const COOKIE: &str = "__Host-device";
/// So many accounts are known to one browser, those that signed in last: members of a household share it.
const MOST: usize = 3;
/// How long a browser is known after a proof.
const LIFETIME: Duration = OWN_IS_KEPT;
/// Between the accounts in a cookie.
const BETWEEN: char = '~';

const NONCE: usize = 16;
const CONTEXT: &[u8] = b"device";

/// One account that a browser is known for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownBrowser {
    user: i64,
    generation: i64,
    since: i64,
    nonce: [u8; NONCE],
}

impl KnownBrowser {
    /// The accounts that a cookie names, with the sealed text of each.
    fn in_cookie<'a>(
        cookie: &'a str,
        ring: &'a KeyRing,
        now: i64,
    ) -> impl Iterator<Item = (Self, &'a str)> {
        cookie.split(BETWEEN).take(MOST).filter_map(move |sealed| {
            let known = Self::open(sealed, ring)?;
            let age = now.checked_sub(known.since)?;
            let lives = u64::try_from(age).is_ok_and(|age| age < LIFETIME.as_secs());
            lives.then_some((known, sealed))
        })
    }

    /// The allowance of this browser for an account, where its owner has proved themselves in it since the account's
    /// generation was the one that it is.
    pub(crate) fn allowance(
        cookie: &str,
        ring: &KeyRing,
        user: UserId,
        generation: i64,
        now: i64,
    ) -> Option<Allowance> {
        let (known, _) = Self::in_cookie(cookie, ring, now)
            .find(|(known, _)| known.user == user.get() && known.generation == generation)?;
        Some(Allowance::of_browser(user, &known.nonce))
    }

    /// Whether the cookie is one of ours that still counts for somebody.
    pub(crate) fn is_any(cookie: &str, ring: &KeyRing, now: i64) -> bool {
        Self::in_cookie(cookie, ring, now).next().is_some()
    }

    /// Makes the browser of a request known for an account, and keeps the others that it was known for.
    pub(crate) fn remember(
        request: &HeaderMap,
        user: UserId,
        generation: i64,
        ring: &KeyRing,
        now: i64,
        headers: &mut HeaderMap,
    ) {
        let known = Self {
            user: user.get(),
            generation,
            since: now,
            nonce: random(),
        };
        let mut value = match known.seal(ring) {
            Ok(value) => value,
            Err(error) => {
                tracing::error!(%error, "a browser was not made known");
                return;
            }
        };
        let before = read_cookie(request, COOKIE).unwrap_or_default();
        let others =
            Self::in_cookie(before, ring, now).filter(|(other, _)| other.user != user.get());
        for (_, sealed) in others.take(MOST - 1) {
            value.push(BETWEEN);
            value.push_str(sealed);
        }
        HostCookie {
            name: COOKIE,
            value: &value,
        }
        .keep(LIFETIME, headers);
    }

    fn seal(&self, ring: &KeyRing) -> Result<String, crate::secrets::Error> {
        let numbers = [self.user, self.generation, self.since].map(i64::to_be_bytes);
        let text = [numbers.concat().as_slice(), &self.nonce].concat();
        ring.seal(Purpose::Device, CONTEXT, &text)
    }

    fn open(sealed: &str, ring: &KeyRing) -> Option<Self> {
        let opened = ring.open(Purpose::Device, CONTEXT, sealed).ok()?;
        let (user, rest) = opened.split_first_chunk()?;
        let (generation, rest) = rest.split_first_chunk()?;
        let (since, nonce) = rest.split_first_chunk()?;
        Some(Self {
            user: i64::from_be_bytes(*user),
            generation: i64::from_be_bytes(*generation),
            since: i64::from_be_bytes(*since),
            nonce: nonce.try_into().ok()?,
        })
    }
}

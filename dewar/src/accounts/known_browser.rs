//! Device cookies: browsers in which a user has proved to own an account (OWASP, *Device Cookies*).
//!
//! A stranger can use up the attempts of unknown browsers. The owner's own browser has attempts of its own: each sign-in gives it
//! a cookie that is sealed for the account and outlives the session. The cookie grants no access. It only decides which limit
//! counts a password. It ends when it expires, and with the account's generation: with a new password, and with a sign-out
//! everywhere.
use std::time::Duration;

use http::HeaderMap;

use super::throttle::{FailureLimit, OWN_IS_KEPT};
use crate::secrets::{KeyRing, Purpose, random};
use crate::sessions::{HostCookie, UserId, read_cookie};

/// The cookie's name.
pub(crate) const COOKIE: &str = "__Host-device";
/// The most accounts that one browser is known for, the latest sign-ins: members of a household share it.
const MOST: usize = 3;
/// How long a browser stays known after a sign-in.
const LIFETIME: Duration = OWN_IS_KEPT;
/// The separator of the accounts in a cookie.
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

    /// The failure limit of this browser for an account, if its owner has signed in here in the account's current generation.
    pub(crate) fn allowance(
        cookie: &str,
        ring: &KeyRing,
        user: UserId,
        generation: i64,
        now: i64,
    ) -> Option<FailureLimit> {
        let (known, _) = Self::in_cookie(cookie, ring, now)
            .find(|(known, _)| known.user == user.get() && known.generation == generation)?;
        Some(FailureLimit::of_browser(user, &known.nonce))
    }

    /// Whether the cookie is one of ours that is still valid for some account.
    pub(crate) fn is_any(cookie: &str, ring: &KeyRing, now: i64) -> bool {
        Self::in_cookie(cookie, ring, now).next().is_some()
    }

    /// The account that a cookie of ours was last made for. It does not check whether the password was changed since.
    pub(crate) fn account(cookie: &str, ring: &KeyRing, now: i64) -> Option<UserId> {
        let (known, _) = Self::in_cookie(cookie, ring, now).next()?;
        Some(UserId::new(known.user))
    }

    /// Makes the browser of a request known for an account, and keeps the other accounts that it was known for.
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
                tracing::error!(%error, "the cookie of a known browser was not created");
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

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::*;

    const NOW: i64 = 1_800_000_000;

    /// The cookie after one more sign-in in a browser that has this one.
    fn after(cookie: &str, user: i64, ring: &KeyRing, now: i64) -> String {
        let mut request = HeaderMap::new();
        let value = HeaderValue::from_str(&format!("{COOKIE}={cookie}")).unwrap();
        request.insert(header::COOKIE, value);
        let mut answer = HeaderMap::new();
        KnownBrowser::remember(&request, UserId::new(user), 1, ring, now, &mut answer);
        let line = answer[header::SET_COOKIE].to_str().unwrap();
        assert!(line.contains("Max-Age=15552000"), "{line}");
        let (_, rest) = line.split_once('=').unwrap();
        rest.split(';').next().unwrap().to_owned()
    }

    fn known(cookie: &str, user: i64, ring: &KeyRing, now: i64) -> bool {
        KnownBrowser::allowance(cookie, ring, UserId::new(user), 1, now).is_some()
    }

    #[test]
    fn a_browser_is_known_for_half_a_year_and_not_a_second_more() {
        let ring = KeyRing::ephemeral();
        let cookie = after("", 7, &ring, NOW);
        let lifetime = i64::try_from(LIFETIME.as_secs()).unwrap();
        for (later, counts) in [
            (0, true),
            (lifetime - 1, true),
            (lifetime, false),
            (lifetime + 1, false),
            // A cookie from a clock that runs ahead is not accepted.
            (-1, false),
            (i64::MIN, false),
        ] {
            let now = NOW.saturating_add(later);
            assert_eq!(known(&cookie, 7, &ring, now), counts, "{later}");
            assert_eq!(KnownBrowser::is_any(&cookie, &ring, now), counts, "{later}");
        }
    }

    #[test]
    fn a_cookie_counts_for_its_own_account_and_generation_alone() {
        let ring = KeyRing::ephemeral();
        let cookie = after("", 7, &ring, NOW);
        let allowance = |user, generation| {
            KnownBrowser::allowance(&cookie, &ring, UserId::new(user), generation, NOW)
        };
        assert!(allowance(7, 1).is_some() && allowance(7, 1) == allowance(7, 1));
        assert!(allowance(7, 2).is_none() && allowance(7, 0).is_none());
        assert!(allowance(8, 1).is_none());
        for wrong in ["", "x", &format!("A{cookie}"), &format!("{cookie}A")] {
            assert!(!KnownBrowser::is_any(wrong, &ring, NOW), "{wrong}");
        }
        assert!(!KnownBrowser::is_any(&cookie, &KeyRing::ephemeral(), NOW));
    }

    #[test]
    fn the_last_three_of_a_household_are_known() {
        let ring = KeyRing::ephemeral();
        let mut cookie = String::new();
        for user in [1, 2, 3] {
            cookie = after(&cookie, user, &ring, NOW);
        }
        assert!(
            [1, 2, 3]
                .iter()
                .all(|user| known(&cookie, *user, &ring, NOW))
        );
        // A user who signs in again has a new limit and takes nobody's place.
        let again = after(&cookie, 2, &ring, NOW);
        assert_eq!(again.split(BETWEEN).count(), 3);
        assert!(
            [1, 2, 3]
                .iter()
                .all(|user| known(&again, *user, &ring, NOW))
        );
        let of_two = |cookie| KnownBrowser::allowance(cookie, &ring, UserId::new(2), 1, NOW);
        assert_ne!(of_two(&again), of_two(&cookie));
        // The fourth takes the place of the account whose sign-in is the oldest.
        let four = after(&again, 4, &ring, NOW);
        assert_eq!(four.split(BETWEEN).count(), 3);
        let still = [1, 2, 3, 4].map(|user| known(&four, user, &ring, NOW));
        assert_eq!(still, [false, true, true, true]);
        // Nothing after the third is read, so nobody makes us open a thousand.
        let long = format!("{again}~{}", after("", 9, &ring, NOW));
        assert!(!known(&long, 9, &ring, NOW));
        // A browser forgets an account after a year.
        let later = NOW + i64::try_from(LIFETIME.as_secs()).unwrap();
        assert_eq!(after(&again, 5, &ring, later).split(BETWEEN).count(), 1);
    }
}

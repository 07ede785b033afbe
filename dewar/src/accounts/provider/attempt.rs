//! A sign-in that is under way at a provider, and a proven identity that waits for the proof of an account. Both travel sealed in a
//! cookie of the browser that began: another browser has no use for the return (login CSRF; RFC 9700, 4.7).
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use crate::pages::LocalPath;
use crate::secrets::{KeyRing, Purpose, Token, same, sha256};
use crate::sessions::{PROVIDER_COOKIE_LIFETIME, ProviderCookie, Session};

const ATTEMPT: &[u8] = b"attempt";
const PROVEN: &[u8] = b"proven";
/// A longer way back is not kept, so that a browser takes the cookie.
const LONGEST_WAY_BACK: usize = 1000;

/// Why a browser goes to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptPurpose {
    /// To re-authenticate the signed-in user.
    Confirm,
    /// To connect the provider with the signed-in user's account.
    Connect,
    SignIn,
}

/// The user whose browser leaves for a purpose of a signed-in user.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
enum Holder {
    Confirm { user: i64, session: [u8; 32] },
    Connect { user: i64, session: [u8; 32] },
    Visitor,
}

/// A sign-in under way.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Attempt {
    provider: String,
    state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    pub(super) left: i64,
    holder: Holder,
    next: Option<String>,
}

impl Attempt {
    /// None if the purpose needs a signed-in user, and there is none.
    pub(super) fn new(
        provider: &str,
        purpose: AttemptPurpose,
        session: &Session,
        next: Option<&LocalPath>,
        now: i64,
    ) -> Option<Self> {
        let next = next.map(|path| path.as_str().to_owned());
        Some(Self {
            provider: provider.to_owned(),
            state: Token::new().reveal(),
            nonce: Token::new().reveal(),
            verifier: Token::new().reveal(),
            left: now,
            holder: holder(purpose, session)?,
            next: next.filter(|path| path.len() <= LONGEST_WAY_BACK),
        })
    }

    pub(super) fn state(&self) -> &str {
        &self.state
    }

    /// The challenge for the verifier (RFC 7636, 4.2).
    pub(super) fn challenge(&self) -> String {
        BASE64URL_NOPAD.encode(&sha256(self.verifier.as_bytes()))
    }

    /// The name under which the database notes that it is over.
    pub(super) fn mark(&self) -> Vec<u8> {
        sha256(self.state.as_bytes()).to_vec()
    }

    pub(super) fn ends(&self) -> i64 {
        self.left + lifetime()
    }

    pub(super) fn next(&self) -> LocalPath {
        let next = self.next.clone().map(LocalPath::parse);
        next.and_then(Result::ok).unwrap_or_else(LocalPath::front)
    }

    /// The purpose, if the browser still has the session that it left with.
    pub(super) fn purpose(&self, session: &Session) -> Option<AttemptPurpose> {
        let purpose = match self.holder {
            Holder::Confirm { .. } => AttemptPurpose::Confirm,
            Holder::Connect { .. } => AttemptPurpose::Connect,
            Holder::Visitor => AttemptPurpose::SignIn,
        };
        (holder(purpose, session)? == self.holder).then_some(purpose)
    }

    /// The attempt of this browser, if the return is the one that it waits for: from the same provider, with the same state, in
    /// time.
    pub(super) fn read(
        cookie: &str,
        ring: &KeyRing,
        provider: &str,
        state: &str,
        now: i64,
    ) -> Option<Self> {
        let attempt: Self = open(cookie, ring, ATTEMPT)?;
        let is_it = same(attempt.state.as_bytes(), state.as_bytes())
            && attempt.provider == provider
            && (attempt.left..attempt.ends()).contains(&now);
        is_it.then_some(attempt)
    }

    pub(super) fn seal(&self, ring: &KeyRing) -> Option<ProviderCookie> {
        seal(self, ring, ATTEMPT)
    }
}

fn holder(purpose: AttemptPurpose, session: &Session) -> Option<Holder> {
    let signed_in = || {
        let user = session.principal()?.id().get();
        Some((user, *session.binding()?))
    };
    Some(match purpose {
        AttemptPurpose::Confirm => {
            let (user, session) = signed_in()?;
            Holder::Confirm { user, session }
        }
        AttemptPurpose::Connect => {
            let (user, session) = signed_in()?;
            Holder::Connect { user, session }
        }
        AttemptPurpose::SignIn => Holder::Visitor,
    })
}

/// An identity that a provider has proved, and whose address has an account: the account's owner must sign in before the two are
/// connected.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ProvenIdentity {
    pub(super) provider: String,
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(crate) email: String,
    pub(super) until: i64,
}

impl ProvenIdentity {
    pub(super) fn lives_until(now: i64) -> i64 {
        now + lifetime()
    }

    pub(super) fn read(cookie: &str, ring: &KeyRing, now: i64) -> Option<Self> {
        open(cookie, ring, PROVEN).filter(|proven: &Self| now < proven.until)
    }

    pub(super) fn seal(&self, ring: &KeyRing) -> Option<ProviderCookie> {
        seal(self, ring, PROVEN)
    }
}

fn lifetime() -> i64 {
    i64::try_from(PROVIDER_COOKIE_LIFETIME.as_secs()).unwrap_or(i64::MAX)
}

fn seal<T: Serialize>(value: &T, ring: &KeyRing, context: &[u8]) -> Option<ProviderCookie> {
    let text = serde_json::to_vec(value).ok()?;
    let sealed = ring.seal(Purpose::Provider, context, &text).ok()?;
    Some(ProviderCookie::Set(sealed))
}

fn open<T: serde::de::DeserializeOwned>(cookie: &str, ring: &KeyRing, context: &[u8]) -> Option<T> {
    let opened = ring.open(Purpose::Provider, context, cookie).ok()?;
    serde_json::from_slice(&opened).ok()
}

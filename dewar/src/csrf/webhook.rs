use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::request::Parts;
use smallvec::SmallVec;

use super::delivery::Delivery;
use super::signed::{Claim, NoClaim, Signed, Spelling};
use super::taken::{self, Taken};
use crate::audit::{Clock, Event, Finding};
use crate::database::{Db, Error};
use crate::secrets::{Folder, SharedKeys, sha256_of};

/// A delivery older or younger than this, in seconds, is refused.
const TOLERANCE: i64 = 300;

/// So many deliveries whose spelling has no time are remembered: with one a minute, for almost two years.
const MOST_WITHOUT_TIME: i64 = 1_000_000;

/// The keys of those who may deliver.
pub(crate) struct Senders(HashMap<&'static str, SharedKeys>);

/// Takes deliveries: signed by a sender that is known, in time, and each once.
#[derive(Clone)]
pub struct Webhooks(Arc<Inner>);

struct Inner {
    senders: Senders,
    db: Db,
    clock: Clock,
}

/// Why a delivery was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Refused {
    #[error("the list of deliveries cannot be asked")]
    Database(#[from] Error),
    #[error("the signature is not the sender's")]
    Forged,
    #[error("the delivery was already taken")]
    Replayed,
    #[error("the delivery is too old or from the future")]
    Stale,
    #[error("the delivery has two headers with signatures")]
    Twice,
    #[error("the delivery is not signed")]
    Unsigned,
}

impl Refused {
    /// The security event that it is; none where the sender did nothing wrong.
    pub(crate) const fn event(&self) -> Option<Event> {
        match self {
            Self::Database(_) => None,
            Self::Forged | Self::Stale | Self::Twice | Self::Unsigned => Some(Event::CryptFail),
            Self::Replayed => Some(Event::AuthnTokenReuse),
        }
    }
}

impl Senders {
    /// Reads the keys of every sender that a route names.
    pub(crate) fn read(keys: &Folder, senders: &[Signed]) -> Result<Self, Vec<Finding>> {
        let (mut known, mut findings) = (HashMap::new(), Vec::new());
        for signed in senders {
            if known.contains_key(signed.sender()) {
                continue;
            }
            match SharedKeys::read(keys, signed.sender()) {
                Ok(keys) => {
                    known.insert(signed.sender(), keys);
                }
                Err(mut wrong) => findings.append(&mut wrong),
            }
        }
        if findings.is_empty() {
            Ok(Self(known))
        } else {
            Err(findings)
        }
    }
}

impl Webhooks {
    pub(crate) fn new(senders: Senders, db: Db, clock: Clock) -> Self {
        Self(Arc::new(Inner { senders, db, clock }))
    }

    /// Takes a delivery: signed by this sender and, where the spelling names them, for this address and within five minutes;
    /// and not taken before. It stays taken if [`Taken::keep`] is called.
    pub(crate) async fn take(
        &self,
        by: Signed,
        parts: &Parts,
        body: Bytes,
    ) -> Result<(Delivery, Taken), Refused> {
        let claim = by.spelling().claim(&parts.headers)?;
        let target = parts.uri.path_and_query().map_or("/", |it| it.as_str());
        let signed = signed_text(by.spelling(), &claim, target, &body);
        let keys = self.0.senders.0.get(by.sender()).ok_or(Refused::Forged)?;
        if !claim.macs.iter().any(|mac| keys.signed(&signed, mac)) {
            return Err(Refused::Forged);
        }
        let now = self.0.clock.now();
        let until = match claim.at {
            // Signed, so somebody who has the key wrote it; twelve digits are a number.
            Some(at) => Some(in_time(at.parse().unwrap_or(0), now)?),
            None => None,
        };
        // Of the text and not its MAC: the same delivery signed with the key before and with the new one is one delivery.
        let digest = sha256_of(&signed);
        let taken = Taken::take(&self.0.db, by.sender(), digest, now, until).await?;
        let taken = taken.ok_or(Refused::Replayed)?;
        Ok((Delivery::new(body), taken))
    }

    /// Forgets deliveries that are too old to be accepted. Runs now and then, so that the table does not grow.
    pub(crate) async fn sweep(&self) -> Result<u64, Error> {
        taken::sweep(&self.0.db, self.0.clock.now(), MOST_WITHOUT_TIME).await
    }
}

/// Until when it has to be remembered: as long as any node's clock, which may be slow, would still accept it.
fn in_time(at: i64, now: i64) -> Result<i64, Refused> {
    if now.abs_diff(at) > TOLERANCE.unsigned_abs() {
        return Err(Refused::Stale);
    }
    Ok(at.max(now) + 2 * TOLERANCE)
}

/// The pieces that a sender signs, one after the other. In our own, neither time nor address holds a line feed, so that
/// no piece can be read as part of another.
fn signed_text<'a>(
    spelling: Spelling,
    claim: &Claim<'a>,
    target: &'a str,
    body: &'a [u8],
) -> [&'a [u8]; 5] {
    let at = claim.at.unwrap_or_default().as_bytes();
    match spelling {
        Spelling::Dewar => [at, b"\n", target.as_bytes(), b"\n", body],
        Spelling::GitHub => [b"", b"", b"", b"", body],
        Spelling::Stripe => [at, b".", b"", b"", body],
    }
}

/// What an application that sends to one built on `dewar` puts into the header `X-Signature`: [`Spelling::Dewar`]. Each
/// attempt is signed anew, with its own time.
///
/// ```
/// let line = dewar::csrf::signature(b"what both programs know", 1_700_000_000, "/hooks/billing", b"{}");
/// assert!(line.starts_with("t=1700000000,v2="));
/// ```
#[must_use]
pub fn signature(key: &[u8], at: i64, target: &str, body: &[u8]) -> String {
    let time = at.to_string();
    let claim = Claim {
        at: Some(&time),
        macs: SmallVec::new(),
    };
    let text = signed_text(Spelling::Dewar, &claim, target, body);
    let mac = SharedKeys::sign(key, &text);
    format!("t={time},v2={}", HEXLOWER.encode(&mac))
}

impl From<NoClaim> for Refused {
    fn from(none: NoClaim) -> Self {
        match none {
            NoClaim::Twice => Self::Twice,
            NoClaim::Unsigned => Self::Unsigned,
        }
    }
}

impl fmt::Debug for Senders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Senders").field(&self.0.keys()).finish()
    }
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks")
            .field("senders", &self.0.senders)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

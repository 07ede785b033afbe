use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::request::Parts;
use smallvec::SmallVec;

use super::accepted_delivery::{self, AcceptedDelivery};
use super::verified_webhook::VerifiedWebhook;
use super::webhook_auth::{NoSignatureClaim, SignatureClaim, SignatureScheme, WebhookAuth};
use crate::audit::{Clock, Event, Finding};
use crate::database::{Db, Error};
use crate::secrets::{Folder, SharedKeys, sha256_of};

/// The largest difference in seconds between the time of a delivery and our clock (replay window).
const TOLERANCE: i64 = 300;

/// The number of deliveries without a time that Dewar remembers: with one a minute, those of almost two years.
const MOST_WITHOUT_TIME: i64 = 1_000_000;

/// The keys of all senders.
pub(crate) struct SenderKeys(HashMap<&'static str, SharedKeys>);

/// Accepts a webhook delivery if its signature is by a known sender and in time, and accepts it once.
#[derive(Clone)]
pub struct Webhooks(Arc<Inner>);

struct Inner {
    senders: SenderKeys,
    db: Db,
    clock: Clock,
}

/// Why Dewar refused a delivery.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum WebhookRejection {
    #[error("cannot read the list of accepted webhook requests")]
    Database(#[from] Error),
    #[error("the signature is invalid")]
    Forged,
    #[error("the webhook request was already accepted")]
    Replayed,
    #[error("the webhook request is too old or from the future")]
    Stale,
    #[error("the webhook request has two signature headers")]
    Twice,
    #[error("the webhook request is not signed")]
    Unsigned,
}

impl WebhookRejection {
    /// The security event of this rejection; none if the sender did nothing wrong.
    pub(crate) const fn event(&self) -> Option<Event> {
        match self {
            Self::Database(_) => None,
            Self::Forged | Self::Stale | Self::Twice | Self::Unsigned => Some(Event::CryptFail),
            Self::Replayed => Some(Event::AuthnTokenReuse),
        }
    }
}

impl SenderKeys {
    /// Reads the key of every sender that a route names.
    pub(crate) fn read(keys: &Folder, senders: &[WebhookAuth]) -> Result<Self, Vec<Finding>> {
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
    pub(crate) fn new(senders: SenderKeys, db: Db, clock: Clock) -> Self {
        Self(Arc::new(Inner { senders, db, clock }))
    }

    /// Accepts a delivery if this sender signed it (for this address and within five minutes, if the scheme has them)
    /// and no node has accepted it before. It stays accepted if the caller calls [`AcceptedDelivery::keep`].
    pub(crate) async fn take(
        &self,
        by: WebhookAuth,
        parts: &Parts,
        body: Bytes,
    ) -> Result<(VerifiedWebhook, AcceptedDelivery), WebhookRejection> {
        let claim = by.scheme().claim(&parts.headers)?;
        let target = parts.uri.path_and_query().map_or("/", |it| it.as_str());
        let signed = signed_text(by.scheme(), &claim, target, &body);
        let keys = self
            .0
            .senders
            .0
            .get(by.sender())
            .ok_or(WebhookRejection::Forged)?;
        if !claim.macs.iter().any(|mac| keys.signed(&signed, mac)) {
            return Err(WebhookRejection::Forged);
        }
        let now = self.0.clock.now();
        let until = match claim.at {
            // The time is signed, so somebody with the key wrote it; twelve digits fit into a number.
            Some(at) => Some(in_time(at.parse().unwrap_or(0), now)?),
            None => None,
        };
        // A digest of the text, not of the MAC: a delivery that is signed with the previous key and with the new one is
        // the same.
        let digest = sha256_of(&signed);
        let taken = AcceptedDelivery::take(&self.0.db, by.sender(), digest, now, until).await?;
        let taken = taken.ok_or(WebhookRejection::Replayed)?;
        Ok((VerifiedWebhook::new(body), taken))
    }

    /// Forgets deliveries that are too old to be accepted. Dewar runs it regularly, so that the table does not grow.
    pub(crate) async fn sweep(&self) -> Result<u64, Error> {
        accepted_delivery::sweep(&self.0.db, self.0.clock.now(), MOST_WITHOUT_TIME).await
    }
}

/// The time until which Dewar remembers a delivery: as long as any node's clock, which may be slow, would accept it.
fn in_time(at: i64, now: i64) -> Result<i64, WebhookRejection> {
    if now.abs_diff(at) > TOLERANCE.unsigned_abs() {
        return Err(WebhookRejection::Stale);
    }
    Ok(at.max(now) + 2 * TOLERANCE)
}

/// The pieces that a sender signs, in their order. In our own scheme neither time nor address holds a line feed, so no
/// piece can be read as part of another.
fn signed_text<'a>(
    spelling: SignatureScheme,
    claim: &SignatureClaim<'a>,
    target: &'a str,
    body: &'a [u8],
) -> [&'a [u8]; 5] {
    let at = claim.at.unwrap_or_default().as_bytes();
    match spelling {
        SignatureScheme::Dewar => [at, b"\n", target.as_bytes(), b"\n", body],
        SignatureScheme::GitHub => [b"", b"", b"", b"", body],
        SignatureScheme::Stripe => [at, b".", b"", b"", body],
    }
}

/// The value of the header `X-Signature` ([`SignatureScheme::Dewar`]), for a program that calls a webhook of Dewar.
/// Sign each attempt anew, with its own time.
///
/// ```
/// let line = dewar::csrf::signature(b"what both programs know", 1_700_000_000, "/hooks/billing", b"{}");
/// assert!(line.starts_with("t=1700000000,v2="));
/// ```
#[must_use]
pub fn signature(key: &[u8], at: i64, target: &str, body: &[u8]) -> String {
    let time = at.to_string();
    let claim = SignatureClaim {
        at: Some(&time),
        macs: SmallVec::new(),
    };
    let text = signed_text(SignatureScheme::Dewar, &claim, target, body);
    let mac = SharedKeys::sign(key, &text);
    format!("t={time},v2={}", HEXLOWER.encode(&mac))
}

impl From<NoSignatureClaim> for WebhookRejection {
    fn from(none: NoSignatureClaim) -> Self {
        match none {
            NoSignatureClaim::Twice => Self::Twice,
            NoSignatureClaim::Unsigned => Self::Unsigned,
        }
    }
}

impl fmt::Debug for SenderKeys {
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

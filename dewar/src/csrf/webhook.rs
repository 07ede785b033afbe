use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, fs, io};

use aws_lc_rs::hmac;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::HeaderMap;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::audit::{Clock, Finding, Word, owner_only};
use crate::secrets::{Folder, Place};

/// A delivery older or younger than this, in seconds, is refused.
const TOLERANCE: i64 = 300;

/// A sender's key has at least so many bytes.
const SHORTEST: usize = 32;

/// The header of a delivery: `t=<unix seconds>,v1=<hex of HMAC-SHA-256 over "<t>.<body>">`.
const HEADER: &str = "x-signature";

/// The proof that the heading [`webhook`](crate::App::webhook) asks for: a signature by a sender whose key is known.
///
/// ```
/// use dewar::csrf::Signed;
/// assert_eq!(Signed::by("billing").sender(), "billing");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed(&'static str);

impl Signed {
    /// Signed with the key in the file `<sender>` of `secrets.webhooks`, which is `<data>/keys/webhooks` (at least 32
    /// bytes, mode 0600).
    #[must_use]
    pub const fn by(sender: &'static str) -> Self {
        Self(sender)
    }

    /// Who signs.
    #[must_use]
    pub const fn sender(self) -> &'static str {
        self.0
    }
}

/// The body of a request whose signature was checked; the argument of a webhook's handler.
///
/// ```
/// use dewar::{csrf::Delivery, pages::Text};
/// #[derive(serde::Deserialize)]
/// struct Paid { invoice: u64 }
/// async fn on_paid(delivery: Delivery) -> dewar::Result<Text> {
///     let paid: Paid = delivery.json()?;
///     Ok(Text::new(format!("noted {}", paid.invoice)))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Delivery {
    body: Bytes,
}

/// The body is not the JSON that was expected.
#[derive(Debug, thiserror::Error)]
#[error("the delivery is not the JSON that was expected: {0}")]
pub struct NotJson(String);

impl Delivery {
    /// The body as it was signed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body read as JSON.
    ///
    /// # Errors
    /// [`NotJson`], which answers 400.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, NotJson> {
        serde_json::from_slice(&self.body).map_err(|error| NotJson(error.to_string()))
    }
}

/// The keys of those who may deliver, and the deliveries that were already taken.
#[derive(Clone)]
pub struct Webhooks(Arc<Inner>);

struct Inner {
    keys: HashMap<&'static str, hmac::Key>,
    clock: Clock,
    taken: Mutex<HashMap<[u8; 32], i64>>,
}

/// Why a delivery was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Refused {
    #[error("the delivery is not signed")]
    Unsigned,
    #[error("the signature is not the sender's")]
    Forged,
    #[error("the delivery is too old or from the future")]
    Stale,
    #[error("the delivery was already taken")]
    Replayed,
}

impl Webhooks {
    /// Reads the key of every sender that a route names.
    pub(crate) fn load(
        folder: &Folder,
        senders: &[Signed],
        clock: Clock,
    ) -> Result<Self, Vec<Finding>> {
        let (mut known, mut findings) = (HashMap::new(), Vec::new());
        for Signed(sender) in senders {
            let file = folder.path.join(sender);
            match read_key(&file, folder.place) {
                Ok(key) => {
                    known.insert(*sender, key);
                }
                Err(why) => findings.push(wanted(sender, &file, &why)),
            }
        }
        if !findings.is_empty() {
            return Err(findings);
        }
        Ok(Self(Arc::new(Inner {
            keys: known,
            clock,
            taken: Mutex::default(),
        })))
    }

    /// Checks a delivery: signed by this sender, within five minutes, and not seen before.
    pub(crate) fn check(
        &self,
        by: Signed,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Delivery, Refused> {
        let key = self.0.keys.get(by.0).ok_or(Refused::Forged)?;
        let line = headers
            .get(HEADER)
            .and_then(|value| value.to_str().ok())
            .ok_or(Refused::Unsigned)?;
        let (at, signature) = read_signature(line).ok_or(Refused::Unsigned)?;
        let mut signed = Vec::with_capacity(body.len() + 24);
        signed.extend_from_slice(at.to_string().as_bytes());
        signed.push(b'.');
        signed.extend_from_slice(&body);
        hmac::verify(key, &signed, &signature).map_err(|_| Refused::Forged)?;
        let now = self.0.clock.now();
        if now.abs_diff(at) > TOLERANCE.unsigned_abs() {
            return Err(Refused::Stale);
        }
        self.take(signature, now)?;
        Ok(Delivery { body })
    }

    /// Notes a signature as taken for as long as it would be accepted; the list cannot outgrow what senders who hold
    /// a key can sign in that time.
    fn take(&self, signature: [u8; 32], now: i64) -> Result<(), Refused> {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|_, until| *until >= now);
        match taken.insert(signature, now + 2 * TOLERANCE) {
            Some(_) => Err(Refused::Replayed),
            None => Ok(()),
        }
    }
}

/// A sender's key, or why it is none, as the end of a sentence.
fn read_key(file: &Path, place: Place) -> Result<hmac::Key, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    let metadata = fs::metadata(file).map_err(unreadable)?;
    if owner_only::excess(&metadata, place.unwanted()) != 0 {
        return Err("can be read or changed by other users".to_owned());
    }
    let key = Zeroizing::new(fs::read(file).map_err(unreadable)?);
    if key.len() < SHORTEST {
        return Err(format!("is shorter than {SHORTEST} bytes"));
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &key))
}

fn read_signature(line: &str) -> Option<(i64, [u8; 32])> {
    let (at, signature) = line.strip_prefix("t=")?.split_once(",v1=")?;
    let signature = HEXLOWER
        .decode(signature.as_bytes())
        .ok()?
        .try_into()
        .ok()?;
    Some((at.parse().ok()?, signature))
}

fn wanted(sender: &str, file: &Path, why: &str) -> Finding {
    Finding::refuse(
        Word::Csrf,
        "csrf-webhook-key",
        format!("the key of the webhook sender `{sender}` {why}"),
    )
    .why("a route under `webhook` takes requests by their signature alone")
    .fix(format!(
        "put the key that you share with `{sender}` into {}, mode 0600",
        file.display()
    ))
    .cwe(345)
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks")
            .field("senders", &self.0.keys.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BY: Signed = Signed::by("billing");
    const KEY: [u8; 32] = *b"a key that only two programs hav";

    fn webhooks(clock: &Clock) -> Webhooks {
        let keys = HashMap::from([("billing", hmac::Key::new(hmac::HMAC_SHA256, &KEY))]);
        Webhooks(Arc::new(Inner {
            keys,
            clock: clock.clone(),
            taken: Mutex::default(),
        }))
    }

    fn signed(at: i64, body: &str) -> HeaderMap {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &KEY);
        let mac = hmac::sign(&key, format!("{at}.{body}").as_bytes());
        let line = format!("t={at},v1={}", HEXLOWER.encode(mac.as_ref()));
        HeaderMap::from_iter([(http::HeaderName::from_static(HEADER), line.parse().unwrap())])
    }

    #[test]
    fn a_signed_delivery_is_taken_once() {
        let hooks = webhooks(&Clock::manual(1_000));
        let headers = signed(1_000, "{}");
        assert!(hooks.check(BY, &headers, Bytes::from("{}")).is_ok());
        assert_eq!(
            hooks.check(BY, &headers, Bytes::from("{}")).err(),
            Some(Refused::Replayed)
        );
    }

    #[test]
    fn an_altered_unsigned_or_stale_delivery_is_refused() {
        let hooks = webhooks(&Clock::manual(1_000));
        let check = |headers: &HeaderMap, body: &'static str| {
            hooks.check(BY, headers, Bytes::from(body)).err()
        };
        assert_eq!(check(&signed(1_000, "{}"), "{ }"), Some(Refused::Forged));
        assert_eq!(check(&HeaderMap::new(), "{}"), Some(Refused::Unsigned));
        assert_eq!(check(&signed(600, "{}"), "{}"), Some(Refused::Stale));
        assert_eq!(check(&signed(1_400, "{}"), "{}"), Some(Refused::Stale));
        let stranger = hooks.check(
            Signed::by("nobody"),
            &signed(1_000, "{}"),
            Bytes::from("{}"),
        );
        assert_eq!(stranger.err(), Some(Refused::Forged));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_is_missing_short_or_readable_by_others_refuses_the_launch() {
        use std::os::unix::fs::PermissionsExt;
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("webhooks/billing");
        let folder = |place| Folder {
            path: data.path().join("webhooks"),
            place,
        };
        let load = || Webhooks::load(&folder(Place::Ours), &[BY], Clock::manual(1_000));
        let refused = || load().unwrap_err()[0].title.clone();
        assert!(refused().contains("cannot be read"));
        fs::create_dir(data.path().join("webhooks")).unwrap();
        for (bytes, mode, words) in [
            (&KEY[..31], 0o600, "is shorter than 32 bytes"),
            (&KEY[..], 0o640, "can be read or changed by other users"),
            (&KEY[..], 0o604, "can be read or changed by other users"),
        ] {
            fs::write(&file, bytes).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            assert!(refused().ends_with(words), "{words}: {}", refused());
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(load().is_ok());
        // A mounted secret is read by its group; nobody else reads that either.
        let handed = || Webhooks::load(&folder(Place::Handed), &[BY], Clock::manual(1_000));
        for (mode, good) in [(0o440, true), (0o460, false), (0o444, false)] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(handed().is_ok(), good, "{mode:o}");
        }
    }
}

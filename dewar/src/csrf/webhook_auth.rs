use http::{HeaderMap, HeaderValue};
use smallvec::SmallVec;

use data_encoding::HEXLOWER;

/// The most signatures that Dewar reads of a header; a sender that changes its key sends one for each key.
const MOST_SIGNATURES: usize = 8;

/// The proof that the heading [`webhook`](crate::App::webhook) demands: a signature by a sender whose key is known.
///
/// ```
/// use dewar::csrf::{WebhookAuth, SignatureScheme};
/// assert_eq!(WebhookAuth::hmac("billing").to_string(), "billing");
/// assert_eq!(WebhookAuth::hmac("payments").with_scheme(SignatureScheme::Stripe).to_string(), "payments:stripe");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookAuth {
    sender: &'static str,
    spelling: SignatureScheme,
}

/// The format of a sender's signature. All formats are HMAC-SHA-256.
///
/// Only our own scheme signs both the route and the time. A signature of the body alone fits every route, so a sender
/// with such a scheme has one route, or the application does not start.
///
/// ```
/// use dewar::{App, csrf::{VerifiedWebhook, WebhookAuth, SignatureScheme}, post};
/// async fn on_push(delivery: VerifiedWebhook) -> &'static str { "noted" }
/// fn app(app: App) -> App {
///     app.webhook(WebhookAuth::hmac("code").with_scheme(SignatureScheme::GitHub), [post("/hooks/code", on_push)])
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureScheme {
    /// `X-Signature: t=<unix seconds>,v2=<hex>`, over the seconds, the path with its query, and the body, with a line feed
    /// (`\n`) between them.
    Dewar,
    /// `X-Hub-Signature-256: sha256=<hex>`, over the body. It has no time, and the delivery's id is not signed. Dewar remembers
    /// an accepted body and does not accept it again.
    GitHub,
    /// `Stripe-Signature: t=<unix seconds>,v1=<hex>`, over `<t>.<body>`; it has several `v1` during a change of keys.
    Stripe,
}

impl WebhookAuth {
    /// Signed with the key in `keys/webhooks/<sender>`, which `keys webhook new <sender>` makes.
    #[must_use]
    pub const fn hmac(sender: &'static str) -> Self {
        Self {
            sender,
            spelling: SignatureScheme::Dewar,
        }
    }

    /// Uses the signature scheme of a known service.
    #[must_use]
    pub const fn with_scheme(self, spelling: SignatureScheme) -> Self {
        Self { spelling, ..self }
    }

    /// The name of the sender.
    #[must_use]
    pub const fn sender(self) -> &'static str {
        self.sender
    }

    /// The header with the signature.
    pub(crate) const fn header(self) -> &'static str {
        self.scheme().header()
    }

    /// The scheme of the signature.
    #[must_use]
    pub const fn scheme(self) -> SignatureScheme {
        self.spelling
    }
}

/// Prints as in the route table: the sender, and the scheme if it is not our own.
impl std::fmt::Display for WebhookAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.sender)?;
        match self.spelling {
            SignatureScheme::Dewar => Ok(()),
            SignatureScheme::GitHub => f.write_str(":github"),
            SignatureScheme::Stripe => f.write_str(":stripe"),
        }
    }
}

/// A MAC that a header claims.
type Mac = [u8; 32];

/// The signature that the headers of a delivery claim; nothing of it is verified.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SignatureClaim<'a> {
    /// The time exactly as it was signed, digit for digit.
    pub(super) at: Option<&'a str>,
    pub(super) macs: SmallVec<[Mac; 1]>,
}

/// Why the headers hold no claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoSignatureClaim {
    Twice,
    Unsigned,
}

impl SignatureScheme {
    pub(super) const fn header(self) -> &'static str {
        match self {
            Self::Dewar => "x-signature",
            Self::GitHub => "x-hub-signature-256",
            Self::Stripe => "stripe-signature",
        }
    }

    /// Reads the signature header, which may come once: with two, one reader could check one and another reader the
    /// other.
    pub(super) fn claim(self, headers: &HeaderMap) -> Result<SignatureClaim<'_>, NoSignatureClaim> {
        let mut values = headers.get_all(self.header()).iter();
        let line = values.next().ok_or(NoSignatureClaim::Unsigned)?;
        if values.next().is_some() {
            return Err(NoSignatureClaim::Twice);
        }
        self.read(line).ok_or(NoSignatureClaim::Unsigned)
    }

    fn read(self, line: &HeaderValue) -> Option<SignatureClaim<'_>> {
        let line = line.to_str().ok()?;
        match self {
            Self::Dewar => {
                let (at, signature) = line.strip_prefix("t=")?.split_once(",v2=")?;
                Some(SignatureClaim {
                    at: Some(seconds(at)?),
                    macs: SmallVec::from_iter([mac(signature)?]),
                })
            }
            Self::GitHub => Some(SignatureClaim {
                at: None,
                macs: SmallVec::from_iter([mac(line.strip_prefix("sha256=")?)?]),
            }),
            Self::Stripe => stripe(line),
        }
    }
}

/// One `t`, and the signatures of the scheme `v1`; Stripe sends others for tests.
fn stripe(line: &str) -> Option<SignatureClaim<'_>> {
    let (mut at, mut macs) = (None, SmallVec::new());
    for element in line.split(',') {
        match element.split_once('=')? {
            ("t", _) if at.is_some() => return None,
            ("t", time) => at = Some(seconds(time)?),
            ("v1", _) if macs.len() == MOST_SIGNATURES => return None,
            ("v1", signature) => macs.push(mac(signature)?),
            _ => {}
        }
    }
    let at = Some(at?);
    (!macs.is_empty()).then_some(SignatureClaim { at, macs })
}

/// Unix seconds, at most twelve digits.
fn seconds(text: &str) -> Option<&str> {
    let is_number =
        (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(text)
}

fn mac(text: &str) -> Option<Mac> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(spelling: SignatureScheme, line: &str) -> Option<(Option<String>, usize)> {
        let line = HeaderValue::from_str(line).unwrap();
        let claim = spelling.read(&line)?;
        Some((claim.at.map(str::to_owned), claim.macs.len()))
    }

    #[test]
    fn each_spelling_is_read_as_its_sender_writes_it() {
        let hex = "0123456789abcdef".repeat(4);
        let time = Some("1492774577".to_owned());
        for (spelling, line, wanted) in [
            (
                SignatureScheme::Dewar,
                format!("t=1492774577,v2={hex}"),
                (time.clone(), 1),
            ),
            (SignatureScheme::GitHub, format!("sha256={hex}"), (None, 1)),
            (
                SignatureScheme::Stripe,
                format!("t=1492774577,v1={hex}"),
                (time.clone(), 1),
            ),
            (
                SignatureScheme::Stripe,
                format!("t=1492774577,v1={hex},v1={hex},v0={hex}"),
                (time, 2),
            ),
        ] {
            assert_eq!(read(spelling, &line), Some(wanted), "{line}");
        }
    }

    #[test]
    fn what_nobody_writes_claims_nothing() {
        let hex = "0123456789abcdef".repeat(4);
        let upper = hex.to_uppercase();
        let nine = format!(",v1={hex}").repeat(9);
        for (spelling, line) in [
            (SignatureScheme::Dewar, String::new()),
            (SignatureScheme::Dewar, format!("t=1492774577,v1={hex}")),
            (SignatureScheme::Dewar, format!("t=+1492774577,v2={hex}")),
            (SignatureScheme::Dewar, format!("t=-1,v2={hex}")),
            (SignatureScheme::Dewar, format!("t=,v2={hex}")),
            (SignatureScheme::Dewar, format!("t=1492774577,v2={upper}")),
            (SignatureScheme::Dewar, format!("t=1492774577,v2={hex}0")),
            (
                SignatureScheme::Dewar,
                format!("t=1492774577,v2={hex},v2={hex}"),
            ),
            (SignatureScheme::GitHub, format!("sha1={hex}")),
            (SignatureScheme::GitHub, hex.clone()),
            (SignatureScheme::Stripe, format!("v1={hex}")),
            (SignatureScheme::Stripe, format!("t=1,t=2,v1={hex}")),
            (SignatureScheme::Stripe, format!("t=1,v0={hex}")),
            (SignatureScheme::Stripe, format!("t=1{nine}")),
            (SignatureScheme::Stripe, "t=1,v1=".to_owned()),
            (SignatureScheme::Stripe, format!("t=9999999999999,v1={hex}")),
        ] {
            assert_eq!(read(spelling, &line), None, "{line}");
        }
    }

    #[test]
    fn two_headers_claim_nothing() {
        let mut headers = HeaderMap::new();
        assert_eq!(
            SignatureScheme::GitHub.claim(&headers),
            Err(NoSignatureClaim::Unsigned)
        );
        let line = HeaderValue::from_str(&format!("sha256={}", "0".repeat(64))).unwrap();
        headers.append("x-hub-signature-256", line.clone());
        assert!(SignatureScheme::GitHub.claim(&headers).is_ok());
        headers.append("x-hub-signature-256", line);
        assert_eq!(
            SignatureScheme::GitHub.claim(&headers),
            Err(NoSignatureClaim::Twice)
        );
    }
}
